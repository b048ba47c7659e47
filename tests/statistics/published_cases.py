"""Reader of the published cases: every number of a file, and what the library has to answer to it.

A case file is flattened into leaves, ``row/column`` of a table and ``key/0/key`` of a document. Each leaf is
an input or has an :class:`Answer`, so that no number can be passed over in silence.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError, UndefinedStatisticWarning

SHARED = Path(__file__).parents[3] / "shared"
CASES = SHARED / "cases"
REFERENCE = SHARED / "data" / "reference"


@dataclass(frozen=True)
class Answer:
    """What the library says to one published number.

    Attributes
    ----------
    leaf
        Place of the number in its file.
    theirs
        The number.
    ours
        What has to equal it: our figure or, under a convention, what our functions make of theirs.
    convention
        Row of the table in docs/conventions.md; empty where the figure is ours as it stands.
    rel, abs
        Tolerances.
    """

    leaf: str
    theirs: Any
    ours: Any
    convention: str = ""
    rel: float = 1e-9
    abs: float = 1e-12

    @property
    def is_right(self) -> bool:
        """Whether ours is theirs; a bool for ours is a proof that ours says something else on purpose."""
        if isinstance(self.ours, bool):
            return self.ours and bool(self.convention)
        ours, theirs = float(self.ours), number(self.theirs)
        if np.isnan(theirs) or np.isinf(theirs):
            return bool(np.isnan(ours) if np.isnan(theirs) else ours == theirs)
        return bool(abs(ours - theirs) <= max(self.abs, self.rel * abs(theirs)))


@dataclass(frozen=True)
class Ledger:
    """How the numbers of one file are answered: patterns of the leaves that are inputs, and the rest."""

    file: str
    inputs: tuple[str, ...]
    answers: Callable[[], Iterable[Answer]]


def number(value: Any) -> float:
    """Return a number that may be written as ``NaN`` or ``Inf``."""
    return float({"NaN": "nan", "Inf": "inf", "-Inf": "-inf", "NA": "nan"}.get(value, value))


def document(file: str) -> Any:
    return json.loads((CASES / file).read_text(encoding="utf-8"))


def table(file: str) -> pd.DataFrame:
    return pd.read_csv(CASES / file)


def monthly(file: str) -> pd.DataFrame:
    return pd.read_csv(CASES / file, index_col=0, parse_dates=True)


def reference_series() -> dict[str, pd.Series]:
    """Return the series of empyrical-reloaded's tests by name."""
    found = json.loads((REFERENCE / "empyrical_series.json").read_text(encoding="utf-8"))
    return {
        name: pd.Series([number(v) for v in series["values"]], pd.to_datetime(series["index"]), float)
        for name, series in found.items()
    }


def leaves(file: str) -> list[str]:
    """Return the place of every value of a case file."""
    if file.endswith(".csv"):
        frame = table(file)
        return [f"{row}/{column}" for row in range(len(frame)) for column in frame]
    return list(_places(document(file), ""))


def _places(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _places(inner, f"{place}/{key}" if place else str(key))
    else:
        yield place


def is_input(leaf: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(leaf, pattern) for pattern in patterns)


def refused(match: str, statistic: Callable[..., Any], *arguments: Any) -> bool:
    """Whether the library refuses these arguments with such a message."""
    try:
        statistic(*arguments)
    except InputError as refusal:
        return re.search(match, str(refusal)) is not None
    return False


def undefined(match: str, statistic: Callable[..., Any], *arguments: Any) -> bool:
    """Whether the library answers NaN with a warning of such a message."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = statistic(*arguments)
    said = [str(w.message) for w in caught if issubclass(w.category, UndefinedStatisticWarning)]
    return bool(np.isnan(found)) and any(re.search(match, text) for text in said)


def silently(statistic: Callable[..., Any], *arguments: Any) -> Any:
    """Return a statistic that may be NaN or rough, without the warning that says why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return statistic(*arguments)


def paths(found: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Return leaf and value of a nested list; an empty one is a leaf."""
    if isinstance(found, (list, tuple, np.ndarray)) and len(found):
        for key, inner in enumerate(found):
            yield from paths(inner, f"{place}/{key}")
    else:
        yield place, found
