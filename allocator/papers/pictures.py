"""The figures of a study, as the bytes of PDF and PNG files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from allocator.papers.work import PaperTable, Work
from allocator.report.picture import Picture

__all__ = ["draw_figures"]


def draw_figures(work: Work, wanted: Sequence[str], tables: Sequence[PaperTable]) -> dict[str, bytes]:
    """Return the bytes of each figure by the name of its file, a PDF and a PNG each."""
    if not wanted:
        return {}
    from allocator.report.draw import draw_files  # not at the top: matplotlib costs half a second

    files = {}
    for name, make in _makers(work, wanted, tables):
        for kind, data in draw_files(make).items():
            files[f"{name}.{kind}"] = data
    return files


def _makers(
    work: Work, wanted: Sequence[str], tables: Sequence[PaperTable]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the name of each figure and what draws it."""
    from allocator.report import charts

    of_run: dict[str, Callable[..., Any]] = {
        "growth": charts.plot_growth,
        "drawdown": charts.plot_drawdown,
        "weights": charts.plot_weights,
    }
    for name in wanted:
        if name in of_run:
            for run in work.runs:
                yield f"{name}-{run.slug}", partial(of_run[name], work.comparisons[run.name])
            continue
        for table in tables:
            if table.name == name or table.name.startswith(f"{name}-"):
                yield from _of_runs(work, table)


def _of_runs(work: Work, table: PaperTable) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the pictures of a table, one a run."""
    from allocator.report.draw import draw

    if "run" not in table.frame:
        yield table.name, partial(draw, _picture(table.frame), table.title)
        return
    for run in work.runs:
        rows = table.frame[table.frame["run"] == run.name]
        yield f"{table.name}-{run.slug}", partial(draw, _picture(rows), f"{table.title}: {run.name}")


def _picture(rows: pd.DataFrame) -> Picture:
    """Return the differences of Sharpe ratios with their intervals: a curve by weight, else a row each."""
    finite = np.isfinite(rows[["difference", "low", "high"]].to_numpy(dtype=np.float64)).all(axis=1)
    known = rows[finite]
    data = known[["difference", "low", "high"]].rename(columns={"difference": "value"})
    y = "difference of Sharpe ratios, with its interval"
    if "weight" in known:
        return Picture("curve", data.set_index(known["weight"]), y, "weight, fraction")
    labels = [f"{span}, {strategy}" for span, strategy in zip(known["span"], known["strategy"], strict=True)]
    return Picture("intervals", data.set_index(pd.Index(labels, name="row")), y)
