"""Growth for the drawdowns it came with; beside them, :func:`allocator.calmar_ratio`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics._cash import Cash, read_cash
from allocator.statistics._returns import (
    FloatArray,
    Labelled,
    Returns,
    ReturnTable,
    period_years,
    read_returns,
    warn_undefined,
)
from allocator.statistics.drawdown import max_drawdown, pain_index, ulcer_index
from allocator.statistics.performance import cagr

__all__ = ["martin_ratio", "pain_ratio", "sterling_ratio"]

_NO_DRAWDOWN = "there is no drawdown to divide by"


def martin_ratio(
    returns: Returns,
    cash: Cash,
    periods_per_year: float | None = None,
    start: pd.Timestamp | str | None = None,
) -> Labelled:
    """CAGR above that of cash over the ulcer index, per year. Martin and McCann (1989).

    ``cash`` is an annual effective rate, or the returns of cash in each period. NaN without a drawdown.
    """
    table = read_returns(returns)
    size = np.atleast_1d(ulcer_index(table))
    warn_undefined("martin_ratio", table, size == 0, _NO_DRAWDOWN)
    return table.label(_growth_over_cash(table, cash, periods_per_year, start) / _or_nan(size))


def pain_ratio(
    returns: Returns,
    cash: Cash,
    periods_per_year: float | None = None,
    start: pd.Timestamp | str | None = None,
) -> Labelled:
    """CAGR above that of cash over the pain index, per year. Becker (2006).

    ``cash`` is an annual effective rate, or the returns of cash in each period. NaN without a drawdown.
    """
    table = read_returns(returns)
    size = np.atleast_1d(pain_index(table))
    warn_undefined("pain_ratio", table, size == 0, _NO_DRAWDOWN)
    return table.label(_growth_over_cash(table, cash, periods_per_year, start) / _or_nan(size))


def sterling_ratio(
    returns: Returns,
    allowance: float = 0.1,
    periods_per_year: float | None = None,
    start: pd.Timestamp | str | None = None,
) -> Labelled:
    """CAGR over the size of the deepest drawdown plus an allowance, 10 % by custom, per year.

    As PerformanceAnalytics and Kestner (1996) have it with one drawdown, the deepest of the sample; with
    an allowance of 0 it is the Calmar ratio.
    """
    if not isinstance(allowance, (int, float, np.number)) or not 0.0 <= allowance < 1.0:
        raise InputError("allowance", f"{allowance!r} is not from 0 to 1", fix="pass 0.1 for 10 %")
    table = read_returns(returns)
    size = allowance - np.atleast_1d(max_drawdown(table))
    warn_undefined("sterling_ratio", table, size == 0, _NO_DRAWDOWN)
    return table.label(np.atleast_1d(cagr(table, periods_per_year, start)) / _or_nan(size))


def _growth_over_cash(
    table: ReturnTable, cash: Cash, periods_per_year: float | None, start: pd.Timestamp | str | None
) -> FloatArray:
    years = period_years(table, periods_per_year, start).sum()
    earned = np.prod(1.0 + read_cash(cash, table, periods_per_year)) ** (1.0 / years) - 1.0
    return np.asarray(np.atleast_1d(cagr(table, periods_per_year, start)) - earned)


def _or_nan(size: FloatArray) -> FloatArray:
    return np.where(size == 0, np.nan, size)
