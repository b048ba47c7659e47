"""What is computed: seeded, simulated problems, each a frozen record that every system is given alike.

Shapes: ``n_periods`` rows, ``n_assets`` columns, ``n_portfolios``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "BandProblem",
    "BootstrapProblem",
    "PathProblem",
    "ReturnsProblem",
    "RiskProblem",
    "SweepProblem",
    "WindowsProblem",
    "month_end_rows",
    "simulated_prices",
    "without_costs",
]

Array = NDArray[np.float64]
_FIRST_DAY = "1970-01-01"
_HOLIDAY = 29  # every 29th working day is one, which leaves the usual 252 rows a year
_RATE = 0.0005


@dataclass(frozen=True, eq=False)
class PathProblem:
    """Trade to these weights at these closes; wanted is the value path, shape (n_periods,)."""

    prices: pd.DataFrame
    targets: pd.DataFrame
    rate: float


@dataclass(frozen=True, eq=False)
class BandProblem:
    """Trade to the weights whenever one is further than ``width`` away; wanted is the value path."""

    prices: pd.DataFrame
    weights: dict[str, float]
    width: float
    rate: float


@dataclass(frozen=True, eq=False)
class SweepProblem:
    """Many fixed portfolios, a row each; wanted are Sharpe ratio and drawdown, shape (n_portfolios, 2).

    Traded monthly, or where ``width`` is given, whenever a weight is further than that away.
    """

    prices: pd.DataFrame
    weights: pd.DataFrame
    width: float | None
    rate: float


@dataclass(frozen=True, eq=False)
class RiskProblem:
    """Covariances, shape (n_matrices, n_assets, n_assets), and returns of which the first is the sample's."""

    covariances: Array
    returns: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ReturnsProblem:
    """Simple returns, a column a series; wanted are eight statistics, shape (8, n_series)."""

    returns: pd.DataFrame


@dataclass(frozen=True, eq=False)
class BootstrapProblem:
    """Daily returns of two series; wanted are differences of their Sharpe ratios, shape (n_resamples,).

    Of one period, in resamples of the stationary bootstrap with this mean block.
    """

    returns: pd.DataFrame
    block_length: float
    n_resamples: int
    seed: int


@dataclass(frozen=True, eq=False)
class WindowsProblem:
    """Covariances of the ``window`` returns up to each of ``ends``, shape (n_ends, n_assets, n_assets)."""

    returns: pd.DataFrame
    ends: NDArray[np.int64]
    window: int

    @property
    def half_life(self) -> float:
        """Of exponential weights, in rows: three months where the window is three years."""
        return self.window / 12


def trading_days(n_periods: int) -> pd.DatetimeIndex:
    """Return working days, 252 a year."""
    days = pd.bdate_range(_FIRST_DAY, periods=n_periods * _HOLIDAY // (_HOLIDAY - 1) + _HOLIDAY)
    return days[np.arange(len(days)) % _HOLIDAY != _HOLIDAY - 1][:n_periods]


def month_end_rows(dates: pd.Index[Any]) -> NDArray[np.int64]:
    """Return the first row and the last one of each month, never the last of the table."""
    index = pd.DatetimeIndex(dates)
    month = np.asarray(index.year * 12 + index.month)
    return np.union1d([0], np.flatnonzero(month[1:] != month[:-1]))


def simulated_prices(n_periods: int, n_assets: int, seed: int) -> pd.DataFrame:
    """Return price levels with one common factor, 3 bp of drift and 1 % of deviation a day."""
    rng = np.random.default_rng([seed, n_periods, n_assets])
    levels = rng.standard_normal((n_periods, n_assets))  # one panel in memory, changed in place
    levels += rng.standard_normal((n_periods, 1))
    levels *= 0.01 / np.sqrt(2.0)
    levels += 3e-4
    np.exp(np.cumsum(levels, axis=0, out=levels), out=levels)
    levels *= 100.0
    names = [f"A{j:04d}" for j in range(n_assets)]
    return pd.DataFrame(levels, index=trading_days(n_periods), columns=names, copy=False)


def fixed_path(n_periods: int, weights: tuple[float, ...] | int) -> PathProblem:
    """Return a problem of fixed weights, or of so many equal ones, traded monthly."""
    held = np.full(weights, 1.0 / weights) if isinstance(weights, int) else np.array(weights)
    prices = simulated_prices(n_periods, len(held), seed=1)
    rows = month_end_rows(prices.index)
    targets = pd.DataFrame(np.tile(held, (len(rows), 1)), index=prices.index[rows], columns=prices.columns)
    return PathProblem(prices, targets, _RATE)


def changing_path(n_periods: int, n_assets: int) -> PathProblem:
    """Return a problem of weights that are different at each month's end."""
    prices = simulated_prices(n_periods, n_assets, seed=2)
    rows = month_end_rows(prices.index)
    drawn = np.random.default_rng(2).dirichlet(np.ones(n_assets), len(rows))
    return PathProblem(prices, pd.DataFrame(drawn, index=prices.index[rows], columns=prices.columns), _RATE)


def banded(n_periods: int, n_assets: int) -> BandProblem:
    """Return equal weights inside a band of 5 points."""
    prices = simulated_prices(n_periods, n_assets, seed=5)
    return BandProblem(prices, dict.fromkeys(prices.columns, 1.0 / n_assets), 0.05, _RATE)


def sweep_of(n_periods: int, n_assets: int, n_portfolios: int, width: float | None) -> SweepProblem:
    """Return fully invested portfolios drawn evenly from all of them."""
    prices = simulated_prices(n_periods, n_assets, seed=3)
    drawn = np.random.default_rng(3).dirichlet(np.ones(n_assets), n_portfolios)
    return SweepProblem(prices, pd.DataFrame(drawn, columns=prices.columns), width, _RATE)


def risk_of(n_assets: int, n_matrices: int) -> RiskProblem:
    """Return sample covariances of as many samples of daily returns with one factor."""
    rng = np.random.default_rng([6, n_assets])
    scale = rng.uniform(0.5, 2.0, n_assets) * 0.01
    n_periods = max(4 * n_assets, 756)

    def sample() -> Array:
        own = rng.standard_normal((n_periods, n_assets))
        return np.asarray((own + rng.standard_normal((n_periods, 1))) * scale)

    first = sample()
    samples = [first, *(sample() for _ in range(n_matrices - 1))]
    return RiskProblem(
        np.array([np.cov(s, rowvar=False) for s in samples]),
        pd.DataFrame(first, index=trading_days(n_periods), columns=[f"A{j:04d}" for j in range(n_assets)]),
    )


def returns_of(n_periods: int, n_series: int) -> ReturnsProblem:
    """Return daily simple returns with dates."""
    return ReturnsProblem(simulated_prices(n_periods + 1, n_series, seed=8).pct_change().iloc[1:])


def bootstrap_of(n_periods: int, n_resamples: int) -> BootstrapProblem:
    """Return two series of daily returns and blocks of a month."""
    return BootstrapProblem(returns_of(n_periods, 2).returns, 20.0, n_resamples, 9)


def windows_of(n_periods: int, n_assets: int, window: int) -> WindowsProblem:
    """Return the ends of the months at which a whole window of returns is there."""
    returns = simulated_prices(n_periods + 1, n_assets, seed=7).pct_change().iloc[1:]
    ends = month_end_rows(returns.index)
    return WindowsProblem(returns, ends[ends >= window - 1], window)


def without_costs(problem: Any) -> Any:
    """Return the same problem with free trades."""
    return replace(problem, rate=0.0) if hasattr(problem, "rate") else problem
