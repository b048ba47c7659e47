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
        Backtest,
        Band,
        BuyAndHold,
        Costs,
        Daily,
        EveryNRows,
        Monthly,
        Quarterly,
        Rebalancing,
        Strategy,
        Weekly,
        Yearly,
        run_backtest,
    )
    from allocator.errors import (
        AllocatorError,
        InputError,
        InsufficientHistoryError,
        StrategyError,
        UndefinedStatisticWarning,
    )
    from allocator.market import Market, Signal, load_us_history, read_prices, simulate_market
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
        Comparison,
        RegimeStudy,
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
        performance_summary,
        sharpe_ratio,
        sharpe_standard_error,
        skewness,
        sortino_ratio,
        value_at_risk,
        volatility,
        worst_period,
    )

__version__ = "0.1.0"

# Searched in this order for a name, so that the cheap ones are imported first.
_HOMES = (
    "allocator.errors",
    "allocator.market",
    "allocator.engine",
    "allocator.statistics",
    "allocator.regimes",
    "allocator.report",
    "allocator.report.charts",
)

__all__ = [
    "AllocatorError",
    "Backtest",
    "Band",
    "BuyAndHold",
    "Comparison",
    "ConditionalTable",
    "Costs",
    "Daily",
    "EveryNRows",
    "InputError",
    "InsufficientHistoryError",
    "Market",
    "Monthly",
    "Quarterly",
    "Rebalancing",
    "RegimeStudy",
    "Regimes",
    "Signal",
    "Strategy",
    "StrategyError",
    "UndefinedStatisticWarning",
    "Weekly",
    "Yearly",
    "best_period",
    "bootstrap_correlation",
    "bootstrap_sharpe",
    "cagr",
    "calmar_ratio",
    "compare",
    "conditional_correlation",
    "conditional_performance",
    "correlation",
    "correlation_sign",
    "decades",
    "drawdown_path",
    "drawdowns",
    "empyrical_summary",
    "eras",
    "expected_shortfall",
    "fisher_interval",
    "inflation_level",
    "inflation_trend",
    "kurtosis",
    "load_us_history",
    "max_drawdown",
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
