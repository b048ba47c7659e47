"""A blend: fixed shares of the portfolio, each run by a strategy of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import as_tuple, check_between
from strategies._inner import check_inner, inner_weights, or_cash

__all__ = ["Blend"]


@final
@dataclass(frozen=True)
class Blend(Strategy):
    """Several strategies, each with a fixed share of the portfolio, brought back to it at each decision.

    The weights are the sum of the strategies' weights times their shares, so what one buys and another
    sells is not traded.

    Parameters
    ----------
    strategies
        Which.
    shares
        Fraction of the portfolio of each; they sum to 1.
    name
        What tables call it.
    """

    strategies: tuple[Strategy, ...]
    shares: tuple[float, ...]
    name: str = "Blend"

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "strategies", as_tuple("strategies", self.strategies, "pass a tuple of strategies")
        )
        if not self.strategies:
            raise InputError("strategies", f"{self.strategies!r}", fix="pass a tuple of strategies")
        for position, strategy in enumerate(self.strategies):
            check_inner(f"strategies[{position}]", strategy)
        object.__setattr__(self, "shares", as_tuple("shares", self.shares, "pass a tuple of fractions"))
        if len(self.shares) != len(self.strategies):
            raise InputError(
                "shares", f"{self.shares!r} for {len(self.strategies)} strategies", fix="one each"
            )
        for position, share in enumerate(self.shares):
            check_between(f"shares[{position}]", share, 0.0, 1.0)
        if abs(sum(self.shares) - 1.0) > 1e-9:
            raise InputError("shares", f"sum to {sum(self.shares):.6g}, expected 1")

    @property
    def is_constant(self) -> bool:
        """Whether all of the strategies always answer the same."""
        return all(strategy.is_constant for strategy in self.strategies)

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights of all, by their shares."""
        total: dict[str, float] = {}
        for strategy, share in zip(self.strategies, self.shares, strict=True):
            for asset, weight in inner_weights(strategy, past).items():
                total[asset] = total.get(asset, 0.0) + share * weight
        return or_cash(total)
