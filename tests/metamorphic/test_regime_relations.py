"""Relations of labels and of statistics by label: renamed, merged, read alone, made in other units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from generated import POWERS, examples, one_series, pairs, plain_worlds, quietly, return_tables
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al
from allocator.frequency import infer_frequency

few = examples(12)
FAST = {"n_resamples": 30}
COUNTS = ["n", "share", "spells"]


@st.composite
def labels_for(draw: st.DrawFn, index: pd.DatetimeIndex, names: str = "abc") -> pd.Series:
    """Labels in spells, twelve periods of each or more: with fewer nothing is estimated."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    codes = np.repeat(rng.integers(0, len(names), len(index)), rng.integers(1, 4, len(index)))[: len(index)]
    labels = pd.Series(np.array(list(names))[codes], index=index)
    counts = labels.value_counts()
    assume(len(counts) == len(names) and counts.min() >= 12)
    return labels


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(
        np.asarray(other, float), np.asarray(one, float), **(close or {"rtol": 1e-9, "atol": 1e-12})
    )


@few
@given(return_tables(rows=(60, 90), series=(1, 2)), st.data())
def test_labels_renamed_are_rows_renamed(table: pd.DataFrame, data: st.DataObject) -> None:
    """A statistic, a correlation and a performance by label, tests included; bit for bit."""
    labels = data.draw(labels_for(table.index))
    names = {"a": "warm", "b": "tepid", "c": "cold"}
    one, other = (
        quietly(al.conditional_statistic, table, each, np.mean, null=0.0, **FAST)
        for each in (labels, labels.map(names))
    )
    renamed = one.table.rename(index=names, level="regime").loc[other.table.index]
    pd.testing.assert_frame_equal(renamed, other.table, rtol=0.0, atol=0.0)
    same([*one.p_equal.values()], [*other.p_equal.values()])


@few
@given(one_series(rows=(60, 90)), st.data())
def test_two_labels_merged_are_both_together(x: pd.Series, data: st.DataObject) -> None:
    """Counts and shares add up, means by their counts; what was not merged keeps its bits."""
    labels = data.draw(labels_for(x.index))
    one = quietly(al.conditional_statistic, x, labels, np.mean, **FAST).table.droplevel(0)
    merged = quietly(al.conditional_statistic, x, labels.replace("c", "b"), np.mean, **FAST).table.droplevel(
        0
    )
    assert merged.loc["b", "n"] == one.loc["b", "n"] + one.loc["c", "n"]
    same(one.loc[["b", "c"], "share"].sum(), merged.loc["b", "share"])
    weighted = (one["mean"] * one["n"]).loc[["b", "c"]].sum() / merged.loc["b", "n"]
    same(weighted, merged.loc["b", "mean"])
    assert merged.loc["b", "spells"] <= one.loc[["b", "c"], "spells"].sum()
    assert one.loc["a"].drop("reason").equals(merged.loc["a"].drop("reason"))


@few
@given(return_tables(rows=(60, 90)), st.data())
def test_what_the_regimes_have_is_what_there_is(table: pd.DataFrame, data: st.DataObject) -> None:
    """Shares add up to one, and means by their shares to the mean of all; to rounding."""
    labels = data.draw(labels_for(table.index))
    rows = quietly(al.conditional_statistic, table, labels, np.mean, **FAST).table
    for name in table:
        of_one = rows.loc[name]
        same(1.0, of_one["share"].sum())
        assert of_one["n"].sum() == len(table)
        same(table[name].mean(), (of_one["mean"] * of_one["share"]).sum(), rtol=1e-8, atol=1e-12)


@few
@given(pairs(rows=(60, 90)), st.data())
def test_a_correlation_by_regime_is_that_of_its_periods_alone(pair: tuple, data: st.DataObject) -> None:
    """Whatever the other regimes are: estimate and interval of the same seed, bit for bit."""
    x, y = pair
    labels = data.draw(labels_for(x.index))
    rows = quietly(al.conditional_correlation, x, y, labels, **FAST).table
    for label in "abc":
        chosen = (labels == label).to_numpy()
        block = int(rows.loc[label, "block_length"])
        alone = quietly(al.bootstrap_correlation, x[chosen], y[chosen], block_length=block, **FAST)
        assert rows.loc[label, "correlation"] == alone.correlation
        assert (rows.loc[label, "low"], rows.loc[label, "high"]) == (alone.low, alone.high)


@few
@given(pairs(rows=(20, 30), spacings=("daily",)))
def test_the_same_periods_under_two_labels_have_the_correlation_of_all(pair: tuple) -> None:
    """History repeated under another label: each regime has what no regime has, and nothing differs."""
    x, y = (each.to_numpy() for each in pair)
    index = pd.bdate_range("2001-01-01", periods=2 * len(x))
    twice = [pd.Series(np.tile(each, 2), index=index, name=name) for each, name in ((x, "x"), (y, "y"))]
    labels = pd.Series(np.repeat(["a", "b"], len(x)), index=index)
    found = quietly(al.conditional_correlation, *twice, labels, block_length=3, **FAST)
    whole = quietly(al.bootstrap_correlation, x, y, block_length=3, **FAST)
    assert (found.table["correlation"] == whole.correlation).all()
    assert (found.table[["low", "high"]] == [whole.low, whole.high]).all(axis=None)
    same(1.0, found.p_equal, rtol=0.0, atol=1e-9)


@few
@given(return_tables(rows=(60, 90), series=(1, 2), risks=(1e-4, 0.01)), st.data())
def test_performance_by_regime_does_not_know_leverage(table: pd.DataFrame, data: st.DataObject) -> None:
    """Doubled at a cash return of zero: means and volatilities double, Sharpe ratios stay; to rounding."""
    labels, cash = data.draw(labels_for(table.index)), pd.Series(0.0, index=table.index)
    per_year = infer_frequency(table.index).periods_per_year
    one, other = (
        quietly(al.conditional_performance, each, cash, labels, per_year, **FAST).table
        for each in (table.clip(-0.4, 0.4), table.clip(-0.4, 0.4) * 2.0)
    )
    same(one[["mean", "volatility"]] * 2.0, other[["mean", "volatility"]], rtol=1e-8)
    same(one[["sharpe", "low", "high"]], other[["sharpe", "low", "high"]], rtol=1e-6, atol=1e-9)
    assert (other["max_drawdown"] <= one["max_drawdown"] + 1e-12).all()


@few
@given(one_series(rows=(60, 90)), st.data())
def test_a_contrast_turns_with_its_regimes(x: pd.Series, data: st.DataObject) -> None:
    """Exchanged: the negative, the same error and p-value, the mirrored interval; bit for bit or rounding."""
    labels = data.draw(labels_for(x.index))
    table = quietly(al.conditional_statistic, x, labels, np.mean, null=0.0, **FAST)
    one, other = (quietly(al.regime_contrast, table, *pair) for pair in (("a", "b"), ("b", "a")))
    same(
        (-one.difference, one.standard_error, -one.high, -one.low, one.p_value),
        (other.difference, other.standard_error, other.low, other.high, other.p_value),
    )


# Labels


SLOW = {"spacings": ("monthly",), "rows": (60, 80), "assets": (2, 2)}


@few
@given(plain_worlds(**SLOW), POWERS, POWERS)
def test_labels_of_prices_have_no_unit(world, one: float, two: float) -> None:
    """Trends and the sign of a correlation, each asset in units of its own, powers of two; bit for bit."""
    a, b = world.assets
    other = world.priced(world.prices * [one, two]).market
    for rule in (
        lambda market: al.price_trend(market, a),
        lambda market: al.correlation_sign(market, a, b, window_years=1.0),
    ):
        assert rule(world.market).labels.equals(rule(other).labels)


@few
@given(plain_worlds(**SLOW), st.integers(20, 50))
def test_labels_do_not_see_what_comes(world, row: int) -> None:
    """Those of a market cut at a date are a prefix of those of the whole, and the next label is next."""
    a, b = world.assets
    whole = world.market
    short = whole.until(whole.index[row].date())
    for rule in (
        lambda market: al.price_trend(market, a),
        lambda market: al.correlation_sign(market, a, b, window_years=1.0),
    ):
        early, all_ = rule(short), rule(whole).labels
        assert early.labels.equals(all_.iloc[: len(early.labels)])
        assert early.next_label == all_.iloc[len(early.labels)]


@few
@given(plain_worlds(**SLOW))
def test_the_sign_of_a_correlation_does_not_know_which_asset_is_first(world) -> None:
    """And turns with the sign of one of them, where nothing stands at zero."""
    a, b = world.assets
    sides = [
        al.correlation_sign(world.market, *pair, window_years=1.0).labels.str.extract("(positive|negative)")[
            0
        ]
        for pair in ((a, b), (b, a))
    ]
    assert sides[0].equals(sides[1])


@few
@given(plain_worlds(spacings=("monthly",), rows=(30, 40)), st.data())
def test_thresholds_are_levels_of_the_signal(world, data: st.DataObject) -> None:
    """Signal and threshold in another unit say the same, and a higher threshold leaves no more above it."""
    known = world.prices.index + pd.Timedelta(days=3)
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    values = pd.Series(rng.normal(0.03, 0.02, len(known)).round(2), index=known)
    market, scaled = (al.Market(world.prices, 0.0, {"s": values * k}) for k in (1.0, 4.0))
    low, high = (al.signal_level(market, "s", t) for t in (0.02, 0.04))
    other = al.signal_level(scaled, "s", 0.08)
    assert np.array_equal(_is_above(low), _is_above(other))
    assert (_is_above(high) <= _is_above(low)).all()


def _is_above(regimes: al.Regimes) -> np.ndarray:
    return regimes.labels.str.contains("or more").to_numpy(bool)


@few
@given(one_series(), st.data())
def test_eras_begun_where_another_ends_are_one(x: pd.Series, data: st.DataObject) -> None:
    """A border more splits the era in which it lies, and moves nothing else."""
    index = x.index
    row = data.draw(st.integers(2, len(index) - 2))
    one = al.eras(index, {"old": index[0].date(), "new": index[row].date()}).labels
    more = {"old": index[0].date(), "middle": index[row // 2 + 1].date(), "new": index[row].date()}
    assume(row // 2 + 1 < row)
    split = al.eras(index, more).labels
    assert split.replace("middle", "old").equals(one)
