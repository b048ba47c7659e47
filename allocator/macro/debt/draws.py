"""Ways to draw a future of growth, inflation and rates from their past: a first-order VAR, or its blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError
from allocator.regimes._settings import whole_between

__all__ = ["FirstOrderVar", "HistoryBlocks", "MacroDraws"]

FloatArray = NDArray[np.float64]
_LONGEST_BLOCK = 10_000


class MacroDraws(ABC):
    """How paths of several series are drawn from their history: a frozen dataclass."""

    @abstractmethod
    def paths(self, history: FloatArray, n_paths: int, n_years: int, rng: np.random.Generator) -> FloatArray:
        """Return paths that follow on the history.

        Parameters
        ----------
        history
            Shape (n_periods, n_series), oldest first.
        n_paths, n_years
            How many, how long, in periods of the history.
        rng
            The same state gives the same paths.

        Returns
        -------
        numpy.ndarray
            Shape (n_paths, n_years, n_series).

        Raises
        ------
        InputError
            Where the history is too short.
        """


@final
@dataclass(frozen=True)
class HistoryBlocks(MacroDraws):
    """Blocks of consecutive periods of the history, all series together, joined at random (circular).

    Keeps what the series have in common and their dependence within a block; does not know where the
    series stand now. Politis and Romano (1992).

    Attributes
    ----------
    block_length
        Periods in a block; years, where the accounts are yearly.
    """

    block_length: int = 5

    def __post_init__(self) -> None:
        whole_between("block_length", self.block_length, 1, _LONGEST_BLOCK, "a number of periods: 5, say")

    def __str__(self) -> str:
        return f"blocks of {self.block_length} periods of history, circular"

    def paths(self, history: FloatArray, n_paths: int, n_years: int, rng: np.random.Generator) -> FloatArray:
        """Return the paths, shape (n_paths, n_years, n_series); see :class:`MacroDraws`."""
        n = len(history)
        if self.block_length > n:
            raise InputError("block_length", f"{self.block_length} periods, but the history has {n}")
        n_blocks = -(-n_years // self.block_length)
        starts = rng.integers(n, size=(n_paths, n_blocks, 1))
        rows = (starts + np.arange(self.block_length)) % n
        return np.asarray(history[rows.reshape(n_paths, -1)[:, :n_years]])


@final
@dataclass(frozen=True)
class FirstOrderVar(MacroDraws):
    """x' = c + A x + e with normal e, by least squares on the history, from where the series stand now.

    Keeps persistence and shocks in common; tails are normal, and nothing keeps a rate above -1 but its
    improbability. Lütkepohl (2005), New Introduction to Multiple Time Series Analysis, section 3.2.
    """

    def __str__(self) -> str:
        return "first-order VAR by least squares, normal shocks"

    def paths(self, history: FloatArray, n_paths: int, n_years: int, rng: np.random.Generator) -> FloatArray:
        """Return the paths, shape (n_paths, n_years, n_series); see :class:`MacroDraws`."""
        constant, matrix, root = fit_first_order(history)
        n_series = history.shape[1]
        shocks = rng.standard_normal((n_paths, n_years, n_series)) @ root.T
        paths, last = np.empty_like(shocks), np.broadcast_to(history[-1], (n_paths, n_series))
        for year in range(n_years):
            last = constant + last @ matrix.T + shocks[:, year]
            paths[:, year] = last
        return paths


def fit_first_order(history: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return c (n_series,), A (n_series, n_series), and a root of the covariance of the shocks.

    Raises
    ------
    InputError
        With too few rows, and where A explodes (an eigenvalue of 1 or more).
    """
    n, n_series = len(history) - 1, history.shape[1]
    needed = 2 * (n_series + 1) + 1
    if n + 1 < needed:
        raise InsufficientHistoryError(
            "history",
            f"{n + 1} periods for a VAR of {n_series} series, at least {needed} are needed",
            rows_needed=needed,
            fix="pass a longer history, or draw HistoryBlocks",
        )
    # About the means: a series that does not move then has no coefficients, instead of arbitrary ones.
    before, after = history[:-1], history[1:]
    left, right = before.mean(axis=0), after.mean(axis=0)
    matrix = np.linalg.lstsq(before - left, after - right, rcond=1e-10)[0].T
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    if radius >= 1.0:
        raise InputError(
            "history",
            f"the VAR explodes: its largest eigenvalue is {radius:.3f}",
            fix="pass a longer history, or draw HistoryBlocks",
        )
    shocks = (after - right) - (before - left) @ matrix.T
    covariance = shocks.T @ shocks / (n - n_series - 1)
    values, vectors = np.linalg.eigh(covariance)  # a root exists where a series does not move, too
    return right - matrix @ left, matrix, vectors * np.sqrt(np.maximum(values, 0.0))
