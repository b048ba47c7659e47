"""Growth, variation and the ratios between them.

Every function takes simple returns as fractions: a Series (-> float), a DataFrame (-> Series by
column), or an array of shape (n_periods,) or (n_periods, n_series) (-> float or array). Dated returns
tell their own periods per year; arrays must be told. A number that does not exist is NaN, with an
UndefinedStatisticWarning that says why and for which series. Bad input is an InputError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.statistics._cash import Cash, excess_returns
from allocator.statistics._moments import (
    is_rounding,
    never_changes,
    standard_deviation,
    standardised_moment,
)
from allocator.statistics._returns import (
    FloatArray,
    Labelled,
    Returns,
    ReturnTable,
    period_years,
    periods_in_year,
    read_returns,
    warn_undefined,
)
from allocator.statistics.drawdown import max_drawdown

__all__ = [
    "best_period",
    "cagr",
    "calmar_ratio",
    "cumulative_returns",
    "downside_deviation",
    "kurtosis",
    "omega_ratio",
    "sharpe_ratio",
    "sharpe_standard_error",
    "skewness",
    "sortino_ratio",
    "total_return",
    "volatility",
    "worst_period",
]


def cagr(
    returns: Returns, periods_per_year: float | None = None, start: pd.Timestamp | str | None = None
) -> Labelled:
    """Compound annual growth rate, a fraction a year; -1.0 once everything is lost.

    Years are calendar time for dated days and weeks (365.25 days a year), counted from ``start``, the
    date of the close before the first return; without it the first period has its nominal length.
    Months, quarters, years and arrays count rows.
    """
    table = read_returns(returns)
    years = period_years(table, periods_per_year, start).sum()
    return table.label(np.prod(1.0 + table.matrix, axis=0) ** (1.0 / years) - 1.0)


def total_return(returns: Returns) -> Labelled:
    """Compounded return of the whole sample, a fraction; -1.0 once everything is lost."""
    table = read_returns(returns)
    return table.label(np.prod(1.0 + table.matrix, axis=0) - 1.0)


def cumulative_returns(returns: Returns) -> Any:
    """Compounded return from before the first period to each period's end, shaped like the returns.

    Fractions: 100 invested are worth ``100 * (1 + cumulative_returns(returns))``. The last row is
    :func:`total_return`.
    """
    table = read_returns(returns)
    return table.label_rows(np.asarray(np.cumprod(1.0 + table.matrix, axis=0) - 1.0))


def volatility(returns: Returns, periods_per_year: float | None = None) -> Labelled:
    """Annualised standard deviation of simple returns (ddof 1), a fraction per √year."""
    table = read_returns(returns)
    spread = standard_deviation(table.matrix)
    warn_undefined("volatility", table, np.isnan(spread), "n=1, at least 2 returns are needed")
    return table.label(spread * np.sqrt(periods_in_year(table, periods_per_year)))


def sharpe_ratio(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Annualised Sharpe ratio (per √year): mean excess simple return over its deviation (ddof 1).

    ``cash`` is an annual effective rate, or the returns of cash in each period. Sharpe (1994), eq. 3.
    """
    table = read_returns(returns)
    excess = excess_returns(table, cash, periods_per_year)
    spread = _spread_of_excess(table, excess)
    reason = "n=1" if table.n_periods < 2 else "the excess return never changes, its deviation is 0"
    warn_undefined("sharpe_ratio", table, np.isnan(spread), reason)
    return table.label(excess.mean(axis=0) / spread * np.sqrt(periods_in_year(table, periods_per_year)))


def sharpe_standard_error(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Return the standard error of the annualised Sharpe ratio (per √year), for returns of any shape.

    √((1 - g₃s + (g₄ - 1)s²/4)/n) for the ratio s of one period, with skewness g₃ and kurtosis g₄ (3 if
    normal), times √periods. It assumes no autocorrelation. Mertens (2002); Opdyke (2007), eq. 6.
    """
    table = read_returns(returns)
    excess = excess_returns(table, cash, periods_per_year)
    spread = _spread_of_excess(table, excess)
    undefined = np.isnan(spread) | (table.n_periods < 4)
    reason = (
        f"n={table.n_periods}, at least 4 are needed"
        if table.n_periods < 4
        else "the excess return never changes"
    )
    warn_undefined("sharpe_standard_error", table, undefined, reason)
    error = _mertens(excess, np.where(undefined, np.nan, excess.mean(axis=0) / spread))
    return table.label(error * np.sqrt(periods_in_year(table, periods_per_year)))


def sortino_ratio(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Annualised Sortino ratio (per √year): mean excess return over its semideviation below 0.

    The semideviation is √(Σ min(excess, 0)²/n) over all n periods, not only over the losing ones.
    Sortino and Price (1994). NaN where no period lost against cash.
    """
    table = read_returns(returns)
    excess = excess_returns(table, cash, periods_per_year)
    downside = _semideviation(excess)
    undefined = is_rounding(downside, table.matrix)
    warn_undefined("sortino_ratio", table, undefined, "no period lost against cash, its semideviation is 0")
    ratio = excess.mean(axis=0) / np.where(undefined, np.nan, downside)
    return table.label(ratio * np.sqrt(periods_in_year(table, periods_per_year)))


def downside_deviation(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Annualised semideviation of returns below cash (per √year), what :func:`sortino_ratio` divides by.

    √(Σ min(excess, 0)²/n) over all n periods, times √periods; 0.0 where no period lost. ``cash`` is the
    target: an annual effective rate, or a return for each period. Sortino and van der Meer (1991).
    """
    table = read_returns(returns)
    downside = _semideviation(excess_returns(table, cash, periods_per_year))
    return table.label(downside * np.sqrt(periods_in_year(table, periods_per_year)))


def omega_ratio(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Gains over cash divided by losses against it, Σ max(excess, 0)/Σ max(-excess, 0); 1 is even.

    Not annualised: its value depends on the length of a period. ``cash`` is the threshold: an annual
    effective rate, or a return for each period. Keating and Shadwick (2002); at 0 it is the ratio of
    Bernardo and Ledoit (2000). NaN where no period lost against cash.
    """
    table = read_returns(returns)
    excess = excess_returns(table, cash, periods_per_year)
    lost = -np.minimum(excess, 0.0).mean(axis=0)
    undefined = is_rounding(lost, table.matrix)
    warn_undefined("omega_ratio", table, undefined, "no period lost against cash")
    return table.label(np.maximum(excess, 0.0).mean(axis=0) / np.where(undefined, np.nan, lost))


def calmar_ratio(
    returns: Returns, periods_per_year: float | None = None, start: pd.Timestamp | str | None = None
) -> Labelled:
    """CAGR over the deepest drawdown of the whole sample, per year. Young (1991) used 36 months."""
    table = read_returns(returns)
    depth = -np.atleast_1d(max_drawdown(table))
    warn_undefined("calmar_ratio", table, depth == 0, "there is no drawdown to divide by")
    growth = np.atleast_1d(cagr(table, periods_per_year, start))
    return table.label(growth / np.where(depth == 0, np.nan, depth))


def best_period(returns: Returns) -> Labelled:
    """Highest return of one period, a fraction."""
    table = read_returns(returns)
    return table.label(table.matrix.max(axis=0))


def worst_period(returns: Returns) -> Labelled:
    """Lowest return of one period, a fraction."""
    table = read_returns(returns)
    return table.label(table.matrix.min(axis=0))


def skewness(returns: Returns) -> Labelled:
    """Skewness m₃/m₂^1.5 with population moments; NaN for n < 4.

    Biased, as scipy.stats.skew's default.
    """
    table = read_returns(returns)
    return table.label(_shape_of_distribution("skewness", table, 3))


def kurtosis(returns: Returns) -> Labelled:
    """Excess kurtosis m₄/m₂² - 3, 0 if normal, with population moments; NaN for n < 4.

    Biased, as scipy.stats.kurtosis's default.
    """
    table = read_returns(returns)
    return table.label(_shape_of_distribution("kurtosis", table, 4) - 3.0)


def _spread_of_excess(table: ReturnTable, excess: FloatArray) -> FloatArray:
    spread = standard_deviation(excess)
    # Cash plus a constant leaves rounding of the size of the returns, not of the excess.
    never = is_rounding(spread, table.matrix) | never_changes(table.matrix)
    return np.where((spread == 0) | never, np.nan, spread)


def _semideviation(excess: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2, axis=0)))


def _mertens(excess: FloatArray, sharpe: FloatArray) -> FloatArray:
    skew, kurt = standardised_moment(excess, 3), standardised_moment(excess, 4)
    variance = 1.0 - skew * sharpe + (kurt - 1.0) / 4.0 * sharpe**2
    # Not negative in exact arithmetic, as kurtosis >= skewness² + 1; two-point returns come to 0.
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) / len(excess)))


def _shape_of_distribution(statistic: str, table: ReturnTable, order: int) -> FloatArray:
    moment = standardised_moment(table.matrix, order)
    if table.n_periods < 4:
        moment = np.full_like(moment, np.nan)
    reason = (
        f"n={table.n_periods}, at least 4 are needed" if table.n_periods < 4 else "the returns never change"
    )
    warn_undefined(statistic, table, np.isnan(moment), reason)
    return moment
