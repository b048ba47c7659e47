"""The door of this package: returns of any accepted type in, a validated array and its labels out.

Everything behind it works on ``matrix``, float64 of shape (n_periods, n_series), without NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, UndefinedStatisticWarning, iso_date, message
from allocator.frequency import Frequency, infer_frequency, years_between
from allocator.statistics._settings import is_number

FloatArray: TypeAlias = NDArray[np.float64]
# One number a series, labelled as the input was: float for one series, pd.Series by column for a
# DataFrame, array for a 2-D array. A union would make every caller narrow what it already knows.
Labelled: TypeAlias = Any

_DAYS_PER_YEAR = 365.25
_NAMES_IN_A_WARNING = 3
_MOST_TYPICAL_DAY = 0.2
_ROWS_TURNED_AT_ONCE = 128  # that many stay in the cache, which makes it three times as fast as all at once


@dataclass(frozen=True)
class ReturnTable:
    """Validated returns and what is needed to label results.

    Parameters
    ----------
    matrix
        Simple returns as fractions, shape (n_periods, n_series), read-only.
    columns
        Names of the series; numbers for arrays.
    dates
        Sorted unique dates, or None for arrays.
    is_single
        Whether one series came in as a Series or a 1-D array.
    is_array
        Whether an array came in, so that arrays go out.
    argument
        What the caller calls these returns, for messages.
    """

    matrix: FloatArray
    columns: pd.Index
    dates: pd.DatetimeIndex | None
    is_single: bool
    is_array: bool
    argument: str = "returns"

    @cached_property
    def frequency(self) -> Frequency | None:
        """The spacing of the dates; None for arrays and for a single date, which have none."""
        if self.dates is None or len(self.dates) < 2:
            return None
        return infer_frequency(self.dates, self.argument)

    @property
    def n_periods(self) -> int:
        """Number of rows."""
        return len(self.matrix)

    def date(self, row: int) -> Any:
        """Return the date of a row, or ``row 7`` where there are no dates."""
        return f"row {row}" if self.dates is None else self.dates[row]

    def label(self, numbers: FloatArray) -> Labelled:
        """Label one number a series, shape (n_series,), as the input was labelled."""
        if self.is_single:
            return float(numbers[0])
        return numbers if self.is_array else pd.Series(numbers, index=self.columns)

    def label_rows(self, path: FloatArray) -> Any:
        """Label one number a period and series, shape (n_periods, n_series), as the input was labelled."""
        if self.is_array:
            return path[:, 0] if self.is_single else path
        if self.is_single:
            return pd.Series(path[:, 0], index=self.dates, name=self.columns[0])
        return pd.DataFrame(path, index=self.dates, columns=self.columns)

    def as_frame(self) -> ReturnTable:
        """Return the same returns as if they had come as a DataFrame: results are Series by column."""
        return ReturnTable(self.matrix, self.columns, self.dates, False, False, self.argument)

    def column(self, number: int) -> ReturnTable:
        """Return one series of the table, by its position."""
        values, name = self.matrix[:, number : number + 1], self.columns[number : number + 1]
        return ReturnTable(values, name, self.dates, True, self.is_array, self.argument)


Returns: TypeAlias = "pd.Series | pd.DataFrame | NDArray[Any] | ReturnTable"


def read_returns(returns: Returns, argument: str = "returns") -> ReturnTable:
    """Validate simple returns, once: a table that was read before is taken as it is.

    Parameters
    ----------
    returns
        Series or DataFrame with sorted dates, or an array of shape (n_periods,) or
        (n_periods, n_series); fractions.
    argument
        The caller's name for them.

    Raises
    ------
    InputError
        Empty, non-numeric, undated, unsorted, NaN, infinite, below -1, or prices.
    """
    if isinstance(returns, ReturnTable):
        return returns
    return _validated(_unpacked(returns, argument))


def _validated(table: ReturnTable) -> ReturnTable:
    _refuse_unknown(table)
    _refuse_no_returns(table)
    table.matrix.flags.writeable = False
    return table


def read_late_returns(returns: pd.DataFrame) -> tuple[ReturnTable, NDArray[np.int64]]:
    """Validate simple returns of which some series begin late, and return the first row of each.

    Leading NaN means not listed yet; the table repeats the first return there, which nothing may use.
    """
    table = _unpacked(returns, "returns")
    _refuse_unnamed(table)
    known = ~np.isnan(table.matrix)
    first = known.argmax(axis=0)
    empty = np.flatnonzero(~known.any(axis=0))
    if len(empty):
        raise InputError("returns", "no return at all", asset=table.columns[empty[0]], fix="leave it out")
    for column in np.flatnonzero(first):
        table.matrix[: first[column], column] = table.matrix[first[column], column]
    return _validated(table), first


def read_numbers(series: Returns, argument: str) -> FloatArray:
    """Validate one series of any finite numbers, returns or not, and return it, shape (n_periods,)."""
    table = series if isinstance(series, ReturnTable) else _unpacked(series, argument)
    _refuse_unknown(table)
    return _refuse_many(table).matrix[:, 0]


def read_one_series(returns: Returns, argument: str = "returns") -> ReturnTable:
    """Validate the returns of exactly one series."""
    return _refuse_many(read_returns(returns, argument))


def periods_in_year(table: ReturnTable, periods_per_year: float | None) -> float:
    """Return the periods a year: inferred from dates, and checked against what the caller says (F133)."""
    if periods_per_year is not None and not (is_number(periods_per_year) and 0 < periods_per_year < np.inf):
        raise InputError("periods_per_year", f"{periods_per_year!r} is not a positive number")
    if table.frequency is None:
        return _stated_periods(table, periods_per_year)
    if periods_per_year is None:
        return float(table.frequency.periods_per_year)
    _refuse_contradiction(periods_per_year, table.frequency, table.argument)
    return float(periods_per_year)


def period_years(
    table: ReturnTable, periods_per_year: float | None, start: pd.Timestamp | str | None = None
) -> FloatArray:
    """Return the length of each period in years, shape (n_periods,).

    Calendar time for dated days and weeks (365.25 days a year), nominal otherwise. The first period
    runs from ``start``, the date of the close before the first return; without it, it has its
    nominal length.
    """
    nominal = 1.0 / periods_in_year(table, periods_per_year)
    began = read_start(table, start)
    if table.dates is None or table.frequency is None or table.frequency.is_calendar:
        return np.full(table.n_periods, nominal)
    first = nominal if began is None else (table.dates[0] - began).days / _DAYS_PER_YEAR
    return np.concatenate([[first], years_between(table.dates, table.frequency)])


def read_start(table: ReturnTable, start: pd.Timestamp | str | None) -> pd.Timestamp | None:
    """Validate the date of the initial wealth: it stands before the first return."""
    if start is None:
        return None
    if table.dates is None:
        raise InputError("start", "the returns are an array, which has no dates", fix="leave it out")
    began = pd.Timestamp(start)
    if not began < table.dates[0]:
        raise InputError(
            "start",
            f"{iso_date(began)} is not before the first return",
            date=table.dates[0],
            fix="pass the date of the close before it",
        )
    return began


def warn_undefined(statistic: str, table: ReturnTable, undefined: NDArray[np.bool_], reason: str) -> None:
    """Warn that a statistic is NaN where ``undefined``, shape (n_series,), naming the series and why."""
    if not undefined.any():
        return
    names = [repr(name) for name in table.columns[undefined]]
    shown = ", ".join(names[:_NAMES_IN_A_WARNING])
    more = f" and {len(names) - _NAMES_IN_A_WARNING} more" if len(names) > _NAMES_IN_A_WARNING else ""
    warnings.warn(f"{statistic} of {shown}{more} is NaN: {reason}", UndefinedStatisticWarning, stacklevel=3)


def _unpacked(returns: pd.Series | pd.DataFrame | NDArray[Any], argument: str) -> ReturnTable:
    if isinstance(returns, pd.DataFrame):
        dates = read_dates(returns.index, argument)
        return ReturnTable(_read_frame(returns, argument), returns.columns, dates, False, False, argument)
    if isinstance(returns, pd.Series):
        dates = read_dates(returns.index, argument)
        columns = _columns_of(argument if returns.name is None else returns.name)
        _refuse_kind(returns.dtype, columns[0], argument)
        values = np.array(returns.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
        return ReturnTable(values[:, np.newaxis], columns, dates, True, False, argument)
    if isinstance(returns, np.ndarray) and returns.ndim in (1, 2):
        values = _read_array(returns, argument)
        return ReturnTable(values, pd.RangeIndex(values.shape[1]), None, returns.ndim == 1, True, argument)
    shape = f" of shape {returns.shape}" if isinstance(returns, np.ndarray) else ""
    raise InputError(
        argument,
        f"expected a Series, a DataFrame or a 1-D or 2-D array, got {type(returns).__name__}{shape}",
    )


def read_dates(index: pd.Index, argument: str) -> pd.DatetimeIndex:
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            f"{argument}.index",
            f"{type(index).__name__}, expected dates",
            fix="parse them with pd.to_datetime, or pass .to_numpy() with periods_per_year",
        )
    if index.hasnans:
        raise InputError(f"{argument}.index", f"no date in row {int(np.argmax(index.isna()))}")
    if not index.is_unique:
        repeated = index[index.duplicated()]
        fix = "keep one row a date"
        raise InputError(argument, "duplicate date", date=repeated[0], count=len(repeated), fix=fix)
    if not index.is_monotonic_increasing:
        inverted = index[1:] < index[:-1]
        row = int(np.argmax(inverted))
        raise InputError(
            argument,
            f"comes after {iso_date(index[row])}",
            date=index[row + 1],
            count=int(inverted.sum()),
            fix=f"sort it: {argument}.sort_index()",
        )
    return index


def _read_frame(frame: pd.DataFrame, argument: str) -> FloatArray:
    for name, kind in zip(frame.columns, frame.dtypes, strict=True):
        _refuse_kind(kind, name, argument)
    return _by_columns(frame.to_numpy(dtype=np.float64, na_value=np.nan))


def _refuse_kind(kind: Any, name: Any, argument: str) -> None:
    is_real = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
    if not is_real or pd.api.types.is_bool_dtype(kind):
        raise InputError(argument, f"{kind} is not numeric", asset=name, fix="convert it with .astype(float)")


@lru_cache(maxsize=128, typed=True)
def _columns_of(name: Hashable) -> pd.Index:
    """Return the columns of one series: making an Index takes as long as checking the returns."""
    return pd.Index([name])


def _by_columns(values: NDArray[Any]) -> FloatArray:
    """Return a copy with its columns contiguous, so that each gives the number of the series to the bit."""
    if values.flags.f_contiguous:
        return np.array(values, dtype=np.float64, order="F")
    columns = np.empty(values.shape[::-1])
    for first in range(0, len(values), _ROWS_TURNED_AT_ONCE):
        last = first + _ROWS_TURNED_AT_ONCE
        columns[:, first:last] = values[first:last].T
    return columns.T


def _read_array(array: NDArray[Any], argument: str) -> FloatArray:
    if array.dtype.kind not in "fiu":
        raise InputError(
            argument, f"an array of {array.dtype} is not numeric", fix="convert it with .astype(float)"
        )
    return _by_columns(array[:, np.newaxis] if array.ndim == 1 else array)


def _refuse_many(table: ReturnTable) -> ReturnTable:
    if table.matrix.shape[1] == 1:
        return table
    raise InputError(
        table.argument,
        f"{table.matrix.shape[1]} series, expected one",
        fix=f"pass one column, e.g. {table.argument}['name']",
    )


def _refuse_unnamed(table: ReturnTable) -> None:
    if not table.matrix.size:
        fix = "check the file, or the dates that they were cut to"
        raise InputError(table.argument, f"empty, shape {table.matrix.shape}", fix=fix)
    if not table.columns.is_unique:
        name = table.columns[table.columns.duplicated()][0]
        raise InputError(table.argument, "duplicate column", asset=name, fix="rename one of them")


def _refuse_unknown(table: ReturnTable) -> None:
    _refuse_unnamed(table)
    if not np.isfinite(table.matrix).all():
        missing = np.isnan(table.matrix)
        fix = f"{table.argument}.dropna(), or fill it"
        _refuse_where(missing, table, "NaN", fix)
        _refuse_where(np.isinf(table.matrix), table, "infinite", "look for a zero price")


def _refuse_no_returns(table: ReturnTable) -> None:
    lowest = table.matrix.min(axis=0)
    if (lowest < -1).any():
        problem = "{:.6g} is below -1: more than everything is lost"
        fix = "returns are simple and fractions: divide percent by 100"
        _refuse_where(table.matrix < -1, table, problem, fix)
    if (lowest > 0).any():
        problem = "{:.6g} begins a series of positive numbers with a median above 1: prices, not returns"
        prices = (lowest > 0) & (np.median(table.matrix, axis=0) > 1)
        fix = "pass prices.pct_change().iloc[1:]"
        _refuse_where(prices[np.newaxis], table, problem, fix)
    _warn_of_percent_a_day(table)


def _warn_of_percent_a_day(table: ReturnTable) -> None:
    """Warn of days that typically move by a fifth: no asset does, and percent below -1 is refused before."""
    if not (table.matrix.max(axis=0) > _MOST_TYPICAL_DAY).any():
        return  # as for nearly all returns; medians and spacings take longer
    typical = np.median(np.abs(table.matrix), axis=0) > _MOST_TYPICAL_DAY
    if typical.any() and _is_daily(table):
        column = int(np.argmax(typical))
        text = message(
            table.argument,
            f"typically move by more than {_MOST_TYPICAL_DAY:.0%} a day",
            asset=None if table.is_single else table.columns[column],
            date=table.date(0),
            count=int(typical.sum()),
            fix="returns are fractions: divide percent by 100",
        )
        warnings.warn(text, UserWarning, stacklevel=5)


def _is_daily(table: ReturnTable) -> bool:
    try:
        return table.frequency is not None and table.frequency.name == "daily"
    except InputError:  # dates of no one spacing, which many statistics do not ask for
        return False


def _refuse_where(bad: NDArray[np.bool_], table: ReturnTable, problem: str, fix: str) -> None:
    """Refuse the first number of a series at fault (one row), or the first of the numbers at fault."""
    if bad.any():
        row, column = divmod(int(np.argmax(bad)), bad.shape[1])
        asset = None if table.is_single else table.columns[column]
        problem = problem.format(table.matrix[row, column])
        count = int(bad.sum()) if len(bad) > 1 else None
        raise InputError(table.argument, problem, asset=asset, date=table.date(row), count=count, fix=fix)


def _stated_periods(table: ReturnTable, periods_per_year: float | None) -> float:
    if periods_per_year is None:
        what = "an array has" if table.dates is None else "one date has"
        raise InputError("periods_per_year", f"{what} no frequency", fix="pass 252, 52, 12, 4 or 1")
    return float(periods_per_year)


def _refuse_contradiction(periods_per_year: float, frequency: Frequency, argument: str) -> None:
    # 250, 260 or 261 days a year are conventions for the same dates; 13 months a year are not.
    slack = 0.0 if frequency.is_calendar else 0.1
    if abs(periods_per_year / frequency.periods_per_year - 1) > slack:
        raise InputError(
            "periods_per_year",
            f"{periods_per_year:g} contradicts the dates of {argument}, which are {frequency}",
            fix="leave it out",
        )
