"""What the engine refuses, by the number of the fault, and that the message says where and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_markets import Fixed, Momentum, fixed, random_market

from allocator.engine import Band, Costs, Daily, EveryNRows, Monthly, Strategy, Weekly, Yearly, run_backtest
from allocator.errors import AllocatorError, InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from strategies import RiskParity

INDEX = pd.bdate_range("2020-01-01", periods=90)


def market(n_assets: int = 2) -> Market:
    return Market(random_market(1, n_assets, 90)[0].set_axis(INDEX), 0.01)


@dataclass(frozen=True)
class Answers(Strategy):
    """Answers what it is told to."""

    answer: Callable[[Market], Any]
    name: str = "my idea"

    def weights(self, past: Market) -> Any:
        return self.answer(past)


def refused(answer: Any, *words: str, on: str = "2020-01-01") -> StrategyError:
    """Assert that an answer is refused by a message with the strategy, the date and these words."""
    with pytest.raises(StrategyError) as refusal:
        run_backtest(Answers(answer if callable(answer) else lambda _: answer), market())
    message = str(refusal.value)
    for word in ("'my idea'", on, *words):
        assert word in message, message
    return refusal.value


def bad_argument(argument: str, *words: str, **options: Any) -> InputError:
    with pytest.raises(InputError) as refusal:
        run_backtest(options.pop("strategy", fixed({"SPY": 1.0})), options.pop("market", market()), **options)
    assert refusal.value.argument == argument
    for word in words:
        assert word in str(refusal.value), str(refusal.value)
    return refusal.value


# Weights


def test_F060_percent_for_fractions() -> None:
    refused({"SPY": 60, "TLT": 40}, "sum to 100", "fractions, not percent")


def test_F061_F062_weights_that_are_not_finite() -> None:
    refused({"SPY": float("nan"), "TLT": 1.0}, "'SPY'", "nan")
    refused({"SPY": 0.5, "TLT": float("inf")}, "'TLT'", "inf")


def test_F063_negative_weights() -> None:
    refused({"SPY": 1.2, "TLT": -0.2}, "'TLT'", "-0.2", "short")


def test_F059_F080_rounding_is_not_refused() -> None:
    """What a solver leaves below zero or above one is no short position and no debt worth a word."""
    backtest = run_backtest(fixed({"SPY": 1.0 + 1e-9, "TLT": -1e-10}), market(), lag=0)
    assert (backtest.targets["TLT"] == 0.0).all()
    assert abs(backtest.interest).max() < 1e-10


def test_F064_an_asset_that_is_not_there() -> None:
    refused({"SPYY": 1.0}, "'SPYY'", "did you mean 'SPY'?")
    refused({"bitcoin": 1.0}, "'bitcoin'", "SPY, TLT")


def test_F066_an_asset_twice() -> None:
    refused(pd.Series([0.5, 0.2, 0.5], index=["SPY", "TLT", "SPY"]), "'SPY' twice")


def test_F074_an_answer_that_is_no_mapping() -> None:
    refused(np.array([0.5, 0.5]), "ndarray", "mapping of asset to weight")
    refused(0.5, "float")
    refused({"SPY": "most"}, "'SPY'", "'most'", "not a number")
    refused({"SPY": None}, "'SPY'", "None")


def test_F075_no_answer_or_an_exception() -> None:
    refused(None, "NoneType")
    error = refused(lambda past: {"SPY": 1 / 0}, "ZeroDivisionError", "division by zero")
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.strategy == "my idea"


def test_F075_the_date_is_that_of_the_decision() -> None:
    late = Answers(lambda past: {"SPY": 1.0 if len(past.index) < 30 else float("nan")})
    with pytest.raises(StrategyError, match="on 2020-02-28") as refusal:
        run_backtest(late, market())
    assert refusal.value.date == pd.Timestamp("2020-02-28")


def test_a_series_is_an_answer_too() -> None:
    backtest = run_backtest(Answers(lambda past: pd.Series({"TLT": 0.25, "SPY": 0.75})), market())
    assert dict(backtest.targets.iloc[0]) == {"SPY": 0.75, "TLT": 0.25}


def test_F073_an_asset_without_a_price_yet() -> None:
    late = Market(random_market(1, 2, 90, late=(30,))[0].set_axis(INDEX), 0.01)
    changes_its_mind = Answers(lambda past: {"TLT" if len(past.index) < 12 else "SPY": 1.0})
    with pytest.raises(InsufficientHistoryError) as refusal:
        run_backtest(changes_its_mind, late, rebalancing=Weekly())
    assert refusal.value.asset == "SPY"
    assert refusal.value.rows_needed == 31
    assert "not listed yet" in str(refusal.value)
    assert "unlisted='pro_rata' or 'cash'" in str(refusal.value)
    bad_argument("unlisted", "'skip'", "error, pro_rata, cash", unlisted="skip")


def test_F083_a_window_longer_than_the_history() -> None:
    """The cause, with the rows by the date asked, stays attached."""
    error = bad_argument("prices", "90 rows", "'Risk parity' needs 757", strategy=RiskParity(("SPY", "TLT")))
    assert isinstance(error, InsufficientHistoryError)
    assert error.rows_needed == 758
    assert "a window of 3 years needs 756" in str(error.__cause__)


def test_a_market_too_short_to_trade_in() -> None:
    prices = random_market(1, 1, 3)[0].set_axis(INDEX[:3])
    assert len(run_backtest(fixed({"SPY": 1.0}), Market(prices, 0.0)).returns) == 1
    for strategy in (Momentum(1), Momentum(2)):
        with pytest.raises(
            InsufficientHistoryError, match=r"on 2020-01-03: 3 rows.*longer history"
        ) as refusal:
            run_backtest(strategy, Market(prices, 0.0))
        assert refusal.value.rows_needed == 4


# Kinds


def test_F085_a_rule_that_is_none() -> None:
    bad_argument("rebalancing", "'monthyl'", "Monthly()", rebalancing="monthyl")
    bad_argument("rebalancing", "Monthly()", rebalancing=Monthly)


def test_what_is_not_of_its_kind() -> None:
    bad_argument("strategy", "expected a Strategy", strategy=Fixed)
    bad_argument("strategy", "expected a Strategy", strategy={"SPY": 1.0})
    bad_argument("market", "DataFrame", "Market(prices, cash)", market=market().prices)
    bad_argument("costs", "0.001", "Costs(", costs=0.001)

    class Nameless(Strategy):
        def weights(self, past: Market) -> dict[str, float]:
            return {}

    bad_argument("strategy", "has no name", "name: str", strategy=Nameless())


def test_an_asset_called_cash() -> None:
    """The record has a column of that name for what is not invested."""
    called = Market(market().prices.rename(columns={"TLT": "cash"}), 0.0)
    assert bad_argument("market", "rename", market=called).asset == "cash"


def test_a_rule_finer_than_the_data() -> None:
    months = pd.date_range("2020-01-31", periods=40, freq="ME")
    slow = Market(random_market(1, 2, 40, "monthly")[0].set_axis(months), 0.01)
    for rule in (Daily(), Weekly()):
        bad_argument("rebalancing", str(rule), "monthly data", "Monthly()", market=slow, rebalancing=rule)
    years = pd.date_range("1980-12-31", periods=30, freq="YE")
    yearly = Market(random_market(1, 2, 30, "yearly")[0].set_axis(years), 0.01)
    bad_argument("rebalancing", "Yearly() or slower", market=yearly, rebalancing=Monthly())
    assert run_backtest(fixed({"SPY": 1.0}), yearly).rebalancing == Yearly()


def test_rules_with_a_wrong_number() -> None:
    """F104, and the same for rows."""
    for width in (-0.05, 0.0, 1.0, 5, float("nan"), "5 %"):
        with pytest.raises(InputError, match=r"width.*between 0 and 1.*5 points"):
            Band(width)  # type: ignore[arg-type]
    for n in (0, -1, 2.0, True):
        with pytest.raises(InputError, match=r"^n: .*1 or more"):
            EveryNRows(n)  # type: ignore[arg-type]


# Lag, start, end


def test_F089_a_negative_lag() -> None:
    bad_argument("lag", "-1 would trade on the future", lag=-1)


@pytest.mark.parametrize("lag", [True, 1.5, 1.0, "1"])
def test_F090_a_lag_that_is_no_number_of_rows(lag: Any) -> None:
    bad_argument("lag", type(lag).__name__, "number of rows", lag=lag)


def test_F090_numpy_integers_are_numbers_of_rows() -> None:
    assert run_backtest(fixed({"SPY": 1.0}), market(), lag=np.int64(2)).lag == 2


def test_F091_a_lag_longer_than_the_market() -> None:
    bad_argument("lag", "89 rows", "has 90", lag=89)
    assert len(run_backtest(fixed({"SPY": 1.0}), market(), lag=88).returns) == 1


def test_F106_dates_outside_the_market() -> None:
    bad_argument("start", "2021-01-01", "after the last row", "2020-05-05", start="2021-01-01")
    bad_argument("end", "2019", "2020-01-01 to 2020-05-05", end="2019")
    bad_argument("end", "2030", "2020-01-01 to 2020-05-05", end="2030")
    bad_argument("start", "start on 2020-01-03 or later", start="2012")
    for name in ("start", "end"):
        bad_argument(name, "'soon' is not a date", "2022-03-31", **{name: "soon"})


def test_F107_a_start_after_the_end() -> None:
    bad_argument("start", "2020-04-01", "2020-03-02", start="2020-04-01", end="2020-03-02")


# Costs


def test_F092_costs_in_percent() -> None:
    for rate in (0.1, 5, 0.0501):
        with pytest.raises(InputError, match=r"trading: .*more than 5%; .*10 basis points are 0.001"):
            Costs(rate)
    with pytest.raises(InputError, match=r"borrow_spread: 0.6 is more than 50%"):
        Costs(borrow_spread=0.6)


def test_F093_negative_costs() -> None:
    with pytest.raises(InputError, match=r"trading: is negative, -0.001"):
        Costs(-0.001)
    with pytest.raises(InputError, match=r"borrow_spread: is negative"):
        Costs(0.0, -0.01)
    with pytest.raises(InputError, match=r"trading\['TLT'\]: is negative"):
        Costs({"SPY": 0.001, "TLT": -0.001})


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), None, "5bp", True])
def test_F094_costs_that_are_no_number(rate: Any) -> None:
    with pytest.raises(InputError, match=r"trading: is .*not a number"):
        Costs(rate)
    with pytest.raises(InputError, match=r"trading\['TLT'\]: is .*not a number"):
        Costs({"TLT": rate})
    with pytest.raises(InputError, match=r"borrow_spread: is .*not a number"):
        Costs(borrow_spread=rate)


def test_F095_costs_that_miss_an_asset() -> None:
    error = bad_argument("costs.trading", "no rate", "name every asset", costs=Costs({"SPY": 0.001}))
    assert error.asset == "TLT"


def test_all_refusals_are_caught_as_one() -> None:
    for options in ({"lag": -1}, {"start": "2030"}, {"strategy": fixed({"X": 1.0})}):
        with pytest.raises(AllocatorError):
            run_backtest(options.pop("strategy", fixed({"SPY": 1.0})), market(), **options)  # type: ignore[arg-type]


def test_rates_are_copied_at_the_door() -> None:
    rates = {"SPY": 0.001, "TLT": 0.001}
    costs = Costs(rates)
    rates["SPY"] = -1.0
    assert (costs.charges(("SPY", "TLT")).buying == 0.001).all()
