"""No strategy of the library sees the future: on yearly to daily data, with late and ended assets."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
import strategies
from allocator import audit_causality
from allocator.engine import FixedMix, Strategy, TargetWeights
from allocator.market import Market

THREE = ("stocks", "bonds", "gold")


class EqualShares:
    """An estimator as scikit-learn has them, whose weights follow the risk of what it is fitted to."""

    def fit(self, X: Any) -> EqualShares:
        inverse = 1.0 / np.asarray(X).std(axis=0)
        self.weights_ = inverse / inverse.sum()
        return self


SOLVED = (strategies.MinimumVariance, strategies.MaximumDiversification, strategies.MeanVariance)


def examples(years: float) -> list[Strategy]:
    """Return one or more of each strategy, with windows of so many years."""
    s = strategies
    sixty = s.SixtyForty()
    parity = s.RiskParity(THREE, window_years=years)
    golden = s.GoldDiversified()
    bounded = (s.Bounds(upper=0.7),)
    tracking = (s.TrackingErrorLimit({"stocks": 0.6, "bonds": 0.4}, at_most=0.05),)
    rising, falling = "inflation rising", "inflation falling"
    by_regime = s.GoldByRegime(al.inflation_trend, {rising: 0.3, falling: 0.1}, otherwise=0.2)
    by_risk = s.GoldByRisk(0.1, window_years=years)
    return [
        FixedMix({"stocks": 0.7, "gold": 0.1}),
        sixty,
        golden,
        s.GoldDiversified(gold_weight=by_risk, name="gold by risk"),
        s.GoldDiversified(gold_weight=by_regime, name="gold by regime"),
        s.EqualWeight(THREE),
        s.PermanentPortfolio(),
        s.AllWeather("bonds", "bonds", commodities="gold"),
        s.GlobalMarketMix(("stocks", "developed"), real_estate="emerging"),
        s.InverseVolatility(THREE, window_years=years),
        parity,
        s.RiskParity(THREE, window_years=years, target_volatility=0.1, name="levered"),
        s.RiskParity((*THREE, "emerging"), window_years=years, late="leave_out", name="leaves out"),
        s.RiskParity(THREE, window_years=years, covariance=s.ExponentialCovariance(), name="exponential"),
        s.RiskParity(THREE, window_years=years, covariance=s.LedoitWolfCovariance(), name="shrunk"),
        s.MinimumVariance(THREE, window_years=years, constraints=bounded),
        s.MaximumDiversification(THREE, window_years=years),
        s.MeanVariance(THREE, window_years=years, constraints=(s.TurnoverLimit(0.1),)),
        s.MeanVariance(THREE, window_years=years, constraints=tracking, name="tracking"),
        s.EstimatorStrategy(EqualShares(), THREE, window_years=years),
        s.VolatilityTarget(sixty, 0.1, window_years=years),
        s.TrendFilter(sixty, s.AboveCash(years)),
        s.TrendFilter(sixty, s.AboveMovingAverage(years), name="moving average"),
        s.Blend((sixty, parity), (0.5, 0.5)),
        s.RegimeSwitch(al.inflation_trend, {rising: golden}, otherwise=sixty),
    ]


def market_of(frequency: str, n_rows: int, *, late: int = 0, gone: int = 0) -> Market:
    """A market with inflation; on request the last asset lists late and the fourth ends early."""
    rng = np.random.default_rng(5)
    assets = [*THREE, "developed", "emerging"]
    index = pd.date_range("2001-01-31", periods=n_rows, freq=frequency)
    spread = {"B": 0.01, "BME": 0.04, "YE": 0.15}[frequency]
    steps = rng.normal(0.05 * spread, spread, (n_rows, 5)) * [1.0, 0.5, 0.9, 1.1, 1.3]
    prices = pd.DataFrame(100.0 * np.exp(steps.cumsum(axis=0)), index=index, columns=assets)
    delisted = {}
    if late:
        prices.loc[prices.index[:late], "emerging"] = np.nan
    if gone:
        prices.loc[prices.index[gone:], "developed"] = np.nan
        delisted["developed"] = 0.4
    months = pd.date_range(index[0] - pd.Timedelta(2000, "D"), index[-1], freq="ME")
    inflation = pd.Series(rng.normal(0.03, 0.02, len(months)), index=months + pd.Timedelta(14, "D"))
    signals = {"inflation": al.Signal(inflation, describes=months)}
    return Market(prices, 0.02, signals, delisted=delisted)


MARKETS = {
    "daily": (market_of("B", 240), 0.25),
    "yearly": (market_of("YE", 24), 12.0),
    "monthly, late and ended": (market_of("BME", 60, late=20, gone=45), 1.0),
}
NAMES = [f"{type(each).__name__}, {each.name}" for each in examples(1.0)]


def test_every_strategy_of_the_library_is_among_the_examples() -> None:
    kinds = {
        kind
        for kind in vars(strategies).values()
        if inspect.isclass(kind) and issubclass(kind, Strategy) and not inspect.isabstract(kind)
    }
    assert kinds <= {type(each) for each in examples(1.0)}


# What is solved takes long and is looked at in two of the markets.
CASES = [
    pytest.param(name, number, id=f"{name}: {NAMES[number]}")
    for name in MARKETS
    for number, strategy in enumerate(examples(1.0))
    if name != "daily" or not isinstance(strategy, SOLVED)
]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_no_strategy_of_the_library_sees_the_future(name: str, number: int) -> None:
    market, years = MARKETS[name]
    strategy = examples(years)[number]
    unlisted, every = ("pro_rata", 8) if "ended" in name else ("error", 4)
    audit = audit_causality(strategy, market, unlisted=unlisted, every=every)
    assert audit.passed, audit
    assert audit.n_decisions >= 3


@pytest.mark.parametrize("policy", ["error", "pro_rata", "cash"])
def test_every_policy_for_what_has_no_price(policy: str) -> None:
    market = market_of("BME", 80, late=30, gone=0 if policy == "error" else 60)
    everything = FixedMix(dict.fromkeys(market.assets, 0.2))
    assert audit_causality(everything, market, unlisted=policy).passed
    rows = market.index[[40, 50, 55]]
    table = TargetWeights(pd.DataFrame(0.2, index=rows, columns=list(market.assets)))
    assert audit_causality(table, market, unlisted=policy).passed


def test_the_history_of_the_library() -> None:
    for strategy in strategies.default_study():
        assert audit_causality(strategy, al.load_us_history(), every=8).passed
