"""What is refused, each with the argument, the first date and what to do; ids are those of docs/faults.md."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics import (
    bootstrap_correlation,
    cagr,
    correlation,
    drawdowns,
    expected_shortfall,
    fisher_interval,
    max_drawdown,
    optimal_block_length,
    performance_summary,
    resampled_means,
    sample_covariance,
    sharpe_ratio,
    value_at_risk,
    volatility,
    worst_drawdown,
)


@pytest.fixture
def table(daily):
    return pd.DataFrame({"SPY": daily, "TLT": -0.5 * daily})


@pytest.mark.parametrize(
    "nothing", [pd.Series(dtype=float, index=pd.DatetimeIndex([])), np.array([]), np.empty((5, 0))]
)
def test_F118_empty_returns(nothing):
    with pytest.raises(InputError, match="returns: empty"):
        max_drawdown(nothing)


def test_F122_return_below_minus_one(table):
    table.iloc[3, 1] = -1.55
    with pytest.raises(
        InputError, match=r"returns\['TLT'\] on 2019-01-07: -1.55 is below -1.*percent"
    ) as refusal:
        max_drawdown(table)
    assert refusal.value.asset == "TLT"


def test_F124_infinite_return(daily):
    daily.iloc[4] = np.inf
    with pytest.raises(InputError, match="returns on 2019-01-08: infinite"):
        volatility(daily)


def test_F125_nan_is_never_dropped(table):
    table.iloc[[5, 9], 0] = np.nan
    with pytest.raises(InputError, match=r"returns\['SPY'\] on 2019-01-09: NaN \(first of 2\); .*dropna"):
        performance_summary(table, 0.0)


def test_F125_nan_in_an_array_names_its_row():
    with pytest.raises(InputError, match="returns on row 2: NaN"):
        cagr(np.array([0.1, 0.2, np.nan]), 12)


def test_F127_prices_passed_as_returns(table):
    prices = 100 * (1 + table).cumprod()
    with pytest.raises(
        InputError, match=r"returns\['SPY'\] on 2019-01-02: .*prices, not returns; .*pct_change"
    ):
        volatility(prices)
    mixed = table.assign(TLT=prices["TLT"])
    with pytest.raises(InputError, match=r"returns\['TLT'\]"):
        volatility(mixed)
    with pytest.raises(InputError, match="x on 2019-01-02"):
        correlation(prices["SPY"], table["TLT"])


def test_F127_returns_of_a_lottery_are_no_prices():
    beside_bills = np.array([[2.0, 0.01], [-0.5, 0.01], [3.0, 0.01]])
    assert max_drawdown(beside_bills) == pytest.approx([-0.5, 0.0])


def test_F128_unsorted_returns(daily):
    swapped = daily.iloc[[0, 1, 3, 2, 4]]
    with pytest.raises(InputError, match=r"returns on 2019-01-04: comes after 2019-01-07; .*sort_index"):
        max_drawdown(swapped)


def test_duplicate_dates(daily):
    with pytest.raises(InputError, match="returns on 2019-01-03: duplicate date"):
        max_drawdown(daily.iloc[[0, 1, 1, 2]])


def test_duplicate_columns(table):
    with pytest.raises(InputError, match="duplicate column"):
        volatility(table.set_axis(["SPY", "SPY"], axis=1))


@pytest.mark.parametrize("returns", [[0.1, 0.2], 0.1, None, np.zeros((2, 2, 2)), np.array(["a"])])
def test_what_is_no_table(returns):
    with pytest.raises(InputError, match="returns: "):
        max_drawdown(returns)


def test_columns_that_are_no_numbers(table):
    with pytest.raises(InputError, match=r"returns\['name'\]: .* is not numeric"):
        volatility(table.assign(name="x"))
    with pytest.raises(InputError, match=r"bool is not numeric"):
        volatility(table.assign(up=table["SPY"] > 0))


def test_series_without_dates(daily):
    with pytest.raises(InputError, match=r"RangeIndex, expected dates; .*to_numpy"):
        max_drawdown(daily.reset_index(drop=True))
    with pytest.raises(InputError, match="no date in row 1"):
        max_drawdown(pd.Series([0.1, 0.2], pd.DatetimeIndex(["2020-01-01", None])))


def test_one_series_where_one_is_meant(table):
    for statistic in (drawdowns, worst_drawdown, optimal_block_length):
        with pytest.raises(InputError, match="2 series, expected one"):
            statistic(table)


def test_F132_cash_on_other_dates(daily):
    cash = pd.Series(1e-4, daily.index).drop(daily.index[[7, 8]])
    with pytest.raises(InputError, match="cash on 2019-01-11: missing; it has 754 of the 756 dates"):
        sharpe_ratio(daily, cash)


def test_cash_of_other_shapes(daily):
    with pytest.raises(InputError, match="cash: 755 rows for 756 rows of returns"):
        sharpe_ratio(daily, np.zeros(755))
    with pytest.raises(InputError, match=r"cash: has dates .*to_numpy"):
        sharpe_ratio(daily.to_numpy(), pd.Series(1e-4, daily.index), 252)
    with pytest.raises(InputError, match="cash: expected an annual rate"):
        sharpe_ratio(daily, "3%")
    gappy = pd.Series(1e-4, daily.index)
    gappy.iloc[1] = np.nan
    with pytest.raises(InputError, match="cash on 2019-01-03: NaN"):
        sharpe_ratio(daily, gappy)


@pytest.mark.parametrize("rate", [3.0, -0.6, 0.51, np.nan])
def test_F131_cash_in_percent(daily, rate):
    with pytest.raises(InputError, match=r"cash: an annual rate of .* looks like percent; pass 0.03"):
        sharpe_ratio(daily, rate)


def test_F131_annual_rates_as_cash_a_period(daily):
    with pytest.raises(InputError, match=r"a typical return of 0.03 a period is 7.56 a year"):
        sharpe_ratio(daily, pd.Series(0.03, daily.index))


@pytest.mark.parametrize(("freq", "stated"), [("ME", 252), ("ME", 13), ("B", 12), ("B", 365), ("QE", 12)])
def test_F133_periods_that_contradict_the_dates(freq, stated):
    returns = pd.Series([0.01, -0.01] * 20, pd.date_range("2015-01-01", periods=40, freq=freq))
    with pytest.raises(InputError, match=f"periods_per_year: {stated} contradicts the dates of returns"):
        volatility(returns, stated)


def test_F133_conventions_for_days_are_no_contradiction(daily):
    assert volatility(daily, 260) == pytest.approx(volatility(daily) * np.sqrt(260 / 252))


@pytest.mark.parametrize("periods", [0, -12, np.inf, np.nan])
def test_periods_that_are_no_number(daily, periods):
    with pytest.raises(InputError, match=r"periods_per_year: .* is not a positive number"):
        volatility(daily, periods)


def test_arrays_must_be_told_their_frequency():
    with pytest.raises(InputError, match="periods_per_year: an array has no frequency"):
        volatility(np.array([0.1, -0.1]))
    with pytest.raises(InputError, match="one date has no frequency"):
        cagr(pd.Series([0.1], pd.to_datetime(["2020-01-01"])))


def test_rows_taken_out_of_a_table_have_no_frequency(daily):
    regime = daily.drop(daily.index[100:300])
    with pytest.raises(InputError, match="mixed frequency"):
        volatility(regime)
    assert max_drawdown(regime) < 0


def test_start_after_the_first_return(daily):
    with pytest.raises(InputError, match="start on 2019-01-02: 2019-01-02 is not before the first return"):
        cagr(daily, start="2019-01-02")
    with pytest.raises(InputError, match="start: the returns are an array"):
        cagr(daily.to_numpy(), 252, start="2019-01-01")


@pytest.mark.parametrize("level", [5, 0, 0.5, -0.05, 0.95, np.nan])
def test_F137_level_in_percent(daily, level):
    for statistic in (value_at_risk, expected_shortfall):
        with pytest.raises(InputError, match=r"level: .* is not between 0 and 0.5; pass 0.05"):
            statistic(daily, level)


def test_covariance_needs_two_periods_and_a_table(daily, table):
    with pytest.raises(InsufficientHistoryError, match="1 period, at least 2") as refusal:
        sample_covariance(table.iloc[:1])
    assert refusal.value.rows_needed == 2
    with pytest.raises(InputError, match="one series has no covariance matrix"):
        sample_covariance(daily)


def test_F129_correlation_on_other_dates(daily):
    with pytest.raises(
        InputError, match="y on 2019-01-08: missing; x has 756 dates, y 755, and they share 755"
    ):
        correlation(daily, daily.drop(daily.index[4]))
    with pytest.raises(InputError, match="x on 2019-01-02: missing; x has 755"):
        correlation(daily.iloc[1:], daily)
    with pytest.raises(InputError, match="y: 3 rows for 4 rows of x"):
        correlation(np.zeros(4), np.zeros(3))


@pytest.mark.parametrize("block_length", [0, -1, 757])
def test_F143_block_longer_than_the_sample(daily, block_length):
    with pytest.raises(InputError, match=f"block_length: {block_length} is not between 1 and 252, a third"):
        bootstrap_correlation(daily, -daily, block_length=block_length)
    with pytest.raises(InputError, match=f"block_length: {block_length} is not between 1 and the 756 rows"):
        resampled_means(daily.to_numpy()[:, np.newaxis], block_length, 10, np.random.default_rng(0))


def test_bootstrap_of_nothing(daily):
    with pytest.raises(InputError, match="n_resamples: 0"):
        resampled_means(daily.to_numpy()[:, np.newaxis], 5, 0, np.random.default_rng(0))
    with pytest.raises(InputError, match="n_resamples: 1 resamples have no spread"):
        bootstrap_correlation(daily, -daily, n_resamples=1)
    with pytest.raises(InputError, match=r"columns: shape \(756,\)"):
        resampled_means(daily.to_numpy(), 5, 10, np.random.default_rng(0))


def test_block_length_of_too_little():
    with pytest.raises(InsufficientHistoryError, match="series: 9 rows, at least 10"):
        optimal_block_length(np.arange(9.0))
    with pytest.raises(InputError, match="series: constant"):
        optimal_block_length(np.full(30, 0.1))
    with pytest.raises(InputError, match="series on row 0: NaN"):
        optimal_block_length(np.full(30, np.nan))


def test_confidence_and_r_out_of_range(daily):
    for call in (
        lambda: fisher_interval(0.5, 30, 95),
        lambda: bootstrap_correlation(daily, daily, confidence=95),
    ):
        with pytest.raises(InputError, match=r"confidence: 95 is not between 0 and 1; pass 0.95"):
            call()
    with pytest.raises(InputError, match=r"r: 1.5 is no correlation"):
        fisher_interval(1.5, 30)


def test_import_brings_in_neither_scipy_nor_empyrical():
    code = "import sys, allocator.statistics; print(sorted({'scipy', 'empyrical'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scipy_stats_is_never_ours():
    code = (
        "import sys, numpy as np; from allocator.statistics import *; "
        "r = np.random.default_rng(0).normal(0, .01, 99); bootstrap_correlation(r, r[::-1]); "
        "performance_summary(r, 0.0, 12); print('scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
