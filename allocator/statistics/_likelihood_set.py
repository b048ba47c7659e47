"""Which breaks a likelihood ratio does not reject, with errors that may be autocorrelated."""

from __future__ import annotations

import numpy as np

from allocator.statistics._autoregression import autoregression, long_run_variances
from allocator.statistics._break_gains import BreakGains
from allocator.statistics._returns import FloatArray
from allocator.statistics._segments import Rows, Stretches

_NUMBERS_AT_ONCE = 1_000_000
_NOTHING = 1e-20


def likelihood_rows(stretches: Stretches, shortest: int, confidence: float) -> tuple[int, int]:
    """Return the first and last break, in rows before it, that a likelihood ratio does not reject.

    A break is rejected where the best one lowers the sum of squares by more than κω² beyond it: ω² is the
    long-run variance of the scores in the direction of the change, over its power, of residuals with the
    break that is tried; (1 - exp(-κ/2))² = confidence in the limit. Hansen (2000, Econometrica 68, theorem
    2); Eo and Morley (2015, Quantitative Economics 6). The limit has steps without size: with real ones κ is
    less, see :func:`_critical`.
    """
    gains = BreakGains(stretches.orthogonal / np.sqrt(stretches.n), shortest)
    left = gains.residuals(stretches.y[:, np.newaxis])
    gain = gains.gains(left)[:, 0]
    best = int(np.argmax(gain))
    errors, change = gains.split(left[:, 0], np.array([best]))
    power = float(np.mean(change**2))
    if not float(np.mean(errors**2)) > _NOTHING * power:
        return int(gains.rows[best]), int(gains.rows[best])  # no noise: nothing hides the break
    order = autoregression((errors * change)[:, 0]).order
    scales = _scales(gains, left[:, 0], order)
    critical = _critical(confidence, float(np.sqrt(power / scales[best])))
    kept = gains.rows[gain[best] - gain <= critical * scales]
    return int(kept[0]), int(kept[-1])


def _scales(gains: BreakGains, left: FloatArray, order: int) -> FloatArray:
    """Return ω² of each possible break, (n_breaks,)."""
    at_once = max(_NUMBERS_AT_ONCE // len(left), 1)
    numbers: Rows = np.arange(len(gains.rows))
    parts = []
    for first in range(0, len(numbers), at_once):
        errors, change = gains.split(left, numbers[first : first + at_once])
        power = np.maximum(np.mean(change**2, axis=0), 1e-300)
        parts.append(long_run_variances(errors * change, order) / power)
    return np.concatenate(parts)


def _critical(confidence: float, step: float) -> float:
    """Return κ for a change of ``step`` long-run deviations.

    A walk in steps passes a level less often than a path without, by the factor ν(step) of Siegmund (1985)
    for normal ones, so that (1 - ν·exp(-κ/2))² = confidence. √ν is taken: fat-tailed steps have less of it,
    and the step is estimated at its largest. By simulation, as ``find_breaks`` says.
    """
    from scipy.special import ndtr  # not at the top: importing allocator costs no more than pandas

    half = step / 2.0
    density = np.exp(-half * half / 2.0) / np.sqrt(2.0 * np.pi)
    overshoot = (ndtr(half) - 0.5) / half / (half * ndtr(half) + density) if half > 1e-8 else 1.0
    return max(float(-2.0 * np.log(1.0 - np.sqrt(confidence)) + np.log(overshoot)), 0.0)
