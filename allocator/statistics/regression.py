"""Least squares, errors that allow for what residuals do in markets, and tests of the coefficients.

How the coefficients are computed and how far they are trusted are two parts: ``least_squares(y, x,
HC3Errors())`` and ``least_squares(y, x, NeweyWestErrors(4))`` have the same coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias, final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.statistics import show_regression as show
from allocator.statistics._one_thread import inner, product
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._regression import Numbers, refuse_other_rows
from allocator.statistics._returns import FloatArray, read_numbers
from allocator.statistics.regression_errors import RegressionErrors, WideHACErrors

__all__ = [
    "LeastSquares",
    "LinearCombination",
    "WaldTest",
    "least_squares",
    "linear_combination",
    "wald_test",
]

Regressors: TypeAlias = "Numbers | pd.DataFrame | Mapping[str, Numbers]"

_EXACT = 1e-12  # residuals this small beside y are rounding: the fit is exact, and has no error

_DEFAULT = WideHACErrors()


@final
@dataclass(frozen=True, eq=False, repr=False)
class LeastSquares:
    """A fitted regression; prints itself.

    Attributes
    ----------
    name
        Of the series that is explained.
    table
        A row a coefficient, the intercept first: ``estimate``, ``standard_error``, ``t``, ``p_value``
        (two-sided, of 0), ``low``, ``high``; Student's t with ``degrees``.
    covariance
        Of the coefficients, a DataFrame by name.
    n, degrees
        Rows, and the degrees of freedom of Student's t: rows less coefficients unless the errors have fewer.
    r_squared, deviation
        Share of the variance that is explained; standard deviation of the residuals (ddof k), unit of y.
    residuals
        Series where y is one, else an array, (n_periods,).
    confidence
        Of the intervals.
    begin, end
        First and last date; rows from 1 where there are none.
    method
        What the errors allow for.
    reason
        Empty, or why errors are missing.
    """

    name: str
    table: pd.DataFrame
    covariance: pd.DataFrame
    n: int
    degrees: float
    r_squared: float
    deviation: float
    residuals: Any
    confidence: float
    begin: Any
    end: Any
    method: str
    reason: str = ""

    @property
    def coefficients(self) -> pd.Series[float]:
        """Estimates by name."""
        return self.table["estimate"]

    __repr__ = show.regression_text
    _repr_html_ = show.regression_html


@final
@dataclass(frozen=True, repr=False)
class WaldTest:
    """A test of linear restrictions on coefficients; prints itself.

    Attributes
    ----------
    restrictions
        What is tested, each as a text.
    statistic
        Wald's, χ² with as many degrees as restrictions in large samples.
    p_value
        Of the F distribution of statistic/restrictions; for one restriction, of Student's t.
    p_chi2
        Of the χ² distribution, too small in small samples.
    degrees
        Of the denominator, before Hotelling's T² takes restrictions less 1 from those of wide errors.
    n
        Rows.
    method
        What the errors allow for.
    reason
        Empty, or why a number is missing.
    """

    restrictions: tuple[str, ...]
    statistic: float
    p_value: float
    p_chi2: float
    degrees: float
    n: int
    method: str
    reason: str = ""

    __repr__ = show.wald_text
    _repr_html_ = show.wald_html


@final
@dataclass(frozen=True, repr=False)
class LinearCombination:
    """A weighted sum of coefficients with its interval; prints itself.

    Attributes
    ----------
    expression
        The sum, as a text.
    estimate, standard_error, low, high
        Of the sum.
    p_value
        Two-sided, of 0.
    p_positive, p_negative
        One-sided: of a sum of at most 0, which a small p takes for positive; of at least 0, for negative.
    confidence, n, method
        Of the interval; rows; what the errors allow for.
    """

    expression: str
    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float
    p_positive: float
    p_negative: float
    confidence: float
    n: int
    method: str

    __repr__ = show.combination_text
    _repr_html_ = show.combination_html


def least_squares(
    y: Numbers,
    regressors: Regressors | None = None,
    errors: RegressionErrors = _DEFAULT,
    *,
    confidence: float = 0.95,
) -> LeastSquares:
    """Regress a series on an intercept and on others.

    Intervals are Student's t with the degrees of ``errors``: n - k, and fewer by default. Where a regressor
    is 0 outside a short stretch of rows (a dummy for the last year), no errors here see autocorrelation
    within the stretch, and tests of it reject too often; without autocorrelation the default holds there.

    Parameters
    ----------
    y
        Any numbers, (n_periods,).
    regressors
        On the same dates; their names become those of the coefficients. None for the mean alone.
    errors
        What residuals are taken to be.
    confidence
        Of the intervals, a fraction.

    Raises
    ------
    InputError
        Other dates, NaN, a constant y, collinear regressors, no more rows than coefficients.
    """
    refuse_confidence(confidence)
    if not isinstance(errors, RegressionErrors):
        raise InputError("errors", f"{errors!r} are no errors", fix="pass al.NeweyWestErrors(4), say")
    values, columns = read_numbers(y, "y"), _columns(regressors)
    _refuse_other_dates(columns, y)
    names = ("intercept", *columns)
    x = np.column_stack(
        [
            np.ones(len(values)),
            *(read_numbers(each, f"regressors[{name!r}]") for name, each in columns.items()),
        ]
    )
    _refuse_hopeless(values, x)
    name = str(y.name) if isinstance(y, pd.Series) and y.name is not None else "y"
    return _fitted(x, values, names, name, y, errors, confidence)


def _columns(regressors: Regressors | None) -> dict[str, Numbers]:
    """Return what explains, by name; refuses two of a name."""
    if regressors is None:
        return {}
    if isinstance(regressors, Mapping):
        named = [(str(name), column) for name, column in regressors.items()]
    elif isinstance(regressors, pd.DataFrame):
        named = [(str(name), regressors.iloc[:, j]) for j, name in enumerate(regressors.columns)]
    elif isinstance(regressors, pd.Series):
        named = [("x" if regressors.name is None else str(regressors.name), regressors)]
    elif isinstance(regressors, np.ndarray) and regressors.ndim in (1, 2):
        table = regressors.reshape(len(regressors), -1)
        named = [(f"x{j + 1}", table[:, j]) for j in range(table.shape[1])]
    else:
        problem = f"expected a Series, a DataFrame, a mapping or an array, got {type(regressors).__name__}"
        raise InputError("regressors", problem)
    columns = dict(named)
    for name, column in named:
        if not isinstance(column, pd.Series | pd.DataFrame | np.ndarray) or not column.ndim:
            problem = f"expected a Series or an array, got {type(column).__name__}"
            raise InputError("regressors", problem, asset=name, fix="the intercept is there without it")
    if len(columns) < len(named) or "intercept" in columns:
        raise InputError("regressors", "two coefficients would have one name", fix="rename a column")
    return columns


def _refuse_other_dates(columns: Mapping[str, Numbers], y: Numbers) -> None:
    """Refuse regressors of other rows or dates than y and than each other: y may be an array."""
    for name, column in columns.items():
        refuse_other_rows(name, column, y)
    dated = {name: column for name, column in columns.items() if isinstance(column, pd.Series)}
    first = next(iter(dated), None)
    for name, column in dated.items():
        refuse_other_rows(name, column, dated[first], repr(first))  # type: ignore[index]


def _refuse_hopeless(values: FloatArray, x: FloatArray) -> None:
    """Refuse rows that are too few, an explained series that never changes, and collinear regressors."""
    if len(values) <= x.shape[1]:
        problem = f"{len(values)} rows for {x.shape[1]} coefficients"
        raise InputError("y", problem, fix="pass more rows")
    if float(np.ptp(values)) <= _EXACT * float(np.abs(values).max()):
        raise InputError("y", "never changes: there is nothing to explain")
    if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < x.shape[1]:
        raise InputError("regressors", "constant or collinear: no slope is to be known", fix="drop one")


def _fitted(
    x: FloatArray,
    values: FloatArray,
    names: tuple[str, ...],
    name: str,
    y: Numbers,
    errors: RegressionErrors,
    confidence: float,
) -> LeastSquares:
    n, k = x.shape
    q, r = np.linalg.qr(x)
    sign = np.where(np.diag(r) < 0.0, -1.0, 1.0)
    q, r = q * sign, r * sign[:, np.newaxis]
    coefficients = np.linalg.solve(r, product(q.T, values))
    left = values - product(x, coefficients)
    exact = float(np.abs(left).max()) <= _EXACT * float(np.abs(values).max())
    inverse = np.linalg.inv(r)
    covariance = np.zeros((k, k)) if exact else inverse @ errors.covariance(q, left) @ inverse.T
    dates = y.index if isinstance(y, pd.Series) else range(1, n + 1)
    degrees = errors.degrees(n, k)
    table = _table(coefficients, covariance, names, degrees, confidence)
    centred = values - values.mean()
    return LeastSquares(
        name,
        table,
        pd.DataFrame(covariance, index=list(names), columns=list(names)),
        n,
        degrees,
        1.0 - inner(left, left) / inner(centred, centred),
        float(np.sqrt(inner(left, left) / (n - k))),
        pd.Series(left, index=y.index, name="residual") if isinstance(y, pd.Series) else left,
        confidence,
        dates[0],
        dates[-1],
        errors.describe(),
        _reason(exact, covariance),
    )


def _reason(exact: bool, covariance: FloatArray) -> str:
    if exact:
        return "the fit is exact: there is no error to estimate"
    if np.isnan(covariance).any():
        return "a row fits itself: its error cannot be seen"
    # Rounding can leave an estimated variance a little below 0 as well as at it.
    return "" if (np.diag(covariance) > 0.0).all() else "an estimated variance is not positive"


def _table(
    coefficients: FloatArray,
    covariance: FloatArray,
    names: tuple[str, ...],
    degrees: float,
    confidence: float,
) -> pd.DataFrame:
    variances = np.diag(covariance)
    rows = [_inference(b, v, degrees, confidence)[:5] for b, v in zip(coefficients, variances, strict=True)]
    columns = ["standard_error", "t", "p_value", "low", "high"]
    table = pd.DataFrame(rows, index=pd.Index(names, name="coefficient"), columns=columns)
    table.insert(0, "estimate", coefficients)
    return table


def _inference(
    estimate: float, variance: float, degrees: float, confidence: float
) -> tuple[float, float, float, float, float, float, float]:
    """Return error, t, two-sided p, interval, and p of at most and of at least 0; NaN without variance."""
    from scipy.special import stdtr, stdtrit  # not at the top: importing allocator costs no more than pandas

    if not variance > 0.0:
        return (*(float("nan"),) * 7,)
    error = float(np.sqrt(variance))
    t = float(estimate) / error
    width = float(stdtrit(degrees, 0.5 + confidence / 2.0)) * error
    above, below = float(stdtr(degrees, -t)), float(stdtr(degrees, t))
    return error, t, 2.0 * min(above, below), estimate - width, estimate + width, above, below


def linear_combination(
    fit: LeastSquares, weights: Mapping[str, float], *, confidence: float | None = None
) -> LinearCombination:
    """Return a weighted sum of coefficients with its error, interval and one-sided p-values.

    Parameters
    ----------
    fit
        The regression.
    weights
        By coefficient; those not named count 0.
    confidence
        That of the fit by default.

    Raises
    ------
    InputError
        No fit, no mapping, a coefficient that the fit does not have, a weight that is no number, no weight
        but 0.
    """
    _refuse_no_fit(fit)
    level = fit.confidence if confidence is None else confidence
    refuse_confidence(level)
    direction = _direction(fit, weights, "weights")
    estimate = float(direction @ fit.coefficients.to_numpy())
    variance = float(direction @ fit.covariance.to_numpy() @ direction)
    error, _, p, low, high, above, below = _inference(estimate, variance, fit.degrees, level)
    text = _expression(weights)
    return LinearCombination(text, estimate, error, low, high, p, above, below, level, fit.n, fit.method)


def wald_test(
    fit: LeastSquares, restrictions: Sequence[Mapping[str, float]], values: Sequence[float] | None = None
) -> WaldTest:
    """Test that weighted sums of coefficients have given values, all at once.

    ``wald_test(fit, [{"up": 1, "down": -1}])`` tests that two coefficients are equal.

    Parameters
    ----------
    fit
        The regression.
    restrictions
        A mapping each, of coefficient to weight.
    values
        What each sum is; 0 by default.

    Raises
    ------
    InputError
        A coefficient that the fit does not have, restrictions that follow from each other, no restriction, a
        weight or a value that is no number.
    """
    _refuse_no_fit(fit)
    _refuse_no_restrictions(restrictions)
    targets = _targets(values, len(restrictions))
    matrix = np.array([_direction(fit, each, "restrictions") for each in restrictions])
    size = np.abs(matrix).max(axis=1, keepdims=True)  # x = 0 and 1e-20·x = 0 are one restriction
    if np.linalg.matrix_rank(matrix / size) < len(matrix):
        raise InputError("restrictions", "one follows from the others", fix="leave it out")
    texts = tuple(f"{_expression(e)} = {v:g}" for e, v in zip(restrictions, targets, strict=True))
    matrix = matrix / size
    gap = matrix @ fit.coefficients.to_numpy() - targets / size[:, 0]
    spread = matrix @ fit.covariance.to_numpy() @ matrix.T
    # Hotelling's T²: of few degrees, each further restriction takes one.
    taken = 0.0 if fit.degrees == fit.n - len(fit.table) else len(gap) - 1.0
    numbers, reason = wald_numbers(gap, spread, fit.degrees, taken)
    return WaldTest(texts, *numbers, fit.degrees, fit.n, fit.method, reason and (fit.reason or reason))


def wald_numbers(
    gap: FloatArray, spread: FloatArray, degrees: float, taken: float
) -> tuple[tuple[float, float, float], str]:
    """Return Wald's statistic with its p-values of F and of χ², and why they are missing.

    Parameters
    ----------
    gap, spread
        Estimates that should be 0, (n_restrictions,), and their covariance.
    degrees, taken
        Of the covariance, and how many of them Hotelling's T² takes.
    """
    from scipy.special import chdtrc, fdtrc  # not at the top: importing allocator costs no more than pandas

    missing, q, left = (float("nan"),) * 3, len(gap), degrees - taken
    scale = np.sqrt(np.maximum(np.diag(spread), 0.0))
    if not (scale > 0.0).all():
        return missing, "an estimated variance is not positive"
    correlations = spread / np.outer(scale, scale)
    if np.linalg.matrix_rank(correlations) < q:
        return missing, "the estimated covariance of the restrictions is singular"
    if left < 1.0:
        return missing, f"{degrees:.3g} degrees of freedom for {q} restrictions"
    statistic = float((gap / scale) @ np.linalg.solve(correlations, gap / scale))
    return (statistic, float(fdtrc(q, left, statistic / q * left / degrees)), float(chdtrc(q, statistic))), ""


def _refuse_no_fit(fit: object) -> None:
    if not isinstance(fit, LeastSquares):
        problem = f"expected a regression, got {type(fit).__name__}"
        raise InputError("fit", problem, fix="pass what least_squares returns")


def _refuse_no_restrictions(restrictions: object) -> None:
    fix = 'pass [{"up": 1, "down": -1}], say'
    if isinstance(restrictions, Mapping):
        raise InputError("restrictions", "one mapping, expected a list of them", fix=f"pass [{restrictions}]")
    if not isinstance(restrictions, Sequence) or isinstance(restrictions, str):
        problem = f"expected a list of mappings, got {type(restrictions).__name__}"
        raise InputError("restrictions", problem, fix=fix)
    if not len(restrictions):
        raise InputError("restrictions", "none to test", fix=fix)


def _targets(values: Sequence[float] | None, n: int) -> FloatArray:
    """Return what each restriction is to equal, (n_restrictions,)."""
    if values is None:
        return np.zeros(n)
    try:
        targets = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("values", f"{values!r} are not numbers", fix="pass one a restriction") from None
    if targets.shape != (n,):
        fix = "pass a list, one number a restriction"
        raise InputError("values", f"{targets.size} for {n} restrictions", fix=fix)
    if not np.isfinite(targets).all():
        raise InputError("values", f"{values!r}: NaN or infinite", fix="pass a number a restriction")
    return targets


def _direction(fit: LeastSquares, weights: Mapping[str, float], argument: str) -> FloatArray:
    if not isinstance(weights, Mapping):
        problem = f"expected a mapping of coefficient to weight, got {weights!r}"
        raise InputError(argument, problem, fix=f"pass {{{fit.table.index[-1]!r}: 1.0}}, say")
    names = list(fit.table.index)
    for name, weight in weights.items():
        if name not in names:
            raise InputError(
                argument, "no such coefficient", asset=name, fix=f"there are: {', '.join(names)}"
            )
        if isinstance(weight, bool) or not isinstance(weight, Real) or not np.isfinite(weight):
            raise InputError(argument, f"{weight!r} is not a number", asset=name, fix="pass 1.0, say")
    direction = np.array([float(weights.get(name, 0.0)) for name in names])
    if not direction.any():
        raise InputError(argument, "no weight but 0")
    return direction


def _expression(weights: Mapping[str, float]) -> str:
    text = ""
    for name, weight in weights.items():
        if weight:
            joint = " - " if weight < 0.0 else " + "
            size = "" if abs(weight) == 1.0 else f"{abs(weight):g}·"
            text += f"{joint if text else joint.strip().replace('+', '')}{size}{name}"
    return text
