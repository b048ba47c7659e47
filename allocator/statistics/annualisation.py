"""The Sharpe ratio of a year from returns that depend on each other: √periods is not the factor then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._one_thread import inner
from allocator.statistics._paired import ExcessReturns, read_single, refuse_confidence
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics._settings import is_whole
from allocator.statistics.sharpe_methods import HAC

__all__ = ["AutocorrelatedSharpe", "annualisation_factor", "autocorrelated_sharpe"]

_DEFAULT = HAC()


@final
@dataclass(frozen=True, repr=False)
class AutocorrelatedSharpe:
    """A Sharpe ratio annualised with and without its autocorrelation; prints itself.

    Attributes
    ----------
    name
        Of the series.
    n
        Returns.
    periods_per_year
        q of Lo (2002).
    naive
        The ratio of one period times √q, per √year: :func:`sharpe_ratio`.
    factor
        η(q), which stands for √q; NaN where the autocorrelations leave no positive variance.
    sharpe
        The ratio of one period times η(q).
    standard_error, low, high
        Of ``sharpe``: η(q), taken as known, times the HAC error of the ratio of one period.
    confidence
        Of the interval.
    autocorrelations
        Those that were used, from lag 1 on.
    method
        What the error rests on.
    reason
        Empty, or why a number is missing.
    """

    name: str
    n: int
    periods_per_year: float
    naive: float
    factor: float
    sharpe: float
    standard_error: float
    low: float
    high: float
    confidence: float
    autocorrelations: tuple[float, ...]
    method: str
    reason: str = ""

    __repr__ = show.autocorrelated_text
    _repr_html_ = show.autocorrelated_html


def annualisation_factor(autocorrelations: FloatArray, periods: int) -> float:
    """Return η(q) = q/√(q + 2 Σ (q - k)ρ_k): the Sharpe ratio of q periods over that of one.

    ``autocorrelations`` are ρ_1, ρ_2, ...; those beyond the ones given, up to q - 1, are 0. NaN where the
    q periods would have no positive variance. Lo (2002), eq. 20.
    """
    rho = np.asarray(autocorrelations, dtype=np.float64)
    if periods < 1 or rho.ndim != 1 or len(rho) > periods - 1:
        raise InputError("autocorrelations", f"{rho.size} of them for {periods} periods, at most one fewer")
    variance = periods + 2.0 * float(np.sum((periods - np.arange(1, len(rho) + 1)) * rho))
    return float(periods / np.sqrt(variance)) if variance > 0.0 else float("nan")


def autocorrelated_sharpe(
    returns: Returns,
    cash: Cash,
    lags: int | None = None,
    method: HAC = _DEFAULT,
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
) -> AutocorrelatedSharpe:
    """Annualise a Sharpe ratio under autocorrelation. Lo (2002), eqs. 19 and 20.

    Parameters
    ----------
    returns
        Simple returns of one series, shape (n_periods,).
    cash
        An annual effective rate, or the returns of cash in each period.
    lags
        Autocorrelations to use, at most q - 1; None for all q - 1, as in the paper, which with daily data
        adds up 251 estimates and their errors.
    method
        Of the error of the ratio of one period.
    periods_per_year
        Inferred from dates; arrays must say it.
    confidence
        Coverage asked for, a fraction.

    Raises
    ------
    InputError
        More lags than rows or than q - 1, and what returns and cash are refused for.
    """
    refuse_confidence(confidence)
    excess = read_single(returns, cash, periods_per_year)
    periods = round(excess.periods_per_year)
    used = _lags(lags, periods, excess.n)
    if excess.missing:
        return _annualised(excess, float("nan"), float("nan"), (), method, confidence, excess.missing)
    excess.warn_if_few()
    centred = excess.matrix[:, 0] - excess.matrix[:, 0].mean()
    products = [inner(centred[lag:], centred[: excess.n - lag]) for lag in range(used + 1)]
    rho = np.array(products[1:]) / products[0]
    factor = annualisation_factor(rho, periods)
    error = method.of_ratio(excess.matrix[:, 0], float(excess.ratios[0]), confidence).standard_error
    reason = (
        "" if np.isfinite(factor) else f"{used} autocorrelations leave no positive variance: take fewer lags"
    )
    return _annualised(excess, factor, error, tuple(map(float, rho)), method, confidence, reason)


def _annualised(
    excess: ExcessReturns,
    factor: float,
    error: float,
    rho: tuple[float, ...],
    method: HAC,
    confidence: float,
    reason: str,
) -> AutocorrelatedSharpe:
    from scipy.special import ndtri  # not at the top: importing allocator costs no more than pandas

    ratio = float("nan") if excess.missing else float(excess.ratios[0])
    sharpe, error = factor * ratio, factor * error
    width = float(ndtri(0.5 + confidence / 2.0)) * error
    return AutocorrelatedSharpe(
        excess.names[0],
        excess.n,
        excess.periods_per_year,
        float(ratio * np.sqrt(excess.periods_per_year)),
        factor,
        sharpe,
        error,
        sharpe - width,
        sharpe + width,
        confidence,
        rho,
        method.describe(),
        reason,
    )


def _lags(lags: int | None, periods: int, n: int) -> int:
    most = periods - 1
    wanted = most if lags is None else lags
    if not ((lags is None or is_whole(lags)) and 0 <= wanted <= most):
        raise InputError("lags", f"{wanted} is not between 0 and {most}, one less than the periods of a year")
    if wanted >= n:
        raise InputError("lags", f"{wanted} for {n} rows", fix=f"pass at most {n - 1}, better {n // 4}")
    return wanted
