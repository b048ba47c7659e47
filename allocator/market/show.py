"""How a market shows itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, printable, text_block, text_table

if TYPE_CHECKING:
    from allocator.market.market import Market

__all__ = ["Sources", "delistings", "market_html", "market_text"]

_WIDTH = 100
_MOST_NAMED = 8


class Sources(Mapping[str, str]):
    """Sources by series, read-only; prints them as paragraphs."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)

    def __getitem__(self, series: str) -> str:
        return self._texts[series]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        width = max((len(name) for name in self), default=0) + 2
        return "\n".join(_paragraph(name, text, width) for name, text in self.items()) or "no sources given"


def _paragraph(name: str, text: str, indent: int) -> str:
    return textwrap.fill(
        f"{printable(name):<{indent}}{printable(text)}",
        _WIDTH,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


_HEAD = ("asset", "listed", "growth of 1", "source")


def _title(market: Market) -> str:
    mark = "SIMULATED market" if market.simulated else "Market"
    dates = f"{iso_date(market.index[0])} to {iso_date(market.index[-1])}"
    return f"{mark}: {market.name}, {market.frequency}, {dates}, {len(market.index):,} rows"


def _rows(market: Market) -> list[tuple[str, str, str, str]]:
    """Return a row an asset: name, first date, growth of 1, source."""
    rows = []
    for j, asset in enumerate(market.assets):
        first = int(market.listed_from[j])
        listed = first < len(market.index)
        growth = f"{market.levels[-1, j] / market.levels[first, j]:,.2f}" if listed else "–"
        rows.append((asset, _span(market, j), growth, market.sources.get(asset, "")))
    return rows


def _span(market: Market, column: int) -> str:
    """Return the first date of an asset, and the last where it was delisted."""
    first, stop = int(market.listed_from[column]), int(market.listed_until[column])
    if first == len(market.index):
        return "not listed yet"
    since = iso_date(market.index[first])
    return since if stop == len(market.index) else f"{since} to {iso_date(market.index[stop - 1])}"


def delistings(market: Market) -> tuple[str, ...]:
    """Return a line that names the assets delisted up to the last date, and what their holders got."""
    gone = [j for j, row in enumerate(market.listed_until) if row < len(market.levels)]
    if not gone:
        return ()
    texts = [_delisting(market, j) for j in gone[:_MOST_NAMED]]
    more = [f"and {len(gone) - _MOST_NAMED} more"] if len(gone) > _MOST_NAMED else []
    return (f"delisted: {', '.join(texts + more)}",)


def _delisting(market: Market, column: int) -> str:
    row = int(market.listed_until[column])
    change = market.levels[row, column] / market.levels[row - 1, column] - 1.0
    return f"{market.assets[column]} on {iso_date(market.index[row])}, {change:+.4g} on that row"


def _footer(market: Market) -> list[str]:
    signals = f"signals, dated when known: {', '.join(market.signals)}" if market.signals else "no signals"
    return [signals, *market.notes]


def market_text(market: Market) -> str:
    """Return the market as text: what, since when, growth of 1, and how cash was given."""
    lines = text_table(_HEAD[:3], [row[:3] for row in _rows(market)], n_labels=2)
    return text_block([_title(market), *(f"  {line}" for line in lines), *_footer(market)])


def market_html(market: Market) -> str:
    """Return the market as an HTML table with its sources."""
    return html_block(_title(market), html_table(_HEAD, _rows(market)), _footer(market))
