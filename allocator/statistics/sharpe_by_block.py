"""A Sharpe ratio with the interval that dependence over time allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.statistics._moments import is_rounding
from allocator.statistics.bootstrap import optimal_block_length, resampled_means

__all__ = ["SharpeEstimate", "bootstrap_sharpe"]


@dataclass(frozen=True)
class SharpeEstimate:
    """An annualised Sharpe ratio, what it is made of, and how far to trust it.

    ``reason`` says why a number is NaN; it is empty otherwise.
    """

    n: int
    mean: float
    volatility: float
    sharpe: float
    low: float
    high: float
    standard_error: float
    block_length: int
    reason: str = ""


def bootstrap_sharpe(
    excess: NDArray[np.float64],
    periods_per_year: float,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
    fewest: int = 12,
) -> SharpeEstimate:
    """Estimate an annualised Sharpe ratio with a circular block-bootstrap interval.

    The interval is the estimate ± t·sd over resamples, with Student's t for the number of blocks.
    The block length is the optimal one of Politis and White (2004) for the influence of the returns
    on the ratio, z - s(z² - 1)/2 in standardised returns (Mertens, 2002).

    Parameters
    ----------
    excess
        Returns over cash per period, shape (n_periods,).
    periods_per_year
        To annualise with.
    confidence, n_resamples, seed
        Of the bootstrap.
    fewest
        With fewer periods the numbers are NaN, and ``reason`` says so.
    """
    n, nan = len(excess), float("nan")
    if n < fewest:
        return SharpeEstimate(n, nan, nan, nan, nan, nan, nan, 0, f"n={n}, at least {fewest} are needed")
    mean, deviation = float(excess.mean()), float(excess.std(ddof=1))
    annual = (mean * periods_per_year, deviation * np.sqrt(periods_per_year))
    if is_rounding(np.array(deviation), excess):
        return SharpeEstimate(n, *annual, nan, nan, nan, nan, 0, "the returns never change")
    ratio = mean / deviation
    block = _block(excess, mean, deviation)
    error = _standard_error(excess, block, n_resamples, np.random.default_rng(seed))
    width = _student(n / block - 1.0, confidence) * error
    scale = np.sqrt(periods_per_year)
    low, high = (ratio - width) * scale, (ratio + width) * scale
    return SharpeEstimate(n, *annual, ratio * scale, low, high, error * scale, block)


def _block(excess: NDArray[np.float64], mean: float, deviation: float) -> int:
    z = (excess - mean) / deviation
    _, circular = optimal_block_length(z - mean / deviation / 2.0 * (z * z - 1.0))
    return int(np.clip(np.ceil(circular), 1, len(excess) // 3))


def _standard_error(
    excess: NDArray[np.float64], block: int, n_resamples: int, rng: np.random.Generator
) -> float:
    means = resampled_means(np.column_stack([excess, excess * excess]), block, n_resamples, rng)
    variance = (means[:, 1] - means[:, 0] ** 2) * len(excess) / (len(excess) - 1)
    moved = variance > 1e-12 * float(np.var(excess))
    return float(np.std(means[moved, 0] / np.sqrt(variance[moved]), ddof=1))


def _student(degrees: float, confidence: float) -> float:
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    return float(stdtrit(max(degrees, 2.0), 0.5 + confidence / 2.0))
