"""What is asked of two series that are said to be tied: by period, over time, and where it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show_relation as show
from allocator.macro.anchor._series import Changes, Level, at_month_ends, shared
from allocator.macro.anchor.relation import RelationByPeriod, relation_by_period
from allocator.market.market import Date, parse_date
from allocator.regimes import ConditionalTable, Regimes, conditional_correlation
from allocator.statistics import (
    BreakTest,
    ConstantCorrelationTest,
    CorrelationPath,
    WildSieveBootstrap,
    break_test,
    constant_correlation_test,
    rolling_correlation,
)
from allocator.statistics.regression_errors import RegressionErrors

__all__ = ["Comovement"]

_YIELD_UNIT = 0.01  # slopes are for a percentage point of a yield
_ROLLING_YEARS = {"daily": 3.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 10.0, "yearly": 20.0}


@dataclass(frozen=True)
class Settings:
    """What is asked of every pair."""

    errors: RegressionErrors
    confidence: float
    n_resamples: int
    seed: int
    rolling_years: float | None
    regimes: Regimes | pd.Series[str] | None


@final
@dataclass(frozen=True, eq=False, repr=False)
class Comovement:
    """How two series move together; prints itself.

    Attributes
    ----------
    relation
        By period, at the frequency of the market.
    monthly
        The same of month ends; None where the market is monthly or slower, or too short.
    rolling
        Correlation over time; None where the window is longer than the data.
    constancy
        Test of one correlation throughout.
    break_test
        Of one regression throughout against a break at an unknown date, of month ends where there are any;
        None where there are too few.
    by_regime
        Correlations by the regimes given; None where none were.
    missing
        What is None, and why.
    """

    relation: RelationByPeriod
    monthly: RelationByPeriod | None
    rolling: CorrelationPath | None
    constancy: ConstantCorrelationTest
    break_test: BreakTest | None
    by_regime: ConditionalTable | None
    missing: tuple[str, ...]

    @property
    def names(self) -> tuple[str, str]:
        """Of what is explained and of what explains it."""
        return self.relation.names

    __repr__ = show.comovement_text
    _repr_html_ = show.comovement_html


def related(y: Level, x: Level, starts: Sequence[Date], settings: Settings) -> RelationByPeriod:
    """Return the relation of two series on the dates that both have; starts outside them are left out."""
    return _related(shared([y, x]), y, x, starts, settings)


def _related(
    found: Changes, y: Level, x: Level, starts: Sequence[Date], settings: Settings
) -> RelationByPeriod:
    changes = found.changes[y.name], found.changes[x.name]
    return relation_by_period(
        *changes,
        within(starts, changes[0].index),
        settings.errors,
        levels=(found.levels[y.name], found.levels[x.name]),
        per=_YIELD_UNIT if x.is_yield else 1.0,
        confidence=settings.confidence,
        n_resamples=settings.n_resamples,
        seed=settings.seed,
    )


def within(starts: Sequence[Date], index: pd.Index) -> list[Date]:
    """Return the starts that have rows on both sides."""
    if not len(index):
        return []
    return [start for start in starts if index[0] < parse_date(start, "since") <= index[-1]]


def comovement(y: Level, x: Level, starts: Sequence[Date], settings: Settings) -> Comovement:
    """Return all that is asked of two series."""
    found = shared([y, x])
    changes = found.changes[y.name], found.changes[x.name]
    relation = _related(found, y, x, starts, settings)
    missing: list[str] = []
    is_fine = relation.frequency in ("daily", "weekly")
    months = shared(at_month_ends([y, x]) if is_fine else [y, x])
    return Comovement(
        relation,
        _monthly(months, y, x, starts, settings, missing) if is_fine else None,
        _rolling(changes, relation.frequency, settings, missing),
        constant_correlation_test(*changes),
        _break(months, y, x, settings.seed, missing),
        _by_regime(changes, settings, missing),
        tuple(missing),
    )


def _monthly(
    months: Changes, y: Level, x: Level, starts: Sequence[Date], settings: Settings, missing: list[str]
) -> RelationByPeriod | None:
    if len(months.changes[y.name]) < 2:
        return None
    try:
        return _related(months, y, x, starts, settings)
    except InputError as error:  # the daily relation stands without it
        missing.append(f"month ends: {error}")
        return None


def _rolling(
    changes: tuple[pd.Series[float], pd.Series[float]],
    frequency: str,
    settings: Settings,
    missing: list[str],
) -> CorrelationPath | None:
    try:
        years = _ROLLING_YEARS[frequency] if settings.rolling_years is None else settings.rolling_years
        return rolling_correlation(*changes, years, confidence=settings.confidence)
    except InputError as error:
        missing.append(f"rolling correlation: {error}")
        return None


def _break(months: Changes, y: Level, x: Level, seed: int, missing: list[str]) -> BreakTest | None:
    try:
        return break_test(months.changes[y.name], months.changes[x.name], WildSieveBootstrap(seed=seed))
    except InputError as error:
        missing.append(f"break at an unknown date: {error}")
        return None


def _by_regime(
    changes: tuple[pd.Series[float], pd.Series[float]], settings: Settings, missing: list[str]
) -> ConditionalTable | None:
    if settings.regimes is None:
        return None
    try:
        return conditional_correlation(
            *changes,
            settings.regimes,
            confidence=settings.confidence,
            n_resamples=settings.n_resamples,
            seed=settings.seed,
        )
    except InputError as error:
        missing.append(f"by regime: {error}")
        return None
