"""The benchmarks check answers before timing them and leave nothing out in silence; no time is asserted."""

import json
import math
import pathlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the benchmarks are not installed

from benchmarks import problems, reference  # noqa: E402
from benchmarks.imports import measure_imports  # noqa: E402
from benchmarks.measure import Measurement, WrongAnswerError, measure, measure_in_rounds  # noqa: E402
from benchmarks.memory import MeasuringError, peak_megabytes  # noqa: E402
from benchmarks.table import import_gap, ratio, table_text, to_json  # noqa: E402
from benchmarks.workloads import WORKLOADS, System, distance  # noqa: E402

KEYS = ["workload", "system", "median_s", "best_s", "ratio", "peak_mb"]
BUILT = [w for w in WORKLOADS.values() if w.systems[0].function]


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# The reference, by hand.


def test_the_book_of_two_assets_and_one_trade():
    prices = [[1.0, 1.0], [2.0, 1.0], [2.0, 2.0]]
    # Bought half and half: 0.5 and 0.5. Then worth 1.5, each 0.75: units 0.375 and 0.75. Then 0.75 + 1.5.
    path = reference.scheduled_path(prices, {0: [0.5, 0.5], 1: [0.5, 0.5]}, rate=0.0)
    assert path == pytest.approx([1.0, 1.5, 2.25], rel=1e-15)


def test_the_cost_is_paid_out_of_what_is_traded():
    (value,) = reference.scheduled_path([[7.0]], {0: [1.0]}, rate=0.01)
    assert value == pytest.approx(1.0 / 1.01, rel=1e-15)  # left + 1 % of left = 1


def test_a_band_trades_beyond_its_width_and_never_on_the_last_row():
    prices = [[1.0, 1.0], [1.2, 1.0], [2.0, 1.0], [2.0, 2.0], [9.0, 1.0]]
    path = reference.banded_path(prices, [0.5, 0.5], width=0.1, rate=0.0)
    # 0.6/1.1 is inside; 1.0/1.5 is outside, so at the third close 0.75 of each; then 0.75 + 1.5, outside.
    assert path == pytest.approx([1.0, 1.1, 1.5, 2.25, 1.125 / 2 * 9 + 1.125 / 2], rel=1e-15)


def test_sharpe_and_drawdown_with_the_build_before_or_as_a_row():
    path = [0.9, 0.99, 0.891]
    returns = [0.99 / 1.0 - 1.0, -0.1]  # the cost of the build is in the first
    sharpe = np.mean(returns) / np.std(returns, ddof=1) * math.sqrt(252)
    assert reference.sharpe_and_drawdown(path, False) == pytest.approx((sharpe, 0.891 - 1.0))
    returns = [-0.1, 0.1, -0.1]
    sharpe = np.mean(returns) / np.std(returns, ddof=1) * math.sqrt(252)
    assert reference.sharpe_and_drawdown(path, True) == pytest.approx((sharpe, 0.891 - 1.0))


def test_equal_risks_have_no_error():
    assert reference.risk_error([[0.04, 0.0], [0.0, 0.01]], [1 / 3, 2 / 3]) < 1e-15
    assert reference.risk_error([[0.04, 0.0], [0.0, 0.01]], [0.5, 0.5]) == pytest.approx(0.6)


def test_a_covariance():
    assert reference.covariance([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]) == pytest.approx(2.0)


def test_an_exponentially_weighted_covariance():
    # Weights 1/4, 1/2 and 1: Σw = 1.75, Σw² = 1.3125; y is 2x.
    pairs = [[0.0, 0.0], [1.0, 2.0], [2.25, 4.5]]
    mean = (0.5 + 2.25) / 1.75
    spread = (0.25 * mean**2 + 0.5 * (1.0 - mean) ** 2 + (2.25 - mean) ** 2) / (1.75 - 1.3125 / 1.75)
    assert reference.exponential_covariance(pairs, 1.0) == pytest.approx(2.0 * spread, rel=1e-14)


def test_a_covariance_that_is_a_little_wrong_is_seen():
    for name in ("W7", "W7b"):
        workload = WORKLOADS[name]
        problem = workload.small()
        answer = workload.systems[0].start(problem)()
        assert workload.deviation(problem, answer, False) < 1e-14
        assert workload.deviation(problem, answer * (1.0 + 1e-9), False) == pytest.approx(1e-9, rel=1e-3)
        assert workload.deviation(problem, answer[1:], False) == math.inf


def test_a_sharpe_difference():
    assert reference.sharpe_difference([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]) == 0.0
    pairs = [[1.0, 1.0], [3.0, 1.0], [1.0, 3.0], [1.0, 1.0]]
    assert reference.sharpe_difference(pairs) == 0.0
    assert reference.sharpe_difference([[1.0, 0.0], [2.0, 2.0]]) == pytest.approx(3 / 2**0.5 - 1 / 2**0.5)


def test_the_error_of_a_sharpe_difference():
    """Of independent rows with means near 0 and equal deviations: the correlation r gives √((2 - 2r)/n)."""
    draws = np.random.default_rng(0).standard_normal((400, 2))
    draws = (draws - draws.mean(axis=0)) / draws.std(axis=0, ddof=1)
    r = float(np.corrcoef(draws.T)[0, 1])
    error = reference.sharpe_difference_error(draws.tolist(), 1.0)
    assert error == pytest.approx(math.sqrt((2.0 - 2.0 * r) / 400), rel=0.002)


def test_a_resampled_difference_that_is_a_little_wrong_is_seen():
    workload = WORKLOADS["W9"]
    problem = workload.small()
    answer = workload.systems[0].start(problem)()
    assert workload.deviation(problem, answer, False) < 1e-13
    assert workload.deviation(problem, answer + 1e-9, False) == pytest.approx(1e-9, rel=1e-3)
    assert workload.deviation(problem, answer, True) < 0.2
    assert workload.deviation(problem, 2.0 * answer, True) > 0.5
    assert workload.deviation(problem, answer[1:], False) == math.inf


# The problems.


def test_a_year_has_252_rows_and_no_weekend():
    days = problems.trading_days(252 * 25)
    assert (days[-1] - days[0]).days / 365.25 == pytest.approx(25, abs=0.02)
    assert days.day_of_week.max() == 4
    assert len(problems.month_end_rows(days)) in (300, 301)


def test_problems_are_seeded():
    for workload in WORKLOADS.values():
        one, other = (vars(workload.small()) for _ in range(2))
        for name in one:
            assert repr(one[name]) == repr(other[name])


# Right answers.


@pytest.mark.parametrize("workload", BUILT, ids=lambda w: w.name)
def test_ours_agrees_with_the_reference(workload):
    rows = measure(workload, peers=False, small=True, most_rounds=1)
    assert rows[0].system == "allocator"
    for row in rows:
        assert row.seconds
        assert max(row.free_deviation, row.deviation) <= 1e-12


def with_systems(*systems):
    return replace(WORKLOADS["W6"], systems=systems)


def test_a_wrong_answer_of_ours_is_not_timed():
    workload = replace(with_systems(WORKLOADS["W6"].systems[0]), deviation=lambda *_: 1e-6)
    with pytest.raises(WrongAnswerError, match=r"W6: allocator deviates .* beyond 1e-12: not timed"):
        measure(workload, peers=False, small=True)


@pytest.mark.parametrize("deviation", [math.nan, math.inf])
def test_an_answer_that_cannot_be_compared_is_wrong(deviation):
    workload = replace(with_systems(WORKLOADS["W6"].systems[0]), deviation=lambda *_: deviation)
    with pytest.raises(WrongAnswerError):
        measure(workload, peers=False, small=True)


def test_a_wrong_peer_is_said_to_be_and_is_no_yardstick():
    peer = System("peer", "ours:equal_risk", tolerance=-1.0)  # no deviation is that small
    rows = measure(with_systems(WORKLOADS["W6"].systems[0], peer), peers=True, small=True, most_rounds=1)
    assert "WRONG without costs" in rows[1].note
    assert ratio(rows, rows[0]) is None


def test_an_absent_peer_is_said_to_be():
    peer = System("peer", "peers:nothing", "no_such_package")
    (row,) = measure(with_systems(peer), peers=True, small=True)
    assert row.note.startswith("not installed")
    assert not row.seconds
    assert "not installed" in table_text([row], "title")


def test_a_peer_that_fails_is_said_to_and_ours_that_fails_is_not_hidden():
    (row,) = measure(with_systems(System("peer", "peers:nothing")), peers=True, small=True)
    assert row.note.startswith("failed: AttributeError")
    with pytest.raises(AttributeError):
        measure(with_systems(System("allocator", "ours:nothing")), peers=True, small=True)


def test_what_is_not_built_is_said_to_be():
    (row,) = measure(with_systems(System("allocator", note="not built yet")), peers=True, small=True)
    assert row.note == "not built yet"
    assert not row.seconds


def test_without_peers_only_ours_is_measured():
    assert {row.system for row in measure(WORKLOADS["W6"], peers=False, small=True)} == {"allocator"}


def test_a_distance():
    assert distance(np.array([1.0, 0.1]), np.array([1.0, 0.2])) == pytest.approx(0.1)
    assert distance(np.array([110.0]), np.array([100.0])) == pytest.approx(0.1)
    assert distance(np.array([1.0, 2.0]), np.array([1.0, np.nan])) == 0.0
    assert distance(np.array([1.0, np.nan]), np.array([1.0, np.nan])) == math.inf
    assert distance(np.array([1.0]), np.array([1.0, 2.0])) == math.inf


# Timing, without a time asserted.


def test_systems_take_turns_and_what_is_slow_gets_fewer():
    calls = []
    found = measure_in_rounds(
        {
            "fast": (lambda: calls.append("fast"), 0.1),
            "slow": (lambda: calls.append("slow"), 1.0),
            "slower": (lambda: calls.append("slower"), 5.0),
            "slowest": (lambda: calls.append("slowest"), 60.0),
        },
        most_rounds=4,
    )
    assert calls[:5] == ["fast", "slow", "slower", "fast", "slow"]
    assert {name: len(seconds) for name, seconds in found.items()} == {
        "fast": 4,
        "slow": 3,
        "slower": 2,  # the checked run and one more
        "slowest": 1,
    }
    assert found["slowest"] == (60.0,)


def test_a_short_call_is_repeated_within_a_timing():
    calls = []
    measure_in_rounds({"short": (lambda: calls.append(1), 0.001)}, most_rounds=2)
    assert len(calls) == 10


# What is written.

ROWS = [
    Measurement("W1", "allocator", (0.002, 0.001, 0.004), 100.0, 1e-15, 1e-15),
    Measurement("W1", "vectorbt", (0.03, 0.02), 300.0, 1e-15, 3e-5),
    Measurement("W1", "bt", (0.6,), 200.0, 1e-15, 7e-6),
    Measurement("W1", "allocator (market given)", (0.0005,), 100.0, 1e-15, 1e-15),
    Measurement("W3", "bt", note="left out"),
    Measurement("W10", "pandas", (0.5,), 60.0),
    Measurement("W10", "allocator", (0.52,), 61.0),
    Measurement("W10", "bt", (1.04,), 100.0),
]


def test_json_has_a_record_for_each_row_that_was_measured():
    records = json.loads(to_json(ROWS))
    assert all(list(record) == KEYS for record in records)
    assert [record["system"] for record in records if record["workload"] == "W1"] == [
        "allocator",
        "vectorbt",
        "bt",
        "allocator (market given)",
    ]
    assert records[0] == {
        "workload": "W1",
        "system": "allocator",
        "median_s": 0.002,
        "best_s": 0.001,
        "ratio": pytest.approx(0.025 / 0.002),
        "peak_mb": 100.0,
    }
    assert [record["ratio"] for record in records[1:]] == [None, None, None, None, pytest.approx(2.0), None]


def test_the_table_shows_every_row():
    lines = table_text(ROWS[:4], "sixty-forty").splitlines()
    assert lines[0] == "W1: sixty-forty"
    assert (
        lines[1] == "W1       allocator                      2 ms      1 ms    12.5×    100    1e-15    1e-15"
    )
    assert len(lines) == 5
    assert table_text(ROWS[4:5], "many").endswith("left out")


def test_the_cost_of_importing_is_told_beside_pandas():
    assert import_gap(ROWS) == "W10: allocator - pandas = +0.020 s"


def test_memory_is_that_of_a_process_of_its_own():
    held = np.ones(50_000_000)  # 400 MB, which a child must not be charged for
    assert 20.0 < peak_megabytes("W6", "allocator") < 300.0
    assert held.any()


def test_a_process_that_dies_is_said_to_have():
    with pytest.raises(MeasuringError, match=r"its process ended with 1: .*KeyError: 'W99'"):
        peak_megabytes("W99", "allocator")


def test_imports_are_timed():
    rows = measure_imports(peers=False, rounds=1)
    assert [row.system for row in rows] == ["allocator", "pandas", "allocator (and strategies)"]
    assert all(row.seconds and row.peak_mb for row in rows)


# The command.


def test_the_command_prints_a_table_and_writes_records(tmp_path):
    done = run("W6-100", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Python ")
    assert "W6-100: equal risk contribution" in done.stdout
    (record,) = json.loads((tmp_path / "out.json").read_text())
    assert list(record) == KEYS
    assert (record["workload"], record["system"], record["ratio"]) == ("W6-100", "allocator", None)
    assert record["median_s"] >= record["best_s"] > 0.0
    assert record["peak_mb"] > 20.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["W1", "W99"], "there is no workload 'W99'; choose of W1, W2, W3, W3b, W4, "),
        (["W1", "--json", "no/such/folder/out.json"], "no/such/folder/out.json: No such file or directory"),
        (["W1", "--json", "tests"], "tests: Is a directory"),
    ],
)
def test_the_command_refuses_before_it_measures(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]


def test_the_page_names_every_workload():
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    for name in {*(w.family for w in WORKLOADS.values()), "W10"}:
        assert f"| {name} |" in page, name
