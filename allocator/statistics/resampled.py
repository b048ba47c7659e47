"""What statistics of resampled returns come to: means, variances, Sharpe ratios, correlations, any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import FloatArray, Returns, read_returns
from allocator.statistics.bootstrap import BlockBootstrap, refuse_other_bootstrap

__all__ = ["ResampledMoments", "resampled_correlations", "resampled_moments", "resampled_statistic"]

# Numbers, 16 MB of them, that a statistic is given at once.
_NUMBERS_IN_A_CHUNK = 2**21


@final
@dataclass(frozen=True, eq=False)
class ResampledMoments:
    """Means and variances of resampled series.

    Attributes
    ----------
    means
        Of one period, as fractions, shape (n_resamples, n_series).
    variances
        The same (ddof 1); 0 where a resample missed every row in which a series moves.
    """

    means: FloatArray
    variances: FloatArray

    @property
    def sharpe_ratios(self) -> FloatArray:
        """Means over deviations, not annualised, shape (n_resamples, n_series); NaN where nothing moved."""
        return np.asarray(self.means / np.sqrt(np.where(self.variances > 0.0, self.variances, np.nan)))


def resampled_moments(
    returns: Returns, bootstrap: BlockBootstrap, n_resamples: int, rng: np.random.Generator
) -> ResampledMoments:
    """Return the means and variances of resamples, from prefix sums: no resample is written out.

    Parameters
    ----------
    returns
        Of n_periods; for Sharpe ratios, over cash.
    bootstrap
        How rows are drawn, those of all series together.
    n_resamples
        Number of resamples.
    rng
        The same state gives the same resamples, whatever the series and however many.

    Raises
    ------
    InputError
        A block longer than the returns, fewer than two of them, no resample, and what returns are
        refused for.
    """
    refuse_other_bootstrap(bootstrap)
    values = _read_two_rows(returns)
    n, k = values.shape
    centre = values.mean(axis=0)
    centred = values - centre
    means = bootstrap.means(_side_by_side(centred, centred**2), n_resamples, rng)
    variances = _without_rounding(means[:, k:] - means[:, :k] ** 2, values)
    return ResampledMoments(centre + means[:, :k], variances * (n / (n - 1)))


def resampled_correlations(
    returns: Returns, bootstrap: BlockBootstrap, n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Return Pearson correlations of resamples, from prefix sums, shape (n_resamples, n_series, n_series).

    NaN where a resample missed every row in which a series moves. The rest is as in
    :func:`resampled_moments`, the draws too.
    """
    refuse_other_bootstrap(bootstrap)
    values = _read_two_rows(returns)
    k = values.shape[1]
    centred = values - values.mean(axis=0)
    left, right = np.triu_indices(k)
    means = bootstrap.means(_side_by_side(centred, centred[:, left] * centred[:, right]), n_resamples, rng)
    covariances = np.empty((n_resamples, k, k))
    covariances[:, left, right] = means[:, k:] - means[:, left] * means[:, right]
    covariances[:, right, left] = covariances[:, left, right]
    variances = _without_rounding(np.diagonal(covariances, axis1=1, axis2=2), values)
    deviations = np.sqrt(np.where(variances > 0.0, variances, np.nan))
    correlations = covariances / (deviations[:, :, np.newaxis] * deviations[:, np.newaxis, :])
    return np.asarray(np.clip(correlations, -1.0, 1.0))


def resampled_statistic(
    returns: Returns,
    statistic: Callable[[FloatArray], FloatArray],
    bootstrap: BlockBootstrap,
    n_resamples: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return any statistic of resamples, which are written out some at a time: 16 MB of them at most.

    Parameters
    ----------
    returns
        Of n_periods and n_series.
    statistic
        Takes resamples, shape (n_some, n_periods, n_series), and returns a number each, or an array each,
        shape (n_some, ...): ``lambda draws: draws.min(axis=1)`` for the worst periods.
    bootstrap, n_resamples, rng
        As in :func:`resampled_moments`, and the draws are the same.

    Returns
    -------
    numpy.ndarray
        Shape (n_resamples, ...).

    Raises
    ------
    InputError
        A statistic of another length, and what :func:`resampled_moments` refuses.
    """
    refuse_other_bootstrap(bootstrap)
    values = read_returns(returns).matrix
    n = len(values)
    most = max(1, _NUMBERS_IN_A_CHUNK // values.size)
    answers = []
    for rows in bootstrap.rows(n, n_resamples, rng):
        for first in range(0, len(rows), most):
            some = rows[first : first + most]
            answers.append(_checked_answer(statistic(values[some]), len(some)))
    return np.concatenate(answers)


def _checked_answer(answer: FloatArray, expected: int) -> FloatArray:
    found = np.asarray(answer, dtype=np.float64)
    if found.ndim == 0 or len(found) != expected:
        raise InputError(
            "statistic",
            f"returned shape {found.shape} for {expected} resamples",
            fix="reduce axis 1, the periods, and keep axis 0, the resamples",
        )
    return found


def _read_two_rows(returns: Returns) -> FloatArray:
    values = read_returns(returns).matrix
    if len(values) < 2:
        raise InsufficientHistoryError("returns", "1 row, at least 2 are needed", rows_needed=2)
    return values


def _side_by_side(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the columns of both, each contiguous, so that its sums do not depend on what is beside it."""
    return np.asfortranarray(np.hstack([left, right]))


def _without_rounding(variances: FloatArray, values: FloatArray) -> FloatArray:
    """Return variances, 0 where they are rounding beside those of the whole sample or its size."""
    whole = values.var(axis=0)
    least = np.where(is_rounding(np.sqrt(whole), values), np.inf, 1e-12 * whole)
    return np.where(variances > least, variances, 0.0)
