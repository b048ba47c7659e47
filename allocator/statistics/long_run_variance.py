"""Long-run variance of dependent series: a kernel, a bandwidth and prewhitening, combined by the caller.

``KernelVariance(Parzen(), NeweyWestBandwidth())`` weighs autocovariances by a kernel;
``Prewhitened(KernelVariance(...))`` does so for the residuals of a vector autoregression.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from allocator.errors import InputError
from allocator.statistics._one_thread import inner
from allocator.statistics._returns import FloatArray

__all__ = [
    "AndrewsBandwidth",
    "Bandwidth",
    "Bartlett",
    "FixedBandwidth",
    "Kernel",
    "KernelVariance",
    "LongRunVariance",
    "NeweyWestBandwidth",
    "Parzen",
    "Prewhitened",
    "QuadraticSpectral",
]

# Andrews and Monahan (1992, p. 957): beyond this the recoloured variance explodes.
_LARGEST_SINGULAR_VALUE = 0.97


class Kernel(ABC):
    """A weight for each lag, and the constants of its automatic bandwidths.

    ``order`` is q, its characteristic exponent; ``constant`` the factor of (α(q)n)^(1/(2q+1)), Andrews
    (1991), eq. 6.2; ``lag_power`` the power of n/100 in Newey and West (1994), table II.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    constant: ClassVar[float]
    lag_power: ClassVar[float]

    @abstractmethod
    def weights(self, x: FloatArray) -> FloatArray:
        """Return the weights at x = lag/bandwidth > 0, same shape."""


@final
@dataclass(frozen=True)
class Bartlett(Kernel):
    """1 - x up to 1. Newey and West (1987)."""

    name: ClassVar[str] = "Bartlett"
    order: ClassVar[int] = 1
    constant: ClassVar[float] = 1.1447
    lag_power: ClassVar[float] = 2 / 9

    def weights(self, x: FloatArray) -> FloatArray:
        """Return the weights at x = lag/bandwidth > 0, same shape."""
        return np.maximum(1.0 - x, 0.0)


@final
@dataclass(frozen=True)
class Parzen(Kernel):
    """Cubic pieces up to 1. Gallant (1987); Andrews (1991), eq. 2.7."""

    name: ClassVar[str] = "Parzen"
    order: ClassVar[int] = 2
    constant: ClassVar[float] = 2.6614
    lag_power: ClassVar[float] = 4 / 25

    def weights(self, x: FloatArray) -> FloatArray:
        """Return the weights at x = lag/bandwidth > 0, same shape."""
        outer = 2.0 * np.maximum(1.0 - x, 0.0) ** 3
        return np.where(x <= 0.5, 1.0 - 6.0 * x**2 * (1.0 - x), outer)


@final
@dataclass(frozen=True)
class QuadraticSpectral(Kernel):
    """All lags count, the far ones little; never a negative variance. Andrews (1991), eq. 2.7."""

    name: ClassVar[str] = "quadratic-spectral"
    order: ClassVar[int] = 2
    constant: ClassVar[float] = 1.3221
    lag_power: ClassVar[float] = 2 / 25

    def weights(self, x: FloatArray) -> FloatArray:
        """Return the weights at x = lag/bandwidth > 0, same shape."""
        y = 6.0 * np.pi / 5.0 * x
        # Below 0.01 the difference in the formula cancels; its series has 1 - y²/10.
        near = np.maximum(y, 1e-2)
        return np.where(y < 1e-2, 1.0 - y**2 / 10.0, 3.0 / near**2 * (np.sin(near) / near - np.cos(near)))


class Bandwidth(ABC):
    """How many lags count."""

    @abstractmethod
    def width(self, moments: FloatArray, kernel: Kernel) -> float:
        """Return the lags at which the kernel is read at 1, for columns of mean 0, (n_periods, n_moments)."""

    @abstractmethod
    def describe(self) -> str:
        """Return what the choice is called."""


@final
@dataclass(frozen=True)
class AndrewsBandwidth(Bandwidth):
    """The plug-in of Andrews (1991), eqs. 6.2 and 6.4: an AR(1) for each column, unit weights.

    Unit weights make it depend on the units of the columns.
    """

    def width(self, moments: FloatArray, kernel: Kernel) -> float:
        """Return the lags at which the kernel is read at 1, for columns of mean 0, (n_periods, n_moments)."""
        slope, variance = _first_order(moments)
        with np.errstate(divide="ignore"):  # a unit root asks for all lags there are
            gap = 1.0 - slope
            smooth = np.sum(variance**2 / gap**4)
            squares = 4.0 * slope**2 * variance**2
            rough = np.sum(squares / gap**8 if kernel.order == 2 else squares / gap**6 / (1.0 + slope) ** 2)
        return _plugged_in(kernel, rough, smooth, len(moments))

    def describe(self) -> str:
        """Return what the choice is called."""
        return "bandwidth of Andrews (1991)"


@final
@dataclass(frozen=True)
class NeweyWestBandwidth(Bandwidth):
    """The nonparametric plug-in of Newey and West (1994), on the sum of the columns."""

    def width(self, moments: FloatArray, kernel: Kernel) -> float:
        """Return the lags at which the kernel is read at 1, for columns of mean 0, (n_periods, n_moments)."""
        n = len(moments)
        lags = np.arange(1, min(int(4.0 * (n / 100.0) ** kernel.lag_power), n - 1) + 1)
        covariances = _autocovariances(moments.sum(axis=1))
        level = covariances[0] + 2.0 * np.sum(covariances[lags])
        slope = 2.0 * np.sum(lags**kernel.order * covariances[lags])
        return _plugged_in(kernel, slope**2, level**2, n)

    def describe(self) -> str:
        """Return what the choice is called."""
        return "bandwidth of Newey and West (1994)"


@final
@dataclass(frozen=True)
class FixedBandwidth(Bandwidth):
    """A width in rows: the weight at lag j is the kernel at j/width.

    Newey and West's "L lags" are ``Bartlett()`` with a width of L + 1; a width of 1 is none.
    """

    rows: float

    def __post_init__(self) -> None:
        if not 0.0 < self.rows < np.inf:
            raise InputError("rows", f"{self.rows!r} is not a positive number")

    def width(self, moments: FloatArray, kernel: Kernel) -> float:  # noqa: ARG002 - the same for all
        """Return the lags at which the kernel is read at 1; not below the number of rows is refused."""
        if self.rows >= len(moments):
            raise InputError(
                "rows", f"a bandwidth of {self.rows:g} for {len(moments)} rows", fix="take fewer"
            )
        return float(self.rows)

    def describe(self) -> str:
        """Return what the choice is called."""
        return f"bandwidth {self.rows:g}"


class LongRunVariance(ABC):
    """An estimator of the variance of √n times a mean of dependent rows."""

    @abstractmethod
    def variance(self, moments: FloatArray, direction: FloatArray) -> float:
        """Return the long-run variance of a combination of columns.

        Parameters
        ----------
        moments
            Columns of mean 0, shape (n_periods, n_moments), all of which choose the bandwidth.
        direction
            Weights of the combination, shape (n_moments,): the gradient of the delta method.
        """

    @abstractmethod
    def describe(self) -> str:
        """Return what the estimator is called."""


@final
@dataclass(frozen=True)
class KernelVariance(LongRunVariance):
    """Autocovariances weighted by a kernel, times n/(n - n_moments). Andrews (1991), eq. 2.5."""

    kernel: Kernel = QuadraticSpectral()
    bandwidth: Bandwidth = AndrewsBandwidth()

    def variance(self, moments: FloatArray, direction: FloatArray) -> float:
        """Return the long-run variance of a combination of columns."""
        n, n_moments = moments.shape
        width = self.bandwidth.width(moments, self.kernel)
        covariances = _autocovariances(moments @ direction)
        total = covariances[0]
        if width > 0.0:
            total += 2.0 * inner(self.kernel.weights(np.arange(1, n) / width), covariances[1:])
        return float(total * n / (n - n_moments))

    def describe(self) -> str:
        """Return what the estimator is called."""
        return f"{self.kernel.name} kernel, {self.bandwidth.describe()}"


@final
@dataclass(frozen=True)
class Prewhitened(LongRunVariance):
    """The variance of the residuals of a VAR(1) without intercept, recoloured. Andrews and Monahan (1992).

    Singular values of the autoregression are cut to 0.97, as in the code of Ledoit and Wolf (2008).
    """

    whitened: KernelVariance = KernelVariance()

    def variance(self, moments: FloatArray, direction: FloatArray) -> float:
        """Return the long-run variance of a combination of columns."""
        before, after = moments[:-1], moments[1:]
        left, sizes, right = np.linalg.svd(np.linalg.lstsq(before, after, rcond=None)[0].T)
        matrix = left * np.minimum(sizes, _LARGEST_SINGULAR_VALUE) @ right
        recoloured = np.linalg.solve((np.eye(len(matrix)) - matrix).T, direction)
        return self.whitened.variance(after - before @ matrix.T, recoloured)

    def describe(self) -> str:
        """Return what the estimator is called."""
        return f"prewhitened {self.whitened.describe()}"


def _plugged_in(kernel: Kernel, rough: float, smooth: float, n: int) -> float:
    """Return constant·(rough/smooth·n)^(1/(2q+1)), at most all rows."""
    if not smooth > 0.0:
        return 0.0
    power = 1.0 / (2 * kernel.order + 1)
    width = kernel.constant * (rough / smooth * n) ** power
    return float(min(width, n)) if np.isfinite(width) else float(n)


def _first_order(moments: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the slope of each column on its last value, and the variance of what that leaves."""
    before, after = moments[:-1] - moments[:-1].mean(axis=0), moments[1:] - moments[1:].mean(axis=0)
    power = np.sum(before**2, axis=0)
    slope = np.sum(before * after, axis=0) / np.where(power > 0.0, power, 1.0)
    return slope, np.mean((after - slope * before) ** 2, axis=0)


def _autocovariances(series: FloatArray) -> FloatArray:
    """Return the mean products at lags 0 to n - 1 of a series of mean 0, over n; by Fourier transform."""
    n = len(series)
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(series, length)) ** 2
    return np.asarray(np.fft.irfft(spectrum, length)[:n] / n)
