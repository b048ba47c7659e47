"""Numbers about returns, as plain functions; they know nothing of an engine."""

from allocator.statistics.annualisation import (
    AutocorrelatedSharpe,
    annualisation_factor,
    autocorrelated_sharpe,
)
from allocator.statistics.block_calibration import BlockCalibration, calibrated_block_length
from allocator.statistics.block_length import joint_block_length, optimal_block_length
from allocator.statistics.bootstrap import (
    BlockBootstrap,
    CircularBlockBootstrap,
    StationaryBootstrap,
    resampled_means,
)
from allocator.statistics.correlation import (
    CorrelationEstimate,
    bootstrap_correlation,
    correlation,
    fisher_interval,
)
from allocator.statistics.covariance import (
    ShrunkCovariance,
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
    sample_covariance,
)
from allocator.statistics.drawdown import Drawdown, drawdown_path, drawdowns, max_drawdown, worst_drawdown
from allocator.statistics.drawdown_at_risk import conditional_drawdown_at_risk, drawdown_at_risk
from allocator.statistics.drawdown_inference import DrawdownDistribution, bootstrap_drawdown
from allocator.statistics.empyrical_table import empyrical_summary
from allocator.statistics.families import (
    FamilyTest,
    holm,
    mean_family_test,
    reality_check,
    romano_wolf,
    sharpe_family_test,
)
from allocator.statistics.leverage import LeverageAttribution, levered_return_parts
from allocator.statistics.long_run_variance import (
    AndrewsBandwidth,
    Bartlett,
    FixedBandwidth,
    KernelVariance,
    LongRunVariance,
    NeweyWestBandwidth,
    Parzen,
    Prewhitened,
    QuadraticSpectral,
)
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
from allocator.statistics.probabilistic_sharpe import (
    ProbabilisticSharpe,
    SharpeMoments,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probabilistic_sharpe_ratio,
)
from allocator.statistics.ratio_difference import SharpeDifference, sharpe_difference
from allocator.statistics.ratio_interval import SharpeInterval, sharpe_interval
from allocator.statistics.resampled import (
    ResampledMoments,
    resampled_correlations,
    resampled_moments,
    resampled_statistic,
)
from allocator.statistics.rolling_covariance import (
    RollingCovariance,
    rolling_covariance,
    rolling_exponential_covariance,
    rolling_shrunk_covariance,
)
from allocator.statistics.sharpe_by_block import SharpeEstimate, bootstrap_sharpe
from allocator.statistics.sharpe_methods import (
    HAC,
    IndependentReturns,
    NormalReturns,
    SharpeMethod,
    StudentizedBootstrap,
)
from allocator.statistics.summary import performance_summary
from allocator.statistics.tail import expected_shortfall, value_at_risk

__all__ = [
    "AndrewsBandwidth",
    "AutocorrelatedSharpe",
    "Bartlett",
    "BlockBootstrap",
    "BlockCalibration",
    "CircularBlockBootstrap",
    "CorrelationEstimate",
    "Drawdown",
    "DrawdownDistribution",
    "FamilyTest",
    "FixedBandwidth",
    "HAC",
    "IndependentReturns",
    "KernelVariance",
    "LeverageAttribution",
    "LongRunVariance",
    "NeweyWestBandwidth",
    "NormalReturns",
    "Parzen",
    "Prewhitened",
    "ProbabilisticSharpe",
    "QuadraticSpectral",
    "ResampledMoments",
    "RollingCovariance",
    "SharpeDifference",
    "SharpeEstimate",
    "SharpeInterval",
    "SharpeMethod",
    "SharpeMoments",
    "ShrunkCovariance",
    "StationaryBootstrap",
    "StudentizedBootstrap",
    "annualisation_factor",
    "autocorrelated_sharpe",
    "best_period",
    "bootstrap_correlation",
    "bootstrap_drawdown",
    "bootstrap_sharpe",
    "cagr",
    "calibrated_block_length",
    "calmar_ratio",
    "conditional_drawdown_at_risk",
    "correlation",
    "deflated_sharpe_ratio",
    "drawdown_at_risk",
    "drawdown_path",
    "drawdowns",
    "empyrical_summary",
    "expected_maximum_sharpe",
    "expected_shortfall",
    "exponential_covariance",
    "fisher_interval",
    "holm",
    "joint_block_length",
    "kurtosis",
    "ledoit_wolf_covariance",
    "ledoit_wolf_identity_covariance",
    "levered_return_parts",
    "max_drawdown",
    "mean_family_test",
    "money_weighted_return",
    "optimal_block_length",
    "performance_summary",
    "probabilistic_sharpe_ratio",
    "reality_check",
    "resampled_correlations",
    "resampled_means",
    "resampled_moments",
    "resampled_statistic",
    "rolling_covariance",
    "rolling_exponential_covariance",
    "rolling_shrunk_covariance",
    "romano_wolf",
    "sample_covariance",
    "sharpe_difference",
    "sharpe_family_test",
    "sharpe_interval",
    "sharpe_ratio",
    "sharpe_standard_error",
    "skewness",
    "sortino_ratio",
    "value_at_risk",
    "volatility",
    "worst_drawdown",
    "worst_period",
]
