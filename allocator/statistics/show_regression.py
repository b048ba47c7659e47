"""How regressions and tests of their coefficients show themselves."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_lines, html_table, printable, text_table

if TYPE_CHECKING:
    from allocator.statistics.regression import LeastSquares, LinearCombination, WaldTest

__all__ = [
    "combination_html",
    "combination_text",
    "degrees_text",
    "p_text",
    "regression_html",
    "regression_text",
    "wald_html",
    "wald_text",
]

_FEW_ROWS = 250
_WIDTH = 110


def p_text(value: float) -> str:
    """Return a p-value as text, a dash for NaN."""
    if np.isnan(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def degrees_text(value: float) -> str:
    """Return degrees of freedom as text."""
    return f"{value:,.4g} degree{'' if value == 1.0 else 's'}"


def _plus_minus(estimate: float, error: float) -> str:
    return _number(estimate) if np.isnan(error) else f"{estimate:.4g} ± {error:.2g}"


def _wrapped(lines: list[str]) -> str:
    return "\n".join(
        piece for line in lines for piece in textwrap.wrap(printable(line), _WIDTH, subsequent_indent="  ")
    )


def _number(value: float, form: str = ".4g") -> str:
    return "–" if np.isnan(value) else f"{value:{form}}"


def _rough(n: int, method: str) -> list[str]:
    """Return a warning where HAC errors are known to reject too often."""
    is_rough = n < _FEW_ROWS and "HAC" in method and "HC3" not in method
    return [f"rough: HAC errors of fewer than {_FEW_ROWS} rows reject too often"] if is_rough else []


def _regression_parts(result: LeastSquares) -> tuple[str, list[str], list[list[str]], list[str]]:
    head = ["", "estimate", "± se", "t", "p of 0", f"{100 * result.confidence:g} % interval"]
    rows = [
        [
            str(name),
            _number(row["estimate"]),
            _number(row["standard_error"], ".2g"),
            _number(row["t"], ".2f"),
            p_text(row["p_value"]),
            f"{_number(row['low'])} to {_number(row['high'])}" if row["low"] == row["low"] else "–",
        ]
        for name, row in result.table.iterrows()
    ]
    lines = [
        f"n={result.n:,}, {iso_date(result.begin)} to {iso_date(result.end)}; R² {result.r_squared:.4f}; "
        f"deviation of the residuals {result.deviation:.4g}",
        f"{result.method}; Student's t with {degrees_text(result.degrees)}",
        *_rough(result.n, result.method),
        *([result.reason] if result.reason else []),
    ]
    others = ", ".join(str(name) for name in result.table.index[1:])
    return f"{result.name} on {others}" if others else f"Mean of {result.name}", head, rows, lines


def regression_text(result: LeastSquares) -> str:
    """Return a regression as text."""
    title, head, rows, lines = _regression_parts(result)
    return "\n".join([_wrapped([title]), *text_table(head, rows), _wrapped(lines)])


def regression_html(result: LeastSquares) -> str:
    """Return a regression as HTML."""
    title, head, rows, lines = _regression_parts(result)
    return html_block(title, html_table(head, rows), lines)


def _wald_lines(result: WaldTest) -> list[str]:
    return [
        f"Wald test of {', '.join(result.restrictions)}: p {p_text(result.p_value)}, "
        f"statistic {_number(result.statistic, '.3f')}",
        f"{len(result.restrictions)} and {degrees_text(result.degrees)} of freedom (χ²: p "
        f"{p_text(result.p_chi2)}); n={result.n:,}; {result.method}",
        *_rough(result.n, result.method),
        *([result.reason] if result.reason else []),
    ]


def wald_text(result: WaldTest) -> str:
    """Return a test as text."""
    return _wrapped(_wald_lines(result))


def wald_html(result: WaldTest) -> str:
    """Return a test as HTML."""
    return html_lines(_wald_lines(result))


def _combination_lines(result: LinearCombination) -> list[str]:
    interval = (
        " without an error"
        if np.isnan(result.low)
        else f"; {100 * result.confidence:g} % interval {result.low:.4g} to {result.high:.4g}; "
        f"p of 0 {p_text(result.p_value)}"
    )
    return [
        f"{result.expression} = {_plus_minus(result.estimate, result.standard_error)}{interval}",
        f"p of at most 0 {p_text(result.p_positive)}, of at least 0 {p_text(result.p_negative)}; "
        f"n={result.n:,}; {result.method}",
        *_rough(result.n, result.method),
    ]


def combination_text(result: LinearCombination) -> str:
    """Return a sum of coefficients as text."""
    return _wrapped(_combination_lines(result))


def combination_html(result: LinearCombination) -> str:
    """Return a sum of coefficients as HTML."""
    return html_lines(_combination_lines(result))
