"""Studies as tables, pictures and a page. Charts live in :mod:`allocator.report.charts`, imported on use."""

from allocator.report.attribution import Attribution, attribute_performance
from allocator.report.comparison import Comparison, compare
from allocator.report.leverage import attribute_leverage
from allocator.report.regime_study import RegimeStudy, study_regimes
from allocator.report.write import write_report

__all__ = [
    "Attribution",
    "Comparison",
    "RegimeStudy",
    "attribute_leverage",
    "attribute_performance",
    "compare",
    "study_regimes",
    "write_report",
]
