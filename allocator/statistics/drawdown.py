"""Losses from the highest value so far; the initial wealth of 1.0 stands before the first return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.statistics._returns import (
    FloatArray,
    Labelled,
    Returns,
    ReturnTable,
    read_one_series,
    read_returns,
    read_start,
)

__all__ = [
    "Drawdown",
    "average_drawdown",
    "drawdown_path",
    "drawdowns",
    "max_drawdown",
    "pain_index",
    "ulcer_index",
    "worst_drawdown",
]

# Down 10 % and up 1/0.9 - 1 ends a last bit below 1: that is recovered, and equal depths are ties.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Drawdown:
    """One fall from a peak and the way back.

    Parameters
    ----------
    depth
        Return from peak to trough, a fraction <= 0.
    peak
        Last date at the high before the fall; None when that is an initial wealth of unknown date.
    trough
        First date of the lowest value; None where there is no drawdown.
    recovery
        First date back at the high; None while the drawdown is open.

    Row numbers stand in for dates where the returns are an array.
    """

    depth: float
    peak: Any
    trough: Any
    recovery: Any

    @property
    def recovered(self) -> bool:
        """Whether the high was reached again; True where there was no drawdown."""
        return self.recovery is not None or self.trough is None


def drawdown_path(returns: Returns) -> Any:
    """Return from the highest value so far, a fraction <= 0, for every period, shaped like the returns."""
    table = read_returns(returns)
    return table.label_rows(_paths(table.matrix))


def max_drawdown(returns: Returns) -> Labelled:
    """Deepest drawdown of each series, a fraction: -0.25 is a loss of a quarter, 0.0 is none."""
    table = read_returns(returns)
    return table.label(_paths(table.matrix).min(axis=0))


def average_drawdown(returns: Returns) -> Labelled:
    """Mean depth of the drawdowns of each series, open ones included, a fraction <= 0; 0.0 if none.

    Of episodes, each counted once however long: :func:`drawdowns` lists them. Of periods it is
    :func:`pain_index`.
    """
    table = read_returns(returns)
    return table.label(np.array([_mean_depth(path) for path in _paths(table.matrix).T]))


def pain_index(returns: Returns) -> Labelled:
    """Mean size of the drawdown over all periods, those at a high included, a fraction >= 0.

    Becker (2006). Like the maximum drawdown it grows with the number of periods.
    """
    table = read_returns(returns)
    return table.label(-_paths(table.matrix).mean(axis=0) + 0.0)


def ulcer_index(returns: Returns) -> Labelled:
    """Root mean square drawdown over all periods, those at a high included, a fraction >= 0.

    Martin and McCann (1989), of the high of the whole past. Between the pain index and the maximum
    drawdown; like them it grows with the number of periods.
    """
    table = read_returns(returns)
    return table.label(np.sqrt(np.mean(_paths(table.matrix) ** 2, axis=0)))


def worst_drawdown(returns: Returns, start: pd.Timestamp | str | None = None) -> Drawdown:
    """Return the deepest drawdown of one series with its dates; of equal depths, the earliest.

    ``start`` is the date of the initial wealth, the peak of a fall that begins with the first return.
    """
    table = read_one_series(returns)
    path, began = _paths(table.matrix)[:, 0], read_start(table, start)
    if path.min() == 0:
        return Drawdown(0.0, None, None, None)
    trough = _first_lowest(path)
    first, last = _episode_around(path, trough)
    return Drawdown(
        depth=float(path.min()),
        peak=_date_or_none(table, first - 1, began),
        trough=_date_or_none(table, trough, None),
        recovery=_date_or_none(table, last, None),
    )


def drawdowns(returns: Returns, start: pd.Timestamp | str | None = None) -> pd.DataFrame:
    """Return every drawdown of one series, the deepest first, of equal depths the earliest first.

    Returns
    -------
    pandas.DataFrame
        A row an episode: ``depth`` (fraction <= 0); ``peak``, ``trough``, ``recovery`` (dates, or row
        numbers for arrays); ``recovered``; and in periods ``length`` (peak to recovery, or to the last
        row while open), ``to_trough`` and ``to_recovery`` (trough to recovery). The peak of a fall that
        begins with the first return is ``start``, or missing.
    """
    table = read_one_series(returns)
    path, began = _paths(table.matrix)[:, 0], read_start(table, start)
    first, last = _episodes(path)
    trough = np.array(
        [a + _first_lowest(path[a:b]) for a, b in zip(first, last, strict=True)], dtype=np.int64
    )
    order = np.argsort(np.round(path[trough], 12), kind="stable")
    return _episode_table(table, path, first[order], trough[order], last[order], began)


def _paths(values: FloatArray) -> FloatArray:
    wealth = np.cumprod(1.0 + values, axis=0)
    path = wealth / np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0) - 1.0
    path[path > -_ROUNDING] = 0.0
    return np.asarray(path)


def _mean_depth(path: FloatArray) -> float:
    first, last = _episodes(path)
    return float(np.mean([path[a:b].min() for a, b in zip(first, last, strict=True)])) if len(first) else 0.0


def _first_lowest(path: FloatArray) -> int:
    return int(np.argmax(path <= path.min() + _ROUNDING))


def _episodes(path: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row below the high and the row of recovery (n_periods while open), an episode each."""
    below = np.concatenate([[False], path < 0, [False]]).astype(np.int8)
    steps = np.diff(below)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)


def _episode_around(path: FloatArray, trough: int) -> tuple[int, int]:
    highs = np.flatnonzero(path == 0)
    after = int(np.searchsorted(highs, trough))
    first = int(highs[after - 1]) + 1 if after else 0
    return first, int(highs[after]) if after < len(highs) else len(path)


def _date_or_none(table: ReturnTable, row: int, before: pd.Timestamp | None) -> Any:
    if row < 0:
        return before
    if row >= table.n_periods:
        return None
    return row if table.dates is None else table.dates[row]


def _episode_table(
    table: ReturnTable,
    path: FloatArray,
    first: NDArray[np.int64],
    trough: NDArray[np.int64],
    last: NDArray[np.int64],
    began: pd.Timestamp | None,
) -> pd.DataFrame:
    n = table.n_periods
    recovered = last < n
    to_recovery = pd.array(last - trough, dtype="Int64")
    to_recovery[~recovered] = pd.NA
    return pd.DataFrame(
        {
            "depth": path[trough],
            "peak": _dates_of(table, first - 1, began),
            "trough": _dates_of(table, trough, None),
            "recovery": _dates_of(table, last, None),
            "recovered": recovered,
            "length": np.minimum(last, n - 1) - (first - 1),
            "to_trough": trough - (first - 1),
            "to_recovery": to_recovery,
        }
    )


def _dates_of(table: ReturnTable, rows: NDArray[np.int64], before: pd.Timestamp | None) -> Any:
    dates = [_date_or_none(table, int(row), before) for row in rows]
    return (
        pd.array(dates, dtype="Int64")
        if table.dates is None
        else pd.DatetimeIndex(dates, dtype=table.dates.dtype)
    )
