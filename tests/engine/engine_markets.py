"""Random markets, rules and strategies for the tests of the engine."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from markets import NAMES, SPACINGS, cash_for, market_frames, markets

from allocator.engine import (
    HOLD,
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    Hold,
    LeverageAbove,
    Monthly,
    OnDates,
    Quarterly,
    Rebalancing,
    Strategy,
    TargetWeights,
    Weekly,
    Yearly,
)
from allocator.errors import InsufficientHistoryError
from allocator.market import Market

SHARED = Path(__file__).resolve().parents[3] / "shared"
_VOLATILITY = {"daily": 0.02, "weekly": 0.04, "monthly": 0.08, "quarterly": 0.12, "yearly": 0.2}
_CASH = {"daily": 0.0005, "weekly": 0.001, "monthly": 0.005, "quarterly": 0.01, "yearly": 0.05}


def shared_csv(path: str, **options: Any) -> pd.DataFrame:
    """Read a file of the panels and cases that stand beside the checkout, or skip the test."""
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return pd.read_csv(SHARED / path, index_col=0, parse_dates=True, **options)


@dataclass(frozen=True)
class Fixed(Strategy):
    """The same weights at every date."""

    target: tuple[tuple[str, float], ...]
    name: str = "fixed"

    def weights(self, past: Market) -> dict[str, float]:
        return dict(self.target)


def fixed(weights: Mapping[str, float]) -> Fixed:
    return Fixed(tuple(weights.items()))


@dataclass(frozen=True)
class Momentum(Strategy):
    """Depends on the path: what rose over ``lookback`` rows gets more, also what is not listed yet."""

    lookback: int = 3
    gross: float = 1.0
    name: str = "momentum"

    def weights(self, past: Market) -> dict[str, float]:
        last = len(past.index) - 1
        if last < self.lookback:
            raise InsufficientHistoryError("prices", "too short", rows_needed=self.lookback + 1)
        scores = []
        for j in range(len(past.assets)):
            known = last - past.listed_from[j] >= self.lookback
            rise = past.levels[last, j] / past.levels[last - self.lookback, j] - 1.0 if known else 0.0
            scores.append(max(rise, 0.0) + 0.1)
        return {asset: self.gross * s / sum(scores) for asset, s in zip(past.assets, scores, strict=True)}


@dataclass(frozen=True)
class Restless(Strategy):
    """Wants more of what rose, may be short of what fell, and holds on every ``patience``-th row."""

    lookback: int = 2
    gross: float = 1.0
    short: bool = False
    patience: int = 0
    wants_gone: bool = False
    name: str = "restless"

    def weights(self, past: Market) -> dict[str, float] | Hold:
        recent = past.prices.to_numpy()[-1 - self.lookback :].tolist()
        cells = [[None if np.isnan(price) else price for price in row] for row in recent]
        wish = self.wish(cells, len(past.index))
        if wish is None:
            raise InsufficientHistoryError("prices", "too short", rows_needed=self.lookback + 1)
        return HOLD if isinstance(wish, str) else dict(zip(past.assets, wish, strict=True))

    def wish(self, recent: list[list[float | None]], n_rows: int) -> list[float] | str | None:
        """Return what is wanted, seeing the last rows of so many; the ledger asks this directly."""
        if n_rows <= self.lookback:
            return None
        if self.patience and n_rows % self.patience == 0:
            return "hold"
        scores = [self._score(then, now) for then, now in zip(recent[0], recent[-1], strict=True)]
        total = sum(abs(score) for score in scores)
        return [self.gross * score / total if total else 0.0 for score in scores]

    def _score(self, then: float | None, now: float | None) -> float:
        if now is None:
            return 0.2 * self.wants_gone
        rise = now / then - 1.0 if then is not None else 0.0
        return max(rise, 0.0) + 0.1 if rise >= 0.0 or not self.short else rise - 0.1


def dates(frequency: str, n_rows: int, start: pd.Timestamp, rng: np.random.Generator) -> pd.DatetimeIndex:
    """Return dates with holidays (daily), on any weekday (weekly), or on the last working day of a period."""
    if frequency == "daily":
        days = pd.bdate_range(start, periods=2 * n_rows)
        keep = rng.random(len(days)) > 0.06
        keep[::9] = True  # no gap beyond the longest that daily data may have
        return days[keep][:n_rows]
    if frequency == "weekly":
        return pd.date_range(start, periods=n_rows, freq="7D")
    step = {"monthly": "BME", "quarterly": "BQE-DEC", "yearly": "BYE-DEC"}[frequency]
    return pd.date_range(start, periods=n_rows, freq=step)


def random_market(
    seed: int,
    n_assets: int = 3,
    n_rows: int = 60,
    frequency: str = "daily",
    *,
    late: tuple[int, ...] = (),
    scale: float = 1.0,
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Return prices and cash returns; ``late`` are the rows at which the first assets list."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("1931-01-01") + pd.Timedelta(int(rng.integers(0, 30_000)), "D")
    index = dates(frequency, n_rows, start, rng)
    steps = rng.normal(0.0, scale * _VOLATILITY[frequency], (n_rows, n_assets))
    levels = np.exp(np.cumsum(steps, axis=0)) * rng.uniform(0.1, 1000.0, n_assets)
    for j, row in enumerate(late[:n_assets]):
        levels[:row, j] = np.nan
    cash = rng.normal(0.2, 1.0, n_rows) * _CASH[frequency]
    return pd.DataFrame(levels, index=index, columns=list(NAMES[:n_assets])), pd.Series(cash, index=index)


def small_markets() -> st.SearchStrategy[Market]:
    """Markets of any frequency, with late listings, in which a run takes milliseconds."""
    return markets(market_frames(rows=(12, 70), assets=(1, 5)))


def rules(frequency: str) -> st.SearchStrategy[Rebalancing]:
    """The rules that data of this frequency allow."""
    calendar: list[tuple[str, Rebalancing]] = [
        ("daily", Daily()),
        ("weekly", Weekly()),
        ("monthly", Monthly()),
        ("quarterly", Quarterly()),
        ("yearly", Yearly()),
    ]
    order = list(SPACINGS)
    allowed = [rule for name, rule in calendar if order.index(name) >= order.index(frequency)]
    return st.one_of(
        st.sampled_from([*allowed, BuyAndHold()]),
        st.integers(1, 20).map(EveryNRows),
        st.sampled_from((0.003, 0.01, 0.04, 0.1)).map(Band),
    )


@st.composite
def targets(draw: st.DrawFn, assets: tuple[str, ...]) -> Fixed:
    """Fixed weights that sum to less than one, to one or to more, with zeros among them."""
    parts = draw(st.lists(st.integers(0, 10), min_size=len(assets), max_size=len(assets)))
    gross = draw(st.sampled_from((0.35, 0.9, 1.0, 1.0, 1.3, 3.0)))
    return Fixed(tuple((a, gross * p / max(sum(parts), 1)) for a, p in zip(assets, parts, strict=True)))


def any_strategy(assets: tuple[str, ...]) -> st.SearchStrategy[Strategy]:
    moving = st.builds(Momentum, lookback=st.integers(1, 4), gross=st.sampled_from((0.8, 1.0, 1.5)))
    return st.one_of(targets(assets), moving)


@st.composite
def any_costs(draw: st.DrawFn, assets: tuple[str, ...]) -> Costs:
    rate = st.sampled_from((0.0, 0.0005, 0.003, 0.02, 0.05))
    trading = draw(st.one_of(rate, st.fixed_dictionaries(dict.fromkeys(assets, rate))))
    return Costs(trading, draw(st.sampled_from((0.0, 0.005, 0.05))))


# Everything that a run can be asked for, in combination


@st.composite
def delisting_markets(draw: st.DrawFn) -> tuple[Market, dict[str, float]]:
    """Markets in which assets list late and leave early, and what is recovered of those that left."""
    frame = draw(market_frames(rows=(12, 50), assets=(1, 4)))
    recovery = {}
    for asset in frame.columns[1:]:  # the first asset is there on every row
        first = int(frame[asset].notna().to_numpy().argmax())
        if first + 3 < len(frame) and draw(st.booleans()):
            gone = draw(st.integers(first + 2, len(frame) - 1))
            frame.loc[frame.index[gone] :, asset] = np.nan
            recovery[asset] = draw(st.sampled_from((0.0, 0.3, 0.95, 1.0)))
    spacing = Market(frame, 0.0, delisted=recovery).frequency.name
    return Market(frame, draw(cash_for(frame.index, spacing)), delisted=recovery), recovery


def _days(index: pd.DatetimeIndex) -> st.SearchStrategy[pd.Timestamp]:
    """Dates in a market: on its rows, and between them."""
    span = (index[-1] - index[0]).days
    between = st.integers(0, span).map(lambda day: index[0] + pd.Timedelta(day, "D"))
    return st.one_of(st.sampled_from(list(index)), between)


@st.composite
def _bands(draw: st.DrawFn, market: Market, clocks: st.SearchStrategy[Rebalancing]) -> Band:
    relative = draw(st.booleans())
    one = st.sampled_from((0.02, 0.1, 0.3) if relative else (0.003, 0.01, 0.04))
    width = draw(st.one_of(one, st.fixed_dictionaries(dict.fromkeys(market.assets, one))))
    to = draw(st.sampled_from(("target", "edge", "halfway")))
    return Band(width, relative=relative, to=to, on=draw(st.one_of(st.none(), clocks)))


@st.composite
def all_rules(draw: st.DrawFn, market: Market) -> Rebalancing:
    """One rule, or two or three at once."""
    order, days = list(SPACINGS), st.lists(_days(market.index), min_size=1, max_size=6, unique=True)
    named = (Daily(), Weekly(), Monthly(), Quarterly(), Yearly())
    allowed = [
        r
        for r, name in zip(named, order, strict=True)
        if order.index(name) >= order.index(market.frequency.name)
    ]
    clocks: st.SearchStrategy[Rebalancing] = st.one_of(
        st.sampled_from([*allowed, BuyAndHold()]),
        st.integers(2, 20).map(EveryNRows),
        days.map(lambda chosen: OnDates(sorted(chosen))),
    )
    limits = st.sampled_from((0.77, 1.01, 1.4, 1.63, 2.1)).map(LeverageAbove)
    one = st.one_of(clocks, _bands(market, clocks), _bands(market, clocks), limits)
    return functools.reduce(operator.or_, draw(st.lists(one, min_size=1, max_size=3)))


@st.composite
def all_costs(draw: st.DrawFn, assets: tuple[str, ...]) -> Costs:
    """Costs of every kind, by asset and by side."""

    def by_asset(*numbers: float) -> st.SearchStrategy[float | dict[str, float]]:
        one = st.sampled_from(numbers)
        return st.one_of(one, st.fixed_dictionaries(dict.fromkeys(assets, one)))

    rates = (0.0, 0.0005, 0.003, 0.02)
    return Costs(
        trading=draw(by_asset(*rates)),
        selling=draw(st.one_of(st.none(), by_asset(*rates))),
        bid_ask=draw(by_asset(0.0, 0.001, 0.02)),
        fixed=draw(st.sampled_from((0.0, 0.0, 0.01, 1.0))),
        model=draw(st.sampled_from(("exact", "first_order"))),
        borrow_spread=draw(st.sampled_from((0.0, 0.005, 0.05))),
        short_fee=draw(by_asset(0.0, 0.01, 0.2)),
        management_fee=draw(st.sampled_from((0.0, 0.0, 0.01, 0.05))),
    )


@st.composite
def _tables(draw: st.DrawFn, market: Market, weights: st.SearchStrategy[Fixed]) -> TargetWeights:
    days = sorted(draw(st.lists(_days(market.index), min_size=1, max_size=8, unique=True)))
    rows = [dict(draw(weights).target) for _ in days]
    columns = draw(st.permutations(market.assets))
    return TargetWeights(pd.DataFrame(rows, index=pd.DatetimeIndex(days))[list(columns)])


@st.composite
def long_short(draw: st.DrawFn, assets: tuple[str, ...]) -> Fixed:
    parts = draw(st.lists(st.integers(-6, 10), min_size=len(assets), max_size=len(assets)))
    gross = draw(st.sampled_from((0.5, 1.0, 1.5, 2.5))) / max(sum(map(abs, parts)), 1)
    return Fixed(tuple((a, gross * p) for a, p in zip(assets, parts, strict=True)))


def all_strategies(market: Market, *, allow_short: bool) -> st.SearchStrategy[Strategy]:
    """Weights that stay, that follow prices, or that come from a table; with shorts if these are allowed."""
    mixes = long_short(market.assets) if allow_short else targets(market.assets)
    restless = st.builds(
        Restless,
        lookback=st.integers(0, 3),
        gross=st.sampled_from((0.8, 1.0, 1.5)),
        short=st.just(allow_short),
        patience=st.sampled_from((0, 2, 3)),
        wants_gone=st.booleans(),
    )
    return st.one_of(mixes, restless, restless, _tables(market, mixes))


def all_flows(market: Market, initial_value: float) -> st.SearchStrategy[dict[dt.date, float]]:
    """Up to six contributions and withdrawals, on rows and between them."""
    sizes = st.sampled_from((-0.4, -0.1, -0.01, 0.02, 0.3, 2.0)).map(lambda part: part * initial_value)
    late = _days(market.index[len(market.index) // 4 :]).map(lambda day: day.date())
    return st.one_of(st.just({}), st.dictionaries(late, sizes, max_size=6))
