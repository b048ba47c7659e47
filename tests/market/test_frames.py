"""Tables of other libraries: the same market as of pandas, and nothing guessed."""

import builtins
import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator as al

nw = pytest.importorskip("narwhals", reason="the extra [polars] is not installed")
DAYS = [dt.date(2020, 1, 31), dt.date(2020, 2, 29), dt.date(2020, 3, 31)]
COLUMNS = {"SPY": [1.0, 2.0, 3.0], "GLD": [None, 2.0, 2.5]}


def arrow(**columns):
    return pa.table({"date": DAYS, **COLUMNS, **columns})


def polars(**columns):
    library = pytest.importorskip("polars", reason="Polars is not installed")
    return library.DataFrame({"date": DAYS, **COLUMNS, **columns})


both = pytest.mark.parametrize("build", [arrow, polars], ids=["arrow", "polars"])


@both
def test_a_market_is_the_same_as_of_pandas(build):
    pandas = pd.DataFrame(COLUMNS, index=pd.DatetimeIndex(DAYS).as_unit("us"), dtype=float)
    ours, theirs = al.Market(pandas, 0.02), al.Market(build(), 0.02)
    pd.testing.assert_frame_equal(ours.prices, theirs.prices, check_exact=True)
    assert repr(ours) == repr(theirs)


@both
def test_the_table_is_left_as_it_was(build):
    given, before = build(), build()
    al.Market(given, 0.02)
    assert given.equals(before)


@both
def test_a_column_can_be_taken_out(build):
    table = al.read_frame(build(BIL=[1.0, 1.01, 1.02]))
    assert table.index.name == "date"
    market = al.Market(table[["SPY"]], table["BIL"].pct_change().iloc[1:])
    assert market.cash[1] == pytest.approx(0.01)


@given(st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=3), st.permutations([0, 1, 2]))
def test_numbers_and_order_are_kept(values, order):
    table = pa.table({"A": values, "day": [DAYS[k] for k in order]})
    found = al.read_frame(table)
    assert found["A"].tolist() == values
    assert [date.date() for date in found.index] == [DAYS[k] for k in order]


@both
def test_rows_out_of_order_are_refused_as_of_pandas(build):
    backwards = build().reverse() if build is polars else build().take([2, 1, 0])
    with pytest.raises(al.InputError, match=r"prices\.index"):
        al.Market(backwards, 0.02)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"settled": DAYS},
            r"prices: 2 columns hold dates: date, settled; al.read_frame\(frame, dates=\.\.\.\)",
        ),
        ({"date": ["2020-01-31", "2020-02-29", "2020-03-31"]}, "0 columns hold dates; parse them"),
        ({"date": [DAYS[0], None, DAYS[2]]}, r"prices\['date'\]: row 1 has no date"),
        ({"SPY": ["a", "b", "c"]}, r"prices\['SPY'\]: is of type String, not a number"),
        ({"SPY": [True, False, True]}, "is of type Boolean"),
        ({"SPY": [1, 2, 2**53 + 1]}, r"integer beyond 2\*\*53"),
    ],
)
def test_what_is_ambiguous_is_refused(columns, message):
    with pytest.raises(al.InputError, match=message):
        al.Market(pa.table({"date": DAYS, **COLUMNS} | columns), 0.02)


def test_a_time_zone_is_refused():
    stamps = pa.array(DAYS).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    with pytest.raises(al.InputError, match="without a zone"):
        al.Market(pa.table({"date": stamps, **COLUMNS}), 0.02)


def test_a_time_of_day_is_refused_as_of_pandas():
    stamps = [dt.datetime(2020, month, 1, 16) for month in (1, 2, 3)]
    with pytest.raises(al.InputError, match=r"prices\.index"):
        al.Market(pa.table({"date": stamps, **COLUMNS}), 0.02)


def test_the_dates_can_be_named():
    table = arrow(settled=DAYS[::-1])
    with pytest.raises(al.InputError, match=r"frame\['settled'\]: is of type Date"):
        al.read_frame(table, "date")  # the other dates are no numbers
    assert len(al.read_frame(table.drop_columns("settled"), "date")) == 3
    with pytest.raises(al.InputError, match="there is no column 'day'"):
        al.read_frame(table, "day")
    with pytest.raises(al.InputError, match=r"frame\['SPY'\]: is of type Double|Float64, not dates"):
        al.read_frame(table, "SPY")


def test_a_lazy_table_is_refused():
    with pytest.raises(al.InputError, match=r"prices: a lazy table; frame\.collect\(\)"):
        al.Market(polars().lazy(), 0.02)


@pytest.mark.parametrize(
    "thing", [None, 3, [1, 2], {"date": DAYS}, np.ones((3, 2)), pd.Series([1.0, 2.0]), pa.array([1.0])]
)
def test_what_is_no_table_is_refused_as_before(thing):
    with pytest.raises(al.InputError, match="expected a DataFrame with dates as index"):
        al.Market(thing, 0.02)


def test_pandas_has_its_own_way():
    with pytest.raises(al.InputError, match="is pandas already"):
        al.read_frame(pd.DataFrame({"date": DAYS, "A": [1.0, 2.0, 3.0]}))


def test_only_dates_are_no_prices():
    with pytest.raises(al.InputError, match="has no column beside 'date'"):
        al.read_frame(pa.table({"date": DAYS}))


def test_without_the_extra_it_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("narwhals"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        al.InputError, match=r"a table of pyarrow needs narwhals; pip install 'allocator-backtest\[polars\]'"
    ):
        al.Market(arrow(), 0.02)
