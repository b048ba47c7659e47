"""Covariances on many dates at once: those of one window at a time, and blind to the future to the bit."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from covariance_oracles import dated, factor_returns, grouped_returns, panels, relative_error
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import (
    InputError,
    InsufficientHistoryError,
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
    rolling_covariance,
    rolling_exponential_covariance,
    rolling_shrunk_covariance,
)

moderate = settings(max_examples=60)


def windows(returns, window, rows):
    """The sample covariance of each window alone."""
    values = np.asarray(returns)
    return np.array([np.cov(values[i - window + 1 : i + 1], rowvar=False) for i in rows])


def weighted(returns, half_life, rows):
    """What pandas has on these rows."""
    stacked = returns.ewm(halflife=half_life).cov().to_numpy()
    return stacked.reshape(len(returns), returns.shape[1], -1)[rows]


@st.composite
def asked(draw):
    """A table, a window, and some of the rows that have one."""
    table = dated(draw(panels(rows=(12, 200), assets=(2, 4))))
    window = draw(st.integers(2, len(table)))
    every = list(range(window - 1, len(table)))
    rows = draw(st.lists(st.sampled_from(every), min_size=1, unique=True)) if draw(st.booleans()) else every
    return table, window, sorted(rows)


# Each window alone.


@moderate
@given(asked())
def test_every_window_is_that_of_numpy(problem):
    table, window, rows = problem
    found = rolling_covariance(table, window, table.index[rows])
    assert relative_error(found.matrices, windows(table, window, rows)) < 1e-12
    assert (found.matrices == found.matrices.transpose(0, 2, 1)).all()
    assert found.dates.equals(table.index[rows])


@moderate
@given(asked(), st.floats(1.0, 300.0))
def test_every_exponential_covariance_is_that_of_pandas(problem, half_life):
    table, least, rows = problem
    found = rolling_exponential_covariance(table, half_life, dates=table.index[rows], warm_up=least)
    assert relative_error(found.matrices, weighted(table, half_life, rows)) < 1e-12
    assert (found.matrices == found.matrices.transpose(0, 2, 1)).all()


@moderate
@given(asked(), st.floats(1.0, 300.0), st.floats(1.0, 300.0))
def test_two_half_lives_are_those_of_one_date(problem, volatility, correlation):
    table, least, rows = problem
    dates = table.index[rows]
    found = rolling_exponential_covariance(table, volatility, correlation, dates, warm_up=least)
    expected = [exponential_covariance(table.iloc[: i + 1], volatility, correlation) for i in rows]
    assert relative_error(found.matrices, np.array(expected)) < 1e-12


@pytest.mark.parametrize("shrink", [ledoit_wolf_covariance, ledoit_wolf_identity_covariance])
def test_every_shrunk_covariance_is_that_of_its_window(shrink):
    table = dated(factor_returns(120, 4))
    found = rolling_shrunk_covariance(table, 40, table.index[[39, 60, 119]], shrink)
    for k, row in enumerate([39, 60, 119]):
        alone = shrink(table.iloc[row - 39 : row + 1])
        np.testing.assert_array_equal(found.matrices[k], alone.covariance)
        assert found.intensities[k] == alone.intensity
    assert found.method == f"{shrink.__name__} of 40 returns"


def test_without_dates_every_row_with_a_full_window_is_meant():
    table = dated(factor_returns(90, 3))
    for found, first in (
        (rolling_covariance(table, 20), 19),
        (rolling_shrunk_covariance(table, 20), 19),
        (rolling_exponential_covariance(table, 10.2), 20),  # twice the half-life, upwards
        (rolling_exponential_covariance(table, 5.0, 10.2), 20),
        (rolling_exponential_covariance(table, 10.2, warm_up=7), 6),
    ):
        assert found.dates.equals(table.index[first:])


def test_many_assets_and_long_stretches():
    table = dated(factor_returns(900, 70))  # matrices in several blocks, stretches cut to pieces
    rows = [299, 300, 310, 498, 899]
    found = rolling_covariance(table, 300, table.index[rows])
    assert relative_error(found.matrices, windows(table, 300, rows)) < 1e-12
    found = rolling_exponential_covariance(table, 100.0, dates=table.index[rows])
    assert relative_error(found.matrices, weighted(table, 100.0, rows)) < 1e-12


# Digits.


def exact_windows(returns, window, rows):
    """Covariances in numbers of 18 digits or more, where the machine has them."""
    values = returns.to_numpy().astype(np.longdouble)
    found = []
    for i in rows:
        part = values[i - window + 1 : i + 1]
        part = part - part.mean(axis=0)
        found.append(part.T @ part / (window - 1))
    return np.array(found).astype(float)


@pytest.mark.parametrize("step", [1, 13])
def test_no_digit_is_lost_after_a_wild_period(step):
    values = factor_returns(900, 4) * 1e-3
    values[:200] *= 1e3
    table = dated(values)
    rows = np.arange(99, 900, step)
    found = rolling_covariance(table, 100, table.index[rows])
    assert relative_error(found.matrices, exact_windows(table, 100, rows)) < 1e-12


def test_no_digit_is_lost_where_the_mean_dwarfs_the_volatility():
    values = factor_returns(900, 3)
    rates = np.repeat([5e-4, 1e-6, 3e-4], 300)  # a fund of Treasury bills whose rate jumps
    values[:, 0] = rates + 1e-8 * np.random.default_rng(1).standard_normal(900)
    table = dated(values)
    rows = np.arange(99, 900, 7)
    found = rolling_covariance(table, 100, table.index[rows])
    assert relative_error(found.matrices, exact_windows(table, 100, rows)) < 1e-12
    found = rolling_exponential_covariance(table, 20.0, dates=table.index[rows])
    expected = [exponential_covariance(table.iloc[: i + 1], 20.0) for i in rows]
    assert relative_error(found.matrices, np.array(expected)) < 1e-12


# The future.


@pytest.mark.filterwarnings("ignore:returns.* typically move by more than 20%:UserWarning")
@moderate
@given(asked(), st.data())
def test_what_comes_later_changes_nothing_to_the_bit(problem, data):
    table, window, rows = problem
    last = data.draw(st.sampled_from(rows))
    other = table.copy()
    other.iloc[last + 1 :] = np.where(np.arange(len(table) - last - 1) % 2, 0.9, -0.7)[:, None]
    n_known, dates = rows.index(last) + 1, table.index[rows]
    for matrices in (
        lambda t: rolling_covariance(t, window, dates).matrices,
        lambda t: rolling_exponential_covariance(t, 9.0, dates=dates, warm_up=2).matrices,
        lambda t: rolling_exponential_covariance(t, 9.0, 30.0, dates, warm_up=2).matrices,
    ):
        np.testing.assert_array_equal(matrices(table)[:n_known], matrices(other)[:n_known])


def test_shrinkage_does_not_see_the_future_either():
    table = dated(grouped_returns(100, 3))
    other = table.copy()
    other.iloc[60::2] *= -3.0
    dates = table.index[[40, 59, 99]]
    one, two = (rolling_shrunk_covariance(t, 30, dates) for t in (table, other))
    np.testing.assert_array_equal(one.matrices[:2], two.matrices[:2])
    assert one.intensities[2] != two.intensities[2]


def test_a_later_return_that_dwarfs_all_makes_no_asset_constant_before():
    table = dated(factor_returns(100, 3))
    table.iloc[99, 1] = 1e12
    found = rolling_exponential_covariance(table, 5.0, 10.0, table.index[[40, 60]])
    known = rolling_exponential_covariance(table.iloc[:61], 5.0, 10.0, table.index[[40, 60]])
    np.testing.assert_array_equal(found.matrices, known.matrices)


# The record.


def test_a_date_has_a_table():
    table = dated(factor_returns(60, 3))
    found = rolling_covariance(table, 20, ["2000-02-01", "2000-03-01"])
    expected = table.loc[:"2000-03-01"].iloc[-20:].cov()
    pd.testing.assert_frame_equal(found.at("2000-03-01"), expected, rtol=1e-12)
    pd.testing.assert_frame_equal(found.at(pd.Timestamp("2000-03-01")), expected, rtol=1e-12)
    with pytest.raises(
        InputError, match="date: 2000-03-02 is none of the 2 dates, which are of 2000-02-01 to"
    ):
        found.at("2000-03-02")
    with pytest.raises(InputError, match=r"date: .*'soon'"):
        found.at("soon")


def test_the_record_is_short_and_cannot_be_changed():
    table = dated(factor_returns(60, 3))
    before = table.copy()
    found = rolling_covariance(table, 20, ["2000-02-01", "2000-03-01"])
    assert repr(found) == (
        "RollingCovariance of 3 assets on 2 dates, 2000-02-01 to 2000-03-01: sample covariance of 20 returns"
    )
    assert "half-life 5 rows for volatilities, 10 for correlations" in repr(
        rolling_exponential_covariance(table, 5, 10)
    )
    with pytest.raises(ValueError, match="read-only"):
        found.matrices[0, 0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        rolling_shrunk_covariance(table, 30).intensities[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.method = "none"
    copy = found.at("2000-03-01")
    copy.iloc[0, 0] = 1.0
    assert found.at("2000-03-01").iloc[0, 0] < 1.0
    pd.testing.assert_frame_equal(table, before)


# Refusals.

TABLE = dated(factor_returns(60, 3))
LATE = TABLE.mask(np.arange(60)[:, None] < [0, 25, 0])  # A1 begins on 2000-02-07
EVERY = [
    pytest.param(lambda t, dates=None: rolling_covariance(t, 20, dates), id="sample"),
    pytest.param(lambda t, dates=None: rolling_shrunk_covariance(t, 20, dates), id="shrunk"),
    pytest.param(
        lambda t, dates=None: rolling_exponential_covariance(t, 10.0, dates=dates), id="exponential"
    ),
]
every = pytest.mark.parametrize("rolling", EVERY)


@every
def test_a_date_without_a_full_window(rolling):
    problem = "returns on 2000-01-27: 19 returns by then, 20 are needed; ask for dates from 2000-01-28 on"
    with pytest.raises(InsufficientHistoryError, match=problem) as refusal:
        rolling(TABLE, ["2000-01-27", "2000-02-01"])
    assert refusal.value.rows_needed == 20
    assert len(rolling(TABLE, ["2000-01-28"]).dates) == 1


@every
def test_a_table_without_a_full_window(rolling):
    with pytest.raises(
        InsufficientHistoryError, match="15 returns by then, 20 are needed; give a longer hist"
    ):
        rolling(TABLE.iloc[:15])


@every
def test_a_late_asset_and_the_date_from_which_all_have_a_full_window(rolling):
    problem = (
        r"returns\['A1'\] on 2000-03-02: begins on 2000-02-07: 19 returns by then, 20 are needed; "
        "ask for dates from 2000-03-03 on, or leave the asset out"
    )
    with pytest.raises(InsufficientHistoryError, match=problem) as refusal:
        rolling(LATE, ["2000-03-02", "2000-03-10"])
    assert refusal.value.rows_needed == 45
    with pytest.raises(
        InsufficientHistoryError, match="ask for dates from 2000-03-03 on, or leave the asset"
    ):
        rolling(LATE)


@every
def test_after_a_late_listing_what_came_before_it_does_not_matter(rolling):
    found = rolling(LATE, ["2000-03-03", "2000-03-20"])
    np.testing.assert_array_equal(found.matrices, rolling(LATE.iloc[25:], found.dates).matrices)


@every
def test_gaps_and_series_without_a_return(rolling):
    gap = TABLE.copy()
    gap.iloc[30, 2] = np.nan
    with pytest.raises(InputError, match=r"returns\['A2'\] on 2000-02-14: NaN"):
        rolling(gap)
    with pytest.raises(InputError, match=r"returns\['A0'\]: no return at all; leave it out"):
        rolling(TABLE.assign(A0=np.nan))


@every
def test_prices_of_a_late_asset_are_no_returns(rolling):
    prices = 100.0 * (1.0 + TABLE).cumprod()
    with pytest.raises(InputError, match=r"returns\['A1'\] on 2000-01-03: .*prices, not returns"):
        rolling(LATE.assign(A1=prices["A1"].where(LATE["A1"].notna())))


@every
def test_dates_that_are_not_there_not_sorted_or_no_dates(rolling):
    with pytest.raises(
        InputError, match=r"dates on 2000-02-05: the returns have no such row; .* to 2000-03-24"
    ):
        rolling(TABLE, ["2000-02-04", "2000-02-05"])
    with pytest.raises(InputError, match="dates on 2000-02-03: comes after 2000-02-04; sort them, each once"):
        rolling(TABLE, ["2000-02-04", "2000-02-03"])
    with pytest.raises(InputError, match="dates on 2000-02-04: comes after 2000-02-04"):
        rolling(TABLE, ["2000-02-04", "2000-02-04"])
    for dates, problem in (
        ([], "dates: there are none"),
        ([None], "dates: one of them is missing"),
        ("2000-02-04", "dates: '2000-02-04'.*pass a list of dates"),
        (["soon"], r"dates: \['soon'\]"),
        (3, "dates: 3"),
    ):
        with pytest.raises(InputError, match=problem):
            rolling(TABLE, dates)


@every
def test_what_has_no_dates_or_is_no_table(rolling):
    with pytest.raises(InputError, match="returns: expected a DataFrame with dates, got ndarray"):
        rolling(TABLE.to_numpy())
    with pytest.raises(InputError, match=r"returns\.index: RangeIndex, expected dates"):
        rolling(TABLE.reset_index(drop=True))
    with pytest.raises(InputError, match="returns: empty"):
        rolling(TABLE.iloc[:0])


@pytest.mark.parametrize("bad", [1, 0, 20.5, "20", True, None])
def test_a_window_is_a_number_of_rows(bad):
    for rolling in (rolling_covariance, rolling_shrunk_covariance):
        with pytest.raises(InputError, match=r"window: .* is not a number of rows, 2 or more"):
            rolling(TABLE, bad)
    if bad is not None:
        with pytest.raises(InputError, match=r"warm_up: .* is not a number of rows, 2 or more"):
            rolling_exponential_covariance(TABLE, 5.0, warm_up=bad)


def test_an_infinite_half_life_must_say_its_warm_up():
    with pytest.raises(InputError, match="warm_up: an infinite half-life does not say it"):
        rolling_exponential_covariance(TABLE, np.inf)
    found = rolling_exponential_covariance(TABLE, np.inf, warm_up=30)
    assert relative_error(found.matrices[-1], TABLE.cov().to_numpy()) < 1e-13
    with pytest.raises(InputError, match=r"volatility_half_life: 0\.94"):
        rolling_exponential_covariance(TABLE, 0.94)


def test_an_asset_that_does_not_vary_is_refused_where_a_correlation_is_needed():
    flat = TABLE.assign(A1=np.where(np.arange(60) < 20, TABLE["A1"], 0.1))  # flat from 2000-01-31 on
    dates = ["2000-02-01", "2000-02-25", "2000-03-10"]
    problem = r"returns\['A1'\] on 2000-02-25: does not vary by then, so that it has no correlation"
    with pytest.raises(InputError, match=problem):
        rolling_shrunk_covariance(flat, 20, dates)
    always = TABLE.assign(A1=0.1)
    with pytest.raises(InputError, match=problem):
        rolling_exponential_covariance(always, 5.0, 10.0, dates[1:])
    for found in (rolling_covariance(always, 20), rolling_exponential_covariance(always, 5.0)):
        assert np.abs(found.matrices[:, 1]).max() < 1e-18
        assert np.isfinite(found.matrices).all()
