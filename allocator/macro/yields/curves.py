"""Zero curves from par curves, the loadings of Diebold and Li, and expectations of an AR(1) short rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.yields._door import PERCENT_FROM, refuse_percent, refuse_unknown
from allocator.market.prices import float_column, validate_index
from allocator.regimes._settings import number_between, whole_between
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import is_number

_LONGEST_MONTHS, _MOST_PERIODS, _LEAST_DECAY = 1_200, 100_000, 1e-6

__all__ = ["ar1_average_rate", "diebold_li_loadings", "read_curve", "zero_curve"]


def zero_curve(par: pd.DataFrame) -> pd.DataFrame:
    """Return monthly zero yields by bootstrapping par yields.

    Par yields are interpolated between the maturities given (monotone cubic) at each half-year, discount
    factors d solve 1 = c/2 (d_1 + … + d_k) + d_k at par yield c one after the other, and zero yields between
    half-years are interpolated the same way. Up to half a year a yield is simple interest, as the
    constant-maturity yields of the US Treasury are.

    Parameters
    ----------
    par
        Par yields as fractions, compounded twice a year; a column a maturity, named by its whole number of
        months, the shortest at most 3: ``(fred / 100).rename(columns={"DGS1MO": 1, "DGS10": 120})``.

    Returns
    -------
    pd.DataFrame
        Zero yields, continuously compounded fractions a year; columns: months 1 to the longest given. Below
        the shortest maturity its yield is used.

    Raises
    ------
    InputError
        Percent (F162), NaN, columns that are no increasing months, no curve, or one that no discount factors
        fit.

    Notes
    -----
    Fama and Bliss (1987) bootstrap, Hagan and West (2006) on interpolation: what lies between the maturities
    given is a choice, which one-month returns of an estimator see. A smoothed zero curve, such as that of
    Gürkaynak, Sack and Wright (2007), is the better input where there is one.
    """
    dates, months, values = read_curve(par, "par")
    if len(months) < 3 or months[0] > 3 or months[-1] < 12:
        problem = f"maturities {months.tolist()} in months"
        raise InputError("par", problem, fix="three or more, the first at most 3, the last at least 12")
    longest = int(months[-1])
    given = np.concatenate([[0], months]) if months[0] > 0 else months
    curve = _monotone(given, np.column_stack([values[:, :1], values]))
    short = np.unique(np.append(months[months < 6], 6))
    halves = np.arange(6, longest + 6, 6)  # the last may lie beyond the longest, where the curve ends flat
    discounts = _discount_factors(curve(np.minimum(halves, longest)), dates)
    knots = np.concatenate([[0], short[:-1], halves])
    rates = np.column_stack([_simple(curve(short[:-1]), short[:-1]), -np.log(discounts) / (halves / 12.0)])
    zeros = _monotone(knots, np.column_stack([rates[:, :1], rates]))
    grid = np.arange(1, longest + 1)
    return pd.DataFrame(zeros(grid), index=dates, columns=grid)


def _monotone(knots: Any, values: FloatArray) -> Callable[[Any], FloatArray]:
    """Return the monotone cubic through values at knots, (n_rows, n_knots). Fritsch and Butland (1984)."""
    from scipy.interpolate import PchipInterpolator  # not at the top: costs more than pandas

    with np.errstate(over="ignore"):  # one over a slope of 1e-310 is infinite, and the slope is taken as 0
        found: Callable[[Any], FloatArray] = PchipInterpolator(knots, values, axis=1)
    return found


def _simple(rates: FloatArray, months: Any) -> FloatArray:
    """Return the continuous yields of simple interest over some months."""
    years = months / 12.0
    return np.asarray(np.log1p(rates * years) / years)


def _discount_factors(par: FloatArray, dates: pd.DatetimeIndex) -> FloatArray:
    """Return the value of 1 at each half-year, shape (n_rows, n_halves), from par yields there."""
    factors, annuity = np.empty_like(par), np.zeros(len(par))
    for half in range(par.shape[1]):
        coupon = par[:, half] / 2.0
        factors[:, half] = (1.0 - coupon * annuity) / (1.0 + coupon)
        annuity += factors[:, half]
    bad = np.flatnonzero((factors <= 0.0).any(axis=1))
    if len(bad):
        problem = "no positive discount factors fit this curve"
        raise InputError("par", problem, date=dates[bad[0]], fix="correct the curve of this date")
    return factors


def read_curve(curve: Any, argument: str) -> tuple[pd.DatetimeIndex, Any, FloatArray]:
    """Return dates, months of the columns, and yields, shape (n_rows, n_maturities)."""
    if not isinstance(curve, pd.DataFrame):
        problem = f"expected a DataFrame with a column a maturity, got {type(curve).__name__}"
        raise InputError(argument, problem)
    dates = validate_index(curve.index, argument)
    months = _months(curve.columns, argument)
    if not len(dates):
        raise InputError(argument, "no rows")
    columns = [float_column(curve.iloc[:, j], argument, dates, str(m)) for j, m in enumerate(months)]
    for month, column in zip(months, columns, strict=True):
        refuse_unknown(column, dates, argument, int(month))
    values = np.column_stack(columns)
    refuse_percent(values, dates, argument, None)
    return dates, months, values


def _months(columns: pd.Index, argument: str) -> Any:
    whole = [isinstance(c, int | np.integer) and not isinstance(c, bool) for c in columns]
    if not len(columns) or not all(whole) or (np.diff(columns.to_numpy(dtype=np.int64)) <= 0).any():
        problem = f"columns {list(columns[:3])}: expected increasing whole months"
        raise InputError(f"{argument}.columns", problem, fix="rename them: 1, 3, 12, 24, 120")
    months = columns.to_numpy(dtype=np.int64)
    if months[0] < 1:
        raise InputError(f"{argument}.columns", f"a maturity of {months[0]} months")
    return months


def diebold_li_loadings(months: FloatArray, decay: float = 0.0609) -> pd.DataFrame:
    """Return the loadings of zero yields on level, slope and curvature, shape (n_maturities, 3).

    1, (1 - e^-λτ)/λτ, and that less e^-λτ, with λ = ``decay`` a month. Diebold and Li (2006), Journal of
    Econometrics 130, eq. 2; their λ of 0.0609 puts the peak of the curvature near 30 months.

    Raises
    ------
    InputError
        Maturities or a decay that are not positive.
    """
    given = np.atleast_1d(np.asarray(months))
    numbers = given.dtype.kind in "fiu" and given.ndim == 1 and len(given) > 0
    if not numbers or not ((given > 0.0) & (given <= _LONGEST_MONTHS)).all():
        raise InputError("months", f"{months!r}: expected positive maturities in months", fix="[3, 12, 120]")
    tau = given.astype(np.float64)
    if not is_number(decay) or not _LEAST_DECAY <= decay <= 1.0 / _LEAST_DECAY:
        raise InputError("decay", f"{decay!r} is not positive, or next to nothing", fix="0.0609 a month")
    decayed = decay * tau
    slope = -np.expm1(-decayed) / decayed
    columns = {"level": np.ones(len(tau)), "slope": slope, "curvature": slope - np.exp(-decayed)}
    return pd.DataFrame(columns, index=pd.Index(tau, name="months"))


def ar1_average_rate(rate: float, mean: float, persistence: float, periods: int) -> float:
    """Return the expected average of an AR(1) short rate over ``periods``, the present one included.

    mean + (rate - mean)(1 - φⁿ)/(n(1 - φ)): the simplest expectations part of a yield. A yield less it is a
    term premium that knows nothing of convexity nor of how uncertain φ is.

    Raises
    ------
    InputError
        A persistence not above -1 or above 1, no periods, or rates in percent (F162).
    """
    for argument, value in (("rate", rate), ("mean", mean)):
        if not is_number(value) or not np.isfinite(value):
            raise InputError(argument, f"{value!r} is not a finite number", fix="pass a fraction")
        if abs(value) >= PERCENT_FROM:
            raise InputError(argument, f"{value!r} looks like percent", fix="divide by 100")
    number_between("persistence", persistence, -1.0, 1.0, "0.97, say")
    whole_between("periods", periods, 1, _MOST_PERIODS, "pass 120, say")
    weights = persistence ** np.arange(periods, dtype=np.float64)
    return float(mean + (rate - mean) * weights.mean())
