"""The driver of a yield as labels on periods: known before them, or what moved it in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.yields.decomposition import YieldDecomposition, refuse_no_decomposition
from allocator.macro.yields.drivers import DriverPath
from allocator.regimes import Regimes
from allocator.regimes.record import UNCLASSIFIED, present

__all__ = ["driver_regimes", "period_drivers", "signed_driver_regimes"]

Texts = NDArray[np.object_]


def driver_regimes(path: DriverPath) -> Regimes:
    """Return the dominant driver of the window before each period, as its label.

    The label at a date uses changes up to the date before, so that a backtest may trade on it, unless the
    decomposition itself is ex post. A strategy that is asked at any date takes the same labels by
    ``lambda past: al.given_labels(past, path.dominant, 0)``, which gives it those known by then.
    """
    _refuse_no_path(path)
    names = tuple(path.decomposition.parts.columns)
    return _before(path, path.dominant.to_numpy(), names, "Driver of the yield", "")


def signed_driver_regimes(path: DriverPath) -> Regimes:
    """Return the dominant driver of the window before each period and its direction: ``term premium up``.

    Up where the part rose over the window, down where it fell or stayed.
    """
    _refuse_no_path(path)
    names = tuple(path.decomposition.parts.columns)
    places = pd.Index(names).get_indexer(pd.Index(path.dominant))
    moves = path.moves.to_numpy()[np.arange(len(places)), places]
    texts = _signed(np.array([*names, UNCLASSIFIED], dtype=object)[places], moves)
    texts[places < 0] = UNCLASSIFIED
    tail = "; up where it rose over the window"
    return _before(path, texts, _both(names), "Driver of the yield and its direction", tail)


def period_drivers(decomposition: YieldDecomposition) -> Regimes:
    """Return the part that moved most in each period, and its direction: ``term premium up``.

    The label uses the change of the period itself: it says what assets did while a part moved, and is always
    ex post. Where two parts moved alike, the first is taken; periods without a move are unclassified.
    """
    refuse_no_decomposition(decomposition)
    changes = decomposition.changes
    names = tuple(changes.columns)
    values = changes.to_numpy(dtype=np.float64)
    places = np.abs(values).argmax(axis=1)
    moves = values[np.arange(len(values)), places]
    texts = _signed(np.array(names, dtype=object)[places], moves)
    texts[moves == 0.0] = UNCLASSIFIED
    labels = pd.Series(texts, index=changes.index, name="driver", dtype=object)
    rule = "the part with the largest change of the period itself, and its sign"
    return Regimes(labels, "What moved the yield", rule, True, present(labels, _both(names)))


def _refuse_no_path(path: object) -> None:
    if not isinstance(path, DriverPath):
        problem = f"expected a DriverPath, got {type(path).__name__}"
        raise InputError("path", problem, fix="pass what rolling_drivers returns")


def _before(path: DriverPath, texts: Texts, names: tuple[str, ...], name: str, tail: str) -> Regimes:
    """Return labels of windows, each moved to the period that begins where its window ends."""
    dates = path.decomposition.changes.index
    moved = np.full(len(dates), UNCLASSIFIED, dtype=object)
    moved[path.window :] = texts[:-1]
    labels = pd.Series(moved, index=dates, name=name, dtype=object)
    rule = (
        f"largest covariance share over the {path.window} rows before the period, stays {path.dwell} rows, "
        f"yields to a share larger by {path.margin:g}{tail}"
    )
    ex_post = path.decomposition.ex_post
    rule += "; the parts were estimated in hindsight" if ex_post else "; known when the period began"
    upcoming = None if ex_post else str(texts[-1])
    return Regimes(labels, name, rule, ex_post, present(labels, names), upcoming)


def _signed(texts: Texts, moves: NDArray[np.float64]) -> Texts:
    return np.array(
        [f"{text} {'up' if move > 0.0 else 'down'}" for text, move in zip(texts, moves, strict=True)], object
    )


def _both(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name} {way}" for name in names for way in ("up", "down"))
