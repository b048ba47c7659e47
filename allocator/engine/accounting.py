"""The accounting kernel: NumPy arrays in, NumPy arrays out, no loop over days.

Between two trades units are held, so what one unit of value becomes is a fixed combination of
prices and of a cash index. That *relative path* and the weights before each trade do not depend on
the amounts invested; the costs therefore follow for all trades at once, and the values by a
cumulative product. Every row is computed from its own and earlier rows by elementwise operations in
a fixed order, so that a change in the future leaves the past identical to the bit.

Shapes: ``n_periods`` rows of the record (the first trade is row 0), ``n_trades``, ``n_assets``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Accounts", "Financing", "account", "drifted_weights", "financing_indices", "self_financing_cost"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
DUST = 1e-12  # a trade below this fraction of the value is none


@dataclass(frozen=True, eq=False)
class Financing:
    """Growth of one unit lent at cash and of one borrowed at cash + spread, each shape (n_periods,)."""

    lent: Array
    borrowed: Array


@dataclass(frozen=True, eq=False)
class Accounts:
    """What happened, row by row and trade by trade.

    Attributes
    ----------
    value
        At each close after costs, shape (n_periods,); starts with the value after the first trade.
    trade_rows
        Shape (n_trades,).
    targets, before
        Weights after and before each trade, shape (n_trades, n_assets).
    units
        Units held after each trade, shape (n_trades, n_assets).
    trades, costs
        Signed notional traded and its cost, in money, shape (n_trades, n_assets).
    interest
        Interest earned (positive) or paid (negative) in the period that ends at each row, shape (n_periods,).
    ruined
        Whether the last row is the one on which nothing was left, or not enough to pay for the trade due;
        its value is 0.
    """

    value: Array
    trade_rows: Rows
    targets: Array
    before: Array
    units: Array
    trades: Array
    costs: Array
    interest: Array
    ruined: bool


def financing_indices(cash: Array, spread: Array) -> Financing:
    """Return the indices from cash returns and the spread per period, both shape (n_periods,); row 0 is 1."""
    return Financing(_index(cash), _index(cash + spread))


def _index(returns: Array) -> Array:
    growth = 1.0 + returns
    growth[0] = 1.0
    return np.asarray(np.cumprod(growth))


def drifted_weights(
    levels: Array, financing: Financing, start: int, rows: slice, target: Array
) -> tuple[Array, Array]:
    """Return weights and growth at ``rows`` of a portfolio set to ``target`` at the close of ``start``.

    Shapes (n_rows, n_assets) and (n_rows,). Weights are meaningless where the growth is not positive.
    """
    held = np.ascontiguousarray(levels[rows]) / levels[start] * target  # so that all windows sum in one order
    cash = 1.0 - float(target.sum())
    index = financing.lent if cash >= 0.0 else financing.borrowed
    growth = held.sum(axis=1) + cash * (index[rows] / index[start])
    return held / np.where(growth > 0.0, growth, 1.0)[:, None], growth


def self_financing_cost(before: Array, targets: Array, rates: Array) -> Array:
    """Return the cost of each trade as a fraction κ of the value before it, shape (n_trades,).

    κ solves κ = Σ c_i |w*_i (1 - κ) - w_i|: the targets hold on what is left after the cost. The
    right side is convex and piecewise linear, so Newton's method from 0 rises to the root and ends
    exactly once the signs stay. Needs Σ c_i |w*_i| < 1; the root is below 1 where Σ c_i |w_i| is.
    """
    kappa = np.zeros(len(targets))
    for _ in range(2 * targets.shape[1] + 2):  # each step changes the sign of at least one asset, or ends
        signed = rates * np.sign(targets * (1.0 - kappa)[:, None] - before)
        latest = (signed * (targets - before)).sum(axis=1) / (1.0 + (signed * targets).sum(axis=1))
        if np.array_equal(latest, kappa):
            break
        kappa = latest
    return kappa


def account(
    levels: Array, financing: Financing, trade_rows: Rows, targets: Array, rates: Array, initial_value: float
) -> Accounts:
    """Return the accounts of trading to ``targets`` at the closes of ``trade_rows``.

    Parameters
    ----------
    levels
        Prices, shape (n_periods, n_assets); row 0 is the first trade.
    financing
        Cash and borrowing indices over the same rows.
    trade_rows
        Increasing, the first is 0.
    targets
        Weights after each trade, shape (n_trades, n_assets); the rest of each row is cash.
    rates
        Proportional cost of each asset, shape (n_assets,).
    initial_value
        Money before the first trade.
    """
    lengths = np.diff(np.append(trade_rows, len(levels) - 1))
    per_value = targets / levels[trade_rows]
    cash = 1.0 - targets.sum(axis=1)
    growth = _relative_path(levels, financing, trade_rows, lengths, per_value, cash)
    ends = growth[trade_rows[1:] - 1]
    before = np.zeros_like(targets)
    before[1:] = per_value[:-1] * levels[trade_rows[1:]] / np.where(ends > 0.0, ends, 1.0)[:, None]
    lost = growth <= 0.0
    # Where selling all would cost all, no trade can be paid.
    lost[trade_rows[1:] - 1] |= (before[1:] * rates).sum(axis=1) >= 1.0
    ruined = bool(lost.any())
    if ruined:
        last = int(np.argmax(lost)) + 1
        kept = int(np.searchsorted(trade_rows, last, side="left"))
        growth, ends, before = growth[:last], ends[: kept - 1], before[:kept]
        financing = Financing(financing.lent[: last + 1], financing.borrowed[: last + 1])
        trade_rows, targets = trade_rows[:kept], targets[:kept]
        per_value, cash = per_value[:kept], cash[:kept]
        lengths = np.diff(np.append(trade_rows, last))
    kappa = self_financing_cost(before, targets, rates)
    moved = targets * (1.0 - kappa)[:, None] - before
    moved[np.abs(moved) < DUST] = 0.0
    after = initial_value * np.cumprod(np.append(1.0, ends) * (1.0 - kappa))
    worth = after / (1.0 - kappa)
    value = np.append(after[0], np.repeat(after, lengths) * growth)
    value[trade_rows] = after
    if ruined:
        value[-1] = 0.0
    return Accounts(
        value=value,
        trade_rows=trade_rows,
        targets=targets,
        before=before,
        units=per_value * after[:, None],
        trades=moved * worth[:, None],
        costs=np.abs(moved) * rates * worth[:, None],
        interest=_interest(financing, trade_rows, lengths, cash * after),
        ruined=ruined,
    )


def _relative_path(
    levels: Array, financing: Financing, trade_rows: Rows, lengths: Rows, per_value: Array, cash: Array
) -> Array:
    """Return the growth since the last trade before each row but the first, shape (n_periods - 1,)."""
    path = np.zeros(len(levels) - 1)
    for j in range(levels.shape[1]):
        if per_value[:, j].any():
            path += np.repeat(per_value[:, j], lengths) * levels[1:, j]
    for index, held in _sides(financing, cash):
        if held.any():
            path += np.repeat(held / index[trade_rows], lengths) * index[1:]
    return path


def _interest(financing: Financing, trade_rows: Rows, lengths: Rows, cash: Array) -> Array:
    """Return the interest of the period that ends at each row, from the cash held after each trade."""
    interest = np.zeros(len(financing.lent))
    for index, held in _sides(financing, cash):
        if held.any():
            interest[1:] += np.repeat(held / index[trade_rows], lengths) * np.diff(index)
    return interest


def _sides(financing: Financing, cash: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    return (financing.lent, np.maximum(cash, 0.0)), (financing.borrowed, np.minimum(cash, 0.0))
