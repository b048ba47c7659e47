"""Timing: each lag is its own backtest over the same dates, and a change has a paired error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import TimingSensitivity, timing_sensitivity
from allocator.engine import Costs, FixedMix, Monthly, Strategy, TargetWeights, run_backtest
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from strategies import RiskParity


def daily_market(seed: int = 0, n_rows: int = 500, edge: float = 0.0) -> Market:
    """Two assets; with an edge, a return carries over to the next row."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(0.0003, 0.01, (n_rows, 2))
    steps = shocks.copy()
    steps[1:] += edge * shocks[:-1]
    prices = 100.0 * np.exp(steps.cumsum(axis=0))
    index = pd.bdate_range("2015-01-01", periods=n_rows)
    return Market(pd.DataFrame(prices, index=index, columns=["a", "b"]), 0.01, name="two assets")


@dataclass(frozen=True)
class Yesterday(Strategy):
    """Holds what rose in the last row."""

    name: str = "yesterday"

    def weights(self, past: Market) -> dict[str, float]:
        if len(past.index) < 30:
            raise InsufficientHistoryError("prices", "short", rows_needed=30)
        rise = past.levels[-1] / past.levels[-2]
        return {"a": float(rise[0] > rise[1]), "b": float(rise[0] <= rise[1])}


def study(edge: float = 0.0, **options: Any) -> TimingSensitivity:
    return timing_sensitivity(Yesterday(), daily_market(edge=edge), rebalancing=al.Daily(), **options)


def test_each_lag_is_its_own_backtest_over_the_same_dates() -> None:
    market = daily_market()
    found = study(costs=Costs(0.001))
    assert list(found.table.index) == [0, 1, 2, 3, 4, 5]
    first = found.dates[0].date()
    assert market.index.get_loc(found.dates[0]) == 29 + 5 + 1  # as early as the longest lag allows
    for lag, backtest in zip(found.table.index, found.backtests, strict=True):
        alone = run_backtest(
            Yesterday(), market, rebalancing=al.Daily(), costs=Costs(0.001), lag=lag, start=first
        )
        pd.testing.assert_series_equal(backtest.returns, alone.returns)
        row = found.table.loc[lag]
        assert row["sharpe"] == al.sharpe_ratio(alone.returns, alone.cash_returns)
        assert row["sharpe_se"] == al.sharpe_standard_error(alone.returns, alone.cash_returns)
        assert row["max_drawdown"] == al.max_drawdown(alone.returns)
        assert row["cagr"] == al.cagr(alone.returns, start=alone.value.index[0])
        assert row["volatility"] == al.volatility(alone.returns)
        years = (alone.value.index[-1] - alone.value.index[0]).days / 365.25
        assert row["turnover"] == pytest.approx(alone.turnover.iloc[1:].sum() / years)


def test_the_change_is_the_difference_of_the_numbers_in_the_table() -> None:
    found = study()
    base = found.table.loc[1]
    assert found.default_lag == 1
    np.testing.assert_allclose(
        found.table["sharpe_change"], found.table["sharpe"] - base["sharpe"], atol=1e-12
    )
    means = np.array([each.returns.mean() * 252 for each in found.backtests])
    np.testing.assert_allclose(found.table["mean_change"], means - means[1], atol=1e-12)
    assert (found.table.loc[1, ["mean_change_se", "sharpe_change_se"]] == 0.0).all()


def test_an_edge_that_lives_a_row_is_found_and_none_is_not() -> None:
    edge = study(edge=0.5).table  # seen at lag 0 only: lag 1 trades after it is gone
    assert edge.loc[0, "sharpe_change"] > 4 * edge.loc[0, "sharpe_change_se"]
    none = study().table.drop(1)
    assert (none["sharpe_change"].abs() < 3.5 * none["sharpe_change_se"]).all()


def test_the_paired_error_agrees_with_that_of_independent_rows() -> None:
    """Of rows that do not depend on one another the error of a mean is sd / √n."""
    found = study(lags=[0, 1], n_resamples=8000)
    other, base = (each.returns.to_numpy() for each in found.backtests)
    difference = other - base
    expected = difference.std(ddof=1) / np.sqrt(len(difference)) * 252
    assert found.table.loc[0, "mean_change_se"] == pytest.approx(expected, rel=0.25)
    assert found.table.loc[0, "mean_change_se"] < 0.8 * (  # pairing is worth something
        np.hypot(other.std(), base.std()) / np.sqrt(len(base)) * 252 * 1.4
    )


def test_a_lag_that_changes_nothing_changes_by_nothing() -> None:
    """Bought once, never traded, and alike: each lag holds the same units."""
    market = daily_market()
    both = FixedMix({"a": 1.0})
    found = timing_sensitivity(both, market, rebalancing=al.BuyAndHold())
    assert (found.table[["mean_change", "mean_change_se", "sharpe_change_se"]] == 0.0).all(axis=None)


def test_the_default_lag_is_always_there_and_depends_on_the_data() -> None:
    assert list(study(lags=[3]).table.index) == [1, 3]
    history = al.load_us_history()
    found = timing_sensitivity(RiskParity(), history, lags=[2])
    assert (found.default_lag, list(found.table.index)) == (0, [0, 2])


def test_a_table_of_weights_and_a_given_window() -> None:
    market = daily_market()
    table = pd.DataFrame({"a": [1.0, 0.2], "b": [0.0, 0.8]}, index=market.index[[10, 100]])
    found = timing_sensitivity(TargetWeights(table), market, start="2015-06-01", end="2016-03-31")
    assert found.dates[0] == pd.Timestamp("2015-06-01")
    assert found.dates[-1] == pd.Timestamp("2016-03-31")
    assert all(len(each.returns) == found.n for each in found.backtests)


def test_too_few_returns_have_no_error() -> None:
    market = daily_market(n_rows=14)
    found = timing_sensitivity(FixedMix({"a": 0.5, "b": 0.5}), market, rebalancing=al.Weekly())
    assert found.n < 12
    assert found.table.drop(1)[["mean_change_se", "sharpe_change_se"]].isna().all(axis=None)
    assert "–" in str(found)


def test_it_prints_which_lag_is_the_default_how_many_returns_and_how() -> None:
    found = study()
    text = str(found)
    assert "1 (default)" in text
    assert f"n={found.n:,} returns" in text
    assert "default lag on daily data: 1 row;" in text
    assert "seed 0" in text
    assert "<table>" in found._repr_html_()
    assert "two assets" in found._repr_html_()


def test_the_seed_decides_the_errors_and_nothing_else() -> None:
    one, two, three = study(seed=1).table, study(seed=1).table, study(seed=2).table
    pd.testing.assert_frame_equal(one, two)
    assert not one["sharpe_change_se"].equals(three["sharpe_change_se"])
    pd.testing.assert_series_equal(one["sharpe_change"], three["sharpe_change"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lags": []}, r"lags: \[\]"),
        ({"lags": 3}, "lags: 3"),
        ({"lags": [-1]}, "lags: -1 is no number of rows"),
        ({"lags": [True]}, "lags: True"),
        ({"lags": [1.5]}, "lags: 1.5"),
        ({"lags": [1000]}, "lags: 1000"),
        ({"n_resamples": 1}, "n_resamples: 1"),
        ({"start": "2015-01-20"}, "start: 2015-01-20 is too early"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        study(**options)


def test_a_history_too_short_for_the_longest_lag_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="no return is left at a lag of 5 rows"):
        timing_sensitivity(Yesterday(), daily_market(n_rows=34), rebalancing=al.Daily())


def test_a_ruin_leaves_no_common_window() -> None:
    index = pd.bdate_range("2020-01-01", periods=60)
    prices = pd.DataFrame({"a": np.r_[np.full(40, 100.0), np.full(20, 40.0)]}, index=index)
    with pytest.raises(InputError, match="is ruined at lag 0: there is no common window"):
        timing_sensitivity(FixedMix({"a": 2.0}), Market(prices, 0.0), rebalancing=Monthly())
