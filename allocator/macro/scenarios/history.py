"""The years that scenarios are made of: economy and assets side by side, each year with its label."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.debt.accounts import debt_accounts
from allocator.macro.debt.classifier import DebtRegimes, debt_regimes
from allocator.macro.scenarios import show
from allocator.market import Market, load_us_debt, load_us_history
from allocator.market.market import cut, signal_in_hindsight
from allocator.regimes._settings import column_named, refuse_no_text, whole_between

__all__ = ["DRIVERS", "ScenarioHistory", "marginal_rate", "scenario_history"]

FloatArray = NDArray[np.float64]
DRIVERS = ("growth", "inflation", "short_rate", "term_premium", "primary_deficit", "dollar")
_FROM_ACCOUNTS = ("debt", "interest_rate", "growth", "inflation", "primary_deficit")
_LAST_YEAR_OF_OFFICIAL_GOLD = 1971  # the window closed in August
_FEWEST_YEARS = 2  # of a regime: one year has neither a spread nor an interval


@final
@dataclass(frozen=True, eq=False, repr=False)
class ScenarioHistory:
    """Years of history with their labels.

    Attributes
    ----------
    table
        A row a calendar year, fractions: ``debt``, ``interest_rate`` (the effective one), ``growth``,
        ``inflation`` (of the GDP price) and ``primary_deficit`` of the fiscal year that ends in it;
        ``short_rate``, what cash earned; ``bond_yield`` at its end; ``term_premium``, bond yield less short
        rate; ``dollar``, the change of the index, NaN where there is none; and the return of each asset.
    labels
        How the debt was handled in each of these years, ex post.
    assets
        The assets that are simulated.
    market
        Yearly, up to the last of these years: the past of a strategy before a simulated path begins.
    """

    table: pd.DataFrame
    labels: pd.Series[str]
    assets: tuple[str, ...]
    market: Market

    __repr__ = show.history_text
    _repr_html_ = show.history_html

    @property
    def columns(self) -> tuple[str, ...]:
        """What is drawn together: the drivers, then the assets."""
        return (*DRIVERS, *self.assets)

    @property
    def first_year(self) -> int:
        """The first year that may be drawn."""
        return int(self.table.index[0])

    @property
    def last_year(self) -> int:
        """The year after which scenarios begin."""
        return int(self.table.index[-1])

    def years(self, regime: str) -> pd.DataFrame:
        """Return the drawn columns in the years with a label.

        Raises
        ------
        InputError
            If there is no such label, or fewer than two years have it.
        """
        refuse_no_text("regime", regime, f"labelled years: {', '.join(sorted(set(self.labels)))}")
        counts = self.labels.value_counts()
        if regime not in counts.index:
            near = difflib.get_close_matches(str(regime), list(counts.index), n=1)
            found = ", ".join(f"{name} {n}" for name, n in counts.items())
            raise InputError(
                "regime",
                f"no year from {self.first_year} to {self.last_year} is labelled {regime!r}",
                fix=(f"did you mean {near[0]!r}? " if near else "") + f"labelled years: {found}",
            )
        if counts[regime] < _FEWEST_YEARS:
            raise InputError(
                "regime", f"{regime!r} has {counts[regime]} year from {self.first_year}", fix="begin earlier"
            )
        return self.table.loc[self.labels == regime, list(self.columns)]

    def official_gold(self, regime: str) -> int:
        """Return in how many years of a regime the price of gold was official (to 1971)."""
        years = self.years(regime).index
        return int((years <= _LAST_YEAR_OF_OFFICIAL_GOLD).sum()) if "gold" in self.assets else 0

    @property
    def refinanced(self) -> float:
        """The share of the gap to :func:`marginal_rate` that the effective rate closed in a year.

        Slope of least squares without a constant of the change of the effective rate on the gap.
        """
        change, gap = self._closing()
        return float(change @ gap / (gap @ gap))

    @property
    def refinanced_fit(self) -> float:
        """Share of the squared changes of the effective rate that :attr:`refinanced` explains."""
        change, gap = self._closing()
        rest = change - self.refinanced * gap
        return float(1.0 - rest @ rest / (change @ change))

    def _closing(self) -> tuple[FloatArray, FloatArray]:
        rate = self.table["interest_rate"].to_numpy()
        short, bond = self.table["short_rate"].to_numpy(), self.table["bond_yield"].to_numpy()
        return np.diff(rate), marginal_rate(short, bond)[1:] - rate[:-1]


def scenario_history(
    market: Market | None = None,
    regimes: DebtRegimes | None = None,
    *,
    assets: tuple[str, ...] = ("stocks", "bonds", "gold"),
    since: int = 1940,
) -> ScenarioHistory:
    """Put economy, assets and labels side by side, a row a year.

    Parameters
    ----------
    market
        Yearly, with a signal ``bond_yield`` and, if there is one, ``dollar`` (an index level); by default
        :func:`load_us_history`.
    regimes
        Labels and accounts by year; by default those of :func:`load_us_debt` under the usual rule.
    assets
        Which assets to simulate; each needs a return in every year.
    since
        The first year that may be drawn. Before 1972 gold stood at an official price and the dollar index
        does not exist; before 1946 there was the war. Later means fewer years in each regime.

    Raises
    ------
    InputError
        If the market is not yearly, lacks the yield, or an asset lacks a return; if no year is left.
    """
    whole_between("since", since, 1, 9_999, "pass a year: 1940")
    given = load_us_history() if market is None else market
    labelled = debt_regimes(debt_accounts(load_us_debt())) if regimes is None else regimes
    _refuse_kinds(given, labelled)
    accounts = labelled.contributions.accounts
    table = accounts.set_axis(_years(accounts.index))[list(_FROM_ACCOUNTS)].iloc[1:]
    labels = labelled.table["label"].astype(object).set_axis(_years(labelled.table.index))
    world = _with_returns(given, assets)
    years = table.index.intersection(world.index)
    kept = years[years >= since]
    if len(kept) < _FEWEST_YEARS:
        raise InputError("since", f"{since!r}: {len(kept)} years with accounts and returns", fix="1940")
    whole = table.join(world, how="inner").loc[kept]
    _refuse_missing(whole.drop(columns="dollar"))
    order = ["debt", "interest_rate", "bond_yield", *DRIVERS, *assets]
    last = int(np.flatnonzero(given.index.year == kept[-1])[0])
    labels = labels.reindex(kept).rename("label")
    return ScenarioHistory(whole[order].rename_axis("year"), labels, tuple(assets), cut(given, last + 1))


def marginal_rate(short_rate: FloatArray, bond_yield: FloatArray) -> FloatArray:
    """Return at what rate debt is refinanced: half at the short rate of the year, half at the yield."""
    return np.asarray((short_rate + bond_yield) / 2.0)


def _with_returns(market: Market, assets: tuple[str, ...]) -> pd.DataFrame:
    """Return short rate, yield, premium, dollar and the returns of assets by calendar year."""
    if not isinstance(assets, tuple | list):
        raise InputError("assets", f"{assets!r} is no tuple of names", fix='pass ("stocks", "bonds")')
    for asset in assets:
        column_named(market, asset, "assets")
    if not assets or len(set(assets)) < len(assets) or set(assets) & {*DRIVERS, *_FROM_ACCOUNTS}:
        raise InputError("assets", f"{assets!r}", fix="name each asset once, and not like a series here")
    years = _years(pd.Index(market.index[1:]))
    table = market.returns[list(assets)].set_axis(years)
    table["short_rate"] = market.cash[1:]
    table["bond_yield"] = _yearly(market, "bond_yield").reindex(years)
    _refuse_percent(table["bond_yield"])
    table["term_premium"] = table["bond_yield"] - table["short_rate"]
    table["dollar"] = np.nan
    if "dollar" in market.signals:
        table["dollar"] = (_yearly(market, "dollar").pct_change()).reindex(years)
    return table


def _refuse_percent(yields: pd.Series[float]) -> None:
    """Refuse yields in percent (F162)."""
    large = yields[yields.abs() >= 0.5]
    if len(large):
        problem = f"the bond_yield of {large.index[0]} is {large.iloc[0]:g}, which looks like percent"
        raise InputError("market", problem, count=len(large), fix="divide by 100")


def _yearly(market: Market, name: str) -> pd.Series[float]:
    """Return a signal by the year that it describes."""
    signal = signal_in_hindsight(market, name)
    ends = pd.DatetimeIndex(signal.values.index if signal.describes is None else signal.describes)
    return signal.values.set_axis(_years(ends))


def _years(index: pd.Index) -> pd.Index:
    years = index.year if isinstance(index, pd.DatetimeIndex) else index
    return pd.Index(np.asarray(years, dtype=np.int64))


def _refuse_kinds(market: object, regimes: object) -> None:
    if not isinstance(market, Market):
        raise InputError("market", f"expected a Market, got {type(market).__name__}", fix="load_us_history()")
    if market.frequency.name != "yearly":
        fix = "pass yearly prices; simulate_market makes daily ones"
        raise InputError("market", f"{market.frequency} data: the accounts of a debt are yearly", fix=fix)
    if not isinstance(regimes, DebtRegimes):
        fix = "pass debt_regimes(accounts)"
        raise InputError("regimes", f"expected DebtRegimes, got {type(regimes).__name__}", fix=fix)


def _refuse_missing(table: pd.DataFrame) -> None:
    absent = table.isna()
    for column in table.columns[absent.any()]:
        missing = table.index[absent[column]]
        raise InputError(
            "assets" if column not in ("bond_yield", "term_premium") else "market",
            f"no value in {missing[0]}",
            count=len(missing),
            asset=column,
            fix=f"leave it out, or pass since={missing[-1] + 1}",
        )
    if np.any(np.diff(table.index) != 1):
        raise InputError("regimes", "a year is missing between others", fix="pass accounts without a gap")
