"""Labels on periods: what regime it was, how that was decided, and whether it was known at the time.

The label at a date belongs to the period that ends there. With ``ex_post=False`` it uses only what
was known when that period began, so the returns of the period have no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.market.market import Date, column_of, parse_date, signal_in_hindsight, window_rows

__all__ = [
    "UNCLASSIFIED",
    "US_ERAS",
    "Regimes",
    "correlation_sign",
    "decades",
    "eras",
    "inflation_level",
    "inflation_trend",
]

UNCLASSIFIED = "unclassified"

# Each era runs to the day before the next. The borders are events, not fitted to returns: the
# Treasury–Fed Accord (4 March 1951), the start of the Great Inflation (Meltzer, 2005), the end of
# money targeting (October 1982), the turn of the century, and the first tightening after the pandemic.
US_ERAS: Mapping[str, str] = {
    "1928–51 depression, war, pegged yields": "1928-01-01",
    "1951–65 stable prices": "1951-03-04",
    "1966–82 Great Inflation": "1966-01-01",
    "1982–99 disinflation": "1982-10-09",
    "2000–21 low inflation": "2000-01-01",
    "2022– after the pandemic": "2022-01-01",
}


@final
@dataclass(frozen=True, eq=False)
class Regimes:
    """Labels on dates.

    Attributes
    ----------
    labels
        One text a date; ``unclassified`` where the rule cannot say.
    name
        What the labels are about.
    rule
        How they were made.
    ex_post
        Whether they use what was not known when their period began. A backtest may not trade on such labels.
    order
        The labels in the order in which tables show them, ``unclassified`` last.
    """

    labels: pd.Series[str]
    name: str
    rule: str
    ex_post: bool
    order: tuple[str, ...]


def inflation_level(market: Market, threshold: float = 0.03, *, ex_post: bool = False) -> Regimes:
    """Label periods by the level of the market's ``inflation`` signal.

    Parameters
    ----------
    market
        With a signal ``inflation``, a fraction a year.
    threshold
        At or above it inflation is high.
    ex_post
        False: the newest figure published before the period began. True: the figure that describes
        the period, which was published after it.
    """
    values = _as_of(market, _inflation(market, ex_post), ex_post)
    low, high = f"inflation under {threshold:.1%}", f"inflation {threshold:.1%} or more"
    if ex_post:
        low, high = f"{low}, same period", f"{high}, same period"
    return _two_sided(
        market, values, values >= threshold, (low, high), "Inflation level", f"threshold {threshold:.1%}", ex_post
    )


def inflation_trend(market: Market, years: float = 3.0, *, ex_post: bool = False) -> Regimes:
    """Label periods by whether inflation is above its own mean of the ``years`` before.

    Parameters
    ----------
    market
        With a signal ``inflation``, a fraction a year.
    years
        Span of the mean; the figure itself is not part of it.
    ex_post
        As for :func:`inflation_level`.
    """
    signal = _inflation(market, ex_post)
    gap = _gap_to_trailing_mean(signal.values, years)
    values = _as_of(market, Signal(gap, signal.describes), ex_post)
    tail = ", same period" if ex_post else ""
    return _two_sided(
        market,
        values,
        values > 0.0,
        (f"inflation falling{tail}", f"inflation rising{tail}"),
        "Inflation trend",
        f"against its mean of the {years:g} years before",
        ex_post,
    )


def eras(dates: pd.DatetimeIndex, starts: Mapping[str, Date] = US_ERAS) -> Regimes:
    """Label periods by named eras.

    Parameters
    ----------
    dates
        The ends of the periods.
    starts
        First day of each era by name, in order; an era ends where the next begins.
    """
    firsts = pd.DatetimeIndex([parse_date(start, "starts") for start in starts.values()])
    if not len(firsts) or not firsts.is_monotonic_increasing or not firsts.is_unique:
        raise InputError("starts", "the first days of the eras must increase", fix="sort them by date")
    names = np.array([*starts, UNCLASSIFIED], dtype=object)
    labels = names[firsts.searchsorted(dates, side="right") - 1]  # -1, before the first era, is unclassified
    return _regimes(labels, dates, "Era", "borders are dated events, chosen in hindsight", True, tuple(starts))


def decades(dates: pd.DatetimeIndex, first_year: int = 1) -> Regimes:
    """Label periods by decade; ``first_year=1`` counts 1961–1970, 0 counts 1960–1969."""
    if first_year not in range(10):
        raise InputError("first_year", f"{first_year!r} is not the last digit of a year")
    begin = (dates.year.to_numpy() - first_year) // 10 * 10 + first_year
    labels = np.array([f"{year}–{year + 9}" for year in begin], dtype=object)
    return _regimes(labels, dates, "Decade", "calendar", False, tuple(dict.fromkeys(labels)))


def correlation_sign(
    market: Market, x: str = "stocks", y: str = "bonds", window_years: float | None = None
) -> Regimes:
    """Label periods by the sign of the correlation of two assets over the window before the period.

    Parameters
    ----------
    market
        With both assets.
    x, y
        Their names.
    window_years
        Span of the trailing window; by default one year of daily, three of weekly or monthly, five of
        quarterly and ten of yearly data. Periods without a full window are unclassified.
    """
    years = window_years if window_years is not None else _SIGN_WINDOW[market.frequency.name]
    rows = window_rows(market.frequency, years, 2)
    columns = [column_of(market, asset) for asset in (x, y)]
    first = int(market.listed_from[columns].max())
    levels = pd.DataFrame(market.levels[first:, columns], index=market.index[first:])
    returns = levels.pct_change().iloc[1:]
    trailing = returns[0].rolling(rows).corr(returns[1]).shift(1).reindex(market.index[1:])
    names = (f"{x}–{y} correlation was negative", f"{x}–{y} correlation was positive")
    values = trailing.to_numpy(dtype=np.float64)
    rule = f"Pearson over the {years:g}-year window before the period"
    return _two_sided(market, values, values >= 0.0, names, "Trailing correlation", rule, False)


_SIGN_WINDOW = {"daily": 1.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 5.0, "yearly": 10.0}


def _inflation(market: Market, ex_post: bool) -> Signal:
    return signal_in_hindsight(market, "inflation") if ex_post else market.signal("inflation")


def _as_of(market: Market, signal: Signal, ex_post: bool) -> NDArray[np.float64]:
    """Return the value for each period of the market: of that period, or known when it began."""
    if ex_post:
        return signal.as_described_on(market.index[1:])
    return signal.as_known_on(market.index[:-1])


def _gap_to_trailing_mean(values: pd.Series[float], years: float) -> pd.Series[float]:
    """Return each figure less the mean of those in the ``years`` before it; at least two, or it is dropped."""
    if not years > 0:
        raise InputError("years", f"{years!r} is not a positive span of time")
    # Half a month of slack: publication days wander around the calendar.
    span = pd.Timedelta(days=years * 365.25 + 15)
    before = values.rolling(span, closed="left", min_periods=2).mean()
    return values - before


def _two_sided(
    market: Market,
    values: NDArray[np.float64],
    upper: NDArray[np.bool_],
    names: tuple[str, str],
    name: str,
    rule: str,
    ex_post: bool,
) -> Regimes:
    labels = np.where(np.isnan(values), UNCLASSIFIED, np.where(upper, names[1], names[0])).astype(object)
    when = "the figure of the period itself, published after it" if ex_post else "known when the period began"
    return _regimes(labels, market.index[1:], name, f"{rule}; {when}", ex_post, names)


def _regimes(
    labels: NDArray[np.object_],
    dates: pd.DatetimeIndex,
    name: str,
    rule: str,
    ex_post: bool,
    order: tuple[str, ...],
) -> Regimes:
    present = [label for label in (*order, UNCLASSIFIED) if label in set(labels)]
    return Regimes(pd.Series(labels, index=dates, name=name, dtype=object), name, rule, ex_post, tuple(present))
