"""Covariances of one window, against pandas, scikit-learn and the published formulas written as loops.

Invariants: exactly symmetric, positive semidefinite, scale equivariant, and the order of assets is no matter.
"""

import numpy as np
import pandas as pd
import pytest
from covariance_oracles import (
    dated,
    factor_returns,
    grouped_returns,
    ledoit_wolf_by_loops,
    panels,
    relative_error,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator import (
    InputError,
    InsufficientHistoryError,
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
    sample_covariance,
)

moderate = settings(max_examples=40)
half_lives = st.floats(1.0, 500.0)


def two_half_lives(returns):
    return exponential_covariance(returns, 5.0, 20.0)


def shrunk(returns):
    return ledoit_wolf_covariance(returns).covariance


def shrunk_to_identity(returns):
    return ledoit_wolf_identity_covariance(returns).covariance


MATRICES = [
    sample_covariance,
    lambda r: exponential_covariance(r, 7.0),
    two_half_lives,
    shrunk,
    shrunk_to_identity,
]
NAMES = ["sample", "exponential", "two half-lives", "constant correlation", "identity"]
every_matrix = pytest.mark.parametrize("matrix_of", MATRICES, ids=NAMES)


# What holds of all.


@every_matrix
@moderate
@given(returns=panels())
def test_symmetric_to_the_bit_and_positive_semidefinite(matrix_of, returns):
    matrix = matrix_of(returns)
    assert (matrix == matrix.T).all()
    scale = np.sqrt(matrix.diagonal())
    assert np.linalg.eigvalsh(matrix / np.outer(scale, scale))[0] > -1e-13


@every_matrix
@moderate
@given(returns=panels(), factor=st.floats(1e-3, 1.0))
def test_returns_times_a_number_are_covariances_times_its_square(matrix_of, returns, factor):
    assert relative_error(matrix_of(returns * factor), factor**2 * matrix_of(returns)) < 1e-10


@pytest.mark.parametrize("matrix_of", MATRICES[:3], ids=NAMES[:3])
@moderate
@given(returns=panels(assets=(3, 3)), factors=st.tuples(*[st.floats(1e-3, 1.0)] * 3))
def test_each_asset_may_have_a_scale_of_its_own(matrix_of, returns, factors):
    expected = np.outer(factors, factors) * matrix_of(returns)
    assert relative_error(matrix_of(returns * np.array(factors)), expected) < 1e-11


@every_matrix
@moderate
@given(returns=panels(assets=(4, 4)), order=st.permutations(range(4)))
def test_the_order_of_assets_is_no_matter(matrix_of, returns, order):
    expected = matrix_of(returns)[np.ix_(order, order)]
    assert relative_error(matrix_of(returns[:, order]), expected) < 1e-10


@every_matrix
def test_tables_keep_their_names_and_arrays_stay_arrays(matrix_of):
    table = dated(factor_returns(50, 3))
    before = table.copy()
    matrix = matrix_of(table)
    assert list(matrix.index) == list(matrix.columns) == ["A0", "A1", "A2"]
    np.testing.assert_array_equal(matrix, matrix_of(table.to_numpy()))
    pd.testing.assert_frame_equal(table, before)


@every_matrix
def test_one_series_and_one_period_are_refused(matrix_of):
    with pytest.raises(InputError, match="returns: one series has no covariance matrix; pass a table"):
        matrix_of(factor_returns(50, 1)[:, 0])
    with pytest.raises(InsufficientHistoryError, match="1 period, at least 2 are needed") as refusal:
        matrix_of(factor_returns(1, 3))
    assert refusal.value.rows_needed == 2


@every_matrix
def test_a_gap_is_refused_with_its_asset_and_date(matrix_of):
    table = dated(factor_returns(50, 3))
    table.iloc[7, 1] = np.nan
    with pytest.raises(InputError, match=r"returns\['A1'\] on 2000-01-12: NaN"):
        matrix_of(table)


# Exponential weights.


@moderate
@given(panels(rows=(2, 300)), half_lives)
def test_with_one_half_life_it_is_that_of_pandas(returns, half_life):
    table = pd.DataFrame(returns)
    expected = table.ewm(halflife=half_life).cov().loc[len(table) - 1].to_numpy()
    assert relative_error(exponential_covariance(returns, half_life), expected) < 1e-12


@moderate
@given(panels(rows=(20, 300)), half_lives, half_lives)
def test_with_two_half_lives_it_has_the_volatilities_of_one_and_the_correlations_of_the_other(
    returns, volatility, correlation
):
    table = pd.DataFrame(returns)
    one, other = (table.ewm(halflife=h).cov().loc[len(table) - 1] for h in (volatility, correlation))
    deviation, others = np.sqrt(np.diag(one)), np.sqrt(np.diag(other))
    expected = other / np.outer(others, others) * np.outer(deviation, deviation)
    matrix = exponential_covariance(returns, volatility, correlation)
    assert relative_error(matrix, expected.to_numpy()) < 1e-11


@moderate
@given(panels())
def test_an_infinite_half_life_is_the_sample(returns):
    assert relative_error(exponential_covariance(returns, np.inf), sample_covariance(returns)) < 1e-13


def test_two_equal_half_lives_are_one():
    returns = factor_returns(100, 4)
    np.testing.assert_array_equal(exponential_covariance(returns, 9, 9), exponential_covariance(returns, 9))


def test_three_returns_by_hand():
    # Weights 1/4, 1/2, 1 of 0.04, 0.00, 0.02: mean 0.03 / 1.75, and 1 - Σw² = 1 - 21/49 = 4/7.
    returns = np.array([[0.04, 0.0], [0.0, 0.01], [0.02, 0.02]])
    mean = 0.03 / 1.75
    variance = (0.25 * (0.04 - mean) ** 2 + 0.5 * mean**2 + (0.02 - mean) ** 2) / 1.75 / (4 / 7)
    assert exponential_covariance(returns, 1.0)[0, 0] == pytest.approx(variance, rel=1e-14)


@pytest.mark.parametrize("bad", [0.94, 0, -5, np.nan, "63", True, 63j])
def test_a_decay_is_no_half_life(bad):
    with pytest.raises(InputError, match=r"volatility_half_life: .* is not a number of periods, 1 or more"):
        exponential_covariance(factor_returns(50, 3), bad)
    with pytest.raises(InputError, match=r"correlation_half_life: .* is not a number of periods, 1 or more"):
        exponential_covariance(factor_returns(50, 3), 5.0, bad)


# Shrinkage.


@settings(max_examples=15)
@given(panels(rows=(3, 30), assets=(3, 4)))
def test_constant_correlation_is_the_published_formula(returns):
    expected, intensity = ledoit_wolf_by_loops(returns)
    found = ledoit_wolf_covariance(returns)
    assert found.intensity == pytest.approx(intensity, rel=1e-9, abs=1e-12)
    assert relative_error(found.covariance, expected) < 1e-10


@pytest.mark.parametrize(("n_periods", "n_assets"), [(60, 2), (250, 5), (30, 40), (756, 12)])
def test_identity_is_that_of_scikit_learn(n_periods, n_assets):
    covariance = pytest.importorskip("sklearn.covariance", reason="scikit-learn is not installed")
    returns = factor_returns(n_periods, n_assets)
    expected = covariance.LedoitWolf().fit(returns)
    found = ledoit_wolf_identity_covariance(returns)
    assert found.intensity == pytest.approx(expected.shrinkage_, rel=1e-12)
    assert relative_error(found.covariance, expected.covariance_) < 1e-12


def test_two_assets_are_not_shrunk_to_their_own_correlation():
    returns = factor_returns(60, 2)
    found = ledoit_wolf_covariance(returns)
    assert found.intensity == 0.0
    assert relative_error(found.covariance, np.cov(returns, rowvar=False, ddof=0)) < 1e-13


def test_variances_are_those_of_the_sample_with_divisor_n():
    returns = grouped_returns(60, 5)
    found = ledoit_wolf_covariance(returns)
    assert 0.0 < found.intensity < 1.0
    np.testing.assert_allclose(found.covariance.diagonal(), returns.var(axis=0), rtol=1e-13)


@pytest.mark.parametrize("shrink", [ledoit_wolf_covariance, ledoit_wolf_identity_covariance])
def test_more_assets_than_periods_give_a_matrix_that_can_be_inverted(shrink):
    returns = factor_returns(30, 40) / np.geomspace(0.002, 0.02, 40)  # of like volatility
    assert np.linalg.matrix_rank(sample_covariance(returns * 0.01)) == 29
    found = shrink(returns * 0.01)
    assert 0.1 < found.intensity <= 1.0
    assert np.linalg.cond(found.covariance) < 1e4


def test_longer_samples_are_shrunk_less():
    returns = grouped_returns(4000, 6)
    for shrink in (ledoit_wolf_covariance, ledoit_wolf_identity_covariance):
        few, many = (shrink(returns[:n]).intensity for n in (60, 4000))
        assert many < few / 5


def test_the_record_says_how_much():
    found = al.ledoit_wolf_covariance(dated(factor_returns(60, 5)))
    target, share = found.target, found.intensity
    assert repr(found) == (
        f"ShrunkCovariance of 5 assets, 60 periods: {share:.1%} {target}, {1 - share:.1%} sample"
    )
    assert target.startswith("constant correlation of 0.")


# An asset that does not vary.

CONSTANT = np.column_stack([factor_returns(50, 2), np.full(50, 0.1)])


@pytest.mark.parametrize("matrix_of", [two_half_lives, shrunk])
def test_a_constant_asset_has_no_correlation(matrix_of):
    problem = r"returns\['A2'\] on 2000-03-10: does not vary by then, so that it has no correlation"
    with pytest.raises(InputError, match=problem):
        matrix_of(dated(CONSTANT))


@pytest.mark.parametrize("matrix_of", [sample_covariance, lambda r: exponential_covariance(r, 7.0)])
def test_a_constant_asset_has_a_covariance_of_zero(matrix_of):
    matrix = matrix_of(CONSTANT)
    assert np.abs(matrix[2]).max() < 1e-18
    assert np.isfinite(matrix).all()


def test_a_constant_asset_is_given_a_share_of_the_average_variance():
    found = ledoit_wolf_identity_covariance(CONSTANT)
    assert found.covariance[2, 2] == pytest.approx(found.intensity * CONSTANT.var(axis=0).mean())


def test_what_varied_long_ago_only_is_constant_under_short_weights():
    returns = np.column_stack([factor_returns(120, 2), np.full(120, 0.1)])
    returns[0, 2] = 0.11
    assert np.isfinite(exponential_covariance(returns, 5.0, 50.0)).all()
    with pytest.raises(InputError, match="row 119: does not vary by then"):
        exponential_covariance(returns, 50.0, 1.0)
    assert exponential_covariance(returns, 1.0, 50.0)[2, 2] < 1e-15


@pytest.mark.parametrize("estimate", [sample_covariance, lambda r: exponential_covariance(r, 20.0)])
@pytest.mark.parametrize("constant", [1e-4, 0.1, 1.0 / 3.0])
def test_a_constant_has_exact_zeros(estimate, constant):
    returns = np.random.default_rng(0).normal(0.0, 0.01, (250, 3))
    returns[:, 1] = constant
    matrix = estimate(returns)
    assert not matrix[1].any()
    assert not matrix[:, 1].any()
    assert matrix[0, 0] > 0.0
    assert matrix[2, 0] != 0.0


@pytest.mark.parametrize("seed", [0, 2, 9])
def test_shrinkage_among_calm_assets_is_the_same_in_any_order_beside_a_wild_one(seed: int) -> None:
    """The errors of variances are in π and in ρ alike: the difference of the sums lost the rest."""
    mixed = np.array([[1.0, 0.6, 0.1], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]]) * [1e-8, 1e-8, 0.1]
    returns = np.random.default_rng(seed).normal(0.0, 1.0, (60, 3)) @ mixed
    one, other = ledoit_wolf_covariance(returns), ledoit_wolf_covariance(returns[:, ::-1])
    assert 0.1 < one.intensity < 0.9
    assert other.intensity == pytest.approx(one.intensity, rel=1e-9)
