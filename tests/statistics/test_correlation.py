"""Correlation: published numbers, the influence-function error, coverage, and what is undefined.

Invariants: symmetric in its arguments; unchanged by leverage; its sign follows the sign of a position;
inside its own interval.
"""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.market import load_us_history
from allocator.statistics import (
    bootstrap_correlation,
    correlation,
    fisher_interval,
    optimal_block_length,
    wide_block_length,
)

moderate = settings(max_examples=30, deadline=None)


@st.composite
def related(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    noise = rng.standard_t(5, (draw(st.integers(12, 80)), 2)) * 0.01
    weight = draw(st.floats(-0.95, 0.95))
    return np.clip(np.column_stack([noise[:, 0], weight * noise[:, 0] + noise[:, 1]]), -0.9, 0.9)


@moderate
@given(related(), st.floats(0.1, 1))
def test_correlation_invariants(pair, leverage):
    x, y = pair.T
    r = correlation(x, y)
    assert r == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)
    assert correlation(y, x) == r
    assert correlation(leverage * x, y) == pytest.approx(r, abs=1e-12)
    assert correlation(-x, y) == pytest.approx(-r, abs=1e-12)


@moderate
@given(related(), st.integers(0, 9))
def test_interval_holds_the_estimate_and_mirrors(pair, seed):
    x, y = pair.T
    estimate = bootstrap_correlation(x, y, n_resamples=200, seed=seed)
    assert estimate.low < estimate.correlation < estimate.high
    assert estimate.fisher_low < estimate.correlation < estimate.fisher_high
    assert max(-estimate.low, estimate.high) <= 1
    assert 1 <= estimate.block_length <= estimate.n // 3
    mirrored = bootstrap_correlation(-x, y, n_resamples=200, seed=seed)
    assert (mirrored.low, mirrored.high) == pytest.approx((-estimate.high, -estimate.low), abs=1e-9)


def test_stocks_and_bonds_1996_to_2006(case, managers):
    """r = -.1634 with Fisher's (-.325, .008); the interval that allows for dependence is wider."""
    expected = json.loads(case("D_conditional_correlation_managers.json").read_text())
    x, y = managers["SP500 TR"], managers["US 10Y TR"]
    estimate = bootstrap_correlation(x, y)
    assert estimate.n == expected["n"] == 132
    assert estimate.correlation == correlation(x, y) == pytest.approx(expected["corr"], rel=1e-12)
    assert (estimate.fisher_low, estimate.fisher_high) == pytest.approx(expected["fisher_ci95"], rel=1e-5)
    assert estimate.high - estimate.low > 1.1 * (estimate.fisher_high - estimate.fisher_low)
    half = correlation(x[:66], y[:66])
    assert half == pytest.approx(expected["corr_first66"], rel=1e-12)


def test_error_with_blocks_of_one_is_the_influence_error(case, managers):
    """Independent rows: sd(z*)(1 - r²) estimates the influence-function error, .0984 for these data."""
    expected = json.loads(case("D_conditional_correlation_managers.json").read_text())
    estimate = bootstrap_correlation(
        managers["SP500 TR"], managers["US 10Y TR"], block_length=1, n_resamples=20_000
    )
    error = estimate.standard_error * (1 - estimate.correlation**2)
    assert error == pytest.approx(expected["se_iid_influence"], rel=0.05)
    assert error > 1.1 * expected["se_normal"]


def test_error_is_that_of_rows_resampled_one_by_one(daily):
    """The obvious version: write out the rows, correlate them, take the spread of artanh, over n - 1."""
    x, y = daily.to_numpy()[:100], (0.5 * daily + daily.shift(1, fill_value=0.0)).to_numpy()[:100]
    x, y = x + 0.02, y - 0.01  # means that are not zero, which the products must lose
    estimate = bootstrap_correlation(x, y, block_length=7, n_resamples=200, seed=3)
    starts = np.random.default_rng(3).integers(0, 100, size=(200, 15))
    rows = (starts[:, :, np.newaxis] + np.arange(7)).reshape(200, -1)[:, :100] % 100
    z = [np.arctanh(np.corrcoef(x[sample], y[sample])[0, 1]) for sample in rows]
    assert estimate.standard_error == pytest.approx(np.std(z, ddof=1) * np.sqrt(100 / 99), rel=1e-9)


def test_block_is_the_best_one_for_the_influence_of_the_pairs():
    noise = np.random.default_rng(0).standard_normal((4000, 2))
    noise[:, 1] += np.repeat([1.5, -0.5, 1.5, -0.5], 1000) * noise[:, 0]  # a relation that turns: long blocks
    x, y = 0.01 * noise.T
    u, v = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = np.mean(u * v)
    best = np.ceil(optimal_block_length(u * v - r / 2 * (u**2 + v**2))[1])
    assert bootstrap_correlation(x, y, n_resamples=50).block_length == best
    assert best != np.ceil(optimal_block_length(u * v)[1])
    assert best != np.ceil(optimal_block_length(u * v + r / 2 * (u**2 + v**2))[1])
    assert best > wide_block_length(4000)


@pytest.mark.parametrize(
    ("n", "block"), [(15, 3), (30, 6), (60, 12), (120, 24), (121, 25), (480, 49), (4600, 150)]
)
def test_a_block_is_a_fifth_of_a_short_sample_whatever_it_shows(n, block):
    """Independent pairs ask for blocks of 1 to 5 rows; what they hide would ask for more."""
    pairs = 0.01 * np.random.default_rng(n).standard_normal((n, 2))
    assert bootstrap_correlation(*pairs.T, n_resamples=2).block_length == block
    assert np.ceil(wide_block_length(n)) == block


def test_interval_covers_the_correlation_of_resampled_history():
    """Autocorrelations of 0.1 that last ten years: the optimal block is 2 or 3 rows. 400 samples of 120."""
    market = load_us_history()
    over_cash = market.returns[["stocks", "bonds"]].sub(market.cash_returns, axis=0).dropna().to_numpy()
    truth, wide, short = np.corrcoef(over_cash.T)[0, 1], 0, 0
    rows = np.random.default_rng(12).integers(0, len(over_cash), (400, 120))
    begins = np.random.default_rng(13).random((400, 120)) < len(over_cash) ** (-1 / 3)
    for starts, begin in zip(rows, begins, strict=True):
        begin[0] = True
        within = np.arange(120) - np.flatnonzero(begin)[np.cumsum(begin) - 1]
        x, y = over_cash[(starts[np.arange(120) - within] + within) % len(over_cash)].T
        for block in (None, 3):
            found = bootstrap_correlation(x, y, n_resamples=200, block_length=block)
            wide += block is None and found.low <= truth <= found.high
            short += block == 3 and found.low <= truth <= found.high
    assert wide >= 400 * 0.92
    assert short <= 400 * 0.91


def test_interval_covers_where_fishers_does_not():
    """Fat-tailed pairs with persistent volatility, n = 250: 300 samples, true correlation 0.3."""
    rng = np.random.default_rng(11)
    ours = fishers = 0
    for _ in range(300):
        noise = rng.standard_normal((250, 2))
        noise[:, 1] = 0.3 * noise[:, 0] + np.sqrt(1 - 0.09) * noise[:, 1]
        calm = np.repeat(rng.uniform(0.3, 3.0, 10), 25)[:, np.newaxis]
        x, y = (0.01 * calm * noise).T
        estimate = bootstrap_correlation(x, y, n_resamples=300)
        ours += estimate.low <= 0.3 <= estimate.high
        fishers += estimate.fisher_low <= 0.3 <= estimate.fisher_high
    assert ours >= 300 * 0.91
    assert fishers <= 300 * 0.89


def test_seed_decides_and_is_recorded(daily):
    other = daily.shift(1, fill_value=0.0)
    first, again = (bootstrap_correlation(daily, other, seed=5, n_resamples=300) for _ in range(2))
    assert first == again
    assert first.seed == 5
    assert bootstrap_correlation(daily, other, seed=6, n_resamples=300).low != first.low


def test_confidence_widens(daily):
    other = daily.shift(1, fill_value=0.0)
    narrow = bootstrap_correlation(daily, other, confidence=0.8, n_resamples=300)
    wide = bootstrap_correlation(daily, other, confidence=0.99, n_resamples=300)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.fisher_low < narrow.fisher_low


@moderate
@given(related(), st.floats(0.5, 0.999))
def test_fisher_interval_is_scipys(pair, confidence):
    theirs = scipy_stats.pearsonr(*pair.T).confidence_interval(confidence)
    ours = fisher_interval(correlation(*pair.T), len(pair), confidence)
    assert ours == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_fewer_than_twelve_pairs_say_nothing():
    x = np.arange(11) / 100 - 0.05
    estimate = bootstrap_correlation(x, x**2)
    assert estimate.n == 11
    assert np.isnan([estimate.correlation, estimate.low, estimate.high, estimate.fisher_low]).all()
    assert estimate.reason == "n=11, at least 12 are needed"
    assert bootstrap_correlation(np.append(x, 0.2), np.append(x, 0.2) ** 2).reason == ""


def test_F130_constant_series(daily):
    estimate = bootstrap_correlation(daily, 0.0 * daily + 0.1)
    assert np.isnan(estimate.correlation)
    assert estimate.reason == "y never changes"
    with pytest.warns(UndefinedStatisticWarning, match="never changes"):
        assert np.isnan(correlation(0.0 * daily, daily))


@pytest.mark.parametrize("sign", [1, -1])
def test_proportional_series_have_a_degenerate_interval(daily, sign):
    estimate = bootstrap_correlation(daily, sign * 0.5 * daily)
    assert (estimate.low, estimate.correlation, estimate.high) == (sign, sign, sign)
    assert "multiple" in estimate.reason


def test_resamples_that_miss_all_moves_are_left_out():
    rng = np.random.default_rng(0)
    x = np.zeros(60)
    x[:12] = rng.normal(0, 0.1, 12)
    estimate = bootstrap_correlation(x, rng.normal(0, 0.01, 60), n_resamples=500)
    assert np.isfinite([estimate.low, estimate.high, estimate.standard_error]).all()


@pytest.mark.parametrize("moves", [1, 2, 11])
@pytest.mark.parametrize("still", [0.0, 1e-6])
def test_a_series_that_hardly_moves_has_no_interval_and_says_why(moves, still):
    rng = np.random.default_rng(0)
    x, y = still * rng.normal(size=132), rng.normal(0, 0.01, 132)
    x[5 : 5 + moves] = 0.1
    found = bootstrap_correlation(y, x, n_resamples=50)
    assert np.isnan([found.low, found.high, found.fisher_low, found.standard_error]).all()
    assert found.correlation == correlation(y, x)
    assert found.reason.startswith("'y' moves in too few rows for an interval")


def test_blocks_longer_than_a_third_are_refused_as_they_leave_no_width():
    x, y = np.random.default_rng(0).normal(0, 0.01, (2, 132))
    for block_length in (132, 45, 2.5, True):
        with pytest.raises(
            InputError, match=f"block_length: {block_length} is not between 1 and 44, a third"
        ):
            bootstrap_correlation(x, y, block_length=block_length)
    found = bootstrap_correlation(x, y, block_length=44, n_resamples=100)
    assert found.high - found.low > 0.1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"seed": -1}, "seed: -1 is not a whole number, 0 or more"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
        ({"n_resamples": 2.5}, "n_resamples: 2.5 is not a whole number"),
        ({"confidence": "0.9"}, "confidence: '0.9' is not between 0 and 1"),
    ],
)
def test_draws_that_are_no_numbers_are_refused(options, match):
    x, y = np.random.default_rng(0).normal(0, 0.01, (2, 60))
    with pytest.raises(InputError, match=match):
        bootstrap_correlation(x, y, **options)


def test_short_pairs_have_no_fisher_interval():
    assert np.isnan(fisher_interval(0.5, 3)).all()
    assert fisher_interval(1.0, 30) == (1.0, 1.0)


def test_dates_and_arrays_mix(daily):
    other = daily.shift(1, fill_value=0.0)
    assert correlation(daily, other.to_numpy()) == correlation(daily, other)


def test_block_length_may_be_given(daily):
    other = daily.shift(1, fill_value=0.0)
    assert bootstrap_correlation(daily, other, block_length=21, n_resamples=50).block_length == 21
    assert pd.isna(bootstrap_correlation(daily[:5], other[:5]).low)
