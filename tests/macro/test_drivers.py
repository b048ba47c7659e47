"""What moves a yield: shares against an enumeration of Shapley values, timing, labels, and assets by label.

Invariants held for any parts: shares add up to 1, do not depend on unit, order or drift, and merge when parts
are merged; probabilities add up to 1; labels that are known at the time do not move when the future does.
"""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

import allocator as al
from allocator.errors import InputError, InsufficientHistoryError
from allocator.macro.yields import (
    DriverPath,
    YieldDecomposition,
    assets_by_driver,
    assets_when_yields_rise,
    decompose_yield,
    driver_regimes,
    driver_shares,
    period_drivers,
    rolling_drivers,
    signed_driver_regimes,
)
from allocator.macro.yields.drivers import _with_hysteresis
from allocator.regimes import conditional_statistic
from strategies import RegimeSwitch, SixtyForty

SHARED = Path(__file__).resolve().parents[3] / "shared"
MONTHS = pd.date_range("2000-01-31", periods=121, freq="ME")


def shared(path: str) -> Path:
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return SHARED / path


def of_changes(
    changes: np.ndarray, names=("real", "inflation", "term premium"), **options
) -> YieldDecomposition:
    """A decomposition whose parts have these changes, shape (n, n_parts)."""
    index = pd.date_range("2000-01-31", periods=len(changes) + 1, freq="ME")
    levels = 0.01 + np.vstack([np.zeros(changes.shape[1]), np.cumsum(changes, axis=0)])
    parts = pd.DataFrame(levels, index=index, columns=list(names)[: changes.shape[1]])
    return decompose_yield(parts.sum(axis=1), parts, 10, **{"ex_post": False, **options})


def noise(seed: int, n: int = 120, k: int = 3, scale=(1.0, 1.0, 1.0)) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1e-3, (n, k)) * np.array(scale)[:k]


# --- shares: the published case, and an oracle ---


def test_shares_of_the_case():
    table = pd.read_csv(shared("cases/F_driver_attribution_input.csv"))
    expected = json.loads(shared("cases/F_driver_attribution_expected.json").read_text())
    changes = table[["d_real_expected", "d_infl_expected", "d_term_premium"]].to_numpy() / 100
    found = driver_shares(of_changes(changes), n_resamples=50).table["share"]
    np.testing.assert_allclose(found, expected["covariance_share"], atol=1e-12)
    np.testing.assert_allclose(found, expected["shapley_variance"], atol=1e-12)
    assert (
        np.abs(found.to_numpy() - expected["lmg_shapley_R2"]).max() > 5e-3
    )  # shares of R² are another thing


def shapley(changes: np.ndarray) -> np.ndarray:
    """The mean over all orders of what a part adds to the variance of the sum, over the variance."""
    k = changes.shape[1]
    values, orders = np.zeros(k), list(permutations(range(k)))
    for order in orders:
        for place, part in enumerate(order):
            after = changes[:, list(order[: place + 1])].sum(axis=1).var()
            before = changes[:, list(order[:place])].sum(axis=1).var() if place else 0.0
            values[part] += after - before
    return values / len(orders) / changes.sum(axis=1).var()


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 4), st.floats(-0.9, 0.9))
def test_shares_are_shapley_values_and_add_up_to_one(seed, k, common):
    changes = noise(seed, 40, k, (1.0, 2.0, 0.5, 1.0)[:k])
    changes += common * changes[:, :1]
    found = driver_shares(of_changes(changes, "abcd"), n_resamples=20).table
    np.testing.assert_allclose(
        found["share"],
        shapley(np.diff(np.cumsum(np.vstack([0 * changes[:1], changes]), 0), axis=0)),
        atol=1e-9,
    )
    assert found["share"].sum() == pytest.approx(1.0, abs=1e-12)
    assert found["dominant"].sum() == pytest.approx(1.0, abs=1e-12)
    assert (found["low"] <= found["high"]).all()


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.floats(0.1, 5.0), st.floats(-1e-4, 1e-4))
def test_shares_know_no_unit_no_order_no_drift_and_merge(seed, unit, drift):
    changes = noise(seed, 60)
    base = driver_shares(of_changes(changes), n_resamples=20).table["share"]
    moved = driver_shares(of_changes(unit * changes + drift), n_resamples=20).table["share"]
    np.testing.assert_allclose(moved, base, atol=1e-9)
    turned = driver_shares(of_changes(changes[:, ::-1], tuple(base.index[::-1])), n_resamples=20).table[
        "share"
    ]
    np.testing.assert_allclose(turned[base.index], base, atol=1e-12)
    merged = np.column_stack([changes[:, 0], changes[:, 1:].sum(axis=1)])
    both = driver_shares(of_changes(merged, ("real", "other")), n_resamples=20).table["share"]
    assert both["other"] == pytest.approx(base.iloc[1:].sum(), abs=1e-10)


def test_a_part_that_moves_against_the_sum_has_a_negative_share():
    step = noise(1, 60, 1)
    found = driver_shares(of_changes(np.hstack([2 * step, -step]), ("up", "against")), n_resamples=20).table
    np.testing.assert_allclose(found["share"], [2.0, -1.0], atol=1e-9)


def test_the_interval_covers_the_truth_in_simulation():
    """True share of a: 1²/(1² + 1.5²). 120 samples of 120 months; 95 % intervals miss in 2 to 11 %."""
    truth, misses = 1 / 3.25, 0
    for seed in range(120):
        found = driver_shares(
            of_changes(noise(seed, 120, 2, (1.0, 1.5)), "ab"), n_resamples=200, block_length=1
        )
        misses += not found.table.loc["a", "low"] <= truth <= found.table.loc["a", "high"]
    assert 2 <= misses <= 13


def test_the_interval_covers_the_truth_of_two_years():
    """Percentiles alone miss in 10 % of 23 changes."""
    truth, misses = 1 / 3.25, 0
    for seed in range(200):
        found = driver_shares(of_changes(noise(seed, 23, 2, (1.0, 1.5)), "ab"), n_resamples=200)
        misses += not found.table.loc["a", "low"] <= truth <= found.table.loc["a", "high"]
    assert misses <= 14


def test_means_of_products_are_the_slow_bootstrap():
    whole = of_changes(noise(3, 50))
    found = driver_shares(whole, n_resamples=30, block_length=4, seed=9)
    rows = np.concatenate(list(al.CircularBlockBootstrap(4).rows(50, 30, np.random.default_rng(9))))
    changes = whole.changes.to_numpy()
    slow = np.array([np.cov(changes[r].T).sum(axis=1) / changes[r].sum(axis=1).var(ddof=1) for r in rows])
    share, blocks = found.table["share"].to_numpy(), 50 / 4
    wide = stats.t.ppf(0.975, blocks - 1) / stats.norm.ppf(0.975) * np.sqrt(blocks / (blocks - 1))
    for name, chance in (("low", 0.025), ("high", 0.975)):
        slow_end = share + wide * (np.quantile(slow, chance, axis=0) - share)
        np.testing.assert_allclose(found.table[name], slow_end, atol=1e-9)
    np.testing.assert_allclose(found.table["dominant"], np.bincount(slow.argmax(axis=1), minlength=3) / 30)


def test_a_yield_that_never_changes_has_no_shares_and_says_why():
    found = driver_shares(of_changes(np.zeros((30, 2))))
    assert found.table["share"].isna().all()
    assert "the yield never changes: there is no variance to share out" in repr(found)
    even = driver_shares(of_changes(np.full((30, 2), 1e-3)))
    assert even.reason == "the yield changes by the same on every row: there is no variance to share out"
    step = noise(2, 30, 1)
    assert driver_shares(of_changes(np.hstack([step, -step]))).reason


# --- the path ---


def test_each_date_is_the_share_of_its_window():
    whole = of_changes(noise(4))
    path = rolling_drivers(whole, 2, n_resamples=60, seed=3)
    assert path.window == 24
    assert path.shares.index.equals(whole.total.index[24:])
    changes = whole.changes
    for row in (0, 17, 96):
        cut = changes.iloc[row : row + 24]
        whole_change = cut.sum(axis=1)
        expected = [np.cov(cut[name], whole_change)[0, 1] / whole_change.var() for name in cut]
        np.testing.assert_allclose(path.shares.iloc[row], expected, atol=1e-10)
        np.testing.assert_allclose(path.moves.iloc[row], cut.sum(), atol=1e-15)
        alone = whole.between(whole.total.index[row], whole.total.index[row + 24])
        one = driver_shares(alone, block_length=3, n_resamples=60, seed=3).table["dominant"]
        np.testing.assert_allclose(path.probability.iloc[row], one, atol=1e-12)


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(30, 118))
def test_a_rewritten_future_leaves_path_and_labels_to_the_bit(seed, cut):
    changes = noise(seed)
    other = changes.copy()
    other[cut:] = noise(seed + 1)[cut:] * 3.0
    one, two = (rolling_drivers(of_changes(each), 2, n_resamples=20) for each in (changes, other))
    dates = one.shares.index[: max(cut - 23, 0)]
    for part in ("shares", "probability", "moves", "dominant"):
        assert getattr(one, part).loc[dates].equals(getattr(two, part).loc[dates])
    for make in (driver_regimes, signed_driver_regimes):
        first, second = make(one).labels, make(two).labels
        # The label of the first period that the rewriting touches is known before it.
        assert first.iloc[: cut + 1].equals(second.iloc[: cut + 1])
    assert not one.shares.equals(two.shares)


def slow_hysteresis(shares, dwell, margin):
    """Read aloud: who is it, since when, is another one far enough above, and long enough after."""
    found, since = [], None
    for row, each in enumerate(shares):
        best = int(np.argmax(each))
        if not found or (row - since >= dwell and each[best] - each[found[-1]] > margin):
            found.append(best)
            since = row
        else:
            found.append(found[-1])
    return found


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0.0, 0.5))
def test_hysteresis_holds_dwell_and_margin(seed, dwell, margin):
    shares = np.random.default_rng(seed).dirichlet([1, 1, 1], 80)
    found = _with_hysteresis(shares, dwell, margin)
    assert found.tolist() == slow_hysteresis(shares, dwell, margin)
    switches = np.flatnonzero(np.diff(found)) + 1
    assert (np.diff(switches) >= dwell).all()
    for row in switches:
        assert shares[row, found[row]] > shares[row, found[row - 1]] + margin


def test_before_the_first_share_there_is_no_driver():
    changes = noise(5, 60)
    changes[:30] = 0.0
    path = rolling_drivers(of_changes(changes), 1, n_resamples=20)
    assert path.shares.iloc[:18].isna().all().all()
    assert (path.dominant.iloc[:18] == "unclassified").all()
    assert "unclassified" not in set(path.dominant.iloc[20:])
    assert path.spells.iloc[0]["driver"] == "unclassified"
    assert np.isnan(path.spells.iloc[0]["share"])


def test_spells_tell_the_path():
    path = rolling_drivers(of_changes(noise(6)), 1, dwell=3, margin=0.05, n_resamples=40)
    spells = path.spells
    assert spells["rows"].sum() == len(path.dominant)
    assert (spells["driver"].to_numpy()[1:] != spells["driver"].to_numpy()[:-1]).all()
    assert len(spells) > 2
    second = spells.iloc[1]
    inside = path.shares.loc[second["from"] : second["to"], second["driver"]]
    assert inside.mean() == pytest.approx(second["share"])
    assert (path.dominant.loc[second["from"] : second["to"]] == second["driver"]).all()


# --- labels ---


def switching() -> DriverPath:
    """Two parts: the first moves in the first half, the second in the other, and rises there."""
    changes = noise(7, 120, 2, (1.0, 0.05))
    changes[60:] = noise(8, 60, 2, (0.05, 1.0)) + np.array([0.0, 1e-3])
    return rolling_drivers(of_changes(changes, ("rates", "premium")), 1, dwell=3, n_resamples=40)


def test_labels_are_those_of_the_window_before_the_period():
    path = switching()
    regimes = driver_regimes(path)
    assert regimes.labels.index.equals(path.decomposition.changes.index)
    assert (regimes.labels.iloc[:12] == "unclassified").all()
    assert regimes.labels.iloc[12:].tolist() == path.dominant.iloc[:-1].tolist()
    assert regimes.next_label == path.dominant.iloc[-1] == "premium"
    assert not regimes.ex_post
    assert regimes.order == ("rates", "premium", "unclassified")
    assert "known when the period began" in regimes.rule


def test_signed_labels_have_the_direction_of_the_window():
    path = switching()
    regimes = signed_driver_regimes(path)
    assert regimes.next_label == "premium up"
    assert set(regimes.labels.iloc[-30:]) == {"premium up"}
    for row in (3, 40, 80):
        driver = path.dominant.iloc[row]
        way = "up" if path.moves[driver].iloc[row] > 0 else "down"
        assert regimes.labels.iloc[12 + row] == f"{driver} {way}"


def test_a_decomposition_in_hindsight_makes_labels_in_hindsight():
    path = rolling_drivers(of_changes(noise(9), ex_post=True), 2, n_resamples=20)
    for regimes in (driver_regimes(path), signed_driver_regimes(path)):
        assert regimes.ex_post
        assert regimes.next_label is None
        assert "the parts were estimated in hindsight" in regimes.rule


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_driver_of_a_period_is_its_largest_move(seed):
    whole = of_changes(noise(seed, 30))
    regimes = period_drivers(whole)
    assert regimes.ex_post
    for date, label in regimes.labels.items():
        moves = whole.changes.loc[date]
        name = moves.abs().idxmax()
        assert label == f"{name} {'up' if moves[name] > 0 else 'down'}"


def test_a_period_without_a_move_is_unclassified():
    changes = noise(1, 30, 2)
    changes[4] = 0.0
    levels = of_changes(changes)
    parts = levels.parts.copy()
    parts.iloc[5] = parts.iloc[4]
    labels = period_drivers(decompose_yield(parts.sum(axis=1), parts, 10, ex_post=False)).labels
    assert labels.iloc[4] == "unclassified"
    assert (labels == "unclassified").sum() == 1


def test_a_strategy_trades_on_the_driver_as_it_was_known():
    path = switching()
    dates = path.decomposition.total.index
    rng = np.random.default_rng(0)
    prices = pd.DataFrame(
        np.exp(rng.normal(0, 0.03, (121, 3)).cumsum(axis=0)), dates, ["stocks", "bonds", "gold"]
    )
    market = al.Market(prices, 0.02)
    strategy = RegimeSwitch(
        lambda past: al.given_labels(past, path.dominant, 0),
        {"rates": SixtyForty(), "premium": al.FixedMix({"gold": 1.0})},
    )
    run = al.run_backtest(strategy, market, start=dates[14])
    assert run.weights["gold"].iloc[-1] == pytest.approx(1.0)
    switched = path.dominant.index[path.dominant == "premium"][0]
    held = run.weights["gold"]
    assert held.loc[: switched - pd.Timedelta(days=1)].max() == 0.0
    assert held.loc[switched:].min() > 0.99


# --- assets ---


def assets(n: int = 120, seed: int = 0) -> pd.DataFrame:
    draws = np.random.default_rng(seed).normal(0.005, 0.03, (n, 3))
    return pd.DataFrame(draws, index=MONTHS[1 : n + 1], columns=["stocks", "bonds", "gold"])


def test_assets_by_driver_are_means_and_correlations_of_the_labelled_months():
    whole, returns = of_changes(noise(10, 120, 2), ("real", "premium")), assets()
    regimes = period_drivers(whole)
    study = assets_by_driver(returns, regimes, [("stocks", "bonds")], n_resamples=60)
    for label in ("real up", "real down", "premium up", "premium down"):
        part = returns[regimes.labels == label]
        row = study.means.table.loc[("gold", label)]
        assert row["n"] == len(part)
        assert row["mean return"] == pytest.approx(part["gold"].mean(), abs=1e-15)
        assert row["low"] < row["mean return"] < row["high"]
        assert 0 <= row["p"] <= row["p_holm"] <= 1
        r = study.correlations["stocks", "bonds"].table.loc[label, "correlation"]
        assert r == pytest.approx(np.corrcoef(part["stocks"], part["bonds"])[0, 1], abs=1e-12)
    text = repr(study)
    assert "What moved the yield" in text
    assert text.endswith("monthly returns, 2000-02-29 to 2010-01-31, n=120")
    assert study._repr_html_().count("<table>") == 2


def test_assets_that_answer_to_a_part_are_seen_to():
    whole = of_changes(noise(11, 120, 2), ("real", "premium"))
    returns = assets()
    returns["gold"] = 0.01 * np.sign(whole.changes["premium"].to_numpy()) + 0.1 * returns["gold"]
    table = assets_by_driver(returns, period_drivers(whole), n_resamples=200).means.table
    assert table.loc[("gold", "premium up"), "low"] > 0
    assert table.loc[("gold", "premium down"), "high"] < 0


def test_rising_yields_split_the_sample_and_test_the_difference():
    whole, returns = of_changes(noise(12)), assets()
    groups = {"dollar": ["stocks", "bonds"], "other": ["gold"]}
    found = assets_when_yields_rise(returns, whole.total.rename("y"), groups, n_resamples=200)
    rises = whole.total.diff().iloc[1:].to_numpy() > 0
    mean = returns["gold"][rises].mean() - returns["gold"][~rises].mean()
    assert found.difference.loc["gold", "difference"] == pytest.approx(mean, abs=1e-15)
    assert found.difference.loc["other", "difference"] == pytest.approx(mean, abs=1e-15)
    assert found.contrast == "other – dollar"
    contrast = returns["gold"] - returns[["stocks", "bonds"]].mean(axis=1)
    row = found.means.table.loc[("other – dollar", "y rises")]
    assert row["mean return"] == pytest.approx(contrast[rises].mean(), abs=1e-15)
    assert row["n"] == rises.sum()
    assert f"y rises (n={rises.sum()})" in repr(found)
    assert "<table>" in found._repr_html_()


@settings(max_examples=10)
@given(st.integers(0, 10**4), st.floats(-0.02, 0.02))
def test_the_interval_of_the_difference_ends_at_zero_at_the_confidence_of_its_p(seed, effect):
    whole, returns = of_changes(noise(seed, 60)), assets(60, seed)
    returns["stocks"] += effect * (whole.changes.sum(axis=1).to_numpy() > 0)
    row = assets_when_yields_rise(returns, whole.total, n_resamples=50).difference.loc["stocks"]
    assert (row["low"] > 0 or row["high"] < 0) == (row["p"] < 0.05)
    assume(1e-6 < row["p"] < 1 - 1e-6)
    edge = assets_when_yields_rise(returns, whole.total, confidence=1 - row["p"], n_resamples=50).difference
    assert min(abs(edge.loc["stocks", "low"]), abs(edge.loc["stocks", "high"])) < 1e-8


def test_a_part_can_stand_for_the_yield_and_more_dates_do_no_harm():
    whole, returns = of_changes(noise(13)), assets()
    found = assets_when_yields_rise(returns.iloc[50:], whole.parts["real"], n_resamples=20)
    labels = conditional_statistic(returns.iloc[50:], found.means.regimes, np.mean, n_resamples=20)
    assert labels.table["n"].loc["gold"].sum() == 70
    assert "Mean returns while real rises" in repr(found)


def test_few_periods_on_one_side_are_counted_not_estimated():
    changes = np.abs(noise(14, 40))
    changes[:3] *= -1
    found = assets_when_yields_rise(assets(40), of_changes(changes).total, n_resamples=20)
    row = found.difference.loc["gold"]
    assert np.isnan(row["difference"])
    assert np.isnan(row["p"])
    assert row["reason"] == "n=3, at least 12 are needed"


# --- what prints ---


def flat(result) -> str:
    return " ".join(repr(result).split())


def test_shares_and_paths_print_sample_and_bootstrap():
    whole = of_changes(noise(15))
    text = flat(driver_shares(whole, n_resamples=50, block_length=2, seed=8))
    assert "share of 50 circular block-bootstrap resamples; blocks of 2 rows, seed 8" in text
    assert "changes, n=120; monthly, 2000-01-31 to 2010-01-31, n=121; parts known at the time" in text
    path = rolling_drivers(whole, 2, n_resamples=50)
    assert max(map(len, repr(path).splitlines())) <= 110
    with pd.option_context("display.width", 80):
        assert "..." not in repr(path.spells)
    assert (
        "covariance shares over 24 rows; a driver stays 6 rows at least and yields to a share larger by 0.1"
        in flat(path)
    )
    assert "<table>" in path._repr_html_()
    assert "<table>" in driver_shares(whole, n_resamples=50)._repr_html_()


# --- refusals ---


def test_shares_refuse_short_samples_and_no_options():
    whole = of_changes(noise(0))
    with pytest.raises(InsufficientHistoryError, match="11 changes, at least 12 are needed"):
        driver_shares(of_changes(noise(0, 11)))
    with pytest.raises(InputError, match="confidence: 95 is not between 0 and 1"):
        driver_shares(whole, confidence=95)
    with pytest.raises(InputError, match="n_resamples: is 0, expected 1 to"):
        driver_shares(whole, n_resamples=0)
    with pytest.raises(InputError, match="block_length"):
        driver_shares(whole, block_length=121)
    short = of_changes(noise(0, 13))
    assert driver_shares(short, n_resamples=20).block_length <= 4


def test_long_blocks_are_refused_as_they_leave_no_width():
    whole = of_changes(noise(0, 119))
    for block_length in (119, 40, 0, 2.5, True):
        match = rf"block_length: {block_length} is not between 1 and 39, a third of the 119 changes; of"
        with pytest.raises(InputError, match=match):
            driver_shares(whole, block_length=block_length)
    found = driver_shares(whole, block_length=39, n_resamples=50).table
    assert (found["high"] - found["low"] > 0.01).all()


@pytest.mark.parametrize("work", [driver_shares, lambda whole, **given: rolling_drivers(whole, 2, **given)])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"seed": -1}, "seed: -1 is not a whole number, 0 or more"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
        ({"seed": 1.5}, r"seed: 1\.5 is not a whole number"),
        ({"n_resamples": 2.5}, r"n_resamples: 2\.5 is not a whole number"),
        ({"n_resamples": "9"}, "n_resamples: '9' is not a whole number"),
    ],
)
def test_draws_that_are_no_numbers_are_refused(work, options, match):
    with pytest.raises(InputError, match=match):
        work(of_changes(noise(0)), **options)


def test_what_is_no_number_or_no_decomposition_is_refused():
    whole = of_changes(noise(0))
    with pytest.raises(InputError, match=r"confidence: '0\.9' is not between 0 and 1"):
        driver_shares(whole, confidence="0.9")
    with pytest.raises(InputError, match="margin: 'a' is not a number"):
        rolling_drivers(whole, 2, margin="a")
    with pytest.raises(InputError, match="years: '2' is not a number"):
        rolling_drivers(whole, "2")
    for work in (driver_shares, lambda none: rolling_drivers(none, 2), period_drivers):
        with pytest.raises(InputError, match="decomposition: expected a YieldDecomposition, got NoneType"):
            work(None)
    for work in (driver_regimes, signed_driver_regimes):
        with pytest.raises(InputError, match="path: expected a DriverPath, got NoneType"):
            work(None)


def test_groups_that_are_no_columns_by_name_are_refused():
    whole, returns = of_changes(noise(0)), assets()
    for groups, match in (
        ({1: ["stocks"]}, "groups: a group is called 1, expected a text"),
        ([["stocks"]], "groups: expected columns by name, got list"),
        ({"all": 5}, r"groups\['all'\]: group of 5: expected columns"),
        ({"all": "stocks"}, r"groups\['all'\]: group of 'stocks'"),
    ):
        with pytest.raises(InputError, match=match):
            assets_when_yields_rise(returns, whole.total, groups)


def test_paths_refuse_windows_and_hysteresis_that_are_none():
    whole = of_changes(noise(0))
    with pytest.raises(
        InputError, match=r"years: 0\.5 years hold 6 rows, at least 12 are needed; pass 1 or more"
    ):
        rolling_drivers(whole, 0.5)
    with pytest.raises(InsufficientHistoryError, match=r"a window of 240 rows \(20 years\) for 120 changes"):
        rolling_drivers(whole, 20)
    with pytest.raises(InputError, match=r"dwell: 1\.5 is not a number of rows"):
        rolling_drivers(whole, 2, dwell=1.5)
    with pytest.raises(InputError, match=r"margin: -0\.1 is not a number from 0 on"):
        rolling_drivers(whole, 2, margin=-0.1)


def test_assets_refuse_other_dates_pairs_and_groups():
    whole, returns = of_changes(noise(0)), assets()
    regimes = period_drivers(whole)
    with pytest.raises(InputError, match=r"pairs: \('stocks', 'silver'\): expected two columns"):
        assets_by_driver(returns, regimes, [("stocks", "silver")])
    with pytest.raises(InputError, match="returns: expected a DataFrame, got Series"):
        assets_by_driver(returns["gold"], regimes)
    with pytest.raises(InputError, match="no label for 1 of 120 dates"):
        assets_by_driver(returns, period_drivers(of_changes(noise(0, 119))))
    with pytest.raises(InputError, match="yields on 2000-02-29: no yield before the first return"):
        assets_when_yields_rise(returns, whole.total.iloc[1:])
    with pytest.raises(InputError, match="yields on 2010-01-31: none for 1 of 120 dates"):
        assets_when_yields_rise(returns, whole.total.iloc[:-1])
    with pytest.raises(InputError, match=r"yields on 2000-01-31: .* looks like percent"):
        assets_when_yields_rise(returns, 100 * whole.total)
    days = pd.Series(0.04, index=pd.bdate_range("1999-12-01", "2010-12-31"))
    with pytest.raises(
        InputError, match="daily rows, and the returns are monthly; take the yields on the dates"
    ):
        assets_when_yields_rise(returns, days)
    with pytest.raises(InputError, match="mixed frequency"):
        assets_when_yields_rise(returns.drop(MONTHS[40]), whole.total)
    with pytest.raises(InputError, match=r"groups\['metals'\]: group of \['silver'\]"):
        assets_when_yields_rise(returns, whole.total, {"metals": ["silver"]})
    with pytest.raises(InputError, match="3 groups, at most two"):
        assets_when_yields_rise(returns, whole.total, {"a": ["gold"], "b": ["gold"], "c": ["gold"]})


# --- real data ---


def test_the_dominant_driver_of_the_published_split_turns():
    table = pd.read_csv(shared("data/monthly_term_premium.csv"), index_col=0, parse_dates=True)[
        ["ACMY10", "ACMRNY10"]
    ]
    parts = {"expected rates": table["ACMRNY10"] / 100}
    whole = decompose_yield(table["ACMY10"] / 100, parts, 10, ex_post=True, rest="term premium")
    path = rolling_drivers(whole, 3, n_resamples=50)
    ends = path.dominant.groupby(path.dominant.index.year).last()
    assert ends[1981] == "expected rates"
    assert ends[2013] == "term premium"
    assert (path.shares.sum(axis=1) - 1).abs().max() < 1e-10
