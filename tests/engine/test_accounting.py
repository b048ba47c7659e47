"""What money does: it is conserved, costs are paid once, borrowing is financed, ruin ends the run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engine_markets import (
    SHARED,
    Fixed,
    Momentum,
    any_costs,
    any_strategy,
    fixed,
    random_market,
    rules,
    small_markets,
    targets,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from allocator.engine import (
    Backtest,
    Band,
    BuyAndHold,
    Costs,
    EveryNRows,
    Monthly,
    Rebalancing,
    Strategy,
    Weekly,
    run_backtest,
)
from allocator.engine.costs import Charges
from allocator.engine.trade_cost import self_financing_cost
from allocator.errors import AllocatorError
from allocator.market import Market

FREE = Costs(0.0, 0.0)
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def plain_market(n_rows: int = 120, cash: float = 0.02) -> Market:
    return Market(random_market(7, 3, n_rows)[0], cash)


def case(name: str) -> dict[str, Any]:
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/cases/{name}, which is not part of the project")
    return json.loads(path.read_text())


def one_asset(returns: list[float], cash: float | list[float] = 0.0) -> Market:
    """Monthly prices of one asset with these returns; cash by year, or by month."""
    index = pd.date_range("2001-01-31", periods=len(returns) + 1, freq="ME")
    prices = pd.DataFrame({"a": np.cumprod([100.0, *(1.0 + np.array(returns))])}, index=index)
    return Market(prices, cash if isinstance(cash, float) else pd.Series([0.0, *cash], index=index))


@st.composite
def random_runs(draw: st.DrawFn) -> tuple[Strategy, Market, dict[str, Any]]:
    market = draw(small_markets())
    options = {
        "rebalancing": draw(rules(market.frequency.name)),
        "costs": draw(any_costs(market.assets)),
        "lag": draw(st.integers(0, 3)),
        "unlisted": draw(st.sampled_from(("error", "pro_rata", "cash"))),
    }
    return draw(any_strategy(market.assets)), market, options


def run_or_reject(strategy: Strategy, market: Market, **options: Any) -> Backtest:
    try:
        return run_backtest(strategy, market, **options)
    except AllocatorError:
        assume(False)
        raise


# Conservation


@settings(max_examples=100, deadline=None)
@given(random_runs())
def test_value_changes_by_gains_and_interest_less_costs_and_by_nothing_else(run: Any) -> None:
    strategy, market, options = run
    backtest = run_or_reject(strategy, market, **options)
    assume(backtest.ruined_on is None)
    value = backtest.value.to_numpy()
    money = backtest.weights.drop(columns="cash").to_numpy() * value[:, None]
    prices = market.prices.loc[backtest.value.index].bfill().to_numpy()
    gains = (money[:-1] * (prices[1:] / prices[:-1] - 1.0)).sum(axis=1)
    costs = backtest.trading_costs.sum(axis=1).reindex(backtest.value.index).fillna(0.0).to_numpy()
    expected = value[:-1] + gains + backtest.interest.to_numpy() - costs[1:]
    np.testing.assert_allclose(value[1:], expected, rtol=1e-11)
    assert value[0] == pytest.approx(1.0 - costs[0], rel=1e-14)


@settings(max_examples=100, deadline=None)
@given(random_runs())
def test_the_record_fits_together(run: Any) -> None:
    strategy, market, options = run
    backtest = run_or_reject(strategy, market, **options)
    compounded = np.cumprod(1.0 + backtest.returns.to_numpy())
    np.testing.assert_allclose(compounded, backtest.value.to_numpy()[1:], **CLOSE)
    alive = backtest.value.to_numpy() > 0.0
    np.testing.assert_allclose(backtest.weights.sum(axis=1)[alive], 1.0, **CLOSE)
    held = backtest.weights.loc[backtest.targets.index].drop(columns="cash")
    np.testing.assert_allclose(held, backtest.targets, **CLOSE)  # the targets hold after the cost
    assert (backtest.value.iloc[:-1] > 0.0).all()
    assert (backtest.trading_costs >= 0.0).all(axis=None)
    rates = options["costs"].charges(market.assets).buy
    np.testing.assert_allclose(backtest.trading_costs, backtest.trades.abs() * rates, **CLOSE)


# Costs


def charges(rates: Any, selling: Any = None, *, is_exact: bool = True) -> Charges:
    return Charges(rates, rates if selling is None else selling, np.zeros(len(rates)), 0.0, is_exact)


def test_the_self_financing_cost_is_the_published_one() -> None:
    for row in case("H_selffinancing_cost.json")["rows"]:
        before, target, rates = (np.array(row[key], dtype=float) for key in ("w_before", "w_target", "cost"))
        kappa = self_financing_cost(before[None], target[None], charges(rates))[0]
        assert kappa == pytest.approx(row["kappa_exact"], rel=1e-13)
        first_order = self_financing_cost(before[None], target[None], charges(rates, is_exact=False))[0]
        assert first_order == pytest.approx(row["kappa_first_order"], rel=1e-13)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0.0, 0.05), st.floats(0.0, 3.0))
def test_the_cost_solves_its_equation(seed: int, n_assets: int, most: float, gross: float) -> None:
    rng = np.random.default_rng(seed)
    before, target = rng.random((5, n_assets)), rng.random((5, n_assets)) * (rng.random(n_assets) > 0.3)
    target = gross * target / np.maximum(target.sum(axis=1), 1e-300)[:, None]
    before[1], before[2] = target[1], 0.0
    before[3], target[3] = -before[3], -target[3]
    buying, selling = rng.random((2, n_assets)) * most
    kappa = self_financing_cost(before, target, charges(buying, selling))
    moved = target * (1.0 - kappa)[:, None] - before
    paid = (np.where(moved > 0.0, buying, selling) * np.abs(moved)).sum(axis=1)
    np.testing.assert_allclose(kappa, paid, rtol=1e-13, atol=1e-16)


def test_half_a_percent_of_the_first_build_is_half_a_percent_less() -> None:
    """All in one asset at a cost c: what is bought is 1 / (1 + c)."""
    backtest = run_backtest(fixed({"SPY": 1.0}), plain_market(), costs=Costs(0.005))
    assert backtest.value.iloc[0] == pytest.approx(1 / 1.005, rel=1e-15)
    assert backtest.trading_costs.iloc[0].sum() == pytest.approx(0.005 / 1.005, rel=1e-14)
    free = run_backtest(fixed({"SPY": 1.0}), plain_market(), costs=FREE)
    assert backtest.returns.iloc[0] == pytest.approx((1 + free.returns.iloc[0]) / 1.005 - 1, rel=1e-13)


@settings(max_examples=60, deadline=None)
@given(random_runs(), st.sampled_from((0.0, 0.001, 0.01)), st.sampled_from((0.0, 0.001, 0.04)))
def test_higher_costs_never_leave_more(run: Any, low: float, more: float) -> None:
    """On calendar rules: a band may trade at other times, because costs do not move weights, so there too."""
    strategy, market, options = run
    high = min(low + more, 0.05)
    cheap = run_or_reject(strategy, market, **options | {"costs": Costs(low)})
    dear = run_backtest(strategy, market, **options | {"costs": Costs(high)})
    both = dear.value.index
    assert (dear.value <= cheap.value.reindex(both).fillna(0.0) * (1 + 1e-12)).all()


def test_the_spread_does_nothing_without_leverage() -> None:
    """F101."""
    market = plain_market()
    for weights in ({"SPY": 0.5, "TLT": 0.25}, {"SPY": 0.5, "TLT": 0.5}):
        runs = [run_backtest(fixed(weights), market, costs=Costs(0.0, spread)) for spread in (0.0, 0.3)]
        assert np.array_equal(runs[0].value, runs[1].value)


# Invariances


@settings(max_examples=60, deadline=None)
@given(random_runs(), st.lists(st.sampled_from((1e-6, 0.01, 3.0, 1e5)), min_size=5, max_size=5))
def test_the_unit_of_a_price_does_not_matter(run: Any, factors: list[float]) -> None:
    strategy, market, options = run
    assume(not isinstance(options["rebalancing"], Band))  # a tie could go the other way
    scaled = Market(market.prices * factors[: len(market.assets)], market.cash_returns)
    one, two = (run_or_reject(strategy, m, **options) for m in (market, scaled))
    np.testing.assert_allclose(one.value, two.value, **CLOSE)
    np.testing.assert_allclose(one.turnover, two.turnover, **CLOSE)


@settings(max_examples=60, deadline=None)
@given(random_runs(), st.randoms())
def test_the_order_of_the_assets_does_not_matter(run: Any, random: Any) -> None:
    strategy, market, options = run
    assume(not isinstance(options["rebalancing"], Band))
    order = list(market.assets)
    random.shuffle(order)
    shuffled = Market(market.prices[order], market.cash_returns)
    one, two = (run_or_reject(strategy, m, **options) for m in (market, shuffled))
    np.testing.assert_allclose(one.value, two.value, **CLOSE)
    np.testing.assert_allclose(one.trades, two.trades[list(market.assets)], **CLOSE)
    np.testing.assert_allclose(one.weights, two.weights[list(one.weights)], **CLOSE)


RULES: tuple[Rebalancing, ...] = (Weekly(), Monthly(), EveryNRows(5), BuyAndHold(), Band(0.02))


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_asset_that_is_not_held_changes_nothing(rule: Rebalancing) -> None:
    market = plain_market()
    weights = {"SPY": 0.7, "TLT": 0.5}
    with_it = run_backtest(fixed(weights | {"GLD": 0.0}), market, rebalancing=rule)
    without = run_backtest(
        fixed(weights), Market(market.prices[["SPY", "TLT"]], market.cash_returns), rebalancing=rule
    )
    assert np.array_equal(with_it.value, without.value)
    assert (with_it.trades["GLD"] == 0.0).all()


@pytest.mark.parametrize("rule", [rule for rule in RULES if not isinstance(rule, Band)], ids=str)
def test_half_of_an_asset_twice_is_the_asset(rule: Rebalancing) -> None:
    """Not for bands: half the weight drifts half the points."""
    market = plain_market()
    halves = market.prices.assign(EFA=2.5 * market.prices["SPY"])
    one = run_backtest(fixed({"SPY": 0.6, "TLT": 0.4}), market, rebalancing=rule)
    two = run_backtest(
        fixed({"SPY": 0.3, "TLT": 0.4, "EFA": 0.3}), Market(halves, market.cash_returns), rebalancing=rule
    )
    np.testing.assert_allclose(one.value, two.value, **CLOSE)
    np.testing.assert_allclose(one.turnover, two.turnover, **CLOSE)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_asset_that_earns_the_cash_return_is_cash(rule: Rebalancing) -> None:
    prices, cash = random_market(9, 1, 150)
    both = prices.assign(bills=np.cumprod(1.0 + cash.to_numpy()))
    as_cash = run_backtest(fixed({"SPY": 0.6}), Market(prices, cash), rebalancing=rule, costs=FREE)
    as_asset = run_backtest(
        fixed({"SPY": 0.6, "bills": 0.4}), Market(both, cash), rebalancing=rule, costs=FREE
    )
    np.testing.assert_allclose(as_cash.value, as_asset.value, **CLOSE)
    assert as_cash.interest.sum() != 0.0
    np.testing.assert_allclose(as_asset.interest, 0.0, **CLOSE)


# Closed forms


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_buy_and_hold_is_the_sum_of_the_price_ratios(data: st.DataObject) -> None:
    prices, _ = random_market(data.draw(st.integers(0, 10_000)), 4, 60, "weekly")
    strategy = data.draw(targets(tuple(prices.columns)))
    weights = pd.Series(dict(strategy.target))
    cash = 1.0 - weights.sum()
    market = Market(prices, 0.0)
    backtest = run_backtest(strategy, market, rebalancing=BuyAndHold(), costs=FREE)
    assert len(backtest.targets) == 1
    expected = (prices / prices.iloc[0] * weights).sum(axis=1) + cash
    expected = expected[: len(backtest.value)]
    alive = backtest.value.to_numpy() > 0.0
    np.testing.assert_allclose(backtest.value[alive], expected[alive], **CLOSE)


def test_trading_on_every_row_for_free_earns_the_weighted_mean() -> None:
    market = plain_market(cash=0.05)
    weights = pd.Series({"SPY": 0.5, "TLT": 0.2, "GLD": 0.1})
    backtest = run_backtest(fixed(weights.to_dict()), market, rebalancing=EveryNRows(1), costs=FREE, lag=0)
    expected = (market.returns * weights).sum(axis=1) + 0.2 * market.cash_returns
    np.testing.assert_allclose(backtest.returns, expected, **CLOSE)


def test_borrowed_money_pays_cash_and_the_spread() -> None:
    """F058: leverage needs no switch, because it is always financed, and itemised."""
    returns, cash = [0.04, -0.03, 0.02, 0.05, -0.01], [0.003, 0.002, 0.004, -0.001, 0.002]
    spread = 1.01 ** (1 / 12) - 1
    backtest = run_backtest(
        fixed({"a": 1.5}), one_asset(returns, cash), rebalancing=Monthly(), costs=Costs(0.0, 0.01), lag=0
    )
    expected = [1.5 * r - 0.5 * (c + spread) for r, c in zip(returns, cash, strict=True)]
    np.testing.assert_allclose(backtest.returns, expected, **CLOSE)
    paid = [-0.5 * v * (c + spread) for v, c in zip(backtest.value, cash, strict=False)]
    np.testing.assert_allclose(backtest.interest, paid, **CLOSE)
    held = run_backtest(
        fixed({"a": 1.5}), one_asset(returns, cash), rebalancing=BuyAndHold(), costs=Costs(0.0, 0.01)
    )
    debt = 0.5 * np.prod([1 + c + spread for c in cash])
    assert held.value.iloc[-1] == pytest.approx(1.5 * np.prod(1 + np.array(returns)) - debt, rel=1e-13)
    assert "borrowing at cash + 1.00%" in repr(backtest)


def test_what_is_not_invested_earns_cash() -> None:
    """F057: the rest is cash, and its interest is itemised."""
    backtest = run_backtest(fixed({"a": 0.97}), one_asset([0.0, 0.0], [0.01, 0.02]), lag=0, costs=FREE)
    np.testing.assert_allclose(backtest.interest, [0.03 * 0.01, 0.03 * 1.0003 * 0.02], **CLOSE)
    assert backtest.weights["cash"].iloc[0] == pytest.approx(0.03)


def test_nothing_at_all_is_all_cash() -> None:
    market = one_asset([0.1, -0.2], [0.01, -0.005])
    backtest = run_backtest(fixed({"cash": 1.0}), market)
    np.testing.assert_allclose(backtest.value, [1.0, 1.01, 1.01 * 0.995], **CLOSE)
    assert (backtest.turnover == 0.0).all()
    assert "cash" in repr(backtest)


# Ruin (F102)


def test_F102_ruin_stops_the_run_on_its_date() -> None:
    market = one_asset([0.05, -0.6, 0.9, 0.9])
    for rule in (Monthly(), BuyAndHold(), Band(0.5)):
        backtest = run_backtest(fixed({"a": 2.0}), market, rebalancing=rule, costs=Costs(0.001), lag=0)
        assert (
            backtest.ruined_on == market.index[2] == backtest.value.index[-1] == backtest.interest.index[-1]
        )
        assert backtest.value.iloc[-1] == 0.0
        assert backtest.returns.iloc[-1] == -1.0
        assert (backtest.value.iloc[:-1] > 0.0).all()
        assert (backtest.weights.iloc[-1] == 0.0).all()
        assert backtest.targets.index[-1] < backtest.ruined_on
        assert len(backtest.decided) == len(backtest.targets) == len(backtest.turnover)
        assert "RUINED on 2001-03-31" in repr(backtest)


def test_F102_a_value_of_exactly_nothing_is_ruin() -> None:
    backtest = run_backtest(fixed({"a": 2.0}), one_asset([-0.5, 0.5, 0.5]), costs=FREE, lag=0)
    assert backtest.ruined_on == pd.Timestamp("2001-02-28")


def test_F096_a_trade_that_would_cost_all_that_is_left_is_ruin() -> None:
    """F096, F097: 9.01 held on 0.01 of own money; to sell it at 5 % costs 0.45."""
    market = one_asset([-0.099, 0.02, 0.02])
    held = run_backtest(fixed({"a": 10.0}), market, rebalancing=BuyAndHold(), costs=Costs(0.0, 0.0), lag=0)
    assert held.value.iloc[1] == pytest.approx(0.01)
    traded = run_backtest(fixed({"a": 10.0}), market, rebalancing=Monthly(), costs=Costs(0.05, 0.0), lag=0)
    assert traded.ruined_on == market.index[1]
    assert list(traded.value) == [pytest.approx(1 / 1.5), 0.0]
    assert len(traded.targets) == 1


def test_the_largest_cost_on_the_largest_leverage_is_below_all() -> None:
    """F096 cannot happen at the build: 5 % on ten times the value is half of it."""
    backtest = run_backtest(fixed({"a": 10.0}), one_asset([0.0, 0.0]), costs=Costs(0.05, 0.0))
    assert backtest.value.iloc[0] == pytest.approx(1 / 1.5)


# Turnover and dust


def test_turnover_is_half_of_what_moves() -> None:
    """From nothing to fully invested is a half; from one asset wholly to another is one."""

    class Switch(Strategy):
        name = "switch"

        def weights(self, past: Market) -> dict[str, float]:
            return {"SPY": float(len(past.index) % 2), "TLT": float(len(past.index) % 2 == 0)}

    backtest = run_backtest(Switch(), plain_market(20), rebalancing=EveryNRows(1), lag=0)
    np.testing.assert_allclose(backtest.turnover, [0.5, *[1.0] * 18], **CLOSE)
    halved = run_backtest(fixed({"SPY": 0.3}), plain_market(20), rebalancing=BuyAndHold())
    np.testing.assert_allclose(halved.turnover, [0.15], **CLOSE)


def test_turnover_agrees_with_bt_to_the_whole_share() -> None:
    """bt: min(buys, sells) / NAV, in whole shares of 1e-4 of the value; our first build is left out."""
    bt = case("H_bt_turnover.json")
    prices = pd.DataFrame(bt["prices"], index=pd.date_range("2010-01-01", periods=5), dtype=float)
    backtest = run_backtest(
        fixed({"a": 0.5, "b": 0.5}), Market(prices, 0.0), rebalancing=EveryNRows(1), costs=FREE, lag=0
    )
    np.testing.assert_allclose(backtest.turnover[1:], bt["turnover"][1:4], atol=2e-4)
    buys_and_sells = backtest.trades.clip(lower=0).sum(axis=1), -backtest.trades.clip(upper=0).sum(axis=1)
    np.testing.assert_allclose(*(flow[1:] for flow in buys_and_sells), **CLOSE)


def test_dust_is_no_trade() -> None:
    prices = pd.DataFrame(
        {"SPY": [3.0] * 30, "TLT": [0.7] * 30}, index=pd.bdate_range("2020-01-01", periods=30)
    )
    backtest = run_backtest(fixed({"SPY": 0.1, "TLT": 0.7}), Market(prices, 0.0), rebalancing=EveryNRows(1))
    assert len(backtest.trades) > 20
    assert (backtest.trades.iloc[1:] == 0.0).all(axis=None)
    assert (backtest.trading_costs.iloc[1:] == 0.0).all(axis=None)
    np.testing.assert_allclose(backtest.value, backtest.value.iloc[0], **CLOSE)


# The record itself


def test_the_fingerprint_knows_all_that_went_in() -> None:
    prices, cash = random_market(2, 2, 80)
    mood = pd.Series([1.0, 2.0], index=prices.index[[3, 9]])

    def text(
        strategy: Strategy | None = None,
        prices: pd.DataFrame = prices,
        cash: Any = cash,
        signals: Any = None,
        **options: Any,
    ) -> str:
        market = Market(prices, cash, signals)
        return run_backtest(strategy or Momentum(3), market, **options).fingerprint

    base = text()
    assert text(prices=prices.copy()) == base
    moved = prices.copy()
    moved.iloc[40, 1] *= 1.0 + 1e-15
    others = [
        text(Momentum(4)),
        text(fixed({"SPY": 1.0})),
        text(prices=moved),
        text(prices=prices.rename(columns={"TLT": "IEF"})),
        text(prices=prices.set_axis(prices.index + pd.Timedelta(364, "D"))[:80], cash=0.01),
        text(cash=cash + 1e-12),
        text(signals={"mood": mood}),
        text(signals={"mood": mood + 1e-9}),
        text(signals={"temper": mood}),
        text(lag=0),
        text(costs=Costs(0.0006)),
        text(rebalancing=Weekly()),
        text(start=prices.index[20].date()),
        text(end=prices.index[70].date()),
        text(unlisted="cash"),
    ]
    assert len({base, *others}) == 1 + len(others)


def test_one_asset_works() -> None:
    """F114."""
    market = one_asset([0.1, -0.05, 0.02])
    backtest = run_backtest(fixed({"a": 1.0}), market, costs=FREE)
    np.testing.assert_allclose(backtest.value, [1.0, 1.1, 1.045, 1.0659], **CLOSE)
    assert list(backtest.weights) == ["a", "cash"]


def test_the_inputs_are_left_as_they_were() -> None:
    prices, cash = random_market(6, 3, 80, late=(20,))
    copies = prices.copy(), cash.copy()
    backtest = run_backtest(Momentum(2), Market(prices, cash), unlisted="cash")
    assert isinstance(backtest.strategy, Momentum | Fixed)
    assert prices.equals(copies[0])
    assert cash.equals(copies[1])
    changed = backtest.value
    changed.iloc[:] = 0.0
    assert (backtest.value > 0).all()
    assert (run_backtest(Momentum(2), Market(prices, cash), unlisted="cash").value > 0).all()
