"""A bandwidth for short samples whose dependence is too weak and long to be seen in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from allocator.statistics._returns import FloatArray
from allocator.statistics.block_length import wide_block_length
from allocator.statistics.long_run_variance import Bandwidth, Kernel

__all__ = ["WideBandwidth"]


@final
@dataclass(frozen=True)
class WideBandwidth(Bandwidth):
    """The :func:`wide_block_length` of the rows, whatever they say; for the Bartlett kernel.

    The error is noisier than with a plug-in but hardly biased, and Student's t of the degrees that it leaves
    says how noisy. Lazarus, Lewis, Stock and Watson (2018) recommend 1.3√n with critical values of this
    kind; a fifth of 120 rows is 2.2√n.
    """

    def width(self, moments: FloatArray, kernel: Kernel) -> float:  # noqa: ARG002 - the same for all
        """Return the lags at which the kernel is read at 1, for columns of mean 0, (n_periods, n_moments)."""
        return wide_block_length(len(moments))

    def describe(self) -> str:
        """Return what the choice is called."""
        return "bandwidth of a fifth of the rows, at most 2.2√rows"
