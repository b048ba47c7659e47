"""Why stocks and bonds move together or apart: what growth and what inflation do to both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.errors import InputError
from allocator.statistics import show_correlation as show

__all__ = ["TwoFactorCorrelation", "two_factor_correlation"]


@final
@dataclass(frozen=True, repr=False)
class TwoFactorCorrelation:
    """The covariance of stocks and bonds in three parts, and its sign; prints itself.

    Attributes
    ----------
    growth, inflation, interaction
        Parts of the covariance: by shocks to growth, to inflation, and by both coming together.
    stock_volatility, bond_volatility
        Deviations that the two factors and the residuals give.
    residual
        Covariance of what is left, 0 where nothing was said of it.
    """

    growth: float
    inflation: float
    interaction: float
    stock_volatility: float
    bond_volatility: float
    residual: float = 0.0

    @property
    def covariance(self) -> float:
        """The sum of the parts."""
        return self.growth + self.inflation + self.interaction + self.residual

    @property
    def correlation(self) -> float:
        """The covariance over both deviations; NaN where one is 0."""
        scale = self.stock_volatility * self.bond_volatility
        return self.covariance / scale if scale > 0.0 else float("nan")

    __repr__ = show.two_factor_text
    _repr_html_ = show.two_factor_html


def two_factor_correlation(
    stock_loadings: tuple[float, float],
    bond_loadings: tuple[float, float],
    growth_volatility: float,
    inflation_volatility: float,
    factor_correlation: float,
    *,
    residual_volatilities: tuple[float, float] = (0.0, 0.0),
    residual_correlation: float = 0.0,
) -> TwoFactorCorrelation:
    """Return the correlation that two factors give to stocks and bonds, and what each contributes.

    With loadings of stocks (+, -) and of bonds (-, -) on (growth, inflation) the growth part is negative and
    the inflation part positive: the sign is that of the larger shocks, not of the level of inflation. Brixton
    and others (2023), Journal of Portfolio Management 49(4).

    Parameters
    ----------
    stock_loadings, bond_loadings
        Return per unit of (growth, inflation).
    growth_volatility, inflation_volatility
        Deviations of the shocks, in these units.
    factor_correlation
        Of the two shocks.
    residual_volatilities, residual_correlation
        Of what the factors leave of (stocks, bonds).

    Raises
    ------
    InputError
        A deviation that is negative or no number, a correlation beyond ±1, a loading that is no number.
    """
    sizes = (growth_volatility, inflation_volatility, *residual_volatilities)
    _refuse_numbers([*stock_loadings, *bond_loadings], sizes, (factor_correlation, residual_correlation))
    scale = np.array([growth_volatility, inflation_volatility])
    stock, bond = np.asarray(stock_loadings) * scale, np.asarray(bond_loadings) * scale
    factors = np.array([[1.0, factor_correlation], [factor_correlation, 1.0]])
    left = np.asarray(residual_volatilities)
    return TwoFactorCorrelation(
        float(stock[0] * bond[0]),
        float(stock[1] * bond[1]),
        float(factor_correlation * (stock[0] * bond[1] + stock[1] * bond[0])),
        float(np.sqrt(stock @ factors @ stock + left[0] ** 2)),
        float(np.sqrt(bond @ factors @ bond + left[1] ** 2)),
        float(residual_correlation * left[0] * left[1]),
    )


def _refuse_numbers(
    loadings: list[float], sizes: tuple[float, ...], correlations: tuple[float, float]
) -> None:
    if not np.isfinite(loadings).all():
        raise InputError("loadings", f"{loadings} are not all numbers")
    names = ("growth_volatility", "inflation_volatility", "residual_volatilities", "residual_volatilities")
    for name, size in zip(names, sizes, strict=True):
        if not 0.0 <= size < np.inf:
            raise InputError(name, f"{size!r} is no deviation")
    for name, value in zip(("factor_correlation", "residual_correlation"), correlations, strict=True):
        if not -1.0 <= value <= 1.0:
            raise InputError(name, f"{value!r} is no correlation")
