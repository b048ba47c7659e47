"""What trades cost, many at a time: a column is one trade of one portfolio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trading", "cost_of_trades"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trading:
    """Cost of buying and selling as fractions of the notional, shape (n_assets, n_lanes).

    Either is of one column where all lanes pay the same, and of one row where all assets cost the same.
    """

    buy: Array
    sell: Array
    is_exact: bool
    is_symmetric: bool

    def some(self, which: Rows) -> Trading:
        """Return the trading of some lanes."""
        if self.buy.shape[1] == 1:
            return self
        return Trading(self.buy[:, which], self.sell[:, which], self.is_exact, self.is_symmetric)


def cost_of_trades(before: Array, after: Array, trading: Trading) -> tuple[Array, Array]:
    """Return the cost of trades and their one-way turnover as fractions of the value before.

    The equation and its solution are those of :func:`allocator.engine.trade_cost.self_financing_cost`. A
    cost only changes the side of what is bought for less than its part of the cost, so few trades need
    more than one step.

    Parameters
    ----------
    before
        Weights before, shape (n_trades, n_assets, n_lanes).
    after
        Weights after, the same for all trades of a lane, shape (n_assets, n_lanes).
    trading
        The rates of the lanes.

    Returns
    -------
    tuple of ndarray
        Shape (n_trades, n_lanes) each.
    """
    moved = after - before
    size = np.abs(moved)
    turnover = np.add.reduce(size, axis=1) * 0.5
    sides = _sides(moved, trading)
    cost = np.einsum("tal,tal->tl", sides, moved)
    if not trading.is_exact:
        return cost, turnover
    cost /= 1.0 + np.einsum("tal,al->tl", sides, after)
    highest = np.fmax.reduce(cost, axis=None, initial=0.0)  # of lanes that are ruined, it may be NaN
    trades, lanes = np.nonzero(np.logical_or.reduce(size < after * highest, axis=1))
    if len(lanes):
        held, change = before[trades, :, lanes].T, moved[trades, :, lanes].T
        first = cost[trades, lanes]
        cost[trades, lanes] = _solved_cost(first, held, change, after[:, lanes], trading.some(lanes))
    return cost, turnover


def _sides(moved: Array, trading: Trading) -> Array:
    """Return what the cost of each trade grows by with the weight after it: a buy's rate, less a sell's."""
    if trading.is_symmetric:
        return np.copysign(trading.buy, moved)
    return np.where(moved > 0.0, trading.buy, -trading.sell)


def _solved_cost(cost: Array, before: Array, moved: Array, after: Array, trading: Trading) -> Array:
    """Continue Newton's method from a first cost until the sides stay."""
    for _ in range(2 * len(before) + 2):
        sides = _sides(after * (1.0 - cost) - before, trading)
        latest = np.einsum("ij,ij->j", sides, moved) / (1.0 + np.einsum("ij,ij->j", sides, after))
        if (latest == cost).all():
            break
        cost = latest
    return cost
