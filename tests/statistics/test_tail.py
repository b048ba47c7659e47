"""Value at risk and expected shortfall: definitions, coherence, and where R's numbers differ."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from allocator.statistics import expected_shortfall, sample_covariance, value_at_risk

moderate = settings(max_examples=80, deadline=None)
levels = st.floats(0.005, 0.495)
pairs = hnp.arrays(float, st.tuples(st.integers(1, 60), st.just(2)), elements=st.floats(-0.4, 0.4))


@moderate
@given(pairs, levels)
def test_shortfall_is_at_least_value_at_risk_and_at_most_the_worst(returns, level):
    risk, shortfall = value_at_risk(returns, level), expected_shortfall(returns, level)
    assert (shortfall >= risk - 1e-12).all()
    assert (shortfall <= -returns.min(axis=0) + 1e-12).all()


@moderate
@given(pairs, levels)
def test_shortfall_is_coherent(returns, level):
    x, y = returns.T
    together = expected_shortfall(x + y, level)
    assert together <= expected_shortfall(x, level) + expected_shortfall(y, level) + 1e-12
    assert expected_shortfall(0.5 * x, level) == pytest.approx(0.5 * expected_shortfall(x, level), abs=1e-12)
    assert expected_shortfall(x + 0.1, level) == pytest.approx(expected_shortfall(x, level) - 0.1, abs=1e-12)


@moderate
@given(pairs, levels)
def test_shortfall_is_the_integral_of_the_quantiles(returns, level):
    """The oracle: the empirical quantile function is a step function; average it over (0, level)."""
    ordered = np.sort(returns[:, 0])
    edges = np.minimum(np.arange(len(ordered) + 1) / len(ordered), level)
    assert expected_shortfall(returns[:, 0], level) == pytest.approx(
        -np.diff(edges) @ ordered / level, abs=1e-12
    )


def test_fraction_of_an_observation_counts_with_its_fraction():
    returns = np.array([-0.10, -0.04, 0.01, 0.02, 0.03])  # 0.3 of 5 is one and a half
    assert expected_shortfall(returns, 0.3) == pytest.approx((0.10 + 0.5 * 0.04) / 1.5)
    assert value_at_risk(returns, 0.3) == pytest.approx(0.04 - 0.2 * 0.05)


@moderate
@given(pairs, levels)
def test_value_at_risk_is_numpys_quantile_to_the_bit(returns, level):
    np.testing.assert_array_equal(value_at_risk(returns, level), -np.quantile(returns, level, axis=0))


def test_value_at_risk_is_rs(case, managers, edhec):
    """PerformanceAnalytics' historical VaR is the same quantile; it gives none for the bill."""
    expected = (
        pd.read_csv(case("C_performanceanalytics_expected.csv")).query("stat == 'var_hist_95'").dropna()
    )
    assert len(expected) == 22
    for row in expected.itertuples():
        returns = {"managers": managers, "edhec": edhec}[row.dataset][row.series].dropna()
        assert value_at_risk(returns) == pytest.approx(-row.value, rel=1e-9), row.series


def test_shortfall_is_not_rs(managers):
    """On purpose: its ES is the plain mean of the 7 months below VaR, ours of the worst 6.6 of 132."""
    returns = managers["SP500 TR"]
    ordered = np.sort(returns)
    assert ordered[:7].mean() == pytest.approx(-0.0933285714285714, rel=1e-12)
    by_hand = (ordered[:6].sum() + 0.6 * ordered[6]) / 6.6
    assert expected_shortfall(returns) == pytest.approx(-by_hand, rel=1e-12)


def test_F138_few_periods_give_the_worst():
    returns = np.array([-0.03, 0.01, 0.02])
    assert expected_shortfall(returns, 0.05) == pytest.approx(0.03)


@moderate
@given(hnp.arrays(float, st.tuples(st.integers(2, 40), st.integers(1, 5)), elements=st.floats(-0.4, 0.4)))
def test_covariance_is_numpys_and_exactly_symmetric(returns):
    matrix = sample_covariance(returns)
    np.testing.assert_allclose(matrix, np.atleast_2d(np.cov(returns, rowvar=False)), atol=1e-14)
    assert (matrix == matrix.T).all()


def test_covariance_keeps_names(managers):
    table = managers[["SP500 TR", "US 10Y TR"]]
    pd.testing.assert_frame_equal(sample_covariance(table), table.cov(), rtol=1e-12)
