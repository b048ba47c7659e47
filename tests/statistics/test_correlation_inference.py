"""Correlations with their intervals, over time, adjusted, in two parts, and constant or not.

Invariants: scaling either series changes nothing, its sign turns the sign, weights that are equal are none.
"""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import allocator as al
from allocator.statistics import (
    Bartlett,
    FixedBandwidth,
    KernelVariance,
    LogBandwidth,
    LongRunVariance,
    NeweyWestBandwidth,
    Prewhitened,
    WideBandwidth,
    raised_correlation,
    wide_block_length,
)

BARTLETT_4 = KernelVariance(Bartlett(), FixedBandwidth(5))  # 4 lags


@pytest.fixture
def expected(case):
    return json.loads(case("D_conditional_correlation_managers.json").read_text())


@pytest.fixture
def stocks_and_bonds(managers):
    return managers["SP500 TR"], managers["US 10Y TR"]


def pair(n=120, seed=0, r=0.5, frequency="ME"):
    rng = np.random.default_rng(seed)
    x, own = rng.standard_t(6, size=(2, n))
    dates = pd.date_range("2000-01-31", periods=n, freq=frequency)
    y = r * x + np.sqrt(1 - r * r) * own
    return pd.Series(0.01 * x, dates, name="x"), pd.Series(0.01 * y, dates, name="y")


def slow_hac_error_of_z(x, y, lags):
    """Delta method on the five moments with Newey and West's weights, by double sums."""
    m = np.column_stack([x, y, x * x, y * y, x * y])
    n, v = len(x), m.mean(axis=0)

    def r(v):
        return (v[4] - v[0] * v[1]) / np.sqrt((v[2] - v[0] ** 2) * (v[3] - v[1] ** 2))

    steps = 1e-6 * np.diag(np.abs(v) + 1e-3)
    gradient = np.array([(r(v + s) - r(v - s)) / (2 * s.sum()) for s in steps])
    centred = m - v
    spread = sum(
        (1 - abs(t - u) / (lags + 1)) * np.outer(centred[t], centred[u])
        for t in range(n)
        for u in range(n)
        if abs(t - u) <= lags
    )
    return np.sqrt(gradient @ spread @ gradient) / n / (1 - r(v) ** 2)


def test_hac_error_of_the_case(stocks_and_bonds, expected):
    found = al.correlation_interval(*stocks_and_bonds, BARTLETT_4)
    n, r = expected["n"], expected["corr"]
    assert found.correlation == pytest.approx(r, abs=1e-14)
    # The case divides by n, the estimator by n - 1.
    of_r = found.standard_error * (1 - r * r) * np.sqrt((n - 1) / n)
    assert of_r == pytest.approx(expected["se_hac"], rel=1e-12)
    assert found.bootstrap.fisher_low == pytest.approx(expected["fisher_ci95"][0], rel=1e-12)


def test_the_error_is_the_delta_method_on_the_moments():
    x, y = pair(40)
    found = al.correlation_interval(x, y, BARTLETT_4).standard_error
    slow = slow_hac_error_of_z(100 * x.to_numpy(), 100 * y.to_numpy(), 4)
    assert found == pytest.approx(slow * np.sqrt(40 / 39), rel=1e-5)


@pytest.mark.parametrize(
    ("n", "long_run", "degrees"),
    [
        (120, BARTLETT_4, 20),  # one for six rows
        (120, Prewhitened(), 20),
        (120, KernelVariance(Bartlett(), FixedBandwidth(12)), 9),  # a bandwidth of a tenth, less one
        (120, KernelVariance(Bartlett(), WideBandwidth()), 4),
        (480, KernelVariance(Bartlett(), WideBandwidth()), 480 / (2.2 * np.sqrt(480)) - 1),
        (24, KernelVariance(Bartlett(), FixedBandwidth(12)), 2),  # at least
    ],
)
def test_the_interval_has_the_degrees_of_student_that_the_bandwidth_leaves(n, long_run, degrees):
    found = al.correlation_interval(*pair(n), long_run, confidence=0.9, n_resamples=2)
    width = stats.t.ppf(0.95, degrees) * found.standard_error
    middle = np.arctanh(found.correlation)
    np.testing.assert_allclose([found.low, found.high], np.tanh([middle - width, middle + width]))


def test_the_default_is_a_wide_bandwidth():
    x, y = pair(120)
    ours = al.correlation_interval(x, y, n_resamples=2)
    same = al.correlation_interval(x, y, KernelVariance(Bartlett(), FixedBandwidth(24)), n_resamples=2)
    assert (ours.low, ours.high) == (same.low, same.high)
    assert "a fifth of the rows" in repr(ours)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15, 0.2])
def test_degrees_follow_the_fixed_b_critical_values(share):
    """Kiefer and Vogelsang (2005), table 1, Bartlett, 97.5 %: a cubic in bandwidth/n."""
    published = 1.96 + 2.9694 * share + 0.4160 * share**2 - 0.5324 * share**3
    assert stats.t.ppf(0.975, 1 / share) == pytest.approx(published, rel=0.02)


def test_the_hac_interval_covers_weak_and_long_dependence():
    """A slow factor in the products, hidden in noise: an automatic bandwidth covers less. 300 samples."""
    rng, wide, automatic = np.random.default_rng(4), 0, 0
    for _ in range(300):
        slow = np.convolve(rng.standard_normal(139), np.ones(20) / np.sqrt(20), "valid")
        r = np.clip(0.4 * slow, -0.95, 0.95)
        x = rng.standard_normal(120)
        y = r * x + np.sqrt(1 - r * r) * rng.standard_normal(120)
        found = [al.correlation_interval(0.01 * x, 0.01 * y, n_resamples=2)]
        found += [al.correlation_interval(0.01 * x, 0.01 * y, KernelVariance(), n_resamples=2)]
        wide += found[0].low < 0 < found[0].high
        automatic += found[1].low < 0 < found[1].high
    assert wide >= 300 * 0.86
    assert automatic <= wide - 300 * 0.05


@given(st.floats(0.01, 50.0), st.booleans())
@settings(max_examples=25, deadline=None)
def test_scale_does_not_matter_and_sign_turns_the_sign(scale, turned):
    x, y = pair(60)
    sign = -1 if turned else 1
    ours, theirs = (
        al.correlation_interval(x, z, n_resamples=50) for z in (y, sign * scale * y.clip(-0.015, 0.015))
    )
    ours = al.correlation_interval(x, y.clip(-0.015, 0.015), n_resamples=50)
    assert theirs.correlation == pytest.approx(sign * ours.correlation)
    expected = (ours.low, ours.high) if sign > 0 else (-ours.high, -ours.low)
    assert (theirs.low, theirs.high) == pytest.approx(expected)


def test_coverage_of_the_hac_interval_is_near_its_confidence():
    """t5 pairs with one volatility, where Fisher's interval covers some 85 %."""
    rng, hits, naive, r, draws = np.random.default_rng(1), 0, 0, 0.6, 400
    for _ in range(draws):
        z = rng.standard_normal((120, 2)) / np.sqrt(rng.chisquare(5, (120, 1)) / 5)
        x, y = 0.01 * z[:, 0], 0.01 * (r * z[:, 0] + np.sqrt(1 - r * r) * z[:, 1])
        found = al.correlation_interval(x, y, n_resamples=2)
        hits += found.low < r < found.high
        naive += found.bootstrap.fisher_low < r < found.bootstrap.fisher_high
    assert 0.92 <= hits / draws <= 0.97
    assert naive < hits


def test_F157_overlap_forces_the_lags_and_says_so():
    """F157: twelve-month returns every month."""
    x, y = ((1 + s).rolling(12).apply(np.prod, raw=True).dropna() - 1 for s in pair(240))
    narrow = al.correlation_interval(x, y, KernelVariance(Bartlett(), FixedBandwidth(2)))
    with pytest.warns(UserWarning, match="over 12 rows: lags up to 12 count"):
        wide = al.correlation_interval(x, y, KernelVariance(Bartlett(), FixedBandwidth(2)), overlap=12)
    with pytest.warns(UserWarning, match="lags up to 12"):
        longer = al.correlation_interval(x, y, KernelVariance(Bartlett(), FixedBandwidth(20)), overlap=12)
    same = al.correlation_interval(x, y, KernelVariance(Bartlett(), FixedBandwidth(13)))
    assert wide.standard_error == same.standard_error > 1.5 * narrow.standard_error
    assert "at least 13" in wide.method
    assert "over 12 rows" in repr(wide)
    assert wide.bootstrap.block_length >= 12
    assert longer.standard_error != wide.standard_error


@pytest.mark.parametrize("estimator", [Prewhitened(), KernelVariance(Bartlett(), NeweyWestBandwidth())])
def test_overlap_reaches_every_estimator(estimator):
    with pytest.warns(UserWarning, match="overlapping"):
        assert "at least 4" in al.correlation_interval(*pair(60), estimator, overlap=3).method


def test_overlap_is_refused_where_it_makes_no_sense():
    class Unknown(LongRunVariance):
        def variance(self, moments, direction):
            return 1.0

        def describe(self):
            return "unknown"

    with pytest.raises(al.InputError, match=r"^overlap: returns over 21 rows in 60 rows"):
        al.correlation_interval(*pair(60), overlap=21)
    with (
        pytest.warns(UserWarning, match="overlapping"),
        pytest.raises(al.InputError, match="does not say its lags"),
    ):
        al.correlation_interval(*pair(60), Unknown(), overlap=2)


def test_what_is_undefined_says_why():
    x, y = pair(30)
    flat = al.correlation_interval(x, 0 * y)
    assert np.isnan([flat.correlation, flat.low, flat.high]).all()
    assert flat.reason == "'y' never changes"
    same = al.correlation_interval(x, 2 * x)
    assert (same.correlation, same.low, same.high) == (1.0, 1.0, 1.0)
    assert "multiple" in same.reason
    assert "n=11" in al.correlation_interval(x[:11], y[:11]).reason
    with pytest.raises(al.InputError, match="share 29"):
        al.correlation_interval(x, y[1:])
    with pytest.raises(al.InputError, match="confidence"):
        al.correlation_interval(x, y, confidence=95)


def test_a_rolling_correlation_is_that_of_each_window():
    x, y = pair(80)
    path = al.rolling_correlation(x, y, 2.0)
    assert path.table.index.equals(x.index[23:])
    np.testing.assert_allclose(path.table["correlation"], x.rolling(24).corr(y).dropna(), rtol=1e-9)
    alone = al.correlation_interval(x[30:54], y[30:54], n_resamples=2)
    row = path.table.loc[x.index[53]]
    assert (row["low"], row["high"], row["n"]) == pytest.approx((alone.low, alone.high, 24))


def test_an_exponential_correlation_is_that_of_pandas():
    x, y = pair(200)
    path = al.exponential_correlation(x, y, 1.0)
    both = pd.concat([x, y], axis=1).ewm(halflife=12).cov(bias=True)
    covariance = both["y"].xs("x", level=1) / np.sqrt(both["x"].xs("x", level=1) * both["y"].xs("y", level=1))
    np.testing.assert_allclose(path.table["correlation"], covariance[path.table.index], atol=1e-8)
    weights = 0.5 ** (np.arange(200) / 12)
    assert path.table["n"].iloc[-1] == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert path.table["n"].iloc[0] >= 12
    assert len(path.table) < 200


def test_the_error_under_weights_is_written_out():
    """Independent rows: the variance of Σwψ/Σw, times n/(n - 1)."""
    x, y = pair(150)
    none = KernelVariance(Bartlett(), FixedBandwidth(1))
    last = al.exponential_correlation(x, y, 1.0, none).table.iloc[-1]
    w = 0.5 ** (np.arange(150)[::-1] / 12)
    u, v = ((s - np.average(s, weights=w)).to_numpy() for s in (x, y))
    u, v = (s / np.sqrt(np.average(s**2, weights=w)) for s in (u, v))
    r = np.average(u * v, weights=w)
    influence = u * v - r / 2 * (u**2 + v**2)
    error = np.sqrt(np.sum((w * influence) ** 2) * 150 / 149) / w.sum() / (1 - r * r)
    assert last["standard_error"] == pytest.approx(error)


def test_a_wide_bandwidth_is_of_the_rows_that_count():
    x, y = pair(400)
    ours = al.exponential_correlation(x, y, 1.0).table.iloc[-1]
    fixed = KernelVariance(Bartlett(), FixedBandwidth(wide_block_length(ours["n"])))
    same = al.exponential_correlation(x, y, 1.0, fixed).table.iloc[-1]
    assert ours["n"] < 40
    assert tuple(ours) == pytest.approx(tuple(same), rel=1e-12)
    with pytest.warns(UserWarning, match="overlapping"):
        wider = al.exponential_correlation(x, y, 1.0, overlap=12).table.iloc[-1]
    assert wider["standard_error"] != ours["standard_error"]


def test_weights_that_hardly_decay_are_equal_ones():
    x, y = pair(100)
    last = al.exponential_correlation(x, y, 1e6).table.iloc[-1]
    whole = al.correlation_interval(x, y, n_resamples=2)
    expected = (whole.correlation, whole.low, whole.high, 100)
    assert tuple(last[["correlation", "low", "high", "n"]]) == pytest.approx(expected, rel=1e-4)


def test_the_future_does_not_change_a_path():
    x, y = pair(100)
    for path in (
        lambda a, b: al.rolling_correlation(a, b, 2),
        lambda a, b: al.exponential_correlation(a, b, 1),
    ):
        whole, early = path(x, y).table, path(x[:70], y[:70]).table
        pd.testing.assert_frame_equal(whole[: len(early)], early, check_freq=False)


def test_a_window_without_movement_is_nan():
    x, y = pair(60)
    y = y.where(np.arange(60) >= 30, 0.0)
    table = al.rolling_correlation(x, y, 1.0).table
    assert table["correlation"].isna().sum() == 30 - 12 + 1


def test_paths_refuse_what_holds_too_little():
    x, y = pair(60)
    with pytest.raises(al.InsufficientHistoryError, match=r"a window of 72 rows \(6 years\) for 60 rows"):
        al.rolling_correlation(x, y, 6)
    with pytest.raises(al.InputError, match="hold 6 rows, at least 12 are needed; pass 1 or more"):
        al.rolling_correlation(x, y, 0.5)
    with pytest.raises(al.InputError, match=r"hold 1\.2 rows, at least 5"):
        al.exponential_correlation(x, y, 0.1)
    with pytest.raises(al.InsufficientHistoryError, match="count as"):
        al.exponential_correlation(x[:12], y[:12], 1)
    with pytest.raises(al.InputError, match="no dates"):
        al.rolling_correlation(x.to_numpy(), y.to_numpy(), 1)


def test_monthly_returns_are_compounded_between_month_ends(daily):
    prices = (1 + daily).cumprod()
    ends = prices.groupby(prices.index.to_period("M")).tail(1)[:-1]
    expected = ends.pct_change().dropna()
    pd.testing.assert_series_equal(al.monthly_returns(daily), expected, check_freq=False)


def test_a_total_loss_stays_one(daily):
    lost = daily.where(np.arange(len(daily)) != 100, -1.0)
    months = al.monthly_returns(lost)
    assert months.min() == -1.0


def test_daily_and_monthly_stand_side_by_side(daily):
    other = (0.5 * daily + 0.01 * np.random.default_rng(3).standard_normal(len(daily))).rename("other")
    both = al.correlation_by_frequency(daily, other)
    assert (both.finer.n, both.monthly.n) == (756, len(al.monthly_returns(daily)))
    assert both.finer.correlation == pytest.approx(daily.corr(other))
    text = repr(both)
    assert "daily" in text
    assert "monthly" in text
    table = al.rolling_correlation_by_frequency(daily, other, 1)
    months = al.rolling_correlation(al.monthly_returns(daily), al.monthly_returns(other), 1).table
    assert list(table.columns.levels[0]) == ["daily", "monthly"]
    pd.testing.assert_frame_equal(table["monthly"], months, check_freq=False)
    days = al.rolling_correlation(daily, other, 1).table
    pd.testing.assert_frame_equal(table["daily"], days.loc[table.index], check_freq=False)
    assert len(al.exponential_correlation_by_frequency(daily, other, 1)) > 0


def test_months_of_monthly_returns_are_refused():
    x, y = pair(60)
    with pytest.raises(al.InputError, match="are monthly already"):
        al.correlation_by_frequency(x, y)
    with pytest.raises(al.InputError, match="month ends: 0"):
        al.monthly_returns(pair(10, frequency="B")[0].shift(freq="2B"))
    with pytest.raises(al.InputError, match="no dates"):
        al.monthly_returns(x.to_numpy())


def test_levels_come_with_changes():
    """Independent random walks: their levels correlate by chance, their changes do not."""
    rng = np.random.default_rng(1)
    x, y = np.cumsum(rng.standard_normal((2, 500)), axis=1)
    found = al.level_correlation(x, y)
    assert found.levels == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert found.changes == pytest.approx(np.corrcoef(np.diff(x), np.diff(y))[0, 1])
    assert abs(found.levels) > 0.3 > 0.15 > abs(found.changes)
    assert found.low < 0 < found.high
    assert min(found.persistence) > 0.95
    assert "without an interval" in repr(found)
    assert found.n == 499


def test_levels_are_refused_on_other_dates():
    x, y = pair(40)
    with pytest.raises(al.InputError, match="2 are in one of them only"):
        al.level_correlation(x[1:], y[:-1])
    with pytest.raises(al.InputError, match="39 rows for 40 rows"):
        al.level_correlation(x.to_numpy(), y.to_numpy()[1:])
    assert "never changes" in al.level_correlation(x.cumsum(), 0 * y).reason


def test_forbes_and_rigobon_of_the_case(case):
    rows = json.loads(case("D_forbes_rigobon_exact.json").read_text())
    for row in rows["fr"]:
        raised = raised_correlation(row["rho"], row["delta"])
        assert raised == pytest.approx(row["rho_conditional"], rel=1e-14)
        back = al.forbes_rigobon_correlation(raised, row["delta"])
        assert back == pytest.approx(row["rho_adjusted"], rel=1e-12)
    for row in rows["truncated_normal"]:
        delta = row["var_x_cond"] - 1
        assert raised_correlation(row["rho"], delta) == pytest.approx(row["rho_cond"], rel=1e-12)
        assert al.forbes_rigobon_correlation(row["rho_cond"], delta) == pytest.approx(row["rho"], rel=1e-12)


def test_the_adjustment_takes_back_what_variance_did():
    """One relation, ten times the variance in half the rows."""
    rng, n = np.random.default_rng(5), 40_000
    turbulent = np.arange(n) % 2 == 1
    x = 0.01 * rng.standard_normal(n) * np.where(turbulent, np.sqrt(10), 1)
    y = 0.5 * x + 0.01 * np.sqrt(0.75) * rng.standard_normal(n)
    found = al.adjusted_correlation(x, y, turbulent)
    assert found.delta == pytest.approx(9, rel=0.05)
    assert found.calm == pytest.approx(0.5, abs=0.02)
    assert found.turbulent == pytest.approx(0.877, abs=0.01)
    assert found.adjusted == pytest.approx(found.calm, abs=0.02)
    assert found.adjusted_low < found.adjusted < found.adjusted_high < found.turbulent_low
    assert "a diagnostic" in repr(found)


def test_turbulent_rows_are_checked():
    x, y = pair(60)
    few = al.adjusted_correlation(x, y, np.arange(60) < 5)
    assert np.isnan(few.adjusted)
    assert few.reason == "turbulent rows: n=5, at least 12 are needed"
    assert few.n_calm == 55
    with pytest.raises(al.InputError, match="expected True or False for each of 60 rows"):
        al.adjusted_correlation(x, y, np.arange(60))
    with pytest.raises(al.InputError, match="dates are not those of x"):
        al.adjusted_correlation(x, y, (x > 0).shift(freq="MS"))
    with pytest.raises(al.InputError, match="above -1"):
        al.forbes_rigobon_correlation(0.5, -1)
    with pytest.raises(al.InputError, match="no correlation"):
        raised_correlation(1.5, 1)


def test_two_factors_of_the_case(case):
    for row in json.loads(case("D_two_factor_stock_bond_corr.json").read_text())["rows"]:
        found = al.two_factor_correlation(
            (row["b_sg"], row["b_spi"]), (row["b_bg"], row["b_bpi"]), row["sig_g"], row["sig_pi"], row["rho"]
        )
        assert found.correlation == pytest.approx(row["corr"], rel=1e-12)
        assert found.growth < 0 < found.inflation


def test_two_factors_are_the_covariance_of_what_they_make():
    rng = np.random.default_rng(6)
    shocks = rng.multivariate_normal([0, 0], [[4, -0.9], [-0.9, 1]], 200_000)
    left = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 0.25]], 200_000)
    made = shocks @ np.array([[1.0, -0.5], [-1.0, -2.0]]) + left
    found = al.two_factor_correlation(
        (1, -1), (-0.5, -2), 2, 1, -0.45, residual_volatilities=(1, 0.5), residual_correlation=0.6
    )
    assert found.covariance == pytest.approx(np.cov(made.T)[0, 1], abs=0.05)
    assert found.correlation == pytest.approx(np.corrcoef(made.T)[0, 1], abs=0.01)
    assert "growth -2, inflation +2" in repr(found)


def test_two_factors_refuse_what_is_no_number():
    with pytest.raises(al.InputError, match="growth_volatility"):
        al.two_factor_correlation((1, -1), (-1, -1), -1, 1, 0)
    with pytest.raises(al.InputError, match="factor_correlation"):
        al.two_factor_correlation((1, -1), (-1, -1), 1, 1, 2)
    with pytest.raises(al.InputError, match="loadings"):
        al.two_factor_correlation((np.nan, -1), (-1, -1), 1, 1, 0)


def test_constant_correlation_of_the_case(stocks_and_bonds, expected):
    found = al.constant_correlation_test(*stocks_and_bonds, KernelVariance(Bartlett(), LogBandwidth()))
    assert al.constant_correlation_test(*stocks_and_bonds).statistic == found.statistic
    assert found.statistic == pytest.approx(expected["wied_stat_influence_version"], rel=1e-12)
    assert found.p_value == pytest.approx(expected["wied_p_kolmogorov"], rel=1e-10)
    assert found.date == stocks_and_bonds[0].index[expected["wied_argmax"] - 1]
    assert special.kolmogi(0.05) == pytest.approx(expected["kolmogorov_cv95"], rel=1e-12)
    assert LogBandwidth().width(np.zeros((132, 1)), Bartlett()) == expected["wied_bandwidth"] + 1
    assert "2000-10-31" in repr(found)


def test_the_path_is_that_of_correlations_begun_anew(stocks_and_bonds):
    x, y = stocks_and_bonds
    found = al.constant_correlation_test(x, y)
    j = np.arange(2, len(x) + 1)
    slow = j * np.abs([x[:i].corr(y[:i]) - x.corr(y) for i in j])
    scale = found.path.to_numpy()[5] / slow[5]
    np.testing.assert_allclose(found.path, slow * scale, atol=1e-12)
    assert found.before == pytest.approx(x[: found.date].corr(y[: found.date]))
    after = x.index > found.date
    assert found.after == pytest.approx(x[after].corr(y[after]))


def test_size_and_power_of_the_constancy_test():
    """Nominal 5 %, 240 normal pairs; then a correlation of 0.6 that turns to -0.2."""
    rng, draws, rejected, found = np.random.default_rng(7), 400, 0, 0
    limit = KernelVariance(Bartlett(), LogBandwidth())
    for _ in range(draws):
        z = 0.01 * rng.standard_normal((240, 2))
        rejected += al.constant_correlation_test(z[:, 0], 0.5 * z[:, 0] + z[:, 1], limit).p_value < 0.05
        slope = np.where(np.arange(240) < 150, 0.75, -0.2)
        change = al.constant_correlation_test(z[:, 0], slope * z[:, 0] + z[:, 1], limit)
        found += change.p_value < 0.05 and abs(change.date - 150) < 25
    assert 0.02 <= rejected / draws <= 0.08
    assert found / draws > 0.85


def test_constancy_says_why_it_knows_nothing():
    x, y = pair(30)
    assert "never changes" in al.constant_correlation_test(x, 0 * y).reason
    exact = al.constant_correlation_test(x, -x)
    assert np.isnan(exact.p_value)
    assert "r is -1" in exact.reason
    assert "p unknown" in repr(exact)
    arrays = al.constant_correlation_test(x.to_numpy(), y.to_numpy())
    assert 2 <= arrays.date <= 30


def test_constancy_says_where_a_variance_looks_changed():
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 0.01, (2, 120))
    assert al.constant_correlation_test(x, y).caution == ""
    louder = x * np.where(np.arange(120) < 60, 1.0, 3.0)
    found = al.constant_correlation_test(louder, y)
    assert found.caution.startswith("rough: the variance of 'x' looks changed (p ")
    assert found.caution in repr(found)
    assert "variance of &#x27;y&#x27; looks changed" in al.constant_correlation_test(x, louder)._repr_html_()


def test_constancy_rarely_doubts_a_constant_variance():
    rng = np.random.default_rng(0)
    said = [
        bool(al.constant_correlation_test(*rng.normal(0, 0.01, (2, 120)), KernelVariance()).caution)
        for _ in range(80)
    ]
    assert sum(said) <= 12


def test_a_series_that_hardly_moves_has_no_interval():
    x, y = pair(132)
    rare = x.where(np.isin(np.arange(132), (40, 90)), 0.0)
    found = al.correlation_interval(rare, y, n_resamples=50)
    assert np.isfinite(found.correlation)
    assert np.isnan([found.low, found.high, found.bootstrap.low, found.bootstrap.high]).all()
    assert "moves in too few rows for an interval" in repr(found)
    assert "moves in too few rows" in al.constant_correlation_test(rare, y).caution
    levels = al.level_correlation(rare.cumsum(), y.cumsum())
    assert "moves in too few rows" in levels.reason
    assert np.isnan([levels.low, levels.high]).all()
    assert "calm rows: 'x' moves in" in al.adjusted_correlation(rare, y, np.arange(132) >= 66).reason
    path = al.rolling_correlation(rare, y, 10).table
    assert path["correlation"].notna().all()
    assert path["low"].isna().all()
    assert al.rolling_correlation(x, y, 1).table.notna().all().all()


def test_settings_that_are_none_are_refused():
    x, y = pair(60)
    for options, match in (
        ({"long_run": None}, "long_run: None is no estimator of a long-run variance"),
        ({"overlap": 1.5}, "overlap: returns over 1.5 rows"),
        ({"overlap": True}, "overlap: returns over True rows"),
        ({"overlap": "2"}, "overlap: returns over '2' rows"),
        ({"seed": -1}, "seed: -1 is not a whole number"),
        ({"n_resamples": 1.5}, "n_resamples: 1.5 is not a whole number"),
        ({"confidence": "0.9"}, "confidence: '0.9' is not between"),
    ):
        with pytest.raises(al.InputError, match=match):
            al.correlation_interval(x, y, **options)
    with pytest.raises(al.InputError, match="years: '3' is not a number"):
        al.rolling_correlation(x, y, "3")
    with pytest.raises(al.InputError, match="half_life_years: '3' is not a number"):
        al.exponential_correlation(x, y, "3")


def test_every_record_shows_itself_in_both_ways(daily):
    x, y = pair(60)
    records = [
        al.correlation_interval(x, y, n_resamples=50),
        al.rolling_correlation(x, y, 2),
        al.correlation_by_frequency(daily, -daily + 0.01 * np.sin(np.arange(756)), n_resamples=50),
        al.level_correlation(x.cumsum(), y.cumsum()),
        al.adjusted_correlation(x, y, x < 0),
        al.two_factor_correlation((1, -1), (-1, -1), 1, 1, 0),
        al.constant_correlation_test(x, y),
    ]
    for record in records:
        assert "orrelation" in repr(record)
        assert "orrelation" in record._repr_html_()
        assert len(max(repr(record).splitlines(), key=len)) < 220


def test_names_from_outside_are_escaped():
    x, y = pair(30)
    assert "<b>" not in al.constant_correlation_test(x.rename("<b>"), y)._repr_html_()
