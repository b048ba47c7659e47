"""Write a study to a folder: page, pictures and tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from allocator.errors import InputError
from allocator.regimes import ConditionalTable
from allocator.report.comparison import Comparison
from allocator.report.regime_study import RegimeStudy, regime_frame
from allocator.report.sharpe_differences import SharpeComparison

__all__ = ["write_report"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_report(comparison: Comparison, study: RegimeStudy, folder: str | Path) -> list[Path]:
    """Write a comparison and its regimes to a folder, made if need be; files of the same name are replaced.

    Returns
    -------
    list of Path
        ``index.html`` (self-contained), ``growth.png``, ``drawdown.png``, ``weights.png``,
        ``regime_correlation.png``, ``summary.csv``, ``regime_correlation.csv``,
        ``regime_performance.csv``, ``sharpe_differences.csv`` (over the whole window and by regime; without a
        row where there is nothing to compare). Numbers in the tables are fractions; a text that a spreadsheet
        would take for a formula begins with an apostrophe.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    from allocator.report.charts import save_charts  # not at the top: matplotlib costs half a second
    from allocator.report.page import write_page

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        tables = _write_tables(comparison, study, target)
        pictures = save_charts(comparison, study, target)
        page = target / "index.html"
        write_page(comparison, study, pictures, page)
    except OSError as error:
        problem = f"cannot write to {target}: {error.strerror or error}"
        raise InputError("folder", problem, fix="choose another") from None
    return [page, *pictures.values(), *tables]


def _write_tables(comparison: Comparison, study: RegimeStudy, folder: Path) -> list[Path]:
    frames = {
        "summary.csv": comparison.table.reset_index(),
        "regime_correlation.csv": regime_frame(study),
        "regime_performance.csv": _performance_frame(study),
        "sharpe_differences.csv": _difference_frame(comparison, study),
    }
    for name, frame in frames.items():
        _neutral(frame).to_csv(folder / name, index=False, lineterminator="\n")
    return [folder / name for name in frames]


def _performance_frame(study: RegimeStudy) -> pd.DataFrame:
    """Return the tables of performance in one frame: a row a strategy, definition and regime."""
    if not study.performance:
        return pd.DataFrame(columns=["strategy", "regime", "n", "sharpe", "low", "high", "max_drawdown"])
    return pd.concat([_with_definition(result) for result in study.performance], ignore_index=True)


def _difference_frame(comparison: Comparison, study: RegimeStudy) -> pd.DataFrame:
    """Return all differences of Sharpe ratios: a row a definition, regime and strategy, the whole first."""
    try:
        found = (comparison.sharpe_differences, *study.differences)
    except InputError:  # one strategy, or one that was ruined: the page says so
        found = study.differences
    if not found:
        return pd.DataFrame(columns=["definition", "span", "strategy", "n", "difference", "low", "high"])
    return pd.concat([_with_family(result) for result in found], ignore_index=True)


def _with_family(result: SharpeComparison) -> pd.DataFrame:
    regimes, frame = result.regimes, result.table.reset_index()
    frame.insert(0, "definition", "all dates" if regimes is None else regimes.name)
    ex_post = None if regimes is None else regimes.ex_post
    return frame.assign(baseline=result.baseline, n_tests=result.n_tests, ex_post=ex_post)


def _with_definition(result: ConditionalTable) -> pd.DataFrame:
    regimes, frame, p_equal = result.regimes, result.table.reset_index(), result.p_equal
    assert isinstance(p_equal, dict)  # a test a strategy
    return frame.assign(
        definition=regimes.name,
        rule=regimes.rule,
        ex_post=regimes.ex_post,
        p_equal=frame["strategy"].map(p_equal),
    )


def _neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with texts that a spreadsheet would take for formulas marked by an apostrophe."""
    texts = frame.select_dtypes(exclude="number").columns
    return frame.assign(**{column: frame[column].map(_marked) for column in texts})


def _marked(cell: object) -> object:
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
