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
        plot_drawdown,
        plot_growth,
        plot_regime_correlation,
        plot_weights,
        study_regimes,
        write_report,
    )
    from allocator.statistics import (
        bootstrap_correlation,
        bootstrap_sharpe,
        cagr,
        calmar_ratio,
        correlation,
        drawdown_path,
        drawdowns,
        empyrical_summary,
        expected_shortfall,
        max_drawdown,
        performance_summary,
        sharpe_ratio,
        sharpe_standard_error,
        sortino_ratio,
        value_at_risk,
        volatility,
    )

__version__ = "0.1.0"

_HOMES = {
    "allocator.engine": (
        "Backtest Band BuyAndHold Costs EveryNRows Monthly Quarterly Rebalancing Strategy Weekly Yearly "
        "run_backtest"
    ),
    "allocator.errors": "AllocatorError InputError InsufficientHistoryError StrategyError UndefinedStatisticWarning",
    "allocator.market": "Market Signal load_us_history read_prices simulate_market",
    "allocator.regimes": (
        "ConditionalTable Regimes conditional_correlation conditional_performance correlation_sign decades "
        "eras inflation_level inflation_trend"
    ),
    "allocator.report": (
        "Comparison RegimeStudy compare plot_drawdown plot_growth plot_regime_correlation plot_weights "
        "study_regimes write_report"
    ),
    "allocator.statistics": (
        "bootstrap_correlation bootstrap_sharpe cagr calmar_ratio correlation drawdown_path drawdowns "
        "empyrical_summary expected_shortfall max_drawdown performance_summary sharpe_ratio "
        "sharpe_standard_error sortino_ratio value_at_risk volatility"
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'allocator' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
