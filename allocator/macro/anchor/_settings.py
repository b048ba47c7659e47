"""Refusals that the functions of this package share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.market.market import Date, parse_date
from allocator.regimes._settings import refuse_bootstrap, refuse_draws, refuse_no_scale
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import Returns, ReturnTable, read_one_series
from allocator.statistics._settings import is_number
from allocator.statistics.regression_errors import RegressionErrors

__all__ = [
    "is_between",
    "read_moving",
    "read_quantiles",
    "read_starts",
    "refuse_bootstrap",
    "refuse_draws",
    "refuse_other_errors",
]


def read_moving(returns: Returns, argument: str) -> ReturnTable:
    """Return one series, refusing one that never changes or whose squares no float holds."""
    table = refuse_no_scale(read_one_series(returns, argument))
    if is_rounding(table.matrix.std(axis=0), table.matrix).any():
        problem = f"never changes: {table.matrix[0, 0]:.6g} on all {table.n_periods} rows"
        raise InputError(argument, problem, fix="pass a series that moves")
    return table


def refuse_other_errors(errors: Any) -> None:
    """Refuse errors that are none."""
    if not isinstance(errors, RegressionErrors):
        raise InputError("errors", f"{errors!r} are no errors", fix="pass al.NeweyWestErrors(4), say")


def read_starts(starts: Any, argument: str) -> list[pd.Timestamp]:
    """Return dates, refusing what is no list of them."""
    if not isinstance(starts, Iterable) or isinstance(starts, str):
        kind = "one text" if isinstance(starts, str) else "no list of dates"
        is_date = isinstance(starts, str | dt.date | np.datetime64)
        fix = f"pass [{starts!r}]" if is_date else 'pass ["2022-01-01"], say, or [] for a single period'
        raise InputError(argument, f"{starts!r} is {kind}", fix=fix)
    dates: Sequence[Date] = list(starts)
    return [parse_date(date, argument) for date in dates]


def read_quantiles(quantiles: Any) -> tuple[float, ...]:
    """Return shares, refusing what is no tuple of numbers between 0 and 0.5."""
    if isinstance(quantiles, str) or not isinstance(quantiles, Iterable):
        fix = f"pass ({quantiles!r},)" if is_number(quantiles) else "pass (0.10, 0.05, 0.01)"
        raise InputError("quantiles", f"{quantiles!r} is no tuple of shares", fix=fix)
    shares = tuple(quantiles)
    for share in shares:
        if not is_between(share, 0.0, 0.5):
            raise InputError("quantiles", f"{share!r} is not between 0 and 0.5", fix="pass 0.05 for 5 %")
    return shares


def is_between(value: Any, low: float, high: float) -> bool:
    """Whether a value is a number between two others."""
    return is_number(value) and low < float(value) < high
