"""Several series of returns over cash on the same dates: read, checked, and said where they are too few."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from allocator.errors import InputError
from allocator.statistics._cash import Cash, excess_returns
from allocator.statistics._moments import is_rounding, never_changes, standard_deviation
from allocator.statistics._returns import (
    FloatArray,
    Returns,
    ReturnTable,
    periods_in_year,
    read_one_series,
)

FEWEST_ROWS = 12  # fewer returns than this say nothing that should stand in a table
_FEW_ROWS = 20


@dataclass(frozen=True)
class ExcessReturns:
    """Returns over cash of one or more series on the same dates.

    Attributes
    ----------
    matrix
        Fractions, shape (n_periods, n_series).
    names
        Of the series.
    periods_per_year
        To annualise with.
    is_constant
        Which series never change beyond rounding, shape (n_series,).
    """

    matrix: FloatArray
    names: tuple[str, ...]
    periods_per_year: float
    is_constant: np.typing.NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.matrix)

    @property
    def ratios(self) -> FloatArray:
        """Sharpe ratio of one period of each series (ddof 1), NaN for a constant, shape (n_series,)."""
        spread = standard_deviation(self.matrix)
        return np.asarray(
            self.matrix.mean(axis=0) / np.where(self.is_constant | (spread == 0), np.nan, spread)
        )

    @property
    def missing(self) -> str:
        """Why nothing can be said of these series, or empty."""
        if self.n < FEWEST_ROWS:
            return f"n={self.n}, at least {FEWEST_ROWS} are needed"
        never = [name for name, is_constant in zip(self.names, self.is_constant, strict=True) if is_constant]
        return f"{never[0]!r} never changes over cash, its deviation is 0" if never else ""

    def warn_if_few(self) -> None:
        """Warn that so few rows say little (F141)."""
        if FEWEST_ROWS <= self.n < _FEW_ROWS:
            text = f"n={self.n}: errors and p-values of fewer than {_FEW_ROWS} returns are rough"
            warnings.warn(text, UserWarning, stacklevel=4)


def read_excess(tables: list[ReturnTable], cash: Cash, periods_per_year: float | None) -> ExcessReturns:
    """Return the columns of tables of the same dates over cash, side by side."""
    first, *others = tables
    for other in others:
        refuse_other_rows(first, other)
    raw = np.hstack([table.matrix for table in tables])
    excess = np.hstack([excess_returns(table, cash, periods_per_year) for table in tables])
    # Cash plus a constant leaves rounding of the size of the returns, not of the excess.
    constant = is_rounding(excess.std(axis=0), raw) | (standard_deviation(excess) == 0) | never_changes(raw)
    names = tuple(_name(table, column) for table in tables for column in range(table.matrix.shape[1]))
    return ExcessReturns(excess, names, periods_in_year(first, periods_per_year), constant)


def read_single(returns: Returns, cash: Cash, periods_per_year: float | None) -> ExcessReturns:
    """Return one series over cash."""
    return read_excess([read_one_series(returns)], cash, periods_per_year)


def correlation_of(pair: FloatArray) -> float:
    """Return Pearson's correlation of two columns that change, shape (n_periods, 2)."""
    z = (pair - pair.mean(axis=0)) / pair.std(axis=0)
    return float(np.clip(np.mean(z[:, 0] * z[:, 1]), -1.0, 1.0))


def refuse_confidence(confidence: float) -> None:
    """Refuse a confidence that is no probability."""
    if not isinstance(confidence, int | float | np.number) or not 0.0 < confidence < 1.0:
        raise InputError("confidence", f"{confidence!r} is not between 0 and 1", fix="pass 0.95 for 95 %")


def _name(table: ReturnTable, column: int) -> str:
    if table.is_array:
        return table.argument if table.is_single else f"{table.argument}[{column}]"
    return str(table.columns[column])


def refuse_other_rows(first: ReturnTable, other: ReturnTable) -> None:
    if (first.dates is None) != (other.dates is None):
        dated, bare = (first, other) if other.dates is None else (other, first)
        raise InputError(
            bare.argument,
            f"has no dates and {dated.argument} has",
            fix="pass both as Series, or both as arrays",
        )
    if first.dates is None or other.dates is None:
        if first.n_periods != other.n_periods:
            raise InputError(
                other.argument, f"{other.n_periods} rows for {first.n_periods} rows of {first.argument}"
            )
    elif not first.dates.equals(other.dates):
        only_first = first.dates.difference(other.dates)
        poorer, gap = (other, only_first) if len(only_first) else (first, other.dates.difference(first.dates))
        shared = len(first.dates.intersection(other.dates))
        raise InputError(
            poorer.argument,
            f"missing; {first.argument} has {first.n_periods} dates, {other.argument} {other.n_periods}, "
            f"and they share {shared}",
            date=gap[0],
            count=len(gap),
            fix=f"pass the shared dates: {first.argument}.align({other.argument}, join='inner', axis=0)",
        )
