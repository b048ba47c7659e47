"""Fixed mixes with a name: the portfolios that need no estimate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import as_tuple, is_between
from strategies._window import read_assets

__all__ = ["AllWeather", "EqualWeight", "GlobalMarketMix", "PermanentPortfolio"]


@final
@dataclass(frozen=True)
class EqualWeight(Strategy):
    """The same weight for each asset: 1/N, which DeMiguel, Garlappi and Uppal (2009) find hard to beat.

    An asset that is not listed yet follows the run's ``unlisted``: ``"pro_rata"`` is 1/N of those listed.

    Parameters
    ----------
    assets
        Their names.
    name
        What tables call it.

    References
    ----------
    DeMiguel, Garlappi, Uppal (2009), Review of Financial Studies 22(5).
    """

    assets: tuple[str, ...] = ("stocks", "bonds", "gold")
    name: str = "Equal weight"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets))

    def weights(self, past: Market) -> dict[str, float]:  # noqa: ARG002
        """Return 1/N for each."""
        return dict.fromkeys(self.assets, 1.0 / len(self.assets))


@final
@dataclass(frozen=True)
class PermanentPortfolio(Strategy):
    """Harry Browne's quarters for four economies: stocks for prosperity, bonds for deflation, gold, cash.

    The book rebalances once a year, and when a part is below 15 % or above 35 %:
    ``rebalancing=al.Yearly() | al.Band(0.10)`` is that rule but for testing the band every day.

    Parameters
    ----------
    stocks, bonds, gold
        Names of the assets; the book's bonds are long Treasuries.
    cash
        Name of an asset of bills; None is the market's own cash.
    name
        What tables call it.

    References
    ----------
    Browne (1987), Why the Best-Laid Investment Plans Usually Go Wrong; (1999), Fail-Safe Investing.
    """

    stocks: str = "stocks"
    bonds: str = "bonds"
    gold: str = "gold"
    cash: str | None = None
    name: str = "Permanent Portfolio"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        bills = () if self.cash is None else (self.cash,)
        _refuse_shared([{self.stocks}, {self.bonds}, {self.gold}, *({bill} for bill in bills)])

    def weights(self, past: Market) -> dict[str, float]:  # noqa: ARG002
        """Return a quarter for each; without an asset for cash, a quarter is left in the market's."""
        bills = {} if self.cash is None else {self.cash: 0.25}
        return {self.stocks: 0.25, self.bonds: 0.25, self.gold: 0.25, **bills}


@final
@dataclass(frozen=True)
class AllWeather(Strategy):
    """Ray Dalio's mix for anyone: 30 % stocks, 40 % long and 15 % shorter bonds, 7.5 % gold and commodities.

    This is the mix without leverage that was published under the names All Weather and All Seasons; the
    fund of that name is levered and is not published. Where a market has bonds of one maturity only, say
    so: ``AllWeather("bonds", "bonds")`` holds 55 % of them. In the same way gold may stand for commodities.

    Parameters
    ----------
    long_bonds, intermediate_bonds
        Names of the bonds of 20 to 25 and of 7 to 10 years.
    stocks, gold, commodities
        Names of the other assets.
    name
        What tables call it.

    References
    ----------
    Robbins (2014), Money: Master the Game, interview with Ray Dalio.
    """

    long_bonds: str
    intermediate_bonds: str
    stocks: str = "stocks"
    gold: str = "gold"
    commodities: str = "commodities"
    name: str = "All Weather"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        bonds = {self.long_bonds, self.intermediate_bonds}
        _refuse_shared([{self.stocks}, bonds, {self.gold, self.commodities}])

    def weights(self, past: Market) -> dict[str, float]:  # noqa: ARG002
        """Return the published shares, added where one asset plays two parts."""
        return _added(
            [
                (self.stocks, 0.3),
                (self.long_bonds, 0.4),
                (self.intermediate_bonds, 0.15),
                (self.gold, 0.075),
                (self.commodities, 0.075),
            ]
        )


@final
@dataclass(frozen=True)
class GlobalMarketMix(Strategy):
    """What investors hold on average: 50 % equities, 44 % bonds, 4 % real estate, 2 % commodities.

    The shares are averages of the invested market portfolio since 1970 by Doeswijk, Lam and Swinkels, whose
    commodities are gold for the most part, rounded to per cents by Portfolio Charts. The market's own shares
    move: equities were 64.1 % in 1969 and 34.7 % at the end of 2011 (Doeswijk, Lam and Swinkels, 2012). So a
    fixed mix is a stand-in for it, and one that was chosen in hindsight; give other ``shares`` to try others.

    Parameters
    ----------
    equities
        Names of the equity markets, which share their part equally: the library has no market values.
    bonds, real_estate, commodities
        Names of the other assets.
    shares
        Of equities, bonds, real estate and commodities; they sum to 1.
    name
        What tables call it.

    References
    ----------
    Doeswijk, Lam, Swinkels (2012), SSRN 2170275; (2014), Financial Analysts Journal 70(2); (2020), Review of
    Asset Pricing Studies 10(3). The averages: portfoliocharts.com, Global Market Portfolio.
    """

    equities: tuple[str, ...] = ("stocks", "developed")
    bonds: str = "bonds"
    real_estate: str = "reits"
    commodities: str = "gold"
    shares: tuple[float, float, float, float] = (0.50, 0.44, 0.04, 0.02)
    name: str = "Global market mix"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "equities", read_assets(self.equities, 1))
        _refuse_shared([set(self.equities), {self.bonds}, {self.real_estate}, {self.commodities}])
        object.__setattr__(self, "shares", as_tuple("shares", self.shares, "give four fractions"))
        if len(self.shares) != 4 or not all(is_between(share, 0.0, 1.0) for share in self.shares):
            raise InputError("shares", f"{self.shares!r}", fix="give four fractions")
        if not np.isclose(sum(self.shares), 1.0, rtol=0.0, atol=1e-9):
            raise InputError("shares", f"sum to {sum(self.shares):.6g}, expected 1")

    def weights(self, past: Market) -> dict[str, float]:  # noqa: ARG002
        """Return the shares, that of equities in equal parts."""
        equity, bond, property_, commodity = self.shares
        return {
            **dict.fromkeys(self.equities, equity / len(self.equities)),
            self.bonds: bond,
            self.real_estate: property_,
            self.commodities: commodity,
        }


def _refuse_shared(parts: Iterable[set[str]]) -> None:
    """Refuse an asset that plays two parts which are not alike."""
    seen: set[str] = set()
    for part in parts:
        twice = sorted(seen & part)
        if twice:
            raise InputError("assets", f"{twice[0]!r} plays two parts", fix="name a different asset for each")
        seen |= part


def _added(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the weight of each asset, summed over its parts."""
    weights: dict[str, float] = {}
    for asset, share in parts:
        weights[asset] = weights.get(asset, 0.0) + share
    return weights
