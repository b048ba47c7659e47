"""The unit of work of a sweep: a block of runs, done anywhere with the same result to the bit.

A block is a function of what it carries and of nothing else, whatever process runs it and whatever
runs beside it.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest, Costs, FixedMix, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import ground_of
from allocator.engine.decisions import Mandate
from allocator.engine.rebalancing import BandTrigger
from allocator.errors import InputError, StrategyError, UndefinedStatisticWarning
from allocator.frequency import years_between
from allocator.market import Market
from allocator.statistics import cagr, max_drawdown, sharpe_ratio, sharpe_standard_error, volatility
from allocator.sweeps.bands import run_through_bands
from allocator.sweeps.lanes import Bands, Field, Lanes, Outcome, run_through_calendar
from allocator.sweeps.refusals import Failure, failure_of
from allocator.sweeps.trading import Trading

__all__ = ["STATISTICS", "Block", "Study", "Timing", "run_block"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
# The columns of a block's results. The last is a row of the market, NaN for a run that was not ruined.
STATISTICS = (
    "n",
    "cagr",
    "volatility",
    "sharpe",
    "sharpe_se",
    "max_drawdown",
    "turnover",
    "trading_cost",
    "final_value",
    "ruined_on",
)
_LANES = 1000  # at once, whatever the size of a block: their values over some weeks fit the cache of a core
_LEFT = {"target": 0.0, "edge": 1.0, "halfway": 0.5}
_filters = threading.Lock()  # warning filters are shared by all threads of a process


@dataclass(frozen=True, eq=False)
class Study:
    """What all runs share.

    Attributes
    ----------
    market
        Cut at the end of the runs.
    rules, costs
        What blocks refer to by number; None stands for the default rule.
    lag, mandate
        As in :func:`allocator.run_backtest`.
    built
        The row on which all portfolios are built.
    """

    market: Market
    rules: tuple[Rebalancing | None, ...]
    costs: tuple[Costs, ...]
    lag: int
    mandate: Mandate
    built: int

    @property
    def start(self) -> pd.Timestamp:
        """The first date whose return counts."""
        return self.market.index[self.built + 1]


@dataclass(frozen=True, eq=False)
class Timing:
    """When lanes trade: the schedule of a calendar and at most one band, on rows of the market.

    Attributes
    ----------
    scheduled
        Rows of calendar decisions.
    band
        Its kind, target, edge or half-way, and whether widths are relative; None without a band.
    tested
        Rows on which the band is tested; None for all.
    """

    scheduled: Rows
    band: tuple[str, bool] | None
    tested: Rows | None


@dataclass(frozen=True, eq=False)
class Block:
    """Some runs: of fixed weights that share a timing, or of any strategies, one by one.

    Attributes
    ----------
    runs
        Their rows in the table, shape (n_runs,).
    rules, costs
        Their numbers in the study, shape (n_runs,).
    timing, weights
        Of fixed weights, shape (n_runs, n_assets); None for strategies.
    strategies
        One a run; None for fixed weights.
    """

    runs: Rows
    rules: Rows
    costs: Rows
    timing: Timing | None = None
    weights: Array | None = None
    strategies: Sequence[Strategy] | None = None

    def part(self, which: slice) -> Block:
        """Return some of these runs of fixed weights."""
        assert self.weights is not None
        return Block(self.runs[which], self.rules[which], self.costs[which], self.timing, self.weights[which])


def run_block(study: Study, block: Block) -> Array | Failure:
    """Return the statistics of each run, shape (n_runs, n_statistics)."""
    if block.weights is not None:
        return _run_lanes(study, block)
    results = np.empty((len(block.runs), len(STATISTICS)))
    assert block.strategies is not None
    for k, strategy in enumerate(block.strategies):
        done = _run_one(study, block, k, strategy)
        if isinstance(done, Failure):
            return done
        results[k] = done
    return results


def _run_one(study: Study, block: Block, k: int, strategy: Strategy) -> Array | Failure:
    try:
        record = run_backtest(
            strategy,
            study.market,
            rebalancing=study.rules[block.rules[k]],
            costs=study.costs[block.costs[k]],
            lag=study.lag,
            start=study.start,
            unlisted=study.mandate.unlisted,
        )
    except (InputError, StrategyError) as error:
        return failure_of(int(block.runs[k]), error)
    return _statistics(record, study)


def _statistics(record: Backtest, study: Study) -> Array:
    """Return the statistics of one record by the functions of the library."""
    periods = study.market.frequency.periods_per_year
    returns, cash, dates = record.returns, record.cash_returns, pd.DatetimeIndex(record.value.index)
    years = float(years_between(dates, study.market.frequency).sum())
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)  # said once for the whole table
        numbers = (
            len(returns),
            cagr(returns, periods, dates[0]),
            volatility(returns, periods),
            sharpe_ratio(returns, cash, periods),
            sharpe_standard_error(returns, cash, periods),
            max_drawdown(returns),
        )
    traded = float(record.turnover.iloc[1:].sum()) / years
    paid = float(record.accounts.cost.sum()) / years
    ruined = study.built + len(returns) if record.ruined_on is not None else np.nan
    return np.array([*numbers, traded, paid, record.value.iloc[-1], ruined])


def _run_lanes(study: Study, block: Block) -> Array | Failure:
    """Run fixed weights at once, and those anew whose numbers the kernel does not vouch for."""
    assert block.weights is not None
    results = np.empty((len(block.runs), len(STATISTICS)))
    unclear = np.empty(len(block.runs), dtype=bool)
    for first in range(0, len(block.runs), _LANES):
        part = slice(first, first + _LANES)
        results[part], unclear[part] = _through_kernel(study, block.part(part))
    for k in np.flatnonzero(unclear).tolist():
        mix = dict(zip(study.market.assets, block.weights[k].tolist(), strict=True))
        done = _run_one(study, block, k, FixedMix(mix))
        if isinstance(done, Failure):
            return done
        results[k] = done
    return results


def _through_kernel(study: Study, block: Block) -> tuple[Array, NDArray[np.bool_]]:
    """Return the statistics of fixed weights, and where they are not exact."""
    assert block.weights is not None
    assert block.timing is not None
    held = np.flatnonzero((block.weights != 0.0).any(axis=0))
    held = held if len(held) else np.array([0])  # all in cash, and an asset of weight 0
    field = _field(study, block, held)
    lanes = Lanes(np.ascontiguousarray(block.weights[:, held].T), _trading(study, block, held))
    with np.errstate(all="ignore"):  # a lane that is ruined goes on, and is computed anew
        if block.timing.band is None:
            outcome = run_through_calendar(field, lanes)
        else:
            outcome = run_through_bands(field, lanes, _bands(study, block, held))
        return _annual(study, outcome), outcome.unclear


def _field(study: Study, block: Block, held: Rows) -> Field:
    """Return what the lanes of a block share, from the build on, the assets that any of them holds only."""
    market, built, timing = study.market, study.built, block.timing
    n_rows = len(market.levels)
    ground = ground_of(market, study.costs[block.costs[0]], study.mandate).cut(built, n_rows)
    growth = np.column_stack([ground.levels[:, held], ground.lent, ground.borrowed])
    if ground.fee_index is not None:
        growth *= ground.fee_index[:, None]
    assert timing is not None
    # The first decision is `lag` rows before the build; a trade on the last row would earn nothing.
    decided = timing.scheduled[
        (timing.scheduled > built - study.lag) & (timing.scheduled + study.lag < n_rows - 1)
    ]
    return Field(growth, ground.cash, decided + study.lag - built, _tested(study, timing, decided), study.lag)


def _tested(study: Study, timing: Timing, decided: Rows) -> NDArray[np.bool_]:
    """Return on which rows from the build on a band is tested: not while an order of the calendar waits."""
    n_rows = len(study.market.levels)
    tested = np.zeros(n_rows, dtype=bool)
    tested[slice(None) if timing.tested is None else timing.tested] = True
    for ahead in range(study.lag + 1):
        tested[decided + ahead] = False
    tested[max(n_rows - 1 - study.lag, 0) :] = False
    return tested[study.built :]


def _trading(study: Study, block: Block, held: Rows) -> Trading:
    """Return the rates of the lanes; one column where all pay the same, one number if all assets cost it."""
    used, place = np.unique(block.costs, return_inverse=True)
    charges = [study.costs[number].charges(study.market.assets) for number in used]
    buy = np.column_stack([each.buy[held] for each in charges])
    sell = np.column_stack([each.sell[held] for each in charges])
    if len(used) > 1:
        buy, sell = np.take(buy, place, axis=1), np.take(sell, place, axis=1)
    elif (buy == buy[0]).all() and (sell == sell[0]).all():
        buy, sell = buy[:1], sell[:1]
    return Trading(buy, sell, charges[0].is_exact, bool((buy == sell).all()))


def _bands(study: Study, block: Block, held: Rows) -> Bands:
    """Return how far the weights of each lane may be from their targets."""
    market = study.market
    assert block.weights is not None
    assert block.timing is not None
    assert block.timing.band is not None
    used, place = np.unique(block.rules, return_inverse=True)
    widths = []
    for number in used:
        rule = study.rules[number]
        assert rule is not None
        (band,) = rule.triggers(market.assets, market.index, market.frequency)
        assert isinstance(band, BandTrigger)
        widths.append(band.widths[held])
    limits = np.take(np.column_stack(widths), place, axis=1)
    to, relative = block.timing.band
    if relative:
        limits = limits * block.weights[:, held].T
    return Bands(np.ascontiguousarray(limits), _LEFT[to])


def _annual(study: Study, outcome: Outcome) -> Array:
    """Return what the lanes came to, a year where it is by year, shape (n_runs, n_statistics)."""
    market, found = study.market, outcome.moments
    years = float(years_between(market.index[study.built :], market.frequency).sum())
    root = np.sqrt(market.frequency.periods_per_year)
    columns = (
        np.full(len(found.growth), float(len(market.levels) - 1 - study.built)),
        found.growth ** (1.0 / years) - 1.0,
        found.spread * root,
        found.sharpe * root,
        found.sharpe_error * root,
        found.drawdown,
        outcome.turnover / years,
        outcome.cost / years,
        found.growth,
        np.full(len(found.growth), np.nan),
    )
    return np.column_stack(columns)
