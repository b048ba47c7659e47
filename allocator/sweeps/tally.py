"""Statistics of many value paths at once, a stretch of rows at a time, so that no path is ever kept.

A tally holds what the statistics of each lane need so far: power sums of its excess returns, the
highest value and the deepest fall from it. Rows of values are written into a small buffer and folded
in when it is full. Shapes: ``n_rows`` of the buffer, ``n_lanes`` portfolios.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

__all__ = ["CELLS", "Moments", "Tally", "fold", "moments", "new_tally"]

Array = NDArray[np.float64]
CELLS = 66_000  # values in the buffer: three tables of this size stay in the cache of a core
_FEWEST_ROWS = 16
_ROUNDING = 1e-12  # of allocator.statistics.drawdown: a fall by less is none
# Below this share of the mean square, what is left of a variance after subtraction has lost digits.
_CLEAR = 0.02
_TERMS = ((1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (4, 0), (3, 0), (3, 1))


@dataclass(frozen=True, eq=False)
class Tally:
    """What has been seen of every lane; the arrays are updated in place.

    Attributes
    ----------
    values
        Row 0 is the close before, those after it are to be filled, shape (n_rows + 1, n_lanes).
    returns, powers
        Scratch, shape (n_rows, n_lanes).
    sums
        Sums over the rows of return^j × cash^k, in the order of ``_TERMS``, shape (10, n_lanes).
    peak, worst
        Highest value, and lowest ratio of a value to the highest before it, shape (n_lanes,).
    lost
        Where a value was not positive, shape (n_lanes,).
    """

    values: Array
    returns: Array
    powers: Array
    sums: Array
    peak: Array
    worst: Array
    lost: NDArray[np.bool_]

    @property
    def n_rows(self) -> int:
        """How many rows fit."""
        return len(self.returns)


@dataclass(frozen=True, eq=False)
class Moments:
    """Statistics of each lane over all rows, shape (n_lanes,), of one period and not annualised.

    Attributes
    ----------
    growth
        Last value of one unit.
    spread
        Standard deviation of the returns (ddof 1).
    sharpe, sharpe_error
        Sharpe ratio of one period and its standard error (Mertens, 2002).
    drawdown
        The deepest, 0 or negative.
    unclear
        Where value was lost altogether, or returns hardly vary, so that these numbers are not exact.
    """

    growth: Array
    spread: Array
    sharpe: Array
    sharpe_error: Array
    drawdown: Array
    unclear: NDArray[np.bool_]


def new_tally(n_lanes: int, n_periods: int) -> Tally:
    """Return an empty tally of ``n_lanes``, the wealth of 1 before the first return in place."""
    n_rows = min(max(CELLS // n_lanes, _FEWEST_ROWS), n_periods)
    return Tally(
        values=np.ones((n_rows + 1, n_lanes)),
        returns=np.empty((n_rows, n_lanes)),
        powers=np.empty((n_rows, n_lanes)),
        sums=np.zeros((len(_TERMS), n_lanes)),
        peak=np.ones(n_lanes),
        worst=np.ones(n_lanes),
        lost=np.zeros(n_lanes, dtype=bool),
    )


def fold(tally: Tally, count: int, cash: Array) -> None:
    """Add the first ``count`` rows of values to the sums; ``cash`` is the cash return of each, (count,)."""
    values, returns, powers = tally.values[: count + 1], tally.returns[:count], tally.powers[:count]
    np.divide(values[1:], values[:-1], out=returns)
    returns -= 1.0
    by_cash = cash ** np.arange(4)[:, None]
    sums = tally.sums
    sums[:4] += by_cash @ returns
    np.square(returns, out=powers)
    sums[4:7] += by_cash[:3] @ powers
    sums[7] += np.einsum("ij,ij->j", powers, powers)
    np.multiply(powers, returns, out=powers)
    sums[8:] += by_cash[:2] @ powers
    _fold_drawdown(tally, values[1:])
    values[0] = values[count]


def _fold_drawdown(tally: Tally, values: Array) -> None:
    """Deepen the falls. Where the lowest value is no new depth even below the highest, no row can be."""
    low, high = np.minimum.reduce(values, axis=0), np.maximum.reduce(values, axis=0)
    tally.lost[:] |= ~(low > 0.0)
    top = np.maximum(tally.peak, high)
    deeper = np.flatnonzero(low < tally.worst * top)
    if len(deeper):
        peak, worst = tally.peak[deeper], tally.worst[deeper]
        ratio = np.empty(len(deeper))
        for row in values[:, deeper]:
            np.maximum(peak, row, out=peak)
            np.divide(row, peak, out=ratio)
            np.minimum(worst, ratio, out=worst)
        tally.worst[deeper] = worst
    tally.peak[:] = top


def moments(tally: Tally, cash: Array) -> Moments:
    """Return the statistics after the last row was folded in; ``cash`` of all rows, shape (n_periods,)."""
    n = len(cash)
    mean, second, third, fourth = _excess_powers(tally.sums, cash)
    with np.errstate(all="ignore"):  # lanes without variance are unclear and computed anew
        variance = second - mean**2
        unbiased = np.divide(n, n - 1)  # one row has no deviation
        sharpe = mean / np.sqrt(variance * unbiased)
        skew = (third - 3.0 * mean * second + 2.0 * mean**3) / variance**1.5
        kurtosis = (fourth - 4.0 * mean * third + 6.0 * mean**2 * second - 3.0 * mean**4) / variance**2
        error = np.sqrt(np.maximum(1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2, 0.0) / n)
        square = tally.sums[4] / n
        total = square - (tally.sums[0] / n) ** 2
        spread = np.sqrt(total * unbiased)
    clear = (variance > _CLEAR * (square + (cash**2).mean())) & (total > _CLEAR * square) & (n >= 4)
    fall = tally.worst - 1.0
    fall[fall > -_ROUNDING] = 0.0
    return Moments(tally.values[0].copy(), spread, sharpe, error, fall, tally.lost | ~clear)


def _excess_powers(sums: Array, cash: Array) -> list[Array]:
    """Return the means of the first four powers of return less cash, each (n_lanes,), by the binomials."""
    known = dict(zip(_TERMS, sums, strict=True))
    n, powers = len(cash), []
    for order in (1, 2, 3, 4):
        total = np.full(sums.shape[1], float(((-cash) ** order).sum()))
        for k in range(order):
            total += comb(order, k) * (-1.0) ** k * known[order - k, k]
        powers.append(total / n)
    return powers
