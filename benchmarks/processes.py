"""What returns could be like: six processes whose truth is known, to try tests and intervals on.

All columns of a sample have one Sharpe ratio, so that every difference is 0, and nothing changes with time,
so that there is no break. A seventh process is a matter of one function that returns :class:`Truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import allocator as al

__all__ = ["CORRELATIONS", "PROCESSES", "Sample", "data_of", "sample"]

Array = NDArray[np.float64]
N_SERIES = 3
CORRELATIONS = (-0.4, 0.0, 0.6)  # of the first two series; the draws take turns
WITH_THIRD = 0.3
DEVIATION = 0.02  # of one period
PERIODS_PER_YEAR = 12
SHARPE = 0.5  # a year, of every series; about what stocks and bonds had
WARM_UP = 100
AUTOREGRESSION = 0.3 * np.eye(N_SERIES)
FEEDBACK = np.array([[0.2, 0.2, 0.0], [0.1, 0.2, 0.0], [0.0, 0.0, 0.2]])  # of a pair, and one beside it
GARCH = (0.05, 0.10, 0.85)  # constant, of the last square, of the last variance: 1 in the long run


@dataclass(frozen=True)
class Sample:
    """Returns over cash, and what is true of the process that they came from.

    Attributes
    ----------
    returns
        Shape (n_periods, 3).
    fresh
        Another history of the same process, of as many periods.
    sharpe
        Of every series, per √year.
    correlation
        Of the first two series.
    autocorrelations
        Of the first series, lags 1 to 11.
    seed
        For what a method draws.
    """

    returns: Array
    fresh: Array
    sharpe: float
    correlation: float
    autocorrelations: Array
    seed: int


@dataclass(frozen=True)
class _Draws:
    """Standardised series of a process, shape (n_periods, 3), and its moments beyond the first."""

    series: Array
    correlation: float
    autocorrelations: Array


def sample(process: str, data: Array, n: int, seed: int, draw: int, sharpe: float = SHARPE) -> Sample:
    """Return one sample, the same for the same arguments whatever was drawn before it.

    ``data`` are the returns that the process called "data" resamples, shape (n_rows, 3).
    """
    rng = np.random.default_rng([seed, n, draw, *process.encode()])
    root = _root(CORRELATIONS[draw % len(CORRELATIONS)])
    make = PROCESSES[process]
    first, other = make(rng, n, root, data), make(rng, n, root, data)
    mean = sharpe / np.sqrt(PERIODS_PER_YEAR)
    return Sample(
        DEVIATION * (first.series + mean),
        DEVIATION * (other.series + mean),
        sharpe,
        first.correlation,
        first.autocorrelations,
        draw,
    )


def data_of(file: Path | None = None, columns: Sequence[str] | None = None) -> Array:
    """Return the returns to resample, shape (n_rows, 3): of the embedded history, or of a file of prices.

    Stocks, bonds and gold over cash since 1928; of a file the three columns, by default the first ones, on
    the dates that all three have.
    """
    if file is None:
        market = al.load_us_history()
        over_cash = market.returns[["stocks", "bonds", "gold"]].sub(market.cash_returns, axis=0).dropna()
        return np.asarray(over_cash.to_numpy())
    prices = al.read_prices(file, columns)
    if prices.shape[1] < N_SERIES:
        problem = f"{file}: {prices.shape[1]} columns of prices, {N_SERIES} are needed"
        raise al.InputError("data", problem)
    prices = prices.iloc[:, :N_SERIES].dropna()
    if len(prices) < 2 * PERIODS_PER_YEAR or not (prices.to_numpy() > 0.0).all():
        raise al.InputError("data", f"{file}: {len(prices)} common dates, or prices that are not positive")
    return np.asarray(prices.pct_change().iloc[1:].to_numpy())


def _root(correlation: float) -> Array:
    matrix = np.full((N_SERIES, N_SERIES), WITH_THIRD)
    matrix[0, 1] = matrix[1, 0] = correlation
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(np.linalg.cholesky(matrix))


def _independent(series: Array, root: Array) -> _Draws:
    return _Draws(series, float((root @ root.T)[0, 1]), np.zeros(PERIODS_PER_YEAR - 1))


def _normal(rng: np.random.Generator, n: int, root: Array, data: Array) -> _Draws:  # noqa: ARG001
    return _independent(rng.standard_normal((n, N_SERIES)) @ root.T, root)


def _student(rng: np.random.Generator, n: int, root: Array, data: Array) -> _Draws:  # noqa: ARG001
    """Return a multivariate Student t with 5 degrees: one divisor a row."""
    scale = np.sqrt(3.0 / rng.chisquare(5, (n, 1)))
    return _independent(scale * (rng.standard_normal((n, N_SERIES)) @ root.T), root)


def _garch(rng: np.random.Generator, n: int, root: Array, data: Array) -> _Draws:  # noqa: ARG001
    """Return normal series scaled by one GARCH(1,1) volatility, which their mean square drives."""
    shocks = rng.standard_normal((n + WARM_UP, N_SERIES)) @ root.T
    squares, (constant, reaction, memory) = np.mean(shocks**2, axis=1), GARCH
    variances = np.ones(len(shocks))
    for t in range(1, len(shocks)):
        variances[t] = constant + (reaction * squares[t - 1] + memory) * variances[t - 1]
    return _independent((np.sqrt(variances)[:, np.newaxis] * shocks)[WARM_UP:], root)


def _linear(coefficients: Array) -> Callable[[np.random.Generator, int, Array, Array], _Draws]:
    def make(rng: np.random.Generator, n: int, root: Array, data: Array) -> _Draws:  # noqa: ARG001
        series = rng.standard_normal((n + WARM_UP, N_SERIES)) @ root.T
        for t in range(1, len(series)):
            series[t] += coefficients @ series[t - 1]
        covariance = _stationary(coefficients, root @ root.T)
        deviations = np.sqrt(np.diagonal(covariance))
        later = [np.linalg.matrix_power(coefficients, lag) @ covariance for lag in range(1, PERIODS_PER_YEAR)]
        rho = float(covariance[0, 1] / (deviations[0] * deviations[1]))
        return _Draws(
            series[WARM_UP:] / deviations, rho, np.array([c[0, 0] for c in later]) / covariance[0, 0]
        )

    return make


def _stationary(coefficients: Array, shocks: Array) -> Array:
    """Return the S of S = A S A' + shocks."""
    k = len(shocks)
    solved = np.linalg.solve(np.eye(k * k) - np.kron(coefficients, coefficients), shocks.ravel())
    return np.asarray(solved.reshape(k, k))


def _resampled(rng: np.random.Generator, n: int, root: Array, data: Array) -> _Draws:  # noqa: ARG001
    """Return a stationary bootstrap of data, whose moments are its truth.

    Blocks of ∛rows on average, the rate of the best ones; much longer ones would fill a short sample with
    one or two, and no method could see what they differ in.
    """
    z = (data - data.mean(axis=0)) / data.std(axis=0)
    rows, ends = len(z), len(z) ** (-1.0 / 3.0)
    begins = rng.random(n) < ends
    begins[0] = True
    block = np.cumsum(begins) - 1
    starts = rng.integers(0, rows, size=block[-1] + 1)
    within = np.arange(n) - np.flatnonzero(begins)[block]
    lags = np.arange(1, PERIODS_PER_YEAR)
    own = np.array([np.mean(z[:, 0] * np.roll(z[:, 0], lag)) for lag in lags])
    return _Draws(
        z[(starts[block] + within) % rows], float(np.mean(z[:, 0] * z[:, 1])), own * (1.0 - ends) ** lags
    )


PROCESSES: dict[str, Callable[[np.random.Generator, int, Array, Array], _Draws]] = {
    "normal": _normal,
    "t5": _student,
    "AR(1)": _linear(AUTOREGRESSION),
    "GARCH": _garch,
    "VAR": _linear(FEEDBACK),
    "data": _resampled,
}
