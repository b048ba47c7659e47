"""The return of the investor's money, which depends on when it came and went."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics._returns import FloatArray, read_dates

__all__ = ["money_weighted_return"]

_DAYS_PER_YEAR = 365.25
_LOG_RATES = np.linspace(np.log(1e-6), np.log(1e6), 2001)  # of 1 + rate, searched for sign changes


def money_weighted_return(paid_in: pd.Series[Any], value: pd.Series[Any]) -> float:
    """Return the internal rate of return of an investor, annual effective, as a fraction.

    The rate r with Σ p_k (1 + r)^(T - t_k) = V_T, times in years of 365.25 days. Beside it, the returns of a
    backtest compound to the time-weighted return, which flows do not touch.

    Parameters
    ----------
    paid_in
        What was paid in (positive) and taken out (negative) in money, by increasing dates, the first
        payment included: :attr:`allocator.Backtest.paid_in`.
    value
        What it became: the value of the portfolio by date, of which the last counts, after the flow of that
        date.

    Returns
    -------
    float
        NaN with an :class:`UndefinedStatisticWarning` where no rate or more than one solves the equation;
        -1.0 where nothing is left and nothing was taken out.

    Raises
    ------
    InputError
        If the arguments are not money by date, or a payment is dated after the last value.
    """
    from scipy.optimize import brentq

    dates, amounts = _by_date(paid_in, "paid_in")
    ends, values = _by_date(value, "value")
    if dates[-1] > ends[-1]:
        raise InputError("paid_in", "after the last value", date=dates[-1], fix="end it there")
    if values[-1] == 0.0 and (amounts >= 0.0).all():
        return -1.0
    years = np.asarray((ends[-1] - dates).days, dtype=np.float64) / _DAYS_PER_YEAR

    def surplus(log_rate: float) -> float:
        largest = max(log_rate * years[0], 0.0)  # divided out, or it would overflow
        return float(amounts @ np.exp(log_rate * years - largest) - values[-1] * np.exp(-largest))

    found = np.array([surplus(rate) for rate in _LOG_RATES])
    roots = np.flatnonzero((found[:-1] > 0.0) != (found[1:] > 0.0))
    if len(roots) != 1:
        reason = f"{len(roots)} rates solve the equation of these payments"
        warnings.warn(f"money-weighted return is NaN: {reason}", UndefinedStatisticWarning, stacklevel=2)
        return float("nan")
    low, high = _LOG_RATES[roots[0]], _LOG_RATES[roots[0] + 1]
    return float(np.expm1(brentq(surplus, low, high, xtol=1e-15, rtol=8.9e-16)))


def _by_date(money: Any, argument: str) -> tuple[pd.DatetimeIndex, FloatArray]:
    if not isinstance(money, pd.Series) or not len(money):
        raise InputError(argument, f"expected a Series of money by date, got {type(money).__name__}")
    dates = read_dates(money.index, argument)
    amounts = money.to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(amounts))
    if len(bad):
        raise InputError(argument, f"is {amounts[bad[0]]}", date=dates[bad[0]], fix="drop the date")
    return dates, amounts
