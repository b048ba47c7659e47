"""Correlation in turbulent times, adjusted for what a higher variance alone does to it: a diagnostic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics import show_correlation as show
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._pairs import WIDE, Pair, correlated, read_pair
from allocator.statistics._returns import Returns
from allocator.statistics.long_run_variance import LongRunVariance

__all__ = [
    "AdjustedCorrelation",
    "adjusted_correlation",
    "forbes_rigobon_correlation",
    "raised_correlation",
]

_DEFAULT = WIDE


def forbes_rigobon_correlation(r: float, delta: float) -> float:
    """Return r/√(1 + δ(1 - r²)): what a correlation r would be, had the variance of x not risen by a share δ.

    Forbes and Rigobon (2002), eq. 11. The inverse of :func:`raised_correlation`. δ > -1.
    """
    _refuse(r, delta)
    return float(r / np.sqrt(1.0 + delta * (1.0 - r * r)))


def raised_correlation(r: float, delta: float) -> float:
    """Return r·√((1 + δ)/(1 + δr²)): what a correlation r becomes where the variance of x is 1 + δ times.

    The relation y = a + bx + e is the same throughout. Boyer, Gibson and Loretan (1999). δ > -1.
    """
    _refuse(r, delta)
    return float(r * np.sqrt((1.0 + delta) / (1.0 + delta * r * r)))


def _refuse(r: float, delta: float) -> None:
    if not -1.0 <= r <= 1.0:
        raise InputError("r", f"{r!r} is no correlation")
    if not -1.0 < delta < np.inf:
        raise InputError(
            "delta", f"{delta!r} is no relative rise of a variance", fix="pass a number above -1"
        )


@final
@dataclass(frozen=True, repr=False)
class AdjustedCorrelation:
    """Correlation in calm and in turbulent rows, and the latter adjusted for its variance; prints itself.

    Attributes
    ----------
    names
        Of the two series; the variance of the first is what rises.
    n_calm, n_turbulent
        Rows.
    delta
        Variance of x in turbulent rows over that in calm ones, less 1.
    calm, calm_low, calm_high
        Correlation in calm rows and its HAC interval.
    turbulent, turbulent_low, turbulent_high
        The same in turbulent rows, as it is.
    adjusted, adjusted_low, adjusted_high
        The same, adjusted, taking δ as known.
    confidence
        Of the intervals.
    method
        What the errors rest on.
    reason
        Empty, or why a number is missing.
    """

    names: tuple[str, str]
    n_calm: int
    n_turbulent: int
    delta: float
    calm: float
    calm_low: float
    calm_high: float
    turbulent: float
    turbulent_low: float
    turbulent_high: float
    adjusted: float
    adjusted_low: float
    adjusted_high: float
    confidence: float
    method: str
    reason: str = ""

    __repr__ = show.adjusted_text
    _repr_html_ = show.adjusted_html


def adjusted_correlation(
    x: Returns,
    y: Returns,
    turbulent: pd.Series[bool] | NDArray[np.bool_],
    long_run: LongRunVariance = _DEFAULT,
    *,
    confidence: float = 0.95,
) -> AdjustedCorrelation:
    """Compare the correlation of turbulent and calm rows, adjusted. Forbes and Rigobon (2002).

    A diagnostic, not an estimate: it holds where x drives y by one relation throughout, with no common factor
    left out and no feedback.

    Parameters
    ----------
    x, y
        Simple returns on the same dates; the shocks come from x.
    turbulent
        Which rows are turbulent, (n_periods,); a Series by the dates of x. Chosen without looking at how the
        two move together.
    long_run, confidence
        Of the intervals, as in :func:`correlation_interval`. Rows of a kind are joined in their order.

    Returns
    -------
    AdjustedCorrelation
        With NaN and a ``reason`` where a kind has fewer than 12 rows or a series does not change in it.

    Raises
    ------
    InputError
        Rows that do not match, and what returns are refused for.
    """
    refuse_confidence(confidence)
    pair = read_pair(x, y)
    rows = _read_rows(pair, turbulent)
    kinds = {"calm": pair.only(~rows), "turbulent": pair.only(rows)}
    method = f"Forbes and Rigobon (2002); HAC: {long_run.describe()}"
    n_calm, n_turbulent = (kind.n for kind in kinds.values())
    whys = {name: kind.missing() or kind.caution() for name, kind in kinds.items()}
    reasons = [f"{name} rows: {why}" for name, why in whys.items() if why]
    if reasons:
        nothing = (float("nan"),) * 3
        delta, calm, raw, adjusted = float("nan"), nothing, nothing, nothing
    else:
        delta = float(np.var(kinds["turbulent"].matrix[:, 0]) / np.var(kinds["calm"].matrix[:, 0]) - 1.0)
        calm, raw = (_estimate(kind, long_run, confidence) for kind in kinds.values())
        first, low, high = (forbes_rigobon_correlation(r, delta) for r in raw)
        adjusted = (first, low, high)
    shares = (n_calm, n_turbulent, delta, *calm, *raw, *adjusted)
    return AdjustedCorrelation(pair.names, *shares, confidence, method, "; ".join(reasons))


def _estimate(pair: Pair, long_run: LongRunVariance, confidence: float) -> tuple[float, float, float]:
    found = correlated(pair.matrix, long_run)
    return (found.r, *found.interval(confidence))


def _read_rows(pair: Pair, turbulent: pd.Series[bool] | NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows = turbulent.to_numpy() if isinstance(turbulent, pd.Series) else np.asarray(turbulent)
    if rows.dtype != np.bool_ or rows.shape != (pair.n,):
        problem = f"{rows.dtype} of shape {rows.shape}, expected True or False for each of {pair.n} rows"
        raise InputError("turbulent", problem)
    if isinstance(turbulent, pd.Series) and pair.dates is not None and not turbulent.index.equals(pair.dates):
        raise InputError("turbulent", "its dates are not those of x", fix="turbulent.reindex(x.index)")
    return rows
