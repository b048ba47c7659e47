"""Labels by the level of any signal, and by which of two moves more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.market.market import is_cut
from allocator.regimes._settings import number_between, refuse_no_flag, whole_between
from allocator.regimes.publication import read_signal
from allocator.regimes.record import Codes, Regimes, coded_regimes, signal_regimes, titled
from allocator.statistics._settings import is_number

__all__ = ["relative_volatility", "signal_level", "signal_quantile"]

_SLACK = pd.Timedelta(days=15)  # publication days wander around the calendar
_FEWEST_CHANGES = 8
_STILL = 1e-14  # a deviation of rounding
_LONGEST_SPAN = 100.0  # years
_LARGEST_RATIO = 1e50
_MOST_FIGURES = 1_000_000


def signal_level(
    market: Market, signal: str | Signal, thresholds: float | Sequence[float], *, ex_post: bool = False
) -> Regimes:
    """Label periods by where a signal stands between fixed thresholds.

    Parameters
    ----------
    market
        With the signal, where it is named.
    signal
        Its name, or figures with the dates on which they were known: ``published(series, publication_lag)``.
    thresholds
        One or more, increasing, in the unit of the signal; a figure equal to one is "or more" (F153).
    ex_post
        False: the newest figure published before the period began. True: the figure that describes
        the period, which was published after it.

    Raises
    ------
    InputError
        If there is no such signal, the thresholds do not increase, or ``ex_post`` is asked for and the
        signal does not say what its figures describe.
    """
    refuse_no_flag("ex_post", ex_post)
    borders = _increasing("thresholds", thresholds)
    name, figures = read_signal(market, signal, ex_post)
    tail = ", same period" if ex_post else ""
    texts = [f"{border:.6g}" for border in borders]
    between = [f"{name} {low} to {high}{tail}" for low, high in pairwise(texts)]
    names = (f"{name} under {texts[0]}{tail}", *between, f"{name} {texts[-1]} or more{tail}")
    rule = f"threshold{'s' * (len(texts) > 1)} {', '.join(texts)}"
    sides = partial(_places, borders=borders)
    return signal_regimes(market, figures, sides, names, f"{titled(name)} level", rule, ex_post)


def signal_quantile(
    market: Market,
    signal: str | Signal,
    quantiles: float | Sequence[float] = 0.5,
    *,
    fewest: int = 24,
    ex_post: bool = False,
) -> Regimes:
    """Label periods by where the newest figure of a signal stands among those published up to it.

    Parameters
    ----------
    market, signal
        As for :func:`signal_level`.
    quantiles
        One or more, between 0 and 1, increasing: ``(1/3, 2/3)`` makes three labels. A figure equal to a
        quantile is above it.
    fewest
        Figures, the newest included, before which a period is unclassified.
    ex_post
        False: quantiles of what was published when the period began. True: those of the whole sample,
        which nobody knew: such labels show more than could be traded on, and their rule says so (F149).

    Raises
    ------
    InputError
        If there is no such signal, quantiles are not between 0 and 1 and increasing, or the whole market
        never has ``fewest`` figures.
    """
    refuse_no_flag("ex_post", ex_post)
    shares = _increasing("quantiles", quantiles)
    if shares[0] <= 0.0 or shares[-1] >= 1.0:
        raise InputError("quantiles", f"{quantiles!r}: not between 0 and 1", fix="a median is 0.5")
    whole_between("fewest", fewest, 2, _MOST_FIGURES, "pass 24 or so")
    name, figures = read_signal(market, signal, ex_post)
    if len(figures.values) < fewest and not is_cut(market):
        raise InputError("fewest", f"{name!r} has {len(figures.values)} figures, and {fewest} are asked for")
    tail = ", in-sample" if ex_post else ""
    texts = [f"{share * 100:.3g}%" for share in shares]
    between = [f"{name} {low} to {high} quantile{tail}" for low, high in pairwise(texts)]
    names = (
        f"{name} under its {texts[0]} quantile{tail}",
        *between,
        f"{name} at or above its {texts[-1]} quantile{tail}",
    )
    codes = partial(_quantile_codes, market, _ranked(figures.values, shares, fewest, ex_post))
    rule = _quantile_rule(texts, fewest, ex_post)
    return coded_regimes(market, codes, names, f"{titled(name)} quantile", rule, ex_post)


def relative_volatility(
    market: Market,
    x: str | Signal = "inflation",
    y: str | Signal = "growth",
    years: float = 10.0,
    *,
    ratio: float = 1.0,
) -> Regimes:
    """Label periods by which of two signals changed more over the span before: inflation or growth.

    Where inflation moves more than growth, news about it moves stocks and bonds together; where growth does,
    against each other. The volatility of each is the deviation (ddof 1) of its changes from figure to figure,
    a year, over the figures published in the span that ends with its newest.

    Parameters
    ----------
    market
        With the signals that are named.
    x, y
        Names, or signals; each at its own frequency.
    years
        The span. Periods before which either signal has no full span with eight changes, or in which neither
        signal ever changed its pace, are unclassified.
    ratio
        x dominates where its volatility is at least this many times that of y: news of one unit of each
        need not move bonds alike.

    Raises
    ------
    InputError
        If a signal is missing, or no figure of it has a full span before it.

    References
    ----------
    Campbell, Pflueger and Viceira (2020), Journal of Political Economy 128(8); Brixton et al. (2023),
    Journal of Portfolio Management 49(4): growth and inflation volatility, and their correlation.
    """
    number_between("years", years, 0.0, _LONGEST_SPAN, "pass 10, say")
    number_between("ratio", ratio, 0.0, _LARGEST_RATIO, "1 compares them as they are")
    (name_x, one), (name_y, two) = (
        read_signal(market, signal, False, argument) for argument, signal in (("x", x), ("y", y))
    )
    span = pd.Timedelta(days=years * 365.25)
    if not is_cut(market):
        _refuse_short(name_x, one, years)
        _refuse_short(name_y, two, years)
    times = f"{ratio:g} × " if ratio != 1.0 else ""
    names = (
        f"{name_x} less volatile than {times}{name_y}",
        f"{name_x} at least as volatile as {times}{name_y}",
    )
    codes = partial(_dominance, market, one, two, span, ratio)
    rule = f"deviation of the changes of {name_x} and {name_y} over {years:g} years"
    return coded_regimes(market, codes, names, "Relative volatility", rule, False)


def _increasing(argument: str, numbers: float | Sequence[float]) -> NDArray[np.float64]:
    """Return one number or several, refusing what does not increase."""
    given = np.asarray(numbers if not isinstance(numbers, list | tuple) or _are_even(numbers) else None)
    if given.dtype.kind not in "fiu":  # 0.03 hides in "0.03", and 1 in True
        raise InputError(argument, f"{numbers!r}: not numbers")
    found = np.atleast_1d(given.astype(np.float64))
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or (np.diff(found) <= 0.0).any():
        raise InputError(argument, f"{numbers!r}: expected one finite number, or several that increase")
    return found


def _are_even(numbers: Sequence[object]) -> bool:
    """Return whether each is a number, so that an array of them is no table."""
    return all(is_number(each) for each in numbers)


def _places(values: NDArray[np.float64], borders: NDArray[np.float64]) -> Codes:
    """Return how many borders are at or below each value; one more than all for no value."""
    places = borders.searchsorted(values, side="right")
    return np.where(np.isnan(values), len(borders) + 1, places)


def _ranked(
    values: pd.Series[float], shares: NDArray[np.float64], fewest: int, ex_post: bool
) -> pd.Series[float]:
    """Return the number of quantiles at or below each figure; one more than all with too few before it."""
    codes = pd.Series(0.0, index=values.index)
    past = values.expanding(min_periods=fewest)
    for share in shares:
        border = float(values.quantile(share)) if ex_post else past.quantile(share)
        codes += values >= border
    if ex_post:
        return codes
    return codes.where(np.arange(1, len(values) + 1) >= fewest, len(shares) + 1.0)


def _quantile_codes(market: Market, ranked: pd.Series[float], first: int, stop: int) -> Codes:
    """Return the code of the newest figure known when each period began."""
    codes = Signal(ranked).as_known_on(market.index[first - 1 : stop - 1])
    return np.asarray(np.where(np.isnan(codes), -1, codes), dtype=np.int64)


def _quantile_rule(texts: Sequence[str], fewest: int, ex_post: bool) -> str:
    what = f"quantile{'s' * (len(texts) > 1)} {', '.join(texts)}"
    if ex_post:
        return f"in-sample {what}: of the whole sample, which was not known then"
    return f"{what} of the figures published by then, at least {fewest}"


def _refuse_short(name: str, signal: Signal, years: float) -> None:
    dates = signal.values.index
    found = (dates[-1] - dates[0]).days / 365.25 if len(dates) else 0.0
    if found < years - 0.1 or len(dates) <= _FEWEST_CHANGES:
        problem = f"{name!r} has {len(dates)} figures of {found:.3g} years"
        raise InputError(
            "years", f"{problem}; a window of {years:g} years needs more", fix="a shorter window"
        )


def _dominance(
    market: Market, one: Signal, two: Signal, span: pd.Timedelta, ratio: float, first: int, stop: int
) -> Codes:
    """Return 1 where the first moved at least ``ratio`` times as much, 0 where less, 2 where none can say."""
    dates = market.index[first - 1 : stop - 1]
    x, y = _volatility(one, span, dates), _volatility(two, span, dates)
    silent = np.isnan(x) | np.isnan(y) | ((x <= _STILL) & (y <= _STILL))
    return np.where(silent, 2, x >= ratio * y)


def _volatility(signal: Signal, span: pd.Timedelta, dates: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return what was known on each date, a year, NaN without a full span; each newest figure once."""
    known = pd.DatetimeIndex(signal.values.index)
    stops, places = np.unique(known.searchsorted(dates, side="right"), return_inverse=True)
    figures = np.asarray(signal.values, dtype=np.float64)
    return np.array([_volatility_of(figures, known, int(stop), span) for stop in stops])[places]


def _volatility_of(
    figures: NDArray[np.float64], known: pd.DatetimeIndex, stop: int, span: pd.Timedelta
) -> float:
    if not stop or known[0] > known[stop - 1] - span + _SLACK:
        return float("nan")
    begin = int(known.searchsorted(known[stop - 1] - span - _SLACK, side="left"))
    changes = np.diff(figures[begin:stop])
    if len(changes) < _FEWEST_CHANGES:
        return float("nan")
    years = (known[stop - 1] - known[begin]).days / 365.25
    return float(changes.std(ddof=1) * np.sqrt(len(changes) / years))
