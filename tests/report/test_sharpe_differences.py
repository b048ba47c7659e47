"""Differences of Sharpe ratios by period: each row tests its own returns, the family is the whole table."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator as al
from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from allocator.report.sharpe_differences import family_p_values
from strategies import SixtyForty, default_study

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONTHLY = ROOT.parent / "shared" / "data" / "monthly_eom_1962.csv"
FAST = al.StudentizedBootstrap(n_resamples=999, seed=3)
PERIODS = [("2000", "2007"), ("2008-01", "2011-06-30"), ("2011-07", None)]
short_run = pytest.mark.filterwarnings("ignore::allocator.errors.UndefinedStatisticWarning")


@dataclass(frozen=True)
class Stocks(Strategy):
    """A constant share of stocks; beyond 1 it is borrowed."""

    share: float = 0.5
    name: str = "stocks"

    def weights(self, past):
        return {"stocks": self.share}


@dataclass(frozen=True)
class GoldFrom2008(Strategy):
    """60/40 before 2008, and 20 % of gold from then on."""

    name: str = "gold from 2008"

    def weights(self, past):
        gold = 0.2 if past.index[-1] >= pd.Timestamp("2008-01-31") else 0.0
        return {"stocks": 0.6, "bonds": 0.4 - gold, "gold": gold}


def monthly_market(rows: int = 180, seed: int = 0) -> Market:
    steps = np.random.default_rng(seed).normal(0.006, 0.03, (rows, 3))
    index = pd.date_range("1999-12-31", periods=rows, freq="ME")
    return Market(pd.DataFrame(np.exp(steps.cumsum(axis=0)), index, ["stocks", "bonds", "gold"]), 0.02)


MIXES = (
    SixtyForty(),
    al.FixedMix({"stocks": 0.5, "bonds": 0.3, "gold": 0.2}, name="with gold"),
    al.FixedMix({"stocks": 0.2, "bonds": 0.2, "gold": 0.6}, name="much gold"),
)


@pytest.fixture(scope="module")
def study():
    return al.compare(MIXES, monthly_market())


@pytest.fixture(scope="module")
def by_period(study):
    return al.compare_sharpe(study, PERIODS, bootstrap=FAST)


def returns_of(study, begin=None, end=None):
    frame = pd.concat([run.returns for run in study.backtests], axis=1)
    return frame.loc[begin:end], study.backtests[0].cash_returns.loc[begin:end]


SPANS = {
    "2000–2007": (None, "2007-12-31"),
    "2008-01–2011-06-30": ("2008-01-01", "2011-06-30"),
    "2011-07–": ("2011-07-01", None),
    "whole": (None, None),
}

# --- the numbers are those of the tests on the returns of the span ---


def test_the_rows(by_period):
    assert by_period.table.index.names == ["span", "strategy"]
    assert list(by_period.table.index.unique("span")) == list(SPANS)
    assert list(by_period.table.index.unique("strategy")) == ["with gold", "much gold"]
    assert by_period.baseline == "60/40"
    assert by_period.n_tests == 8
    assert not by_period.table.isna().to_numpy().any()


@pytest.mark.parametrize("span", SPANS)
def test_a_span_is_the_family_test_of_its_returns(span, study, by_period):
    returns, cash = returns_of(study, *SPANS[span])
    family = al.sharpe_family_test(returns.iloc[:, 1:], returns["60/40"], cash, FAST)
    rows = by_period.table.loc[span]
    names = {
        "value": "sharpe",
        "difference": "difference",
        "standard_error": "standard_error",
        "p_value": "p_value",
        "p_romano_wolf": "p_span",
    }
    for theirs, ours in names.items():
        np.testing.assert_allclose(rows[ours], family.table[theirs], rtol=1e-12)
    np.testing.assert_allclose(rows["sharpe_baseline"], family.benchmark_value, rtol=1e-12)
    assert (rows["n"] == len(returns)).all()
    assert (rows["begin"] == returns.index[0]).all()
    assert (rows["end"] == returns.index[-1]).all()


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_an_interval_is_that_of_the_pair(span, confidence, study):
    """`sharpe_difference` resamples two series, the family all at once: by the same blocks."""
    found = al.compare_sharpe(study, PERIODS, bootstrap=FAST, confidence=confidence).table.loc[span]
    returns, cash = returns_of(study, *SPANS[span])
    for name, row in found.iterrows():
        method = al.StudentizedBootstrap(int(row["block_length"]), FAST.n_resamples, FAST.seed)
        pair = al.sharpe_difference(returns[name], returns["60/40"], cash, method, confidence=confidence)
        assert pair.difference == pytest.approx(row["difference"], rel=1e-10)
        assert (pair.low, pair.high) == pytest.approx((row["low"], row["high"]), rel=1e-9)
        assert pair.p_value == row["p_value"]
        assert (row["low"] > 0.0 or row["high"] < 0.0) == (row["p_value"] <= 1.0 - confidence)


def test_another_baseline_turns_the_sign(study, by_period):
    other = al.compare_sharpe(study, PERIODS, baseline="with gold", bootstrap=FAST)
    ours = by_period.table.xs("with gold", level="strategy")
    theirs = other.table.xs("60/40", level="strategy")
    np.testing.assert_allclose(ours["difference"], -theirs["difference"], rtol=1e-10)
    np.testing.assert_allclose(ours["sharpe"], theirs["sharpe_baseline"], rtol=1e-10)
    assert other.baseline == "with gold"
    assert "less that of with gold" in repr(other)


def test_regimes_are_cut_by_their_labels(study):
    dates = study.backtests[0].returns.index
    labels = pd.Series(np.where(dates.month <= 6, "first half", "second half"), dates, name="Half")
    labels.iloc[:5] = None  # unclassified: no regime, and not tested
    found = al.compare_sharpe(study, regimes=labels, bootstrap=FAST)
    assert list(found.table.index.unique("span")) == ["first half", "second half", "whole"]
    for half in ("first half", "second half"):
        returns, cash = returns_of(study)
        chosen = (labels == half).to_numpy()
        family = al.sharpe_family_test(
            returns.to_numpy()[chosen, 1:],
            returns.to_numpy()[chosen, 0],
            cash.to_numpy()[chosen],
            FAST,
            periods_per_year=12,
        )
        expected = family.table["p_romano_wolf"].to_numpy()
        np.testing.assert_allclose(found.table.loc[half, "p_span"], expected)
        assert (found.table.loc[half, "n"] == chosen.sum()).all()
    assert "Half, labels as given (ex post: not known at the time)" in repr(found)
    assert "5 of 179 returns are unclassified" in repr(found)
    assert found.regimes.name == "Half"


def test_the_seed(study, by_period):
    again = al.compare_sharpe(study, PERIODS, bootstrap=FAST)
    pd.testing.assert_frame_equal(by_period.table, again.table)
    other = al.compare_sharpe(study, PERIODS, bootstrap=al.StudentizedBootstrap(n_resamples=999, seed=4))
    assert not np.allclose(by_period.table["p_value"], other.table["p_value"])


# --- the family ---


def step_down(p, span):
    """The same, slowly: reject the smallest while it is small enough for the spans that are left."""
    left = {j for j in range(len(p)) if not np.isnan(p[j])}
    out, highest = np.full(len(p), np.nan), 0.0
    while left:
        smallest = min(left, key=lambda j: (p[j], j))
        highest = max(highest, p[smallest] * len({span[j] for j in left}))
        out[smallest] = min(highest, 1.0)
        left.remove(smallest)
    return out


tests_by_span = st.lists(
    st.tuples(st.sampled_from([0.0, 0.004, 0.01, 0.02, 0.3, 1.0, np.nan]), st.integers(0, 3)), max_size=9
)


@given(tests_by_span)
def test_the_family_is_the_slow_step_down(tests):
    p, span = (np.array([each[side] for each in tests]) for side in (0, 1))
    found = family_p_values(p.astype(float), span.astype(np.int64))
    np.testing.assert_array_equal(found, step_down(p, span))
    known = ~np.isnan(p.astype(float))
    assert np.isnan(found[~known]).all()
    assert (found[known] >= p[known]).all()
    assert (found[known] <= 1.0).all()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_one_strategy_is_holm_and_one_span_is_left_alone(values):
    p = np.array(values)
    np.testing.assert_allclose(family_p_values(p, np.arange(len(p))), al.holm(p), rtol=1e-15)
    np.testing.assert_array_equal(np.sort(family_p_values(p, np.zeros(len(p), dtype=np.int64))), np.sort(p))


def test_the_family_is_wrong_once_in_twenty_where_a_correction_by_strategy_is_wrong_more_often():
    """True nulls: both strategies in the first span, the second strategy in the other; the fourth is found.

    Holm for each strategy on its own lets the first use all of 5 % in the first span, once its other test is
    rejected, and the second strategy 2.5 % in the other span: 7.4 % together.
    """
    rng, span = np.random.default_rng(1), np.array([0, 0, 1, 1])
    wrong, by_strategy = 0, 0
    n = 4000
    for first, second in rng.random((n, 2)):
        # Within the first span both strategies have the same p, which a family test need not correct.
        p = np.array([first, first, 0.0, second])
        null = np.array([True, True, False, True])
        wrong += bool((family_p_values(p, span)[null] <= 0.05).any())
        alone = np.concatenate([al.holm(p[[0, 2]]), al.holm(p[[1, 3]])])  # each strategy on its own
        by_strategy += bool((alone[[0, 2, 3]] <= 0.05).any())
    assert wrong / n < 0.056
    assert by_strategy / n > 0.063


def test_the_family_in_the_table(by_period):
    number = np.repeat(np.arange(4), 2)
    expected = family_p_values(by_period.table["p_span"].to_numpy(), number)
    np.testing.assert_array_equal(by_period.table["p_family"], expected)
    assert (by_period.table["p_family"] >= by_period.table["p_span"]).all()


def test_one_pair_over_periods_is_holm(study):
    pair = al.compare(MIXES[:2], study.market)
    found = al.compare_sharpe(pair, PERIODS, bootstrap=FAST).table
    np.testing.assert_allclose(found["p_family"], al.holm(found["p_value"].to_numpy()))


# --- what cannot be tested ---


def test_a_short_period_is_counted_and_not_in_the_family(study):
    found = al.compare_sharpe(study, [("2000", "2000-11"), ("2001", "2002-04")], bootstrap=FAST)
    short, rough = found.table.loc["2000–2000-11"], found.table.loc["2001–2002-04"]
    assert short["n"].tolist() == [11, 11]
    assert short[["sharpe", "difference", "low", "p_value", "p_family"]].isna().to_numpy().all()
    assert short["reason"].eq("n=11, at least 12 are needed").all()
    assert rough["reason"].str.contains("n=16: errors and p-values of fewer than 20").all()
    assert found.n_tests == 4
    for text in (repr(found), found._repr_html_()):
        assert "for all 4 tests" in text
        assert "over the 2 spans" in text
        assert "n=11, at least 12 are needed" in text


def test_the_same_portfolio_twice(study):
    twin = al.FixedMix({"stocks": 0.6, "bonds": 0.4}, name="twin")
    found = al.compare_sharpe(al.compare([*MIXES[:2], twin], study.market), bootstrap=FAST)
    row = found.table.loc[("whole", "twin")]
    assert (row["difference"], row["p_value"], row["p_family"]) == (0.0, 1.0, 1.0)
    assert "moves as the benchmark" in row["reason"]
    assert found.n_tests == 1
    assert "one test, its p needs no correction" in repr(found)


def test_a_period_in_which_both_are_the_same_is_no_test():
    market = monthly_market()
    risen = market.prices.assign(gold=lambda prices: prices["gold"] * 1.02 ** np.arange(len(prices)))
    study = al.compare([SixtyForty(), GoldFrom2008()], Market(risen, 0.02))
    found = al.compare_sharpe(study, [("2000", "2007"), ("2008", None)], bootstrap=FAST)
    same, *tested = found.table["p_value"]
    assert found.table["difference"].iloc[0] == 0.0
    assert same == found.table["p_family"].iloc[0] == 1.0
    assert found.n_tests == 2
    assert max(tested) < 0.2
    np.testing.assert_allclose(found.table["p_family"].iloc[1:], al.holm(np.array(tested)))


@short_run
def test_a_baseline_that_is_cash(study):
    idle = al.FixedMix({"stocks": 0.0}, name="idle")
    found = al.compare_sharpe(al.compare([idle, *MIXES[:2]], study.market), bootstrap=FAST)
    assert found.n_tests == 0
    assert found.table["reason"].eq("never changes over cash").all()
    assert "nothing could be tested" in repr(found)


def crash() -> Market:
    market = monthly_market(60)
    prices = market.prices
    prices.iloc[20:, 0] *= 0.5
    return Market(prices, 0.02)


def test_a_ruined_strategy_is_said_and_left_out():
    study = al.compare([*MIXES[:2], Stocks(9.0, "levered")], crash())
    found = al.compare_sharpe(study, bootstrap=FAST)
    alone = al.compare_sharpe(al.compare(MIXES[:2], crash()), bootstrap=FAST)
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert "'levered' was ruined on 2001-08-31 and is not tested" in repr(found)


# --- refusals ---


@pytest.mark.parametrize(
    ("periods", "problem"),
    [
        ([("1975", "1999")], "1975–1999 has no return; they run from 2000-01-31 to 2014-11-30; leave it out"),
        ([("2010", "2005")], "2010–2005 begins after it ends"),
        ([(None, None)], "is no period"),
        (["2000"], "'2000' is no period"),
        ("2000", "is no list"),
        (2000, "is no list"),
        ([("soon", None)], "'soon' is not a date"),
        ([("2000", "2007"), ("2000", "2007")], "two spans are called '2000–2007'"),
    ],
)
def test_periods_that_are_none(study, periods, problem):
    with pytest.raises(InputError, match=f"periods: .*{problem}"):
        al.compare_sharpe(study, periods, bootstrap=FAST)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"baseline": "70/30"}, "baseline: no '70/30'; there are: 60/40, with gold, much gold"),
        ({"bootstrap": al.HAC()}, "bootstrap: expected StudentizedBootstrap, got HAC"),
        ({"confidence": 1.0}, "confidence: 1.0 is not between 0 and 1"),
        (
            {"confidence": 0.9999, "bootstrap": FAST},
            "n_resamples: 999 are too few for a confidence of 0.9999",
        ),
        ({"regimes": ["a", "b"]}, "regimes: expected Regimes or a Series"),
    ],
)
def test_arguments_that_are_refused(study, arguments, problem):
    with pytest.raises(InputError, match=problem):
        al.compare_sharpe(study, **arguments)


def test_what_is_no_comparison(study):
    with pytest.raises(InputError, match=r"expected a Comparison, got list; pass al.compare"):
        al.compare_sharpe(list(study.backtests))


def test_one_strategy_has_nothing_to_differ_from(study):
    with pytest.raises(InputError, match="1 of 1 strategies reached the end, a difference needs two"):
        al.compare_sharpe(al.compare(MIXES[:1], study.market))


def test_a_ruined_baseline():
    study = al.compare([Stocks(9.0, "levered"), *MIXES[:2]], crash())
    with pytest.raises(InputError, match=r"'levered' was ruined on 2001-08-31.*pass baseline="):
        al.compare_sharpe(study)
    assert al.compare_sharpe(study, baseline="60/40", bootstrap=FAST).n_tests == 1


# --- how it shows ---


def test_the_footer_says_what_the_numbers_are(by_period):
    for text in (repr(by_period), by_period._repr_html_()):
        assert "95 % interval of each alone" in text
        assert "studentised circular block bootstrap (Ledoit and Wolf, 2008), 999 resamples, seed 3" in text
        assert "for all 8 tests of this table together (Romano and Wolf, 2005, over the strategies" in text
        assert "Holm, 1979, over the 4 spans, which may overlap" in text
        assert "costs: 5 bp" in text
        assert "monthly, 1999-12-31 to 2014-11-30" in text


def test_the_numbers_are_shown(by_period):
    lines = repr(by_period).splitlines()
    for (span, strategy), row in by_period.table.iterrows():
        line = next(
            line
            for line in lines[lines.index(next(x for x in lines if x.startswith(f"{span} "))) :]
            if f" {strategy} " in line
        )
        assert f"{row['difference']:+.2f}" in line
        assert f"{row['low']:+.2f} to {row['high']:+.2f}" in line
        assert line.rstrip().endswith(f"{row['p_value']:.3f}     {row['p_family']:.3f}")


def test_the_columns_are_those_that_the_docstring_names(by_period):
    documented = al.SharpeComparison.__doc__
    assert all(f"``{column}``" in documented for column in by_period.table.columns)


def test_simulated_data_and_hostile_names():
    market = al.simulate_market(seed=2, years=3)
    named = [SixtyForty(), al.FixedMix({"stocks": 0.5, "gold": 0.5}, name="<b>half</b>")]
    found = al.compare_sharpe(al.compare(named, market), bootstrap=FAST)
    assert "SIMULATED data" in repr(found)
    assert "<b>half" not in found._repr_html_()
    assert "&lt;b&gt;half" in found._repr_html_()


# --- in a comparison, and by regime in a study ---


def test_a_comparison_shows_the_differences_below_the_ratios(study):
    lines = repr(study).splitlines()
    titles = [line.split("  ")[0] for line in lines]
    below = titles.index("Sharpe ± se") + 1
    assert titles[below : below + 4] == ["Sharpe less 60/40’s", "95 % interval of it", "p alone", "p family"]
    for title, column in (("p alone", "p_value"), ("p family", "p_family")):
        shown = lines[titles.index(title)].split()[2:]
        expected = study.sharpe_differences.table[column]
        assert shown == ["–", *(f"{p:.3f}" for p in expected)]
    assert "p family: for all 2 tests of this table together (Romano and Wolf, 2005)" in repr(study)
    assert "p family: for all 2 tests" in study._repr_html_()


def test_comparing_does_not_wait_for_the_tests():
    study = al.compare(MIXES, monthly_market())
    assert "sharpe_differences" not in vars(study)
    assert study.sharpe_differences is study.sharpe_differences


def test_a_comparison_without_a_difference_prints():
    alone = al.compare(MIXES[:1], monthly_market())
    assert "p alone" not in repr(alone)
    assert "no test" not in repr(alone).split("Sharpe: ")[1].split("\n")[1]
    ruined = al.compare([Stocks(9.0, "levered"), *MIXES[:2]], crash())
    for text in (repr(ruined), ruined._repr_html_()):
        assert (
            "no test of a difference: &#x27;levered&#x27;" in text
            or "difference: 'levered' was ruined" in text
        )


def test_the_study_of_regimes_has_the_differences_of_each_definition():
    market = al.load_us_history()
    study = al.compare(default_study(), market)
    found = al.study_regimes(study, "stocks", "bonds")
    assert [result.regimes.name for result in found.differences] == [
        table.regimes.name for table in found.performance
    ]
    level = next(r for r in found.differences if r.regimes.name == "Inflation level" and r.regimes.ex_post)
    whole = al.compare_sharpe(study, regimes=al.inflation_level(market, ex_post=True)).table
    shared = level.table.index
    assert "whole" not in shared.get_level_values("span")
    for column in ("n", "difference", "low", "high", "p_value", "p_span"):
        np.testing.assert_array_equal(level.table[column], whole.loc[shared, column])
    assert (level.table["p_family"] <= whole.loc[shared, "p_family"]).all()  # a smaller family
    row = level.table.iloc[0]
    shown = f"{row['difference']:+.2f}, {row['low']:+.2f} to {row['high']:+.2f}, p {row['p_family']:.3f}"
    assert shown in repr(found)
    assert f"{len(found.differences)} definitions were tried" in repr(found)


def test_the_correlation_over_all_dates_by_frequency():
    market = al.simulate_market(seed=2, years=6)
    found = al.study_regimes(al.compare(MIXES, market), "stocks", "bonds")
    returns = market.returns
    expected = al.correlation_by_frequency(returns["stocks"], returns["bonds"])
    for ours, theirs in zip(found.overall, (expected.finer, expected.monthly), strict=True):
        assert ours.n == theirs.n
        assert ours.correlation == pytest.approx(theirs.correlation, rel=1e-9)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    constant = al.constant_correlation_test(returns["stocks"], returns["bonds"])
    assert found.constancy[0].p_value == constant.p_value
    assert f"{constant.date:%Y-%m-%d}" in repr(found)


# --- the example ---


def printed(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "with_and_without_gold.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_on_the_embedded_history():
    text = printed()
    for begin in ("1975–1999", "2000–2021", "2022–", "whole"):
        assert any(line.startswith(f"{begin} ") for line in text.splitlines())
    assert "n=4, at least 12 are needed" in text


@pytest.mark.skipif(not MONTHLY.exists(), reason=f"needs {MONTHLY.name}, which is not part of the project")
def test_gold_on_the_monthly_panel():
    """As on monthly averages: worse, better, better, the same; and nothing is significant at 5 %."""
    table = pd.read_csv(MONTHLY, index_col=0, parse_dates=True)
    levels = (1.0 + table).cumprod()
    market = Market(levels[["US_EQ_ret", "UST10_ret", "GOLD_ret"]], table["TBILL_ret"].iloc[1:])
    mixes = [
        al.FixedMix({"US_EQ_ret": 0.6, "UST10_ret": 0.4}, name="60/40"),
        al.FixedMix({"US_EQ_ret": 0.5, "UST10_ret": 0.3, "GOLD_ret": 0.2}, name="50/30/20"),
    ]
    study = al.compare(mixes, market, start="1975", costs=al.Costs(trading=0.0))
    found = al.compare_sharpe(study, [("1975", "1999"), ("2000", "2021"), ("2022", None)]).table
    assert found["n"].tolist() == [300, 264, 54, 618]
    assert (found["p_value"] > 0.05).all()
    assert (found["p_family"] > 0.4).all()
    assert np.sign(found["difference"]).tolist() == [-1.0, 1.0, 1.0, 1.0]
