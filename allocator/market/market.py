"""Market: what the world did, cut at any date for free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.frequency import Frequency
from allocator.market import show
from allocator.market.cash import describe_cash, validate_cash
from allocator.market.prices import validate_prices
from allocator.market.signals import Signal, validate_signals

__all__ = ["Date", "Market", "parse_date"]

Date = str | dt.date
_FEWEST_RETURNS = 10  # below, neither a correlation nor a covariance says anything


@final
@dataclass(frozen=True, eq=False, init=False, repr=False)
class Market:
    """Prices, cash and signals in one currency, validated once and read-only.

    Parameters
    ----------
    prices
        Total-return price levels, a column an asset, dates as index. Leading NaN: not listed yet.
    cash
        What uninvested money earns, and borrowed money costs before the spread: a Series of returns
        per row (the one on a date was earned since the row before) or a float, the annual effective
        rate. Required, so that leverage is never financed for free by accident.
    signals
        Macro series stamped with the dates on which they were known: a mapping of name to Series or
        :class:`Signal`, or a DataFrame with NaN where nothing new was known.
    frequency
        Inferred from the dates; a value that contradicts them is refused.
    sources
        Where each series comes from, for printing.
    name
        What the market is called in tables and footers.
    simulated
        Whether the prices are made up; said wherever the market shows.

    Attributes
    ----------
    index, assets
        The dates and the names of the assets.
    levels
        Prices as an array, shape (n_periods, n_assets), 1 before an asset is listed.
    cash
        Cash return per row, shape (n_periods,); the first row is 0.
    listed_from
        The row at which the history of each asset begins, shape (n_assets,); the number of rows while
        it is not listed yet.
    frequency
        The row spacing, a :class:`allocator.frequency.Frequency`.
    notes
        What was accepted at the door but should be known.

    Raises
    ------
    InputError
        Names the argument, the first asset and date at fault, and what to do.
    """

    index: pd.DatetimeIndex
    assets: tuple[str, ...]
    levels: NDArray[np.float64]
    cash: NDArray[np.float64]
    listed_from: NDArray[np.int64]
    frequency: Frequency
    sources: Mapping[str, str]
    name: str
    simulated: bool
    notes: tuple[str, ...]
    _signals: Mapping[str, Signal]
    _columns: Mapping[str, int]
    _is_cut: bool

    def __init__(
        self,
        prices: pd.DataFrame,
        cash: pd.Series[Any] | float,
        signals: Mapping[str, Signal | pd.Series[Any]] | pd.DataFrame | None = None,
        *,
        frequency: str | None = None,
        sources: Mapping[str, str] | None = None,
        name: str = "user data",
        simulated: bool = False,
    ) -> None:
        panel = validate_prices(prices, frequency)
        facts = {
            "index": panel.index,
            "assets": panel.assets,
            "levels": panel.levels,
            "cash": validate_cash(cash, panel.index, panel.frequency),
            "listed_from": panel.listed_from,
            "frequency": panel.frequency,
            "sources": show.Sources(sources or {}),
            "name": name,
            "simulated": simulated,
            "notes": (*panel.notes, describe_cash(cash)),
            "_signals": validate_signals(signals),
            "_columns": {asset: column for column, asset in enumerate(panel.assets)},
            "_is_cut": False,
        }
        _fill(self, facts)

    @property
    def prices(self) -> pd.DataFrame:
        """Prices, NaN before an asset is listed."""
        listed = np.arange(len(self.index))[:, None] >= self.listed_from
        return pd.DataFrame(
            np.where(listed, self.levels, np.nan), index=self.index, columns=list(self.assets)
        )

    @property
    def returns(self) -> pd.DataFrame:
        """Simple returns per row, from the second row on; NaN where an asset has none yet."""
        return self.prices.pct_change(fill_method=None).iloc[1:]

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
        return self._signals[name].known_by(self.index[-1])

    def listed(self, asset: str) -> bool:
        """Return whether the asset has a price on the last date."""
        return bool(self.listed_from[column_of(self, asset)] < len(self.index))

    def until(self, date: Date) -> Market:
        """Return the market as it was known at the close of ``date``; a view, nothing is copied."""
        stop = int(self.index.searchsorted(parse_date(date, "date", last=True), side="right"))
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
            If the span holds too few returns at this frequency to say anything.
        InsufficientHistoryError
            If the history is shorter than the window, which is never shortened or stretched.
        """
        rows = window_rows(self.frequency, years, len(assets))
        columns = [column_of(self, asset) for asset in assets]
        first = max((int(self.listed_from[j]) for j in columns), default=0)
        if len(self.index) - first <= rows:
            late = assets[int(np.argmax(self.listed_from[columns]))] if first else None
            raise InsufficientHistoryError(
                "prices",
                f"{max(len(self.index) - first - 1, 0)} {self.frequency} returns by then; "
                f"a window of {years:g} years needs {rows}",
                asset=late,
                date=self.index[-1],
                rows_needed=first + rows + 1,
                fix="start later or ask for a shorter window",
            )
        levels = self.levels[-rows - 1 :, columns]
        return np.asarray(levels[1:] / levels[:-1] - 1.0)

    __repr__ = show.market_text
    _repr_html_ = show.market_html


def _fill(market: Market, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        object.__setattr__(market, name, value)


def cut(market: Market, n_rows: int) -> Market:
    """Return the first ``n_rows`` of a market as a view."""
    past = object.__new__(Market)
    facts = dict(vars(market))
    short = {name: facts[name][:n_rows] for name in ("index", "levels", "cash")}
    # When an asset will list is the future, too.
    listed_from = np.minimum(market.listed_from, n_rows)
    listed_from.flags.writeable = False
    _fill(past, facts | short | {"listed_from": listed_from, "_is_cut": True})
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
        "notes": (*market.notes, *(f"{name}: {text}" for name, text in (sources or {}).items())),
    }
    more = object.__new__(Market)
    _fill(more, dict(vars(market)) | added)
    return more


def signal_in_hindsight(market: Market, name: str) -> Signal:
    """Return all of a signal, also what was known after the last date; of a cut market, what was known.

    For labels that say of a period what was published after it. A strategy's past is a cut market,
    so it learns nothing here.
    """
    known = market.signal(name)
    return known if market._is_cut else market._signals[name]


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
    try:
        period = pd.Period(date, freq="D") if not isinstance(date, str) else pd.Period(date)
        if isinstance(period, pd.Period):  # and not NaT
            return (period.end_time if last else period.start_time).normalize()
    except (ValueError, TypeError):  # a date outside what pandas can hold is a ValueError, too
        pass
    raise InputError(argument, f"{date!r} is not a date", fix="write it as 2022-03-31, 2022-03 or 2022")
