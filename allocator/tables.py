"""Tables of texts, as text and as HTML: the one place where a name from outside meets markup."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence

__all__ = ["html_block", "html_lines", "html_table", "text_lines", "text_table"]

_WIDTH = 110


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]], n_labels: int = 1) -> list[str]:
    """Return the lines of a table; the first ``n_labels`` columns stand left, the others right."""
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
        for piece in textwrap.wrap(line, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    ]


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table of texts, escaped; the first column names the rows."""
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str]) -> str:
    first, *others = map(html.escape, cells)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in others)


def html_lines(lines: Iterable[str]) -> str:
    """Return texts as lines of HTML, escaped."""
    return "<br>".join(map(html.escape, lines))


def html_block(title: str, table: str, lines: Iterable[str]) -> str:
    """Return a table that is HTML already, with its title above and lines in small type below."""
    return f"<div><b>{html.escape(title)}</b>{table}<small>{html_lines(lines)}</small></div>"
