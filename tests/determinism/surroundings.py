"""Processes with other surroundings, and what they answered: for the test and for the matrix."""

from __future__ import annotations

import atexit
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import allocator

_SCRIPT = Path(__file__).with_name("answers.py")
_DECIDED_HERE = ("LC_", "LANG", "TZ", "PYTHONHASHSEED", "OPENBLAS_", "OMP_", "MKL_", "LOCPATH")
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Surroundings:
    """What a process is started with: threads of the BLAS, hash seed, locale, time zone, ``-O``, a folder."""

    threads: int = 1
    hash_seed: int = 0
    locale: str = "C"
    zone: str = "UTC"
    optimised: bool = False
    elsewhere: bool = False

    def __str__(self) -> str:
        more = [word for word, is_so in (("-O", self.optimised), ("cwd", self.elsewhere)) if is_so]
        return " ".join([f"threads={self.threads}", f"hash={self.hash_seed}", self.locale, self.zone, *more])


@cache
def locales() -> dict[str, Path | None]:
    """Return the locales to be had, German and Turkish, with the folder of those made here."""
    return {name: place for name in ("de_DE.UTF-8", "tr_TR.UTF-8") for place in _made(name)}


def _made(name: str) -> Iterator[Path | None]:
    """Yield None where the system has the locale, the folder where it could be made, else nothing."""
    environment = {**_clean(), "LC_ALL": name}
    code = "import locale; locale.setlocale(locale.LC_ALL, '')"
    if not subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True).returncode:
        yield None
        return
    if shutil.which("localedef"):
        folder = Path(tempfile.gettempdir()) / f"allocator-locales-{os.getpid()}"
        folder.mkdir(exist_ok=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        command = ["localedef", "-i", name.split(".")[0], "-f", "UTF-8", str(folder / name)]
        if not subprocess.run(command, capture_output=True).returncode:
            yield folder


@contextmanager
def started(
    many: Sequence[Surroundings], names: Sequence[str] = ()
) -> Iterator[list[tuple[Surroundings, subprocess.Popen[str]]]]:
    """Start a process each, all at once, and end what still runs."""
    found = []
    try:
        for one in many:
            command = [sys.executable, *(["-O"] if one.optimised else []), str(_SCRIPT), *names]
            folder = tempfile.gettempdir() if one.elsewhere else _SCRIPT.parents[2]
            options: dict[str, Any] = {"env": _environment(one), "cwd": folder, "text": True}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            found.append((one, subprocess.Popen(command, **pipes, **options)))
        yield found
    finally:
        for _, process in found:
            process.kill()
            process.communicate()


def answered(process: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    """Wait for what a process answers."""
    said, complained = process.communicate()
    if process.returncode:
        raise AssertionError(complained)
    found: dict[str, dict[str, Any]] = json.loads(said)
    return found


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of the answers that are not the same: bytes, or numbers beyond the tolerance."""
    kinds = dict.fromkeys(one["bytes"], _same_digest) | dict.fromkeys(one["numbers"], _close)
    both = [{**each["bytes"], **each["numbers"]} for each in (one, other)]
    if both[0].keys() != both[1].keys():
        return sorted(both[0].keys() ^ both[1].keys())
    return [name for name, is_same in kinds.items() if not is_same(both[0][name], both[1][name])]


def _same_digest(one: str, other: str) -> bool:
    return one == other


def _close(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) <= TOLERANCE or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True)
    )


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_DECIDED_HERE)}


def _environment(one: Surroundings) -> dict[str, str]:
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(one.threads))
    place = locales().get(one.locale)
    return {
        **_clean(),
        **threads,
        "PYTHONHASHSEED": str(one.hash_seed),
        "LC_ALL": one.locale,
        "TZ": one.zone,
        "PYTHONPATH": str(Path(allocator.__file__).parents[1]),
        **({"LOCPATH": str(place)} if place else {}),
    }
