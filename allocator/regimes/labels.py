"""Labels on periods: what regime it was, how that was decided, and whether it was known at the time.

The label at a date belongs to the period that ends there. With ``ex_post=False`` it uses only what
was known when that period began, so the returns of the period have no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.market.market import Date, column_of, is_cut, parse_date, signal_in_hindsight, window_rows
from allocator.regimes.record import UNCLASSIFIED, Codes, Regimes, coded_regimes, present, signal_regimes

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


def inflation_level(market: Market, threshold: float = 0.03, *, ex_post: bool = False) -> Regimes:
    """Label periods by the level of the market's ``inflation`` signal.

    Parameters
    ----------
    market
        With a signal ``inflation``, a fraction a year.
    threshold
        A fraction a year; at or above it inflation is high.
    ex_post
        False: the newest figure published before the period began. True: the figure that describes
        the period, which was published after it.

    Raises
    ------
    InputError
        If the market has no such signal, the threshold is in percent, or ``ex_post`` is asked for and
        the signal does not say what its figures describe.
    """
    if not abs(threshold) < 1.0:
        raise InputError("threshold", f"{threshold!r} is not a fraction", fix="3 % is 0.03")
    level, tail = f"{threshold * 100:.6g}%", _same_period(ex_post)
    names = (f"inflation under {level}{tail}", f"inflation {level} or more{tail}")
    sides = partial(_at_or_above, threshold=threshold)
    return signal_regimes(
        market, _inflation(market, ex_post), sides, names, "Inflation level", f"threshold {level}", ex_post
    )


def inflation_trend(market: Market, years: float = 3.0, *, ex_post: bool = False) -> Regimes:
    """Label periods by whether inflation is above its own mean of the ``years`` before.

    Parameters
    ----------
    market
        With a signal ``inflation``, a fraction a year.
    years
        Span of the mean, on the dates of publication; the figure itself is not part of it. Inflation at
        its mean counts as falling. Figures without a full span before them leave their period
        unclassified.
    ex_post
        As for :func:`inflation_level`.

    Raises
    ------
    InputError
        As :func:`inflation_level`, and if no figure has a full span with two figures before it. In the past
        of a strategy such figures may come, and until then its periods are unclassified.
    """
    signal = _inflation(market, ex_post)
    gap = _gap_to_trailing_mean(signal.values, years, waits=is_cut(market))
    tail = _same_period(ex_post)
    names = (f"inflation falling{tail}", f"inflation rising{tail}")
    rule = f"against its mean of the {years:g} years before"
    gaps = Signal(gap, signal.describes)
    return signal_regimes(market, gaps, _above_rounding, names, "Inflation trend", rule, ex_post)


def eras(dates: pd.DatetimeIndex, starts: Mapping[str, Date] = US_ERAS) -> Regimes:
    """Label periods by named eras.

    Parameters
    ----------
    dates
        The ends of the periods.
    starts
        First day of each era by name, in order; an era ends where the next begins. A period belongs to
        the era in which it ends; before the first it is unclassified.

    Raises
    ------
    InputError
        If the starts do not increase.
    """
    _refuse_undated(dates)
    firsts = pd.DatetimeIndex([parse_date(start, "starts") for start in starts.values()])
    if not len(firsts):
        raise InputError("starts", "no eras", fix="name the first day of each")
    if not firsts.is_monotonic_increasing or not firsts.is_unique:
        raise InputError("starts", "the first days of the eras must increase", fix="sort them by date")
    names = np.array([*starts, UNCLASSIFIED], dtype=object)
    labels = names[firsts.searchsorted(dates, side="right") - 1]  # -1, before the first era, is unclassified
    rule = "borders are dated events, chosen in hindsight"
    return _regimes(labels, dates, "Era", rule, True, tuple(starts))


def decades(dates: pd.DatetimeIndex, first_year: int = 1) -> Regimes:
    """Label periods by the decade they end in; ``first_year=1`` counts 1961–1970, 0 counts 1960–1969.

    There is no next label: on the last date before New Year it depends on when the next period ends.
    """
    _refuse_undated(dates)
    if first_year not in range(10):
        raise InputError("first_year", f"{first_year!r} is not the last digit of a year", fix="pass 0 or 1")
    begin = (dates.year.to_numpy() - int(first_year)) // 10 * 10 + int(first_year)
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
        quarterly and ten of yearly data. Periods without a full window, or with one in which an asset
        never changes its return, are unclassified.

    Raises
    ------
    InputError
        If an asset is missing, or the window holds too few returns to say anything.
    """
    years = window_years if window_years is not None else _SIGN_WINDOW[market.frequency.name]
    rows = window_rows(market.frequency, years, 2)
    column_x, column_y = (column_of(market, asset) for asset in (x, y))
    codes = partial(_signs, market, column_x, column_y, rows)
    names = (f"{x}–{y} correlation was negative", f"{x}–{y} correlation was positive")
    rule = f"Pearson over the {years:g}-year window before the period"
    return coded_regimes(market, codes, names, "Trailing correlation", rule, False)


_SIGN_WINDOW = {"daily": 1.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 5.0, "yearly": 10.0}
_ROUNDING = 1e-12  # a figure this little above its mean is at its mean
_LONGEST_SPAN = 100.0  # years
_NEITHER = 2
_BLOCK = 1024  # windows worked on at once
_STILL = 1e-14  # returns are ratios of prices less one, so they are known to about 1e-16


def _signs(market: Market, x: int, y: int, rows: int, first: int, stop: int) -> Codes:
    """Return the sign of the correlation over the ``rows`` returns before each row from ``first`` on.

    Both need a price at the end of the window. Each window is summed by itself, so that the sign is the same
    in a market that is cut at it, ties included. No sign where one stands still.
    """
    columns, signs = [x, y], np.full(stop - first, _NEITHER)
    begin = max(int(market.listed_from[columns].max()) + rows + 1, first)
    end = min(int(market.listed_until[columns].min()) + 1, stop)
    for block in range(begin, end, _BLOCK):
        until = min(block + _BLOCK, end)
        levels = market.levels[block - rows - 1 : until - 1, columns]
        windows = np.lib.stride_tricks.sliding_window_view(levels[1:] / levels[:-1] - 1.0, rows, axis=0)
        one, two = (windows[:, j].copy() for j in range(2))
        still = (np.ptp(one, axis=1) <= _STILL) | (np.ptp(two, axis=1) <= _STILL)
        one -= one.mean(axis=1, keepdims=True)
        two -= two.mean(axis=1, keepdims=True)
        together = (one * two).sum(axis=1) >= 0.0
        signs[block - first : until - first] = np.where(still, _NEITHER, together)
    return signs


def _same_period(ex_post: bool) -> str:
    return ", same period" if ex_post else ""


def _inflation(market: Market, ex_post: bool) -> Signal:
    return signal_in_hindsight(market, "inflation") if ex_post else market.signal("inflation")


def _at_or_above(values: NDArray[np.float64], threshold: float) -> Codes:
    return np.where(np.isnan(values), _NEITHER, values >= threshold)


def _above_rounding(values: NDArray[np.float64]) -> Codes:
    return np.where(np.isnan(values), _NEITHER, values > _ROUNDING)


def _gap_to_trailing_mean(values: pd.Series[float], years: float, waits: bool) -> pd.Series[float]:
    """Return each figure less the mean of those in the ``years`` before it, NaN without a full span.

    Where nothing ``waits`` for figures to come, one of them must have it.
    """
    if not 0.0 < years <= _LONGEST_SPAN:
        raise InputError("years", f"{years!r} is not a span of time between 0 and {_LONGEST_SPAN:g}")
    # Half a month of slack: publication days wander around the calendar.
    span, slack = pd.Timedelta(days=years * 365.25), pd.Timedelta(days=15)
    before = values.rolling(span + slack, closed="left", min_periods=2).mean()
    full = pd.Series(values.index >= values.index.min() + span - slack, index=values.index)
    if not waits and not (full & before.notna()).any():
        raise InputError(
            "years",
            f"no figure of {len(values)} has {years:g} years with two figures before it",
            fix="choose another span or give a longer signal",
        )
    return (values - before).where(full)


def _regimes(
    labels: NDArray[np.object_],
    dates: pd.DatetimeIndex,
    name: str,
    rule: str,
    ex_post: bool,
    order: tuple[str, ...],
) -> Regimes:
    series: pd.Series[str] = pd.Series(labels, index=dates, name=name, dtype=object)
    return Regimes(series, name, rule, ex_post, present(series, order))


def _refuse_undated(dates: object) -> None:
    if not isinstance(dates, pd.DatetimeIndex) or dates.hasnans:
        raise InputError("dates", f"expected dates, got {type(dates).__name__}", fix="pass market.index[1:]")
