"""Simulated worlds: paths of an economy and of its markets, drawn together from years of one label.

This is the library's simulator of test markets by regime, in yearly steps; ``simulate_market`` makes
daily ones. Everything that comes out is made up and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.debt.draws import FirstOrderVar, HistoryBlocks, MacroDraws, fit_first_order
from allocator.macro.debt.fan import DebtFan, fan_table
from allocator.macro.debt.law import MOST_PATHS
from allocator.macro.debt.paths import debt_paths
from allocator.macro.scenarios import show
from allocator.macro.scenarios.history import DRIVERS, ScenarioHistory, marginal_rate
from allocator.macro.scenarios.scenario import DebtScenario, debt_scenario, effective_rates, whole_number
from allocator.market import Market, Signal
from allocator.regimes._settings import refuse_huge
from allocator.statistics._settings import refuse_no_seed

__all__ = ["SERIES", "SimulatedWorlds", "simulate_scenarios"]

FloatArray = NDArray[np.float64]
SERIES = (*DRIVERS, "real_rate", "bond_yield", "effective_rate", "debt")
_CAP = 10.0  # times GDP
_LOWEST = -0.99  # a rate or return below it, which only normal draws reach, is held there and counted
_CANNOT_END = ("growth", "inflation", "short_rate")
# About the mean length of a spell with one label in 1940-2025: 51 labelled years in 22 spells.
_USUAL = HistoryBlocks(2)


@final
@dataclass(frozen=True, eq=False, repr=False)
class SimulatedWorlds:
    """Paths of an economy and its markets; all of it SIMULATED.

    Attributes
    ----------
    scenario
        The mean year, and where the paths begin.
    futures
        What was drawn, shape (n_paths, n_years, n_columns), in the order of ``scenario.history.columns``,
        read-only.
    draws, seed
        How, and with which seed.
    years
        Which year of history each simulated year is, shape (n_paths, n_years); None where years are not
        drawn as they were (``FirstOrderVar``, draws of your own).
    n_held
        Rates and returns below -99 % that were held there.
    """

    scenario: DebtScenario
    futures: FloatArray
    draws: MacroDraws
    seed: int
    years: NDArray[np.int64] | None
    n_held: int

    __repr__ = show.worlds_text
    _repr_html_ = show.worlds_html

    @property
    def name(self) -> str:
        """The regime."""
        return self.scenario.regime

    @property
    def assets(self) -> tuple[str, ...]:
        """What can be held."""
        return self.scenario.history.assets

    @property
    def n_paths(self) -> int:
        """How many worlds."""
        return len(self.futures)

    @property
    def n_years(self) -> int:
        """How long."""
        return int(self.futures.shape[1])

    @property
    def returns(self) -> FloatArray:
        """Simple returns, shape (n_paths, n_years, n_assets), in the order of ``assets``."""
        return self.futures[..., len(DRIVERS) :]

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The ends of the simulated years."""
        first = self.scenario.history.market.index[-1]
        return pd.DatetimeIndex([first + pd.DateOffset(years=k + 1) for k in range(self.n_years)])

    def series(self, name: str) -> FloatArray:
        """Return one series of the economy, shape (n_paths, n_years).

        ``growth``, ``inflation``, ``short_rate``, ``term_premium``, ``primary_deficit``, ``dollar`` (NaN
        where the drawn year has no index) as drawn; ``real_rate``, ``bond_yield``, ``effective_rate`` and
        ``debt`` as they follow.
        """
        if not isinstance(name, str) or name not in SERIES:
            raise InputError("name", f"{name!r} is none of {', '.join(SERIES)}")
        return self._series[name]

    @cached_property
    def _series(self) -> dict[str, FloatArray]:
        drawn = {name: self.futures[..., place] for place, name in enumerate(DRIVERS)}
        start, short = self.scenario, drawn["short_rate"]
        yields = short + drawn["term_premium"]
        rate = effective_rates(start.interest_rate, marginal_rate(short, yields), start.refinanced)
        debt = debt_paths(
            start.debt, rate, drawn["growth"], drawn["inflation"], drawn["primary_deficit"], cap=_CAP
        )
        real = (1.0 + short) / (1.0 + drawn["inflation"]) - 1.0
        made = {"real_rate": real, "bond_yield": yields, "effective_rate": rate, "debt": debt}
        for each in made.values():
            each.flags.writeable = False
        return drawn | made

    @property
    def debt(self) -> DebtFan:
        """Where the debt ratio goes over these worlds, by the exact law; no stock-flow."""
        names = ("effective_rate", "growth", "inflation", "primary_deficit")
        futures = np.stack([self.series(name) for name in names], axis=-1)
        futures.flags.writeable = False
        paths, history = self.series("debt"), self.scenario.history
        return DebtFan(
            fan_table(paths, self.scenario.debt, _CAP),
            paths,
            futures,
            self.scenario.debt,
            str(history.last_year),
            self.draws,
            show.sample_text(self),
            self.seed,
            _CAP,
        )

    def years_error(self, values: FloatArray) -> float:
        """Return the standard error that the few labelled years give to a mean over the paths.

        The mean over paths is a smooth function of the weights of the labelled years; its error follows from
        how each path's value goes with the number of blocks that begin in each year (the infinitesimal
        jackknife: Efron, 2014, J. Am. Stat. Assoc. 109, 991, Theorem 1, for blocks of L years times √L),
        less what the simulation adds to it (Wager, Hastie and Efron, 2014, J. Mach. Learn. Res. 15, 1625).
        It knows nothing of what none of these years has seen. More paths do not make it smaller.

        Parameters
        ----------
        values
            A number for each path, shape (n_paths,); NaN are left out.

        Returns
        -------
        float
            In the unit of the values; NaN where ``years`` is None or fewer than two values are left.
        """
        given = np.asarray(values)
        if given.dtype.kind not in "fiu":
            raise InputError(
                "values", f"{type(values).__name__} of {given.dtype}", fix="pass numbers, one a path"
            )
        numbers = given.astype(np.float64)
        refuse_huge(numbers.reshape(-1, 1), "values")
        if numbers.shape != (self.n_paths,):
            raise InputError("values", f"shape {numbers.shape}, expected ({self.n_paths},)")
        kept = np.isfinite(numbers)
        if self.years is None or not isinstance(self.draws, HistoryBlocks) or kept.sum() < 2:
            return np.nan
        length, centred = self.draws.block_length, numbers[kept] - numbers[kept].mean()
        starts = self.years[kept][:, ::length]
        labelled = np.unique(self.scenario.history.years(self.name).index)
        counts = np.stack([(starts == year).sum(axis=1) for year in labelled], axis=1)
        covariances = centred @ (counts - counts.mean(axis=0)) / len(centred)
        noise = starts.shape[1] * float(centred @ centred) / len(centred) ** 2
        return float(np.sqrt(length * max(float(covariances @ covariances) - noise, 0.0)))

    def market(self, path: int) -> Market:
        """Return one world as a market: history up to its last year, then the simulated years.

        The history is there so that strategies have a past to decide on; a backtest from
        ``start=worlds.dates[0]`` counts the simulated years only. Signals: ``inflation`` and ``growth``,
        known at the end of January; ``bond_yield`` and ``debt``, known at the end of the year.
        """
        number = whole_number("path", path, 0, self.n_paths - 1)
        past = self._past
        grown = past.levels[-1] * np.cumprod(1.0 + self.returns[number], axis=0)
        levels = pd.DataFrame(np.vstack([past.levels, grown]), index=past.index, columns=list(self.assets))
        cash = np.concatenate([past.cash, self.series("short_rate")[number]])
        return Market(
            levels,
            pd.Series(cash, index=past.index[1:], name="simulated short rate"),
            {name: self._signal(name, number) for name in past.signals},
            sources=past.sources,
            name=f"{self.name} world {number}, seed {self.seed}",
            simulated=True,
        )

    def _signal(self, name: str, path: int) -> Signal:
        known, ends, before = self._past.signals[name]
        return Signal(pd.Series(np.concatenate([before, self.series(name)[path]]), index=known), ends)

    @cached_property
    def _past(self) -> _Past:
        return _past(self.scenario.history, self.dates, show.source_text(self))


@dataclass(frozen=True, eq=False)
class _Past:
    """What all markets share: all dates, levels and cash before, each signal's dates, and the sources."""

    index: pd.DatetimeIndex
    levels: FloatArray
    cash: FloatArray
    signals: dict[str, tuple[pd.DatetimeIndex, pd.DatetimeIndex, FloatArray]]
    sources: dict[str, str]


def _past(history: ScenarioHistory, dates: pd.DatetimeIndex, source: str) -> _Past:
    market = history.market
    columns = [market.assets.index(asset) for asset in history.assets]
    first = int(market.listed_from[columns].max())
    ends = pd.DatetimeIndex([pd.Timestamp(int(y), 12, 31) for y in history.table.index]).union(dates)
    january = pd.DatetimeIndex([end + pd.Timedelta(31, "D") for end in ends])
    stamps = {"inflation": january, "growth": january, "bond_yield": ends, "debt": ends}
    signals = {name: (known, ends, history.table[name].to_numpy()) for name, known in stamps.items()}
    levels, cash = market.levels[first:, columns], market.cash[first + 1 :]
    sources = dict.fromkeys((*history.assets, "cash", *stamps), source)
    return _Past(market.index[first:].union(dates), levels, cash, signals, sources)


def simulate_scenarios(
    scenario: DebtScenario | str,
    n_paths: int = 1000,
    n_years: int | None = None,
    *,
    draws: MacroDraws = _USUAL,
    seed: int = 0,
    history: ScenarioHistory | None = None,
) -> SimulatedWorlds:
    """Simulate worlds in which the debt is handled by one means: economy and asset returns together.

    A drawn year is a year of history as a whole: growth, inflation, short rate, premium, deficit, dollar and
    the returns of all assets of the same year. What stands in levels follows from where the debt is today:
    the effective rate is refinanced at the drawn rates, and the debt obeys the exact law.

    * ``HistoryBlocks``, and draws of your own, draw from the years with the label only. A block that reaches
      the end of a spell goes on with the next spell of the same label, and after the last with the first.
    * ``FirstOrderVar`` cannot be fitted to nine years: it is fitted to all years of the history, whatever
      their label, and lifted so that it settles at the regime's means instead of history's. It begins at
      the last year, and its shocks are those of all years, not of the regime. A dollar that lacks
      years is left out (NaN).

    A scenario that was altered shifts every drawn year by the difference, so that it stays the mean.

    Parameters
    ----------
    scenario
        A :class:`DebtScenario`, or the name of a regime.
    n_paths, n_years
        How many worlds and how long; by default as long as the scenario.
    draws
        How years are drawn.
    seed
        Not negative. Path i depends on it and on i alone: more paths or more years begin with the fewer.
    history
        For a name: what to draw from, by default :func:`scenario_history`.

    Raises
    ------
    InputError
        For an unknown regime or one without years, no path, no year, draws that do not fit the years.
    """
    base = _read_scenario(scenario, history)
    paths = whole_number("n_paths", n_paths, 1)
    years = base.n_years if n_years is None else whole_number("n_years", n_years, 1, 100)
    refuse_no_seed(seed)
    if paths * years > MOST_PATHS:
        problem = f"{paths:,} worlds of {years} years are more than {MOST_PATHS:,} years"
        raise InputError("n_paths", problem, fix="simulate fewer")
    if not isinstance(draws, MacroDraws):
        raise InputError("draws", f"{draws!r} cannot draw", fix="HistoryBlocks(2) or FirstOrderVar()")
    source, lift = _drawn_from(base, draws, years)
    futures, rows = _draw(source, draws, paths, years, seed)
    futures += lift
    n_held = _hold(futures, base.history)
    futures.flags.writeable = False
    labelled = base.history.years(base.regime).index.to_numpy()
    return SimulatedWorlds(base, futures, draws, seed, None if rows is None else labelled[rows], n_held)


def _draw(
    source: FloatArray, draws: MacroDraws, n_paths: int, n_years: int, seed: int
) -> tuple[FloatArray, NDArray[np.int64] | None]:
    """Return paths of the columns of the source, and the row that each year is where rows are drawn.

    Each path has a generator of its own: it depends neither on how many there are nor on their length. Blocks
    take rows as they are, gaps of the dollar in them and their numbers beside them.
    """
    takes_rows = isinstance(draws, HistoryBlocks)
    drawn = np.isfinite(source).all(axis=0) | takes_rows
    numbers = np.arange(float(len(source)))[:, None]
    columns = np.hstack([source[:, drawn], numbers]) if takes_rows else source[:, drawn]
    found = np.empty((n_paths, n_years, columns.shape[1]))
    for path in range(n_paths):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(path,)))
        one = draws.paths(columns, 1, n_years, rng)
        if np.shape(one) != (1, n_years, columns.shape[1]):
            expected = (1, n_years, columns.shape[1])
            raise InputError("draws", f"{draws} gave shape {np.shape(one)}, expected {expected}")
        found[path] = one[0]
    futures = np.full((n_paths, n_years, source.shape[1]), np.nan)
    futures[..., drawn] = found[..., : int(drawn.sum())]
    return futures, found[..., -1].astype(np.int64) if takes_rows else None


def _read_scenario(scenario: object, history: ScenarioHistory | None) -> DebtScenario:
    if isinstance(scenario, str):
        return debt_scenario(scenario, history=history)
    if not isinstance(scenario, DebtScenario):
        raise InputError(
            "scenario", f"{scenario!r} is none", fix="pass debt_scenario('inflation'), or a name"
        )
    if history is not None:
        raise InputError("history", "a scenario has its own", fix="pass it to debt_scenario")
    return scenario


def _drawn_from(scenario: DebtScenario, draws: MacroDraws, n_years: int) -> tuple[FloatArray, FloatArray]:
    """Return the years to draw from, and what to add to each drawn year, (n_years, n_columns)."""
    history, target = scenario.history, scenario.mean_year
    if not isinstance(draws, FirstOrderVar):
        years = history.years(scenario.regime)
        return years.to_numpy(), np.broadcast_to(target - years.mean().to_numpy(), (n_years, len(target)))
    whole = history.table[list(history.columns)].to_numpy()
    complete = np.isfinite(whole).all(axis=0)
    constant, matrix, _ = fit_first_order(whole[:, complete])
    eye = np.eye(len(constant))
    gap = target[complete] - np.linalg.solve(eye - matrix, constant)
    lift = np.zeros((n_years, len(target)))
    power = eye
    for year in range(n_years):
        power = power @ matrix
        lift[year, complete] = (eye - power) @ gap
    return whole, lift


def _hold(futures: FloatArray, history: ScenarioHistory) -> int:
    """Hold what cannot fall to -1 above it, in place, and return how often that was needed."""
    columns = [j for j, name in enumerate(history.columns) if name in (*_CANNOT_END, *history.assets)]
    values = futures[..., columns]
    low = values < _LOWEST
    if low.any():
        futures[..., columns] = np.where(low, _LOWEST, values)
    return int(low.sum())
