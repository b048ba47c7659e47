"""Historical tail losses of one period, as positive fractions."""

from __future__ import annotations

import numpy as np

from allocator.errors import InputError
from allocator.statistics._returns import FloatArray, Labelled, Returns, read_returns

__all__ = ["expected_shortfall", "value_at_risk"]


def value_at_risk(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the loss that a share ``level`` of periods exceeds, positive: minus the ``level`` quantile.

    The quantile interpolates between order statistics at row ``level * (n - 1)``: Hyndman and Fan (1996),
    type 7, NumPy's default. With fewer than 1/level periods it says little beyond the worst one.
    """
    _refuse_level(level)
    table = read_returns(returns)
    return table.label(-_quantile(table.matrix, level))


def expected_shortfall(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the mean loss in the worst share ``level`` of periods, positive, never below value at risk.

    -(x₍₁₎ + ... + x₍ₘ₎ + (level·n - m) x₍ₘ₊₁₎)/(level·n) with m = ⌊level·n⌋: the last observation counts
    with the fraction that is left, which makes it coherent. Acerbi and Tasche (2002), definition 2.6.
    With fewer than 1/level periods it is the worst one.
    """
    _refuse_level(level)
    table = read_returns(returns)
    ordered = np.sort(table.matrix, axis=0)
    weights = np.clip(level * table.n_periods - np.arange(table.n_periods), 0.0, 1.0)
    return table.label(-(weights @ ordered) / weights.sum())


def _quantile(values: FloatArray, level: float) -> FloatArray:
    """Return np.quantile(values, level, axis=0) of two rows or more: sorting is five times as fast."""
    place = level * (len(values) - 1)
    row = int(place)
    low, high = np.sort(values, axis=0)[[row, min(row + 1, len(values) - 1)]]
    part = place - row
    # As NumPy does it, from the nearer of the two.
    step = high - low
    return np.asarray(low + step * part if part < 0.5 else high - step * (1.0 - part))


def _refuse_level(level: float) -> None:
    if not 0 < level < 0.5:
        raise InputError("level", f"{level} is not between 0 and 0.5", fix="pass 0.05 for the worst 5 %")
