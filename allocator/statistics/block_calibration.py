"""The block length at which the test of a Sharpe difference is honest on data like these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import show
from allocator.statistics._cash import Cash
from allocator.statistics._paired import read_excess
from allocator.statistics._returns import FloatArray, Returns, read_one_series
from allocator.statistics._studentised_draws import difference_draws, refuse_blocks
from allocator.statistics.ratio_difference import moves_as_one
from allocator.statistics.sharpe_methods import HAC

__all__ = ["BlockCalibration", "calibrated_block_length"]

_MEAN_RESIDUAL_BLOCK = 5.0
_BURN_IN = 50
_VALUES_AT_ONCE = 2**22
_DEFAULT = HAC()


@final
@dataclass(frozen=True, repr=False)
class BlockCalibration:
    """How often the test rejects a true hypothesis, by block length; prints itself.

    Attributes
    ----------
    block_length
        The candidate whose rate is nearest to ``nominal``; of equals the first.
    candidates
        Rows in a block.
    rejected
        Fraction of worlds in which each candidate rejects the true difference.
    nominal
        The size asked for.
    n
        Rows.
    n_worlds, n_resamples, seed
        As asked for.
    """

    block_length: int
    candidates: tuple[int, ...]
    rejected: tuple[float, ...]
    nominal: float
    n: int
    n_worlds: int
    n_resamples: int
    seed: int

    __repr__ = show.calibration_text
    _repr_html_ = show.calibration_html


def calibrated_block_length(
    returns_1: Returns,
    returns_2: Returns,
    cash: Cash,
    candidates: Sequence[int] = (1, 3, 6, 10),
    *,
    periods_per_year: float | None = None,
    nominal: float = 0.05,
    n_worlds: int = 1000,
    n_resamples: int = 199,
    seed: int = 0,
    error: HAC = _DEFAULT,
) -> BlockCalibration:
    """Choose the block length of a :class:`StudentizedBootstrap`. Ledoit and Wolf (2008), algorithm 3.1.

    Worlds are drawn from a VAR(1) of the two series over cash whose residuals are resampled in blocks of
    random length, 5 on average (Politis and Romano, 1994). In each, the difference of the sample is tested,
    as if it were the truth, with every candidate. About 3 seconds for 120 rows and the defaults; the
    time grows with the rows.

    Parameters
    ----------
    returns_1, returns_2
        Simple returns of one series each, shape (n_periods,), on the same dates.
    cash
        An annual effective rate, or the returns of cash in each period.
    candidates
        Rows in a block.
    periods_per_year
        Inferred from dates; arrays must say it, though the answer does not depend on it.
    nominal
        The size that the test should have.
    n_worlds, n_resamples, seed
        Of the simulation.
    error
        Of the sample, as in the bootstrap that is to be calibrated.

    Raises
    ------
    InputError
        Candidates that leave fewer than two blocks, series that never change or are multiples of each other,
        and what returns and cash are refused for.
    """
    tables = [read_one_series(returns_1, "returns_1"), read_one_series(returns_2, "returns_2")]
    excess = read_excess(tables, cash, periods_per_year)
    if excess.missing:
        raise InsufficientHistoryError("returns_1", excess.missing, rows_needed=12)
    if moves_as_one(excess.matrix):
        raise InputError("returns_2", "a multiple of returns_1 over cash: there is nothing to test")
    _refuse_settings(nominal, n_worlds, n_resamples, candidates, excess.n)
    rng = np.random.default_rng(seed)
    truth = float(excess.ratios[0] - excess.ratios[1])
    rejections = np.zeros(len(candidates))
    for world in _worlds(excess.matrix, n_worlds, rng):
        rejections += _rejects(world, truth, candidates, nominal, n_resamples, error, rng)
    rates = rejections / n_worlds
    best = int(np.argmin(np.round(np.abs(rates - nominal), 12)))
    return BlockCalibration(
        candidates[best],
        tuple(candidates),
        tuple(map(float, rates)),
        nominal,
        excess.n,
        n_worlds,
        n_resamples,
        seed,
    )


def _refuse_settings(
    nominal: float, n_worlds: int, n_resamples: int, candidates: Sequence[int], n: int
) -> None:
    if not candidates:
        raise InputError("candidates", "empty", fix="pass block lengths such as (1, 3, 6, 10)")
    for block in candidates:
        refuse_blocks(n, block, n_resamples)
    if not 0.0 < nominal < 1.0:
        raise InputError("nominal", f"{nominal!r} is not between 0 and 1", fix="pass 0.05 for 5 %")
    if n_worlds < 1:
        raise InputError("n_worlds", f"{n_worlds} is not a positive number")
    if nominal * (n_resamples + 1) < 1.0:
        raise InputError("n_resamples", f"{n_resamples} can reach no p-value of {nominal:g}")


def _rejects(
    world: FloatArray,
    truth: float,
    candidates: Sequence[int],
    nominal: float,
    n_resamples: int,
    error: HAC,
    rng: np.random.Generator,
) -> FloatArray:
    """Return 1 for each candidate whose test rejects the true difference in one world."""
    variance = error.variance(world)
    ratios = world.mean(axis=0) / world.std(axis=0, ddof=1)
    statistic = abs(ratios[0] - ratios[1] - truth) / np.sqrt(variance) if variance > 0.0 else 0.0
    beyond = np.array(
        [
            np.sum(np.abs(difference_draws(world[:, ::-1], b, n_resamples, rng).studentised()) >= statistic)
            for b in candidates
        ]
    )
    return np.asarray((1 + beyond) / (n_resamples + 1) <= nominal, dtype=np.float64)


def _worlds(excess: FloatArray, n_worlds: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Yield worlds of the shape of the sample, a few at a time in memory."""
    regressors = np.column_stack([np.ones(len(excess) - 1), excess[:-1]])
    coefficients = np.linalg.lstsq(regressors, excess[1:], rcond=None)[0]
    residuals = excess[1:] - regressors @ coefficients
    length = len(excess) + _BURN_IN
    at_once = max(1, _VALUES_AT_ONCE // (2 * length))
    for first in range(0, n_worlds, at_once):
        shocks = residuals[_stationary_rows(min(at_once, n_worlds - first), length, len(residuals), rng)]
        path = np.empty_like(shocks)
        path[:, 0] = excess[0]
        for t in range(1, length):
            path[:, t] = coefficients[0] + path[:, t - 1] @ coefficients[1:] + shocks[:, t]
        yield from path[:, _BURN_IN:]


def _stationary_rows(
    n_worlds: int, length: int, n: int, rng: np.random.Generator
) -> np.typing.NDArray[np.int64]:
    """Return rows of a stationary bootstrap, blocks of geometric length on the circle, (n_worlds, length)."""
    begins = rng.random((n_worlds, length)) < 1.0 / _MEAN_RESIDUAL_BLOCK
    begins[:, 0] = True
    last = np.maximum.accumulate(np.where(begins, np.arange(length), 0), axis=1)
    starts = rng.integers(0, n, size=(n_worlds, length))
    return np.asarray((np.take_along_axis(starts, last, axis=1) + np.arange(length) - last) % n)
