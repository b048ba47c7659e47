"""Strategies that see the future, one of each kind and in each of the places where it can be hidden."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from allocator.engine import Strategy, TargetWeights
from allocator.market import Market, Signal
from allocator.market.market import signal_in_hindsight

ASSETS = ("stocks", "bonds", "gold")


def leaky_market(seed: int = 3, n_rows: int = 220) -> Market:
    """A daily market with an asset that lists late and a monthly series that is published a month later."""
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2015-01-01", periods=n_rows)
    steps = rng.normal(0.0002, 0.01, (n_rows, 4))
    prices = pd.DataFrame(100.0 * np.exp(steps.cumsum(axis=0)), index=index, columns=[*ASSETS, "coins"])
    prices.loc[prices.index[: n_rows // 2], "coins"] = np.nan
    ends = pd.date_range("2014-10-31", index[-1], freq="ME")
    values = pd.Series(rng.normal(0.0, 1.0, len(ends)), index=ends + pd.Timedelta(28, "D"))
    cash = pd.Series(rng.uniform(0.0, 2e-4, n_rows), index=index, name="bill")
    return Market(prices, cash, {"growth": Signal(values, describes=ends)}, name="leaky")


def by_score(assets: tuple[str, ...], scores: Any) -> dict[str, float]:
    """Return weights that change with any change of a score."""
    shares = 1.0 / (1.0 + np.exp(-np.nan_to_num(np.asarray(scores, dtype=float))))
    return dict(zip(assets, (shares / shares.sum()).tolist(), strict=True))


def table_of(scores: pd.DataFrame) -> TargetWeights:
    """Return a strategy that carries weights computed elsewhere."""
    shares = 1.0 / (1.0 + np.exp(-np.nan_to_num(scores.to_numpy(dtype=float))))
    shares /= shares.sum(axis=1, keepdims=True)
    return TargetWeights(pd.DataFrame(shares, index=scores.index, columns=scores.columns))


@dataclass(frozen=True)
class Scored(Strategy):
    """Weights by scores that were computed elsewhere, the same at every date."""

    scores: tuple[float, ...]
    name: str = "scored"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, self.scores)


# Ten kinds of leak, as functions of a market


def full_sample_mean(market: Market) -> Strategy:
    return Scored(tuple(market.returns[list(ASSETS)].mean() * 1e4))


def centred_window(market: Market) -> Strategy:
    returns = market.returns[list(ASSETS)]
    return table_of(returns.rolling(21, center=True, min_periods=1).mean() * 1e3)


def smoothed_regime(market: Market) -> Strategy:
    """Forward filter, then backward smoother, as `smoothed_marginal_probabilities` are made."""
    forward = market.returns["stocks"].ewm(alpha=0.1).mean()
    smoothed = forward[::-1].ewm(alpha=0.1).mean()[::-1]
    frame = pd.DataFrame({"stocks": smoothed, "bonds": -smoothed, "gold": 0.0 * smoothed})
    return table_of(frame * 1e3)


def back_filled_listing(market: Market) -> Strategy:
    known = market.prices.bfill().notna().astype(float)
    return TargetWeights(known.div(known.sum(axis=1), axis=0))


def same_row_macro(market: Market) -> Strategy:
    signal = signal_in_hindsight(market, "growth")
    described = pd.Series(signal.as_described_on(market.index), index=market.index).fillna(0.0)
    return table_of(pd.DataFrame({"stocks": described, "bonds": -described}))


def future_winner(market: Market) -> Strategy:
    coming = market.prices[list(ASSETS)].pct_change(21).shift(-21).fillna(0.0)
    best = coming.to_numpy().argmax(axis=1)
    return TargetWeights(pd.DataFrame(np.eye(3)[best], index=coming.index, columns=list(ASSETS)))


def refit_on_all_data(market: Market) -> Strategy:
    returns = market.returns[list(ASSETS)].to_numpy()
    _, vectors = np.linalg.eigh(np.cov(returns.T))
    return Scored(tuple(np.abs(vectors[:, -1])))


def global_normalisation(market: Market) -> Strategy:
    momentum = market.prices[list(ASSETS)].pct_change(20).fillna(0.0)
    return table_of((momentum - momentum.mean()) / momentum.std())


def period_end_too_early(market: Market) -> Strategy:
    """The value of a month's last day stands on all of its days."""
    months = market.index.to_period("M")
    last = market.prices[list(ASSETS)].groupby(months).transform("last")
    return table_of(last / last.iloc[0])


@dataclass(frozen=True)
class Cached(Strategy):
    """Remembers the mean of the first past that it was ever shown."""

    kept: ClassVar[dict[str, Any]] = {}
    name: str = "cached"

    def weights(self, past: Market) -> dict[str, float]:
        if "mean" not in self.kept:
            self.kept["mean"] = past.returns[list(ASSETS)].mean() * 1e4
        return by_score(ASSETS, self.kept["mean"])


KINDS = {
    f.__name__: f
    for f in (
        full_sample_mean,
        centred_window,
        smoothed_regime,
        back_filled_listing,
        same_row_macro,
        future_winner,
        refit_on_all_data,
        global_normalisation,
        period_end_too_early,
    )
}


# The same within a strategy that holds what it needs


@dataclass(frozen=True, eq=False)
class HoldsMarket(Strategy):
    """Uses the whole market when asked."""

    market: Market
    name: str = "holds the market"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, self.market.returns[list(ASSETS)].mean() * 1e4)


@dataclass(frozen=True, eq=False)
class FittedWhenMade(Strategy):
    """Fits to the whole table when it is made, and never looks at it again."""

    prices: pd.DataFrame
    fit: tuple[float, ...] = field(init=False)
    name: str = "fitted when made"

    def __post_init__(self) -> None:
        mean = self.prices[list(ASSETS)].pct_change().mean() * 1e4
        object.__setattr__(self, "fit", tuple(mean))

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, self.fit)


@dataclass(frozen=True, eq=False)
class FittedOnce(Strategy):
    """Fits to the whole table at the first question."""

    prices: pd.DataFrame
    name: str = "fitted once"

    @functools.cached_property
    def fit(self) -> pd.Series[float]:
        return self.prices[list(ASSETS)].pct_change().mean() * 1e4

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, self.fit)


class NoDataclass(Strategy):
    """Holds a frame in an attribute and looks 20 rows ahead."""

    def __init__(self, prices: pd.DataFrame) -> None:
        self.name, self.prices = "no dataclass", prices

    def weights(self, past: Market) -> dict[str, float]:
        row = min(len(past.index) + 19, len(self.prices) - 1)
        return by_score(ASSETS, self.prices[list(ASSETS)].iloc[row] / past.levels[-1, :3] * 50 - 50)


@dataclass(frozen=True, eq=False)
class HoldsSeries(Strategy):
    """Holds one dated Series and looks ahead by date."""

    series: pd.Series[float]
    name: str = "holds a series"

    def weights(self, past: Market) -> dict[str, float]:
        coming = self.series.loc[past.index[-1] :].iloc[:10]
        return by_score(("stocks", "bonds"), [coming.iloc[-1] / coming.iloc[0] * 20 - 20, 0.0])


@dataclass(frozen=True, eq=False)
class HoldsArray(Strategy):
    """Holds prices as an array and looks ahead by row."""

    levels: np.ndarray[Any, Any]
    name: str = "holds an array"

    def weights(self, past: Market) -> dict[str, float]:
        row = min(len(past.index) + 4, len(self.levels) - 1)
        return by_score(ASSETS, self.levels[row, :3] / past.levels[-1, :3] * 50 - 50)


@dataclass(frozen=True, eq=False)
class HoldsDictionary(Strategy):
    """Holds values by date and looks ahead."""

    table: Mapping[Any, float]
    name: str = "holds a dictionary"

    def weights(self, past: Market) -> dict[str, float]:
        coming = [value for date, value in self.table.items() if pd.Timestamp(date) > past.index[-1]][:5]
        return by_score(("stocks", "bonds"), [100.0 * sum(coming), 0.0])


@dataclass(frozen=True, eq=False)
class HoldsList(Strategy):
    """Holds prices as a list and looks ahead by row."""

    prices: list[float]
    name: str = "holds a list"

    def weights(self, past: Market) -> dict[str, float]:
        row = min(len(past.index) + 4, len(self.prices) - 1)
        return by_score(("stocks", "bonds"), [self.prices[row] / past.levels[-1, 0] * 50 - 50, 0.0])


@dataclass(frozen=True, eq=False)
class Calls(Strategy):
    """Calls what it was given for a table, and looks ahead."""

    table: Callable[[], pd.Series[float]]
    name: str = "calls"

    def weights(self, past: Market) -> dict[str, float]:
        coming = self.table().loc[past.index[-1] :].iloc[:10]
        return by_score(("stocks", "bonds"), [coming.iloc[-1] / coming.iloc[0] * 20 - 20, 0.0])


@dataclass(frozen=True, eq=False)
class Wrapped(Strategy):
    """Holds a strategy that holds the market, within a tuple."""

    parts: tuple[Strategy, ...]
    name: str = "wrapped"

    def weights(self, past: Market) -> Any:
        return self.parts[0].weights(past)


def closing_over(market: Market) -> Strategy:
    """Return a strategy whose code names a variable around it."""

    @dataclass(frozen=True)
    class Closure(Strategy):
        name: str = "closure"

        def weights(self, past: Market) -> dict[str, float]:
            return by_score(ASSETS, market.returns[list(ASSETS)].mean() * 1e4)

    return Closure()


WORLD: Market | None = None


@dataclass(frozen=True)
class Global(Strategy):
    """Uses a global market, through a function."""

    name: str = "global"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, _mean_of_the_world())


def _mean_of_the_world() -> Any:
    assert WORLD is not None
    return WORLD.returns[list(ASSETS)].mean() * 1e4


@functools.lru_cache
def mean_of(market: Market) -> pd.Series[float]:
    return market.returns[list(ASSETS)].mean() * 1e4


@dataclass(frozen=True, eq=False)
class LeastRecentlyUsed(Strategy):
    """Asks a function that remembers, of a market that it holds."""

    market: Market
    name: str = "lru_cache"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, mean_of(self.market))


# Through the private parts of the past


@dataclass(frozen=True)
class Base(Strategy):
    """The memory behind a view is the whole market's."""

    name: str = "levels.base"

    def weights(self, past: Market) -> dict[str, float]:
        return by_score(ASSETS, past.levels.base[-1, :3] / past.levels[-1, :3])


@dataclass(frozen=True)
class LastDate(Strategy):
    """Leaves stocks in the last half year of the sample."""

    name: str = "_whole"

    def weights(self, past: Market) -> dict[str, float]:
        left = len(past._whole.index) - len(past.index)
        return {"stocks": 1.0 if left > 60 else 0.0, "bonds": 0.0 if left > 60 else 1.0}


@dataclass(frozen=True)
class ComingListing(Strategy):
    """Knows when the next asset will list."""

    name: str = "_whole.listed_from"

    def weights(self, past: Market) -> dict[str, float]:
        waits = past._whole.listed_from.max() - len(past.index)
        return {"stocks": 0.5 + 0.4 * np.tanh(waits / 100.0), "bonds": 0.1}


@dataclass(frozen=True)
class UnpublishedSignal(Strategy):
    """Reads what will be published."""

    name: str = "_signals"

    def weights(self, past: Market) -> dict[str, float]:
        values = past._signals["growth"].values
        coming = values[values.index > past.index[-1]]
        return by_score(("stocks", "bonds"), [coming.iloc[0] if len(coming) else 0.0, 0.0])


def in_places(market: Market) -> dict[str, Strategy]:
    """Return a leak in each of the places where it can hide."""
    prices = market.prices
    returns = dict(market.returns["stocks"].items())
    return {
        "a field with the market": HoldsMarket(market),
        "a field with a table, used when made": FittedWhenMade(prices),
        "a field with a table, used once": FittedOnce(prices),
        "an attribute of a plain class": NoDataclass(prices),
        "a field with a series": HoldsSeries(prices["stocks"]),
        "a field with an array": HoldsArray(prices.to_numpy()),
        "a field with a read-only view of the market": HoldsArray(market.levels),
        "a field with a list": HoldsList(prices["stocks"].tolist()),
        "a field with a dictionary": HoldsDictionary(returns),
        "a field with a dictionary by text": HoldsDictionary({str(d): r for d, r in returns.items()}),
        "a table behind a function": Calls(lambda: prices["stocks"]),
        "a default of a function": Calls(lambda table=prices["stocks"]: table),
        "a namespace": Calls(partial(getattr, SimpleNamespace(table=prices["stocks"]), "table")),
        "a strategy within a strategy": Wrapped((HoldsMarket(market),)),
        "one fitted when made within another": Wrapped((FittedWhenMade(prices),)),
        "a variable around it": closing_over(market),
        "a global": Global(),
        "a function with a cache": LeastRecentlyUsed(market),
        "the memory behind a view": Base(),
        "the length of the sample": LastDate(),
        "the listings to come": ComingListing(),
        "the signals to come": UnpublishedSignal(),
    }
