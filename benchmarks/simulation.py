"""Draw samples, try every method on each, and count: the same counts for any number of workers."""

from __future__ import annotations

import json
import multiprocessing
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

import allocator as al
from benchmarks.inference import CHECKS, NOMINAL
from benchmarks.processes import PROCESSES, SHARPE, Array, sample
from benchmarks.threads import use_one_thread

__all__ = ["EVERY", "Plan", "Record", "simulate", "to_json", "workers_of"]

# The slow one, of which one in so many draws is enough: a HAC variance for every possible date.
EVERY = {"break_test": 4}
_DRAWS_IN_A_TASK = 24


@dataclass(frozen=True)
class Record:
    """How often a test rejected or an interval held the truth.

    Attributes
    ----------
    method, process, n
        What was tried, on what, of how many periods.
    kind
        "size" or "coverage".
    nominal, actual
        Shares.
    draws
        Samples in which there was an answer.
    standard_error
        Of ``actual``, from the number of draws.
    """

    method: str
    process: str
    kind: str
    nominal: float
    actual: float
    draws: int
    standard_error: float
    n: int


@dataclass(frozen=True, eq=False)
class Plan:
    """What is simulated: the checks by name, ``n`` periods, so many draws, data to resample, a ratio."""

    checks: tuple[str, ...]
    n: int
    draws: int
    seed: int
    data: Array
    sharpe: float = SHARPE


Counts = Counter[tuple[str, str, str]]


def simulate(plan: Plan, executor: Executor | None = None) -> Iterator[list[Record]]:
    """Yield the records of one process after the other; in this process without an executor."""
    starts = range(0, plan.draws, _DRAWS_IN_A_TASK)
    for process in PROCESSES:
        count = partial(_count, plan, process)
        parts = map(count, starts) if executor is None else executor.map(count, starts)
        yield _records(plan, process, sum(parts, Counter()))


@contextmanager
def workers_of(number: int) -> Iterator[Executor | None]:
    """Give so many processes of one thread each; none for one."""
    if number == 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(number, mp_context=context, initializer=use_one_thread) as executor:
        yield executor


def _count(plan: Plan, process: str, first: int) -> Counts:
    """Return by method and kind the answers that were a hit or a miss, and those that were none."""
    counts: Counts = Counter()
    for draw in range(first, min(first + _DRAWS_IN_A_TASK, plan.draws)):
        drawn = sample(process, plan.data, plan.n, plan.seed, draw, plan.sharpe)
        for name in plan.checks:
            if draw % EVERY.get(name, 1):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", al.UndefinedStatisticWarning)
                for found in CHECKS[name](drawn):
                    counts[found.method, found.kind, _ANSWERS[found.hit]] += 1
    return counts


_ANSWERS = {True: "hit", False: "miss", None: "none"}


def _records(plan: Plan, process: str, counts: Counts) -> list[Record]:
    rows = []
    for method, kind in dict.fromkeys((method, kind) for method, kind, _ in counts):
        hits, misses = counts[method, kind, "hit"], counts[method, kind, "miss"]
        draws = hits + misses
        actual = hits / draws if draws else float("nan")
        error = float(np.sqrt(actual * (1.0 - actual) / draws)) if draws else float("nan")
        rows.append(Record(method, process, kind, NOMINAL[kind], actual, draws, error, plan.n))
    return rows


def to_json(records: Sequence[Record]) -> str:
    """Return the records that have draws as a JSON list."""
    return json.dumps([asdict(r) for r in records if r.draws], indent=1, ensure_ascii=False) + "\n"
