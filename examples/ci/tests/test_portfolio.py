"""The guard: a test fails where the backtest is no longer what its baseline says."""

import pytest
from portfolio import ThreeWay, three_way

import allocator as al


def test_three_way(backtest_baseline):
    backtest_baseline.check(three_way())


@pytest.mark.parametrize("years", [10, 20])
def test_windows(backtest_baseline, years):
    backtest = al.run_backtest(ThreeWay(years=years), al.load_us_history(), end="2020")
    check = backtest_baseline.check(backtest, tolerances={"total_commissions": 1e-6})
    assert check.passed
