"""The command line when it is stopped, cut off or misunderstood: one line, code 2, and never code 1."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import __main__ as command_line
from allocator.errors import InputError
from strategies import GoldDiversified

PYTHON = [sys.executable, "-m", "allocator"]


# --- F199: an output that takes nothing, F200: a command that is stopped ---


@pytest.mark.parametrize("after", [0.1, 0.5])
def test_F200_ctrl_c_is_one_line_at_any_time(tmp_path, after):
    with subprocess.Popen([*PYTHON], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as running:
        while not importing(running.pid):  # before, Python itself is being started
            time.sleep(0.005)
        time.sleep(after)
        running.send_signal(signal.SIGINT)
        error = running.communicate(timeout=60)[1]
    assert error.count("\n") == 1
    # CPython ends by the signal what it caught within exec of a text, as dataclasses do while imported.
    assert running.returncode in (2, -signal.SIGINT)
    assert error.startswith("allocator: interrupted; every file is whole")
    assert not list(tmp_path.rglob("*.part"))


def importing(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "numpy" in maps.read()


def printing(monkeypatch, action):
    """Replace all commands by one that does this."""
    module = SimpleNamespace(run=lambda words, parser: action())
    monkeypatch.setattr(command_line.importlib, "import_module", lambda name: module)


def raising(error):
    raise error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BrokenPipeError(32, "Broken pipe"), ""),
        (OSError(28, "No space left on device"), "cannot print the result: no space left on device\n"),
        (KeyboardInterrupt(), "interrupted; every file is whole, the old one or the new\n"),
    ],
)
@pytest.mark.parametrize("command", [[], ["check"], ["verify"], ["article"], ["reproduce"], ["download"]])
def test_F199_no_accident_has_the_code_of_numbers_that_moved(monkeypatch, capsys, command, error, message):
    printing(monkeypatch, lambda: raising(error))
    monkeypatch.setattr(command_line, "_write_no_more", lambda: None)
    assert command_line.main(command) == 2
    assert capsys.readouterr().err == (f"allocator: {message}" if message else "")


def test_F199_a_pipe_that_is_closed_and_a_disk_that_is_full(tmp_path):
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*PYTHON, "verify", "--help"], stdout=write, stderr=subprocess.PIPE, check=False, cwd=tmp_path
        )
    finally:
        os.close(write)
    assert b"Traceback" not in done.stderr
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", PRINTS], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "allocator: cannot print the result: no space left on device\n"


PRINTS = """
from types import SimpleNamespace
from allocator import __main__ as command_line
command_line.importlib = SimpleNamespace(
    import_module=lambda name: SimpleNamespace(run=lambda words, parser: print("\\u00b1" * 9) or 0)
)
command_line._print_anything()
raise SystemExit(command_line.main([]))
"""


def test_F202_an_encoding_without_the_sign_is_no_traceback(tmp_path):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "\\xb1" * 9 + "\n", "")


def test_F199_no_output_at_all(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    printing(monkeypatch, lambda: 0)
    assert command_line.main([]) == 0
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    printing(monkeypatch, lambda: raising(BrokenPipeError()))
    assert command_line.main([]) == 2


# --- words of the command line ---


@pytest.mark.parametrize("seed", ["1e3", "x", "-3", "", "9" * 5000])
def test_a_seed_that_is_none_is_said_in_words(capsys, seed):
    with pytest.raises(SystemExit, match="2"):
        command_line.main([f"--seed={seed}"])
    error = capsys.readouterr().err
    assert "is no whole number from 0 on" in error
    assert "_seed" not in error
    assert len(error) < 200


@pytest.mark.parametrize("command", [[], ["article"], ["download"], ["reproduce", "s.toml"]])
def test_an_empty_folder_is_not_the_present_one(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        command_line.main([*command, "--out", ""])
    assert "argument --out: is blank" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- F194: a file of a sweep, edited or put together by hand ---


@pytest.fixture(scope="module")
def history():
    return al.load_us_history()


def swept(history, file, *weights):
    return al.sweep(al.grid(GoldDiversified, gold_weight=list(weights)), history, file=file)


def edited(line, change):
    entry = json.loads(line)
    change(entry["rows"])
    return json.dumps(entry).encode() + b"\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[0].__setitem__(2, 9.99),
        lambda rows: rows[0].__setitem__(0, 1e308),
        lambda rows: rows[0].__setitem__(1, None),
        lambda rows: rows.reverse(),
    ],
)
def test_F194_a_number_of_a_sweep_that_was_altered(history, tmp_path, change):
    file = tmp_path / "sweep.jsonl"
    before = swept(history, file, 0.0, 0.1)
    header, line = file.read_bytes().splitlines(keepends=True)
    assert swept(history, file, 0.0, 0.1).equals(before)
    file.write_bytes(header + edited(line, change))
    with pytest.raises(InputError, match=r"is damaged on line 2; delete the file to begin anew"):
        swept(history, file, 0.0, 0.1)


def test_F196_a_line_of_another_sweep(history, tmp_path):
    mine, other = tmp_path / "mine.jsonl", tmp_path / "other.jsonl"
    swept(history, mine, 0.0, 0.1)
    swept(history, other, 0.2, 0.3)
    header = mine.read_bytes().splitlines(keepends=True)[0]
    mine.write_bytes(header + other.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(InputError, match="is damaged on line 2"):
        swept(history, mine, 0.0, 0.1)


def test_F192_a_sweep_under_a_name_too_long(history, tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*: file name too long"):
        swept(history, tmp_path / ("x" * 300), 0.0)


# --- F189: values of a study of the wrong kind ---

STUDY = """
title = "t"
seed = 1
figures = []
[data]
history = "us_history"
[[strategies]]
class = "SixtyForty"
[[strategies]]
class = "SixtyForty"
name = "b"
[[tests]]
kind = "sharpe_differences"
n_resamples = 99
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        *(
            (f"periods = {value}", "periods: is no list of pairs; write")
            for value in ["3", "true", "''", "{}", '[["", 1999]]', "[[[], []]]"]
        ),
        *(
            (f"block_length = {value}", "block_length: .* is not a positive number; pass 5")
            for value in ["true", "'x'", "[]", "1e300", "5.0"]
        ),
    ],
)
def test_F189_values_of_the_wrong_kind_have_words_of_their_own(tmp_path, line, message):
    study = tmp_path / "s.toml"
    study.write_text(STUDY + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        al.reproduce(study, tmp_path / "out")


def test_F177_a_folder_with_a_nul_byte_in_a_manifest_and_on_the_command_line(tmp_path):
    days = pd.bdate_range("2015-01-01", periods=300, name="date")
    prices = pd.DataFrame({"stocks": np.linspace(100.0, 130.0, 300)}, days)
    prices.assign(bonds=100.0 + np.arange(300) % 7).to_csv(tmp_path / "p.csv")
    study = tmp_path / "s.toml"
    data = 'file = "p.csv"\ncash = 0.0\ncolumns = { stocks = "stocks", bonds = "bonds" }'
    own, _ = STUDY.replace('history = "us_history"', data).split("[[strategies]]", 1)
    study.write_text(own + '[[strategies]]\nclass = "SixtyForty"\n', encoding="utf-8")
    manifest = al.reproduce(study, tmp_path / "out").manifest
    with pytest.raises(InputError, match=r"'a\\x00b' is no folder"):
        al.verify(manifest, data="a\0b")
    given = json.loads(manifest.read_text(encoding="utf-8"))
    given["study"]["folder"] = "a\0b"
    manifest.write_text(json.dumps(given), encoding="utf-8")
    with pytest.raises(InputError, match=r"is no folder; put it there, or name its folder"):
        al.verify(manifest)


def test_F169_a_folder_of_panels_under_a_name_too_long(capsys):
    assert command_line.main(["article", "--data", "x" * 300]) == 2
    assert "is no folder" in capsys.readouterr().err
