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
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.engine.costs import Charges
from allocator.frequency import Frequency, earned_between

__all__ = [
    "DUST",
    "Accounts",
    "Events",
    "Ground",
    "Paths",
    "account",
    "cash_weights",
    "drifted_weights",
    "in_order",
    "moved_weights",
    "relative_paths",
    "self_financing_cost",
]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
DUST = 1e-12  # a trade below this fraction of the value is none
_WIDE = 64  # from so many assets on a row of prices is longer than a segment
_CHUNK = 16384  # weights that are worked on together, few enough to stay in the fast cache


@dataclass(frozen=True, eq=False)
class Ground:
    """What holdings meet, whatever they are. What a run does not need is not computed.

    Attributes
    ----------
    levels
        Prices, shape (n_periods, n_assets).
    cash
        Return on cash per row, shape (n_periods,).
    days
        Dates as whole days, shape (n_periods,).
    frequency
        The row spacing.
    borrow_spread, management_fee
        Annual rates.
    short_fees
        Annual rate of each asset, shape (n_assets,); None where nothing can be short.
    """

    levels: Array
    cash: Array
    days: NDArray[np.int64]
    frequency: Frequency
    borrow_spread: float
    management_fee: float
    short_fees: Array | None

    @cached_property
    def lent(self) -> Array:
        """Growth of one unit at the cash return, shape (n_periods,)."""
        return _index(self.cash)

    @cached_property
    def borrowed(self) -> Array:
        """Growth of one unit of debt, shape (n_periods,)."""
        return _index(self.cash + self.spread)

    @cached_property
    def spread(self) -> Array:
        """What borrowing costs above cash per row, shape (n_periods,)."""
        return self._earned(self.borrow_spread)

    @cached_property
    def short_fee(self) -> Array | None:
        """Fee per row on what is short, shape (n_periods, n_assets); None where nothing is charged."""
        if self.short_fees is None or not self.short_fees.any():
            return None
        return np.column_stack([self._earned(float(fee)) for fee in self.short_fees])

    @cached_property
    def kept(self) -> Array | None:
        """Share of the value that the management fee leaves per row, shape (n_periods,); None without one."""
        return 1.0 + self._earned(-self.management_fee) if self.management_fee else None

    @cached_property
    def fee_index(self) -> Array | None:
        """What the management fee leaves of one unit, shape (n_periods,); None without one."""
        return None if self.kept is None else _index(self.kept - 1.0)

    def _earned(self, annual: float) -> Array:
        return earned_between(annual, self.days, self.frequency)

    def cut(self, first: int, stop: int) -> Ground:
        """Return the ground of some rows; the first of them earns nothing."""
        rows = slice(first, stop)
        return replace(self, levels=self.levels[rows], cash=self.cash[rows], days=self.days[rows])


@dataclass(frozen=True, eq=False)
class Events:
    """When holdings change and to what.

    Attributes
    ----------
    rows
        Increasing, the first is 0; shape (n_events,).
    targets
        Weights after each event, shape (n_events, n_assets); the rest of each row is cash. In memory, columns
        are contiguous where assets are few, rows where they are many, as in the prices.
    released
        Where a delisted holding is exchanged for cash before the trade, shape (n_events, n_assets); None
        where there is none.
    flows
        Money that comes or goes before the trade, shape (n_events,); None where there is none.
    """

    rows: Rows
    targets: Array
    released: NDArray[np.bool_] | None = None
    flows: Array | None = None

    def first(self, n_events: int) -> Events:
        """Return the first events."""
        return Events(
            self.rows[:n_events],
            self.targets[:n_events],
            None if self.released is None else self.released[:n_events],
            None if self.flows is None else self.flows[:n_events],
        )


@dataclass(frozen=True, eq=False)
class Paths:
    """What one unit of value becomes after each event until the next, row by row.

    Attributes
    ----------
    units
        Units held after each event for one unit of value, shape (n_events, n_assets).
    growth
        Value per unit of value after the latest event, fees apart, shape (n_periods - 1,): row t + 1 at t.
    cash
        The cash in it, same shape; None where no cash is held.
    """

    units: Array
    growth: Array
    cash: Array | None


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


def _index(returns: Array) -> Array:
    growth = 1.0 + returns
    growth[0] = 1.0
    return np.asarray(np.cumprod(growth))


def in_order(table: Array) -> Array:
    """Return a table by event in the memory order that prices of as many assets have."""
    return np.ascontiguousarray(table) if table.shape[1] >= _WIDE else np.asfortranarray(table)


def cash_weights(targets: Array) -> Array:
    """Return the cash of each row of weights, rounding apart, shape (n_events,)."""
    cash = 1.0 - _row_sums(targets)
    return np.where(np.abs(cash) < DUST, 0.0, cash)


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
        cost = _cost_with_fixed(held, np.zeros_like(held), charges, value)
        if cost < 1.0:
            targets, flows = events.targets.copy(), np.array(events.flows)
            targets[last], flows[last] = 0.0, 0.0
            sold = _Chain(*(array.copy() for array in (chain.before, chain.worth, chain.cost)))
            sold.before[last], sold.worth[last], sold.cost[last] = held[0], value, cost
            return replace(events, targets=targets, flows=flows), sold, -value * (1.0 - cost)
    return events.first(last), chain.first(last), 0.0


def _values(ground: Ground, events: Events, paths: Paths, after: Array) -> Array:
    """Return the value at each close."""
    value, lengths = np.empty(len(paths.growth) + 1), _lengths(events.rows, len(paths.growth))
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


def _lengths(rows: Rows, n_rows: int) -> Rows:
    """Return how many of ``n_rows`` rows lie from each event until the next."""
    ends = np.empty_like(rows)
    ends[:-1], ends[-1:] = rows[1:], n_rows
    return ends - rows


def _before(ground: Ground, events: Events, paths: Paths) -> Array:
    """Return the weights before each event, those of delisted assets exchanged for cash."""
    before = np.empty_like(events.targets)
    before[0] = 0.0
    rows = events.rows[1:]
    ends = paths.growth[rows - 1]
    held = np.multiply(paths.units[:-1], _at(ground.levels, rows), out=before[1:])
    held /= np.where(ends > 0.0, ends, 1.0)[:, None]
    if events.released is not None:
        before[events.released] = 0.0
    return before


def _at(levels: Array, rows: Rows) -> Array:
    """Return some rows in the memory order of the table."""
    return levels[rows] if levels.shape[1] >= _WIDE else levels.T.take(rows, axis=1).T


def _units(ground: Ground, events: Events) -> Array:
    """Return the units held after each event for one unit of value, shape (n_events, n_assets)."""
    anchors = _at(ground.levels, events.rows)
    if not ground.levels[-1].all():  # a delisted asset is worth nothing, and not held
        anchors[anchors == 0.0] = 1.0
    return np.divide(events.targets, anchors, out=anchors)


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
        cost[k] = _cost_with_fixed(before[k : k + 1], events.targets[k : k + 1], charges, worth[k])
        value = worth[k] * (1.0 - cost[k])
        if value <= 0.0:
            break
    return _Chain(before, worth, cost)


def _cost_with_fixed(before: Array, target: Array, charges: Charges, worth: float) -> float:
    """Return the cost of one trade with a fixed part for each asset that is traded because of it."""
    cost = float(self_financing_cost(before, target, charges)[0])
    if not charges.fixed:
        return cost
    traded = -1
    for _ in range(target.shape[1] + 2):  # the count settles at once but for trades that the cost cancels
        count = int((np.abs(moved_weights(before, target, np.array([cost]), charges)) >= DUST).sum())
        if count == traded:
            break
        traded = count
        cost = float(self_financing_cost(before, target, charges, charges.fixed * count / worth)[0])
        if cost >= 1.0:
            return 1.0
    return cost


def moved_weights(before: Array, targets: Array, cost: Array, charges: Charges) -> Array:
    """Return what each trade moves, as fractions of the value before it, dust left out."""
    left = (1.0 - cost)[:, None] if charges.is_exact else 1.0
    moved = targets * left - before
    moved[np.abs(moved) < DUST] = 0.0
    return np.asarray(moved)


def _first_unpaid(chain: _Chain, targets: Array, charges: Charges) -> int | None:
    """Return the first trade that cannot be paid: where selling all, or buying back, costs all there is."""
    before = chain.before
    highest = max(float(before.max()), -float(before.min())) * before.shape[1] * charges.most
    if highest < 1.0 and not charges.fixed and chain.worth[-1] > 0.0 and chain.cost.max() < 1.0:
        return None  # the last value is above 0 only if all are
    solvent = chain.worth > 0.0
    involved = (before != 0.0) | (targets != 0.0)  # what is sold, and what is to be bought
    fixed = charges.fixed * involved.sum(axis=1) / np.where(solvent, chain.worth, 1.0)
    payable = fixed - _row_sums(before * _signed_rates(-before, charges)) < 1.0
    unpaid = np.flatnonzero(~(payable & solvent & (chain.cost < 1.0)))
    return int(unpaid[0]) if len(unpaid) else None


def self_financing_cost(before: Array, targets: Array, charges: Charges, fixed: float = 0.0) -> Array:
    """Return the cost of each trade as a fraction κ of the value before it, shape (n_events,).

    κ solves κ = f + Σ c_i |w*_i (1 - κ) - w_i|, with c_i the rate of the side: the targets hold on what
    is left after the cost. The right side is convex and piecewise linear, so Newton's method from 0 rises
    to the root and ends exactly once the sides stay. Needs Σ c_i |w*_i| < 1; the root is below 1
    where Σ c_i |w_i| is. The first-order model is the right side at κ = 0.
    """
    if not charges.most:
        return np.full(len(before), fixed)
    if before.size <= _CHUNK:
        return _cost(before, targets, charges, fixed)
    size, cost = max(1, _CHUNK // before.shape[1]), np.empty(len(before))
    for first in range(0, len(before), size):
        rows = slice(first, first + size)
        cost[rows] = _cost(before[rows], targets[rows], charges, fixed)
    return cost


def _cost(before: Array, targets: Array, charges: Charges, fixed: float) -> Array:
    moved = targets - before
    rates = _signed_rates(moved, charges)
    kappa = np.zeros(len(targets))
    for _ in range(2 * targets.shape[1] + 2):  # each step changes the side of at least one asset, or ends
        cost = fixed + _row_sums(rates * moved)
        if not charges.is_exact:
            return np.asarray(cost)
        kappa = cost / (1.0 + _row_sums(rates * targets))
        left = targets * (1.0 - kappa)[:, None]
        left -= before
        latest = _signed_rates(left, charges)
        if np.array_equal(latest, rates):
            break
        rates = latest
    return np.asarray(kappa)


def _signed_rates(moved: Array, charges: Charges) -> Array:
    """Return what buying costs where weights rise and minus what selling costs where they fall."""
    rates = np.copysign(charges.mean, moved)
    return rates if charges.is_symmetric else np.asarray(rates + charges.tilt)


def relative_paths(ground: Ground, events: Events) -> Paths:
    """Return what one unit of value becomes after each event."""
    lengths = _lengths(events.rows, len(ground.levels) - 1)
    units = _units(ground, events)
    wide = ground.levels.shape[1] >= _WIDE
    growth = (_by_row if wide else _by_asset)(ground.levels, events.rows, lengths, units)
    cash = _cash_path(ground, events, lengths, units)
    if cash is not None:
        growth += cash
    return Paths(units, growth, cash)


def _by_asset(levels: Array, rows: Rows, lengths: Rows, units: Array) -> Array:  # noqa: ARG001
    """Value of the holdings, a pass for each asset: few of them and many rows."""
    path: Array | None = None
    for j in np.flatnonzero(units.any(axis=0)).tolist():
        grown = np.repeat(units[:, j], lengths)
        grown *= levels[1:, j]
        path = grown if path is None else np.add(path, grown, out=path)
    return np.zeros(len(levels) - 1) if path is None else path


def _by_row(levels: Array, rows: Rows, lengths: Rows, units: Array) -> Array:
    """Value of the holdings, a row at a time: the sum of a row does not depend on the rows beside it."""
    path = np.empty(len(levels) - 1)
    for first, length, held in zip(rows.tolist(), lengths.tolist(), units, strict=True):
        np.einsum("tj,j->t", levels[first + 1 : first + 1 + length], held, out=path[first : first + length])
    return path


def _cash_path(ground: Ground, events: Events, lengths: Rows, units: Array) -> Array | None:
    """Cash per unit of value after each event; None where none is held."""
    cash = cash_weights(events.targets)
    shorts = None if ground.short_fees is None or ground.short_fee is None else (units < 0.0).any(axis=1)
    if not cash.any() and (shorts is None or not shorts.any()):
        return None
    path = np.zeros(len(ground.levels) - 1)
    for side, held in ((ground.lent, np.maximum(cash, 0.0)), (ground.borrowed, np.minimum(cash, 0.0))):
        if held.any():
            path += np.repeat(held / side[events.rows], lengths) * side[1:]
    for k in () if shorts is None else np.flatnonzero(shorts).tolist():
        first, length = int(events.rows[k]), int(lengths[k])
        path[first : first + length] = cash_with_short_fees(ground, first, length, float(cash[k]), units[k])
    return path


def cash_with_short_fees(ground: Ground, first: int, length: int, cash: float, units: Array) -> Array:
    """Return cash at the ``length`` rows after row ``first``, out of which short fees are paid.

    Fees only take: cash that starts at 0 or above may fall below it once, and is borrowed from then on.
    """
    rows = slice(first + 1, first + 1 + length)
    assert ground.short_fee is not None
    owed = ground.short_fee[rows] * ground.levels[first : first + length]
    fees = np.einsum("tj,j->t", owed, np.maximum(-units, 0.0))
    path = _drained(cash, fees, ground.lent if cash >= 0.0 else ground.borrowed, first)
    below = np.flatnonzero(path < 0.0)
    if cash >= 0.0 and len(below):
        turn = int(below[0])
        path[turn + 1 :] = _drained(path[turn], fees[turn + 1 :], ground.borrowed, first + turn + 1)
    return path


def _drained(cash: float, fees: Array, index: Array, first: int) -> Array:
    """Return what is left of cash that grows with an index and pays fees, the rows after row ``first``."""
    grown = index[first + 1 : first + 1 + len(fees)]
    return np.asarray(grown * (cash / index[first] - np.cumsum(fees / grown)))


def drifted_weights(ground: Ground, first: int, rows: slice, target: Array) -> tuple[Array, Array]:
    """Return weights and growth at ``rows`` of a portfolio set to ``target`` at the close of row ``first``.

    Shapes (n_rows, n_assets) and (n_rows,). Weights are meaningless where the growth is not positive.
    """
    anchor = ground.levels[first]
    units = target / (anchor if anchor.all() else np.where(anchor > 0.0, anchor, 1.0))
    held = ground.levels[rows] * units
    growth = _row_sums(held)
    cash = 1.0 - float(target.sum())
    cash = cash if abs(cash) >= DUST else 0.0
    if ground.short_fee is not None and (target < 0.0).any():
        path = cash_with_short_fees(ground, first, rows.stop - first - 1, cash, units)
        growth += np.append(cash, path)[rows.start - first :]
    elif cash:
        index = ground.lent if cash > 0.0 else ground.borrowed
        growth += cash / index[first] * index[rows]
    held /= (growth if growth.min() > 0.0 else np.where(growth > 0.0, growth, 1.0))[:, None]
    return held, growth


def _row_sums(table: Array) -> Array:
    """Return the sum of each row, in an order that does not depend on the rows beside it."""
    if table.shape[1] >= _WIDE or (len(table) > 1 and table.flags.f_contiguous):
        return np.asarray(np.add.reduce(table, axis=1))  # along the row, or column by column
    total = table[:, 0].copy()
    for j in range(1, table.shape[1]):
        total += table[:, j]
    return total
