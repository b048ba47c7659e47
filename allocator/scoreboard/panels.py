"""The data that the claims are tried on: the embedded history, and what a folder adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from allocator.market import Market, load_us_history
from allocator.market.market import signal_in_hindsight
from allocator.scoreboard.folder import at_month_ends, open_folder, read_panel

__all__ = ["Panels", "embedded_panels", "folder_panels"]

_GOLD_FREE = pd.Timestamp("1971-08-31")  # the dollar's tie to gold was cut on 15 August 1971
_PUBLISHED = pd.Timestamp("2025-05-31")
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
        The 10-year yield at the rows of the market, nominal and inflation-indexed, fractions.
    dollar
        Changes on shared dates: of the log of the ``dollar`` index and of the ``yield``.
    daily
        Daily returns of funds: ``stocks``, ``bonds``, ``gold``.
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
    dollar: pd.DataFrame | None = None
    daily: pd.DataFrame | None = None
    long_daily: pd.DataFrame | None = None
    lines: tuple[str, ...] = ()

    @property
    def frequency(self) -> str:
        """The spacing of the portfolios: monthly or yearly."""
        return self.market.frequency.name

    def since_gold_floats(self, assets: list[str]) -> pd.DataFrame:
        """Return returns from September 1971 on, or 1972: before, gold was tied to the dollar."""
        months = 12 if self.frequency == "yearly" else 1
        returns = self.market.returns[assets]
        return returns[returns.index > _GOLD_FREE + pd.offsets.DateOffset(months=months - 1)].dropna()

    def against_real_yield(self, asset: str) -> pd.DataFrame | None:
        """Return an asset beside the fall of the real yield, which is how a bond would move."""
        if self.real is None:
            return None
        return self.market.returns[[asset]].assign(other=-self.real.diff()).dropna()

    def world_and_yield(self) -> pd.DataFrame | None:
        """Return the returns of equities outside the US, the mean of both, and the change of the yield."""
        names = ["developed", "emerging"]
        if self.nominal is None or not set(names) <= set(self.market.assets):
            return None
        frame = self.market.returns[names].assign(**{"yield": self.nominal.diff()}).dropna()
        return frame.assign(world=frame[names].mean(axis=1))


def embedded_panels() -> Panels:
    """Return the embedded history: yearly, without a download."""
    history = load_us_history()
    nominal = _yearly(history, "bond_yield")
    return Panels(
        history,
        history,
        _yearly_premium(history),
        nominal=nominal,
        dollar=_dollar_and_yield(_yearly(history, "dollar"), nominal),
        lines=(f"data: {history.name}, embedded, yearly", _since_publication(history)),
    )


def folder_panels(folder: str | Path) -> Panels:
    """Return what a folder holds, with the embedded history for fiscal years.

    Without a monthly market everything but the dollar and the events is the embedded history's.

    Raises
    ------
    InputError
        The folder is none or holds no file of the layout, and what :func:`read_panel` refuses.
    """
    path = open_folder(folder)
    yields, world = (read_panel(path, file) for file in ("daily_yields_risk.csv", "daily_global_price.csv"))
    market, left_out = _monthly_market(path, world)
    panels = embedded_panels() if market is None else _monthly_panels(path, market, yields)
    long_daily = read_panel(path, "daily_long_us.csv")
    used = panels.market
    return replace(
        panels,
        dollar=None
        if world is None or yields is None
        else _dollar_and_yield(world["dollar"], yields["nominal"]),
        long_daily=None if long_daily is None else long_daily.dropna(),
        lines=(
            f"data: folder {path.name!r}, and {panels.history.name} (embedded) for fiscal years",
            *(
                []
                if market is not None
                else ["no monthly_eom_1962.csv: portfolios are the embedded yearly history"]
            ),
            *left_out,
            _since_publication(used),
        ),
    )


def _monthly_panels(path: Path, market: Market, yields: pd.DataFrame | None) -> Panels:
    history = load_us_history()
    premium, funds = (
        read_panel(path, file) for file in ("monthly_term_premium.csv", "daily_core_balanced.csv")
    )
    ends = None if yields is None else at_month_ends(yields).reindex(market.index)
    return Panels(
        market,
        history,
        _yearly_premium(history).iloc[:0] if premium is None else premium.dropna(),
        nominal=None if ends is None else ends["nominal"],
        real=None if ends is None else ends["real"],
        daily=None if funds is None else funds.dropna().pct_change().iloc[1:],
    )


def _monthly_market(path: Path, world: pd.DataFrame | None) -> tuple[Market | None, list[str]]:
    """Return month-end levels of all that can be held to the last month, and what was left out."""
    long = read_panel(path, "monthly_eom_1962.csv")
    if long is None:
        return None, []
    levels, left_out = _compounded(long[["stocks", "bonds", "gold"]]), []
    levels.loc[levels.index < _GOLD_FREE, "gold"] = float("nan")
    for table, names in ((read_panel(path, "daily_etf_tr.csv"), _WORLD), (_in_dollars(world), _PRICES)):
        if table is None:
            continue
        monthly = at_month_ends(table[list(names)]).reindex(levels.index)
        ended = [name for name in names if np.isnan(monthly[name].iloc[-1])]
        left_out += [
            f"left out: {name}, without a level at the end of {levels.index[-1]:%Y-%m}" for name in ended
        ]
        levels = levels.join(monthly.drop(columns=ended))
    return Market(levels, long["cash"].iloc[1:], name="monthly panel of the folder"), left_out


def _compounded(returns: pd.DataFrame) -> pd.DataFrame:
    """Return levels that are 1 on the row before each first return; the first row of all is their base."""
    return (1.0 + returns.iloc[1:]).cumprod().reindex(returns.index).fillna({"stocks": 1.0, "bonds": 1.0})


def _in_dollars(world: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the price indices in dollars, at the last known rate; Hong Kong's currency is tied to it."""
    if world is None:
        return None
    return world.assign(china=world["china"] / world["yuan"].ffill())


def _dollar_and_yield(dollar: pd.Series, nominal: pd.Series) -> pd.DataFrame:
    """Return changes on shared dates: of the log of the dollar, and of the yield."""
    both = pd.DataFrame({"dollar": np.log(dollar), "yield": nominal}).dropna()
    return both.diff().dropna()


def _since_publication(market: Market) -> str:
    rows = int((market.index > _PUBLISHED).sum())
    return (
        f"{rows} of {len(market.index) - 1:,} {market.frequency} returns are later than the month of the "
        "article (May 2025): the others were there to be looked at when it was written"
    )


def _yearly(history: Market, name: str) -> pd.Series:
    """Return a signal by the year that it describes."""
    values = signal_in_hindsight(history, name).as_described_on(history.index)
    return pd.Series(values, index=history.index, name=name)


def _yearly_premium(history: Market) -> pd.DataFrame:
    nominal, premium = _yearly(history, "bond_yield"), _yearly(history, "term_premium")
    return pd.DataFrame({"yield": nominal, "premium": premium, "expected": nominal - premium}).dropna()
