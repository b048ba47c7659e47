"""Minimum variance: the portfolio of least risk, which needs no forecast of returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from allocator.engine import Strategy
from allocator.market import Market
from strategies._limits import check_constraints, limits_on, looks_at_holdings
from strategies._solvers import least_risk
from strategies._window import check_late, check_window, more_to_come, read_assets, trailing_window
from strategies.constraints import Constraint
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["MinimumVariance"]


@final
@dataclass(frozen=True)
class MinimumVariance(Strategy):
    """The weights, summing to 1, of the least variance on a trailing covariance (Markowitz, 1952).

    Long-only unless the bounds say otherwise. It holds few assets, those of low volatility and correlation
    (Clarke, de Silva and Thorley, 2011), and what it seeks is in part the error of the estimate: bounds
    or a shrunk covariance hold that back (Jagannathan and Ma, 2003, show that they do alike).

    Parameters
    ----------
    assets
        Names of the assets.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    covariance
        How it is estimated from the window.
    late
        ``"wait"`` until every asset has a full window, or ``"leave_out"`` those without.
    constraints
        Any of :class:`Bounds`, :class:`Group`, :class:`Linear`, :class:`TurnoverLimit`,
        :class:`TrackingErrorLimit`, on the weights.
    name
        What tables call it.

    References
    ----------
    Markowitz (1952), Portfolio selection, Journal of Finance 7(1).
    Clarke, de Silva, Thorley (2011), Minimum-variance portfolio composition, Journal of Portfolio
    Management 37(2).
    Jagannathan, Ma (2003), Risk reduction in large portfolios, Journal of Finance 58(4).
    """

    assets: tuple[str, ...] = ("stocks", "bonds", "gold")
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    constraints: tuple[Constraint, ...] = ()
    name: str = "Minimum variance"

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets))
        check_window(self.window_years, self.covariance)
        check_late(self.late)
        object.__setattr__(self, "constraints", check_constraints(self.constraints, self.assets))

    @property
    def sees_holdings(self) -> bool:
        """Whether a limit needs to know what is held."""
        return looks_at_holdings(self.constraints)

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights where nothing is held."""
        return self.weights_from(past, {})

    def weights_from(self, past: Market, held: Mapping[str, float]) -> dict[str, float]:
        """Return the weights from the returns of the trailing window and what is held."""
        window = trailing_window(past, self.assets, self.window_years, self.covariance, self.late)
        limits = limits_on(self.constraints, window.assets, held)
        with more_to_come(window, past):
            weights = least_risk(window.covariance * window.periods_per_year, limits)
        return dict(zip(window.assets, weights.tolist(), strict=True))
