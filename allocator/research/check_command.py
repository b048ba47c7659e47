"""``python -m allocator check``: run backtests again and compare them with their baselines."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from allocator.engine import Backtest
from allocator.errors import AllocatorError, InputError
from allocator.research.baseline import check_baseline, is_target, write_baseline
from allocator.research.baseline_file import read_baseline
from allocator.research.ci import append_summary, is_ci
from allocator.research.show_baseline import check_properties
from allocator.tables import printable

__all__ = ["run"]


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0, 1 where a backtest has moved, or 2 after a line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line, after ``check``.
    parser
        An empty one, to which the options are added.
    """
    options = _options(parser, arguments)
    try:
        tolerances = _tolerances(options.tolerance)
        _refuse_update_in_ci(options)
    except AllocatorError as refusal:
        return _refused(refusal)
    made: dict[str, Any] = {}
    results = [(file.stem, _result(file, options, tolerances, made)) for file in options.baselines]
    append_summary(results)
    found = {each["result"] for _, each in results}
    return 2 if "refused" in found else int("moved" in found)


def _refused(refusal: AllocatorError) -> int:
    _say(f"allocator: {' '.join(str(refusal).split())}", sys.stderr)
    return 2


def _say(text: str, stream: TextIO | None = None) -> None:
    """Print lines of which none is a command to the service that runs the check (GitHub: ``::``, ``##[``)."""
    for line in text.split("\n"):
        harmless = printable(line).replace("##[", "# #[")
        print(f"> {harmless}" if harmless.lstrip().startswith("::") else harmless, file=stream)


def _result(
    file: Path, options: argparse.Namespace, tolerances: Mapping[str, float], made: dict[str, Any]
) -> dict[str, str]:
    """Check a file; a refusal does not keep the others from being checked."""
    try:
        return _checked(file, options, tolerances, made)
    except AllocatorError as refusal:
        _refused(refusal)
        return {"result": "refused"}


def _options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    parser.description = (
        "Run backtests again and compare them with their baselines. Exit code 0: as they were; 1: one has "
        "moved; 2: refused."
    )
    parser.add_argument("baselines", metavar="BASELINE", nargs="+", type=Path, help="file of a baseline")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--run",
        metavar="MODULE:FUNCTION",
        help="function without arguments that returns the backtest, or a dict of them by the file's name "
        "without .json",
    )
    what.add_argument(
        "--run-recorded",
        action="store_true",
        help="run the function that each file names: imports what the file says, so trust the file",
    )
    parser.add_argument(
        "--tolerance", metavar="METRIC=NUMBER", action="append", default=[], help="sharpe=1e-6; repeatable"
    )
    parser.add_argument("--update", action="store_true", help="write the baselines; refused where CI is set")
    parser.add_argument("--update-in-ci", action="store_true", help="the same, also where CI is set")
    return parser.parse_args(arguments)


def _tolerances(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise InputError("--tolerance", f"{text!r}", fix="write sharpe=1e-6") from None
    return found


def _refuse_update_in_ci(options: argparse.Namespace) -> None:
    if options.update and is_ci() and not options.update_in_ci:
        problem = "refused where CI is set: a baseline is written by a person who looks at it"
        raise InputError("--update", problem, fix="--update-in-ci does it all the same")


def _checked(
    file: Path, options: argparse.Namespace, tolerances: Mapping[str, float], made: dict[str, Any]
) -> dict[str, str]:
    """Check a file, print what was found, and return its properties; what was run is kept in ``made``."""
    target = options.run or _recorded(file)
    if target not in made:
        made[target] = _made(target)
    backtest = _backtest_of(made[target], target, file, len(options.baselines))
    is_update = options.update or options.update_in_ci
    if is_update:
        _say(f"written: {write_baseline(backtest, file, target=target)}")
    check = check_baseline(backtest, file, tolerances=tolerances)
    _say(str(check))
    return check_properties(check) | ({"result": "written"} if is_update else {})


def _recorded(file: Path) -> str:
    target = read_baseline(file).target
    if target is None:
        problem = f"{file} names no function"
        raise InputError("--run-recorded", problem, fix="name it with --run module:function")
    _say(f"{file} names {target}")
    return target


def _made(target: str) -> Any:
    """Import a function that a person has named, or allowed to be named, and return what it returns."""
    if not is_target(target):
        raise InputError("--run", f"{target!r} names no function", fix="write module:function")
    module, _, name = target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        problem = f"cannot find {target}: {error}"
        raise InputError("--run", problem, fix="run from the folder in which it is") from error
    except (Exception, SystemExit) as error:  # a module that exits with 0 would pass
        raise InputError("--run", f"importing {module} raised {_said(error)}") from error
    try:
        return function()
    except AllocatorError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError("--run", f"{target} raised {_said(error)}") from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _backtest_of(made: Any, target: str, file: Path, n_files: int) -> Backtest:
    """Return the backtest for a file, refusing to compare several files with the same one."""
    if isinstance(made, Mapping):
        if file.stem not in made:
            problem = f"{target} returned no backtest called {file.stem!r}"
            raise InputError("--run", problem, fix=f"it has: {', '.join(map(str, made)) or 'none'}")
        made = made[file.stem]
    elif n_files > 1:
        problem = f"{target} returned one backtest for {n_files} baselines"
        raise InputError("--run", problem, fix="return a dict of them, by the file's name without .json")
    if not isinstance(made, Backtest):
        raise InputError("--run", f"{target} returned a {type(made).__name__}", fix="return a Backtest")
    return made
