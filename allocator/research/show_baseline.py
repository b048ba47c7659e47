"""How a backtest beside its baseline shows itself: as text, HTML, Markdown and properties for JUnit."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from allocator.research.drift import GROUPS, Change
from allocator.tables import html_block, html_table, printable, text_block, text_table

if TYPE_CHECKING:
    from allocator.research.baseline import BaselineCheck

__all__ = ["check_html", "check_properties", "check_text", "markdown_summary"]

_HEAD = ("", "was", "is", "difference", "tolerance")
_PERCENT = ("cagr", "volatility", "max_drawdown", "var_95", "es_95", "best", "worst", "turnover")
_YEAR = "return of "
_MOST_YEARS = 5
_REPORTED = ("cagr", "volatility", "sharpe", "max_drawdown", "final_value")


def _cell(name: str, value: float | str | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if name in _PERCENT or name.startswith(_YEAR):
        return f"{value:.6%}"
    return f"{value:,.8g}"


def _difference(change: Change) -> str:
    was, now = change.was, change.now
    if isinstance(was, str) or isinstance(now, str) or was is None or now is None:
        return ""
    gap = now - was
    if change.name in _PERCENT or change.name.startswith(_YEAR):
        return f"{100 * gap:+.3g} points"
    return (f"{gap:+,}" if isinstance(gap, int) else f"{gap:+.3g}") + (
        f" ({100 * gap / abs(was):+.3g} %)" if was else ""
    )


def _row(change: Change) -> tuple[str, ...]:
    was, now = (_cell(change.name, each) for each in (change.was, change.now))
    return change.name, was, now, _difference(change), f"{change.tolerance:g}"


def _title(check: BaselineCheck) -> str:
    window, since = check.now.window, f" since {check.since}" if check.since else ""
    state = f"MOVED{since} ({', '.join(check.moved)})"
    if check.passed:
        state = "is as it was" + (", within tolerance, although its inputs moved" if check.causes else "")
    return (
        f"{check.now.name!r} {state}: {_shown(check.path)}; "
        f"{window.built} to {window.last}, n={window.n_returns:,} returns"
    )


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _since(check: BaselineCheck) -> list[str]:
    if check.passed:
        return []
    if not check.first_dates:
        return (
            [f"since {check.since}: no single row differs by more than its tolerance"] if check.since else []
        )
    return [f"since {each.date}: {each.what}" for each in check.first_dates]


def _why(check: BaselineCheck) -> list[str]:
    if check.passed:
        return list(check.causes)
    if not check.causes:
        return [
            "moved: code; data, parameters, versions, the strategy's module and the library are the same, so "
            "it is a function that the strategy calls, a file that it reads, or a random draw"
        ]
    several = len(check.moved) > 1
    return [
        f"moved: {', '.join(check.moved)}" + ("; which of them did it cannot be told" if several else ""),
        *(f"  {cause}" for cause in check.causes),
    ]


def _tolerances(check: BaselineCheck) -> str:
    bounds = check.tolerances
    absolute = ", ".join(f"{name.replace('_', ' ')} {bounds[name]:g}" for name in GROUPS)
    relative = sorted({number for name, number in bounds.items() if name not in GROUPS})
    span = f"{relative[0]:g}" + (f" to {relative[-1]:g}" if len(relative) > 1 else "")
    return f"tolerances: metrics {span}, relative; {absolute}, absolute; no interval: one sample, twice"


def _parts(check: BaselineCheck) -> tuple[list[tuple[str, ...]], list[str]]:
    years = [change for change in check.changes if change.name.startswith(_YEAR)]
    shown = [each for each in check.changes if not each.name.startswith(_YEAR)] + years[:_MOST_YEARS]
    more = len(years) - _MOST_YEARS
    lines = [f"and {more} more years, in .changes"] if more > 0 else []
    return list(map(_row, shown)), [*lines, *_since(check), *_why(check), _tolerances(check)]


def check_text(check: BaselineCheck) -> str:
    """Return a check as text: what moved, since when, and why."""
    rows, lines = _parts(check)
    table = [f"  {line.rstrip()}" for line in text_table(_HEAD, rows)] if rows else []
    return text_block([_title(check), *table, *lines])


def check_html(check: BaselineCheck) -> str:
    """Return a check as HTML."""
    rows, lines = _parts(check)
    return html_block(_title(check), html_table(_HEAD, rows) if rows else "", lines)


def check_properties(check: BaselineCheck) -> dict[str, str]:
    """Return what a report of tests should know of a check, the result first."""
    found = {"result": "passed" if check.passed else "moved"}
    if not check.passed:
        found |= {"since": check.since or "", "moved": ", ".join(check.moved)}
        found["changes"] = "; ".join(f"{row[0]} {row[1]} → {row[2]}" for row in map(_row, check.changes[:5]))
    metrics = ((name, check.now.metrics[name]) for name in _REPORTED)
    return found | {name: repr(value) for name, value in metrics if value is not None}


def markdown_summary(results: Iterable[tuple[str, dict[str, str]]]) -> str:
    """Return baselines by name, with the properties of each, as a table in Markdown."""
    rows = [_markdown_row(name, found) for name, found in results]
    moved = sum("**" in row for row in rows)
    head = ["| baseline | result | since | moved | changes |", "|---|---|---|---|---|"]
    return "\n".join(
        [f"### Baselines: {len(rows)} checked, {moved} not as they were", "", *head, *rows, "", ""]
    )


def _markdown_row(name: str, found: dict[str, str]) -> str:
    result = found.get("result", "")
    result = result if result in ("passed", "written") else f"**{result}**"
    cells: Sequence[str] = [name, *(found.get(key, "") for key in ("since", "moved", "changes"))]
    first, *others = map(_escaped, cells)
    return f"| {first} | {result} | {' | '.join(others)} |"


def _escaped(text: str) -> str:
    """Return text that is neither markup nor the end of a cell."""
    flat = html.escape(printable(" ".join(text.split())), quote=False)
    for mark in "\\`*_[]|~":
        flat = flat.replace(mark, "\\" + mark)
    return flat
