"""What was accepted in a run but should be known: a line each, worked out only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.planned import FixedMix, TargetWeights
from allocator.engine.rebalancing import AnyOf, BuyAndHold, OnDates, Rows
from allocator.errors import iso_date
from allocator.market.market import parse_date

if TYPE_CHECKING:
    from allocator.engine.result import Backtest

__all__ = ["notes_beside_others", "notes_of"]

_SUM = 1e-8  # weights that sum to one within this are rounded, not invested otherwise
_LEVERAGE = 1e-9
_MOST_NAMED = 5


def notes_of(backtest: Backtest) -> tuple[str, ...]:
    """Return what should be known of a run, beside what its market says of itself."""
    return (
        *_ruin(backtest),
        *_weights(backtest),
        *_never_held(backtest),
        *_leverage(backtest),
        *_rules(backtest),
        *_start(backtest),
    )


def notes_beside_others(backtest: Backtest) -> tuple[str, ...]:
    """Return the notes that are worth a line where several runs stand side by side.

    What strategies hold and how much cash differs by design, unless a person wrote the weights down.
    """
    is_written = isinstance(backtest.strategy, FixedMix | TargetWeights)
    return (
        *(_weights(backtest) if is_written else ()),
        *_leverage(backtest),
        *_rules(backtest),
    )


def _ruin(backtest: Backtest) -> Iterator[str]:
    if backtest.ruined_on is not None:
        yield f"ruined on {iso_date(backtest.ruined_on)}: nothing was left, and the record ends there"


def _weights(backtest: Backtest) -> Iterator[str]:
    """Yield what the weights sum to, where it is not one: the rest is cash, or borrowed."""
    events = backtest.accounts.events
    decided = backtest.plan.decided[: len(events.rows)] >= 0
    sums = np.asarray(events.targets)[decided].sum(axis=1)
    low, high = float(sums.min()), float(sums.max())
    if low >= 1.0 - _SUM and high <= 1.0 + _SUM:
        return
    rest = ["the rest is cash"] * (low < 1.0 - _SUM)
    if high > 1.0 + _SUM:
        rest.append(f"more than 100% is borrowed at cash + {backtest.costs.borrow_spread:.2%} a year")
    span = f"{100.0 * low:.6g}%" if high - low <= _SUM else f"{100.0 * low:.4g}% to {100.0 * high:.4g}%"
    if span == "100%":  # rounded weights, of single precision for one
        span = f"1 {low - 1.0:+.1e}"
    yield f"weights: sum to {span}; {', '.join(rest)}"


def _never_held(backtest: Backtest) -> Iterator[str]:
    """Yield the assets that no decision gave a weight."""
    held = (np.asarray(backtest.accounts.events.targets) != 0.0).any(axis=0)
    idle = [asset for asset, is_held in zip(backtest.market.assets, held, strict=True) if not is_held]
    if idle:
        more = f" and {len(idle) - _MOST_NAMED:,} more" if len(idle) > _MOST_NAMED else ""
        yield f"never given a weight: {', '.join(idle[:_MOST_NAMED])}{more}"


def _leverage(backtest: Backtest) -> Iterator[str]:
    """Yield where the most leverage was asked to be exceeded, and where drift exceeded it."""
    most = backtest.mandate.max_leverage
    if most is None:
        return
    capped = backtest.capped
    if len(capped):
        yield (
            f"leverage: {_decisions(len(capped))} scaled down to {most:g}, the first on {iso_date(capped[0])}"
        )
    gross = backtest.weights.drop(columns="cash").abs().sum(axis=1)
    above = gross[gross > most * (1.0 + _LEVERAGE)]
    if len(above):
        yield (
            f"leverage: drift took it above {most:g} at {len(above):,} of {len(gross):,} closes, first on "
            f"{iso_date(above.index[0])}, at most to {above.max():.4g}; LeverageAbove({most:g}) would trade"
        )


def _decisions(number: int) -> str:
    return f"{number:,} decision{'s' if number > 1 else ''}"


def _rules(backtest: Backtest) -> Iterator[str]:
    """Yield what became of the dates of a rule or of a table of weights: moved, too late, or none at all."""
    strategy, rule = backtest.strategy, backtest.rebalancing
    table = strategy.dates if isinstance(strategy, TargetWeights) else None
    if table is not None:
        yield from _moved("weights", "dates of the table", table, backtest)
    for each in rule.rules if isinstance(rule, AnyOf) else (rule,):
        if isinstance(each, OnDates) and (table is None or not each.dates.equals(table)):
            yield from _moved("rebalancing", "dates", each.dates, backtest)
    if _never_due(backtest, table is not None):
        dates = backtest.value.index
        yield (
            f"rebalancing: {rule} asks on no date between {iso_date(dates[0])} and {iso_date(dates[-1])}; "
            "built once and held"
        )


def _moved(argument: str, what: str, dates: pd.DatetimeIndex, backtest: Backtest) -> Iterator[str]:
    """Yield how many dates are no rows, and acted on the next one or never."""
    index = backtest.market.index
    late = int((dates > index[-1]).sum())
    inside = dates[: len(dates) - late]
    between = inside[~inside.isin(index)]
    if len(between):
        acted = index[int(index.searchsorted(between[0]))]
        yield (
            f"{argument}: {len(between):,} of {len(dates):,} {what} fall between two rows and act on the "
            f"next, {iso_date(between[0])} on {iso_date(acted)}"
        )
    if late:
        yield f"{argument}: {late:,} of {len(dates):,} {what} fall after the last row and are never traded"


def _never_due(backtest: Backtest, by_table: bool) -> bool:
    """Return whether a rule that is meant to ask did so on no row of the run."""
    market, rule = backtest.market, backtest.rebalancing
    if isinstance(rule, BuyAndHold) or (by_table and isinstance(rule, OnDates)):
        return False
    triggers = rule.triggers(market.assets, market.index, market.frequency)
    asked = [rule.scheduled(market.index, market.frequency), *(trigger.tested for trigger in triggers)]
    return not any(rows is None or _is_due(backtest, rows).any() for rows in asked)


def _is_due(backtest: Backtest, rows: Rows) -> NDArray[np.bool_]:
    """Return which rows are after the first decision and early enough to trade, shape (n_rows,)."""
    first, last = int(backtest.plan.decided[0]), len(backtest.market.index) - 1
    return np.asarray((rows > first) & (rows + backtest.lag < last))


def _start(backtest: Backtest) -> Iterator[str]:
    """Yield where a start that is no row of the market was moved to."""
    asked, first = backtest.start, backtest.value.index[1]
    if asked is None:
        return
    day = parse_date(asked, "start")
    if day == parse_date(asked, "start", last=True) and day != first:
        yield f"start: {iso_date(day)} is no row of the market; the first return is of {iso_date(first)}"
