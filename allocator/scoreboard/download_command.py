"""``python -m allocator download``: the folder for ``python -m allocator article``, from FRED and Yahoo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from allocator.errors import AllocatorError
from allocator.market import Downloads
from allocator.scoreboard.download import download_folder

__all__ = ["run"]


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0 if all could be had, 1 if some, 2 after one line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line, after ``download``.
    parser
        An empty one, to which the options are added.
    """
    options = _options(parser, arguments)
    try:
        folder = download_folder(options.out, downloads=_downloads(options))
    except AllocatorError as refusal:
        print(f"allocator: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("allocator: interrupted; what had come is in the cache, the files are whole", file=sys.stderr)
        return 2
    print(repr(folder))
    print(f"\nnext: python -m allocator article --data {options.out}")
    return 0 if folder.is_complete else 1


def _options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    parser.description = (
        "Download yields from FRED and prices from Yahoo (extra [data]) and assemble the folder that "
        "`python -m allocator article --data` reads. Says what each file is and what could not be had; exit "
        "code 1 if anything could not."
    )
    parser.add_argument(
        "--out", metavar="DIR", default="allocator-data", help="folder to write (allocator-data)"
    )
    parser.add_argument(
        "--cache", metavar="DIR", help="where downloads are kept (ALLOCATOR_CACHE, else the system's cache)"
    )
    parser.add_argument(
        "--offline",
        action="store_const",
        const=True,
        help="use the cache only, whatever its age (ALLOCATOR_OFFLINE=1)",
    )
    parser.add_argument(
        "--max-age", metavar="DAYS", type=float, default=1.0, help="download again what is older (1)"
    )
    parser.add_argument("--fred-url", metavar="URL", help="a mirror of FRED's CSV download")
    return parser.parse_args(arguments)


def _downloads(options: argparse.Namespace) -> Downloads:
    mirror = {} if options.fred_url is None else {"fred_url": options.fred_url}
    return Downloads(options.cache, options.offline, options.max_age, **mirror)
