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
]


class AllocatorError(Exception):
    """Any refusal of this library; catch this to catch them all."""


class InputError(AllocatorError, ValueError):
    """An argument was refused.

    The message reads ``argument['asset'] on date: problem; fix`` with the parts that are known.

    Parameters
    ----------
    argument
        Name of the argument as the caller wrote it.
    problem
        What is wrong, with the offending value.
    asset, date
        The first asset and the first date at fault.
    fix
        What to do about it.
    """

    def __init__(
        self, argument: str, problem: str, *, asset: object = None, date: Any = None, fix: str = ""
    ) -> None:
        self.argument, self.problem, self.asset, self.date, self.fix = argument, problem, asset, date, fix
        where = argument + (f"[{asset!r}]" if asset is not None else "")
        when = f" on {iso_date(date)}" if date is not None else ""
        super().__init__(f"{where}{when}: {problem}" + (f"; {fix}" if fix else ""))

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
        fix: str = "",
    ) -> None:
        self.rows_needed = rows_needed
        super().__init__(argument, problem, asset=asset, date=date, fix=fix)


class SolverError(AllocatorError):
    """A solver found no optimum; says what was to be solved, by what, its status, and what to relax."""

    def __init__(self, problem: str, solver: str, status: str, fix: str) -> None:
        self.problem, self.solver, self.status, self.fix = problem, solver, status, fix
        super().__init__(f"{problem}: {solver} says {status!r}; {fix}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


class StrategyError(AllocatorError):
    """A strategy raised, or answered something that is no set of weights; names it and the date."""

    def __init__(self, strategy: str, date: Any, problem: str) -> None:
        self.strategy, self.date, self.problem = strategy, date, problem
        super().__init__(f"strategy {strategy!r} on {iso_date(date)}: {problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


class DownloadError(AllocatorError):
    """A source of data did not answer, or not with data; names the source, what was asked of it, and why."""

    def __init__(self, source: str, problem: str, fix: str = "") -> None:
        self.source, self.problem, self.fix = source, problem, fix
        super().__init__(f"{source}: {problem}" + (f"; {fix}" if fix else ""))

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
    return date.strftime("%Y-%m-%d") if isinstance(date, dt.date) else str(date)
