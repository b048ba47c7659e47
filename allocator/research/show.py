"""How audits and studies of this package show themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.engine import Backtest
    from allocator.research.belongings import Belongings
    from allocator.research.causality import CausalityAudit, Finding
    from allocator.research.choices import WalkForward
    from allocator.research.timing import TimingSensitivity

__all__ = [
    "audit_conventions",
    "audit_html",
    "audit_text",
    "caveats",
    "timing_html",
    "timing_text",
    "walk_html",
    "walk_text",
]

_MOST_SHOWN = 5
_MOST_NAMED = 6
_HEAD = ("date", "asset", "before", "after", "found by")


def _title(audit: CausalityAudit) -> str:
    verdict = "passed" if audit.passed else "FAILED"
    mark = "SIMULATED data: " if audit.market.simulated else ""
    return f"{mark}Causality audit of {audit.name!r}: {verdict}"


def _verdict(audit: CausalityAudit) -> str:
    counted = f"{audit.n_decisions:,} decisions"
    if audit.n_refusals:
        counted += f" and {audit.n_refusals} refusals to decide yet"
    if audit.passed:
        return f"none of {counted} changed with the future, asked {audit.n_questions:,} times"
    first = audit.findings[0]
    what = f"the weight of {first.asset!r}" if first.asset is not None else "the answer"
    return (
        f"{len(audit.findings):,} of {counted} changed although nothing up to their date did; "
        f"first on {iso_date(first.date)}, {what}"
    )


def _finding_row(finding: Finding) -> tuple[str, ...]:
    how = finding.how + (f"; {finding.detail}" if finding.detail else "")
    return (
        iso_date(finding.date),
        finding.asset if finding.asset is not None else "–",
        _weight(finding.before),
        _weight(finding.after),
        how,
    )


def _weight(weight: float) -> str:
    return "–" if np.isnan(weight) else f"{weight:.6g}"


def _footer(audit: CausalityAudit) -> list[str]:
    more = len(audit.findings) - _MOST_SHOWN
    rest = [f"and {more:,} more in .table"] if more > 0 else []
    return [*rest, *audit.conventions, *(f"caveat: {text}" for text in audit.caveats)]


def audit_text(audit: CausalityAudit) -> str:
    """Return an audit as text: the verdict, the first findings, and what it cannot know."""
    lines = [_title(audit), _verdict(audit)]
    if audit.findings:
        rows = [_finding_row(finding) for finding in audit.findings[:_MOST_SHOWN]]
        table = text_table(_HEAD[:4], [row[:4] for row in rows], n_labels=2)
        hows = [_HEAD[4], *(row[4] for row in rows)]
        lines += [f"  {line}  {how}" for line, how in zip(table, hows, strict=True)]
    return text_block([*lines, *_footer(audit)])


def audit_html(audit: CausalityAudit) -> str:
    """Return an audit as HTML."""
    rows = [_finding_row(finding) for finding in audit.findings[:_MOST_SHOWN]]
    table = html_table(_HEAD, rows) if rows else ""
    return html_block(_title(audit), table, [_verdict(audit), *_footer(audit)])


def audit_conventions(run: Backtest, every: int, tolerance: float, seed: int) -> tuple[str, ...]:
    """Return how an audit was made."""
    which = "every decision" if every == 1 else f"one decision in {every}"
    same = "to the bit (1e-09 where the market is cut)" if tolerance == 0.0 else f"to {tolerance:g}"
    return (
        f"{which} of: {run.market.name}, {run.market.frequency}, {run.rebalancing}, lag {run.lag}, "
        f"assets without a price: {run.unlisted}",
        f"worlds: the market cut there; futures drawn at random (seed {seed}), mirrored, extreme; asked "
        f"forwards and backwards; weights are the same {same}",
    )


def caveats(
    found: Belongings, is_built: bool, is_dataclass: bool, failures: Sequence[str]
) -> tuple[str, ...]:
    """Return what an audit of these belongings cannot know."""
    texts = []
    tables = [thing.path for thing in found.dated[1:]]
    remedy = "pass audit_causality the function of a market that makes it"
    if tables and not is_built:
        texts.append(
            f"it carries dated data ({_named(tables)}): later rows were altered, but how the earlier "
            f"ones were made was not seen; {remedy}"
        )
    if found.undated and not is_built:
        texts.append(f"it carries tables without dates ({_named(found.undated)}), taken as given; {remedy}")
    if not is_built:
        texts.append(
            "parameters are taken as given: if they were fitted to data, pass the function that fits them"
        )
    if not is_built and not is_dataclass:
        texts.append("it is no dataclass: what its __init__ worked out was not worked out again")
    if found.fixed:
        texts.append(
            f"as long as the market, but cannot be written to: the same in all worlds ({_named(found.fixed)})"
        )
    if found.unread:
        texts.append(f"may be data and was not understood: the same in all worlds ({_named(found.unread)})")
    if found.loaders:
        texts.append(
            f"what is loaded while it decides is the same in all worlds ({_named(found.loaders)}); load it "
            "before, and let the strategy hold it"
        )
    if not found.is_complete:
        texts.append("it can reach more objects than were looked at")
    if failures:
        texts.append(f"could not be made in {len(failures)} other worlds, first: {failures[0]}")
    return tuple(texts)


def _named(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return ", ".join([*names[:_MOST_NAMED], *more])


def _percent(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.1%}"


def _points(value: Any, error: Any) -> str:
    return "–" if pd.isna(value) else f"{round(value, 4) + 0:+.2%} ± {_percent_of(error)}"


def _percent_of(error: Any) -> str:
    return "–" if pd.isna(error) else f"{error:.2%}"


def _number(value: Any, sign: str = "") -> str:
    return "–" if pd.isna(value) else f"{round(value, 2) + 0:{sign}.2f}"  # + 0: no negative zero


def _plus_minus(value: Any, error: Any, sign: str = "") -> str:
    return "–" if pd.isna(value) else f"{_number(value, sign)} ± {_number(error)}"


_TIMING_HEAD = (
    "lag",
    "CAGR",
    "volatility",
    "Sharpe ± se",
    "max drawdown",
    "turnover a year",
    "mean return vs default",
    "Sharpe vs default",
)


def _timing_rows(study: TimingSensitivity) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for lag, row in study.table.iterrows():
        is_default = lag == study.default_lag
        rows.append(
            (
                f"{lag}{' (default)' if is_default else ''}",
                _percent(row["cagr"]),
                _percent(row["volatility"]),
                _plus_minus(row["sharpe"], row["sharpe_se"]),
                _percent(row["max_drawdown"]),
                _percent(row["turnover"]),
                "" if is_default else _points(row["mean_change"], row["mean_change_se"]),
                "" if is_default else _plus_minus(row["sharpe_change"], row["sharpe_change_se"], "+"),
            )
        )
    return rows


def _timing_title(study: TimingSensitivity) -> str:
    dates = study.dates
    mark = "SIMULATED data: " if study.market.simulated else ""
    return (
        f"{mark}Timing of {study.name!r}: {study.market.name}, {iso_date(dates[0])} to "
        f"{iso_date(dates[-1])}, n={study.n:,} returns"
    )


def timing_text(study: TimingSensitivity) -> str:
    """Return a study of lags as text."""
    lines = text_table(_TIMING_HEAD, _timing_rows(study))
    return text_block([_timing_title(study), *(line.rstrip() for line in lines), *study.conventions])


def timing_html(study: TimingSensitivity) -> str:
    """Return a study of lags as HTML."""
    return html_block(_timing_title(study), html_table(_TIMING_HEAD, _timing_rows(study)), study.conventions)


_CHOICE_HEAD = ("decided", "chosen", "compared", "in sample", "out of sample", "applied to")


def _choice_rows(walk: WalkForward) -> list[tuple[str, ...]]:
    return [
        (
            iso_date(date),
            str(row["chosen"]),
            str(row["n_compared"]),
            _number(row["in_sample"]),
            _number(row["out_of_sample"]),
            f"{iso_date(row['test_from'])} to {iso_date(row['test_to'])}",
        )
        for date, row in walk.choices.iterrows()
    ]


def _walk_title(walk: WalkForward) -> str:
    market, dates = walk.backtest.market, walk.backtest.value.index
    mark = "SIMULATED data: " if market.simulated else ""
    return f"{mark}Walk-forward: {market.name}, {iso_date(dates[0])} to {iso_date(dates[-1])}"


def _walk_lines(walk: WalkForward) -> tuple[str, ...]:
    mean = walk.choices["in_sample"].mean()
    sharpe = walk.trial_sharpes
    return (
        f"{walk.score_name} of the chosen: {_number(mean)} in sample (mean over choices), "
        f"{_number(walk.out_of_sample_score)} out of sample (all windows as one)",
        f"tried: {walk.n_tried} configurations, {walk.n_comparisons:,} scores compared in "
        f"{len(walk.choices)} choices, {walk.n_undefined} undefined and left out",
        f"Sharpe ratios of the {walk.n_tried} over the out-of-sample span: {_number(sharpe.min())} to "
        f"{_number(sharpe.max())} a year, variance {walk.trial_sharpe_variance:.4g}; no number here is "
        "corrected for how many were tried",
        *walk.conventions,
    )


def walk_text(walk: WalkForward) -> str:
    """Return a walk-forward study as text: choices, what was tried, the chained result."""
    lines = text_table(_CHOICE_HEAD, _choice_rows(walk), n_labels=2)
    return text_block([_walk_title(walk), *lines, *_walk_lines(walk)])


def walk_html(walk: WalkForward) -> str:
    """Return a walk-forward study as HTML."""
    return html_block(_walk_title(walk), html_table(_CHOICE_HEAD, _choice_rows(walk)), _walk_lines(walk))
