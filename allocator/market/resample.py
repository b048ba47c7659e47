"""The same market with fewer rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.market.market import Market, some_rows

__all__ = ["month_ends"]


def month_ends(market: Market) -> Market:
    """Return a daily or weekly market at the last row of each complete month.

    The last row of the table is not taken for a month end: the month may be incomplete. Cash is
    compounded over the months.

    Raises
    ------
    InputError
        If the market is monthly or slower, or shorter than two complete months.
    """
    if market.frequency.is_calendar:
        raise InputError("market", f"is {market.frequency} already")
    months = market.days.view("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    rows = np.flatnonzero(np.diff(months) != 0)
    if len(rows) < 2:
        raise InputError("market", f"{len(rows)} complete months; at least 2 are needed for a return")
    wealth = np.cumprod(1.0 + market.cash)[rows]
    cash = pd.Series(wealth[1:] / wealth[:-1] - 1.0, index=market.index[rows[1:]], name="cash")
    return some_rows(market, rows, cash, f"{market.name}, month ends")
