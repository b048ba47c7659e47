"""The workloads as a user of this library writes them: public names only, pandas in, answers out.

Each function takes a problem, does what need not be repeated, and returns the call that is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import allocator as al
from allocator import Band, Costs, Market, Monthly, run_backtest
from benchmarks.problems import (
    BandProblem,
    BootstrapProblem,
    PathProblem,
    ReturnsProblem,
    RiskProblem,
    SweepProblem,
    WindowsProblem,
)
from strategies import RiskParity, equal_risk_contribution

__all__ = [
    "band",
    "changing_weights",
    "eight_statistics",
    "equal_risk",
    "exponential_covariances",
    "fixed_mix",
    "fixed_mix_in_market",
    "many_portfolios",
    "risk_parity",
    "sharpe_differences",
    "window_covariances",
]

Array = NDArray[np.float64]
Call = Callable[[], Array]


def fixed_mix(problem: PathProblem) -> Call:
    """Validate a DataFrame, run, and return the value path."""
    weights = _fixed(problem)
    return lambda: _values(
        run_backtest(
            al.FixedMix(weights),
            Market(problem.prices, cash=0.0),
            rebalancing=Monthly(),
            costs=Costs(trading=problem.rate),
            lag=0,
        )
    )


def fixed_mix_in_market(problem: PathProblem) -> Call:
    """Run in a market that is there already, as the second and every later run is."""
    market, weights = Market(problem.prices, cash=0.0), _fixed(problem)
    return lambda: _values(
        run_backtest(
            al.FixedMix(weights), market, rebalancing=Monthly(), costs=Costs(trading=problem.rate), lag=0
        )
    )


def changing_weights(problem: PathProblem) -> Call:
    """Run a table of weights, a row a trade."""
    return lambda: _values(
        run_backtest(
            al.TargetWeights(problem.targets),
            Market(problem.prices, cash=0.0),
            costs=Costs(trading=problem.rate),
            lag=0,
        )
    )


def band(problem: BandProblem) -> Call:
    """Run fixed weights that are traded when one leaves its band."""
    return lambda: _values(
        run_backtest(
            al.FixedMix(problem.weights),
            Market(problem.prices, cash=0.0),
            rebalancing=Band(problem.width),
            costs=Costs(trading=problem.rate),
            lag=0,
        )
    )


def many_portfolios(problem: SweepProblem) -> Call:
    """Sweep a table of portfolios."""
    rule = Monthly() if problem.width is None else Band(problem.width)

    def call() -> Array:
        market = Market(problem.prices, cash=0.0)
        table = al.sweep(
            problem.weights,
            market,
            rebalancing=rule,
            costs=Costs(trading=problem.rate),
            lag=0,
            progress=False,
        )
        return np.asarray(table[["sharpe", "max_drawdown"]].to_numpy())

    return call


def risk_parity(problem: PathProblem) -> Call:
    """Run risk parity on three trailing years of daily returns, decided at the end of each month."""
    assets = tuple(problem.prices.columns)
    return lambda: _values(
        run_backtest(
            RiskParity(assets=assets, window_years=3.0),
            Market(problem.prices, cash=0.0),
            rebalancing=Monthly(),
            costs=Costs(trading=problem.rate),
            lag=0,
        )
    )


def equal_risk(problem: RiskProblem) -> Call:
    """Solve for equal risk contributions: one covariance, or a stack of them in one call."""
    given = problem.covariances if len(problem.covariances) > 1 else problem.covariances[0]
    return lambda: np.atleast_2d(equal_risk_contribution(given))


def window_covariances(problem: WindowsProblem) -> Call:
    """Ask for the covariances of a table's trailing windows on some of its dates."""
    returns, dates = problem.returns, problem.returns.index[problem.ends]
    return lambda: al.rolling_covariance(returns, problem.window, dates).matrices


def exponential_covariances(problem: WindowsProblem) -> Call:
    """Ask for the exponentially weighted covariances of a table on some of its dates."""
    returns, dates = problem.returns, problem.returns.index[problem.ends]
    return lambda: al.rolling_exponential_covariance(returns, problem.half_life, dates=dates).matrices


def sharpe_differences(problem: BootstrapProblem) -> Call:
    """Resample two series together and take the difference of their Sharpe ratios."""
    bootstrap = al.StationaryBootstrap(problem.block_length)

    def call() -> Array:
        rng = np.random.default_rng(problem.seed)
        moments = al.resampled_moments(problem.returns, bootstrap, problem.n_resamples, rng)
        ratios = moments.sharpe_ratios
        return np.asarray(ratios[:, 0] - ratios[:, 1])

    return call


def eight_statistics(problem: ReturnsProblem) -> Call:
    """Ask for eight statistics of a dated Series, or of a table at once."""
    frame = problem.returns
    returns = frame.iloc[:, 0] if frame.shape[1] == 1 else frame
    return lambda: np.array([np.atleast_1d(s) for s in _eight(returns)])


def _eight(returns: pd.Series[float] | pd.DataFrame) -> tuple[Any, ...]:
    return (
        al.cagr(returns),
        al.volatility(returns),
        al.sharpe_ratio(returns, 0.0),
        al.sortino_ratio(returns, 0.0),
        al.max_drawdown(returns),
        al.calmar_ratio(returns),
        al.value_at_risk(returns),
        al.expected_shortfall(returns),
    )


def _fixed(problem: PathProblem) -> dict[str, float]:
    return {str(asset): float(weight) for asset, weight in problem.targets.iloc[0].items()}


def _values(backtest: al.Backtest) -> Array:
    return backtest.value.to_numpy()
