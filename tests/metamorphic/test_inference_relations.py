"""Relations of errors, tests, regressions and resamples, where one seed must mean one set of resamples."""

from __future__ import annotations

import numpy as np
import pandas as pd
from generated import examples, one_series, pairs, quietly, return_tables
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al

few = examples(12)
BOOTSTRAPS = st.one_of(
    st.sampled_from((1, 2, 5)).map(al.CircularBlockBootstrap),
    st.sampled_from((1.0, 2.5, 6.0)).map(al.StationaryBootstrap),
)
TEN = al.StudentizedBootstrap(block_length=2, n_resamples=99)
METHODS = st.sampled_from((al.NormalReturns(), al.IndependentReturns(), al.HAC()))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(
        np.asarray(other, float), np.asarray(one, float), **(close or {"rtol": 1e-9, "atol": 1e-12})
    )


# Resamples


@few
@given(return_tables(series=(2, 4)), BOOTSTRAPS)
def test_resamples_follow_the_names_of_series(table: pd.DataFrame, bootstrap: al.BlockBootstrap) -> None:
    """All series are resampled by the same rows: turned round and renamed, each has the same bits."""
    turned = table[list(table)[::-1]].rename(columns=str.lower)
    one, other = (al.resampled_moments(each, bootstrap, 30, rng()) for each in (table, turned))
    assert np.array_equal(one.means, other.means[:, ::-1])
    assert np.array_equal(one.variances, other.variances[:, ::-1])
    r, turned_r = (al.resampled_correlations(each, bootstrap, 30, rng()) for each in (table, turned))
    same(r, turned_r[:, ::-1, ::-1], rtol=0.0, atol=1e-6)


@few
@given(return_tables(), BOOTSTRAPS, st.sampled_from((0.25, 2.0)))
def test_resamples_of_scaled_returns_are_scaled_resamples(
    table: pd.DataFrame, bootstrap: al.BlockBootstrap, scale: float
) -> None:
    """By powers of two, bit for bit: means once and variances twice."""
    table = table / 4.0
    one, other = (al.resampled_moments(each, bootstrap, 30, rng()) for each in (table, table * scale))
    assert np.array_equal(one.means * scale, other.means)
    assert np.array_equal(one.variances * scale**2, other.variances)


@few
@given(return_tables(), BOOTSTRAPS)
def test_sums_by_prefix_are_the_resamples_written_out(
    table: pd.DataFrame, bootstrap: al.BlockBootstrap
) -> None:
    """The fast way and the obvious one take the same rows from one seed; to rounding."""
    moments = al.resampled_moments(table, bootstrap, 30, rng())
    written = al.resampled_statistic(table, lambda rows: rows.mean(axis=-2), bootstrap, 30, rng())
    same(written, moments.means, rtol=1e-9, atol=1e-12)
    assert moments.means.shape == (30, table.shape[1])
    low, high = table.min().to_numpy(), table.max().to_numpy()
    assert ((moments.means >= low - 1e-12) & (moments.means <= high + 1e-12)).all()


@few
@given(one_series(), BOOTSTRAPS)
def test_a_constant_added_moves_every_resample_by_itself(x: pd.Series, bootstrap: al.BlockBootstrap) -> None:
    """Means by the constant and variances not at all; to rounding."""
    one, other = (al.resampled_moments(each, bootstrap, 30, rng()) for each in (x, x + 0.125))
    same(one.means + 0.125, other.means, rtol=0.0, atol=1e-12)
    same(one.variances, other.variances, rtol=1e-6, atol=1e-14)


@few
@given(one_series(rows=(30, 60)), st.sampled_from((0.125, 2.0)))
def test_the_block_length_has_no_unit(x: pd.Series, scale: float) -> None:
    """Scaled by powers of two or mirrored, the same dependence: the same blocks, to rounding."""
    x = x / 4.0
    same(al.optimal_block_length(x), al.optimal_block_length(x * scale), rtol=1e-9)
    same(al.optimal_block_length(x), al.optimal_block_length(-x), rtol=1e-9)


@few
@given(pairs(), st.sampled_from((-0.25, 0.5)))
def test_a_bootstrapped_correlation_has_no_unit_and_no_order(pair: tuple, scale: float) -> None:
    """Of scaled returns and of the two exchanged: same draws, so the same interval, mirrored by the sign."""
    x, y = pair
    one = quietly(al.bootstrap_correlation, x, y, n_resamples=60, block_length=3)
    for other, sign in (
        (quietly(al.bootstrap_correlation, x * scale, y, n_resamples=60, block_length=3), np.sign(scale)),
        (quietly(al.bootstrap_correlation, y, x, n_resamples=60, block_length=3), 1.0),
    ):
        limits = (one.low, one.high) if sign > 0 else (-one.high, -one.low)
        same((sign * one.correlation, *limits), (other.correlation, other.low, other.high), rtol=0, atol=1e-8)


# Sharpe ratios


@few
@given(one_series(risks=(1e-4, 0.01)), METHODS, st.sampled_from((0.5, 2.0)))
def test_the_error_of_a_sharpe_ratio_does_not_know_leverage(x: pd.Series, method, k: float) -> None:
    """At a cash return of zero, by powers of two, whatever the method; to rounding."""
    one, other = (quietly(al.sharpe_interval, each, 0.0, method) for each in (x, x * k))
    same(
        (one.sharpe, one.standard_error, one.low, one.high),
        (other.sharpe, other.standard_error, other.low, other.high),
        rtol=1e-6,
    )


@few
@given(pairs(), st.sampled_from((TEN, al.HAC(), al.IndependentReturns())))
def test_the_difference_of_two_sharpe_ratios_turns_with_them(pair: tuple, method) -> None:
    """Exchanged: the negative, the same error and p-value, the mirrored interval; to rounding."""
    x, y = pair
    one = quietly(al.sharpe_difference, x, y, 0.0, method)
    other = quietly(al.sharpe_difference, y, x, 0.0, method)
    same(
        (-one.difference, one.standard_error, -one.high, -one.low, one.p_value),
        (other.difference, other.standard_error, other.low, other.high, other.p_value),
        rtol=1e-6,
    )
    same(one.sharpe_1 - one.sharpe_2, one.difference, rtol=0.0, atol=1e-9)


@few
@given(one_series(risks=(1e-4, 0.01)), st.sampled_from((0.0, 0.5, 1.0)))
def test_a_higher_bar_is_less_probably_cleared(x: pd.Series, bar: float) -> None:
    """The probability that a Sharpe ratio is above a benchmark falls with it and mirrors with returns."""
    method = al.IndependentReturns()
    low = quietly(al.probabilistic_sharpe_ratio, x, 0.0, bar, method)
    high = quietly(al.probabilistic_sharpe_ratio, x, 0.0, bar + 0.5, method)
    assert high.probability <= low.probability
    mirrored = quietly(al.probabilistic_sharpe_ratio, -x, 0.0, 0.0, method)
    upright = quietly(al.probabilistic_sharpe_ratio, x, 0.0, 0.0, method)
    same(1.0 - upright.probability, mirrored.probability, rtol=0.0, atol=1e-9)


@few
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_p_values_of_a_family_follow_their_names(p: list[float], random) -> None:
    """Holm: in any order the same, never below the p-value alone, in its order; a family of one is itself."""
    names = [f"h{k}" for k in range(len(p))]
    family = pd.Series(p, index=names)
    mixed = names.copy()
    random.shuffle(mixed)
    held = al.holm(family)
    assert al.holm(family[mixed])[names].equals(held)
    assert (held >= family).all()
    order = np.argsort(family.to_numpy(), kind="stable")
    assert (np.diff(held.to_numpy()[order]) >= 0.0).all()
    assert (al.holm(pd.concat([family, pd.Series({"more": 1.0})]))[names] >= held).all()
    assert al.holm(family.iloc[:1]).iloc[0] == family.iloc[0]


# Regressions


ERRORS = st.sampled_from(
    (
        al.IndependentErrors(),
        al.HC0Errors(),
        al.HC1Errors(),
        al.HC3Errors(),
        al.NeweyWestErrors(2),
        al.WideHACErrors(),
    )
)


@st.composite
def regressions(draw: st.DrawFn) -> tuple[pd.Series, pd.DataFrame]:
    x, y = draw(pairs(rows=(24, 60)))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(0.0, float(x.std()), len(x))
    return y, pd.DataFrame({"x": x, "z": noise}, index=x.index)


@few
@given(regressions(), ERRORS, st.sampled_from((-4.0, 0.5)))
def test_a_regression_in_other_units_has_coefficients_in_those(given_, errors, scale: float) -> None:
    """y scaled scales coefficients and errors; a regressor scaled divides its own; p-values stay."""
    y, x = given_
    one = quietly(al.least_squares, y, x, errors).table
    tall = quietly(al.least_squares, y * scale, x, errors).table
    wide = quietly(al.least_squares, y, x.assign(x=x["x"] * scale), errors).table
    same(one["estimate"] * scale, tall["estimate"], rtol=1e-6, atol=1e-10)
    same(one["standard_error"] * abs(scale), tall["standard_error"], rtol=1e-6)
    same(one.loc["x", "estimate"] / scale, wide.loc["x", "estimate"], rtol=1e-6, atol=1e-10)
    same(one.loc["x", "standard_error"] / abs(scale), wide.loc["x", "standard_error"], rtol=1e-5)
    same(one["p_value"], tall["p_value"], rtol=1e-5, atol=1e-9)


@few
@given(regressions(), ERRORS)
def test_what_a_regressor_adds_to_y_it_adds_to_its_coefficient(given_, errors) -> None:
    """y + 2x - 0.01 has coefficients 2 and -0.01 more, the same residuals and the same errors; rounding."""
    y, x = given_
    one = quietly(al.least_squares, y, x, errors)
    other = quietly(al.least_squares, y + 2.0 * x["x"] - 0.01, x, errors)
    moved = other.table["estimate"] - one.table["estimate"]
    same(2.0, moved["x"], rtol=1e-6)
    same(0.0, moved["z"], rtol=0.0, atol=1e-6)
    same(-0.01, moved.drop(["x", "z"]), rtol=1e-6)
    same(one.table["standard_error"], other.table["standard_error"], rtol=1e-5)


@few
@given(regressions(), ERRORS)
def test_coefficients_follow_the_names_of_regressors(given_, errors) -> None:
    """In any order of the columns; to rounding."""
    y, x = given_
    one = quietly(al.least_squares, y, x, errors).table
    other = quietly(al.least_squares, y, x[["z", "x"]], errors).table.loc[one.index]
    same(one[["estimate", "standard_error"]], other[["estimate", "standard_error"]], rtol=1e-6, atol=1e-10)


# Breaks


BREAKS = al.WildSieveBootstrap(n_resamples=99)


@examples(6)
@given(one_series(rows=(40, 60)), st.sampled_from((0.5, 4.0)))
def test_a_break_has_no_unit(x: pd.Series, scale: float) -> None:
    """A series scaled by a power of two has its break on the same date, with the same p-value."""
    x = x / 8.0
    one, other = (quietly(al.break_test, each, None, BREAKS) for each in (x, x * scale))
    same(one.statistic, other.statistic, rtol=1e-6)
    assert (one.date, one.p_value) == (other.date, other.p_value)


@examples(6)
@given(one_series(rows=(40, 60)), st.sampled_from((-0.25, 0.125)))
def test_a_break_does_not_know_the_mean(x: pd.Series, shift: float) -> None:
    """A constant added to all rows moves both means and no statistic; to rounding."""
    assume(x.std() > 1e-5)
    one, other = (quietly(al.break_test, each, None, BREAKS) for each in (x, x + shift))
    same(one.statistic, other.statistic, rtol=1e-4)
    assert one.date == other.date
    before, after = (np.array(list(side.values())) for side in (one.before, other.before))
    same(before + shift, after, rtol=0.0, atol=1e-9)


@examples(6)
@given(pairs(rows=(40, 60)), st.sampled_from((-0.5, 2.0)), st.sampled_from((0.0, 0.01)))
def test_a_correlation_is_as_constant_in_other_units(pair: tuple, scale: float, shift: float) -> None:
    """The test of constancy under affine maps of either series, and with both exchanged; to rounding."""
    x, y = (each.clip(-0.3, 0.3) for each in pair)
    errors = al.ConstancyBootstrap(block_length=2, n_resamples=99)
    one = quietly(al.constant_correlation_test, x, y, errors)
    mapped = quietly(al.constant_correlation_test, x * scale + shift, y, errors)
    turned = quietly(al.constant_correlation_test, y, x, errors)
    for other in (mapped, turned):
        same(one.statistic, other.statistic, rtol=1e-5)
        assert one.date == other.date
        assert abs(one.p_value - other.p_value) < 0.011  # one of 99 resamples may stand on the edge
