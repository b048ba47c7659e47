"""Faults of weights, rules, costs and leverage, as a person would make them; docs/faults.md lists all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError, StrategyError

INDEX = pd.bdate_range("2020-01-01", periods=90)
YEARS = pd.bdate_range("2018-01-01", periods=560)
HALVES = al.FixedMix({"SPY": 0.5, "TLT": 0.5})


def prices(index: pd.DatetimeIndex = INDEX, assets: Iterable[str] = ("SPY", "TLT", "GLD")) -> pd.DataFrame:
    names = list(assets)
    steps = np.random.default_rng(7).normal(0.0003, 0.01, (len(index), len(names)))
    return pd.DataFrame(100.0 * np.exp(np.cumsum(steps, axis=0)), index, names)


def market(index: pd.DatetimeIndex = INDEX, cash: float = 0.02) -> al.Market:
    return al.Market(prices(index), cash)


def run(mix: dict[str, float], **options: Any) -> al.Backtest:
    return al.run_backtest(al.FixedMix(mix), options.pop("market", market()), **options)


def said_once(backtest: al.Backtest, *words: str) -> str:
    """Assert that one note has all these words, that the footer shows it, and return it."""
    (note,) = [note for note in backtest.notes if all(word in note for word in words)]
    assert list(backtest.conventions).count(note) == 1
    assert note in repr(backtest)
    return note


@dataclass(frozen=True)
class Answers(al.Strategy):
    """Answers what a function of the past says."""

    answer: Callable[[al.Market], Any]
    name: str = "answers"

    def weights(self, past: al.Market) -> Any:
        return self.answer(past)


# Weights


def test_F057_a_sum_below_one_leaves_cash_and_says_so() -> None:
    part = run({"SPY": 0.57, "TLT": 0.4})
    assert said_once(part, "weights: sum") == "weights: sum to 97%; the rest is cash"
    np.testing.assert_allclose(part.weights["cash"].iloc[0], 0.03, rtol=1e-12)
    assert (part.interest > 0.0).all()  # and it earns the cash return
    moving = Answers(lambda past: {"SPY": 1.0 if past.levels[-1, 0] > 100.0 else 0.25})
    ranged = said_once(al.run_backtest(moving, market(), rebalancing=al.Weekly()), "weights: sum")
    assert ranged == "weights: sum to 25% to 100%; the rest is cash"


def test_F057_in_a_comparison_it_is_said_of_weights_that_a_person_wrote() -> None:
    computed = Answers(lambda past: {"SPY": 0.5})
    footer = al.compare([al.FixedMix({"SPY": 0.97}, name="mine"), HALVES, computed], market()).conventions
    assert [line for line in footer if "weights: sum" in line] == [
        "'mine': weights: sum to 97%; the rest is cash"
    ]


def test_F058_a_sum_above_one_borrows_at_a_price_and_says_so() -> None:
    """No flag: borrowing is always paid for, itemised, noted, and capped where asked."""
    levered = run({"SPY": 0.8, "TLT": 0.4})
    words = "more than 100% is borrowed at cash + 0.50% a year"
    assert said_once(levered, "weights: sum to 120%") == f"weights: sum to 120%; {words}"
    assert (levered.itemised["interest"].iloc[1:] < 0.0).all()
    assert (levered.itemised["borrow_spread"].iloc[1:] < 0.0).all()
    capped = run({"SPY": 0.8, "TLT": 0.4}, max_leverage=1.0)
    assert (capped.itemised["borrow_spread"] == 0.0).all()
    assert "scaled down to 1" in said_once(capped, "leverage", "5 decisions")


def test_F058_borrowing_for_nothing_must_be_asked_for_twice() -> None:
    """Cash is required, and the spread is a cost unless set to 0; the note states the price even then."""
    with pytest.raises(TypeError, match="cash"):
        al.Market(prices())  # type: ignore[call-arg]
    free = run({"SPY": 1.2}, market=market(cash=0.0), costs=al.Costs(borrow_spread=0.0))
    said_once(free, "borrowed at cash + 0.00% a year")
    default = run({"SPY": 1.2}, market=market(cash=0.0))
    assert default.value.iloc[-1] < free.value.iloc[-1]


def test_F059_rounding_is_no_cash_and_no_debt() -> None:
    for slip in (1e-9, -1e-9):
        rounded = run({"SPY": 0.6, "TLT": 0.4 + slip})
        assert not [note for note in rounded.notes if "weights: sum" in note]
        assert rounded.targets.sum(axis=1).iloc[0] == 0.6 + (0.4 + slip)  # left as given, not scaled to one
    assert said_once(run({"SPY": 0.6, "TLT": 0.4001}), "weights: sum to 100.01%")


def test_F065_an_asset_that_never_has_a_weight_is_named() -> None:
    assert said_once(run({"SPY": 1.0}), "never given") == "never given a weight: TLT, GLD"
    assert (run({"SPY": 1.0}).weights[["TLT", "GLD"]] == 0.0).all(axis=None)
    later = Answers(lambda past: {"SPY": 1.0} if len(past.index) < 50 else {"TLT": 1.0})
    assert said_once(al.run_backtest(later, market()), "never given") == "never given a weight: GLD"
    wide = al.Market(prices(assets=[f"A{n}" for n in range(9)]), 0.0)
    said_once(run({"A0": 1.0}, market=wide), "A1, A2, A3, A4, A5 and 3 more")


def test_F070_rows_that_are_never_traded_are_counted() -> None:
    table = pd.DataFrame({"SPY": [1.0, 0.5]}, pd.to_datetime(["2020-01-01", "2031-01-01"]))
    words = "weights: 1 of 2 dates of the table fall after the last row and are never traded"
    assert said_once(al.run_backtest(al.TargetWeights(table), market()), "after the last row") == words
    late = run({"SPY": 1.0}, rebalancing=al.Monthly() | al.OnDates(["2020-02-03", "2031-01-01"]))
    said_once(late, "rebalancing: 1 of 2 dates fall after the last row")


def test_F070_a_table_that_begins_after_the_prices_is_refused_by_its_date() -> None:
    table = pd.DataFrame({"SPY": [1.0]}, pd.to_datetime(["2031-01-01"]))
    words = r"^table on 2031-01-01: the first weights are of 2031-01-01; the last row that can trade is 20"
    with pytest.raises(al.InputError, match=words):
        al.run_backtest(al.TargetWeights(table), market())


def test_F069_dates_that_moved_are_counted() -> None:
    """2020-02-01 is a Saturday."""
    table = pd.DataFrame({"SPY": [1.0, 0.5]}, pd.to_datetime(["2020-01-01", "2020-02-01"]))
    moved = said_once(al.run_backtest(al.TargetWeights(table), market()), "between two rows")
    assert moved.startswith("weights: 1 of 2 dates of the table")
    assert moved.endswith("act on the next, 2020-02-01 on 2020-02-03")
    said_once(run({"SPY": 1.0}, rebalancing=al.OnDates(["2020-02-01"])), "rebalancing: 1 of 1", "2020-02-03")


def test_F077_rows_to_come_are_not_there_to_be_read() -> None:
    seen: list[float] = []

    def beyond(past: al.Market) -> dict[str, float]:
        for peek in (
            lambda: past.levels[len(past.index)],
            lambda: past.until("2030-01-01").prices.loc["2020-05-05"],
            lambda: past.prices.loc["2020-05-05"],
            lambda: past.cash[len(past.index)],
        ):
            with pytest.raises((IndexError, KeyError)):
                seen.append(float(np.ravel(peek())[0]))
        return {"SPY": 1.0}

    al.run_backtest(Answers(beyond), market(), end="2020-04-30")
    assert not seen
    with pytest.raises(StrategyError, match=r"on 2020-01-01: raised IndexError: index 1 is out of bounds"):
        al.run_backtest(Answers(lambda past: {"SPY": past.levels[len(past.index), 0]}), market())


# Rules and dates


@pytest.mark.parametrize("rule", [al.Yearly(), al.EveryNRows(500), al.Band(0.05, on=al.Yearly())], ids=str)
def test_F041_a_rule_that_never_asks_is_noted(rule: al.Rebalancing) -> None:
    """Not refused, as the numbers are right: the portfolio is built and held, and the footer says so."""
    backtest = al.run_backtest(HALVES, market(), rebalancing=rule)
    span = "asks on no date between 2020-01-02 and 2020-05-05; built once and held"
    assert said_once(backtest, "built once") == f"rebalancing: {rule} {span}"
    held = al.run_backtest(HALVES, market(), rebalancing=al.BuyAndHold())
    assert backtest.value.equals(held.value)
    footer = al.compare([HALVES, al.FixedMix({"SPY": 1.0}, name="stocks")], market(), rebalancing=rule)
    assert sum("built once and held" in line for line in footer.conventions) == 1


def test_F041_what_is_meant_to_be_held_is_not_noted() -> None:
    once = al.TargetWeights(pd.DataFrame({"SPY": [1.0]}, INDEX[:1]))
    for backtest in (
        al.run_backtest(HALVES, market(), rebalancing=al.BuyAndHold()),
        al.run_backtest(HALVES, market(), rebalancing=al.Yearly() | al.Band(0.4)),
        al.run_backtest(HALVES, market(), rebalancing=al.Monthly()),
        al.run_backtest(once, market()),
    ):
        assert not [note for note in backtest.notes if "built once" in note]


@pytest.mark.parametrize("spelling", ["M", "ME", "BME", "month", "monthly", "1M"])
def test_F086_a_rule_has_one_spelling(spelling: str) -> None:
    """The class; no string of pandas, whose letters changed their meaning between versions."""
    with pytest.raises(InputError, match=rf"^rebalancing: '{spelling}' is not a rule; pass .*Monthly\(\)"):
        al.run_backtest(HALVES, market(), rebalancing=spelling)  # type: ignore[arg-type]


def test_F087_the_record_says_on_which_rows_a_month_ended() -> None:
    """2020-02-29 was a Saturday, 2020-03-31 is taken out as a holiday."""
    index = INDEX.drop(pd.Timestamp("2020-03-31"))
    backtest = al.run_backtest(HALVES, market(index), rebalancing=al.Monthly(), lag=0)
    assert {"2020-02-28", "2020-03-30"} <= {f"{date:%Y-%m-%d}" for date in backtest.decided}
    assert list(backtest.events.index) == list(backtest.decided)


def test_F108_a_start_between_two_rows_is_recorded() -> None:
    moved = run({"SPY": 1.0}, start="2020-02-01")
    words = "start: 2020-02-01 is no row of the market; the first return is of 2020-02-03"
    assert said_once(moved, "start:") == words
    for start in ("2020-02-03", "2020-02", None):  # a row, a month, and nothing asked for
        assert not [note for note in run({"SPY": 1.0}, start=start).notes if "start" in note]


# Costs and leverage


def test_F096_a_build_that_cannot_be_financed() -> None:
    """Costs of 10 % on ten times the value are the value: nothing is left, and nothing can be sold."""
    dear = {"trading": 0.05, "bid_ask": 0.1}
    with pytest.raises(InputError, match=r"^costs on 2020-01-02: the first build costs more than the 1 "):
        run({"SPY": 10.0}, costs=al.Costs(**dear, model="first_order"))
    with pytest.raises(InputError, match=r"^costs on 2020-01-02: to trade these weights costs 100% of"):
        run({"SPY": 10.0}, costs=al.Costs(**dear))
    nearly = run({"SPY": 9.9}, costs=al.Costs(**dear))
    np.testing.assert_allclose(nearly.value.iloc[0], 1.0 / (1.0 + 0.1 * 9.9), rtol=1e-12)


def test_F101_a_spread_without_debt_costs_nothing() -> None:
    mix = {"SPY": 0.6, "TLT": 0.4}
    with_spread, without = (run(mix, costs=al.Costs(borrow_spread=spread)) for spread in (0.4, 0.0))
    assert with_spread.value.equals(without.value)
    assert (with_spread.itemised["borrow_spread"] == 0.0).all()


def test_F102_ruin_is_dated_noted_and_ends_the_record() -> None:
    fall = prices() * np.where(np.arange(90) > 40, 0.8, 1.0)[:, np.newaxis]
    ruined = run({"SPY": 9.0}, market=al.Market(fall, 0.02))
    words = "ruined on 2020-02-27: nothing was left, and the record ends there"
    assert said_once(ruined, "ruined on") == words
    assert ruined.ruined_on == ruined.value.index[-1] == INDEX[41]
    assert (ruined.value >= 0.0).all()
    assert ruined.returns.iloc[-1] == -1.0


def test_F103_leverage_that_drifts_above_its_limit_is_recorded_and_traded_only_on_request() -> None:
    rising = al.Market(pd.DataFrame({"SPY": 100.0 * 0.995 ** np.arange(90)}, INDEX), 0.02)
    asked = al.FixedMix({"SPY": 2.0})
    drifted = al.run_backtest(asked, rising, rebalancing=al.BuyAndHold(), max_leverage=2.0)
    note = said_once(drifted, "drift took it above 2 at 88 of 89 closes", "LeverageAbove(2) would trade")
    gross = drifted.weights["SPY"]
    assert f"first on 2020-01-03, at most to {gross.max():.4g}" in note
    forced = al.run_backtest(asked, rising, rebalancing=al.LeverageAbove(2.2), max_leverage=2.0)
    assert list(forced.events["reason"])[1] == "drift"
    assert forced.weights["SPY"].max() < gross.max()
    within = al.run_backtest(al.FixedMix({"SPY": 0.5}), rising, max_leverage=2.0)
    assert not [note for note in within.notes if "leverage" in note]


# What there is no argument for


@pytest.mark.parametrize("event", ["splits", "dividends"])
def test_F109_F110_there_are_no_events_only_total_returns(event: str) -> None:
    """Prices are total returns: a split or a dividend is in them, so that none can be on a wrong date."""
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{event}'"):
        al.Market(prices(), 0.02, **{event: {"SPY": 2.0}})
    said = " ".join((al.Market.__doc__ or "").split())
    assert "Total-return price levels" in said
    assert "splits and dividends" in said


def test_F109_F110_total_returns_hold_splits_and_dividends() -> None:
    """A share split in two on one row, and a dividend of 1 on another, reinvested."""
    raw = prices(assets=["SPY"])["SPY"]
    split = raw / np.where(np.arange(90) >= 40, 2.0, 1.0)
    paid = np.where(np.arange(90) == 60, 1.0, 0.0)
    shares = np.where(np.arange(90) >= 40, 2.0, 1.0) * np.cumprod(1.0 + paid / split.to_numpy())
    adjusted = (split * shares).to_frame()
    value = run({"SPY": 1.0}, market=al.Market(adjusted, 0.0), rebalancing=al.BuyAndHold(), lag=0).value
    extra = 1.0 + 1.0 / split.iloc[60]
    growth = raw / raw.iloc[0] * np.where(np.arange(90) >= 60, extra, 1.0)
    np.testing.assert_allclose(value / value.iloc[0], growth, rtol=1e-12)


def test_F041_a_date_that_is_the_build_or_too_late_to_trade_is_none() -> None:
    """The only year's end is the row of the first decision, or the trade would fall on the last row."""
    at_the_build = market(pd.bdate_range("2019-12-31", periods=90))
    too_late = market(pd.bdate_range(end="2021-01-04", periods=90))
    in_time = market(pd.bdate_range(end="2021-01-05", periods=90))
    for world, is_noted in ((at_the_build, True), (too_late, True), (in_time, False)):
        backtest = al.run_backtest(HALVES, world, rebalancing=al.Yearly(), lag=2)
        assert ("calendar" not in set(backtest.events["reason"])) == is_noted
        assert any("built once" in note for note in backtest.notes) == is_noted
