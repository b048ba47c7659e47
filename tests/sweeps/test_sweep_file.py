"""An interrupted sweep goes on from its file, with the same result to the bit."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from sweep_cases import Chaser, daily_market, random_weights

import allocator.sweeps.run as run
from allocator.engine import Band, Costs
from allocator.errors import InputError
from allocator.sweeps import sweep

MARKET = daily_market(120)
WEIGHTS = random_weights(20, MARKET.assets)


def do(file=None, **options):
    return sweep(
        options.pop("weights", WEIGHTS), options.pop("market", MARKET), block=4, file=file, **options
    )


def interrupted_after(blocks, monkeypatch, file, error=KeyboardInterrupt):
    """Run until so many blocks are done, and then fail."""
    real, seen = run.run_block, []

    def counted(study, block):
        if len(seen) == blocks:
            raise error
        seen.append(block)
        return real(study, block)

    monkeypatch.setattr(run, "run_block", counted)
    with pytest.raises(error):
        do(file)
    monkeypatch.setattr(run, "run_block", real)


def count_blocks(monkeypatch):
    real, seen = run.run_block, []
    monkeypatch.setattr(run, "run_block", lambda study, block: seen.append(block) or real(study, block))
    return seen


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path, monkeypatch, error):
    file = tmp_path / "sweep.jsonl"
    interrupted_after(3, monkeypatch, file, error)
    assert len(file.read_text().splitlines()) == 4
    seen = count_blocks(monkeypatch)
    table = do(file)
    assert len(seen) == 2
    pd.testing.assert_frame_equal(table, do(), check_exact=True)


def test_a_complete_file_is_read_and_nothing_is_run(tmp_path, monkeypatch):
    file = tmp_path / "sweep.jsonl"
    first = do(file)
    seen, before = count_blocks(monkeypatch), file.read_bytes()
    pd.testing.assert_frame_equal(do(str(file)), first, check_exact=True)
    assert not seen
    assert file.read_bytes() == before


def test_nan_and_ruin_survive_the_file(tmp_path):
    market = daily_market(200, 2)
    prices = market.prices
    prices.iloc[120:, 0] *= 0.4
    options = {"market": type(market)(prices, 0.02), "weights": pd.DataFrame({"A": [2.0, 0.0]})}
    with pytest.warns(UserWarning, match="NaN"):
        first = do(tmp_path / "f", **dict(options))
    with pytest.warns(UserWarning, match="NaN"):
        again = do(tmp_path / "f", **dict(options))
    pd.testing.assert_frame_equal(again, first, check_exact=True)
    assert "NaN" not in (tmp_path / "f").read_text()


@pytest.mark.parametrize("torn", [b'{"block": 4, "rows": [[1', b"{", b'{"block": 4}'])
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    file = tmp_path / "sweep.jsonl"
    whole = do(file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3]) + torn)
    pd.testing.assert_frame_equal(do(file), whole, check_exact=True)
    assert sorted(file.read_bytes().splitlines()) == sorted(line.rstrip() for line in lines)


def test_an_empty_file_is_a_new_one(tmp_path):
    file = tmp_path / "sweep.jsonl"
    file.touch()
    do(file)
    assert len(file.read_text().splitlines()) == 6


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"market": daily_market(120, seed=1)}, "market"),
        ({"weights": WEIGHTS * 0.5}, "portfolios"),
        ({"weights": WEIGHTS.rename(index={3: "three"})}, "portfolios"),
        ({"rebalancing": Band(0.02)}, "rebalancing"),
        ({"costs": Costs(0.001)}, "costs"),
        ({"lag": 0}, "lag, window"),
        ({"start": "2015-02-02"}, "window"),
        ({"end": "2015-04-30"}, "market, window"),
        ({"unlisted": "cash"}, "unlisted"),
    ],
)
def test_the_file_of_another_sweep_is_refused_naming_what_differs(tmp_path, options, part):
    file = tmp_path / "sweep.jsonl"
    do(file)
    before = file.read_bytes()
    with pytest.raises(InputError, match=f"of another sweep: {part} differ"):
        do(file, **options)
    assert file.read_bytes() == before


def test_other_parameters_of_strategies_are_another_sweep(tmp_path):
    file = tmp_path / "sweep.jsonl"
    do(file, weights=[Chaser(), Chaser(0.5)])
    with pytest.raises(InputError, match="portfolios differ"):
        do(file, weights=[Chaser(), Chaser(0.6)])


@pytest.mark.parametrize(
    "content", ["hello\n", '{"a": 1}\n', "[]\n", '{"format": "allocator sweep"}\n', "\0\1\n"]
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "sweep.jsonl"
    file.write_text(content)
    with pytest.raises(InputError, match="is no file of a sweep"):
        do(file)
    assert file.read_text() == content


def test_a_newer_format_is_refused(tmp_path):
    file = tmp_path / "sweep.jsonl"
    do(file)
    header, *rest = file.read_text().splitlines(keepends=True)
    file.write_text(json.dumps(json.loads(header) | {"version": 1}) + "\n" + "".join(rest))
    with pytest.raises(InputError, match="format version 1, not 2"):
        do(file)


@pytest.mark.parametrize("line", ["{}", '{"block": 99, "rows": []}', '{"block": 1, "rows": [[1.0]]}', "?"])
def test_a_damaged_line_is_refused_with_its_number(tmp_path, line):
    file = tmp_path / "sweep.jsonl"
    do(file)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], line, *lines[3:]]) + "\n")
    with pytest.raises(InputError, match="damaged on line 3"):
        do(file)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a regular file"):
        do(tmp_path)
    with pytest.raises(InputError, match="there is no directory"):
        do(tmp_path / "nowhere" / "sweep.jsonl")
    with pytest.raises(InputError, match="is no path"):
        do(3)


KILLED = """
import sys, time
sys.path[:0] = [{tests!r}, {sweeps!r}]
import allocator.sweeps.run as run
import test_sweep_file as case
real = run.run_block
def slow(study, block):
    time.sleep(0.2)
    return real(study, block)
run.run_block = slow
case.do(sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_process_loses_only_the_block_under_way(tmp_path, monkeypatch):
    file, here = tmp_path / "sweep.jsonl", os.path.dirname(__file__)
    code = KILLED.format(tests=os.path.dirname(here), sweeps=here)
    child = subprocess.Popen([sys.executable, "-c", code, str(file)])
    deadline = time.monotonic() + 60
    while not file.exists() or file.read_bytes().count(b"\n") < 3:
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    finished = file.read_bytes().count(b"\n") - 1
    assert 2 <= finished < 5
    seen = count_blocks(monkeypatch)
    table = do(file)
    assert len(seen) == 5 - finished
    pd.testing.assert_frame_equal(table, do(), check_exact=True)
