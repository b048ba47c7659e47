"""The ground that holdings stand on: prices and rates by row, and how tables lie in memory.

Shapes: ``n_periods`` rows of the record, ``n_events``, ``n_assets``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allocator.frequency import Frequency, earned_between

__all__ = ["DUST", "Array", "Ground", "Rows", "in_order", "is_wide", "row_sums", "rows_of"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
DUST = 1e-12  # a trade below this fraction of the value is none
_WIDE = 64  # from so many assets on a row of prices is longer than a segment, and rows are contiguous


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


def _index(returns: Array) -> Array:
    growth = 1.0 + returns
    growth[0] = 1.0
    return np.asarray(np.cumprod(growth))


def is_wide(n_assets: int) -> bool:
    """Return whether prices of so many assets lie in memory row by row."""
    return n_assets >= _WIDE


def in_order(table: Array) -> Array:
    """Return a table by event in the memory order that prices of as many assets have."""
    return np.ascontiguousarray(table) if is_wide(table.shape[1]) else np.asfortranarray(table)


def rows_of(levels: Array, rows: Rows) -> Array:
    """Return some rows in the memory order of the table."""
    return levels[rows] if is_wide(levels.shape[1]) else levels.T.take(rows, axis=1).T


def row_sums(table: Array) -> Array:
    """Return the sum of each row, in an order that does not depend on the rows beside it."""
    if is_wide(table.shape[1]) or (len(table) > 1 and table.flags.f_contiguous):
        return np.asarray(np.add.reduce(table, axis=1))  # along the row, or column by column
    total = table[:, 0].copy()
    for j in range(1, table.shape[1]):
        total += table[:, j]
    return total
