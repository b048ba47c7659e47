"""Up- and down-beta, captures, market timing and safe havens: R's numbers, closed forms, statsmodels.

Invariants: a multiple of the asset multiplies its betas, both signs turned exchange up and down, an asset
captures all of itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
OTHERS = {"tracking_error", "information_ratio"}  # of allocator.statistics.relative


def read_case(name):
    path = CASES / name
    if not path.is_file():
        pytest.skip("the published cases are not beside this checkout")
    return path


def returns(n=300, seed=0, up=0.5, down=0.5, alpha=0.0, noise=0.01):
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2015-01-01", periods=n)
    bonds = 0.01 * rng.standard_t(6, n)
    gold = alpha + up * np.maximum(bonds, 0) + down * np.minimum(bonds, 0) + noise * rng.standard_t(6, n)
    return pd.Series(gold, dates, name="gold"), pd.Series(bonds, dates, name="bonds")


def test_every_row_of_performance_analytics():
    expected = pd.read_csv(read_case("E_capture_conditional_beta_expected.csv"))
    managers = pd.read_csv(read_case("C_managers_input.csv"), index_col=0, parse_dates=True)
    seen = 0
    for (asset, benchmark), rows in expected.groupby(["asset", "benchmark"]):
        pair = managers[[asset, benchmark]].dropna()
        found = _all_of(pair[asset], pair[benchmark])
        wanted = rows.set_index("stat")["value"].drop(OTHERS)
        np.testing.assert_allclose([found[name] for name in wanted.index], wanted, rtol=1e-10)
        seen += len(wanted)
    assert seen == len(expected) - 2 * len(expected) // 21


def _all_of(y, x):
    line = al.least_squares(y, {"beta": x})
    sides = al.conditional_betas(y, x)
    timing, squares = al.henriksson_merton(y, x).coefficients, al.treynor_mazuy(y, x).coefficients
    table = al.capture_ratios(y, x, n_resamples=1).table
    return {
        "n": line.n,
        "corr": np.sign(line.coefficients["beta"]) * np.sqrt(line.r_squared),
        "alpha": line.coefficients["intercept"],
        "beta": line.coefficients["beta"],
        "beta_bull": sides.bull.coefficients["beta"],
        "beta_bear": sides.bear.coefficients["beta"],
        "timing_ratio": sides.timing_ratio,
        **{f"{side.title()}_Capture": table.loc[side, "cumulative"] for side in table.index},
        **{f"{side.title()}_Number": table.loc[side, "number"] for side in table.index},
        **{f"{side.title()}_Percent": table.loc[side, "percent"] for side in table.index},
        "HM_alpha": timing["intercept"],
        "HM_beta": timing["beta"],
        "HM_gamma": timing["gamma"],
        "TM_alpha": squares["intercept"],
        "TM_beta": squares["beta"],
        "TM_gamma": squares["gamma"],
    }


@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
@settings(max_examples=15, deadline=None)
def test_betas_scale_with_the_asset_and_sides_exchange_with_the_sign(seed, scale):
    gold, bonds = returns(60, seed, up=0.8, down=-0.3)
    found = al.asymmetric_beta(gold, bonds, al.HC1Errors())
    scaled = al.asymmetric_beta(scale * gold, bonds, al.HC1Errors())
    turned = al.asymmetric_beta(-gold, -bonds, al.HC1Errors())
    assert scaled.up.estimate == pytest.approx(scale * found.up.estimate)
    assert scaled.p_claim == pytest.approx(found.p_claim, abs=1e-9)
    assert (turned.up.estimate, turned.down.estimate) == pytest.approx(
        (found.down.estimate, found.up.estimate)
    )
    assert turned.equal.p_value == pytest.approx(found.equal.p_value)


def test_henriksson_and_merton_are_the_same_regression():
    gold, bonds = returns(up=0.8, down=-0.3)
    sides, timing = al.asymmetric_beta(gold, bonds), al.henriksson_merton(gold, bonds)
    assert timing.coefficients["beta"] == pytest.approx(sides.up.estimate)
    assert timing.coefficients["gamma"] == pytest.approx(sides.up.estimate - sides.down.estimate)
    fixed = al.NeweyWestErrors(3)
    gamma = al.henriksson_merton(gold, bonds, fixed).table.loc["gamma"]
    assert gamma["p_value"] == pytest.approx(al.asymmetric_beta(gold, bonds, fixed).equal.p_value)


def test_the_claim_is_supported_where_it_is_true_and_contradicted_where_it_is_not():
    true = al.asymmetric_beta(*returns(2000, up=0.6, down=-0.4))
    assert true.p_claim < 0.001
    assert true.p_against == 1.0
    false = al.asymmetric_beta(*returns(2000, up=0.6, down=0.6))
    assert false.p_claim > 0.99
    assert false.p_against < 0.001
    # It is not enough that up and down differ.
    partly = al.asymmetric_beta(*returns(2000, up=1.0, down=0.4))
    assert partly.equal.p_value < 0.01
    assert partly.p_claim > 0.99


def test_the_intersection_union_p_is_the_larger_of_both():
    found = al.asymmetric_beta(*returns(150, up=0.2, down=-0.05))
    assert found.p_claim == max(found.up.p_positive, found.down.p_negative)
    assert found.p_against == min(1.0, 2.0 * min(found.up.p_negative, found.down.p_positive))


def test_drift_is_alpha_and_not_beta():
    """A series that rises whatever bonds do has equal betas: levels and captures would not tell."""
    gold, bonds = returns(2000, up=0.3, down=0.3, alpha=0.002)
    found, captures = al.asymmetric_beta(gold, bonds), al.capture_ratios(gold, bonds, n_resamples=200).table
    assert found.alpha.low > 0.001
    assert found.equal.p_value > 0.05
    assert captures.loc["up", "capture"] > captures.loc["down", "capture"] + 0.3


def test_an_asset_captures_all_of_itself_and_of_a_lever_what_it_levers():
    _, bonds = returns()
    table = al.capture_ratios(bonds, bonds, n_resamples=50).table
    np.testing.assert_allclose(table[["capture", "low", "high", "cumulative"]], 1.0)
    assert table.loc["down", "number"] == 1.0
    assert table.loc["up", "percent"] == 0.0
    half = al.capture_ratios(0.5 * bonds, bonds, n_resamples=50).table["capture"]
    assert half.to_numpy() == pytest.approx(0.5, abs=0.01)


def test_the_cumulative_ratio_grows_with_the_sample_and_the_mean_one_does_not():
    gold, bonds = (pd.concat([each] * 4).to_numpy() for each in returns(250, up=0.5, down=0.5, alpha=0.002))
    short = al.capture_ratios(gold[:250], bonds[:250], n_resamples=1).table.loc["up"]
    long = al.capture_ratios(gold, bonds, n_resamples=1).table.loc["up"]
    assert long["capture"] == pytest.approx(short["capture"])
    assert abs(long["cumulative"] / short["cumulative"] - 1.0) > 0.1


def test_capture_intervals_are_those_of_resamples_written_out():
    gold, bonds = returns(120)
    pair = np.column_stack([gold, bonds])
    bootstrap = al.CircularBlockBootstrap(5)
    found = al.capture_ratios(gold, bonds, bootstrap=bootstrap, n_resamples=300, seed=3).table

    def slow(draws):
        answers = []
        for y, x in draws.transpose(0, 2, 1):
            up = x > 0
            answers.append([np.prod(1 + s[up]) ** (1 / up.sum()) - 1 for s in (y, x)])
        return np.array([a / b for a, b in answers])

    draws = al.resampled_statistic(pair, slow, bootstrap, 300, np.random.default_rng(3))
    np.testing.assert_allclose(
        np.quantile(draws, [0.025, 0.975]), found.loc["up", ["low", "high"]].astype(float)
    )


def test_a_benchmark_of_0_is_on_the_side_of_falls():
    gold, bonds = (each.to_numpy(copy=True) for each in returns(100))
    bonds[:10] = 0.0
    down = bonds <= 0.0
    found = al.capture_ratios(gold, bonds, n_resamples=1).table.loc["down"]
    mean_gold, mean_bonds = (np.exp(np.log1p(each[down]).mean()) - 1.0 for each in (gold, bonds))
    assert found["n"] == down.sum()
    assert found["capture"] == pytest.approx(mean_gold / mean_bonds)
    assert found["cumulative"] == pytest.approx(
        (np.prod(1 + gold[down]) - 1) / (np.prod(1 + bonds[down]) - 1)
    )


def test_captures_repeat_with_their_seed():
    one, again, other = (al.capture_ratios(*returns(), n_resamples=100, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, again.table)
    assert one.table.loc["up", "low"] != other.table.loc["up", "low"]
    assert "seed 1" in repr(one)


def test_resamples_without_a_side_are_counted_and_give_no_number():
    """Means of resamples are differences of running sums: a side without rows has 1e-17 of them, not 0."""
    b = np.abs(np.random.default_rng(0).normal(0.01, 0.01, 60))
    b[3:9] *= -1.0
    found = al.capture_ratios(1.1 * b, b, bootstrap=al.StationaryBootstrap(5))
    np.testing.assert_allclose(found.table.loc["down", ["low", "high"]].astype(float), 1.1, atol=2e-3)
    assert found.table.loc["up", "n_usable"] == 2000
    draws = al.resampled_statistic(
        b[:, None],
        lambda drawn: (drawn[:, :, 0] <= 0.0).any(axis=1).astype(float),
        al.StationaryBootstrap(5),
        2000,
        np.random.default_rng(0),
    )
    assert found.table.loc["down", "n_usable"] == draws.sum() < 2000
    assert f"moved on this side in {int(draws.sum()):,} of the resamples only" in repr(found)


@pytest.mark.parametrize("fall", [-1e-15, -1e-300, 0.0])
def test_falls_of_next_to_nothing_are_no_noise(fall):
    b = np.abs(np.random.default_rng(0).normal(0.01, 0.01, 60))
    b[3:9] = fall
    down = al.capture_ratios(1.1 * b, b, bootstrap=al.StationaryBootstrap(5), n_resamples=200).table.loc[
        "down"
    ]
    if fall:
        np.testing.assert_allclose(down[["capture", "low", "high"]].astype(float), 1.1, rtol=1e-9)
    else:
        assert np.isnan(down["capture"])
        assert down["n_usable"] == 0


def test_an_exact_fit_has_neither_p_value():
    _, bonds = returns()
    found = al.asymmetric_beta(2.0 * bonds, bonds)
    assert np.isnan(found.p_claim)
    assert np.isnan(found.p_against)
    assert "exact" in repr(found)
    assert "(–" not in repr(found)


# safe haven


def test_safe_haven_is_the_regression_of_baur_and_mcdermott():
    sm = pytest.importorskip("statsmodels.api")
    gold, stocks = returns(1500, seed=4, up=0.2, down=-0.1)
    found = al.safe_haven(gold, stocks.rename("stocks"), errors=al.HC1Errors())
    parts = [stocks.where(stocks <= stocks.quantile(q), 0.0) for q in (0.10, 0.05, 0.01)]
    theirs = sm.OLS(gold.to_numpy(), sm.add_constant(np.column_stack([stocks, *parts]))).fit(
        cov_type="HC1", use_t=True
    )
    np.testing.assert_allclose(found.fit.coefficients, theirs.params, rtol=1e-9)
    for step, row in enumerate(found.table.itertuples()):
        test = theirs.t_test([0.0, *([1.0] * (step + 1)), *([0.0] * (3 - step))])
        assert row.beta == pytest.approx(float(test.effect[0]))
        assert row.standard_error == pytest.approx(float(np.ravel(test.sd)[0]))
        assert row.low == pytest.approx(float(test.conf_int(0.10)[0, 0]))
    assert list(found.table["n"]) == [1500, 150, 75, 15]


def test_a_return_at_the_quantile_itself_counts():
    gold, stocks = (each.to_numpy() for each in returns(121))
    threshold = np.sort(stocks)[12]  # the 10 % quantile of 121 is one of them
    found = al.safe_haven(gold, stocks, (0.1,))
    tail = np.where(stocks <= threshold, stocks, 0.0)
    slow = al.least_squares(gold, np.column_stack([stocks, tail])).coefficients
    np.testing.assert_allclose(found.fit.coefficients, slow)
    assert found.table["n"].iloc[1] == 13


def test_two_markets_and_one_quantile_are_baur_and_lucey():
    gold, stocks = returns(800, seed=4)
    _, bonds = returns(800, seed=5)
    found = al.safe_haven(gold, pd.DataFrame({"stocks": stocks, "bonds": bonds}), (0.05,))
    assert list(found.fit.coefficients.index) == ["intercept", "stocks", "stocks q5%", "bonds", "bonds q5%"]
    assert list(found.table.index) == [(m, c) for m in ("stocks", "bonds") for c in ("average", "worst 5 %")]


def test_verdicts_of_a_haven_a_hedge_and_neither():
    rng = np.random.default_rng(0)
    stocks = 0.01 * rng.standard_t(5, 3000)
    noise = 0.003 * rng.standard_normal(3000)
    haven = np.where(stocks <= np.quantile(stocks, 0.05), -0.5 * stocks, 0.3 * stocks) + noise
    table = al.safe_haven(haven, stocks, (0.05,)).table
    assert list(table["verdict"]) == ["no hedge", "strong safe haven"]
    assert list(al.safe_haven(noise, stocks, (0.05,)).table["verdict"].str.split().str[0]) == ["weak", "weak"]


# what prints, and what is refused


def test_records_print_in_lines_of_110_and_as_html():
    gold, bonds = returns()
    made = [
        al.asymmetric_beta(gold, bonds),
        al.capture_ratios(gold, bonds, n_resamples=20),
        al.conditional_betas(gold, bonds),
        al.safe_haven(gold, bonds, (0.10,)),
    ]
    for record in made:
        text = repr(record)
        assert max(map(len, text.splitlines())) <= 110
        assert "n=" in text or " n " in text
        assert "interval" in text
        assert "<table" in record._repr_html_()
    text = repr(made[0])
    assert "gold on bonds" in text
    assert "a year" in text
    assert "intersection–union" in text
    tagged = al.asymmetric_beta(gold.rename("<i>"), bonds)._repr_html_()
    assert "<i>" not in tagged
    assert "GARCH" in repr(made[3])


BETAS = (al.asymmetric_beta, al.capture_ratios, al.conditional_betas, al.henriksson_merton, al.treynor_mazuy)


@pytest.mark.parametrize("function", BETAS, ids=lambda each: each.__name__)
def test_refusals_name_the_argument(function):
    gold, bonds = returns()
    for argument, pair in (
        ("asset", (gold.where(gold.index != gold.index[7]), bonds)),
        ("benchmark", (gold, bonds.where(bonds.index != bonds.index[7]))),
    ):
        with pytest.raises(al.InputError, match=f"^{argument} on 2015-01-12: NaN"):
            function(*pair)
    with pytest.raises(al.InputError, match=r"^benchmark on .*: missing; asset has 300"):
        function(gold, bonds.iloc[1:])


def haven_of(gold, bonds, quantiles, *names):
    markets = pd.DataFrame({names[0]: bonds, names[1]: gold * gold + bonds})
    return al.safe_haven(gold, markets, quantiles)


REFUSED = [
    (lambda g, b: haven_of(g, b, (0.1,), "A", "A q10%"), r"markets\['A q10%'\]: two coefficients"),
    (lambda g, b: haven_of(g, b, (0.1,), 1, "1"), r"markets\['1'\]: two coefficients"),
    (lambda g, b: al.safe_haven(g, b, 0.1), r"quantiles: 0.1 is no tuple of shares; pass \(0.1,\)"),
    (lambda g, b: al.safe_haven(g, b, ("a",)), "quantiles: 'a' is not between"),
    (lambda g, b: al.safe_haven(g, b, (0.1,), 4), "errors: 4"),
    (
        lambda g, b: al.capture_ratios(g, b.where(b.index != b.index[7], -1.0)),
        "^benchmark on .*: a return",
    ),
    (lambda g, b: al.capture_ratios(g, b, seed=-1), "seed: -1"),
    (lambda g, b: al.capture_ratios(g, b, n_resamples=1.5), "n_resamples: 1.5"),
    (lambda g, b: al.asymmetric_beta(g, b.iloc[1:]), "they share 299"),
    (lambda g, b: al.asymmetric_beta(g.where(g.index != g.index[7]), b), "2015-01-12: NaN"),
    (lambda g, b: al.asymmetric_beta(g, b.abs()), "'bonds' falls in 0 of 300 rows, at least 6"),
    (lambda g, b: al.conditional_betas(g, -b.abs()), "'bonds' rises in 0 of 300"),
    (lambda g, b: al.henriksson_merton(g, b.abs()), "falls in 0"),
    (lambda g, b: al.treynor_mazuy(g.to_numpy()[:9], b.to_numpy()[:9]), "at least 6"),
    (lambda g, b: al.capture_ratios(g, b.abs() + 1e-6), "does not rise in 0"),
    (lambda g, b: al.capture_ratios(g.where(g.index != g.index[7], -1.0), b), "2015-01-12: a return of -1"),
    (lambda g, b: al.capture_ratios(g, b, bootstrap=20), "20 is no block bootstrap"),
    (lambda g, b: al.capture_ratios(g, b, confidence=95), "confidence"),
    (lambda g, b: al.safe_haven(g, b, (5,)), "quantiles: 5 is not between 0 and 0.5"),
    (lambda g, b: al.safe_haven(g, b, (0.01,)), "leaves 3, at least 12 are needed"),
    (lambda g, b: al.safe_haven(g, b, ()), "none, or one of them twice"),
    (lambda g, b: al.safe_haven(g, b, (0.1, 0.1)), "one of them twice"),
    (lambda g, b: al.safe_haven(g, b.iloc[1:], (0.1,)), "they share 299"),
    (lambda g, b: al.safe_haven(g, b, (0.1,), significance=5), "significance: 5"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refusals(call, message):
    with pytest.raises(al.InputError, match=message):
        call(*returns())
