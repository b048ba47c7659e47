"""Total return of a constant-maturity par bond from yields, for years that no bond index reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import Frequency, infer_frequency, years_between
from allocator.market.prices import float_column, validate_index

__all__ = ["constant_maturity_returns"]

_COUPONS_PER_YEAR = (1, 2, 4, 12)
_LONGEST_MATURITY = 100
# No government has borrowed for years at less than -2 % (Switzerland 2019: -1.1 %), nor one whose bonds
# a portfolio holds at more than 40 %; 0.5 is therefore half a percent, and -0.28 is Japan's in percent.
_LOWEST_YIELD, _HIGHEST_YIELD = -0.05, 0.5
# Yields of Japan 2020-22 in percent lie between the two. What betrays them is how far they move: the mean
# absolute change per row is at most 0.0026 in any 60 days of US yields since 1962 (1-year bill, 1980-81;
# weekly 0.0055, monthly 0.0093, quarterly 0.012), in those at least 0.005 in any year (0.011, 0.038, 0.046).
_LARGEST_MEAN_CHANGE = {"daily": 0.004, "weekly": 0.01, "monthly": 0.02, "quarterly": 0.035, "yearly": 0.06}
_CHANGES_THAT_TELL = 60


def constant_maturity_returns(
    yields: pd.Series[Any], maturity: float, *, coupons_per_year: int = 2
) -> pd.Series[float]:
    """Return what a bond bought at par on each row and sold on the next has earned, shape (n_rows - 1,).

    On each row a new bond of the full ``maturity`` is bought at par: its coupon is the yield y0 of that
    row. On the next row, ``dt`` years later, it is sold for the value of all its payments (clean price and
    accrued coupon) at the yield y1 of that row, and the next one is bought. With m coupons a year::

        R = (1 + y1/m)^(m dt) (1 + (y0 - y1)/m A) - 1,    A = (1 - (1 + y1/m)^-n) / (y1/m),   n = maturity m

    The bond sold is ``maturity - dt`` long but is valued at y1, the yield of the full maturity: what it
    gains by rolling down a sloping curve is not counted. A coupon paid within a period, which takes rows
    further apart than coupons, is reinvested at y1. A par bond of negative yield has a negative coupon.

    To have it as an asset of a :class:`Market`, put a row of 1 before the first return::

        returns = constant_maturity_returns(yields, 10)
        levels = pd.concat([pd.Series(1.0, index=yields.index[:1]), (1 + returns).cumprod()])

    Parameters
    ----------
    yields
        Par yields of this maturity, as fractions a year (0.045, not 4.5) compounded ``coupons_per_year``
        times, dates as index; any regular frequency. No gaps: ``dropna()`` takes out holidays.
    maturity
        Years from purchase to the last payment, a whole number of coupon periods and more than one.
    coupons_per_year
        1 (Germany), 2 (US, UK, Japan), 4 or 12.

    Returns
    -------
    pd.Series
        Simple returns as fractions, from the second row on, named after the maturity.

    Raises
    ------
    InputError
        If a yield is missing, infinite, or in percent; if the maturity is no bond's.

    Notes
    -----
    Street-convention price of a bond between coupons, e.g. Fabozzi (2007), Fixed Income Analysis, ch. 5,
    summed as an annuity; Swinkels (2019), Data 4(3), 91, approximates the same return by duration and
    convexity. Days are counted over 365.25; months, quarters and years have their nominal length.
    """
    per_year = _checked_coupons(coupons_per_year)
    n_coupons = _whole_coupons(maturity, per_year)
    dates, values, frequency = _validated(yields)
    years = years_between(dates, frequency)
    _refuse_longer_than(maturity, years, dates)
    returns = _holding_returns(values[:-1] / per_year, values[1:] / per_year, n_coupons, years * per_year)
    _refuse_total_loss(returns, dates[1:])
    return pd.Series(returns, index=dates[1:], name=f"{maturity:g}-year par bond")


def _holding_returns(
    coupon: NDArray[np.float64], rate: NDArray[np.float64], n_coupons: int, held: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the returns; coupon and rate are per coupon period, and ``held`` counts such periods."""
    accrual = held * np.log1p(rate)
    # expm1 on both sides: at a rate of 1e-12 the plain formula has no digit left.
    flat = rate == 0.0
    discounted = -np.expm1(-n_coupons * np.log1p(rate)) / np.where(flat, 1.0, rate)
    annuity = np.where(flat, n_coupons, discounted)
    return np.asarray(np.expm1(accrual) + np.exp(accrual) * (coupon - rate) * annuity)


def _checked_coupons(coupons_per_year: Any) -> int:
    if isinstance(coupons_per_year, bool) or coupons_per_year not in _COUPONS_PER_YEAR:
        raise InputError("coupons_per_year", f"{coupons_per_year!r} is none of 1, 2, 4, 12")
    return int(coupons_per_year)


def _whole_coupons(maturity: Any, per_year: int) -> int:
    if isinstance(maturity, bool) or not isinstance(maturity, int | float | np.number):
        raise InputError("maturity", f"{maturity!r} is not a number of years")
    if not 0 < maturity <= _LONGEST_MATURITY:
        raise InputError("maturity", f"is {maturity:g} years, expected at most {_LONGEST_MATURITY}")
    n_coupons = round(float(maturity) * per_year)
    if abs(n_coupons - maturity * per_year) > 1e-9:
        raise InputError(
            "maturity",
            f"{maturity:g} years are not a whole number of coupon periods ({per_year} a year)",
            fix="a bond is at par on the day of a coupon",
        )
    if n_coupons < 2:
        raise InputError(
            "maturity",
            f"{maturity:g} years hold one coupon at {per_year} a year: a bill, not a par bond",
            fix="for bills, pass their return as cash",
        )
    return n_coupons


def _validated(yields: Any) -> tuple[pd.DatetimeIndex, NDArray[np.float64], Frequency]:
    if not isinstance(yields, pd.Series):
        kind = type(yields).__name__
        raise InputError("yields", f"expected a Series of one maturity, got {kind}", fix="yields['DGS10']")
    dates = validate_index(yields.index, "yields")
    if len(dates) < 2:
        raise InputError("yields", f"{len(dates)} rows; at least 2 are needed for a return")
    values = float_column(yields, "yields", dates)
    _refuse_values(values, dates)
    frequency = infer_frequency(dates, "yields")
    _refuse_percent_moves(values, dates, frequency)
    return dates, values, frequency


def _refuse_values(values: NDArray[np.float64], dates: pd.DatetimeIndex) -> None:
    percent = f"looks like percent (yields lie between {_LOWEST_YIELD:g} and {_HIGHEST_YIELD:g})"
    checks = [
        (np.isnan(values), "is missing", "yields.dropna() if these are holidays; nothing is filled"),
        (np.isinf(values), "is {:g}", "correct the source"),
        ((values < _LOWEST_YIELD) | (values >= _HIGHEST_YIELD), f"{{:g}} {percent}", "yields / 100"),
    ]
    for bad, problem, fix in checks:
        if bad.any():
            row, count = int(np.argmax(bad)), int(bad.sum())
            raise InputError("yields", problem.format(values[row]), date=dates[row], count=count, fix=fix)


def _refuse_percent_moves(values: NDArray[np.float64], dates: pd.DatetimeIndex, frequency: Frequency) -> None:
    changes = np.abs(np.diff(values))
    limit = _LARGEST_MEAN_CHANGE[frequency.name]
    if len(changes) >= _CHANGES_THAT_TELL and changes.mean() > limit:
        raise InputError(
            "yields",
            f"looks like percent: a {frequency} change is {changes.mean():.4f} on average, above {limit:g}",
            date=dates[1],
            fix="yields / 100",
        )


def _refuse_longer_than(maturity: float, years: NDArray[np.float64], dates: pd.DatetimeIndex) -> None:
    late = np.flatnonzero(years > maturity)
    if len(late):
        problem = f"{maturity:g} years is shorter than the period of {years[late[0]]:g} years that ends"
        raise InputError("maturity", f"{problem} here", date=dates[late[0] + 1], fix="hold a longer bond")


def _refuse_total_loss(returns: NDArray[np.float64], dates: pd.DatetimeIndex) -> None:
    lost = np.flatnonzero(returns <= -1.0)
    if len(lost):
        problem = f"the return of this row would be {returns[lost[0]]:g}"
        raise InputError(
            "yields", problem, date=dates[lost[0]], fix="correct the yield of this row or before"
        )
