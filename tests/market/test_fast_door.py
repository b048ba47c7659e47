"""The quick look at the door decides nothing: with it and without, the same bits or the same refusal."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import calendars, cash_for, market_frames, markets

from allocator import frequency as frequency_module
from allocator.errors import InputError
from allocator.frequency import (
    earned_between,
    infer_frequency,
    per_period_rate,
    whole_days,
    years_between,
)
from allocator.market import cash as cash_module
from allocator.market import prices as prices_module
from allocator.market.market import Market, cut

many = settings(deadline=None, max_examples=120)
few = settings(deadline=None, max_examples=40)

# What each quick look answers when it is not certain.
UNSURE = [
    (prices_module, "whole_days", lambda index: None),
    (prices_module, "_FLOAT", np.dtype("V8")),
    (prices_module, "_are_exact", lambda integers: False),
    (prices_module, "_all_are_prices", lambda levels: False),
    (prices_module, "_all_in_range", lambda levels: False),
    (prices_module, "_are_outside", lambda *facts: False),
    (cash_module, "_ends_alike", lambda given, days: False),
    (frequency_module, "whole_days", lambda index: None),
    (frequency_module, "_typical", lambda steps, n_days: float(np.median(steps))),
]

Fault = Callable[[pd.DataFrame, int, int], pd.DataFrame]


def put(value: object) -> Fault:
    """A fault: one cell is this."""

    def change(prices: pd.DataFrame, row: int, column: int) -> pd.DataFrame:
        asset = prices.columns[column]
        changed = prices.astype({asset: object}) if isinstance(value, str | int) else prices.copy()
        changed.iloc[row, column] = value
        return changed

    return change


def retyped(kind: str) -> Fault:
    """A column of another type, in cents."""
    return lambda prices, row, column: prices.assign(
        **{prices.columns[column]: (prices.iloc[:, column] * 100.0).fillna(1.0).round().astype(kind)}
    )


def redated(change: Callable[[pd.DatetimeIndex, int], Any]) -> Fault:
    """Other dates."""
    return lambda prices, row, column: prices.set_axis(pd.DatetimeIndex(change(prices.index, row)))


def blank(rows: Callable[[int], slice]) -> Fault:
    """No prices of an asset in these rows."""

    def change(prices: pd.DataFrame, row: int, column: int) -> pd.DataFrame:
        changed = prices.copy()
        changed.iloc[rows(row), column] = np.nan
        return changed

    return change


FAULTS: dict[str, Fault] = {
    "none": lambda prices, row, column: prices,
    **{f"{value!r}": put(value) for value in (np.nan, 0.0, -1.0, np.inf, 1e-120, 1e120, "1.5", 2**53 + 1)},
    **{kind: retyped(kind) for kind in ("int64", "float32", "Float64", "Int64", "object", "uint64", ">f8")},
    "hole": blank(lambda row: slice(row, row + 2)),
    "tail": blank(lambda row: slice(row, None)),
    "head": blank(lambda row: slice(None, row)),
    "row": lambda prices, row, column: prices.mask(
        np.outer(np.arange(len(prices)) == row, prices.columns != "")
    ),
    "returns": lambda prices, row, column: prices.pct_change(fill_method=None).iloc[1:],
    "names": lambda prices, row, column: prices.set_axis([*prices.columns[:-1], "spy "], axis=1),
    "parts": lambda prices, row, column: prices.assign(extra=prices.iloc[:, 0] * 2.0),
    "reversed": lambda prices, row, column: prices.iloc[::-1],
    "twice": lambda prices, row, column: prices.iloc[[*range(row + 1), *range(row, len(prices))]],
    "named": lambda prices, row, column: prices.rename_axis("date"),
    "NaT": redated(lambda index, row: index.where(np.arange(len(index)) != row)),
    "hour": redated(lambda index, row: index.where(np.arange(len(index)) != row, index + pd.Timedelta("5h"))),
    "hours": redated(lambda index, row: index + pd.Timedelta("16h")),
    "zone": redated(lambda index, row: index.tz_localize("UTC")),
    "seconds": redated(lambda index, row: index.as_unit("s")),
    "nanoseconds": redated(lambda index, row: index.as_unit("ns")),
    "later": redated(lambda index, row: index[:row].append(index[row:] + pd.Timedelta(70, "D"))),
    "far": redated(lambda index, row: index.as_unit("s") + np.timedelta64(9000 * 365, "D")),
}


def outcome(prices: pd.DataFrame, cash: Any, delisted: dict[str, float] | None) -> Any:
    """The bytes of a market, or what it says when it refuses."""
    try:
        market = Market(prices, cash, delisted=delisted)
    except InputError as error:
        return str(error)
    arrays = market.levels, market.cash, market.listed_from, market.listed_until, market.days
    facts = market.assets, market.frequency, market.notes, market.index.dtype, market.index.freq
    return [(a.dtype, a.shape, a.flags.f_contiguous, a.tobytes()) for a in arrays], facts, repr(market)


@many
@given(market_frames(rows=(12, 60)), st.sampled_from(list(FAULTS)), st.data())
def test_with_and_without_the_quick_look_the_same(prices, fault, data):
    cash = data.draw(cash_for(prices.index, infer_frequency(prices.index).name))
    row = data.draw(st.integers(0, len(prices) - 1))
    column = data.draw(st.integers(0, prices.shape[1] - 1))
    bad = FAULTS[fault](prices, row, column)
    delisted = data.draw(st.sampled_from([None, {prices.columns[column]: 0.4}]))
    quick = outcome(bad, cash, delisted)
    with pytest.MonkeyPatch.context() as patch:
        for module, name, answer in UNSURE:
            patch.setattr(module, name, answer)
        assert outcome(bad, cash, delisted) == quick


@few
@given(markets(), st.sampled_from(["first", "more", "between", "nan", "large"]))
def test_cash_with_and_without_the_quick_look_the_same(market, fault):
    given_returns = market.cash_returns
    before = market.index[0] - pd.Timedelta(1, "D")
    cash = {
        "first": given_returns,
        "more": pd.concat([pd.Series(1e-5, index=[before]), given_returns]),
        "between": pd.concat(
            [pd.Series(1e-5, index=[market.index[1] - pd.Timedelta(1, "h")]), given_returns]
        ),
        "nan": given_returns.mask(np.arange(len(given_returns)) == 3),
        "large": given_returns + 2.0,
    }[fault]
    quick = outcome(market.prices, cash, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cash_module, "_ends_alike", lambda given, days: False)
        assert outcome(market.prices, cash, None) == quick
    assert isinstance(quick, str) == (fault in {"between", "nan", "large"})


@few
@given(st.data(), st.floats(-0.5, 0.5))
def test_what_is_earned_is_worked_out_once_a_length_and_the_same(data, annual):
    index = data.draw(calendars())
    frequency, days = infer_frequency(index), whole_days(index)
    expected = per_period_rate(annual, years_between(index, frequency))
    np.testing.assert_array_equal(earned_between(annual, days, frequency), [0.0, *expected])


@few
@given(calendars(), st.sampled_from(["s", "ms", "us", "ns"]))
def test_whole_days_are_the_days(index, unit):
    days = whole_days(index.as_unit(unit))
    np.testing.assert_array_equal(days, index.to_numpy().astype("datetime64[D]").astype(np.int64))
    assert whole_days(index.to_period("D")) is None
    assert whole_days(index.as_unit(unit) + pd.Timedelta(1, "s")) is None


# --- many assets ---


def wide(n_assets: int, n_rows: int = 40) -> np.ndarray:
    """Prices of many assets, every third of them listed late."""
    rng = np.random.default_rng(0)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_rows, n_assets)), axis=0))
    prices[:10, 1::3] = np.nan
    return prices


@pytest.mark.parametrize("n_assets", [63, 64, 65, 130])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("parts", [1, 3])
def test_the_order_of_memory_is_that_of_the_engine(n_assets, order, parts):
    values = np.asarray(wide(n_assets), order=order)
    index, names = pd.bdate_range("2020-01-01", periods=40), [f"A{j}" for j in range(n_assets)]
    table = pd.DataFrame(values, index=index, columns=names, copy=False)
    table = pd.concat([table[names[k::parts]] for k in range(parts)], axis=1)[names]
    market = Market(table, 0.0)
    for one in (market, pickle.loads(pickle.dumps(market)), copy.deepcopy(market)):
        assert one.levels.flags.c_contiguous if n_assets >= 64 else one.levels.flags.f_contiguous
        np.testing.assert_array_equal(one.prices, values)
    assert not np.shares_memory(market.levels, values)
    window = market.window(names[2:9], 0.1)
    np.testing.assert_array_equal(window, market.returns[names[2:9]].to_numpy()[-len(window) :])
    assert window.flags.f_contiguous


# --- copies ---


@few
@given(markets(), st.data())
def test_a_copy_of_a_market_is_the_market_and_read_only(market, data):
    past = cut(market, data.draw(st.integers(1, len(market.index))))
    for one in (market, past):
        for other in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one), copy.copy(one)):
            assert repr(other) == repr(one)
            assert other.index.equals(one.index)
            for name in ("levels", "cash", "listed_from", "listed_until", "days"):
                np.testing.assert_array_equal(getattr(other, name), getattr(one, name))
                assert not getattr(other, name).flags.writeable
            with pytest.raises(AttributeError):
                other.cash = np.zeros(3)


def test_a_copy_of_the_past_holds_no_more_than_the_past():
    index = pd.bdate_range("2020-01-01", periods=400)
    prices = pd.DataFrame({"A": np.linspace(1.0, 2.0, 400)}, index=index)
    news = pd.Series(1.0, index=index)
    past = cut(Market(prices, 0.0, {"news": news}), 30)
    sent = pickle.loads(pickle.dumps(past))
    assert len(pickle.dumps(past)) < len(pickle.dumps(Market(prices, 0.0, {"news": news}))) / 4
    assert len(sent._whole.index) == len(sent._signals["news"].values) == 30
