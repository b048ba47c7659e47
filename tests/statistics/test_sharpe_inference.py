"""One Sharpe ratio: its error under four assumptions, its annualisation, and its probability."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sharpe_oracles import slow_long_run_variance

import allocator as al
from allocator.statistics import (
    AndrewsBandwidth,
    Bartlett,
    FixedBandwidth,
    KernelVariance,
    NeweyWestBandwidth,
    Parzen,
    Prewhitened,
    QuadraticSpectral,
    SharpeMoments,
    annualisation_factor,
    expected_maximum_sharpe,
)
from allocator.statistics._studentised_draws import ratio_draws

METHODS = [al.NormalReturns(), al.IndependentReturns(), al.HAC(), al.StudentizedBootstrap(n_resamples=199)]


def autoregression(n, rho, seed):
    values = np.random.default_rng(seed).standard_normal(n + 50)
    for t in range(1, n + 50):
        values[t] += rho * values[t - 1]
    return values[50:]


def months(n=120, seed=0, name="fund"):
    values = 0.006 + 0.03 * np.random.default_rng(seed).standard_t(6, n)
    return pd.Series(values, index=pd.date_range("2005-01-31", periods=n, freq="ME"), name=name)


def quadratic_spectral(x):
    return (
        1.0
        if x == 0
        else 25
        / (12 * np.pi**2 * x**2)
        * (np.sin(6 * np.pi * x / 5) / (6 * np.pi * x / 5) - np.cos(6 * np.pi * x / 5))
    )


def parzen(x):
    return 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * max(1 - x, 0) ** 3


@pytest.mark.parametrize(
    ("kernel", "weight"),
    [(Bartlett(), lambda x: max(1 - x, 0)), (Parzen(), parzen), (QuadraticSpectral(), quadratic_spectral)],
)
def test_a_kernel_variance_is_the_sum_over_all_pairs_of_rows(kernel, weight):
    rng = np.random.default_rng(0)
    moments = rng.normal(size=(40, 3))
    moments -= moments.mean(axis=0)
    direction = rng.normal(size=3)
    fast = KernelVariance(kernel, FixedBandwidth(4.5)).variance(moments, direction)
    assert fast == pytest.approx(slow_long_run_variance(moments, direction, weight, 4.5), rel=1e-11)


@pytest.mark.parametrize(
    ("kernel", "bandwidth", "width", "variance"),
    [
        (Bartlett(), 4.6149437528297605, 7, 2.2372337647986016),
        (Parzen(), 8.321672237068043, 7, 2.1610089852658483),
        (QuadraticSpectral(), 4.133945616828609, 6, 2.422497835861333),
    ],
)
def test_newey_west_bandwidths_and_variances_of_arch(kernel, bandwidth, width, variance):
    """From arch.covariance.kernel of arch 8.0.0 at n=100, where its ceiling is the paper's floor.

    The variances are at its bandwidth of 6, where its finite kernels end at 7, and without ours of the mean.
    """
    x = np.concatenate([[0.0], np.random.default_rng(3).standard_normal(101)])
    for t in range(1, 102):
        x[t] += 0.5 * x[t - 1]
    centred = (x[2:] - x[2:].mean())[:, np.newaxis]
    assert NeweyWestBandwidth().width(centred, kernel) == pytest.approx(bandwidth, rel=1e-12)
    ours = KernelVariance(kernel, FixedBandwidth(width)).variance(centred, np.ones(1))
    assert ours * 99 / 100 == pytest.approx(variance, rel=1e-12)


def test_andrews_bandwidth_of_one_autoregression():
    """Andrews (1991), eq. 6.4 for one column: α(1) = 4ρ²/((1-ρ)²(1+ρ)²), α(2) = 4ρ²/(1-ρ)⁴."""
    x = autoregression(300, 0.5, 1)
    before, after = x[:-1], x[1:]
    rho = np.polyfit(before, after, 1)[0]
    moments = (x - x.mean())[:, np.newaxis]
    rate = {1: 4 * rho**2 / ((1 - rho) ** 2 * (1 + rho) ** 2), 2: 4 * rho**2 / (1 - rho) ** 4}
    assert AndrewsBandwidth().width(moments, Bartlett()) == pytest.approx(1.1447 * (rate[1] * 300) ** (1 / 3))
    assert AndrewsBandwidth().width(moments, Parzen()) == pytest.approx(2.6614 * (rate[2] * 300) ** (1 / 5))


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.6])
@pytest.mark.parametrize("estimator", [KernelVariance(), Prewhitened(), KernelVariance(Parzen())])
def test_long_run_variance_of_an_autoregression_is_nearly_the_true_one(rho, estimator):
    x = autoregression(40_000, rho, 2)
    found = estimator.variance((x - x.mean())[:, np.newaxis], np.ones(1))
    assert found == pytest.approx(1 / (1 - rho) ** 2, rel=0.1)


def test_a_fixed_bandwidth_as_long_as_the_sample_is_refused():
    with pytest.raises(al.InputError, match=r"rows: a bandwidth of 60 for 50 rows"):
        al.sharpe_interval(months(50), 0.0, al.HAC(KernelVariance(Bartlett(), FixedBandwidth(60))))
    with pytest.raises(al.InputError, match="rows: 0 is not a positive number"):
        FixedBandwidth(0)


def test_normal_error_is_lo_2002():
    """Table 1 of Lo (2002): at a ratio of 0.5 and n=60, √((1 + s²/2)/n) = 0.137."""
    standard = norm.ppf((np.arange(60) + 0.5) / 60)
    returns = 0.01 * ((standard - standard.mean()) / standard.std(ddof=1) + 0.5)
    found = al.sharpe_interval(returns, 0.0, al.NormalReturns(), periods_per_year=1)
    assert found.sharpe == pytest.approx(0.5)
    assert round(found.standard_error, 3) == 0.137
    assert found.low == pytest.approx(0.5 - 1.959964 * found.standard_error, abs=1e-6)


def test_independent_error_is_the_one_beside_every_ratio(managers):
    for name in managers:
        series = managers[name].dropna()
        found = al.sharpe_interval(series, 0.03, al.IndependentReturns())
        assert found.standard_error == pytest.approx(al.sharpe_standard_error(series, 0.03), rel=1e-12)
        assert found.sharpe == pytest.approx(al.sharpe_ratio(series, 0.03), rel=1e-12)
        assert found.n == len(series)


def test_hac_without_lags_is_the_independent_error():
    alone = al.HAC(KernelVariance(Bartlett(), FixedBandwidth(1)))
    found = al.sharpe_interval(months(), 0.02, alone).standard_error
    independent = al.sharpe_interval(months(), 0.02, al.IndependentReturns()).standard_error
    assert found == pytest.approx(independent * np.sqrt(120 / 118), rel=2e-3)  # ddof of the ratio within


def test_hac_sees_autocorrelation_and_independence_does_not():
    returns = 0.01 * autoregression(600, 0.4, 3) + 0.002
    hac, independent = (
        al.sharpe_interval(returns, 0.0, method, periods_per_year=12).standard_error
        for method in (al.HAC(), al.IndependentReturns())
    )
    # The long-run variance of an AR(1) mean is (1 + ρ)/(1 - ρ) = 2.33 times that of independent rows.
    assert hac / independent == pytest.approx(np.sqrt(1.4 / 0.6), rel=0.15)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@settings(max_examples=15, deadline=None)
@given(leverage=st.floats(0.05, 20.0), seed=st.integers(0, 99))
def test_leverage_does_not_change_a_ratio_nor_its_error(method, leverage, seed):
    returns = 0.01 * np.random.default_rng(seed).uniform(-1, 1.2, 60)
    plain, levered = (
        al.sharpe_interval(k * returns, 0.0, method, periods_per_year=12) for k in (1, leverage)
    )
    for field in ("sharpe", "standard_error", "low", "high"):
        assert getattr(levered, field) == pytest.approx(getattr(plain, field), rel=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_an_interval_holds_its_estimate_and_grows_with_confidence(method):
    narrow, wide = (al.sharpe_interval(months(), 0.02, method, confidence=c) for c in (0.8, 0.98))
    assert wide.low < narrow.low < narrow.sharpe < narrow.high < wide.high
    assert narrow.sharpe == pytest.approx((narrow.low + narrow.high) / 2)


def test_intervals_cover_an_autoregression_where_independence_does_not():
    """300 samples of an AR(1) of 0.3: the bootstrap covers 92 to 98 %, independence below 90 %."""
    truth, covered = 0.2, np.zeros(2)
    for seed in range(300):
        x = autoregression(120, 0.3, seed) * np.sqrt(1 - 0.3**2) + truth
        for column, method in enumerate((al.StudentizedBootstrap(n_resamples=199), al.IndependentReturns())):
            found = al.sharpe_interval(0.01 * x, 0.0, method, periods_per_year=1)
            covered[column] += found.low <= truth <= found.high
    assert 0.92 <= covered[0] / 300 <= 0.98
    assert covered[1] / 300 < 0.90


def test_the_seed_decides_and_is_recorded():
    first, again, other = (
        al.sharpe_interval(months(), 0.0, al.StudentizedBootstrap(seed=seed)) for seed in (4, 4, 5)
    )
    assert first == again
    assert first.low != other.low
    assert (first.seed, first.n_resamples) == (4, 4999)
    assert al.sharpe_interval(months(), 0.0, al.HAC()).seed is None


def test_too_few_resamples_for_the_confidence_are_refused():
    with pytest.raises(
        al.InputError, match=r"n_resamples: 99 are too few for a confidence of 0.999; pass 2000"
    ):
        al.sharpe_interval(months(), 0.0, al.StudentizedBootstrap(n_resamples=99), confidence=0.999)
    with pytest.raises(al.InputError, match="n_resamples: 50 are fewer than 99"):
        al.StudentizedBootstrap(n_resamples=50)
    with pytest.raises(al.InputError, match=r"confidence: 95 is not between 0 and 1; pass 0.95"):
        al.sharpe_interval(months(), 0.0, confidence=95)
    with pytest.raises(al.InputError, match=r"unit: -1 is not a positive number; pass 0.01 for percent"):
        al.HAC(unit=-1)


def test_few_rows_warn_and_very_few_say_nothing():
    with pytest.warns(UserWarning, match="n=15: errors and p-values of fewer than 20 returns are rough"):
        assert np.isfinite(al.sharpe_interval(months(15), 0.0).sharpe)
    found = al.sharpe_interval(months(11), 0.0)
    assert np.isnan(found.sharpe)
    assert found.reason == "n=11, at least 12 are needed"


def test_a_constant_has_no_ratio():
    flat = months() * 0 + 0.001
    found = al.sharpe_interval(flat, flat)
    assert np.isnan(found.sharpe)
    assert found.reason == "'fund' never changes over cash, its deviation is 0"


def test_cash_plus_a_constant_is_a_constant():
    """Its excess is 1e-8 and rounding of the size of the returns, which is no deviation."""
    cash = 0.0 * months() + 0.03 + 0.025 * np.sin(np.arange(120))  # of several powers of two
    found = al.sharpe_interval(cash + 1e-8, cash)
    assert found.reason == "'fund' never changes over cash, its deviation is 0"


def test_two_values_leave_no_variance_to_estimate():
    """Returns of ±1 deviation around 0.5: every row moves the ratio alike, and the normal error stays."""
    returns = 0.01 * (np.where(np.arange(40) % 4 < 2, 1.0, -1.0))
    found = al.sharpe_interval(returns + 0.005, 0.0, al.HAC(), periods_per_year=12)
    assert found.standard_error >= 0 or "not positive" in found.reason


def test_a_record_prints_its_numbers_and_what_they_rest_on():
    text = repr(al.sharpe_interval(months(), 0.02, al.StudentizedBootstrap(block_length=3)))
    assert text.startswith("Sharpe ratio of fund: -0.043 ± ")
    assert "per √year" in text
    assert "95 % interval" in text
    assert "n=120, 12 periods a year" in text
    assert "blocks of 3 rows, 4,999 resamples, seed 0" in text
    assert "<br>" in al.sharpe_interval(months(), 0.02)._repr_html_()


def test_the_factor_of_lo_2002(case):
    """All rows of the table of η(q) for an AR(1)."""
    for row in json.loads(case("B_lo2002_eta.json").read_text())["rows"]:
        rho = row["rho"] ** np.arange(1, row["q"])
        assert annualisation_factor(rho, row["q"]) == pytest.approx(row["eta"], rel=1e-11)


def test_the_factor_of_independent_returns_is_the_root():
    assert annualisation_factor(np.zeros(11), 12) == pytest.approx(np.sqrt(12))
    assert annualisation_factor(np.array([]), 12) == pytest.approx(np.sqrt(12))
    assert np.isnan(annualisation_factor(np.array([-0.9]), 12))
    with pytest.raises(al.InputError, match="12 of them for 12 periods, at most one fewer"):
        annualisation_factor(np.zeros(12), 12)


def test_annualising_under_autocorrelation_by_hand():
    returns = months(200, 5)
    found = al.autocorrelated_sharpe(returns, 0.0, lags=2)
    x = returns.to_numpy() - returns.mean()
    rho = [(x[k:] @ x[:-k]) / (x @ x) for k in (1, 2)]
    factor = 12 / np.sqrt(12 + 2 * (11 * rho[0] + 10 * rho[1]))
    assert found.factor == pytest.approx(factor)
    assert found.naive == pytest.approx(al.sharpe_ratio(returns, 0.0))
    assert found.sharpe == pytest.approx(found.naive * factor / np.sqrt(12))
    assert found.autocorrelations == pytest.approx(rho)
    hac = al.sharpe_interval(returns, 0.0, al.HAC())
    assert found.standard_error == pytest.approx(hac.standard_error * factor / np.sqrt(12))
    assert "taken as known (Lo, 2002); n=200" in repr(found)


def test_annualising_without_lags_is_the_plain_ratio():
    found = al.autocorrelated_sharpe(months(), 0.0, lags=0)
    assert found.sharpe == pytest.approx(found.naive)


def test_lags_are_refused_beyond_the_year_and_the_sample():
    with pytest.raises(al.InputError, match="lags: 12 is not between 0 and 11"):
        al.autocorrelated_sharpe(months(), 0.0, lags=12)
    days = 0.01 * np.random.default_rng(0).normal(size=200)
    with pytest.raises(al.InputError, match="lags: 251 for 200 rows; pass at most 199, better 50"):
        al.autocorrelated_sharpe(days, 0.0, periods_per_year=252)
    assert al.autocorrelated_sharpe(months(11), 0.0, lags=1).reason == "n=11, at least 12 are needed"


def test_autocorrelations_may_leave_no_variance():
    returns = 0.01 * (np.where(np.arange(60) % 2, 1.0, -1.0) + 0.1 * np.random.default_rng(0).normal(size=60))
    found = al.autocorrelated_sharpe(returns, 0.0, lags=1, periods_per_year=12)
    assert np.isnan(found.sharpe)
    assert found.reason == "1 autocorrelations leave no positive variance: take fewer lags"


def test_probabilistic_sharpe_and_track_record_of_the_reference(case):
    known = json.loads(case("B_psr_dsr.json").read_text())
    psr, paper = known["psr"], known["bailey_lopez_2012_from_memory"]
    moments = SharpeMoments(psr["n"], psr["sr"], psr["skew"], psr["kurtosis_nonexcess"])
    assert moments.probability_above(psr["benchmark"]) == pytest.approx(psr["psr"], rel=1e-12)
    assert moments.track_record_above(psr["benchmark"]) == pytest.approx(psr["mintrl_95"], rel=1e-9)
    moments = SharpeMoments(paper["n"], paper["sr_monthly"], paper["skew"], paper["kurt"])
    assert moments.probability_above(0.0) == pytest.approx(paper["psr0"], rel=1e-9)
    normal = SharpeMoments(paper["n"], paper["sr_monthly"])
    assert normal.probability_above(0.0) == pytest.approx(paper["psr0_normal"], rel=1e-9)


def test_deflated_sharpe_of_bailey_and_lopez_de_prado_2014(case):
    """A ratio of 2.5 a year, 1,250 days, 100 trials of variance 1/2: a bar of 0.1132 a day, DSR 0.9004."""
    for row in json.loads(case("B_psr_dsr.json").read_text())["dsr"]:
        bar = expected_maximum_sharpe(row["N_trials"], row["var_trials_annual"] / row["periods"])
        assert bar == pytest.approx(row["sr0"], rel=1e-12)
        ratio = row["annual_sr"] / np.sqrt(row["periods"])
        moments = SharpeMoments(row["n"], ratio, row["skew"], row["kurtosis"])
        assert moments.probability_above(bar) == pytest.approx(row["dsr"], rel=1e-10)


def test_the_expected_maximum_is_nearly_that_of_draws():
    for n_trials, tolerance in ((10, 0.03), (100, 0.015), (1000, 0.01)):
        draws = np.random.default_rng(0).normal(scale=0.3, size=(4000, n_trials)).max(axis=1)
        assert expected_maximum_sharpe(n_trials, 0.09) == pytest.approx(draws.mean(), rel=tolerance)


def test_a_track_record_of_the_minimum_length_is_just_long_enough():
    moments = SharpeMoments(100, 0.2, -0.5, 6.0)
    needed = moments.track_record_above(0.05, 0.9)
    long_enough = SharpeMoments(round(needed), 0.2, -0.5, 6.0)
    assert long_enough.probability_above(0.05) == pytest.approx(0.9, abs=2e-3)
    assert moments.track_record_above(0.2) == np.inf
    assert np.isnan(SharpeMoments(100, np.nan).track_record_above(0.0))


@pytest.mark.parametrize("method", [al.IndependentReturns(), al.NormalReturns()])
def test_the_published_probability_is_that_of_the_moments(method):
    returns = months(90, 2)
    found = al.probabilistic_sharpe_ratio(returns, 0.02, -0.5, method)
    moments = found.moments
    excess = returns - ((1.02) ** (1 / 12) - 1)
    assert moments.sharpe == pytest.approx(excess.mean() / excess.std())
    assert moments.kurtosis == pytest.approx(al.kurtosis(excess) + 3)
    if method == al.NormalReturns():
        moments = SharpeMoments(90, moments.sharpe)
    assert found.probability == pytest.approx(moments.probability_above(-0.5 / np.sqrt(12)), rel=1e-12)
    expected = moments.track_record_above(-0.5 / np.sqrt(12))
    assert found.minimum_track_record == pytest.approx(expected, rel=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt(12 * moments.variance / 90), rel=1e-12)
    assert (found.n, found.n_trials, found.benchmark, found.n_resamples) == (90, 1, -0.5, 0)


def test_the_default_probability_is_the_share_of_studentised_draws_below():
    returns, bootstrap = months(90, 2), al.StudentizedBootstrap(4, 999, seed=5)
    found = al.probabilistic_sharpe_ratio(returns, 0.0, 0.3, bootstrap)
    x = returns.to_numpy()
    draws = ratio_draws(x[:, np.newaxis], 4, 999, np.random.default_rng(5)).studentised()[:, 0]
    t = (found.sharpe - 0.3) / found.standard_error
    assert found.probability == pytest.approx(np.sum(draws < t) / 1000, abs=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt(12 * al.HAC().variance(x[:, np.newaxis])))
    assert (found.block_length, found.n_resamples, found.seed) == (4, 999, 5)
    assert "blocks of 4 rows, 999 resamples, seed 5" in repr(found)
    certain = al.probabilistic_sharpe_ratio(returns + 0.1, 0.0, 0.3, bootstrap)
    assert certain.probability == 0.999  # resamples can say no more


@pytest.mark.parametrize("method", METHODS)
def test_a_ratio_is_above_the_end_of_its_interval_as_probably_as_said(method):
    returns = months(240, 7)
    low = al.sharpe_interval(returns, 0.0, method, confidence=0.9).low
    found = al.probabilistic_sharpe_ratio(returns, 0.0, low, method)
    assert found.probability == pytest.approx(0.95, abs=0.025)
    half = al.probabilistic_sharpe_ratio(returns, 0.0, found.sharpe, method)
    assert half.probability == pytest.approx(0.5, abs=0.1)


def test_the_default_is_not_fooled_by_autocorrelation_and_the_published_formula_is():
    """Nominal 5 %, AR(1) of 0.5, whose ratio has √3 of the error of independent returns."""
    wrong = {"default": 0, "published": 0}
    methods = {"default": al.StudentizedBootstrap(n_resamples=199), "published": al.IndependentReturns()}
    for seed in range(300):
        returns = 0.02 * (autoregression(120, 0.5, seed) + 0.2)
        bar = 0.2 * np.sqrt(1.0 - 0.25) * np.sqrt(12)
        for name, method in methods.items():
            found = al.probabilistic_sharpe_ratio(returns, 0.0, bar, method, periods_per_year=12)
            wrong[name] += found.probability >= 0.95
    assert wrong["default"] / 300 < 0.085
    assert wrong["published"] / 300 > 0.12


def test_deflating_by_one_trial_is_a_bar_of_zero_and_more_trials_lower_it():
    returns = months()
    alone = al.deflated_sharpe_ratio(returns, 0.0, 1, 0.1)
    assert alone.probability == al.probabilistic_sharpe_ratio(returns, 0.0).probability
    probabilities = [al.deflated_sharpe_ratio(returns, 0.0, n, 0.1).probability for n in (1, 2, 10, 100)]
    assert probabilities == sorted(probabilities, reverse=True)
    text = repr(al.deflated_sharpe_ratio(returns, 0.0, 100, 0.1))
    assert text.startswith("Deflated Sharpe ratio of fund: 0.")
    assert "the highest expected of 100 worthless trials (variance 0.1)" in text


def test_deflating_refuses_what_is_no_count_and_no_variance():
    with pytest.raises(al.InputError, match="n_trials: 0 is not a positive number; count all that was tried"):
        al.deflated_sharpe_ratio(months(), 0.0, 0, 0.1)
    with pytest.raises(al.InputError, match=r"trial_variance: -0.1 is no variance"):
        al.deflated_sharpe_ratio(months(), 0.0, 5, -0.1)
    with pytest.raises(al.InputError, match="trial_variance: nan is no variance"):
        al.deflated_sharpe_ratio(months(), 0.0, 5, np.nan)
    with pytest.raises(al.InputError, match="benchmark: nan is no ratio"):
        al.probabilistic_sharpe_ratio(months(), 0.0, np.nan)


def test_a_probability_that_does_not_exist_says_why():
    found = al.probabilistic_sharpe_ratio(months(5), 0.0)
    assert np.isnan(found.probability)
    assert "n=5, at least 12 are needed" in repr(found)
    below = al.probabilistic_sharpe_ratio(-months(), 0.0)
    assert "no track record is long enough below it" in repr(below)


def test_nothing_warns_on_ordinary_data_and_inputs_stay_as_they_were():
    returns = months()
    before = returns.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in METHODS:
            al.sharpe_interval(returns, 0.02, method)
    pd.testing.assert_series_equal(returns, before)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "hac"}, "method: 'hac' is no way to find an error"),
        ({"method": None}, "method: None is no way"),
        ({"method": al.HAC}, "method: <class .*HAC'> is no way"),
        ({"benchmark": "1"}, "benchmark: '1' is no ratio"),
        ({"benchmark": None}, "benchmark: None is no ratio"),
        ({"confidence": "a"}, "confidence: 'a' is not between"),
    ],
)
def test_a_probability_of_what_is_none_is_refused(options, match):
    returns = np.random.default_rng(0).normal(0.01, 0.04, 60)
    with pytest.raises(al.InputError, match=match):
        al.probabilistic_sharpe_ratio(returns, 0.0, periods_per_year=12, **options)


@pytest.mark.parametrize("n_trials", [1.5, True, "5", None, 0])
def test_trials_that_are_no_number_are_refused(n_trials):
    returns = np.random.default_rng(0).normal(0.01, 0.04, 60)
    with pytest.raises(al.InputError, match=f"n_trials: {n_trials!r} is not a positive number"):
        al.deflated_sharpe_ratio(returns, 0.0, n_trials, 0.1, periods_per_year=12)
    with pytest.raises(al.InputError, match=r"trial_variance: '0\.1' is no variance"):
        al.deflated_sharpe_ratio(returns, 0.0, 5, "0.1", periods_per_year=12)
