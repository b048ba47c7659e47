"""The kernel where it takes another way: many assets, many trades, cash that fees turn into debt.

Mutation testing (docs/mutation.md) found that no fast test held these. The oracle is the ledger, or the
kernel itself a row at a time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_markets import Restless, fixed, random_market
from ledger import keep_book
from ledger_runs import Setup, assert_same

from allocator.engine import (
    Backtest,
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    FixedMix,
    LeverageAbove,
    Monthly,
    OnDates,
    Strategy,
    TargetWeights,
    Weekly,
    run_backtest,
)
from allocator.engine.accounting import _Chain, _first_unpaid, account
from allocator.engine.costs import Charges
from allocator.engine.ground import Ground, in_order, row_sums, rows_of
from allocator.engine.itemise import cash_after, flows_by_row, trade_costs, trades
from allocator.engine.paths import Events, cash_weights, drifted_weights, relative_paths
from allocator.engine.plan import Plan, Reason
from allocator.engine.trade_cost import cost_with_fixed, moved_weights, self_financing_cost
from allocator.errors import StrategyError
from allocator.frequency import FREQUENCIES
from allocator.market import Market

ALL_COSTS = Costs(
    0.001, 0.02, selling=0.003, bid_ask=0.002, short_fee=0.03, management_fee=0.01, fixed=0.0, model="exact"
)


def wide_market(n_assets: int, n_rows: int = 40) -> Market:
    """Return monthly prices of more assets than the generators of the other tests name."""
    rng = np.random.default_rng(n_assets)
    index = pd.date_range("1990-01-31", periods=n_rows, freq="ME")
    levels = np.exp(np.cumsum(rng.normal(0.0, 0.05, (n_rows, n_assets)), axis=0)) * rng.uniform(
        1, 90, n_assets
    )
    cash = pd.Series(rng.uniform(0.0, 0.004, n_rows), index=index)
    return Market(pd.DataFrame(levels, index=index, columns=[f"A{j}" for j in range(n_assets)]), cash)


def flows_of(market: Market) -> dict[dt.date, float]:
    days = market.index.date
    return {days[9]: 0.2, days[20]: -0.1, days[31]: 0.05}


def ledger_agrees(setup: Setup) -> None:
    assert_same(setup.backtest(), keep_book(setup.instructions()), setup)


# Rows lie together from 64 assets on


@pytest.mark.parametrize("n_assets", [3, 63, 64, 66])
@pytest.mark.parametrize("rule", [EveryNRows(7), Band(0.004) | EveryNRows(13)], ids=str)
def test_few_and_many_assets_agree_with_the_ledger(n_assets: int, rule: Any) -> None:
    market = wide_market(n_assets)
    strategy = Restless(lookback=2, gross=1.4, short=True)
    ledger_agrees(Setup(strategy, market, rule, ALL_COSTS, 1, flows=flows_of(market), allow_short=True))


@pytest.mark.parametrize("n_assets", [4, 65])
@pytest.mark.parametrize("gone_at", [18, 39])
@pytest.mark.parametrize("recovered", [0.0, 0.4])
@pytest.mark.parametrize("rule", [EveryNRows(6), Band(0.004), BuyAndHold()], ids=str)
def test_what_leaves_the_market_agrees_with_the_ledger(
    n_assets: int, gone_at: int, recovered: float, rule: Any
) -> None:
    whole = wide_market(n_assets)
    prices = whole.prices.copy()
    prices.iloc[gone_at:, 1] = np.nan
    prices.iloc[gone_at - 6 :, 2] = np.nan
    prices.iloc[:5, 3] = np.nan
    recovery = {"A1": recovered, "A2": 0.0}
    cash = pd.Series(whole.cash, index=whole.index)
    market = Market(prices, cash, delisted=recovery)
    strategy = Restless(lookback=2, gross=1.2, short=True, wants_gone=True)
    flows = flows_of(market)
    costs, lag = ALL_COSTS, 1
    setup = Setup(strategy, market, rule, costs, lag, "cash", recovery, 1.0, flows, allow_short=True)
    ledger_agrees(setup)


@pytest.mark.parametrize("n_assets", [1, 5, 20, 63, 64])
def test_a_row_has_the_same_sum_and_prices_beside_any_others(n_assets: int) -> None:
    table = np.random.default_rng(3).normal(size=(9, n_assets))
    for ordered in (np.asfortranarray(table), np.ascontiguousarray(table), in_order(table)):
        np.testing.assert_allclose(row_sums(ordered), [sum(row) for row in table.tolist()], rtol=1e-12)
        rows = np.array([1, 4, 8])
        np.testing.assert_array_equal(rows_of(ordered, rows), table[rows])
    ordered = in_order(table)
    for alone in (ordered[2:3], in_order(ordered[2:3].copy())):  # to the bit
        np.testing.assert_array_equal(row_sums(alone), row_sums(ordered)[2:3])


def test_tables_lie_as_the_prices_do() -> None:
    assert in_order(np.ones((3, 63))).flags.f_contiguous
    assert in_order(np.ones((3, 64))).flags.c_contiguous
    assert rows_of(np.asfortranarray(np.ones((9, 63))), np.array([1, 2])).flags.f_contiguous


# Costs of many trades at once


def charges(n_assets: int, *, fixed_cost: float = 0.0, is_exact: bool = True) -> Charges:
    rates = np.linspace(0.0, 0.02, n_assets)
    return Charges(rates, rates[::-1].copy(), np.full(n_assets, 0.0005), fixed_cost, is_exact)


@pytest.mark.parametrize("shape", [(7000, 3), (2, 17_000), (16_384, 1), (16_385, 1)], ids=str)
@pytest.mark.parametrize("is_exact", [True, False])
def test_the_cost_of_a_trade_does_not_depend_on_the_trades_beside_it(
    shape: tuple[int, int], is_exact: bool
) -> None:
    rng = np.random.default_rng(5)
    before, targets = (rng.dirichlet(np.full(shape[1], 0.5), shape[0]) for _ in range(2))
    terms = charges(shape[1], is_exact=is_exact)
    together = self_financing_cost(before, targets, terms, 0.001)
    for k in [*range(0, shape[0], 997), shape[0] - 1]:
        alone = self_financing_cost(before[k : k + 1], targets[k : k + 1], terms, 0.001)
        assert together[k] == pytest.approx(alone[0], rel=1e-13)


def test_a_fixed_cost_alone_is_a_fraction_of_the_value() -> None:
    free = Charges(np.zeros(2), np.zeros(2), np.zeros(2), 0.0, is_exact=True)
    np.testing.assert_array_equal(self_financing_cost(np.zeros((3, 2)), np.ones((3, 2)), free, 0.25), 0.25)
    terms = Charges(np.zeros(2), np.zeros(2), np.zeros(2), 2.0, is_exact=True)
    before = np.array([[0.5, 0.5]])
    # Both assets are sold, one is: 2 money an asset of 100; of 4 money both cost all there is.
    assert cost_with_fixed(before, np.array([[0.2, 0.3]]), terms, 100.0) == 0.04
    assert cost_with_fixed(before, np.array([[0.0, 0.5]]), terms, 100.0) == pytest.approx(0.04)
    assert cost_with_fixed(before, np.array([[0.2, 0.3]]), terms, 4.0) == 1.0
    assert cost_with_fixed(before, np.array([[0.2, 0.3]]), terms, 4.5) == pytest.approx(4.0 / 4.5)
    assert cost_with_fixed(before, np.array([[0.2, 0.3]]), terms, 3.0) == 1.0


def test_dust_is_moved_by_no_trade() -> None:
    before, targets = np.array([[0.5, 0.5]]), np.array([[0.5 + 9e-13, 0.5 - 2e-12]])
    free = Charges(np.zeros(2), np.zeros(2), np.zeros(2), 0.0, is_exact=True)
    moved = moved_weights(before, targets, np.zeros(1), free)
    assert moved[0, 0] == 0.0
    assert moved[0, 1] == pytest.approx(-2e-12, rel=1e-3)


def test_cash_of_rounding_is_no_cash() -> None:
    targets = np.array([[1.0 - 9e-13, 0.0], [0.5, 0.5 + 9e-13], [0.5, 0.5 - 2e-12], [0.8, 0.3]])
    np.testing.assert_allclose(cash_weights(targets), [0.0, 0.0, 2e-12, -0.1], rtol=1e-3, atol=0.0)


# Cash, debt and the fees of shorts


def ground(levels: list[list[float]], **changes: Any) -> Ground:
    """Return ground on which cash earns 1 % a month, and borrowing costs 1 % a month more."""
    n_rows, n_assets = np.shape(levels)
    index = pd.date_range("2001-01-31", periods=n_rows, freq="ME")
    terms: dict[str, Any] = {
        "levels": np.asfortranarray(levels, dtype=float),
        "cash": np.full(n_rows, 0.01),
        "days": index.values.astype("datetime64[D]").astype(np.int64),
        "frequency": FREQUENCIES["monthly"],
        "borrow_spread": 1.01**12 - 1.0,
        "management_fee": 0.0,
        "short_fees": np.full(n_assets, 1.02**12 - 1.0),
    }
    return Ground(**terms | changes)


def test_fees_of_a_short_turn_cash_into_debt_once_and_debt_pays_the_spread() -> None:
    world = ground([[1.0, 1.0]] * 6)
    paths = relative_paths(world, Events(np.array([0]), np.array([[1.37, -0.4]])))
    cash, expected = 0.03, []
    for _ in range(5):
        cash *= 1.01 if cash >= 0.0 else 1.02
        cash -= 0.4 * 0.02
        expected.append(cash)
    assert expected[0] > 0.0 > expected[-1]
    np.testing.assert_allclose(paths.cash, expected, rtol=1e-12)
    np.testing.assert_allclose(paths.growth, 0.97 + np.array(expected), rtol=1e-12)


def test_a_short_without_cash_borrows_its_fees() -> None:
    world = ground([[1.0, 1.0]] * 4)
    paths = relative_paths(world, Events(np.array([0]), np.array([[1.5, -0.5]])))
    np.testing.assert_allclose(paths.cash, -0.01 * np.cumsum(1.02 ** np.arange(3)), rtol=1e-12)


def test_debt_grows_by_the_spread_and_by_the_fees_of_shorts() -> None:
    world = ground([[1.0, 1.0]] * 4)
    paths = relative_paths(world, Events(np.array([0]), np.array([[1.7, -0.5]])))
    np.testing.assert_allclose(paths.cash, [-0.214, -0.22828, -0.2428456], rtol=1e-12)


def test_one_event_of_several_may_be_short_and_one_asset_of_several_be_charged() -> None:
    world = ground([[1.0, 1.0]] * 5, short_fees=np.array([0.0, 1.02**12 - 1.0]))
    events = Events(np.array([0, 2]), np.array([[1.5, -0.5], [0.5, 0.5]]))
    np.testing.assert_allclose(relative_paths(world, events).cash, [-0.01, -0.0202, 0.0, 0.0], rtol=1e-12)
    free = Events(np.array([0]), np.array([[-0.5, 1.5]]))
    np.testing.assert_allclose(relative_paths(world, free).growth, 1.0, rtol=1e-14)


def test_the_first_events_keep_all_that_belongs_to_them() -> None:
    released = np.array([[False], [True], [False]])
    events = Events(np.arange(3), np.ones((3, 1)), released, np.array([0.0, 1.0, 2.0]))
    first = events.first(2)
    assert first.rows.tolist() == [0, 1]
    assert first.targets.shape == (2, 1)
    assert first.released is not None
    assert first.released.tolist() == [[False], [True]]
    assert first.flows is not None
    assert first.flows.tolist() == [0.0, 1.0]
    bare = Events(np.arange(3), np.ones((3, 1))).first(1)
    assert bare.released is None
    assert bare.flows is None


def test_no_fee_and_no_cash_leave_no_path_of_cash() -> None:
    for world in (
        ground([[1.0, 2.0]] * 4, short_fees=None),
        ground([[1.0, 2.0]] * 4, short_fees=np.zeros(2)),
    ):
        assert world.short_fee is None
        assert relative_paths(world, Events(np.array([0]), np.array([[1.5, -0.5]]))).cash is None
    charged = ground([[1.0, 2.0]] * 4)
    assert relative_paths(charged, Events(np.array([0]), np.array([[0.5, 0.5]]))).cash is None


@pytest.mark.parametrize("fees", [None, np.full(3, 0.03)], ids=["free", "charged"])
def test_the_drift_to_some_rows_is_the_drift_to_all_of_them(fees: Any) -> None:
    rng = np.random.default_rng(4)
    world = ground(np.exp(rng.normal(0.0, 0.1, (9, 3)).cumsum(axis=0)).tolist(), short_fees=fees)
    for target in ([0.3, 0.2, 0.1], [0.9, 0.8, -0.4], [0.5, 0.5, 0.0], [0.8, 0.9, 0.1], [0.9, 0.4, -0.28]):
        held = np.array(target)
        paths = relative_paths(world.cut(2, 9), Events(np.array([0]), held[None]))
        weights, growth = drifted_weights(world, 2, slice(3, 9), held)
        np.testing.assert_allclose(growth, paths.growth, rtol=1e-12)
        expected = held / world.levels[2] * world.levels[3:9] / paths.growth[:, None]
        np.testing.assert_allclose(weights, expected, rtol=1e-12)
        for first in range(3, 9):
            part, grown = drifted_weights(world, 2, slice(first, 9), held)
            np.testing.assert_allclose(part, weights[first - 3 :], rtol=1e-12)
            np.testing.assert_allclose(grown, growth[first - 3 :], rtol=1e-12)
    held = np.array([0.5, 0.5, 0.0])
    np.testing.assert_allclose(drifted_weights(world, 2, slice(2, 3), held)[0][0], held, rtol=1e-14)


def test_drift_to_a_value_of_exactly_nothing_divides_by_nothing() -> None:
    world = ground([[1.0], [0.5], [0.25]], cash=np.zeros(3), borrow_spread=0.0, short_fees=None)
    weights, growth = drifted_weights(world, 0, slice(0, 3), np.array([2.0]))
    assert growth.tolist() == [1.0, 0.0, -0.5]
    assert weights[0, 0] == 2.0
    assert np.isfinite(weights).all()
    assert np.isfinite(drifted_weights(world, 0, slice(0, 2), np.array([2.0]))[0]).all()


def test_drift_before_a_ruin_is_that_of_a_loss() -> None:
    world = ground([[1.0], [0.75], [0.5]], cash=np.zeros(3), borrow_spread=0.0, short_fees=None)
    weights, growth = drifted_weights(world, 0, slice(1, 3), np.array([2.0]))
    assert growth.tolist() == [0.5, 0.0]
    assert weights[0, 0] == 3.0


def test_what_is_worth_nothing_and_not_held_leaves_the_drift_of_the_rest() -> None:
    world = ground([[0.5, 0.0], [0.75, 0.0]], cash=np.zeros(2), short_fees=None)
    weights, growth = drifted_weights(world, 0, slice(1, 2), np.array([0.5, 0.0]))
    assert growth.tolist() == [1.25]
    np.testing.assert_allclose(weights, [[0.6, 0.0]], rtol=1e-14)
    paths = relative_paths(world, Events(np.array([0]), np.array([[0.5, 0.0]])))
    assert paths.units.tolist() == [[1.0, 0.0]]


def test_the_management_fee_is_a_share_of_the_value_for_the_time_that_passed() -> None:
    world = ground([[1.0]] * 4, management_fee=0.12, days=np.array([0, 31, 59, 90]), short_fees=None)
    index = np.asarray(world.fee_index)
    np.testing.assert_allclose(index, 0.88 ** (np.arange(4) / 12.0), rtol=1e-12)
    assert ground([[1.0]] * 4, short_fees=None).fee_index is None


def test_a_cut_of_the_ground_earns_nothing_on_its_first_row() -> None:
    world = ground([[float(k)] for k in range(1, 8)], management_fee=0.1)
    part = world.cut(2, 5)
    assert part.levels[:, 0].tolist() == [3.0, 4.0, 5.0]
    np.testing.assert_allclose(part.lent, [1.0, 1.01, 1.01**2], rtol=1e-14)
    np.testing.assert_allclose(part.borrowed, [1.0, 1.02, 1.02**2], rtol=1e-12)
    np.testing.assert_array_equal(part.days, world.days[2:5])


# Ruin

FREE = Charges(np.zeros(1), np.zeros(1), np.zeros(1), 0.0, is_exact=True)


def test_ruin_by_a_loss_ends_with_the_row_on_which_nothing_is_left() -> None:
    world = ground([[1.0], [1.2], [0.4], [0.2], [0.3]], cash=np.zeros(5), borrow_spread=0.0, short_fees=None)
    found = account(world, Events(np.array([0, 2, 3]), np.full((3, 1), 2.0)), FREE, 10.0)
    assert found.ruined
    assert not found.sold_out
    np.testing.assert_allclose(found.value, [10.0, 14.0, 0.0], atol=1e-12)
    assert found.events.rows.tolist() == [0]
    assert found.before.shape == (1, 1)
    assert len(found.ground.levels) == 3


@pytest.mark.parametrize("levels", [[1.0, 0.7, 0.5, 0.6], [1.0, 0.7, 0.5, 0.4]], ids=str)
def test_a_value_of_exactly_nothing_between_events_is_ruin_on_its_row(levels: list[float]) -> None:
    prices = [[level] for level in levels]
    world = ground(prices, cash=np.zeros(4), borrow_spread=0.0, short_fees=None)
    found = account(world, Events(np.array([0]), np.array([[2.0]])), FREE, 1.0, 5.0)
    assert found.ruined
    assert found.closing_flow == 0.0
    np.testing.assert_allclose(found.value, [1.0, 0.4, 0.0], atol=1e-15)


def test_a_record_of_one_row_is_its_build() -> None:
    terms = Charges(np.full(1, 0.01), np.full(1, 0.01), np.zeros(1), 0.0, is_exact=False)
    found = account(ground([[3.0]], short_fees=None), Events(np.array([0]), np.array([[1.0]])), terms, 50.0)
    assert found.value.tolist() == [49.5]
    assert not found.ruined


def test_a_small_fixed_cost_is_paid_too() -> None:
    terms = Charges(np.zeros(1), np.zeros(1), np.zeros(1), 0.5, is_exact=True)
    found = account(
        ground([[3.0], [6.0]], short_fees=None), Events(np.array([0]), np.ones((1, 1))), terms, 50.0
    )
    assert found.value.tolist() == [49.5, 99.0]


def flat(*flows: float, prices: list[float], target: float = 1.0, **terms: Any) -> Any:
    """Return the accounts of one asset bought at once and traded back to target on every row."""
    world = ground([[price] for price in prices], cash=np.zeros(len(prices)), short_fees=None)
    rates = {"buying": 0.0, "selling": 0.01, "fixed": 0.0} | terms
    buying, selling = np.full(1, rates["buying"]), np.full(1, rates["selling"])
    paid = Charges(buying, selling, np.zeros(1), rates["fixed"], is_exact=True)
    events = Events(np.arange(len(flows)), np.full((len(flows), 1), target), None, np.array(flows))
    return account(world, events, paid, 100.0)


def test_a_withdrawal_of_exactly_all_sells_all_and_pays_out_what_is_left() -> None:
    found = flat(0.0, -100.0, 0.0, prices=[1.0, 1.0, 1.0, 1.0])
    assert found.sold_out
    assert found.ruined
    assert found.closing_flow == -99.0
    assert found.value.tolist() == [100.0, 0.0]
    assert found.events.rows.tolist() == [0, 1]
    assert found.events.targets.tolist() == [[1.0], [0.0]]
    assert found.events.flows.tolist() == [0.0, 0.0]
    assert found.before.tolist() == [[0.0], [1.0]]
    assert found.worth.tolist() == [100.0, 100.0]
    assert found.cost[1] == pytest.approx(0.01, rel=1e-14)
    assert len(found.paths.units) == 2


def test_a_withdrawal_that_leaves_too_little_for_the_trade_sells_all() -> None:
    found = flat(0.0, -97.0, 0.0, prices=[1.0, 1.0, 1.0, 1.0], fixed=2.0, selling=0.0)
    assert found.sold_out
    assert found.closing_flow == pytest.approx(-96.0, rel=1e-14)  # 98 after the build, and 2 for the sale
    assert found.before[1, 0] == pytest.approx(1.0, rel=1e-14)
    assert found.events.rows.tolist() == [0, 1]


def test_a_sale_that_costs_all_there_is_pays_out_nothing() -> None:
    found = flat(0.0, -5.0, 0.0, prices=[1.0, 0.125, 0.125, 0.125], fixed=20.0, selling=0.0)
    assert found.ruined
    assert not found.sold_out
    assert found.closing_flow == 0.0
    assert found.value.tolist() == [80.0, 0.0]
    assert found.events.rows.tolist() == [0]


def test_a_trade_that_cannot_be_paid_does_not_take_place() -> None:
    # Half is held, as 50 units of 100 money less the fixed cost; at 3 money no trade can be paid.
    found = flat(0.0, 0.0, 0.0, prices=[1.0, 0.03, 0.01, 0.01], fixed=4.0, selling=0.0)
    assert found.ruined
    assert not found.sold_out
    assert found.events.rows.tolist() == [0]
    assert found.value.tolist() == [96.0, 0.0]


def unpaid(
    before: list[float],
    target: list[float],
    rates: tuple[float, float],
    *,
    fixed_cost: float = 0.0,
    worth: float = 50.0,
    cost: float = 0.0,
) -> int | None:
    """Return the first of three events that cannot be paid, where only the second may be in doubt."""
    n_assets = len(before)
    buying, selling = (np.full(n_assets, rate) for rate in rates)
    terms = Charges(buying, selling, np.zeros(n_assets), fixed_cost, is_exact=True)
    held = np.array([np.zeros(n_assets), before, np.full(n_assets, 0.5)])
    chain = _Chain(held, np.array([100.0, worth, 60.0]), np.array([0.0, cost, 0.0]))
    one = np.zeros(n_assets)
    return _first_unpaid(chain, np.array([one, target, one]), terms)


def test_a_trade_is_unpaid_where_selling_all_costs_all_there_is() -> None:
    assert unpaid([0.5, 0.5], [0.5, 0.5], (0.05, 0.05)) is None
    assert unpaid([25.0, -0.2], [1.0, 0.0], (0.0, 0.05)) == 1  # 1.25 to sell
    assert unpaid([25.0, -0.2], [1.0, 0.0], (0.05, 0.0)) is None  # buying back 0.2 is cheap
    assert unpaid([0.2, -25.0], [1.0, 0.0], (0.05, 0.0)) == 1  # 1.25 to buy back
    assert unpaid([0.2, -25.0], [1.0, 0.0], (0.0, 0.05)) is None
    assert unpaid([3.0] * 8, [0.1] * 8, (0.05, 0.05)) == 1  # 1.2 for all eight
    assert unpaid([2.0] * 8, [0.1] * 8, (0.05, 0.05)) is None  # 0.8
    assert unpaid([1.0, 1.0], [0.5, 0.5], (0.5, 0.5)) == 1  # exactly all


def test_a_trade_is_unpaid_where_fixed_costs_of_all_it_involves_are_all_there_is() -> None:
    free = (0.0, 0.0)
    assert unpaid([1.0, 0.0], [0.0, 1.0], free, fixed_cost=1.5, worth=2.0) == 1  # one sold, one bought
    assert unpaid([1.0, 0.0], [1.0, 0.0], free, fixed_cost=1.5, worth=2.0) is None  # 0.75 for one
    assert unpaid([1.0, 0.0], [0.0, 1.0], free, fixed_cost=1.5, worth=4.0) is None
    assert unpaid([0.5, 0.5], [0.5, 0.5], free, fixed_cost=1e-6, cost=0.3) is None


def test_a_trade_is_unpaid_where_nothing_is_left_before_it_or_after() -> None:
    rates = (0.001, 0.001)
    for worth, cost in ((0.0, 0.0), (-3.0, 0.0), (50.0, 1.0), (50.0, 1.5)):
        assert unpaid([0.5, 0.5], [0.5, 0.5], rates, worth=worth, cost=cost, fixed_cost=1e-9) == 1
    for cost in (1.0, 1.5):
        assert unpaid([0.5, 0.5], [0.5, 0.5], rates, cost=cost) == 1
    terms = Charges(*np.full((2, 1), 0.001), np.zeros(1), 0.0, is_exact=True)
    chain = _Chain(np.ones((2, 1)), np.array([100.0, 0.0]), np.zeros(2))
    assert _first_unpaid(chain, np.ones((2, 1)), terms) == 1


def test_a_withdrawal_of_exactly_all_on_the_last_row_is_the_end() -> None:
    world = ground([[1.0], [2.0], [4.0]], short_fees=None)
    found = account(world, Events(np.array([0]), np.array([[1.0]])), FREE, 100.0, -400.0)
    assert found.ruined
    assert found.closing_flow == -400.0


def test_money_that_leaves_on_the_last_row_takes_no_more_than_there_is() -> None:
    world = ground([[1.0], [1.1], [1.21]], short_fees=None)
    events = Events(np.array([0]), np.array([[1.0]]))
    kept = account(world, events, FREE, 100.0, -121.0 + 1e-9)
    assert not kept.ruined
    for wanted in (-121.5, -500.0):
        found = account(world, events, FREE, 100.0, wanted)
        assert found.ruined
        assert found.value[-1] == 0.0
        assert found.closing_flow == pytest.approx(-121.0, rel=1e-14)
    more = account(world, events, FREE, 100.0, 9.0)
    assert more.value[-1] == pytest.approx(130.0, rel=1e-14)
    assert more.closing_flow == 9.0
    assert cash_after(more)[-1] == 9.0
    assert flows_by_row(more).tolist() == [0.0, 0.0, 9.0]


# Rules of drift


def test_a_band_is_found_however_far_the_breach_is() -> None:
    """Windows of search double from 256 rows; a breach stands on either side of their edges."""
    index = pd.bdate_range("2001-01-01", periods=1200)
    for far in (1, 2, 255, 256, 257, 258, 767, 768, 769, 770, 1100):
        levels = np.ones((1200, 2))
        levels[far:, 0] = 1.5
        market = Market(pd.DataFrame(levels, index=index, columns=["A", "B"]), 0.0)
        found = run_backtest(
            fixed({"A": 0.5, "B": 0.5}), market, rebalancing=Band(0.05), costs=Costs(0.0), lag=0
        )
        assert list(found.targets.index) == [index[0], index[far]]


# Why holdings change


def reasons(backtest: Backtest) -> dict[int, str]:
    """Return why holdings changed, by row of the market."""
    rows = backtest.market.index.get_indexer(backtest.events.index)
    return dict(zip(rows.tolist(), backtest.events["reason"], strict=True))


def two_assets(first: list[float], second: list[float], **options: Any) -> Market:
    index = pd.bdate_range("2001-01-01", periods=len(first))
    return Market(pd.DataFrame({"A": first, "B": second}, index=index), 0.0, **options)


def test_each_event_says_why_it_is() -> None:
    market = two_assets([1.0] * 5 + [1.5] * 7, [1.0] * 12)
    flows = pd.Series([0.1, 0.1], index=market.index[[3, 8]])
    rule = Band(0.05) | EveryNRows(8)
    found = run_backtest(fixed({"A": 0.5, "B": 0.5}), market, rebalancing=rule, flows=flows, lag=0)
    assert reasons(found) == {0: "build", 3: "flow", 5: "drift", 8: "calendar"}
    plain = run_backtest(fixed({"A": 0.5, "B": 0.5}), market, rebalancing=EveryNRows(4), lag=1)
    assert reasons(plain) == {1: "build", 5: "calendar", 9: "calendar"}


@pytest.mark.parametrize("recovered", [0.0, 0.5])
@pytest.mark.parametrize("rule", [BuyAndHold(), Band(0.9)], ids=str)
def test_a_delisting_is_an_event_where_the_asset_is_held_and_else_none(recovered: float, rule: Any) -> None:
    market = two_assets([1.0] * 12, [1.0] * 7 + [np.nan] * 5, delisted={"B": recovered})
    held = run_backtest(fixed({"A": 0.5, "B": 0.5}), market, rebalancing=rule, lag=0)
    assert reasons(held) == {0: "build", 7: "delisting"}
    assert held.targets["B"].tolist() == [0.5, 0.0]
    free = run_backtest(fixed({"A": 0.5, "B": 0.0}), market, rebalancing=rule, lag=0)
    assert reasons(free) == {0: "build"}


def test_a_delisting_of_all_there_is_is_an_event() -> None:
    market = two_assets([1.0] * 12, [1.0] * 7 + [np.nan] * 5, delisted={"B": 0.5})
    whole = run_backtest(fixed({"B": 1.0}), market, rebalancing=BuyAndHold(), lag=0)
    assert reasons(whole) == {0: "build", 7: "delisting"}


def test_a_trade_with_nothing_to_do_is_no_event() -> None:
    market = two_assets([1.0] * 4 + [1.5] + [1.0] * 7, [1.0] * 12)
    rule = Band(0.05, to="edge")
    found = run_backtest(fixed({"A": 0.5, "B": 0.5}), market, rebalancing=rule, lag=1)
    assert reasons(found) == {1: "build"}


@pytest.mark.parametrize("rule", [EveryNRows(5), Band(0.01), Band(0.01) | EveryNRows(7)], ids=str)
@pytest.mark.parametrize("unlisted", ["cash", "pro_rata"])
def test_what_is_constant_is_asked_anew_where_listings_change(rule: Any, unlisted: str) -> None:
    whole = wide_market(4)
    for late, gone in ((0, 40), (9, 40), (0, 25), (9, 25)):
        prices = whole.prices.copy()
        prices.iloc[:late, 1] = np.nan
        prices.iloc[gone:, 2] = np.nan
        market = Market(
            prices, pd.Series(whole.cash, index=whole.index), delisted={"A2": 0.7} if gone < 40 else None
        )
        weights = {"A0": 0.4, "A1": 0.3, "A2": 0.2, "A3": 0.1}
        options: dict[str, Any] = {"rebalancing": rule, "unlisted": unlisted, "lag": 1}
        once = run_backtest(FixedMix(weights), market, **options)
        anew = run_backtest(fixed(weights), market, **options)
        pd.testing.assert_frame_equal(once.weights, anew.weights, check_exact=True)
        pd.testing.assert_frame_equal(once.events, anew.events, check_exact=True)


def test_what_is_constant_is_refused_once_an_asset_is_gone() -> None:
    market = two_assets([1.0] * 20, [1.0] * 9 + [np.nan] * 11, delisted={"B": 1.0})
    with pytest.raises(StrategyError, match="was delisted on 2001-01-12"):
        run_backtest(FixedMix({"A": 0.5, "B": 0.5}), market, rebalancing=EveryNRows(5), lag=0)


def test_a_table_of_some_assets_holds_none_of_the_others() -> None:
    market = two_assets([1.0] * 12, [2.0] * 12)
    table = pd.DataFrame({"B": [0.5, 0.75]}, index=market.index[[2, 6]])
    found = run_backtest(TargetWeights(table), market, lag=0)
    assert found.targets["A"].tolist() == [0.0, 0.0]
    assert found.targets["B"].tolist() == [0.5, 0.75]


def test_percent_of_longs_and_shorts_that_cancel_is_refused() -> None:
    market = two_assets([1.0] * 12, [2.0] * 12)
    with pytest.raises(StrategyError, match="weights sum to 16; pass fractions, not percent"):
        run_backtest(fixed({"A": 8.0, "B": -8.0}), market, allow_short=True)
    with pytest.raises(StrategyError, match=r"weights sum to 10\.5; pass fractions"):
        run_backtest(fixed({"A": 10.5}), market)
    assert run_backtest(fixed({"A": 10.0}), market).targets["A"].tolist() == [10.0]


def test_others_stand_in_from_the_row_of_a_delisting_and_from_the_first_listing() -> None:
    market = two_assets([1.0] * 12, [1.0] * 6 + [np.nan] * 6, delisted={"B": 1.0})
    mix = fixed({"A": 0.5, "B": 0.5})
    found = run_backtest(mix, market, rebalancing=EveryNRows(3), unlisted="pro_rata", lag=0)
    assert found.targets.loc[market.index[6], "A"] == 1.0
    prices = pd.DataFrame(np.ones((12, 3)), index=market.index, columns=["A", "B", "C"])
    prices.iloc[:3, 1], prices.iloc[:6, 2] = np.nan, np.nan
    late = FixedMix({"B": 0.5, "C": 0.5})
    assert (
        run_backtest(late, Market(prices, 0.0), unlisted="pro_rata", lag=0).value.index[0] == market.index[3]
    )


def test_a_trade_that_its_own_fixed_cost_cancels_has_paid_it() -> None:
    terms = Charges(np.zeros(1), np.zeros(1), np.zeros(1), 2.0, is_exact=True)
    world = ground([[1.0]] * 4, cash=np.zeros(4), short_fees=None)
    less = 1.0 - 2.0 / 98.0  # what a target of 1 leaves after 2 of the 98 that the build leaves
    found = account(world, Events(np.array([0, 2]), np.array([[less], [1.0]])), terms, 100.0)
    assert found.value.tolist() == [98.0, 98.0, 96.0, 96.0]
    assert trades(found, terms)[1].tolist() == [0.0]
    assert trade_costs(found, terms)["fixed"].tolist() == [[2.0], [2.0]]


def test_a_fixed_cost_of_a_trade_of_cents_is_itemised() -> None:
    terms = Charges(np.zeros(1), np.zeros(1), np.zeros(1), 0.01, is_exact=True)
    found = account(ground([[1.0]] * 2, short_fees=None), Events(np.array([0]), np.ones((1, 1))), terms, 0.5)
    assert trade_costs(found, terms)["fixed"].tolist() == [[0.01]]


def test_two_dates_between_two_rows_act_once_and_none_acts_on_the_last_row() -> None:
    index = pd.DatetimeIndex(["2001-01-04", "2001-01-05", "2001-01-08", "2001-01-09"])
    rule = OnDates(["2001-01-06", "2001-01-07", "2001-01-09"])
    assert rule.scheduled(index, FREQUENCIES["daily"]).tolist() == [2]


def test_the_last_row_is_never_a_day_to_decide_on() -> None:
    index = pd.bdate_range("2001-01-01", periods=4)
    assert Daily().scheduled(index, FREQUENCIES["daily"]).tolist() == [0, 1, 2]


def test_leverage_at_its_limit_is_not_above_it() -> None:
    (trigger,) = LeverageAbove(1.5).triggers(("A", "B"), pd.DatetimeIndex([]), FREQUENCIES["daily"])
    drifted = np.array([[1.0, -0.5], [1.0, 0.75]])
    assert trigger.breached(drifted, np.ones(2)).tolist() == [False, True]


def test_a_week_ends_before_a_monday_that_is_the_last_row() -> None:
    index = pd.bdate_range("2001-01-01", "2001-01-15")
    assert Weekly().scheduled(index, FREQUENCIES["daily"]).tolist() == [4, 9]


def test_a_band_keeps_the_widths_that_it_was_given() -> None:
    widths = {"A": 0.05, "B": 0.1}
    band = Band(widths)
    widths["A"] = 0.9
    assert band.width == {"A": 0.05, "B": 0.1}


def test_the_drift_after_a_delisting_is_looked_at_from_its_row_on() -> None:
    prices = pd.DataFrame(
        np.ones((14, 3)), index=pd.bdate_range("2001-01-01", periods=14), columns=["A", "B", "C"]
    )
    prices.iloc[7:, 2] = np.nan
    market = Market(prices, 0.0, delisted={"C": 0.0})
    mix = fixed({"A": 0.4, "B": 0.4, "C": 0.2})
    found = run_backtest(mix, market, rebalancing=Band(0.05), unlisted="cash", lag=1)
    assert reasons(found) == {1: "build", 7: "delisting", 8: "drift"}
    assert found.events["decided"].iloc[2] == market.index[7]


def test_what_a_strategy_answers_after_a_ruin_does_not_matter() -> None:
    @dataclass(frozen=True)
    class Failing(Strategy):
        name: str = "failing"

        def weights(self, past: Market) -> dict[str, float]:
            if len(past.index) > 8:
                raise ValueError("no idea")
            return {"A": 3.0}

    market = two_assets([1.0] * 5 + [0.5] * 7, [1.0] * 12)
    for rule in (EveryNRows(9), EveryNRows(9) | Band(0.9)):
        found = run_backtest(Failing(), market, rebalancing=rule, lag=0)
        assert found.ruined_on == market.index[5]


def test_holding_is_no_leverage_to_scale_down() -> None:
    prices, cash = random_market(13, 3, 60, "daily")
    strategy = Restless(lookback=2, gross=1.5, patience=3)
    ledger_agrees(Setup(strategy, Market(prices, cash), EveryNRows(2), ALL_COSTS, 1, max_leverage=1.2))


def test_nothing_is_written_off_but_by_a_ruin() -> None:
    market = wide_market(3)
    found = run_backtest(fixed({"A0": 0.5, "A1": 0.3}), market, costs=ALL_COSTS, rebalancing=EveryNRows(3))
    assert (found.itemised["written_off"] == 0.0).all()
    ruined = run_backtest(
        fixed({"A": 3.0}),
        two_assets([1.0] * 5 + [0.5] * 7, [1.0] * 12),
        costs=Costs(0.0),
        rebalancing=BuyAndHold(),
    )
    assert ruined.itemised["written_off"].iloc[-1] == pytest.approx(0.5, rel=0.01)


def test_decisions_of_drift_that_the_mandate_scales_down_are_recorded() -> None:
    prices, cash = random_market(12, 3, 60, "daily", scale=2.0)
    market = Market(prices, cash)
    strategy = Restless(lookback=2, gross=1.5)
    setup = Setup(strategy, market, Band(0.05), ALL_COSTS, 1, max_leverage=1.2)
    assert len(setup.backtest().capped) > 3
    ledger_agrees(setup)


def test_a_decision_that_fails_before_the_build_is_an_error() -> None:
    @dataclass(frozen=True)
    class Failing(Strategy):
        name: str = "failing"

        def weights(self, past: Market) -> dict[str, float]:
            if len(past.index) > 2:
                raise ValueError("no idea")
            return {"A": 1.0}

    market = two_assets([1.0] * 12, [1.0] * 12)
    for rule in (EveryNRows(2), EveryNRows(2) | Band(0.5)):
        with pytest.raises(StrategyError, match="no idea"):
            run_backtest(Failing(), market, rebalancing=rule, lag=4)


def test_a_sale_for_a_withdrawal_was_no_decision() -> None:
    events = Events(np.arange(3), np.ones((3, 1)))
    plan = Plan(events, np.array([0, 1, 2]), np.full(3, Reason.CALENDAR), np.empty(0, dtype=np.int64))
    sold = plan.sold_out(1)
    assert sold.decided.tolist() == [0, -1, 2]
    assert sold.reasons.tolist() == [Reason.CALENDAR, Reason.FLOW, Reason.CALENDAR]
    assert plan.decided.tolist() == [0, 1, 2]


@pytest.mark.parametrize("rule", [BuyAndHold(), EveryNRows(4)], ids=str)
def test_what_leaves_on_the_last_row_is_cash_on_it(rule: Any) -> None:
    whole = wide_market(2, 12)
    prices = whole.prices.copy()
    prices.iloc[-1, 1] = np.nan
    market = Market(prices, pd.Series(whole.cash, index=whole.index), delisted={"A1": 0.5})
    ledger_agrees(Setup(fixed({"A0": 0.4, "A1": 0.6}), market, rule, ALL_COSTS, 0, recovery={"A1": 0.5}))


def test_a_band_on_a_calendar_is_tested_on_the_last_row_that_can_trade() -> None:
    index = pd.bdate_range("2001-01-01", periods=30)
    levels = np.ones((30, 2))
    levels[28:, 0] = 1.5
    market = Market(pd.DataFrame(levels, index=index, columns=["A", "B"]), 0.0)
    rule = Band(0.05, on=EveryNRows(1))
    setup = Setup(fixed({"A": 0.5, "B": 0.5}), market, rule, ALL_COSTS, 0)
    assert list(setup.backtest().targets.index) == [index[0], index[28]]
    ledger_agrees(setup)


def test_leverage_and_bands_are_tested_together_and_the_calendar_goes_first() -> None:
    prices, cash = random_market(11, 3, 90, "daily", scale=2.0)
    market = Market(prices, cash)
    for rule in (
        LeverageAbove(1.63) | Band(0.05, to="edge"),
        Band(0.05, to="halfway") | Monthly(),
        Band(0.2, relative=True, to="edge", on=EveryNRows(5)) | LeverageAbove(1.7),
        BuyAndHold(),
    ):
        strategy = Restless(lookback=2, gross=1.5, short=True, patience=3)
        ledger_agrees(Setup(strategy, market, rule, ALL_COSTS, 2, flows=flows_of(market), allow_short=True))
