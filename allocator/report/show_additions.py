"""How portfolios with something added show themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.report.additions import Additions

__all__ = ["additions_html", "additions_text"]

_HEAD = [
    *("", "from", "n", "CAGR", "volatility", "Sharpe", "without", "difference", "95 % interval"),
    *("p alone", "p family", "drawdown", "turnover"),
]


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f} %"


def _number(value: float, form: str) -> str:
    return "–" if np.isnan(value) else f"{value:{form}}"


def _between(row: Any) -> str:
    return "–" if np.isnan(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}"


def _row(label: Any, row: Any) -> list[str]:
    return [
        f"{100 * label:g} %" if isinstance(label, float) else str(label),
        iso_date(row["begin"]),
        f"{row['n']:,}",
        _percent(row["cagr"]),
        _percent(row["volatility"]),
        f"{_number(row['sharpe'], '.2f')} ± {_number(row['sharpe_se'], '.2f')}",
        _number(row["without"], ".2f"),
        _number(row["difference"], "+.2f"),
        _between(row),
        _number(row["p_value"], ".3f"),
        _number(row["p_family"], ".3f"),
        _percent(row["max_drawdown"]),
        _percent(row["turnover"]),
    ]


def _rows(result: Additions) -> list[list[str]]:
    rows = result.table.to_dict("records")
    return [_row(label, row) for label, row in zip(result.table.index, rows, strict=True)]


def additions_text(result: Additions) -> str:
    """Return the portfolios as a text table, the conventions below."""
    return text_block([result.title, *text_table(_HEAD, _rows(result)), *result.conventions])


def additions_html(result: Additions) -> str:
    """Return the portfolios as HTML."""
    return html_block(result.title, html_table(_HEAD, _rows(result)), result.conventions)
