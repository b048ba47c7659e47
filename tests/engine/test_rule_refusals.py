"""What rules, costs, tables, flows and mandates refuse, and what the message says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_markets import fixed, random_market

from allocator.engine import (
    HOLD,
    AnyOf,
    Band,
    BuyAndHold,
    Costs,
    FixedMix,
    LeverageAbove,
    Monthly,
    OnDates,
    Quarterly,
    Strategy,
    TargetWeights,
    run_backtest,
)
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market

INDEX = pd.bdate_range("2020-01-01", periods=90)
HALVES = fixed({"SPY": 0.5, "TLT": 0.5})


def market(**changes: Any) -> Market:
    return Market(random_market(1, 2, 90)[0].set_axis(INDEX), 0.01, **changes)


def table(*rows: tuple[str, float, float]) -> pd.DataFrame:
    dates = pd.DatetimeIndex([row[0] for row in rows])
    return pd.DataFrame([row[1:] for row in rows], index=dates, columns=["SPY", "TLT"])


def refused(argument: str, make: Callable[[], Any], *words: str) -> InputError:
    with pytest.raises(InputError) as refusal:
        make()
    assert refusal.value.argument == argument, str(refusal.value)
    for word in words:
        assert word in str(refusal.value), str(refusal.value)
    return refusal.value


# Rules


@pytest.mark.parametrize("width", [0.0, 1.0, -0.1, float("nan"), True, "5%", None])
def test_F104_a_width_that_is_none(width: Any) -> None:
    refused("width", lambda: Band(width), "5 points of weight are 0.05")
    error = refused("width", lambda: Band({"SPY": 0.05, "TLT": width}))
    assert error.asset == "TLT"


def test_a_band_without_a_width_for_each_asset() -> None:
    error = refused("width", lambda: run_backtest(HALVES, market(), rebalancing=Band({"SPY": 0.05})), "every")
    assert error.asset == "TLT"


def test_a_band_to_nowhere_or_on_no_calendar() -> None:
    refused("to", lambda: Band(0.05, to="middle"), "target, edge, halfway")
    refused("on", lambda: Band(0.05, on="monthly"), "Monthly()")  # type: ignore[arg-type]
    watched = Band(0.05, on=Monthly() | Band(0.1))
    refused("on", lambda: run_backtest(HALVES, market(), rebalancing=watched), "no calendar")


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf"), True, "2"])
def test_a_leverage_limit_that_is_none(limit: Any) -> None:
    refused("limit", lambda: LeverageAbove(limit))


def test_what_cannot_be_combined() -> None:
    refused("rebalancing", lambda: Monthly() | 0.05, "a | b")  # type: ignore[operator]
    assert AnyOf((Quarterly() | Band(0.05), Monthly())) == Quarterly() | Band(0.05) | Monthly()
    finer = run_backtest(HALVES, market(), rebalancing=BuyAndHold() | Quarterly())
    assert list(finer.events["reason"]) == ["build", "calendar"]


def test_dates_that_are_none() -> None:
    refused("dates", lambda: OnDates(["tomorrow"]), "pass a list of dates")
    refused("dates.index", lambda: OnDates([INDEX[3], INDEX[1]]), "reverse order")
    refused("dates.index", lambda: OnDates([INDEX[3], INDEX[3]]))
    early = OnDates(["2019-12-31", "2020-02-03"])
    error = refused("dates", lambda: run_backtest(HALVES, market(), rebalancing=early), "2020-01-01")
    assert error.date == pd.Timestamp("2019-12-31")


# Tables of weights


def test_F068_weights_before_the_first_price() -> None:
    early = TargetWeights(table(("2019-12-30", 0.5, 0.5)))
    error = refused("table", lambda: run_backtest(early, market()), "before the first row, 2020-01-01")
    assert error.date == pd.Timestamp("2019-12-30")


def test_F069_weights_between_two_rows_act_on_the_next() -> None:
    """2020-02-01 is a Saturday."""
    wanted = TargetWeights(table(("2020-01-01", 0.5, 0.5), ("2020-02-01", 0.2, 0.8)))
    backtest = run_backtest(wanted, market(), lag=0)
    assert list(backtest.decided) == [INDEX[0], pd.Timestamp("2020-02-03")]
    assert backtest.targets["TLT"].iloc[-1] == 0.8
    later = run_backtest(wanted, market(), lag=2)
    assert list(later.targets.index) == [INDEX[2], pd.Timestamp("2020-02-05")]


def test_F070_weights_after_the_last_row_never_act() -> None:
    wanted = TargetWeights(table(("2020-01-01", 0.5, 0.5), ("2031-01-01", 0.2, 0.8)))
    assert len(run_backtest(wanted, market()).targets) == 1


def test_F071_weights_out_of_order_or_twice() -> None:
    refused("table.index", lambda: TargetWeights(table(("2020-02-03", 0.5, 0.5), ("2020-01-02", 0.5, 0.5))))
    refused("table.index", lambda: TargetWeights(table(("2020-02-03", 0.5, 0.5), ("2020-02-03", 0.5, 0.5))))


def test_F061_a_table_with_a_hole() -> None:
    holed = table(("2020-01-02", 0.5, 0.5), ("2020-02-03", 0.5, float("nan")))
    error = refused("table", lambda: TargetWeights(holed), "0 for what is not held")
    assert (error.asset, error.date) == ("TLT", pd.Timestamp("2020-02-03"))


def test_a_table_that_is_none() -> None:
    refused("table", lambda: TargetWeights(None), "DataFrame")  # type: ignore[arg-type]
    refused("table", lambda: TargetWeights(table().iloc[:0]), "empty")
    refused("table", lambda: TargetWeights(pd.concat([table(("2020-01-02", 0.5, 0.5))] * 2, axis=1)), "'SPY'")


def test_a_table_with_an_unknown_asset_percent_or_a_short() -> None:
    first = ("2020-01-01", 0.5, 0.5)
    for second, words in ((("2020-02-03", 50.0, 50.0), "percent"), (("2020-02-03", 1.5, -0.5), "short")):
        with pytest.raises(StrategyError, match=words) as refusal:
            run_backtest(TargetWeights(table(first, second)), market())
        assert refusal.value.date == pd.Timestamp("2020-02-03")
    with pytest.raises(StrategyError, match="did you mean 'SPY'"):
        run_backtest(TargetWeights(table(first).rename(columns={"SPY": "SPYY"})), market())


def test_a_start_before_the_first_weights() -> None:
    wanted = TargetWeights(table(("2020-02-03", 0.5, 0.5)))
    assert run_backtest(wanted, market()).decided[0] == pd.Timestamp("2020-02-03")
    with pytest.raises(InsufficientHistoryError, match="start on 2020-02-05 or later"):
        run_backtest(wanted, market(), start="2020-01-10")


def test_a_table_is_copied_at_the_door() -> None:
    given = table(("2020-01-01", 0.5, 0.5))
    wanted = TargetWeights(given)
    given.iloc[0, 0] = 99.0
    assert run_backtest(wanted, market()).targets["SPY"].iloc[0] == 0.5


# Mixes and answers


def test_F067_an_empty_answer() -> None:
    with pytest.raises(StrategyError, match=r"all cash is \{'cash': 1.0\}, no change is HOLD"):
        run_backtest(FixedMix({}), market())


def test_cash_that_does_not_add_up() -> None:
    with pytest.raises(StrategyError, match=r"with cash sum to 0\.9"):
        run_backtest(FixedMix({"SPY": 0.5, "cash": 0.4}), market())
    assert run_backtest(FixedMix({"SPY": 0.5, "cash": 0.5}), market()).targets["SPY"].iloc[0] == 0.5


def test_a_mix_that_is_none() -> None:
    refused("mix", lambda: FixedMix([0.5, 0.5]), "{asset: weight}")  # type: ignore[arg-type]


def test_holding_at_the_start_is_all_cash() -> None:
    class Waits(Strategy):
        name = "waits"

        def weights(self, past: Market) -> Any:
            return HOLD if len(past.index) < 40 else {"SPY": 1.0}

    backtest = run_backtest(Waits(), market(), rebalancing=Monthly(), lag=0)
    assert list(backtest.targets["SPY"]) == [0.0, 1.0, 1.0, 1.0]
    assert backtest.turnover.iloc[0] == 0.0


# Costs


@pytest.mark.parametrize(
    ("argument", "most"),
    [("trading", 0.05), ("selling", 0.05), ("bid_ask", 0.1), ("short_fee", 0.5), ("management_fee", 0.1)],
)
def test_F092_F093_F094_rates_that_are_none(argument: str, most: float) -> None:
    for bad in (-0.001, most * 1.01, float("nan"), "10bp", True):
        refused(argument, lambda bad=bad: Costs(**{argument: bad}))
    if argument != "management_fee":
        assert refused(argument, lambda: Costs(**{argument: {"SPY": 0.001, "TLT": -1.0}})).asset == "TLT"


def test_F095_a_rate_for_each_asset() -> None:
    for argument in ("trading", "selling", "bid_ask", "short_fee"):
        costs = Costs(**{argument: {"SPY": 0.001}})
        run = lambda costs=costs: run_backtest(HALVES, market(), costs=costs, allow_short=True)  # noqa: E731
        assert refused(f"costs.{argument}", run, "name every asset").asset == "TLT"


def test_a_model_or_a_fixed_cost_that_is_none() -> None:
    refused("model", lambda: Costs(model="second_order"), "exact, first_order")
    for bad in (-1.0, float("inf"), None):
        refused("fixed", lambda bad=bad: Costs(fixed=bad))


def test_F097_a_build_that_costs_more_than_there_is() -> None:
    costs = Costs(fixed=5.0)
    error = refused("costs", lambda: run_backtest(HALVES, market(), costs=costs), "the 1 there is")
    assert "initial_value" in error.fix
    assert run_backtest(HALVES, market(), costs=costs, initial_value=1e4).value.iloc[0] < 1e4 - 9.99


# Money and mandates


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), True, "100"])
def test_F105_an_initial_value_that_is_none(value: Any) -> None:
    refused("initial_value", lambda: run_backtest(HALVES, market(), initial_value=value))


def test_flows_that_are_none() -> None:
    def run(flows: Any) -> Callable[[], Any]:
        return lambda: run_backtest(HALVES, market(), flows=flows)

    refused("flows", run(0.1), "Series of money by date")
    for day in ("2019-12-31", "2020-01-02", "2021-01-01"):
        error = refused("flows", run(pd.Series({pd.Timestamp(day): 0.1})), "outside the run", "initial_value")
        assert error.date == pd.Timestamp(day)
    bad = pd.Series({INDEX[5]: 0.1, INDEX[6]: np.nan})
    assert refused("flows", run(bad)).date == INDEX[6]
    refused("flows.index", run(pd.Series({INDEX[6]: 0.1, INDEX[5]: 0.1})))
    assert len(run(pd.Series(dtype=float))().flows) == 0


@pytest.mark.parametrize("most", [0.0, -1.0, float("nan"), True, "2"])
def test_F103_a_leverage_cap_that_is_none(most: Any) -> None:
    refused("max_leverage", lambda: run_backtest(HALVES, market(), max_leverage=most))


def test_F103_a_cap_scales_down_and_says_so() -> None:
    levered = fixed({"SPY": 1.2, "TLT": 0.8})
    capped = run_backtest(levered, market(), max_leverage=1.5)
    np.testing.assert_allclose(capped.targets, [[0.9, 0.6]] * len(capped.targets), rtol=1e-15)
    assert list(capped.capped) == list(capped.decided)
    assert any("at most 1.5" in line for line in capped.conventions)
    free = run_backtest(levered, market(), max_leverage=2.0)
    assert len(free.capped) == 0


def test_F063_shorts_need_to_be_allowed() -> None:
    refused("allow_short", lambda: run_backtest(HALVES, market(), allow_short=1))  # type: ignore[arg-type]
    short = fixed({"SPY": 1.3, "TLT": -0.3})
    with pytest.raises(StrategyError, match=r"'TLT' is -0\.3; a short needs allow_short=True"):
        run_backtest(short, market())
    assert (run_backtest(short, market(), allow_short=True).itemised["short_fees"].iloc[1:] < 0.0).all()


# Delisting


def delisting(**changes: Any) -> Market:
    prices = random_market(1, 2, 90)[0].set_axis(INDEX)
    prices.loc[INDEX[30] :, "TLT"] = np.nan
    return Market(prices, 0.01, delisted={"TLT": 0.4}, **changes)


def test_F072_weights_of_a_delisted_asset() -> None:
    with pytest.raises(StrategyError, match=r"'TLT' is 0.5, but it was delisted on 2020-02-12") as refusal:
        run_backtest(HALVES, delisting(), rebalancing=Monthly())
    assert refusal.value.date == pd.Timestamp("2020-02-28")
    assert "unlisted='pro_rata' or 'cash'" in str(refusal.value)


def test_F113_what_is_left_of_delisted_assets_is_cash() -> None:
    lone = fixed({"TLT": 1.0})
    for unlisted in ("cash", "pro_rata"):
        backtest = run_backtest(lone, delisting(), rebalancing=Monthly(), unlisted=unlisted, lag=0)
        assert (backtest.weights["cash"].loc[INDEX[30] :] == 1.0).all()
        assert backtest.returns.loc[INDEX[30]] == pytest.approx(-0.6, abs=1e-9)
        assert list(backtest.events["reason"]) == [
            "build",
            "calendar",
            "delisting",
            "calendar",
            "calendar",
            "calendar",
        ]
    held = run_backtest(lone, delisting(), rebalancing=BuyAndHold())
    assert held.events.loc[INDEX[30], "reason"] == "delisting"
    assert pd.isna(held.events.loc[INDEX[30], "decided"])
    assert held.trading_costs.loc[INDEX[30]].sum() == 0.0
