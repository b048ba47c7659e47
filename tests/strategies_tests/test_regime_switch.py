"""A regime switch: the strategy of the regime that begins runs the whole portfolio."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
import pandas as pd
import pytest
from strategy_worlds import daily_funds, monthly_panel, rewritten, world

from allocator.engine import HOLD, Daily, FixedMix, Hold, Strategy, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market, load_us_history, simulate_market
from allocator.regimes import Regimes, correlation_sign, decades, eras, inflation_level, inflation_trend
from allocator.report import compare
from strategies import EqualWeight, GoldDiversified, PermanentPortfolio, RegimeSwitch, RiskParity, SixtyForty

MARKET = world()
LOW, HIGH = "inflation under 3%", "inflation 3% or more"
BOTH = {LOW: SixtyForty(), HIGH: PermanentPortfolio()}
SIGNS = {
    "stocks–bonds correlation was negative": SixtyForty(),
    "stocks–bonds correlation was positive": PermanentPortfolio(),
}


@final
@dataclass(frozen=True)
class Waits(Strategy):
    """Answers HOLD."""

    name: str = "Waits"

    def weights(self, past: Market) -> Hold:
        return HOLD


@final
@dataclass(frozen=True)
class Halves(Strategy):
    """Goes half way from what is held to stocks."""

    name: str = "Halves"

    @property
    def sees_holdings(self) -> bool:
        return True

    def weights(self, past: Market) -> dict[str, float]:
        return {"stocks": 1.0}

    def weights_from(self, past: Market, held: Mapping[str, float]) -> dict[str, float]:
        return {"stocks": 0.5 + 0.5 * held.get("stocks", 0.0), "bonds": 0.5 * held.get("bonds", 0.0)}


def parity(past: Market) -> str:
    """A rule of one's own: even rows and odd rows."""
    return "odd" if len(past.days) % 2 else "even"


# It is each of them in turn


@pytest.mark.parametrize(
    ("rule", "strategies", "market"),
    [
        (inflation_level, BOTH, MARKET),
        (partial(inflation_level, threshold=0.04), None, MARKET),
        (inflation_trend, None, MARKET),
        (correlation_sign, SIGNS, MARKET),
        (inflation_level, BOTH, load_us_history()),
        (correlation_sign, SIGNS, simulate_market(seed=1)),
    ],
    ids=["level", "threshold", "trend", "sign", "history", "simulated"],
)
def test_at_each_decision_it_is_the_strategy_of_the_period_that_begins(
    rule: Any, strategies: Any, market: Market
) -> None:
    labels = rule(market).labels
    given = strategies or dict(zip(rule(market).order, BOTH.values(), strict=False))
    backtest = run_backtest(RegimeSwitch(rule, given), market)
    rows = market.index.get_indexer(backtest.decided)
    expected = [given[labels.iloc[row]].weights(market) for row in rows]  # labels begin with row 1
    for asset in ("stocks", "bonds", "gold"):
        held = [weights.get(asset, 0.0) for weights in expected]
        np.testing.assert_array_equal(backtest.targets[asset], held)
    assert backtest.targets["stocks"].nunique() == 2


def test_one_strategy_for_all_labels_is_that_strategy() -> None:
    market = monthly_panel()
    switch = RegimeSwitch(correlation_sign, dict.fromkeys(SIGNS, SixtyForty()))
    one = run_backtest(switch, market)
    two = run_backtest(SixtyForty(), market, start=one.returns.index[0].date())
    np.testing.assert_allclose(one.value, two.value, rtol=1e-13)


def test_a_rule_of_ones_own_on_the_real_panel() -> None:
    market = daily_funds()
    mixes = {"odd": FixedMix({"SPY": 1.0}), "even": FixedMix({"TLT": 1.0})}
    backtest = run_backtest(RegimeSwitch(parity, mixes), market, rebalancing=Daily())
    rows = market.index.get_indexer(backtest.decided)
    np.testing.assert_array_equal(backtest.targets["SPY"] == 1.0, (rows + 1) % 2 == 1)


def test_switches_nest() -> None:
    inner = RegimeSwitch(parity, {"odd": SixtyForty()}, EqualWeight())
    outer = RegimeSwitch(inflation_level, {LOW: inner}, PermanentPortfolio())
    for row in range(2, 20):
        past = MARKET.until(MARKET.index[row].date())
        is_low, is_odd = inflation_level(past).next_label == LOW, (row + 1) % 2 == 1
        expected = (SixtyForty() if is_odd else EqualWeight()) if is_low else PermanentPortfolio()
        assert outer.weights(past) == expected.weights(past)


def test_it_shows_in_a_comparison() -> None:
    study = compare([SixtyForty(), RegimeSwitch(inflation_level, BOTH)], load_us_history())
    assert "'Regime switch' is the last" in str(study)


# What is held, and HOLD


def test_hold_is_passed_on() -> None:
    switch = RegimeSwitch(parity, {"odd": SixtyForty(), "even": Waits()})
    backtest = run_backtest(switch, MARKET)
    rows = MARKET.index.get_indexer(backtest.decided)
    assert (rows % 2 == 0).all()  # decided at lengths 1, 3, 5 alone
    assert len(rows) == 75


def test_what_is_held_is_passed_on_to_the_one_that_looks() -> None:
    switch = RegimeSwitch(parity, {"odd": FixedMix({"bonds": 1.0}), "even": Halves()})
    assert switch.sees_holdings
    assert RegimeSwitch(parity, BOTH, Halves()).sees_holdings
    assert not RegimeSwitch(parity, BOTH).sees_holdings
    assert switch.weights_from(MARKET, {"stocks": 0.2, "bonds": 0.8}) == {"stocks": 0.6, "bonds": 0.4}
    targets = run_backtest(switch, MARKET).targets
    np.testing.assert_allclose(targets["stocks"].iloc[1::2], 0.5, atol=1e-15)
    np.testing.assert_array_equal(targets["bonds"].iloc[::2], 1.0)


# Labels


def test_a_label_without_a_strategy_names_itself_and_the_date() -> None:
    with pytest.raises(StrategyError) as refusal:
        run_backtest(RegimeSwitch(inflation_level, {LOW: SixtyForty()}), load_us_history())
    for words in (
        "'Regime switch' on 1942-12-31",
        f"nothing for the label '{HIGH}'; there is '{LOW}'",
        "say otherwise=",
    ):
        assert words in str(refusal.value)


def test_otherwise_takes_all_other_labels() -> None:
    switch = RegimeSwitch(inflation_level, {HIGH: PermanentPortfolio()}, SixtyForty())
    backtest = run_backtest(switch, load_us_history())
    assert str(backtest.decided[0].date()) == "1927-12-31"  # unclassified, too
    assert backtest.targets["stocks"].iloc[0] == 0.6


def test_unclassified_is_waited_for_at_the_beginning_and_refused_later() -> None:
    history = load_us_history()
    backtest = run_backtest(RegimeSwitch(inflation_level, BOTH), history)
    assert backtest.decided[0] >= history.signal("inflation").values.index[0]
    with pytest.raises(InsufficientHistoryError, match="start on 1930-12-31 or later"):
        run_backtest(RegimeSwitch(inflation_level, BOTH), history, start="1929")
    prices = MARKET.prices
    prices.iloc[60:110, 1] = prices.iloc[60, 1]  # bonds stand still, and have no correlation
    with pytest.raises(InsufficientHistoryError, match=r"strategies on 1968-\d\d-\d\d: .*'unclassified'"):
        run_backtest(RegimeSwitch(correlation_sign, SIGNS), Market(prices, 0.0))
    told = RegimeSwitch(correlation_sign, {**SIGNS, "unclassified": EqualWeight()})
    assert (run_backtest(told, Market(prices, 0.0)).targets["gold"] == 1 / 3).sum() > 36


@pytest.mark.parametrize(
    "rule",
    [
        partial(inflation_level, ex_post=True),
        partial(inflation_trend, ex_post=True),
        lambda past: eras(past.index),
    ],
    ids=["level", "trend", "eras"],
)
def test_labels_in_hindsight_are_refused_F161(rule: Any) -> None:
    with pytest.raises(
        StrategyError, match=r"rule: the labels of '.*' are ex post: .*; trade on labels that are"
    ):
        run_backtest(RegimeSwitch(rule, BOTH, SixtyForty()), load_us_history())


def test_smoothed_probabilities_of_a_user_are_refused_if_they_say_what_they_are() -> None:
    def smoothed(past: Market) -> Regimes:
        labels = pd.Series("calm", index=past.index[1:], dtype=object)
        return Regimes(labels, "State", "smoothed", True, ("calm",), next_label="calm")

    with pytest.raises(StrategyError, match="'State' are ex post: smoothed"):
        run_backtest(RegimeSwitch(smoothed, {"calm": SixtyForty()}), MARKET)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda past: decades(past.index), "rule: 'Decade' does not say the label of the period to come"),
        (lambda past: 3, "rule: .*lambda.* returned int; return Regimes or the text"),
        (lambda past: None, "returned NoneType"),
        (lambda past: inflation_level(past).labels, "returned Series"),
    ],
)
def test_rules_that_do_not_say(rule: Any, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        run_backtest(RegimeSwitch(rule, BOTH, SixtyForty()), MARKET)


def test_another_future_leaves_the_past_as_it_was() -> None:
    for switch in (RegimeSwitch(inflation_level, BOTH), RegimeSwitch(correlation_sign, SIGNS)):
        one, two = (run_backtest(switch, each) for each in (MARKET, rewritten(MARKET, 70)))
        until = MARKET.index[70]
        np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
        assert (one.targets != two.targets).any(axis=None)


# The object


def test_it_is_frozen_equal_hashable_and_copies_what_it_is_given() -> None:
    given: dict[str, Strategy] = dict(BOTH)
    switch: Any = RegimeSwitch(partial(inflation_level, threshold=0.04), given)
    given[LOW] = EqualWeight()
    assert switch.strategies == BOTH
    with pytest.raises(TypeError):
        switch.strategies[LOW] = EqualWeight()
    same = RegimeSwitch(partial(inflation_level, threshold=0.04), BOTH)
    other = RegimeSwitch(partial(inflation_level, threshold=0.05), BOTH)
    assert switch == same == dataclasses.replace(switch) != other
    assert len({switch, same, other, RegimeSwitch(inflation_level, BOTH)}) == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        switch.name = "changed"


def test_the_record_knows_the_rule_by_its_name_and_not_by_its_address() -> None:
    switch = RegimeSwitch(
        partial(inflation_level, threshold=0.04), {"inflation under 4%": SixtyForty()}, RiskParity()
    )
    assert "rule=partial(allocator.regimes.labels.inflation_level, threshold=0.04)" in repr(switch)
    assert "at 0x" not in repr(switch)
    again = pickle.loads(pickle.dumps(switch))
    assert again == switch
    prints = {run_backtest(each, MARKET).fingerprint for each in (switch, again)}
    assert len(prints) == 1
    assert "at 0x" in repr(RegimeSwitch(lambda past: "one", BOTH))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: RegimeSwitch("high", BOTH), "rule: 'high' is no function of the past; pass one such as al"),  # type: ignore[arg-type]
        (lambda: RegimeSwitch(parity, {}), "strategies: {}; pass {label: strategy}"),
        (lambda: RegimeSwitch(parity, [SixtyForty()]), "strategies: .*pass {label"),  # type: ignore[arg-type]
        (lambda: RegimeSwitch(parity, {"odd": 0.6}), r"strategies\['odd'\]: expected a Strategy, got 0.6"),  # type: ignore[dict-item]
        (lambda: RegimeSwitch(parity, BOTH, GoldDiversified), "otherwise: expected a Strategy, got <class"),  # type: ignore[arg-type]
    ],
)
def test_switches_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


def test_it_waits_until_the_last_of_them_has_the_history() -> None:
    """Else the run begins with the one that needs none, and ends where the other is asked."""
    switch = RegimeSwitch(parity, {"odd": SixtyForty(), "even": RiskParity(("stocks", "bonds", "gold"))})
    run = run_backtest(switch, MARKET)
    assert run.decided[0] == MARKET.index[36]
    with pytest.raises(InsufficientHistoryError, match=r"strategies: 'Risk parity' cannot decide yet"):
        switch.weights(MARKET.until("1961-01-31"))


def test_what_else_is_wrong_with_another_is_said_when_it_is_its_turn() -> None:
    switch = RegimeSwitch(parity, {"odd": SixtyForty(), "even": RiskParity(("stocks", "platinum"))})
    assert switch.weights(MARKET.until(MARKET.index[40].date())) == SixtyForty().weights(MARKET)
    with pytest.raises(InputError, match="platinum"):
        switch.weights(MARKET.until(MARKET.index[41].date()))
