"""An overlay: as much of a strategy as has the volatility that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import check_between, is_between
from strategies._inner import check_inner, inner_weights, or_cash
from strategies._window import check_late, check_window, trailing_window
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["VolatilityTarget"]


@final
@dataclass(frozen=True)
class VolatilityTarget(Strategy):
    """The weights of a strategy times target / estimated volatility: with the rest in cash, or borrowed.

    The volatility is that of the portfolio which the strategy wants now, √(w'Σw) with Σ from the trailing
    window of the assets in it, so that a change of the portfolio shows at once. Borrowing pays the market's
    cash return plus the borrow spread of the costs. Moreira and Muir (2017) scale by the variance of the last
    month; Harvey et al. (2018) by exponentially weighted volatility, and find higher Sharpe ratios for stocks
    and credit, and little change for bonds, currencies and commodities.

    Parameters
    ----------
    strategy
        Whose weights are scaled.
    target
        Volatility a year, as a fraction.
    max_leverage
        Most that the absolute weights may sum to after scaling; 1 never borrows.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    covariance
        How it is estimated from the window.
    late
        ``"wait"`` until every asset in the portfolio has a full window, or ``"leave_out"`` those without
        and meet the target with the others.
    name
        What tables call it.

    References
    ----------
    Moreira, Muir (2017), Volatility-managed portfolios, Journal of Finance 72(4).
    Harvey, Hoyle, Korgaonkar, Rattray, Sargaison, Van Hemert (2018), The impact of volatility targeting,
    Journal of Portfolio Management 45(1).
    """

    strategy: Strategy
    target: float = 0.10
    max_leverage: float = 2.0
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    name: str = "Volatility target"

    def __post_init__(self) -> None:
        check_inner("strategy", self.strategy)
        check_window(self.window_years, self.covariance)
        check_late(self.late)
        if not is_between(self.target, 0.0, 1.0, "neither"):
            raise InputError("target", f"{self.target!r}", fix="10 % a year is 0.10")
        check_between("max_leverage", self.max_leverage, 0.0, 10.0, "right")

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights of the strategy, scaled."""
        wanted = inner_weights(self.strategy, past)
        if not wanted:
            return or_cash(wanted)
        window = trailing_window(past, tuple(wanted), self.window_years, self.covariance, self.late)
        weights = np.array([wanted[asset] for asset in window.assets])
        variance = float(weights @ window.covariance @ weights) * window.periods_per_year
        most = self.max_leverage / float(np.abs(weights).sum())
        # Long and short may cancel to nothing: then the cap decides.
        scale = min(self.target / np.sqrt(variance), most) if variance > 0.0 else most
        return dict(zip(window.assets, (weights * scale).tolist(), strict=True))
