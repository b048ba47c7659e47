"""The pytest plugin: ``backtest_baseline.check(backtest)`` fails where a backtest has moved.

pytest imports this file whenever it starts, so that nothing is imported here but the standard library;
it is not in ``allocator.research`` because that package needs NumPy and pandas.
"""

from __future__ import annotations

import hashlib
import os
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from allocator.engine import Backtest
    from allocator.research.baseline import BaselineCheck

__all__ = ["Baselines", "pytest_addoption", "pytest_configure"]

_UPDATE, _IN_CI = "--update-baselines", "--update-baselines-in-ci"
_PROPERTY = re.compile(r"baseline\[([^\]]+)\]\.(\w+)")


def pytest_addoption(parser: Any) -> None:
    """Add the options of the command line and of the ini file."""
    group = parser.getgroup("allocator", "baselines of backtests (allocator-backtest)")
    group.addoption(
        _UPDATE, action="store_true", help="write the baselines that are checked; refused where CI is set"
    )
    group.addoption(_IN_CI, action="store_true", help="the same, also where CI is set")
    parser.addini(
        "baseline_folder", "folder of the baselines, beside each file of tests", default="baselines"
    )
    parser.addini("baseline_tolerances", "a line a metric: sharpe = 1e-6", type="linelist", default=[])


def pytest_configure(config: Any) -> None:
    """Refuse to update in CI by accident, and register the fixture and the summary."""
    import pytest

    if config.getoption(_UPDATE) and not config.getoption(_IN_CI):
        from allocator.research.ci import is_ci

        if is_ci():
            raise pytest.UsageError(
                f"{_UPDATE} is refused where CI is set: a baseline is written by a person who looks at it; "
                f"{_IN_CI} does it all the same"
            )
    config.pluginmanager.register(_fixtures(), "allocator-fixtures")
    if os.environ.get("GITHUB_STEP_SUMMARY") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Summary(), "allocator-summary")


def _fixtures() -> types.ModuleType:
    """Return a plugin with the fixture, made when pytest is there."""
    import pytest

    def backtest_baseline(request: Any) -> Baselines:
        """Check backtests against baselines: ``backtest_baseline.check(backtest)``."""
        return Baselines(request)

    plugin = types.ModuleType("allocator_fixtures")
    vars(plugin)["backtest_baseline"] = pytest.fixture(backtest_baseline)
    return plugin


@final
class Baselines:
    """The baselines of one test.

    Parameters
    ----------
    request
        Of pytest, for the name of the test and the options.
    """

    def __init__(self, request: Any) -> None:
        self._node, self._config = request.node, request.config
        self._checked: set[Path] = set()

    def path(self, name: str | None = None) -> Path:
        """Return the file of the test's baseline, or of one of its baselines."""
        test = self._node.nodeid.split("::", 1)[-1].replace("::", ".")
        words = [self._node.path.stem, _file_name(test), *([_file_name(name)] if name is not None else [])]
        folder: Path = self._node.path.parent / self._config.getini("baseline_folder")
        return folder / f"{'.'.join(words)}.json"

    def check(
        self,
        backtest: Backtest,
        name: str | None = None,
        *,
        tolerances: Mapping[str, float] | None = None,
    ) -> BaselineCheck:
        """Fail the test where the backtest is not what its baseline says; return the check.

        Parameters
        ----------
        backtest
            The run to check.
        name
            Of the baseline, where a test has more than one.
        tolerances
            As :func:`allocator.check_baseline` takes them, over those of the ini file.
        """
        __tracebackhide__ = True
        from allocator.errors import AllocatorError

        file = self.path(name)
        try:
            return self._check(backtest, file, {**self._ini_tolerances(), **(tolerances or {})})
        except AllocatorError as refusal:
            self._report(file, {"result": "refused" if file.exists() else "missing"})
            hint = "" if file.exists() else f"\npytest {_UPDATE} writes it"
            raise _failure(f"{refusal}{hint}") from None

    def _check(self, backtest: Backtest, file: Path, tolerances: dict[str, float]) -> BaselineCheck:
        __tracebackhide__ = True
        from allocator.errors import InputError
        from allocator.research.baseline import check_baseline, write_baseline
        from allocator.research.show_baseline import check_properties

        if file in self._checked:
            raise InputError("name", f"this test has checked {file.name} before", fix="give each a name=")
        self._checked.add(file)
        is_update = self._config.getoption(_UPDATE) or self._config.getoption(_IN_CI)
        if is_update:
            write_baseline(backtest, file)
        check = check_baseline(backtest, file, tolerances=tolerances)
        self._report(file, check_properties(check) | ({"result": "written"} if is_update else {}))
        if not check.passed:
            raise _failure(f"{check}\nif this is meant: {_UPDATE}, and review the diff of {file.name}")
        return check

    def _report(self, file: Path, found: Mapping[str, str]) -> None:
        """Hand properties to JUnit's report, which xdist sends to the process that writes it."""
        self._node.user_properties += [(f"baseline[{file.stem}].{key}", text) for key, text in found.items()]

    def _ini_tolerances(self) -> dict[str, float]:
        from allocator.errors import InputError

        found = {}
        for line in self._config.getini("baseline_tolerances"):
            name, _, number = (part.strip() for part in line.partition("="))
            try:
                found[name] = float(number)
            except ValueError:
                raise InputError("baseline_tolerances", f"{line!r}", fix="write sharpe = 1e-6") from None
        return found


def _failure(message: str) -> BaseException:
    """Return what fails a test with a message and nothing else."""
    import pytest

    failure: BaseException = pytest.fail.Exception(message, pytrace=False)
    return failure


def _file_name(name: str) -> str:
    """Return a name as a file may have it, with a hash where different names would be the same."""
    plain = name.removesuffix("]").replace("[", "-", 1) if name.endswith("]") else name
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", plain)[:100]
    return safe if safe == plain else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


class _Summary:
    """Collects the properties of all tests, those of xdist's workers too, and appends them as Markdown."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take what the fixture reported; the last report of a test has all of it."""
        for key, text in report.user_properties:
            match = _PROPERTY.fullmatch(key)
            if match:
                self._found.setdefault((report.nodeid, match[1]), {})[match[2]] = text

    def pytest_sessionfinish(self) -> None:
        """Append the table."""
        if self._found:
            from allocator.research.ci import append_summary

            append_summary((name, found) for (_, name), found in self._found.items())
