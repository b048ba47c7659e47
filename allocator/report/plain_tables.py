"""Tables as Markdown and as CSV, texts made harmless."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from allocator.report.paper_cells import paper_cells

__all__ = ["to_csv", "to_markdown"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~$!])")


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

    A text that a spreadsheet would take for a formula begins with an apostrophe, in the head too.

    Raises
    ------
    InputError
        If it is no table.
    """
    paper_cells(table)  # refuses what is none
    frame = table.reset_index() if any(name is not None for name in table.index.names) else table
    marked = {j: frame.iloc[:, j].map(_marked) for j in range(frame.shape[1])}
    neutral = pd.DataFrame(marked).set_axis([_marked(str(name)) for name in frame.columns], axis=1)
    return str(neutral.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d"))


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _marked(cell: object) -> object:
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
