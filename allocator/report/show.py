"""How a comparison shows itself: about a dozen defined numbers, the conventions in the footer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.report.show_sharpe import difference_cells
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.report.comparison import Comparison

__all__ = ["comparison_html", "comparison_lines", "comparison_rows", "comparison_text", "headline_rows"]


def _percent(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.1%}"


def _basis_points(value: Any) -> str:
    return "–" if pd.isna(value) else f"{round(value * 1e4) + 0:,} bp"


def _number(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def _month(value: Any) -> str:
    return "not yet" if pd.isna(value) else iso_date(value)[:7]


# Title, what is shown, and how: one cell a strategy.
_Cell = Callable[[Any], str]
_HEADLINES: tuple[tuple[str, _Cell], ...] = (
    ("CAGR", lambda row: _percent(row["cagr"])),
    ("volatility", lambda row: _percent(row["volatility"])),
    ("Sharpe ± se", lambda row: f"{_number(row['sharpe'])} ± {_number(row['sharpe_se'])}"),
    ("Sortino", lambda row: _number(row["sortino"])),
    ("max drawdown", lambda row: _percent(row["max_drawdown"])),
    ("peak", lambda row: _month(row["peak"]) if row["max_drawdown"] < 0 else "–"),
    ("trough", lambda row: _month(row["trough"]) if row["max_drawdown"] < 0 else "–"),
    ("recovered", lambda row: _month(row["recovery"]) if row["max_drawdown"] < 0 else "–"),
    ("Calmar", lambda row: _number(row["calmar"])),
    ("VaR 95 %", lambda row: _percent(row["var_95"])),
    ("ES 95 %", lambda row: _percent(row["es_95"])),
    ("worst period", lambda row: _percent(row["worst"])),
    ("turnover a year", lambda row: _percent(row["turnover"])),
    ("trading cost a year", lambda row: _basis_points(row["trading_cost"])),
    ("fees a year", lambda row: _basis_points(row["fees"])),
    ("interest paid a year", lambda row: _basis_points(row["interest_paid"])),
)


def headline_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the head (strategies across) and a row a statistic, as text."""
    records = table.to_dict("records")
    free = not table["fees"].any()
    shown = [line for line in _HEADLINES if not (free and line[0] == "fees a year")]
    rows = [[title, *(show(record) for record in records)] for title, show in shown]
    return ["", *map(str, table.index)], rows


def comparison_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Return the headline rows, with what is known of the differences below the Sharpe ratios."""
    head, rows = headline_rows(comparison.table)
    below = next(place for place, row in enumerate(rows) if row[0] == "Sharpe ± se") + 1
    return head, [*rows[:below], *_difference_rows(comparison), *rows[below:]]


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return the conventions of a comparison and of its differences, or why there are none."""
    if len(comparison.backtests) < 2:
        return list(comparison.conventions)
    try:
        found = comparison.sharpe_differences.conventions
    except InputError as refusal:
        found = (f"no test of a difference: {refusal.problem}",)
    return list(dict.fromkeys([*comparison.conventions, *found]))


def _difference_rows(comparison: Comparison) -> list[list[str]]:
    """Return difference, interval and p-values, a row each, strategies across, where there are some."""
    try:
        found = comparison.sharpe_differences
    except InputError:
        return []
    cells = {row["strategy"]: difference_cells(row) for row in found.table.reset_index().to_dict("records")}
    titles = (
        f"Sharpe less {found.baseline}’s",
        f"{100 * found.confidence:g} % interval of it",
        "p alone",
        "p family",
    )
    across = [cells.get(name, ["–"] * 7)[-4:] for name in comparison.table.index]
    return [[title, *each] for title, each in zip(titles, zip(*across, strict=True), strict=True)]


def _title(comparison: Comparison) -> str:
    """Return the name of the data and the window, and say if the data are simulated."""
    index = comparison.dates
    mark = "SIMULATED data: " if comparison.market.simulated else ""
    return f"{mark}{comparison.market.name}, {iso_date(index[0])} to {iso_date(index[-1])}"


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison as text, strategies side by side."""
    lines = text_table(*comparison_rows(comparison))
    return text_block([_title(comparison), *lines, *comparison_lines(comparison)])


def comparison_html(comparison: Comparison) -> str:
    """Return the comparison as an HTML table with the conventions below."""
    table = html_table(*comparison_rows(comparison))
    return html_block(_title(comparison), table, comparison_lines(comparison))
