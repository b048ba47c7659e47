"""The circular block bootstrap against resampling row by row, its exact variance, and block lengths."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.statistics import bootstrap, optimal_block_length, resampled_means


def slow_means(columns, block_length, n_resamples, rng):
    """The obvious version: write out the rows of every resample."""
    n = len(columns)
    blocks = n // block_length
    means = []
    for starts in rng.integers(0, n, size=(n_resamples, blocks + 1)):
        rows = np.concatenate([start + np.arange(block_length) for start in starts])[:n] % n
        means.append(columns[rows].mean(axis=0))
    return np.array(means)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 99))
def test_prefix_sums_are_the_obvious_resampling(n, block_length, seed):
    block_length = min(block_length, n)
    columns = 5 + np.random.default_rng(seed).normal(size=(n, 3))
    fast = resampled_means(columns, block_length, 20, np.random.default_rng(seed))
    slow = slow_means(columns, block_length, 20, np.random.default_rng(seed))
    np.testing.assert_allclose(fast, slow, rtol=1e-12)


def test_chunks_do_not_change_the_draws(monkeypatch):
    columns = np.random.default_rng(0).normal(size=(50, 2))
    whole = resampled_means(columns, 7, 300, np.random.default_rng(1))
    monkeypatch.setattr(bootstrap, "_LOOKUPS_IN_A_CHUNK", 64)
    np.testing.assert_array_equal(resampled_means(columns, 7, 300, np.random.default_rng(1)), whole)


def test_seed_decides():
    columns = np.random.default_rng(0).normal(size=(50, 1))
    first, again = (resampled_means(columns, 5, 100, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (resampled_means(columns, 5, 100, np.random.default_rng(4)) != first).any()


def test_one_block_of_everything_is_the_mean():
    columns = np.random.default_rng(0).normal(size=(31, 2))
    means = resampled_means(columns, 31, 5, np.random.default_rng(0))
    np.testing.assert_allclose(means, np.tile(columns.mean(axis=0), (5, 1)), rtol=1e-12)


def test_variance_is_the_exact_one():
    """Blocks of b rows on the circle: Var* = b/n · the variance of the n block means (b divides n)."""
    series = np.cumsum(np.random.default_rng(2).normal(size=60)) / 10
    around = np.concatenate([series, series[:6]])
    block_means = np.array([around[i : i + 6].mean() for i in range(60)])
    exact = 6 / 60 * np.var(block_means)
    drawn = resampled_means(series[:, np.newaxis], 6, 40_000, np.random.default_rng(0))
    assert drawn.var() == pytest.approx(exact, rel=0.03)


def test_independent_blocks_reproduce_the_published_variance(case, managers):
    """Blocks of one row: the exact variance of Politis and Romano's Lemma 1 with mean block 1."""
    rows = json.loads(case("I_stationary_bootstrap_exact_variance.json").read_text())["rows"]
    for row in (row for row in rows if row["mean_block"] == 1):
        series = managers[[row["series"]]].to_numpy()
        drawn = resampled_means(series, 1, 40_000, np.random.default_rng(0))
        assert drawn.var() == pytest.approx(row["var_exact_circular"], rel=0.03)


def test_block_length_of_arch(case):
    """The test of arch: an AR(1) of 10,000 values, 13.635665 and 15.60894."""
    expected = json.loads(case("I_politis_white_ar1.json").read_text())
    series = np.random.RandomState(0).standard_normal(10_100)
    for i in range(1, len(series)):
        series[i] += 0.3 * series[i - 1]
    stationary, circular = optimal_block_length(series[100:])
    assert stationary == pytest.approx(expected["stationary"], rel=1e-6)
    assert circular == pytest.approx(expected["circular"], rel=1e-6)


def test_block_length_of_the_managers(case, managers):
    for row in pd.read_csv(case("I_politis_white_managers_expected.csv")).itertuples():
        series = managers[row.series.removesuffix("^2")].dropna()
        series = series**2 if row.series.endswith("^2") else series
        assert len(series) == row.n
        assert optimal_block_length(series) == pytest.approx((row.stationary, row.circular), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 200), st.integers(0, 999), st.floats(0.01, 1e4))
def test_block_length_is_bounded_and_free_of_scale(n, seed, scale):
    series = np.cumsum(np.random.default_rng(seed).normal(size=n))
    lengths = optimal_block_length(series)
    assert 0 <= min(lengths) <= max(lengths) <= np.ceil(min(3 * np.sqrt(n), n / 3))
    assert optimal_block_length(scale * series + 1) == pytest.approx(lengths, rel=1e-6, abs=1e-9)
