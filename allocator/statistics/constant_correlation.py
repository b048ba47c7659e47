"""Whether a correlation is the same throughout, and where it departs most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.statistics import show_correlation as show
from allocator.statistics._pairs import EXACT, Pair, influence, read_pair, standardised
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics.long_run_variance import (
    Bandwidth,
    Bartlett,
    Kernel,
    KernelVariance,
    LongRunVariance,
)

__all__ = ["ConstantCorrelationTest", "LogBandwidth", "constant_correlation_test"]


@final
@dataclass(frozen=True)
class LogBandwidth(Bandwidth):
    """As many lags as the log of the number of rows, cut to whole ones. Wied, Krämer and Dehling (2012)."""

    def width(self, moments: FloatArray, kernel: Kernel) -> float:  # noqa: ARG002 - the same for all
        """Return ⌊log n⌋ + 1, at which the next lag would have no weight."""
        return float(np.floor(np.log(len(moments)))) + 1.0

    def describe(self) -> str:
        """Return what the choice is called."""
        return "⌊log n⌋ lags"


_DEFAULT = KernelVariance(Bartlett(), LogBandwidth())


@final
@dataclass(frozen=True, eq=False, repr=False)
class ConstantCorrelationTest:
    """A test that a correlation is constant, against a change at an unknown date; prints itself.

    Attributes
    ----------
    names
        Of the two series.
    n
        Pairs of returns.
    correlation
        Of all of them.
    statistic
        Largest of the path.
    p_value
        That the supremum of a Brownian bridge is as large: of a constant correlation.
    date
        Of the largest: the last row before a change, if there is one; a row from 1 without dates.
    before, after
        Correlation up to and including ``date``, and after it.
    path
        j/√n·|r_j - r|/σ for the first j rows, j from 2, by date.
    method
        What σ rests on.
    reason
        Empty, or why a number is missing.
    """

    names: tuple[str, str]
    n: int
    correlation: float
    statistic: float
    p_value: float
    date: Any
    before: float
    after: float
    path: pd.Series[float]
    method: str
    reason: str = ""

    __repr__ = show.constancy_text
    _repr_html_ = show.constancy_html


def constant_correlation_test(
    x: Returns, y: Returns, long_run: LongRunVariance = _DEFAULT
) -> ConstantCorrelationTest:
    """Test that the correlation of two series does not change, at no date in particular.

    Wied, Krämer and Dehling (2012), Econometric Theory 28, with σ² the long-run variance of the influence
    of the rows on r, which is their delta method written out; Bartlett's kernel with ⌊log n⌋ lags by default.
    It supposes that means and variances are constant: a change of volatility is not a change of correlation,
    but a large one disturbs the test.

    Parameters
    ----------
    x, y
        Simple returns, each (n_periods,), on the same dates where both have dates.
    long_run
        Estimator of the long-run variance.

    Returns
    -------
    ConstantCorrelationTest
        With NaN and a ``reason`` for a constant series, fewer than 12 pairs or r of ±1.

    Raises
    ------
    InputError
        Dates or lengths that differ, and what returns are refused for.
    """
    pair = read_pair(x, y)
    nan, empty = float("nan"), pd.Series(dtype=np.float64)
    method = f"Wied, Krämer and Dehling (2012), {long_run.describe()}"
    reason = pair.missing()
    r = nan if reason else _correlation(pair.matrix)
    if not reason and abs(r) >= EXACT:
        reason = f"r is {r:g}: there is no error to measure a change by"
    if reason:
        return ConstantCorrelationTest(pair.names, pair.n, r, nan, nan, None, nan, nan, empty, method, reason)
    path = _path(pair, r, long_run)
    row = int(np.argmax(path)) + 2
    return ConstantCorrelationTest(
        pair.names,
        pair.n,
        r,
        float(path.max()),
        _supremum_p(float(path.max())),
        pair.date(row - 1),
        _correlation(pair.matrix[:row]),
        _correlation(pair.matrix[row:]),
        _labelled(pair, path),
        method,
    )


def _path(pair: Pair, r: float, long_run: LongRunVariance) -> FloatArray:
    """Return j/√n·|r_j - r|/σ, j from 2 to n; 0 where r_j does not exist yet."""
    scores, n = standardised(pair.matrix), pair.n
    # The factor n/(n - 1) of the estimator is not in the formula of the paper.
    variance = long_run.variance(influence(scores, r)[:, np.newaxis], np.ones(1)) * (n - 1) / n
    j = np.arange(2.0, n + 1.0)
    departures = np.abs(_expanding(scores)[1:] - r)
    return np.asarray(j / np.sqrt(n * variance) * np.nan_to_num(departures))


def _expanding(scores: FloatArray) -> FloatArray:
    """Return the correlation of the first j rows, j from 1 to n; NaN where a column has not changed."""
    u, v = scores.T
    j = np.arange(1.0, len(scores) + 1.0)
    mean_u, mean_v, uu, vv, uv = (np.cumsum(each) / j for each in (u, v, u * u, v * v, u * v))
    variances = (uu - mean_u**2) * (vv - mean_v**2)
    moved = variances > 1e-20
    r = (uv - mean_u * mean_v) / np.sqrt(np.where(moved, variances, 1.0))
    return np.where(moved, np.clip(r, -1.0, 1.0), np.nan)


def _correlation(matrix: FloatArray) -> float:
    """Return Pearson's r, NaN where a column does not change."""
    if len(matrix) < 2 or not (matrix.std(axis=0) > 0.0).all():
        return float("nan")
    z = standardised(matrix)
    return float(np.clip(np.mean(z[:, 0] * z[:, 1]), -1.0, 1.0))


def _supremum_p(statistic: float) -> float:
    from scipy.special import kolmogorov  # not at the top: importing allocator costs no more than pandas

    return float(kolmogorov(statistic))


def _labelled(pair: Pair, path: FloatArray) -> pd.Series[float]:
    rows: pd.Index = pd.RangeIndex(2, pair.n + 1) if pair.dates is None else pair.dates[1:]
    return pd.Series(path, index=rows, name="departure")
