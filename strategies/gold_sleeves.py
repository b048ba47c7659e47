"""How much gold: rules for the gold sleeve of :class:`strategies.GoldDiversified`, beside a fixed weight."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market
from allocator.regimes import Regimes
from strategies._amounts import check_between
from strategies._labeller import Labeller, chosen
from strategies._mapping import FrozenMapping
from strategies._window import Window, check_window, trailing_window
from strategies.covariances import CovarianceEstimator, SampleCovariance

__all__ = ["GoldByRegime", "GoldByRisk", "GoldRule"]

Array = NDArray[np.float64]


class GoldRule(ABC):
    """What sets the weight of gold at a decision."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """The largest weight it asks for, which must fit into the reserve sleeve; 0 if it clips to it."""

    @abstractmethod
    def weight(self, past: Market, mix: Mapping[str, float], bonds: str, gold: str) -> float:
        """Return the weight of gold, given the mix without any: all of the reserve sleeve is in bonds."""


@final
@dataclass(frozen=True)
class GoldByRisk(GoldRule):
    """As much gold as contributes a share of the portfolio's variance.

    With w the mix in which a weight g moves from bonds to gold, gold's share of the variance is
    g (Σw)_gold / w'Σw, and setting it to the budget is a quadratic equation in g; its smallest root from 0 on
    is the weight. Where no weight within the reserve sleeve reaches the budget, gold is all of the sleeve.
    Growth assets without a full window count as the others in the estimate, in proportion; gold, bonds and
    one growth asset are waited for.

    Parameters
    ----------
    budget
        Gold's share of the variance, between 0 and 1.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    covariance
        How it is estimated from the window.
    """

    budget: float = 0.1
    window_years: float | None = None
    covariance: CovarianceEstimator = SampleCovariance()

    def __post_init__(self) -> None:
        check_between("budget", self.budget, 0.0, 1.0, "neither", "a tenth is 0.1")
        check_window(self.window_years, self.covariance)

    @property
    def largest(self) -> float:
        """0: it is clipped to the sleeve."""
        return 0.0

    def weight(self, past: Market, mix: Mapping[str, float], bonds: str, gold: str) -> float:
        """Return the weight whose share of the variance is the budget, at most all of the sleeve."""
        reserve = mix[bonds]
        if reserve <= 0.0:
            return 0.0
        growth = {asset: weight for asset, weight in mix.items() if asset not in (bonds, gold) and weight}
        window = self._window(past, tuple(growth), (bonds, gold))
        known = {asset: weight for asset, weight in growth.items() if asset in window.assets}
        scale = sum(growth.values()) / sum(known.values()) if known else 1.0
        start = np.array([known.get(asset, 0.0) * scale for asset in window.assets])
        row_bonds, row_gold = (window.assets.index(asset) for asset in (bonds, gold))
        start[row_bonds] = reserve
        return _weight_of_share(window.covariance, start, row_bonds, row_gold, self.budget, reserve)

    def _window(self, past: Market, growth: tuple[str, ...], reserve: tuple[str, str]) -> Window:
        """Return the window of those that have one, waiting for the reserve and for one growth asset."""
        if not growth:
            return self._trailing(past, reserve, "wait")
        window = self._trailing(past, (*growth, *reserve), "leave_out")
        lacking = [asset for asset in reserve if asset not in window.assets]
        if lacking or not set(growth) & set(window.assets):
            return self._trailing(past, tuple(lacking) or growth, "wait")  # which says what is missing
        return window

    def _trailing(self, past: Market, assets: tuple[str, ...], late: str) -> Window:
        return trailing_window(past, assets, self.window_years, self.covariance, late)


@final
@dataclass(frozen=True)
class GoldByRegime(GoldRule):
    """A weight for each regime.

    Parameters
    ----------
    rule
        A function of the past, such as ``al.inflation_level``: it returns :class:`allocator.Regimes`, or the
        text of a label, of the period that begins. Labels that are ex post are refused (F161).
    weights
        Weight of gold by label. ``unclassified`` is a label like any other, but without a weight for it a run
        begins when the rule can say.
    otherwise
        The weight of all other labels; None refuses one, naming it and the date.
    """

    rule: Callable[[Market], Regimes | str]
    weights: Mapping[str, float]
    otherwise: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping) or not self.weights:
            raise InputError("weights", f"{self.weights!r}", fix="pass {label: weight of gold}")
        if self.otherwise is not None:
            check_between("otherwise", self.otherwise, 0.0, 1.0)
        for label, weight in self.weights.items():
            check_between(f"weights[{label!r}]", weight, 0.0, 1.0)
        object.__setattr__(self, "rule", Labeller(self.rule))
        object.__setattr__(self, "weights", FrozenMapping(self.weights))

    @property
    def largest(self) -> float:
        """The largest of the weights."""
        return max(*self.weights.values(), self.otherwise or 0.0)

    def weight(self, past: Market, mix: Mapping[str, float], bonds: str, gold: str) -> float:  # noqa: ARG002
        """Return the weight of the regime that begins."""
        return chosen(Labeller(self.rule), self.weights, self.otherwise, "weights", past)


def _weight_of_share(
    covariance: Array, start: Array, bonds: int, gold: int, budget: float, most: float
) -> float:
    """Return the smallest g in [0, most] for which gold's share of the variance is the budget; else ``most``.

    w = start + g d, where d is one unit of gold less one of bonds: with Σd and Σ start the condition
    g (Σw)_gold - budget w'Σw = 0 is a g² + b g + c = 0. At g = 0 the left side is not positive.
    """
    step = np.zeros(len(start))
    step[gold], step[bonds] = 1.0, -1.0
    by_start, by_step = covariance @ start, covariance @ step
    a = float(by_step[gold] - budget * (step @ by_step))
    b = float(by_start[gold] - 2.0 * budget * (step @ by_start))
    c = float(-budget * (start @ by_start))
    return min((root for root in _roots(a, b, c) if 0.0 <= root <= most), default=most)


def _roots(a: float, b: float, c: float) -> tuple[float, ...]:
    """Return the real roots of a x² + b x + c without the cancellation of the textbook formula."""
    inside = b * b - 4.0 * a * c
    if inside < 0.0:
        return ()
    q = -0.5 * (b + np.copysign(np.sqrt(inside), b))
    return tuple(float(top / below) for top, below in ((q, a), (c, q)) if below != 0.0)
