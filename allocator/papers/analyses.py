"""The tables that a study can ask for: one small class a kind, whose fields are the keys in the file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import pandas as pd

from allocator.errors import InputError
from allocator.papers.work import PaperTable, Run, Work
from allocator.regimes import ConditionalTable, Regimes, conditional_correlation, conditional_performance
from allocator.report import Additions, additions, attribute_leverage, compare_sharpe, weight_curve
from allocator.scoreboard.article import score_article
from allocator.scoreboard.show import number
from allocator.statistics import StudentizedBootstrap

__all__ = ["ANALYSES", "Analysis", "performance_table"]

_MOST_RESAMPLES = 100_000
_MOST_WEIGHTS = 100
_Part = tuple[pd.DataFrame, Sequence[str]]
_LABELS = ("run", "definition", "span", "strategy", "regime")


class Analysis(ABC):
    """A kind of table.

    Attributes
    ----------
    name
        Of its files.
    needs_market
        Whether it can be made of prices only.
    has_figure
        Whether a picture of it can be asked for.
    """

    name: str
    needs_market: ClassVar[bool] = True
    has_figure: ClassVar[bool] = False

    @abstractmethod
    def tables(self, work: Work) -> list[PaperTable]:
        """Return its tables."""


def performance_table(work: Work) -> PaperTable:
    """Return what each strategy did under each run: the table that every study of a market has."""
    frame, notes = work.each_run(
        lambda run: (work.comparisons[run.name].table, work.comparisons[run.name].conventions)
    )
    shown = ("run", "strategy", "cagr", "volatility", "sharpe", "sharpe_se", "max_drawdown", "turnover")
    paid = ("trading_cost", "interest_paid", "n")
    return PaperTable("performance", "Performance", frame, (*shown, *paid), notes)


def _is_period(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, str) for each in value)


@final
@dataclass(frozen=True)
class SharpeDifferences(Analysis):
    """Sharpe ratios less that of a baseline, over the whole window and by period or regime."""

    name: str
    periods: tuple[tuple[str, str], ...] = ()
    baseline: str | None = None
    by_regime: bool = False
    confidence: float = 0.95
    n_resamples: int = 4999
    block_length: int | None = None
    has_figure: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_resamples(self.n_resamples)
        if not isinstance(self.periods, tuple) or not all(map(_is_period, self.periods)):
            fix = 'write periods = [["1946", "1982"], ["1983", ""]]; "" is open'
            raise InputError("periods", "is no list of pairs", fix=fix)

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table, or one a definition of regimes."""
        title = "Differences of Sharpe ratios"
        if not self.by_regime:
            return [self._table(work, None, self.name, title)]
        return [
            self._table(work, each, f"{self.name}-{j}", f"{title} by {each.name.lower()}")
            for j, each in enumerate(work.regimes, 1)
        ]

    def _table(self, work: Work, regimes: Regimes | None, name: str, title: str) -> PaperTable:
        def made(run: Run) -> _Part:
            found = compare_sharpe(
                work.comparisons[run.name],
                [(first or None, last or None) for first, last in self.periods],
                regimes,
                baseline=self.baseline,
                bootstrap=StudentizedBootstrap(self.block_length, self.n_resamples, work.seed),
                confidence=self.confidence,
            )
            family = f"family: {found.n_tests} tests, those of one run"
            return found.table, (f"baseline: {found.baseline}", family, *found.conventions)

        frame, notes = work.each_run(made)
        shown = ("sharpe_baseline", "sharpe", "difference", "low", "high", "p_value", "p_family", "n")
        return PaperTable(name, title, frame, (*_LABELS, *shown), notes)


@final
@dataclass(frozen=True)
class RegimePerformance(Analysis):
    """Sharpe ratio and drawdown of the strategies in each regime."""

    name: str
    n_resamples: int = 2000

    def __post_init__(self) -> None:
        _check_resamples(self.n_resamples)

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table for all definitions of regimes."""

        def made(run: Run) -> _Part:
            comparison = work.comparisons[run.name]
            alive = [each for each in comparison.backtests if each.ruined_on is None]
            if not alive:
                raise InputError("strategies", "all were ruined, and there is nothing to compare")
            returns = pd.concat([each.returns for each in alive], axis=1)
            periods = comparison.market.frequency.periods_per_year
            return _by_definition(
                [
                    conditional_performance(
                        returns,
                        alive[0].cash_returns,
                        each,
                        periods,
                        n_resamples=self.n_resamples,
                        seed=work.seed,
                    )
                    for each in work.regimes
                ]
            )

        frame, notes = work.each_run(made)
        shown = ("mean", "volatility", "sharpe", "low", "high", "max_drawdown", "n")
        return [PaperTable(self.name, "Performance by regime", frame, (*_LABELS, *shown), notes)]


@final
@dataclass(frozen=True)
class RegimeCorrelation(Analysis):
    """The correlation of two assets in each regime, over the whole market."""

    name: str
    x: str = "stocks"
    y: str = "bonds"
    n_resamples: int = 2000

    def __post_init__(self) -> None:
        _check_resamples(self.n_resamples)

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table for all definitions of regimes."""
        returns = work.market.returns
        for name in (self.x, self.y):
            if name not in returns:
                raise InputError(f"tests.{self.name}", "is not in the market", asset=name)
        pair = returns[[self.x, self.y]].dropna()  # only the rows before both are listed
        tables = [
            conditional_correlation(
                pair[self.x], pair[self.y], each, n_resamples=self.n_resamples, seed=work.seed
            )
            for each in work.regimes
        ]
        frame, notes = _by_definition(tables)
        shown = ("correlation", "low", "high", "share", "n")
        title = f"Correlation of {self.x} and {self.y} by regime"
        return [PaperTable(self.name, title, frame.reset_index(), (*_LABELS, *shown), tuple(notes))]


@final
@dataclass(frozen=True)
class WeightCurve(Analysis):
    """A portfolio with more and more of one asset."""

    name: str
    base: Mapping[str, float]
    asset: str
    weights: tuple[float, ...]
    funded_from: Mapping[str, float] | str
    n_resamples: int = 4999
    has_figure: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_resamples(self.n_resamples)
        if not isinstance(self.weights, tuple) or len(self.weights) > _MOST_WEIGHTS:
            raise InputError("weights", f"is no list of at most {_MOST_WEIGHTS} numbers")

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table, a row a weight."""

        def made(run: Run) -> _Part:
            found = weight_curve(
                work.market,
                self.base,
                self.asset,
                self.weights,
                funded_from=self.funded_from,
                rebalancing=run.rebalancing,
                costs=run.costs,
                lag=run.lag,
                start=work.start,
                end=work.end,
                bootstrap=StudentizedBootstrap(None, self.n_resamples, work.seed),
            )
            return _added(found)

        frame, notes = work.each_run(made)
        return [PaperTable(self.name, f"More and more {self.asset}", frame, ("weight", *_ADDED), notes)]


@final
@dataclass(frozen=True)
class AssetAdditions(Analysis):
    """A portfolio with one of several assets added."""

    name: str
    base: Mapping[str, float]
    assets: tuple[str, ...]
    weight: float
    funded_from: Mapping[str, float] | str
    n_resamples: int = 4999

    def __post_init__(self) -> None:
        _check_resamples(self.n_resamples)

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table, a row an asset."""

        def made(run: Run) -> _Part:
            found = additions(
                work.market,
                self.base,
                self.assets,
                self.weight,
                funded_from=self.funded_from,
                rebalancing=run.rebalancing,
                costs=run.costs,
                lag=run.lag,
                start=work.start,
                end=work.end,
                bootstrap=StudentizedBootstrap(None, self.n_resamples, work.seed),
            )
            return _added(found)

        frame, notes = work.each_run(made)
        return [PaperTable(self.name, "What each asset adds", frame, ("asset", "begin", *_ADDED), notes)]


@final
@dataclass(frozen=True)
class Leverage(Analysis):
    """What leverage did to the mean return of some strategies (Anderson, Bianchi and Goldberg, 2014)."""

    name: str
    strategies: tuple[str, ...]

    def tables(self, work: Work) -> list[PaperTable]:
        """Return one table, a row a part of the return of a strategy."""
        frame, notes = work.each_run(lambda run: self._parts(work, run))
        title = "Parts of the mean return, borrowing and trading as they were paid"
        shown = ("run", "strategy", "part", "annual", "annual_error", "mean_leverage", "n")
        return [PaperTable(self.name, title, frame, shown, notes)]

    def _parts(self, work: Work, run: Run) -> _Part:
        by_name = {each.name: each for each in work.comparisons[run.name].backtests}
        frames, notes = [], []
        for name in self.strategies:
            if name not in by_name:
                fix = f"the study has {', '.join(by_name)}"
                raise InputError(f"tests.{self.name}.strategies", f"{name!r} is none", fix=fix)
            found = attribute_leverage(by_name[name], seed=work.seed)
            parts = found.table.rename(columns={"standard_error": "annual_error"}).rename_axis("part")
            parts = parts.assign(strategy=name, mean_leverage=found.mean_leverage, n=found.n)
            frames.append(parts.reset_index().set_index(["strategy", "part"]))
            notes += [line for line in found.conventions if line not in notes]
        return pd.concat(frames), notes


@final
@dataclass(frozen=True)
class Article(Analysis):
    """The scoreboard: the sixteen claims, tried with the first two strategies, 60/40 and risk parity."""

    name: str
    needs_market: ClassVar[bool] = False

    def tables(self, work: Work) -> list[PaperTable]:
        """Return the verdicts, and the parts that they rest on."""
        board = score_article(work.strategies[:2], work.folder)
        claims, parts = [], []
        for record in board.records:
            rows = [{"claim": record["claim"], **part, **_said(part)} for part in record["parts"]]
            parts += rows
            claims.append({**rows[0], "title": record["title"], "verdict": record["verdict"]})
        shown = ("estimate", "interval", "p", "n", "verdict")
        notes = (
            *board.data,
            "estimate and interval are of the first part of a claim; docs/verdicts.md has the rules",
        )
        return [
            PaperTable(
                self.name, "The article's claims", _records(claims), ("claim", "title", *shown), notes
            ),
            PaperTable(
                f"{self.name}-parts",
                "The parts of the claims",
                _records(parts),
                ("claim", "part", *shown),
                board.data,
            ),
        ]


_ADDED = ("run", "cagr", "volatility", "sharpe", "difference", "low", "high", "p_value", "p_family", "n")
ANALYSES: Mapping[str, type[Any]] = {
    "additions": AssetAdditions,
    "article": Article,
    "leverage": Leverage,
    "regime_correlation": RegimeCorrelation,
    "regime_performance": RegimePerformance,
    "sharpe_differences": SharpeDifferences,
    "weight_curve": WeightCurve,
}


def _check_resamples(n: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or not 99 <= n <= _MOST_RESAMPLES:
        raise InputError("n_resamples", f"is {n!r}", fix=f"write 99 to {_MOST_RESAMPLES}")


def _added(found: Additions) -> _Part:
    return found.table, (found.title, *found.conventions)


def _said(part: Mapping[str, Any]) -> dict[str, str]:
    """Return the number with its unit, and its interval, as the scoreboard writes them."""
    unit = part["unit"]
    value, low, high = (
        number(float("nan") if part[key] is None else part[key], unit) for key in ("value", "low", "high")
    )
    ends = [end.removesuffix(unit).rstrip() for end in (low, high)]
    return {"estimate": value, "interval": "–" if "–" in ends else " to ".join(ends)}


def _records(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows).drop(columns="notes", errors="ignore")


def _by_definition(tables: Sequence[ConditionalTable]) -> _Part:
    """Return the tables of several definitions as one, and what they say."""
    frames, notes = [], []
    for found in tables:
        frame = found.table.reset_index()
        p_equal = found.p_equal
        p = frame["strategy"].map(p_equal) if isinstance(p_equal, dict) else p_equal
        definition = found.regimes.name + (" (ex post)" if found.regimes.ex_post else "")
        frame = frame.assign(p_equal=p)
        frame.insert(0, "definition", definition)
        frames.append(frame)
        notes += [f"{definition}: {found.regimes.rule}"]
        notes += [line for line in found.conventions if line not in notes]
    keys = [key for key in ("definition", "strategy", "regime") if key in frames[0]]
    return pd.concat(frames, ignore_index=True).set_index(keys), notes
