"""Autoregressions of residuals: their order, their long-run variance, and wild resamples of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.statistics._returns import FloatArray

_LARGEST_ROOT = 0.97  # as Prewhitened: beyond this what is simulated does not settle
_LARGEST_SUM = 0.9
_WARM_UP = 50


@dataclass(frozen=True)
class Autoregression:
    """Slopes of a series of mean 0 on its last values, stationary, and what they leave.

    Attributes
    ----------
    slopes
        Shape (order,).
    innovations
        Shape (n_periods - order,).
    criterion
        n·log of their mean square plus 2·order, over the rows that all orders have.
    """

    slopes: FloatArray
    innovations: FloatArray
    criterion: float

    @property
    def order(self) -> int:
        """Number of slopes."""
        return len(self.slopes)

    def simulated(self, n_periods: int, n_resamples: int, rng: np.random.Generator) -> FloatArray:
        """Return series with each innovation in its own row, its sign drawn, (n_periods, n_resamples).

        Wild: the volatility of a row stays where it was. Rows before the first innovation draw any of them.
        """
        before = _WARM_UP + n_periods - len(self.innovations)
        series = np.empty((_WARM_UP + n_periods, n_resamples))
        series[:before] = self.innovations[rng.integers(0, len(self.innovations), size=(before, n_resamples))]
        series[before:] = self.innovations[:, np.newaxis]
        series *= 2.0 * rng.integers(0, 2, size=series.shape, dtype=np.int8) - 1.0
        for row in range(self.order, len(series)):
            for lag, slope in enumerate(self.slopes, start=1):
                series[row] += slope * series[row - lag]
        return series[_WARM_UP:]


def autoregression(residuals: FloatArray) -> Autoregression:
    """Fit the order from 1 to ⌊4(n/100)^¼⌋ (Schwert, 1989) that Akaike's criterion chooses, by least squares.

    Order 0 is left out: to take autocorrelation for none costs more than a slope too many.
    """
    n = len(residuals)
    most = max(min(int(4.0 * (n / 100.0) ** 0.25), n // 4), 1)
    column = residuals[:, np.newaxis]
    lags = _lagged(column, most)
    found = [_criterion(lags[: order + 1]) for order in range(1, most + 1)]
    order = int(np.argmin(found)) + 1
    lags = _lagged(column, order)
    slopes = _stationary(_fitted(lags)[0][0])
    innovations = lags[0][:, 0] - sum(slope * lag[:, 0] for slope, lag in zip(slopes, lags[1:], strict=True))
    return Autoregression(slopes, innovations, found[order - 1])


def long_run_variances(columns: FloatArray, order: int) -> FloatArray:
    """Return σ²/(1 - Σφ)² of an autoregression of each column, (n_periods, n) to (n,).

    Berk (1974); the sum of the slopes is cut to 0.9.
    """
    slopes, innovations = _fitted(_lagged(columns, order))
    gain = 1.0 - np.minimum(slopes.sum(axis=1), _LARGEST_SUM)
    return np.asarray(np.mean(innovations**2, axis=0) / gain**2)


def _lagged(columns: FloatArray, order: int) -> list[FloatArray]:
    """Return the columns at lags 0 to ``order``, each (n_periods - order, n)."""
    return [columns[order - lag : len(columns) - lag] for lag in range(order + 1)]


def _fitted(lags: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return slopes (n, order) and innovations (n_periods - order, n) of lagged columns, all at once."""
    order = len(lags) - 1
    products = np.empty((lags[0].shape[1], order + 1, order + 1))
    for i, j in zip(*np.triu_indices(order + 1), strict=True):
        products[:, i, j] = products[:, j, i] = np.einsum("rc,rc->c", lags[i], lags[j])
    inner, outer = products[:, 1:, 1:], products[:, 1:, :1]
    # Next to nothing on the diagonal: a column without noise has slopes of 0.
    size = np.maximum(np.trace(inner, axis1=1, axis2=2), 1e-300)[:, np.newaxis, np.newaxis]
    slopes = np.linalg.solve(inner + 1e-13 * size * np.eye(order), outer)[..., 0]
    left = lags[0].copy()
    for slope, lag in zip(slopes.T, lags[1:], strict=True):
        left -= slope * lag
    return slopes, left


def _criterion(lags: list[FloatArray]) -> float:
    _, left = _fitted(lags)
    return len(left) * float(np.log(max(float(np.mean(left**2)), 1e-300))) + 2.0 * (len(lags) - 1)


def _stationary(slopes: FloatArray) -> FloatArray:
    """Return the slopes with roots drawn in, so that the largest is no more than 0.97."""
    largest = float(np.abs(np.roots(np.concatenate([[1.0], -slopes]))).max(initial=0.0))
    if largest <= _LARGEST_ROOT:
        return slopes
    return np.asarray(slopes * (_LARGEST_ROOT / largest) ** np.arange(1, len(slopes) + 1))
