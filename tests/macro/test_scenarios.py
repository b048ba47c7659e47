"""Scenarios by regime: the path is coherent, and worlds are made of the labelled years and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError, InsufficientHistoryError
from allocator.macro.debt.draws import fit_first_order

REGIMES = ("growth", "inflation", "monetization", "tightening")
HISTORY = al.scenario_history()
BASES = {regime: al.debt_scenario(regime, history=HISTORY) for regime in REGIMES}


@pytest.fixture(scope="module")
def history() -> al.ScenarioHistory:
    return HISTORY


@pytest.fixture(scope="module")
def recent() -> al.ScenarioHistory:
    return al.scenario_history(since=1972)


# The history


def test_a_row_of_history_is_what_the_sources_say(history):
    """1974 by hand: the accounts of fiscal 1974, the market of calendar 1974."""
    market, accounts = al.load_us_history(), al.debt_accounts(al.load_us_debt())
    row = history.table.loc[1974]
    assert row["growth"] == accounts.loc["1974-06-30", "growth"]
    assert row["stocks"] == pytest.approx(market.returns.loc["1974-12-31", "stocks"], abs=1e-15)
    assert row["short_rate"] == market.cash_returns.loc["1974-12-31"]
    signal = market.signal("bond_yield")
    bond_yield = float(signal.values[signal.describes == pd.Timestamp("1974-12-31")].iloc[0])
    assert row["bond_yield"] == bond_yield
    assert row["term_premium"] == pytest.approx(bond_yield - row["short_rate"], abs=1e-15)
    assert history.labels[1974] == "inflation"


def test_labels_are_those_of_the_classifier(history):
    labels = al.debt_regimes(al.debt_accounts(al.load_us_debt())).table["label"]
    assert history.labels.to_list() == labels.to_list()
    assert {r: len(history.years(r)) for r in REGIMES} == {
        "growth": 15,
        "inflation": 14,
        "monetization": 9,
        "tightening": 13,
    }


def test_the_share_refinanced_is_that_of_least_squares(history):
    t = history.table
    gap = ((t["short_rate"] + t["bond_yield"]) / 2).to_numpy()[1:] - t["interest_rate"].to_numpy()[:-1]
    change = np.diff(t["interest_rate"])
    slope = float(np.linalg.lstsq(gap[:, None], change, rcond=None)[0][0])
    assert history.refinanced == pytest.approx(slope, rel=1e-12)
    assert 0.1 < slope < 0.5


def test_the_premium_is_not_that_of_a_model(history):
    """What docs/scenarios.md says of it beside that of Adrian, Crump and Moench."""
    signal = al.load_us_history().signal("term_premium")
    model = signal.values.set_axis(signal.describes.year)
    gap = (history.table["term_premium"] - model).dropna().groupby(history.labels).mean()
    assert gap["inflation"] == pytest.approx(-0.0102, abs=1e-4)
    assert gap["monetization"] == pytest.approx(0.0141, abs=1e-4)


def test_since_keeps_the_past_of_strategies(recent):
    assert recent.first_year == 1972
    assert recent.market.index[0].year == 1927  # a window may look back further than years are drawn
    assert recent.official_gold("inflation") == 0


# The deterministic path


@given(
    st.sampled_from(REGIMES),
    st.floats(-0.05, 0.1),
    st.floats(-0.03, 0.2),
    st.floats(-0.01, 0.15),
    st.floats(-0.02, 0.04),
    st.floats(-0.1, 0.1),
)
@settings(max_examples=40, deadline=None)
def test_the_path_is_coherent_under_any_assumptions(regime, growth, inflation, short, premium, deficit):
    """Law, Fisher, expectations, and the price of a par bond, each by a formula of its own."""
    scenario = replace(
        BASES[regime],
        growth=growth,
        inflation=inflation,
        short_rate=short,
        term_premium=premium,
        primary_deficit=deficit,
    )
    path = scenario.path
    before = np.append(scenario.debt, path["debt"][:-1])
    law = before * (1 + path["effective_rate"]) / ((1 + growth) * (1 + inflation)) + deficit
    assert path["debt"].to_numpy() == pytest.approx(law.to_numpy(), abs=1e-12)
    assert ((1 + path["real_rate"]) * (1 + inflation) - 1).to_numpy() == pytest.approx(short, abs=1e-12)
    assert path["bond_yield"].to_numpy() == pytest.approx(short + premium, abs=1e-15)
    last, y = scenario.interest_rate, short + premium
    for rate in path["effective_rate"]:
        last += scenario.refinanced * ((short + y) / 2 - last)
        assert rate == pytest.approx(last, abs=1e-14)
    assert path["bond_return"].iloc[0] == pytest.approx(par_bond_return(scenario.bond_yield, y), abs=1e-10)
    assert path["bond_return"].iloc[1:].to_numpy() == pytest.approx((1 + y / 2) ** 2 - 1, abs=1e-10)


def par_bond_return(bought: float, sold: float) -> float:
    """Price the twenty coupons of a ten-year par bond a year later, at the yield of the full maturity."""
    coupon, rate = bought / 2, sold / 2
    price = sum(coupon / (1 + rate) ** k for k in range(1, 21)) + 1 / (1 + rate) ** 20
    return price * (1 + rate) ** 2 - 1


def test_a_scenario_is_the_mean_year_and_says_how_many(history):
    scenario = al.debt_scenario("monetization")
    years = history.table[history.labels == "monetization"]
    assert scenario.growth == pytest.approx(years["growth"].mean(), abs=1e-15)
    assert scenario.returns["gold"] == pytest.approx(years["gold"].mean(), abs=1e-15)
    assert scenario.evidence.loc["growth", "n"] == 9
    assert scenario.evidence.loc["dollar", "n"] == 5  # the index begins in 1971
    stocks = years["stocks"]  # an interval of Student's t by hand: t(8) at 97.5 % is 2.306
    half = 2.306 * stocks.std(ddof=1) / 3.0
    assert scenario.evidence.loc["stocks", "high"] == pytest.approx(stocks.mean() + half, abs=1e-5)
    text = str(scenario)
    for needed in (
        "9 years labelled 'monetization'",
        "official price in 4",
        "before the end of the war",
        "t, ",
    ):
        assert needed in text


def test_the_path_begins_where_history_ends(history):
    scenario = al.debt_scenario("tightening", 4)
    assert list(scenario.path.index) == [2026, 2027, 2028, 2029]
    assert scenario.debt == history.table["debt"].iloc[-1]


# The simulated worlds


@given(st.sampled_from(REGIMES), st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([1, 2, 4]))
@settings(max_examples=30, deadline=None)
def test_every_path_obeys_the_law_and_its_rates_hang_together(regime, seed, n_years, block):
    worlds = al.simulate_scenarios(BASES[regime], 3, n_years, seed=seed, draws=al.HistoryBlocks(block))
    names = ("growth", "inflation", "primary_deficit", "short_rate", "term_premium")
    g, p, f, short, premium = (worlds.series(name) for name in names)
    i, d = worlds.series("effective_rate"), worlds.series("debt")
    before = np.column_stack([np.full(3, worlds.scenario.debt), d[:, :-1]])
    assert d == pytest.approx(before * (1 + i) / ((1 + g) * (1 + p)) + f, abs=1e-12)
    last = np.column_stack([np.full(3, worlds.scenario.interest_rate), i[:, :-1]])
    assert i == pytest.approx(last + worlds.scenario.refinanced * (short + premium / 2 - last), abs=1e-14)
    assert worlds.series("bond_yield") == pytest.approx(short + premium, abs=1e-15)


@given(st.sampled_from(REGIMES), st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_a_path_depends_on_the_seed_and_its_number_alone(regime, seed, n_paths, n_years):
    """More paths or more years begin with the fewer, to the bit."""
    small = al.simulate_scenarios(BASES[regime], n_paths, n_years, seed=seed)
    large = al.simulate_scenarios(BASES[regime], n_paths + 3, n_years + 5, seed=seed)
    assert np.array_equal(large.futures[:n_paths, :n_years], small.futures, equal_nan=True)
    assert np.array_equal(large.series("debt")[:n_paths, :n_years], small.series("debt"))


def test_a_longer_var_begins_with_the_shorter():
    """Sums of a product may differ in the last digit with the number of rows."""
    options = {"draws": al.FirstOrderVar(), "seed": 4}
    small, large = (al.simulate_scenarios(BASES["growth"], 4 * k, 5 * k, **options) for k in (1, 2))
    kept = np.isfinite(small.futures)
    assert large.futures[:4, :5][kept] == pytest.approx(small.futures[kept], abs=1e-12)


def test_another_seed_is_another_world():
    one, other = (al.simulate_scenarios(BASES["growth"], 5, 5, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.futures, other.futures, equal_nan=True)


@pytest.mark.parametrize("regime", REGIMES)
def test_blocks_are_whole_years_with_the_label(regime, history):
    """Every simulated year is one row of history, economy and assets of the same year, in blocks."""
    worlds = al.simulate_scenarios(BASES[regime], 60, 7, draws=al.HistoryBlocks(3))
    years = history.years(regime)
    assert set(np.unique(worlds.years)) <= set(years.index)
    expected = years.loc[worlds.years.ravel()].to_numpy().reshape(worlds.futures.shape)
    assert np.array_equal(worlds.futures, expected, equal_nan=True)
    places = years.index.get_indexer(worlds.years.ravel()).reshape(worlds.years.shape)
    steps = np.diff(places, axis=1) % len(years)
    assert (steps[:, [0, 1, 3, 4]] == 1).all()
    assert not (steps[:, [2, 5]] == 1).all()


@pytest.mark.parametrize("regime", REGIMES)
def test_the_mean_of_the_worlds_is_the_scenario(regime):
    """Drawn columns, and the effective rate, which is linear in them; within four Monte Carlo errors."""
    worlds = al.simulate_scenarios(BASES[regime], 3000, 6)
    path = replace(worlds.scenario, n_years=6).path
    for name in ("growth", "inflation", "short_rate", "primary_deficit", "bond_yield", "effective_rate"):
        values = worlds.series(name)
        error = 4 * values.std(axis=0, ddof=1) / np.sqrt(worlds.n_paths)
        assert (np.abs(values.mean(axis=0) - path[name].to_numpy()) < error).all(), name
    means = [worlds.scenario.returns[asset] for asset in worlds.assets]
    error = 4 * worlds.returns.std(axis=0, ddof=1) / np.sqrt(worlds.n_paths)
    assert (np.abs(worlds.returns.mean(axis=0) - means) < error).all()


def test_a_changed_scenario_moves_the_worlds_by_the_difference():
    base = replace(BASES["inflation"], n_years=5)
    higher = replace(base, inflation=base.inflation + 0.02, returns={**base.returns, "gold": 0.05})
    plain, moved = (al.simulate_scenarios(scenario, 20) for scenario in (base, higher))
    assert moved.series("inflation") - plain.series("inflation") == pytest.approx(0.02, abs=1e-15)
    gold = (moved.returns - plain.returns)[..., 2]
    assert gold[plain.returns[..., 2] > -0.5] == pytest.approx(0.05 - base.returns["gold"], abs=1e-12)
    assert np.array_equal(moved.series("growth"), plain.series("growth"))


def test_the_var_goes_from_the_last_year_to_the_means_of_the_regime(recent):
    """E x_t = m + A^t (x_0 - m), with A of all years and m of the regime: its mean in closed form."""
    scenario = al.debt_scenario("inflation", 8, history=recent)
    worlds = al.simulate_scenarios(scenario, 4000, draws=al.FirstOrderVar())
    rows = recent.table[list(recent.columns)].to_numpy()
    matrix = fit_first_order(rows)[1]
    expected = rows[-1]
    for year in range(8):
        expected = scenario.mean_year + matrix @ (expected - scenario.mean_year)
        values = worlds.futures[:, year]
        error = 4.5 * values.std(axis=0, ddof=1) / np.sqrt(4000)
        assert (np.abs(values.mean(axis=0) - expected) < error).all()


def test_the_var_leaves_out_a_dollar_that_lacks_years(recent):
    long = al.simulate_scenarios(BASES["growth"], 3, 3, draws=al.FirstOrderVar())
    assert np.isnan(long.series("dollar")).all()
    short = al.simulate_scenarios("growth", 3, 3, draws=al.FirstOrderVar(), history=recent)
    assert np.isfinite(short.series("dollar")).all()


def test_what_normal_draws_push_below_everything_is_held_and_said():
    base = replace(BASES["growth"], n_years=5)
    ruin = replace(base, returns={**base.returns, "stocks": -0.45})
    worlds = al.simulate_scenarios(ruin, 200, draws=al.FirstOrderVar())
    assert worlds.n_held > 0
    assert worlds.returns.min() >= -0.99
    assert f"{worlds.n_held} drawn values below -99 % are held there" in str(worlds)
    for path in np.unique(np.argwhere(worlds.returns <= -0.99)[:, 0])[:3]:
        assert worlds.market(int(path)).simulated


def test_the_fan_is_of_these_paths():
    worlds = al.simulate_scenarios(BASES["tightening"], 300, 5)
    fan = worlds.debt
    assert np.array_equal(fan.paths, worlds.series("debt"))
    assert fan.table[0.5].to_numpy() == pytest.approx(np.median(worlds.series("debt"), axis=0))
    again = al.debt_paths(fan.initial, *np.moveaxis(fan.futures, -1, 0))
    assert again == pytest.approx(fan.paths, abs=1e-15)
    assert "SIMULATED tightening: 13 labelled years" in str(fan)


# The error of few years


@pytest.mark.parametrize("block", [1, 2, 3])
def test_the_error_of_the_years_of_a_mean_is_that_of_the_block_bootstrap(block, history):
    """For the mean return of a path it is known: √(L Σ (mean of block - mean)²) / n over the n blocks."""
    worlds = al.simulate_scenarios(BASES["inflation"], 6000, 6, draws=al.HistoryBlocks(block))
    gold = history.years("inflation")["gold"].to_numpy()
    blocks = np.mean([np.roll(gold, -k) for k in range(block)], axis=0)
    expected = np.sqrt(block * ((blocks - gold.mean()) ** 2).sum()) / len(gold)
    assert worlds.years_error(worlds.returns[..., 2].mean(axis=1)) == pytest.approx(expected, rel=0.06)


def test_the_error_of_the_years_does_not_fall_with_paths_and_is_none_without_cause():
    few, many = (al.simulate_scenarios(BASES["growth"], n, 5, seed=3) for n in (1000, 8000))
    errors = [worlds.years_error(worlds.returns[..., 0].mean(axis=1)) for worlds in (few, many)]
    assert errors[1] == pytest.approx(errors[0], rel=0.2)
    assert many.years_error(np.ones(8000)) == 0.0
    var = al.simulate_scenarios(BASES["growth"], 5, 5, draws=al.FirstOrderVar())
    assert np.isnan(var.years_error(np.arange(5.0)))
    with pytest.raises(InputError, match=r"values: shape \(3,\), expected \(1000,\)"):
        few.years_error(np.ones(3))


def test_what_the_simulation_adds_is_taken_out():
    """Noise has nothing to do with the years: uncorrected, it would have one of √(T / n_paths) = 0.12."""
    worlds, rng = al.simulate_scenarios(BASES["inflation"], 400, 6), np.random.default_rng(0)
    errors = [worlds.years_error(rng.normal(size=400)) for _ in range(40)]
    assert np.median(errors) < 0.06


# Markets


@given(st.sampled_from(REGIMES), st.integers(0, 10**6), st.integers(1, 10))
@settings(max_examples=15, deadline=None)
def test_a_market_is_history_and_then_the_path(regime, seed, n_years):
    worlds = al.simulate_scenarios(BASES[regime], 2, n_years, seed=seed)
    market, real = worlds.market(1), al.load_us_history()
    assert market.simulated
    assert "SIMULATED" in str(market)
    assert len(market.index) == len(real.index) + n_years
    assert market.returns.to_numpy()[-n_years:] == pytest.approx(worlds.returns[1], abs=1e-12)
    assert np.array_equal(market.cash[-n_years:], worlds.series("short_rate")[1])
    past = market.until("2025-12-31")
    assert np.array_equal(past.levels, real.levels[:, [0, 1, 2]])
    assert list(market.index[-n_years:]) == list(worlds.dates)


def test_signals_are_known_after_the_year_they_describe():
    market = al.simulate_scenarios(BASES["inflation"], 1, 4).market(0)
    for name in ("inflation", "growth"):
        signal = market.signal(name)
        assert (signal.values.index > signal.describes).all()
        assert signal.describes[-1] == pd.Timestamp("2028-12-31")  # that of 2029 is published in 2030
    assert market.signal("bond_yield").describes[-1] == pd.Timestamp("2029-12-31")


def test_rules_of_regimes_work_on_a_simulated_market():
    market = al.simulate_scenarios(BASES["inflation"], 1, 10).market(0)
    labels = al.inflation_level(market)
    assert len(labels.labels)


def test_everything_says_simulated():
    worlds = al.simulate_scenarios(BASES["monetization"], 4, 3)
    assert str(worlds).startswith("SIMULATED worlds: monetization")
    assert "SIMULATED" in worlds._repr_html_()
    assert all("SIMULATED" in text for text in worlds.market(0).sources.values())
    assert "9 with a loss: stocks 0, bonds 1, gold 1" in str(worlds)
    with pytest.raises(ValueError, match="read-only"):
        worlds.futures[0, 0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        worlds.series("debt")[0, 0] = 1.0


def test_a_var_does_not_claim_the_labelled_years():
    text = str(al.simulate_scenarios(BASES["growth"], 3, 3, draws=al.FirstOrderVar()).debt)
    assert "a VAR is fitted to all 86 years, 1940–2025" in text


class Mean(al.MacroDraws):
    """Somebody's own draws."""

    def __init__(self, years: int) -> None:
        self.years = years

    def paths(self, history, n_paths, n_years, rng):
        return np.broadcast_to(history.mean(axis=0), (n_paths, self.years, history.shape[1]))


def test_draws_of_ones_own_are_taken_and_checked():
    worlds = al.simulate_scenarios(BASES["growth"], 2, 4, draws=Mean(4))
    assert worlds.series("growth") == pytest.approx(worlds.scenario.growth, abs=1e-15)
    assert worlds.years is None
    with pytest.raises(InputError, match=r"gave shape \(1, 3, 8\), expected \(1, 4, 8\)"):
        al.simulate_scenarios(BASES["growth"], 2, 4, draws=Mean(3))


# Refusals


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"scenario": "inflaton"}, InputError, "labelled 'inflaton'; did you mean 'inflation'"),
        ({"scenario": 3}, InputError, "scenario: 3 is none"),
        ({"n_paths": 0}, InputError, "n_paths: is 0, expected at least 1"),
        ({"n_paths": 2.5}, InputError, "n_paths: 2.5 is not a whole number"),
        ({"n_years": 0}, InputError, "n_years: is 0, expected 1 to 100"),
        ({"seed": -1}, InputError, "seed: -1 is not a whole number"),
        ({"draws": "VAR"}, InputError, "draws: 'VAR' cannot draw"),
        ({"draws": al.HistoryBlocks(15)}, InputError, "block_length: 15 periods, but the history has 14"),
        ({"scenario": "growth", "history": 1972}, InputError, "history: int is none"),
    ],
)
def test_refusals_of_the_simulation(options, error, message):
    with pytest.raises(error, match=message):
        al.simulate_scenarios(**{"scenario": BASES["inflation"], **options})


def test_a_scenario_brings_its_own_history(history):
    with pytest.raises(InputError, match="history: a scenario has its own"):
        al.simulate_scenarios(al.debt_scenario("growth"), 2, history=history)


def test_a_var_with_too_few_years_is_refused():
    with pytest.raises(InsufficientHistoryError, match="19 periods for a VAR of 9 series"):
        al.simulate_scenarios(
            "inflation", 2, draws=al.FirstOrderVar(), history=al.scenario_history(since=2007)
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": 2040}, "since: 2040: 0 years"),
        ({"assets": ("stocks", "silver")}, "the market has no 'silver'"),
        ({"assets": ("stocks", "stocks")}, "name each asset once"),
        ({"assets": ("stocks", "developed")}, r"assets\['developed'\]: no value in 1940 .*since=1970"),
        ({"market": al.simulate_market(seed=1, years=3)}, "market: daily data"),
        ({"market": "US"}, "market: expected a Market, got str"),
        ({"regimes": "US"}, "regimes: expected DebtRegimes, got str"),
    ],
)
def test_refusals_of_the_history(options, message):
    with pytest.raises(InputError, match=message):
        al.scenario_history(**options)


def test_a_label_without_years_is_refused():
    with pytest.raises(
        InputError, match="from 2003 to 2025 is labelled 'tightening'; labelled years: none 14, "
    ):
        al.debt_scenario("tightening", history=al.scenario_history(since=2003))
    with pytest.raises(InputError, match="'growth' has 1 year from 2010"):
        al.debt_scenario("growth", history=al.scenario_history(since=2010))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inflation": 5.0}, "inflation: typically 5"),
        ({"growth": np.nan}, "growth"),
        ({"debt": 99.8}, "debt: 99.8 times GDP"),
        ({"returns": {"stocks": 0.1}}, "give one for each of stocks, bonds, gold"),
        ({"refinanced": 1.2}, "refinanced: 1.2 is no share"),
        ({"n_years": 0}, "n_years: is 0"),
    ],
)
def test_refusals_of_a_changed_scenario(change, message):
    with pytest.raises(InputError, match=message):
        replace(BASES["growth"], **change)


def test_more_assets_may_be_simulated_from_when_they_are_there():
    history = al.scenario_history(since=1971, assets=("stocks", "bonds", "gold", "developed"))
    worlds = al.simulate_scenarios("inflation", 2, 3, history=history)
    market = worlds.market(0)
    assert market.assets == ("stocks", "bonds", "gold", "developed")
    assert market.index[0].year == 1969
    assert "SIMULATED" in str(market)


def test_unknown_series_and_paths_are_refused():
    worlds = al.simulate_scenarios(BASES["growth"], 2, 2)
    with pytest.raises(InputError, match="'gdp' is none of growth"):
        worlds.series("gdp")
    with pytest.raises(InputError, match="path: is 2, expected 0 to 1"):
        worlds.market(2)
