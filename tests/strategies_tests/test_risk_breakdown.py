"""Risk contributions: a published table, what must hold, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from allocator.errors import InputError
from strategies import equal_risk_contribution, risk_contributions

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
NAMES = ["a", "b", "c", "d", "e"]
Array = NDArray[np.float64]


def table_of(matrix: Any, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=names, columns=names)


def test_table_4_of_richard_and_roncalli() -> None:
    """Richard and Roncalli (2019), Constrained Risk Budgeting Portfolios, Table 4: all its columns."""
    file = CASES / "A_RichardRoncalli2019_Table4_breakdown.json"
    if not file.exists():
        pytest.skip(f"needs ../shared/cases/{file.name}, which is not part of the project")
    facts = json.loads(file.read_text())
    covariance = np.outer(facts["vol"], facts["vol"]) * np.array(facts["corr"])
    found = risk_contributions(dict(zip(NAMES, facts["weights"], strict=True)), table_of(covariance, NAMES))
    table = 100.0 * found.table
    assert list(table.index) == NAMES
    np.testing.assert_allclose(table["weight"], 100.0 * np.array(facts["weights"]))
    np.testing.assert_allclose(table["marginal_risk"], facts["published_mr_pct"], atol=0.006)
    np.testing.assert_allclose(table["contribution"], facts["published_rc_pct"], atol=0.006)
    np.testing.assert_allclose(table["share"], facts["published_rrc_pct"], atol=0.006)
    np.testing.assert_allclose(found.table["marginal_risk"], facts["recomputed_mr"], rtol=1e-12)
    assert found.volatility == pytest.approx(facts["recomputed_vol"], rel=1e-12)


def drawn(n_assets: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    loadings = 0.1 * rng.normal(size=(n_assets, 2 * n_assets))
    return rng.normal(size=n_assets), loadings @ loadings.T


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_contributions_add_up(n_assets: int, seed: int) -> None:
    weights, covariance = drawn(n_assets, seed)
    found = risk_contributions(weights, covariance)
    assert found.volatility == pytest.approx(np.sqrt(weights @ covariance @ weights), rel=1e-12)
    assert found.table["contribution"].sum() == pytest.approx(found.volatility, rel=1e-11)
    assert found.table["share"].sum() == pytest.approx(1.0, rel=1e-11)
    np.testing.assert_allclose(found.table["contribution"], weights * found.table["marginal_risk"])


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_marginal_risk_is_the_derivative_of_the_volatility(n_assets: int, seed: int) -> None:
    weights, covariance = drawn(n_assets, seed)
    step = 1e-6 * np.eye(n_assets)
    above, below = (
        [risk_contributions(weights + s * e, covariance).volatility for e in step] for s in (1, -1)
    )
    slope = (np.array(above) - np.array(below)) / 2e-6
    np.testing.assert_allclose(
        risk_contributions(weights, covariance).table["marginal_risk"], slope, atol=1e-6
    )


def test_equal_risk_is_shared_equally() -> None:
    _, covariance = drawn(5, 1)
    table = table_of(covariance, NAMES)
    found = risk_contributions(equal_risk_contribution(table), table)
    np.testing.assert_allclose(found.table["share"], 0.2, rtol=1e-12)


def test_names_and_not_places_count() -> None:
    weights, covariance = drawn(5, 2)
    table, series = table_of(covariance, NAMES), pd.Series(weights, NAMES)
    expected = risk_contributions(series, table).table
    pd.testing.assert_frame_equal(risk_contributions(series[::-1], table).table, expected)
    pd.testing.assert_frame_equal(risk_contributions(dict(series), table).table, expected)
    pd.testing.assert_frame_equal(risk_contributions(weights, table).table, expected)
    np.testing.assert_array_equal(risk_contributions(weights, covariance).table, expected)


def test_cash_has_no_risk() -> None:
    covariance = table_of([[0.04, 0.0], [0.0, 0.0]], ["stocks", "cash"])
    found = risk_contributions({"stocks": 0.5, "cash": 0.5}, covariance)
    assert found.volatility == pytest.approx(0.1)
    np.testing.assert_allclose(found.table.loc["cash"], [0.5, 0.0, 0.0, 0.0])


def test_it_prints_the_total() -> None:
    found = risk_contributions({"x": 0.5, "<y>": 0.25}, table_of([[0.04, 0.0], [0.0, 0.16]], ["x", "<y>"]))
    lines = repr(found).splitlines()
    assert lines[0] == "Risk contributions: 2 assets, volatility 14.1421%"
    assert lines[1].split("  ")[-1] == "share of risk"
    assert lines[2].split() == ["x", "50.00%", "14.1421%", "7.0711%", "50.00%"]
    assert lines[4].split() == ["total", "75.00%", "14.1421%", "100.00%"]
    assert "of one period" in lines[-1]
    assert "&lt;y&gt;" in found._repr_html_()


EYE = table_of(np.eye(2), ["a", "b"])


@pytest.mark.parametrize(
    ("weights", "covariance", "words"),
    [
        ({"a": 1.0}, EYE, r"weights\['b'\]: is missing; give it weight 0"),
        ({"a": 1.0, "b": 0.0, "cash": 0.0}, EYE, r"weights\['cash'\]: is not in .*; leave cash out"),
        ({"a": 1.0, "b": 0.0, "c": 0.0}, EYE, r"weights\['c'\]: is not in the covariance"),
        (pd.Series([1.0, 2.0, 3.0], ["a", "b", "b"]), EYE, r"weights\['b'\]: is there twice"),
        ({"a": 1.0, "b": 0.0}, np.eye(2), "weights: have names and the covariance has none"),
        ([1.0], np.eye(2), r"weights: shape \(1,\) for 2 assets"),
        ([1.0, np.nan], EYE, r"weights\['b'\]: nan is not finite"),
        ([1.0, np.inf], np.eye(2), r"weights\[1\]: inf is not finite"),
        (["x", "y"], np.eye(2), "weights: .* is no row of numbers"),
        ([0.0, 0.0], np.eye(2), "weights: have a variance of 0, .*; hold something that varies"),
        ([1.0, -1.0], np.ones((2, 2)), "variance of 0, .*; use a covariance that is positive definite"),
        ([1.0, 1.0], np.ones((1, 2, 2)), "covariance: .*pass one matrix"),
        ([1.0, 1.0], np.array([[1.0, 0.1], [0.0, 1.0]]), "covariance: is not symmetric"),
        ([1.0, 1.0], np.array([[1.0, 0.1], [0.1, -1.0]]), "covariance: asset 1 has variance -1"),
        ([1.0, 1.0], np.array([[1.0, np.nan], [0.1, 1.0]]), "covariance: asset 0 has .* not finite"),
    ],
)
def test_refusals(weights: Any, covariance: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        risk_contributions(weights, covariance)
