"""Circular-block resamples of Sharpe ratios, means and their differences, each with its own error.

A resample joins whole blocks with uniform starts on the circle of rows. All that its statistic and its
error need are sums over its blocks: of the columns, and of the products of their block sums. One table
holds both for a block from each row; how often each row starts a block, times that table, is a resample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.errors import InputError
from allocator.statistics._returns import FloatArray

# Multiplications at once: OpenBLAS spreads a product of more than 262,144 over threads, which is slower here
# and makes the last bits depend on their number.
_ONE_THREAD = 200_000
_RESAMPLES_AT_ONCE = 32  # at least, so that the table is not read for each of them
_NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Draws:
    """What resamples say of k statistics, jointly.

    Attributes
    ----------
    changes
        Resampled less estimated statistic, shape (n_resamples, k).
    errors
        Standard error within each resample, shape (n_resamples, k); 0 where it has none.
    """

    changes: FloatArray
    errors: FloatArray

    def studentised(self) -> FloatArray:
        """Return changes over errors, shape (n_resamples, k), ±infinite where there is no error."""
        has_error = self.errors > 0.0
        endless = np.where(self.changes == 0.0, 0.0, np.copysign(np.inf, self.changes))
        return np.where(has_error, self.changes / np.where(has_error, self.errors, 1.0), endless)


def refuse_blocks(n: int, block_length: int, n_resamples: int) -> None:
    """Refuse a block that leaves fewer than two in n rows, and no resamples."""
    if not 1 <= block_length <= n // 2:
        raise InputError(
            "block_length",
            f"{block_length} is not between 1 and half of the {n} rows: an error needs two blocks",
        )
    if n_resamples < 1:
        raise InputError("n_resamples", f"{n_resamples} is not a positive number")


def ratio_draws(excess: FloatArray, block: int, n_resamples: int, rng: np.random.Generator) -> Draws:
    """Resample the Sharpe ratio of one series, (n_periods, 1); per period."""
    return _ratio_and_differences(excess, block, n_resamples, rng)


def difference_draws(excess: FloatArray, block: int, n_resamples: int, rng: np.random.Generator) -> Draws:
    """Resample the Sharpe ratios of the columns from the second on, less that of the first; per period.

    ``excess`` has shape (n_periods, 1 + k). The error of a resample is that of its blocks: the gradient
    times the mean outer product of √block·(block means). Ledoit and Wolf (2008), section 3.2.2.
    """
    drawn = _ratio_and_differences(excess, block, n_resamples, rng)
    return Draws(drawn.changes[:, 1:], drawn.errors[:, 1:])


def mean_draws(differences: FloatArray, block: int, n_resamples: int, rng: np.random.Generator) -> Draws:
    """Resample the means of columns, (n_periods, k), each with the error of its blocks."""
    n, k = differences.shape
    centre, scale = differences.mean(axis=0), differences.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    columns = (differences - centre) / scale
    sums, products = _sums(columns, [(i, i) for i in range(k)], block, n_resamples, rng)
    blocks = n // block
    rows = blocks * block
    variance = products - sums**2 / blocks
    errors = np.sqrt(np.where(variance > _NO_SPREAD * products, variance, 0.0)) / rows
    return Draws(scale * sums / rows, scale * errors)


def _ratio_and_differences(
    excess: FloatArray, block: int, n_resamples: int, rng: np.random.Generator
) -> Draws:
    """Resample the ratio of the first column, and the others' less it, (n_resamples, n_series).

    Everything is in differences from the first column, so that nearly equal series keep their digits.
    """
    n, n_series = excess.shape
    columns, ratio = _scores(excess)
    own = [(2 * i + a, 2 * i + b) for i in range(n_series) for a, b in ((0, 0), (0, 1), (0, 1), (1, 1))]
    cross = [(2 * i + a, b) for i in range(1, n_series) for a in (0, 1) for b in (0, 1)]
    sums, products = _sums(columns, own + cross, block, n_resamples, rng)
    of_own = products[:, : len(own)].reshape(n_resamples, n_series, 4)
    of_cross = products[:, len(own) :].reshape(n_resamples, n_series - 1, 4)
    sums = sums.reshape(n_resamples, n_series, 2)
    blocks = n // block
    rows = blocks * block
    changes, slopes = _ratios_and_slopes(ratio, _undifferenced(sums) / rows, n, rows)
    rest = slopes[:, 1:] - slopes[:, :1]
    total = _quadratic(slopes, slopes, of_own)
    total[:, 1:] += 2.0 * _quadratic(slopes[:, 1:], rest, of_cross) + _quadratic(rest, rest, of_own[:, :1])
    along = np.sum(slopes * sums, axis=2)
    along[:, 1:] += np.sum(rest * sums[:, :1], axis=2)
    variance = total - along**2 / blocks
    changes[:, 1:] -= changes[:, :1]
    # Equal blocks leave rounding, and a resample without a ratio is as far away as can be.
    errors = np.sqrt(np.where(variance > _NO_SPREAD * total, variance, 0.0)) / rows
    return Draws(np.where(np.isnan(changes), np.inf, changes), errors)


def _scores(excess: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return z and z² - 1 of the first series and the others' less them, interleaved, and the ratios."""
    centre, spread = excess.mean(axis=0), excess.std(axis=0)
    z = (excess - centre) / spread
    columns = np.empty((len(z), 2 * z.shape[1]))
    columns[:, 0], columns[:, 1] = z[:, 0], z[:, 0] ** 2 - 1.0
    apart = z[:, 1:] - z[:, :1]
    columns[:, 2::2], columns[:, 3::2] = apart, apart * (z[:, 1:] + z[:, :1])
    return columns, centre / spread


def _undifferenced(sums: FloatArray) -> FloatArray:
    """Add the first series to the others' differences from it, (n_resamples, n_series, 2)."""
    return np.concatenate([sums[:, :1], sums[:, 1:] + sums[:, :1]], axis=1)


def _ratios_and_slopes(
    ratio: FloatArray, means: FloatArray, n: int, rows: int
) -> tuple[FloatArray, FloatArray]:
    """Return the changes of the ratios, and the slopes of a row's influence on them in z and in z².

    A row moves the ratio s by u - s(u² - 1)/2 in the standardised returns u of the resample. A resample
    may miss the only rows in which a series moves: its change is NaN. ``means`` are of z and z² - 1,
    (n_resamples, n_series, 2), as are the slopes.
    """
    first, second = means[:, :, 0], means[:, :, 1] + 1.0
    variance = second - first**2
    spread = np.sqrt(np.where(variance > _NO_SPREAD, variance, np.nan))
    resampled = (ratio + first) / spread
    slopes = np.stack([1.0 / spread + resampled * first / spread**2, -0.5 * resampled / spread**2], axis=2)
    changes = resampled * np.sqrt((rows - 1) / rows) - ratio * np.sqrt((n - 1) / n)
    return changes, np.nan_to_num(slopes, nan=0.0)


def _quadratic(left: FloatArray, right: FloatArray, products: FloatArray) -> FloatArray:
    """Return Σ left_a right_b products_ab, for products in the order 00, 01, 10, 11 on the last axis."""
    terms = (left[:, :, a] * right[:, :, b] * products[:, :, 2 * a + b] for a in (0, 1) for b in (0, 1))
    return np.asarray(sum(terms))


def _sums(
    columns: FloatArray, pairs: list[tuple[int, int]], block: int, n_resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the sums over the blocks of each resample, of the columns and of products of block sums."""
    refuse_blocks(len(columns), block, n_resamples)
    sums = _circular_block_sums(columns, block)
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    table = np.hstack([sums, sums[:, left] * sums[:, right]])
    totals = _over_resamples(table, len(columns) // block, n_resamples, rng)
    return totals[:, : columns.shape[1]], totals[:, columns.shape[1] :]


def _circular_block_sums(columns: FloatArray, length: int) -> FloatArray:
    """Return the sum of the ``length`` rows from each row on, around the circle, same shape."""
    n = len(columns)
    prefix = np.cumsum(np.concatenate([np.zeros((1, columns.shape[1])), columns, columns[:length]]), axis=0)
    return np.asarray(prefix[length : length + n] - prefix[:n])


def _over_resamples(table: FloatArray, blocks: int, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Return the sums of ``blocks`` rows of a table drawn with replacement, (n_resamples, n_columns)."""
    n, n_columns = table.shape
    chunk = max(_RESAMPLES_AT_ONCE, _ONE_THREAD // table.size)
    step = max(1, _ONE_THREAD // (chunk * n_columns))
    totals = np.zeros((n_resamples, n_columns))
    for first in range(0, n_resamples, chunk):
        part = totals[first : first + chunk]
        starts = rng.integers(0, n, size=(len(part), blocks)) + n * np.arange(len(part))[:, np.newaxis]
        counts = np.bincount(starts.ravel(), minlength=n * len(part)).reshape(len(part), n).astype(np.float64)
        for row in range(0, n, step):
            part += counts[:, row : row + step] @ table[row : row + step]
    return totals
