"""``python -m allocator reproduce study.toml``: a study as tables, figures and a manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from allocator.errors import AllocatorError
from allocator.papers.reproduction import reproduce

__all__ = ["run"]


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0, or 2 after one line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line, after ``reproduce``.
    parser
        An empty one, to which the options are added.
    """
    parser.description = (
        "Run a study described in TOML and write its tables (LaTeX, Markdown, CSV), figures (PDF, PNG) and a "
        "manifest, from which `python -m allocator verify` runs it again. docs/papers.md describes the file."
    )
    parser.add_argument("study", metavar="STUDY.toml", help="what to run")
    parser.add_argument("--out", metavar="DIR", help="folder to write (the name of the study, here)")
    parser.add_argument("--data", metavar="DIR", help="where the files of data are (beside the study)")
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier run wrote there")
    options = parser.parse_args(arguments)
    out = Path(options.study).stem if options.out is None else options.out
    try:
        found = reproduce(options.study, out, overwrite=options.overwrite, data=options.data)
    except AllocatorError as refusal:
        print(f"allocator: {refusal}", file=sys.stderr)
        return 2
    print(f"{found!r}\n\nwritten to {out}: {', '.join(path.name for path in found.files)}")
    return 0
