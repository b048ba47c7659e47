"""Relations of statistics to themselves: shifted, scaled, turned round, joined, renamed, put in company."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from generated import examples, one_series, pairs, plain_worlds, quietly, return_tables
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al

few = examples(15)
POWERS = st.sampled_from((0.125, 0.5, 2.0, 4.0))
LEVELS = st.sampled_from((0.01, 0.05, 0.3))
CLOSE = {"rtol": 1e-9, "atol": 1e-13}
OF_RETURNS = (
    al.volatility,
    al.total_return,
    al.cagr,
    al.max_drawdown,
    al.average_drawdown,
    al.pain_index,
    al.ulcer_index,
    al.best_period,
    al.worst_period,
    al.skewness,
    al.kurtosis,
    al.value_at_risk,
    al.expected_shortfall,
    al.normal_value_at_risk,
    al.normal_expected_shortfall,
    al.modified_value_at_risk,
    al.tail_ratio,
    al.drawdown_at_risk,
    al.conditional_drawdown_at_risk,
    al.calmar_ratio,
)
OF_RETURNS_AND_CASH = (
    al.sharpe_ratio,
    al.sortino_ratio,
    al.omega_ratio,
    al.downside_deviation,
    al.martin_ratio,
)
WITHOUT_ORDER = (
    al.volatility,
    al.total_return,
    al.best_period,
    al.worst_period,
    al.skewness,
    al.kurtosis,
    al.value_at_risk,
    al.expected_shortfall,
    al.normal_value_at_risk,
    al.modified_expected_shortfall,
    al.tail_ratio,
)


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(np.asarray(other, float), np.asarray(one, float), **(close or CLOSE))


# One series or many


@few
@given(return_tables())
def test_a_table_has_the_statistics_of_its_columns(table: pd.DataFrame) -> None:
    """In whatever company a series stands; to rounding, since sums may go row by row."""
    for statistic in OF_RETURNS:
        together = quietly(statistic, table)
        same([quietly(statistic, table[name]) for name in table], together, rtol=1e-9, atol=1e-12)
    for statistic in OF_RETURNS_AND_CASH:
        together = quietly(statistic, table, 0.02)
        same([quietly(statistic, table[name], 0.02) for name in table], together, rtol=1e-7, atol=1e-12)


@few
@given(return_tables(series=(2, 4)))
def test_statistics_follow_the_names_of_columns(table: pd.DataFrame) -> None:
    """Columns turned round and renamed: each number goes with its series; to rounding."""
    turned = table[list(table)[::-1]]
    for statistic in OF_RETURNS:
        one, other = quietly(statistic, table), quietly(statistic, turned)
        assert list(other.index) == list(turned)
        same(one, other.loc[one.index], rtol=1e-9, atol=1e-12)
        renamed = quietly(statistic, table.rename(columns=lambda name: f"x{name}"))
        assert np.array_equal(one.to_numpy(), renamed.to_numpy(), equal_nan=True)


@few
@given(return_tables(), st.randoms(use_true_random=False))
def test_the_order_of_periods_matters_to_no_statistic_of_the_distribution(
    table: pd.DataFrame, random
) -> None:
    """To rounding of sums; those of drawdowns depend on it, and are not among these."""
    rows = list(range(len(table)))
    random.shuffle(rows)
    mixed = pd.DataFrame(table.to_numpy()[rows], index=table.index, columns=table.columns)
    for statistic in WITHOUT_ORDER:
        same(quietly(statistic, table), quietly(statistic, mixed), rtol=1e-8, atol=1e-12)


@few
@given(one_series(), one_series())
def test_an_array_has_the_statistics_of_the_series(x: pd.Series, other: pd.Series) -> None:
    """Where no date is needed; bit for bit."""
    for statistic in (*WITHOUT_ORDER[1:], al.max_drawdown, al.ulcer_index):
        assert np.array_equal(quietly(statistic, x), quietly(statistic, x.to_numpy()), equal_nan=True)


# Shift and scale


@few
@given(return_tables(), LEVELS, st.sampled_from((-0.01, 0.003, 0.05)))
def test_a_certain_gain_lowers_the_tail_losses_by_itself(
    table: pd.DataFrame, level: float, gain: float
) -> None:
    """Translation: value at risk and expected shortfall, empirical and normal; to rounding."""
    for statistic in (
        al.value_at_risk,
        al.expected_shortfall,
        al.normal_value_at_risk,
        al.normal_expected_shortfall,
    ):
        same(statistic(table, level) - gain, statistic(table + gain, level), rtol=0.0, atol=1e-13)


@few
@given(return_tables(), LEVELS, st.sampled_from((0.125, 0.5)))
def test_half_the_returns_are_half_the_tail_losses(table: pd.DataFrame, level: float, part: float) -> None:
    """Positive homogeneity, by powers of two bit for bit; volatility, worst and best period too."""
    for statistic in (al.value_at_risk, al.expected_shortfall):
        assert np.array_equal(statistic(table, level) * part, statistic(table * part, level))
    for statistic in (al.volatility, al.worst_period, al.best_period):
        assert np.array_equal(statistic(table) * part, statistic(table * part))
    for statistic in (al.normal_value_at_risk, al.modified_value_at_risk):
        same(quietly(statistic, table, level) * part, quietly(statistic, table * part, level))


@few
@given(pairs(), LEVELS)
def test_two_series_together_fall_short_by_no_more_than_both(pair: tuple, level: float) -> None:
    """Expected shortfall is subadditive, on every sample; value at risk is not, and never above it."""
    x, y = pair[0] / 2.0, pair[1] / 2.0
    parts = al.expected_shortfall(x, level) + al.expected_shortfall(y, level)
    assert al.expected_shortfall(x + y, level) <= parts + 1e-15
    assert al.expected_shortfall(x, level) >= al.value_at_risk(x, level) - 1e-15


@few
@given(return_tables())
def test_a_smaller_tail_loses_no_less(table: pd.DataFrame) -> None:
    """Value at risk and expected shortfall fall as the level rises, on every sample."""
    for statistic in (al.value_at_risk, al.expected_shortfall, al.normal_expected_shortfall):
        losses = np.array([statistic(table, level) for level in (0.01, 0.05, 0.1, 0.3)])
        assert (np.diff(losses, axis=0) <= 1e-15).all()


@few
@given(return_tables(), st.sampled_from((-1.0, 0.5, 3.0)), st.sampled_from((0.0, 0.01)))
def test_the_shape_of_a_distribution_has_no_unit(table: pd.DataFrame, scale: float, shift: float) -> None:
    """Skewness and kurtosis under affine maps, the sign of skewness with that of the map; to rounding."""
    assume((table.std() > 1e-5).all())
    mapped = table.clip(-0.3, 0.3) * scale + shift
    table = table.clip(-0.3, 0.3)
    assume((table.std() > 1e-5).all())
    same(np.sign(scale) * quietly(al.skewness, table), quietly(al.skewness, mapped), rtol=1e-6, atol=1e-7)
    same(quietly(al.kurtosis, table), quietly(al.kurtosis, mapped), rtol=1e-6, atol=1e-6)


# Ratios


@few
@given(one_series(risks=(1e-4, 0.01)), st.sampled_from((0.25, 0.5, 2.0, 3.0)), st.sampled_from((0.0, 0.03)))
def test_leverage_at_the_cash_return_leaves_the_sharpe_ratio(x: pd.Series, k: float, rate: float) -> None:
    """And its error, the information ratio to cash and the Omega ratio; with -k the sign turns; rounding."""
    cash = pd.Series(rate / 400.0 * np.cos(np.arange(len(x))), index=x.index)
    levered, mirrored = cash + k * (x - cash), cash - k * (x - cash)
    sharpe, close = al.sharpe_ratio(x, cash), {"rtol": 1e-8, "atol": 1e-8}
    same(sharpe, al.sharpe_ratio(levered, cash), **close)
    same(-sharpe, al.sharpe_ratio(mirrored, cash), **close)
    same(al.sharpe_standard_error(x, cash), al.sharpe_standard_error(levered, cash), **close)
    same(al.omega_ratio(x, cash), al.omega_ratio(levered, cash), **close)
    same(1.0 / al.omega_ratio(x, cash), al.omega_ratio(mirrored, cash), **close)
    same(sharpe, al.information_ratio(x, cash), **close)


@few
@given(one_series(), st.sampled_from((0.0, 0.04)))
def test_ratios_above_cash_have_one_sign(x: pd.Series, rate: float) -> None:
    """Sharpe, Sortino and Omega agree on whether cash was better, wherever they are defined."""
    sharpe, sortino = quietly(al.sharpe_ratio, x, rate), quietly(al.sortino_ratio, x, rate)
    omega = quietly(al.omega_ratio, x, rate)
    assume(np.isfinite([sharpe, sortino, omega]).all() and abs(omega - 1.0) > 1e-9)
    assert (sharpe > 0.0) == (sortino > 0.0) == (omega > 1.0)


@few
@given(pairs(), st.sampled_from((-0.5, 0.25, 2.0)), st.sampled_from((0.0, 0.001)))
def test_beta_is_linear_and_alpha_takes_what_is_left(pair: tuple, k: float, gain: float) -> None:
    """Of a + k r + (1 - k) b: k beta + 1 - k and k alpha + a for a year; of 3 b there is no alpha."""
    x, b = (each.clip(-0.2, 0.2).to_numpy() for each in pair)
    assume(b.std() > 1e-6)
    periods = 12
    mixed = gain + k * x + (1.0 - k) * b
    one, other = (al.beta(each, b, 0.0, periods) for each in (x, mixed))
    same(k * one + 1.0 - k, other, rtol=1e-7, atol=1e-7)
    alpha = al.jensen_alpha(x, b, 0.0, periods)
    same(k * alpha + periods * gain, al.jensen_alpha(mixed, b, 0.0, periods), rtol=1e-7, atol=1e-8)
    same([1.0, 0.0], [al.beta(b, b, 0.0, periods), al.jensen_alpha(b, b, 0.0, periods)], rtol=0, atol=1e-12)
    same(0.0, al.jensen_alpha(3.0 * b, b, 0.0, periods), rtol=0.0, atol=1e-12)


@few
@given(pairs())
def test_two_series_are_as_far_from_each_other_either_way(pair: tuple) -> None:
    """Tracking error is symmetric and the information ratio antisymmetric; bit for bit."""
    x, y = pair
    assert al.tracking_error(x, y) == al.tracking_error(y, x)
    assert quietly(al.information_ratio, x, y) == -quietly(al.information_ratio, y, x)


@few
@given(one_series(rows=(30, 60)))
def test_capture_of_itself_is_all(x: pd.Series) -> None:
    """Up and down; a series beside itself is no surprise; to rounding."""
    assume((x > 0.0).sum() > 6 and (x < 0.0).sum() > 6)
    table = quietly(al.capture_ratios, x, x, n_resamples=99).table
    same([1.0, 1.0], table.loc[["up", "down"], "capture"], rtol=1e-9)


# Paths


@few
@given(one_series(), one_series())
def test_growth_of_two_spans_compounds(x: pd.Series, y: pd.Series) -> None:
    """Total return of one after the other, and the path of wealth is that of a prefix; prefix bit for bit."""
    joined = np.append(x.to_numpy(), y.to_numpy())
    one, other = al.total_return(x), al.total_return(y)
    same((1.0 + one) * (1.0 + other) - 1.0, al.total_return(joined), rtol=1e-12, atol=1e-13)
    for path in (al.cumulative_returns, al.drawdown_path):
        assert np.array_equal(path(joined)[: len(x)], path(x.to_numpy()))


@few
@given(one_series(), one_series())
def test_the_deepest_drawdown_of_two_spans_is_no_shallower_than_either(x: pd.Series, y: pd.Series) -> None:
    """Joined, losses can only add up: depth, and not less than that of each; to rounding."""
    joined = np.append(x.to_numpy(), y.to_numpy())
    deepest = al.max_drawdown(joined)
    assert deepest <= min(al.max_drawdown(x), al.max_drawdown(y)) + 1e-15
    assert deepest >= (1.0 + al.max_drawdown(x)) * (1.0 + al.max_drawdown(y)) - 1.0 - 1e-12


@few
@given(one_series())
def test_a_drawdown_read_backwards_is_that_of_the_inverse_path(x: pd.Series) -> None:
    """Returns in reverse order are that path; its troughs stand to its peaks as these to those; rounding."""
    backwards = x.to_numpy()[::-1].copy()
    same(al.max_drawdown(x), al.max_drawdown(backwards), rtol=1e-12, atol=1e-15)


@few
@given(one_series(), st.integers(0, 11))
def test_a_period_without_a_return_changes_no_depth(x: pd.Series, row: int) -> None:
    """Deepest and average drawdown, and the growth of all; bit for bit."""
    longer = np.insert(x.to_numpy(), row, 0.0)
    for statistic in (al.max_drawdown, al.average_drawdown, al.total_return):
        assert statistic(longer) == statistic(x.to_numpy())


@few
@given(one_series(spacings=("daily",), rows=(60, 60)))
def test_months_compound_to_what_their_days_do(x: pd.Series) -> None:
    """Over complete months; to rounding."""
    months = al.monthly_returns(x)
    assume(len(months))
    ends = months.index
    first = x.index.searchsorted(ends[0].replace(day=1))
    inside = x.iloc[first : x.index.get_loc(ends[-1]) + 1]
    same(al.total_return(inside), np.prod(1.0 + months) - 1.0, rtol=1e-12, atol=1e-14)


@few
@given(plain_worlds(rows=(12, 40)), st.sampled_from((0.5, 8.0)), st.sampled_from((0.1, 0.7)))
def test_an_investor_of_more_money_earns_the_same_rate(world, factor: float, gain: float) -> None:
    """Money-weighted return has no unit; and without flows between it is the growth a year; to rounding."""
    dates = world.prices.index
    paid = pd.Series([1.0, 0.25], index=dates[[0, len(dates) // 2]])
    value = pd.Series([1.25 + gain], index=dates[-1:])
    rate = quietly(al.money_weighted_return, paid, value)
    same(rate, quietly(al.money_weighted_return, paid * factor, value * factor), rtol=1e-9, atol=1e-12)
    alone = al.money_weighted_return(paid.iloc[:1], value)
    years = (dates[-1] - dates[0]).days / 365.25
    same((1.25 + gain) ** (1.0 / years) - 1.0, alone, rtol=1e-9)


# Covariance


@few
@given(return_tables(series=(2, 4)), st.data())
def test_covariance_of_scaled_returns_is_scaled_on_both_sides(
    table: pd.DataFrame, data: st.DataObject
) -> None:
    """Each asset by its own power of two: sample and exponential, bit for bit; shifts change nothing."""
    scale = np.array([data.draw(POWERS) for _ in table])
    both = np.outer(scale, scale)
    table = table / 4.0
    for estimate in (al.sample_covariance, lambda t: al.exponential_covariance(t, 5.0)):
        one = estimate(table).to_numpy()
        assert np.array_equal(one * both, estimate(table * scale).to_numpy())
        same(one, estimate(table + 0.001).to_numpy(), rtol=1e-6, atol=1e-12 * np.abs(one).max() + 1e-18)


@few
@given(return_tables(series=(2, 4)), POWERS)
def test_shrinkage_has_no_unit(table: pd.DataFrame, scale: float) -> None:
    """One unit for all assets: Ledoit and Wolf's intensities stay, covariances scale; to rounding."""
    for estimate in (al.ledoit_wolf_covariance, al.ledoit_wolf_identity_covariance):
        try:
            one, other = quietly(estimate, table / 4.0), quietly(estimate, table / 4.0 * scale)
        except al.AllocatorError:
            assume(False)
        same(one.intensity, other.intensity, rtol=1e-9, atol=1e-12)
        same(one.covariance * scale**2, other.covariance)


@few
@given(return_tables(series=(3, 4)), st.booleans())
def test_covariances_follow_the_names_of_assets(table: pd.DataFrame, wild: bool) -> None:
    """Rows and columns turned round with the assets, shrunk ones too, calm ones beside a wild."""
    names = list(table)
    if wild:
        table = table / table.std() * np.where(np.arange(len(names)) == 0, 0.05, 1e-9)
    estimates = (
        al.sample_covariance,
        lambda t: al.exponential_covariance(t, 5.0),
        lambda t: al.ledoit_wolf_covariance(t).covariance,
        lambda t: al.ledoit_wolf_identity_covariance(t).covariance,
    )
    for estimate in estimates:
        try:
            one, other = quietly(estimate, table), quietly(estimate, table[names[::-1]])
        except al.AllocatorError:
            assume(False)
        deviation = np.sqrt(np.diag(one))
        unit = np.outer(deviation, deviation)
        same(one / unit, other.loc[names, names] / unit, rtol=0.0, atol=1e-9)


@few
@given(return_tables(series=(2, 3)), st.integers(3, 12))
def test_a_rolling_covariance_is_that_of_each_window(table: pd.DataFrame, window: int) -> None:
    """And that of a prefix is a prefix; to rounding, because what is merged with what depends on all."""
    rolled = al.rolling_covariance(table, window)
    for date in (rolled.dates[0], rolled.dates[-1]):
        stop = table.index.get_loc(date) + 1
        one = al.sample_covariance(table.iloc[stop - window : stop])
        same(one, rolled.at(date), rtol=1e-9, atol=1e-12 * float(np.abs(one.to_numpy()).max()))
    short = al.rolling_covariance(table.iloc[:-2] if len(table) > window + 2 else table, window)
    close = 1e-12 * float(np.abs(rolled.matrices).max())
    same(short.matrices, rolled.matrices[: len(short.matrices)], rtol=1e-9, atol=close)


# Correlation


@few
@given(pairs(), st.sampled_from((-3.0, -0.5, 0.5, 2.0)), st.sampled_from((0.0, 0.01)))
def test_correlation_has_no_unit(pair: tuple, scale: float, shift: float) -> None:
    """Affine maps leave its size and give their sign, also to the interval; to rounding; it is symmetric."""
    x, y = (each.clip(-0.2, 0.2) for each in pair)
    mapped = x * scale + shift
    assert al.correlation(x, y) == pytest.approx(al.correlation(y, x), abs=1e-14)
    same(np.sign(scale) * al.correlation(x, y), al.correlation(mapped, y), rtol=0.0, atol=1e-9)
    one = quietly(al.correlation_interval, x, y, n_resamples=20)
    other = quietly(al.correlation_interval, mapped, y, n_resamples=20)
    limits = (one.low, one.high) if scale > 0 else (-one.high, -one.low)
    same(limits, (other.low, other.high), rtol=0.0, atol=1e-6)


@few
@given(st.floats(-0.999, 0.999), st.integers(4, 400), st.sampled_from((0.5, 0.95)))
def test_fisher_intervals_mirror(r: float, n: int, confidence: float) -> None:
    """Of -r it is that of r turned round; more pairs make it no wider."""
    low, high = al.fisher_interval(r, n, confidence)
    same((-high, -low), al.fisher_interval(-r, n, confidence), rtol=0.0, atol=1e-15)
    narrow = al.fisher_interval(r, n + 5, confidence)
    assert low - 1e-15 <= narrow[0] <= narrow[1] <= high + 1e-15


@few
@given(st.floats(-1.0, 1.0), st.floats(0.0, 9.0), st.floats(0.0, 9.0))
def test_adjusting_twice_for_variance_is_adjusting_once_for_both(r: float, one: float, two: float) -> None:
    """Forbes and Rigobon: 1 + delta multiplies; none is the identity; the sign goes through; rounding."""
    both = (1.0 + one) * (1.0 + two) - 1.0
    twice = al.forbes_rigobon_correlation(al.forbes_rigobon_correlation(r, one), two)
    same(al.forbes_rigobon_correlation(r, both), twice, rtol=1e-12, atol=1e-15)
    assert al.forbes_rigobon_correlation(-r, one) == -al.forbes_rigobon_correlation(r, one)
    same(r, al.forbes_rigobon_correlation(r, 0.0), rtol=1e-15)


@few
@given(one_series(risks=(0.01,)), st.sampled_from((0.5, 1.0, 2.5)))
def test_what_leverage_did_adds_up_and_none_did_nothing(x: pd.Series, k: float) -> None:
    """Parts of a constant leverage sum to k r - (k - 1) c - (k - 1)(b - c); at k = 1 the source is left."""
    flat = pd.Series(k, index=x.index)
    table = al.levered_return_parts(x, flat, 0.02, 0.03, n_resamples=20).table["mean"]
    same(table.iloc[:-1].sum(), table.iloc[-1], rtol=0.0, atol=1e-15)
    same(0.0, table["covariance with leverage"], rtol=0.0, atol=1e-15)
    if k == 1.0:
        same(0.0, table.iloc[1:4], rtol=0.0, atol=1e-15)
        same(x.mean(), table.iloc[-1], rtol=1e-12)
