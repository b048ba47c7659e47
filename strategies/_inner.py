"""What every strategy around another one does: take it only if it can be wrapped, and read its weights."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from allocator.engine import HOLD, Strategy
from allocator.errors import InputError
from allocator.market import Market

__all__ = ["CASH", "check_inner", "check_strategy", "inner_weights", "or_cash"]

CASH = "cash"


def check_strategy(argument: str, strategy: object) -> None:
    """Refuse what is no strategy."""
    if not isinstance(strategy, Strategy):
        raise InputError(
            argument, f"expected a Strategy, got {strategy!r}", fix="pass one such as SixtyForty()"
        )


def check_inner(argument: str, strategy: object) -> None:
    """Refuse what is no strategy, and one that asks what is held: the inner portfolio is not what is held."""
    check_strategy(argument, strategy)
    if strategy.sees_holdings:  # type: ignore[attr-defined]
        raise InputError(
            argument,
            f"{strategy.name!r} looks at what is held, "  # type: ignore[attr-defined]
            "and what is held is not its portfolio but the one around it",
            fix="wrap a strategy that decides from the past alone",
        )


def inner_weights(strategy: Strategy, past: Market) -> dict[str, float]:
    """Return the weights of the assets that an inner strategy wants, without cash and without zeros.

    Raises
    ------
    InputError
        If it answers HOLD or no mapping: there is nothing to scale, filter or add.
    """
    answer = strategy.weights(past)
    if answer is HOLD:
        raise InputError(
            "strategy",
            f"{strategy.name!r} answered HOLD, and the strategy around it needs weights",
            fix="let it repeat its weights",
        )
    if not isinstance(answer, Mapping | pd.Series):
        raise InputError("strategy", f"{strategy.name!r} returned {type(answer).__name__}, not weights")
    return {asset: weight for asset, weight in answer.items() if asset != CASH and weight != 0.0}


def or_cash(weights: dict[str, float]) -> dict[str, float]:
    """Return the weights, or all cash where there are none: an empty answer is refused by the engine."""
    return weights or {CASH: 1.0}
