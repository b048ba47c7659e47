"""Block bootstraps: how the rows of a resample are drawn, and the means that come of it.

Rows are drawn together, so that the series of a table keep what they have in common, in blocks of
consecutive rows, so that a series keeps its dependence over time, on a circle on which the first row
follows the last. Draws depend on the number of rows, the blocks and the generator, on nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics.block_length import joint_block_length

__all__ = [
    "BlockBootstrap",
    "CircularBlockBootstrap",
    "StationaryBootstrap",
    "refuse_other_bootstrap",
    "resampled_means",
]

Rows: TypeAlias = NDArray[np.int64]

# Block sums looked up at once: 2 MB, so that a chunk stays in the cache of its core.
_LOOKUPS_IN_A_CHUNK = 2**18
# Of the stationary bootstrap: blocks, and rows, that are drawn together. A change changes the draws.
_BLOCKS_IN_A_BATCH = 2**16
_ROWS_IN_A_BATCH = 2**20


class BlockBootstrap(ABC):
    """How the rows of a resample are drawn: a frozen dataclass with a ``block_length``.

    Attributes
    ----------
    block_length
        In rows, from 1, which draws single rows, to n_periods; a mean where lengths are random.
    """

    block_length: float

    @abstractmethod
    def means(self, columns: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
        """Return the means of resamples, all columns resampled by the same blocks.

        A block costs a look-up or two, whatever its length: its sum is a difference of prefix sums.

        Parameters
        ----------
        columns
            Shape (n_periods, n_columns).
        n_resamples
            Number of resamples.
        rng
            The same state gives the same resamples.

        Returns
        -------
        numpy.ndarray
            Shape (n_resamples, n_columns), in the unit of the columns.

        Raises
        ------
        InputError
            Columns that are no table, a block longer than they are, no resample.
        """

    @abstractmethod
    def rows(self, n_periods: int, n_resamples: int, rng: np.random.Generator) -> Iterator[Rows]:
        """Yield the same resamples as row numbers, shape (some of n_resamples, n_periods), 8 MB at a time.

        Raises
        ------
        InputError
            A block longer than ``n_periods``, no resample.
        """


@final
@dataclass(frozen=True)
class CircularBlockBootstrap(BlockBootstrap):
    """Blocks of one length with uniform starts, the last one cut so that there are n_periods rows.

    Politis and Romano (1992), A circular block-resampling procedure for stationary data.

    Attributes
    ----------
    block_length
        Rows in a block, a whole number.
    """

    block_length: int

    def __post_init__(self) -> None:
        _refuse_block_length(self.block_length, whole=True)

    @classmethod
    def fitted(cls, returns: Returns) -> CircularBlockBootstrap:
        """Return it with the :func:`joint_block_length` of the returns, rounded up."""
        return cls(int(np.ceil(joint_block_length(returns)[1])))

    def __str__(self) -> str:
        return f"circular block bootstrap, blocks of {self.block_length} rows"

    def means(self, columns: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
        """Return the means of resamples, shape (n_resamples, n_columns); see :class:`BlockBootstrap`."""
        return resampled_means(columns, self.block_length, n_resamples, rng)

    def rows(self, n_periods: int, n_resamples: int, rng: np.random.Generator) -> Iterator[Rows]:
        """Yield the resamples as row numbers; see :class:`BlockBootstrap`."""
        _refuse_sizes(n_periods, self.block_length, n_resamples)
        blocks = n_periods // self.block_length + 1
        for size in _sizes(n_resamples, max(1, _ROWS_IN_A_BATCH // n_periods)):
            starts = rng.integers(0, n_periods, size=(size, blocks))
            rows = (starts[:, :, np.newaxis] + np.arange(self.block_length)).reshape(size, -1)
            yield _around(rows[:, :n_periods], n_periods)


@final
@dataclass(frozen=True)
class StationaryBootstrap(BlockBootstrap):
    """Blocks of random length with uniform starts: after each row a new block begins with chance 1/length.

    Politis and Romano (1994), The stationary bootstrap. Block lengths are geometric, and the last is cut so
    that there are n_periods rows.

    Attributes
    ----------
    block_length
        Mean rows in a block.
    """

    block_length: float

    def __post_init__(self) -> None:
        _refuse_block_length(self.block_length, whole=False)

    @classmethod
    def fitted(cls, returns: Returns) -> StationaryBootstrap:
        """Return it with the :func:`joint_block_length` of the returns."""
        return cls(joint_block_length(returns)[0])

    def __str__(self) -> str:
        return f"stationary bootstrap, blocks of {self.block_length:.3g} rows on average"

    def means(self, columns: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
        """Return the means of resamples, shape (n_resamples, n_columns); see :class:`BlockBootstrap`."""
        _refuse_no_table(columns)
        n = len(columns)
        _refuse_sizes(n, self.block_length, n_resamples)
        centre = columns.mean(axis=0)
        prefixes = _prefix_sums(columns - centre, n).T.copy()
        parts = [b.sums(prefixes) for b in self._batches(n, n_resamples, rng)]
        return np.asarray(centre + np.concatenate(parts, axis=1).T / n)

    def rows(self, n_periods: int, n_resamples: int, rng: np.random.Generator) -> Iterator[Rows]:
        """Yield the resamples as row numbers; see :class:`BlockBootstrap`."""
        _refuse_sizes(n_periods, self.block_length, n_resamples)
        for blocks in self._batches(n_periods, n_resamples, rng):
            began = np.cumsum(blocks.lengths) - blocks.lengths
            rows = np.arange(len(blocks.firsts) * n_periods, dtype=np.int64)
            rows += np.repeat(blocks.starts - began, blocks.lengths)
            yield _around(rows.reshape(-1, n_periods), n_periods)

    def _batches(self, n_periods: int, n_resamples: int, rng: np.random.Generator) -> Iterator[_Blocks]:
        blocks = n_periods / self.block_length + 1
        most = int(min(_BLOCKS_IN_A_BATCH // blocks, _ROWS_IN_A_BATCH // n_periods))
        for size in _sizes(n_resamples, max(1, most)):
            yield _random_blocks(n_periods, self.block_length, size, rng)


@dataclass(frozen=True)
class _Blocks:
    """Blocks of some resamples, one after the other.

    Attributes
    ----------
    starts, lengths
        First row and number of rows of each block, shape (n_blocks,); a length may be 0.
    firsts
        Number of the first block of each resample, shape (n_resamples,).
    """

    starts: Rows
    lengths: Rows
    firsts: Rows

    def sums(self, prefixes: FloatArray) -> FloatArray:
        """Return sums over the rows of each resample, shape (n_columns, n_resamples), from prefix sums."""
        ends = self.starts + self.lengths
        return np.array([np.add.reduceat(p[ends] - p[self.starts], self.firsts) for p in prefixes])


def _random_blocks(
    n_periods: int, block_length: float, n_resamples: int, rng: np.random.Generator
) -> _Blocks:
    """Draw geometric blocks along all resamples as one line, cut where a resample ends.

    What is left of a geometric length after the cut is geometric again, so that nothing is lost by it.
    """
    total = n_periods * n_resamples
    edges = _random_edges(total, block_length, rng)
    begins = np.arange(n_resamples) * n_periods
    places = np.searchsorted(edges, begins)
    edges = np.insert(edges, places, begins)
    starts = rng.integers(0, n_periods, size=len(edges))
    return _Blocks(starts, np.diff(edges, append=total), places + np.arange(n_resamples))


def _random_edges(total: int, block_length: float, rng: np.random.Generator) -> Rows:
    """Return where blocks begin in so many rows, the first block aside."""
    if block_length == 1.0:
        return np.arange(1, total)
    # The integer part of an exponential is geometric; four times as fast as rng.geometric.
    mean = -1.0 / np.log1p(-1.0 / block_length)
    expected = total / block_length
    size = int(expected + 6.0 * np.sqrt(expected)) + 8
    edges = np.zeros(1, dtype=np.int64)
    while edges[-1] < total:
        lengths = 1 + (mean * rng.standard_exponential(size)).astype(np.int64)
        edges = np.concatenate([edges, edges[-1] + np.cumsum(lengths)])
    return edges[1 : np.searchsorted(edges, total)]


def _sizes(n_resamples: int, most: int) -> Iterator[int]:
    for first in range(0, n_resamples, most):
        yield min(most, n_resamples - first)


def _around(rows: Rows, n_periods: int) -> Rows:
    """Bring rows beyond the last one back to the first, in place."""
    return np.subtract(rows, n_periods, out=rows, where=rows >= n_periods)


def resampled_means(
    columns: FloatArray, block_length: int, n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Return the means of circular-block resamples, all columns resampled by the same blocks.

    A resample joins blocks of ``block_length`` rows with uniform starts on the circle of rows, the last
    one cut so that there are n_periods rows. A block is one look-up, whatever its length: block sums are
    differences of prefix sums. Politis and Romano (1992).

    Parameters
    ----------
    columns
        Shape (n_periods, n_columns).
    block_length
        Rows in a block, 1 (independent rows) to n_periods.
    n_resamples
        Number of resamples.
    rng
        The same state gives the same resamples.

    Returns
    -------
    numpy.ndarray
        Shape (n_resamples, n_columns), in the unit of the columns.
    """
    n = len(columns)
    _refuse_no_table(columns)
    _refuse_sizes(n, block_length, n_resamples)
    centre = columns.mean(axis=0)  # prefix sums of centred columns stay small, and so does their rounding
    whole, cut = (_block_sums(columns - centre, length) for length in (block_length, n % block_length))
    blocks = n // block_length
    chunk = max(1, _LOOKUPS_IN_A_CHUNK // (blocks + 1))
    sums = np.empty((n_resamples, columns.shape[1]))
    for first in range(0, n_resamples, chunk):
        part = sums[first : first + chunk]
        starts = rng.integers(0, n, size=(len(part), blocks + 1))
        for column in range(columns.shape[1]):
            part[:, column] = whole[column][starts[:, :-1]].sum(axis=1) + cut[column][starts[:, -1]]
    return np.asarray(centre + sums / n)


def _block_sums(columns: FloatArray, length: int) -> FloatArray:
    """Return the sum of the ``length`` rows from each row on, shape (n_columns, n_periods)."""
    prefix = _prefix_sums(columns, length)
    return np.ascontiguousarray((prefix[length : length + len(columns)] - prefix[: len(columns)]).T)


def _prefix_sums(columns: FloatArray, beyond: int) -> FloatArray:
    """Return sums of the rows before each row, ``beyond`` rows around the circle, from 0 on."""
    wrapped = np.concatenate([np.zeros((1, columns.shape[1])), columns, columns[:beyond]])
    return np.cumsum(wrapped, axis=0)


def refuse_other_bootstrap(bootstrap: BlockBootstrap) -> None:
    """Refuse a number where the way to draw rows is expected."""
    if not isinstance(bootstrap, BlockBootstrap):
        raise InputError(
            "bootstrap", f"{bootstrap!r} is no block bootstrap", fix="pass al.StationaryBootstrap(20), say"
        )


def _refuse_no_table(columns: FloatArray) -> None:
    if columns.ndim != 2:
        raise InputError("columns", f"shape {columns.shape}, expected (n_periods, n_columns)")


def _refuse_block_length(block_length: float, *, whole: bool) -> None:
    is_number = isinstance(block_length, (int, float, np.number)) and not isinstance(block_length, bool)
    if not (is_number and 1 <= block_length < np.inf and (not whole or block_length == int(block_length))):
        kind = "whole number" if whole else "number"
        raise InputError("block_length", f"{block_length!r} is not a {kind} of rows, 1 or more")


def _refuse_sizes(n_periods: int, block_length: float, n_resamples: int) -> None:
    if not 1 <= block_length <= n_periods:
        raise InputError(
            "block_length", f"{block_length} is not between 1 and the {n_periods} rows there are"
        )
    if n_resamples < 1:
        raise InputError("n_resamples", f"{n_resamples} is not a positive number")
