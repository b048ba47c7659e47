"""Constraints as numbers: what the solvers and the checks of the strategies see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from strategies._amounts import as_tuple, check_known
from strategies.constraints import (
    FRACTIONS,
    Bounds,
    Constraint,
    Group,
    Linear,
    TrackingErrorLimit,
    TurnoverLimit,
)

__all__ = ["LINEAR_KINDS", "Limits", "Side", "check_constraints", "limits_on", "looks_at_holdings"]

Array = NDArray[np.float64]
LINEAR_KINDS = (Bounds, Group, Linear)


@dataclass(frozen=True, eq=False)
class Side:
    """One side of one limit, to be named: what is measured is held by ``value``.

    ``sign`` is 1 for a limit from above, -1 from below. ``measure`` is ``"bound"`` or ``"linear"``, of
    ``row @ w``, or ``"turnover"`` or ``"tracking"``, without a row.
    """

    measure: str
    label: str
    value: float
    sign: float = 1.0
    row: Array = field(default_factory=lambda: np.zeros(0))

    def relaxed(self, slack: float) -> str:
        """Return what to change, rounded to the loose side."""
        value = self.value + self.sign * slack
        loose = self.sign * np.ceil(self.sign * value * 1e4 - 1e-3) / 1e4
        return f"{self.label} from {self.value:g} to {loose:.6g}"

    def __str__(self) -> str:
        return f"{self.label} {self.value:g}"


@dataclass(frozen=True, eq=False)
class Limits:
    """Constraints as numbers, on the assets of one decision.

    Attributes
    ----------
    assets
        Their names.
    lower, upper
        Shape (n_assets,).
    rows
        Coefficients of the linear limits, shape (n_limits, n_assets).
    at_least, at_most
        Shape (n_limits,); infinite where there is none.
    labels
        What errors call the linear limits.
    has_bounds
        Whether the bounds were asked for, and so could be relaxed.
    turnover, held, elsewhere
        The most turnover, or None; the weights held in these assets, shape (n_assets,); and the sum of the
        absolute weights that are held in others, all of which will be sold.
    tracking, benchmark
        The most tracking error, annualised, or None; and the benchmark, shape (n_assets,).
    """

    assets: tuple[Any, ...]
    lower: Array
    upper: Array
    rows: Array
    at_least: Array
    at_most: Array
    labels: tuple[str, ...]
    has_bounds: bool
    turnover: float | None = None
    held: Array = field(default_factory=lambda: np.zeros(0))
    elsewhere: tuple[float, float] = (0.0, 0.0)
    tracking: float | None = None
    benchmark: Array = field(default_factory=lambda: np.zeros(0))

    def linear(self) -> tuple[Array, Array, Array]:
        """Return the bounds and the linear limits as one: rows, and the least and the most of rows @ w."""
        rows = np.vstack([np.eye(len(self.assets)), self.rows])
        return rows, np.append(self.lower, self.at_least), np.append(self.upper, self.at_most)

    def linear_names(self) -> list[tuple[str, str]]:
        """Return what errors call the two sides of each row of :meth:`linear`."""
        bounds = [(f"Bounds lower[{asset!r}]", f"Bounds upper[{asset!r}]") for asset in self.assets]
        return bounds + [(f"{label} at_least", f"{label} at_most") for label in self.labels]

    def sides(self) -> list[Side]:
        """Return each side of each limit: bounds, linear ones, turnover, tracking error."""
        sides, (rows, low, high) = [], self.linear()
        for k, (below, above) in enumerate(self.linear_names()):
            measure = "bound" if k < len(self.assets) else "linear"
            sides.append(Side(measure, below, float(low[k]), -1.0, rows[k]))
            sides.append(Side(measure, above, float(high[k]), 1.0, rows[k]))
        if self.turnover is not None:
            sides.append(Side("turnover", "TurnoverLimit at_most", self.turnover))
        if self.tracking is not None:
            sides.append(Side("tracking", "TrackingErrorLimit at_most", self.tracking))
        return [side for side in sides if np.isfinite(side.value)]

    def turnover_of(self, weights: Array) -> float:
        """Return half the sum of the changes of all weights, that of cash included."""
        gross, net = self.elsewhere
        cash = float(weights.sum() - self.held.sum() - net)
        return 0.5 * (float(np.abs(weights - self.held).sum()) + gross + abs(cash))


def limits_on(
    constraints: Sequence[Constraint], assets: Sequence[Any], held: Mapping[Any, float] | None = None
) -> Limits:
    """Return constraints as numbers, for the assets of one decision and what is held then.

    Sums are over these assets: what was left out for want of history weighs nothing.
    """
    names = tuple(assets)
    lower, upper, bounds = np.zeros(len(names)), np.ones(len(names)), None
    linear: list[tuple[Array, float | None, float | None, str]] = []
    more: dict[str, Any] = {}
    for constraint in constraints:
        match constraint:
            case Bounds():
                bounds = constraint
                lower, upper = _vector(constraint.lower, names, 0.0), _vector(constraint.upper, names, 1.0)
            case Group():
                row = np.array([float(asset in constraint.assets) for asset in names])
                linear.append((row, constraint.at_least, constraint.at_most, constraint.label))
            case Linear():
                row = _vector(constraint.coefficients, names, 0.0)
                linear.append((row, constraint.at_least, constraint.at_most, constraint.label))
            case TurnoverLimit():
                more |= _turnover(constraint, names, held or {})
            case TrackingErrorLimit():
                more |= _tracking(constraint, names)
    return Limits(
        names,
        lower,
        upper,
        np.array([row for row, *_ in linear]).reshape(len(linear), len(names)),
        np.array([-np.inf if low is None else low for _, low, _, _ in linear]),
        np.array([np.inf if high is None else high for _, _, high, _ in linear]),
        tuple(label for *_, label in linear),
        bounds is not None,
        **more,
    )


def _turnover(limit: TurnoverLimit, names: tuple[Any, ...], held: Mapping[Any, float]) -> dict[str, Any]:
    if not held:
        return {}
    others = [float(weight) for asset, weight in held.items() if asset not in names]
    return {
        "turnover": limit.at_most,
        "held": np.array([float(held.get(asset, 0.0)) for asset in names]),
        "elsewhere": (float(np.abs(others).sum()), float(np.sum(others))),
    }


def _tracking(limit: TrackingErrorLimit, names: tuple[Any, ...]) -> dict[str, Any]:
    for asset in limit.benchmark:
        if asset not in names:
            raise InputError(
                "TrackingErrorLimit.benchmark",
                "is left out for want of a full window, so that nothing can be measured against it",
                asset=asset,
                fix="use late='wait' or another benchmark",
            )
    return {"tracking": limit.at_most, "benchmark": _vector(limit.benchmark, names, 0.0)}


def looks_at_holdings(constraints: Sequence[Constraint]) -> bool:
    """Return whether a limit needs to know what is held."""
    return any(isinstance(constraint, TurnoverLimit) for constraint in constraints)


def check_constraints(
    constraints: Sequence[Constraint],
    assets: Sequence[Any],
    kinds: tuple[Any, ...] = get_args(Constraint),
    invested: tuple[float, float] = (1.0, 1.0),
) -> tuple[Constraint, ...]:
    """Return constraints as a tuple of their own.

    Refuse what is no constraint, names an asset that is not there, or leaves no portfolio.

    Parameters
    ----------
    constraints
        As a person gave them.
    assets
        Of the strategy.
    kinds
        Of constraints that the strategy takes.
    invested
        The least and the most that the weights sum to.
    """
    given = as_tuple("constraints", constraints, "pass a tuple: (Bounds(upper=0.4),)")
    for constraint in given:
        if not isinstance(constraint, kinds):
            known = ", ".join(kind.__name__ for kind in kinds)
            raise InputError("constraints", f"{constraint!r} has no place here", fix=f"these do: {known}")
        for asset in _assets_of(constraint):
            check_known(type(constraint).__name__, asset, assets)
    for once in (Bounds, TurnoverLimit, TrackingErrorLimit):
        if sum(isinstance(constraint, once) for constraint in given) > 1:
            raise InputError("constraints", f"two {once.__name__}", fix="say it in one")
    limits = limits_on(given, assets)
    _check_sums(limits, invested)
    if limits.lower.min() >= 0.0:  # with short positions others may be more than the whole portfolio
        _check_fractions(given, limits, invested[1])
    return given


def _check_sums(limits: Limits, invested: tuple[float, float]) -> None:
    """Refuse bounds whose sums cannot be what is to be invested."""
    low, high = float(limits.lower.sum()), float(limits.upper.sum())
    if low > invested[1] + 1e-9 or high < invested[0] - 1e-9:
        problem = f"let the weights sum to {low:g} to {high:g}, not {invested[0]:g}"
        raise InputError("Bounds", problem, fix="widen them")


def _check_fractions(constraints: Sequence[Constraint], limits: Limits, most: float) -> None:
    """Refuse a limit beyond the whole portfolio: it is percent, or says nothing."""
    said = [(f"Bounds.upper[{a!r}]", "is", u) for a, u in zip(limits.assets, limits.upper, strict=True)]
    for constraint in constraints:
        if isinstance(constraint, Group):
            said.append((constraint.label, "at_most", constraint.at_most or 0.0))
            said.append((constraint.label, "at_least", constraint.at_least or 0.0))
    for label, side, value in said:
        if value > max(most, 1.0) + 1e-9:
            problem = f"{side} {value:g} is more than the whole portfolio, {most:g}"
            raise InputError(label, problem.removeprefix("is "), fix=FRACTIONS)


def _assets_of(constraint: Constraint) -> Sequence[Any]:
    match constraint:
        case Bounds():
            return [*_named(constraint.lower), *_named(constraint.upper)]
        case Group():
            return constraint.assets
        case Linear():
            return list(constraint.coefficients)
        case TrackingErrorLimit():
            return list(constraint.benchmark)
    return ()


def _named(given: Any) -> Sequence[Any]:
    return list(given) if isinstance(given, Mapping) else []


def _vector(given: Any, names: tuple[Any, ...], default: float) -> Array:
    """Return one number for all, or numbers by asset, as an array."""
    if not isinstance(given, Mapping):
        return np.full(len(names), float(given))
    return np.array([given.get(asset, default) for asset in names], dtype=np.float64)
