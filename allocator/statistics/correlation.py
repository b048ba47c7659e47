"""Pearson correlation of simple returns, with the interval that dependence over time allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics._moments import hardly_moves, is_rounding
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import hardly
from allocator.statistics._returns import FloatArray, Returns, ReturnTable, read_one_series, warn_undefined
from allocator.statistics._settings import refuse_long_blocks, refuse_no_count, refuse_no_seed
from allocator.statistics.block_length import optimal_block_length, wide_block_length
from allocator.statistics.bootstrap import resampled_means

__all__ = ["CorrelationEstimate", "bootstrap_correlation", "correlation", "fisher_interval"]

# Fewer pairs than this say nothing that should stand in a table.
_FEWEST_PAIRS = 12
_EXACT = 1.0 - 1e-12


@dataclass(frozen=True)
class CorrelationEstimate:
    """A correlation and how far to trust it.

    Parameters
    ----------
    n
        Pairs of returns.
    correlation
        Pearson's r; NaN where it is undefined, and ``reason`` says why.
    low, high
        Block-bootstrap interval.
    fisher_low, fisher_high
        The naive interval, for independent normal returns.
    standard_error
        Bootstrap standard error of Fisher's z = artanh(r), times √(n/(n - 1)) as resamples divide by n.
    block_length
        Rows in a block; 0 where nothing was resampled.
    n_resamples, confidence, seed
        As asked for.
    reason
        Empty, or why a number is missing or the interval has no width.
    """

    n: int
    correlation: float
    low: float
    high: float
    fisher_low: float
    fisher_high: float
    standard_error: float
    block_length: int
    n_resamples: int
    confidence: float
    seed: int
    reason: str = ""


def correlation(x: Returns, y: Returns) -> float:
    """Pearson correlation of two series of simple returns; NaN with a warning for a constant or n=1.

    Dates, where both have them, must be the same; else an InputError.
    """
    table, pairs = _read_pairs(x, y)
    reason = _why_undefined(pairs, 2)
    warn_undefined("correlation", table, np.array([bool(reason)]), reason)
    return float("nan") if reason else _pearson(_standardised(pairs))


def fisher_interval(r: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval tanh(artanh(r) ± z/√(n - 3)) of a correlation of ``n`` independent normal pairs.

    Too narrow for returns, whose volatility clusters. Fisher (1921). (NaN, NaN) for n < 4.
    """
    refuse_confidence(confidence)
    if not -1 <= r <= 1:
        raise InputError("r", f"{r} is no correlation")
    if n < 4:
        return float("nan"), float("nan")
    if abs(r) >= _EXACT:
        return float(r), float(r)
    from scipy.special import ndtri  # not at the top: importing allocator costs no more than pandas

    width = ndtri(0.5 + confidence / 2) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - width)), float(np.tanh(np.arctanh(r) + width))


def bootstrap_correlation(
    x: Returns,
    y: Returns,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    block_length: int | None = None,
    seed: int = 0,
) -> CorrelationEstimate:
    """Estimate a correlation with a circular block-bootstrap interval.

    The interval is tanh(z ± t·se): Fisher's z, its standard deviation over resamples, and Student's t
    with one degree a block, less one (at least 2). Long blocks with few degrees are what holds the coverage
    where dependence is weak and long, as in resampled real returns; they make the interval wider than it
    need be for independent normal pairs. docs/size.md has its coverage over six processes.
    It stays too short where the correlation itself drifts for as long as the sample, which no method sees.

    Parameters
    ----------
    x, y
        Simple returns, each (n_periods,), on the same dates where both have dates.
    confidence
        Coverage asked for, a fraction.
    n_resamples
        Resamples of the pairs.
    block_length
        Rows in a block, at most n/3; by default the optimal circular length for the influence of the pairs on
        r, uv - r(u² + v²)/2 in standardised returns, at least the :func:`wide_block_length`.
    seed
        Seeds the resampling; the same seed gives the same interval.

    Returns
    -------
    CorrelationEstimate
        With NaN and a ``reason`` for a constant series or fewer than 12 pairs: no warning. Without an
        interval where a series moves in fewer than 12 rows.

    Raises
    ------
    InputError
        Dates or lengths that differ, blocks longer than a third of the sample, and what returns are refused
        for.
    """
    refuse_confidence(confidence)
    _, pairs = _read_pairs(x, y)
    _refuse_resampling(len(pairs), block_length, n_resamples, seed)
    reason = _why_undefined(pairs, _FEWEST_PAIRS)
    estimate = _nothing_known(len(pairs), n_resamples, confidence, seed, reason)
    if reason:
        return estimate
    scores, still = _standardised(pairs), hardly_moves(pairs)
    if still.any() and abs(_pearson(scores)) < _EXACT:
        return replace(estimate, correlation=_pearson(scores), reason=hardly("x" if still[0] else "y"))
    return _estimated(estimate, scores, block_length)


def _nothing_known(
    n: int, n_resamples: int, confidence: float, seed: int, reason: str
) -> CorrelationEstimate:
    nan = float("nan")
    return CorrelationEstimate(n, nan, nan, nan, nan, nan, nan, 0, n_resamples, confidence, seed, reason)


def _estimated(
    estimate: CorrelationEstimate, scores: FloatArray, block_length: int | None
) -> CorrelationEstimate:
    r = _pearson(scores)
    fisher_low, fisher_high = fisher_interval(r, estimate.n, estimate.confidence)
    known = replace(estimate, correlation=r, fisher_low=fisher_low, fisher_high=fisher_high)
    if abs(r) >= _EXACT:
        reason = f"r is {r:g}: one series is a multiple of the other, which leaves no error to estimate"
        return replace(known, low=r, high=r, standard_error=0.0, reason=reason)
    block = block_length or _best_block(scores, r)
    error = _standard_error_of_z(scores, block, estimate.n_resamples, np.random.default_rng(estimate.seed))
    low, high = _interval(r, error, estimate.n / block, estimate.confidence)
    return replace(known, low=low, high=high, standard_error=error, block_length=block)


def _read_pairs(x: Returns, y: Returns) -> tuple[ReturnTable, FloatArray]:
    left, right = read_one_series(x, "x"), read_one_series(y, "y")
    if left.dates is not None and right.dates is not None:
        _refuse_other_dates(left, right)
    elif left.n_periods != right.n_periods:
        raise InputError("y", f"{right.n_periods} rows for {left.n_periods} rows of x")
    return left, np.hstack([left.matrix, right.matrix])


def _refuse_other_dates(left: ReturnTable, right: ReturnTable) -> None:
    assert left.dates is not None
    assert right.dates is not None
    if left.dates.equals(right.dates):
        return
    shared = len(left.dates.intersection(right.dates))
    only_left = left.dates.difference(right.dates)
    poorer, missing = ("y", only_left) if len(only_left) else ("x", right.dates.difference(left.dates))
    raise InputError(
        poorer,
        f"missing; x has {left.n_periods} dates, y {right.n_periods}, and they share {shared}",
        date=missing[0],
        count=len(missing),
        fix="pass the shared dates: x, y = x.align(y, join='inner')",
    )


def _refuse_resampling(n: int, block_length: int | None, n_resamples: int, seed: int) -> None:
    if block_length is not None:
        refuse_long_blocks(block_length, n, "pairs")
    refuse_no_count("n_resamples", n_resamples, "pass 1000 or more")
    refuse_no_seed(seed)
    if n_resamples < 2:
        raise InputError("n_resamples", f"{n_resamples} resamples have no spread", fix="pass 1000 or more")


def _why_undefined(pairs: FloatArray, fewest: int) -> str:
    if len(pairs) < fewest:
        return f"n={len(pairs)}, at least {fewest} are needed"
    constant = is_rounding(pairs.std(axis=0), pairs)
    return f"{'x' if constant[0] else 'y'} never changes" if constant.any() else ""


def _standardised(pairs: FloatArray) -> FloatArray:
    return np.asarray((pairs - pairs.mean(axis=0)) / pairs.std(axis=0))


def _pearson(scores: FloatArray) -> float:
    r = float(np.mean(scores[:, 0] * scores[:, 1]))
    return r if abs(r) < _EXACT else math.copysign(1.0, r)


def _best_block(scores: FloatArray, r: float) -> int:
    u, v = scores.T
    influence = u * v - r / 2.0 * (u**2 + v**2)
    _, circular = optimal_block_length(influence)
    wanted = max(circular, wide_block_length(len(scores)))
    return int(np.clip(np.ceil(wanted), 1, len(scores) // 3))


def _standard_error_of_z(
    scores: FloatArray, block_length: int, n_resamples: int, rng: np.random.Generator
) -> float:
    u, v = scores.T
    means = resampled_means(np.column_stack([u, v, u * u, v * v, u * v]), block_length, n_resamples, rng)
    n = len(scores)
    return float(np.std(np.arctanh(_resampled_correlations(means.T)), ddof=1) * np.sqrt(n / (n - 1)))


def _resampled_correlations(means: FloatArray) -> NDArray[np.float64]:
    u, v, uu, vv, uv = means
    variances = (uu - u * u) * (vv - v * v)
    # A resample may miss the only rows in which a series moves: it has no correlation and is left out.
    moved = variances > 1e-12
    r = (uv - u * v)[moved] / np.sqrt(variances[moved])
    return np.asarray(np.clip(r, -_EXACT, _EXACT))


def _interval(r: float, error: float, blocks: float, confidence: float) -> tuple[float, float]:
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    width = stdtrit(max(blocks - 1.0, 2.0), 0.5 + confidence / 2) * error
    return float(np.tanh(np.arctanh(r) - width)), float(np.tanh(np.arctanh(r) + width))
