"""A Sharpe ratio of whatever periods there are, for tables of many: by regime, by era."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics._block_bias import block_correction
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import Returns, read_numbers
from allocator.statistics.block_length import optimal_block_length
from allocator.statistics.bootstrap import resampled_means

__all__ = ["SharpeEstimate", "bootstrap_sharpe"]

_FEWEST = 12  # fewer returns than this say nothing that should stand in a table


@dataclass(frozen=True)
class SharpeEstimate:
    """An annualised Sharpe ratio, what it is made of, and how far to trust it.

    Attributes
    ----------
    n
        Returns.
    mean, volatility
        Of the returns over cash, a year.
    sharpe
        Their ratio; NaN where it is undefined, and ``reason`` says why.
    low, high
        Block-bootstrap interval.
    standard_error
        Of the annualised ratio.
    block_length
        Rows in a block; 0 where nothing was resampled.
    reason
        Empty, or why a number is missing.
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
    excess: Returns,
    periods_per_year: float,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> SharpeEstimate:
    """Estimate one cell of a table: mean, volatility and Sharpe ratio of some periods, with an interval.

    For one series :func:`sharpe_interval` is the better answer: it takes cash, and each resample has its own
    error. This is what :func:`conditional_performance` shows by regime, where periods are few: a regime
    that says nothing gives NaN and a reason, without a warning, and errors can be compared (Welch, 1951).
    The interval is the estimate ± t·error, with Student's t for the number of blocks. The error is the
    deviation over circular block resamples, times what their blocks cannot see of the dependence. The block
    length is the optimal one of Politis and White (2004) for the influence of the returns on the ratio,
    z - s(z² - 1)/2 in standardised returns (Mertens, 2002).

    Parameters
    ----------
    excess
        Returns over cash per period, shape (n_periods,).
    periods_per_year
        To annualise with.
    confidence, n_resamples, seed
        Of the bootstrap.

    Returns
    -------
    SharpeEstimate
        With NaN and a ``reason`` for returns that never change or fewer than 12 of them: no warning.

    Raises
    ------
    InputError
        If a return is missing, or a setting is out of range.
    """
    values = read_numbers(excess, "excess")
    _refuse_settings(periods_per_year, confidence, n_resamples)
    n, nan = len(values), float("nan")
    if n < _FEWEST:
        reason = f"n={n}, at least {_FEWEST} are needed"
        return SharpeEstimate(n, nan, nan, nan, nan, nan, nan, 0, reason)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    scale = np.sqrt(periods_per_year)
    annual = (mean * periods_per_year, deviation * scale)
    if is_rounding(np.array(deviation), values):
        return SharpeEstimate(n, *annual, nan, nan, nan, nan, 0, "the returns never change")
    ratio, z = mean / deviation, (values - mean) / deviation
    influence = z - ratio / 2.0 * (z * z - 1.0)
    block = _block_length(influence)
    error = _standard_error(z, ratio, block, n_resamples, np.random.default_rng(seed))
    error *= block_correction(influence, block)
    width = _student(n / block - 1.0, confidence) * error
    low, high = (ratio - width) * scale, (ratio + width) * scale
    return SharpeEstimate(n, *annual, ratio * scale, low, high, error * scale, block)


def _refuse_settings(periods_per_year: float, confidence: float, n_resamples: int) -> None:
    if not 0.0 < periods_per_year < np.inf:
        raise InputError("periods_per_year", f"{periods_per_year!r} is not a positive number")
    if not 0.0 < confidence < 1.0:
        raise InputError("confidence", f"{confidence!r} is not between 0 and 1", fix="pass 0.95 for 95 %")
    if n_resamples < 2:
        raise InputError("n_resamples", f"{n_resamples!r} resamples have no spread", fix="pass 1000 or more")


def _block_length(influence: NDArray[np.float64]) -> int:
    _, circular = optimal_block_length(influence)
    return int(np.clip(np.ceil(circular), 1, len(influence) // 3))


def _standard_error(
    z: NDArray[np.float64], ratio: float, block: int, n_resamples: int, rng: np.random.Generator
) -> float:
    first, second = resampled_means(np.column_stack([z, z * z]), block, n_resamples, rng).T
    variance = (second - first**2) * len(z) / (len(z) - 1)
    # A resample may miss the only rows in which the returns move: it has no ratio and is left out.
    moved = variance > 1e-12
    return float(np.std((ratio + first[moved]) / np.sqrt(variance[moved]), ddof=1))


def _student(degrees: float, confidence: float) -> float:
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    return float(stdtrit(max(degrees, 2.0), 0.5 + confidence / 2.0))
