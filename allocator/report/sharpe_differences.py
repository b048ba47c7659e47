"""Whether one strategy earned a higher Sharpe ratio than another: over all, by period, and by regime."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest
from allocator.engine.show import conventions
from allocator.errors import InputError, iso_date
from allocator.market.market import Date, parse_date
from allocator.regimes import Regimes
from allocator.regimes._partition import by_label, labelled_on
from allocator.regimes.conditional import FEWEST
from allocator.regimes.labels import UNCLASSIFIED
from allocator.report import show_sharpe as show
from allocator.statistics import FamilyTest, StudentizedBootstrap, sharpe_family_test
from allocator.statistics._paired import refuse_confidence

if TYPE_CHECKING:
    from allocator.report.comparison import Comparison

__all__ = ["SharpeComparison", "compare_sharpe", "family_p_values", "sharpe_by_regime"]

Period = tuple[Date | None, Date | None]
Spans = list[tuple[str, NDArray[np.bool_]]]  # a name, and which of the returns belong to it
_DEFAULT = StudentizedBootstrap()
_NUMBERS = ["sharpe_baseline", "sharpe", "difference", "standard_error", "low", "high", "p_value", "p_span"]
_COLUMNS = ["begin", "end", "n", *_NUMBERS, "p_family", "block_length", "reason"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class SharpeComparison:
    """Differences of Sharpe ratios from one strategy, with p-values for the whole table; prints itself.

    Attributes
    ----------
    table
        A row a span (period, regime, or "whole") and strategy: ``begin`` and ``end`` (its first and last
        return), ``n``, ``sharpe_baseline``, ``sharpe``, ``difference`` (of the strategy less the baseline),
        ``standard_error``, ``low``, ``high``, all per √year; ``p_value`` (two-sided, as if it were alone),
        ``p_span`` (for the strategies of the span), ``p_family`` (for all tests of the table),
        ``block_length``, and ``reason`` (why a number is missing or rough).
    baseline
        The strategy that the others are compared with.
    regimes
        The labels, where there were some.
    n_tests
        Tests in the family; what could not be tested is in the table and not among them.
    method
        What intervals and p-values rest on.
    confidence
        Of each interval alone.
    title
        What was compared, on what data.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    baseline: str
    regimes: Regimes | None
    n_tests: int
    method: str
    confidence: float
    title: str
    conventions: tuple[str, ...]

    __repr__ = show.sharpe_text
    _repr_html_ = show.sharpe_html


def compare_sharpe(
    comparison: Comparison,
    periods: Iterable[Period] = (),
    regimes: Regimes | pd.Series[Any] | None = None,
    *,
    baseline: str | None = None,
    bootstrap: StudentizedBootstrap = _DEFAULT,
    confidence: float = 0.95,
) -> SharpeComparison:
    """Test whether the Sharpe ratios of strategies differ from that of one of them, by period and over all.

    Each strategy ran once, through all periods; its returns are cut afterwards. The p-values of a span are
    corrected for its strategies by Romano and Wolf (2005), who need them resampled together, and for the
    spans by Holm's (1979) bound, which holds however the spans overlap.

    Parameters
    ----------
    comparison
        Of two or more strategies, from :func:`allocator.compare`.
    periods
        First and last date of each, None where it is open: ``[("1975", "1999"), ("2022", None)]``.
    regimes
        Labels for the dates of the returns; those without one, ``unclassified``, are not tested.
    baseline
        Name of the strategy that the others are compared with; by default the first.
    bootstrap
        Its block length, where it is None, is chosen in each span.
    confidence
        Coverage of each interval alone, a fraction.

    Raises
    ------
    InputError
        Fewer than two strategies that were not ruined, a baseline that is none of them, a period without a
        return, two spans of one name, and what :func:`sharpe_family_test` refuses.
    """
    _refuse_settings(comparison, bootstrap, confidence)
    runs, ruined = _alive(comparison, baseline)
    dates = pd.DatetimeIndex(runs[0].returns.index)
    spans = _period_spans(periods, dates)
    labelled = None if regimes is None else labelled_on(regimes, dates)
    spans += _regime_spans(labelled)
    spans.append(("whole", np.ones(len(dates), dtype=bool)))
    return _differences(runs, _distinct(spans), labelled, ruined, bootstrap, confidence)


def sharpe_by_regime(
    comparison: Comparison, regimes: Regimes, bootstrap: StudentizedBootstrap
) -> SharpeComparison:
    """Return the differences from the first strategy in each regime alone, without the whole."""
    runs, ruined = _alive(comparison, None)
    labelled = labelled_on(regimes, runs[0].returns.index)
    return _differences(runs, _regime_spans(labelled), labelled, ruined, bootstrap, 0.95)


def _differences(
    runs: Sequence[Backtest],
    spans: Spans,
    labelled: Regimes | None,
    ruined: tuple[str, ...],
    bootstrap: StudentizedBootstrap,
    confidence: float,
) -> SharpeComparison:
    """Return the differences of backtests from the first of them in each span, with p-values for all."""
    tables = [_span_table(runs, *span, bootstrap, confidence) for span in spans]
    table = pd.concat(tables).set_index(["span", "strategy"])
    number = np.repeat(np.arange(len(spans)), len(runs) - 1)
    tested = table["standard_error"].to_numpy() > 0.0
    p_span = table["p_span"].to_numpy()
    corrected = family_p_values(np.where(tested, p_span, np.nan), number)
    table = table.assign(p_family=np.where(tested, corrected, p_span))[_COLUMNS]
    tests = _tests(table, tested, number, runs, bootstrap, confidence)
    return SharpeComparison(
        table=table,
        baseline=runs[0].name,
        regimes=labelled,
        n_tests=int(tested.sum()),
        method=_method(bootstrap),
        confidence=confidence,
        title=f"Sharpe ratio less that of {runs[0].name}: {_data(runs[0])}",
        conventions=(*tests, *_regime_lines(labelled), *ruined, *conventions(runs[0])),
    )


def family_p_values(p: NDArray[np.float64], span: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return p-values for all spans together, from p-values that hold within each span.

    Holm's (1979) step-down with spans in the place of tests: the j-th smallest p times the number of spans
    that still have one as large, never below a smaller one, at most 1. The first true null that is rejected
    meets at least as many spans as have a true null, so that the bounds of these spans add up to the level.
    With one test a span it is Holm's; with one span it leaves p as it is. NaN is no test and stays NaN.

    Parameters
    ----------
    p
        Shape (n_tests,); within a span they hold for its family.
    span
        Number of the span of each, shape (n_tests,).
    """
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    left = [len(set(span[order[j:]].tolist())) for j in range(len(order))]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.array(left, dtype=float)), 1.0)
    return adjusted


def _regime_spans(labelled: Regimes | None) -> Spans:
    """Return the regimes as spans, those that the rule could not classify left out."""
    if labelled is None:
        return []
    return [(label, chosen) for label, chosen in by_label(labelled) if label != UNCLASSIFIED]


def _regime_lines(labelled: Regimes | None) -> tuple[str, ...]:
    if labelled is None:
        return ()
    known = " (ex post: not known at the time)" if labelled.ex_post else ""
    rest = int((labelled.labels == UNCLASSIFIED).sum())
    left = f"; {rest:,} of {len(labelled.labels):,} returns are unclassified and not tested" if rest else ""
    return (
        f"regimes: {labelled.name}, {labelled.rule}{known}; the returns of a regime are joined in their "
        f"order, and blocks run across the joints{left}",
    )


def _refuse_settings(comparison: object, bootstrap: object, confidence: float) -> None:
    from allocator.report.comparison import Comparison  # not at the top: it shows what is found here

    if not isinstance(comparison, Comparison):
        kind = type(comparison).__name__
        raise InputError(
            "comparison", f"expected a Comparison, got {kind}", fix="pass al.compare([...], market)"
        )
    if not isinstance(bootstrap, StudentizedBootstrap):
        problem = f"expected StudentizedBootstrap, got {type(bootstrap).__name__}"
        raise InputError(
            "bootstrap", problem, fix="only joint resamples know how the strategies move together"
        )
    refuse_confidence(confidence)
    if _rank(bootstrap, confidence) > bootstrap.n_resamples:
        problem = f"{bootstrap.n_resamples} are too few for a confidence of {confidence:g}"
        raise InputError("n_resamples", problem, fix=f"pass {int(np.ceil(2 / (1 - confidence)))} or more")


def _alive(comparison: Comparison, baseline: str | None) -> tuple[list[Backtest], tuple[str, ...]]:
    """Return the backtests that reached the end, the baseline first, and a line for each that did not."""
    names = [backtest.name for backtest in comparison.backtests]
    first = names[0] if baseline is None else baseline
    if first not in names:
        raise InputError("baseline", f"no {first!r}; there are: {', '.join(names)}")
    runs = sorted(comparison.backtests, key=lambda backtest: backtest.name != first)
    if runs[0].ruined_on is not None:
        problem = f"{first!r} was ruined on {iso_date(runs[0].ruined_on)}: it has no ratio to compare with"
        raise InputError("baseline", problem, fix="pass baseline= with the name of another strategy")
    alive = [backtest for backtest in runs if backtest.ruined_on is None]
    if len(alive) < 2:
        problem = f"{len(alive)} of {len(names)} strategies reached the end, a difference needs two"
        raise InputError("comparison", problem, fix="compare two strategies or more")
    return alive, tuple(
        f"{backtest.name!r} was ruined on {iso_date(backtest.ruined_on)} and is not tested"
        for backtest in runs
        if backtest.ruined_on is not None
    )


def _period_spans(periods: Iterable[Period], dates: pd.DatetimeIndex) -> Spans:
    if isinstance(periods, str) or not isinstance(periods, Iterable):
        raise InputError("periods", f"{periods!r} is no list", fix='pass pairs: [("1975", "1999")]')
    return [_period_span(period, dates) for period in periods]


def _period_span(period: object, dates: pd.DatetimeIndex) -> tuple[str, NDArray[np.bool_]]:
    if not isinstance(period, (tuple, list)) or len(period) != 2 or all(date is None for date in period):
        fix = 'pass first and last date: ("1975", "1999"), or None where it is open; "whole" is always there'
        raise InputError("periods", f"{period!r} is no period", fix=fix)
    begin, end = period
    first = dates[0] if begin is None else parse_date(begin, "periods")
    last = dates[-1] if end is None else parse_date(end, "periods", last=True)
    name = f"{'' if begin is None else _said(begin)}–{'' if end is None else _said(end)}"
    chosen = np.asarray((dates >= first) & (dates <= last))
    if first > last and begin is not None and end is not None:
        raise InputError("periods", f"{name} begins after it ends", fix="exchange its dates")
    if not chosen.any():
        problem = f"{name} has no return; they run from {iso_date(dates[0])} to {iso_date(dates[-1])}"
        raise InputError("periods", problem, fix="leave it out")
    return name, chosen


def _said(date: Date) -> str:
    return date if isinstance(date, str) else iso_date(date)


def _distinct(spans: Spans) -> Spans:
    names = [name for name, _ in spans]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("periods", f"two spans are called {twice!r}", fix="name each once")
    return spans


def _span_table(
    runs: Sequence[Backtest],
    name: str,
    chosen: NDArray[np.bool_],
    bootstrap: StudentizedBootstrap,
    confidence: float,
) -> pd.DataFrame:
    """Return a row a strategy, the baseline aside, of the returns of one span."""
    dates = runs[0].returns.index[chosen]
    facts = {"span": name, "begin": dates[0], "end": dates[-1], "n": len(dates)}
    frame = pd.DataFrame([{**facts, "strategy": run.name} for run in runs[1:]])
    numbers, reason = _tested(runs, chosen, bootstrap, confidence)
    if numbers is None:
        return frame.assign(**dict.fromkeys(_NUMBERS, np.nan), block_length=0, reason=reason)
    return frame.join(numbers.reset_index(drop=True))


def _tested(
    runs: Sequence[Backtest], chosen: NDArray[np.bool_], bootstrap: StudentizedBootstrap, confidence: float
) -> tuple[pd.DataFrame | None, str]:
    """Return the numbers of a span, a row a strategy, or None and why there are none."""
    if chosen.sum() < FEWEST:
        return None, f"n={chosen.sum()}, at least {FEWEST} are needed"
    # Arrays: the returns of a regime have gaps between their dates.
    returns = np.column_stack([run.returns.to_numpy()[chosen] for run in runs])
    cash = runs[0].cash_returns.to_numpy()[chosen]
    periods = runs[0].market.frequency.periods_per_year
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            family = sharpe_family_test(
                returns[:, 1:], returns[:, 0], cash, bootstrap, periods_per_year=periods
            )
        except InputError as refusal:
            return None, refusal.problem
    return _numbers(family, str(said[0].message) if said else "", bootstrap, confidence), ""


def _numbers(
    family: FamilyTest, warning: str, bootstrap: StudentizedBootstrap, confidence: float
) -> pd.DataFrame:
    """Return what a family says, with the interval of each difference: that of ``sharpe_difference``."""
    table, width = family.table, np.zeros(family.n_members)
    errors = table["standard_error"].to_numpy()
    sizes = np.sort(np.abs(family.draws), axis=0)
    width[errors > 0.0] = sizes[_rank(bootstrap, confidence) - 1]
    half = width * errors
    return pd.DataFrame(
        {
            "sharpe_baseline": family.benchmark_value,
            "sharpe": table["value"],
            "difference": table["difference"],
            "standard_error": errors,
            "low": table["difference"] - half,
            "high": table["difference"] + half,
            "p_value": table["p_value"],
            "p_span": table["p_romano_wolf"],
            "block_length": family.block_length,
            "reason": table["reason"].where(table["reason"] != "", warning),
        }
    )


def _rank(bootstrap: StudentizedBootstrap, confidence: float) -> int:
    """Return which of the sorted sizes of resampled changes is the edge of the interval."""
    return int(np.ceil(round(confidence * (bootstrap.n_resamples + 1), 6)))


def _tests(
    table: pd.DataFrame,
    tested: NDArray[np.bool_],
    number: NDArray[np.int64],
    runs: Sequence[Backtest],
    bootstrap: StudentizedBootstrap,
    confidence: float,
) -> tuple[str, ...]:
    """Return what differences, intervals and p-values are, and what the family is."""
    if not tested.any():
        return ("nothing could be tested, and the note says why",)
    periods = runs[0].market.frequency.periods_per_year
    blocks = table["block_length"].to_numpy()[tested]
    rows = f"{blocks.min()}" if blocks.min() == blocks.max() else f"{blocks.min()} to {blocks.max()}"
    lines = [
        f"difference of Sharpe ratios (over cash, × √{periods}), {100 * confidence:g} % interval of each "
        f"alone, and two-sided p that the two are equal: {_method(bootstrap)}, blocks of {rows} "
        f"row{'s' if blocks.max() > 1 else ''}",
        _family(int(tested.sum()), len(set(number[tested].tolist())), len(runs) - 1),
    ]
    if number[-1] > 0:
        lines.append("each strategy ran once through all dates, and its returns were cut afterwards")
    if not tested.all():
        lines.append("what could not be tested is not in the family, and the note says why")
    return tuple(lines)


def _family(n_tests: int, n_spans: int, n_strategies: int) -> str:
    """Return which tests the corrected p-values hold for, and how."""
    if n_tests == 1:
        return "p family: one test, its p needs no correction; what was tried elsewhere is not in it"
    within = "Romano and Wolf, 2005" + (", over the strategies of a span" if n_spans > 1 else "")
    across = f"Holm, 1979, over the {n_spans} spans, which may overlap"
    parts = [within] * (n_strategies > 1) + [across] * (n_spans > 1)
    how = f"for all {n_tests} tests of this table together ({'; '.join(parts)})"
    return f"p family: {how}; what was tried elsewhere is not in it"


def _method(bootstrap: StudentizedBootstrap) -> str:
    return f"{bootstrap.describe()}, {bootstrap.n_resamples:,} resamples, seed {bootstrap.seed}"


def _data(run: Backtest) -> str:
    dates, mark = run.returns.index, "SIMULATED data: " if run.market.simulated else ""
    return f"{mark}{run.market.name}, {iso_date(dates[0])} to {iso_date(dates[-1])}"
