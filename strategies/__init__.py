"""Strategies: one file each. Copy one to write the next."""

from strategies.equal_risk import equal_risk_contribution
from strategies.gold_diversified import GoldDiversified
from strategies.risk_parity import RiskParity
from strategies.sixty_forty import SixtyForty
from strategies.study import default_study

__all__ = ["GoldDiversified", "RiskParity", "SixtyForty", "default_study", "equal_risk_contribution"]
