"""Tests against mutants: collected once, then run in a forked child for each mutant, until one fails.

A child gives the changed function its new code object in place, so that every name under which the function
was imported runs the mutant. The parent only collects: what a fixture or a cache keeps is made anew in each
child.
"""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

from benchmarks.mutants import Mutant

__all__ = ["Outcome", "Runner"]

_SECONDS = 20.0  # of CPU beyond what the tests take; more is an endless loop
_MEMORY = 6 << 30  # address space of a child beyond the parent's


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: "killed", "timeout", "survived" or "no tests", and the test that decided."""

    verdict: str
    test: str = ""


@dataclass
class Runner:
    """A pytest plugin that asks ``work`` what to do once the tests are collected."""

    root: Path
    modules: Sequence[str]
    examples: int
    budget: float  # seconds of CPU, traced, that the tests against one mutant may take together
    work: Callable[[Runner], None]
    items: list[Any] = field(default_factory=list)
    touched: dict[str, dict[str, set[int]]] = field(default_factory=dict)  # test → module → lines
    seconds: dict[str, float] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    _failed: list[str] = field(default_factory=list)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Let Hypothesis make few examples, the same each time, and not shrink what fails."""
        for item in session.items:
            _hurry(item, self.examples)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember failures."""
        if report.failed:
            self._failed.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Do the work in the place of running the tests."""
        self.items = list(session.items)
        if not session.testsfailed:
            self.work(self)
        return True

    # The tests as they are

    def survey(self) -> None:
        """Run all tests in a child, unchanged; learn what lines each touches, and how long it takes."""
        answer = _in_child(self._survey, seconds=3600.0)
        if not isinstance(answer, dict):
            raise SystemExit(f"the tests cannot be run: {answer}")
        self.touched = {
            test: {module: set(lines) for module, lines in found.items()}
            for test, found in answer["touched"].items()
        }
        self.seconds = answer["seconds"]
        for test in answer["failed"]:
            print(f"left out, fails unchanged: {test}", flush=True)
        self.items = [item for item in self.items if item.nodeid not in {*answer["failed"]}]

    def _survey(self) -> dict[str, Any]:
        files = {str(self.root / module): module for module in self.modules}
        touched, seconds = {}, {}
        for k, item in enumerate(self.items):
            tracer = _Tracer(files)
            start = time.process_time()
            sys.settrace(tracer.enter)
            self._run(item, self.items[k + 1] if k + 1 < len(self.items) else None)
            sys.settrace(None)
            seconds[item.nodeid] = time.process_time() - start
            touched[item.nodeid] = {module: sorted(lines) for module, lines in tracer.lines.items() if lines}
        return {"touched": touched, "seconds": seconds, "failed": sorted({*self._failed})}

    def _run(self, item: Any, following: Any) -> None:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)

    # The tests against a mutant

    def outcome(self, mutant: Mutant, *, is_constant: bool) -> Outcome:
        """Return what becomes of a mutant."""
        chosen = [item for item in self.items if self._may_notice(item, mutant, is_constant=is_constant)]
        if not chosen:
            return Outcome("no tests")
        chosen.sort(
            key=lambda item: (self.seconds[item.nodeid] + 0.02) / (1 + self.kills.get(item.nodeid, 0))
        )
        return self._against(
            self._within_budget(chosen), functools.partial(_put_in_place, mutant, is_constant=is_constant)
        )

    def _within_budget(self, chosen: Sequence[Any]) -> list[Any]:
        total, kept = 0.0, []
        for item in chosen:
            total += self.seconds[item.nodeid]
            if total <= self.budget or not kept:
                kept.append(item)
        return kept

    def control(self, module: str, change: Callable[[], None]) -> Outcome:
        """Return what becomes of a change that should pass, or surely fail, for the tests of a module."""
        chosen = [item for item in self.items if module in self.touched[item.nodeid]]
        return self._against(chosen, change) if chosen else Outcome("no tests")

    def _may_notice(self, item: Any, mutant: Mutant, *, is_constant: bool) -> bool:
        lines = self.touched[item.nodeid].get(mutant.module, ())
        return bool(lines) if is_constant else not {*mutant.lines}.isdisjoint(lines)

    def _against(self, chosen: Sequence[Any], change: Callable[[], None]) -> Outcome:
        def attempt() -> str:
            change()
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                self._run(item, following)
                if self._failed:
                    return self._failed[0]
            return ""

        answer = _in_child(attempt, _SECONDS + 3.0 * sum(self.seconds[item.nodeid] for item in chosen))
        if isinstance(answer, int):
            return Outcome("timeout" if answer == signal.SIGPROF else "killed", f"signal {answer}")
        if answer:
            self.kills[answer] = self.kills.get(answer, 0) + 1
        return Outcome("killed" if answer else "survived", answer)


class _Tracer:
    """Which lines of some files are run."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.lines: dict[str, set[int]] = {module: set() for module in files.values()}

    def enter(self, frame: FrameType, event: str, argument: object) -> Any:
        module = self.files.get(frame.f_code.co_filename)
        if module is None:
            return None
        lines = self.lines[module]

        def step(frame: FrameType, event: str, argument: object) -> Any:  # noqa: ARG001
            lines.add(frame.f_lineno)
            return step

        return step(frame, event, argument)


def _hurry(item: Any, examples: int) -> None:
    inner = getattr(getattr(getattr(item, "obj", None), "hypothesis", None), "inner_test", None)
    function = getattr(item, "function", None)
    if inner is None or function is None:
        return
    from hypothesis import HealthCheck, Phase, settings

    given = getattr(function, "_hypothesis_internal_use_settings", None) or settings.default
    function._hypothesis_internal_use_settings = settings(
        given,
        max_examples=min(given.max_examples, examples),
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
        deadline=None,
    )


def _in_child(work: Callable[[], Any], seconds: float) -> Any:
    """Return what work returns in a forked child, or the number of the signal that ended it."""
    gc.collect()
    gc.freeze()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            _limit(seconds)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            answer = work()
            with os.fdopen(write, "w") as pipe:
                json.dump(answer, pipe)
            code = 0
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    gc.unfreeze()
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return json.loads(text) if text else os.WEXITSTATUS(status)


def _limit(seconds: float) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


# Putting the mutant where the original was


def _put_in_place(mutant: Mutant, *, is_constant: bool) -> None:
    tree = mutant.apply()
    if is_constant:
        _replace_constant(_module(mutant.module), mutant.function, ast.literal_eval(mutant.new))  # type: ignore[arg-type]
    else:
        give_code(mutant.module, tree, [mutant.function])


def give_code(module: str, tree: ast.Module, functions: Sequence[str] | None = None) -> None:
    """Give functions of a module, or all, the code that a changed tree makes of them."""
    live = _module(module)
    codes = _codes(compile(tree, live.__file__ or module, "exec"))
    for name in functions if functions is not None else [n for n in codes if _function(live, n)]:
        function = _function(live, name)
        if function is None:
            raise LookupError(f"{module} has no function {name}")
        function.__code__ = codes[name]


def _module(path: str) -> Any:
    return importlib.import_module(path.removesuffix(".py").replace("/", "."))


def _codes(code: CodeType) -> dict[str, CodeType]:
    found = {}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if "<" not in inner.co_qualname:
                found[inner.co_qualname] = inner
            found |= {name: deeper for name, deeper in _codes(inner).items() if name not in found}
    return found


def _function(live: Any, name: str) -> FunctionType | None:
    """Return the function behind a name, out of what decorates it."""
    found = live
    for part in name.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    while found is not None and not isinstance(found, FunctionType):
        if hasattr(found, "cache_clear"):
            found.cache_clear()
        below = [getattr(found, n, None) for n in ("fget", "func", "__func__", "__wrapped__")]
        found = next((each for each in below if each is not None), None)
    return inspect.unwrap(found) if found is not None else None


def _replace_constant(module: Any, name: str, value: object) -> None:
    old = getattr(module, name)
    for other in list(sys.modules.values()):
        if vars(other).get(name) is old if hasattr(other, "__dict__") else False:
            setattr(other, name, value)
