"""Run a strategy through a market."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.accounting import (
    Accounts,
    Financing,
    account,
    drifted_weights,
    financing_indices,
)
from allocator.engine.costs import Costs
from allocator.engine.rebalancing import Rebalancing, default_rebalancing
from allocator.engine.result import Backtest
from allocator.engine.strategy import UNLISTED_POLICIES, Strategy, decide
from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.frequency import per_period_rate, years_between
from allocator.market import Market
from allocator.market.market import Date, cut, parse_date

__all__ = ["first_decision", "run_backtest"]


def run_backtest(
    strategy: Strategy,
    market: Market,
    *,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
) -> Backtest:
    """Run a strategy through a market and return the record.

    Weights decided on data up to the close of row t trade at the close of row t + ``lag`` and earn
    from the next row on. Units are held in between. The last row of the table never trades.

    Parameters
    ----------
    strategy
        What to hold.
    market
        What the world did.
    rebalancing
        When to decide anew; by default monthly, or at the data's own frequency where that is slower.
    costs
        By default ``Costs()``: 5 basis points of the traded notional, borrowing at cash + 0.5 % a year.
    lag
        Rows between decision and trade; by default 1 on daily data, 0 on slower data.
    start
        The first date whose return counts: the portfolio is built at the close of the row before. By
        default, the first that the strategy's history and the listing of its assets allow.
    end
        The last date; by default the last of the market.
    unlisted
        What to do when a strategy wants an asset without a price yet: ``"error"``, ``"pro_rata"`` (scale
        up the others) or ``"cash"``.

    Raises
    ------
    InputError
        If an argument is refused.
    InsufficientHistoryError
        If the strategy cannot decide by ``start``; says which date would do.
    StrategyError
        If the strategy fails or answers what is no set of weights.
    """
    charges = costs if costs is not None else Costs()
    _check_kinds(strategy, market, rebalancing, charges)
    world = market if end is None else _ended(market, end)
    rule = rebalancing if rebalancing is not None else default_rebalancing(world.frequency)
    delay = _checked_lag(lag, world)
    _check_policy(unlisted)
    run = _Run(strategy, world, rule, charges, delay, unlisted)
    first = _first_row(run, start)
    financing = _financing(world, charges)
    plan = _plan(run, financing, first)
    built = first + delay
    accounts = account(
        world.levels[built:],
        Financing(financing.lent[built:], financing.borrowed[built:]),
        plan.decided + delay - built,
        plan.targets,
        charges.rates(world.assets),
        1.0,
    )
    return _record(run, plan, built, accounts)


def first_decision(strategy: Strategy, market: Market, unlisted: str = "error", row: int = 0) -> int:
    """Return the first row, from ``row`` on, where a strategy can decide: enough history, assets listed."""
    while True:
        try:
            decide(strategy, market, row, unlisted)
        except InsufficientHistoryError as short:
            row = max(row + 1, short.rows_needed - 1)
            if row >= len(market.index) - 1:
                raise InsufficientHistoryError(
                    "prices",
                    f"{len(market.index)} rows; {strategy.name!r} needs {row + 1} to decide, and one after",
                    asset=short.asset,
                    date=market.index[-1],
                    rows_needed=row + 2,
                    fix="give a longer history or ask for a shorter one",
                ) from short
        else:
            return row


@dataclass(frozen=True, eq=False)
class _Run:
    """What was asked for, checked."""

    strategy: Strategy
    market: Market
    rule: Rebalancing
    costs: Costs
    lag: int
    unlisted: str


@dataclass(frozen=True, eq=False)
class _Plan:
    """Rows of decision, shape (n_trades,), and what was decided, shape (n_trades, n_assets)."""

    decided: NDArray[np.int64]
    targets: NDArray[np.float64]


def _plan(run: _Run, financing: Financing, first: int) -> _Plan:
    """Decide at the first row, and again whenever the rule asks and the trade falls before the last row."""
    scheduled = run.rule.scheduled(run.market.index, run.market.frequency)
    last = len(run.market.index) - 1
    rows, targets = [first], [decide(run.strategy, run.market, first, run.unlisted)]
    while True:
        position = int(np.searchsorted(scheduled, rows[-1], side="right"))
        planned = int(scheduled[position]) if position < len(scheduled) else None
        row = _breach(run, financing, rows[-1] + run.lag, targets[-1], last if planned is None else planned)
        row = planned if row is None else row
        if row is None or row + run.lag >= last:
            return _Plan(np.array(rows), np.array(targets))
        rows.append(row)
        targets.append(decide(run.strategy, run.market, row, run.unlisted))


def _breach(
    run: _Run, financing: Financing, traded: int, target: NDArray[np.float64], stop: int
) -> int | None:
    """Return the first close after a trade and before ``stop`` at which the drift asks for a decision.

    After a ruin there is no decision; the row that ends the search is then past the last.
    """
    nothing = np.empty((0, len(target)))
    if run.rule.breached(nothing, target) is None:  # a calendar: do not compute the drift
        return None
    for rows in _doubling(traded + 1, stop):
        drifted, growth = drifted_weights(run.market.levels, financing, traded, rows, target)
        alive = len(growth) if (growth > 0.0).all() else int(np.argmax(growth <= 0.0))
        asked = run.rule.breached(drifted[:alive], target)
        if asked is not None and asked.any():
            return int(rows.start + np.argmax(asked))
        if alive < len(growth):
            return len(run.market.index)
    return None


def _doubling(start: int, stop: int) -> Iterator[slice]:
    """Yield windows that double: a breach is usually near, and far ones cost few steps."""
    length = 32
    while start < stop:
        yield slice(start, min(start + length, stop))
        start, length = start + length, 2 * length


def _check_kinds(strategy: object, market: object, rebalancing: object, costs: object) -> None:
    if not isinstance(strategy, Strategy):
        raise InputError(
            "strategy", f"expected a Strategy, got {strategy!r}", fix="pass one such as SixtyForty()"
        )
    if not isinstance(getattr(strategy, "name", None), str):
        raise InputError("strategy", f"{strategy!r} has no name", fix="add a field: name: str = 'my idea'")
    if not isinstance(market, Market):
        raise InputError(
            "market", f"expected a Market, got {type(market).__name__}", fix="pass Market(prices, cash)"
        )
    if "cash" in market.assets:
        raise InputError(
            "market", "is the name of what is not invested", asset="cash", fix="rename the asset"
        )
    if not isinstance(rebalancing, Rebalancing | None):
        rules = (
            "Daily(), Weekly(), Monthly(), Quarterly(), Yearly(), EveryNRows(n), Band(width) or BuyAndHold()"
        )
        raise InputError("rebalancing", f"{rebalancing!r} is not a rule", fix=f"pass {rules}")
    if not isinstance(costs, Costs):
        raise InputError(
            "costs", f"{costs!r} is not a Costs", fix="pass Costs(trading=0.0005, borrow_spread=0.005)"
        )


def _ended(market: Market, end: Date) -> Market:
    first_day, last_day = parse_date(end, "end"), parse_date(end, "end", last=True)
    stop = int(market.index.searchsorted(last_day, side="right"))
    if not stop or (first_day - market.index[-1]).days > market.frequency.longest_step:
        span = f"{iso_date(market.index[0])} to {iso_date(market.index[-1])}"
        raise InputError("end", f"{end} is outside the market, {span}", fix="choose a date in it")
    return cut(market, stop)


def _checked_lag(lag: int | None, market: Market) -> int:
    if lag is None:
        return 1 if market.frequency.name == "daily" else 0
    if isinstance(lag, bool) or not isinstance(lag, int | np.integer):
        raise InputError("lag", f"{lag!r} is a {type(lag).__name__}", fix="pass a number of rows")
    if lag < 0:
        raise InputError("lag", f"{lag} would trade on the future", fix="pass 0 or more rows")
    if lag >= len(market.index) - 1:
        raise InputError("lag", f"{lag} rows, but the market has {len(market.index)}", fix="pass fewer rows")
    return int(lag)


def _check_policy(unlisted: str) -> None:
    if unlisted not in UNLISTED_POLICIES:
        raise InputError("unlisted", f"{unlisted!r} is none of {', '.join(UNLISTED_POLICIES)}")


def _first_row(run: _Run, start: Date | None) -> int:
    """Return the row of the first decision, refusing a start that the history does not allow."""
    market, name, lag = run.market, run.strategy.name, run.lag
    wanted = 0 if start is None else _row_before(market, start) - lag
    possible = first_decision(run.strategy, market, run.unlisted, max(wanted, 0))
    if possible + lag >= len(market.index) - 1:
        raise InsufficientHistoryError(
            "prices",
            f"{len(market.index)} rows; {name!r} can first decide on row {possible + 1}, "
            f"trades {lag} later, and needs a row after",
            date=market.index[-1],
            rows_needed=possible + lag + 2,
            fix="give a longer history",
        )
    if start is not None and possible != wanted:
        raise InsufficientHistoryError(
            "start",
            f"{start} is too early: {name!r} lacks the history or the assets to decide by then",
            rows_needed=possible + 1,
            fix=f"start on {iso_date(market.index[possible + lag + 1])} or later",
        )
    return possible


def _row_before(market: Market, start: Date) -> int:
    row = int(market.index.searchsorted(parse_date(start, "start"), side="left"))
    if row >= len(market.index):
        raise InputError(
            "start",
            f"{start} is after the last row",
            date=market.index[-1],
            fix="choose an earlier start or a later end",
        )
    return row - 1


def _financing(market: Market, costs: Costs) -> Financing:
    years = np.concatenate([[0.0], years_between(market.index, market.frequency)])
    return financing_indices(market.cash, per_period_rate(costs.borrow_spread, years))


def _record(run: _Run, plan: _Plan, built: int, accounts: Accounts) -> Backtest:
    """Put the labels back on the numbers."""
    market, name = run.market, run.strategy.name
    stop = built + len(accounts.value)
    dates = market.index[built:stop]
    traded, n_trades = dates[accounts.trade_rows], len(accounts.trade_rows)
    growth = accounts.value[1:] / np.append(1.0, accounts.value[1:-1])

    def by_trade(numbers: NDArray[np.float64]) -> pd.DataFrame:
        return pd.DataFrame(numbers, index=traded, columns=list(market.assets))

    return Backtest(
        name=name,
        strategy=run.strategy,
        market=cut(market, stop),
        rebalancing=run.rule,
        costs=run.costs,
        lag=run.lag,
        unlisted=run.unlisted,
        value=pd.Series(accounts.value, index=dates, name=name),
        returns=pd.Series(growth - 1.0, index=dates[1:], name=name),
        cash_returns=pd.Series(market.cash[built + 1 : stop], index=dates[1:], name="cash", copy=True),
        targets=by_trade(accounts.targets),
        decided=market.index[plan.decided[:n_trades]],
        trades=by_trade(accounts.trades),
        trading_costs=by_trade(accounts.costs),
        turnover=pd.Series(
            np.abs(accounts.targets - accounts.before).sum(axis=1) / 2, index=traded, name="turnover"
        ),
        interest=pd.Series(accounts.interest[1:], index=dates[1:], name="interest"),
        ruined_on=dates[-1] if accounts.ruined else None,
        conventions=_conventions(run, dates),
        accounts=accounts,
    )


def _conventions(run: _Run, dates: pd.DatetimeIndex) -> tuple[str, ...]:
    market, lag = run.market, run.lag
    timing = "the same close" if lag == 0 else f"the close {lag} row{'s' if lag > 1 else ''} later"
    return (
        f"data: {market.name}{' (SIMULATED)' if market.simulated else ''}, {market.frequency}, "
        f"{iso_date(dates[0])} to {iso_date(dates[-1])}",
        *market.notes,
        f"timing: decided at a close, traded at {timing}; {run.rule}; "
        "units held between trades; the last row never trades",
        f"costs: {run.costs}, exactly self-financing, the first build included",
        f"assets not listed yet: {run.unlisted}",
    )
