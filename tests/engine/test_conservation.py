"""Money is conserved: what the record itemises adds up to the change in value, on every date, to rounding."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from engine_markets import Momentum, fixed, shared_csv
from hypothesis import assume, event, given, settings
from ledger_runs import Setup, setups, wild_setups

from allocator.engine import (
    Backtest,
    Band,
    Costs,
    Daily,
    LeverageAbove,
    Monthly,
    Quarterly,
    Rebalancing,
    Weekly,
    Yearly,
)
from allocator.errors import AllocatorError
from allocator.market import Market

ITEMS = [
    "gains",
    "interest",
    "borrow_spread",
    "short_fees",
    "commissions",
    "bid_ask",
    "fixed",
    "management_fee",
]
COSTS = ["commissions", "bid_ask", "fixed"]


def assert_conserved(backtest: Backtest, tolerance: float = 1e-13) -> None:
    """Demand that the items are of known kinds and signs, and add up date by date."""
    itemised, value = backtest.itemised, backtest.value.to_numpy()
    assert list(itemised) == [*ITEMS, "flows", "written_off"]
    assert itemised.index.equals(backtest.value.index)
    before = np.append(backtest.initial_value, value[:-1])
    # Rounding is of the largest item that there was, not of what is left of it.
    scale = np.maximum(before, itemised.abs().max(axis=1))
    gap = (before + itemised.sum(axis=1).to_numpy() - value) / scale
    assert gap.abs().max() <= tolerance * (1 + len(backtest.market.assets))
    alive = len(value) - (backtest.ruined_on is not None)
    assert (itemised["written_off"].iloc[:alive] == 0.0).all()
    assert (itemised[["borrow_spread", "short_fees", *COSTS, "management_fee"]] <= 0.0).all(axis=None)


def assert_gains_are_of_what_was_held(backtest: Backtest) -> None:
    """Work out the gains of each row from the weights and the prices around it."""
    value = backtest.value
    money = backtest.weights.drop(columns="cash").mul(value, axis=0).to_numpy()
    prices = backtest.market.levels[-len(value) :]
    held = money[:-1] != 0.0
    growth = np.where(held, prices[1:] / np.where(prices[:-1] > 0.0, prices[:-1], 1.0) - 1.0, 0.0)
    gains = (money[:-1] * growth).sum(axis=1)
    scale = np.maximum(np.abs(money[:-1]).sum(axis=1), value.to_numpy()[:-1])
    np.testing.assert_allclose(backtest.itemised["gains"].to_numpy()[1:] / scale, gains / scale, atol=1e-12)
    assert backtest.itemised["gains"].iloc[0] == 0.0


def assert_tables_agree(backtest: Backtest) -> None:
    """Compare the same money in the tables by trade, by asset and by date."""
    itemised, by_asset = backtest.itemised, backtest.costs_by_asset
    close = {"rtol": 1e-12, "atol": 1e-15 * backtest.initial_value}
    for kind in (*COSTS, "short_fees"):
        np.testing.assert_allclose(by_asset[kind].sum(axis=1), -itemised[kind], **close)
    on_trades = itemised.loc[backtest.trading_costs.index, COSTS].sum(axis=1)
    np.testing.assert_allclose(backtest.trading_costs.sum(axis=1), -on_trades, **close)
    interest = itemised["interest"] + itemised["borrow_spread"]
    np.testing.assert_allclose(backtest.interest, interest.iloc[1:], **close)
    assert backtest.flows.equals(itemised["flows"][itemised["flows"] != 0.0])


def assert_costs_are_gross_less_net(backtest: Backtest) -> None:
    """Compare the two returns of each row with what was paid in it, the build in the first."""
    paid = backtest.itemised[["borrow_spread", "short_fees", *COSTS, "management_fee", "written_off"]]
    money = paid.sum(axis=1).to_numpy(copy=True)
    money[1] += money[0]
    before = np.append(backtest.initial_value, backtest.value.to_numpy()[1:-1])
    gap = backtest.gross_returns - backtest.returns + money[1:] / before
    scale = 1.0 + np.maximum(np.abs(backtest.gross_returns), backtest.itemised["flows"].abs()[1:] / before)
    assert (gap.abs() / scale).max() < 1e-12


def check(backtest: Backtest) -> None:
    assert_conserved(backtest)
    assert_costs_are_gross_less_net(backtest)
    assert_gains_are_of_what_was_held(backtest)
    assert_tables_agree(backtest)


def run_or_reject(setup: Setup) -> Backtest:
    try:
        return setup.backtest()
    except AllocatorError:
        assume(False)
        raise


@settings(max_examples=100, deadline=None)
@given(setups())
def test_what_is_itemised_adds_up_to_the_change_in_value(setup: Setup) -> None:
    backtest = run_or_reject(setup)
    check(backtest)
    asked = sum(flow for day, flow in setup.flows.items())
    if backtest.ruined_on is None:
        assert backtest.itemised["flows"].sum() == pytest.approx(asked, rel=1e-12, abs=1e-15)
    event(f"ruined: {backtest.ruined_on is not None}")


@settings(max_examples=60, deadline=None)
@given(wild_setups())
def test_it_adds_up_to_the_day_of_ruin(setup: Setup) -> None:
    backtest = run_or_reject(setup)
    check(backtest)
    if backtest.ruined_on is not None:
        last = backtest.itemised.iloc[-1]
        assert last.sum() == pytest.approx(-backtest.value.iloc[-2], rel=1e-12)
    event(f"ruined: {backtest.ruined_on is not None}")


def yearly_flows(first: int, last: int, money: float) -> dict[dt.date, float]:
    return {dt.date(year, 3, 17): money * (-1) ** year for year in range(first, last)}


ALL_COSTS = Costs(
    trading=0.001,
    selling=0.0015,
    bid_ask=0.0004,
    fixed=1.5,
    borrow_spread=0.01,
    short_fee=0.006,
    management_fee=0.005,
)
RULES = (
    Daily(),
    Weekly() | LeverageAbove(1.75),
    Monthly(),
    Quarterly() | Band(0.04, to="edge"),
    Band(0.1, True),
)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_it_adds_up_on_fifteen_years_of_etfs(rule: Rebalancing) -> None:
    prices = shared_csv("data/daily_core_balanced.csv").iloc[:, :6]
    mix = dict(zip(prices.columns, (0.6, 0.4, 0.3, -0.15, 0.2, -0.1), strict=True))
    years = prices.index.year
    flows = yearly_flows(years[0] + 1, years[-1], 5000.0)
    setup = Setup(fixed(mix), Market(prices, 0.02), rule, ALL_COSTS, 1, "error", {}, 1e5, flows, 1.6, True)
    backtest = setup.backtest()
    check(backtest)
    assert len(backtest.flows) == len(flows)


@pytest.mark.parametrize("rule", [Monthly(), Yearly(), Quarterly() | Band(0.05, to="halfway")], ids=str)
def test_it_adds_up_on_sixty_years_of_months(rule: Rebalancing) -> None:
    returns = shared_csv("data/monthly_eom_1962.csv")
    levels = (1.0 + returns.drop(columns="TBILL_ret")).cumprod()
    market, flows = Market(levels, returns["TBILL_ret"].iloc[1:]), yearly_flows(1990, 2015, 900.0)
    setup = Setup(Momentum(6, 1.4), market, rule, ALL_COSTS, 1, "pro_rata", {}, 1e4, flows)
    check(setup.backtest())


def test_it_adds_up_on_funds_that_list_and_leave() -> None:
    prices = shared_csv("data/daily_etf_tr.csv").loc["1996":"2006"]
    late = prices.columns[prices.iloc[0].isna() & prices.iloc[-1].notna()][:4]
    early = prices.columns[prices.notna().all()][:2]
    panel = prices[[*early, *late]].dropna(how="all")
    gone = {str(early[1]): 0.25, str(late[0]): 1.0}
    for asset, day in zip(gone, ("2002-05-01", "2004-11-15"), strict=True):
        panel.loc[day:, asset] = np.nan
    market = Market(panel, 0.03, delisted=gone)
    strategy = Momentum(20, 1.2)
    setup = Setup(strategy, market, Monthly(), ALL_COSTS, 1, "cash", gone, 1e5, yearly_flows(1999, 2006, 2e4))
    backtest = setup.backtest()
    check(backtest)
    assert (backtest.weights.loc["2002-05-01":, str(early[1])] == 0.0).all()
