"""Strategies that know their weights without looking at the past: a fixed mix, a table by date."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.rebalancing import Rows, acting_rows
from allocator.engine.strategy import Strategy
from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.frequency import whole_days
from allocator.market.market import Market
from allocator.market.prices import float_column, validate_index

__all__ = ["FixedMix", "TargetWeights"]


@final
@dataclass(frozen=True)
class FixedMix(Strategy):
    """The same weights at every decision.

    Parameters
    ----------
    mix
        Weight of each asset, as fractions; what is missing to one is cash.
    name
        What tables call it.
    """

    mix: Mapping[str, float]
    name: str = "Fixed mix"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.mix, Mapping | pd.Series):
            raise InputError("mix", f"is a {type(self.mix).__name__}", fix="pass {asset: weight}")
        object.__setattr__(self, "mix", dict(self.mix.items()))

    def weights(self, past: Market) -> Mapping[str, float]:  # noqa: ARG002
        """Return the mix."""
        return self.mix

    def __hash__(self) -> int:
        return hash((frozenset(self.mix.items()), self.name))


@final
@dataclass(frozen=True, eq=False, repr=False)
class TargetWeights(Strategy):
    """Target weights from a table, a row a date, each known on its date.

    A row dated between two rows of the market acts on the next one, never earlier; rows dated after
    the last never act, and one before the first is refused. Without a ``rebalancing`` the run decides
    on the dates of the table and on no other.

    Parameters
    ----------
    table
        Weights as fractions, a column an asset, increasing dates as index; no NaN.
    name
        What tables call it.
    """

    table: pd.DataFrame
    name: str = "Target weights"
    assets: tuple[str, ...] = field(init=False)
    dates: pd.DatetimeIndex = field(init=False)
    _values: NDArray[np.float64] = field(init=False)
    _days: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.table, pd.DataFrame):
            kind = type(self.table).__name__
            raise InputError("table", f"is a {kind}", fix="pass a DataFrame, a row a date, a column an asset")
        if not len(self.table) or not self.table.shape[1]:
            raise InputError("table", "is empty", fix="give a row a date, a column an asset")
        if not self.table.columns.is_unique:
            twice = self.table.columns[self.table.columns.duplicated()][0]
            raise InputError("table", "two columns of this name", asset=twice, fix="add them up, or drop one")
        dates = validate_index(self.table.index, "table")
        values = _numbers(self.table, dates)
        days = whole_days(dates)
        facts = {"assets": tuple(self.table.columns), "dates": dates, "_values": values, "_days": days}
        table = pd.DataFrame(values, index=dates, columns=self.table.columns, copy=False)
        for name, fact in {**facts, "table": table}.items():
            object.__setattr__(self, name, fact)

    def weights(self, past: Market) -> Mapping[str, float]:
        """Return the last row dated by then."""
        row = int(self._days.searchsorted(past.days[-1], side="right")) - 1
        if row < 0:
            raise InsufficientHistoryError(
                "table",
                f"the first weights are of {iso_date(self.dates[0])}",
                date=past.index[-1],
                rows_needed=len(past.days) + 1,
                fix="start then",
            )
        return dict(zip(self.assets, self._values[row].tolist(), strict=True))

    def rows(self, market: Market) -> Rows:
        """Return the row of the market on which each row of the table acts."""
        if self._days[0] < market.days[0]:
            acting_rows(self.dates.values, market.index, "table")  # which says what is wrong
        return market.days.searchsorted(self._days)

    def by_row(self, rows: Rows, market: Market) -> NDArray[np.float64] | None:
        """Return the weights on rows of the market, shape (n_rows, n_assets); None before the first."""
        last = self.rows(market).searchsorted(rows, side="right") - 1
        return np.asarray(self._values[last]) if last[0] >= 0 else None

    def __repr__(self) -> str:
        digest = hashlib.sha256(self._values.tobytes() + self._days.tobytes() + repr(self.assets).encode())
        return f"TargetWeights({len(self._days)} rows, {digest.hexdigest()[:16]}, name={self.name!r})"


def _numbers(table: pd.DataFrame, index: pd.DatetimeIndex) -> NDArray[np.float64]:
    values = table.to_numpy(copy=True)
    if values.dtype != np.float64:
        columns = [float_column(table.iloc[:, j], "table", index, a) for j, a in enumerate(table.columns)]
        values = np.column_stack(columns)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            "table",
            f"is {values[row, column]}",
            asset=table.columns[column],
            date=index[row],
            count=int((~np.isfinite(values)).sum()),
            fix="give every weight on every date, 0 for what is not held",
        )
    values.flags.writeable = False
    return values
