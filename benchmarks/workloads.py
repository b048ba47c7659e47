"""The table of workloads: what is computed, by whom, and what the right answer is."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import problems, reference
from benchmarks.problems import (
    BandProblem,
    BootstrapProblem,
    PathProblem,
    ReturnsProblem,
    RiskProblem,
    SweepProblem,
    WindowsProblem,
)

__all__ = ["OURS", "WORKLOADS", "System", "Workload"]

Array = NDArray[np.float64]
OURS = "allocator"
_EXACT = 1e-12
_PEERS_FREE = 1e-10
_CHECKED_PORTFOLIOS = 25
_SOLVERS = "stops at its default tolerance"
_MINUTES = "left out: it would take minutes"


@dataclass(frozen=True)
class System:
    """One library on one workload.

    Attributes
    ----------
    name
        What the table calls it.
    function
        ``module:function`` under :mod:`benchmarks`, imported where it runs: it takes a problem and
        returns the call that is timed. Empty where there is none.
    package
        What must be installed; empty for what the library itself needs.
    tolerance
        Largest deviation from the reference without costs; None where the answer is not exact by design.
    by_rows
        Whether the reference follows the peers' conventions: years are rows / 252, the row of the build
        is a return, the tail of the expected shortfall has a whole number of returns.
    note
        Printed in the row; with no function, why there is none.
    same_memory_as
        A quicker workload that holds as much, where the same is done several times over.
    """

    name: str
    function: str = ""
    package: str = ""
    tolerance: float | None = _EXACT
    by_rows: bool = False
    note: str = ""
    same_memory_as: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is this library, whose answers must be right also with costs."""
        return self.name.startswith(OURS)

    def start(self, problem: Any) -> Callable[[], Array]:
        """Import what is needed and return the call that is timed."""
        module, function = self.function.split(":")
        call: Callable[[], Array] = getattr(importlib.import_module(f"benchmarks.{module}"), function)(
            problem
        )
        return call


@dataclass(frozen=True)
class Workload:
    """One problem, who solves it, and how the answer is judged.

    Attributes
    ----------
    name, family
        The record's name and what the command line calls it: W6 stands for W6, W6-100, W6-500, W6-1000.
    title
        What is computed, in a line.
    full, small
        Make the problem that is timed and one of the same kind that takes milliseconds.
    deviation
        Takes a problem, an answer and the convention (``by_rows``); returns the distance to the reference.
    """

    name: str
    title: str
    full: Callable[[], Any]
    small: Callable[[], Any]
    deviation: Callable[[Any, Array, bool], float]
    systems: tuple[System, ...]

    @property
    def family(self) -> str:
        """The part of the name before the size."""
        return self.name.split("-")[0]


def distance(answer: Array, expected: Array) -> float:
    """Return the largest difference, relative where the expected number is above one; NaN is not compared."""
    if answer.shape != expected.shape or not np.isfinite(answer).all():
        return np.inf
    return float(np.nanmax(np.abs(answer - expected) / np.maximum(np.abs(expected), 1.0)))


def _path_deviation(problem: PathProblem, answer: Array, by_rows: bool) -> float:  # noqa: ARG001
    rows = problem.prices.index.get_indexer(problem.targets.index).tolist()
    targets = dict(zip(rows, problem.targets.to_numpy().tolist(), strict=True))
    expected = reference.scheduled_path(problem.prices.to_numpy().tolist(), targets, problem.rate)
    return distance(answer, np.array(expected))


def _risk_parity_deviation(problem: PathProblem, answer: Array, by_rows: bool) -> float:
    """Decide by hand at each month's end, with the solver that W6 checks, and keep the book."""
    from strategies import equal_risk_contribution

    window = 756
    rows = problems.month_end_rows(problem.prices.index)
    rows = np.union1d([window], rows[rows > window])
    returns = problem.prices.pct_change().to_numpy()
    decided = [
        equal_risk_contribution(np.cov(returns[row - window + 1 : row + 1], rowvar=False)) for row in rows
    ]
    prices = problem.prices.iloc[window:]
    targets = pd.DataFrame(
        np.array(decided), index=problem.prices.index[rows], columns=problem.prices.columns
    )
    return _path_deviation(PathProblem(prices, targets, problem.rate), answer, by_rows)


def _band_deviation(problem: BandProblem, answer: Array, by_rows: bool) -> float:  # noqa: ARG001
    prices, weights = problem.prices.to_numpy().tolist(), list(problem.weights.values())
    return distance(answer, np.array(reference.banded_path(prices, weights, problem.width, problem.rate)))


def _sweep_deviation(problem: SweepProblem, answer: Array, by_rows: bool) -> float:
    """Compare a sample of the portfolios, evenly spaced."""
    prices = problem.prices.to_numpy().tolist()
    rows = problems.month_end_rows(problem.prices.index).tolist()
    expected = np.full((len(problem.weights), 2), np.nan)
    for k in range(0, len(expected), max(1, len(expected) // _CHECKED_PORTFOLIOS)):
        weights = problem.weights.iloc[k].tolist()
        path = (
            reference.scheduled_path(prices, dict.fromkeys(rows, weights), problem.rate)
            if problem.width is None
            else reference.banded_path(prices, weights, problem.width, problem.rate)
        )
        expected[k] = reference.sharpe_and_drawdown(path, build_is_a_row=by_rows)
    return distance(answer, expected)


def _risk_deviation(problem: RiskProblem, answer: Array, by_rows: bool) -> float:  # noqa: ARG001
    pairs = zip(problem.covariances.tolist(), answer.tolist(), strict=True)
    return max(reference.risk_error(covariance, weights) for covariance, weights in pairs)


def _statistics_deviation(problem: ReturnsProblem, answer: Array, by_rows: bool) -> float:
    dates = problem.returns.index
    calendar = (dates[-1] - dates[0]).days / 365.25 + reference.years_of_rows(1)
    years = reference.years_of_rows(len(dates)) if by_rows else calendar
    expected = np.full(answer.shape, np.nan)
    columns = range(0, expected.shape[1], max(1, expected.shape[1] // _CHECKED_PORTFOLIOS))
    for k in columns:
        expected[:, k] = reference.statistics(problem.returns.iloc[:, k].tolist(), years, by_rows)
    return distance(answer, expected)


def _covariance_deviation(problem: WindowsProblem, answer: Array, by_rows: bool) -> float:  # noqa: ARG001
    def expected(values: Array, end: int) -> float:
        return reference.covariance(values[end - problem.window + 1 : end + 1].tolist())

    return _deviation_of_pairs(problem, answer, expected)


def _exponential_deviation(problem: WindowsProblem, answer: Array, by_rows: bool) -> float:  # noqa: ARG001
    def expected(values: Array, end: int) -> float:
        return reference.exponential_covariance(values[: end + 1].tolist(), problem.half_life)

    return _deviation_of_pairs(problem, answer, expected)


def _deviation_of_pairs(
    problem: WindowsProblem, answer: Array, expected: Callable[[Array, int], float]
) -> float:
    """Compare the covariances of the first and the last asset on some dates, in units of volatilities."""
    n_dates, n_assets = len(problem.ends), problem.returns.shape[1]
    if answer.shape != (n_dates, n_assets, n_assets):
        return np.inf
    columns, worst = [0, n_assets - 1], 0.0
    values = problem.returns.iloc[:, columns].to_numpy()
    for k in {0, n_dates // 3, n_dates // 2, n_dates - 1}:
        pairs = np.array([[expected(values[:, [i, j]], problem.ends[k]) for i in (0, 1)] for j in (0, 1)])
        unit = np.sqrt(np.outer(pairs.diagonal(), pairs.diagonal()))
        worst = max(worst, distance(answer[k][np.ix_(columns, columns)] / unit, pairs / unit))
    return worst


def _bootstrap_deviation(problem: BootstrapProblem, answer: Array, by_rows: bool) -> float:
    """Compare a draw of each batch, written out; of a peer, whose draws are others, their deviation."""
    from allocator import StationaryBootstrap

    pairs = problem.returns.to_numpy()
    if answer.shape != (problem.n_resamples,):
        return np.inf
    if by_rows:
        error = reference.sharpe_difference_error(pairs.tolist(), problem.block_length)
        return abs(float(np.std(answer)) / error - 1.0)
    bootstrap, rng = StationaryBootstrap(problem.block_length), np.random.default_rng(problem.seed)
    first, worst = 0, 0.0
    for rows in bootstrap.rows(len(pairs), problem.n_resamples, rng):
        expected = reference.sharpe_difference(pairs[rows[0]].tolist())
        worst = max(worst, distance(answer[first : first + 1], np.array([expected])))
        first += len(rows)
    return worst


def _bt(function: str = "", note: str = "") -> System:
    return System("bt", function and f"peers:{function}", "bt", _PEERS_FREE, by_rows=True, note=note)


def _vectorbt(function: str) -> System:
    return System("vectorbt", f"peers:{function}", "vectorbt", _PEERS_FREE, by_rows=True)


def _ours(function: str, variant: str = "", note: str = "") -> System:
    return System(f"{OURS} ({variant})" if variant else OURS, f"ours:{function}", note=note)


_SMALL = 300


def _risk_workload(name: str, title: str, n_assets: int, n_matrices: int, *peers: System) -> Workload:
    return Workload(
        name,
        title,
        partial(problems.risk_of, n_assets, n_matrices),
        partial(problems.risk_of, 3, min(n_matrices, 2)),
        _risk_deviation,
        (_ours("equal_risk"), *peers),
    )


def _statistics_workload(name: str, title: str, n_series: int) -> Workload:
    return Workload(
        name,
        title,
        partial(problems.returns_of, 6300, n_series),
        partial(problems.returns_of, _SMALL, min(n_series, 2)),
        _statistics_deviation,
        (
            _ours("eight_statistics"),
            System("empyrical", "peers:empyrical_statistics", "empyrical", _PEERS_FREE, by_rows=True),
            _vectorbt("vectorbt_statistics"),
        ),
    )


def _sweep_workload(
    name: str, title: str, n_portfolios: int, width: float | None, vectorbt: System
) -> Workload:
    return Workload(
        name,
        title,
        partial(problems.sweep_of, 6300, 5, n_portfolios, width),
        partial(problems.sweep_of, _SMALL, 5, 3, width),
        _sweep_deviation,
        (_ours("many_portfolios"), vectorbt, _bt(note=_MINUTES)),
    )


def _windows_workload(name: str, title: str, n_assets: int) -> Workload:
    return Workload(
        name,
        title,
        partial(problems.windows_of, 6300, n_assets, 756),
        partial(problems.windows_of, _SMALL, 3, 100),
        _covariance_deviation,
        (_ours("window_covariances"), System("pandas", "peers:pandas_windows", tolerance=_PEERS_FREE)),
    )


def _exponential_workload(name: str, title: str, n_assets: int) -> Workload:
    return Workload(
        name,
        title,
        partial(problems.windows_of, 6300, n_assets, 756),
        partial(problems.windows_of, _SMALL, 3, 100),
        _exponential_deviation,
        (
            _ours("exponential_covariances"),
            System("pandas", "peers:pandas_exponential", tolerance=_PEERS_FREE, note="at every row"),
        ),
    )


_RISKPARITYPORTFOLIO = System(
    "riskparityportfolio", "peers:riskparityportfolio_weights", "riskparityportfolio", None, note=_SOLVERS
)
_VECTORBT_SWEEP = _vectorbt("vectorbt_sweep")
_SKFOLIO = System(
    "skfolio", "peers:skfolio_weights", "skfolio", None, note=f"covariance included; {_SOLVERS}"
)
_CVXPY = System("cvxpy", "peers:cvxpy_weights", "cvxpy", None, note=f"Clarabel, {_SOLVERS}")
_ERC = "equal risk contribution, one covariance, n ="

_ALL = (
    Workload(
        "W1",
        "60/40, 2 assets, 12,600 days, monthly, 5 bp: DataFrame in, value path out",
        partial(problems.fixed_path, 12_600, (0.6, 0.4)),
        partial(problems.fixed_path, _SMALL, (0.6, 0.4)),
        _path_deviation,
        (
            _ours("fixed_mix"),
            _vectorbt("vectorbt_path"),
            _bt("bt_path"),
            _ours("fixed_mix_in_market", "market given"),
        ),
    ),
    Workload(
        "W2",
        "10 assets, 6,300 days, weights that change each month, 5 bp: DataFrames in, value path out",
        partial(problems.changing_path, 6300, 10),
        partial(problems.changing_path, _SMALL, 10),
        _path_deviation,
        (_ours("changing_weights"), _vectorbt("vectorbt_path"), _bt("bt_path")),
    ),
    _sweep_workload(
        "W3",
        "1,000 portfolios of 5 assets, 6,300 days, monthly, 5 bp: Sharpe, drawdown",
        1000,
        None,
        _VECTORBT_SWEEP,
    ),
    _sweep_workload(
        "W3b",
        "the same, 10,000 portfolios",
        10_000,
        None,
        replace(_VECTORBT_SWEEP, note="in ten parts, or memory would not do", same_memory_as="W3"),
    ),
    Workload(
        "W4",
        "3,000 assets, 2,520 days, equal weight monthly, 5 bp; the prices alone are 60 MB",
        partial(problems.fixed_path, 2520, 3000),
        partial(problems.fixed_path, _SMALL, 20),
        _path_deviation,
        (
            _ours("fixed_mix_in_market", note="market given"),
            _vectorbt("vectorbt_path"),
            _bt(note=_MINUTES),
            _ours("fixed_mix", "with market"),
        ),
    ),
    Workload(
        "W5",
        "band of 5 points, 5 assets, 6,300 days, 5 bp: DataFrame in, value path out",
        partial(problems.banded, 6300, 5),
        partial(problems.banded, _SMALL, 5),
        _band_deviation,
        (_ours("band"), _vectorbt("vectorbt_band"), _bt("bt_band")),
    ),
    _sweep_workload(
        "W5b", "1,000 portfolios with a band of 5 points: Sharpe, drawdown", 1000, 0.05, _VECTORBT_SWEEP
    ),
    _risk_workload("W6", f"{_ERC} 10", 10, 1, _RISKPARITYPORTFOLIO, _SKFOLIO, _CVXPY),
    _risk_workload("W6-100", f"{_ERC} 100", 100, 1, _RISKPARITYPORTFOLIO, _SKFOLIO, _CVXPY),
    _risk_workload("W6-500", f"{_ERC} 500", 500, 1, _RISKPARITYPORTFOLIO, _SKFOLIO, _CVXPY),
    _risk_workload("W6-1000", f"{_ERC} 1,000", 1000, 1, _RISKPARITYPORTFOLIO),
    _risk_workload("W6b", "equal risk contribution, 300 covariances, n = 10", 10, 300, _RISKPARITYPORTFOLIO),
    _windows_workload("W7", "covariances of 756 days at each month's end, 10 assets, 6,300 days", 10),
    _windows_workload("W7-100", "the same, 100 assets", 100),
    _exponential_workload(
        "W7b", "exponentially weighted covariances at each month's end, 10 assets, 6,300 days", 10
    ),
    _exponential_workload("W7b-100", "the same, 100 assets", 100),
    _statistics_workload("W8", "eight statistics of a dated Series, 6,300 days", 1),
    _statistics_workload("W8-1000", "the same of 1,000 series", 1000),
    Workload(
        "W9",
        "10,000 stationary-bootstrap draws of a Sharpe difference, 12,600 days, mean block 20",
        partial(problems.bootstrap_of, 12_600, 10_000),
        partial(problems.bootstrap_of, _SMALL, 100),
        _bootstrap_deviation,
        (
            _ours("sharpe_differences"),
            System(
                "arch",
                "peers:arch_sharpe_differences",
                "arch",
                None,
                by_rows=True,
                note="its draws are others: compared is their deviation",
            ),
        ),
    ),
    Workload(
        "RP",
        "risk parity on 3 trailing years, 10 assets, 6,300 days, monthly, 5 bp: the whole run",
        partial(problems.fixed_path, 6300, 10),
        partial(problems.fixed_path, 900, 3),
        _risk_parity_deviation,
        (_ours("risk_parity"),),
    ),
)
WORKLOADS: Mapping[str, Workload] = {w.name: w for w in _ALL}
