"""A blend is the weighted sum of its parts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_worlds import FREE, daily_funds, rewritten, world

import strategies
from allocator.engine import HOLD, Daily, FixedMix, Hold, Strategy, run_backtest
from allocator.errors import InputError, StrategyError
from allocator.market import Market, load_us_history
from strategies import AllWeather, Blend, EqualWeight, PermanentPortfolio, RiskParity, SixtyForty

MARKET = world()
PARTS = (SixtyForty(), PermanentPortfolio(), EqualWeight(("stocks", "emerging")))


@final
@dataclass(frozen=True)
class Waits(Strategy):
    """Answers HOLD."""

    name: str = "Waits"

    def weights(self, past: Market) -> Hold:
        return HOLD


@final
@dataclass(frozen=True)
class Looks(Strategy):
    """Looks at what is held."""

    name: str = "Looks"

    @property
    def sees_holdings(self) -> bool:
        return True

    def weights(self, past: Market) -> dict[str, float]:
        return {"stocks": 1.0}


def test_a_blend_of_constants_with_daily_rebalancing_is_the_mean_of_their_returns() -> None:
    market = daily_funds()
    parts = (AllWeather("TLT", "IEF", "SPY", "GLD", "DBC"), PermanentPortfolio("SPY", "TLT", "GLD"))
    shares = (0.3, 0.7)
    rules: Any = {"rebalancing": Daily(), "lag": 0, "costs": FREE}
    blend = run_backtest(Blend(parts, shares), market, **rules)
    alone = [run_backtest(part, market, **rules).returns for part in parts]
    mean = sum(share * returns for share, returns in zip(shares, alone, strict=True))
    np.testing.assert_allclose(blend.returns, mean, rtol=0, atol=1e-13)


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3), st.integers(40, 149))
def test_the_weights_are_the_weighted_sum(raw: list[float], row: int) -> None:
    shares = tuple(share / sum(raw) for share in raw)
    past = MARKET.until(MARKET.index[row].date())
    parts = (RiskParity(("bonds", "gold")), *PARTS[:2])
    held = Blend(parts, shares).weights(past)
    for asset in MARKET.assets:
        each = [part.weights(past).get(asset, 0.0) for part in parts]
        assert held.get(asset, 0.0) == pytest.approx(np.dot(shares, each), abs=1e-15)


def test_it_is_constant_if_all_of_it_is() -> None:
    assert Blend(PARTS, (0.2, 0.3, 0.5)).is_constant
    assert not Blend((SixtyForty(), RiskParity()), (0.5, 0.5)).is_constant
    blend = Blend(PARTS, (0.2, 0.3, 0.5))
    by_hand = FixedMix(blend.weights(MARKET))
    one, two = (run_backtest(each, MARKET) for each in (blend, by_hand))
    np.testing.assert_array_equal(one.value, two.value)


def test_cash_of_the_parts_stays_cash_and_debt_stays_debt() -> None:
    half = FixedMix({"cash": 0.5, "stocks": 0.5})
    assert Blend((half, FixedMix({"stocks": 1.5})), (0.5, 0.5)).weights(MARKET) == {"stocks": 1.0}
    assert Blend((FixedMix({"cash": 1.0}),), (1.0,)).weights(MARKET) == {"cash": 1.0}
    assert (run_backtest(Blend((FixedMix({"cash": 1.0}),), (1.0,)), MARKET).weights["cash"] == 1.0).all()


def test_blends_nest() -> None:
    inner = Blend((SixtyForty(), PermanentPortfolio()), (0.5, 0.5))
    nested, flat = (
        Blend((inner, EqualWeight()), (0.5, 0.5)),
        Blend((SixtyForty(), PermanentPortfolio(), EqualWeight()), (0.25, 0.25, 0.5)),
    )
    assert nested.weights(MARKET) == pytest.approx(flat.weights(MARKET), abs=1e-15)


def test_it_waits_for_the_part_that_waits() -> None:
    backtest = run_backtest(Blend((SixtyForty(), RiskParity()), (0.5, 0.5)), load_us_history())
    assert str(backtest.decided[0].date()) == "1937-12-31"


def test_another_future_leaves_the_past_as_it_was() -> None:
    blend = Blend((SixtyForty(), RiskParity()), (0.5, 0.5))
    one, two = (run_backtest(blend, each) for each in (MARKET, rewritten(MARKET, 90)))
    until = MARKET.index[90]
    np.testing.assert_array_equal(one.targets.loc[:until], two.targets.loc[:until])
    np.testing.assert_array_equal(one.value.loc[:until], two.value.loc[:until])


def test_it_is_frozen_equal_and_hashable() -> None:
    blend: Any = Blend(PARTS, (0.2, 0.3, 0.5))
    assert len({blend, dataclasses.replace(blend), Blend(PARTS, (0.3, 0.2, 0.5))}) == 2
    assert eval(repr(blend), vars(strategies)) == blend


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Blend((), ()), r"strategies: \(\); pass a tuple"),
        (lambda: Blend(SixtyForty(), (1.0,)), "strategies: SixtyForty.*pass a tuple"),  # type: ignore[arg-type]
        (lambda: Blend(("60/40",), (1.0,)), r"strategies\[0\]: expected a Strategy, got '60/40'"),  # type: ignore[arg-type]
        (lambda: Blend((SixtyForty,), (1.0,)), r"strategies\[0\]: expected a Strategy, got <class"),  # type: ignore[arg-type]
        (
            lambda: Blend((SixtyForty(), Looks()), (0.5, 0.5)),
            r"strategies\[1\]: 'Looks' looks at what is held",
        ),
        (lambda: Blend((SixtyForty(),), (0.5, 0.5)), r"shares: \(0.5, 0.5\) for 1 strategies; one each"),
        (lambda: Blend(PARTS[:2], (0.5, 0.4)), "shares: sum to 0.9, expected 1"),
        (lambda: Blend(PARTS[:2], (1.5, -0.5)), r"shares\[0\]: 1.5 is not between 0 and 1"),
        (lambda: Blend(PARTS[:2], (float("nan"), 1.0)), r"shares\[0\]: nan"),
    ],
)
def test_blends_that_are_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


def test_a_part_that_holds_is_refused_when_it_does() -> None:
    with pytest.raises(
        StrategyError, match=r"'Blend' on .*'Waits' answered HOLD, and the strategy around it"
    ):
        run_backtest(Blend((SixtyForty(), Waits()), (0.5, 0.5)), MARKET)
