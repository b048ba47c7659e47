"""Labels on periods: what regime it was, how that was decided, and whether it was known at the time.

The label at a date belongs to the period that ends there. With ``ex_post=False`` it uses only what
was known when that period began, so the returns of the period have no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.market.market import Date, is_cut, parse_date, signal_in_hindsight
from allocator.market.prices import validate_index
from allocator.regimes._settings import (
    column_named,
    number_between,
    refuse_no_dates,
    refuse_no_flag,
    refuse_no_market,
    refuse_no_text,
    rows_of_window,
    whole_between,
)
from allocator.regimes.record import UNCLASSIFIED, Codes, Regimes, coded_regimes, present, signal_regimes
from allocator.statistics._settings import is_number

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
    refuse_no_flag("ex_post", ex_post)
    if not is_number(threshold) or not abs(threshold) < 1.0:
        raise InputError("threshold", f"{threshold!r} is not a fraction", fix="3 % is 0.03")
    known = _inflation(market, ex_post)
    _refuse_percent(known)
    level, tail = f"{threshold * 100:.6g}%", _same_period(ex_post)
    names = (f"inflation under {level}{tail}", f"inflation {level} or more{tail}")
    sides = partial(_at_or_above, threshold=threshold)
    return signal_regimes(market, known, sides, names, "Inflation level", f"threshold {level}", ex_post)


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
    refuse_no_flag("ex_post", ex_post)
    number_between("years", years, 0.0, _LONGEST_SPAN, "pass 3, say")
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
        If the starts do not increase, or the dates are none, unsorted or of a time zone.
    """
    index = _checked_dates(dates)
    _refuse_no_starts(starts)
    firsts = pd.DatetimeIndex([parse_date(start, "starts") for start in starts.values()])
    if not len(firsts):
        raise InputError("starts", "no eras", fix="name the first day of each")
    if not firsts.is_monotonic_increasing or not firsts.is_unique:
        raise InputError("starts", "the first days of the eras must increase", fix="sort them by date")
    names = np.array([*starts, UNCLASSIFIED], dtype=object)
    labels = names[firsts.searchsorted(index, side="right") - 1]  # -1, before the first era, is unclassified
    rule = "borders are dated events, chosen in hindsight"
    return _regimes(labels, index, "Era", rule, True, tuple(starts))


def decades(dates: pd.DatetimeIndex, first_year: int = 1) -> Regimes:
    """Label periods by the decade they end in; ``first_year=1`` counts 1961–1970, 0 counts 1960–1969.

    There is no next label: on the last date before New Year it depends on when the next period ends.
    """
    index = _checked_dates(dates)
    whole_between("first_year", first_year, 0, 9, "pass the last digit of a decade's first year: 0 or 1")
    begin = (index.year.to_numpy() - int(first_year)) // 10 * 10 + int(first_year)
    labels = np.array([f"{year}–{year + 9}" for year in begin], dtype=object)
    return _regimes(labels, index, "Decade", "calendar", False, tuple(dict.fromkeys(labels)))


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
    refuse_no_market(market)
    years = window_years if window_years is not None else _SIGN_WINDOW[market.frequency.name]
    rows = rows_of_window(market, years, 2, "window_years")
    column_x, column_y = column_named(market, x, "x"), column_named(market, y, "y")
    if column_x == column_y:
        raise InputError("y", f"{y!r} is x, too: it would be compared with itself", fix="name another asset")
    codes = partial(_signs, market, column_x, column_y, rows)
    names = (f"{x}–{y} correlation was negative", f"{x}–{y} correlation was positive")
    rule = f"Pearson over the {years:g}-year window before the period"
    return coded_regimes(market, codes, names, "Trailing correlation", rule, False)


_SIGN_WINDOW = {"daily": 1.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 5.0, "yearly": 10.0}
_ROUNDING = 1e-12  # a figure this little above its mean is at its mean
_LONGEST_SPAN = 100.0  # years
_MOST_INFLATION = 1.0
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
    refuse_no_market(market)
    return signal_in_hindsight(market, "inflation") if ex_post else market.signal("inflation")


def _at_or_above(values: NDArray[np.float64], threshold: float) -> Codes:
    return np.where(np.isnan(values), _NEITHER, values >= threshold)


def _above_rounding(values: NDArray[np.float64]) -> Codes:
    return np.where(np.isnan(values), _NEITHER, values > _ROUNDING)


def _gap_to_trailing_mean(values: pd.Series[float], years: float, waits: bool) -> pd.Series[float]:
    """Return each figure less the mean of those in the ``years`` before it, NaN without a full span.

    Where nothing ``waits`` for figures to come, one of them must have it.
    """
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


def _refuse_percent(inflation: Signal) -> None:
    """Refuse inflation that is typically above 100 % a year: it is percent (F162)."""
    typical = float(inflation.values.abs().median()) if len(inflation.values) else 0.0
    if typical > _MOST_INFLATION:
        problem = f"typically {typical:g}, as a fraction {100 * typical:g} % a year, so it is percent"
        raise InputError("signals['inflation']", problem, fix="divide by 100")


def _checked_dates(dates: Any) -> pd.DatetimeIndex:
    refuse_no_dates(dates, "dates")
    return validate_index(dates, "dates")  # none at all are the past of a strategy on its first row


def _refuse_no_starts(starts: object) -> None:
    if not isinstance(starts, Mapping):
        problem = f"expected the first day of each era by name, got {type(starts).__name__}"
        raise InputError("starts", problem, fix='pass {"before": "1990-01-01", "after": "2022-01-01"}, say')
    for name in starts:
        refuse_no_text("starts", name, "name each era with a text")
