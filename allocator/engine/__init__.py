"""What the portfolio did: strategies, rebalancing rules, costs, and the record."""

from allocator.engine.backtest import run_backtest
from allocator.engine.costs import Costs
from allocator.engine.planned import FixedMix, TargetWeights
from allocator.engine.rebalancing import (
    AnyOf,
    Band,
    BuyAndHold,
    Daily,
    EveryNRows,
    LeverageAbove,
    Monthly,
    OnDates,
    Quarterly,
    Rebalancing,
    Weekly,
    Yearly,
)
from allocator.engine.result import Backtest
from allocator.engine.strategy import HOLD, Hold, Strategy

__all__ = [
    "AnyOf",
    "Backtest",
    "Band",
    "BuyAndHold",
    "Costs",
    "Daily",
    "EveryNRows",
    "FixedMix",
    "HOLD",
    "Hold",
    "LeverageAbove",
    "Monthly",
    "OnDates",
    "Quarterly",
    "Rebalancing",
    "Strategy",
    "TargetWeights",
    "Weekly",
    "Yearly",
    "run_backtest",
]
