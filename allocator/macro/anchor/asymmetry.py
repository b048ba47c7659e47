"""Whether an asset rises with another and falls with it alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show
from allocator.macro.anchor._settings import read_moving, refuse_bootstrap, refuse_other_errors
from allocator.statistics._pairs import Pair, read_pair
from allocator.statistics._returns import FloatArray, Returns
from allocator.statistics.regression import (
    LeastSquares,
    LinearCombination,
    WaldTest,
    least_squares,
    linear_combination,
    wald_test,
)
from allocator.statistics.regression_errors import HC3Errors, RegressionErrors, WideHACErrors

__all__ = [
    "AsymmetricBeta",
    "ConditionalBetas",
    "asymmetric_beta",
    "conditional_betas",
    "henriksson_merton",
    "treynor_mazuy",
]

_FEWEST_ON_A_SIDE = 6
_HAC, _HC3 = WideHACErrors(), HC3Errors()


@final
@dataclass(frozen=True, eq=False, repr=False)
class AsymmetricBeta:
    """Beta where the benchmark rises, and where it falls, on one intercept; prints itself.

    Attributes
    ----------
    names
        Of the asset and the benchmark.
    fit
        Coefficients ``intercept`` (alpha, a period), ``up`` and ``down``.
    n_up, n_down
        Rows in which the benchmark rose, and fell.
    alpha, up, down
        Each with its interval and its one-sided p-values.
    equal
        Wald test of up = down.
    p_claim
        Of "up ≤ 0 or down > 0": a small one supports "rises with it and does not fall with it", up > 0 and
        down ≤ 0. The larger of the two one-sided p-values: the intersection–union test of Berger (1982),
        which needs no correction. Where down is truly 0 it is small no oftener than its level.
    p_against
        Of "up ≥ 0 and down ≤ 0": a small one contradicts the claim. Twice the smaller one-sided p-value
        (Bonferroni).
    periods_per_year
        Of the returns, NaN without dates.
    """

    names: tuple[str, str]
    fit: LeastSquares
    n_up: int
    n_down: int
    alpha: LinearCombination
    up: LinearCombination
    down: LinearCombination
    equal: WaldTest
    p_claim: float
    p_against: float
    periods_per_year: float

    __repr__ = show.asymmetry_text
    _repr_html_ = show.asymmetry_html


@final
@dataclass(frozen=True, eq=False, repr=False)
class ConditionalBetas:
    """Betas of separate regressions, of the rows in which the benchmark rose and of those in which it fell.

    Another estimand than :class:`AsymmetricBeta`: each side has an intercept of its own, so that a jump at 0
    is not taken for a slope.

    Attributes
    ----------
    names
        Of the asset and the benchmark.
    bull, bear
        The regressions, with coefficients ``intercept`` and ``beta``.
    """

    names: tuple[str, str]
    bull: LeastSquares
    bear: LeastSquares

    @property
    def timing_ratio(self) -> float:
        """Bull beta over bear beta; of any size where the bear beta is near 0."""
        return float(self.bull.coefficients["beta"] / self.bear.coefficients["beta"])

    __repr__ = show.conditional_text
    _repr_html_ = show.conditional_html


def asymmetric_beta(
    asset: Returns, benchmark: Returns, errors: RegressionErrors = _HAC, *, confidence: float = 0.95
) -> AsymmetricBeta:
    """Estimate r = a + b_up·max(r_b, 0) + b_down·min(r_b, 0) + e, and test up = down and the claim.

    Parameters
    ----------
    asset
        Returns, (n_periods,).
    benchmark
        Returns of another asset, or changes of a yield as fractions, on the same dates.
    errors
        What residuals are taken to be.
    confidence
        Of the intervals.

    Raises
    ------
    InputError
        Dates or lengths that differ, NaN, fewer than 6 rises or falls of the benchmark.
    """
    pair = _read(asset, benchmark, errors, confidence)
    fit = _regressed(
        pair,
        {"up": np.maximum(pair.matrix[:, 1], 0.0), "down": np.minimum(pair.matrix[:, 1], 0.0)},
        errors,
        confidence,
    )
    alpha, up, down = (linear_combination(fit, {name: 1.0}) for name in ("intercept", "up", "down"))
    return AsymmetricBeta(
        pair.names,
        fit,
        int(np.sum(pair.matrix[:, 1] > 0.0)),
        int(np.sum(pair.matrix[:, 1] < 0.0)),
        alpha,
        up,
        down,
        wald_test(fit, [{"up": 1.0, "down": -1.0}]),
        float(np.maximum(up.p_positive, down.p_negative)),
        float(np.minimum(1.0, 2.0 * np.minimum(up.p_negative, down.p_positive))),
        float("nan") if pair.frequency is None else float(pair.frequency.periods_per_year),
    )


def henriksson_merton(
    asset: Returns, benchmark: Returns, errors: RegressionErrors = _HAC, *, confidence: float = 0.95
) -> LeastSquares:
    """Return the fit of r = a + b·r_b + g·max(0, -r_b) + e. Henriksson and Merton (1981).

    ``beta`` is the up-beta of :func:`asymmetric_beta` and ``gamma`` the up- less the down-beta. For market
    timing pass returns over cash. Refuses what :func:`asymmetric_beta` does.
    """
    pair = _read(asset, benchmark, errors, confidence)
    x = pair.matrix[:, 1]
    return _regressed(pair, {"beta": x, "gamma": np.maximum(-x, 0.0)}, errors, confidence)


def treynor_mazuy(
    asset: Returns, benchmark: Returns, errors: RegressionErrors = _HAC, *, confidence: float = 0.95
) -> LeastSquares:
    """Return the fit of r = a + b·r_b + g·r_b² + e. Treynor and Mazuy (1966); refuses as the others do."""
    pair = _read(asset, benchmark, errors, confidence)
    x = pair.matrix[:, 1]
    return _regressed(pair, {"beta": x, "gamma": x * x}, errors, confidence)


def conditional_betas(
    asset: Returns, benchmark: Returns, errors: RegressionErrors = _HC3, *, confidence: float = 0.95
) -> ConditionalBetas:
    """Return the bull and the bear beta: regressions on the rows with r_b > 0, and on those with r_b < 0.

    The rows of a side do not follow one another: errors are independent by default. Refuses what
    :func:`asymmetric_beta` does.
    """
    pair = _read(asset, benchmark, errors, confidence)
    _refuse_one_sided(pair)
    sides = (pair.only(pair.matrix[:, 1] > 0.0), pair.only(pair.matrix[:, 1] < 0.0))
    bull, bear = (_fit(side, {"beta": side.matrix[:, 1]}, errors, confidence) for side in sides)
    return ConditionalBetas(pair.names, bull, bear)


def _read(asset: Returns, benchmark: Returns, errors: object, confidence: float) -> Pair:
    refuse_other_errors(errors)
    refuse_bootstrap(confidence, 2, 0)
    return read_pair(read_moving(asset, "asset"), read_moving(benchmark, "benchmark"))


def _regressed(
    pair: Pair, columns: dict[str, FloatArray], errors: RegressionErrors, confidence: float
) -> LeastSquares:
    _refuse_one_sided(pair)
    return _fit(pair, columns, errors, confidence)


def _fit(
    pair: Pair, columns: dict[str, FloatArray], errors: RegressionErrors, confidence: float
) -> LeastSquares:
    y, x = pair.matrix[:, 0], columns
    if pair.dates is None:
        return least_squares(y, x, errors, confidence=confidence)
    named = pd.Series(y, pair.dates, name=pair.names[0])
    return least_squares(named, pd.DataFrame(x, index=pair.dates), errors, confidence=confidence)


def _refuse_one_sided(pair: Pair) -> None:
    benchmark = pair.matrix[:, 1]
    for side, n in (("rises", np.sum(benchmark > 0.0)), ("falls", np.sum(benchmark < 0.0))):
        if n < _FEWEST_ON_A_SIDE:
            problem = (
                f"{pair.names[1]!r} {side} in {n} of {pair.n} rows, at least {_FEWEST_ON_A_SIDE} are needed"
            )
            raise InputError("benchmark", problem, fix="pass a longer sample")
