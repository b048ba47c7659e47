"""How far from the truth an estimated break may lie: the distribution of Bai (1997)."""

from __future__ import annotations

import numpy as np

from allocator.statistics._segments import Stretches
from allocator.statistics.long_run_variance import LongRunVariance

_NOTHING = 1e-20
_QUIETEST = 1e-6  # the noise of one side over that of the other: beyond, the formula loses its digits


def break_rows(
    stretches: Stretches,
    edges: tuple[int, int, int],
    confidence: float,
    long_run: LongRunVariance | None,
) -> tuple[int, int]:
    """Return the lowest and highest break of a confidence set, in rows before it, not cut to the sample.

    Bai and Perron (2003), eq. 16: regressors and errors may differ between both segments. ``edges`` are the
    begin of the segment before, the break, and the end of the segment after.
    """
    begin, row, end = edges
    x = stretches.orthogonal
    sides = [(x[begin:row], stretches.y[begin:row]), (x[row:end], stretches.y[row:end])]
    fits = [np.linalg.lstsq(a, b, rcond=None)[0] for a, b in sides]
    change = fits[1] - fits[0]
    power = [float(np.mean((a @ change) ** 2)) for a, _ in sides]
    noise = []
    for (a, b), fit, size in zip(sides, fits, power, strict=True):
        left = b - a @ fit
        moments = a * left[:, np.newaxis]
        noise.append(
            float(np.mean(left**2)) * size if long_run is None else long_run.variance(moments, change)
        )
    if max(noise) <= _NOTHING * min(power) ** 2:
        return row, row  # no noise: nothing hides the break
    noise = [max(each, _QUIETEST * max(noise)) for each in noise]
    xi = power[1] / power[0]
    phi = xi * (noise[1] / power[1]) / (noise[0] / power[0])
    scale = power[0] ** 2 / noise[0]
    tail = (1.0 - confidence) / 2.0
    low, high = _quantile(tail, xi, phi) / scale, _quantile(1.0 - tail, xi, phi) / scale
    # The estimate less the truth has this distribution: the set is its mirror.
    return row - int(np.ceil(high)), row - int(np.floor(low))


def _quantile(level: float, xi: float, phi: float) -> float:
    """Return the argument at which the distribution has a level, by halving."""
    low, high = -1.0, 1.0
    while argmax_distribution(low, xi, phi) > level:
        low *= 2.0
    while argmax_distribution(high, xi, phi) < level:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if argmax_distribution(middle, xi, phi) < level else (low, middle)
    return (low + high) / 2.0


def argmax_distribution(x: float, xi: float, phi: float) -> float:
    """Return the chance that V is highest at or before x. Bai (1997), appendix B.

    V(s) = W(-s) - |s|/2 for s ≤ 0 and √φ·W(s) - ξs/2 for s > 0, of two Wiener processes.
    """
    if x > 0.0:
        # The mirrored process, measured in its own unit.
        return 1.0 - argmax_distribution(-x * xi * xi / phi, 1.0 / xi, 1.0 / phi)
    from scipy.special import erfcx  # not at the top: importing allocator costs no more than pandas

    # exp(a²/2)·Φ(-a) = erfcx(a/√2)/2 keeps what his normal probabilities times exponentials would lose.
    t = -x
    root, ratio = np.sqrt(t / 2.0), xi / phi
    far = (phi + 2.0 * xi) / (ratio * (phi + xi)) * erfcx((0.5 + ratio) * root) / 2.0
    near = ((phi + 2.0 * xi) ** 2 / ((phi + xi) * xi) - 2.0 + t / 2.0) * erfcx(root / 2.0) / 2.0
    return float(np.exp(-t / 8.0) * (near - far - root / np.sqrt(np.pi)))
