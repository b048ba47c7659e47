"""Covariances of returns on many dates at once, each of what was known by then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.statistics._merged_moments import Merged, Stretches, add_merged, blocks_of, total_weight
from allocator.statistics._returns import FloatArray, ReturnTable, read_late_returns
from allocator.statistics.covariance import (
    ShrunkCovariance,
    ledoit_wolf_covariance,
    read_half_lives,
    refuse_constant,
    rescaled,
)

__all__ = [
    "RollingCovariance",
    "rolling_covariance",
    "rolling_exponential_covariance",
    "rolling_shrunk_covariance",
]

Rows = NDArray[np.int64]
Date = str | dt.date
Dates = Sequence[Date] | pd.DatetimeIndex


@final
@dataclass(frozen=True, eq=False, repr=False)
class RollingCovariance:
    """Covariances of one period, in squared fractions, one matrix a date.

    Attributes
    ----------
    dates
        Sorted; each matrix is of returns up to and including its date.
    assets
        Their names.
    matrices
        Shape (n_dates, n_assets, n_assets), read-only, exactly symmetric.
    method
        How they were estimated, in words.
    intensities
        Of the shrinkage on each date, shape (n_dates,), read-only; None where nothing was shrunk.
    """

    dates: pd.DatetimeIndex
    assets: tuple[Any, ...]
    matrices: FloatArray
    method: str
    intensities: FloatArray | None = None

    def at(self, date: Date) -> pd.DataFrame:
        """Return the covariance on one of the dates, shape (n_assets, n_assets)."""
        row = int(self.dates.get_indexer(_as_dates([date], "date"))[0])
        if row < 0:
            first, last = iso_date(self.dates[0]), iso_date(self.dates[-1])
            raise InputError(
                "date", f"{date} is none of the {len(self.dates)} dates, which are of {first} to {last}"
            )
        return pd.DataFrame(self.matrices[row].copy(), index=list(self.assets), columns=list(self.assets))

    def __repr__(self) -> str:
        plural = "s" if len(self.dates) > 1 else ""
        return (
            f"RollingCovariance of {len(self.assets)} assets on {len(self.dates)} date{plural}, "
            f"{iso_date(self.dates[0])} to {iso_date(self.dates[-1])}: {self.method}"
        )


def rolling_covariance(returns: pd.DataFrame, window: int, dates: Dates | None = None) -> RollingCovariance:
    """Return the sample covariance (ddof 1) of the ``window`` returns up to each date.

    Each row is looked at twice at most, and no difference of running sums is taken, which would lose digits
    after a wild period: a window is cut where it crosses a multiple of ``window`` rows, the moments of both
    sides are built up from the cut outward, once for all windows with that cut, and merged.

    Parameters
    ----------
    returns
        Simple returns by date, shape (n_periods, n_assets). Leading NaN: not listed yet.
    window
        Rows, at least 2. With fewer than assets, plus one, the matrices are singular.
    dates
        Sorted dates of ``returns``; by default every row with a full window, if no asset begins late.

    Returns
    -------
    RollingCovariance
        An asset that does not vary within a window has zeros, or what rounding leaves of them.

    Raises
    ------
    InputError
        Returns that :func:`sample_covariance` refuses, or dates that are not among theirs or not sorted.
    InsufficientHistoryError
        A date without a full window: names the date, the rows needed and the asset that begins too late.
    """
    panel = _read(returns)
    stops = _stops(panel, _read_rows("window", window), dates)
    starts = stops - window
    cuts = starts[0] + ((starts - starts[0]) // window + 1) * window  # starts < cuts <= stops
    matrices, values = _no_products(panel, stops), panel.values
    before = add_merged(matrices, values, _leading_to(cuts, starts))
    after = add_merged(matrices, values, _following(cuts, stops))
    _merge(matrices, before, after, window - 1.0)
    return _record(panel, stops, matrices, f"sample covariance of {window} returns")


def rolling_exponential_covariance(
    returns: pd.DataFrame,
    volatility_half_life: float,
    correlation_half_life: float | None = None,
    dates: Dates | None = None,
    *,
    warm_up: int | None = None,
) -> RollingCovariance:
    """Return the exponentially weighted covariance of all returns up to each date.

    Parameters
    ----------
    returns
        Simple returns by date, shape (n_periods, n_assets). Leading NaN: not listed yet; the history then
        begins where every asset has a return.
    volatility_half_life, correlation_half_life
        In rows, as :func:`exponential_covariance` takes them.
    dates
        Sorted dates of ``returns``; by default every row from the end of the warm-up on, if no asset begins
        late.
    warm_up
        Rows that a date must have, with its own, at least 2; by default twice the longer half-life, by when
        what came before the table would weigh a quarter.

    Returns
    -------
    RollingCovariance
        With one half-life, an asset that has not varied has zeros, or what rounding leaves of them.

    Raises
    ------
    InputError
        As :func:`rolling_covariance`, and half-lives below 1; with two, an asset that has not varied.
    InsufficientHistoryError
        A date within the warm-up: names the date, the rows needed and the asset that begins too late.
    """
    volatility, correlation = read_half_lives(volatility_half_life, correlation_half_life)
    panel = _read(returns)
    stops = _stops(panel, _warm_up(warm_up, max(volatility, correlation)), dates)
    matrices = _exponential(panel, stops, volatility)
    method = f"exponentially weighted covariance, half-life {volatility:g} rows"
    if correlation != volatility:
        others = _exponential(panel, stops, correlation)
        _rescale(others, matrices, panel, stops)
        matrices, method = others, f"{method} for volatilities, {correlation:g} for correlations"
    return _record(panel, stops, matrices, method)


def rolling_shrunk_covariance(
    returns: pd.DataFrame,
    window: int,
    dates: Dates | None = None,
    shrink: Callable[[pd.DataFrame], ShrunkCovariance] = ledoit_wolf_covariance,
) -> RollingCovariance:
    """Return the shrunk covariance of the ``window`` returns up to each date.

    Parameters
    ----------
    returns
        Simple returns by date, shape (n_periods, n_assets). Leading NaN: not listed yet.
    window
        Rows, at least 2.
    dates
        Sorted dates of ``returns``; by default every row with a full window, if no asset begins late.
    shrink
        What shrinks the covariance of one window: :func:`ledoit_wolf_covariance` or
        :func:`ledoit_wolf_identity_covariance`.

    Raises
    ------
    InputError
        As :func:`rolling_covariance`, and what ``shrink`` refuses.
    InsufficientHistoryError
        A date without a full window: names the date, the rows needed and the asset that begins too late.
    """
    panel = _read(returns)
    stops = _stops(panel, _read_rows("window", window), dates)
    matrices, intensities = _no_products(panel, stops), np.empty(len(stops))
    for k, stop in enumerate(stops):
        shrunk = shrink(returns.iloc[stop - window : stop])
        matrices[k], intensities[k] = shrunk.covariance, shrunk.intensity
    intensities.flags.writeable = False
    method = f"{shrink.__name__} of {window} returns"
    return _record(panel, stops, matrices, method, intensities)


@dataclass(frozen=True, eq=False)
class _Panel:
    """Returns, the first row on which every asset has one, and which asset made that late, if one did."""

    table: ReturnTable
    begin: int
    late: Any

    @property
    def dates(self) -> pd.DatetimeIndex:
        assert self.table.dates is not None
        return self.table.dates

    @property
    def values(self) -> FloatArray:
        return np.ascontiguousarray(self.table.matrix)


def _read(returns: pd.DataFrame) -> _Panel:
    if not isinstance(returns, pd.DataFrame):
        problem = f"expected a DataFrame with dates, got {type(returns).__name__}"
        raise InputError("returns", problem, fix="name the dates and the assets")
    table, first = read_late_returns(returns)
    begin = int(first.max())
    return _Panel(table, begin, table.columns[int(first.argmax())] if begin else None)


def _read_rows(argument: str, rows: int) -> int:
    if not isinstance(rows, int | np.integer) or isinstance(rows, bool) or rows < 2:
        raise InputError(argument, f"{rows!r} is not a number of rows, 2 or more")
    return int(rows)


def _warm_up(rows: int | None, half_life: float) -> int:
    if rows is None and half_life == np.inf:
        raise InputError("warm_up", "an infinite half-life does not say it", fix="state it in rows")
    return int(np.ceil(2.0 * half_life)) if rows is None else _read_rows("warm_up", rows)


def _stops(panel: _Panel, needed: int, dates: Dates | None) -> Rows:
    """Return the row after each date; all have ``needed`` rows on which every asset has a return."""
    if dates is None:
        if panel.late is not None or needed > len(panel.dates):
            raise _too_early(panel, needed, panel.table.n_periods)
        return np.arange(needed, len(panel.dates) + 1)
    asked = _as_dates(dates, "dates")
    _refuse_unsorted(asked)
    stops = np.asarray(_rows_of(panel.dates, asked) + 1, dtype=np.int64)
    if stops[0] < panel.begin + needed:
        raise _too_early(panel, needed, int(stops[0]))
    return stops


def _as_dates(dates: Dates, argument: str) -> pd.DatetimeIndex:
    try:
        asked = dates if isinstance(dates, pd.DatetimeIndex) else pd.DatetimeIndex(list(dates))
    except (ValueError, TypeError) as error:
        raise InputError(
            argument, f"{dates!r}: {error}", fix="pass a list of dates like 2022-03-31"
        ) from error
    if not len(asked) or asked.hasnans:
        raise InputError(argument, "one of them is missing" if len(asked) else "there are none")
    return asked


def _refuse_unsorted(dates: pd.DatetimeIndex) -> None:
    wrong = np.flatnonzero(dates[1:] <= dates[:-1])
    if len(wrong):
        problem = f"comes after {iso_date(dates[wrong[0]])}"
        raise InputError("dates", problem, date=dates[wrong[0] + 1], fix="sort them, each once")


def _rows_of(index: pd.DatetimeIndex, dates: pd.DatetimeIndex) -> Rows:
    rows = index.get_indexer(dates)
    if rows.min() < 0:
        span = f"{iso_date(index[0])} to {iso_date(index[-1])}"
        raise InputError(
            "dates",
            "the returns have no such row",
            date=dates[int(rows.argmin())],
            fix=f"take them from returns.index, {span}",
        )
    return np.asarray(rows)


def _too_early(panel: _Panel, needed: int, stop: int) -> InsufficientHistoryError:
    """Return the refusal of the row before ``stop``, or of all up to it."""
    enough = panel.begin + needed
    begins = f"begins on {iso_date(panel.dates[panel.begin])}: " if panel.late is not None else ""
    fix = "give a longer history"
    if enough <= len(panel.dates):
        fix = f"ask for dates from {iso_date(panel.dates[enough - 1])} on"
        fix += ", or leave the asset out" if panel.late is not None else ""
    return InsufficientHistoryError(
        "returns",
        f"{begins}{max(stop - panel.begin, 0)} returns by then, {needed} are needed",
        asset=panel.late,
        date=panel.dates[stop - 1],
        rows_needed=enough,
        fix=fix,
    )


def _no_products(panel: _Panel, stops: Rows) -> FloatArray:
    n_assets = len(panel.table.columns)
    return np.zeros((len(stops), n_assets, n_assets))


def _leading_to(cuts: Rows, starts: Rows) -> Stretches:
    """Return the rows from each start to its cut, of those with the same cut the shortest first."""
    order = np.lexsort((-starts, cuts))
    is_first = _changes(cuts[order])
    return Stretches(
        starts[order], np.where(is_first, cuts[order], np.roll(starts[order], 1)), is_first, order
    )


def _following(cuts: Rows, stops: Rows) -> Stretches:
    """Return the rows from each cut to its stop, of those with the same cut the shortest first."""
    is_first = _changes(cuts)
    return Stretches(np.where(is_first, cuts, np.roll(stops, 1)), stops, is_first, np.arange(len(stops)))


def _changes(numbers: Rows) -> NDArray[np.bool_]:
    return np.concatenate([[True], numbers[1:] != numbers[:-1]])


def _merge(matrices: FloatArray, before: Merged, after: Merged, divisor: float) -> None:
    """Add what the difference of the means adds to two sums of centred products, and divide."""
    share = before.weight * after.weight / (before.weight + after.weight)
    gap = ((before.seen - after.seen) + (before.offset - after.offset)) * np.sqrt(share)[:, None]
    for part in blocks_of(len(gap), gap.shape[1] ** 2):
        block = matrices[part]
        block += gap[part, :, None] * gap[part, None, :]
        block /= divisor


def _exponential(panel: _Panel, stops: Rows, half_life: float) -> FloatArray:
    """Return the weighted covariances of the rows from the beginning of the panel to each stop."""
    matrices, decay = _no_products(panel, stops), 1.0 / half_life
    starts = np.concatenate([[panel.begin], stops[:-1]])
    stretches = Stretches(starts, stops, np.arange(len(stops)) == 0, np.arange(len(stops)))
    weight = add_merged(matrices, panel.values, stretches, decay).weight
    squares = total_weight(stops - panel.begin, 2.0 * decay)
    matrices /= (weight - squares / weight)[:, None, None]
    return matrices


def _rescale(matrices: FloatArray, others: FloatArray, panel: _Panel, stops: Rows) -> None:
    """Give each matrix the variances of the other, refusing one without a correlation."""
    largest = np.maximum.accumulate(np.abs(panel.values[panel.begin :]), axis=0)
    for matrix, other, stop in zip(matrices, others, stops.tolist(), strict=True):
        sizes = largest[stop - panel.begin - 1]
        refuse_constant(panel.table, np.sqrt(matrix.diagonal()), sizes, stop - 1)
        matrix[:] = rescaled(matrix, other.diagonal())


def _record(
    panel: _Panel, stops: Rows, matrices: FloatArray, method: str, intensities: FloatArray | None = None
) -> RollingCovariance:
    matrices.flags.writeable = False
    assets = tuple(panel.table.columns)
    return RollingCovariance(panel.dates[stops - 1], assets, matrices, method, intensities)
