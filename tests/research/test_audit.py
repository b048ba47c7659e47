"""The audit finds each kind of leak wherever it is hidden, and passes what is honest."""

from __future__ import annotations

import collections
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import leaks
import numpy as np
import pandas as pd
import pytest
from leaks import ASSETS, KINDS, by_score, in_places, leaky_market

import allocator as al
from allocator import audit_causality
from allocator.engine import HOLD, FixedMix, Monthly, Strategy, TargetWeights, Weekly
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market

MARKET = leaky_market()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    leaks.Cached.kept.clear()
    leaks.mean_of.cache_clear()
    leaks.WORLD = MARKET
    yield
    leaks.Cached.kept.clear()
    leaks.WORLD = None


def state_of(market: Market) -> tuple[Any, ...]:
    """Everything that could be left changed."""
    whole = market._whole
    arrays = (market.levels, market.cash, market.days, whole.listed_from, whole.listed_until)
    signals = [(name, s.values.to_numpy().tobytes()) for name, s in market._signals.items()]
    flags = [array.flags.writeable for array in arrays]
    return ([array.tobytes() for array in arrays], [id(a) for a in arrays], flags, signals, str(market))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_leak_is_found_at_its_first_date(kind: str) -> None:
    audit = audit_causality(KINDS[kind], MARKET, unlisted="cash", rebalancing=Weekly())
    assert not audit.passed
    first = audit.findings[0]
    assert first.asset in MARKET.assets
    assert first.before != first.after
    late = kind in ("same_row_macro", "back_filled_listing", "period_end_too_early")  # not at once
    assert first.date <= MARKET.index[0] + pd.Timedelta(40 if late else 7, "D")
    assert "FAILED" in str(audit)
    assert f"first on {first.date:%Y-%m-%d}, the weight of {first.asset!r}" in str(audit)


@pytest.mark.parametrize("place", in_places(MARKET))
def test_a_leak_is_found_wherever_it_hides(place: str) -> None:
    before = state_of(MARKET)
    audit = audit_causality(in_places(MARKET)[place], MARKET, rebalancing=Monthly())
    assert not audit.passed, audit
    assert len(audit.findings) > audit.n_decisions / 3 or place == "the length of the sample"
    assert state_of(MARKET) == before


@pytest.mark.parametrize(
    "place", ["a field with a table, used when made", "a variable around it", "a global"]
)
def test_a_leak_is_found_through_a_function_too(place: str) -> None:
    assert not audit_causality(lambda market: in_places(market)[place], MARKET).passed


# State between calls


def test_a_class_level_cache_is_found_empty_or_filled_by_an_earlier_run() -> None:
    audit = audit_causality(leaks.Cached(), MARKET)
    assert not audit.passed
    assert "remembers" in audit.findings[0].how
    assert leaks.Cached.kept == {}, "what the strategy remembered is brought back"
    leaks.Cached().weights(MARKET)
    filled = dict(leaks.Cached.kept)
    again = audit_causality(leaks.Cached(), MARKET)
    assert "remembers" in again.findings[0].how
    assert leaks.Cached.kept.keys() == filled.keys()
    assert leaks.Cached.kept["mean"] is filled["mean"]


_FILLED: dict[str, Any] = {}
_MEAN: Any = None


@dataclass(frozen=True)
class InModule(Strategy):
    name: str = "module dictionary"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, _FILLED.setdefault("mean", past.returns[list(ASSETS)].mean() * 1e4))


@dataclass(frozen=True)
class InGlobal(Strategy):
    name: str = "global name"

    def weights(self, past: Market) -> dict[str, float]:
        global _MEAN
        if _MEAN is None:
            _MEAN = past.returns[list(ASSETS)].mean() * 1e4
        return by_score(ASSETS, _MEAN)


class OnClass(Strategy):
    name = "class attribute"
    kept: Any = None

    def weights(self, past: Market) -> dict[str, float]:
        if self.kept is None:
            type(self).kept = past.returns[list(ASSETS)].mean() * 1e4
        return by_score(ASSETS, self.kept)


@dataclass(frozen=True)
class OnSelf(Strategy):
    kept: dict[str, Any] = field(default_factory=dict)
    name: str = "dictionary of self"

    def weights(self, past: Market) -> dict[str, float]:
        if not self.kept:
            self.kept["mean"] = past.returns[list(ASSETS)].mean() * 1e4
        return by_score(ASSETS, self.kept["mean"])


@dataclass(frozen=True)
class SetOnSelf(Strategy):
    name: str = "attribute of self"

    def weights(self, past: Market) -> dict[str, float]:
        if not hasattr(self, "_kept"):
            object.__setattr__(self, "_kept", past.returns[list(ASSETS)].mean() * 1e4)
        return by_score(ASSETS, self._kept)  # type: ignore[attr-defined]


def in_nonlocal() -> Strategy:
    kept: Any = None

    @dataclass(frozen=True)
    class Nonlocal(Strategy):
        name: str = "nonlocal"

        def weights(self, past: Market) -> dict[str, float]:
            nonlocal kept
            if kept is None:
                kept = past.returns[list(ASSETS)].mean() * 1e4
            return by_score(ASSETS, kept)

    return Nonlocal()


@pytest.mark.parametrize("make", [InModule, InGlobal, OnClass, OnSelf, SetOnSelf, in_nonlocal])
@pytest.mark.parametrize("warm", [False, True], ids=["empty", "filled by an earlier run"])
def test_what_is_remembered_between_calls_is_found(make: Any, warm: bool) -> None:
    global _MEAN
    _MEAN = OnClass.kept = None
    _FILLED.clear()
    strategy = make()
    if warm:
        strategy.weights(MARKET)
    audit = audit_causality(strategy, MARKET)
    assert not audit.passed
    assert "remembers" in audit.findings[0].how
    assert (_MEAN is not None) == (warm and make is InGlobal)
    assert bool(_FILLED) == (warm and make is InModule)


@dataclass(frozen=True)
class Memo(Strategy):
    """Remembers its answers by date, which is allowed."""

    kept: dict[Any, Any] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=lambda: {"stocks": 0.5, "bonds": 0.25})
    name: str = "memo"

    def weights(self, past: Market) -> dict[str, float]:
        if past.index[-1] not in self.kept:
            rise = float(past.levels[-1, 0] / past.levels[0, 0])
            self.kept[past.index[-1]] = {asset: s / (1 + rise) for asset, s in self.shares.items()}
        return self.kept[past.index[-1]]


def test_remembering_answers_by_date_is_no_leak() -> None:
    strategy = Memo()
    assert audit_causality(strategy, MARKET).passed
    assert not strategy.kept
    strategy.weights(MARKET)
    assert audit_causality(strategy, MARKET).passed
    assert list(strategy.kept) == [MARKET.index[-1]]
    assert strategy.shares == {"stocks": 0.5, "bonds": 0.25}


@dataclass(frozen=True)
class Defaults(Strategy):
    """Reads parameters in ways that fill them, where they are missing, with a constant."""

    shares: dict[str, float]
    name: str = "defaults"

    def weights(self, past: Market) -> dict[str, float]:
        if isinstance(self.shares, collections.defaultdict):
            return {asset: self.shares[asset] for asset in ASSETS}
        return {asset: self.shares.setdefault(asset, 0.0) for asset in past.assets if past.listed(asset)}


@pytest.mark.parametrize("kind", [partial(collections.defaultdict, float), dict])
def test_parameters_with_defaults_are_no_memory(kind: Any) -> None:
    shares = kind(stocks=0.6, bonds=0.4)
    audit = audit_causality(Defaults(shares), MARKET)
    assert audit.passed, audit
    assert shares == {"stocks": 0.6, "bonds": 0.4}


@dataclass(frozen=True, eq=False)
class KeepsMean(Strategy):
    """Keeps the mean of all years: the same at every question, but not in every world."""

    market: Market
    kept: dict[str, Any] = field(default_factory=dict)
    name: str = "keeps the mean"

    def weights(self, past: Market) -> dict[str, float]:
        mean = self.kept.setdefault("mean", self.market.returns[list(ASSETS)].mean() * 1e4)
        return by_score(ASSETS, mean)


def test_a_cache_that_is_filled_alike_by_all_questions_is_a_cache() -> None:
    strategy = KeepsMean(MARKET)
    strategy.weights(MARKET)
    assert not audit_causality(strategy, MARKET).passed


@dataclass(frozen=True)
class Random(Strategy):
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    name: str = "random"

    def weights(self, past: Market) -> dict[str, float]:
        return {"stocks": float(self.rng.random())}


def test_F078_a_strategy_that_does_not_answer_alike_is_found() -> None:
    audit = audit_causality(Random(), MARKET)
    assert len(audit.findings) == audit.n_decisions
    assert all("asked twice" in finding.how for finding in audit.findings)


# What is honest passes


@dataclass(frozen=True)
class Trend(Strategy):
    """Path dependent, refuses early, holds at times, and looks at all that a past has."""

    name: str = "trend"

    def weights(self, past: Market) -> Any:
        if len(past.index) < 60:
            raise InsufficientHistoryError("prices", "too short", rows_needed=60)
        if past.index[-1].month == 7:
            return HOLD
        listed = [asset for asset in past.assets if past.listed(asset)]
        rise = past.returns[listed].tail(40).mean() * 1e3 + past.cash_returns.mean()
        mood = past.signal("growth").values.iloc[-1]
        noted = len(past.notes) + len(past.prices) + len(past.signals)
        return by_score(tuple(listed), rise + mood / noted)


@dataclass(frozen=True)
class Patient(Strategy):
    """Trades half way to its target, which takes knowing what is held."""

    sees_holdings = True
    name: str = "patient"

    def weights(self, past: Market) -> dict[str, float]:
        raise AssertionError("asked without what is held")

    def weights_from(self, past: Market, held: Any) -> dict[str, float]:
        wanted = by_score(ASSETS, past.returns[list(ASSETS)].tail(20).mean() * 1e3)
        return {asset: (held.get(asset, 0.0) + wanted[asset]) / 2.0 for asset in ASSETS}


def causal_table(market: Market) -> Strategy:
    """A table made of trailing means: the second return is the first that has one."""
    returns = market.returns[list(ASSETS)]
    return leaks.table_of(returns.rolling(20, min_periods=2).mean().iloc[1:] * 1e3)


@pytest.mark.parametrize(
    "strategy",
    [Trend(), Patient(), FixedMix({"stocks": 0.6, "bonds": 0.4}), causal_table, causal_table(MARKET)],
    ids=["trend", "patient", "mix", "table by a function", "table"],
)
@pytest.mark.parametrize("rule", [Monthly(), Weekly()], ids=str)
def test_what_is_honest_passes(strategy: Any, rule: Any) -> None:
    audit = audit_causality(strategy, MARKET, rebalancing=rule)
    assert audit.passed, audit
    assert audit.n_decisions >= 6
    assert "passed" in str(audit)


def test_a_table_by_row_of_other_dates_is_not_taken_for_one_of_the_market() -> None:
    """TargetWeights keeps arrays without dates; here with as many rows as the market, a row later."""
    prices = MARKET.prices[list(ASSETS)]
    early = prices.iloc[: len(prices) - 1].pct_change(fill_method=None).fillna(0.0) * 100
    strategy = leaks.table_of(early)
    audit = audit_causality(strategy, MARKET.until(MARKET.index[-2].date()), rebalancing=Weekly())
    assert audit.passed, audit


def test_an_asset_that_is_wanted_before_it_lists_is_no_leak() -> None:
    everything = FixedMix(dict.fromkeys(MARKET.assets, 0.25))
    for policy in ("error", "pro_rata", "cash"):
        assert audit_causality(everything, MARKET, unlisted=policy).passed


def test_refusing_to_decide_by_what_comes_is_found() -> None:
    @dataclass(frozen=True, eq=False)
    class Waits(Strategy):
        market: Market
        name: str = "waits"

        def weights(self, past: Market) -> dict[str, float]:
            if len(past.index) < 100 and self.market.levels[150, 0] < self.market.levels[100, 0]:
                raise InsufficientHistoryError("prices", "no", rows_needed=100)
            return {"stocks": 1.0}

    falls = next(m for m in map(leaky_market, range(9)) if m.levels[150, 0] < m.levels[100, 0])
    audit = audit_causality(Waits(falls), falls)
    assert not audit.passed
    assert audit.findings[0].asset is None
    assert "refused" not in audit.findings[0].how
    assert np.isnan(audit.findings[0].before)


# What is said


def test_simulated_data_are_called_so() -> None:
    audit = audit_causality(FixedMix({"stocks": 0.5}), al.simulate_market(seed=1, years=3))
    assert str(audit).startswith("SIMULATED data: Causality audit of")
    assert "SIMULATED data: " in audit._repr_html_()
    assert "SIMULATED" not in str(audit_causality(FixedMix({"stocks": 0.5}), MARKET))


def test_what_cannot_be_known_is_a_caveat_that_says_what_to_pass() -> None:
    audit = audit_causality(leaks.centred_window(MARKET), MARKET, rebalancing=Monthly())
    assert audit.passed
    text = str(audit)
    assert "TargetWeights.table" in text
    assert "pass audit_causality the function of a market that makes it" in text
    made = audit_causality(causal_table, MARKET, rebalancing=Monthly())
    assert "taken as given" not in str(made)
    assert "TargetWeights.table" not in str(made)


def test_a_function_that_fails_in_another_world_is_a_caveat() -> None:
    def fragile(market: Market) -> Strategy:
        if market.levels.max() > 1e4:
            raise ValueError("no such prices")
        return FixedMix({"stocks": 1.0})

    audit = audit_causality(fragile, MARKET)
    assert audit.passed
    assert "an extreme future: jumps, other listings, delistings: ValueError: no such prices" in str(audit)


def test_the_table_has_a_row_a_finding_and_html_is_escaped() -> None:
    audit = audit_causality(leaks.HoldsMarket(MARKET, name="<b>"), MARKET)
    assert list(audit.table.columns) == ["date", "asset", "before", "after", "how", "detail"]
    assert len(audit.table) == len(audit.findings) == audit.n_decisions
    assert "&lt;b&gt;" in audit._repr_html_()
    assert f"and {len(audit.findings) - 5} more in .table" in str(audit)
    with pytest.raises(AssertionError, match="FAILED"):
        assert audit.passed, audit


def test_fewer_decisions_on_request_with_the_last() -> None:
    all_of_them = audit_causality(Trend(), MARKET, rebalancing=Weekly())
    some = audit_causality(Trend(), MARKET, rebalancing=Weekly(), every=4)
    assert some.n_decisions == 1 + -(-(all_of_them.n_decisions - 1) // 4)
    assert some.n_questions < all_of_them.n_questions / 2


def test_a_tolerance_forgives_what_a_solver_leaves() -> None:
    counter = itertools.count()

    @dataclass(frozen=True)
    class Loose(Strategy):
        name: str = "loose"

        def weights(self, past: Market) -> dict[str, float]:
            return {"stocks": 0.5 + 1e-12 * (next(counter) % 7)}

    assert not audit_causality(Loose(), MARKET).passed
    assert audit_causality(Loose(), MARKET, tolerance=1e-9).passed


# All is as it was


@dataclass(frozen=True, eq=False)
class Fails(Strategy):
    """Fails in a world that is not the real one, and in the real one after some time."""

    frame: pd.DataFrame
    array: np.ndarray[Any, Any]
    interrupts: bool
    rows: int = 10**9
    total: float = field(init=False)
    name: str = "fails"

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", float(self.frame.to_numpy().sum()))

    def weights(self, past: Market) -> dict[str, float]:
        if len(past.index) > self.rows:
            raise ValueError("no")
        if self.interrupts and self.frame.iloc[-1, 0] != MARKET.prices.iloc[-1, 0]:
            raise KeyboardInterrupt
        return {"stocks": 0.5}


@pytest.mark.parametrize("interrupts", [True, False])
def test_all_is_restored_also_after_an_exception(interrupts: bool) -> None:
    frame, array = MARKET.prices, MARKET.levels
    before, kept = state_of(MARKET), frame.copy()
    strategy = Fails(frame, array, interrupts, rows=10**9 if interrupts else 120)
    with pytest.raises(KeyboardInterrupt if interrupts else StrategyError):
        audit_causality(strategy, MARKET)
    assert state_of(MARKET) == before
    pd.testing.assert_frame_equal(frame, kept)
    assert not array.flags.writeable


@dataclass(frozen=True)
class Writes(Strategy):
    """Writes into the memory behind what it is shown."""

    name: str = "writes"

    def weights(self, past: Market) -> dict[str, float]:
        whole = past.levels.base
        whole.flags.writeable = True
        whole[-1, 0] = 7.0
        whole.flags.writeable = False
        return {"stocks": 0.5}


@dataclass(frozen=True)
class Adds(Strategy):
    """Adds to what all pasts share."""

    name: str = "adds"

    def weights(self, past: Market) -> dict[str, float]:
        past._signals["mine"] = past._signals["growth"]  # type: ignore[index]
        return {"stocks": 0.5}


@pytest.mark.parametrize("strategy", [Writes(), Adds()], ids=["prices", "signals"])
def test_writing_into_the_market_is_found_and_undone(strategy: Strategy) -> None:
    market = leaky_market()
    before = state_of(market)
    audit = audit_causality(strategy, market)
    assert "wrote into the market" in audit.findings[0].how
    assert state_of(market) == before


def test_the_same_audit_twice_says_the_same() -> None:
    one, two = (
        audit_causality(KINDS["centred_window"], MARKET, rebalancing=Monthly(), seed=7) for _ in range(2)
    )
    assert str(one) == str(two)
    pd.testing.assert_frame_equal(one.table, two.table)


# Refusals


class Nameless(Strategy):
    def weights(self, past: Market) -> dict[str, float]:
        return {}


def test_whole_numbers_of_numpy_are_numbers() -> None:
    one, two = (
        audit_causality(Trend(), MARKET, every=every, seed=seed)
        for every, seed in ((3, 5), (np.int64(3), np.uint8(5)))
    )
    assert str(one) == str(two)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": Trend}, "strategy: expected a Strategy"),
        ({"strategy": 3}, "strategy: expected a Strategy, got 3"),
        ({"strategy": lambda market: market}, "the function returned Market"),
        ({"market": MARKET.prices}, "market: expected a Market, got DataFrame"),
        ({"every": 0}, "every: 0 is not a number of decisions"),
        ({"every": True}, "every: True"),
        ({"every": 2.0}, "every: 2.0"),
        ({"seed": -1}, "seed: -1 is not a whole number from 0 on"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"strategy": Nameless()}, r"Nameless.* has no name; add a field: name"),
        ({"strategy": lambda market: Nameless()}, "has no name"),
        ({"tolerance": 0.1}, "tolerance: 0.1"),
        ({"tolerance": float("nan")}, "tolerance: nan"),
        ({"unlisted": "no"}, "unlisted"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"strategy": Trend(), "market": MARKET, **change}
    with pytest.raises(InputError, match=message):
        audit_causality(**arguments)


def test_partial_functions_make_strategies_too() -> None:
    assert audit_causality(
        functools.partial(lambda market, share: FixedMix({"stocks": share}), share=0.5), MARKET
    ).passed
    assert isinstance(causal_table(MARKET), TargetWeights)
