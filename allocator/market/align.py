"""Series of different calendars become one table of prices, by a rule that the caller names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date, message
from allocator.market.prices import float_column, validate_index

__all__ = ["Alignment", "align_prices", "alignment_of"]

Rule = Literal["intersection", "union_hold"]
_MOST_NAMED = 8
_HELD, _DROPPED = "held", "dropped"  # in the attrs of a table


def align_prices(
    prices: Mapping[str, pd.Series[Any]] | pd.DataFrame, *, align: Rule | None = None, max_gap: int = 5
) -> pd.DataFrame:
    """Return one table of prices of series whose calendars differ, ready for :class:`Market`.

    Within an asset's life, from its first price to its last, there is a price on each row of the table;
    before and after it NaN stays, so that ``Market`` asks for what holders of a delisted asset got. A price
    is never taken from a later date.

    Parameters
    ----------
    prices
        A mapping of asset to Series, or a DataFrame whose NaN are missing prices. Dates as index, increasing,
        without time of day or time zone.
    align
        ``"intersection"`` keeps the dates on which each asset has a price within its life. ``"union_hold"``
        keeps the dates on which any asset has one and holds the last price of those that lack it: the return
        of a held row is 0 and the next one has the whole move, which lowers correlations of daily returns.
        Without it, calendars that differ are refused.
    max_gap
        The most rows in a row over which ``"union_hold"`` holds a price; a longer hole is refused.

    Returns
    -------
    pandas.DataFrame
        Float64, a column an asset. ``attrs["held"]`` is a dictionary of asset to the dates on which its price
        is held, ``attrs["dropped"]`` a list of the dates left out, as ISO text; the notes of a ``Market`` of
        this table tell of both.

    Raises
    ------
    InputError
        Names for each asset how many dates it lacks, and the first.
    """
    _check_rule(align, max_gap)
    series = dict(_series(prices))
    index = _union(series)
    table = pd.DataFrame({asset: column.reindex(index) for asset, column in series.items()}, index=index)
    if align is None:
        _refuse_other_calendars(table)
        kept = table
    elif align == "intersection":
        kept = table[~_holes(table).any(axis=1) & _traded(table)]
        _refuse_lost_assets(kept, series)
    else:
        traded = table[_traded(table)]
        _refuse_long_holes(traded, max_gap)
        kept = traded.mask(_holes(traded), traded.ffill())
    changed = kept.notna() & table.loc[kept.index].isna()
    held = {asset: _iso(kept.index[changed[asset]]) for asset in changed.columns[changed.any()]}
    kept.attrs.update({_HELD: held, _DROPPED: _iso(index[~index.isin(kept.index)])})
    return kept


def _check_rule(align: Any, max_gap: Any) -> None:
    rules = get_args(Rule)
    if align is not None and align not in rules:
        fix = " or ".join(map(repr, rules))
        raise InputError("align", f"{align!r} is no way to align prices", fix=f"pass {fix}")
    if not isinstance(max_gap, int | np.integer) or isinstance(max_gap, bool) or max_gap < 1:
        raise InputError("max_gap", f"{max_gap!r} is no number of rows", fix="pass 1 or more")


def _series(prices: Any) -> Iterator[tuple[str, pd.Series[float]]]:
    """Yield each asset with its prices as floats, NaN where missing, the dates checked."""
    if not isinstance(prices, Mapping | pd.DataFrame):
        problem = f"expected a mapping of asset to Series or a DataFrame, got {type(prices).__name__}"
        raise InputError("prices", problem, fix="align_prices({'SPY': series, 'VOD': series}, align=...)")
    assets = list(prices)
    if not assets:
        raise InputError("prices", "no assets", fix="give at least one series")
    if len(set(assets)) < len(assets):
        twice = next(asset for asset in assets if assets.count(asset) > 1)
        raise InputError("prices", f"{twice!r} stands twice", asset=twice, fix="rename or drop one")
    for asset in assets:
        column = prices[asset]
        if not isinstance(asset, str):
            problem = f"{asset!r} is a name of type {type(asset).__name__}"
            raise InputError("prices", problem, fix="name the assets with text")
        if not isinstance(column, pd.Series):
            fix = "pass prices with dates as index"
            raise InputError(
                "prices", f"expected a Series, got {type(column).__name__}", asset=asset, fix=fix
            )
        index = validate_index(column.index, f"prices[{asset!r}]")
        values = pd.Series(float_column(column, "prices", index, asset), index=index)
        if values.isna().all():
            raise InputError("prices", "no price at all", asset=asset, fix="leave the asset out")
        yield asset, values


def _union(series: Mapping[str, pd.Series[float]]) -> pd.DatetimeIndex:
    dates = [pd.DatetimeIndex(column.index) for column in series.values()]
    days = np.unique(np.concatenate([np.asarray(each, dtype="datetime64[s]") for each in dates]))
    units = {each.unit for each in dates}  # seconds hold the dates of all
    return pd.DatetimeIndex(days).as_unit(units.pop() if len(units) == 1 else "s")


def _holes(table: pd.DataFrame) -> pd.DataFrame:
    """Return which cells are without a price within their asset's life."""
    return table.isna() & table.ffill().notna() & table.bfill().notna()


def _traded(table: pd.DataFrame) -> pd.Series[bool]:
    """Return the rows on which at least one asset has a price."""
    return table.notna().any(axis=1)


def _iso(dates: pd.Index) -> list[str]:
    return [iso_date(date) for date in dates]


def _refuse_lost_assets(kept: pd.DataFrame, series: Mapping[str, pd.Series[float]]) -> None:
    """Refuse an asset that has too few dates in common with the others."""
    for asset, column in series.items():
        left, given = int(kept[asset].count()), int(column.count())
        if left < min(given, 2):
            raise InputError(
                "prices",
                f"{left} of its {given:,} dates have a price of the other assets, too; at least 2 are needed",
                asset=asset,
                date=column.first_valid_index(),
                fix="check the calendars of the assets, or align='union_hold'",
            )


def _refuse_long_holes(table: pd.DataFrame, max_gap: int) -> None:
    """Refuse the first asset with a hole of more rows than a price may be held."""
    for asset, holes in _holes(table).items():
        edges = np.flatnonzero(np.diff(np.concatenate([[False], holes, [False]]).astype(np.int8)))
        starts, lengths = edges[::2], edges[1::2] - edges[::2]
        long = np.flatnonzero(lengths > max_gap)
        if len(long):
            raise InputError(
                "prices",
                f"no price on {lengths[long[0]]} rows in a row, more than max_gap={max_gap}",
                asset=asset,
                date=table.index[starts[long[0]]],
                count=len(long),
                fix=f"get the prices, pass max_gap={lengths.max()} if these are holidays, "
                "or align='intersection'",
            )


def _refuse_other_calendars(table: pd.DataFrame) -> None:
    holes = _holes(table)
    lacking = {str(asset): table.index[rows] for asset, rows in holes.items() if rows.any()}
    if not lacking:
        return
    texts = [
        f"{asset!r} lacks {len(dates):,} date{'s' * (len(dates) > 1)}, the first {iso_date(dates[0])}"
        for asset, dates in list(lacking.items())[:_MOST_NAMED]
    ]
    more = f", and {len(lacking) - _MOST_NAMED} more assets" if len(lacking) > _MOST_NAMED else ""
    first = min(lacking, key=lambda asset: lacking[asset][0])
    raise InputError(
        "prices",
        f"the calendars differ: {', '.join(texts)}{more}",
        asset=first,
        date=lacking[first][0],
        fix="align='intersection' keeps the dates that all have, "
        "align='union_hold' holds the last price over at most max_gap rows",
    )


# --- what a market says of it ---


@final
@dataclass(frozen=True, eq=False)
class Alignment:
    """What was held and dropped to make a table of one calendar.

    Attributes
    ----------
    held
        Days since 1970-01-01 on which an asset's price is held, by asset.
    dropped
        The days left out.
    """

    held: Mapping[str, NDArray[np.int64]]
    dropped: NDArray[np.int64]

    def until(self, day: int) -> Alignment:
        """Return what is known of it on a day."""
        held = {asset: days[days <= day] for asset, days in self.held.items()}
        return Alignment(held, self.dropped[self.dropped <= day])

    def notes(self, days: NDArray[np.int64], assets: tuple[str, ...]) -> tuple[str, ...]:
        """Return a line for each asset with held prices on these days, and one for the days left out."""
        found = {
            asset: self.held[asset][np.isin(self.held[asset], days)] for asset in assets if asset in self.held
        }
        found = {asset: rows for asset, rows in found.items() if len(rows)}
        lines = [
            message(
                "prices",
                "no price, the one before is held",
                asset=asset,
                date=_date(rows[0]),
                count=len(rows),
            )
            for asset, rows in list(found.items())[:_MOST_NAMED]
        ]
        if len(found) > _MOST_NAMED:
            lines.append(f"prices: held in {len(found) - _MOST_NAMED:,} more assets")
        gone = self.dropped[(self.dropped >= days[0]) & (self.dropped <= days[-1])]
        if len(gone):
            problem = "left out for want of a price"
            lines.append(message("prices", problem, date=_date(gone[0]), count=len(gone)))
        return tuple(lines)


def alignment_of(prices: pd.DataFrame) -> Alignment | None:
    """Return what a table's ``attrs`` say of its alignment, None where they say nothing that can be read."""
    held, dropped = prices.attrs.get(_HELD), prices.attrs.get(_DROPPED)
    if not isinstance(held, dict) or not isinstance(dropped, list) or not (held or dropped):
        return None
    try:
        days = {str(asset): _days(dates) for asset, dates in held.items()}
        return Alignment(days, _days(dropped))
    except (TypeError, ValueError):  # somebody else's attrs
        return None


def _days(dates: Any) -> NDArray[np.int64]:
    return (
        np.array(sorted(dt.date.fromisoformat(date).toordinal() for date in dates), dtype=np.int64) - _EPOCH
    )


def _date(day: np.int64) -> dt.date:
    return dt.date.fromordinal(int(day) + _EPOCH)


_EPOCH = dt.date(1970, 1, 1).toordinal()
