"""Statistics by regime: each number against its definition, each interval against simulation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.errors import InputError
from allocator.market import load_us_history
from allocator.regimes import Regimes, conditional_correlation, conditional_performance, decades
from allocator.regimes.labels import UNCLASSIFIED
from allocator.statistics import StationaryBootstrap, bootstrap_correlation, bootstrap_sharpe, sharpe_ratio

MONTHLY = Path(__file__).resolve().parents[3] / "shared" / "data" / "monthly_eom_1962.csv"


def months(n: int) -> pd.DatetimeIndex:
    return pd.date_range("1990-01-31", periods=n, freq="ME")


def pairs(n: int, r: float = 0.0, seed: int = 0, scale: float = 0.03) -> pd.DataFrame:
    """Independent normal returns with correlation r."""
    draws = np.random.default_rng(seed).standard_normal((n, 2))
    draws[:, 1] = r * draws[:, 0] + np.sqrt(1.0 - r * r) * draws[:, 1]
    return pd.DataFrame(scale * draws, index=months(n), columns=["stocks", "bonds"])


def clustered(n: int, seed: int) -> pd.DataFrame:
    """Independent normal returns times a volatility that both share and that clusters, as in GARCH."""
    rng = np.random.default_rng(seed)
    draws, shocks, level = rng.standard_normal((n, 2)), rng.standard_normal(n), 0.0
    for row in range(n):
        level = 0.95 * level + 0.2 * shocks[row]
        draws[row] *= np.exp(level)
    return pd.DataFrame(0.01 * draws, index=months(n), columns=["stocks", "bonds"])


def halves(index: pd.DatetimeIndex, first: int | None = None) -> pd.Series:
    cut = len(index) // 2 if first is None else first
    return pd.Series(np.where(np.arange(len(index)) < cut, "early", "late"), index=index, name="half")


def switching(index: pd.DatetimeIndex, seed: int = 0, labels: tuple[str, ...] = ("a", "b", "c")) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).choice(labels, len(index)), index=index, name="state")


def correlate(frame: pd.DataFrame, regimes: pd.Series | Regimes, **options):
    return conditional_correlation(frame["stocks"], frame["bonds"], regimes, **options)


def known(labels: pd.Series) -> Regimes:
    """Regimes that were known at the time."""
    order = tuple(dict.fromkeys(labels))
    return Regimes(labels, "State", "a rule", False, order)


# --- correlation: the numbers ---


def test_n_share_and_correlation_are_those_of_the_subset():
    frame = pairs(300, 0.4)
    labels = switching(frame.index)
    table = correlate(frame, labels, n_resamples=50).table
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["n"].sum() == 300
    for label in "abc":
        part = frame[labels == label]
        assert table.loc[label, "n"] == len(part)
        assert table.loc[label, "share"] == len(part) / 300
        assert table.loc[label, "correlation"] == pytest.approx(np.corrcoef(part.T)[0, 1], abs=1e-14)
        assert table.loc[label, "low"] < table.loc[label, "correlation"] < table.loc[label, "high"]


@pytest.mark.skipif(not MONTHLY.exists(), reason=f"needs {MONTHLY.name}, which is not part of the project")
def test_us_stocks_and_treasuries_by_decade():
    returns = pd.read_csv(MONTHLY, index_col=0, parse_dates=True)[["US_EQ_ret", "UST10_ret"]].dropna()
    regimes = decades(returns.index)
    result = conditional_correlation(returns["US_EQ_ret"], returns["UST10_ret"], regimes)
    assert result.table["correlation"].round(2).tolist() == [0.28, 0.19, 0.36, 0.24, -0.36, -0.43, 0.50]
    assert result.table.index[0] == "1961–1970"
    assert result.p_equal < 2e-3
    # The sign of the last two decades is not a matter of the interval.
    assert result.table.loc["2011–2020", "high"] < 0.0 < result.table.loc["2021–2030", "low"]


def test_the_fisher_interval_is_its_formula():
    frame = pairs(200, -0.3)
    table = correlate(frame, halves(frame.index, 80), n_resamples=50, confidence=0.9).table
    for _, row in table.iterrows():
        width = 1.6448536269514722 / np.sqrt(row["n"] - 3)
        z = np.arctanh(row["correlation"])
        assert row["fisher_low"] == pytest.approx(np.tanh(z - width))
        assert row["fisher_high"] == pytest.approx(np.tanh(z + width))


def test_the_interval_is_wider_than_fishers_where_volatility_clusters():
    wider = []
    for seed in range(12):
        frame = clustered(600, seed)
        table = correlate(frame, halves(frame.index), n_resamples=300).table
        wider += ((table["high"] - table["low"]) / (table["fisher_high"] - table["fisher_low"])).tolist()
    assert np.mean(wider) > 1.25
    assert np.mean(np.array(wider) > 1.0) > 0.8


def test_it_is_the_bootstrap_of_the_subset():
    frame = pairs(240, 0.2)
    labels = halves(frame.index)
    row = correlate(frame, labels, seed=3, n_resamples=99).table.loc["late"]
    part = frame[labels == "late"]
    alone = bootstrap_correlation(part["stocks"], part["bonds"], seed=3, n_resamples=99)
    assert (row["low"], row["high"], row["block_length"]) == (alone.low, alone.high, alone.block_length)


def test_the_seed_decides():
    frame = pairs(120, 0.2)
    one, same, other = (correlate(frame, halves(frame.index), seed=s, n_resamples=99) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, same.table)
    assert one.p_equal == same.p_equal
    assert (one.table["low"] != other.table["low"]).all()
    assert "seed 1" in repr(one)


def test_a_block_is_at_most_a_third_of_a_regime():
    """One block as long as the regime would be the same sample each time: an interval without width."""
    frame = pairs(120, 0.2)
    table = correlate(frame, halves(frame.index, 30), block_length=40, n_resamples=99).table
    assert table["block_length"].tolist() == [10, 30]
    assert (table["high"] - table["low"] > 0.05).all()


# --- correlation: the test ---


def test_different_correlations_are_told_apart():
    early, late = pairs(120, -0.5, 1), pairs(120, 0.5, 2)
    frame = pd.concat([early, late.set_index(months(240)[120:])])
    assert correlate(frame, halves(frame.index), n_resamples=300).p_equal < 1e-3


@pytest.mark.parametrize(
    ("n", "labels"), [(200, ("a", "b")), (60, ("a", "b", "c"))], ids=["two of 100", "three of 20"]
)
def test_equal_correlations_are_rejected_as_often_as_said(n, labels):
    """At 5 %; about uniform. A χ² test on the second case would reject 12 %."""
    p = [
        correlate(frame, switching(frame.index, seed, labels), n_resamples=120, seed=seed).p_equal
        for seed in range(200)
        for frame in [pairs(n, 0.3, seed)]
    ]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.10
    deciles, _ = np.histogram(p, bins=5, range=(0.0, 1.0))
    assert deciles.min() >= 20
    assert deciles.max() <= 62


def test_equal_correlations_of_resampled_history_are_rejected_as_often_as_said():
    """Dependence that is weak and long; with blocks of 3 rows, about the optimal ones, too often."""
    market = load_us_history()
    over_cash = market.returns[["stocks", "bonds"]].sub(market.cash_returns, axis=0).dropna().to_numpy()
    n = len(over_cash)
    labels = pd.Series(np.arange(n) // 10 % 3, index=months(n))
    rows = next(StationaryBootstrap(n ** (1 / 3)).rows(n, 150, np.random.default_rng(1)))
    rejected = {None: 0, 3: 0}
    for some in rows:
        frame = pd.DataFrame(over_cash[some], index=months(n), columns=["stocks", "bonds"])
        for block in rejected:
            found = correlate(frame, labels, n_resamples=80, block_length=block)
            rejected[block] += found.p_equal < 0.05
    assert 0.02 <= rejected[None] / 150 <= 0.08
    assert rejected[3] > rejected[None] + 3


def test_two_regimes_are_welchs_t_test():
    frame = pairs(200, 0.2)
    result = correlate(frame, halves(frame.index, 60), n_resamples=99)
    table = result.table
    variance = table["standard_error"] ** 2
    degrees = np.maximum(table["n"] / table["block_length"] - 1.0, 2.0)
    t = np.diff(np.arctanh(table["correlation"]))[0] / np.sqrt(variance.sum())
    from scipy.stats import t as student

    df = variance.sum() ** 2 / (variance**2 / degrees).sum()
    assert result.p_equal == pytest.approx(2.0 * student.sf(abs(t), df), rel=1e-9)


def test_what_is_unclassified_is_not_tested():
    frame = pairs(240, 0.1)
    labels = switching(frame.index, labels=("a", "b", UNCLASSIFIED))
    chosen = labels != UNCLASSIFIED
    whole, part = correlate(frame, labels), correlate(frame[chosen], labels[chosen])
    assert whole.p_equal == part.p_equal


# --- labels ---


def test_labels_of_more_dates_do_no_harm():
    frame = pairs(120)
    labels = switching(frame.index)
    some = frame.iloc[10:90]
    pd.testing.assert_frame_equal(
        correlate(some, labels, n_resamples=30).table,
        correlate(some, labels.iloc[10:90], n_resamples=30).table,
    )


def test_a_categorical_keeps_its_order():
    frame = pairs(120)
    words = switching(frame.index, labels=("low", "mid", "high")).astype(
        pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=True)
    )
    result = correlate(frame, words, n_resamples=30)
    assert result.table.index.tolist() == ["low", "mid", "high"]
    assert result.regimes.name == "state"


def test_numbers_are_labels_in_their_order():
    frame = pairs(120)
    states = pd.Series(np.arange(120) % 3 * 5, index=frame.index)
    assert correlate(frame, states, n_resamples=30).table.index.tolist() == ["0", "5", "10"]


def test_F152_a_missing_label_is_unclassified_and_counted():
    """F152: its own bucket, never dropped."""
    frame = pairs(120)
    labels = switching(frame.index).astype(object)
    labels.iloc[:20] = np.nan
    for given in (labels, labels.astype("category"), Regimes(labels, "n", "r", False, ("a", "b", "c"))):
        table = correlate(frame, given, n_resamples=30).table
        assert table["n"].sum() == 120
        assert table.index[-1] == UNCLASSIFIED
        assert table.loc[UNCLASSIFIED, "n"] == 20
        assert table["share"].sum() == pytest.approx(1.0)


def test_F150_a_few_periods_are_counted_not_estimated():
    """F150: NaN and n, never dropped."""
    frame = pairs(111)
    labels = halves(frame.index, 100)
    correlation = correlate(frame, labels, n_resamples=30)
    row = correlation.table.loc["late"]
    assert row["n"] == 11
    assert np.isnan(row[["correlation", "low", "high", "fisher_low"]].to_numpy(dtype=float)).all()
    assert row["reason"] == "n=11, at least 12 are needed"
    assert np.isnan(correlation.p_equal)
    assert "fewer than two regimes" in repr(correlation)
    assert "leaves out, without an error to estimate: late" in repr(correlation)
    performance = conditional_performance(frame, 0.0 * frame["stocks"], labels, 12, n_resamples=30)
    assert performance.table.loc[("bonds", "late"), "n"] == 11
    assert np.isnan(performance.table.loc[("bonds", "late"), "sharpe"])
    assert "leaves out, without an error to estimate: stocks late, bonds late" in repr(performance)


def test_several_small_regimes_say_so():
    """What is left is tested, and what is left out is named; nobody can take p for one of all regimes."""
    frame = pairs(120)
    labels = pd.Series(["a"] * 60 + ["b"] * 45 + ["c"] * 9 + ["d"] * 6, index=frame.index)
    result = correlate(frame, labels, n_resamples=99)
    few = result.table.loc[["c", "d"]]
    assert few[["correlation", "low", "high", "fisher_low", "standard_error"]].isna().all(axis=None)
    assert few["reason"].tolist() == ["n=9, at least 12 are needed", "n=6, at least 12 are needed"]
    assert np.isfinite(result.p_equal)
    for text in (repr(result), result._repr_html_()):
        assert "the p of equality leaves out, without an error to estimate: c, d" in text
    whole = correlate(frame, halves(frame.index), n_resamples=99)
    assert "leaves out" not in repr(whole)


def test_F154_a_constant_in_one_regime():
    """F154: NaN and why; the other regime keeps its number."""
    frame = pairs(120)
    frame.iloc[:60, 1] = 0.001
    table = correlate(frame, halves(frame.index), n_resamples=30).table
    assert np.isnan(table.loc["early", "correlation"])
    assert "never changes" in table.loc["early", "reason"]
    assert np.isfinite(table.loc["late", "correlation"])
    earned = pd.Series(0.001, index=frame.index)
    sharpe = conditional_performance(frame, earned, halves(frame.index), 12, n_resamples=30).table
    assert np.isnan(sharpe.loc[("bonds", "early"), "sharpe"])
    assert "never change" in sharpe.loc[("bonds", "early"), "reason"]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_F155_a_perfect_correlation(sign):
    """F155: the interval has no width, and the reason is said."""
    frame = pairs(120)
    frame.iloc[:60, 1] = sign * 2.0 * frame.iloc[:60, 0]
    result = correlate(frame, halves(frame.index), n_resamples=30)
    row = result.table.loc["early"]
    assert row[["correlation", "low", "high", "fisher_low", "fisher_high"]].tolist() == [sign] * 5
    assert "multiple of the other" in row["reason"]
    assert np.isnan(result.p_equal)


# --- refusals ---


def test_F147_a_date_without_a_label():
    frame = pairs(40)
    labels = switching(frame.index).drop(frame.index[[7, 9]])
    with pytest.raises(InputError, match=r"regimes on 1990-08-31: no label for 2 of 40 dates"):
        correlate(frame, labels)


def test_F147_labels_of_another_frequency():
    frame = pairs(40)
    with pytest.raises(InputError, match=r"1990-01-31: no label for 37 of 40"):
        correlate(frame, switching(pd.date_range("1990-12-31", periods=3, freq="YE")))


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (["calm"] * 40, "only one regime in these dates: 'calm'"),
        (["calm"] * 30 + [UNCLASSIFIED] * 10, "only one regime .*: 'calm', and 10 of 40 unclassified"),
        ([UNCLASSIFIED] * 40, "no regime in these dates, and 40 of 40 unclassified"),
    ],
)
def test_F151_one_regime(labels, problem):
    """F151: named."""
    frame = pairs(40)
    with pytest.raises(InputError, match=problem):
        correlate(frame, pd.Series(labels, index=frame.index))
    with pytest.raises(InputError, match=problem):
        conditional_performance(frame, 0.0 * frame["stocks"], pd.Series(labels, index=frame.index), 12)


def test_labels_that_are_none():
    frame = pairs(40)
    twice = pd.concat([switching(frame.index)] * 2)
    with pytest.raises(InputError, match="1990-01-31: two values"):
        correlate(frame, twice)
    with pytest.raises(InputError, match="expected Regimes or a Series of labels, got list"):
        correlate(frame, ["a"] * 40)
    with pytest.raises(InputError, match="'c' is not in its order"):
        correlate(frame, Regimes(switching(frame.index), "n", "r", False, ("a", "b")))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda y: y.iloc[1:], "y on 1990-01-31: its dates are not those of x: 1 "),
        (lambda y: y.iloc[::-1], "comes after 1993-04-30"),
        (lambda y: y.to_numpy(), "y: expected a Series with dates, got ndarray"),
        (lambda y: y.where(np.arange(40) != 3), r"y on 1990-04-30: NaN"),
    ],
)
def test_a_second_series_that_does_not_fit(change, problem):
    frame = pairs(40)
    labels = pd.Series(np.where(np.arange(40) % 2, "a", "b"), index=frame.index)
    with pytest.raises(InputError, match=problem):
        conditional_correlation(frame["stocks"], change(frame["bonds"]), labels)


def test_no_dates_at_all():
    frame = pairs(40).iloc[:0]
    with pytest.raises(InputError, match="x: empty"):
        correlate(frame, switching(months(40)))


@pytest.mark.parametrize(
    "options", [{"confidence": 95}, {"n_resamples": 1}, {"block_length": 0}, {"block_length": -3}]
)
def test_settings_out_of_range(options):
    frame = pairs(40)
    labels = switching(frame.index, labels=("a", "b"))
    with pytest.raises(InputError, match=next(iter(options))):
        correlate(frame, labels, **options)
    if "block_length" not in options:
        with pytest.raises(InputError, match=next(iter(options))):
            conditional_performance(frame, 0.0 * frame["stocks"], labels, 12, **options)


def test_cash_that_misses_a_date():
    frame = pairs(40)
    labels, cash = halves(frame.index), pd.Series(0.001, index=frame.index)
    with pytest.raises(InputError, match="cash on 1990-03-31: no return for 1 of 40 dates"):
        conditional_performance(frame, cash.drop(frame.index[2]), labels, 12)
    with pytest.raises(InputError, match="cash on 1990-04-30: no return for 1 of 40 dates"):
        conditional_performance(frame, cash.where(np.arange(40) != 3), labels, 12)
    with pytest.raises(InputError, match="cash: expected a Series of returns a period, got float"):
        conditional_performance(frame, 0.02, labels, 12)
    with pytest.raises(InputError, match="cash on 1990-01-31: two values"):
        conditional_performance(frame, pd.concat([cash, cash]), labels, 12)


def test_returns_that_are_none():
    frame = pairs(40)
    labels, cash = halves(frame.index), pd.Series(0.001, index=frame.index)
    with pytest.raises(InputError, match=r"returns\['bonds'\] on 1990-03-31: NaN"):
        conditional_performance(frame.assign(bonds=frame["bonds"].drop(frame.index[2])), cash, labels, 12)
    with pytest.raises(InputError, match="returns: expected a Series"):
        conditional_performance([0.1] * 40, cash, labels, 12)


def test_inputs_are_not_changed():
    frame, cash = pairs(120), pd.Series(0.001, index=months(120))
    labels = switching(frame.index)
    copies = frame.copy(), cash.copy(), labels.copy()
    correlate(frame, labels, n_resamples=30)
    conditional_performance(frame, cash, labels, 12, n_resamples=30)
    pd.testing.assert_frame_equal(frame, copies[0])
    pd.testing.assert_series_equal(cash, copies[1])
    pd.testing.assert_series_equal(labels, copies[2])


# --- performance ---


def slow_spells(returns: pd.Series, chosen: pd.Series) -> tuple[float, int]:
    """The deepest fall within one run of chosen rows, and the number of runs, row by row."""
    worst, spells, wealth, peak, inside = 0.0, 0, 1.0, 1.0, False
    for value, here in zip(returns, chosen, strict=True):
        if here and not inside:
            spells, wealth, peak = spells + 1, 1.0, 1.0
        inside = here
        if here:
            wealth *= 1.0 + value
            peak = max(peak, wealth)
            worst = min(worst, wealth / peak - 1.0)
    return worst, spells


def test_performance_is_that_of_the_subset():
    frame = pairs(300, 0.2, seed=5) + 0.004
    cash = pd.Series(np.linspace(0.0, 0.004, 300), index=frame.index)
    labels = switching(frame.index, 2)
    result = conditional_performance(frame, cash, labels, 12, n_resamples=50)
    assert result.table.index.names == ["strategy", "regime"]
    for name in frame:
        for label in "abc":
            here = labels == label
            row = result.table.loc[(name, label)]
            excess = (frame[name] - cash)[here]
            assert row["n"] == here.sum()
            assert row["share"] == here.mean()
            assert row["mean"] == pytest.approx(12 * excess.mean())
            assert row["volatility"] == pytest.approx(np.sqrt(12) * excess.std())
            expected = sharpe_ratio(frame[name][here].to_numpy(), cash[here].to_numpy(), 12)
            assert row["sharpe"] == pytest.approx(expected, rel=1e-12)
            assert row["low"] < row["sharpe"] < row["high"]
            depth, spells = slow_spells(frame[name], here)
            assert row["max_drawdown"] == pytest.approx(depth, abs=1e-14)
            assert row["spells"] == spells


def test_a_drawdown_does_not_run_on_through_another_regime():
    index = months(48)
    returns = pd.Series(np.where(np.arange(48) % 2, -0.1, 0.02), index=index, name="fund")
    labels = pd.Series(np.where(np.arange(48) % 2, "down", "up"), index=index)
    table = conditional_performance(returns, 0.0 * returns, labels, 12, n_resamples=30).table
    assert table.loc[("fund", "down"), "max_drawdown"] == pytest.approx(-0.1)
    assert table.loc[("fund", "down"), "spells"] == 24
    assert table.loc[("fund", "up"), "max_drawdown"] == 0.0


def test_equal_sharpe_ratios_are_tested_by_strategy():
    frame = pairs(240, 0.0, 1)
    frame.iloc[:120, 0] += 0.03
    result = conditional_performance(frame, 0.0 * frame["stocks"], halves(frame.index), 12, n_resamples=300)
    assert set(result.p_equal) == {"stocks", "bonds"}
    assert result.p_equal["stocks"] < 1e-4
    assert result.p_equal["bonds"] > 0.05


# Coverage of the 95 % interval over 600 draws, n = 15, 60, 200, true Sharpe 0.1 a period:
# normal .99 .96 .95; t5 .97 .95 .95; GARCH .98 .94 .95; AR(1) with 0.2 .97 .93 .94, with 0.5 .91 .92 .92.
@pytest.mark.parametrize(("persistence", "n"), [(0.0, 60), (0.0, 200), (0.2, 60), (0.5, 120)])
def test_the_interval_of_the_sharpe_ratio_covers(persistence, n):
    rng = np.random.default_rng(n)
    draws = rng.standard_normal((200, n + 30))
    for row in range(1, n + 30):
        draws[:, row] = persistence * draws[:, row - 1] + np.sqrt(1 - persistence**2) * draws[:, row]
    estimates = [bootstrap_sharpe(0.1 + draw, 1.0, n_resamples=150) for draw in draws[:, 30:]]
    covered = np.mean([e.low <= 0.1 <= e.high for e in estimates])
    assert covered >= (0.89 if persistence < 0.5 else 0.82)
    assert covered < 1.0
    if persistence == 0.5:  # independent draws would cover less: the blocks do their work
        naive = [e.sharpe / e.n**-0.5 - 0.1 / e.n**-0.5 for e in estimates]
        assert covered > np.mean(np.abs(naive) < 1.96) + 0.05


@pytest.mark.parametrize(
    ("excess", "options", "problem"),
    [
        ([0.1] * 20 + [np.nan], {}, "excess on row 20: NaN"),
        ([0.1, 0.2] * 10, {"periods_per_year": 0}, "periods_per_year"),
        ([0.1, 0.2] * 10, {"confidence": 1.0}, "confidence"),
        ([0.1, 0.2] * 10, {"n_resamples": 1}, "n_resamples"),
        ([], {}, "empty"),
    ],
)
def test_a_sharpe_ratio_of_nonsense(excess, options, problem):
    with pytest.raises(InputError, match=problem):
        bootstrap_sharpe(np.array(excess), **({"periods_per_year": 12} | options))


def test_the_interval_does_not_depend_on_the_scale_or_on_a_large_mean():
    """Means of squares of returns far from zero would lose the variance to rounding."""
    draws = np.random.default_rng(0).standard_normal(100)
    plain = bootstrap_sharpe(0.01 * draws, 12, n_resamples=99)
    small = bootstrap_sharpe(1e-9 * draws, 12, n_resamples=99)
    assert small.low == pytest.approx(plain.low, rel=1e-9)
    steady = bootstrap_sharpe(1.0 + 1e-9 * draws, 1, n_resamples=99)
    assert steady.standard_error == pytest.approx(steady.sharpe * np.sqrt(0.5 / 100), rel=0.25)


# --- how it shows ---


def test_the_text_says_when_the_labels_were_known():
    frame = pairs(60)
    labels = switching(frame.index)
    for regimes, said in ((labels, "ex post: not known at the time"), (known(labels), "(known at the time)")):
        result = correlate(frame, regimes, n_resamples=30)
        assert said in repr(result)
        assert said in result._repr_html_()


def test_the_text_holds_the_numbers_and_the_conventions():
    frame = pairs(120, 0.6)
    frame.iloc[60:, 1] *= -1.0
    result = correlate(frame, halves(frame.index), n_resamples=300, confidence=0.9)
    for text in (repr(result), result._repr_html_()):
        assert "stocks–bonds" in text
        assert "90%" in text
        assert "p of equal correlation in all regimes" in text
        assert f"{result.table['correlation'].iloc[0]:+.2f}" in text
    assert "< 0.001" in repr(result)
    assert "&lt; 0.001" in result._repr_html_()


def test_names_are_escaped():
    frame = pairs(60).set_axis(["<b>", "bonds"], axis=1)
    labels = switching(frame.index, labels=("<script>", "b & c"))
    result = conditional_correlation(frame["<b>"], frame["bonds"], labels, n_resamples=30)
    performance = conditional_performance(frame, 0.0 * frame["bonds"], labels, 12, n_resamples=30)
    for shown in (result._repr_html_(), performance._repr_html_()):
        assert "<script>" not in shown
        assert "<b>–" not in shown
        assert "&lt;script&gt;" in shown
        assert "b &amp; c" in shown


def test_series_without_names():
    frame = pairs(60)
    result = conditional_correlation(
        frame["stocks"].rename(None), frame["bonds"].rename(None), halves(frame.index)
    )
    assert "x–y: Pearson" in repr(result)


def test_the_performance_text_has_a_test_a_strategy():
    frame = pairs(60)
    text = repr(
        conditional_performance(frame, 0.0 * frame["stocks"], halves(frame.index), 12, n_resamples=30)
    )
    assert re.search(r"p of equal sharpe in all regimes .*: stocks \d\.\d{3}, bonds \d\.\d{3}", text)
    assert "the deepest within one unbroken spell" in text
