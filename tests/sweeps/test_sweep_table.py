"""What the table of a sweep says, and how its parts are named."""

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sweep_cases import Chaser, daily_market, random_weights

from allocator.engine import Band, BuyAndHold, Costs, FixedMix, Monthly, Quarterly, Weekly
from allocator.market import load_us_history
from allocator.sweeps import grid, sweep
from strategies import GoldDiversified, SixtyForty

MARKET = daily_market(80)
STATISTICS = [
    "n",
    "cagr",
    "volatility",
    "sharpe",
    "sharpe_se",
    "max_drawdown",
    "turnover",
    "trading_cost",
    "final_value",
    "ruined_on",
]


def leading(table):
    return [name for name in table.columns if name not in STATISTICS]


def test_weights_lead_the_table_under_the_names_of_their_rows():
    weights = pd.DataFrame({"B": [0.5, 1.0], "A": [0.5, 0.0]}, index=["half", "all"])
    table = sweep(weights, MARKET)
    assert list(table.columns) == ["portfolio", "B", "A", *STATISTICS]
    assert list(table["portfolio"]) == ["half", "all"]
    assert table["B"].tolist() == [0.5, 1.0]
    assert table.index.equals(pd.RangeIndex(2))
    assert table["n"].dtype == np.int64
    assert table["ruined_on"].dtype.kind == "M"


def test_fixed_mixes_lead_with_their_weights_too():
    table = sweep([FixedMix({"A": 1.0}, "one"), FixedMix({"A": 0.5, "B": 0.5}, "two")], MARKET)
    assert leading(table) == ["portfolio", "A", "B"]
    assert table["B"].tolist() == [0.0, 0.5]


def test_strategies_lead_with_the_fields_in_which_they_differ():
    table = sweep(grid(SixtyForty, stocks="A", bonds="B", stock_weight=[0.2, 0.8]), MARKET)
    assert leading(table) == ["portfolio", "stock_weight"]
    mixed = sweep([SixtyForty("A", "B"), Chaser(0.5), Chaser()], MARKET)
    assert leading(mixed) == ["portfolio", "gross"]
    assert mixed["gross"].isna().tolist() == [True, False, False]


def test_rules_and_costs_that_vary_are_numbers_where_they_can_be():
    rules = [Monthly(), Band(0.02), Band(0.04), Quarterly() | Band(0.02)]
    costs = [Costs(), Costs(0.001), Costs(0.001, borrow_spread=0.01)]
    table = sweep(random_weights(2, MARKET.assets), MARKET, rebalancing=rules, costs=costs)
    assert leading(table)[4:] == ["rebalancing", "band_width", "costs_trading", "costs_borrow_spread"]
    assert len(table) == 2 * 4 * 3
    assert table["rebalancing"].unique().tolist() == [str(rule) for rule in rules]
    assert table["band_width"][:12:3].tolist()[1:] == [0.02, 0.04, 0.02]
    assert np.isnan(table["band_width"][0])
    assert table["costs_trading"][:3].tolist() == [0.0005, 0.001, 0.001]


def test_two_bands_of_one_rule_and_widths_by_asset_have_columns_of_their_own():
    rules = [Band(x) | Band(2 * x, on=Weekly()) for x in (0.01, 0.02)]
    assert leading(sweep(random_weights(1, MARKET.assets), MARKET, rebalancing=rules))[-2:] == [
        "band_width",
        "band_width_2",
    ]
    rules = [Band(dict.fromkeys("ABC", x)) for x in (0.01, 0.02)]
    table = sweep(random_weights(1, MARKET.assets), MARKET, rebalancing=rules)
    assert table["band_width"].tolist() == [str(rule.width) for rule in rules]


def test_an_asset_that_is_called_like_a_statistic_is_told_apart():
    prices = MARKET.prices.rename(columns={"A": "sharpe", "B": "portfolio"})
    market = type(MARKET)(prices, 0.02)
    table = sweep(pd.DataFrame({"sharpe": [1.0], "portfolio": [0.0]}), market)
    assert list(table.columns)[:3] == ["portfolio", "sharpe_", "portfolio_"]


def test_the_table_can_be_plotted_and_pivoted():
    market = load_us_history()
    table = sweep(
        grid(GoldDiversified, global_assets=(), gold_weight=[0.0, 0.1, 0.2], growth_weight=[0.5, 0.6]), market
    )
    square = table.pivot(index="growth_weight", columns="gold_weight", values="sharpe")  # noqa: PD010 - a cell is one run
    assert square.shape == (2, 3)
    assert square.notna().all(axis=None)
    assert table["gold_weight"].dtype == np.float64


def test_the_conventions_say_how_it_was_made():
    text = "\n".join(sweep(random_weights(2, MARKET.assets), MARKET).attrs["conventions"])
    for part in (
        "all portfolios can decide",
        "traded at the close 1 row later",
        "Sharpe: mean excess",
        "wealth 1",
    ):
        assert part in text
    several = sweep(random_weights(2, MARKET.assets), MARKET, rebalancing=[Monthly(), BuyAndHold()])
    assert any(line.startswith("rebalancing: 2, as the rows say") for line in several.attrs["conventions"])


def test_nothing_that_is_passed_in_is_changed():
    weights, rules = random_weights(3, MARKET.assets), [Monthly()]
    before = weights.copy()
    table = sweep(weights, MARKET, rebalancing=rules)
    table["A"] = 0.0
    table["sharpe"] = 0.0
    pd.testing.assert_frame_equal(weights, before)
    assert rules == [Monthly()]


def test_a_column_of_cash_is_what_the_others_leave():
    with_cash = sweep(pd.DataFrame({"A": [0.6], "cash": [0.4]}), MARKET)
    assert with_cash["sharpe"][0] == sweep(pd.DataFrame({"A": [0.6]}), MARKET)["sharpe"][0]
    assert leading(with_cash) == ["portfolio", "A", "cash"]


def test_a_grid_is_the_product_in_order_the_last_varying_fastest():
    chosen = grid(SixtyForty, stock_weight=np.array([0.2, 0.4]), name=["a", "b"])
    assert [(each.stock_weight, each.name) for each in chosen] == [
        (0.2, "a"),
        (0.2, "b"),
        (0.4, "a"),
        (0.4, "b"),
    ]
    assert all(type(each.stock_weight) is float for each in chosen)
    (one,) = grid(GoldDiversified, global_assets=("x", "y"))
    assert one.global_assets == ("x", "y")
    assert grid(SixtyForty) == [SixtyForty()]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def bar_of(monkeypatch, stream, **options):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", stream)
    sweep(random_weights(25, MARKET.assets), MARKET, block=10, **options)
    return stream.getvalue()


def test_a_bar_counts_the_runs_on_a_terminal_and_nowhere_else(monkeypatch):
    assert "25/25" in bar_of(monkeypatch, Terminal())
    assert bar_of(monkeypatch, Terminal(), progress=False) == ""
    assert bar_of(monkeypatch, io.StringIO()) == ""


def test_the_bar_starts_where_the_file_ends(monkeypatch, tmp_path):
    sweep(random_weights(25, MARKET.assets), MARKET, block=10, file=tmp_path / "f")
    assert "25/25" in bar_of(monkeypatch, Terminal(), file=tmp_path / "f")


def test_tqdm_is_not_imported_where_there_is_no_bar():
    code = (
        "import sys, pandas as pd, allocator as al; from allocator.sweeps import sweep;"
        "sweep(pd.DataFrame({'stocks': [1.0]}), al.load_us_history()); sys.exit('tqdm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
