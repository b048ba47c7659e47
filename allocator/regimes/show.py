"""How a table by regime shows itself."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from allocator.regimes.conditional import ConditionalTable

__all__ = ["conditional_html", "conditional_text"]

_PERCENT = {"share", "mean", "volatility", "max_drawdown"}
_HIDDEN = {"standard_error", "block_length"}


def _cell(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if not np.isfinite(value):
        return "–"
    if column in _PERCENT:
        return f"{value:.1%}"
    return f"{value:+.2f}" if isinstance(value, float) else f"{value:,}"


def _headed(result: ConditionalTable) -> tuple[list[str], list[list[str]]]:
    table: pd.DataFrame = result.table.reset_index()
    columns = [c for c in table.columns if c not in _HIDDEN and not (c == "reason" and not table[c].any())]
    rows = [[_cell(c, row[c]) for c in columns] for row in table.to_dict("records")]
    return [str(c).replace("_", " ") for c in columns], rows


def _p_value(p: float) -> str:
    if not np.isfinite(p):
        return "– (fewer than two regimes have an estimate)"
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _title(result: ConditionalTable) -> str:
    hindsight = " (ex post: not known at the time)" if result.regimes.ex_post else " (known at the time)"
    return f"{result.regimes.name}: {result.regimes.rule}{hindsight}"


def _footer(result: ConditionalTable) -> list[str]:
    equal = result.p_equal
    if isinstance(equal, dict):
        tests = ", ".join(f"{name} {_p_value(p)}" for name, p in equal.items())
        line = f"p of equal {result.statistic} in all regimes (Wald): {tests}"
    else:
        line = f"p of equal {result.statistic} in all regimes (Wald): {_p_value(equal)}"
    return [line, *result.conventions]


def conditional_text(result: ConditionalTable) -> str:
    """Return the table as text, with the test and the conventions below."""
    head, rows = _headed(result)
    widths = [max(len(row[j]) for row in [head, *rows]) for j in range(len(head))]
    n_labels = result.table.index.nlevels

    def line(cells: list[str]) -> str:
        return "  ".join(c.ljust(w) if j < n_labels else c.rjust(w) for j, (c, w) in enumerate(zip(cells, widths, strict=True)))

    return "\n".join([_title(result), line(head), *map(line, rows), *_footer(result)])


def conditional_html(result: ConditionalTable) -> str:
    """Return the table as HTML, with the test and the conventions below."""
    head, rows = _headed(result)
    top = "".join(f"<th>{html.escape(c)}</th>" for c in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    foot = "<br>".join(html.escape(line) for line in _footer(result))
    return (
        f"<div><b>{html.escape(_title(result))}</b><table><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table><small>{foot}</small></div>"
    )
