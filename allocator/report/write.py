"""Write a study to a folder: page, pictures and tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from allocator.errors import InputError
from allocator.report.comparison import Comparison
from allocator.report.regime_study import RegimeStudy, regime_frame

__all__ = ["write_report"]


def write_report(comparison: Comparison, study: RegimeStudy, folder: str | Path) -> list[Path]:
    """Write a comparison and its regimes to a folder, made if need be; files of the same name are replaced.

    Returns
    -------
    list of Path
        ``index.html`` (self-contained), ``growth.png``, ``drawdown.png``, ``weights.png``,
        ``regime_correlation.png``, ``summary.csv``, ``regime_correlation.csv``,
        ``regime_performance.csv``. Numbers in the tables are fractions.

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
        raise InputError("out", f"cannot write to {target}: {error.strerror}", fix="choose another folder") from None
    return [page, *pictures.values(), *tables]


def _write_tables(comparison: Comparison, study: RegimeStudy, folder: Path) -> list[Path]:
    performance = [
        result.table.reset_index().assign(definition=result.regimes.name, ex_post=result.regimes.ex_post)
        for result in study.performance
    ]
    frames = {
        "summary.csv": comparison.table.reset_index(),
        "regime_correlation.csv": regime_frame(study),
        "regime_performance.csv": pd.concat(performance, ignore_index=True) if performance else pd.DataFrame(),
    }
    for name, frame in frames.items():
        _neutral(frame).to_csv(folder / name, index=False, lineterminator="\n")
    return [folder / name for name in frames]


def _neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with texts that a spreadsheet would take for formulas marked by an apostrophe."""

    def mark(value: object) -> object:
        return "'" + value if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value

    texts = frame.select_dtypes(exclude="number").columns
    return frame.assign(**{column: frame[column].map(mark) for column in texts})
