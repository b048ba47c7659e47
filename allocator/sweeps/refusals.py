"""A refusal of one run among many: which run it was, and a form in which it can leave its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allocator.errors import AllocatorError, InputError, InsufficientHistoryError, StrategyError

__all__ = ["Failure", "failure_of"]


@dataclass(frozen=True)
class Failure:
    """The run that was refused, the kind of error, and what the error was made of."""

    run: int
    kind: str
    parts: Mapping[str, Any]

    def error(self, which: str) -> AllocatorError:
        """Return the error again, with the run in its text."""
        parts = dict(self.parts)
        if self.kind == "StrategyError":
            return StrategyError(parts["strategy"], parts["date"], f"{parts['problem']} (in {which})")
        argument, problem = parts.pop("argument"), f"{parts.pop('problem')} (in {which})"
        kind = InsufficientHistoryError if self.kind == "InsufficientHistoryError" else InputError
        return kind(argument, problem, **parts)


def failure_of(run: int, error: InputError | StrategyError) -> Failure:
    """Return an error of a run as what another process can be sent; the error itself cannot be pickled."""
    parts = {name: part for name, part in vars(error).items() if not name.startswith("_")}
    return Failure(run, type(error).__name__, parts)
