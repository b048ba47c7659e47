"""Compare strategies on the same market, rules, costs and dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import pandas as pd

from allocator.engine import Backtest, Costs, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import first_decision
from allocator.errors import InputError, iso_date
from allocator.frequency import years_between
from allocator.market import Market
from allocator.market.market import Date
from allocator.report import show
from allocator.statistics import performance_summary

__all__ = ["Comparison", "compare"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Backtests of several strategies over one window, and their statistics.

    Attributes
    ----------
    table
        A row a strategy, fractions: ``cagr``, ``volatility``, ``sharpe``, ``sharpe_se``, ``sortino``,
        ``max_drawdown`` with ``peak``, ``trough`` and ``recovery``, ``calmar``, ``var_95``, ``es_95``,
        ``skew``, ``kurtosis``, ``best``, ``worst``, ``n``, and by year ``turnover`` (one-way, without the
        first build), ``trading_cost``, ``interest_earned`` and ``interest_paid`` (of value).
    backtests
        The records, in the same order.
    market
        What they ran in.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    backtests: tuple[Backtest, ...]
    market: Market
    conventions: tuple[str, ...]

    __repr__ = show.comparison_text
    _repr_html_ = show.comparison_html


def compare(
    strategies: Iterable[Strategy],
    market: Market,
    *,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
) -> Comparison:
    """Run strategies through a market over the window that all of them can cover.

    The arguments are those of :func:`allocator.run_backtest` and hold for every strategy. Without a
    ``start``, all begin on the first date on which the last of them can decide.

    Raises
    ------
    InputError
        If there is no strategy or two have the same name, and what ``run_backtest`` refuses.
    """
    chosen = _distinct(strategies)
    world = market if end is None else market.until(end)
    latest = max(chosen, key=lambda strategy: first_decision(strategy, world, unlisted))
    reference = run_backtest(
        latest, world, rebalancing=rebalancing, costs=costs, lag=lag, start=start, unlisted=unlisted
    )
    common = reference.returns.index[0].date()
    backtests = tuple(
        reference
        if strategy is latest
        else run_backtest(
            strategy, world, rebalancing=rebalancing, costs=costs, lag=lag, start=common, unlisted=unlisted
        )
        for strategy in chosen
    )
    return Comparison(_table(backtests), backtests, world, _conventions(reference, start))


def _distinct(strategies: Iterable[Strategy]) -> Sequence[Strategy]:
    chosen = list(strategies)
    if not chosen:
        raise InputError("strategies", "none given", fix="pass a list such as [SixtyForty()]")
    for strategy in chosen:
        if not isinstance(strategy, Strategy):
            raise InputError("strategies", f"{strategy!r} is no Strategy", fix="pass instances: SixtyForty()")
    names = [strategy.name for strategy in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("strategies", f"two are called {twice!r}", fix="give one another name=")
    return chosen


def _table(backtests: Sequence[Backtest]) -> pd.DataFrame:
    rows = [performance_summary(b.returns, b.cash_returns, start=b.value.index[0]).iloc[[0]] for b in backtests]
    table = pd.concat(rows)
    table.index = pd.Index([b.name for b in backtests], name="strategy")
    return table.join(pd.DataFrame([_flows(b) for b in backtests], index=table.index))


def _flows(backtest: Backtest) -> dict[str, float]:
    """Return what was traded and paid, a year, as fractions of the value before."""
    dates = pd.DatetimeIndex(backtest.value.index)
    years = float(years_between(dates, backtest.market.frequency).sum())
    before = backtest.value.shift(1).iloc[1:]
    interest = backtest.interest / before
    paid = backtest.trading_costs.sum(axis=1)
    worth = backtest.value.reindex(paid.index) + paid
    return {
        "turnover": float(backtest.turnover.iloc[1:].sum()) / years,
        "trading_cost": float((paid / worth).sum()) / years,
        "interest_earned": float(interest.clip(lower=0.0).sum()) / years,
        "interest_paid": float(interest.clip(upper=0.0).abs().sum()) / years,
    }


def _conventions(backtest: Backtest, start: Date | None) -> tuple[str, ...]:
    first = iso_date(backtest.value.index[0])
    window = f"window: all strategies from the close of {first}" + (
        "" if start is not None else f", the first at which all can decide ({backtest.name!r} is the last)"
    )
    periods = backtest.market.frequency.periods_per_year
    return (
        window,
        *backtest.conventions,
        f"Sharpe: mean excess of simple returns over cash / sd (ddof 1) × √{periods}; ± one standard error "
        "(Mertens, 2002: not normal, no autocorrelation)",
        "drawdown from wealth 1 before the first return; VaR and ES of one period, historical, positive losses; "
        "turnover one-way a year without the first build",
    )
