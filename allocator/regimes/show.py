"""How a table by regime shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    import pandas as pd

    from allocator.regimes.conditional import ConditionalTable

__all__ = ["conditional_html", "conditional_text", "p_value_text"]

_PERCENT = {"share", "mean", "volatility", "max_drawdown"}
_P_VALUES = {"p", "p_holm"}
_HIDDEN = {"standard_error", "block_length"}


def _cell(column: str, value: Any, decimals: int | None) -> str:
    if isinstance(value, str):
        return value
    if not np.isfinite(value):
        return "–"
    if column in _PERCENT and (decimals is None or column == "share"):
        return f"{value:.1%}"
    if column in _P_VALUES:
        return p_value_text(value)
    if column == "effective_n":
        return f"{value:,.0f}"
    return f"{value:+.{decimals or 2}f}" if isinstance(value, float) else f"{value:,}"


def _decimals(result: ConditionalTable) -> int | None:
    """Return those of a statistic of the user's: 2, or 4 where it is as small as the return of a month."""
    if "effective_n" not in result.table:
        return None
    sizes = np.abs(result.table[result.statistic].to_numpy(dtype=np.float64))
    return 2 if np.nanmax(sizes, initial=0.0) >= 0.5 else 4


def _headed(result: ConditionalTable) -> tuple[list[str], list[list[str]]]:
    table: pd.DataFrame = result.table.reset_index()
    columns = [c for c in table.columns if c not in _HIDDEN and not (c == "reason" and not table[c].any())]
    decimals = _decimals(result)
    rows = [[_cell(c, row[c], decimals) for c in columns] for row in table.to_dict("records")]
    return [str(c).replace("_", " ") for c in columns], rows


def p_value_text(p: float) -> str:
    """Return a p-value with three digits, or why there is none."""
    if not np.isfinite(p):
        return "– (fewer than two regimes have an estimate)"
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _title(result: ConditionalTable) -> str:
    """Return the definition of the regimes and whether they were known at the time."""
    hindsight = " (ex post: not known at the time)" if result.regimes.ex_post else " (known at the time)"
    return f"{result.regimes.name}: {result.regimes.rule}{hindsight}"


def _footer(result: ConditionalTable) -> list[str]:
    equal = result.p_equal
    if isinstance(equal, dict):
        tests = ", ".join(f"{name} {p_value_text(p)}" for name, p in equal.items())
        line = f"p of equal {result.statistic} in all regimes (Welch): {tests}"
    else:
        line = f"p of equal {result.statistic} in all regimes (Welch): {p_value_text(equal)}"
    return [line, *result.conventions]


def conditional_text(result: ConditionalTable) -> str:
    """Return the table as text, with the test and the conventions below."""
    lines = text_table(*_headed(result), n_labels=result.table.index.nlevels)
    return text_block([_title(result), *lines, *_footer(result)])


def conditional_html(result: ConditionalTable) -> str:
    """Return the table as HTML, with the test and the conventions below."""
    return html_block(_title(result), html_table(*_headed(result)), _footer(result))
