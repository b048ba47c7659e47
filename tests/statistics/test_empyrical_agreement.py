"""Where conventions coincide we equal empyrical-reloaded; where we differ it is on purpose, and shown."""

import json

import empyrical
import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics import (
    cagr,
    calmar_ratio,
    empyrical_summary,
    expected_shortfall,
    max_drawdown,
    sharpe_ratio,
    sortino_ratio,
    value_at_risk,
    volatility,
)


def test_same_numbers_on_the_same_rows(daily):
    array = daily.to_numpy()
    assert cagr(array, 252) == pytest.approx(empyrical.annual_return(array), rel=1e-12)
    assert volatility(array, 252) == pytest.approx(empyrical.annual_volatility(array), rel=1e-12)
    assert sharpe_ratio(array, 0.0, 252) == pytest.approx(empyrical.sharpe_ratio(array), rel=1e-12)
    assert sortino_ratio(array, 0.0, 252) == pytest.approx(empyrical.sortino_ratio(array), rel=1e-12)
    assert calmar_ratio(array, 252) == pytest.approx(empyrical.calmar_ratio(array), rel=1e-12)
    assert max_drawdown(array) == pytest.approx(empyrical.max_drawdown(array), rel=1e-12)
    assert value_at_risk(array) == pytest.approx(-empyrical.value_at_risk(array), rel=1e-12)


def test_numbers_in_its_own_tests(case):
    """stefan-jansen/empyrical-reloaded, tests/test_stats.py: the first day, which is NaN, left out."""
    fixture = json.loads(case("C_empyrical_fixtures.json").read_text())
    mixed = np.array(fixture["series"]["mixed"][1:], dtype=float)
    expected = fixture["expected_daily252"]
    assert max_drawdown(mixed) == pytest.approx(expected["max_drawdown"]["mixed"], rel=1e-12)
    assert sharpe_ratio(mixed, 0.0, 252) == pytest.approx(expected["sharpe"]["mixed_rf0"], rel=1e-12)
    assert sortino_ratio(mixed, 0.0, 252) == pytest.approx(expected["sortino"]["mixed"], rel=1e-12)
    assert volatility(mixed, 252) == pytest.approx(expected["annual_volatility"]["mixed"], rel=1e-12)
    # Its annual return counts the missing day as a day.
    total = (1 + cagr(mixed, 252)) ** (8 / 9) - 1
    assert total == pytest.approx(expected["annual_return"]["mixed"], rel=1e-12)


def test_differs_annual_rate_is_not_a_daily_one(daily):
    by_accident = empyrical.sharpe_ratio(daily, risk_free=0.03)
    assert by_accident < -10  # three percent a day
    ours = sharpe_ratio(daily, 0.03)
    assert ours == pytest.approx(empyrical.sharpe_ratio(daily, risk_free=1.03 ** (1 / 252) - 1), abs=0.01)


def test_differs_frequency_comes_from_the_dates():
    months = pd.Series(
        np.random.default_rng(0).normal(0.01, 0.04, 60), pd.date_range("2015-01-31", periods=60, freq="ME")
    )
    assert empyrical.annual_volatility(months) == pytest.approx(
        np.sqrt(252 / 12) * volatility(months), rel=1e-12
    )


def test_differs_growth_is_on_calendar_time(daily):
    half = daily.iloc[:400]
    years = (half.index[-1] - half.index[0]).days / 365.25 + 1 / 252
    total = (1 + half).prod()
    assert cagr(half) == pytest.approx(total ** (1 / years) - 1, rel=1e-12)
    assert empyrical.annual_return(half) == pytest.approx(total ** (252 / 400) - 1, rel=1e-12)
    assert cagr(half) != pytest.approx(empyrical.annual_return(half), rel=1e-3)


def test_differs_constant_returns_have_no_sharpe_ratio():
    assert not np.isnan(empyrical.sharpe_ratio(np.full(6, 0.01)))
    with pytest.warns(UndefinedStatisticWarning):
        assert np.isnan(sharpe_ratio(np.full(6, 0.01), 0.0, 252))


def test_differs_no_loss_has_no_sortino_ratio():
    assert np.isinf(empyrical.sortino_ratio(np.array([0.01, 0.02, 0.03])))
    with pytest.warns(UndefinedStatisticWarning):
        assert np.isnan(sortino_ratio(np.array([0.01, 0.02, 0.03]), 0.0, 252))


def test_differs_missing_returns_are_refused(daily):
    gappy = daily.copy()
    gappy.iloc[5] = np.nan
    assert np.isfinite(empyrical.sharpe_ratio(gappy))
    with pytest.raises(InputError, match="NaN"):
        sharpe_ratio(gappy, 0.0)


def test_differs_returns_below_minus_one_are_refused():
    impossible = np.array([0.1, -2.5, 0.1])
    assert empyrical.max_drawdown(impossible) < -1
    with pytest.raises(InputError, match="below -1"):
        max_drawdown(impossible)


def test_differs_columns_are_not_pooled(daily):
    table = pd.DataFrame({"a": daily, "b": 3 * daily})
    pooled = empyrical.value_at_risk(table)
    assert np.ndim(pooled) == 0
    assert list(value_at_risk(table)) == [value_at_risk(daily), value_at_risk(3 * daily)]


def test_differs_shortfall_weighs_the_last_day():
    returns = np.array([-0.10, -0.04, 0.01, 0.02, 0.03])
    assert -empyrical.conditional_value_at_risk(returns, 0.3) == pytest.approx(0.07)  # two whole days
    assert expected_shortfall(returns, 0.3) == pytest.approx(0.08)  # one and a half


def test_table_is_empyricals_column_by_column(managers):
    returns, cash = managers[["HAM1", "SP500 TR"]], managers["US 3m TR"]
    table = empyrical_summary(returns, cash)
    assert list(table.index) == [
        "Annual return",
        "Cumulative returns",
        "Annual volatility",
        "Sharpe ratio",
        "Calmar ratio",
        "Stability",
        "Max drawdown",
        "Omega ratio",
        "Sortino ratio",
        "Skew",
        "Kurtosis",
        "Tail ratio",
        "Monthly value at risk",
    ]
    for name in returns:
        one = returns[name]
        assert table.loc["Sharpe ratio", name] == pytest.approx(
            empyrical.sharpe_ratio(one, risk_free=cash, period="monthly"), rel=1e-12
        )
        assert table.loc["Stability", name] == pytest.approx(
            empyrical.stability_of_timeseries(one), rel=1e-12
        )
        assert table.loc["Tail ratio", name] == pytest.approx(empyrical.tail_ratio(one), rel=1e-12)
        excess = one - cash
        assert table.loc["Omega ratio", name] == pytest.approx(
            excess[excess > 0].sum() / -excess[excess < 0].sum(), rel=1e-12
        )


def test_table_agrees_with_ours_on_months(managers):
    returns, cash = managers[["HAM1", "SP500 TR", "US 10Y TR"]], managers["US 3m TR"]
    table = empyrical_summary(returns, cash)
    for row, ours in {
        "Annual return": cagr(returns),
        "Annual volatility": volatility(returns),
        "Sharpe ratio": sharpe_ratio(returns, cash),
        "Sortino ratio": sortino_ratio(returns, cash),
        "Calmar ratio": calmar_ratio(returns),
        "Max drawdown": max_drawdown(returns),
        "Monthly value at risk": -value_at_risk(returns),
    }.items():
        np.testing.assert_allclose(table.loc[row], ours, rtol=1e-11)


def test_table_names_its_frequency(daily):
    assert empyrical_summary(daily, 0.02).index[-1] == "Daily value at risk"
    assert empyrical_summary(daily.to_numpy(), 0.02, 250).index[-1] == "Value at risk"
