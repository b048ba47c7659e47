"""Frames of other libraries than pandas: the door through narwhals (extra ``[polars]``)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.untrusted import reason

__all__ = ["OtherFrame", "as_pandas", "is_other_frame", "read_frame"]

_MARKS = ("__narwhals_dataframe__", "__narwhals_lazyframe__", "__arrow_c_stream__", "collect_schema")


class OtherFrame(Protocol):
    """A table of another library, as type checkers know it: Polars, PyArrow and others offer this."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Return the table as a stream of Arrow batches."""


def is_other_frame(table: object) -> bool:
    """Return whether this may be a table of another library; nothing is imported to find out."""
    kind = type(table)
    is_column = kind.__name__ in {"Series", "ChunkedArray", "Expr"}
    return (
        not isinstance(table, pd.DataFrame | pd.Series)
        and not is_column
        and any(hasattr(kind, mark) for mark in _MARKS)
    )


def read_frame(frame: OtherFrame, dates: str | None = None) -> pd.DataFrame:
    """Return a table of Polars, or of any library that narwhals knows, with its dates as index, as pandas.

    :class:`Market` does this by itself. It is of use where a column of the table is wanted on its own::

        table = al.read_frame(polars_frame)
        market = al.Market(table[["SPY", "IEF"]], table["BIL"].pct_change().dropna())

    Parameters
    ----------
    frame
        A table in memory with one column of dates and otherwise numbers; no lazy one.
    dates
        The column of the dates; None: the only one that holds dates.

    Returns
    -------
    pd.DataFrame
        Floats, NaN for null; rows in the table's order, columns but for the dates too.

    Raises
    ------
    InputError
        narwhals is missing; a lazy table; no column of dates or several; dates as text or in a time zone; a
        column that holds no numbers, an integer beyond 2**53.
    """
    return as_pandas(frame, "frame", dates)


def as_pandas(frame: Any, argument: str, dates: str | None = None) -> pd.DataFrame:
    """Return a table as :func:`read_frame` does, refusing it under the name of an argument."""
    if isinstance(frame, pd.DataFrame | pd.Series):
        raise InputError(argument, "is pandas already", fix="set_index('date') makes dates the index")
    table = _eager(frame, argument)
    try:
        return _converted(table, argument, dates)
    except InputError:
        raise
    except Exception as error:  # what the table's library raises when it is asked for its parts
        problem = f"is no table that can be read ({reason(error)})"
        raise InputError(argument, problem, fix="pass a Polars or pandas DataFrame") from error


def _converted(table: Any, argument: str, dates: str | None) -> pd.DataFrame:
    """Return a table of narwhals as pandas."""
    column = _dates_column(table, argument, dates)
    index = pd.DatetimeIndex(_days(table, argument, column))
    values = {name: _floats(table, argument, name) for name in table.columns if name != column}
    if not values:
        fix = "add a column of prices for each asset"
        raise InputError(argument, f"has no column beside {column!r}", fix=fix)
    return pd.DataFrame(values, index=index.rename(column))


def _eager(frame: Any, argument: str) -> Any:
    """Return the table as narwhals has it."""
    try:
        import narwhals.stable.v1 as nw
    except ImportError:
        fix = "pip install 'allocator-backtest[polars]', or pass a pandas DataFrame"
        problem = f"a table of {type(frame).__module__.partition('.')[0]} needs narwhals"
        raise InputError(argument, problem, fix=fix) from None
    try:
        table = nw.from_native(frame)
    except TypeError:
        problem = f"expected a table that narwhals knows, got {type(frame).__name__}"
        raise InputError(argument, problem, fix="pass a Polars or pandas DataFrame") from None
    except Exception as error:  # what the table's library raises when it is asked for its parts
        problem = f"is no table that narwhals can take ({reason(error)})"
        raise InputError(argument, problem, fix="pass a Polars or pandas DataFrame") from error
    if isinstance(table, nw.LazyFrame):
        raise InputError(argument, "a lazy table", fix="frame.collect() reads it")
    if not isinstance(table, nw.DataFrame):
        raise InputError(argument, f"expected a table, got {type(frame).__name__}")
    return table


def _dates_column(table: Any, argument: str, wanted: str | None) -> str:
    """Return the name of the column of dates, which must be plain."""
    kinds = {name: str(kind) for name, kind in table.schema.items()}
    dated = [name for name, kind in kinds.items() if kind.startswith("Date")]
    if wanted is not None and wanted not in kinds:
        raise InputError(argument, f"there is no column {wanted!r}", fix=f"it has {', '.join(kinds)}"[:200])
    if wanted is None and len(dated) != 1:
        found = f"{len(dated)} columns hold dates" + (f": {', '.join(dated)}" if dated else "")
        fix = "al.read_frame(frame, dates=...)" if dated else "parse them: str.to_date('%Y-%m-%d')"
        raise InputError(argument, found, fix=fix)
    name = dated[0] if wanted is None else wanted
    if name not in dated:
        fix = "parse them: str.to_date('%Y-%m-%d')"
        raise InputError(argument, f"is of type {kinds[name]}, not dates", asset=name, fix=fix)
    if "time_zone='" in kinds[name]:
        fix = "pass session dates of the exchange without a zone"
        raise InputError(argument, f"is of type {kinds[name]}", asset=name, fix=fix)
    return name


def _days(table: Any, argument: str, column: str) -> Any:
    values = table[column]
    if values.null_count():
        row = int(np.argmax(values.is_null().to_numpy()))
        raise InputError(argument, f"row {row} has no date", asset=column, fix="drop or date that row")
    dates = np.asarray(values.to_numpy())
    days = dates.astype("datetime64[D]")  # microseconds turn round far from now
    is_date = (days >= np.datetime64("0001-01-01")) & (days <= np.datetime64("9999-12-31"))
    if not is_date.all():
        problem = f"row {int(np.argmin(is_date))} has no date between the years 1 and 9999"
        raise InputError(argument, problem, asset=column, fix="drop or date that row")
    return dates.astype("datetime64[us]")


def _floats(table: Any, argument: str, name: str) -> Any:
    """Return a column as floats, NaN for null; no integer is rounded."""
    values = table[name]
    if not values.dtype.is_numeric():
        fix = "drop the column, or write it as numbers"
        raise InputError(argument, f"is of type {values.dtype}, not a number", asset=name, fix=fix)
    numbers = values.to_list()
    if values.dtype.is_integer() and any(value is not None and abs(value) > 2**53 for value in numbers):
        fix = "rescale the column or write it as float"
        raise InputError(argument, "has an integer beyond 2**53", asset=name, fix=fix)
    return np.array([np.nan if value is None else float(value) for value in numbers])
