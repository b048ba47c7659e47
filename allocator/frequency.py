"""How often a table of dates has a row: inferred from the dates, refused when they do not say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date

__all__ = [
    "FREQUENCIES",
    "Frequency",
    "earned_between",
    "infer_frequency",
    "per_period_rate",
    "resolve_frequency",
    "whole_days",
    "years_between",
]

_DAYS_PER_YEAR = 365.25
_UNITS_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31; beyond, dates cannot be printed


@dataclass(frozen=True)
class Frequency:
    """A row spacing: its name, periods a year, and the steps in days that count as one period."""

    name: str
    periods_per_year: int
    shortest_step: int
    longest_step: int

    def __str__(self) -> str:
        return self.name

    def rows(self, years: float) -> int:
        """Return how many periods a span of ``years`` holds, to the nearest one."""
        return round(years * self.periods_per_year)

    @property
    def is_calendar(self) -> bool:
        """Whether a period is a unit of the calendar, so that counting rows is counting time."""
        return self.periods_per_year <= 12


# The longest daily step covers a market closed for holidays or by decree (at most 13 days in the US
# since 1928), the others the spread between the first and the last working days of a period.
FREQUENCIES: dict[str, Frequency] = {
    f.name: f
    for f in (
        Frequency("daily", 252, 1, 14),
        Frequency("weekly", 52, 4, 10),
        Frequency("monthly", 12, 25, 36),
        Frequency("quarterly", 4, 85, 97),
        Frequency("yearly", 1, 355, 376),
    )
}
_SHORT_STEP = 3  # Friday to Monday: all the steps a very short daily table may have
# A five-day week with every Saturday traded (New York before 1952) is 300 rows a year; above that
# the table has weekends, and 252 periods a year would be wrong.
_MOST_DAILY_ROWS_PER_YEAR = 305
# Two exchanges of which one closes on Fridays share 190 days a year; every other day is 130, three a week 156
_FEWEST_DAILY_ROWS_PER_YEAR = 180
_FEWEST_ROWS_TO_COUNT = 60  # two long holidays weigh too much in less
_WRONG_YEAR = 3_653  # days, ten years: no frequency has such a step, a mistyped year makes one


def infer_frequency(index: pd.DatetimeIndex, argument: str = "prices") -> Frequency:
    """Infer the spacing of sorted dates, refusing what is mixed or ambiguous.

    Parameters
    ----------
    index
        Sorted unique dates, at least two.
    argument
        The argument the dates came from, for the message.

    Returns
    -------
    Frequency
        One of :data:`FREQUENCIES`.

    Raises
    ------
    InputError
        Where a step fits no frequency or another one than the rest: names the date where it changes.
    """
    return _inferred(_days(index), index, argument)


def _inferred(days: NDArray[np.int64], index: pd.DatetimeIndex, argument: str) -> Frequency:
    steps = days[1:] - days[:-1]
    if not len(steps):
        raise InputError(
            f"{argument}.index",
            "one date has no frequency",
            fix="pass periods_per_year, or at least two dates",
        )
    if steps.max() > _WRONG_YEAR:
        _refuse_wrong_year(index, steps, argument)
    typical = _typical(steps, int(days[-1] - days[0]))
    frequency = _candidate(typical)
    if frequency is None:
        raise InputError(
            f"{argument}.index",
            f"the typical step of {typical:g} days is not daily, weekly, monthly, quarterly or yearly",
            fix="resample to one of these",
        )
    _refuse_mixture(index, steps, frequency, argument)
    _refuse_weekends(index, days, frequency, argument)
    return frequency


def resolve_frequency(
    index: pd.DatetimeIndex, days: NDArray[np.int64], stated: str | None, argument: str = "prices"
) -> Frequency:
    """Return the frequency of dates and their :func:`whole_days`, checked against the one stated, if any."""
    if stated is not None and (not isinstance(stated, str) or stated not in FREQUENCIES):
        raise InputError("frequency", f"{stated!r} is none of {', '.join(FREQUENCIES)}", fix="leave it out")
    inferred = _inferred(days, index, argument)
    _refuse_thinned(index, days, inferred, argument)
    if stated is not None and stated != inferred.name:
        raise InputError(
            "frequency",
            f"{stated!r} contradicts the dates of {argument}, which are {inferred}",
            fix="leave it out",
        )
    return inferred


def whole_days(index: pd.Index) -> NDArray[np.int64] | None:
    """Return dates as days since 1970-01-01, shape (n_dates,), if nothing is wrong with any of them.

    None unless they are midnights without a time zone in years that can be printed, each later than
    the one before. A few passes over the integers inside take the place of a look at each date.
    """
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        return None
    ticks, per_day = index.asi8, _UNITS_PER_DAY[index.unit]
    days: NDArray[np.int64] = ticks // per_day
    if len(days) > 1 and (days[1:] - days[:-1]).min() < 1:
        return None
    # Sorted, so that the first and the last speak for all; NaT is the smallest integer.
    if len(days) and not _FIRST_DAY <= days[0] <= days[-1] <= _LAST_DAY:
        return None
    return days if np.array_equal(days * per_day, ticks) else None


def _days(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return any dates as days since 1970-01-01, the time of day cut off."""
    days = whole_days(index)
    return np.asarray(index, dtype="datetime64[D]").astype(np.int64) if days is None else days


def _typical(steps: NDArray[np.int64], n_days: int) -> float:
    """Return the median step; where it is sure to be short, which is daily, the longest of the short ones.

    Half of the steps are as long as the median or longer, so that it is at most twice the mean.
    """
    return float(_SHORT_STEP if 2 * n_days <= _SHORT_STEP * len(steps) else np.median(steps))


def _refuse_wrong_year(index: pd.DatetimeIndex, steps: NDArray[np.int64], argument: str) -> None:
    wide = np.flatnonzero(steps > _WRONG_YEAR)
    before, after = index[wide[0]], index[wide[0] + 1]
    years = steps[wide[0]] / _DAYS_PER_YEAR
    raise InputError(
        f"{argument}.index",
        f"{iso_date(before)} is followed by {iso_date(after)}, {years:.0f} years later",
        date=after,
        count=len(wide),
        fix="correct the year, or cut the table there",
    )


def _candidate(typical: float) -> Frequency | None:
    if typical <= _SHORT_STEP:
        return FREQUENCIES["daily"]
    slower = [f for f in FREQUENCIES.values() if f.name != "daily"]
    # The extremes that a single step may have are not typical of any frequency: ten days are not a week.
    return next((f for f in slower if f.shortest_step < typical < f.longest_step), None)


def _refuse_mixture(
    index: pd.DatetimeIndex, steps: NDArray[np.int64], frequency: Frequency, argument: str
) -> None:
    if steps.min() >= frequency.shortest_step and steps.max() <= frequency.longest_step:
        return
    odd = np.flatnonzero((steps < frequency.shortest_step) | (steps > frequency.longest_step))
    first = int(odd[0])
    raise InputError(
        f"{argument}.index",
        f"mixed frequency: the dates are {frequency}, but {iso_date(index[first])} is followed by "
        f"{iso_date(index[first + 1])}, {steps[first]} days later",
        date=index[first + 1],
        count=len(odd),
        fix="resample to one frequency or cut the table there",
    )


def _refuse_weekends(
    index: pd.DatetimeIndex, days: NDArray[np.int64], frequency: Frequency, argument: str
) -> None:
    if frequency.name != "daily" or len(days) < 30:
        return
    rows_per_year = (len(days) - 1) / (int(days[-1] - days[0]) / _DAYS_PER_YEAR)
    if rows_per_year > _MOST_DAILY_ROWS_PER_YEAR:
        weekend = index[index.day_of_week >= 5]
        raise InputError(
            f"{argument}.index",
            f"{rows_per_year:.0f} rows a year, weekends among them: 252 periods a year would be wrong",
            date=weekend[0] if len(weekend) else None,
            fix=f"keep the working days: {argument}[{argument}.index.day_of_week < 5]",
        )


def _refuse_thinned(
    index: pd.DatetimeIndex, days: NDArray[np.int64], frequency: Frequency, argument: str
) -> None:
    """Refuse daily prices that lack so many days that 252 periods a year would be wrong."""
    if frequency.name != "daily" or len(days) < _FEWEST_ROWS_TO_COUNT:
        return
    rows_per_year = (len(days) - 1) / (int(days[-1] - days[0]) / _DAYS_PER_YEAR)
    if rows_per_year < _FEWEST_DAILY_ROWS_PER_YEAR:
        wide = np.flatnonzero(days[1:] - days[:-1] > 1)
        raise InputError(
            f"{argument}.index",
            f"{rows_per_year:.0f} rows a year of daily dates: 252 periods a year would be wrong",
            date=index[wide[0] + 1],
            count=len(wide),
            fix=f"get the missing days, or make weeks of it: {argument}.resample('W-FRI').last()",
        )


def years_between(index: pd.DatetimeIndex, frequency: Frequency) -> NDArray[np.float64]:
    """Return the length in years of the period that ends at each date but the first, shape (n_dates - 1,).

    Calendar periods (a month, a quarter, a year) have their nominal length; days and weeks are
    counted on the calendar, 365.25 days a year.
    """
    if frequency.is_calendar:
        return np.full(len(index) - 1, 1.0 / frequency.periods_per_year)
    return np.diff(_days(index)) / _DAYS_PER_YEAR


def per_period_rate(annual: float, years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what an annual effective rate earns over periods of ``years``: (1 + annual)^years - 1."""
    return np.asarray(np.expm1(np.log1p(annual) * years), dtype=np.float64)


def earned_between(annual: float, days: NDArray[np.int64], frequency: Frequency) -> NDArray[np.float64]:
    """Return what an annual effective rate earns in the period that ends at each date, shape (n_dates,).

    ``days`` are :func:`whole_days`. The first row, before which there is no period, earns 0; the others
    are :func:`per_period_rate` of :func:`years_between`, worked out once for each length that occurs.
    """
    if annual == 0.0:
        earned = np.full(len(days), annual)
    elif frequency.is_calendar:
        period = per_period_rate(annual, np.array([1.0 / frequency.periods_per_year]))
        earned = np.full(len(days), period[0])
    else:
        lengths = np.arange(frequency.longest_step + 1) / _DAYS_PER_YEAR
        earned = np.empty(len(days))
        per_period_rate(annual, lengths).take(np.diff(days), out=earned[1:])
    earned[0] = 0.0
    return earned
