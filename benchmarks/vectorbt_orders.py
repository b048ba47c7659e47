"""Band rebalancing as vectorbt's order functions; imported only where vectorbt and numba are installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import Direction, NoOrder, SizeType

__all__ = ["order_nb", "pre_group_nb", "pre_segment_nb"]


@njit
def pre_group_nb(c: Any) -> Any:
    """Reserve the sizes of a portfolio's orders and what sorts them."""
    return np.empty(c.group_len), np.empty(c.group_len)


@njit
def pre_segment_nb(c: Any, sizes: Any, order_value: Any, targets: Any, width: float) -> Any:
    """Decide at a close: order the target weights, sells first, where one is beyond its band."""
    value = c.last_cash[c.group]
    for column in range(c.from_col, c.to_col):
        c.last_val_price[column] = c.close[c.i, column]
        value += c.last_position[column] * c.close[c.i, column]
    trade = c.i == 0
    if 0 < c.i < c.target_shape[0] - 1:
        for column in range(c.from_col, c.to_col):
            weight = c.last_position[column] * c.close[c.i, column] / value
            trade = trade or abs(weight - targets[column]) > width
    for k in range(c.group_len):
        sizes[k] = targets[c.from_col + k] if trade else np.nan
    if trade:
        nb.sort_call_seq_nb(c, sizes, SizeType.TargetPercent, Direction.LongOnly, order_value, False)
    return (sizes,)


@njit
def order_nb(c: Any, sizes: Any, rate: float) -> Any:
    """Order one asset, or nothing."""
    size = sizes[c.col - c.from_col]
    if np.isnan(size):
        return NoOrder
    return nb.order_nb(
        size=size,
        price=c.close[c.i, c.col],
        size_type=SizeType.TargetPercent,
        direction=Direction.LongOnly,
        fees=rate,
    )
