"""Overlays: the volatility target and the trend filter, around anything and around each other."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_worlds import FREE, daily_funds, late_funds, monthly_panel, rewritten, world

import strategies
from allocator.engine import HOLD, Costs, FixedMix, Hold, Strategy, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market, load_us_history
from strategies import (
    AboveCash,
    AboveMovingAverage,
    AllWeather,
    EqualWeight,
    ExponentialCovariance,
    GoldDiversified,
    RiskParity,
    SixtyForty,
    TrendFilter,
    VolatilityTarget,
)

MARKET = world()
ALL_CASH = {"cash": 1.0}
FUNDS = AllWeather("TLT", "IEF", "SPY", "GLD", "DBC")


@final
@dataclass(frozen=True)
class Waits(Strategy):
    """Answers HOLD."""

    name: str = "Waits"

    def weights(self, past: Market) -> Hold:
        return HOLD


@final
@dataclass(frozen=True)
class Looks(Strategy):
    """Looks at what is held."""

    name: str = "Looks"

    @property
    def sees_holdings(self) -> bool:
        return True

    def weights(self, past: Market) -> dict[str, float]:
        return {"stocks": 1.0}


@final
@dataclass(frozen=True)
class Table(Strategy):
    """Answers a Series, as a strategy may."""

    name: str = "Table"

    def weights(self, past: Market) -> Any:
        return pd.Series({"stocks": 0.5, "cash": 0.2, "bonds": 0.3, "gold": 0.0})


def volatility(market: Market, weights: dict[str, float], rows: int) -> float:
    """The volatility a year of fixed weights over the last rows, by pandas."""
    held = [asset for asset in weights if asset != "cash"]
    covariance = market.returns[held].iloc[-rows:].cov() * market.frequency.periods_per_year
    amounts = np.array([weights[asset] for asset in held])
    return float(np.sqrt(amounts @ covariance.to_numpy() @ amounts))


# The volatility target


@given(st.floats(0.02, 0.3), st.integers(36, 149), st.floats(1.0, 5.0))
def test_the_target_is_met_or_the_cap(target: float, row: int, cap: float) -> None:
    past = MARKET.until(MARKET.index[row].date())
    held = VolatilityTarget(SixtyForty(), target, cap).weights(past)
    estimate, gross = volatility(past, held, 36), sum(held.values())
    assert held["stocks"] / held["bonds"] == pytest.approx(1.5, rel=1e-12)
    if gross < cap * (1.0 - 1e-12):
        assert estimate == pytest.approx(target, rel=1e-10)
    else:
        assert gross == pytest.approx(cap, rel=1e-12)
        assert estimate <= target * (1.0 + 1e-12)


def test_around_risk_parity_it_is_risk_paritys_own_target() -> None:
    assets = ("stocks", "bonds", "gold")
    own = RiskParity(assets, target_volatility=0.08, max_leverage=1.6)
    overlay = VolatilityTarget(RiskParity(assets), 0.08, 1.6)
    one, two = (run_backtest(strategy, MARKET) for strategy in (own, overlay))
    np.testing.assert_allclose(one.value, two.value, rtol=1e-12)
    assert one.targets.sum(axis=1).std() > 0.01


def test_on_the_daily_panel_realised_volatility_comes_near_and_leverage_stays_below_its_cap() -> None:
    """All Weather, 8.4 % a year by itself, at a target of 10 % and at most 1.5 times."""
    market = daily_funds()
    quick = ExponentialCovariance(0.1, 0.5)
    target = VolatilityTarget(FUNDS, 0.10, max_leverage=1.5, window_years=1.0, covariance=quick)
    backtest = run_backtest(target, market, max_leverage=1.5)
    gross = backtest.targets.sum(axis=1)
    assert gross.max() == pytest.approx(1.5, rel=1e-12)
    assert gross.min() < 0.8
    assert not len(backtest.capped)  # the run's own limit never had to act
    realised = backtest.returns.std() * np.sqrt(252)
    assert 0.09 < realised < 0.12
    years = backtest.returns.groupby(pd.Grouper(freq="YE")).std()
    plain = (
        run_backtest(FUNDS, market)
        .returns.loc[backtest.returns.index[0] :]
        .groupby(pd.Grouper(freq="YE"))
        .std()
    )
    assert years.std() / years.mean() < 0.75 * plain.std() / plain.mean()  # steadier from year to year


def test_what_is_borrowed_is_paid_for_and_what_is_left_earns() -> None:
    """Cash at 3 %, borrowing at 4 %: a levered portfolio pays, one below its target earns."""
    costs = Costs(0.0, 0.01)
    levered = run_backtest(VolatilityTarget(SixtyForty(), 0.5, 1.5), MARKET, costs=costs)
    np.testing.assert_allclose(levered.targets.sum(axis=1), 1.5, rtol=1e-12)
    assert (levered.interest < 0.0).all()
    rate = 1.03 ** (1 / 12) - 1 + 1.01 ** (1 / 12) - 1
    assert levered.interest.iloc[0] == pytest.approx(-0.5 * levered.value.iloc[0] * rate, rel=1e-12)
    calm = run_backtest(VolatilityTarget(SixtyForty(), 0.02), MARKET, costs=costs)
    assert (calm.interest > 0.0).all()


def test_long_and_short_that_cancel_stop_at_the_cap() -> None:
    prices = MARKET.prices.assign(twin=MARKET.prices["stocks"] * 2.0)
    market = Market(prices, 0.03)
    hedged = VolatilityTarget(FixedMix({"stocks": 1.0, "twin": -1.0}), 0.1, 3.0)
    held = hedged.weights(market)
    assert held == pytest.approx({"stocks": 1.5, "twin": -1.5}, rel=1e-6)
    assert (run_backtest(hedged, market, allow_short=True).targets.abs().sum(axis=1) <= 3.0 + 1e-9).all()


def test_cash_in_the_portfolio_is_part_of_the_rest() -> None:
    with_cash, without = FixedMix({"cash": 0.5, "stocks": 0.5}), FixedMix({"stocks": 1.0})
    for market in (MARKET, MARKET.until("1968")):
        one, two = (VolatilityTarget(mix, 0.08).weights(market) for mix in (with_cash, without))
        assert one == pytest.approx(two, rel=1e-12)
    assert VolatilityTarget(FixedMix(ALL_CASH)).weights(MARKET) == ALL_CASH
    assert set(VolatilityTarget(Table()).weights(MARKET)) == {"stocks", "bonds"}


def test_a_fund_that_lists_late_is_waited_for_or_left_out() -> None:
    market = late_funds()
    mix = EqualWeight(("SPY", "VUSTX", "GLD"))
    gold = int(market.listed_from[market.assets.index("GLD")])
    assert run_backtest(VolatilityTarget(mix), market).decided[0] == market.index[gold + 756]
    golden = GoldDiversified("SPY", "VUSTX", "GLD", ("DBC",))
    with pytest.raises(InsufficientHistoryError, match=r"prices\['DBC'\] on 2006-02-28"):
        run_backtest(VolatilityTarget(golden, window_years=0.5), market)
    joined = run_backtest(VolatilityTarget(golden, window_years=0.5, late="leave_out"), market, lag=0)
    commodities = int(market.listed_from[market.assets.index("DBC")])
    first = (joined.targets["DBC"] > 0.0).idxmax()
    assert market.index.get_loc(first) >= commodities + 126
    between = joined.targets.loc["2006-02-28"]
    held = between[between > 0.0]
    assert set(held.index) == {"SPY", "VUSTX", "GLD"}
    past = market.until("2006-02-28")
    assert volatility(past, held.to_dict(), 126) == pytest.approx(0.1, rel=1e-9)


# The trend filter


def by_hand() -> Market:
    """Thirteen months: an asset rises, one falls, one is flat but for a last step up, one is flat."""
    index = pd.date_range("2000-01-31", periods=13, freq="ME")
    months = np.arange(13.0)
    prices = {
        "up": 100.0 + months,
        "down": 100.0 - months,
        "late": np.r_[np.full(12, 50.0), 51.0],
        "flat": np.full(13, 70.0),
    }
    return Market(pd.DataFrame(prices, index=index), 0.12)


def test_the_moving_average_by_hand() -> None:
    """Faber (2007): above the mean of ten month ends, the last one included; at the mean is not above."""
    market = by_hand()
    mix = EqualWeight(("up", "down", "late", "flat"))
    assert TrendFilter(mix).weights(market) == {"up": 0.25, "late": 0.25}
    assert TrendFilter(mix).weights(market.until("2000-12")) == {"up": 0.25}
    with pytest.raises(InsufficientHistoryError, match="9 monthly returns by then"):
        TrendFilter(mix).weights(market.until("2000-10"))
    assert TrendFilter(mix, instead="flat").weights(market) == {"up": 0.25, "late": 0.25, "flat": 0.5}
    assert TrendFilter(mix, instead="down").weights(market) == {"up": 0.25, "late": 0.25, "down": 0.5}
    assert TrendFilter(FixedMix({"down": 0.7})).weights(market) == ALL_CASH


def test_the_mean_is_of_ten_prices_and_not_of_eleven() -> None:
    """Prices 130, 100 × 9, 101: above the mean of the last ten, below that of eleven."""
    index = pd.date_range("2000-01-31", periods=11, freq="ME")
    table = pd.DataFrame({"a": [130.0, *[100.0] * 9, 101.0], "b": np.arange(1.0, 12.0)}, index=index)
    assert TrendFilter(FixedMix({"a": 1.0})).weights(Market(table, 0.0)) == {"a": 1.0}
    table.iloc[1, 0] = 130.0  # the first of the ten
    assert TrendFilter(FixedMix({"a": 1.0})).weights(Market(table, 0.0)) == ALL_CASH


def test_more_than_cash_by_hand() -> None:
    """Moskowitz, Ooi and Pedersen (2012): twelve months against cash at 12 %; as much as cash is not more."""
    index = pd.date_range("2000-01-31", periods=13, freq="ME")
    cash = 1.12 ** (np.arange(13.0) / 12.0)
    table = pd.DataFrame({"more": cash**1.01, "less": cash**0.99, "same": cash * 7.0}, index=index)
    market = Market(table, 0.12)
    mix = EqualWeight(("more", "less", "same"))
    assert TrendFilter(mix, AboveCash()).weights(market) == pytest.approx({"more": 1 / 3})
    assert TrendFilter(mix, AboveMovingAverage()).weights(market) == pytest.approx(mix.weights(market))
    with pytest.raises(InsufficientHistoryError, match="11 monthly returns by then"):
        TrendFilter(mix, AboveCash()).weights(market.until("2000-12"))


@given(st.permutations([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]), st.floats(0.01, 100.0))
def test_a_tie_is_no_trend_whatever_the_rounding(apart: list[float], scale: float) -> None:
    """The last price at the mean of ten, and a fund that is cash by another name."""
    index = pd.date_range("2000-01-31", periods=14, freq="ME")
    at_mean = scale * np.array([7.0, 9.0, 11.0, 8.0, *(10.0 + np.array(apart)), 10.0])
    cash = pd.Series(np.abs(at_mean) / scale / 1e4, index=index)
    bills = scale * (1.0 + cash.where(cash.index > index[0], 0.0)).cumprod()
    market = Market(pd.DataFrame({"fund": at_mean, "bills": bills}), cash.iloc[1:])
    assert TrendFilter(FixedMix({"fund": 1.0})).weights(market) == ALL_CASH
    assert TrendFilter(FixedMix({"bills": 1.0}), AboveCash()).weights(market) == ALL_CASH


@pytest.mark.parametrize(("offset", "rows"), [("B", 210), ("W-FRI", 43), ("ME", 10)])
def test_ten_months_are_the_same_time_at_every_frequency(offset: str, rows: int) -> None:
    market = world(rows + 40, offset)
    backtest = run_backtest(TrendFilter(SixtyForty()), market, lag=0)
    assert market.index.get_loc(backtest.decided[0]) == rows
    prices = market.prices[["stocks", "bonds"]]
    expected = (prices > prices.rolling(rows).mean()).loc[backtest.decided] * [0.6, 0.4]
    np.testing.assert_array_equal(backtest.targets[["stocks", "bonds"]], expected)


@pytest.mark.parametrize("trend", [AboveMovingAverage(), AboveCash()], ids=["average", "cash"])
def test_on_the_monthly_panel(trend: Any) -> None:
    """From 1975 to 2025; each rule against pandas."""
    market = monthly_panel()
    backtest = run_backtest(TrendFilter(SixtyForty(), trend), market, start="1975", end="2025")
    prices = market.prices[["stocks", "bonds"]]
    wealth = (1.0 + market.cash_returns).cumprod().reindex(prices.index).fillna(1.0)
    over = prices.div(wealth, axis=0)
    is_up = (
        prices > prices.rolling(10).mean() if isinstance(trend, AboveMovingAverage) else over > over.shift(12)
    )
    np.testing.assert_array_equal(backtest.targets[["stocks", "bonds"]] > 0.0, is_up.loc[backtest.decided])
    plain = run_backtest(SixtyForty(), market, start="1975", end="2025")
    assert backtest.returns.std() < 0.85 * plain.returns.std()


def test_slow_data_ask_for_a_longer_trend() -> None:
    with pytest.raises(
        StrategyError, match=r"years: a window of 0\.833333 years has 1 yearly.*ask for 10 years"
    ):
        run_backtest(TrendFilter(SixtyForty()), load_us_history())
    backtest = run_backtest(TrendFilter(SixtyForty(), AboveMovingAverage(10.0)), load_us_history())
    assert set(backtest.targets["stocks"]) == {0.0, 0.6}


def test_a_late_asset_is_waited_for_or_left_out() -> None:
    market = world(late={"gold": 60})
    mix = EqualWeight(("stocks", "bonds", "gold"))
    assert run_backtest(TrendFilter(mix), market).decided[0] == market.index[70]
    assert (
        run_backtest(TrendFilter(mix, instead="gold"), market).decided[0] == market.index[60]
    )  # not filtered
    backtest = run_backtest(TrendFilter(mix, late="leave_out"), market)
    assert backtest.decided[0] == market.index[10]  # all of it in cash before would be no portfolio
    assert (backtest.targets["gold"].iloc[:60] == 0.0).all()
    assert backtest.targets["gold"].max() == pytest.approx(1 / 3)


def test_a_delisted_asset_is_left_out_or_refused() -> None:
    prices = MARKET.prices
    prices.iloc[100:, 2] = np.nan
    market = Market(prices, 0.03, delisted={"gold": 0.0})
    mix = FixedMix({"stocks": 0.5, "gold": 0.5})
    after = market.until("1969")
    held = TrendFilter(mix, late="leave_out").weights(after)
    assert held in ({"stocks": 0.5}, ALL_CASH)
    assert TrendFilter(FixedMix({"gold": 1.0}), late="leave_out").weights(after) == ALL_CASH
    with pytest.raises(InputError, match=r"prices\['gold'\].*delisted"):
        TrendFilter(mix).weights(after)


# Both


def test_overlays_nest_either_way() -> None:
    market = daily_funds()
    inside = VolatilityTarget(TrendFilter(FUNDS), 0.1)
    outside = TrendFilter(VolatilityTarget(FUNDS, 0.1))
    for date in ("2012-06", "2018-11", "2022-10"):
        past = market.until(date)
        filtered, scaled = TrendFilter(FUNDS).weights(past), VolatilityTarget(FUNDS, 0.1).weights(past)
        held = outside.weights(past)
        assert held == ({asset: scaled[asset] for asset in filtered if asset != "cash"} or ALL_CASH)
        held = inside.weights(past)
        assert set(held) == set(filtered)
        if held != ALL_CASH and sum(held.values()) < 2.0 - 1e-9:
            assert volatility(past, held, 756) == pytest.approx(0.1, rel=1e-9)
    thrice = TrendFilter(VolatilityTarget(TrendFilter(FUNDS, AboveCash()), 0.1), instead="SHY")
    assert (run_backtest(thrice, market).value > 0.0).all()


@pytest.mark.parametrize(
    "strategy",
    [
        VolatilityTarget(SixtyForty(), 0.08),
        TrendFilter(EqualWeight()),
        TrendFilter(VolatilityTarget(RiskParity(), 0.08), AboveCash(), "gold"),
    ],
    ids=lambda strategy: strategy.name,
)
def test_another_future_leaves_the_past_as_it_was(strategy: Strategy) -> None:
    one, two = (run_backtest(strategy, each) for each in (MARKET, rewritten(MARKET, 90)))
    until = MARKET.index[90]
    np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
    np.testing.assert_array_equal(one.value.loc[:until], two.value.loc[:until])
    assert (one.targets != two.targets).any(axis=None)


LIBRARY = (
    VolatilityTarget(SixtyForty(), 0.08, covariance=ExponentialCovariance(0.5, 1.0)),
    TrendFilter(VolatilityTarget(GoldDiversified()), AboveCash(0.5), "bonds"),
    TrendFilter(SixtyForty(), AboveMovingAverage(1.0), late="leave_out"),
)


@pytest.mark.parametrize("strategy", LIBRARY, ids=lambda strategy: strategy.name)
def test_overlays_are_frozen_equal_and_hashable(strategy: Any) -> None:
    same, other = dataclasses.replace(strategy), dataclasses.replace(strategy, name="another")
    assert same == strategy != other
    assert len({strategy, same, other}) == 2
    assert eval(repr(strategy), vars(strategies)) == strategy
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.name = "changed"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: VolatilityTarget("60/40"), "strategy: expected a Strategy, got '60/40'; pass one such as"),  # type: ignore[arg-type]
        (lambda: VolatilityTarget(SixtyForty), "strategy: expected a Strategy, got <class"),  # type: ignore[arg-type]
        (
            lambda: VolatilityTarget(Looks()),
            "strategy: 'Looks' looks at what is held, and what is held is not",
        ),
        (lambda: VolatilityTarget(SixtyForty(), 10), "target: 10; 10 % a year is 0.10"),
        (lambda: VolatilityTarget(SixtyForty(), 0.0), "target: 0.0"),
        (lambda: VolatilityTarget(SixtyForty(), float("nan")), "target: nan"),
        (
            lambda: VolatilityTarget(SixtyForty(), max_leverage=0.0),
            "max_leverage: 0.0 is not between 0 and 10",
        ),
        (lambda: VolatilityTarget(SixtyForty(), max_leverage=150), "max_leverage: 150"),
        (lambda: VolatilityTarget(SixtyForty(), late="skip"), "late: 'skip' is none of wait, leave_out"),
        (lambda: TrendFilter(MARKET), "strategy: expected a Strategy"),  # type: ignore[arg-type]
        (lambda: TrendFilter(Looks()), "strategy: 'Looks' looks at what is held"),
        (lambda: TrendFilter(SixtyForty(), AboveCash), "trend: <class.*pass AboveMovingAverage"),  # type: ignore[arg-type]
        (lambda: TrendFilter(SixtyForty(), late="skip"), "late: 'skip'"),
    ],
)
def test_overlays_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


@pytest.mark.parametrize("overlay", [VolatilityTarget, TrendFilter])
def test_an_inner_strategy_that_holds_is_refused_when_it_does(overlay: Any) -> None:
    with pytest.raises(
        StrategyError, match=r"on 1960-01-31: strategy: 'Waits' answered HOLD.*repeat its weights"
    ):
        run_backtest(overlay(Waits()), MARKET)


def test_a_short_position_has_no_trend_of_its_own() -> None:
    with pytest.raises(StrategyError, match=r"strategy\['bonds'\]: 'Fixed mix' is short; filter a long-only"):
        run_backtest(TrendFilter(FixedMix({"stocks": 1.0, "bonds": -0.2})), MARKET, allow_short=True)


def test_an_inner_answer_that_is_none_is_named() -> None:
    @final
    @dataclass(frozen=True)
    class Silent(Strategy):
        name: str = "Silent"

        def weights(self, past: Market) -> Any:
            return None

    with pytest.raises(StrategyError, match="strategy: 'Silent' returned NoneType, not weights"):
        run_backtest(VolatilityTarget(Silent()), MARKET)


def test_where_cash_goes_must_be_there() -> None:
    with pytest.raises(StrategyError, match="names 'bills', which is not there"):
        run_backtest(TrendFilter(SixtyForty(), instead="bills"), MARKET, costs=FREE)
