"""The door: a table of prices comes in validated or not at all.

Each check is a function that raises :class:`InputError` for the first fault it finds. Nothing is
filled, dropped, sorted or guessed. After this module no price is NaN: an asset that is not listed
yet has the price 1 in the rows before, which says nothing of the future, and ``listed_from`` says where
its history begins. Where ``listed_until`` says that it ended, its price is what its holders got.

A sound table is the rule and looking at each cell is slow: a few passes over whole arrays ask whether
anything is wrong at all, and only where they cannot say no do the checks that find and name the fault run.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency, resolve_frequency, whole_days
from allocator.market.frames import OtherFrame, as_pandas, is_other_frame

__all__ = ["MOST_CELLS", "PricePanel", "as_levels", "float_column", "validate_index", "validate_prices"]

_SMALLEST, _LARGEST = 1e-100, 1e100  # ratios of two prices in this range cannot overflow
_EXACT_INTEGERS = 2**53
_FIRST_YEAR, _LAST_YEAR = 1, 9999  # beyond, dates cannot be printed
_FLOAT = np.dtype(np.float64)
MOST_CELLS = 150_000_000  # 1.2 GB as float64: 10,000 rows of 10,000 assets and half as much again
_MANY_ASSETS = 64  # from here on the engine multiplies row by row; with fewer, column by column


@dataclass(frozen=True, eq=False)
class PricePanel:
    """Validated prices.

    Attributes
    ----------
    index
        The dates, increasing, without time of day.
    days
        The dates as days since 1970-01-01, shape (n_periods,).
    assets
        Their names, in the order of the columns.
    levels
        Prices, shape (n_periods, n_assets): 1 in the rows before an asset's listing, what its holders got
        from its delisting on. Columns contiguous; from 64 assets on, rows.
    listed_from
        The row of the first price of each asset, shape (n_assets,).
    listed_until
        The first row without a price after its history, shape (n_assets,); n_periods where it goes on.
    frequency
        The row spacing.
    notes
        What was accepted but should be known.
    """

    index: pd.DatetimeIndex
    days: NDArray[np.int64]
    assets: tuple[str, ...]
    levels: NDArray[np.float64]
    listed_from: NDArray[np.int64]
    listed_until: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...]


def validate_prices(
    prices: pd.DataFrame | OtherFrame,
    frequency: str | None = None,
    delisted: Mapping[str, float] | None = None,
    max_cells: int = MOST_CELLS,
) -> PricePanel:
    """Return the prices as a :class:`PricePanel`, or refuse them.

    Parameters
    ----------
    prices
        Total-return price levels in one currency, a column an asset, dates as index; leading NaN
        means not listed yet. A table of another library has its dates in a column.
    frequency
        Only checked against the dates, which decide.
    delisted
        The assets whose prices end before the last row, each with the fraction of its last price that its
        holders got.
    max_cells
        The most cells of a table; a larger one is refused before anything is copied.

    Raises
    ------
    InputError
        Names the first asset and date at fault and what to do.
    """
    prices = _checked_table(prices, max_cells)
    days = whole_days(prices.index)
    if days is None:
        _refuse_two_prices(prices)
        days = _examined_days(prices.index, "prices")
    index = _own_copy(prices.index)
    if len(index) == 1:
        problem = f"1 row ({iso_date(index[0])}); at least 2 are needed for a return"
        raise InputError("prices", problem, fix="give a longer history")
    assets = _check_names(prices.columns)
    recoveries = _check_recoveries({} if delisted is None else delisted, assets)
    kinds = _column_types(prices)
    levels = _float_table(prices, kinds, index, assets)
    listed_from, listed_until = _listings(levels, index, assets, recoveries)
    spacing = resolve_frequency(index, days, frequency)
    for late in np.flatnonzero(listed_from):
        levels[: listed_from[late], late] = 1.0
    for j, recovery in recoveries.items():
        levels[listed_until[j] :, j] = levels[listed_until[j] - 1, j] * recovery
    for array in (days, levels, listed_from, listed_until):
        array.flags.writeable = False
    return PricePanel(index, days, assets, levels, listed_from, listed_until, spacing, _notes(kinds, assets))


def _checked_table(prices: Any, max_cells: int) -> pd.DataFrame:
    if is_other_frame(prices):
        _refuse_too_large(getattr(prices, "shape", None), max_cells)
        prices = as_pandas(prices, "prices")
    if not isinstance(prices, pd.DataFrame):
        problem = f"expected a DataFrame with dates as index, got {type(prices).__name__}"
        raise InputError("prices", problem, fix="pd.DataFrame({'SPY': series, ...}), or al.read_prices(path)")
    if not len(prices):
        raise InputError("prices", "no rows", fix="check the file or the dates that it was cut to")
    if not prices.shape[1]:
        raise InputError("prices", "no assets", fix="give a column for each asset")
    _refuse_too_large(prices.shape, max_cells)
    return prices


def _refuse_too_large(shape: Any, max_cells: Any) -> None:
    """Refuse a table of more cells than allowed, before any copy of it is made."""
    if not isinstance(max_cells, int | np.integer) or isinstance(max_cells, bool) or max_cells < 1:
        raise InputError("max_cells", f"{max_cells!r} is no number of cells", fix="pass an integer above 0")
    if isinstance(shape, tuple) and len(shape) == 2 and shape[0] * shape[1] > max_cells:
        cells = shape[0] * shape[1]
        raise InputError(
            "prices",
            f"{shape[0]:,} rows of {shape[1]:,} columns are {cells:,} cells, over max_cells={max_cells:,}",
            fix=f"take fewer rows or assets, or pass max_cells={cells} ({cells / 2**27:,.1f} GiB a copy)",
        )


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
                f"two prices on one date, {given[0]} and {given[1]}",
                asset=asset,
                date=repeated[0],
                count=len(repeated),
                fix="find out which one is right and keep one row a date",
            )


def validate_index(index: pd.Index, argument: str) -> pd.DatetimeIndex:
    """Return the index as increasing dates without time of day or time zone, or refuse it."""
    if whole_days(index) is None:
        _examined_days(index, argument)
    return _own_copy(index)


def _own_copy(index: pd.Index) -> pd.DatetimeIndex:
    """Return sound dates with memory of their own and no name."""
    dates = cast("pd.DatetimeIndex", index)
    own = dates.copy(name="dates", deep=True)  # with a name, pandas does not copy the old one deeply
    own.name = None
    return own


def _examined_days(index: pd.Index, argument: str) -> NDArray[np.int64]:
    """Return the dates as days since 1970-01-01, or find what is wrong with them and refuse it."""
    where = f"{argument}.index"
    if not isinstance(index, pd.DatetimeIndex):
        _refuse_index_type(index, argument)
    dates = pd.DatetimeIndex(index)
    if dates.hasnans:
        row = int(np.argmax(dates.isna()))
        count = int(np.count_nonzero(dates.isna()))
        raise InputError(where, f"row {row} has no date (NaT)", count=count, fix="drop or date that row")
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
    return np.asarray(dates, dtype="datetime64[D]").astype(np.int64)


def _check_years(dates: pd.DatetimeIndex, where: str) -> None:
    years = np.asarray(dates.year)
    odd = np.flatnonzero((years < _FIRST_YEAR) | (years > _LAST_YEAR))
    if len(odd):
        problem = f"row {odd[0]} is in the year {years[odd[0]]}, outside {_FIRST_YEAR} to {_LAST_YEAR}"
        raise InputError(where, problem, count=len(odd), fix="correct the date")


def _refuse_index_type(index: pd.Index, argument: str) -> None:
    where = f"{argument}.index"
    if isinstance(index, pd.PeriodIndex):
        fix = f"{argument}.index.to_timestamp(how='end').normalize()"
        raise InputError(where, "periods, not dates", fix=fix)
    texts = [value for value in index if isinstance(value, str)]
    if texts:
        raise InputError(
            where,
            f"text such as {_short(texts[0])}, not dates, and day and month could be confused",
            fix="pd.to_datetime(..., format='%Y-%m-%d'), with the format that the text has",
        )
    raise InputError(where, f"{type(index).__name__}", fix=f"pass dates, e.g. {argument}.set_index('date')")


def _check_order(dates: pd.DatetimeIndex, where: str, argument: str) -> None:
    repeated = np.flatnonzero(dates.duplicated())
    if len(repeated):
        date = dates[repeated[0]]
        raise InputError(
            where,
            f"{int((dates == date).sum())} rows have this date",
            date=date,
            count=len(repeated),
            fix=f"keep one: {argument}[~{argument}.index.duplicated(keep='last')]",
        )
    if dates.is_monotonic_increasing:
        return
    if dates.is_monotonic_decreasing:
        problem, row, count = "the dates are in reverse order, newest first", 0, 1
    else:
        is_back = np.diff(dates.asi8) < 0
        row, count = int(np.argmax(is_back)) + 1, int(np.count_nonzero(is_back))
        problem = f"not sorted: {iso_date(dates[row])} comes after {iso_date(dates[row - 1])}"
        if dates[row - 1].year - dates[row].year > 10:
            problem += ", which may be a wrong year"
    raise InputError(where, problem, date=dates[row], count=count, fix=f"{argument}.sort_index()")


def _check_midnight(dates: pd.DatetimeIndex, where: str, argument: str) -> None:
    days = dates.normalize()
    twice = np.flatnonzero(days.duplicated())
    if len(twice):
        row = int(twice[0])
        raise InputError(
            where,
            f"two rows of one day, {dates[row - 1]} and {dates[row]}",
            date=days[row],
            count=len(twice),
            fix=f"say which counts, e.g. {argument}.groupby({argument}.index.normalize()).last()",
        )
    timed = np.flatnonzero(dates != days)
    if len(timed):
        raise InputError(
            where,
            f"time of day {dates[timed[0]].time()}; rows are days or longer",
            date=days[timed[0]],
            count=len(timed),
            fix=f"{argument}.index.normalize()",
        )


def _check_names(columns: pd.Index) -> tuple[str, ...]:
    where = "prices.columns"
    seen: dict[str, str] = {}
    for name in columns:
        if not isinstance(name, str):
            problem = f"{_short(name)} is a name of type {type(name).__name__}"
            raise InputError(where, problem, fix="name the assets with text: prices.columns = [...]")
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


def _check_recoveries(delisted: Mapping[str, float], assets: tuple[str, ...]) -> dict[int, float]:
    """Return what the holders of each delisted asset got, by column, as a fraction of its last price."""
    if not isinstance(delisted, Mapping):
        problem = f"expected a mapping of asset to recovery, got {type(delisted).__name__}"
        raise InputError("delisted", problem, fix=f"write it as {{{assets[0]!r}: 0.4}}")
    columns = {asset: column for column, asset in enumerate(assets)} if delisted else {}
    recoveries = {}
    for asset, recovery in delisted.items():
        if asset not in columns:
            near = difflib.get_close_matches(str(asset), assets, 1)
            fix = f"did you mean {near[0]!r}?" if near else f"the assets are {', '.join(assets)}"
            raise InputError("delisted", f"names {asset!r}, which is no column of prices", fix=fix)
        is_number = isinstance(recovery, int | float | np.integer | np.floating) and not isinstance(
            recovery, bool
        )
        if not is_number or not 0.0 <= recovery <= 1.0:
            fix = "give what its holders got as a fraction of the last price, from 0 to 1"
            raise InputError("delisted", f"a recovery of {_short(recovery)}", asset=asset, fix=fix)
        recoveries[columns[asset]] = float(recovery)
    return recoveries


def as_levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return prices in the memory order of :class:`PricePanel`, a copy only where they have another."""
    return np.asarray(values, order=_order(values.shape[1]))


def _order(n_assets: int) -> Literal["C", "F"]:
    return "C" if n_assets >= _MANY_ASSETS else "F"


def _column_types(prices: pd.DataFrame) -> list[Any]:
    """Return the type of each column; the commonest answer, one block of float64, is found without pandas."""
    n_assets = prices.shape[1]
    if n_assets < _MANY_ASSETS:  # a table of many parts would be put together twice
        values = prices.to_numpy()
        # What is twice the same memory is the table's own, not converted from another type.
        if values.dtype == _FLOAT and np.may_share_memory(values, prices.to_numpy()):
            return [_FLOAT] * n_assets
    return list(prices.dtypes)


def _float_table(
    prices: pd.DataFrame, kinds: list[Any], index: pd.DatetimeIndex, assets: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return a copy of the prices with NaN where none is given, shape (n_periods, n_assets)."""
    levels = np.empty(prices.shape, order=_order(len(assets)))
    if set(kinds) != {_FLOAT}:
        for j, asset in enumerate(assets):
            levels[:, j] = float_column(prices.iloc[:, j], "prices", index, asset)
        return levels
    # In groups of columns, so that neither a table of many parts nor a transposition needs a second copy.
    for first in range(0, len(assets), _MANY_ASSETS):
        group = slice(first, first + _MANY_ASSETS)
        part = prices if len(assets) <= _MANY_ASSETS else prices.iloc[:, group]
        levels[:, group] = part.to_numpy()
    return levels


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
        fix = "drop the column, or give prices"
        raise InputError(argument, "true and false are not numbers", asset=asset, date=index[0], fix=fix)
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        fix = "drop the column, or give prices"
        raise InputError(argument, f"{kind} is not a number", asset=asset, date=index[0], fix=fix)
    if pd.api.types.is_float_dtype(kind):
        with np.errstate(over="ignore"):  # an extended double beyond float64 is infinite, and refused as that
            return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if isinstance(kind, np.dtype) and kind.kind in "iu" and _are_exact(column.to_numpy()):
        return np.array(column.to_numpy(dtype=np.float64))
    values = np.empty(len(column))
    for row, cell in enumerate(column):
        try:
            values[row] = _to_float(cell)
        except InputError as error:
            count = 1 + sum(not _is_number(other) for other in column.iloc[row + 1 :])
            raise InputError(
                argument, error.problem, asset=asset, date=index[row], count=count, fix=error.fix
            ) from None
    return values


def _is_number(cell: Any) -> bool:
    """Return whether a cell becomes a float."""
    try:
        _to_float(cell)
    except InputError:
        return False
    return True


def _are_exact(integers: NDArray[Any]) -> bool:
    """Return whether no integer would be rounded as a float."""
    return bool(integers.min(initial=0) >= -_EXACT_INTEGERS and integers.max(initial=0) <= _EXACT_INTEGERS)


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


def _all_are_prices(levels: NDArray[np.float64]) -> bool:
    """Return whether there is a price in every cell."""
    return bool(levels.min() >= _SMALLEST and levels.max() <= _LARGEST)  # false for NaN


def _all_in_range(levels: NDArray[np.float64]) -> bool:
    """Return whether every price that is there is one."""
    lowest, highest = np.fmin.reduce(levels, axis=None), np.fmax.reduce(levels, axis=None)
    return bool(lowest >= _SMALLEST and highest <= _LARGEST)


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
    """Return the refusal of the earliest bad cell, with the number of all."""
    row = int(np.argmax(bad.any(axis=1)))
    column = int(np.argmax(bad[row]))
    text, count = problem.format(float(levels[row, column])), int(np.count_nonzero(bad))
    return InputError("prices", text, asset=assets[column], date=index[row], count=count, fix=fix)


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


def _listings(
    levels: NDArray[np.float64],
    index: pd.DatetimeIndex,
    assets: tuple[str, ...],
    recoveries: Mapping[int, float],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each asset and the first after its last; refuse what is no price or a hole."""
    listed_from = np.zeros(len(assets), dtype=np.int64)
    listed_until: NDArray[np.int64] = np.full(len(assets), len(index), dtype=np.int64)
    if not recoveries and _all_are_prices(levels):
        return listed_from, listed_until
    if not _all_in_range(levels):
        _check_values(levels, index, assets)
    missing = np.isnan(levels)
    listed_from = np.asarray(np.argmin(missing, axis=0), dtype=np.int64)
    for j in recoveries:
        listed_until[j] -= int(np.argmin(missing[::-1, j]))
    if not _are_outside(missing, listed_from, listed_until, recoveries):
        _check_missing(missing, listed_from, listed_until, index, assets, recoveries)
    return listed_from, listed_until


def _are_outside(
    missing: NDArray[np.bool_],
    listed_from: NDArray[np.int64],
    listed_until: NDArray[np.int64],
    recoveries: Mapping[int, float],
) -> bool:
    """Return whether all that is missing lies before a listing or after a delisting, and no row is empty."""
    n_rows = len(missing)
    n_outside = int(listed_from.sum() + (n_rows - listed_until).sum())
    always = ((listed_from == 0) & (listed_until == n_rows)).any()
    end = all(listed_until[j] < n_rows for j in recoveries)
    return bool(always) and end and np.count_nonzero(missing) == n_outside


def _check_missing(
    missing: NDArray[np.bool_],
    listed_from: NDArray[np.int64],
    listed_until: NDArray[np.int64],
    index: pd.DatetimeIndex,
    assets: tuple[str, ...],
    recoveries: Mapping[int, float],
) -> None:
    never = missing.all(axis=0)
    if never.any():
        asset = assets[int(np.argmax(never))]
        raise InputError(
            "prices",
            "no price at all",
            asset=asset,
            date=index[0],
            count=int(np.count_nonzero(never)),
            fix="drop the column",
        )
    _refuse_empty_rows(missing, listed_from, listed_until, index)
    for j, asset in enumerate(assets):
        _check_tail_and_holes(missing[:, j], int(listed_from[j]), index, asset, j in recoveries)


def _refuse_empty_rows(
    missing: NDArray[np.bool_],
    listed_from: NDArray[np.int64],
    listed_until: NDArray[np.int64],
    index: pd.DatetimeIndex,
) -> None:
    """Refuse rows without any price, except where an asset was delisted and no other is in its history."""
    empty = np.flatnonzero(missing.all(axis=1))
    in_history = (listed_from <= empty[:, None]) & (empty[:, None] < listed_until)
    empty = empty[in_history.any(axis=1) | (empty < listed_until.min())]
    if len(empty):
        raise InputError(
            "prices",
            "no asset has a price",
            date=index[empty[0]],
            count=len(empty),
            fix="prices.dropna(how='all') if these are holidays",
        )


def _check_tail_and_holes(
    missing: NDArray[np.bool_], first: int, index: pd.DatetimeIndex, asset: str, is_delisted: bool
) -> None:
    last = len(missing) - 1 - int(np.argmin(missing[::-1]))
    holes = np.flatnonzero(missing[first : last + 1]) + first
    if len(holes):
        length = int(np.argmin(missing[holes[0] :]))
        raise InputError(
            "prices",
            f"no price, a hole of {length} row{'s' if length > 1 else ''}",
            asset=asset,
            date=index[holes[0]],
            count=len(holes),
            fix="get the prices, or let al.align_prices(prices, align=...) keep the rows that all have "
            "('intersection') or hold the last price over at most max_gap rows ('union_hold')",
        )
    if last < len(missing) - 1 and not is_delisted:
        raise InputError(
            "prices",
            f"no price after {iso_date(index[last])}",
            asset=asset,
            date=index[last + 1],
            count=len(missing) - 1 - last,
            fix="say what its holders got, as a fraction of the last price: "
            f"Market(..., delisted={{{asset!r}: 0.4}}), "
            f"or cut the table there: prices.loc[:'{iso_date(index[last])}'], or drop the asset",
        )
    if last == len(missing) - 1 and is_delisted:
        problem = f"has prices up to the last row, {iso_date(index[last])}"
        raise InputError("delisted", problem, asset=asset, fix="leave it out, or end its prices with NaN")


def _notes(kinds: list[Any], assets: tuple[str, ...]) -> tuple[str, ...]:
    if set(kinds) == {_FLOAT}:
        return ()
    plain = [getattr(kind, "numpy_dtype", kind) for kind in kinds]
    coarse = {"float16": (np.float16, "1e-3"), "float32": (np.float32, "1e-7")}
    notes = []
    for name, (coarse_kind, digits) in coarse.items():
        named = [asset for asset, kind in zip(assets, plain, strict=True) if kind == coarse_kind]
        if named:
            notes.append(f"{name} prices, resolved to {digits} at best: {', '.join(named)}")
    return tuple(notes)
