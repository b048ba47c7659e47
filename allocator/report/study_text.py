"""How the regimes of a study show themselves in a terminal: two tables, the definitions as headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.regimes import ConditionalTable
from allocator.regimes.show import p_value_text
from allocator.tables import text_table

if TYPE_CHECKING:
    from allocator.report.regime_study import RegimeStudy

__all__ = ["study_text"]

_Row = tuple[str, ...]


def study_text(study: RegimeStudy) -> str:
    """Return the correlations and the strategies' Sharpe ratios by regime as text, with the conventions."""
    parts = [_correlations(study), _performances(study.performance)]
    left_out = "\n".join(f"left out: {reason}" for reason in study.left_out)
    return "\n\n".join(part for part in (*parts, left_out) if part)


def _correlations(study: RegimeStudy) -> str:
    """Return the correlations at the market's own frequency, those of month ends beside."""
    if not study.correlation:
        return ""
    head = [
        f"{study.market.frequency} returns",
        "n",
        "correlation",
        "low",
        "high",
        "Fisher low",
        "Fisher high",
    ]
    months = {_key(table): table for table in study.month_end_correlation}
    if months:
        head += ["month ends: n", "correlation", "low", "high"]
    groups = []
    for table in study.correlation:
        thinned = months.get(_key(table))
        rows = [
            (*_own(label, row), *(_beside(label, thinned) if months else ()))
            for label, row in table.table.to_dict("index").items()
        ]
        groups.append((_heading(table, thinned), rows))
    title = f"{study.correlation[0].conventions[0]}, by regime"
    return "\n".join([title, *_grouped(head, groups), *_conventions(study.correlation, 1)])


def _performances(tables: Sequence[ConditionalTable]) -> str:
    """Return Sharpe ratio ± standard error and drawdown of each strategy, side by side."""
    if not tables:
        return ""
    names = list(dict.fromkeys(tables[0].table.index.get_level_values(0)))
    groups = []
    for table in tables:
        rows = []
        for label in dict.fromkeys(table.table.index.get_level_values(1)):
            cells = [table.table.loc[(name, label)].to_dict() for name in names]
            rows.append((f"  {label}", f"{cells[0]['n']:,}", *map(_sharpe, cells)))
        groups.append((_heading(table), rows))
    title = "Sharpe ratio ± standard error, and the deepest drawdown, by regime"
    return "\n".join([title, *_grouped(["strategies", "n", *names], groups), *_conventions(tables, 0)])


def _grouped(head: Sequence[str], groups: Sequence[tuple[str, Sequence[_Row]]]) -> list[str]:
    """Return the lines of one table whose rows stand in groups, each under a heading as wide as it likes."""
    first, *lines = text_table(head, [row for _, rows in groups for row in rows])
    found, begin = [first], 0
    for heading, rows in groups:
        found += [heading, *lines[begin : begin + len(rows)]]
        begin += len(rows)
    return found


def _heading(table: ConditionalTable, thinned: ConditionalTable | None = None) -> str:
    known = "ex post" if table.regimes.ex_post else "known at the time"
    p_values = table.p_equal if isinstance(table.p_equal, dict) else {"": table.p_equal}
    if thinned is not None and isinstance(thinned.p_equal, float):
        p_values = {**p_values, "month ends": thinned.p_equal}
    tests = ", ".join(f"{name} {p_value_text(p)}".strip() for name, p in p_values.items())
    statistic = {"sharpe": "Sharpe ratio"}.get(table.statistic, table.statistic)
    return f"{table.regimes.name}, {known}: p of equal {statistic} {tests}"


def _key(table: ConditionalTable) -> tuple[str, bool]:
    return table.regimes.name, table.regimes.ex_post


def _own(label: Any, row: Mapping[Any, Any]) -> _Row:
    return (f"  {label}", *_estimate(row), _signed(row["fisher_low"]), _signed(row["fisher_high"]))


def _beside(label: Any, thinned: ConditionalTable | None) -> _Row:
    if thinned is None or label not in thinned.table.index:
        return ("–",) * 4
    return _estimate(thinned.table.loc[label].to_dict())


def _estimate(row: Mapping[Any, Any]) -> _Row:
    return (f"{row['n']:,}", *(_signed(row[name]) for name in ("correlation", "low", "high")))


def _sharpe(row: Mapping[Any, Any]) -> str:
    if not np.isfinite(row["sharpe"]):
        return f"–, {row['max_drawdown']:.1%}"
    return f"{row['sharpe']:.2f} ± {row['standard_error']:.2f}, {row['max_drawdown']:.1%}"


def _signed(value: float) -> str:
    return f"{value:+.2f}" if np.isfinite(value) else "–"


def _conventions(tables: Iterable[ConditionalTable], skip: int) -> list[str]:
    return list(dict.fromkeys(line for table in tables for line in table.conventions[skip:]))
