"""Risk parity: each asset contributes the same risk, or its budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._amounts import as_tuple, check_between, check_known, is_between, is_mapping, read_amount
from strategies._limits import LINEAR_KINDS, check_constraints, limits_on
from strategies._window import check_late, check_window, more_to_come, read_assets, trailing_window
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
        Share of the risk of each asset, positive, 1 in sum: in the order of the assets, or {asset: share},
        which is put in that order; by default equal. Where assets are left out the others keep their
        proportions.
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
    budget: tuple[float, ...] | Mapping[str, float] | None = None
    window_years: float | None = None
    target_volatility: float | None = None
    max_leverage: float = 2.0
    covariance: CovarianceEstimator = SampleCovariance()
    late: str = "wait"
    constraints: tuple[Constraint, ...] = ()
    name: str = "Risk parity"

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets))
        check_window(self.window_years, self.covariance)
        check_late(self.late)
        if self.budget is not None:
            object.__setattr__(self, "budget", _read_budget(self.budget, self.assets))
        target = self.target_volatility
        if target is not None and not is_between(target, 0.0, 1.0, "neither"):
            raise InputError("target_volatility", f"{target!r}", fix="10 % a year is 0.10")
        check_between("max_leverage", self.max_leverage, 1.0, 10.0)
        object.__setattr__(
            self, "constraints", check_constraints(self.constraints, self.assets, LINEAR_KINDS)
        )

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights from the returns of the trailing window."""
        window = trailing_window(past, self.assets, self.window_years, self.covariance, self.late)
        budget = self._budget_of(window.assets)
        if self.constraints:
            limits = limits_on(self.constraints, window.assets)
            with more_to_come(window, past):
                weights = weights_within(window.covariance, budget, limits)
        else:
            weights = equal_risk_contribution(window.covariance, budget)
        if self.target_volatility is not None:
            variance = float(weights @ window.covariance @ weights) * window.periods_per_year
            weights = weights * min(self.target_volatility / np.sqrt(variance), self.max_leverage)
        return dict(zip(window.assets, weights.tolist(), strict=True))

    def _budget_of(self, assets: tuple[str, ...]) -> list[float] | None:
        """Return the shares of the assets that have a window, which sum to 1 again."""
        if self.budget is None:
            return None
        share = dict(zip(self.assets, _read_budget(self.budget, self.assets), strict=True))
        total = sum(share[asset] for asset in assets)
        return [share[asset] / total for asset in assets]


def _read_budget(given: Any, assets: tuple[str, ...]) -> tuple[float, ...]:
    """Return the shares in the order of the assets, refusing those that are not positive or do not sum to 1.

    A ratio such as 1 : 1 : 2 is refused, too: a budget that lost a part of its sum looks the same (F084).
    """
    row = (
        _in_order(given, assets) if is_mapping(given) else as_tuple("budget", given, "pass a share an asset")
    )
    if len(row) != len(assets):
        raise InputError("budget", f"{len(row)} shares for {len(assets)} assets")
    shares = tuple(
        read_amount("budget", share, np.inf, "", asset) for share, asset in zip(row, assets, strict=True)
    )
    for asset, share in zip(assets, shares, strict=True):
        if share <= 0.0:
            raise InputError("budget", f"is {share:g}; each share of the risk is positive", asset=asset)
    if abs(sum(shares) - 1.0) > 1e-8:
        raise InputError("budget", f"sums to {sum(shares):.6g}, expected 1", fix="divide by the sum")
    return shares


def _in_order(given: Mapping[str, float], assets: tuple[str, ...]) -> tuple[float, ...]:
    """Return shares by name in the order of the assets, one for every asset and for no other."""
    shares = dict(given.items())
    for asset in shares:
        check_known("budget", asset, assets)
    for asset in assets:
        if asset not in shares:
            raise InputError("budget", "is missing", asset=asset, fix="give one for every asset")
    return tuple(shares[asset] for asset in assets)
