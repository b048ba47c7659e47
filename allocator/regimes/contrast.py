"""How much a statistic differs between two regimes, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

from allocator.errors import InputError
from allocator.regimes._settings import refuse_bootstrap
from allocator.regimes.conditional import ConditionalTable
from allocator.tables import html_lines

__all__ = ["RegimeContrast", "regime_contrast"]

_FEWEST_DEGREES = 2.0  # as in the intervals of the tables
_ALMOST_ONE = 1.0 - 1e-12
_WIDEST, _HALVINGS = 64.0, 60


@final
@dataclass(frozen=True, repr=False)
class RegimeContrast:
    """A statistic in one regime less the same in another; prints itself.

    Attributes
    ----------
    statistic, series, first, second
        What was estimated, of which series, in which two regimes.
    difference, standard_error, low, high
        First less second, in the statistic's unit.
    p_value
        Two-sided, that they are equal.
    n
        Periods of the first and of the second.
    degrees
        Of Student's t, by Welch (1947).
    confidence
        Of the interval.
    reason
        Empty, or why there is no number.
    """

    statistic: str
    series: str
    first: str
    second: str
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float
    n: tuple[int, int]
    degrees: float
    confidence: float
    reason: str = ""

    def _repr_html_(self) -> str:
        return html_lines([repr(self)])

    def __repr__(self) -> str:
        of = f" of {self.series}" if self.series else ""
        head = f"{self.statistic}{of}, {self.first} less {self.second}: "
        counts = f"n={self.n[0]:,} and {self.n[1]:,}"
        if self.reason:
            return f"{head}{self.reason}; {counts}"
        return (
            f"{head}{self.difference:+.3f} ± {self.standard_error:.3f}, {100 * self.confidence:g} % interval "
            f"{self.low:+.3f} to {self.high:+.3f}, p = {self.p_value:.4f}; {counts}, Welch's t"
        )


def regime_contrast(
    table: ConditionalTable, first: str, second: str, series: str | None = None, *, confidence: float = 0.95
) -> RegimeContrast:
    """Return the difference of a statistic between two regimes of a table.

    The two rest on different periods and are taken as independent; the degrees of freedom are Welch's
    (1947), of the blocks of each less one, as in the table's intervals. The difference of
    correlations has the interval of Zou (2007), which adds up the distances to the ends of each one's own
    (by Fisher's z), and the p-value at which that interval just reaches 0.

    Parameters
    ----------
    table
        From :func:`conditional_statistic`, :func:`conditional_performance` or
        :func:`conditional_correlation`.
    first, second
        Labels of two regimes.
    series
        Which one, where the table has several.
    confidence
        Of the interval.

    Raises
    ------
    InputError
        A regime or series that is not in the table.
    """
    refuse_bootstrap(confidence, 2, 0)
    if not isinstance(table, ConditionalTable):
        fix = "pass what conditional_statistic returns"
        raise InputError("table", f"expected a ConditionalTable, got {type(table).__name__}", fix=fix)
    rows, name = _rows(table, series)
    one, two = (_row(rows, label, argument) for label, argument in ((first, "first"), (second, "second")))
    counts = (int(one["n"]), int(two["n"]))
    reason = next((f"{row.name}: {row['reason']}" for row in (one, two) if _is_missing(row, table)), "")
    compare = _by_fisher if table.statistic == "correlation" else _by_welch
    numbers = (float("nan"),) * 6 if reason else compare(one, two, table.statistic, confidence)
    difference, error, low, high, p, degrees = numbers
    ends = (difference, error, low, high, p)
    return RegimeContrast(
        table.statistic,
        name,
        first,
        second,
        *ends,
        n=counts,
        degrees=degrees,
        confidence=confidence,
        reason=reason,
    )


def _rows(table: ConditionalTable, series: str | None) -> tuple[Any, str]:
    frame = table.table
    if frame.index.nlevels == 1:
        return frame, ""
    names = list(dict.fromkeys(frame.index.get_level_values(0)))
    chosen = names[0] if series is None and len(names) == 1 else series
    if chosen not in names:
        raise InputError("series", f"{series!r} is not in the table", fix=f"it has {', '.join(names)}")
    return frame.loc[chosen], str(chosen)


def _row(rows: Any, label: str, argument: str) -> Any:
    if not isinstance(label, str) or label not in rows.index:
        fix = f"it has {', '.join(map(str, rows.index))}"
        raise InputError(argument, f"{label!r} is no regime of the table", fix=fix)
    return rows.loc[label]


_Numbers = tuple[float, float, float, float, float, float]


def _is_missing(row: Any, table: ConditionalTable) -> bool:
    return not (row["standard_error"] > 0.0 and pd.notna(row[table.statistic]))


def _by_welch(one: Any, two: Any, statistic: str, confidence: float) -> _Numbers:
    """Return difference, error, both ends, p-value and degrees of freedom."""
    difference = float(one[statistic] - two[statistic])
    error, degrees = _error(one, two)
    width = _quantile(degrees, confidence) * error
    return difference, error, difference - width, difference + width, _p(difference / error, degrees), degrees


def _by_fisher(one: Any, two: Any, statistic: str, confidence: float) -> _Numbers:
    """Return the same for correlations: the interval of Zou (2007), and the p at which it just reaches 0."""
    rs = [min(max(float(row[statistic]), -_ALMOST_ONE), _ALMOST_ONE) for row in (one, two)]
    zs = [(math.atanh(r), float(row["standard_error"])) for r, row in zip(rs, (one, two), strict=True)]
    difference, degrees = rs[0] - rs[1], _error(one, two)[1]
    low, high = _zou(zs, _quantile(degrees, confidence))
    by_delta = math.hypot(*((1.0 - r * r) * error for r, (_, error) in zip(rs, zs, strict=True)))
    return difference, by_delta, low, high, _p(_reaching_zero(zs), degrees), degrees


def _zou(zs: Sequence[tuple[float, float]], width: float) -> tuple[float, float]:
    """Return the ends of the difference whose own intervals are ``width`` errors of z wide on each side."""
    (r_1, low_1, high_1), (r_2, low_2, high_2) = (
        (math.tanh(z), math.tanh(z - width * error), math.tanh(z + width * error)) for z, error in zs
    )
    difference = r_1 - r_2
    return (
        difference - math.hypot(r_1 - low_1, high_2 - r_2),
        difference + math.hypot(high_1 - r_1, r_2 - low_2),
    )


def _reaching_zero(zs: Sequence[tuple[float, float]]) -> float:
    """Return the width at which the interval of the difference just reaches 0, by bisection."""
    side = 0 if zs[0][0] > zs[1][0] else 1
    narrow, wide = 0.0, _WIDEST
    for _ in range(_HALVINGS):
        middle = (narrow + wide) / 2.0
        end = _zou(zs, middle)[side]
        is_inside = end <= 0.0 if side == 0 else end >= 0.0
        narrow, wide = (narrow, middle) if is_inside else (middle, wide)
    return (narrow + wide) / 2.0


def _error(one: Any, two: Any) -> tuple[float, float]:
    """Return the error of a difference, and Welch's degrees of freedom."""
    variances = [float(row["standard_error"]) ** 2 for row in (one, two)]
    each = zip(variances, (_degrees(one), _degrees(two)), strict=True)
    return math.sqrt(sum(variances)), sum(variances) ** 2 / sum(v * v / d for v, d in each)


def _degrees(row: Any) -> float:
    return max(float(row["n"] / row["block_length"]) - 1.0, _FEWEST_DEGREES)


def _quantile(degrees: float, confidence: float) -> float:
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    return float(stdtrit(degrees, 0.5 + confidence / 2.0))


def _p(t: float, degrees: float) -> float:
    from scipy.special import stdtr

    return 2.0 * float(stdtr(degrees, -abs(t)))
