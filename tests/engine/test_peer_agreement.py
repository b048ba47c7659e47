"""Other libraries arrive at the same values: to rounding without costs, nearly so with them.

The peers are those of the extra ``[bench]``; without them these tests are skipped.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from allocator import (
    Band,
    BuyAndHold,
    Costs,
    FixedMix,
    Market,
    Monthly,
    Quarterly,
    Rebalancing,
    TargetWeights,
    Weekly,
    run_backtest,
)

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2]))  # the benchmarks are not installed

from benchmarks import peers
from benchmarks.problems import BandProblem, PathProblem

# What the peers' own dependencies deprecate is not for us to fix.
pytestmark = pytest.mark.filterwarnings("ignore")
SEEDS = range(4)
RULES: dict[str, Rebalancing] = {"W": Weekly(), "M": Monthly(), "Q": Quarterly(), "never": BuyAndHold()}
RATE = 0.0005


@pytest.fixture(params=["bt", "vectorbt"])
def peer(request: pytest.FixtureRequest) -> str:
    """Return the name of a peer that is installed."""
    name: str = request.param
    pytest.importorskip(name, reason=f"needs {name}, of the extra [bench]")
    return name


def random_prices(seed: int, n_periods: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n_assets = int(rng.integers(1, 6))
    steps = rng.normal(0.0, 0.02, (n_periods, n_assets))
    index = pd.bdate_range("2001-01-01", periods=n_periods) + pd.Timedelta(
        int(rng.integers(0, 3000)) * 7, "D"
    )
    levels = np.exp(steps.cumsum(axis=0)) * rng.uniform(1.0, 300.0, n_assets)
    return pd.DataFrame(levels, index=index, columns=[f"A{j}" for j in range(n_assets)])


def random_weights(seed: int, n_assets: int, n_rows: int = 1) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_assets), n_rows)


def trade_dates(index: pd.DatetimeIndex, period: str) -> pd.DatetimeIndex:
    """Return the first date and the last of each period, never the last of the table."""
    if period == "never":
        return index[:1]
    periods = index.to_period(period)
    return index[:1].union(index[:-1][periods[1:] != periods[:-1]])


def value_in(peer: str, problem: PathProblem) -> np.ndarray[Any, Any]:
    call = {"bt": peers.bt_path, "vectorbt": peers.vectorbt_path}[peer](problem)
    return call()


def deviation(ours: pd.Series, theirs: np.ndarray[Any, Any]) -> float:
    assert len(ours) == len(theirs)
    return float(np.abs(theirs / ours.to_numpy() - 1.0).max())


@pytest.mark.parametrize("period", RULES)
@pytest.mark.parametrize("seed", SEEDS)
def test_fixed_weights_on_a_calendar_agree_without_costs(peer: str, seed: int, period: str) -> None:
    prices = random_prices(seed)
    weights = random_weights(seed, prices.shape[1])[0]
    dates = trade_dates(prices.index, period)
    table = pd.DataFrame(np.tile(weights, (len(dates), 1)), index=dates, columns=prices.columns)
    theirs = value_in(peer, PathProblem(prices, table, 0.0))
    mix = FixedMix(dict(zip(prices.columns, weights.tolist(), strict=True)))
    ours = run_backtest(
        mix, Market(prices, cash=0.0), rebalancing=RULES[period], costs=Costs(trading=0.0), lag=0
    )
    assert len(ours.trades) == len(dates)
    assert deviation(ours.value, theirs) < 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_that_change_agree_without_costs(peer: str, seed: int) -> None:
    problem = changing(seed, 0.0)
    assert deviation(run(problem).value, value_in(peer, problem)) < 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_are_the_documented_difference(peer: str, seed: int) -> None:
    """Sizing before costs leaves a peer off target by part of the cost, which earns another return."""
    problem = changing(seed, RATE)
    ours = run(problem)
    paid = RATE * 2.0 * float(ours.turnover.sum())
    assert 0.0 < deviation(ours.value, value_in(peer, problem)) < 0.05 * paid


def changing(seed: int, rate: float) -> PathProblem:
    prices = random_prices(seed)
    dates = trade_dates(prices.index, "M")
    weights = random_weights(seed, prices.shape[1], len(dates))
    return PathProblem(prices, pd.DataFrame(weights, index=dates, columns=prices.columns), rate)


def run(problem: PathProblem) -> Any:
    return run_backtest(
        TargetWeights(problem.targets),
        Market(problem.prices, cash=0.0),
        costs=Costs(trading=problem.rate),
        lag=0,
    )


@pytest.mark.parametrize("width", [0.02, 0.05])
@pytest.mark.parametrize("seed", SEEDS)
def test_bands_agree_without_costs(peer: str, seed: int, width: float) -> None:
    prices = random_prices(seed)
    held = random_weights(seed, prices.shape[1])[0].tolist()
    weights = dict(zip(prices.columns, held, strict=True))
    call = {"bt": peers.bt_band, "vectorbt": peers.vectorbt_band}[peer]
    theirs = call(BandProblem(prices, weights, width, 0.0))()
    ours = run_backtest(
        FixedMix(weights),
        Market(prices, cash=0.0),
        rebalancing=Band(width),
        costs=Costs(trading=0.0),
        lag=0,
    )
    assert deviation(ours.value, theirs) < 1e-12
