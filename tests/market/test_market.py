"""What holds for every market: it is its own copy, its past is a view, and it refuses what it cannot know.

The refusals of bad tables are in test_price_faults.py; here is what a sound one must do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import calendars, market_frames, markets

from allocator.errors import InputError, InsufficientHistoryError
from allocator.frequency import FREQUENCIES, infer_frequency
from allocator.market.market import Market
from allocator.market.signals import Signal

few = settings(deadline=None, max_examples=40)


def steady(index: pd.DatetimeIndex, n_assets: int = 2) -> pd.DataFrame:
    """Prices without news on these dates."""
    growth = 1.0 + 0.001 * np.arange(1, n_assets + 1)
    return pd.DataFrame(
        growth ** np.arange(len(index))[:, None], index=index, columns=list("ABCDEF"[:n_assets])
    )


def known_values(signal: Signal) -> list[float]:
    """The values of a signal, as far as they are known."""
    return signal.values.tolist()


def arrays(market: Market) -> list[np.ndarray]:
    """The arrays of a market."""
    return [market.levels, market.cash, market.listed_from, market.listed_until, market.days]


def assert_same_market(one: Market, other: Market) -> None:
    """Compare everything but the memory; listings after the last row count as none."""
    assert one.index.equals(other.index)
    assert (one.assets, one.frequency, one.notes) == (other.assets, other.frequency, other.notes)
    pd.testing.assert_frame_equal(one.prices, other.prices, check_freq=False)
    np.testing.assert_array_equal(one.cash, other.cash)
    assert [one.listed(asset) for asset in one.assets] == [other.listed(asset) for asset in other.assets]


# --- its own copy ---


@few
@given(market_frames())
def test_the_table_given_is_not_changed(prices):
    before = prices.copy(deep=True)
    Market(prices, 0.02)
    pd.testing.assert_frame_equal(prices, before)


@few
@given(market_frames())
def test_changing_the_table_afterwards_changes_nothing(prices):
    values = prices.to_numpy().copy()
    market = Market(prices, 0.02)
    shown = market.prices
    prices.iloc[:] = 1.0
    np.testing.assert_array_equal(market.prices.to_numpy(), values)
    shown.iloc[:] = 1.0
    np.testing.assert_array_equal(market.prices.to_numpy(), values)


def test_changing_cash_and_signals_afterwards_changes_nothing():
    index = pd.bdate_range("2020-01-01", periods=30)
    cash, news = pd.Series(1e-4, index=index), pd.Series([1.0, 2.0], index=index[:2])
    market = Market(steady(index), cash, {"news": news})
    cash.iloc[:] = 0.0
    news.iloc[:] = 0.0
    for shown in (market.cash_returns, market.signal("news").values):
        with contextlib.suppress(ValueError):  # a copy or read-only, as pandas likes
            shown.iloc[:] = 0.0
    assert (market.cash[1:] == 1e-4).all()
    assert known_values(market.signal("news")) == [1.0, 2.0]


@few
@given(markets())
def test_the_arrays_are_read_only(market):
    for array in [*arrays(market), *arrays(market.until(market.index[5]))]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@few
@given(markets())
def test_nothing_can_be_set(market):
    with pytest.raises(AttributeError):
        market.cash = np.zeros(3)


# --- what it holds ---


@few
@given(market_frames())
def test_prices_come_back_as_given(prices):
    market = Market(prices, 0.02)
    pd.testing.assert_frame_equal(market.prices, prices, check_freq=False, check_index_type=False)
    assert not np.isnan(market.levels).any()
    assert (market.levels > 0).all()
    assert market.listed_from.tolist() == [int(np.argmax(prices[a].notna())) for a in prices]


@few
@given(markets())
def test_before_its_listing_an_asset_stands_at_one(market):
    for column, first in enumerate(market.listed_from):
        assert (market.levels[:first, column] == 1.0).all()
    returns = market.returns
    assert len(returns) == len(market.index) - 1
    assert (returns.isna().sum().to_numpy() == market.listed_from).all()


# --- its past ---


@few
@given(markets(), st.data())
def test_the_past_is_a_view(market, data):
    row = data.draw(st.integers(0, len(market.index) - 1))
    past = market.until(market.index[row])
    assert len(past.index) == row + 1
    assert np.shares_memory(past.levels, market.levels)
    assert np.shares_memory(past.cash, market.cash)


@few
@given(market_frames(rows=(24, 400)), st.data())
def test_the_past_is_what_the_cut_table_makes(prices, data):
    row = data.draw(st.integers(11, len(prices) - 1))
    cut = prices.iloc[: row + 1].dropna(axis=1, how="all")  # an asset without a price is refused at the door
    past = Market(prices, 0.02).until(prices.index[row])
    expected = Market(cut, 0.02)
    np.testing.assert_array_equal(past.prices[list(cut)].to_numpy(), cut.to_numpy())
    np.testing.assert_array_equal(past.cash, expected.cash)
    if cut.shape == past.prices.shape:
        assert_same_market(past, expected)


@few
@given(markets(), st.data())
def test_the_past_of_the_past(market, data):
    late = data.draw(st.integers(1, len(market.index) - 1))
    early = data.draw(st.integers(0, late))
    assert_same_market(
        market.until(market.index[late]).until(market.index[early]), market.until(market.index[early])
    )


def test_until_takes_dates_texts_and_spans():
    market = Market(steady(pd.bdate_range("2020-01-01", "2021-12-31")), 0.02)
    last = {
        "2020-03-31": "2020-03-31",
        "2020-03": "2020-03-31",
        "2020": "2020-12-31",
        "2020-03-29": "2020-03-27",  # a Sunday: the Friday before
        dt.date(2020, 3, 31): "2020-03-31",
        dt.datetime(2020, 3, 31, 9): "2020-03-31",
        pd.Timestamp("2020-03-31"): "2020-03-31",
        "2099": "2021-12-31",
    }
    assert [f"{market.until(date).index[-1]:%Y-%m-%d}" for date in last] == list(last.values())


@pytest.mark.parametrize("date", ["yesterday", None, 2020.5, pd.NaT, "2020-02-30"])
def test_until_refuses_what_is_no_date(date):
    market = Market(steady(pd.bdate_range("2020-01-01", periods=30)), 0.02)
    with pytest.raises(InputError, match=r"^date: .* is not a date"):
        market.until(date)


def test_until_refuses_a_date_before_the_first_row():
    market = Market(steady(pd.bdate_range("2020-01-01", periods=30)), 0.02)
    with pytest.raises(InputError, match="2019-12-31 is before the first row, 2020-01-01"):
        market.until("2019-12-31")


# --- what was known ---


@few
@given(markets(), st.data())
def test_a_cut_knows_only_the_signals_known_by_then(market, data):
    known = data.draw(calendars(rows=(2, 60)))
    values = pd.Series(np.arange(len(known), dtype=float), index=known)
    row = data.draw(st.integers(0, len(market.index) - 1))
    date = market.index[row]
    past = Market(market.prices, 0.02, {"news": values}).until(date)
    expected = values[:date]
    assert known_values(past.signal("news")) == expected.tolist()
    assert known_values(past.signals["news"]) == expected.tolist()
    newest = past.signal("news").as_known_on(past.index)
    assert len(newest) == row + 1
    np.testing.assert_array_equal(newest[-1], expected.iloc[-1] if len(expected) else np.nan)


def test_before_its_first_value_a_signal_is_unknown():
    index = pd.bdate_range("2020-01-01", periods=30)
    late = Signal(pd.Series([3.0], index=index[20:21]), describes=index[10:11])
    past = Market(steady(index), 0.02, {"late": late}).until(index[19])
    assert np.isnan(past.signal("late").as_known_on(past.index)).all()
    assert np.isnan(past.signal("late").as_described_on(past.index)).all()


def test_a_signal_describes_a_period_and_is_known_later():
    ends = pd.DatetimeIndex(["2020-03-31", "2020-06-30"])
    signal = Signal(pd.Series([1.0, 2.0], index=ends + pd.Timedelta(30, "D")), describes=ends)
    market = Market(steady(pd.bdate_range("2019-12-02", "2020-12-31")), 0.02, {"gdp": signal})
    dates = pd.DatetimeIndex(
        ["2019-12-31", "2020-01-15", "2020-03-31", "2020-04-01", "2020-06-30", "2020-07-01"]
    )
    nothing = np.nan
    np.testing.assert_array_equal(
        market.signal("gdp").as_described_on(dates), [nothing, 1.0, 1.0, 2.0, 2.0, nothing]
    )
    later = pd.DatetimeIndex(["2020-04-29", "2020-04-30", "2020-07-29", "2020-07-30"])
    np.testing.assert_array_equal(market.signal("gdp").as_known_on(later), [nothing, 1.0, 1.0, 2.0])


def test_a_table_of_signals_has_nan_where_nothing_new_was_known():
    index = pd.bdate_range("2020-01-01", periods=30)
    news = pd.DataFrame({"a": [1.0, np.nan, 2.0], "b": [np.nan, 3.0, np.nan]}, index=index[:3])
    market = Market(steady(index), 0.02, news)
    assert known_values(market.signal("a")) == [1.0, 2.0]
    assert market.signal("a").as_known_on(index[:3]).tolist() == [1.0, 1.0, 2.0]
    assert known_values(market.signal("b")) == [3.0]
    with pytest.raises(InputError, match="has no 'c'; it has: a, b"):
        market.signal("c")


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        ([1.0], "expected a mapping of name to Series, got list"),
        ({"a": [1.0]}, "signals['a']: expected a Series, got list"),
        ({1: pd.Series([1.0], index=pd.DatetimeIndex(["2020-01-01"]))}, "signals[1]: the name is a int"),
        ({"a": pd.Series([], index=pd.DatetimeIndex([]), dtype=float)}, "signals['a']: no values"),
        ({"a": pd.Series([1.0])}, "signals['a'].index: RangeIndex"),
        (
            {"a": pd.Series([np.nan], index=pd.DatetimeIndex(["2020-01-01"]))},
            "signals['a'] on 2020-01-01: is nan",
        ),
        (
            {"a": pd.Series(["1"], index=pd.DatetimeIndex(["2020-01-01"]))},
            "signals['a'] on 2020-01-01: '1' is str",
        ),
        ({"a": pd.Series([1j], index=pd.DatetimeIndex(["2020-01-01"]))}, "complex128 is not a number"),
    ],
)
def test_signals_that_are_none(signals, words):
    with pytest.raises(InputError, match=re.escape(words)):
        Market(steady(pd.bdate_range("2020-01-01", periods=30)), 0.02, signals)


def test_a_value_cannot_be_known_before_its_period_ended():
    index = pd.bdate_range("2020-01-01", periods=30)
    early = Signal(pd.Series([1.0], index=index[:1]), describes=index[1:2])
    with pytest.raises(InputError, match=r"on 2020-01-01: known before .* ended \(2020-01-02\); stamp it"):
        Market(steady(index), 0.02, {"a": early})
    with pytest.raises(InputError, match="1 values describe 2 periods"):
        Market(steady(index), 0.02, {"a": Signal(early.values, describes=index[:2])})


# --- windows ---

SPANS = [
    ("B", 3, 756),
    ("W-FRI", 2, 104),
    ("ME", 10, 120),
    ("QE", 5, 20),
    ("YE", 10, 10),
    ("B", 0.5, 126),
    ("ME", 1.25, 15),
]


@pytest.mark.parametrize(("spacing", "years", "n_returns"), SPANS)
def test_a_window_spans_the_same_time_at_any_frequency(spacing, years, n_returns):
    prices = steady(pd.date_range("2000-01-01", periods=n_returns + 5, freq=spacing))
    market = Market(prices, 0.02)
    window = market.window(["B", "A"], years)
    assert window.shape == (n_returns, 2)
    np.testing.assert_array_equal(window, market.returns[["B", "A"]].to_numpy()[-n_returns:])


@pytest.mark.parametrize(("spacing", "years", "n_returns"), SPANS)
def test_a_history_too_short_says_how_many_rows_would_do(spacing, years, n_returns):
    index = pd.date_range("2000-01-01", periods=n_returns + 40, freq=spacing)
    with pytest.raises(InsufficientHistoryError) as caught:
        Market(steady(index[:n_returns]), 0.02).window(["A"], years)
    enough = caught.value.rows_needed
    assert enough == n_returns + 1
    assert Market(steady(index[:enough]), 0.02).window(["A"], years).shape == (n_returns, 1)


@few
@given(market_frames(spacings=["monthly"], rows=(40, 200)), st.integers(10, 36))
def test_rows_needed_are_exact_with_late_listings(prices, months):
    market, assets, years = Market(prices, 0.02), list(prices), months / 12
    if 2 * len(assets) > months:
        return
    enough = int(market.listed_from.max()) + months + 1
    if enough <= len(prices):
        assert market.until(prices.index[enough - 1]).window(assets, years).shape == (months, len(assets))
    with pytest.raises(InsufficientHistoryError) as caught:
        market.until(prices.index[min(enough, len(prices) + 1) - 2]).window(assets, years)
    assert caught.value.rows_needed == enough


def test_a_short_history_names_the_asset_that_is_late():
    prices = steady(pd.bdate_range("2020-01-01", periods=400))
    prices.iloc[:300, 1] = np.nan
    with pytest.raises(InsufficientHistoryError, match=r"prices\['B'\] on .*: 99 daily returns by then"):
        Market(prices, 0.02).window(["A", "B"], 1)


@pytest.mark.parametrize(
    ("spacing", "years", "n_assets", "at_least"),
    [("YE", 3, 1, "10"), ("QE", 2, 1, "2.5"), ("ME", 0.9, 6, "1")],
)
def test_a_window_too_short_to_say_anything_is_refused(spacing, years, n_assets, at_least):
    market = Market(steady(pd.date_range("1980-01-01", periods=60, freq=spacing), n_assets), 0.02)
    with pytest.raises(InputError, match=rf"^years: .* ask for {at_least} years or more") as caught:
        market.window(market.assets, years)
    assert not isinstance(caught.value, InsufficientHistoryError)


@pytest.mark.parametrize("years", [0, -1, float("nan"), True])
def test_a_window_is_a_positive_span(years):
    with pytest.raises(InputError, match=r"^years: "):
        Market(steady(pd.bdate_range("2020-01-01", periods=30)), 0.02).window(["A"], years)


def test_a_window_of_an_asset_that_is_not_there():
    with pytest.raises(InputError, match="the market has no 'Z'; it has: A, B"):
        Market(steady(pd.bdate_range("2020-01-01", periods=300)), 0.02).window(["A", "Z"], 1)


# --- how often ---


@few
@given(st.data(), st.sampled_from(list(FREQUENCIES)))
def test_the_frequency_of_any_calendar_is_found(data, spacing):
    index = data.draw(calendars([spacing], rows=(12, 400)))
    assert infer_frequency(index).name == spacing
    assert Market(steady(index), 0.02, frequency=spacing).frequency.name == spacing


@pytest.mark.parametrize(
    ("offset", "name"),
    [
        ("B", "daily"),
        ("W-FRI", "weekly"),
        ("BME", "monthly"),
        ("BMS", "monthly"),
        ("BQE", "quarterly"),
        ("BYE", "yearly"),
    ],
)
@pytest.mark.parametrize("n_rows", [2, 3, 60])
def test_business_calendars_of_any_length(offset, name, n_rows):
    assert infer_frequency(pd.date_range("1999-12-01", periods=n_rows, freq=offset)).name == name


def test_weekly_dates_with_holiday_shifts():
    fridays = pd.date_range("2020-01-03", periods=200, freq="W-FRI")
    days_early = np.where(fridays.day == 3, 1, 0) + np.where(fridays.day == 25, 2, 0)
    shifted = fridays - pd.to_timedelta(days_early, unit="D")
    assert infer_frequency(shifted).name == "weekly"


def test_daily_dates_with_holidays_and_a_closed_market():
    days = pd.bdate_range("2000-01-03", "2002-12-31")
    open_days = days[
        ~((days >= "2001-09-11") & (days <= "2001-09-14")) & ~((days.month == 12) & (days.day == 25))
    ]
    assert infer_frequency(open_days).name == "daily"


def test_six_day_weeks_of_the_old_exchange_are_daily():
    days = pd.date_range("1930-01-01", "1935-12-31")
    is_summer, is_holiday = days.month.isin([7, 8]), days.day == 1
    index = days[(days.day_of_week < np.where(is_summer, 5, 6)) & ~is_holiday]
    assert (index.day_of_week == 5).any()
    assert infer_frequency(index).name == "daily"


def test_a_calendar_with_weekends_is_refused():
    index = pd.date_range("2020-01-01", periods=200)
    with pytest.raises(
        InputError, match=r"prices\.index on 2020-01-04: 365 rows a year, weekends .*day_of_week < 5"
    ):
        Market(steady(index), 0.02)
    assert Market(steady(index)[index.day_of_week < 5], 0.02).frequency.name == "daily"


@few
@given(st.data())
def test_two_spacings_in_one_table_are_refused(data):
    first, second = data.draw(st.permutations(["weekly", "monthly", "quarterly", "yearly"]))[:2]
    one = data.draw(calendars([first], rows=(12, 40)))
    two = data.draw(calendars([second], rows=(12, 40)))
    index = one.append(two + (one[-1] - two[0] + pd.Timedelta(FREQUENCIES[first].longest_step, "D")))
    with pytest.raises(InputError, match=r"mixed frequency|typical step"):
        Market(steady(index), 0.02)


def test_a_missing_month_is_not_taken_for_a_frequency():
    index = pd.date_range("2020-01-31", periods=40, freq="ME").delete(20)
    with pytest.raises(InputError, match="2021-08-31 is followed by 2021-10-31, 61 days later"):
        Market(steady(index), 0.02)


# --- cash ---


@pytest.mark.parametrize(("spacing", "rows_a_year"), [("ME", 12), ("BME", 12), ("QE", 4), ("YE", 1)])
@few
@given(rate=st.floats(-0.5, 0.5))
def test_a_float_grows_to_its_annual_rate_over_a_year(spacing, rows_a_year, rate):
    market = Market(steady(pd.date_range("2000-01-01", periods=40, freq=spacing)), rate)
    assert np.prod(1.0 + market.cash[1 : rows_a_year + 1]) == pytest.approx(1.0 + rate, rel=1e-12)
    assert market.cash[0] == 0.0


@pytest.mark.parametrize("spacing", ["B", "W-FRI"])
@few
@given(rate=st.floats(-0.5, 0.5))
def test_a_float_grows_with_the_calendar_where_rows_are_days_or_weeks(spacing, rate):
    index = pd.date_range("2000-01-07", "2004-01-09", freq=spacing)
    market = Market(steady(index), rate)
    years = (index[-1] - index[0]).days / 365.25
    assert np.prod(1.0 + market.cash) == pytest.approx((1.0 + rate) ** years, rel=1e-12)


@few
@given(markets())
def test_cash_is_a_finite_return_for_each_row(market):
    assert market.cash.shape == market.index.shape
    assert market.cash[0] == 0.0
    assert np.isfinite(market.cash).all()
    assert (market.cash > -1.0).all()
    assert market.cash_returns.tolist() == market.cash[1:].tolist()


# --- how it shows itself ---


def shown() -> Market:
    """Two assets, one of them listed late, with a name that is no HTML."""
    prices = steady(pd.bdate_range("2020-01-01", periods=300)).set_axis(
        ["SPY", "<script>alert(1)</script>"], axis=1
    )
    prices.iloc[:50, 1] = np.nan
    news = {"inflation & growth": pd.Series([0.02], index=prices.index[:1])}
    return Market(prices, 0.02, news, name="<b>mine</b>", sources={"SPY": "a vendor & more"})


def test_the_text_says_what_since_when_and_how():
    text = repr(shown())
    first, *rows = text.splitlines()
    assert first == "Market: <b>mine</b>, daily, 2020-01-01 to 2021-02-23, 300 rows"
    assert re.search(r"^  SPY +2020-01-01 +1\.35$", text, re.MULTILINE)
    assert re.search(r"alert\(1\)</script> +2020-03-11 +1\.64$", text, re.MULTILINE)
    assert "inflation & growth" in text
    assert "cash: 0.02 a year, annual effective" in text
    assert len({len(row) for row in rows[:3]}) == 1  # the columns line up


def test_the_page_escapes_every_name():
    page = shown()._repr_html_()
    assert "<script" not in page
    assert "<b>mine" not in page
    for part in (
        "&lt;script&gt;alert(1)",
        "&lt;b&gt;mine",
        "a vendor &amp; more",
        "inflation &amp; growth",
        "2020-03-11",
    ):
        assert part in page


def test_a_cut_shows_that_an_asset_is_not_listed_yet():
    past = shown().until("2020-02-03")
    assert re.search(r"</script> +not listed yet +–$", repr(past), re.MULTILINE)
    assert "not listed yet" in past._repr_html_()
    assert "2020-01-01 to 2020-02-03, 24 rows" in repr(past)


def test_a_simulated_market_says_so():
    prices = steady(pd.bdate_range("2020-01-01", periods=30))
    market = Market(prices, 0.02, simulated=True)
    assert repr(market).startswith("SIMULATED market: ")
    assert "SIMULATED" in market._repr_html_()
    assert "SIMULATED" in repr(market.until("2020-01-31"))


def test_sources_print_a_line_each():
    market = shown()
    assert repr(market.sources).startswith("SPY  a vendor & more")
    assert repr(Market(market.prices, 0.02).sources) == "no sources given"


@few
@given(markets())
def test_every_market_can_be_shown(market):
    for seen in (market, market.until(market.index[0])):
        assert market.name in repr(seen)
        assert seen._repr_html_().count("<tr>") == len(market.assets) + 1
