"""Local prices in one base currency: invariants, a money ledger as oracle, real prices, and refusals.

Invariants held for any prices and rates: what is quoted in the base is unchanged; the ratio of two assets
of one currency is; one base is another times their rate; the result is linear in the hedged share, from
unhedged at 0; with a rate that stands still a full hedge earns the local return and the carry; foreign
cash whose rate ends on the forward earns the cash of the base; nothing later changes what is earlier.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import market_frames

from allocator.errors import InputError
from allocator.frequency import infer_frequency, years_between
from allocator.market.currency import _DOLLARS_FOR_ONE, to_base_currency
from allocator.market.market import Market

SHARED = Path(__file__).resolve().parents[3] / "shared"
DOLLARS = {"USD": 1.0, "EUR": 1.1, "JPY": 0.008, "GBP": 1.5, "XAA": 3e5}  # XAA has no plausible range
RATES = {"USD": 0.03, "EUR": 0.01, "JPY": -0.002, "GBP": 0.05, "XAA": 0.3}
DAYS = pd.bdate_range("2020-01-01", periods=6)
few = settings(max_examples=30)


class World(NamedTuple):
    """Prices, the currency of each, and dollars for one unit of each currency on more dates than needed."""

    prices: pd.DataFrame
    currencies: dict[str, str]
    dollars: pd.DataFrame


@st.composite
def worlds(draw: st.DrawFn, rows: tuple[int, int] = (12, 60)) -> World:
    prices = draw(market_frames(rows=rows, assets=(1, 5)))
    codes = {asset: draw(st.sampled_from(list(DOLLARS))) for asset in prices.columns}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dates = prices.index.union(prices.index + pd.Timedelta(days=1))
    walk = np.exp(np.cumsum(rng.normal(0.0, draw(st.sampled_from([0.0, 0.002])), (len(dates), 5)), axis=0))
    dollars = pd.DataFrame(walk * list(DOLLARS.values()), index=dates, columns=list(DOLLARS))
    return World(prices, codes, dollars.assign(USD=1.0))


def in_units_of(dollars: pd.DataFrame, base: str) -> pd.DataFrame:
    """A table of bare codes: what one unit of each costs in the base."""
    return dollars.drop(columns=base).div(dollars[base], axis=0)


def convert(world: World, base: str = "USD", **options: Any) -> pd.DataFrame:
    return to_base_currency(
        world.prices, in_units_of(world.dollars, base), base, currencies=world.currencies, **options
    )


def periods_cash(index: pd.DatetimeIndex, code: str) -> np.ndarray:
    """What the cash of a currency earns in each period, from its annual rate."""
    return (1.0 + RATES[code]) ** years_between(index, infer_frequency(index)) - 1.0


def share(draw_from: st.DataObject) -> float:
    return draw_from.draw(st.sampled_from([0.25, 0.5, 1.0]))


# --- invariants ---


@few
@given(world=worlds())
def test_what_is_in_the_base_currency_is_unchanged(world):
    codes = dict.fromkeys(world.prices, "EUR")
    for options in ({}, {"hedged": True}):
        found = to_base_currency(
            world.prices, in_units_of(world.dollars, "EUR"), "EUR", currencies=codes, **options
        )
        pd.testing.assert_frame_equal(found, world.prices, check_exact=True, check_freq=False)


@few
@given(world=worlds(), base=st.sampled_from(list(DOLLARS)))
def test_the_ratio_of_two_assets_of_one_currency_is_preserved(world, base):
    world = world._replace(currencies=dict.fromkeys(world.prices, "JPY"))
    found = convert(world, base)
    for asset in world.prices:
        first = world.prices.columns[0]
        expected = world.prices[asset] / world.prices[first]
        np.testing.assert_allclose(found[asset] / found[first], expected, rtol=1e-13)


@few
@given(world=worlds(), bases=st.permutations(list(DOLLARS)))
def test_one_base_is_another_times_their_rate(world, bases):
    one, other = bases[:2]
    rate = (world.dollars[other] / world.dollars[one]).reindex(world.prices.index)
    np.testing.assert_allclose(convert(world, one), convert(world, other).mul(rate, axis=0), rtol=1e-12)


@few
@given(world=worlds(), bases=st.permutations(list(DOLLARS)))
def test_there_and_back_through_another_base(world, bases):
    one, other = bases[:2]
    there = convert(world, one)
    via = to_base_currency(
        there, in_units_of(world.dollars, other), other, currencies=dict.fromkeys(there, one)
    )
    np.testing.assert_allclose(via, convert(world, other), rtol=1e-12)
    back = to_base_currency(via, in_units_of(world.dollars, one), one, currencies=dict.fromkeys(via, other))
    np.testing.assert_allclose(back, there, rtol=1e-12)


@few
@given(world=worlds())
def test_no_hedge_is_no_hedge_to_the_bit(world):
    unhedged = convert(world)
    for none in (False, 0, 0.0, np.float64(0), {}, dict.fromkeys(world.prices, 0.0)):
        assert convert(world, hedged=none).equals(unhedged)
        assert convert(world, hedged=none, cash=RATES).equals(unhedged)


@few
@given(world=worlds(), data=st.data())
def test_period_returns_are_linear_in_the_share(world, data):
    part = share(data)
    bare, half, full = (convert(world, hedged=h, cash=RATES).pct_change() for h in (0, part, 1))
    np.testing.assert_allclose(half, (1 - part) * bare + part * full, rtol=0, atol=1e-12)


@few
@given(world=worlds(), data=st.data())
def test_a_rate_that_stands_still_leaves_the_local_return_and_the_carry(world, data):
    part = share(data)
    still = world._replace(dollars=world.dollars * 0.0 + list(DOLLARS.values()))
    found = convert(still, hedged=part, cash=RATES).pct_change().iloc[1:]
    index = world.prices.index
    for asset, code in world.currencies.items():
        carry = (1 + periods_cash(index, "USD")) / (1 + periods_cash(index, code)) - 1
        expected = world.prices[asset].pct_change().iloc[1:] + part * carry
        np.testing.assert_allclose(found[asset], expected, rtol=0, atol=1e-12)


@few
@given(world=worlds(), data=st.data())
def test_foreign_cash_whose_rate_ends_on_the_forward_earns_the_cash_of_the_base(world, data):
    """Covered and, if the spot goes where the forward said, uncovered interest parity: hedged or not."""
    part, index = data.draw(st.sampled_from([0.0, 0.5, 1.0])), world.prices.index
    grown = {code: np.cumprod(np.append(1.0, 1 + periods_cash(index, code))) for code in DOLLARS}
    codes = [code for code in DOLLARS if code != "USD"]
    accounts = pd.DataFrame({f"cash {code}": 7 * grown[code] for code in codes}, index=index)
    fx = pd.DataFrame({code: DOLLARS[code] * grown["USD"] / grown[code] for code in codes}, index=index)
    currencies = {f"cash {code}": code for code in codes}
    found = to_base_currency(accounts, fx, "USD", currencies=currencies, hedged=part, cash=RATES)
    for asset in accounts:
        np.testing.assert_allclose(found[asset].pct_change()[1:], periods_cash(index, "USD"), atol=1e-12)


@few
@given(world=worlds())
def test_foreign_cash_hedged_earns_the_cash_of_the_base_and_the_surprise_on_its_interest(world):
    """r_base + r_local (S1 - F0)/S0: only the interest, which was not sold forward, bears the currency."""
    index = world.prices.index
    at_home, abroad = periods_cash(index, "USD"), periods_cash(index, "GBP")
    account = pd.DataFrame({"cash": np.cumprod(np.append(1.0, 1 + abroad))}, index=index)
    fx = world.dollars[["GBP"]]
    found = to_base_currency(account, fx, "USD", currencies={"cash": "GBP"}, hedged=True, cash=RATES)
    moved = fx["GBP"].reindex(index).pct_change().to_numpy()[1:] + 1
    expected = at_home + abroad * (moved - (1 + at_home) / (1 + abroad))
    np.testing.assert_allclose(found["cash"].pct_change()[1:], expected, rtol=0, atol=1e-12)


@few
@given(world=worlds(), data=st.data())
def test_the_future_changes_nothing_of_the_past(world, data):
    cut = data.draw(st.integers(2, len(world.prices) - 1))
    changed = world.dollars.copy()
    changed.loc[changed.index >= world.prices.index[cut]] *= 1.07
    prices = world.prices.copy()
    prices.iloc[cut:] *= 1.5
    before = convert(world, hedged=0.5, cash=RATES)
    after = convert(world._replace(prices=prices, dollars=changed), hedged=0.5, cash=RATES)
    assert after.iloc[:cut].equals(before.iloc[:cut])


# --- a ledger in money as oracle ---


def ledger(world: World, base: str, shares: dict[str, float]) -> pd.DataFrame:
    """Hold each asset through every row, settling a forward at each: one number at a time."""
    index = world.prices.index
    years = years_between(index, infer_frequency(index))
    result = pd.DataFrame(np.nan, index=index, columns=world.prices.columns)
    for asset, code in world.currencies.items():
        local = world.prices[asset].to_numpy()
        spot = (world.dollars[code] / world.dollars[base]).reindex(index).to_numpy()
        first = int(np.argmax(~np.isnan(local)))
        wealth = [local[first] * spot[first]]
        for t in range(first + 1, len(index)):
            units = wealth[-1] / (local[t - 1] * spot[t - 1])
            sold = shares[asset] * wealth[-1] / spot[t - 1]  # foreign money, forward
            forward = spot[t - 1] * ((1 + RATES[base]) / (1 + RATES[code])) ** years[t - 1]
            wealth.append(units * local[t] * spot[t] + sold * (forward - spot[t]))
        result.loc[index[first] :, asset] = wealth
    return result


@few
@given(world=worlds(rows=(12, 30)), base=st.sampled_from(list(DOLLARS)), data=st.data())
def test_agrees_with_a_ledger_in_money(world, base, data):
    shares = {asset: data.draw(st.sampled_from([0.0, 0.3, 1.0])) for asset in world.prices}
    found = convert(world, base, hedged=shares, cash=RATES)
    np.testing.assert_allclose(found, ledger(world, base, shares), rtol=1e-12)


def test_worked_by_hand():
    """100 yen at 0.01 are 1 dollar; a year later 110 at 0.009 are 0.99; the forward was 0.01 x 1.05."""
    years = pd.to_datetime(["2020-12-31", "2021-12-31"])
    prices = pd.DataFrame({"N225": [100.0, 110.0]}, index=years)
    fx = pd.DataFrame({"JPYUSD": [0.01, 0.009]}, index=years)
    options: dict[str, Any] = {"currencies": {"N225": "JPY"}}
    assert to_base_currency(prices, fx, "USD", **options)["N225"].tolist() == [1.0, pytest.approx(0.99)]
    cash = {"USD": 0.05, "JPY": 0.0}
    hedged = to_base_currency(prices, fx, "USD", **options, hedged=True, cash=cash)["N225"]
    assert hedged.tolist() == [1.0, pytest.approx(0.99 + 100 * (0.0105 - 0.009), abs=1e-15)]
    half = to_base_currency(prices, fx, "USD", **options, hedged=0.5, cash=cash)["N225"]
    assert half.tolist() == [1.0, pytest.approx(0.99 + 50 * (0.0105 - 0.009), abs=1e-15)]


# --- the table of rates ---


def one_asset(code: str = "JPY", rows: int = 6) -> pd.DataFrame:
    return pd.DataFrame({f"in {code}": np.linspace(100.0, 110.0, rows)}, index=DAYS[:rows])


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({name: np.broadcast_to(value, 6) for name, value in columns.items()}, index=DAYS)


def rate_used(fx: pd.DataFrame, base: str, code: str) -> float:
    found = to_base_currency(one_asset(code), fx, base, currencies={f"in {code}": code})
    return found.iloc[0, 0] / 100.0


@pytest.mark.parametrize(
    ("fx", "base", "code", "expected"),
    [
        (table(JPYUSD=0.01), "USD", "JPY", 0.01),
        (table(**{"JPY/USD": 0.01}), "USD", "JPY", 0.01),
        (table(JPY=0.01), "USD", "JPY", 0.01),
        (table(JPYUSD=0.01, EURUSD=1.25), "EUR", "JPY", 0.01 / 1.25),
        (table(JPYUSD=0.01, USDEUR=0.8), "EUR", "JPY", 0.01 * 0.8),
        (table(JPY=0.01, EURUSD=1.25), "USD", "EUR", 1.25),
        (table(EURUSD=1.25, JPYUSD=0.01), "EUR", "USD", 1 / 1.25),  # a table in dollars, to euros
        (table(JPYUSD=0.01, EURUSD=1.25, JPYEUR=0.0081), "EUR", "JPY", 0.0081),  # quoted before crossed
        (table(JPYGBP=0.008, JPYUSD=0.01, EURUSD=1.25, EURGBP=1.01), "EUR", "JPY", 0.008 / 1.01),
        (table(JPYUSD=0.01, JPYGBP=0.008, EURUSD=1.25, EURGBP=1.01), "EUR", "JPY", 0.01 / 1.25),
        (table(XAAXBB=1e6), "XBB", "XAA", 1e6),
    ],
)
def test_the_rate_is_quoted_or_crossed(fx, base, code, expected):
    assert rate_used(fx, base, code) == pytest.approx(expected, rel=1e-15)


@few
@given(world=worlds(), base=st.sampled_from(list(DOLLARS)))
def test_pairs_in_any_currency_serve_any_base(world, base):
    pairs = in_units_of(world.dollars, "GBP").add_suffix("GBP")
    found = to_base_currency(world.prices, pairs, base, currencies=world.currencies)
    np.testing.assert_allclose(found, convert(world, base), rtol=1e-12)


def test_rates_are_needed_from_the_listing_on_only():
    """As of the euro, which was not there before 1999."""
    prices = pd.DataFrame({"SPY": [1.0, 2, 3, 4, 5, 6], "BUND": [np.nan, np.nan, 1, 2, 3, 4]}, index=DAYS)
    fx = table(EURUSD=[np.nan, np.nan, 1.1, 1.2, 1.3, 1.4])
    found = to_base_currency(prices, fx, "USD", currencies={"SPY": "USD", "BUND": "EUR"})
    np.testing.assert_allclose(found["BUND"], [np.nan, np.nan, 1.1, 2.4, 3.9, 5.6])
    shorter = to_base_currency(prices, fx.dropna(), "USD", currencies={"SPY": "USD", "BUND": "EUR"})
    pd.testing.assert_frame_equal(shorter, found)


def test_columns_that_are_not_needed_may_have_holes():
    fx = table(JPYUSD=0.01, EURUSD=[1.1, np.nan, 1.2, 1.2, 1.2, np.nan])
    assert rate_used(fx, "USD", "JPY") == pytest.approx(0.01)


def test_a_cross_closes_within_five_per_cent():
    assert rate_used(table(JPYUSD=0.01, EURUSD=1.25, JPYEUR=0.008 * 1.049), "USD", "JPY") == 0.01


@pytest.mark.parametrize("code", sorted(_DOLLARS_FOR_ONE))
def test_the_plausible_ranges_are_ranges(code):
    low, high = _DOLLARS_FOR_ONE[code]
    assert 0 < low <= high
    assert code == "USD" or high / low > 2.5


# --- what comes back ---


@few
@given(world=worlds())
def test_is_ready_for_a_market_and_shaped_as_it_came(world):
    prices = world.prices.rename_axis("date").rename_axis("asset", axis=1)
    found = convert(world._replace(prices=prices), hedged=0.5, cash=RATES)
    assert found.index.equals(prices.index)
    assert found.index.name == "date"
    assert found.columns.equals(prices.columns)
    assert found.isna().equals(prices.isna())
    assert (found.dtypes == np.float64).all()
    Market(found, 0.02)


@few
@given(world=worlds())
def test_the_inputs_are_unchanged_and_not_shared(world):
    fx, options = in_units_of(world.dollars, "USD"), {"hedged": 0.5, "cash": dict(RATES)}
    prices_before, fx_before = world.prices.copy(deep=True), fx.copy(deep=True)
    found = to_base_currency(world.prices, fx, "USD", currencies=world.currencies, **options)
    found.iloc[:, :] = -1.0
    found.index.name = found.columns.name = "mine"
    pd.testing.assert_frame_equal(world.prices, prices_before)
    pd.testing.assert_frame_equal(fx, fx_before)
    assert world.prices.index.name is world.prices.columns.name is None


def test_a_mapping_hedges_the_assets_it_names():
    prices = pd.concat([one_asset("JPY"), one_asset("EUR")], axis=1)
    fx = table(JPYUSD=np.linspace(0.01, 0.011, 6), EURUSD=np.linspace(1.1, 1.2, 6))
    options: dict[str, Any] = {"currencies": {"in JPY": "JPY", "in EUR": "EUR"}}
    found = to_base_currency(prices, fx, "USD", **options, hedged={"in EUR": 1}, cash=RATES)
    bare = to_base_currency(prices, fx, "USD", **options)
    full = to_base_currency(prices, fx, "USD", **options, hedged=True, cash=RATES)
    assert found["in JPY"].equals(bare["in JPY"])
    assert found["in EUR"].equals(full["in EUR"])
    assert not full["in EUR"].equals(bare["in EUR"])


def test_cash_is_needed_only_where_and_when_something_is_hedged():
    prices = pd.DataFrame({"SPY": [1.0, 2, 3, 4, 5, 6], "BUND": [np.nan, np.nan, 1, 2, 3, 4]}, index=DAYS)
    fx, codes = table(EURUSD=1.1), {"SPY": "USD", "BUND": "EUR"}
    short = {code: pd.Series(1e-4, index=DAYS[3:]) for code in ("USD", "EUR")}
    found = to_base_currency(prices, fx, "USD", currencies=codes, hedged=True, cash=short)
    np.testing.assert_allclose(found["BUND"].dropna(), [1.1, 2.2, 3.3, 4.4])


def test_an_asset_listed_on_the_last_row_has_nothing_to_hedge_yet():
    prices = pd.DataFrame({"SPY": [1.0, 2, 3, 4, 5, 6], "BUND": [*[np.nan] * 5, 4.0]}, index=DAYS)
    fx, codes = table(EURUSD=1.1), {"SPY": "USD", "BUND": "EUR"}
    cash = {code: pd.Series(1e-4, index=DAYS[5:]) for code in ("USD", "EUR")}
    found = to_base_currency(prices, fx, "USD", currencies=codes, hedged=True, cash=cash)
    assert found["BUND"].dropna().tolist() == [pytest.approx(4.4)]


def test_an_asset_that_ends_early_ends_early():
    """What its holders got is for Market to ask; no rate is needed afterwards."""
    prices = pd.DataFrame({"SPY": [1.0, 2, 3, 4, 5, 6], "RUB": [1, 2, 3, 4, np.nan, np.nan]}, index=DAYS)
    fx, codes = table(RUBUSD=[0.01] * 4 + [np.nan] * 2), {"SPY": "USD", "RUB": "RUB"}
    for options in ({}, {"hedged": True, "cash": {"USD": 0.0, "RUB": 0.0}}):
        found = to_base_currency(prices, fx, "USD", currencies=codes, **options)
        np.testing.assert_allclose(found["RUB"], [0.01, 0.02, 0.03, 0.04, np.nan, np.nan])
        assert Market(found, 0.0, delisted={"RUB": 0.5}).listed_until[1] == 4
        with pytest.raises(InputError, match="no price after 2020-01-06"):
            Market(found, 0.0)


def test_cash_as_returns_is_used_row_by_row():
    fx = table(JPYUSD=0.01)
    cash = {
        "USD": pd.Series([9.0, 1, 2, 3, 4, 5], index=DAYS) / 1e4,
        "JPY": pd.Series([9.0, 5, 4, 3, 2, 1], index=DAYS) / 1e4,
    }
    flat = one_asset() * 0 + 100.0
    found = to_base_currency(flat, fx, "USD", currencies={"in JPY": "JPY"}, hedged=True, cash=cash)
    expected = (1 + cash["USD"]) / (1 + cash["JPY"]) - 1
    np.testing.assert_allclose(found["in JPY"].pct_change()[1:], expected[1:], rtol=1e-9)


# --- real prices ---


def shared_csv(path: str) -> pd.DataFrame:
    if not (SHARED / path).exists():
        pytest.skip(f"needs ../shared/{path}, which is not part of the project")
    return pd.read_csv(SHARED / path, index_col=0, parse_dates=True)


def chinese_stocks() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The CSI 300 and the dollars for a yuan, where both have a row; the panel has no rate of yen or euro."""
    both = shared_csv("data/daily_global_price.csv")[["CSI_300", "CNY_per_USD"]].dropna()
    return both[["CSI_300"]], (1 / both[["CNY_per_USD"]]).set_axis(["CNYUSD"], axis=1)


def test_chinese_stocks_in_dollars():
    """In 2022 they lost 21.6 % in yuan and, as the yuan lost 8.5 %, 28.3 % in dollars."""
    prices, fx = chinese_stocks()
    found = to_base_currency(prices, fx, "USD", currencies={"CSI_300": "CNY"})
    np.testing.assert_allclose(found["CSI_300"], prices["CSI_300"] * fx["CNYUSD"], rtol=1e-15)
    ends = ["2021-12-31", "2022-12-30"]
    series = prices["CSI_300"], fx["CNYUSD"], found["CSI_300"]
    changes = [s.loc[ends[1]] / s.loc[ends[0]] - 1 for s in series]
    np.testing.assert_allclose(changes, [-0.2163, -0.0849, -0.2828], atol=5e-5)


def test_hedged_chinese_stocks_have_the_risk_that_they_have_in_yuan():
    prices, fx = chinese_stocks()
    cash = {"USD": 0.02, "CNY": 0.02}
    options: dict[str, Any] = {"currencies": {"CSI_300": "CNY"}, "cash": cash}
    hedged, bare = (
        to_base_currency(prices, fx, "USD", **options, hedged=h)["CSI_300"].pct_change()
        for h in (True, False)
    )
    local = prices["CSI_300"].pct_change()
    assert hedged.corr(local) > 0.9999
    assert hedged.std() == pytest.approx(local.std(), rel=0.001)
    assert bare.std() > 1.04 * local.std()


def test_yuan_for_a_dollar_is_seen_to_be_inverted_by_level_and_by_name():
    prices, fx = chinese_stocks()
    yuan = 1 / fx["CNYUSD"]
    by_level = refusal(prices, yuan.to_frame("CNY"), currencies={"CSI_300": "CNY"})
    assert_says(by_level, "fx", "looks inverted", "pass 1 / fx['CNY']", asset="CNY", date="2015-01-01")
    by_name = refusal(prices, yuan.to_frame("USDCNY"), currencies={"CSI_300": "CNY"})
    assert_says(by_name, "fx", "wrong way round", "as 'CNYUSD'", asset="USDCNY")


def test_holidays_without_a_rate_are_counted():
    panel = shared_csv("data/daily_global_price.csv")
    prices, (_, fx) = panel[["CSI_300"]].dropna(), chinese_stocks()
    error = refusal(prices, fx, currencies={"CSI_300": "CNY"})
    words = "no row on this date of prices", "332 of the 2829 rows"
    assert_says(error, "fx", *words, asset="CNY", date="2015-04-03")


# --- refusals ---


def refusal(prices: Any, fx: Any, base: Any = "USD", **options: Any) -> InputError:
    """What is said when it refuses; one asset in yen unless told."""
    with pytest.raises(InputError) as caught:
        to_base_currency(prices, fx, base, **{"currencies": {"in JPY": "JPY"}, **options})
    return caught.value


def assert_says(
    error: InputError, argument: str, *words: str, asset: Any = None, date: str | None = None
) -> None:
    """Check the parts of a message, and that it shows all of them."""
    assert error.argument == argument
    assert error.asset == asset
    assert (None if error.date is None else f"{error.date:%Y-%m-%d}") == date
    for part in (argument, *words, *([repr(asset)] if asset else []), *([date] if date else [])):
        assert part in str(error)


YEN = table(JPYUSD=0.01)


def test_refuses_what_the_door_of_prices_refuses():
    hole = pd.concat([one_asset(), one_asset("EUR")], axis=1)
    hole.iloc[2, 0] = np.nan
    assert_says(refusal(hole, YEN), "prices", "a hole of 1 row;", asset="in JPY", date="2020-01-03")
    assert_says(refusal(one_asset().iloc[::-1], YEN), "prices.index", "reverse", date="2020-01-08")


@pytest.mark.parametrize("given", [None, [1.0], pd.Series([1.0, 2.0])])
def test_refuses_prices_that_are_no_table(given):
    assert_says(refusal(given, YEN), "prices", "expected a DataFrame", type(given).__name__)


def test_refuses_a_table_of_prices_without_rows_or_prices():
    assert_says(refusal(one_asset().iloc[:0], YEN), "prices", "no rows")
    empty = one_asset().assign(none=np.nan)
    assert_says(refusal(empty, YEN), "prices", "no price at all", asset="none", date="2020-01-01")
    twice = pd.concat([one_asset(), empty, empty], axis=1)
    assert_says(refusal(twice, YEN), "prices.columns", "stands twice", asset="in JPY")


@pytest.mark.parametrize("base", ["usd", "US", "DOLLAR", "", None, 3])
def test_refuses_what_is_no_currency_as_base(base):
    assert_says(refusal(one_asset(), YEN, base), "base", f"{base!r} is no currency", "ISO 4217")


@pytest.mark.parametrize("given", [None, "JPY", ["JPY"], pd.Series({"in JPY": "JPY"})])
def test_refuses_currencies_that_are_no_mapping(given):
    error = refusal(one_asset(), YEN, currencies=given)
    assert_says(error, "currencies", "a mapping of asset to code", type(given).__name__, "{'N225': 'JPY'")


def test_refuses_an_asset_without_a_currency():
    prices = pd.concat([one_asset("JPY"), one_asset("EUR"), one_asset("GBP")], axis=1)
    error = refusal(prices, YEN)
    assert_says(error, "currencies", "no currency is given (2 such assets)", "{'in EUR'", asset="in EUR")
    assert "such assets" not in str(refusal(prices[["in JPY", "in EUR"]], YEN))


@pytest.mark.parametrize("code", ["yen", "jpy", "GBp", 5, None])
def test_refuses_what_is_no_currency_of_an_asset(code):
    error = refusal(one_asset(), YEN, currencies={"in JPY": code})
    assert_says(error, "currencies", f"{code!r} is no currency", asset="in JPY")


@pytest.mark.parametrize("given", [None, 0.01, YEN["JPYUSD"], {"JPYUSD": 0.01}])
def test_refuses_rates_that_are_no_table(given):
    assert_says(refusal(one_asset(), given), "fx", "a DataFrame", type(given).__name__, "to_frame('JPYUSD')")


def test_refuses_repeated_dates_of_rates():
    assert_says(refusal(one_asset(), YEN.iloc[[0, 1, 1, 2]]), "fx.index", "2 rows", date="2020-01-02")


def test_refuses_unsorted_dates_of_rates():
    assert_says(refusal(one_asset(), YEN.iloc[[1, 0, 2]]), "fx.index", "not sorted", date="2020-01-01")


def test_refuses_a_table_of_rates_without_dates():
    assert_says(refusal(one_asset(), YEN.reset_index(drop=True)), "fx.index", "RangeIndex")


@pytest.mark.parametrize("column", ["yen", "jpyusd", "JPY-USD", "JPYUSD=X", "DEXJPUS", "", 3, ("JPY", "USD")])
def test_refuses_columns_that_are_no_rate(column):
    fx = pd.DataFrame({"a": np.full(6, 0.01)}, index=DAYS)
    fx.columns = pd.Index([column], tupleize_cols=False)
    words = f"{column!r} is neither a pair nor a currency", "'EURUSD'"
    assert_says(refusal(one_asset(), fx), "fx.columns", *words)


@pytest.mark.parametrize("column", ["USD", "USDUSD", "EUREUR"])
def test_refuses_the_price_of_a_currency_in_itself(column):
    error = refusal(one_asset(), table(JPYUSD=0.01, **{column: 1.0}))
    assert_says(error, "fx.columns", f"{column!r} is the price of {column[:3]} in itself", "drop it")


@pytest.mark.parametrize("second", ["JPY", "JPY/USD"])
def test_refuses_one_rate_twice(second):
    error = refusal(one_asset(), table(JPYUSD=0.01, **{second: 0.01}))
    assert_says(error, "fx.columns", f"'JPYUSD' and {second!r} are one rate", "drop one")


def test_refuses_rates_that_are_no_numbers():
    fx = YEN.astype(object)
    fx.iloc[1, 0] = "0.01"
    assert_says(refusal(one_asset(), fx), "fx", "'0.01'", asset="JPYUSD", date="2020-01-02")


@pytest.mark.parametrize("bad", [0.0, -0.01, np.inf, -np.inf, 1e-16, 1e16])
def test_refuses_rates_that_are_not_positive_and_finite(bad):
    error = refusal(one_asset(), table(JPYUSD=[0.01, 0.01, bad, 0.01, bad, 0.01]))
    words = f"is {bad:g}", "positive and finite (first of 2)", "correct the source"
    assert_says(error, "fx", *words, asset="JPYUSD", date="2020-01-03")


def test_refuses_a_currency_without_a_rate():
    error = refusal(one_asset(), table(EURUSD=1.1, GBPUSD=1.3))
    words = "no rate of JPY in USD", "add 'JPYUSD'", "it has: EURUSD, GBPUSD"
    assert_says(error, "fx", *words, asset="JPY")
    assert_says(refusal(one_asset(), YEN[[]]), "fx", "it has: no column", asset="JPY")


def test_refuses_currencies_that_are_two_crosses_apart():
    assert_says(
        refusal(one_asset(), table(JPYGBP=0.008, GBPEUR=1.1, EURUSD=1.2)), "fx", "nor two", asset="JPY"
    )


def test_refuses_a_pair_the_wrong_way_round():
    words = "wrong way round: JPY for one USD", "pass 1 / fx['USDJPY'] as 'JPYUSD'"
    assert_says(refusal(one_asset(), table(USDJPY=110.0)), "fx", *words, asset="USDJPY")
    assert_says(refusal(one_asset(), table(EURUSD=1.1, USDJPY=110.0)), "fx", *words, asset="USDJPY")


def test_refuses_a_cross_of_a_pair_the_wrong_way_round():
    error = refusal(one_asset(), table(EURUSD=1.1, USDJPY=110.0), "EUR")
    assert_says(error, "fx", "JPY for one USD", "pass 1 / fx['USDJPY'] as 'JPYUSD'", asset="USDJPY")


def test_refuses_a_lone_pair_of_the_base_with_a_slash():
    error = refusal(one_asset("USD"), table(**{"EUR/USD": 1.1}), "EUR", currencies={"in USD": "USD"})
    assert_says(error, "fx", "USD for one EUR", "pass 1 / fx['EUR/USD'] as 'USDEUR'", asset="EUR/USD")


@pytest.mark.parametrize(
    ("column", "level", "base"),
    [
        ("JPYUSD", 110.0, "USD"),
        ("JPY", 110.0, "USD"),
        ("JPY", 160.0, "EUR"),
        ("JPYGBP", 190.0, "GBP"),
        ("USDJPY", 0.009, "USD"),
        ("CNYUSD", 7.1, "USD"),
        ("KRWJPY", 9.0, "JPY"),
        ("SEKUSD", 10.5, "USD"),
        ("ZARUSD", 18.0, "USD"),
        ("GBPUSD", 0.38, "USD"),
    ],
)
def test_refuses_a_level_that_only_the_inverse_has_had(column, level, base):
    words = f"is {level:g}, which looks inverted: since 1971 one {column[:3]}", f"pass 1 / fx['{column}']"
    error = refusal(one_asset(), table(**{column: level}), base)
    assert_says(error, "fx", *words, "(first of 6)", asset=column, date="2020-01-01")


def test_refuses_a_table_that_turns_round_on_a_date():
    error = refusal(one_asset(), table(JPYUSD=[0.01, 0.01, 0.01, 0.01, 0.01, 100.0]))
    assert_says(error, "fx", "looks inverted", asset="JPYUSD", date="2020-01-08")
    assert "first of" not in str(error)


@pytest.mark.parametrize(("column", "level"), [("GBPUSD", 0.79), ("CADUSD", 1.4), ("EURUSD", 2.1)])
def test_a_pair_near_one_may_go_where_it_has_never_been(column, level):
    assert rate_used(table(**{column: level}), "USD", column[:3]) == pytest.approx(level)


def test_a_level_that_neither_way_has_had_is_taken_as_it_is():
    """Yen by the hundred: a constant factor drops out of every return."""
    assert rate_used(table(JPYUSD=0.7), "USD", "JPY") == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("columns", "blamed", "words"),
    [
        ({"JPYUSD": 0.01, "EURUSD": 1.25, "JPYEUR": 0.0086}, "JPYEUR", "is 0.0086, but the columns before"),
        ({"JPYUSD": 0.01, "USDJPY": 110.0}, "USDJPY", "is 110, but the columns before it make it 100"),
        ({"EURUSD": 1.25, "USDGBP": 0.8, "EURGBP": 1.25}, "EURGBP", "make it 1"),
        (
            {"JPYUSD": 0.01, "JPYGBP": 0.008, "EURUSD": 1.25, "EURGBP": 1.1},
            "EURGBP",
            "is 1.1, but the columns before it make it 1 (first of 6)",
        ),
    ],
)
def test_refuses_a_table_that_contradicts_itself(columns, blamed, words):
    error = refusal(one_asset(), table(**columns))
    assert_says(error, "fx", words, "inverted or of another date", asset=blamed, date="2020-01-01")


def test_refuses_a_triangle_that_opens_on_a_date():
    fx = table(JPYUSD=0.01, EURUSD=1.25, JPYEUR=[0.008, 0.008, 0.008, 0.0085, 0.008, np.nan])
    error = refusal(one_asset(), fx)
    assert_says(error, "fx", "is 0.0085, but", "make it 0.008", asset="JPYEUR", date="2020-01-06")


def test_refuses_dates_without_a_row_of_rates():
    error = refusal(one_asset(), YEN.iloc[[0, 1, 3, 5]])
    words = "no row on this date", "2 of the 6 rows that need one have none", "never filled"
    assert_says(error, "fx", *words, asset="JPY", date="2020-01-03")


def test_refuses_rates_without_any_row():
    assert_says(refusal(one_asset(), YEN.iloc[:0]), "fx", "6 of the 6 rows", asset="JPY", date="2020-01-01")


def test_refuses_a_missing_rate():
    fx = table(JPYUSD=[0.01, 0.01, 0.01, np.nan, np.nan, np.nan])
    words = "NaN on this date", "3 of the 6 rows that need one have none"
    assert_says(refusal(one_asset(), fx), "fx", *words, asset="JPY", date="2020-01-06")


def test_refuses_a_missing_rate_in_a_cross():
    fx = table(JPYUSD=0.01, EURUSD=[1.1, np.nan, 1.1, 1.1, 1.1, 1.1])
    assert_says(refusal(one_asset(), fx, "EUR"), "fx", "NaN on this date", asset="JPY", date="2020-01-02")


@pytest.mark.parametrize("share", [1.5, -0.1, 50, np.nan, np.inf])
def test_refuses_shares_outside_zero_and_one(share):
    error = refusal(one_asset(), YEN, hedged=share)
    assert_says(error, "hedged", f"is {share:g}, expected 0 to 1", "a fraction")
    error = refusal(one_asset(), YEN, hedged={"in JPY": share})
    assert_says(error, "hedged", f"is {share:g}", asset="in JPY")


@pytest.mark.parametrize("share", ["yes", None, [1.0], pd.Series({"in JPY": 1.0})])
def test_refuses_shares_that_are_no_numbers(share):
    assert_says(refusal(one_asset(), YEN, hedged=share), "hedged", "expected a share", type(share).__name__)


def test_refuses_a_hedge_of_an_asset_that_is_not_there():
    error = refusal(one_asset(), YEN, hedged={"N225": 1.0})
    assert_says(error, "hedged", "no asset of this name", "it has: in JPY", asset="N225")


def test_refuses_a_hedge_by_currency():
    error = refusal(one_asset(), YEN, hedged={"JPY": 1.0})
    assert_says(error, "hedged", "no asset of this name", "name the assets in JPY: in JPY", asset="JPY")


@pytest.mark.parametrize("cash", [None, 0.02, pd.Series(1e-4, index=DAYS)])
def test_refuses_a_hedge_without_a_mapping_of_cash(cash):
    error = refusal(one_asset(), YEN, hedged=True, cash=cash)
    assert_says(error, "cash", "a mapping of currency to cash", type(cash).__name__, "{'USD': 0.02, ...}")


@pytest.mark.parametrize(("cash", "missing"), [({"JPY": 0.0}, "USD"), ({"USD": 0.02}, "JPY")])
def test_refuses_a_hedge_without_the_cash_of_a_currency(cash, missing):
    error = refusal(one_asset(), YEN, hedged=True, cash=cash)
    assert_says(error, "cash", "needed for the hedge", asset=missing)


def test_refuses_cash_that_the_door_of_cash_refuses():
    percent = refusal(one_asset(), YEN, hedged=True, cash={"USD": 2.0, "JPY": 0.0})
    assert_says(percent, "cash", "looks like percent", asset="USD")
    short = {"USD": 0.02, "JPY": pd.Series(1e-5, index=DAYS[[0, 1, 2, 4, 5]])}
    error = refusal(one_asset(), YEN, hedged=True, cash=short)
    assert_says(error, "cash", "no return for 1 of the 5 rows", asset="JPY", date="2020-01-06")
    unsorted = {"USD": 0.02, "JPY": pd.Series(1e-5, index=DAYS[::-1])}
    error = refusal(one_asset(), YEN, hedged=True, cash=unsorted)
    assert_says(error, "cash.index", "reverse", asset="JPY", date="2020-01-08")


def test_refuses_a_missing_cash_return_counting_from_the_first_hedged_row():
    prices = pd.concat([one_asset("USD"), one_asset().iloc[2:]], axis=1)
    short = {"USD": 0.02, "JPY": pd.Series(1e-5, index=DAYS[[3, 5]])}
    codes = {"in USD": "USD", "in JPY": "JPY"}
    error = refusal(prices, YEN, currencies=codes, hedged=True, cash=short)
    assert_says(error, "cash", "no return for 1 of the 3 rows", asset="JPY", date="2020-01-07")


def test_refuses_a_hedge_that_loses_everything():
    """The asset halves while the yen trebles: 0.5 x 3 is left, and 3 - 1 is owed on the forward."""
    prices = one_asset(rows=3)
    prices.iloc[2] = prices.iloc[1] / 2
    fx = table(JPYUSD=[0.005, 0.005, 0.015, 0.015, 0.015, 0.015])
    error = refusal(prices, fx, hedged=True, cash={"USD": 0.0, "JPY": 0.0})
    assert_says(error, "hedged", "would be -1.5", "smaller share", asset="in JPY", date="2020-01-03")
    half = to_base_currency(prices, fx, "USD", currencies={"in JPY": "JPY"}, hedged=0.2, cash=RATES)
    assert (half > 0).all(axis=None)
