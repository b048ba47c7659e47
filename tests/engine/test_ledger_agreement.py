"""The engine agrees with the book kept by hand, day by day, on every rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_markets import (
    Fixed,
    Momentum,
    any_costs,
    any_strategy,
    fixed,
    random_market,
    rules,
    shared_csv,
    small_markets,
    targets,
)
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from ledger import Book, Decide, Row, keep_book

from allocator.engine import (
    Backtest,
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    Monthly,
    Quarterly,
    Rebalancing,
    Strategy,
    Weekly,
    Yearly,
    run_backtest,
)
from allocator.errors import InsufficientHistoryError
from allocator.market import Market

TOLERANCE = 1e-12
_NOMINAL_YEARS = {"daily": None, "weekly": None, "monthly": 1 / 12, "quarterly": 1 / 4, "yearly": 1.0}


def by_hand(strategy: Strategy, assets: tuple[str, ...]) -> Decide:
    """Write the two strategies of these tests again, on rows of prices."""
    if isinstance(strategy, Fixed):
        wanted = dict(strategy.target)
        return lambda _: [wanted.get(asset, 0.0) for asset in assets]
    assert isinstance(strategy, Momentum)
    return lambda prices: _momentum(prices, strategy.lookback, strategy.gross)


def _momentum(prices: list[Row], lookback: int, gross: float) -> list[float] | None:
    if len(prices) <= lookback:
        return None
    scores = []
    for now, then in zip(prices[-1], prices[-1 - lookback], strict=True):
        rise = now / then - 1 if now is not None and then is not None else 0.0
        scores.append(max(rise, 0.0) + 0.1)
    return [gross * score / sum(scores) for score in scores]


def book_of(
    strategy: Strategy, market: Market, rule: Rebalancing, costs: Costs, lag: int, unlisted: str = "error"
) -> Book:
    cells = [[None if np.isnan(p) else p for p in row] for row in market.prices.to_numpy().tolist()]
    rates = costs.trading
    return keep_book(
        list(market.index.date),
        cells,
        [0.0, *market.cash_returns.tolist()],
        by_hand(strategy, market.assets),
        (type(rule).__name__, getattr(rule, "n", getattr(rule, "width", 0))),
        lag,
        [rates[a] if isinstance(rates, dict) else rates for a in market.assets],
        costs.borrow_spread,
        _NOMINAL_YEARS[market.frequency.name],
        unlisted,
    )


def assert_same(backtest: Backtest, book: Book, market: Market) -> None:
    rows, trade_rows = sorted(book.worth), sorted(book.trades)
    assert list(backtest.value.index) == [market.index[row] for row in rows]
    assert list(backtest.targets.index) == [market.index[row] for row in trade_rows]
    assert list(backtest.decided) == [market.index[book.decided[row]] for row in trade_rows]
    assert backtest.ruined_on == (None if book.ruined is None else market.index[book.ruined])
    value = pd.Series(book.worth)[rows].to_numpy()
    # Leverage magnifies rounding; so does interest, of the last bit that one of the two holds in cash.
    years = max(1.0, len(value) / market.frequency.periods_per_year)
    interest = float(np.prod(1.0 + np.abs(market.cash))) * (1.0 + backtest.costs.borrow_spread) ** years
    tolerance = TOLERANCE * max(1.0, book.highest_leverage, interest / 100.0)
    np.testing.assert_allclose(backtest.value, value, rtol=tolerance, atol=0.0)
    # What is small beside the portfolio is compared on the scale of the portfolio.
    before = np.append(value[:1], value[:-1])
    at_trade = np.array([1.0 if r == rows[0] else book.worth[r] for r in trade_rows])[:, None]
    for mine, theirs, scale in (
        (backtest.weights.drop(columns="cash"), [book.weights[r] for r in rows], 1.0),
        (backtest.trades, [book.trades[r] for r in trade_rows], at_trade),
        (backtest.trading_costs, [book.costs[r] for r in trade_rows], at_trade),
        (backtest.turnover, [book.turnover[r] for r in trade_rows], 1.0),
        (backtest.interest, [book.interest[r] for r in rows[1:]], before[1:]),
    ):
        found, expected = np.asarray(mine), np.asarray(theirs)
        np.testing.assert_allclose(found / scale, expected / scale, rtol=tolerance, atol=tolerance)


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    market = draw(small_markets())
    return {
        "strategy": draw(any_strategy(market.assets)),
        "market": market,
        "rule": draw(rules(market.frequency.name)),
        "costs": draw(any_costs(market.assets)),
        "lag": draw(st.integers(0, 5)),
        "unlisted": draw(st.sampled_from(("error", "pro_rata", "cash"))),
    }


@st.composite
def wild_runs(draw: st.DrawFn) -> dict[str, Any]:
    """Up to nine times levered in a market that moves by half: most end in ruin."""
    n_assets = draw(st.integers(1, 3))
    prices, cash = random_market(draw(st.integers(0, 2**32 - 1)), n_assets, 40, "monthly", scale=3.0)
    market = Market(prices, cash)
    once = draw(targets(market.assets))
    levered = fixed({asset: 3.0 * weight for asset, weight in once.target})
    return {
        "strategy": levered,
        "market": market,
        "rule": draw(rules("monthly")),
        "costs": draw(any_costs(market.assets)),
        "lag": draw(st.integers(0, 2)),
    }


def check(run: dict[str, Any]) -> Book:
    book = book_of(**run)
    assume(book.closest_call > 1e-9)  # not so near a tie that rounding decides
    assume(book.highest_leverage < 100)  # not so near ruin that rounding is all there is
    strategy, market, rule, options = run["strategy"], run["market"], run["rule"], dict(run)
    for argument in ("strategy", "market", "rule"):
        del options[argument]
    if not book.worth:
        with pytest.raises(InsufficientHistoryError):
            run_backtest(strategy, market, rebalancing=rule, **options)
    else:
        assert_same(run_backtest(strategy, market, rebalancing=rule, **options), book, market)
    return book


@settings(max_examples=200, deadline=None)
@given(runs())
def test_agrees_with_the_ledger(run: dict[str, Any]) -> None:
    event(f"{type(run['rule']).__name__}, {'runs' if check(run).worth else 'too short'}")


@settings(max_examples=100, deadline=None)
@given(wild_runs())
def test_agrees_with_the_ledger_to_the_day_of_ruin(run: dict[str, Any]) -> None:
    event(f"ruined: {check(run).ruined is not None}")


ALL_RULES = (Monthly(), Quarterly(), Yearly(), EveryNRows(7), BuyAndHold(), Band(0.03))


@pytest.mark.parametrize("rule", [Daily(), Weekly(), *ALL_RULES], ids=str)
@pytest.mark.parametrize("lag", [0, 1])
def test_agrees_on_daily_etfs(rule: Rebalancing, lag: int) -> None:
    prices = shared_csv("data/daily_core_balanced.csv").iloc[:2000, :8]
    market = Market(prices, 0.02)
    strategy, costs = fixed(dict.fromkeys(prices.columns, 0.15)), Costs(0.001, 0.01)
    book = book_of(strategy, market, rule, costs, lag)
    assert_same(run_backtest(strategy, market, rebalancing=rule, costs=costs, lag=lag), book, market)


@pytest.mark.parametrize("rule", ALL_RULES, ids=str)
def test_agrees_on_sixty_years_of_months(rule: Rebalancing) -> None:
    returns = shared_csv("data/monthly_eom_1962.csv")
    levels = (1.0 + returns.drop(columns="TBILL_ret")).cumprod()
    market = Market(levels, returns["TBILL_ret"].iloc[1:])
    cases = ((Momentum(12, 1.4), "pro_rata"), (Momentum(1), "cash"), (Momentum(6), "error"))
    for strategy, unlisted in cases:
        book = book_of(strategy, market, rule, Costs(), 1, unlisted)
        backtest = run_backtest(strategy, market, rebalancing=rule, lag=1, unlisted=unlisted)
        assert_same(backtest, book, market)


def test_agrees_on_funds_that_list_one_after_another() -> None:
    prices = shared_csv("data/daily_etf_tr.csv").loc["1996":"2006"]
    late = prices.columns[prices.iloc[0].isna() & prices.iloc[-1].notna()][:4]
    early = prices.columns[prices.notna().all()][:2]
    market = Market(prices[[*early, *late]].dropna(how="all"), 0.03)
    for unlisted in ("pro_rata", "cash"):
        book = book_of(Momentum(20), market, Monthly(), Costs(), 1, unlisted)
        assert_same(run_backtest(Momentum(20), market, unlisted=unlisted), book, market)
