"""The inference about Sharpe ratios written out slowly, to hold the fast code to."""

import numpy as np


def rows_of_blocks(starts, block, n):
    return np.concatenate([start + np.arange(block) for start in starts]) % n


def gradient(returns):
    """Of the difference of two ratios with respect to (mu1, mu2, gamma1, gamma2)."""
    mean, second = returns.mean(axis=0), (returns**2).mean(axis=0)
    scale = (second - mean**2) ** 1.5
    return np.array(
        [second[0] / scale[0], -second[1] / scale[1], -mean[0] / 2 / scale[0], mean[1] / 2 / scale[1]]
    )


def moments(returns):
    return np.column_stack([returns - returns.mean(axis=0), returns**2 - (returns**2).mean(axis=0)])


def ratio_difference(returns):
    first, second = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    return first - second


def block_error(returns, block):
    """The error of the difference from adjacent blocks, Ledoit and Wolf (2008), section 3.2.2."""
    rows = len(returns)
    psi, v = np.zeros((4, 4)), moments(returns)
    for first in range(0, rows, block):
        zeta = np.sqrt(block) * v[first : first + block].mean(axis=0)
        psi += np.outer(zeta, zeta) / (rows // block)
    g = gradient(returns)
    return np.sqrt(g @ psi @ g / rows)


def slow_difference_draws(returns, block, starts):
    """Change and error of the difference in each resample, given the starts of its blocks."""
    around = [returns[rows_of_blocks(row, block, len(returns))] for row in starts]
    estimate = ratio_difference(returns)
    return np.array([(ratio_difference(drawn) - estimate, block_error(drawn, block)) for drawn in around])


def slow_long_run_variance(moments, direction, weight, width):
    """Sum over all pairs of rows, times n/(n - k)."""
    n, k = moments.shape
    x = moments @ direction
    total = sum(x[i] * x[j] * weight(abs(i - j) / width) for i in range(n) for j in range(n))
    return total / n * n / (n - k)
