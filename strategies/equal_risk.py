"""Portfolios whose risk contributions are equal, or in given proportions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from strategies._covariance_door import Covariances, is_labelled_alike, read_covariances

__all__ = ["equal_risk_contribution"]

Array = NDArray[np.float64]
_PRECISION = 1e-13  # largest relative error of a risk contribution
_TOLERATED = 1e-9  # the same where rounding allows no better
_WORST = 1e-6  # the same of an asset whose budget is next to nothing beside its exposure
_ULPS = 8.0 * float(np.finfo(np.float64).eps)  # of x_i (Σx)_i, where the sum cancels
_MOST_STEPS = 200
_NEAR = 0.5  # relative error below which Newton's steps in logarithms need no damping
_LAST_NEAR = 20  # step from which on all are damped, so that they cannot go round in circles
_FEW = 40  # assets up to which linear systems are solved directly, a stack at once
_AT_ONCE = 2**16  # numbers of a stack in work together: 0.5 MB stays in the cache
_LEAST_RISK = 1e-12  # of the start, whose square root divides
_MOST_PRODUCTS = 64  # of conjugate gradients; solving directly takes no longer
_RISKY, _SMALL_BUDGET = 1e-6, 1e-3  # not singular; less than that of the risk
_HOPELESS = 4e9  # squared exposure per share of the risk: rounding alone is then an error of 1e-6


@overload
def equal_risk_contribution(
    covariance: pd.DataFrame, budget: Sequence[float] | Array | pd.Series[float] | None = None
) -> pd.Series[float]: ...
@overload
def equal_risk_contribution(covariance: Array, budget: Sequence[float] | Array | None = None) -> Array: ...
def equal_risk_contribution(
    covariance: pd.DataFrame | Array, budget: Sequence[float] | Array | pd.Series[float] | None = None
) -> pd.Series[float] | Array:
    """Return the long-only weights whose risk contributions are in proportion to the budget.

    The contribution of asset i to the variance is w_i (Σw)_i. The weights are w = x / Σx, where x
    minimises the convex ½x'Σx - Σ b_i ln x_i (Spinu, 2013, eq. 9). Scale does not matter, of the whole or
    of an asset.

    Parameters
    ----------
    covariance
        Shape (n_assets, n_assets), or a stack (n_dates, n_assets, n_assets); positive semidefinite, in any
        unit. A DataFrame has the same names in rows and columns.
    budget
        Share of the risk of each asset, positive, shape (n_assets,), or (n_dates, n_assets) with a stack;
        by default equal. Need not sum to 1.

    Returns
    -------
    ndarray or Series
        Weights that sum to 1, shape (n_assets,), or (n_dates, n_assets) of a stack; by asset of a
        DataFrame. The largest relative error of a risk contribution is below 1e-12 with equal budgets; where
        exposures nearly cancel, or a budget is small beside the asset's exposure, it is what rounding
        allows: below 1e-9 as a rule, and at most 1e-6. A matrix has the same weights in any stack.

    Raises
    ------
    InputError
        If the covariance is not a covariance, an asset has no variance, a budget is not positive, or the
        assets can be combined to no risk at all, so that no such weights exist. Of a stack the first
        matrix at fault is named.

    References
    ----------
    Maillard, Roncalli, Teiletche (2010), Journal of Portfolio Management 36(4).
    Spinu (2013), An algorithm for computing risk parity weights, SSRN 2297383.
    """
    found = read_covariances(covariance)
    shares = _read_budget(budget, found)
    exposure = _exposures(found.stack, shares)
    exists = exposure[:, 0] > 0.0
    if np.count_nonzero(exists) < len(exists):
        _refuse_hopeless(found, shares, int(np.argmin(exists)))
    weights = exposure / np.add.reduce(exposure, axis=1, keepdims=True)
    if found.names is not None:
        return pd.Series(weights[0], index=found.names, name="weight")
    return np.asarray(weights[0] if found.is_single else weights)


def _exposures(stack: Array, shares: Array) -> Array:
    """Return x with x_i (Σx)_i = b_i, shape (n_dates, n_assets); NaN where there is none."""
    n_assets = stack.shape[1]
    size = 1 if n_assets > _FEW else max(1, _AT_ONCE // n_assets**2)
    if len(stack) <= size:
        return _descend(stack, shares)
    parts = range(0, len(stack), size)
    return np.concatenate([_descend(stack[k : k + size], shares[k : k + size]) for k in parts])


def _descend(stack: Array, shares: Array) -> Array:
    """Improve all exposures until each is precise; a matrix that is done with is taken out of the stack."""
    found, rows, before = np.full_like(shares, np.nan), np.arange(len(stack)), np.full(1, np.inf)
    exposure = _start(stack, shares)
    for step in range(_MOST_STEPS):
        risk = exposure * _products(stack, exposure)
        error = np.maximum.reduce(np.abs(risk / shares - 1.0), axis=1)
        near = error < (_NEAR if step < _LAST_NEAR else 0.0)
        if np.count_nonzero(near) < len(near) or np.count_nonzero(error < _WORST):
            done = (error < _PRECISION) | ((before <= error) & (error < _allowed(stack, shares, exposure)))
            found[rows[done]] = exposure[done]
            if np.count_nonzero(done) == len(done):
                break
            left = np.flatnonzero(~(done | _is_lost(stack, shares, exposure)))
            if not len(left):
                break
            if len(left) < len(rows):
                stack, shares, exposure, risk = stack[left], shares[left], exposure[left], risk[left]
                rows, error, near = rows[left], error[left], near[left]
        exposure, before = _newton_step(stack, shares, exposure, risk, error, near), error
    return found


def _start(stack: Array, shares: Array) -> Array:
    """Return what is exact for equal correlations and budgets, after two corrections asset by asset.

    Each is between what is exact where correlations are 0, the square root of the ratio of the risks, and
    where one factor rules, the ratio itself. Rational, so that the same bits come out on any machine.
    """
    exposure = np.sqrt(shares / stack.diagonal(axis1=1, axis2=2))
    risk = exposure * _products(stack, exposure)
    total = np.maximum(np.add.reduce(risk, axis=1, keepdims=True), _LEAST_RISK)
    exposure = _corrected(exposure / np.sqrt(total), risk / total, shares)
    return _corrected(exposure, exposure * _products(stack, exposure), shares)


def _corrected(exposure: Array, risk: Array, shares: Array) -> Array:
    ratio = np.minimum(np.maximum(risk / shares, 0.25), 4.0)
    return np.asarray(exposure * ((2.1 - 0.1 * ratio) / (1.0 + ratio)))


def _newton_step(
    stack: Array, shares: Array, exposure: Array, risk: Array, error: Array, near: NDArray[np.bool_]
) -> Array:
    """Return better exposures: Newton's step in their logarithms where near, else a damped one that descends.

    In logarithms u the equation u + ln(Σe^u) = ln b is nearly linear; ln and exp are replaced by their
    simplest fractions. The other is Newton's step δ (as parts of x) on the convex function, times
    t = 1 / (1 + m), m = max(-δ): there φ(t) = f(x + tδx) has φ'(t) <= δ'Hδ (t / (1 - tm) - 1) <= 0.
    """
    n_near = np.count_nonzero(near)
    if n_near == len(near):
        move = _solve(stack, exposure, risk, risk * (shares - risk) / (shares + risk), error)
        return np.asarray(exposure * _exp_of_twice(move))
    is_near = near[:, None]
    weight = np.where(is_near, risk, shares)
    missing, total = shares - risk, np.where(is_near, shares + risk, 1.0)
    pull = np.where(is_near, risk * missing / total, missing)
    move = _solve(stack, exposure, weight, pull, error)
    damped = 1.0 + move / (1.0 + np.maximum(-move.min(axis=1, keepdims=True), 0.0))
    return np.asarray(exposure * np.where(is_near, _exp_of_twice(move), damped))


def _exp_of_twice(move: Array) -> Array:
    """Return Padé's fraction for e^2m, right to fourth order and positive whatever m is."""
    even, odd = 3.0 + move * move, 3.0 * move
    return np.asarray((even + odd) / (even - odd))


def _solve(stack: Array, exposure: Array, weight: Array, pull: Array, error: Array) -> Array:
    """Return d with (XΣX + diag(weight)) d = pull, X the exposures, shape (n_dates, n_assets)."""
    n_assets = stack.shape[1]
    if n_assets > _FEW:
        found = _conjugate_gradients(stack[0], exposure[0], weight[0], pull[0], float(error[0]))
        if found is not None:
            return found[None]
    matrix = stack * (exposure[:, :, None] * exposure[:, None, :])
    matrix.reshape(len(matrix), -1)[:, :: n_assets + 1] += weight
    return np.asarray(np.linalg.solve(matrix, pull[:, :, None])[:, :, 0])


def _conjugate_gradients(
    matrix: Array, exposure: Array, weight: Array, pull: Array, error: float
) -> Array | None:
    """Return the same for one matrix from its products with vectors alone; None where too many are needed.

    Scaled by the weights the matrix is I + S, S positive semidefinite. If no exposure reduces the risk, its
    largest eigenvalue is 1, and the rest are of the order of 1 / n_assets: a few products do.
    """
    root = np.sqrt(weight)
    scale, residual = exposure / root, pull / root
    direction, solution, square = residual, np.zeros_like(residual), float(residual @ residual)
    # Newton's own error is of second order in this one; far away, a rough direction will do.
    wanted = max(0.1 * error**2, _PRECISION / 5.0) ** 2 if error < _NEAR else 0.01 * square
    wanted *= float(weight.min() / weight.mean())  # what is left is larger for an asset of small weight
    for _ in range(_MOST_PRODUCTS):
        image = direction + scale * (matrix @ (scale * direction))
        length = square / float(direction @ image)
        solution = solution + length * direction
        residual = residual - length * image
        before, square = square, float(residual @ residual)
        if square <= wanted:
            return np.asarray(solution / root)
        direction = residual + square / before * direction
    return None


def _products(stack: Array, vectors: Array) -> Array:
    """Return each matrix times its vector, shape (n_dates, n_assets)."""
    return np.asarray((stack @ vectors[:, :, None])[:, :, 0])


def _allowed(stack: Array, shares: Array, exposure: Array) -> Array:
    """Return the error at which a matrix may stop improving, shape (n_dates,): its own rounding."""
    squared = exposure**2 * stack.diagonal(axis1=1, axis2=2) / shares
    return np.asarray(np.clip(_ULPS * squared.max(axis=1), _TOLERATED, _WORST))


def _is_lost(stack: Array, shares: Array, exposure: Array) -> NDArray[np.bool_]:
    """Whether exposures grow without end: some combination has no risk, and no such weights exist."""
    # Of a small budget no more is asked than of an equal one: its exposure is large beside it anyway.
    most = np.maximum(shares, 1.0 / shares.shape[1])
    squared = exposure**2 * stack.diagonal(axis1=1, axis2=2) / most
    return np.asarray(~(squared.max(axis=1) < _HOPELESS))


def _refuse_hopeless(found: Covariances, shares: Array, k: int) -> None:
    scale = np.sqrt(found.stack[k].diagonal())
    smallest = np.linalg.eigvalsh(found.stack[k] / (scale[:, None] * scale))[0]
    if smallest > _RISKY and shares[k].min() < _SMALL_BUDGET:
        position = int(np.argmin(shares[k]))
        problem = (
            f"is {shares[k, position]:.1e} of the risk, which rounding hides behind what the others add to it"
        )
        found.refuse_asset("budget", position, problem, "give it more, or leave the asset out", "share")
    raise InputError(
        found.called(k),
        "no equal-risk weights found, as assets can be combined to next to no risk: "
        f"smallest eigenvalue of the correlation {smallest:.1e}",
        fix="use a longer window, shrink the covariance, or drop what the other assets replicate",
    )


def _read_budget(budget: Sequence[float] | Array | pd.Series[float] | None, found: Covariances) -> Array:
    """Return shares of the risk that sum to 1, shape (n_dates, n_assets)."""
    shape = found.stack.shape[:2]
    if budget is None:
        return np.full(shape, 1.0 / shape[1])
    if isinstance(budget, pd.Series) and (
        found.names is None or not is_labelled_alike(budget.index, found.names)
    ):
        raise InputError(
            "budget",
            f"its names {list(budget.index)} are not those of the covariance, in the same order",
            fix="budget[covariance.columns].to_numpy()" if found.names is not None else "pass an array",
        )
    try:
        shares = np.asarray(budget, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("budget", f"{budget!r} is no row of numbers") from None
    if shares.shape not in ((shape[1],), () if found.is_single else shape):
        size = shares.size if shares.ndim == 1 else shares.shape
        raise InputError("budget", f"{size} shares for {shape[1]} assets")
    _refuse_shares(np.atleast_2d(shares), found, shares.ndim == 1)
    # Rows contiguous: the order of a sum follows that of memory, and must not depend on the stack.
    return np.ascontiguousarray(np.broadcast_to(shares / shares.sum(axis=-1, keepdims=True), shape))


def _refuse_shares(shares: Array, found: Covariances, is_one: bool) -> None:
    bad = ~(np.isfinite(shares) & (shares > 0.0))
    if bad.any():
        k, position = (int(i) for i in np.argwhere(bad)[0])
        argument = "budget" if is_one else f"budget[{k}]"
        problem = f"is {shares[k, position]:g}"
        found.refuse_asset(argument, position, problem, "each share of the risk is positive", "share")
