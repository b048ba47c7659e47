"""The correlation of levels, which is never shown without that of changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics import show_correlation as show
from allocator.statistics._one_thread import inner
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import FEWEST_PAIRS, WIDE, Pair, correlated
from allocator.statistics._returns import FloatArray, read_numbers
from allocator.statistics.long_run_variance import LongRunVariance

__all__ = ["LevelCorrelation", "level_correlation"]

Numbers = pd.Series | NDArray[np.float64]


@final
@dataclass(frozen=True, repr=False)
class LevelCorrelation:
    """The correlation of two levels beside that of their changes; prints itself.

    Attributes
    ----------
    names
        Of the two series.
    n
        Changes; the levels are one more.
    levels
        Pearson's r of the levels, without an interval: two independent random walks have one of any size,
        that more data do not bring to 0. Granger and Newbold (1974); Phillips (1986).
    changes, standard_error, low, high
        r of the first differences, the HAC error of its Fisher z, and its interval.
    persistence
        First autocorrelation of each level; near 1, r of the levels says nothing.
    confidence
        Of the interval.
    method
        What the error rests on.
    reason
        Empty, or why a number is missing.
    """

    names: tuple[str, str]
    n: int
    levels: float
    changes: float
    standard_error: float
    low: float
    high: float
    persistence: tuple[float, float]
    confidence: float
    method: str
    reason: str = ""

    __repr__ = show.levels_text
    _repr_html_ = show.levels_html


def level_correlation(
    x: Numbers, y: Numbers, long_run: LongRunVariance = WIDE, *, confidence: float = 0.95
) -> LevelCorrelation:
    """Return the correlation of two levels, and that of their changes.

    Parameters
    ----------
    x, y
        Levels: yields, indices, or logs of prices, on the same dates where both have dates.
    long_run, confidence
        Of the interval of changes, as in :func:`correlation_interval`.

    Raises
    ------
    InputError
        Dates or lengths that differ, NaN.
    """
    refuse_confidence(confidence)
    levels = np.column_stack([read_numbers(x, "x"), _same_rows(x, y)])
    pair = Pair(np.diff(levels, axis=0), (_name(x, "x"), _name(y, "y")), None, None)
    nan, method = float("nan"), f"HAC: {long_run.describe()}, on Fisher's scale"
    reason = pair.missing(FEWEST_PAIRS)
    if reason:
        reason = f"of the changes: {reason}"
        return LevelCorrelation(
            pair.names, pair.n, nan, nan, nan, nan, nan, (nan, nan), confidence, method, reason
        )
    found = correlated(pair.matrix, long_run)
    low, high = found.interval(confidence)
    return LevelCorrelation(
        pair.names,
        pair.n,
        correlated(levels, long_run).r,
        found.r,
        found.standard_error,
        low,
        high,
        (_persistence(levels[:, 0]), _persistence(levels[:, 1])),
        confidence,
        method,
        pair.caution(),
    )


def _same_rows(x: Numbers, y: Numbers) -> FloatArray:
    first, second = read_numbers(x, "x"), read_numbers(y, "y")
    if len(first) != len(second):
        raise InputError("y", f"{len(second)} rows for {len(first)} rows of x")
    if isinstance(x, pd.Series) and isinstance(y, pd.Series) and not x.index.equals(y.index):
        single = x.index.symmetric_difference(y.index)
        raise InputError(
            "y", f"its dates are not those of x: {len(single)} are in one of them only", date=single[0]
        )
    return second


def _name(series: Numbers, argument: str) -> str:
    if isinstance(series, pd.Series) and series.name is not None:
        return str(series.name)
    return argument


def _persistence(level: FloatArray) -> float:
    centred = level - level.mean()
    return inner(centred[1:], centred[:-1]) / inner(centred, centred)
