"""Covariance of returns: sample, exponentially weighted, and shrunk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._moments import is_rounding
from allocator.statistics._one_thread import gram, inner, product
from allocator.statistics._returns import FloatArray, Labelled, ReturnTable, read_returns

__all__ = [
    "ShrunkCovariance",
    "covariance_of_rows",
    "exponential_covariance",
    "ledoit_wolf_covariance",
    "ledoit_wolf_identity_covariance",
    "read_half_lives",
    "refuse_constant",
    "rescaled",
    "sample_covariance",
]


def sample_covariance(returns: pd.DataFrame | FloatArray) -> Labelled:
    """Return the sample covariance (ddof 1) of one period, in squared fractions, exactly symmetric.

    An asset that does not vary has zeros, also where rounding would leave something. With fewer periods than
    assets, plus one, the matrix is singular.

    Parameters
    ----------
    returns
        DataFrame or array of shape (n_periods, n_assets).

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        Shape (n_assets, n_assets), as the returns came.

    Raises
    ------
    InputError
        One series, or fewer than two periods.
    """
    table = _read_table(returns)
    return _labelled(table, _without_rounding(covariance_of_rows(table.matrix), table.matrix))


def covariance_of_rows(values: FloatArray) -> FloatArray:
    """Return the sample covariance of rows that were validated before, at least two."""
    centred = values - values.mean(axis=0)
    return np.asarray(gram(centred) / (len(values) - 1))


def _without_rounding(matrix: FloatArray, values: FloatArray) -> FloatArray:
    """Return the covariance with zeros for the columns that do not vary but by rounding."""
    still = is_rounding(np.sqrt(matrix.diagonal()), values)
    if still.any():
        matrix[still] = matrix[:, still] = 0.0
    return matrix


def exponential_covariance(
    returns: pd.DataFrame | FloatArray,
    volatility_half_life: float,
    correlation_half_life: float | None = None,
) -> Labelled:
    """Return the exponentially weighted covariance of one period, in squared fractions, exactly symmetric.

    A return that is k periods old weighs 2**(-k / half-life). Means are weighted alike, and the bias is
    corrected as that of the sample covariance is: with one half-life this is the last matrix of pandas'
    ``returns.ewm(halflife=volatility_half_life).cov()``. With two, volatilities are estimated with the first
    and correlations with the second; the product of both is positive semidefinite. RiskMetrics (J.P. Morgan
    and Reuters, 1996, chapter 5) differs: it takes means of zero, corrects no bias, and states the decay
    λ = 2**(-1 / half-life) for both: 0.94 for a horizon of a day, a half-life of 11.2 days, and 0.97 for one
    of a month, 22.8 days.

    Parameters
    ----------
    returns
        DataFrame or array of shape (n_periods, n_assets), the last row the latest.
    volatility_half_life
        In periods, at least 1; infinite weighs all alike.
    correlation_half_life
        The same for the correlations; by default that of the volatilities.

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        Shape (n_assets, n_assets), as the returns came. With one half-life, an asset that does not vary has
        zeros.

    Raises
    ------
    InputError
        One series, fewer than two periods, a half-life below 1; with two, an asset that does not vary: it
        has no correlation.
    """
    volatility, correlation = read_half_lives(volatility_half_life, correlation_half_life)
    table = _read_table(returns)
    matrix = _weighted(table.matrix, volatility)
    if correlation != volatility:
        other = _weighted(table.matrix, correlation)
        refuse_constant(table, np.sqrt(other.diagonal()), np.abs(table.matrix).max(axis=0))
        matrix = rescaled(other, matrix.diagonal())
    return _labelled(table, _without_rounding(matrix, table.matrix))


@final
@dataclass(frozen=True, eq=False)
class ShrunkCovariance:
    """A covariance (1 - intensity) × sample + intensity × target, and how much it was shrunk.

    Attributes
    ----------
    covariance
        Of one period, in squared fractions, shape (n_assets, n_assets): a DataFrame or an array, as the
        returns came. Exactly symmetric.
    intensity
        Between 0, the sample, and 1, the target.
    target
        In words.
    n_periods
        Returns that it was estimated from.
    """

    covariance: Any = field(repr=False)
    intensity: float
    target: str
    n_periods: int

    def __repr__(self) -> str:
        return (
            f"ShrunkCovariance of {len(self.covariance)} assets, {self.n_periods} periods: "
            f"{self.intensity:.1%} {self.target}, {1.0 - self.intensity:.1%} sample"
        )


def ledoit_wolf_covariance(returns: pd.DataFrame | FloatArray) -> ShrunkCovariance:
    """Shrink the sample covariance towards one correlation for all pairs, leaving the variances alone.

    The target for assets whose volatilities differ, as those of stocks and bonds do. Moments have the divisor
    n, as in the authors' code: times n / (n - 1) the variances are those of :func:`sample_covariance`.
    scikit-learn's LedoitWolf has the other target, :func:`ledoit_wolf_identity_covariance`.

    Parameters
    ----------
    returns
        DataFrame or array of shape (n_periods, n_assets).

    Raises
    ------
    InputError
        One series, fewer than two periods, or an asset that does not vary: it has no correlation.

    References
    ----------
    Ledoit and Wolf (2004), Honey, I shrunk the sample covariance matrix, Journal of Portfolio Management
    30(4), appendices A and B. With two assets the target is the sample, and the intensity is 0.
    """
    table = _read_table(returns)
    centred = table.matrix - table.matrix.mean(axis=0)
    sample = gram(centred) / table.n_periods
    deviation = np.sqrt(sample.diagonal())
    refuse_constant(table, deviation, np.abs(table.matrix).max(axis=0))
    average = _average_correlation(sample, deviation)
    target = average * (deviation[:, None] * deviation)
    np.fill_diagonal(target, sample.diagonal())
    error, shared = _errors_of(centred, sample, deviation, average)
    intensity = _intensity(error - shared, sample, target, table.n_periods)
    return _shrunk(table, sample, target, intensity, f"constant correlation of {average:.2f}")


def ledoit_wolf_identity_covariance(returns: pd.DataFrame | FloatArray) -> ShrunkCovariance:
    """Shrink the sample covariance towards equal variances and no correlation.

    The target for assets of like volatility; among stocks and bonds it makes the bonds too risky. Returns are
    centred and moments have the divisor n: scikit-learn's LedoitWolf, to rounding. An asset that does not
    vary is given a share of the average variance.

    Parameters
    ----------
    returns
        DataFrame or array of shape (n_periods, n_assets).

    Raises
    ------
    InputError
        One series, or fewer than two periods.

    References
    ----------
    Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, Journal
    of Multivariate Analysis 88, section 3.3.
    """
    table = _read_table(returns)
    centred = table.matrix - table.matrix.mean(axis=0)
    sample = gram(centred) / table.n_periods
    variance = float(sample.diagonal().mean())
    target = variance * np.eye(len(sample))
    squares = centred**2
    error = float((gram(squares) / table.n_periods - sample**2).sum())
    intensity = _intensity(error, sample, target, table.n_periods)
    return _shrunk(table, sample, target, intensity, "equal variances without correlation")


def read_half_lives(volatility: float, correlation: float | None) -> tuple[float, float]:
    """Validate two half-lives in periods; the second is the first where it is None."""
    both = {"volatility_half_life": volatility, "correlation_half_life": correlation}
    for argument, value in both.items():
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if value is not None and not (is_number and value >= 1.0):
            raise InputError(argument, f"{value!r} is not a number of periods, 1 or more")
    return float(volatility), float(volatility if correlation is None else correlation)


def refuse_constant(
    table: ReturnTable, deviation: FloatArray, largest: FloatArray, row: int | None = None
) -> None:
    """Refuse an asset whose deviation is rounding beside its largest return, both (n_assets,).

    ``row`` is the last one that was looked at.
    """
    flat = np.flatnonzero(is_rounding(deviation, largest[None, :]))
    if len(flat):
        raise InputError(
            table.argument,
            "does not vary by then, so that it has no correlation",
            asset=table.columns[flat[0]],
            date=table.date(table.n_periods - 1 if row is None else row),
            fix="leave the asset out",
        )


def rescaled(covariance: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the covariance with these variances (n_assets,) and the correlations it had."""
    scale = np.sqrt(variance / covariance.diagonal())
    matrix = np.asarray(covariance * (scale[:, None] * scale))
    np.fill_diagonal(matrix, variance)
    return matrix


def _read_table(returns: pd.DataFrame | FloatArray) -> ReturnTable:
    table = read_returns(returns)
    if table.is_single:
        raise InputError("returns", "one series has no covariance matrix", fix="pass a table of assets")
    if table.n_periods < 2:
        raise InsufficientHistoryError("returns", "1 period, at least 2 are needed", rows_needed=2)
    return table


def _labelled(table: ReturnTable, matrix: FloatArray) -> Labelled:
    return matrix if table.is_array else pd.DataFrame(matrix, index=table.columns, columns=table.columns)


def _weighted(values: FloatArray, half_life: float) -> FloatArray:
    weight = np.exp2(np.arange(1 - len(values), 1) / half_life)
    weight /= weight.sum()
    centred = values - product(weight, values)
    centred *= np.sqrt(weight)[:, None]
    return np.asarray(gram(centred) / (1.0 - inner(weight, weight)))


def _average_correlation(sample: FloatArray, deviation: FloatArray) -> float:
    n_assets = len(sample)
    if n_assets == 1:
        return 0.0
    correlation = sample / (deviation[:, None] * deviation)
    return float((correlation.sum() - correlation.trace()) / (n_assets * (n_assets - 1)))


def _errors_of(
    centred: FloatArray, sample: FloatArray, deviation: FloatArray, average: float
) -> tuple[float, float]:
    """Return π and ρ off the diagonal: variances of the sample's entries, covariances with the target's."""
    n_periods, squares = len(centred), centred**2
    variance_of = gram(squares) / n_periods - sample**2
    # ϑ_ii,ij; that of ϑ_jj,ij in the sum over all i and j is the same, seen from the other side.
    with_variance = product((squares * centred).T, centred) / n_periods - sample.diagonal()[:, None] * sample
    weighted = with_variance * (deviation / deviation[:, None])
    for matrix in (variance_of, weighted):  # the diagonals are in both: those of a wild asset drown the rest
        np.fill_diagonal(matrix, 0.0)
    return float(variance_of.sum()), float(average * weighted.sum())


def _intensity(error: float, sample: FloatArray, target: FloatArray, n_periods: int) -> float:
    """Return error / (n × squared distance of target and sample), within 0 and 1."""
    distance = float(((target - sample) ** 2).sum())
    if distance <= 1e-24 * float((sample**2).sum()):  # rounding: the target is the sample
        return 0.0
    return min(max(error / distance / n_periods, 0.0), 1.0)


def _shrunk(
    table: ReturnTable, sample: FloatArray, target: FloatArray, intensity: float, text: str
) -> ShrunkCovariance:
    matrix = intensity * target + (1.0 - intensity) * sample
    return ShrunkCovariance(_labelled(table, matrix), intensity, text, table.n_periods)
