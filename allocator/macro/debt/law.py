"""The law of the debt ratio: one step of it, exact and linear, and what follows from it in closed form.

With d = debt / GDP at the end of a period, i = interest paid in the period over the debt at its
beginning, g = real growth, π = inflation, f = the **primary** deficit / GDP (interest left out,
positive for a deficit) and s = stock-flow adjustment / GDP::

    exact   d' = d (1 + i) / ((1 + g) (1 + π)) + f + s
    linear  d' = d + (i - g - π) d + f + s

If f were the whole deficit, interest would be counted twice. Escolano (2010), IMF Technical Notes and
Manuals 10/02.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics._settings import is_number

__all__ = [
    "MOST_PATHS",
    "Numbers",
    "debt_stabilising_balance",
    "linear_debt_ratio",
    "next_debt_ratio",
    "nominal_growth",
    "read_debt",
    "read_number",
    "read_rate",
    "refuse_shapes",
    "steady_state_debt",
    "whole_number",
]

FloatArray: TypeAlias = NDArray[np.float64]
# A float for numbers, an array for arrays: a union would make every caller narrow what it knows.
Numbers: TypeAlias = Any

_MOST_DEBT = 10.0  # times GDP: no government has owed as much, and 10 % is 0.10
# The typical size from which a figure is taken for percent; inflation has been that high, the others not.
_LARGEST = {"inflation": 1.0}
_LARGEST_OTHER = 0.5
MOST_PATHS = 10_000_000
_ARGUMENTS = ("debt", "interest_rate", "growth", "inflation", "primary_deficit", "stock_flow")
_ABOVE_MINUS_ONE = ("interest_rate", "growth", "inflation")


def next_debt_ratio(
    debt: ArrayLike,
    interest_rate: ArrayLike,
    growth: ArrayLike,
    inflation: ArrayLike,
    primary_deficit: ArrayLike,
    stock_flow: ArrayLike = 0.0,
) -> Numbers:
    """Return the debt ratio one period later by the exact law.

    Parameters
    ----------
    debt
        Debt over GDP at the end of the period before, a fraction. Percent is refused from 10 on; below, 8.2
        for 8.2 % cannot be told from 820 % here (:func:`debt_accounts` sees a history of it).
    interest_rate
        Interest paid in the period over that debt (the effective rate, not the yield of new bonds).
    growth, inflation
        Of real GDP, and of its price.
    primary_deficit
        Deficit without interest over GDP of the period, positive for a deficit.
    stock_flow
        What else changed the debt, over GDP of the period.

    Returns
    -------
    float or numpy.ndarray
        Of the shape to which the arguments broadcast.

    Raises
    ------
    InputError
        For what is no finite number, a rate of -1 or less (F165), percent (F162, F166), and shapes that do
        not fit each other.
    """
    d, i, g, p = _read_four(debt, interest_rate, growth, inflation)
    f, s = read_rate(primary_deficit, "primary_deficit"), read_rate(stock_flow, "stock_flow")
    refuse_shapes((d, i, g, p, f, s), _ARGUMENTS)
    return _plain(d * (1.0 + i) / ((1.0 + g) * (1.0 + p)) + f + s)


def linear_debt_ratio(
    debt: ArrayLike,
    interest_rate: ArrayLike,
    growth: ArrayLike,
    inflation: ArrayLike,
    primary_deficit: ArrayLike,
    stock_flow: ArrayLike = 0.0,
) -> Numbers:
    """Return the debt ratio one period later by the linear law, d + (i - g - π) d + f + s.

    It leaves out products of rates: good to a few hundredths of a point of GDP at moderate rates, and poor
    where inflation is high. Arguments, shape and errors as :func:`next_debt_ratio`.
    """
    d, i, g, p = _read_four(debt, interest_rate, growth, inflation)
    f, s = read_rate(primary_deficit, "primary_deficit"), read_rate(stock_flow, "stock_flow")
    refuse_shapes((d, i, g, p, f, s), _ARGUMENTS)
    return _plain(d + (i - g - p) * d + f + s)


def debt_stabilising_balance(
    debt: ArrayLike, interest_rate: ArrayLike, growth: ArrayLike, inflation: ArrayLike
) -> Numbers:
    """Return the primary balance over GDP that leaves the debt ratio as it is, positive for a surplus.

    p* = d (i - G) / (1 + G) with G = (1 + g)(1 + π) - 1: a surplus where interest outruns nominal growth,
    a deficit that the country can afford where it does not. Escolano (2010), eq. 9; no stock-flow.
    Errors as :func:`next_debt_ratio`.
    """
    d, i, g, p = _read_four(debt, interest_rate, growth, inflation)
    refuse_shapes((d, i, g, p), _ARGUMENTS[:4])
    nominal = nominal_growth(g, p)
    return _plain(d * (i - nominal) / (1.0 + nominal))


def steady_state_debt(
    interest_rate: ArrayLike, growth: ArrayLike, inflation: ArrayLike, primary_deficit: ArrayLike
) -> Numbers:
    """Return the debt ratio to which these rates lead if they last, d* = f (1 + G) / (G - i).

    NaN with a warning where nominal growth does not exceed interest: the ratio then settles nowhere.
    Escolano (2010). Shape and errors as :func:`next_debt_ratio`.
    """
    i, g = read_rate(interest_rate, "interest_rate"), read_rate(growth, "growth")
    p, f = read_rate(inflation, "inflation"), read_rate(primary_deficit, "primary_deficit")
    refuse_shapes((i, g, p, f), _ARGUMENTS[1:5])
    lead = nominal_growth(g, p) - i
    settles = lead > 0.0
    if not settles.all():
        text = "steady_state_debt: NaN where nominal growth does not exceed interest: no debt ratio is stable"
        warnings.warn(text, UndefinedStatisticWarning, stacklevel=2)
    return _plain(np.where(settles, f * (1.0 + lead + i) / np.where(settles, lead, 1.0), np.nan))


def nominal_growth(growth: FloatArray, inflation: FloatArray) -> FloatArray:
    """Return growth of nominal GDP, (1 + g)(1 + π) - 1, written so that it is exact for small rates."""
    return growth + inflation + growth * inflation


def read_debt(debt: ArrayLike, argument: str = "debt") -> FloatArray:
    """Return debt ratios as an array, refusing percent (F166)."""
    ratios = _finite(debt, argument)
    large = ratios[np.abs(ratios) > _MOST_DEBT]
    if large.size:
        raise InputError(
            argument,
            f"{large.flat[0]:g} times GDP: no government has owed more than {_MOST_DEBT:g}, so it is percent",
            fix="divide by 100",
        )
    return ratios


def read_rate(rate: ArrayLike, argument: str) -> FloatArray:
    """Return rates a period as an array, refusing percent (F162) and what ends the economy (F165)."""
    rates = _finite(rate, argument)
    lost = rates[rates <= -1.0]
    if argument in _ABOVE_MINUS_ONE and lost.size:
        raise InputError(argument, f"{lost.flat[0]:g}: at -1 or less nothing is left", fix="pass a fraction")
    most = _LARGEST.get(argument, _LARGEST_OTHER)
    typical = float(np.median(np.abs(rates))) if rates.size else 0.0
    if typical > most:
        raise InputError(
            argument,
            f"typically {typical:g}, as a fraction {100 * typical:g} % a period, so it is percent",
            fix="divide by 100, or pass shorter periods if it is really so high",
        )
    return rates


def read_number(value: object, argument: str, fix: str) -> float:
    """Return one finite number, refusing anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise InputError(argument, f"{value!r} is no number", fix=fix)
    return float(value)


def whole_number(argument: str, value: object, least: int | None = None, most: int = MOST_PATHS) -> int:
    """Return a whole number, refusing anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(argument, f"{value!r} is not a whole number")
    if least is not None and value < least:
        raise InputError(argument, f"is {value}, expected at least {least}")
    if value > most:
        raise InputError(argument, f"is {value}, expected at most {most:,}")
    return int(value)


def refuse_shapes(arrays: Sequence[FloatArray], arguments: Sequence[str]) -> None:
    """Refuse arrays that do not broadcast, naming the first that does not fit one before it."""
    for place, one in enumerate(arrays):
        for other, name in zip(arrays[:place], arguments, strict=False):
            try:
                np.broadcast_shapes(one.shape, other.shape)
            except ValueError:
                problem = f"shape {one.shape} does not fit {name}, of shape {other.shape}"
                raise InputError(arguments[place], problem, fix="pass as many of each, or a number") from None


def _read_four(
    debt: ArrayLike, interest_rate: ArrayLike, growth: ArrayLike, inflation: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return (
        read_debt(debt),
        read_rate(interest_rate, "interest_rate"),
        read_rate(growth, "growth"),
        read_rate(inflation, "inflation"),
    )


def _finite(values: ArrayLike, argument: str) -> FloatArray:
    try:
        given = np.asarray(values)
        is_other = not _are_numbers(given)  # 1.0 hides in True and in "1"
        numbers = np.zeros(0) if is_other else given.astype(np.float64)
    except (TypeError, ValueError):
        is_other = True
    if is_other or (isinstance(values, list | tuple) and any(isinstance(each, bool) for each in values)):
        kind = f"an array of {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
        raise InputError(argument, f"{kind} is no number or array of numbers")
    if not numbers.size:
        raise InputError(argument, f"no numbers, shape {numbers.shape}", fix="pass one or more")
    odd = numbers[~np.isfinite(numbers)]
    if odd.size:
        raise InputError(argument, f"{odd.flat[0]} is not a finite number")
    return numbers


def _are_numbers(given: NDArray[Any]) -> bool:
    if given.dtype.kind == "O":
        return all(is_number(each) for each in given.flat)
    return given.dtype.kind in "fiu"


def _plain(numbers: FloatArray) -> Numbers:
    return float(numbers) if np.ndim(numbers) == 0 else numbers
