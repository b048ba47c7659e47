"""A strategy that asks for it is told what is held at the close of its decision, and nothing later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from engine_markets import random_market
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import sweep
from allocator.engine import HOLD, Band, Costs, EveryNRows, Rebalancing, Strategy, run_backtest
from allocator.errors import InsufficientHistoryError, StrategyError
from allocator.market import Market

GOAL = {"a": 0.5, "b": 0.3, "c": 0.4}


@dataclass(frozen=True)
class HalfWay(Strategy):
    """Goes half of the way from what is held to its goal."""

    name: str = "half-way"
    sees_holdings: ClassVar[bool] = True

    def weights(self, past: Market) -> Mapping[str, float]:
        raise AssertionError("asked without holdings")

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Mapping[str, float]:
        return {asset: (goal + held.get(asset, 0.0)) / 2 for asset, goal in GOAL.items()}


def market_of(seed: int, n_rows: int = 120) -> Market:
    prices, cash = random_market(seed, 3, n_rows)
    return Market(prices.set_axis(list("abc"), axis=1), cash)


def by_hand(market: Market, every: int, lag: int, spread: float) -> pd.DataFrame:
    """Keep the weights row by row, drifting each with its asset and cash with its rate."""
    prices, cash_returns = market.prices.to_numpy(), market.cash
    years = np.diff(market.days, prepend=market.days[0]) / 365.25
    weights, cash, targets, due = np.zeros(3), 1.0, {}, {}
    goal = np.array(list(GOAL.values()))
    for row in range(len(prices) - 1):
        if row:
            weights = weights * prices[row] / prices[row - 1]
            rate = cash_returns[row] + (((1 + spread) ** years[row] - 1) if cash < 0.0 else 0.0)
            cash *= 1.0 + rate
            value = weights.sum() + cash
            weights, cash = weights / value, cash / value
        if row % every == 0 and row + lag < len(prices) - 1:
            due[row + lag] = (goal + weights) / 2
        if row in due:
            weights = due[row]
            cash = 1.0 - weights.sum()
            targets[market.index[row]] = weights
    return pd.DataFrame(targets, index=list("abc")).T


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), every=st.integers(1, 40), lag=st.integers(0, 3))
def test_what_is_held_has_drifted_until_the_decision(seed: int, every: int, lag: int) -> None:
    market = market_of(seed)
    run = run_backtest(HalfWay(), market, rebalancing=EveryNRows(every), lag=lag, costs=Costs(trading=0.003))
    expected = by_hand(market, every, lag, Costs().borrow_spread)
    np.testing.assert_allclose(run.targets.to_numpy(), expected.to_numpy(), rtol=1e-10)
    assert run.targets.index.equals(expected.index)


@pytest.mark.parametrize("rule", [EveryNRows(7), Band(0.02), EveryNRows(9) | Band(0.05)], ids=str)
@pytest.mark.parametrize("lag", [0, 2])
def test_a_shorter_market_holds_the_same(rule: Rebalancing, lag: int) -> None:
    market = market_of(3)
    whole = run_backtest(HalfWay(), market, rebalancing=rule, lag=lag)
    for row in (20, 50, 90):
        short = run_backtest(HalfWay(), market.until(market.index[row].date()), rebalancing=rule, lag=lag)
        last = market.index[row - 1]
        assert short.targets.loc[:last].equals(whole.targets.loc[:last])
        assert np.array_equal(short.value.loc[:last], whole.value.loc[:last])


@dataclass(frozen=True)
class Recorder(Strategy):
    """Writes down what it was told; a test may."""

    told: Any
    answer: Any = None
    name: str = "recorder"
    sees_holdings: ClassVar[bool] = True

    def weights(self, past: Market) -> Mapping[str, float]:
        raise AssertionError("asked without holdings")

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Any:
        if len(past.days) < 10:
            raise InsufficientHistoryError("prices", "wait", rows_needed=10)
        self.told.append((len(past.days), dict(held)))
        return self.answer if self.answer is not None else {"a": 1.0}


def test_nothing_is_held_before_the_build_and_only_what_is_held_is_named() -> None:
    told: list[Any] = []
    run_backtest(Recorder(told), market_of(1), rebalancing=EveryNRows(30), lag=0)
    assert told[0] == (10, {})
    assert [rows for rows, _ in told[1:]] == [31, 61, 91]
    assert all(set(held) == {"a"} and held["a"] == pytest.approx(1.0, abs=1e-12) for _, held in told[1:])


def test_what_was_delisted_is_not_held() -> None:
    prices, cash = random_market(2, 2, 60)
    prices = prices.set_axis(["a", "b"], axis=1)
    prices.iloc[25:, 1] = np.nan
    told: list[Any] = []
    market = Market(prices, cash, delisted={"b": 0.5})
    run = run_backtest(
        Recorder(told, {"a": 0.5, "b": 0.5}),
        market,
        rebalancing=EveryNRows(20),
        lag=0,
        unlisted="cash",
    )
    assert [set(held) for _, held in told] == [set(), {"a", "b"}, {"a"}]
    weights = run.weights
    assert told[2][1]["a"] == pytest.approx(weights["a"].loc[market.index[39]], rel=0.2)


def test_it_may_hold() -> None:
    told: list[Any] = []
    run = run_backtest(Recorder(told, HOLD), market_of(1), rebalancing=EveryNRows(30), lag=0)
    assert not any(held for _, held in told)
    assert (run.weights["cash"] == 1.0).all()


def test_a_wrong_answer_is_refused_with_its_date() -> None:
    with pytest.raises(StrategyError, match=r"'recorder' on \d{4}-\d\d-\d\d: weights\(\) names 'z'"):
        run_backtest(Recorder([], {"z": 1.0}), market_of(1))


def test_a_sweep_knows_what_is_held_too() -> None:
    market, rule = market_of(5, 400), EveryNRows(21)
    table = sweep([HalfWay()], market, rebalancing=[rule])
    alone = run_backtest(HalfWay(), market, rebalancing=rule)
    assert table["max_drawdown"].iloc[0] == pytest.approx(
        float((alone.value / alone.value.cummax() - 1).min()), abs=1e-3
    )


def test_a_property_may_say_that_a_strategy_is_constant() -> None:
    asked: list[int] = []

    @dataclass(frozen=True)
    class Same(Strategy):
        name: str = "same"

        @property
        def is_constant(self) -> bool:
            return True

        def weights(self, past: Market) -> Mapping[str, float]:
            asked.append(len(past.days))
            return {"a": 1.0}

    run_backtest(Same(), market_of(1), rebalancing=EveryNRows(10))
    assert len(asked) == 1
