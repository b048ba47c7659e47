"""Studies as tables, pictures and a page. Charts live in :mod:`allocator.report.charts`, imported on use."""

from allocator.report.additions import Additions, additions, weight_curve
from allocator.report.attribution import Attribution, attribute_performance
from allocator.report.comparison import Comparison, compare
from allocator.report.latex import to_latex
from allocator.report.leverage import attribute_leverage
from allocator.report.plain_tables import to_csv, to_markdown
from allocator.report.regime_study import RegimeStudy, study_regimes
from allocator.report.sharpe_differences import SharpeComparison, compare_sharpe
from allocator.report.tear_sheet import TearSheet, tear_sheet
from allocator.report.write import write_report

__all__ = [
    "Additions",
    "Attribution",
    "Comparison",
    "RegimeStudy",
    "SharpeComparison",
    "TearSheet",
    "additions",
    "attribute_leverage",
    "attribute_performance",
    "compare",
    "compare_sharpe",
    "study_regimes",
    "tear_sheet",
    "to_csv",
    "to_latex",
    "to_markdown",
    "weight_curve",
    "write_report",
]
