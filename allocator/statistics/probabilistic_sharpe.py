"""Probabilistic and deflated Sharpe ratios: is a ratio above a bar, or above what luck would give.

As published both suppose independent returns, and say too much of returns that are not. Here they take any
:class:`SharpeMethod`: ``IndependentReturns()`` gives the published numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._moments import standardised_moment
from allocator.statistics._paired import ExcessReturns, read_single, refuse_confidence
from allocator.statistics._returns import Returns
from allocator.statistics._settings import is_number, is_whole
from allocator.statistics.sharpe_methods import Probability, SharpeMethod, StudentizedBootstrap

__all__ = [
    "ProbabilisticSharpe",
    "SharpeMoments",
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe",
    "probabilistic_sharpe_ratio",
]

_DEFAULT = StudentizedBootstrap()


@final
@dataclass(frozen=True)
class SharpeMoments:
    """What the error of a Sharpe ratio of independent returns is made of, per period.

    Attributes
    ----------
    n
        Returns.
    sharpe
        Ratio of one period.
    skewness, kurtosis
        Of the returns over cash; kurtosis is 3 if normal, not in excess.
    """

    n: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0

    @property
    def variance(self) -> float:
        """Variance of the ratio times n: 1 - g₃s + (g₄ - 1)s²/4. Mertens (2002)."""
        return 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2

    def probability_above(self, benchmark: float) -> float:
        """Return the probabilistic Sharpe ratio, Φ((s - s*)√(n - 1)/√variance).

        ``benchmark`` s* is a ratio of one period. Bailey and López de Prado (2012).
        """
        from scipy.special import ndtr  # not at the top: importing allocator costs no more than pandas

        if not self.variance > 0.0 or self.n < 2:
            return float("nan")
        return float(ndtr((self.sharpe - benchmark) * np.sqrt((self.n - 1) / self.variance)))

    def track_record_above(self, benchmark: float, confidence: float = 0.95) -> float:
        """Return the minimum track record length, 1 + variance·(z/(s - s*))² returns.

        So many returns of these moments make the probability equal to ``confidence``; infinite where the
        ratio is not above ``benchmark``, a ratio of one period. Bailey and López de Prado (2012).
        """
        return _track_record(self.sharpe - benchmark, self.variance, confidence)


@final
@dataclass(frozen=True, repr=False)
class ProbabilisticSharpe:
    """How probable it is that a Sharpe ratio is above a bar; prints itself.

    Attributes
    ----------
    name
        Of the series.
    moments
        Of its returns over cash, per period.
    periods_per_year
        To annualise with.
    sharpe, standard_error
        Per √year.
    benchmark
        The bar, per √year: as asked for, or the expected highest ratio of worthless trials.
    probability
        That the true ratio is above the bar; NaN where undefined, and ``reason`` says why.
    minimum_track_record
        Returns, with this ratio and an error that shrinks with their root, that would make the probability
        ``confidence`` in the normal approximation; infinite below the bar.
    confidence
        Of the track record.
    n_trials
        Configurations that were tried; 1 where the bar was given.
    trial_variance
        Of their annualised ratios.
    method
        What the error rests on.
    block_length, n_resamples, seed
        Of a bootstrap; 0, 0 and None where there was none.
    reason
        Empty, or why a number is missing.
    """

    name: str
    moments: SharpeMoments
    periods_per_year: float
    sharpe: float
    standard_error: float
    benchmark: float
    probability: float
    minimum_track_record: float
    confidence: float
    n_trials: int
    trial_variance: float
    method: str
    block_length: int
    n_resamples: int
    seed: int | None
    reason: str = ""

    @property
    def n(self) -> int:
        """Returns."""
        return self.moments.n

    __repr__ = show.probability_text
    _repr_html_ = show.probability_html


def probabilistic_sharpe_ratio(
    returns: Returns,
    cash: Cash,
    benchmark: float = 0.0,
    method: SharpeMethod = _DEFAULT,
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
) -> ProbabilisticSharpe:
    """Estimate the probability that a Sharpe ratio is above a benchmark. Bailey and López de Prado (2012).

    It allows for skew, fat tails and, unless ``method`` says otherwise, autocorrelation; not for having
    chosen the series. As published: ``method=IndependentReturns()``.

    Parameters
    ----------
    returns
        Simple returns of one series, shape (n_periods,).
    cash
        An annual effective rate, or the returns of cash in each period.
    benchmark
        An annualised ratio, per √year.
    method
        ``StudentizedBootstrap()``, ``HAC()``, ``IndependentReturns()`` (the published formula) or
        ``NormalReturns()``.
    periods_per_year
        Inferred from dates; arrays must say it.
    confidence
        At which the minimum track record is counted.
    """
    if not is_number(benchmark) or not np.isfinite(benchmark):
        raise InputError("benchmark", f"{benchmark!r} is no ratio")
    excess = read_single(returns, cash, periods_per_year)
    return _above(excess, float(benchmark), method, confidence, (1, 0.0))


def deflated_sharpe_ratio(
    returns: Returns,
    cash: Cash,
    n_trials: int,
    trial_variance: float,
    method: SharpeMethod = _DEFAULT,
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
) -> ProbabilisticSharpe:
    """Estimate the probability that a chosen Sharpe ratio is above the best that luck would give.

    The bar is :func:`expected_maximum_sharpe`. Trials that resemble each other count for fewer: their
    number overstates the bar, not the probability. Bailey and López de Prado (2014).

    Parameters
    ----------
    returns
        Simple returns of the chosen series, shape (n_periods,).
    cash
        An annual effective rate, or the returns of cash in each period.
    n_trials
        Configurations that were tried: all of them, ``walk.n_tried`` of a walk-forward record.
    trial_variance
        Variance of their annualised Sharpe ratios: ``walk.trial_sharpe_variance``.
    method
        As in :func:`probabilistic_sharpe_ratio`.
    periods_per_year
        Inferred from dates; arrays must say it.
    confidence
        At which the minimum track record is counted.
    """
    bar = expected_maximum_sharpe(n_trials, trial_variance)
    excess = read_single(returns, cash, periods_per_year)
    return _above(excess, bar, method, confidence, (n_trials, float(trial_variance)))


def expected_maximum_sharpe(n_trials: int, trial_variance: float) -> float:
    """Return the expected highest of N Sharpe ratios of mean 0, in the unit of √variance.

    √V((1 - γ)Φ⁻¹(1 - 1/N) + γΦ⁻¹(1 - 1/(Ne))) with Euler's γ; 0 for one trial. Bailey and López de Prado
    (2014), eq. 1.
    """
    from scipy.special import ndtri  # not at the top: importing allocator costs no more than pandas

    if not is_whole(n_trials) or n_trials < 1:
        raise InputError("n_trials", f"{n_trials!r} is not a positive number", fix="count all that was tried")
    if not is_number(trial_variance) or not 0.0 <= trial_variance < np.inf:
        raise InputError("trial_variance", f"{trial_variance!r} is no variance")
    if n_trials == 1:
        return 0.0
    tail = (1.0 - np.euler_gamma) * ndtri(1.0 - 1.0 / n_trials)
    return float(np.sqrt(trial_variance) * (tail + np.euler_gamma * ndtri(1.0 - 1.0 / (n_trials * math.e))))


def _above(
    excess: ExcessReturns,
    benchmark: float,
    method: SharpeMethod,
    confidence: float,
    trials: tuple[int, float],
) -> ProbabilisticSharpe:
    refuse_confidence(confidence)
    if not isinstance(method, SharpeMethod):
        problem = f"{method!r} is no way to find an error"
        raise InputError("method", problem, fix="pass al.HAC() or al.IndependentReturns(), say")
    nan, scale = float("nan"), float(np.sqrt(excess.periods_per_year))
    found, moments = Probability(nan, nan), SharpeMoments(excess.n, nan, nan, nan)
    if not excess.missing:
        excess.warn_if_few()
        moments = _moments(excess)
        found = method.above(excess.matrix[:, 0], moments.sharpe, benchmark / scale)
    variance, gap = excess.n * found.standard_error**2, moments.sharpe - benchmark / scale
    undefined = "" if found.standard_error > 0.0 else "its estimated variance is not positive"
    return ProbabilisticSharpe(
        excess.names[0],
        moments,
        excess.periods_per_year,
        moments.sharpe * scale,
        found.standard_error * scale,
        benchmark,
        found.value,
        _track_record(gap, variance, confidence),
        confidence,
        *trials,
        method.describe(),
        found.block_length,
        found.n_resamples,
        found.seed,
        excess.missing or undefined,
    )


def _track_record(gap: float, variance: float, confidence: float) -> float:
    from scipy.special import ndtri  # not at the top: importing allocator costs no more than pandas

    if np.isnan(gap):
        return float("nan")
    if gap <= 0.0:
        return float("inf")
    return float(1.0 + variance * (ndtri(confidence) / gap) ** 2)


def _moments(excess: ExcessReturns) -> SharpeMoments:
    skew, kurt = (float(standardised_moment(excess.matrix, order)[0]) for order in (3, 4))
    return SharpeMoments(excess.n, float(excess.ratios[0]), skew, kurt)
