"""Whether a correlation is the same throughout, and where it departs most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics import show_correlation as show
from allocator.statistics._pairs import EXACT, Pair, influence, read_pair, standardised
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics.constancy_bootstrap import ConstancyBootstrap, departures
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


_CHANGED = 0.05
_DEFAULT = ConstancyBootstrap()
_PUBLISHED = KernelVariance(Bartlett(), LogBandwidth())


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
        Of a constant correlation.
    date
        Of the largest: the last row before a change, if there is one; a row from 1 without dates.
    before, after
        Correlation up to and including ``date``, and after it.
    path
        ``j/√n·|r_j - r|/σ`` for the first j rows, j from 2, by date.
    method
        What σ and p rest on.
    reason
        Empty, or why a number is missing.
    caution
        Where a variance looks changed, with which the test rejects too often, or a series hardly moves; else
        empty.
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
    caution: str = ""

    __repr__ = show.constancy_text
    _repr_html_ = show.constancy_html


def constant_correlation_test(
    x: Returns, y: Returns, errors: ConstancyBootstrap | LongRunVariance = _DEFAULT
) -> ConstantCorrelationTest:
    """Test that the correlation of two series does not change, at no date in particular.

    Wied, Krämer and Dehling (2012), Econometric Theory 28, with σ² the long-run variance of the influence
    of the rows on r, which is their delta method written out. It supposes that means and variances are
    constant: a change of volatility is not a change of correlation, but a large one makes the test reject far
    too often, and the record says where one is seen: by the supremum of the sums of absolute deviations from
    the mean, at 5 %.

    Their p, of the limit, rejects more than 7 % of a true hypothesis at 120 rows with autocorrelation or
    volatility in clusters; the bootstrap 3 to 6 %: ``python -m benchmarks.size constant_correlation_test``.

    Parameters
    ----------
    x, y
        Simple returns, each (n_periods,), on the same dates where both have dates.
    errors
        What p rests on. :class:`ConstancyBootstrap`: resamples of blocks; σ, which then only scales the path,
        is that of the paper, Bartlett's kernel with ⌊log n⌋ lags. A :class:`LongRunVariance`, for σ: the
        supremum of a Brownian bridge; ``KernelVariance(Bartlett(), LogBandwidth())`` is the paper's.

    Returns
    -------
    ConstantCorrelationTest
        With NaN and a ``reason`` for a constant series, fewer than 12 pairs or r of ±1.

    Raises
    ------
    InputError
        Dates or lengths that differ, and what returns are refused for.
    """
    _refuse_other_errors(errors)
    pair = read_pair(x, y)
    nan, empty = float("nan"), pd.Series(dtype=np.float64)
    bootstrap, long_run = (None, errors) if isinstance(errors, LongRunVariance) else (errors, _PUBLISHED)
    source = long_run.describe() if bootstrap is None else bootstrap.describe(pair.n)
    method = f"Wied, Krämer and Dehling (2012), {source}"
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
        _supremum_p(float(path.max())) if bootstrap is None else bootstrap.p_value(pair.matrix),
        pair.date(row - 1),
        _correlation(pair.matrix[:row]),
        _correlation(pair.matrix[row:]),
        _labelled(pair, path),
        method,
        caution=pair.caution() or _changed_variance(pair),
    )


def _changed_variance(pair: Pair) -> str:
    """Return a warning where the size of the moves of a series looks changed, or nothing.

    The test of Inclán and Tiao (1994), of absolute deviations, not squares, over their long-run variance.
    """
    sizes = np.abs(pair.matrix - pair.matrix.mean(axis=0))
    for name, size in zip(pair.names, (sizes - sizes.mean(axis=0)).T, strict=True):
        variance = _PUBLISHED.variance(size[:, np.newaxis], np.ones(1))
        p = _supremum_p(np.abs(np.cumsum(size)).max() / np.sqrt(variance * pair.n)) if variance > 0.0 else 1.0
        if p < _CHANGED:
            said = f"the variance of {name!r} looks changed (p {p:.2g})"
            return f"rough: {said}, which the test takes for constant"
    return ""


def _path(pair: Pair, r: float, long_run: LongRunVariance) -> FloatArray:
    """Return j/√n·|r_j - r|/σ, j from 2 to n; 0 where r_j does not exist yet."""
    scores, n = standardised(pair.matrix), pair.n
    # The factor n/(n - 1) of the estimator is not in the formula of the paper.
    variance = long_run.variance(influence(scores, r)[:, np.newaxis], np.ones(1)) * (n - 1) / n
    u, v = scores.T[:, :, np.newaxis]
    return np.asarray(departures(u, v)[:, 0] / np.sqrt(variance))


def _refuse_other_errors(errors: ConstancyBootstrap | LongRunVariance) -> None:
    if not isinstance(errors, ConstancyBootstrap | LongRunVariance):
        raise InputError(
            "errors", f"{errors!r} is no way to find errors", fix="pass al.ConstancyBootstrap(), say"
        )


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
