"""Many portfolios against one benchmark: p-values that know how many were tried.

All members are resampled by the same blocks, so that their dependence is kept and not assumed. The family
is part of the result: a p-value without the number of its companions is not one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._moments import is_rounding
from allocator.statistics._paired import FEWEST_ROWS, ExcessReturns, read_excess
from allocator.statistics._returns import FloatArray, Returns, read_one_series, read_returns
from allocator.statistics._studentised_draws import Draws, difference_draws, mean_draws
from allocator.statistics.ratio_difference import moves_as_one
from allocator.statistics.sharpe_methods import StudentizedBootstrap, difference_influence

__all__ = [
    "FamilyTest",
    "holm",
    "mean_family_test",
    "reality_check",
    "romano_wolf",
    "sharpe_family_test",
]

_DEFAULT = StudentizedBootstrap()
_ROUNDING = 1e-15
_CONSTANT = "it never changes over cash"
_AS_ONE = "moves as the benchmark: no difference, and no error to estimate"
_NO_VARIANCE = "the estimated variance of the difference is not positive"


@final
@dataclass(frozen=True, eq=False, repr=False)
class FamilyTest:
    """A family of differences from one benchmark, and p-values for the family; prints itself.

    Attributes
    ----------
    statistic
        What was compared: "Sharpe ratio" or "mean return".
    unit
        Of values, differences and errors.
    benchmark
        Its name.
    benchmark_value
        Its statistic.
    table
        A row a member: ``value``, ``difference``, ``standard_error``, ``p_value`` (two-sided, as if it were
        alone), ``p_holm``, ``p_romano_wolf`` (two-sided, for the family) and ``reason``.
    reality_check_p
        One p for the family, one-sided: that none is better than the benchmark. White (2000), with every
        difference over its error as in Hansen (2005), but without his recentring of the poor ones.
    n
        Rows of returns.
    block_length, n_resamples, seed
        Of the joint resampling.
    draws
        Studentised changes of all tested members in each resample, (n_resamples, n_tested), read-only.
    method
        What the p-values rest on.
    """

    statistic: str
    unit: str
    benchmark: str
    benchmark_value: float
    table: pd.DataFrame
    reality_check_p: float
    n: int
    block_length: int
    n_resamples: int
    seed: int
    draws: FloatArray
    method: str

    @property
    def names(self) -> tuple[str, ...]:
        """The members."""
        return tuple(self.table.index)

    @property
    def n_members(self) -> int:
        """How many were compared, also those that could not be tested."""
        return len(self.table)

    __repr__ = show.family_text
    _repr_html_ = show.family_html


def sharpe_family_test(
    returns: Returns,
    benchmark: Returns,
    cash: Cash,
    bootstrap: StudentizedBootstrap = _DEFAULT,
    *,
    periods_per_year: float | None = None,
) -> FamilyTest:
    """Test which of many Sharpe ratios differ from that of a benchmark, with errors for the family.

    Parameters
    ----------
    returns
        Simple returns of all that was tried, not only of the best, shape (n_periods, n_series).
    benchmark
        Of one series, on the same dates.
    cash
        An annual effective rate, or the returns of cash in each period.
    bootstrap
        Its block length, where it is None, is the longest that any member calls for.
    periods_per_year
        Inferred from dates; arrays must say it.

    Raises
    ------
    InputError
        Fewer than 12 rows, a benchmark that never changes, dates that differ, and what returns are
        refused for.
    """
    excess = _read(returns, benchmark, cash, periods_per_year)
    pairs = [excess.matrix[:, [column, 0]] for column in range(1, len(excess.names))]
    reasons = [_why_no_ratio(excess, member) for member in range(len(pairs))]
    variances = [0.0 if why else bootstrap.error.variance(p) for p, why in zip(pairs, reasons, strict=True)]

    def draw(tested: list[int], block: int, rng: np.random.Generator) -> Draws:
        columns = [0, *(1 + member for member in tested)]
        return difference_draws(excess.matrix[:, columns], block, bootstrap.n_resamples, rng)

    scale = float(np.sqrt(excess.periods_per_year))
    facts = _Facts("Sharpe ratio", "per √year", scale, excess.ratios, np.array(variances), reasons)
    return _tested(excess, facts, lambda member: difference_influence(pairs[member]), draw, bootstrap)


def mean_family_test(
    returns: Returns,
    benchmark: Returns,
    bootstrap: StudentizedBootstrap = _DEFAULT,
    *,
    periods_per_year: float | None = None,
) -> FamilyTest:
    """Test which of many mean returns differ from that of a benchmark, with errors for the family.

    Parameters are those of :func:`sharpe_family_test`; cash cancels. Means are a year, arithmetic.
    """
    raw = _read(returns, benchmark, 0.0, periods_per_year)
    differences = raw.matrix[:, 1:] - raw.matrix[:, :1]
    same = is_rounding(differences.std(axis=0), raw.matrix[:, 1:])
    centred = differences - differences.mean(axis=0)
    reasons = [_why_no_mean(*facts) for facts in zip(same, differences.mean(axis=0), strict=True)]
    long_run = bootstrap.error.long_run
    variances = [
        0.0 if why else long_run.variance(column[:, np.newaxis], np.ones(1)) / raw.n
        for column, why in zip(centred.T, reasons, strict=True)
    ]

    def draw(tested: list[int], block: int, rng: np.random.Generator) -> Draws:
        return mean_draws(differences[:, tested], block, bootstrap.n_resamples, rng)

    means = raw.matrix.mean(axis=0)
    facts = _Facts("mean return", "a year", raw.periods_per_year, means, np.array(variances), reasons)
    return _tested(raw, facts, lambda member: centred[:, member], draw, bootstrap)


def holm(p_values: pd.Series[float] | FloatArray) -> Any:
    """Return p-values that hold for the whole family, whatever the dependence; labelled as they came.

    The j-th smallest of m times m - j + 1, never below a smaller one, at most 1; NaN is no test and stays
    NaN. Holm (1979).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0.0) & (p <= 1.0) | np.isnan(p)):
        raise InputError("p_values", "expected one dimension of numbers between 0 and 1")
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return pd.Series(adjusted, index=p_values.index) if isinstance(p_values, pd.Series) else adjusted


def romano_wolf(statistics: FloatArray, draws: FloatArray) -> FloatArray:
    """Return step-down p-values for the family, from joint draws under the null.

    The j-th largest statistic is compared with the largest draw among itself and all smaller ones. Absolute
    values of both give a two-sided test, signed ones a test for being better.

    Parameters
    ----------
    statistics
        Shape (n_members,), large where the null is doubtful.
    draws
        The same in each resample, centred on the null, shape (n_resamples, n_members).

    Returns
    -------
    numpy.ndarray
        Shape (n_members,). Romano and Wolf (2005; 2016, algorithm 4.1).
    """
    if draws.ndim != 2 or draws.shape[1:] != np.shape(statistics):
        raise InputError("draws", f"shape {draws.shape} for {np.size(statistics)} statistics")
    order = np.argsort(-statistics, kind="stable")
    # From the smallest statistic up, the largest draw among those met so far.
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    p = (1.0 + np.sum(largest >= statistics[order], axis=0)) / (len(draws) + 1.0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted


def reality_check(statistics: FloatArray, draws: FloatArray) -> float:
    """Return the p-value of the best of a family being no better than the benchmark. White (2000).

    Parameters
    ----------
    statistics
        Shape (n_members,), higher is better: differences from the benchmark as in White (2000), or, so that
        a noisy member does not hide the others, differences over their errors as in Hansen (2005).
    draws
        Their changes in each resample, in the same unit, shape (n_resamples, n_members).
    """
    if draws.ndim != 2 or draws.shape[1:] != np.shape(statistics):
        raise InputError("draws", f"shape {draws.shape} for {np.size(statistics)} statistics")
    if not np.size(statistics):
        return float("nan")
    beyond = np.sum(draws.max(axis=1) >= np.max(statistics))
    return float((1 + beyond) / (len(draws) + 1))


@dataclass(frozen=True)
class _Facts:
    """What is known before resampling: values of benchmark and members, variances of differences."""

    statistic: str
    unit: str
    scale: float
    values: FloatArray
    variances: FloatArray
    reasons: list[str]


def _read(returns: Returns, benchmark: Returns, cash: Cash, periods_per_year: float | None) -> ExcessReturns:
    tables = [read_one_series(benchmark, "benchmark"), read_returns(returns)]
    excess = read_excess(tables, cash, periods_per_year)
    if excess.n < FEWEST_ROWS:
        problem = f"n={excess.n}, at least {FEWEST_ROWS} are needed"
        raise InsufficientHistoryError("benchmark", problem, rows_needed=FEWEST_ROWS)
    if excess.is_constant[0]:
        raise InputError("benchmark", "never changes over cash", fix="pass a portfolio that is not cash")
    excess.warn_if_few()
    return excess


def _why_no_ratio(excess: ExcessReturns, member: int) -> str:
    if excess.is_constant[1 + member]:
        return _CONSTANT
    return _AS_ONE if moves_as_one(excess.matrix[:, [1 + member, 0]]) else ""


def _why_no_mean(same: bool, mean: float) -> str:
    if not same:
        return ""
    return _AS_ONE if abs(mean) < _ROUNDING else "differs from the benchmark by a constant"


def _tested(
    excess: ExcessReturns,
    facts: _Facts,
    influence: Callable[[int], FloatArray],
    draw: Callable[[list[int], int, np.random.Generator], Draws],
    bootstrap: StudentizedBootstrap,
) -> FamilyTest:
    reasons = [
        why or ("" if v > 0.0 else _NO_VARIANCE)
        for why, v in zip(facts.reasons, facts.variances, strict=True)
    ]
    tested = [member for member, why in enumerate(reasons) if not why]
    block, draws = 0, Draws(*np.empty((2, bootstrap.n_resamples, 0)))
    if tested:
        block = bootstrap.block([influence(member) for member in tested])
        draws = draw(tested, block, np.random.default_rng(bootstrap.seed))
    table, scores = _table(excess.names[1:], facts, reasons, draws)
    t = (table["difference"] / table["standard_error"]).to_numpy()[tested]
    return FamilyTest(
        statistic=facts.statistic,
        unit=facts.unit,
        benchmark=excess.names[0],
        benchmark_value=float(facts.values[0] * facts.scale),
        table=table,
        reality_check_p=reality_check(t, scores),
        n=excess.n,
        block_length=block,
        n_resamples=bootstrap.n_resamples,
        seed=bootstrap.seed,
        draws=scores,
        method=bootstrap.describe(),
    )


def _table(
    names: tuple[str, ...], facts: _Facts, reasons: list[str], draws: Draws
) -> tuple[pd.DataFrame, FloatArray]:
    """Return the table, and the studentised draws of the tested."""
    tested = np.array([not why for why in reasons], dtype=bool)
    as_one = np.array([why == _AS_ONE for why in reasons], dtype=bool)
    differences = np.where(as_one, 0.0, facts.values[1:] - facts.values[0])
    errors = np.where(tested, np.sqrt(np.maximum(facts.variances, 0.0)), np.where(as_one, 0.0, np.nan))
    scores = draws.studentised()
    scores.flags.writeable = False
    t = np.abs(differences[tested] / errors[tested])
    alone = (1.0 + np.sum(np.abs(scores) >= t, axis=0)) / (len(scores) + 1.0)
    ps = {"p_value": alone, "p_holm": holm(alone), "p_romano_wolf": romano_wolf(t, np.abs(scores))}
    columns = {
        "value": facts.values[1:] * facts.scale,
        "difference": differences * facts.scale,
        "standard_error": errors * facts.scale,
        **{name: _spread(p, tested, np.where(as_one, 1.0, np.nan)) for name, p in ps.items()},
        "reason": reasons,
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="member")), scores


def _spread(p: FloatArray, tested: NDArray[np.bool_], others: FloatArray) -> FloatArray:
    """Return p-values of the tested among those of the others, shape (n_members,)."""
    out = others.copy()
    out[tested] = p
    return out
