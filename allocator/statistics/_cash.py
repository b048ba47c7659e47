"""What cash earned in each period of a table of returns."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import per_period_rate
from allocator.statistics._returns import (
    FloatArray,
    ReturnTable,
    period_years,
    periods_in_year,
    read_one_series,
)

Cash: TypeAlias = "float | pd.Series | NDArray[Any]"

_HIGHEST_ANNUAL_RATE = 0.5


def excess_returns(table: ReturnTable, cash: Cash, periods_per_year: float | None) -> FloatArray:
    """Return simple returns minus cash, shape (n_periods, n_series), rounding as 0."""
    earned = read_cash(cash, table, periods_per_year)[:, np.newaxis]
    if not earned.any():
        return table.matrix
    excess = table.matrix - earned
    # Cash measured against itself must be 0, not the last bit of a subtraction that a ratio would blow up.
    return np.where(np.abs(excess) <= 1e-14 * (np.abs(table.matrix) + np.abs(earned)), 0.0, excess)


def read_cash(cash: Cash, table: ReturnTable, periods_per_year: float | None) -> FloatArray:
    """Return the cash return of every period, a fraction, shape (n_periods,).

    Parameters
    ----------
    cash
        A float is an annual effective rate; a Series holds returns a period and covers every date of
        the returns; an array holds returns a period, one for every row.
    table
        The returns it stands beside.
    periods_per_year
        As the caller gave it; None infers it from the dates.

    Raises
    ------
    InputError
        A rate beyond 50 % a year (percent, or annual rates passed as rates a period), dates or rows
        that are missing, and everything returns are refused for.
    """
    if isinstance(cash, (int, float, np.integer, np.floating)) and not isinstance(cash, bool):
        return _from_annual_rate(float(cash), period_years(table, periods_per_year))
    if not isinstance(cash, (pd.Series, np.ndarray)):
        raise InputError("cash", f"expected an annual rate, a Series or an array, got {type(cash).__name__}")
    earned = read_one_series(cash, "cash")
    values = _by_row(earned, table) if earned.dates is None else _by_date(earned, table)
    refuse_annual(values, periods_in_year(table, periods_per_year))
    return values


def _from_annual_rate(rate: float, years: FloatArray) -> FloatArray:
    if not abs(rate) <= _HIGHEST_ANNUAL_RATE:
        raise InputError(
            "cash", f"an annual rate of {rate:g} looks like percent", fix="pass 0.03 for 3 % a year"
        )
    return per_period_rate(rate, years)


def _by_row(earned: ReturnTable, table: ReturnTable) -> FloatArray:
    if earned.n_periods != table.n_periods:
        raise InputError("cash", f"{earned.n_periods} rows for {table.n_periods} rows of {table.argument}")
    return earned.matrix[:, 0]


def _by_date(earned: ReturnTable, table: ReturnTable) -> FloatArray:
    if table.dates is None or earned.dates is None:
        raise InputError("cash", f"has dates and {table.argument} has none", fix="pass cash.to_numpy()")
    rows = earned.dates.get_indexer(table.dates)
    if (rows < 0).any():
        missing = table.dates[rows < 0]
        raise InputError(
            "cash",
            f"missing; it has {np.sum(rows >= 0)} of the {table.n_periods} dates of {table.argument}",
            date=missing[0],
            count=len(missing),
            fix="give it the same calendar",
        )
    return np.asarray(earned.matrix[rows, 0])


def refuse_annual(values: FloatArray, periods: float) -> None:
    typical = float(np.median(values))
    if abs(typical) * periods > _HIGHEST_ANNUAL_RATE:
        raise InputError(
            "cash",
            f"a typical return of {typical:.4g} a period is {typical * periods:.3g} a year",
            fix="pass returns a period as fractions, not annual rates and not percent",
        )
