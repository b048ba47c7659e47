"""The future does not reach the past: not by one bit, in no rule, at no lag, with no strategy."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from engine_markets import Momentum, any_costs, any_strategy, fixed, random_market, rules, small_markets
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ledger_runs import Setup, setups

from allocator.engine import Backtest, Band, Monthly, Rebalancing, Strategy, run_backtest
from allocator.engine.ground import Ground
from allocator.engine.paths import drifted_weights
from allocator.errors import AllocatorError, StrategyError
from allocator.frequency import FREQUENCIES
from allocator.market import Market
from strategies import GoldDiversified, RiskParity, SixtyForty

BY_DATE = ("value", "weights", "interest", "returns", "cash_returns")
BY_TRADE = ("targets", "trades", "trading_costs", "turnover")


def assert_same_until(one: Backtest, other: Backtest, date: pd.Timestamp) -> None:
    """Compare all that is recorded up to and including a date, bit by bit."""
    for name in (*BY_DATE, *BY_TRADE):
        a, b = getattr(one, name).loc[:date], getattr(other, name).loc[:date]
        assert a.index.equals(b.index), name
        assert np.array_equal(a.to_numpy(), b.to_numpy()), name
    traded = one.targets.index <= date
    assert one.decided[traded].equals(other.decided[: traded.sum()])


def rewritten(
    market: Market, row: int, rng: np.random.Generator, delisted: Mapping[str, float] | None = None
) -> Market:
    """Return the market with every price, cash return and signal after a row replaced."""
    prices, cash = market.prices, market.cash_returns
    late = prices.iloc[row + 1 :]
    prices.iloc[row + 1 :] = late * np.exp(rng.normal(0.0, 0.2, late.shape))
    cash.iloc[row:] = rng.uniform(-0.005, 0.005, len(cash) - row)
    signals = {}
    for name, signal in market.signals.items():
        values = signal.values.copy()
        values.loc[values.index > market.index[row]] *= -3.0
        signals[name] = values
    return Market(prices, cash, signals, delisted=delisted)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_rewriting_the_future_leaves_the_past_as_it_was(data: st.DataObject) -> None:
    market = data.draw(small_markets())
    row = data.draw(st.integers(0, len(market.index) - 2))
    options = {
        "rebalancing": data.draw(rules(market.frequency.name)),
        "costs": data.draw(any_costs(market.assets)),
        "lag": data.draw(st.integers(0, 4)),
        "unlisted": data.draw(st.sampled_from(("error", "cash"))),
    }
    strategy = data.draw(any_strategy(market.assets))
    try:
        before = run_backtest(strategy, market, **options)
    except AllocatorError:
        assume(False)
    after = run_backtest(strategy, rewritten(market, row, np.random.default_rng(row)), **options)
    assert_same_until(before, after, market.index[row])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_shorter_market_gives_the_same_past(data: st.DataObject) -> None:
    """Only the last row differs: it never trades, and in the longer market it may."""
    market = data.draw(small_markets())
    row = data.draw(st.integers(1, len(market.index) - 1))
    options = {
        "rebalancing": data.draw(rules(market.frequency.name)),
        "costs": data.draw(any_costs(market.assets)),
        "lag": data.draw(st.integers(0, 4)),
        "unlisted": data.draw(st.sampled_from(("error", "cash"))),
    }
    strategy = data.draw(any_strategy(market.assets))
    try:
        short = run_backtest(strategy, market.until(market.index[row].date()), **options)
    except AllocatorError:
        assume(False)
    assert_same_until(short, run_backtest(strategy, market, **options), market.index[row - 1])


def assert_same_on_all_until(one: Backtest, other: Backtest, date: pd.Timestamp) -> None:
    assert_same_until(one, other, date)
    for name in ("itemised", "costs_by_asset"):
        a, b = getattr(one, name).loc[:date], getattr(other, name).loc[:date]
        assert np.array_equal(a.to_numpy(), b.to_numpy()), name
    assert list(one.events.loc[:date, "reason"]) == list(other.events.loc[:date, "reason"])


@settings(max_examples=150, deadline=None)
@given(setups(), st.data())
def test_rewriting_the_future_leaves_the_past_of_every_rule_as_it_was(
    setup: Setup, data: st.DataObject
) -> None:
    """Bands of every kind, tables, flows, shorts and their fees, delistings, fixed costs."""
    try:
        before = setup.backtest()
    except AllocatorError:
        assume(False)
    row = data.draw(st.integers(0, len(setup.market.index) - 2))
    market = rewritten(setup.market, row, np.random.default_rng(row), setup.recovery)
    try:
        after = replace(setup, market=market).backtest()
    except AllocatorError:  # a refusal of the other future
        assume(False)
    assert_same_on_all_until(before, after, setup.market.index[row])


@settings(max_examples=150, deadline=None)
@given(setups(), st.data())
def test_a_shorter_market_gives_the_same_past_under_every_rule(setup: Setup, data: st.DataObject) -> None:
    row = data.draw(st.integers(1, len(setup.market.index) - 1))
    date = setup.market.index[row]
    early = {day: flow for day, flow in setup.flows.items() if pd.Timestamp(day) <= date}
    try:
        short = replace(setup, market=setup.market.until(date.date()), flows=early).backtest()
        whole = setup.backtest()
    except AllocatorError:
        assume(False)
    assert_same_on_all_until(short, whole, setup.market.index[row - 1])


LIBRARY = (
    SixtyForty("a", "b"),
    RiskParity(("a", "b", "c"), window_years=0.25),
    RiskParity(("a", "b"), window_years=0.25, target_volatility=0.15),
    GoldDiversified("a", "b", "c", ("d", "e")),
)


@pytest.mark.parametrize("strategy", LIBRARY, ids=lambda s: f"{s.name}-{len(repr(s))}")
@pytest.mark.parametrize("rule", [Monthly(), Band(0.02)], ids=str)
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_the_strategies_of_the_library_are_blind_to_the_future(
    strategy: Strategy, rule: Rebalancing, lag: int
) -> None:
    prices, cash = random_market(11, 5, 400, late=(150, 260))
    market = Market(prices.set_axis(list("deabc"), axis=1), cash)
    options = {"rebalancing": rule, "lag": lag}
    whole = run_backtest(strategy, market, **options)
    for row in (90, 149, 150, 151, 259, 300, 398):
        changed = rewritten(market, row, np.random.default_rng(row))
        assert_same_until(whole, run_backtest(strategy, changed, **options), market.index[row])
        short = run_backtest(strategy, market.until(market.index[row].date()), **options)
        assert_same_until(short, whole, market.index[row - 1])


def test_the_drift_of_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    """A sum over ten assets may be taken in another order where memory is laid out otherwise."""
    rng = np.random.default_rng(1)
    levels = np.asfortranarray(rng.uniform(0.5, 2.0, (60, 10)))
    ground = Ground(levels, np.full(60, 1e-4), np.arange(60), FREQUENCIES["daily"], 0.01, 0.0, None)
    target = rng.dirichlet(np.ones(10)) * 1.1
    together, growth = drifted_weights(ground, 0, slice(1, 60), target)
    for row in range(1, 60):
        alone, its_growth = drifted_weights(ground, 0, slice(row, row + 1), target)
        assert np.array_equal(alone[0], together[row - 1])
        assert its_growth[0] == growth[row - 1]


@dataclass(frozen=True)
class FollowsSignal(Strategy):
    """Holds the asset while the newest signal is positive."""

    name: str = "follows a signal"

    def weights(self, past: Market) -> dict[str, float]:
        values = past.signal("mood").values
        assert (values.index <= past.index[-1]).all()
        return {"SPY": 1.0 if len(values) and values.iloc[-1] > 0 else 0.2}


def test_a_signal_is_seen_when_it_was_known() -> None:
    prices, cash = random_market(5, 1, 120)
    stamped = pd.Series([1.0, -1.0, 2.0, -0.5], index=prices.index[[7, 33, 60, 90]] + pd.Timedelta(0, "D"))
    market = Market(prices, cash, {"mood": stamped})
    whole = run_backtest(FollowsSignal(), market)
    assert set(whole.targets["SPY"]) == {0.2, 1.0}
    for row in (32, 33, 34, 59, 60, 89, 100):
        changed = rewritten(market, row, np.random.default_rng(row))
        assert_same_until(whole, run_backtest(FollowsSignal(), changed), market.index[row])


@dataclass(frozen=True)
class Spy(Strategy):
    """Writes down the last date that it is shown, and how many rows."""

    seen: list[tuple[pd.Timestamp, int]] = field(default_factory=list)
    name: str = "spy"

    def weights(self, past: Market) -> dict[str, float]:
        assert len(past.index) == len(past.levels) == len(past.cash) == len(past.prices)
        assert past.prices.index[-1] == past.returns.index[-1] == past.index[-1]
        self.seen.append((past.index[-1], len(past.index)))
        return {"SPY": 1.0}


@pytest.mark.parametrize("lag", [0, 1, 4])
def test_F077_a_strategy_is_shown_nothing_after_the_decision(lag: int) -> None:
    prices, cash = random_market(3, 2, 200)
    market = Market(prices, cash)
    spy = Spy()
    backtest = run_backtest(spy, market, lag=lag, start=prices.index[40].date())
    shown = [date for date, _ in spy.seen]
    assert shown == list(backtest.decided)
    assert all(market.index[rows - 1] == date for date, rows in spy.seen)
    rows_of_trades = market.index.get_indexer(backtest.targets.index)
    assert (rows_of_trades - market.index.get_indexer(backtest.decided) == lag).all()


@dataclass(frozen=True)
class Vandal(Strategy):
    """Tries to write into what it is shown."""

    attribute: str
    name: str = "vandal"

    def weights(self, past: Market) -> dict[str, float]:
        getattr(past, self.attribute)[0] = 1.0
        return {"SPY": 1.0}


@pytest.mark.parametrize("attribute", ["levels", "cash", "index"])
def test_F076_the_past_is_read_only(attribute: str) -> None:
    prices, cash = random_market(3, 2, 60)
    market = Market(prices, cash)
    with pytest.raises(StrategyError, match="raised") as refusal:
        run_backtest(Vandal(attribute), market)
    assert isinstance(refusal.value.__cause__, ValueError if attribute != "index" else TypeError)
    assert market.prices.equals(Market(prices, cash).prices)


def test_prices_that_a_strategy_takes_and_changes_are_its_own() -> None:
    @dataclass(frozen=True)
    class Scribbler(Strategy):
        name: str = "scribbler"

        def weights(self, past: Market) -> dict[str, float]:
            for frame in (past.prices, past.returns, past.cash_returns):
                frame.iloc[:] = 0.0
            return {"SPY": 0.5}

    prices, cash = random_market(4, 2, 60)
    untouched = prices.copy()
    scribbled = run_backtest(Scribbler(), Market(prices, cash))
    clean = run_backtest(fixed({"SPY": 0.5}), Market(prices, cash))
    assert prices.equals(untouched)
    assert np.array_equal(scribbled.value, clean.value)


def test_the_same_run_twice_is_the_same_to_the_bit() -> None:
    prices, cash = random_market(8, 4, 300)
    market = Market(prices, cash)
    one, two = (run_backtest(Momentum(5), market) for _ in range(2))
    assert_same_until(one, two, market.index[-1])
    assert one.fingerprint == two.fingerprint


def test_F117_threads_and_copies_give_the_same_bytes() -> None:
    prices, cash = random_market(8, 4, 300)
    market = Market(prices, cash)
    here = run_backtest(Momentum(5), market)
    with ThreadPoolExecutor(4) as pool:
        there = list(pool.map(lambda _: run_backtest(Momentum(5), market), range(8)))
    sent = pickle.loads(pickle.dumps((Momentum(5), market)))
    for other in (*there, run_backtest(*sent)):
        assert_same_until(here, other, market.index[-1])
        assert other.fingerprint == here.fingerprint
