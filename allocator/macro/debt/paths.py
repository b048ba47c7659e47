"""Paths of a debt ratio: many at once as arrays, and one as a table that shows its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from allocator.errors import InputError
from allocator.macro.debt import show
from allocator.macro.debt.law import (
    nominal_growth,
    read_debt,
    read_number,
    read_rate,
    refuse_shapes,
    whole_number,
)

__all__ = ["DebtPath", "debt_path", "debt_paths"]

FloatArray = NDArray[np.float64]
_MOST_YEARS, _HIGHEST_CAP = 10_000, 1e6
_RATES = ("interest_rate", "growth", "inflation", "primary_deficit", "stock_flow")


@final
@dataclass(frozen=True, eq=False, repr=False)
class DebtPath:
    """One path of a debt ratio.

    Attributes
    ----------
    table
        A row a year: ``debt`` by the exact law, ``linear`` by the linear one from the same start, ``gap``
        (linear less exact, which accumulates), and the channels of the exact change.
    initial
        The ratio at the start.
    cap
        The ratio, of either sign, at which a path is given up.
    stopped
        The year in which the cap was passed, the last of the table, with the ratio that the law gives; None
        if it was not.
    """

    table: pd.DataFrame
    initial: float
    cap: float
    stopped: int | None

    __repr__ = show.path_text
    _repr_html_ = show.path_html


def debt_paths(
    debt: ArrayLike,
    interest_rate: ArrayLike,
    growth: ArrayLike,
    inflation: ArrayLike,
    primary_deficit: ArrayLike,
    stock_flow: ArrayLike = 0.0,
    *,
    cap: float = 10.0,
) -> FloatArray:
    """Return the debt ratios to which assumptions lead, year by year, by the exact law.

    Parameters
    ----------
    debt
        The ratio at the start, a number or shape (n_paths,).
    interest_rate, growth, inflation, primary_deficit, stock_flow
        Fractions as in :func:`next_debt_ratio`, shapes that broadcast to (n_paths, n_years) or (n_years,).
    cap
        A path that passes ±cap stays there (F167).

    Returns
    -------
    numpy.ndarray
        Shape (n_paths, n_years), or (n_years,) if nothing has paths.

    Raises
    ------
    InputError
        As :func:`next_debt_ratio`, and for shapes that do not fit.
    """
    start = read_debt(debt)
    given = (interest_rate, growth, inflation, primary_deficit, stock_flow)
    rates = [read_rate(rate, name) for rate, name in zip(given, _RATES, strict=True)]
    _refuse_cap(cap, start)
    i, g, p, f, s, first = _broadcast(rates, start)
    factor, added = (1.0 + i) / (1.0 + nominal_growth(g, p)), f + s
    paths, last = np.empty(i.shape), first[..., 0]
    for year in range(i.shape[-1]):
        following = last * factor[..., year] + added[..., year]
        last = np.where(np.abs(last) >= cap, last, np.clip(following, -cap, cap))
        paths[..., year] = last
    return paths


def debt_path(
    debt: float,
    interest_rate: ArrayLike,
    growth: ArrayLike,
    inflation: ArrayLike,
    primary_deficit: ArrayLike,
    stock_flow: ArrayLike = 0.0,
    *,
    first_year: int = 1,
    n_years: int | None = None,
    cap: float = 10.0,
) -> DebtPath:
    """Project a debt ratio under stated assumptions, by both laws.

    Parameters
    ----------
    debt
        The ratio at the end of the year before the first.
    interest_rate, growth, inflation, primary_deficit, stock_flow
        Fractions as in :func:`next_debt_ratio`: a number for all years, or one a year.
    first_year
        What the first row is called.
    n_years
        The number of years; needed only where all assumptions are numbers.
    cap
        The projection ends with the year in which the ratio passes ±cap, and says so (F167).

    Raises
    ------
    InputError
        As :func:`next_debt_ratio`, and for assumptions of different lengths.
    """
    start = _one_debt(debt)
    _refuse_cap(cap, np.asarray(start))
    whole_number("first_year", first_year, least=-9_999, most=9_999)
    given = (interest_rate, growth, inflation, primary_deficit, stock_flow)
    rates = [read_rate(rate, name) for rate, name in zip(given, _RATES, strict=True)]
    i, g, p, f, s = _one_a_year(rates, n_years)
    exact = _compounded(start, (1.0 + i) / (1.0 + nominal_growth(g, p)), f + s, cap)
    i, g, p, f, s = (rate[: len(exact)] for rate in (i, g, p, f, s))
    linear = _compounded(start, 1.0 + i - g - p, f + s, np.inf)
    before, size = np.append(start, exact[:-1]), 1.0 + nominal_growth(g, p)
    columns = {
        "debt": exact,
        "linear": linear,
        "gap": linear - exact,
        "interest": before * i / size,
        "growth": -before * g / size,
        "inflation": -before * p * (1.0 + g) / size,
        "primary_deficit": f,
        "stock_flow": s,
    }
    years = pd.RangeIndex(first_year, first_year + len(exact), name="year")
    stopped = int(years[-1]) if np.abs(exact[-1]) >= cap else None
    return DebtPath(pd.DataFrame(columns, index=years), start, cap, stopped)


def _compounded(start: float, factors: FloatArray, added: FloatArray, cap: float) -> FloatArray:
    """Return a path to its end, or to the first ratio beyond the cap, which is kept as it is."""
    path, last = [], start
    for factor, more in zip(factors.tolist(), added.tolist(), strict=True):
        last = last * factor + more
        path.append(last)
        if abs(last) >= cap:
            break
    return np.array(path)


def _one_debt(debt: ArrayLike) -> float:
    start = read_debt(debt)
    if start.ndim:
        problem = f"expected a number, got shape {start.shape}"
        raise InputError("debt", problem, fix="debt_paths takes many paths at once")
    return float(start)


def _broadcast(rates: list[FloatArray], start: FloatArray) -> list[FloatArray]:
    """Return the assumptions and the start, each with the shape of the paths."""
    for rate, name in zip(rates, _RATES, strict=True):
        if rate.ndim > 2:
            fix = "assumptions are (n_paths, n_years) or (n_years,)"
            raise InputError(name, f"shape {rate.shape} has too many dimensions", fix=fix)
    refuse_shapes(rates, _RATES)
    each = [*rates, np.expand_dims(start, -1)]
    try:
        return [np.asarray(one) for one in np.broadcast_arrays(*each)]
    except ValueError:
        shape = np.broadcast_shapes(*(rate.shape for rate in rates))
        problem = f"{start.size} paths do not fit assumptions of shape {shape}"
        raise InputError("debt", problem, fix="assumptions are (n_paths, n_years) or (n_years,)") from None


def _one_a_year(rates: list[FloatArray], n_years: int | None) -> list[FloatArray]:
    """Return each assumption with one number a year, refusing lengths that contradict each other."""
    lengths = {rate.shape[0]: name for rate, name in zip(rates, _RATES, strict=True) if rate.ndim}
    if any(rate.ndim > 1 for rate in rates):
        raise InputError("debt_path", "a table of assumptions", fix="debt_paths takes many paths at once")
    if n_years is not None:
        lengths.setdefault(whole_number("n_years", n_years, most=_MOST_YEARS), "n_years")
    if len(lengths) > 1:
        (first, one), (second, other) = list(lengths.items())[:2]
        raise InputError(other, f"{second} years, but {one} has {first}", fix="give one a year, or a number")
    if not lengths or min(lengths) < 1:
        raise InputError("n_years", f"{n_years!r}: how many years?", fix="pass n_years=10")
    return [np.broadcast_to(rate, (next(iter(lengths)),)) for rate in rates]


def _refuse_cap(cap: float, start: FloatArray) -> None:
    read_number(cap, "cap", fix="leave it at 10")
    if cap > _HIGHEST_CAP:
        raise InputError("cap", f"{cap!r} times GDP is no debt", fix="leave it at 10")
    if not np.all(np.abs(start) < cap):
        raise InputError("cap", f"{cap!r} is not above the debt at the start", fix="leave it at 10")
