"""CSV and Parquet in, strictly: what a file does not plainly say is refused, never guessed.

Nothing is decompressed, unpickled, sorted, filled or renamed here. The prices themselves are judged by
:mod:`allocator.market.prices`; this module answers for the file: its bytes, rows, dates and numbers.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market.parquet_sizes import Footer, check_pages, read_footer
from allocator.untrusted import local_path, read_bytes, reason

__all__ = ["read_prices"]

_TEXT, _PARQUET = (".csv", ".txt"), (".parquet", ".pq")
_MISSING = frozenset({"", "NA", "N/A", "n/a", "nan", "NaN", ".", "-", "null"})
_NUMERIC = frozenset("0123456789+-.eE")  # float() also takes 'infinity', '1_000' and digits of other scripts
_MOST_BYTES = 2**28  # a century of days for 800 assets; text takes ten times its size in memory
_MOST_CELLS = 10**8
_MOST_TEXTS = 25 * 10**6  # cells of a text file, each an object of Python until it is a number
_MOST_COLUMNS = 100_000
_LONGEST_NAME = 1_000
_FORMATS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%Y-%m", "%Y", "%Y-%m-%d %H:%M:%S"),
)
_YEARS = ("%Y", "%y", "%G", "%c", "%x")
_EXTENSION = b"ARROW:extension:name"
_NO_INDEX = "__index_level_0__"  # what pandas calls an index without a name in Parquet


def read_prices(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, *, date_format: str = "%Y-%m-%d"
) -> pd.DataFrame:
    """Read a table of prices from a CSV or Parquet file.

    Parameters
    ----------
    path
        A ``.csv`` or ``.txt`` file (UTF-8, commas, decimal points, a header), ``.parquet`` or ``.pq``.
    columns
        The assets to keep, in this order; None keeps every column, each of which must then be numeric.
    date_format
        How a text file writes its dates, as in :meth:`datetime.datetime.strptime`.

    Returns
    -------
    pandas.DataFrame
        Columns of floats, NaN where the file has a missing mark; dates as index, in the file's order. The
        dates are the column called ``date`` in any case, else the first one (Parquet: else the one that
        holds dates).

    Raises
    ------
    InputError
        For every fault: names the file, and the line, column and raw text where they are known.
    """
    file = local_path(path, "data")
    _check_request(columns, date_format)
    _check_suffix(file)
    content = read_bytes(file, "data", _MOST_BYTES)
    if file.suffix.lower() in _PARQUET:
        return _read_parquet(file, content, columns)
    return _read_csv(file, content, columns, date_format)


def _fault(
    file: Path, problem: str, *, line: int | None = None, asset: str | None = None, fix: str
) -> InputError:
    where = f"{str(file)!r}" + (f", line {line}" if line is not None else "")
    return InputError("data", f"{where}: {problem}", asset=asset, fix=fix)


def _check_suffix(file: Path) -> None:
    suffix = file.suffix.lower()
    if suffix not in _TEXT + _PARQUET:
        fix = f"write it as one of {', '.join(_TEXT + _PARQUET)}"
        raise _fault(file, f"the suffix {suffix!r} is not one that is read", fix=fix)


def _is_date_format(date_format: Any) -> bool:
    # Asked before it is tried: Python from 3.13 on warns of a format without a year.
    if (
        not isinstance(date_format, str)
        or not any(year in date_format for year in _YEARS)
        or "%z" in date_format
    ):
        return False
    sample = dt.datetime(2020, 11, 25)
    try:
        return dt.datetime.strptime(sample.strftime(date_format), date_format).year == sample.year
    except (ValueError, re.error):
        return False


def _check_request(columns: Any, date_format: Any) -> None:
    if columns is not None:
        names = [columns] if isinstance(columns, str) or not isinstance(columns, Sequence) else list(columns)
        if names == [columns] or not all(isinstance(name, str) for name in names):
            raise InputError("columns", f"{columns!r} is no list of names", fix="write it as ['SPY', 'IEF']")
        if not names or len(set(names)) < len(names):
            problem = f"{columns!r} is empty or names a column twice"
            raise InputError("columns", problem, fix="name each column once, or leave it out for all")
    if not _is_date_format(date_format):
        problem = f"{date_format!r} is not a format of dates with a year and without a time zone"
        raise InputError("date_format", problem, fix="write it as in '%d.%m.%Y'")


# --- which columns ---


def _select(file: Path, names: Sequence[str], date: int, columns: Sequence[str] | None) -> list[int]:
    """Return the positions of the wanted columns, refusing a header that names one twice or not at all."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise _fault(file, f"the header has {twice[0]!r} twice", asset=twice[0], fix="rename or drop one")
    assets = {name: j for j, name in enumerate(names) if j != date}
    if not assets:
        raise _fault(file, "has no column beside the dates", fix="add a column of prices for each asset")
    for name in assets if columns is None else columns:
        if name not in assets:
            raise _no_such_column(file, name, list(assets))
        _check_name(file, name, assets[name] + 1)
    return [assets[name] for name in (assets if columns is None else columns)]


def _check_name(file: Path, name: str, number: int) -> None:
    if not name.strip():
        fix = "name it, or say which columns to keep"
        raise _fault(file, f"column {number} has no name", fix=fix)
    if len(name) > _LONGEST_NAME:
        problem = f"column {number} has a name of {len(name):,} characters, more than {_LONGEST_NAME:,}"
        raise _fault(file, problem, fix="give it a shorter one")


def _no_such_column(file: Path, name: str, assets: Sequence[str]) -> InputError:
    by_key = {asset.strip().casefold(): asset for asset in assets[:1000]}
    close = difflib.get_close_matches(name.strip().casefold(), by_key, n=1)
    fix = f"did you mean {by_key[close[0]]!r}? " if close else ""
    listed = ", ".join(map(repr, assets[:50])) + (" …" if len(assets) > 50 else "")
    return _fault(file, f"there is no column {name!r}", asset=name, fix=f"{fix}It has {listed}")


def _called_date(file: Path, names: Sequence[str]) -> int | None:
    """Return the position of the column called 'date' in any case, None without one."""
    found = [j for j, name in enumerate(names) if name.strip().casefold() == "date"]
    if len(found) > 1:
        both = " and ".join(repr(names[j]) for j in found[:2])
        raise _fault(file, f"{both} both claim to be the dates", fix="rename or drop one")
    return found[0] if found else None


# --- text ---


def _read_csv(file: Path, content: bytes, columns: Sequence[str] | None, date_format: str) -> pd.DataFrame:
    _check_size(file, content)
    rows = _rows(file, _text(file, content))
    header = next(rows, [])
    _check_header(file, header)
    date = _called_date(file, header) or 0
    wanted = _select(file, header, date, columns)
    picked = list(map(itemgetter(date, *wanted), rows))
    if not picked:
        raise _fault(file, "has a header and no rows", fix="check how it was written")
    texts = list(zip(*picked, strict=True))
    index = _dates(file, texts[0], date_format)
    values = [_numbers(file, header[j], cells, texts[0]) for j, cells in zip(wanted, texts[1:], strict=True)]
    return pd.DataFrame(
        np.column_stack(values),
        index=index.rename(header[date] or None),
        columns=[header[j] for j in wanted],
    )


def _check_size(file: Path, content: bytes) -> None:
    """Refuse more cells than fit in memory before they are made; a comma in quotes counts as two cells."""
    end = min((at for mark in (b"\n", b"\r") if (at := content.find(mark)) >= 0), default=len(content))
    fix = "keep only the columns and rows that are needed"
    n_columns = content.count(b",", 0, end) + 1
    if n_columns > _MOST_COLUMNS:
        problem = f"the header has {n_columns:,} cells, more than {_MOST_COLUMNS:,}"
        raise _fault(file, problem, line=1, fix=fix)
    n_cells = sum(map(content.count, (b",", b"\n", b"\r")))
    if n_cells > _MOST_TEXTS:
        problem = f"holds about {n_cells:,} cells, more than {_MOST_TEXTS:,}"
        raise _fault(file, problem, fix=f"{fix}, or write it as Parquet")


def _text(file: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}"
        raise _fault(file, problem, fix="save it as UTF-8 text (no compression, not UTF-16)") from None
    if "\0" in text:
        offset = content.index(b"\0")
        raise _fault(file, f"has a NUL byte at {offset}", fix="save it as UTF-8 text; UTF-16 looks like this")
    return text.removeprefix("\ufeff")


def _rows(file: Path, text: str) -> Iterator[list[str]]:
    """Yield the rows, one a line, each as wide as the first; blank lines only at the end."""
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
    width = 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _bad_line(file, line, reason(error)) from None
        if row is None:
            return
        width = width or len(row)
        if reader.line_num != line:
            raise _bad_line(file, line, "a quoted cell runs over the end of the line")
        if len(row) != width:
            raise _bad_line(file, line, f"{len(row)} cells, where the header has {width}")
        yield row


def _bad_line(file: Path, line: int, problem: str) -> InputError:
    fix = "correct it; a decimal comma, a thousands separator or an open quote does this"
    return _fault(file, problem, line=line, fix=fix)


def _check_header(file: Path, header: list[str]) -> None:
    if not header:
        raise _fault(file, "there is no header", line=1, fix="begin with a line of column names")
    other = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
    if other:
        fix = "export it with commas between the cells and decimal points"
        raise _fault(file, f"the cells are separated by {other!r}", line=1, fix=fix)


def _dates(file: Path, texts: Sequence[str], date_format: str) -> pd.DatetimeIndex:
    values = []
    for row, text in enumerate(texts):
        date = _date(text, date_format)
        if date is None:
            raise _no_date(file, texts, row, date_format)
        values.append(date)
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))


def _date(text: str, date_format: str) -> dt.datetime | None:
    if not text.isascii() and any(each.isdigit() and not each.isascii() for each in text):
        return None  # strptime takes the digits of every script
    try:
        if date_format == "%Y-%m-%d" and len(text) == 10 and text[4] == text[7] == "-":
            return dt.datetime.fromisoformat(text)  # the same answer thirty times faster
        return dt.datetime.strptime(text, date_format)
    except ValueError:
        return None


def _no_date(file: Path, texts: Sequence[str], row: int, date_format: str) -> InputError:
    """Return the refusal of a date, with the formats that would read all of them."""
    text = texts[row]
    problem = f"{_quoted(text)} is not a date written as {date_format!r}"
    if _date(text, "%d/%m/%Y") and _date(text, "%m/%d/%Y"):
        problem += " and day and month could be confused"
    fits = [known for known in _FORMATS if all(_date(each, known) for each in texts)]
    fix = " or ".join(f"date_format={known!r}" for known in fits)
    return _fault(
        file, problem, line=row + 2, fix=f"pass {fix}" if fits else "correct it or pass its date_format"
    )


def _numbers(file: Path, name: str, cells: Sequence[str], dates: Sequence[str]) -> NDArray[np.float64]:
    """Return one column as floats, each the nearest to its text; NaN for a missing mark."""
    values = [_number(cell) for cell in cells]
    row = next((row for row, value in enumerate(values) if value is None or math.isinf(value)), None)
    if row is None:
        return np.array(values, dtype=np.float64)
    what, fix = (
        "is not a number",
        "write plain decimals without %, $ or thousands separators, or choose columns=",
    )
    if values[row] is not None:
        what, fix = "is beyond the largest float", "correct it"
    raise _fault(file, f"{_quoted(cells[row])} on {dates[row]} {what}", asset=name, line=row + 2, fix=fix)


def _number(cell: str) -> float | None:
    """Return the float nearest to a text, infinite beyond the largest, None for what is no plain decimal."""
    text = cell.strip()
    if text in _MISSING:
        return math.nan
    try:
        return float(text) if _NUMERIC.issuperset(text) else None
    except ValueError:
        return None


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")


# --- Parquet ---


def _read_parquet(file: Path, content: bytes, columns: Sequence[str] | None) -> pd.DataFrame:
    footer = _answer(file, partial(read_footer, content))
    schema = _answer(file, partial(_ask_arrow, content, attrgetter("schema_arrow")))
    fields, known = list(schema), list(schema.names)
    if len(fields) > _MOST_COLUMNS:
        problem = f"has {len(fields):,} columns, more than {_MOST_COLUMNS:,}"
        raise _fault(file, problem, fix="keep only the columns that are needed")
    date = _date_field(file, known, [field.type for field in fields])
    wanted = _select(file, known, date, columns)
    _check_types(file, [fields[j] for j in wanted])
    asked = [known[date], *(known[j] for j in wanted)]
    _check_cells(file, footer.n_rows * len(asked))
    table = _answer(file, partial(_ask_arrow, content, partial(_table, content, footer, asked)))
    read = dict(zip(table.column_names, table.columns, strict=True))
    index = _arrow_dates(file, read[known[date]])
    values = {name: _arrow_floats(file, name, read[name]) for name in asked[1:]}
    name = None if known[date] == _NO_INDEX else known[date]
    return pd.DataFrame(values, index=index.rename(name), columns=asked[1:])


def _answer(file: Path, question: Callable[[], Any]) -> Any:
    """Return what is answered of a Parquet file, or refuse the file."""
    try:
        return question()
    except Exception as error:  # a damaged file can make the parser raise anything
        problem = f"is not readable as Parquet ({reason(error)})"
        raise _fault(
            file, problem, fix="it may be cut short or of another kind: copy or write it again"
        ) from None


def _ask_arrow(content: bytes, question: Callable[[Any], Any]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(content), thrift_container_size_limit=10**6) as source:
        return question(source)


def _check_cells(file: Path, n_cells: int) -> None:
    if not n_cells:
        raise _fault(file, "has no rows", fix="check how it was written")
    if n_cells > _MOST_CELLS:
        problem = f"holds {n_cells:,} cells, more than {_MOST_CELLS:,}"
        raise _fault(file, problem, fix="keep only the columns and rows that are needed")


def _table(content: bytes, footer: Footer, names: list[str], source: Any) -> Any:
    """Return columns as Arrow has them, once it is known that they fit in memory."""
    check_pages(content, footer, names)
    table = source.read(columns=names)
    if table.num_rows != footer.n_rows:
        raise ValueError(f"has {table.num_rows:,} rows and says {footer.n_rows:,}")
    return table


def _date_field(file: Path, names: list[str], kinds: list[Any]) -> int:
    """Return the position of the dates: called 'date', an index without a name, or the only dates."""
    from pyarrow import types

    dated = [j for j, kind in enumerate(kinds) if types.is_date(kind) or types.is_timestamp(kind)]
    position = _called_date(file, names)
    if position is None and _NO_INDEX in names:
        position = names.index(_NO_INDEX)
    if position is None and len(dated) == 1:
        position = dated[0]
    if position is None:
        raise _fault(file, f"has {len(dated)} columns of dates and none called 'date'", fix="call one 'date'")
    if position not in dated:
        problem = f"the dates are of type {kinds[position]}"
        fix = "write them as dates: pd.to_datetime(..., format='%Y-%m-%d')"
        raise _fault(file, problem, asset=names[position], fix=fix)
    if getattr(kinds[position], "tz", None):
        problem = f"the dates are in time zone {kinds[position].tz}"
        raise _fault(file, problem, asset=names[position], fix="write session dates without a zone")
    return position


def _check_types(file: Path, fields: Sequence[Any]) -> None:
    from pyarrow import types

    for field in fields:
        kind = field.type
        if _EXTENSION in (field.metadata or {}):
            problem = f"is of the extension type {field.metadata[_EXTENSION].decode(errors='replace')!r}"
            raise _fault(file, problem, asset=field.name, fix="write plain numbers, or choose columns=")
        if not (types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)):
            fix = "write numbers, or choose columns="
            raise _fault(file, f"is of type {kind}, not a number", asset=field.name, fix=fix)


def _arrow_dates(file: Path, column: Any) -> pd.DatetimeIndex:
    dates = column.to_numpy()
    if dates.dtype == np.dtype("datetime64[D]"):
        dates = dates.astype("datetime64[us]")
    days = dates.astype("datetime64[D]")  # the year 10000 is beyond nanoseconds; NaT is no date either
    is_date = (days >= np.datetime64("0001-01-01")) & (days <= np.datetime64("9999-12-31"))
    if not is_date.all():
        row = int(np.argmin(is_date))
        raise _fault(file, f"row {row} has no date between the years 1 and 9999", fix="drop or date that row")
    return pd.DatetimeIndex(dates)


def _arrow_floats(file: Path, name: str, column: Any) -> NDArray[Any]:
    """Return one column as floats of its own width, NaN for null; no integer is rounded."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        return np.array([math.nan if cell is None else float(cell) for cell in column.to_pylist()])
    if pa.types.is_integer(column.type):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid as error:
            problem = f"has an integer beyond 2**53 ({reason(error)})"
            raise _fault(file, problem, asset=name, fix="rescale the column or write it as float") from None
    return np.asarray(column.to_numpy())
