"""Faults that an acceptance test from outside found, beside those in the files of their subjects."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError, StrategyError, UndefinedStatisticWarning

DAYS = pd.bdate_range("2012-01-02", periods=600)


def prices(index: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    steps = np.random.default_rng(3).normal(0.0003, 0.01, (len(index), 3))
    return pd.DataFrame(100.0 * np.exp(np.cumsum(steps, axis=0)), index, ["SPY", "IEF", "GLD"])


def returns() -> pd.DataFrame:
    return prices().pct_change().iloc[1:]


def noted(table: pd.DataFrame) -> list[str]:
    return [note for note in al.Market(table, 0.02).notes if not note.startswith("cash:")]


# Prices


def test_F021_half_precision_is_not_called_single() -> None:
    notes = noted(prices().astype({"GLD": "float16", "SPY": "float32"}))
    assert notes[0] == "float16 prices, resolved to 1e-3 at best: GLD"
    assert notes[1] == "float32 prices, resolved to 1e-7 at best: SPY"


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1 / 7, "7 for 1"), (20.0, "1 for 20"), (0.05, "20 for 1"), (0.01, "100 for 1"), (100.0, "1 for 100")],
)
def test_F036_large_splits_and_pence_for_pounds(factor: float, words: str) -> None:
    table = prices()
    table.iloc[300:, 1] *= factor
    (note,) = noted(table)
    assert f"an unadjusted split {words} makes it" in note


@pytest.mark.parametrize("kept", [slice(None, None, 2), [0, 2, 4]])
def test_F042_every_other_day_is_not_daily(kept: Any) -> None:
    """252 periods a year would make the volatility of 130 rows a year too high by 39 %."""
    table = prices()
    thin = table.iloc[kept] if isinstance(kept, slice) else table[table.index.day_of_week.isin(kept)]
    with pytest.raises(InputError, match=r"^prices\.index on .*: 1[35]\d rows a year .* would be wrong"):
        al.Market(thin, 0.02)


def test_F042_four_days_a_week_are_daily() -> None:
    table = prices()
    assert al.Market(table[table.index.day_of_week < 4], 0.02).frequency.name == "daily"
    assert al.Market(table.iloc[:59:2], 0.02).frequency.name == "daily"  # too few to tell


def test_F051_yields_by_their_tickers() -> None:
    quotes = prices().assign(**{"^TNX": 4.0 + np.sin(np.arange(600.0))})
    (note,) = noted(quotes)
    assert note.startswith("prices['^TNX'] on 2012-01-02: looks like a yield in percent")


def test_F098_percent_of_cash_a_day_are_seen_in_their_sum() -> None:
    """2 % a year are 0.0079 percent a day, which no single day shows."""
    cash = pd.Series(0.02 / 252, DAYS[1:])
    assert len(al.Market(prices(), cash).cash_returns) == 599
    said = r"^cash on .*: its typical return is 2 a year; .*divide percent by 100$"
    with pytest.raises(InputError, match=said):
        al.Market(prices(), 100.0 * cash)


# Weights


@dataclass(frozen=True)
class Answers(al.Strategy):
    answer: Any
    name: str = "answers"

    def weights(self, past: al.Market) -> Any:
        return self.answer


@pytest.mark.parametrize("weight", ["0.5", b"1", True, np.True_])
def test_F074_text_and_truth_are_no_weights(weight: object) -> None:
    said = r"'answers' on 2012-01-02: the weight of 'SPY' is .*, not a number"
    market = al.Market(prices(), 0.02)
    for answer in ({"SPY": weight}, pd.Series({"SPY": weight}), {"GLD": 0.5, "SPY": weight}):
        with pytest.raises(StrategyError, match=said):
            al.run_backtest(Answers(answer), market)
    with pytest.raises(StrategyError, match=said):
        al.sweep([Answers({"SPY": weight})], market, progress=False)


def test_F119_a_sweep_of_one_return() -> None:
    market = al.Market(prices(), 0.02)
    with pytest.warns(UndefinedStatisticWarning, match="too few returns"):
        row = al.sweep([al.FixedMix({"SPY": 1.0})], market, lag=598, progress=False).iloc[0]
    assert row["n"] == 1
    assert np.isnan([row["volatility"], row["sharpe"], row["sharpe_se"]]).all()


# Statistics


@pytest.mark.parametrize("value", [0.0, 0.01])
def test_F120_F121_constant_returns_have_no_ratio_though_cash_moves(value: float) -> None:
    """A rate a year earns more over a weekend, and a constant over it is cash: its ratio was -28 or 3,633."""
    flat = returns()["SPY"] * 0.0 + value
    for statistic in (al.sharpe_ratio, al.sharpe_standard_error):
        with pytest.warns(UndefinedStatisticWarning, match="never changes"):
            assert np.isnan(statistic(flat, 0.02))
    for estimate in (al.sharpe_interval(flat, 0.02), al.autocorrelated_sharpe(flat, 0.02)):
        assert np.isnan(estimate.sharpe)
        assert "never changes" in estimate.reason
    assert np.isnan(al.sharpe_difference(returns()["SPY"], flat, 0.02).difference)


def test_F130_the_beta_to_a_constant_is_nan_though_cash_moves() -> None:
    """It was 0.6, the slope on what cash earns over weekends."""
    table = returns()
    for statistic in (al.beta, al.jensen_alpha):
        with pytest.warns(UndefinedStatisticWarning, match="benchmark never changes"):
            assert np.isnan(statistic(table["SPY"], table["IEF"] * 0.0 + 1e-4, 0.02))
        assert np.isfinite(statistic(table["SPY"], table["IEF"], 0.02))


def test_F121_F123_the_familiar_table_warns_of_nothing_but_reasons() -> None:
    table = returns()
    lost = table["SPY"].copy()
    lost.iloc[-1] = -1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        for series in (lost, 0.0 * lost):
            assert al.empyrical_summary(series, 0.02).shape == (13, 1)


def test_F131_annual_rates_by_regime() -> None:
    flat = pd.Series(0.02, returns().index)
    labels = pd.Series(np.where(np.arange(599) < 300, "early", "late"), flat.index)
    with pytest.raises(InputError, match=r"^cash: a typical return of 0\.02 a period is 5\.04 a year"):
        al.conditional_performance(returns()["SPY"], flat, labels, 252, n_resamples=50)


def test_F133_F144_settings_that_are_no_numbers() -> None:
    series = returns()["SPY"]
    with pytest.raises(InputError, match=r"^periods_per_year: '252' is not a positive number"):
        al.sharpe_ratio(series, 0.02, "252")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^lags: 1\.5 is not between 0 and 251"):
        al.autocorrelated_sharpe(series, 0.02, 1.5)  # type: ignore[arg-type]


# Dates


@pytest.mark.parametrize("text", ["03/04/2013", "3.4.2013", "03-04-13"])
def test_F007_dates_of_a_run_that_are_ambiguous(text: str) -> None:
    """Pandas takes the month first, without a word."""
    market = al.Market(prices(), 0.02)
    said = rf"^start: in '{text}' day and month could be confused; write it as 2022-03-31$"
    for door in (al.run_backtest, lambda it, *rest, **by: al.compare([it], *rest, **by)):
        with pytest.raises(InputError, match=said):
            door(al.FixedMix({"SPY": 1.0}), market, start=text)
    run = al.run_backtest(al.FixedMix({"SPY": 1.0}), market, start="2013-03-04")
    assert run.value.index[0] == pd.Timestamp("2013-03-01")
