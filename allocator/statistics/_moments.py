"""Moments of columns, shape (n_periods, n_series) -> (n_series,), that know what rounding is."""

from __future__ import annotations

import numpy as np

from allocator.statistics._returns import FloatArray

# np.std([.1] * 6) is 1.5e-17: variation this small beside the numbers themselves is rounding.
_ROUNDING = 1e-12
_FEWEST_MOVES = 12


def standard_deviation(values: FloatArray) -> FloatArray:
    """Return the sample standard deviation (ddof 1), exactly 0 for a constant; NaN for one row."""
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    spread = values.std(axis=0, ddof=1)
    return np.where(is_rounding(spread, values), 0.0, spread)


def is_rounding(size: FloatArray, values: FloatArray) -> np.typing.NDArray[np.bool_]:
    """Whether a size is rounding beside the largest absolute value of its column, both (n_series,)."""
    return np.asarray(size <= _ROUNDING * np.abs(values).max(axis=0))


def never_changes(values: FloatArray) -> np.typing.NDArray[np.bool_]:
    """Whether a column is constant but for rounding, (n_series,): then what it is over cash is cash alone."""
    return is_rounding(values.std(axis=0), values)


def hardly_moves(values: FloatArray) -> np.typing.NDArray[np.bool_]:
    """Whether fewer than 12 rows of a column, or half of them, are off its median, (n_series,).

    Off: by more than a thousandth of the largest distance. What the other rows would do when they move is not
    in the sample, so that no error can be estimated from it.
    """
    distance = np.abs(values - np.median(values, axis=0))
    moved = np.sum(distance > 1e-3 * distance.max(axis=0), axis=0)
    return np.asarray(moved < min(_FEWEST_MOVES, len(values) / 2.0))


def standardised_moment(values: FloatArray, order: int) -> FloatArray:
    """Return m_k / m_2^(k/2) with population moments; NaN for a constant."""
    centred = values - values.mean(axis=0)
    second = np.mean(centred**2, axis=0)
    second = np.where(is_rounding(np.sqrt(second), values), np.nan, second)
    return np.asarray(np.mean(centred**order, axis=0) / second ** (order / 2))
