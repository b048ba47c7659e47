"""Numbers about returns, as plain functions; they know nothing of an engine."""

from allocator.statistics.bootstrap import optimal_block_length, resampled_means
from allocator.statistics.correlation import (
    CorrelationEstimate,
    bootstrap_correlation,
    correlation,
    fisher_interval,
)
from allocator.statistics.covariance import sample_covariance
from allocator.statistics.drawdown import Drawdown, drawdown_path, drawdowns, max_drawdown, worst_drawdown
from allocator.statistics.empyrical_table import empyrical_summary
from allocator.statistics.money_weighted import money_weighted_return
from allocator.statistics.performance import (
    best_period,
    cagr,
    calmar_ratio,
    kurtosis,
    sharpe_ratio,
    sharpe_standard_error,
    skewness,
    sortino_ratio,
    volatility,
    worst_period,
)
from allocator.statistics.sharpe_by_block import SharpeEstimate, bootstrap_sharpe
from allocator.statistics.summary import performance_summary
from allocator.statistics.tail import expected_shortfall, value_at_risk

__all__ = [
    "CorrelationEstimate",
    "Drawdown",
    "SharpeEstimate",
    "best_period",
    "bootstrap_correlation",
    "bootstrap_sharpe",
    "cagr",
    "calmar_ratio",
    "correlation",
    "drawdown_path",
    "drawdowns",
    "empyrical_summary",
    "expected_shortfall",
    "fisher_interval",
    "kurtosis",
    "max_drawdown",
    "money_weighted_return",
    "optimal_block_length",
    "performance_summary",
    "resampled_means",
    "sample_covariance",
    "sharpe_ratio",
    "sharpe_standard_error",
    "skewness",
    "sortino_ratio",
    "value_at_risk",
    "volatility",
    "worst_drawdown",
    "worst_period",
]
