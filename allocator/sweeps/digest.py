"""Digests of what goes into a sweep, so that a file goes on only with what it was begun with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.market import Market

__all__ = ["digest", "market_digest"]


def digest(value: Any) -> str:
    """Return a SHA-256 of a value's content: numbers, text, arrays, tables, dataclasses and lists of them."""
    made = hashlib.sha256()
    _feed(made, value)
    return made.hexdigest()


def market_digest(market: Market) -> str:
    """Return a SHA-256 of prices, cash, listings and signals."""
    signals = {name: signal.values for name, signal in market.signals.items()}
    listings = (market.listed_from, market.listed_until)
    return digest(
        (market.assets, market.days, market.levels, market.cash, *listings, signals, str(market.frequency))
    )


def _feed(made: Any, value: Any) -> None:
    made.update(f"<{type(value).__name__}>".encode())
    if isinstance(value, pd.Series | pd.DataFrame):
        for part in (value.index, value.columns if isinstance(value, pd.DataFrame) else ()):
            made.update(repr(list(part)).encode())
        _feed(made, value.to_numpy())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        made.update(f"{value.dtype.str}{value.shape}".encode())
        made.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        made.update(type(value).__qualname__.encode())
        _feed(made, {field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _feed(made, key)
            _feed(made, item)
    elif isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes):
        for item in value:
            _feed(made, item)
    else:
        made.update(repr(value).encode())
    made.update(b"</>")
