"""Whether an asset is a hedge of others on average, and a safe haven in their worst periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show
from allocator.macro.anchor._settings import is_between, read_moving, read_quantiles, refuse_other_errors
from allocator.regimes._settings import refuse_no_scale
from allocator.statistics._moments import is_rounding
from allocator.statistics._pairs import refuse_other_rows
from allocator.statistics._returns import FloatArray, Returns, ReturnTable, read_returns
from allocator.statistics.regression import LeastSquares, least_squares, linear_combination
from allocator.statistics.regression_errors import RegressionErrors, WideHACErrors

__all__ = ["SafeHaven", "safe_haven"]

_FEWEST = 12
_HAC = WideHACErrors()


@final
@dataclass(frozen=True, eq=False, repr=False)
class SafeHaven:
    """Hedge and safe-haven betas; prints itself.

    Attributes
    ----------
    asset
        Its name.
    table
        A row for each market and condition: ``average`` and each quantile. Columns: ``threshold`` (the return
        at or below which the row counts), ``n`` (such rows), ``beta`` (all coefficients that apply there,
        summed), ``standard_error``, ``low``, ``high``, ``p_negative`` (of a beta of at least 0),
        ``p_positive`` (of one of at most 0), ``verdict``.
    fit
        The regression: for each market its name, and "name q10%" for the rows of a quantile.
    quantiles
        As asked for.
    significance
        At which a verdict is more than "not told from 0".
    """

    asset: str
    table: pd.DataFrame
    fit: LeastSquares
    quantiles: tuple[float, ...]
    significance: float

    __repr__ = show.haven_text
    _repr_html_ = show.haven_html


def safe_haven(
    asset: Returns,
    markets: Returns,
    quantiles: tuple[float, ...] = (0.10, 0.05, 0.01),
    errors: RegressionErrors = _HAC,
    *,
    significance: float = 0.05,
) -> SafeHaven:
    """Regress an asset on markets with slopes that change in the markets' worst periods.

    r = a + Σ_m (c_0 + Σ_q c_q·1[r_m ≤ its q-quantile])·r_m + e. One market and quantiles of 10, 5 and 1 % is
    Baur and McDermott (2010), Journal of Banking & Finance 34, eq. 1; stocks and bonds together with a single
    quantile is Baur and Lucey (2010), Financial Review 45, eq. 1. A hedge has c_0 at most 0, a safe haven the
    sum of c_0 and all c that apply in the quantile; strong if below 0 significantly, weak if not told from 0.

    Both papers give e a GARCH(1,1) variance. Errors here are HAC: they hold whatever the variance does,
    where those of a GARCH hold if it is right; the estimates are of the same coefficients, by least squares.
    Quantiles are those of the sample, known only after it.

    Parameters
    ----------
    asset
        Returns, (n_periods,).
    markets
        Returns of one or more markets, on the same dates.
    quantiles
        Shares of the worst periods, each with at least 12 rows.
    errors
        What residuals are taken to be.
    significance
        Of the verdicts, one-sided; the intervals have 1 - 2·significance.

    Raises
    ------
    InputError
        Dates that differ, a quantile not between 0 and 0.5, given twice or with fewer than 12 rows, a market
        named like the worst periods of another ("A q10%" beside "A").
    """
    refuse_other_errors(errors)
    if not is_between(significance, 1e-6, 0.5):
        raise InputError("significance", f"{significance!r} is not between 0 and 0.5", fix="pass 0.05")
    explained, table = read_moving(asset, "asset"), refuse_no_scale(read_returns(markets, "markets"))
    _refuse_still(table)
    refuse_other_rows(explained, table)
    ordered = _checked(quantiles, explained.n_periods)
    names = [str(name) if not table.is_array else f"market {j + 1}" for j, name in enumerate(table.columns)]
    _refuse_one_name(names, ordered)
    thresholds = np.quantile(table.matrix, ordered, axis=0).T.reshape(len(names), len(ordered))
    columns = _columns(table.matrix, names, thresholds, ordered)
    y, name = explained.matrix[:, 0], str(explained.columns[0])
    level = 1.0 - 2.0 * significance
    if explained.dates is None:
        fit = least_squares(y, columns, errors, confidence=level)
    else:
        named = pd.Series(y, explained.dates, name=name)
        fit = least_squares(named, pd.DataFrame(columns, index=explained.dates), errors, confidence=level)
    rows = [
        _row(fit, table.matrix[:, j], name, thresholds[j], ordered, step, significance)
        for j, name in enumerate(names)
        for step in range(len(ordered) + 1)
    ]
    return SafeHaven(
        fit.name, pd.DataFrame(rows).set_index(["market", "condition"]), fit, ordered, significance
    )


def _refuse_still(markets: ReturnTable) -> None:
    still = is_rounding(markets.matrix.std(axis=0), markets.matrix)
    if still.any():
        asset = markets.columns[int(np.argmax(still))]
        raise InputError("markets", "never changes", asset=asset, count=int(still.sum()), fix="leave it out")


def _checked(quantiles: tuple[float, ...], n: int) -> tuple[float, ...]:
    """Return the quantiles, the mildest first."""
    quantiles = read_quantiles(quantiles)
    for quantile in quantiles:
        if int(quantile * n) < _FEWEST:
            problem = f"{quantile:g} of {n} rows leaves {int(quantile * n)}, at least {_FEWEST} are needed"
            raise InputError("quantiles", problem, fix="leave it out or pass a longer sample")
    if not quantiles or len(set(quantiles)) < len(quantiles):
        raise InputError("quantiles", "none, or one of them twice", fix="pass (0.10, 0.05, 0.01)")
    return tuple(sorted(quantiles, reverse=True))


def _refuse_one_name(names: list[str], quantiles: tuple[float, ...]) -> None:
    """Refuse a market that is called what a coefficient of another one is."""
    labels = [*names, *(_label(name, quantile) for name in names for quantile in quantiles)]
    for name in names:
        if labels.count(name) > 1:
            raise InputError("markets", "two coefficients would have this name", asset=name, fix="rename it")


def _columns(
    matrix: FloatArray, names: list[str], thresholds: FloatArray, quantiles: tuple[float, ...]
) -> dict[str, FloatArray]:
    columns: dict[str, FloatArray] = {}
    for j, name in enumerate(names):
        market = matrix[:, j]
        columns[name] = market
        for quantile, threshold in zip(quantiles, thresholds[j], strict=True):
            columns[_label(name, quantile)] = np.where(market <= threshold, market, 0.0)
    return columns


def _label(name: str, quantile: float) -> str:
    return f"{name} q{100 * quantile:g}%"


def _row(
    fit: LeastSquares,
    market: FloatArray,
    name: str,
    thresholds: FloatArray,
    quantiles: tuple[float, ...],
    step: int,
    significance: float,
) -> dict[str, object]:
    """Return the sum of coefficients up to a quantile, ``step`` of them."""
    weights = {name: 1.0} | {_label(name, quantile): 1.0 for quantile in quantiles[:step]}
    found = linear_combination(fit, weights)
    threshold = float(thresholds[step - 1]) if step else float("inf")
    kind = "safe haven" if step else "hedge"
    return {
        "market": name,
        "condition": f"worst {100 * quantiles[step - 1]:g} %" if step else "average",
        "threshold": threshold,
        "n": int(np.sum(market <= threshold)),
        "beta": found.estimate,
        "standard_error": found.standard_error,
        "low": found.low,
        "high": found.high,
        "p_negative": found.p_negative,
        "p_positive": found.p_positive,
        "verdict": _verdict(kind, found.p_negative, found.p_positive, significance),
    }


def _verdict(kind: str, p_negative: float, p_positive: float, significance: float) -> str:
    if np.isnan(p_negative):
        return "unknown: no error"
    if p_negative < significance:
        return f"strong {kind}"
    return f"no {kind}" if p_positive < significance else f"weak {kind}: not told from 0"
