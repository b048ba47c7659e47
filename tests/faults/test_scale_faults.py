"""Large tables, and long runs killed or interrupted: small versions of ``python -m benchmarks.soak``."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.market.cache import Cache
from strategies import SixtyForty

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the benchmarks are not installed

from benchmarks import soak  # noqa: E402

STUDY = """
title = "Interrupted"
seed = 1
[data]
history = "us_history"
[window]
start = "1990"
[[strategies]]
class = "SixtyForty"
"""


# F115: size.


def test_F115_a_table_above_the_limit_is_refused_before_memory_is_asked_for():
    watch = soak.Watch()
    soak.refused(watch)
    assert [fact.what for fact in watch.facts if not fact.holds] == []
    assert len(watch.facts) == 4
    with pytest.raises(al.InputError, match="max_cells"):
        al.Market(pd.DataFrame(np.ones((20, 3)), pd.bdate_range("2020-01-01", periods=20)), 0.0, max_cells=59)


@pytest.mark.parametrize(
    ("n_rows", "n_assets", "spacing"), [(30, 5000, "B"), (60_000, 1, "B"), (2, 300, "ME")]
)
def test_F115_wide_long_and_tiny_tables_run_and_know_their_value(n_rows, n_assets, spacing):
    prices, kind = soak.market_of(n_rows, n_assets, spacing)
    options = {"frequency": "monthly"} if n_rows < 3 else {}
    market = kind(prices, 0.02, **options)
    mix = al.FixedMix(dict.fromkeys(market.assets, 1.0 / n_assets))
    found = al.run_backtest(mix, market, rebalancing=al.BuyAndHold(), costs=al.Costs(0.0))
    grown = (prices / prices.loc[found.value.index[0]]).mean(axis=1)
    np.testing.assert_allclose(found.value, grown.loc[found.value.index], rtol=1e-9)


def test_F115_memory_of_a_sweep_does_not_depend_on_the_portfolios():
    held = []
    for n in (2_000, 20_000):
        watch = soak.Watch()
        prices, kind = soak.market_of(250, 5)
        with watch.of("sweep"):
            al.sweep(soak.portfolios(n, 5), kind(prices, 0.02), progress=False)
        held.append(watch.facts[0].peak_mb)
    assert held[1] < 40.0  # 20,000 paths of 250 values alone would be 40 MB


def test_F115_many_runs_and_reports_leave_nothing_behind():
    (_, _, before), (runs, reports, after) = soak.runs_and_reports(160, 4, settled=0.5)
    assert (runs, reports) == (160, 4)
    assert after - before < 20.0


# F116: killed and interrupted.


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("by", ["SIGKILL", "SIGINT"])
def test_F116_a_sweep_killed_at_random_moments_gives_the_table_of_one_run(tmp_path, by):
    resumed, whole, finished = soak.killed_and_resumed(
        tmp_path, getattr(signal, by), kills=2, n=120, pause=0.03
    )
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert finished == sorted(finished)
    assert finished[-1] < 12  # it was cut off, so that something was left to do
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("ready")] == ["sweep.jsonl"]


@contextlib.contextmanager
def interrupted(monkeypatch, owner, name, calls=1):
    """Press Ctrl-C at the n-th call of a function."""
    real, left = getattr(owner, name), [calls]

    def pressed(*arguments, **options):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, pressed)
        with pytest.raises(KeyboardInterrupt):
            yield


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_F116_an_interrupted_download_leaves_no_partial_entry(tmp_path, monkeypatch, where):
    cache, key = Cache(tmp_path / "cache"), {"source": "fred", "series": "X"}
    with interrupted(monkeypatch, os, where):
        cache.write(key, b"1,2,3")
    assert cache.read(key) is None
    assert files_in(tmp_path) == {}
    cache.write(key, b"1,2,3")
    assert cache.read(key).body == b"1,2,3"


@pytest.mark.parametrize("call", [1, 2, 3])
def test_F116_an_interrupted_study_leaves_no_folder_and_runs_again_to_the_same_bytes(
    tmp_path, monkeypatch, call
):
    file = tmp_path / "study.toml"
    file.write_text(STUDY, encoding="utf-8")
    with interrupted(monkeypatch, os, "fsync", call):
        al.reproduce(file, tmp_path / "out")
    assert files_in(tmp_path).keys() == {"study.toml"}
    al.reproduce(file, tmp_path / "out")
    al.reproduce(file, tmp_path / "other")
    assert files_in(tmp_path / "out") == files_in(tmp_path / "other")


def test_F116_an_interrupted_baseline_leaves_the_old_file(tmp_path, monkeypatch):
    runs = [
        al.run_backtest(SixtyForty(stock_weight=w), al.load_us_history(), start="2000") for w in (0.6, 0.5)
    ]
    path = al.write_baseline(runs[0], tmp_path / "base.json")
    before = path.read_bytes()
    with interrupted(monkeypatch, os, "replace"):
        al.write_baseline(runs[1], path)
    assert files_in(tmp_path) == {"base.json": before}
    assert al.write_baseline(runs[1], path).read_bytes() != before


def test_F116_an_interrupted_backtest_runs_again_to_the_same_bytes(monkeypatch):
    market = al.load_us_history()
    with interrupted(monkeypatch, SixtyForty, "weights", 1):
        al.run_backtest(SixtyForty(), market)
    again = al.run_backtest(SixtyForty(), market).returns
    pd.testing.assert_series_equal(again, al.run_backtest(SixtyForty(), al.load_us_history()).returns)


# The command.


def test_the_command_tells_what_it_measured_and_refuses_other_cases(tmp_path):
    command = [sys.executable, "-m", "benchmarks.soak"]
    done = subprocess.run(
        [*command, "refused", "--json", str(tmp_path / "facts.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20,000 x 20,000 cells are refused" in done.stdout
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert all(fact["holds"] for fact in facts)
    wrong = subprocess.run([*command, "W1"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "there is no case 'W1'; choose of sweep, shapes" in wrong.stderr


def test_a_broken_promise_is_said():
    script = """
import numpy as np
from benchmarks import soak
watch = soak.Watch()
with watch.of("much", most_mb=10.0):
    held = np.ones(4_000_000)
print(watch.facts[0].holds, watch.facts[0].peak_mb, watch.facts[0])
"""  # in a process of its own: a peak that was there before would hide it
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    holds, peak, said = done.stdout.split(maxsplit=2)
    assert holds == "False"
    assert float(peak) == pytest.approx(32.0, abs=8.0)
    assert said.rstrip().endswith("BROKEN")
