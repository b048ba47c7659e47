"""Faults of returns and of tests on them, as a person would make them; docs/faults.md lists them all."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import statistics
from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics import LongRunVariance

DAYS = pd.bdate_range("2020-01-01", periods=300)
MONTHS = pd.date_range("2001-01-31", periods=96, freq="ME")


def returns(index: pd.DatetimeIndex = DAYS, seed: int = 0, scale: float = 0.01) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(0.0004, scale, len(index)), index, name="SPY")


def pair(index: pd.DatetimeIndex = MONTHS) -> tuple[pd.Series, pd.Series]:
    return returns(index, 1, 0.04), returns(index, 2, 0.04).rename("TLT")


class _Negative(LongRunVariance):
    """An estimator whose estimate is no variance, as that of a truncated kernel can be."""

    def __init__(self, value: float) -> None:
        self.value = value

    def variance(self, moments, direction):
        return self.value

    def describe(self):
        return "no variance"


# Numbers that are no returns


def test_F126_percent_is_refused_or_warned_of_where_a_day_shows_it():
    """Below -1 at once (F122); what never falls by 1 % a day is known by its typical move."""
    below = r"^returns on 2020-01-14: -1.22542 is below -1: .*divide percent by 100$"
    with pytest.raises(InputError, match=below):
        statistics.volatility(100.0 * returns())
    calm = returns(scale=0.0).add(0.01 * np.sin(np.arange(300.0)) ** 2)  # up to 1 % a day, never down
    words = "typically move by more than 20% a day; .*divide percent by 100$"
    with pytest.warns(UserWarning, match=rf"^returns on 2020-01-01: {words}"):
        assert statistics.volatility(100.0 * calm) == pytest.approx(100.0 * statistics.volatility(calm))
    table = pd.DataFrame({"SPY": returns(), "BIL": 100.0 * calm})
    with pytest.warns(UserWarning, match=rf"^returns\['BIL'\] on 2020-01-01: {words}"):
        statistics.volatility(table)


def test_F126_wild_days_and_slow_data_are_no_percent():
    wild = returns()
    wild.iloc[::3] = 0.9  # a third of the days
    assert statistics.volatility(wild) > 1.0
    years = pd.date_range("2001-12-31", periods=20, freq="YE")
    yearly = pd.Series(0.3 * np.sin(np.arange(20.0)) + 0.2, years)
    assert statistics.volatility(yearly) > 0.1
    assert statistics.volatility(np.full(30, 0.3) * np.sin(np.arange(30)) ** 2, 252) > 0.1  # no dates
    gappy = (0.3 + 0.1 * np.sin(np.arange(300.0))) * pd.Series(1.0, DAYS)
    assert al.max_drawdown(gappy.drop(DAYS[100:250])) == 0.0  # dates of no one spacing


def test_F126_percent_of_cash_is_refused_at_every_frequency():
    """A bill in percent never falls, and is small: as cash it is refused by what it would earn a year."""
    for index in (DAYS, MONTHS):
        with pytest.raises(InputError, match=r"^cash: a typical return of 0.1 a period is .* a year; pass"):
            statistics.sharpe_ratio(returns(index), pd.Series(0.1, index))


# What less than a year, or few rows, cannot say


def test_F134_less_than_a_year_is_stated_in_the_result():
    prices = 100.0 * (1.0 + pd.DataFrame({"a": returns(seed=3), "b": returns(seed=4)})).cumprod()
    mixes = [al.FixedMix({"a": 1.0}, name="a"), al.FixedMix({"b": 1.0}, name="b")]

    def stated(n: int, word: str) -> list[str]:
        study = al.compare(mixes, al.Market(prices.iloc[:n], 0.01))
        return [line for line in study.conventions if word in line]

    assert stated(90, "annualised from") == [
        "annualised from 0.34 years: what is stated a year was never seen over one"
    ]
    assert stated(300, "annualised from") == []


def test_F138_a_tail_of_few_rows_is_stated_in_the_result():
    prices = 100.0 * (1.0 + pd.DataFrame({"a": returns(MONTHS, 3), "b": returns(MONTHS, 4)})).cumprod()
    mixes = [al.FixedMix({"a": 1.0}, name="a"), al.FixedMix({"b": 1.0}, name="b")]
    few, more = (al.compare(mixes, al.Market(prices.iloc[:n], 0.01)).conventions for n in (15, 25))
    words = "VaR and ES at 95 % of 14 periods, fewer than 20: hardly more than the worst one"
    assert words in few
    assert not [line for line in more if "hardly more" in line]


# Tests


def test_F140_a_series_against_itself_warns_of_nothing():
    first, second = pair()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = al.sharpe_difference(first, first, 0.02)
        flat = al.sharpe_difference(first, 0.0 * second + 0.01, 0.0)
        perfect = al.correlation_interval(first, first)
    assert (same.difference, same.standard_error, same.p_value) == (0.0, 0.0, 1.0)
    assert "multiple of the other" in repr(same)
    assert np.isnan(flat.p_value)
    assert flat.reason == "'TLT' never changes over cash, its deviation is 0"
    assert perfect.correlation == 1.0
    assert perfect.reason


@pytest.mark.parametrize("call", ["difference", "interval", "family"])
def test_F141_fewer_than_twenty_returns_warn_with_their_number(call):
    first, second = (series.iloc[:15] for series in pair())
    calls = {
        "difference": lambda: al.sharpe_difference(first, second, 0.0),
        "interval": lambda: al.sharpe_interval(first, 0.0),
        "family": lambda: al.sharpe_family_test(second.to_frame(), first, 0.0),
    }
    with pytest.warns(UserWarning, match="^n=15: errors and p-values of fewer than 20 returns are rough"):
        assert "n=15" in repr(calls[call]())


def test_F144_more_lags_than_rows_are_refused():
    first, second = pair()
    for lags in (96, 500):
        with pytest.raises(InputError, match=rf"^lags: {lags} for 96 rows; take fewer$"):
            al.least_squares(first, {"TLT": second}, al.NeweyWestErrors(lags))
    assert al.least_squares(first, {"TLT": second}, al.NeweyWestErrors(95)).n == 96


@pytest.mark.parametrize("value", [-1.0, 0.0])
def test_F145_an_estimate_that_is_no_variance_gives_no_number_and_a_reason(value):
    first, second = pair()
    method = al.HAC(_Negative(value))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        difference = al.sharpe_difference(first, second, 0.0, method)
        interval = al.sharpe_interval(first, 0.0, method)
        correlation = al.correlation_interval(first, second, _Negative(value))
    assert np.isnan([difference.p_value, difference.low, difference.high]).all()
    assert difference.reason == "the estimated variance of the difference is not positive"
    assert np.isnan([interval.low, interval.high]).all()
    assert np.isnan([correlation.low, correlation.high]).all()
    assert interval.reason == correlation.reason == "its estimated variance is not positive"
    for found in (difference, interval, correlation):
        assert "not positive" in repr(found)


def test_F145_an_exact_fit_has_no_errors_and_a_reason():
    first, _ = pair()
    fit = al.least_squares(2.0 * first, {"SPY": first}, al.NeweyWestErrors(4))
    assert fit.table["p_value"].isna().all()
    assert "exact" in fit.reason
    assert "exact" in repr(fit)


def test_F146_many_tests_carry_their_number_and_adjusted_p_values():
    """Nine strategies that are no better: the best alone looks better than it is."""
    noise = pd.DataFrame({f"s{n}": returns(MONTHS, 10 + n, 0.04) for n in range(9)})
    found = al.sharpe_family_test(noise, returns(MONTHS, 1, 0.04), 0.0)
    assert len(found.table) == 9
    alone, holm, joint = (found.table[p] for p in ("p_value", "p_holm", "p_romano_wolf"))
    assert (holm >= alone).all()
    assert (joint >= alone - 1e-12).all()
    assert joint.min() > alone.min()
    assert "hold for all 9 together; n=96" in repr(found)
    prices = 100.0 * (1.0 + noise.iloc[:, :4]).cumprod()
    study = al.compare([al.FixedMix({name: 1.0}, name=name) for name in prices], al.Market(prices, 0.01))
    assert "p family: for all 3 tests of this table together" in repr(study)


# One refusal of each kind says where it is and how often


def test_F125_F124_F122_count_what_is_at_fault():
    holed, infinite, below = returns(), returns(), returns()
    holed.iloc[[5, 9, 11]] = np.nan
    infinite.iloc[[4, 8]] = np.inf
    below.iloc[7] = -1.5
    for series, words in (
        (holed, r"^returns on 2020-01-08: NaN \(first of 3\); returns.dropna\(\), or fill it$"),
        (infinite, r"^returns on 2020-01-07: infinite \(first of 2\); look for a zero price$"),
        (below, r"^returns on 2020-01-10: -1.5 is below -1: more than everything is lost; returns are"),
    ):
        with pytest.raises(InputError, match=words):
            al.max_drawdown(series)


def test_F128_the_first_date_out_of_order_and_their_number():
    words = r"comes after 2021-02-23 \(first of 299\); sort it: returns.sort_index\(\)$"
    with pytest.raises(InputError, match=rf"^returns on 2021-02-22: {words}"):
        al.max_drawdown(returns().iloc[::-1])


def test_F119_F120_a_number_that_does_not_exist_names_its_reason():
    with pytest.warns(UndefinedStatisticWarning, match="^sharpe_ratio of 'SPY' is NaN: n=1$"):
        assert np.isnan(al.sharpe_ratio(returns().iloc[:1], 0.0, 252))
    constant = pd.Series(0.1, MONTHS[:6], name="SPY")  # of which numpy's deviation is 1.5e-17
    with pytest.warns(UndefinedStatisticWarning, match="'SPY' is NaN: the excess return never changes"):
        assert np.isnan(al.sharpe_ratio(constant, 0.0))


def test_F130_the_beta_to_what_never_moves_is_nan_with_a_reason():
    first, second = pair()
    with pytest.warns(UndefinedStatisticWarning, match="beta of 'SPY' is NaN: "):
        assert np.isnan(al.beta(first, 0.0 * second + 0.01, 0.0))


def test_F129_a_benchmark_of_other_dates_is_counted_and_never_joined():
    first, second = pair()
    for statistic in (al.tracking_error, al.information_ratio):
        with pytest.raises(InputError, match=r"^benchmark on 2001-04-30: missing.* 96 .* 94"):
            statistic(first, second.drop(MONTHS[[3, 5]]))
    with pytest.raises(InputError, match=r"^benchmark on 2001-04-30: missing"):
        al.beta(first, second.drop(MONTHS[3]), 0.0)
