"""Whether coefficients of separate regressions are equal: of rows that no two of them share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.statistics._returns import FloatArray
from allocator.statistics.regression import LeastSquares, WaldTest, wald_numbers

_TEXT = "{} {} - {} 1"


def equal_coefficients(fits: Sequence[LeastSquares], names: Sequence[str]) -> WaldTest:
    """Test that coefficients are equal in separate regressions, whose variances are added.

    Each variance counts with the degrees of freedom of its own regression, however short: for one
    coefficient of two fits the test of Welch (1947), for several coefficients that of Krishnamoorthy and Yu
    (2004), Statistics & Probability Letters 66, 161-169, and for more than two fits the same matching
    of moments, Hotelling's T² with ν = (q + q²) / Σ_j (tr(M_j²) + (tr M_j)²)/ν_j where M_j is the share of
    fit j in the covariance. A regression on dummies of all periods would estimate one long-run variance of
    scores most of which are 0 in a short period, and next to none of it there.

    Parameters
    ----------
    fits
        Two or more with the same coefficients, the first the one to compare with.
    names
        Of the coefficients.
    """
    gap, shares = _differences(fits, list(names))
    spread = np.sum(shares, axis=0)
    degrees = _degrees(spread, shares, [fit.degrees for fit in fits])
    numbers, reason = wald_numbers(gap, spread, degrees, len(gap) - 1.0)
    texts = tuple(
        f"{_TEXT.format(name, number, name)} = 0" for number in range(2, len(fits) + 1) for name in names
    )
    of_fits = next((fit.reason for fit in fits if fit.reason), "")
    return WaldTest(
        texts,
        *numbers,
        degrees,
        sum(fit.n for fit in fits),
        f"separate fits; {fits[0].method}",
        reason and (of_fits or reason),
    )


def _differences(fits: Sequence[LeastSquares], names: list[str]) -> tuple[FloatArray, FloatArray]:
    """Return coefficients less those of the first fit, (q,), and what each fit adds to their covariance."""
    first, k = fits[0].coefficients[names].to_numpy(), len(names)
    gap = np.concatenate([fit.coefficients[names].to_numpy() - first for fit in fits[1:]])
    shares = np.zeros((len(fits), len(gap), len(gap)))
    for j, fit in enumerate(fits):
        covariance = fit.covariance.loc[names, names].to_numpy()
        own = slice((j - 1) * k, j * k) if j else slice(None)
        shares[j, own, own] = covariance if j else np.tile(covariance, (len(fits) - 1,) * 2)
    return gap, shares


def _degrees(spread: FloatArray, shares: FloatArray, degrees: Sequence[float]) -> float:
    """Return those of the sum, Satterthwaite's where one number is tested; NaN where there is none."""
    scale = np.sqrt(np.maximum(np.diag(spread), 0.0))
    if not (scale > 0.0).all():
        return float("nan")
    unit = np.outer(scale, scale)
    if np.linalg.matrix_rank(spread / unit) < len(scale):
        return float("nan")
    parts = [np.linalg.solve(spread / unit, each / unit) for each in shares]
    sizes = [np.trace(part @ part) + np.trace(part) ** 2 for part in parts]
    return float((len(scale) + len(scale) ** 2) / np.sum(np.array(sizes) / np.array(degrees)))
