"""The kernels and the engine give one table: for any weights, rule, cost and lag."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_cases import (
    Chaser,
    any_costs,
    any_rule,
    assert_same_numbers,
    daily_market,
    mixes,
    one_by_one,
    random_weights,
    small_markets,
    weight_tables,
)

import allocator.sweeps.blocks as blocks
from allocator.engine import Band, BuyAndHold, Costs, EveryNRows, FixedMix, Monthly, Quarterly, Weekly, Yearly
from allocator.errors import UndefinedStatisticWarning
from allocator.market import Market, load_us_history
from allocator.report import compare
from allocator.sweeps import sweep


@settings(max_examples=60)
@given(data=st.data())
def test_any_fixed_weights_give_what_run_backtest_gives(data):
    market = data.draw(small_markets())
    weights = data.draw(weight_tables(market.assets))
    rules = data.draw(st.lists(any_rule(market), min_size=1, max_size=2))
    costs = data.draw(st.lists(any_costs(market), min_size=1, max_size=2))
    lag = data.draw(st.integers(0, min(4, len(market.index) - 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        table = sweep(weights, market, rebalancing=rules, costs=costs, lag=lag)
    start = market.index[lag + 1]
    assert_same_numbers(table, one_by_one(mixes(weights), market, rules, costs, lag=lag, start=start))


RULES = (
    Monthly(),
    EveryNRows(1),
    BuyAndHold(),
    Band(0.02),
    Band({"A": 0.01, "B": 0.03, "C": 0.02}, to="halfway"),
    Band(0.08, relative=True, to="edge"),
    Band(0.01, on=Weekly()),
    Quarterly() | Band(0.03),
    Yearly() | Band(0.05, relative=True, to="halfway", on=Monthly()),
)
COSTS = (
    Costs(),
    Costs({"A": 0.0, "B": 0.001, "C": 0.02}, selling=0.003, bid_ask=0.002, management_fee=0.01),
    Costs(0.002, model="first_order"),
)


@pytest.mark.parametrize("lag", [0, 1, 5])
@pytest.mark.parametrize("gross", [0.7, 1.0, 1.5])
def test_long_runs_of_many_lanes_agree_under_every_kind_of_rule(lag, gross, monkeypatch):
    market = daily_market(700)
    weights = gross * random_weights(5, market.assets)
    expected = one_by_one(mixes(weights), market, list(RULES), list(COSTS), lag=lag)
    monkeypatch.setattr(blocks, "_run_one", None)  # nothing here may need the slow way
    table = sweep(weights, market, rebalancing=RULES, costs=COSTS, lag=lag)
    assert_same_numbers(table, expected)


def test_strategies_that_decide_anew_are_run_too_and_agree():
    market = daily_market()
    chosen = [Chaser(), FixedMix({"A": 0.6, "B": 0.4}), Chaser(1.5)]
    rules, costs = [Weekly(), Band(0.05)], [Costs(), Costs(fixed=1e-4)]
    table = sweep(chosen, market, rebalancing=rules, costs=costs)
    assert_same_numbers(table, one_by_one(chosen, market, rules, costs))


def test_late_listings_and_delistings_go_through_the_engine():
    prices = daily_market(400, 4).prices
    prices.iloc[:30, 1] = np.nan
    prices.iloc[300:, 2] = np.nan
    market = Market(prices, 0.02, delisted={"C": 0.3})
    weights = random_weights(6, market.assets)
    weights.loc[3] = [0.5, 0.0, 0.0, 0.5]
    for policy in ("cash", "pro_rata"):
        table = sweep(weights, market, rebalancing=Monthly(), unlisted=policy)
        expected = one_by_one(
            mixes(weights), market, [Monthly()], [None], unlisted=policy, start=market.index[2]
        )
        assert_same_numbers(table, expected)


def test_a_ruin_ends_its_row_and_no_other():
    prices = daily_market(200, 2).prices
    prices.iloc[120:, 0] *= 0.4
    market = Market(prices, 0.02)
    table = sweep(pd.DataFrame({"A": [0.5, 2.0, 0.0], "B": [0.5, 0.0, 1.0]}), market, rebalancing=Monthly())
    assert list(table["ruined_on"].isna()) == [True, False, True]
    assert table["ruined_on"][1] == market.index[120]
    assert (table["final_value"][1], table["cagr"][1], table["max_drawdown"][1]) == (0.0, -1.0, -1.0)
    assert list(table["n"]) == [198, 119, 198]


def test_a_portfolio_without_risk_is_nan_in_the_table_and_said_once():
    market = daily_market()
    with pytest.warns(UndefinedStatisticWarning, match=r"sharpe of 2 \(the first is row 1\)") as said:
        table = sweep(pd.DataFrame({"A": [1.0, 0.0, 0.0]}), market)
    assert len(said) == 1
    assert list(table["sharpe"].isna()) == [False, True, True]
    assert table["final_value"][1] == pytest.approx(1.02 ** (table["n"][1] / 261), rel=1e-3)


def test_the_table_says_what_compare_says():
    market = load_us_history()
    chosen = [FixedMix({"stocks": w, "bonds": 1.0 - w}, name=f"{w}") for w in (0.2, 0.6, 1.0)]
    table, compared = sweep(chosen, market), compare(chosen, market).table
    for name in (
        "n",
        "cagr",
        "volatility",
        "sharpe",
        "sharpe_se",
        "max_drawdown",
        "turnover",
        "trading_cost",
    ):
        np.testing.assert_allclose(table[name], compared[name], rtol=1e-10, atol=1e-12, err_msg=name)


def test_the_window_begins_where_the_last_portfolio_can_decide():
    prices = daily_market(300).prices
    prices.iloc[:100, 2] = np.nan
    market = Market(prices, 0.02)
    table = sweep(pd.DataFrame({"A": [1.0, 0.5], "C": [0.0, 0.5]}, index=["alone", "both"]), market, lag=1)
    assert list(table["n"]) == [300 - 102] * 2
    window = table.attrs["conventions"][0]
    assert "'both' is the last; alone, others could begin on" in window


def test_a_start_and_an_end_hold_for_all():
    market = daily_market(300)
    weights = random_weights(3, market.assets)
    table = sweep(weights, market, start="2015-03-02", end="2015-12-31", lag=0)
    expected = one_by_one(mixes(weights), market, [None], [None], start="2015-03-02", end="2015-12-31", lag=0)
    assert_same_numbers(table, expected)


def test_one_lane_is_what_it_is_among_others_to_the_last_digits():
    market = daily_market(600)
    weights = random_weights(500, market.assets)
    for rule in (Monthly(), Band(0.02)):
        many = sweep(weights, market, rebalancing=rule)
        few = sweep(weights.iloc[[7, 300]], market, rebalancing=rule)
        for name in ("final_value", "sharpe", "turnover"):
            np.testing.assert_allclose(many[name].iloc[[7, 300]], few[name], rtol=1e-12)
