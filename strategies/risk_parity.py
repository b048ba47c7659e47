"""Risk parity: each asset contributes the same risk, or its budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._limits import LINEAR_KINDS, check_constraints, limits_on
from strategies._window import check_assets, check_late, trailing_window
from strategies.constraints import Constraint
from strategies.covariances import CovarianceEstimator, SampleCovariance
from strategies.equal_risk import equal_risk_contribution
from strategies.risk_budgeting import weights_within

__all__ = ["RiskParity"]


@final
@dataclass(frozen=True)
class RiskParity(Strategy):
    """Equal risk contributions on a trailing covariance, optionally levered to a target volatility.

    Without a target the weights sum to 1. With one they are multiplied by target / estimated
    volatility, at most ``max_leverage``: less than 1 leaves cash, more is borrowed and pays the
    market's cash return plus the borrow spread of the costs. Asness, Frazzini and Pedersen (2012)
    find the case for risk parity in that leverage; Anderson, Bianchi and Goldberg (2012) find that its
    cost can undo the case.

    Parameters
    ----------
    assets
        Names of the assets.
    budget
        Share of the risk of each asset; by default equal.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    target_volatility
        Annualised, as a fraction; None holds weights that sum to 1.
    max_leverage
        Most that the weights may sum to under a target.
    covariance
        How it is estimated from the window.
    late
        ``"wait"`` until every asset has a full window, or ``"leave_out"`` those without.
    constraints
        Any of :class:`Bounds`, :class:`Group`, :class:`Linear`, on the weights that sum to 1, before any
        leverage. Where they bind, risks cannot be equal: it is the portfolio within them that comes closest,
        :func:`risk_budget_within`.
    name
        What tables call it.
    """

    assets: tuple[str, ...] = ("stocks", "bonds")
    budget: tuple[float, ...] | None = None
    window_years: float | None = None
    target_volatility: float | None = None
    max_leverage: float = 2.0
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    constraints: tuple[Constraint, ...] = ()
    name: str = "Risk parity"

    def __post_init__(self) -> None:
        check_assets(self.assets)
        check_late(self.late)
        if self.budget is not None and len(self.budget) != len(self.assets):
            raise InputError("budget", f"{len(self.budget)} shares for {len(self.assets)} assets")
        if self.target_volatility is not None and not 0.0 < self.target_volatility < 1.0:
            raise InputError("target_volatility", f"{self.target_volatility!r}", fix="10 % a year is 0.10")
        if not 1.0 <= self.max_leverage <= 10.0:
            raise InputError("max_leverage", f"{self.max_leverage!r} is not between 1 and 10")
        check_constraints(self.constraints, self.assets, LINEAR_KINDS)

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights from the returns of the trailing window."""
        window = trailing_window(past, self.assets, self.window_years, self.covariance, self.late)
        budget = None
        if self.budget is not None:
            budget = [self.budget[self.assets.index(asset)] for asset in window.assets]
        if self.constraints:
            limits = limits_on(self.constraints, window.assets)
            weights = weights_within(window.covariance, budget, limits)
        else:
            weights = equal_risk_contribution(window.covariance, budget)
        if self.target_volatility is not None:
            variance = float(weights @ window.covariance @ weights) * window.periods_per_year
            weights = weights * min(self.target_volatility / np.sqrt(variance), self.max_leverage)
        return dict(zip(window.assets, weights.tolist(), strict=True))
