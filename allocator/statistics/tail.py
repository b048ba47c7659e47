"""Tail losses of one period, as positive fractions: of the sample, and as its moments imply them."""

from __future__ import annotations

import warnings

import numpy as np

from allocator.errors import InputError
from allocator.statistics._moments import standardised_moment
from allocator.statistics._one_thread import product
from allocator.statistics._returns import (
    FloatArray,
    Labelled,
    Returns,
    ReturnTable,
    read_returns,
    warn_undefined,
)

__all__ = [
    "expected_shortfall",
    "modified_expected_shortfall",
    "modified_value_at_risk",
    "normal_expected_shortfall",
    "normal_value_at_risk",
    "tail_ratio",
    "value_at_risk",
]


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
    return table.label(-product(weights, ordered) / weights.sum())


def normal_value_at_risk(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the loss that normal returns of this mean and deviation exceed with probability ``level``.

    -(μ + z σ) with the population deviation, positive for a loss. It understates the risk of fat tails.
    """
    _refuse_level(level)
    table = read_returns(returns)
    return table.label(-table.matrix.mean(axis=0) - _normal_quantile(level) * table.matrix.std(axis=0))


def normal_expected_shortfall(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the mean loss beyond :func:`normal_value_at_risk`: -μ + σ φ(z)/level, population deviation."""
    _refuse_level(level)
    table = read_returns(returns)
    beyond = _normal_density(_normal_quantile(level)) / level
    return table.label(-table.matrix.mean(axis=0) + beyond * table.matrix.std(axis=0))


def modified_value_at_risk(returns: Returns, level: float = 0.05) -> Labelled:
    """Return value at risk with the normal quantile corrected for skewness and kurtosis; NaN for n < 4.

    -(μ + w σ), w the Cornish–Fisher expansion of z to second order in population moments. Zangari (1996);
    Favre and Galeano (2002). An approximation near the normal: with the kurtosis that daily returns have it
    is no quantile (Maillard, 2012), as a higher level may mean a higher loss; a UserWarning says so.
    """
    _refuse_level(level)
    table = read_returns(returns)
    skew, excess = _shape(table)
    warn_undefined("modified_value_at_risk", table, np.isnan(skew), _why_no_shape(table))
    _warn_of_disorder("modified_value_at_risk", table, level, skew, excess)
    corrected = _cornish_fisher(level, skew, excess)
    return table.label(-table.matrix.mean(axis=0) - corrected * table.matrix.std(axis=0))


def modified_expected_shortfall(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the mean loss beyond :func:`modified_value_at_risk` in Edgeworth's expansion; NaN for n < 4.

    Boudt, Peterson and Croux (2008), eq. 17 and 18, "operational": never below the value at risk, which
    the expansion alone may be. The warning of :func:`modified_value_at_risk` holds.
    """
    _refuse_level(level)
    table = read_returns(returns)
    skew, excess = _shape(table)
    warn_undefined("modified_expected_shortfall", table, np.isnan(skew), _why_no_shape(table))
    _warn_of_disorder("modified_expected_shortfall", table, level, skew, excess)
    corrected = _cornish_fisher(level, skew, excess)
    beyond = _edgeworth_tail_mean(corrected, skew, excess) / level
    return table.label(-table.matrix.mean(axis=0) + np.maximum(beyond, -corrected) * table.matrix.std(axis=0))


def tail_ratio(returns: Returns, level: float = 0.05) -> Labelled:
    """Return the gain that a share ``level`` of periods exceeds over the loss that as many exceed.

    The 1 - ``level`` quantile over minus the ``level`` quantile, both as in :func:`value_at_risk`. NaN
    where the lower one is no loss or the upper one no gain: the two sizes are then no tails.
    """
    _refuse_level(level)
    table = read_returns(returns)
    low, high = _quantile(table.matrix, level), _quantile(table.matrix, 1.0 - level)
    undefined = (low >= 0) | (high < 0)
    warn_undefined("tail_ratio", table, undefined, "the lower tail is no loss or the upper one no gain")
    return table.label(high / np.where(undefined, np.nan, -low))


def _shape(table: ReturnTable) -> tuple[FloatArray, FloatArray]:
    """Return skewness and excess kurtosis, shape (n_series,) each, NaN for a constant and for n < 4."""
    known = np.where(table.n_periods < 4, np.nan, 1.0)
    skew, kurtosis = (standardised_moment(table.matrix, order) * known for order in (3, 4))
    return skew, kurtosis - 3.0


def _why_no_shape(table: ReturnTable) -> str:
    if table.n_periods < 4:
        return f"n={table.n_periods}, at least 4 are needed"
    return "the returns never change"


def _cornish_fisher(level: float, skew: FloatArray, excess: FloatArray) -> FloatArray:
    z = _normal_quantile(level)
    third, fourth = (z**2 - 1.0) / 6.0, (z**3 - 3.0 * z) / 24.0
    return np.asarray(z + third * skew + fourth * excess - (2.0 * z**3 - 5.0 * z) / 36.0 * skew**2)


def _warn_of_disorder(
    statistic: str, table: ReturnTable, level: float, skew: FloatArray, excess: FloatArray
) -> None:
    """Warn where the corrected quantiles do not rise from the level to the median (Maillard, 2012)."""
    z = np.linspace(_normal_quantile(level), 0.0, 101)[:, np.newaxis]
    slope = 1.0 + z / 3.0 * skew + (z**2 - 1.0) / 8.0 * excess - (6.0 * z**2 - 5.0) / 36.0 * skew**2
    disordered = np.flatnonzero((slope <= 0.0).any(axis=0))
    if not len(disordered):
        return
    first, more = disordered[0], len(disordered) - 1
    text = (
        f"{statistic} of {table.columns[first]!r}{f' and {more} more' if more else ''}: with skewness "
        f"{skew[first]:.2g} and excess kurtosis {excess[first]:.2g} the expansion is no quantile; "
        "use value_at_risk and expected_shortfall"
    )
    warnings.warn(text, UserWarning, stacklevel=3)


def _edgeworth_tail_mean(w: FloatArray, skew: FloatArray, excess: FloatArray) -> FloatArray:
    """Return minus the integral of x up to w under Edgeworth's second-order density.

    φ(w) (1 + w³ γ₃/6 + (w⁶ - 9w⁴ + 9w² + 3) γ₃²/72 + (w⁴ - 2w² - 1) κ/24), which Boudt, Peterson and Croux's
    sums of powers come to: ∫ x He_k φ = -w He_{k-1} φ - He_{k-2} φ.
    """
    third = w**3 / 6.0
    squared = (w**6 - 9.0 * w**4 + 9.0 * w**2 + 3.0) / 72.0
    fourth = (w**4 - 2.0 * w**2 - 1.0) / 24.0
    return np.asarray(_normal_density(w) * (1.0 + third * skew + squared * skew**2 + fourth * excess))


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri  # not at the top: importing allocator costs no more than pandas

    return float(ndtri(level))


def _normal_density(z: FloatArray | float) -> FloatArray:
    return np.asarray(np.exp(-0.5 * np.square(z)) / np.sqrt(2.0 * np.pi))


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
    if not isinstance(level, (int, float, np.number)) or not 0 < level < 0.5:
        raise InputError("level", f"{level} is not between 0 and 0.5", fix="pass 0.05 for the worst 5 %")
