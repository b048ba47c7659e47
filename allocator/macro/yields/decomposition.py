"""A yield as a sum of parts that adds up on every date, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.frequency import Frequency, infer_frequency
from allocator.macro.yields import show
from allocator.macro.yields._door import (
    read_yields,
    refuse_other_dates,
    refuse_other_maturity,
    refuse_unknown,
)
from allocator.market.market import Date, parse_date
from allocator.market.prices import float_column, validate_index
from allocator.regimes._settings import refuse_no_text
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import is_number

__all__ = ["YieldDecomposition", "carve_credit", "decompose_yield"]

_ADDITIVE = 1e-10  # fractions a year
_SHORTEST_MATURITY, _LONGEST_MATURITY = 1.0 / 366.0, 100.0
_WIDEST_SPREAD = 5000.0  # basis points: half of what is lent, a year; no yield is that high (F162)
_TAKEN = ("total", "from", "to", "unclassified")  # columns of the tables, and the label of no driver


@final
@dataclass(frozen=True, eq=False, repr=False)
class YieldDecomposition:
    """A yield and the parts that add up to it within 1e-10 on every date; prints itself.

    Attributes
    ----------
    total
        The yield, a fraction a year, shape (n_rows,).
    parts
        The same dates, a column a part.
    maturity
        Years.
    ex_post
        Whether a part was estimated with data after its date.
    notes
        How parts came to be, a line each.
    """

    total: pd.Series[float]
    parts: pd.DataFrame
    maturity: float
    ex_post: bool
    notes: tuple[str, ...] = ()

    __repr__ = show.decomposition_text
    _repr_html_ = show.decomposition_html

    @property
    def frequency(self) -> Frequency:
        """The spacing of the dates."""
        return infer_frequency(pd.DatetimeIndex(self.total.index), "total")

    @property
    def changes(self) -> pd.DataFrame:
        """Changes of the parts from row to row, fractions a year, shape (n_rows - 1, n_parts)."""
        return self.parts.diff().iloc[1:]

    def between(self, first: Date, last: Date) -> YieldDecomposition:
        """Return the rows from ``first`` to ``last``, both included; ``2022`` means its first or last day."""
        begin, end = parse_date(first, "first"), parse_date(last, "last", last=True)
        total = self.total.loc[begin:end]
        if len(total) < 2:
            span = f"{iso_date(self.total.index[0])} to {iso_date(self.total.index[-1])}"
            raise InputError(
                "first", f"{len(total)} rows to {iso_date(end)}; the yields run from {span}", date=begin
            )
        return replace(self, total=total, parts=self.parts.loc[begin:end])


def decompose_yield(
    total: pd.Series[Any],
    parts: Mapping[str, pd.Series[Any]],
    maturity: float,
    *,
    ex_post: bool,
    rest: str | None = None,
) -> YieldDecomposition:
    """Return a yield as the sum of named parts.

    Whichever series there are::

        decompose_yield(nominal, {"real": tips, "breakeven": breakeven}, 10, ex_post=False)
        decompose_yield(fitted, {"expected rates": risk_neutral}, 10, ex_post=True, rest="term premium")
        decompose_yield(nominal, {"expected inflation": survey, "term premium": premium}, 10,
                        ex_post=True, rest="expected real short rate")

    Linear: the decomposition of a sum of yields and parts is the sum of the decompositions.

    Parameters
    ----------
    total
        The yield, a fraction a year (0.045, not 4.5); regular dates, no gaps.
    parts
        The parts by name, same dates and unit.
    maturity
        Years, of every series; a series whose name says another (``DFII5``, ``T5YIE``) is refused.
    ex_post
        Whether a part was estimated with data after its date, as the published files of Adrian, Crump and
        Moench are. Regimes made of such a decomposition say so, and no backtest trades on them.
    rest
        Name of one more part, which is the total less the parts given.

    Raises
    ------
    InputError
        Parts that do not add up to the total within 1e-10 (the first date and its residual, F163), another
        maturity (F164), percent (F162), other dates, NaN, mixed frequencies.

    References
    ----------
    Bernanke (2013), Long-term interest rates: long yield = expected short real rates + expected inflation +
    term premium. A breakeven is expected inflation plus its risk premium less the liquidity premium of
    inflation-linked bonds, and the real yield has a premium of its own: D'Amico, Kim and Wei (2018), Journal
    of Financial and Quantitative Analysis 53(1).
    """
    years = _checked_maturity(maturity)
    if not isinstance(ex_post, bool):
        raise InputError("ex_post", f"{ex_post!r} is neither True nor False")
    if rest is not None:
        refuse_no_text("rest", rest, "name the part that is the rest")
    whole = read_yields(total, "total")
    refuse_other_maturity(whole.name, years, "total")
    infer_frequency(pd.DatetimeIndex(whole.index), "total")  # refuses mixtures
    known = _read_parts(parts, whole, years)
    _refuse_names([*known.columns, *([] if rest is None else [rest])])
    gap = whole.to_numpy() - known.to_numpy().sum(axis=1)
    if rest is None:
        _refuse_residual(gap, whole.index)
        return YieldDecomposition(whole, known, years, ex_post)
    notes = (f"{rest}: the total less the other parts",)
    known[rest] = gap
    return YieldDecomposition(whole, known, years, ex_post, notes)


def carve_credit(
    decomposition: YieldDecomposition,
    cds: pd.Series[Any],
    *,
    out_of: str = "term premium",
    name: str = "credit",
) -> YieldDecomposition:
    """Return the decomposition with a sovereign credit part taken out of another.

    The spread of a credit default swap is taken to be the whole credit part. That is a convention of
    accounts, not an estimate: the spread has premia of its own, US swaps are settled in euros and thinly
    traded, and what is taken out of the term premium depends on it one for one.

    Parameters
    ----------
    decomposition
        With the part to take it from.
    cds
        Spread in basis points (25 is a quarter of a percent), same dates, same maturity where its name says.
    out_of
        The part that is made smaller.
    name
        Of the new part, the last.

    Raises
    ------
    InputError
        No such part, a spread that is no basis points or 5,000 of them, other dates, another maturity (F164).
    """
    refuse_no_decomposition(decomposition)
    refuse_no_text("out_of", out_of)
    refuse_no_text("name", name)
    if out_of not in decomposition.parts.columns:
        known = ", ".join(map(repr, decomposition.parts.columns))
        raise InputError("out_of", f"{out_of!r} is no part: {known}")
    _refuse_names([*decomposition.parts.columns, name])
    spread = _read_spread(cds, decomposition)
    parts = decomposition.parts.copy()
    parts[out_of] -= spread
    parts[name] = spread
    note = f"{name}: spread of a credit default swap, taken out of {out_of}; an accounting convention"
    return YieldDecomposition(
        decomposition.total,
        parts,
        decomposition.maturity,
        decomposition.ex_post,
        (*decomposition.notes, note),
    )


def _checked_maturity(maturity: Any) -> float:
    if not is_number(maturity):
        raise InputError("maturity", f"{maturity!r} is not a number of years")
    if not _SHORTEST_MATURITY <= maturity <= _LONGEST_MATURITY:
        problem = f"is {maturity:g} years, expected a day or more and at most {_LONGEST_MATURITY:g}"
        raise InputError("maturity", problem, fix="10 for ten years")
    return float(maturity)


def _read_parts(parts: Any, total: pd.Series[float], maturity: float) -> pd.DataFrame:
    if not isinstance(parts, Mapping | pd.DataFrame) or not len(parts.keys()):
        problem = f"expected a mapping of name to Series, got {type(parts).__name__}"
        raise InputError("parts", problem, fix="{'real': ..., 'breakeven': ...}")
    columns = {}
    for name in parts.keys():  # noqa: SIM118 - a DataFrame iterates over columns either way
        column = read_yields(parts[name], "parts", str(name))
        refuse_other_dates(column, total, "parts", str(name))
        refuse_other_maturity(column.name, maturity, "parts", str(name))
        columns[str(name)] = column
    return pd.DataFrame(columns)


def refuse_no_decomposition(decomposition: Any) -> None:
    """Refuse what is no decomposition of a yield."""
    if not isinstance(decomposition, YieldDecomposition):
        problem = f"expected a YieldDecomposition, got {type(decomposition).__name__}"
        raise InputError("decomposition", problem, fix="pass what decompose_yield returns")


def _refuse_names(names: list[str]) -> None:
    taken = [name for name in names if name in _TAKEN]
    if taken:
        problem = f"a part is called {taken[0]!r}, which is a word of the tables"
        raise InputError("parts", problem, fix="rename it")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError("parts", f"two parts are called {twice[0]!r}", fix="rename one")


def _refuse_residual(gap: FloatArray, dates: pd.Index) -> None:
    bad = np.flatnonzero(np.abs(gap) > _ADDITIVE)
    if len(bad):
        problem = f"the total less the parts is {gap[bad[0]]:.3g} ({gap[bad[0]] * 1e4:.3g} bp)"
        raise InputError(
            "parts",
            f"{problem}, not 0 within {_ADDITIVE:g}",
            count=len(bad),
            date=dates[bad[0]],
            fix="leave out the part with the rounding or the error, and name it as the rest",
        )


def _read_spread(cds: Any, decomposition: YieldDecomposition) -> FloatArray:
    """Return a spread in basis points as a fraction a year."""
    if not isinstance(cds, pd.Series):
        raise InputError("cds", f"expected a Series with dates, got {type(cds).__name__}")
    dates = validate_index(cds.index, "cds")
    values = float_column(cds, "cds", dates)
    refuse_unknown(values, dates, "cds", None)
    refuse_other_dates(pd.Series(values, index=dates), decomposition.total, "cds", str(cds.name))
    refuse_other_maturity(cds.name, decomposition.maturity, "cds")
    _refuse_no_basis_points(values, dates)
    return values / 1e4


def _refuse_no_basis_points(values: FloatArray, dates: pd.DatetimeIndex) -> None:
    typical = float(np.median(values))
    negative = np.flatnonzero(values < 0.0)
    if len(negative):
        raise InputError("cds", f"a spread of {values[negative[0]]:g}", date=dates[negative[0]])
    wide = np.flatnonzero(values >= _WIDEST_SPREAD)
    if len(wide):
        problem = f"a spread of {values[wide[0]]:,g} basis points is {values[wide[0]] / 1e4:.0%} a year"
        fix = "divide by what it was multiplied with: 25 is a quarter of a percent"
        raise InputError("cds", problem, date=dates[wide[0]], fix=fix)
    if typical < 1.0:
        problem = f"the median spread is {typical:g}, which is not in basis points"
        raise InputError("cds", problem, fix="multiply percent by 100, fractions by 10,000")
