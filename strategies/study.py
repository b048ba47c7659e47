"""The study that ``python -m allocator`` runs."""

from __future__ import annotations

from collections.abc import Sequence

from allocator.engine import Strategy
from strategies.gold_diversified import GoldDiversified
from strategies.risk_parity import RiskParity
from strategies.sixty_forty import SixtyForty

__all__ = ["default_study"]


def default_study(
    stocks: str = "stocks",
    bonds: str = "bonds",
    gold: str = "gold",
    also: Sequence[str] = ("developed", "emerging"),
) -> list[Strategy]:
    """Return 60/40, risk parity, gold-augmented global diversification, and the same without its gold.

    Parameters
    ----------
    stocks, bonds, gold
        Names of the assets in the market.
    also
        Names of the other growth assets of the global portfolio.
    """
    golden = GoldDiversified(stocks, bonds, gold, tuple(also))
    without = GoldDiversified(stocks, bonds, gold, tuple(also), gold_weight=0.0, name="Global mix")
    return [SixtyForty(stocks, bonds), RiskParity((stocks, bonds)), golden, without]
