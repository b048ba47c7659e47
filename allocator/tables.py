"""Tables of texts, as text, HTML and CSV: the one place where a name from outside meets markup.

A name may be anything. On a terminal and on a page its control characters, and those that change the
direction of writing, are written out; in HTML it is escaped; in a spreadsheet it is no formula.
"""

from __future__ import annotations

import csv
import html
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "csv_quoting",
    "csv_text",
    "html_block",
    "html_lines",
    "html_table",
    "html_text",
    "printable",
    "text_block",
    "text_lines",
    "text_table",
]

_WIDTH = 110
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode: they do something instead of being seen
_JOINERS = "\u200c\u200d"  # within words of Persian and within emoji
_PARTS = frozenset(";\t\r")  # Python before 3.13 leaves a lone carriage return bare
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # wide ones too: some spreadsheets take them


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], n_labels: int = 1) -> list[str]:
    """Return the lines of a table; the first ``n_labels`` columns stand left, the others right."""
    head, rows = list(map(printable, head)), [list(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    sides = ["<" if j < n_labels else ">" for j in range(len(head))]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True))
        for row in (head, *rows)
    ]


def text_lines(lines: Iterable[str]) -> list[str]:
    """Return lines of text no wider than 110 characters, what is longer indented below."""
    return [
        piece
        for line in lines
        for piece in textwrap.wrap(printable(line), _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    ]


def text_block(lines: Iterable[str]) -> str:
    """Return lines of text in which no name ends a line or moves the cursor (see :func:`printable`)."""
    return "\n".join(map(printable, lines))


def printable(text: str) -> str:
    r"""Return a text in which control characters are written as Python writes them: ``\x1b``, ``\n``."""
    return text if text.isprintable() else "".join(map(_seen, text))


def _seen(character: str) -> str:
    hidden = unicodedata.category(character) in _CONTROL and character not in _JOINERS
    return repr(character)[1:-1] if hidden else character


def html_text(text: str) -> str:
    """Return a text as HTML, in which it is text and nothing else; its lines stay lines."""
    return html.escape("\n".join(map(printable, text.split("\n"))))


def csv_text(cell: Any) -> Any:
    """Return a text so that a spreadsheet takes it for no formula, and anything else as it is.

    One that begins with ``=``, ``+``, ``-``, ``@``, a tab or an end of line gets an apostrophe before it, and
    so does one that begins with an apostrophe: who takes one off has all names again.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("'", *_FORMULA)) else cell


def csv_quoting(texts: Iterable[Any]) -> int:
    """Return how to quote a CSV: all of its texts where one has what elsewhere parts cells or lines."""
    parted = any(isinstance(text, str) and not _PARTS.isdisjoint(text) for text in texts)
    return csv.QUOTE_NONNUMERIC if parted else csv.QUOTE_MINIMAL


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table of texts, escaped; the first column names the rows."""
    top = "".join(f'<th scope="col">{html_text(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str]) -> str:
    first, *others = map(html_text, cells)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in others)


def html_lines(lines: Iterable[str]) -> str:
    """Return texts as lines of HTML, escaped."""
    return "<br>".join(map(html_text, lines))


def html_block(title: str, table: str, lines: Iterable[str]) -> str:
    """Return a table that is HTML already, with its title above and lines in small type below."""
    return f"<div><b>{html_text(title)}</b>{table}<small>{html_lines(lines)}</small></div>"
