"""Families of tests: Holm, White's reality check and Romano-Wolf against slow code, statsmodels and arch.

Invariants: the order of the family changes no p-value, and a larger family never lowers one.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.statistics import _studentised_draws as kernel
from allocator.statistics import reality_check, romano_wolf

FEW = al.StudentizedBootstrap(n_resamples=499)


def family(n=160, seed=42):
    """A benchmark and six portfolios, two of them better."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    returns = 0.004 + 0.03 * (common + 0.35 * rng.normal(size=(n, 7)))
    returns[:, 1:] += [0.0026, 0.0022, 0.0015, 0.0008, 0.0, -0.003]
    return returns[:, 0], returns[:, 1:]


def dated(n=160, seed=42):
    benchmark, members = family(n, seed)
    dates = pd.date_range("2005-01-31", periods=n, freq="ME")
    names = [f"gold {weight} %" for weight in (5, 10, 15, 20, 25, 30)]
    return pd.Series(benchmark, dates, name="60/40"), pd.DataFrame(members, dates, names)


def slow_romano_wolf(statistics, draws):
    """Step down: test the largest of what remains, drop it, and go on; never below one before."""
    remaining, p, last = list(range(len(statistics))), np.empty(len(statistics)), 0.0
    while remaining:
        top = max(remaining, key=lambda member: statistics[member])
        beyond = sum(max(draw[member] for member in remaining) >= statistics[top] for draw in draws)
        last = p[top] = max(last, (1 + beyond) / (len(draws) + 1))
        remaining.remove(top)
    return p


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(0, 9999))
def test_romano_wolf_is_the_slow_step_down(k, seed):
    rng = np.random.default_rng(seed)
    statistics, draws = 1.5 * rng.normal(size=k), rng.normal(size=(60, k)) + rng.normal(size=(60, 1))
    np.testing.assert_allclose(romano_wolf(statistics, draws), slow_romano_wolf(statistics, draws))


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(0, 9999))
def test_a_larger_family_never_lowers_a_p_value(k, seed):
    rng = np.random.default_rng(seed)
    statistics, draws = np.abs(rng.normal(size=k)), np.abs(rng.normal(size=(99, k)))
    whole = romano_wolf(statistics, draws)[:-1]
    assert np.all(whole >= romano_wolf(statistics[:-1], draws[:, :-1]) - 1e-12)
    p = rng.uniform(size=k)
    assert np.all(al.holm(p)[:-1] >= al.holm(p[:-1]) - 1e-12)


def test_holm_of_statsmodels():
    """From statsmodels 0.15.0, multipletests(..., method='holm')."""
    p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
    np.testing.assert_allclose(al.holm(np.array(p)), [0.05, 0.12, 0.12, 0.03, 0.5, 0.12])


def test_holm_keeps_labels_leaves_out_what_was_not_tested_and_stays_below_one():
    found = al.holm(pd.Series({"a": 0.9, "b": np.nan, "c": 0.02}))
    assert list(found.index) == ["a", "b", "c"]
    assert found["c"] == pytest.approx(0.04)
    assert found["a"] == pytest.approx(0.9)
    assert np.isnan(found["b"])
    assert al.holm(np.array([0.8, 0.7])).max() == 1.0
    assert al.holm(np.array([])).shape == (0,)


@pytest.mark.parametrize("p", [[1.2], [-0.1], [[0.1]]])
def test_holm_refuses_what_is_no_p_value(p):
    with pytest.raises(al.InputError, match="p_values: expected one dimension of numbers between 0 and 1"):
        al.holm(np.array(p))


def test_reality_check_of_arch():
    """RealityCheck of arch 8.0.0 on these returns, circular blocks of 4, 50,000 resamples: 0.00244."""
    benchmark, members = family()
    differences = members - benchmark[:, np.newaxis]
    draws = kernel.mean_draws(differences, 4, 40_000, np.random.default_rng(0))
    p = reality_check(differences.mean(axis=0), draws.changes)
    assert p == pytest.approx(0.00244, abs=4 * np.sqrt(2 * 0.00244 / 40_000))


def test_the_reality_check_of_a_family_is_studentised():
    """A noisy member of no worth would hide the others: it sets the largest change of a resample."""
    benchmark, members = family()
    noisy = np.column_stack(
        [members, benchmark + 0.15 * np.random.default_rng(4).standard_normal(len(members))]
    )
    found = al.mean_family_test(noisy, benchmark, al.StudentizedBootstrap(4, 1999), periods_per_year=12)
    t = (found.table["difference"] / found.table["standard_error"]).to_numpy()
    assert found.reality_check_p == pytest.approx(reality_check(t, found.draws), abs=1e-12)
    differences = noisy - benchmark[:, np.newaxis]
    draws = kernel.mean_draws(differences, 4, 1999, np.random.default_rng(0))
    plain = reality_check(differences.mean(axis=0), draws.changes)
    assert found.reality_check_p < 0.05 < plain


def test_step_down_of_arch():
    """StepM of arch 8.0.0, the better ones at each size: circular blocks of 4, not studentised, one-sided."""
    superior = {0.01: {0, 1}, 0.05: {0, 1}, 0.1: {0, 1, 3}, 0.2: {0, 1, 3}, 0.3: {0, 1, 2, 3, 4}}
    benchmark, members = family()
    differences = members - benchmark[:, np.newaxis]
    draws = kernel.mean_draws(differences, 4, 20_000, np.random.default_rng(0))
    p = romano_wolf(differences.mean(axis=0), draws.changes)
    for size, better in superior.items():
        assert set(np.flatnonzero(p <= size)) == better


def test_reality_check_is_the_share_of_larger_maxima():
    changes = np.array([[0.1, 0.5], [0.3, -1.0], [0.2, 0.2], [-0.4, -0.1]])
    assert reality_check(np.array([0.25, 0.0]), changes) == pytest.approx(3 / 5)
    assert np.isnan(reality_check(np.array([]), np.empty((4, 0))))
    with pytest.raises(al.InputError, match=r"draws: shape \(4, 2\) for 3 statistics"):
        reality_check(np.zeros(3), changes)
    with pytest.raises(al.InputError, match=r"draws: shape \(4, 2\) for 3 statistics"):
        romano_wolf(np.zeros(3), changes)


@pytest.mark.parametrize("block", [1, 4, 7])
def test_mean_draws_are_the_slow_ones(block):
    x = family(60)[1]
    starts = np.random.default_rng(1).integers(0, 60, size=(30, 60 // block))
    fast = kernel.mean_draws(x, block, 30, np.random.default_rng(1))
    for row, drawn in enumerate(starts):
        sample = x[np.concatenate([s + np.arange(block) for s in drawn]) % 60]
        blocks = (sample - sample.mean(axis=0)).reshape(-1, block, 6).mean(axis=1)
        np.testing.assert_allclose(fast.changes[row], sample.mean(axis=0) - x.mean(axis=0), atol=1e-15)
        error = np.sqrt(block * np.mean(blocks**2, axis=0) / len(sample))
        np.testing.assert_allclose(fast.errors[row], error, rtol=1e-9)


def test_a_member_alone_is_the_test_of_a_pair():
    benchmark, members = dated()
    method = al.StudentizedBootstrap(block_length=3, n_resamples=999, seed=5)
    found = al.sharpe_family_test(members, benchmark, 0.02, method)
    for name in members:
        pair = al.sharpe_difference(members[name], benchmark, 0.02, method)
        row = found.table.loc[name]
        assert row["p_value"] == pytest.approx(pair.p_value, abs=1e-12)
        assert row["difference"] == pytest.approx(pair.difference)
        assert row["standard_error"] == pytest.approx(pair.standard_error)
        assert row["value"] == pytest.approx(pair.sharpe_1)
    assert found.benchmark_value == pytest.approx(al.sharpe_ratio(benchmark, 0.02))


def test_the_joint_draws_are_kept_and_give_the_p_values_back():
    benchmark, members = dated()
    found = al.sharpe_family_test(members, benchmark, 0.02, FEW)
    assert found.draws.shape == (499, 6)
    assert not found.draws.flags.writeable
    t = (found.table["difference"] / found.table["standard_error"]).abs().to_numpy()
    again = slow_romano_wolf(t, np.abs(found.draws))
    np.testing.assert_allclose(found.table["p_romano_wolf"], again)
    np.testing.assert_allclose(found.table["p_holm"], al.holm(found.table["p_value"]))
    assert found.names == tuple(members.columns)
    assert (found.n_members, found.n, found.seed) == (6, 160, 0)


@pytest.mark.parametrize("kind", ["sharpe", "mean"])
def test_family_p_values_are_ordered_and_never_below_those_alone(kind):
    benchmark, members = dated()
    found = (
        al.sharpe_family_test(members, benchmark, 0.0, FEW)
        if kind == "sharpe"
        else al.mean_family_test(members, benchmark, FEW)
    )
    table = found.table
    assert (table["p_romano_wolf"] >= table["p_value"] - 1e-12).all()
    assert (table["p_holm"] >= table["p_value"] - 1e-12).all()
    assert table["p_value"].iloc[0] < 0.05 < table["p_value"].iloc[4]


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_the_family_is_no_matter(order):
    benchmark, members = dated()
    first = al.sharpe_family_test(members, benchmark, 0.0, FEW)
    other = al.sharpe_family_test(members.iloc[:, order], benchmark, 0.0, FEW)
    columns = ["difference", "standard_error", "p_value", "p_holm", "p_romano_wolf"]
    pd.testing.assert_frame_equal(other.table.loc[members.columns, columns], first.table[columns], rtol=1e-9)
    assert other.reality_check_p == first.reality_check_p
    assert other.block_length == first.block_length


def test_the_reality_check_finds_nothing_where_all_are_worse():
    benchmark, members = dated()
    worse = members.sub(0.01)
    found = al.sharpe_family_test(worse, benchmark, 0.0, FEW)
    assert found.table["p_romano_wolf"].min() < 0.05
    assert found.reality_check_p > 0.9


def test_leverage_changes_no_p_value_of_ratios():
    benchmark, members = family()
    plain, levered = (
        al.sharpe_family_test(members * scale, benchmark, 0.0, FEW, periods_per_year=12)
        for scale in (np.ones(6), np.array([0.2, 1, 2, 3, 0.5, 4]))
    )
    pd.testing.assert_series_equal(levered.table["p_romano_wolf"], plain.table["p_romano_wolf"])


def test_the_benchmark_in_its_own_family_is_no_test():
    benchmark, members = dated()
    with_itself = members.assign(itself=benchmark)
    for found, alone in (
        (
            al.sharpe_family_test(with_itself, benchmark, 0.0, FEW),
            al.sharpe_family_test(members, benchmark, 0.0, FEW),
        ),
        (al.mean_family_test(with_itself, benchmark, FEW), al.mean_family_test(members, benchmark, FEW)),
    ):
        row = found.table.loc["itself"]
        assert (row["difference"], row["standard_error"]) == (0.0, 0.0)
        assert list(row[["p_value", "p_holm", "p_romano_wolf"]]) == [1.0, 1.0, 1.0]
        pd.testing.assert_frame_equal(found.table.drop("itself"), alone.table)
        assert found.reality_check_p == alone.reality_check_p
        assert (found.n_members, found.draws.shape[1]) == (7, 6)


def test_a_family_of_nothing_but_the_benchmark():
    benchmark, _ = dated()
    found = al.sharpe_family_test(benchmark.to_frame("itself"), benchmark, 0.0, FEW)
    assert found.table["p_value"].tolist() == [1.0]
    assert np.isnan(found.reality_check_p)
    assert "none can be tested; n=160" in repr(found)
    assert "itself: moves as the benchmark" in repr(found)


def test_a_member_that_never_changes_is_named_and_not_tested():
    benchmark, members = dated()
    found = al.sharpe_family_test(members.assign(flat=0.0), benchmark, 0.0, FEW)
    assert found.table.loc["flat", "reason"] == "it never changes over cash"
    assert found.table.loc["flat", ["p_value", "p_holm", "p_romano_wolf"]].isna().all()
    assert found.table.drop("flat")["p_value"].notna().all()


def test_a_constant_advantage_in_the_mean_has_no_error():
    benchmark, _ = dated()
    found = al.mean_family_test((benchmark + 0.001).to_frame("fee free"), benchmark, FEW)
    assert found.table.loc["fee free", "difference"] == pytest.approx(0.012)
    assert found.table.loc["fee free", "reason"] == "differs from the benchmark by a constant"
    assert np.isnan(found.table.loc["fee free", "p_value"])


def test_what_a_family_refuses():
    benchmark, members = dated()
    with pytest.raises(al.InputError, match=r"returns on 2005-02-28: missing; benchmark has 160 dates"):
        al.sharpe_family_test(members.drop(members.index[1]), benchmark, 0.0)
    with pytest.raises(al.InputError, match="benchmark: never changes over cash"):
        al.sharpe_family_test(members, 0 * benchmark, 0.0)
    with pytest.raises(al.InsufficientHistoryError, match="benchmark: n=8, at least 12 are needed"):
        al.mean_family_test(members[:8], benchmark[:8])
    with pytest.warns(UserWarning, match="n=15: errors and p-values"):
        al.mean_family_test(members[:15], benchmark[:15], FEW)
    with pytest.raises(al.InputError, match="block_length: 81 is not between 1 and half of the 160 rows"):
        al.sharpe_family_test(members, benchmark, 0.0, al.StudentizedBootstrap(block_length=81))


def test_F146_a_family_prints_its_number_its_members_and_its_p_values():
    benchmark, members = dated()
    found = al.sharpe_family_test(members, benchmark, 0.0, FEW)
    text = repr(found)
    assert text.startswith("6 against 60/40 (Sharpe ratio ")
    for name in members:
        assert name in text
    assert "p Romano–Wolf" in text
    assert (
        f"White's reality check, studentised: p = {found.reality_check_p:.4f} that none of the 6 tested is "
        "better" in text
    )
    assert "hold for all 6 together; n=160" in text
    assert "499 resamples, seed 0" in text
    assert "<table>" in found._repr_html_()
    assert "%" in repr(al.mean_family_test(members, benchmark, FEW)).splitlines()[2]


def test_family_error_of_worthless_portfolios():
    """120 families of six that are no better: at 5 %, at most about one in twenty has a family p below."""
    alone = together = checked = 0
    few = al.StudentizedBootstrap(n_resamples=199)
    for seed in range(120):
        x = np.random.default_rng(seed).normal(size=(100, 7)) + np.random.default_rng(seed + 999).normal(
            size=(100, 1)
        )
        found = al.sharpe_family_test(0.01 * x[:, 1:], 0.01 * x[:, 0], 0.0, few, periods_per_year=12)
        alone += (found.table["p_value"] <= 0.05).any()
        together += (found.table["p_romano_wolf"] <= 0.05).any()
        checked += found.reality_check_p <= 0.05
    assert alone / 120 > 0.12
    assert together / 120 <= 0.10
    assert checked / 120 <= 0.10
