"""What every yield passes: dates, numbers, fractions, one maturity."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.frequency import infer_frequency
from allocator.market.bonds import _LARGEST_MEAN_CHANGE  # what betrays percent in the moves of a yield
from allocator.market.prices import float_column, validate_index
from allocator.statistics._returns import FloatArray

__all__: list[str] = []

PERCENT_FROM = 0.5  # no yield, nor any part of one, is 50 % a year; 0.5 is half a percent
# Changes from which their mean tells. A bill once moved 0.004 a day over 24 days (1980), which is the limit;
# 24 months of no yield since 1961 come near theirs.
_CHANGES_THAT_TELL = {"daily": 60, "weekly": 24, "monthly": 24, "quarterly": 24, "yearly": 24}
# A number and its unit at the end of a word, as in 10Y, 3MO, 120M, 5-year, T5YIE; not v2M, nor 12m change.
_WITH_UNIT = re.compile(
    r"(?<![\d.])(?<!^v)(?<![_ -]v)(\d{1,3})[ _-]?(months?|mo|m|years?|yr|y)"
    r"(?:(?![a-z])|(?=IEM?(?![a-z])|IFR))(?![ _-]*(?:change|growth|average|mean|moving|lag|inflation))",
    re.IGNORECASE,
)
# The families that leave the unit out.
_FAMILY = re.compile(
    r"^(?:DGS|DFII|ACMY|ACMTP|ACMRNY|THREEFYTP|THREEFY)0?(\d{1,2})(?!\d|m(?:o|$|_))", re.IGNORECASE
)


def read_yields(series: Any, argument: str, asset: str | None = None) -> pd.Series[float]:
    """Return a yield, or a part of one, as a Series of its own, shape (n_rows,).

    Raises
    ------
    InputError
        No Series, undated, unsorted, NaN, infinite, or in percent (F162).
    """
    if not isinstance(series, pd.Series):
        raise InputError(argument, f"expected a Series with dates, got {type(series).__name__}", asset=asset)
    dates = validate_index(series.index, argument)
    values = float_column(series, argument, dates, asset)
    refuse_unknown(values, dates, argument, asset)
    refuse_percent(values[:, np.newaxis], dates, argument, asset)
    return pd.Series(values, index=dates, name=series.name)


def refuse_unknown(values: FloatArray, dates: pd.DatetimeIndex, argument: str, asset: object) -> None:
    """Refuse NaN and infinity, naming the first date."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        problem, fix = f"is {values[bad[0]]:g}", "pass the dates that every series has; nothing is filled"
        raise InputError(argument, problem, asset=asset, date=dates[bad[0]], count=len(bad), fix=fix)


def refuse_percent(values: FloatArray, dates: pd.DatetimeIndex, argument: str, asset: object) -> None:
    """Refuse what is too large for a fraction a year, or moves too much to be one (F162)."""
    large = np.abs(values).max(axis=1) >= PERCENT_FROM
    if large.any():
        row = int(np.argmax(large))
        problem, count = (
            f"{values[row][np.argmax(np.abs(values[row]))]:g} looks like percent",
            int(large.sum()),
        )
        raise InputError(argument, problem, asset=asset, date=dates[row], count=count, fix="divide by 100")
    if len(dates) <= min(_CHANGES_THAT_TELL.values()):
        return
    frequency = infer_frequency(dates, argument).name
    if len(dates) <= _CHANGES_THAT_TELL[frequency]:
        return
    moves, limit = np.abs(np.diff(values, axis=0)).mean(axis=0).max(), _LARGEST_MEAN_CHANGE[frequency]
    if moves > limit:
        problem = f"looks like percent: a {frequency} change is {moves:.4f} on average, above {limit:g}"
        raise InputError(argument, problem, asset=asset, date=dates[1], fix="divide by 100")


def refuse_other_maturity(name: object, maturity: float, argument: str, asset: str | None = None) -> None:
    """Refuse a series whose name says another maturity in years (F164)."""
    said = _maturity_said(str(name)) if name is not None else None
    if said is not None and abs(said - maturity) > 1e-9:
        raise InputError(
            argument,
            f"{name!r} says {said:g} years, and the yield to decompose is of {maturity:g}",
            asset=asset,
            fix="pass one maturity for all; rename the series if its name means something else",
        )


def _maturity_said(name: str) -> float | None:
    """Return the years that a name such as DGS10, T10YIE, ACMTP02 or DGS3MO states, or None."""
    family = _FAMILY.match(name)
    if family:
        return float(family[1])
    with_unit = _WITH_UNIT.search(name)
    if not with_unit:
        return None
    return float(with_unit[1]) / (1.0 if with_unit[2].lower().startswith("y") else 12.0)


def refuse_other_dates(series: pd.Series[float], total: pd.Series[float], argument: str, asset: str) -> None:
    """Refuse a series whose dates are not those of the total."""
    if not series.index.equals(total.index):
        single = series.index.symmetric_difference(total.index)
        raise InputError(
            argument,
            f"its dates are not those of the total: {len(single)} are in one of them only",
            asset=asset,
            date=single[0],
            fix="pass the shared dates: table[[...]].dropna()",
        )
