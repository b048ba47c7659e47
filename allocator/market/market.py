"""Market: what the world did, cut at any date for free."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.frequency import Frequency, resolve_frequency
from allocator.market import show
from allocator.market.align import Alignment, alignment_of
from allocator.market.cash import describe_cash, validate_cash
from allocator.market.frames import OtherFrame
from allocator.market.metadata import PriceKind, checked_currency, checked_kinds, metadata_notes
from allocator.market.prices import MOST_CELLS, as_levels, validate_prices
from allocator.market.signals import Signal, undated_signals, validate_signals
from allocator.market.suspicions import Panel, suspicions, utc_today

__all__ = ["Date", "Market", "parse_date"]

_DAY_OR_MONTH_FIRST = re.compile(r"\s*\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]")

Date = str | dt.date
_BY_LENGTH = ("index", "listed_from", "listed_until", "_suspected")  # worked out when first asked for
_EPOCH = dt.date(1970, 1, 1).toordinal()
_FEWEST_RETURNS = 10  # below, neither a correlation nor a covariance says anything


@dataclass(frozen=True, eq=False)
class _Whole:
    """What all cuts of a market share and none may show beyond its last row: dates and listings."""

    index: pd.DatetimeIndex
    listed_from: NDArray[np.int64]
    listed_until: NDArray[np.int64]

    @cached_property
    def last_listing(self) -> int:
        return int(self.listed_from.max())

    @cached_property
    def is_always_listed(self) -> bool:
        return not self.last_listing and int(self.listed_until.min()) == len(self.index)

    def cut(self, n_rows: int) -> _Whole:
        """Return what is known on the first rows, with memory of its own."""
        listings = (np.minimum(rows, n_rows) for rows in (self.listed_from, self.listed_until))
        return _Whole(self.index[:n_rows], *map(_read_only, listings))


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Market:
    """Prices, cash and signals in one currency, validated once and read-only.

    Parameters
    ----------
    prices
        Total-return price levels, with splits and dividends in them: there are no events beside prices. A
        column an asset, dates as index. Leading NaN: not listed yet. A Polars table, or one of another
        library, has its dates in a column (:func:`allocator.read_frame`).
    cash
        What uninvested money earns, and borrowed money costs before the spread: a Series of returns
        per row (the one on a date was earned since the row before) or a float, the annual effective
        rate. Required, so that leverage is never financed for free by accident.
    signals
        Macro series stamped with the dates on which they were known: a mapping of name to Series or
        :class:`Signal`, or a DataFrame with NaN where nothing new was known.
    delisted
        The assets whose prices end before the last row (NaN from there on), each with its recovery: the
        fraction of its last price, 0 to 1, that its holders got. It is theirs on the first row without a
        price. Needed for every such asset: leaving the loss out flatters a strategy (Shumway 1997).
    frequency
        Inferred from the dates; a value that contradicts them is refused.
    sources
        Where each series comes from, for printing.
    name
        What the market is called in tables and footers.
    simulated
        Whether the prices are made up; said wherever the market shows.
    kinds
        What the prices of each asset are: ``"total return"`` (with dividends and coupons), ``"price"``
        (without) or ``"excess return"`` (over cash); one text for all, or a mapping that names each. Several
        are noted, because they do not compare and prices do not show it.
    currencies
        The currency of each asset as its three letters, one for all or a mapping that names each. Several are
        refused: :func:`allocator.to_base_currency` makes them one.
    max_cells
        The most cells of ``prices``, rows times columns; a larger table is refused before it is copied.

    Attributes
    ----------
    index, assets
        The dates and the names of the assets.
    days
        The dates as days since 1970-01-01, shape (n_periods,).
    levels
        Prices as an array, shape (n_periods, n_assets): 1 before an asset is listed, and from its delisting
        on what its holders got, which may be 0. Columns are contiguous; from 64 assets on, rows.
    cash
        Cash return per row, shape (n_periods,); the first row is 0.
    listed_from
        The row at which the history of each asset begins, shape (n_assets,); the number of rows while
        it is not listed yet.
    listed_until
        The first row on which each asset has no price any more, shape (n_assets,); the number of rows
        while it is listed.
    frequency
        The row spacing, a :class:`allocator.frequency.Frequency`.
    kinds
        The kind of each asset's prices, empty where none was given.
    currency
        The currency of all of them, None where none was given.
    notes
        What was accepted at the door but should be known, and the delistings up to the last date; then what
        looks suspicious on the rows up to it: stale prices, bad ticks, splits, weekends, gaps, a last row of
        today, yields among prices. Looked for when first asked for; nothing is changed by it.

    Raises
    ------
    InputError
        Names the argument, the first asset and date at fault, and what to do.
    """

    days: NDArray[np.int64]
    assets: tuple[str, ...]
    levels: NDArray[np.float64]
    cash: NDArray[np.float64]
    frequency: Frequency
    sources: Mapping[str, str]
    name: str
    simulated: bool
    currency: str | None
    _whole: _Whole
    _notes: tuple[str, ...]
    _alignment: Alignment | None
    _kinds: Mapping[str, str]
    _signals: Mapping[str, Signal]
    _columns: Mapping[str, int]
    _is_cut: bool

    def __init__(
        self,
        prices: pd.DataFrame | OtherFrame,
        cash: pd.Series[Any] | float,
        signals: Mapping[str, Signal | pd.Series[Any]] | pd.DataFrame | None = None,
        *,
        delisted: Mapping[str, float] | None = None,
        frequency: str | None = None,
        sources: Mapping[str, str] | None = None,
        name: str = "user data",
        simulated: bool = False,
        kinds: PriceKind | Mapping[str, PriceKind] | None = None,
        currencies: str | Mapping[str, str] | None = None,
        max_cells: int = MOST_CELLS,
    ) -> None:
        panel = validate_prices(prices, frequency, delisted, max_cells)
        facts = {
            "index": panel.index,
            "days": panel.days,
            "assets": panel.assets,
            "levels": panel.levels,
            "cash": validate_cash(cash, panel.index, panel.days, panel.frequency),
            "listed_from": panel.listed_from,
            "listed_until": panel.listed_until,
            "frequency": panel.frequency,
            "sources": show.Sources(sources or {}),
            "name": name,
            "simulated": simulated,
            "_kinds": checked_kinds(kinds, panel.assets),
            "currency": checked_currency(currencies, panel.assets),
            "_whole": _Whole(panel.index, panel.listed_from, panel.listed_until),
            "_notes": (*panel.notes, describe_cash(cash), *undated_signals(signals)),
            "_alignment": alignment_of(prices) if isinstance(prices, pd.DataFrame) else None,
            "_signals": validate_signals(signals),
            "_columns": {asset: column for column, asset in enumerate(panel.assets)},
            "_is_cut": False,
        }
        vars(self).update(facts)

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """The dates."""
        return self._whole.index[: len(self.levels)]

    @cached_property
    def listed_from(self) -> NDArray[np.int64]:
        """The first row of each asset."""
        # When an asset will list is the future, too.
        late = self._whole.last_listing > len(self.levels)
        return _at_most(self._whole.listed_from, len(self.levels)) if late else self._whole.listed_from

    @cached_property
    def listed_until(self) -> NDArray[np.int64]:
        """The first row of each asset without a price any more."""
        return _at_most(self._whole.listed_until, len(self.levels))

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each asset's prices, empty where none was given."""
        return {asset: self._kinds[asset] for asset in self.assets if asset in self._kinds}

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known."""
        return (*self._notes, *show.delistings(self), *self._suspected)

    @cached_property
    def _suspected(self) -> tuple[str, ...]:
        """What a table of these rows hardly can mean."""
        days, aligned = self.days, self._alignment
        lives = self.listed_from, self.listed_until
        panel = Panel(days, self.assets, self.levels, *lives, self.frequency)
        return (
            *metadata_notes(self.kinds, self.currency, self.assets),
            *(aligned.notes(days, self.assets) if aligned else ()),
            *suspicions(panel, None if self.simulated else utc_today()),
        )

    @property
    def prices(self) -> pd.DataFrame:
        """Prices, NaN before an asset is listed and from its delisting on."""
        rows = np.arange(len(self.levels))[:, None]
        listed = (rows >= self.listed_from) & (rows < self.listed_until)
        return pd.DataFrame(
            np.where(listed, self.levels, np.nan), index=self.index, columns=list(self.assets)
        )

    @property
    def returns(self) -> pd.DataFrame:
        """Simple returns per row, from the second row on; NaN where an asset has none.

        The return of the first row without a price is that of the delisting, recovery - 1 (Shumway 1997).
        """
        rows = np.arange(1, len(self.levels))[:, None]
        known = (rows > self.listed_from) & (rows <= self.listed_until)
        with np.errstate(invalid="ignore"):  # after a delisting without a recovery
            returns = np.where(known, self.levels[1:] / self.levels[:-1] - 1.0, np.nan)
        return pd.DataFrame(returns, index=self.index[1:], columns=list(self.assets))

    @property
    def cash_returns(self) -> pd.Series[float]:
        """The cash return per row, from the second row on."""
        return pd.Series(self.cash[1:], index=self.index[1:], name="cash", copy=True)

    @property
    def signals(self) -> dict[str, Signal]:
        """The signals by name, each as far as it was known on the last date."""
        return {name: self.signal(name) for name in self._signals}

    def signal(self, name: str) -> Signal:
        """Return what was known of one signal on the last date."""
        if name not in self._signals:
            known = ", ".join(self._signals) or "none"
            raise InputError("signals", f"this market has no {name!r}", fix=f"it has: {known}")
        return self._signals[name].known_by(self._whole.index[len(self.levels) - 1])

    def listed(self, asset: str) -> bool:
        """Return whether the asset has a price on the last date."""
        column, whole = column_of(self, asset), self._whole
        return bool(whole.listed_from[column] < len(self.levels) <= whole.listed_until[column])

    def until(self, date: Date) -> Market:
        """Return the market as it was known at the close of ``date``; a view, nothing is copied."""
        day = parse_date(date, "date", last=True).toordinal() - _EPOCH
        stop = int(self.days.searchsorted(day, side="right"))
        if not stop:
            raise InputError("date", f"{date} is before the first row, {iso_date(self.index[0])}")
        return cut(self, stop)

    def window(self, assets: Sequence[str], years: float) -> NDArray[np.float64]:
        """Return the simple returns of the trailing window, shape (n_periods, n_assets).

        Parameters
        ----------
        assets
            Their names.
        years
            The span of the window. It means the same at any frequency: ten years are 10 yearly,
            120 monthly or 2,520 daily returns.

        Raises
        ------
        InputError
            If the span holds too few returns at this frequency to say anything, or an asset has been
            delisted: more rows would not help.
        InsufficientHistoryError
            If the history is shorter than the window, which is never shortened or stretched.
        """
        rows, n_rows = window_rows(self.frequency, years, len(assets)), len(self.levels)
        known = self._columns
        columns = [known[asset] if asset in known else column_of(self, asset) for asset in assets]
        first = 0 if self._whole.is_always_listed else _first_row(self, columns)
        if n_rows - first <= rows:
            late = assets[int(np.argmax(self.listed_from[columns]))] if first else None
            raise InsufficientHistoryError(
                "prices",
                f"{max(n_rows - first - 1, 0)} {self.frequency} returns by then; "
                f"a window of {years:g} years needs {rows}",
                asset=late,
                date=self.index[-1],
                rows_needed=first + rows + 1,
                fix="start later or ask for a shorter window",
            )
        levels = self.levels[n_rows - rows - 1 :, _selection(columns)]
        # In one memory order, whatever that of the market is: the last digit of a product can depend on it.
        returns: NDArray[np.float64] = np.divide(levels[1:], levels[:-1], order="F")
        returns -= 1.0
        return returns

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (_known_facts(self),)

    __repr__ = show.market_text
    _repr_html_ = show.market_html


def cut(market: Market, n_rows: int) -> Market:
    """Return the first ``n_rows`` of a market, at least one, as a view."""
    past = object.__new__(Market)
    facts = vars(past)
    facts.update(vars(market))
    for name in _BY_LENGTH:
        facts.pop(name, None)
    facts["days"], facts["levels"] = market.days[:n_rows], market.levels[:n_rows]
    facts["cash"], facts["_is_cut"] = market.cash[:n_rows], True
    return past


def with_signals(
    market: Market, signals: Mapping[str, Signal], sources: Mapping[str, str] | None = None
) -> Market:
    """Return the market with these signals beside its own; its own win where the names are the same.

    ``sources`` says where the new ones come from; they are added to the market's, and named in its notes.
    """
    added = {
        "_signals": {**validate_signals(signals), **market._signals},
        "sources": show.Sources({**(sources or {}), **market.sources}),
        "_notes": (*market._notes, *(f"{name}: {text}" for name, text in (sources or {}).items())),
    }
    return _made(vars(market) | added)


def some_rows(market: Market, rows: NDArray[np.int64], cash: pd.Series[Any], name: str) -> Market:
    """Return a market of some rows of another, without the assets that have no price on any of them.

    ``cash`` are the returns of these rows. What an asset's holders got when it was delisted is what it is
    worth on the first of these rows without its price.
    """
    index, days = market.index[rows], market.days[rows]
    listed_from, listed_until = (np.searchsorted(rows, r) for r in (market.listed_from, market.listed_until))
    kept = np.flatnonzero(listed_from < listed_until)
    if not len(kept) or listed_from[kept].min():
        problem = "no asset has a price on the first of the rows kept"
        raise InputError("market", problem, date=index[0], fix="cut its beginning")
    assets = tuple(market.assets[j] for j in kept)
    frequency, aligned = resolve_frequency(index, days, None), market._alignment
    facts = {
        "days": _read_only(days),
        "assets": assets,
        "levels": _read_only(as_levels(market.levels[np.ix_(rows, kept)])),
        "cash": validate_cash(cash, index, days, frequency),
        "frequency": frequency,
        "name": name,
        "_whole": _Whole(index, _read_only(listed_from[kept]), _read_only(listed_until[kept])),
        "_notes": (describe_cash(cash),),
        "_alignment": None if aligned is None else aligned.until(int(days[-1])),
        "_signals": {each: signal_in_hindsight(market, each) for each in market._signals},
        "_columns": {asset: column for column, asset in enumerate(assets)},
        "_is_cut": False,
    }
    return _made(vars(market) | facts)


def _made(facts: Mapping[str, Any]) -> Market:
    """Return the market of these facts, which were checked before."""
    market = object.__new__(Market)
    vars(market).update({name: fact for name, fact in facts.items() if name not in _BY_LENGTH})
    return market


def _known_facts(market: Market) -> dict[str, Any]:
    """Return what a copy of a market must be told: of a cut one nothing that was known later."""
    facts = {name: fact for name, fact in vars(market).items() if name not in _BY_LENGTH}
    if market._is_cut:
        facts |= {"_whole": market._whole.cut(len(market.levels)), "_signals": market.signals}
        if market._alignment is not None:
            facts["_alignment"] = market._alignment.until(int(market.days[-1]))
    return facts


def _restored(facts: dict[str, Any]) -> Market:
    """Return the market of pickled facts: a pickle forgets what is read-only and the order of a view."""
    facts["levels"] = as_levels(facts["levels"])
    whole = facts["_whole"]
    for array in (facts["days"], facts["levels"], facts["cash"], whole.listed_from, whole.listed_until):
        _read_only(array)
    return _made(facts)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _at_most(rows: NDArray[np.int64], n_rows: int) -> NDArray[np.int64]:
    return _read_only(np.minimum(rows, n_rows))


def _selection(columns: list[int]) -> slice | list[int]:
    """Return neighbours as a slice, which costs no copy."""
    if not columns:
        return columns
    span = range(columns[0], columns[0] + len(columns))
    return slice(span.start, span.stop) if columns == list(span) else columns


def _first_row(market: Market, columns: list[int]) -> int:
    """Return the first row on which all these assets have a price, refusing one that was delisted."""
    ended = market.listed_until[columns]
    if len(columns) and ended.min() < len(market.levels):
        row = int(ended.min())
        raise InputError(
            "prices",
            "delisted: no price from then on",
            asset=market.assets[columns[int(np.argmin(ended))]],
            date=market.index[row],
            fix="ask past.listed(asset) before",
        )
    return int(market.listed_from[columns].max(initial=0))


def signal_in_hindsight(market: Market, name: str) -> Signal:
    """Return all of a signal, also what was known after the last date; of a cut market, what was known.

    For labels that say of a period what was published after it. A strategy's past is a cut market,
    so it learns nothing here.
    """
    known = market.signal(name)
    return known if market._is_cut else market._signals[name]


def is_cut(market: Market) -> bool:
    """Return whether this is the past of a longer market."""
    return market._is_cut


def is_always_listed(market: Market) -> bool:
    """Return whether every asset has a price on every row."""
    return market._whole.is_always_listed


def find_column(market: Market, asset: str) -> int | None:
    """Return the column of an asset, None for a name that is not there."""
    return market._columns.get(asset)


def column_of(market: Market, asset: str) -> int:
    """Return the column of an asset, or refuse a name that is not there."""
    column = find_column(market, asset)
    if column is None:
        problem = f"the market has no {asset!r}"
        raise InputError("asset", problem, fix=f"it has: {', '.join(market.assets)}")
    return column


def window_rows(frequency: Frequency, years: float, n_assets: int) -> int:
    """Return the returns in a window of ``years``, refusing a window too short to say anything."""
    is_number = isinstance(years, int | float | np.number) and not isinstance(years, bool)
    if not is_number or not 0 < years < np.inf:
        raise InputError("years", f"{years!r} is not a positive span of time")
    rows, enough = frequency.rows(years), max(_FEWEST_RETURNS, 2 * n_assets)
    if rows < enough:
        raise InputError(
            "years",
            f"a window of {years:g} years has {rows} {frequency} returns; "
            f"{n_assets} assets need at least {enough}",
            fix=f"ask for {enough / frequency.periods_per_year:.3g} years or more",
        )
    return rows


def parse_date(date: Date, argument: str, *, last: bool = False) -> pd.Timestamp:
    """Return a date; ``2022`` and ``2022-03`` mean the first day of the span, or the ``last``."""
    if isinstance(date, (int, np.integer)):  # pandas would count days, or take the first of January
        raise InputError(argument, f"{date!r} is a number", fix=f'write it as text: "{date}"')
    if isinstance(date, str) and _DAY_OR_MONTH_FIRST.match(date):  # pandas would take the first for the month
        raise InputError(
            argument, f"in {date!r} day and month could be confused", fix="write it as 2022-03-31"
        )
    try:
        period = pd.Period(date, freq="D") if not isinstance(date, str) else pd.Period(date)
        if isinstance(period, pd.Period):  # and not NaT
            day = period.asfreq("D", how="end" if last else "start").ordinal
            return pd.Timestamp(np.datetime64(day, "D"))  # not by way of nanoseconds, which end in 2262
    except (ValueError, TypeError):  # a date outside what pandas can hold is a ValueError, too
        pass
    raise InputError(argument, f"{date!r} is not a date", fix="write it as 2022-03-31, 2022-03 or 2022")
