"""How much of the rises and of the falls of a benchmark an asset takes part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show
from allocator.macro.anchor._settings import refuse_bootstrap, refuse_draws
from allocator.regimes._settings import refuse_no_scale
from allocator.statistics import BlockBootstrap, StationaryBootstrap
from allocator.statistics._pairs import Pair, read_pair
from allocator.statistics._returns import FloatArray, Returns, read_one_series
from allocator.statistics.bootstrap import refuse_other_bootstrap

__all__ = ["CaptureRatios", "capture_ratios"]

_EXACT = 1e-12  # means this small beside the mean size of what is averaged are rounding


@final
@dataclass(frozen=True, eq=False, repr=False)
class CaptureRatios:
    """Capture ratios up and down; prints itself.

    Attributes
    ----------
    names
        Of the asset and the benchmark.
    table
        Rows ``up`` (benchmark above 0) and ``down`` (at or below 0). Columns: ``n``; ``capture``, the
        geometric mean return of the asset over that of the benchmark, ``low`` and ``high``; ``cumulative``,
        ``cumulative_low``, ``cumulative_high``, the same of compounded returns, which grows with the sample
        up and tends to 1 down; ``number``, the share of the rows in which the asset moved the same way;
        ``percent``, the share in which it returned more than the benchmark; ``n_usable``, the resamples in
        which the benchmark moved on that side, of which the intervals are.
    n
        Rows.
    confidence
        Of the intervals, percentiles of the resamples.
    bootstrap, n_resamples, seed
        How the resamples were drawn.
    """

    names: tuple[str, str]
    table: pd.DataFrame
    n: int
    confidence: float
    bootstrap: BlockBootstrap
    n_resamples: int
    seed: int

    __repr__ = show.capture_text
    _repr_html_ = show.capture_html


def capture_ratios(
    asset: Returns,
    benchmark: Returns,
    *,
    confidence: float = 0.95,
    bootstrap: BlockBootstrap | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> CaptureRatios:
    """Return the up- and down-capture of an asset, with block-bootstrap intervals.

    ``cumulative``, ``number`` and ``percent`` are those of R's PerformanceAnalytics; ``capture`` is that of
    Morningstar, which does not depend on the length of the sample.

    Parameters
    ----------
    asset, benchmark
        Simple returns, each (n_periods,), on the same dates where both have dates.
    confidence
        Of the intervals.
    bootstrap
        How rows are drawn; None for the stationary bootstrap with a block length chosen from the data.
    n_resamples, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        Dates or lengths that differ, NaN, a return of -1, fewer than 6 rows on a side.
    """
    refuse_bootstrap(confidence, 2, 0)
    refuse_draws(n_resamples, seed)
    tables = [
        refuse_no_scale(read_one_series(returns, argument))
        for argument, returns in (("asset", asset), ("benchmark", benchmark))
    ]
    pair = read_pair(*tables)
    _refuse_unusable(pair)
    chosen = StationaryBootstrap.fitted(pair.matrix) if bootstrap is None else bootstrap
    refuse_other_bootstrap(chosen)
    columns = _columns(pair.matrix)
    draws = chosen.means(columns, n_resamples, np.random.default_rng(seed))
    rounding = _EXACT * np.abs(columns).mean(axis=0)
    found, drawn = (_captures(means, pair.n, rounding) for means in (columns.mean(axis=0), draws))
    low, high = _percentiles(drawn, confidence)
    usable = np.isfinite(drawn).sum(axis=0)
    rows = [_row(pair.matrix, side, found, low, high) | {"n_usable": usable[2 * side]} for side in (0, 1)]
    table = pd.DataFrame(rows, index=pd.Index(["up", "down"], name="benchmark"))
    return CaptureRatios(pair.names, table, pair.n, confidence, chosen, n_resamples, seed)


def _refuse_unusable(pair: Pair) -> None:
    for argument, returns in zip(("asset", "benchmark"), pair.matrix.T, strict=True):
        if (returns <= -1.0).any():
            row = pair.date(int(np.argmax(returns <= -1.0)))
            raise InputError(argument, "a return of -1: nothing is left to compound", date=row)
    for text, rows in (("rises", pair.matrix[:, 1] > 0.0), ("does not rise", pair.matrix[:, 1] <= 0.0)):
        if rows.sum() < 6:
            problem = f"{pair.names[1]!r} {text} in {rows.sum()} of {pair.n} rows, at least 6 are needed"
            raise InputError("benchmark", problem, fix="pass a longer sample")


def _columns(matrix: FloatArray) -> FloatArray:
    """Return the columns whose means give capture ratios: rows up and log returns of both, and down."""
    logs = np.log1p(matrix)
    sides = [(matrix[:, 1] > 0.0).astype(float), (matrix[:, 1] <= 0.0).astype(float)]
    return np.column_stack([part for side in sides for part in (side, side * logs[:, 0], side * logs[:, 1])])


def _captures(means: FloatArray, n: int, rounding: FloatArray) -> FloatArray:
    """Return capture and cumulative capture, up and down, shape (..., 4).

    NaN where no row is on a side, or where the benchmark's mean there is rounding: means of resamples are
    differences of running sums, and 0 comes out as 1e-17.
    """
    parts = []
    for first in (0, 3):
        share, asset, benchmark = (means[..., first + j] for j in range(3))
        rows = np.rint(share * n)
        moved = (rows > 0.0) & (np.abs(benchmark) > rounding[first + 2])
        per_row = np.where(moved, n / np.maximum(rows, 1.0), np.nan)
        asset = np.where(np.abs(asset) > rounding[first + 1], asset, 0.0)
        parts += [
            _ratio(asset * per_row, benchmark * per_row),
            _ratio(asset * n, np.where(moved, benchmark * n, np.nan)),
        ]
    return np.stack(parts, axis=-1)


def _ratio(asset: FloatArray, benchmark: FloatArray) -> FloatArray:
    """Return compounded return over compounded return, of logs; NaN where either is too large a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.expm1(asset) / np.expm1(benchmark)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _percentiles(drawn: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the intervals, each (4,); NaN where no resample has the number."""
    low, high = np.full((2, drawn.shape[1]), np.nan)
    known = np.isfinite(drawn).any(axis=0)
    edges = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    low[known], high[known] = np.nanquantile(drawn[:, known], edges, axis=0)
    return low, high


def _row(
    matrix: FloatArray, side: int, found: FloatArray, low: FloatArray, high: FloatArray
) -> dict[str, float]:
    rows = matrix[matrix[:, 1] <= 0.0] if side else matrix[matrix[:, 1] > 0.0]
    asset, benchmark = rows.T
    same_way = (asset < 0.0) if side else (asset > 0.0)
    capture, cumulative = 2 * side, 2 * side + 1
    return {
        "n": len(rows),
        "capture": float(found[capture]),
        "low": float(low[capture]),
        "high": float(high[capture]),
        "cumulative": float(found[cumulative]),
        "cumulative_low": float(low[cumulative]),
        "cumulative_high": float(high[cumulative]),
        "number": float(same_way.mean()),
        "percent": float((asset > benchmark).mean()),
    }
