"""Numbers by asset, as a person gives them: checked, copied and fixed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from allocator.errors import InputError
from strategies._mapping import FrozenMapping

__all__ = ["check_known", "is_mapping", "read_amount", "read_amounts"]


def is_mapping(given: Any) -> bool:
    """Return whether numbers are by asset: a mapping, or a Series."""
    return isinstance(given, Mapping) or hasattr(given, "items")


def read_amounts(argument: str, given: Any, most: float, hint: str) -> FrozenMapping[float]:
    """Return numbers by asset, refusing what is no finite number or larger than ``most``."""
    if not is_mapping(given) or not len(given):
        raise InputError(argument, f"{given!r}", fix="pass {asset: number}")
    return FrozenMapping(
        {asset: read_amount(argument, value, most, hint, asset) for asset, value in given.items()}
    )


def read_amount(argument: str, given: Any, most: float, hint: str, asset: Any = None) -> float:
    """Return one number, refusing what is not finite or larger than ``most``."""
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise InputError(argument, f"{given!r} is not a number", asset=asset) from None
    if not np.isfinite(value):
        raise InputError(argument, f"is {value}", asset=asset)
    if abs(value) > most:
        raise InputError(argument, f"is {value:g}", asset=asset, fix=hint)
    return value


def check_known(argument: str, asset: Any, assets: Sequence[Any]) -> None:
    """Refuse an asset that is not among a strategy's, naming the nearest that is."""
    if asset not in assets:
        near = difflib.get_close_matches(str(asset), list(map(str, assets)), 1)
        fix = f"did you mean {near[0]!r}?" if near else f"the assets are {', '.join(map(str, assets))}"
        raise InputError(argument, "is not one of the assets", asset=asset, fix=fix)
