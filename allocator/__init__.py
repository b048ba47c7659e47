"""Backtest stock–bond, risk-parity and gold-diversified portfolios, and say how sure the answer is.

::

    import allocator as al
    from strategies import SixtyForty, RiskParity, GoldDiversified

    market = al.load_us_history()
    study = al.compare([SixtyForty(), RiskParity(), GoldDiversified()], market)
    study

Names are imported on first use, so that importing the package costs little more than pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.engine import (
        HOLD,
        AnyOf,
        Backtest,
        Band,
        BuyAndHold,
        Costs,
        Daily,
        EveryNRows,
        FixedMix,
        Hold,
        LeverageAbove,
        Monthly,
        OnDates,
        Quarterly,
        Rebalancing,
        Strategy,
        TargetWeights,
        Weekly,
        Yearly,
        run_backtest,
    )
    from allocator.errors import (
        AllocatorError,
        InputError,
        InsufficientHistoryError,
        SolverError,
        StrategyError,
        UndefinedStatisticWarning,
    )
    from allocator.market import (
        Market,
        Signal,
        constant_maturity_returns,
        load_us_history,
        read_prices,
        simulate_market,
        to_base_currency,
    )
    from allocator.regimes import (
        ConditionalTable,
        Regimes,
        conditional_correlation,
        conditional_performance,
        correlation_sign,
        decades,
        eras,
        inflation_level,
        inflation_trend,
    )
    from allocator.report import (
        Attribution,
        Comparison,
        RegimeStudy,
        attribute_performance,
        compare,
        study_regimes,
        write_report,
    )
    from allocator.report.charts import plot_drawdown, plot_growth, plot_regime_correlation, plot_weights
    from allocator.statistics import (
        best_period,
        bootstrap_correlation,
        bootstrap_sharpe,
        cagr,
        calmar_ratio,
        correlation,
        drawdown_path,
        drawdowns,
        empyrical_summary,
        expected_shortfall,
        fisher_interval,
        kurtosis,
        max_drawdown,
        money_weighted_return,
        performance_summary,
        sharpe_ratio,
        sharpe_standard_error,
        skewness,
        sortino_ratio,
        value_at_risk,
        volatility,
        worst_period,
    )
    from allocator.sweeps import grid, sweep

__version__ = "0.1.0"

# Searched in this order for a name, so that the cheap ones are imported first.
_HOMES = (
    "allocator.errors",
    "allocator.market",
    "allocator.engine",
    "allocator.statistics",
    "allocator.regimes",
    "allocator.report",
    "allocator.sweeps",
    "allocator.report.charts",
)

__all__ = [
    "AllocatorError",
    "AnyOf",
    "Attribution",
    "Backtest",
    "Band",
    "BuyAndHold",
    "Comparison",
    "ConditionalTable",
    "Costs",
    "Daily",
    "EveryNRows",
    "FixedMix",
    "HOLD",
    "Hold",
    "InputError",
    "InsufficientHistoryError",
    "LeverageAbove",
    "Market",
    "Monthly",
    "OnDates",
    "Quarterly",
    "Rebalancing",
    "RegimeStudy",
    "Regimes",
    "Signal",
    "SolverError",
    "Strategy",
    "StrategyError",
    "TargetWeights",
    "UndefinedStatisticWarning",
    "Weekly",
    "Yearly",
    "attribute_performance",
    "best_period",
    "bootstrap_correlation",
    "bootstrap_sharpe",
    "cagr",
    "calmar_ratio",
    "compare",
    "conditional_correlation",
    "conditional_performance",
    "constant_maturity_returns",
    "correlation",
    "correlation_sign",
    "decades",
    "drawdown_path",
    "drawdowns",
    "empyrical_summary",
    "eras",
    "expected_shortfall",
    "fisher_interval",
    "grid",
    "inflation_level",
    "inflation_trend",
    "kurtosis",
    "load_us_history",
    "max_drawdown",
    "money_weighted_return",
    "performance_summary",
    "plot_drawdown",
    "plot_growth",
    "plot_regime_correlation",
    "plot_weights",
    "read_prices",
    "run_backtest",
    "sharpe_ratio",
    "sharpe_standard_error",
    "simulate_market",
    "skewness",
    "sortino_ratio",
    "study_regimes",
    "sweep",
    "to_base_currency",
    "value_at_risk",
    "volatility",
    "worst_period",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in __all__:
        for home in map(importlib.import_module, _HOMES):
            if name in home.__all__:
                globals()[name] = value = getattr(home, name)
                return value
    raise AttributeError(f"module 'allocator' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
