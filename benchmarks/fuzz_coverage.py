"""Let atheris lead the mutations by the branches taken in the library; a process of its own for each reader.

``python -m benchmarks.fuzz --coverage`` starts these: libFuzzer ends its process by itself when time is up,
so that what came of it is written to a file as it goes.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.fuzz import Tally, attempt

__all__ = ["led_by_coverage"]

_MUTATED_BY_US = 0.5  # the rest is libFuzzer's own
_EVERY = 0.5  # seconds between two notes


def led_by_coverage(name: str, seconds: float, seed: int) -> Tally:
    """Return what came of a reader's files in a process that atheris runs.

    Raises
    ------
    RuntimeError
        If atheris is not there or did not start, with what the process said.
    """
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz_coverage",
            name,
            str(seconds),
            str(seed),
            str(notes),
        ]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if not notes.exists():
            raise RuntimeError(done.stderr.strip()[-300:] or f"exit code {done.returncode}")
        found = json.loads(notes.read_text(encoding="utf-8"))
    failures = {where: (bytes.fromhex(given), trace) for where, (given, trace) in found["failures"].items()}
    if done.returncode not in (0, 77) and not failures:  # a crash of the interpreter is a failure, too
        failures["process died"] = (b"", done.stderr[-5_000:])
    tally = Tally(found["accepted"], failures=failures)
    tally.refusals.update(found["refusals"])
    return tally


def _note(path: Path, tally: Tally) -> None:
    failures = {where: (given.hex(), trace) for where, (given, trace) in tally.failures.items()}
    text = json.dumps({"accepted": tally.accepted, "refusals": tally.refusals, "failures": failures})
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _run(name: str, seconds: float, seed: int, notes: Path) -> None:
    """Fuzz one reader until the time is up; libFuzzer then ends the process."""
    import atheris

    with atheris.instrument_imports(include=["allocator"]):
        from benchmarks.fuzz_readers import make_readers

        folder = Path(tempfile.mkdtemp())
        reader = make_readers(folder, [name])[name]
    tally, state = Tally(), {"next": 0.0}
    end = time.monotonic() + seconds

    def mutate(data: bytes, most: int, number: int) -> bytes:
        draw = random.Random(number)
        made: Any = (
            reader.make(draw) if draw.random() < _MUTATED_BY_US else atheris.Mutate(data, len(data) + 64)
        )
        return bytes(made[:most])

    def once(data: bytes) -> None:
        attempt(reader, data, tally)
        now = time.monotonic()
        if now > state["next"] or now > end:
            state["next"] = now + _EVERY
            _note(notes, tally)

    options = [f"-max_total_time={int(seconds)}", f"-seed={seed + 1}", "-max_len=16384", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *options], once, custom_mutator=mutate)
    with contextlib.suppress(SystemExit):
        atheris.Fuzz()


if __name__ == "__main__":
    _run(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
