"""Refusals that the functions of this package share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.market.market import Date, parse_date
from allocator.statistics._settings import is_number, is_whole, refuse_no_seed
from allocator.statistics.regression_errors import RegressionErrors


def refuse_draws(n_resamples: Any, seed: Any) -> None:
    """Refuse a number of resamples or a seed that is no whole number."""
    if not is_whole(n_resamples) or n_resamples < 1:
        raise InputError("n_resamples", f"{n_resamples!r} is not a positive number", fix="pass 2000, say")
    refuse_no_seed(seed)


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
