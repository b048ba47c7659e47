"""Drawdowns at risk and their distribution, against loops, every path there can be, and other libraries."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import (
    CircularBlockBootstrap,
    StationaryBootstrap,
    bootstrap_drawdown,
    conditional_drawdown_at_risk,
    drawdown_at_risk,
    drawdown_path,
    drawdowns,
    max_drawdown,
)

RETURNS = st.lists(st.integers(-40, 50).map(lambda x: x / 100), min_size=2, max_size=60).map(np.array)


# One history.


def slow_path(returns):
    wealth, high, path = 1.0, 1.0, []
    for r in returns:
        wealth *= 1.0 + r
        high = max(high, wealth)
        path.append(wealth / high - 1.0)
    return path


def slow_mean_of_deepest(path, level):
    """Count each of the deepest periods once, and the last one with what is left of level·n."""
    left = level * len(path)
    total = counted = 0.0
    for depth in sorted(path):
        share = min(1.0, left - counted)
        if share <= 0.0:
            break
        total, counted = total + share * depth, counted + share
    return total / counted


@given(RETURNS, st.floats(0.001, 0.499))
def test_conditional_drawdown_is_the_loop(returns, level):
    expected = slow_mean_of_deepest(slow_path(returns), level)
    assert conditional_drawdown_at_risk(returns, level) == pytest.approx(expected, abs=1e-12)


@given(RETURNS, st.floats(0.01, 0.49))
def test_the_deepest_is_deeper_than_the_conditional_than_the_quantile(returns, level):
    deepest, conditional = max_drawdown(returns), conditional_drawdown_at_risk(returns, level)
    assert deepest - 1e-12 <= conditional <= drawdown_at_risk(returns, level) + 1e-12
    assert drawdown_at_risk(returns, level) <= 0.0
    assert conditional_drawdown_at_risk(returns, 0.01) == pytest.approx(deepest, abs=1e-12)


def test_a_fall_by_hand():
    """Down 10 % a period: 0.9, 0.81, ... of the initial wealth; the deepest 25 % of ten are 2.5 periods."""
    falling = np.full(10, -0.1)
    deepest = [0.9**k - 1.0 for k in (10, 9, 8)]
    by_hand = (deepest[0] + deepest[1] + 0.5 * deepest[2]) / 2.5
    assert conditional_drawdown_at_risk(falling, 0.25) == pytest.approx(by_hand, rel=1e-14)
    assert drawdown_at_risk(falling, 1 / 3) == pytest.approx(0.9**7 - 1.0, rel=1e-14)
    assert conditional_drawdown_at_risk(-falling) == drawdown_at_risk(-falling) == 0.0


@pytest.mark.parametrize("level", [0.05, 0.1, 0.3])
def test_conditional_drawdown_is_that_of_skfolio(managers, level):
    """Their drawdowns are from the first close on, so that a first period that falls is not theirs."""
    measures = pytest.importorskip("skfolio.measures", reason="skfolio is not installed")
    returns = managers[["HAM1", "SP500 TR", "US 10Y TR"]].iloc[4:]
    returns = returns.assign(**{c: np.r_[0.01, returns[c].to_numpy()[1:]] for c in returns})
    path = measures.get_drawdowns(returns.to_numpy(), compounded=True)
    expected = -measures.cdar(path, beta=1.0 - level)
    np.testing.assert_allclose(conditional_drawdown_at_risk(returns, level), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["HAM1", "HAM2", "HAM4", "SP500 TR", "US 10Y TR"])
def test_the_path_under_performanceanalytics_average(case, managers, name):
    """CDD(p=.95, method='average'): the mean of whole periods beyond the type 8 quantile of the path."""
    table = pd.read_csv(case("C_performanceanalytics_expected.csv"))
    (expected,) = table.query("series == @name and stat == 'cdd_average_95'")["value"]
    returns = managers[name].dropna()
    path = drawdown_path(returns).to_numpy()
    beyond = path <= np.quantile(path, 0.05, method="median_unbiased")
    assert -path[beyond].mean() == pytest.approx(expected, rel=1e-12)
    assert conditional_drawdown_at_risk(returns) == pytest.approx(-expected, rel=0.03)


def test_results_are_labelled_as_the_returns_are(daily):
    table = pd.DataFrame({"a": daily, "b": -daily})
    for statistic in (drawdown_at_risk, conditional_drawdown_at_risk):
        assert isinstance(statistic(daily), float)
        found = statistic(table)
        assert found.index.tolist() == ["a", "b"]
        assert found["a"] == statistic(daily)


@pytest.mark.parametrize("level", [0.0, 0.5, 0.95, 5, math.nan])
def test_a_level_that_is_no_tail(daily, level):
    for statistic in (drawdown_at_risk, conditional_drawdown_at_risk):
        with pytest.raises(
            InputError, match=r"level: .* is not between 0 and 0\.5; pass 0\.05 for the worst 5 %"
        ):
            statistic(daily, level)
    with pytest.raises(InputError, match="level"):
        bootstrap_drawdown(daily, level=level)


# Other histories.


def slow_measures(returns, level):
    path = slow_path(returns)
    trough = next(i for i, depth in enumerate(path) if depth <= min(path) + 1e-12)
    back = [i for i in range(trough, len(path)) if path[i] > -1e-12]
    recovery = back[0] - trough if back else math.inf
    return min(path), slow_mean_of_deepest(path, level), recovery


@settings(max_examples=25, deadline=None)
@given(
    RETURNS,
    st.sampled_from([StationaryBootstrap, CircularBlockBootstrap]),
    st.integers(1, 20),
    st.integers(1, 60),
    st.integers(0, 9),
)
def test_draws_are_those_of_the_loop(returns, kind, block_length, horizon, seed):
    """Histories are drawn first, from the same generator, and paths from them."""
    n = len(returns)
    scheme, horizon = kind(min(block_length, n)), min(horizon, n)
    found = bootstrap_drawdown(
        returns, horizon=horizon, level=0.2, n_resamples=30, bootstrap=scheme, persistence=0, seed=seed
    )
    rng = np.random.default_rng(seed)
    (histories,) = scheme.rows(n, 30, rng)
    (rows,) = scheme.rows(n, 30, rng)
    slow = [
        slow_measures(returns[history][line][:horizon], 0.2)
        for history, line in zip(histories, rows, strict=True)
    ]
    np.testing.assert_allclose(found.draws.to_numpy(), slow, atol=1e-12)
    np.testing.assert_allclose(found.observed, slow_measures(returns[-horizon:], 0.2), atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(-30, 40).map(lambda x: x / 100), min_size=4, max_size=40).map(np.array),
    st.floats(-0.9, 0.9).filter(bool),
    st.integers(0, 9),
)
def test_draws_with_persistence_are_those_of_the_loop(returns, persistence, seed):
    n, mean = len(returns), returns.mean()
    scheme = StationaryBootstrap(2)
    found = bootstrap_drawdown(
        returns, level=0.2, n_resamples=20, bootstrap=scheme, persistence=persistence, seed=seed
    )
    left = [returns[t] - mean - persistence * (returns[t - 1] - mean) for t in range(n)]
    rng = np.random.default_rng(seed)
    (histories,), (rows,) = list(scheme.rows(n, 20, rng)), list(scheme.rows(n, 20, rng))
    slow = []
    for history, line in zip(histories, rows, strict=True):
        state, path = left[history[line[0]]] / math.sqrt(1 - persistence**2), []
        for t in range(n):
            state = state if t == 0 else persistence * state + left[history[line[t]]]
            path.append(max(mean + state, -1.0))
        slow.append(min(slow_path(path)))
    np.testing.assert_allclose(found.draws["max_drawdown"], slow, atol=1e-9)


def test_the_persistence_is_that_of_an_autoregression_without_its_bias():
    """Least squares lacks (1 + 3ρ)/n (Kendall, 1954): 0.052 of 0.5 for 48 returns."""
    found = []
    for seed in range(300):
        shocks, x = np.random.default_rng(seed).normal(0.0, 0.02, 148), np.zeros(148)
        for t in range(1, 148):
            x[t] = 0.5 * x[t - 1] + shocks[t]
        found.append(bootstrap_drawdown(x[100:], n_resamples=2, bootstrap=StationaryBootstrap(1)).persistence)
    assert np.mean(found) == pytest.approx(0.5, abs=0.025)
    assert bootstrap_drawdown(np.full(20, 0.01), n_resamples=2).persistence == 0.0
    assert (
        bootstrap_drawdown(
            np.array([0.1, -0.1] * 4), n_resamples=2, bootstrap=StationaryBootstrap(1)
        ).persistence
        == 0.0
    )


def test_persistent_returns_can_fall_further_than_their_blocks_say():
    """AR(1) of 0.5: blocks of one row keep nothing of it, and fall about 1/√3 as far."""
    x = np.zeros(2000)
    shocks = np.random.default_rng(0).normal(0.0, 0.005, len(x))
    for t in range(1, len(x)):
        x[t] = 0.5 * x[t - 1] + shocks[t]
    x -= x.mean()
    single = StationaryBootstrap(1)
    kept = bootstrap_drawdown(x, n_resamples=300, bootstrap=single).table.loc["max_drawdown", "median"]
    lost = bootstrap_drawdown(x, n_resamples=300, bootstrap=single, persistence=0.0)
    assert np.log1p(lost.table.loc["max_drawdown", "median"]) / np.log1p(kept) < 0.75


@pytest.mark.parametrize("persistence", [1.0, -0.98, np.nan])
def test_a_persistence_without_an_end_is_refused(persistence):
    with pytest.raises(InputError, match=r"persistence: .* is not between -0\.97 and 0\.97; 0 draws blocks"):
        bootstrap_drawdown(np.array([0.1, -0.1] * 10), persistence=persistence)


def test_draws_have_the_probabilities_of_every_path():
    """Three returns, single rows: a history is one of 27, and a path one of 27 of that."""
    returns = np.array([0.3, -0.2, -0.45])
    chances = {}
    for history in itertools.product(range(3), repeat=3):
        for rows in itertools.product(range(3), repeat=3):
            depth = round(min(slow_path([returns[history[i]] for i in rows])), 9)
            chances[depth] = chances.get(depth, 0.0) + 1 / 27**2
    found = bootstrap_drawdown(returns, n_resamples=60_000, bootstrap=StationaryBootstrap(1))
    counts = found.draws["max_drawdown"].round(9).value_counts(normalize=True)
    assert set(counts.index) == set(chances)
    for depth, chance in chances.items():
        assert counts[depth] == pytest.approx(chance, abs=5 * math.sqrt(chance / 60_000))


def test_the_mean_depth_of_a_random_walk():
    """Brownian motion without drift falls by √(π/2)·σ√t in the mean: Magdon-Ismail et al. (2004), eq. 1.

    The mean of the returns is that of the sample in the first resampling only, so that paths of a tenth
    of the sample have hardly any drift, and steps of a day see a little less than all of the fall.
    """
    steps = np.random.default_rng(0).standard_normal(20_000)
    steps = 0.0001 * (steps - steps.mean()) / steps.std()
    found = bootstrap_drawdown(
        np.expm1(steps), horizon=2000, n_resamples=800, bootstrap=CircularBlockBootstrap(1)
    )
    expected = math.sqrt(math.pi / 2) * 0.0001 * math.sqrt(2000)
    discrete = 2 * 0.5826 * 0.0001  # what steps miss of a high and of a low: Broadie et al. (1997)
    assert -found.draws["max_drawdown"].mean() == pytest.approx(expected - discrete, rel=0.06)


def test_what_never_falls_has_no_drawdown_and_what_never_rises_no_recovery():
    rising = bootstrap_drawdown(np.full(20, 0.01), n_resamples=50)
    assert (rising.draws == 0.0).all(axis=None)
    assert (rising.table == 0.0).all(axis=None)
    falling = bootstrap_drawdown(np.full(20, -0.01), n_resamples=50, level=0.05)
    np.testing.assert_allclose(falling.draws["max_drawdown"], 0.99**20 - 1.0, rtol=1e-13)
    np.testing.assert_allclose(falling.draws["conditional_drawdown"], 0.99**20 - 1.0, rtol=1e-13)
    assert np.isinf(falling.draws["recovery"]).all()
    assert "open" in repr(falling)


def test_what_was_observed_is_what_the_episodes_say(managers):
    returns = managers["HAM1"]
    worst = drawdowns(returns).iloc[0]
    found = bootstrap_drawdown(returns, n_resamples=20)
    assert found.observed["max_drawdown"] == pytest.approx(worst["depth"], rel=1e-12)
    assert found.observed["recovery"] == worst["to_recovery"]
    assert found.observed["conditional_drawdown"] == pytest.approx(conditional_drawdown_at_risk(returns))


def test_the_table_is_of_the_draws(daily):
    found = bootstrap_drawdown(daily, confidence=0.9, n_resamples=999, seed=3)
    draws = np.sort(found.draws.to_numpy(), axis=0)
    np.testing.assert_array_equal(found.table[["low", "median", "high"]].T, draws[[49, 499, 949]])
    np.testing.assert_array_equal(found.table["observed"], found.observed)
    assert found.table.index.tolist() == ["max_drawdown", "conditional_drawdown", "recovery"]


def test_recoveries_that_do_not_come_are_quantiles_too():
    mixed = np.random.default_rng(0).normal(0.0, 0.05, 40)
    found = bootstrap_drawdown(mixed, n_resamples=400)
    share = np.isinf(found.draws["recovery"]).mean()
    assert 0.1 < share < 0.9
    assert found.table.loc["recovery", "high"] == np.inf
    assert np.isfinite(found.table.loc["recovery", "low"])
    assert f"{share:.0%} of the paths end before it" in repr(found)


def test_drawdowns_grow_with_the_horizon(daily):
    scheme = StationaryBootstrap(5)
    medians = [
        bootstrap_drawdown(daily, horizon=h, bootstrap=scheme, n_resamples=300).table.loc[
            "max_drawdown", "median"
        ]
        for h in (50, 200, 756)
    ]
    assert medians[0] > 1.3 * medians[0] > medians[1] > 1.3 * medians[1] > medians[2]


def test_low_to_high_holds_the_drawdowns_of_fresh_histories():
    """As the docstring says: 95 % of them where the returns are independent, within three standard errors."""
    held, trials = 0, 200
    for trial in range(trials):
        rng = np.random.default_rng([trial, 120])
        sample, fresh = rng.normal(0.005, 0.04, (2, 120))
        table = bootstrap_drawdown(
            sample, n_resamples=300, bootstrap=StationaryBootstrap(1.5), seed=trial
        ).table
        held += table.loc["max_drawdown", "low"] <= max_drawdown(fresh) <= table.loc["max_drawdown", "high"]
    assert held / trials == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / trials))


def test_two_series_are_resampled_alike(daily):
    scheme = StationaryBootstrap(4)
    one, half = (bootstrap_drawdown(s, bootstrap=scheme, n_resamples=200) for s in (daily, 0.5 * daily))
    assert np.corrcoef(one.draws["max_drawdown"], half.draws["max_drawdown"])[0, 1] > 0.99
    assert (one.draws["max_drawdown"] < half.draws["max_drawdown"]).all()


# What it says of itself.


def test_the_block_length_is_the_fitted_one(daily):
    plain = bootstrap_drawdown(daily, n_resamples=9, persistence=0.0)
    assert plain.bootstrap == StationaryBootstrap.fitted(daily)
    found = bootstrap_drawdown(daily, n_resamples=9)
    centred = daily - daily.mean()
    left = centred.to_numpy() - found.persistence * np.roll(centred, 1)
    assert found.bootstrap.block_length == pytest.approx(StationaryBootstrap.fitted(left).block_length)


def test_F142_a_seed_is_drawn_and_told(daily):
    drawn = [bootstrap_drawdown(daily, n_resamples=9, seed=None) for _ in range(2)]
    assert drawn[0].seed != drawn[1].seed
    again = bootstrap_drawdown(daily, n_resamples=9, seed=drawn[0].seed)
    pd.testing.assert_frame_equal(again.draws, drawn[0].draws)
    assert bootstrap_drawdown(daily, n_resamples=9).seed == 0
    assert f"seed {drawn[0].seed}" in repr(drawn[0])


def test_it_prints_what_was_done():
    returns = np.random.default_rng(1).normal(0.005, 0.04, 240)
    text = repr(
        bootstrap_drawdown(
            returns, horizon=120, bootstrap=StationaryBootstrap(3), n_resamples=50, confidence=0.9, seed=7
        )
    )
    lines = text.splitlines()
    assert lines[0] == "Drawdowns of 120 periods, resampled from n=240"
    assert lines[1].split() == ["observed", "low", "median", "high"]
    assert [line.split()[0] for line in lines[2:5]] == ["max_drawdown", "conditional_drawdown", "recovery"]
    assert lines[5] == "90% of 50 paths lie between low and high; seed 7"
    kept = "of what an autoregression of -0.09 leaves"
    assert lines[6] == f"stationary bootstrap, blocks of 3 rows on average; {kept}"
    plain = repr(bootstrap_drawdown(returns, persistence=0.0, n_resamples=9))
    assert "autoregression of" not in plain
    assert "the deepest 5% of the periods" in lines[7]
    assert lines[-2].startswith("a few points too narrow where returns answer to another series")
    assert lines[-1] == "drawdowns grow with the number of periods: compare equal horizons only"


def test_inputs_are_left_alone(daily):
    before = daily.copy()
    bootstrap_drawdown(daily, n_resamples=9)
    pd.testing.assert_series_equal(daily, before)


def test_residuals_may_be_below_minus_one():
    """A lottery: what is left of a total loss after a gain is less than -1."""
    returns = np.array([1.0, -0.9, 0.8, -0.95, 0.5, -0.2] * 6)
    found = bootstrap_drawdown(returns, persistence=0.3, n_resamples=20)
    assert found.draws["max_drawdown"].between(-1.0, 0.0).all()


def test_it_has_html(daily):
    html = bootstrap_drawdown(daily, n_resamples=20)._repr_html_()
    assert "<table>" in html
    assert "Drawdowns of 756 periods, resampled from n=756" in html


# Refusals.


def test_F143_a_block_longer_than_the_sample(daily):
    with pytest.raises(InputError, match=r"block_length: 757 is not between 1 and the 756 rows there are"):
        bootstrap_drawdown(daily, bootstrap=StationaryBootstrap(757))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 757}, r"horizon: 757 is not between 1 and the 756 returns there are"),
        ({"horizon": 0}, r"horizon: 0 is not between 1"),
        ({"confidence": 95}, r"confidence: 95 is not between 0 and 1; pass 0\.95 for 95 %"),
        ({"n_resamples": 1}, r"n_resamples: 1 resamples have no spread"),
        ({"seed": -1}, r"seed: -1 is not a whole number, 0 or more"),
        ({"seed": 1.5}, r"seed: 1\.5 is not a whole number"),
        ({"seed": True}, r"seed: True is not a whole number"),
        ({"horizon": 1.5}, r"horizon: 1\.5 is not between 1"),
        ({"n_resamples": 2.5}, r"n_resamples: 2\.5 is not a whole number"),
        ({"confidence": "a"}, r"confidence: 'a' is not between 0 and 1"),
        ({"persistence": "a"}, r"persistence: 'a' is not between"),
        ({"level": "a"}, r"level: a is not between"),
    ],
)
def test_settings_out_of_range(daily, settings, message):
    with pytest.raises(InputError, match=message):
        bootstrap_drawdown(daily, **settings)


def test_returns_that_do_not_do(daily):
    with pytest.raises(InputError, match=r"returns: 2 series, expected one"):
        bootstrap_drawdown(pd.DataFrame({"a": daily, "b": daily}))
    with pytest.raises(InsufficientHistoryError, match=r"^returns: n=9, at least 10 are needed to fit"):
        bootstrap_drawdown(daily.iloc[:9])
    with pytest.raises(InsufficientHistoryError, match=r"^returns: n=1, .*bootstrap=al.StationaryBootstrap"):
        bootstrap_drawdown(daily.iloc[:1])
    assert bootstrap_drawdown(daily.iloc[:9], n_resamples=5, bootstrap=StationaryBootstrap(2)).n == 9
