"""How a tear sheet shows itself: as text, in a notebook, and as a page of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from allocator.errors import iso_date
from allocator.report.html_page import box, document
from allocator.report.show import comparison_lines, comparison_rows
from allocator.tables import html_lines, html_table, html_text, text_block, text_table

if TYPE_CHECKING:
    from allocator.report.tear_sheet import TearSheet

__all__ = [
    "sheet_html",
    "sheet_lines",
    "sheet_names",
    "sheet_page",
    "sheet_rows",
    "sheet_text",
    "sheet_title",
]

# What of a comparison's rows is on one page; the rest is in its own table.
_SHOWN = (
    "CAGR",
    "volatility",
    "Sharpe ± se",
    "Sharpe less",
    "95 % interval of it",
    "p family",
    "max drawdown",
    "trough",
    "recovered",
    "ES 95 %",
    "turnover a year",
    "trading cost a year",
    "fees a year",
    "interest paid a year",
)
_BELOW = {"CAGR": ("95 % range of it", "cagr"), "max drawdown": ("95 % range of it", "drawdown")}
_STYLE = """
.tear-pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:.75rem;
 margin-top:1.25rem}
.tear-pictures img{display:block;width:100%;height:auto}
.tear-sheet h1,.tear-sheet h2{margin:.25rem 0}
@page{size:A4;margin:10mm}
@media print{.tear-pictures{grid-template-columns:1fr 1fr 1fr;
 gap:.2rem .6rem;margin-top:.3rem}.tear-sheet h1{font-size:13pt}
 .tear-sheet .note{font-size:6.2pt;line-height:1.25}
 .tear-sheet table{font-size:7pt}.tear-sheet th,.tear-sheet td{padding:0 .35rem}.tear-sheet p{margin:.1rem 0}}
"""


def sheet_names(sheet: TearSheet) -> str:
    """Return the strategies as a person lists them."""
    names = [backtest.name for backtest in sheet.study.backtests]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def sheet_title(sheet: TearSheet) -> str:
    """Return data and window, and that the data are simulated where they are."""
    market, dates = sheet.study.market, sheet.study.dates
    mark = "SIMULATED data: " if market.simulated else ""
    span = f"{iso_date(dates[0])} to {iso_date(dates[-1])}"
    return f"{mark}{market.name}, {market.frequency}, {span}, n={len(dates) - 1:,}, after costs"


def sheet_rows(sheet: TearSheet) -> tuple[list[str], list[list[str]]]:
    """Return the key numbers with their errors, strategies across."""
    head, rows = comparison_rows(sheet.study)
    shown: list[list[str]] = []
    for row in rows:
        if row[0].startswith(_SHOWN):
            shown.append(row)
        if row[0] in _BELOW:
            title, kind = _BELOW[row[0]]
            shown.append([title, *_ranges(sheet, kind)])
    return head, shown


def _ranges(sheet: TearSheet, kind: str) -> list[str]:
    ends = sheet.ranges[[f"{kind}_low", f"{kind}_high"]].to_numpy()
    return ["–" if pd.isna(low) else f"{low:.0%} to {high:.0%}" for low, high in ends]


def sheet_lines(sheet: TearSheet) -> list[str]:
    """Return the conventions, and what is not on the page and why."""
    return list(dict.fromkeys([*sheet.notes, *comparison_lines(sheet.study)]))


def sheet_text(sheet: TearSheet) -> str:
    """Return the key numbers as text."""
    head = f"Tear sheet: {sheet_names(sheet)}"
    tail = "write it: .write('sheet.html'), .pdf or .png; .figure is the page"
    return text_block([head, sheet_title(sheet), *text_table(*sheet_rows(sheet)), *sheet_lines(sheet), tail])


def sheet_html(sheet: TearSheet) -> str:
    """Return the sheet as it shows in a notebook."""
    return f"<style>{_STYLE}</style>{''.join(_parts(sheet))}"


def sheet_page(sheet: TearSheet) -> str:
    """Return the sheet as one page that needs nothing else."""
    mark = "SIMULATED: " if sheet.study.market.simulated else ""
    title = f"{mark}{sheet_names(sheet)}, {sheet.study.market.name}"
    return document(title, [f"<style>{_STYLE}</style>", *_parts(sheet)])


def _parts(sheet: TearSheet) -> Iterator[str]:
    from allocator.report.charts_sheet import sheet_pictures  # not at the top: matplotlib costs a second

    yield '<div class="tear-sheet">'
    if sheet.study.market.simulated:
        yield '<p class="banner">SIMULATED data: made-up prices; nothing here is about a real market.</p>'
    yield f"<h1>{html_text(sheet_names(sheet))}</h1><p>{html_text(sheet_title(sheet))}</p>"
    yield box(html_table(*sheet_rows(sheet)))
    yield '<div class="tear-pictures">'
    for words, data in sheet_pictures(sheet):
        text = base64.b64encode(data).decode("ascii")
        yield f'<img alt="{html_text(words)}" src="data:image/png;base64,{text}">'
    yield f'</div><p class="note">{html_lines(sheet_lines(sheet))}</p></div>'
