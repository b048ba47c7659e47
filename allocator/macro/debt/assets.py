"""What assets returned by the way the debt was handled, beside what the article expects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency, infer_frequency
from allocator.macro.debt import show
from allocator.macro.debt.difference import DIFFERENCE_CONVENTION, difference_of_means
from allocator.regimes import Regimes, conditional_statistic
from allocator.regimes._settings import refuse_bootstrap, refuse_no_flag, refuse_no_scale, refuse_no_text
from allocator.regimes.record import UNCLASSIFIED
from allocator.statistics import holm
from allocator.statistics._returns import read_dates, read_returns
from allocator.statistics._settings import is_whole

__all__ = ["ARTICLE_EXPECTATIONS", "AssetsByDebtRegime", "Expectation", "assets_by_debt_regime"]


@final
@dataclass(frozen=True)
class Expectation:
    """What somebody expects of a series in a regime.

    Attributes
    ----------
    claim
        A short name, such as D1.
    regime, asset
        As in the labels and in the tables of returns and changes.
    sign
        +1 or -1 for the number; 0 for about nothing.
    less
        Another asset whose return is taken off first, or None.
    than_others
        Whether the number is the mean of the regime less that of the other labelled periods, or the mean.
    """

    claim: str
    regime: str
    asset: str
    sign: int
    less: str | None = None
    than_others: bool = False

    def __post_init__(self) -> None:
        for name in ("claim", "regime", "asset"):
            refuse_no_text(name, getattr(self, name))
        if self.less is not None:
            refuse_no_text("less", self.less, "pass None for nothing")
        refuse_no_flag("than_others", self.than_others)
        if not is_whole(self.sign) or self.sign not in (-1, 0, 1):
            raise InputError("sign", f"{self.sign!r} is none of -1, 0, 1")

    @property
    def series(self) -> str:
        """The name of the series that is tested."""
        return self.asset if self.less is None else f"{self.asset} less {self.less}"


# Huatai Securities (May 2025). "Strong" and "weak" are read against other times: over cash stocks are strong
# at almost any time. docs/verdicts.md fixed this before the first run.
ARTICLE_EXPECTATIONS = (
    Expectation("D1", "growth", "stocks", 1, than_others=True),
    Expectation("D1", "growth", "bonds", -1, than_others=True),
    Expectation("D2", "inflation", "stocks", 1, less="bonds"),
    Expectation("D2", "inflation", "gold", 1, less="bonds"),
    Expectation("D2", "inflation", "real dollar", -1),
    Expectation("D3", "monetization", "stocks", 1, than_others=True),
    Expectation("D3", "monetization", "bonds", 1, than_others=True),
    Expectation("D3", "monetization", "dollar", -1),
    Expectation("D3", "monetization", "later inflation", 1, than_others=True),
    Expectation("D4", "tightening", "stocks", -1, than_others=True),
    Expectation("D4", "tightening", "bonds", 1, than_others=True),
    Expectation("D4", "tightening", "dollar", 0),
)
_VERDICTS = ("supported", "contradicted", "undecided")
_FEWEST_YEARS, _FEWEST = 5, 20  # in the regime and outside, for their difference


@final
@dataclass(frozen=True, eq=False, repr=False)
class AssetsByDebtRegime:
    """Mean returns by regime, and what they say about expectations.

    Attributes
    ----------
    table
        A row a series and regime: ``n``, ``effective_n``, ``spells``, ``mean`` with ``low`` and ``high`` (a
        year), ``p`` (that it is 0), ``reason`` (why a number is missing or weak); ``difference`` from the
        mean of all other labelled periods with ``difference_low``, ``difference_high``, ``p_difference``.
    verdicts
        A row an expectation: ``claim``, ``regime``, ``series``, ``expected`` sign, ``number`` (what is
        tested: ``mean`` or ``difference``), ``n``, ``value``, ``low``, ``high``, ``p``, ``p_holm`` (for the
        expectations of one claim), ``verdict``, ``reason``.
    regimes
        The labels.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    regimes: Regimes
    conventions: tuple[str, ...]

    __repr__ = show.assets_text
    _repr_html_ = show.assets_html


def assets_by_debt_regime(
    returns: pd.DataFrame,
    regimes: Regimes,
    over: pd.Series[float],
    *,
    changes: pd.DataFrame | None = None,
    expectations: Iterable[Expectation] = ARTICLE_EXPECTATIONS,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> AssetsByDebtRegime:
    """Estimate the mean return of each asset in each regime, and read expectations against it.

    The verdict: *supported* if the number has the expected sign and its interval excludes 0, *contradicted*
    if it has the opposite sign and its interval excludes 0, else *undecided*. That a number is about nothing
    (sign 0) can be contradicted, never supported.

    Means have the block-bootstrap interval of :func:`conditional_statistic`. A difference has Welch's (1947),
    its error raised and its degrees of freedom lowered by the persistence of the series that this pattern of
    labels meets: that of a first-order autoregression, corrected for what residuals of few years hide, or of
    the kernel's long-run variance where that is larger. It needs 5 years (20 periods of a finer table) in the
    regime and as many outside. It rejects too often where dependence is of second order or very long.

    Parameters
    ----------
    returns
        Simple returns, a column an asset, named as the expectations name them; a column may begin late.
    regimes
        Labels for these dates: ``debt_regimes(...).hindsight(dates)``, or any other.
    over
        What is taken off each return: the cash return for excess returns, inflation for real ones. Where
        one asset is taken off another it cancels.
    changes
        Other series on these dates that are no assets, such as the change of a dollar index: nothing is taken
        off them. A column may begin late and end early.
    expectations
        By default the article's.
    confidence, n_resamples, seed
        Of the intervals, as in :func:`conditional_statistic`.

    Raises
    ------
    InputError
        As :func:`conditional_statistic`; where ``over`` has no value for a date; dates that come twice or are
        not in order; two columns of one name; expectations that are none.
    """
    _refuse_tables(returns, over, changes)
    expectations, resampling = _expected(expectations), _Resampling(confidence, n_resamples, seed)
    columns = _series(returns, over, changes, expectations)
    frequency = infer_frequency(pd.DatetimeIndex(returns.index), "returns")
    tables = {name: _by_regime(column, regimes, frequency, resampling) for name, column in columns.items()}
    table = pd.concat(tables, names=["series"])
    lines = _conventions(returns, over, frequency, resampling)
    return AssetsByDebtRegime(table, _verdicts(table, expectations), regimes, lines)


@dataclass(frozen=True)
class _Resampling:
    confidence: float
    n_resamples: int
    seed: int

    def __post_init__(self) -> None:
        refuse_bootstrap(self.confidence, self.n_resamples, self.seed)


def _series(
    returns: pd.DataFrame,
    over: pd.Series[float],
    changes: pd.DataFrame | None,
    expectations: Sequence[Expectation],
) -> dict[str, pd.Series[float]]:
    """Return each series that is estimated, from its first figure to its last."""
    assets = {str(name): _read(returns[name], "returns") for name in returns.columns}
    taken = over.reindex(returns.index)
    found = {name: column - taken.loc[column.index] for name, column in assets.items()}
    for e in expectations:
        if e.less is not None and e.asset in assets and e.less in assets:
            found[e.series] = (assets[e.asset] - assets[e.less]).dropna()
    others = pd.DataFrame(index=returns.index) if changes is None else changes
    for name in others.columns:
        if str(name) in found:
            raise InputError("changes", "is a column of returns, too", asset=name, fix="pass it once")
    read_dates(others.index, "changes")
    found |= {str(name): _read(others[name].reindex(returns.index), "changes") for name in others.columns}
    return {name: column.rename(name) for name, column in found.items()}


def _read(column: pd.Series[float], argument: str) -> pd.Series[float]:
    """Return a series from its first figure to its last, which are finite numbers all between."""
    first, last = column.first_valid_index(), column.last_valid_index()
    if first is None:
        nothing = "no return at all" if argument == "returns" else "no figure on any date of the returns"
        raise InputError(argument, nothing, asset=column.name, fix="leave it out")
    known = column.loc[first:last]
    table = refuse_no_scale(read_returns(known.to_frame(), argument))
    return pd.Series(table.matrix[:, 0], known.index, name=column.name)


def _refuse_tables(returns: object, over: object, changes: object) -> None:
    """Refuse what is no table of dates, and two columns of one name."""
    if not isinstance(returns, pd.DataFrame):
        raise InputError("returns", f"expected a DataFrame, got {type(returns).__name__}")
    if not isinstance(over, pd.Series):
        problem = f"expected a Series, got {type(over).__name__}"
        raise InputError("over", problem, fix="pass market.cash_returns, say")
    if changes is not None and not isinstance(changes, pd.DataFrame):
        problem = f"expected a DataFrame, got {type(changes).__name__}"
        raise InputError("changes", problem, fix="a Series has .to_frame()")
    for argument, table in (("returns", returns), ("changes", changes)):
        if table is not None and table.columns.has_duplicates:
            twice = table.columns[table.columns.duplicated()][0]
            raise InputError(argument, "two columns have this name", asset=twice, fix="keep one of them")
    if not returns.size:
        problem = "no rows" if len(returns.columns) else "no columns"
        raise InputError(
            "returns", problem, fix="pass returns on the dates of the regimes, a column an asset"
        )
    read_dates(returns.index, "returns")
    _refuse_other_over(returns.index, over)


def _refuse_other_over(dates: pd.Index, over: pd.Series[float]) -> None:
    read_dates(over.index, "over")
    taken = over.reindex(dates)
    missing = dates[taken.isna()]
    if len(missing):
        raise InputError("over", f"no value for {len(missing)} of {len(dates)} dates", date=missing[0])
    refuse_no_scale(read_returns(taken, "over"))


def _expected(expectations: object) -> tuple[Expectation, ...]:
    """Return the expectations, read once: a generator is empty the second time."""
    if isinstance(expectations, Expectation):
        raise InputError("expectations", "one Expectation, expected several", fix="pass a tuple, (it,)")
    several = isinstance(expectations, Iterable) and not isinstance(expectations, str)
    each: tuple[Any, ...] = tuple(expectations) if several else (expectations,)  # type: ignore[arg-type]
    for e in each:
        if not isinstance(e, Expectation):
            raise InputError(
                "expectations", f"expected Expectations, got {e!r}", fix="pass al.ARTICLE_EXPECTATIONS"
            )
    return each


def _by_regime(
    column: pd.Series[float], regimes: Regimes, frequency: Frequency, resampling: _Resampling
) -> pd.DataFrame:
    """Return a row a regime for one series, a year."""
    estimated = conditional_statistic(
        column,
        regimes,
        np.mean,
        null=0.0,
        confidence=resampling.confidence,
        n_resamples=resampling.n_resamples,
        seed=resampling.seed,
    )
    rows, yearly = estimated.table.droplevel("strategy"), frequency.periods_per_year
    kept = rows[["n", "effective_n", "spells"]].join(rows[["mean", "low", "high"]] * yearly)
    labels = estimated.regimes.labels.to_numpy()
    known = labels != UNCLASSIFIED
    fewest = _FEWEST_YEARS if yearly == 1 else _FEWEST
    differences = [
        difference_of_means(column.to_numpy()[known], labels[known] == label, resampling.confidence, fewest)
        for label in kept.index
    ]
    columns = ["difference", "difference_low", "difference_high", "p_difference"]
    against = pd.DataFrame(differences, index=kept.index, columns=columns)
    against[columns[:3]] *= yearly
    return kept.join(rows[["p", "reason"]]).join(against)


def _verdicts(table: pd.DataFrame, expectations: Sequence[Expectation]) -> pd.DataFrame:
    """Return a row an expectation: what was found, and how it reads."""
    verdicts = pd.DataFrame([_tested(table, e) for e in expectations], columns=_VERDICT_COLUMNS)
    for _, rows in verdicts.groupby("claim"):
        verdicts.loc[rows.index, "p_holm"] = holm(rows["p"])
    return verdicts


_VERDICT_COLUMNS = [
    *("claim", "regime", "series", "expected", "number", "n", "value", "low", "high", "p", "p_holm"),
    *("verdict", "reason"),
]


def _tested(table: pd.DataFrame, e: Expectation) -> dict[str, Any]:
    """Return the number that an expectation is about, and how it reads."""
    number = "difference" if e.than_others else "mean"
    facts = {"claim": e.claim, "regime": e.regime, "series": e.series, "expected": e.sign, "number": number}
    key = (e.series, e.regime)
    if key not in table.index:
        given = e.series in table.index.get_level_values("series")
        reason = f"no period of {e.regime}" if given else f"no series {e.series!r} was given"
        return {**facts, "n": 0, "verdict": _verdict(e.sign, np.nan, np.nan), "reason": reason}
    row: dict[str, Any] = table.loc[[key]].to_dict("records")[0]  # type: ignore[assignment]
    names = ["mean", "low", "high", "p"]
    if e.than_others:
        names = ["difference", "difference_low", "difference_high", "p_difference"]
    value, low, high, p = (float(row[name]) for name in names)
    found = {"n": int(row["n"]), "value": value, "low": low, "high": high, "p": p}
    reason = "" if e.than_others and np.isfinite(low) else row["reason"]
    return {**facts, **found, "verdict": _verdict(e.sign, low, high), "reason": reason}


def _verdict(expected: int, low: float, high: float) -> str:
    """Return the reading of an interval; NaN says nothing."""
    supported, contradicted, undecided = _VERDICTS
    if not (low > 0.0 or high < 0.0):
        return undecided
    return supported if expected == (1 if low > 0.0 else -1) else contradicted


def _conventions(
    returns: pd.DataFrame, over: pd.Series[float], frequency: Frequency, resampling: _Resampling
) -> tuple[str, ...]:
    first, last = (iso_date(date) for date in (returns.index[0], returns.index[-1]))
    yearly = frequency.periods_per_year
    return (
        f"{first} to {last}, {frequency}, {len(returns)} periods; arithmetic mean of returns over "
        f"{over.name or 'what was taken off'}, × {yearly} for a year",
        f"low, high: {resampling.confidence:.0%} interval by circular block bootstrap within the regime, "
        f"{resampling.n_resamples:,} resamples, seed {resampling.seed}; p: that the mean is 0",
        f"difference: from the mean of all other labelled periods, {resampling.confidence:.0%} interval by "
        f"{DIFFERENCE_CONVENTION}",
        "p holm: for the expectations of one claim (Holm, 1979)",
        "supported: the expected sign and an interval without 0; contradicted: the opposite sign and an "
        "interval without 0; else undecided",
    )
