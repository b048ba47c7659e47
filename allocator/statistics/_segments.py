"""Sums of squared residuals of a regression over stretches of rows, and the best partitions by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics._one_thread import product
from allocator.statistics._returns import FloatArray

Rows: TypeAlias = NDArray[np.int64]

_COLLINEAR = 1e-9


@dataclass(frozen=True)
class Stretches:
    """A regression of y on x, any stretch of whose rows can be fitted at once.

    Attributes
    ----------
    x
        Shape (n_periods, n_parameters), the intercept among them.
    y
        Shape (n_periods,).
    """

    x: FloatArray
    y: FloatArray

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def k(self) -> int:
        """Number of parameters."""
        return int(self.x.shape[1])

    @cached_property
    def orthogonal(self) -> FloatArray:
        """The same regressors turned so that X'X = nI: digits are kept, and so is every residual."""
        return np.asarray(np.linalg.qr(self.x)[0] * np.sqrt(self.n))

    @cached_property
    def _products(self) -> FloatArray:
        """Running sums of the products of (x, y) before each row, shape (k + 1, k + 1, n + 1)."""
        x = self.orthogonal
        left = self.y - x @ product(x.T, self.y) / self.n
        table = np.column_stack([x, left]).T
        products = table[:, np.newaxis, :] * table[np.newaxis, :, :]
        return np.concatenate([np.zeros((*products.shape[:2], 1)), np.cumsum(products, axis=2)], axis=2)

    def squares(self, starts: Rows | int, stops: Rows | int) -> FloatArray:
        """Return the residual sums of squares of the rows from starts to before stops, one or both arrays."""
        return self._eliminated(starts, stops)[-1]

    def _eliminated(self, starts: Rows | int, stops: Rows | int) -> list[FloatArray]:
        """Return the pivots of Gauss's elimination of the products, the last of which are the squares."""
        sums = np.atleast_3d(self._products[:, :, stops]) - np.atleast_3d(self._products[:, :, starts])
        pivots = []
        for column in range(self.k):
            pivot = sums[column, column]
            pivots.append(pivot)
            rest = slice(column + 1, None)
            factor = sums[column, rest] / np.where(pivot > 0.0, pivot, 1.0)
            sums[rest, rest] -= sums[rest, column][:, np.newaxis] * factor[np.newaxis]
        return [*pivots, np.maximum(sums[-1, -1], 0.0)]

    def refuse_collinear(self, rows: int) -> None:
        """Refuse regressors that are collinear within any ``rows`` rows, naming the first of them."""
        starts = np.arange(self.n - rows + 1)
        worst = np.min(self._eliminated(starts, starts + rows)[:-1], axis=0) / rows
        if (worst < _COLLINEAR).any():
            first = int(np.argmax(worst < _COLLINEAR))
            raise InputError(
                "regressors",
                f"collinear (with the intercept) in the {rows} rows from row {first + 1}",
                fix="drop one, or take longer segments",
            )

    def fit(self, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        """Return the coefficients, (k,), and the residuals, (stop - start,), of a stretch of rows."""
        x, y = self.x[start:stop], self.y[start:stop]
        coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
        return np.asarray(coefficients, dtype=np.float64), y - x @ coefficients


def best_partitions(stretches: Stretches, shortest: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the breaks, 0 to ``most`` of them, with the least squares; each is the rows before it.

    Bellman's principle, Bai and Perron (2003), section 3: the best partition of the first rows is extended by
    one segment. All starts at once need n² sums, which are made and forgotten start by start.
    """
    n = stretches.n
    cost = np.full((most + 1, n + 1), np.inf)
    origin = np.zeros((most + 1, n + 1), dtype=np.int64)
    ends = np.arange(shortest, n + 1)
    cost[0, ends] = stretches.squares(0, ends)
    for start in range(shortest, n - shortest + 1):
        stops = slice(start + shortest, n + 1)
        extended = cost[:-1, start, np.newaxis] + stretches.squares(start, np.arange(n + 1)[stops])
        better = extended < cost[1:, stops]
        cost[1:, stops][better] = extended[better]
        origin[1:, stops][better] = start
    for breaks in range(most + 1):
        yield _traced(origin, breaks, n)


def _traced(origin: Rows, breaks: int, n: int) -> tuple[int, ...]:
    rows = [n]
    for used in range(breaks, 0, -1):
        rows.append(int(origin[used, rows[-1]]))
    return tuple(rows[:0:-1])
