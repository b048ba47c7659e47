"""Whether a mean or a relation breaks once, at a date that is not known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.statistics import show_breaks as show
from allocator.statistics._regression import (
    Numbers,
    Regressors,
    read_regression,
    shortest_segment,
    sup_statistic,
)
from allocator.statistics._sup_bessel import supremum_p_value
from allocator.statistics.long_run_variance import KernelVariance, LongRunVariance

__all__ = ["BreakTest", "break_test"]

_DEFAULT = KernelVariance()


@final
@dataclass(frozen=True, eq=False, repr=False)
class BreakTest:
    """A test of one relation throughout, against a single break at an unknown date; prints itself.

    Attributes
    ----------
    relation
        What is explained by what.
    n, shortest
        Rows, and how many of them are left on either side of a break.
    statistic
        sup-F: the largest Wald statistic of equal coefficients, k·F.
    p_value
        Of no break.
    date
        Of the largest: the last row before the break; a row from 1 where there are no dates.
    before, after
        Coefficients by name.
    path
        The statistic of each possible break, by the last date before it.
    method
        What the errors rest on.
    """

    relation: str
    n: int
    shortest: int
    statistic: float
    p_value: float
    date: Any
    before: dict[str, float]
    after: dict[str, float]
    path: pd.Series[float]
    method: str

    __repr__ = show.single_text
    _repr_html_ = show.single_html


def break_test(
    y: Numbers,
    regressors: Regressors = None,
    long_run: LongRunVariance | None = _DEFAULT,
    *,
    trim: float = 0.15,
) -> BreakTest:
    """Test that the mean of a series, or its relation to others, is the same throughout: sup-F.

    Andrews (1993), with the exact asymptotic p-value that Hansen (1997) approximates. All coefficients may
    break, the intercept among them.

    In short samples HAC errors reject too often, the more so with autocorrelation and for a relation to
    others; independent errors, ``long_run=None``, do wherever there is autocorrelation. The record warns of
    HAC errors below 250 rows.

    Parameters
    ----------
    y
        Any numbers, (n_periods,).
    regressors
        What explains them, an intercept aside, on the same dates; None for the mean.
    long_run
        Of the scores x·e. None: errors that are independent and of one variance, k·F of Chow, as R's
        strucchange does by default.
    trim
        Share of rows left on either side.

    Raises
    ------
    InputError
        A trim not between 0 and 0.5, fewer than 2k + 2 rows to a side for k coefficients, regressors that
        are collinear or on other dates, NaN, a constant y.
    """
    regression = read_regression(y, regressors)
    shortest = shortest_segment(regression, trim)
    stretches = regression.stretches
    statistic, row, path = sup_statistic(stretches, shortest, long_run)
    rows = np.arange(shortest, stretches.n - shortest + 1)
    index = rows if regression.dates is None else regression.dates[rows - 1]
    before, after = (stretches.fit(*side)[0].tolist() for side in ((0, row), (row, stretches.n)))
    return BreakTest(
        regression.relation,
        stretches.n,
        shortest,
        statistic,
        supremum_p_value(statistic, stretches.k, trim),
        regression.date(row),
        dict(zip(regression.parameters, before, strict=True)),
        dict(zip(regression.parameters, after, strict=True)),
        pd.Series(path, index=index, name="statistic"),
        f"sup-F (Andrews, 1993), {errors_of(long_run)}",
    )


def errors_of(long_run: LongRunVariance | None) -> str:
    """Return what the errors rest on, for people."""
    return "independent errors of one variance" if long_run is None else f"HAC: {long_run.describe()}"
