"""The scoreboard on the embedded history, and a small folder of made-up panels in the documented layout."""

import numpy as np
import pandas as pd
import pytest

from allocator.scoreboard.folder import LAYOUT
from strategies import RiskParity, SixtyForty

PAIR = (SixtyForty(), RiskParity(("stocks", "bonds")))


def made_up(file, rng):
    """Return one file of the layout with plausible numbers, and a column that nobody reads."""
    monthly = file.startswith("monthly")
    dates = (
        pd.date_range("1962-01-31", "2026-06-30", freq="ME")
        if monthly
        else pd.bdate_range("2010-01-04", "2026-06-30")
    )
    columns = list(LAYOUT[file].values())
    table = pd.DataFrame(rng.normal(0.0, 0.01, (len(dates), len(columns))), dates, columns)
    for column in columns:
        if not column.endswith("_ret"):
            table[column] = 100.0 * np.exp(np.cumsum(table[column]))
        if column.startswith(("DGS", "DFII")):
            table[column] = 3.0 + np.cumsum(rng.normal(0.0, 0.01, len(dates)))
    if file == "monthly_term_premium.csv":
        table["ACMTP10"] = 1.0 + 0.1 * np.cumsum(rng.normal(0, 1, len(dates)))
        table["ACMRNY10"] = 3.0 + 0.1 * np.cumsum(rng.normal(0, 1, len(dates)))
        table["ACMY10"] = table["ACMTP10"] + table["ACMRNY10"]
    if file == "monthly_eom_1962.csv":
        table["TBILL_ret"] = 0.003
    if file == "daily_long_us.csv":
        table["TBILL_ret"] = 0.0001
    return table.assign(other=1.0).rename_axis("date")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Return a folder with every file of the layout, random walks that have nothing to do with each other."""
    path = tmp_path_factory.mktemp("panels")
    rng = np.random.default_rng(7)
    for file in LAYOUT:
        made_up(file, rng).to_csv(path / file, date_format="%Y-%m-%d")
    return path
