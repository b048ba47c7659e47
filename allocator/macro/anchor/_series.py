"""Where a series of the diagnostics comes from: an asset, a signal, or a column beside the market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.frequency import infer_frequency
from allocator.macro.yields._door import refuse_percent
from allocator.market import Market
from allocator.regimes._settings import refuse_huge, refuse_no_text
from allocator.statistics._returns import read_dates


@dataclass(frozen=True, eq=False)
class Level:
    """One series on dates of the market.

    Attributes
    ----------
    values
        Levels, without NaN.
    is_yield
        Whether changes are differences; of prices they are returns, and levels are compared in logs.
    off_calendar
        Values on dates that are none of the market's, which are not used.
    """

    values: pd.Series[float]
    is_yield: bool
    off_calendar: int

    @property
    def name(self) -> str:
        """Of the series."""
        return str(self.values.name)


@dataclass(frozen=True, eq=False)
class Changes:
    """Two or more series on the dates that all have: levels, and changes from one such date to the next."""

    levels: dict[str, pd.Series[float]]
    changes: dict[str, pd.Series[float]]


def find_level(
    market: Market, beside: pd.DataFrame | None, name: str, argument: str, *, is_yield: bool
) -> Level | None:
    """Return a series by name, None where there is none.

    Refuses a name found twice, a yield in percent, a price that is not positive, no value on its dates.
    """
    refuse_no_text(argument, name, "pass the name of a series, or None")
    found: list[pd.Series[float]] = []
    if name in market.assets:
        found.append(market.prices[name].dropna())
    if name in market.signals:
        found.append(market.signal(name).values)
    if beside is not None and name in beside.columns:
        found.append(_read(_column(beside, name), name))
    if not found:
        return None
    if len(found) > 1:
        raise InputError(
            argument, f"{name!r} is in more than one of assets, signals and `beside`", fix="rename one"
        )
    if is_yield and len(found[0]):
        _refuse_percent(found[0], argument)
    on_calendar = found[0][found[0].index.isin(market.index)]
    level = Level(on_calendar.rename(name), is_yield, len(found[0]) - len(on_calendar))
    _refuse_no_level(level, argument)
    return level


def _column(beside: pd.DataFrame, name: str) -> pd.Series[float]:
    if list(beside.columns).count(name) > 1:
        raise InputError("beside", "two columns have this name", asset=name, fix="keep one of them")
    return beside[name]


def _read(column: pd.Series[float], name: str) -> pd.Series[float]:
    """Return a column of ``beside`` without NaN: they mean that nothing was known on the date."""
    dates = read_dates(column.index, "beside")
    kind = column.dtype
    is_real = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
    if not is_real or pd.api.types.is_bool_dtype(kind):
        raise InputError(
            "beside", f"{column.dtype} is not numeric", asset=name, fix="convert it with .astype(float)"
        )
    values = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=dates, name=name).dropna()
    if np.isinf(values.to_numpy()).any():
        raise InputError(
            "beside", "infinite", asset=name, date=values.index[int(np.argmax(np.isinf(values)))]
        )
    refuse_huge(np.asarray(values, dtype=np.float64)[:, np.newaxis], "beside", [name], values.index)
    return values


def _refuse_percent(level: pd.Series[float], argument: str) -> None:
    """Refuse a yield too large, or moving too much on its own dates, to be a fraction (F162)."""
    values, dates = np.asarray(level, dtype=np.float64), pd.DatetimeIndex(level.index)
    try:
        infer_frequency(dates)
    except InputError:  # from one irregular date to the next it may move as much as it likes
        row = int(np.argmax(np.abs(values)))
        values, dates = values[row : row + 1], dates[row : row + 1]
    refuse_percent(values[:, np.newaxis], dates, argument, level.name)


def _refuse_no_level(level: Level, argument: str) -> None:
    values = level.values.to_numpy()
    if not len(values):
        problem = f"{level.name!r} has no value on a date of the market"
        raise InputError(argument, problem, fix="give it the market's dates")
    if not level.is_yield and (values <= 0.0).any():
        row = int(np.argmax(values <= 0.0))
        problem = f"{level.name!r} is {values[row]:g}: not the level of a price or an index"
        raise InputError(argument, problem, date=level.values.index[row])


def shared(levels: Sequence[Level]) -> Changes:
    """Return levels on the dates that all have, and their changes; logs of prices, and simple returns."""
    table = pd.concat([each.values for each in levels], axis=1, join="inner")
    changes = {
        each.name: (table[each.name].diff() if each.is_yield else table[each.name].pct_change()).iloc[1:]
        for each in levels
    }
    scaled = {each.name: table[each.name] if each.is_yield else np.log(table[each.name]) for each in levels}
    return Changes(scaled, changes)


def at_month_ends(levels: Sequence[Level]) -> list[Level]:
    """Return levels on the last date of each month that all have, without the last month.

    Of each alone, calendars that differ on a month's last day would leave months without a date of both. The
    last month may be incomplete.
    """
    index = pd.concat([each.values for each in levels], axis=1, join="inner").index
    dates = pd.DatetimeIndex(index)
    ends = dates[np.flatnonzero(np.diff(dates.year.to_numpy() * 12 + dates.month.to_numpy()))]
    return [replace(each, values=each.values.loc[ends]) for each in levels]


def notes_of(levels: Sequence[Level]) -> tuple[str, ...]:
    """Return a line for each series that lacks dates or has others."""
    return tuple(
        f"{each.name}: {len(each.values):,} values, {iso_date(each.values.index[0])} to "
        f"{iso_date(each.values.index[-1])}"
        + (f"; {each.off_calendar:,} on other dates than the market's not used" if each.off_calendar else "")
        for each in levels
    )
