"""Labels on dates, and statistics by label."""

from allocator.regimes.by_regime import conditional_statistic
from allocator.regimes.conditional import ConditionalTable, conditional_correlation, conditional_performance
from allocator.regimes.contrast import RegimeContrast, regime_contrast
from allocator.regimes.given import given_labels
from allocator.regimes.labels import (
    US_ERAS,
    Regimes,
    correlation_sign,
    decades,
    eras,
    inflation_level,
    inflation_trend,
)
from allocator.regimes.markov import MarkovFit, MarkovModel, fit_markov, markov_regimes
from allocator.regimes.publication import published
from allocator.regimes.signal_rules import relative_volatility, signal_level, signal_quantile
from allocator.regimes.trend import price_trend

__all__ = [
    "ConditionalTable",
    "MarkovFit",
    "MarkovModel",
    "RegimeContrast",
    "Regimes",
    "US_ERAS",
    "conditional_correlation",
    "conditional_performance",
    "conditional_statistic",
    "correlation_sign",
    "decades",
    "eras",
    "fit_markov",
    "given_labels",
    "inflation_level",
    "inflation_trend",
    "markov_regimes",
    "price_trend",
    "published",
    "regime_contrast",
    "relative_volatility",
    "signal_level",
    "signal_quantile",
]
