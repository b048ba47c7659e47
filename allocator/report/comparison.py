"""Compare strategies on the same market, rules, costs and dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import pandas as pd

from allocator.engine import Backtest, Costs, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import first_decision, mandate_of
from allocator.engine.notes import notes_beside_others
from allocator.engine.show import conventions
from allocator.errors import InputError, iso_date
from allocator.frequency import years_between
from allocator.market import Market
from allocator.market.market import Date
from allocator.report import show
from allocator.report.sharpe_differences import SharpeComparison, compare_sharpe
from allocator.statistics import performance_summary

__all__ = ["Comparison", "compare"]

_FEWEST_OF_A_TAIL = 20  # of which one period is the worst 5 %
_ONE_YEAR = 0.98  # calendar years of the days between two closes a year apart fall short by holidays


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
        first build), ``trading_cost``, ``fees`` (management and short), ``interest_earned`` on cash that is
        held and ``interest_paid`` on what is borrowed (of value).
    backtests
        The records, in the same order.
    market
        What they ran in.
    dates
        The closes of the common window, the first build's included; a ruined run stops before their end.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    backtests: tuple[Backtest, ...]
    market: Market
    dates: pd.DatetimeIndex
    conventions: tuple[str, ...]

    # Made when it is looked at: it resamples, and who only wants the backtests should not wait for that.
    @cached_property
    def sharpe_differences(self) -> SharpeComparison:
        """What :func:`compare_sharpe` finds, or refuses, over the whole window, from the first strategy."""
        return compare_sharpe(self)

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
    max_leverage: float | None = None,
    allow_short: bool = False,
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
    if not isinstance(market, Market):
        raise InputError("market", f"expected a Market, got {type(market).__name__}")

    def run(strategy: Strategy, first: Date | None) -> Backtest:
        return run_backtest(
            strategy,
            market,
            rebalancing=rebalancing,
            costs=costs,
            lag=lag,
            start=first,
            end=end,
            unlisted=unlisted,
            max_leverage=max_leverage,
            allow_short=allow_short,
        )

    mandate = mandate_of(unlisted, max_leverage, allow_short)
    possible = [first_decision(strategy, market, mandate) for strategy in chosen]
    latest = chosen[possible.index(max(possible))]
    reference = run(latest, start)
    common = reference.returns.index[0].date()
    backtests = tuple(reference if each is latest else run(each, common) for each in chosen)
    world = market if end is None else market.until(end)
    window = _window(reference, min(possible) if start is None else None)
    dates = pd.DatetimeIndex(max((each.value.index for each in backtests), key=len))
    return Comparison(_table(backtests), backtests, world, dates, (window, *_conventions(backtests)))


def _distinct(strategies: Iterable[Strategy]) -> Sequence[Strategy]:
    if not isinstance(strategies, Iterable):
        raise InputError("strategies", f"{strategies!r} is no list", fix="pass a list such as [SixtyForty()]")
    chosen = list(strategies)
    if not chosen:
        raise InputError("strategies", "none given", fix="pass a list such as [SixtyForty()]")
    for strategy in chosen:
        if not isinstance(strategy, Strategy):
            raise InputError("strategies", f"{strategy!r} is no Strategy", fix="pass instances: SixtyForty()")
        if not isinstance(getattr(strategy, "name", None), str):
            raise InputError("strategies", f"{strategy!r} has no name", fix="add a field: name: str = 'mine'")
    names = [strategy.name for strategy in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("strategies", f"two are called {twice!r}", fix="give one another name=")
    return chosen


def _table(backtests: Sequence[Backtest]) -> pd.DataFrame:
    rows = [_statistics(backtest) for backtest in backtests]
    table = pd.concat(rows)
    table.index = pd.Index([b.name for b in backtests], name="strategy")
    return table.join(pd.DataFrame([_flows(b) for b in backtests], index=table.index))


def _statistics(backtest: Backtest) -> pd.DataFrame:
    """Return the summary in one row; a ruined run may be too short to know its frequency, so the market's."""
    periods = backtest.market.frequency.periods_per_year
    start = backtest.value.index[0]
    return performance_summary(backtest.returns, backtest.cash_returns, periods, start).iloc[[0]]


def _flows(backtest: Backtest) -> dict[str, float]:
    """Return what was traded and paid, a year, as fractions of the value before."""
    dates = pd.DatetimeIndex(backtest.value.index)
    years = float(years_between(dates, backtest.market.frequency).sum())
    before = backtest.value.shift(1).iloc[1:]
    interest = backtest.interest / before
    borrowed = backtest.weights["cash"].shift(1).iloc[1:] < 0.0
    fees = -backtest.itemised[["short_fees", "management_fee"]].sum(axis=1).iloc[1:] / before
    paid = backtest.trading_costs.sum(axis=1)
    worth = backtest.value.reindex(paid.index) + paid
    return {
        "turnover": float(backtest.turnover.iloc[1:].sum()) / years,
        "trading_cost": float((paid / worth).sum()) / years,
        "fees": float(fees.sum()) / years,
        "interest_earned": float(interest[~borrowed].sum()) / years,
        "interest_paid": -float(interest[borrowed].sum()) / years + 0.0,
    }


def _window(reference: Backtest, earliest: int | None) -> str:
    """Return where the window begins and, where nobody asked for a start, which strategy decides it."""
    line = f"window: all strategies from the close of {iso_date(reference.value.index[0])}"
    if earliest is None:
        return line
    market, begins = reference.market, iso_date(reference.market.index[earliest + reference.lag])
    alone = (
        f"; alone, others could begin on {begins}" if market.index[earliest] < reference.decided[0] else ""
    )
    return f"{line}, the first at which all can decide ({reference.name!r} is the last{alone})"


def _notes(backtests: Sequence[Backtest]) -> list[str]:
    """Return what should be known of the runs: once where it holds for all, else with the name of each."""
    notes = {b.name: notes_beside_others(b) for b in backtests}
    shared = [note for note in notes[backtests[0].name] if all(note in each for each in notes.values())]
    named = [f"{name!r}: {note}" for name, each in notes.items() for note in each if note not in shared]
    return [*shared, *named]


def _short_sample(longest: Backtest) -> list[str]:
    """Return what a short sample cannot say: a year, or a tail."""
    dates = pd.DatetimeIndex(longest.value.index)
    years, n = float(years_between(dates, longest.market.frequency).sum()), len(dates) - 1
    short = f"annualised from {years:.2g} years: what is stated a year was never seen over one"
    tail = (
        f"VaR and ES at 95 % of {n} periods, fewer than {_FEWEST_OF_A_TAIL}: hardly more than the worst one"
    )
    return [short] * (years < _ONE_YEAR) + [tail] * (n < _FEWEST_OF_A_TAIL)


def _conventions(backtests: Sequence[Backtest]) -> tuple[str, ...]:
    longest = max(backtests, key=lambda backtest: len(backtest.value))
    periods = longest.market.frequency.periods_per_year
    ruined = (
        f"{b.name!r} was ruined on {iso_date(b.ruined_on)}: nothing was left, and its numbers end there"
        for b in backtests
        if b.ruined_on is not None
    )
    return (
        *ruined,
        *conventions(longest),
        *_notes(backtests),
        *_short_sample(longest),
        f"Sharpe: mean excess of simple returns over cash / sd (ddof 1) × √{periods}; ± one standard error "
        "(Mertens, 2002: not normal, no autocorrelation) of that ratio alone, no test of a difference",
        "drawdown from wealth 1 before the first return; VaR and ES of one period, historical, positive "
        "losses; turnover one-way a year without the first build",
    )
