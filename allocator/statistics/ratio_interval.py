"""One Sharpe ratio with its error and its interval, by the method the caller trusts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._paired import ExcessReturns, read_single, refuse_confidence
from allocator.statistics._returns import Returns
from allocator.statistics.sharpe_methods import SharpeMethod, StudentizedBootstrap

__all__ = ["SharpeInterval", "sharpe_interval"]

_DEFAULT = StudentizedBootstrap()


@final
@dataclass(frozen=True, repr=False)
class SharpeInterval:
    """An annualised Sharpe ratio and how far to trust it; prints itself.

    Attributes
    ----------
    name
        Of the series.
    n
        Returns.
    periods_per_year
        Ratio, error and interval are those of one period times its root.
    sharpe, standard_error, low, high
        Per √year; NaN where undefined, and ``reason`` says why.
    confidence
        Of the interval.
    method
        What the error rests on.
    block_length, n_resamples, seed
        Of a bootstrap; 0, 0 and None where there was none.
    reason
        Empty, or why a number is missing.
    """

    name: str
    n: int
    periods_per_year: float
    sharpe: float
    standard_error: float
    low: float
    high: float
    confidence: float
    method: str
    block_length: int = 0
    n_resamples: int = 0
    seed: int | None = None
    reason: str = ""

    @property
    def unit(self) -> str:
        """The unit of all four numbers."""
        return "per √year"

    __repr__ = show.interval_text
    _repr_html_ = show.interval_html


def sharpe_interval(
    returns: Returns,
    cash: Cash,
    method: SharpeMethod = _DEFAULT,
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
) -> SharpeInterval:
    """Estimate an annualised Sharpe ratio with its standard error and interval.

    For a table of the same series by regime see :func:`conditional_performance`.

    Parameters
    ----------
    returns
        Simple returns of one series, shape (n_periods,).
    cash
        An annual effective rate, or the returns of cash in each period.
    method
        ``NormalReturns()`` (Lo, 2002), ``IndependentReturns()`` (Mertens, 2002), ``HAC()`` or
        ``StudentizedBootstrap()``.
    periods_per_year
        Inferred from dates; arrays must say it.
    confidence
        Coverage asked for, a fraction.

    Returns
    -------
    SharpeInterval
        With NaN and a ``reason`` for fewer than 12 returns or a constant; a warning below 20.

    Raises
    ------
    InputError
        What returns and cash are refused for, and settings out of range.
    """
    refuse_confidence(confidence)
    excess = read_single(returns, cash, periods_per_year)
    known = _nothing_known(excess, confidence, method)
    if excess.missing:
        return replace(known, reason=excess.missing)
    excess.warn_if_few()
    ratio, scale = float(excess.ratios[0]), np.sqrt(excess.periods_per_year)
    found = method.of_ratio(excess.matrix[:, 0], ratio, confidence)
    return replace(
        known,
        sharpe=float(ratio * scale),
        standard_error=float(found.standard_error * scale),
        low=float((ratio - found.width) * scale),
        high=float((ratio + found.width) * scale),
        block_length=found.block_length,
        n_resamples=found.n_resamples,
        seed=found.seed,
        reason="" if found.standard_error > 0.0 else "its estimated variance is not positive",
    )


def _nothing_known(excess: ExcessReturns, confidence: float, method: SharpeMethod) -> SharpeInterval:
    nan, periods = float("nan"), excess.periods_per_year
    return SharpeInterval(
        excess.names[0], excess.n, periods, nan, nan, nan, nan, confidence, method.describe()
    )
