"""When trades happen: calendars with holidays, lags, starts and ends, and R's Return.portfolio."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from engine_markets import Momentum, fixed, random_market

from allocator.engine import (
    Backtest,
    Band,
    BuyAndHold,
    Costs,
    EveryNRows,
    Monthly,
    Quarterly,
    Rebalancing,
    Weekly,
    Yearly,
    run_backtest,
)
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from strategies import RiskParity

FREE = Costs(0.0, 0.0)


def flat_market(index: pd.DatetimeIndex, cash: float = 0.0) -> Market:
    """Prices that rise a little, so that only the dates matter."""
    return Market(pd.DataFrame({"a": np.linspace(1.0, 2.0, len(index))}, index=index), cash)


def trade_dates(index: pd.DatetimeIndex, rule: Rebalancing | None, lag: int | None = 0) -> list[str]:
    backtest = run_backtest(fixed({"a": 1.0}), flat_market(index), rebalancing=rule, lag=lag)
    return [date.strftime("%Y-%m-%d") for date in backtest.targets.index[1:]]


NEW_YORK_HOLIDAYS = ["2012-10-29", "2012-10-30", "2012-11-22", "2012-12-25", "2013-01-01", "2013-03-29"]


def new_york(start: str, end: str) -> pd.DatetimeIndex:
    """Working days without the holidays, among them a hurricane and a Good Friday that ends a month."""
    return pd.bdate_range(start, end).difference(pd.DatetimeIndex(NEW_YORK_HOLIDAYS))


# Rules


def test_F087_a_month_that_ends_on_a_holiday_ends_on_the_row_before() -> None:
    """29 March 2013 was Good Friday: the month ended on the 28th."""
    assert trade_dates(new_york("2013-01-02", "2013-05-10"), Monthly()) == [
        "2013-01-31",
        "2013-02-28",
        "2013-03-28",
        "2013-04-30",
    ]


def test_F088_the_last_row_never_trades() -> None:
    """Neither in the middle of a month nor on its last day, which only the next row would tell."""
    for end in ("2012-12-14", "2012-12-31"):
        assert trade_dates(new_york("2012-10-01", end), Monthly()) == ["2012-10-31", "2012-11-30"]
    assert trade_dates(new_york("2012-10-01", "2013-01-02"), Monthly())[-1] == "2012-12-31"
    # With a lag the trade, too, must fall before the last row.
    assert trade_dates(new_york("2012-10-01", "2012-12-03"), Monthly(), lag=1) == ["2012-11-01"]
    assert trade_dates(new_york("2012-10-01", "2012-12-04"), Monthly(), lag=1) == ["2012-11-01", "2012-12-03"]


def test_weeks_run_from_monday_to_sunday() -> None:
    """The hurricane took two days, a Sunday made up for one; New Year's Day cuts no week in two."""
    days = new_york("2012-10-22", "2012-11-28").union(pd.DatetimeIndex(["2012-11-04"]))
    assert trade_dates(days, Weekly()) == [
        "2012-10-26",
        "2012-11-04",
        "2012-11-09",
        "2012-11-16",
        "2012-11-23",
    ]
    turn = new_york("2012-12-19", "2013-01-09")
    assert trade_dates(turn, Weekly()) == ["2012-12-21", "2012-12-28", "2013-01-04"]


def test_weeks_before_1970_run_from_monday_to_sunday_too() -> None:
    days = pd.bdate_range("1969-12-15", "1970-01-14")
    assert trade_dates(days, Weekly()) == ["1969-12-19", "1969-12-26", "1970-01-02", "1970-01-09"]
    old = pd.bdate_range("1931-06-01", "1931-07-08")
    assert trade_dates(old, Weekly()) == [
        "1931-06-05",
        "1931-06-12",
        "1931-06-19",
        "1931-06-26",
        "1931-07-03",
    ]
    assert trade_dates(old, Monthly()) == ["1931-06-30"]


def test_quarters_and_years_end_on_their_last_rows() -> None:
    days = new_york("2012-06-15", "2013-07-10")
    quarters = ["2012-06-29", "2012-09-28", "2012-12-31", "2013-03-28", "2013-06-28"]
    assert trade_dates(days, Quarterly()) == quarters
    assert trade_dates(days, Yearly()) == ["2012-12-31"]
    months = pd.date_range("1968-11-30", "1971-02-28", freq="ME")
    assert trade_dates(months, Yearly()) == ["1968-12-31", "1969-12-31", "1970-12-31"]
    assert trade_dates(months, Quarterly())[:3] == ["1968-12-31", "1969-03-31", "1969-06-30"]


def test_every_n_rows_counts_from_the_first_row_of_the_table() -> None:
    index = pd.bdate_range("2020-01-01", periods=30)
    market = flat_market(index)
    for start in (None, index[4].date()):
        backtest = run_backtest(fixed({"a": 1.0}), market, rebalancing=EveryNRows(7), lag=0, start=start)
        assert list(backtest.targets.index[1:]) == [index[7], index[14], index[21], index[28]]


def test_buy_and_hold_builds_once() -> None:
    assert trade_dates(pd.bdate_range("2020-01-01", periods=300), BuyAndHold()) == []


def band_run(rises: list[float], width: float, lag: int = 0, start: int | None = None) -> Backtest:
    """Half in an asset with these prices, half in one that stands still."""
    index = pd.bdate_range("2020-01-01", periods=len(rises))
    market = Market(pd.DataFrame({"a": rises, "b": 1.0}, index=index), 0.0)
    first = None if start is None else index[start]
    halves = fixed({"a": 0.5, "b": 0.5})
    return run_backtest(halves, market, rebalancing=Band(width), lag=lag, start=first, costs=FREE)


def test_a_band_trades_at_the_first_close_strictly_beyond_it() -> None:
    """What triples beside what stands still weighs 3/4: exactly on a band of 1/4 it is left alone."""
    rises = [1.0, 2.0, 3.0, 3.0, 3.5, 3.5, 3.5]

    def rows(width: float, lag: int = 0) -> list[int]:
        backtest = band_run(rises, width, lag)
        return list(backtest.market.index.get_indexer(backtest.targets.index))

    assert rows(0.25) == [0, 4]
    assert rows(0.25 - 1e-13) == [0, 4]  # so near, rounding would decide
    assert rows(0.25 - 1e-11) == [0, 2]
    assert rows(0.3) == [0]
    assert rows(0.12) == [0, 1, 4]
    assert rows(0.12, lag=1) == [1, 5]


def test_a_band_looks_again_only_after_its_trade() -> None:
    """Built on row 3, broken on row 4, traded on row 7: the closes between ask for nothing more."""
    rises = [2.0**row for row in range(12)]
    backtest = band_run(rises, 0.1, lag=3, start=4)
    index = backtest.market.index
    assert list(backtest.decided) == [index[0], index[4]]
    assert list(backtest.targets.index) == [index[3], index[7]]
    assert list(band_run(rises, 0.1).decided) == list(index[:11])


def test_a_band_is_watched_on_every_row() -> None:
    """Breaks are looked for in windows of many rows, and none falls between two windows."""
    for row in range(1, 140):
        backtest = band_run([1.0] * row + [2.0] * (143 - row), 0.1)
        assert list(backtest.decided[1:]) == [backtest.market.index[row]]


# Lag and defaults


@pytest.mark.parametrize(
    ("offset", "lag", "rule"),
    [
        ("B", 1, Monthly()),
        ("W-FRI", 0, Monthly()),
        ("BME", 0, Monthly()),
        ("QE", 0, Quarterly()),
        ("YE", 0, Yearly()),
    ],
)
def test_the_lag_is_one_row_on_daily_data_and_else_none(offset: str, lag: int, rule: Rebalancing) -> None:
    index = pd.date_range("2001-01-01", periods=60, freq=offset)
    backtest = run_backtest(fixed({"a": 1.0}), flat_market(index))
    assert backtest.lag == lag
    assert backtest.rebalancing == rule
    words = "the same close" if lag == 0 else "the close 1 row later"
    assert any(words in line and str(rule) in line for line in backtest.conventions)


@pytest.mark.parametrize("lag", [0, 1, 2, 5])
def test_what_is_decided_on_row_t_trades_on_row_t_plus_lag_and_earns_after(lag: int) -> None:
    prices, cash = random_market(4, 2, 100)
    market = Market(prices, cash)
    backtest = run_backtest(Momentum(3), market, rebalancing=EveryNRows(10), lag=lag, costs=FREE)
    decided, traded = (market.index.get_indexer(d) for d in (backtest.decided, backtest.targets.index))
    assert (traded - decided == lag).all()
    assert decided[0] == 3  # the first row that has three before it
    assert list(decided[1:]) == [row for row in range(10, 100, 10) if row + lag < 99]
    for date, target in backtest.targets.iterrows():
        past = market.until(market.index[market.index.get_loc(date) - lag].date())
        wanted = pd.Series(Momentum(3).weights(past))
        np.testing.assert_allclose(target, wanted, rtol=1e-15)


# Start and end


def monthly_market() -> Market:
    prices, cash = random_market(12, 3, 80, "monthly")
    return Market(prices.set_axis(pd.date_range("1970-01-31", periods=80, freq="ME")), float(cash.mean()))


def test_start_is_the_first_date_whose_return_counts() -> None:
    market = monthly_market()
    whole = run_backtest(fixed({"SPY": 1.0}), market, costs=FREE)
    for start in ("1971-09", "1971-09-30", "1971-09-02", pd.Timestamp("1971-09-30")):
        backtest = run_backtest(fixed({"SPY": 1.0}), market, start=start, costs=FREE)
        assert backtest.returns.index[0] == pd.Timestamp("1971-09-30")
        assert backtest.value.index[0] == backtest.targets.index[0] == pd.Timestamp("1971-08-31")
        assert backtest.returns.iloc[0] == pytest.approx(whole.returns["1971-09-30"], rel=1e-13)
    lagged = run_backtest(fixed({"SPY": 1.0}), market, start="1971-09", lag=2)
    assert lagged.returns.index[0] == pd.Timestamp("1971-09-30")
    assert lagged.decided[0] == pd.Timestamp("1971-06-30")


def test_F108_a_start_between_two_rows_is_the_next_row() -> None:
    prices, cash = random_market(12, 1, 60)
    index = pd.bdate_range("2020-01-01", periods=60)
    market = Market(prices.set_axis(index), float(cash.mean()))
    backtest = run_backtest(fixed({"SPY": 1.0}), market, start="2020-02-01")  # a Saturday
    assert backtest.returns.index[0] == pd.Timestamp("2020-02-03")
    assert backtest.decided[0] == pd.Timestamp("2020-01-30")


def test_end_is_the_last_date_and_a_month_or_year_means_all_of_it() -> None:
    market = monthly_market()
    for end, last in (("1973", "1973-12-31"), ("1973-05", "1973-05-31"), ("1973-05-30", "1973-04-30")):
        backtest = run_backtest(fixed({"SPY": 1.0}), market, end=end)
        assert backtest.value.index[-1] == pd.Timestamp(last)
    assert run_backtest(fixed({"SPY": 1.0}), market, end="1976").value.index[-1] == market.index[-1]


def test_the_warm_up_ends_where_history_allows() -> None:
    prices, cash = random_market(12, 3, 120, "monthly", late=(7,))
    market = Market(prices, cash)
    parity = RiskParity(("SPY", "TLT"), window_years=2.0)
    backtest = run_backtest(parity, market)
    assert backtest.decided[0] == market.index[7 + 24]
    assert backtest.returns.index[0] == market.index[7 + 24 + 1]
    assert run_backtest(RiskParity(("TLT", "GLD"), window_years=2.0), market).decided[0] == market.index[24]
    fits = market.index[7 + 24 + 1].date()
    assert run_backtest(parity, market, start=fits).decided[0] == market.index[7 + 24]


def test_F083_a_start_before_the_warm_up_is_refused_with_the_date_that_would_do() -> None:
    prices, cash = random_market(12, 3, 120, "monthly")
    market = Market(prices, cash)
    parity = RiskParity(("SPY", "TLT"), window_years=2.0)
    would_do = market.index[25].strftime("%Y-%m-%d")
    for start in (market.index[0], market.index[1], market.index[24]):
        with pytest.raises(InsufficientHistoryError, match=f"start on {would_do} or later") as refusal:
            run_backtest(parity, market, start=start)
        assert refusal.value.argument == "start"
    assert run_backtest(parity, market, start=would_do).returns.index[0] == market.index[25]


def test_a_start_without_a_close_before_it_is_refused() -> None:
    """The return of the first row would need a price before it; nothing is moved in silence."""
    market = monthly_market()
    for start, lag, would_do in (
        ("1960", 0, "1970-02-28"),
        ("1970-01", 0, "1970-02-28"),
        ("1970-02", 1, "1970-03-31"),
    ):
        with pytest.raises(InputError, match=f"start on {would_do} or later"):
            run_backtest(fixed({"SPY": 1.0}), market, start=start, lag=lag)
    backtest = run_backtest(fixed({"SPY": 1.0}), market, start="1970-02")
    assert backtest.returns.index[0] == pd.Timestamp("1970-02-28")


def test_assets_that_list_late_follow_the_policy() -> None:
    prices, cash = random_market(3, 2, 40, "monthly", late=(15,))
    market = Market(prices, cash)
    wanted = fixed({"SPY": 0.3, "TLT": 0.6})
    waits = run_backtest(wanted, market)
    assert waits.decided[0] == market.index[15]
    scaled = run_backtest(wanted, market, unlisted="pro_rata").targets
    np.testing.assert_allclose(scaled.loc[: market.index[14]], [[0.0, 0.9]] * 15, rtol=1e-15)
    np.testing.assert_allclose(scaled.loc[market.index[15] :], [[0.3, 0.6]] * 24, rtol=1e-15)
    in_cash = run_backtest(wanted, market, unlisted="cash")
    np.testing.assert_allclose(in_cash.targets.loc[: market.index[14]], [[0.0, 0.6]] * 15, rtol=1e-15)
    assert any("assets without a price: cash" in line for line in in_cash.conventions)
    only_late = run_backtest(fixed({"SPY": 1.0}), market, unlisted="pro_rata")
    assert only_late.decided[0] == market.index[15]
    with pytest.raises(InsufficientHistoryError, match="start on"):
        run_backtest(wanted, market, start=market.index[10])
