"""Markov switching: the published estimates, and labels that the future cannot change."""

from __future__ import annotations

import builtins
import json
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from regime_worlds import dates, published_series, rewritten_after, said_then

from allocator.engine import Costs, FixedMix, run_backtest
from allocator.errors import InputError, SolverError, StrategyError
from allocator.market import Market
from allocator.regimes import MarkovModel, fit_markov, markov, markov_regimes, published
from allocator.regimes.record import UNCLASSIFIED
from strategies import RegimeSwitch

pytest.importorskip("statsmodels", reason="the extra [regimes] is not installed")

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="needs cases that are not part of the project")
CALM, WILD = "stocks: lower variance", "stocks: higher variance"
QUICK = {"refit_every": 12, "fewest": 60, "n_starts": 2}


def series_of(values) -> pd.Series:
    return pd.Series(np.asarray(values, dtype=float), index=dates(len(values), "quarterly", "1850-01-01"))


def two_states(n: int, seed: int = 0, stay: float = 0.96, means=(0.01, -0.01), sizes=(0.01, 0.05)):
    """Normal returns of a two-state Markov chain, and its states."""
    rng = np.random.default_rng(seed)
    changes = rng.random(n) > stay
    states = (np.cumsum(changes) + 1) % 2
    return rng.normal(np.array(means)[states], np.array(sizes)[states]), states


def switching_market(n: int = 150, seed: int = 0) -> Market:
    returns, _ = two_states(n, seed)
    index = dates(n + 1)
    levels = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    return Market(pd.DataFrame({"stocks": levels, "bonds": levels[::-1]}, index=index), 0.02)


# --- the published estimates ---


@needs_cases
def test_hamilton_1989():
    """US output, four lags: Hamilton (1989), table I; the likelihood that Stata and EViews give."""
    meta = json.loads((CASES / "D_markov_meta.json").read_text())["hamilton_ar4"]
    growth = series_of(pd.read_csv(CASES / "D_hamilton_rgnp_input.csv")["rgnp"])
    fit = fit_markov(growth, MarkovModel(order=4, switching_variance=False, ordered_by="mean"))
    assert fit.log_likelihood == pytest.approx(meta["llf"], abs=1e-5)
    assert fit.log_likelihood == pytest.approx(-181.26339, abs=1e-5)
    assert fit.means == pytest.approx([-0.3588, 1.1635], abs=1e-4)
    assert fit.variances == pytest.approx([0.7690**2] * 2, abs=1e-4)
    assert fit.transition[0, 0] == pytest.approx(0.7547, abs=1e-4)
    assert fit.transition[1, 0] == pytest.approx(0.0959, abs=1e-4)
    assert fit.converged
    assert len(fit.filtered) == len(growth) - 4


@needs_cases
def test_the_federal_funds_rate():
    """A switching mean: Stata's manual of mswitch."""
    data = pd.read_csv(CASES / "D_markov_fedfunds_const.csv")
    fit = fit_markov(series_of(data["fedfunds"]), MarkovModel(switching_variance=False, ordered_by="mean"))
    assert fit.log_likelihood == pytest.approx(-508.63592, abs=1e-5)
    assert fit.means == pytest.approx([3.70877, 9.556793], abs=1e-4)
    assert fit.transition[:, 0] == pytest.approx([0.9820939, 0.0503587], abs=1e-4)
    assert fit.transition.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert fit.filtered[0].to_numpy() == pytest.approx(data["filtered0"].to_numpy(), abs=1e-3)
    assert fit.smoothed[0].to_numpy() == pytest.approx(data["smoothed0"].to_numpy(), abs=1e-3)
    assert (fit.filtered - fit.smoothed).abs().max().max() == pytest.approx(0.754, abs=1e-3)


@needs_cases
def test_a_switching_autoregression():
    """Mean, slope and variance of each regime: statsmodels' test against EViews."""
    data = pd.read_csv(CASES / "D_markov_areturns_switching_variance.csv")
    values = series_of([data["lag"].iloc[0], *data["areturns"]])
    fit = fit_markov(values, MarkovModel(switching_lags=1))
    assert fit.log_likelihood == pytest.approx(-745.7977, abs=1e-4)
    assert fit.variances == pytest.approx([0.34760, 2.57709], abs=1e-3)
    assert fit.transition[:, 0] == pytest.approx([0.7530865, 0.6825357], abs=1e-3)
    assert fit.means[1] == pytest.approx(1.972771 / (1.0 - 0.527953), abs=1e-2)
    assert fit.filtered[0].to_numpy() == pytest.approx(data["filtered0"].to_numpy(), abs=1e-3)


# --- what an estimate is ---


@pytest.mark.parametrize(("ordered_by", "first"), [("variance", 0.01), ("mean", -0.01)])
def test_F160_regimes_are_numbered_by_their_moment(ordered_by, first):
    """F160: whatever number the optimiser gives them."""
    for seed in range(4):
        values, _ = two_states(400, seed)
        fit = fit_markov(series_of(values), MarkovModel(ordered_by=ordered_by), n_starts=2, seed=seed)
        moments = fit.variances if ordered_by == "variance" else fit.means
        assert moments[0] < moments[1]
        assert np.sqrt(fit.variances[0 if ordered_by == "variance" else 1]) == pytest.approx(0.01, rel=0.2)
        found = np.sqrt(moments[0]) if ordered_by == "variance" else moments[0]
        assert found == pytest.approx(first, abs=0.012)


def test_the_states_are_found():
    values, states = two_states(600, 3)
    fit = fit_markov(series_of(values), n_starts=2)
    agreed = fit.smoothed.to_numpy().argmax(axis=1) == states
    assert agreed.mean() > 0.9
    assert (fit.filtered.to_numpy().argmax(axis=1) == states).mean() <= agreed.mean() + 0.02
    assert fit.filtered.sum(axis=1).to_numpy() == pytest.approx(np.ones(600))


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_unit_does_not_matter(scale):
    values, _ = two_states(300, 1)
    one, other = (fit_markov(series_of(values * s), n_starts=1) for s in (1.0, scale))
    assert other.means / scale == pytest.approx(one.means, rel=1e-6)
    assert other.variances / scale**2 == pytest.approx(one.variances, rel=1e-6)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 300 * np.log(scale), abs=1e-6)
    assert other.smoothed.to_numpy() == pytest.approx(one.smoothed.to_numpy(), abs=1e-6)


def test_more_starts_are_never_worse_and_the_seed_decides():
    values, _ = two_states(120, 5)
    fits = []
    for n_starts in (0, 6, 6):
        markov._estimate.cache_clear()
        fits.append(fit_markov(series_of(values), n_starts=n_starts, seed=2))
    assert fits[1].log_likelihood >= fits[0].log_likelihood - 1e-6
    assert fits[1].log_likelihood == fits[2].log_likelihood
    assert fits[1].status == "converged from the best of 7 starts, seed 2"


def test_F160_an_estimate_that_does_not_converge_says_so(monkeypatch):
    """F160: the status and the starts that were tried."""
    monkeypatch.setattr(markov, "_MOST_ITERATIONS", 1)
    values, _ = two_states(150, 11)
    with pytest.warns(RuntimeWarning, match="did not converge from the best of 2 starts, seed 77"):
        fit = fit_markov(series_of(values), n_starts=1, seed=77)
    assert not fit.converged
    market = switching_market(75, 12)
    with pytest.warns(RuntimeWarning, match=r"'stocks': 2 of 2 did not converge, first that on 60 "):
        regimes = markov_regimes(market, **QUICK, seed=77)
    assert "best of 3 starts each, seed 77, 2 of 2 did not converge" in regimes.rule


def test_a_likelihood_that_is_not_there(monkeypatch):
    class Broken:
        def fit(self, **options):
            return SimpleNamespace(params=np.array([np.nan]), llf=np.nan)

    monkeypatch.setattr(markov, "_built", lambda values, model: Broken())
    with pytest.raises(SolverError, match="Markov switching on 90 observations"):
        fit_markov(series_of(np.random.default_rng(99).normal(size=90)), n_starts=0)


def test_a_regime_of_one_value_is_no_estimate():
    """A rate that was pegged: the likelihood of no variance has no bound."""
    pegged = np.concatenate([np.random.default_rng(97).normal(0.0, 1.0, 60), np.full(40, 0.25)])
    with pytest.raises(SolverError, match="a regime shrank to one value"):
        fit_markov(series_of(pegged), n_starts=2)


def test_without_statsmodels_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("statsmodels"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install allocator-backtest\[regimes\]"):
        fit_markov(series_of(np.random.default_rng(98).normal(size=90)))


# --- labels ---


@pytest.fixture(scope="module")
def market():
    return switching_market()


@pytest.fixture(scope="module")
def labels(market):
    return markov_regimes(market, **QUICK)


def test_labels_before_the_first_estimate_are_unclassified(labels):
    assert (labels.labels.iloc[:60] == UNCLASSIFIED).all()
    assert set(labels.labels.iloc[60:]) == {CALM, WILD}
    assert labels.order == (CALM, WILD, UNCLASSIFIED)
    assert not labels.ex_post
    assert "every 12 from 60 on; best of 3 starts each, seed 0, all 8 converged; known when" in labels.rule


def test_a_label_is_the_filtered_regime_of_parameters_estimated_before(market, labels):
    """Against a slow loop that estimates anew on each past."""
    returns, expected = market.returns["stocks"], []
    for row in range(60, 150):
        if row % 12 == 0:
            fit = fit_markov(returns.iloc[:row], n_starts=2)
            # The last date of a sample is filtered with the parameters of that sample.
            assert slow_filter(returns.iloc[:row].to_numpy(), fit) == pytest.approx(
                fit.filtered.iloc[-1].to_numpy(), abs=1e-9
            )
        expected.append((CALM, WILD)[slow_filter(returns.iloc[:row].to_numpy(), fit).argmax()])
    assert labels.labels.iloc[60:].tolist() == expected
    assert (labels.labels.iloc[61:].to_numpy() != labels.labels.iloc[60:-1].to_numpy()).sum() >= 2


def slow_filter(values, fit) -> np.ndarray:
    """Hamilton (1989), from the stationary distribution, a period at a time."""
    chain = fit.transition
    a, b = chain[1, 0], chain[0, 1]
    probability = np.array([a, b]) / (a + b)
    for position, value in enumerate(values):
        ahead = probability @ chain if position else probability
        density = np.exp(-((value - fit.means) ** 2) / (2 * fit.variances)) / np.sqrt(fit.variances)
        probability = ahead * density / (ahead @ density)
    return probability


@pytest.mark.parametrize("row", [90, 131])
def test_rewriting_the_future_leaves_the_labels_up_to_it(market, labels, row):
    prices, other = market.prices, switching_market(seed=8).prices
    prices.iloc[row:] = other.iloc[row:] / other.iloc[row] * prices.iloc[row]
    rewritten = markov_regimes(Market(prices, 0.02), **QUICK)
    pd.testing.assert_series_equal(labels.labels.iloc[: row + 1], rewritten.labels.iloc[: row + 1])
    assert row == 131 or not labels.labels.equals(rewritten.labels)


def test_where_an_estimate_fails_the_one_before_is_kept(market, labels):
    """A price that is three times too high is a regime of its own, whose likelihood has no bound."""
    broken = rewritten_after(market, 131)
    with pytest.warns(RuntimeWarning, match=r"'stocks': \d of 8 did not converge, first that on 132 "):
        regimes = markov_regimes(broken, **QUICK)
    pd.testing.assert_series_equal(labels.labels.iloc[:132], regimes.labels.iloc[:132])
    assert UNCLASSIFIED not in set(regimes.labels.iloc[60:])


def test_what_is_said_of_the_next_period_is_its_label(market, labels):
    rows = [10, 59, 60, 61, 80, 119, 120, 148]
    assert said_then(partial(markov_regimes, **QUICK), market, rows) == labels.labels.iloc[rows].tolist()


def test_labels_of_a_signal_wait_for_its_publication():
    values, _ = two_states(150, 2)
    raw = pd.Series(values, index=dates(150, "monthly", "1999-12-01"), name="growth")
    prices = switching_market(150).prices
    late, soon = (Market(prices, 0.0, {"growth": published(raw, lag)}) for lag in (75, 0))
    rule = partial(markov_regimes, series="growth", **QUICK)
    (one, other) = (rule(each).labels.to_numpy() for each in (late, soon))
    assert set(one) == {"growth: lower variance", "growth: higher variance", UNCLASSIFIED}
    # Seventy-five days are three month ends: the same label comes three periods later.
    assert (one[3:] == other[:-3]).mean() > 0.97
    assert said_then(rule, late, [70, 99, 148]) == [one[70], one[99], one[148]]


def test_smoothed_labels_are_for_looking(market):
    regimes = markov_regimes(market, **QUICK, ex_post=True)
    _, states = two_states(150, 0)
    assert (regimes.ex_post, regimes.next_label) == (True, None)
    assert ((regimes.labels == WILD).to_numpy() == (states == 1)).mean() > 0.9
    fit = fit_markov(market.returns["stocks"], n_starts=2)
    assert ((regimes.labels == WILD).to_numpy() == fit.smoothed.to_numpy().argmax(axis=1)).all()
    assert "smoothed: the whole sample says which; converged from the best of 3 starts" in regimes.rule


def test_F161_a_backtest_refuses_smoothed_labels(market):
    """F161."""
    mix = FixedMix({"stocks": 1.0})
    switch = RegimeSwitch(partial(markov_regimes, **QUICK, ex_post=True), {CALM: mix}, otherwise=mix)
    with pytest.raises(StrategyError, match="ex post: 2 regimes, smoothed"):
        run_backtest(switch, market.until("2006-06"))


def test_a_backtest_trades_on_filtered_ones(market, labels):
    calm, wild = FixedMix({"stocks": 1.0}), FixedMix({"bonds": 1.0})
    switch = RegimeSwitch(partial(markov_regimes, **QUICK), {CALM: calm, WILD: wild})
    result = run_backtest(switch, market, costs=Costs(0.0))
    assert result.returns.index[0] == market.index[61]
    chosen = labels.labels.loc[result.returns.index] == CALM
    returns = market.returns.loc[result.returns.index]
    expected = returns["stocks"].where(chosen, returns["bonds"])
    pd.testing.assert_series_equal(result.returns, expected, check_names=False)


def test_smoothed_labels_of_a_signal_and_of_an_asset_listed_late():
    values, states = two_states(120, 6)
    index = dates(150)
    levels = np.concatenate([np.full(29, np.nan), [1.0], np.cumprod(1.0 + values)])
    prices = pd.DataFrame({"old": np.linspace(1.0, 2.0, 150), "stocks": levels}, index=index)
    raw = pd.Series(values, index=index[30:], name="x")
    market = Market(prices, 0.0, {"x": published(raw, 10)})
    asset = markov_regimes(market, **QUICK, ex_post=True).labels
    signal = markov_regimes(market, "x", **QUICK, ex_post=True).labels
    assert (asset.iloc[:29] == UNCLASSIFIED).all()
    assert ((asset.iloc[29:] == WILD).to_numpy() == (states == 1)).mean() > 0.85
    assert (signal.iloc[29:-1] == "x: higher variance").tolist() == (asset.iloc[29:-1] == WILD).tolist()
    known = markov_regimes(market, **QUICK).labels
    assert (known.iloc[:89] == UNCLASSIFIED).all()
    assert known.iloc[89] != UNCLASSIFIED  # began with the sixtieth return


def test_a_delisted_asset_has_no_more_regimes():
    prices = switching_market(100).prices
    prices.iloc[90:, 0] = np.nan
    known = markov_regimes(Market(prices, 0.0, delisted={"stocks": 0.9}), **QUICK).labels
    assert known.iloc[89] != UNCLASSIFIED  # the period of the delisting began with a price
    assert (known.iloc[90:] == UNCLASSIFIED).all()


def test_nothing_of_statsmodels_is_heard(market):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        markov_regimes(market, "bonds", refit_every=60, fewest=90, n_starts=1)


# --- refusals ---


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"n_regimes": 1}, "n_regimes"),
        ({"order": -1}, "order"),
        ({"order": 1, "switching_lags": 1}, "one of them"),
        ({"ordered_by": "name"}, "'variance' or 'mean'"),
        ({"switching_variance": False}, "all regimes have one variance; ordered_by='mean'"),
    ],
)
def test_models_that_are_none(options, problem):
    with pytest.raises(InputError, match=problem):
        MarkovModel(**options)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"refit_every": 0}, "refit_every"),
        ({"refit_every": 1.5}, "refit_every"),
        ({"refit_every": 12, "fewest": 17}, "fewest: 17 observations for 6 parameters; at least 18"),
        ({"refit_every": 12, "fewest": 999}, "'stocks' has 150 observations, not 999"),
        ({"refit_every": 12, "n_starts": -1}, "n_starts"),
        ({"refit_every": 12, "series": "gold"}, "no asset or signal 'gold'; the market has: stocks, bonds"),
    ],
)
def test_settings_out_of_range(market, options, problem):
    with pytest.raises(InputError, match=problem):
        markov_regimes(market, **options)


def test_a_name_of_two_things():
    market = Market(switching_market(90).prices, 0.0, {"stocks": published_series({"2000-01-31": 1.0})})
    with pytest.raises(InputError, match="'stocks' is an asset and a signal"):
        markov_regimes(market, **QUICK)


@pytest.mark.parametrize(
    ("values", "problem"),
    [(np.ones(90), "never changes"), (np.arange(5.0), "series: 5 observations"), ([np.nan] * 90, "NaN")],
)
def test_series_without_an_estimate(values, problem):
    with pytest.raises((InputError, SolverError), match=problem):
        fit_markov(series_of(values))


def test_how_often_to_estimate_is_always_said(market):
    with pytest.raises(TypeError, match="refit_every"):
        markov_regimes(market)
