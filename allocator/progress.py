"""A bar for work that takes longer than a person's patience: where somebody can see it, and nowhere else."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(
    total: int, unit: str, label: str, *, done: int = 0, wanted: bool = True
) -> AbstractContextManager[Any]:
    """Return a bar with ``update(n)``: on a terminal or in a notebook, else one that shows nothing.

    It is cleared when the work ends, also by an interruption, which passes through.

    Parameters
    ----------
    total, done
        Units of work, and how many were done before.
    unit, label
        What is counted, in one word, and what is being done.
    wanted
        False for no bar anywhere.
    """
    if not wanted or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        return nullcontext(_NoBar())
    from tqdm.auto import tqdm

    bar: AbstractContextManager[Any] = tqdm(total=total, initial=done, unit=unit, desc=label, disable=None)
    return bar


class _NoBar:
    def update(self, n: int = 1) -> None:
        """Show nothing."""
