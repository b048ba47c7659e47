"""The difference between two regimes, against Welch's t and on tables that cannot say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import allocator as al


def table_of(samples):
    """Return the table that independent means would give: textbook errors, blocks of one."""
    rows = {
        label: {
            "n": len(x),
            "mean": x.mean(),
            "standard_error": x.std(ddof=1) / np.sqrt(len(x)),
            "block_length": 1,
            "reason": "",
        }
        for label, x in samples.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    labels = pd.Series(list(samples), index=pd.date_range("2020", periods=len(samples)))
    regimes = al.Regimes(labels, "test", "by hand", True, tuple(samples))
    return al.ConditionalTable(frame, "mean", regimes, float("nan"), ())


@settings(max_examples=50, deadline=None)
@given(st.integers(5, 60), st.integers(5, 60), st.floats(-1, 1), st.floats(0.2, 5), st.integers(0, 99))
def test_independent_means_give_welchs_t(n_1, n_2, shift, scale, seed):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(shift, 1, n_1), rng.normal(0, scale, n_2)
    found = al.regime_contrast(table_of({"calm": one, "wild": two}), "calm", "wild")
    welch = stats.ttest_ind(one, two, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert found.difference == pytest.approx(one.mean() - two.mean())
    assert found.p_value == pytest.approx(welch.pvalue, rel=1e-8)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-8, abs=1e-12)
    assert found.degrees == pytest.approx(welch.df)
    assert found.n == (n_1, n_2)


def test_the_other_order_has_the_other_sign():
    rng = np.random.default_rng(0)
    table = table_of({"calm": rng.normal(0, 1, 30), "wild": rng.normal(1, 2, 20)})
    one, two = (al.regime_contrast(table, *pair) for pair in (("calm", "wild"), ("wild", "calm")))
    assert (two.difference, two.low, two.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert two.p_value == pytest.approx(one.p_value)


def test_a_real_table_and_what_it_prints():
    market = al.load_us_history()
    returns = market.returns[["stocks", "bonds"]].iloc[1:]
    regimes = pd.Series(np.where(returns.index.year < 1980, "before", "after"), index=returns.index)
    table = al.conditional_statistic(returns, regimes, np.mean)
    found = al.regime_contrast(table, "after", "before", "bonds")
    rows = table.table.loc["bonds"]
    assert found.difference == pytest.approx(rows.loc["after", "mean"] - rows.loc["before", "mean"])
    assert repr(found).startswith("mean of bonds, after less before: ")
    with pytest.raises(al.InputError, match="series"):
        al.regime_contrast(table, "after", "before")
    with pytest.raises(al.InputError, match=r"'gold' is not in the table; it has stocks, bonds"):
        al.regime_contrast(table, "after", "before", "gold")
    with pytest.raises(al.InputError, match="first: 'war' is no regime of the table"):
        al.regime_contrast(table, "war", "before", "bonds")


def test_a_regime_that_is_too_short_has_no_contrast_and_says_so():
    dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    returns = pd.Series(np.random.default_rng(1).normal(0, 0.01, 60), index=dates, name="bonds")
    labels = pd.Series(["short"] * 5 + ["long"] * 55, index=dates)
    found = al.regime_contrast(al.conditional_statistic(returns, labels, np.mean), "short", "long")
    assert np.isnan(found.difference)
    assert "short: n=5" in found.reason
    assert "short: n=5" in repr(found)


def test_correlations_are_compared_by_fishers_z():
    """Independent normal pairs: the textbook z = (z₁ - z₂)/√(1/(n₁-3) + 1/(n₂-3)), and Zou's interval."""
    rows = {
        label: {
            "n": 1e9,
            "correlation": r,
            "standard_error": 1 / np.sqrt(n - 3),
            "block_length": 1,
            "reason": "",
        }
        for label, r, n in (("one", 0.49, 145), ("two", 0.36, 87))
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    labels = pd.Series(["one", "two"], index=pd.date_range("2020", periods=2))
    regimes = al.Regimes(labels, "test", "by hand", True, ("one", "two"))
    table = al.ConditionalTable(frame, "correlation", regimes, float("nan"), ())
    found = al.regime_contrast(table, "one", "two")
    z = (np.arctanh(0.49) - np.arctanh(0.36)) / np.sqrt(1 / 142 + 1 / 84)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(z), rel=0.02)
    at_p = al.regime_contrast(table, "one", "two", confidence=1 - found.p_value)
    assert at_p.low == pytest.approx(0.0, abs=1e-9)  # the interval of that confidence just reaches 0
    other = al.regime_contrast(table, "two", "one")
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low))
    assert other.p_value == pytest.approx(found.p_value)
    ends = {
        r: np.tanh(np.arctanh(r) + np.array([-1, 1]) * 1.959964 / np.sqrt(n - 3))
        for r, n in ((0.49, 145), (0.36, 87))
    }
    low = 0.13 - np.hypot(0.49 - ends[0.49][0], ends[0.36][1] - 0.36)
    high = 0.13 + np.hypot(ends[0.49][1] - 0.49, 0.36 - ends[0.36][0])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
