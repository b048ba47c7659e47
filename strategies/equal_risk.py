"""Portfolios whose risk contributions are equal, or in given proportions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError

__all__ = ["equal_risk_contribution"]

Array = NDArray[np.float64]
_PRECISION = 1e-13  # largest relative error of a risk contribution
_TOLERATED = 1e-9  # the same where exposures nearly cancel and rounding allows no better
_MOST_STEPS = 200


def equal_risk_contribution(covariance: Array, budget: Sequence[float] | Array | None = None) -> Array:
    """Return the long-only weights whose risk contributions are in proportion to the budget.

    The contribution of asset i to the variance is w_i (Σw)_i. The weights are w = x / Σx, where x
    minimises ½x'Σx - Σ b_i ln x_i (Spinu, 2013, eq. 9); Newton's method, damped by 1/(1 + λ) while
    the Newton decrement λ is large, which converges from any start because the function is
    self-concordant. Volatilities are divided out first, so scale does not matter.

    Parameters
    ----------
    covariance
        Shape (n_assets, n_assets), positive semidefinite, in any unit.
    budget
        Share of the risk of each asset, positive, shape (n_assets,); by default equal. Need not sum to 1.

    Returns
    -------
    ndarray
        Weights that sum to 1, shape (n_assets,). The largest relative error of a risk contribution is
        below 1e-12, or below 1e-9 where exposures nearly cancel and rounding allows no better.

    Raises
    ------
    InputError
        If the covariance is not a covariance, an asset has no variance, a budget is not positive, or the
        assets can be combined to no risk at all, so that no such weights exist.

    References
    ----------
    Maillard, Roncalli, Teiletche (2010), Journal of Portfolio Management 36(4).
    Spinu (2013), An algorithm for computing risk parity weights, SSRN 2297383.
    """
    matrix = _checked_covariance(covariance)
    shares = _checked_budget(budget, len(matrix))
    volatility = np.sqrt(matrix.diagonal())
    exposure = _solve(matrix / (volatility[:, None] * volatility), shares) / volatility
    return np.asarray(exposure / exposure.sum())


def _solve(correlation: Array, shares: Array) -> Array:
    """Return x with x_i (Cx)_i = b_i, the exposures per unit of volatility."""
    root, smallest = np.sqrt(shares), float(shares.min())
    exposure = root / np.sqrt(max(float(root @ correlation @ root), 1e-12))
    before = np.inf
    for _ in range(_MOST_STEPS):
        excess = exposure * (correlation @ exposure) - shares
        error = float(np.abs(excess / shares).max())
        if error < _PRECISION or before <= error < _TOLERATED:
            return np.asarray(exposure)
        before = error
        gradient, hessian = excess / exposure, correlation.copy()
        hessian.flat[:: len(hessian) + 1] += shares / exposure**2
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            break
        decrement = float(np.sqrt(max(float(gradient @ step), 0.0) / smallest))
        exposure = exposure - step / (1.0 + decrement if decrement > 0.25 else 1.0)
    raise InputError(
        "covariance",
        f"no equal-risk weights found (error {error:.1e}): "
        f"smallest eigenvalue of the correlation {np.linalg.eigvalsh(correlation)[0]:.1e}",
        fix="use a longer window, shrink the covariance, or drop what the other assets replicate",
    )


def _checked_covariance(covariance: Array) -> Array:
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise InputError("covariance", f"shape {matrix.shape} is not square")
    if not np.isfinite(matrix).all():
        raise InputError("covariance", "has values that are not finite")
    variance = matrix.diagonal()
    if variance.min() <= 0.0:
        flat = np.flatnonzero(variance <= 0.0)
        raise InputError(
            "covariance",
            f"asset {int(flat[0])} has variance {matrix[flat[0], flat[0]]:g}",
            fix="leave it out",
        )
    scale = np.sqrt(variance)
    correlation = matrix / (scale[:, None] * scale)
    if np.abs(correlation - correlation.T).max() > 1e-10:
        raise InputError("covariance", "is not symmetric")
    if (np.abs(correlation) > 1.0 + 1e-10).any():
        raise InputError(
            "covariance", "has a correlation beyond 1", fix="pass a covariance, not another matrix"
        )
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest < -1e-10:
        raise InputError(
            "covariance",
            f"has a negative variance: smallest eigenvalue of the correlation {smallest:.1e}",
            fix="estimate all of it from the same rows",
        )
    return matrix


def _checked_budget(budget: Sequence[float] | Array | None, n_assets: int) -> Array:
    shares = np.ones(n_assets) if budget is None else np.asarray(budget, dtype=np.float64)
    if shares.shape != (n_assets,):
        raise InputError("budget", f"{shares.size} shares for {n_assets} assets")
    bad = np.flatnonzero(~np.isfinite(shares) | (shares <= 0.0))
    if len(bad):
        raise InputError(
            "budget", f"share {int(bad[0])} is {shares[bad[0]]:g}", fix="each share of the risk is positive"
        )
    return np.asarray(shares / shares.sum())
