"""Least squares and its errors, against R's sandwich, statsmodels and slow sums.

Invariants: the units of the regressors change no t, a turn of them no residual, zero lags are White's errors.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import allocator as al
from allocator.statistics import Bartlett, FixedBandwidth, KernelVariance, NeweyWestBandwidth

ERRORS = {
    "iid": al.IndependentErrors(),
    "HC0": al.HC0Errors(),
    "HC1": al.HC1Errors(),
    "HC3": al.HC3Errors(),
    "NW4": al.NeweyWestErrors(4),
}
BY_NAME = list(ERRORS)
EVERY = [
    *ERRORS.values(),
    al.WideHACErrors(),
    al.HACErrors(),
    al.HACErrors(KernelVariance(Bartlett(), NeweyWestBandwidth())),
]


def sample(n=80, k=2, seed=0):
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2000-01-31", periods=n, freq="ME")
    x = pd.DataFrame(rng.standard_normal((n, k)), dates, columns=[f"x{j + 1}" for j in range(k)])
    noise = rng.standard_t(5, n) * (1.0 + np.abs(x["x1"].to_numpy()))
    return pd.Series(0.5 + x.to_numpy() @ np.arange(1.0, k + 1.0) + noise, dates, name="y"), x


@pytest.mark.parametrize("kind", BY_NAME)
def test_every_row_of_the_published_case(case, managers, kind):
    """R's lm and sandwich: coefficients, errors, a covariance and Wald's test, to eleven digits."""
    expected = pd.read_csv(case("E_asymmetric_beta_wald_expected.csv"))
    rows = expected[expected["vcov"] == kind]
    assert len(rows) == 4
    for row in rows.itertuples():
        x = managers[row.x]
        parts = {"up": x.clip(lower=0.0), "down": x.clip(upper=0.0)}
        fit = al.least_squares(managers[row.y], parts, ERRORS[kind])
        equal = al.wald_test(fit, [{"up": 1.0, "down": -1.0}])
        assert fit.n == row.n
        found = [*fit.coefficients, *fit.table["standard_error"], fit.covariance.loc["up", "down"]]
        wanted = [row.alpha, row.beta_up, row.beta_dn, row.se_alpha, row.se_up, row.se_dn, row.cov_up_dn]
        np.testing.assert_allclose(found, wanted, rtol=1e-11)
        tests = [equal.statistic, equal.p_chi2, equal.p_value]
        np.testing.assert_allclose(tests, [row.wald_chi2_1, row.p_chi2, row.p_t], rtol=1e-10)


@pytest.mark.parametrize(
    ("errors", "kind", "settings_"),
    [
        (al.IndependentErrors(), "nonrobust", {}),
        (al.HC0Errors(), "HC0", {}),
        (al.HC1Errors(), "HC1", {}),
        (al.HC3Errors(), "HC3", {}),
        (al.NeweyWestErrors(7), "HAC", {"maxlags": 7}),
        (
            al.HACErrors(KernelVariance(Bartlett(), FixedBandwidth(8))),
            "HAC",
            {"maxlags": 7, "use_correction": True},
        ),
    ],
)
def test_errors_and_intervals_of_statsmodels(errors, kind, settings_):
    sm = pytest.importorskip("statsmodels.api")
    y, x = sample(k=3)
    fit = al.least_squares(y, x, errors, confidence=0.9)
    theirs = sm.OLS(y, sm.add_constant(x)).fit(cov_type=kind, cov_kwds=settings_ or None, use_t=True)
    np.testing.assert_allclose(fit.covariance, theirs.cov_params(), rtol=1e-9)
    np.testing.assert_allclose(fit.table["p_value"], theirs.pvalues, rtol=1e-8)
    np.testing.assert_allclose(fit.table[["low", "high"]], theirs.conf_int(0.1), rtol=1e-9)
    assert fit.r_squared == pytest.approx(theirs.rsquared)
    assert fit.deviation == pytest.approx(np.sqrt(theirs.mse_resid))
    joint = al.wald_test(fit, [{"x1": 1.0}, {"x2": 1.0, "x3": -1.0}], [0.5, 0.0])
    f = theirs.f_test((np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]), [0.5, 0.0]))
    assert joint.statistic / 2.0 == pytest.approx(float(f.fvalue), rel=1e-9)
    assert joint.p_value == pytest.approx(float(f.pvalue), rel=1e-8)


def test_zero_lags_are_errors_of_white():
    y, x = sample()
    white = al.least_squares(y, x, al.HC0Errors()).covariance
    pd.testing.assert_frame_equal(al.least_squares(y, x, al.NeweyWestErrors(0)).covariance, white)


@pytest.mark.parametrize("errors", EVERY, ids=lambda each: each.describe())
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-5.0, 5.0))
@settings(max_examples=10, deadline=None)
def test_the_units_of_a_regressor_and_of_y_change_no_t(errors, scale, shift):
    y, x = sample()
    t = al.least_squares(y, x, errors).table["t"][["x1", "x2"]]
    moved = al.least_squares(7.0 * y, x.assign(x1=scale * x["x1"] + shift), errors).table["t"][["x1", "x2"]]
    np.testing.assert_allclose(moved, t, rtol=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_residuals_are_orthogonal_and_a_sum_of_coefficients_has_the_error_of_a_renamed_one(seed, k):
    y, x = sample(seed=seed, k=k)
    fit = al.least_squares(y, x, al.HC1Errors())
    assert abs(fit.residuals.sum()) < 1e-9
    np.testing.assert_allclose(x.to_numpy().T @ fit.residuals.to_numpy(), 0.0, atol=1e-8)
    # y on x and x + z has coefficients whose first is the old first less the old second.
    if k > 1:
        turned = al.least_squares(y, x.assign(x2=x["x1"] + x["x2"]), al.HC1Errors()).table.loc["x1"]
        found = al.linear_combination(fit, {"x1": 1.0, "x2": -1.0})
        assert found.estimate == pytest.approx(turned["estimate"])
        assert found.standard_error == pytest.approx(turned["standard_error"])
        assert al.wald_test(fit, [{"x1": 1.0, "x2": -1.0}]).p_value == pytest.approx(found.p_value)


def test_one_sided_p_values_are_halves_of_the_two_sided_one():
    y, x = sample()
    found = al.linear_combination(al.least_squares(y, x), {"x1": 1.0})
    assert found.estimate > 0.0
    assert found.p_positive == pytest.approx(found.p_value / 2.0)
    assert found.p_positive + found.p_negative == pytest.approx(1.0)
    narrow = al.linear_combination(al.least_squares(y, x), {"x1": 1.0}, confidence=0.5)
    assert found.low < narrow.low < narrow.high < found.high


@pytest.mark.parametrize("errors", EVERY, ids=lambda each: each.describe())
def test_the_sign_of_y_turns_every_sign_and_changes_no_two_sided_p(errors):
    y, x = sample()
    fit, turned = al.least_squares(y, x, errors).table, al.least_squares(-y, x, errors).table
    np.testing.assert_allclose(turned["p_value"], fit["p_value"], rtol=1e-9)
    np.testing.assert_allclose(turned["low"], -fit["high"], rtol=1e-9)
    assert (fit["p_value"] < 1.0).all()


def test_autocorrelated_scores_widen_hac_errors_only():
    rng = np.random.default_rng(1)
    x, e = (np.convolve(rng.standard_normal(2000), 0.8 ** np.arange(40))[:2000] for _ in range(2))
    naive = al.least_squares(e, x, al.HC1Errors()).table.loc["x1", "standard_error"]
    # Var = σ²(1 + 2Σρ²ʲ) for an AR(1) on an AR(1): a factor of (1 + 0.64)/(1 - 0.64) in the variance.
    hac = al.least_squares(e, x, al.HACErrors()).table.loc["x1", "standard_error"]
    assert 1.5 < hac / naive < 2.6


def test_wide_errors_are_a_double_sum_with_few_degrees():
    y, x = sample(100)
    fit = al.least_squares(y, x, al.WideHACErrors())
    full = np.column_stack([np.ones(100), x])
    inverse = np.linalg.inv(full.T @ full)
    leverage = np.sum(full @ inverse * full, axis=1)
    scores = full * (fit.residuals.to_numpy() / (1.0 - leverage))[:, None]
    gap = np.abs(np.subtract.outer(np.arange(100), np.arange(100)))
    slow = inverse @ scores.T @ (np.maximum(1.0 - gap / 20.0, 0.0) @ scores) @ inverse
    np.testing.assert_allclose(fit.covariance, slow, rtol=1e-9)
    assert fit.degrees == pytest.approx(4.0)  # 100/20 - 1
    t = fit.table.loc["x1"]
    assert t["p_value"] == pytest.approx(2.0 * stats.t.sf(abs(t["t"]), 4.0))
    both = al.wald_test(fit, [{"x1": 1.0}, {"x2": 1.0}])
    assert both.p_value == pytest.approx(stats.f.sf(both.statistic * 3.0 / 8.0, 2, 3))  # Hotelling's T²


def test_wide_errors_are_no_narrower_than_hc3_where_a_regressor_is_local():
    """The scores of a dummy of 12 rows sum to 0 within them: a kernel wider than that sees no variance."""
    rng, rejected = np.random.default_rng(0), 0
    last = (np.arange(120) >= 108).astype(float)
    for _ in range(200):
        y = rng.standard_normal(120)
        wide, white = (
            al.least_squares(y, {"last": last}, kind).table.loc["last"]
            for kind in (al.WideHACErrors(), al.HC3Errors())
        )
        assert wide["high"] - wide["low"] >= (white["high"] - white["low"]) * (1.0 - 1e-9)
        rejected += wide["p_value"] < 0.05
    assert rejected <= 20  # 5 % would be 10 of 200, with a deviation of 3.1; the kernel alone has 38


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_floor_of_hc3_holds_for_every_sum_of_coefficients(seed):
    rng = np.random.default_rng(seed)
    y, x = rng.standard_normal(60), rng.standard_normal((60, 2)) * (np.arange(60) >= 40)[:, None]
    weights = dict(zip(("intercept", "x1", "x2"), rng.standard_normal(3), strict=True))
    wide, white = (
        al.linear_combination(al.least_squares(y, x, kind), weights)
        for kind in (al.WideHACErrors(), al.HC3Errors())
    )
    assert wide.high - wide.low >= (white.high - white.low) * (1.0 - 1e-9)


@pytest.mark.parametrize("scale", [1e-20, 1e20, 1e-200])
def test_the_scale_of_weights_changes_no_test(scale):
    y, x = sample()
    fit = al.least_squares(y, x)
    wanted = al.wald_test(fit, [{"x1": 1.0}, {"intercept": 1.0}], [0.5, 0.0])
    found = al.wald_test(fit, [{"x1": scale}, {"intercept": 1.0}], [0.5 * scale, 0.0])
    assert found.p_value == pytest.approx(wanted.p_value, rel=1e-9)
    assert found.statistic == pytest.approx(wanted.statistic, rel=1e-9)


def test_lines_are_of_110_and_one_degree_is_one():
    y, x = sample()
    long = x.rename(columns={name: f"a rather long name of the regressor {name}" for name in x}).iloc[:7]
    fit = al.least_squares(y.iloc[:7], long)
    first = long.columns[0]
    tests = [fit, al.wald_test(fit, [{first: 1.0}]), al.linear_combination(fit, {first: 1.0})]
    assert max(len(line) for each in tests for line in repr(each).splitlines()) <= 110
    alone = al.least_squares(y.iloc[:4], x.iloc[:4], al.IndependentErrors())
    assert "with 1 degree\n" in repr(alone) + "\n"
    exact = al.linear_combination(al.least_squares(2.0 * x["x1"], x), {"x1": 1.0})
    assert "x1 = 2 without an error" in repr(exact)
    assert "± –" not in repr(exact)


def test_more_restrictions_than_degrees_are_not_tested():
    y, x = sample(60, k=5)
    found = al.wald_test(al.least_squares(y, x), [{name: 1.0} for name in x.columns])
    assert np.isnan(found.p_value)
    assert "4 degrees of freedom for 5 restrictions" in repr(found)


def test_wide_errors_keep_their_size_where_volatility_is_shared():
    """Where both series share bursts of volatility, plug-in bandwidths reject too often."""
    n, rng = 60, np.random.default_rng(0)
    rejected = dict.fromkeys((al.WideHACErrors(), al.HACErrors()), 0)
    for _ in range(150):
        burst = np.exp(np.convolve(rng.standard_normal(n + 9), np.full(10, 0.2), "valid"))
        x, y = burst * rng.standard_normal(n), burst * rng.standard_normal(n)
        for kind in rejected:
            rejected[kind] += al.least_squares(y, {"x": x}, kind).table.loc["x", "p_value"] < 0.05
    assert rejected[al.WideHACErrors()] <= 15  # 5 % would be 7.5 of 150, with a deviation of 2.7
    assert rejected[al.HACErrors()] > rejected[al.WideHACErrors()]


def test_arrays_names_and_the_mean_alone():
    y, x = sample()
    bare = al.least_squares(y.to_numpy(), x.to_numpy())
    assert list(bare.table.index) == ["intercept", "x1", "x2"]
    assert (bare.begin, bare.end) == (1, 80)
    np.testing.assert_allclose(bare.coefficients, al.least_squares(y, x).coefficients)
    mean = al.least_squares(y, None, al.IndependentErrors())
    assert mean.coefficients["intercept"] == pytest.approx(y.mean())
    assert mean.table["standard_error"].iloc[0] == pytest.approx(y.std() / np.sqrt(80))


def test_an_exact_fit_has_no_errors_and_says_so():
    _, x = sample()
    fit = al.least_squares(2.0 * x["x1"], x)
    assert fit.coefficients["x1"] == pytest.approx(2.0)
    assert fit.table["p_value"].isna().all()
    assert "exact" in fit.reason
    assert "exact" in repr(al.wald_test(fit, [{"x1": 1.0}]))


def test_a_row_that_fits_itself_has_no_hc3_error():
    y, _ = sample()
    only = pd.Series(0.0, y.index).where(y.index != y.index[5], 1.0)
    fit = al.least_squares(y, {"only": only}, al.HC3Errors())
    assert np.isnan(fit.table.loc["only", "standard_error"])
    assert "fits itself" in fit.reason


def test_inputs_are_not_changed_and_the_record_prints():
    y, x = sample()
    before = y.copy(), x.copy()
    fit = al.least_squares(y, x, confidence=0.9)
    pd.testing.assert_series_equal(y, before[0])
    pd.testing.assert_frame_equal(x, before[1])
    text = repr(fit)
    assert text.startswith("y on x1, x2")
    assert "90 % interval" in text
    assert "n=80, 2000-01-31 to 2006-08-31" in text
    assert "rough" not in text
    assert "rough" in repr(al.least_squares(y, x, al.HACErrors()))
    assert "x1 - 2·x2 = 3" in repr(al.wald_test(fit, [{"x1": 1, "x2": -2}], [3]))
    assert "-x1 + x2 = " in repr(al.linear_combination(fit, {"x1": -1, "x2": 1}))
    assert "<table" in fit._repr_html_()
    named = al.least_squares(y, {"<b>": x["x1"]})
    assert "<b>x" not in named._repr_html_()
    assert "&lt;b&gt;" in named._repr_html_()


REFUSED = [
    (lambda y, x: al.least_squares(y, x.iloc[1:]), r"regressors\['x1'\]: 79 rows for 80"),
    (
        lambda y, x: al.least_squares(y, x.set_axis(x.index.shift(1))),
        r"regressors\['x1'\] on .*dates are not those",
    ),
    (lambda y, x: al.least_squares(y, x.assign(c=3.0)), "constant or collinear"),
    (lambda y, x: al.least_squares(y, x.assign(c=x["x1"] - x["x2"])), "constant or collinear"),
    (lambda y, x: al.least_squares(y * 0.0 + 1.0, x), "y: never changes"),
    (lambda y, x: al.least_squares(y.iloc[:3], x.iloc[:3]), "3 rows for 3 coefficients"),
    (lambda y, x: al.least_squares(y.where(y.index != y.index[4]), x), "y on 2000-05-31: NaN"),
    (lambda y, x: al.least_squares(y, x.rename(columns={"x1": "intercept"})), "one name"),
    (lambda y, x: al.least_squares(y, x.set_axis(["a", "a"], axis=1)), "one name"),
    (lambda y, x: al.least_squares(y, [1, 2]), "expected a Series, a DataFrame, a mapping or an array"),
    (lambda y, x: al.least_squares(y, x, 4), "errors: 4 are no errors"),
    (lambda y, x: al.least_squares(y, x, confidence=95), "confidence"),
    (lambda y, x: al.least_squares(y, x, al.NeweyWestErrors(80)), "lags: 80 for 80 rows"),
    (lambda y, x: al.NeweyWestErrors(1.5), "lags: 1.5 is not a whole number"),
    (lambda y, x: al.NeweyWestErrors(-1), "lags: -1"),
    (lambda y, x: al.NeweyWestErrors(None), "lags: None is not a whole number"),
    (lambda y, x: al.NeweyWestErrors(np.nan), "lags: nan"),
    (lambda y, x: al.NeweyWestErrors(np.inf), "lags: inf"),
    (lambda y, x: al.NeweyWestErrors("4"), "lags: '4'"),
    (lambda y, x: al.HACErrors(None), "long_run: None is no long-run variance"),
    (lambda y, x: al.HACErrors("x"), "long_run: 'x' is no"),
    (lambda y, x: al.HACErrors(3), "long_run: 3 is no"),
    (lambda y, x: al.least_squares(y, x[::-1]), r"regressors\['x1'\]: its dates are those of y, reversed"),
    (
        lambda y, x: al.least_squares(y, {"x": x["x1"].sample(frac=1.0, random_state=0)}),
        "those of y, in another order",
    ),
    (
        lambda y, x: al.least_squares(y.to_numpy(), {"x": x["x1"], "z": x["x2"].shift(1, freq="D")}),
        r"regressors\['z'\] on .*dates are not those of 'x'",
    ),
    (
        lambda y, x: al.least_squares(y, {"x": 3.0}),
        r"\['x'\]: expected a Series or an array, got float",
    ),
    (lambda y, x: al.least_squares(y, {"x": np.array(3.0)}), r"regressors\['x'\]: expected a Series"),
    (lambda y, x: al.least_squares(y, {"x": np.array(["a"] * 80)}), r"regressors\['x'\]: .* not numeric"),
    (lambda y, x: al.least_squares(y, x, confidence="a"), "confidence: 'a'"),
    (lambda y, x: al.linear_combination(al.least_squares(y, x), "x1"), "weights: expected a mapping .* 'x1'"),
    (lambda y, x: al.linear_combination(al.least_squares(y, x), ["x1"]), "weights: expected a mapping"),
    (lambda y, x: al.linear_combination(al.least_squares(y, x), {"x1": "1"}), r"weights\['x1'\]: '1' is not"),
    (lambda y, x: al.linear_combination(y, {"x1": 1}), "fit: expected a regression, got Series"),
    (lambda y, x: al.wald_test(al.least_squares(y, x), {"x1": 1}), r"one mapping.*pass \[\{'x1': 1\}\]"),
    (
        lambda y, x: al.wald_test(al.least_squares(y, x), "x1"),
        "restrictions: .* list of mappings, got str",
    ),
    (lambda y, x: al.wald_test(al.least_squares(y, x), ["x1"]), "restrictions: expected a mapping"),
    (lambda y, x: al.wald_test(y, [{"x1": 1}]), "fit: expected a regression"),
    (lambda y, x: al.wald_test(al.least_squares(y, x), [{"x1": 1.0}], [np.nan]), "values: .*NaN or infinite"),
    (lambda y, x: al.wald_test(al.least_squares(y, x), [{"x1": 1.0}], ["a"]), "values: .*not numbers"),
    (
        lambda y, x: al.wald_test(al.least_squares(y, x), [{"z": 1.0}]),
        r"restrictions\['z'\]: no such coefficient",
    ),
    (lambda y, x: al.wald_test(al.least_squares(y, x), []), "none to test"),
    (
        lambda y, x: al.wald_test(al.least_squares(y, x), [{"x1": 1.0}, {"x1": 2.0}]),
        "one follows from the others",
    ),
    (lambda y, x: al.wald_test(al.least_squares(y, x), [{"x1": 1.0}], [0.0, 1.0]), "2 for 1 restrictions"),
    (lambda y, x: al.linear_combination(al.least_squares(y, x), {"x1": 0.0}), "no weight but 0"),
    (lambda y, x: al.linear_combination(al.least_squares(y, x), {"x1": np.nan}), "not a number"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refusals(call, message):
    with pytest.raises(al.InputError, match=message):
        call(*sample())
