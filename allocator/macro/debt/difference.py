"""The difference of two means of one series over time, surely enough where regimes last and years are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.statistics import KernelVariance

__all__ = ["DIFFERENCE_CONVENTION", "difference_of_means", "persistence_seen"]

FloatArray = NDArray[np.float64]
_LONG_RUN = KernelVariance()
_SLOPES = np.linspace(0.0, 0.98, 99)
_FEWEST_DEGREES = 2.0  # as in the intervals of means
DIFFERENCE_CONVENTION = (
    "Welch's t, its error raised and its degrees lowered by the persistence that these labels meet (AR(1), "
    "or the kernel's if larger); too sure where dependence is of second order or dies out slowly"
)


def difference_of_means(
    values: FloatArray, inside: NDArray[np.bool_], confidence: float, fewest: int
) -> tuple[float, float, float, float]:
    """Return the mean inside less that outside, its interval, and the p-value that it is 0.

    Student's t with the error and the degrees of :func:`_error`. NaN with fewer than ``fewest`` periods on
    either side.
    """
    from scipy.special import stdtr, stdtrit  # not at the top: importing allocator costs no more than pandas

    if min(int(inside.sum()), int((~inside).sum())) < fewest:
        return (float("nan"),) * 4
    value = float(values[inside].mean() - values[~inside].mean())
    error, degrees = _error(values, inside)
    if not error > 0.0:
        return value, float("nan"), float("nan"), float("nan")
    width = float(stdtrit(degrees, 0.5 + confidence / 2.0)) * error
    return value, value - width, value + width, 2.0 * float(stdtr(degrees, -abs(value) / error))


def _error(values: FloatArray, inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the standard error of a difference of means and its degrees of freedom.

    Welch's (1947) variance for independent periods, times what persistence makes of it: the larger of that
    of a first-order autoregression, which few years can show, and of the kernel's long-run variance, which
    needs many and no model; never below 1. Welch's degrees are divided by it: as many periods say less.
    """
    n, rest, influence = len(values), np.empty(len(values)), np.empty(len(values))
    variances, shares = [], []
    for group, sign in ((inside, 1.0), (~inside, -1.0)):
        size = int(group.sum())
        rest[group] = values[group] - values[group].mean()
        influence[group] = sign * rest[group] * n / np.sqrt(size * (size - 1))
        variances.append(float(rest[group] @ rest[group]) / (size - 1) / size)
        shares.append(variances[-1] ** 2 / (size - 1))
    independent = sum(variances)
    if not independent > 0.0:
        return 0.0, float("nan")
    kernel = _LONG_RUN.variance(influence[:, np.newaxis], np.ones(1)) / n
    widening = max(1.0, _widening(rest, inside), float(kernel / independent))
    degrees = independent**2 / sum(shares) / widening
    return float(np.sqrt(independent * widening)), max(degrees, _FEWEST_DEGREES)


def _widening(rest: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Return the widening of the first slope that leaves an autocorrelation as large as these residuals'."""
    seen, widening = persistence_seen(inside, _SLOPES)
    reached = seen >= float(rest[1:] @ rest[:-1]) / float(rest @ rest)
    return float(widening[int(reached.argmax()) if reached.any() else -1])


def persistence_seen(inside: NDArray[np.bool_], slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what a first-order autoregression does to residuals and to the error, for each slope.

    Parameters
    ----------
    inside
        The regime, shape (n_periods,).
    slopes
        Autocorrelations of neighbours, shape (n_slopes,).

    Returns
    -------
    tuple
        The expected product of neighbouring residuals over their expected square: residuals from two means
        show less persistence than there is (Kendall, 1954). And the variance of the difference over what
        Welch's variance is on average. All are sums of slope^lag, so that no covariance of all periods is
        made.
    """
    n, sizes = len(inside), (int(inside.sum()), int((~inside).sum()))
    units = [group / np.sqrt(size) for group, size in zip((inside, ~inside), sizes, strict=True)]
    own = [_lagged(unit, unit) for unit in units]
    squares = -own[0] - own[1]
    squares[0] += n
    products = sum((one @ _beside(two)) * _lagged(two, one) for one in units for two in units)
    products -= 2.0 * sum(_lagged(_beside(unit), unit) for unit in units)
    products[1] += n - 1
    welch = np.zeros(n)
    for lagged, size in zip(own, sizes, strict=True):
        welch -= lagged / (size - 1) / size
        welch[0] += 1.0 / (size - 1)
    contrast = units[0] / np.sqrt(sizes[0]) - units[1] / np.sqrt(sizes[1])
    powers = slopes[:, np.newaxis] ** np.arange(n)
    return (powers @ products) / (powers @ squares), (powers @ _lagged(contrast, contrast)) / (powers @ welch)


def _beside(x: FloatArray) -> FloatArray:
    """Return the mean of both neighbours, 0 beyond the ends."""
    padded = np.pad(x, 1)
    return np.asarray((padded[2:] + padded[:-2]) / 2.0)


def _lagged(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the sum of products at each distance in time, either way, shape (n_periods,)."""
    n = len(one)
    both = np.fft.irfft(np.fft.rfft(one, 2 * n) * np.conj(np.fft.rfft(other, 2 * n)), 2 * n)
    total = both[:n].copy()
    total[1:] += both[:n:-1]
    return np.asarray(total)
