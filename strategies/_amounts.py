"""Numbers, rows and numbers by asset, as a person gives them: checked, copied and fixed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from strategies._mapping import FrozenMapping

__all__ = [
    "as_tuple",
    "check_between",
    "check_known",
    "check_span",
    "is_between",
    "is_mapping",
    "read_amount",
    "read_amounts",
]


def is_between(value: Any, low: float, high: float, inclusive: str = "both") -> bool:
    """Return whether a value is a real number within bounds; a bool is none, and neither is text.

    ``inclusive`` says which of the bounds are allowed: ``"both"``, ``"right"`` or ``"neither"``.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    number: Any = value
    above = number >= low if inclusive == "both" else number > low
    below = number < high if inclusive == "neither" else number <= high
    return bool(above and below)


def check_between(
    argument: str, value: Any, low: float, high: float, inclusive: str = "both", fix: str = ""
) -> None:
    """Refuse what is no number within bounds, see :func:`is_between`."""
    if not is_between(value, low, high, inclusive):
        what = "not a number" if isinstance(value, bool | np.bool_) else "not"
        raise InputError(argument, f"{value!r} is {what} between {low:g} and {high:g}", fix=fix)


def check_span(argument: str, years: Any) -> None:
    """Refuse what is no span of time in years."""
    if not is_between(years, 0.0, np.inf, "neither"):
        raise InputError(argument, f"{years!r} is not a positive span of time", fix="three months are 0.25")


def as_tuple(argument: str, given: Any, fix: str) -> tuple[Any, ...]:
    """Return a row of things as a tuple of its own, refusing text, what has no order, and what has names."""
    if isinstance(given, pd.Index | np.ndarray) and given.ndim == 1:
        return tuple(given.tolist())
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InputError(argument, f"{given!r}", fix=fix)
    return tuple(given)


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
    if isinstance(given, bool) or not isinstance(given, Real):
        raise InputError(argument, f"{given!r} is not a number", asset=asset)
    value = float(given)
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
