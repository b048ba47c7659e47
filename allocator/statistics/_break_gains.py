"""How much a break at each row explains, for many series on the same regressors at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocator.statistics._one_thread import product
from allocator.statistics._returns import FloatArray
from allocator.statistics._segments import Rows


@dataclass(frozen=True)
class BreakGains:
    """Regressors, and the rows after which a relation to them may break.

    Attributes
    ----------
    x
        Orthonormal: X'X = I, shape (n_periods, n_parameters).
    shortest
        Rows on either side of a break, at least.
    """

    x: FloatArray
    shortest: int

    @property
    def k(self) -> int:
        """Number of parameters."""
        return int(self.x.shape[1])

    @cached_property
    def rows(self) -> Rows:
        """Rows before each possible break, shape (n_breaks,)."""
        return np.arange(self.shortest, len(self.x) - self.shortest + 1)

    @cached_property
    def _before(self) -> FloatArray:
        """Products of the regressors before each break, shape (n_breaks, k, k)."""
        products = self.x[:, :, np.newaxis] * self.x[:, np.newaxis, :]
        return np.asarray(np.cumsum(products, axis=0)[self.rows - 1])

    @cached_property
    def _weights(self) -> FloatArray:
        return np.asarray(np.linalg.inv(self._before - self._before @ self._before))

    def residuals(self, y: FloatArray) -> FloatArray:
        """Return what the regressors leave of each column without a break, (n_periods, n)."""
        return np.asarray(y - product(self.x, product(self.x.T, y)))

    def gains(self, left: FloatArray) -> FloatArray:
        """Return by how much each break lowers the sum of squares of residuals, (n_breaks, n)."""
        sums = self._sums(left)
        total = np.zeros(sums.shape[1:])
        for i in range(self.k):
            for j in range(self.k):
                total += self._weights[:, i, j, np.newaxis] * sums[i] * sums[j]
        return total

    def largest(self, left: FloatArray) -> FloatArray:
        """Return k·F of Chow at the best break of each column of residuals, (n,)."""
        gain = self.gains(left).max(axis=0)
        split = np.sum(left**2, axis=0) - gain
        return np.asarray(gain / np.maximum(split / (len(left) - 2 * self.k), 1e-300))

    def split(self, left: FloatArray, breaks: Rows) -> tuple[FloatArray, FloatArray]:
        """Return the residuals of one series with each of some breaks, and the change of what is fitted.

        ``left`` is (n_periods,), ``breaks`` numbers of rows; both results are (n_periods, n_breaks).
        """
        before = self._before[breaks]
        sums = self._sums(left[:, np.newaxis])[:, breaks, 0].T[..., np.newaxis]
        first = np.linalg.solve(before, sums)[..., 0]
        second = np.linalg.solve(np.eye(self.k) - before, -sums)[..., 0]
        is_before = np.arange(len(left))[:, np.newaxis] < self.rows[breaks]
        fits = np.where(is_before, self.x @ first.T, self.x @ second.T)
        return left[:, np.newaxis] - fits, np.asarray(self.x @ (second - first).T)

    def _sums(self, left: FloatArray) -> FloatArray:
        """Return the scores before each break, shape (k, n_breaks, n)."""
        return np.stack(
            [np.cumsum(column[:, np.newaxis] * left, axis=0)[self.rows - 1] for column in self.x.T]
        )
