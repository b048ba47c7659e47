"""How breaks show themselves: the dates, how sure they are, and what both rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_lines, html_table, text_block, text_lines, text_table

if TYPE_CHECKING:
    from allocator.statistics.structural_breaks import Partition, StructuralBreaks
    from allocator.statistics.sup_f import BreakTest

__all__ = ["breaks_html", "breaks_text", "partition_html", "partition_text", "single_html", "single_text"]

_EXACT = 1e12  # a statistic beyond this is a division by rounding


def _p(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _coefficients(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())


def _value(value: float, form: str = ".4g") -> str:
    return f"{value + 0.0:{form}}"  # -0 is 0


def _statistic(value: float) -> str:
    return f"{value:.2f}" if value < _EXACT else "without bound, both sides fit exactly,"


def _test_lines(result: BreakTest) -> list[str]:
    return [
        f"One break in the {result.relation}? p of none: {_p(result.p_value)}; largest statistic "
        f"{_statistic(result.statistic)} at {iso_date(result.date)}",
        f"{_coefficients(result.before)} up to then; {_coefficients(result.after)} after",
        f"n={result.n:,}, at least {result.shortest:,} on either side; {result.method}",
        *([result.caution] if result.caution else []),
    ]


def single_text(result: BreakTest) -> str:
    """Return a test for a break as text."""
    return text_block(text_lines(_test_lines(result)))


def single_html(result: BreakTest) -> str:
    """Return a test for a break as HTML."""
    return html_lines(_test_lines(result))


def _segment_table(result: Partition) -> tuple[list[str], list[list[str]]]:
    names = [name for name in result.segments.columns[3:] if not name.endswith(" ±")]
    head = ["", "to", "n", *names, f"break, {100 * result.confidence:g} % set"]
    sets = [
        f"{iso_date(row['date'])} ({iso_date(row['low'])} to {iso_date(row['high'])})"
        for row in result.breaks.to_dict("records")
    ]
    rows = [
        [
            iso_date(row["begin"]),
            iso_date(row["end"]),
            f"{row['n']:,}",
            *(f"{_value(row[name])} ± {_value(row[f'{name} ±'], '.2g')}" for name in names),
            ended,
        ]
        for row, ended in zip(result.segments.to_dict("records"), [*sets, ""], strict=True)
    ]
    return head, rows


def _title(result: Partition) -> str:
    count = len(result.rows)
    return f"{count or 'No'} break{'' if count == 1 else 's'} in the {result.relation}"


def partition_text(result: Partition) -> str:
    """Return segments as text."""
    return text_block([_title(result), *text_table(*_segment_table(result)), f"BIC {result.bic:.2f}"])


def partition_html(result: Partition) -> str:
    """Return segments as HTML."""
    return html_block(_title(result), html_table(*_segment_table(result)), [f"BIC {result.bic:.2f}"])


def _breaks_lines(result: StructuralBreaks) -> list[str]:
    by_number = ", ".join(f"{each.bic:.1f}" for each in result.partitions)
    steps = ", ".join(_p(value) for value in result.steps["p_value"])
    return [
        f"BIC of 0, 1, ... breaks: {by_number}: {result.by_bic}, which is shown",
        f"p of no more than 0, 1, ... breaks: {steps}: {result.sequential} at {result.significance:.0%}",
        f"n={result.n:,}, at least {result.shortest:,} in a segment; breaks are dated by the last row before",
        result.method,
        *([result.caution] if result.caution else []),
    ]


def breaks_text(result: StructuralBreaks) -> str:
    """Return breaks as text."""
    chosen = result.chosen
    return text_block(
        [_title(chosen), *text_table(*_segment_table(chosen)), *text_lines(_breaks_lines(result))]
    )


def breaks_html(result: StructuralBreaks) -> str:
    """Return breaks as HTML."""
    chosen = result.chosen
    return html_block(_title(chosen), html_table(*_segment_table(chosen)), _breaks_lines(result))
