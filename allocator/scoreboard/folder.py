"""The folder of daily and monthly panels from which the scoreboard is answered (docs/data_folder.md).

A file that is not there leaves out the parts of claims that need it, and they say so; a file that is there
must have the columns that are read from it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.disk import inside
from allocator.errors import InputError
from allocator.market import read_prices
from allocator.untrusted import local_path

__all__ = ["LAYOUT", "at_month_ends", "open_folder", "read_panel"]

# What is read: file, then our name of each column and its name in the file.
LAYOUT: Mapping[str, Mapping[str, str]] = {
    "monthly_eom_1962.csv": {
        "stocks": "US_EQ_ret",
        "bonds": "UST10_ret",
        "gold": "GOLD_ret",
        "cash": "TBILL_ret",
    },
    "monthly_term_premium.csv": {"yield": "ACMY10", "premium": "ACMTP10", "expected": "ACMRNY10"},
    "daily_long_us.csv": {"bonds": "UST10_ret", "cash": "TBILL_ret"},
    "daily_core_balanced.csv": {"stocks": "SPY", "bonds": "IEF", "gold": "GLD"},
    "daily_etf_tr.csv": {
        "developed": "EFA",
        "emerging": "EEM",
        "commodities": "DBC",
        "reits": "VNQ",
        "silver": "SLV",
    },
    "daily_yields_risk.csv": {"nominal": "DGS10", "real": "DFII10"},
    "daily_global_price.csv": {
        "dollar": "DXY",
        "hong kong": "HSI",
        "china": "CSI_300",
        "yuan": "CNY_per_USD",
        "copper": "COPPER_usd_mt",
        "bitcoin": "BTC_usd",
    },
}

_UNITS = {
    "monthly_eom_1962.csv": "returns",
    "monthly_term_premium.csv": "percent",
    "daily_long_us.csv": "returns",
    "daily_core_balanced.csv": "levels",
    "daily_etf_tr.csv": "levels",
    "daily_yields_risk.csv": "percent",
    "daily_global_price.csv": "levels",
}
_LARGEST_TYPICAL_RETURN, _SMALLEST_TYPICAL_YIELD = 0.2, 0.1


def open_folder(folder: str | Path) -> Path:
    """Return a folder that holds at least one file of the layout, or refuse it."""
    path = local_path(folder, "data")
    if not os.path.isdir(path):
        problem = f"{str(path)!r} is no folder"
        raise InputError("data", problem, fix="pass the folder that docs/data_folder.md describes")
    if not any((path / file).exists() for file in LAYOUT):
        problem = f"{str(path)!r} holds none of {', '.join(LAYOUT)}"
        raise InputError("data", problem, fix="docs/data_folder.md says what is read")
    return path


def read_panel(folder: Path | None, file: str) -> pd.DataFrame | None:
    """Return the columns of one file under our names, dates as index; None where the file is not there.

    Yields come back as fractions a year.

    Raises
    ------
    InputError
        A symlink out of the folder, a missing column, dates that do not increase, a month that is left
        out of a monthly file, and numbers in another unit than docs/data_folder.md says; all name the file.
    """
    if folder is None or not os.path.lexists(folder / file):
        return None
    columns = LAYOUT[file]
    table = read_prices(inside(folder, file, file), list(columns.values())).set_axis(list(columns), axis=1)
    _refuse_dates(table, file)
    unit = _UNITS[file]
    for name, column in columns.items():
        _refuse_unit(table[name].dropna(), unit, f"{file}[{column!r}]")
    return table / 100.0 if unit == "percent" else table


def _refuse_dates(table: pd.DataFrame, file: str) -> None:
    index = pd.DatetimeIndex(table.index)
    falls = np.flatnonzero(np.diff(index.to_numpy()) <= np.timedelta64(0))
    if len(falls):
        raise InputError(
            file, "is not later than the row before", date=index[falls[0] + 1], fix="sort, keep one a date"
        )
    if not file.startswith("monthly"):
        return
    months = index.year * 12 + index.month
    gaps = np.flatnonzero(np.diff(months) != 1)
    if len(gaps):
        raise InputError(
            file, "is not the month after the row before", date=index[gaps[0] + 1], fix="one row a month"
        )


def _refuse_unit(values: pd.Series, unit: str, argument: str) -> None:
    """Refuse percent for fractions, fractions for percent, and levels that are not positive."""
    if not len(values):
        return
    typical = float(values.abs().median())
    if unit == "returns" and typical > _LARGEST_TYPICAL_RETURN:
        raise InputError(
            argument, f"typically {typical:.3g}: percent", fix="returns are fractions: divide by 100"
        )
    if unit == "percent" and typical < _SMALLEST_TYPICAL_YIELD:
        raise InputError(
            argument, f"typically {typical:.3g}: fractions", fix="yields are in percent: multiply by 100"
        )
    low = values <= 0.0
    if unit == "levels" and low.any():
        date = values.index[int(low.to_numpy().argmax())]
        raise InputError(argument, f"is {values[date]:g}; a level is positive", date=date, fix="correct it")


def at_month_ends(levels: pd.DataFrame) -> pd.DataFrame:
    """Return the last known level of every complete month, at calendar month ends.

    A month is complete if the table goes on into the next one, or ends on the month's last weekday.
    """
    monthly = levels.resample("ME").last()
    last = levels.index[-1]
    is_whole = last >= pd.offsets.BMonthEnd().rollforward(last.replace(day=1))
    return monthly if is_whole or not len(monthly) else monthly.iloc[:-1]
