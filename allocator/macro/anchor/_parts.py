"""What the texts of this package are made of."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from allocator.statistics.show_regression import p_text
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.statistics.regression import LeastSquares

_WIDTH = 110
_FEW_ROWS = 250

# A title, a table (head and rows; no rows, no table), and lines below.
Parts = tuple[str, list[str], list[list[str]], list[str]]


def number(value: float, form: str = "+.3f") -> str:
    """Return a number as text, a dash for NaN."""
    return "–" if np.isnan(value) else f"{value:{form}}"


def between(low: float, high: float, form: str = "+.3f") -> str:
    """Return an interval as text."""
    return "–" if np.isnan(low) or np.isnan(high) else f"{low:{form}} to {high:{form}}"


def with_error(estimate: float, error: float, form: str = "+.3f", error_form: str = ".3f") -> str:
    """Return an estimate and its standard error as text, alone where it has none."""
    return number(estimate, form) if np.isnan(error) else f"{estimate:{form}} ± {error:{error_form}}"


def in_brackets(low: float, high: float, form: str = "+.3f", join: str = " to ") -> str:
    """Return an interval in brackets after a space, nothing where there is none."""
    return "" if np.isnan(low) or np.isnan(high) else f" ({low:{form}}{join}{high:{form}})"


def p_value(value: float) -> str:
    """Return a p-value with its letter."""
    return "p –" if np.isnan(value) else f"p {p_text(value)}" if value < 1e-4 else f"p = {value:.4f}"


def parts_text(parts: Parts, n_labels: int = 1) -> str:
    """Return a title, a table and wrapped lines."""
    title, head, rows, lines = parts
    wrapped = [piece for line in lines for piece in textwrap.wrap(line, _WIDTH, subsequent_indent="  ")]
    table = [line.rstrip() for line in text_table(head, rows, n_labels)] if rows else []
    head_line = textwrap.wrap(title, _WIDTH, subsequent_indent="  ")
    return text_block([*head_line, *table, *wrapped])


def parts_html(parts: Parts) -> str:
    """Return a title, a table and lines as HTML."""
    title, head, rows, lines = parts
    return html_block(title, html_table(head, rows) if rows else "", lines)


def reasons(*fits: LeastSquares) -> list[str]:
    """Return why regressions have no errors, once each."""
    return list(dict.fromkeys(fit.reason for fit in fits if fit.reason))


def rough(n: int, method: str) -> list[str]:
    """Return a warning where HAC errors are known to reject too often."""
    is_rough = n < _FEW_ROWS and "HAC" in method and "HC3" not in method
    return [f"rough: HAC errors of fewer than {_FEW_ROWS} rows reject too often"] if is_rough else []
