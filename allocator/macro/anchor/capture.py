"""How much of the rises and of the falls of a benchmark an asset takes part in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show
from allocator.statistics import BlockBootstrap, StationaryBootstrap
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import Pair, read_pair
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics.bootstrap import refuse_other_bootstrap

__all__ = ["CaptureRatios", "capture_ratios"]


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
        ``percent``, the share in which it returned more than the benchmark.
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
    refuse_confidence(confidence)
    pair = read_pair(asset, benchmark)
    _refuse_unusable(pair)
    chosen = StationaryBootstrap.fitted(pair.matrix) if bootstrap is None else bootstrap
    refuse_other_bootstrap(chosen)
    columns = _columns(pair.matrix)
    draws = chosen.means(columns, n_resamples, np.random.default_rng(seed))
    found, drawn = _captures(columns.mean(axis=0), pair.n), _captures(draws, pair.n)
    edges = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    low, high = np.nanquantile(drawn, edges, axis=0)
    rows = [_row(pair.matrix, side, found, low, high) for side in (0, 1)]
    table = pd.DataFrame(rows, index=pd.Index(["up", "down"], name="benchmark"))
    return CaptureRatios(pair.names, table, pair.n, confidence, chosen, n_resamples, seed)


def _refuse_unusable(pair: Pair) -> None:
    lost = (pair.matrix <= -1.0).any(axis=1)
    if lost.any():
        raise InputError(
            "asset", "a return of -1: nothing is left to compound", date=pair.date(int(np.argmax(lost)))
        )
    for text, rows in (("rises", pair.matrix[:, 1] > 0.0), ("does not rise", pair.matrix[:, 1] <= 0.0)):
        if rows.sum() < 6:
            problem = f"{pair.names[1]!r} {text} in {rows.sum()} of {pair.n} rows, at least 6 are needed"
            raise InputError("benchmark", problem, fix="pass a longer sample")


def _columns(matrix: FloatArray) -> FloatArray:
    """Return the columns whose means give capture ratios: rows up and log returns of both, and down."""
    logs = np.log1p(matrix)
    sides = [(matrix[:, 1] > 0.0).astype(float), (matrix[:, 1] <= 0.0).astype(float)]
    return np.column_stack([part for side in sides for part in (side, side * logs[:, 0], side * logs[:, 1])])


def _captures(means: FloatArray, n: int) -> FloatArray:
    """Return capture and cumulative capture, up and down, shape (..., 4); NaN where no row is on a side."""
    parts = []
    for first in (0, 3):
        share, asset, benchmark = (means[..., first + j] for j in range(3))
        rows = np.where(share > 0.0, share, np.nan)
        parts += [_ratio(asset / rows, benchmark / rows), _ratio(asset * n, benchmark * n)]
    return np.stack(parts, axis=-1)


def _ratio(asset: FloatArray, benchmark: FloatArray) -> FloatArray:
    """Return compounded return over compounded return, of logs; NaN where the benchmark did not move."""
    return np.asarray(np.expm1(asset) / np.expm1(np.where(benchmark == 0.0, np.nan, benchmark)))


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
