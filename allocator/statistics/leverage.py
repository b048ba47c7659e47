"""What leverage did to a return: the identity of Anderson, Bianchi and Goldberg (2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.statistics._cash import Cash, read_cash
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import (
    FloatArray,
    Returns,
    ReturnTable,
    periods_in_year,
    read_numbers,
    read_one_series,
)
from allocator.statistics.block_length import optimal_block_length
from allocator.statistics.bootstrap import resampled_means
from allocator.tables import html_block, html_table, text_block, text_table

__all__ = ["LEVERAGE_PARTS", "LeverageAttribution", "levered_return_parts", "split_by_leverage"]

LEVERAGE_PARTS = (
    "source return",
    "magnified by leverage",
    "covariance with leverage",
    "borrowing above cash",
)
_FEWEST = 12  # fewer returns than this say nothing about their own error


@final
@dataclass(frozen=True, eq=False, repr=False)
class LeverageAttribution:
    """Parts of the mean return of a levered portfolio, which add up to it.

    Attributes
    ----------
    name
        Of what was levered.
    table
        A row a part and ``levered return``, their sum; columns, as fractions: ``mean`` of one period,
        ``annual`` (mean × periods a year, arithmetic), ``standard_error`` of the annual number, NaN where
        unknown.
    by_period
        Columns ``source``, ``leverage``, ``cash``, ``borrowing``: what went in, a row a period.
    mean_leverage
        Of all periods.
    n
        Periods.
    block_length
        Rows in a block of the bootstrap; 0 where nothing was resampled.
    conventions
        How the numbers were made, a line each.
    """

    name: str
    table: pd.DataFrame
    by_period: pd.DataFrame
    mean_leverage: float
    n: int
    block_length: int
    conventions: tuple[str, ...]

    def __repr__(self) -> str:
        return text_block([self._title, *text_table(*self._cells), *self.conventions])

    def _repr_html_(self) -> str:
        return html_block(self._title, html_table(*self._cells), self.conventions)

    @property
    def _title(self) -> str:
        index = self.by_period.index
        dated = isinstance(index, pd.DatetimeIndex)
        span = f", {iso_date(index[0])} to {iso_date(index[-1])}" if dated else ""
        return f"Leverage: {self.name}{span}, {self.n:,} returns, mean leverage {self.mean_leverage:.2f}"

    @property
    def _cells(self) -> tuple[list[str], list[list[str]]]:
        head = ["", "a period", "a year", "± se"]
        return head, [
            [
                str(part),
                f"{round(mean, 6) + 0.0:.4%}",
                f"{round(annual, 4) + 0.0:.2%}",
                "–" if np.isnan(se) else f"{se:.2%}",
            ]
            for part, (mean, annual, se) in zip(self.table.index, self.table.to_numpy().tolist(), strict=True)
        ]


def levered_return_parts(
    source: Returns,
    leverage: Returns,
    cash: Cash,
    borrowing: Cash,
    *,
    periods_per_year: float | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> LeverageAttribution:
    """Split the mean return of a levered portfolio into what leverage did.

    A portfolio with leverage L of a source that returns r earns L r - (L - 1) c - max(L - 1, 0)(b - c), with
    c the return on cash and b the cost of borrowing. The mean of that is the sum of

    * source return: mean r,
    * magnified by leverage: (mean L - 1) · mean (r - c),
    * covariance with leverage: cov(L, r - c), of the sample and not corrected for its size,
    * borrowing above cash: - mean max(L - 1, 0)(b - c).

    Parameters
    ----------
    source
        Simple returns of the portfolio without leverage.
    leverage
        At the beginning of each period, 1 for none, not negative; same dates or length.
    cash, borrowing
        A Series or an array of returns a period, or a float, an annual effective rate.
    periods_per_year
        Inferred from dates; stated for arrays.
    n_resamples, seed
        Of the standard errors: a circular block bootstrap of all columns together, leverage included, with
        the longest of the optimal block lengths of the parts (Politis and White, 2004).

    Raises
    ------
    InputError
        Other dates or lengths, negative leverage, and what returns are refused for.

    References
    ----------
    Anderson, Bianchi, Goldberg (2014), Determinants of Levered Portfolio Performance, Financial Analysts
    Journal 70(5).
    """
    table = read_one_series(source, "source")
    periods = periods_in_year(table, periods_per_year)
    levels = _read_leverage(leverage, table)
    paid = [
        _read_rate(rate, name, table, periods_per_year)
        for name, rate in (("cash", cash), ("borrowing", borrowing))
    ]
    index = pd.RangeIndex(table.n_periods) if table.dates is None else table.dates
    columns = dict(
        zip(("source", "leverage", "cash", "borrowing"), (table.matrix[:, 0], levels, *paid), strict=True)
    )
    by_period = pd.DataFrame({name: np.array(column) for name, column in columns.items()}, index=index)
    name = "source" if table.is_array or isinstance(source, ReturnTable) else str(table.columns[0])
    return split_by_leverage(by_period, {}, periods, name, (), n_resamples=n_resamples, seed=seed)


def split_by_leverage(
    by_period: pd.DataFrame,
    costs: dict[str, FloatArray],
    periods_per_year: float,
    name: str,
    conventions: tuple[str, ...],
    *,
    n_resamples: int = 2000,
    seed: int = 0,
) -> LeverageAttribution:
    """Return the parts of checked columns, and of costs by period that are parts themselves, negative."""
    source, leverage, cash, borrowing = by_period[["source", "leverage", "cash", "borrowing"]].to_numpy().T
    excess = source - cash
    financing = -np.maximum(leverage - 1.0, 0.0) * (borrowing - cash)
    # Centred, so that moments of what hardly varies keep their digits: see _parts.
    columns = np.column_stack([source, leverage - 1.0, excess, financing, *costs.values()])
    centre = columns.mean(axis=0)
    product = (columns[:, 1] - centre[1]) * (columns[:, 2] - centre[2])
    parts = _parts(np.append(centre, product.mean())[None], centre)[0]
    errors, block = _errors(columns, product, centre, n_resamples, seed)
    total = parts.sum()
    table = pd.DataFrame(
        {
            "mean": np.append(parts, total),
            "annual": np.append(parts, total) * periods_per_year,
            "standard_error": errors * periods_per_year,
        },
        index=pd.Index([*LEVERAGE_PARTS, *costs, "levered return"], name="part"),
    )
    lines = (*_conventions(periods_per_year, block, n_resamples, seed), *conventions)
    return LeverageAttribution(name, table, by_period, float(leverage.mean()), len(source), block, lines)


def _parts(means: FloatArray, centre: FloatArray) -> FloatArray:
    """Return the parts from means of the columns and, last, of the product of leverage and excess.

    Shapes (n_samples, n_columns + 1) and (n_columns,) to (n_samples, n_parts). The product is of deviations
    from the centre of the whole sample; the sample's own centre is taken off here.
    """
    source, over, excess, financing = means[:, :4].T
    covariance = means[:, -1] - (over - centre[1]) * (excess - centre[2])
    return np.column_stack([source, over * excess, covariance, financing, means[:, 4:-1]])


def _errors(
    columns: FloatArray, product: FloatArray, centre: FloatArray, n_resamples: int, seed: int
) -> tuple[FloatArray, int]:
    """Return the standard error of each part and of their sum, a period, and the block length."""
    n_parts = columns.shape[1]
    if n_resamples < 2:
        raise InputError("n_resamples", f"{n_resamples!r} resamples have no spread", fix="pass 1000 or more")
    if len(columns) < _FEWEST:
        return np.full(n_parts + 1, np.nan), 0
    deviations = columns - centre
    influences = [
        deviations[:, 0],
        centre[1] * deviations[:, 2] + centre[2] * deviations[:, 1],
        product,
        *deviations[:, 3:].T,
    ]
    lengths = [optimal_block_length(each)[1] for each in influences if not _is_constant(each, columns)]
    block = int(np.clip(np.ceil(max(lengths, default=1.0)), 1, len(columns) // 3))
    moments = np.column_stack([columns, product])
    means = resampled_means(moments, block, n_resamples, np.random.default_rng(seed))
    parts = _parts(means, centre)
    return np.append(parts.std(axis=0, ddof=1), parts.sum(axis=1).std(ddof=1)), block


def _is_constant(values: FloatArray, columns: FloatArray) -> bool:
    """Whether a series is rounding beside the returns it is made of: it has no autocorrelation."""
    spread = values.std()
    return bool(is_rounding(spread, values)) or bool(spread <= 1e-14 * np.abs(columns[:, 0]).max())


def _conventions(periods: float, block: int, n_resamples: int, seed: int) -> tuple[str, ...]:
    errors = (
        "± se: standard error of the number a year, circular block bootstrap of all columns together, "
        f"blocks of {block}, {n_resamples:,} resamples, seed {seed}"
        if block
        else f"no standard errors: fewer than {_FEWEST} returns"
    )
    return (
        f"a year: mean × {periods:g}, arithmetic; the parts add up; leverage at the beginning of each period",
        errors,
    )


def _read_leverage(leverage: Returns, table: ReturnTable) -> FloatArray:
    levels = read_numbers(leverage, "leverage")
    dates = leverage.index if isinstance(leverage, pd.Series | pd.DataFrame) else None
    _refuse_other_dates("leverage", len(levels), dates, table)
    if levels.min() < 0.0:
        row = int(np.argmax(levels < 0.0))
        raise InputError(
            "leverage", f"{levels[row]:g} is negative", date=table.date(row), fix="1 is no leverage"
        )
    return levels


def _refuse_other_dates(argument: str, n_rows: int, dates: Any, table: ReturnTable) -> None:
    if (dates is None) != (table.dates is None):
        raise InputError(argument, "one of it and source has dates and the other has none")
    if dates is None or table.dates is None:
        if n_rows != table.n_periods:
            raise InputError(argument, f"{n_rows} rows for {table.n_periods} rows of source")
    elif not dates.equals(table.dates):
        absent, extra = table.dates.difference(dates), dates.difference(table.dates)
        problem = "missing" if len(absent) else "is not a date of source"
        date = absent[0] if len(absent) else extra[0]
        raise InputError(argument, problem, date=date, fix="give both the same dates")


def _read_rate(rate: Cash, argument: str, table: ReturnTable, periods_per_year: float | None) -> FloatArray:
    try:
        return read_cash(rate, table, periods_per_year)
    except InputError as error:  # it speaks of cash
        called = error.argument.replace("cash", argument)
        raise InputError(
            called, error.problem, asset=error.asset, date=error.date, count=error.count, fix=error.fix
        ) from None
