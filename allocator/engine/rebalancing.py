"""When to trade: one small class a rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import Frequency

__all__ = [
    "Band",
    "BuyAndHold",
    "Daily",
    "EveryNRows",
    "Monthly",
    "Quarterly",
    "Rebalancing",
    "Weekly",
    "Yearly",
    "default_rebalancing",
]

Rows = NDArray[np.int64]


class Rebalancing(ABC):
    """When to decide anew; the trade follows ``lag`` rows later. The first build needs no rule."""

    @abstractmethod
    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the rows at whose close the calendar asks for a decision, increasing.

        Whether a row ends its period is seen from the date of the row after it, so the last row never does.
        """

    @abstractmethod
    def breached(self, drifted: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Return at which closes the drifted weights ask for a decision, or None if they never do.

        Shapes: ``drifted`` (n_periods, n_assets), ``target`` (n_assets,), the answer (n_periods,).
        """


class _Calendar(Rebalancing):
    """A rule that looks at the calendar only."""

    def breached(self, drifted: NDArray[np.float64], target: NDArray[np.float64]) -> None:
        """Never ask: drift does not matter to a calendar."""


def _refuse_finer(frequency: Frequency, rule: Rebalancing, most: int) -> None:
    if frequency.periods_per_year < most:
        raise InputError(
            "rebalancing",
            f"{rule} is finer than {frequency} data",
            fix=f"choose {default_rebalancing(frequency)} or slower",
        )


def _period_ends(
    index: pd.DatetimeIndex, frequency: Frequency, unit: str, rule: Rebalancing, most: int
) -> Rows:
    _refuse_finer(frequency, rule, most)
    periods = index.to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    if unit == "D":  # weeks end on Sunday: day 0 of the epoch was a Thursday
        periods = (periods + 3) // 7
    return np.flatnonzero(np.diff(periods) != 0)


@dataclass(frozen=True)
class Daily(_Calendar):
    """Decide on every row of daily data."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return every row but the last."""
        _refuse_finer(frequency, self, 252)
        return np.arange(len(index) - 1)


@dataclass(frozen=True)
class Weekly(_Calendar):
    """Decide on the last row of each week (Monday to Sunday)."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each week."""
        return _period_ends(index, frequency, "D", self, 52)


@dataclass(frozen=True)
class Monthly(_Calendar):
    """Decide on the last row of each month."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each month."""
        return _period_ends(index, frequency, "M", self, 12)


@dataclass(frozen=True)
class Quarterly(_Calendar):
    """Decide on the last row of each quarter."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each quarter."""
        ends = _period_ends(index, frequency, "M", self, 4)
        quarters = index.to_numpy().astype("datetime64[M]").astype(np.int64) // 3
        return np.asarray(ends[quarters[ends] != quarters[ends + 1]])


@dataclass(frozen=True)
class Yearly(_Calendar):
    """Decide on the last row of each year."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each year."""
        return _period_ends(index, frequency, "Y", self, 1)


@dataclass(frozen=True)
class EveryNRows(_Calendar):
    """Decide every ``n`` rows, counted from the first row of the table."""

    n: int

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise InputError("n", f"{self.n!r} is not a number of rows", fix="pass 1 or more")

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return every n-th row."""
        return np.arange(self.n, len(index) - 1, self.n)


@dataclass(frozen=True)
class BuyAndHold(_Calendar):
    """Build the portfolio once and let it drift."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return no row."""
        return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Band(Rebalancing):
    """Decide at the first close where a weight is more than ``width`` away from its target.

    ``width`` is in absolute points of weight: with 0.05, a 60 % target is left above 65 % or below 55 %.
    The comparison is strict, is made at every close after a trade, and leads to a trade to target.
    """

    width: float

    def __post_init__(self) -> None:
        if not isinstance(self.width, int | float) or not 0.0 < self.width < 1.0:
            raise InputError(
                "width", f"{self.width!r} is not between 0 and 1", fix="5 points of weight are 0.05"
            )

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return no row."""
        return np.empty(0, dtype=np.int64)

    def breached(self, drifted: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where any weight is strictly more than the width away from its target."""
        return np.asarray((np.abs(drifted - target) > self.width).any(axis=1))


def default_rebalancing(frequency: Frequency) -> Rebalancing:
    """Return monthly, or the data's own frequency where that is slower."""
    slow: dict[str, Rebalancing] = {"quarterly": Quarterly(), "yearly": Yearly()}
    return slow.get(frequency.name, Monthly())
