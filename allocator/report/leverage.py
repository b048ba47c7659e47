"""What leverage did to the mean return of a backtest, financing and costs as they were paid."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.engine import Backtest, itemise
from allocator.engine.ground import DUST
from allocator.errors import InputError
from allocator.statistics.leverage import LeverageAttribution, split_by_leverage

__all__ = ["attribute_leverage"]

_COSTS = {
    "trading costs": ("commissions", "bid_ask", "fixed"),
    "management fee": ("management_fee",),
    "written off": ("written_off",),
}


def attribute_leverage(backtest: Backtest, *, n_resamples: int = 2000, seed: int = 0) -> LeverageAttribution:
    """Split the mean return of a backtest into what its assets earned, what leverage did, and costs.

    Leverage is the sum of the weights after trading at the beginning of each period, the source return what
    the assets gained per unit of it; borrowing and costs are what the record paid. The parts add up to the
    mean of the record's returns. Anderson, Bianchi and Goldberg (2014); see
    :func:`allocator.statistics.levered_return_parts` for the parts.

    Parameters
    ----------
    backtest
        The record; without leverage the parts of leverage are 0.
    n_resamples, seed
        Of the standard errors.

    Raises
    ------
    InputError
        If a weight is negative: the sum of weights then says nothing about the risk that is taken.
    """
    _refuse_shorts(backtest)
    ground, items = backtest.accounts.ground, backtest.itemised
    base = backtest.accounts.value[:-1]  # after the trades at the beginning of each period
    held = (itemise.units_by_row(backtest.accounts) * ground.levels).sum(axis=1)[:-1] / base
    leverage = np.where(np.abs(held - 1.0) < DUST, 1.0, held)
    invested, cash = leverage > 0.0, ground.cash[1:]
    gained = items["gains"].to_numpy()[1:] / base
    by_period = pd.DataFrame(
        {
            "source": np.where(invested, gained / np.where(invested, leverage, 1.0), cash),
            "leverage": leverage,
            "cash": cash,
            "borrowing": cash + ground.spread[1:],
        },
        index=items.index[1:],
    )
    costs = _costs(backtest, base)
    conventions = (
        "source return: gains of the assets per unit of leverage"
        + (f", and cash in the {np.sum(~invested):,} periods without assets" if not invested.all() else ""),
        *backtest.conventions,
    )
    periods = backtest.market.frequency.periods_per_year
    return split_by_leverage(
        by_period, costs, periods, backtest.name, conventions, n_resamples=n_resamples, seed=seed
    )


def _costs(
    backtest: Backtest, base: np.typing.NDArray[np.float64]
) -> dict[str, np.typing.NDArray[np.float64]]:
    """Return each cost that occurred by period, as a part of the value at its beginning, never positive."""
    money = backtest.itemised.drop(columns="flows").to_numpy()[1:]
    lines = {
        name: backtest.itemised[list(items)].to_numpy()[1:].sum(axis=1) / base
        for name, items in _COSTS.items()
    }
    # The build leaves less to grow in the first period: its cost is what that would have become.
    paid = 1.0 - base[0] / backtest.initial_value
    lines["trading costs"][0] -= paid * (1.0 + money[0].sum() / base[0])
    return {name: line for name, line in lines.items() if line.any()}


def _refuse_shorts(backtest: Backtest) -> None:
    short = backtest.targets < 0.0
    if short.to_numpy().any():
        row, asset = (int(i) for i in np.argwhere(short.to_numpy())[0])
        raise InputError(
            "backtest",
            "is short: a sum of weights does not measure leverage",
            asset=short.columns[asset],
            date=short.index[row],
            fix="attribute_performance splits any backtest by asset and cost",
        )
