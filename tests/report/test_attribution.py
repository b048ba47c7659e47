"""Attribution adds up: by period to returns, in the table to total return, mean, volatility and variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import (
    Costs,
    FixedMix,
    InputError,
    Market,
    Monthly,
    attribute_performance,
    run_backtest,
    simulate_market,
)

ALL_COSTS = Costs(0.002, 0.03, bid_ask=0.001, short_fee=0.02, management_fee=0.01)


@settings(max_examples=25)
@given(
    st.integers(0, 100),
    st.floats(-0.5, 1.5),
    st.floats(-0.5, 1.5),
    st.sampled_from((ALL_COSTS, Costs(0.0))),
    st.booleans(),
)
def test_lines_add_up(seed: int, stocks: float, gold: float, costs: Costs, with_flows: bool) -> None:
    market = simulate_market(seed)
    flows = pd.Series(0.1, index=market.index[5:400:50]) if with_flows else None
    mix = FixedMix({"stocks": stocks, "gold": gold})
    backtest = run_backtest(mix, market, costs=costs, allow_short=True, flows=flows)
    attribution = attribute_performance(backtest)
    returns = backtest.returns
    np.testing.assert_allclose(attribution.by_period.sum(axis=1), returns, atol=1e-12)
    lines, total = attribution.table.iloc[:-1], attribution.table.loc["total"]
    periods = market.frequency.periods_per_year
    assert total["total_return"] == pytest.approx((1.0 + returns).prod() - 1.0, rel=1e-9, abs=1e-11)
    assert total["mean_return"] == pytest.approx(returns.mean() * periods, rel=1e-9, abs=1e-11)
    assert total["volatility"] == pytest.approx(returns.std() * np.sqrt(periods), rel=1e-9)
    assert total["risk_share"] == pytest.approx(1.0)
    np.testing.assert_allclose(lines.sum(), total, rtol=1e-12)


def test_by_hand() -> None:
    """Half a, which gains 20 % and 10 %, and half cash at nothing: 10 %, then 0.6/1.1 of 10 %."""
    index = pd.date_range("2000-12-31", periods=3, freq="YE")
    market = Market(pd.DataFrame({"a": [1.0, 1.2, 1.32], "b": [1.0, 2.0, 3.0]}, index=index), 0.0)
    from allocator import BuyAndHold

    backtest = run_backtest(FixedMix({"a": 0.5}), market, rebalancing=BuyAndHold(), costs=Costs(0.0))
    attribution = attribute_performance(backtest)
    assert list(attribution.table.index) == ["a", "cash", "total"]  # b is not held
    np.testing.assert_allclose(attribution.by_period["a"], [0.1, 0.06 / 1.1])
    assert attribution.table.loc["a", "total_return"] == pytest.approx(0.16)


def test_financing_and_each_cost_have_their_lines() -> None:
    market = simulate_market(3)
    mix = FixedMix({"stocks": 1.2, "gold": 0.6, "bonds": -0.3})
    attribution = attribute_performance(run_backtest(mix, market, costs=ALL_COSTS, allow_short=True))
    lines = ["cash", "borrow spread", "short fees", "commissions", "bid ask", "management fee"]
    assert list(attribution.table.index[-7:-1]) == lines
    assert (attribution.table.loc[lines[1:], "total_return"] < 0.0).all()
    for text in (repr(attribution), attribution._repr_html_()):
        assert all(line in text for line in (*lines, "total", "share of risk", "each column adds up"))


def test_a_window_counts_its_own_returns() -> None:
    market = simulate_market(2)
    backtest = run_backtest(FixedMix({"stocks": 0.6, "bonds": 0.4}), market, rebalancing=Monthly())
    dates = backtest.returns.index
    part = attribute_performance(backtest, start=dates[40].date(), end=dates[80].date())
    expected = (1.0 + backtest.returns.iloc[40:81]).prod() - 1.0
    assert part.table.loc["total", "total_return"] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(InputError, match="1 returns are left"):
        attribute_performance(backtest, start=dates[-1].date())


def test_a_portfolio_that_never_moves_has_no_risk_to_share() -> None:
    index = pd.date_range("2000-12-31", periods=4, freq="YE")
    market = Market(pd.DataFrame({"a": [1.0, 1.0, 1.0, 1.0]}, index=index), 0.0)
    table = attribute_performance(run_backtest(FixedMix({"a": 1.0}), market, costs=Costs(0.0))).table
    assert table["risk_share"].isna().all()
    assert (table["total_return"] == 0.0).all()
