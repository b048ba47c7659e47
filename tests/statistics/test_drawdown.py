"""Drawdowns: invariants, a slow oracle, PerformanceAnalytics' tables and the edges of the sample.

Invariants: between -1 and 0; deeper when a loss is appended; the episodes tile the path; the deepest
episode is the maximum drawdown and worst_drawdown.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from allocator.statistics import drawdown_path, drawdowns, max_drawdown, worst_drawdown

moderate = settings(max_examples=80, deadline=None)
# Few distinct values make ties, exact recoveries and flat stretches likely.
coarse = hnp.arrays(float, st.integers(1, 40), elements=st.sampled_from([-0.5, -0.1, 0.0, 0.0, 0.1, 1.0]))


def slow_episodes(returns):
    """Walk through the wealth one period at a time: (depth, peak row, trough row, recovery row or None)."""
    wealth, high, high_row, episode, found = 1.0, 1.0, -1, None, []
    for row, change in enumerate(returns):
        wealth *= 1 + change
        if wealth >= high * (1 - 1e-12):
            if episode:
                found.append((*episode, row))
            high, high_row, episode = max(high, wealth), row, None
        elif episode is None or wealth / high - 1 < episode[0] - 1e-12:
            episode = (wealth / high - 1, high_row, row)
    return [*found, (*episode, None)] if episode else found


@moderate
@given(coarse)
def test_episodes_are_those_of_the_slow_walk(returns):
    expected = sorted(slow_episodes(returns), key=lambda e: round(e[0], 12))
    table = drawdowns(returns)
    assert len(table) == len(expected)
    for (_, row), (depth, peak, trough, recovery) in zip(table.iterrows(), expected, strict=True):
        assert row["depth"] == pytest.approx(depth, rel=1e-9)
        assert (-1 if pd.isna(row["peak"]) else row["peak"]) == peak
        assert row["trough"] == trough
        assert row["recovered"] == (recovery is not None)
        assert row["to_trough"] == trough - peak
        if recovery is None:
            assert pd.isna(row["recovery"])
            assert pd.isna(row["to_recovery"])
            assert row["length"] == len(returns) - 1 - peak
        else:
            assert row["recovery"] == recovery
            assert row["length"] == recovery - peak == row["to_trough"] + row["to_recovery"]


@moderate
@given(coarse)
def test_worst_is_the_first_episode_and_the_maximum(returns):
    worst, table = worst_drawdown(returns), drawdowns(returns)
    assert worst.depth == max_drawdown(returns) == drawdown_path(returns).min()
    if table.empty:
        assert (worst.peak, worst.trough, worst.recovery, worst.recovered) == (None, None, None, True)
    else:
        first = table.iloc[0]
        assert worst.trough == first["trough"]
        assert worst.recovery == (first["recovery"] if first["recovered"] else None)
        assert worst.peak == (None if pd.isna(first["peak"]) else first["peak"])
        assert worst.recovered == first["recovered"]


@moderate
@given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(-1, 1)), st.floats(-1, -1e-6))
def test_bounds_and_monotone_in_loss(returns, loss):
    assert -1 <= max_drawdown(returns) <= 0
    assert max_drawdown(np.append(returns, loss)) <= max_drawdown(returns)
    assert max_drawdown(np.append(returns, loss)) <= loss + 1e-9


def test_path_keeps_its_labels(daily):
    table = pd.DataFrame({"a": daily, "b": -daily})
    path = drawdown_path(table)
    pd.testing.assert_series_equal(path["b"], drawdown_path(-daily), check_names=False)
    wealth = (1 + daily).cumprod()
    high = wealth.cummax().clip(lower=1.0)
    np.testing.assert_allclose(path["a"], wealth / high - 1, atol=1e-14)


def test_performance_analytics_tables(case, managers, edhec):
    """Table of drawdowns: From is the first period below the peak, so our peak is one row earlier."""
    expected = pd.read_csv(case("C_table_drawdowns_expected.csv"), parse_dates=["From", "Trough", "To"])
    assert len(expected) == 25
    for row in expected.itertuples():
        returns = {"managers": managers, "edhec": edhec}[row.dataset][row.series].dropna()
        ours = drawdowns(returns, start=returns.index[0] - pd.offsets.MonthEnd()).iloc[row.rank - 1]
        assert ours["depth"] == pytest.approx(row.Depth, rel=1e-10)
        assert ours["peak"] == row.From - pd.offsets.MonthEnd()
        assert ours["trough"] == row.Trough
        assert ours["recovered"] == (not pd.isna(row.To))
        assert pd.isna(row.To) or ours["recovery"] == row.To
        # R counts one period more while a drawdown is open.
        assert ours["length"] == row.Length - (0 if ours["recovered"] else 1)


def test_max_drawdown_of_23_series(case, managers, edhec):
    expected = pd.read_csv(case("C_performanceanalytics_expected.csv")).query("stat == 'max_drawdown'")
    for row in expected.itertuples():
        returns = {"managers": managers, "edhec": edhec}[row.dataset][row.series].dropna()
        assert -max_drawdown(returns) == pytest.approx(row.value, rel=1e-11)


def test_fall_from_the_first_return_begins_at_the_initial_wealth():
    returns = pd.Series([-0.2, 0.1], pd.to_datetime(["2020-02-29", "2020-03-31"]))
    assert max_drawdown(returns) == pytest.approx(-0.2)
    assert worst_drawdown(returns).peak is None
    assert worst_drawdown(returns, start="2020-01-31").peak == pd.Timestamp("2020-01-31")
    assert drawdowns(returns)["peak"].isna().all()
    assert drawdowns(returns, start="2020-01-31")["peak"][0] == pd.Timestamp("2020-01-31")


def test_F135_open_drawdown_has_no_recovery():
    returns = pd.Series([0.1, -0.2, 0.1], pd.date_range("2020-01-31", periods=3, freq="ME"))
    worst = worst_drawdown(returns)
    assert worst.recovery is None
    assert not worst.recovered
    table = drawdowns(returns)
    assert table["recovery"].dtype.kind == "M"
    assert table.loc[0, "length"] == 2
    assert not table.loc[0, "recovered"]


def test_F136_ties_go_to_the_earliest():
    returns = np.array([-0.1, 1 / 0.9 - 1, -0.1, 0.0, 1 / 0.9 - 1, 0.05])
    worst = worst_drawdown(returns)
    assert (worst.trough, worst.recovery) == (0, 1)
    assert list(drawdowns(returns)["trough"]) == [0, 2]
    # Back to the same low, but for the last bit of 0.97: the first of the two is the trough.
    twice = np.array([-0.03, 0.02, 1 / 1.02 - 1])
    assert worst_drawdown(twice).trough == 0
    assert list(drawdowns(twice)["trough"]) == [0]
    # The second loss of 1 % is the deeper one, by 1e-16.
    equal = np.array([-0.01, 1 / 0.99 - 1, 0.1, -0.01])
    assert worst_drawdown(equal).trough == 0
    assert list(drawdowns(equal)["trough"]) == [0, 3]


def test_F121_all_zero_returns_have_no_drawdown():
    assert max_drawdown(np.zeros(5)) == 0
    assert drawdowns(np.zeros(5)).empty


def test_rounding_is_recovered():
    # 0.9 * (1 / 0.9) may end a bit below 1; that is no drawdown of 1e-16 that lasts for ever.
    returns = np.array([-0.3, 1 / 0.7 - 1, -0.07, 1 / 0.93 - 1])
    assert list(drawdowns(returns)["recovered"]) == [True, True]


def test_F123_everything_lost_never_recovers():
    table = drawdowns(np.array([0.1, -1.0, 0.5]))
    assert list(table["depth"]) == [-1.0]
    assert not table["recovered"][0]


@pytest.mark.parametrize("name", [1, 1.0, True, "1", ("a", 1), None, pd.Timestamp("2020-01-01")])
def test_a_series_keeps_its_name_and_its_type(daily, name):
    found = drawdown_path(daily.rename(name)).name
    expected = pd.Index(["returns" if name is None else name])[0]
    assert found == expected
    assert type(found) is type(expected)


def test_the_order_of_a_table_in_memory_is_nothing_to_its_numbers():
    values = 0.01 * np.random.default_rng(0).normal(size=(300, 3))
    rows, columns = max_drawdown(np.ascontiguousarray(values)), max_drawdown(np.asfortranarray(values))
    np.testing.assert_array_equal(rows, columns)
    np.testing.assert_array_equal(rows, [max_drawdown(values[:, k]) for k in range(3)])
