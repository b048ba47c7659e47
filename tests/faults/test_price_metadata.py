"""What only the caller knows of a table, and how large it may be: F052, F053 and F056."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.market.market import Market, with_signals
from allocator.market.prices import MOST_CELLS
from allocator.market.resample import month_ends

DAYS = pd.bdate_range("2020-01-01", periods=120)
PRICES = pd.DataFrame(
    100.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0.0, 0.01, (120, 3)), axis=0)),
    index=DAYS,
    columns=["SPY", "IEF", "FTSE"],
)
MIXED = {"SPY": "total return", "IEF": "total return", "FTSE": "price"}
SAYS = (
    "kinds: mixed, total return (with dividends and coupons): 'SPY', 'IEF'; price (without them): 'FTSE'; "
    "compare within a kind; what pays nothing, such as gold, is 'total return' as it is"
)


def market(**options):
    return Market(PRICES, 0.0, **options)


def refusal(**options):
    with pytest.raises(al.InputError) as caught:
        market(**options)
    return str(caught.value)


def noted(given):
    return [note for note in given.notes if not note.startswith("cash:")]


# --- F052 ---


def test_F052_mixed_kinds_are_noted():
    mixed = market(kinds=MIXED)
    assert noted(mixed) == [SAYS]
    assert mixed.kinds == MIXED
    assert SAYS in repr(mixed)
    backtest = al.run_backtest(al.FixedMix({"SPY": 1.0}), mixed, rebalancing=al.Monthly())
    assert SAYS in backtest.conventions


def test_F052_one_kind_is_said_and_none_is_not():
    assert noted(market(kinds="total return")) == ["prices: total return"]
    assert noted(market(kinds=dict.fromkeys(PRICES, "price"))) == ["prices: price"]
    assert noted(market()) == []
    assert market().kinds == {}


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("total_return", "did you mean 'total return'?"),
        ("Total Return", "did you mean 'total return'?"),
        ("prices", "did you mean 'price'?"),
        ("excess-returns", "did you mean 'excess return'?"),
        ("yield", "the kinds are 'total return', 'price', 'excess return'"),
        (7, "the kinds are 'total return', 'price', 'excess return'"),
    ],
)
def test_F052_a_kind_that_is_none(kind, fix):
    says = refusal(kinds={**MIXED, "IEF": kind})
    assert says == f"kinds['IEF']: {kind!r} is no kind of price; {fix}"


@pytest.mark.parametrize("argument", ["kinds", "currencies"])
def test_F052_F053_all_assets_are_named_or_none(argument):
    example = {"kinds": "total return", "currencies": "USD"}[argument]
    assert refusal(**{argument: {"SPY": example}}) == (
        f"{argument}['IEF']: is not given (first of 2); "
        f"name each asset, or pass one for all: {argument}={example!r}"
    )
    assert refusal(**{argument: {"SPX": example}}) == (
        f"{argument}: names 'SPX', which is no column of prices; did you mean 'SPY'?"
    )
    assert refusal(**{argument: [example]}).startswith(
        f"{argument}: expected text for all assets or a mapping of asset to text, got list"
    )


# --- F053 ---


def test_F053_several_currencies_are_refused():
    assert refusal(currencies={"SPY": "USD", "IEF": "USD", "FTSE": "GBP"}) == (
        "currencies: several in one market: 'SPY' is in USD, 'FTSE' is in GBP; "
        "al.to_base_currency(prices, fx, 'USD', currencies=...) makes them one, and then currencies='USD'"
    )


def test_F053_the_fix_works():
    pounds = pd.DataFrame({"GBPUSD": 1.3}, index=DAYS)
    currencies = {"SPY": "USD", "IEF": "USD", "FTSE": "GBP"}
    prices = al.to_base_currency(PRICES, pounds, "USD", currencies=currencies)
    assert Market(prices, 0.0, currencies="USD").currency == "USD"


def test_F053_one_currency_is_said():
    assert noted(market(currencies="USD")) == ["prices: in USD"]
    assert noted(market(currencies="EUR", kinds="price")) == ["prices: price, in EUR"]
    assert noted(market(currencies="EUR", kinds=MIXED)) == ["prices: in EUR", SAYS]
    assert market().currency is None


@pytest.mark.parametrize("code", ["usd", "US", "DOLLAR", "U$D ", 3, "ÄÖÜ"])
def test_F053_a_code_that_is_none(code):
    says = (
        f"currencies['SPY']: {code!r} is no code of a currency; write its three letters: 'USD', 'EUR', 'GBP'"
    )
    assert refusal(currencies=dict.fromkeys(PRICES, code)) == says


# --- both go where the market goes ---


def test_F052_F053_they_survive():
    whole = market(kinds=MIXED, currencies="USD")
    signal = pd.Series([0.02, 0.03], index=DAYS[[5, 50]])
    for other in (
        whole.until("2020-03-31"),
        pickle.loads(pickle.dumps(whole)),
        pickle.loads(pickle.dumps(whole.until("2020-03-31"))),
        month_ends(whole),
        with_signals(whole, {"inflation": al.Signal(signal)}),
    ):
        assert (other.kinds, other.currency) == (MIXED, "USD")
        assert noted(other) == ["prices: in USD", SAYS]


def test_F052_of_an_asset_that_is_left_out_nothing_is_said():
    prices = PRICES.copy()
    prices.loc["2020-05-25":, "FTSE"] = np.nan
    late = PRICES["FTSE"].where(PRICES.index >= "2020-06-01")
    whole = Market(PRICES.assign(FTSE=late), 0.0, kinds=MIXED)
    assert whole.kinds == MIXED
    assert month_ends(whole).kinds == {"SPY": "total return", "IEF": "total return"}


def test_F052_a_market_cannot_be_changed_through_them():
    whole = market(kinds=MIXED)
    whole.kinds["SPY"] = "price"
    assert whole.kinds == MIXED


# --- F056 ---


def test_F056_a_table_of_too_many_cells():
    assert refusal(max_cells=359) == (
        "prices: 120 rows of 3 columns are 360 cells, over max_cells=359; "
        "take fewer rows or assets, or pass max_cells=360 (0.0 GiB a copy)"
    )
    assert market(max_cells=360).levels.shape == (120, 3)


def test_F056_is_refused_before_anything_is_copied():
    cell = np.broadcast_to(1.0, (40_000, 10_000))  # 400 million cells that take no memory
    prices = pd.DataFrame(cell, copy=False)
    tracemalloc.start()
    try:
        with pytest.raises(
            al.InputError, match=r"400,000,000 cells, over max_cells=150,000,000; .*\(3\.0 GiB"
        ):
            Market(prices, 0.0)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_F056_ten_thousand_by_ten_thousand_is_allowed():
    assert MOST_CELLS >= 120_000_000


@pytest.mark.parametrize("limit", [0, -5, 1.5, True, None, "many"])
def test_F056_a_limit_that_is_none(limit):
    assert refusal(max_cells=limit) == f"max_cells: {limit!r} is no number of cells; pass an integer above 0"
