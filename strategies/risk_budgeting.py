"""Risk budgets under constraints on the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, SolverError
from strategies._amounts import check_known, is_mapping
from strategies._limits import LINEAR_KINDS, Limits, check_constraints, limits_on
from strategies._solvers import log_barrier, what_to_relax
from strategies.constraints import Constraint
from strategies.equal_risk import equal_risk_contribution

__all__ = ["ConstrainedRiskBudget", "constrained_risk_budget", "risk_budget_within", "weights_within"]

Array = NDArray[np.float64]
_EXACT = 1e-12  # residual of the optimality conditions, volatility and weights being about 1
_ON_LIMIT = 1e-9  # closer to a limit than this is on it
_MOST_LOG = 10.0  # of λ, which is 1 where nothing binds
_FAR = 1e3
_LEAST = 1e-4  # weight of an asset that is held
_SEARCH = "Newton's method"
_MOST_STEPS = 40


@final
@dataclass(frozen=True, eq=False)
class ConstrainedRiskBudget:
    """A portfolio of risk budgets under constraints.

    Attributes
    ----------
    weights
        Sum to 1; by asset.
    risk_shares
        Share of each asset in the variance, w_i (Σw)_i / w'Σw, which sum to 1: the budgets where no
        constraint binds.
    multiplier
        λ, in the unit of volatility: b_i λ is the contribution to the volatility of an asset that no
        constraint moves. Of :func:`risk_budget_within` it is the volatility.
    volatility
        √(w'Σw), of one period of the covariance.
    binding
        The limits that the portfolio is on, in words.
    """

    weights: pd.Series[float]
    risk_shares: pd.Series[float]
    multiplier: float
    volatility: float
    binding: tuple[str, ...]


def risk_budget_within(
    covariance: pd.DataFrame | Array,
    budget: Mapping[Any, float] | Sequence[float] | Array | None = None,
    *,
    constraints: tuple[Constraint, ...] = (),
) -> ConstrainedRiskBudget:
    """Return the portfolio within the constraints that comes closest to the risk budgets.

    Of all w > 0 that sum to 1 and are within the constraints it minimises ln σ(w) - Σ b_i ln w_i. Where
    nothing is constrained that is :func:`equal_risk_contribution`, and so it is where no constraint binds.
    There is one such portfolio whenever the constraints leave any, and it does not depend on how they are
    written. That cannot be said of the published definition, :func:`constrained_risk_budget`, where its
    "scaling puzzle" is explained; :class:`RiskParity` uses this one.

    Where constraints bind, risks are not as budgeted, nor equal among the others: read ``risk_shares``.

    Parameters
    ----------
    covariance
        Of returns, shape (n_assets, n_assets), in any unit; a DataFrame names the assets by its columns, of
        an array they are 0, 1, 2 and so on.
    budget
        Share of the risk of each asset, positive: in the order of the assets, or by asset; by default equal.
    constraints
        Any of :class:`Bounds`, :class:`Group`, :class:`Linear`, on the weights.

    Raises
    ------
    InputError
        If the covariance is none, a budget is not positive, or a constraint is not one on these assets.
    SolverError
        If no portfolio of all the assets is within the constraints, saying what to relax.
    """
    assets, matrix = _labelled(covariance)
    shares = _shares(budget, assets)
    check_constraints(constraints, assets, LINEAR_KINDS)
    limits = limits_on(constraints, assets)
    weights = weights_within(matrix, shares, limits)
    return _record(weights, float(np.sqrt(weights @ matrix @ weights)), matrix, limits)


def constrained_risk_budget(
    covariance: pd.DataFrame | Array,
    budget: Mapping[Any, float] | Sequence[float] | Array | None = None,
    *,
    constraints: tuple[Constraint, ...] = (),
) -> ConstrainedRiskBudget:
    """Return the constrained risk budgeting portfolio as Richard and Roncalli (2019) define it.

    The weights minimise σ(x) - λ Σ b_i ln x_i over the x > 0 within the constraints, with λ such that they
    sum to 1. Without a binding constraint they are those of :func:`equal_risk_contribution`.

    **Constrained equal risk is not equal risk.** The contribution of an asset to the volatility is
    w_i (Σw)_i / σ(w) = λ b_i, less w_i times the price of the binding constraints that name it. So the
    assets that no binding constraint names share risk by their budgets among themselves; read ``risk_shares``
    for the others.

    **The scaling puzzle** (Richard and Roncalli, 2019, Table 12). "Stocks at least 30 %" and "all else at
    most 70 %" are the same when weights sum to 1, and yet the answers differ, because the sum is brought
    about by λ and is no constraint itself: the first moves stocks, and the rest keep equal risk among
    themselves; the second moves the rest, and stocks keep it. Limits that portfolios can meet may have no λ
    at all, and where the binding limits fix the sum by themselves, such as both of the above, any λ would do:
    both are refused. So if you use this definition, name the assets that you mean to move; if not, use
    :func:`risk_budget_within`, whose answer depends on the limits and not on how they are written. It is this
    definition with each limit relative to the sum, "stocks at least 0.3 · (sum of all)".

    Arguments as :func:`risk_budget_within`.

    Raises
    ------
    InputError
        As there.
    SolverError
        If no portfolio is within the constraints, saying what to relax, or there is not one λ.

    References
    ----------
    Richard, Roncalli (2019), Constrained risk budgeting portfolios: theory, algorithms, applications and
    puzzles, arXiv 1902.05710.
    """
    assets, matrix = _labelled(covariance)
    shares = _shares(budget, assets)
    check_constraints(constraints, assets, LINEAR_KINDS)
    limits = limits_on(constraints, assets)
    problem, unit = _problem(matrix, shares, limits)
    if problem is None:
        return _record(equal_risk_contribution(matrix, shares), unit, matrix, limits)
    weights, multiplier = _search(problem)
    return _record(weights, multiplier * unit, matrix, limits)


def weights_within(covariance: Array, budget: Sequence[float] | Array | None, limits: Limits) -> Array:
    """Return the weights of :func:`risk_budget_within`, all in arrays.

    It is x / Σx, where x minimises σ(x) - Σ b_i ln x_i over the x > 0 within the limits relative to the sum:
    σ(s·w) - Σ b_i ln (s·w_i) is least at s = 1/σ(w), and there it is 1 + ln σ(w) - Σ b_i ln w_i.
    """
    problem, _ = _problem(covariance, budget, limits)
    if problem is None:
        return equal_risk_contribution(covariance, budget)
    walls = replace(
        problem.walls,
        rows=problem.walls.rows - problem.walls.ends[:, None],
        ends=np.zeros_like(problem.walls.ends),
    )
    problem = replace(problem, walls=walls)
    point = _barrier_point(problem, 1.0)
    point /= point.sum()
    finished = _finished(problem, point, float(np.sqrt(point @ problem.covariance @ point)))
    if finished is None:
        fix = "loosen limits that all but coincide, or shrink the covariance"
        raise SolverError(f"risk budget of {len(point)} assets", _SEARCH, "unsettled which limits bind", fix)
    return finished[0]


@dataclass(frozen=True, eq=False)
class _Walls:
    """The limits that can bind where every weight is above 0: rows @ x <= ends, or == where ``is_equal``."""

    rows: Array
    ends: Array
    is_equal: NDArray[np.bool_]
    labels: tuple[str, ...]

    def slack(self, weights: Array) -> Array:
        """Return the distance to each limit, negative beyond it; shape (n_limits,)."""
        distance = self.ends - self.rows @ weights
        return np.where(self.is_equal, -np.abs(distance), distance)


@dataclass(frozen=True, eq=False)
class _Problem:
    """In units in which the free portfolio has volatility 1, and so λ = 1."""

    covariance: Array
    shares: Array
    free: Array
    limits: Limits
    walls: _Walls


def _problem(
    covariance: Array, budget: Sequence[float] | Array | None, limits: Limits
) -> tuple[_Problem | None, float]:
    """Return the problem, None where no limit binds, and the volatility of the free portfolio, its unit."""
    free = equal_risk_contribution(covariance, budget)
    if limits.upper.min() <= 0.0:
        out = limits.assets[int(np.argmin(limits.upper))]
        raise InputError(
            "Bounds", "upper 0, but risk budgets hold every asset", asset=out, fix="leave it out"
        )
    unit, walls = float(np.sqrt(free @ covariance @ free)), _walls(limits)
    if walls.slack(free).min(initial=0.0) >= -_EXACT:
        return None, unit
    shares = np.ones(len(free)) if budget is None else np.asarray(budget, dtype=np.float64)
    return _Problem(covariance / unit**2, shares / shares.sum(), free, limits, walls), unit


def _walls(limits: Limits) -> _Walls:
    """Return the sides that can bind, scaled so that the largest coefficient is 1."""
    rows, low, high = limits.linear()
    bounds = slice(0, len(limits.assets))
    low[bounds] = np.where(low[bounds] <= 0.0, -np.inf, low[bounds])
    high[bounds] = np.where(high[bounds] >= 1.0, np.inf, high[bounds])
    size = np.abs(rows).max(axis=1)
    size[size == 0.0] = 1.0
    rows, low, high = rows / size[:, None], low / size, high / size
    meet = low == high
    over, under = np.flatnonzero(np.isfinite(high) & ~meet), np.flatnonzero(np.isfinite(low) & ~meet)
    exact = np.flatnonzero(meet)
    names = limits.linear_names()
    labels = [f"{names[k][1]} {high[k] * size[k]:g}" for k in over]
    labels += [f"{names[k][0]} {low[k] * size[k]:g}" for k in under]
    labels += [f"{names[k][1]} {high[k] * size[k]:g}" for k in exact]
    return _Walls(
        np.vstack([rows[over], -rows[under], rows[exact]]),
        np.concatenate([high[over], -low[under], high[exact]]),
        np.arange(len(labels)) >= len(over) + len(under),
        tuple(labels),
    )


def _search(problem: _Problem) -> tuple[Array, float]:
    """Return the weights and λ: bracket and halve ln λ until Newton's method finishes from there."""
    trial, step, low, high = 0.0, 0.25, -np.inf, np.inf
    while abs(trial) < _MOST_LOG and high - low > 1e-12:
        multiplier = float(np.exp(trial))
        point = _barrier_point(problem, multiplier)
        found = _finished(problem, point, multiplier)
        if found is not None:
            return found
        missing = 1.0 - float(point.sum())
        low, high = (trial, high) if missing > 0.0 else (low, trial)
        if np.isfinite(high - low):
            trial = 0.5 * (low + high)
        else:
            trial, step = trial + np.copysign(step, missing), 2.0 * step
    raise _no_multiplier(problem)


def _barrier_point(problem: _Problem, multiplier: float) -> Array:
    """Return the x of λ, solved for x over the free weights, which is about 1.

    That no weight is above 1 is not asked: where they sum to 1 it holds, but on the way there it would bind.
    """
    walls, scale = problem.walls, problem.free
    limits = replace(
        problem.limits,
        lower=np.zeros(len(scale)),
        upper=np.full(len(scale), _FAR),
        rows=walls.rows * scale,
        at_least=np.where(walls.is_equal, walls.ends, -np.inf),
        at_most=walls.ends,
        labels=walls.labels,
    )
    try:
        covariance = problem.covariance * np.outer(scale, scale)
        return scale * log_barrier(covariance, multiplier * problem.shares, limits)
    except SolverError as error:
        said = _relaxation(problem)
        if not said:
            raise
        raise SolverError(error.problem, error.solver, "infeasible", said) from None


def _relaxation(problem: _Problem) -> str:
    """Return what to relax for a portfolio that holds every asset; empty where there is one."""
    said = what_to_relax(problem.covariance, problem.limits, _LEAST)
    return f"no portfolio of all the assets is within all limits: relax {said}" if said else ""


def _no_multiplier(problem: _Problem) -> SolverError:
    fix = _relaxation(problem) or "loosen the limits, or use risk_budget_within, which needs no λ"
    return SolverError(
        f"risk budget of {len(problem.shares)} assets", _SEARCH, "no λ brings the sum to 1", fix
    )


# Newton's method on the conditions of optimality, with the limits that bind known


def _finished(problem: _Problem, point: Array, multiplier: float) -> tuple[Array, float] | None:
    """Return the exact solution, if the limits that ``point`` is on, or nearly these, are those that bind.

    Whatever the guess was, what is returned meets every condition of optimality and sums to 1.
    """
    walls = problem.walls
    binding = walls.is_equal | (walls.slack(point) < 1e-5)
    for _ in range(2 * len(binding) + 2):
        solution = _stationary(problem, point, multiplier, binding)
        if solution is None:
            return None
        weights, found, prices = solution
        price = np.zeros(len(binding))
        price[binding] = prices
        price[walls.is_equal] = 0.0
        beyond = np.where(binding, 0.0, walls.slack(weights))
        if found <= 0.0:
            return None
        if price.min(initial=0.0) < -_ON_LIMIT:
            binding[int(np.argmin(price))] = False
        elif beyond.min(initial=0.0) < -_EXACT:
            binding[int(np.argmin(beyond))] = True
        else:
            _check_determined(problem, binding)
            return weights, found
    return None


def _check_determined(problem: _Problem, binding: NDArray[np.bool_]) -> None:
    """Refuse limits that fix the sum of the weights but not the weights: any λ would do."""
    rows = problem.walls.rows[binding]
    rank = np.linalg.matrix_rank(rows) if len(rows) else 0
    n_assets = rows.shape[1]
    if rank < n_assets and np.linalg.matrix_rank(np.vstack([rows, np.ones(n_assets)])) == rank:
        labels = [label for label, binds in zip(problem.walls.labels, binding, strict=True) if binds]
        raise SolverError(
            f"risk budget of {n_assets} assets",
            _SEARCH,
            "λ is not determined",
            f"{' and '.join(labels)} fix the sum by themselves: leave one out, or use risk_budget_within",
        )


def _stationary(
    problem: _Problem, weights: Array, multiplier: float, binding: NDArray[np.bool_]
) -> tuple[Array, float, Array] | None:
    """Solve Σx / σ(x) + rows'p = λ b / x, rows x = ends, Σx = 1 for x, λ and p.

    The binding limits are taken for equalities. Newton's method, with steps that keep every weight above 0;
    where rows are redundant p is the smallest.
    """
    shares, rows, ends = problem.shares, problem.walls.rows[binding], problem.walls.ends[binding]
    n_assets, covariance = len(weights), problem.covariance
    sums, corner = np.vstack([rows, np.ones(n_assets)]), np.zeros((len(rows) + 1, len(rows) + 1))
    prices = np.zeros(len(rows))
    for _ in range(_MOST_STEPS):
        risk = float(np.sqrt(weights @ covariance @ weights))
        marginal, wanted = covariance @ weights / risk, shares / weights
        slope = marginal + rows.T @ prices - multiplier * wanted
        residual = np.concatenate([slope, rows @ weights - ends, [weights.sum() - 1.0]])
        if np.abs(residual).max() < _EXACT * max(1.0, float(multiplier * wanted.max())):
            return weights, multiplier, prices
        bend = (covariance - np.outer(marginal, marginal)) / risk + np.diag(multiplier * wanted / weights)
        jacobian = np.block([[bend, rows.T, -wanted[:, None]], [sums, corner]])
        step = np.linalg.lstsq(jacobian, -residual, rcond=None)[0]
        length = min(1.0, 0.9 / max(float((-step[:n_assets] / weights).max()), 1e-9))
        weights, prices = weights + length * step[:n_assets], prices + length * step[n_assets:-1]
        multiplier += length * float(step[-1])
    return None


def _record(weights: Array, multiplier: float, covariance: Array, limits: Limits) -> ConstrainedRiskBudget:
    walls, marginal = _walls(limits), covariance @ weights
    variance = float(weights @ marginal)
    index = pd.Index(limits.assets)
    on = np.flatnonzero(np.abs(walls.slack(weights)) < _ON_LIMIT)
    return ConstrainedRiskBudget(
        pd.Series(weights, index=index, name="weight"),
        pd.Series(weights * marginal / variance, index=index, name="share of risk"),
        multiplier,
        float(np.sqrt(variance)),
        tuple(walls.labels[k] for k in on),
    )


def _labelled(covariance: pd.DataFrame | Array) -> tuple[tuple[Any, ...], Array]:
    """Return the names of the assets and the matrix."""
    matrix = np.array(covariance, dtype=np.float64)
    if matrix.ndim != 2:
        raise InputError("covariance", f"shape {matrix.shape} is not square", fix="pass one matrix")
    if not isinstance(covariance, pd.DataFrame):
        return tuple(range(len(matrix))), matrix
    if not covariance.columns.is_unique or list(covariance.index) != list(covariance.columns):
        raise InputError("covariance", "its rows and columns do not name the same assets, each once")
    return tuple(covariance.columns), matrix


def _shares(budget: Any, assets: tuple[Any, ...]) -> Sequence[float] | Array | None:
    """Return the budget in the order of the assets; its size and signs are checked with the covariance."""
    if budget is None or not is_mapping(budget):
        return budget  # type: ignore[no-any-return]
    for asset in budget.keys():  # noqa: SIM118 (a Series has values)
        check_known("budget", asset, assets)
    for asset in assets:
        if asset not in budget:
            raise InputError("budget", "is missing", asset=asset, fix="give one for every asset")
    return np.array([float(budget[asset]) for asset in assets])
