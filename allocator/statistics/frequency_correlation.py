"""Daily and monthly correlation side by side: they answer different questions and often differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics import show_correlation as show
from allocator.statistics._pairs import WIDE, read_dated_pair
from allocator.statistics._returns import FloatArray, Returns, read_one_series
from allocator.statistics.correlation_path import (
    CorrelationPath,
    exponential_correlation,
    rolling_correlation,
)
from allocator.statistics.hac_correlation import CorrelationInterval, correlation_interval
from allocator.statistics.long_run_variance import LongRunVariance

__all__ = [
    "CorrelationByFrequency",
    "correlation_by_frequency",
    "exponential_correlation_by_frequency",
    "monthly_returns",
    "rolling_correlation_by_frequency",
]


@final
@dataclass(frozen=True, eq=False, repr=False)
class CorrelationByFrequency:
    """The correlation of the returns as they came, and of their months; prints itself.

    Attributes
    ----------
    frequency
        Of the returns as they came: "daily" or "weekly".
    finer
        Of these returns.
    monthly
        Of the same, compounded over complete months.
    """

    frequency: str
    finer: CorrelationInterval
    monthly: CorrelationInterval

    __repr__ = show.frequency_text
    _repr_html_ = show.frequency_html


def monthly_returns(returns: Returns) -> pd.Series[float]:
    """Compound daily or weekly returns of one series over complete months, dated by their last rows.

    The first month is left out, as it may lack its first rows, and so is the last one. Of market
    holidays nothing is known: the last row of a month is its end.

    Raises
    ------
    InputError
        Returns that are monthly or slower, without dates, or shorter than two month ends.
    """
    table = read_one_series(returns)
    if table.dates is None or table.frequency is None:
        raise InputError("returns", "no dates to find months by", fix="pass a Series with dates")
    if table.frequency.is_calendar:
        raise InputError("returns", f"are {table.frequency} already")
    months = table.dates.year.to_numpy() * 12 + table.dates.month.to_numpy()
    ends = np.flatnonzero(np.diff(months))
    if len(ends) < 2:
        raise InputError("returns", f"month ends: {len(ends)}, at least 2 are needed for a monthly return")
    compounded = _compounded(table.matrix[:, 0], ends)
    return pd.Series(compounded, index=table.dates[ends[1:]], name=table.columns[0])


def _compounded(returns: FloatArray, ends: np.typing.NDArray[np.int64]) -> FloatArray:
    """Return the product of 1 + r between ends, less 1; a product, for after -100 % wealth stays 0."""
    growth = np.multiply.reduceat(1.0 + returns[: ends[-1] + 1], ends[:-1] + 1)
    return np.asarray(growth - 1.0)


def correlation_by_frequency(
    x: Returns,
    y: Returns,
    long_run: LongRunVariance = WIDE,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> CorrelationByFrequency:
    """Estimate the correlation of daily (or weekly) returns, and of their months, with all intervals.

    Parameters are those of :func:`correlation_interval`; the returns need dates.
    """
    _, _, frequency = read_dated_pair(x, y)
    pairs = ((x, y), (monthly_returns(x), monthly_returns(y)))
    found = [
        correlation_interval(a, b, long_run, confidence=confidence, n_resamples=n_resamples, seed=seed)
        for a, b in pairs
    ]
    return CorrelationByFrequency(frequency.name, *found)


def rolling_correlation_by_frequency(
    x: Returns, y: Returns, years: float, long_run: LongRunVariance = WIDE, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return :func:`rolling_correlation` of the returns and of their months, side by side at month ends.

    Columns are pairs of a frequency, "daily" and "monthly", and the columns of a path; rows are the month
    ends that both have.
    """
    read_dated_pair(x, y)
    pairs = ((x, y), (monthly_returns(x), monthly_returns(y)))
    return _side_by_side(
        [rolling_correlation(a, b, years, long_run, confidence=confidence) for a, b in pairs]
    )


def exponential_correlation_by_frequency(
    x: Returns,
    y: Returns,
    half_life_years: float,
    long_run: LongRunVariance = WIDE,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return :func:`exponential_correlation` of the returns and their months, side by side at month ends."""
    read_dated_pair(x, y)
    pairs = ((x, y), (monthly_returns(x), monthly_returns(y)))
    return _side_by_side(
        [exponential_correlation(a, b, half_life_years, long_run, confidence=confidence) for a, b in pairs]
    )


def _side_by_side(paths: list[CorrelationPath]) -> pd.DataFrame:
    return pd.concat({path.frequency: path.table for path in paths}, axis=1, join="inner")
