"""What the portfolio did: strategies, rebalancing rules, costs, and the record."""

from allocator.engine.backtest import run_backtest
from allocator.engine.costs import Costs
from allocator.engine.rebalancing import (
    Band,
    BuyAndHold,
    Daily,
    EveryNRows,
    Monthly,
    Quarterly,
    Rebalancing,
    Weekly,
    Yearly,
)
from allocator.engine.result import Backtest
from allocator.engine.strategy import Strategy

__all__ = [
    "Backtest",
    "Band",
    "BuyAndHold",
    "Costs",
    "Daily",
    "EveryNRows",
    "Monthly",
    "Quarterly",
    "Rebalancing",
    "Strategy",
    "Weekly",
    "Yearly",
    "run_backtest",
]
