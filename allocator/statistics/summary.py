"""One table of everything that is usually asked about return series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.statistics._cash import Cash
from allocator.statistics._returns import Returns, ReturnTable, read_returns
from allocator.statistics.drawdown import worst_drawdown
from allocator.statistics.performance import (
    best_period,
    cagr,
    calmar_ratio,
    kurtosis,
    sharpe_ratio,
    sharpe_standard_error,
    skewness,
    sortino_ratio,
    volatility,
    worst_period,
)
from allocator.statistics.tail import expected_shortfall, value_at_risk

__all__ = ["performance_summary"]


def performance_summary(
    returns: Returns,
    cash: Cash,
    periods_per_year: float | None = None,
    start: pd.Timestamp | str | None = None,
) -> pd.DataFrame:
    """Return performance, drawdown and tail of every series, a row each, all as fractions.

    Parameters
    ----------
    returns
        Simple returns, (n_periods,) or (n_periods, n_series).
    cash
        Annual effective rate, or the return of cash in every period.
    periods_per_year
        Inferred from dates; required for arrays.
    start
        Date of the close before the first return.

    Returns
    -------
    pandas.DataFrame
        Columns ``cagr``, ``volatility``, ``sharpe``, ``sharpe_se``, ``sortino``, ``max_drawdown``,
        ``peak``, ``trough``, ``recovery`` (of the deepest drawdown; missing while it is open),
        ``calmar``, ``var_95``, ``es_95`` (of one period, positive), ``skew``, ``kurtosis`` (excess),
        ``best``, ``worst``, ``n``. A NaN comes with a warning that says why.
    """
    table = read_returns(returns).as_frame()
    deepest = _deepest_drawdowns(table, start)
    columns = {
        "cagr": cagr(table, periods_per_year, start),
        "volatility": volatility(table, periods_per_year),
        "sharpe": sharpe_ratio(table, cash, periods_per_year),
        "sharpe_se": sharpe_standard_error(table, cash, periods_per_year),
        "sortino": sortino_ratio(table, cash, periods_per_year),
        **{name: deepest[name] for name in deepest},
        "calmar": calmar_ratio(table, periods_per_year, start),
        "var_95": value_at_risk(table),
        "es_95": expected_shortfall(table),
        "skew": skewness(table),
        "kurtosis": kurtosis(table),
        "best": best_period(table),
        "worst": worst_period(table),
        "n": np.full(len(table.columns), table.n_periods),
    }
    return pd.DataFrame(columns, index=table.columns)


def _deepest_drawdowns(table: ReturnTable, start: pd.Timestamp | str | None) -> dict[str, Any]:
    worst = [worst_drawdown(table.column(number), start) for number in range(len(table.columns))]
    kind: Any = "Int64" if table.dates is None else table.dates.dtype
    dates = {
        name: pd.Series([getattr(drawdown, name) for drawdown in worst], table.columns, dtype=kind)
        for name in ("peak", "trough", "recovery")
    }
    return {"max_drawdown": np.array([drawdown.depth for drawdown in worst]), **dates}
