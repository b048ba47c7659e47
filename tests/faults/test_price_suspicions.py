"""Sound but suspicious tables, a test a case of docs/faults.md: what is noted, and what is left alone.

Half of these tests are about silence: a note that is wrong on a real market is a defect.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.market.market import Market
from allocator.market.resample import month_ends

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the real panels are not on this machine")
BEGIN = "2010-01-04"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The present day is 2024-06-12, a Wednesday, in all of these tests."""
    today = dt.date(2024, 6, 12).toordinal() - dt.date(1970, 1, 1).toordinal()
    monkeypatch.setattr("allocator.market.market.utc_today", lambda: today)


def walk(n=300, volatility=0.01, seed=0, freq="B", assets=("SPY", "GLD", "TLT")):
    """Sound prices: independent normal log returns."""
    moves = np.random.default_rng(seed).normal(0.0, volatility, (n, len(assets)))
    index = pd.date_range(BEGIN, periods=n, freq=freq)
    return pd.DataFrame(100.0 * np.exp(np.cumsum(moves, axis=0)), index=index, columns=list(assets))


def noted(prices, **options):
    """The notes of a market but that on cash."""
    return [note for note in Market(prices, 0.0, **options).notes if not note.startswith("cash:")]


def the_note(prices, **options):
    notes = noted(prices, **options)
    assert len(notes) == 1, notes
    return notes[0]


# --- F034 ---


def test_F034_stale_prices():
    prices = walk()
    prices.iloc[50:62, 1] = prices.iloc[50, 1]
    prices.iloc[100:110, 1] = prices.iloc[100, 1]
    first, last = prices.index[50].date(), prices.index[61].date()
    assert the_note(prices) == (
        f"prices['GLD'] on {first}: the same price on 12 rows up to {last}, as if carried forward "
        "(first of 2); get the prices, or end the asset's history before if it was not traded"
    )


def test_F034_ten_rows_are_stale_and_nine_are_not():
    prices = walk()
    prices.iloc[50:59, 1] = prices.iloc[50, 1]
    assert noted(prices) == []
    prices.iloc[59, 1] = prices.iloc[50, 1]
    assert "on 10 rows" in the_note(prices)


def test_F034_several_assets_are_named():
    prices = walk(assets=[f"A{j}" for j in range(70)])
    prices.iloc[20:40, 66:] = prices.iloc[20, 66:].to_numpy()
    prices.iloc[10:30, 3] = prices.iloc[10, 3]
    note = the_note(prices)
    assert note.startswith(f"prices['A3'] on {prices.index[10].date()}: ")
    assert "also 'A66', 'A67', 'A68', 'A69' (first of 5)" in note


def test_F034_the_last_row_is_seen():
    prices = walk()
    prices.iloc[-10:, 0] = prices.iloc[-10, 0]
    assert f"up to {prices.index[-1].date()}" in the_note(prices)


@pytest.mark.parametrize("freq", ["W-FRI", "ME"])
def test_F034_slower_prices_may_stand_still(freq):
    prices = walk(150, freq=freq)
    prices.iloc[50:80, 1] = prices.iloc[50, 1]
    assert noted(prices) == []


def test_F034_bills_at_a_rate_of_zero_stand_still():
    prices = walk()
    growth = np.repeat([1e-4, 0.0, 1e-4], 100)
    assert noted(prices.assign(bill=np.cumprod(1.0 + growth), nothing=1.0)) == []


def test_F034_coarse_quotes_stand_still():
    """A penny share: a cent is more than it moves in a week."""
    moves = np.random.default_rng(2).normal(0.0, 0.004, 300)
    pennies = np.exp(np.cumsum(moves)).round(2)
    assert np.diff(np.flatnonzero(np.diff(pennies))).max() > 10
    assert noted(walk().assign(penny=pennies)) == []


def test_F034_rows_before_a_listing_and_after_a_delisting_are_no_prices():
    prices = walk()
    prices.iloc[:100, 1] = np.nan
    prices.iloc[200:, 2] = np.nan
    notes = noted(prices, delisted={"TLT": 0.0})
    assert [note for note in notes if not note.startswith("delisted")] == []


# --- F035 ---


@pytest.mark.parametrize("factor", [10.0, 1.6, 0.4, 0.01])
@pytest.mark.parametrize("freq", ["B", "W-FRI"])
def test_F035_bad_tick(factor, freq):
    prices = walk(freq=freq)
    prices.iloc[120, 1] = prices.iloc[119, 1] * factor
    assert the_note(prices) == (
        f"prices['GLD'] on {prices.index[120].date()}: moves by {factor - 1.0:+.0%} and back on the next "
        "row, as a bad tick does; compare with another source and correct it"
    )


def test_F035_counts_the_ticks():
    prices = walk()
    prices.iloc[[20, 22], 1] *= 100.0
    prices.iloc[200, 0] *= 100.0
    assert "also 'SPY' (first of 3)" in the_note(prices)


@pytest.mark.parametrize("factor", [1.4, 0.6])
def test_F035_less_than_half_is_left_alone(factor):
    prices = walk()
    prices.iloc[120, 1] = prices.iloc[119, 1] * factor
    assert noted(prices) == []


def test_F035_a_crash_that_is_not_taken_back_is_left_alone():
    prices = walk()
    prices.iloc[120:, 1] *= 0.43
    assert noted(prices) == []


def test_F035_what_moves_like_this_all_the_time_is_left_alone():
    assert noted(walk(volatility=0.25, seed=3)) == []


def test_F035_months_may_do_this():
    prices = walk(150, freq="ME", volatility=0.04)
    prices.iloc[120, 1] = prices.iloc[119, 1] * 1.75
    assert noted(prices) == []


# --- F036 ---


@pytest.mark.parametrize("new", [(2, 1), (3, 1), (4, 1), (5, 1), (10, 1), (3, 2)])
@pytest.mark.parametrize("reverse", [False, True])
def test_F036_unadjusted_split(new, reverse):
    shares, per = new[::-1] if reverse else new
    prices = walk()
    prices.iloc[140:, 1] *= per / shares
    ratio = prices.iloc[140, 1] / prices.iloc[139, 1]
    assert the_note(prices) == (
        f"prices['GLD'] on {prices.index[140].date()}: is {ratio:.4g} times the price before, "
        f"as an unadjusted split {shares} for {per} makes it; use prices adjusted for splits"
    )


def test_F036_of_a_single_asset():
    prices = walk(150, assets=("SPY",), freq="ME", volatility=0.03)
    prices.iloc[140:] /= 2.0
    assert "split 2 for 1" in the_note(prices)


@pytest.mark.parametrize("factor", [0.55, 0.45, 0.62, 0.13])
def test_F036_other_factors_are_no_splits(factor):
    prices = walk(volatility=0.005)
    prices.iloc[140:, 1] *= factor * prices.iloc[139, 1] / prices.iloc[140, 1]
    assert noted(prices) == []


def test_F036_a_crash_of_all_is_no_split():
    prices = walk()
    prices.iloc[140:] *= 0.5
    assert noted(prices) == []


def test_F036_a_crash_among_crashes_is_no_split():
    """Hong Kong, 26 October 1987: 33.3 % after a closed exchange, and large moves on the rows beside it."""
    prices = walk()
    prices.iloc[139:, 1] *= 0.88
    prices.iloc[140:, 1] *= 2.0 / 3.0
    assert noted(prices) == []


def test_F036_a_step_of_a_quote_is_no_split():
    """From a hundred slowly down to two cents, and then to one."""
    cents = (100.0 * np.exp(-0.0145 * np.arange(640))).round(2)
    assert 0.5 in cents[1:] / cents[:-1]
    prices = walk(640).assign(share=cents)
    assert [note for note in noted(prices) if "split" in note] == []
    finer = prices.assign(share=cents + np.where(np.arange(640) == 570, 1e-4, 0.0))
    assert [note for note in noted(finer) if "split 2 for 1" in note]  # nothing but the step tells


def test_F036_what_moves_like_this_all_the_time_is_left_alone():
    prices = walk(volatility=0.06)
    prices.iloc[140:, 1] *= 0.5 * prices.iloc[139, 1] / prices.iloc[140, 1]
    assert noted(prices) == []


# --- F037 ---


def test_F037_last_row_is_of_today():
    prices = walk().set_axis(pd.bdate_range(end="2024-06-12", periods=300))
    assert the_note(prices) == (
        "prices on 2024-06-12: the last row is of today (UTC), and its prices may not be the last of the "
        "day; prices.iloc[:-1] leaves it out"
    )
    assert noted(prices.iloc[:-1]) == []


def test_F037_rows_after_today():
    prices = walk().set_axis(pd.bdate_range(end="2024-06-14", periods=300))
    assert the_note(prices) == (
        "prices on 2024-06-13: dated after today, 2024-06-12 (UTC) (first of 2); "
        "correct the dates, or prices.loc[:'2024-06-11'] leaves out what is not over yet"
    )


def test_F037_a_month_that_is_not_over():
    prices = walk(60, freq="ME").set_axis(pd.date_range(end="2024-06-30", periods=60, freq="ME"))
    assert "prices on 2024-06-30: dated after today" in the_note(prices)


def test_F037_made_up_prices_have_no_today():
    prices = walk().set_axis(pd.bdate_range(end="2030-06-14", periods=300))
    assert noted(prices, simulated=True) == []


def test_F037_changes_no_number(monkeypatch):
    mix = al.FixedMix({"SPY": 0.6, "TLT": 0.4})
    before = al.run_backtest(mix, Market(walk(), 0.02), rebalancing=al.Monthly()).value
    monkeypatch.setattr("allocator.market.market.utc_today", lambda: 0)
    later = Market(walk(), 0.02)
    assert "dated after today" in later.notes[-1]
    pd.testing.assert_series_equal(al.run_backtest(mix, later, rebalancing=al.Monthly()).value, before)


# --- F038 ---


def test_F038_weekend_rows():
    prices = walk()
    friday = int(np.flatnonzero(prices.index.day_of_week[100:] == 4)[0]) + 100
    extra = [prices.index[friday] + pd.Timedelta(days, "D") for days in (1, 2)]
    more = pd.concat([prices, prices.iloc[[friday, friday]].set_axis(extra) * 1.001]).sort_index()
    assert the_note(more) == (
        f"prices on {extra[0].date()}: a Saturday in a table of working days (first of 2); "
        "prices[prices.index.day_of_week < 5] drops weekends"
    )
    assert noted(more[more.index.day_of_week < 5]) == []


def test_F038_a_calendar_with_saturdays_until_a_day_is_a_calendar():
    """New York traded on Saturdays until May 1952, in its last summers not."""
    days = pd.date_range("1946-01-01", "1955-12-31")
    is_open = (days.day_of_week < 5) | ((days.day_of_week == 5) & (days < "1952-06-01"))
    is_open &= ~((days.day_of_week == 5) & days.month.isin([6, 7, 8, 9]))
    index = days[is_open]
    assert noted(walk(len(index)).set_axis(index)) == []


def test_F038_seven_days_a_week_is_refused_and_not_noted():
    prices = walk(freq="D")
    with pytest.raises(al.InputError, match="252 periods a year would be wrong"):
        Market(prices, 0.0)


# --- F040 ---


def test_F040_a_gap_in_all_assets():
    prices = walk(500)
    prices = prices.drop(prices.index[200:208])
    days = (prices.index[200] - prices.index[199]).days
    assert the_note(prices) == (
        f"prices on {prices.index[200].date()}: no row for {days} calendar days after "
        f"{prices.index[199].date()}; a daily table seldom has gaps of more than 10; "
        "check whether the market was closed"
    )


def test_F040_a_holiday_of_every_year_is_a_calendar():
    prices = walk(2000)
    holiday = [
        prices.index[(prices.index.year == year) & (prices.index.day_of_year > 40)][:7]
        for year in range(2010, 2018)
    ]
    assert noted(prices.drop(np.concatenate(holiday))) == []


def test_F040_a_gap_too_long_for_the_frequency_is_refused():
    prices = walk(500)
    with pytest.raises(al.InputError, match="21 days later") as caught:
        Market(prices.drop(prices.index[200:214]), 0.0)
    assert caught.value.argument == "prices.index"


# --- F048 ---


def test_F048_a_year_mistyped_at_the_end():
    index = walk().index[:-1].append(pd.DatetimeIndex(["2202-01-03"]))
    with pytest.raises(al.InputError) as caught:
        Market(walk().set_axis(index), 0.0)
    assert str(caught.value) == (
        "prices.index on 2202-01-03: 2011-02-24 is followed by 2202-01-03, 191 years later; "
        "correct the year, or cut the table there"
    )


def test_F048_a_year_mistyped_inside():
    index = walk().index.to_series()
    index.iloc[20] += pd.DateOffset(years=190)
    with pytest.raises(al.InputError, match=r"2010-02-02 comes after 2200-02-01, which may be a wrong year;"):
        Market(walk().set_axis(pd.DatetimeIndex(index)), 0.0)


def test_F048_two_rows_decades_apart():
    index = pd.DatetimeIndex(["2022-01-03", "2202-01-03"])
    with pytest.raises(al.InputError, match="2022-01-03 is followed by 2202-01-03, 180 years later"):
        Market(walk(2).set_axis(index), 0.0)


# --- F051 ---


@pytest.mark.parametrize(
    "name", ["DGS10", "dfii10", "GS10", "DFF", "SOFR", "T10YIE", "10-year yield", "JGB10Y", "US 30Y"]
)
def test_F051_yields_among_prices(name):
    prices = walk()
    prices[name] = (3.0 + 0.02 * np.random.default_rng(1).normal(size=300).cumsum()).clip(0.5).round(2)
    says = f"prices[{name!r}] on 2010-01-04: looks like a yield in percent, not like a price; build total"
    assert the_note(prices).startswith(says)


def test_F051_consumer_prices_among_prices():
    assert "prices['CPIAUCNS'] on 2010-01-04: looks like an index of consumer prices" in the_note(
        walk().assign(CPIAUCNS=np.linspace(216.0, 230.0, 300))
    )


def test_F051_one_note_for_a_column():
    """Yields stand still and jump; nobody needs to be told of a split of a yield."""
    values = np.repeat([0.02, 0.04, 0.02, 0.05, 0.02, 0.04], 50)
    assert "also 'SOFR' (first of 2)" in the_note(walk().assign(DFF=values, SOFR=values))


@pytest.mark.parametrize(
    "name", ["high yield", "High_Yield bonds", "US10Y", "dividend yield", "stocks", "VUSTX"]
)
def test_F051_growth_of_one_is_no_yield(name):
    growth = np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.01, 299)))
    assert noted(walk().assign(**{name: np.concatenate([[1.0], growth])})) == []


@pytest.mark.parametrize("name", ["GS10", "US10Y"])
def test_F051_what_begins_at_one_is_no_yield(name):
    growth = 1.0 + np.arange(300) * 0.001
    assert noted(walk().assign(**{name: growth.round(3)})) == []
    assert len(noted(walk().assign(**{name: (growth + 1.0).round(3)}))) == 1


@pytest.mark.parametrize("name", ["DGS10", "US10Y", "GS10"])
def test_F051_a_price_of_a_hundred_is_no_yield(name):
    assert noted(walk(assets=(name, "SPY"))) == []


# --- all of them ---


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    volatility=st.floats(1e-5, 0.04),
    assets=st.integers(1, 80),
    freq=st.sampled_from(["B", "W-FRI", "ME", "QE", "YE"]),
    rows=st.integers(2, 200),
)
def test_F034_to_F040_sound_random_walks_give_no_note(seed, volatility, assets, freq, rows):
    prices = walk(
        rows if freq != "YE" else min(rows, 200), volatility, seed, freq, [f"A{j}" for j in range(assets)]
    )
    assert noted(prices, simulated=True) == []


@st.composite
def spoilt(draw):
    """Three assets whose prices stand still, jump and come back, split, and have weekends."""
    prices = walk(draw(st.integers(60, 160)), seed=draw(st.integers(0, 99)))
    n = len(prices)
    for _ in range(draw(st.integers(0, 4))):
        row, column = draw(st.integers(1, n - 1)), draw(st.integers(0, 2))
        kind = draw(st.sampled_from(["stale", "tick", "split"]))
        if kind == "stale":
            prices.iloc[row : row + 13, column] = prices.iloc[row, column]
        elif kind == "tick":
            prices.iloc[row, column] *= 8.0
        else:
            prices.iloc[row:, column] *= 0.5
    if draw(st.booleans()):
        saturday = prices.index[4] + pd.Timedelta(1 + 7 * draw(st.integers(0, 9)), "D")
        prices.loc[saturday] = prices.loc[saturday - pd.Timedelta(1, "D")]
    return prices.sort_index()


@settings(max_examples=60)
@given(prices=spoilt(), share=st.floats(0.1, 0.95), seed=st.integers(0, 99))
def test_F034_to_F040_a_past_notes_what_a_table_that_ends_there_does(prices, share, seed):
    n = max(2, int(share * len(prices)))
    future = prices.copy()
    future.iloc[n:] *= np.exp(np.random.default_rng(seed).normal(0.0, 1.0, (len(prices) - n, 3)))
    expected = Market(prices.iloc[:n], 0.0).notes
    for table in (prices, future):
        whole = Market(table, 0.0)
        assert whole.notes  # looked for before the cut, and not handed on
        past = whole.until(prices.index[n - 1])
        assert past.notes == expected
        assert pickle.loads(pickle.dumps(past)).notes == expected


def test_F034_notes_are_looked_for_once(monkeypatch):
    market = Market(walk(), 0.0)
    calls = []
    monkeypatch.setattr("allocator.market.market.suspicions", lambda *_: calls.append(1) or ("found",))
    assert not calls  # not at the door
    assert market.notes == market.notes == ("cash: 0 a year, annual effective", "found")
    assert calls == [1]
    assert market.until("2010-06-30").notes[-1] == "found"
    assert calls == [1, 1]


def test_F034_a_past_of_one_row_has_no_notes():
    assert Market(walk(), 0.0).until(BEGIN).notes == ("cash: 0 a year, annual effective",)


def test_F034_months_are_looked_at_as_months():
    prices = walk(300)
    prices.iloc[50:62, 1] = prices.iloc[50, 1]
    assert len(month_ends(Market(prices, 0.0)).notes) == 1


def test_the_embedded_history_and_simulated_markets_give_no_note():
    assert al.load_us_history().until("2023").notes == ("cash: series '3-month US Treasury bill'",)
    for seed in range(3):
        assert all(note.startswith("cash:") for note in al.simulate_market(seed).notes)


@needs_data
@pytest.mark.parametrize("file", ["daily_core_balanced.csv", "daily_etf_tr.csv"])
def test_real_funds_give_no_note(file):
    prices = pd.read_csv(DATA / file, index_col=0, parse_dates=True).loc["1994":"2023"]
    assert noted(prices) == []


@needs_data
@pytest.mark.parametrize(
    ("asset", "notes"),
    [
        ("HSI", []),
        ("DAX", []),
        ("FTSE_100", []),
        ("CSI_300", []),
        ("GOLD_usd", []),
        ("COPPER_usd_mt", []),
        ("BRENT", []),
        ("BTC_usd", []),
        ("VIX", []),
        # The Nikkei of one source stands still for a month; Japan's holidays of May 2019.
        (
            "N225",
            [
                "prices['N225'] on 1972-03-31: the same price on 21 rows",
                "prices on 2019-05-07: no row for 11",
            ],
        ),
        ("DXY", []),
        # The bank holiday.
        ("SPX_price", ["prices on 1933-03-15: no row for 12 calendar days after 1933-03-03"]),
    ],
)
def test_real_indices_give_the_notes_that_they_deserve(asset, notes):
    table = pd.read_csv(DATA / "daily_global_price.csv", index_col=0, parse_dates=True)
    found = noted(table.loc[:"2023", [asset]].dropna())
    assert len(found) == len(notes)
    for line, beginning in zip(found, notes, strict=True):
        assert line.startswith(beginning)
