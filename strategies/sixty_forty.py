"""60/40: the portfolio that every other one is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import check_between

__all__ = ["SixtyForty"]


@final
@dataclass(frozen=True)
class SixtyForty(Strategy):
    """A fixed share of stocks, 60 % unless said otherwise, and the rest in government bonds.

    Parameters
    ----------
    stocks, bonds
        Names of the two assets in the market.
    stock_weight
        Share of stocks, between 0 and 1.
    name
        What tables call it.
    """

    stocks: str = "stocks"
    bonds: str = "bonds"
    stock_weight: float = 0.6
    name: str = "60/40"
    is_constant: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.stocks == self.bonds:
            raise InputError("bonds", f"{self.bonds!r} is also stocks", fix="name two different assets")
        check_between("stock_weight", self.stock_weight, 0.0, 1.0)

    def weights(self, past: Market) -> dict[str, float]:  # noqa: ARG002
        """Return the same weights at every date."""
        return {self.stocks: self.stock_weight, self.bonds: 1.0 - self.stock_weight}
