"""Rules of signals, trends and labels of one's own: what was known when a period began, and nothing else."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regime_worlds import (
    dates,
    figures,
    macro_market,
    published_series,
    rewritten_after,
    said_then,
    walk,
)

from allocator.engine import Costs, FixedMix, run_backtest
from allocator.errors import InputError, StrategyError
from allocator.market import Market, Signal, load_us_history, simulate_market
from allocator.regimes import (
    conditional_correlation,
    given_labels,
    inflation_level,
    price_trend,
    published,
    relative_volatility,
    signal_level,
    signal_quantile,
)
from allocator.regimes.record import UNCLASSIFIED
from strategies import AboveMovingAverage, RegimeSwitch

few = settings(deadline=None, max_examples=15)


def states(index: pd.DatetimeIndex, seed: int = 3) -> pd.Series:
    months = pd.date_range(index[0] - pd.DateOffset(months=2), index[-1] + pd.DateOffset(months=1), freq="ME")
    return pd.Series(np.random.default_rng(seed).choice(["boom", "bust"], len(months)), months, name="cycle")


RULES = {
    "level": partial(signal_level, signal="inflation", thresholds=0.03),
    "levels": partial(signal_level, signal="growth", thresholds=(0.02, 0.03, 0.04)),
    "quantile": partial(signal_quantile, signal="inflation", quantiles=(1 / 3, 2 / 3)),
    "volatility": partial(relative_volatility, years=3.0, ratio=1.8),
    "trend": partial(price_trend, asset="bonds"),
    "trend of a year": partial(price_trend, asset="stocks", years=1.0),
}


# --- only what was known ---


@pytest.mark.parametrize("rule", RULES)
@few
@given(st.sampled_from(["daily", "monthly"]), st.integers(0, 2**16), st.data())
def test_rewriting_the_future_leaves_the_labels_up_to_it(rule, spacing, seed, data):
    market = macro_market(dates(400 if spacing == "daily" else 90, spacing), seed)
    row = data.draw(st.integers(2, len(market.index) - 1), label="last row kept")
    before, after = RULES[rule](market), RULES[rule](rewritten_after(market, row))
    assert not before.ex_post
    # The period that ends on the row after began at the last that is kept.
    pd.testing.assert_series_equal(before.labels.iloc[: row + 1], after.labels.iloc[: row + 1])


@pytest.mark.parametrize("rule", RULES)
@few
@given(st.sampled_from(["daily", "monthly"]), st.integers(0, 2**16), st.data())
def test_what_is_said_of_the_next_period_is_its_label(rule, spacing, seed, data):
    market = macro_market(dates(400 if spacing == "daily" else 90, spacing), seed)
    rows = data.draw(st.lists(st.integers(1, len(market.index) - 2), min_size=4, max_size=4), label="rows")
    assert said_then(RULES[rule], market, rows) == RULES[rule](market).labels.iloc[rows].tolist()


@pytest.mark.parametrize("rule", RULES)
def test_the_properties_above_are_not_empty(rule):
    labels = RULES[rule](macro_market(dates(150))).labels
    assert len(set(labels) - {UNCLASSIFIED}) >= 2


@few
@given(st.integers(0, 2**16), st.integers(0, 90), st.data())
def test_labels_of_ones_own_are_known_after_their_lag(seed, lag, data):
    market, labels = macro_market(dates(60), seed), states(dates(60), seed)
    rule = partial(given_labels, labels=labels, publication_lag=lag)
    row = data.draw(st.integers(1, 58))
    began = market.index[row]
    known = labels[labels.index + pd.Timedelta(days=lag) <= began]
    expected = known.iloc[-1] if len(known) else UNCLASSIFIED
    assert rule(market).labels.iloc[row] == expected
    assert said_then(rule, market, [row]) == [expected]
    later = labels.copy()
    later[labels.index + pd.Timedelta(days=lag) > began] = "bust"
    assert given_labels(market, later, lag).labels.iloc[row] == expected


# --- the level ---


def test_a_level_of_inflation_is_the_inflation_level():
    history = load_us_history()
    mine, theirs = signal_level(history, "inflation", 0.03).labels, inflation_level(history).labels
    assert (mine == "inflation 0.03 or more").equals(theirs == "inflation 3% or more")


def test_F153_a_figure_at_a_threshold_is_above_it():
    """F153."""
    known = published_series({"2000-01-10": 0.01, "2000-02-10": 0.02, "2000-03-10": 0.0199})
    regimes = signal_level(Market(walk(dates(5)), 0.0, {"x": known}), "x", (0.01, 0.02))
    assert regimes.labels.tolist() == ["x 0.01 to 0.02", "x 0.02 or more", "x 0.01 to 0.02", "x 0.01 to 0.02"]
    assert regimes.order == ("x 0.01 to 0.02", "x 0.02 or more")
    assert regimes.rule == "thresholds 0.01, 0.02; known when the period began"
    assert regimes.name == "X level"


def test_a_level_in_hindsight_is_of_the_period_itself():
    raw = published_series({"2000-01-31": 1.0, "2000-02-29": 3.0, "2000-03-31": 1.0, "2000-04-30": 3.0})
    market = Market(walk(dates(4)), 0.0, {"x": published(raw, 20)})
    after = signal_level(market, "x", 2.0, ex_post=True)
    assert after.labels.tolist() == [
        f"x {side}, same period" for side in ("2 or more", "under 2", "2 or more")
    ]
    assert (after.ex_post, after.next_label) == (True, None)
    assert "published after it" in after.rule
    assert signal_level(market, "x", 2.0).labels.tolist() == ["unclassified", "x under 2", "x 2 or more"]


def test_F148_a_raw_series_needs_its_lag():
    """F148."""
    index = dates(6)
    raw = pd.Series([1.0, 3.0, 1.0, 3.0, 1.0, 3.0], index=index, name="cpi")
    market = Market(walk(index), 0.0)
    with pytest.raises(InputError, match=r"expected the name of a signal or a Signal, got Series; .*publ"):
        signal_level(market, raw, 2.0)
    at_once, late = (signal_level(market, published(raw, lag), 2.0).labels for lag in (0, 40))
    low, high = "cpi under 2", "cpi 2 or more"
    assert at_once.tolist() == [low, high, low, high, low]
    assert late.tolist() == [UNCLASSIFIED, UNCLASSIFIED, low, high, low]  # 10 March, 9 April, ...


def test_a_signal_passed_by_hand_is_read_as_far_as_it_was_known():
    index = dates(60)
    market, signal = macro_market(index), figures(index, "monthly", 9)
    rule = partial(signal_quantile, signal=signal, fewest=12)
    rows = list(range(1, 59, 7))
    assert said_then(rule, market, rows) == rule(market).labels.iloc[rows].tolist()
    past = market.until(index[20].date())
    cut = signal_level(past, signal, 0.03, ex_post=True).labels
    assert cut.iloc[-1] == UNCLASSIFIED  # its figure came later


# --- the quantile ---


def slow_quantile(signal: Signal, began: pd.Timestamp, share: float, fewest: int) -> str:
    known = signal.values[signal.values.index <= began]
    if len(known) < fewest:
        return UNCLASSIFIED
    above = known.iloc[-1] >= np.quantile(known, share)
    side = "at or above" if above else "under"
    return f"inflation {side} its {share * 100:.3g}% quantile"


@pytest.mark.parametrize(("share", "fewest"), [(0.5, 24), (0.8, 55)])
def test_the_quantile_agrees_with_a_slow_loop(share, fewest):
    market = macro_market(dates(90), 5)
    labels = signal_quantile(market, "inflation", share, fewest=fewest).labels
    signal = market.signal("inflation")
    assert labels.tolist() == [slow_quantile(signal, began, share, fewest) for began in market.index[:-1]]
    assert ((labels == UNCLASSIFIED).sum() > 0) == (fewest == 55)


def test_F149_a_quantile_of_the_whole_sample_says_that_it_is():
    """F149: a rising signal is low at first only to those who know how it goes on."""
    index = dates(60)
    rising = pd.Series(np.linspace(0.0, 1.0, 60), index=index)
    market = Market(walk(index), 0.0, {"debt": rising})
    then, after = signal_quantile(market, "debt", fewest=2), signal_quantile(market, "debt", ex_post=True)
    assert "debt under its 50% quantile" not in then.order
    assert (after.labels == "debt under its 50% quantile, in-sample").sum() == 30
    assert (after.ex_post, after.next_label) == (True, None)
    assert after.rule.startswith("in-sample quantile 50%: of the whole sample, which was not known then")


def test_a_backtest_refuses_what_the_whole_sample_says():
    market = macro_market(dates(60))
    mix = FixedMix({"stocks": 1.0})
    rule = partial(signal_quantile, signal="inflation", ex_post=True)
    with pytest.raises(StrategyError, match="ex post: in-sample"):
        run_backtest(RegimeSwitch(rule, {"any": mix}, otherwise=mix), market)


# --- relative volatility ---


def slow_volatility(signal: Signal, began: pd.Timestamp, years: float) -> float:
    known = signal.values[signal.values.index <= began]
    slack, span = pd.Timedelta(days=15), pd.Timedelta(days=years * 365.25)
    if not len(known) or known.index[0] > known.index[-1] - span + slack:
        return np.nan
    window = known[known.index >= known.index[-1] - span - slack]
    if len(window) < 9:
        return np.nan
    length = (window.index[-1] - window.index[0]).days / 365.25
    return window.diff().dropna().std() * np.sqrt((len(window) - 1) / length)


@pytest.mark.parametrize("ratio", [1.6, 1.9])
def test_relative_volatility_agrees_with_a_slow_loop(ratio):
    market = macro_market(dates(120), 4)
    labels = relative_volatility(market, years=3.0, ratio=ratio).labels
    times = f"{ratio} × "
    expected = []
    for began in market.index[:-1]:
        x, y = (slow_volatility(market.signal(name), began, 3.0) for name in ("inflation", "growth"))
        more = f"inflation at least as volatile as {times}growth"
        expected.append(more if x >= ratio * y else f"inflation less volatile than {times}growth")
        assert np.isfinite([x, y]).all()
    assert labels.tolist() == expected
    assert len(set(labels)) == 2


def test_the_unit_of_time_does_not_matter():
    """A random walk read monthly and quarterly has one volatility a year: each dominates about as often."""
    months = pd.date_range("1900-01-31", periods=1200, freq="ME")
    shares = []
    for seed in range(6):
        steps = np.random.default_rng(seed).normal(0.0, 0.01, (1200, 2)).cumsum(axis=0)
        x = Signal(pd.Series(steps[:, 0], index=months))
        y = Signal(pd.Series(steps[2::3, 1], index=months[2::3]))
        market = Market(walk(months), 0.0, {"inflation": x, "growth": y})
        labels = relative_volatility(market, years=10.0).labels
        shares.append((labels == "inflation at least as volatile as growth").sum() / 1080)
    assert 0.3 < np.mean(shares) < 0.7


def test_F154_signals_that_stand_still_say_nothing():
    """F154."""
    index = dates(120)
    still = pd.Series(0.02, index=index)
    moving = pd.Series(np.where(np.arange(120) % 2, 0.01, 0.03), index=index)
    labels = relative_volatility(Market(walk(index), 0.0, {"inflation": still, "growth": still}), years=3.0)
    assert set(labels.labels) == {UNCLASSIFIED}
    one = relative_volatility(Market(walk(index), 0.0, {"inflation": still, "growth": moving}), years=3.0)
    assert one.order == ("inflation less volatile than growth", UNCLASSIFIED)


def test_relative_volatility_of_the_simulated_regimes():
    market = simulate_market(seed=1)
    regimes = relative_volatility(market, years=3.0)
    assert len(regimes.order) == 3
    assert regimes.next_label in regimes.order
    table = conditional_correlation(
        market.returns["stocks"], market.returns["bonds"], regimes, n_resamples=50
    )
    assert table.table["n"].sum() == len(market.index) - 1


# --- the trend of a price ---


def slow_trend(market: Market, asset: str, rows: int) -> list[str]:
    prices = market.prices[asset]
    names = {True: f"{asset} above its trailing mean", False: f"{asset} not above its trailing mean"}
    labels = []
    for end in range(1, len(prices)):
        window = prices.iloc[max(end - rows, 0) : end].dropna()
        known = len(window) == rows
        labels.append(names[window.iloc[-1] > window.mean() * (1 + 1e-12)] if known else UNCLASSIFIED)
    return labels


@pytest.mark.parametrize(("spacing", "rows"), [("daily", 210), ("weekly", 43), ("yearly", 10)])
def test_the_trend_agrees_with_a_slow_loop(spacing, rows):
    market = Market(walk(dates(rows + 90, spacing, "1950-01-01"), 8), 0.0)
    regimes = price_trend(market)
    assert regimes.labels.tolist() == slow_trend(market, "stocks", rows)
    assert (regimes.labels == UNCLASSIFIED).sum() == rows - 1


def test_an_asset_listed_late_and_delisted_has_a_trend_between():
    prices = walk(dates(120))
    prices.iloc[:30, 1] = np.nan
    prices.iloc[80:, 1] = np.nan
    market = Market(prices, 0.0, delisted={"bonds": 0.5})
    labels = price_trend(market, "bonds").labels
    expected = slow_trend(market, "bonds", 10)
    assert labels.iloc[:80].tolist() == expected[:80]
    assert (labels != UNCLASSIFIED).sum() == 41  # from the tenth price to the period of the delisting
    assert (labels.iloc[80:] == UNCLASSIFIED).all()


def test_the_trend_is_that_of_the_overlay():
    market = Market(walk(dates(80), 2), 0.0)
    labels = price_trend(market).labels
    for row in range(11, 79):
        up = AboveMovingAverage().is_up(market.until(market.index[row].date()), "stocks")
        assert (labels.iloc[row] == "stocks above its trailing mean") == up


def test_a_price_that_never_changes_is_not_above_its_mean():
    prices = walk(dates(40))
    prices["bonds"] = 3.3
    assert "bonds above its trailing mean" not in price_trend(Market(prices, 0.0), "bonds").order


# --- labels of one's own ---


def test_F152_a_missing_label_is_unclassified():
    """F152."""
    index = dates(4)
    labels = pd.Series(["a", None, "b", "a"], index=index, dtype=object)
    regimes = given_labels(Market(walk(index), 0.0), labels, 0)
    assert regimes.labels.tolist() == ["a", UNCLASSIFIED, "b"]
    assert regimes.order == ("a", "b", UNCLASSIFIED)
    assert regimes.next_label == "a"


def test_labels_of_another_frequency_hold_until_the_next():
    labels = pd.Series(["a", "b", "c"], index=dates(3, "yearly", "1999-01-01"), name="year")
    market = Market(walk(dates(30)), 0.0)
    known = given_labels(market, labels, 45).labels
    assert known.index[13:15].tolist() == [pd.Timestamp("2001-03-31"), pd.Timestamp("2001-04-30")]
    # 1999 is known on 14 February 2000, 2000 on 14 February and 2001 never, in these months.
    assert known.tolist() == [UNCLASSIFIED] + ["a"] * 12 + ["b"] * 12 + ["c"] * 4


def test_labels_in_hindsight_are_of_the_period_itself():
    index = dates(5)
    labels = pd.Series(list("ababa"), index=index)
    regimes = given_labels(Market(walk(index), 0.0), labels, 30, ex_post=True)
    assert regimes.labels.tolist() == list("baba")
    assert (regimes.ex_post, regimes.next_label) == (True, None)
    assert "known after it" in regimes.rule


def test_F147_labels_that_end_before_the_market():
    """F147: the first period without one is named."""
    index = dates(12)
    market = Market(walk(index), 0.0)
    labels = pd.Series(list("ab" * 4), index=index[:8])
    with pytest.raises(InputError, match=r"labels on 2000-10-31: the last is of 2000-08-31: none for 2 of"):
        given_labels(market, labels, 0)
    with pytest.raises(InputError, match=r"labels on 2000-09-30: .* none for 4 of 11"):
        given_labels(market, labels, 0, ex_post=True)
    fits = market.until("2000-10")
    assert given_labels(fits, labels, 0).next_label == UNCLASSIFIED  # a month without a new one


def test_a_switch_trades_on_labels_of_ones_own():
    market = macro_market(dates(60))
    rule = partial(given_labels, labels=states(dates(60)), publication_lag=20)
    one, other = FixedMix({"stocks": 1.0}), FixedMix({"bonds": 1.0})
    result = run_backtest(RegimeSwitch(rule, {"boom": one, "bust": other}), market, costs=Costs(0.0))
    labels, returns = rule(market).labels.loc[result.returns.index], market.returns.loc[result.returns.index]
    held = returns["stocks"].where(labels == "boom", returns["bonds"])
    pd.testing.assert_series_equal(result.returns, held, check_names=False)


# --- refusals ---


@pytest.mark.parametrize("lag", [-1, 1.5, None, "30", True])
def test_a_lag_that_is_none(lag):
    raw = pd.Series([1.0, 2.0], index=dates(2))
    with pytest.raises(InputError, match=r"publication_lag: .* no whole number of days"):
        published(raw, lag)
    with pytest.raises(InputError, match=r"publication_lag: .* no whole number of days"):
        given_labels(Market(walk(dates(9)), 0.0), states(dates(9)), lag)


def test_a_lag_is_required():
    with pytest.raises(TypeError, match="publication_lag"):
        published(pd.Series([1.0], index=dates(1)))
    with pytest.raises(TypeError, match="publication_lag"):
        given_labels(Market(walk(dates(9)), 0.0), states(dates(9)))


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["a", "b"], "expected a Series of texts, got list"),
        (pd.Series(["a"], index=dates(1)), "1 labels, at least two"),
        (pd.Series(["a", "b"]), "labels"),
    ],
)
def test_labels_that_are_none(labels, problem):
    with pytest.raises(InputError, match=problem):
        given_labels(Market(walk(dates(9)), 0.0), labels, 0)


@pytest.mark.parametrize("thresholds", [(), (0.03, 0.02), (0.02, 0.02), np.nan, "3 %", (0.1, np.inf)])
def test_thresholds_that_do_not_increase(thresholds):
    with pytest.raises(InputError, match="thresholds"):
        signal_level(macro_market(dates(20)), "inflation", thresholds)


@pytest.mark.parametrize("quantiles", [0.0, 1.0, 50, (0.5, 0.2), -0.1])
def test_quantiles_that_are_none(quantiles):
    with pytest.raises(InputError, match="quantiles"):
        signal_quantile(macro_market(dates(20)), "inflation", quantiles)


def test_figures_too_few_for_a_quantile():
    with pytest.raises(InputError, match="'growth' has 22 figures, and 40 are asked for"):
        signal_quantile(macro_market(dates(20)), "growth", fewest=40)
    with pytest.raises(InputError, match="fewest: is 1, expected 2 to"):
        signal_quantile(macro_market(dates(20)), "growth", fewest=1)


def test_F156_a_window_longer_than_a_signal():
    """F156."""
    with pytest.raises(InputError, match=r"'inflation' has \d+ figures of 5.5 years; a window of 10 years"):
        relative_volatility(macro_market(dates(20)))


@pytest.mark.parametrize("options", [{"years": 0.0}, {"years": np.nan}, {"ratio": 0.0}, {"ratio": np.inf}])
def test_a_span_or_ratio_that_is_none(options):
    with pytest.raises(InputError, match=next(iter(options))):
        relative_volatility(macro_market(dates(20)), **options)


def test_what_the_market_does_not_have():
    market = macro_market(dates(20))
    for rule in (partial(signal_level, thresholds=1.0), signal_quantile):
        with pytest.raises(InputError, match="no 'debt'; it has: inflation, growth"):
            rule(market, "debt")
    with pytest.raises(InputError, match="no 'debt'"):
        relative_volatility(market, "debt")
    with pytest.raises(InputError, match="no 'gold'; it has: stocks, bonds"):
        price_trend(market, "gold")
    with pytest.raises(InputError, match="at least 10"):
        price_trend(market, "stocks", 0.5)
    with pytest.raises(InputError, match="describes=dates"):
        signal_level(market, Signal(market.signal("growth").values), 0.02, ex_post=True)
