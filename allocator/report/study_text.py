"""How the regimes of a study show themselves in a terminal: two tables, the definitions as headings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import iso_date
from allocator.regimes import ConditionalTable
from allocator.regimes.show import p_value_text
from allocator.report.show_sharpe import p_text
from allocator.tables import text_block, text_table

if TYPE_CHECKING:
    from allocator.report.regime_study import RegimeStudy
    from allocator.report.sharpe_differences import SharpeComparison

__all__ = [
    "difference_groups",
    "difference_heading",
    "difference_lines",
    "difference_parts",
    "overall_lines",
    "overall_rows",
    "study_text",
]

_Row = tuple[str, ...]


def study_text(study: RegimeStudy) -> str:
    """Return the correlations and the strategies' Sharpe ratios by regime as text, with the conventions."""
    parts = [_overall(study), _correlations(study), _performances(study.performance), _differences(study)]
    left_out = text_block(f"left out: {reason}" for reason in study.left_out)
    return "\n\n".join(part for part in (*parts, left_out) if part)


def overall_rows(study: RegimeStudy) -> tuple[list[str], list[list[str]]]:
    """Return the correlation over all dates with its intervals, and the test that it is constant."""
    frequencies = (str(study.market.frequency), "month-end")
    columns = [
        (
            f"{frequency} returns",
            f"{found.n:,}",
            _signed(found.correlation),
            _between(found.low, found.high),
            _between(found.bootstrap.low, found.bootstrap.high),
            _between(found.bootstrap.fisher_low, found.bootstrap.fisher_high),
            p_text(test.p_value),
            "–" if test.date is None else iso_date(test.date),
            f"{_signed(test.before)}, {_signed(test.after)}",
        )
        for frequency, found, test in zip(frequencies, study.overall, study.constancy, strict=False)
    ]
    titles: tuple[str, ...] = ("", "n", "correlation", "HAC interval", "block-bootstrap interval")
    titles += (
        "Fisher interval (naive)",
        "p of a constant correlation",
        "departs most after",
        "up to then, since then",
    )
    head, *rows = ([title, *cells] for title, *cells in zip(titles, *columns, strict=True))
    return head, rows


def overall_lines(study: RegimeStudy) -> list[str]:
    """Return what the intervals over all dates and the test of constancy rest on."""
    lines = [f"intervals: {found.confidence:.0%}, {found.method}" for found in study.overall]
    lines += [f"p of a correlation that never changes: {test.method}" for test in study.constancy]
    lines.append(
        "the date after which it departs most is no estimate of a break: al.find_breaks gives one with its "
        "confidence set"
    )
    reasons = [found.reason for found in study.overall] + [test.reason for test in study.constancy]
    return [line for line in dict.fromkeys([*lines, *reasons]) if line]


def _overall(study: RegimeStudy) -> str:
    if not study.overall:
        return ""
    title = f"{'–'.join(study.overall[0].names)}: Pearson correlation of simple returns, over all dates"
    return text_block([title, *text_table(*overall_rows(study)), *overall_lines(study)])


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
    return text_block([title, *_grouped(head, groups), *_conventions(study.correlation, 1)])


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
    return text_block([title, *_grouped(["strategies", "n", *names], groups), *_conventions(tables, 0)])


def _differences(study: RegimeStudy) -> str:
    """Return the differences of Sharpe ratios from the first strategy, the others side by side."""
    if not study.differences:
        return ""
    names = list(study.differences[0].table.index.unique("strategy"))
    groups = []
    for result in study.differences:
        rows = [
            (f"  {label}", n, *(", ".join(difference_parts(row)) for row in cells))
            for label, n, cells in difference_groups(result)
        ]
        groups.append((difference_heading(result), rows))
    title = f"Sharpe ratio less that of {study.differences[0].baseline}, by regime"
    return text_block([title, *_grouped(["strategies", "n", *names], groups), *difference_lines(study)])


def difference_groups(result: SharpeComparison) -> Iterator[tuple[str, str, list[dict[Any, Any]]]]:
    """Yield each regime, the number of its returns, and a row a strategy."""
    for label, part in result.table.groupby(level="span", sort=False):
        cells = part.to_dict("records")
        yield str(label), f"{cells[0]['n']:,}", cells


def difference_parts(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return a difference, its interval, and its p for the family; or that there is none."""
    if not np.isfinite(row["difference"]):
        return ("–",)
    if not row["standard_error"] > 0.0:
        return ("the same",) if row["difference"] == 0.0 else (f"{row['difference']:+.2f}", "not tested")
    return f"{row['difference']:+.2f}", _between(row["low"], row["high"]), f"p {p_text(row['p_family'])}"


def difference_heading(result: SharpeComparison) -> str:
    """Return the definition of the regimes and how many tests the family has."""
    known = "ex post" if result.regimes is not None and result.regimes.ex_post else "known at the time"
    name = "" if result.regimes is None else result.regimes.name
    return f"{name}, {known}: {result.n_tests} tests"


def difference_lines(study: RegimeStudy) -> list[str]:
    """Return what the differences of all definitions have in common."""
    few = any(
        (result.table["reason"].str.startswith("n=") & result.table["p_value"].notna()).any()
        for result in study.differences
    )
    return [
        f"interval: 95% of each difference alone; {study.differences[0].method}",
        "p: two-sided, that the two ratios are equal, for all tests of one definition together (Romano and "
        "Wolf, 2005, over the strategies of a regime; Holm, 1979, over the regimes); "
        f"{len(study.differences)} definitions were tried, none is corrected for that",
        *(["of fewer than 20 returns intervals and p are rough"] if few else []),
    ]


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


def _between(low: float, high: float) -> str:
    return f"{_signed(low)} to {_signed(high)}" if np.isfinite(low) else "–"


def _signed(value: float) -> str:
    return f"{value:+.2f}" if np.isfinite(value) else "–"


def _conventions(tables: Iterable[ConditionalTable], skip: int) -> list[str]:
    return list(dict.fromkeys(line for table in tables for line in table.conventions[skip:]))
