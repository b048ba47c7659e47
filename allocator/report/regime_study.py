"""The regimes of a study: how stocks and bonds move together, and what each strategy did, in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import final

import pandas as pd

from allocator.errors import InputError
from allocator.market import Market
from allocator.market.resample import month_ends
from allocator.regimes import (
    ConditionalTable,
    Regimes,
    conditional_correlation,
    conditional_performance,
    correlation_sign,
    decades,
    eras,
    inflation_level,
    inflation_trend,
)
from allocator.report.comparison import Comparison

__all__ = ["RegimeStudy", "default_regimes", "regime_frame", "study_regimes"]

_ESTIMATE = ["n", "correlation", "low", "high"]


@final
@dataclass(frozen=True, eq=False)
class RegimeStudy:
    """Tables by regime, one a definition of regimes.

    Attributes
    ----------
    correlation
        Stock–bond correlation over the whole market, at the market's own frequency.
    month_end_correlation
        The same from month ends, where the market is daily or weekly; else empty.
    performance
        Sharpe ratio and drawdown of the strategies over their common window.
    left_out
        Tables that could not be made here, and why.
    """

    correlation: tuple[ConditionalTable, ...]
    month_end_correlation: tuple[ConditionalTable, ...]
    performance: tuple[ConditionalTable, ...]
    left_out: tuple[str, ...]


def default_regimes(market: Market, stocks: str, bonds: str) -> list[Regimes]:
    """Return the regimes that a study of this market looks at.

    Inflation where the market has the signal ``inflation``, as known and as it was; eras; decades, unless
    a decade has too few rows; the sign of the trailing correlation of the two assets.
    """
    found: list[Regimes] = []
    if "inflation" in market.signals:
        found += [inflation_level(market), inflation_trend(market)]
        if market.signal("inflation").describes is not None:
            found += [inflation_level(market, ex_post=True), inflation_trend(market, ex_post=True)]
    found += [correlation_sign(market, stocks, bonds), eras(market.index[1:])]
    if market.frequency.periods_per_year >= 12:
        found.append(decades(market.index[1:]))
    return found


def study_regimes(comparison: Comparison, stocks: str, bonds: str, *, seed: int = 0) -> RegimeStudy:
    """Return the correlation of two assets, and how the strategies did, in the default regimes.

    Parameters
    ----------
    comparison
        What was run; the correlation is over its whole market, not only the common window.
    stocks, bonds
        Names of the two assets in the market.
    seed
        Of the bootstrap.
    """
    market = comparison.market
    regimes = default_regimes(market, stocks, bonds)
    returns = pd.concat([backtest.returns for backtest in comparison.backtests], axis=1, join="inner")
    cash = comparison.backtests[0].cash_returns
    periods = market.frequency.periods_per_year
    correlation, why = _tables(regimes, lambda each: _correlation(market, stocks, bonds, each, seed))
    performance, why_not = _tables(
        regimes, lambda each: conditional_performance(returns, cash, each, periods, seed=seed)
    )
    by_month: tuple[ConditionalTable, ...] = ()
    if not market.frequency.is_calendar:
        thinned = month_ends(market)
        by_month, _ = _tables(
            default_regimes(thinned, stocks, bonds), lambda each: _correlation(thinned, stocks, bonds, each, seed)
        )
    return RegimeStudy(correlation, by_month, performance, tuple(dict.fromkeys(why + why_not)))


def regime_frame(study: RegimeStudy) -> pd.DataFrame:
    """Return all correlations in one frame for a file: a row a regime, fractions, month ends beside."""
    frame = pd.concat([_flat(result) for result in study.correlation], ignore_index=True)
    first = ["regime", *_ESTIMATE]
    frame = frame[[*first, *(column for column in frame.columns if column not in first)]]
    if not study.month_end_correlation:
        return frame
    months = pd.concat([_flat(result) for result in study.month_end_correlation], ignore_index=True)
    keys = ["definition", "ex_post", "regime"]
    named = months[[*keys, *_ESTIMATE]].rename(columns={name: f"month_end_{name}" for name in _ESTIMATE})
    return frame.merge(named, on=keys, how="left")


def _correlation(market: Market, stocks: str, bonds: str, regimes: Regimes, seed: int) -> ConditionalTable:
    returns = market.returns[[stocks, bonds]].dropna()  # only the rows before both are listed
    return conditional_correlation(returns[stocks], returns[bonds], regimes, seed=seed)


def _tables(
    regimes: Iterable[Regimes], make: Callable[[Regimes], ConditionalTable]
) -> tuple[tuple[ConditionalTable, ...], tuple[str, ...]]:
    """Return a table for each definition that gives one, and why the others do not."""
    tables, left_out = [], []
    for each in regimes:
        try:
            tables.append(make(each))
        except InputError as refusal:
            left_out.append(f"{each.name} ({each.rule}): {refusal.problem}")
    return tuple(tables), tuple(left_out)


def _flat(result: ConditionalTable) -> pd.DataFrame:
    regimes, p_equal = result.regimes, result.p_equal
    assert isinstance(p_equal, float)  # one pair of series, one test
    return result.table.reset_index().assign(
        definition=regimes.name, rule=regimes.rule, ex_post=regimes.ex_post, p_equal=p_equal
    )
