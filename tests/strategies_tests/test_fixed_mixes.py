"""Fixed mixes hold what was published."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from strategy_worlds import FREE, daily_funds, late_funds, world

import strategies
from allocator.engine import Daily, FixedMix, Strategy, run_backtest
from allocator.errors import InputError, StrategyError
from allocator.market import load_us_history
from strategies import AllWeather, EqualWeight, GlobalMarketMix, PermanentPortfolio, SixtyForty

FUNDS = (
    (
        AllWeather("TLT", "IEF", "SPY", "GLD", "DBC"),
        {"SPY": 0.3, "TLT": 0.4, "IEF": 0.15, "GLD": 0.075, "DBC": 0.075},
    ),
    (PermanentPortfolio("SPY", "TLT", "GLD", "SHY"), dict.fromkeys(("SPY", "TLT", "GLD", "SHY"), 0.25)),
    (PermanentPortfolio("SPY", "TLT", "GLD"), dict.fromkeys(("SPY", "TLT", "GLD"), 0.25)),
    (
        GlobalMarketMix(("SPY", "EFA"), "AGG", "VNQ", "GLD"),
        {"SPY": 0.25, "EFA": 0.25, "AGG": 0.44, "VNQ": 0.04, "GLD": 0.02},
    ),
    (EqualWeight(("SPY", "TLT", "GLD", "EEM")), dict.fromkeys(("SPY", "TLT", "GLD", "EEM"), 0.25)),
)
BY_NAME = pytest.mark.parametrize(("strategy", "mix"), FUNDS, ids=lambda given: getattr(given, "name", ""))


@BY_NAME
def test_a_mix_is_its_published_weights(strategy: Strategy, mix: dict[str, float]) -> None:
    """Browne (1999); Robbins (2014); the averages of Doeswijk, Lam and Swinkels (2020)."""
    assert strategy.weights(world()) == pytest.approx(mix, abs=1e-15)
    assert strategy.is_constant
    assert not strategy.sees_holdings


@BY_NAME
def test_rebalanced_daily_a_mix_earns_the_mean_of_its_assets(
    strategy: Strategy, mix: dict[str, float]
) -> None:
    market = daily_funds()
    backtest = run_backtest(strategy, market, rebalancing=Daily(), lag=0, costs=FREE)
    cash = market.cash_returns.loc[backtest.returns.index] * (1.0 - sum(mix.values()))
    mean = sum(weight * market.returns[asset] for asset, weight in mix.items()) + cash
    np.testing.assert_allclose(backtest.returns, mean, rtol=0, atol=1e-13)


@BY_NAME
def test_a_mix_by_name_is_the_same_mix_by_hand(strategy: Strategy, mix: dict[str, float]) -> None:
    market = daily_funds()
    one, two = (run_backtest(each, market) for each in (strategy, FixedMix(mix)))
    np.testing.assert_array_equal(one.value, two.value)


def test_the_defaults_fit_the_embedded_history() -> None:
    history = load_us_history()
    first = {
        EqualWeight(): "1927-12-31",
        PermanentPortfolio(): "1927-12-31",
        AllWeather("bonds", "bonds"): "2006-12-31",  # commodities
        AllWeather("bonds", "bonds", commodities="gold"): "1927-12-31",
        GlobalMarketMix(): "1971-12-31",  # real estate
    }
    for strategy, date in first.items():
        backtest = run_backtest(strategy, history)
        assert str(backtest.decided[0].date()) == date
        assert (backtest.value > 0).all()


def test_one_asset_may_play_two_parts_that_are_alike_if_it_is_said() -> None:
    held = AllWeather("bonds", "bonds", commodities="gold").weights(world())
    assert held == pytest.approx({"stocks": 0.3, "bonds": 0.55, "gold": 0.15}, abs=1e-15)


def test_equal_weight_of_those_listed() -> None:
    market = late_funds()
    assets = ("SPY", "VUSTX", "TLT", "GLD", "EEM", "DBC")
    backtest = run_backtest(EqualWeight(assets), market, unlisted="pro_rata")
    listed = market.prices.notna().loc[backtest.decided]
    expected = listed.div(listed.sum(axis=1), axis=0).to_numpy()
    np.testing.assert_allclose(backtest.targets, expected, atol=1e-15)
    assert expected.max() == 0.5
    assert expected.min() == 0.0
    waits = run_backtest(EqualWeight(assets), market)
    assert waits.decided[0] == market.prices["DBC"].first_valid_index()
    cash = run_backtest(EqualWeight(assets), market, unlisted="cash")
    np.testing.assert_allclose(cash.targets, listed / 6, atol=1e-15)


def test_other_shares_of_the_global_market() -> None:
    mix = GlobalMarketMix(("stocks",), shares=(0.6, 0.3, 0.07, 0.03))
    assert mix.weights(world()) == {"stocks": 0.6, "bonds": 0.3, "reits": 0.07, "gold": 0.03}


LIBRARY = (*(strategy for strategy, _ in FUNDS), SixtyForty())


@pytest.mark.parametrize("strategy", LIBRARY, ids=lambda strategy: strategy.name)
def test_mixes_are_frozen_equal_and_hashable(strategy: Any) -> None:
    same, other = dataclasses.replace(strategy), dataclasses.replace(strategy, name="another")
    assert same == strategy != other
    assert len({strategy, same, other}) == 2
    assert eval(repr(strategy), vars(strategies)) == strategy
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.name = "changed"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: EqualWeight(("stocks",)), "assets: .*two different"),
        (lambda: EqualWeight(("stocks", "stocks")), "assets: .*two different"),
        (lambda: EqualWeight("stocks"), "assets: 'stocks'"),
        (lambda: PermanentPortfolio(gold="bonds"), "assets: 'bonds' plays two parts; name a different"),
        (lambda: PermanentPortfolio(cash="gold"), "assets: 'gold' plays two parts"),
        (lambda: AllWeather("bonds", "stocks"), "assets: 'stocks' plays two parts"),
        (lambda: AllWeather("bonds", "bonds", gold="bonds"), "assets: 'bonds' plays two parts"),
        (lambda: GlobalMarketMix(commodities="reits"), "assets: 'reits' plays two parts"),
        (lambda: GlobalMarketMix(("stocks", "stocks")), "assets: .*each asset once"),
        (lambda: GlobalMarketMix(()), "assets: "),
        (lambda: GlobalMarketMix(shares=(50, 44, 4, 2)), "shares: .*four fractions"),  # type: ignore[arg-type]
        (lambda: GlobalMarketMix(shares=(0.5, 0.4, 0.04, 0.02)), "shares: sum to 0.96, expected 1"),
    ],
)
def test_mixes_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


def test_all_weather_must_say_its_bonds() -> None:
    with pytest.raises(TypeError, match="long_bonds"):
        AllWeather()  # type: ignore[call-arg]


def test_an_asset_that_is_not_there_is_named() -> None:
    with pytest.raises(StrategyError, match=r"'All Weather'.*'commodities', which is not there"):
        run_backtest(AllWeather("bonds", "bonds"), world())
