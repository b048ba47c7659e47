"""The simulation of size and coverage: its truths are true, its counts are counts, and it warns."""

import json
import pathlib
import subprocess
import sys
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest

import allocator as al

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the benchmarks are not installed

from benchmarks import simulation  # noqa: E402
from benchmarks.inference import CAVEATS, CHECKS, Outcome, is_default  # noqa: E402
from benchmarks.processes import CORRELATIONS, PERIODS_PER_YEAR, PROCESSES, SHARPE, data_of, sample  # noqa: E402
from benchmarks.simulation import Plan, Record, simulate, workers_of  # noqa: E402
from benchmarks.size_table import IN, MISSED, UNCLEAR, judged, tables, verdict, warnings_of  # noqa: E402

KEYS = ["method", "process", "kind", "nominal", "actual", "draws", "standard_error", "n"]
DATA = data_of()


def plan(*checks, n=30, draws=3):
    return Plan(checks, n, draws, 0, DATA)


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks.size", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def record(method, process="normal", kind="size", actual=0.05, draws=1000):
    return Record(method, process, kind, {"size": 0.05, "coverage": 0.95}[kind], actual, draws, 0.0, 120)


# What is drawn.


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("draw", range(len(CORRELATIONS)))
def test_what_a_process_says_of_itself_is_true(process, draw):
    drawn = sample(process, DATA, 60_000, seed=1, draw=draw)
    x = drawn.returns
    sharpe = x.mean(axis=0) / x.std(axis=0) * np.sqrt(PERIODS_PER_YEAR)
    assert sharpe == pytest.approx(np.full(3, SHARPE), abs=0.12)
    assert x.std(axis=0) == pytest.approx(np.full(3, x[:, 0].std()), rel=0.08)
    assert np.corrcoef(x[:, :2].T)[0, 1] == pytest.approx(drawn.correlation, abs=0.03)
    z = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std()
    found = [np.mean(z[lag:] * z[:-lag]) for lag in range(1, PERIODS_PER_YEAR)]
    assert found == pytest.approx(drawn.autocorrelations, abs=0.03)


def test_the_processes_are_what_they_are_called():
    drawn = {name: sample(name, DATA, 40_000, seed=0, draw=0).returns[:, 0] for name in PROCESSES}
    kurtosis = {name: float(al.kurtosis(x)) for name, x in drawn.items()}
    assert abs(kurtosis["normal"]) < 0.1
    assert kurtosis["t5"] > 2.0
    squares = {name: pd.Series((x - x.mean()) ** 2).autocorr() for name, x in drawn.items()}
    assert squares["GARCH"] > 0.05 > abs(squares["normal"])
    assert pd.Series(drawn["AR(1)"]).autocorr() == pytest.approx(0.3, abs=0.02)
    x = sample("VAR", DATA, 40_000, seed=0, draw=1).returns
    assert np.corrcoef(x[1:, 0], x[:-1, 1])[0, 1] > 0.15  # the second leads the first


def test_the_ratio_of_all_series_is_the_one_asked_for():
    low, high = (sample("normal", DATA, 30, seed=0, draw=0, sharpe=each) for each in (0.0, 2.0))
    assert (low.sharpe, high.sharpe) == (0.0, 2.0)
    deviation = sample("normal", DATA, 60_000, seed=0, draw=0).returns.std(axis=0)
    assert high.returns - low.returns == pytest.approx(np.full((30, 3), deviation * 2.0 / 12**0.5), rel=0.02)


def test_jobson_korkie_memmel_fails_with_fat_tails_and_high_ratios():
    # In the limit of high ratios its variance is a third of the true one, of kurtosis 9.
    _, t5 = islice(simulate(replace(plan("sharpe_difference", n=120, draws=150), sharpe=8.0)), 2)
    size = {r.method: r.actual for r in t5 if r.kind == "size"}
    assert size["sharpe_difference (NormalReturns)"] > size["sharpe_difference"] + 0.04


def test_a_sample_does_not_depend_on_what_was_drawn_before():
    for process in PROCESSES:
        again = [sample(process, DATA, 50, seed=3, draw=7) for _ in range(2)]
        assert np.array_equal(again[0].returns, again[1].returns)
        assert not np.array_equal(again[0].returns, again[0].fresh)
        assert not np.array_equal(again[0].returns, sample(process, DATA, 50, seed=3, draw=10).returns)


def test_data_may_come_from_a_file(tmp_path):
    prices = 100.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, (50, 4)), axis=0))
    frame = pd.DataFrame(prices, index=pd.date_range("2020-01-31", periods=50, freq="ME"), columns=[*"abcd"])
    frame.iloc[:5, 2] = np.nan
    frame.to_csv(tmp_path / "prices.csv", index_label="date")
    expected = frame.iloc[5:, :3].pct_change().iloc[1:].to_numpy()
    assert data_of(tmp_path / "prices.csv") == pytest.approx(expected, rel=1e-12)
    expected = frame[[*"dab"]].pct_change().iloc[1:].to_numpy()
    assert data_of(tmp_path / "prices.csv", [*"dab"]) == pytest.approx(expected, rel=1e-12)
    frame.iloc[:, :2].to_csv(tmp_path / "two.csv", index_label="date")
    with pytest.raises(al.InputError, match="2 columns of prices, 3 are needed"):
        data_of(tmp_path / "two.csv")


# What is counted.


def test_every_check_answers_for_every_process():
    records = [r for found in simulate(plan(*CHECKS, n=60, draws=1)) for r in found]
    assert {r.process for r in records} == {*PROCESSES}
    methods = {r.method for r in records}
    for process in PROCESSES:
        assert {r.method for r in records if r.process == process} == methods
    tried = {name for name in CHECKS for method in methods if method.startswith(name) and is_default(method)}
    assert tried == {*CHECKS} - {"fisher_interval"}  # which the library shows as the naive one
    assert {caveat.method for caveat in CAVEATS} <= methods
    assert {process for caveat in CAVEATS for process in caveat.processes} <= {*PROCESSES}


def test_shares_are_of_the_draws_that_have_an_answer(monkeypatch):
    def check(drawn):
        yield Outcome("fake", "size", None if drawn.seed == 1 else drawn.seed % 4 == 0)
        yield Outcome("never", "coverage", None)

    monkeypatch.setitem(CHECKS, "fake", check)
    fake, never = next(simulate(plan("fake", n=12, draws=41)))
    assert (fake.draws, fake.actual) == (40, pytest.approx(11 / 40))
    assert fake.standard_error == pytest.approx(np.sqrt(11 / 40 * 29 / 40 / 40))
    assert (never.draws, never.nominal) == (0, 0.95)
    assert np.isnan(never.actual)
    assert [r["method"] for r in json.loads(simulation.to_json([fake, never]))] == ["fake"]


def test_slow_checks_take_every_fourth_draw():
    found = next(simulate(plan("break_test", "fisher_interval", n=40, draws=9)))
    assert {r.draws for r in found if r.method.startswith("break_test")} == {3}
    assert {r.draws for r in found if r.method.startswith("fisher")} == {9}


def test_the_answer_does_not_depend_on_the_number_of_workers():
    asked = plan("fisher_interval", "bootstrap_correlation", draws=25)
    with workers_of(1) as none, workers_of(2) as two:
        assert none is None
        assert list(simulate(asked, none)) == list(simulate(asked, two))
    other = [*simulate(replace(asked, seed=1))]
    assert other != [*simulate(asked)]


def test_fisher_is_right_for_normal_pairs_and_wrong_for_fat_tails():
    (normal,), (t5,) = islice(simulate(plan("fisher_interval", n=120, draws=400)), 2)
    assert normal.actual == pytest.approx(0.95, abs=0.035)
    assert t5.actual < 0.91


def test_the_published_probability_fails_with_autocorrelation_and_the_default_does_not():
    _, _, autoregression = islice(simulate(plan("probabilistic_sharpe_ratio", n=120, draws=150)), 3)
    size = {r.method: r.actual for r in autoregression}
    default = size["probabilistic_sharpe_ratio"]
    assert default < 0.085
    assert size["probabilistic_sharpe_ratio (IndependentReturns)"] > default + 0.03


# What is written.


@pytest.mark.parametrize(
    ("kind", "method", "actual", "expected"),
    [
        ("size", "a", 0.05, IN),
        ("size", "a", 0.06, IN),
        ("size", "a", 0.074, UNCLEAR),  # 2 errors of 0.0075 beyond 0.06
        ("size", "a", 0.076, MISSED),
        ("size", "a", 0.026, MISSED),
        ("size", "a Holm", 0.0, IN),
        ("size", "a Holm", 0.08, MISSED),
        ("coverage", "a recovery", 1.0, IN),
        ("coverage", "a recovery", 0.9, MISSED),
        ("coverage", "a", 0.95, IN),
        ("coverage", "a", 0.915, UNCLEAR),
        ("coverage", "a", 0.91, MISSED),
        ("coverage", "a", 0.99, MISSED),
    ],
)
def test_a_share_is_judged_by_the_band_and_the_simulation_error(kind, method, actual, expected):
    assert judged(record(method, kind=kind, actual=actual)) == expected


def test_a_warning_is_printed_where_a_method_is_known_to_fail_and_nowhere_else():
    jkm = "sharpe_difference (NormalReturns)"
    text = warnings_of([record(jkm), record(jkm, "t5", actual=0.09), record("sharpe_difference", "t5")])
    (line,) = text.splitlines()
    assert line.startswith(f"warning: {jkm}: Jobson–Korkie–Memmel supposes independent normal returns")
    assert line.endswith("; size in % at n = 120: t5 9.0")
    assert warnings_of([record(jkm)]) == ""


def test_the_verdict_is_on_the_defaults():
    records = [
        record("good"),
        record("good", "t5", actual=0.065),
        record("bad", "t5", actual=0.2),
        record("other (HAC)", actual=0.5),
        record("good", kind="coverage", actual=0.95),
    ]
    assert verdict(records).splitlines() == [
        "defaults, size: 1 of 3 within 4 to 6 %, 1 outside by less than the simulation can tell, 1 outside",
        "  bad: size in % at n = 120: t5 20.0",
        "defaults, coverage: 1 of 1 within 93 to 97 %, 0 outside by less than the simulation can tell, "
        "0 outside",
    ]


def test_a_table_has_a_row_a_method_and_a_column_a_process():
    lines = tables([record("a"), record("a", "t5", actual=0.2), record("b", draws=0)]).splitlines()
    assert lines[0] == "size in %, n = 120, nominal 5 %, band 4 to 6"
    assert lines[1].split() == ["normal", "t5"]
    assert [line.split() for line in lines[2:]] == [["a", "5.0", "20.0!"], ["b", "–"]]


# The command.


def test_the_command_prints_tables_warnings_and_a_verdict_and_writes_records(tmp_path):
    file = tmp_path / "out.json"
    done = run(
        "sharpe_difference", "fisher_interval", "--draws", 3, "--rows", 30, "--workers", 1, "--json", file
    )
    assert done.returncode == 0, done.stderr
    assert "size in %, n = 30, nominal 5 %, band 4 to 6" in done.stdout
    assert "coverage in %, n = 30, nominal 95 %, band 93 to 97" in done.stdout
    assert "warning: sharpe_difference (NormalReturns): Jobson–Korkie–Memmel" in done.stdout
    assert "warning: fisher_interval (naive): Fisher's interval" in done.stdout
    assert "defaults, size: " in done.stdout
    records = json.loads(file.read_text(encoding="utf-8"))
    assert all(list(each) == KEYS for each in records)
    assert len(records) == (5 + 5 + 1) * len(PROCESSES)
    assert {(r["draws"], r["n"]) for r in records} == {(3, 30)}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sharp"], "there is no method 'sharp'; choose of sharpe_interval, "),
        (["--draws", "0"], "0 is not a positive number"),
        (["--json", "tests"], "tests: Is a directory"),
        (["--data", "no.csv"], "no.csv"),
        (["--columns", *"abc"], "--columns are those of --data FILE"),
        (["break_test", "--rows", "9", "--workers", "1"], "benchmarks.size: "),
    ],
)
def test_the_command_refuses(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
