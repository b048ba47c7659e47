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

__all__ = ["MeasuringError", "peak_megabytes", "peak_of_this_process"]

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
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    if found:
        return int(found[1]) / 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


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
