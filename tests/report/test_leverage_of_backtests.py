"""What leverage did to a backtest: the parts add up to the mean return of the record, whatever happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator import (
    Band,
    BuyAndHold,
    Costs,
    FixedMix,
    InputError,
    LeverageAttribution,
    Market,
    Monthly,
    attribute_leverage,
    load_us_history,
    run_backtest,
    simulate_market,
)
from strategies import RiskParity, SixtyForty

ALL_COSTS = Costs(0.002, 0.03, bid_ask=0.001, fixed=1e-5, management_fee=0.01)


def mean_of_parts(found: LeverageAttribution) -> float:
    return float(found.table["mean"].iloc[:-1].sum())


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 100),
    st.floats(0.0, 1.5),
    st.floats(0.0, 1.5),
    st.sampled_from((ALL_COSTS, Costs(0.0), Costs())),
    st.sampled_from((Monthly(), Band(0.05), BuyAndHold())),
    st.booleans(),
)
def test_parts_add_up_to_the_mean_return(
    seed: int, stocks: float, gold: float, costs: Costs, rule: object, with_flows: bool
) -> None:
    market = simulate_market(seed)
    flows = pd.Series(0.1, index=market.index[5:400:50]) if with_flows else None
    mix = FixedMix({"stocks": stocks, "gold": gold})
    backtest = run_backtest(mix, market, rebalancing=rule, costs=costs, flows=flows)
    found = attribute_leverage(backtest, n_resamples=2)
    assert mean_of_parts(found) == pytest.approx(backtest.returns.mean(), abs=1e-12)
    assert found.table.loc["levered return", "mean"] == pytest.approx(backtest.returns.mean(), abs=1e-12)
    held = backtest.weights.drop(columns="cash").sum(axis=1).iloc[:-1].to_numpy()
    np.testing.assert_allclose(found.by_period["leverage"], held, atol=1e-12)
    rate = found.by_period["borrowing"] - found.by_period["cash"]
    paid = -np.maximum(held - 1.0, 0.0) * rate
    value = backtest.value.to_numpy()[:-1]
    np.testing.assert_allclose(paid, backtest.itemised["borrow_spread"].iloc[1:] / value, atol=1e-12)


def test_by_hand() -> None:
    """Twice a, which gains 10 % and loses 5 %; cash earns 1 %, and a loan costs half a percent more."""
    index = pd.date_range("2000-12-31", periods=3, freq="YE")
    market = Market(pd.DataFrame({"a": [1.0, 1.1, 1.045]}, index=index), 0.01)
    backtest = run_backtest(FixedMix({"a": 2.0}), market, costs=Costs(0.0, 0.005))
    found = attribute_leverage(backtest)
    np.testing.assert_allclose(found.by_period["source"], [0.10, -0.05])
    np.testing.assert_allclose(found.by_period["leverage"], [2.0, 2.0])
    np.testing.assert_allclose(found.table["mean"], [0.025, 0.015, 0.0, -0.005, 0.035], atol=1e-15)
    np.testing.assert_allclose(backtest.returns, [0.2 - 0.015, -0.1 - 0.015])


def test_the_build_is_a_trading_cost() -> None:
    """1 % is paid before anything is held: what is missing at the end is 0.01/1.01, grown by 10 %."""
    index = pd.date_range("2000-12-31", periods=2, freq="YE")
    market = Market(pd.DataFrame({"a": [1.0, 1.1]}, index=index), 0.0)
    backtest = run_backtest(FixedMix({"a": 1.0}), market, costs=Costs(0.01))
    found = attribute_leverage(backtest).table["mean"]
    assert found["source return"] == pytest.approx(0.1)
    assert found["trading costs"] == pytest.approx(-0.01 / 1.01 * 1.1)
    assert found["levered return"] == pytest.approx(1.1 / 1.01 - 1.0)


def test_levered_risk_parity_in_us_history() -> None:
    market = load_us_history()
    backtest = run_backtest(RiskParity(target_volatility=0.10), market)
    found = attribute_leverage(backtest)
    assert mean_of_parts(found) == pytest.approx(backtest.returns.mean(), abs=1e-12)
    assert found.mean_leverage > 1.2
    plain = attribute_leverage(run_backtest(RiskParity(), market))
    source = "source return"
    assert found.table.loc[source, "annual"] == pytest.approx(plain.table.loc[source, "annual"], abs=1e-3)
    assert (
        found.table.loc["magnified by leverage", "annual"]
        > 0.0
        > found.table.loc["borrowing above cash", "annual"]
    )
    assert (found.table.loc["covariance with leverage", "standard_error"]) > 0.0
    text = repr(found)
    assert text.startswith("Leverage: Risk parity, ")
    assert "source return: gains of the assets per unit of leverage" in text
    assert "3-month US Treasury bill" in text


def test_an_unlevered_strategy_has_only_a_source_and_costs() -> None:
    found = attribute_leverage(run_backtest(SixtyForty(), load_us_history())).table
    np.testing.assert_array_equal(found.iloc[1:4]["mean"], 0.0)
    assert list(found.index[4:]) == ["trading costs", "levered return"]


def test_periods_without_assets_earn_cash_and_say_so() -> None:
    market = simulate_market(1)
    targets = pd.DataFrame(0.0, index=market.index[[0, 500]], columns=["stocks"])
    targets.iloc[1] = 1.5
    from allocator import TargetWeights

    backtest = run_backtest(TargetWeights(targets), market, lag=0)
    found = attribute_leverage(backtest, n_resamples=2)
    assert mean_of_parts(found) == pytest.approx(backtest.returns.mean(), abs=1e-12)
    idle = found.by_period["leverage"] == 0.0
    assert idle.sum() == 500
    pd.testing.assert_series_equal(
        found.by_period["source"][idle], found.by_period["cash"][idle], check_names=False
    )
    assert "and cash in the 500 periods without assets" in repr(found)


def test_a_ruin_is_in_the_parts() -> None:
    index = pd.date_range("2000-12-31", periods=4, freq="YE")
    market = Market(pd.DataFrame({"a": [1.0, 1.2, 0.4, 0.5]}, index=index), 0.02)
    backtest = run_backtest(FixedMix({"a": 2.0}), market, costs=Costs(0.001, 0.01))
    assert backtest.ruined_on == index[2]
    found = attribute_leverage(backtest)
    assert mean_of_parts(found) == pytest.approx(backtest.returns.mean(), abs=1e-12)
    assert found.table.loc["written off", "mean"] > 0.0


def test_shorts_are_refused() -> None:
    market = simulate_market(1)
    mix = FixedMix({"stocks": 1.3, "gold": -0.3})
    backtest = run_backtest(mix, market, allow_short=True)
    with pytest.raises(InputError, match=r"backtest\['gold'\] on 20.*: is short: .*attribute_performance"):
        attribute_leverage(backtest)
