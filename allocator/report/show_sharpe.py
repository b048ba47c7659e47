"""How differences of Sharpe ratios show themselves: spans as groups of rows, the family in the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.report.sharpe_differences import SharpeComparison

__all__ = ["difference_cells", "difference_rows", "p_text", "sharpe_html", "sharpe_text"]


def p_text(p: float) -> str:
    """Return a p-value with three digits, a dash where there is none."""
    if np.isnan(p):
        return "–"
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _between(row: Any) -> str:
    return "–" if np.isnan(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}"


def difference_rows(result: SharpeComparison, *, once: bool) -> tuple[list[str], list[list[str]]]:
    """Return the head and a row a span and strategy; ``once`` names a span in its first row only."""
    table = result.table.reset_index()
    why = bool((table["reason"] != "").any())
    rows, last = [], None
    for row in table.to_dict("records"):
        span = [str(row["span"]), iso_date(row["begin"]), iso_date(row["end"]), f"{row['n']:,}"]
        shown = [""] * 4 if once and row["span"] == last else span
        rows.append([*shown, *difference_cells(row), *([row["reason"]] if why else [])])
        last = row["span"]
    head = ["", "from", "to", "n", "strategy", "Sharpe", f"{result.baseline}’s", "difference"]
    head += [f"{100 * result.confidence:g} % interval", "p alone", "p family"]
    return [*head, *(["note"] if why else [])], rows


def difference_cells(row: Any) -> list[str]:
    """Return strategy, both ratios, their difference, its interval, p alone and p of the family."""
    ratios = ["–" if np.isnan(row[name]) else f"{row[name]:.2f}" for name in ("sharpe", "sharpe_baseline")]
    difference = "–" if np.isnan(row["difference"]) else f"{row['difference']:+.2f}"
    return [
        str(row["strategy"]),
        *ratios,
        difference,
        _between(row),
        p_text(row["p_value"]),
        p_text(row["p_family"]),
    ]


def sharpe_text(result: SharpeComparison) -> str:
    """Return the differences as text, the conventions below."""
    return text_block([result.title, *text_table(*difference_rows(result, once=True)), *result.conventions])


def sharpe_html(result: SharpeComparison) -> str:
    """Return the differences as an HTML table with the conventions below."""
    return html_block(result.title, html_table(*difference_rows(result, once=False)), result.conventions)
