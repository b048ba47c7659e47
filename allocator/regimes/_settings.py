"""Refusals that rules, tables by regime and the economics share, each naming the argument of the caller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market
from allocator.market.market import find_column, window_rows
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._returns import ReturnTable
from allocator.statistics._settings import is_number, is_whole, refuse_no_seed

__all__: list[str] = []

_MOST_RESAMPLES = 1_000_000
# Squares and products of what lies between are numbers that a float holds.
_SMALLEST, _LARGEST = 1e-50, 1e50


def refuse_no_market(market: object) -> None:
    """Refuse what is no market."""
    if not isinstance(market, Market):
        problem = f"expected a Market, got {type(market).__name__}"
        raise InputError("market", problem, fix="pass al.Market(prices, cash=...)")


def refuse_no_flag(argument: str, value: object) -> None:
    """Refuse what is neither True nor False: a text such as "no" would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(argument, f"{value!r} is neither True nor False")


def refuse_no_text(argument: str, value: object, fix: str = "") -> None:
    """Refuse what is no text, and the empty one."""
    if not isinstance(value, str) or not value:
        raise InputError(argument, f"{value!r} is no name", fix=fix or "pass a text")


def whole_between(argument: str, value: Any, least: int, most: int, fix: str = "") -> int:
    """Return a whole number within limits, both included, or refuse it."""
    if not is_whole(value):
        raise InputError(argument, f"{value!r} is not a whole number", fix=fix)
    if not least <= value <= most:
        raise InputError(argument, f"is {value}, expected {least:,} to {most:,}", fix=fix)
    return int(value)


def number_between(argument: str, value: Any, low: float, high: float, fix: str = "") -> float:
    """Return a number above ``low`` and at most ``high``, or refuse it."""
    if not is_number(value) or not low < value <= high:
        raise InputError(argument, f"{value!r} is no number above {low:g} up to {high:g}", fix=fix)
    return float(value)


def refuse_draws(n_resamples: Any, seed: Any, least: int = 1) -> None:
    """Refuse a number of resamples that is none or would never end, and what is no seed."""
    whole_between("n_resamples", n_resamples, least, _MOST_RESAMPLES, "pass 1000, say")
    refuse_no_seed(seed)


def refuse_bootstrap(confidence: Any, n_resamples: Any, seed: Any) -> None:
    """Refuse a confidence, resamples or a seed that are none."""
    refuse_confidence(confidence)
    if not is_number(confidence) or not 1e-6 <= confidence <= 1.0 - 1e-9:
        raise InputError("confidence", f"{confidence!r} leaves no interval", fix="pass 0.95 for 95 %")
    refuse_draws(n_resamples, seed, least=2)


def column_named(market: Market, asset: Any, argument: str) -> int:
    """Return the column of an asset, or refuse its name as the caller's argument."""
    refuse_no_text(argument, asset, f"the market has: {', '.join(market.assets)}")
    column = find_column(market, asset)
    if column is None:
        raise InputError(argument, f"the market has no {asset!r}", fix=f"it has: {', '.join(market.assets)}")
    return column


def rows_of_window(market: Market, years: Any, n_assets: int, argument: str) -> int:
    """Return the returns in a window, or refuse it as the caller's argument."""
    number_between(argument, years, 0.0, 200.0, "pass 3, say")
    try:
        return window_rows(market.frequency, years, n_assets)
    except InputError as error:
        raise InputError(argument, error.problem, fix=error.fix) from None


def refuse_no_scale(table: ReturnTable) -> ReturnTable:
    """Return a table of returns, refusing what no return is: too large to square, or nothing but rounding."""
    size = np.abs(table.matrix)
    refuse_huge(table.matrix, table.argument, None if table.is_single else table.columns, table.dates)
    still = np.flatnonzero((size.max(axis=0) > 0.0) & (size.max(axis=0) < _SMALLEST))
    if len(still):
        asset = None if table.is_single else table.columns[still[0]]
        problem = f"no return is larger than {size[:, still[0]].max():.3g}, which is nothing"
        raise InputError(table.argument, problem, asset=asset, count=len(still), fix="look at its unit")
    return table


def refuse_huge(values: NDArray[np.float64], argument: str, names: Any = None, dates: Any = None) -> None:
    """Refuse numbers whose squares no float holds, shape (n_rows, n_series)."""
    bad = np.abs(values) > _LARGEST
    if bad.any():
        row, column = divmod(int(np.argmax(bad)), bad.shape[1])
        raise InputError(
            argument,
            f"{values[row, column]:.3g} is larger than anything measured",
            asset=None if names is None else names[column],
            date=None if dates is None else dates[row],
            count=int(bad.sum()),
            fix="look for a misplaced number",
        )


def refuse_no_dates(index: object, argument: str) -> None:
    """Refuse an index that holds no dates, twice the same, or not in order."""
    if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
        kind = "a missing date (NaT)" if isinstance(index, pd.DatetimeIndex) else type(index).__name__
        raise InputError(argument, f"expected dates, got {kind}", fix="pass market.index[1:], say")
