"""The money-weighted return: checked against closed forms and the time-weighted return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator import Costs, FixedMix, Market, money_weighted_return, run_backtest, simulate_market
from allocator.errors import InputError, UndefinedStatisticWarning

YEAR = 365.25


def money(*amounts: float, days: tuple[int, ...] | None = None) -> pd.Series:
    after = days if days is not None else tuple(range(len(amounts)))
    dates = pd.Timestamp("2000-01-01") + pd.to_timedelta([round(YEAR * 4) * d // 4 for d in after], unit="D")
    return pd.Series(amounts, index=dates)


@given(st.floats(-0.9, 5.0), st.integers(1, 12_000))
def test_one_payment_earns_its_growth(rate: float, days: int) -> None:
    dates = pd.DatetimeIndex(["2000-01-01", pd.Timestamp("2000-01-01") + pd.Timedelta(days=days)])
    grown = 100.0 * (1.0 + rate) ** (days / YEAR)
    found = money_weighted_return(pd.Series([100.0], index=dates[:1]), pd.Series([100.0, grown], index=dates))
    assert found == pytest.approx(rate, rel=1e-8, abs=1e-9)


def test_two_payments_by_hand() -> None:
    """100 at 0 and 100 after one year of 1461/4 days become 210 after two: 100x² + 100x = 210."""
    paid = pd.Series([100.0, 100.0], index=pd.DatetimeIndex(["2000-01-01", "2004-01-01"]))
    value = pd.Series([210.0], index=pd.DatetimeIndex(["2008-01-01"]))
    fourth = (-1.0 + np.sqrt(1.0 + 4.0 * 2.1)) / 2.0  # growth in four years of 1461 days
    assert money_weighted_return(paid, value) == pytest.approx(fourth**0.25 - 1.0, rel=1e-12)


def test_without_flows_it_is_the_time_weighted_return() -> None:
    market = simulate_market(1)
    backtest = run_backtest(FixedMix({"stocks": 1.0}), market, costs=Costs(0.0))
    days = (backtest.value.index[-1] - backtest.value.index[0]).days
    grown = backtest.value.iloc[-1] ** (YEAR / days) - 1.0
    assert money_weighted_return(backtest.paid_in, backtest.value) == pytest.approx(grown, rel=1e-10)


def test_money_that_comes_before_a_fall_earns_less() -> None:
    """Up by 100 %, then down by half: time-weighted nothing, but most of the money saw only the fall."""
    index = pd.DatetimeIndex(["2000-12-31", "2001-12-31", "2002-12-31"])
    market = Market(pd.DataFrame({"a": [1.0, 2.0, 1.0]}, index=index), 0.0)
    flows = pd.Series([8.0], index=index[1:2])
    backtest = run_backtest(FixedMix({"a": 1.0}), market, costs=Costs(0.0), flows=flows)
    assert list(backtest.paid_in) == [1.0, 8.0]
    assert list(backtest.value) == [1.0, 10.0, 5.0]
    assert (1.0 + backtest.returns).prod() == pytest.approx(1.0)
    assert money_weighted_return(backtest.paid_in, backtest.value) < -0.3


def test_all_lost_is_minus_one() -> None:
    assert money_weighted_return(money(100.0), money(100.0, 0.0)) == -1.0


def test_more_than_one_rate_or_none_is_no_rate() -> None:
    """-100 + 230 x - 132 x² = 0 has the roots 10 % and 20 %."""
    with pytest.warns(UndefinedStatisticWarning, match="2 rates"):
        assert np.isnan(money_weighted_return(money(100.0, -230.0, 132.0), money(1.0, 1.0, 0.0)))
    with pytest.warns(UndefinedStatisticWarning, match="0 rates"):
        assert np.isnan(money_weighted_return(money(-100.0), money(1.0, 5.0)))


def test_refusals() -> None:
    with pytest.raises(InputError, match="paid_in: expected a Series"):
        money_weighted_return([1.0], money(1.0))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="value: expected a Series"):
        money_weighted_return(money(1.0), money(1.0).iloc[:0])
    with pytest.raises(InputError, match="after the last value"):
        money_weighted_return(money(1.0, 1.0), money(1.0))
    with pytest.raises(InputError, match="paid_in on 2000-12-31: is nan"):
        money_weighted_return(money(1.0, np.nan), money(1.0, 1.0))
    with pytest.raises(InputError, match="comes after"):
        money_weighted_return(money(1.0, 2.0).iloc[::-1], money(1.0, 1.0))
