"""What a market says of an asset whose history ended: all of it afterwards, nothing before."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import market_frames

from allocator.errors import InputError, InsufficientHistoryError
from allocator.market.files import read_prices
from allocator.market.market import Market, cut
from allocator.market.resample import month_ends

few = settings(deadline=None, max_examples=60)


@st.composite
def ended_frames(draw: st.DrawFn, **kinds: object) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """A table of prices, the same with some assets ended before the last row, and their recoveries."""
    alive = draw(market_frames(assets=(2, 6), **kinds))
    ended, recoveries = alive.copy(), {}
    for asset in alive.columns[1:]:
        first, last = int(np.argmax(alive[asset].notna())), len(alive) - 1
        if first < last and draw(st.booleans()):
            row = draw(st.integers(first + 1, last))
            ended.loc[ended.index[row] :, asset] = np.nan
            recoveries[asset] = draw(st.sampled_from([0.0, 0.4, 1.0]))
    return alive, ended, recoveries


def delisted_market() -> Market:
    """Two years of days; B is listed on row 100, has its last price on row 299, and its holders got 0.4."""
    index = pd.bdate_range("2020-01-01", periods=520)
    rows = np.arange(520)
    prices = pd.DataFrame({"A": 1.001**rows, "B": 50.0 + rows}, index=index)
    prices.loc[(rows < 100) | (rows >= 300), "B"] = np.nan
    return Market(prices, 0.02, delisted={"B": 0.4}, sources={"A": "here", "B": "there"})


# --- afterwards ---


@few
@given(ended_frames())
def test_levels_stay_at_what_the_holders_got(frames):
    _, ended, recoveries = frames
    market = Market(ended, 0.02, delisted=recoveries)
    assert np.isfinite(market.levels).all()
    for column, asset in enumerate(market.assets):
        stop, known = int(market.listed_until[column]), ended[asset].notna().to_numpy()
        assert (stop < len(ended)) == (asset in recoveries)
        assert known[market.listed_from[column] : stop].all()
        assert not known[stop:].any()
        last = market.levels[stop - 1, column]
        assert (market.levels[stop:, column] == last * recoveries.get(asset, 1.0)).all()


@few
@given(ended_frames())
def test_prices_come_back_as_given(frames):
    _, ended, recoveries = frames
    market = Market(ended, 0.02, delisted=recoveries)
    pd.testing.assert_frame_equal(market.prices, ended, check_freq=False, check_index_type=False)


@few
@given(ended_frames())
def test_the_return_of_the_first_row_without_a_price_is_the_loss(frames):
    _, ended, recoveries = frames
    market = Market(ended, 0.02, delisted=recoveries)
    expected = ended.pct_change(fill_method=None)
    for asset, recovery in recoveries.items():
        row = int(market.listed_until[market.assets.index(asset)])
        expected.loc[ended.index[row], asset] = recovery - 1.0
    np.testing.assert_allclose(market.returns, expected.iloc[1:], rtol=0.0, atol=1e-15)


def test_an_asset_is_listed_up_to_its_last_price():
    market = delisted_market()
    assert [cut(market, rows).listed("B") for rows in (100, 101, 300, 301, 520)] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert cut(market, 300).listed_until.tolist() == [300, 300]
    assert cut(market, 301).listed_until.tolist() == [301, 300]


def test_a_window_of_a_delisted_asset_is_refused_and_no_history_would_do():
    market = delisted_market()
    assert cut(market, 300).window(["A", "B"], 0.5).shape == (126, 2)
    with pytest.raises(InputError, match=r"^prices\['B'\] on 2021-02-24: delisted") as caught:
        cut(market, 310).window(["A", "B"], 0.5)
    assert not isinstance(caught.value, InsufficientHistoryError)
    assert market.window(["A"], 1).shape == (252, 1)


def test_it_is_shown_where_the_market_shows_itself():
    market = delisted_market()
    text, page = repr(market), market._repr_html_()
    assert "2020-05-20 to 2021-02-23" in text
    assert "2020-05-20 to 2021-02-23" in page
    note = "delisted: B on 2021-02-24, -0.6 on that row"
    assert market.notes[-1] == note
    assert note in text
    assert note in page
    growth = 0.4 * 349.0 / 150.0
    assert f"{growth:.2f}" in text


def test_many_delistings_are_counted():
    index, names = pd.bdate_range("2020-01-01", periods=30), [f"A{j}" for j in range(20)]
    prices = pd.DataFrame(100.0, index=index, columns=names)
    prices.iloc[20:, 1:] = np.nan
    market = Market(prices, 0.02, delisted=dict.fromkeys(names[1:], 0.0))
    assert market.notes[-1].endswith("A8 on 2020-01-29, -1 on that row, and 11 more")


def test_the_table_and_the_recoveries_given_are_not_changed():
    prices = delisted_market().prices
    before, recoveries = prices.copy(), {"B": 0.4}
    market = Market(prices, 0.02, delisted=recoveries)
    pd.testing.assert_frame_equal(prices, before)
    recoveries["B"] = 0.9
    assert market.returns["B"].iloc[299] == pytest.approx(-0.6, abs=1e-15)


def test_a_file_whose_prices_end_is_read_and_takes_the_recovery(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("date,A,B\n2020-01-01,1,5\n2020-01-02,2,4\n2020-01-03,3,\n2020-01-06,4,NA\n")
    with pytest.raises(InputError, match=r"delisted=\{'B': 0.4\}"):
        Market(read_prices(file), 0.02)
    market = Market(read_prices(file), 0.02, delisted={"B": 0.5})
    assert market.levels[:, 1].tolist() == [5.0, 4.0, 2.0, 2.0]


# --- at month ends ---


def test_at_month_ends_the_holders_keep_what_they_got():
    market = delisted_market()
    monthly = month_ends(market)
    row = int(monthly.listed_until[1])
    assert monthly.index[row] == pd.Timestamp("2021-02-26")
    assert np.isnan(monthly.prices["B"].iloc[row:]).all()
    at_month_end = market.prices["B"]["2021-01-29"]
    assert monthly.returns["B"].iloc[row - 1] == pytest.approx(0.4 * 349.0 / at_month_end - 1.0, abs=1e-15)
    assert np.isnan(monthly.returns["B"].iloc[row:]).all()


def test_at_month_ends_a_takeover_may_be_a_gain():
    prices = delisted_market().prices
    market = month_ends(Market(prices, 0.02, delisted={"B": 1.0}))
    assert market.returns["B"].iloc[int(market.listed_until[1]) - 1] > 0.0


def test_an_asset_delisted_after_the_last_month_end_is_still_there():
    prices = delisted_market().prices.iloc[:302]
    monthly = month_ends(Market(prices, 0.02, delisted={"B": 0.4}))
    assert monthly.listed("B")
    assert "delisted" not in repr(monthly)


def test_an_asset_that_came_and_went_between_two_month_ends_is_dropped():
    prices = delisted_market().prices.assign(C=100.0)
    prices.loc[(prices.index < "2020-03-05") | (prices.index > "2020-03-20"), "C"] = np.nan
    market = month_ends(Market(prices, 0.02, delisted={"B": 0.4, "C": 0.0}))
    assert market.assets == ("A", "B")


def test_month_ends_without_a_price_at_the_first_are_refused():
    prices = delisted_market().prices
    prices.loc["2020-01-29":, "A"] = np.nan
    prices = prices[["A", "B"]]
    with pytest.raises(InputError, match=r"^market on 2020-01-31: no asset has a price .* cut its beginning"):
        month_ends(Market(prices, 0.02, delisted={"A": 1.0, "B": 0.4}))


# --- before ---


def seen(market: Market) -> dict[str, object]:
    """All that a market shows, errors too."""
    looks = {name: getattr(market, name) for name in dir(market) if name[0] != "_"}
    shown = {name: look for name, look in looks.items() if not callable(look)}
    for asset in market.assets:
        shown[f"listed {asset}"] = market.listed(asset)
        for years in (0.06, 1.0, 15.0):
            try:
                shown[f"window {asset} {years}"] = market.window([asset], years)
            except InputError as error:
                shown[f"window {asset} {years}"] = str(error), getattr(error, "rows_needed", None)
    shown["later"] = len(market.until("9999").levels)
    return shown | {"text": repr(market), "page": market._repr_html_()}


def assert_same(one: object, other: object) -> None:
    """Compare bit by bit what two markets show."""
    if isinstance(one, pd.DataFrame | pd.Series):
        assert one.equals(other)
        assert one.index.equals(other.index)
    elif isinstance(one, np.ndarray | pd.DatetimeIndex):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other, equal_nan=one.dtype == np.float64)
    else:
        assert one == other


@few
@given(ended_frames(), st.data())
def test_before_its_last_price_nothing_shows_that_an_asset_will_be_delisted(frames, data):
    alive, ended, recoveries = frames
    assume(recoveries)
    whole = Market(ended, 0.02, delisted=recoveries)
    n_rows = data.draw(st.integers(1, int(whole.listed_until.min())))
    past, other = cut(whole, n_rows), cut(Market(alive, 0.02), n_rows)
    one, two = seen(past), seen(other)
    assert one.keys() == two.keys()
    for name in one:
        assert_same(one[name], two[name])
    assert pickle.dumps(past) == pickle.dumps(other)


@few
@given(ended_frames(), st.data())
def test_the_recovery_is_unknown_before_the_first_row_without_a_price(frames, data):
    _, ended, recoveries = frames
    assume(recoveries)
    whole = Market(ended, 0.02, delisted=recoveries)
    other = Market(ended, 0.02, delisted={asset: (r + 0.3) / 2.0 for asset, r in recoveries.items()})
    n_rows = int(whole.listed_until.min())
    assert pickle.dumps(cut(whole, n_rows)) == pickle.dumps(cut(other, n_rows))
    assert repr(cut(whole, n_rows)) == repr(cut(other, n_rows))
    assert repr(cut(whole, n_rows + 1)) != repr(cut(other, n_rows + 1))


@few
@given(ended_frames(), st.data())
def test_the_past_of_a_panel_is_that_of_the_table_cut_there(frames, data):
    _, ended, recoveries = frames
    market = Market(ended, 0.02, delisted=recoveries)
    n_rows = data.draw(st.integers(12, len(ended)))
    gone = {
        asset: recovery
        for asset, recovery in recoveries.items()
        if market.listed_until[market.assets.index(asset)] < n_rows
    }
    table = ended.iloc[:n_rows]
    assume(table.notna().any().all())
    expected, past = seen(Market(table, 0.02, delisted=gone)), seen(cut(market, n_rows))
    for name in expected:
        assert_same(past[name], expected[name])
