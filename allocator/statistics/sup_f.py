"""Whether a mean or a relation breaks once, at a date that is not known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics import show_breaks as show
from allocator.statistics._regression import (
    Numbers,
    Regressors,
    read_regression,
    shortest_segment,
    sup_statistic,
)
from allocator.statistics._segments import Stretches
from allocator.statistics._sup_bessel import supremum_p_value
from allocator.statistics.long_run_variance import LongRunVariance
from allocator.statistics.sieve_bootstrap import WildSieveBootstrap, too_persistent

__all__ = ["BreakErrors", "BreakTest", "break_test", "caution", "errors_of", "sup_f_p_value"]

BreakErrors: TypeAlias = WildSieveBootstrap | LongRunVariance | None

_DEFAULT = WildSieveBootstrap()
_FEW_ROWS = 250


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
    caution
        Where the test is known to reject too often; else empty.
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
    caution: str = ""

    __repr__ = show.single_text
    _repr_html_ = show.single_html


def break_test(
    y: Numbers,
    regressors: Regressors = None,
    errors: BreakErrors = _DEFAULT,
    *,
    trim: float = 0.15,
) -> BreakTest:
    """Test that the mean of a series, or its relation to others, is the same throughout: sup-F.

    Andrews (1993). All coefficients may break, the intercept among them. The bootstrap keeps its size of 5 %
    at 120 rows whether errors are fat-tailed, autocorrelated or come in clusters of volatility; a long-run
    variance, with its asymptotic p, rejects up to 21 % there, and independent errors, None, up to 29 % with
    autocorrelation: ``python -m benchmarks.size break_test`` prints all three, and the record warns.
    What may break is the coefficients: a variance that rises late in the sample makes the test reject a
    constant mean too often, and the record does not see it.

    Parameters
    ----------
    y
        Any numbers, (n_periods,).
    regressors
        What explains them, an intercept aside, on the same dates; a mapping or a table by name; None for the
        mean.
    errors
        What p rests on. :class:`WildSieveBootstrap`: resamples. A :class:`LongRunVariance` of the scores x·e:
        the Wald statistic with HAC errors, and the asymptotic p that Hansen (1997) approximates. None: errors
        that are independent and of one variance, with that p. The statistic of the first and the last is k·F
        of Chow, as R's strucchange has it.
    trim
        Share of rows left on either side.

    Raises
    ------
    InputError
        A trim not between 0 and 0.5, fewer than 2k + 2 rows to a side for k coefficients, regressors that
        are collinear, on other dates or called "intercept", NaN, a constant y.
    """
    refuse_other_errors(errors)
    regression = read_regression(y, regressors)
    shortest = shortest_segment(regression, trim)
    stretches = regression.stretches
    statistic, row, path = sup_statistic(stretches, shortest, long_run_of(errors))
    rows = np.arange(shortest, stretches.n - shortest + 1)
    index = rows if regression.dates is None else regression.dates[rows - 1]
    before, after = (stretches.fit(*side)[0].tolist() for side in ((0, row), (row, stretches.n)))
    return BreakTest(
        regression.relation,
        stretches.n,
        shortest,
        statistic,
        sup_f_p_value([stretches], statistic, shortest, trim, errors),
        regression.date(row),
        dict(zip(regression.parameters, before, strict=True)),
        dict(zip(regression.parameters, after, strict=True)),
        pd.Series(path, index=index, name="statistic"),
        f"sup-F (Andrews, 1993), {errors_of(errors)}",
        caution(stretches, shortest, errors),
    )


def sup_f_p_value(
    parts: list[Stretches], statistic: float, shortest: int, trim: float, errors: BreakErrors
) -> float:
    """Return the chance that the largest sup-F of parts without a break is as large, parts independent."""
    if isinstance(errors, WildSieveBootstrap):
        rng = np.random.default_rng(errors.seed)
        drawn = np.max([errors.statistics(part, shortest, rng) for part in parts], axis=0)
        return float(1 + np.sum(drawn >= statistic)) / (errors.n_resamples + 1)
    alone = supremum_p_value(statistic, parts[0].k, trim)
    # 1 - (1 - p)^parts, without losing the digits of a small p.
    return float(-np.expm1(len(parts) * np.log1p(-alone))) if alone < 1.0 else alone


def long_run_of(errors: BreakErrors) -> LongRunVariance | None:
    """Return what the Wald statistic is measured by; None for k·F of Chow."""
    return errors if isinstance(errors, LongRunVariance) else None


def errors_of(errors: BreakErrors) -> str:
    """Return what the errors rest on, for people."""
    if errors is None:
        return "independent errors of one variance"
    return f"HAC: {errors.describe()}" if isinstance(errors, LongRunVariance) else errors.describe()


def caution(stretches: Stretches, shortest: int, errors: BreakErrors) -> str:
    """Return where these errors are known to reject too often, or nothing."""
    if errors is None:
        return "rough: independent errors reject too often with autocorrelation or changing volatility"
    if isinstance(errors, LongRunVariance) and stretches.n < _FEW_ROWS:
        return f"rough: HAC errors of fewer than {_FEW_ROWS} rows reject too often"
    return too_persistent(stretches, shortest)


def refuse_other_errors(errors: BreakErrors) -> None:
    """Refuse what no error can rest on."""
    if not (errors is None or isinstance(errors, WildSieveBootstrap | LongRunVariance)):
        raise InputError(
            "errors", f"{errors!r} is no way to find errors", fix="pass al.WildSieveBootstrap(), say"
        )
