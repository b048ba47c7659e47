"""The page of a study: one file, nothing loaded from elsewhere, no scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from allocator.errors import iso_date
from allocator.regimes.conditional import FEWEST, ConditionalTable
from allocator.regimes.show import p_value_text
from allocator.report.comparison import Comparison
from allocator.report.html_page import box, document
from allocator.report.regime_study import RegimeStudy
from allocator.report.sharpe_differences import SharpeComparison
from allocator.report.show import comparison_lines, comparison_rows
from allocator.report.study_text import (
    difference_groups,
    difference_heading,
    difference_lines,
    difference_parts,
    overall_lines,
    overall_rows,
)
from allocator.tables import html_lines, html_table, html_text

__all__ = ["study_page"]

_CAPTIONS = {
    "growth": """The value of 1 invested, after costs. On the log scale equal heights are equal percentages;
the last value stands at the right.""",
    "drawdown": """How far each strategy stood below its highest value so far, the starting wealth included.
The markers only tell the lines apart.""",
    "weights": """What each strategy held after trading. The rest of 100% is cash; what is below zero is
borrowed or sold short.""",
    "regime_correlation": """The stock–bond correlation over the whole market. Thick: block-bootstrap
interval. Thin: Fisher’s, which takes returns for independent and normal. Regimes known at the time could
have been acted on; those ex post could not.""",
}


def study_page(comparison: Comparison, study: RegimeStudy, pictures: Mapping[str, bytes]) -> str:
    """Return a study as one page of HTML that needs nothing else; equal inputs give equal texts.

    Parameters
    ----------
    comparison, study
        What was run, and its regimes.
    pictures
        By name, as :func:`allocator.report.charts.study_pngs` returns them.
    """
    parts = (
        *_opening(comparison),
        *_pictures(comparison, pictures),
        *_regimes(comparison, study),
        *_closing(comparison),
    )
    mark = "SIMULATED: " if comparison.market.simulated else ""
    title = f"{mark}{_names(comparison)}, {comparison.market.name}"
    return document(title, parts)


def _names(comparison: Comparison) -> str:
    names = [backtest.name for backtest in comparison.backtests]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _opening(comparison: Comparison) -> Iterator[str]:
    """Yield what was asked, the banner, and the answer in one table."""
    market, dates = comparison.market, comparison.dates
    if market.simulated:
        yield '<p class="banner">SIMULATED data: made-up prices; nothing here is about a real market.</p>'
    yield "<h1>Do stocks and bonds diversify, and what did the portfolios make of it?</h1>"
    yield (
        f"<p>{html_text(_names(comparison))} on {html_text(market.name)}: {market.frequency} data, "
        f"{iso_date(dates[0])} to {iso_date(dates[-1])}, {len(dates) - 1:,} returns, after costs.</p>"
    )
    yield "<h2>What each strategy did</h2>" + box(html_table(*comparison_rows(comparison)))
    yield f'<p class="note">{html_lines(_ruins(comparison))}</p>'


def _ruins(comparison: Comparison) -> list[str]:
    ruined = [
        f"{b.name} was RUINED on {iso_date(b.ruined_on)}: nothing was left and its run stopped."
        for b in comparison.backtests
        if b.ruined_on is not None
    ]
    return [*ruined, "How the numbers are defined stands at the end."]


def _pictures(comparison: Comparison, pictures: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the pictures, each with a caption and with words for who cannot see it."""
    ends = ", ".join(f"{b.name} {b.value.iloc[-1]:,.2f}" for b in comparison.backtests)
    falls = ", ".join(f"{name} {fall:.1%}" for name, fall in comparison.table["max_drawdown"].items())
    words = {
        "growth": f"Line chart of the value of 1 invested. At the end: {ends}.",
        "drawdown": f"Line chart of drawdowns. The deepest: {falls}.",
        "weights": f"Stacked areas: the weights over time of {_names(comparison)}.",
        "regime_correlation": "Dots with intervals: the correlations of the tables that follow.",
    }
    yield "<h2>Pictures</h2>"
    for name, picture in pictures.items():
        data = base64.b64encode(picture).decode("ascii")
        image = f'<img alt="{html_text(words[name])}" src="data:image/png;base64,{data}">'
        yield f"<figure>{box(image)}<figcaption>{_CAPTIONS[name]}</figcaption></figure>"


def _regimes(comparison: Comparison, study: RegimeStudy) -> Iterator[str]:
    """Yield the tables by regime, the tests, and what was left out."""
    months = {(t.regimes.name, t.regimes.ex_post): t for t in study.month_end_correlation}
    if study.overall:
        yield "<h2>Stock–bond correlation over all dates</h2>" + box(html_table(*overall_rows(study)))
        yield f'<p class="note">{html_lines(overall_lines(study))}</p>'
    if study.correlation:
        yield "<h2>Stock–bond correlation by regime</h2>"
    for table in study.correlation:
        thinned = months.get((table.regimes.name, table.regimes.ex_post))
        yield _correlation(table, thinned, str(comparison.market.frequency))
    yield _conventions(study.correlation)
    if study.performance:
        yield "<h2>Sharpe ratio and drawdown by regime</h2>"
        yield "<p>Each cell: Sharpe ratio, its interval, and the deepest drawdown within one spell.</p>"
    yield from map(_performance, study.performance)
    yield _conventions(study.performance)
    if study.differences:
        yield f"<h2>Sharpe ratio less that of {html_text(study.differences[0].baseline)}, by regime</h2>"
        yield "<p>Each cell: the difference, its interval, and p for all tests of the table.</p>"
        yield from map(_differences, study.differences)
        yield f'<p class="note">{html_lines(difference_lines(study))}</p>'
    if study.left_out:
        items = "".join(f"<li>{html_text(reason)}</li>" for reason in study.left_out)
        yield f"<h2>Left out, and why</h2><ul>{items}</ul>"


def _conventions(tables: Iterable[ConditionalTable]) -> str:
    lines = dict.fromkeys(line for table in tables for line in table.conventions)
    return f'<p class="note">{html_lines(lines)}</p>'


def _correlation(table: ConditionalTable, thinned: ConditionalTable | None, frequency: str) -> str:
    """Return one definition's correlations, those of month ends beside."""
    head = ["regime", "n", "share", "correlation", "interval", "Fisher interval"]
    test = f"{frequency} {p_value_text(_one(table.p_equal))}"
    month_ends: dict[Any, dict[str, Any]] = {}
    if thinned is not None:
        head += ["month ends: n", "correlation", "interval"]
        test += f", month ends {p_value_text(_one(thinned.p_equal))}"
        month_ends = {row["regime"]: row for row in _records(thinned)}
    rows = []
    for row in _records(table):
        cells = [row["regime"], f"{row['n']:,}", f"{row['share']:.1%}", *_estimate(row, "correlation")]
        cells.append(_interval(row["fisher_low"], row["fisher_high"]))
        if thinned is not None:
            beside = month_ends.get(row["regime"])
            cells += [f"{beside['n']:,}", *_estimate(beside, "correlation")] if beside else ["–"] * 3
        rows.append(cells)
    return _definition(
        table, html_table(head, rows), f"p of equal correlation in all regimes (Welch): {test}"
    )


def _performance(table: ConditionalTable) -> str:
    """Return one definition's Sharpe ratios and drawdowns, strategies side by side."""
    records = _records(table)
    names = list(dict.fromkeys(row["strategy"] for row in records))
    cells: dict[str, list[str]] = {}
    for row in records:
        start = [row["regime"], f"{row['n']:,}", f"{row['spells']:,}"]
        sharpe, interval = _estimate(row, "sharpe")
        cells.setdefault(row["regime"], start).append(f"{sharpe}\n{interval}\n{row['max_drawdown']:.1%}")
    tests = table.p_equal if isinstance(table.p_equal, dict) else {}
    last = ["p of equal Sharpe ratios (Welch)", "", "", *(p_value_text(tests[name]) for name in names)]
    return _definition(table, html_table(["regime", "n", "spells", *names], [*cells.values(), last]))


def _differences(result: SharpeComparison) -> str:
    """Return one definition's differences of Sharpe ratios, strategies side by side."""
    head = ["regime", "n", *result.table.index.unique("strategy")]
    rows = [
        [label, n, *("\n".join(difference_parts(row)) for row in cells)]
        for label, n, cells in difference_groups(result)
    ]
    return f"<h3>{html_text(difference_heading(result))}</h3>{box(html_table(head, rows))}"


def _definition(table: ConditionalTable, body: str, *tests: str) -> str:
    """Return a table with what its regimes are, and whether they were known, above it."""
    regimes = table.regimes
    known = "ex post" if regimes.ex_post else "known at the time"
    notes = [f'<p class="note">{html_text(note)}</p>' for note in (regimes.rule, *tests)]
    return f"<h3>{html_text(regimes.name)}, {known}</h3>{notes[0]}{box(body)}{''.join(notes[1:])}"


def _records(table: ConditionalTable) -> list[dict[str, Any]]:
    """Return the rows, with the names in their index as texts."""
    names = dict.fromkeys(table.table.index.names, str)
    rows: list[dict[str, Any]] = table.table.reset_index().astype(names).to_dict("records")  # type: ignore[assignment]
    return rows


def _one(p: float | dict[str, float]) -> float:
    return p if isinstance(p, float) else float("nan")


def _estimate(row: Mapping[str, Any], statistic: str) -> tuple[str, str]:
    """Return the number and its interval, or a dash and why there is none."""
    value, interval = row[statistic], _interval(row["low"], row["high"])
    if np.isfinite(value):
        return f"{value:+.2f}", interval or str(row["reason"])
    return "–", "too few" if row["n"] < FEWEST else str(row["reason"])


def _interval(low: float, high: float) -> str:
    return f"{low:+.2f} to {high:+.2f}" if np.isfinite(low) else ""


def _closing(comparison: Comparison) -> Iterator[str]:
    """Yield the sources of the data and the conventions."""
    market = comparison.market
    if market.sources:
        items = "".join(
            f"<dt>{html_text(name)}</dt><dd>{html_text(text)}</dd>" for name, text in market.sources.items()
        )
        yield f"<h2>Sources of the data</h2><dl>{items}</dl>"
    lines = dict.fromkeys([*comparison_lines(comparison), *market.notes])
    items = "".join(f"<li>{html_text(line)}</li>" for line in lines)
    yield f"<footer><h2>How the numbers are made</h2><ul>{items}</ul></footer>"
