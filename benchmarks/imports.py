"""W10: what importing costs, each time in a fresh process, the libraries taking turns."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Measurement
from benchmarks.workloads import OURS

__all__ = ["measure_imports"]

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 5
# What a backtest needs, not only the name: the library imports its parts when they are first used.
_BACKTEST = "from allocator import FixedMix, Market, Monthly, run_backtest"
_CODE = {
    "allocator": _BACKTEST,
    "pandas": "import pandas",
    "bt": "import bt",
    "vectorbt": "import vectorbt",
    "skfolio": "import skfolio",
    "allocator (and strategies)": f"{_BACKTEST}; import strategies",
}
_NOTES = {"allocator": "all that a backtest needs", "pandas": "what ours is compared with; no peer"}
_PEAK = "; from benchmarks.memory import peak_of_this_process as p; print(p())"


def measure_imports(*, peers: bool, rounds: int = _ROUNDS) -> list[Measurement]:
    """Return a row a library: wall seconds of a process that imports it, less those of one that does not."""
    wanted = [name for name in _CODE if peers or name.startswith((OURS, "pandas"))]
    found = [name for name in wanted if importlib.util.find_spec(name.split()[0]) is not None]
    peaks = {name: float(_run(_CODE[name] + _PEAK).split()[-1]) for name in found}  # warms the disk's cache
    seconds: dict[str, list[float]] = {name: [] for name in found}
    bare = []
    for _ in range(rounds):
        bare.append(_wall("pass"))
        for name in found:
            seconds[name].append(_wall(_CODE[name]))
    empty = statistics.median(bare)
    return [
        Measurement(
            "W10", name, tuple(s - empty for s in seconds[name]), peaks[name], note=_NOTES.get(name, "")
        )
        if name in seconds
        else Measurement("W10", name, note="not installed: see docs/performance.md")
        for name in wanted
    ]


def _wall(code: str) -> float:
    began = time.perf_counter()
    _run(code)
    return time.perf_counter() - began


def _run(code: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
