"""Any statistic by regime: the number against its definition, the interval against simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from regime_worlds import dates

from allocator.errors import InputError
from allocator.regimes import Regimes, conditional_correlation, conditional_performance, conditional_statistic
from allocator.regimes.record import UNCLASSIFIED
from allocator.statistics import fisher_interval, holm, max_drawdown

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
MANAGERS = CASES / "C_managers_input.csv"
needs_managers = pytest.mark.skipif(
    not MANAGERS.exists(), reason="needs cases that are not part of the project"
)
QUICK = {"n_resamples": 100}


def noise(n: int, seed: int = 0, columns=("stocks", "bonds")) -> pd.DataFrame:
    draws = np.random.default_rng(seed).normal(0.005, 0.03, (n, len(columns)))
    return pd.DataFrame(draws, index=dates(n), columns=list(columns))


def persistent(n: int, seed: int, phi: float) -> pd.Series:
    shocks, path = np.random.default_rng(seed).normal(0.0, 0.02, n + 100), np.zeros(n + 100)
    for row in range(1, n + 100):
        path[row] = phi * path[row - 1] + shocks[row]
    return pd.Series(path[100:], index=dates(n), name="fund")


def halves(index: pd.DatetimeIndex, first: int | None = None) -> pd.Series:
    cut = len(index) // 2 if first is None else first
    return pd.Series(np.where(np.arange(len(index)) < cut, "early", "late"), index=index, name="half")


def pearson(x, y) -> float:
    return float(np.corrcoef(x, y)[0, 1])


# --- the numbers ---


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**16), st.sampled_from([np.mean, np.std, max_drawdown]))
def test_it_is_the_statistic_of_the_joined_periods(seed, statistic):
    frame = noise(150, seed)
    labels = pd.Series(np.random.default_rng(seed).choice(list("abc"), 150), index=frame.index)
    table = conditional_statistic(frame, labels, statistic, n_resamples=10).table
    assert table.index.names == ["strategy", "regime"]
    for name in frame:
        for label in "abc":
            row, part = table.loc[(name, label)], frame[name][labels == label]
            title = getattr(statistic, "__name__").replace("_", " ")  # noqa: B009
            assert row[title] == statistic(part.to_numpy())
            assert (row["n"], row["share"]) == (len(part), len(part) / 150)
            assert row["spells"] == ((labels == label) & (labels.shift() != label)).sum()
            assert 1.0 <= row["effective_n"] <= row["n"]
            assert row["low"] < row[title] < row["high"]


def test_two_series_are_resampled_together():
    frame = noise(240)
    frame["bonds"] += 0.7 * frame["stocks"]
    labels = halves(frame.index)
    mine = conditional_statistic(frame["stocks"], labels, pearson, beside=frame["bonds"], n_resamples=1500)
    theirs = conditional_correlation(
        frame["stocks"], frame["bonds"], labels, n_resamples=1500, block_length=2
    ).table
    for label in ("early", "late"):
        row, other = mine.table.loc[("stocks", label)], theirs.loc[label]
        assert row["pearson"] == pytest.approx(other["correlation"], abs=1e-12)
        # Ours is on the scale of r, theirs on that of Fisher's z: the same for a modest r.
        assert row["high"] - row["low"] == pytest.approx(other["high"] - other["low"], rel=0.25)
    assert "pearson, with bonds" in repr(mine)
    assert mine.p_equal["stocks"] > 0.05


def test_a_sharpe_ratio_is_that_of_the_other_table():
    frame = noise(240, 4)
    labels, zero = halves(frame.index), 0.0 * frame["stocks"]
    ratio = lambda r: np.sqrt(12) * r.mean() / r.std(ddof=1)  # noqa: E731
    mine = conditional_statistic(frame, labels, ratio, name="sharpe", n_resamples=1000).table
    theirs = conditional_performance(frame, zero, labels, 12).table
    assert mine["sharpe"].to_numpy() == pytest.approx(theirs["sharpe"].to_numpy())
    assert mine["standard_error"].to_numpy() == pytest.approx(theirs["standard_error"].to_numpy(), rel=0.2)
    assert mine["spells"].tolist() == theirs["spells"].tolist()


@needs_managers
def test_stocks_and_treasuries_1996_to_2006():
    """Correlation, its parts by half and by the sign of stocks, and the error of independent pairs."""
    case = json.loads((CASES / "D_conditional_correlation_managers.json").read_text())
    data = pd.read_csv(MANAGERS, index_col=0, parse_dates=True)
    x, y = data["SP500 TR"], data["US 10Y TR"]
    assert pearson(x, y) == pytest.approx(case["corr"], abs=1e-12)
    assert fisher_interval(case["corr"], 132) == pytest.approx(case["fisher_ci95"], abs=1e-12)
    by_half = conditional_statistic(x, halves(x.index, 66), pearson, beside=y, null=0.0)
    found = by_half.table["pearson"].to_numpy()
    assert found == pytest.approx([case["corr_first66"], case["corr_last66"]], abs=1e-12)
    z = np.abs(np.diff(np.arctanh(found)))[0] / np.sqrt(2 / 63)
    assert z == pytest.approx(case["fisher_z_difference"], abs=1e-9)
    assert by_half.p_equal["SP500 TR"] < 0.02  # the naive test says 0.0014
    signs = pd.Series(np.where(x > 0.0, "up", "down"), index=x.index)
    by_sign = conditional_statistic(x, signs, pearson, beside=y, **QUICK).table["pearson"]
    assert by_sign["SP500 TR", "up"] == pytest.approx(case["corr_when_sp_up"], abs=1e-9)
    assert by_sign["SP500 TR", "down"] == pytest.approx(case["corr_when_sp_down"], abs=1e-9)


# --- how sure ---


def test_independent_returns_count_in_full_and_persistent_ones_do_not():
    """AR(1): n(1 - φ)/(1 + φ) for a mean."""
    counts = {}
    for phi in (0.0, 0.5):
        rows = [
            conditional_statistic(series, halves(series.index), np.mean, n_resamples=2).table
            for seed in range(15)
            for series in [persistent(600, seed, phi)]
        ]
        counts[phi] = np.mean([table["effective_n"].mean() for table in rows])
    assert 0.9 * 300 < counts[0.0] <= 300
    assert counts[0.5] == pytest.approx(300 / 3.0, rel=0.2)


def test_the_error_knows_the_dependence():
    """AR(1): the error of a mean is σ√((1 + φ)/(1 - φ)/n), that of single rows 0.58 of it for φ = 0.5."""
    ratios, blocks = [], []
    for seed in range(12):
        series = persistent(800, seed, 0.5)
        table = conditional_statistic(series, halves(series.index), np.mean, n_resamples=100).table
        ratios += (table["standard_error"] / (series.std() * np.sqrt(3.0 / 400))).tolist()
        blocks += table["block_length"].tolist()
    assert 0.82 < np.mean(ratios) < 1.1
    assert 1 < min(blocks) <= max(blocks) <= 400 // 3


def test_the_error_knows_what_blocks_cut():
    """60 periods of AR(1), φ = 0.5: what blocks alone see is under 0.8 of the error of the mean."""
    ratios = []
    for seed in range(30):
        series = persistent(120, seed, 0.5)
        table = conditional_statistic(series, halves(series.index), np.mean, n_resamples=40).table
        ratios += (table["standard_error"] / (0.02 / 0.5 / np.sqrt(60))).tolist()
    assert 0.86 < np.mean(ratios) < 1.05


@pytest.mark.parametrize(("statistic", "truth"), [(np.mean, 0.005), (np.std, 0.03)])
def test_intervals_cover_as_often_as_said(statistic, truth):
    covered = []
    for seed in range(80):
        frame = noise(160, seed, ("fund",))
        table = conditional_statistic(frame, halves(frame.index), statistic, n_resamples=60, seed=seed).table
        covered += ((table["low"] < truth) & (truth < table["high"])).tolist()
    assert 0.90 < np.mean(covered) < 0.98


def test_p_values_are_right_under_the_null_and_holm_adjusts_them():
    small = []
    for seed in range(80):
        frame = noise(160, seed, ("fund",))
        table = conditional_statistic(
            frame, halves(frame.index), np.mean, null=0.005, n_resamples=60, seed=seed
        ).table
        assert table["p_holm"].tolist() == holm(table["p"]).tolist()
        small += (table["p"] < 0.05).tolist()
    assert 0.02 < np.mean(small) < 0.10


def test_the_family_is_all_rows_but_the_unclassified():
    frame = noise(240)
    labels = pd.Series(np.random.default_rng(0).choice(["a", "b", UNCLASSIFIED], 240), index=frame.index)
    result = conditional_statistic(frame, labels, np.mean, null=0.0, **QUICK)
    tested = result.table.drop(index=UNCLASSIFIED, level="regime")
    assert tested["p_holm"].to_numpy() == pytest.approx(holm(tested["p"].to_numpy()))
    assert result.table.xs(UNCLASSIFIED, level="regime")["p_holm"].isna().all()
    assert result.table["p"].notna().all()
    assert "p: that it is 0.0; p holm: for all 4 rows tested (Holm, 1979)" in repr(result)


def test_without_a_null_nothing_is_tested():
    result = conditional_statistic(noise(60), halves(dates(60)), max_drawdown, **QUICK)
    assert "p" not in result.table
    assert "Holm" not in repr(result)


def test_different_means_are_told_apart():
    frame = noise(240, 2)
    frame.iloc[:120] += 0.03
    result = conditional_statistic(frame, halves(frame.index), np.mean, **QUICK)
    assert max(result.p_equal.values()) < 0.001


def test_the_seed_decides():
    frame = noise(120)
    one, same, other = (
        conditional_statistic(frame, halves(frame.index), np.mean, seed=seed, **QUICK) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one.table, same.table)
    assert (one.table["low"] != other.table["low"]).all()
    assert "100 resamples, seed 1" in repr(one)


# --- regimes that say little ---


def test_a_few_periods_are_counted_and_say_so():
    """F150."""
    frame = noise(111)
    result = conditional_statistic(frame, halves(frame.index, 100), np.mean, **QUICK)
    row = result.table.loc[("bonds", "late")]
    assert (row["n"], row["spells"], row["block_length"]) == (11, 1, 0)
    assert row[["mean", "effective_n", "low", "high"]].isna().all()
    assert row["reason"] == "n=11, at least 12 are needed"
    assert np.isnan(result.p_equal["bonds"])
    assert "n=11, at least 12" in repr(result)


def test_a_few_periods_worth_of_evidence_say_so():
    series = persistent(80, 3, 0.95)
    table = conditional_statistic(series, halves(series.index), np.mean, **QUICK).table
    weak = table["effective_n"] < 12
    assert weak.any()
    assert (table["reason"][weak] == "effective n is under 12: too few to say much").all()
    assert table["mean"].notna().all()


def test_returns_that_never_change_have_no_error():
    """F154."""
    frame = noise(120)
    frame.iloc[:60, 1] = 0.001
    table = conditional_statistic(frame, halves(frame.index), np.mean, **QUICK).table
    row = table.loc[("bonds", "early")]
    assert row["mean"] == pytest.approx(0.001)
    assert row["reason"] == "no period changes the statistic: no error to estimate"
    assert np.isnan(row["low"])
    assert np.isfinite(table.loc[("bonds", "late"), "low"])


def test_a_statistic_that_is_not_a_number_somewhere():
    frame = noise(120)
    labels = halves(frame.index)

    def only_late(r):
        return np.nan if r[0] == frame["stocks"].iloc[0] else float(r.mean())

    row = conditional_statistic(frame["stocks"], labels, only_late, **QUICK).table.loc[("stocks", "early")]
    assert row["reason"] == "the statistic is not a number here"

    def fragile(r):
        return float(r.mean()) if len(r) == 60 and len(np.unique(r)) == 60 else np.nan

    row = conditional_statistic(frame["stocks"], labels, fragile, **QUICK).table.loc[("stocks", "early")]
    assert row["reason"] == "the statistic is not a number without one period"
    assert np.isfinite(row["fragile"])


def test_regimes_keep_their_order_and_their_rule():
    frame = noise(60)
    given_ones = Regimes(halves(frame.index), "Half", "by hand", True, ("late", "early"))
    result = conditional_statistic(frame, given_ones, np.mean, **QUICK)
    assert result.table.loc["stocks"].index.tolist() == ["late", "early"]
    assert repr(result).startswith("Half: by hand (ex post: not known at the time)")
    assert "<table>" in result._repr_html_()


@pytest.mark.parametrize(("size", "shown"), [(1.0, r"\+0.00\d\d "), (1000.0, r"\+2.\d\d ")])
def test_small_numbers_keep_their_digits(size, shown):
    frame = noise(60).abs() + 0.001
    text = repr(conditional_statistic(frame, halves(frame.index), lambda r: size * r.mean() / 10, **QUICK))
    assert pd.Series(text.splitlines()).str.contains(shown).any()
    assert "  statistic  " in text


# --- refusals ---


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"confidence": 95}, "confidence"),
        ({"n_resamples": 1}, "n_resamples"),
        ({"null": np.inf}, "null"),
        ({"beside": noise(59)["bonds"]}, "beside on .*: its dates are not those of returns"),
        ({"beside": 3.0}, "beside: expected a Series"),
    ],
)
def test_settings_out_of_range(options, problem):
    frame = noise(60)
    with pytest.raises(InputError, match=problem):
        conditional_statistic(frame["stocks"], halves(frame.index), np.mean, **options)


@pytest.mark.parametrize("answer", ["high", None, [1.0, 2.0]])
def test_a_statistic_that_gives_no_number(answer):
    frame = noise(60)
    with pytest.raises(InputError, match=r"statistic: gave .* for 30 periods, expected a number"):
        conditional_statistic(frame, halves(frame.index), lambda r: answer)


def test_labels_that_do_not_fit():
    frame = noise(60)
    with pytest.raises(InputError, match="no label for 2 of 60 dates"):
        conditional_statistic(frame, halves(frame.index).iloc[2:], np.mean)
    with pytest.raises(InputError, match="only one regime"):
        conditional_statistic(frame, halves(frame.index, 60), np.mean)
    with pytest.raises(InputError, match="NaN"):
        conditional_statistic(frame.where(frame > -0.03), halves(frame.index), np.mean)
