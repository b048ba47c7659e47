"""Strategies through simulated worlds: each number against a backtest alone, and nothing seen ahead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError, StrategyError
from strategies import GoldDiversified, RiskParity, SixtyForty

HISTORY = al.scenario_history()
INFLATION = al.debt_scenario("inflation", 6, history=HISTORY)
GROWTH = al.debt_scenario("growth", 6, history=HISTORY)
STRATEGIES = [SixtyForty(), RiskParity(), GoldDiversified(global_assets=())]


@pytest.fixture(scope="module")
def worlds() -> al.SimulatedWorlds:
    return al.simulate_scenarios(INFLATION, 12)


@pytest.fixture(scope="module")
def runs(worlds) -> al.ScenarioRuns:
    return al.run_scenarios(STRATEGIES, [worlds, al.simulate_scenarios(GROWTH, 12)])


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.name)
def test_each_path_is_one_backtest(runs, worlds, strategy):
    """The slow way: one backtest, and the statistics of its own returns."""
    for path in (0, 7):
        market = worlds.market(path)
        backtest = al.run_backtest(strategy, market, start="2026-12-31")
        row = runs.paths["inflation", strategy.name].loc[path]
        assert row["sharpe"] == pytest.approx(
            al.sharpe_ratio(backtest.returns, backtest.cash_returns), rel=1e-10
        )
        assert row["cagr"] == pytest.approx(al.cagr(backtest.returns), abs=1e-12)
        assert row["max_drawdown"] == pytest.approx(al.max_drawdown(backtest.returns), abs=1e-12)
        assert row["growth"] == pytest.approx(backtest.value.iloc[-1], rel=1e-12)


def test_the_fixed_mix_is_a_sum_of_the_drawn_returns(worlds):
    """Without costs, rebalanced every year: 0.6 stocks + 0.4 bonds, nothing of the history before."""
    free = al.run_scenarios([SixtyForty()], worlds, costs=al.Costs(trading=0.0))
    mixed = 0.6 * worlds.returns[..., 0] + 0.4 * worlds.returns[..., 1]
    growth = free.paths["inflation", "60/40"]["growth"].to_numpy()
    assert growth == pytest.approx(np.prod(1 + mixed, axis=1), rel=1e-12)
    real = growth / np.prod(1 + worlds.series("inflation"), axis=1)
    assert free.paths["inflation", "60/40"]["real_growth"].to_numpy() == pytest.approx(real, rel=1e-12)
    assert free.table["loss_mean"].iloc[0] == (growth < 1).mean()


def test_the_table_is_of_the_paths(runs, worlds):
    part = runs.paths["inflation", "Risk parity"]
    row = runs.table.loc[("inflation", "Risk parity")]
    assert row["sharpe_mean"] == pytest.approx(part["sharpe"].mean())
    assert row["sharpe_error"] == pytest.approx(part["sharpe"].std() / np.sqrt(12))
    assert row["sharpe_years_error"] == worlds.years_error(part["sharpe"].to_numpy())
    assert row["max_drawdown_low"] == pytest.approx(np.quantile(part["max_drawdown"], 0.05))
    gap = part["cagr"] - runs.paths["inflation", "60/40"]["cagr"]
    difference = runs.differences.loc[("inflation", "Risk parity")]
    assert difference["cagr_mean"] == pytest.approx(gap.mean())
    assert difference["cagr_error"] == pytest.approx(gap.std() / np.sqrt(12))
    assert difference["cagr_better"] == (gap > 0).mean()


def test_no_strategy_sees_the_years_to_come():
    """The first years of a longer world are the shorter world, for decisions and returns alike."""
    short, long = (al.simulate_scenarios(replace(INFLATION, n_years=n), 3, seed=9) for n in (4, 9))
    for strategy in STRATEGIES:
        for path in range(3):
            few, many = (al.run_backtest(strategy, w.market(path), start="2026-12-31") for w in (short, long))
            # The last row never trades, so that the last value of the shorter run lacks the cost of a trade.
            assert np.array_equal(few.returns.to_numpy()[:3], many.returns.to_numpy()[:3])
            assert few.targets.to_numpy() == pytest.approx(many.targets.to_numpy()[: len(few.targets)], abs=0)


def test_more_paths_begin_with_the_fewer(runs):
    more = al.run_scenarios(STRATEGIES[:1], al.simulate_scenarios(INFLATION, 15))
    assert np.array_equal(
        more.paths["inflation", "60/40"].to_numpy()[:12], runs.paths["inflation", "60/40"].to_numpy()
    )


def test_a_simulated_market_is_taken_everywhere_and_named(worlds):
    market = worlds.market(3)
    assert "SIMULATED" in str(al.compare(STRATEGIES, market, start="2026-12-31"))
    assert "SIMULATED" in str(al.run_backtest(SixtyForty(), market))
    assert "SIMULATED" in str(al.timing_sensitivity(SixtyForty(), market, lags=(0, 1)))
    mixes = pd.DataFrame({"stocks": [0.6, 0.5], "bonds": [0.4, 0.5]}, index=["a", "b"])
    assert len(al.sweep(mixes, market, start="2026-12-31")) == 2
    assert "SIMULATED" in " ".join(al.sweep(mixes, market).attrs["conventions"])


def test_an_audit_finds_nothing_on_a_simulated_market(worlds):
    assert al.audit_causality(RiskParity(), worlds.market(0)).passed


@dataclass(frozen=True)
class Levered(al.Strategy):
    """Ten times stocks: ruined in a bad year."""

    name: str = "Levered"

    def weights(self, past: al.Market) -> dict[str, float]:
        return {"stocks": 10.0}


def test_ruin_is_counted_and_ends_at_nothing(worlds):
    runs = al.run_scenarios([SixtyForty(), Levered()], worlds)
    lost = (worlds.returns[..., 0] < -0.12).any(axis=1)
    part = runs.paths["inflation", "Levered"]
    assert (part.loc[lost, "growth"] == 0.0).all()
    assert (part.loc[lost, "max_drawdown"] == -1.0).all()
    assert (part.loc[lost, "cagr"] == -1.0).all()
    assert runs.table.loc[("inflation", "Levered"), "ruined"] >= lost.mean()
    assert "ruined: Levered in inflation" in str(runs)


def test_the_print_says_simulated_and_how_few_years(runs):
    text = str(runs)
    assert text.startswith("SIMULATED: strategies in worlds of inflation, growth")
    for needed in (
        "14 years labelled 'inflation' ex post, 1946–49",
        "years of these 14 with a loss: stocks 5",
        "official price in 6",
        "history 1927–2025, then the path; only simulated years count",
        "12 paths of 6 years, seed 0; blocks of 2 periods",
        "5 bp of traded notional",
        "infinitesimal jackknife",
    ):
        assert needed in text
    html = runs._repr_html_()
    assert "SIMULATED" in html
    assert html.count("<table>") == 2


def test_a_number_without_spread_has_no_error_in_print():
    """± 0.0 would be read as certainty: no drawn year of monetization lost for 60/40."""
    worlds = al.simulate_scenarios(al.debt_scenario("monetization", 3, history=HISTORY), 8)
    line = next(
        line for line in str(al.run_scenarios([SixtyForty()], worlds)).splitlines() if "60/40" in line
    )
    assert "± 0.0" not in line


def test_a_var_has_the_error_of_the_simulation_alone():
    worlds = al.simulate_scenarios(GROWTH, 6, draws=al.FirstOrderVar())
    runs = al.run_scenarios(STRATEGIES[:2], worlds)
    assert runs.table["sharpe_years_error"].isna().all()
    assert np.isfinite(runs.table["sharpe_error"]).all()
    assert "± nan" not in str(runs)
    row = runs.table.loc[("growth", "60/40")]
    assert f"{row['sharpe_mean']:+.2f} ± {1.96 * row['sharpe_error']:.2f}*" in str(runs)


def test_paths_of_one_year_have_no_sharpe_ratio_and_it_is_said():
    history = al.scenario_history(since=2010)
    worlds = al.simulate_scenarios("inflation", 30, 2, draws=al.HistoryBlocks(1), history=history)
    same = int((worlds.years[:, 0] == worlds.years[:, 1]).sum())
    assert same > 0
    runs = al.run_scenarios([SixtyForty()], worlds, costs=al.Costs(trading=0.0))
    assert runs.table["sharpe_undefined"].iloc[0] == same
    assert f"no Sharpe ratio: 60/40 in inflation, {same} paths" in str(runs)


def test_worlds_by_name_stand_side_by_side(worlds):
    other = al.simulate_scenarios(INFLATION, 4, seed=1)
    runs = al.run_scenarios(STRATEGIES[:1], {"one": worlds, "two": other})
    assert list(runs.table.index) == [("one", "60/40"), ("two", "60/40")]
    assert isinstance(runs.differences, pd.DataFrame)
    assert not len(runs.differences)


@pytest.mark.parametrize(
    ("strategies", "given", "message"),
    [
        ([], "worlds", "strategies: none"),
        ([SixtyForty(), SixtyForty()], "worlds", "two are called '60/40'"),
        (["60/40"], "worlds", "strategies: '60/40' is none"),
        ([SixtyForty()], [], "worlds: none"),
        ([SixtyForty()], "inflation", "worlds: 'inflation' is none; pass simulate_scenarios"),
        ([SixtyForty()], "twice", "worlds: two are called 'inflation'"),
        ([SixtyForty()], "one year", "'inflation' has one year: no Sharpe ratio"),
    ],
)
def test_refusals(worlds, strategies, given, message):
    one_year = al.simulate_scenarios(INFLATION, 2, 1)
    cases = {"worlds": worlds, "twice": [worlds, worlds], "one year": one_year}
    given = cases.get(given, given) if isinstance(given, str) else given
    with pytest.raises(InputError, match=message):
        al.run_scenarios(strategies, given)


def test_what_the_engine_refuses_is_refused(worlds):
    with pytest.raises(StrategyError, match="the market has no 'developed'"):
        al.run_scenarios([GoldDiversified()], worlds)
