"""Peak memory of one system on one workload, in a process that does nothing else.

``python -m benchmarks.memory W1 allocator`` imports, makes the problem, solves it once and prints the
most memory that the process ever held, in MB.
"""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

__all__ = ["MeasuringError", "held_by_this_process", "peak_megabytes", "peak_of_this_process"]

_ROOT = Path(__file__).resolve().parents[1]


class MeasuringError(Exception):
    """The process that was to be measured died."""


@cache
def peak_megabytes(workload: str, system: str) -> float:
    """Return the peak memory of a fresh process that solves the workload once."""
    command = [sys.executable, "-m", "benchmarks.memory", workload, system]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.splitlines() or [""])[-1]
        raise MeasuringError(f"its process ended with {done.returncode}: {last}")
    return float(done.stdout.split()[-1])


def peak_of_this_process() -> float:
    """Return the most memory that this process ever held, in MB.

    On Linux a child's ``ru_maxrss`` begins at what its parent held, whose memory it shares until it
    becomes another program; VmHWM counts its own.
    """
    found = _status("VmHWM")
    if found is not None:
        return found
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def held_by_this_process() -> float:
    """Return the memory that this process holds now, in MB; its peak where the system does not say."""
    found = _status("VmRSS")
    return peak_of_this_process() if found is None else found


def _status(name: str) -> float | None:
    status = Path("/proc/self/status")
    found = re.search(rf"{name}:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else None


def main() -> None:
    """Solve the workload named first with the system named second, and print the peak in MB."""
    from benchmarks.threads import use_one_thread

    use_one_thread()
    from benchmarks.workloads import WORKLOADS

    workload = WORKLOADS[sys.argv[1]]
    (system,) = (s for s in workload.systems if s.name == sys.argv[2])
    warnings.simplefilter("ignore")
    system.start(workload.full())()
    print(f"{peak_of_this_process():.1f}")


if __name__ == "__main__":
    main()
