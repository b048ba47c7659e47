"""``python -m allocator article``: the scoreboard on the screen, as a page and as JSON."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from allocator.errors import AllocatorError
from allocator.scoreboard.article import score_article, write_records, write_scoreboard
from allocator.studies import default_study

__all__ = ["run"]


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0, or 2 after one line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line, after ``article``.
    parser
        An empty one, to which the options are added.
    """
    options = _options(parser, arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # few rows: the tables say n and why
            board = score_article(default_study("stocks", "bonds", "gold", ())[:2], options.data)
        written = write_scoreboard(board, options.out, overwrite=options.overwrite)
        if options.json is not None:
            write_records(board, options.json, "--json", overwrite=options.overwrite)
    except AllocatorError as refusal:
        print(f"allocator: {refusal}", file=sys.stderr)
        return 2
    print(f"{board!r}\n")
    print(*(repr(claim) for claim in board.claims), sep="\n\n")
    print(f"\nwritten to {written[0].parent}: {', '.join(path.name for path in written)}")
    return 0


def _options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    parser.description = (
        "Try the sixteen claims of the article on data, and say of each: supported, contradicted or "
        "undecided. Without --data: yearly US history, too coarse for most claims."
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder of daily and monthly panels (docs/data_folder.md)"
    )
    parser.add_argument(
        "--out", metavar="DIR", default="allocator-article", help="folder to write (allocator-article)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the records there as well")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of these names that are from elsewhere"
    )
    return parser.parse_args(arguments)
