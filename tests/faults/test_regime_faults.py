"""Faults of labels and of statistics by label: F147 to F161 of the catalogue, at every door."""

from __future__ import annotations

import inspect
from functools import partial

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import FixedMix
from allocator.errors import InputError, StrategyError
from strategies import RegimeSwitch

MONTHS = pd.date_range("2000-01-31", periods=120, freq="ME")
MIX = FixedMix({"stocks": 1.0})


def returns(seed: int = 0) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(0.01, 0.03, 120), index=MONTHS, name=f"r{seed}")


def halves(first: int = 60) -> pd.Series:
    return pd.Series(np.where(np.arange(120) < first, "calm", "wild"), index=MONTHS)


def raw() -> pd.Series:
    return pd.Series(np.random.default_rng(1).normal(0.03, 0.01, 120), index=MONTHS, name="cpi")


def market(signal: bool = True) -> al.Market:
    steps = np.random.default_rng(2).normal(0.005, 0.03, (120, 2))
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=MONTHS, columns=["stocks", "bonds"])
    return al.Market(prices, 0.0, {"cpi": al.published(raw(), 15)} if signal else None)


BY_LABEL = {
    "correlation": lambda labels: al.conditional_correlation(returns(0), returns(1), labels, n_resamples=9),
    "performance": lambda labels: al.conditional_performance(
        returns(0), 0.0 * returns(1), labels, 12, n_resamples=9
    ),
    "statistic": lambda labels: al.conditional_statistic(returns(0), labels, np.mean, n_resamples=9),
}


@pytest.mark.parametrize("door", BY_LABEL)
def test_F147_labels_of_other_dates_than_returns(door):
    with pytest.raises(InputError, match=r"regimes on 2009-12-31: no label for 1 of 120 dates; label every"):
        BY_LABEL[door](halves().iloc[:-1])
    with pytest.raises(InputError, match=r"regimes on 2000-01-31: no label for 110 of 120 dates"):
        BY_LABEL[door](halves().iloc[11::12])


def test_F148_a_lag_is_required_wherever_a_series_becomes_a_regime():
    for function in (al.published, al.given_labels, al.DebtRegimes.known):
        lag = inspect.signature(function).parameters["publication_lag"]
        assert lag.default is inspect.Parameter.empty
    rules = (
        lambda series: al.signal_level(market(), series, 0.03),
        lambda series: al.signal_quantile(market(), series),
        lambda series: al.relative_volatility(market(), series, "cpi"),
        lambda series: al.markov_regimes(market(), series, refit_every=60),
    )
    for rule in rules:
        with pytest.raises(InputError, match=r"got Series; .*published\(series, publication_lag=days\)"):
            rule(raw())


@pytest.mark.parametrize("lag", [-1, 1.5, True, None, "30", 10**6])
def test_F148_a_lag_that_is_none(lag):
    with pytest.raises(InputError, match=r"publication_lag: .* whole number of days .*pass the days from"):
        al.published(raw(), lag)


def test_F149_a_quantile_expands_unless_asked_and_says_what_it_is():
    assert inspect.signature(al.signal_quantile).parameters["ex_post"].default is False
    then, after = al.signal_quantile(market(), "cpi"), al.signal_quantile(market(), "cpi", ex_post=True)
    assert "published by then" in then.rule
    assert not then.ex_post
    assert after.rule.startswith("in-sample quantile 50%: of the whole sample, which was not known then")
    assert all("in-sample" in label for label in after.order if label != "unclassified")


@pytest.mark.parametrize("door", BY_LABEL)
def test_F150_a_short_regime_is_counted_and_not_estimated(door):
    result = BY_LABEL[door](halves(109))
    row = result.table.xs("wild", level=-1).iloc[0] if door != "correlation" else result.table.loc["wild"]
    assert row["n"] == 11
    assert np.isnan(row[result.statistic])
    assert row["reason"] == "n=11, at least 12 are needed"
    assert result.table["n"].sum() == 120


@pytest.mark.parametrize("door", BY_LABEL)
def test_F151_one_regime_is_named(door):
    with pytest.raises(InputError, match="regimes: only one regime in these dates: 'calm'; choose a longer"):
        BY_LABEL[door](halves(120))


@pytest.mark.parametrize("door", BY_LABEL)
def test_F152_missing_labels_are_a_bucket_of_their_own(door):
    labels = halves().where(np.arange(120) >= 20)
    table = BY_LABEL[door](labels).table
    counts = table["n"] if door == "correlation" else table["n"].droplevel(0)
    assert counts.to_dict() == {"calm": 40, "wild": 60, "unclassified": 20}


def test_F155_a_correlation_of_one_has_an_interval_without_width_and_says_why():
    result = al.correlation_interval(returns(0), 2.0 * returns(0), n_resamples=9)
    assert (result.correlation, result.low, result.high) == (1.0, 1.0, 1.0)
    assert "multiple of the other" in repr(result)


def test_F156_a_window_longer_than_the_sample():
    with pytest.raises(InputError, match=r"window|rows|years"):
        al.rolling_correlation(returns(0), returns(1), 30.0)


def test_F160_a_fit_says_how_it_ended_and_numbers_its_regimes():
    calm, wild = np.random.default_rng(3).normal(0.0, (0.01, 0.05), (60, 2)).T
    series = pd.Series(np.concatenate([wild, calm]), index=MONTHS)
    fit = al.fit_markov(series, n_starts=1, seed=7)
    assert fit.status == "converged from the best of 2 starts, seed 7"
    assert fit.variances[0] < fit.variances[1]
    assert fit.smoothed[1].iloc[:50].mean() > 0.8  # the second regime is the one that varies more


HINDSIGHT = {
    "quantile": partial(al.signal_quantile, signal="cpi", ex_post=True),
    "level": partial(al.signal_level, signal="cpi", thresholds=0.03, ex_post=True),
    "labels": partial(al.given_labels, labels=halves(), publication_lag=0, ex_post=True),
    "eras": lambda past: al.eras(past.index[1:]),
    "markov": partial(al.markov_regimes, refit_every=60, fewest=60, n_starts=0, ex_post=True),
}


@pytest.mark.parametrize("rule", HINDSIGHT)
def test_F161_what_was_known_later_never_reaches_a_strategy(rule):
    switch = RegimeSwitch(HINDSIGHT[rule], {"any": MIX}, otherwise=MIX)
    with pytest.raises(StrategyError, match="ex post"):
        al.run_backtest(switch, market())
