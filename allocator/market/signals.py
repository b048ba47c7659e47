"""Macro series as they became known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date, message
from allocator.market.prices import float_column, validate_index

__all__ = ["Signal", "undated_signals", "validate_signals"]


@dataclass(frozen=True, eq=False)
class Signal:
    """A series stamped with the dates on which its values were known.

    Attributes
    ----------
    values
        The values, index: the date on which each was known. Fractions, unless its name says otherwise.
    describes
        The last date of the period that each value describes (for December inflation, 31 December),
        shape (n_values,), or None where only the date of knowledge is given.
    """

    values: pd.Series[float]
    describes: pd.DatetimeIndex | None = None

    def known_by(self, date: pd.Timestamp) -> Signal:
        """Return the values known at the end of ``date``."""
        stop = int(self.values.index.searchsorted(date, side="right"))
        return Signal(self.values.iloc[:stop], None if self.describes is None else self.describes[:stop])

    def as_known_on(self, dates: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return the newest value known at each date, NaN before the first, shape (n_dates,)."""
        return self._pick(pd.DatetimeIndex(self.values.index).searchsorted(dates, side="right") - 1)

    def as_described_on(self, dates: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return the value that describes the period around each date, NaN outside; it was known later.

        The described periods are taken to follow one another without a gap, the first as long as the second.
        """
        if self.describes is None:
            raise InputError(
                "signals",
                "only the dates of knowledge are given, not the periods described",
                fix="pass Signal(values, describes=dates)",
            )
        ends = self.describes
        if not len(ends):
            return np.full(len(dates), np.nan)
        rows = ends.searchsorted(dates, side="left")
        length = ends[1] - ends[0] if len(ends) > 1 else pd.Timedelta(366, "D")
        before = np.asarray(dates <= ends[0] - length)
        return self._pick(np.where(before | (rows >= len(ends)), -1, rows))

    def _pick(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values in these rows, NaN for -1: before the first there may be no value at all."""
        values = np.append(self.values.to_numpy(dtype=np.float64), np.nan)
        return np.asarray(values[rows], dtype=np.float64)


def validate_signals(
    signals: Mapping[str, Signal | pd.Series[Any]] | pd.DataFrame | None,
) -> dict[str, Signal]:
    """Return the signals by name, each checked: dates of knowledge increasing, values finite.

    A DataFrame has a column a signal; its NaN mean that nothing new was known on that date.
    """
    if signals is None:
        return {}
    if isinstance(signals, pd.DataFrame):
        return {str(name): _validate(str(name), Signal(signals[name].dropna())) for name in signals.columns}
    if not isinstance(signals, Mapping):
        problem = f"expected a mapping of name to Series, got {type(signals).__name__}"
        raise InputError("signals", problem, fix="signals={'inflation': series}")
    return {
        name: _validate(name, given if isinstance(given, Signal) else Signal(given))
        for name, given in signals.items()
    }


def undated_signals(signals: Any) -> tuple[str, ...]:
    """Return a note that names the signals given without the dates of their periods, if there are any."""
    if not isinstance(signals, Mapping | pd.DataFrame):
        return ()
    raw = [str(name) for name in signals if not isinstance(signals[name], Signal)]
    if not raw:
        return ()
    fix = "al.published(values, publication_lag=...) dates figures of a period by when they were known"
    problem = "taken as known on the dates of its index"
    return (message("signals", problem, asset=raw[0], count=len(raw), fix=fix),)


def _validate(name: str, signal: Signal) -> Signal:
    argument = f"signals[{name!r}]"
    if not isinstance(name, str):
        raise InputError(argument, f"the name is a {type(name).__name__}", fix="name the signals with text")
    given = signal.values
    if not isinstance(given, pd.Series):
        problem = f"expected a Series, got {type(given).__name__}"
        raise InputError(argument, problem, fix="pass the values with their dates of knowledge as index")
    if not len(given):
        raise InputError(argument, "no values", fix="leave the signal out")
    index = validate_index(given.index, argument)
    values = float_column(given, argument, index)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        fix = "drop the dates without a value"
        raise InputError(argument, f"is {values[bad[0]]}", date=index[bad[0]], count=len(bad), fix=fix)
    values.flags.writeable = False
    return Signal(pd.Series(values, index=index, name=name), _validate_periods(signal, index, argument))


def _validate_periods(signal: Signal, known: pd.DatetimeIndex, argument: str) -> pd.DatetimeIndex | None:
    """Return the ends of the periods described, refusing values known before their period ended."""
    if signal.describes is None:
        return None
    ends = validate_index(signal.describes, f"{argument}.describes")
    if len(ends) != len(known):
        raise InputError(
            argument, f"{len(known)} values describe {len(ends)} periods", fix="give one for each"
        )
    early = np.flatnonzero(np.asarray(known < ends))
    if len(early):
        raise InputError(
            argument,
            f"known before the period that it describes ended ({iso_date(ends[early[0]])})",
            date=known[early[0]],
            count=len(early),
            fix="stamp it with the date of publication",
        )
    return ends
