"""Run a strategy through a market."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import pandas as pd

from allocator.engine.accounting import Accounts, account
from allocator.engine.costs import Charges, Costs
from allocator.engine.decisions import (
    MOST_LEVERAGE,
    UNLISTED_POLICIES,
    Decision,
    Mandate,
    NotListedError,
    decide,
)
from allocator.engine.ground import Ground, in_order
from allocator.engine.paths import Events
from allocator.engine.plan import Flows, Run, make_plan
from allocator.engine.planned import TargetWeights
from allocator.engine.rebalancing import OnDates, Rebalancing, default_rebalancing
from allocator.engine.result import Backtest
from allocator.engine.strategy import Strategy
from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.market import Market
from allocator.market.market import Date, cut, parse_date
from allocator.market.prices import float_column, validate_index

__all__ = ["first_decision", "ground_of", "mandate_of", "run_backtest"]

_ROUNDING = 1e-9


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
    initial_value: float = 1.0,
    flows: pd.Series[Any] | None = None,
    max_leverage: float | None = None,
    allow_short: bool = False,
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
        When to decide anew; by default monthly, or at the data's own frequency where that is slower, and for
        :class:`TargetWeights` on the dates of its table.
    costs
        By default ``Costs()``: 5 basis points of the traded notional, borrowing at cash + 0.5 % a year,
        0.5 % a year on shorts.
    lag
        Rows between decision and trade; by default 1 on daily data, 0 on slower data.
    start
        The first date whose return counts: the portfolio is built at the close of the row before. By
        default, the first that the strategy's history and the listing of its assets allow.
    end
        The last date; by default the last of the market.
    unlisted
        What to do when a strategy wants an asset without a price, not listed yet or delisted: ``"error"``,
        ``"pro_rata"`` (scale up the others) or ``"cash"``.
    initial_value
        Money before the first trade. It matters beside ``flows`` and fixed costs, which are in money.
    flows
        Contributions (positive) and withdrawals in money, by date; one between two rows acts on the next
        row. Part of what is traded on a row with a trade, else spread over all that is held.
    max_leverage
        Most that absolute weights of a decision may sum to; more is scaled down, and the date recorded.
    allow_short
        Whether weights may be negative.

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
    mandate = mandate_of(unlisted, max_leverage, allow_short)
    money = _positive("initial_value", initial_value)
    world = market if end is None else _ended(market, end)
    rule = rebalancing if rebalancing is not None else _default_rule(strategy, world)
    run = Run(strategy, world, rule, _checked_lag(lag, world), mandate)
    first, opening = _opening(run, start, end)
    built = first + run.lag
    ground = ground_of(world, charges, mandate)
    moved, closing = _flows(flows, world, built)
    plan = make_plan(run, ground, first, opening, moved)
    by_asset = charges.charges(world.assets)
    events = plan.events
    _refuse_unfinanced(events, by_asset, world)
    shifted = Events(events.rows - built, in_order(events.targets), events.released, events.flows)
    accounts = account(ground.cut(built, len(world.days)), shifted, by_asset, money, closing)
    _refuse_unpaid_build(accounts, world, built, money)
    last = built + len(accounts.value) - 1
    if plan.failure is not None and not (accounts.ruined and last <= plan.failure.row):
        raise plan.failure.error
    if accounts.sold_out:
        plan = plan.sold_out(len(accounts.events.rows) - 1)
    past = cut(world, last + 1) if accounts.ruined else world
    return Backtest(strategy, past, rule, charges, run.lag, mandate, money, plan, accounts, by_asset, start)


def first_decision(strategy: Strategy, market: Market, mandate: Mandate | None = None, row: int = 0) -> int:
    """Return the first row, from ``row`` on, where a strategy can decide: enough history, assets listed."""
    return _first_decision(strategy, market, mandate if mandate is not None else Mandate(), row)[0]


def _first_decision(strategy: Strategy, market: Market, mandate: Mandate, row: int) -> tuple[int, Decision]:
    """Return the first row from ``row`` on where a strategy can decide, and what it decides."""
    if isinstance(strategy, TargetWeights):
        row = max(row, int(strategy.rows(market)[0]))
        if row >= len(market.index) - 1:
            _refuse_late_table(strategy, market)
    while True:
        try:
            return row, decide(strategy, market, row, mandate)
        except InsufficientHistoryError as short:
            jumps = strategy.is_constant or not isinstance(short, NotListedError)
            row = max(row + 1, short.rows_needed - 1) if jumps else row + 1
            if row >= len(market.index) - 1:
                raise InsufficientHistoryError(
                    "prices",
                    f"{len(market.index)} rows; {strategy.name!r} needs {row + 1} to decide, and one after",
                    asset=short.asset,
                    date=market.index[-1],
                    rows_needed=row + 2,
                    fix="give a longer history or ask for a shorter one",
                ) from short


def _refuse_late_table(strategy: TargetWeights, market: Market) -> NoReturn:
    last = iso_date(market.index[-2])
    raise InsufficientHistoryError(
        "table",
        f"the first weights are of {iso_date(strategy.dates[0])}; the last row that can trade is {last}",
        date=strategy.dates[0],
        rows_needed=len(market.index) + 1,
        fix="date weights within the prices, or give prices that go on",
    )


def ground_of(market: Market, costs: Costs, mandate: Mandate) -> Ground:
    """Return prices and rates of a market under these costs."""
    return Ground(
        levels=market.levels,
        cash=market.cash,
        days=market.days,
        frequency=market.frequency,
        borrow_spread=costs.borrow_spread,
        management_fee=costs.management_fee,
        short_fees=costs.short_fees(market.assets) if mandate.allow_short else None,
    )


def _default_rule(strategy: Strategy, market: Market) -> Rebalancing:
    if isinstance(strategy, TargetWeights):
        return OnDates.of_sound(strategy.dates)
    return default_rebalancing(market.frequency)


def mandate_of(unlisted: str, max_leverage: float | None, allow_short: bool) -> Mandate:
    """Return what a portfolio may hold, checked."""
    if unlisted not in UNLISTED_POLICIES:
        raise InputError("unlisted", f"{unlisted!r} is none of {', '.join(UNLISTED_POLICIES)}")
    if not isinstance(allow_short, bool):
        raise InputError("allow_short", f"{allow_short!r} is neither True nor False")
    most = None if max_leverage is None else _positive("max_leverage", max_leverage)
    return Mandate(unlisted, allow_short, most)


def _positive(argument: str, number: object) -> float:
    is_number = isinstance(number, int | float | np.number) and not isinstance(number, bool)
    if not is_number or not 0.0 < number < np.inf:  # type: ignore[operator]
        raise InputError(argument, f"is {number!r}, not a positive number", fix="pass a number above 0")
    return float(number)  # type: ignore[arg-type]


def _flows(flows: Any, market: Market, built: int) -> tuple[Flows | None, float]:
    """Return the flows by row, each between two rows on the next, and what moves on the last row."""
    if flows is None:
        return None, 0.0
    if not isinstance(flows, pd.Series):
        fix = "pass a Series of money by date"
        raise InputError("flows", f"expected a Series, got {type(flows).__name__}", fix=fix)
    if not len(flows):
        return None, 0.0
    dates = validate_index(flows.index, "flows")
    amounts = float_column(flows, "flows", dates)
    bad = np.flatnonzero(~np.isfinite(amounts))
    if len(bad):
        problem, first = f"is {amounts[bad[0]]}", dates[bad[0]]
        raise InputError("flows", problem, date=first, count=len(bad), fix="drop the date")
    at, last = market.index.searchsorted(dates, side="left"), len(market.index) - 1
    _refuse_outside(dates, (at <= built) | (at > last), market, built)
    rows, place = np.unique(at, return_inverse=True)
    money = np.bincount(place, weights=amounts)
    inside = (rows < last) & (money != 0.0)
    closing = float(money[rows == last].sum())
    return (Flows(rows[inside], money[inside]) if inside.any() else None), closing


def _refuse_outside(dates: pd.DatetimeIndex, outside: Any, market: Market, built: int) -> None:
    if outside.any():
        span = f"after {iso_date(market.index[built])} and not after {iso_date(market.index[-1])}"
        raise InputError(
            "flows",
            f"is outside the run, which takes flows {span}",
            date=dates[int(np.argmax(outside))],
            count=int(outside.sum()),
            fix="drop it, or make it part of initial_value",
        )


def _refuse_unfinanced(events: Events, charges: Charges, market: Market) -> None:
    """Refuse targets of which no part can be sold: each unit sold costs as much as it sets free (F096)."""
    if not charges.is_exact or charges.most * MOST_LEVERAGE < 1.0 - _ROUNDING:
        return
    share = np.abs(events.targets) @ np.maximum(charges.buy, charges.sell)
    beyond = np.flatnonzero(share >= 1.0 - _ROUNDING)
    if len(beyond):
        raise InputError(
            "costs",
            f"to trade these weights costs {share[beyond[0]]:.0%} of the value, which nothing can finance",
            date=market.index[events.rows[beyond[0]]],
            count=len(beyond),
            fix="lower the costs or the leverage",
        )


def _refuse_unpaid_build(accounts: Accounts, market: Market, built: int, money: float) -> None:
    if not len(accounts.events.rows):
        raise InputError(
            "costs",
            f"the first build costs more than the {money:g} there is",
            date=market.index[built],
            fix="set initial_value to the size of the portfolio, or lower the costs",
        )


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
            "Daily(), Weekly(), Monthly(), Quarterly(), Yearly(), EveryNRows(n), OnDates(dates), "
            "Band(width), LeverageAbove(limit), BuyAndHold(), or a | b"
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


def _opening(run: Run, start: Date | None, end: Date | None) -> tuple[int, Decision]:
    """Return the row of the first decision and the decision, refusing a start that history does not allow."""
    market, name, lag = run.market, run.strategy.name, run.lag
    wanted = 0 if start is None else _row_before(market, start, end) - lag
    possible, opening = _first_decision(run.strategy, market, run.mandate, max(wanted, 0))
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
            f"{iso_date(start)} is too early: {name!r} lacks the history or the assets to decide by then",
            rows_needed=possible + 1,
            fix=f"start on {iso_date(market.index[possible + lag + 1])} or later",
        )
    return possible, opening


def _row_before(market: Market, start: Date, end: Date | None) -> int:
    row = int(market.index.searchsorted(parse_date(start, "start"), side="left"))
    if row >= len(market.index):
        last = f"the last row, {iso_date(market.index[-1])}" if end is None else f"the end, {iso_date(end)}"
        problem = f"{iso_date(start)} is after {last}"
        raise InputError("start", problem, fix="choose an earlier start or a later end")
    return row - 1
