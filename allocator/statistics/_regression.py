"""A regression whose relation may break: read, checked, and how far its coefficients are to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.statistics._one_thread import gram, product
from allocator.statistics._returns import FloatArray, read_numbers
from allocator.statistics._segments import Stretches
from allocator.statistics._settings import is_number
from allocator.statistics.long_run_variance import LongRunVariance

Numbers: TypeAlias = "pd.Series | NDArray[Any]"
Regressors: TypeAlias = "pd.Series | pd.DataFrame | Mapping[str, Numbers] | NDArray[Any] | None"


@dataclass(frozen=True)
class Regression:
    """A series on an intercept and perhaps on others.

    Attributes
    ----------
    stretches
        The numbers.
    name
        Of the series that is explained.
    parameters
        Names of the coefficients, the intercept first.
    dates
        None where an array came in.
    """

    stretches: Stretches
    name: str
    parameters: tuple[str, ...]
    dates: pd.DatetimeIndex | None

    def date(self, row: int) -> Any:
        """Return the date of a row counted from 1, or the row where there are no dates."""
        return row if self.dates is None else self.dates[row - 1]

    @property
    def relation(self) -> str:
        """What is explained by what, for people."""
        others = self.parameters[1:]
        return f"relation of {self.name} to {', '.join(others)}" if others else f"mean of {self.name}"


def read_regression(y: Numbers, regressors: Regressors) -> Regression:
    """Read a series and what explains it, refusing other dates, NaN, and what does not vary."""
    values = read_numbers(y, "y")
    dates = y.index if isinstance(y, pd.Series) else None
    assert dates is None or isinstance(dates, pd.DatetimeIndex)
    columns = _columns(regressors)
    for name, column in columns.items():
        refuse_other_rows(name, column, y)
    others = [read_numbers(column, "regressors") for column in columns.values()]
    x = np.column_stack([np.ones(len(values)), *others])
    if np.linalg.matrix_rank(x / np.maximum(np.abs(x).max(axis=0), 1e-300)) < x.shape[1]:
        raise InputError("regressors", "constant or collinear: no slope is to be known", fix="drop one")
    spread = float(values.std())
    if spread <= 1e-12 * float(np.abs(values).max()):
        raise InputError("y", "never changes: nothing can break")
    name = str(y.name) if isinstance(y, pd.Series) and y.name is not None else "y"
    return Regression(Stretches(x, values), name, ("intercept", *columns), dates)


def _columns(regressors: Regressors) -> dict[str, Numbers]:
    """Return what explains, by name; refuses two of a name, and the name of the intercept."""
    named = _named(regressors)
    columns = dict(named)
    for name, column in named:
        if not isinstance(column, pd.Series | np.ndarray):
            problem = f"expected a Series or an array, got {type(column).__name__}"
            raise InputError("regressors", problem, asset=name, fix="the intercept is there without it")
    if len(columns) < len(named) or "intercept" in columns:
        raise InputError("regressors", "two coefficients would have one name", fix="rename a column")
    return columns


def _named(regressors: Regressors) -> list[tuple[str, Numbers]]:
    if regressors is None:
        return []
    if isinstance(regressors, Mapping):
        return [(str(name), column) for name, column in regressors.items()]
    if isinstance(regressors, pd.DataFrame):
        return [(str(name), regressors.iloc[:, j]) for j, name in enumerate(regressors.columns)]
    if isinstance(regressors, pd.Series):
        return [("x" if regressors.name is None else str(regressors.name), regressors)]
    if isinstance(regressors, np.ndarray) and regressors.ndim in (1, 2):
        table = regressors.reshape(len(regressors), -1)
        return [(f"x{j + 1}", table[:, j]) for j in range(table.shape[1])]
    problem = f"expected a Series, a DataFrame, a mapping or an array, got {type(regressors).__name__}"
    raise InputError("regressors", problem)


def refuse_other_rows(name: str, column: Numbers, y: Numbers, other: str = "y") -> None:
    """Refuse a regressor that has not the rows and, where both have dates, the dates of another series."""
    if len(column) != len(y):
        raise InputError("regressors", f"{len(column)} rows for {len(y)} rows of {other}", asset=name)
    if isinstance(column, pd.Series) and isinstance(y, pd.Series) and not column.index.equals(y.index):
        single = column.index.symmetric_difference(y.index)
        if not len(single):
            order = "reversed" if column.index.equals(y.index[::-1]) else "in another order or repeated"
            problem, fix = f"its dates are those of {other}, {order}", "sort both: .sort_index()"
            raise InputError("regressors", problem, asset=name, fix=fix)
        problem = f"its dates are not those of {other}: {len(single)} are in one of them only"
        raise InputError("regressors", problem, asset=name, date=single[0])


def shortest_segment(regression: Regression, trim: float) -> int:
    """Return ⌊trim·n⌋ rows, refusing a trim without place for a break (F158) or too few rows (F159)."""
    if not is_number(trim) or not 0.0 < trim < 0.5:
        raise InputError("trim", f"{trim!r} is not between 0 and 0.5", fix="pass 0.15")
    n, k = regression.stretches.n, regression.stretches.k
    rows, needed = int(np.floor(n * trim + 1e-9)), 2 * k + 2
    if rows < needed:
        problem = f"{trim:g} of {n} rows leaves {rows} to a side, at least {needed} are needed"
        raise InputError("trim", f"{problem} for {k} coefficient{'s' if k > 1 else ''}", fix="trim more")
    regression.stretches.refuse_collinear(rows)
    return rows


def sup_statistic(
    stretches: Stretches, shortest: int, long_run: LongRunVariance | None
) -> tuple[float, int, FloatArray]:
    """Return the largest Wald statistic of equal coefficients before and after, the rows before, and all.

    Breaks leave ``shortest`` rows on either side. Without a long-run variance k·F of Chow, as strucchange
    does; with one the errors of both sides are taken together, Andrews (1993), eq. 4.1.
    """
    n, k = stretches.n, stretches.k
    rows = np.arange(shortest, n - shortest + 1)
    if long_run is None:
        split = stretches.squares(0, rows) + stretches.squares(rows, n)
        gain = stretches.squares(0, n) - split
        path = gain / np.maximum(split / (n - 2 * k), 1e-300)
    else:
        path = np.array([_wald(stretches, int(row), long_run) for row in rows])
    best = int(np.argmax(path))
    return float(path[best]), int(rows[best]), path


def _wald(stretches: Stretches, row: int, long_run: LongRunVariance) -> float:
    x, y, n, k = stretches.orthogonal, stretches.y, stretches.n, stretches.k
    sides = [(x[:row], y[:row]), (x[row:], y[row:])]
    inverses = [np.linalg.inv(gram(a)) for a, _ in sides]
    fits = [inverse @ product(a.T, b) for inverse, (a, b) in zip(inverses, sides, strict=True)]
    left = np.concatenate([b - a @ fit for fit, (a, b) in zip(fits, sides, strict=True)])
    # The estimator divides by n - k; both sides have k coefficients.
    spread = _matrix(x * left[:, np.newaxis], long_run) * (n - k) / (n - 2 * k)
    variance = sum(
        inverse @ spread @ inverse * len(a) for inverse, (a, _) in zip(inverses, sides, strict=True)
    )
    change = fits[1] - fits[0]
    return float(change @ np.linalg.solve(variance, change))


def _matrix(moments: FloatArray, long_run: LongRunVariance) -> FloatArray:
    """Return the long-run covariance of the columns, (k, k), from variances of their sums."""
    unit = np.eye(moments.shape[1])
    alone = np.array([long_run.variance(moments, each) for each in unit])
    matrix = np.diag(alone)
    for i, j in zip(*np.triu_indices(len(unit), 1), strict=True):
        both = long_run.variance(moments, unit[i] + unit[j])
        matrix[i, j] = matrix[j, i] = (both - alone[i] - alone[j]) / 2.0
    return matrix
