"""Numbers of a result as the texts that a paper prints: few digits, the unit in the head."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import pandas as pd

from allocator.errors import InputError, iso_date

__all__ = ["paper_cells"]

MISSING = "–"


def _percent(value: Any) -> str:
    return f"{round(100.0 * value, 1) + 0.0:,.1f}"


def _basis_points(value: Any) -> str:
    return f"{round(value * 1e4) + 0:,}"


def _two(value: Any) -> str:
    return f"{round(value, 2) + 0.0:,.2f}"


def _three(value: Any) -> str:
    return f"{round(value, 3) + 0.0:,.3f}"


def _p_value(value: Any) -> str:
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def _count(value: Any) -> str:
    return f"{int(value):,}"


_Text = Callable[[Any], str]
# Column of a result: what the head says, unit included, and how its numbers are written.
_KNOWN: dict[str, tuple[str, _Text]] = {
    "cagr": ("CAGR (%)", _percent),
    "volatility": ("volatility (% a year)", _percent),
    "mean": ("mean over cash (% a year)", _percent),
    "annual": ("mean (% a year)", _percent),
    "sharpe": ("Sharpe", _two),
    "sharpe_se": ("s.e.", _two),
    "sharpe_baseline": ("Sharpe, baseline", _two),
    "without": ("Sharpe without", _two),
    "difference": ("difference", _two),
    "standard_error": ("s.e.", _two),
    "annual_error": ("s.e. (% a year)", _percent),
    "interval": ("95 % interval", str),
    "low": ("low", _two),
    "high": ("high", _two),
    "correlation": ("correlation", _two),
    "sortino": ("Sortino", _two),
    "calmar": ("Calmar", _two),
    "max_drawdown": ("max. drawdown (%)", _percent),
    "turnover": ("turnover (% a year)", _percent),
    "trading_cost": ("trading cost (bp a year)", _basis_points),
    "fees": ("fees (bp a year)", _basis_points),
    "interest_paid": ("interest paid (bp a year)", _basis_points),
    "interest_earned": ("interest earned (bp a year)", _basis_points),
    "mean_leverage": ("mean leverage", _two),
    "share": ("share (%)", _percent),
    "weight": ("weight (%)", _percent),
    "p": ("p", _p_value),
    "p_value": ("p alone", _p_value),
    "p_span": ("p of span", _p_value),
    "p_family": ("p family", _p_value),
    "p_equal": ("p equal", _p_value),
    "n": ("n", _count),
    "block_length": ("block", _count),
}


def paper_cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]], int]:
    """Return the head, the rows and the number of columns that stand left, all as plain text.

    The index comes first where it has names; columns of texts stand left as long as nothing else was before.

    Raises
    ------
    InputError
        If it is no table, or has no column.
    """
    if not isinstance(table, pd.DataFrame):
        fix = "pass a DataFrame, such as study.table"
        raise InputError("table", f"is a {type(table).__name__}", fix=fix)
    named = any(name is not None for name in table.index.names)
    frame = table.reset_index() if named else table
    if not frame.shape[1]:
        raise InputError("table", "has no columns")
    columns = [str(name) for name in frame.columns]
    head = [_KNOWN[name][0] if name in _KNOWN else name.replace("_", " ") for name in columns]
    cells = [[_cell(name, value) for value in frame.iloc[:, j]] for j, name in enumerate(columns)]
    n_left = next((j for j in range(len(columns)) if not _is_text(frame.iloc[:, j])), len(columns))
    return head, [list(row) for row in zip(*cells, strict=True)], max(n_left, 1)


def _is_text(column: pd.Series[Any]) -> bool:
    return bool(column.map(lambda cell: isinstance(cell, str)).all())


def _cell(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return MISSING
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if number in (float("inf"), float("-inf")):
            return "∞" if number > 0 else "−∞"
        default = _count if isinstance(value, numbers.Integral) else _three
        return _KNOWN[name][1](number) if name in _KNOWN else default(number)
    return iso_date(value)
