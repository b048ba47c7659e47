"""Risk parity: each asset contributes the same risk, or its budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from allocator.statistics import sample_covariance
from strategies.equal_risk import equal_risk_contribution

__all__ = ["RiskParity"]

# Long enough to estimate a covariance, short enough to follow it: three years where there are
# months or days, ten where there are only years.
_DEFAULT_WINDOW = {"daily": 3.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 5.0, "yearly": 10.0}
_FLAT = 1e-12  # returns that vary by less vary by rounding


@final
@dataclass(frozen=True)
class RiskParity(Strategy):
    """Equal risk contributions on a trailing sample covariance, optionally levered to a target volatility.

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
    name
        What tables call it.
    """

    assets: tuple[str, ...] = ("stocks", "bonds")
    budget: tuple[float, ...] | None = None
    window_years: float | None = None
    target_volatility: float | None = None
    max_leverage: float = 2.0
    name: str = "Risk parity"

    def __post_init__(self) -> None:
        if len(self.assets) < 2 or len(set(self.assets)) < len(self.assets):
            raise InputError("assets", f"{self.assets!r}", fix="name at least two different assets")
        if self.budget is not None and len(self.budget) != len(self.assets):
            raise InputError("budget", f"{len(self.budget)} shares for {len(self.assets)} assets")
        if self.target_volatility is not None and not 0.0 < self.target_volatility < 1.0:
            raise InputError("target_volatility", f"{self.target_volatility!r}", fix="10 % a year is 0.10")
        if not 1.0 <= self.max_leverage <= 10.0:
            raise InputError("max_leverage", f"{self.max_leverage!r} is not between 1 and 10")

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights from the returns of the trailing window."""
        years = self.window_years if self.window_years is not None else _DEFAULT_WINDOW[past.frequency.name]
        returns = past.window(self.assets, years)
        flat = np.flatnonzero(np.ptp(returns, axis=0) < _FLAT)
        if len(flat):
            raise InputError(
                "prices",
                f"the returns of the last {years:g} years do not vary: no risk to share",
                asset=self.assets[int(flat[0])],
                fix="leave the asset out",
            )
        covariance = sample_covariance(returns)
        weights = equal_risk_contribution(covariance, self.budget)
        if self.target_volatility is not None:
            volatility = float(np.sqrt(weights @ covariance @ weights * past.frequency.periods_per_year))
            weights = weights * min(self.target_volatility / volatility, self.max_leverage)
        return dict(zip(self.assets, weights.tolist(), strict=True))
