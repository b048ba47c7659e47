"""Strategies through simulated worlds: distributions of Sharpe ratio, growth and drawdown, by regime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest, Costs, Rebalancing, Strategy, run_backtest
from allocator.errors import InputError
from allocator.macro import SimulatedWorlds
from allocator.progress import progress_bar
from allocator.research import show_scenarios as show
from allocator.statistics import cagr, max_drawdown

__all__ = ["ScenarioRuns", "run_scenarios"]

FloatArray = NDArray[np.float64]
MEASURES = ("sharpe", "cagr", "max_drawdown")
_KEYS = ["worlds", "strategy"]
_QUANTILES = {"low": 0.05, "median": 0.5, "high": 0.95}
_FEWEST_YEARS = 2  # for a Sharpe ratio
_FLAT = 1e-12  # excess returns that vary by less vary by rounding


@final
@dataclass(frozen=True, eq=False, repr=False)
class ScenarioRuns:
    """How strategies did in simulated worlds; all of it SIMULATED.

    Attributes
    ----------
    table
        A row a world's name and strategy: ``n_paths``, and for ``sharpe`` (a year, excess over the
        simulated cash), ``cagr`` and ``max_drawdown`` each ``_mean``, ``_low``, ``_median``, ``_high`` (5 %,
        50 %, 95 % of the paths), and ``_undefined`` (paths without the number); ``loss_mean`` and
        ``real_loss_mean``, the share of paths that end below the value at the start, in money and after
        inflation; ``ruined``, a share. Each mean has two standard errors: ``_error`` of the simulation, which
        falls with more paths, and ``_years_error`` of the labelled years, which does not (NaN for a VAR):
        :meth:`SimulatedWorlds.years_error`.
    differences
        The same names and strategies but the first: for each measure the ``_mean`` difference from the first
        strategy on the same path, its two errors, and ``_better``, the share of paths where it is higher.
    paths
        By (name, strategy) a row a path: the measures, ``growth`` (last value of 1) and ``real_growth``.
    worlds
        By name.
    first
        The strategy that the others are compared with.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    paths: Mapping[tuple[str, str], pd.DataFrame]
    worlds: Mapping[str, SimulatedWorlds]
    first: str
    conventions: tuple[str, ...]

    __repr__ = show.runs_text
    _repr_html_ = show.runs_html


def run_scenarios(
    strategies: Iterable[Strategy],
    worlds: SimulatedWorlds | Iterable[SimulatedWorlds] | Mapping[str, SimulatedWorlds],
    *,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    unlisted: str = "error",
    max_leverage: float | None = None,
    allow_short: bool = False,
) -> ScenarioRuns:
    """Run strategies through every world, and say how Sharpe ratio, growth and drawdown are distributed.

    Each strategy runs through each world as through any market, with the embedded history as its past: the
    portfolio is built at the end of history, and the simulated years alone count. Differences are paired:
    all strategies meet the same worlds.

    Parameters
    ----------
    strategies
        What to hold; the others are compared with the first.
    worlds
        From :func:`simulate_scenarios`: one, several of different regimes, or by name.
    rebalancing, costs, unlisted, max_leverage, allow_short
        As for :func:`allocator.run_backtest`; by default yearly.

    Raises
    ------
    InputError
        If there is no strategy or no world, two have one name, a world has fewer than two years, and what
        ``run_backtest`` refuses.
    """
    chosen, named = _read_strategies(strategies), _read_worlds(worlds)
    options = {
        "rebalancing": rebalancing,
        "costs": costs,
        "unlisted": unlisted,
        "max_leverage": max_leverage,
        "allow_short": allow_short,
    }
    parts: dict[tuple[str, str], pd.DataFrame] = {}
    last: Backtest | None = None
    for name, each in named.items():
        returns, last = _run(chosen, each, options)
        for strategy, earned in zip(chosen, returns, strict=True):
            parts[name, strategy.name] = _measured(earned, each)
    assert last is not None
    return ScenarioRuns(
        pd.DataFrame({key: _summary(part, named[key[0]]) for key, part in parts.items()}).T.rename_axis(
            _KEYS
        ),
        _differences(parts, named, chosen),
        parts,
        named,
        chosen[0].name,
        show.conventions(last, named),
    )


def _run(
    strategies: list[Strategy], worlds: SimulatedWorlds, options: Mapping[str, Any]
) -> tuple[FloatArray, Backtest]:
    """Return yearly returns, shape (n_strategies, n_years, n_paths), and the last record.

    A ruined portfolio earns nothing after the year of its ruin, whose return is -1.
    """
    returns = np.zeros((len(strategies), worlds.n_years, worlds.n_paths))
    start = worlds.dates[0].date()
    with progress_bar(worlds.n_paths, "path", f"scenario {worlds.name}") as bar:
        for path in range(worlds.n_paths):
            market = worlds.market(path)
            for place, strategy in enumerate(strategies):
                backtest = run_backtest(strategy, market, start=start, **options)
                earned = backtest.returns.to_numpy()
                returns[place, : len(earned), path] = earned
            bar.update()
    return returns, backtest


def _measured(returns: FloatArray, worlds: SimulatedWorlds) -> pd.DataFrame:
    """Return the measures of each path from returns of shape (n_years, n_paths)."""
    excess = returns - worlds.series("short_rate").T  # below -1 in a ruin, which sharpe_ratio refuses
    spread = excess.std(axis=0, ddof=1)
    flat = spread < _FLAT
    sharpe = np.where(flat, np.nan, excess.mean(axis=0) / np.where(flat, 1.0, spread))
    growth = np.prod(1.0 + returns, axis=0)
    prices = np.prod(1.0 + worlds.series("inflation"), axis=1)
    columns = {
        "sharpe": sharpe,
        "cagr": cagr(returns, 1.0),
        "max_drawdown": max_drawdown(returns),
        "growth": growth,
        "real_growth": growth / prices,
    }
    return pd.DataFrame(columns).rename_axis("path")


def _summary(paths: pd.DataFrame, worlds: SimulatedWorlds) -> pd.Series[float]:
    """Return the row of a strategy in the table."""
    row: dict[str, float] = {"n_paths": len(paths)}
    for measure in MEASURES:
        values = paths[measure]
        row |= _mean_and_errors(measure, values, worlds)
        row |= {f"{measure}_{name}": float(values.quantile(q)) for name, q in _QUANTILES.items()}
        row[f"{measure}_undefined"] = float(values.isna().sum())
    for name, growth in (("loss", "growth"), ("real_loss", "real_growth")):
        row |= _mean_and_errors(name, (paths[growth] < 1.0).astype(float), worlds)
    return pd.Series(row | {"ruined": float((paths["growth"] <= 0.0).mean())})


def _differences(
    parts: Mapping[tuple[str, str], pd.DataFrame],
    worlds: Mapping[str, SimulatedWorlds],
    strategies: list[Strategy],
) -> pd.DataFrame:
    """Return how each strategy differs from the first on the same paths."""
    first = strategies[0].name
    rows = {
        (name, strategy.name): _paired(parts[name, strategy.name] - parts[name, first], each)
        for name, each in worlds.items()
        for strategy in strategies[1:]
    }
    return pd.DataFrame(rows).T.rename_axis(_KEYS) if rows else pd.DataFrame()


def _paired(gap: pd.DataFrame, worlds: SimulatedWorlds) -> pd.Series[float]:
    row: dict[str, float] = {}
    for measure in MEASURES:
        row |= _mean_and_errors(measure, gap[measure], worlds)
        values = gap[measure].dropna()
        row[f"{measure}_better"] = float((values > 0.0).mean()) if len(values) else np.nan
    return pd.Series(row)


def _mean_and_errors(name: str, values: pd.Series[float], worlds: SimulatedWorlds) -> dict[str, float]:
    numbers = values.dropna().to_numpy(dtype=np.float64)
    n = len(numbers)
    return {
        f"{name}_mean": float(numbers.mean()) if n else np.nan,
        f"{name}_error": float(numbers.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
        f"{name}_years_error": worlds.years_error(np.asarray(values, dtype=np.float64)),
    }


def _read_strategies(strategies: Iterable[Strategy]) -> list[Strategy]:
    chosen = list(strategies) if isinstance(strategies, Iterable) else [strategies]
    wrong = next((each for each in chosen if not isinstance(each, Strategy)), None)
    if wrong is not None or not chosen:
        raise InputError("strategies", f"{wrong!r} is none" if chosen else "none", fix="pass [SixtyForty()]")
    names = [each.name for each in chosen]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError("strategies", f"two are called {twice!r}", fix="give one another name=")
    return chosen


def _read_worlds(worlds: Any) -> dict[str, SimulatedWorlds]:
    if isinstance(worlds, SimulatedWorlds):
        named = {worlds.name: worlds}
    elif isinstance(worlds, Mapping):
        named = {str(name): each for name, each in worlds.items()}
    else:
        several = list(worlds) if isinstance(worlds, Iterable) and not isinstance(worlds, str) else [worlds]
        names = [getattr(each, "name", None) for each in several]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError("worlds", f"two are called {twice!r}", fix="pass them by name, {name: worlds}")
        named = {str(name): each for name, each in zip(names, several, strict=True)}
    wrong = next((each for each in named.values() if not isinstance(each, SimulatedWorlds)), None)
    if wrong is not None or not named:
        fix = "pass simulate_scenarios('inflation')"
        raise InputError("worlds", f"{wrong!r} is none" if named else "none", fix=fix)
    short = next((name for name, each in named.items() if each.n_years < _FEWEST_YEARS), None)
    if short is not None:
        raise InputError("worlds", f"{short!r} has one year: no Sharpe ratio", fix="simulate 2 years or more")
    return named
