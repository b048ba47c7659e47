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
    "infer_frequency",
    "per_period_rate",
    "resolve_frequency",
    "years_between",
]

_DAYS_PER_YEAR = 365.25


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
# A five-day week with every Saturday traded (New York before 1952) is 300 rows a year; above that
# the table has weekends, and 252 periods a year would be wrong.
_MOST_DAILY_ROWS_PER_YEAR = 305


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
    steps = _days_between(index)
    if not len(steps):
        raise InputError(
            f"{argument}.index",
            "one date has no frequency",
            fix="pass periods_per_year, or at least two dates",
        )
    typical = float(np.median(steps))
    frequency = _candidate(typical)
    if frequency is None:
        raise InputError(
            f"{argument}.index",
            f"the typical step of {typical:g} days is not daily, weekly, monthly, quarterly or yearly",
            fix="resample to one of these",
        )
    _refuse_mixture(index, steps, frequency, argument)
    _refuse_weekends(index, frequency, argument)
    return frequency


def resolve_frequency(index: pd.DatetimeIndex, stated: str | None, argument: str = "prices") -> Frequency:
    """Return the inferred frequency, checked against the one the caller stated, if any."""
    if stated is not None and (not isinstance(stated, str) or stated not in FREQUENCIES):
        raise InputError("frequency", f"{stated!r} is none of {', '.join(FREQUENCIES)}", fix="leave it out")
    inferred = infer_frequency(index, argument)
    if stated is not None and stated != inferred.name:
        raise InputError(
            "frequency",
            f"{stated!r} contradicts the dates of {argument}, which are {inferred}",
            fix="leave it out",
        )
    return inferred


def _days_between(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    days: NDArray[np.int64] = np.asarray(index, dtype="datetime64[D]").astype(np.int64)
    return np.diff(days)


def _candidate(typical: float) -> Frequency | None:
    if typical <= 3:  # Friday to Monday: all the steps a very short daily table may have
        return FREQUENCIES["daily"]
    slower = [f for f in FREQUENCIES.values() if f.name != "daily"]
    # The extremes that a single step may have are not typical of any frequency: ten days are not a week.
    return next((f for f in slower if f.shortest_step < typical < f.longest_step), None)


def _refuse_mixture(
    index: pd.DatetimeIndex, steps: NDArray[np.int64], frequency: Frequency, argument: str
) -> None:
    odd = np.flatnonzero((steps < frequency.shortest_step) | (steps > frequency.longest_step))
    if len(odd):
        first = int(odd[0])
        raise InputError(
            f"{argument}.index",
            f"mixed frequency: the dates are {frequency}, but {iso_date(index[first])} is followed by "
            f"{iso_date(index[first + 1])}, {steps[first]} days later ({len(odd)} such steps)",
            date=index[first + 1],
            fix="resample to one frequency or cut the table there",
        )


def _refuse_weekends(index: pd.DatetimeIndex, frequency: Frequency, argument: str) -> None:
    if frequency.name != "daily" or len(index) < 30:
        return
    rows_per_year = (len(index) - 1) / ((index[-1] - index[0]).days / _DAYS_PER_YEAR)
    if rows_per_year > _MOST_DAILY_ROWS_PER_YEAR:
        weekend = index[index.day_of_week >= 5]
        raise InputError(
            f"{argument}.index",
            f"{rows_per_year:.0f} rows a year, weekends among them: 252 periods a year would be wrong",
            date=weekend[0] if len(weekend) else None,
            fix=f"keep the working days: {argument}[{argument}.index.day_of_week < 5]",
        )


def years_between(index: pd.DatetimeIndex, frequency: Frequency) -> NDArray[np.float64]:
    """Return the length in years of the period that ends at each date but the first, shape (n_dates - 1,).

    Calendar periods (a month, a quarter, a year) have their nominal length; days and weeks are
    counted on the calendar, 365.25 days a year.
    """
    if frequency.is_calendar:
        return np.full(len(index) - 1, 1.0 / frequency.periods_per_year)
    return _days_between(index) / _DAYS_PER_YEAR


def per_period_rate(annual: float, years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what an annual effective rate earns over periods of ``years``: (1 + annual)^years - 1."""
    return np.asarray(np.expm1(np.log1p(annual) * years), dtype=np.float64)
