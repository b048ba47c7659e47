"""The cash return: what money earns that is not invested, and what borrowed money costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency, earned_between, whole_days
from allocator.market.prices import float_column, validate_index

__all__ = ["describe_cash", "validate_cash"]

_HIGHEST_ANNUAL_RATE = 0.5  # above, it is percent
_FEWEST_TYPICAL = 60  # rows; fewer may be odd by chance
# A return per row above this is an annual rate put where a return per row is expected.
_LARGEST_RETURN = {"daily": 0.01, "weekly": 0.03, "monthly": 0.05, "quarterly": 0.2, "yearly": 1.0}


def validate_cash(
    cash: pd.Series[Any] | float, index: pd.DatetimeIndex, days: NDArray[np.int64], frequency: Frequency
) -> NDArray[np.float64]:
    """Return the cash return per row, shape (n_periods,); the first row, before which nothing is held, is 0.

    Parameters
    ----------
    cash
        Returns per row or an annual effective rate.
    index, days, frequency
        The rows of prices, the same as :func:`whole_days`, and their spacing.

    Raises
    ------
    InputError
        If a date is missing or between the rows, a value is NaN, or the size says that percent or an
        annual rate was given where a fraction or a return per row is meant.
    """
    if isinstance(cash, pd.Series):
        returns = np.concatenate([[0.0], _aligned(cash, index, days, frequency)])
    else:
        returns = earned_between(_annual_rate(cash), days, frequency)
    returns.flags.writeable = False
    return returns


def describe_cash(cash: pd.Series[Any] | float) -> str:
    """Return how cash was given, for a footer."""
    if isinstance(cash, pd.Series):
        return f"cash: series {cash.name!r}" if cash.name is not None else "cash: series of returns"
    return f"cash: {cash:.4g} a year, annual effective"


def _annual_rate(cash: Any) -> float:
    if isinstance(cash, bool) or not isinstance(cash, int | float | np.integer | np.floating):
        kind = type(cash).__name__
        raise InputError(
            "cash", f"expected a Series of returns or an annual rate, got {kind}", fix="cash=0.02"
        )
    try:
        rate = float(cash)
    except OverflowError:  # an integer beyond all floats
        rate = np.inf
    if not np.isfinite(rate):
        raise InputError("cash", f"is {rate}", fix="pass an annual effective rate as a fraction")
    if abs(rate) > _HIGHEST_ANNUAL_RATE:
        fix = f"pass a fraction: {rate / 100:g}"
        raise InputError("cash", f"{rate:g} a year looks like percent", fix=fix)
    return rate


def _aligned(
    cash: pd.Series[Any], index: pd.DatetimeIndex, days: NDArray[np.int64], frequency: Frequency
) -> NDArray[np.float64]:
    """Return the returns of the rows but the first, shape (n_periods - 1,)."""
    if not _ends_alike(whole_days(cash.index), days):
        cash = _looked_up(cash, index)
    rows = index[1:]
    values = float_column(cash.iloc[-len(rows) :], "cash", rows)
    _refuse_values(values, rows, frequency)
    return values


def _ends_alike(given: NDArray[np.int64] | None, days: NDArray[np.int64]) -> bool:
    """Return whether these are the days of all rows but the first, after none, that one or earlier ones."""
    n_returns = len(days) - 1
    if given is None or not np.array_equal(given[-n_returns:], days[1:]):
        return False
    return len(given) == n_returns or bool(given[-n_returns - 1] <= days[0])


def _looked_up(cash: pd.Series[Any], index: pd.DatetimeIndex) -> pd.Series[Any]:
    """Return the cash returns of the rows but the first, refusing what is missing or would be lost."""
    dates = validate_index(cash.index, "cash")
    missing = index[1:].difference(dates)
    if len(missing):
        raise InputError(
            "cash",
            f"no return for {len(missing)} of the {len(index) - 1} rows of prices",
            date=missing[0],
            count=len(missing),
            fix="give a return for each row, earned since the row before",
        )
    between = dates[(dates > index[0]) & (dates <= index[-1])].difference(index)
    if len(between):
        raise InputError(
            "cash",
            "a date between the rows of prices, which would be lost",
            date=between[0],
            count=len(between),
            fix="compound the cash return to the rows of prices",
        )
    return cash.reindex(index[1:])


def _refuse_values(values: NDArray[np.float64], index: pd.DatetimeIndex, frequency: Frequency) -> None:
    limit = _LARGEST_RETURN[frequency.name]
    lowest, highest = values.min(), values.max()  # NaN where any is
    if lowest > -1.0 and lowest >= -limit and highest <= limit:
        if len(values) >= _FEWEST_TYPICAL:
            _refuse_typical(float(np.median(values)) * frequency.periods_per_year, index)
        return
    bad = np.flatnonzero(~np.isfinite(values) | (values <= -1.0))
    if len(bad):
        fix = "give a return above -1 for each row"
        raise InputError("cash", f"is {values[bad[0]]}", date=index[bad[0]], count=len(bad), fix=fix)
    large = np.flatnonzero(np.abs(values) > limit)
    if len(large):
        row = int(large[0])
        raise InputError(
            "cash",
            f"{values[row]:g} in one row of {frequency} data, beyond {limit:g}",
            date=index[row],
            count=len(large),
            fix="pass the return per row, not an annual rate, percent or a price "
            f"(a constant annual rate is a float; levels: cash.pct_change(); first row {iso_date(index[0])})",
        )


def _refuse_typical(annual: float, index: pd.DatetimeIndex) -> None:
    """Refuse percent that are small enough for a single row: 2 % a year as 0.008 a day."""
    if abs(annual) > _HIGHEST_ANNUAL_RATE:
        raise InputError(
            "cash",
            f"its typical return is {annual:.3g} a year",
            date=index[0],
            fix="pass the return per row as a fraction: divide percent by 100",
        )
