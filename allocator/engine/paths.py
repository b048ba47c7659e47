"""What one unit of value becomes between events: no amount of money matters to it.

Between two events units are held, so the growth of one unit of value is a fixed combination of prices
and of a cash index.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.ground import DUST, Array, Ground, Rows, is_wide, row_sums, rows_of

__all__ = ["Events", "Paths", "cash_weights", "drifted_weights", "lengths_between", "relative_paths"]


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


def cash_weights(targets: Array) -> Array:
    """Return the cash of each row of weights, rounding apart, shape (n_events,)."""
    cash = 1.0 - row_sums(targets)
    return np.where(np.abs(cash) < DUST, 0.0, cash)


def relative_paths(ground: Ground, events: Events) -> Paths:
    """Return what one unit of value becomes after each event."""
    lengths = lengths_between(events.rows, len(ground.levels) - 1)
    units = _units(ground, events)
    growth = (_by_row if is_wide(ground.levels.shape[1]) else _by_asset)(
        ground.levels, events.rows, lengths, units
    )
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
    for name, held in (("lent", np.maximum(cash, 0.0)), ("borrowed", np.minimum(cash, 0.0))):
        if held.any():
            side = getattr(ground, name)
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


def _units(ground: Ground, events: Events) -> Array:
    """Return the units held after each event for one unit of value, shape (n_events, n_assets)."""
    anchors = rows_of(ground.levels, events.rows)
    if not ground.levels[-1].all():  # a delisted asset is worth nothing, and not held
        anchors[anchors == 0.0] = 1.0
    return np.divide(events.targets, anchors, out=anchors)


def lengths_between(rows: Rows, n_rows: int) -> Rows:
    """Return how many of ``n_rows`` rows lie from each event until the next."""
    ends = np.empty_like(rows)
    ends[:-1], ends[-1:] = rows[1:], n_rows
    return ends - rows


def drifted_weights(ground: Ground, first: int, rows: slice, target: Array) -> tuple[Array, Array]:
    """Return weights and growth at ``rows`` of a portfolio set to ``target`` at the close of row ``first``.

    Shapes (n_rows, n_assets) and (n_rows,). Weights are meaningless where the growth is not positive.
    """
    anchor = ground.levels[first]
    units = target / (anchor if anchor.all() else np.where(anchor > 0.0, anchor, 1.0))
    held = ground.levels[rows] * units
    growth = row_sums(held)
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
