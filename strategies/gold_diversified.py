"""Global diversification with a strategic gold sleeve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import check_between
from strategies._window import read_assets
from strategies.gold_sleeves import GoldRule

__all__ = ["GoldDiversified"]


@final
@dataclass(frozen=True)
class GoldDiversified(Strategy):
    """60 % growth assets around the world, 40 % in reserve: 20 % gold and 20 % Treasuries.

    The growth sleeve is half domestic stocks and half ``global_assets`` in equal parts; those not
    listed yet leave their part to the listed ones, and all of it to domestic stocks while none is.
    The reserve sleeve is what should hold when growth assets fall. Its reason is the argument
    that the library tests: if Treasuries lose their role as anchor, stocks and bonds fall together in
    an inflation or debt scare, and an asset without an issuer should share the sleeve. So gold is
    funded from Treasuries, half of the sleeve, because nobody knows in advance which of the two
    scares comes. ``gold_weight=0`` is the same portfolio without gold: the whole sleeve in Treasuries.

    Parameters
    ----------
    stocks, bonds, gold
        Names of the assets in the market.
    global_assets
        Names of the other growth assets: foreign equities, real estate, commodities.
    growth_weight
        Share of the growth sleeve.
    gold_weight
        Share of gold, at most ``1 - growth_weight``; the rest of the reserve sleeve is in bonds. A number, or
        a rule: :class:`GoldByRisk` (a share of the variance) or :class:`GoldByRegime` (a weight by regime).
    home_share
        Share of the growth sleeve in domestic stocks.
    name
        What tables call it.
    """

    stocks: str = "stocks"
    bonds: str = "bonds"
    gold: str = "gold"
    global_assets: tuple[str, ...] = ("developed", "emerging")
    growth_weight: float = 0.6
    gold_weight: float | GoldRule = 0.2
    home_share: float = 0.5
    name: str = "Gold-diversified"

    def __post_init__(self) -> None:
        object.__setattr__(self, "global_assets", read_assets(self.global_assets, 0, "global_assets"))
        names = [self.stocks, self.bonds, self.gold, *self.global_assets]
        if len(set(names)) < len(names):
            problem = f"with stocks, bonds and gold these are {', '.join(names)}"
            raise InputError("global_assets", problem, fix="name each asset once")
        rule = self.gold_weight if isinstance(self.gold_weight, GoldRule) else None
        fractions = {"growth_weight": self.growth_weight, "home_share": self.home_share}
        for argument, value in (fractions if rule else fractions | {"gold_weight": self.gold_weight}).items():
            check_between(argument, value, 0.0, 1.0)
        most = rule.largest if rule else self.gold_weight
        if most > 1.0 - self.growth_weight + 1e-12:  # type: ignore[operator]
            raise InputError(
                "gold_weight",
                f"{most:g} is more than the reserve sleeve, {1.0 - self.growth_weight:g}",
                fix="lower gold_weight or growth_weight",
            )

    def weights(self, past: Market) -> dict[str, float]:
        """Return the sleeves, the global part shared by the assets listed by then."""
        listed = [asset for asset in self.global_assets if past.listed(asset)]
        home = self.home_share if listed else 1.0
        each = (1.0 - home) / len(listed) if listed else 0.0
        growth = {
            self.stocks: self.growth_weight * home,
            **dict.fromkeys(listed, self.growth_weight * each),
        }
        gold = self._gold(past, growth)
        return {**growth, self.gold: gold, self.bonds: max(1.0 - self.growth_weight - gold, 0.0)}

    def _gold(self, past: Market, growth: dict[str, float]) -> float:
        if not isinstance(self.gold_weight, GoldRule):
            return self.gold_weight
        mix = {**growth, self.bonds: max(1.0 - self.growth_weight, 0.0)}
        return self.gold_weight.weight(past, mix, self.bonds, self.gold)
