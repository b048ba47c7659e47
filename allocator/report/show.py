"""How a comparison shows itself: about a dozen defined numbers, the conventions in the footer."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.errors import iso_date

if TYPE_CHECKING:
    from allocator.report.comparison import Comparison

__all__ = ["comparison_html", "comparison_text", "html_table", "headline_rows"]


def _percent(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.1%}"


def _basis_points(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value * 1e4:.0f} bp"


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
    ("interest paid a year", lambda row: _basis_points(row["interest_paid"])),
)


def headline_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the head (strategies across) and a row a statistic, as text."""
    records = table.to_dict("records")
    rows = [[title, *(show(record) for record in records)] for title, show in _HEADLINES]
    return ["", *map(str, table.index)], rows


def html_table(head: list[str], rows: list[list[str]]) -> str:
    """Return an HTML table of texts, escaped; the first column names the rows."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th>{html.escape(row[0])}</th>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _title(comparison: Comparison) -> str:
    index = comparison.backtests[0].value.index
    mark = "SIMULATED data: " if comparison.market.simulated else ""
    return f"{mark}{comparison.market.name}, {iso_date(index[0])} to {iso_date(index[-1])}"


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison as text, strategies side by side."""
    head, rows = headline_rows(comparison.table)
    widths = [max(len(row[j]) for row in [head, *rows]) for j in range(len(head))]
    lines = [
        "  ".join(cell.rjust(width) if j else cell.ljust(width) for j, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *rows]
    ]
    return "\n".join([_title(comparison), *lines, *comparison.conventions])


def comparison_html(comparison: Comparison) -> str:
    """Return the comparison as an HTML table with the conventions below."""
    foot = "<br>".join(html.escape(line) for line in comparison.conventions)
    table = html_table(*headline_rows(comparison.table))
    return f"<div><b>{html.escape(_title(comparison))}</b>{table}<small>{foot}</small></div>"
