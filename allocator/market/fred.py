"""Series of the Federal Reserve Bank of St. Louis: its plain CSV download, which needs no key."""

from __future__ import annotations

import difflib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final
from urllib.parse import urlencode

import pandas as pd

from allocator.errors import InputError
from allocator.market.download import Downloads, beside_one_another, obtain, read_table, refuse_names
from allocator.market.market import Date
from allocator.market.signals import Signal
from allocator.market.web import fetch

__all__ = ["FRED_RELEASES", "FredRelease", "read_fred", "read_fred_signals"]

_CHARACTERS = frozenset(string.ascii_uppercase + string.digits + "_")
_DEFAULT = Downloads()


@final
@dataclass(frozen=True)
class FredRelease:
    """What a series of FRED is, and when its figures become known.

    Attributes
    ----------
    describes
        What it is, in words.
    unit
        As FRED writes it.
    period
        What a date stands for: ``day``, or the first day of a ``month`` or ``quarter``.
    lag_days
        Calendar days from the end of the period to the publication, the longest in ordinary times.
    """

    describes: str
    unit: str
    period: str
    lag_days: int

    @property
    def is_percent(self) -> bool:
        """Whether the figures are percent."""
        return self.unit.startswith("percent")


def _daily(names: str, describes: str, lag_days: int, unit: str = "percent a year") -> dict[str, FredRelease]:
    return {name: FredRelease(describes, unit, "day", lag_days) for name in names.split()}


def _monthly(names: str, describes: str, unit: str, lag_days: int) -> dict[str, FredRelease]:
    return {name: FredRelease(describes, unit, "month", lag_days) for name in names.split()}


# Lags are the longest in ordinary times: a shutdown of the US government (1995-96, 2013, 2018-19, 2025) made
# them longer. Yields of a day count as known at its close, when the market knew them; FRED shows them on the
# next business day.
FRED_RELEASES: Mapping[str, FredRelease] = {
    **_daily(
        "DGS1MO DGS3MO DGS6MO DGS1 DGS2 DGS3 DGS5 DGS7 DGS10 DGS20 DGS30", "par yield of the Treasury", 0
    ),
    **_daily("DFII5 DFII7 DFII10 DFII20 DFII30", "inflation-indexed par yield of the Treasury", 0),
    **_daily("T5YIE T10YIE T5YIFR", "breakeven inflation", 0),
    **_daily("T10Y2Y T10Y3M", "slope of the Treasury curve", 0, "percent"),
    **_daily("DTB3 DTB6 DTB1YR", "Treasury bill, bank discount", 0),
    **_daily("DFF SOFR", "overnight rate", 1),
    **_daily("VIXCLS", "implied volatility of the S&P 500", 0, "index"),
    **_daily("DTWEXBGS", "broad dollar, published weekly", 8, "index"),
    **_monthly("FEDFUNDS GS10 TB3MS", "average of the month's rates", "percent a year", 1),
    **_monthly("UNRATE", "unemployment", "percent", 10),
    **_monthly("PAYEMS", "payrolls", "thousands of persons", 10),
    **_monthly("CPIAUCSL CPIAUCNS CPILFESL", "consumer prices", "index", 20),
    **_monthly("INDPRO", "industrial production", "index", 18),
    **_monthly("M2SL", "money", "billions of dollars", 28),
    **_monthly("PCEPI PCEPILFE", "prices of personal consumption", "index", 35),
    "GDP": FredRelease("output, first print", "billions of dollars a year", "quarter", 31),
    "GDPC1": FredRelease("real output, first print", "billions of chained dollars a year", "quarter", 31),
    "GFDEBTN": FredRelease("federal debt", "millions of dollars", "quarter", 75),
}


def read_fred(
    series: Sequence[str],
    *,
    start: Date | None = None,
    end: Date | None = None,
    downloads: Downloads = _DEFAULT,
) -> pd.DataFrame:
    """Return series of FRED as it publishes them: latest revised, not vintages; yields in percent.

    FRED dates a month or quarter by its first day, long before its figure is known:
    :func:`read_fred_signals` moves figures to the dates on which they were.

    Parameters
    ----------
    series
        Names at FRED: ``["DGS10", "DFII10"]``.
    start, end
        First and last date; None for all there is.
    downloads
        Cache, age and network.

    Returns
    -------
    pd.DataFrame
        A column a series on all their dates, NaN where one has none. ``attrs["units"]`` has the units that
        are known (``FRED_RELEASES``), ``attrs["sources"]`` when each was downloaded. Divide yields by 100:
        functions that take yields refuse percent.

    Raises
    ------
    InputError
        No list of names.
    DownloadError
        FRED did not answer, or not with the series; offline and not in the cache. Names the series.
    """
    names = refuse_names("series", series, _CHARACTERS)
    found = {name: _series(name, downloads) for name in names}
    frame = beside_one_another({name: values for name, (values, _) in found.items()}, start, end)
    frame.attrs["units"] = {name: _unit(name) for name in names}
    frame.attrs["sources"] = {name: text for name, (_, text) in found.items()}
    return frame


def _unit(name: str) -> str:
    return FRED_RELEASES[name].unit if name in FRED_RELEASES else "as FRED publishes it"


def _series(name: str, downloads: Downloads) -> tuple[pd.Series[float], str]:
    """Return one series, and in words where it is from."""
    source = f"FRED {name}"
    url = f"{downloads.fred_url}?{urlencode({'id': name})}"
    key = {"source": "fred", "series": name, "url": url, "format": "csv"}
    values, fetched = obtain(
        source,
        key,
        lambda: fetch(source, url, downloads.patience),
        lambda body: read_table(source, body, (name, "VALUE")),  # VALUE: before 2025
        downloads,
    )
    text = f"{source}, latest revised, not vintages; downloaded {fetched:%Y-%m-%d %H:%M} UTC"
    return values.rename(name), text


def read_fred_signals(series: Sequence[str], *, downloads: Downloads = _DEFAULT) -> dict[str, Signal]:
    """Return series of FRED stamped with the dates on which their figures became known, as fractions.

    Each is dated by its usual lag (``FRED_RELEASES``; docs/data.md has the table). The figures are the latest
    revised, not vintages: revised ones, such as output, were not known as they stand here. Percent become
    fractions; an index stays an index::

        signals = al.read_fred_signals(["DGS10", "UNRATE"])
        market = al.Market(prices, cash, signals)

    Parameters
    ----------
    series
        Names at FRED that ``FRED_RELEASES`` has.
    downloads
        Cache, age and network.

    Returns
    -------
    dict
        For :class:`Market`: by name, each with ``describes``, the last day of the period. Periods without a
        figure are left out.

    Raises
    ------
    InputError
        A series whose lag is not known here: read it with :func:`read_fred`, date its figures by the ends of
        their periods, and pass it to :func:`published` with its lag.
    DownloadError
        As :func:`read_fred`.
    """
    names = refuse_names("series", series, _CHARACTERS)
    for name in names:
        if name not in FRED_RELEASES:
            close = difflib.get_close_matches(name, FRED_RELEASES, n=1)
            fix = "al.published(values, publication_lag=days) takes any" + (
                f"; did you mean {close[0]!r}?" if close else ""
            )
            raise InputError(
                "series", "how long after its period it is published is not known", asset=name, fix=fix
            )
    return {name: _signal(_series(name, downloads)[0].dropna(), FRED_RELEASES[name]) for name in names}


def _signal(values: pd.Series[float], release: FredRelease) -> Signal:
    """Return figures dated by the start of their period as they became known."""
    starts = pd.DatetimeIndex(values.index)
    ends = {
        "day": starts,
        "month": starts + pd.offsets.MonthEnd(0),
        "quarter": starts + pd.offsets.QuarterEnd(0),
    }[release.period]
    scaled = values / 100.0 if release.is_percent else values
    return Signal(scaled.set_axis(ends + pd.Timedelta(release.lag_days, "D")), describes=ends)
