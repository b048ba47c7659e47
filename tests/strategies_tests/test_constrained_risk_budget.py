"""Risk budgets under constraints: tables of Richard and Roncalli (2019), the scaling puzzle, properties."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import allocator as al
import strategies
from allocator.engine import run_backtest
from allocator.errors import InputError, SolverError, StrategyError
from strategies import (
    Bounds,
    ConstrainedRiskBudget,
    Group,
    Linear,
    RiskParity,
    constrained_risk_budget,
    equal_risk_contribution,
    risk_budget_within,
    risk_budgeting,
)

Array = NDArray[np.float64]
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
ASSETS = ("stocks", "bonds", "gold")
# Richard and Roncalli (2019), Tables 5 and 8.
FIVE = np.outer([0.15, 0.2, 0.25, 0.3, 0.1], [0.15, 0.2, 0.25, 0.3, 0.1]) * np.array([
    [1.0, 0.1, 0.4, 0.5, 0.5],
    [0.1, 1.0, 0.7, 0.4, 0.4],
    [0.4, 0.7, 1.0, 0.8, 0.05],
    [0.5, 0.4, 0.8, 1.0, 0.1],
    [0.5, 0.4, 0.05, 0.1, 1.0],
])  # fmt: skip
_EIGHT = (0.05, 0.05, 0.07, 0.1, 0.15, 0.15, 0.15, 0.18)
EIGHT = np.outer(_EIGHT, _EIGHT) * np.array([
    [1.0, 0.8, 0.6, -0.2, -0.1, -0.2, -0.2, -0.2],
    [0.8, 1.0, 0.4, -0.2, -0.2, -0.1, -0.2, -0.2],
    [0.6, 0.4, 1.0, 0.5, 0.3, 0.2, 0.2, 0.3],
    [-0.2, -0.2, 0.5, 1.0, 0.6, 0.6, 0.5, 0.6],
    [-0.1, -0.2, 0.3, 0.6, 1.0, 0.9, 0.7, 0.7],
    [-0.2, -0.1, 0.2, 0.6, 0.9, 1.0, 0.6, 0.7],
    [-0.2, -0.2, 0.2, 0.5, 0.7, 0.6, 1.0, 0.7],
    [-0.2, -0.2, 0.3, 0.6, 0.7, 0.7, 0.7, 1.0],
])  # fmt: skip
BOX = Bounds(dict(enumerate((0.2, 0.2, 0.05, 0.05, 0.25))), dict(enumerate((0.3, 0.3, 0.15, 0.15, 0.35))))
EQUITIES, REST = (4, 5, 6, 7), (0, 1, 2, 3)
AT_LEAST = Group(EQUITIES, at_least=0.3)
AT_MOST = Group(REST, at_most=0.7)
RELATIVE = Linear(dict.fromkeys(EQUITIES, 0.7) | dict.fromkeys(REST, -0.3), at_least=0.0)
EURO = Linear({0: -1.0, 1: 1.0, 4: -1.0, 5: 1.0}, at_least=0.05)  # euro bonds and shares over those of the US


def recomputed(name: str) -> dict[str, Any]:
    if not (CASES / name).exists():
        pytest.skip(f"needs ../shared/cases/{name}, which is not part of the project")
    return json.loads((CASES / name).read_text())


def loss(weights: Array, covariance: Array) -> float:
    """What the limits without a number minimise: ln σ(w) - mean ln w."""
    return float(0.5 * np.log(weights @ covariance @ weights) - np.log(weights).mean())


# Published


def test_table_6_bounds() -> None:
    """Table 6: within five points of a portfolio; λ is 11.76 %, and risks are not equal any more."""
    found = constrained_risk_budget(FIVE, constraints=(BOX,))
    np.testing.assert_allclose(100 * found.weights, [22.89, 20.0, 11.69, 10.42, 35.0], atol=0.005)
    np.testing.assert_allclose(100 * found.risk_shares, [19.39, 24.55, 19.39, 19.39, 17.29], atol=0.005)
    assert 100 * found.multiplier == pytest.approx(11.76, abs=0.005)
    assert 100 * found.volatility == pytest.approx(12.14, abs=0.005)
    assert found.binding == ("Bounds upper[4] 0.35", "Bounds lower[1] 0.2")


@pytest.mark.parametrize(
    ("constraints", "weights", "volatility", "n_binding"),
    [
        ((AT_LEAST,), [25.78, 27.41, 9.51, 7.29, 7.06, 7.71, 9.23, 6.0], 5.2, 1),
        ((AT_LEAST, EURO), [24.52, 28.69, 9.52, 7.27, 6.97, 7.8, 9.23, 6.0], 5.19, 2),
    ],
    ids=["30 % equities", "and 5 % more in euro"],
)
def test_table_9(constraints: Any, weights: list[float], volatility: float, n_binding: int) -> None:
    """Table 9: equities at least 30 %; and the euro zone 5 points above the United States."""
    found = constrained_risk_budget(EIGHT, constraints=constraints)
    np.testing.assert_allclose(100 * found.weights, weights, atol=0.01)
    assert 100 * found.volatility == pytest.approx(volatility, abs=0.005)
    assert len(found.binding) == n_binding


@pytest.mark.parametrize(
    ("name", "covariance", "constraints"),
    [
        ("A_RichardRoncalli2019_Table6_constrained.json", FIVE, (BOX,)),
        ("A_RichardRoncalli2019_Table9_eq30.json", EIGHT, (AT_LEAST,)),
        ("A_RichardRoncalli2019_Table9_eq30_euro5.json", EIGHT, (AT_LEAST, EURO)),
    ],
)
def test_an_independent_computation_agrees(name: str, covariance: Array, constraints: Any) -> None:
    facts = recomputed(name)
    found = constrained_risk_budget(covariance, constraints=constraints)
    np.testing.assert_allclose(found.weights, facts["recomputed_weights"], atol=5e-8)
    assert found.volatility == pytest.approx(facts["recomputed_vol"], abs=1e-8)


# The scaling puzzle


def test_the_scaling_puzzle() -> None:
    """Two ways to write one limit, two answers; Richard and Roncalli (2019), Table 12."""
    more, less, relative = (
        constrained_risk_budget(EIGHT, constraints=(c,)) for c in (AT_LEAST, AT_MOST, RELATIVE)
    )
    for found in (more, less, relative):
        assert found.weights[list(EQUITIES)].sum() == pytest.approx(0.3, abs=1e-10)
    assert np.abs(more.weights - less.weights).max() > 0.02
    # Whom the limit does not name keeps equal risk.
    assert np.ptp(more.risk_shares[list(REST)]) < 1e-9 < 0.02 < np.ptp(more.risk_shares[list(EQUITIES)])
    assert np.ptp(less.risk_shares[list(EQUITIES)]) < 1e-9 < 0.02 < np.ptp(less.risk_shares[list(REST)])


def test_what_comes_closest_does_not_depend_on_how_the_limit_is_written() -> None:
    """However it is: no portfolio with 30 % or more in equities has a smaller ln σ - mean ln w."""
    again = Linear(dict.fromkeys(EQUITIES, -1.4) | dict.fromkeys(REST, 0.6), at_most=0.0)
    ways = ((AT_LEAST,), (AT_MOST,), (AT_LEAST, AT_MOST), (RELATIVE,), (again,), (Group(EQUITIES, 0.3, 0.3),))
    first, *others = (risk_budget_within(EIGHT, constraints=way) for way in ways)
    for other in others:
        np.testing.assert_allclose(other.weights, first.weights, atol=1e-11)
    assert first.multiplier == first.volatility
    published = constrained_risk_budget(EIGHT, constraints=(RELATIVE,))  # relative, it is the published one
    np.testing.assert_allclose(published.weights, first.weights, atol=1e-11)
    assert published.multiplier == pytest.approx(first.volatility, rel=1e-9)
    best = loss(first.weights.to_numpy(), EIGHT)
    rng = np.random.default_rng(0)
    for scale in (1e-4, 1e-2, 1.0):
        tried = first.weights.to_numpy() * np.exp(rng.normal(0.0, scale, (400, 8)))
        share = np.maximum(tried[:, 4:].sum(axis=1) / tried.sum(axis=1), 0.3)[:, None]
        tried[:, 4:] *= share / tried[:, 4:].sum(axis=1, keepdims=True)
        tried[:, :4] *= (1.0 - share) / tried[:, :4].sum(axis=1, keepdims=True)
        assert best <= min(loss(row, EIGHT) for row in tried) + 1e-12
    for constraint in (AT_LEAST, AT_MOST):
        found = constrained_risk_budget(EIGHT, constraints=(constraint,))
        assert loss(found.weights.to_numpy(), EIGHT) > best + 1e-4


def test_limits_that_fix_the_sum_leave_nothing_to_determine_lambda() -> None:
    with pytest.raises(
        SolverError, match=r"says 'λ is not determined'; .*at_most 0.7 and .*at_least 0.3 fix the sum"
    ):
        constrained_risk_budget(EIGHT, constraints=(AT_LEAST, AT_MOST))


# What must hold


@pytest.mark.parametrize("solve", [constrained_risk_budget, risk_budget_within])
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), n_assets=st.integers(3, 8))
def test_limits_that_do_not_bind_change_nothing(solve: Any, seed: int, n_assets: int) -> None:
    rng, covariance = np.random.default_rng(seed), random_covariance(seed, n_assets)
    budget = rng.uniform(0.5, 2.0, n_assets)
    free = equal_risk_contribution(covariance, budget)
    constraints = (Bounds(0.5 * free.min(), 1.0), Group((0, 1), at_most=1.01 * free[:2].sum()))
    found = solve(covariance, budget, constraints=constraints)
    np.testing.assert_allclose(found.weights, free, atol=1e-12)
    np.testing.assert_allclose(found.risk_shares, budget / budget.sum(), atol=1e-9)
    assert found.binding == ()
    assert found.multiplier == pytest.approx(found.volatility, rel=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(3, 8), st.sampled_from((1e-6, 1.0, 1e4)))
def test_the_published_answer_is_optimal_for_its_lambda(seed: int, n_assets: int, unit: float) -> None:
    """Among portfolios of every sum within the bounds, none has a smaller σ(x) - λ Σ b ln x."""
    covariance, rng = random_covariance(seed, n_assets), np.random.default_rng(seed)
    free = equal_risk_contribution(covariance)
    large, small = int(np.argmax(free)), int(np.argmin(free))
    cap, floor = 0.5 * (free.max() + 1 / n_assets), 0.5 * (free.min() + 1 / n_assets)
    found = constrained_risk_budget(unit * covariance, constraints=(Bounds({small: floor}, {large: cap}),))
    weights, multiplier = found.weights.to_numpy(), found.multiplier / np.sqrt(unit)
    assert weights.sum() == pytest.approx(1.0, abs=1e-11)
    assert weights[small] >= floor - 1e-11
    assert weights[large] <= cap + 1e-11
    assert found.binding
    best = np.sqrt(weights @ covariance @ weights) - multiplier * np.log(weights).mean()
    for scale in (1e-5, 1e-3, 1e-1):
        other = weights * np.exp(rng.normal(0.0, scale, (60, n_assets)))
        other[:, small] = np.maximum(other[:, small], floor)
        other[:, large] = np.minimum(other[:, large], cap)
        risk = np.sqrt(np.einsum("ij,jk,ik->i", other, covariance, other))
        assert best <= (risk - multiplier * np.log(other).mean(axis=1)).min() + 1e-12


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(3, 8), st.sampled_from((1e-6, 1.0, 1e4)))
def test_no_portfolio_within_the_limits_comes_closer(seed: int, n_assets: int, unit: float) -> None:
    covariance, rng = random_covariance(seed, n_assets), np.random.default_rng(seed)
    some = rng.dirichlet(
        np.full(n_assets, 2.0), 400
    )  # of which the last 300 are compared where they are within
    row = rng.normal(size=n_assets)
    low = float(np.quantile(some[:100] @ row, 0.6))
    constraints = (Linear(dict(enumerate(row)), at_least=low), Group((0, 1), at_most=0.9), Bounds(0.0, 0.95))
    found = risk_budget_within(unit * covariance, constraints=constraints)
    weights = found.weights.to_numpy()
    assert weights.sum() == pytest.approx(1.0, abs=1e-11)
    assert row @ weights >= low - 1e-8
    assert weights[:2].sum() <= 0.9 + 1e-8
    best = loss(weights, covariance)
    near = weights * np.exp(rng.normal(0.0, 1e-3, (300, n_assets)))
    for tried in (*some[100:], *(near / near.sum(axis=1, keepdims=True))):
        if row @ tried >= low and tried[:2].sum() <= 0.9 and tried.max() <= 0.95:
            assert best <= loss(tried, covariance) + 1e-10


def random_covariance(seed: int, n_assets: int) -> Array:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(5 * n_assets, n_assets)) + 0.7 * rng.normal(size=(5 * n_assets, 1))
    return np.cov(noise * rng.uniform(0.03, 0.3, n_assets), rowvar=False)


def test_the_order_and_the_names_of_the_assets_do_not_matter() -> None:
    names, order = list("abcdefgh"), [3, 7, 0, 5, 1, 6, 2, 4]
    frame = pd.DataFrame(EIGHT, names, names)
    constraint = Group(("e", "f", "g", "h"), at_least=0.3, name="equities")
    by_name = constrained_risk_budget(frame, constraints=(constraint,))
    assert list(by_name.weights.index) == names
    assert by_name.binding == ("Group('equities') at_least 0.3",)
    turned = constrained_risk_budget(
        frame.iloc[order, order], dict.fromkeys(names, 2.0), constraints=(constraint,)
    )
    np.testing.assert_allclose(turned.weights[names], by_name.weights, atol=1e-11)
    np.testing.assert_allclose(
        by_name.weights, constrained_risk_budget(EIGHT, constraints=(AT_LEAST,)).weights
    )


def test_pinned_weights_and_portfolios_of_one_point() -> None:
    pinned = constrained_risk_budget(EIGHT, constraints=(Bounds({0: 0.3}, {0: 0.3}),))
    assert pinned.weights[0] == pytest.approx(0.3, abs=1e-12)
    assert np.ptp(pinned.risk_shares[1:]) < 1e-10
    corner = constrained_risk_budget(EIGHT, constraints=(Bounds(upper=0.125),))
    np.testing.assert_allclose(corner.weights, 0.125, atol=1e-11)


def test_the_inputs_are_left_as_they_were() -> None:
    covariance, budget = EIGHT.copy(), np.arange(1.0, 9.0)
    constrained_risk_budget(covariance, budget, constraints=(AT_LEAST,))
    np.testing.assert_array_equal(covariance, EIGHT)
    np.testing.assert_array_equal(budget, np.arange(1.0, 9.0))


def test_a_guess_of_the_limits_that_bind_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """From any point, the right limits are found, or none: the search then goes on."""
    constraints = (AT_LEAST, EURO, Bounds(0.02, 0.3))
    right = constrained_risk_budget(EIGHT, constraints=constraints).weights
    assert right.max() < 0.29
    wrong = np.where(np.arange(8) == 1, 0.3, right)  # on a bound that does not bind
    true = risk_budgeting.log_barrier
    for point in (np.full(8, 0.125), np.linspace(0.02, 0.23, 8), np.full(8, 0.3), wrong):
        over_free = point / equal_risk_contribution(EIGHT)
        monkeypatch.setattr(risk_budgeting, "log_barrier", _first(iter([over_free]), true))
        found = constrained_risk_budget(EIGHT, constraints=constraints).weights
        np.testing.assert_allclose(found, right, atol=1e-10)


def test_the_search_for_lambda_gets_there_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were Newton's method to fail but next to the solution, halving would lead there."""
    true = risk_budgeting._finished
    near = lambda p, x, m: true(p, x, m) if abs(x.sum() - 1.0) < 1e-4 else None  # noqa: E731
    for constraints in ((AT_LEAST,), (AT_MOST,)):
        right = constrained_risk_budget(EIGHT, constraints=constraints)
        with monkeypatch.context() as patch:
            patch.setattr(risk_budgeting, "_finished", near)
            found = constrained_risk_budget(EIGHT, constraints=constraints)
        np.testing.assert_allclose(found.weights, right.weights, atol=1e-10)


def _first(points: Any, then: Any) -> Any:
    def answer(*arguments: Any) -> Array:
        point = next(points, None)
        return then(*arguments) if point is None else point

    return answer


# Refusals


def test_no_portfolio_within_the_limits() -> None:
    constraints = (Group((0, 1), at_least=0.6, name="a"), Group((2, 3), at_least=0.6, name="b"))
    with pytest.raises(
        SolverError,
        match=r"no portfolio of all .* within all limits: relax Group\('[ab]'\) at_least from 0.6 to 0.4",
    ):
        constrained_risk_budget(np.eye(4), constraints=constraints)


@pytest.mark.parametrize(
    ("covariance", "limit"),
    [
        (np.eye(2), Linear({0: 1.0, 1: 2.0}, at_most=1.2)),  # whatever λ, the weights sum to less
        (np.array([[1.0, -0.5], [-0.5, 1.0]]), Bounds({0: 0.8})),  # to more: the hedge alone is 0.4
    ],
)
def test_limits_that_portfolios_can_meet_may_have_no_lambda(covariance: Array, limit: Any) -> None:
    """80/20 is within both limits."""
    with pytest.raises(SolverError, match=r"no λ brings the sum to 1'; loosen .* use risk_budget_within"):
        constrained_risk_budget(covariance, constraints=(limit,))
    found = risk_budget_within(covariance, constraints=(limit,))
    np.testing.assert_allclose(found.weights, [0.8, 0.2], atol=1e-11)


def test_a_portfolio_that_must_leave_an_asset_out_is_refused() -> None:
    for solve in (constrained_risk_budget, risk_budget_within):
        with pytest.raises(
            SolverError, match=r"no portfolio of all .*Group\(0, 1\) at_least from 1 to 0\.99"
        ):
            solve(np.eye(3), constraints=(Group((0, 1), at_least=1.0),))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: constrained_risk_budget(EIGHT, np.ones(3)), "budget: 3 shares for 8 assets"),
        (lambda: constrained_risk_budget(EIGHT, {0: 1.0}), r"budget\[1\]: is missing"),
        (lambda: constrained_risk_budget(EIGHT, {9: 1.0}), r"budget\[9\]: is not one"),
        (lambda: constrained_risk_budget(EIGHT[:3]), r"covariance: shape \(3, 8\) is not square"),
        (lambda: constrained_risk_budget(EIGHT, constraints=(Group((8,), 0.1),)), r"Group\[8\]: is not one"),
        (
            lambda: constrained_risk_budget(EIGHT, constraints=(Bounds(upper={0: 0.0}),)),
            r"Bounds\[0\]: upper 0, but .*leave it out",
        ),
        (
            lambda: constrained_risk_budget(pd.DataFrame(np.eye(2), ["a", "b"], ["b", "a"])),
            "covariance: its rows and columns do not name the same assets",
        ),
    ],
)
def test_arguments_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


# As a strategy


def test_risk_parity_with_constraints() -> None:
    market, floor = al.load_us_history(), Group(("stocks", "gold"), at_least=0.5, name="real")
    plain, bound = RiskParity(ASSETS), RiskParity(ASSETS, constraints=(floor,))
    assert eval(repr(bound), vars(strategies)) == bound
    assert hash(bound) != hash(plain)
    free, held = (run_backtest(strategy, market).targets for strategy in (plain, bound))
    real = held["stocks"] + held["gold"]
    assert real.min() == pytest.approx(0.5, abs=1e-9)
    loose = free["stocks"] + free["gold"] >= 0.5
    assert 0.1 < loose.mean() < 0.9
    np.testing.assert_array_equal(held[loose], free[loose])
    np.testing.assert_allclose(held.sum(axis=1), 1.0, atol=1e-11)


def test_constraints_are_on_the_weights_before_leverage() -> None:
    market, cap = al.load_us_history(), Bounds(upper={"bonds": 0.4})
    bound = RiskParity(ASSETS, constraints=(cap,), target_volatility=0.15)
    targets = run_backtest(bound, market, start="1990").targets
    assert (targets["bonds"] / targets.sum(axis=1)).max() == pytest.approx(0.4, abs=1e-9)
    assert targets.sum(axis=1).max() > 1.1


def test_limits_that_cannot_be_met_name_the_date() -> None:
    impossible = (Group(("stocks",), at_least=0.6), Group(("bonds",), at_least=0.6))
    with pytest.raises(StrategyError, match=r"'Risk parity' on 1937-12-31: .*relax Group"):
        run_backtest(RiskParity(ASSETS, constraints=impossible), al.load_us_history())


def test_without_binding_constraints_cvxpy_is_not_imported() -> None:
    code = (
        "import sys, allocator as al; from strategies import Bounds, RiskParity;"
        "market = al.load_us_history();"
        "al.run_backtest(RiskParity(), market);"
        "al.run_backtest(RiskParity(constraints=(Bounds(0.01),)), market);"
        "sys.exit('cvxpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_record_is_a_value() -> None:
    found = constrained_risk_budget(EIGHT, constraints=(AT_LEAST,))
    assert isinstance(found, ConstrainedRiskBudget)
    with pytest.raises(AttributeError):
        found.multiplier = 1.0  # type: ignore[misc]
