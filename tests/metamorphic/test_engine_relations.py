"""Relations between two runs of the engine, where no number is known but how two of them must differ is.

Bit for bit where the arithmetic is the same operation by operation; else 1e-12 a row, times the leverage.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from generated import (
    FREE,
    RISKS,
    WILD,
    Run,
    World,
    assert_same_bits,
    assert_same_wealth,
    calendar_runs,
    clocks,
    examples,
    long_short_mixes,
    mixes,
    plain_worlds,
    proportional_costs,
    quietly,
    rounding,
    rules,
    runs,
    strategies_for,
    worlds,
)
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al
from allocator.errors import AllocatorError

few = examples(15)
some = examples(25)
EVERY_ROW = al.EveryNRows(1)


def final(backtest: al.Backtest) -> float:
    return float(backtest.value.iloc[-1])


# The unit of things


@some
@given(runs(), st.data())
def test_prices_times_powers_of_two_change_no_bit(run: Run, data: st.DataObject) -> None:
    """Each asset has a unit of its own, and nothing depends on it. Everywhere, bit for bit."""
    powers = [data.draw(st.sampled_from((-20, -1, 0, 3, 25))) for _ in run.world.assets]
    scaled = replace(run, world=run.world.priced(run.world.prices * 2.0 ** np.array(powers)))
    assert_same_bits(run.backtest(), scaled.strict())


@few
@given(calendar_runs(), st.sampled_from((1e-7, 0.3, 7.1, 1e9)))
def test_prices_times_any_factor_give_the_same_value(run: Run, factor: float) -> None:
    """Everywhere, to rounding of the products; calendars, because a band may stand within rounding."""
    scaled = replace(run, world=run.world.priced(run.world.prices * factor))
    assert_same_wealth(run.backtest(), scaled.strict())


@few
@given(runs(), st.sampled_from((0.25, 8.0, 2.0**40)), st.sampled_from((0.0, 0.001)))
def test_all_money_times_a_power_of_two_multiplies_all_money(run: Run, factor: float, fixed: float) -> None:
    """Initial value, flows and fixed costs are in one unit. Everywhere, bit for bit in value and trades."""
    flows = pd.Series([0.3, -0.05], index=run.world.prices.index[[-4, -2]])
    small = replace(run, flows=flows, costs=replace(run.costs, fixed=fixed))
    large = replace(
        small, initial_value=factor, flows=flows * factor, costs=replace(run.costs, fixed=fixed * factor)
    )
    one, other = small.backtest(), large.strict()
    assert np.array_equal(one.value.to_numpy() * factor, other.value.to_numpy())
    assert np.array_equal(one.trades.to_numpy() * factor, other.trades.to_numpy())


@few
@given(calendar_runs(worlds(delist=False)), st.integers(0, 2**32 - 1))
def test_another_numeraire_divides_the_value_by_its_price(run: Run, seed: int) -> None:
    """With cash in the new unit and no spread on debt; not of delistings, whose money lies in the old one."""
    rng = np.random.default_rng(seed)
    unit = np.exp(np.cumsum(rng.normal(0.0, 1e-3, len(run.world.prices))))
    cash = (1.0 + run.world.cash_returns) * (unit[:-1] / unit[1:]) - 1.0
    here = replace(run, costs=replace(run.costs, borrow_spread=0.0))
    there = replace(here, world=World(run.world.prices.div(unit, axis=0), cash))
    one = here.backtest()
    first = run.world.prices.index.get_loc(one.value.index[0])
    assert_same_wealth(one, there.strict(), unit[first : first + len(one.value)] / unit[first])


@few
@given(runs())
def test_dates_twenty_eight_years_later_change_no_bit(run: Run) -> None:
    """The calendar repeats, so no rule and no rate may depend on the year. From 1901 to 2099, bit for bit."""
    index = run.world.prices.index
    assume(index[0].year > 1900)
    later = index + pd.DateOffset(years=28)
    cash = run.world.cash
    moved = cash.set_axis(later) if isinstance(cash, pd.Series) else cash
    other = replace(run, world=replace(run.world, prices=run.world.prices.set_axis(later), cash=moved))
    one, two = run.backtest(), other.strict()
    assert np.array_equal(one.value.to_numpy(), two.value.to_numpy())
    assert (one.events["reason"].to_numpy() == two.events["reason"].to_numpy()).all()


@few
@given(runs())
def test_cash_as_a_series_of_what_the_annual_rate_earns_changes_no_bit(run: Run) -> None:
    """Everywhere, bit for bit."""
    other = replace(run, world=replace(run.world, cash=run.world.cash_returns))
    assert_same_bits(run.backtest(), other.strict())


# The assets


@some
@given(runs(assets=(2, 4)), st.randoms(use_true_random=False))
def test_the_order_of_the_assets_does_not_matter(run: Run, random) -> None:
    """Everywhere, to rounding of sums in another order."""
    assume(not (isinstance(run.strategy, al.FixedMix) and len(set(run.strategy.mix.values())) == 1))
    order = list(run.world.assets)
    random.shuffle(order)
    one, other = run.backtest(), replace(run, world=run.world.priced(run.world.prices[order])).strict()
    assert_same_wealth(one, other)
    close = len(one.value) * rounding(one, other)
    pd.testing.assert_frame_equal(one.weights, other.weights[one.weights.columns], rtol=0.0, atol=close)


@some
@given(calendar_runs(), st.data())
def test_an_asset_split_into_two_parts_is_the_asset(run: Run, data: st.DataObject) -> None:
    """Under calendars and costs in proportion: nobody is charged for holding one thing under two names."""
    asset, part = run.world.assets[-1], data.draw(st.sampled_from((0.5, 0.25, 0.9)))
    prices = run.world.prices.assign(twin=run.world.prices[asset] * 3.0)
    mix = dict(run.strategy.mix)
    mix |= {asset: mix[asset] * part, "twin": mix[asset] * (1.0 - part)}
    gone = dict(run.world.delisted)
    if asset in gone:
        gone["twin"] = gone[asset]
    costs = replace(run.costs, **_also("twin", asset, run.costs))
    split = Run(World(prices, run.world.cash, gone), al.FixedMix(mix), run.rule, costs, run.lag)
    assert_same_wealth(run.backtest(), split.strict())


def _also(name: str, like: str, costs: al.Costs) -> dict:
    rates = {kind: getattr(costs, kind) for kind in ("trading", "selling")}
    return {kind: {**rate, name: rate[like]} for kind, rate in rates.items() if isinstance(rate, dict)}


@some
@given(runs(), st.data())
def test_an_asset_of_weight_zero_changes_no_bit(run: Run, data: st.DataObject) -> None:
    """Whatever it does: list late, leave worthless, stand at 1e90. Last in the table, bit for bit."""
    run = replace(run, strategy=al.FixedMix(data.draw(mixes(run.world.assets))))
    extra = data.draw(worlds(assets=(2, 2), rows=(8, 8))).prices.iloc[:, 1].to_numpy()
    n = len(run.world.prices)
    column = np.resize(np.where(np.isnan(extra), 1.0, extra), n)
    column[: data.draw(st.integers(0, n - 3))] = np.nan
    gone = dict(run.world.delisted)
    if data.draw(st.booleans()) and not np.isnan(column[-3]):
        column[-1], gone["extra"] = np.nan, 0.0
    costs = replace(run.costs, **_also("extra", run.world.assets[0], run.costs))
    wider = World(run.world.prices.assign(extra=column), run.world.cash, gone)
    one = run.backtest()
    other = replace(run, world=wider, costs=costs).strict()
    assert np.array_equal(one.value.to_numpy(), other.value.to_numpy())
    assert np.array_equal(one.weights.to_numpy()[:, :-1], other.weights.to_numpy()[:, :-2])


@few
@given(calendar_runs(), st.data())
def test_cash_and_an_asset_that_earns_the_cash_return_are_one(run: Run, data: st.DataObject) -> None:
    """Where trading it is free, any part of the cash may lie in it. Weights not above one; to rounding."""
    assume(sum(run.strategy.mix.values()) <= 1.0)
    part = data.draw(st.sampled_from((0.2, 1.0))) * (1.0 - sum(run.strategy.mix.values()))
    index = (1.0 + run.world.market.cash).cumprod()
    costs = replace(run.costs, trading=_but_free(run), selling=None, bid_ask=0.0)
    wider = run.world.priced(run.world.prices.assign(bill=index * 17.0))
    lent = replace(run, costs=costs)
    held = replace(lent, world=wider, strategy=al.FixedMix({**run.strategy.mix, "bill": part}))
    assert_same_wealth(lent.backtest(), held.strict())


def _but_free(run: Run) -> dict[str, float]:
    return {**dict.fromkeys(run.world.assets, 0.003), "bill": 0.0}


@few
@given(plain_worlds(), st.data())
def test_all_cash_grows_as_the_cash_index(world: World, data: st.DataObject) -> None:
    """Everywhere, also where the cash return is negative; to rounding."""
    run = Run(world, al.FixedMix({"cash": 1.0}), data.draw(rules(world.spacing)), al.Costs())
    np.testing.assert_allclose(run.strict().value, (1.0 + world.market.cash).cumprod(), rtol=1e-13)


@few
@given(worlds(assets=(2, 4)), st.data())
def test_a_delisted_asset_is_one_that_turned_into_cash(world: World, data: st.DataObject) -> None:
    """At what its holders got, if that is more than nothing; where it trades free and debt costs cash."""
    alive = _turned_into_cash(world)
    free = {asset: 0.0 if asset in world.delisted else 0.003 for asset in world.assets}
    mix, rule = al.FixedMix(data.draw(mixes(world.assets))), data.draw(clocks(world.spacing))
    run = Run(world, mix, rule, al.Costs(trading=free, borrow_spread=0.0))
    assert_same_wealth(run.backtest(), replace(run, world=alive).strict())


@few
@given(worlds(assets=(2, 4)), st.data())
def test_a_delisting_is_a_sale_at_the_recovery_free_of_charge(world: World, data: st.DataObject) -> None:
    """What is held and never traded pays for its build and not for its end; else as above."""
    alive = _turned_into_cash(world)
    mix = al.FixedMix(data.draw(mixes(world.assets)))
    run = Run(world, mix, al.BuyAndHold(), al.Costs(trading=0.01, bid_ask=0.02, borrow_spread=0.0))
    assert_same_wealth(run.backtest(), replace(run, world=alive).strict())


def _turned_into_cash(world: World) -> World:
    """Return a world in which what was delisted for something goes on as cash from there."""
    assume(any(recovery > 0.0 for recovery in world.delisted.values()))
    prices, index = world.prices.copy(), (1.0 + world.market.cash).cumprod()
    for asset, recovery in world.delisted.items():
        if recovery:
            last = int(np.flatnonzero(prices[asset].notna())[-1])
            after = index[last + 1 :] / index[last + 1]
            prices.iloc[last + 1 :, prices.columns.get_loc(asset)] = (
                prices[asset].iloc[last] * recovery * after
            )
    lost = {asset: recovery for asset, recovery in world.delisted.items() if not recovery}
    return World(prices, world.cash, lost)


@few
@given(worlds(assets=(2, 4)), st.data())
def test_a_higher_recovery_leaves_no_less(world: World, data: st.DataObject) -> None:
    """Held from the start and never traded again, long only: on every date, to rounding."""
    assume(world.delisted)
    mix = al.FixedMix(data.draw(mixes(world.assets, (0.4, 1.0))))
    run = Run(world, mix, al.BuyAndHold(), al.Costs())
    better = {asset: (1.0 + recovery) / 2.0 for asset, recovery in world.delisted.items()}
    one, other = run.backtest(), replace(run, world=replace(world, delisted=better)).strict()
    assert (other.value >= one.value * (1.0 - 1e-12)).all()


# What a portfolio earns


@some
@given(plain_worlds(risks=RISKS + WILD), st.data())
def test_trading_on_every_row_earns_the_weighted_mean_of_returns(world: World, data: st.DataObject) -> None:
    """Free of costs but the spread on debt, up to the row of ruin; to rounding."""
    weights = pd.Series(data.draw(mixes(world.assets)))
    costs = replace(FREE, borrow_spread=data.draw(st.sampled_from((0.0, 0.05))))
    backtest = Run(world, al.FixedMix(weights.to_dict()), EVERY_ROW, costs).strict()
    market, rest = world.market, 1.0 - weights.sum()
    rest = 0.0 if abs(rest) < 1e-12 else rest
    years = al.frequency.years_between(market.index, market.frequency)
    spread = (1.0 + costs.borrow_spread) ** years - 1.0 if rest < 0.0 else 0.0
    expected = (market.returns @ weights) + rest * (market.cash_returns + spread)
    ruined = backtest.ruined_on is not None
    got = backtest.returns.iloc[:-1] if ruined else backtest.returns
    np.testing.assert_allclose(got, expected.loc[got.index], rtol=0.0, atol=1e-11)
    if ruined:
        assert expected[backtest.ruined_on] <= -1.0 + 1e-9


@some
@given(plain_worlds(), st.data())
def test_buy_and_hold_is_the_weighted_sum_of_price_ratios(world: World, data: st.DataObject) -> None:
    """Long only, free of costs; to rounding."""
    weights = pd.Series(data.draw(mixes(world.assets, (0.4, 1.0))))
    backtest = Run(world, al.FixedMix(weights.to_dict()), al.BuyAndHold()).strict()
    ratios = world.prices / world.prices.iloc[0]
    expected = ratios @ weights + (1.0 - weights.sum()) * (1.0 + world.market.cash).cumprod()
    np.testing.assert_allclose(backtest.value, expected, rtol=1e-12)


@few
@given(plain_worlds(), st.data(), st.sampled_from((0.25, 0.5, 0.8)))
def test_buy_and_hold_of_a_blend_is_the_blend_of_what_is_held(
    world: World, data: st.DataObject, part: float
) -> None:
    """Free of costs and of the spread, with leverage as long as nobody is ruined; to rounding."""
    one, other = data.draw(mixes(world.assets, (0.4, 1.0, 1.6))), data.draw(mixes(world.assets, (0.4, 1.6)))
    blend = {asset: part * one[asset] + (1.0 - part) * other[asset] for asset in world.assets}
    a, b, both = (Run(world, al.FixedMix(mix), al.BuyAndHold()).strict() for mix in (one, other, blend))
    assume(a.ruined_on is None and b.ruined_on is None)
    np.testing.assert_allclose(
        both.value, part * a.value + (1.0 - part) * b.value, rtol=0.0, atol=1e-12 * a.value.max() * 9.0
    )


@few
@given(plain_worlds(assets=(1, 1)), st.data())
def test_one_asset_held_alone_earns_its_own_returns_under_any_rule(world: World, data: st.DataObject) -> None:
    """Whatever the rule, as there is nothing to trade after the build; costs are in the first return."""
    costs = replace(data.draw(proportional_costs(world.assets)), management_fee=0.0)
    run = Run(world, al.FixedMix({world.assets[0]: 1.0}), data.draw(rules(world.spacing)), costs)
    backtest = run.strict()
    expected = world.market.returns.iloc[:, 0].iloc[1:]
    np.testing.assert_allclose(backtest.returns.iloc[1:], expected, rtol=0.0, atol=1e-12)
    assert backtest.turnover.iloc[1:].sum() <= 1e-12
    buying = float(costs.charges(world.assets).buy[0])
    left = 1.0 / (1.0 + buying) if costs.model == "exact" else 1.0 - buying
    assert backtest.value.iloc[0] == pytest.approx(left, rel=1e-15)


@few
@given(plain_worlds(assets=(1, 1)))
def test_time_reversed_a_sole_asset_earns_the_inverse(world: World) -> None:
    """Held alone and free of costs: there and back leaves what there was; to rounding."""
    mix = al.FixedMix({world.assets[0]: 1.0})
    back = World(pd.DataFrame(world.prices.to_numpy()[::-1], world.prices.index, world.prices.columns))
    forth = Run(world, mix, EVERY_ROW).strict()
    assert final(forth) * final(Run(back, mix, EVERY_ROW).strict()) == pytest.approx(1.0, rel=1e-12)


@few
@given(plain_worlds(risks=(0.0, 1e-4, 0.01)), st.data(), st.sampled_from((0.5, 2.0, 3.0)))
def test_leverage_at_the_cash_return_multiplies_the_return_above_cash(
    world: World, data: st.DataObject, leverage: float
) -> None:
    """Traded on every row, free of costs and of the spread; to rounding."""
    mix = data.draw(mixes(world.assets, (0.4, 1.0)))
    levered = {asset: leverage * weight for asset, weight in mix.items()}
    one, other = (Run(world, al.FixedMix(each), EVERY_ROW).strict() for each in (mix, levered))
    assert other.ruined_on is None
    np.testing.assert_allclose(
        other.returns - other.cash_returns, leverage * (one.returns - one.cash_returns), rtol=0, atol=1e-11
    )


@few
@given(plain_worlds(risks=(0.0, 1e-4, 0.01)), st.data())
def test_a_portfolio_and_its_mirror_earn_cash_twice(world: World, data: st.DataObject) -> None:
    """Long and short the same, traded on every row, free of costs, spread and fees; to rounding."""
    mix = data.draw(long_short_mixes(world.assets))
    mirror = {asset: -weight for asset, weight in mix.items()}
    one, other = (
        Run(world, al.FixedMix(each), EVERY_ROW, allow_short=True).strict() for each in (mix, mirror)
    )
    assert one.ruined_on is None
    assert other.ruined_on is None
    np.testing.assert_allclose(one.returns + other.returns, 2.0 * one.cash_returns, rtol=0.0, atol=1e-11)


# What it costs


@some
@given(calendar_runs(risks=RISKS + WILD), st.sampled_from((0.0001, 0.002, 0.01)))
def test_dearer_trades_leave_no_more(run: Run, more: float) -> None:
    """A fixed mix under a calendar trades the same weights at any cost: on every date, also into ruin."""
    dear = replace(run, costs=replace(run.costs, bid_ask=run.costs.bid_ask + more))
    cheap, dearer = run.backtest(), dear.backtest()
    value = cheap.value.iloc[: len(dearer.value)]
    assert (dearer.value <= value * (1.0 + rounding(cheap))).all()
    traded = float(cheap.turnover.iloc[: len(dearer.turnover)].sum())
    assert final(dearer) < value.iloc[-1] or value.iloc[-1] == 0.0 or traded < 1e-9


@few
@given(calendar_runs(risks=RISKS + WILD))
def test_dearer_debt_leaves_no_more(run: Run) -> None:
    """Free of trading costs; on every date up to a ruin, which does not come later."""
    free = replace(run, costs=replace(FREE, borrow_spread=0.01))
    dear = replace(run, costs=replace(FREE, borrow_spread=0.08))
    cheap, dearer = free.backtest(), dear.strict()
    value = cheap.value.iloc[: len(dearer.value)]
    assert len(dearer.value) <= len(cheap.value)
    assert (dearer.value <= value * (1.0 + rounding(cheap))).all()


@few
@given(calendar_runs(), st.sampled_from((0.002, 0.02, 0.1)))
def test_a_management_fee_is_a_factor_of_its_own(run: Run, fee: float) -> None:
    """Taken from all holdings alike it moves no weight: the value is that without it times what it leaves."""
    free = replace(run, costs=replace(run.costs, management_fee=0.0)).backtest()
    paid = replace(run, costs=replace(run.costs, management_fee=fee)).strict()
    market = run.world.market
    years = al.frequency.years_between(free.value.index, market.frequency)
    left = np.append(1.0, (1.0 - fee) ** np.cumsum(years))
    assert_same_wealth(free, paid, 1.0 / left[: len(free.value)])


@few
@given(runs())
def test_half_the_spread_is_a_commission(run: Run) -> None:
    """One paid by name and the other by price: the same value everywhere, to rounding of their sum."""
    spread = replace(run, costs=al.Costs(trading=0.001, bid_ask=0.004, borrow_spread=0.01))
    commission = replace(run, costs=al.Costs(trading=0.003, borrow_spread=0.01))
    assert_same_wealth(spread.backtest(), commission.strict())


@few
@given(runs())
def test_one_rate_for_all_is_the_same_rate_for_each(run: Run) -> None:
    """A number, a mapping that names every asset, and selling at the rate of buying; bit for bit."""
    one = replace(run, costs=al.Costs(trading=0.002))
    each = replace(run, costs=al.Costs(trading=dict.fromkeys(run.world.assets, 0.002), selling=0.002))
    assert_same_bits(one.backtest(), each.strict())


@few
@given(plain_worlds(), st.data(), st.sampled_from((0.5, 1.0, 1.3)))
def test_a_cap_on_leverage_is_the_mix_scaled_down(world: World, data: st.DataObject, cap: float) -> None:
    """Of a fixed mix that is above it on every decision, all of it listed; to rounding."""
    mix = data.draw(mixes(world.assets, (1.6, 4.0)))
    gross = sum(mix.values())
    assume(gross)
    costs = data.draw(proportional_costs(world.assets))
    run = Run(world, al.FixedMix(mix), data.draw(clocks(world.spacing)), costs, max_leverage=cap)
    scaled = al.FixedMix({asset: weight * (cap / gross) for asset, weight in mix.items()})
    capped = run.backtest()
    assert_same_wealth(capped, replace(run, strategy=scaled, max_leverage=None).strict())
    assert len(capped.capped) > 0


# Money that comes and goes


@few
@given(calendar_runs(risks=(0.0, 1e-4, 0.01)), st.data())
def test_flows_leave_the_returns_as_they_were(run: Run, data: st.DataObject) -> None:
    """Returns are time-weighted: free of costs no flow matters that leaves something; to rounding."""
    still = replace(run, costs=FREE, lag=0)
    flows = _flows(run.world, data)
    one, other = still.backtest(), replace(still, flows=flows).backtest()
    assume(one.ruined_on is None and other.ruined_on is None)
    np.testing.assert_allclose(other.returns, one.returns, rtol=0.0, atol=1e-11 * rounding(one) / 1e-12)


@few
@given(calendar_runs(risks=(0.0, 1e-4, 0.01)), st.data())
def test_flows_add_up(run: Run, data: st.DataObject) -> None:
    """Free of costs the value is linear in money: two series of flows at once are both apart; to rounding."""
    still = replace(run, costs=FREE, lag=0)
    one, two = _flows(run.world, data), _flows(run.world, data)
    both = one.add(two, fill_value=0.0)
    found = [replace(still, flows=each).backtest() for each in (None, one, two, both)]
    assume(all(each.ruined_on is None for each in found))
    none, first, second, together = (each.value.to_numpy() for each in found)
    atol = 1e-11 * max(each.max() for each in (none, first, second, together))
    np.testing.assert_allclose(together, first + second - none, rtol=0.0, atol=atol)


def _flows(world: World, data: st.DataObject) -> pd.Series:
    rows = data.draw(st.lists(st.integers(2, len(world.prices) - 1), min_size=1, max_size=4, unique=True))
    sizes = [data.draw(st.sampled_from((-0.05, 0.1, 2.0))) for _ in rows]
    return pd.Series(sizes, index=world.prices.index[rows]).sort_index()


# Time


@some
@given(runs(risks=RISKS + WILD), st.data())
def test_the_past_of_a_rewritten_future_is_the_same_past(run: Run, data: st.DataObject) -> None:
    """Every price and cash return after a date replaced, listings too: bit for bit up to that date."""
    n = len(run.world.prices)
    row = data.draw(st.integers(1, n - 2))
    before = run.backtest()
    rng = np.random.default_rng(row)
    prices = run.world.prices.copy()
    late = prices.iloc[row + 1 :]
    prices.iloc[row + 1 :] = late * np.exp(rng.normal(0.0, 0.3, late.shape))
    cash = run.world.cash_returns.copy()
    cash.iloc[row:] = rng.uniform(-0.004, 0.004, n - 1 - row)
    try:
        after = replace(run, world=replace(run.world, prices=prices, cash=cash)).strict()
    except AllocatorError:
        assume(False)
    date = run.world.prices.index[row]
    for name in ("value", "weights", "targets", "turnover"):
        a, b = getattr(before, name).loc[:date], getattr(after, name).loc[:date]
        assert a.index.equals(b.index)
        assert np.array_equal(a.to_numpy(), b.to_numpy()), name


@some
@given(runs(risks=RISKS + WILD), st.data())
def test_a_run_that_ends_earlier_is_a_prefix(run: Run, data: st.DataObject) -> None:
    """Bit for bit, up to the row before the last, on which the longer run may trade."""
    row = data.draw(st.integers(3, len(run.world.prices) - 1))
    end = run.world.prices.index[row].date()
    short, whole = run.backtest(end=end), run.strict()
    date = run.world.prices.index[row - 1]
    for name in ("value", "weights", "turnover", "returns"):
        a, b = getattr(short, name).loc[:date], getattr(whole, name).loc[:date]
        assert a.index.equals(b.index)
        assert np.array_equal(a.to_numpy(), b.to_numpy()), name


@some
@given(runs(), st.data())
def test_windows_joined_are_the_whole(run: Run, data: st.DataObject) -> None:
    """Free of costs, cut at a date on which the rule trades: the growth of both is that of all; rounding."""
    row = data.draw(st.integers(2, len(run.world.prices) - 3))
    index = run.world.prices.index
    rule = al.OnDates([index[row]]) | al.EveryNRows(3)
    still = replace(run, rule=rule, costs=replace(FREE, borrow_spread=0.01), lag=0)
    whole = still.backtest()
    assume(whole.ruined_on is None and whole.value.index[0] < index[row])
    first, second = still.strict(end=index[row].date()), still.strict(start=index[row + 1].date())
    joined = np.append(first.value, second.value.iloc[1:] * final(first))
    np.testing.assert_allclose(joined, whole.value, rtol=len(index) * rounding(whole))


@few
@given(calendar_runs(), st.data())
def test_runs_begun_on_two_dates_earn_the_same_from_their_first_common_trade(
    run: Run, data: st.DataObject
) -> None:
    """Of a fixed mix: what follows a trade does not depend on what was before, costs of the trade apart."""
    rule = data.draw(st.sampled_from((EVERY_ROW, al.EveryNRows(3), al.EveryNRows(2))))
    early = replace(run, rule=rule, lag=0)
    start = run.world.prices.index[data.draw(st.integers(2, len(run.world.prices) - 2))]
    one, other = early.backtest(), early.backtest(start=start.date())
    common = one.targets.index.intersection(other.targets.index)[1:]
    assume(len(common) and one.ruined_on is None and other.ruined_on is None)
    after = one.returns.loc[common[0] :].iloc[1:]
    close = 1e-11 * rounding(one, other) / 1e-12
    np.testing.assert_allclose(other.returns.loc[after.index], after, rtol=0.0, atol=close)


@few
@given(calendar_runs(plain_worlds()), st.data())
def test_rows_before_the_build_do_not_matter_to_a_fixed_mix(run: Run, data: st.DataObject) -> None:
    """Under a calendar that counts no rows: a market that begins with the build; to rounding."""
    rule = al.BuyAndHold() if isinstance(run.rule, al.EveryNRows) else run.rule
    row = data.draw(st.integers(1, len(run.world.prices) - 3))
    still = replace(run, rule=rule, lag=0)
    cut = replace(still, world=World(run.world.prices.iloc[row:], run.world.cash_returns.iloc[row:]))
    try:
        spacing = cut.world.spacing  # a short table may say another one, or none
    except AllocatorError:
        assume(False)
    assume(spacing == run.world.spacing)
    whole = still.strict(start=run.world.prices.index[row + 1].date())
    assert_same_wealth(whole, cut.strict())


# The rules


@some
@given(runs(delist=False, risks=RISKS + WILD))
def test_what_was_traded_given_as_a_table_is_traded_again(run: Run) -> None:
    """Any rule at any lag: its targets on the dates of its trades, at no lag. No delistings; rounding."""
    first = run.backtest()
    table = al.TargetWeights(first.targets)
    again = replace(run, strategy=table, rule=None, lag=0).strict(start=first.value.index[1].date())
    assert_same_wealth(first, again)


@few
@given(calendar_runs(late=False, delist=False), st.integers(1, 3))
def test_a_lag_moves_the_trades_and_nothing_else(run: Run, lag: int) -> None:
    """Of a fixed mix: deciding on some rows with a lag is deciding that many rows later with none."""
    index = run.world.prices.index
    rows = np.arange(2, len(index) - 1 - lag, 2)
    assume(len(rows))
    slow = replace(run, rule=al.OnDates(index[rows]), lag=lag).strict()
    late = replace(run, rule=al.OnDates(index[rows + lag]), lag=0).strict(start=index[lag + 1].date())
    assert_same_bits(slow, late)


@few
@given(runs())
def test_a_rule_or_itself_is_the_rule(run: Run) -> None:
    """Everywhere, bit for bit."""
    twice = replace(run, rule=run.rule | run.rule)
    assert_same_bits(run.backtest(), twice.strict())


@few
@given(runs(), st.data())
def test_a_calendar_or_a_band_is_the_band_or_the_calendar(run: Run, data: st.DataObject) -> None:
    """Everywhere, bit for bit; of two bands, the first goes first."""
    clock, band = data.draw(clocks(run.world.spacing)), al.Band(0.01)
    one, other = replace(run, rule=clock | band), replace(run, rule=band | clock)
    assert_same_bits(one.backtest(), other.strict())


@few
@given(runs())
def test_every_row_and_all_dates_are_one_rule(run: Run) -> None:
    """And Daily where the data are daily; bit for bit."""
    rows = replace(run, rule=EVERY_ROW)
    one = rows.backtest()
    assert_same_bits(one, replace(run, rule=al.OnDates(run.world.prices.index)).strict())
    if run.world.spacing == "daily":
        assert_same_bits(one, replace(run, rule=al.Daily()).strict())


@few
@given(runs(spacings=("daily", "weekly", "monthly")))
def test_months_are_the_last_rows_of_months(run: Run) -> None:
    """A calendar is the list of its dates; bit for bit."""
    index = run.world.prices.index
    ends = index[:-1][index.month[:-1] != index.month[1:]]
    assume(len(ends))
    monthly = replace(run, rule=al.Monthly()).backtest()
    assert_same_bits(monthly, replace(run, rule=al.OnDates(ends)).strict())


@few
@given(plain_worlds(), st.data())
def test_a_band_that_nothing_leaves_is_buy_and_hold(world: World, data: st.DataObject) -> None:
    """Long only without debt no weight is further than one from its target; bit for bit."""
    held = Run(world, al.FixedMix(data.draw(mixes(world.assets, (0.4, 1.0)))), al.BuyAndHold(), al.Costs())
    one = held.strict()
    assert_same_bits(one, replace(held, rule=al.Band(1.0 - 1e-9)).strict())
    assert_same_bits(one, replace(held, rule=al.LeverageAbove(1.0 + 1e-9)).strict())


@few
@given(plain_worlds(), st.data())
def test_a_band_of_no_width_trades_on_every_row(world: World, data: st.DataObject) -> None:
    """Free of costs: a band of 1e-9 lets weights err by as much, and the value by little more."""
    run = Run(world, al.FixedMix(data.draw(mixes(world.assets, (0.4, 1.0, 1.6)))), EVERY_ROW)
    always, narrow = run.strict(), replace(run, rule=al.Band(1e-9)).strict()
    assume(always.ruined_on is None)
    np.testing.assert_allclose(narrow.value, always.value, rtol=1e-6)


@few
@given(plain_worlds(), st.data())
def test_a_wider_band_never_trades_sooner(world: World, data: st.DataObject) -> None:
    """The first trade after the build of a wide band is on no earlier date than that of a narrow one."""
    run = Run(world, al.FixedMix(data.draw(mixes(world.assets))), al.Band(0.005), al.Costs())
    narrow, wide = run.backtest(), replace(run, rule=al.Band(0.03)).backtest()
    if len(wide.targets) > 1:
        assert narrow.targets.index[1] <= wide.targets.index[1]


@few
@given(calendar_runs())
def test_buy_and_hold_is_a_table_of_one_row(run: Run) -> None:
    """Bit for bit, delistings included, where all that is wanted is listed from the build on."""
    one = replace(run, rule=al.BuyAndHold(), lag=0).backtest()
    table = pd.DataFrame([one.targets.iloc[0]], index=one.targets.index[:1])
    again = replace(run, strategy=al.TargetWeights(table), rule=None, lag=0)
    assert_same_bits(one, again.strict(start=one.value.index[1].date()))


@few
@given(worlds(), st.data())
def test_a_mix_that_is_asked_every_time_is_the_constant_mix(world: World, data: st.DataObject) -> None:
    """The short ways for constants and tables and the long way of asking decide the same; bit for bit."""
    mix = data.draw(mixes(world.assets))
    run = Run(world, al.FixedMix(mix), data.draw(rules(world.spacing)), al.Costs(), unlisted="cash")
    table = pd.DataFrame([mix], index=world.prices.index[:1])
    one = run.backtest()
    assert_same_bits(one, replace(run, strategy=_Asked(tuple(mix.items()))).strict())
    if not world.prices.isna().any(axis=None):
        assert_same_bits(one, replace(run, strategy=al.TargetWeights(table)).strict())


class _Asked(al.Strategy):
    name = "asked"

    def __init__(self, mix: tuple[tuple[str, float], ...]) -> None:
        self.mix = mix

    def weights(self, past: al.Market) -> dict[str, float]:
        return dict(self.mix)


@few
@given(worlds(assets=(2, 4)), st.data())
def test_pro_rata_is_the_mix_of_what_is_listed(world: World, data: st.DataObject) -> None:
    """At every decision the weights of what has a price sum to what was asked for; to rounding."""
    mix = data.draw(mixes(world.assets, (0.4, 0.9)))
    mix[world.assets[0]] += 0.1  # always listed, so that there is a mix of what is
    run = Run(world, al.FixedMix(mix), EVERY_ROW, al.Costs(), unlisted="pro_rata")
    targets = run.backtest().targets.loc[: world.prices.index[-2]]  # on the last row nothing is decided
    listed = world.prices.notna().loc[targets.index].to_numpy()
    shares = np.where(listed, np.array([mix[asset] for asset in world.assets]), 0.0)
    expected = shares * (sum(mix.values()) / shares.sum(axis=1))[:, None]
    np.testing.assert_allclose(targets, expected, rtol=0.0, atol=1e-12)


# The record


@some
@given(runs(risks=RISKS + WILD), st.sampled_from((0.0, 1e-4)))
def test_items_of_every_date_add_up_to_the_change_of_value(run: Run, fixed: float) -> None:
    """Whatever the order in which they are added; also on the date of ruin."""
    backtest = replace(run, costs=replace(run.costs, fixed=fixed)).backtest()
    value = backtest.value.to_numpy()
    change = np.diff(value, prepend=run.initial_value)
    items = backtest.itemised.to_numpy()
    scale = np.maximum(np.abs(items).max(axis=1), np.append(run.initial_value, value[:-1]))
    assert (np.abs(items[:, ::-1].sum(axis=1) - change) <= 1e-12 * scale).all()


@few
@given(runs(assets=(2, 4), delist=False))
def test_contributions_of_assets_follow_their_names(run: Run) -> None:
    """Columns of the market turned round: each asset has earned what it had earned before; rounding."""
    turned = run.world.priced(run.world.prices[list(run.world.assets)[::-1]])
    one, other = run.backtest(), replace(run, world=turned).strict()
    assume(one.ruined_on is None and len(one.returns) > 3)
    a, b = (al.attribute_performance(each).table["total_return"] for each in (one, other))
    close = 1e-11 * len(one.value) * rounding(one, other) / 1e-12
    np.testing.assert_allclose(b.loc[a.index], a, rtol=0.0, atol=close)


@few
@given(worlds(), st.data())
def test_strategies_compared_are_each_run_alone(world: World, data: st.DataObject) -> None:
    """Over the window that all can cover, in any company; bit for bit."""
    first = data.draw(strategies_for(world.assets))
    second = al.FixedMix({world.assets[0]: 1.0}, name="one")
    assume(first.name != second.name)
    options = {"rebalancing": al.EveryNRows(2), "unlisted": "cash", "lag": 0}
    try:
        table = quietly(al.compare, [first, second], world.market, **options)
    except AllocatorError:
        assume(False)
    alone = al.run_backtest(first, world.market, start=table.backtests[0].returns.index[0].date(), **options)
    assert_same_bits(alone, table.backtests[0])
