"""Strategy: what to hold, decided from the past that is passed in."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, StrategyError, iso_date
from allocator.market.market import Market, cut, find_column

__all__ = ["UNLISTED_POLICIES", "Strategy", "decide"]

UNLISTED_POLICIES = ("error", "pro_rata", "cash")
_MOST_LEVERAGE = 10.0  # a larger sum of weights is percent, not leverage
_ROUNDING = 1e-9  # a solver's negative zero


class Strategy(ABC):
    """What to hold: a frozen dataclass of parameters with one method.

    Subclass it with ``@dataclass(frozen=True)``, give it a ``name``, and answer :meth:`weights`. The
    past is all there is to see: the market cut at the date of the decision. Keep no state between
    calls.
    """

    name: str

    @abstractmethod
    def weights(self, past: Market) -> Mapping[str, float]:
        """Return the target weight of each asset, as fractions of the portfolio's value.

        What is missing to one is cash; what is more than one is borrowed. An asset that is not named
        is not held. Raise :class:`InsufficientHistoryError` (``past.window`` does) while the past is
        too short to decide.
        """


def decide(strategy: Strategy, market: Market, row: int, unlisted: str) -> NDArray[np.float64]:
    """Return the target weights decided on the close of ``row``, shape (n_assets,).

    Raises
    ------
    StrategyError
        If the strategy fails or answers something that is no set of long weights.
    InsufficientHistoryError
        If it needs more rows, or an asset it wants is not listed and ``unlisted`` is ``"error"``.
    """
    past = cut(market, row + 1)  # the one place where time is cut: rows 0 to `row` and no other
    try:
        answer = strategy.weights(past)
    except (InsufficientHistoryError, StrategyError):
        raise
    except Exception as error:
        said = str(error) if isinstance(error, InputError) else f"raised {type(error).__name__}: {error}"
        raise StrategyError(strategy.name, past.index[-1], said) from error
    weights = _checked(strategy, past, answer)
    return _listed_only(weights, past, market.listed_from, unlisted)


def _checked(strategy: Strategy, past: Market, answer: Any) -> NDArray[np.float64]:
    if not isinstance(answer, Mapping | pd.Series):
        raise StrategyError(
            strategy.name,
            past.index[-1],
            f"weights() returned {type(answer).__name__}; return a mapping of asset to weight",
        )
    if isinstance(answer, pd.Series) and not answer.index.is_unique:
        twice = answer.index[answer.index.duplicated()][0]
        raise StrategyError(strategy.name, past.index[-1], f"weights() names {twice!r} twice")
    weights = np.zeros(len(past.assets))
    for asset, weight in answer.items():
        weights[_column(strategy, past, asset)] = _number(strategy, past, asset, weight)
    total = float(weights.sum())
    if total > _MOST_LEVERAGE + _ROUNDING:
        raise StrategyError(
            strategy.name, past.index[-1], f"weights sum to {total:g}; pass fractions, not percent"
        )
    return weights


def _column(strategy: Strategy, past: Market, asset: Any) -> int:
    column = find_column(past, asset)
    if column is None:
        near = difflib.get_close_matches(str(asset), past.assets, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the market has {', '.join(past.assets)}"
        raise StrategyError(
            strategy.name, past.index[-1], f"weights() names {asset!r}, which is not there{hint}"
        )
    return column


def _number(strategy: Strategy, past: Market, asset: object, weight: Any) -> float:
    try:
        value = float(weight)
    except (TypeError, ValueError):
        raise StrategyError(
            strategy.name, past.index[-1], f"the weight of {asset!r} is {weight!r}, not a number"
        ) from None
    if not np.isfinite(value):
        raise StrategyError(strategy.name, past.index[-1], f"the weight of {asset!r} is {value}")
    if value < -_ROUNDING:
        raise StrategyError(
            strategy.name,
            past.index[-1],
            f"the weight of {asset!r} is {value:g}; short positions are not supported",
        )
    return max(value, 0.0)


def _listed_only(
    weights: NDArray[np.float64], past: Market, listed_from: NDArray[np.int64], unlisted: str
) -> NDArray[np.float64]:
    """Apply the policy for assets that have no price yet; ``listed_from`` knows when they will."""
    missing = (listed_from >= len(past.index)) & (weights > 0.0)
    if not missing.any():
        return weights
    first = int(np.argmax(missing))
    if unlisted == "error":
        raise InsufficientHistoryError(
            "prices",
            f"not listed yet, and the weight asked for is {weights[first]:g}",
            asset=past.assets[first],
            date=past.index[-1],
            rows_needed=int(listed_from[missing].max()) + 1,
            fix="start later, or choose unlisted='pro_rata' or 'cash'",
        )
    kept = np.where(missing, 0.0, weights)
    if unlisted == "cash":
        return kept
    if not kept.any():
        raise InsufficientHistoryError(
            "prices",
            f"none of the assets asked for is listed by {iso_date(past.index[-1])}",
            asset=past.assets[first],
            date=past.index[-1],
            rows_needed=int(listed_from[missing].min()) + 1,
            fix="start later or choose unlisted='cash'",
        )
    return np.asarray(kept * (weights.sum() / kept.sum()))
