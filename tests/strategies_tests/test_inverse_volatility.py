"""Inverse volatility: weights by 1/σ, and when they are equal risk contributions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_worlds import daily_funds, late_funds, monthly_panel, rewritten, world

import strategies
from allocator.engine import run_backtest
from allocator.errors import InputError, StrategyError
from allocator.market import Market
from strategies import CovarianceEstimator, InverseVolatility, RiskParity, VolatilityTarget

MARKET = world()


@final
@dataclass(frozen=True)
class ConstantCorrelation(CovarianceEstimator):
    """Sample variances and one correlation."""

    correlation: float

    def estimate(self, returns: Any, frequency: Any) -> Any:
        volatility, n_assets = returns.std(axis=0, ddof=1), returns.shape[1]
        matrix = np.full((n_assets, n_assets), self.correlation)
        np.fill_diagonal(matrix, 1.0)
        return matrix * np.outer(volatility, volatility)


def test_the_weights_are_the_inverse_of_trailing_volatilities() -> None:
    """On the panel's three years of monthly returns, as Asness, Frazzini and Pedersen (2012) do."""
    market, assets = monthly_panel(), ["stocks", "bonds", "gold"]
    backtest = run_backtest(InverseVolatility(tuple(assets)), market)
    assert backtest.decided[0] == market.index[75 + 36]  # gold from April 1968, and three years
    for date, target in backtest.targets.iloc[::50].iterrows():
        inverse = 1.0 / market.returns.loc[:date, assets].iloc[-36:].std()
        np.testing.assert_allclose(target, inverse / inverse.sum(), rtol=1e-11)


@given(st.permutations(["stocks", "bonds", "gold", "developed", "emerging"]), st.integers(2, 5))
def test_two_assets_or_one_correlation_are_equal_risk_contributions(assets: list[str], count: int) -> None:
    """METHODS, A; Maillard, Roncalli and Teiletche (2010), section 2.3."""
    chosen = tuple(assets[:count])
    estimator = ConstantCorrelation(0.3)
    naive = InverseVolatility(chosen, covariance=estimator).weights(MARKET)
    assert naive == pytest.approx(RiskParity(chosen, covariance=estimator).weights(MARKET), rel=1e-10)
    assert sum(naive.values()) == pytest.approx(1.0, abs=1e-14)
    pair = tuple(assets[:2])
    assert InverseVolatility(pair).weights(MARKET) == pytest.approx(
        RiskParity(pair).weights(MARKET), rel=1e-10
    )


def test_otherwise_they_are_not() -> None:
    market, assets = daily_funds(), ("SPY", "EFA", "TLT")
    naive, equal = (kind(assets).weights(market) for kind in (InverseVolatility, RiskParity))
    assert max(abs(naive[asset] - equal[asset]) for asset in assets) > 0.03


def test_late_funds_join_when_they_have_a_full_window() -> None:
    market = late_funds()
    backtest = run_backtest(InverseVolatility(("SPY", "VUSTX", "GLD", "EEM"), late="leave_out"), market)
    held = backtest.targets[["SPY", "VUSTX", "GLD", "EEM"]] > 0.0
    for asset in ("GLD", "EEM"):
        first = held[asset].idxmax()
        listed = int(market.listed_from[market.assets.index(asset)])
        assert market.index.get_loc(first) >= listed + 756
        assert held.loc[first:, asset].all()
    np.testing.assert_allclose(backtest.targets.sum(axis=1), 1.0, rtol=1e-14)
    assert (
        run_backtest(InverseVolatility(("SPY", "GLD")), market).decided[0]
        == market.index[int(market.listed_from[market.assets.index("GLD")]) + 756]
    )


def test_the_target_volatility_is_the_overlays() -> None:
    """So there is one way to lever it; for two assets it is risk parity's own."""
    levered = RiskParity(target_volatility=0.07, max_leverage=1.8)
    overlay = VolatilityTarget(InverseVolatility(), 0.07, 1.8)
    for row in (40, 80, 149):
        past = MARKET.until(MARKET.index[row].date())
        assert overlay.weights(past) == pytest.approx(levered.weights(past), rel=1e-10)


def test_another_future_leaves_the_past_as_it_was() -> None:
    one, two = (run_backtest(InverseVolatility(), each) for each in (MARKET, rewritten(MARKET, 90)))
    until = MARKET.index[90]
    np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
    assert (one.targets != two.targets).any(axis=None)


def test_it_is_frozen_equal_and_hashable() -> None:
    strategy: Any = InverseVolatility(window_years=2.0)
    assert len({strategy, dataclasses.replace(strategy), InverseVolatility()}) == 2
    assert eval(repr(strategy), vars(strategies)) == strategy


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"assets: .*two different"):
        InverseVolatility(("stocks",))
    with pytest.raises(InputError, match="late: 'drop' is none of wait, leave_out"):
        InverseVolatility(late="drop")
    flat = Market(MARKET.prices.assign(bonds=1.003 ** np.arange(150.0)), 0.0)
    with pytest.raises(StrategyError, match=r"prices\['bonds'\].*do not vary"):
        run_backtest(InverseVolatility(), flat)
