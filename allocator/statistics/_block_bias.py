"""What the blocks of a bootstrap cannot see: the dependence that is cut at their ends."""

from __future__ import annotations

import numpy as np

from allocator.statistics._returns import FloatArray
from allocator.statistics.long_run_variance import Prewhitened

_LONG_RUN = Prewhitened()


def block_correction(influence: FloatArray, block_length: int) -> float:
    """Return what to multiply a bootstrap error by, 1 or more.

    Resamples join blocks that are independent, so that a lag of k rows counts 1 - k/length of its
    autocovariance, and none from the length on: with positive dependence the error is too small. The factor
    is the root of the long-run variance of ``influence``, prewhitened (Andrews and Monahan, 1992), over the
    variance that circular blocks give its mean. Exact for a mean, of the first order for other statistics.

    Parameters
    ----------
    influence
        What each row moves the statistic by, shape (n_periods,).
    block_length
        Rows in a block, 1 to n_periods.
    """
    centred = influence - influence.mean()
    seen = _variance_of_blocks(centred, block_length)
    whole = _LONG_RUN.variance(centred[:, np.newaxis], np.ones(1))
    return float(np.sqrt(max(whole / seen, 1.0))) if seen > 0.0 else 1.0


def _variance_of_blocks(centred: FloatArray, block_length: int) -> float:
    """Return n times the variance of the mean of a resample of whole circular blocks."""
    spectrum = np.abs(np.fft.rfft(centred)) ** 2
    circular = np.fft.irfft(spectrum, len(centred)) / len(centred)
    lags = np.arange(1, block_length)
    return float(circular[0] + 2.0 * ((1.0 - lags / block_length) @ circular[lags]))
