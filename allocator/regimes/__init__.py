"""Labels on dates, and statistics by label."""

from allocator.regimes.conditional import ConditionalTable, conditional_correlation, conditional_performance
from allocator.regimes.labels import (
    US_ERAS,
    Regimes,
    correlation_sign,
    decades,
    eras,
    inflation_level,
    inflation_trend,
)

__all__ = [
    "ConditionalTable",
    "Regimes",
    "US_ERAS",
    "conditional_correlation",
    "conditional_performance",
    "correlation_sign",
    "decades",
    "eras",
    "inflation_level",
    "inflation_trend",
]
