"""Published accounts: R's PerformanceAnalytics, Return.portfolio (commit c079aea), to 1e-10.

R resets weights in the first period after a quarter ends; that is our trade at the close before. It charges
κ = Σ c|w* - w| on the weights before, and no first build; that is ``Costs(model="first_order")`` on values
from the first close on. Its policies for missing returns (``H_toy_na_*``) have no counterpart: a hole in
the prices is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from engine_markets import fixed, shared_csv

from allocator import attribute_performance
from allocator.engine import (
    Backtest,
    BuyAndHold,
    Costs,
    Daily,
    Monthly,
    Quarterly,
    Rebalancing,
    TargetWeights,
    Yearly,
    run_backtest,
)
from allocator.market import Market

FREE = Costs(0.0, 0.0)
RULES = {"months": Monthly(), "quarters": Quarterly(), "years": Yearly(), "buyhold": BuyAndHold()}
SIXTY_FORTY = {"SP500 TR": 0.6, "US 10Y TR": 0.4}
INPUTS = {
    "6040": "cases/H_sp500_us10y_tbill_1996_2006_input.csv",
    "edhec5_eqw": "cases/H_edhec5_1997_1999_input.csv",
}


def market_of(returns: pd.DataFrame) -> Market:
    """Levels that start at 1 on the month end before the first return."""
    levels = (1.0 + returns).cumprod()
    levels.loc[returns.index[0] - pd.offsets.MonthEnd(1)] = 1.0
    return Market(levels.sort_index(), 0.0)


def published(case: str) -> tuple[Market, dict[str, float]]:
    returns = shared_csv(INPUTS[case])
    weights = SIXTY_FORTY if case == "6040" else dict.fromkeys(returns.columns, 0.2)
    return market_of(returns[list(weights)]), weights


def assert_published(backtest: Backtest, table: pd.DataFrame, assets: list[str]) -> None:
    """Compare returns, weights and money at both ends of each period; the build left out.

    Our value at a close is after its trade; R charges the trade to the period that follows.
    """
    close = {"rtol": 1e-10, "atol": 1e-14}
    after = backtest.value / backtest.value.iloc[0]
    paid = backtest.trading_costs.sum(axis=1).iloc[1:] / backtest.value.iloc[0]
    wealth = after.add(paid, fill_value=0.0)
    held = backtest.weights[assets].to_numpy()[:-1]
    money = held * after.to_numpy()[:-1, None]
    at_end = money * (1.0 + backtest.market.returns[assets].to_numpy())
    np.testing.assert_allclose(wealth.pct_change().iloc[1:], table["ret"], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(wealth.iloc[1:], table["wealthindex"], **close)
    np.testing.assert_allclose(held, table[[f"BOP.Weight.{a}" for a in assets]], **close)
    np.testing.assert_allclose(money, table[[f"BOP.Value.{a}" for a in assets]], **close)
    np.testing.assert_allclose(at_end, table[[f"EOP.Value.{a}" for a in assets]], **close)
    weights_at_end = at_end / at_end.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(weights_at_end, table[[f"EOP.Weight.{a}" for a in assets]], **close)


@pytest.mark.parametrize("case", INPUTS)
@pytest.mark.parametrize("file", RULES)
def test_agrees_with_R_without_costs(case: str, file: str) -> None:
    table = shared_csv(f"cases/H_{case}_{file}.csv")
    market, weights = published(case)
    backtest = run_backtest(fixed(weights), market, rebalancing=RULES[file], costs=FREE, lag=0)
    assets = list(weights)
    assert_published(backtest, table, assets)
    lines = attribute_performance(backtest).by_period[assets]
    expected = table[[f"contribution.{a}" for a in assets]]
    np.testing.assert_allclose(lines, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("case", "file", "rate"), [("6040", "20bp", 0.002), ("edhec5_eqw", "10bp", 0.001)])
def test_agrees_with_R_with_first_order_costs(case: str, file: str, rate: float) -> None:
    table = shared_csv(f"cases/H_{case}_quarters_cost{file}.csv")
    market, weights = published(case)
    costs = Costs(rate, model="first_order")
    backtest = run_backtest(fixed(weights), market, rebalancing=Quarterly(), costs=costs, lag=0)
    assert_published(backtest, table, list(weights))
    assert backtest.value.iloc[0] == 1.0 - rate  # the build, which R does not charge


def test_differs_from_R_in_exact_costs_by_the_second_order() -> None:
    """The exact cost is less by c κ Σ ±w* (+ bought, - sold)."""
    table, rate = shared_csv("cases/H_6040_quarters_cost20bp.csv"), 0.002
    market, weights = published("6040")
    backtest = run_backtest(fixed(weights), market, rebalancing=Quarterly(), costs=Costs(rate), lag=0)
    assert 1.0 - backtest.value.iloc[0] == pytest.approx(rate / (1 + rate), rel=1e-12)
    ours = backtest.value.iloc[-1] / backtest.value.iloc[0]
    assert abs(ours / table["wealthindex"].iloc[-1] - 1.0) < 1e-6
    first_order = rate * backtest.turnover_two_way.iloc[1:]
    sold_or_bought = (np.sign(backtest.trades) * backtest.targets).sum(axis=1).iloc[1:]
    documented = (rate * first_order * sold_or_bought).sum()
    assert ours / table["wealthindex"].iloc[-1] - 1.0 == pytest.approx(documented, rel=0.02)
    assert abs(documented) < 1e-6


@pytest.mark.parametrize(("file", "rule"), [("drift", BuyAndHold()), ("daily_rebal", Daily())])
def test_agrees_with_R_on_five_days(file: str, rule: Rebalancing) -> None:
    table = shared_csv(f"cases/H_toy2x5_{file}_geometric.csv")
    money = {a: table[f"EOP.Value.{a}"] / table[f"BOP.Value.{a}"] for a in "AB"}
    levels = pd.DataFrame(money).cumprod()
    levels.loc[table.index[0] - pd.Timedelta(days=1)] = 1.0
    market = Market(levels.sort_index(), 0.0)
    backtest = run_backtest(fixed({"A": 0.5, "B": 0.5}), market, rebalancing=rule, costs=FREE, lag=0)
    assert_published(backtest, table, ["A", "B"])


def test_agrees_with_R_on_weights_by_date_at_one_percent() -> None:
    """The table's second row holds from the first month end on: κ = 1 % of 0.2."""
    table = shared_csv("cases/H_toy_cost1pct.csv")
    ends = pd.DatetimeIndex(["2019-12-31", "2020-01-31", "2020-02-29"])
    levels = pd.DataFrame({"A": [1.0, 1.1, 1.32], "B": [1.0, 1.1, 1.32]}, index=ends)
    wanted = TargetWeights(pd.DataFrame({"A": [0.5, 0.6], "B": [0.5, 0.4]}, index=ends[:2]))
    backtest = run_backtest(wanted, Market(levels, 0.0), costs=Costs(0.01, model="first_order"))
    assert_published(backtest, table, ["A", "B"])
    assert backtest.turnover.iloc[1] == pytest.approx(0.1)
    assert backtest.turnover_two_way.iloc[1] == pytest.approx(0.2)
