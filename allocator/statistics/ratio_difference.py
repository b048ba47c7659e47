"""Is one Sharpe ratio higher than another? The difference, its interval and its p-value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._paired import ExcessReturns, correlation_of, read_excess, refuse_confidence
from allocator.statistics._returns import FloatArray, Returns, read_one_series
from allocator.statistics.sharpe_methods import SharpeMethod, StudentizedBootstrap

__all__ = ["SharpeDifference", "sharpe_difference"]

_DEFAULT = StudentizedBootstrap()
_ROUNDING = 1e-10


@final
@dataclass(frozen=True, repr=False)
class SharpeDifference:
    """The difference of two annualised Sharpe ratios and how far to trust it; prints itself.

    Attributes
    ----------
    name_1, name_2
        Of the series.
    n
        Pairs of returns.
    periods_per_year
        Ratios, error and interval are those of one period times its root; p does not depend on it.
    sharpe_1, sharpe_2, correlation
        Of the returns over cash.
    difference
        ``sharpe_1 - sharpe_2``, per √year; NaN where undefined, and ``reason`` says why.
    standard_error, low, high
        Of the difference, per √year.
    p_value
        Two-sided, of equal ratios.
    confidence
        Of the interval.
    method
        What error and p rest on.
    block_length, n_resamples, seed
        Of a bootstrap; 0, 0 and None where there was none.
    reason
        Empty, or why a number is missing or the interval has no width.
    """

    name_1: str
    name_2: str
    n: int
    periods_per_year: float
    sharpe_1: float
    sharpe_2: float
    correlation: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    confidence: float
    method: str
    block_length: int = 0
    n_resamples: int = 0
    seed: int | None = None
    reason: str = ""

    @property
    def unit(self) -> str:
        """The unit of ratios, difference, error and interval."""
        return "per √year"

    __repr__ = show.difference_text
    _repr_html_ = show.difference_html


def sharpe_difference(
    returns_1: Returns,
    returns_2: Returns,
    cash: Cash,
    method: SharpeMethod = _DEFAULT,
    *,
    periods_per_year: float | None = None,
    confidence: float = 0.95,
) -> SharpeDifference:
    """Test whether two Sharpe ratios are equal. Ledoit and Wolf (2008).

    Parameters
    ----------
    returns_1, returns_2
        Simple returns of one series each, shape (n_periods,), on the same dates.
    cash
        An annual effective rate, or the returns of cash in each period.
    method
        ``StudentizedBootstrap()``, ``HAC()``, ``IndependentReturns()`` or ``NormalReturns()`` (Jobson and
        Korkie, 1981; Memmel, 2003), which rejects too often with fat tails.
    periods_per_year
        Inferred from dates; arrays must say it.
    confidence
        Coverage asked for, a fraction.

    Returns
    -------
    SharpeDifference
        With NaN and a ``reason`` for fewer than 12 rows or a constant; a warning below 20. Series that
        are multiples of each other over cash have difference 0 and p = 1.

    Raises
    ------
    InputError
        Dates or lengths that differ, what returns and cash are refused for, and settings out of range.
    """
    refuse_confidence(confidence)
    tables = [read_one_series(returns_1, "returns_1"), read_one_series(returns_2, "returns_2")]
    excess = read_excess(tables, cash, periods_per_year)
    known = _nothing_known(excess, confidence, method)
    if excess.missing:
        return replace(known, reason=excess.missing)
    excess.warn_if_few()
    return _tested(known, excess, method)


def moves_as_one(pair: FloatArray) -> bool:
    """Whether two columns are multiples of each other up to rounding, shape (n_periods, 2)."""
    z = (pair - pair.mean(axis=0)) / pair.std(axis=0)
    first, second = pair.mean(axis=0) / pair.std(axis=0)
    same = abs(first - second) <= _ROUNDING * (1.0 + abs(first))
    return bool(same and np.abs(z[:, 0] - z[:, 1]).max() <= _ROUNDING * np.abs(z).max())


def _tested(known: SharpeDifference, excess: ExcessReturns, method: SharpeMethod) -> SharpeDifference:
    first, second = map(float, excess.ratios)
    scale = float(np.sqrt(excess.periods_per_year))
    known = replace(
        known,
        sharpe_1=first * scale,
        sharpe_2=second * scale,
        correlation=correlation_of(excess.matrix),
    )
    if moves_as_one(excess.matrix):
        reason = "one series is a multiple of the other over cash: no difference, and no error to estimate"
        return replace(
            known, difference=0.0, standard_error=0.0, low=0.0, high=0.0, p_value=1.0, reason=reason
        )
    found = method.of_difference(excess.matrix, first - second, known.confidence)
    return replace(
        known,
        difference=(first - second) * scale,
        standard_error=found.standard_error * scale,
        low=(first - second - found.width) * scale,
        high=(first - second + found.width) * scale,
        p_value=found.p_value,
        block_length=found.block_length,
        n_resamples=found.n_resamples,
        seed=found.seed,
        reason=""
        if found.standard_error > 0.0
        else "the estimated variance of the difference is not positive",
    )


def _nothing_known(excess: ExcessReturns, confidence: float, method: SharpeMethod) -> SharpeDifference:
    nan, (name_1, name_2) = float("nan"), excess.names
    return SharpeDifference(
        name_1=name_1,
        name_2=name_2,
        n=excess.n,
        periods_per_year=excess.periods_per_year,
        sharpe_1=nan,
        sharpe_2=nan,
        correlation=nan,
        difference=nan,
        standard_error=nan,
        low=nan,
        high=nan,
        p_value=nan,
        confidence=confidence,
        method=method.describe(),
    )
