"""The correlation of two series with two intervals that allow for dependence over time, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from allocator.statistics import show_correlation as show
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import EXACT, WIDE, Correlated, Pair, correlated, read_pair, spanning
from allocator.statistics._returns import Returns
from allocator.statistics.correlation import CorrelationEstimate, bootstrap_correlation
from allocator.statistics.long_run_variance import LongRunVariance

__all__ = ["CorrelationInterval", "correlation_interval"]


@final
@dataclass(frozen=True, repr=False)
class CorrelationInterval:
    """A correlation with its HAC interval, beside that of the block bootstrap; prints itself.

    Attributes
    ----------
    names
        Of the two series.
    n
        Pairs of returns.
    correlation
        Pearson's r, a pure number; NaN where undefined, and ``reason`` says why.
    standard_error
        HAC, of Fisher's z = artanh(r).
    low, high
        HAC interval of r.
    confidence
        Of both intervals.
    overlap
        Rows that one return spans.
    method
        What the HAC error rests on.
    bootstrap
        The same correlation with its block-bootstrap and its naive interval.
    reason
        Empty, or why a number is missing.
    """

    names: tuple[str, str]
    n: int
    correlation: float
    standard_error: float
    low: float
    high: float
    confidence: float
    overlap: int
    method: str
    bootstrap: CorrelationEstimate
    reason: str = ""

    __repr__ = show.interval_text
    _repr_html_ = show.interval_html


def correlation_interval(
    x: Returns,
    y: Returns,
    long_run: LongRunVariance = WIDE,
    *,
    confidence: float = 0.95,
    overlap: int = 1,
    n_resamples: int = 2000,
    seed: int = 0,
) -> CorrelationInterval:
    """Estimate a correlation with a HAC interval, and a block-bootstrap one beside it.

    The HAC error is the delta method on the first and second moments; the interval is tanh(z ± t·se) with the
    degrees of Student's t that the bandwidth leaves, because the normal quantile is too small for an error
    that is estimated. Wide bandwidths and long blocks hold the coverage where dependence is weak and long,
    as in resampled real returns (docs/size.md).

    Parameters
    ----------
    x, y
        Simple returns, each (n_periods,), on the same dates where both have dates.
    long_run
        Estimator of the long-run variance of the influence of the rows on r; by default Bartlett's kernel
        with a :class:`WideBandwidth`. An automatic bandwidth makes the interval of such returns too short.
    confidence
        Coverage asked for, a fraction.
    overlap
        Rows that one return spans: 12 for twelve-month returns every month. Above 1, all lags up to it
        count, blocks are at least that long, and a warning says so.
    n_resamples, seed
        Of the block bootstrap, :func:`bootstrap_correlation`.

    Returns
    -------
    CorrelationInterval
        With NaN and a ``reason`` for a constant series or fewer than 12 pairs: no warning. Without an
        interval where a series moves in fewer than 12 rows.

    Raises
    ------
    InputError
        Dates or lengths that differ, settings out of range, and what returns are refused for.
    """
    refuse_confidence(confidence)
    pair = read_pair(x, y)
    spanned = spanning(long_run, overlap, pair.n)
    reason, nan = pair.missing(), float("nan")
    found = Correlated(nan, nan, pair.n) if reason else correlated(pair.matrix, spanned)
    low, high = (nan, nan) if reason else found.interval(confidence, overlap)
    return CorrelationInterval(
        pair.names,
        pair.n,
        found.r,
        found.standard_error,
        low,
        high,
        confidence,
        overlap,
        f"HAC: {spanned.describe()}, on Fisher's scale",
        _bootstrapped(pair, confidence, overlap, n_resamples, seed),
        reason or _caveat(found, pair),
    )


def _caveat(found: Correlated, pair: Pair) -> str:
    if abs(found.r) >= EXACT:
        return f"r is {found.r:g}: one series is a multiple of the other, which leaves no error to estimate"
    if pair.caution():
        return pair.caution()
    return "" if found.standard_error > 0.0 else "its estimated variance is not positive"


def _bootstrapped(
    pair: Pair, confidence: float, overlap: int, n_resamples: int, seed: int
) -> CorrelationEstimate:
    x, y = pair.matrix.T
    found = bootstrap_correlation(x, y, confidence=confidence, n_resamples=n_resamples, seed=seed)
    if overlap == 1 or not 0 < found.block_length < overlap:
        return found
    return bootstrap_correlation(
        x, y, confidence=confidence, n_resamples=n_resamples, seed=seed, block_length=overlap
    )
