"""What can go wrong, by cause, and the one place that decides what a message looks like.

::

    AllocatorError
    ├── InputError (ValueError)          an argument is not what it should be
    │   └── InsufficientHistoryError     it would be, with more rows before the date
    ├── SolverError                      a solver found no optimum: which, why, what to relax
    ├── StrategyError                    a strategy failed or answered nonsense
    ├── DownloadError                    a source of data did not answer, or not with data
    └── UndefinedStatisticWarning        (a warning) the number does not exist, and why
"""

from __future__ import annotations

import datetime as dt
from typing import Any

__all__ = [
    "AllocatorError",
    "DownloadError",
    "InputError",
    "InsufficientHistoryError",
    "SolverError",
    "StrategyError",
    "UndefinedStatisticWarning",
    "iso_date",
    "message",
    "plain_line",
]

# A longer message is cut: a name of a million letters must not flood a log. The parts of a message that is
# too long get these shares of it, so that the problem and the fix are read whatever the name is.
_LONGEST = 1_500
_MARK = 40  # about what it takes to say that something was cut
_SHARES = {"argument": 150, "asset": 250, "date": 50, "problem": 650, "fix": 400}


class AllocatorError(Exception):
    """Any refusal of this library; catch this to catch them all."""


class InputError(AllocatorError, ValueError):
    """An argument was refused.

    The message reads ``argument['asset'] on date: problem (first of 3); fix`` with the parts that are known,
    on one line of at most about 1,500 characters, whatever the parts hold (see ``message``).

    Parameters
    ----------
    argument
        Name of the argument as the caller wrote it.
    problem
        What is wrong, with the offending value.
    asset, date
        The first asset and the first date at fault.
    count
        How many cells, rows or names are at fault in the same way, where that is known.
    fix
        What to do about it.
    """

    def __init__(
        self,
        argument: str,
        problem: str,
        *,
        asset: object = None,
        date: Any = None,
        count: int | None = None,
        fix: str = "",
    ) -> None:
        self.argument, self.problem, self.asset, self.date = argument, problem, asset, date
        self.count, self.fix = count, fix
        super().__init__(message(argument, problem, asset=asset, date=date, count=count, fix=fix))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


class InsufficientHistoryError(InputError):
    """There are too few rows before a date; ``rows_needed`` of them would do."""

    def __init__(
        self,
        argument: str,
        problem: str,
        *,
        rows_needed: int,
        asset: object = None,
        date: Any = None,
        count: int | None = None,
        fix: str = "",
    ) -> None:
        self.rows_needed = rows_needed
        super().__init__(argument, problem, asset=asset, date=date, count=count, fix=fix)


class SolverError(AllocatorError):
    """A solver found no optimum; says what was to be solved, by what, its status, and what to relax."""

    def __init__(self, problem: str, solver: str, status: str, fix: str) -> None:
        self.problem, self.solver, self.status, self.fix = problem, solver, status, fix
        super().__init__(plain_line(f"{problem}: {solver} says {status!r}; {fix}"))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


class StrategyError(AllocatorError):
    """A strategy raised, or answered something that is no set of weights; names it and the date."""

    def __init__(self, strategy: str, date: Any, problem: str) -> None:
        self.strategy, self.date, self.problem = strategy, date, problem
        super().__init__(plain_line(f"strategy {strategy!r} on {iso_date(date)}: {problem}"))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


class DownloadError(AllocatorError):
    """A source of data did not answer, or not with data; names the source, what was asked of it, and why."""

    def __init__(self, source: str, problem: str, fix: str = "") -> None:
        self.source, self.problem, self.fix = source, problem, fix
        super().__init__(plain_line(f"{source}: {problem}" + (f"; {fix}" if fix else "")))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[AllocatorError], args: tuple[Any, ...], facts: dict[str, Any]) -> AllocatorError:
    """Return an error from what was pickled: process pools send errors back."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class UndefinedStatisticWarning(UserWarning):
    """A statistic is NaN, and the message says why."""


def iso_date(date: Any) -> str:
    """Return a date as ``YYYY-MM-DD``, and anything that is no date as it prints."""
    return str(date).split(" ")[0] if isinstance(date, dt.date) else str(date)


def message(
    argument: str,
    problem: str,
    *,
    asset: object = None,
    date: Any = None,
    count: int | None = None,
    fix: str = "",
) -> str:
    """Return ``argument['asset'] on date: problem (first of count); fix`` with the parts that are known.

    The one form of every refusal and of every note: one line, as ``plain_line`` makes it. Where it would be
    longer than about 1,500 characters its parts are cut in their middle, each to its share.
    """
    parts = {
        "argument": argument,
        "asset": "" if asset is None else repr(asset),
        "date": "" if date is None else iso_date(date),
        "problem": problem,
        "fix": fix,
    }
    if sum(map(len, parts.values())) > _LONGEST:
        parts = {name: _cut(part, _SHARES[name]) for name, part in parts.items()}
    where = parts["argument"] + (f"[{parts['asset']}]" if asset is not None else "")
    when = f" on {parts['date']}" if date is not None else ""
    many = f" (first of {count:,})" if count is not None and count > 1 else ""
    then = f"; {parts['fix']}" if fix else ""
    return plain_line(f"{where}{when}: {parts['problem']}{many}{then}")


def plain_line(text: str) -> str:
    """Return a text as one line that is safe in a terminal and in a log.

    Characters that do not print (line ends, NUL, ANSI escapes, marks that turn the direction of reading, lone
    surrogates) are shown as Python's repr shows them; over about 1,500 characters the middle is cut.
    """
    text = _cut(text, _LONGEST)
    if text.isprintable():
        return text
    return _cut("".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text), _LONGEST)


def _cut(text: str, longest: int) -> str:
    """Return a text without its middle where it is longer than ``longest``."""
    if len(text) <= longest:
        return text
    side = (longest - _MARK) // 2
    return f"{text[:side]} [... {len(text) - 2 * side:,} characters ...] {text[-side:]}"
