"""Returns beside those of a benchmark: how far from it, for how much, and how much of it.

Returns as everywhere here; the benchmark is one series of the same dates, or an array of as many rows.
Dates that differ are refused, never joined.
"""

from __future__ import annotations

import numpy as np

from allocator.statistics._cash import Cash, excess_returns
from allocator.statistics._moments import is_rounding, never_changes, standard_deviation
from allocator.statistics._one_thread import inner, product
from allocator.statistics._paired import refuse_other_rows
from allocator.statistics._returns import (
    FloatArray,
    Labelled,
    Returns,
    ReturnTable,
    periods_in_year,
    read_one_series,
    read_returns,
    warn_undefined,
)

__all__ = ["beta", "information_ratio", "jensen_alpha", "tracking_error"]

_ROUNDING = 1e-15


def tracking_error(returns: Returns, benchmark: Returns, periods_per_year: float | None = None) -> Labelled:
    """Annualised standard deviation (ddof 1) of returns less those of the benchmark, per √year."""
    table, active = _read_active(returns, benchmark)
    spread = standard_deviation(active)
    warn_undefined("tracking_error", table, np.isnan(spread), "n=1, at least 2 returns are needed")
    return table.label(spread * np.sqrt(periods_in_year(table, periods_per_year)))


def information_ratio(
    returns: Returns, benchmark: Returns, periods_per_year: float | None = None
) -> Labelled:
    """Mean return above the benchmark over its deviation (ddof 1), annualised, per √year.

    The Sharpe ratio with the benchmark for cash. Grinold and Kahn (2000), chapter 5; Sharpe (1994).
    """
    table, active = _read_active(returns, benchmark)
    spread = standard_deviation(active)
    undefined = np.isnan(spread) | (spread == 0) | is_rounding(spread, table.matrix)
    reason = "n=1" if table.n_periods < 2 else "the return above the benchmark never changes"
    warn_undefined("information_ratio", table, undefined, reason)
    ratio = active.mean(axis=0) / np.where(undefined, np.nan, spread)
    return table.label(ratio * np.sqrt(periods_in_year(table, periods_per_year)))


def beta(returns: Returns, benchmark: Returns, cash: Cash, periods_per_year: float | None = None) -> Labelled:
    """Slope of returns on those of the benchmark, both over cash, by least squares. Sharpe (1964).

    A point estimate, without its error. NaN where the benchmark never changes over cash.
    """
    table, excess, market = _read_excess(returns, benchmark, cash, periods_per_year)
    slope = _slope(excess, market)
    warn_undefined("beta", table, np.isnan(slope), _why_no_slope(table))
    return table.label(slope)


def jensen_alpha(
    returns: Returns, benchmark: Returns, cash: Cash, periods_per_year: float | None = None
) -> Labelled:
    """Mean return over cash that beta does not explain, times the periods of a year: a fraction a year.

    Intercept of the regression of :func:`beta`. Jensen (1968). Annualised by multiplication, as the mean in
    the Sharpe ratio is; compounded it would be ``(1 + alpha / periods)**periods - 1``.
    """
    table, excess, market = _read_excess(returns, benchmark, cash, periods_per_year)
    slope = _slope(excess, market)
    warn_undefined("jensen_alpha", table, np.isnan(slope), _why_no_slope(table))
    alpha = excess.mean(axis=0) - slope * market.mean()
    return table.label(alpha * periods_in_year(table, periods_per_year))


def _read_active(returns: Returns, benchmark: Returns) -> tuple[ReturnTable, FloatArray]:
    table, other = _read_beside(returns, benchmark)
    active = table.matrix - other.matrix
    # A return is a quotient less 1: however small it is, its last bit is of the size of 1e-16.
    return table, np.where(np.abs(active) <= _ROUNDING, 0.0, active)


def _read_excess(
    returns: Returns, benchmark: Returns, cash: Cash, periods_per_year: float | None
) -> tuple[ReturnTable, FloatArray, FloatArray]:
    table, other = _read_beside(returns, benchmark)
    excess = excess_returns(table, cash, periods_per_year)
    market = excess_returns(other, cash, periods_per_year)[:, 0]
    # What a constant is over cash moves as cash does: the slope on it would be one on cash.
    return table, excess, np.zeros_like(market) if never_changes(other.matrix)[0] else market


def _read_beside(returns: Returns, benchmark: Returns) -> tuple[ReturnTable, ReturnTable]:
    table, other = read_returns(returns), read_one_series(benchmark, "benchmark")
    refuse_other_rows(table, other)
    return table, other


def _slope(excess: FloatArray, market: FloatArray) -> FloatArray:
    """Return the slopes on one market, shape (n_series,); NaN for one row and for a constant market."""
    centred = market - market.mean()
    size = np.sqrt(np.mean(centred**2))
    if len(market) < 2 or is_rounding(size, market[:, np.newaxis])[0]:
        return np.full(excess.shape[1], np.nan)
    return np.asarray(product(centred, excess - excess.mean(axis=0)) / inner(centred, centred))


def _why_no_slope(table: ReturnTable) -> str:
    if table.n_periods < 2:
        return "n=1, at least 2 returns are needed"
    return "the benchmark never changes over cash"
