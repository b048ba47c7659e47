"""A comparison is fair: the same window, rules and costs for all; and what it says is what was measured."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.engine import Costs, EveryNRows, Strategy, Yearly, run_backtest
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market, Signal, load_us_history, simulate_market
from allocator.market.resample import month_ends
from allocator.report import compare, study_regimes, write_report
from allocator.report.plain_tables import plain_csv
from allocator.report.regime_study import default_regimes, regime_frame
from allocator.statistics import performance_summary
from strategies import GoldDiversified, RiskParity, SixtyForty, default_study

DAILY = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily_core_balanced.csv"
# Three returns have no skewness, and what never changes no Sharpe ratio: NaN in the table, and a warning.
short_run = pytest.mark.filterwarnings("ignore::allocator.errors.UndefinedStatisticWarning")
CONVENTIONS = ("window:", "data:", "timing:", "costs:", "cash:", "Sharpe:", "drawdown", "turnover")


@dataclass(frozen=True)
class Levered(Strategy):
    """As many times its value in stocks as it is told."""

    times: float = 9.0
    name: str = "levered"

    def weights(self, past):
        return {"stocks": self.times}


def small_market(rows: int = 60, seed: int = 0) -> Market:
    steps = np.random.default_rng(seed).normal(0.004, 0.03, (rows, 3))
    index = pd.date_range("2010-01-31", periods=rows, freq="ME")
    return Market(pd.DataFrame(np.exp(steps.cumsum(axis=0)), index, ["stocks", "bonds", "gold"]), 0.02)


def crash(at: int = 20) -> Market:
    """Stocks that halve once: who is levered is ruined."""
    market = small_market()
    prices = market.prices
    prices.iloc[at:, 0] *= 0.5
    return Market(prices, 0.02)


@pytest.fixture(scope="module")
def history():
    return compare(default_study(), load_us_history())


@pytest.fixture(scope="module")
def simulated():
    return compare(default_study(), simulate_market(seed=1, years=12))


@pytest.fixture(scope="module")
def history_study(history):
    return study_regimes(history, "stocks", "bonds")


@pytest.fixture(scope="module")
def simulated_study(simulated):
    return study_regimes(simulated, "stocks", "bonds")


# --- the window ---


def test_all_begin_where_the_last_can_decide(history):
    begins = {b.value.index[0] for b in history.backtests}
    assert begins == {pd.Timestamp("1937-12-31")}  # ten yearly returns for risk parity
    assert {b.value.index[-1] for b in history.backtests} == {pd.Timestamp("2025-12-31")}
    assert "close of 1937-12-31" in repr(history)
    assert "'Risk parity' is the last; alone, others could begin on 1927-12-31)" in repr(history)


def test_the_order_of_the_strategies_does_not_move_the_window():
    market = small_market()
    one = compare([SixtyForty(), RiskParity()], market)
    other = compare([RiskParity(), SixtyForty()], market)
    pd.testing.assert_frame_equal(one.table, other.table.loc[one.table.index])


def test_the_window_is_that_of_a_single_run():
    market = simulate_market(seed=2, years=5)  # daily: decided on a row, traded on the next
    both = compare([SixtyForty(), RiskParity()], market)
    alone = run_backtest(RiskParity(), market)
    pd.testing.assert_series_equal(both.backtests[1].value, alone.value)
    assert both.backtests[0].decided[0] == both.backtests[1].decided[0]


def test_start_and_end():
    market = load_us_history()
    given = compare([SixtyForty(), RiskParity()], market, start="1960", end="1999")
    for backtest in given.backtests:
        assert backtest.returns.index[0] == pd.Timestamp("1960-12-31")
        assert backtest.value.index[-1] == pd.Timestamp("1999-12-31")
    assert given.market.index[-1] == pd.Timestamp("1999-12-31")
    assert "is the last" not in repr(given)
    alone = run_backtest(SixtyForty(), market, start="1960", end="1999")
    pd.testing.assert_series_equal(given.backtests[0].value, alone.value)


def test_the_arguments_hold_for_every_strategy():
    rules = {"rebalancing": EveryNRows(7), "costs": Costs(trading=0.01), "lag": 2, "unlisted": "cash"}
    market = small_market()
    for backtest in compare([SixtyForty(), RiskParity()], market, **rules).backtests:
        alone = run_backtest(backtest.strategy, market, start=backtest.returns.index[0].date(), **rules)
        pd.testing.assert_series_equal(backtest.value, alone.value)


# --- the table ---

COLUMNS = [
    "cagr",
    "volatility",
    "sharpe",
    "sharpe_se",
    "sortino",
    "max_drawdown",
    "peak",
    "trough",
    "recovery",
    "calmar",
    "var_95",
    "es_95",
    "skew",
    "kurtosis",
    "best",
    "worst",
    "n",
    "turnover",
    "trading_cost",
    "fees",
    "interest_earned",
    "interest_paid",
]


def test_the_columns_are_those_that_the_docstring_names(history):
    assert history.table.columns.tolist() == COLUMNS
    assert history.table.index.name == "strategy"
    assert history.table.index.tolist() == [b.name for b in history.backtests]
    documented = type(history).__doc__
    assert all(f"``{column}``" in documented for column in COLUMNS)


@pytest.mark.parametrize("which", ["history", "simulated"])
def test_the_numbers_are_those_of_the_statistics(which, request):
    comparison = request.getfixturevalue(which)
    for backtest in comparison.backtests:
        begin = backtest.value.index[0]
        expected = performance_summary(backtest.returns, backtest.cash_returns, start=begin).iloc[0]
        found = comparison.table.loc[backtest.name, expected.index]
        assert all(a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(found, expected, strict=True))


@short_run
def test_turnover_costs_and_interest_by_hand():
    """Stocks double, then nothing moves: one trade after the build, half the money in cash at 10 %."""
    index = pd.date_range("2010-12-31", periods=4, freq="YE")
    prices = pd.DataFrame({"stocks": [1.0, 2.0, 2.0, 2.0], "bonds": [1.0] * 4}, index=index)
    market = Market(prices, 0.10)
    half = Levered(0.5, "half")
    result = compare([half], market, rebalancing=Yearly(), costs=Costs(trading=0.01))
    row = result.table.loc["half"]
    # The build of 0.5 costs 1 % of it: value V with 0.5 V in stocks, 1 = V + 0.005 V.
    built = 1.0 / 1.005
    # A year later 1.0 V in stocks and 0.55 V in cash; sold down to half of what is left after the cost.
    before = 1.55 * built
    after = (before - 0.01 * (1.0 * built)) / (1.0 - 0.01 * 0.5)
    sold = 1.0 * built - 0.5 * after
    second = 1.05 * after  # half in cash at 10 %, half in stocks that stand still
    bought = (0.5 * second - 0.5 * after) / (1.0 + 0.01 * 0.5)
    assert result.backtests[0].value.iloc[1] == pytest.approx(before - 0.01 * sold)
    moves = [1.0 / 1.55 - 0.5, 0.5 - 0.5 / 1.05]
    assert row["turnover"] == pytest.approx(sum(moves) / 2 / 3)
    paid = [1.0 - built, 0.01 * sold / before, 0.01 * bought / second]
    assert row["trading_cost"] == pytest.approx(sum(paid) / 3)
    assert row["interest_earned"] == pytest.approx(0.15 / 3)  # half the value of each year at 10 %
    assert row["interest_paid"] == 0.0


@short_run
def test_borrowing_is_paid_and_shown():
    index = pd.date_range("2010-12-31", periods=3, freq="YE")
    market = Market(pd.DataFrame({"stocks": [1.0, 1.0, 1.0], "bonds": [1.0] * 3}, index=index), 0.04)
    free = Costs(trading=0.0, borrow_spread=0.01)
    table = compare([Levered(1.5, "levered")], market, costs=free).table
    assert table.loc["levered", "interest_paid"] == pytest.approx(0.5 * (0.04 + 0.01))
    assert table.loc["levered", "interest_earned"] == 0.0


@short_run
def test_a_negative_rate_on_cash_that_is_held_is_no_borrowing():
    """Bill funds fall on some days: that is earned, less than nothing, and not paid on a debt."""
    index = pd.date_range("2000-12-31", periods=5, freq="YE")
    prices = pd.DataFrame({"stocks": [1.0, 1.1, 1.2, 1.3, 1.4], "bonds": 1.0 + np.arange(5) / 50}, index)
    rates = pd.Series([-0.01, -0.02, 0.01, -0.01], index[1:])
    mixes = [al.FixedMix({"stocks": weight}, name=f"{weight}") for weight in (0.5, 1.5)]
    table = compare(mixes, Market(prices, rates), costs=Costs(trading=0.0, borrow_spread=0.0)).table
    assert table.loc["0.5", "interest_paid"] == 0.0
    assert table.loc["0.5", "interest_earned"] == pytest.approx(0.5 * rates.mean())
    assert table.loc["1.5", "interest_paid"] == pytest.approx(0.5 * rates.mean())
    assert table.loc["1.5", "interest_earned"] == 0.0


def test_without_gold_and_abroad_it_is_sixty_forty():
    market = small_market()
    plain = GoldDiversified(global_assets=(), gold_weight=0.0, name="plain")
    table = compare([SixtyForty(), plain], market).table
    pd.testing.assert_series_equal(table.loc["60/40"], table.loc["plain"], check_names=False)


# --- how it shows ---


@pytest.mark.parametrize("which", ["history", "simulated"])
def test_the_conventions_are_printed(which, request):
    comparison = request.getfixturevalue(which)
    for text in (repr(comparison), comparison._repr_html_()):
        for convention in CONVENTIONS:
            assert convention in text
    assert f"traded at the {'same close' if which == 'history' else 'close 1 row later'}" in repr(comparison)


def test_made_up_data_are_called_so(simulated, simulated_study):
    for text in (repr(simulated), simulated._repr_html_()):
        assert text.count("SIMULATED") >= 2
    for table in (*simulated_study.correlation, *simulated_study.performance):
        assert "SIMULATED" in repr(table)
        assert "SIMULATED" in table._repr_html_()


def test_real_data_are_not_called_made_up(history, history_study):
    assert "SIMULATED" not in repr(history) + repr(history_study)


def test_names_are_escaped_in_html():
    comparison = compare([SixtyForty(name="<i>60 & 40</i>")], small_market())
    assert "<i>" not in comparison._repr_html_()
    assert "&lt;i&gt;60 &amp; 40&lt;/i&gt;" in comparison._repr_html_()


# --- refusals ---


@pytest.mark.parametrize(
    ("strategies", "problem"),
    [
        ([], "none given"),
        ([SixtyForty(), SixtyForty(stock_weight=0.7)], "two are called '60/40'"),
        ([SixtyForty], "pass instances"),
        (["60/40"], "'60/40' is no Strategy"),
        (SixtyForty(), "is no list"),
        ([Levered(name=None)], "has no name"),
    ],
)
def test_strategies_that_are_none(strategies, problem):
    with pytest.raises(InputError, match=problem):
        compare(strategies, small_market())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"end": "2099"}, "end: 2099 is outside the market"),
        ({"end": "1900"}, "end: 1900 is outside the market"),
        ({"end": "soon"}, "end: 'soon' is not a date"),
        ({"start": "2099"}, "start"),
        ({"start": "2010"}, "start: 2010 is too early: 'Risk parity'"),
        ({"lag": -1}, "lag"),
        ({"unlisted": "ignore"}, "unlisted"),
        ({"costs": 0.001}, "costs"),
        ({"rebalancing": "monthly"}, "rebalancing"),
    ],
)
def test_arguments_are_refused_as_by_a_single_run(arguments, problem):
    with pytest.raises(InputError, match=problem):
        compare([SixtyForty(), RiskParity()], small_market(), **arguments)


def test_a_market_that_is_none():
    with pytest.raises(InputError, match="market: expected a Market, got DataFrame"):
        compare([SixtyForty()], small_market().prices)


def test_a_market_too_short_for_one_of_them():
    with pytest.raises(InsufficientHistoryError):
        compare([SixtyForty(), RiskParity()], small_market(20))


# --- ruin ---


@short_run
@pytest.mark.parametrize("at", [1, 2, 20])
def test_a_ruined_strategy_ends_early_and_leaves_the_others_alone(at):
    market = crash(at)
    both = compare([Levered(), SixtyForty()], market)
    ruined, whole = both.backtests
    assert ruined.ruined_on == market.index[at]
    assert len(ruined.value) < len(whole.value) == len(market.index)
    pd.testing.assert_series_equal(
        both.table.loc["60/40"], compare([SixtyForty()], market).table.loc["60/40"]
    )
    assert both.table.loc["levered", "cagr"] == -1.0
    assert both.table.loc["levered", "max_drawdown"] == -1.0
    assert both.table.loc["levered", "n"] == at
    last = market.index[-1].strftime("%Y-%m-%d")
    assert f"to {last}\ncash" in repr(both)  # the window of those that lived
    assert f"'levered' was ruined on {market.index[at]:%Y-%m-%d}" in repr(both)


def test_the_tables_by_regime_are_those_of_who_lived():
    market = crash(20)
    study = study_regimes(compare([Levered(), SixtyForty()], market), "stocks", "bonds")
    alone = study_regimes(compare([SixtyForty()], market), "stocks", "bonds")
    for one, other in zip(study.performance, alone.performance, strict=True):
        pd.testing.assert_frame_equal(one.table, other.table)
    assert any("performance of 'levered': it was ruined on 2011-09-30" in why for why in study.left_out)


def test_when_all_are_ruined(tmp_path):
    study = study_regimes(compare([Levered()], crash()), "stocks", "bonds")
    assert study.performance == ()
    assert study.correlation
    assert "ruined" in repr(study)


# --- the regimes of a study ---

DEFINITIONS = [
    ("Inflation level", False),
    ("Inflation trend", False),
    ("Inflation level", True),
    ("Inflation trend", True),
    ("Trailing correlation", False),
    ("Era", True),
]


def made(tables) -> list[tuple[str, bool]]:
    return [(table.regimes.name, table.regimes.ex_post) for table in tables]


def test_the_study_of_the_embedded_history(history, history_study):
    assert made(history_study.correlation) == made(history_study.performance) == DEFINITIONS
    assert history_study.month_end_correlation == ()
    assert history_study.left_out == ("Decade: 10 returns a decade, at least 12 are needed",)
    for table in history_study.correlation:  # the whole market, not the window
        assert table.table["n"].sum() == len(history.market.index) - 1
    for table in history_study.performance:
        assert (table.table["n"].groupby("strategy").sum() == len(history.backtests[0].returns)).all()


def test_the_study_of_a_simulated_market(simulated, simulated_study):
    assert made(simulated_study.correlation)[:5] == DEFINITIONS[:5]
    assert ("Decade", False) in made(simulated_study.correlation)
    level = simulated_study.correlation[2]  # inflation as it was: what drives the simulator
    low, high = level.table["correlation"].iloc[:2]
    assert low < -0.15
    assert high > 0.15
    assert level.p_equal < 1e-6
    months = simulated_study.month_end_correlation[2]
    assert months.table["n"].sum() == 12 * 12 - 2  # returns between month ends, the last month left out
    assert "monthly" in repr(months)
    assert "daily" in repr(level)


@pytest.mark.skipif(not DAILY.exists(), reason=f"needs {DAILY.name}, which is not part of the project")
def test_the_study_of_daily_funds():
    table = pd.read_csv(DAILY, index_col=0, parse_dates=True)
    market = Market(table[["SPY", "IEF", "GLD", "EFA"]], table["BIL"].pct_change().iloc[1:])
    comparison = compare(default_study("SPY", "IEF", "GLD", ["EFA"]), market)
    study = study_regimes(comparison, "SPY", "IEF")
    assert made(study.correlation) == [("Trailing correlation", False), ("Era", True), ("Decade", False)]
    assert study.left_out == (
        "Inflation level, Inflation trend, Inflation level of the same period, Inflation trend of the same "
        "period: this market has no 'inflation'",
    )
    era = study.correlation[1].table["correlation"]
    returns = market.returns
    since = returns["2022":]
    assert era["2022– after the pandemic"] == pytest.approx(since["SPY"].corr(since["IEF"]))
    assert era["2022– after the pandemic"] > 0.0 > era["2000–21 low inflation"]
    monthly = study.month_end_correlation[1].table["correlation"]
    assert monthly["2022– after the pandemic"] > 0.4


def test_what_cannot_be_made_is_said_and_stops_nothing():
    """Figures whose periods are unknown, too few for a trend, and prices of one era."""
    market = small_market(40)
    figures = pd.Series([0.01, 0.05], index=pd.DatetimeIndex(["2011-01-15", "2012-01-15"]))
    market = Market(market.prices, 0.02, {"inflation": figures})
    study = study_regimes(compare([SixtyForty()], market), "stocks", "bonds")
    said = "\n".join(study.left_out)
    assert "Inflation trend, Inflation trend of the same period: no figure of 2 has 3 years" in said
    assert "Inflation level of the same period: only the dates of knowledge are given" in said
    assert "correlation by Era" in said
    assert "performance by Era" in said
    assert "only one regime in these dates: '2000–21 low inflation'" in said
    assert made(study.correlation) == [("Inflation level", False), ("Decade", False)]
    assert all(f"left out: {reason}" in repr(study) for reason in study.left_out)


def test_a_daily_market_without_two_months():
    index = pd.bdate_range("2020-01-02", periods=40)
    steps = np.random.default_rng(0).normal(0.0, 0.01, (40, 2))
    market = Market(pd.DataFrame(np.exp(steps.cumsum(axis=0)), index, ["stocks", "bonds"]), 0.0)
    study = study_regimes(compare([SixtyForty()], market), "stocks", "bonds")
    assert any(why.startswith("month-end correlation: 1 complete months") for why in study.left_out)
    assert regime_frame(study).columns.tolist()[:5] == ["regime", "n", "correlation", "low", "high"]
    assert len(regime_frame(study)) == 0


def test_assets_that_are_not_there(history):
    with pytest.raises(InputError, match="no 'SPY'; it has: stocks"):
        study_regimes(history, "SPY", "bonds")
    with pytest.raises(InputError, match="no 'IEF'"):
        default_regimes(history.market, "stocks", "IEF")


def test_quarterly_data_have_decades():
    index = pd.date_range("1980-03-31", periods=130, freq="QE")
    steps = np.random.default_rng(0).normal(0.0, 0.05, (130, 2))
    market = Market(pd.DataFrame(np.exp(steps.cumsum(axis=0)), index, ["stocks", "bonds"]), 0.0)
    assert "Decade" in [regimes.name for regimes in default_regimes(market, "stocks", "bonds")]


def test_the_seed_of_a_study(simulated, simulated_study):
    again, other = (study_regimes(simulated, "stocks", "bonds", seed=seed) for seed in (0, 1))
    pd.testing.assert_frame_equal(regime_frame(simulated_study), regime_frame(again))
    assert not regime_frame(again)["low"].equals(regime_frame(other)["low"])


def test_the_study_shows_all_its_tables(simulated_study):
    study = simulated_study
    tables = (*study.correlation, *study.month_end_correlation, *study.performance)
    assert study._repr_html_().count("<table") == len(tables) + len(study.differences)
    assert len(study.overall) == len(study.constancy) == 2  # daily and month ends
    text = repr(study)
    assert text.count("p of equal correlation") == len(study.correlation)
    assert text.count("p of equal Sharpe ratio") == len(study.performance)
    for table in study.correlation:
        for regime, row in table.table.drop(index="unclassified", errors="ignore").iterrows():
            line = next(line for line in text.splitlines() if line.startswith(f"  {regime}  "))
            assert f"{row['n']:,}" in line
            assert np.isnan(row["correlation"]) or f"{row['correlation']:+.2f}" in line
    thinned = study.month_end_correlation[0].table.iloc[0]
    assert f"{thinned['correlation']:+.2f}" in text
    assert "simulated dates have no history" in text
    assert f"{len(study.correlation)} definitions of regimes were tried" in text  # p-values stand alone


def test_the_frame_holds_every_regime(simulated_study):
    frame = regime_frame(simulated_study)
    tables = simulated_study.correlation
    assert len(frame) == sum(len(table.table) for table in tables)
    assert frame["n"].sum() == len(tables) * tables[0].table["n"].sum()
    beside = frame[frame["definition"].eq("Decade")].set_index("regime")["month_end_correlation"]
    months = next(t for t in simulated_study.month_end_correlation if t.regimes.name == "Decade")
    assert beside.tolist() == months.table["correlation"].tolist()


def test_a_regime_of_month_ends_only_is_in_the_frame_too(simulated_study):
    frame = regime_frame(replace(simulated_study, correlation=simulated_study.correlation[:1]))
    assert frame["month_end_n"].sum() == sum(
        t.table["n"].sum() for t in simulated_study.month_end_correlation
    )
    assert frame["n"].sum() == simulated_study.correlation[0].table["n"].sum()
    assert frame["n"].isna().any()


# --- month ends ---


def test_month_ends_are_the_last_rows_of_complete_months():
    market = simulate_market(seed=3, years=3)
    thin = month_ends(market)
    assert thin.frequency.name == "monthly"
    assert thin.simulated
    assert thin.index[0] == pd.Timestamp("2004-01-30")
    assert thin.index[-1] == pd.Timestamp("2006-11-30")  # December may be incomplete
    pd.testing.assert_frame_equal(
        thin.prices, market.prices.loc[thin.index], check_freq=False, check_names=False
    )


def test_cash_is_compounded_over_the_month():
    market = simulate_market(seed=3, years=3)
    thin = month_ends(market)
    daily = market.cash_returns
    for begin, end, earned in zip(thin.index[:-1], thin.index[1:], thin.cash_returns, strict=True):
        month = daily[(daily.index > begin) & (daily.index <= end)]
        assert earned == pytest.approx(float((1.0 + month).prod() - 1.0), rel=1e-12)


def test_signals_are_kept_with_their_dates():
    market = simulate_market(seed=3, years=3)
    thin = month_ends(market)
    assert set(thin.signals) == {"inflation", "growth"}
    kept, whole = thin.signal("inflation"), market.signal("inflation")
    assert isinstance(kept, Signal)
    pd.testing.assert_series_equal(kept.values, whole.values[whole.values.index <= thin.index[-1]])
    assert kept.describes is not None


def test_weekly_data_thin_too_and_late_assets_stay_late():
    index = pd.date_range("2010-01-01", periods=200, freq="W-FRI")
    steps = np.random.default_rng(0).normal(0.0, 0.02, (200, 3))
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)), index, ["stocks", "bonds", "new"])
    prices.loc[: index[60], "bonds"] = np.nan
    prices.loc[: index[198], "new"] = np.nan  # listed after the last complete month
    thin = month_ends(Market(prices, 0.01))
    assert thin.assets == ("stocks", "bonds")
    assert thin.prices["bonds"].first_valid_index() > index[60]


@pytest.mark.parametrize("frequency", ["ME", "QE", "YE"])
def test_monthly_data_have_no_month_ends(frequency):
    index = pd.date_range("2000-01-31", periods=24, freq=frequency)
    with pytest.raises(InputError, match="already"):
        month_ends(Market(pd.DataFrame({"a": np.ones(24)}, index), 0.0))


def test_too_few_months():
    index = pd.bdate_range("2020-01-02", periods=40)
    with pytest.raises(InputError, match="1 complete months; at least 2"):
        month_ends(Market(pd.DataFrame({"a": np.ones(40)}, index), 0.0))


# --- files ---

FILES = [
    "index.html",
    "growth.png",
    "drawdown.png",
    "weights.png",
    "regime_correlation.png",
    "summary.csv",
    "regime_correlation.csv",
    "regime_performance.csv",
    "sharpe_differences.csv",
]


@pytest.fixture(scope="module")
def written(history, history_study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    return write_report(history, history_study, folder)


def test_the_files_that_are_written(written):
    assert [path.name for path in written] == FILES
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(FILES)
    assert all(path.stat().st_size > 0 for path in written)


def test_the_summary_is_the_table(written, history):
    summary = pd.read_csv(written[5])
    assert summary.columns.tolist() == ["strategy", *COLUMNS]
    assert {"strategy", "cagr", "volatility", "sharpe", "sharpe_se", "max_drawdown", "turnover"} <= set(
        summary
    )
    assert summary["strategy"].tolist() == history.table.index.tolist()
    for column in ("cagr", "sharpe", "max_drawdown", "turnover"):
        np.testing.assert_allclose(summary[column], history.table[column], rtol=1e-14)
    assert (summary["cagr"] < 0.5).all()  # fractions
    assert summary.loc[0, "trough"] == "1974-12-31"


def test_the_correlations_by_regime_are_the_tables(written, history_study):
    frame = pd.read_csv(written[6])
    assert frame.columns.tolist()[:5] == ["regime", "n", "correlation", "low", "high"]
    expected = pd.concat([table.table for table in history_study.correlation])
    np.testing.assert_allclose(frame["correlation"], expected["correlation"], rtol=1e-14)
    assert frame["n"].tolist() == expected["n"].tolist()
    assert {"definition", "rule", "ex_post", "p_equal", "reason"} <= set(frame)


def test_the_performance_by_regime_is_the_tables(written, history_study):
    frame = pd.read_csv(written[7])
    expected = pd.concat([table.table for table in history_study.performance])
    np.testing.assert_allclose(frame["sharpe"], expected["sharpe"], rtol=1e-14)
    assert {"strategy", "regime", "definition", "ex_post", "p_equal"} <= set(frame)
    first = history_study.performance[0]
    assert frame.loc[0, "p_equal"] == pytest.approx(first.p_equal[frame.loc[0, "strategy"]])


def test_the_differences_are_those_of_the_comparison_and_of_each_definition(written, history, history_study):
    frame = pd.read_csv(written[8])
    expected = [history.sharpe_differences, *history_study.differences]
    assert len(frame) == sum(len(result.table) for result in expected)
    for column in ("difference", "low", "p_value", "p_family"):
        np.testing.assert_allclose(frame[column], pd.concat([r.table[column] for r in expected]), rtol=1e-14)
    assert frame.loc[frame["definition"].eq("all dates"), "span"].eq("whole").all()
    assert frame["baseline"].eq("60/40").all()
    assert {"span", "strategy", "begin", "end", "n", "ex_post", "n_tests", "reason"} <= set(frame)


def test_a_report_without_any_regime(tmp_path):
    market = crash()
    comparison = compare([Levered()], market)
    study = replace(study_regimes(comparison, "stocks", "bonds"), correlation=(), month_end_correlation=())
    written = write_report(comparison, study, tmp_path)
    for path in written[6:]:
        assert pd.read_csv(path).empty
        assert {"regime", "span"} & set(pd.read_csv(path).columns)


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_F191_a_name_is_no_formula(name, tmp_path):
    """A text that a spreadsheet would run begins with an apostrophe."""
    market = small_market()
    comparison = compare([SixtyForty(name=name)], market)
    text = plain_csv(comparison.table.reset_index())
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1][0] == "'" + name


def test_numbers_stay_numbers(written):
    """-0.21 begins with a minus and is none of a formula's business."""
    for path in written[5:]:
        frame = pd.read_csv(path)
        numbers = [c for c in ("max_drawdown", "low", "sharpe", "correlation") if c in frame]
        assert all(pd.api.types.is_float_dtype(frame[column]) for column in numbers)
        assert (frame[numbers] < 0).any(axis=None)
        assert not path.read_text(encoding="utf-8").count(",'")


def test_a_plain_text_is_not_marked():
    frame = pd.DataFrame({"a": ["60/40", "2022– after", "", None], "b": [-1.0, np.nan, 2.0, 3.0]})
    assert plain_csv(frame) == frame.to_csv(index=False, lineterminator="\n")


def test_writing_twice_gives_the_same_bytes(history, history_study, written, tmp_path):
    for one, other in zip(written, write_report(history, history_study, tmp_path), strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("below", [False, True])
def test_a_folder_that_cannot_be_written(history, history_study, tmp_path, below):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(InputError, match=r"folder: cannot write .*taken.*; choose another"):
        write_report(history, history_study, taken / "inside" if below else taken)
