"""Strategies: one file each. Copy one to write the next."""

from strategies.blend import Blend
from strategies.constraints import Bounds, Group, Linear, TrackingErrorLimit, TurnoverLimit
from strategies.covariances import (
    CovarianceEstimator,
    ExponentialCovariance,
    LedoitWolfCovariance,
    LedoitWolfIdentityCovariance,
    SampleCovariance,
)
from strategies.equal_risk import equal_risk_contribution
from strategies.estimator import EstimatorStrategy
from strategies.fixed_mixes import AllWeather, EqualWeight, GlobalMarketMix, PermanentPortfolio
from strategies.gold_diversified import GoldDiversified
from strategies.gold_sleeves import GoldByRegime, GoldByRisk, GoldRule
from strategies.inverse_volatility import InverseVolatility
from strategies.maximum_diversification import MaximumDiversification
from strategies.mean_variance import MeanVariance
from strategies.minimum_variance import MinimumVariance
from strategies.regime_switch import RegimeSwitch
from strategies.risk_breakdown import RiskContributions, risk_contributions
from strategies.risk_budgeting import ConstrainedRiskBudget, constrained_risk_budget, risk_budget_within
from strategies.risk_parity import RiskParity
from strategies.sixty_forty import SixtyForty
from strategies.study import default_study
from strategies.trend_filter import AboveCash, AboveMovingAverage, TrendFilter, TrendRule
from strategies.volatility_target import VolatilityTarget

__all__ = [
    "AboveCash",
    "AboveMovingAverage",
    "AllWeather",
    "Blend",
    "Bounds",
    "ConstrainedRiskBudget",
    "CovarianceEstimator",
    "EqualWeight",
    "EstimatorStrategy",
    "ExponentialCovariance",
    "GlobalMarketMix",
    "GoldByRegime",
    "GoldByRisk",
    "GoldDiversified",
    "GoldRule",
    "Group",
    "InverseVolatility",
    "LedoitWolfCovariance",
    "LedoitWolfIdentityCovariance",
    "Linear",
    "MaximumDiversification",
    "MeanVariance",
    "MinimumVariance",
    "PermanentPortfolio",
    "RegimeSwitch",
    "RiskContributions",
    "RiskParity",
    "SampleCovariance",
    "SixtyForty",
    "TrackingErrorLimit",
    "TrendFilter",
    "TrendRule",
    "TurnoverLimit",
    "VolatilityTarget",
    "constrained_risk_budget",
    "default_study",
    "equal_risk_contribution",
    "risk_budget_within",
    "risk_contributions",
]
