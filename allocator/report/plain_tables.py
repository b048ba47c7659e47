"""Tables as Markdown and as CSV, texts made harmless."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from allocator.report.paper_cells import paper_cells
from allocator.tables import csv_quoting, csv_text, printable

__all__ = ["plain_csv", "to_csv", "to_markdown"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~$!&])")


def to_markdown(table: pd.DataFrame, title: str = "", notes: Sequence[str] = ()) -> str:
    """Return a table as Markdown with pipes, texts escaped; numbers as :func:`to_latex` writes them.

    Parameters
    ----------
    table
        Its index, where it is named, are the first columns.
    title
        A bold line above.
    notes
        A list below.

    Raises
    ------
    InputError
        If it is no table.
    """
    head, rows, n_left = paper_cells(table)
    sides = [":---" if j < n_left else "---:" for j in range(len(head))]
    above = [f"**{_plain(title)}**", ""] if title else []
    below = ["", *(f"- {_plain(note)}" for note in notes)] if notes else []
    cells = [list(map(_plain, row)) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in (list(map(_plain, head)), sides, *cells)]
    return "\n".join([*above, *lines, *below]) + "\n"


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV at full precision, fractions as fractions.

    A text that a spreadsheet would take for a formula, which begins with ``=``, ``+``, ``-``, ``@``, a tab or
    an end of line, gets an apostrophe before it, in the head and the labels too; so does one that begins with
    an apostrophe, and to take one off gives all names again. Numbers, negative ones too, stay numbers. Where
    a text has a semicolon or a tab, which part the cells in some countries, all texts are quoted.

    Raises
    ------
    InputError
        If it is no table.
    """
    paper_cells(table)  # refuses what is none
    return plain_csv(table.reset_index() if any(name is not None for name in table.index.names) else table)


def plain_csv(frame: pd.DataFrame) -> str:
    """Return the columns of a frame as CSV, texts harmless: the one writer of tables that hold names."""
    marked = {j: _column(frame.iloc[:, j]) for j in range(frame.shape[1])}
    neutral = pd.DataFrame(marked).set_axis([csv_text(str(name)) for name in frame.columns], axis=1)
    texts = (cell for j in marked if marked[j].dtype == object for cell in marked[j])
    quoting: Any = csv_quoting(itertools.chain(neutral.columns, texts))
    return neutral.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d", quoting=quoting)


def _column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers and dates as they are, and all else with its texts made harmless."""
    is_plain = column.dtype.kind in "biufM"
    return column if is_plain else pd.Series([csv_text(cell) for cell in column], column.index, dtype=object)


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", printable(" ".join(str(text).split())))
