"""What moved the debt ratio, period by period: interest, growth, inflation, primary deficit and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.macro.debt import show
from allocator.macro.debt.accounts import read_accounts
from allocator.macro.debt.law import nominal_growth

__all__ = ["CHANNELS", "DebtContributions", "debt_contributions"]

CHANNELS = ("interest", "growth", "inflation", "primary_deficit", "stock_flow")


@final
@dataclass(frozen=True, eq=False, repr=False)
class DebtContributions:
    """The change of a debt ratio and what it is made of.

    Attributes
    ----------
    accounts
        What it was made from, validated.
    exact
        A row a period, over GDP: ``change`` of the ratio and the five channels of the exact law, which add up
        to it to rounding. ``stock_flow`` is what the others leave.
    linear
        ``interest`` i d, ``growth`` -g d, ``inflation`` -π d, and ``gap``: by how much the linear law misses
        the ratio of the period, with the same deficit and stock-flow and from the true ratio before it.
    measures
        ``real_rate`` (the effective rate over inflation), ``stabilising_balance`` (the primary balance that
        would have left the ratio as it was), ``liquidation`` (see :func:`debt_contributions`).
    """

    accounts: pd.DataFrame
    exact: pd.DataFrame
    linear: pd.DataFrame
    measures: pd.DataFrame

    __repr__ = show.contributions_text
    _repr_html_ = show.contributions_html


def debt_contributions(accounts: pd.DataFrame) -> DebtContributions:
    """Split each change of a debt ratio into its channels, exactly.

    With G = (1 + g)(1 + π) - 1 and d the ratio of the period before: interest d i / (1 + G), growth
    -d g / (1 + G), inflation -d π (1 + g) / (1 + G), the primary deficit f, and stock-flow, the rest.
    Growth and inflation share their product so: inflation has what it does to a GDP that has grown. IMF,
    Debt Sustainability Framework; Escolano (2010).

    ``liquidation`` is financial repression as Reinhart and Sbrancia (2015) count it, on the effective rate:
    in a period whose real effective rate r = (1 + i)/(1 + π) - 1 is negative, what it takes off the ratio,
    -r d / (1 + g); otherwise 0. Theirs is on each bond's rate and on marketable debt, and starts from
    holding-period returns for some countries; interest received by the government lowers ours.

    Parameters
    ----------
    accounts
        As :func:`debt_accounts` returns: ``debt``, ``interest_rate``, ``growth``, ``inflation``,
        ``primary_deficit``; the first row for its debt only.

    Raises
    ------
    InputError
        As :func:`debt_accounts`.
    """
    table = read_accounts(accounts)
    after, before = table["debt"].to_numpy()[1:], table["debt"].to_numpy()[:-1]
    i, g, p, f = (
        table[name].to_numpy()[1:] for name in ("interest_rate", "growth", "inflation", "primary_deficit")
    )
    size = 1.0 + nominal_growth(g, p)
    parts = {
        "interest": before * i / size,
        "growth": -before * g / size,
        "inflation": -before * p * (1.0 + g) / size,
        "primary_deficit": f,
    }
    change = after - before
    exact = {"change": change, **parts, "stock_flow": change - sum(parts.values())}
    linear = {"interest": i * before, "growth": -g * before, "inflation": -p * before}
    # What both laws share, the deficit and the stock-flow, falls out of the gap.
    gap = sum(linear.values()) - parts["interest"] - parts["growth"] - parts["inflation"]
    real = (1.0 + i) / (1.0 + p) - 1.0
    measures = {
        "real_rate": real,
        "stabilising_balance": before * (i - size + 1.0) / size,
        "liquidation": np.maximum(-real, 0.0) * before / (1.0 + g),
    }
    frames = [pd.DataFrame(part, index=table.index[1:]) for part in (exact, {**linear, "gap": gap}, measures)]
    return DebtContributions(table, *frames)
