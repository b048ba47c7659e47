"""Backtest: the record of what happened. Statistics, charts and tables are functions of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.engine import show
from allocator.engine.accounting import Accounts
from allocator.engine.costs import Costs
from allocator.engine.rebalancing import Rebalancing
from allocator.engine.strategy import Strategy
from allocator.market import Market

__all__ = ["Backtest"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """What a strategy did in a market.

    Attributes
    ----------
    name
        The strategy's name.
    strategy, market, rebalancing, costs, lag, unlisted
        What was asked for; the market is cut at the end of the run.
    value
        Value at each close after costs, from the close of the first trade on.
    returns
        Simple returns per row, net of all costs; the first also carries the cost of the first build.
    cash_returns
        The market's cash return over the same rows.
    targets
        Weights after each trade, a row a trade date, a column an asset; the rest is cash.
    decided
        The date on which each of these targets was decided.
    trades
        Signed notional traded in money, same shape as ``targets``.
    trading_costs
        Cost of each of these trades in money.
    turnover
        One-way turnover of each trade, half the sum of absolute changes of weight. The first is the build.
    interest
        Interest earned (positive) or paid (negative) in money per row, same dates as ``returns``.
    ruined_on
        The date on which nothing was left and the run stopped, or None.
    conventions
        How the numbers were made, a line each.
    """

    name: str
    strategy: Strategy
    market: Market
    rebalancing: Rebalancing
    costs: Costs
    lag: int
    unlisted: str
    value: pd.Series[float]
    returns: pd.Series[float]
    cash_returns: pd.Series[float]
    targets: pd.DataFrame
    decided: pd.DatetimeIndex
    trades: pd.DataFrame
    trading_costs: pd.DataFrame
    turnover: pd.Series[float]
    interest: pd.Series[float]
    ruined_on: pd.Timestamp | None
    conventions: tuple[str, ...]
    accounts: Accounts

    @property
    def weights(self) -> pd.DataFrame:
        """Weights at each close after trading, the last column ``cash``, shape (n_periods, n_assets + 1)."""
        rows = len(self.value)
        first = len(self.market.index) - rows
        lengths = np.diff(np.append(self.accounts.trade_rows, rows))
        held = np.repeat(self.accounts.units, lengths, axis=0) * self.market.levels[first:]
        value = self.value.to_numpy()
        shares = held / np.where(value > 0.0, value, 1.0)[:, None] * (value > 0.0)[:, None]
        frame = pd.DataFrame(shares, index=self.value.index, columns=list(self.market.assets))
        return frame.assign(cash=np.where(value > 0.0, 1.0 - shares.sum(axis=1), 0.0))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that went in: prices, cash, signals and parameters. Equal inputs, equal text."""
        market = self.market
        text = "\n".join(
            [
                *(date.isoformat() for date in market.index.date),
                *market.assets,
                *(f"{name} {signal.values.to_dict()}" for name, signal in market.signals.items()),
                repr(
                    (
                        self.strategy,
                        self.rebalancing,
                        self.costs,
                        self.lag,
                        self.unlisted,
                        self.decided[0].date(),
                    )
                ),
            ]
        )
        digest = hashlib.sha256(text.encode())
        for array in (market.levels, market.cash, market.listed_from.astype(np.float64)):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    __repr__ = show.backtest_text
    _repr_html_ = show.backtest_html
