"""Block bootstraps against every resample there can be, rows written out, exact variances and arch."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import (
    CircularBlockBootstrap,
    Prewhitened,
    StationaryBootstrap,
    bootstrap,
    bootstrap_drawdown,
    joint_block_length,
    optimal_block_length,
    resampled,
    resampled_correlations,
    resampled_means,
    resampled_moments,
    resampled_statistic,
)
from allocator.statistics._block_bias import block_correction

KINDS = (StationaryBootstrap, CircularBlockBootstrap)


def seeded(seed=0):
    return np.random.default_rng(seed)


def all_rows(scheme, n_periods, n_resamples, seed=0):
    return np.concatenate(list(scheme.rows(n_periods, n_resamples, seeded(seed))))


def frequencies(rows):
    counted = Counter(map(tuple, rows.tolist()))
    return {sequence: count / len(rows) for sequence, count in counted.items()}


# Every resample there can be, with its probability.


@pytest.mark.parametrize("block_length", [1.0, 1.5, 3.0])
def test_stationary_resamples_have_their_probabilities(block_length):
    """Row t+1 follows row t with chance 1 - p, or is any row: Politis and Romano (1994), section 2."""
    n, p, draws = 3, 1.0 / block_length, 100_000
    found = frequencies(all_rows(StationaryBootstrap(block_length), n, draws))
    for sequence in itertools.product(range(n), repeat=n):
        steps = itertools.pairwise(sequence)
        chance = np.prod([p / n + (1.0 - p) * (after == (before + 1) % n) for before, after in steps]) / n
        error = np.sqrt(chance * (1.0 - chance) / draws)
        assert found.pop(sequence, 0.0) == pytest.approx(chance, abs=5 * error + 1e-12)
    assert not found


def test_circular_resamples_have_their_probabilities():
    """Five rows in blocks of two: two whole blocks and half a one, each with five starts alike."""
    found = frequencies(all_rows(CircularBlockBootstrap(2), 5, 100_000))
    possible = {(a, (a + 1) % 5, b, (b + 1) % 5, c) for a, b, c in itertools.product(range(5), repeat=3)}
    assert set(found) == possible
    np.testing.assert_allclose(list(found.values()), 1 / 125, atol=5 * np.sqrt(1 / 125 / 100_000))


def test_lengths_of_stationary_blocks_are_geometric():
    rows = all_rows(StationaryBootstrap(4.0), 1000, 400)
    breaks = np.diff(rows, axis=1) % 1000 != 1
    assert breaks.mean() == pytest.approx(0.25 * 0.999, rel=0.01)
    lengths = np.concatenate([np.diff(np.flatnonzero(line)) for line in breaks])
    for length in (1, 2, 5, 10):
        assert np.mean(lengths > length) == pytest.approx(0.75**length, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_drawn_alike(kind):
    rows = all_rows(kind(7), 50, 4000)
    counts = np.bincount(rows.ravel(), minlength=50)
    assert counts.min() > 0.9 * 4000
    assert counts.max() < 1.1 * 4000
    assert rows.min() == 0
    assert rows.max() == 49


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_of_everything_is_the_sample_turned(kind):
    rows = all_rows(kind(9), 9, 200)
    turned = [line for line in rows if (np.diff(line) % 9 == 1).all()]
    assert len(turned) > (60 if kind is StationaryBootstrap else 199)


# Prefix sums against rows written out.


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 40),
    st.integers(0, 99),
    st.sampled_from([1e-6, 1.0, 1e5]),
)
def test_means_are_those_of_the_rows(kind, n, block_length, n_resamples, seed, scale):
    scheme = kind(min(block_length, n))
    columns = scale * (3.0 + seeded(seed).standard_t(3, size=(n, 2)))
    slow = columns[all_rows(scheme, n, n_resamples, seed)].mean(axis=1)
    fast = scheme.means(columns, n_resamples, seeded(seed))
    np.testing.assert_allclose(fast, slow, rtol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block_length", [1, 20, 1200])
def test_moments_of_long_samples_are_those_of_the_rows(kind, block_length):
    """Beside large means, in two samples of unlike size: agreement to 1e-10 of the deviation."""
    n = 12_600
    returns = np.array([0.01, 1e-5]) * seeded(5).standard_t(4, size=(n, 2)) + np.array([0.1, 0.05])
    moments = resampled_moments(returns, kind(block_length), 25, seeded(1))
    draws = returns[all_rows(kind(block_length), n, 25, 1)]
    means, variances = draws.mean(axis=1), draws.var(axis=1, ddof=1)
    deviations = returns.std(axis=0)
    np.testing.assert_allclose(moments.means / deviations, means / deviations, atol=1e-10, rtol=1e-12)
    np.testing.assert_allclose(moments.variances, variances, rtol=1e-10)
    np.testing.assert_allclose(moments.sharpe_ratios, means / np.sqrt(variances), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_means_far_from_zero_lose_no_digits(kind):
    """Prefix sums of 12,600 rows near a million would be wrong in the seventh digit of the deviation."""
    columns = 1e6 + seeded(0).normal(size=(12_600, 1))
    found = kind(1).means(columns, 20, seeded(0))
    slow = (columns - 1e6)[all_rows(kind(1), 12_600, 20)].mean(axis=1)
    np.testing.assert_allclose(found - 1e6, slow, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_correlations_are_those_of_the_rows(kind):
    returns = 0.01 * seeded(2).normal(size=(300, 3)) @ np.array([[1, 0.5, 0], [0, 1, -0.9], [0, 0, 1]])
    found = resampled_correlations(returns, kind(6), 40, seeded(3))
    for line, matrix in zip(all_rows(kind(6), 300, 40, 3), found, strict=True):
        np.testing.assert_allclose(matrix, np.corrcoef(returns[line].T), atol=1e-10)
        np.testing.assert_array_equal(matrix, matrix.T)


@pytest.mark.parametrize("kind", KINDS)
def test_any_statistic_is_that_of_the_rows(kind):
    returns = 0.01 * seeded(2).normal(size=(80, 2))

    def worst_and_median(draws):
        return np.stack([draws.min(axis=1), np.median(draws, axis=1)], axis=1)

    found = resampled_statistic(returns, worst_and_median, kind(5), 70, seeded(4))
    assert found.shape == (70, 2, 2)
    for line, answer in zip(all_rows(kind(5), 80, 70, 4), found, strict=True):
        draw = returns[line]
        np.testing.assert_array_equal(answer, [draw.min(axis=0), np.median(draw, axis=0)])


def test_a_statistic_sees_resamples_of_bounded_size(monkeypatch):
    monkeypatch.setattr(resampled, "_NUMBERS_IN_A_CHUNK", 1000)
    sizes = []

    def mean(draws):
        sizes.append(draws.size)
        return draws.mean(axis=(1, 2))

    returns = 0.01 * seeded(2).normal(size=(40, 3))
    found = resampled_statistic(returns, mean, StationaryBootstrap(5), 100, seeded(0))
    assert max(sizes) <= 1000
    monkeypatch.undo()
    np.testing.assert_array_equal(
        found, resampled_statistic(returns, mean, StationaryBootstrap(5), 100, seeded(0))
    )


def test_circular_means_are_the_older_function():
    columns = seeded(0).normal(size=(97, 2))
    np.testing.assert_array_equal(
        CircularBlockBootstrap(7).means(columns, 50, seeded(1)), resampled_means(columns, 7, 50, seeded(1))
    )


def test_published_draws_do_not_change():
    """Intervals in the documentation rest on these draws."""
    column = np.arange(10.0)[:, np.newaxis]
    drawn = CircularBlockBootstrap(3).means(column, 4, seeded(0)).ravel()
    starts = np.random.default_rng(0).integers(0, 10, size=(4, 4))
    rows = [[*(s + np.arange(3)[:, np.newaxis]).T.ravel()[:9], s[3]] for s in starts]
    np.testing.assert_allclose(drawn, np.mean(np.array(rows) % 10, axis=1), rtol=1e-13)


# Seeds.


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides(kind):
    columns = seeded(0).normal(size=(50, 1))
    first, again = (kind(5).means(columns, 100, seeded(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (kind(5).means(columns, 100, seeded(4)) != first).any()


@pytest.mark.parametrize("kind", KINDS)
def test_draws_do_not_depend_on_the_number_of_series(kind):
    returns = 0.01 * seeded(0).normal(size=(120, 7))
    alone = resampled_moments(returns[:, 3], kind(4), 60, seeded(1))
    among = resampled_moments(returns, kind(4), 60, seeded(1))
    np.testing.assert_array_equal(among.means[:, 3], alone.means[:, 0])
    np.testing.assert_array_equal(among.variances[:, 3], alone.variances[:, 0])


def test_many_batches_are_drawn_one_after_the_other(monkeypatch):
    monkeypatch.setattr(bootstrap, "_BLOCKS_IN_A_BATCH", 64)
    columns = seeded(0).normal(size=(100, 1))
    sizes = [len(rows) for rows in StationaryBootstrap(10.0).rows(100, 12, seeded(0))]
    assert sizes == [5, 5, 2]
    slow = columns[all_rows(StationaryBootstrap(10.0), 100, 12)].mean(axis=1)
    np.testing.assert_allclose(StationaryBootstrap(10.0).means(columns, 12, seeded(0)), slow, atol=1e-12)
    assert len({tuple(line) for line in all_rows(StationaryBootstrap(10.0), 100, 12)}) == 12


def test_rows_come_in_bounded_batches():
    for kind in KINDS:
        sizes = [rows.size for rows in itertools.islice(kind(100_000).rows(300_000, 50, seeded(0)), 3)]
        assert max(sizes) <= 2**20


# Published and exact numbers.


@pytest.mark.parametrize("block_length", [1, 3, 6, 12])
@pytest.mark.parametrize("series", ["US 3m TR", "SP500 TR"])
def test_variance_of_the_mean_is_politis_and_romanos(case, managers, series, block_length):
    """Lemma 1 of Politis and Romano (1994), within four standard errors of 20,000 draws."""
    rows = json.loads(case("I_stationary_bootstrap_exact_variance.json").read_text())["rows"]
    (exact,) = (
        r["var_politis_romano_lemma"]
        for r in rows
        if (r["series"], r["mean_block"]) == (series, block_length)
    )
    drawn = StationaryBootstrap(block_length).means(managers[[series]].to_numpy(), 20_000, seeded(1))
    assert drawn.var() == pytest.approx(exact, rel=4 * np.sqrt(2 / 20_000))


@pytest.fixture(scope="module")
def arch():
    return pytest.importorskip("arch.bootstrap", reason="arch, of the extra [bench], is not installed")


@pytest.mark.parametrize("power", [1, 2])
def test_block_lengths_are_those_of_arch(arch, power):
    series = np.zeros(700)
    shocks = seeded(6).normal(size=700)
    for i in range(1, 700):
        series[i] = 0.6 * series[i - 1] + shocks[i]
    expected = arch.optimal_block_length(series**power)
    assert optimal_block_length(series**power) == pytest.approx(
        (expected["stationary"].iloc[0], expected["circular"].iloc[0]), rel=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_distributed_as_those_of_arch(arch, kind):
    """Sharpe differences: means within five standard errors, quantiles within a tenth of a deviation."""
    returns = 0.01 * seeded(8).standard_t(5, size=(240, 2)) + 0.002
    returns[1:] += 0.3 * returns[:-1]
    peer = {
        StationaryBootstrap: arch.StationaryBootstrap,
        CircularBlockBootstrap: arch.CircularBlockBootstrap,
    }
    theirs = peer[kind](6, returns, seed=1).apply(
        lambda draw: np.subtract(*(draw.mean(axis=0) / draw.std(axis=0, ddof=1))), 4000
    )
    ours = resampled_moments(returns, kind(6), 4000, seeded(1)).sharpe_ratios
    difference = ours[:, 0] - ours[:, 1]
    spread = theirs.std()
    assert difference.mean() == pytest.approx(theirs.mean(), abs=5 * spread * np.sqrt(2 / 4000))
    assert difference.std() == pytest.approx(spread, rel=0.06)
    shares = [0.025, 0.25, 0.5, 0.75, 0.975]
    np.testing.assert_allclose(
        np.quantile(difference, shares), np.quantile(theirs, shares), atol=0.15 * spread
    )


# Block lengths of several series.


def test_joint_block_length_is_that_of_the_worst_series_or_its_squares(managers):
    returns = managers[["SP500 TR", "US 10Y TR", "US 3m TR"]]
    alone = [optimal_block_length(returns[name]) for name in returns]
    squares = [optimal_block_length((returns[name] - returns[name].mean()) ** 2) for name in returns]
    expected = np.maximum(np.max(alone + squares, axis=0), 1.0)
    assert joint_block_length(returns) == pytest.approx(tuple(expected), rel=1e-12)
    assert StationaryBootstrap.fitted(returns).block_length == pytest.approx(expected[0])
    assert CircularBlockBootstrap.fitted(returns).block_length == np.ceil(expected[1])


def test_volatility_that_clusters_makes_blocks_longer():
    rng = seeded(3)
    calm_and_wild = np.repeat(rng.choice([0.2, 3.0], 40), 25) * rng.normal(size=1000) * 0.01
    assert optimal_block_length(calm_and_wild)[0] < 5
    assert joint_block_length(calm_and_wild)[0] > 15


def test_joint_block_length_is_within_one_and_a_third():
    trend = 0.001 * np.arange(11.0)
    assert max(joint_block_length(trend)) == pytest.approx(11 / 3)
    assert joint_block_length(np.tile([0.01, -0.01], 20))[0] >= 1.0  # squares that do not vary
    assert joint_block_length(np.full(30, 0.01)) == (1.0, 1.0)
    assert joint_block_length(np.zeros(30)) == (1.0, 1.0)


# What does not vary, and refusals.


@pytest.mark.parametrize("kind", KINDS)
def test_a_resample_without_movement_has_no_ratio(kind):
    returns = np.zeros((30, 2))
    returns[4] = 0.1
    returns[:, 1] = 0.07
    moments = resampled_moments(returns, kind(2), 300, seeded(0))
    missed = moments.means[:, 0] < 1e-12
    assert 0 < missed.sum() < 300
    assert (moments.variances[missed, 0] == 0).all()
    np.testing.assert_array_equal(np.isnan(moments.sharpe_ratios[:, 0]), missed)
    assert np.isnan(moments.sharpe_ratios[:, 1]).all()
    correlations = resampled_correlations(returns, kind(2), 300, seeded(0))
    np.testing.assert_array_equal(np.isnan(correlations[:, 0, 0]), missed)
    assert np.isnan(correlations[:, 0, 1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_F143_block_longer_than_the_sample(kind):
    returns = 0.01 * seeded(0).normal(size=20)
    message = r"block_length: 21 is not between 1 and the 20 rows there are"
    with pytest.raises(InputError, match=message):
        resampled_moments(returns, kind(21), 10, seeded(0))
    with pytest.raises(InputError, match=message):
        resampled_statistic(returns, np.mean, kind(21), 10, seeded(0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block_length", [0, 0.99, -3, np.nan, np.inf, True, "5", None])
def test_a_block_length_that_is_none(kind, block_length):
    with pytest.raises(InputError, match=r"block_length: .* is not a .*number of rows, 1 or more"):
        kind(block_length)


def test_a_circular_block_is_whole():
    with pytest.raises(InputError, match=r"block_length: 2\.5 is not a whole number of rows"):
        CircularBlockBootstrap(2.5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_resamples(kind):
    with pytest.raises(InputError, match=r"n_resamples: 0 is not a positive number"):
        kind(2).means(np.zeros((5, 1)), 0, seeded(0))
    with pytest.raises(InputError, match=r"columns: shape \(5,\), expected"):
        kind(2).means(np.zeros(5), 3, seeded(0))


def test_a_number_is_no_bootstrap():
    returns = 0.01 * seeded(0).normal(size=(20, 2))
    message = r"bootstrap: 20 is no block bootstrap; pass al\.StationaryBootstrap\(20\), say"
    with pytest.raises(InputError, match=message):
        resampled_moments(returns, 20, 5, seeded(0))
    with pytest.raises(InputError, match=message):
        resampled_correlations(returns, 20, 5, seeded(0))
    with pytest.raises(InputError, match=message):
        resampled_statistic(returns, np.mean, 20, 5, seeded(0))
    with pytest.raises(InputError, match=message):
        bootstrap_drawdown(returns[:, 0], bootstrap=20)


def test_what_cannot_be_resampled():
    with pytest.raises(InsufficientHistoryError, match=r"returns: 1 row, at least 2"):
        resampled_moments(np.array([0.1]), StationaryBootstrap(1), 5, seeded(0))
    with pytest.raises(InputError, match=r"returns on row 1: NaN"):
        resampled_statistic(np.array([0.1, np.nan]), np.mean, StationaryBootstrap(1), 5, seeded(0))
    with pytest.raises(InsufficientHistoryError, match=r"9 rows, at least 10"):
        StationaryBootstrap.fitted(0.01 * seeded(0).normal(size=9))


@pytest.mark.parametrize("statistic", [np.mean, lambda draws: draws.mean(axis=0)])
def test_a_statistic_of_another_shape(statistic):
    returns = 0.01 * seeded(0).normal(size=(20, 2))
    with pytest.raises(InputError, match=r"statistic: returned shape .* for 6 resamples; reduce axis 1"):
        resampled_statistic(returns, statistic, StationaryBootstrap(2), 6, seeded(0))


def test_schemes_say_what_they_are():
    assert str(StationaryBootstrap(4.567)) == "stationary bootstrap, blocks of 4.57 rows on average"
    assert str(CircularBlockBootstrap(5)) == "circular block bootstrap, blocks of 5 rows"
    assert StationaryBootstrap(5) == StationaryBootstrap(5.0)
    assert len({StationaryBootstrap(5), StationaryBootstrap(5), CircularBlockBootstrap(5)}) == 2


# What blocks cannot see.


@pytest.mark.parametrize("block", [1, 3, 8])
def test_the_correction_is_against_the_variance_that_blocks_give(block):
    """n times the variance of resampled means, by simulation; 120 is a whole number of all blocks."""
    x = np.convolve(np.random.default_rng(2).standard_normal(130), np.ones(6), "valid")[:120]
    means = resampled_means(x[:, np.newaxis], block, 60_000, np.random.default_rng(0))
    whole = Prewhitened().variance((x - x.mean())[:, np.newaxis], np.ones(1))
    expected = np.sqrt(whole / (120 * means.var()))
    assert expected > 1.2
    assert block_correction(x, block) == pytest.approx(expected, rel=0.01)


def test_independent_rows_and_reversals_are_not_corrected():
    x = np.random.default_rng(0).standard_normal(5000)
    assert block_correction(x, 1) == pytest.approx(1.0, abs=0.03)
    assert block_correction(np.diff(x), 1) == 1.0
    assert block_correction(np.ones(20), 1) == 1.0


def test_single_rows_of_an_autoregression_lack_its_long_run():
    """AR(1): √((1 + φ)/(1 - φ)), √3 for 0.5."""
    x = np.zeros(20_000)
    shocks = np.random.default_rng(0).standard_normal(len(x))
    for t in range(1, len(x)):
        x[t] = 0.5 * x[t - 1] + shocks[t]
    assert block_correction(x, 1) == pytest.approx(np.sqrt(3.0), rel=0.05)
    assert block_correction(x, 60) == pytest.approx(1.0, abs=0.05)
