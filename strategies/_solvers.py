"""The one door to cvxpy: portfolio problems, scaled, compiled once, solved by one solver, checked.

Problems of the same shape (number of assets, of limits, which kinds) share one compiled cvxpy problem, whose
parameters are set for each date (disciplined parametrised programming). A compiled problem is mutable, and
cvxpy's counters are shared: one lock guards both, so that threads take turns; each process has its own. What
was solved before does not change what is solved next.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError, SolverError
from strategies._limits import Limits, Side

__all__ = ["best_trade_off", "least_risk", "log_barrier", "most_diversified", "what_to_relax"]

Array = NDArray[np.float64]
_SOLVER = "CLARABEL"
# Gap and feasibility of a problem scaled to about 1, tried in this order. Curved cones do not get to the
# precision of a quadratic problem; of the logarithms the caller only wants to know which limits bind.
_QUADRATIC, _CONIC, _LOGARITHMIC = (1e-12, 1e-9), (1e-9, 1e-8), (1e-8, 1e-6)
_MOST_STEPS = 200
_ALLOWED = 1e-7  # most that a solution may be beyond a limit
_ZERO = 1e-9  # a smaller weight is the solver's zero
_LOCK = threading.RLock()


@dataclass(frozen=True, eq=False)
class _Task:
    """One problem of one date.

    ``factor`` is F with F'F = Σ / unit², so that the risk is unit·‖F w‖. Of these three, one at most:
    ``reward``, what a weight earns in the unit of ½‖F w‖²; ``ratio``, the volatilities whose weighted sum is
    held at 1 while the size of the portfolio is free; ``barrier``, the factors of the logarithms.
    """

    name: str
    limits: Limits
    factor: Array
    unit: float
    invested: tuple[float, float] = (1.0, 1.0)
    reward: Array | None = None
    ratio: Array | None = None
    barrier: Array | None = None


class _Shape(NamedTuple):
    """What two tasks must share to share a compiled problem."""

    n_assets: int
    n_above: int
    n_equal: int
    has_turnover: bool
    has_tracking: bool
    is_ratio: bool
    is_log: bool


class _Program(NamedTuple):
    """A compiled problem: set the parameters, solve, read portfolio / size."""

    problem: Any
    parameters: dict[str, Any]
    portfolio: Any
    size: Any


def least_risk(covariance: Array, limits: Limits) -> Array:
    """Return the weights, summing to 1, of the least variance within the limits.

    Parameters
    ----------
    covariance
        Annualised, shape (n_assets, n_assets), positive semidefinite.
    limits
        On the weights.

    Raises
    ------
    SolverError
        If no portfolio is within the limits, or the solver did not get to the optimum.
    """
    factor, unit = _scaled(covariance)
    return _weights(_Task("minimum variance", limits, factor, unit))


def most_diversified(covariance: Array, limits: Limits) -> Array:
    """Return the weights, summing to 1, of the largest diversification ratio w'σ / √(w'Σw) within the limits.

    The ratio does not change with the size s of y = s·w: the largest is that of the least variance among the
    y with σ'y = 1, whose limits are those of w, times s. Arguments and errors as :func:`least_risk`.
    """
    factor, unit = _scaled(covariance)
    volatility = np.sqrt(np.asarray(covariance).diagonal()) / unit
    return _weights(_Task("maximum diversification", limits, factor, unit, ratio=volatility))


def best_trade_off(
    covariance: Array, rewards: Array, aversion: float, limits: Limits, invested: tuple[float, float]
) -> Array:
    """Return the weights that maximise rewards'w - aversion/2 · w'Σw within the limits.

    Parameters
    ----------
    covariance, rewards
        Both annualised, shapes (n_assets, n_assets) and (n_assets,).
    aversion
        To variance, positive.
    limits
        On the weights.
    invested
        The least and the most that the weights sum to.
    """
    factor, unit = _scaled(covariance)
    reward = rewards / (aversion * unit**2)
    large = max(1.0, float(np.abs(reward).max()))
    factor, unit, reward = factor / np.sqrt(large), unit * np.sqrt(large), reward / large
    return _weights(_Task("mean-variance", limits, factor, unit, invested, reward))


def log_barrier(covariance: Array, barrier: Array, limits: Limits) -> Array:
    """Return x > 0 within the limits that minimises σ(x) - Σ barrier_i ln x_i; nothing is asked of its sum.

    The covariance is taken as it is: scale it, so that σ(x) and each x are about 1. The answer is good to
    about 1e-6, enough to see which limits bind.
    """
    return _solved(_Task("risk budget", limits, _factor(covariance), 1.0, barrier=barrier))


def what_to_relax(covariance: Array, limits: Limits, least: float) -> str:
    """Return what to relax for a portfolio that sums to 1 to be within the limits; empty where one is.

    ``least`` is the least weight of each asset, which is not relaxed.
    """
    factor, unit = _scaled(covariance)
    return _relaxation(_Task("", limits, factor, unit), least)


# Scaling


def _scaled(covariance: Array) -> tuple[Array, float]:
    """Return F with F'F = Σ / unit², where unit is the least volatility were nothing correlated."""
    matrix = np.asarray(covariance, dtype=np.float64)
    unit = float(1.0 / np.sqrt(np.sum(1.0 / matrix.diagonal())))
    return _factor(matrix / unit**2), unit


def _factor(matrix: Array) -> Array:
    """Return a triangular F with F'F = matrix, refusing a matrix with a negative variance."""
    try:
        return np.asarray(np.linalg.cholesky(matrix).T)
    except np.linalg.LinAlgError:  # singular, or worse
        values, vectors = np.linalg.eigh(matrix)
    if not values[0] >= -1e-10 * values[-1]:
        raise InputError(
            "covariance",
            f"has a negative variance: smallest eigenvalue {values[0] / values[-1]:.1e} of the largest",
            fix="estimate all of it from the same rows, or shrink it",
        )
    return np.asarray(np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T, mode="r"))


def _values(task: _Task) -> dict[str, Any]:
    """Return the parameters of the compiled problem."""
    limits, values = task.limits, _linear_values(task)
    reward = np.zeros(len(limits.assets)) if task.reward is None else task.reward
    values |= {"factor": task.factor, "reward": reward, "ratio": task.ratio, "barrier": task.barrier}
    if limits.turnover is not None:
        gross, net = limits.elsewhere
        values |= {"held": limits.held, "invested": limits.held.sum() + net}
        values["changes"] = 2.0 * limits.turnover - gross
    if limits.tracking is not None:
        values |= {"benchmark": task.factor @ limits.benchmark, "tracking": limits.tracking / task.unit}
    return values


def _linear_values(task: _Task) -> dict[str, Any]:
    """Return ``above @ w <= most``, ``equal @ w == exact`` and the bounds.

    Where two sides meet there is one equality: an interior-point method wants an interior.
    """
    limits, n_assets = task.limits, len(task.limits.assets)
    rows, low, high = limits.rows, limits.at_least, limits.at_most
    if task.barrier is None:
        rows = np.vstack([rows, np.ones(n_assets)])
        low, high = np.append(low, task.invested[0]), np.append(high, task.invested[1])
    size = np.abs(rows).max(axis=1, initial=0.0)
    size[size == 0.0] = 1.0
    rows, low, high = rows / size[:, None], low / size, high / size
    meet, pinned = low == high, limits.lower == limits.upper
    over, under = np.isfinite(high) & ~meet, np.isfinite(low) & ~meet
    return {
        "above": np.vstack([rows[over], -rows[under]]),
        "most": np.concatenate([high[over], -low[under]]),
        "equal": np.vstack([rows[meet], np.eye(n_assets)[pinned]]),
        "exact": np.concatenate([high[meet], limits.upper[pinned]]),
        "lower": limits.lower - pinned,
        "upper": limits.upper + pinned,
    }


# Compiled problems


def _cvxpy() -> Any:
    import cvxpy

    return cvxpy


@lru_cache(maxsize=32)
def _program(shape: _Shape) -> _Program:
    """Return the problem of a shape; cvxpy compiles it the first time it is solved."""
    cp = _cvxpy()
    given = _parameters(cp, shape)
    portfolio, risk = cp.Variable(shape.n_assets), cp.Variable(shape.n_assets)
    size = cp.Variable() if shape.is_ratio else 1.0
    rules = [risk == given["factor"] @ portfolio, *_rules(cp, shape, given, portfolio, risk, size)]
    if shape.is_log:
        objective = cp.norm(risk, 2) - given["barrier"] @ cp.log(portfolio)
    else:
        objective = cp.sum_squares(risk) / 2.0 - given["reward"] @ portfolio
    return _Program(cp.Problem(cp.Minimize(objective), rules), given, portfolio, size)


def _parameters(cp: Any, shape: _Shape) -> dict[str, Any]:
    n_assets = shape.n_assets
    vectors = ("lower", "upper", "reward", "ratio", "held", "benchmark")
    sizes: dict[str, Any] = dict.fromkeys(vectors, n_assets)
    sizes |= dict.fromkeys(("invested", "changes", "tracking"), ())
    sizes |= {"factor": (n_assets, n_assets)}
    if shape.n_above:
        sizes |= {"above": (shape.n_above, n_assets), "most": shape.n_above}
    if shape.n_equal:
        sizes |= {"equal": (shape.n_equal, n_assets), "exact": shape.n_equal}
    return {name: cp.Parameter(size) for name, size in sizes.items()} | {
        "barrier": cp.Parameter(n_assets, nonneg=True)
    }


def _rules(cp: Any, shape: _Shape, given: dict[str, Any], portfolio: Any, risk: Any, size: Any) -> list[Any]:
    """Return the limits on portfolio / size, multiplied out."""
    rules = [portfolio >= given["lower"] * size, portfolio <= given["upper"] * size]
    if shape.n_above:
        rules.append(given["above"] @ portfolio <= given["most"] * size)
    if shape.n_equal:
        rules.append(given["equal"] @ portfolio == given["exact"] * size)
    if shape.is_ratio:
        rules.append(given["ratio"] @ portfolio == 1.0)
    if shape.has_turnover:
        cash = cp.abs(cp.sum(portfolio) - given["invested"] * size)
        rules.append(cp.norm(portfolio - given["held"] * size, 1) + cash <= given["changes"] * size)
    if shape.has_tracking:
        rules.append(cp.norm(risk - given["benchmark"] * size, 2) <= given["tracking"] * size)
    return rules


# Solving


def _solved(task: _Task) -> Array:
    """Return what the solver calls optimal, and nothing else."""
    values, limits = _values(task), task.limits
    has_tracking, is_log = limits.tracking is not None, task.barrier is not None
    shape = _Shape(
        len(limits.assets),
        len(values["above"]),
        len(values["equal"]),
        limits.turnover is not None,
        has_tracking,
        task.ratio is not None,
        is_log,
    )
    with _LOCK:
        program = _program(shape)
        for name in program.parameters.keys() & values.keys():
            program.parameters[name].value = values[name]
        tolerances = _LOGARITHMIC if is_log else _CONIC if has_tracking else _QUADRATIC
        status, found = _run(program.problem, tolerances)
    if status != "optimal":
        raise SolverError(f"{task.name} of {shape.n_assets} assets", _SOLVER, status, _advice(task))
    size = float(found[program.size.id]) if shape.is_ratio else 1.0
    return np.asarray(found[program.portfolio.id] / size)


def _run(problem: Any, tolerances: tuple[float, ...]) -> tuple[str, dict[int, Array]]:
    """Return the status and the variables of the first tolerance that is met, or of the last.

    Not ``problem.solve``, which answers an inaccurate solution with a warning.
    """
    status, found = "", {}
    for tolerance in tolerances:
        options: dict[str, Any] = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
        options |= {"max_iter": _MOST_STEPS, "direct_solve_method": "qdldl"}
        try:
            data, chain, inverse = problem.get_problem_data(_SOLVER, solver_opts=options)
            answer = chain.solve_via_data(problem, data, False, False, options)
            solution = chain.invert(answer, inverse)
        except Exception as error:  # whatever a solver raises, it has not solved
            return f"{type(error).__name__}: {error}", {}
        status, found = solution.status, solution.primal_vars
        if status in ("optimal", "infeasible", "unbounded"):
            break
    return status, found


def _weights(task: _Task) -> Array:
    """Solve, take the solver's zeros for zeros, and hold the weights to every limit."""
    limits = task.limits
    weights = _solved(task)
    weights = np.where(np.abs(weights) < _ZERO, 0.0, weights)
    weights = np.clip(weights, limits.lower, limits.upper)
    total = float(weights.sum())
    wanted = float(np.clip(total, *task.invested))
    if 0.0 < abs(total - wanted) < 1e-6 and total > 0.0:
        weights = weights * (wanted / total)
    excess, label = _largest_breach(task, weights)
    if not excess <= _ALLOWED:
        problem = f"{task.name} of {len(weights)} assets, which breaks {label} by {excess:.1e}"
        raise SolverError(
            problem, _SOLVER, "optimal", "loosen it, or leave out what makes the problem singular"
        )
    return weights


def _largest_breach(task: _Task, weights: Array) -> tuple[float, str]:
    """Return by how much the weights are beyond a limit, relative to coefficients above 1, and of which."""
    limits = task.limits
    breaches = [(abs(float(np.clip(weights.sum(), *task.invested) - weights.sum())), "the sum")]
    for side in limits.sides():
        if side.measure in ("bound", "linear"):
            size = max(1.0, float(np.abs(side.row).max()))
            breaches.append((side.sign * float(side.row @ weights - side.value) / size, str(side)))
        elif side.measure == "turnover":
            breaches.append((limits.turnover_of(weights) - side.value, str(side)))
        else:
            error = task.unit * float(np.linalg.norm(task.factor @ (weights - limits.benchmark)))
            breaches.append((error - side.value, str(side)))
    return max(breaches)


# What to relax


def _advice(task: _Task) -> str:
    said = _relaxation(task)
    if said:
        return f"no portfolio is within all limits: relax {said}"
    values = np.linalg.svd(task.factor, compute_uv=False) ** 2
    return (
        "shrink the covariance or use a longer window (its smallest eigenvalue is "
        f"{values[-1] / values[0]:.0e} of its largest), or loosen limits that leave next to no choice"
    )


def _relaxation(task: _Task, least: float = -np.inf) -> str:
    """Return the limit that has to give the least alone, or all those that have to give together."""
    sides = [side for side in task.limits.sides() if task.limits.has_bounds or side.measure != "bound"]
    if not sides:
        return ""
    with _LOCK:
        together = _least_slack(task, sides, list(range(len(sides))), least)
        if together is None or not (together > 1e-6).any():
            return ""
        guilty = [int(k) for k in np.argsort(-together, kind="stable")[:6] if together[k] > 1e-6]
        suspects = guilty + [k for k, side in enumerate(sides) if side.measure != "bound" and k not in guilty]
        alone = {k: _least_slack(task, sides, [k], least) for k in suspects[:12]}
    enough = sorted((round(float(slack[k]), 6), k) for k, slack in alone.items() if slack is not None)
    if enough:
        return ", or ".join(sides[k].relaxed(slack) for slack, k in enough[:2])
    return " and ".join(sides[k].relaxed(float(together[k])) for k in guilty)


def _least_slack(task: _Task, sides: list[Side], loose: list[int], least: float) -> Array | None:
    """Return the least slack, relative to each limit, that lets a portfolio be; None where none is enough."""
    cp = _cvxpy()
    limits, n_assets = task.limits, len(task.limits.assets)
    weights, slack = cp.Variable(n_assets), cp.Variable(len(sides), nonneg=True)
    firm = np.setdiff1d(np.arange(len(sides)), loose)
    rules = [cp.sum(weights) >= task.invested[0], cp.sum(weights) <= task.invested[1]]
    rules += [slack[firm] == 0.0] if len(firm) else []
    rules += [weights >= least] if np.isfinite(least) else []
    if not limits.has_bounds:
        rules += [weights >= limits.lower, weights <= limits.upper]
    for k, side in enumerate(sides):
        if side.measure in ("bound", "linear"):
            left = side.sign * (side.row @ weights)
        elif side.measure == "turnover":
            gross, net = limits.elsewhere
            cash = cp.abs(cp.sum(weights) - limits.held.sum() - net)
            left = (cp.norm(weights - limits.held, 1) + cash + gross) / 2.0
        else:
            left = task.unit * cp.norm(task.factor @ (weights - limits.benchmark), 2)
        rules.append(left <= side.sign * side.value + slack[k])
    importance = np.array([1.0 / max(abs(side.value), 0.01) for side in sides])
    status, found = _run(cp.Problem(cp.Minimize(importance @ slack), rules), (1e-9, 1e-7))
    return np.asarray(found[slack.id]) if status in ("optimal", "optimal_inaccurate") else None
