"""Run a study that a file describes, and write its tables, figures and manifest."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import final

from allocator.errors import AllocatorError, InputError
from allocator.papers.analyses import performance_table
from allocator.papers.data import StudyData, open_data
from allocator.papers.manifest import MANIFEST, STUDY, make_manifest, manifest_bytes
from allocator.papers.output import check_target, write_folder
from allocator.papers.pictures import draw_figures
from allocator.papers.study import Study, read_study
from allocator.papers.work import PaperTable, Work
from allocator.report.latex import to_latex
from allocator.report.paper_cells import paper_cells
from allocator.report.plain_tables import to_csv, to_markdown
from allocator.tables import html_block, html_table, printable, text_block, text_table
from allocator.untrusted import local_path

__all__ = ["Reproduction", "reproduce", "run_study"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Reproduction:
    """What a study found, and where it is written; prints its tables.

    Attributes
    ----------
    title
        Of the study.
    tables
        Each with its numbers at full precision (``frame``) and how they were made (``notes``).
    files
        What was written, the manifest last.
    manifest
        Its path.
    """

    title: str
    tables: tuple[PaperTable, ...]
    files: tuple[Path, ...]
    manifest: Path

    def __repr__(self) -> str:
        blocks = [
            text_block(
                [f"{table.name}: {table.title}", *text_table(*paper_cells(table.printed)), *table.notes]
            )
            for table in self.tables
        ]
        return "\n\n".join([printable(self.title), *blocks])

    def _repr_html_(self) -> str:
        return "".join(
            html_block(table.title, html_table(*paper_cells(table.printed)[:2]), table.notes)
            for table in self.tables
        )


def reproduce(
    study: str | Path, out: str | Path, *, overwrite: bool = False, data: str | Path | None = None
) -> Reproduction:
    """Run a study described in TOML (docs/papers.md) and write what it found to a folder.

    The folder appears when all of it is written: each table as LaTeX (booktabs), Markdown and CSV, each
    figure as PDF and PNG, a copy of the study, and ``manifest.json``, from which :func:`verify` runs it
    again. The same study in the same environment gives the same bytes.

    Parameters
    ----------
    study
        The path of the file.
    out
        A folder that is not there or is empty.
    overwrite
        Whether a folder that an earlier run wrote, and to which nothing was added, may be replaced.
    data
        The folder in which the files of data that the study names are looked up, and which no such name
        leaves (no ``..``, no symlink out of it); by default the folder of the study.

    Raises
    ------
    InputError
        A study with a key, name or value that is not known, data that are not there or not those it was
        written for, a folder that holds something; and what the parts of the study refuse.
    StrategyError
        A strategy that fails in its run.
    """
    read = read_study(study) if data is None else replace(read_study(study), folder=_base(data))
    folder = _folder(out)
    check_target(folder, overwrite)  # before the work, which may be long
    work, tables = run_study(read)
    try:
        figures = draw_figures(work, read.figures, tables)
    except AllocatorError:
        raise
    except Exception as error:
        problem = f"cannot be drawn: {type(error).__name__}: {error}"
        raise InputError("figures", problem[:300], fix="leave them out") from error
    files = {STUDY: read.text, **_table_files(tables), **figures}
    manifest = make_manifest(read, work.data, tables, files, folder)
    written = write_folder(folder, {**files, MANIFEST: manifest_bytes(manifest)}, overwrite)
    return Reproduction(read.title, tuple(tables), tuple(written), folder / MANIFEST)


def _folder(out: str | Path) -> Path:
    if not isinstance(out, str | Path) or not str(out) or "\0" in str(out):
        raise InputError("out", f"{out!r} is no path", fix="name a folder")
    return Path(out).absolute()


def _base(data: str | Path) -> Path:
    folder = local_path(data, "data").absolute()
    if not os.path.isdir(folder):
        raise InputError("data", f"{str(data)!r} is no folder", fix="name the folder that holds the data")
    return folder


def run_study(study: Study) -> tuple[Work, list[PaperTable]]:
    """Return a study at work and its tables, with nothing written."""
    data = open_data(study.data, study.folder)
    work = _work(study, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few rows, undefined numbers: the tables say n and why
        tables = [] if data.market is None else [performance_table(work)]
        for analysis in study.analyses:
            tables += _made(f"tests.{analysis.name}", partial(analysis.tables, work))
    return work, _distinct(tables)


def _work(study: Study, data: StudyData) -> Work:
    facts = (study.seed, study.strategies, study.runs, study.regimes, study.start, study.end)
    return Work(*facts, data)


def _made(where: str, make: Callable[[], list[PaperTable]]) -> list[PaperTable]:
    try:
        return make()
    except AllocatorError:
        raise
    except Exception as error:  # a value of a type that nobody looked at
        problem = f"cannot be made: {type(error).__name__}: {error}"
        raise InputError(where, problem[:300], fix="check the types of its values") from error


def _distinct(tables: Iterable[PaperTable]) -> list[PaperTable]:
    found = list(tables)
    names = [table.name for table in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("tests", f"two tables are called {twice!r}", fix="give one another name")
    return found


def _table_files(tables: Iterable[PaperTable]) -> dict[str, bytes]:
    files = {}
    for table in tables:
        texts = {
            "tex": to_latex(table.printed, table.title, table.notes, f"tab:{table.name}"),
            "md": to_markdown(table.printed, table.title, table.notes),
            "csv": to_csv(table.frame),
        }
        for kind, text in texts.items():
            files[f"{table.name}.{kind}"] = text.encode("utf-8", "replace")
    return files
