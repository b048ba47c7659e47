"""Which part of a yield moves it: shares of variance, over all dates and over trailing windows.

Where a yield is a sum of parts, y = Σ x_k, the share of a part is s_k = cov(Δx_k, Δy) / var(Δy). Shares add
up to 1. They are the Shapley value of the variance of the sum: the mean, over all orders in which the parts
can be added, of what a part adds to the variance. A part that moves against the sum has a share below 0, and
then another may have one above 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.errors import InputError, InsufficientHistoryError
from allocator.macro.yields import show
from allocator.macro.yields.decomposition import YieldDecomposition, refuse_no_decomposition
from allocator.regimes._settings import refuse_bootstrap, refuse_draws
from allocator.regimes.record import UNCLASSIFIED
from allocator.statistics import CircularBlockBootstrap, joint_block_length
from allocator.statistics._one_thread import inner, product
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import (
    is_number,
    is_whole,
    refuse_long_blocks,
    refuse_no_number,
)

__all__ = ["DriverPath", "DriverShares", "driver_shares", "rolling_drivers"]

FEWEST_CHANGES = 12
_MOST_ROWS, _LARGEST_MARGIN = 1_000_000, 1e6
_STILL = 1e-15  # a deviation of changes of yields, fractions a year


@final
@dataclass(frozen=True, eq=False, repr=False)
class DriverShares:
    """Shares of the variance of a yield's changes; prints itself.

    Attributes
    ----------
    table
        A row a part: ``share``, ``low``, ``high`` (percentiles of block-bootstrap resamples, their distance
        from the share widened as Student's t is beside the normal, with one degree a block, less one),
        ``dominant`` (the share of resamples in which the part has the largest share).
    decomposition
        What was looked at.
    n
        Changes.
    confidence, block_length, n_resamples, seed
        Of the circular block bootstrap, the rows of all parts together.
    reason
        Empty, or why there are no numbers.
    """

    table: pd.DataFrame
    decomposition: YieldDecomposition
    n: int
    confidence: float
    block_length: int
    n_resamples: int
    seed: int
    reason: str = ""

    __repr__ = show.shares_text
    _repr_html_ = show.shares_html


@final
@dataclass(frozen=True, eq=False, repr=False)
class DriverPath:
    """The driver of a yield as time goes by, each date from the window that ends on it; prints itself.

    Attributes
    ----------
    shares
        Of each part, by date; NaN where the yield did not change in the window.
    probability
        Share of the resamples of the window in which the part has the largest share.
    moves
        Change of each part over the window, fractions a year.
    dominant
        The driver after hysteresis: another part takes over once its share is larger by ``margin``, and not
        sooner than ``dwell`` rows after the last change; ``unclassified`` before the first share.
    decomposition
        What was looked at.
    window, dwell
        In rows.
    margin, n_resamples, seed
        Of the hysteresis and of the bootstrap.
    """

    shares: pd.DataFrame
    probability: pd.DataFrame
    moves: pd.DataFrame
    dominant: pd.Series[str]
    decomposition: YieldDecomposition
    window: int
    dwell: int
    margin: float
    n_resamples: int
    seed: int

    __repr__ = show.path_text
    _repr_html_ = show.path_html

    @property
    def spells(self) -> pd.DataFrame:
        """The drivers one after the other: dates, rows, mean share, mean probability and the ``highest``."""
        labels, dates = self.dominant.to_numpy(), self.shares.index
        begins = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
        ends = np.append(begins[1:], len(labels))
        rows = [self._spell(int(begin), int(end)) for begin, end in zip(begins, ends, strict=True)]
        table = pd.DataFrame(rows, columns=["share", "probability", "highest"])
        table.insert(0, "from", dates[begins])
        table.insert(1, "to", dates[ends - 1])
        table.insert(2, "driver", labels[begins])
        table.insert(3, "rows", ends - begins)
        return table

    def _spell(self, begin: int, end: int) -> tuple[float, float, float]:
        driver = str(self.dominant.iloc[begin])
        if driver not in self.shares.columns:
            return float("nan"), float("nan"), float("nan")
        share, chance = (each[driver].iloc[begin:end] for each in (self.shares, self.probability))
        return float(share.mean()), float(chance.mean()), float(chance.max())


def driver_shares(
    decomposition: YieldDecomposition,
    *,
    confidence: float = 0.95,
    block_length: int | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> DriverShares:
    """Return the share of each part in the variance of the yield's changes, over all dates.

    Parameters
    ----------
    decomposition
        Of at least 13 dates.
    confidence
        Of the intervals.
    block_length
        Rows, at most a third of the changes; by default the joint block length of the parts (Politis and
        White, 2004), rounded up.
    n_resamples, seed
        Of the circular block bootstrap.

    Raises
    ------
    InputError
        A confidence that is none, no resamples, no seed, blocks longer than a third of the changes.
    InsufficientHistoryError
        Fewer than 12 changes.

    References
    ----------
    Shapley (1953); for the variance of a sum its value is the covariance with the sum: Colini-Baldeschi,
    Scarsini and Vaccari (2018), Methodology and Computing in Applied Probability 20.
    """
    refuse_bootstrap(confidence, max(n_resamples, 2) if is_whole(n_resamples) else n_resamples, seed)
    changes = _enough_changes(decomposition, n_resamples, seed)
    n = len(changes)
    if block_length is not None:
        refuse_long_blocks(block_length, n, "changes")
    if _is_still(changes):
        return _no_shares(decomposition, changes, confidence, n_resamples, seed)
    parts = decomposition.changes
    block = min(int(np.ceil(joint_block_length(parts)[1])), n // 3) if block_length is None else block_length
    rng = np.random.default_rng(seed)
    draws = _shares_from(CircularBlockBootstrap(block).means(_products(changes), n_resamples, rng))
    shares = shares_of(changes)
    low, high = _interval(shares, draws, n / block, confidence)
    columns = {"share": shares, "low": low, "high": high, "dominant": _wins(draws)}
    table = pd.DataFrame(columns, index=pd.Index(parts.columns, name="part"))
    return DriverShares(table, decomposition, n, confidence, block, n_resamples, seed)


def rolling_drivers(
    decomposition: YieldDecomposition,
    years: float,
    *,
    dwell: int = 6,
    margin: float = 0.1,
    n_resamples: int = 500,
    seed: int = 0,
) -> DriverPath:
    """Return which part dominates over the last ``years``, on each date that has them.

    Nothing after a date has a part in it: with a decomposition that was known at the time, the path was.

    Parameters
    ----------
    decomposition
        Regular dates.
    years
        Length of the window, at least 12 rows of it.
    dwell
        Rows that a driver stays at least.
    margin
        By how much another share must be larger to take over.
    n_resamples, seed
        Of the circular block bootstrap within each window, in blocks of n^(1/3) rows, rounded up; the same
        draws in every window.

    Raises
    ------
    InputError
        A window of too few rows, a negative margin or dwell, no resamples.
    InsufficientHistoryError
        A window longer than the changes.
    """
    changes = _enough_changes(decomposition, n_resamples, seed)
    window = _window(decomposition, years, len(changes))
    _refuse_hysteresis(dwell, margin)
    draws = _draws(window, n_resamples, seed)
    found = [_of_window(rows, draws) for rows in _windows(changes, window)]
    shares, probability, moves = np.stack(found, axis=1)
    names = decomposition.parts.columns
    dates = decomposition.changes.index[window - 1 :]
    tables = [pd.DataFrame(each, dates, names) for each in (shares, probability, moves)]
    texts = np.array([*names, UNCLASSIFIED], dtype=object)[_with_hysteresis(shares, dwell, margin)]
    dominant = pd.Series(texts, index=dates, name="driver", dtype=object)
    return DriverPath(
        tables[0], tables[1], tables[2], dominant, decomposition, window, dwell, margin, n_resamples, seed
    )


def shares_of(changes: FloatArray) -> FloatArray:
    """Return cov(Δx_k, Δy) / var(Δy) of changes of parts, shape (n_rows, n_parts); Δy is their sum."""
    centred = changes - changes.mean(axis=0)
    whole = centred.sum(axis=1)
    return np.asarray(product(whole, centred) / inner(whole, whole))


def _interval(shares: FloatArray, draws: FloatArray, blocks: float, confidence: float) -> FloatArray:
    """Return the low and high ends, shape (2, n_parts).

    Percentiles are those of a known variance: few blocks know it poorly, and resamples divide by their count.
    """
    from scipy.special import ndtri, stdtrit  # not at the top: importing allocator costs no more than pandas

    upper = 0.5 + confidence / 2.0
    widened = stdtrit(max(blocks - 1.0, 2.0), upper) / ndtri(upper) * np.sqrt(blocks / max(blocks - 1.0, 1.0))
    return np.asarray(shares + widened * (np.nanquantile(draws, [1.0 - upper, upper], axis=0) - shares))


def _enough_changes(decomposition: YieldDecomposition, n_resamples: int, seed: int) -> FloatArray:
    refuse_no_decomposition(decomposition)
    refuse_draws(n_resamples, seed)
    changes = decomposition.changes.to_numpy(dtype=np.float64)
    if len(changes) < FEWEST_CHANGES:
        problem = f"{len(changes)} changes, at least {FEWEST_CHANGES} are needed"
        raise InsufficientHistoryError("decomposition", problem, rows_needed=FEWEST_CHANGES + 1)
    return changes


def _no_shares(
    decomposition: YieldDecomposition, changes: FloatArray, confidence: float, n_resamples: int, seed: int
) -> DriverShares:
    index = pd.Index(decomposition.parts.columns, name="part")
    table = pd.DataFrame(np.nan, index=index, columns=["share", "low", "high", "dominant"])
    moves = bool(np.abs(changes.sum(axis=1)).max() > _STILL)
    said = "changes by the same on every row" if moves else "never changes"
    reason = f"the yield {said}: there is no variance to share out"
    return DriverShares(table, decomposition, len(changes), confidence, 0, n_resamples, seed, reason)


def _products(changes: FloatArray) -> FloatArray:
    """Return centred changes, and them times their sum, shape (n_rows, 2 n_parts)."""
    centred = changes - changes.mean(axis=0)
    return np.asfortranarray(np.hstack([centred, centred * centred.sum(axis=1, keepdims=True)]))


def _shares_from(means: FloatArray) -> FloatArray:
    """Return the shares of resamples, shape (n_resamples, n_parts), from the means of their products."""
    k = means.shape[1] // 2
    covariances = means[:, k:] - means[:, :k] * means[:, :k].sum(axis=1, keepdims=True)
    variance = covariances.sum(axis=1, keepdims=True)
    return np.asarray(covariances / np.where(variance > 0.0, variance, np.nan))


def _draws(window: int, n_resamples: int, seed: int) -> FloatArray:
    """Return the weight of each row of a window in each resample, shape (n_resamples, window)."""
    bootstrap = CircularBlockBootstrap(int(np.ceil(window ** (1.0 / 3.0))))
    chunks = bootstrap.rows(window, n_resamples, np.random.default_rng(seed))
    return np.array([np.bincount(rows, minlength=window) for some in chunks for rows in some]) / window


def _wins(draws: FloatArray) -> FloatArray:
    """Return how often each part has the largest share, shape (n_parts,)."""
    known = draws[np.isfinite(draws).all(axis=1)]
    best = known.argmax(axis=1)
    return np.bincount(best, minlength=draws.shape[1]) / max(len(known), 1)


def _windows(changes: FloatArray, window: int) -> Iterator[FloatArray]:
    return (changes[stop - window : stop] for stop in range(window, len(changes) + 1))


def _of_window(rows: FloatArray, draws: FloatArray) -> FloatArray:
    """Return shares, probabilities and moves of one window, shape (3, n_parts)."""
    moves = rows.sum(axis=0)
    if _is_still(rows):
        missing = np.full(len(moves), np.nan)
        return np.stack([missing, missing, moves])
    return np.stack([shares_of(rows), _wins(_shares_from(product(draws, _products(rows)))), moves])


def _is_still(changes: FloatArray) -> bool:
    """Return whether the sum of the changes varies by no more than rounding, or not at all."""
    least = max(_STILL, 1e-12 * float(np.abs(changes).max()))
    return bool(changes.sum(axis=1).std() <= least)


def _window(decomposition: YieldDecomposition, years: float, n_changes: int) -> int:
    refuse_no_number("years", years, "pass 5, say")
    per_year = decomposition.frequency.periods_per_year
    rows = round(years * per_year) if 0.0 < years < np.inf else 0
    if rows < FEWEST_CHANGES:
        problem = f"{years!r} years hold {rows} rows, at least {FEWEST_CHANGES} are needed"
        raise InputError("years", problem, fix=f"pass {FEWEST_CHANGES / per_year:.3g} or more")
    if rows > n_changes:
        problem = f"a window of {rows} rows ({years:g} years) for {n_changes} changes"
        raise InsufficientHistoryError("years", problem, rows_needed=rows + 1, fix="take a shorter one")
    return rows


def _refuse_hysteresis(dwell: int, margin: float) -> None:
    if not is_whole(dwell) or not 1 <= dwell <= _MOST_ROWS:
        raise InputError("dwell", f"{dwell!r} is not a number of rows from 1 on")
    if not is_number(margin) or not 0.0 <= margin <= _LARGEST_MARGIN:
        raise InputError(
            "margin", f"{margin!r} is not a number from 0 on", fix="0.1 is ten percent of variance"
        )


def _with_hysteresis(shares: FloatArray, dwell: int, margin: float) -> FloatArray:
    """Return the number of the driver on each row, shape (n_rows,); -1 before the first share."""
    drivers, driver, stayed = np.full(len(shares), -1), -1, dwell
    for row, each in enumerate(shares):
        if np.isfinite(each).all():
            best = int(each.argmax())
            if driver < 0 or (best != driver and stayed >= dwell and each[best] > each[driver] + margin):
                driver, stayed = best, 0
        drivers[row] = driver
        stayed += 1
    return drivers
