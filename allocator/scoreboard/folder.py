"""The folder of daily and monthly panels from which the scoreboard is answered (docs/data_folder.md).

A file that is not there leaves out the parts of claims that need it, and they say so; a file that is there
must have the columns that are read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.market import read_prices

__all__ = ["LAYOUT", "at_month_ends", "open_folder", "read_panel", "returns_of"]

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
    "daily_core_balanced.csv": {
        "stocks": "SPY",
        "bonds": "IEF",
        "gold": "GLD",
        "developed": "EFA",
        "emerging": "EEM",
        "cash": "BIL",
    },
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


def open_folder(folder: str | Path) -> Path:
    """Return a folder that holds at least one file of the layout, or refuse it."""
    path = Path(folder)
    if not path.is_dir():
        problem = f"{str(path)!r} is no folder"
        raise InputError("data", problem, fix="pass the folder that docs/data_folder.md describes")
    if not any((path / file).exists() for file in LAYOUT):
        problem = f"{str(path)!r} holds none of {', '.join(LAYOUT)}"
        raise InputError("data", problem, fix="docs/data_folder.md says what is read")
    return path


def read_panel(folder: Path | None, file: str) -> pd.DataFrame | None:
    """Return the columns of one file under our names, dates as index; None where the file is not there."""
    if folder is None or not (folder / file).exists():
        return None
    columns = LAYOUT[file]
    return read_prices(folder / file, list(columns.values())).set_axis(list(columns), axis=1)


def at_month_ends(levels: pd.DataFrame) -> pd.DataFrame:
    """Return the last known level of every complete month, at calendar month ends.

    A month is complete if the table goes on into the next one, or ends on the month's last weekday.
    """
    monthly = levels.resample("ME").last()
    last = levels.index[-1]
    is_whole = last >= pd.offsets.BMonthEnd().rollforward(last.replace(day=1))
    return monthly if is_whole or not len(monthly) else monthly.iloc[:-1]


def returns_of(levels: pd.Series) -> pd.Series:
    """Return simple returns between the rows of a level, without what is not known."""
    known = levels.to_numpy(dtype=np.float64)
    if (known[~np.isnan(known)] <= 0).any():
        date = levels.index[int(np.argmax(known <= 0))]
        raise InputError("data", "a price is not positive", asset=levels.name, date=date)
    return levels.pct_change(fill_method=None).dropna()
