"""How a comparison shows itself: about a dozen defined numbers, the conventions in the footer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_table

if TYPE_CHECKING:
    from allocator.report.comparison import Comparison

__all__ = ["comparison_html", "comparison_text", "comparison_title", "headline_rows"]


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


def comparison_title(comparison: Comparison) -> str:
    """Return the name of the data and the window, and say if the data are simulated."""
    index = comparison.dates
    mark = "SIMULATED data: " if comparison.market.simulated else ""
    return f"{mark}{comparison.market.name}, {iso_date(index[0])} to {iso_date(index[-1])}"


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison as text, strategies side by side."""
    lines = text_table(*headline_rows(comparison.table))
    return "\n".join([comparison_title(comparison), *lines, *comparison.conventions])


def comparison_html(comparison: Comparison) -> str:
    """Return the comparison as an HTML table with the conventions below."""
    table = html_table(*headline_rows(comparison.table))
    return html_block(comparison_title(comparison), table, comparison.conventions)
