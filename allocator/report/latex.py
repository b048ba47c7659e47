"""Tables as LaTeX for papers: booktabs, and every text escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from allocator.errors import InputError
from allocator.report.paper_cells import paper_cells

__all__ = ["latex_text", "to_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\texttt{\char34}",
    "'": "'",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after \\ or at the head of a row it would be read as an option
    "]": "{]}",
    "*": "{*}",
    "-": "{-}",  # two hyphens of a name stay two
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "’": "{\\textquoteright}",
    "‘": "{\\textquoteleft}",
    "“": "{\\textquotedblleft}",
    "”": "{\\textquotedblright}",
    "−": "$-$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\rightarrow$",
    "²": r"$^{2}$",
    "½": r"$\frac{1}{2}$",
    "Δ": r"$\Delta$",
    "Σ": r"$\Sigma$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "λ": r"$\lambda$",
    "σ": r"$\sigma$",
    "π": r"$\pi$",
}
_UNKNOWN = "ĦħĸĿŀŉŦŧſ"  # in these blocks, but not in the fonts of pdfLaTeX
_NEGATIVE = re.compile(r"-[0-9.,]+\Z")
_LABEL = re.compile(r"[A-Za-z0-9:._-]*\Z")


def to_latex(table: pd.DataFrame, title: str = "", notes: Sequence[str] = (), label: str = "") -> str:
    r"""Return a table as a LaTeX ``table`` of the package booktabs.

    Columns that results of this library have are written with their unit in the head and few digits; others
    with three decimals. Texts are escaped, so that a name is set as it is written: the result needs
    ``\usepackage{booktabs}`` and, for letters such as ą, ``\usepackage[T1]{fontenc}``, with pdfLaTeX, XeLaTeX
    or LuaLaTeX. A character that pdfLaTeX has no glyph for is written as its code point, such as ``U+4E2D``.

    Parameters
    ----------
    table
        Its index, where it is named, are the first columns.
    title
        The caption.
    notes
        Lines below the table, such as the ``conventions`` of a result.
    label
        For ``\ref``; letters, digits, ``:``, ``.``, ``_`` and ``-``.

    Raises
    ------
    InputError
        If it is no table, or the label has other characters.
    """
    head, rows, n_left = paper_cells(table)
    if not isinstance(label, str) or not _LABEL.match(label):
        raise InputError("label", f"{label!r} is no label", fix="use letters, digits, ':', '.', '_' and '-'")
    columns = "l" * n_left + "r" * (len(head) - n_left)
    caption = f"\\caption{{{latex_text(title)}}}" if title else ""
    lines = [
        r"\begin{table}[htbp]",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        caption + (f"\\label{{{label}}}" if label else ""),
        r"\par\smallskip" if title else "",
        f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        _heads(head, n_left),
        r"\midrule",
        *(_row(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *_notes(notes),
        r"\end{table}",
    ]
    return "\n".join(filter(None, lines)) + "\n"


def latex_text(text: str) -> str:
    """Return a text so that LaTeX sets it as it stands, in one line."""
    return "".join(map(_escaped, " ".join(str(text).split())))


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    code = ord(character)
    if 0x20 <= code < 0x7F or (0xC0 <= code <= 0x17F and character not in _UNKNOWN):
        return character
    return f"\\texttt{{U+{code:04X}}}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(_cell, cells)) + r" \\"


def _cell(text: str) -> str:
    """Return a number with a minus sign, and a text as it stands."""
    return f"$-${text[1:]}" if _NEGATIVE.match(text) else latex_text(text)


def _heads(head: Sequence[str], n_left: int) -> str:
    """Return the heads, those of numbers broken before their unit so that columns stay narrow."""
    cells = [latex_text(text) if j < n_left else _stacked(text) for j, text in enumerate(head)]
    return " & ".join(cells) + r" \\"


def _stacked(text: str) -> str:
    name, _, unit = text.partition(" (")
    words = [*name.split(), *([f"({unit}"] if unit else [])]
    if len(words) == 1:
        return latex_text(text)
    return r"\begin{tabular}[b]{@{}r@{}}" + r"\\".join(map(latex_text, words)) + r"\end{tabular}"


def _notes(notes: Sequence[str]) -> list[str]:
    if not notes:
        return []
    said = " ".join(f"{latex_text(note).rstrip('.')}." for note in notes)
    return [r"\par\smallskip\begin{minipage}{\linewidth}\scriptsize", said, r"\end{minipage}"]
