"""How long the blocks of a bootstrap should be."""

from __future__ import annotations

import numpy as np

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._moments import is_rounding
from allocator.statistics._one_thread import inner
from allocator.statistics._returns import FloatArray, Returns, read_numbers, read_returns

__all__ = ["joint_block_length", "optimal_block_length", "wide_block_length"]

_SHORTEST_SERIES = 10


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
    long_run_variance = inner(centred, centred) / n + 2.0 * np.sum(covariances)
    longest = np.ceil(min(3.0 * np.sqrt(n), n / 3.0))
    ratio = (slope / long_run_variance) ** 2 * n
    return float(min(ratio ** (1 / 3), longest)), float(min((1.5 * ratio) ** (1 / 3), longest))


def joint_block_length(returns: Returns) -> tuple[float, float]:
    """Return the block lengths in rows for several series, or one: (stationary, circular) bootstrap.

    The longest of the :func:`optimal_block_length` of each series and of its squared deviations, whose
    dependence is that of volatility; within 1 and n/3. Not rounded. A series that does not vary counts for
    nothing; fewer than 10 rows are an InputError.
    """
    return joint_length_of(read_returns(returns).matrix)


def joint_length_of(values: FloatArray) -> tuple[float, float]:
    """Return the :func:`joint_block_length` of columns of any numbers, (n_periods, n_series)."""
    longest = len(values) / 3.0
    lengths = [(1.0, 1.0)]
    for column in values[:, ~is_rounding(values.std(axis=0), values)].T:
        squares = (column - column.mean()) ** 2
        lengths.append(optimal_block_length(column))
        if not is_rounding(squares.std(), squares):  # as those of a coin's two sides are
            lengths.append(optimal_block_length(squares))
    stationary, circular = (min(max(each), longest) for each in zip(*lengths, strict=True))
    return stationary, circular


def wide_block_length(n_periods: float) -> float:
    """Return rows enough for dependence that a sample is too short to show: a fifth of it, at most 2.2√n.

    The :func:`optimal_block_length` of 120 rows is 2 or 3 where autocorrelations are below 0.15, however many
    of them add up. A fifth leaves five blocks, and Student's t has few degrees; from 121 rows on the number
    of blocks grows. By simulation (docs/size.md), for correlations.
    """
    return float(min(n_periods / 5.0, 2.2 * np.sqrt(n_periods)))


def _flat_top_autocovariances(centred: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return autocovariances at lags 1, 2, ... damped by the flat-top window, and those lags."""
    n = len(centred)
    quiet = max(5, int(np.log10(n)))  # this many lags in a row must be insignificant
    most = min(int(np.ceil(np.sqrt(n))) + quiet, n - 2)
    products = np.array([inner(centred[lag:], centred[: n - lag]) for lag in range(most + 1)])
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
