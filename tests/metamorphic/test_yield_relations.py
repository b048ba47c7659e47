"""Relations of decompositions of yields, and of the bonds and currencies that prices are made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
from generated import examples, plain_worlds
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al

few = examples(15)
DRAWS = {"n_resamples": 30, "block_length": 2}


@st.composite
def yields(draw: st.DrawFn) -> pd.DataFrame:
    """Three parts of a yield by month, with ties, and no part that never moves."""
    n = draw(st.integers(24, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.normal(0.0, 0.002, (n, 3)) * [draw(st.sampled_from((0.1, 1.0, 1.0))) for _ in range(3)]
    if draw(st.booleans()):
        steps = steps.round(3)
        steps[1:4] = np.diag([0.001, 0.001, -0.001])
    index = pd.date_range("1980-01-31", periods=n, freq="ME")
    return pd.DataFrame(0.02 + steps.cumsum(axis=0), index=index, columns=["real", "inflation", "premium"])


def decomposed(parts: pd.DataFrame) -> al.YieldDecomposition:
    columns = {name: parts[name] for name in parts}
    return al.decompose_yield(parts.sum(axis=1).rename("yield"), columns, 10, ex_post=True)


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(
        np.asarray(other, float), np.asarray(one, float), **(close or {"rtol": 1e-9, "atol": 1e-12})
    )


def shares(parts: pd.DataFrame) -> pd.DataFrame:
    return al.driver_shares(decomposed(parts), **DRAWS).table


def share_of(parts: pd.DataFrame) -> pd.Series:
    return shares(parts)["share"]


@few
@given(yields(), yields(), st.sampled_from((0.25, 0.5)))
def test_the_decomposition_of_a_sum_is_the_sum_of_decompositions(
    one: pd.DataFrame, two: pd.DataFrame, k: float
) -> None:
    """And of a multiple the multiple: total, parts and the rest; to rounding."""
    n = min(len(one), len(two))
    one, two = one.iloc[:n], two.iloc[:n]
    both = decomposed(one * k + two * (1.0 - k))
    same(decomposed(one).parts * k + decomposed(two).parts * (1.0 - k), both.parts)
    named = {"real": one["real"]}
    rest = al.decompose_yield(one.sum(axis=1), named, 10, ex_post=True, rest="others").parts["others"]
    same(one["inflation"] + one["premium"], rest)


@few
@given(yields())
def test_shares_of_drivers_follow_their_names_and_add_up(parts: pd.DataFrame) -> None:
    """In any order of the parts, intervals included; to rounding."""
    turned = parts[["premium", "real", "inflation"]]
    one, other = shares(parts), shares(turned)
    numbers = ["share", "low", "high"]  # which is largest is a tie where parts are equal
    same(one[numbers], other.loc[one.index, numbers], rtol=1e-6, atol=1e-9)
    same(1.0, one["share"].loc[list(parts)].sum())


@few
@given(yields(), st.sampled_from((0.25, 0.5)), st.sampled_from((-0.004, 0.01)))
def test_shares_of_drivers_know_neither_unit_nor_level(parts: pd.DataFrame, k: float, level: float) -> None:
    """They are of variances of changes: any scale, and a level added to any part; to rounding."""
    one = share_of(parts)
    same(one, share_of(parts * k), rtol=1e-6, atol=1e-9)
    same(one, share_of(parts.assign(real=parts["real"] + level)), rtol=1e-6, atol=1e-9)


@few
@given(yields())
def test_two_parts_merged_have_the_share_of_both(parts: pd.DataFrame) -> None:
    """Shapley values of a sum are additive: whoever splits a part splits its share; to rounding."""
    merged = pd.DataFrame({"real": parts["real"], "nominal": parts["inflation"] + parts["premium"]})
    one, other = share_of(parts), share_of(merged)
    same(one["inflation"] + one["premium"], other["nominal"], rtol=1e-7, atol=1e-9)
    same(one["real"], other["real"], rtol=1e-7, atol=1e-9)


@few
@given(yields())
def test_time_reversed_the_drivers_are_the_same(parts: pd.DataFrame) -> None:
    """A variance does not know which way time runs; to rounding."""
    backwards = pd.DataFrame(parts.to_numpy()[::-1], index=parts.index, columns=parts.columns)
    same(share_of(parts), share_of(backwards), rtol=1e-7, atol=1e-9)


@few
@given(yields(), st.sampled_from((5.0, 40.0)))
def test_credit_is_carved_out_of_one_part_and_of_no_other(parts: pd.DataFrame, points: float) -> None:
    """The total and the other parts keep their bits; credit and what is left are what there was."""
    whole = decomposed(parts)
    spread = pd.Series(points + 10.0 * np.cos(np.arange(len(parts))) ** 2, index=parts.index)
    carved = al.carve_credit(whole, spread, out_of="premium")
    assert carved.total.equals(whole.total)
    assert carved.parts[["real", "inflation"]].equals(whole.parts[["real", "inflation"]])
    same(whole.parts["premium"], carved.parts["premium"] + carved.parts["credit"])


@few
@given(yields(), st.data())
def test_episodes_joined_are_the_episode_of_both(parts: pd.DataFrame, data: st.DataObject) -> None:
    """Changes of the yield and of each part add up over time, and over the parts; to rounding."""
    n = len(parts)
    a, b, c = sorted(data.draw(st.lists(st.integers(0, n - 1), min_size=3, max_size=3, unique=True)))
    days = [parts.index[row].date() for row in (a, b, c)]
    spans = {"first": (days[0], days[1]), "second": (days[1], days[2]), "both": (days[0], days[2])}
    table = al.episode_table(decomposed(parts), spans).table.drop(columns=["from", "to"]).astype(float)
    same(table.loc["both"], table.loc["first"] + table.loc["second"], rtol=0.0, atol=1e-9)
    same(table["total"], table.drop(columns="total").sum(axis=1), rtol=0.0, atol=1e-9)


@few
@given(yields(), st.data())
def test_a_span_of_a_decomposition_is_the_decomposition_of_the_span(
    parts: pd.DataFrame, data: st.DataObject
) -> None:
    """Cut before or after, drivers included; bit for bit."""
    first = data.draw(st.integers(0, len(parts) - 16))
    days = parts.index[first].date(), parts.index[-1].date()
    one, other = decomposed(parts).between(*days), decomposed(parts.iloc[first:])
    assert one.parts.equals(other.parts)
    tables = [al.driver_shares(each, **DRAWS).table for each in (one, other)]
    pd.testing.assert_frame_equal(*tables, rtol=0.0, atol=0.0)


@examples(6)
@given(yields(), st.integers(36, 50))
def test_drivers_do_not_see_what_comes(parts: pd.DataFrame, rows: int) -> None:
    """Shares and labels of windows of a shorter history are a prefix of those of the longer; bit for bit."""
    assume(rows < len(parts))
    short, whole = (
        al.rolling_drivers(decomposed(each), 2.0, n_resamples=10) for each in (parts.iloc[:rows], parts)
    )
    assert short.shares.equals(whole.shares.iloc[: len(short.shares)])
    assert short.dominant.equals(whole.dominant.iloc[: len(short.dominant)])


# Bonds and currencies


@few
@given(st.floats(0.001, 0.15), st.sampled_from((2.0, 5.0, 10.0, 30.0)), st.sampled_from((1, 2)))
def test_a_bond_earns_its_yield_where_yields_stand_still(rate: float, maturity: float, coupons: int) -> None:
    """The same on every row of one length, and more at a higher yield."""
    index = pd.date_range("2000-12-31", periods=8, freq="YE")
    flat, higher = (pd.Series(each, index=index) for each in (rate, rate + 0.01))
    one = al.constant_maturity_returns(flat, maturity, coupons_per_year=coupons)
    other = al.constant_maturity_returns(higher, maturity, coupons_per_year=coupons)
    effective = (1.0 + rate / coupons) ** coupons - 1.0
    same(np.full(len(one), effective), one, rtol=0.0, atol=2e-3 * effective + 1e-4)
    assert (other > one).all()


@few
@given(yields(), st.sampled_from((2.0, 10.0)))
def test_a_longer_bond_moves_further_the_same_way(parts: pd.DataFrame, maturity: float) -> None:
    """What a parallel rise of all yields takes is more, the longer the bond."""
    flat = pd.Series(0.05, index=parts.index)
    risen = flat.copy()
    risen.iloc[10:] += 0.01
    falls = [
        (al.constant_maturity_returns(risen, years) - al.constant_maturity_returns(flat, years)).iloc[9]
        for years in (maturity, 2.0 * maturity)
    ]
    assert falls[1] < falls[0] < 0.0


@few
@given(plain_worlds(scales=(1.0, 100.0), risks=(0.0, 0.001, 0.01)), st.integers(0, 99))
def test_a_currency_and_back_is_where_one_was(world, seed: int) -> None:
    """Euros to dollars and these to euros at the inverse; of the base currency nothing is touched."""
    index = world.prices.index
    rate = 1.1 * np.exp(np.random.default_rng(seed).normal(0.0, 0.002, len(index)).cumsum())
    quoted, turned = pd.DataFrame({"EURUSD": rate}, index), pd.DataFrame({"USDEUR": 1.0 / rate}, index)
    euros, dollars = (dict.fromkeys(world.assets, code) for code in ("EUR", "USD"))
    there = al.to_base_currency(world.prices, quoted, "USD", currencies=euros)
    same(world.prices, al.to_base_currency(there, turned, "EUR", currencies=dollars), rtol=1e-12)
    assert al.to_base_currency(world.prices, quoted, "EUR", currencies=euros).equals(world.prices)


@few
@given(plain_worlds(scales=(1.0, 100.0), risks=(0.0, 0.001, 0.01)), st.integers(0, 99))
def test_half_a_hedge_earns_the_mean_of_all_and_none(world, seed: int) -> None:
    """Row by row, since the hedge is linear in the share; to rounding."""
    index = world.prices.index
    rate = 1.1 * np.exp(np.random.default_rng(seed).normal(0.0, 0.002, len(index)).cumsum())
    fx, names = pd.DataFrame({"EURUSD": rate}, index), dict.fromkeys(world.assets, "EUR")
    cash = {"USD": 0.03, "EUR": 0.01}
    none, half, all_ = (
        al.to_base_currency(world.prices, fx, "USD", currencies=names, hedged=h, cash=cash)
        .pct_change()
        .iloc[1:]
        for h in (0.0, 0.5, 1.0)
    )
    same((none + all_) / 2.0, half, rtol=0.0, atol=1e-12)
