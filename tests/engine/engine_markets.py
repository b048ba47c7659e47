"""Random markets, rules and strategies for the tests of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from markets import NAMES, SPACINGS, market_frames, markets

from allocator.engine import (
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    Monthly,
    Quarterly,
    Rebalancing,
    Strategy,
    Weekly,
    Yearly,
)
from allocator.errors import InsufficientHistoryError
from allocator.market import Market

SHARED = Path(__file__).resolve().parents[3] / "shared"
_VOLATILITY = {"daily": 0.02, "weekly": 0.04, "monthly": 0.08, "quarterly": 0.12, "yearly": 0.2}
_CASH = {"daily": 0.0005, "weekly": 0.001, "monthly": 0.005, "quarterly": 0.01, "yearly": 0.05}


def shared_csv(path: str, **options: Any) -> pd.DataFrame:
    """Read a file of the panels and cases that stand beside the checkout, or skip the test."""
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return pd.read_csv(SHARED / path, index_col=0, parse_dates=True, **options)


@dataclass(frozen=True)
class Fixed(Strategy):
    """The same weights at every date."""

    target: tuple[tuple[str, float], ...]
    name: str = "fixed"

    def weights(self, past: Market) -> dict[str, float]:
        return dict(self.target)


def fixed(weights: Mapping[str, float]) -> Fixed:
    return Fixed(tuple(weights.items()))


@dataclass(frozen=True)
class Momentum(Strategy):
    """Depends on the path: what rose over ``lookback`` rows gets more, also what is not listed yet."""

    lookback: int = 3
    gross: float = 1.0
    name: str = "momentum"

    def weights(self, past: Market) -> dict[str, float]:
        last = len(past.index) - 1
        if last < self.lookback:
            raise InsufficientHistoryError("prices", "too short", rows_needed=self.lookback + 1)
        scores = []
        for j in range(len(past.assets)):
            known = last - past.listed_from[j] >= self.lookback
            rise = past.levels[last, j] / past.levels[last - self.lookback, j] - 1.0 if known else 0.0
            scores.append(max(rise, 0.0) + 0.1)
        return {asset: self.gross * s / sum(scores) for asset, s in zip(past.assets, scores, strict=True)}


def dates(frequency: str, n_rows: int, start: pd.Timestamp, rng: np.random.Generator) -> pd.DatetimeIndex:
    """Return dates with holidays (daily), on any weekday (weekly), or on the last working day of a period."""
    if frequency == "daily":
        days = pd.bdate_range(start, periods=2 * n_rows)
        keep = rng.random(len(days)) > 0.06
        keep[::9] = True  # no gap beyond the longest that daily data may have
        return days[keep][:n_rows]
    if frequency == "weekly":
        return pd.date_range(start, periods=n_rows, freq="7D")
    step = {"monthly": "BME", "quarterly": "BQE-DEC", "yearly": "BYE-DEC"}[frequency]
    return pd.date_range(start, periods=n_rows, freq=step)


def random_market(
    seed: int,
    n_assets: int = 3,
    n_rows: int = 60,
    frequency: str = "daily",
    *,
    late: tuple[int, ...] = (),
    scale: float = 1.0,
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Return prices and cash returns; ``late`` are the rows at which the first assets list."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("1931-01-01") + pd.Timedelta(int(rng.integers(0, 30_000)), "D")
    index = dates(frequency, n_rows, start, rng)
    steps = rng.normal(0.0, scale * _VOLATILITY[frequency], (n_rows, n_assets))
    levels = np.exp(np.cumsum(steps, axis=0)) * rng.uniform(0.1, 1000.0, n_assets)
    for j, row in enumerate(late[:n_assets]):
        levels[:row, j] = np.nan
    cash = rng.normal(0.2, 1.0, n_rows) * _CASH[frequency]
    return pd.DataFrame(levels, index=index, columns=list(NAMES[:n_assets])), pd.Series(cash, index=index)


def small_markets() -> st.SearchStrategy[Market]:
    """Markets of any frequency, with late listings, in which a run takes milliseconds."""
    return markets(market_frames(rows=(12, 70), assets=(1, 5)))


def rules(frequency: str) -> st.SearchStrategy[Rebalancing]:
    """The rules that data of this frequency allow."""
    calendar: list[tuple[str, Rebalancing]] = [
        ("daily", Daily()),
        ("weekly", Weekly()),
        ("monthly", Monthly()),
        ("quarterly", Quarterly()),
        ("yearly", Yearly()),
    ]
    order = list(SPACINGS)
    allowed = [rule for name, rule in calendar if order.index(name) >= order.index(frequency)]
    return st.one_of(
        st.sampled_from([*allowed, BuyAndHold()]),
        st.integers(1, 20).map(EveryNRows),
        st.sampled_from((0.003, 0.01, 0.04, 0.1)).map(Band),
    )


@st.composite
def targets(draw: st.DrawFn, assets: tuple[str, ...]) -> Fixed:
    """Fixed weights that sum to less than one, to one or to more, with zeros among them."""
    parts = draw(st.lists(st.integers(0, 10), min_size=len(assets), max_size=len(assets)))
    gross = draw(st.sampled_from((0.35, 0.9, 1.0, 1.0, 1.3, 3.0)))
    return Fixed(tuple((a, gross * p / max(sum(parts), 1)) for a, p in zip(assets, parts, strict=True)))


def any_strategy(assets: tuple[str, ...]) -> st.SearchStrategy[Strategy]:
    moving = st.builds(Momentum, lookback=st.integers(1, 4), gross=st.sampled_from((0.8, 1.0, 1.5)))
    return st.one_of(targets(assets), moving)


@st.composite
def any_costs(draw: st.DrawFn, assets: tuple[str, ...]) -> Costs:
    rate = st.sampled_from((0.0, 0.0005, 0.003, 0.02, 0.05))
    trading = draw(st.one_of(rate, st.fixed_dictionaries(dict.fromkeys(assets, rate))))
    return Costs(trading, draw(st.sampled_from((0.0, 0.005, 0.05))))
