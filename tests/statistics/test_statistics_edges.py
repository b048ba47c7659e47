"""Statistics at their edges: the fewest rows, the expansion of the tail, signs of nothing.

Mutation testing (docs/mutation.md) found that no fast test held these.
"""

import math
import warnings

import numpy as np
import pytest
from scipy import stats

import allocator as al
from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics import (
    Bartlett,
    NeweyWestBandwidth,
    QuadraticSpectral,
    optimal_block_length,
)
from allocator.statistics.correlation import _best_block
from allocator.statistics.long_run_variance import _plugged_in
from allocator.statistics.wide_bandwidth import wide_block_length

SKEWED = np.array([0.04, -0.09, 0.02, 0.01, 0.03, -0.02, 0.05, 0.0, -0.04, 0.02, 0.01, 0.02])


def test_the_worst_and_the_best_period_are_the_lowest_and_the_highest_return():
    table = np.array([[0.1, 0.0], [-0.2, 0.3], [0.05, -0.1]])
    assert al.worst_period(table).tolist() == [-0.2, -0.1]
    assert al.best_period(table).tolist() == [0.1, 0.3]


def test_two_rows_have_a_sharpe_ratio():
    assert al.sharpe_ratio(np.array([0.01, 0.03]), 0.0, 1.0) == pytest.approx(0.02 / math.sqrt(2e-4))
    with pytest.warns(UndefinedStatisticWarning, match="n=2, at least 4"):
        al.sharpe_standard_error(np.array([0.01, 0.03]), 0.0, 1.0)


@pytest.mark.parametrize("statistic", [al.skewness, al.kurtosis, al.modified_value_at_risk])
def test_four_rows_have_a_shape_unless_they_never_change(statistic):
    assert np.isfinite(statistic(np.array([0.01, -0.02, 0.03, 0.05])))
    with pytest.warns(UndefinedStatisticWarning, match=rf"^{statistic.__name__}\b.*the returns never change"):
        statistic(np.full(4, 0.01))
    with pytest.warns(UndefinedStatisticWarning, match="n=3, at least 4 are needed"):
        statistic(np.array([0.01, -0.02, 0.03]))


def test_no_drawdown_is_no_pain_and_has_no_sign():
    assert math.copysign(1.0, al.pain_index(np.array([0.01, 0.02, 0.01]))) == 1.0


def corrected_quantile(z, skew, excess):
    """Zangari (1996): the Cornish-Fisher quantile to second order."""
    return (
        z
        + (z * z - 1) * skew / 6
        + (z * z * z - 3 * z) * excess / 24
        - (2 * z * z * z - 5 * z) * skew * skew / 36
    )


@pytest.mark.parametrize("level", [0.01, 0.05, 0.25])
def test_modified_value_at_risk_is_the_expansion_of_zangari(level):
    skew, excess = stats.skew(SKEWED), stats.kurtosis(SKEWED)
    expected = -(SKEWED.mean() + corrected_quantile(stats.norm.ppf(level), skew, excess) * SKEWED.std())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert al.modified_value_at_risk(SKEWED, level) == pytest.approx(expected, rel=1e-12)


def test_it_warns_where_and_only_where_the_expansion_is_no_quantile():
    """Maillard (2012): it is one where it rises; here on a grid, without its derivative."""
    warned = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        returns = rng.standard_t(2.2, 12) * 0.02 + 0.01 * rng.exponential(size=12)
        skew, excess = stats.skew(returns), stats.kurtosis(returns)
        z = np.linspace(stats.norm.ppf(0.01), 0.0, 20_001)
        steps = np.diff(corrected_quantile(z, skew, excess))
        if abs(steps.min()) < 1e-6:
            continue  # too near a tie for the grid
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            al.modified_value_at_risk(returns, 0.01)
        assert bool(found) == bool(steps.min() < 0.0), seed
        warned += bool(found)
    assert 10 < warned < 100


def test_blocks_for_a_correlation_are_those_of_its_influence():
    rng = np.random.default_rng(3)
    shocks, walk = rng.standard_normal((100, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]]), np.zeros((100, 2))
    for t in range(1, 100):
        walk[t] = 0.97 * walk[t - 1] + shocks[t]
    scores = (walk - walk.mean(axis=0)) / walk.std(axis=0)
    u, v = scores.T
    r = float((u * v).mean())
    wanted = optimal_block_length(u * v - 0.5 * r * (u * u + v * v))[1]
    assert wanted > wide_block_length(100)  # or this would not be seen
    assert _best_block(scores, r) == math.ceil(wanted)


def test_a_confidence_in_percent_is_refused_before_anything_else():
    with pytest.raises(InputError, match="confidence"):
        al.bootstrap_correlation(np.array([0.1, 0.2]), np.array([0.1, 0.3]), confidence=95)


def test_the_quadratic_spectral_kernel_is_a_parabola_near_zero():
    x = np.array([1e-4, 1e-3, 2.6e-3, 2.7e-3, 1e-2])
    y = 6.0 * math.pi * x / 5.0
    np.testing.assert_allclose(QuadraticSpectral().weights(x), 1.0 - y**2 / 10.0 + y**4 / 280.0, atol=1e-8)


@pytest.mark.parametrize("n", [60, 400])
def test_the_bandwidth_is_that_of_newey_and_west(n):
    """Newey and West (1994), table I and eq. 3.9: 4(n/100)^(2/9) lags, 1.1447((s1/s0)²n)^(1/3)."""
    rng = np.random.default_rng(n)
    series = np.convolve(rng.standard_normal(n + 3), [1.0, 0.6, 0.4, 0.2], "valid")
    series -= series.mean()
    covariances = [
        float(series[: n - lag] @ series[lag:]) / n for lag in range(int(4 * (n / 100) ** (2 / 9)) + 1)
    ]
    s0 = covariances[0] + 2 * sum(covariances[1:])
    s1 = 2 * sum(lag * each for lag, each in enumerate(covariances))
    expected = 1.1447 * ((s1 / s0) ** 2 * n) ** (1 / 3)
    assert NeweyWestBandwidth().width(series[:, None], Bartlett()) == pytest.approx(expected, rel=1e-3)
    assert _plugged_in(Bartlett(), 1.0, 0.0, 100) == 0.0
