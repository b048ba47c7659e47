"""Hypothesis strategies for markets: `from markets import market_frames, markets` in any test.

Prices are random walks drawn from one seed, so that a table of 400 rows costs one draw and not 400; lists of
dates are true calendars, holidays taken out of daily ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from allocator.market.market import Market

NAMES = ("SPY", "TLT", "GLD", "EFA", "DBC", "VNQ")
SPACINGS = ("daily", "weekly", "monthly", "quarterly", "yearly")
# The pandas spellings of each spacing, and the most rows that stay within the dates nanoseconds can hold.
_OFFSETS = {
    "daily": (("B",), 400),
    "weekly": (("W-FRI", "W-WED"), 400),
    "monthly": (("ME", "BME", "MS"), 400),
    "quarterly": (("QE", "BQE"), 400),
    "yearly": (("YE", "BYE"), 120),
}
_MOST_CASH = {"daily": 3e-4, "weekly": 2e-3, "monthly": 8e-3, "quarterly": 0.02, "yearly": 0.1}


@st.composite
def calendars(
    draw: st.DrawFn, spacings: Sequence[str] = SPACINGS, rows: tuple[int, int] = (12, 400)
) -> pd.DatetimeIndex:
    """Dates of one spacing; daily ones have holidays."""
    spacing = draw(st.sampled_from(spacings))
    offsets, most = _OFFSETS[spacing]
    n_rows = draw(st.integers(rows[0], min(rows[1], most)))
    start = draw(st.dates(pd.Timestamp("1900-01-01").date(), pd.Timestamp("2020-12-31").date()))
    if spacing != "daily":
        return pd.date_range(start, periods=n_rows, freq=draw(st.sampled_from(offsets)))
    days = pd.bdate_range(start, periods=n_rows + n_rows // 20)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return days[np.sort(rng.choice(len(days), n_rows, replace=False))]


@st.composite
def market_frames(
    draw: st.DrawFn,
    spacings: Sequence[str] = SPACINGS,
    rows: tuple[int, int] = (12, 400),
    assets: tuple[int, int] = (1, 6),
    *,
    late: bool = True,
) -> pd.DataFrame:
    """A table of prices that `Market` accepts: random walks, some flat, of any scale, some listed late."""
    index = draw(calendars(spacings, rows))
    n_assets = draw(st.integers(*assets))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    risk = np.array(
        draw(st.lists(st.sampled_from([0.0, 1e-4, 0.01, 0.08]), min_size=n_assets, max_size=n_assets))
    )
    scale = np.array(
        draw(st.lists(st.sampled_from([1e-6, 0.3, 1.0, 100.0, 1e6]), min_size=n_assets, max_size=n_assets))
    )
    steps = rng.normal(0.0, 1.0, (len(index), n_assets)) * risk
    prices = scale * np.exp(np.cumsum(steps, axis=0))
    for column in range(1, n_assets):  # the first asset is there from the first row: no row is empty
        if late and draw(st.booleans()):
            prices[: draw(st.integers(1, len(index) - 1)), column] = np.nan
    return pd.DataFrame(prices, index=index, columns=list(NAMES[:n_assets]))


@st.composite
def cash_for(draw: st.DrawFn, index: pd.DatetimeIndex, spacing: str) -> pd.Series | float:
    """A cash return as a Series on the dates of the prices, or an annual rate."""
    if draw(st.booleans()):
        return draw(st.sampled_from([-0.01, 0.0, 0.02, 0.15]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return pd.Series(rng.uniform(-0.1, 1.0, len(index)) * _MOST_CASH[spacing], index=index, name="cash")


@st.composite
def markets(draw: st.DrawFn, frames: st.SearchStrategy[pd.DataFrame] | None = None) -> Market:
    """A market on any of these tables, with cash given either way."""
    prices = draw(market_frames() if frames is None else frames)
    spacing = Market(prices, 0.0).frequency.name
    return Market(prices, draw(cash_for(prices.index, spacing)))
