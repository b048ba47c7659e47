"""The distribution of sup-F where nothing breaks, by resampling what the regression leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics._autoregression import Autoregression, autoregression
from allocator.statistics._break_gains import BreakGains
from allocator.statistics._returns import FloatArray
from allocator.statistics._segments import Stretches
from allocator.statistics._settings import refuse_no_count, refuse_no_seed

__all__ = ["WildSieveBootstrap"]

_FEWEST_RESAMPLES = 99
_NUMBERS_AT_ONCE = 1_000_000
# What the date of a break counts for beside its k coefficients, in coefficients: with 1 a break that is none
# is taken out of too many autocorrelated samples, with 3 (Hall, Osborn and Sakkas, 2013) power is lost.
_DATE = 1.25
_MOST = 5  # breaks that may be taken out, as many as find_breaks looks for by default
_LEAST = 0.1  # of one less the leverage, so that no row counts for ten
_PERSISTENT = 0.9  # beyond, too many are rejected in simulation; of a random walk a fifth


@final
@dataclass(frozen=True)
class WildSieveBootstrap:
    """Residuals resampled by an autoregression whose innovations keep their place and draw their sign.

    The fixed-regressor bootstrap of Hansen (2000, Journal of Econometrics 97), wild as his, so that
    volatility may come in clusters or depend on the regressors, with the autoregressive sieve of Bühlmann
    (1997) for autocorrelation. Residuals are those of no break, as the hypothesis has it, except where breaks
    and an autoregression have the lower BIC: otherwise large breaks would pass for persistence and hide
    themselves.

    Parameters
    ----------
    n_resamples
        At least 99.
    seed
        The same seed gives the same p.
    """

    n_resamples: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        refuse_no_count("n_resamples", self.n_resamples, "pass 999, say")
        refuse_no_seed(self.seed)
        if self.n_resamples < _FEWEST_RESAMPLES:
            raise InputError("n_resamples", f"{self.n_resamples} are fewer than {_FEWEST_RESAMPLES}")

    def describe(self) -> str:
        """Return what the bootstrap is called, and its source."""
        return f"wild sieve bootstrap (Hansen, 2000), {self.n_resamples:,} resamples, seed {self.seed}"

    def statistics(self, stretches: Stretches, shortest: int, rng: np.random.Generator) -> FloatArray:
        """Return the sup-F of each resample, k·F of Chow, shape (n_resamples,)."""
        model = null_model(stretches, shortest)
        gains = _gains(stretches, shortest)
        at_once = max(_NUMBERS_AT_ONCE // stretches.n, 1)
        sizes = [min(at_once, self.n_resamples - first) for first in range(0, self.n_resamples, at_once)]
        parts = [gains.largest(gains.residuals(model.simulated(stretches.n, size, rng))) for size in sizes]
        return np.concatenate(parts)


def null_model(stretches: Stretches, shortest: int) -> Autoregression:
    """Return the autoregression of the residuals without a break, or with those that BIC asks for."""
    price = (stretches.k + _DATE) * np.log(stretches.n)
    models = [autoregression(left) for left in _residuals(stretches, shortest)]
    return models[int(np.argmin([model.criterion + price * breaks for breaks, model in enumerate(models)]))]


def too_persistent(stretches: Stretches, shortest: int) -> str:
    """Return a warning where residuals wander so far that no test of a break keeps its size, or nothing."""
    total = float(null_model(stretches, shortest).slopes.sum())
    if total <= _PERSISTENT:
        return ""
    return f"rough: residuals wander (autoregressive sum {total:.2f}); breaks are found too often"


def _residuals(stretches: Stretches, shortest: int) -> Iterator[FloatArray]:
    """Yield the residuals with 0, 1, ... breaks, each the best beside those before it. Bai (1997)."""
    segments = [_segment(stretches, 0, stretches.n, shortest)]
    for _ in range(_MOST + 1):
        yield np.concatenate([each.left for each in segments])
        number = int(np.argmax([each.gain for each in segments]))
        segment = segments[number]
        if not segment.gain > 0.0:
            return
        segments[number : number + 1] = [
            _segment(stretches, *side, shortest)
            for side in ((segment.begin, segment.row), (segment.row, segment.end))
        ]


@dataclass(frozen=True)
class _Segment:
    """Rows from begin to before end, their residuals, and the best break among them with its gain, or 0."""

    begin: int
    end: int
    left: FloatArray
    row: int
    gain: float


def _segment(stretches: Stretches, begin: int, end: int, shortest: int) -> _Segment:
    turned = np.linalg.qr(stretches.x[begin:end])[0]
    gains = BreakGains(turned, shortest)
    left = gains.residuals(stretches.y[begin:end, np.newaxis])
    # The weights of HC3: where a row has leverage, its residual is smaller than its error was.
    weighed = left[:, 0] / np.maximum(1.0 - np.sum(turned**2, axis=1), _LEAST)
    if end - begin < 2 * shortest:
        return _Segment(begin, end, weighed, end, 0.0)
    gain = gains.gains(left)[:, 0]
    best = int(np.argmax(gain))
    return _Segment(begin, end, weighed, begin + int(gains.rows[best]), float(gain[best]))


def _gains(stretches: Stretches, shortest: int) -> BreakGains:
    return BreakGains(stretches.orthogonal / np.sqrt(stretches.n), shortest)
