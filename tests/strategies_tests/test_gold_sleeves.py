"""How much gold: a number, a share of the risk, or a weight by regime."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategy_worlds import FREE, daily_funds, late_funds, monthly_panel, rewritten, world

import strategies
from allocator.engine import run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market, load_us_history
from allocator.regimes import correlation_sign, eras, inflation_level
from allocator.sweeps import grid, sweep
from strategies import GoldByRegime, GoldByRisk, GoldDiversified, SampleCovariance
from strategies.gold_sleeves import _weight_of_share

MARKET = world()
LOW, HIGH = "inflation under 3%", "inflation 3% or more"


def gold_share(weights: Any, covariance: Any, gold: int) -> float:
    return float(weights[gold] * (covariance @ weights)[gold] / (weights @ covariance @ weights))


def share_in(strategy: GoldDiversified, market: Market, rows: int) -> float:
    """Gold's share of the variance of what the strategy wants, by pandas over the last rows."""
    held = strategy.weights(market)
    covariance = market.returns[list(held)].iloc[-rows:].cov().to_numpy()
    return gold_share(np.array(list(held.values())), covariance, list(held).index(strategy.gold))


# A share of the risk


@pytest.mark.parametrize("budget", [0.005, 0.02, 0.05, 0.1])
def test_gold_has_its_share_of_the_variance(budget: float) -> None:
    strategy = GoldDiversified(gold_weight=GoldByRisk(budget))
    for row in (36, 60, 100, 149):
        past = MARKET.until(MARKET.index[row].date())
        gold = strategy.weights(past)["gold"]
        assert 0.0 < gold < 0.4
        assert share_in(strategy, past, 36) == pytest.approx(budget, rel=1e-9)


def test_on_the_real_panels_it_is_its_share_or_the_whole_sleeve() -> None:
    for market, names, rows in (
        (monthly_panel(), ("stocks", "bonds", "gold", ()), 36),
        (daily_funds(), ("SPY", "IEF", "GLD", ("EFA", "EEM")), 756),
    ):
        stocks, bonds, gold, world_ = names
        strategy = GoldDiversified(stocks, bonds, gold, world_, gold_weight=GoldByRisk(0.15))  # type: ignore[arg-type]
        backtest = run_backtest(strategy, market, lag=0)
        weights = backtest.targets[gold]
        np.testing.assert_allclose(backtest.targets[[gold, bonds]].sum(axis=1), 0.4, atol=1e-14)
        assert weights.min() > 0.02
        clipped = 0
        for date in backtest.decided[::25]:
            past, is_all = market.until(date.date()), weights[date] == pytest.approx(0.4, abs=1e-14)
            share = share_in(strategy, past, rows)
            assert share < 0.15 if is_all else share == pytest.approx(0.15, rel=1e-8)
            clipped += is_all
        assert clipped < len(backtest.decided[::25])


def test_where_no_weight_reaches_the_budget_gold_is_all_of_the_sleeve() -> None:
    held = GoldDiversified(gold_weight=GoldByRisk(0.9)).weights(MARKET)
    assert held["gold"] == pytest.approx(0.4, abs=1e-15)
    assert held["bonds"] == pytest.approx(0.0, abs=1e-15)
    without = GoldDiversified(growth_weight=1.0, gold_weight=GoldByRisk(0.5)).weights(MARKET)
    assert without["gold"] == 0.0


def slow_weight(covariance: Any, start: Any, budget: float, most: float) -> float:
    """The first weight at which gold's share of the variance reaches the budget, by walking and halving."""
    step = np.zeros(len(start))
    step[-1], step[-2] = 1.0, -1.0

    def lacks(gold: float) -> bool:
        weights = start + gold * step
        return bool(gold * (covariance @ weights)[-1] < budget * (weights @ covariance @ weights))

    walk = np.linspace(0.0, most, 4001)
    reached = next((k for k, gold in enumerate(walk) if not lacks(gold)), None)
    if reached is None:
        return most
    low, high = walk[max(reached - 1, 0)], walk[reached]
    for _ in range(60):
        low, high = (middle, high) if lacks(middle := (low + high) / 2.0) else (low, middle)
    return float(high)


@given(st.integers(0, 2**32 - 1), st.integers(3, 6), st.floats(0.01, 0.9), st.floats(0.05, 1.0))
def test_the_closed_form_is_the_slow_search(seed: int, n_assets: int, budget: float, most: float) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.0, 0.1, (n_assets + 2, n_assets)) * rng.uniform(0.1, 2.0, n_assets)
    covariance = factors.T @ factors
    start = np.append(rng.uniform(0.0, 1.0, n_assets - 1), 0.0)
    start[:-2] *= (1.0 - most) / start[:-2].sum()
    start[-2] = most
    found = _weight_of_share(covariance, start, n_assets - 2, n_assets - 1, budget, most)
    slow = slow_weight(covariance, start, budget, most)
    assert 0.0 <= found <= most
    assert found <= slow + 1e-9
    if found < slow - 1e-6:  # a touch between two steps of the walk: it is one, all the same
        weights = start.copy()
        weights[-1], weights[-2] = found, most - found
        assert gold_share(weights, covariance, n_assets - 1) == pytest.approx(budget, abs=1e-6)
        assume(False)
    assert found == pytest.approx(slow, abs=1e-7)


def test_of_two_weights_with_the_same_share_it_is_the_smaller() -> None:
    """Calm gold takes the place of wild bonds that move with it: its share rises, then falls."""
    risks = np.array([0.15, 0.25, 0.06])
    covariance = np.array([[1.0, 0.0, -0.3], [0.0, 1.0, 0.8], [-0.3, 0.8, 1.0]]) * np.outer(risks, risks)
    walk = np.linspace(0.0, 0.5, 1001)
    shares = [gold_share(np.array([0.5, 0.5 - g, g]), covariance, 2) for g in walk]
    top = int(np.argmax(shares))
    budget = (shares[top] + max(shares[-1], 0.0)) / 2.0
    assert 0 < top < 900
    found = _weight_of_share(covariance, np.array([0.5, 0.5, 0.0]), 1, 2, budget, 0.5)
    assert 0.0 < found < walk[top]
    weights = np.array([0.5, 0.5 - found, found])
    assert gold_share(weights, covariance, 2) == pytest.approx(budget, rel=1e-10)


def test_gold_is_funded_from_bonds_whatever_sets_it() -> None:
    for weight in (0.1, GoldByRisk(0.05), GoldByRegime(inflation_level, {LOW: 0.1, HIGH: 0.3})):
        with_gold = GoldDiversified(gold_weight=weight).weights(MARKET)
        without = GoldDiversified(gold_weight=0.0).weights(MARKET)
        change = {asset: with_gold[asset] - without[asset] for asset in with_gold}
        gold = change.pop("gold")
        assert change.pop("bonds") == pytest.approx(-gold, abs=1e-15)
        assert gold > 0.0
        assert set(change.values()) == {0.0}


def test_growth_assets_without_a_window_count_as_the_others() -> None:
    """Emerging markets list in row 100: held at once, and in the estimate in row 136."""
    market = world(late={"emerging": 100})
    strategy = GoldDiversified(gold_weight=GoldByRisk(0.05))
    past = market.until(market.index[120].date())
    held = strategy.weights(past)
    assert held["emerging"] == pytest.approx(0.15)
    scaled = np.array([0.4, 0.2, held["gold"], held["bonds"]])
    covariance = past.returns[["stocks", "developed", "gold", "bonds"]].iloc[-36:].cov().to_numpy()
    assert gold_share(scaled, covariance, 2) == pytest.approx(0.05, rel=1e-9)
    assert share_in(strategy, market.until(market.index[136].date()), 36) == pytest.approx(0.05, rel=1e-9)


def test_gold_bonds_and_one_growth_asset_are_waited_for() -> None:
    for late, first in (({"gold": 20}, 56), ({"bonds": 30}, 66), ({"developed": 50, "emerging": 60}, 36)):
        market = world(late=late)
        assert (
            run_backtest(GoldDiversified(gold_weight=GoldByRisk()), market).decided[0] == market.index[first]
        )
    nowhere = GoldDiversified(global_assets=(), growth_weight=0.0, gold_weight=GoldByRisk(0.5))
    held = nowhere.weights(MARKET)
    assert share_in(nowhere, MARKET, 36) == pytest.approx(0.5, rel=1e-9)
    assert held["gold"] + held["bonds"] == pytest.approx(1.0, abs=1e-15)
    funds = late_funds()
    backtest = run_backtest(GoldDiversified("SPY", "VUSTX", "GLD", ("EEM",), gold_weight=GoldByRisk()), funds)
    assert backtest.decided[0] == funds.index[int(funds.listed_from[funds.assets.index("GLD")]) + 756]


# By regime


def test_gold_by_regime_is_what_is_said_of_the_regime_that_begins() -> None:
    strategy = GoldDiversified(gold_weight=GoldByRegime(inflation_level, {LOW: 0.1, HIGH: 0.3}))
    backtest = run_backtest(strategy, MARKET)
    labels = inflation_level(MARKET).labels
    by_label = {LOW: 0.1, HIGH: 0.3}
    position = MARKET.index.get_indexer(backtest.decided)
    expected = [by_label[labels.iloc[row]] for row in position]  # labels begin with row 1: the next period
    np.testing.assert_allclose(backtest.targets["gold"], expected, atol=1e-15)
    assert set(expected) == {0.1, 0.3}


def test_a_rule_of_ones_own_and_all_other_labels() -> None:
    def hot(past: Market) -> str:
        return "hot" if past.signal("inflation").values.iloc[-1] > 0.04 else "calm"

    held = run_backtest(
        GoldDiversified(gold_weight=GoldByRegime(hot, {"hot": 0.35}, 0.05)), MARKET, start="1961"
    )
    assert set(held.targets["gold"]) == {0.35, 0.05}


def test_labels_in_hindsight_are_refused_F161() -> None:
    for rule in (partial(inflation_level, ex_post=True), lambda past: eras(past.index)):
        strategy = GoldDiversified(gold_weight=GoldByRegime(rule, {LOW: 0.1}, 0.2))
        with pytest.raises(
            StrategyError, match=r"'Gold-diversified' on .*are ex post.*known when their period"
        ):
            run_backtest(strategy, load_us_history())


def test_a_label_without_a_weight_names_itself_and_the_date() -> None:
    strategy = GoldDiversified(global_assets=(), gold_weight=GoldByRegime(inflation_level, {LOW: 0.1}))
    with pytest.raises(StrategyError, match=rf"on 1942-12-31: weights.*'{HIGH}'; there is '{LOW}'; add it"):
        run_backtest(strategy, load_us_history())


def test_it_begins_when_the_rule_can_say() -> None:
    strategy = GoldDiversified(
        global_assets=(), gold_weight=GoldByRegime(inflation_level, {LOW: 0.1, HIGH: 0.3})
    )
    history = load_us_history()
    backtest = run_backtest(strategy, history)
    first = history.signal("inflation").values.index[0]
    assert backtest.decided[0] == history.index[history.index >= first][0]
    with pytest.raises(InsufficientHistoryError, match="'unclassified'"):
        strategy.weights(history.until("1928"))
    told = dataclasses.replace(strategy, gold_weight=GoldByRegime(inflation_level, {LOW: 0.1}, 0.2))
    assert run_backtest(told, history).targets["gold"].iloc[0] == 0.2


# All ways


@pytest.mark.parametrize(
    "weight",
    [
        GoldByRisk(0.05),
        GoldByRegime(inflation_level, {LOW: 0.1, HIGH: 0.3}),
        GoldByRegime(
            correlation_sign,
            {
                "stocks–bonds correlation was negative": 0.1,
                "stocks–bonds correlation was positive": 0.4,
            },
        ),
    ],
    ids=["risk", "inflation", "sign"],
)
def test_another_future_leaves_the_past_as_it_was(weight: Any) -> None:
    market, strategy = world(seed=6), GoldDiversified(gold_weight=weight)
    one, two = (run_backtest(strategy, each) for each in (market, rewritten(market, 90)))
    until = market.index[90]
    np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
    assert (one.targets["gold"] != two.targets["gold"]).any()


def test_grids_and_sweeps_take_numbers_and_rules() -> None:
    numbers = grid(GoldDiversified, gold_weight=[0.0, 0.1, 0.2])
    assert [strategy.gold_weight for strategy in numbers] == [0.0, 0.1, 0.2]
    assert numbers[2] == GoldDiversified()
    rules = grid(GoldDiversified, gold_weight=[0.2, GoldByRisk(0.02), GoldByRisk(0.05)])
    table = sweep(rules, MARKET, costs=FREE)
    assert len(table) == 3
    assert table["sharpe"].nunique() == 3


def test_rules_are_frozen_equal_and_hashable() -> None:
    given_ = {LOW: 0.1, HIGH: 0.3}
    by_regime = GoldByRegime(inflation_level, given_)
    strategy: Any = GoldDiversified(gold_weight=by_regime)
    given_[LOW] = 0.9
    assert by_regime.weights == {LOW: 0.1, HIGH: 0.3}
    assert strategy == GoldDiversified(gold_weight=GoldByRegime(inflation_level, {HIGH: 0.3, LOW: 0.1}))
    assert len({strategy, dataclasses.replace(strategy), GoldDiversified()}) == 2
    risky = GoldDiversified(gold_weight=GoldByRisk(0.1, 5.0, SampleCovariance()))
    assert eval(repr(risky), vars(strategies)) == risky
    assert "rule=allocator.regimes.labels.inflation_level" in repr(strategy)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: GoldByRisk(0.0), "budget: 0.0 is not between 0 and 1; a tenth is 0.1"),
        (lambda: GoldByRisk(10), "budget: 10 is not"),
        (lambda: GoldByRegime("high", {LOW: 0.1}), "rule: 'high' is no function of the past"),  # type: ignore[arg-type]
        (lambda: GoldByRegime(inflation_level, {}), "weights: {}; pass {label: weight"),
        (lambda: GoldByRegime(inflation_level, [0.1]), r"weights: \[0.1\]; pass"),  # type: ignore[arg-type]
        (lambda: GoldByRegime(inflation_level, {LOW: -0.1}), r"weights\['inflation under 3%'\]: -0.1 is not"),
        (lambda: GoldByRegime(inflation_level, {LOW: 0.1}, 20), "otherwise: 20 is not between 0 and 1"),
        (
            lambda: GoldDiversified(gold_weight=GoldByRegime(inflation_level, {LOW: 0.1, HIGH: 0.5})),
            "gold_weight: 0.5 is more than the reserve sleeve, 0.4",
        ),
        (
            lambda: GoldDiversified(gold_weight=GoldByRegime(inflation_level, {LOW: 0.1}, 0.45)),
            "gold_weight: 0.45 is more than the reserve sleeve",
        ),
        (lambda: GoldDiversified(gold_weight="risk"), "gold_weight: 'risk' is not between 0 and 1"),  # type: ignore[arg-type]
        (lambda: GoldDiversified(gold_weight=GoldByRisk), "gold_weight: <class"),  # type: ignore[arg-type]
    ],
)
def test_sleeves_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()
