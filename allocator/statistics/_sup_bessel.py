"""The distribution of the largest of many F statistics, one for each date at which a break may be."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

import numpy as np

from allocator.statistics._returns import FloatArray

_BASIS, _NODES = 20, 200
# Below, 1 less a probability has lost its digits and the first terms of the tail are exact enough.
_SMALL = 1e-7


def supremum_p_value(statistic: float, n_parameters: int, trim: float) -> float:
    """Return the chance that sup B(t)'B(t)/(t(1 - t)), t from trim to 1 - trim, is above a statistic.

    B is a Brownian bridge of ``n_parameters`` dimensions: the limit of k times the sup-F statistic of
    Andrews (1993), whose distribution Hansen (1997) approximates. Here it is computed, as DeLong (1981) and
    Estrella (2003) show: B(t)/√(t(1 - t)) is an Ornstein–Uhlenbeck process for a time log((1 - trim)/trim),
    and the chance that it stays within a ball is a sum over the eigenvalues of its generator there.
    """
    if not statistic > 0.0:
        return 1.0
    time = log((1.0 - trim) / trim)
    # A ball this small is left at once; this far out the tail is exact.
    if statistic < 0.02 * n_parameters:
        return 1.0
    tail = _tail(statistic, n_parameters, time)
    if statistic > 2.0 * n_parameters and tail < _SMALL:
        return tail
    decay, share = _spectrum(round(statistic, 12), n_parameters)
    return float(np.clip(1.0 - np.sum(np.exp(-decay * time) * share), 0.0, 1.0))


def _tail(statistic: float, k: int, time: float) -> float:
    """Return the first terms for a large statistic. James, James and Siegmund (1987)."""
    density = exp(0.5 * k * log(statistic / 2.0) - statistic / 2.0 - lgamma(0.5 * k))
    return max(density * (2.0 * time * (1.0 - k / statistic) + 2.0 / statistic), 0.0)


@lru_cache(maxsize=256)
def _spectrum(statistic: float, k: int) -> tuple[FloatArray, FloatArray]:
    """Return rates of decay within the ball |U|² < statistic, and the chance that begins in each mode.

    The radial generator in y = |U|²/2 is 2(yf'' + (k/2 - y)f'), symmetric under the gamma density; Galerkin's
    method with (1 - s) times Legendre polynomials of s = y/(statistic/2), which vanish at the edge.
    """
    edge = statistic / 2.0
    r, weights, values, slopes = _basis()
    s, gradients = r * r, slopes / edge
    log_density = (k - 1.0) * np.log(r) - edge * s + 0.5 * k * log(edge) - lgamma(0.5 * k)
    mass = np.exp(log_density) * weights  # of dy, where y = edge·r² and dr has weights/2
    inner, energy = (values * mass) @ values.T, 2.0 * (gradients * mass * edge * s) @ gradients.T
    half = np.linalg.inv(np.linalg.cholesky(inner))
    decay, modes = np.linalg.eigh(half @ energy @ half.T)
    share = (modes.T @ (half @ (values @ mass))) ** 2
    return decay, share


@lru_cache(maxsize=1)
def _basis() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the nodes in r = √s and their weights, and the functions with their slopes in s there."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    r = (nodes + 1.0) / 2.0
    s = r * r
    powers = np.polynomial.legendre.legvander(2.0 * s - 1.0, _BASIS - 1).T
    each = [np.polynomial.legendre.Legendre.basis(degree).deriv()(2.0 * s - 1.0) for degree in range(_BASIS)]
    slopes = 2.0 * np.array([slope + 0.0 * s for slope in each])
    return r, weights, (1.0 - s) * powers, (1.0 - s) * slopes - powers
