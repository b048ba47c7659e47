"""What returns did around dated events, against what they did around dates on which nothing happened."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.statistics import show_events as show
from allocator.statistics._cash import Cash, excess_returns
from allocator.statistics._moments import is_rounding
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._returns import FloatArray, Returns, ReturnTable, read_one_series

__all__ = ["EventStudy", "event_study"]

Dates: TypeAlias = "Iterable[str | pd.Timestamp]"
_FEWEST_PLACEBOS = 100
_FEWEST_WINDOWS = 5.0  # of the length after an event, without overlap


@final
@dataclass(frozen=True, eq=False, repr=False)
class EventStudy:
    """The mean cumulative return around events, against placebo dates; prints itself.

    Attributes
    ----------
    name
        Of the series.
    events
        A row an event: the ``date`` given, the ``row`` on which it is first known (day 0), and its
        ``cumulative`` return from the close of day 0 to the last day.
    path
        By day from ``-before`` to ``after``: ``response``, the mean over events of the wealth at the close
        of that day over that at the close of day 0, less 1; ``placebo``, the same over all placebo dates;
        ``low`` and ``high``, within which the response less the placebo is with the confidence.
    effect, low, high
        The mean ``cumulative`` less that of the placebo dates, and its interval.
    standard_error
        Of the effect: the deviation of the same mean over placebo dates.
    p_value
        Two-sided: how often as many placebo dates are at least as far from their mean.
    n
        Events.
    n_placebo_dates, n_resamples, seed
        How many dates there are to draw from, and how often as many as events were drawn, with what.
    confidence
        Of the intervals, from the draws.
    """

    name: str
    events: pd.DataFrame
    path: pd.DataFrame
    effect: float
    low: float
    high: float
    standard_error: float
    p_value: float
    n: int
    n_placebo_dates: int
    n_resamples: int
    seed: int
    confidence: float

    __repr__ = show.event_text
    _repr_html_ = show.event_html


def event_study(
    returns: Returns,
    dates: Dates,
    *,
    after: int = 63,
    before: int = 21,
    cash: Cash = 0.0,
    confidence: float = 0.95,
    n_resamples: int = 4999,
    seed: int = 0,
) -> EventStudy:
    """Measure the mean cumulative return after dated events, against randomly chosen other dates.

    An event acts on the first row at or after its date, day 0; the response is what was earned from the
    close of that day. Placebo dates are all rows with the same room around them that are further than
    ``after`` rows from every event. Their draws keep the length of the window, and so its
    autocorrelation, which a standard error over a handful of events does not; intervals and p are widened by
    what the placebo mean itself does not know. Draws are as if events fell independently: events that cluster
    share returns, and the interval is then too short.

    Parameters
    ----------
    returns
        One series of simple returns, with dates.
    dates
        Of the events; two that act on one row are refused.
    after, before
        Rows after and before day 0.
    cash
        To measure over: an annual effective rate, or the returns of cash in each period.
    confidence
        Of the intervals.
    n_resamples, seed
        Draws of placebo dates.

    Raises
    ------
    InputError
        No events, dates beyond the returns or without room for the window, two events on one row, and what
        returns are refused for.
    InsufficientHistoryError
        Fewer than 100 placebo dates.
    """
    refuse_confidence(confidence)
    table = read_one_series(returns)
    after, before = _refuse_window(table, after, before)
    _refuse_draws(n_resamples, seed, confidence)
    wealth, stamps = _wealth(table, cash), _stamps(dates)
    events = _rows_of(stamps, table, after, before)
    placebos = _placebos(table.n_periods, events, after, before)
    paths = _paths(wealth, events, after, before)
    others = _paths(wealth, placebos, after, before)
    means = _drawn_means(others, len(events), n_resamples, np.random.default_rng(seed))
    response, base = paths.mean(axis=0), others.mean(axis=0)
    changes = (means - base) * _widening(len(events), len(placebos), after)
    low, high = _interval(response - base, changes, confidence)
    effect, change = float((response - base)[-1]), changes[:, -1]
    return EventStudy(
        name=str(table.columns[0]),
        events=_event_table(stamps, events, table, paths[:, -1]),
        path=pd.DataFrame(
            {"response": response, "placebo": base, "low": low, "high": high},
            index=pd.RangeIndex(-before, after + 1, name="day"),
        ),
        effect=effect,
        low=float(low[-1]),
        high=float(high[-1]),
        standard_error=float(change.std(ddof=1)),
        p_value=float((1 + np.sum(np.abs(change) >= abs(effect))) / (n_resamples + 1)),
        n=len(events),
        n_placebo_dates=len(placebos),
        n_resamples=n_resamples,
        seed=seed,
        confidence=confidence,
    )


def _refuse_window(table: ReturnTable, after: int, before: int) -> tuple[int, int]:
    """Return the window as whole numbers of rows, refusing returns without dates, or with a time zone."""
    if table.dates is None or table.dates.tz is not None:
        what = "are an array, which has no dates" if table.dates is None else "have a time zone"
        raise InputError("returns", what, fix="pass a Series with dates without a time zone")
    return _whole("after", after, 1), _whole("before", before, 0)


def _refuse_draws(n_resamples: int, seed: int, confidence: float) -> None:
    _whole("seed", seed, 0)
    least = int(np.ceil(round(2.0 / (1.0 - confidence), 6)))
    if _whole("n_resamples", n_resamples, 99) + 1 < least:
        problem = f"{n_resamples} are too few for a confidence of {confidence:g}"
        raise InputError("n_resamples", problem, fix=f"pass {least} or more")


def _whole(argument: str, value: object, least: int) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise InputError(argument, f"{value!r} is not a whole number of at least {least}")
    return number


def _wealth(table: ReturnTable, cash: Cash) -> FloatArray:
    """Return what 1 became at each close, refusing a total loss and returns that never change over cash."""
    excess = excess_returns(table, cash, None)[:, 0]
    if (excess <= -1.0).any():
        raise InputError("returns", "everything is lost", date=table.date(int((excess <= -1.0).argmax())))
    if is_rounding(excess.std(), table.matrix):
        raise InputError("returns", "never change over cash, so that nothing can be told from nothing")
    return np.concatenate([[1.0], np.cumprod(1.0 + excess)])


def _rows_of(stamps: pd.DatetimeIndex, table: ReturnTable, after: int, before: int) -> NDArray[np.intp]:
    """Return the row of each event's day 0, increasing."""
    index = table.dates
    assert index is not None  # refused before
    rows = index.searchsorted(stamps)
    for stamp, row in zip(stamps, rows, strict=True):
        if stamp < index[0] or row >= len(index):
            span = f"{iso_date(index[0])} to {iso_date(index[-1])}"
            raise InputError("dates", f"beyond the returns, {span}", date=stamp, fix="leave it out")
        if row + after >= len(index) or row + 1 < before:
            problem = (
                f"{len(index) - 1 - row} rows after it and {row + 1} before, {after} and {before} needed"
            )
            raise InputError("dates", problem, date=stamp, fix="leave it out, or pass a shorter window")
    same = np.flatnonzero(np.diff(rows) == 0)
    if len(same):
        first, second = stamps[same[0]], stamps[same[0] + 1]
        raise InputError("dates", f"acts on the same row as {iso_date(first)}", date=second, fix="keep one")
    return np.asarray(rows, dtype=np.intp)


def _stamps(dates: Dates) -> pd.DatetimeIndex:
    """Return the dates, which must increase: the order of a list that is not in order may mean something."""
    if isinstance(dates, str) or not isinstance(dates, Iterable):
        raise InputError("dates", f"{dates!r} is no list of dates", fix='pass a list such as ["2023-08-01"]')
    try:
        stamps = pd.DatetimeIndex([_stamp(each) for each in dates])
    except (ValueError, TypeError) as problem:
        raise InputError("dates", str(problem), fix='write dates as "2023-08-01"') from None
    if not len(stamps):
        raise InputError("dates", "no events")
    if stamps.hasnans or not stamps.is_monotonic_increasing:
        raise InputError("dates", "are not in order, or one is missing", fix="sort them")
    return stamps


def _stamp(date: object) -> pd.Timestamp:
    if not isinstance(date, (str, dt.date, np.datetime64)):
        raise TypeError(f"{date!r} is no date")
    stamp = pd.Timestamp(date)
    if stamp.tzinfo is not None:
        raise TypeError(f"{date!r} has a time zone")
    return stamp


def _placebos(n: int, events: NDArray[np.intp], after: int, before: int) -> NDArray[np.intp]:
    """Return the rows with room for the window that are further than ``after`` rows from every event."""
    rows = np.arange(max(before - 1, 0), n - after)
    next_event = np.searchsorted(events, rows)
    padded = np.concatenate([[-np.inf], events.astype(np.float64), [np.inf]])
    free = (rows - padded[next_event] > after) & (padded[next_event + 1] - rows > after)
    found: NDArray[np.intp] = rows[free]
    if len(found) < max(_FEWEST_PLACEBOS, len(events)):
        raise InsufficientHistoryError(
            "returns",
            f"{len(found)} placebo dates, at least {max(_FEWEST_PLACEBOS, len(events))} are needed",
            rows_needed=n + _FEWEST_PLACEBOS,
            fix="pass longer returns, fewer events or a shorter window",
        )
    return found


def _paths(wealth: FloatArray, rows: NDArray[np.intp], after: int, before: int) -> FloatArray:
    """Return the return from the close of day 0 to each day, shape (n_rows, before + 1 + after)."""
    closes = rows[:, np.newaxis] + 1 + np.arange(-before, after + 1)  # wealth begins before the first return
    return np.asarray(wealth[closes] / wealth[rows + 1][:, np.newaxis] - 1.0)


def _drawn_means(paths: FloatArray, k: int, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Return the mean path of ``k`` distinct placebo dates, drawn again and again, (n_resamples, n_days)."""
    means = np.empty((n_resamples, paths.shape[1]))
    for draw in range(n_resamples):
        means[draw] = paths[rng.choice(len(paths), k, replace=False)].mean(axis=0)
    return means


def _widening(k: int, n_placebos: int, after: int) -> float:
    """Return by how much the error of the effect is above the deviation of drawn means.

    Windows overlap, so that n placebo dates hold about m = n/after independent ones. The mean of all has
    an error of its own, 1/m against the 1/k of the events, and the variance within m windows is (m - 1)/m
    of the true one. Few windows have fat tails besides: the variance of Student's t with m - 1 degrees is
    (m - 1)/(m - 3).
    """
    m = max(n_placebos / after, _FEWEST_WINDOWS)
    return float(np.sqrt((1.0 + k / m) * m / (m - 1.0) * (m - 1.0) / (m - 3.0)))


def _interval(effect: FloatArray, changes: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Return the interval of the effect: what it would have to be for its distance to be usual."""
    tail = (1.0 - confidence) / 2.0
    lowest, highest = np.quantile(changes, [tail, 1.0 - tail], axis=0)
    return effect - highest, effect - lowest


def _event_table(
    stamps: pd.DatetimeIndex, rows: NDArray[np.intp], table: ReturnTable, cumulative: FloatArray
) -> pd.DataFrame:
    assert table.dates is not None
    return pd.DataFrame({"date": stamps, "row": table.dates[rows], "cumulative": cumulative})
