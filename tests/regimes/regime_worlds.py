"""Markets, signals and slow oracles for the tests of regimes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from allocator.market import Market, Signal
from allocator.regimes import Regimes

SPACINGS = {"daily": "B", "weekly": "W-FRI", "monthly": "ME", "quarterly": "QE", "yearly": "YE"}


def dates(rows: int, spacing: str = "monthly", start: str = "2000-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=rows, freq=SPACINGS[spacing])


def walk(index: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0.001, 0.02, (len(index), 2))
    return pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=index, columns=["stocks", "bonds"])


def figures(index: pd.DatetimeIndex, spacing: str, seed: int, lag: int = 14) -> Signal:
    """Figures of the periods from four years before the first row on, known some days after their end."""
    ends = pd.date_range(index[0] - pd.DateOffset(years=4), index[-1], freq=SPACINGS[spacing])
    ends = ends[ends + pd.Timedelta(days=lag) <= index[-1]]
    noise = np.random.default_rng(seed).normal(0.03, 0.01, len(ends)).round(3)  # rounded: there are ties
    return Signal(pd.Series(noise, index=ends + pd.Timedelta(days=lag)), ends)


def macro_market(index: pd.DatetimeIndex, seed: int = 0) -> Market:
    signals = {
        "inflation": figures(index, "monthly", seed + 1),
        "growth": figures(index, "quarterly", seed + 2, 30),
    }
    return Market(walk(index, seed), 0.02, signals)


def rewritten_after(market: Market, row: int) -> Market:
    """Return the market with other prices and other figures after this row."""
    prices = market.prices
    prices.iloc[row + 1 :] = prices.iloc[row + 1 :].to_numpy()[::-1] * 3.0
    signals = {}
    for name in market.signals:
        signal = market.signal(name)
        values = signal.values.copy()
        later = values.index > market.index[row]
        values[later] = -7.0 * values[later] ** 2
        signals[name] = Signal(values, signal.describes)
    return Market(prices, 0.02, signals)


def said_then(rule: Callable[[Market], Regimes], market: Market, rows: list[int]) -> list[str | None]:
    """Return what the rule says at each of these rows of the period that begins there, knowing no more."""
    return [rule(market.until(market.index[row].date())).next_label for row in rows]


def published_series(values: dict[str, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.DatetimeIndex(list(values)), dtype=float)
