"""``python -m allocator verify manifest.json``: the same numbers again, or what differs and why."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from allocator.errors import AllocatorError
from allocator.papers.verification import DIFFERENT, verify

__all__ = ["run"]


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0 for the same numbers, 1 for others, 2 after one line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line, after ``verify``.
    parser
        An empty one, to which the options are added.
    """
    parser.description = (
        "Run the study of a manifest again and compare every number: identical, equal within the tolerance, "
        "or what differs and why. Exit code 0 (the same), 1 (different), 2 (could not be run)."
    )
    parser.add_argument("manifest", metavar="MANIFEST.json", help="written by python -m allocator reproduce")
    parser.add_argument(
        "--tolerance", metavar="T", type=float, default=1e-7, help="relative, of each number (1e-7)"
    )
    parser.add_argument("--data", metavar="DIR", help="where the data are, if not where they were")
    options = parser.parse_args(arguments)
    try:
        found = verify(options.manifest, tolerance=options.tolerance, data=options.data)
    except AllocatorError as refusal:
        print(f"allocator: {refusal}", file=sys.stderr)
        return 2
    print(repr(found))
    return 1 if found.verdict == DIFFERENT else 0
