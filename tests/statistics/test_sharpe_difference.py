"""The difference of two Sharpe ratios, against Ledoit and Wolf (2008), PeerPerformance, and slow code.

Invariants: leverage of either series, exchange of the two, and the periods of a year change no p-value.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharpe_oracles import block_error, ratio_difference, slow_difference_draws

import allocator as al
from allocator.statistics import Bartlett, FixedBandwidth, KernelVariance, Parzen, Prewhitened
from allocator.statistics import _studentised_draws as kernel
from allocator.statistics.block_calibration import _stationary_rows, _worlds

PERCENT, FRACTION = 0.01, 1.0
METHODS = [al.NormalReturns(), al.IndependentReturns(), al.HAC(), al.StudentizedBootstrap(n_resamples=499)]
BLOCKS = {"agg": 4, "hedge": 6}


@pytest.fixture
def funds(case):
    """The excess returns of Ledoit and Wolf (2008) as fractions, by the name of the pair."""
    tables = {name: pd.read_csv(case(f"B_ledoitwolf2008_{name}_input.csv")) for name in BLOCKS}
    return {name: table[["a", "b"]].to_numpy() / 100 for name, table in tables.items()}


@pytest.fixture
def hedge_funds(case):
    return pd.read_csv(case("B_hfdata6_input.csv")).iloc[:, 1:].to_numpy()


def pair(n=60, seed=0, correlation=0.6):
    rng = np.random.default_rng(seed)
    common, own = rng.standard_t(6, size=(n, 1)), rng.standard_t(6, size=(n, 2))
    mixed = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    return 0.03 * mixed + [0.004, 0.008]


def difference_of(returns, method, **settings):
    return al.sharpe_difference(returns[:, 0], returns[:, 1], 0.0, method, periods_per_year=12, **settings)


def percent(returns, long_run):
    return 100 * difference_of(returns, al.HAC(long_run, PERCENT)).p_value


@pytest.mark.parametrize(("name", "plain", "prewhitened"), [("agg", 6.3, 6.7), ("hedge", 14.7, 25.4)])
def test_hac_p_values_of_ledoit_and_wolf_to_print_precision(funds, name, plain, prewhitened):
    """Table 3, quadratic-spectral kernel; their unit is percent."""
    assert round(percent(funds[name], KernelVariance()), 1) == plain
    assert round(percent(funds[name], Prewhitened()), 1) == prewhitened


@pytest.mark.parametrize(("name", "published"), [("agg", 3.9), ("hedge", 1.0)])
def test_jobson_korkie_memmel_of_ledoit_and_wolf(funds, name, published):
    """Table 3: 3.9 where deviations over n - 1 give 3.95 and over n 3.87."""
    assert 100 * difference_of(funds[name], al.NormalReturns()).p_value == pytest.approx(published, abs=0.06)


@pytest.mark.parametrize(("name", "published"), [("agg", 9.2), ("hedge", 29.4)])
def test_bootstrap_of_ledoit_and_wolf_within_their_simulation_error(funds, name, published):
    """Table 3, 4,999 resamples; ours has 40,000, so that the error is theirs: 2 of it are allowed.

    The error of the sample is by Parzen's kernel, prewhitened, as in the bootstrap of their code.
    """
    error = al.HAC(Prewhitened(KernelVariance(Parzen())), PERCENT)
    method = al.StudentizedBootstrap(BLOCKS[name], 40_000, error=error)
    found = difference_of(funds[name], method)
    theirs = 100 * np.sqrt(found.p_value * (1 - found.p_value) / 4999)
    assert 100 * found.p_value == pytest.approx(published, abs=2 * theirs)
    assert (found.block_length, found.n_resamples, found.seed) == (BLOCKS[name], 40_000, 0)


def test_every_kernel_to_all_digits(funds, case):
    """Independent code of the same formulas, 14 digits."""
    expected = pd.read_csv(case("B_ledoitwolf2008_python_kernels.csv"), index_col="data")
    estimators = {
        "hac_qs_ddof1": KernelVariance(),
        "hacpw_qs_ddof1": Prewhitened(),
        "hac_parzen_ddof1": KernelVariance(Parzen()),
        "hacpw_parzen_ddof1": Prewhitened(KernelVariance(Parzen())),
    }
    for name, returns in funds.items():
        for column, estimator in estimators.items():
            assert percent(returns, estimator) == pytest.approx(expected.loc[name, column], rel=1e-9)
        independent = 100 * difference_of(returns, al.IndependentReturns()).p_value
        assert independent == pytest.approx(expected.loc[name, "iid_ddof1"], rel=1e-9)


def test_the_authors_own_code(funds, case):
    """Their R package: ratios, difference and Parzen errors at 11 digits."""
    for row in pd.read_csv(case("B_ledoitwolf2008_expected.csv")).itertuples():
        returns = funds[row.data.removeprefix("ret.")]
        monthly = {
            "hac_parzen_se": al.HAC(KernelVariance(Parzen()), PERCENT),
            "hacpw_se": al.HAC(Prewhitened(KernelVariance(Parzen())), PERCENT),
        }
        for column, method in monthly.items():
            found = difference_of(returns, method)
            assert found.standard_error / np.sqrt(12) == pytest.approx(getattr(row, column), rel=1e-9)
        assert found.difference / np.sqrt(12) == pytest.approx(row.diff, rel=1e-9)
        assert found.correlation == pytest.approx(row.corr, rel=1e-8)
        assert found.sharpe_1 / np.sqrt(12) == pytest.approx(row.sr1, rel=1e-9)


def test_all_pairs_of_peer_performance(hedge_funds, case):
    """Fifteen pairs, independent and Parzen, 13 digits; the unit there is the fraction."""
    expected = pd.read_csv(case("B_ledoitwolf_asymptotic_expected.csv")).query("ttype == 1")
    methods = {False: al.IndependentReturns(), True: al.HAC(KernelVariance(Parzen()), FRACTION)}
    assert len(expected) == 30
    for row in expected.itertuples():
        found = difference_of(hedge_funds[:, [row.i - 1, row.j - 1]], methods[row.hac])
        assert found.difference / found.standard_error == pytest.approx(row.tstat, rel=1e-11)
        assert found.p_value == pytest.approx(row.pval, rel=1e-11)


def test_all_pairs_of_jobson_korkie_memmel(hedge_funds, case):
    for row in pd.read_csv(case("B_jobsonkorkie_memmel_expected.csv")).itertuples():
        found = difference_of(hedge_funds[:, [row.i - 1, row.j - 1]], al.NormalReturns())
        assert found.difference / found.standard_error == pytest.approx(row.jkm_z, rel=1e-11)
        assert found.p_value == pytest.approx(row.jkm_p, rel=1e-11)


def test_the_draws_give_the_p_values_of_peer_performance(hedge_funds, case):
    """Its statistic is divided by the error of the sample's own blocks, as ours is not."""
    for row in pd.read_csv(case("B_ledoitwolf_bootstrap_expected.csv")).itertuples():
        returns = hedge_funds[:, [row.i - 1, row.j - 1]]
        error = block_error(returns, row.block) * (np.sqrt(60 / 59) if row.block == 1 else 1.0)
        t = ratio_difference(returns) / error
        assert t == pytest.approx(row.tstat, rel=1e-10)
        draws = kernel.difference_draws(returns[:, ::-1], row.block, 9999, np.random.default_rng(1))
        scores = np.abs(draws.studentised()) * (np.sqrt(59 / 60) if row.block == 1 else 1.0)
        p = (1 + np.sum(scores >= abs(t))) / 10_000
        assert p == pytest.approx(row.pval_mc, abs=3.5 * np.sqrt(2) * row.mc_se)


@pytest.mark.parametrize(("n", "block"), [(60, 1), (60, 5), (61, 5), (47, 20), (30, 15)])
def test_fast_draws_are_the_slow_ones(n, block):
    returns = pair(n, seed=n)
    starts = np.random.default_rng(3).integers(0, n, size=(40, n // block))
    slow = slow_difference_draws(returns, block, starts)
    fast = kernel.difference_draws(returns[:, ::-1], block, 40, np.random.default_rng(3))
    np.testing.assert_allclose(fast.changes[:, 0], slow[:, 0], rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(fast.errors[:, 0], slow[:, 1], rtol=1e-9, atol=1e-15)


def test_a_resample_without_a_ratio_counts_as_extreme():
    """A series that moves on one day of 24 is constant in (1 - 1/24)^24 = 36 % of resamples."""
    returns = pair(24)
    returns[:, 1] = np.where(np.arange(24) == 5, 0.05, 0.001)
    scores = kernel.difference_draws(returns, 1, 2000, np.random.default_rng(0)).studentised()
    assert np.isinf(scores).mean() == pytest.approx((1 - 1 / 24) ** 24, abs=0.04)
    assert not np.isnan(scores).any()


def test_chunks_do_not_change_the_draws(monkeypatch):
    returns = pair(200)
    whole = kernel.difference_draws(returns, 3, 300, np.random.default_rng(1))
    monkeypatch.setattr(kernel, "_RESAMPLES_AT_ONCE", 7)
    monkeypatch.setattr(kernel, "_ONE_THREAD", 2000)
    parts = kernel.difference_draws(returns, 3, 300, np.random.default_rng(1))
    np.testing.assert_allclose(parts.errors, whole.errors, rtol=1e-12)
    np.testing.assert_allclose(parts.changes, whole.changes, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@settings(max_examples=10, deadline=None)
@given(first=st.floats(0.05, 20.0), second=st.floats(0.05, 20.0), seed=st.integers(0, 99))
def test_leverage_of_either_changes_nothing(method, first, second, seed):
    returns = pair(seed=seed) / 25
    plain, levered = difference_of(returns, method), difference_of(returns * [first, second], method)
    assert levered.p_value == pytest.approx(plain.p_value, rel=1e-6)
    assert levered.difference == pytest.approx(plain.difference, rel=1e-6, abs=1e-9)
    assert levered.standard_error == pytest.approx(plain.standard_error, rel=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999))
def test_exchange_turns_the_sign_and_nothing_else(method, seed):
    returns = pair(seed=seed)
    one, other = difference_of(returns, method), difference_of(returns[:, ::-1], method)
    assert other.difference == pytest.approx(-one.difference)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    assert other.p_value == pytest.approx(one.p_value, rel=1e-9)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_year_scales_the_difference_and_not_p(method):
    returns = pair()
    month, day = (
        al.sharpe_difference(returns[:, 0], returns[:, 1], 0.0, method, periods_per_year=periods)
        for periods in (12, 252)
    )
    assert day.p_value == month.p_value
    assert day.difference / np.sqrt(252) == pytest.approx(month.difference / np.sqrt(12))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 9999), confidence=st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_zero_is_outside_the_interval_exactly_where_p_is_small(seed, confidence):
    method = al.StudentizedBootstrap(n_resamples=199, seed=seed)
    found = difference_of(pair(seed=seed, correlation=0.95), method, confidence=confidence)
    assert (found.low > 0 or found.high < 0) == (found.p_value <= 1 - confidence + 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_zero_is_on_the_edge_of_the_interval_of_confidence_one_less_p(seed):
    """So that the order statistic behind the interval is the one behind p, not its neighbour."""
    returns, method = pair(seed=seed), al.StudentizedBootstrap(n_resamples=199)
    p = difference_of(returns, method).p_value
    for confidence, is_outside in ((1 - p, True), (1 - p + 1 / 200, False)):
        found = difference_of(returns, method, confidence=confidence)
        assert (found.low > 0 or found.high < 0) == is_outside


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_F140_identical_series_have_no_difference_and_p_of_one(method):
    returns = pair()[:, 0]
    same = al.sharpe_difference(returns, returns, 0.02, method, periods_per_year=12)
    levered = al.sharpe_difference(returns, 3 * returns, 0.0, method, periods_per_year=12)
    for found in (same, levered):
        assert (found.difference, found.standard_error, found.p_value) == (0.0, 0.0, 1.0)
        assert (found.low, found.high) == (0.0, 0.0)
        assert "multiple of the other" in found.reason


def test_a_constant_advantage_is_no_identity():
    returns = pair()[:, 0]
    found = al.sharpe_difference(returns + 0.001, returns, 0.0, periods_per_year=12)
    assert found.correlation == pytest.approx(1.0)
    assert 0.0 < found.difference < 0.5
    assert found.p_value < 0.05


def test_nearly_identical_series_keep_their_digits():
    returns = pair()[:, 0]
    near = returns * (1 + 1e-6 * np.random.default_rng(1).normal(size=60))
    found = al.sharpe_difference(near, returns, 0.0, periods_per_year=12)
    wide = al.sharpe_difference(near, returns, 0.0, al.HAC(), periods_per_year=12)
    assert 0.0 < found.standard_error == pytest.approx(wide.standard_error)
    assert found.p_value == pytest.approx(wide.p_value, abs=0.1)


def test_draws_of_nearly_identical_series_are_the_slow_ones():
    returns = pair()
    returns[:, 1] = returns[:, 0] * (1 + 1e-5 * np.random.default_rng(1).normal(size=60))
    starts = np.random.default_rng(3).integers(0, 60, size=(40, 20))
    slow = slow_difference_draws(returns, 3, starts)
    fast = kernel.difference_draws(returns[:, ::-1], 3, 40, np.random.default_rng(3))
    np.testing.assert_allclose(fast.changes[:, 0], slow[:, 0], rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(fast.errors[:, 0], slow[:, 1], rtol=1e-4)


def test_a_constant_series_has_no_ratio():
    returns = pair()
    found = al.sharpe_difference(returns[:, 0], 0 * returns[:, 1] + 0.01, 0.0, periods_per_year=12)
    assert np.isnan(found.p_value)
    assert found.reason == "'returns_2' never changes over cash, its deviation is 0"


def test_F141_few_rows_warn_and_very_few_say_nothing():
    with pytest.warns(UserWarning, match="n=19: errors and p-values of fewer than 20 returns are rough"):
        difference_of(pair(19), al.StudentizedBootstrap())
    assert difference_of(pair(11), al.StudentizedBootstrap()).reason == "n=11, at least 12 are needed"


def test_F129_other_dates_are_refused():
    dates = pd.date_range("2010-01-31", periods=60, freq="ME")
    first, second = pd.Series(pair()[:, 0], dates), pd.Series(pair()[:, 1], dates)
    with pytest.raises(
        al.InputError, match=r"returns_2 on 2010-02-28: missing; returns_1 has 60 dates.* share 59"
    ):
        al.sharpe_difference(first, second.drop(dates[1]), 0.0)
    with pytest.raises(al.InputError, match=r"returns_1 on 2014-12-31: missing.* share 59; pass the shared"):
        al.sharpe_difference(first[:-1], second, 0.0)
    with pytest.raises(al.InputError, match="returns_2: has no dates and returns_1 has"):
        al.sharpe_difference(first, second.to_numpy(), 0.0)
    with pytest.raises(al.InputError, match="returns_2: 59 rows for 60 rows of returns_1"):
        al.sharpe_difference(first.to_numpy(), second.to_numpy()[1:], 0.0, periods_per_year=12)
    with pytest.raises(al.InputError, match=r"returns_1: 2 series, expected one"):
        al.sharpe_difference(pair(), pair(), 0.0, periods_per_year=12)


def test_F143_blocks_longer_than_half_of_the_sample_are_refused():
    with pytest.raises(al.InputError, match="block_length: 31 is not between 1 and half of the 60 rows"):
        difference_of(pair(), al.StudentizedBootstrap(block_length=31))
    with pytest.raises(al.InputError, match="block_length: 0 is not a positive number"):
        al.StudentizedBootstrap(block_length=0)


def test_cash_counts():
    """Two portfolios of the same risky asset, half and all of it, have the same ratio over cash only."""
    dates = pd.date_range("2010-01-31", periods=60, freq="ME")
    risky = pd.Series(pair()[:, 0], dates, name="all")
    cash = pd.Series(0.002 + 0.001 * np.sin(np.arange(60)), dates)
    half = (0.5 * risky + 0.5 * cash).rename("half")
    assert al.sharpe_difference(risky, half, cash).difference == 0.0
    assert al.sharpe_difference(risky, half, 0.0).difference != 0.0


def test_the_record_prints_its_numbers_and_what_they_rest_on():
    dates = pd.date_range("2010-01-31", periods=60, freq="ME")
    first, second = (pd.Series(pair()[:, i], dates, name=name) for i, name in enumerate(("60/40", "<gold>")))
    found = al.sharpe_difference(first, second, 0.01, al.StudentizedBootstrap(block_length=2, seed=7))
    text = repr(found)
    assert text.startswith(f"Sharpe ratio of 60/40 less that of <gold>: {found.difference:+.3f} ± ")
    assert f"p = {found.p_value:.4f} that they are equal, two-sided; n=60" in text
    assert "blocks of 2 rows, 4,999 resamples, seed 7" in text
    assert "&lt;gold&gt;" in found._repr_html_()


def test_size_of_the_default_and_of_the_normal_test_under_autocorrelation():
    """250 pairs of AR(1) of 0.3 with equal ratios at nominal 5 %: Jobson-Korkie-Memmel rejects too often."""
    rejected = np.zeros(2)
    for seed in range(250):
        x = np.random.default_rng(seed).normal(size=(170, 2)) @ [[1.0, 0.5], [0.0, 0.75**0.5]]
        for t in range(1, 170):
            x[t] += 0.3 * x[t - 1]
        returns = 0.01 * (x[50:] + 0.15)
        for column, method in enumerate((al.StudentizedBootstrap(n_resamples=199), al.NormalReturns())):
            rejected[column] += difference_of(returns, method).p_value <= 0.05
    assert 0.02 <= rejected[0] / 250 <= 0.09
    assert rejected[1] / 250 > 0.11


def test_calibration_lowers_the_size_to_the_nominal():
    """On the mutual funds' kind of data single rows reject too often and long blocks too rarely."""
    returns = pair(120, seed=3)
    found = al.calibrated_block_length(
        returns[:, 0], returns[:, 1], 0.0, (1, 5, 20), periods_per_year=12, n_worlds=200, n_resamples=99
    )
    assert found.rejected[0] > 0.04 > found.rejected[2]
    assert found.block_length == found.candidates[np.argmin(np.abs(np.array(found.rejected) - 0.05))]
    again = al.calibrated_block_length(
        returns[:, 0], returns[:, 1], 0.0, (1, 5, 20), periods_per_year=12, n_worlds=200, n_resamples=99
    )
    assert again == found
    assert "Block length" in repr(found)
    assert "200 worlds of n=120, 99 resamples each, seed 0" in repr(found)


def test_calibration_tests_the_difference_of_the_sample_and_not_zero():
    """Ratios of -1 and 1 a month: a test of their being equal would reject in every world."""
    returns = pair(60, correlation=0.2) - pair(60, correlation=0.2).mean(axis=0) + [-0.03, 0.03]
    found = al.calibrated_block_length(
        returns[:, 0], returns[:, 1], 0.0, (1, 3), periods_per_year=12, n_worlds=60, n_resamples=99
    )
    assert max(found.rejected) < 0.25


def test_the_worlds_of_the_calibration_are_the_vector_autoregression():
    """Slopes refitted on the worlds are those of the sample, up to the bias of least squares."""
    x = np.random.default_rng(0).normal(size=(2000, 2))
    for t in range(1, 2000):
        x[t] += [[0.4, 0.2], [0.0, -0.3]] @ x[t - 1]
    slopes = []
    for world in _worlds(x, 5, np.random.default_rng(1)):
        assert world.shape == x.shape
        slopes.append(np.linalg.lstsq(world[:-1] - world.mean(axis=0), world[1:] - world.mean(axis=0))[0].T)
    np.testing.assert_allclose(np.mean(slopes, axis=0), [[0.4, 0.2], [0.0, -0.3]], atol=0.05)


def test_stationary_rows_are_blocks_of_five_on_average():
    rows = _stationary_rows(200, 1000, 97, np.random.default_rng(0))
    follows = (np.diff(rows, axis=1) % 97) == 1
    assert follows.mean() == pytest.approx(1 - 0.2 * (1 - 1 / 97), abs=0.005)
    counts = np.bincount(rows.ravel(), minlength=97) / rows.size
    np.testing.assert_allclose(counts, 1 / 97, rtol=0.1)


def test_calibration_refuses_what_it_cannot_do():
    first, second = pair().T
    with pytest.raises(al.InputError, match="candidates: empty; pass block lengths such as"):
        al.calibrated_block_length(first, second, 0.0, (), periods_per_year=12)
    with pytest.raises(al.InputError, match="block_length: 40 is not between 1 and half of the 60 rows"):
        al.calibrated_block_length(first, second, 0.0, (1, 40), periods_per_year=12)
    with pytest.raises(al.InputError, match="returns_2: a multiple of returns_1 over cash"):
        al.calibrated_block_length(first, 2 * first, 0.0, periods_per_year=12)
    with pytest.raises(al.InputError, match=r"n_resamples: 9 can reach no p-value of 0.05"):
        al.calibrated_block_length(first, second, 0.0, periods_per_year=12, n_resamples=9)
    with pytest.raises(al.InputError, match="n=5, at least 12 are needed"):
        al.calibrated_block_length(first[:5], second[:5], 0.0, periods_per_year=12)


def test_a_bootstrap_takes_its_own_error(funds):
    """The unit of the sample's error decides p where squares are far more persistent than returns."""
    returns = funds["hedge"]
    free, theirs = (
        difference_of(returns, al.StudentizedBootstrap(6, error=al.HAC(unit=unit)))
        for unit in (None, PERCENT)
    )
    assert free.standard_error == difference_of(returns, al.HAC()).standard_error
    assert theirs.p_value > free.p_value + 0.05


def test_lags_of_newey_and_west_are_bartlett_weights():
    """A width of 4 weighs lags 1 to 3 by 3/4, 1/2 and 1/4."""
    returns = pair()
    method = al.HAC(KernelVariance(Bartlett(), FixedBandwidth(4)), FRACTION)
    found = difference_of(returns, method).standard_error
    v = np.column_stack([returns - returns.mean(axis=0), returns**2 - (returns**2).mean(axis=0)])
    psi = v.T @ v + sum((1 - lag / 4) * (v[lag:].T @ v[:-lag] + v[:-lag].T @ v[lag:]) for lag in (1, 2, 3))
    mean, second = returns.mean(axis=0), (returns**2).mean(axis=0)
    scale = (second - mean**2) ** 1.5
    g = np.concatenate([second / scale * [1, -1], -0.5 * mean / scale * [1, -1]])
    assert found == pytest.approx(np.sqrt(12 * g @ psi @ g / 60 * 60 / 56 / 60), rel=1e-10)
