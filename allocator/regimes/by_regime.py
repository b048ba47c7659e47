"""Any statistic by regime: how much was seen, the number, how sure, and what is left of its p-value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import AllocatorError, InputError
from allocator.regimes._partition import (
    FEWEST,
    by_label,
    labelled_on,
    refuse_other_dates,
    spells_of,
    welch_p_value,
)
from allocator.regimes._settings import refuse_bootstrap, refuse_no_scale, refuse_no_text
from allocator.regimes.conditional import ConditionalTable
from allocator.regimes.record import UNCLASSIFIED, Regimes
from allocator.statistics import CircularBlockBootstrap, KernelVariance, holm, optimal_block_length
from allocator.statistics._block_bias import block_correction
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import read_returns
from allocator.statistics._settings import is_number

__all__ = ["conditional_statistic"]

FloatArray = NDArray[np.float64]
_LONG_RUN = KernelVariance()


def conditional_statistic(
    returns: pd.DataFrame | pd.Series[float],
    regimes: Regimes | pd.Series,
    statistic: Callable[..., float],
    *,
    beside: pd.Series[float] | None = None,
    name: str | None = None,
    null: float | None = None,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> ConditionalTable:
    """Estimate any statistic of each series in each regime.

    The periods of a regime are joined in their order; what depends on the path, as a drawdown does, runs
    across the joints. Dependence over time is measured on the influence of each period on the statistic (the
    change when it is left out): it chooses the block length, gives the effective number of periods, and
    raises the bootstrap error by what blocks cannot see of it.

    Parameters
    ----------
    returns
        Simple returns, a column a series.
    regimes
        Labels for these dates; more dates do no harm. A plain Series of labels is taken as given.
    statistic
        A function of the returns of one series, an array of shape (n,), that gives a number; of two such
        arrays where ``beside`` is given. ``np.mean``, ``al.max_drawdown``, or a lambda.
    beside
        Returns on the same dates that the statistic takes second: a benchmark, cash, another asset.
    name
        Of the statistic, for tables; by default that of the function.
    null
        A value to test for, such as 0 for a mean; by default none is: a drawdown or a volatility is never 0.
    confidence
        Coverage of the intervals.
    n_resamples, seed
        Of the circular block bootstrap within each regime; a block is at most a third of its periods.

    Returns
    -------
    ConditionalTable
        Index: strategy and regime. Columns ``n``, ``effective_n`` (independent periods that would say as
        much, at most n), ``share`` (of the periods), ``spells`` (unbroken runs), the statistic by its name,
        ``low``, ``high`` (the estimate ± Student's t, with a degree a block less one, times the bootstrap
        error), ``standard_error``, ``block_length``, ``reason`` (why a number is missing or weak);
        where ``null`` is given ``p`` (two-sided, by the same t) and ``p_holm`` (for the family of all rows,
        ``unclassified`` aside).
        ``p_equal`` holds the p-value of equal values in all regimes by series, Welch's.

    Raises
    ------
    InputError
        If a date has no label, there is only one regime, ``beside`` has other dates, or the statistic does
        not give a number.
    """
    frame = returns.to_frame() if isinstance(returns, pd.Series) else returns
    columns = refuse_no_scale(read_returns(frame)).matrix
    bootstrap = _Bootstrap(statistic, confidence, n_resamples, seed, null)
    if name is not None:
        refuse_no_text("name", name, "pass None for that of the function")
    other = None if beside is None else _beside(frame, beside)
    labelled, title = labelled_on(regimes, frame.index), _title(name, statistic)
    tables = {
        str(column): _rows(columns[:, place], other, labelled, bootstrap, title)
        for place, column in enumerate(frame.columns)
    }
    table = pd.concat(tables, names=["strategy"])
    tested = table.index.get_level_values("regime") != UNCLASSIFIED
    family = table["p"].where(tested)
    table["p_holm"] = holm(family)
    p_equal = {each: welch_p_value(rows[title].to_numpy(), rows) for each, rows in tables.items()}
    lines = _conventions(bootstrap, title, int(family.notna().sum()), beside)
    return ConditionalTable(table[_columns(title, null is not None)], title, labelled, p_equal, lines)


@dataclass(frozen=True)
class _Bootstrap:
    """A statistic and how sure of it we want to be."""

    statistic: Callable[..., float]
    confidence: float
    n_resamples: int
    seed: int
    null: float | None

    def __post_init__(self) -> None:
        if not callable(self.statistic):
            problem = f"expected a function of returns, got {type(self.statistic).__name__}"
            raise InputError("statistic", problem, fix="pass np.mean, or a lambda of an array")
        refuse_bootstrap(self.confidence, self.n_resamples, self.seed)
        if self.null is not None and not (is_number(self.null) and np.isfinite(self.null)):
            raise InputError("null", f"{self.null!r} is not a finite number", fix="pass None for no test")

    def value(self, columns: FloatArray) -> float:
        """Return the statistic of some periods, shape (n_periods, one or two)."""
        given = self._called(*(np.ascontiguousarray(column) for column in columns.T))
        try:
            return float(given)
        except (TypeError, ValueError):
            problem = f"gave {type(given).__name__} for {len(columns)} periods, expected a number"
            raise InputError("statistic", problem, fix="it takes arrays of shape (n_periods,)") from None

    def _called(self, *columns: FloatArray) -> Any:
        try:
            return self.statistic(*columns)
        except (AllocatorError, Warning):
            raise
        except Exception as error:
            problem = f"raised {type(error).__name__} for {len(columns[0])} periods: {error}"
            fix = f"it is called with {len(columns)} array(s); `beside` gives it a second"
            raise InputError("statistic", problem, fix=fix) from error

    def influence(self, columns: FloatArray, whole: float) -> FloatArray:
        """Return what each period does to the statistic, shape (n_periods,): the jackknife, centred."""
        n = len(columns)
        without = np.array([self.value(np.delete(columns, row, axis=0)) for row in range(n)])
        changes = (n - 1) * (whole - without)
        return np.asarray(changes - changes.mean())

    def error(self, columns: FloatArray, block: int) -> float:
        """Return the deviation over resamples, those that have no value left out."""
        rng = np.random.default_rng(self.seed)
        resamples = CircularBlockBootstrap(block).rows(len(columns), self.n_resamples, rng)
        values = np.array([self.value(columns[rows]) for chunk in resamples for rows in chunk])
        known = values[np.isfinite(values)]
        return float(known.std(ddof=1)) if 2 * len(known) > len(values) else float("nan")


def _rows(
    series: FloatArray, other: FloatArray | None, labelled: Regimes, bootstrap: _Bootstrap, title: str
) -> pd.DataFrame:
    """Return a row a regime of one series."""
    columns = series[:, np.newaxis] if other is None else np.column_stack([series, other])
    rows = {}
    for label, chosen in by_label(labelled):
        counts = {"n": int(chosen.sum()), "share": float(chosen.mean()), "spells": len(spells_of(chosen))}
        estimate = _estimated(columns[chosen], bootstrap)
        rows[label] = {**counts, **estimate, title: estimate["value"]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("regime")


def _estimated(columns: FloatArray, bootstrap: _Bootstrap) -> dict[str, float | int | str]:
    """Return the statistic of one regime, its interval and p-value, or why there are none."""
    n = len(columns)
    if n < FEWEST:
        return _nothing(f"n={n}, at least {FEWEST} are needed")
    whole = bootstrap.value(columns)
    if not np.isfinite(whole):
        return _nothing("the statistic is not a number here")
    influence = bootstrap.influence(columns, whole)
    if not np.isfinite(influence).all():
        return _nothing("the statistic is not a number without one period", whole)
    if is_rounding(influence.std(), np.append(columns, whole)):
        return _nothing("no period changes the statistic: no error to estimate", whole)
    block = int(np.clip(np.ceil(optimal_block_length(influence)[1]), 1, n // 3))
    error = bootstrap.error(columns, block) * block_correction(influence, block)
    if not error > 0.0:
        return _nothing("most resamples have no value", whole)
    effective = _effective(influence)
    reason = "" if effective >= FEWEST else f"effective n is under {FEWEST}: too few to say much"
    interval = _interval(whole, error, n / block, bootstrap)
    return {"value": whole, "effective_n": effective, "block_length": block, "reason": reason, **interval}


def _nothing(reason: str, value: float = float("nan")) -> dict[str, float | int | str]:
    nan = float("nan")
    missing = dict.fromkeys(("effective_n", "low", "high", "p", "standard_error"), nan)
    return {"value": value, "block_length": 0, "reason": reason, **missing}


def _effective(influence: FloatArray) -> float:
    """Return n times the variance of the influence over its long-run variance, at most n."""
    n = len(influence)
    long_run = _LONG_RUN.variance(influence[:, np.newaxis], np.ones(1))
    return float(min(n * influence.var(ddof=1) / long_run, n)) if long_run > 0.0 else float(n)


def _interval(value: float, error: float, blocks: float, bootstrap: _Bootstrap) -> dict[str, float]:
    from scipy.special import stdtr, stdtrit  # not at the top: importing allocator costs no more than pandas

    degrees = max(blocks - 1.0, 2.0)
    width = float(stdtrit(degrees, 0.5 + bootstrap.confidence / 2.0)) * error
    null = float("nan") if bootstrap.null is None else bootstrap.null
    p = 2.0 * float(stdtr(degrees, -abs(value - null) / error))
    return {"low": value - width, "high": value + width, "p": p, "standard_error": error}


def _beside(frame: pd.DataFrame, beside: pd.Series[float]) -> FloatArray:
    refuse_other_dates(frame.iloc[:, 0], beside, "returns", "beside")
    return np.asarray(refuse_no_scale(read_returns(beside, "beside")).matrix[:, 0])


def _title(name: str | None, statistic: Callable[..., float]) -> str:
    title = name if name is not None else getattr(statistic, "__name__", "statistic")
    return "statistic" if title == "<lambda>" or title in _TAKEN else title.replace("_", " ")


_BEFORE = ("n", "effective_n", "share", "spells")
_AFTER = ("low", "high", "standard_error", "block_length", "reason")
_TESTS = ("p", "p_holm")
_TAKEN = {*_BEFORE, *_AFTER, *_TESTS, "value"}


def _columns(title: str, tests: bool) -> list[str]:
    return [*_BEFORE, title, *_AFTER[:2], *(_TESTS if tests else ()), *_AFTER[2:]]


def _conventions(
    bootstrap: _Bootstrap, title: str, n_tested: int, beside: pd.Series[float] | None
) -> tuple[str, ...]:
    with_what = f", with {beside.name or 'a second series'}" if beside is not None else ""
    tests = f"p: that it is {bootstrap.null}; p holm: for all {n_tested} rows tested (Holm, 1979)"
    return (
        f"{title}{with_what}: of the periods of a regime joined in their order",
        f"low, high: {bootstrap.confidence:.0%} interval by circular block bootstrap within the regime, "
        f"{bootstrap.n_resamples:,} resamples, seed {bootstrap.seed}, error raised by the dependence that "
        "blocks cut",
        *((tests,) if bootstrap.null is not None else ()),
        f"a regime with fewer than {FEWEST} periods is counted, not estimated",
    )
