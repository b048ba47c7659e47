"""What the error of a Sharpe ratio, or of a difference of two, may rest on: one class for each assumption.

From the strongest assumption to the weakest: ``NormalReturns``, ``IndependentReturns``, ``HAC``, and
``StudentizedBootstrap``, the default everywhere. Each serves :func:`sharpe_interval`,
:func:`sharpe_difference` and :func:`probabilistic_sharpe_ratio` alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics._paired import correlation_of
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import is_whole
from allocator.statistics._studentised_draws import Draws, difference_draws, ratio_draws, refuse_blocks
from allocator.statistics.block_length import optimal_block_length
from allocator.statistics.long_run_variance import LongRunVariance, Prewhitened

__all__ = [
    "HAC",
    "IndependentReturns",
    "NormalReturns",
    "Probability",
    "SharpeMethod",
    "StudentizedBootstrap",
    "Uncertainty",
]

_FEWEST_RESAMPLES = 99


@final
@dataclass(frozen=True)
class Uncertainty:
    """How far to trust an estimate, per period.

    Attributes
    ----------
    standard_error
        NaN where the variance is not positive.
    width
        Half of the interval, which is symmetric.
    p_value
        Two-sided, of the true value being 0.
    block_length
        Rows in a block; 0 where nothing was resampled.
    n_resamples
        Resamples; 0 where there were none.
    seed
        None where nothing was random.
    """

    standard_error: float
    width: float
    p_value: float
    block_length: int = 0
    n_resamples: int = 0
    seed: int | None = None


@final
@dataclass(frozen=True)
class Probability:
    """How probable it is that a ratio is above a benchmark.

    Attributes
    ----------
    value
        NaN where the variance is not positive.
    standard_error
        Of the ratio, per period.
    block_length, n_resamples, seed
        As in :class:`Uncertainty`.
    """

    value: float
    standard_error: float
    block_length: int = 0
    n_resamples: int = 0
    seed: int | None = None


class SharpeMethod(ABC):
    """How the error of a Sharpe ratio is found.

    All methods take excess returns without constants, (n_periods,) or (n_periods, 2), of at least 12
    rows, the estimate per period (ddof 1), and the confidence of the interval or a benchmark per period.
    """

    @abstractmethod
    def of_ratio(self, excess: FloatArray, ratio: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of one series is."""

    @abstractmethod
    def of_difference(self, pair: FloatArray, difference: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of the first column less that of the second is."""

    @abstractmethod
    def above(self, excess: FloatArray, ratio: float, benchmark: float) -> Probability:
        """Return how probable it is that the ratio of one series is above a benchmark."""

    @abstractmethod
    def describe(self) -> str:
        """Return what the method is called, and its source."""


@final
@dataclass(frozen=True)
class NormalReturns(SharpeMethod):
    """Independent normal returns. Rejects too often where they are not.

    One ratio: √((1 + s²/2)/n), Lo (2002), eq. 9. A difference: Jobson and Korkie (1981) with the variance
    of Memmel (2003), (2 - 2r + (s₁² + s₂² - 2s₁s₂r²)/2)/n. At nominal 5 % and n=120, Ledoit and Wolf
    (2008, table 1) found a size of 10.7 % with t₆ and 14.5 % with autocorrelated t₆ returns.
    """

    def of_ratio(self, excess: FloatArray, ratio: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of one series is."""
        return _normal(ratio, (1.0 + ratio**2 / 2.0) / len(excess), confidence)

    def of_difference(self, pair: FloatArray, difference: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of the first column less that of the second is."""
        r = correlation_of(pair)
        first, second = pair.mean(axis=0) / pair.std(axis=0, ddof=1)
        spread = (first**2 + second**2 - 2.0 * first * second * r**2) / 2.0
        return _normal(difference, (2.0 - 2.0 * r + spread) / len(pair), confidence)

    def above(self, excess: FloatArray, ratio: float, benchmark: float) -> Probability:
        """Return how probable it is that the ratio of one series is above a benchmark."""
        return _normal_above((1.0 + ratio**2 / 2.0) / len(excess), ratio - benchmark, len(excess))

    def describe(self) -> str:
        """Return what the method is called, and its source."""
        return "independent normal returns (Lo, 2002; Jobson and Korkie, 1981; Memmel, 2003)"


@final
@dataclass(frozen=True)
class IndependentReturns(SharpeMethod):
    """Independent returns of any shape: Mertens (2002) for one ratio, Opdyke (2007) for a difference.

    The error of one ratio is that of :func:`sharpe_standard_error`.
    """

    def of_ratio(self, excess: FloatArray, ratio: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of one series is."""
        return _normal(ratio, self._variance(excess, ratio), confidence)

    def of_difference(self, pair: FloatArray, difference: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of the first column less that of the second is."""
        variance = float(np.var(difference_influence(pair), ddof=1))
        return _normal(difference, variance / len(pair), confidence)

    def above(self, excess: FloatArray, ratio: float, benchmark: float) -> Probability:
        """Return how probable it is that the ratio of one series is above a benchmark.

        The probabilistic Sharpe ratio as published: Bailey and López de Prado (2012).
        """
        return _normal_above(self._variance(excess, ratio), ratio - benchmark, len(excess))

    @staticmethod
    def _variance(excess: FloatArray, ratio: float) -> float:
        return float(np.mean(influence(excess, ratio) ** 2)) / len(excess)

    def describe(self) -> str:
        """Return what the method is called, and its source."""
        return "independent returns of any shape (Mertens, 2002; Opdyke, 2007)"


@final
@dataclass(frozen=True)
class HAC(SharpeMethod):
    """Dependent returns: the delta method on the moments, with their long-run variance.

    Parameters
    ----------
    long_run
        Its estimator; by default the prewhitened quadratic-spectral kernel.
    unit
        What returns are measured in. None: each series in its own standard deviation, so that leverage does
        not matter. Ledoit and Wolf (2008) measured in percent: 0.01. It matters because an automatic
        bandwidth weighs the autocorrelation of returns against that of their squares.
    """

    long_run: LongRunVariance = field(default_factory=Prewhitened)
    unit: float | None = None

    def __post_init__(self) -> None:
        if self.unit is not None and not 0.0 < self.unit < np.inf:
            raise InputError("unit", f"{self.unit!r} is not a positive number", fix="pass 0.01 for percent")

    def of_ratio(self, excess: FloatArray, ratio: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of one series is."""
        return _normal(ratio, self.variance(excess[:, np.newaxis]), confidence)

    def of_difference(self, pair: FloatArray, difference: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of the first column less that of the second is."""
        return _normal(difference, self.variance(pair), confidence)

    def variance(self, excess: FloatArray) -> float:
        """Return the variance of one ratio, (n_periods, 1), or of the difference of two, (n_periods, 2)."""
        moments, gradient = _moments(
            excess / (excess.std(axis=0, ddof=1) if self.unit is None else self.unit)
        )
        return self.long_run.variance(moments, gradient) / len(excess)

    def above(self, excess: FloatArray, ratio: float, benchmark: float) -> Probability:
        """Return how probable it is that the ratio of one series is above a benchmark."""
        return _normal_above(self.variance(excess[:, np.newaxis]), ratio - benchmark, len(excess))

    def describe(self) -> str:
        """Return what the method is called, and its source."""
        return f"HAC: {self.long_run.describe()} (Ledoit and Wolf, 2008)"


@final
@dataclass(frozen=True)
class StudentizedBootstrap(SharpeMethod):
    """Circular blocks resampled jointly, each resample with its own error.

    The statistic of a resample is divided by the error of its blocks, that of the sample by ``error``. The
    interval is symmetric, and leaves out 0 where p is 1 - confidence or less. Ledoit and Wolf (2008), section
    3.2.2.

    Parameters
    ----------
    block_length
        Rows in a block. None: the optimal one of Politis and White (2004) for the influence of the rows on
        the statistic, at most a quarter of the rows. :func:`calibrated_block_length` finds that of Ledoit
        and Wolf (2008), algorithm 3.1.
    n_resamples
        At least 99; 4,999 as in the paper.
    seed
        The same seed gives the same p.
    error
        Of the sample.
    """

    block_length: int | None = None
    n_resamples: int = 4999
    seed: int = 0
    error: HAC = HAC()

    def __post_init__(self) -> None:
        if self.block_length is not None and not (is_whole(self.block_length) and self.block_length >= 1):
            raise InputError(
                "block_length", f"{self.block_length!r} is not a positive number", fix="pass 5, say"
            )
        if self.n_resamples < _FEWEST_RESAMPLES:
            raise InputError("n_resamples", f"{self.n_resamples} are fewer than {_FEWEST_RESAMPLES}")

    def of_ratio(self, excess: FloatArray, ratio: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of one series is."""
        block, draws = self._ratio_draws(excess, ratio)
        return self._concluded(ratio, self.error.variance(excess[:, np.newaxis]), draws, block, confidence)

    def of_difference(self, pair: FloatArray, difference: float, confidence: float) -> Uncertainty:
        """Return how uncertain the ratio of the first column less that of the second is."""
        block = self.block([difference_influence(pair)])
        draws = difference_draws(pair[:, ::-1], block, self.n_resamples, np.random.default_rng(self.seed))
        return self._concluded(difference, self.error.variance(pair), draws, block, confidence)

    def block(self, influences: list[FloatArray]) -> int:
        """Return the rows in a block: as asked for, or the longest that any of the series calls for."""
        n = len(influences[0])
        if self.block_length is not None:
            refuse_blocks(n, self.block_length, self.n_resamples)
            return self.block_length
        longest = max(optimal_block_length(series)[1] for series in influences)
        return int(np.clip(np.ceil(longest), 1, n // 4))

    def _ratio_draws(self, excess: FloatArray, ratio: float) -> tuple[int, Draws]:
        block = self.block([influence(excess, ratio)])
        rng = np.random.default_rng(self.seed)
        return block, ratio_draws(excess[:, np.newaxis], block, self.n_resamples, rng)

    def _concluded(
        self, estimate: float, variance: float, draws: Draws, block: int, confidence: float
    ) -> Uncertainty:
        rank = int(np.ceil(round(confidence * (self.n_resamples + 1), 6)))
        if rank > self.n_resamples:
            problem = f"{self.n_resamples} are too few for a confidence of {confidence:g}"
            raise InputError("n_resamples", problem, fix=f"pass {int(np.ceil(2 / (1 - confidence)))} or more")
        error = float(np.sqrt(variance)) if variance > 0.0 else float("nan")
        sizes = np.abs(draws.studentised()[:, 0])
        width = float(np.partition(sizes, rank - 1)[rank - 1]) * error
        p = (1 + int(np.sum(sizes >= abs(estimate) / error))) / (self.n_resamples + 1)
        p = p if np.isfinite(error) else float("nan")
        return Uncertainty(error, width, p, block, self.n_resamples, self.seed)

    def above(self, excess: FloatArray, ratio: float, benchmark: float) -> Probability:
        """Return how probable it is that the ratio of one series is above a benchmark.

        The share of the resamples in which the estimate is less far above the truth, in errors, than it is
        above the benchmark: never above n_resamples/(n_resamples + 1).
        """
        block, draws = self._ratio_draws(excess, ratio)
        variance = self.error.variance(excess[:, np.newaxis])
        error = float(np.sqrt(variance)) if variance > 0.0 else float("nan")
        t, count = (ratio - benchmark) / error, self.n_resamples + 1
        value = 1.0 - (1 + int(np.sum(draws.studentised()[:, 0] >= t))) / count
        value = value if np.isfinite(error) else float("nan")
        return Probability(value, error, block, self.n_resamples, self.seed)

    def describe(self) -> str:
        """Return what the method is called, and its source."""
        return "studentised circular block bootstrap (Ledoit and Wolf, 2008)"


def influence(excess: FloatArray, ratio: float) -> FloatArray:
    """Return what each row moves the Sharpe ratio by, times n: z - s(z² - 1)/2 in standardised returns z.

    Shape (n_periods,) -> (n_periods,). Mertens (2002).
    """
    z = (excess - excess.mean()) / excess.std()
    return np.asarray(z - ratio / 2.0 * (z * z - 1.0))


def difference_influence(pair: FloatArray) -> FloatArray:
    """Return what each row moves the difference of two Sharpe ratios by, times n; (n_periods, 2)."""
    first, second = (influence(column, float(column.mean() / column.std())) for column in pair.T)
    return first - second


def _moments(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the centred first and second moments of one or two columns, and the gradient of the statistic.

    Ledoit and Wolf (2008), section 3.1: v = (μ₁, μ₂, γ₁, γ₂) with γ the uncentred second moment.
    """
    mean, second = x.mean(axis=0), np.mean(x * x, axis=0)
    sign = np.array([1.0, -1.0])[: x.shape[1]] / (second - mean**2) ** 1.5
    return np.hstack([x - mean, x * x - second]), np.concatenate([sign * second, -0.5 * sign * mean])


def _normal(estimate: float, variance: float, confidence: float) -> Uncertainty:
    if not variance > 0.0:
        return Uncertainty(float("nan"), float("nan"), float("nan"))
    from scipy.special import ndtr, ndtri  # not at the top: importing allocator costs no more than pandas

    error = float(np.sqrt(variance))
    width = float(ndtri(0.5 + confidence / 2.0)) * error
    return Uncertainty(error, width, float(2.0 * ndtr(-abs(estimate) / error)))


def _normal_above(variance: float, gap: float, n: int) -> Probability:
    """Return Φ(gap√((n - 1)/n)/error), with the degree that Bailey and López de Prado (2012) take off."""
    if not variance > 0.0:
        return Probability(float("nan"), float("nan"))
    from scipy.special import ndtr  # not at the top: importing allocator costs no more than pandas

    error = float(np.sqrt(variance))
    return Probability(float(ndtr(gap / error * np.sqrt((n - 1) / n))), error)
