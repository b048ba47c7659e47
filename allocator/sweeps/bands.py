"""Many portfolios with tolerance bands at once.

Weights are not computed to see whether a band is left. Holding ``u`` units at price ``p`` in a portfolio
worth ``v``, the weight is above ``target + limit`` exactly where ``p * u / (target + limit) > v``, and below
``target - limit`` where ``p * u / (target - limit) < v``. So each lane keeps two numbers an asset, its
*alarms*, and the extremes of prices and values over a stretch of rows rule out many lanes at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.rebalancing import TIE
from allocator.sweeps.lanes import Bands, Book, Field, Lanes, Outcome, new_book, product, summarise, with_cash
from allocator.sweeps.tally import fold, new_tally
from allocator.sweeps.trading import cost_of_trades

__all__ = ["run_through_bands"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max
_ENDLESS = 1e100  # an alarm that never sounds; infinity is no number for a BLAS
_CELLS = 32_000
_STRETCH = 32  # rows; a lane that trades is computed anew to the end of its stretch


@dataclass(frozen=True, eq=False)
class _Holding:
    """What each lane holds and waits for; updated in place.

    Attributes
    ----------
    units
        Shape (n_columns, n_lanes).
    upper, lower
        The alarms, shape (n_assets, n_lanes).
    free
        The row from which the band is tested, shape (n_lanes,).
    due
        The row of the trade that a breach has asked for, or never, shape (n_lanes,).
    """

    units: Array
    upper: Array
    lower: Array
    free: Rows
    due: Rows


def run_through_bands(field: Field, lanes: Lanes, bands: Bands) -> Outcome:
    """Run every lane from the build to the last row, trading on the calendar and where a band is left."""
    n_assets, n_lanes = lanes.targets.shape
    last = len(field.growth) - 1
    book, tally = new_book(lanes), new_tally(n_lanes, min(last, max(_CELLS // n_lanes, _STRETCH)))
    empty = np.empty((n_assets, n_lanes))
    holding = _Holding(
        np.empty((n_assets + 2, n_lanes)),
        empty,
        empty.copy(),
        np.ones(n_lanes, np.int64),
        np.full(n_lanes, _NEVER),
    )
    everyone = np.arange(n_lanes)
    _hold(field, lanes, bands, holding, everyone, 0, lanes.targets, 1.0 - book.cost)
    first = 0
    for row in [*field.trade_rows.tolist(), last]:
        while first < row:
            stop = min(first + tally.n_rows, row)
            values = tally.values[1 : stop - first + 1]
            product(field.growth[first + 1 : stop + 1], holding.units, values)
            _follow_bands(field, lanes, bands, book, holding, values, first)
            if stop == row < last:
                target = lanes.targets
                _trade(
                    field, lanes, bands, book, holding, everyone, np.full(n_lanes, row), target, values[-1]
                )
            fold(tally, stop - first, field.cash[first + 1 : stop + 1])
            first = stop
    return summarise(field, book, tally)


def _follow_bands(
    field: Field, lanes: Lanes, bands: Bands, book: Book, holding: _Holding, values: Array, first: int
) -> None:
    """Find breaches in the rows after ``first``, trade when that is due, and correct ``values`` after."""
    stop = first + len(values)
    tested = np.flatnonzero(field.tested[first + 1 : stop + 1])
    which = _candidates(field.growth[first + 1 : stop + 1][tested], holding, values[tested], stop)
    while len(which):
        _look(field, holding, values, first, tested, which)
        which = which[holding.due[which] <= stop]
        if not len(which):
            break
        rows = holding.due[which]
        here = values[rows - first - 1, which]
        prices = field.growth[rows].T
        before = holding.units[:-2, which] * prices[:-2] / here
        after = _destination(before, lanes.targets[:, which], bands.limits[:, which], bands.left)
        _trade(field, lanes, bands, book, holding, which, rows, after, here)
        later = np.arange(first + 1, stop + 1)[:, None] > rows
        grown = np.empty(later.shape)
        product(field.growth[first + 1 : stop + 1], holding.units[:, which], grown)
        values[:, which] = np.where(later, grown, values[:, which])
        values[rows - first - 1, which] = here
        which = which[rows < stop]


def _candidates(prices: Array, holding: _Holding, values: Array, stop: int) -> Rows:
    """Return the lanes that trade on these rows or may leave their band on one of them."""
    waiting = holding.due <= stop
    if len(prices):
        n_assets = len(holding.upper)
        dearest, cheapest = prices.max(axis=0)[:n_assets, None], prices.min(axis=0)[:n_assets, None]
        above = (holding.upper * dearest).max(axis=0) > values.min(axis=0)
        below = (holding.lower * cheapest).min(axis=0) < values.max(axis=0)
        waiting |= (above | below) & (holding.free <= stop)
    return np.flatnonzero(waiting)


def _look(field: Field, holding: _Holding, values: Array, first: int, tested: Rows, which: Rows) -> None:
    """Note the first tested row at whose close each lane leaves its band, and when it trades for that."""
    rows = tested + first + 1
    worth = values[tested[:, None], which]
    upper, lower = holding.upper[:, which], holding.lower[:, which]
    highest, lowest, alarm = np.zeros_like(worth), np.full_like(worth, np.inf), np.empty_like(worth)
    for asset, prices in enumerate(field.growth[rows, : len(upper)].T):
        np.dot(prices[:, None], upper[asset][None], out=alarm)  # far faster than broadcasting
        np.maximum(highest, alarm, out=highest)
        np.dot(prices[:, None], lower[asset][None], out=alarm)
        np.minimum(lowest, alarm, out=lowest)
    asked = (highest > worth) | (lowest < worth)
    asked &= rows[:, None] >= holding.free[which]
    found = np.flatnonzero(asked.any(axis=0))
    holding.due[which[found]] = rows[asked[:, found].argmax(axis=0)] + field.lag
    holding.free[which[found]] = _NEVER


def _destination(before: Array, target: Array, limits: Array, left: float) -> Array:
    """Return the weights to trade to: the target, or as far on the way as leaves that part of each limit."""
    if not left:
        return target
    way = target - before
    away = np.abs(way)
    share = np.where(away > limits * left, 1.0 - limits * left / away, 0.0).max(axis=0)
    return np.asarray(before + share * way)


def _trade(
    field: Field,
    lanes: Lanes,
    bands: Bands,
    book: Book,
    holding: _Holding,
    which: Rows,
    rows: Rows,
    after: Array,
    values: Array,
) -> None:
    """Trade some lanes to the weights ``after``, each on its row; ``values`` become those after the trade."""
    trading = lanes.trading.some(which)
    before = holding.units[:-2, which] * field.growth[rows, :-2].T / values
    cost, traded = (each[0] for each in cost_of_trades(before[None], after, trading))
    if lanes.may_fail:
        book.unpaid[which] |= (before * trading.sell).sum(axis=0) >= 1.0
    book.turnover[which] += traded
    book.cost[which] += cost
    values *= 1.0 - cost
    _hold(field, lanes, bands, holding, which, rows, after, values)


def _hold(
    field: Field,
    lanes: Lanes,
    bands: Bands,
    holding: _Holding,
    which: Rows,
    rows: Rows | int,
    weights: Array,
    values: Array,
) -> None:
    """Note what some lanes hold after a trade, and from when and where their bands are tested."""
    units = with_cash(weights) / field.growth[np.broadcast_to(rows, which.shape)].T * values
    targets, limits = lanes.targets[:, which], bands.limits[:, which]
    highest, lowest = targets + (limits + TIE), targets - (limits + TIE)
    holding.units[:, which] = units
    holding.upper[:, which] = np.where(highest > 0.0, units[:-2] / highest, 0.0)
    holding.lower[:, which] = np.where(lowest > 0.0, units[:-2] / lowest, _ENDLESS)
    holding.free[which] = rows + 1
    holding.due[which] = _NEVER
