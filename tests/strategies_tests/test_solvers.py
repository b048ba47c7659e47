"""Solvers that fail loudly: only an optimum is accepted, scaled, reused, and the limit to relax is named."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import allocator as al
from allocator.engine import run_backtest
from allocator.errors import InputError, SolverError, StrategyError
from allocator.market import Market
from strategies import (
    Bounds,
    Group,
    Linear,
    MaximumDiversification,
    MeanVariance,
    MinimumVariance,
    TrackingErrorLimit,
    TurnoverLimit,
    _solvers,
)
from strategies._limits import Limits, limits_on
from strategies._solvers import best_trade_off, least_risk, most_diversified, what_to_relax

Array = NDArray[np.float64]
ASSETS = ("stocks", "bonds", "gold")


def covariance_of(seed: int, n_assets: int, spread: float = 1.0) -> Array:
    """Annualised: volatilities over ``spread`` powers of ten up to 30 %, one common factor."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(4 * n_assets, n_assets)) + 0.7 * rng.normal(size=(4 * n_assets, 1))
    scale = 0.3 * 10 ** -rng.uniform(0, spread, n_assets) / noise.std(axis=0)
    return np.cov(noise * scale, rowvar=False)


def free(n_assets: int) -> Limits:
    return limits_on((), tuple(range(n_assets)))


def market() -> Market:
    return al.load_us_history()


def refusal(*constraints: Any) -> str:
    with pytest.raises(StrategyError) as caught:
        run_backtest(MinimumVariance(ASSETS, constraints=constraints), market())
    assert isinstance(caught.value.__cause__, SolverError)
    return str(caught.value)


# Refusals


def test_F079_no_portfolio_within_the_limits_names_date_solver_status_and_limit() -> None:
    said = refusal(Group(("bonds",), at_least=0.6, name="safe"), Group(("stocks", "gold"), at_least=0.5))
    first = "strategy 'Minimum variance' on 1937-12-31: minimum variance of 3 assets: "
    assert said.startswith(first + "CLARABEL says 'infeasible'; no portfolio is within all limits: relax ")
    assert "Group('safe') at_least from 0.6 to 0.5" in said
    assert "or Group('stocks', 'gold') at_least from 0.5 to 0.4" in said


def test_where_no_single_limit_is_enough_all_are_named() -> None:
    tight = (Group((0, 1), at_least=0.3, name="a"), Group((0, 1), at_most=0.2, name="b"))
    tighter = (Group((2,), at_least=0.6, name="c"), Group((2,), at_most=0.5, name="d"))
    with pytest.raises(SolverError, match=r"infeasible'; .*relax ") as caught:
        least_risk(np.eye(4), limits_on((*tight, *tighter), (0, 1, 2, 3)))
    said = str(caught.value)
    assert " and " in said
    assert ", or " not in said
    assert "Group('a') at_least from 0.3 to" in said or "Group('b') at_most from 0.2 to" in said
    assert "Group('c') at_least from 0.6 to" in said or "Group('d') at_most from 0.5 to" in said


def test_a_tracking_error_that_is_too_small_is_named() -> None:
    said = refusal(TrackingErrorLimit({"stocks": 1.0}, 0.01), Group(("bonds",), at_least=0.5))
    assert "relax " in said
    assert "TrackingErrorLimit at_most from 0.01 to 0.1" in said


def test_a_turnover_that_is_too_small_is_named_on_the_date_it_is() -> None:
    """The drift takes an asset beyond its bound, further than the limit allows to trade back."""
    said = refusal(Bounds(lower=0.1, upper={"bonds": 0.5}), TurnoverLimit(0.02))
    assert "on 1940-12-31" in said
    assert "Bounds upper['bonds'] from 0.5 to 0.5015" in said
    assert "TurnoverLimit at_most from 0.02 to 0.0215" in said
    assert ", or " in said


def test_following_the_advice_is_enough() -> None:
    covariance, assets = covariance_of(3, 4), (0, 1, 2, 3)
    tight = (Group((0, 1), at_least=0.6), Group((2, 3), at_least=0.55), Bounds(upper=0.7))
    with pytest.raises(SolverError, match=r"Group\(0, 1\) at_least from 0.6 to 0.45"):
        least_risk(covariance, limits_on(tight, assets))
    loose = (Group((0, 1), at_least=0.45), *tight[1:])
    assert least_risk(covariance, limits_on(loose, assets))[:2].sum() == pytest.approx(0.45, abs=1e-9)
    assert what_to_relax(covariance, limits_on(loose, assets), 0.0) == ""


def test_F079_an_inaccurate_solution_is_no_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_solvers, "_QUADRATIC", (1e-40,))
    with pytest.raises(SolverError, match=r"says '(optimal_inaccurate|solver_error|user_limit)'; shrink"):
        least_risk(covariance_of(1, 6), free(6))


def test_F079_a_solver_that_stops_early_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_solvers, "_MOST_STEPS", 2)
    with pytest.raises(StrategyError, match=r"on 1937-12-31: .*CLARABEL says 'user_limit'"):
        run_backtest(MinimumVariance(ASSETS), market())


def test_a_solver_that_raises_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_solvers, "_SOLVER", "NOSUCH")
    with pytest.raises(SolverError, match="NOSUCH"):
        least_risk(covariance_of(2, 5), free(5))


def test_a_solution_beyond_a_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = limits_on((Group((0, 1), at_most=0.4),), (0, 1, 2))
    monkeypatch.setattr(_solvers, "_solved", lambda task: np.array([0.3, 0.11, 0.59]))
    with pytest.raises(SolverError, match=r"breaks Group\(0, 1\) at_most 0.4 by 1.0e-02"):
        least_risk(np.eye(3), limits)


def test_F081_a_matrix_with_a_negative_variance_is_refused() -> None:
    with pytest.raises(InputError, match=r"covariance: has a negative variance: smallest eigenvalue -"):
        least_risk(np.array([[1.0, 2.0], [2.0, 1.0]]), free(2))


def test_F080_the_solvers_zeros_are_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_solvers, "_solved", lambda task: np.array([-3e-10, 2e-10, 0.4, 0.6 + 1e-9]))
    weights = least_risk(np.eye(4), free(4))
    assert weights[:2].tolist() == [0.0, 0.0]
    assert weights.sum() == pytest.approx(1.0, abs=1e-15)


# Scale, reuse, determinism


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(2, 9), st.sampled_from((1e-8, 1e-5, 1.0, 1e4)))
def test_the_unit_of_the_covariance_does_not_matter(seed: int, n_assets: int, unit: float) -> None:
    """Daily variances of 1e-5 are solved as yearly ones of 1e-2 are."""
    covariance, limits = covariance_of(seed, n_assets, 2.0), free(n_assets)
    for solve in (least_risk, most_diversified):
        np.testing.assert_allclose(
            solve(unit * covariance, limits), solve(covariance, limits), atol=1e-8, err_msg=solve.__name__
        )
    rewards = np.random.default_rng(seed).normal(0.03, 0.03, n_assets)
    np.testing.assert_allclose(
        best_trade_off(unit * covariance, unit * rewards, 3.0, limits, (1.0, 1.0)),
        best_trade_off(covariance, rewards, 3.0, limits, (1.0, 1.0)),
        atol=1e-7,
    )


def test_a_compiled_problem_that_was_used_before_answers_as_a_new_one() -> None:
    limits = limits_on((Group((0, 1), at_most=0.4), TurnoverLimit(0.3)), tuple(range(5)), {0: 0.5, 4: 0.5})
    covariances = [covariance_of(seed, 5) for seed in range(4)]
    _solvers._program.cache_clear()
    reused = [least_risk(covariance, limits) for covariance in covariances]
    assert _solvers._program.cache_info().misses == 1
    for covariance, weights in zip(covariances, reused, strict=True):
        _solvers._program.cache_clear()
        np.testing.assert_array_equal(least_risk(covariance, limits), weights)


def test_an_infeasible_problem_leaves_no_trace_in_the_next() -> None:
    good, bad = (
        limits_on((Group((0, 1), at_least=a), Group((2,), at_least=0.5)), (0, 1, 2)) for a in (0.2, 0.6)
    )
    before = least_risk(np.eye(3), good)
    with pytest.raises(SolverError):
        least_risk(np.eye(3), bad)
    np.testing.assert_array_equal(least_risk(np.eye(3), good), before)


def test_threads_take_turns() -> None:
    """A compiled problem is mutable: without the lock, threads would solve each other's parameters."""
    covariances = [covariance_of(seed, 4) for seed in range(100)]
    alone = [least_risk(covariance, free(4)) for covariance in covariances]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(least_risk, covariances, [free(4)] * 100))
    finally:
        sys.setswitchinterval(interval)
    np.testing.assert_array_equal(together, alone)


def test_a_run_is_the_same_twice_and_solver_errors_can_be_pickled() -> None:
    strategy = MeanVariance(ASSETS, constraints=(TurnoverLimit(0.2), Bounds(upper=0.7)))
    one, two = (run_backtest(strategy, market(), start="1990").value for _ in range(2))
    pd.testing.assert_series_equal(one, two, check_exact=True)
    error = SolverError("minimum variance", "CLARABEL", "infeasible", "relax it")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_limits_from_both_sides_that_meet_are_met() -> None:
    """Pinned weights and groups leave no interior; a portfolio of one point is a portfolio."""
    covariance, assets = covariance_of(5, 4), (0, 1, 2, 3)
    pinned = (Bounds({0: 0.1}, {0: 0.1}), Group((1, 2), 0.5, 0.5), Linear({2: 1.0, 3: -1.0}, 0.0, 0.0))
    for solve in (least_risk, most_diversified):
        np.testing.assert_allclose(
            solve(covariance, limits_on(pinned, assets)), [0.1, 0.1, 0.4, 0.4], atol=1e-9
        )
    rows = _solvers._linear_values(_solvers._Task("", limits_on(pinned, assets), np.eye(4), 1.0))
    assert len(rows["equal"]) == 4  # one weight, a group, a difference, the sum: each one equality
    assert len(rows["above"]) == 0
    corner = (Bounds({0: 0.2, 1: 0.3, 2: 0.4, 3: 0.1}),)
    np.testing.assert_allclose(
        least_risk(covariance, limits_on(corner, assets)), [0.2, 0.3, 0.4, 0.1], atol=1e-9
    )


@pytest.mark.parametrize("strategy", [MinimumVariance(ASSETS), MaximumDiversification(ASSETS)])
def test_one_asset_may_be_all_there_is(strategy: Any) -> None:
    solve = least_risk if isinstance(strategy, MinimumVariance) else most_diversified
    np.testing.assert_allclose(solve(np.array([[0.04]]), free(1)), [1.0])


def test_a_singular_covariance_has_an_optimum() -> None:
    """Two assets that are the same: the risk is what counts, not who holds it."""
    covariance = np.array([[0.04, 0.04, 0.0], [0.04, 0.04, 0.0], [0.0, 0.0, 0.04]])
    weights = least_risk(covariance, free(3))
    assert weights[2] == pytest.approx(0.5, abs=1e-6)
