"""One run written twice, for the engine and as instructions for the ledger, and the comparison of both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from engine_markets import (
    Fixed,
    Momentum,
    Restless,
    all_costs,
    all_flows,
    all_rules,
    all_strategies,
    delisting_markets,
    fixed,
    long_short,
    random_market,
)
from hypothesis import strategies as st
from ledger import Book, Ceiling, Clock, Decide, Fence, Instructions, Row, Terms

from allocator.engine import (
    AnyOf,
    Backtest,
    Band,
    Costs,
    EveryNRows,
    LeverageAbove,
    OnDates,
    Rebalancing,
    Strategy,
    TargetWeights,
    run_backtest,
)
from allocator.market import Market

TOLERANCE = 1e-12
_NOMINAL_YEARS = {"daily": None, "weekly": None, "monthly": 1 / 12, "quarterly": 1 / 4, "yearly": 1.0}


@dataclass(frozen=True)
class Setup:
    """What is asked of both; ``rule`` None is for a table, which has its own dates."""

    strategy: Strategy
    market: Market
    rule: Rebalancing | None
    costs: Costs
    lag: int
    unlisted: str = "error"
    recovery: Mapping[str, float] = field(default_factory=dict)
    initial_value: float = 1.0
    flows: Mapping[dt.date, float] = field(default_factory=dict)
    max_leverage: float | None = None
    allow_short: bool = False

    def backtest(self) -> Backtest:
        flows = pd.Series(dict(self.flows), dtype=float)
        flows.index = pd.DatetimeIndex(flows.index)
        return run_backtest(
            self.strategy,
            self.market,
            rebalancing=self.rule,
            costs=self.costs,
            lag=self.lag,
            unlisted=self.unlisted,
            initial_value=self.initial_value,
            flows=flows.sort_index() if len(flows) else None,
            max_leverage=self.max_leverage,
            allow_short=self.allow_short,
        )

    def instructions(self) -> Instructions:
        market, assets = self.market, self.market.assets
        cells = [[None if np.isnan(p) else p for p in row] for row in market.prices.to_numpy().tolist()]
        dates = list(market.index.date)
        return Instructions(
            dates=dates,
            prices=cells,
            cash=[0.0, *market.cash_returns.tolist()],
            decide=by_hand(self.strategy, assets, dates),
            rules=_rules(self.strategy, self.rule, assets),
            lag=self.lag,
            terms=_terms(self.costs, assets),
            unlisted=self.unlisted,
            recovery=[self.recovery.get(asset, 1.0) for asset in assets],
            nominal_years=_NOMINAL_YEARS[market.frequency.name],
            initial=self.initial_value,
            flows=dict(self.flows),
            max_leverage=self.max_leverage,
            allow_short=self.allow_short,
        )


# Random runs


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    market, recovery = draw(delisting_markets())
    allow_short = draw(st.booleans())
    strategy = draw(all_strategies(market, allow_short=allow_short))
    initial_value = draw(st.sampled_from((1.0, 1000.0)))
    has_own_dates = isinstance(strategy, TargetWeights) and draw(st.booleans())
    costs = draw(all_costs(market.assets))
    return Setup(
        strategy=strategy,
        market=market,
        rule=None if has_own_dates else draw(all_rules(market)),
        costs=replace(costs, fixed=costs.fixed * initial_value / 1000.0),
        lag=draw(st.integers(0, 3)),
        unlisted=draw(st.sampled_from(("error", "pro_rata", "cash"))),
        recovery=recovery,
        initial_value=initial_value,
        flows=draw(all_flows(market, initial_value)),
        max_leverage=draw(st.sampled_from((None, None, 0.7, 1.2))),
        allow_short=allow_short,
    )


@st.composite
def wild_setups(draw: st.DrawFn) -> Setup:
    """Levered and short in a market that moves by half, with withdrawals: most end in ruin."""
    n_assets = draw(st.integers(1, 3))
    prices, cash = random_market(draw(st.integers(0, 2**32 - 1)), n_assets, 40, "monthly", scale=3.0)
    market = Market(prices, cash)
    once = draw(long_short(market.assets))
    return Setup(
        strategy=fixed({asset: 3.0 * weight for asset, weight in once.target}),
        market=market,
        rule=draw(all_rules(market)),
        costs=replace(draw(all_costs(market.assets)), fixed=draw(st.sampled_from((0.0, 0.017)))),
        lag=draw(st.integers(0, 2)),
        flows=draw(all_flows(market, 1.0)),
        allow_short=True,
    )


# The same instructions in the words of the ledger


def by_hand(strategy: Strategy, assets: tuple[str, ...], dates: list[dt.date]) -> Decide:
    """Write the strategies of these tests again, on rows of prices."""
    if isinstance(strategy, Fixed):
        wanted = dict(strategy.target)
        return lambda _: [wanted.get(asset, 0.0) for asset in assets]
    if isinstance(strategy, Momentum):
        return lambda prices: _momentum(prices, strategy.lookback, strategy.gross)
    if isinstance(strategy, Restless):
        return lambda prices: strategy.wish(prices[-1 - strategy.lookback :], len(prices))
    assert isinstance(strategy, TargetWeights)
    columns = [list(strategy.table.columns).index(a) if a in strategy.table else None for a in assets]
    days, rows = list(strategy.table.index.date), strategy.table.to_numpy().tolist()
    table = [[0.0 if c is None else row[c] for c in columns] for row in rows]
    return lambda prices: _latest(days, table, dates[len(prices) - 1])


def _momentum(prices: list[Row], lookback: int, gross: float) -> list[float] | None:
    if len(prices) <= lookback:
        return None
    scores = []
    for now, then in zip(prices[-1], prices[-1 - lookback], strict=True):
        rise = now / then - 1 if now is not None and then is not None else 0.0
        scores.append(max(rise, 0.0) + 0.1)
    return [gross * score / sum(scores) for score in scores]


def _latest(days: list[dt.date], table: list[list[float]], today: dt.date) -> list[float] | None:
    known = [row for day, row in zip(days, table, strict=True) if day <= today]
    return list(known[-1]) if known else None


def _rules(
    strategy: Strategy, rule: Rebalancing | None, assets: tuple[str, ...]
) -> list[Clock | Fence | Ceiling]:
    if rule is None:
        assert isinstance(strategy, TargetWeights)
        return [Clock("OnDates", days=tuple(strategy.table.index.date))]
    return [_rule(part, assets) for part in (rule.rules if isinstance(rule, AnyOf) else [rule])]


def _rule(rule: Rebalancing, assets: tuple[str, ...]) -> Clock | Fence | Ceiling:
    if isinstance(rule, Band):
        clock = None if rule.on is None else _clock(rule.on)
        return Fence(_by_asset(rule.width, assets), rule.relative, rule.to, clock)
    return Ceiling(rule.limit) if isinstance(rule, LeverageAbove) else _clock(rule)


def _clock(rule: Rebalancing) -> Clock:
    days = tuple(day.date() for day in rule.dates) if isinstance(rule, OnDates) else ()
    return Clock(type(rule).__name__, rule.n if isinstance(rule, EveryNRows) else 0, days)


def _terms(costs: Costs, assets: tuple[str, ...]) -> Terms:
    buy = _by_asset(costs.trading, assets)
    return Terms(
        buy=buy,
        sell=buy if costs.selling is None else _by_asset(costs.selling, assets),
        bid_ask=_by_asset(costs.bid_ask, assets),
        short_fee=_by_asset(costs.short_fee, assets),
        fixed=costs.fixed,
        first_order=costs.model == "first_order",
        borrow_spread=costs.borrow_spread,
        management_fee=costs.management_fee,
    )


def _by_asset(rate: float | Mapping[str, float], assets: tuple[str, ...]) -> list[float]:
    return [float(rate[asset]) if isinstance(rate, Mapping) else float(rate) for asset in assets]


# The comparison


def assert_same(backtest: Backtest, book: Book, setup: Setup) -> None:
    """Demand that the engine's record is what the ledger wrote down, to rounding."""
    index, rows = setup.market.index, list(book.days)
    assert list(backtest.value.index) == [index[row] for row in rows]
    assert backtest.ruined_on == (None if book.ruined is None else index[book.ruined])
    _assert_same_decisions(backtest, book, index)
    tolerance = _tolerance(book, setup)
    value = np.array([day.value for day in book.days.values()])
    np.testing.assert_allclose(backtest.value, value, rtol=tolerance, atol=0.0)
    # What is small beside the portfolio is compared on the scale of the portfolio.
    scale = np.append(setup.initial_value, value[:-1])
    scale = np.maximum(scale, [abs(day.flow) for day in book.days.values()])[:, None]
    for name, found, expected in _tables(backtest, book):
        money = 1.0 if name in ("weights", "turnover") else scale
        np.testing.assert_allclose(
            found / money, expected / money, rtol=tolerance, atol=tolerance, err_msg=name
        )
    np.testing.assert_allclose(
        backtest.returns, _returns(book, setup.initial_value), rtol=0, atol=10 * tolerance
    )


def _assert_same_decisions(backtest: Backtest, book: Book, index: pd.DatetimeIndex) -> None:
    was_decided = backtest.decided.notna()
    trades = {row: day.decided for row, day in book.days.items() if day.decided is not None}
    assert list(backtest.targets.index[was_decided]) == [index[row] for row in trades]
    assert list(backtest.decided[was_decided]) == [index[row] for row in trades.values()]
    last = list(book.days)[-1]
    assert list(backtest.capped[backtest.capped <= index[last]]) == [index[row] for row in book.capped]


def _tolerance(book: Book, setup: Setup) -> float:
    """Leverage and withdrawals magnify rounding, and interest the last bit that one of the two holds."""
    market, costs = setup.market, setup.costs
    years = max(1.0, len(market.index) / market.frequency.periods_per_year)
    interest = float(np.prod(1.0 + np.abs(market.cash))) * (1.0 + costs.borrow_spread) ** years
    return TOLERANCE * max(1.0, book.highest_leverage, interest / 100.0) * book.shrunk


def _tables(backtest: Backtest, book: Book) -> list[tuple[str, Any, Any]]:
    """Return name, the engine's and the ledger's numbers of each table, a row a close."""
    days, dates = list(book.days.values()), backtest.value.index
    none = [0.0] * len(days[0].gains)

    def on_all_rows(table: pd.DataFrame | pd.Series[float]) -> Any:
        numbers = table.reindex(dates).fillna(0.0).to_numpy()
        return numbers if numbers.ndim == 2 else numbers[:, None]

    by_asset = backtest.costs_by_asset
    tables = [
        ("weights", backtest.weights.drop(columns="cash").to_numpy(), [day.weights for day in days]),
        ("trades", on_all_rows(backtest.trades), [day.trades or none for day in days]),
        ("costs", on_all_rows(backtest.trading_costs), [day.costs() for day in days]),
        ("turnover", on_all_rows(backtest.turnover), [[day.turnover] for day in days]),
        ("itemised", backtest.itemised.to_numpy(), [_items(day) for day in days]),
    ]
    tables += [
        (kind, by_asset[kind].to_numpy(), [[-cost for cost in getattr(day, kind)] for day in days])
        for kind in ("commissions", "bid_ask", "fixed", "short_fees")
    ]
    return [(name, np.asarray(found), np.asarray(expected)) for name, found, expected in tables]


def _items(day: Any) -> list[float]:
    names = ("gains", "interest", "borrow_spread", "short_fees", "commissions", "bid_ask", "fixed")
    items = [getattr(day, name) for name in (*names, "management_fee", "flow", "written_off")]
    return [sum(item) if isinstance(item, list) else item for item in items]


def _returns(book: Book, initial: float) -> list[float]:
    days = list(book.days.values())
    before = [initial, *(day.value for day in days[1:])]
    return [(day.value - day.flow) / b - 1.0 for day, b in zip(days[1:], before, strict=False)]
