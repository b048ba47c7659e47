"""Mean–variance: the best trade-off of expected return and risk, under constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import check_between, check_known, is_between, read_amounts
from strategies._limits import check_constraints, limits_on, looks_at_holdings
from strategies._mapping import FrozenMapping
from strategies._solvers import best_trade_off
from strategies._window import Window, check_late, check_window, more_to_come, read_assets, trailing_window
from strategies.constraints import Constraint
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["MeanVariance"]


@final
@dataclass(frozen=True)
class MeanVariance(Strategy):
    """The weights that maximise μ'w - risk_aversion/2 · w'Σw, annualised (Markowitz, 1952).

    Without ``expected_returns`` μ is the mean of the window, which is a poor forecast: the optimum then holds
    most of what was lucky (Michaud, 1989, calls it an error maximiser), and over real histories it does not
    beat equal weights (DeMiguel, Garlappi and Uppal, 2009). Give views of your own, or constraints, or use a
    strategy that asks for no returns.

    Parameters
    ----------
    assets
        Names of the assets.
    expected_returns
        Annual, over cash, as fractions, of every asset: {asset: number}. By default the mean of the window,
        simple returns less the market's cash.
    risk_aversion
        To variance, positive: with 5, a standard deviation of 20 % a year costs 5/2 · 0.2² = 10 % a year.
    least_invested, most_invested
        The weights sum to between these; by default to exactly 1. The rest is cash; more than 1 is borrowed.
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
    Michaud (1989), The Markowitz optimization enigma, Financial Analysts Journal 45(1).
    DeMiguel, Garlappi, Uppal (2009), Optimal versus naive diversification, Review of Financial Studies 22(5).
    """

    assets: tuple[str, ...] = ("stocks", "bonds", "gold")
    expected_returns: Mapping[str, float] | None = None
    risk_aversion: float = 5.0
    least_invested: float = 1.0
    most_invested: float = 1.0
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    constraints: tuple[Constraint, ...] = ()
    name: str = "Mean–variance"

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets))
        check_window(self.window_years, self.covariance)
        check_late(self.late)
        if self.expected_returns is not None:
            object.__setattr__(self, "expected_returns", _views(self.expected_returns, self.assets))
        check_between("risk_aversion", self.risk_aversion, 1e-3, 1e6)
        is_span = is_between(self.most_invested, 0.0, 10.0)
        if not is_span or not is_between(self.least_invested, 0.0, self.most_invested):
            raise InputError(
                "least_invested",
                f"{self.least_invested!r} to {self.most_invested!r} (most_invested)",
                fix="give fractions from 0 to 10, the least first",
            )
        object.__setattr__(
            self,
            "constraints",
            check_constraints(
                self.constraints, self.assets, invested=(self.least_invested, self.most_invested)
            ),
        )

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
        with more_to_come(window, past):
            weights = best_trade_off(
                window.covariance * window.periods_per_year,
                self._expected(past, window),
                self.risk_aversion,
                limits_on(self.constraints, window.assets, held),
                (self.least_invested, self.most_invested),
            )
        return dict(zip(window.assets, weights.tolist(), strict=True))

    def _expected(self, past: Market, window: Window) -> NDArray[np.float64]:
        """Return the annual expected returns over cash, shape (n_assets,)."""
        if self.expected_returns is not None:
            return np.array([self.expected_returns[asset] for asset in window.assets])
        cash = past.cash[-len(window.returns) :]
        means = window.returns.mean(axis=0) - cash.mean()
        return np.asarray(means * window.periods_per_year)


def _views(given: Mapping[str, float], assets: tuple[str, ...]) -> FrozenMapping[float]:
    """Return the expected returns, one for every asset and for no other."""
    views = read_amounts("expected_returns", given, 1.0, "pass fractions a year: 4 % is 0.04")
    for asset in views:
        check_known("expected_returns", asset, assets)
    for asset in assets:
        if asset not in views:
            raise InputError("expected_returns", "is missing", asset=asset, fix="give one for every asset")
    return views
