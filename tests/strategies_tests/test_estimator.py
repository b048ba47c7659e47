"""Any estimator with fit(X) and weights_ is a strategy; skfolio's are."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategy_worlds import daily_funds, late_funds, rewritten, world

from allocator.engine import Quarterly, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from strategies import Blend, EstimatorStrategy, InverseVolatility, RiskParity, SixtyForty, VolatilityTarget

MARKET = world()
ASSETS = ("stocks", "bonds", "gold")


class Winner:
    """All in the asset that gained most; remembers what it has seen, as it should not."""

    def __init__(self) -> None:
        self.seen: list[pd.DataFrame] = []

    def fit(self, X: pd.DataFrame) -> Winner:
        self.seen.append(X)
        best = (1.0 + pd.concat(self.seen)).prod().idxmax()
        self.weights_ = (X.columns == best).astype(float)
        return self


def answers(weights: Any) -> Any:
    class Answers:
        def fit(self, X: pd.DataFrame) -> None:
            if weights is not None:
                self.weights_ = weights

    return Answers()


def test_it_is_given_the_simple_returns_of_the_window() -> None:
    seen = []

    class Spy(Winner):
        def __deepcopy__(self, memo: Any) -> Spy:
            return self

        def fit(self, X: pd.DataFrame) -> Spy:
            seen.append(X)
            self.weights_ = np.full(X.shape[1], 1.0 / X.shape[1])
            return self

    backtest = run_backtest(EstimatorStrategy(Spy(), ASSETS, window_years=5.0), MARKET)
    assert len(seen) == len(backtest.decided)
    assert backtest.decided[0] == MARKET.index[60]
    for X, date in zip(seen, backtest.decided, strict=True):
        pd.testing.assert_frame_equal(X, MARKET.returns.loc[:date, list(ASSETS)].iloc[-60:], check_freq=False)


def test_nothing_is_carried_from_one_decision_to_the_next() -> None:
    mine = Winner()
    strategy = EstimatorStrategy(mine, ASSETS)
    backtest = run_backtest(strategy, MARKET)
    assert mine.seen == []
    assert not hasattr(mine, "weights_")
    for date, target in backtest.targets.iloc[::10].iterrows():
        growth = (1.0 + MARKET.returns.loc[:date, list(ASSETS)].iloc[-36:]).prod()
        assert target.idxmax() == growth.idxmax()
    again = run_backtest(strategy, MARKET)
    np.testing.assert_array_equal(backtest.targets, again.targets)


@pytest.mark.parametrize("by_name", [pd.Series, dict], ids=["Series", "mapping"])
def test_weights_by_name_are_put_in_the_order_of_the_assets(by_name: Any) -> None:
    said = by_name({"gold": 0.5, "stocks": 0.3, "bonds": 0.2})
    weights = EstimatorStrategy(answers(said), ASSETS).weights(MARKET)
    assert weights == {"stocks": 0.3, "bonds": 0.2, "gold": 0.5}


def test_late_funds_follow_the_policy() -> None:
    market = late_funds()
    mean = answers(None)
    mean.__class__.fit = lambda self, X: setattr(self, "weights_", np.full(X.shape[1], 1.0 / X.shape[1]))
    waits = EstimatorStrategy(mean, ("SPY", "VUSTX", "GLD"))
    gold = int(market.listed_from[market.assets.index("GLD")])
    assert run_backtest(waits, market).decided[0] == market.index[gold + 756]
    joins = EstimatorStrategy(mean, ("SPY", "VUSTX", "GLD"), late="leave_out")
    targets = run_backtest(joins, market).targets
    assert (targets["SPY"].iloc[0], targets["SPY"].iloc[-1]) == (0.5, pytest.approx(1 / 3))


def test_another_future_leaves_the_past_as_it_was() -> None:
    one, two = (
        run_backtest(EstimatorStrategy(Winner(), ASSETS), each) for each in (MARKET, rewritten(MARKET, 90))
    )
    until = MARKET.index[90]
    np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
    assert (one.targets != two.targets).any(axis=None)


# skfolio


@pytest.fixture(scope="module")
def skfolio() -> Any:
    return pytest.importorskip("skfolio.optimization", reason="needs the extra [skfolio]")


def test_skfolios_inverse_volatility_is_ours(skfolio: Any) -> None:
    market, assets = daily_funds(), ("SPY", "TLT", "GLD", "EEM")
    theirs = EstimatorStrategy(skfolio.InverseVolatility(), assets)
    one, two = (
        run_backtest(each, market, rebalancing=Quarterly()) for each in (theirs, InverseVolatility(assets))
    )
    np.testing.assert_allclose(one.targets, two.targets, rtol=1e-10)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-10)


def test_skfolios_risk_budgeting_is_our_risk_parity(skfolio: Any) -> None:
    """To its solver's tolerance; ours is exact to 1e-12."""
    market, assets = daily_funds(), ("SPY", "TLT", "GLD", "EEM")
    theirs = EstimatorStrategy(skfolio.RiskBudgeting(), assets)
    for date in ("2010-12", "2016-06", "2025-09"):
        past = market.until(date)
        assert theirs.weights(past) == pytest.approx(RiskParity(assets).weights(past), abs=2e-5)


def test_skfolios_estimators_run_as_strategies(skfolio: Any) -> None:
    market, assets = daily_funds(), ("SPY", "TLT", "GLD", "EEM", "DBC")
    estimators = (
        skfolio.HierarchicalRiskParity(),
        skfolio.MeanRisk(),
        skfolio.NestedClustersOptimization(
            inner_estimator=skfolio.MeanRisk(), outer_estimator=skfolio.EqualWeighted()
        ),
    )
    for estimator in estimators:
        before = copy.deepcopy(estimator.get_params(deep=False))
        strategy = EstimatorStrategy(estimator, assets, name=type(estimator).__name__)
        backtest = run_backtest(strategy, market, start="2023-06", rebalancing=Quarterly(), lag=0)
        assert not hasattr(estimator, "weights_")
        assert {key: repr(value) for key, value in estimator.get_params(deep=False).items()} == {
            key: repr(value) for key, value in before.items()
        }
        np.testing.assert_allclose(backtest.targets.sum(axis=1), 1.0, atol=1e-6)
        X = market.returns[list(assets)].loc[: backtest.decided[3]].iloc[-756:]
        np.testing.assert_allclose(
            backtest.targets[list(assets)].iloc[3], estimator.fit(X).weights_, atol=1e-6
        )


def test_it_can_be_wrapped(skfolio: Any) -> None:
    hierarchical = EstimatorStrategy(skfolio.HierarchicalRiskParity(), ASSETS)
    scaled = VolatilityTarget(hierarchical, 0.08)
    mixed = Blend((hierarchical, SixtyForty()), (0.5, 0.5))
    plain, held = hierarchical.weights(MARKET), scaled.weights(MARKET)
    ratio = {held[asset] / plain[asset] for asset in ASSETS}
    assert max(ratio) == pytest.approx(min(ratio), rel=1e-9)
    assert mixed.weights(MARKET)["gold"] == pytest.approx(plain["gold"] / 2)


def test_skfolio_is_not_imported_unless_it_is_passed() -> None:
    code = (
        "import sys, numpy as np, allocator as al; from strategies import EstimatorStrategy\n"
        "class Mean:\n"
        "    def fit(self, X): self.weights_ = np.full(X.shape[1], 1 / X.shape[1])\n"
        "al.run_backtest(EstimatorStrategy(Mean(), ('stocks', 'bonds')), al.load_us_history())\n"
        "sys.exit(any(name in sys.modules for name in ('sklearn', 'skfolio', 'cvxpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


# Refusals


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (None, "Answers has no weights_ after fit"),
        (np.array([0.5, 0.5]), r"Answers\.weights_ has shape \(2,\) for 3 assets"),
        (np.full((1, 3), 1 / 3), r"weights_ has shape \(1, 3\) for 3 assets"),
        (np.array([0.5, np.nan, 0.5]), "weights_ has a value that is not finite"),
        (np.array([0.5, np.inf, 0.5]), "weights_ has a value that is not finite"),
        ("half", "Answers.weights_ is no array of numbers: 'half'"),
        (["0.5", "0.3", "0.2"], "no array of numbers"),  # text, even of digits
        ([0.5, None, 0.5], "no array of numbers"),
        ([[0.5], [0.3, 0.2]], "no array of numbers"),
        ({0.5, 0.3, 0.2}, "no array of numbers"),
        ([True, False, False], "no array of numbers"),
        (
            pd.Series([0.5, 0.3, 0.2]),
            "weights_ is of 0, 1, 2, not of 'stocks', 'bonds', 'gold'; name the col",
        ),
        ({"stocks": 0.5, "bonds": 0.5}, "weights_ is of 'stocks', 'bonds', not of 'stocks', 'bonds', 'gold'"),
        (pd.Series(1 / 3, ["stocks", "stocks", "gold"]), "weights_ is of 'stocks', 'stocks', 'gold', not"),
        (pd.Series(0.25, [*ASSETS, "gold"]), "weights_ is of 'stocks', 'bonds', 'gold', 'gold', not"),
        (np.array([60.0, 30.0, 10.0]), "weights sum to 100; pass fractions"),
    ],
)
def test_answers_that_are_refused_name_the_date(weights: Any, words: str) -> None:
    with pytest.raises(StrategyError, match=rf"strategy 'Estimator' on 1963-01-31: .*{words}"):
        run_backtest(EstimatorStrategy(answers(weights), ASSETS), MARKET)


def test_what_the_estimator_raises_carries_the_date() -> None:
    class Fails(Winner):
        def fit(self, X: pd.DataFrame) -> Winner:
            raise RuntimeError("did not converge")

    with pytest.raises(
        StrategyError, match="'Estimator' on 1963-01-31: raised RuntimeError: did not converge"
    ):
        run_backtest(EstimatorStrategy(Fails(), ASSETS), MARKET)


def test_a_short_history_is_waited_for() -> None:
    with pytest.raises(InsufficientHistoryError, match="35 monthly returns by then"):
        EstimatorStrategy(Winner(), ASSETS).weights(MARKET.until(MARKET.index[35].date()))
    flat = Market(MARKET.prices.assign(bonds=1.003 ** np.arange(150.0)), 0.0)
    with pytest.raises(StrategyError, match=r"prices\['bonds'\].*do not vary"):
        run_backtest(EstimatorStrategy(Winner(), ASSETS), flat)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: EstimatorStrategy(Winner, ASSETS), "estimator: <class .*Winner'> has no fit"),
        (lambda: EstimatorStrategy("MeanRisk", ASSETS), "estimator: 'MeanRisk' has no fit"),
        (lambda: EstimatorStrategy(Winner(), "stocks"), "assets: 'stocks'"),  # type: ignore[arg-type]
        (lambda: EstimatorStrategy(Winner(), ASSETS, late="drop"), "late: 'drop'"),
    ],
)
def test_estimators_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()
