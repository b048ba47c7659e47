"""Maximum diversification: the most volatility that the portfolio is spared by holding many assets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from allocator.engine import Strategy
from allocator.market import Market
from strategies._limits import check_constraints, limits_on, looks_at_holdings
from strategies._solvers import most_diversified
from strategies._window import check_late, check_window, more_to_come, read_assets, trailing_window
from strategies.constraints import Constraint
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["MaximumDiversification"]


@final
@dataclass(frozen=True)
class MaximumDiversification(Strategy):
    """The weights, summing to 1, of the largest ratio w'σ / √(w'Σw) (Choueifaty and Coignard, 2008).

    The ratio is the mean volatility of what is held over the volatility of the whole. Without constraints the
    portfolio is that of least variance on the correlations, divided by the volatilities; where all
    correlations are equal, inverse volatility. Constraints hold for the weights that sum to 1.

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
    Choueifaty, Coignard (2008), Toward maximum diversification, Journal of Portfolio Management 35(1).
    """

    assets: tuple[str, ...] = ("stocks", "bonds", "gold")
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    constraints: tuple[Constraint, ...] = ()
    name: str = "Maximum diversification"

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
            weights = most_diversified(window.covariance * window.periods_per_year, limits)
        return dict(zip(window.assets, weights.tolist(), strict=True))
