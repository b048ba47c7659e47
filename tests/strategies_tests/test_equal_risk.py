"""Equal risk contributions: published weights, closed forms, an independent solver, and what must hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from allocator.errors import InputError
from strategies import equal_risk_contribution

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


def test_five_hundred_assets() -> None:
    loadings = np.random.default_rng(1).normal(size=(500, 700))
    covariance = loadings @ loadings.T
    weights = equal_risk_contribution(covariance)
    np.testing.assert_allclose(500 * shares_of_risk(weights, covariance), 1.0, rtol=1e-11)


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
        ([[1.0, np.nan], [np.nan, 1.0]], "not finite"),
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
