"""How many breaks a mean or a relation has, when they were, and how sure their dates are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics import show_breaks as show
from allocator.statistics._break_interval import break_rows
from allocator.statistics._likelihood_set import likelihood_rows
from allocator.statistics._one_thread import gram, inner, product
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._regression import (
    Numbers,
    Regression,
    Regressors,
    read_regression,
    shortest_segment,
    sup_statistic,
)
from allocator.statistics._returns import FloatArray
from allocator.statistics._segments import Stretches, best_partitions
from allocator.statistics._settings import is_number, is_whole
from allocator.statistics.long_run_variance import KernelVariance
from allocator.statistics.sieve_bootstrap import WildSieveBootstrap
from allocator.statistics.sup_f import (
    BreakErrors,
    caution,
    errors_of,
    long_run_of,
    refuse_other_errors,
    sup_f_p_value,
)

__all__ = ["Partition", "StructuralBreaks", "find_breaks"]

_DEFAULT = WildSieveBootstrap()
_HAC = KernelVariance()


@final
@dataclass(frozen=True, eq=False, repr=False)
class Partition:
    """The best segments for one number of breaks; prints itself.

    Attributes
    ----------
    relation
        What is explained by what.
    rows
        Rows before each break.
    squares
        Residual sum of squares.
    bic
        n(log 2π + 1 + log(squares/n)) + (k + 1)(breaks + 1)·log n: each segment counts k coefficients and a
        variance or date, as in R's strucchange.
    breaks
        A row a break: ``row`` and ``date`` (the last before it), ``low`` and ``high`` (dates of its
        confidence set), ``low_row``, ``high_row``, cut to the sample.
    segments
        A row a segment: ``begin``, ``end``, ``n``, each coefficient by name, and its error as "name ±".
    confidence
        Of the sets.
    """

    relation: str
    rows: tuple[int, ...]
    squares: float
    bic: float
    breaks: pd.DataFrame
    segments: pd.DataFrame
    confidence: float

    __repr__ = show.partition_text
    _repr_html_ = show.partition_html


@final
@dataclass(frozen=True, eq=False, repr=False)
class StructuralBreaks:
    """Breaks of a mean or a relation; prints itself.

    Attributes
    ----------
    relation
        What is explained by what.
    n, shortest
        Rows, and the fewest in a segment.
    partitions
        The best of each number of breaks, from none.
    by_bic
        The number of breaks with the lowest BIC; of the smaller ones, where equal.
    sequential
        The number at which sup-F(l + 1 | l) first does not reject.
    steps
        A row an l, from 0: ``statistic`` and ``p_value`` of one more break than l; NaN where no segment is
        long enough for one.
    significance
        Of the sequence.
    method
        What the errors rest on.
    caution
        Where the sequence is known to find too many breaks; else empty.
    """

    relation: str
    n: int
    shortest: int
    partitions: tuple[Partition, ...]
    by_bic: int
    sequential: int
    steps: pd.DataFrame
    significance: float
    method: str
    caution: str = ""

    @property
    def chosen(self) -> Partition:
        """The partition that the BIC chooses."""
        return self.partitions[self.by_bic]

    __repr__ = show.breaks_text
    _repr_html_ = show.breaks_html


def find_breaks(
    y: Numbers,
    regressors: Regressors = None,
    errors: BreakErrors = _DEFAULT,
    *,
    trim: float = 0.15,
    most: int | None = None,
    confidence: float = 0.95,
    significance: float = 0.05,
) -> StructuralBreaks:
    """Find the breaks of the mean of a series, or of its relation to others. Bai and Perron (1998, 2003).

    Breaks minimise the sum of squares exactly, by dynamic programming. Their number is chosen by BIC and by
    the sequence sup-F(l + 1 | l), the largest sup-F within a segment. All coefficients break, the intercept
    among them. The BIC supposes independent errors: where they are autocorrelated it finds too many breaks.

    The confidence set of a break, given its neighbours, holds the dates that a likelihood ratio with an
    autoregressive long-run variance does not reject: Hansen (2000), Eo and Morley (2015). Those of Bai
    (1997), which HAC and independent errors use, are too narrow with autocorrelation:
    ``python -m benchmarks.size find_breaks`` prints how often a set holds the date.

    Parameters
    ----------
    y
        Any numbers, (n_periods,).
    regressors
        What explains them, an intercept aside, on the same dates; None for the mean.
    errors
        :class:`WildSieveBootstrap`: the sequence by resamples, sets by likelihood ratio, and HAC errors of
        coefficients. A :class:`LongRunVariance` of the scores x·e, or None, independent errors of one
        variance within a segment: the asymptotic sequence, whose limit is the (l + 1)th power of that of
        sup-F, sets of Bai (1997), and such errors of coefficients.
    trim
        Fewest rows in a segment, as a share of all.
    most
        Breaks at most; by default ⌈n/rows of a segment⌉ - 2, as in strucchange.
    confidence
        Of the confidence sets.
    significance
        At which the sequence stops.

    Raises
    ------
    InputError
        What :func:`break_test` refuses, a ``most`` for which there are not the rows, settings out of range.
    """
    refuse_confidence(confidence)
    refuse_other_errors(errors)
    if not is_number(significance) or not 0.0 < significance < 1.0:
        raise InputError("significance", f"{significance!r} is not between 0 and 1", fix="pass 0.05")
    regression = read_regression(y, regressors)
    shortest = shortest_segment(regression, trim)
    stretches = regression.stretches
    most = _most(stretches.n, shortest, most)
    partitions = tuple(
        _partition(regression, rows, shortest, confidence, errors)
        for rows in best_partitions(stretches, shortest, most)
    )
    steps = pd.DataFrame(
        _steps(stretches, partitions[:-1] or partitions, shortest, trim, errors),
        columns=["statistic", "p_value"],
    ).rename_axis("breaks")
    kept = ~(steps["p_value"].to_numpy() <= significance)
    return StructuralBreaks(
        regression.relation,
        stretches.n,
        shortest,
        partitions,
        int(np.argmin([each.bic for each in partitions])),
        int(np.argmax(kept)) if kept.any() else len(partitions) - 1,
        steps,
        significance,
        f"Bai and Perron (2003), {errors_of(errors)}; {_sets_of(errors)}",
        caution(stretches, shortest, errors),
    )


def _most(n: int, shortest: int, most: int | None) -> int:
    possible = n // shortest - 1
    if most is None:
        return max(min(int(np.ceil(n / shortest)) - 2, possible), 1)
    if not is_whole(most) or not 1 <= most <= possible:
        problem = f"{most!r} breaks; {n} rows in segments of {shortest} or more allow 1 to {possible}"
        raise InputError("most", problem)
    return most


def _steps(
    stretches: Stretches,
    partitions: tuple[Partition, ...],
    shortest: int,
    trim: float,
    errors: BreakErrors,
) -> Iterator[tuple[float, float]]:
    """Yield sup-F(l + 1 | l) and its p-value, l from 0: the largest sup-F within a segment."""
    for partition in partitions:
        edges = (0, *partition.rows, stretches.n)
        parts = [Stretches(stretches.x[a:b], stretches.y[a:b]) for a, b in pairwise(edges)]
        long = [part for part in parts if part.n >= 2 * shortest]
        found = [sup_statistic(part, shortest, long_run_of(errors))[0] for part in long]
        statistic = max(found, default=float("nan"))
        yield statistic, sup_f_p_value(long, statistic, shortest, trim, errors) if long else float("nan")


def _partition(
    regression: Regression, rows: tuple[int, ...], shortest: int, confidence: float, errors: BreakErrors
) -> Partition:
    stretches, edges = regression.stretches, (0, *rows, regression.stretches.n)
    n, k = stretches.n, stretches.k
    squares = float(stretches.squares(np.array(edges[:-1]), np.array(edges[1:])).sum())
    fit = n * (np.log(2.0 * np.pi) + 1.0 + np.log(max(squares, 1e-300) / n))
    sets = [
        _set(stretches, (a, b, c), shortest, confidence, errors)
        for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    return Partition(
        regression.relation,
        rows,
        squares,
        float(fit + np.log(n) * (k + 1) * (len(rows) + 1)),
        _breaks(regression, rows, sets),
        _segments(regression, edges, errors),
        confidence,
    )


def _set(
    stretches: Stretches,
    edges: tuple[int, int, int],
    shortest: int,
    confidence: float,
    errors: BreakErrors,
) -> tuple[int, int]:
    """Return the lowest and highest break of a confidence set, in rows before it, given its neighbours."""
    begin, _, end = edges
    if not isinstance(errors, WildSieveBootstrap):
        return break_rows(stretches, edges, confidence, errors)
    part = Stretches(stretches.x[begin:end], stretches.y[begin:end])
    low, high = likelihood_rows(part, shortest, confidence)
    return begin + low, begin + high


def _sets_of(errors: BreakErrors) -> str:
    """Return what the sets and the errors of coefficients are, for people."""
    if isinstance(errors, WildSieveBootstrap):
        return f"sets by likelihood ratio (Eo and Morley, 2015); ± HAC: {_HAC.describe()}"
    return "sets of Bai (1997)"


def _breaks(regression: Regression, rows: tuple[int, ...], sets: list[tuple[int, int]]) -> pd.DataFrame:
    n = regression.stretches.n
    cut = [(max(low, 1), min(high, n)) for low, high in sets]
    table: dict[str, list[Any]] = {
        "row": list(rows),
        "date": [regression.date(row) for row in rows],
        "low": [regression.date(low) for low, _ in cut],
        "high": [regression.date(high) for _, high in cut],
        "low_row": [low for low, _ in cut],
        "high_row": [high for _, high in cut],
    }
    return pd.DataFrame(table, index=pd.RangeIndex(1, len(rows) + 1, name="break"))


def _segments(regression: Regression, edges: tuple[int, ...], errors: BreakErrors) -> pd.DataFrame:
    rows = []
    for begin, end in pairwise(edges):
        coefficients, deviations = _fitted(regression.stretches, begin, end, errors)
        row: dict[str, Any] = {
            "begin": regression.date(begin + 1),
            "end": regression.date(end),
            "n": end - begin,
        }
        for name, value, error in zip(regression.parameters, coefficients, deviations, strict=True):
            row |= {name: float(value), f"{name} ±": float(error)}
        rows.append(row)
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="segment"))


def _fitted(stretches: Stretches, begin: int, end: int, errors: BreakErrors) -> tuple[FloatArray, FloatArray]:
    """Return the coefficients of a segment and their standard errors, both (k,)."""
    long_run = _HAC if isinstance(errors, WildSieveBootstrap) else errors
    coefficients, left = stretches.fit(begin, end)
    x, n, k = stretches.orthogonal[begin:end], end - begin, stretches.k
    inverse = np.linalg.inv(gram(x))
    # Columns are the directions of the coefficients in the space of the turned regressors.
    turned = np.linalg.inv(product(stretches.orthogonal.T, stretches.x) / stretches.n).T
    directions = inverse @ turned
    if long_run is None:
        variances = inner(left, left) / (n - k) * np.sum(turned * directions, axis=0)
    else:
        scores = x * left[:, np.newaxis]
        variances = np.array([long_run.variance(scores, n * each) / n for each in directions.T])
    return coefficients, np.sqrt(np.maximum(variances, 0.0))
