"""The door: a table of prices comes in validated or not at all.

Each check is a function that raises :class:`InputError` for the first fault it finds. Nothing is
filled, dropped, sorted or guessed. After this module no price is NaN: an asset that is not listed
yet has the price 1 in the rows before, which says nothing of the future, and ``listed_from`` says where
its history begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency, resolve_frequency

__all__ = ["PricePanel", "float_column", "validate_index", "validate_prices"]

_SMALLEST, _LARGEST = 1e-100, 1e100  # ratios of two prices in this range cannot overflow
_EXACT_INTEGERS = 2**53
_FIRST_YEAR, _LAST_YEAR = 1, 9999  # beyond, dates cannot be printed


@dataclass(frozen=True, eq=False)
class PricePanel:
    """Validated prices.

    Attributes
    ----------
    index
        The dates, increasing, without time of day.
    assets
        Their names, in the order of the columns.
    levels
        Prices, shape (n_periods, n_assets), read-only, columns contiguous; rows before an asset's
        listing hold 1.
    listed_from
        The row of the first price of each asset, shape (n_assets,).
    frequency
        The row spacing.
    notes
        What was accepted but should be known.
    """

    index: pd.DatetimeIndex
    assets: tuple[str, ...]
    levels: NDArray[np.float64]
    listed_from: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...]


def validate_prices(prices: pd.DataFrame, frequency: str | None = None) -> PricePanel:
    """Return the prices as a :class:`PricePanel`, or refuse them.

    Parameters
    ----------
    prices
        Total-return price levels in one currency, a column an asset, dates as index; leading NaN
        means not listed yet.
    frequency
        Only checked against the dates, which decide.

    Raises
    ------
    InputError
        Names the first asset and date at fault and what to do.
    """
    _check_table(prices)
    _refuse_two_prices(prices)
    index = validate_index(prices.index, "prices")
    if len(index) == 1:
        raise InputError("prices", f"1 row ({iso_date(index[0])}); at least 2 are needed for a return")
    assets = _check_names(prices.columns)
    columns = [float_column(prices.iloc[:, j], "prices", index, asset) for j, asset in enumerate(assets)]
    levels = np.asfortranarray(np.column_stack(columns))
    _check_values(levels, index, assets)
    listed_from = _check_missing(levels, index, assets)
    spacing = resolve_frequency(index, frequency)
    for j, row in enumerate(listed_from):
        levels[:row, j] = 1.0
    for array in (levels, listed_from):
        array.flags.writeable = False
    return PricePanel(index, assets, levels, listed_from, spacing, _notes(prices, assets))


def _check_table(prices: Any) -> None:
    if not isinstance(prices, pd.DataFrame):
        raise InputError("prices", f"expected a DataFrame with dates as index, got {type(prices).__name__}")
    if not len(prices):
        raise InputError("prices", "no rows")
    if not prices.shape[1]:
        raise InputError("prices", "no assets")


def _refuse_two_prices(prices: pd.DataFrame) -> None:
    """Refuse rows of one date that disagree, naming both prices; the index refuses those that agree."""
    if not isinstance(prices.index, pd.DatetimeIndex):
        return
    repeated = prices.index[prices.index.duplicated() & prices.index.notna()]
    rows = prices[prices.index == repeated[0]] if len(repeated) else prices.iloc[:0]
    for asset, column in rows.items():
        given = list(dict.fromkeys(map(str, column)))
        if len(given) > 1:
            raise InputError(
                "prices",
                f"two prices on one date, {given[0]} and {given[1]} ({len(repeated)} dates repeated)",
                asset=asset,
                date=repeated[0],
                fix="find out which one is right and keep one row a date",
            )


def validate_index(index: pd.Index, argument: str) -> pd.DatetimeIndex:
    """Return the index as increasing dates without time of day or time zone, or refuse it."""
    where = f"{argument}.index"
    if not isinstance(index, pd.DatetimeIndex):
        _refuse_index_type(index, argument)
    dates = pd.DatetimeIndex(index)
    if dates.hasnans:
        row = int(np.argmax(dates.isna()))
        raise InputError(where, f"row {row} has no date (NaT)", fix="drop or date that row")
    if dates.tz is not None:
        raise InputError(
            where,
            f"timestamps in time zone {dates.tz}",
            date=dates[0],
            # Midnight UTC is the evening before in New York: only the exchange's zone knows the session.
            fix="pass session dates without a zone: "
            f"{argument}.index.tz_convert(<the exchange's zone>).tz_localize(None).normalize()",
        )
    _check_years(dates, where)
    _check_order(dates, where, argument)
    _check_midnight(dates, where, argument)
    return dates.copy(deep=True).rename(None)


def _check_years(dates: pd.DatetimeIndex, where: str) -> None:
    years = np.asarray(dates.year)
    odd = np.flatnonzero((years < _FIRST_YEAR) | (years > _LAST_YEAR))
    if len(odd):
        problem = f"row {odd[0]} is in the year {years[odd[0]]}, outside {_FIRST_YEAR} to {_LAST_YEAR}"
        raise InputError(where, problem, fix="correct the date")


def _refuse_index_type(index: pd.Index, argument: str) -> None:
    where = f"{argument}.index"
    if isinstance(index, pd.PeriodIndex):
        fix = f"{argument}.index.to_timestamp(how='end').normalize()"
        raise InputError(where, "periods, not dates", fix=fix)
    texts = [value for value in index if isinstance(value, str)]
    if texts:
        raise InputError(
            where,
            f"text such as {texts[0]!r}, not dates, and day and month could be confused",
            fix="pd.to_datetime(..., format='%Y-%m-%d'), with the format that the text has",
        )
    raise InputError(where, f"{type(index).__name__}", fix=f"pass dates, e.g. {argument}.set_index('date')")


def _check_order(dates: pd.DatetimeIndex, where: str, argument: str) -> None:
    repeated = np.flatnonzero(dates.duplicated())
    if len(repeated):
        date = dates[repeated[0]]
        raise InputError(
            where,
            f"{int((dates == date).sum())} rows have this date ({len(repeated)} repeated in all)",
            date=date,
            fix=f"keep one: {argument}[~{argument}.index.duplicated(keep='last')]",
        )
    if dates.is_monotonic_increasing:
        return
    if dates.is_monotonic_decreasing:
        problem, row = "the dates are in reverse order, newest first", 0
    else:
        row = int(np.argmax(np.diff(dates.asi8) < 0)) + 1
        problem = f"not sorted: {iso_date(dates[row])} comes after {iso_date(dates[row - 1])}"
    raise InputError(where, problem, date=dates[row], fix=f"{argument}.sort_index()")


def _check_midnight(dates: pd.DatetimeIndex, where: str, argument: str) -> None:
    days = dates.normalize()
    twice = np.flatnonzero(days.duplicated())
    if len(twice):
        row = int(twice[0])
        raise InputError(
            where,
            f"two rows of one day, {dates[row - 1]} and {dates[row]}",
            date=days[row],
            fix=f"say which counts, e.g. {argument}.groupby({argument}.index.normalize()).last()",
        )
    timed = np.flatnonzero(dates != days)
    if len(timed):
        raise InputError(
            where,
            f"time of day {dates[timed[0]].time()}; rows are days or longer",
            date=days[timed[0]],
            fix=f"{argument}.index.normalize()",
        )


def _check_names(columns: pd.Index) -> tuple[str, ...]:
    where = "prices.columns"
    seen: dict[str, str] = {}
    for name in columns:
        if not isinstance(name, str):
            raise InputError(where, f"{name!r} is a {type(name).__name__}", fix="name the assets with text")
        key = name.strip().casefold()
        if not key:
            raise InputError(where, f"an asset has no name ({name!r})", fix="name it")
        if key in seen:
            other = seen[key]
            twice = f"{name!r} stands twice"
            problem = twice if other == name else f"{other!r} and {name!r} differ by case or space"
            raise InputError(where, problem, asset=name, fix="rename or drop one")
        seen[key] = name
    return tuple(columns)


def float_column(
    column: pd.Series[Any], argument: str, index: pd.DatetimeIndex, asset: str | None = None
) -> NDArray[np.float64]:
    """Return one column as float64 with NaN where nothing is given, shape (n_periods,).

    Raises
    ------
    InputError
        For every type that is not plainly a number, and integers that would be rounded.
    """
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind):
        raise InputError(argument, "true and false are not numbers", asset=asset, date=index[0])
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        raise InputError(argument, f"{kind} is not a number", asset=asset, date=index[0])
    if pd.api.types.is_float_dtype(kind):
        with np.errstate(over="ignore"):  # an extended double beyond float64 is infinite, and refused as that
            return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    values = np.empty(len(column))
    for row, cell in enumerate(column):
        try:
            values[row] = _to_float(cell)
        except InputError as error:
            date = index[row]
            raise InputError(argument, error.problem, asset=asset, date=date, fix=error.fix) from None
    return values


def _to_float(cell: Any) -> float:
    """Return one cell as a float; Decimals are rounded to the nearest one, integers never."""
    if cell is None or cell is pd.NA:
        return np.nan
    if isinstance(cell, int | np.integer) and not isinstance(cell, bool):
        if abs(int(cell)) > _EXACT_INTEGERS:
            value = f" {cell}" if abs(int(cell)) < 2**64 else ""  # a longer one may be too long to print
            raise InputError("", f"integer{value} is beyond 2**53 and would be rounded", fix="rescale it")
        return float(cell)
    if isinstance(cell, Decimal):
        return np.nan if cell.is_nan() else float(cell)
    if isinstance(cell, float | np.floating):
        return float(cell)
    raise InputError(
        "",
        f"{_short(cell)} is {type(cell).__name__}, not a number",
        fix="convert the column, e.g. strip thousands separators, %, $",
    )


def _short(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) < 60 else f"{text[:57]}..."


def _check_values(levels: NDArray[np.float64], index: pd.DatetimeIndex, assets: tuple[str, ...]) -> None:
    _refuse_returns(levels, index, assets)
    rescale = f"rescale the asset: prices lie between {_SMALLEST:g} and {_LARGEST:g}"
    checks = [
        (np.isinf(levels), "is {}", "correct the source"),
        (levels == 0.0, "is {}; a price is positive", "correct it, or end the asset's history before"),
        (levels < 0.0, "is {}, negative", "a total-return level cannot be; build levels from returns"),
        (levels < _SMALLEST, f"is {{}}, below {_SMALLEST:g}", rescale),
        (levels > _LARGEST, f"is {{}}, above {_LARGEST:g}", rescale),
    ]
    for bad, problem, fix in checks:
        if bad.any():
            raise _first_fault(bad, levels, index, assets, problem, fix)


def _first_fault(
    bad: NDArray[np.bool_],
    levels: NDArray[np.float64],
    index: pd.DatetimeIndex,
    assets: tuple[str, ...],
    problem: str,
    fix: str,
) -> InputError:
    """Return the refusal of the earliest bad cell, counting the others of its column."""
    row = int(np.argmax(bad.any(axis=1)))
    column = int(np.argmax(bad[row]))
    count = int(bad[:, column].sum())
    text = problem.format(float(levels[row, column])) + (f" ({count} such rows)" if count > 1 else "")
    return InputError("prices", text, asset=assets[column], date=index[row], fix=fix)


def _refuse_returns(levels: NDArray[np.float64], index: pd.DatetimeIndex, assets: tuple[str, ...]) -> None:
    for j, asset in enumerate(assets):
        known = levels[~np.isnan(levels[:, j]), j]
        if len(known) and np.median(np.abs(known)) < 0.5 and (known < 0).any():
            raise InputError(
                "prices",
                f"looks like returns: {int((known < 0).sum())} of {len(known)} values are small and negative",
                asset=asset,
                date=index[int(np.argmax(levels[:, j] < 0))],
                fix="pass levels: (1 + returns).cumprod(), with a row of 1 before the first return",
            )


def _check_missing(
    levels: NDArray[np.float64], index: pd.DatetimeIndex, assets: tuple[str, ...]
) -> NDArray[np.int64]:
    """Return the first row of each asset; refuse holes, ends and empty rows or columns."""
    missing = np.isnan(levels)
    never = missing.all(axis=0)
    if never.any():
        asset = assets[int(np.argmax(never))]
        raise InputError("prices", "no price at all", asset=asset, date=index[0], fix="drop the column")
    empty = np.flatnonzero(missing.all(axis=1))
    if len(empty):
        raise InputError(
            "prices",
            f"no asset has a price ({len(empty)} such rows)",
            date=index[empty[0]],
            fix="prices.dropna(how='all') if these are holidays",
        )
    listed_from = np.asarray(np.argmin(missing, axis=0), dtype=np.int64)
    for j, asset in enumerate(assets):
        _check_tail_and_holes(missing[:, j], int(listed_from[j]), index, asset)
    return listed_from


def _check_tail_and_holes(
    missing: NDArray[np.bool_], first: int, index: pd.DatetimeIndex, asset: str
) -> None:
    last = len(missing) - 1 - int(np.argmin(missing[::-1]))
    holes = np.flatnonzero(missing[first : last + 1]) + first
    if len(holes):
        length = int(np.argmin(missing[holes[0] :]))
        raise InputError(
            "prices",
            f"a hole of {length} rows ({len(holes)} missing in all)",
            asset=asset,
            date=index[holes[0]],
            fix="get the prices or keep the rows where all assets have one: prices.dropna()",
        )
    if last < len(missing) - 1:
        raise InputError(
            "prices",
            f"no price after {iso_date(index[last])} ({len(missing) - 1 - last} rows)",
            asset=asset,
            date=index[last + 1],
            fix=f"cut the table there: prices.loc[:'{iso_date(index[last])}'], or drop the asset",
        )


def _notes(prices: pd.DataFrame, assets: tuple[str, ...]) -> tuple[str, ...]:
    kinds = [getattr(kind, "numpy_dtype", kind) for kind in prices.dtypes]
    coarse = [asset for asset, kind in zip(assets, kinds, strict=True) if kind in (np.float16, np.float32)]
    return (f"float32 prices, resolved to 1e-7 at best: {', '.join(coarse)}",) if coarse else ()
