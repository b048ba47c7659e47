"""Give every reader of files what is wrong: ``python -m benchmarks.fuzz --seconds N [--reader NAME]``.

Valid files are damaged by bytes and by structure (cells, lines, keys, types, nesting), and Parquet files that
lie about their sizes are made by hand. Only refusals of the library may come out, within five seconds each,
and what is accepted must be what the reader promises. A failure is saved with its seed. With
``--coverage`` atheris (extra ``[fuzz]``) mutates instead, led by the branches that are taken in the library.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.options import positive
from benchmarks.threads import use_one_thread

__all__ = ["Tally", "attempt", "main"]

_LONGEST = 5.0  # seconds a reader may take for one small file
_MOST_MEMORY = 6 * 2**30
_SHOWN = 3


@dataclass
class Tally:
    """What came of the files that a reader was given."""

    accepted: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[Any, str]] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many were refused."""
        return sum(self.refusals.values())

    @property
    def executions(self) -> int:
        """How many there were."""
        return self.accepted + self.refused + len(self.failures)


class SlowError(Exception):
    """A reader took too long."""


@contextmanager
def _in_time() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise SlowError(f"not done after {_LONGEST:g} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def attempt(reader: Any, given: Any, tally: Tally) -> None:
    """Let a reader read what it is given, and count what came of it."""
    from allocator.errors import AllocatorError

    try:
        with _in_time(), warnings.catch_warnings():
            warnings.simplefilter("error")
            reader.run(given)
    except AllocatorError as refusal:
        tally.refusals[_form(str(refusal))] += 1
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        tally.failures.setdefault(where, (given, traceback.format_exc()))
    else:
        tally.accepted += 1


def _form(message: str) -> str:
    """Return a message without what differs from file to file."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "#", message)[:120]


def _fuzz(reader: Any, seconds: float, seed: int) -> Tally:
    tally, end = Tally(), time.monotonic() + seconds
    for number in itertools.count():
        if time.monotonic() > end:
            return tally
        attempt(reader, reader.make(random.Random(f"{seed} {number}")), tally)
    raise AssertionError


def _save(folder: Path, name: str, seed: int, tally: Tally) -> list[str]:
    """Write what made a reader fail, and return a line for each."""
    lines = []
    for number, (where, (given, trace)) in enumerate(tally.failures.items()):
        path = folder / f"fuzz-{name}-seed{seed}-{number}"
        content = given if isinstance(given, bytes) else repr(given).encode("utf-8", "backslashreplace")
        path.write_bytes(content)
        path.with_suffix(".txt").write_text(trace, encoding="utf-8", errors="backslashreplace")
        lines.append(f"{name}: {where}; what it was given is in {path}, the traceback beside it")
    return lines


def _options(arguments: Sequence[str] | None, names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--seconds", metavar="N", type=positive, default=30, help="for each reader (30)")
    parser.add_argument(
        "--reader", metavar="NAME", action="append", choices=names, help=f"of {', '.join(names)}"
    )
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="the same seed, the same files (0)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="for what failed (here)")
    parser.add_argument("--coverage", action="store_true", help="let atheris mutate (extra [fuzz])")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the readers that are named; return 1 where one failed."""
    use_one_thread()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY * 2, _MOST_MEMORY * 2))
    from benchmarks.fuzz_readers import OF_OBJECTS, READERS, make_readers

    options = _options(arguments, READERS)
    wanted = options.reader or READERS
    if options.coverage:
        from benchmarks.fuzz_coverage import led_by_coverage

        if importlib.util.find_spec("atheris") is None:
            print("--coverage needs atheris: pip install 'allocator-backtest[fuzz]'", file=sys.stderr)
            return 2
        wanted = [name for name in wanted if name not in OF_OBJECTS]
    print(f"{options.seconds} s a reader, seed {options.seed}")
    print(
        f"{'reader':<10}{'executions':>12}{'accepted':>10}{'refused':>10}{'distinct':>10}{'failures':>10}{'MB':>8}"
    )
    failures = []
    for name in wanted:
        if options.coverage:
            tally = led_by_coverage(name, options.seconds, options.seed)
        else:
            with tempfile.TemporaryDirectory() as folder:
                reader = make_readers(Path(folder), [name])[name]
                tally = _fuzz(reader, options.seconds, options.seed)
        who = resource.RUSAGE_CHILDREN if options.coverage else resource.RUSAGE_SELF
        peak = resource.getrusage(who).ru_maxrss // 1024
        counts = (tally.executions, tally.accepted, tally.refused, len(tally.refusals), len(tally.failures))
        print(
            f"{name:<10}{counts[0]:>12,}" + "".join(f"{each:>10,}" for each in counts[1:]) + f"{peak:>8,}",
            flush=True,
        )
        failures += _save(options.out, name, options.seed, tally)
    print(*failures, sep="\n", end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
