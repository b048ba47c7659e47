"""Size and coverage in simulation: ``python -m benchmarks.size [METHOD ...] [--draws N] [--json FILE]``.

How often every test of the library rejects a truth at nominal 5 %, and how often every interval holds it at
nominal 95 %, over six processes. The same seed gives the same numbers, however many workers there are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.options import positive, refuse_unwritable
from benchmarks.threads import use_one_thread

if TYPE_CHECKING:
    from benchmarks.simulation import Record

_DRAWS = 900  # a quarter of an hour on two cores
_ROWS = 120  # ten years of months, as in Ledoit and Wolf (2008)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate what is named; return 0, or 2 where a request is wrong."""
    use_one_thread()  # before NumPy is imported, so the other imports are further down
    from benchmarks.inference import CHECKS

    options = _options(arguments, [*CHECKS])
    from allocator import InputError
    from benchmarks.simulation import to_json
    from benchmarks.size_table import heading, tables, verdict, warnings_of

    print(heading(options.draws, options.sharpe), flush=True)
    try:
        records = _simulated(options, tuple(options.methods or CHECKS))
    except InputError as error:
        print(f"benchmarks.size: {error}", file=sys.stderr)
        return 2
    print("", tables(records), warnings_of(records), verdict(records), sep="\n")
    if options.json:
        options.json.write_text(to_json(records), encoding="utf-8")
    return 0


def _simulated(options: argparse.Namespace, checks: tuple[str, ...]) -> list[Record]:
    from benchmarks.processes import data_of
    from benchmarks.simulation import Plan, simulate, workers_of

    data, records = data_of(options.data, options.columns), []
    with workers_of(options.workers) as executor:
        for n in options.rows:
            for found in simulate(
                Plan(checks, n, options.draws, options.seed, data, options.sharpe), executor
            ):
                records += found
                print(f"{found[0].process}, n = {n}: done", file=sys.stderr, flush=True)
    return records


def _options(arguments: Sequence[str] | None, methods: list[str]) -> argparse.Namespace:
    from benchmarks.processes import SHARPE

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("methods", nargs="*", metavar="METHOD", help=f"of {', '.join(methods)}; all if none")
    parser.add_argument("--draws", type=positive, default=_DRAWS, help=f"samples a process ({_DRAWS:,})")
    parser.add_argument("--rows", type=positive, nargs="+", default=[_ROWS], help=f"periods ({_ROWS})")
    parser.add_argument("--sharpe", type=float, default=SHARPE, help=f"of all series, a year ({SHARPE})")
    parser.add_argument("--data", type=Path, metavar="FILE", help="prices to resample, else the history")
    parser.add_argument("--columns", nargs=3, metavar="C", help="of that file; the first three if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=positive, default=os.cpu_count() or 1, help="processes (all CPUs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the records there as well")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.methods if name not in methods]
    if unknown:
        parser.error(f"there is no method {unknown[0]!r}; choose of {', '.join(methods)}")
    if options.columns and not options.data:
        parser.error("--columns are those of --data FILE")
    if options.json:
        refuse_unwritable(options.json, parser)
    return options


if __name__ == "__main__":
    sys.exit(main())
