"""The trailing window of a decision: which assets it has, what is estimated, and when it must wait."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.engine import run_backtest
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.frequency import FREQUENCIES, Frequency
from allocator.market import Market
from allocator.statistics import (
    exponential_covariance,
    ledoit_wolf_covariance,
    ledoit_wolf_identity_covariance,
)
from strategies import (
    CovarianceEstimator,
    ExponentialCovariance,
    LedoitWolfCovariance,
    LedoitWolfIdentityCovariance,
    RiskParity,
    SampleCovariance,
    equal_risk_contribution,
)
from strategies._window import trailing_window

ASSETS = ("stocks", "bonds", "gold", "reits")
ROWS = 60  # of a window of five years of months
ESTIMATORS = [
    SampleCovariance(),
    ExponentialCovariance(),
    LedoitWolfCovariance(),
    LedoitWolfIdentityCovariance(),
]


def prices(n_rows: int = 200, offset: str = "ME") -> pd.DataFrame:
    index = pd.date_range("1990-01-31", periods=n_rows, freq=offset)
    shocks = np.random.default_rng(8).normal(0.004, 1.0, (n_rows, 4)) * [0.045, 0.02, 0.05, 0.06]
    shocks += 0.01 * np.random.default_rng(9).normal(0.0, 1.0, (n_rows, 1))
    return pd.DataFrame(np.exp(np.cumsum(shocks, axis=0)), index=index, columns=list(ASSETS))


def world(late: dict[str, int] | None = None, gone: dict[str, int] | None = None) -> Market:
    """Months of four assets: some listed on a later row, some without a price from a row on."""
    table = prices()
    for asset, row in (late or {}).items():
        table.iloc[:row, list(ASSETS).index(asset)] = np.nan
    for asset, row in (gone or {}).items():
        table.iloc[row:, list(ASSETS).index(asset)] = np.nan
    return Market(table, 0.03, delisted=dict.fromkeys(gone or {}, 0.5))


def window(market: Market, late: str = "leave_out", **changes: Any) -> Any:
    given = {"assets": ASSETS, "years": 5.0, "estimator": SampleCovariance(), **changes}
    return trailing_window(market, late=late, **given)


def known(market: Market, n_rows: int) -> Market:
    return market.until(market.index[n_rows - 1].date())


# What a window has.


def test_a_window_has_the_last_returns_and_their_covariance() -> None:
    market = known(world(), 150)
    for late in ("wait", "leave_out"):
        found = window(market, late)
        assert found.assets == ASSETS
        np.testing.assert_allclose(found.returns, market.returns.iloc[-ROWS:], rtol=1e-12)
        np.testing.assert_allclose(found.covariance, market.returns.iloc[-ROWS:].cov(), rtol=1e-10)
        assert found.periods_per_year == 12


@pytest.mark.parametrize(
    ("offset", "n_rows", "rows"),
    [("B", 800, 756), ("W-FRI", 200, 156), ("ME", 80, 36), ("QE", 40, 20), ("YE", 30, 10)],
)
def test_the_window_by_default(offset: str, n_rows: int, rows: int) -> None:
    market = Market(prices(n_rows, offset), 0.03)
    assert window(market, years=None).returns.shape == (rows, 4)


# Late and gone assets.


def test_who_has_no_full_window_is_left_out() -> None:
    market = world(late={"gold": 50, "reits": 120})
    for n_rows, assets in ((61, 2), (110, 2), (111, 3), (180, 3), (181, 4), (200, 4)):
        found = window(known(market, n_rows))
        assert found.assets == ASSETS[:assets], n_rows
        expected = known(market, n_rows).returns.iloc[-ROWS:, :assets]
        assert not expected.isna().to_numpy().any()
        np.testing.assert_allclose(found.returns, expected, rtol=1e-12)
        assert found.covariance.shape == (assets, assets)


def test_the_order_of_the_assets_is_that_of_the_question() -> None:
    market = known(world(late={"gold": 50, "reits": 120}), 150)
    assert window(market, assets=("gold", "reits", "stocks")).assets == ("gold", "stocks")


def test_who_is_gone_is_left_out() -> None:
    market = world(late={"reits": 100}, gone={"bonds": 130})
    assert window(known(market, 130)).assets == ("stocks", "bonds", "gold")
    assert window(known(market, 131)).assets == ("stocks", "gold")
    assert window(known(market, 170)).assets == ("stocks", "gold", "reits")
    with pytest.raises(InputError, match=r"prices\['bonds'\] on 2000-11-30: delisted") as refusal:
        window(known(market, 170), "wait")
    assert not isinstance(refusal.value, InsufficientHistoryError)


def test_all_gone_is_refused_for_good() -> None:
    market = world(gone={"bonds": 130, "gold": 110})
    with pytest.raises(InputError, match=r"prices\['gold'\] on 1999-03-31: delisted") as refusal:
        window(known(market, 150), assets=("bonds", "gold"))
    assert not isinstance(refusal.value, InsufficientHistoryError)


def test_an_unknown_asset_is_refused() -> None:
    for market in (world(), world(late={"gold": 50})):
        with pytest.raises(InputError, match="the market has no 'silver'"):
            window(market, assets=("stocks", "silver"))


# Waiting.


@pytest.mark.parametrize("late", ["wait", "leave_out"])
def test_too_short_a_history_says_how_many_rows_would_do(late: str) -> None:
    market = world()
    with pytest.raises(InsufficientHistoryError, match=r"59 monthly returns by then; .* needs 60") as refusal:
        window(known(market, 60), late)
    assert refusal.value.rows_needed == 61
    assert window(known(market, 61), late).assets == ASSETS


def test_nobody_yet_and_the_first_to_be_expected() -> None:
    market = world(late={"gold": 50, "reits": 120, "bonds": 80})
    late = ("reits", "gold", "bonds")
    with pytest.raises(
        InsufficientHistoryError,
        match="prices on 1994-06-30: none of the assets has 60 returns, which a window of 5 years needs",
    ) as refusal:
        window(known(market, 54), assets=late)
    assert refusal.value.rows_needed == 50 + ROWS + 1  # gold is listed
    with pytest.raises(InsufficientHistoryError) as refusal:
        window(known(market, 40), assets=late)
    assert refusal.value.rows_needed == 40 + ROWS + 1  # a listing to come is not known, and is a row away
    assert window(known(market, 111), assets=late).assets == ("gold",)


def test_who_is_gone_does_not_make_the_others_decide_early_or_never() -> None:
    market = world(late={"gold": 100}, gone={"bonds": 30})
    with pytest.raises(InsufficientHistoryError) as refusal:
        window(known(market, 120), assets=("bonds", "gold"))
    assert refusal.value.rows_needed == 100 + ROWS + 1


@settings(max_examples=30)
@given(st.tuples(*[st.integers(0, 137)] * 3))
def test_a_backtest_begins_with_the_first_full_window_and_takes_in_each(
    listings: tuple[int, int, int],
) -> None:
    late = dict(zip(ASSETS[1:], listings, strict=True))  # a market has an asset on its first row: stocks
    market = world(late)
    targets = run_backtest(RiskParity(ASSETS[1:], window_years=5.0, late="leave_out"), market, lag=0).targets
    assert targets.index[0] == market.index[min(listings) + ROWS]
    rows = market.index.get_indexer(targets.index)
    for asset, listing in late.items():
        np.testing.assert_array_equal(targets[asset] > 0.0, rows >= listing + ROWS)


def test_risk_parity_takes_assets_in_as_they_come() -> None:
    market = world(late={"gold": 50, "reits": 120})
    strategy = RiskParity(ASSETS, (0.4, 0.3, 0.2, 0.1), window_years=5.0, late="leave_out")
    targets = run_backtest(strategy, market).targets
    held = (targets > 0).sum(axis=1)
    assert held.loc[: market.index[109]].eq(2).all()
    assert held.loc[market.index[110] : market.index[179]].eq(3).all()
    assert held.loc[market.index[180] :].eq(4).all()
    date = targets.index[100]
    covariance = market.returns.loc[:date].iloc[-ROWS:, :3].cov().to_numpy()
    expected = equal_risk_contribution(covariance, [0.4, 0.3, 0.2])
    np.testing.assert_allclose(targets.loc[date, list(ASSETS[:3])], expected, rtol=1e-9)


def test_a_listing_to_come_changes_nothing_before() -> None:
    with_listing, without = world(late={"reits": 120}), world(late={"reits": 199})
    strategy = RiskParity(ASSETS, window_years=5.0, late="leave_out")
    one, two = (run_backtest(strategy, m).targets.iloc[:100] for m in (with_listing, without))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


# Windows that say nothing.


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("late", ["wait", "leave_out"])
def test_fewer_than_twice_as_many_returns_as_assets_are_refused_at_once(
    late: str, estimator: CovarianceEstimator
) -> None:
    table = prices(60)
    many = pd.concat(
        [table, *(table.iloc[::-1].set_index(table.index).add_suffix(str(k)) for k in range(2))], axis=1
    )
    many = many.mask(np.arange(60)[:, None] < np.arange(12) * 2)  # most list late: refused before they do
    market = Market(many, 0.03)
    assets = tuple(market.assets)
    with pytest.raises(InputError, match="12 assets need at least 24; ask for 2 years or more") as refusal:
        trailing_window(known(market, 20), assets, 1.0, estimator, late)
    assert not isinstance(refusal.value, InsufficientHistoryError)
    with pytest.raises(StrategyError, match=r"on 1990-01-31: years: .*12 assets need at least 24"):
        run_backtest(RiskParity(assets, window_years=1.0, covariance=estimator, late=late), market)


@pytest.mark.parametrize("late", ["wait", "leave_out"])
def test_an_asset_that_does_not_vary_has_no_risk_to_measure(late: str) -> None:
    table = prices()
    table.iloc[60:, 1] = table.iloc[60, 1] * 1.001 ** np.arange(140)
    market = Market(table, 0.03)
    assert window(known(market, 120), late).assets == ASSETS
    problem = re.escape(
        "prices['bonds'] on 2000-01-31: the returns of the last 5 years do not vary: no risk to"
    )
    with pytest.raises(InputError, match=problem):
        window(known(market, 121), late)
    with pytest.raises(StrategyError, match=rf"on 2000-01-31: {problem}"):
        run_backtest(RiskParity(ASSETS, window_years=5.0, late=late), market)


@final
@dataclass(frozen=True)
class Answer(CovarianceEstimator):
    """A user's estimator that answers what it is told."""

    answer: Any

    def estimate(self, returns: Any, frequency: Frequency) -> Any:
        return self.answer


def test_an_estimator_must_answer_a_finite_matrix() -> None:
    with pytest.raises(InputError, match=r"covariance: Answer answered \(2, 2\) for 4 assets"):
        window(world(), estimator=Answer(np.eye(2)))
    with pytest.raises(InputError, match=r"covariance: Answer answered what is no number for 4 assets"):
        window(world(), estimator=Answer(np.full((4, 4), np.nan)))
    table = pd.DataFrame(np.eye(4), index=list(ASSETS), columns=list(ASSETS))
    np.testing.assert_array_equal(window(world(), estimator=Answer(table)).covariance, np.eye(4))


# Estimators.


def test_estimators_are_the_functions_of_the_same_name() -> None:
    found = window(world())
    returns, monthly, daily = found.returns, FREQUENCIES["monthly"], FREQUENCIES["daily"]
    np.testing.assert_allclose(found.covariance, np.cov(returns, rowvar=False), rtol=1e-12)
    for estimator, expected in (
        (LedoitWolfCovariance(), ledoit_wolf_covariance(returns).covariance),
        (LedoitWolfIdentityCovariance(), ledoit_wolf_identity_covariance(returns).covariance),
        (ExponentialCovariance(0.5, 2.0), exponential_covariance(returns, 6.0, 24.0)),
    ):
        np.testing.assert_array_equal(estimator.estimate(returns, monthly), expected)
    expected = exponential_covariance(returns, 63.0, 126.0)
    np.testing.assert_array_equal(ExponentialCovariance(0.25, 0.5).estimate(returns, daily), expected)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("frequency", FREQUENCIES.values(), ids=str)
def test_every_estimator_does_by_default_at_every_frequency(
    estimator: CovarianceEstimator, frequency: Frequency
) -> None:
    returns = window(world()).returns
    matrix = estimator.estimate(returns, frequency)
    assert matrix.shape == (4, 4)
    assert np.linalg.eigvalsh(matrix)[0] > 0.0


@pytest.mark.parametrize("bad", [63, 0, -1.0, np.nan, np.inf])
def test_half_lives_are_in_years(bad: float) -> None:
    with pytest.raises(InputError, match=r"volatility_half_life_years: .*63 days are 0.25 years"):
        ExponentialCovariance(bad)
    with pytest.raises(InputError, match=r"correlation_half_life_years: .*63 days are 0.25 years"):
        ExponentialCovariance(1.0, bad)


def test_a_half_life_shorter_than_a_period_is_refused() -> None:
    problem = "covariance: a half-life of 0.05 years is shorter than a period of monthly data; ask for 0.0833"
    with pytest.raises(InputError, match=problem):
        window(world(), estimator=ExponentialCovariance(1.0, 0.05))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_estimators_are_parameters_like_others(estimator: CovarianceEstimator) -> None:
    assert dataclasses.replace(estimator) == estimator
    assert len({*ESTIMATORS, estimator}) == 4
    strategy = RiskParity(ASSETS, window_years=5.0, covariance=estimator)
    targets = run_backtest(strategy, world()).targets
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, rtol=1e-12)
    assert hash(strategy) == hash(dataclasses.replace(strategy))
