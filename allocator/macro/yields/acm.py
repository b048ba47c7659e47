"""The affine term structure model of Adrian, Crump and Moench (2013), by three regressions.

Of log yields y at n months, X the scaled principal components of yields, one month a row:

1. X_{t+1} = Φ X_t + v_{t+1}, without a constant, as X has mean 0; Σ is the covariance of v.
2. Excess returns on a constant, X_t and v_{t+1}: coefficients a, c, β.
3. Prices of risk: λ1 of c on β, λ0 of a + (β'Σβ + s²)/2 on β, where s² is the variance left in step 2.

Log prices are A_n + B_n'X, by the recursions of their eqs. 25 and 26; with λ = 0 they are those of someone
who asks for no premium, whose yields are the risk-neutral ones. The term premium is the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, InsufficientHistoryError
from allocator.frequency import infer_frequency
from allocator.macro.yields import show
from allocator.macro.yields.curves import read_curve
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import is_whole

__all__ = [
    "ACMFit",
    "ACMModel",
    "Panel",
    "curve_loadings",
    "estimate_rows",
    "fit_acm",
    "read_model",
    "read_panel",
]

FEWEST_MONTHS = 60
# A component whose share of the variance is less than this is the rounding of the yields.
_LEAST_SHARE = 1e-9


@final
@dataclass(frozen=True)
class ACMModel:
    """Which yields the model looks at.

    Attributes
    ----------
    n_factors
        Principal components.
    factor_months
        Maturities whose yields make them, in months; the authors leave out 1 and 2.
    return_months
        Maturities whose excess returns are priced; each needs the yield one month shorter, too.
    """

    n_factors: int = 5
    factor_months: Sequence[int] = tuple(range(3, 121))
    return_months: Sequence[int] = (6, *range(12, 121, 12))

    def __post_init__(self) -> None:
        _refuse_no_months("factor_months", self.factor_months)
        _refuse_no_months("return_months", self.return_months)
        if not is_whole(self.n_factors) or not 1 <= self.n_factors <= len(self.factor_months):
            problem = f"{self.n_factors!r} of {len(self.factor_months)} yields"
            raise InputError("n_factors", problem, fix="the authors take 5")
        if len(self.return_months) < self.n_factors:
            problem = f"{len(self.return_months)} maturities price {self.n_factors} factors"
            raise InputError("return_months", problem, fix="as many as factors, or more")
        if min(self.return_months) < 2:
            raise InputError("return_months", "a bill of one month has no excess return")

    @property
    def months(self) -> list[int]:
        """All maturities that the model reads."""
        sold = [month - 1 for month in self.return_months]
        return sorted({1, *self.factor_months, *self.return_months, *sold})

    def __str__(self) -> str:
        return (
            f"Adrian, Crump and Moench (2013): {self.n_factors} principal components of yields of "
            f"{min(self.factor_months)} to {max(self.factor_months)} months, monthly VAR(1), returns of "
            f"{len(self.return_months)} maturities"
        )


def _refuse_no_months(argument: str, months: Any) -> None:
    """Refuse maturities that are no list of different whole months."""
    is_list = isinstance(months, Sequence | np.ndarray | pd.Index) and not isinstance(months, str)
    if not is_list or not len(months) or not all(is_whole(month) and month > 0 for month in months):
        problem = f"{months!r}: expected whole months"
        raise InputError(argument, problem, fix="pass range(3, 121), say")
    if len(set(months)) < len(months):
        raise InputError(argument, "a maturity is there twice", fix="leave it out")


def read_model(model: ACMModel | None) -> ACMModel:
    """Return the model that was passed, or the authors'."""
    if model is None:
        return ACMModel()
    if not isinstance(model, ACMModel):
        raise InputError("model", f"{model!r} is no model", fix="pass al.ACMModel(n_factors=3), say")
    return model


@final
@dataclass(frozen=True, eq=False, repr=False)
class ACMFit:
    """An estimate of the model; prints itself.

    Attributes
    ----------
    model
        What was looked at.
    centre, weights
        Yields less the centre, times the weights, are the factors: shapes (n_yields,), (n_yields, n_factors).
    transition, covariance
        Φ and Σ a month, (n_factors, n_factors).
    short_level, short_slope
        Short rate a month: level + slope'X.
    price_level, price_slope
        λ0, shape (n_factors,), and λ1.
    pricing_variance
        s², of monthly excess returns.
    n
        Months it was estimated on.
    first, last
        Dates of them.
    """

    model: ACMModel
    centre: FloatArray
    weights: FloatArray
    transition: FloatArray
    covariance: FloatArray
    short_level: float
    short_slope: FloatArray
    price_level: FloatArray
    price_slope: FloatArray
    pricing_variance: float
    n: int
    first: pd.Timestamp
    last: pd.Timestamp

    __repr__ = show.fit_text
    _repr_html_ = show.fit_html

    @property
    def persistence(self) -> float:
        """Largest modulus of the eigenvalues of Φ: at 1 or above expectations explode."""
        return float(np.abs(np.linalg.eigvals(self.transition)).max())

    def factors(self, factor_yields: FloatArray) -> FloatArray:
        """Return the factors of yields of the model's factor maturities, shape (n_rows, n_factors)."""
        return np.asarray((factor_yields - self.centre) @ self.weights)


@dataclass(frozen=True)
class Panel:
    """What the regressions read.

    Attributes
    ----------
    dates
        Months.
    factor_yields
        Fractions a year, shape (n_rows, n_factor_yields).
    short
        Short rate a month, shape (n_rows,).
    excess
        Log returns over the short rate, of the month from each row to the next, (n_rows - 1, n_returns).
    """

    dates: pd.DatetimeIndex
    factor_yields: FloatArray
    short: FloatArray
    excess: FloatArray


def fit_acm(zeros: pd.DataFrame, model: ACMModel | None = None) -> ACMFit:
    """Return the estimate on all months of a zero curve.

    Parameters
    ----------
    zeros
        Continuously compounded zero yields as fractions, a row a month; columns: maturities in whole months,
        all that the model reads: :func:`zero_curve` makes them from par yields.
    model
        By default the authors'.

    Raises
    ------
    InputError
        A maturity that is missing, percent (F162), NaN, rows that are not monthly, factors that are rounding.
    InsufficientHistoryError
        Fewer than 60 months.
    """
    chosen = read_model(model)
    panel = read_panel(zeros, chosen)
    return estimate_rows(panel, len(panel.dates), chosen)


def read_panel(zeros: pd.DataFrame, model: ACMModel) -> Panel:
    """Return what the regressions read of a monthly zero curve, refusing what is none."""
    dates, values = read_zeros(zeros, model.months)
    frequency = infer_frequency(dates, "zeros").name
    if frequency != "monthly":
        fix = "estimate on the last row of each month, and apply_acm to the rest"
        raise InputError("zeros.index", f"{frequency} rows; the model is monthly", fix=fix)
    return panel_of(dates, values, model)


def panel_of(dates: pd.DatetimeIndex, values: FloatArray, model: ACMModel) -> Panel:
    """Return what the regressions read of yields of ``model.months``, shape (n_rows, n_months)."""
    place = {month: j for j, month in enumerate(model.months)}
    logs = values * np.array(model.months) / -12.0
    bought = [place[month] for month in model.return_months]
    sold = [place[month - 1] for month in model.return_months]
    short = values[:, 0] / 12.0
    excess = logs[1:, sold] - logs[:-1, bought] - short[:-1, np.newaxis]
    factor_yields = np.ascontiguousarray(values[:, [place[month] for month in model.factor_months]])
    return Panel(dates, factor_yields, short, excess)


def read_zeros(zeros: pd.DataFrame, needed: Sequence[int]) -> tuple[pd.DatetimeIndex, FloatArray]:
    """Return dates, and yields of the needed months, shape (n_rows, n_needed)."""
    dates, months, values = read_curve(zeros, "zeros")
    missing = sorted(set(needed) - set(months.tolist()))
    if missing:
        problem = f"no yield of {missing[0]} months ({len(missing)} of {len(needed)} maturities are missing)"
        raise InputError("zeros", problem, fix="zero_curve(par), or a model of fewer maturities")
    return dates, np.ascontiguousarray(values[:, np.searchsorted(months, needed)])


def estimate_rows(panel: Panel, rows: int, model: ACMModel) -> ACMFit:
    """Return the estimate on the first ``rows`` months; nothing after them is read."""
    if rows < FEWEST_MONTHS:
        problem = f"{rows} months, at least {FEWEST_MONTHS} are needed"
        raise InsufficientHistoryError("zeros", problem, rows_needed=FEWEST_MONTHS)
    yields, short, excess = panel.factor_yields[:rows], panel.short[:rows], panel.excess[: rows - 1]
    centre, weights = _components(yields, model.n_factors)
    factors = (yields - centre) @ weights
    before, ones = factors[:-1], np.ones((rows, 1))
    transition = _regressed(before, factors[1:]).T
    news = factors[1:] - before @ transition.T
    covariance = news.T @ news / (rows - 1)
    level, slope, variance = _prices(excess, before, news, covariance)
    rate = _regressed(np.hstack([ones, factors]), short)
    return ACMFit(
        model,
        centre,
        weights,
        transition,
        covariance,
        float(rate[0]),
        rate[1:],
        level,
        slope,
        variance,
        rows,
        panel.dates[0],
        panel.dates[rows - 1],
    )


def _components(yields: FloatArray, n_factors: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean yields and the weights of the components scaled to unit deviation (ddof 1)."""
    centre = yields.mean(axis=0)
    centred = yields - centre
    sizes, vectors = np.linalg.eigh(centred.T @ centred / (len(yields) - 1))
    chosen, deviations = vectors[:, : -n_factors - 1 : -1], sizes[: -n_factors - 1 : -1]
    if deviations[-1] <= _LEAST_SHARE * sizes[-1]:
        known = int((deviations > _LEAST_SHARE * sizes[-1]).sum())
        if sizes[-1] <= (_LEAST_SHARE * np.abs(centre).max()) ** 2:
            raise InputError("zeros", "the yields never move", fix="pass a curve that does")
        problem = f"{n_factors} factors of yields that move along {known}: the rest is rounding"
        raise InputError("n_factors", problem, fix=f"ACMModel(n_factors={max(known, 1)})")
    # The sign of a component is arbitrary; with positive sums each month's factors look alike.
    signs = np.where(chosen.sum(axis=0) < 0.0, -1.0, 1.0)
    return centre, chosen * (signs / np.sqrt(deviations))


def _regressed(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0])


def _prices(
    excess: FloatArray, before: FloatArray, news: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    """Return λ0, λ1 and s²: steps 2 and 3."""
    k = before.shape[1]
    design = np.hstack([np.ones((len(excess), 1)), before, news])
    coefficients = _regressed(design, excess)
    variance = float(np.mean((excess - design @ coefficients) ** 2))
    constant, slopes, betas = coefficients[0], coefficients[1 : k + 1].T, coefficients[k + 1 :].T
    convexity = np.sum(betas @ covariance * betas, axis=1) + variance
    return _regressed(betas, constant + convexity / 2.0), _regressed(betas, slopes), variance


def curve_loadings(
    fit: ACMFit, months: Sequence[int], *, risk_neutral: bool
) -> tuple[FloatArray, FloatArray]:
    """Return a, b of yields a + X b at some maturities, fractions a year: shapes (m,), (n_factors, m)."""
    asked = 0.0 if risk_neutral else 1.0
    drift, pull = -asked * fit.price_level, fit.transition - asked * fit.price_slope
    longest, wanted = max(months), np.asarray(months) - 1
    levels, slopes = np.empty(longest), np.empty((longest, len(drift)))
    level, noise, slope = 0.0, 0.0, np.zeros(len(drift))
    for n in range(longest):
        convexity = (slope @ fit.covariance @ slope + noise) / 2.0
        level += float(slope @ drift + convexity) - fit.short_level
        slope = slope @ pull - fit.short_slope
        levels[n], slopes[n] = level, slope
        noise = fit.pricing_variance  # a bill of one month is the short rate: nothing is left to price
    scale = -12.0 / np.asarray(months, dtype=np.float64)
    return levels[wanted] * scale, slopes[wanted].T * scale
