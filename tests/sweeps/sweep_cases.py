"""Random sweeps, and the slow way to the same table: each run alone, through the public functions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from markets import SPACINGS, market_frames, markets

from allocator.engine import (
    Backtest,
    Band,
    BuyAndHold,
    Costs,
    Daily,
    EveryNRows,
    FixedMix,
    LeverageAbove,
    Monthly,
    Quarterly,
    Rebalancing,
    Strategy,
    Weekly,
    Yearly,
    run_backtest,
)
from allocator.errors import UndefinedStatisticWarning
from allocator.frequency import years_between
from allocator.market import Market
from allocator.statistics import cagr, max_drawdown, sharpe_ratio, sharpe_standard_error, volatility

NUMBERS = (
    "cagr",
    "volatility",
    "sharpe",
    "sharpe_se",
    "max_drawdown",
    "turnover",
    "trading_cost",
    "final_value",
)


@dataclass(frozen=True)
class Chaser(Strategy):
    """All in what rose most on the last row: weights that depend on the path."""

    gross: float = 1.0
    name: str = "chaser"

    def weights(self, past: Market) -> dict[str, float]:
        last = past.levels[-1] / past.levels[max(len(past.levels) - 2, 0)]
        return {past.assets[int(np.argmax(last))]: self.gross}


@dataclass(frozen=True)
class Broken(Strategy):
    """Fails."""

    after: int = 0
    name: str = "broken"

    def weights(self, past: Market) -> dict[str, float]:
        if len(past.index) > self.after:
            raise ZeroDivisionError("no idea")
        return {past.assets[0]: 1.0}


def daily_market(n_rows: int = 300, n_assets: int = 3, seed: int = 0) -> Market:
    """Return a market of random walks."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0003, 0.012, (n_rows, n_assets))
    index = pd.bdate_range("2015-01-01", periods=n_rows)
    return Market(
        pd.DataFrame(np.exp(np.cumsum(steps, axis=0)), index=index, columns=list("ABCDEF"[:n_assets])), 0.02
    )


def random_weights(n_portfolios: int, assets: tuple[str, ...], seed: int = 0) -> pd.DataFrame:
    """Return fully invested portfolios."""
    return pd.DataFrame(
        np.random.default_rng(seed).dirichlet(np.ones(len(assets)), n_portfolios), columns=assets
    )


def mixes(weights: pd.DataFrame) -> list[FixedMix]:
    """Return a strategy a row."""
    return [FixedMix(dict(row), str(name)) for name, row in weights.iterrows()]


def statistics_of(run: Backtest) -> dict[str, float]:
    """Return what a row of the table says, by the functions of the library."""
    periods, start = run.market.frequency.periods_per_year, run.value.index[0]
    years = years_between(run.value.index, run.market.frequency).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        return {
            "n": len(run.returns),
            "cagr": cagr(run.returns, periods, start),
            "volatility": volatility(run.returns, periods),
            "sharpe": sharpe_ratio(run.returns, run.cash_returns, periods),
            "sharpe_se": sharpe_standard_error(run.returns, run.cash_returns, periods),
            "max_drawdown": max_drawdown(run.returns),
            "turnover": run.turnover.iloc[1:].sum() / years,
            "trading_cost": (run.trading_costs.sum(axis=1) / run.accounts.worth).sum() / years,
            "final_value": run.value.iloc[-1],
        }


def one_by_one(
    portfolios: list[Strategy], market: Market, rules: list, costs: list, **options
) -> pd.DataFrame:
    """Return the table of a sweep the slow way."""
    rows = [
        statistics_of(run_backtest(portfolio, market, rebalancing=rule, costs=cost, **options))
        for portfolio in portfolios
        for rule in rules
        for cost in costs
    ]
    return pd.DataFrame(rows)


def assert_same_numbers(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Value, turnover and cost agree to 1e-12, and statistics to 1e-10."""
    assert list(table["n"]) == list(expected["n"])
    for name in NUMBERS:
        tight = name in ("final_value", "turnover", "trading_cost")
        got, wanted = table[name].to_numpy(float), expected[name].to_numpy(float)
        # A number of the order of one is asked for to so many digits; many trades a year add up.
        size = np.maximum(1.0, np.abs(wanted))
        np.testing.assert_allclose(
            got / size, wanted / size, rtol=0.0, atol=1e-12 if tight else 1e-10, err_msg=name
        )


def small_markets() -> st.SearchStrategy[Market]:
    """Markets of any frequency, all assets listed from the first row."""
    return markets(market_frames(rows=(12, 120), assets=(1, 5), late=False))


def calendars(frequency: str) -> st.SearchStrategy[Rebalancing]:
    order = list(SPACINGS)
    named = zip(order, (Daily(), Weekly(), Monthly(), Quarterly(), Yearly()), strict=True)
    allowed = [rule for name, rule in named if order.index(name) >= order.index(frequency)]
    return st.one_of(st.sampled_from([*allowed, BuyAndHold()]), st.integers(1, 20).map(EveryNRows))


@st.composite
def band_rules(draw: st.DrawFn, market: Market) -> Band:
    width = st.sampled_from((0.003, 0.011, 0.043, 0.107))
    widths = draw(st.one_of(width, st.fixed_dictionaries(dict.fromkeys(market.assets, width))))
    on = draw(st.none() | calendars(market.frequency.name))
    return Band(widths, draw(st.booleans()), draw(st.sampled_from(("target", "edge", "halfway"))), on)


@st.composite
def any_rule(draw: st.DrawFn, market: Market) -> Rebalancing:
    calendar, band = calendars(market.frequency.name), band_rules(market)
    both = st.builds(lambda a, b: a | b, calendar, band)
    slow = st.builds(lambda a, b: a | b, band, st.sampled_from((0.9, 1.2)).map(LeverageAbove))
    return draw(st.one_of(calendar, calendar, band, band, both, slow))


@st.composite
def any_costs(draw: st.DrawFn, market: Market) -> Costs:
    rate = st.sampled_from((0.0, 0.0005, 0.003, 0.02))
    by_asset = st.one_of(rate, st.fixed_dictionaries(dict.fromkeys(market.assets, rate)))
    return Costs(
        trading=draw(by_asset),
        selling=draw(st.none() | by_asset),
        bid_ask=draw(st.sampled_from((0.0, 0.0, 0.004))),
        fixed=draw(st.sampled_from((0.0, 0.0, 0.0, 1e-5))),
        model=draw(st.sampled_from(("exact", "exact", "first_order"))),
        borrow_spread=draw(st.sampled_from((0.0, 0.005, 0.05))),
        management_fee=draw(st.sampled_from((0.0, 0.0, 0.01))),
    )


@st.composite
def weight_tables(draw: st.DrawFn, assets: tuple[str, ...]) -> pd.DataFrame:
    """Weights that sum to less than one, to one or to more, with zeros among them."""
    rows = []
    for _ in range(draw(st.integers(1, 5))):
        parts = np.array(draw(st.lists(st.integers(0, 7), min_size=len(assets), max_size=len(assets))))
        gross = draw(st.sampled_from((0.35, 0.9, 1.0, 1.0, 1.3, 3.0)))
        rows.append(gross * parts / max(parts.sum(), 1))
    return pd.DataFrame(rows, columns=list(assets))
