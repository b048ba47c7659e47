"""When to trade: one small class a rule; ``a | b`` is either."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency
from allocator.market.prices import validate_index

__all__ = [
    "AnyOf",
    "Band",
    "BuyAndHold",
    "Daily",
    "EveryNRows",
    "LeverageAbove",
    "Monthly",
    "OnDates",
    "Quarterly",
    "Rebalancing",
    "TIE",
    "Trigger",
    "Weekly",
    "Yearly",
    "acting_rows",
    "default_rebalancing",
]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
DESTINATIONS = ("target", "edge", "halfway")
TIE = 1e-12  # as near to the edge of a band rounding decides, and a weight just traded to it stands there
_NO_ROW: Rows = np.empty(0, dtype=np.int64)


class Trigger(ABC):
    """What asks for a decision because weights have drifted.

    Attributes
    ----------
    tested
        The rows at whose close it is tested, None for every row.
    """

    tested: Rows | None

    @abstractmethod
    def breached(self, drifted: Array, target: Array) -> NDArray[np.bool_]:
        """Return at which closes the drifted weights ask for a decision.

        Shapes: ``drifted`` (n_periods, n_assets), ``target`` (n_assets,), the answer (n_periods,).
        """

    @abstractmethod
    def destination(self, drifted: Array, target: Array) -> Array:
        """Return the weights to trade to, all of shape (n_assets,); ``drifted`` itself is no trade."""


class Rebalancing(ABC):
    """When to decide anew; the trade follows ``lag`` rows later. The first build needs no rule."""

    @abstractmethod
    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the rows at whose close the calendar asks for a decision, increasing.

        Whether a row ends its period is seen from the date of the row after it, so the last row never does.
        """

    @abstractmethod
    def triggers(
        self, assets: tuple[str, ...], index: pd.DatetimeIndex, frequency: Frequency
    ) -> tuple[Trigger, ...]:
        """Return what watches the drift of the weights, none for a calendar."""

    def __or__(self, other: Rebalancing) -> AnyOf:
        """Return the rule that asks whenever one of the two does."""
        return AnyOf((self, other))


class _Calendar(Rebalancing):
    """A rule that looks at the calendar only."""

    def triggers(
        self,
        assets: tuple[str, ...],  # noqa: ARG002
        index: pd.DatetimeIndex,  # noqa: ARG002
        frequency: Frequency,  # noqa: ARG002
    ) -> tuple[Trigger, ...]:
        """Return none: drift does not matter to a calendar."""
        return ()


def _refuse_finer(frequency: Frequency, rule: Rebalancing, most: int) -> None:
    if frequency.periods_per_year < most:
        raise InputError(
            "rebalancing",
            f"{rule} is finer than {frequency} data",
            fix=f"choose {default_rebalancing(frequency)} or slower",
        )


def _rows_before(dates: NDArray[np.datetime64], starts: NDArray[np.datetime64]) -> Rows:
    """Return the last row before each of the dates that begin a period, each row once, the last never."""
    rows = dates.searchsorted(starts.astype(dates.dtype)) - 1
    first, stop = rows.searchsorted((0, len(dates) - 1))
    return _each_once(rows[first:stop])


def _each_once(rows: Rows) -> Rows:
    """Return rows in order without repeats."""
    is_new = np.ones(len(rows), dtype=bool)
    np.greater(rows[1:], rows[:-1], out=is_new[1:])
    return np.asarray(rows[is_new])


def _period_ends(index: pd.DatetimeIndex, months: int) -> Rows:
    """Return the last row of each period of so many months, counted from January."""
    dates = index.values
    first, last = (int(date.astype("datetime64[M]").astype(np.int64)) for date in (dates[0], dates[-1]))
    starts = np.arange((first // months + 1) * months, last + 1, months)
    return _rows_before(dates, starts.astype("datetime64[M]"))


@dataclass(frozen=True)
class Daily(_Calendar):
    """Decide on every row of daily data."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return every row but the last."""
        _refuse_finer(frequency, self, 252)
        return np.arange(len(index) - 1)


@dataclass(frozen=True)
class Weekly(_Calendar):
    """Decide on the last row of each week (Monday to Sunday)."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each week."""
        _refuse_finer(frequency, self, 52)
        dates = index.values
        first, last = (int(date.astype("datetime64[D]").astype(np.int64)) for date in (dates[0], dates[-1]))
        # Day 0 of the epoch was a Thursday, so day 4 was a Monday.
        mondays = np.arange(first - (first - 4) % 7 + 7, last + 1, 7)
        return _rows_before(dates, mondays.astype("datetime64[D]"))


@dataclass(frozen=True)
class Monthly(_Calendar):
    """Decide on the last row of each month."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each month."""
        _refuse_finer(frequency, self, 12)
        return _period_ends(index, 1)


@dataclass(frozen=True)
class Quarterly(_Calendar):
    """Decide on the last row of each quarter."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each quarter."""
        _refuse_finer(frequency, self, 4)
        return _period_ends(index, 3)


@dataclass(frozen=True)
class Yearly(_Calendar):
    """Decide on the last row of each year."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the last row of each year."""
        _refuse_finer(frequency, self, 1)
        return _period_ends(index, 12)


@dataclass(frozen=True)
class EveryNRows(_Calendar):
    """Decide every ``n`` rows, counted from the first row of the table."""

    n: int

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise InputError("n", f"{self.n!r} is not a number of rows", fix="pass 1 or more")

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return every n-th row."""
        return np.arange(self.n, len(index) - 1, self.n)


@dataclass(frozen=True)
class BuyAndHold(_Calendar):
    """Build the portfolio once and let it drift."""

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return no row."""
        return _NO_ROW


@dataclass(frozen=True, eq=False, repr=False)
class OnDates(_Calendar):
    """Decide on each of these dates; one between two rows acts on the next row, never earlier.

    Dates after the last row never act; one before the first row is refused.
    """

    dates: pd.DatetimeIndex

    def __init__(self, dates: Sequence[object] | pd.DatetimeIndex) -> None:
        try:
            index = dates if isinstance(dates, pd.DatetimeIndex) else pd.DatetimeIndex(list(dates))
        except (TypeError, ValueError) as error:
            raise InputError("dates", f"not dates: {error}", fix="pass a list of dates") from None
        object.__setattr__(self, "dates", validate_index(index, "dates"))

    @classmethod
    def of_sound(cls, dates: pd.DatetimeIndex) -> OnDates:
        """Return the rule for dates that were examined before."""
        rule = object.__new__(cls)
        object.__setattr__(rule, "dates", dates)
        return rule

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return the row of each date, or the next one, each row once."""
        rows = acting_rows(self.dates.values, index, "dates")
        return _each_once(rows[rows < len(index) - 1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OnDates) and self.dates.equals(other.dates)

    def __hash__(self) -> int:
        return hash(self.dates.values.tobytes())

    def __repr__(self) -> str:
        return f"OnDates({[iso_date(date) for date in self.dates]})"

    def __str__(self) -> str:
        return f"OnDates({len(self.dates)} dates from {iso_date(self.dates[0])})"


@dataclass(frozen=True)
class Band(Rebalancing):
    """Decide at the first close where a weight is more than ``width`` away from its target.

    The comparison is strict and is made on drifted weights at every close after a trade, or only on the
    rows of a calendar.

    Parameters
    ----------
    width
        In points of weight: with 0.05, a 60 % target is left above 65 % or below 55 %. One number, or a
        mapping of asset to number that names every asset.
    relative
        Whether the width is a fraction of the target instead: with 0.1, 60 % is left above 66 %.
    to
        Where a breach leads: ``"target"``, to the ``"edge"`` of the band, or ``"halfway"`` between edge
        and target. The last two move along the straight line from the drifted weights towards the
        target, as little as leaves no asset beyond its edge (or half its band), so that what is sold
        buys the other assets and not cash.
    on
        A calendar rule, on whose rows the band is tested; None tests every close.

    References
    ----------
    Masters (2003), Rebalancing, Journal of Portfolio Management 29(3): half-way. Leland (1999), Optimal
    portfolio management with transactions costs and capital gains taxes: to the edge.
    """

    width: float | Mapping[str, float]
    relative: bool = False
    to: str = "target"
    on: Rebalancing | None = None

    def __post_init__(self) -> None:
        if isinstance(self.width, Mapping):
            object.__setattr__(self, "width", dict(self.width))
        named = self.width.items() if isinstance(self.width, Mapping) else [(None, self.width)]
        for asset, width in named:
            _check_width(width, asset)
        if self.to not in DESTINATIONS:
            raise InputError("to", f"{self.to!r} is none of {', '.join(DESTINATIONS)}")
        if not isinstance(self.on, Rebalancing | None):
            raise InputError("on", f"{self.on!r} is not a rule", fix="pass a calendar such as Monthly()")

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return no row."""
        return _NO_ROW

    def triggers(
        self, assets: tuple[str, ...], index: pd.DatetimeIndex, frequency: Frequency
    ) -> tuple[Trigger, ...]:
        """Return the band with its widths in the order of the assets."""
        if self.on is not None and self.on.triggers(assets, index, frequency):
            raise InputError("on", f"{self.on} is no calendar", fix="pass one such as Monthly()")
        tested = None if self.on is None else self.on.scheduled(index, frequency)
        return (BandTrigger(self._widths(assets), self.relative, self.to, tested),)

    def __str__(self) -> str:
        extras = [
            "relative" if self.relative else "",
            f"to {self.to}" if self.to != "target" else "",
            f"on {self.on}" if self.on is not None else "",
        ]
        return f"Band({', '.join([str(self.width), *filter(None, extras)])})"

    def _widths(self, assets: tuple[str, ...]) -> Array:
        if not isinstance(self.width, Mapping):
            return np.full(len(assets), float(self.width))
        missing = [asset for asset in assets if asset not in self.width]
        if missing:
            problem, fix = "no width for this asset", "name every asset"
            raise InputError("width", problem, asset=missing[0], count=len(missing), fix=fix)
        return np.array([float(self.width[asset]) for asset in assets])


def _check_width(width: object, asset: str | None) -> None:
    is_number = isinstance(width, int | float | np.number) and not isinstance(width, bool)
    if not is_number or not 0.0 < width < 1.0:  # type: ignore[operator]
        raise InputError(
            "width", f"{width!r} is not between 0 and 1", asset=asset, fix="5 points of weight are 0.05"
        )


@dataclass(frozen=True, eq=False)
class BandTrigger(Trigger):
    """A band with a width for each asset, shape (n_assets,)."""

    widths: Array
    relative: bool
    to: str
    tested: Rows | None

    def limits(self, target: Array) -> Array:
        """Return how far each weight may be from its target, in points of weight, shape (n_assets,)."""
        return self.widths * np.abs(target) if self.relative else self.widths

    def breached(self, drifted: Array, target: Array) -> NDArray[np.bool_]:
        """Return where any weight is strictly more than its width away from its target."""
        return np.asarray((np.abs(drifted - target) > self.limits(target) + TIE).any(axis=1))

    def destination(self, drifted: Array, target: Array) -> Array:
        """Return the target, or the weights on the way to it that are just within the band."""
        if self.to == "target":
            return target
        limits = self.limits(target) * (1.0 if self.to == "edge" else 0.5)
        away = np.abs(drifted - target)
        outside = away > limits
        if not outside.any():
            return drifted
        share = float((1.0 - limits[outside] / away[outside]).max())
        return np.asarray(drifted + share * (target - drifted))


@dataclass(frozen=True)
class LeverageAbove(Rebalancing):
    """Decide when drift has brought the sum of absolute weights above ``limit``; trade to target."""

    limit: float

    def __post_init__(self) -> None:
        is_number = isinstance(self.limit, int | float | np.number) and not isinstance(self.limit, bool)
        if not is_number or not 0.0 < self.limit < np.inf:
            raise InputError("limit", f"{self.limit!r} is no leverage", fix="twice the value is 2.0")

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:  # noqa: ARG002
        """Return no row."""
        return _NO_ROW

    def triggers(
        self,
        assets: tuple[str, ...],  # noqa: ARG002
        index: pd.DatetimeIndex,  # noqa: ARG002
        frequency: Frequency,  # noqa: ARG002
    ) -> tuple[Trigger, ...]:
        """Return the limit as what is tested at every close."""
        return (_LeverageTrigger(float(self.limit)),)


@dataclass(frozen=True, eq=False)
class _LeverageTrigger(Trigger):
    limit: float
    tested: Rows | None = None

    def breached(self, drifted: Array, target: Array) -> NDArray[np.bool_]:  # noqa: ARG002
        return np.asarray(np.abs(drifted).sum(axis=1) > self.limit)

    def destination(self, drifted: Array, target: Array) -> Array:  # noqa: ARG002
        return target


@dataclass(frozen=True)
class AnyOf(Rebalancing):
    """Decide whenever one of the rules asks; ``Quarterly() | Band(0.05)`` makes it.

    Where several ask at one close, a calendar or a limit of leverage goes before a band, and the band
    written first before another.
    """

    rules: tuple[Rebalancing, ...]

    def __post_init__(self) -> None:
        flat: list[Rebalancing] = []
        for rule in self.rules:
            if not isinstance(rule, Rebalancing):
                raise InputError("rebalancing", f"{rule!r} is not a rule", fix="combine rules: a | b")
            flat.extend(rule.rules if isinstance(rule, AnyOf) else [rule])
        object.__setattr__(self, "rules", tuple(flat))

    def scheduled(self, index: pd.DatetimeIndex, frequency: Frequency) -> Rows:
        """Return the rows of all calendars."""
        rows = [rule.scheduled(index, frequency) for rule in self.rules]
        return np.unique(np.concatenate([_NO_ROW, *rows]))

    def triggers(
        self, assets: tuple[str, ...], index: pd.DatetimeIndex, frequency: Frequency
    ) -> tuple[Trigger, ...]:
        """Return what all of them watch, limits of leverage before bands."""
        found = [t for rule in self.rules for t in rule.triggers(assets, index, frequency)]
        return tuple(sorted(found, key=lambda trigger: isinstance(trigger, BandTrigger)))

    def __str__(self) -> str:
        return " | ".join(map(str, self.rules))


def acting_rows(dates: NDArray[np.datetime64], index: pd.DatetimeIndex, argument: str) -> Rows:
    """Return the row of each date, or the next row, the number of rows for a date after the last.

    Raises
    ------
    InputError
        If a date is before the first row.
    """
    rows = index.values
    if len(dates) and dates[0] < rows[0]:
        raise InputError(
            argument,
            f"before the first row, {iso_date(index[0])}",
            date=pd.Timestamp(dates[0]),
            count=int(dates.searchsorted(rows[0].astype(dates.dtype))),
            fix="drop it or give prices from then on",
        )
    return np.asarray(rows.searchsorted(dates.astype(rows.dtype)), dtype=np.int64)


def default_rebalancing(frequency: Frequency) -> Rebalancing:
    """Return monthly, or the data's own frequency where that is slower."""
    slow: dict[str, Rebalancing] = {"quarterly": Quarterly(), "yearly": Yearly()}
    return slow.get(frequency.name, Monthly())
