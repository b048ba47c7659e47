"""How a covariance is estimated from the returns of a window: one class an estimator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import Frequency
from allocator.statistics import (
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
)
from allocator.statistics.covariance import covariance_of_rows
from strategies._amounts import check_between

__all__ = [
    "CovarianceEstimator",
    "ExponentialCovariance",
    "LedoitWolfCovariance",
    "LedoitWolfIdentityCovariance",
    "SampleCovariance",
]

Array = NDArray[np.float64]
_MOST_YEARS = 30.0  # a longer half-life is one in days


class CovarianceEstimator(ABC):
    """What a strategy of risk asks for the covariance of the returns of its window."""

    @abstractmethod
    def estimate(self, returns: Array, frequency: Frequency) -> Array:
        """Return the covariance of one period, (n_assets, n_assets), of returns (n_periods, n_assets)."""


@final
@dataclass(frozen=True)
class SampleCovariance(CovarianceEstimator):
    """The sample covariance (ddof 1): every period of the window counts alike."""

    def estimate(self, returns: Array, frequency: Frequency) -> Array:  # noqa: ARG002
        """Return the sample covariance; returns of a market were validated with its prices."""
        return covariance_of_rows(returns)


@final
@dataclass(frozen=True)
class ExponentialCovariance(CovarianceEstimator):
    """The exponentially weighted covariance: recent periods count more, for volatilities more so.

    Volatility changes faster than correlation does, so that the two have half-lives of their own: one year
    and two by default, a choice and not a finding. What is older than the window counts nothing.
    See :func:`allocator.exponential_covariance`.

    Parameters
    ----------
    volatility_half_life_years, correlation_half_life_years
        Time after which a return weighs half, the same at any frequency; at least one period.
    """

    volatility_half_life_years: float = 1.0
    correlation_half_life_years: float = 2.0

    def __post_init__(self) -> None:
        for argument in ("volatility_half_life_years", "correlation_half_life_years"):
            years = getattr(self, argument)
            check_between(argument, years, 0.0, _MOST_YEARS, "right", "in years: 63 days are 0.25 years")

    def estimate(self, returns: Array, frequency: Frequency) -> Array:
        """Return the exponentially weighted covariance, refusing half-lives below one period."""
        periods = frequency.periods_per_year
        shortest = min(self.volatility_half_life_years, self.correlation_half_life_years)
        if shortest * periods < 1.0:
            raise InputError(
                "covariance",
                f"a half-life of {shortest:g} years is shorter than a period of {frequency} data",
                fix=f"ask for {1.0 / periods:.3g} years or more",
            )
        volatility, correlation = self.volatility_half_life_years, self.correlation_half_life_years
        return np.asarray(exponential_covariance(returns, volatility * periods, correlation * periods))


@final
@dataclass(frozen=True)
class LedoitWolfCovariance(CovarianceEstimator):
    """The sample covariance, shrunk towards one correlation for all pairs.

    Variances stay those of the sample (divisor n), which suits assets of different volatility. See
    :func:`allocator.ledoit_wolf_covariance`.
    """

    def estimate(self, returns: Array, frequency: Frequency) -> Array:  # noqa: ARG002
        """Return the shrunk covariance."""
        return np.asarray(ledoit_wolf_covariance(returns).covariance)


@final
@dataclass(frozen=True)
class LedoitWolfIdentityCovariance(CovarianceEstimator):
    """The sample covariance, shrunk towards equal variances and no correlation, as scikit-learn does it.

    For assets of like volatility; among stocks and bonds it makes the bonds too risky. See
    :func:`allocator.ledoit_wolf_identity_covariance`.
    """

    def estimate(self, returns: Array, frequency: Frequency) -> Array:  # noqa: ARG002
        """Return the shrunk covariance."""
        return np.asarray(ledoit_wolf_identity_covariance(returns).covariance)
