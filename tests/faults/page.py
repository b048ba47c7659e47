"""Write docs/faults.md: every fault, what a person gets, and the test that shows it.

Run it from anywhere, with pytest and pytest-xdist installed (about two minutes on two cores)::

    python tests/faults/page.py              # runs the tests named after faults, then writes the page
    python tests/faults/page.py --processes 1

It runs all tests whose name begins with ``test_F`` and a number, writes down the refusals, warnings and notes
that each met, and puts them beside the words of ``catalogue.py``. It ends with 1 where a test failed or a
fault has none, and writes the page all the same. ``tests/project/test_faults_page.py`` holds page to tests.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "faults.md"
_RECORD = "ALLOCATOR_FAULTS_RECORD"  # where the run of the tests writes what it saw
_NAMED = re.compile(r"test_((?:F\d{3}_)+)")
# The folder that pytest makes for one test, whose name has numbers that differ from run to run.
_SCRATCH = re.compile(r"(?:/[^\s/'\":;,]+)*/pytest-of-[^\s/]+/pytest-[^\s/]+/(?:popen-\w+/)?[^\s/'\":;,]+")
_LONGEST = 300
_MOST_TESTS = 3  # named in a row
_MOST_CASES = 6  # of a test with many, which the test suite runs all
_VERDICTS = {"E": "refused", "D": "defined", "W": "said"}


def named_tests(folder: Path = TESTS) -> dict[str, list[str]]:
    """Return the tests of each fault, as ``market/test_files.py::test_F173_empty_file``; none is run."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        where = path.relative_to(folder).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for fault in faults_of(node.name):
                    found[fault].append(f"{where}::{node.name}")
    return dict(found)


def faults_of(name: str) -> list[str]:
    """Return the faults that the name of a test begins with: one, or several."""
    match = _NAMED.match(name + "_")
    return match[1].split("_")[:-1] if match else []


# The plugin, in every process that runs tests.


class _Said:
    """What a test met, in the order it met it."""

    def __init__(self) -> None:
        self.now: dict[str, list[str]] = {}
        self.clear()

    def clear(self) -> None:
        self.now = {"refused": [], "made": [], "warned": [], "noted": []}

    def add(self, kind: str, text: str) -> None:
        if text not in self.now[kind] and len(self.now[kind]) < 50:
            self.now[kind].append(text)


_SAID = _Said()


def pytest_configure(config: Any) -> None:
    """Listen to refusals, warnings and notes."""
    import pytest

    import allocator as al
    from allocator.engine.result import Backtest
    from allocator.errors import AllocatorError

    def made(self: AllocatorError, *args: object) -> None:
        Exception.__init__(self, *args)
        _SAID.add("made", str(self))

    AllocatorError.__init__ = made  # type: ignore[method-assign]
    pytest.raises = _heard(pytest.raises, lambda value: _SAID.add("refused", str(value)))  # type: ignore[assignment]
    pytest.warns = _heard(pytest.warns, _warned)  # type: ignore[assignment]
    for kind in (al.Market, Backtest):
        _listen(kind, kind.__dict__["notes"])


def _listen(kind: type, notes: Any) -> None:
    def heard(self: Any) -> tuple[str, ...]:
        said: tuple[str, ...] = notes.fget(self)
        for note in said:
            if not note.startswith(("cash: ", "data: ")):
                _SAID.add("noted", note)
        return said

    kind.notes = property(heard, doc=notes.__doc__)  # type: ignore[attr-defined]


def _warned(warning: Any) -> None:
    for each in warning if isinstance(warning, list) else [warning]:
        _SAID.add("warned", str(getattr(each, "message", each)))


def _heard(function: Any, tell: Any) -> Any:
    """Return ``pytest.raises`` or ``pytest.warns`` with an ear on what was caught."""

    class Heard:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __enter__(self) -> Any:
            self.caught = self.inner.__enter__()
            return self.caught

        def __exit__(self, kind: Any, value: Any, trace: Any) -> Any:
            from allocator.errors import AllocatorError

            if isinstance(value, AllocatorError | TypeError):
                tell(value)
            elif value is None and getattr(self.caught, "list", None):
                tell(list(self.caught.list))
            return self.inner.__exit__(kind, value, trace)

    def heard(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        return Heard(found) if hasattr(found, "__enter__") else found

    return heard


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Keep the tests that are named after faults, and of each no more cases than tell what is said."""
    kept, seen = [], Counter[str]()
    for item in items:
        function = item.nodeid.partition("[")[0]
        seen[function] += 1
        if faults_of(item.name.partition("[")[0]) and seen[function] <= _MOST_CASES:
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def pytest_runtest_setup(item: Any) -> None:
    """Begin to listen."""
    _SAID.clear()


def pytest_runtest_teardown(item: Any) -> None:
    """Hand on what was heard; it travels with the report to the process that writes."""
    item.user_properties.append(("said", {kind: list(texts) for kind, texts in _SAID.now.items()}))


_REPORTS: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: Any) -> None:
    """Collect the reports of all processes."""
    said = dict(report.user_properties).get("said", {})
    if report.when == "teardown" or report.outcome != "passed":
        path, line, name = report.location
        _REPORTS.append({"path": path, "line": line, "name": name, "outcome": report.outcome, "said": said})


def pytest_sessionfinish(session: Any) -> None:
    """Write what was heard, in the process that started the others."""
    if not hasattr(session.config, "workerinput") and _RECORD in os.environ:
        Path(os.environ[_RECORD]).write_text(json.dumps(_REPORTS), encoding="utf-8")


# The page.


def run_tests(processes: int) -> list[dict[str, Any]]:
    """Run the tests that are named after faults; return what each met, in the order of the files."""
    files = sorted({test.partition("::")[0] for tests in named_tests().values() for test in tests})
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "said.json"
        here = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
        # CI: Hypothesis draws the same examples each time, so that the page does.
        known = {**os.environ, _RECORD: str(record), "PYTHONPATH": here, "CI": "true"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "page", "-n", str(processes), "--tb=short"]
        subprocess.run([*command, *(str(TESTS / file) for file in files)], cwd=ROOT, env=known, check=False)
        if not record.exists():
            raise SystemExit("the tests could not be run; see above")
        reports: list[dict[str, Any]] = json.loads(record.read_text(encoding="utf-8"))
    return sorted(reports, key=lambda report: (report["path"], report["line"], report["name"]))


def messages(reports: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """Return what the tests of each fault met: refusals, warnings and notes, in the order of the files."""
    heard: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for report in reports:
        said = report["said"]
        for fault in faults_of(report["name"].partition("[")[0].rpartition(".")[2]):
            for kind in ("refused", "warned", "noted"):
                heard[fault][kind] += said.get(kind, [])
            # What a command printed was refused, too, though nothing was caught.
            heard[fault]["made"] += said.get("made", [])[-1:]
    return heard


def shown(fault: Any, heard: Mapping[str, Sequence[str]], pattern: str = "") -> str:
    """Return the message to show for a fault: the first that fits, or nothing."""
    kinds = {"E": ("refused", "made"), "D": (), "W": ("warned", "noted")}[fault.verdict]
    texts = [text for kind in kinds for text in heard.get(kind, ())]
    fitting = [text for text in texts if re.search(pattern, text)] or texts
    return _for_the_page(fitting[0]) if fitting else ""


def _for_the_page(text: str) -> str:
    """Return a message without the places of this machine, on one line, ready for a cell of a table."""
    text = text.replace(str(ROOT), "…").replace(str(Path.home()), "~")
    text = re.sub(_SCRATCH, "…", text)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/[^\s'\":;,/]+", "…", text)
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", text)
    text = " ".join(text.split()).replace("`", "'")
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1].rstrip() + "…"
    return "`" + text.replace("|", "\\|") + "`"


def _row(fault: Any, message: str, tests: Sequence[str]) -> str:
    got = "; ".join(part for part in (fault.got, message) if part) or "–"
    named = ", ".join(f"`{test}`" for test in tests[:_MOST_TESTS]) or "no test yet"
    more = f" and {len(tests) - _MOST_TESTS} more" if len(tests) > _MOST_TESTS else ""
    return f"| {fault.id} | {fault.given} | {_VERDICTS[fault.verdict]} | {got} | {named}{more} |"


def page(
    heard: Mapping[str, Mapping[str, Sequence[str]]], tests: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the lines of the page."""
    from catalogue import CHOICES, DIFFERENT, FAULTS, SECTIONS

    counts = {verdict: sum(fault.verdict == verdict for fault in FAULTS) for verdict in _VERDICTS}
    yield "# Faults, and what a person gets"
    yield ""
    yield "<!-- Made by `python tests/faults/page.py`; its words are in tests/faults/catalogue.py. -->"
    yield ""
    yield (
        "A backtest fails worst by a plausible wrong number. These are the inputs that make one elsewhere, "
        f"or could here: {counts['E']} are *refused*, {counts['D']} are *defined*, and for {counts['W']} "
        "the run goes on and it is *said* in the result (`notes` of a market or a backtest, the footer of a "
        "table, or a warning)."
    )
    yield ""
    yield (
        "A refusal names the argument as the caller wrote it, the first asset and date at fault, how many "
        "there are, and what to do. The messages are those the tests met when this page was made; a test of "
        "each id is named, and `tests/project/test_faults_page.py` holds the page to the tests."
    )
    for section in SECTIONS:
        yield from ("", f"## {section}", "", "| id | input | is | what a person gets | tests |")
        yield "|---|---|---|---|---|"
        for fault in FAULTS:
            if fault.section == section:
                message = shown(fault, heard.get(fault.id, {}), CHOICES.get(fault.id, ""))
                yield _row(fault, message, tests.get(fault.id, ()))
    yield from ("", "## Where the verdict is not the usual one, or is given elsewhere", "")
    yield "| id | usual | here | why |"
    yield "|---|---|---|---|"
    now = {fault.id: fault.verdict for fault in FAULTS}
    words = _VERDICTS
    yield from (
        f"| {identity} | {words[usual]} | {words[now[identity]]} | {why} |"
        for identity, (usual, why) in sorted(DIFFERENT.items())
    )


def main() -> int:
    """Run the tests, write the page, and say what is missing."""
    parser = argparse.ArgumentParser(description="Write docs/faults.md from the tests named after faults.")
    parser.add_argument("--processes", type=int, default=2, help="processes that run the tests (2)")
    processes = parser.parse_args().processes
    sys.path.insert(0, str(Path(__file__).parent))
    from catalogue import FAULTS

    reports, tests = run_tests(processes), named_tests()
    PAGE.write_text("\n".join(page(messages(reports), tests)) + "\n", encoding="utf-8")
    missing = [fault.id for fault in FAULTS if fault.id not in tests]
    unknown = sorted(set(tests) - {fault.id for fault in FAULTS})
    failed = [f"{report['path']}::{report['name']}" for report in reports if report["outcome"] == "failed"]
    n_tests = len({test for named in tests.values() for test in named})
    covered = len(FAULTS) - len(missing)
    print(f"{PAGE.relative_to(ROOT)}: {len(FAULTS)} faults, {covered} with a test, {n_tests} tests")
    for words, names in (("no test yet", missing), ("not in the catalogue", unknown), ("failed", failed)):
        if names:
            print(f"{words}: {', '.join(names)}")
    return 1 if missing or unknown or failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
