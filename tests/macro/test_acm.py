"""The estimator of Adrian, Crump and Moench (2013): published premia, a slow oracle, timing, refusals.

Invariants: fitted = risk-neutral + premium; an estimate in real time does not move by a bit when the future
is rewritten; with no price of risk there is no premium; a curve made by the model gives the model back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError, InsufficientHistoryError
from allocator.macro.yields import (
    ACMModel,
    TermPremium,
    apply_acm,
    bootstrap_term_premium,
    episode_table,
    estimate_term_premium,
    expanding_term_premium,
    fit_acm,
    term_premium_episodes,
    zero_curve,
)
from allocator.macro.yields.acm import curve_loadings, estimate_rows, read_panel
from allocator.macro.yields.term_premium import _less_biased

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
TENTH_OF_A_BASIS_POINT = 1e-5
SMALL = ACMModel(n_factors=2, factor_months=(3, 12, 24), return_months=(6, 12, 24))


def case(name: str) -> pd.DataFrame:
    if not (CASES / name).exists():
        pytest.skip(f"needs ../shared/cases/{name}, which is not part of the project")
    return pd.read_csv(CASES / name, index_col=0, parse_dates=True) / 100


@pytest.fixture(scope="module")
def zeros() -> pd.DataFrame:
    """The fitted yields that the published premia belong to, months 1 to 120."""
    return case("F_acm_fitted_yields_1_120m.csv.gz").set_axis(range(1, 121), axis=1)


@pytest.fixture(scope="module")
def whole(zeros) -> TermPremium:
    return estimate_term_premium(zeros)


def curves(n: int = 90, seed: int = 0, noise: float = 1e-4) -> pd.DataFrame:
    """Monthly zero yields of 1 to 24 months that wander along two factors, and noise."""
    rng = np.random.default_rng(seed)
    level = 0.04 + np.cumsum(rng.normal(0.0, 0.002, n) - 0.0)
    slope = 0.01 + np.cumsum(rng.normal(0.0, 0.001, n))
    months = np.arange(1, 25)
    shape = np.exp(-months / 12.0)
    values = level[:, None] - slope[:, None] * shape + rng.normal(0.0, noise, (n, 24))
    dates = pd.date_range("1990-01-31", periods=n, freq="ME")
    return pd.DataFrame(values, index=dates, columns=months)


# --- published numbers ---


@pytest.mark.parametrize("part", ["fitted", "risk_neutral", "premium"])
def test_published_yields_and_premia_within_a_tenth_of_a_basis_point(whole, part):
    published = case("F_acm_nyfed_replicated_annual_maturities.csv")
    letters = {"fitted": "ACMY", "risk_neutral": "ACMRNY", "premium": "ACMTP"}[part]
    columns = [f"{letters}{year:02d}" for year in range(1, 11)]
    assert (
        np.abs(getattr(whole, part).to_numpy() - published[columns].to_numpy()).max() < TENTH_OF_A_BASIS_POINT
    )


def test_an_estimate_made_elsewhere_within_a_tenth_of_a_basis_point(whole):
    other = case("F_acm_own_estimate.csv")
    assert (whole.premium[10] - other["TP10_own"]).abs().max() < TENTH_OF_A_BASIS_POINT
    assert (whole.fitted[10] - other["Y10"]).abs().max() < TENTH_OF_A_BASIS_POINT


def test_episodes_of_the_own_estimate(whole):
    found = episode_table(
        whole.decomposition(10), {"2025": ("2025-03", "2025-05"), "2022": ("2021-12", "2022-12")}
    )
    expected = [[21.4, -15.4, 36.9], [226.8, 217.4, 9.4]]
    np.testing.assert_allclose(found.table.iloc[:, 2:].to_numpy(dtype=float), expected, atol=0.051)


def test_hindsight_moves_the_premium_by_what_was_measured(zeros, whole):
    """METHODS: on data to 2019 the 10-year premium differs by 4 bp on average and 27 at most."""
    early = estimate_term_premium(zeros.loc[:"2019-12-31"], (10,)).premium[10]
    gap = (early - whole.premium[10]).dropna().abs() * 1e4
    assert gap.mean() == pytest.approx(4, abs=1)
    assert gap.max() == pytest.approx(27, abs=0.5)


# --- a slow and obvious version ---


def slow_yields(zeros: pd.DataFrame, model: ACMModel, month: int) -> tuple[np.ndarray, np.ndarray]:
    """The paper line by line: loops over maturities and months, normal equations, no sharing."""
    y, k, n = zeros / 12.0, model.n_factors, len(zeros)
    raw = zeros[list(model.factor_months)].to_numpy()
    centred = raw - raw.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    x = left[:, :k] * sizes[:k]
    x = x / x.std(axis=0, ddof=1)

    def ols(design, target):
        return np.linalg.solve(design.T @ design, design.T @ target)

    phi = ols(x[:-1], x[1:]).T
    v = np.array([x[t + 1] - phi @ x[t] for t in range(n - 1)])
    sigma = sum(np.outer(e, e) for e in v) / (n - 1)
    alpha, beta, gamma, left_over = [], [], [], []
    for m in model.return_months:
        rx = [m * y[m].iloc[t] - (m - 1) * y[m - 1].iloc[t + 1] - y[1].iloc[t] for t in range(n - 1)]
        design = np.column_stack([np.ones(n - 1), x[:-1], v])
        b = ols(design, np.array(rx))
        left_over += list(np.array(rx) - design @ b)
        alpha.append(b[0])
        gamma.append(b[1 : k + 1])
        beta.append(b[k + 1 :])
    alpha, beta, gamma = np.array(alpha), np.array(beta), np.array(gamma)
    s2 = np.mean(np.square(left_over))
    lam0 = ols(beta, alpha + np.array([b @ sigma @ b + s2 for b in beta]) / 2)
    lam1 = ols(beta, gamma)
    delta = ols(np.column_stack([np.ones(n), x]), y[1].to_numpy())

    def price(l0, l1):
        a, b = -delta[0], -delta[1:]
        for _ in range(month - 1):
            a, b = a - b @ l0 + (b @ sigma @ b + s2) / 2 - delta[0], b @ (phi - l1) - delta[1:]
        return -12 / month * (a + x @ b)

    return price(lam0, lam1), price(0 * lam0, 0 * lam1)


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_paper_line_by_line(seed):
    table = curves(seed=seed, noise=5e-4)
    found = estimate_term_premium(table, (1, 2), SMALL)
    for year in (1, 2):
        fitted, neutral = slow_yields(table, SMALL, 12 * year)
        np.testing.assert_allclose(found.fitted[year], fitted, atol=1e-11)
        np.testing.assert_allclose(found.risk_neutral[year], neutral, atol=1e-11)
        np.testing.assert_allclose(found.premium[year], fitted - neutral, atol=1e-11)


def test_a_curve_made_by_the_model_has_the_short_rate_and_the_prices_it_was_made_with(zeros):
    fit = fit_acm(zeros)
    again = fit_acm(
        estimate_term_premium(zeros, [m / 12 for m in range(1, 121)]).fitted.set_axis(range(1, 121), axis=1)
    )
    np.testing.assert_allclose(again.price_level, fit.price_level, atol=1e-3)
    assert again.persistence == pytest.approx(fit.persistence, abs=1e-5)


# --- what holds for any curve ---


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(60, 100))
def test_fitted_is_risk_neutral_and_premium_and_one_month_has_none(seed, n):
    found = estimate_term_premium(curves(n, seed), (1 / 12, 1, 2), SMALL)
    np.testing.assert_allclose(found.fitted, found.risk_neutral + found.premium, atol=1e-15)
    assert np.abs(found.premium[1 / 12]).max() < 1e-15
    parts = found.decomposition(2).parts
    assert (parts.sum(axis=1) - found.fitted[2]).abs().max() < 1e-14


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_the_order_of_maturities_and_the_sign_of_components_do_not_matter(seed):
    table = curves(80, seed)
    other = ACMModel(n_factors=2, factor_months=(24, 3, 12), return_months=(24, 12, 6))
    one, two = (estimate_term_premium(table, (2,), model).premium for model in (SMALL, other))
    np.testing.assert_allclose(one, two, atol=1e-11)
    applied = apply_acm(fit_acm(table, other), table, (2,)).premium
    np.testing.assert_allclose(applied, one, atol=1e-11)


# --- timing ---


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(70, 89))
def test_a_rewritten_future_leaves_real_time_premia_to_the_bit(seed, cut):
    table = curves(90, seed)
    changed = table.copy()
    changed.iloc[cut:] = curves(90, seed + 1).iloc[cut:].to_numpy() + 0.01
    one, two = (expanding_term_premium(t, (1, 2), SMALL, first_years=5) for t in (table, changed))
    for part in ("fitted", "risk_neutral", "premium"):
        before = [getattr(each, part).loc[: table.index[cut - 1]] for each in (one, two)]
        assert len(before[0]) == cut - 59
        assert before[0].equals(before[1])
    assert not one.premium.equals(two.premium)


def test_real_time_on_published_yields_does_not_look_ahead(zeros):
    short = zeros.loc["1990":"2005"]
    changed = short.copy()
    changed.iloc[150:] *= 1.5
    one, two = (expanding_term_premium(t, (10,)) for t in (short, changed))
    assert one.premium.iloc[: 150 - 119].equals(two.premium.iloc[: 150 - 119])
    assert not one.ex_post
    last = estimate_term_premium(short, (10,)).premium.iloc[-1]
    np.testing.assert_allclose(one.premium.iloc[-1], last, atol=1e-13)


def test_each_real_time_date_is_the_last_of_an_estimate_on_its_past():
    table = curves(75, 3)
    found = expanding_term_premium(table, (2,), SMALL, first_years=5)
    assert found.premium.index.equals(table.index[59:])
    for row in (59, 66, 74):
        alone = estimate_term_premium(table.iloc[: row + 1], (2,), SMALL)
        np.testing.assert_allclose(alone.premium.iloc[-1], found.premium.iloc[row - 59], atol=1e-13)


def test_who_looks_ahead_says_so(zeros, whole):
    assert whole.ex_post
    assert "in hindsight: every date uses the estimate on all months" in repr(whole)
    assert whole.decomposition(10).ex_post
    live = expanding_term_premium(curves(70), (2,), SMALL, first_years=5)
    assert "in real time: each date uses the estimate on the months up to it" in repr(live)
    assert not live.decomposition(2).ex_post
    fit = fit_acm(zeros.loc[:"2010-12-31"])
    assert apply_acm(fit, zeros.loc["2010-12":], (10,)).ex_post
    later = apply_acm(fit, zeros.loc["2011":], (10,))
    assert not later.ex_post
    assert "by the estimate on months to 2010-12-31" in repr(later)


# --- intervals ---


def test_the_bootstrap_keeps_the_estimate_and_brackets_it_and_repeats():
    table = curves(120, 5)
    plain = estimate_term_premium(table, (1, 2), SMALL)
    one, two = (bootstrap_term_premium(table, (1, 2), SMALL, n_resamples=40, seed=4) for _ in range(2))
    assert one.premium.equals(plain.premium)
    assert one.low.equals(two.low)
    assert one.high.equals(two.high)
    assert (one.low < one.high).all().all()
    assert (one.standard_error > 0).all().all()
    assert "40 histories, blocks of 12 months, seed 4" in flat(one)
    assert not one.low.equals(bootstrap_term_premium(table, (1, 2), SMALL, n_resamples=40, seed=5).low)
    wide = bootstrap_term_premium(table, (1, 2), SMALL, n_resamples=40, seed=4, confidence=0.99)
    assert (wide.high - wide.low >= one.high - one.low).all().all()


def test_the_histories_are_drawn_from_a_more_persistent_model_of_the_same_curve():
    """A slow AR(1) looks faster than it is in 100 months; what is taken out must not move a fitted yield."""
    rng, months = np.random.default_rng(8), np.arange(1, 25)
    level = np.zeros(100)
    for row in range(1, 100):
        level[row] = 0.97 * level[row - 1] + rng.normal(0.0, 0.002)
    values = 0.04 + level[:, None] * np.exp(-months / 60.0) + rng.normal(0.0, 1e-4, (100, 24))
    dates = pd.date_range("1990-01-31", periods=100, freq="ME")
    model = ACMModel(1, (3, 12, 24), (6, 12, 24))
    panel = read_panel(pd.DataFrame(values, dates, months), model)
    fit = estimate_rows(panel, 100, model)
    factors = fit.factors(panel.factor_yields)
    news = factors[1:] - factors[:-1] @ fit.transition.T
    found = _less_biased(fit, factors[0], news, al.CircularBlockBootstrap(1), np.random.default_rng(0))
    # The bias of the slope of an AR(1) with a mean is about -(1 + 3φ)/n: Kendall (1954).
    kendall = (1 + 3 * fit.persistence) / 100
    assert fit.persistence < found.persistence < 1.0
    assert found.persistence - fit.persistence <= 1.5 * kendall
    for one, two in zip(*(curve_loadings(f, (6, 24), risk_neutral=False) for f in (fit, found)), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-14)
    assert not np.allclose(*(curve_loadings(f, (24,), risk_neutral=True)[1] for f in (fit, found)), rtol=1e-2)


def test_the_interval_of_a_change_is_that_of_the_difference_of_errors():
    table = curves(120, 5)
    found = bootstrap_term_premium(table, (1, 2), SMALL, n_resamples=40)
    episodes = {"one": ("1992-03", "1993-06"), "two": ("1995-01", "1998-02")}
    shown = term_premium_episodes(found, 2, episodes)
    for name, (begin, end) in {"one": (26, 41), "two": (60, 97)}.items():
        change = found.premium[2].iloc[end] - found.premium[2].iloc[begin]
        assert shown.table.loc[name, "term premium"] == pytest.approx(1e4 * change, abs=1e-9)
        errors = found.errors[:, end, 1] - found.errors[:, begin, 1]
        ends = [1e4 * (change - np.quantile(errors, q)) for q in (0.95, 0.05)]
        np.testing.assert_allclose(shown.interval.loc[name], ends, atol=1e-9)
    dates = pd.DataFrame({"low": found.low[2], "high": found.high[2]})
    assert np.allclose(
        dates["high"] - dates["low"],
        np.diff(np.quantile(found.errors[:, :, 1], [0.05, 0.95], axis=0), axis=0)[0],
    )
    assert "interval: 90%, of the change of the term premium" in repr(shown)
    plain = term_premium_episodes(estimate_term_premium(table, (1, 2), SMALL), 2, episodes)
    assert plain.interval is None
    assert "no interval" in repr(plain)


def test_without_intervals_the_record_says_so(whole):
    assert whole.low is None
    assert "no interval: the estimation error is not in these numbers" in repr(whole)


# --- what prints ---


def test_premia_and_fits_print_their_sample(whole):
    text = repr(whole)
    assert "5 principal components of yields of 3 to 120 months, monthly VAR(1)" in text
    assert "on 1961-06-30 to 2026-05-29, n=780 months" in text
    assert "fitted less given yields: root mean square" in text
    assert "largest modulus of the VAR 0.99" in repr(whole.fit)
    assert "<table>" in whole._repr_html_()
    assert "<table>" in whole.fit._repr_html_()


def test_an_explosive_estimate_is_said():
    n = 72
    grown = 0.01 * 1.03 ** np.arange(n)
    table = pd.DataFrame({m: grown * (1 + m / 500) for m in range(1, 25)})
    table += np.random.default_rng(0).normal(0, 1e-5, table.shape)
    table.index = pd.date_range("1990-01-31", periods=n, freq="ME")
    found = estimate_term_premium(table, (2,), ACMModel(1, (3, 12, 24), (6, 12, 24)))
    assert found.persistence.iloc[0] >= 1.0
    assert "the VAR explodes on 72 of 72 dates (1990-01-31 to 1995-12-31)" in repr(found)
    assert any("explodes" in note for note in found.decomposition(2).notes)
    with pytest.raises(InputError, match=r"the VAR explodes: its largest modulus is 1\."):
        bootstrap_term_premium(table, (2,), ACMModel(1, (3, 12, 24), (6, 12, 24)))


def flat(result) -> str:
    return " ".join(repr(result).split())


def test_maturities_beyond_those_of_the_model_are_said_to_be_extrapolated():
    found = estimate_term_premium(curves(100), (1, 2, 3, 10), SMALL)
    said = "3, 10 years: beyond the 2 that the model reads, extrapolated by it"
    assert said in repr(found)
    assert said in found.decomposition(1).notes
    assert "extrapolated" not in repr(estimate_term_premium(curves(100), (1, 2), SMALL))


def test_real_time_premia_say_that_the_curve_is_taken_as_given():
    found = expanding_term_premium(curves(62), (2,), SMALL, first_years=5)
    assert "the curve is taken as given: one that was fitted or smoothed later was not known" in flat(found)
    assert any("taken as given" in note for note in found.decomposition(2).notes)


def test_the_interval_says_that_it_may_not_hold_the_estimate():
    whole = bootstrap_term_premium(curves(90), (2,), SMALL, n_resamples=2)
    assert "the bias is out of the interval and not out of the estimate" in flat(whole)
    episodes = term_premium_episodes(whole, 2, {"x": (whole.premium.index[3], whole.premium.index[40])})
    assert "out of the interval and not out of the estimate, which may lie outside" in flat(episodes)


def test_par_curves_go_in_through_zeros():
    """The estimator on bootstrapped zeros prices them: rounding of the interpolation, a few basis points."""
    rng = np.random.default_rng(2)
    level, slope = 0.03 + np.cumsum(rng.normal(0, 2e-3, 100)), 0.01 + np.cumsum(rng.normal(0, 1e-3, 100))
    months = [1, 3, 6, 12, 24]
    par = pd.DataFrame({m: level - slope * np.exp(-m / 12) for m in months})
    par.index = pd.date_range("1990-01-31", periods=100, freq="ME")
    found = estimate_term_premium(zero_curve(par), (1, 2), SMALL)
    assert np.abs(found.fitted[2] - zero_curve(par)[24]).max() < 5e-4


# --- refusals ---


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda t: 100 * t, InputError, "zeros on 1990-01-31: .* looks like percent"),
        (
            lambda t: t.drop(columns=11),
            InputError,
            r"no yield of 11 months \(1 of 8 maturities are missing\)",
        ),
        (lambda t: t.iloc[:59], InsufficientHistoryError, "59 months, at least 60 are needed"),
        (lambda t: t.drop(t.index[30]), InputError, "mixed frequency"),
        (
            lambda t: t.set_axis(pd.bdate_range("2000-01-03", periods=90)),
            InputError,
            "daily rows; the model is monthly",
        ),
        (lambda t: t.drop(t.index[3]).reindex(t.index), InputError, r"zeros\[1\] on 1990-04-30: is nan"),
        (lambda t: t.rename(columns=lambda m: f"{m}m"), InputError, "expected increasing whole months"),
    ],
)
def test_a_curve_that_cannot_be_estimated_is_refused(change, error, match):
    with pytest.raises(error, match=match):
        estimate_term_premium(change(curves()), (2,), SMALL)


def test_factors_that_are_rounding_are_refused(zeros):
    with pytest.raises(InputError, match=r"6 factors of yields that move along 5.*ACMModel\(n_factors=5\)"):
        fit_acm(zeros, ACMModel(n_factors=6))


def test_models_and_options_that_are_none_are_refused():
    with pytest.raises(InputError, match="n_factors: 0 of 118 yields"):
        ACMModel(n_factors=0)
    with pytest.raises(InputError, match="return_months: 2 maturities price 5 factors"):
        ACMModel(return_months=(6, 12))
    with pytest.raises(InputError, match="a bill of one month has no excess return"):
        ACMModel(n_factors=1, return_months=(1, 12))
    for options, match in (
        ({"n_factors": 2.5}, r"n_factors: 2\.5 of 118 yields"),
        ({"factor_months": 5}, "factor_months: 5: expected whole months"),
        ({"factor_months": (3, 6.5)}, "factor_months: .* expected whole months"),
        ({"factor_months": (3, 3, 6, 12, 24)}, "factor_months: a maturity is there twice"),
        ({"return_months": (6, 12, 12, 24, 36)}, "return_months: a maturity is there twice"),
    ):
        with pytest.raises(InputError, match=match):
            ACMModel(**options)
    table = curves(100)
    for years in ("10", 10, [np.nan], [np.inf], ["10"], None):
        with pytest.raises(InputError, match=r"years: .*: expected maturities in years"):
            estimate_term_premium(table, years, SMALL)
    with pytest.raises(InputError, match="model: 'acm' is no model"):
        estimate_term_premium(table, (2,), "acm")
    with pytest.raises(InputError, match="first_years: '10' is not a number"):
        expanding_term_premium(table, (2,), SMALL, first_years="10")
    for options, match in (
        ({"seed": -1}, "seed: -1 is not a whole number"),
        ({"n_resamples": 2.5}, r"n_resamples: 2\.5 is not a whole number"),
        ({"confidence": "0.9"}, "confidence: '0.9' is not between"),
        ({"block_length": 100}, "block_length: 100 is not between 1 and 33, a third of the 100 months"),
    ):
        with pytest.raises(InputError, match=match):
            bootstrap_term_premium(table, (2,), SMALL, **options)
    with pytest.raises(InputError, match="estimate: expected a TermPremium, got NoneType"):
        term_premium_episodes(None, 10, {"x": ("2001", "2002")})
    with pytest.raises(InputError, match="years: 'a' is none of the maturities"):
        estimate_term_premium(table, (2,), SMALL).decomposition("a")
    with pytest.raises(InputError, match="expected different maturities of whole months"):
        estimate_term_premium(table, (0.3,), SMALL)
    with pytest.raises(InputError, match="expected different maturities of whole months"):
        estimate_term_premium(table, (2, 2), SMALL)
    with pytest.raises(InputError, match="first_years: 2 years are 24 months, at least 60 are needed"):
        expanding_term_premium(table, (2,), SMALL, first_years=2)
    with pytest.raises(InputError, match="100 months, and the first estimate needs 120"):
        expanding_term_premium(table, (2,), SMALL)
    with pytest.raises(InputError, match=r"confidence: 90 is not between 0 and 1"):
        bootstrap_term_premium(table, (2,), SMALL, confidence=90)
    with pytest.raises(InputError, match="n_resamples: is 1, expected 2"):
        bootstrap_term_premium(table, (2,), SMALL, n_resamples=1)
    with pytest.raises(InputError, match="years: 7 is none of the maturities estimated: 1, 2"):
        estimate_term_premium(table, (1, 2), SMALL).decomposition(7)


def test_a_curve_whose_returns_are_no_markets_is_refused() -> None:
    """A random walk a maturity: one-month returns between neighbours have nothing to do with yields."""
    steps = np.random.default_rng(0).normal(0.0, 0.0006, (200, 120)).cumsum(axis=0)
    dates = pd.date_range("2000-01-31", periods=200, freq="ME")
    with pytest.raises(InputError, match=r"misses the \d+-year yield by .* bp; leave out a maturity"):
        estimate_term_premium(pd.DataFrame(0.04 + steps, dates, range(1, 121)))
