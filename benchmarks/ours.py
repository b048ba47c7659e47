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
from benchmarks.problems import BandProblem, PathProblem, ReturnsProblem, RiskProblem, SweepProblem
from strategies import RiskParity, equal_risk_contribution

__all__ = [
    "band",
    "changing_weights",
    "eight_statistics",
    "equal_risk",
    "fixed_mix",
    "fixed_mix_in_market",
    "many_portfolios",
    "risk_parity",
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
    """Solve for equal risk contributions, one covariance after the other."""
    return lambda: np.array([equal_risk_contribution(c) for c in problem.covariances])


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
