"""What a sweep refuses, and what it says."""

import numpy as np
import pandas as pd
import pytest
from sweep_cases import Broken, Chaser, daily_market, random_weights

from allocator.engine import Band, Costs, Daily, FixedMix, Monthly
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market, load_us_history
from allocator.sweeps import grid, sweep
from strategies import GoldDiversified, SixtyForty

MARKET = daily_market(60)
GOOD = random_weights(4, MARKET.assets)


def table(**cells):
    weights = GOOD.copy()
    for asset, value in cells.items():
        weights.loc[2, asset] = value
    return weights


@pytest.mark.parametrize(
    ("portfolios", "said"),
    [
        (table(B=np.nan), r"portfolios\['B'\]: row 2 is nan; give every weight"),
        (table(B=np.inf), r"portfolios\['B'\]: row 2 is inf"),
        (table(C=-0.1), r"portfolios\['C'\]: row 2 is -0.1, negative"),
        (table(A=60.0, B=40.0), r"portfolios: row 2 sums to 100\..*fractions, not percent"),
        (GOOD.rename(columns={"B": "Bb"}), r"portfolios\['Bb'\]: not in the market; did you mean 'B'"),
        (GOOD.rename(columns={"B": 7}), r"portfolios\[7\]: not in the market; the market has A, B, C"),
        (GOOD.rename(columns={"B": "A"}), r"portfolios\['A'\]: two columns of this name"),
        (GOOD.astype(object).assign(A="much"), r"portfolios\['A'\]: \w+ is not numeric"),
        (GOOD > 0.1, r"portfolios\['A'\]: bool is not numeric"),
        (GOOD.iloc[:0], "portfolios: empty"),
        (GOOD[[]], "portfolios: empty"),
        (GOOD.assign(cash=0.5), r"portfolios: row 0 sums to 1.5 with its cash"),
        ([], "portfolios: none given"),
        (SixtyForty(), "neither a table of weights nor a list"),
        (3, "neither a table of weights nor a list"),
        ([SixtyForty("A", "B"), "x"], r"portfolios\[1\]: 'x' is no strategy"),
        ([SixtyForty], r"portfolios\[0\]: .* is no strategy"),
    ],
)
def test_portfolios(portfolios, said):
    with pytest.raises(InputError, match=said):
        sweep(portfolios, MARKET)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"executor": 2}, "executor: 2 is none; pass a concurrent.futures.Executor"),
        ({"block": 0}, "block: 0 is not a number of runs"),
        ({"block": 10.0}, "block: 10.0 is not a number of runs"),
        ({"block": True}, "block: True is not"),
        ({"progress": "yes"}, "progress: 'yes' is neither"),
        ({"rebalancing": []}, "rebalancing: an empty list"),
        ({"rebalancing": "monthly"}, "rebalancing: 'monthly' is neither"),
        ({"rebalancing": [Monthly(), 3]}, r"rebalancing\[1\]: 3 is no Rebalancing"),
        ({"costs": [Costs(), Monthly()]}, r"costs\[1\]: Monthly\(\) is no Costs"),
        ({"costs": 0.001}, "costs: 0.001 is neither"),
        ({"costs": [Costs(), Costs({"A": 0.001})]}, r"costs.trading\['B'\]: no rate"),
        ({"rebalancing": [Monthly(), Band({"A": 0.01})]}, r"width\['B'\]: no width"),
        ({"lag": -1}, "lag: -1 would trade on the future"),
        ({"unlisted": "drop"}, "unlisted: 'drop' is none of"),
        ({"start": "2030-01-01"}, "2030-01-01 is after the last row"),
        ({"end": "1990-01-01"}, "end: 1990-01-01 is"),
    ],
)
def test_arguments(options, said):
    with pytest.raises(InputError, match=said):
        sweep(GOOD, MARKET, **options)


def test_what_is_no_market():
    with pytest.raises(InputError, match="market: expected a Market, got DataFrame"):
        sweep(GOOD, MARKET.prices)


def test_a_rule_finer_than_the_data():
    history = load_us_history()
    with pytest.raises(InputError, match=r"Monthly\(\) is finer than yearly data"):
        sweep(pd.DataFrame({"stocks": [1.0]}), history, rebalancing=[Monthly(), Daily()])


def test_a_start_before_a_portfolio_can_decide():
    prices = MARKET.prices
    prices.iloc[:30, 2] = np.nan
    market = Market(prices, 0.02)
    with pytest.raises(InsufficientHistoryError, match="start"):
        sweep(GOOD, market, start="2015-01-10")


@pytest.mark.parametrize("rules", [[Monthly()], [Monthly(), Band(0.1)]])
def test_a_strategy_that_fails_is_named_with_its_run(rules):
    with pytest.raises(StrategyError, match=r"no idea \(in run .*'broken', .*after=40"):
        sweep([Chaser(), Broken(50), Broken(40)], MARKET, rebalancing=rules)


def test_weights_that_are_no_weights_are_named_with_their_run():
    with pytest.raises(StrategyError, match=r"allow_short=True \(in portfolio 1, 'short', A=-1.0\)"):
        sweep([FixedMix({"A": 1.0}), FixedMix({"A": -1.0}, "short")], MARKET)


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        (
            GoldDiversified,
            {"gold_wieght": [0.1]},
            "gold_wieght: .* did you mean 'gold_weight'",
        ),
        (SixtyForty, {"x": [0.1]}, "x: SixtyForty .*; it has stocks, bonds, stock_weight, name"),
        (SixtyForty, {"stock_weight": []}, "stock_weight: no values"),
        (SixtyForty, {"stock_weight": [0.5, 1.5]}, "stock_weight: 1.5 is not between 0 and 1"),
        (SixtyForty(), {}, "kind: .* is no class of strategies"),
        (dict, {}, "kind: .* is no class of strategies"),
    ],
)
def test_grid(kind, parameters, said):
    with pytest.raises(InputError, match=said):
        grid(kind, **parameters)
