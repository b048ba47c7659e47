"""The largest departure of a correlation from itself where it is constant, by resampling blocks of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics._pairs import standardised
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import is_whole, refuse_no_count, refuse_no_seed
from allocator.statistics.bootstrap import CircularBlockBootstrap

__all__ = ["ConstancyBootstrap"]

_FEWEST_RESAMPLES = 99
_NO_CHANGE = 1e-20


@final
@dataclass(frozen=True)
class ConstancyBootstrap:
    """Circular blocks of pairs, whose correlation does not change at a date. Galeano and Wied (2014).

    Computational Statistics and Data Analysis 76. Volatility that comes in clusters and autocorrelation stay
    within blocks.

    Parameters
    ----------
    block_length
        Rows in a block. None: ⌈1.5·∛n⌉, at most half of the rows; by simulation, as
        :func:`constant_correlation_test` says.
    n_resamples
        At least 99.
    seed
        The same seed gives the same p.
    """

    block_length: int | None = None
    n_resamples: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        if self.block_length is not None and (not is_whole(self.block_length) or self.block_length < 1):
            raise InputError("block_length", f"{self.block_length!r} is not a positive whole number")
        refuse_no_count("n_resamples", self.n_resamples, "pass 999, say")
        refuse_no_seed(self.seed)
        if self.n_resamples < _FEWEST_RESAMPLES:
            raise InputError("n_resamples", f"{self.n_resamples} are fewer than {_FEWEST_RESAMPLES}")

    def block(self, n: int) -> int:
        """Return the rows in a block of n rows."""
        if self.block_length is None:
            return min(int(np.ceil(1.5 * np.cbrt(n))), n // 2)
        if self.block_length > n // 2:
            raise InputError("block_length", f"{self.block_length} is more than half of the {n} rows")
        return self.block_length

    def p_value(self, matrix: FloatArray) -> float:
        """Return how often pairs resampled depart as far as these, (n_periods, 2), do."""
        scores = standardised(matrix)
        u, v = scores.T
        observed = departures(u[:, np.newaxis], v[:, np.newaxis]).max()
        bootstrap = CircularBlockBootstrap(self.block(len(scores)))
        rng = np.random.default_rng(self.seed)
        reached = sum(
            int(np.sum(departures(u[rows.T], v[rows.T]).max(axis=0) >= observed * (1.0 - 1e-12)))
            for rows in bootstrap.rows(len(scores), self.n_resamples, rng)
        )
        return (1 + reached) / (self.n_resamples + 1)

    def describe(self, n: int) -> str:
        """Return what the bootstrap is called, and its source."""
        return (
            f"blocks of {self.block(n)} rows (Galeano and Wied, 2014), {self.n_resamples:,} resamples, "
            f"seed {self.seed}"
        )


def departures(u: FloatArray, v: FloatArray) -> FloatArray:
    """Return j/√n·|r_j - r| for the first j rows of each column, j from 2, (n_periods - 1, n_columns).

    0 where r_j does not exist yet, as in the first rows that do not change, or r.
    """
    j = np.arange(1.0, len(u) + 1.0)[:, np.newaxis]
    mean_u, mean_v, uu, vv, uv = (np.cumsum(each, axis=0) / j for each in (u, v, u * u, v * v, u * v))
    variances = (uu - mean_u**2) * (vv - mean_v**2)
    moved = variances > _NO_CHANGE
    r = (uv - mean_u * mean_v) / np.sqrt(np.where(moved, variances, 1.0))
    r = np.where(moved, np.clip(r, -1.0, 1.0), np.nan)
    return np.asarray((j / np.sqrt(len(u)) * np.nan_to_num(np.abs(r - r[-1])))[1:])
