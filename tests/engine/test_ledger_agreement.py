"""The engine agrees with the book kept by hand, day by day, on every rule."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from engine_markets import (
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
from ledger import Book, keep_book
from ledger_runs import Setup, assert_same

from allocator.engine import (
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    LeverageAbove,
    Monthly,
    Quarterly,
    Rebalancing,
    TargetWeights,
    Weekly,
    Yearly,
)
from allocator.errors import InsufficientHistoryError
from allocator.market import Market


@st.composite
def runs(draw: st.DrawFn) -> Setup:
    market = draw(small_markets())
    return Setup(
        strategy=draw(any_strategy(market.assets)),
        market=market,
        rule=draw(rules(market.frequency.name)),
        costs=draw(any_costs(market.assets)),
        lag=draw(st.integers(0, 5)),
        unlisted=draw(st.sampled_from(("error", "pro_rata", "cash"))),
    )


@st.composite
def wild_runs(draw: st.DrawFn) -> Setup:
    """Up to nine times levered in a market that moves by half: most end in ruin."""
    n_assets = draw(st.integers(1, 3))
    prices, cash = random_market(draw(st.integers(0, 2**32 - 1)), n_assets, 40, "monthly", scale=3.0)
    market = Market(prices, cash)
    once = draw(targets(market.assets))
    levered = fixed({asset: 3.0 * weight for asset, weight in once.target})
    return Setup(
        strategy=levered,
        market=market,
        rule=draw(rules("monthly")),
        costs=draw(any_costs(market.assets)),
        lag=draw(st.integers(0, 2)),
    )


def check(setup: Setup) -> Book:
    book = keep_book(setup.instructions())
    assume(book.closest_call > 1e-9)  # not so near a tie that rounding decides
    assume(book.highest_leverage < 100)  # not so near ruin that rounding is all there is
    if not book.days:
        with pytest.raises(InsufficientHistoryError):
            setup.backtest()
    else:
        assert_same(setup.backtest(), book, setup)
    return book


def check_all(setup: Setup) -> None:
    """Compare on a whole panel, where nothing is refused."""
    assert_same(setup.backtest(), keep_book(setup.instructions()), setup)


@settings(max_examples=100, deadline=None)
@given(runs())
def test_agrees_with_the_ledger(setup: Setup) -> None:
    event(f"{type(setup.rule).__name__}, {'runs' if check(setup).days else 'too short'}")


@settings(max_examples=50, deadline=None)
@given(wild_runs())
def test_agrees_with_the_ledger_to_the_day_of_ruin(setup: Setup) -> None:
    event(f"ruined: {check(setup).ruined is not None}")


ALL_RULES = (Monthly(), Quarterly(), Yearly(), EveryNRows(7), BuyAndHold(), Band(0.03))
RULES_TOGETHER = (
    Quarterly() | Band(0.03, to="edge"),
    Band(0.1, relative=True, to="halfway", on=Monthly()) | LeverageAbove(1.22),
)


@pytest.mark.parametrize("rule", [Daily(), Weekly(), *ALL_RULES, *RULES_TOGETHER], ids=str)
@pytest.mark.parametrize("lag", [0, 1])
def test_agrees_on_daily_etfs(rule: Rebalancing, lag: int) -> None:
    prices = shared_csv("data/daily_core_balanced.csv").iloc[:1500, :8]
    strategy = fixed(dict.fromkeys(prices.columns, 0.15))
    costs = Costs(0.001, borrow_spread=0.01)
    check_all(Setup(strategy, Market(prices, 0.02), rule, costs, lag))


@pytest.mark.parametrize("rule", [*ALL_RULES, *RULES_TOGETHER], ids=str)
def test_agrees_on_sixty_years_of_months(rule: Rebalancing) -> None:
    returns = shared_csv("data/monthly_eom_1962.csv")
    levels = (1.0 + returns.drop(columns="TBILL_ret")).cumprod()
    market = Market(levels, returns["TBILL_ret"].iloc[1:])
    cases = ((Momentum(12, 1.4), "pro_rata"), (Momentum(1), "cash"), (Momentum(6), "error"))
    for strategy, unlisted in cases:
        check_all(Setup(strategy, market, rule, Costs(), 1, unlisted))


def test_agrees_on_funds_that_list_one_after_another() -> None:
    prices = shared_csv("data/daily_etf_tr.csv").loc["1996":"2006"]
    late = prices.columns[prices.iloc[0].isna() & prices.iloc[-1].notna()][:4]
    early = prices.columns[prices.notna().all()][:2]
    market = Market(prices[[*early, *late]].dropna(how="all"), 0.03)
    for unlisted in ("pro_rata", "cash"):
        check_all(Setup(Momentum(20), market, Monthly(), Costs(), 1, unlisted))


def long_short_of_months() -> tuple[Market, dict[str, float]]:
    """Sixty years of months, in which gold lists in 1968 and leaves in 1999 with a third of its price."""
    returns = shared_csv("data/monthly_eom_1962.csv")
    levels = (1.0 + returns.drop(columns="TBILL_ret")).cumprod()
    gone = str(levels.columns[-1])
    levels.loc["1999-05":, gone] = float("nan")
    return Market(levels, returns["TBILL_ret"].iloc[1:], delisted={gone: 1 / 3}), {gone: 1 / 3}


@pytest.mark.parametrize("model", ["exact", "first_order"])
def test_agrees_on_sixty_years_with_shorts_flows_and_a_delisting(model: str) -> None:
    market, recovery = long_short_of_months()
    mix = dict(zip(market.assets, (1.2, -0.4, 0.3), strict=True))
    costs = Costs(
        trading=0.001,
        selling=0.002,
        bid_ask=0.0005,
        fixed=2.0,
        model=model,
        short_fee=0.01,
        management_fee=0.004,
    )
    flows = {dt.date(year, 6, 3): 4000.0 if year < 1985 else -9000.0 for year in range(1970, 2010)}
    rule = Yearly() | Band(0.08, to="edge")
    setup = Setup(fixed(mix), market, rule, costs, 1, "cash", recovery, 1e5, flows, 1.85, allow_short=True)
    check_all(setup)


def test_agrees_on_a_table_of_weights() -> None:
    prices = shared_csv("data/daily_core_balanced.csv").iloc[:1500, :3]
    dates = pd.date_range(prices.index[5], prices.index[-1], freq="45D")
    rows = [[0.2 + 0.1 * (k % 4), 0.5 - 0.1 * (k % 3), 0.1 * (k % 2)] for k in range(len(dates))]
    table = pd.DataFrame(rows, index=dates, columns=prices.columns)
    check_all(Setup(TargetWeights(table), Market(prices, 0.02), None, Costs(bid_ask=0.001), 1))
