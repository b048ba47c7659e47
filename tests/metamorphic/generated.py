"""What all relations run on: generated markets that include what breaks backtesters, and runs in them.

Prices of 1e-90 and of 1e90, flat ones, equal ones, one asset alone, late listings, delistings, negative cash
returns, every spacing from days to years, leverage that ruins.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from markets import NAMES, SPACINGS, calendars, cash_for

import allocator as al
from allocator.errors import AllocatorError

RISKS = (0.0, 1e-4, 0.01, 0.01, 0.08)
WILD = (0.08, 0.3)  # a row of -30 % ruins whoever holds more than three times his money
SCALES = (1e-90, 1e-6, 1.0, 1.0, 100.0, 1e90)
FREE = al.Costs(trading=0.0, borrow_spread=0.0, short_fee=0.0)
RECOVERIES = (0.0, 0.3, 0.95, 1.0)
POWERS = st.sampled_from((0.125, 0.5, 2.0, 64.0))


def examples(n: int) -> settings:
    """Return settings for so many examples: a busy machine draws slowly, a refusal is no example."""
    unhealthy = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=n, deadline=None, suppress_health_check=unhealthy)


@dataclass(frozen=True)
class World:
    """What a market is made of, so that a relation can alter it."""

    prices: pd.DataFrame
    cash: pd.Series | float = 0.0
    delisted: Mapping[str, float] = field(default_factory=dict)

    @property
    def market(self) -> al.Market:
        return al.Market(self.prices, self.cash, delisted=self.delisted)

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(self.prices.columns)

    @property
    def cash_returns(self) -> pd.Series:
        return self.market.cash_returns

    @property
    def spacing(self) -> str:
        return self.market.frequency.name

    def priced(self, prices: pd.DataFrame) -> World:
        return replace(self, prices=prices)


@dataclass(frozen=True)
class Follower(al.Strategy):
    """More of what rose most over the last rows: depends on the path, not on the unit of prices."""

    lookback: int = 2
    gross: float = 1.0
    name: str = "follower"

    def weights(self, past: al.Market) -> dict[str, float]:
        last = len(past.levels) - 1
        then = max(last - self.lookback, 0)
        known = (past.listed_from <= then) & (past.listed_until > last)
        rise = np.where(known, past.levels[last] / np.where(past.levels[then] > 0, past.levels[then], 1), 0.5)
        total = float(np.sum(np.sort(rise)))  # sorted: the same in any order of the assets
        return {a: self.gross * r / total for a, r in zip(past.assets, rise.tolist(), strict=True)}


@dataclass(frozen=True)
class Run:
    """All arguments of a backtest."""

    world: World
    strategy: al.Strategy
    rule: al.Rebalancing | None
    costs: al.Costs = FREE
    lag: int = 0
    unlisted: str = "cash"
    initial_value: float = 1.0
    flows: pd.Series | None = None
    max_leverage: float | None = None
    allow_short: bool = False

    def backtest(self, **others: Any) -> al.Backtest:
        """Run it; what the library refuses is no example."""
        try:
            return self.strict(**others)
        except AllocatorError:
            assume(False)
            raise

    def strict(self, **others: Any) -> al.Backtest:
        """Run it, and let a refusal be an error: the other side of a relation must run, too."""
        return al.run_backtest(
            self.strategy,
            self.world.market,
            rebalancing=self.rule,
            costs=self.costs,
            lag=self.lag,
            unlisted=self.unlisted,
            initial_value=self.initial_value,
            flows=self.flows,
            max_leverage=self.max_leverage,
            allow_short=self.allow_short,
            **others,
        )


# Markets


@st.composite
def worlds(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (8, 40),
    assets: tuple[int, int] = (1, 4),
    late: bool = True,
    delist: bool = True,
    risks: Sequence[float] = RISKS,
    scales: Sequence[float] = SCALES,
    spacings: Sequence[str] = SPACINGS,
) -> World:
    """Any market, drawn as said; the first asset has a price on every row."""
    index = draw(calendars(spacings, rows))
    n_assets = draw(st.integers(*assets))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.normal(0.0, 1.0, (len(index), n_assets))
    steps *= [draw(st.sampled_from(risks)) for _ in range(n_assets)]
    if draw(st.booleans()):
        steps = steps.round(2)  # ties: rows of equal returns, and rows of none
    if n_assets > 1 and draw(st.integers(0, 3)) == 0:
        steps[:, 1] = steps[:, 0]  # equal returns, volatilities and, where the scales are, prices
    scale = [draw(st.sampled_from(scales)) for _ in range(n_assets)]
    levels = np.exp(np.cumsum(steps, axis=0)) * scale
    prices = pd.DataFrame(levels, index=index, columns=list(NAMES[:n_assets]))
    delisted = {}
    for j, asset in enumerate(prices.columns[1:], start=1):
        fate = draw(st.sampled_from(("always", "late", "leaves", "both")))
        first = 0
        if late and fate in ("late", "both"):
            first = draw(st.integers(1, len(index) - 1))
            prices.iloc[:first, j] = np.nan
        if delist and fate in ("leaves", "both") and first + 3 < len(index):
            prices.iloc[draw(st.integers(first + 2, len(index) - 1)) :, j] = np.nan
            delisted[asset] = draw(st.sampled_from(RECOVERIES))
    spacing = al.Market(prices, 0.0, delisted=delisted).frequency.name
    return World(prices, draw(cash_for(index, spacing)), delisted)


def plain_worlds(**options: Any) -> st.SearchStrategy[World]:
    """Markets whose assets are all there from the first row to the last; all else is as hard."""
    return worlds(late=False, delist=False, **options)


@st.composite
def mixes(draw: st.DrawFn, assets: Sequence[str], gross: Sequence[float] = (0.4, 1.0, 1.0, 1.6, 4.0)) -> dict:
    """Weights by asset: ties and zeros among them, less than one, one, or more."""
    parts = draw(st.lists(st.integers(0, 4), min_size=len(assets), max_size=len(assets)))
    total, size = max(sum(parts), 1), draw(st.sampled_from(gross))
    return {asset: size * part / total for asset, part in zip(assets, parts, strict=True)}


@st.composite
def long_short_mixes(draw: st.DrawFn, assets: Sequence[str]) -> dict:
    parts = draw(st.lists(st.integers(-3, 4), min_size=len(assets), max_size=len(assets)))
    total, size = max(sum(map(abs, parts)), 1), draw(st.sampled_from((0.5, 1.0, 2.0)))
    return {asset: size * part / total for asset, part in zip(assets, parts, strict=True)}


def strategies_for(assets: Sequence[str]) -> st.SearchStrategy[al.Strategy]:
    follower = st.builds(Follower, st.integers(1, 4), st.sampled_from((0.8, 1.0, 1.5, 3.0)))
    return st.one_of(mixes(assets).map(al.FixedMix), follower)


def clocks(spacing: str) -> st.SearchStrategy[al.Rebalancing]:
    """The calendars that data of this spacing allow."""
    named = (al.Daily(), al.Weekly(), al.Monthly(), al.Quarterly(), al.Yearly())
    allowed = named[SPACINGS.index(spacing) :]
    return st.one_of(st.sampled_from([*allowed, al.BuyAndHold()]), st.integers(1, 9).map(al.EveryNRows))


@st.composite
def rules(draw: st.DrawFn, spacing: str) -> al.Rebalancing:
    """A calendar, a band, a limit of leverage, or two of them."""
    clock = clocks(spacing)
    band = st.builds(
        al.Band,
        st.sampled_from((0.003, 0.011, 0.047)),
        st.booleans(),
        st.sampled_from(("target", "edge", "halfway")),
        st.none() | clock,
    )
    limit = st.sampled_from((1.23, 1.7, 4.3)).map(al.LeverageAbove)
    one = draw(st.one_of(clock, clock, band, limit))
    return one | draw(st.one_of(clock, band)) if draw(st.integers(0, 3)) == 0 else one


@st.composite
def proportional_costs(draw: st.DrawFn, assets: Sequence[str]) -> al.Costs:
    """Costs that are in proportion to the money, of every kind, some by asset."""
    rate = st.sampled_from((0.0, 0.0005, 0.003, 0.02))
    by_asset = st.one_of(rate, st.fixed_dictionaries(dict.fromkeys(assets, rate)))
    return al.Costs(
        trading=draw(by_asset),
        selling=draw(st.none() | by_asset),
        bid_ask=draw(st.sampled_from((0.0, 0.004))),
        borrow_spread=draw(st.sampled_from((0.0, 0.005, 0.05))),
        management_fee=draw(st.sampled_from((0.0, 0.0, 0.01))),
        model=draw(st.sampled_from(("exact", "exact", "first_order"))),
    )


@st.composite
def runs(draw: st.DrawFn, **options: Any) -> Run:
    """Any run in any market: proportional costs, no flows, no shorts."""
    world = draw(worlds(**options))
    return Run(
        world,
        draw(strategies_for(world.assets)),
        draw(rules(world.spacing)),
        draw(proportional_costs(world.assets)),
        draw(st.integers(0, 3)),
        draw(st.sampled_from(("cash", "pro_rata"))),
    )


@st.composite
def calendar_runs(draw: st.DrawFn, world: st.SearchStrategy[World] | None = None, **options: Any) -> Run:
    """A fixed mix under a calendar: what it trades depends on nothing but prices."""
    one = draw(worlds(**options) if world is None else world)
    return Run(
        one,
        al.FixedMix(draw(mixes(one.assets))),
        draw(clocks(one.spacing)),
        draw(proportional_costs(one.assets)),
        draw(st.integers(0, 3)),
    )


# Comparisons


def rounding(*records: al.Backtest) -> float:
    """Return how far rounding may carry: an error of the holdings is one of the value times the leverage."""
    return 1e-12 * max(1.0, *(float(np.abs(r.weights.iloc[:, :-1]).sum(axis=1).max()) for r in records))


def assert_same_wealth(one: al.Backtest, other: al.Backtest, factor: float | np.ndarray = 1.0) -> None:
    """Demand the same value on every date, and the same end, to rounding."""
    assert one.ruined_on == other.ruined_on
    a, b = one.value.to_numpy(), other.value.to_numpy() * factor
    np.testing.assert_allclose(b, a, rtol=len(a) * rounding(one, other), atol=0.0)


def assert_same_bits(
    one: al.Backtest, other: al.Backtest, names: Sequence[str] = ("value", "turnover")
) -> None:
    for name in (*names, "returns"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.index.equals(b.index), name
        assert np.array_equal(a.to_numpy(), b.to_numpy()), name


# Returns


@st.composite
def return_tables(
    draw: st.DrawFn,
    *,
    rows: tuple[int, int] = (12, 60),
    series: tuple[int, int] = (1, 4),
    spacings: Sequence[str] = ("daily", "weekly", "monthly", "quarterly", "yearly"),
    risks: Sequence[float] = (1e-7, 1e-4, 0.01, 0.08),
) -> pd.DataFrame:
    """Simple returns with ties, outliers and duplicates, none of them constant."""
    index = draw(calendars(spacings, rows))
    n = draw(st.integers(*series))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(0.1, 1.0, (len(index), n))
    if draw(st.booleans()):
        values = rng.standard_t(3, values.shape).clip(-8.0, 8.0)
    if draw(st.booleans()):
        values = values.round(1)
        values[:2] = [[-1.0], [1.5]]  # whatever was rounded, it is no constant
    if n > 1 and draw(st.integers(0, 3)) == 0:
        values[:, 1] = values[:, 0]
    values *= [draw(st.sampled_from(risks)) for _ in range(n)]
    return pd.DataFrame(values, index=index, columns=list(NAMES[:n]))


def one_series(**options: Any) -> st.SearchStrategy[pd.Series]:
    return return_tables(series=(1, 1), **options).map(lambda table: table.iloc[:, 0])


@st.composite
def pairs(draw: st.DrawFn, **options: Any) -> tuple[pd.Series, pd.Series]:
    """Two series that are correlated, neither perfectly nor not at all."""
    table = draw(return_tables(series=(2, 2), **options))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = table.iloc[:, 0]
    y = draw(st.sampled_from((-0.7, 0.2, 2.0))) * x + x.std() * rng.normal(0.0, 1.0, len(x))
    return x.rename("x"), y.clip(-0.9, 3.0).rename("y")


def quietly(function: Any, *arguments: Any, **options: Any) -> Any:
    """Call a statistic; that it may be undefined is part of the relation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **options)
