"""Inverse volatility: risk parity that does not look at correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.engine import Strategy
from allocator.market import Market
from strategies._window import check_late, check_window, read_assets, trailing_window
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["InverseVolatility"]


@final
@dataclass(frozen=True)
class InverseVolatility(Strategy):
    """Weights in proportion to 1/volatility, which sum to 1: "naive" risk parity.

    The risk contributions are equal if there are two assets or all correlations are alike, and only then
    in general (Maillard, Roncalli and Teiletche, 2010): :class:`RiskParity` makes them equal always. Asness,
    Frazzini and Pedersen (2012) use this rule on three years of monthly returns and lever it; for that, put
    :class:`VolatilityTarget` around it.

    Parameters
    ----------
    assets
        Names of the assets.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    covariance
        How it is estimated from the window; only its diagonal counts.
    late
        ``"wait"`` until every asset has a full window, or ``"leave_out"`` those without.
    name
        What tables call it.

    References
    ----------
    Asness, Frazzini, Pedersen (2012), Leverage aversion and risk parity, Financial Analysts Journal 68(1).
    """

    assets: tuple[str, ...] = ("stocks", "bonds")
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    name: str = "Inverse volatility"

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets))
        check_window(self.window_years, self.covariance)
        check_late(self.late)

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights from the volatilities of the trailing window."""
        window = trailing_window(past, self.assets, self.window_years, self.covariance, self.late)
        inverse = 1.0 / np.sqrt(window.covariance.diagonal())
        return dict(zip(window.assets, (inverse / inverse.sum()).tolist(), strict=True))
