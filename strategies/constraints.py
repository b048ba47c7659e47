"""Limits on weights, to combine in a tuple: ``constraints=(Bounds(upper=0.4), TurnoverLimit(0.1))``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from allocator.errors import InputError
from strategies._amounts import as_tuple, check_between, is_mapping, read_amount, read_amounts

__all__ = ["Bounds", "Constraint", "Group", "Linear", "TrackingErrorLimit", "TurnoverLimit"]

_MOST = 10.0  # a larger weight is percent, not leverage: the engine's own limit
FRACTIONS = "pass fractions: 40 % is 0.40"


@final
@dataclass(frozen=True)
class Bounds:
    """The least and the most of each asset.

    Without it every weight is between 0 and 1. A negative ``lower`` allows a short position, which the run
    must allow, too (``allow_short=True``).

    Parameters
    ----------
    lower, upper
        As fractions of the portfolio: one number for all assets, or {asset: number}, where those that are
        not named keep 0 and 1.
    """

    lower: float | Mapping[Any, float] = 0.0
    upper: float | Mapping[Any, float] = 1.0

    def __post_init__(self) -> None:
        for side in ("lower", "upper"):
            read = read_amounts if is_mapping(getattr(self, side)) else read_amount
            value = read(f"Bounds.{side}", getattr(self, side), _MOST, FRACTIONS)
            object.__setattr__(self, side, value)
        named = [asset for side in (self.lower, self.upper) if isinstance(side, Mapping) for asset in side]
        for asset in named or [None]:
            lower, upper = _of(self.lower, asset, 0.0), _of(self.upper, asset, 1.0)
            if lower > upper:
                raise InputError("Bounds", f"lower {lower:g} is more than upper {upper:g}", asset=asset)


@final
@dataclass(frozen=True)
class Group:
    """The least and the most that some assets may weigh together.

    Parameters
    ----------
    assets
        Their names.
    at_least, at_most
        As fractions of the portfolio; None is no limit on that side.
    name
        What errors call it; by default its assets.
    """

    assets: tuple[Any, ...]
    at_least: float | None = None
    at_most: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        fix = "name at least one asset, each once"
        object.__setattr__(self, "assets", as_tuple("Group.assets", self.assets, fix))
        if not self.assets or len(set(self.assets)) < len(self.assets):
            raise InputError("Group.assets", f"{self.assets!r}", fix=fix)
        _check_sides("Group", self.at_least, self.at_most, _MOST)

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"Group({self.name!r})" if self.name else f"Group({', '.join(map(repr, self.assets))})"


@final
@dataclass(frozen=True)
class Linear:
    """The least and the most of a weighted sum of the weights, such as a duration or a beta.

    Parameters
    ----------
    coefficients
        Of each asset; those that are not named have 0.
    at_least, at_most
        In the unit of the coefficients; None is no limit on that side.
    name
        What errors call it; by default its coefficients.
    """

    coefficients: Mapping[Any, float]
    at_least: float | None = None
    at_most: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        amounts = read_amounts("Linear.coefficients", self.coefficients, np.inf, "")
        if not any(amounts.values()):
            raise InputError("Linear.coefficients", f"{amounts!r}: nothing to limit")
        object.__setattr__(self, "coefficients", amounts)
        _check_sides("Linear", self.at_least, self.at_most, np.inf)

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"Linear({self.name!r})" if self.name else f"Linear({self.coefficients!r})"


@final
@dataclass(frozen=True)
class TurnoverLimit:
    """The most that a decision may trade: half the sum of the changes of all weights, that of cash included.

    The changes are from the weights as they have drifted to the close of the decision; where the trade is
    made later (``lag``), what is traded differs by the drift until then. Where nothing is held, at the first
    build above all, there is no limit.

    Parameters
    ----------
    at_most
        One-way, as a fraction of the portfolio, for each decision: 0.1 trades a tenth of it.
    """

    at_most: float

    def __post_init__(self) -> None:
        fix = "a tenth of the portfolio is 0.1; to trade nothing, use BuyAndHold"
        check_between("TurnoverLimit.at_most", self.at_most, 0.0, 2.0, "right", fix)


@final
@dataclass(frozen=True)
class TrackingErrorLimit:
    """The most that the return may differ from that of a benchmark: √((w - b)'Σ(w - b)), annualised.

    It is an estimate, on the covariance of the strategy: the tracking error that follows is usually larger,
    since the optimum seeks what the estimate underrates.

    Parameters
    ----------
    benchmark
        Weight of each asset, as fractions; each must be one of the strategy's assets. What is missing to one
        is cash.
    at_most
        Annualised, as a fraction: 2 % a year is 0.02.
    """

    benchmark: Mapping[Any, float]
    at_most: float

    def __post_init__(self) -> None:
        benchmark = read_amounts("TrackingErrorLimit.benchmark", self.benchmark, _MOST, FRACTIONS)
        object.__setattr__(self, "benchmark", benchmark)
        check_between("TrackingErrorLimit.at_most", self.at_most, 0.0, 1.0, "neither", "2 % a year is 0.02")


Constraint = Bounds | Group | Linear | TurnoverLimit | TrackingErrorLimit


def _of(given: float | Mapping[Any, float], asset: Any, default: float) -> float:
    return given.get(asset, default) if isinstance(given, Mapping) else given


def _check_sides(kind: str, at_least: float | None, at_most: float | None, most: float) -> None:
    if at_least is None and at_most is None:
        raise InputError(kind, "has no limit", fix="give at_least or at_most")
    low = -np.inf if at_least is None else read_amount(f"{kind}.at_least", at_least, most, FRACTIONS)
    high = np.inf if at_most is None else read_amount(f"{kind}.at_most", at_most, most, FRACTIONS)
    if low > high:
        raise InputError(kind, f"at_least {low:g} is more than at_most {high:g}")
