"""Time systems side by side in one process, each checked against the reference before it is timed."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.memory import MeasuringError, peak_megabytes
from benchmarks.problems import without_costs
from benchmarks.workloads import System, Workload

__all__ = ["Measurement", "WrongAnswerError", "measure", "measure_in_rounds"]

_SHORTEST = 0.005  # seconds that one timing lasts at least, by repeating the call
_ENOUGH = 1.5  # seconds of timings of one system
_SLOW, _TOO_SLOW = 2.0, 10.0  # seconds above which the checked run is one of two timings, or the only one
_MOST_ROUNDS, _FEWEST_ROUNDS = 25, 3


class WrongAnswerError(Exception):
    """An answer of ours is not the reference's, so that its time would mean nothing."""


@dataclass(frozen=True)
class Measurement:
    """One row of the table; a system that did not run has no times and says why in its note."""

    workload: str
    system: str
    seconds: tuple[float, ...] = ()
    peak_mb: float | None = None
    free_deviation: float | None = None
    deviation: float | None = None
    note: str = ""
    is_right: bool = True

    @property
    def median(self) -> float | None:
        """Median seconds a call."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def best(self) -> float | None:
        """Fewest seconds a call."""
        return min(self.seconds, default=None)


@dataclass(frozen=True)
class _Ready:
    """A system whose answer has been checked, and how long the checked run took."""

    system: System
    call: Callable[[], Any]
    first: float
    free_deviation: float
    deviation: float


def measure(
    workload: Workload, *, peers: bool, small: bool = False, most_rounds: int = _MOST_ROUNDS
) -> list[Measurement]:
    """Return a row a system, in the order of the workload; ours alone without ``peers``.

    ``small`` is for tests: the small problem, and no process for the memory.

    Raises
    ------
    WrongAnswerError
        If an answer of this library deviates from the reference by more than its tolerance.
    """
    problem = workload.small() if small else workload.full()
    ready: dict[str, _Ready] = {}
    rows: dict[str, Measurement] = {}
    for system in [s for s in workload.systems if peers or s.is_ours]:
        why_not = _why_not(system)
        if not why_not:
            _say(f"{workload.name}: checking {system.name}")
            try:
                ready[system.name] = _checked(workload, system, problem)
            except WrongAnswerError:
                raise
            except Exception as error:
                if system.is_ours:
                    raise
                why_not = f"failed: {type(error).__name__}: {error}"
        rows[system.name] = Measurement(workload.name, system.name, note=why_not or system.note)
    _say(f"{workload.name}: timing")
    times = measure_in_rounds({name: (r.call, r.first) for name, r in ready.items()}, most_rounds)
    for name, r in ready.items():
        rows[name] = _row(workload, r, times[name], memory=not small)
    return list(rows.values())


def _why_not(system: System) -> str:
    if not system.function:
        return system.note
    absent = system.package and importlib.util.find_spec(system.package) is None
    return "not installed: see docs/performance.md" if absent else ""


def _checked(workload: Workload, system: System, problem: Any) -> _Ready:
    """Run once on the small problem without costs and once on the whole one, comparing both."""
    with warnings.catch_warnings():
        if not system.is_ours:
            warnings.simplefilter("ignore")  # a peer's quarrel with its own dependencies
        small = without_costs(workload.small())
        free = workload.deviation(small, system.start(small)(), system.by_rows)
        call = system.start(problem)
        began = time.perf_counter()
        answer = call()
        first = time.perf_counter() - began
    deviation = workload.deviation(problem, answer, system.by_rows)
    if system.is_ours and system.tolerance is not None and not max(free, deviation) <= system.tolerance:
        raise WrongAnswerError(
            f"{workload.name}: {system.name} deviates from the reference by {free:.1e} without costs and "
            f"{deviation:.1e} with them, beyond {system.tolerance:g}: not timed"
        )
    return _Ready(system, call, first, free, deviation)


def measure_in_rounds(
    calls: dict[str, tuple[Callable[[], Any], float]], most_rounds: int = _MOST_ROUNDS
) -> dict[str, tuple[float, ...]]:
    """Return seconds a call: in each round every system once, so that a slow spell of the machine hits all.

    With each call comes how long it took before; what is slow gets fewer rounds.
    """
    loops = {name: max(1, round(_SHORTEST / max(first, 1e-9))) for name, (_, first) in calls.items()}
    rounds = {name: _rounds(first, most_rounds) for name, (_, first) in calls.items()}
    seconds = {name: [first] if first > _SLOW else [] for name, (_, first) in calls.items()}
    gc.collect()
    gc.freeze()  # what is there already need not be looked at between rounds
    gc.disable()
    try:
        for turn in range(max(rounds.values(), default=0)):
            gc.collect()
            for name, (call, _) in calls.items():
                if turn < rounds[name]:
                    seconds[name].append(_timed(call, loops[name]))
    finally:
        gc.enable()
        gc.unfreeze()
    return {name: tuple(found) for name, found in seconds.items()}


def _rounds(first: float, most: int) -> int:
    if first > _SLOW:
        return 0 if first > _TOO_SLOW else 1
    return min(most, max(_FEWEST_ROUNDS, int(_ENOUGH / max(first, _SHORTEST))))


def _timed(call: Callable[[], Any], loops: int) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        for _ in range(loops):
            call()
        return (time.perf_counter() - began) / loops


def _row(workload: Workload, ready: _Ready, seconds: tuple[float, ...], *, memory: bool) -> Measurement:
    system, tolerance = ready.system, ready.system.tolerance
    is_right = tolerance is None or ready.free_deviation <= tolerance
    peak, failure = _peak(workload, system) if memory else (None, "")
    notes = [
        system.note,
        "" if is_right else "WRONG without costs",
        "one run" if len(seconds) == 1 else "",
        failure,
    ]
    return Measurement(
        workload.name,
        system.name,
        seconds,
        peak,
        ready.free_deviation,
        ready.deviation,
        "; ".join(note for note in notes if note),
        is_right,
    )


def _peak(workload: Workload, system: System) -> tuple[float | None, str]:
    """Return the peak memory, or None and why; a process that dies need not end the others' measuring."""
    _say(f"{workload.name}: memory of {system.name}")
    try:
        return peak_megabytes(system.same_memory_as or workload.name, system.name), ""
    except MeasuringError as error:
        return None, f"memory not measured: {error}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
