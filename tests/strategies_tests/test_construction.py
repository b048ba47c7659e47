"""What strategies do with their arguments when they are made: copy rows of things, refuse what is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategy_worlds import late_funds, world

import strategies as s
from allocator.engine import FixedMix, Monthly, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from allocator.regimes import inflation_level

MARKET = world()
ASSETS = ("stocks", "bonds", "gold")
LOW, HIGH = "inflation under 3%", "inflation 3% or more"
SIXTY = s.SixtyForty()


class EqualShares:
    """An estimator."""

    def fit(self, X: pd.DataFrame) -> None:
        self.weights_ = np.full(X.shape[1], 1.0 / X.shape[1])


def estimated(**arguments: Any) -> s.EstimatorStrategy:
    return s.EstimatorStrategy(ESTIMATOR, **{"assets": ASSETS, **arguments})


ESTIMATOR = EqualShares()
OPTIMISED = (s.MinimumVariance, s.MaximumDiversification, s.MeanVariance)
OF_RISK: tuple[Callable[..., Any], ...] = (*OPTIMISED, s.RiskParity, s.InverseVolatility)
OF_ASSETS: tuple[Callable[..., Any], ...] = (*OF_RISK, s.EqualWeight, estimated)


def targeted(**arguments: Any) -> s.VolatilityTarget:
    return s.VolatilityTarget(SIXTY, **arguments)


def golden(**arguments: Any) -> s.GoldByRegime:
    return s.GoldByRegime(inflation_level, {LOW: 0.1}, **arguments)


# Rows of things are copied


@pytest.mark.parametrize("kind", OF_ASSETS)
@pytest.mark.parametrize("row", [list, np.array, pd.Index], ids=["list", "array", "Index"])
def test_assets_are_copied(kind: Callable[..., Any], row: Any) -> None:
    given = row(ASSETS)
    strategy = kind(assets=given)
    assert strategy == kind(assets=ASSETS)
    assert hash(strategy) == hash(kind(assets=ASSETS))
    assert repr(strategy) == repr(kind(assets=ASSETS))
    if isinstance(given, list):
        given.append("reits")
    elif isinstance(given, np.ndarray):
        given[0] = "reits"
    assert strategy.assets == ASSETS


CONSTRAINTS = (s.Bounds(upper=0.6),)


@pytest.mark.parametrize(
    ("kind", "argument", "given"),
    [
        (lambda **kw: s.RiskParity(ASSETS, **kw), "budget", (0.2, 0.3, 0.5)),
        (s.GoldDiversified, "global_assets", ("developed", "reits")),
        (s.GlobalMarketMix, "equities", ("stocks", "emerging")),
        (s.GlobalMarketMix, "shares", (0.4, 0.3, 0.2, 0.1)),
        (lambda **kw: s.Blend(shares=(0.5, 0.5), **kw), "strategies", (SIXTY, s.RiskParity())),
        (lambda **kw: s.Blend((SIXTY, s.RiskParity()), **kw), "shares", (0.4, 0.6)),
        *[
            (kind, "constraints", CONSTRAINTS)
            for kind in (*OPTIMISED, lambda **kw: s.RiskParity(ASSETS, **kw))
        ],
        (lambda **kw: s.Group(at_most=0.5, **kw), "assets", ("stocks", "gold")),
    ],
)
def test_other_rows_are_copied(kind: Callable[..., Any], argument: str, given: tuple[Any, ...]) -> None:
    mine = list(given)
    made = kind(**{argument: mine})
    mine.append(mine[0])
    assert getattr(made, argument) == given
    assert made == kind(**{argument: given})
    assert hash(made) == hash(kind(**{argument: given}))
    for bad in (None, 3, "stocks", set(given), iter(given)):
        if (argument, bad) != ("budget", None):
            with pytest.raises(InputError, match=argument if argument != "equities" else "assets"):
                kind(**{argument: bad})


@pytest.mark.parametrize("kind", OF_ASSETS)
@pytest.mark.parametrize(
    "bad",
    [None, 3, "stocks", b"stocks", set(ASSETS), {"stocks": 1.0}, ["stocks", 1], [["stocks"], ["bonds"]]],
)
def test_assets_that_are_none(kind: Callable[..., Any], bad: Any) -> None:
    with pytest.raises(InputError, match=r"^assets: "):
        kind(assets=bad)


def test_a_fixed_mix_is_hashable() -> None:
    one, two = FixedMix({"stocks": 0.6, "bonds": 0.4}), FixedMix({"bonds": 0.4, "stocks": 0.6})
    assert one == two
    assert len({one, two, FixedMix({"stocks": 0.6, "bonds": 0.4}, name="another")}) == 2
    assert hash(s.Blend((one, SIXTY), (0.5, 0.5))) == hash(s.Blend((two, SIXTY), (0.5, 0.5)))


# Numbers within bounds


NUMBERS: list[tuple[Callable[..., Any], str, float]] = [
    (s.SixtyForty, "stock_weight", 0.5),
    (s.RiskParity, "target_volatility", 0.1),
    (s.RiskParity, "max_leverage", 1),
    (s.MeanVariance, "risk_aversion", 3),
    (s.MeanVariance, "least_invested", 0.5),
    (s.MeanVariance, "most_invested", 2),
    (targeted, "target", 0.2),
    (targeted, "max_leverage", 3),
    (s.GoldByRisk, "budget", 0.2),
    (golden, "otherwise", 0.2),
    (s.GoldDiversified, "growth_weight", 0.5),
    (s.GoldDiversified, "gold_weight", 0.1),
    (s.GoldDiversified, "home_share", 1),
    (s.ExponentialCovariance, "volatility_half_life_years", 0.5),
    (s.ExponentialCovariance, "correlation_half_life_years", 0.5),
    (s.TurnoverLimit, "at_most", 2),
    (lambda **kw: s.TrackingErrorLimit({"stocks": 1.0}, **kw), "at_most", 0.02),
    (s.AboveMovingAverage, "years", 1),
    (s.AboveCash, "years", 1),
    *[(kind, "window_years", 2) for kind in (*OF_RISK, estimated, targeted, s.GoldByRisk)],
]
OPTIONAL = {"target_volatility", "otherwise", "window_years"}
INVESTED = {"most_invested": "least_invested"}  # both are named in one message


@pytest.mark.parametrize(("kind", "argument", "good"), NUMBERS)
def test_numbers_that_are_none(kind: Callable[..., Any], argument: str, good: float) -> None:
    nothing = () if argument in OPTIONAL else (None,)
    for bad in (*nothing, "ten", "0.5", float("nan"), float("inf"), -0.5, True, np.True_, (good,), 1j):
        with pytest.raises(InputError, match=f"{INVESTED.get(argument, argument)}: ") as refusal:
            kind(**{argument: bad})
        assert repr(bad) in str(refusal.value)


@pytest.mark.parametrize("bad", [None, "ten", "0.5", float("nan"), float("inf"), True, np.True_, (0.5,), 1j])
def test_limits_that_are_no_numbers(bad: Any) -> None:
    for side in ("lower", "upper"):
        for given in (bad, {"gold": bad}):
            with pytest.raises(InputError, match=rf"^Bounds\.{side}.* is (not a number|nan|inf)"):
                s.Bounds(**{side: given})
    for given in () if bad is None else (bad,):
        with pytest.raises(InputError, match=r"^Group\.at_most: .*is (not a number|nan|inf)"):
            s.Group(("gold",), at_most=given)


@pytest.mark.parametrize(("kind", "argument", "good"), NUMBERS)
def test_numbers_of_numpy_are_numbers(kind: Callable[..., Any], argument: str, good: float) -> None:
    expected = kind(**{argument: good})
    assert kind(**{argument: np.float64(good)}) == expected
    if isinstance(good, int):
        assert kind(**{argument: np.int64(good)}) == expected


@pytest.mark.parametrize("kind", [*OF_RISK, targeted, s.GoldByRisk])
@pytest.mark.parametrize("bad", [None, s.SampleCovariance, "sample"])
def test_what_is_no_estimator(kind: Callable[..., Any], bad: Any) -> None:
    with pytest.raises(InputError, match=r"covariance: .*; pass SampleCovariance\(\), with parentheses"):
        kind(covariance=bad)


@pytest.mark.parametrize("kind", [*OF_RISK, estimated, targeted, s.GoldByRisk])
def test_a_window_without_length(kind: Callable[..., Any]) -> None:
    for bad in (0, 0.0, -1.0, float("inf"), pd.Timedelta(days=365)):
        with pytest.raises(InputError, match=r"window_years: .* is not a positive span of time"):
            kind(window_years=bad)


@pytest.mark.parametrize("rule", [s.AboveMovingAverage, s.AboveCash])
def test_a_trend_without_length(rule: Callable[..., Any]) -> None:
    for bad in (0, -1.0, None):
        with pytest.raises(InputError, match=r"^years: .* is not a positive span of time"):
            rule(bad)


def test_what_a_trend_filter_holds_instead() -> None:
    for bad in (("bonds",), 0, True):
        with pytest.raises(InputError, match=r"instead: .*; name one asset, or None for cash"):
            s.TrendFilter(SIXTY, instead=bad)  # type: ignore[arg-type]


# Budgets


@pytest.mark.parametrize("by_name", [pd.Series, dict], ids=["Series", "mapping"])
def test_a_budget_by_name_is_put_in_the_order_of_the_assets(by_name: Any) -> None:
    named = s.RiskParity(ASSETS, by_name({"gold": 0.5, "stocks": 0.2, "bonds": 0.3}))
    assert named == s.RiskParity(ASSETS, (0.2, 0.3, 0.5))
    assert hash(named) == hash(dataclasses.replace(named))
    assert eval(repr(named), vars(s)) == named


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ((0.5, 0.3, 0.1), "budget: sums to 0.9, expected 1; divide by the sum"),
        ((1, 1, 2), "budget: sums to 4, expected 1"),
        ((0.5, 0.5, 0.0), r"budget\['gold'\]: is 0; each share of the risk is positive"),
        ((1.5, -0.3, -0.2), r"budget\['bonds'\]: is -0.3"),
        ((0.5, float("nan"), 0.5), r"budget\['bonds'\]: is nan"),
        ((0.5, float("inf"), 0.5), r"budget\['bonds'\]: is inf"),
        ((0.5, "0.3", 0.2), r"budget\['bonds'\]: '0.3' is not a number"),
        ((True, 0.3, 0.2), r"budget\['stocks'\]: True is not a number"),
        ((0.5, 0.5), "budget: 2 shares for 3 assets"),
        ("equal", "budget: 'equal'"),
        (0.5, "budget: 0.5; pass a share an asset"),
        ({"stocks": 0.5, "bonds": 0.5}, r"budget\['gold'\]: is missing; give one for every asset"),
        ({"stocks": 0.5, "bonds": 0.3, "golds": 0.2}, r"budget\['golds'\]: .*did you mean 'gold'"),
        (pd.Series([0.2, 0.3, 0.5]), r"budget\[0\]: is not one of the assets"),
    ],
)
def test_F084_budgets_that_are_none(budget: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        s.RiskParity(ASSETS, budget)


def test_a_budget_keeps_its_proportions_where_assets_are_left_out() -> None:
    market = late_funds()
    past = market.until("2000-01-31")
    three = s.RiskParity(("SPY", "VUSTX", "GLD"), (0.3, 0.1, 0.6), late="leave_out")
    two = s.RiskParity(("SPY", "VUSTX"), (0.75, 0.25))
    assert three.weights(past) == pytest.approx(two.weights(past), rel=1e-12)


# Limits that the assets with a window cannot meet


FUNDS = ("SPY", "VUSTX", "TLT", "GLD")
LIMITED: tuple[Callable[..., Any], ...] = (*OPTIMISED, s.RiskParity)


@pytest.mark.parametrize("kind", LIMITED)
def test_a_run_waits_for_assets_that_the_limits_need(kind: Callable[..., Any]) -> None:
    """At most 40 % each needs a third fund, TLT, of which a full window is there in 2005."""
    market = late_funds()
    strategy = kind(FUNDS, late="leave_out", constraints=(s.Bounds(upper=0.4),))
    backtest = run_backtest(strategy, market, rebalancing=Monthly(), end="2008")
    third = int(market.listed_from[market.assets.index("TLT")]) + 756
    assert backtest.decided[0] == market.index[third]
    assert backtest.targets["GLD"].iloc[0] == 0.0 < backtest.targets["TLT"].iloc[0]
    words = r"^constraints on 2000-01-31: only 2 of 4 assets have a full window; no portfolio "
    with pytest.raises(InsufficientHistoryError, match=words + ".*relax .*; start later, or use late='wait'"):
        strategy.weights(market.until("2000-01-31"))
    with pytest.raises(InsufficientHistoryError, match=r"2000 is too early: .*start on 2005-"):
        run_backtest(strategy, market, start="2000", end="2008")


@pytest.mark.parametrize("kind", LIMITED)
def test_where_none_is_to_come_the_solver_says_how_many_are_left(kind: Callable[..., Any]) -> None:
    prices = MARKET.prices
    prices.loc[prices.index[60:], "gold"] = np.nan
    market = Market(prices, 0.02, delisted={"gold": 1.0})
    strategy = kind(ASSETS, late="leave_out", constraints=(s.Bounds(upper=0.4),))
    words = r"relax .*upper\[.*; only 2 of 3 assets have a full window"
    with pytest.raises(StrategyError, match=words):
        run_backtest(strategy, market, rebalancing=Monthly())


@pytest.mark.parametrize("kind", LIMITED)
def test_limits_that_nobody_meets_are_not_waited_for(kind: Callable[..., Any]) -> None:
    pairs = (s.Group(("SPY", "VUSTX"), at_most=0.3), s.Group(("TLT", "GLD"), at_most=0.3))
    strategy = kind(FUNDS, late="leave_out", constraints=pairs)
    with pytest.raises(StrategyError, match=r"infeasible.*relax Group"):
        run_backtest(strategy, late_funds(), rebalancing=Monthly())
