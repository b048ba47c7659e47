"""Worlds that agree with the real one up to a date and differ after it.

What a strategy can reach is altered where it stands, for the time of one question: a reference to it that is
hidden anywhere sees the other future, too. Of markets and pandas objects only the innards are exchanged, so
that nothing is written; bare arrays are written to and written back.
"""

from __future__ import annotations

import datetime as dt
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.market import Market, Signal
from allocator.market.market import cut

__all__ = [
    "FUTURES",
    "Dated",
    "DatedArray",
    "DatedList",
    "DatedMapping",
    "DatedMarket",
    "DatedTable",
    "Pristine",
    "altered",
    "cut_off",
    "day_of",
    "days_of",
    "is_number",
    "row_dates",
]

Array = NDArray[np.float64]
Later = NDArray[np.bool_]
Days = NDArray[np.datetime64]
# How the future is rewritten, and how a finding says it.
FUTURES = {
    "random": "the future drawn at random",
    "mirrored": "the future mirrored: what rose falls",
    "extreme": "an extreme future: jumps, other listings, delistings",
}
_JUMP = 1000.0
_NOISE = 0.3
# Of a market, worked out when first asked for.
_CACHED = ("index", "listed_from", "listed_until", "_suspected")


def cut_off(market: Market, n_rows: int) -> Market:
    """Return the first rows of a market with memory of its own: nothing later is anywhere in it."""
    past: Market = pickle.loads(pickle.dumps(cut(market, n_rows)))
    return past


@contextmanager
def altered(things: Sequence[Dated], date: pd.Timestamp, future: str, seed: int) -> Iterator[None]:
    """Give all these things another future after ``date``; restore them whatever happens."""
    rng = np.random.default_rng([seed, date.toordinal(), list(FUTURES).index(future)])
    with ExitStack() as stack:
        for thing in things:
            stack.enter_context(thing.altered(date, future, rng))
        yield


class Dated(ABC):
    """Something with dates that a strategy can reach.

    Attributes
    ----------
    path
        Where it was found.
    """

    path: str

    @abstractmethod
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Any:
        """Return a context in which what comes after the date is different."""


@final
@dataclass(frozen=True, eq=False)
class DatedMarket(Dated):
    """A market: prices, cash, listings, delistings and signals to come."""

    path: str
    market: Market

    @contextmanager
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Iterator[None]:
        """Exchange the market's facts."""
        facts = vars(self.market)
        saved = dict(facts)
        try:
            facts.update(_other_facts(self.market, date, future, rng))
            for name in _CACHED:
                facts.pop(name, None)
            yield
        finally:
            facts.update(saved)
            for name in facts.keys() - saved.keys():
                del facts[name]


def _other_facts(market: Market, date: pd.Timestamp, future: str, rng: np.random.Generator) -> dict[str, Any]:
    first = int(market.index.searchsorted(date, side="right"))
    later = np.arange(len(market.days)) >= first
    starts, ends = market._whole.listed_from, market._whole.listed_until
    levels = _other_prices(market.levels, first, future, rng)
    if future == "extreme" and first < len(levels) - 1:
        starts, ends = _other_listings(starts, ends, first, len(levels))
        for column in np.flatnonzero(starts >= first):
            levels[first : starts[column], column] = 1.0
        for column in np.flatnonzero(ends != market._whole.listed_until):
            levels[ends[column] :, column] = 0.0  # nothing is recovered
    cash = rewritten(market.cash, later, future, rng)
    if future == "extreme":
        cash = market.cash + np.where(later, 0.005, 0.0)
    for array in (levels, cash, starts, ends):
        array.flags.writeable = False
    signals = {
        name: Signal(
            _other_table(signal.values, np.asarray(signal.values.index > date, dtype=np.bool_), future, rng),
            signal.describes,
        )
        for name, signal in market._signals.items()
    }
    whole = replace(market._whole, listed_from=starts, listed_until=ends)
    return {"levels": levels, "cash": cash, "_whole": whole, "_signals": signals}


def _other_prices(levels: Array, first: int, future: str, rng: np.random.Generator) -> Array:
    """Return prices with another future, all positive where they were."""
    other = levels.copy(order="K")
    tail = other[first:]
    if not len(tail):
        return other
    if future == "random":
        tail *= np.exp(_NOISE * rng.standard_normal(tail.shape))
    elif future == "mirrored":
        known = levels[first - 1] if first else levels[0]
        np.divide(known * known, tail, out=tail, where=tail > 0.0)
    else:
        tail *= _jumps(tail.shape[1])
    return other


def _jumps(n_columns: int) -> Array:
    """Return factors that part neighbours by as much as possible."""
    return np.where(np.arange(n_columns) % 2 == 0, _JUMP, 1.0 / _JUMP)


def _other_listings(
    starts: NDArray[np.int64], ends: NDArray[np.int64], first: int, n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return other rows for listings to come, and let every second asset go half way through what is left."""
    waiting, half = starts >= first, (first + n_rows) // 2
    starts = np.where(waiting, first + (n_rows - 1 - starts), starts)
    alive = (ends > first) & ~waiting & (np.arange(len(ends)) % 2 == 1)
    return starts, np.where(alive, np.maximum(half, first + 1), ends)


@final
@dataclass(frozen=True, eq=False)
class DatedTable(Dated):
    """A Series or DataFrame.

    Attributes
    ----------
    table
        What is altered.
    days
        The day of each row; of each column where the columns have dates.
    by_column
        Whether the columns have the dates.
    """

    path: str
    table: Any
    days: Days
    by_column: bool = False

    @contextmanager
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Iterator[None]:
        """Exchange what the table holds; whoever has the table has the other one."""
        table, saved = self.table, self.table._mgr
        later = self.days > date.to_datetime64()
        if self.by_column:
            other = _other_table(table.T, later, future, rng).T
        else:
            other = _other_table(table, later, future, rng)
        try:
            _exchange(table, other._mgr)
            yield
        finally:
            _exchange(table, saved)


def _exchange(table: Any, manager: Any) -> None:
    object.__setattr__(table, "_mgr", manager)
    getattr(table, "_item_cache", {}).clear()  # columns that pandas 2 has handed out before


def _other_table(table: Any, later: Later, future: str, rng: np.random.Generator) -> Any:
    """Return a Series or DataFrame with other values in the later rows."""
    if not later.any():
        return table
    if isinstance(table, pd.Series):
        if not _is_float(table.dtype):
            return table.iloc[_drawn(later, future, rng)].set_axis(table.index)
        values = rewritten(table.to_numpy(), later, future, rng)
        return pd.Series(values, index=table.index, name=table.name, copy=False)
    if len(set(table.dtypes)) == 1 and _is_float(table.dtypes.iloc[0]):
        values = rewritten(table.to_numpy(), later, future, rng)
        return pd.DataFrame(values, index=table.index, columns=table.columns, copy=False)
    columns = [_other_table(table.iloc[:, j], later, future, rng) for j in range(table.shape[1])]
    return pd.concat(columns, axis=1).set_axis(table.columns, axis=1)


def _is_float(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind == "f"


def row_dates(index: pd.Index) -> Days | None:
    """Return the day of each row, None where rows have none; a period counts from its beginning.

    Dates may be of pandas, of Python or text, or one level of several.
    """
    if isinstance(index, pd.MultiIndex):
        levels = (row_dates(index.get_level_values(k)) for k in range(index.nlevels))
        return next((days for days in levels if days is not None), None)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp(how="start")
    if isinstance(index, pd.DatetimeIndex):
        naive = index if index.tz is None else index.tz_localize(None)
        return None if index.hasnans else np.asarray(naive.values.astype("datetime64[D]"))
    return days_of(index) if index.dtype.kind == "O" or isinstance(index.dtype, pd.StringDtype) else None


def days_of(keys: Iterable[Any]) -> Days | None:
    """Return the days that keys stand for, None where there is none or one is no date."""
    days = []
    for key in keys:
        day = day_of(key)
        if day is None:
            return None
        days.append(day)
    return np.array(days, dtype="datetime64[D]") if days else None


@final
@dataclass(frozen=True, eq=False)
class DatedArray(Dated):
    """An array with a row for each row of the market: it is written to, and written back.

    A row is taken to come after a date only if it does so wherever the array begins, on the first row of the
    market or (returns) on the second.
    """

    path: str
    array: NDArray[Any]
    market: Market

    @contextmanager
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Iterator[None]:
        """Write other values into the rows after the date."""
        first = int(self.market.index.searchsorted(date, side="right"))
        later = np.arange(len(self.array)) >= first
        saved = self.array.copy()
        try:
            write(self.array, rewritten(saved, later, future, rng))
            yield
        finally:
            write(self.array, saved)


def write(array: NDArray[Any], values: NDArray[Any]) -> None:
    """Write into an array, read-only or not, and leave it as it was in that."""
    chain = [array]
    while isinstance(chain[-1].base, np.ndarray):
        chain.append(chain[-1].base)
    were = [link.flags.writeable for link in chain]
    try:
        for link in reversed(chain):
            link.flags.writeable = True
        np.copyto(array, values)
    finally:
        for link, was in zip(chain, were, strict=True):
            link.flags.writeable = was


@final
@dataclass(frozen=True, eq=False)
class DatedList(Dated):
    """A list or deque with an item for each row of the market: dated as a :class:`DatedArray` is."""

    path: str
    items: Any
    market: Market

    @contextmanager
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Iterator[None]:
        """Put other items into the places after the date: other numbers, or items of other rows."""
        first = int(self.market.index.searchsorted(date, side="right"))
        saved = list(self.items)
        later = np.arange(len(saved)) >= first
        if all(is_number(each) for each in saved):
            other = rewritten(np.array(saved, dtype=np.float64), later, future, rng).tolist()
        else:
            other = [saved[k] for k in _drawn(later, future, rng)]
        try:
            self._fill(other)
            yield
        finally:
            self._fill(saved)

    def _fill(self, items: list[Any]) -> None:
        self.items.clear()
        self.items.extend(items)


def is_number(thing: Any) -> bool:
    """Return whether something is a real number, true and false not among them."""
    return isinstance(thing, int | float | np.integer | np.floating) and not isinstance(thing, bool)


@final
@dataclass(frozen=True, eq=False)
class DatedMapping(Dated):
    """A dictionary whose keys stand for these days, in their order."""

    path: str
    mapping: dict[Any, Any]
    days: Days

    @contextmanager
    def altered(self, date: pd.Timestamp, future: str, rng: np.random.Generator) -> Iterator[None]:
        """Give the keys after the date other values."""
        saved = dict(self.mapping)
        values = list(saved.values())
        later = np.zeros(len(saved), dtype=np.bool_)
        later[: len(self.days)] = self.days[: len(saved)] > date.to_datetime64()
        drawn = _drawn(later, future, rng)
        try:
            self.mapping.update({key: values[k] for key, k in zip(saved, drawn, strict=True)})
            yield
        finally:
            self.mapping.clear()
            self.mapping.update(saved)


def day_of(key: Any) -> dt.date | None:
    """Return the day that a key of a dictionary stands for, None for one that is no date.

    A month counts from its first day, as a period, as text such as 2004-05 or as (2004, 5).
    """
    if isinstance(key, np.datetime64):
        key = pd.Timestamp(key)
    if isinstance(key, pd.Period):
        key = key.start_time
    if key is pd.NaT:
        return None
    if isinstance(key, dt.datetime):  # so is a Timestamp
        return key.date()
    if isinstance(key, dt.date):
        return key
    try:
        if isinstance(key, str):
            return dt.date.fromisoformat(f"{key}-01" if len(key) == len("2004-05") else key[:10])
        if isinstance(key, tuple) and len(key) in (2, 3) and all(type(part) is int for part in key):
            year, month, *day = key
            return dt.date(year, month, *(day or [1])) if 1000 <= year <= 9999 else None
    except ValueError:
        pass
    return None


def rewritten(values: NDArray[Any], later: Later, future: str, rng: np.random.Generator) -> NDArray[Any]:
    """Return values, shape (n_rows, ...), with other ones in the later rows; what is positive stays so."""
    other = values.copy(order="K")
    if not later.any():
        return other
    if values.dtype.kind != "f":
        other[later] = values[_drawn(later, future, rng)[later]]
        return other
    table = values.reshape(len(values), -1)
    other[later] = _other_floats(table, later, future, rng).reshape(-1, *values.shape[1:])
    return other


def _other_floats(table: Array, later: Later, future: str, rng: np.random.Generator) -> Array:
    """Return the later rows of a table: prices grow otherwise; what can be negative or NaN is replaced."""
    tail, known = table[later], np.where(np.isnan(table), np.inf, table)
    is_price = known.min(axis=0) > 0.0
    with np.errstate(all="ignore"):
        scale = np.nan_to_num(np.nanstd(np.where(np.isfinite(table), table, 0.0), axis=0)) + 1e-3
        if future == "random":
            noise = rng.standard_normal(tail.shape)
            drawn = table[_drawn(later, future, rng)[later]] + scale * noise
            return np.asarray(np.where(is_price, tail * np.exp(_NOISE * noise), drawn))
        if future == "mirrored":
            last = table[~later][-1] if not later.all() else table[0]
            last = np.where(np.isfinite(last), last, 1.0)
            return np.asarray(np.where(is_price, last * last / tail, -tail))
        return np.asarray(np.where(is_price, tail * _jumps(table.shape[1]), (tail + scale) * _JUMP))


def _drawn(later: Later, future: str, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return from which row each row takes what cannot be computed with: the later ones from elsewhere."""
    rows = np.arange(len(later))
    places = np.flatnonzero(later)
    if future == "random":
        rows[places] = rng.integers(0, len(later), len(places))
    elif future == "mirrored":
        rows[places] = places[::-1]
    else:
        rows[places] = 0
    return rows


@final
@dataclass(frozen=True, eq=False)
class Pristine:
    """A market's contents, to see whether a strategy has written into them, and to undo it."""

    arrays: tuple[tuple[NDArray[Any], NDArray[Any]], ...]
    mappings: tuple[tuple[Any, dict[Any, Any]], ...]

    @classmethod
    def of(cls, market: Market) -> Pristine:
        """Keep the contents of a market."""
        whole = market._whole
        arrays = [market.levels, market.cash, market.days, whole.listed_from, whole.listed_until]
        arrays += [signal.values.to_numpy() for signal in market._signals.values()]
        mappings = [market._signals, market._columns, vars(market)]
        return cls(
            tuple((array, array.copy(order="K")) for array in arrays),
            tuple((mapping, dict(mapping)) for mapping in mappings),
        )

    def is_intact(self) -> bool:
        """Return whether the contents are as they were."""
        same = all(np.array_equal(now, then) for now, then in self.arrays)
        return same and all(_same_objects(now, then) for now, then in self.mappings)

    def restore(self) -> None:
        """Write back what was changed."""
        for now, then in self.arrays:
            if not np.array_equal(now, then):
                write(now, then)
        for facts, known in self.mappings:
            if not _same_objects(facts, known):
                facts.update(known)
                for name in facts.keys() - known.keys() - set(_CACHED):
                    del facts[name]


def _same_objects(now: Any, then: dict[Any, Any]) -> bool:
    extra = now.keys() - then.keys() - set(_CACHED)
    return not extra and all(now.get(name) is value for name, value in then.items())
