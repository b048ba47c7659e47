"""Many portfolios of fixed weights at once, one in each lane: the kernel of a sweep.

Between two trades the values of all lanes are one product of prices and units. A trade is a few
operations on (n_assets, n_lanes). Shapes: ``n_periods`` rows, the build is row 0; ``n_columns`` are the
assets, then one unit lent at cash and one borrowed.

A matrix product by a BLAS is the same to the bit on one thread or many only while it is small
enough for one thread: :func:`_product` cuts it up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.sweeps.tally import Moments, Tally, fold, moments, new_tally
from allocator.sweeps.trading import Trading, cost_of_trades

__all__ = [
    "Bands",
    "Book",
    "Field",
    "Lanes",
    "Outcome",
    "new_book",
    "product",
    "run_through_calendar",
    "summarise",
    "with_cash",
]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
_DUST = 1e-12
_ONE_THREAD = 200_000  # multiplications; OpenBLAS spreads a product over threads above 262,144


@dataclass(frozen=True, eq=False)
class Field:
    """What all lanes share.

    Attributes
    ----------
    growth
        Prices, and the indices of cash lent and borrowed, all after the management fee, shape
        (n_periods, n_columns).
    cash
        The cash return of each row, shape (n_periods,).
    trade_rows
        On which the calendar trades to target, increasing, shape (n_trades,).
    tested
        Whether bands are tested at each close, shape (n_periods,).
    lag
        Rows between the breach of a band and its trade.
    """

    growth: Array
    cash: Array
    trade_rows: Rows
    tested: NDArray[np.bool_]
    lag: int


@dataclass(frozen=True, eq=False)
class Bands:
    """Half the width of each band, shape (n_assets, n_lanes), and what part of it a trade leaves.

    ``left`` is 0 to trade to target, 1 to the edge, 0.5 half-way.
    """

    limits: Array
    left: float


@dataclass(frozen=True, eq=False)
class Lanes:
    """Target weights, shape (n_assets, n_lanes), and the cost of trading to them."""

    targets: Array
    trading: Trading

    @property
    def may_fail(self) -> bool:
        """Whether a lane borrows, so that selling all could cost all."""
        return bool(self.targets.sum(axis=0).max() > 1.0 + _DUST)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Moments of each lane, and the sums over its trades: one-way turnover after the build, cost with it."""

    moments: Moments
    turnover: Array
    cost: Array
    unclear: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Book:
    """Sums over the trades of each lane, and whether one could not be paid; updated in place."""

    turnover: Array
    cost: Array
    unpaid: NDArray[np.bool_]


def run_through_calendar(field: Field, lanes: Lanes) -> Outcome:
    """Run every lane from the build to the last row, trading to target on the rows of the calendar.

    The weights before a trade do not depend on amounts, so all trades of a stretch are one.
    """
    wanted, units = with_cash(lanes.targets), with_cash(lanes.targets)
    last = len(field.growth) - 1
    starts = np.concatenate([[0], field.trade_rows])
    since_trade = field.growth[1:] / field.growth[np.repeat(starts, np.diff(starts, append=last))]
    book, tally = new_book(lanes), new_tally(lanes.targets.shape[1], last)
    money, first = 1.0 - book.cost, 0
    while first < last:
        stop, trades = _stretch(field.trade_rows, first, last, tally.n_rows)
        kept = _charge(since_trade[trades - 1], wanted, lanes, book)
        row = first
        for end, left in zip([*trades.tolist(), stop], [*kept, None], strict=True):
            np.multiply(wanted, money, out=units)
            values = tally.values[row - first + 1 : end - first + 1]
            product(since_trade[row:end], units, values)
            if left is not None:
                values[-1] *= left
                money = values[-1].copy()
            row = end
        fold(tally, stop - first, field.cash[first + 1 : stop + 1])
        first = stop
    return summarise(field, book, tally)


def summarise(field: Field, book: Book, tally: Tally) -> Outcome:
    """Return what came out once all rows are folded in."""
    result = moments(tally, field.cash[1:])
    return Outcome(result, book.turnover, book.cost, result.unclear | book.unpaid)


def new_book(lanes: Lanes) -> Book:
    """Trade every lane from cash to its target."""
    targets = lanes.targets
    cost = cost_of_trades(np.zeros((1, *targets.shape)), targets, lanes.trading)[0][0]
    n_lanes = targets.shape[1]
    return Book(np.zeros(n_lanes), cost, np.zeros(n_lanes, dtype=bool))


def with_cash(weights: Array) -> Array:
    """Return weights with those of cash lent and borrowed below, shape (n_columns, n_lanes)."""
    cash = 1.0 - weights.sum(axis=0)
    cash[np.abs(cash) < _DUST] = 0.0
    return np.vstack([weights, np.maximum(cash, 0.0), np.minimum(cash, 0.0)])


def _stretch(trade_rows: Rows, first: int, last: int, n_rows: int) -> tuple[int, Rows]:
    """Return where a stretch after row ``first`` stops, at a trade if it can, and the trades in it."""
    stop = min(first + n_rows, last)
    trades = trade_rows[trade_rows.searchsorted(first, "right") : trade_rows.searchsorted(stop, "right")]
    return (int(trades[-1]) if len(trades) and stop < last else stop), trades


def _charge(grown: Array, wanted: Array, lanes: Lanes, book: Book) -> Array:
    """Charge some trades to target and return what is left of each value, shape (n_trades, n_lanes).

    ``grown`` is what a unit in each column has become since the trade before, (n_trades, n_columns).
    """
    n_assets, n_lanes = lanes.targets.shape
    before = np.empty((len(grown), n_assets, n_lanes))
    ends = np.empty((len(grown), n_lanes))
    product(grown, wanted, ends)
    for each, column, end in zip(before, grown, 1.0 / ends, strict=True):
        np.dot(column[:n_assets, None], end[None], out=each)
    before *= lanes.targets
    cost, traded = cost_of_trades(before, lanes.targets, lanes.trading)
    if lanes.may_fail:
        book.unpaid[:] |= ((before * lanes.trading.sell).sum(axis=1) >= 1.0).any(axis=0)
    book.turnover[:] += np.add.reduce(traded, axis=0)
    book.cost[:] += np.add.reduce(cost, axis=0)
    return np.asarray(1.0 - cost)


def product(growth: Array, units: Array, out: Array) -> None:
    """Write growth @ units into the first rows of ``out`` in parts that one thread does."""
    n_columns, n_lanes = units.shape
    wide = max(_ONE_THREAD // n_columns, 1)
    for left in range(0, n_lanes, wide):
        part = units[:, left : left + wide]
        step = max(_ONE_THREAD // part.size, 1)
        for top in range(0, len(growth), step):
            rows = growth[top : top + step]
            np.matmul(rows, part, out=out[top : top + len(rows), left : left + wide])
