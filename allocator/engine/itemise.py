"""What the accounts add up to, item by item: gains, interest, and each kind of cost, by row and by asset.

Signs are as they act on the value. The items of a row add up to the change of value of that row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.engine.accounting import Accounts
from allocator.engine.costs import Charges
from allocator.engine.ground import DUST
from allocator.engine.paths import cash_weights
from allocator.engine.trade_cost import moved_weights

__all__ = [
    "ITEMS",
    "asset_gains",
    "cash_after",
    "flows_by_row",
    "items",
    "short_fees",
    "trade_costs",
    "trades",
    "units_by_row",
]

Array = NDArray[np.float64]
ITEMS = (
    "gains",
    "interest",
    "borrow_spread",
    "short_fees",
    "commissions",
    "bid_ask",
    "fixed",
    "management_fee",
    "flows",
    "written_off",
)


def _spans(accounts: Accounts) -> NDArray[np.int64]:
    """Return how many rows hold what each event left, its own row included."""
    return np.diff(accounts.events.rows, append=len(accounts.value))


def _fee_since_event(accounts: Accounts) -> Array | float:
    """Return what the management fee has left of the holdings since the latest event, shape (n_periods,)."""
    index = accounts.ground.fee_index
    return (
        1.0 if index is None else np.asarray(index / np.repeat(index[accounts.events.rows], _spans(accounts)))
    )


def units_by_row(accounts: Accounts) -> Array:
    """Return the units held after all at each close, shape (n_periods, n_assets)."""
    units = accounts.paths.units * accounts.after[:, None]
    held = np.repeat(units, _spans(accounts), axis=0)
    fee = _fee_since_event(accounts)
    return held if isinstance(fee, float) else held * fee[:, None]


def cash_after(accounts: Accounts) -> Array:
    """Return the cash after all at each close, a debt where it is negative, shape (n_periods,)."""
    events, paths, n_periods = accounts.events, accounts.paths, len(accounts.value)
    cash = np.zeros(n_periods)
    if paths.cash is not None:
        cash[1:] = paths.cash * np.repeat(accounts.after, np.diff(events.rows, append=n_periods - 1))
    cash *= _fee_since_event(accounts)
    cash[events.rows] = cash_weights(events.targets) * accounts.after
    cash[-1] += accounts.closing_flow
    return cash


def asset_gains(accounts: Accounts) -> Array:
    """Return what each asset gained in the period that ends at each row, shape (n_periods, n_assets)."""
    gains = np.zeros_like(accounts.ground.levels)
    np.multiply(units_by_row(accounts)[:-1], np.diff(accounts.ground.levels, axis=0), out=gains[1:])
    return gains


def short_fees(accounts: Accounts) -> Array:
    """Return the fee paid for each asset that is short, shape (n_periods, n_assets), never positive."""
    fees = np.zeros_like(accounts.ground.levels)
    if accounts.ground.short_fee is not None:
        owed = np.minimum(units_by_row(accounts)[:-1], 0.0) * accounts.ground.levels[:-1]
        fees[1:] = owed * accounts.ground.short_fee[1:]
    return fees + 0.0  # no negative zero


def trades(accounts: Accounts, charges: Charges) -> Array:
    """Return the signed notional of each trade in money, shape (n_events, n_assets)."""
    moved = moved_weights(accounts.before, accounts.events.targets, accounts.cost, charges)
    return moved * accounts.worth[:, None]


def trade_costs(accounts: Accounts, charges: Charges) -> dict[str, Array]:
    """Return what each trade costs in money by kind, each (n_events, n_assets), never negative."""
    traded = trades(accounts, charges)
    notional = np.abs(traded)
    return {
        "commissions": notional * np.where(traded > 0.0, charges.buying, charges.selling),
        "bid_ask": notional * charges.half_spread,
        "fixed": charges.fixed * _charged(accounts, notional > 0.0, charges),
    }


def _charged(accounts: Accounts, traded: NDArray[np.bool_], charges: Charges) -> NDArray[np.bool_]:
    """Return which assets paid the fixed cost: those traded, and those whose trade that cost cancels."""
    if not charges.fixed:
        return traded
    rates = np.where(accounts.before < accounts.events.targets, charges.buy, charges.sell)
    notional = np.abs(trades(accounts, charges))
    paid = accounts.cost * accounts.worth - (notional * rates).sum(axis=1)
    cancelled = np.round(paid / charges.fixed) > traded.sum(axis=1)
    wanted = np.abs(accounts.events.targets - accounts.before) >= DUST
    return np.where(cancelled[:, None], wanted, traded)


def flows_by_row(accounts: Accounts) -> Array:
    """Return the money that came or went at each close, shape (n_periods,)."""
    flows = np.zeros(len(accounts.value))
    if accounts.events.flows is not None:
        flows[accounts.events.rows] = accounts.events.flows
    flows[-1] += accounts.closing_flow
    return flows


def items(accounts: Accounts, charges: Charges, initial_value: float) -> dict[str, Array]:
    """Return every item by row, each shape (n_periods,), in the order of :data:`ITEMS`."""
    ground, n_periods = accounts.ground, len(accounts.value)
    cash = np.append(0.0, cash_after(accounts)[:-1])
    short = short_fees(accounts).sum(axis=1)
    found = {
        "gains": asset_gains(accounts).sum(axis=1),
        "interest": cash * ground.cash,
        "borrow_spread": np.minimum(cash, 0.0) * ground.spread,
        "short_fees": short,
    }
    before = np.append(0.0, accounts.value[:-1]) + sum(found.values())
    for name, costs in trade_costs(accounts, charges).items():
        found[name] = np.zeros(n_periods)
        found[name][accounts.events.rows] = -costs.sum(axis=1)
    kept = np.ones(n_periods) if ground.kept is None else ground.kept
    found["management_fee"] = np.where(before > 0.0, before * (kept - 1.0), 0.0)
    found["flows"] = flows_by_row(accounts)
    change = np.diff(accounts.value, prepend=initial_value)
    found["written_off"] = np.zeros(n_periods)
    if accounts.ruined:  # what is owed beyond the value, or what a trade that cannot be paid would have cost
        found["written_off"][-1] = change[-1] - sum(item[-1] for item in found.values())
    return found
