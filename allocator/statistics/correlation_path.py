"""The correlation of two series as time goes by, each date with its own interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import show_correlation as show
from allocator.statistics._moments import is_rounding
from allocator.statistics._one_thread import inner
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import (
    FEWEST_PAIRS,
    WIDE,
    Correlated,
    Pair,
    correlated,
    read_dated_pair,
    spanning,
)
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics._settings import refuse_no_number
from allocator.statistics.long_run_variance import LongRunVariance

__all__ = ["CorrelationPath", "exponential_correlation", "rolling_correlation"]

# Half-lives of which anything is seen: what is older has a billionth of the newest weight.
_HALF_LIVES_SEEN = 30


@final
@dataclass(frozen=True, eq=False, repr=False)
class CorrelationPath:
    """A correlation on many dates, each of the returns up to and including it; prints itself.

    Attributes
    ----------
    names
        Of the two series.
    table
        By date: ``correlation``, ``low``, ``high`` (pointwise), ``standard_error`` (of Fisher's z), ``n``
        (rows, or the effective number of them under weights). NaN where a series did not change, and no
        interval where it moved in fewer than 12 rows.
    confidence
        Of the interval of each date, on its own: the dates together are covered less often.
    frequency
        Of the returns: "daily", "weekly", "monthly", ...
    method
        The weights, and what the error rests on.
    """

    names: tuple[str, str]
    table: pd.DataFrame
    confidence: float
    frequency: str
    method: str

    __repr__ = show.path_text
    _repr_html_ = show.path_html


def rolling_correlation(
    x: Returns,
    y: Returns,
    years: float,
    long_run: LongRunVariance = WIDE,
    *,
    confidence: float = 0.95,
    overlap: int = 1,
) -> CorrelationPath:
    """Return the correlation of the last ``years`` on each date that has them, with pointwise intervals.

    Parameters
    ----------
    x, y
        Simple returns with the same dates.
    years
        Length of the window, at least 12 rows of it.
    long_run, confidence, overlap
        Of the interval, as in :func:`correlation_interval`.

    Raises
    ------
    InputError
        No dates, dates that differ, a window of too few rows.
    InsufficientHistoryError
        A window longer than the returns.
    """
    refuse_confidence(confidence)
    pair, dates, frequency = read_dated_pair(x, y)
    window = _rows(years, frequency.periods_per_year)
    if window > pair.n:
        problem = f"a window of {window} rows ({years:g} years) for {pair.n} rows"
        raise InsufficientHistoryError("years", problem, rows_needed=window, fix="take a shorter one")
    spanned = spanning(long_run, overlap, window)
    found = [
        _at(pair.matrix[stop - window : stop], spanned, np.ones(window)) for stop in range(window, pair.n + 1)
    ]
    method = f"{window} rows, equal weights; HAC: {spanned.describe()}"
    return _path(pair, dates[window - 1 :], found, confidence, overlap, method)


def exponential_correlation(
    x: Returns,
    y: Returns,
    half_life_years: float,
    long_run: LongRunVariance = WIDE,
    *,
    confidence: float = 0.95,
    overlap: int = 1,
) -> CorrelationPath:
    """Return the correlation with weights that halve every ``half_life_years``, with pointwise intervals.

    The first date is the one whose effective number of rows, (Σw)²/Σw², reaches 12.

    Parameters
    ----------
    x, y
        Simple returns with the same dates.
    half_life_years
        After which a row counts half, at least 5 rows.
    long_run, confidence, overlap
        Of the interval, as in :func:`correlation_interval`; n there is the effective number, of which a wide
        bandwidth is a fifth.

    Raises
    ------
    InputError
        No dates, dates that differ, a half-life of too few rows.
    InsufficientHistoryError
        Fewer rows than 12 effective ones take.
    """
    refuse_confidence(confidence)
    pair, dates, frequency = read_dated_pair(x, y)
    weights = _decaying(half_life_years, frequency.periods_per_year, pair.n)
    spanned = spanning(long_run, overlap, pair.n)
    effective = np.cumsum(weights[::-1]) ** 2 / np.cumsum(weights[::-1] ** 2)
    if effective[-1] < FEWEST_PAIRS:
        problem = f"{pair.n} rows count as {effective[-1]:.1f}, at least {FEWEST_PAIRS} are needed"
        raise InsufficientHistoryError("x", problem, rows_needed=FEWEST_PAIRS + 1)
    first = int(np.argmax(effective >= FEWEST_PAIRS)) + 1
    found = [
        _at(pair.matrix[max(stop - len(weights), 0) : stop], spanned, weights[-stop:])
        for stop in range(first, pair.n + 1)
    ]
    method = f"weights halve every {half_life_years:g} years; HAC: {spanned.describe()}"
    return _path(pair, dates[first - 1 :], found, confidence, overlap, method)


def _rows(years: float, rows_a_year: int) -> int:
    refuse_no_number("years", years, "pass 3, say")
    rows = round(years * rows_a_year) if 0.0 < years < np.inf else 0
    if rows < FEWEST_PAIRS:
        problem = f"{years!r} years hold {rows} rows, at least {FEWEST_PAIRS} are needed"
        raise InputError("years", problem, fix=f"pass {FEWEST_PAIRS / rows_a_year:.3g} or more")
    return rows


def _decaying(half_life_years: float, rows_a_year: int, n: int) -> FloatArray:
    """Return the weights of as many rows as are seen, the newest last, shape (at most n,)."""
    refuse_no_number("half_life_years", half_life_years, "pass 3, say")
    half_life = half_life_years * rows_a_year
    if not 5.0 <= half_life < np.inf:
        problem = f"{half_life_years!r} years hold {half_life:.3g} rows, at least 5 are needed"
        raise InputError("half_life_years", problem, fix=f"pass {5 / rows_a_year:.3g} or more")
    seen = min(n, int(np.ceil(_HALF_LIVES_SEEN * half_life)))
    return np.asarray(0.5 ** (np.arange(seen)[::-1] / half_life))


def _at(matrix: FloatArray, long_run: LongRunVariance, weights: FloatArray) -> Correlated:
    if is_rounding(matrix.std(axis=0), matrix).any():
        return Correlated(float("nan"), float("nan"), float(weights.sum() ** 2 / inner(weights, weights)))
    return correlated(matrix, long_run, weights)


def _path(
    pair: Pair,
    dates: pd.DatetimeIndex,
    found: list[Correlated],
    confidence: float,
    overlap: int,
    method: str,
) -> CorrelationPath:
    rows = [(each.r, *each.interval(confidence, overlap), each.standard_error, each.n) for each in found]
    columns = ["correlation", "low", "high", "standard_error", "n"]
    table = pd.DataFrame(np.array(rows), index=dates, columns=columns)
    assert pair.frequency is not None
    return CorrelationPath(pair.names, table, confidence, pair.frequency.name, method)
