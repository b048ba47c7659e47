"""Run the product of portfolios, rules and costs, and return one table."""

from __future__ import annotations

import concurrent.futures as cf
import itertools
import os
import warnings
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest, Costs, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import mandate_of
from allocator.errors import InputError, UndefinedStatisticWarning, iso_date
from allocator.market import Market
from allocator.market.market import Date
from allocator.progress import progress_bar
from allocator.sweeps.blocks import STATISTICS, Study, run_block
from allocator.sweeps.digest import digest, market_digest
from allocator.sweeps.plan import Plan, make_plan
from allocator.sweeps.portfolios import Portfolios, read_portfolios
from allocator.sweeps.refusals import Failure
from allocator.sweeps.store import Writer, open_store, read_store
from allocator.sweeps.table import describe_run, make_table
from allocator.untrusted import local_path

__all__ = ["sweep"]

Array = NDArray[np.float64]
_AHEAD = 2  # blocks under way for each worker, so that none waits


def sweep(
    portfolios: pd.DataFrame | Iterable[Strategy],
    market: Market,
    *,
    rebalancing: Rebalancing | Sequence[Rebalancing] | None = None,
    costs: Costs | Sequence[Costs] | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
    executor: cf.Executor | None = None,
    file: str | os.PathLike[str] | None = None,
    block: int = 1000,
    progress: bool = True,
) -> pd.DataFrame:
    """Run every portfolio under every rule and every cost over one window; return a row of statistics each.

    Fixed weights under calendars and bands with proportional costs run many at a time; all else runs one
    by one through :func:`allocator.run_backtest`, with which both agree. The table is made to be plotted::

        golden = al.grid(GoldDiversified, gold_weight=[0.0, 0.1, 0.2], growth_weight=[0.5, 0.6])
        table = al.sweep(golden, market)
        table.plot.scatter(x="gold_weight", y="sharpe")
        table.pivot(index="growth_weight", columns="gold_weight", values="sharpe")  # a heatmap

    Parameters
    ----------
    portfolios
        Fixed weights as fractions, a row a portfolio and a column an asset, the rest cash; or strategies,
        such as :func:`allocator.grid` makes.
    market
        What the world did.
    rebalancing, costs
        As for :func:`allocator.run_backtest`, or lists of them, all of which are run.
    lag, start, end, unlisted
        As for :func:`allocator.run_backtest`. Without a ``start``, all begin on the first date on which the
        last of the portfolios can decide.
    executor
        Any :class:`concurrent.futures.Executor`: a pool of processes or threads, or
        ``dask.distributed.Client().get_executor()``. Without one, all is done here. The result is the same
        to the bit on processors of one kind.
    file
        Where finished blocks are kept, JSON Lines. Run again with the same arguments, an interrupted sweep
        goes on from there. The code of strategies is not compared: delete the file after changing it.
    block
        Most runs that are handed out together. Memory depends on it and not on the number of portfolios, the
        table apart.
    progress
        Whether to show a bar on a terminal or in a notebook.

    Returns
    -------
    pandas.DataFrame
        First what varies: ``portfolio`` (the index of the weights, or the strategy's name), weights by asset
        or the fields in which strategies differ, ``rebalancing`` and such as ``band_width`` where there are
        several rules, and such as ``costs_trading`` for several costs. Then ``n``, ``cagr``, ``volatility``,
        ``sharpe`` with ``sharpe_se``, ``max_drawdown``, by year ``turnover`` (one-way, without the build) and
        ``trading_cost`` (of value, with the build), ``final_value`` of 1, and ``ruined_on``, the end of a run
        in which nothing was left. ``attrs["conventions"]`` says how they were made.

    Raises
    ------
    InputError
        If an argument is refused, naming row and asset, and what ``run_backtest`` refuses, naming the run.
    StrategyError
        If a strategy fails; names the run.
    """
    _check_kinds(market, executor, block, progress)
    rules, charges = _several("rebalancing", rebalancing, Rebalancing), _several("costs", costs, Costs)
    chosen = read_portfolios(portfolios, market)
    study, conventions = _study(chosen, market, rules, charges, (lag, start, end, unlisted))
    plan = make_plan(chosen, study, block)
    results = np.full((plan.n_runs, len(STATISTICS)), np.nan)
    with ExitStack() as opened:
        done, keep = _resume(opened, plan, file, block, results)
        bar = opened.enter_context(
            progress_bar(
                plan.n_runs,
                "run",
                "sweep",
                done=sum(len(plan.blocks[number].runs) for number in done),
                wanted=progress,
            )
        )
        todo = [number for number in range(len(plan.blocks)) if number not in done]
        for number, rows in opened.enter_context(closing(_execute(plan, todo, executor))):
            runs = plan.blocks[number].runs
            if isinstance(rows, Failure):
                raise rows.error(describe_run(chosen, study, rows.run, plan.numbers(rows.run)))
            results[runs] = rows
            if keep is not None:
                keep.add(number, rows)
            bar.update(len(runs))
    _warn_undefined(results)
    table = make_table(chosen, study, plan.all_numbers(), results)
    table.attrs["conventions"] = conventions
    return table


def _check_kinds(market: object, executor: object, block: object, progress: object) -> None:
    if not isinstance(market, Market):
        raise InputError(
            "market", f"expected a Market, got {type(market).__name__}", fix="pass Market(prices, cash)"
        )
    if not isinstance(executor, cf.Executor | None):
        fix = "pass a concurrent.futures.Executor, of Dask client.get_executor()"
        raise InputError("executor", f"{executor!r} is none", fix=fix)
    if isinstance(block, bool) or not isinstance(block, int) or block < 1:
        raise InputError("block", f"{block!r} is not a number of runs", fix="pass 1 or more")
    if not isinstance(progress, bool):
        raise InputError("progress", f"{progress!r} is neither True nor False")


def _several(argument: str, given: Any, kind: type[Any]) -> tuple[Any, ...]:
    """Return one or several rules or costs as a tuple; the default is None."""
    if given is None or isinstance(given, kind):
        return (given,)
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise InputError(argument, f"{given!r} is neither a {kind.__name__} nor a list of them")
    if not len(given):
        raise InputError(argument, "an empty list", fix="leave it out for the default")
    for number, each in enumerate(given):
        if not isinstance(each, kind):
            raise InputError(f"{argument}[{number}]", f"{each!r} is no {kind.__name__}")
    return tuple(given)


def _study(
    chosen: Portfolios,
    market: Market,
    rules: tuple[Rebalancing | None, ...],
    costs: tuple[Costs | None, ...],
    window: tuple[int | None, Date | None, Date | None, str],
) -> tuple[Study, tuple[str, ...]]:
    """Return what all runs share, and the conventions, from a run of the portfolio that can decide last."""
    lag, start, end, unlisted = window
    mandate = mandate_of(unlisted, None, False)
    possible = chosen.first_rows(market, mandate)
    reference = run_backtest(
        chosen.strategy(int(np.argmax(possible))),
        market,
        rebalancing=rules[0],
        costs=costs[0],
        lag=lag,
        start=start,
        end=end,
        unlisted=unlisted,
    )
    world = market if end is None else market.until(end)
    built = len(reference.market.index) - len(reference.accounts.value)
    charges = tuple(each if each is not None else Costs() for each in costs)
    study = Study(world, rules, charges, reference.lag, mandate, built)
    return study, _conventions(reference, study, None if start is not None else int(possible.min()))


def _conventions(reference: Backtest, study: Study, earliest: int | None) -> tuple[str, ...]:
    market = study.market
    window = f"window: all runs from the close of {iso_date(market.index[study.built])}"
    if earliest is not None:
        window += ", the first at which all portfolios can decide"
    if earliest is not None and earliest + study.lag < study.built:
        alone = iso_date(market.index[earliest + study.lag])
        window += f" ({reference.name!r} is the last; alone, others could begin on {alone})"
    several = [
        f"{name}: {len(things)}, as the rows say; the line below is of the first"
        for name, things in (("rebalancing", study.rules), ("costs", study.costs))
        if len(things) > 1
    ]
    return (
        window,
        *several,
        *reference.conventions,
        "Sharpe: mean excess of simple returns over cash / sd (ddof 1) × "
        f"√{market.frequency.periods_per_year}; ± one standard error (Mertens, 2002: not normal, no "
        "autocorrelation) of that ratio alone; the best of many runs is better than it will be",
        "drawdown from wealth 1 before the first return; turnover one-way a year without the first build; "
        "trading_cost as a fraction of value a year with it; final_value of 1",
    )


def _resume(
    opened: ExitStack, plan: Plan, file: str | os.PathLike[str] | None, block: int, results: Array
) -> tuple[set[int], Writer | None]:
    """Fill in what a file knows and return which blocks that is, with what adds others to it."""
    if file is None:
        return set(), None
    if not isinstance(file, str | os.PathLike):
        raise InputError("file", f"{file!r} is no path")
    path, parts = local_path(file, "file"), _parts(plan, block)
    known = read_store(path, parts, [len(each.runs) for each in plan.blocks], len(STATISTICS))
    for number, rows in known.items():
        results[plan.blocks[number].runs] = rows
    if len(known) == len(plan.blocks):
        return set(known), None
    return set(known), opened.enter_context(open_store(path, parts, plan.n_runs))


def _parts(plan: Plan, block: int) -> dict[str, str]:
    """Return a digest of each thing that the results depend on."""
    chosen, study = plan.portfolios, plan.study
    given = chosen.strategies if chosen.weights is None else (list(chosen.names), chosen.weights)
    window = [iso_date(study.market.index[row]) for row in (study.built, -1)]
    return {
        "market": market_digest(study.market),
        "portfolios": digest(given),
        "rebalancing": digest(study.rules),
        "costs": digest(study.costs),
        "lag": str(study.lag),
        "window": " to ".join(window),
        "unlisted": study.mandate.unlisted,
        "block": str(block),
    }


def _execute(
    plan: Plan, todo: Sequence[int], executor: cf.Executor | None
) -> Generator[tuple[int, Array | Failure]]:
    """Yield blocks as they are finished, with no more under way than keep the workers busy."""
    if executor is None:
        for number in todo:
            yield number, run_block(plan.study, plan.block(number))
        return
    waiting = iter(todo)
    under_way: dict[cf.Future[Array | Failure], int] = {}
    try:
        while True:
            for number in itertools.islice(waiting, _AHEAD * _workers(executor) - len(under_way)):
                under_way[executor.submit(run_block, plan.study, plan.block(number))] = number
            if not under_way:
                return
            finished, _ = cf.wait(under_way, return_when=cf.FIRST_COMPLETED)
            for future in finished:
                yield under_way.pop(future), future.result()
    finally:
        for future in under_way:
            future.cancel()


def _workers(executor: cf.Executor) -> int:
    """Return how many blocks an executor does at once, as far as it says."""
    many = getattr(executor, "_max_workers", None)
    return many if isinstance(many, int) and many > 0 else os.cpu_count() or 1


def _warn_undefined(results: Array) -> None:
    """Say once which statistics do not exist, instead of once a run."""
    missing = {name: np.flatnonzero(np.isnan(results[:, k])) for k, name in enumerate(STATISTICS[:-1])}
    said = [
        f"{name} of {len(rows)} (the first is row {rows[0]})" for name, rows in missing.items() if len(rows)
    ]
    if said:
        why = "the excess return never changes or there are too few returns"
        text = f"NaN in the table: {', '.join(said)}; {why}"
        warnings.warn(text, UndefinedStatisticWarning, stacklevel=3)
