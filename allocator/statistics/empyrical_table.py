"""The familiar empyrical-reloaded table, computed by that library; its only importer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.frequency import FREQUENCIES
from allocator.statistics._cash import Cash, read_cash
from allocator.statistics._returns import FloatArray, Returns, periods_in_year, read_returns
from allocator.statistics.performance import kurtosis, skewness

__all__ = ["empyrical_summary"]


def empyrical_summary(returns: Returns, cash: Cash, periods_per_year: float | None = None) -> pd.DataFrame:
    """Return empyrical-reloaded's numbers under their usual names, as fractions.

    They follow its conventions (years are rows over periods a year, undefined ratios may be infinite),
    fed correctly: one column at a time because it pools the columns of a table, cash returns a period
    where it would take an annual rate for one, and the periods per year of the data where it assumes
    252. Skew and kurtosis, which it takes from SciPy, are ours and equal.

    Parameters
    ----------
    returns
        Simple returns, (n_periods,) or (n_periods, n_series), fractions.
    cash
        Annual effective rate, or the return of cash in every period.
    periods_per_year
        Inferred from dates; required for arrays.

    Returns
    -------
    pandas.DataFrame
        A row a statistic, a column a series. The last row is named after the frequency: "Daily value
        at risk" for daily returns. Its sign is empyrical's: a loss is negative.
    """
    table = read_returns(returns).as_frame()
    periods = periods_in_year(table, periods_per_year)
    earned = read_cash(cash, table, periods_per_year)
    with np.errstate(all="ignore"):  # its numbers are NaN or infinite where ours say why
        columns = [_statistics_of(column, earned, periods) for column in table.matrix.T]
    summary = pd.DataFrame(dict(enumerate(columns))).set_axis(table.columns, axis=1)
    summary.loc["Skew"], summary.loc["Kurtosis"] = skewness(table), kurtosis(table)
    return summary.rename(index={"Value at risk": _name_of_risk(periods)})


def _statistics_of(returns: FloatArray, cash: FloatArray, periods: float) -> dict[str, Any]:
    import empyrical  # heavy: scipy.stats, and nobody else needs it

    return {
        "Annual return": empyrical.annual_return(returns, annualization=periods),
        "Cumulative returns": empyrical.cum_returns_final(returns),
        "Annual volatility": empyrical.annual_volatility(returns, annualization=periods),
        "Sharpe ratio": empyrical.sharpe_ratio(returns, risk_free=cash, annualization=periods),
        "Calmar ratio": empyrical.calmar_ratio(returns, annualization=periods),
        "Stability": empyrical.stability_of_timeseries(returns),
        "Max drawdown": empyrical.max_drawdown(returns),
        "Omega ratio": empyrical.omega_ratio(returns, risk_free=cash, annualization=1),
        "Sortino ratio": empyrical.sortino_ratio(returns, required_return=cash, annualization=periods),
        "Skew": np.nan,
        "Kurtosis": np.nan,
        "Tail ratio": empyrical.tail_ratio(returns),
        "Value at risk": empyrical.value_at_risk(returns),
    }


def _name_of_risk(periods: float) -> str:
    name = next((f.name for f in FREQUENCIES.values() if f.periods_per_year == periods), "")
    return f"{name} value at risk".strip().capitalize()
