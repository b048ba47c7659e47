"""Walk-forward: choices on past windows only, one run, and a count of what was tried."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import walk_forward
from allocator.engine import Costs, FixedMix, Monthly, Strategy, run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from strategies import GoldDiversified, RiskParity

CANDIDATES = {
    "a": FixedMix({"a": 1.0}),
    "b": FixedMix({"b": 1.0}),
    "half": FixedMix({"a": 0.5, "b": 0.5}),
}


def panel(seed: int = 0, n_rows: int = 180, frequency: str = "BME", drift: Any = 0.004) -> Market:
    rng = np.random.default_rng(seed)
    steps = rng.normal(drift, 0.03, (n_rows, 3))
    index = pd.date_range("2001-01-31", periods=n_rows, freq=frequency)
    prices = pd.DataFrame(100.0 * np.exp(steps.cumsum(axis=0)), index=index, columns=["a", "b", "c"])
    return Market(prices, 0.01, name="panel")


def daily_panel(seed: int = 0, n_rows: int = 700) -> Market:
    rng = np.random.default_rng(seed)
    index = pd.bdate_range("2010-01-01", periods=n_rows)
    prices = 100.0 * np.exp(rng.normal(0.0002, 0.01, (n_rows, 3)).cumsum(axis=0))
    return Market(pd.DataFrame(prices, index=index, columns=["a", "b", "c"]), 0.01)


@dataclass(frozen=True)
class Momentum(Strategy):
    """Depends on the path, and needs some rows."""

    rows: int = 3
    name: str = "momentum"

    def weights(self, past: Market) -> dict[str, float]:
        if len(past.index) <= self.rows:
            raise al.InsufficientHistoryError("prices", "short", rows_needed=self.rows + 1)
        rise = past.levels[-1] / past.levels[-1 - self.rows]
        return {past.assets[int(np.argmax(rise))]: 1.0}


def slow_choices(
    candidates: dict[str, Strategy], market: Market, train: int, test: int, lag: int, expanding: bool
) -> tuple[list[str], pd.DataFrame]:
    """Return choices and scores, each window run on a market that ends a row after it."""
    begins = max(first_row(each, market) for each in candidates.values()) + lag + 1
    first, chosen, rows = market.index[begins].date(), [], {}
    for row in range(begins + train - 1, len(market.index) - 1 - lag, test):
        known = market.until(market.index[row + 1].date())
        scores = {}
        for name, strategy in candidates.items():
            run = run_backtest(strategy, known, lag=lag, start=first, costs=Costs(0.002))
            window = slice(0 if expanding else row - begins + 1 - train, row - begins + 1)
            scores[name] = al.sharpe_ratio(run.returns.iloc[window], run.cash_returns.iloc[window])
        rows[market.index[row]] = scores
        chosen.append(max(scores, key=lambda name: scores[name]))
    return chosen, pd.DataFrame(rows).T


def first_row(strategy: Strategy, market: Market) -> int:
    return next(row for row in range(len(market.index)) if decides(strategy, market, row))


def decides(strategy: Strategy, market: Market, row: int) -> bool:
    try:
        strategy.weights(market.until(market.index[row].date()))
    except InsufficientHistoryError:
        return False
    return True


@pytest.mark.parametrize("expanding", [False, True])
@pytest.mark.parametrize(
    ("market", "lag", "years"),
    [(panel(1), 0, (2.0, 1.0)), (panel(2), 2, (3.0, 0.5)), (daily_panel(3), 1, (0.5, 0.25))],
    ids=["monthly", "monthly, lag 2", "daily"],
)
def test_choices_are_those_of_windows_that_are_run_one_by_one(
    market: Market, lag: int, years: tuple[float, float], expanding: bool
) -> None:
    candidates: dict[str, Strategy] = {**CANDIDATES, "momentum": Momentum(7)}
    walk = walk_forward(
        candidates,
        market,
        train_years=years[0],
        test_years=years[1],
        lag=lag,
        expanding=expanding,
        costs=Costs(0.002),
    )
    train, test = (market.frequency.rows(each) for each in years)
    chosen, scores = slow_choices(candidates, market, train, test, lag, expanding)
    assert list(walk.choices["chosen"]) == chosen
    pd.testing.assert_frame_equal(walk.scores, scores, check_names=False, check_freq=False, rtol=1e-9)
    assert len(set(chosen)) > 1


def test_the_chain_holds_what_was_chosen_and_pays_for_each_change() -> None:
    market, costs = panel(1), Costs(0.01)
    walk = walk_forward(CANDIDATES, market, train_years=2, test_years=1, costs=costs)
    choices, targets = walk.choices, walk.backtest.targets
    for k, (date, chosen) in enumerate(choices["chosen"].items()):
        until = choices.index[k + 1] if k + 1 < len(choices) else market.index[-1]
        held = targets.loc[(targets.index >= date) & (targets.index < until)]
        expected = pd.Series(CANDIDATES[chosen].mix).reindex(targets.columns, fill_value=0.0)
        assert (held == expected).all(axis=None)
    changed = [
        date
        for date, now, then in zip(
            choices.index[1:], choices["chosen"].iloc[1:], choices["chosen"].iloc[:-1], strict=True
        )
        if {now, then} == {"a", "b"}
    ]
    assert changed
    turned = walk.backtest.turnover.loc[changed]
    np.testing.assert_allclose(turned, 1.0)
    costs_paid = walk.backtest.trading_costs.sum(axis=1).loc[changed]
    assert (costs_paid / walk.backtest.value.loc[changed] > 0.019).all()
    free = walk_forward(CANDIDATES, market, train_years=2, test_years=1, costs=Costs(0.0))
    assert free.backtest.value.iloc[-1] > walk.backtest.value.iloc[-1]


def test_a_change_of_hands_does_not_wait_for_the_rule() -> None:
    """Choices fall between the rows of the calendar: the first trade after a change is that of its choice."""
    market = panel(1)
    options: dict[str, Any] = {"train_years": 2.25, "test_years": 0.5, "rebalancing": al.BuyAndHold()}
    walk = walk_forward(CANDIDATES, market, lag=1, **options)
    chosen = walk.choices["chosen"]
    changed = chosen.index[(chosen != chosen.shift()).to_numpy()]
    assert len(changed) > 2
    assert list(walk.backtest.decided) == list(changed)
    rows = market.index.get_indexer(walk.backtest.targets.index)
    assert (rows == market.index.get_indexer(changed) + 1).all()
    for target, name in zip(walk.backtest.targets.to_numpy(), chosen[changed], strict=True):
        assert dict(zip(market.assets, target, strict=True)) == {
            **dict.fromkeys("abc", 0.0),
            **CANDIDATES[name].mix,
        }


@pytest.mark.parametrize("lag", [0, 2])
def test_one_candidate_is_its_own_backtest(lag: int) -> None:
    market = panel(4)
    walk = walk_forward([Momentum(5)], market, train_years=2, test_years=1, lag=lag)
    alone = run_backtest(Momentum(5), market, lag=lag, start=walk.backtest.returns.index[0].date())
    pd.testing.assert_series_equal(walk.backtest.returns, alone.returns, check_names=False)
    pd.testing.assert_frame_equal(walk.backtest.targets, alone.targets)
    assert (walk.n_tried, walk.n_undefined) == (1, 0)
    assert np.isnan(walk.trial_sharpe_variance)


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize("row", [60, 95, 96, 97, 140])
def test_rewriting_the_future_leaves_earlier_choices_and_returns(row: int, lag: int) -> None:
    market = panel(5)
    prices = market.prices
    rng = np.random.default_rng(row)
    prices.iloc[row + 1 :] *= np.exp(rng.normal(0.0, 0.3, prices.iloc[row + 1 :].shape))
    other = Market(prices, 0.01)
    one, two = (
        walk_forward({**CANDIDATES, "m": Momentum()}, m, train_years=2, test_years=1, lag=lag)
        for m in (market, other)
    )
    date = market.index[row]
    pd.testing.assert_frame_equal(one.scores.loc[:date], two.scores.loc[:date])
    assert list(one.choices.loc[:date, "chosen"]) == list(two.choices.loc[:date, "chosen"])
    pd.testing.assert_series_equal(
        one.backtest.returns.loc[:date], two.backtest.returns.loc[:date], check_exact=True
    )
    assert not one.backtest.returns.equals(two.backtest.returns)


def test_a_choice_does_not_see_the_return_after_it() -> None:
    """A jump on the row after the first choice is not in its score."""
    market = panel(6)
    prices = market.prices
    walk = walk_forward(CANDIDATES, market, train_years=2, test_years=1)
    row = market.index.get_loc(walk.choices.index[0])
    for shift, same in ((1, True), (0, False)):
        jumped = prices.copy()
        jumped.iloc[row + shift :, 1] *= 3.0
        again = walk_forward(CANDIDATES, Market(jumped, 0.01), train_years=2, test_years=1)
        assert again.scores.iloc[0].equals(walk.scores.iloc[0]) == same


def test_the_planted_best_is_chosen() -> None:
    market = panel(7, drift=np.array([0.0, 0.03, 0.0]))
    walk = walk_forward(CANDIDATES, market, train_years=3, test_years=1)
    assert set(walk.choices["chosen"]) == {"b"}
    assert walk.choices["out_of_sample"].min() > 0.0
    assert walk.choices["train_to"].eq(walk.choices.index).all()
    assert (walk.choices["test_from"] > walk.choices["train_to"]).all()
    assert (walk.choices["test_from"].iloc[1:].array > walk.choices["test_to"].iloc[:-1].array).all()


def test_what_was_tried_is_counted_and_carried() -> None:
    market = panel(8)
    walk = walk_forward(CANDIDATES, market, train_years=2, test_years=1)
    assert walk.n_tried == 3
    assert walk.n_comparisons == 3 * len(walk.choices) == walk.scores.notna().to_numpy().sum()
    first = walk.backtest.returns.index[0]
    for name, sharpe in walk.trial_sharpes.items():
        trial = walk.trials[str(name)]
        assert sharpe == al.sharpe_ratio(trial.returns.loc[first:], trial.cash_returns.loc[first:])
    assert walk.trial_sharpe_variance == pytest.approx(np.var(walk.trial_sharpes, ddof=1))
    whole = al.sharpe_ratio(walk.backtest.returns, walk.backtest.cash_returns)
    assert walk.out_of_sample_score == whole
    text = str(walk)
    assert "tried: 3 configurations" in text
    assert "no number here is corrected" in text
    assert f"{whole:.2f} out of sample" in text
    assert "<table>" in walk._repr_html_()


def test_the_out_of_sample_score_is_that_of_the_chain_over_the_window() -> None:
    walk = walk_forward(CANDIDATES, panel(8), train_years=2, test_years=1, lag=1)
    for _, row in walk.choices.iterrows():
        returns = walk.backtest.returns.loc[row["test_from"] : row["test_to"]]
        cash = walk.backtest.cash_returns.loc[row["test_from"] : row["test_to"]]
        assert row["out_of_sample"] == al.sharpe_ratio(returns, cash)
    assert walk.choices["test_from"].iloc[0] == walk.backtest.returns.index[0]
    assert walk.choices["test_to"].iloc[-1] == walk.backtest.returns.index[-1]


def test_any_score_ties_go_to_the_first_and_undefined_ones_are_counted() -> None:
    def constant(returns: Any, cash: Any) -> float:
        return 1.0

    def sometimes(returns: pd.Series[float], cash: pd.Series[float]) -> float:
        return float(returns.mean()) if returns.std() < 0.028 else float("nan")

    market = panel(9)
    walk = walk_forward(CANDIDATES, market, train_years=2, test_years=1, score=constant)
    assert set(walk.choices["chosen"]) == {"a"}
    assert walk.score_name == "constant"
    walk = walk_forward(CANDIDATES, market, train_years=2, test_years=2, score=sometimes)
    assert walk.n_undefined == walk.scores.isna().to_numpy().sum() > 0
    assert walk.n_comparisons + walk.n_undefined == walk.scores.size
    assert f"{walk.n_undefined} undefined and left out" in str(walk)


def test_a_grid_is_told_apart_by_what_differs() -> None:
    market = al.load_us_history()
    golden = al.grid(GoldDiversified, gold_weight=[0.0, 0.1], growth_weight=[0.5, 0.6])
    walk = walk_forward(golden, market, train_years=20, test_years=10)
    assert "Gold-diversified, growth_weight=0.5, gold_weight=0.1" in walk.scores.columns
    assert walk.n_tried == 4
    mixed = walk_forward([RiskParity(), *golden[:1]], market, train_years=20, test_years=10)
    assert list(mixed.scores.columns) == ["Risk parity", "Gold-diversified"]


def test_candidates_that_see_what_is_held_are_handed_it() -> None:
    @dataclass(frozen=True)
    class Slow(Strategy):
        sees_holdings = True
        share: float = 0.5
        name: str = "slow"

        def weights(self, past: Market) -> dict[str, float]:
            raise AssertionError("asked without what is held")

        def weights_from(self, past: Market, held: Any) -> dict[str, float]:
            return {"a": 0.5 * held.get("a", 0.0) + 0.5 * self.share, "b": 0.1}

    market = panel(10)
    walk = walk_forward({"slow": Slow(), "b": CANDIDATES["b"]}, market, train_years=2, test_years=1)
    assert set(walk.choices["chosen"]) == {"slow", "b"}
    assert walk.backtest.targets["a"].nunique() > 5


def test_a_run_with_other_options() -> None:
    market = panel(11)
    early = market.prices
    early.iloc[:30, 1] = np.nan
    late = Market(early, 0.01)
    walk = walk_forward(CANDIDATES, late, train_years=2, test_years=1, unlisted="cash", end="2013-12-31")
    assert walk.backtest.returns.index[-1] <= pd.Timestamp("2013-12-31")
    waits = walk_forward(CANDIDATES, late, train_years=2, test_years=1, rebalancing=Monthly() | al.Band(0.1))
    assert waits.choices["train_from"].iloc[0] == late.index[31]
    given = walk_forward(CANDIDATES, late, train_years=2, test_years=1, start="2005-01-01")
    assert given.choices["train_from"].iloc[0] == pd.Timestamp("2005-01-31")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": []}, "candidates: none given"),
        ({"candidates": {}}, "candidates: none given"),
        ({"candidates": 3}, "candidates: 3 is no list"),
        ({"candidates": [3]}, "candidates: 3 is no Strategy"),
        ({"candidates": {"a": 3}}, "candidates: 3 is no Strategy"),
        ({"candidates": [Momentum(), Momentum()]}, "candidates: two are 'momentum'"),
        ({"candidates": [Momentum(), FixedMix({"a": 1.0}, "momentum")]}, "two are 'momentum'"),
        ({"market": 3}, "market: expected a Market, got int"),
        ({"train_years": 0.5}, "train_years: a window of 0.5 years has 6 monthly returns, fewer than 10"),
        ({"test_years": 0.01}, "test_years: a window of 0.01 years has 0 monthly returns, fewer than 1"),
        ({"train_years": "2"}, "train_years: '2' is not a positive span"),
        ({"test_years": float("inf")}, "test_years: inf is not a positive span"),
        ({"score": lambda returns, cash: None}, "score.*: returned None, not a number"),
        ({"score": lambda returns, cash: np.inf}, "score.*: is inf"),
        ({"score": lambda returns, cash: np.nan}, "score on 2003-01-31: undefined for all 3 candidates"),
        ({"lag": -1}, "lag: -1"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"candidates": CANDIDATES, "market": panel(), **change}
    options = {"train_years": 2.0, "test_years": 1.0, **arguments}
    with pytest.raises(InputError, match=message):
        walk_forward(options.pop("candidates"), options.pop("market"), **options)


def test_names_that_are_equal_as_text_are_refused() -> None:
    twice = {1: CANDIDATES["a"], "b": CANDIDATES["b"], "1": CANDIDATES["half"]}
    with pytest.raises(InputError, match="candidates: 1 and '1' are the same name as text"):
        walk_forward(twice, panel(), train_years=2, test_years=1)  # type: ignore[arg-type]


def test_a_score_that_is_no_function_is_refused() -> None:
    with pytest.raises(InputError, match="score: 'sharpe' is no function"):
        walk_forward(CANDIDATES, panel(), train_years=2, test_years=1, score="sharpe")  # type: ignore[arg-type]


def test_a_window_longer_than_the_history_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="the first window of 240 returns from 2001-02"):
        walk_forward(CANDIDATES, panel(), train_years=20, test_years=1)


def test_a_candidate_that_cannot_decide_in_the_first_window_is_named() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"candidates\['never'\].*cannot decide"):
        walk_forward({**CANDIDATES, "never": Momentum(500)}, panel(), train_years=2, test_years=1)
    slow = {**CANDIDATES, "slow": Momentum(60)}
    with pytest.raises(InsufficientHistoryError, match=r"candidates\['slow'\].*cannot decide"):
        walk_forward(slow, panel(), train_years=2, test_years=1, start="2001-02-28")


def test_a_ruined_candidate_and_a_failing_one_are_refused() -> None:
    market = panel()
    prices = market.prices
    prices.iloc[100:, 0] *= 0.3
    with pytest.raises(InputError, match=r"candidates\['bold'\] on .*: ruined"):
        walk_forward({"bold": FixedMix({"a": 2.0})}, Market(prices, 0.01), train_years=2, test_years=1)
    with pytest.raises(StrategyError, match="names 'z'"):
        walk_forward([FixedMix({"z": 1.0})], market, train_years=2, test_years=1)


def test_nothing_is_warned_where_a_window_has_no_ratio() -> None:
    candidates = {"cash": FixedMix({"a": 0.0}), **CANDIDATES}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walk = walk_forward(candidates, panel(), train_years=2, test_years=1)
    assert walk.n_undefined == len(walk.choices)
    assert walk.scores["cash"].isna().all()
