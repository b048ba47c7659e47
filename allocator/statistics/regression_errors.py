"""What residuals of a regression are taken to be: how far its coefficients are to be trusted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics._one_thread import gram, inner, product
from allocator.statistics._returns import FloatArray
from allocator.statistics.block_length import wide_block_length
from allocator.statistics.long_run_variance import KernelVariance, LongRunVariance

__all__ = [
    "HACErrors",
    "HC0Errors",
    "HC1Errors",
    "HC3Errors",
    "IndependentErrors",
    "NeweyWestErrors",
    "RegressionErrors",
    "WideHACErrors",
]

_EXACT = 1e-12  # a leverage this near to 1 is one: the row fits itself
_LONG_RUN = KernelVariance()


class RegressionErrors(ABC):
    """What residuals are taken to be: an estimator of the covariance of the coefficients."""

    @abstractmethod
    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns, (n_parameters, n_parameters).

        Parameters
        ----------
        x
            Columns with X'X = I that span the regressors, (n_periods, n_parameters).
        residuals
            Shape (n_periods,).
        """

    @abstractmethod
    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""

    @abstractmethod
    def describe(self) -> str:
        """Return what the errors allow for."""


@final
@dataclass(frozen=True)
class IndependentErrors(RegressionErrors):
    """Independent and of one variance: s²(X'X)⁻¹ with s² = e'e/(n - k)."""

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        n, k = x.shape
        return np.asarray(np.eye(k) * inner(residuals, residuals) / (n - k))

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return "independent errors of one variance"


@final
@dataclass(frozen=True)
class HC0Errors(RegressionErrors):
    """Independent, of any variance. White (1980); too small in small samples."""

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        return _products(x * residuals[:, np.newaxis])

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return "independent errors of any variance, HC0 (White, 1980)"


@final
@dataclass(frozen=True)
class HC1Errors(RegressionErrors):
    """HC0 times n/(n - k). MacKinnon and White (1985)."""

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        n, k = x.shape
        return np.asarray(_products(x * residuals[:, np.newaxis]) * n / (n - k))

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return "independent errors of any variance, HC1 (MacKinnon and White, 1985)"


@final
@dataclass(frozen=True)
class HC3Errors(RegressionErrors):
    """Independent, of any variance, each residual over 1 - its leverage. Long and Ervin (2000).

    NaN where a row fits itself (leverage 1): its error cannot be seen.
    """

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        left = 1.0 - np.sum(x * x, axis=1)
        left = np.where(left > _EXACT, left, np.nan)
        return _products(x * (residuals / left)[:, np.newaxis])

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return "independent errors of any variance, HC3 (Long and Ervin, 2000)"


@final
@dataclass(frozen=True)
class NeweyWestErrors(RegressionErrors):
    """Any variance, autocorrelated up to ``lags`` rows, without a factor for small samples.

    Newey and West (1987), eq. 5: weight 1 - j/(lags + 1) at lag j. For overlapping changes ``lags`` must be
    at least the rows that overlap.
    """

    lags: int

    def __post_init__(self) -> None:
        lags: object = self.lags
        whole = isinstance(lags, Integral) or (isinstance(lags, float) and lags.is_integer())
        if isinstance(lags, bool) or not whole or self.lags < 0:
            raise InputError("lags", f"{self.lags!r} is not a whole number of rows, 0 or more", fix="pass 4")

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        if self.lags >= len(x):
            raise InputError("lags", f"{self.lags} for {len(x)} rows", fix="take fewer")
        return _kernel_sum(x * residuals[:, np.newaxis], self.lags + 1.0)

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return f"HAC: Newey and West (1987), {self.lags} lags"


@final
@dataclass(frozen=True)
class HACErrors(RegressionErrors):
    """Any variance, autocorrelated as far as a :class:`LongRunVariance` sees, times n/(n - k).

    The bandwidth is chosen from the scores of orthonormal regressors, so that it does not depend on the units
    of the regressors. ``KernelVariance(Bartlett(), NeweyWestBandwidth())`` is Newey and West (1994).
    """

    long_run: LongRunVariance = _LONG_RUN

    def __post_init__(self) -> None:
        if not isinstance(self.long_run, LongRunVariance):
            problem = f"{self.long_run!r} is no long-run variance"
            raise InputError("long_run", problem, fix="pass allocator.statistics.KernelVariance(), say")

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        n, k = x.shape
        scores, unit = x * residuals[:, np.newaxis], np.eye(k)
        alone = np.array([self.long_run.variance(scores, each) for each in unit])
        matrix = np.diag(alone)
        for i, j in zip(*np.triu_indices(k, 1), strict=True):
            both = self.long_run.variance(scores, unit[i] + unit[j])
            matrix[i, j] = matrix[j, i] = (both - alone[i] - alone[j]) / 2.0
        return np.asarray(matrix * n)

    def degrees(self, n: int, k: int) -> float:
        """Return the degrees of freedom of Student's t, for n rows and k coefficients."""
        return float(n - k)

    def describe(self) -> str:
        """Return what the errors allow for."""
        return f"HAC: {self.long_run.describe()}"


@final
@dataclass(frozen=True)
class WideHACErrors(RegressionErrors):
    """Any variance and weak, long autocorrelation, for short samples too: what regressions use by default.

    Bartlett's kernel with a bandwidth b of a fifth of the rows, at most 2.2√rows, on residuals over 1 - their
    leverage, with Student's t of n/b - 1 degrees (Hotelling's T² for several restrictions). A wide bandwidth
    with critical values that know its noise: Kiefer and Vogelsang (2005), Lazarus, Lewis, Stock and Watson
    (2018); the residuals are those of HC3.

    In no direction is the 95 % interval narrower than that of :class:`HC3Errors`: a regressor that is 0
    outside a stretch shorter than a few bandwidths has scores that sum to 0 within it, from which the kernel
    sees next to no variance. Autocorrelation *within* such a stretch is not seen; compare separate fits, as
    ``relation_by_period`` does.
    """

    def covariance(self, x: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the covariance of the coefficients on orthonormal columns."""
        left = 1.0 - np.sum(x * x, axis=1)
        left = np.where(left > _EXACT, left, np.nan)
        scores = x * (residuals / left)[:, np.newaxis]
        if np.isnan(left).any():
            return np.full((x.shape[1],) * 2, np.nan)
        wide = _kernel_sum(scores, wide_block_length(len(x)))
        return _at_least(wide, _products(scores) * self._narrower(*x.shape))

    def _narrower(self, n: int, k: int) -> float:
        """Return what a variance of n - k degrees is times, to have its 95 % interval with few degrees."""
        from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

        few, many = stdtrit([self.degrees(n, k), float(n - k)], 0.975)
        return float((many / few) ** 2)

    def degrees(self, n: int, k: int) -> float:
        """Return n/b - 1, at least 1 and at most n - k."""
        return min(max(n / wide_block_length(n) - 1.0, 1.0), float(n - k))

    def describe(self) -> str:
        """Return what the errors allow for."""
        return "HAC: Bartlett, bandwidth of a fifth of the rows, at most 2.2√rows, no narrower than HC3"


def _kernel_sum(scores: FloatArray, width: float) -> FloatArray:
    """Return the covariance of the sum of rows, (k, k), Bartlett's weight 1 - lag/width; never negative."""
    total = _products(scores)
    for lag in range(1, min(int(np.ceil(width)), len(scores))):
        across = product(scores[lag:].T, scores[:-lag])
        total += (1.0 - lag / width) * (across + across.T)
    return total


def _at_least(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return ``first`` plus what ``second`` has more of in some directions, (k, k)."""
    more, directions = np.linalg.eigh(second - first)
    return np.asarray(first + (directions * np.maximum(more, 0.0)) @ directions.T)


def _products(scores: FloatArray) -> FloatArray:
    return gram(scores)
