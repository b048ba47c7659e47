"""Equal risk contributions: published weights, closed forms, an independent solver, and what must hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from allocator.errors import InputError
from strategies import equal_risk_contribution
from strategies._covariance_door import _is_clearly_positive_definite

Array = NDArray[np.float64]
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def case(name: str) -> dict[str, Any]:
    if not (CASES / name).exists():
        pytest.skip(f"needs ../shared/cases/{name}, which is not part of the project")
    return json.loads((CASES / name).read_text())


def covariance_of(volatility: Any, correlation: Any) -> Array:
    return np.outer(volatility, volatility) * np.asarray(correlation, dtype=float)


def constant_correlation(n_assets: int, rho: float) -> Array:
    return np.full((n_assets, n_assets), rho) + (1.0 - rho) * np.eye(n_assets)


def shares_of_risk(weights: Array, covariance: Array) -> Array:
    contributions = weights * (covariance @ weights)
    return contributions / contributions.sum()


# Published


@pytest.mark.parametrize(
    "name",
    [
        "A_MRT2010_4asset.json",
        "A_RichardRoncalli2019_Table1_ERC.json",
        "A_RichardRoncalli2019_Table1_RB.json",
        "A_RichardRoncalli2019_Table5_ERC.json",
        "A_RichardRoncalli2019_Table9_ERC8.json",
    ],
)
def test_published_weights(name: str) -> None:
    facts = case(name)
    covariance = covariance_of(facts["vol"], facts["corr"])
    weights = equal_risk_contribution(covariance, facts.get("budgets"))
    np.testing.assert_allclose(weights, facts["recomputed_weights"], rtol=1e-7)
    published = facts.get("published_weights_pct") or facts["published_weights_pct_from_memory"]
    np.testing.assert_allclose(100 * weights, published, atol=0.06 if "MRT" in name else 0.011)
    volatility = facts.get("recomputed_vol")
    assert np.sqrt(weights @ covariance @ weights) == pytest.approx(volatility, rel=1e-7)


def test_four_assets_of_richard_and_roncalli() -> None:
    """Richard and Roncalli (2019), Constrained Risk Budgeting Portfolios, Table 1."""
    correlation = constant_correlation(4, 0.5)
    correlation[2, 3] = correlation[3, 2] = 0.75
    covariance = covariance_of([0.10, 0.15, 0.20, 0.30], correlation)
    equal = equal_risk_contribution(covariance)
    np.testing.assert_allclose(100 * equal, [41.01, 27.34, 18.99, 12.66], atol=0.005)
    budgeted = equal_risk_contribution(covariance, (0.3, 0.3, 0.195, 0.205))
    np.testing.assert_allclose(100 * budgeted, [45.05, 30.04, 14.67, 10.24], atol=0.005)


# Closed forms


@pytest.mark.parametrize("rho", [-0.999, -0.5, 0.0, 0.22, 0.9, 0.999999])
def test_two_assets_are_held_by_inverse_volatility(rho: float) -> None:
    """Maillard, Roncalli and Teiletche (2010): the correlation does not matter."""
    weights = equal_risk_contribution(covariance_of([0.156, 0.057], constant_correlation(2, rho)))
    np.testing.assert_allclose(weights, [0.057 / 0.213, 0.156 / 0.213], rtol=1e-12)


@pytest.mark.parametrize("rho", [-0.2, 0.0, 0.3, 0.9])
def test_equal_correlations_are_held_by_inverse_volatility(rho: float) -> None:
    volatility = np.array([0.1, 0.2, 0.3, 0.4])
    weights = equal_risk_contribution(covariance_of(volatility, constant_correlation(4, rho)))
    np.testing.assert_allclose(weights, [0.48, 0.24, 0.16, 0.12], rtol=1e-12)


def test_equal_volatilities_and_correlations_are_held_equally() -> None:
    for n_assets in (1, 2, 7, 40):
        weights = equal_risk_contribution(0.04 * constant_correlation(n_assets, 0.3))
        np.testing.assert_allclose(weights, np.full(n_assets, 1 / n_assets), rtol=1e-12)


def test_uncorrelated_assets_with_budgets() -> None:
    """The weights are √b / σ, normalised."""
    volatility, budget = np.array([0.1, 0.2, 0.5]), np.array([0.5, 0.3, 0.2])
    expected = np.sqrt(budget) / volatility
    weights = equal_risk_contribution(np.diag(volatility**2), budget)
    np.testing.assert_allclose(weights, expected / expected.sum(), rtol=1e-12)


# What must hold


@st.composite
def covariances(draw: st.DrawFn, most: int = 60) -> Array:
    """Random covariances, some badly scaled (volatilities from 1e-6 to 1e3), some nearly singular."""
    n_assets = draw(st.integers(2, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_factors = draw(st.sampled_from((2 * n_assets, n_assets + 1, 1)))
    loadings = rng.normal(size=(n_assets, n_factors))
    specific = draw(st.sampled_from((1.0, 1e-2, 1e-6))) if n_factors == 1 else 0.0
    raw = np.abs(loadings) @ np.abs(loadings).T if n_factors == 1 else loadings @ loadings.T
    raw = raw + specific * np.eye(n_assets)
    scale = 10.0 ** rng.uniform(*draw(st.sampled_from(((-1.5, -0.5), (-6.0, 3.0)))), n_assets)
    scale = scale / np.sqrt(np.diag(raw))
    covariance = raw * np.outer(scale, scale)
    return (covariance + covariance.T) / 2


@settings(max_examples=150, deadline=None)
@given(covariances())
def test_every_asset_carries_the_same_risk(covariance: Array) -> None:
    weights = equal_risk_contribution(covariance)
    assert (weights > 0.0).all()
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(shares_of_risk(weights, covariance) * len(weights), 1.0, rtol=1e-12)


@settings(max_examples=150, deadline=None)
@given(covariances(), st.integers(0, 2**32 - 1))
def test_every_budget_is_met(covariance: Array, seed: int) -> None:
    """To 1e-12, or where small budgets make exposures cancel to what rounding allows, 1e-9."""
    budget = np.random.default_rng(seed).dirichlet(np.full(len(covariance), 2.0)) + 1e-3
    weights = equal_risk_contribution(covariance, budget)
    shares = shares_of_risk(weights, covariance)
    np.testing.assert_allclose(shares, budget / budget.sum(), rtol=2e-9)
    doubled = equal_risk_contribution(covariance, 2.0 * budget)
    np.testing.assert_allclose(weights, doubled, rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(covariances(12), st.randoms())
def test_the_order_of_the_assets_does_not_matter(covariance: Array, random: Any) -> None:
    order = list(range(len(covariance)))
    random.shuffle(order)
    weights = equal_risk_contribution(covariance)
    np.testing.assert_allclose(
        equal_risk_contribution(covariance[np.ix_(order, order)]), weights[order], rtol=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(covariances(12), st.sampled_from((1e-8, 1e-4, 252.0, 1e6)))
def test_the_unit_of_the_covariance_does_not_matter(covariance: Array, unit: float) -> None:
    np.testing.assert_allclose(
        equal_risk_contribution(unit * covariance), equal_risk_contribution(covariance), rtol=1e-9
    )


@pytest.mark.parametrize("seed", range(12))
def test_an_independent_solver_agrees(seed: int) -> None:
    n_assets = 2 + seed % 7
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_assets, 2 * n_assets))
    covariance = loadings @ loadings.T / n_assets
    budget = rng.dirichlet(np.full(n_assets, 3.0)) + 0.02
    exposure = cp.Variable(n_assets)
    risk = cp.quad_form(exposure, cp.psd_wrap(covariance)) / 2
    tight = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    cp.Problem(cp.Minimize(risk - budget @ cp.log(exposure))).solve(solver=cp.CLARABEL, **tight)
    expected = exposure.value / exposure.value.sum()
    np.testing.assert_allclose(equal_risk_contribution(covariance, budget), expected, atol=1e-5)


def factor_covariance(n_assets: int, seed: int, mixed: float = 0.3) -> Array:
    """A market factor, four smaller ones of either sign, and volatilities from 5 % to 50 %."""
    rng = np.random.default_rng(seed)
    loadings = np.column_stack([rng.uniform(0.5, 1.5, n_assets), mixed * rng.normal(size=(n_assets, 4))])
    raw = loadings @ loadings.T + np.diag(rng.uniform(0.5, 2.0, n_assets))
    scale = rng.uniform(0.05, 0.5, n_assets) / np.sqrt(np.diag(raw))
    return raw * np.outer(scale, scale)


def risk_error(weights: Array, covariance: Array, budget: Array | None = None) -> float:
    """Largest relative error of a risk contribution, in extended precision."""
    wide = weights.astype(np.longdouble)
    contributions = wide * (covariance.astype(np.longdouble) * wide).sum(axis=1)
    wanted = np.full(len(wide), 1.0) if budget is None else budget
    return float(np.abs(contributions / contributions.sum() * (wanted.sum() / wanted) - 1.0).max())


@pytest.mark.parametrize("n_assets", [2, 3, 10, 39, 40, 41, 42, 100, 255, 256, 257, 500, 1000])
def test_exact_from_two_to_a_thousand_assets(n_assets: int) -> None:
    covariance = factor_covariance(n_assets, n_assets)
    assert risk_error(equal_risk_contribution(covariance), covariance) < 1e-12
    budget = np.random.default_rng(n_assets).dirichlet(np.full(n_assets, 2.0)) + 0.01 / n_assets
    assert risk_error(equal_risk_contribution(covariance, budget), covariance, budget) < 1e-12


@pytest.mark.parametrize("market", [0.0, 1.0])
def test_fewer_rows_than_assets(market: float) -> None:
    """300 rows of 500 assets: the sample covariance is singular, and the weights exist."""
    rng = np.random.default_rng(3)
    returns = 0.01 * (rng.normal(size=(300, 500)) + market * rng.normal(size=(300, 1)))
    covariance = np.cov(returns, rowvar=False)
    assert np.linalg.eigvalsh(covariance)[0] < 1e-16
    tolerance = 1e-12 if market else 1e-9  # without a common factor exposures nearly cancel
    assert risk_error(equal_risk_contribution(covariance), covariance) < tolerance


@pytest.mark.parametrize("n_assets", [3, 10, 100, 500])
@pytest.mark.parametrize("gap", [0.5, 1e-2, 1e-4])
def test_strongly_negative_correlations(n_assets: int, gap: float) -> None:
    """Correlations just above the lowest that all can share, -1 / (n - 1); budgets that are not equal."""
    covariance = covariance_of(
        np.linspace(0.05, 0.5, n_assets), constant_correlation(n_assets, (gap - 1.0) / (n_assets - 1))
    )
    budget = np.linspace(1.0, 2.0, n_assets)
    assert risk_error(equal_risk_contribution(covariance, budget), covariance, budget) < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_factors_of_either_sign(seed: int) -> None:
    """Some assets start with a negative contribution: the damped steps have to do it."""
    for n_assets in (8, 30, 120):
        covariance = factor_covariance(n_assets, seed, mixed=3.0)
        assert risk_error(equal_risk_contribution(covariance), covariance) < 1e-11


@pytest.mark.parametrize("n_assets", [17, 20, 25, 28, 60])
def test_a_full_step_would_leave_the_positive_weights(n_assets: int) -> None:
    """Factors of either sign and budgets from 0.001 to 1: other signs solve the same equations."""
    for seed in range(8):
        covariance = factor_covariance(n_assets, seed, mixed=5.0)
        budget = np.random.default_rng(seed).uniform(0.001, 1.0, n_assets)
        weights = equal_risk_contribution(covariance, budget)
        assert (weights > 0.0).all()
        assert risk_error(weights, covariance, budget) < 1e-10


def test_an_asset_that_hedges_all_others() -> None:
    """Correlations of -0.9 with a block of 0.95: its first contribution is negative."""
    correlation = constant_correlation(6, 0.95)
    correlation[0, 1:] = correlation[1:, 0] = -0.9
    covariance = covariance_of([0.1, 0.2, 0.2, 0.2, 0.3, 0.3], correlation)
    assert risk_error(equal_risk_contribution(covariance), covariance) < 1e-12


@settings(max_examples=60, deadline=None)
@given(covariances(45), st.integers(0, 2**32 - 1))
def test_a_weight_falls_as_its_asset_is_scaled_up(covariance: Array, seed: int) -> None:
    scale = 10.0 ** np.random.default_rng(seed).uniform(-3.0, 3.0, len(covariance))
    expected = equal_risk_contribution(covariance) / scale
    scaled = equal_risk_contribution(covariance * np.outer(scale, scale))
    np.testing.assert_allclose(scaled, expected / expected.sum(), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_any_order_of_the_assets_to_twelve_digits(n_assets: int, seed: int) -> None:
    covariance, order = factor_covariance(n_assets, seed), np.random.default_rng(seed).permutation(n_assets)
    weights = equal_risk_contribution(covariance)
    shuffled = equal_risk_contribution(covariance[np.ix_(order, order)])
    np.testing.assert_allclose(shuffled, weights[order], rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 45), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_an_asset_that_is_there_twice_shares_its_budget(n_assets: int, seed: int, part: float) -> None:
    """Both have the same marginal risk, so that one budget in two parts buys what it bought whole."""
    covariance, position = factor_covariance(n_assets, seed), seed % n_assets
    budget = np.random.default_rng(seed).uniform(0.5, 1.5, n_assets)
    twice = np.append(np.arange(n_assets), position)
    parts = budget[twice]
    parts[position], parts[-1] = part * budget[position], (1.0 - part) * budget[position]
    weights = equal_risk_contribution(covariance[np.ix_(twice, twice)], parts)
    whole = equal_risk_contribution(covariance, budget)
    np.testing.assert_allclose(weights[position] + weights[-1], whole[position], rtol=1e-11)
    np.testing.assert_allclose(weights[position] / weights[-1], part / (1.0 - part), rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 45), st.integers(0, 2**32 - 1), st.sampled_from((1e-3, 1e-6, 1e-9)))
def test_a_small_change_of_the_covariance_is_a_small_change_of_the_weights(
    n_assets: int, seed: int, size: float
) -> None:
    covariance = factor_covariance(n_assets, seed)
    noise = np.random.default_rng(seed).normal(size=(n_assets, 3 * n_assets))
    change = noise @ noise.T / (3 * n_assets) * np.outer(*2 * [np.sqrt(np.diag(covariance))])
    weights, moved = equal_risk_contribution(covariance), equal_risk_contribution(covariance + size * change)
    assert np.abs(moved / weights - 1.0).max() < 5.0 * size
    if n_assets > 2:
        assert np.abs(moved / weights - 1.0).max() > 1e-5 * size


# Stacks and tables


def mixed_stack(n_assets: int) -> Array:
    """Matrices that need two steps, many steps and damped ones, in one stack."""
    easy = [factor_covariance(n_assets, seed) for seed in range(5)]
    hard = [factor_covariance(n_assets, seed, mixed=4.0) for seed in range(5)]
    exact = [0.04 * constant_correlation(n_assets, 0.3), np.diag(np.linspace(0.01, 0.09, n_assets))]
    return np.array([m for pair in zip(easy, hard, strict=True) for m in pair] + exact)


@pytest.mark.parametrize("n_assets", [1, 2, 3, 10, 15, 40, 41, 60])
def test_a_matrix_has_the_same_weights_in_any_stack(n_assets: int) -> None:
    stack = mixed_stack(n_assets)
    budgets = np.random.default_rng(n_assets).uniform(0.5, 1.5, (len(stack), n_assets))
    for budget in (None, budgets[0], budgets):
        weights = equal_risk_contribution(stack, budget)
        assert weights.shape == (len(stack), n_assets)
        each = budget if budget is budgets else [budget] * len(stack)
        one_by_one = [equal_risk_contribution(c, b) for c, b in zip(stack, each, strict=True)]
        assert np.array_equal(weights, one_by_one)
        assert np.array_equal(
            weights[7:9], equal_risk_contribution(stack[7:9], each[7:9] if budget is budgets else budget)
        )


def test_a_stack_that_is_worked_on_in_parts() -> None:
    stack = np.array([factor_covariance(20, seed) for seed in range(200)])
    weights = equal_risk_contribution(stack)
    assert np.array_equal(
        weights[[0, 163, 164, 199]], [equal_risk_contribution(stack[k]) for k in (0, 163, 164, 199)]
    )


def test_memory_order_does_not_matter() -> None:
    covariance = factor_covariance(15, 0)
    assert np.array_equal(
        equal_risk_contribution(covariance), equal_risk_contribution(np.asfortranarray(covariance))
    )
    strided = np.zeros((30, 30))
    strided[::2, ::2] = covariance
    assert np.array_equal(equal_risk_contribution(covariance), equal_risk_contribution(strided[::2, ::2]))


def test_a_table_gives_weights_by_asset() -> None:
    names = ["stocks", "bonds", "gold"]
    covariance = pd.DataFrame(covariance_of([0.2, 0.1, 0.2], np.eye(3)), index=names, columns=names)
    weights = equal_risk_contribution(covariance)
    pd.testing.assert_series_equal(weights, pd.Series([0.25, 0.5, 0.25], index=names, name="weight"))
    budget = pd.Series([1.0, 4.0, 9.0], index=names)
    expected = np.array([1.0 / 0.2, 2.0 / 0.1, 3.0 / 0.2])
    np.testing.assert_allclose(equal_risk_contribution(covariance, budget), expected / expected.sum())


def test_the_inputs_are_left_as_they_were() -> None:
    covariance, budget = covariance_of([0.1, 0.2], constant_correlation(2, 0.3)), np.array([1.0, 3.0])
    copies = covariance.copy(), budget.copy()
    equal_risk_contribution(covariance, budget)
    assert np.array_equal(covariance, copies[0])
    assert np.array_equal(budget, copies[1])


# Refusals


@pytest.mark.parametrize(
    ("covariance", "words"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\) is not square"),
        (np.ones(3), r"shape \(3,\)"),
        (np.empty((0, 0)), r"shape \(0, 0\)"),
        (np.ones((2, 2, 3)), r"shape \(2, 2, 3\) is not square"),
        (np.ones((0, 2, 2)), r"shape \(0, 2, 2\)"),
        ([[np.nan]], "not finite"),
        ([[0.0]], "asset 0 has variance 0"),
        ([[-1.0]], "asset 0 has variance -1"),
        ([[1.0, np.nan], [np.nan, 1.0]], "not finite"),
        ([[1.0, np.inf], [np.inf, 1.0]], "not finite"),
        ([[np.inf, 0.1], [0.1, 1.0]], "asset 0 has values that are not finite"),
        ([[1.0, np.nan], [0.5, 1.0]], "asset 0 has values that are not finite"),
        ([[1.0, 0.0], [0.0, 0.0]], r"asset 1 has variance 0; leave it out"),
        ([[1.0, 0.0], [0.0, -4.0]], r"asset 1 has variance -4"),
        ([[1.0, 0.5], [0.2, 1.0]], "not symmetric"),
        ([[1.0, 1.5], [1.5, 1.0]], "correlation beyond 1"),
        (
            [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]],
            "has a negative variance: smallest eigenvalue",
        ),
        ([[1.0, -1.0], [-1.0, 1.0]], "no equal-risk weights found.*smallest eigenvalue.*shrink"),
    ],
)
def test_F081_F082_what_is_no_covariance(covariance: Any, words: str) -> None:
    with pytest.raises(InputError, match=rf"covariance: .*{words}"):
        equal_risk_contribution(np.asarray(covariance))
    if np.shape(covariance) == (2, 2):
        stack = np.stack([np.eye(2), np.eye(2), covariance, covariance])
        with pytest.raises(InputError, match=rf"covariance\[2\]: .*{words}"):
            equal_risk_contribution(stack)


def test_F082_an_asset_is_called_by_its_name() -> None:
    names = ["a", "b"]
    table = pd.DataFrame([[1.0, 0.0], [0.0, 0.0]], index=names, columns=names)
    with pytest.raises(InputError, match=r"covariance\['b'\]: has variance 0; leave it out"):
        equal_risk_contribution(table)
    table = pd.DataFrame(np.eye(2), index=names, columns=names)
    with pytest.raises(InputError, match=r"budget\['b'\]: is -1"):
        equal_risk_contribution(table, [1.0, -1.0])


def test_tables_whose_names_do_not_agree() -> None:
    table = pd.DataFrame(np.eye(2), index=["a", "b"], columns=["b", "a"])
    with pytest.raises(InputError, match=r"covariance: row 0 is 'a' and column 0 is 'b'.*same order"):
        equal_risk_contribution(table)
    table = pd.DataFrame(np.eye(2), index=["a", "a"], columns=["a", "a"])
    with pytest.raises(InputError, match=r"covariance\['a'\]: is there twice"):
        equal_risk_contribution(table)
    table = pd.DataFrame(np.eye(2), index=["a", "b"], columns=["a", "b"])
    with pytest.raises(InputError, match=r"budget: its names \['b', 'a'\] are not those of the covariance"):
        equal_risk_contribution(table, pd.Series([0.5, 0.5], index=["b", "a"]))
    with pytest.raises(InputError, match=r"budget: its names .* pass an array"):
        equal_risk_contribution(np.eye(2), pd.Series([0.5, 0.5], index=["b", "a"]))


@pytest.mark.parametrize("words", ["text", [["a", "b"], ["b", "a"]], {"a": 1.0}])
def test_what_is_no_table_of_numbers(words: Any) -> None:
    with pytest.raises(InputError, match=r"covariance: .* is no table of numbers"):
        equal_risk_contribution(words)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from((12, 130, 300)),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from((np.nan, np.inf, -np.inf, 1e-6, 2.0)),
)
def test_one_wrong_number_anywhere_is_refused(n_assets: int, row: int, column: int, wrong: float) -> None:
    """Whatever the block of the comparison it is in, also in the triangle that the factor never reads."""
    covariance, i, j = np.eye(n_assets), row % n_assets, column % n_assets
    if i == j and wrong > 0.0 and np.isfinite(wrong):
        wrong = -wrong
    covariance[i, j] = wrong
    with pytest.raises(InputError, match=r"not finite|has variance -|is not symmetric"):
        equal_risk_contribution(covariance)


def with_smallest_eigenvalue(n_assets: int, smallest: float) -> Array:
    """Equal correlations of 0.3; a portfolio, half of the assets long and half short, has this variance."""
    direction = np.resize([1.0, -1.0], n_assets) / np.sqrt(n_assets)  # n_assets is even: it sums to 0
    return constant_correlation(n_assets, 0.3) - (0.7 - smallest) * np.outer(direction, direction)


@pytest.mark.parametrize("n_assets", [4, 40, 100, 258])
@pytest.mark.parametrize("smallest", [-1e-2, -1e-5, -1e-8])
def test_F081_an_indefinite_matrix_is_refused_at_any_size(n_assets: int, smallest: float) -> None:
    matrix = with_smallest_eigenvalue(n_assets, smallest)
    with pytest.raises(InputError, match=r"has a negative variance: smallest eigenvalue.*or shrink it"):
        equal_risk_contribution(matrix)
    stack = np.stack([np.eye(n_assets), matrix, matrix])
    with pytest.raises(InputError, match=r"covariance\[1\]: has a negative variance"):
        equal_risk_contribution(stack)


@pytest.mark.parametrize("n_assets", [4, 100, 258])
@pytest.mark.parametrize("smallest", [0.0, -1e-13, 1e-13])
def test_rounding_of_a_singular_matrix_is_not_refused(n_assets: int, smallest: float) -> None:
    matrix = with_smallest_eigenvalue(n_assets, smallest)
    assert risk_error(equal_risk_contribution(matrix), matrix) < 1e-12


@settings(max_examples=15, deadline=None)
@given(st.sampled_from((256, 300)), st.integers(0, 1000), st.floats(-14.0, -1.0))
def test_single_precision_never_vouches_for_an_indefinite_matrix(n: int, seed: int, digits: float) -> None:
    scale = 10.0 ** np.random.default_rng(seed).uniform(-6.0, 2.0, n)
    matrix = with_smallest_eigenvalue(n, -(10.0**digits))
    assert not _is_clearly_positive_definite(matrix * np.outer(scale, scale))


def test_single_precision_vouches_for_what_is_far_from_singular() -> None:
    """Or it would be of no use; and not where its numbers would vanish."""
    covariance = factor_covariance(300, 1)
    assert _is_clearly_positive_definite(covariance)
    assert not _is_clearly_positive_definite(covariance * 1e-30)
    np.testing.assert_allclose(
        equal_risk_contribution(covariance * 1e-30), equal_risk_contribution(covariance), rtol=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_any_symmetric_matrix_gives_positive_weights_or_a_refusal(n_assets: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1.0, 1.0, (n_assets, n_assets)) * rng.choice([0.1, 1.0])
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    try:
        weights = equal_risk_contribution(matrix)
    except InputError:
        return
    assert (weights > 0.0).all()
    np.testing.assert_allclose(shares_of_risk(weights, matrix) * n_assets, 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ((0.5, 0.3, 0.2), "3 shares for 2 assets"),
        ((1.0, 0.0), r"share 1 is 0; each share of the risk is positive"),
        ((-0.5, 1.5), "share 0 is -0.5"),
        ((float("nan"), 1.0), "share 0 is nan"),
    ],
)
def test_F084_budgets_that_are_none(budget: tuple[float, ...], words: str) -> None:
    with pytest.raises(InputError, match=f"budget: {words}"):
        equal_risk_contribution(np.eye(2), budget)
    with pytest.raises(InputError, match=f"budget: {words}"):
        equal_risk_contribution(np.stack([np.eye(2), np.eye(2)]), budget)


def test_F084_budgets_of_a_stack() -> None:
    stack = np.stack([np.eye(2), np.eye(2), np.eye(2)])
    with pytest.raises(InputError, match=r"budget\[2\]: share 0 is 0"):
        equal_risk_contribution(stack, np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]))
    with pytest.raises(InputError, match=r"budget: \(2, 2\) shares for 2 assets"):
        equal_risk_contribution(stack, np.ones((2, 2)))
    with pytest.raises(InputError, match=r"budget: \(1, 2\) shares for 2 assets"):
        equal_risk_contribution(np.eye(2), np.ones((1, 2)))


def test_the_first_matrix_without_weights_is_named() -> None:
    stack = np.stack([np.eye(3), constant_correlation(3, -0.5), constant_correlation(3, -0.5)])
    with pytest.raises(InputError, match=r"covariance\[1\]: no equal-risk weights found"):
        equal_risk_contribution(stack)


@pytest.mark.parametrize("n_assets", [50, 300])
def test_F081_many_assets_that_cancel(n_assets: int) -> None:
    """The second half is the first one sold short: any portfolio of both halves alike has no risk."""
    half = factor_covariance(n_assets // 2, 0)
    with pytest.raises(InputError, match=r"no equal-risk weights found.*smallest eigenvalue.*shrink"):
        equal_risk_contribution(np.block([[half, -half], [-half, half]]))


def largest_error(covariance: Array, budget: Array) -> float:
    """Return the largest relative error of a share of the risk, worked out in extended precision."""
    weights = equal_risk_contribution(covariance, budget).astype(np.longdouble)
    share = weights * (covariance.astype(np.longdouble) @ weights)
    return float(np.abs(share / share.sum() / (budget / budget.sum()) - 1.0).max())


@pytest.mark.parametrize("n_assets", [5, 50, 120])
def test_budgets_that_differ_by_millions_are_met_as_far_as_rounding_allows(n_assets: int) -> None:
    rng = np.random.default_rng(n_assets)
    for _ in range(6):
        returns = rng.normal(size=(10 * n_assets, n_assets))
        budget = np.exp(rng.normal(0.0, 3.0, n_assets))
        assert largest_error(np.cov(returns, rowvar=False), budget) < 1e-9


def test_a_small_budget_beside_a_large_exposure() -> None:
    covariance = constant_correlation(3, -0.2)
    assert largest_error(covariance, np.array([1.0, 1.0, 1e-6])) < 1e-9
    assert largest_error(covariance, np.array([1.0, 1.0, 1e-9])) < 1e-6
    with pytest.raises(InputError, match=r"budget: share 2 is 5\.0e-13 of the risk, which rounding hides"):
        equal_risk_contribution(covariance, [1.0, 1.0, 1e-12])


def test_a_variance_that_is_rounding_is_refused() -> None:
    """Pandas leaves 1.8e-40 of a constant: the asset would get all of the portfolio."""
    with pytest.raises(InputError, match=r"asset 1 has variance 1\.8e-40, which is rounding beside 0\.0001"):
        equal_risk_contribution(np.diag([1e-4, 1.8e-40, 1e-4]))
    with pytest.raises(InputError, match=r"covariance: is empty: shape \(0, 3, 3\)"):
        equal_risk_contribution(np.zeros((0, 3, 3)))
