"""Relations of debts: the law, its parts, its labels, its futures, and worlds drawn by regime."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pandas as pd
from generated import POWERS, examples, quietly
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al

few = examples(20)
RATES = st.floats(-0.08, 0.3)
DEFICITS = st.floats(-0.1, 0.2)
DEBTS = st.floats(0.01, 2.5)
CHANNELS = ["interest", "growth", "inflation", "primary_deficit", "stock_flow"]


@st.composite
def amounts(draw: st.DrawFn, rows: tuple[int, int] = (6, 30)) -> pd.DataFrame:
    """Debts, interest, deficits and GDP in money, by year."""
    n = draw(st.integers(*rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    real = 100.0 * np.exp(np.cumsum(rng.normal(0.02, 0.03, n)))
    gdp = real * np.exp(np.cumsum(rng.normal(0.03, 0.03, n)))
    debt = gdp * np.exp(rng.normal(-0.5, 0.05, n).cumsum() * 0.1)
    interest = 0.04 * np.append(debt[0], debt[:-1]) * rng.uniform(0.2, 1.5, n)
    deficit = interest + gdp * rng.normal(0.01, 0.02, n)
    columns = {"debt": debt, "interest": interest, "deficit": deficit, "gdp": gdp, "real_gdp": real}
    return pd.DataFrame(columns, index=pd.date_range("1950-12-31", periods=n, freq="YE"))


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(
        np.asarray(other, float), np.asarray(one, float), **(close or {"rtol": 1e-12, "atol": 1e-14})
    )


@few
@given(amounts(), POWERS, POWERS)
def test_accounts_are_in_units_of_gdp(table: pd.DataFrame, money: float, real: float) -> None:
    """All money in another unit, real GDP in one of its own; by powers of two bit for bit."""
    other = table * money
    other["real_gdp"] = table["real_gdp"] * real
    one = al.debt_accounts(table)
    assert one.equals(al.debt_accounts(other))
    assert al.debt_regimes(one).table.equals(al.debt_regimes(al.debt_accounts(other)).table)


@few
@given(DEBTS, RATES, RATES, RATES, DEFICITS, st.sampled_from((0.125, 0.5, 2.0)))
def test_the_law_is_linear_in_what_is_owed(
    debt: float, i: float, g: float, p: float, f: float, scale: float
) -> None:
    """Debt and deficit times a power of two are a ratio times it, in both laws; bit for bit."""
    for law in (al.next_debt_ratio, al.linear_debt_ratio):
        assert law(debt * scale, i, g, p, f * scale) == law(debt, i, g, p, f) * scale
        parts = law(debt, i, g, p, 0.0) + law(0.0, i, g, p, f)
        same(parts, law(debt, i, g, p, f))


@few
@given(DEBTS, RATES, RATES, RATES, RATES)
def test_growth_and_inflation_shrink_a_debt_alike(
    debt: float, i: float, g: float, p: float, f: float
) -> None:
    """Exchanged they leave the ratio as it was, in both laws, and the balance that stabilises it."""
    for law in (al.next_debt_ratio, al.linear_debt_ratio):
        same(law(debt, i, g, p, f), law(debt, i, p, g, f))
    same(al.debt_stabilising_balance(debt, i, g, p), al.debt_stabilising_balance(debt, i, p, g))


@few
@given(DEBTS, RATES, RATES, RATES)
def test_the_stabilising_balance_stabilises(debt: float, i: float, g: float, p: float) -> None:
    """Run as a surplus it leaves the ratio where it is, and what is owed twice over needs twice as much."""
    balance = al.debt_stabilising_balance(debt, i, g, p)
    assume(abs(balance) < 0.5)
    same(debt, al.next_debt_ratio(debt, i, g, p, -balance), rtol=1e-12)
    same(2.0 * balance, al.debt_stabilising_balance(2.0 * debt, i, g, p))


@few
@given(RATES, RATES, RATES, st.floats(0.001, 0.1))
def test_the_steady_state_is_where_the_law_stands_still(i: float, g: float, p: float, f: float) -> None:
    """A path that begins there stays there, and one that does not comes nearer; to rounding."""
    state = quietly(al.steady_state_debt, i, g, p, f)
    assume(np.isfinite(state) and abs(state) < 4.9)
    same(state, al.next_debt_ratio(state, i, g, p, f), rtol=1e-11)
    nearer = abs(al.next_debt_ratio(2.0 * state, i, g, p, f) - state)
    assert nearer <= abs(state) + 1e-12


@few
@given(
    DEBTS, st.lists(st.tuples(RATES, RATES, RATES, st.floats(-0.1, 0.1)), min_size=3, max_size=9), st.data()
)
def test_a_path_goes_on_where_it_was(debt: float, years: list, data: st.DataObject) -> None:
    """Paths joined are the path of all years, one at a time too; bit for bit below the cap."""
    rates = np.array(years).T
    cut = data.draw(st.integers(1, rates.shape[1] - 1))
    whole = al.debt_paths(debt, *rates, cap=1e6)
    assume(np.abs(whole).max() < 9.0)
    first = al.debt_paths(debt, *rates[:, :cut], cap=1e6)
    rest = al.debt_paths(first[-1], *rates[:, cut:], cap=1e6)
    assert np.array_equal(np.append(first, rest), whole)
    same(whole, al.debt_path(debt, *rates, cap=1e6).table["debt"])
    same(whole[0], al.next_debt_ratio(debt, *rates[:, 0]))


@few
@given(DEBTS, st.lists(st.tuples(RATES, RATES, RATES, RATES), min_size=2, max_size=6), st.integers(1, 5))
def test_many_paths_are_each_path_alone(debt: float, years: list, n: int) -> None:
    """In any company, and in any order; bit for bit."""
    rates = [np.array([np.roll(column, k) for k in range(n)]) for column in np.array(years).T]
    together = al.debt_paths(debt, *rates)
    for k in range(n):
        assert np.array_equal(together[k], al.debt_paths(debt, *(rate[k] for rate in rates)))


@few
@given(DEBTS, RATES, RATES, RATES, st.floats(-0.1, 0.1), st.floats(0.001, 0.05))
def test_who_pays_more_owes_more(debt: float, i: float, g: float, p: float, f: float, more: float) -> None:
    """A higher rate or deficit, less growth or inflation: no lower ratio in any year, by either law."""
    one = al.debt_path(debt, i, g, p, f, n_years=5, cap=1e6).table[["debt", "linear"]]
    assume((one > 0.0).all(axis=None) and (1.0 + i - g - p - more) > 0.0)
    for worse in ((i + more, g, p, f), (i, g - more, p, f), (i, g, p - more, f), (i, g, p, f + more)):
        other = al.debt_path(debt, *worse, n_years=5, cap=1e6).table[["debt", "linear"]]
        assert (other >= one * (1.0 - 1e-12)).all(axis=None)


@few
@given(amounts(), st.data())
def test_contributions_add_up_whatever_the_order(table: pd.DataFrame, data: st.DataObject) -> None:
    """To the change of each year, over any span to that of the span, and each year knows only itself."""
    accounts = al.debt_accounts(table)
    found = al.debt_contributions(accounts).exact
    order = data.draw(st.permutations(CHANNELS))
    same(found["change"], found[list(order)].sum(axis=1), rtol=0.0, atol=1e-13)
    first = data.draw(st.integers(0, len(table) - 3))
    span = al.debt_contributions(accounts.iloc[first:]).exact
    assert span.equals(found.iloc[first:])
    change = accounts["debt"].iloc[-1] - accounts["debt"].iloc[first]
    same(change, span[CHANNELS].to_numpy().sum(), rtol=0.0, atol=1e-12)


@few
@given(amounts())
def test_contributions_rebuild_the_law(table: pd.DataFrame) -> None:
    """The ratio before and the parts give the ratio of the exact law with that stock-flow; rounding."""
    accounts = al.debt_accounts(table)
    parts, years = al.debt_contributions(accounts).exact, accounts.iloc[1:]
    rates = [years[name].to_numpy() for name in ("interest_rate", "growth", "inflation", "primary_deficit")]
    ratio = al.next_debt_ratio(accounts["debt"].to_numpy()[:-1], *rates, parts["stock_flow"].to_numpy())
    same(years["debt"], ratio)


@few
@given(amounts(rows=(12, 20)), st.integers(3, 8))
def test_the_label_of_a_year_does_not_know_other_years(table: pd.DataFrame, first: int) -> None:
    """Accounts that begin later have the same labels from the third year on, when a deficit has a change."""
    accounts = al.debt_accounts(table)
    whole, late = (al.debt_regimes(each).table["label"] for each in (accounts, accounts.iloc[first:]))
    assert late.iloc[1:].equals(whole.loc[late.index[1:]])


@examples(6)
@given(amounts(rows=(20, 30)), st.integers(0, 99), st.sampled_from((1, 3)))
def test_a_fan_of_one_seed_is_one_fan_and_follows_its_start(
    table: pd.DataFrame, seed: int, length: int
) -> None:
    """Bit for bit; its paths are the law over its draws, and its quantiles are in order."""
    accounts = al.debt_accounts(table)
    options = {"draws": al.HistoryBlocks(length), "n_paths": 20, "seed": seed}
    one, other = al.debt_fan(accounts, 5, **options), al.debt_fan(accounts, 5, **options)
    assert np.array_equal(one.paths, other.paths)
    assert np.array_equal(one.paths, al.debt_paths(one.initial, *np.moveaxis(one.futures, -1, 0)))
    longer = accounts.copy()
    longer.iloc[:-1, longer.columns.get_loc("debt")] *= 0.5
    assert np.array_equal(al.debt_fan(longer, 5, **options).paths, one.paths)


# Scenarios


@functools.cache
def base(regime: str) -> al.DebtScenario:
    return al.debt_scenario(regime)


REGIMES = st.sampled_from(("growth", "inflation", "tightening"))


@examples(6)
@given(REGIMES, st.integers(0, 99))
def test_worlds_of_one_seed_are_the_same_worlds(regime: str, seed: int) -> None:
    """Bit for bit; more paths and more years begin with the fewer; another seed is another set."""
    few_, same_, more = (
        al.simulate_scenarios(base(regime), paths, years, seed=seed).futures
        for paths, years in ((3, 4), (3, 4), (5, 6))
    )
    assert np.array_equal(few_, same_, equal_nan=True)
    assert np.array_equal(few_, more[:3, :4], equal_nan=True)
    other = al.simulate_scenarios(base(regime), 3, 4, seed=seed + 1).futures
    assert not np.array_equal(few_, other, equal_nan=True)


@examples(6)
@given(REGIMES, st.integers(0, 99), st.sampled_from((-0.01, 0.02)))
def test_an_altered_scenario_moves_every_drawn_year_by_the_difference(
    regime: str, seed: int, more: float
) -> None:
    """Of the same seed: that series alone, by that much; a larger deficit owes more in every year."""
    scenario = base(regime)
    altered = replace(scenario, primary_deficit=scenario.primary_deficit + more)
    one, other = (al.simulate_scenarios(each, 4, 5, seed=seed) for each in (scenario, altered))
    same(one.series("primary_deficit") + more, other.series("primary_deficit"), rtol=0.0, atol=1e-12)
    for name in ("growth", "inflation", "short_rate", "effective_rate"):
        same(one.series(name), other.series(name), rtol=0.0, atol=1e-12)
    assert (np.sign(other.series("debt") - one.series("debt")) == np.sign(more)).all()
    same(one.returns, other.returns, rtol=0.0, atol=1e-12)


@examples(4)
@given(REGIMES, st.integers(0, 9))
def test_the_market_of_a_world_earns_what_was_drawn(regime: str, seed: int) -> None:
    """Its last rows, after all of history, which is that of every other world; to rounding."""
    worlds = al.simulate_scenarios(base(regime), 2, 4, seed=seed)
    one, other = worlds.market(0), worlds.market(1)
    same(worlds.returns[0], one.returns[list(worlds.assets)].to_numpy()[-4:], rtol=0.0, atol=1e-12)
    assert np.array_equal(one.levels[:-4], other.levels[:-4])
