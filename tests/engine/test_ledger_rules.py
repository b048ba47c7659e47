"""The engine agrees with the ledger on all rules in combination, and the ledger with numbers done by hand.

First random runs, then each rule on two to five rows with its numbers beside it.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from engine_markets import fixed
from hypothesis import assume, event, given, settings
from ledger import HOLD, Book, Ceiling, Clock, Day, Fence, Instructions, Refused, Row, Terms, keep_book
from ledger_runs import Setup, assert_same, setups, wild_setups

from allocator.engine import Band, BuyAndHold, Costs, LeverageAbove, TargetWeights
from allocator.errors import AllocatorError, InputError, StrategyError
from allocator.market import Market

DAILY, NEVER = Clock("Daily"), Clock("BuyAndHold")


# The engine and the ledger


def kept_or_refused(setup: Setup) -> Book | None:
    try:
        return keep_book(setup.instructions())
    except Refused:
        return None


def is_decided_by_rounding(kept: Book) -> bool:
    """Return whether a comparison came near a tie, or the account so near ruin that all is rounding."""
    return kept.closest_call < 1e-9 or kept.highest_leverage > 100 or kept.shrunk > 100


def check(setup: Setup, kept: Book | None) -> bool:
    """Demand that the engine refuses what the ledger does, and agrees with it on the rest; say if it ran."""
    if kept is None or not kept.days:
        with pytest.raises(AllocatorError):
            setup.backtest()
        return False
    try:
        backtest = setup.backtest()
    except (InputError, StrategyError) as refusal:
        # The engine asks the strategy before it counts the money, also for what a ruin forestalls.
        if kept.ruined is None or refusal.date <= setup.market.index[kept.ruined]:
            raise
        return False
    assert_same(backtest, kept, setup)
    return True


@settings(max_examples=250, deadline=None)
@given(setups())
def test_the_engine_agrees_with_the_ledger_on_everything_at_once(setup: Setup) -> None:
    kept = kept_or_refused(setup)
    assume(kept is None or not is_decided_by_rounding(kept))
    event("runs" if check(setup, kept) else "refused")


@settings(max_examples=80, deadline=None)
@given(wild_setups())
def test_the_engine_agrees_with_the_ledger_to_the_day_of_ruin(setup: Setup) -> None:
    kept = kept_or_refused(setup)
    assume(kept is None or not is_decided_by_rounding(kept))
    check(setup, kept)
    event("refused" if kept is None else f"ruined: {kept.ruined is not None}")


# Cases that random runs seldom meet


def monthly(delisted: dict[str, float] | None = None, **prices: list[float]) -> Market:
    index = pd.date_range("2001-01-31", periods=len(prices["a"]), freq="ME")
    return Market(pd.DataFrame(prices, index=index), 0.0, delisted=delisted)


FREE, NAN = Costs(0.0, borrow_spread=0.0, short_fee=0.0), float("nan")


def test_too_much_leverage_goes_to_target_whatever_a_band_says() -> None:
    market = monthly(a=[1.0, 3.0, 3.0, 3.0], b=[1.0] * 4)
    edge, leverage = Band(0.1, to="edge"), LeverageAbove(0.5)
    for rule in (edge | leverage, leverage | edge):
        setup = Setup(fixed({"a": 0.5, "b": 0.5}), market, rule, FREE, 0)
        assert check(setup, keep_book(setup.instructions()))


@pytest.mark.parametrize("n_rows", [3, 4, 9])
def test_drift_on_the_row_of_a_delisting_knows_no_later_short_fee(n_rows: int) -> None:
    """The fee moves the weight of the short by 0.0057 a month: out of its band on the third, not before."""
    market = monthly({"b": 1.0}, a=[1.0] * n_rows, b=[1.0] + [NAN] * (n_rows - 1))
    costs, mix = Costs(0.0, short_fee=0.5), fixed({"a": -0.4, "b": 0.5})
    setup = Setup(mix, market, Band(0.012), costs, 0, "cash", {"b": 1.0}, allow_short=True)
    assert check(setup, keep_book(setup.instructions()))


def test_a_table_begins_with_the_first_row_that_can_be_had() -> None:
    market = monthly(a=[1.0] * 6, b=[NAN] * 4 + [1.0] * 2)
    table = pd.DataFrame({"a": [0.5, 1.0], "b": [0.5, 0.0]}, index=market.index[[0, 2]])
    setup = Setup(TargetWeights(table), market, None, FREE, 0)
    kept = keep_book(setup.instructions())
    assert check(setup, kept)
    assert min(kept.days) == 2


@pytest.mark.parametrize("money", [-5.0, -0.995, -0.98, -0.5])
@pytest.mark.parametrize("day", [dt.date(2001, 2, 10), dt.date(2001, 4, 30)])
def test_what_a_withdrawal_of_too_much_pays_out(money: float, day: dt.date) -> None:
    market, costs = monthly(a=[1.0] * 4), Costs(0.0, selling=0.02)
    setup = Setup(fixed({"a": 0.5}), market, BuyAndHold(), costs, 0, flows={day: money})
    assert check(setup, keep_book(setup.instructions()))


# The ledger by hand


def terms(n_assets: int, **changes: Any) -> Terms:
    """Return terms without any charge but these; one number stands for all assets."""
    lists = {
        name: value if isinstance(value, list) else [value] * n_assets
        for name in ("buy", "sell", "bid_ask", "short_fee")
        for value in [changes.pop(name, 0.0)]
    }
    return Terms(**lists, **changes)


def book(
    prices: list[Row], answers: Any, *rules: Clock | Fence | Ceiling, charge: Any = None, **changes: Any
) -> Book:
    """Keep the book of rows a year long, traded at the close of the decision, with cash at zero.

    ``answers`` is what the strategy wants: always the same, or by row.
    """
    by_row = answers if isinstance(answers, dict) else dict.fromkeys(range(len(prices)), answers)
    task = Instructions(
        dates=[dt.date(2001 + row, 1, 31) for row in range(len(prices))],
        prices=prices,
        cash=[0.0] * len(prices),
        decide=lambda past: by_row[len(past) - 1],
        rules=list(rules),
        lag=0,
        terms=terms(len(prices[0]), **(charge or {})),
        nominal_years=1.0,
        allow_short=True,
    )
    kept = keep_book(replace(task, **changes))
    assert_conserved(kept, changes.get("initial", 1.0))
    return kept


def assert_conserved(kept: Book, initial: float) -> None:
    values = [initial, *(day.value for day in kept.days.values())]
    for day, (before, after) in zip(kept.days.values(), itertools.pairwise(values), strict=True):
        assert before + day.change() == pytest.approx(after, abs=1e-12 * initial)


def values(kept: Book) -> list[float]:
    return [day.value for day in kept.days.values()]


def traded(kept: Book) -> list[int]:
    return [row for row, day in kept.days.items() if day.decided is not None]


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-13, abs=1e-15)


# Growth and fees


def test_gains_are_of_shares_and_interest_is_on_cash() -> None:
    # 0.6 in a share at 100, 0.4 in cash: + 10 % on 0.6, + 5 % on 0.4; then - 50 % on 0.66, + 10 % on 0.42.
    kept = book([[100.0], [110.0], [55.0]], [0.6], NEVER, cash=[0.0, 0.05, 0.1])
    assert values(kept) == close([1.0, 1.08, 0.33 + 0.462])
    assert [day.gains for day in kept.days.values()] == [[0.0], close([0.06]), close([-0.33])]
    assert [day.interest for day in kept.days.values()] == close([0.0, 0.02, 0.042])


def test_debt_pays_the_spread_for_the_time_that_passed() -> None:
    # Half a unit is borrowed for two years of which each is charged 1.1: 1.1² - 1 = 0.21, and 5 % of cash.
    charge = {"borrow_spread": 0.1}
    kept = book([[1.0], [1.0]], [1.5], NEVER, cash=[0.0, 0.05], charge=charge, nominal_years=2.0)
    assert kept.days[1].interest == close(-0.025)
    assert kept.days[1].borrow_spread == close(-0.105)
    assert values(kept) == close([1.0, 0.87])


def test_days_are_counted_where_a_row_has_no_nominal_length() -> None:
    kept = book([[1.0], [1.0]], [2.0], NEVER, charge={"borrow_spread": 0.1}, nominal_years=None)
    assert kept.days[1].borrow_spread == close(1.0 - 1.1 ** (365 / 365.25))


def test_a_short_pays_its_fee_on_yesterdays_price_out_of_cash() -> None:
    # Short 0.5 at 1.0: 1.5 in cash. 2 % of 0.5 is paid, the price doubles: 1.5 - 0.01 - 1.0.
    kept = book([[1.0], [2.0]], [-0.5], NEVER, charge={"short_fee": 0.02})
    assert kept.days[1].short_fees == close([-0.01])
    assert kept.days[1].gains == close([-0.5])
    assert kept.days[1].value == close(0.49)


def test_a_fee_can_turn_cash_into_debt_between_trades() -> None:
    # Long 1.49, short 0.5, 0.01 in cash: the fee of 10 % leaves -0.04, which next year pays 25 % and a fee.
    charge = {"short_fee": 0.1, "borrow_spread": 0.25}
    kept = book([[1.0, 1.0]] * 3, [1.49, -0.5], NEVER, charge=charge)
    assert [day.borrow_spread for day in kept.days.values()] == close([0.0, 0.0, -0.01])
    assert values(kept) == close([1.0, 0.95, 0.89])


def test_the_management_fee_takes_the_same_part_of_everything() -> None:
    # 1.0 grows to 1.3; a tenth is taken; the weights are those of 0.9 in the share and 0.4 in cash.
    kept = book([[1.0], [1.5]], [0.6], NEVER, charge={"management_fee": 0.1})
    assert kept.days[1].management_fee == close(-0.13)
    assert kept.days[1].value == close(1.17)
    assert kept.days[1].weights == close([0.9 / 1.3])


# Trading costs


def test_exact_costs_leave_the_targets() -> None:
    # x is left and bought, at 1 %: 1.01 x = 1.
    kept = book([[1.0]] * 2, [1.0], NEVER, charge={"buy": 0.01, "sell": 0.5})
    assert kept.days[0].value == close(1.0 / 1.01)
    assert kept.days[0].trades == close([1.0 / 1.01])
    assert kept.days[0].costs() == close([0.01 / 1.01])
    assert kept.days[0].weights == close([1.0])


def test_first_order_costs_are_on_the_change_of_weight() -> None:
    # 1 % of a trade of 1: 0.99 is left, and all of it invested.
    kept = book([[1.0]] * 2, [1.0], NEVER, charge={"buy": 0.01, "first_order": True})
    assert kept.days[0].value == close(0.99)
    assert kept.days[0].trades == close([1.0])
    assert kept.days[0].weights == close([1.0])


def test_buys_and_sells_pay_what_is_theirs_and_half_the_spread_each() -> None:
    # From 1.0 of a, bought free, to all b. Selling it: 1 %. Buying x of b: 3 % and half of 4 %.
    # 1 - 0.01 - 0.05 x = x.
    charge = {"buy": [0.0, 0.03], "sell": [0.01, 0.9], "bid_ask": [0.0, 0.04]}
    kept = book([[1.0, 1.0]] * 3, {0: [1.0, 0.0], 1: [0.0, 1.0]}, DAILY, charge=charge)
    x = 0.99 / 1.05
    assert kept.days[1].value == close(x)
    assert kept.days[1].commissions == close([-0.01, -0.03 * x])
    assert kept.days[1].bid_ask == close([0.0, -0.02 * x])


def test_a_fixed_cost_is_paid_for_each_asset_that_is_traded() -> None:
    # Three are bought, one is nothing: 100 - 3 * 0.5. Then a doubles; the three are put right: 3 * 0.5 again.
    prices: list[Row] = [[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0]]
    kept = book(prices, [0.2, 0.2, 0.2, 0.0], DAILY, charge={"fixed": 0.5}, initial=100.0)
    assert kept.days[0].fixed == [-0.5, -0.5, -0.5, 0.0]
    assert values(kept)[:2] == close([98.5, 98.5 * 1.2 - 1.5])


def test_nothing_is_traded_where_nothing_has_moved() -> None:
    kept = book([[1.0]] * 4, [0.5], DAILY, charge={"fixed": 0.5}, initial=100.0)
    assert values(kept) == close([99.5] * 4)
    assert traded(kept) == [0, 1, 2]


def test_shorts_are_sold_at_the_cost_of_selling_and_bought_back_at_that_of_buying() -> None:
    # Short -x at 10 %: x + 0.1 x = 1. Bought back at 20 % of x, nothing else moved.
    charge = {"buy": 0.2, "sell": 0.1}
    kept = book([[1.0]] * 3, {0: [-1.0], 1: [0.0]}, DAILY, charge=charge)
    x = 1.0 / 1.1
    assert values(kept) == close([x, x - 0.2 * x, x - 0.2 * x])
    assert kept.days[1].trades == close([x])


# Delisting


def test_a_delisted_asset_is_paid_out_at_what_is_recovered() -> None:
    # 0.5 of a becomes 0.6, then 40 % of it: 0.24, in cash at no cost. b is held on as it is.
    prices: list[Row] = [[1.0, 1.0], [1.2, 1.0], [None, 1.0], [None, 2.0]]
    kept = book(prices, [0.5, 0.5], NEVER, recovery=[0.4, 1.0], charge={"sell": 0.05}, cash=[0, 0, 0, 0.1])
    assert values(kept) == close([1.0, 1.1, 0.74, 1.0 + 0.24 * 1.1])
    assert kept.days[2].gains == close([-0.36, 0.0])
    assert kept.days[2].weights == close([0.0, 0.5 / 0.74])
    assert kept.days[2].trades is None


def test_a_short_gains_what_is_not_recovered_and_pays_the_fee_of_its_last_period() -> None:
    # Short 0.5 of a at 1: the fee is 0.01, the gain 0.5 * 0.75.
    fee = {"short_fee": 0.02}
    kept = book([[1.0, 1.0], [None, 1.0]], [-0.5, 0.0], NEVER, recovery=[0.25, 1.0], charge=fee)
    assert kept.days[1].gains == close([0.375, 0.0])
    assert kept.days[1].value == close(1.365)


def test_an_order_keeps_as_cash_what_it_wanted_of_what_is_delisted() -> None:
    # Decided on row 1, before a is gone; due on row 2, when it is: b goes from 0.5 to 0.3, a stays cash.
    prices: list[Row] = [[1.0, 1.0], [1.0, 1.0], [None, 1.0], [None, 1.0], [None, 1.0]]
    answers = {0: [0.5, 0.5], 1: [0.7, 0.3]}
    second = Clock("OnDates", days=(dt.date(2002, 1, 31),))
    kept = book(prices, answers, second, lag=1, recovery=[1.0, 1.0])
    assert traded(kept) == [1, 2]
    assert kept.days[2].weights == close([0.0, 0.3])
    assert kept.days[2].trades == close([0.0, -0.2])


def test_a_build_after_a_delisting_leaves_it_out() -> None:
    kept = book([[1.0, 1.0], [None, 1.0], [None, 1.0]], [0.5, 0.5], NEVER, lag=1, recovery=[0.0, 1.0])
    assert kept.days[1].weights == close([0.0, 0.5])
    assert kept.days[1].value == 1.0


def test_a_delisting_moves_the_target_of_the_band_and_triggers_nothing() -> None:
    prices: list[Row] = [[1.0, 1.0], [None, 1.0], [None, 1.0], [None, 3.0], [None, 3.0]]
    kept = book(prices, {0: [0.5, 0.5], 3: [0.0, 0.6]}, Fence([0.2, 0.2]), recovery=[1.0, 1.0])
    assert traded(kept) == [0, 3]  # b at 1.5 / 2 is the first outside


# Flows


def test_a_flow_is_spread_over_everything_and_pays_for_it() -> None:
    # 0.6 and 0.4 in cash; 0.5 comes in. 0.6 x - 0.6 is bought at 1 %: x + 0.01 (0.6 x - 0.6) = 1.5.
    kept = book([[1.0]] * 3, [0.6], NEVER, charge={"buy": [0.0]}, flows={dt.date(2002, 1, 31): 0.5})
    assert kept.days[1].value == close(1.5)
    assert kept.days[1].weights == close([0.6])
    assert kept.days[1].trades == close([0.3])
    assert kept.days[1].decided is None
    charged = book([[1.0]] * 3, {0: [0.6]}, NEVER, charge={"sell": 0.01}, flows={dt.date(2002, 1, 31): -0.5})
    # 0.6 - 0.6 x is sold at 1 %: x = 0.5 - 0.006 + 0.006 x.
    assert charged.days[1].value == close(0.494 / 0.994)
    assert charged.days[1].weights == close([0.6])


def test_a_flow_on_a_row_with_a_trade_is_part_of_what_is_traded() -> None:
    day = dt.date(2002, 1, 31)
    kept = book([[1.0]] * 4, {0: [0.6], 1: [0.2]}, Clock("OnDates", days=(day,)), flows={day: 0.5})
    assert kept.days[1].weights == close([0.2])
    assert kept.days[1].trades == close([0.3 - 0.6])
    assert kept.days[1].turnover == close(abs(0.2 - 0.6 / 1.5) / 2)


def test_flows_between_rows_act_on_the_next_and_add_up() -> None:
    days = [dt.date(2001, 2, 1), dt.date(2001, 12, 31), dt.date(2002, 1, 31), dt.date(2002, 2, 1)]
    kept = book([[1.0]] * 4, [0.5], NEVER, flows=dict(zip(days, [0.1, 0.2, 0.3, 1.0], strict=True)))
    assert [day.flow for day in kept.days.values()] == close([0.0, 0.6, 1.0, 0.0])
    assert values(kept) == close([1.0, 1.6, 2.6, 2.6])


def test_a_flow_on_the_last_row_stays_cash() -> None:
    kept = book([[1.0]] * 2, [0.5], DAILY, charge={"buy": 0.05}, flows={dt.date(2002, 1, 31): 1.0})
    x = 1.0 / 1.025
    assert kept.days[1].value == close(x + 1.0)
    assert kept.days[1].weights == close([0.5 * x / (x + 1.0)])
    assert kept.days[1].trades is None


@pytest.mark.parametrize("day", [dt.date(2000, 1, 1), dt.date(2001, 1, 31), dt.date(2002, 2, 1)])
def test_flows_before_there_is_a_portfolio_or_after_the_last_row_are_refused(day: dt.date) -> None:
    with pytest.raises(Refused):
        book([[1.0]] * 2, [0.5], NEVER, flows={day: 1.0})


# Ruin


def test_a_loss_of_everything_ends_the_book() -> None:
    # Twice levered, down 60 %: 2 * 0.4 - 1 = -0.2, which the lender bears.
    kept = book([[1.0], [0.4], [1.0]], [2.0], NEVER, flows={dt.date(2002, 1, 31): 9.0})
    assert kept.ruined == 1
    assert values(kept) == [1.0, 0.0]
    assert kept.days[1].gains == close([-1.2])
    assert kept.days[1].written_off == close(0.2)
    assert kept.days[1].flow == 0.0


def test_ruin_is_to_have_less_than_selling_costs() -> None:
    # Twelve shares and a debt of 11. At 0.95 the shares are worth 11.4: selling them costs 5 %, 0.57, of 0.4.
    kept = book([[1.0], [0.95], [1.0]], {0: [12.0], 1: [0.0]}, DAILY, charge={"sell": 0.05})
    assert kept.ruined == 1
    assert kept.days[1].written_off == close(-0.4)


def test_a_withdrawal_of_more_than_there_is_pays_out_what_is_left_after_selling() -> None:
    kept = book([[1.0]] * 3, [0.5], NEVER, charge={"sell": 0.02}, flows={dt.date(2002, 1, 31): -0.995})
    assert kept.ruined == 1
    assert values(kept) == [1.0, 0.0]
    assert kept.days[1].costs() == close([0.01])
    assert kept.days[1].flow == close(-0.99)


def test_all_can_be_withdrawn_on_the_last_row() -> None:
    kept = book([[1.0]] * 2, [0.5], NEVER, charge={"sell": 0.02}, flows={dt.date(2002, 1, 31): -2.0})
    assert kept.ruined == 1
    assert kept.days[1].flow == -1.0


def test_first_order_costs_of_more_than_everything_ruin() -> None:
    charge = {"buy": 0.1, "first_order": True}  # 1.2 to buy 12
    assert book([[1.0]] * 3, {0: [0.0], 1: [12.0]}, DAILY, charge=charge).ruined == 1
    with pytest.raises(Refused):
        book([[1.0]] * 2, [12.0], NEVER, charge=charge)


def test_fixed_costs_can_ruin() -> None:
    kept = book([[1.0], [0.05], [0.05]], {0: [1.0], 1: [0.0]}, DAILY, charge={"fixed": 1.0}, initial=20.0)
    assert kept.ruined == 1  # 0.95 is left, and selling costs 1


# When to trade


def dated(days: list[dt.date], rule: Clock, lag: int = 0) -> list[dt.date]:
    """Return the dates of the trades of a rule, after the build on the first."""
    kept = book([[1.0 + row % 2] for row in range(len(days))], [0.5], rule, dates=days, lag=lag)
    return [days[row] for row in traded(kept)][1:]


def test_calendars_decide_on_the_last_row_of_their_period() -> None:
    day, april = dt.timedelta(1), dt.date(2024, 4, 1)
    days = [dt.date(2023, 12, 1) + k * day for k in range(160)]
    days = [d for d in days if d.weekday() < 5 and d != dt.date(2024, 3, 29)]  # Good Friday
    ends = [dt.date(2024, 2, 29), dt.date(2024, 3, 28), dt.date(2024, 4, 30)]
    assert dated(days, Clock("Monthly"))[-3:] == ends
    assert dated(days, Clock("Monthly"), lag=1)[-2] == april
    assert dated(days, Clock("Quarterly")) == [dt.date(2023, 12, 29), dt.date(2024, 3, 28)]
    assert dated(days, Clock("Yearly")) == [dt.date(2023, 12, 29)]
    assert dated(days, Clock("Weekly"))[-5:-3] == [dt.date(2024, 4, 5), dt.date(2024, 4, 12)]
    assert dt.date(2024, 3, 28) in dated(days, Clock("Weekly"))
    assert dated(days, Clock("Daily")) == days[1:-1]
    assert dated(days, Clock("EveryNRows", 50)) == [days[50], days[100]]
    between = (dt.date(2024, 3, 29), dt.date(2024, 3, 30), dt.date(2024, 3, 5), dt.date(2030, 1, 1))
    assert dated(days, Clock("OnDates", days=between)) == [dt.date(2024, 3, 5), april]


def test_trades_come_lag_rows_after_each_decision_and_never_on_the_last_row() -> None:
    kept = book([[1.0], [2.0]] * 3, {row: [0.1 * row] for row in range(6)}, DAILY, lag=2)
    assert [(row, kept.days[row].decided) for row in traded(kept)] == [(2, 0), (3, 1), (4, 2)]
    assert [kept.days[row].weights for row in (3, 4)] == [close([0.1]), close([0.2])]


def test_a_band_is_left_only_by_more_than_its_width() -> None:
    # 0.5 in the share: at 1.5 it is 0.6 of 1.25, not more than 0.1 away; at 1.6 it is.
    for price, rows in ((1.49, [0]), (1.6, [0, 1])):
        assert traded(book([[1.0], [price], [price]], [0.5], Fence([0.1]))) == rows


def test_widths_are_by_asset_and_may_be_a_fraction_of_the_target() -> None:
    # a from 0.2 to 0.3 / 1.1 = 0.27, b to 0.8 / 1.1 = 0.73.
    prices: list[Row] = [[1.0, 1.0], [1.5, 1.0], [1.5, 1.0]]
    for widths, relative, rows in (
        ([0.1, 0.1], False, [0]),
        ([0.05, 0.9], False, [0, 1]),
        ([0.9, 0.05], False, [0, 1]),
        ([0.5, 0.5], True, [0]),  # 0.1 and 0.4
        ([0.3, 0.5], True, [0, 1]),  # 0.06 and 0.4
    ):
        assert traded(book(prices, [0.2, 0.8], Fence(widths, relative=relative))) == rows


def test_a_short_has_a_band_around_its_target() -> None:
    # -0.5 becomes -0.6 of 0.9: 0.167 away; a third of 0.5 is as far as a relative width of 0.3 goes.
    assert traded(book([[1.0], [1.2], [1.2]], [-0.5], Fence([0.3], relative=True))) == [0, 1]
    assert traded(book([[1.0], [1.2], [1.2]], [-0.5], Fence([0.4], relative=True))) == [0]


def test_a_band_on_a_calendar_is_tested_on_its_rows_only() -> None:
    prices: list[Row] = [[1.0], [9.0], [1.0], [9.0], [9.0], [9.0]]
    kept = book(prices, [0.5], Fence([0.1], on=Clock("EveryNRows", 2)))
    assert traded(kept) == [0, 4]  # back within on row 2


def test_a_band_is_not_tested_while_an_order_is_out() -> None:
    # Left on row 1, traded on row 3; it is outside again on row 4 at the soonest.
    prices: list[Row] = [[1.0], [1.0], [1.0], [2.0], [4.0], [4.0], [8.0], [16.0], [32.0]]
    kept = book(prices, [0.5], Fence([0.1]), lag=2)
    assert [(row, kept.days[row].decided) for row in traded(kept)] == [(2, 0), (5, 3)]


def test_to_the_edge_and_half_way() -> None:
    # a 0.5 and b 0.5; a at 3: 1.5 of 2, 0.75 and 0.25: 0.25 away with a width of 0.1.
    # Edge: 0.6 and 0.4; half-way: 0.55 and 0.45.
    prices: list[Row] = [[1.0, 1.0], [3.0, 1.0], [3.0, 1.0]]
    for to, weights in (("edge", [0.6, 0.4]), ("halfway", [0.55, 0.45]), ("target", [0.5, 0.5])):
        kept = book(prices, [0.5, 0.5], Fence([0.1, 0.1], to=to))
        assert kept.days[1].weights == close(weights)
        assert kept.days[1].value == close(2.0)


def test_the_edge_is_on_the_straight_line_and_the_furthest_asset_decides() -> None:
    # a 0.2, b 0.2, cash 0.6; a at 6: 1.2 of 2, so 0.6, 0.1 and 0.3. Widths 0.1, 0.05: a must go 0.75 of its
    # way, b 0.5: a to 0.3, b to 0.175, cash to 0.525.
    kept = book([[1.0, 1.0], [6.0, 1.0], [6.0, 1.0]], [0.2, 0.2], Fence([0.1, 0.05], to="edge"))
    assert kept.days[1].weights == close([0.3, 0.175])


def back_within_the_band(**changes: Any) -> Book:
    """Built on row 1 at 0.5 each; a at 0.75 on row 2 asks for 0.55; on row 3, when it is due, a is at 0.5."""
    prices: list[Row] = [[price, 1.0] for price in (1.0, 1.0, 3.0, 1.0, 5 / 3, 2.0, 2.0, 2.0)]
    answers = {0: [0.5, 0.5], 2: [0.55, 0.45], 5: [0.5, 0.5]}
    return book(prices, answers, Fence([0.1, 0.1], to="edge"), lag=1, **changes)


def test_nothing_is_traded_where_the_band_is_kept_when_the_trade_is_due() -> None:
    # From row 3 on the band is around 0.55: 0.625 on row 4 is within it, as it would not be within that of
    # 0.5; 0.667 on row 5 is outside, and the trade of row 6 goes to the edge of the new target, 0.6.
    kept = back_within_the_band()
    assert traded(kept) == [1, 6]
    assert kept.days[6].weights == close([0.6, 0.4])


def test_a_flow_is_spread_where_the_trade_that_is_due_has_nothing_to_do() -> None:
    kept = back_within_the_band(flows={dt.date(2004, 1, 31): 1.0})
    assert kept.days[3].weights == close([0.5, 0.5])
    assert kept.days[3].trades == close([0.5, 0.5])
    assert traded(kept) == [1, 6]


def test_the_way_to_the_edge_is_measured_before_the_flow() -> None:
    # 0.75 and 0.25 of 2.0: to the edge, 0.6 and 0.4, whatever comes in or goes out.
    prices: list[Row] = [[1.0, 1.0], [3.0, 1.0], [3.0, 1.0]]
    for flow in (-1.5, 2.0):
        flows = {dt.date(2002, 1, 31): flow}
        kept = book(prices, [0.5, 0.5], Fence([0.1, 0.1], to="edge"), flows=flows)
        assert kept.days[1].weights == close([0.6, 0.4])
        assert kept.days[1].value == close(2.0 + flow)


def test_too_much_leverage_asks() -> None:
    # 1.5 long, 0.5 borrowed; down to 0.9: 1.35 of 0.85 is 1.588.
    prices: list[Row] = [[1.0], [0.9], [0.9]]
    assert traded(book(prices, [1.5], Ceiling(1.58))) == [0, 1]
    assert traded(book(prices, [1.5], Ceiling(1.59))) == [0]
    # Long 1, short 0.5: the short doubles: 1 of 0.5 and 1 of 0.5.
    assert traded(book([[1.0, 1.0], [1.0, 2.0], [1.0, 2.0]], [1.0, -0.5], Ceiling(3.9))) == [0, 1]


def test_either_of_two_rules_asks_and_a_calendar_goes_to_target() -> None:
    prices: list[Row] = [[1.0, 1.0], [3.0, 1.0], [3.0, 1.0], [3.0, 3.0], [3.0, 3.0], [3.0, 3.0]]
    edge, half = Fence([0.1, 0.1], to="edge"), Fence([0.1, 0.1], to="halfway")
    both = book(prices, [0.5, 0.5], edge, Clock("EveryNRows", 4))
    assert traded(both) == [0, 1, 3, 4]
    assert both.days[1].weights == close([0.6, 0.4])
    assert both.days[4].weights == close([0.5, 0.5])
    assert book(prices, [0.5, 0.5], edge, DAILY).days[1].weights == close([0.5, 0.5])
    assert book(prices, [0.5, 0.5], edge, half).days[1].weights == close([0.6, 0.4])
    assert book(prices, [0.5, 0.5], half, edge).days[1].weights == close([0.55, 0.45])
    assert book(prices, [0.5, 0.5], edge, Ceiling(0.5)).days[1].weights == close([0.5, 0.5])


# What is wanted


def test_hold_trades_nothing_and_at_first_means_cash() -> None:
    kept = book([[1.0], [2.0], [2.0], [2.0]], {0: HOLD, 1: [0.5], 2: HOLD}, DAILY, charge={"buy": 0.01})
    assert traded(kept) == [0, 1]
    assert [day.weights for day in kept.days.values()] == [[0.0], close([0.5]), close([0.5]), close([0.5])]


def test_hold_leaves_the_band_where_it_was() -> None:
    # Outside on rows 1 and 2; on row 1 the strategy holds, so it is asked again on row 2.
    kept = book([[1.0], [3.0], [3.0], [3.0]], {0: [0.5], 1: HOLD, 2: [0.5]}, Fence([0.1]))
    assert traded(kept) == [0, 2]


def test_a_decision_above_the_most_leverage_is_scaled_down() -> None:
    kept = book([[1.0, 1.0]] * 3, {0: [1.5, -0.5], 1: [0.6, -0.4]}, DAILY, max_leverage=1.0)
    assert kept.days[0].weights == close([0.75, -0.25])
    assert kept.days[1].weights == close([0.6, -0.4])
    assert kept.capped == [0]


def test_shorts_need_leave() -> None:
    with pytest.raises(Refused):
        book([[1.0]] * 2, [-0.1], NEVER, allow_short=False)


def test_what_is_not_listed_yet_waits_or_is_left_out() -> None:
    prices: list[Row] = [[1.0, None], [1.0, None], [1.0, 1.0], [1.0, 1.0]]
    assert min(book(prices, [0.6, 0.2], NEVER).days) == 2
    for policy, weights in (("cash", [0.6, 0.0]), ("pro_rata", [0.8, 0.0])):
        assert book(prices, [0.6, 0.2], NEVER, unlisted=policy).days[0].weights == close(weights)
    # Nothing can stand in for the short.
    assert min(book(prices, [0.6, -0.2], NEVER, unlisted="pro_rata").days) == 2
    assert min(book(prices, [0.0, 0.2], NEVER, unlisted="pro_rata").days) == 2


def test_longs_stand_in_for_longs_and_shorts_for_shorts() -> None:
    # Of 1.2 long half is missing, of 0.3 short two thirds.
    prices: list[Row] = [[1.0, None, 1.0, None], [1.0] * 4]
    kept = book(prices, [0.6, 0.6, -0.1, -0.2], NEVER, unlisted="pro_rata")
    assert kept.days[0].weights == close([1.2, 0.0, -0.3, 0.0])


def test_what_is_gone_is_refused_or_left_out() -> None:
    prices: list[Row] = [[1.0, 1.0], [1.0, None], [1.0, None]]
    with pytest.raises(Refused):
        book(prices, [0.6, 0.2], DAILY)
    with pytest.raises(Refused):
        book(prices, {0: None, 1: [0.6, 0.2]}, DAILY)
    for policy, weights in (("cash", [0.6, 0.0]), ("pro_rata", [0.8, 0.0])):
        assert book(prices, [0.6, 0.2], DAILY, unlisted=policy).days[1].weights == close(weights)
    assert book(prices, [0.0, 0.2], DAILY, unlisted="pro_rata").days[1].weights == [0.0, 0.0]


def test_what_a_day_kept_adds_up() -> None:
    day = Day([2.0], [-0.1], [-0.2], [-0.3], [-0.4], 0.5, -0.6, -0.7, 0.8)
    assert day.change() == close(2.0 - 0.1 - 0.2 - 0.3 - 0.4 + 0.5 - 0.6 - 0.7 + 0.8)
    assert day.costs() == close([0.6])
