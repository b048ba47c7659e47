"""The strategies of the library: what they hold, at every frequency, and how to write the next one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import market_frames

import strategies
from allocator.engine import Costs, Monthly, Strategy, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from strategies import GoldDiversified, RiskParity, SixtyForty, default_study, equal_risk_contribution

FREE = Costs(0.0, 0.0)
SHARED = Path(__file__).resolve().parents[3] / "shared"
ASSETS = ("stocks", "bonds", "gold", "developed", "emerging")
_VOLATILITY = np.array([0.16, 0.06, 0.15, 0.18, 0.25])


def world(offset: str, n_rows: int, periods: int, late: dict[str, int] | None = None) -> Market:
    """Five assets with volatilities a year of 16, 6, 15, 18 and 25 %, and cash at 3 %."""
    index = pd.date_range("1960-01-31", periods=n_rows, freq=offset)
    steps = np.random.default_rng(4).normal(0.002, 1.0, (n_rows, 5)) * _VOLATILITY / np.sqrt(periods)
    prices = pd.DataFrame(np.exp(np.cumsum(steps, axis=0)), index=index, columns=list(ASSETS))
    for asset, row in (late or {}).items():
        prices.loc[prices.index[:row], asset] = np.nan
    return Market(prices, 0.03)


def monthly(late: dict[str, int] | None = None) -> Market:
    return world("ME", 150, 12, late)


# 60/40


def test_sixty_forty_holds_sixty_and_forty() -> None:
    backtest = run_backtest(SixtyForty(), monthly())
    assert (backtest.targets["stocks"] == 0.6).all()
    assert (backtest.targets["bonds"] == 0.4).all()
    assert backtest.name == "60/40"
    assert backtest.decided[0] == backtest.market.index[0]
    held = SixtyForty("gold", "bonds", 0.25, name="25/75").weights(monthly())
    assert held == {"gold": 0.25, "bonds": 0.75}


# Risk parity


@pytest.mark.parametrize(
    ("offset", "periods", "rows", "n_rows"),
    [("B", 252, 756, 800), ("W-FRI", 52, 156, 200), ("ME", 12, 36, 60), ("QE", 4, 20, 30), ("YE", 1, 10, 20)],
)
def test_the_window_is_the_same_time_at_every_frequency(
    offset: str, periods: int, rows: int, n_rows: int
) -> None:
    market = world(offset, n_rows, periods)
    backtest = run_backtest(RiskParity(), market, lag=0)
    assert backtest.decided[0] == market.index[rows]
    returns = market.returns[["stocks", "bonds"]]
    for date, target in backtest.targets[["stocks", "bonds"]].iterrows():
        volatility = returns.loc[:date].iloc[-rows:].std()  # two assets: inverse volatility
        np.testing.assert_allclose(target, (1 / volatility) / (1 / volatility).sum(), rtol=1e-10)


def test_three_assets_with_budgets() -> None:
    market, assets, budget = monthly(), ("stocks", "bonds", "gold"), (0.2, 0.5, 0.3)
    backtest = run_backtest(RiskParity(assets, budget, window_years=5.0), market)
    assert backtest.decided[0] == market.index[60]
    for date, target in backtest.targets[list(assets)].iloc[::20].iterrows():
        covariance = market.returns[list(assets)].loc[:date].iloc[-60:].cov().to_numpy()
        np.testing.assert_allclose(target, equal_risk_contribution(covariance, budget), rtol=1e-9)
        risks = target * (covariance @ target)
        np.testing.assert_allclose(risks / risks.sum(), budget, rtol=1e-10)


def test_a_window_too_short_to_say_anything_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"'Risk parity' on 1960-01-31: years: .*ask for 0.833 years"):
        run_backtest(RiskParity(window_years=0.5), monthly())


def test_a_target_volatility_scales_the_same_portfolio() -> None:
    market = monthly()
    plain = RiskParity(window_years=5.0)
    levered = dataclasses.replace(plain, target_volatility=0.08, max_leverage=3.0)
    one, two = (run_backtest(strategy, market, costs=FREE) for strategy in (plain, levered))
    gross = two.targets.sum(axis=1)
    np.testing.assert_allclose(two.targets.div(gross, axis=0), one.targets, rtol=1e-12)
    np.testing.assert_allclose(one.targets.sum(axis=1), 1.0, rtol=1e-14)
    for date, target in two.targets.iloc[::20].iterrows():
        covariance = 12 * market.returns.loc[:date].iloc[-60:].cov()
        assert np.sqrt(target @ covariance @ target) == pytest.approx(0.08, rel=1e-10)
    assert gross.max() > 1.0


def test_leverage_stops_at_the_cap_and_is_financed() -> None:
    """Borrowing at cash + 1 %; the portfolio that borrows at cash alone earns more by what was paid."""
    market = monthly()
    capped = RiskParity(target_volatility=0.5, max_leverage=1.5)
    dear = run_backtest(capped, market, costs=Costs(0.0, 0.01))
    np.testing.assert_allclose(dear.targets.sum(axis=1), 1.5, rtol=1e-14)
    assert (dear.interest < 0.0).all()
    borrowed = -0.5 * dear.value.iloc[0]
    per_month = 1.03 ** (1 / 12) - 1 + 1.01 ** (1 / 12) - 1
    assert dear.interest.iloc[0] == pytest.approx(borrowed * per_month, rel=1e-12)
    cheap = run_backtest(capped, market, costs=FREE)
    assert cheap.value.iloc[-1] > dear.value.iloc[-1]


def test_a_low_target_leaves_cash() -> None:
    backtest = run_backtest(RiskParity(target_volatility=0.01), monthly())
    assert (backtest.weights["cash"] > 0.5).all()
    assert (backtest.interest > 0.0).all()


def test_the_most_leverage_is_not_taken_for_percent() -> None:
    assets = ("stocks", "bonds", "gold", "developed")
    most = RiskParity(assets, target_volatility=0.9, max_leverage=10.0)
    targets = run_backtest(most, monthly(), end="1965", costs=FREE).targets
    np.testing.assert_allclose(targets.sum(axis=1), 10.0, rtol=1e-12)


def test_F082_an_asset_that_does_not_move_has_no_risk_to_share() -> None:
    """A constant return leaves a variance of 1e-34 by rounding, on which all the money would go."""
    market = monthly()
    prices = market.prices.assign(bonds=1.003 ** np.arange(150.0))
    with pytest.raises(StrategyError) as refusal:
        run_backtest(RiskParity(), Market(prices, 0.0))
    for words in (
        "'Risk parity' on 1963-01-31",
        "prices['bonds']",
        "3 years do not vary",
        "leave the asset out",
    ):
        assert words in str(refusal.value)


# Gold and the world


def test_gold_diversified_holds_what_it_says() -> None:
    held = GoldDiversified().weights(monthly())
    assert held == pytest.approx(
        {"stocks": 0.3, "developed": 0.15, "emerging": 0.15, "gold": 0.2, "bonds": 0.2}, abs=1e-15
    )


def test_without_gold_and_without_the_world_it_is_sixty_forty() -> None:
    market = monthly()
    nested = GoldDiversified(global_assets=(), gold_weight=0.0)
    one, two = run_backtest(nested, market), run_backtest(SixtyForty(), market)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-13)
    assert (one.trades["gold"] == 0.0).all()


def test_gold_is_funded_from_bonds_alone() -> None:
    market = monthly()
    with_gold, without = (GoldDiversified(gold_weight=w).weights(market) for w in (0.15, 0.0))
    change = {asset: with_gold[asset] - without[asset] for asset in with_gold}
    expected = dict.fromkeys(ASSETS, 0.0) | {"gold": 0.15, "bonds": -0.15}
    assert change == pytest.approx(expected, abs=1e-15)


def test_assets_of_the_world_join_when_they_list() -> None:
    market = monthly({"developed": 40, "emerging": 100})
    targets = run_backtest(GoldDiversified(), market).targets
    columns = ["stocks", "developed", "emerging", "gold", "bonds"]
    for rows, held in (
        (slice(0, 40), (0.6, 0.0, 0.0, 0.2, 0.2)),
        (slice(40, 100), (0.3, 0.3, 0.0, 0.2, 0.2)),
        (slice(100, 149), (0.3, 0.15, 0.15, 0.2, 0.2)),
    ):
        part = targets.loc[market.index[rows]]
        np.testing.assert_allclose(part[columns], np.tile(held, (len(part), 1)), atol=1e-15)
    assert len(targets) == 149


def test_gold_must_be_listed() -> None:
    market = monthly({"gold": 30})
    assert run_backtest(GoldDiversified(), market).decided[0] == market.index[30]
    with pytest.raises(InsufficientHistoryError, match="start on 1962-08-31 or later"):
        run_backtest(GoldDiversified(), market, start="1961")
    assert GoldDiversified(gold_weight=0.0).weights(market)["gold"] == 0.0
    assert run_backtest(GoldDiversified(gold_weight=0.0), market).decided[0] == market.index[0]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.lists(st.sampled_from(("developed", "emerging")), unique=True),
    st.integers(1, 150),
)
def test_weights_sum_to_one_always(
    growth: float, gold: float, home: float, others: list[str], row: int
) -> None:
    strategy = GoldDiversified(
        global_assets=tuple(others), growth_weight=growth, gold_weight=gold * (1 - growth), home_share=home
    )
    past = LATE.until(LATE.index[row - 1].date())
    held = strategy.weights(past)
    assert sum(held.values()) == pytest.approx(1.0, abs=1e-14)
    assert min(held.values()) >= 0.0
    assert all(past.listed(asset) for asset, weight in held.items() if weight)


LATE = monthly({"developed": 40, "emerging": 100})


@settings(max_examples=25, deadline=None)
@given(market_frames(("monthly",), rows=(30, 80), assets=(2, 4), late=False), st.floats(0.01, 0.3))
def test_risk_parity_weights_sum_to_one_or_less_than_the_cap(prices: pd.DataFrame, target: float) -> None:
    market, assets = Market(prices, 0.0), tuple(prices.columns)
    try:
        once = RiskParity(assets, window_years=1.0).weights(market)
        scaled = RiskParity(assets, window_years=1.0, target_volatility=target, max_leverage=1.5).weights(
            market
        )
    except InputError as refusal:
        assert "do not vary" in str(refusal) or "no equal-risk" in str(refusal)  # noqa: PT017
        return
    assert sum(once.values()) == pytest.approx(1.0, abs=1e-14)
    assert 0.0 < sum(scaled.values()) <= 1.5 + 1e-14


# The family


LIBRARY = (SixtyForty(), RiskParity(), GoldDiversified())


@pytest.mark.parametrize("strategy", LIBRARY, ids=lambda strategy: strategy.name)
def test_strategies_are_frozen_equal_and_hashable(strategy: Any) -> None:
    same, other = dataclasses.replace(strategy), dataclasses.replace(strategy, name="another")
    assert same == strategy != other
    assert len({strategy, same, other}) == 2
    assert eval(repr(strategy), vars(strategies)) == strategy  # the record prints what ran
    with pytest.raises(dataclasses.FrozenInstanceError):
        strategy.name = "changed"


def test_the_default_study_is_three_strategies_and_one_without_gold() -> None:
    study = default_study()
    assert [strategy.name for strategy in study] == ["60/40", "Risk parity", "Gold-diversified", "Global mix"]
    for strategy in study:
        assert (run_backtest(strategy, monthly()).value > 0).all()
    renamed = default_study("SPY", "IEF", "GLD", ["EFA"])
    assert renamed[2] == GoldDiversified("SPY", "IEF", "GLD", ("EFA",))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: SixtyForty(stock_weight=60), "stock_weight: 60 is not between 0 and 1"),
        (lambda: SixtyForty(stock_weight=float("nan")), "stock_weight: nan"),
        (lambda: SixtyForty("stocks", "stocks"), "bonds: 'stocks' is also stocks; name two"),
        (lambda: GoldDiversified(gold_weight=0.5), "gold_weight: 0.5 is more than the reserve sleeve, 0.4"),
        (lambda: GoldDiversified(home_share=-0.1), "home_share: -0.1"),
        (lambda: GoldDiversified(growth_weight=1.1), "growth_weight: 1.1"),
        (lambda: GoldDiversified(global_assets=("stocks",)), "global_assets: .*name each asset once"),
        (lambda: GoldDiversified(global_assets=("reits", "reits")), "global_assets: .*once"),
        (lambda: RiskParity(("stocks",)), "assets: .*two different"),
        (lambda: RiskParity(("stocks", "stocks")), "assets: .*two different"),
        (lambda: RiskParity(budget=(1.0,)), "budget: 1 shares for 2 assets"),
        (lambda: RiskParity(target_volatility=10), "target_volatility: 10; 10 % a year is 0.10"),
        (lambda: RiskParity(max_leverage=0.5), "max_leverage: 0.5"),
    ],
)
def test_parameters_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


def test_an_asset_that_the_market_lacks_is_named() -> None:
    prices = monthly().prices[["stocks", "bonds"]]
    for strategy, missing in ((GoldDiversified(), "developed"), (RiskParity(("stocks", "oil")), "oil")):
        with pytest.raises(StrategyError, match=f"{strategy.name}.*no '{missing}'.*stocks, bonds"):
            run_backtest(strategy, Market(prices, 0.0))
    with pytest.raises(StrategyError, match="names 'bund', which is not there; did you mean 'bonds'"):
        run_backtest(SixtyForty(bonds="bund"), Market(prices, 0.0))


def test_the_next_strategy_is_a_copy_of_one_in_a_few_lines() -> None:
    @final
    @dataclass(frozen=True)
    class Trend(Strategy):
        """Stocks while they are above their mean of the last year, bonds otherwise."""

        stocks: str = "stocks"
        bonds: str = "bonds"
        name: str = "Trend"

        def weights(self, past: Market) -> dict[str, float]:
            returns = past.window((self.stocks,), 1.0)
            rising = float(np.prod(1.0 + returns)) > 1.0
            return {self.stocks if rising else self.bonds: 1.0}

    market = monthly()
    backtest = run_backtest(Trend(), market, rebalancing=Monthly(), start="1962")
    assert set(backtest.targets["stocks"]) == {0.0, 1.0}
    rose = market.prices["stocks"].pct_change(12) > 0.0
    np.testing.assert_array_equal(backtest.targets["stocks"] == 1.0, rose[backtest.decided])


# The reference panel


def reference_market() -> Market:
    path = SHARED / "data" / "monthly_eom_1962.csv"
    if not path.exists():
        pytest.skip("needs ../shared/data/monthly_eom_1962.csv, which is not part of the project")
    returns = pd.read_csv(path, index_col=0, parse_dates=True)
    returns.columns = ["stocks", "bonds", "bills", "gold"]
    levels = (1.0 + returns.drop(columns="bills")).cumprod()
    return Market(levels, returns["bills"].iloc[1:])


@pytest.mark.parametrize(
    ("strategy", "growth", "volatility", "drawdown", "year_2022"),
    [
        (SixtyForty(), 0.0958, 0.102, -0.302, -0.182),
        (GoldDiversified(global_assets=()), 0.1041, 0.106, -0.280, -0.149),
    ],
    ids=["60/40", "60/20/20"],
)
def test_the_reference_panel(
    strategy: Strategy, growth: float, volatility: float, drawdown: float, year_2022: float
) -> None:
    """US equities, ten-year Treasuries and gold by month, September 1971 to June 2026, without costs."""
    backtest = run_backtest(strategy, reference_market(), start="1971-09", end="2026-06", costs=FREE)
    returns, value = backtest.returns, backtest.value
    assert (returns.index[0], returns.index[-1]) == (pd.Timestamp("1971-09-30"), pd.Timestamp("2026-06-30"))
    assert value.iloc[-1] ** (12 / len(returns)) - 1 == pytest.approx(growth, abs=5e-5)
    assert returns.std() * np.sqrt(12) == pytest.approx(volatility, abs=5e-4)
    assert (value / value.cummax() - 1).min() == pytest.approx(drawdown, abs=5e-4)
    assert np.prod(1 + returns["2022"]) - 1 == pytest.approx(year_2022, abs=5e-4)
