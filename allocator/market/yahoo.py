"""Adjusted closes of Yahoo, through yfinance (extra ``[data]``)."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import DownloadError, InputError
from allocator.market.download import Downloads, beside_one_another, obtain, read_table, refuse_names
from allocator.market.market import Date
from allocator.market.web import TransientError, patiently

__all__ = ["read_yahoo"]

_CHARACTERS = frozenset(string.ascii_letters + string.digits + ".^=-")
_REAL = frozenset("fiu")  # kinds of types: neither truths nor complex numbers
_DEFAULT = Downloads()


def read_yahoo(
    tickers: Sequence[str],
    *,
    start: Date | None = None,
    end: Date | None = None,
    downloads: Downloads = _DEFAULT,
) -> pd.DataFrame:
    """Return closes adjusted for splits and dividends: levels of total return, of funds; of indices, prices.

    Adjusted closes of the past change with every dividend. A ticker is therefore downloaded and kept in
    whole, and closes of two days of download do not belong together. The row of the present day is left out:
    before the close it is no close. Yahoo grants personal use and may refuse or change at any time.

    Parameters
    ----------
    tickers
        As Yahoo writes them: ``["SPY", "IEF", "^HSI", "DX-Y.NYB"]``.
    start, end
        First and last date; None for all there is.
    downloads
        Cache, age and network.

    Returns
    -------
    pd.DataFrame
        A column a ticker on all their dates, in each one's own currency, NaN where one has none: of markets
        that are open on different days keep the shared ones, ``dropna()``. ``attrs["sources"]`` says when
        each was downloaded.

    Raises
    ------
    InputError
        No list of names, or yfinance is missing.
    DownloadError
        Yahoo did not answer or knows no such ticker; offline and not in the cache. Names the ticker.
    """
    names = refuse_names("tickers", tickers, _CHARACTERS)
    found = {name: _closes(name, downloads) for name in names}
    frame = beside_one_another({name: values for name, (values, _) in found.items()}, start, end)
    frame.attrs["sources"] = {name: text for name, (_, text) in found.items()}
    return frame


def _closes(ticker: str, downloads: Downloads) -> tuple[pd.Series[float], str]:
    source = f"Yahoo {ticker}"
    key = {"source": "yahoo", "ticker": ticker, "format": "adjusted close, csv"}

    def ask() -> bytes:
        library = _yfinance() if downloads.yahoo is None else downloads.yahoo
        history = patiently(
            source, lambda: _ask(source, library, ticker, downloads.timeout_seconds), downloads.patience
        )
        return _written(_sessions(source, history))

    values, fetched = obtain(source, key, ask, lambda body: read_table(source, body, ("close",)), downloads)
    text = f"{source}, adjusted close by yfinance; downloaded {fetched:%Y-%m-%d %H:%M} UTC"
    return values.rename(ticker), text


def _yfinance() -> Any:
    try:
        import yfinance
    except ImportError:
        fix = "pip install 'allocator-backtest[data]'"
        raise InputError("tickers", "reading from Yahoo needs yfinance", fix=fix) from None
    return yfinance


def _ask(source: str, library: Any, ticker: str, timeout: float) -> pd.DataFrame:
    """Return the whole history of a ticker from the library, its errors as ours."""
    try:
        with _without_its_log():
            answer = library.Ticker(ticker).history(
                period="max", interval="1d", auto_adjust=True, actions=False, timeout=timeout
            )
    except Exception as error:  # an unofficial library can raise anything, that of its transport too
        raise _failure(source, error) from error
    if not isinstance(answer, pd.DataFrame) or answer.empty:
        problem = "answers with no prices: an unknown or delisted ticker, or too many requests"
        raise DownloadError(source, problem, "check the ticker, or try again later")
    if "Close" not in answer.columns or not isinstance(answer.index, pd.DatetimeIndex):
        raise DownloadError(source, f"answers with columns {list(answer.columns)[:6]} and no closes by date")
    return answer


@contextmanager
def _without_its_log() -> Iterator[None]:
    """Keep yfinance from printing what we say ourselves."""
    import logging

    logger = logging.getLogger("yfinance")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _failure(source: str, error: Exception) -> Exception:
    kind = type(error).__name__
    text = f"{kind}: {' '.join(str(error).split())[:100]}"
    if kind == "YFRateLimitError" or isinstance(error, OSError) or "Timeout" in kind:
        return TransientError(text)
    return DownloadError(source, text)


def _sessions(source: str, history: pd.DataFrame) -> pd.Series[float]:
    """Return closes by the exchange's own dates, up to yesterday there."""
    index, column = pd.DatetimeIndex(history.index), history["Close"]
    if not isinstance(column, pd.Series) or getattr(column.dtype, "kind", "") not in _REAL:
        raise DownloadError(source, "answers with closes that are not one column of numbers")
    naive = index.tz_localize(None)
    days = naive.values.astype("datetime64[D]")
    is_date = (days > np.datetime64("0001-01-01")) & (days < np.datetime64("9999-12-31"))  # NaT is none
    if not is_date.all():
        problem = f"answers with no date between the years 1 and 9999 in row {int(np.argmin(is_date))}"
        raise DownloadError(source, problem)
    today = pd.Timestamp.now(tz=index.tz or "UTC").tz_localize(None).normalize()
    dates = naive.normalize()
    closes = pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=dates)[dates < today]
    if closes.dropna().empty:
        raise DownloadError(source, "answers with no close before today")
    return closes


def _written(closes: pd.Series[float]) -> bytes:
    rows = (
        f"{date:%Y-%m-%d},{'' if np.isnan(value) else repr(float(value))}" for date, value in closes.items()
    )
    return "\n".join(("date,close", *rows, "")).encode()
