"""Baselines: whether a backtest has moved since somebody last looked at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from allocator.engine import Backtest
from allocator.errors import InputError
from allocator.research import show_baseline
from allocator.research.baseline_facts import record_baseline
from allocator.research.baseline_file import Baseline, baseline_text, read_baseline, replace_text
from allocator.research.drift import (
    Change,
    FirstDate,
    causes_of,
    changes_of,
    first_dates,
    validate_tolerances,
)

__all__ = ["BaselineCheck", "check_baseline", "is_target", "write_baseline"]

_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@final
@dataclass(frozen=True, eq=False, repr=False)
class BaselineCheck:
    """A backtest beside its baseline.

    Attributes
    ----------
    path
        The file.
    was, now
        What is in it, and what the backtest is.
    tolerances
        Of every metric, relative; of ``yearly_returns``, ``weights`` and ``returns``, absolute.
    changes
        Metrics and years beyond their tolerance.
    first_dates
        The first date on which the weights differ, and on which the returns do; the earliest first.
    causes
        What went in differently, whether or not anything came out differently: lines that begin with
        ``data``, ``parameters``, ``versions`` or ``code``.
    """

    path: Path
    was: Baseline
    now: Baseline
    tolerances: Mapping[str, float]
    changes: tuple[Change, ...]
    first_dates: tuple[FirstDate, ...]
    causes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is within its tolerance."""
        return not self.changes and not self.first_dates

    @property
    def since(self) -> str | None:
        """The first date of the drift, or its first year where no single row is beyond its tolerance."""
        if self.first_dates:
            return self.first_dates[0].date
        years = (change.name.split()[-1] for change in self.changes if change.name.startswith("return of "))
        return next(years, None)

    @property
    def moved(self) -> tuple[str, ...]:
        """What moved it: some of ``data``, ``parameters``, ``versions``, ``code``; empty where it passed."""
        if self.passed:
            return ()
        return tuple(dict.fromkeys(cause.split(":")[0] for cause in self.causes)) or ("code",)

    __repr__ = show_baseline.check_text
    _repr_html_ = show_baseline.check_html


def check_baseline(
    backtest: Backtest, path: str | Path, *, tolerances: Mapping[str, float] | None = None
) -> BaselineCheck:
    """Return a backtest beside its baseline; nothing is written.

    Parameters
    ----------
    backtest
        The run to check.
    path
        The file that :func:`write_baseline` wrote.
    tolerances
        By name of a metric, relative: 1e-6 lets 0.5 be 0.4999995 to 0.5000005. By ``yearly_returns``,
        ``weights`` and ``returns`` (of a row), absolute. ``default`` is for all that are not named, and 1e-9
        where it is not given. Dates (``peak``, ``trough``, ``recovery``) are to be the same; ``inf`` does not
        compare.

    Raises
    ------
    InputError
        If there is no baseline, or the file is none; nothing in it is trusted.
    """
    _backtest(backtest)
    bounds = validate_tolerances(tolerances)
    was, now = read_baseline(path), record_baseline(backtest)
    return BaselineCheck(
        Path(path),
        was,
        now,
        bounds,
        changes_of(was, now, bounds),
        first_dates(was, now, bounds),
        causes_of(was, now),
    )


def write_baseline(
    backtest: Backtest, path: str | Path, *, target: str | None = None, overwrite: bool = False
) -> Path:
    """Write what a backtest is as a baseline, whole or not at all; a baseline of the same name is replaced.

    Parameters
    ----------
    backtest
        The run to record.
    path
        JSON, a line an entry, so that a diff can be reviewed. Folders are made.
    target
        ``module:function``, which made it; for people, and for ``python -m allocator check --run-recorded``.
    overwrite
        Whether to replace a file that is no baseline.

    Raises
    ------
    InputError
        A file of that name which is no baseline, or one that cannot be written.
    """
    _backtest(backtest)
    if target is not None and not is_target(target):
        raise InputError("target", f"{target!r} names no function", fix="write module:function")
    file = Path(path)
    replace_text(file, baseline_text(record_baseline(backtest, target)), overwrite=overwrite)
    return file


def is_target(text: object) -> bool:
    """Return whether a text names a function: ``module:function``."""
    return isinstance(text, str) and _TARGET.fullmatch(text) is not None


def _backtest(backtest: object) -> None:
    if not isinstance(backtest, Backtest):
        problem = f"expected a Backtest, got {type(backtest).__name__}"
        raise InputError("backtest", problem, fix="of a comparison, pass one of its .backtests")
