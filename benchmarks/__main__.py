"""Time the library, and others beside it: ``python -m benchmarks [W1 W2 ...] [--peers] [--json FILE]``.

Every answer is compared with a plain-Python reference before it is timed. Without names all workloads
run; with ``--peers`` the libraries of the extra ``[bench]`` take turns with ours in the same process.
docs/performance.md says what each workload is and why the peers' answers differ with costs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.options import refuse_unwritable
from benchmarks.threads import use_one_thread

if TYPE_CHECKING:
    from benchmarks.measure import Measurement


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the workloads that are named; return 0, 1 where our answer is wrong, 2 where a request is."""
    use_one_thread()  # before NumPy is imported, so the other imports are further down
    from benchmarks.workloads import WORKLOADS

    titles = {name: workload.title for name, workload in WORKLOADS.items()}
    titles["W10"] = "import, in a fresh process"
    families = [*dict.fromkeys(w.family for w in WORKLOADS.values()), "W10"]
    options = _options(arguments, families, [*titles])
    wanted = [
        name for name in titles if not options.workloads or {name, name.split("-")[0]} & {*options.workloads}
    ]
    from benchmarks.measure import WrongAnswerError
    from benchmarks.table import COLUMNS, header, import_gap, table_text, to_json

    print(header(), COLUMNS, sep="\n\n", flush=True)
    rows = []
    for name in wanted:
        try:
            found = _measured(name, peers=options.peers)
        except WrongAnswerError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1
        print("", table_text(found, titles[name]), sep="\n", flush=True)  # each when it is known
        rows += found
    if "W10" in wanted:
        print("", import_gap(rows), sep="\n")
    if options.json:
        options.json.write_text(to_json(rows), encoding="utf-8")
    return 0


def _measured(name: str, *, peers: bool) -> list[Measurement]:
    from benchmarks.imports import measure_imports
    from benchmarks.measure import measure
    from benchmarks.workloads import WORKLOADS

    return measure_imports(peers=peers) if name == "W10" else measure(WORKLOADS[name], peers=peers)


def _options(arguments: Sequence[str] | None, families: list[str], names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workloads", nargs="*", metavar="W", help=f"of {', '.join(families)}; all if none")
    parser.add_argument("--peers", action="store_true", help="time the peers that are installed, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.workloads if name not in {*families, *names}]
    if unknown:
        parser.error(f"there is no workload {unknown[0]!r}; choose of {', '.join(families)}")
    if options.json:
        refuse_unwritable(options.json, parser)
    return options


if __name__ == "__main__":
    sys.exit(main())
