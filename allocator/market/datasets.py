"""The embedded data: what US and global assets returned since 1928, each series with its source.

The tables hold public annual figures as fractions. ``data/sources.csv`` says for every series what
it is, how to cite it, where two sources are joined and on what ground, and the largest disagreement
found against another source. Nothing in them is point-in-time data: the signals carry the dates on
which figures of their kind become known, and the values of the latest revision.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.market.market import Market
from allocator.market.signals import Signal

__all__ = ["load_us_debt", "load_us_history"]


@dataclass(frozen=True)
class _Release:
    """The day on which a yearly figure is taken to be known, and the kind of year that it describes."""

    month: int
    day: int
    years_later: int = 0
    fiscal: bool = False


_RELEASES = {
    "inflation": _Release(1, 15, years_later=1),
    "growth": _Release(1, 31, years_later=1),
    "debt": _Release(10, 31, fiscal=True),
    "deficit": _Release(10, 31, fiscal=True),
    "interest": _Release(10, 31, fiscal=True),
    "term_premium": _Release(12, 31),
    "bond_yield": _Release(12, 31),
    "dollar": _Release(12, 31),
}
_LAST_FISCAL_YEAR_TO_JUNE = 1976
_LABELS = {
    "source": "",
    "splice": "Splice: ",
    "disagreement": "Largest disagreement found: ",
    "caution": "Caution: ",
}


def load_us_history() -> Market:
    """Return the embedded market: yearly, 31 December 1927 to 2025, in US dollars, unhedged.

    Assets are ``stocks``, ``bonds`` and ``gold`` since 1928, ``reits`` (1972), ``developed`` (1970) and
    ``emerging`` (2004) equity, ``commodities`` (2007) and ``bitcoin`` (2011), as levels of total return
    that start at 1; cash is the Treasury bill. Signals are ``inflation``, ``growth``, ``debt``,
    ``deficit`` (positive for a deficit) and ``interest`` (both as shares of GDP), ``term_premium``,
    ``bond_yield``, all fractions, and ``dollar``, an index level.

    ``market.sources`` names the source of each, its splices and cautions. The signals are stamped with
    the date on which such a figure is known, but hold latest-revised values, not vintages.

    Returns
    -------
    Market
        Read-only; each call builds its own.
    """
    table = _read("us_history.csv")
    levels = _levels(table.drop(columns="cash"))
    cash = table["cash"].set_axis(levels.index[1:]).rename("3-month US Treasury bill")
    signals = _read("us_history_signals.csv")
    return Market(
        levels,
        cash,
        {name: _signal(signals[name].dropna(), release) for name, release in _RELEASES.items()},
        sources=_sources(),
        name=f"US history {table.index[0]}-{table.index[-1]}",
    )


def load_us_debt() -> pd.DataFrame:
    """Return what the US federal government owed, paid and produced by fiscal year, 1939 to 2025.

    Index: the last day of the fiscal year, 30 June to 1976 and 30 September from 1977, so that 1977 ends 15
    months after 1976; what fell in between (July to September 1976) is in no year's deficit. The interest of
    1939 is missing.

    Not point-in-time: latest-revised values. Debt, interest and deficit come from where
    ``load_us_history().sources`` says, before they are divided by GDP; GDP by fiscal year is the BEA's.

    Returns
    -------
    pandas.DataFrame
        ``debt`` held by the public, net ``interest``, ``deficit`` (with interest, positive for a deficit)
        and ``gdp`` of the fiscal year, billions of dollars. ``real_gdp``, an index (1939 = 1), and
        ``market_rate``, the Treasury bill's return, a fraction, are published by calendar year: a fiscal
        year has those of its two calendar years in proportion (half and half to June, one quarter and three
        to September).
    """
    table = _read("us_debt.csv")
    table.index = _fiscal_year_ends(table.index)
    growth = _read("us_history_signals.csv")["growth"].dropna()
    real = _in_fiscal_years((1.0 + growth).cumprod(), table.index.year)
    bill = _in_fiscal_years(_read("us_history.csv")["cash"], table.index.year)
    return table.assign(real_gdp=real / real[0], market_rate=bill)


def _in_fiscal_years(values: pd.Series[Any], years: pd.Index) -> NDArray[np.float64]:
    """Return figures of calendar years blended in proportion to the months in each fiscal year."""
    before = np.where(years <= _LAST_FISCAL_YEAR_TO_JUNE, 0.5, 0.25)
    last, this = values.reindex(years - 1).to_numpy(), values.reindex(years).to_numpy()
    return np.asarray(before * last + (1.0 - before) * this, dtype=np.float64)


def _read(file: str) -> pd.DataFrame:
    path = resources.files("allocator.market").joinpath("data", file)
    with path.open(encoding="utf-8") as lines:
        return pd.read_csv(lines, index_col=0)


def _levels(returns: pd.DataFrame) -> pd.DataFrame:
    """Compound returns by year to levels on 31 December, 1.0 on the one before an asset's first return."""
    padded = returns.reindex([returns.index[0] - 1, *returns.index])
    starts = padded.isna() & padded.shift(-1).notna()
    return (1.0 + padded).cumprod().mask(starts, 1.0).set_axis(_dates(padded.index, 12, 31))


def _signal(values: pd.Series[Any], release: _Release) -> Signal:
    """Stamp values by year with the dates on which they were known."""
    known = _dates(values.index + release.years_later, release.month, release.day)
    ends = _fiscal_year_ends(values.index) if release.fiscal else _dates(values.index, 12, 31)
    return Signal(values.set_axis(known), describes=ends)


def _dates(years: pd.Index, month: int, day: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([pd.Timestamp(int(year), month, day) for year in years])


def _fiscal_year_ends(years: pd.Index) -> pd.DatetimeIndex:
    months = [6 if year <= _LAST_FISCAL_YEAR_TO_JUNE else 9 for year in years]
    return pd.DatetimeIndex(
        [pd.Timestamp(int(year), month, 30) for year, month in zip(years, months, strict=True)]
    )


def _sources() -> dict[str, str]:
    """Return a text a series: the source, and where they apply the splice, disagreement and caution."""
    table = _read("sources.csv").fillna("")
    return {
        str(series): " ".join(f"{label}{row[part]}." for part, label in _LABELS.items() if row[part])
        for series, row in table.iterrows()
    }
