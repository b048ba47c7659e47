"""How one series moves with another in each of several periods, and whether that is the same in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.anchor import show_relation as show
from allocator.macro.anchor._equality import equal_coefficients
from allocator.macro.anchor._settings import is_between, read_starts, refuse_bootstrap, refuse_other_errors
from allocator.market.market import Date
from allocator.regimes._settings import refuse_no_scale
from allocator.statistics import correlation_interval, level_correlation
from allocator.statistics._one_thread import inner
from allocator.statistics._pairs import Pair, read_dated_pair
from allocator.statistics._returns import FloatArray, read_one_series
from allocator.statistics.regression import LeastSquares, WaldTest, least_squares, linear_combination
from allocator.statistics.regression_errors import RegressionErrors, WideHACErrors

__all__ = ["RelationByPeriod", "relation_by_period"]

Levels = tuple["pd.Series[float]", "pd.Series[float]"]
Rows = NDArray[np.bool_]
_HAC = WideHACErrors()
_LARGEST_UNIT = 1e50
_CHANGES = ("change", "change_low", "change_high", "change_p")
_COLUMNS = (
    "intercept",
    "slope",
    "standard_error",
    "low",
    "high",
    "p_value",
    "correlation",
    "correlation_low",
    "correlation_high",
)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of every period."""

    errors: RegressionErrors
    per: float
    confidence: float
    n_resamples: int
    seed: int
    levels: Levels | None


@final
@dataclass(frozen=True, eq=False, repr=False)
class RelationByPeriod:
    """A regression and a correlation of changes by period, beside the correlation of levels; prints itself.

    Attributes
    ----------
    names
        Of what is explained and of what explains it.
    table
        A row a period: ``begin``, ``end``, ``n``; ``intercept``, ``slope``, its ``standard_error``, ``low``,
        ``high`` and ``p_value`` (two-sided, of 0); ``change``, the slope less that of the first period, with
        ``change_low``, ``change_high`` and ``change_p``; ``correlation`` of the changes with its
        block-bootstrap ``correlation_low`` and ``correlation_high``; ``levels``, the correlation of the
        levels, which has no error (NaN where no levels were given); ``reason``, why numbers are missing.
    per
        The slope is for this much of what explains.
    equal_slopes
        Wald test that the slope is the same in all periods that have one, at dates known beforehand: of the
        separate fits, each with the variance and the degrees of freedom of its own rows (Welch, 1947). None
        for a single period.
    equal_relations
        The same of intercept and slope together (Krishnamoorthy and Yu, 2004).
    autocorrelation
        First autocorrelation of the changes of each; about 0.25 in changes of averages of a random walk,
        Working (1960).
    frequency
        Of the changes.
    confidence
        Of the intervals.
    n_resamples, seed
        Of the bootstrap.
    method
        What the errors of the slopes allow for.
    """

    names: tuple[str, str]
    table: pd.DataFrame
    per: float
    equal_slopes: WaldTest | None
    equal_relations: WaldTest | None
    autocorrelation: tuple[float, float]
    frequency: str
    confidence: float
    n_resamples: int
    seed: int
    method: str

    @property
    def is_averaged(self) -> bool:
        """Whether changes of either are autocorrelated as those of averages are: above 0.15 and 2/√n."""
        least = max(0.15, 2.0 / np.sqrt(self.table["n"].sum()))
        return bool(max(self.autocorrelation) > least) and self.frequency != "yearly"

    __repr__ = show.relation_text
    _repr_html_ = show.relation_html


def relation_by_period(
    y: pd.Series[float],
    x: pd.Series[float],
    starts: Sequence[Date] = (),
    errors: RegressionErrors = _HAC,
    *,
    levels: tuple[pd.Series[float], pd.Series[float]] | None = None,
    per: float = 1.0,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> RelationByPeriod:
    """Regress changes on changes in each period, and test that the relation is the same in all.

    Parameters
    ----------
    y, x
        Changes on the same dates: returns of a price, differences of a yield (a fraction).
    starts
        Dates, known beforehand, at which a new period begins; the first begins with the data. A date chosen
        because the relation looks different after it makes p-values too small: for those there is
        :func:`break_test`.
    errors
        What residuals are taken to be.
    levels
        The two levels (logs of prices, yields) whose correlation is shown beside, dates outside ignored.
    per
        The slope is for this much of x: 0.01 for a percentage point of a yield.
    confidence, n_resamples, seed
        Of the intervals, and of the circular block bootstrap of correlations.

    Returns
    -------
    RelationByPeriod
        With NaN and a reason for a period of fewer than 12 rows.

    Raises
    ------
    InputError
        Dates that differ or are none, NaN, starts that do not increase or leave a period without a row.
    """
    refuse_bootstrap(confidence, n_resamples, seed)
    refuse_other_errors(errors)
    _refuse_other_levels(levels)
    if not is_between(per, 0.0, _LARGEST_UNIT):
        raise InputError("per", f"{per!r} is not a positive number", fix="pass 0.01 for a percentage point")
    pair, dates, frequency = read_dated_pair(
        *(refuse_no_scale(read_one_series(*each)) for each in ((y, "y"), (x, "x")))
    )
    periods = _periods(dates, starts)
    asked = _Asked(errors, per, confidence, n_resamples, seed, levels)
    done = [_period(pair, dates, chosen, asked) for chosen in periods]
    rows, fits = [row for row, _ in done], [fit for _, fit in done if fit is not None]
    for row, fit in done:
        if fit is not None and fit is not fits[0]:
            row |= dict(zip(_CHANGES, _change(fits[0], fit, asked), strict=True))
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="period"))
    return RelationByPeriod(
        pair.names,
        table,
        per,
        equal_coefficients(fits, ["slope"]) if len(fits) > 1 else None,
        equal_coefficients(fits, ["intercept", "slope"]) if len(fits) > 1 else None,
        (_autocorrelation(pair.matrix[:, 0]), _autocorrelation(pair.matrix[:, 1])),
        frequency.name,
        confidence,
        n_resamples,
        seed,
        errors.describe(),
    )


def _periods(dates: pd.DatetimeIndex, starts: Sequence[Date]) -> list[Rows]:
    """Return which rows are of each period, refusing periods without rows."""
    edges = read_starts(starts, "starts")
    for before, after in pairwise(edges):
        if not before < after:
            raise InputError("starts", "is not after the one before it", date=after)
    number = np.searchsorted(
        np.array(edges, dtype="datetime64[ns]"), dates.to_numpy(dtype="datetime64[ns]"), "right"
    )
    periods = [np.asarray(number == j) for j in range(len(edges) + 1)]
    for j, chosen in enumerate(periods):
        if not chosen.any():
            problem = f"no row in a period; the rows are {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
            raise InputError("starts", problem, date=edges[max(j - 1, 0)], fix="leave it out")
    return periods


def _period(
    pair: Pair, dates: pd.DatetimeIndex, chosen: Rows, asked: _Asked
) -> tuple[dict[str, Any], LeastSquares | None]:
    """Return a row of the table, and the fit of a period that has enough rows."""
    part, index = pair.only(chosen), dates[chosen]
    row: dict[str, Any] = {"begin": index[0], "end": index[-1], "n": part.n}
    row |= dict.fromkeys((*_COLUMNS, *_CHANGES, "levels"), float("nan"))
    row["reason"] = part.missing()
    if row["reason"]:
        return row, None
    y, x = (pd.Series(part.matrix[:, j], index, name=pair.names[j]) for j in (0, 1))
    fit = least_squares(y, {"slope": x}, asked.errors, confidence=asked.confidence)
    together = correlation_interval(
        y, x, confidence=asked.confidence, n_resamples=asked.n_resamples, seed=asked.seed
    )
    slope = fit.table.to_dict("index")["slope"]
    numbers = (
        float(fit.coefficients["intercept"]),
        *(asked.per * slope[name] for name in ("estimate", "standard_error", "low", "high")),
        slope["p_value"],
        together.correlation,
        together.bootstrap.low,
        together.bootstrap.high,
    )
    row |= dict(zip(_COLUMNS, numbers, strict=True))
    row["reason"] = fit.reason
    row["levels"] = _levels(asked.levels, index)
    return row, fit


def _change(first: LeastSquares, fit: LeastSquares, asked: _Asked) -> tuple[float, float, float, float]:
    """Return the slope less that of the first period, its interval, and its p-value of Welch's t."""
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    test = equal_coefficients([first, fit], ["slope"])
    parts = [linear_combination(each, {"slope": 1.0}) for each in (first, fit)]
    error = float(np.hypot(parts[0].standard_error, parts[1].standard_error))
    width = float(stdtrit(test.degrees, 0.5 + asked.confidence / 2.0)) * error
    change = parts[1].estimate - parts[0].estimate
    return asked.per * change, asked.per * (change - width), asked.per * (change + width), test.p_value


def _refuse_other_levels(levels: object) -> None:
    fix = "pass (levels_of_y, levels_of_x), each a Series with dates"
    if levels is None:
        return
    if not isinstance(levels, tuple | list) or len(levels) != 2:
        raise InputError("levels", f"expected two Series, got {type(levels).__name__}", fix=fix)
    for each in levels:
        if not isinstance(each, pd.Series):
            raise InputError("levels", f"expected a Series, got {type(each).__name__}", fix=fix)


def _levels(levels: Levels | None, index: pd.DatetimeIndex) -> float:
    if levels is None:
        return float("nan")
    first, second = (each.reindex(index) for each in levels)
    if first.isna().any() or second.isna().any():
        missing = index[(first.isna() | second.isna()).to_numpy()]
        raise InputError("levels", f"missing for {len(missing)} of the changes", date=missing[0])
    return level_correlation(first, second).levels


def _autocorrelation(changes: FloatArray) -> float:
    centred = changes - changes.mean()
    total = inner(centred, centred)
    return inner(centred[1:], centred[:-1]) / total if total > 0.0 else float("nan")
