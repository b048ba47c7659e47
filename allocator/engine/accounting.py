"""The accounting kernel: NumPy arrays in, NumPy arrays out, no loop over days.

Between two events units are held, so what one unit of value becomes is a fixed combination of
prices and of a cash index. That *relative path* and the weights before each event do not depend on
the amounts invested; proportional costs therefore follow for all trades at once, and the values by a
cumulative product. Only money that is not in proportion to the value, fixed costs and flows, asks for
a walk from event to event. Every row is computed from its own and earlier rows by operations in
a fixed order, so that a change in the future leaves the past identical to the bit.

Shapes: ``n_periods`` rows of the record (the first trade is row 0), ``n_events``, ``n_assets``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from allocator.engine.costs import Charges
from allocator.engine.ground import Array, Ground, row_sums, rows_of
from allocator.engine.paths import Events, Paths, lengths_between, relative_paths
from allocator.engine.trade_cost import cost_with_fixed, self_financing_cost, signed_rates

__all__ = ["Accounts", "account"]


@dataclass(frozen=True, eq=False)
class Accounts:
    """What happened, row by row and event by event.

    Attributes
    ----------
    ground, events, paths
        What it follows from, cut at a ruin.
    value
        At each close after all, shape (n_periods,); starts with the value after the first trade.
    before
        Weights before each trade, as parts of ``worth``, shape (n_events, n_assets).
    worth
        Value before each trade with the flow, shape (n_events,).
    cost
        Cost of each trade as a fraction of ``worth``, shape (n_events,).
    after
        Value after each event, shape (n_events,).
    closing_flow
        Money that came or went on the last row, where nothing trades.
    ruined
        Whether the last row is the one on which nothing was left, or not enough to pay for the trade due;
        its value is 0.
    sold_out
        Whether the last event is the sale of everything for a withdrawal of more than there is.
    """

    ground: Ground
    events: Events
    paths: Paths
    value: Array
    before: Array
    worth: Array
    cost: Array
    after: Array
    closing_flow: float
    ruined: bool
    sold_out: bool


def account(
    ground: Ground, events: Events, charges: Charges, initial_value: float, closing_flow: float = 0.0
) -> Accounts:
    """Return the accounts of trading to the targets of the events.

    Parameters
    ----------
    ground
        Prices and rates; row 0 is the first trade.
    events
        When and to what.
    charges
        Cost of each asset.
    initial_value
        Money before the first trade.
    closing_flow
        Money that comes or goes on the last row, where nothing trades.
    """
    paths = relative_paths(ground, events)
    before = _before(ground, events, paths)
    ruined = bool(paths.growth.min(initial=1.0) <= 0.0)
    if ruined:
        row = int(np.argmax(paths.growth <= 0.0)) + 1
        n_events = int(np.searchsorted(events.rows, row, side="left"))
        ground, events, paths, before = _until(row, ground, events, paths, before, n_events)
    ends = _grown(ground, events, paths)
    walks = events.flows is not None or charges.fixed > 0.0
    chain = (_walk if walks else _multiply)(before, events, charges, ends, initial_value)
    closing, stop = 0.0 if ruined else closing_flow, _first_unpaid(chain, events.targets, charges)
    if stop is not None:
        ruined = True
        ground, events, paths, _ = _until(
            int(events.rows[stop]), ground, events, paths, chain.before, stop + 1
        )
        events, chain, closing = _sell_out(events, chain.first(stop + 1), charges)
        paths = replace(paths, units=paths.units[: len(events.rows)])
    sold_out = stop is not None and len(events.rows) > stop
    after = chain.worth * (1.0 - chain.cost)
    value = _values(ground, events, paths, after)
    if not ruined and value[-1] + closing <= 0.0:
        ruined, closing = True, -float(value[-1])
    value[-1] = 0.0 if ruined else value[-1] + closing
    return Accounts(
        ground, events, paths, value, chain.before, chain.worth, chain.cost, after, closing, ruined, sold_out
    )


def _sell_out(events: Events, chain: _Chain, charges: Charges) -> tuple[Events, _Chain, float]:
    """Return the end of a run that cannot pay for its last event, and the money that leaves with it.

    For a withdrawal all is sold, and what the sale leaves is paid out. Otherwise the event does not take
    place, and nothing is left.
    """
    last = len(chain.worth) - 1
    flow = 0.0 if events.flows is None else float(events.flows[last])
    value = float(chain.worth[last]) - flow
    if flow < 0.0 < value:
        held = chain.before[last:] * (chain.worth[last] / value if chain.worth[last] > 0.0 else 1.0)
        cost = cost_with_fixed(held, np.zeros_like(held), charges, value)
        if cost < 1.0:
            targets, flows = events.targets.copy(), np.array(events.flows)
            targets[last], flows[last] = 0.0, 0.0
            sold = _Chain(*(array.copy() for array in (chain.before, chain.worth, chain.cost)))
            sold.before[last], sold.worth[last], sold.cost[last] = held[0], value, cost
            return replace(events, targets=targets, flows=flows), sold, -value * (1.0 - cost)
    return events.first(last), chain.first(last), 0.0


def _values(ground: Ground, events: Events, paths: Paths, after: Array) -> Array:
    """Return the value at each close."""
    value, lengths = np.empty(len(paths.growth) + 1), lengths_between(events.rows, len(paths.growth))
    np.multiply(np.repeat(after, lengths), paths.growth, out=value[1:])
    fees = ground.fee_index if ground.management_fee else None
    if fees is not None:
        value[1:] *= fees[1:] / np.repeat(fees[events.rows], lengths)
    value[events.rows] = after
    return value


def _until(
    last: int, ground: Ground, events: Events, paths: Paths, before: Array, n_events: int
) -> tuple[Ground, Events, Paths, Array]:
    """Cut everything after row ``last``, and all but the first events."""
    cash = None if paths.cash is None else paths.cash[:last]
    short = Paths(paths.units[:n_events], paths.growth[:last], cash)
    return ground.cut(0, last + 1), events.first(n_events), short, before[:n_events]


def _before(ground: Ground, events: Events, paths: Paths) -> Array:
    """Return the weights before each event, those of delisted assets exchanged for cash."""
    before = np.empty_like(events.targets)
    before[0] = 0.0
    rows = events.rows[1:]
    ends = paths.growth[rows - 1]
    held = np.multiply(paths.units[:-1], rows_of(ground.levels, rows), out=before[1:])
    held /= np.where(ends > 0.0, ends, 1.0)[:, None]
    if events.released is not None:
        before[events.released] = 0.0
    return before


def _grown(ground: Ground, events: Events, paths: Paths) -> Array:
    """Return the growth from each event to the next, fees paid, shape (n_events - 1,)."""
    rows = events.rows[1:]
    ends = paths.growth[rows - 1]
    fees = ground.fee_index if ground.management_fee else None
    return ends if fees is None else np.asarray(ends * (fees[rows] / fees[events.rows[:-1]]))


@dataclass(frozen=True, eq=False)
class _Chain:
    """Weights before, value before and relative cost of each trade, by event."""

    before: Array
    worth: Array
    cost: Array

    def first(self, n_events: int) -> _Chain:
        return _Chain(self.before[:n_events], self.worth[:n_events], self.cost[:n_events])


def _multiply(before: Array, events: Events, charges: Charges, ends: Array, initial_value: float) -> _Chain:
    """Return the chain where all costs are in proportion to the value, multiplied as :func:`_walk` does."""
    cost = self_financing_cost(before, events.targets, charges)
    factors = np.empty(2 * len(cost) - 1)
    factors[0] = initial_value
    factors[1::2], factors[2::2] = 1.0 - cost[:-1], ends
    return _Chain(before, np.asarray(np.cumprod(factors)[::2]), cost)


def _walk(before: Array, events: Events, charges: Charges, ends: Array, initial_value: float) -> _Chain:
    """Return the chain event by event, because some money is not in proportion to the value."""
    n_events = len(events.rows)
    before, worth, cost = before.copy(), np.zeros(n_events), np.ones(n_events)
    value = initial_value
    for k in range(n_events):
        value = value * ends[k - 1] if k else value
        flow = 0.0 if events.flows is None else float(events.flows[k])
        worth[k] = value + flow
        if worth[k] <= 0.0:
            break
        before[k] *= value / worth[k]
        cost[k] = cost_with_fixed(before[k : k + 1], events.targets[k : k + 1], charges, worth[k])
        value = worth[k] * (1.0 - cost[k])
        if value <= 0.0:
            break
    return _Chain(before, worth, cost)


def _first_unpaid(chain: _Chain, targets: Array, charges: Charges) -> int | None:
    """Return the first trade that cannot be paid: where selling all, or buying back, costs all there is."""
    before = chain.before
    highest = max(float(before.max()), -float(before.min())) * before.shape[1] * charges.most
    if highest < 1.0 and not charges.fixed and chain.worth[-1] > 0.0 and chain.cost.max() < 1.0:
        return None  # the last value is above 0 only if all are
    solvent = chain.worth > 0.0
    involved = (before != 0.0) | (targets != 0.0)  # what is sold, and what is to be bought
    fixed = charges.fixed * involved.sum(axis=1) / np.where(solvent, chain.worth, 1.0)
    payable = fixed - row_sums(before * signed_rates(-before, charges)) < 1.0
    unpaid = np.flatnonzero(~(payable & solvent & (chain.cost < 1.0)))
    return int(unpaid[0]) if len(unpaid) else None
