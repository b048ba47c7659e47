"""Write a study to a folder: page, pictures and tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from allocator.disk import make_folder, refuse_others, write_whole
from allocator.errors import InputError
from allocator.regimes import ConditionalTable
from allocator.report.comparison import Comparison
from allocator.report.html_page import PAGE_MARK
from allocator.report.plain_tables import plain_csv
from allocator.report.regime_study import RegimeStudy, regime_frame
from allocator.report.sharpe_differences import SharpeComparison

__all__ = ["write_report"]


def write_report(
    comparison: Comparison, study: RegimeStudy, folder: str | Path, *, overwrite: bool = False
) -> list[Path]:
    """Write a comparison and its regimes to a folder, made if need be.

    All is made before anything is written, and each file is written whole or not at all, the page first. A
    report that this library wrote there before is replaced.

    Parameters
    ----------
    comparison, study
        What was run, and its regimes.
    folder
        Where to.
    overwrite
        Whether to replace files of these names that are from elsewhere.

    Returns
    -------
    list of Path
        ``index.html`` (self-contained), ``growth.png``, ``drawdown.png``, ``weights.png``,
        ``regime_correlation.png``, ``summary.csv``, ``regime_correlation.csv``,
        ``regime_performance.csv``, ``sharpe_differences.csv`` (over the whole window and by regime; without a
        row where there is nothing to compare). Numbers in the tables are fractions; texts are as
        :func:`to_csv` writes them, so that a spreadsheet takes none for a formula.

    Raises
    ------
    InputError
        Files from elsewhere, or a folder that cannot be written.
    """
    paths = [Path(folder) / name for name in _FILES]
    refuse_others(paths, [PAGE_MARK], "folder", overwrite=overwrite, shown_by=paths[0])
    contents = _contents(comparison, study)
    make_folder(Path(folder), "folder")
    for path in paths:
        write_whole(path, contents[path.name], "folder")
    return paths


def _contents(comparison: Comparison, study: RegimeStudy) -> dict[str, bytes]:
    """Return all files by name."""
    from allocator.report.charts import study_pngs  # not at the top: matplotlib costs half a second
    from allocator.report.page import study_page

    pictures = study_pngs(comparison, study)
    texts = {"index.html": study_page(comparison, study, pictures)}
    texts |= {f"{name}.csv": plain_csv(make(comparison, study)) for name, make in _TABLES.items()}
    # A name that is no valid text is no reason to lose the page.
    encoded = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    return encoded | {f"{name}.png": picture for name, picture in pictures.items()}


def _performance_frame(_: Comparison, study: RegimeStudy) -> pd.DataFrame:
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


_TABLES: dict[str, Callable[[Comparison, RegimeStudy], pd.DataFrame]] = {
    "summary": lambda comparison, _: comparison.table.reset_index(),
    "regime_correlation": lambda _, study: regime_frame(study),
    "regime_performance": _performance_frame,
    "sharpe_differences": _difference_frame,
}
_PICTURES = ("growth", "drawdown", "weights", "regime_correlation")
# The page first: by it a report is known as ours, should the writer be stopped before the end.
_FILES = ("index.html", *(f"{name}.png" for name in _PICTURES), *(f"{name}.csv" for name in _TABLES))
