"""How deep a portfolio is below its high in its worst times, as the tail of its drawdown path."""

from __future__ import annotations

import math

import numpy as np

from allocator.errors import InputError
from allocator.statistics._returns import FloatArray, Labelled, Returns, read_returns
from allocator.statistics._settings import is_number
from allocator.statistics.drawdown import drawdown_path

__all__ = ["conditional_drawdown_at_risk", "drawdown_at_risk", "mean_of_deepest", "refuse_level"]


def drawdown_at_risk(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the drawdown that a share ``level`` of the periods is deeper than, a fraction <= 0.

    The ``level`` quantile of the drawdown path (compounded), interpolated as in :func:`value_at_risk`.
    """
    refuse_level(level)
    table = read_returns(returns)
    return table.label(np.quantile(_path(table.matrix), level, axis=0))


def conditional_drawdown_at_risk(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the mean drawdown in the deepest share ``level`` of the periods, a fraction <= 0.

    Between the maximum drawdown, which it is with fewer than 1/level periods, and
    :func:`drawdown_at_risk`. Chekhlov, Uryasev and Zabarankin (2005), definition 3.1, of the compounded
    drawdown path, where theirs is uncompounded; the last period counts with the fraction that is left.
    PerformanceAnalytics' CDD means other things: drawdown episodes, or whole periods beyond a quantile.
    Like the maximum drawdown it grows with the number of periods: compare equal lengths only.
    """
    refuse_level(level)
    table = read_returns(returns)
    return table.label(mean_of_deepest(_path(table.matrix), level))


def mean_of_deepest(path: FloatArray, level: float) -> FloatArray:
    """Return the mean of the lowest share ``level`` of the rows, shape (n_periods, n_paths) -> (n_paths,)."""
    size = level * len(path)
    whole = max(math.ceil(size), 1)
    lowest = np.sort(np.partition(path, whole - 1, axis=0)[:whole], axis=0)
    weights = np.clip(size - np.arange(whole), 0.0, 1.0)
    # Not a matrix product, whose last bit depends on the other paths.
    return np.asarray((weights[:, np.newaxis] * lowest).sum(axis=0) / weights.sum())


def refuse_level(level: float) -> None:
    """Refuse what is no share of the worst periods, such as 0.95 or 5."""
    if not is_number(level) or not 0.0 < level < 0.5:
        raise InputError("level", f"{level} is not between 0 and 0.5", fix="pass 0.05 for the worst 5 %")


def _path(values: FloatArray) -> FloatArray:
    return np.asarray(drawdown_path(values))
