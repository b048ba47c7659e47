"""Circular block bootstrap of means, and the block length it should have."""

from __future__ import annotations

import numpy as np

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import FloatArray, Returns, read_numbers

__all__ = ["optimal_block_length", "resampled_means"]

# Block sums looked up at once: 2 MB, so that a chunk stays in the cache of its core.
_LOOKUPS_IN_A_CHUNK = 2**18
_SHORTEST_SERIES = 10


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
    _refuse_sizes(columns, block_length, n_resamples)
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


def optimal_block_length(series: Returns) -> tuple[float, float]:
    """Return the best block lengths in rows for the mean of a series: (stationary, circular) bootstrap.

    Any numbers, not only returns. Not rounded, at most min(3√n, n/3). Politis and White (2004) with the
    correction of Patton, Politis and White (2009). Fewer than 10 rows or a constant is an InputError.
    """
    values = read_numbers(series, "series")
    n = len(values)
    if n < _SHORTEST_SERIES:
        raise InsufficientHistoryError(
            "series", f"{n} rows, at least 10 are needed", rows_needed=_SHORTEST_SERIES
        )
    centred = values - values.mean()
    if is_rounding(centred.std(), values):
        raise InputError("series", "constant: it has no autocorrelation")
    covariances, lags = _flat_top_autocovariances(centred)
    slope = 2.0 * np.sum(lags * covariances)
    long_run_variance = centred @ centred / n + 2.0 * np.sum(covariances)
    longest = np.ceil(min(3.0 * np.sqrt(n), n / 3.0))
    ratio = (slope / long_run_variance) ** 2 * n
    return float(min(ratio ** (1 / 3), longest)), float(min((1.5 * ratio) ** (1 / 3), longest))


def _block_sums(columns: FloatArray, length: int) -> FloatArray:
    """Return the sum of the ``length`` rows from each row on, shape (n_columns, n_periods)."""
    wrapped = np.concatenate([np.zeros((1, columns.shape[1])), columns, columns[:length]])
    prefix = np.cumsum(wrapped, axis=0)
    return np.ascontiguousarray((prefix[length : length + len(columns)] - prefix[: len(columns)]).T)


def _refuse_sizes(columns: FloatArray, block_length: int, n_resamples: int) -> None:
    if columns.ndim != 2:
        raise InputError("columns", f"shape {columns.shape}, expected (n_periods, n_columns)")
    if not 1 <= block_length <= len(columns):
        raise InputError(
            "block_length", f"{block_length} is not between 1 and the {len(columns)} rows there are"
        )
    if n_resamples < 1:
        raise InputError("n_resamples", f"{n_resamples} is not a positive number")


def _flat_top_autocovariances(centred: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return autocovariances at lags 1, 2, ... damped by the flat-top window, and those lags."""
    n = len(centred)
    quiet = max(5, int(np.log10(n)))  # this many lags in a row must be insignificant
    most = min(int(np.ceil(np.sqrt(n))) + quiet, n - 2)
    products = np.array([centred[lag:] @ centred[: n - lag] for lag in range(most + 1)])
    bandwidth = min(2 * _first_quiet_lag(centred, products, quiet, most), most)
    lags = np.arange(1, bandwidth + 1)
    window = np.clip(2.0 * (1.0 - lags / bandwidth), 0.0, 1.0)
    return window * products[1 : bandwidth + 1] / n, lags.astype(np.float64)


def _first_quiet_lag(centred: FloatArray, products: FloatArray, quiet: int, most: int) -> int:
    """Return the lag that begins the first run of insignificant autocorrelations, ``most`` without one."""
    n = len(centred)
    squares = np.cumsum(centred**2)
    lags = np.arange(most + 1)
    # The squares without their last, and without their first, lag + 1 rows: as Patton's code and arch.
    scale = np.sqrt((squares[-1] - squares[lags]) * squares[n - 2 - lags])
    insignificant = np.abs(products) < 2.0 * np.sqrt(np.log10(n) / n) * scale
    runs = (lag for lag in range(1, most - quiet + 1) if insignificant[lag : lag + quiet].all())
    return next(runs, most)
