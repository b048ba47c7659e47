"""The data that the claims are tried on: the embedded history, and what a folder adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from allocator.market import Market, load_us_history
from allocator.market.market import signal_in_hindsight
from allocator.scoreboard.folder import at_month_ends, open_folder, read_panel, returns_of

__all__ = ["Panels", "embedded_panels", "folder_panels"]

_GOLD_FREE = pd.Timestamp("1971-08-31")  # the dollar's tie to gold was cut on 15 August 1971
_PUBLISHED = pd.Timestamp("2025-05-29")
_WORLD = ("developed", "emerging", "commodities", "reits", "silver")
_PRICES = ("hong kong", "china", "copper", "bitcoin")


@final
@dataclass(frozen=True, eq=False)
class Panels:
    """What is there to try claims on; None where it is not.

    Attributes
    ----------
    market
        Prices and cash of the portfolios: monthly from a folder, else the embedded yearly history.
    history
        The embedded yearly history, for claims about fiscal years.
    premium
        At the rows of the market: the 10-year ``yield``, its ``premium`` and ``expected`` rates, fractions.
    nominal, real
        The daily 10-year yield, nominal and inflation-indexed, fractions.
    dollar
        The daily dollar index.
    daily
        Daily returns of funds: ``stocks``, ``bonds``, ``gold``, ``developed``, ``emerging``, ``cash``.
    long_daily
        Daily returns of ``bonds`` and ``cash`` since 1962.
    lines
        What this is, a line each, for the footer.
    """

    market: Market
    history: Market
    premium: pd.DataFrame
    nominal: pd.Series | None = None
    real: pd.Series | None = None
    dollar: pd.Series | None = None
    daily: pd.DataFrame | None = None
    long_daily: pd.DataFrame | None = None
    lines: tuple[str, ...] = ()

    @property
    def frequency(self) -> str:
        """The spacing of the portfolios: monthly or yearly."""
        return self.market.frequency.name

    @property
    def daily_name(self) -> str:
        """The spacing of the yields."""
        return "yearly" if self.market is self.history else "daily"

    def since_gold_floats(self, assets: list[str]) -> pd.DataFrame:
        """Return returns from September 1971 on, or 1972: before, gold was tied to the dollar."""
        returns = self.market.returns[assets]
        return returns[returns.index > _GOLD_FREE + pd.offsets.DateOffset(months=self._months - 1)].dropna()

    def against_real_yield(self, asset: str) -> pd.DataFrame | None:
        """Return an asset beside the fall of the real yield, which is how a bond would move."""
        return None if self.real is None else self._beside(asset, -self._ends(self.real).diff())

    def dollar_and_yield(self) -> pd.DataFrame | None:
        """Return changes on shared dates: of the log of the dollar, and of the yield."""
        if self.dollar is None or self.nominal is None:
            return None
        both = pd.DataFrame({"dollar": np.log(self.dollar), "yield": self.nominal}).dropna()
        return both.diff().dropna()

    def world_and_yield(self) -> pd.DataFrame | None:
        """Return the returns of equities outside the US, the mean of both, and the change of the yield."""
        market, names = self.market, ["developed", "emerging"]
        if self.nominal is None or not set(names) <= set(market.assets):
            return None
        frame = market.returns[names].assign(**{"yield": self._ends(self.nominal).diff()}).dropna()
        return frame.assign(world=frame[names].mean(axis=1))

    @property
    def _months(self) -> int:
        return 12 if self.frequency == "yearly" else 1

    def _ends(self, levels: pd.Series) -> pd.Series:
        """Return the levels at the rows of the market."""
        ends = levels if self.frequency == "yearly" else at_month_ends(levels.to_frame()).iloc[:, 0]
        return ends.reindex(self.market.index)

    def _beside(self, asset: str, other: pd.Series) -> pd.DataFrame:
        return self.market.returns[[asset]].assign(other=other).dropna()


def embedded_panels() -> Panels:
    """Return the embedded history: yearly, without a download."""
    history = load_us_history()
    return Panels(
        history,
        history,
        _yearly_premium(history),
        nominal=_yearly(history, "bond_yield").dropna(),
        dollar=_yearly(history, "dollar").dropna(),
        lines=(f"data: {history.name}, embedded, yearly", _since_publication(history)),
    )


def _since_publication(market: Market) -> str:
    rows = int((market.index > _PUBLISHED).sum())
    return (
        f"{rows} of {len(market.index) - 1:,} {market.frequency} returns are later than the article "
        f"({_PUBLISHED:%Y-%m-%d}): the others were there to be looked at when it was written"
    )


def _premium_beside(market: Market | None, premium: pd.DataFrame | None, history: Market) -> pd.DataFrame:
    """Return the decomposed yield at the rows of the market: without a file, of no monthly row."""
    if market is None:
        return _yearly_premium(history)
    return _yearly_premium(history).iloc[:0] if premium is None else premium.dropna() / 100.0


def _yearly(history: Market, name: str) -> pd.Series:
    """Return a signal by the year that it describes."""
    values = signal_in_hindsight(history, name).as_described_on(history.index)
    return pd.Series(values, index=history.index, name=name)


def _yearly_premium(history: Market) -> pd.DataFrame:
    nominal, premium = _yearly(history, "bond_yield"), _yearly(history, "term_premium")
    return pd.DataFrame({"yield": nominal, "premium": premium, "expected": nominal - premium}).dropna()


def folder_panels(folder: str | Path) -> Panels:
    """Return what a folder holds, with the embedded history for fiscal years.

    Raises
    ------
    InputError
        The folder is none, holds no file of the layout, or a file lacks a column that is read.
    """
    path = open_folder(folder)
    history = load_us_history()
    yields = read_panel(path, "daily_yields_risk.csv")
    world = read_panel(path, "daily_global_price.csv")
    funds = read_panel(path, "daily_core_balanced.csv")
    long_daily = read_panel(path, "daily_long_us.csv")
    premium = read_panel(path, "monthly_term_premium.csv")
    market = _monthly_market(path, world)
    return Panels(
        market or history,
        history,
        _premium_beside(market, premium, history),
        nominal=None if yields is None else yields["nominal"].dropna() / 100.0,
        real=None if yields is None else yields["real"].dropna() / 100.0,
        dollar=None if world is None else world["dollar"].dropna(),
        daily=None if funds is None else funds.apply(returns_of).dropna(),
        long_daily=None if long_daily is None else long_daily[["bonds", "cash"]].dropna(),
        lines=(
            f"data: folder {path.name!r}, and {history.name} (embedded) for fiscal years",
            _since_publication(market or history),
        ),
    )


def _monthly_market(path: Path, world: pd.DataFrame | None) -> Market | None:
    """Return month-end levels of all that can be held, each from its first month on."""
    long = read_panel(path, "monthly_eom_1962.csv")
    if long is None:
        return None
    levels = _compounded(long[["stocks", "bonds", "gold"]])
    levels.loc[levels.index < _GOLD_FREE, "gold"] = float("nan")
    for table, names in ((read_panel(path, "daily_etf_tr.csv"), _WORLD), (_in_dollars(world), _PRICES)):
        if table is not None:
            monthly = at_month_ends(table[list(names)]).reindex(levels.index)
            levels = levels.join(monthly.loc[:, monthly.iloc[-1].notna()])
    return Market(levels, long["cash"].iloc[1:], name="monthly panel of the folder")


def _compounded(returns: pd.DataFrame) -> pd.DataFrame:
    """Return levels that are 1 on the row before each first return; the first row of all is their base."""
    return (1.0 + returns.iloc[1:]).cumprod().reindex(returns.index).fillna({"stocks": 1.0, "bonds": 1.0})


def _in_dollars(world: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the price indices in dollars; Hong Kong's currency is tied to it."""
    if world is None:
        return None
    return world.assign(china=world["china"] / world["yuan"].ffill())
