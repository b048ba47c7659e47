"""The same work by other libraries, as their own documentation does it; each is imported when it is asked.

Each function takes a problem, does what need not be repeated, and returns the call that is timed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.problems import (
    BandProblem,
    BootstrapProblem,
    PathProblem,
    ReturnsProblem,
    RiskProblem,
    SweepProblem,
    WindowsProblem,
    month_end_rows,
)

__all__ = [
    "arch_sharpe_differences",
    "bt_band",
    "bt_path",
    "cvxpy_weights",
    "empyrical_statistics",
    "pandas_exponential",
    "pandas_windows",
    "riskparityportfolio_weights",
    "skfolio_weights",
    "vectorbt_band",
    "vectorbt_path",
    "vectorbt_statistics",
    "vectorbt_sweep",
]

Array = NDArray[np.float64]
Call = Callable[[], Array]
_CAPITAL = 1e6  # bt trades fractions of a share, but only of amounts that are not tiny
_YEAR = "252 days"  # vectorbt counts 365 rows a year unless told
_AT_ONCE = 1000  # portfolios; a table of 10,000 needs more memory than most machines have


def bt_path(problem: PathProblem) -> Call:
    """Rebalance in bt: on the first day and at each month's end, not on the last day; or on other dates."""
    import bt

    dates, index = problem.targets.index, problem.prices.index
    if dates.equals(index[month_end_rows(index)]):
        when = bt.algos.RunMonthly(run_on_first_date=True, run_on_end_of_period=True)
    else:
        when = bt.algos.RunOnDate(*dates)  # twice as slow: it searches a list every day
    fixed = bool((problem.targets == problem.targets.iloc[0]).to_numpy().all())
    weights = dict(problem.targets.iloc[0])
    weigh = bt.algos.WeighSpecified(**weights) if fixed else bt.algos.WeighTarget(problem.targets)
    return _bt_call(problem.prices, problem.rate, lambda: [when, weigh])


def bt_band(problem: BandProblem) -> Call:
    """Rebalance in bt by an algo of our own: its RunIfOutOfBounds knows only relative bands."""
    import bt

    class OutsideBand(bt.Algo):  # type: ignore[misc]
        def __call__(self, target: Any) -> bool:
            if target.now == problem.prices.index[-1]:
                return False
            held = {name: child.weight for name, child in target.children.items()}
            away = (abs(held.get(name, 0.0) - weight) for name, weight in problem.weights.items())
            return not held or max(away) > problem.width

    return _bt_call(
        problem.prices,
        problem.rate,
        lambda: [OutsideBand(), bt.algos.WeighSpecified(**problem.weights)],
    )


def _bt_call(prices: pd.DataFrame, rate: float, algos: Callable[[], list[Any]]) -> Call:
    import bt

    def call() -> Array:
        steps = algos()
        strategy = bt.Strategy("s", [steps[0], bt.algos.SelectAll(), steps[1], bt.algos.Rebalance()])
        backtest = bt.Backtest(
            strategy,
            prices,
            initial_capital=_CAPITAL,
            commissions=lambda quantity, price: abs(quantity) * price * rate,
            integer_positions=False,
            progress_bar=False,
        )
        backtest.run()
        return np.asarray(
            backtest.strategy.values.to_numpy()[1:] / _CAPITAL
        )  # bt puts a day before the first

    return call


def vectorbt_path(problem: PathProblem) -> Call:
    """Order target percents in vectorbt on the rows of the table."""
    import vectorbt as vbt

    rows = problem.prices.index.get_indexer(problem.targets.index)

    def call() -> Array:
        size = np.full(problem.prices.shape, np.nan)
        size[rows] = problem.targets.to_numpy()
        portfolio = vbt.Portfolio.from_orders(
            problem.prices,
            size,
            size_type="targetpercent",
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            fees=problem.rate,
            freq="1D",
            init_cash=_CAPITAL,
            max_orders=problem.targets.size,  # or it reserves 48 bytes for every price
        )
        return np.asarray(portfolio.value().to_numpy() / _CAPITAL)

    return call


def vectorbt_band(problem: BandProblem) -> Call:
    """Rebalance in vectorbt by order functions, compiled by numba in the run before the timed ones."""
    weights = np.array(list(problem.weights.values()))[None, :]

    def call() -> Array:
        portfolio = _vectorbt_banded(problem.prices, weights, problem.width, problem.rate)
        return np.asarray(portfolio.value().to_numpy() / _CAPITAL).ravel()

    return call


def vectorbt_sweep(problem: SweepProblem) -> Call:
    """Run groups of columns in vectorbt, a group a portfolio, at most 1,000 at once."""
    every = problem.weights.to_numpy()
    rows = month_end_rows(problem.prices.index)

    def part(weights: Array) -> Array:
        if problem.width is None:
            portfolio = _vectorbt_scheduled(problem.prices, weights, rows, problem.rate)
        else:
            portfolio = _vectorbt_banded(problem.prices, weights, problem.width, problem.rate)
        # The year is given to each statistic, not set for the process, which others share.
        sharpe = portfolio.sharpe_ratio(year_freq=_YEAR)
        return np.column_stack([np.atleast_1d(s) for s in (sharpe, portfolio.max_drawdown())])

    return lambda: np.vstack([part(every[i : i + _AT_ONCE]) for i in range(0, len(every), _AT_ONCE)])


def _vectorbt_scheduled(prices: pd.DataFrame, weights: Array, rows: NDArray[np.int64], rate: float) -> Any:
    import vectorbt as vbt

    tiled = prices.vbt.tile(len(weights))
    size = np.full(tiled.shape, np.nan)
    size[rows] = weights.ravel()
    return vbt.Portfolio.from_orders(
        tiled,
        size,
        size_type="targetpercent",
        group_by=np.repeat(np.arange(len(weights)), weights.shape[1]),
        cash_sharing=True,
        call_seq="auto",
        fees=rate,
        freq="1D",
        init_cash=_CAPITAL,
        max_orders=len(rows) * weights.size,
    )


def _vectorbt_banded(prices: pd.DataFrame, weights: Array, width: float, rate: float) -> Any:
    import vectorbt as vbt

    from benchmarks import vectorbt_orders as orders

    tiled = prices.vbt.tile(len(weights))
    return vbt.Portfolio.from_order_func(
        tiled,
        orders.order_nb,
        rate,
        pre_group_func_nb=orders.pre_group_nb,
        pre_segment_func_nb=orders.pre_segment_nb,
        pre_segment_args=(weights.ravel(), width),
        group_by=np.repeat(np.arange(len(weights)), weights.shape[1]),
        cash_sharing=True,
        freq="1D",
        init_cash=_CAPITAL,
        max_orders=tiled.size // 10,  # a band trades far more seldom
    )


def riskparityportfolio_weights(problem: RiskProblem) -> Call:
    """Design with the compiled part of riskparityportfolio, at its default tolerance of 1e-4."""
    design = _riskparityportfolio_vanilla().design
    n_assets = problem.covariances.shape[1]
    equal = np.full(n_assets, 1.0 / n_assets)
    return lambda: np.array([design(c, equal) for c in problem.covariances])


def _riskparityportfolio_vanilla() -> Any:
    """Load the compiled module alone: importing the package needs jax, which `design` does not use."""
    package = importlib.util.find_spec("riskparityportfolio")
    if package is None or package.submodule_search_locations is None:
        raise ModuleNotFoundError("riskparityportfolio")
    (file,) = Path(package.submodule_search_locations[0]).glob("vanilla*.so")
    spec = importlib.util.spec_from_file_location("vanilla", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cvxpy_weights(problem: RiskProblem) -> Call:
    """Minimise the convex function of Spinu (2013) with cvxpy and Clarabel, the problem built each time."""
    import cvxpy as cp

    n_assets = problem.covariances.shape[1]

    def solved(covariance: Array) -> Array:
        exposure = cp.Variable(n_assets)
        risk = cp.quad_form(exposure, cp.psd_wrap(covariance)) / 2
        logarithms = cp.sum(cp.log(exposure)) / n_assets
        cp.Problem(cp.Minimize(risk - logarithms)).solve(solver=cp.CLARABEL)
        return np.asarray(exposure.value / exposure.value.sum())

    return lambda: np.array([solved(c) for c in problem.covariances])


def skfolio_weights(problem: RiskProblem) -> Call:
    """Fit skfolio's RiskBudgeting on the returns, the sample covariance included."""
    from skfolio import RiskMeasure
    from skfolio.optimization import RiskBudgeting

    return lambda: np.array([RiskBudgeting(risk_measure=RiskMeasure.VARIANCE).fit(problem.returns).weights_])


def empyrical_statistics(problem: ReturnsProblem) -> Call:
    """Ask empyrical for eight statistics, a series at a time: it pools the columns of a table."""
    import empyrical as em

    def eight(returns: pd.Series[float]) -> list[float]:
        return [
            em.annual_return(returns),
            em.annual_volatility(returns),
            em.sharpe_ratio(returns),
            em.sortino_ratio(returns),
            em.max_drawdown(returns),
            em.calmar_ratio(returns),
            -em.value_at_risk(returns),
            -em.conditional_value_at_risk(returns),
        ]

    return lambda: np.array([eight(column) for _, column in problem.returns.items()]).T


def vectorbt_statistics(problem: ReturnsProblem) -> Call:
    """Ask vectorbt for eight statistics of a table at once."""
    import vectorbt  # noqa: F401  # gives DataFrames their accessor

    def call() -> Array:
        table = problem.returns.vbt.returns(freq="1D", year_freq=_YEAR)
        return np.array(
            [
                table.annualized(),
                table.annualized_volatility(),
                table.sharpe_ratio(),
                table.sortino_ratio(),
                table.max_drawdown(),
                table.calmar_ratio(),
                -table.value_at_risk(),
                -table.cond_value_at_risk(),
            ]
        )

    return call


def arch_sharpe_differences(problem: BootstrapProblem) -> Call:
    """Apply the difference of two Sharpe ratios to the resamples of arch, one after the other."""
    from arch.bootstrap import StationaryBootstrap

    values = problem.returns.to_numpy()

    def difference(draw: Array) -> Any:
        ratios = draw.mean(axis=0) / draw.std(axis=0, ddof=1)
        return ratios[0] - ratios[1]

    def call() -> Array:
        bootstrap = StationaryBootstrap(problem.block_length, values, seed=problem.seed)
        return np.asarray(bootstrap.apply(difference, problem.n_resamples)).ravel()

    return call


def pandas_windows(problem: WindowsProblem) -> Call:
    """Take the covariance of each window with pandas."""
    return lambda: np.array(
        [problem.returns.iloc[end - problem.window + 1 : end + 1].cov().to_numpy() for end in problem.ends]
    )


def pandas_exponential(problem: WindowsProblem) -> Call:
    """Take exponentially weighted covariances with pandas: at every row, of which the ends are kept."""
    n_assets = problem.returns.shape[1]

    def call() -> Array:
        stacked = problem.returns.ewm(halflife=problem.half_life).cov().to_numpy()
        return np.asarray(stacked.reshape(-1, n_assets, n_assets)[problem.ends])

    return call
