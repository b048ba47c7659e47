"""Readers of files under fire: damaged, twisted and made-up files are read or refused, and nothing else.

The same readers and mutators run for as long as wanted by ``python -m benchmarks.fuzz``; here each gets a few
hundred files a run, other ones each time unless CI asks for the same.
"""

import pathlib
import random
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the benchmarks are not installed

from allocator.errors import AllocatorError, InputError  # noqa: E402
from benchmarks import fuzz, fuzz_readers  # noqa: E402

# Of each reader so many files, by what one costs it.
EXAMPLES = {
    "csv": 200, "parquet": 150, "frame": 150, "fred": 400, "yahoo": 120, "cache": 150, "study": 120,
    "manifest": 60, "baseline": 80, "sweep": 200, "panel": 150,
}  # fmt: skip
SEEDS = st.integers(0, 2**64 - 1)


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """Each reader, made when it is first asked for, as two of them run a study to begin with."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = fuzz_readers.make_readers(tmp_path_factory.mktemp(name), [name])[name]
        return made[name]

    return get


def fire(reader, given_it):
    """Let a reader read; anything but acceptance or a refusal fails with its traceback."""
    tally = fuzz.Tally()
    fuzz.attempt(reader, given_it, tally)
    assert not tally.failures, "\n".join(trace for _, trace in tally.failures.values())


@pytest.mark.parametrize("name", fuzz_readers.READERS)
def test_whatever_a_file_holds_it_is_read_or_refused(readers, name):
    reader = readers(name)

    @settings(max_examples=EXAMPLES[name], suppress_health_check=[HealthCheck.too_slow])
    @given(seed=SEEDS)
    def shoot(seed):
        fire(reader, reader.make(random.Random(seed)))

    shoot()


@pytest.mark.parametrize("name", [name for name in fuzz_readers.READERS if name not in ("frame", "yahoo")])
def test_garbage_is_read_or_refused(readers, name):
    reader = readers(name)

    @settings(max_examples=40)
    @given(
        content=st.one_of(
            st.binary(max_size=80), st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace"))
        )
    )
    @example(content=b"")
    @example(content=b"\xff\xfe\x00")
    @example(content=b"[" * 5_000)
    @example(content=b'{"a":' * 5_000)
    @example(content=b"PAR1" * 10)
    def shoot(content):
        fire(reader, content)

    shoot()


@pytest.mark.parametrize("name", fuzz_readers.READERS)
def test_both_kinds_of_answer_are_met(readers, name):
    tally, reader = fuzz.Tally(), readers(name)
    for number in range(400):
        fuzz.attempt(reader, reader.make(random.Random(number)), tally)
        if tally.accepted >= 2 and len(tally.refusals) >= 2:
            break
    assert tally.accepted >= 2, tally.refusals.most_common(3)
    assert len(tally.refusals) >= 2
    assert not tally.failures


# --- what the guns would find ---


def reader_that(run):
    return fuzz_readers.Reader(lambda draw: draw.randbytes(4), run)


def raise_(error):
    raise error


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (lambda _: raise_(KeyError("x")), "KeyError"),
        (lambda _: raise_(RecursionError()), "RecursionError"),
        (lambda _: raise_(MemoryError()), "MemoryError"),
        (lambda _: raise_(ValueError("not ours")), "ValueError"),
        (lambda _: fuzz_readers._hold(False, "a hole"), "UnmetError"),
        (lambda _: time.sleep(0.5), "SlowError"),
    ],
)
def test_what_is_no_refusal_is_a_failure(run, kind, monkeypatch):
    monkeypatch.setattr(fuzz, "_LONGEST", 0.1)
    tally = fuzz.Tally()
    fuzz.attempt(reader_that(run), b"", tally)
    ((where, (content, trace)),) = tally.failures.items()
    assert (where.split()[0], content) == (kind, b"")
    assert kind in trace


def test_refusals_are_counted_by_their_form():
    tally = fuzz.Tally()
    for number in range(3):
        fuzz.attempt(
            reader_that(lambda _, n=number: raise_(InputError("x", f"{n} in 'file{n}'"))), b"", tally
        )
    fuzz.attempt(reader_that(lambda _: raise_(AllocatorError("other"))), b"", tally)
    fuzz.attempt(reader_that(lambda _: None), b"", tally)
    assert (tally.executions, tally.accepted, tally.refused, len(tally.refusals)) == (5, 1, 4, 2)


def test_the_same_seed_gives_the_same_files(readers):
    for name in ("csv", "study", "manifest", "parquet"):
        first, again = (readers(name).make(random.Random("7 3")) for _ in range(2))
        assert first == again


def test_a_failure_is_saved_with_its_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fuzz_readers, "make_readers", lambda folder, names: {
        name: reader_that(lambda _: raise_(KeyError("planted"))) for name in names})  # fmt: skip
    monkeypatch.setattr(fuzz.resource, "setrlimit", lambda *_: None)
    assert fuzz.main(["--seconds", "1", "--reader", "csv", "--seed", "5", "--out", str(tmp_path)]) == 1
    assert "csv: KeyError in test_reader_fuzz.py" in capsys.readouterr().out
    assert len((tmp_path / "fuzz-csv-seed5-0").read_bytes()) == 4
    assert "planted" in (tmp_path / "fuzz-csv-seed5-0.txt").read_text()


def test_the_command_prints_a_table(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.fuzz",
        "--seconds",
        "1",
        "--reader",
        "fred",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    head, names, row = done.stdout.splitlines()
    assert head == "1 s a reader, seed 0"
    assert names.split()[:4] == ["reader", "executions", "accepted", "refused"]
    assert row.split()[0] == "fred"
    assert not [*tmp_path.iterdir()]
