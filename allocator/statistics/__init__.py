"""Numbers about returns, as plain functions; they know nothing of an engine."""

from allocator.statistics.annualisation import (
    AutocorrelatedSharpe,
    annualisation_factor,
    autocorrelated_sharpe,
)
from allocator.statistics.block_calibration import BlockCalibration, calibrated_block_length
from allocator.statistics.block_length import joint_block_length, optimal_block_length, wide_block_length
from allocator.statistics.bootstrap import (
    BlockBootstrap,
    CircularBlockBootstrap,
    StationaryBootstrap,
    resampled_means,
)
from allocator.statistics.constancy_bootstrap import ConstancyBootstrap
from allocator.statistics.constant_correlation import (
    ConstantCorrelationTest,
    LogBandwidth,
    constant_correlation_test,
)
from allocator.statistics.correlation import (
    CorrelationEstimate,
    bootstrap_correlation,
    correlation,
    fisher_interval,
)
from allocator.statistics.correlation_path import (
    CorrelationPath,
    exponential_correlation,
    rolling_correlation,
)
from allocator.statistics.covariance import (
    ShrunkCovariance,
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
    sample_covariance,
)
from allocator.statistics.drawdown import (
    Drawdown,
    average_drawdown,
    drawdown_path,
    drawdowns,
    max_drawdown,
    pain_index,
    ulcer_index,
    worst_drawdown,
)
from allocator.statistics.drawdown_at_risk import conditional_drawdown_at_risk, drawdown_at_risk
from allocator.statistics.drawdown_inference import DrawdownDistribution, bootstrap_drawdown
from allocator.statistics.drawdown_ratios import martin_ratio, pain_ratio, sterling_ratio
from allocator.statistics.empyrical_table import empyrical_summary
from allocator.statistics.event_study import EventStudy, event_study
from allocator.statistics.families import (
    FamilyTest,
    holm,
    mean_family_test,
    reality_check,
    romano_wolf,
    sharpe_family_test,
)
from allocator.statistics.forbes_rigobon import (
    AdjustedCorrelation,
    adjusted_correlation,
    forbes_rigobon_correlation,
    raised_correlation,
)
from allocator.statistics.frequency_correlation import (
    CorrelationByFrequency,
    correlation_by_frequency,
    exponential_correlation_by_frequency,
    monthly_returns,
    rolling_correlation_by_frequency,
)
from allocator.statistics.hac_correlation import CorrelationInterval, correlation_interval
from allocator.statistics.level_and_change import LevelCorrelation, level_correlation
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
    cumulative_returns,
    downside_deviation,
    kurtosis,
    omega_ratio,
    sharpe_ratio,
    sharpe_standard_error,
    skewness,
    sortino_ratio,
    total_return,
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
from allocator.statistics.regression import (
    LeastSquares,
    LinearCombination,
    WaldTest,
    least_squares,
    linear_combination,
    wald_test,
)
from allocator.statistics.regression_errors import (
    HACErrors,
    HC0Errors,
    HC1Errors,
    HC3Errors,
    IndependentErrors,
    NeweyWestErrors,
    RegressionErrors,
    WideHACErrors,
)
from allocator.statistics.relative import beta, information_ratio, jensen_alpha, tracking_error
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
from allocator.statistics.sieve_bootstrap import WildSieveBootstrap
from allocator.statistics.structural_breaks import Partition, StructuralBreaks, find_breaks
from allocator.statistics.summary import performance_summary
from allocator.statistics.sup_f import BreakTest, break_test
from allocator.statistics.tail import (
    expected_shortfall,
    modified_expected_shortfall,
    modified_value_at_risk,
    normal_expected_shortfall,
    normal_value_at_risk,
    tail_ratio,
    value_at_risk,
)
from allocator.statistics.two_factors import TwoFactorCorrelation, two_factor_correlation
from allocator.statistics.wide_bandwidth import WideBandwidth

__all__ = [
    "AdjustedCorrelation",
    "AndrewsBandwidth",
    "AutocorrelatedSharpe",
    "Bartlett",
    "BlockBootstrap",
    "BlockCalibration",
    "BreakTest",
    "CircularBlockBootstrap",
    "ConstancyBootstrap",
    "ConstantCorrelationTest",
    "CorrelationByFrequency",
    "CorrelationEstimate",
    "CorrelationInterval",
    "CorrelationPath",
    "Drawdown",
    "DrawdownDistribution",
    "EventStudy",
    "FamilyTest",
    "FixedBandwidth",
    "HAC",
    "HACErrors",
    "HC0Errors",
    "HC1Errors",
    "HC3Errors",
    "IndependentErrors",
    "IndependentReturns",
    "KernelVariance",
    "LeastSquares",
    "LevelCorrelation",
    "LeverageAttribution",
    "LinearCombination",
    "LogBandwidth",
    "LongRunVariance",
    "NeweyWestBandwidth",
    "NeweyWestErrors",
    "NormalReturns",
    "Partition",
    "Parzen",
    "Prewhitened",
    "ProbabilisticSharpe",
    "QuadraticSpectral",
    "RegressionErrors",
    "ResampledMoments",
    "RollingCovariance",
    "SharpeDifference",
    "SharpeEstimate",
    "SharpeInterval",
    "SharpeMethod",
    "SharpeMoments",
    "ShrunkCovariance",
    "StationaryBootstrap",
    "StructuralBreaks",
    "StudentizedBootstrap",
    "TwoFactorCorrelation",
    "WaldTest",
    "WideBandwidth",
    "WideHACErrors",
    "WildSieveBootstrap",
    "adjusted_correlation",
    "annualisation_factor",
    "autocorrelated_sharpe",
    "average_drawdown",
    "best_period",
    "beta",
    "bootstrap_correlation",
    "bootstrap_drawdown",
    "bootstrap_sharpe",
    "break_test",
    "cagr",
    "calibrated_block_length",
    "calmar_ratio",
    "conditional_drawdown_at_risk",
    "constant_correlation_test",
    "correlation",
    "correlation_by_frequency",
    "correlation_interval",
    "cumulative_returns",
    "deflated_sharpe_ratio",
    "downside_deviation",
    "drawdown_at_risk",
    "drawdown_path",
    "drawdowns",
    "empyrical_summary",
    "event_study",
    "expected_maximum_sharpe",
    "expected_shortfall",
    "exponential_correlation",
    "exponential_correlation_by_frequency",
    "exponential_covariance",
    "find_breaks",
    "fisher_interval",
    "forbes_rigobon_correlation",
    "holm",
    "information_ratio",
    "jensen_alpha",
    "joint_block_length",
    "kurtosis",
    "least_squares",
    "ledoit_wolf_covariance",
    "ledoit_wolf_identity_covariance",
    "level_correlation",
    "levered_return_parts",
    "linear_combination",
    "martin_ratio",
    "max_drawdown",
    "mean_family_test",
    "modified_expected_shortfall",
    "modified_value_at_risk",
    "money_weighted_return",
    "monthly_returns",
    "normal_expected_shortfall",
    "normal_value_at_risk",
    "omega_ratio",
    "optimal_block_length",
    "pain_index",
    "pain_ratio",
    "performance_summary",
    "probabilistic_sharpe_ratio",
    "raised_correlation",
    "reality_check",
    "resampled_correlations",
    "resampled_means",
    "resampled_moments",
    "resampled_statistic",
    "rolling_correlation",
    "rolling_correlation_by_frequency",
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
    "sterling_ratio",
    "tail_ratio",
    "total_return",
    "tracking_error",
    "two_factor_correlation",
    "ulcer_index",
    "value_at_risk",
    "volatility",
    "wald_test",
    "wide_block_length",
    "worst_drawdown",
    "worst_period",
]
