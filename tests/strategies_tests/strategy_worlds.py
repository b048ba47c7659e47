"""Markets on which strategies are tried: five random walks, and the real panels where they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.engine import Costs
from allocator.market import Market

__all__ = ["ASSETS", "FREE", "daily_funds", "late_funds", "monthly_panel", "rewritten", "world"]

FREE = Costs(0.0, 0.0)
ASSETS = ("stocks", "bonds", "gold", "developed", "emerging")
_VOLATILITY = np.array([0.16, 0.06, 0.15, 0.18, 0.25])
_PERIODS = {"B": 252, "W-FRI": 52, "ME": 12, "QE": 4, "YE": 1}
_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def world(n_rows: int = 150, offset: str = "ME", seed: int = 4, late: dict[str, int] | None = None) -> Market:
    """Five assets with volatilities a year of 16, 6, 15, 18 and 25 %, cash at 3 %, inflation around 3 %."""
    index = pd.date_range("1960-01-31", periods=n_rows, freq=offset)
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.002, 1.0, (n_rows, 5)) * _VOLATILITY / np.sqrt(_PERIODS[offset])
    prices = pd.DataFrame(np.exp(np.cumsum(steps, axis=0)), index=index, columns=list(ASSETS))
    for asset, row in (late or {}).items():
        prices.loc[prices.index[:row], asset] = np.nan
    inflation = pd.Series(0.03 + rng.normal(0.0, 0.01, n_rows), index=index + pd.Timedelta(days=1))
    return Market(prices, 0.03, {"inflation": inflation})


def rewritten(market: Market, row: int) -> Market:
    """Return the market with another future: every price and figure after ``row`` is changed."""
    prices = market.prices
    prices.iloc[row + 1 :] *= np.linspace(3.0, 0.2, len(prices) - row - 1)[:, None] + np.arange(5) * 0.1
    known = market.signal("inflation").values.copy()
    known[known.index > market.index[row]] = 0.2
    return Market(prices, 0.03, {"inflation": known})


def _read(name: str) -> pd.DataFrame:
    path = _DATA / name
    if not path.exists():
        pytest.skip(f"needs ../shared/data/{name}, which is not part of the project")
    return pd.read_csv(path, index_col=0, parse_dates=True)


def daily_funds() -> Market:
    """Fifteen funds by day, May 2007 to September 2025, all listed throughout; cash at 1.5 %."""
    return Market(_read("daily_core_balanced.csv"), 0.015)


def late_funds() -> Market:
    """Funds by day from 1996 on that list one after another; cash at 2 %."""
    funds = ["SPY", "VUSTX", "TLT", "GLD", "EEM", "DBC"]
    return Market(_read("daily_etf_tr.csv").loc["1996":"2025-09", funds], 0.02)


def monthly_panel() -> Market:
    """US equities, ten-year Treasuries and gold by month from 1962, gold from 1968; cash is the bill."""
    returns = _read("monthly_eom_1962.csv").set_axis(["stocks", "bonds", "bills", "gold"], axis=1)
    levels = (1.0 + returns.drop(columns="bills")).cumprod()
    return Market(levels, returns["bills"].iloc[1:])
