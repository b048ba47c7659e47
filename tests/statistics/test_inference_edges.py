"""Inference at its edges: nothing to estimate, overlapping rows, several parts, rows that fit themselves.

Mutation testing (docs/mutation.md) found that no fast test held these.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import allocator as al
from allocator.regimes._partition import welch_p_value
from allocator.statistics import WideHACErrors, WildSieveBootstrap
from allocator.statistics._regression import read_regression
from allocator.statistics.ratio_difference import moves_as_one
from allocator.statistics.sup_f import sup_f_p_value


def monthly(n=96, seed=0):
    index = pd.date_range("2001-01-31", periods=n, freq="ME")
    return pd.DataFrame(
        np.random.default_rng(seed).normal(0.0, 0.03, (n, 2)), index=index, columns=["x", "y"]
    )


def test_a_correlation_of_minus_one_leaves_no_error_to_estimate():
    x = monthly()["x"]
    found = al.correlation_interval(x, -0.5 * x, n_resamples=50)
    assert "r is -1: one series is a multiple of the other" in found.reason


def test_blocks_span_at_least_the_rows_that_overlap():
    table = monthly(60)
    with pytest.warns(UserWarning, match="18"):
        found = al.correlation_interval(table["x"], table["y"], overlap=18, n_resamples=60, seed=3)
    x, y = table.to_numpy().T
    expected = al.bootstrap_correlation(x, y, n_resamples=60, seed=3, block_length=18)
    assert al.bootstrap_correlation(x, y, n_resamples=60, seed=3).block_length < 18
    assert found.bootstrap.block_length == 18
    assert (found.bootstrap.low, found.bootstrap.high) == (expected.low, expected.high)


def test_series_move_as_one_only_if_one_is_a_multiple_of_the_other():
    x = monthly()["x"].to_numpy()
    for other, same in ((2.0 * x, True), (x + 0.01, False), (x - 0.01, False), (-x, False)):
        assert moves_as_one(np.column_stack([x, other])) is same
    swapped = x.copy()
    swapped[[3, 4]] = swapped[[4, 3]]  # the same mean and deviation
    assert not moves_as_one(np.column_stack([x, swapped]))


def test_holm_takes_a_p_value_of_nothing():
    assert al.holm([0.0, 0.5]).tolist() == [0.0, 0.5]


def test_a_break_in_one_of_several_parts_is_less_of_a_surprise():
    table = monthly(80)
    stretches = read_regression(table["y"], table[["x"]]).stretches
    errors = WildSieveBootstrap(n_resamples=99, seed=2)
    one, two = (sup_f_p_value([stretches] * k, 6.0, 12, 0.15, errors) for k in (1, 2))
    assert one < two < 1.0


def test_coefficients_before_and_after_a_break_are_those_of_separate_fits():
    table = monthly(80)
    table.iloc[40:, 1] += 0.05 + 2.0 * table.iloc[40:, 0]
    found = al.break_test(table["y"], table[["x"]], errors=WildSieveBootstrap(n_resamples=99))
    row = table.index.get_loc(found.date) + 1
    for part, said in ((table.iloc[:row], found.before), (table.iloc[row:], found.after)):
        slope, level = np.polyfit(part["x"], part["y"], 1)
        assert said == pytest.approx({"intercept": level, "x": slope}, rel=1e-9)


def test_a_row_that_fits_itself_leaves_no_wide_error():
    x = np.zeros((20, 2))
    x[0, 0] = 1.0
    x[1:, 1] = 1.0 / np.sqrt(19.0)
    found = WideHACErrors().covariance(x, np.ones(20))
    assert found.shape == (2, 2)
    assert np.isnan(found).all()


def test_the_test_of_welch_is_that_of_his_paper():
    """Welch (1951), eq. 28: four means, with one degree a block, less one."""
    means, errors, blocks = (
        np.array([0.1, 0.5, 0.3, 0.9]),
        np.array([0.2, 0.1, 0.3, 0.15]),
        np.array([9, 20, 5, 12]),
    )
    table = pd.DataFrame(
        {"standard_error": errors, "n": blocks * 4.0, "block_length": 4.0}, index=["a", "b", "c", "d"]
    )
    weights = errors**-2.0
    mean = (weights * means).sum() / weights.sum()
    lost = ((1.0 - weights / weights.sum()) ** 2 / (blocks - 1.0)).sum()
    top = (weights * (means - mean) ** 2).sum() / 3.0
    statistic = top / (1.0 + 2.0 * 2.0 / 15.0 * lost)
    expected = stats.f.sf(statistic, 3, 15.0 / (3.0 * lost))
    assert welch_p_value(means, table) == pytest.approx(expected, rel=1e-12)
