"""Attribution: what each asset, the financing and each cost contributed to return and to risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd

from allocator.engine import Backtest, itemise
from allocator.errors import InputError, iso_date
from allocator.market.market import Date, parse_date
from allocator.statistics._one_thread import inner, product
from allocator.tables import html_block, html_table, text_block, text_table

__all__ = ["Attribution", "attribute_performance"]

_COSTS = ("borrow_spread", "short_fees", "commissions", "bid_ask", "fixed", "management_fee", "written_off")


@final
@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Contributions that add up exactly.

    Attributes
    ----------
    name
        The strategy.
    by_period
        Contribution of each line to the return of each row, shape (n_periods, n_lines): rows add up to the
        returns. Lines: a column an asset, ``cash`` (interest at the cash return, negative on debt), and each
        cost that occurred.
    table
        A row a line and ``total``; columns, as fractions: ``total_return`` over the window, ``mean_return`` a
        year (arithmetic), ``volatility`` a year, and ``risk_share`` of the variance. Each column of the lines
        adds up to its total.
    conventions
        How the numbers were made, a line each.
    """

    name: str
    by_period: pd.DataFrame
    table: pd.DataFrame
    conventions: tuple[str, ...]

    def __repr__(self) -> str:
        head, rows = _cells(self.table)
        return text_block([self._title, *text_table(head, rows), *self.conventions])

    def _repr_html_(self) -> str:
        return html_block(self._title, html_table(*_cells(self.table)), self.conventions)

    @property
    def _title(self) -> str:
        dates = self.by_period.index
        return (
            f"Attribution: {self.name}, {iso_date(dates[0])} to {iso_date(dates[-1])}, {len(dates):,} returns"
        )


def attribute_performance(
    backtest: Backtest, start: Date | None = None, end: Date | None = None
) -> Attribution:
    """Split a backtest's return and risk among assets, financing and costs.

    The contribution of a line to the return of a row is its money over the value before. Contributions to
    the total return are these, each compounded by what the portfolio had grown to before it, so that
    they add up without a residual (Cariño, 1999, discusses the alternatives). The contribution to
    volatility is the covariance with the portfolio's return over its volatility (Litterman, 1996).

    Parameters
    ----------
    backtest
        The record.
    start, end
        First and last date whose return counts; by default all.

    Raises
    ------
    InputError
        If fewer than two returns are left.

    References
    ----------
    Cariño (1999), Combining attribution effects over time, Journal of Performance Measurement 3(4).
    Litterman (1996), Hot spots and hedges, Journal of Portfolio Management 23(5).
    """
    by_period = _window(_by_period(backtest), start, end)
    returns = by_period.sum(axis=1).to_numpy()
    grown = np.append(1.0, np.cumprod(1.0 + returns)[:-1])
    periods = backtest.market.frequency.periods_per_year
    deviation = returns - returns.mean()
    variance = inner(deviation, deviation) / (len(returns) - 1)
    covariance = product(by_period.to_numpy().T, deviation) / (len(returns) - 1)
    scale = np.sqrt(periods / variance) if variance > 0.0 else np.nan
    table = pd.DataFrame(
        {
            "total_return": product(by_period.to_numpy().T, grown),
            "mean_return": by_period.to_numpy().mean(axis=0) * periods,
            "volatility": covariance * scale,
            "risk_share": covariance / variance if variance > 0.0 else np.nan,
        },
        index=by_period.columns,
    )
    table.loc["total"] = table.sum(skipna=False)
    return Attribution(backtest.name, by_period, table, _conventions(backtest, periods))


def _by_period(backtest: Backtest) -> pd.DataFrame:
    """Return what each line added to the return of each row; the first row carries the build."""
    itemised, value = backtest.itemised, backtest.accounts.value
    assets = list(backtest.market.assets)
    money = np.column_stack([itemise.asset_gains(backtest.accounts), itemised[["interest", *_COSTS]]])
    money[1] += money[0]
    before = np.append(backtest.initial_value, value[1:-1])
    lines = [*assets, "cash", *(cost.replace("_", " ") for cost in _COSTS)]
    table = pd.DataFrame(money[1:] / before[:, None], index=itemised.index[1:], columns=lines)
    held = np.append(backtest.accounts.events.targets.any(axis=0), True)
    shown = [*held.tolist(), *(bool(table[line].any()) for line in lines[len(held) :])]
    return table.loc[:, shown]


def _window(by_period: pd.DataFrame, start: Date | None, end: Date | None) -> pd.DataFrame:
    first = parse_date(start, "start") if start is not None else by_period.index[0]
    last = parse_date(end, "end", last=True) if end is not None else by_period.index[-1]
    chosen = by_period.loc[first:last]
    if len(chosen) < 2:
        span = f"{iso_date(by_period.index[0])} to {iso_date(by_period.index[-1])}"
        raise InputError(
            "start", f"{len(chosen)} returns are left; the run has {span}", fix="widen the window"
        )
    return chosen


def _conventions(backtest: Backtest, periods: int) -> tuple[str, ...]:
    return (
        "total return: contributions compounded by the portfolio's growth before them; a year: mean × "
        f"{periods}; volatility: covariance with the portfolio / its volatility × √{periods}; "
        "each column adds up",
        *backtest.conventions,
    )


def _cells(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    head = ["", "total return", "a year", "volatility", "share of risk"]
    return head, [
        [str(line), *("–" if pd.isna(cell) else f"{cell:.2%}" for cell in row)]
        for line, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    ]
