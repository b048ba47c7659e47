"""Minimum variance, maximum diversification, mean–variance: closed forms, brute force, a peer, real runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import allocator as al
from allocator.engine import Monthly, Yearly, run_backtest
from allocator.errors import InputError, StrategyError
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
)
from strategies._limits import Limits, limits_on
from strategies._solvers import best_trade_off, least_risk, most_diversified

Array = NDArray[np.float64]
SHARED = Path(__file__).resolve().parents[3] / "shared"
ASSETS = ("stocks", "bonds", "gold")
KINDS = (MinimumVariance, MaximumDiversification, MeanVariance)


def covariance_of(seed: int, n_assets: int, common: float = 0.7) -> Array:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(4 * n_assets, n_assets)) + common * rng.normal(size=(4 * n_assets, 1))
    return np.cov(noise * rng.uniform(0.03, 0.3, n_assets), rowvar=False)


def free(n_assets: int) -> Limits:
    return limits_on((), tuple(range(n_assets)))


def shorts(n_assets: int) -> Limits:
    return limits_on((Bounds(-5.0, 5.0),), tuple(range(n_assets)))


def ratio(weights: Array, covariance: Array) -> float:
    return float(weights @ np.sqrt(np.diag(covariance)) / np.sqrt(weights @ covariance @ weights))


# Closed forms


@pytest.mark.parametrize("seed", range(4))
def test_unbounded_optima_are_the_closed_forms(seed: int) -> None:
    """Minimum variance Σ⁻¹1 and maximum diversification Σ⁻¹σ, normalised; mean-variance by its multiplier."""
    covariance, ones = covariance_of(seed, 5), np.ones(5)
    inverse, volatility = np.linalg.inv(covariance), np.sqrt(np.diag(covariance))
    expected = inverse @ ones / (ones @ inverse @ ones)
    np.testing.assert_allclose(least_risk(covariance, shorts(5)), expected, atol=1e-9)
    expected = inverse @ volatility / (ones @ inverse @ volatility)
    np.testing.assert_allclose(most_diversified(covariance, shorts(5)), expected, atol=1e-9)
    rewards = np.linspace(0.02, 0.05, 5)
    shift = (ones @ inverse @ rewards - 20.0) / (ones @ inverse @ ones)
    expected = inverse @ (rewards - shift * ones) / 20.0
    assert np.abs(expected).max() < 5.0
    np.testing.assert_allclose(
        best_trade_off(covariance, rewards, 20.0, shorts(5), (1.0, 1.0)), expected, atol=1e-9
    )


def test_without_a_budget_mean_variance_holds_what_each_asset_earns() -> None:
    """Σ⁻¹μ / γ, the rest in cash; more than there is, is borrowed as far as is allowed."""
    covariance, rewards = np.diag([0.04, 0.01]), np.array([0.02, 0.005])
    weights = best_trade_off(covariance, rewards, 2.0, free(2), (0.0, 1.0))
    np.testing.assert_allclose(weights, [0.25, 0.25], atol=1e-9)
    capped = best_trade_off(covariance, 10 * rewards, 2.0, shorts(2), (0.0, 1.5))
    assert capped.sum() == pytest.approx(1.5, abs=1e-9)
    np.testing.assert_allclose(best_trade_off(covariance, -rewards, 2.0, free(2), (0.0, 1.0)), 0.0, atol=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
def test_equal_correlations_are_most_diversified_by_inverse_volatility(rho: float) -> None:
    """Choueifaty and Coignard (2008)."""
    volatility = np.array([0.1, 0.2, 0.3, 0.4])
    covariance = np.outer(volatility, volatility) * (np.full((4, 4), rho) + (1 - rho) * np.eye(4))
    np.testing.assert_allclose(most_diversified(covariance, free(4)), [0.48, 0.24, 0.16, 0.12], atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_maximum_diversification_is_minimum_variance_of_correlations_rescaled(seed: int) -> None:
    covariance = covariance_of(seed, 8)
    volatility = np.sqrt(np.diag(covariance))
    expected = least_risk(covariance / np.outer(volatility, volatility), free(8)) / volatility
    np.testing.assert_allclose(most_diversified(covariance, free(8)), expected / expected.sum(), atol=1e-8)


def test_four_assets_of_maillard_roncalli_and_teiletche() -> None:
    """Maillard, Roncalli and Teiletche (2010): 74.5, 0, 15.2 and 10.3 % of minimum variance."""
    correlation = np.eye(4)
    correlation[0, 1] = correlation[1, 0] = 0.8
    correlation[2, 3] = correlation[3, 2] = -0.5
    volatility = np.array([0.1, 0.2, 0.3, 0.4])
    weights = least_risk(np.outer(volatility, volatility) * correlation, free(4))
    np.testing.assert_allclose(100 * weights, [74.48, 0.0, 15.17, 10.34], atol=0.005)
    path = SHARED / "cases" / "A_MRT2010_4asset.json"
    if not path.exists():
        pytest.skip(f"needs ../shared/cases/{path.name}, which is not part of the project")
    np.testing.assert_allclose(weights, json.loads(path.read_text())["recomputed_mv_weights"], atol=1e-9)


# Other ways to the same answer


def test_a_grid_finds_nothing_better() -> None:
    """Every portfolio of three assets in steps of half a percent, with all five kinds of constraints."""
    covariance, rewards = covariance_of(11, 3), np.array([0.01, 0.05, 0.03])
    constraints = (
        Bounds(0.05, {0: 0.5}),
        Group((0, 1), at_least=0.3),
        Linear({0: 1.0, 1: 5.0}, at_most=2.0),
        TurnoverLimit(0.4),
        TrackingErrorLimit({0: 0.6, 1: 0.3}, 0.05),
    )
    limits = limits_on(constraints, (0, 1, 2), {0: 0.7, 2: 0.2, 3: 0.1})

    def within(w: Array) -> NDArray[np.bool_]:
        error, change = w - [0.6, 0.3, 0.0], np.abs(w - [0.7, 0.0, 0.2]).sum(axis=1) + 0.1  # asset 3 is sold
        tracking = np.sqrt(np.einsum("ij,jk,ik->i", error, covariance, error))
        linear = (w[:, :2].sum(axis=1) >= 0.3 - 1e-7) & (w[:, :2] @ [1.0, 5.0] <= 2.0 + 1e-7)
        bounds = (w.min(axis=1) >= 0.05 - 1e-7) & (w[:, 0] <= 0.5 + 1e-7)
        return linear & bounds & (tracking <= 0.05 + 1e-7) & (0.5 * change <= 0.4 + 1e-7)

    first, second = np.meshgrid(np.arange(0.0, 1.0, 0.005), np.arange(0.0, 1.0, 0.005))
    grid = np.column_stack([first.ravel(), second.ravel(), 1.0 - first.ravel() - second.ravel()])
    grid = grid[within(grid)]
    assert len(grid) > 100
    for solve, loss in (
        (least_risk, lambda w: w @ covariance @ w),
        (most_diversified, lambda w: -ratio(w, covariance)),
        (
            lambda c, lim: best_trade_off(c, rewards, 4.0, lim, (1.0, 1.0)),
            lambda w: 2.0 * w @ covariance @ w - rewards @ w,
        ),
    ):
        weights = solve(covariance, limits)
        assert within(weights[None])[0]
        assert loss(weights) <= min(loss(row) for row in grid) + 1e-8
        assert loss(least_risk(covariance, free(3))) < loss(weights) or solve is not least_risk


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 8), st.sampled_from((0.0, 0.7, 3.0)))
def test_the_conditions_of_optimality_hold(seed: int, n_assets: int, common: float) -> None:
    """What is held has the same slope, and what is not held has no better (Karush, Kuhn and Tucker)."""
    covariance = covariance_of(seed, n_assets, common)
    rewards = np.random.default_rng(seed).normal(0.03, 0.04, n_assets)
    weights = best_trade_off(covariance, rewards, 5.0, free(n_assets), (1.0, 1.0))
    slope = rewards - 5.0 * covariance @ weights
    assert slope.max() - slope[weights > 1e-7].min() < 1e-7
    weights = most_diversified(covariance, free(n_assets))
    volatility = np.sqrt(np.diag(covariance))
    correlation = covariance @ weights / volatility / np.sqrt(weights @ covariance @ weights)
    held = weights > 1e-7  # all have the same correlation with the portfolio, the others a higher one
    np.testing.assert_allclose(correlation[held], correlation.min(), atol=1e-7)


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.integers(3, 8), st.randoms())
def test_the_order_of_the_assets_does_not_matter_and_limits_hold(
    seed: int, n_assets: int, random: Any
) -> None:
    covariance, names = covariance_of(seed, n_assets), tuple(range(n_assets))
    rng = np.random.default_rng(seed)
    start = rng.dirichlet(np.ones(n_assets))
    constraints = (
        Bounds(0.01, 0.7),
        Group((0, 1), at_most=max(0.3, start[:2].sum())),
        TurnoverLimit(0.2 + float(np.maximum(0.01 - start, 0.0).sum() + np.maximum(start - 0.7, 0.0).sum())),
    )
    held = dict(enumerate(start.tolist()))
    order = list(names)
    random.shuffle(order)
    for solve in (least_risk, most_diversified):
        weights = solve(covariance, limits_on(constraints, names, held))
        limits = limits_on(constraints, names, held)
        assert weights.sum() == pytest.approx(1.0, abs=1e-12)
        assert weights.min() >= 0.01 - 1e-7
        assert weights.max() <= 0.7 + 1e-7
        assert weights[:2].sum() <= limits.at_most[0] + 1e-7
        assert limits.turnover_of(weights) <= constraints[2].at_most + 1e-7
        again = solve(covariance[np.ix_(order, order)], limits_on(constraints, tuple(order), held))
        np.testing.assert_allclose(again, weights[order], atol=1e-7)


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(2, 8))
def test_no_random_portfolio_is_better(seed: int, n_assets: int) -> None:
    covariance, rng = covariance_of(seed, n_assets), np.random.default_rng(seed)
    others = rng.dirichlet(np.ones(n_assets), 500)
    variance = np.einsum("ij,jk,ik->i", others, covariance, others)
    best = least_risk(covariance, free(n_assets))
    assert best @ covariance @ best <= variance.min() + 1e-12
    ratios = others @ np.sqrt(np.diag(covariance)) / np.sqrt(variance)
    assert ratio(most_diversified(covariance, free(n_assets)), covariance) >= ratios.max() - 1e-10


def test_skfolio_agrees() -> None:
    skfolio = pytest.importorskip("skfolio.optimization")
    from skfolio import RiskMeasure

    rng = np.random.default_rng(3)
    returns = rng.normal(0.0004, 0.01, (500, 6)) * rng.uniform(0.3, 2.0, 6) + rng.normal(0, 0.004, (500, 1))
    names = [f"asset {j}" for j in range(6)]
    covariance = np.cov(returns, rowvar=False)
    frame = pd.DataFrame(returns, columns=names)
    theirs = skfolio.MeanRisk(risk_measure=RiskMeasure.VARIANCE, max_weights=0.4).fit(frame).weights_
    limits = limits_on((Bounds(upper=0.4),), names)
    ours = least_risk(252 * covariance, limits)
    np.testing.assert_allclose(ours, theirs, atol=5e-4)  # theirs stops early: daily variances, not scaled
    assert ours @ covariance @ ours <= theirs @ covariance @ theirs
    theirs = skfolio.MaximumDiversification().fit(frame).weights_
    np.testing.assert_allclose(most_diversified(covariance, limits_on((), names)), theirs, atol=1e-4)


# As strategies


def history() -> Market:
    return al.load_us_history()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_those_of_the_trailing_window(kind: Callable[..., Any]) -> None:
    market = history()
    some_cash = {"least_invested": 0.0} if kind is MeanVariance else {}
    backtest = run_backtest(kind(ASSETS, window_years=20.0, **some_cash), market, start="1970")
    returns, cash = market.returns[list(ASSETS)], market.cash_returns
    assert backtest.targets.sum(axis=1).min() < 0.9 or not some_cash
    for date, target in backtest.targets[list(ASSETS)].iloc[::9].iterrows():
        past = returns.loc[:date].iloc[-20:]
        covariance = past.cov().to_numpy()
        means = (past.mean() - cash.loc[past.index].mean()).to_numpy()
        expected = {
            MinimumVariance: lambda c=covariance: least_risk(c, free(3)),
            MaximumDiversification: lambda c=covariance: most_diversified(c, free(3)),
            MeanVariance: lambda c=covariance, m=means: best_trade_off(c, m, 5.0, free(3), (0.0, 1.0)),
        }[kind]()
        np.testing.assert_allclose(target, expected, atol=1e-8)


def test_expected_returns_that_are_given_are_used() -> None:
    bold = MeanVariance(ASSETS, {"stocks": 0.0, "bonds": 0.0, "gold": 0.9}, risk_aversion=0.1)
    assert (run_backtest(bold, history(), start="2000").targets["gold"] > 0.99).all()


@pytest.mark.parametrize("kind", KINDS)
def test_turnover_is_limited_from_the_weights_as_they_have_drifted(kind: Callable[..., Any]) -> None:
    """At every decision but the first; the record shows the drifted weights and what was traded."""
    market, limit = history(), 0.06
    run = {"rebalancing": Yearly(), "start": "1980", "costs": al.Costs(0.0, 0.0)}
    held = run_backtest(kind(ASSETS, constraints=(TurnoverLimit(limit),)), market, **run)
    free_run = run_backtest(kind(ASSETS), market, **run)
    assert free_run.turnover.iloc[1:].max() > limit + 0.01
    assert held.turnover.iloc[1:].max() <= limit + 1e-7
    assert held.turnover.iloc[1:].max() == pytest.approx(limit, abs=1e-6)
    np.testing.assert_allclose(held.targets.iloc[0], free_run.targets.iloc[0], atol=1e-8)


def test_what_is_held_in_other_assets_counts_as_sold() -> None:
    """From 50, 30, 0 % and 20 % in an asset that is left out; the optimum is all in the third."""
    covariance = np.diag([0.04, 0.04, 0.0001])
    limits = limits_on((TurnoverLimit(0.3),), (0, 1, 2), {0: 0.5, 1: 0.3, 9: 0.2})
    for solve in (least_risk, most_diversified):
        weights = solve(covariance, limits)
        assert limits.turnover_of(weights) <= 0.3 + 1e-9
    np.testing.assert_allclose(least_risk(covariance, limits), [0.4, 0.3, 0.3], atol=1e-8)


def test_tracking_error_and_cash_keep_to_their_limits() -> None:
    market, benchmark = history(), {"stocks": 0.6, "bonds": 0.4}
    strategy = MeanVariance(
        ASSETS,
        least_invested=0.5,
        most_invested=1.2,
        constraints=(TrackingErrorLimit(benchmark, 0.03), Bounds(upper=0.9)),
    )
    targets = run_backtest(strategy, market, start="1970").targets[list(ASSETS)]
    returns = market.returns[list(ASSETS)]
    errors = []
    for date, target in targets.iterrows():
        away = target.to_numpy() - [0.6, 0.4, 0.0]
        covariance = returns.loc[:date].iloc[-10:].cov().to_numpy()
        errors.append(float(np.sqrt(away @ covariance @ away)))
    assert max(errors) <= 0.03 + 1e-7
    assert np.mean(np.isclose(errors, 0.03, atol=1e-6)) > 0.5
    assert targets.sum(axis=1).between(0.5 - 1e-9, 1.2 + 1e-9).all()


def test_a_short_position_needs_the_run_to_allow_it() -> None:
    strategy = MeanVariance(ASSETS, constraints=(Bounds(-0.3, 1.3),))
    with pytest.raises(StrategyError, match="a short needs allow_short=True"):
        run_backtest(strategy, history())
    assert run_backtest(strategy, history(), allow_short=True).targets.min().min() == pytest.approx(-0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_late_asset_is_left_out_until_it_has_a_window(kind: Callable[..., Any]) -> None:
    dates = pd.date_range("2000-01-31", periods=150, freq="ME")
    steps = np.random.default_rng(2).normal(0.003, 1.0, (150, 3)) * [0.04, 0.02, 0.04]
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=dates, columns=list(ASSETS))
    prices.loc[prices.index[:60], "gold"] = np.nan
    market = Market(prices, 0.02)
    constraints = (Group(("stocks", "gold"), at_least=0.2), TurnoverLimit(0.3))
    strategy = kind(ASSETS, late="leave_out", constraints=constraints)
    targets = run_backtest(strategy, market, rebalancing=Monthly()).targets
    assert targets.index[0] == market.index[36]
    assert (targets.loc[: market.index[95], "gold"] == 0.0).all()
    assert targets.loc[market.index[97] :, "gold"].max() > 0.0
    tracking = kind(ASSETS, late="leave_out", constraints=(TrackingErrorLimit({"gold": 1.0}, 0.5),))
    with pytest.raises(StrategyError, match=r"benchmark\['gold'\]: is left out for want of a full window"):
        run_backtest(tracking, market)
    with pytest.raises(InputError, match="late"):
        kind(ASSETS, late="ignore")


def test_the_daily_panel() -> None:
    """Ten funds by month on daily data, 2008 to now: the limits hold on every date."""
    path = SHARED / "data" / "daily_core_balanced.csv"
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{path.name}, which is not part of the project")
    prices = pd.read_csv(path, index_col=0, parse_dates=True)
    cash = prices.pop("BIL").pct_change().iloc[1:]
    funds = ("SPY", "IEF", "TLT", "GLD", "EFA", "EEM", "DBC", "TIP", "LQD", "VNQ")
    equities = ["SPY", "EFA", "EEM", "VNQ"]
    constraints = (Bounds(0.02, 0.25), Group(tuple(equities), 0.3, 0.6), TurnoverLimit(0.15))
    strategy = MaximumDiversification(funds, constraints=constraints)
    targets = run_backtest(strategy, Market(prices, cash), rebalancing=Monthly(), start="2020").targets
    assert len(targets) > 60
    chosen = targets[list(funds)]
    assert chosen.min().min() >= 0.02 - 1e-7
    assert chosen.max().max() <= 0.25 + 1e-7
    assert chosen[equities].sum(axis=1).between(0.3 - 1e-7, 0.6 + 1e-7).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-12)
