"""What every download shares: where it is kept, how old it may be, and whether the network may be asked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import DownloadError, InputError
from allocator.market.cache import Cache, default_directory
from allocator.market.market import Date, parse_date
from allocator.market.web import Patience, check_url

__all__ = ["Downloads", "beside_one_another", "obtain", "read_table", "refuse_names"]

_FRED = "https://fred.stlouisfed.org/graph/fredgraph.csv"
_MISSING = frozenset({"", "."})
_NUMERIC = frozenset("0123456789+-.eE")


@final
@dataclass(frozen=True)
class Downloads:
    """How data are downloaded and kept.

    Attributes
    ----------
    cache
        Folder of what was downloaded; None: the variable ALLOCATOR_CACHE, else the system's own.
    offline
        Whether only the cache is used, whatever its age; None: the variable ALLOCATOR_OFFLINE (1 or 0).
    max_age_days
        What is older is downloaded again, in whole: sources revise the past.
    timeout_seconds
        For one attempt, from the request to the last byte.
    attempts
        How often what may pass (no connection, a cut answer, too many requests) is tried.
    backoff_seconds
        Before the second attempt; doubled each time. A source's own ``Retry-After`` counts instead.
    most_bytes
        A longer answer is refused.
    fred_url
        Where FRED's plain CSV is: https, or http on this machine.
    yahoo
        What answers like the module ``yfinance``; None imports it (extra ``[data]``).
    """

    cache: str | os.PathLike[str] | None = None
    offline: bool | None = None
    max_age_days: float = 1.0
    timeout_seconds: float = 30.0
    attempts: int = 4
    backoff_seconds: float = 1.0
    most_bytes: int = 2**26
    fred_url: str = _FRED
    yahoo: Any = None

    def __post_init__(self) -> None:
        if self.cache is not None and not isinstance(self.cache, str | os.PathLike):
            raise InputError("cache", f"{self.cache!r} is no path of a folder")
        if self.offline not in (None, True, False):
            raise InputError("offline", f"{self.offline!r} is neither True, False nor None")
        for name in ("max_age_days", "backoff_seconds"):
            _check_number(name, getattr(self, name), 0.0)
        _check_number("timeout_seconds", self.timeout_seconds, 1e-3)
        for name in ("attempts", "most_bytes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(name, f"{value!r} is no whole number from 1")
        check_url(self.fred_url, "fred_url")

    @property
    def directory(self) -> Path:
        """The folder of the cache."""
        return default_directory() if self.cache is None else Path(self.cache)

    @property
    def is_offline(self) -> bool:
        """Whether the network may not be asked."""
        if self.offline is not None:
            return self.offline
        given = os.environ.get("ALLOCATOR_OFFLINE", "")
        if given not in ("", "0", "1"):
            raise InputError("ALLOCATOR_OFFLINE", f"is {given!r}", fix="set it to 1 or 0")
        return given == "1"

    @property
    def patience(self) -> Patience:
        """Limits of a request."""
        return Patience(self.timeout_seconds, self.attempts, self.backoff_seconds, self.most_bytes)


def _check_number(name: str, value: object, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
        raise InputError(name, f"{value!r} is no number from {least:g}")


def obtain(
    source: str,
    key: Mapping[str, str],
    ask: Callable[[], bytes],
    read: Callable[[bytes], pd.Series[float]],
    downloads: Downloads,
) -> tuple[pd.Series[float], dt.datetime]:
    """Return a series and when it was downloaded: from the cache where it is young enough, else from ``ask``.

    Nothing is kept that ``read`` refuses.

    Raises
    ------
    DownloadError
        Offline and not in the cache, or the download failed: an older copy is named, not used unasked.
    """
    cache, is_offline = Cache(downloads.directory), downloads.is_offline
    entry = cache.read(key)
    now = dt.datetime.now(dt.UTC)
    if entry is not None and (is_offline or 0.0 <= _days(now - entry.fetched) <= downloads.max_age_days):
        return read(entry.body), entry.fetched
    if is_offline:
        problem = f"offline, and not in the cache {str(cache.directory)!r}"
        raise DownloadError(source, problem, "download it once with a network, or name another cache")
    try:
        body = ask()
        values = read(body)
    except DownloadError as failure:
        if entry is None:
            raise
        fix = f"the cache has a copy of {entry.fetched:%Y-%m-%d}, which offline=True uses"
        raise DownloadError(source, failure.problem, fix) from failure
    cache.write(key, body)
    return values, now


def _days(span: dt.timedelta) -> float:
    return span.total_seconds() / 86400.0


def read_table(source: str, body: bytes, headers: Sequence[str]) -> pd.Series[float]:
    """Return a table of two columns, dates and numbers, NaN for ``.`` and blank; anything else is refused.

    ``headers`` are what the second column may be called; the first is a date of any name.
    """
    rows = _lines(source, body)
    header = next(rows, [])
    if len(header) != 2 or header[1] not in headers:
        raise _bad(source, 1, f"the header is {','.join(header)[:60]!r}, expected a date and {headers[0]!r}")
    dates: list[dt.date] = []
    values: list[float] = []
    for line, row in enumerate(rows, start=2):
        date, value = _cells(row)
        if date is None or value is None:
            raise _bad(source, line, f"{','.join(row)[:60]!r} is not a date and a number")
        if dates and date <= dates[-1]:
            raise _bad(source, line, f"{date} does not come after {dates[-1]}")
        dates.append(date)
        values.append(value)
    if not dates:
        raise DownloadError(source, "answers with a header and no rows")
    index = pd.DatetimeIndex(np.array(dates, dtype="datetime64[us]"))
    return pd.Series(np.array(values, dtype=np.float64), index=index)


def _lines(source: str, body: bytes) -> Iterator[list[str]]:
    try:
        text = body.decode("utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        raise DownloadError(source, f"answers with what is not UTF-8 (byte {error.start})") from None
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:
        raise DownloadError(source, f"answers with a broken table ({error})") from None


def _cells(row: list[str]) -> tuple[dt.date | None, float | None]:
    """Return the date and the number of a row, None for what is none."""
    if len(row) != 2:
        return None, None
    try:
        is_date = len(row[0]) == 10 and row[0][4] == row[0][7] == "-" and row[0].isascii()  # no '2020-W01-1'
        date = dt.date.fromisoformat(row[0]) if is_date else None
        if row[1] in _MISSING:
            return date, float("nan")
        value = float(row[1]) if _NUMERIC.issuperset(row[1]) else None
    except ValueError:
        return None, None
    return date, value if value is None or abs(value) < float("inf") else None


def _bad(source: str, line: int, problem: str) -> DownloadError:
    return DownloadError(source, f"line {line} of its answer: {problem}", "the source may have changed")


def refuse_names(argument: str, names: object, allowed: frozenset[str]) -> list[str]:
    """Return names as a list, refusing what is no list of different names of these characters."""
    if isinstance(names, str) or not isinstance(names, Sequence) or not len(names):
        raise InputError(argument, f"{names!r} is no list of names", fix="write it as ['DGS10', 'DFII10']")
    for name in names:
        if not isinstance(name, str) or not 0 < len(name) <= 40 or not allowed.issuperset(name):
            raise InputError(argument, f"{name!r} is no name of a series")
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise InputError(argument, f"{twice!r} is named twice", fix="name each once")
    return list(names)


def beside_one_another(
    columns: Mapping[str, pd.Series[float]], start: Date | None, end: Date | None
) -> pd.DataFrame:
    """Return columns on all their dates within a span, NaN where one has no value."""
    frame = pd.concat(columns, axis=1, sort=True)
    first = frame.index[0] if start is None else parse_date(start, "start")
    last = frame.index[-1] if end is None else parse_date(end, "end", last=True)
    if first > last:
        raise InputError("start", f"{first:%Y-%m-%d} is after {last:%Y-%m-%d}", fix="exchange them")
    return frame.loc[first:last]
