"""Limits on weights: what a person may write, how it reads, and what is refused at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import strategies
from allocator.errors import InputError
from strategies import (
    Bounds,
    Group,
    Linear,
    MaximumDiversification,
    MeanVariance,
    MinimumVariance,
    RiskParity,
    TrackingErrorLimit,
    TurnoverLimit,
)
from strategies._limits import limits_on

ASSETS = ("stocks", "bonds", "gold")
EVERY = (
    Bounds(lower={"gold": 0.05}, upper=0.6),
    Group(("stocks", "gold"), at_least=0.2, at_most=0.7, name="real"),
    Linear({"bonds": 7.5, "stocks": 0.0}, at_most=5.0, name="duration"),
    TurnoverLimit(0.1),
    TrackingErrorLimit({"stocks": 0.6, "bonds": 0.4}, 0.05),
)


@pytest.mark.parametrize("constraint", EVERY, ids=lambda c: type(c).__name__)
def test_constraints_are_values(constraint: Any) -> None:
    same = eval(repr(constraint), vars(strategies))
    assert same == constraint
    assert hash(same) == hash(constraint)
    with pytest.raises(AttributeError):
        constraint.at_most = 1.0


def test_numbers_by_asset_are_copied() -> None:
    amounts = {"stocks": 0.1}
    bounds, linear = Bounds(lower=amounts), Linear(pd.Series(amounts), at_most=1.0)
    amounts["stocks"] = 0.9
    assert bounds.lower == linear.coefficients == {"stocks": 0.1}
    with pytest.raises(TypeError):
        bounds.lower["stocks"] = 0.9  # type: ignore[index]


def test_strategies_with_every_constraint_are_frozen_equal_and_hashable() -> None:
    for kind in (MinimumVariance, MaximumDiversification, MeanVariance):
        strategy = kind(ASSETS, constraints=EVERY)
        assert eval(repr(strategy), vars(strategies)) == strategy
        assert len({strategy, kind(ASSETS, constraints=EVERY), kind(ASSETS)}) == 2
        assert strategy.sees_holdings
        assert not kind(ASSETS, constraints=EVERY[:3]).sees_holdings
    views = MeanVariance(ASSETS, {"stocks": 0.05, "bonds": 0.01, "gold": 0.02})
    assert eval(repr(views), vars(strategies)) == views
    assert hash(views)


def test_limits_are_the_numbers_of_the_assets_of_a_decision() -> None:
    """In another order, one asset short: what was left out weighs nothing."""
    held = {"stocks": 0.5, "gold": 0.2, "oil": 0.25}
    limits = limits_on(EVERY, ("gold", "stocks", "bonds"), held)
    np.testing.assert_array_equal(limits.lower, [0.05, 0.0, 0.0])
    np.testing.assert_array_equal(limits.upper, [0.6, 0.6, 0.6])
    np.testing.assert_array_equal(limits.rows, [[1.0, 1.0, 0.0], [0.0, 0.0, 7.5]])
    np.testing.assert_array_equal(limits.at_least, [0.2, -np.inf])
    np.testing.assert_array_equal(limits.held, [0.2, 0.5, 0.0])
    np.testing.assert_array_equal(limits.benchmark, [0.0, 0.6, 0.4])
    # To gold 0.3, stocks 0.5, bonds 0.2: gold +0.1, bonds +0.2, oil -0.25, cash -0.05.
    assert limits.turnover_of(np.array([0.3, 0.5, 0.2])) == pytest.approx(0.3)
    assert limits_on(EVERY[:2], ("gold", "bonds")).rows.tolist() == [[1.0, 0.0]]
    assert limits_on(EVERY, ASSETS, {}).turnover is None


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Bounds(0.5, 0.4), "Bounds: lower 0.5 is more than upper 0.4"),
        (lambda: Bounds({"gold": 0.5}, {"gold": 0.4}), r"Bounds\['gold'\]: lower 0.5 is more"),
        (lambda: Bounds({"gold": 1.5}), r"Bounds\['gold'\]: lower 1.5 is more than upper 1"),
        (lambda: Bounds(upper=40), "Bounds.upper: is 40; pass fractions: 40 % is 0.40"),
        (lambda: Bounds({"gold": float("nan")}), r"Bounds.lower\['gold'\]: is nan"),
        (lambda: Bounds("all"), "Bounds.lower: 'all' is not a number"),
        (lambda: Bounds({}), "Bounds.lower: {}; pass {asset: number}"),
        (lambda: Group((), at_most=0.5), r"Group.assets: \(\); name at least one"),
        (lambda: Group("gold", at_most=0.5), "Group.assets: 'gold'"),
        (lambda: Group(("gold", "gold"), at_most=0.5), "Group.assets: .*each once"),
        (lambda: Group(("gold",)), "Group: has no limit; give at_least or at_most"),
        (lambda: Group(("gold",), 0.6, 0.5), "Group: at_least 0.6 is more than at_most 0.5"),
        (lambda: Group(("gold",), at_most=60), "Group.at_most: is 60; pass fractions"),
        (lambda: Linear([1.0], at_most=1.0), "Linear.coefficients: .*pass {asset: number}"),
        (lambda: Linear({"gold": 0.0}, at_most=1.0), "Linear.coefficients: .*nothing to limit"),
        (lambda: Linear({"gold": 1.0}), "Linear: has no limit"),
        (lambda: TurnoverLimit(0.0), "TurnoverLimit.at_most: 0.0 .*use BuyAndHold"),
        (lambda: TurnoverLimit(10), "TurnoverLimit.at_most: 10 .*a tenth of the portfolio is 0.1"),
        (lambda: TrackingErrorLimit({"gold": 1.0}, 2), "TrackingErrorLimit.at_most: 2 .*2 % a year is 0.02"),
        (lambda: TrackingErrorLimit({"gold": 60}, 0.02), r"TrackingErrorLimit.benchmark\['gold'\]: is 60"),
        (lambda: TrackingErrorLimit({}, 0.02), "TrackingErrorLimit.benchmark: {}"),
    ],
)
def test_constraints_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        (Bounds(), r"constraints: Bounds\(.*\); pass a tuple: \(Bounds\(upper=0.4\),\)"),
        (None, "constraints: None; pass a tuple"),
        ({Bounds()}, "constraints: {.*}; pass a tuple"),
        ((0.5,), "constraints: 0.5 has no place here; these do: Bounds, Group, Linear, Turn"),
        ((Bounds(), Bounds()), "constraints: two Bounds; say it in one"),
        ((Bounds(upper={"golds": 0.5}),), r"Bounds\['golds'\]: is not one .*did you mean 'gold'\?"),
        ((Group(("oil",), 0.1),), r"Group\['oil'\]: is not one .*the assets are stocks, bonds, gold"),
        ((Linear({"bond": 1.0}, at_most=1.0),), r"Linear\['bond'\]: .*'bonds'\?"),
        ((TrackingErrorLimit({"SPY": 1.0}, 0.02),), r"TrackingErrorLimit\['SPY'\]: is not one"),
        ((Bounds(upper=0.3),), "Bounds: let the weights sum to 0 to 0.9, not 1; widen them"),
        ((Bounds(lower=0.4),), "Bounds: let the weights sum to 1.2 to 3, not 1"),
        ((Bounds(upper=5),), r"Bounds.upper\['stocks'\]: 5 is more than the whole portfolio, 1; pass fr"),
        ((Group(("gold",), at_most=5),), r"Group\('gold'\): at_most 5 is more than the whole portfolio"),
        ((Group(("gold",), at_least=5),), r"Group\('gold'\): at_least 5 is more than the whole portfolio"),
    ],
)
def test_constraints_that_a_strategy_refuses(constraints: Any, words: str) -> None:
    for kind in (MinimumVariance, MaximumDiversification, MeanVariance):
        with pytest.raises(InputError, match=words):
            kind(ASSETS, constraints=constraints)


def test_risk_budgets_take_linear_constraints_only() -> None:
    for constraint in EVERY[3:]:
        with pytest.raises(InputError, match=r"has no place here; these do: Bounds, Group, Linear$"):
            RiskParity(ASSETS, constraints=(constraint,))


def test_what_is_borrowed_and_sold_short_may_be_more_than_the_portfolio() -> None:
    assert MeanVariance(ASSETS, most_invested=2.0, constraints=(Bounds(upper=1.5),))
    assert MeanVariance(ASSETS, constraints=(Bounds(-0.3, 1.3), Group(("stocks", "gold"), at_most=1.2)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"risk_aversion": 0.0}, "risk_aversion: 0.0"),
        ({"most_invested": 0.5}, "least_invested: 1.0 to 0.5"),
        ({"least_invested": 100, "most_invested": 100}, "least_invested: 100 to 100"),
        ({"expected_returns": {"stocks": 0.05, "bonds": 0.01}}, r"expected_returns\['gold'\]: is missing"),
        ({"expected_returns": {"golds": 0.05}}, r"expected_returns\['golds'\]: .*mean 'gold'"),
        ({"expected_returns": {"gold": 5}}, r"expected_returns\['gold'\]: is 5; .*4 % is 0.04"),
    ],
)
def test_mean_variance_arguments_that_are_refused(arguments: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        MeanVariance(ASSETS, **arguments)
