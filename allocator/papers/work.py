"""A study at work: its market, its comparisons under each run, its regimes, each made once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import pandas as pd

from allocator.engine import Costs, Rebalancing, Strategy
from allocator.errors import InputError
from allocator.market import Market
from allocator.papers.data import StudyData
from allocator.regimes import Regimes
from allocator.report import Comparison, compare

__all__ = ["FIGURES", "PaperTable", "Run", "Work"]

FIGURES = ("growth", "drawdown", "weights")  # one a run


@final
@dataclass(frozen=True)
class Run:
    """Under which rules all strategies are run."""

    name: str
    lag: int | None = None
    unlisted: str = "error"
    max_leverage: float | None = None
    allow_short: bool = False
    rebalancing: Rebalancing | None = None
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.slug:
            raise InputError("name", f"{self.name!r} is no name", fix="write a few words in quotes")

    @property
    def slug(self) -> str:
        """The name as part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:48].strip("-")

    def under(self, rebalancing: Rebalancing | None, costs: Costs) -> Run:
        """Return the run with a rule and costs."""
        return replace(self, rebalancing=rebalancing, costs=costs)


@final
@dataclass(frozen=True, eq=False)
class PaperTable:
    """A table of a study.

    Attributes
    ----------
    name
        Of its files.
    title
        Its caption.
    frame
        All numbers at full precision; columns only, the index says nothing.
    shown
        The columns that are printed; the CSV file and the manifest have all.
    notes
        How the numbers were made, a line each.
    """

    name: str
    title: str
    frame: pd.DataFrame
    shown: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def printed(self) -> pd.DataFrame:
        """The columns that are printed."""
        return self.frame[[column for column in self.shown if column in self.frame]]


@final
@dataclass(frozen=True, eq=False)
class Work:
    """What the tables and figures of a study are made of."""

    seed: int
    strategies: tuple[Strategy, ...]
    runs: tuple[Run, ...]
    rules: tuple[Callable[[Market], Regimes], ...]
    start: str | None
    end: str | None
    data: StudyData

    @property
    def market(self) -> Market:
        """The market, or a refusal where the data are a folder of panels."""
        if self.data.market is None:
            raise InputError("data.folder", "is no market")
        return self.data.market

    @property
    def folder(self) -> Path | None:
        """The folder of panels, if the data are one."""
        return self.data.folder

    @cached_property
    def comparisons(self) -> dict[str, Comparison]:
        """The strategies under each run."""
        return {run.name: self._compared(run) for run in self.runs}

    def _compared(self, run: Run) -> Comparison:
        return compare(
            self.strategies,
            self.market,
            rebalancing=run.rebalancing,
            costs=run.costs,
            lag=run.lag,
            start=self.start,
            end=self.end,
            unlisted=run.unlisted,
            max_leverage=run.max_leverage,
            allow_short=run.allow_short,
        )

    @cached_property
    def regimes(self) -> list[Regimes]:
        """The labels that the study asks for."""
        if not self.rules:
            raise InputError(
                "regimes", "there are none", fix='add [[regimes]] with function = "inflation_level"'
            )
        return [rule(self.market) for rule in self.rules]

    def stacked(
        self, parts: Mapping[str, tuple[pd.DataFrame, Sequence[str]]]
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Return the tables of all runs as one, with a column ``run`` where there are several, and its notes.

        Lines that all runs share come first, those of one alone with its name.
        """
        frames = [frame.reset_index() for frame, _ in parts.values()]
        if len(parts) == 1:
            ((_, notes),) = parts.values()
            return frames[0], tuple(notes)
        for name, frame in zip(parts, frames, strict=True):
            frame.insert(0, "run", name)
        blocks = [list(notes) for _, notes in parts.values()]
        shared = [line for line in blocks[0] if all(line in block for block in blocks)]
        own = [
            f"{name}: {line}"
            for name, block in zip(parts, blocks, strict=True)
            for line in block
            if line not in shared
        ]
        return pd.concat(frames, ignore_index=True), (*shared, *own)

    def each_run(
        self, make: Callable[[Run], tuple[pd.DataFrame, Sequence[str]]]
    ) -> tuple[Any, tuple[str, ...]]:
        """Return what is made of each run as one table."""
        return self.stacked({run.name: make(run) for run in self.runs})
