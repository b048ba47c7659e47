"""Two series on the same dates: read, checked, standardised, and how each row moves their correlation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.frequency import Frequency
from allocator.statistics._moments import hardly_moves, is_rounding
from allocator.statistics._one_thread import inner, product
from allocator.statistics._paired import refuse_other_rows as refuse_other_rows
from allocator.statistics._returns import FloatArray, Returns, ReturnTable, read_one_series
from allocator.statistics._settings import is_whole
from allocator.statistics.block_length import wide_block_length
from allocator.statistics.long_run_variance import (
    Bandwidth,
    Bartlett,
    FixedBandwidth,
    Kernel,
    KernelVariance,
    LongRunVariance,
    Prewhitened,
)
from allocator.statistics.wide_bandwidth import WideBandwidth

FEWEST_PAIRS = 12  # fewer pairs than this say nothing that should stand in a table
EXACT = 1.0 - 1e-12
WIDE = KernelVariance(Bartlett(), WideBandwidth())  # of the errors of correlations unless told otherwise
# A degree of freedom of the HAC error of a correlation takes so many rows, by simulation.
_ROWS_A_DEGREE = 6.0


@dataclass(frozen=True)
class Pair:
    """Two series of simple returns on the same dates.

    Attributes
    ----------
    matrix
        Shape (n_periods, 2).
    names
        Of the two.
    dates
        None where they came as arrays.
    frequency
        Of the dates; None where there are none, or one.
    """

    matrix: FloatArray
    names: tuple[str, str]
    dates: pd.DatetimeIndex | None
    frequency: Frequency | None

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.matrix)

    @property
    def title(self) -> str:
        """Both names, for people."""
        return " – ".join(self.names)

    def date(self, row: int) -> Any:
        """Return the date of a row, its number counted from 1 where there are no dates."""
        return row + 1 if self.dates is None else self.dates[row]

    def only(self, rows: np.typing.NDArray[np.bool_]) -> Pair:
        """Return some of the rows, side by side."""
        return replace(self, matrix=self.matrix[rows], dates=None if self.dates is None else self.dates[rows])

    def missing(self, fewest: int = FEWEST_PAIRS) -> str:
        """Return why their correlation is not to be known, or nothing."""
        if self.n < fewest:
            return f"n={self.n}, at least {fewest} are needed"
        constant = is_rounding(self.matrix.std(axis=0), self.matrix)
        return f"{self.names[int(np.argmax(constant))]!r} never changes" if constant.any() else ""

    def caution(self) -> str:
        """Return why no interval of their correlation is to be trusted, or nothing."""
        still = hardly_moves(self.matrix)
        return hardly(self.names[int(np.argmax(still))]) if still.any() else ""


def hardly(name: str) -> str:
    """Return the reason for no interval of a series that hardly moves."""
    return f"{name!r} moves in too few rows for an interval: what it does in the others is not to be seen"


def read_pair(x: Returns, y: Returns) -> Pair:
    """Read two series of simple returns, refusing dates or lengths that differ."""
    first, second = read_one_series(x, "x"), read_one_series(y, "y")
    refuse_other_rows(first, second)
    names = _name(first), _name(second)
    return Pair(np.hstack([first.matrix, second.matrix]), names, first.dates, first.frequency)


def read_dated_pair(x: Returns, y: Returns) -> tuple[Pair, pd.DatetimeIndex, Frequency]:
    """Return two series that have at least two dates, the dates, and their frequency."""
    pair = read_pair(x, y)
    if pair.dates is None or pair.frequency is None:
        problem = "has no dates" if pair.dates is None else "has one date"
        raise InputError("x", problem, fix="pass two Series with the dates of their returns")
    return pair, pair.dates, pair.frequency


def _name(table: ReturnTable) -> str:
    return table.argument if table.is_array else str(table.columns[0])


@dataclass(frozen=True)
class Correlated:
    """A correlation and its error on the scale of Fisher's z.

    Attributes
    ----------
    r
        Pearson's, weighted if there are weights; ±1 exactly where it is.
    standard_error
        Of artanh(r); 0 at ±1, NaN where its variance is not positive or a series hardly moves.
    n
        Rows, or what equal weights would need: (Σw)²/Σw².
    lags
        Bandwidth of the error, in rows; 0 where the estimator has none.
    """

    r: float
    standard_error: float
    n: float
    lags: float = 0.0

    def degrees(self, overlap: int = 1) -> float:
        """Return those of Student's t: one for every six rows, or a bandwidth less one; at least 2.

        Up to a fifth of the rows, t of n/bandwidth degrees is within 2 % of the critical values of Kiefer and
        Vogelsang (2005) for Bartlett's kernel; one degree less allows for fat tails.
        """
        of_lags = self.n / self.lags - 1.0 if self.lags > 0.0 else np.inf
        return float(max(min(self.n / overlap / _ROWS_A_DEGREE, of_lags), 2.0))

    def interval(self, confidence: float, overlap: int = 1) -> tuple[float, float]:
        """Return tanh(z ± t·se), with Student's t of so many :meth:`degrees`."""
        if abs(self.r) >= EXACT:
            return self.r, self.r
        from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

        width = float(stdtrit(self.degrees(overlap), 0.5 + confidence / 2.0)) * self.standard_error
        z = float(np.arctanh(self.r))
        return float(np.tanh(z - width)), float(np.tanh(z + width))


def correlated(
    matrix: FloatArray, long_run: LongRunVariance, weights: FloatArray | None = None
) -> Correlated:
    """Return the correlation of two columns that change, with its HAC error; weights (n_periods,)."""
    w = np.ones(len(matrix)) if weights is None else weights
    total = float(w.sum())
    centred = matrix - product(w, matrix) / total
    scores = centred / np.sqrt(product(w, centred**2) / total)
    r = inner(w, scores[:, 0] * scores[:, 1]) / total
    n = total**2 / inner(w, w)
    if abs(r) >= EXACT:
        return Correlated(float(np.copysign(1.0, r)), 0.0, n)
    weighted = (w * influence(scores, r))[:, np.newaxis]
    estimator = long_run if weights is None else _of_rows(long_run, n)
    if hardly_moves(matrix).any():
        return Correlated(r, float("nan"), n)
    variance = estimator.variance(weighted, np.ones(1)) * len(matrix) / total**2
    error = float(np.sqrt(variance)) / (1.0 - r * r) if variance > 0.0 else float("nan")
    return Correlated(r, error, n, _lags(estimator, weighted))


def _lags(long_run: LongRunVariance, moments: FloatArray) -> float:
    if isinstance(long_run, KernelVariance):
        return long_run.bandwidth.width(moments, long_run.kernel)
    return 0.0


def _of_rows(long_run: LongRunVariance, rows: float) -> LongRunVariance:
    """Return the estimator with a wide bandwidth of the rows that count, not of those that fade."""
    if isinstance(long_run, KernelVariance):
        return replace(long_run, bandwidth=_fixed(long_run.bandwidth, rows))
    return long_run


def _fixed(bandwidth: Bandwidth, rows: float) -> Bandwidth:
    if isinstance(bandwidth, _AtLeast):
        return replace(bandwidth, chosen=_fixed(bandwidth.chosen, rows))
    return FixedBandwidth(wide_block_length(rows)) if isinstance(bandwidth, WideBandwidth) else bandwidth


def standardised(matrix: FloatArray) -> FloatArray:
    """Return columns less their mean, over their deviation (ddof 0)."""
    return np.asarray((matrix - matrix.mean(axis=0)) / matrix.std(axis=0))


def influence(scores: FloatArray, r: float) -> FloatArray:
    """Return what each row moves r by, times n: uv - r(u² + v²)/2 in standardised columns, (n_periods,).

    It is the gradient of r times the centred first and second moments: the delta method.
    """
    u, v = scores.T
    return np.asarray(u * v - r / 2.0 * (u * u + v * v))


@dataclass(frozen=True)
class _AtLeast(Bandwidth):
    """Another bandwidth, but never below a number of rows."""

    chosen: Bandwidth
    rows: float

    def width(self, moments: FloatArray, kernel: Kernel) -> float:
        """Return the lags at which the kernel is read at 1, for columns of mean 0, (n_periods, n_moments)."""
        return max(self.chosen.width(moments, kernel), self.rows)

    def describe(self) -> str:
        """Return what the choice is called."""
        return f"{self.chosen.describe()}, at least {self.rows:g}"


def spanning(long_run: LongRunVariance, overlap: int, n: int) -> LongRunVariance:
    """Return the estimator with lags up to ``overlap`` counted, and warn that they are (F157).

    Raises
    ------
    InputError
        An overlap that is not from 1 to a third of the rows, or an estimator whose lags are unknown.
    """
    if not isinstance(long_run, LongRunVariance):
        problem = f"{long_run!r} is no estimator of a long-run variance"
        raise InputError("long_run", problem, fix="leave it out, or pass a KernelVariance")
    if is_whole(overlap) and overlap == 1:
        return long_run
    if not is_whole(overlap) or not 1 <= overlap <= n // 3:
        raise InputError(
            "overlap",
            f"returns over {overlap!r} rows in {n} rows",
            fix="pass the rows that a return spans, at most a third of them",
        )
    text = f"overlapping returns over {overlap} rows: lags up to {overlap} count in the error"
    warnings.warn(text, UserWarning, stacklevel=3)
    return _widened(long_run, overlap)


def _widened(long_run: LongRunVariance, overlap: int) -> LongRunVariance:
    if isinstance(long_run, Prewhitened):
        inner = _widened(long_run.whitened, overlap)
        assert isinstance(inner, KernelVariance)
        return Prewhitened(inner)
    if isinstance(long_run, KernelVariance):
        # Bartlett's and Parzen's weights are 0 at the width itself: one more row, so that lag counts.
        return replace(long_run, bandwidth=_AtLeast(long_run.bandwidth, overlap + 1.0))
    raise InputError(
        "long_run", f"{type(long_run).__name__} does not say its lags", fix="pass a KernelVariance"
    )
