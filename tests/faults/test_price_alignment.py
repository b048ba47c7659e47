"""Series of different calendars become one table only by a rule that is named: F030, F031 and F049."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.market.market import Market
from allocator.market.resample import month_ends

DAYS = pd.bdate_range("2020-01-01", periods=30)
NEW_YORK = DAYS.drop(DAYS[[3, 4, 20]])
LONDON = DAYS.drop(DAYS[[10, 20]])


def series(index, first=100.0):
    return pd.Series(first + np.arange(len(index)), index=index, dtype=float)


def exchanges():
    """Two calendars: New York lacks rows 3 and 4, London row 10, nobody has row 20."""
    return {"SPY": series(NEW_YORK), "VOD": series(LONDON, 200.0)}


def refusal(prices, **options):
    with pytest.raises(al.InputError) as caught:
        al.align_prices(prices, **options)
    return str(caught.value)


def noted(market):
    return [note for note in market.notes if not note.startswith("cash:")]


# --- F049 ---


def test_F049_calendars_that_differ_are_refused():
    assert refusal(exchanges()) == (
        "prices['SPY'] on 2020-01-06: the calendars differ: 'SPY' lacks 2 dates, the first 2020-01-06, "
        "'VOD' lacks 1 date, the first 2020-01-15; align='intersection' keeps the dates that all have, "
        "align='union_hold' holds the last price over at most max_gap rows"
    )


def test_F049_equal_calendars_need_no_rule():
    table = al.align_prices({"SPY": series(DAYS), "VOD": series(DAYS[5:])})
    pd.testing.assert_index_equal(table.index, DAYS, check_freq=False)
    assert table["VOD"].isna().tolist() == [True] * 5 + [False] * 25
    assert noted(Market(table, 0.0)) == []


def test_F049_intersection_keeps_shared_dates():
    table = al.align_prices(exchanges(), align="intersection")
    assert table.index.tolist() == DAYS.drop(DAYS[[3, 4, 10, 20]]).tolist()
    for asset, prices in exchanges().items():
        assert table[asset].tolist() == prices[table.index].tolist()
    assert table.attrs == {"held": {}, "dropped": ["2020-01-06", "2020-01-07", "2020-01-15"]}
    assert noted(Market(table, 0.0)) == ["prices on 2020-01-06: left out for want of a price (first of 3)"]


def test_F049_union_holds_the_last_price():
    table = al.align_prices(exchanges(), align="union_hold")
    assert table.index.tolist() == DAYS.drop(DAYS[20]).tolist()
    assert table.loc["2020-01-03":"2020-01-08", "SPY"].tolist() == [102.0, 102.0, 102.0, 103.0]
    assert table.attrs["held"] == {"SPY": ["2020-01-06", "2020-01-07"], "VOD": ["2020-01-15"]}
    assert noted(Market(table, 0.0)) == [
        "prices['SPY'] on 2020-01-06: no price, the one before is held (first of 2)",
        "prices['VOD'] on 2020-01-15: no price, the one before is held",
    ]


def test_F049_a_past_is_not_told_of_later_holds():
    market = Market(al.align_prices(exchanges(), align="union_hold"), 0.0)
    past = market.until("2020-01-06")
    expected = ["prices['SPY'] on 2020-01-06: no price, the one before is held"]
    assert noted(past) == noted(pickle.loads(pickle.dumps(past))) == expected
    assert b"VOD" in pickle.dumps(past)
    assert pickle.loads(pickle.dumps(past))._alignment.held["VOD"].tolist() == []
    assert noted(market.until("2020-01-03")) == []
    assert len(noted(pickle.loads(pickle.dumps(market)))) == 2


def test_F049_month_ends_tell_of_the_holds_that_are_left():
    days = pd.bdate_range("2020-01-01", "2020-06-10")
    prices = {"SPY": series(days), "VOD": series(days.drop(["2020-02-28", "2020-04-15"]))}
    monthly = month_ends(Market(al.align_prices(prices, align="union_hold"), 0.0))
    assert noted(monthly) == ["prices['VOD'] on 2020-02-28: no price, the one before is held"]


def test_F049_a_part_of_the_table_tells_of_its_own_holds():
    table = al.align_prices(exchanges(), align="union_hold")
    assert len(noted(Market(table.loc["2020-01-08":], 0.0))) == 1
    assert len(noted(Market(table[["SPY"]], 0.0))) == 1
    dropped = al.align_prices(exchanges(), align="intersection")
    assert noted(Market(dropped.loc["2020-01-08":], 0.0)) == [
        "prices on 2020-01-15: left out for want of a price"
    ]


@pytest.mark.parametrize(
    "attrs", [{"held": 3, "dropped": []}, {"held": {"SPY": [1]}, "dropped": []}, {"held": {}}]
)
def test_F049_attrs_of_somebody_else_are_left_alone(attrs):
    table = pd.DataFrame(exchanges()).dropna()
    table.attrs.update(attrs)
    assert noted(Market(table, 0.0)) == []


def test_F049_a_table_with_holes_is_the_same():
    table = pd.DataFrame(exchanges())
    for align in ("intersection", "union_hold"):
        pd.testing.assert_frame_equal(
            al.align_prices(table, align=align), al.align_prices(exchanges(), align=align), check_freq=False
        )


# --- F030 and F031 ---


def test_F030_a_hole_is_held_on_request_and_no_longer_than_allowed():
    table = pd.DataFrame({"SPY": series(DAYS), "VOD": series(DAYS, 200.0)})
    table.iloc[7:12, 1] = np.nan
    with pytest.raises(al.InputError, match=r"a hole of 5 rows \(first of 5\); .*al\.align_prices"):
        Market(table, 0.0)
    held = al.align_prices(table, align="union_hold", max_gap=5)
    assert held["VOD"].iloc[6:13].tolist() == [206.0] * 6 + [212.0]
    assert refusal(table, align="union_hold", max_gap=4) == (
        "prices['VOD'] on 2020-01-10: no price on 5 rows in a row, more than max_gap=4; get the prices, "
        "pass max_gap=5 if these are holidays, or align='intersection'"
    )
    assert len(al.align_prices(table, align="intersection")) == 25


def test_F030_holes_longer_than_allowed_are_counted():
    table = pd.DataFrame({"SPY": series(DAYS), "VOD": series(DAYS)})
    table.iloc[[3, 4, 7, 10, 11, 12], 1] = np.nan
    assert "on 2 rows in a row, more than max_gap=1 (first of 2)" in refusal(
        table, align="union_hold", max_gap=1
    )


@pytest.mark.parametrize("align", ["intersection", "union_hold", None])
def test_F031_nothing_is_held_before_the_first_price_or_after_the_last(align):
    prices = {"SPY": series(DAYS), "VOD": series(DAYS[5:20])}
    table = al.align_prices(prices, align=align)
    assert table["VOD"].notna().tolist() == [False] * 5 + [True] * 15 + [False] * 10
    with pytest.raises(al.InputError, match=r"no price after 2020-01-28 \(first of 10\).*delisted"):
        Market(table, 0.0)
    assert Market(table, 0.0, delisted={"VOD": 0.4}).listed_until.tolist() == [30, 20]


# --- what is refused ---


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        (None, "prices: expected a mapping of asset to Series or a DataFrame, got NoneType"),
        ({}, "prices: no assets"),
        (pd.DataFrame(), "prices: no assets"),
        ({"SPY": [1.0, 2.0]}, "prices['SPY']: expected a Series, got list"),
        ({5: series(DAYS)}, "prices: 5 is a name of type int"),
        ({"SPY": series(DAYS) * np.nan}, "prices['SPY']: no price at all"),
        (
            {"SPY": series(DAYS).astype(str)},
            "prices['SPY'] on 2020-01-01: '100.0' is str, not a number (first of 30)",
        ),
        (
            {"SPY": series(DAYS).iloc[::-1]},
            "prices['SPY'].index on 2020-02-11: the dates are in reverse order",
        ),
        (
            {"SPY": series(DAYS.tz_localize("Asia/Tokyo"))},
            "prices['SPY'].index on 2020-01-01: timestamps in time zone",
        ),
        (pd.DataFrame([[1.0, 2.0]] * 30, DAYS, ["SPY", "SPY"]), "prices['SPY']: 'SPY' stands twice"),
    ],
)
def test_F049_what_is_no_table_of_prices(prices, says):
    assert refusal(prices, align="union_hold").startswith(says)


def test_F044_session_dates_are_joined_and_not_instants():
    """The same sessions in two zones are one calendar once each has its own dates."""
    zones = {"SPY": "America/New_York", "TM": "Asia/Tokyo"}
    with pytest.raises(al.InputError, match="time zone America/New_York"):
        al.align_prices({asset: series(DAYS.tz_localize(zone)) for asset, zone in zones.items()})


@pytest.mark.parametrize("align", ["union", "ffill", True, 1])
def test_F049_a_rule_that_is_none(align):
    assert "is no way to align prices; pass 'intersection' or 'union_hold'" in refusal(
        exchanges(), align=align
    )


@pytest.mark.parametrize("max_gap", [0, -1, 1.5, True, None, "5"])
def test_F030_a_gap_that_is_none(max_gap):
    says = refusal(exchanges(), align="union_hold", max_gap=max_gap)
    assert says == f"max_gap: {max_gap!r} is no number of rows; pass 1 or more"


def test_F049_calendars_without_a_shared_date():
    prices = {"SPY": series(DAYS[::2]), "VOD": series(DAYS[1::2])}
    assert refusal(prices, align="intersection").startswith(
        "prices['SPY'] on 2020-01-01: 1 of its 15 dates have a price of the other assets, too; at least 2"
    )


def test_F033_rows_without_a_price_are_left_out_by_rule_and_refused_without():
    table = pd.DataFrame({"SPY": series(DAYS), "VOD": series(DAYS)})
    table.iloc[[7, 29]] = np.nan
    assert "'SPY' lacks 1 date, the first 2020-01-10" in refusal(table)
    for align in ("intersection", "union_hold"):
        aligned = al.align_prices(table, align=align)
        assert aligned.attrs == {"held": {}, "dropped": ["2020-01-10", "2020-02-11"]}
        assert len(aligned) == 28


# --- for all tables ---


@st.composite
def holed(draw):
    """Three random walks with a third of their prices missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(8, 60))
    values = np.exp(rng.normal(0.0, 0.01, (n, 3)).cumsum(axis=0))
    values[rng.random((n, 3)) < draw(st.sampled_from([0.0, 0.1, 0.4]))] = np.nan
    values[0, 0], values[-1, :] = 1.0, 2.0
    return pd.DataFrame(values, pd.bdate_range("2020-01-01", periods=n), ["A", "B", "C"])


@settings(max_examples=60)
@given(holed(), st.integers(1, 40))
def test_F049_union_hold_takes_no_price_from_the_future(table, row):
    union = al.align_prices(table, align="union_hold", max_gap=60)
    slow = table.dropna(how="all").to_numpy(copy=True)
    n_given = np.count_nonzero(~np.isnan(slow))
    for i, j in np.ndindex(slow.shape):
        if i and np.isnan(slow[i, j]):
            slow[i, j] = slow[i - 1, j]
    np.testing.assert_array_equal(union, slow)
    assert sum(map(len, union.attrs["held"].values())) == np.count_nonzero(~np.isnan(slow)) - n_given
    future = table.copy()
    future.iloc[row:] *= 3.0
    other = al.align_prices(future, align="union_hold", max_gap=60)
    first = int(union.index.searchsorted(table.index[min(row, len(table) - 1)]))
    pd.testing.assert_frame_equal(union.iloc[:first], other.iloc[:first])


@settings(max_examples=60)
@given(holed())
def test_F049_intersection_only_leaves_out(table):
    try:
        kept = al.align_prices(table, align="intersection")
    except al.InputError as error:
        assert "at least 2 are needed" in str(error)  # noqa: PT017
        return
    pd.testing.assert_frame_equal(kept, table.loc[kept.index], check_freq=False, check_index_type=False)
    rest = table.index.difference(kept.index)
    assert [f"{date:%Y-%m-%d}" for date in rest] == kept.attrs["dropped"]
    born = table.apply(pd.Series.first_valid_index)
    for date in rest:
        assert ((table.loc[date].isna()) & (born < date)).any() or table.loc[date].isna().all()
