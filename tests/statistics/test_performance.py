"""Invariants, published numbers and defined edge cases of growth, variation and ratios.

Invariants: the Sharpe ratio does not change with scale, nor the Sortino; equal cash added to both sides
changes nothing; every container gives the same number; n years of the same growth have that CAGR.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as scipy_stats

from allocator.errors import UndefinedStatisticWarning
from allocator.statistics import (
    best_period,
    cagr,
    calmar_ratio,
    kurtosis,
    performance_summary,
    sharpe_ratio,
    sharpe_standard_error,
    skewness,
    sortino_ratio,
    volatility,
    worst_period,
)

moderate = settings(max_examples=40, deadline=None)


@st.composite
def noisy_returns(draw, columns=1):
    """Return arrays that vary and both win and lose, so that every ratio is defined."""
    rows = draw(st.integers(6, 60))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_t(4, (rows, columns))
    noise[:2] = [[-1.0], [1.5]]
    return np.clip(noise * draw(st.floats(1e-4, 0.05)), -0.9, 0.9)


@moderate
@given(noisy_returns(), st.floats(0.1, 1.0))
def test_ratios_do_not_change_with_leverage(returns, leverage):
    for ratio in (sharpe_ratio, sortino_ratio, sharpe_standard_error):
        assert ratio(leverage * returns, 0.0, 12) == pytest.approx(ratio(returns, 0.0, 12), rel=1e-9)
    assert volatility(leverage * returns, 12) == pytest.approx(leverage * volatility(returns, 12), rel=1e-9)


@moderate
@given(noisy_returns(), st.floats(-0.01, 0.01))
def test_only_the_excess_over_cash_counts(returns, earned):
    cash = np.full(len(returns), earned)
    for ratio in (sharpe_ratio, sortino_ratio, sharpe_standard_error):
        np.testing.assert_allclose(
            ratio(np.clip(returns + earned, -1, None), cash, 12),
            ratio(returns, 0.0, 12),
            rtol=1e-7,
            atol=1e-7,
        )


@moderate
@given(noisy_returns(columns=3))
def test_every_container_gives_the_same_numbers(returns):
    dates = pd.date_range("2001-01-31", periods=len(returns), freq="ME")
    frame = pd.DataFrame(returns, dates, list("abc"))
    for statistic in (
        lambda r, p: cagr(r, p),
        lambda r, p: volatility(r, p),
        lambda r, p: sharpe_ratio(r, 0.02, p),
        lambda r, p: sharpe_standard_error(r, 0.02, p),
        lambda r, p: sortino_ratio(r, 0.02, p),
        lambda r, p: calmar_ratio(r, p),
        lambda r, _: skewness(r),
        lambda r, _: kurtosis(r),
        lambda r, _: best_period(r),
        lambda r, _: worst_period(r),
    ):
        by_array, by_frame = statistic(returns, 12), statistic(frame, None)
        assert isinstance(by_array, np.ndarray)
        assert list(by_frame.index) == list("abc")
        np.testing.assert_array_equal(by_frame, by_array)
        assert statistic(frame["b"], None) == by_array[1]
        assert isinstance(statistic(returns[:, 1], 12), float)


@moderate
@given(hnp.arrays(float, st.integers(4, 50), elements=st.floats(-0.5, 0.5)))
def test_shape_of_distribution_is_scipys(returns):
    if np.ptp(returns) < 1e-6:
        returns = returns + np.linspace(0, 0.1, len(returns))
    assert skewness(returns) == pytest.approx(scipy_stats.skew(returns), rel=1e-8, abs=1e-9)
    assert kurtosis(returns) == pytest.approx(scipy_stats.kurtosis(returns), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("freq", "periods"), [("ME", 12), ("QE", 4), ("YE", 1)])
def test_calendar_periods_count_rows(freq, periods):
    dates = pd.date_range("2000-01-31", periods=3 * periods, freq=freq)
    growth = pd.Series(1.1 ** (1 / periods) - 1, dates)
    assert cagr(growth) == pytest.approx(0.1, rel=1e-12)
    assert cagr(growth.to_numpy(), periods) == pytest.approx(0.1, rel=1e-12)


def test_daily_growth_is_counted_on_the_calendar():
    # 2021-01-01 to 2025-01-01 is 1461 days: four years of 365.25, however many trading days are in them.
    dates = pd.bdate_range("2021-01-04", "2025-01-01")
    returns = pd.Series(0.0, dates)
    returns.iloc[3] = 1.1**4 - 1
    assert cagr(returns, start="2021-01-01") == pytest.approx(0.1, rel=1e-12)
    years = (dates[-1] - dates[0]).days / 365.25 + 1 / 252
    assert cagr(returns) == pytest.approx(1.1 ** (4 / years) - 1, rel=1e-12)
    assert cagr(returns.to_numpy(), 252) == pytest.approx(1.1 ** (4 * 252 / len(returns)) - 1, rel=1e-12)


def test_annual_rate_earns_what_it_says_on_the_calendar(daily):
    """A float is an annual effective rate: its periods compound to it over a year of days."""
    from allocator.statistics._cash import read_cash
    from allocator.statistics._returns import read_returns

    earned = read_cash(0.05, read_returns(daily), None)
    years = (daily.index[-1] - daily.index[0]).days / 365.25 + 1 / 252
    assert np.prod(1 + earned) == pytest.approx(1.05**years, rel=1e-12)
    assert earned[5] == pytest.approx(
        1.05 ** ((daily.index[5] - daily.index[4]).days / 365.25) - 1, rel=1e-12
    )


def test_cash_series_may_be_longer_and_is_aligned_by_date(daily):
    dates = pd.bdate_range("2018-12-03", periods=1000)
    cash = pd.Series(np.linspace(0, 2e-4, 1000), dates)
    by_hand = daily - cash.loc[daily.index]
    assert sharpe_ratio(daily, cash) == pytest.approx(
        by_hand.mean() / by_hand.std() * np.sqrt(252), rel=1e-12
    )
    assert sharpe_ratio(daily, cash) == sharpe_ratio(daily, cash.loc[daily.index].to_numpy())


def test_standard_error_is_the_spread_of_sharpe_ratios():
    """Mertens' formula against what it estimates: skewed independent returns, 3,000 samples of 50 years."""
    draws = 0.01 * (3 - np.random.default_rng(3).gamma(2.0, 1.0, (600, 3000)))
    ratios, errors = sharpe_ratio(draws, 0.0, 12), sharpe_standard_error(draws, 0.0, 12)
    assert errors.mean() == pytest.approx(ratios.std(), rel=0.05)
    # Lo's formula for normal returns misses by far more than the tolerance: this test can fail.
    normal = np.sqrt(12 * (1 + (ratios**2).mean() / 12 / 2) / 600)
    assert abs(normal / ratios.std() - 1) > 0.2


@moderate
@given(noisy_returns())
def test_standard_error_is_mertens_formula(returns):
    sharpe = sharpe_ratio(returns[:, 0], 0.0, 12) / np.sqrt(12)
    skew, kurt = scipy_stats.skew(returns[:, 0]), scipy_stats.kurtosis(returns[:, 0], fisher=False)
    variance = (1 - skew * sharpe + (kurt - 1) / 4 * sharpe**2) / len(returns)
    assert sharpe_standard_error(returns[:, 0], 0.0, 12) == pytest.approx(np.sqrt(12 * variance), rel=1e-9)


def test_performance_analytics_agrees_where_conventions_coincide(case, managers, edhec):
    """PerformanceAnalytics c079aea, 23 monthly series: 12 periods a year, geometric return, ddof 1."""
    expected = pd.read_csv(case("C_performanceanalytics_expected.csv"))
    assert expected["series"].nunique() == 23
    for (dataset, name), rows in expected.groupby(["dataset", "series"]):
        returns = {"managers": managers, "edhec": edhec}[dataset][name].dropna()
        value = rows.set_index("stat")["value"]
        rate = np.full(len(returns), 0.04 / 12)
        ours = {
            "ann_return_geometric": cagr(returns),
            "ann_stdev": volatility(returns),
            "ann_sharpe_arithmetic_rf0": returns.mean() * 12 / volatility(returns),
            "monthly_sharpe_stddev_rf0": sharpe_ratio(returns, 0.0) / np.sqrt(12),
            "monthly_sharpe_stddev_rf_0.04_12": sharpe_ratio(returns, rate) / np.sqrt(12),
            "sortino_mar0": sortino_ratio(returns, 0.0) / np.sqrt(12) if (returns < 0).any() else np.inf,
            "calmar": calmar_ratio(returns) if (returns < 0).any() else np.inf,
            "skew_moment": skewness(returns),
            "excess_kurtosis_moment": kurtosis(returns),
        }
        for stat, number in ours.items():
            assert number == pytest.approx(value[stat], rel=1e-11), (name, stat)


def test_summary_is_the_functions_one_by_one(managers):
    returns, cash = managers[["HAM1", "SP500 TR"]], managers["US 3m TR"]
    table = performance_summary(returns, cash, start="1995-12-31")
    names = "cagr volatility sharpe sharpe_se sortino max_drawdown peak trough recovery calmar var_95 es_95"
    assert " ".join(table.columns) == f"{names} skew kurtosis best worst n"
    assert list(table.index) == ["HAM1", "SP500 TR"]
    stocks = table.loc["SP500 TR"]
    assert stocks["sharpe"] == sharpe_ratio(returns["SP500 TR"], cash)
    assert stocks["calmar"] == calmar_ratio(returns["SP500 TR"])
    assert [f"{stocks[name]:%Y-%m}" for name in ("peak", "trough", "recovery")] == [
        "2000-08",
        "2002-09",
        "2006-10",
    ]
    assert stocks["n"] == 132


def test_summary_of_arrays_and_of_one_series(daily):
    by_array, by_series = performance_summary(daily.to_numpy(), 0.0, 252), performance_summary(daily, 0.0)
    assert list(by_series.index) == ["noise"]
    assert by_array.loc[0, "sharpe"] == pytest.approx(by_series.loc["noise", "sharpe"], rel=1e-12)
    trough = by_array.loc[0, "trough"]
    assert daily.index[trough] == by_series.loc["noise", "trough"]


def test_input_is_not_changed_nor_frozen(daily):
    before = daily.copy()
    array = daily.to_numpy().copy()
    performance_summary(daily, 0.01)
    performance_summary(array, 0.01, 252)
    pd.testing.assert_series_equal(daily, before)
    array[0] = 0.0
    table = np.asfortranarray(np.column_stack([array, -array]))
    volatility(table, 252)
    table[0] = 0.0


@pytest.mark.parametrize("level", [0.01, 0.1, 0.0, -0.003])
def test_F120_constant_returns(level):
    returns = np.full(6, level)
    with pytest.warns(
        UndefinedStatisticWarning, match="sharpe_ratio of 0 is NaN: the excess return never changes"
    ):
        assert np.isnan(sharpe_ratio(returns, 0.02, 12))
    with pytest.warns(UndefinedStatisticWarning, match="never change"):
        assert np.isnan(sharpe_standard_error(returns, 0.02, 12))
    with pytest.warns(UndefinedStatisticWarning, match="never change"):
        assert np.isnan(skewness(returns))
    assert volatility(returns, 12) == 0.0


def test_F120_constant_excess_over_cash_that_moves():
    cash = np.random.default_rng(0).normal(0.002, 0.0005, 50)
    # A premium far below the returns: what rounding leaves is of the size of the returns, not of the premium.
    for premium in (0.1, 1e-8):
        with pytest.warns(UndefinedStatisticWarning, match="never changes"):
            assert np.isnan(sharpe_ratio(cash + premium, cash, 12))


def test_F120_names_the_series_and_computes_the_others(daily):
    table = pd.DataFrame({"bills": 1e-4, "stocks": daily})
    with pytest.warns(UndefinedStatisticWarning, match="of 'bills' is NaN"):
        ratios = sharpe_ratio(table, 0.0)
    assert np.isnan(ratios["bills"])
    assert np.isfinite(ratios["stocks"])


def test_F119_one_return():
    one = np.array([0.01])
    for statistic in (lambda: volatility(one, 12), lambda: sharpe_ratio(one, 0.0, 12)):
        with pytest.warns(UndefinedStatisticWarning, match="n=1"):
            assert np.isnan(statistic())
    assert cagr(one, 12) == pytest.approx(1.01**12 - 1)


def test_F121_all_zero_returns():
    zeros = np.zeros(30)
    assert volatility(zeros, 252) == 0
    assert cagr(zeros, 252) == 0
    with pytest.warns(UndefinedStatisticWarning, match="no drawdown"):
        assert np.isnan(calmar_ratio(zeros, 252))
    with pytest.warns(UndefinedStatisticWarning, match="no period lost"):
        assert np.isnan(sortino_ratio(zeros, 0.0, 252))


def test_F123_everything_is_lost():
    returns = np.array([0.1, -1.0, 0.2])
    assert cagr(returns, 12) == -1.0
    assert calmar_ratio(returns, 12) == -1.0


def test_F139_fewer_than_four_returns_have_no_shape():
    for statistic in (skewness, kurtosis, lambda r: sharpe_standard_error(r, 0.0, 12)):
        with pytest.warns(UndefinedStatisticWarning, match="n=3, at least 4"):
            assert np.isnan(statistic(np.array([0.01, -0.02, 0.04])))


def test_sortino_divides_by_all_periods():
    returns = np.array([0.03, -0.01, 0.02, -0.02])
    by_hand = returns.mean() / np.sqrt((0.01**2 + 0.02**2) / 4) * np.sqrt(12)
    assert sortino_ratio(returns, 0.0, 12) == pytest.approx(by_hand, rel=1e-12)


def test_warning_points_at_the_caller():
    with pytest.warns(UndefinedStatisticWarning) as caught:
        sharpe_ratio(np.full(5, 0.01), 0.0, 12)
    assert caught[0].filename == __file__
