"""Backtest: the record of what happened. Statistics, charts and tables are functions of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import itemise, notes, show
from allocator.engine.accounting import Accounts
from allocator.engine.costs import Charges, Costs
from allocator.engine.decisions import Mandate
from allocator.engine.plan import Plan, Reason
from allocator.engine.rebalancing import Rebalancing
from allocator.engine.strategy import Strategy
from allocator.market import Market
from allocator.market.market import Date

__all__ = ["Backtest"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Backtest:
    """What a strategy did in a market: tables made from the accounts when they are asked for.

    Attributes
    ----------
    strategy, market, rebalancing, costs, lag, mandate, initial_value
        What was asked for; the market is cut at the end of the run.
    plan, accounts, charges
        What was decided, and the arrays that all tables are made from.
    start
        The first date whose return was to count, as it was asked for; None where nobody asked.
    """

    strategy: Strategy
    market: Market
    rebalancing: Rebalancing
    costs: Costs
    lag: int
    mandate: Mandate
    initial_value: float
    plan: Plan
    accounts: Accounts
    charges: Charges
    start: Date | None = None

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.strategy.name

    @property
    def unlisted(self) -> str:
        """The policy for assets without a price."""
        return self.mandate.unlisted

    @property
    def value(self) -> pd.Series[float]:
        """Value at each close after costs, fees and flows, from the close of the first trade on."""
        # Before pandas 3 a Series shares the memory of its array: writing to it would change the record.
        return pd.Series(self.accounts.value, index=self._dates, name=self.name, copy=True)

    @property
    def returns(self) -> pd.Series[float]:
        """Simple returns per row, net of costs and time-weighted; the first carries the cost of the build."""
        value = self.accounts.value
        earned = value - itemise.flows_by_row(self.accounts)
        growth = earned[1:] / np.append(self.initial_value, value[1:-1])
        return pd.Series(growth - 1.0, index=self._dates[1:], name=self.name)

    @property
    def cash_returns(self) -> pd.Series[float]:
        """The market's cash return over the same rows."""
        return pd.Series(self.accounts.ground.cash[1:], index=self._dates[1:], name="cash", copy=True)

    @property
    def weights(self) -> pd.DataFrame:
        """Weights at each close after trading, the last column ``cash``, shape (n_periods, n_assets + 1)."""
        value = self.accounts.value
        solvent = (value > 0.0)[:, None]
        held = itemise.units_by_row(self.accounts) * self.accounts.ground.levels
        shares = held / np.where(solvent, value[:, None], 1.0) * solvent
        frame = pd.DataFrame(shares, index=self._dates, columns=list(self.market.assets))
        return frame.assign(cash=np.where(solvent[:, 0], 1.0 - shares.sum(axis=1), 0.0))

    @property
    def targets(self) -> pd.DataFrame:
        """Weights after each event, a row an event, a column an asset; the rest is cash."""
        return self._by_event(self.accounts.events.targets)

    @property
    def events(self) -> pd.DataFrame:
        """Columns ``reason``, ``decided`` (NaT where nothing was), ``turnover``, ``cost`` in money."""
        n_events = len(self.accounts.events.rows)
        reasons = [Reason(r).name.lower() for r in self.plan.reasons[:n_events]]
        cost = sum(each.sum(axis=1) for each in itemise.trade_costs(self.accounts, self.charges).values())
        return pd.DataFrame(
            {"reason": reasons, "decided": self.decided, "turnover": self.turnover.to_numpy(), "cost": cost},
            index=self._event_dates,
        )

    @property
    def decided(self) -> pd.DatetimeIndex:
        """The date on which each of the targets was decided, NaT for a delisting or a flow."""
        rows = self.plan.decided[: len(self.accounts.events.rows)]
        dates = self.market.index[np.maximum(rows, 0)]
        return dates if (rows >= 0).all() else pd.DatetimeIndex(dates.where(rows >= 0))

    @property
    def trades(self) -> pd.DataFrame:
        """Signed notional traded in money, same shape as ``targets``."""
        return self._by_event(itemise.trades(self.accounts, self.charges))

    @property
    def trading_costs(self) -> pd.DataFrame:
        """Commission, bid–ask and fixed cost of each of these trades in money."""
        costs = itemise.trade_costs(self.accounts, self.charges)
        return self._by_event(np.sum(list(costs.values()), axis=0))

    @property
    def turnover(self) -> pd.Series[float]:
        """One-way turnover of each event, half the sum of absolute changes of weight; the build is first."""
        moved = np.abs(self.accounts.events.targets - self.accounts.before).sum(axis=1)
        return pd.Series(moved / 2.0, index=self._event_dates, name="turnover")

    @property
    def turnover_two_way(self) -> pd.Series[float]:
        """Two-way turnover of each trade, the sum of absolute changes of weight."""
        return (self.turnover * 2.0).rename("turnover_two_way")

    @property
    def interest(self) -> pd.Series[float]:
        """Interest earned (positive) or paid (negative, the spread included) in money per row."""
        found = itemise.items(self.accounts, self.charges, self.initial_value)
        paid = found["interest"] + found["borrow_spread"]
        return pd.Series(paid[1:], index=self._dates[1:], name="interest", copy=True)

    @property
    def itemised(self) -> pd.DataFrame:
        """What changed the value, in money, a row a date; each row adds up to the change of value.

        Columns, with the sign as they act: ``gains`` of the assets, ``interest`` at the cash return (negative
        on debt), ``borrow_spread``, ``short_fees``, ``commissions``, ``bid_ask``, ``fixed``,
        ``management_fee``, ``flows``, and ``written_off``, which is what a ruin leaves unpaid.
        """
        found = itemise.items(self.accounts, self.charges, self.initial_value)
        return pd.DataFrame({name: found[name] for name in itemise.ITEMS}, index=self._dates)

    @property
    def costs_by_asset(self) -> pd.DataFrame:
        """Costs in money by date, kind and asset: columns (kind, asset), never negative.

        Kinds: commissions, bid_ask, fixed, short_fees. What belongs to no asset, the borrow spread and the
        management fee, is in :attr:`itemised`.
        """
        n_periods, frames = len(self.accounts.value), {}
        for kind, costs in itemise.trade_costs(self.accounts, self.charges).items():
            by_row = np.zeros((n_periods, costs.shape[1]))
            by_row[self.accounts.events.rows] = costs
            frames[kind] = by_row
        frames["short_fees"] = -itemise.short_fees(self.accounts)
        tables = {k: pd.DataFrame(v, self._dates, list(self.market.assets)) for k, v in frames.items()}
        return pd.concat(tables, axis=1, names=["cost", "asset"])

    @property
    def gross_returns(self) -> pd.Series[float]:
        """Returns before all costs: gains and interest at the cash return on the value before."""
        found = itemise.items(self.accounts, self.charges, self.initial_value)
        before = np.append(self.initial_value, self.accounts.value[1:-1])
        earned = (found["gains"] + found["interest"])[1:]
        return pd.Series(earned / before, index=self._dates[1:], name=self.name)

    @property
    def flows(self) -> pd.Series[float]:
        """Contributions (positive) and withdrawals by date, those of zero left out."""
        flows = pd.Series(itemise.flows_by_row(self.accounts), index=self._dates, name="flows")
        return flows[flows != 0.0]

    @property
    def paid_in(self) -> pd.Series[float]:
        """What the investor paid in by date, the initial value first; for ``money_weighted_return``."""
        paid = pd.Series(itemise.flows_by_row(self.accounts), index=self._dates, name="paid_in")
        paid.iloc[0] += self.initial_value
        return paid[paid != 0.0]

    @property
    def capped(self) -> pd.DatetimeIndex:
        """Dates of decisions that ``max_leverage`` scaled down."""
        return self.market.index[self.plan.capped[self.plan.capped < len(self.market.index)]]

    @property
    def ruined_on(self) -> pd.Timestamp | None:
        """The date on which nothing was left and the run stopped, or None."""
        return self._dates[-1] if self.accounts.ruined else None

    @property
    def conventions(self) -> tuple[str, ...]:
        """How the numbers were made, a line each, and what should be known of this run."""
        return (*show.conventions(self), *notes.notes_of(self))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was accepted but should be known, a line each: of the market, then of the run.

        Ruin, weights that leave cash or borrow, assets never given a weight, decisions scaled down and
        leverage beyond its limit by drift, dates that moved to a row or were too late, a rule that never
        asked.
        """
        return (*self.market.notes, *notes.notes_of(self))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that went in: prices, cash, signals and parameters. Equal inputs, equal text."""
        market = self.market
        asked = (self.strategy, self.rebalancing, self.costs, self.lag, self.mandate, self.initial_value)
        text = "\n".join(
            [
                *(date.isoformat() for date in market.index.date),
                *market.assets,
                *(f"{name} {signal.values.to_dict()}" for name, signal in market.signals.items()),
                *(f"{date} {flow!r}" for date, flow in self.flows.items()),
                repr((*asked, self.decided[0].date())),
            ]
        )
        digest = hashlib.sha256(text.encode())
        listings = (market.listed_from.astype(np.float64), market.listed_until.astype(np.float64))
        for array in (market.levels, market.cash, *listings):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    @property
    def _dates(self) -> pd.DatetimeIndex:
        index, first = self.market.index, len(self.market.days) - len(self.accounts.value)
        return index[first:] if first else index

    @property
    def _event_dates(self) -> pd.DatetimeIndex:
        return self._dates[self.accounts.events.rows]

    def _by_event(self, numbers: NDArray[np.float64]) -> pd.DataFrame:
        return pd.DataFrame(numbers, index=self._event_dates, columns=list(self.market.assets))

    __repr__ = show.backtest_text
    _repr_html_ = show.backtest_html
