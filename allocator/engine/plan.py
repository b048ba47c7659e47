"""The plan of a run: what is decided when, and the events that follow from it.

Weights drift alike whatever the amounts, so that all decisions can be found before any money is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from allocator.engine.decisions import Decision, Failure, Mandate, decide, decide_all
from allocator.engine.ground import Ground
from allocator.engine.paths import Events, drifted_weights
from allocator.engine.rebalancing import Rebalancing, Rows, Trigger
from allocator.engine.strategy import Strategy
from allocator.errors import AllocatorError
from allocator.market import Market
from allocator.market.market import is_always_listed

__all__ = ["Flows", "Plan", "Reason", "Run", "make_plan"]

Array = NDArray[np.float64]
_NEVER = np.iinfo(np.int64).max
_NOT_DECIDED = -1


class Reason(IntEnum):
    """Why holdings change."""

    BUILD = 0
    CALENDAR = 1
    DRIFT = 2
    DELISTING = 3
    FLOW = 4


@dataclass(frozen=True, eq=False)
class Flows:
    """Money that comes (positive) or goes, by row of the market, shape (n_flows,) each; rows increasing."""

    rows: Rows
    amounts: Array


@dataclass(frozen=True, eq=False)
class Run:
    """What was asked for, checked."""

    strategy: Strategy
    market: Market
    rule: Rebalancing
    lag: int
    mandate: Mandate


@dataclass(frozen=True, eq=False)
class Plan:
    """The events of a run, on rows of the market.

    Attributes
    ----------
    events
        Rows, targets and what goes with them.
    decided
        The row of the decision behind each event, -1 for none, shape (n_events,).
    reasons
        A :class:`Reason` each, shape (n_events,).
    capped
        Rows of decisions that the mandate's leverage scaled down.
    failure
        What a decision after the last of these raised, if any did.
    """

    events: Events
    decided: Rows
    reasons: Rows
    capped: Rows
    failure: Failure | None = None

    def sold_out(self, event: int) -> Plan:
        """Return the plan with an event that was no decision but a sale for a withdrawal."""
        decided, reasons = self.decided.copy(), self.reasons.copy()
        decided[event], reasons[event] = _NOT_DECIDED, Reason.FLOW
        return replace(self, decided=decided, reasons=reasons)


def make_plan(run: Run, ground: Ground, first: int, opening: Decision, flows: Flows | None) -> Plan:
    """Return the plan of a run whose first decision, the opening, is on row ``first``."""
    market, last = run.market, len(run.market.index) - 1
    scheduled = run.rule.scheduled(market.index, market.frequency)
    scheduled = scheduled[(scheduled > first) & (scheduled + run.lag < last)]
    triggers = run.rule.triggers(market.assets, market.index, market.frequency)
    stays = is_always_listed(market) or market.listed_until.min() > last
    if triggers or run.strategy.sees_holdings or not stays:
        plan = _step_through(run, ground, first, opening, scheduled, triggers)
    else:  # nothing depends on the drift
        plan = _by_calendar(run, np.concatenate([[first], scheduled]), opening)
    return plan if flows is None else _with_flows(plan, ground, flows)


def _by_calendar(run: Run, rows: Rows, opening: Decision) -> Plan:
    decisions = decide_all(run.strategy, run.market, rows, run.mandate, opening)
    reasons = np.full(len(decisions.rows), Reason.CALENDAR)
    reasons[0] = Reason.BUILD
    events = Events(decisions.rows + run.lag, decisions.targets)
    return Plan(events, decisions.rows, reasons, decisions.rows[decisions.capped], decisions.failure)


@dataclass(frozen=True, eq=False)
class _Order:
    """A decision that waits for its trade."""

    decided: int
    target: Array
    reason: Reason
    trigger: Trigger | None = None


@dataclass(frozen=True, eq=False)
class _Holding:
    """Weights after the latest event, its row, and the target that drift is measured from."""

    row: int
    weights: Array
    target: Array


@dataclass(frozen=True, eq=False)
class _Log:
    """The events so far."""

    rows: list[int] = field(default_factory=list)
    targets: list[Array] = field(default_factory=list)
    released: list[NDArray[np.bool_]] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)
    capped: list[int] = field(default_factory=list)

    def add(self, row: int, weights: Array, decided: int, reason: Reason) -> None:
        """Add an event, or let a trade take the place of a delisting on the same row."""
        released = np.zeros(len(weights), dtype=bool)
        if self.rows and self.rows[-1] == row:
            released = self.released.pop()
            for entries in (self.rows, self.targets, self.decided, self.reasons):
                entries.pop()
        self.rows.append(row)
        self.targets.append(weights)
        self.released.append(released)
        self.decided.append(decided)
        self.reasons.append(reason)

    def plan(self, failure: Failure | None) -> Plan:
        """Return the events as arrays."""
        released, capped = np.array(self.released), np.array(self.capped, dtype=np.int64)
        events = Events(np.array(self.rows), np.array(self.targets), released if released.any() else None)
        return Plan(events, np.array(self.decided), np.array(self.reasons), capped, failure)


@dataclass(frozen=True, eq=False)
class _Watch:
    """A trigger and the rows on which it is tested, shape (n_periods,); None for every row."""

    trigger: Trigger
    tested: NDArray[np.bool_] | None


def _step_through(
    run: Run,
    ground: Ground,
    first: int,
    opening: Decision,
    scheduled: Rows,
    triggers: tuple[Trigger, ...],
) -> Plan:
    """Go from one thing to the next: a delisting, a decision, a trade; in this order on one row."""
    last = len(run.market.index) - 1
    ask, log = _asker(run, ground, first, opening), _Log()
    watches = [_watch(trigger, last + 1) for trigger in triggers]
    leaving = np.unique(run.market.listed_until)
    target = ask(first, log, None)
    orders = [_Order(first, np.zeros(len(run.market.assets)) if target is None else target, Reason.BUILD)]
    holding, watched = None, first
    while True:
        due = orders[0].decided + run.lag if orders else _NEVER
        gone = _NEVER if holding is None else _next(leaving, holding.row, last)
        planned = _next(scheduled, watched, last)
        found, trigger = _NEVER, None
        if holding is not None and not orders:
            stop = min(gone, planned, last - run.lag)
            found, trigger = _breach(ground, holding, watches, range(watched + 1, stop))
        row = min(due, gone, planned, found)
        if row > last:
            return log.plan(None)
        if row == gone and holding is not None:
            holding = _delist(run, ground, holding, row, log)
            watched = max(watched, row - 1)
        elif row in (planned, found):
            try:
                target, watched = ask(row, log, holding), row
            except AllocatorError as error:
                if not log.rows:
                    raise
                return log.plan(Failure(row, error))
            reason = Reason.CALENDAR if row == planned else Reason.DRIFT
            orders += [] if target is None else [_Order(row, target, reason, trigger)]
        else:
            holding = _trade(run, ground, holding, orders.pop(0), row, log)
            watched = max(watched, row)


def _next(rows: Rows, after: int, last: int) -> int:
    """Return the first of increasing rows after a row and up to the last, or never."""
    position = int(rows.searchsorted(after, side="right"))
    return int(rows[position]) if position < len(rows) and rows[position] <= last else _NEVER


def _watch(trigger: Trigger, n_rows: int) -> _Watch:
    if trigger.tested is None:
        return _Watch(trigger, None)
    tested = np.zeros(n_rows, dtype=bool)
    tested[trigger.tested] = True
    return _Watch(trigger, tested)


def _asker(
    run: Run, ground: Ground, first: int, opening: Decision
) -> Callable[[int, _Log, _Holding | None], Array | None]:
    """Return what asks the strategy on a row, and once for all rows where that is enough."""
    market, strategy = run.market, run.strategy
    listed = is_always_listed(market) or market.listed_from.max() <= first
    is_known = strategy.is_constant and bool(listed and market.listed_until.min() >= len(market.days))

    def ask(row: int, log: _Log, holding: _Holding | None) -> Array | None:
        is_made = is_known or row == first
        held = None
        if strategy.sees_holdings and holding is not None:
            held = _drift(ground, holding, row)
        target, capped = opening if is_made else decide(strategy, market, row, run.mandate, held)
        log.capped.extend([row] * capped)
        return target

    return ask


def _breach(
    ground: Ground, holding: _Holding, watches: list[_Watch], rows: range
) -> tuple[int, Trigger | None]:
    """Return the first of the rows at whose close the drift asks for a decision, and what asks.

    After a ruin nothing does.
    """
    for window in _doubling(rows) if watches else ():
        drifted, growth = drifted_weights(ground, holding.row, window, holding.weights)
        alive = len(growth) if growth.min() > 0.0 else int(np.argmax(growth <= 0.0))
        asked = [_asked(watch, drifted[:alive], holding.target, window) for watch in watches]
        firsts = [int(np.argmax(each)) if each.any() else _NEVER for each in asked]
        if min(firsts) < _NEVER:
            return window.start + min(firsts), watches[firsts.index(min(firsts))].trigger
        if alive < len(growth):
            break
    return _NEVER, None


def _asked(watch: _Watch, drifted: Array, target: Array, window: slice) -> NDArray[np.bool_]:
    asked = watch.trigger.breached(drifted, target)
    return asked if watch.tested is None else asked & watch.tested[window][: len(asked)]


def _doubling(rows: range) -> Iterator[slice]:
    """Yield windows that double: a breach is usually near, and far ones cost few steps."""
    start, length = rows.start, 256
    while start < rows.stop:
        yield slice(start, min(start + length, rows.stop))
        start, length = start + length, 2 * length


def _drift(ground: Ground, holding: _Holding, row: int) -> Array:
    """Return the weights at the close of a row, shape (n_assets,)."""
    if row == holding.row:
        return holding.weights
    weights, _ = drifted_weights(ground, holding.row, slice(row, row + 1), holding.weights)
    return np.asarray(weights[0])


def _delist(run: Run, ground: Ground, holding: _Holding, row: int, log: _Log) -> _Holding:
    """Exchange what leaves the market for cash."""
    leaves = run.market.listed_until == row
    weights, target = _drift(ground, holding, row).copy(), holding.target.copy()
    held = leaves & (weights != 0.0) | leaves & (holding.weights != 0.0)
    weights[leaves] = target[leaves] = 0.0
    if held.any():
        log.add(row, weights, _NOT_DECIDED, Reason.DELISTING)
        log.released[-1] |= held
    return _Holding(row, weights, target)


def _trade(
    run: Run, ground: Ground, holding: _Holding | None, order: _Order, row: int, log: _Log
) -> _Holding:
    """Trade to an order's target, or as far as its trigger says; what was delisted since stays cash."""
    target = np.where(run.market.listed_until <= row, 0.0, order.target)
    weights = target
    if holding is not None and order.trigger is not None:
        drifted = _drift(ground, holding, row)
        weights = order.trigger.destination(drifted, target)
        if weights is drifted:  # back within the band: nothing to do, but the target is the new one
            return _Holding(holding.row, holding.weights, target)
    log.add(row, weights, order.decided, order.reason)
    return _Holding(row, weights, target)


def _with_flows(plan: Plan, ground: Ground, flows: Flows) -> Plan:
    """Add flows: with the trade of their row, or spread over what is held."""
    events = plan.events
    position = np.searchsorted(events.rows, flows.rows, side="right") - 1
    extra = events.rows[position] != flows.rows
    drifted = [
        drifted_weights(ground, int(events.rows[k]), slice(row, row + 1), events.targets[k])[0][0]
        for row, k in zip(flows.rows[extra].tolist(), position[extra].tolist(), strict=True)
    ]
    rows = np.concatenate([events.rows, flows.rows[extra]])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    n_extra, n_assets = len(drifted), events.targets.shape[1]
    targets = np.concatenate([events.targets, np.reshape(drifted, (n_extra, n_assets))])[order]
    released = None
    if events.released is not None:
        released = np.concatenate([events.released, np.zeros((n_extra, n_assets), dtype=bool)])[order]
    amounts = np.zeros(len(rows))
    amounts[np.searchsorted(rows, flows.rows)] = flows.amounts
    return Plan(
        Events(rows, targets, released, amounts),
        np.concatenate([plan.decided, np.full(n_extra, _NOT_DECIDED)])[order],
        np.concatenate([plan.reasons, np.full(n_extra, Reason.FLOW)])[order],
        plan.capped,
        plan.failure,
    )
