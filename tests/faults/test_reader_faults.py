"""What a file that a stranger wrote can do to a reader: nothing but be read or refused.

The faults that concern CSV and Parquet alone are in tests/market/test_files.py, those of baselines in
tests/research/test_baseline.py; here is what holds for every reader alike, and what is hostile.
"""

import base64
import hashlib
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import time
import types
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import allocator as al
from allocator import untrusted
from allocator.errors import AllocatorError, DownloadError, InputError
from allocator.market import files
from allocator.market.cache import Cache
from allocator.market.download import read_table
from allocator.market.files import read_prices
from allocator.market.frames import read_frame
from allocator.market.yahoo import _sessions
from allocator.papers.data import open_data
from allocator.papers.manifest import manifest_bytes, read_manifest
from allocator.papers.study import read_study
from allocator.research.baseline_facts import record_baseline
from allocator.research.baseline_file import baseline_text, read_baseline
from allocator.scoreboard.folder import read_panel
from allocator.sweeps.store import read_store, sealed

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the benchmarks are not installed

from benchmarks.parquet_by_hand import ZSTD, page, parquet

TABLE = b"date,SPY,GLD\n2020-01-01,300.5,150\n2020-01-02,301.25,149\n"
STUDY = b'title = "t"\nseed = 0\n[data]\nhistory = "us_history"\n[[strategies]]\nclass = "SixtyForty"\n'
PARTS = {"market": "a"}
SWEEP_HEADER = b'{"format": "allocator sweep", "version": 2, "runs": 2, "parts": {"market": "a"}}\n'
SWEEP = SWEEP_HEADER + sealed(b'"block": 0, "rows": [[1.0, null], [Infinity, 2.0]]}\n', SWEEP_HEADER)
MANIFEST = {
    "format": "allocator paper manifest",
    "version": 1,
    "study": {"title": "t", "sha256": "0", "folder": ""},
    "data": {"sha256": "0", "columns": {"stocks": "0"}},
    "parameters": {"seed": 1},
    "seed": 1,
    "conventions": {"t": ["per year"]},
    "versions": {"numpy": "2"},
    "code": {"allocator": "0"},
    "platform": {"system": "Linux"},
    "results": {"t": {"columns": ["a", "b"], "rows": [["x", 1.5], [None, 2]]}},
    "files": {"t.csv": "0"},
}
MARKET = al.Market(
    pd.DataFrame(
        {"stocks": np.linspace(1.0, 2.0, 60), "bonds": 1.0}, pd.bdate_range("2020-01-01", periods=60)
    ),
    0.0,
)
BASELINE = record_baseline(al.run_backtest(al.FixedMix({"stocks": 1.0}), MARKET))


def sweep_store(path):
    return read_store(Path(path), PARTS, [2, 2], 2)


# Of each reader: how it is called, a file that it accepts, and its name.
READERS = {
    "csv": (read_prices, TABLE, "prices.csv"),
    "parquet": (read_prices, parquet(), "prices.parquet"),
    "study": (read_study, STUDY, "study.toml"),
    "manifest": (lambda path: read_manifest(Path(path)), json.dumps(MANIFEST).encode(), "manifest.json"),
    "baseline": (read_baseline, baseline_text(BASELINE).encode(), "baseline.json"),
    "sweep": (sweep_store, SWEEP, "sweep.jsonl"),
}
readers = pytest.mark.parametrize("reader", READERS)
in_one_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def within(seconds):
    """Fail, rather than hang, what takes longer; generous, as machines are busy."""

    def stop(*_):
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(reader, path, *words):
    """Return what the reader says of a path, which it names."""
    with within(20), pytest.raises(InputError) as caught:
        READERS[reader][0](path)
    error = caught.value
    assert error.fix
    assert repr(str(path)) in str(error) or str(path) in str(error)
    for word in words:
        assert word in str(error)
    return error


def put(folder, reader, content=None):
    """Write a file for a reader, by default one that it accepts."""
    path = folder / READERS[reader][2]
    path.write_bytes(READERS[reader][1] if content is None else content)
    return path


@readers
def test_a_sound_file_is_read(tmp_path, reader):
    READERS[reader][0](put(tmp_path, reader))


# --- the path ---


@readers
def test_F169_missing_or_a_directory(tmp_path, reader):
    if reader != "sweep":  # which makes its file
        refusal(reader, tmp_path / READERS[reader][2])
    (tmp_path / READERS[reader][2]).mkdir()
    error = refusal(reader, tmp_path / READERS[reader][2])
    assert "is a directory" in str(error) or "is not a regular file" in str(error)


@readers
def test_F169_a_dangling_symlink(tmp_path, reader):
    path = tmp_path / READERS[reader][2]
    path.symlink_to(tmp_path / "nowhere")
    refusal(reader, path)


@readers
def test_F169_not_readable(tmp_path, reader, monkeypatch):
    path = put(tmp_path, reader)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    refusal(reader, path, "permission denied")


@pytest.mark.parametrize("address", ["http://host/p", "https://host/p", "s3://bucket/p", "file:///etc/p"])
@pytest.mark.parametrize("reader", [name for name in READERS if name != "sweep"])
def test_F169_an_address_is_no_path(reader, address):
    suffix = Path(READERS[reader][2]).suffix
    with pytest.raises(InputError, match=r"is an address, not a path; download it first|there is no"):
        READERS[reader][0](address + suffix)


def test_F169_a_sweep_is_kept_at_no_address():
    with pytest.raises(InputError, match="is an address"):
        al.sweep(pd.DataFrame({"stocks": [1.0]}), MARKET, file="s3://bucket/sweep.jsonl")


SECTION = {"columns": {"stocks": "SPY"}, "cash": 0.0}


@pytest.mark.parametrize("name", ["../prices.csv", "/etc/prices.csv", "a/../../prices.csv", "~/../../p.csv"])
def test_F170_a_study_names_only_files_of_its_folder(tmp_path, name):
    (tmp_path / "prices.csv").write_bytes(TABLE)
    folder = tmp_path / "study"
    folder.mkdir()
    with pytest.raises(InputError) as caught:
        open_data({"file": name, **SECTION}, folder)
    assert caught.value.argument == "data.file"
    assert "outside" in str(caught.value)
    assert repr(str(folder)) in str(caught.value)
    assert "--data" in caught.value.fix
    with pytest.raises(InputError, match=r"data\.folder: .* outside"):
        open_data({"folder": ".."}, folder)


def test_F170_an_address_in_a_study_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"data\.file: 'https://host/p\.csv' is an address"):
        open_data({"file": "https://host/p.csv", **SECTION}, tmp_path)


def test_F170_another_folder_can_be_given(tmp_path):
    study = tmp_path / "papers" / "study.toml"
    study.parent.mkdir()
    rows = [f"{1990 + k}-12-31,{1.07**k * (1 + k % 3 / 10)},{1.03**k}\n" for k in range(30)]
    (tmp_path / "p.csv").write_text("date,A,B\n" + "".join(rows))
    source = STUDY.decode().replace(
        'history = "us_history"', 'file = "p.csv"\ncash = 0.02\ncolumns = { stocks = "A", bonds = "B" }'
    )
    study.write_text(source)
    with pytest.raises(InputError, match="no such file"):
        al.reproduce(study, tmp_path / "out")
    al.reproduce(study, tmp_path / "out", data=tmp_path)
    assert al.verify(tmp_path / "out" / "manifest.json").verdict == "identical"
    with pytest.raises(InputError, match=r"data: .* is no folder"):
        al.reproduce(study, tmp_path / "other", data=tmp_path / "p.csv")


def test_F171_symlinks_out_of_the_folder(tmp_path):
    outside, folder = tmp_path / "secret.csv", tmp_path / "study"
    folder.mkdir()
    outside.write_bytes(TABLE)
    (folder / "prices.csv").symlink_to(outside)
    (folder / "panels").symlink_to(tmp_path)
    for section in ({"file": "prices.csv", **SECTION}, {"file": "panels/secret.csv", **SECTION}):
        with pytest.raises(InputError) as caught:
            open_data(section, folder)
        assert repr(str(outside)) in str(caught.value)
    with pytest.raises(InputError, match=r"data\.folder: .* outside"):
        open_data({"folder": "panels"}, folder)
    outside.rename(folder / "real.csv")
    (folder / "near.csv").symlink_to("real.csv")
    assert open_data({"file": "near.csv", **SECTION}, folder).market.assets == ("stocks",)


def test_F171_a_symlink_out_of_the_folder_of_panels(tmp_path):
    (tmp_path / "panels").mkdir()
    (tmp_path / "x.csv").write_bytes(b"date,DGS10,DFII10\n2020-01-01,1,1\n")
    (tmp_path / "panels" / "daily_yields_risk.csv").symlink_to(tmp_path / "x.csv")
    with pytest.raises(InputError, match=r"daily_yields_risk\.csv: .* outside"):
        read_panel(tmp_path / "panels", "daily_yields_risk.csv")


def test_F171_a_circle_of_symlinks(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(InputError):
        open_data({"file": "a.csv", **SECTION}, tmp_path)
    with pytest.raises(InputError, match="cannot be opened"):
        read_prices(tmp_path / "a.csv")


KEY = {"source": "fred", "series": "DGS10"}


def test_F171_a_cached_symlink_is_not_used(tmp_path):
    cache = Cache(tmp_path / "cache")
    cache.write(KEY, b"body")
    entry = cache.path(KEY)
    entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(UserWarning, match="symbolic link"):
        assert cache.read(KEY) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this system")
@readers
def test_F172_a_fifo_does_not_hang(tmp_path, reader):
    path = tmp_path / READERS[reader][2]
    os.mkfifo(path)
    refusal(reader, path, "is not a regular file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this system")
def test_F172_a_fifo_in_the_cache_does_not_hang(tmp_path):
    cache = Cache(tmp_path)
    os.mkfifo(cache.path(KEY))
    with within(20), pytest.warns(UserWarning, match="not a regular file"):
        assert cache.read(KEY) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this system")
def test_F172_a_fifo_put_there_after_the_look_does_not_hang(tmp_path, monkeypatch):
    path = put(tmp_path, "csv")
    real = os.stat

    def stat_then_exchange(file, *args, **options):
        facts = real(file, *args, **options)
        if file == path:
            path.unlink()
            os.mkfifo(path)
        return facts

    monkeypatch.setattr(untrusted.os, "stat", stat_then_exchange)
    refusal("csv", path, "is not a regular file")


@readers
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_F172_devices_are_not_read(tmp_path, reader, device):
    path = tmp_path / READERS[reader][2]
    path.symlink_to(device)
    refusal(reader, path, "is not a regular file")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc on this system")
@pytest.mark.parametrize("reader", [name for name in READERS if name != "sweep"])
def test_F172_files_of_proc_are_not_read(tmp_path, reader):
    path = tmp_path / READERS[reader][2]
    path.symlink_to("/proc/self/environ")  # a regular file of no bytes that holds some
    refusal(reader, path, "is empty")


# --- the bytes ---


@readers
def test_F173_an_empty_file(tmp_path, reader):
    path = put(tmp_path, reader, b"")
    if reader == "sweep":
        assert sweep_store(path) == {}  # a file to be written
    else:
        refusal(reader, path, "is empty")


@pytest.mark.parametrize("reader", [name for name in READERS if name != "sweep"])
def test_F174_a_big_file_is_not_read(tmp_path, reader):
    path = put(tmp_path, reader)
    os.truncate(path, 2**28 + 1)  # zeros that take no room
    refusal(reader, path, "bytes, more than")


@pytest.mark.parametrize("change", [b"x" * 100, b""], ids=["grows", "shrinks"])
def test_F174_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch, change):
    path, real, calls = put(tmp_path, "csv"), untrusted._check, []

    def check_then_change(*args):
        real(*args)
        calls.append(args)
        if len(calls) == 2:  # it is open, and its size was looked at
            path.write_bytes(TABLE + change if change else b"")

    monkeypatch.setattr(untrusted, "_check", check_then_change)
    refusal("csv", path, "changed while it was read", "read it again")


def test_F174_no_more_is_read_than_the_size(tmp_path, monkeypatch):
    path, asked = put(tmp_path, "csv"), []
    real = os.fdopen

    @contextmanager
    def watched(*args):
        with real(*args) as opened:
            yield types.SimpleNamespace(
                fileno=opened.fileno, read=lambda n: asked.append(n) or opened.read(n)
            )  # fmt: skip

    monkeypatch.setattr(untrusted.os, "fdopen", watched)
    read_prices(path)
    assert asked == [len(TABLE) + 1]


@pytest.mark.parametrize("packed", [b"\x1f\x8b\x08\0" + bytes(20), b"PK\x03\x04" + bytes(20), b"BZh9\xff1"])
@readers
def test_F175_packed_bytes_under_an_honest_name(tmp_path, reader, packed):
    refusal(reader, put(tmp_path, reader, packed))


LIES = {
    "rows": ({"rows": 10**9}, "cells, more than"),
    "rows everywhere": ({"rows": 10**7, "group_rows": 10**7, "values": 10**7}, "have 3 values in 'when'"),
    "rows of the group": ({"group_rows": 10**9}, "rows it is in two ways"),
    "values": ({"values": 10**9}, "3 rows have 1,000,000,000 values in 'SPY'"),
    "values of a page": ({"page_values": 2**31 - 1}, "a page of more values than 3 rows have, in 'SPY'"),
    "dictionary": ({"dictionary": page(bytes(8), 2**31 - 1, kind=2)}, "a page of more values than 3 rows"),
    "size of a page": ({"unpacked": 2**31 - 1, "codec": ZSTD}, "2,147,483,647 bytes for 3 rows in 'SPY'"),
    "negative size": ({"unpacked": -1}, "more values than 3 rows have"),
    "nesting": ({"depth": 100_000}, "nested more than 16 deep"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_F175_parquet_that_lies_about_its_size_is_refused_before_it_is_unpacked(tmp_path, lie):
    told, message = LIES[lie]
    path = put(tmp_path, "parquet", parquet(**told))
    before = pa.total_allocated_bytes()
    with within(20), pytest.raises(InputError) as caught:
        read_prices(path)
    assert message in str(caught.value)
    assert pa.total_allocated_bytes() == before


def test_F175_a_page_that_unpacks_to_a_gigabyte(tmp_path):
    body = pa.compress(bytes(2**26), codec="zstd", asbytes=True)  # 2 kB; a gigabyte does the same
    path = put(tmp_path, "parquet", parquet(unpacked=2**26, codec=ZSTD, body=body))
    pool = pa.default_memory_pool()
    before = pool.max_memory()
    refusal("parquet", path, "pages of 67,108,864 bytes for 3 rows")
    assert pool.max_memory() < before + 2**22


def test_honest_parquet_of_every_writer_passes_the_checks_of_size(tmp_path):
    n = 3_000
    table = pa.table({
        "date": pd.date_range("2000-01-01", periods=n), "a": np.full(n, 1.5), "b": np.sin(np.arange(n)),
        "c": pa.array([None, 2.0, 3.0] * (n // 3)), "d": pa.array(range(n)).cast(pa.decimal128(38, 10)),
        "a.b": pa.array(["x" * 500] * n),
    })  # fmt: skip
    path, kept = tmp_path / "p.parquet", ["a", "b", "c", "d"]
    for options in (
        {}, {"use_dictionary": False}, {"compression": "zstd"}, {"compression": "none"},
        {"data_page_version": "2.0"}, {"row_group_size": 100}, {"write_statistics": False},
        {"data_page_size": 64, "write_page_index": True}, {"column_encoding": {
            "b": "BYTE_STREAM_SPLIT", "a": "PLAIN"}, "use_dictionary": ["c"]}, {"write_page_checksum": True},
    ):  # fmt: skip
        pq.write_table(table, path, **options)
        read = read_prices(path, kept)
        assert read.shape == (n, 4)
        assert read["d"].iloc[-1] == n - 1
    constant = pa.table({"date": table["date"], "a": np.zeros(n)})
    pq.write_table(constant, path, compression="zstd", use_dictionary=False)  # packs a hundredfold, honestly
    assert len(read_prices(path)) == n


@pytest.mark.parametrize("reader", ["study", "manifest", "baseline", "sweep"])
@pytest.mark.parametrize("content", ["{}".encode("utf-16"), b"\xff\xfe", b"\xe9 = 1", b"\0" * 40])
def test_F176_F177_text_that_is_not_utf_8_or_has_nul_bytes(tmp_path, reader, content):
    refusal(reader, put(tmp_path, reader, content))


# --- cells ---

NO_NUMBERS = ["1_000", "0x10", "１２", "٣", "nan(1)", "infinity", "-inf", "1e", "+-1", "1,5", "1 000", "１e1"]


@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_F179_what_python_takes_for_a_number_and_no_file_means(tmp_path, cell):
    quoted = f'"{cell}"' if "," in cell else cell
    path = put(tmp_path, "csv", f"date,SPY\n2020-01-01,1\n2020-01-02,{quoted}\n".encode())
    error = refusal("csv", path, "line 3", repr(cell), "on 2020-01-02 is not a number")
    assert error.asset == "SPY"
    with pytest.raises(DownloadError, match="line 3 of its answer"):
        read_table("FRED X", f"date,X\n2020-01-01,1\n2020-01-02,{quoted}\n".encode(), ["X"])


@pytest.mark.parametrize("cell", ["1e5000", "-1e309", "9" * 400])
def test_F026_beyond_the_largest_float(tmp_path, cell):
    path = put(tmp_path, "csv", f"date,SPY\n2020-01-01,{cell}\n".encode())
    refusal("csv", path, "line 2", "beyond the largest float")
    with pytest.raises(DownloadError, match="line 2"):
        read_table("FRED X", f"date,X\n2020-01-01,{cell}\n".encode(), ["X"])


@pytest.mark.parametrize("date", ["２０２０-01-01", "2020-０1-01", "2020-W01-1", "20200101", "+020-01-01"])
def test_F006_dates_that_only_look_like_dates(tmp_path, date):
    refusal("csv", put(tmp_path, "csv", f"date,SPY\n{date},1\n".encode()), "line 2", "is not a date")
    with pytest.raises(DownloadError, match="line 2"):
        read_table("FRED X", f"date,X\n{date},1\n".encode(), ["X"])


def test_F006_digits_of_another_script_in_another_format(tmp_path):
    path = put(tmp_path, "csv", "date,SPY\n٠١/٠٢/٢٠٢٠,1\n".encode())
    with pytest.raises(InputError, match="is not a date"):
        read_prices(path, date_format="%d/%m/%Y")


WIDE = {
    "a line of 20 MB": (b"date,SPY\n2020-01-01," + b"1" * 20_000_000, "line 2: field larger than"),
    "a header of 20 MB": (b"date," + b"x" * 20_000_000 + b"\n2020-01-01,1\n", "field larger than"),
    "a long name": (b"date," + b"x" * 5_000 + b"\n2020-01-01,1\n", "a name of 5,000 characters"),
    "a million columns": (b",".join(b"c%d" % j for j in range(1_000_000)), "header has 1,000,000 cells"),
    "30 million cells": (b"date,SPY\n" + b",\n" * 15_000_000, "holds about 30,000,002 cells"),
    "a wide second line": (b"date,SPY\n" + b"1," * 5_000_000, "cells, where the header has 2"),
}


@pytest.mark.parametrize("kind", WIDE)
def test_F181_texts_without_end_are_refused_before_they_are_taken_apart(tmp_path, kind):
    content, message = WIDE[kind]
    refusal("csv", put(tmp_path, "csv", content), message)


def test_F181_many_columns_take_no_quadratic_time(tmp_path):
    names = [f"c{j}" for j in range(20_000)]
    path = put(tmp_path, "csv", f"date,{','.join(names)}\n2020-01-01,{'1,' * 19_999}1\n".encode())
    with within(20):
        assert read_prices(path).shape == (1, 20_000)
        assert read_prices(path, names[::-1]).columns[0] == "c19999"
    with pytest.raises(InputError, match="there is no column 'c20000'"):
        read_prices(path, ["c20000"])


# --- what a file may hold ---


def test_F184_columns_of_other_kinds(tmp_path):
    days = pa.array(pd.date_range("2020-01-01", periods=2))
    for column, kind in (
        (pa.array(["a", "b"]).dictionary_encode(), "dictionary"),
        (pa.array([[1.0], [2.0]]), "list"),
        (pa.array([{"x": 1.0}, {"x": 2.0}]), "struct"),
        (pa.array([b"\x80\x04.", b"\x80\x04."]), "binary"),
        (pa.array([True, False]), "bool"),
        (pa.array([1, 2], pa.duration("s")), "duration"),
        (pa.array([None, None]), "null"),
    ):
        pq.write_table(pa.table({"date": days, "SPY": column}), tmp_path / "prices.parquet")
        error = refusal("parquet", tmp_path / "prices.parquet", f"is of type {kind}")
        assert error.asset == "SPY"


@pytest.mark.parametrize("name", [b"arrow.py_extension_type", b"strangers.own", b"arrow.json"])
def test_F184_a_named_extension_type_is_never_made(tmp_path, name):
    class Bomb:
        def __reduce__(self):
            return sys.exit, (3,)

    marks = {b"ARROW:extension:name": name, b"ARROW:extension:metadata": pickle.dumps(Bomb())}
    schema = pa.schema([("date", pa.timestamp("us")), pa.field("SPY", pa.float64(), metadata=marks)])
    pq.write_table(
        pa.table([[pd.Timestamp("2020-01-01")], [1.0]], schema=schema), tmp_path / "prices.parquet"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyarrow may say that it does not load the type either
        refusal("parquet", tmp_path / "prices.parquet")


def test_F184_what_pandas_noted_in_the_file_is_not_believed(tmp_path):
    column = {"pandas_type": "object", "numpy_type": "object", "name": "SPY", "field_name": "SPY"}
    notes = json.dumps({"index_columns": ["__import__('os')"], "columns": [column], "column_indexes": []})
    table = pa.table({"date": [pd.Timestamp("2020-01-01")], "SPY": [1.0]})
    pq.write_table(table.replace_schema_metadata({b"pandas": notes}), tmp_path / "p.parquet")
    assert read_prices(tmp_path / "p.parquet")["SPY"].dtype == np.float64


# A damaged histogram of sizes, found by benchmarks.fuzz: pyarrow 26.0.1 reads it with an error, but ends the
# process when it is asked for FileMetaData.row_group(0).column(1).
ENDS_THE_PROCESS = (
    "c-rk(O=ufO6dudAqBx;-Ojbx#P$3$jw2rfqB{fPzqm^u}SCte?jwP+q)Y(5vYwxa9?ds32!RaA{5=to)LTl0-dda1fLLirv<WNXM"
    "D9yE{G^ZX)4keTl0)fu#u4T(VrJ<Knve<ra-kbTpZ{Ey2l4&C6#|E%l7VHa43iDxL1OVUlqfgye(*xiSD~LY1ZToBxfUEa^aUlz?"
    "J;jkdxBAi~vbPEm8d>+zf{g5{wQ(NV2S0!O39`}aUtPQO{Z0Pi{Wpew9q~Q+ZSsY++ni_Z^7-&u?epXsdGnpMmw&3S{rUL9+922m"
    "+%}u#{Z%(I%4&FZ|Bb^J!k7CnE9S+#ZzFy1cNhu=BQA#xoHLd|&(vuLz8#_m4nX0)zQH~2i^K;J-?eW)UB>V31pwj<W1bXd+1R#?"
    "0Ot4jBxD`JhPJbs=?zb3-4-=j`+UGC@Rh#a0*5SMzyiSUCqWe0h7USiZqF-T->aizxIYjzK*pmZz`gIzo<Khxee)yd9m}Kh_oDWX"
    "UgWJ`ufF%%chN<lx+?v<RmX%__rU6g&dt%?tK&?CfWxYC6+vb&D-0a6I0kq|6Am3rT^ezX>g%x~810{#rcIAbO#r*k>2jX%0vE&x"
    "0qd~SScdJl`|KYM*dO(K?^(RIXFEaXDB2ii0r1Z-G$#&QonGLB3J}kb$%BOGG~e{uf9Uhx81O#nf3`FGhdgkb>)Ux~@m}2Hy*v19"
    "HQ$}b{^MS|&ug=PX@ip-)*7SmjOw^Dxa<)XUTDv8RjDB>s^_@-%(7<@#-Qh^GfG+TjJiDvBMUH~G$aX*RE?=?aER-EwFcdQ;S0$3"
    "ubhPg18`197fjq<n0Zl<__^Mgp=(a-)KJjVP(-fE8xk6Ft<z1YS{(&tL1W-0U|?w3BPejLsFYED_H^RNG0(~-CA|_n=<0a3is(kS"
    "$UtFDly}gvo(TufG}N<OB%wX6jJh{S;XT^UX$H4Y&P!EB3kSC|Zc6+e6}(E@sm$QNrTYIiouTJV=Xuk4-gN$pO$Sn;x-yzp7uklU"
    "pYHMss&rjov}#>H4M}9{Oud6}Y8|FtueK0QQ>d$ARYB1}cnlx&dsa3CZAy-h`B4ry_7l0>slsuiUpOA@J&L|CF+mVSmN34z2qH+t"
    "%0z-7%0#@Z$6~Rbd<)shZa$NZ8{>5pJx?JU(=D15SCNUKOfm@P$6lvosZk>H!D1lOWT)~PtE9zKVvH3!$vRUAEm8~BGNmLdtjtT4"
    "*eX+UsKORz(VPZfXsf9>A#&rn3a4aYjA)tTCKso|)C9FYmW**CQk+2;CYKbcv2sol$ovxGDU7QkD<`zl44g}b{4Cj0sd!Rm3VF4Z"
    "h&1SeUqbU(C9kq^h@-@yF39bV;6gDb8CvrVrjTit$XO9_!?_waCC&3wQcK5;Cztps%E%S+I9<q9cybc$2i79rpaYRbxNk+rlJc`T"
    "5f4&|zgPE0jk=mB8Q~b5C0UYKGB@AdOFX$q7js7acG9e`&EpKhGHUE+i?L8~JQw0fRBMPyCh$@*SA(?=WD=U6^W!`1K|hmusI^C%"
    "l*txms2yv$Dc7RmdDF$r=32=t8L99SG`_1Yx!t6T*+3?)V`xxg1!<+bXV{LU;;6Rk_l6L2cze>oE7eMc_F^%xLvF`9l~gv6z%vWk"
    "-OhH4UcbbX2~_(^_ufqTd9)VBa88y)9-a%=forF<h#ntLN-)>tL==Pfk(5MEPILqVza<nB9Zrsn8yZUzr(|kuAgF6kFVKy2JlLib"
    "ytkfmzQYBiCW|oR)KY3;vXP!iM&K(X(NpBe1bl;uCFr6aK(NHRXS`>18ukbDoU>{DWhXWsx$&XgB%jU^aRIdw^w5dS0`!id#DoqK"
    "%XaaMFO7nyXA_G=yJ_N=At;;|*L87*gxID<*{TjQwS`~rC!~J=p+lSNX){X^z~Qbj^>-VBc7&_dj_8fkZ8k=?(K4MUTmTq9U>g3L"
    "Y8w6@|1Z*zInw"
)


def test_F183_a_file_that_ends_the_process_of_pyarrow_is_refused(tmp_path):
    path = tmp_path / "prices.parquet"
    path.write_bytes(zlib.decompress(base64.b85decode(ENDS_THE_PROCESS)))
    call = f"    al.read_prices({str(path)!r})"
    code = f"import allocator as al\ntry:\n{call}\nexcept al.InputError:\n    print('refused')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) in ((0, "refused\n"), (0, "")), done.stderr


@pytest.mark.parametrize("suffix", [".pkl", ".PICKLE", ".joblib", ".dill", ".npy", ".npz"])
@pytest.mark.parametrize("reader", [name for name in READERS if name != "sweep"])
def test_F185_pickles_are_never_opened(tmp_path, reader, suffix, monkeypatch):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(pickle.dumps([1]))
    monkeypatch.setattr(os, "open", None)  # calling it would be an error of another kind
    refusal(reader, path, "can run code and is never opened")


@readers
def test_F185_a_pickle_under_an_honest_name(tmp_path, reader):
    refusal(reader, put(tmp_path, reader, pickle.dumps([1.0])))


JSON = {
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "overflow": b'{"a": 1e999}',
    "twins": b'{"a": 1, "a": 2}',
    "twins inside": b'{"a": [{"b": 1, "b": 2}]}',
    "depth 30": b"[" * 30 + b"]" * 30,
    **{f"depth {n}": b'{"a":' * n + b"1" + b"}" * n for n in (900, 960, 980, 990, 995, 1000, 100_000)},
    "million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "five thousand digits": b'{"a": -' + b"9" * 5_000 + b"}",
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1} // b',
    "two documents": b"{}{}",
    "bare control": b'{"a": "\x1b[31m"}',
    "conflict": b'<<<<<<< HEAD\n{"a": 1}\n=======\n',
    "unknown schema": b'{"schema": "allocator-baseline-9", "format": "allocator paper manifest"}',
    "a number": b"3",
    "null": b"null",
}


@pytest.mark.parametrize("kind", JSON)
@pytest.mark.parametrize("reader", ["manifest", "baseline", "sweep"])
def test_F186_json_that_is_none_or_means_two_things(tmp_path, reader, kind):
    refusal(reader, put(tmp_path, reader, JSON[kind]))


def test_F186_half_a_surrogate_pair_is_printed_escaped(tmp_path):
    twisted = dict(MANIFEST, parameters={"\ud800": 1, "deep": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]})
    error = refusal("manifest", put(tmp_path, "manifest", json.dumps(twisted).encode()))
    str(error).encode("utf-8")
    with pytest.raises(InputError) as caught:
        read_manifest(put(tmp_path, "manifest", json.dumps(dict(MANIFEST, **{"\ud800\x1b[2J": 1})).encode()))
    str(caught.value).encode("utf-8")
    assert "\x1b" not in str(caught.value)


def test_F186_a_whole_number_that_no_float_holds(tmp_path):
    table = {"columns": ["a"], "rows": [[10**350]]}
    path = put(tmp_path, "manifest", json.dumps(dict(MANIFEST, results={"t": table})).encode())
    refusal("manifest", path, "manifest.results.t.rows[0]")


SPECIAL = [0.0, -0.0, 5e-324, -2.2250738585072014e-308, sys.float_info.max, 0.1 + 0.2, 1e30, 1 / 3, 1e-300]
FLOATS = st.one_of(st.sampled_from(SPECIAL), st.floats(allow_nan=False, allow_infinity=False))
CELLS = st.one_of(
    st.none(), FLOATS, st.sampled_from([10**30, -(2**63), 2**53 + 1]), st.integers(), st.text(max_size=8)
)


@in_one_folder
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=4))
def test_F187_a_manifest_comes_back_bit_for_bit(tmp_path, rows):
    written = dict(MANIFEST, results={"t": {"columns": ["a", "b"], "rows": rows}})
    try:
        path = put(tmp_path, "manifest", manifest_bytes(written))
    except UnicodeEncodeError:
        return
    read = read_manifest(path)
    if not any(isinstance(cell, str) for row in rows for cell in row):  # half characters become '?'
        assert repr(read["results"]) == repr(written["results"])  # repr tells -0.0 from 0.0


@in_one_folder
@given(number=FLOATS.filter(lambda x: abs(x) <= 1e300), weight=FLOATS.filter(lambda x: abs(x) <= 1e300))
def test_F187_a_baseline_comes_back_bit_for_bit(tmp_path, number, weight):
    from dataclasses import replace

    written = replace(
        BASELINE,
        metrics={"sharpe": number, "n": 10**30},
        yearly_returns={"2020": weight},
        weights=dict.fromkeys(BASELINE.weights, (weight,)),
        assets=BASELINE.assets[:1],
    )
    read = read_baseline(put(tmp_path, "baseline", baseline_text(written).encode("utf-8")))
    assert repr(read) == repr(written)


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_F188_yaml_is_refused_and_toml_named(tmp_path, suffix):
    path = tmp_path / f"study{suffix}"
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(InputError, match="YAML is not read: write studies in TOML"):
        read_study(path)
    refusal("study", put(tmp_path, "study", path.read_bytes()), "is not TOML")


@pytest.mark.parametrize(
    "line",
    [
        'mix = "0.6*SPY"',
        'mix = { stocks = "0.6*1" }',
        "mix = { stocks = \"__import__('os').system('true')\" }",
    ],
)
def test_F189_expressions_are_not_evaluated(tmp_path, line):
    text = STUDY.decode().replace('"SixtyForty"', '"FixedMix"') + line + "\n"
    with pytest.raises(AllocatorError, match=r"strategies\[0\]|Fixed mix"):
        al.reproduce(put(tmp_path, "study", text.encode()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_F189_expressions_in_other_places(tmp_path):
    text = STUDY.decode()
    for before, after in (("seed = 0", 'seed = "1+1"'), ('"SixtyForty"', '"SixtyForty()"')):
        refusal("study", put(tmp_path, "study", text.replace(before, after).encode()))
    refusal("study", put(tmp_path, "study", (text + 'stock_weight = "3/5"').encode()))


# --- TOML ---

BOMBS = {
    "a dotted key": ".".join("a" * 50_000) + " = 1",
    "a spaced dotted key": " . ".join("a" * 30_000) + " = 1",
    "a quoted dotted key": ".".join(['"a"'] * 30_000) + " = 1",
    "single quotes": ".".join(["'a'"] * 30_000) + " = 1",
    "long quoted parts": ".".join(['"' + "a" * 190 + '"'] * 1_200) + " = 1",
    "a dotted header": "[" + ".".join("a" * 50_000) + "]",
    "keys inside": "x = { " + ".".join("a" * 50_000) + " = 1 }",
    "arrays": "a = " + "[" * 100_000,
    "tables": "a = " + "{a=" * 60_000,
    "a digit a byte": "a = " + "9" * 200_000,
    "hexadecimal digits": "a = 0x" + "f" * 200_000,
    "exponent": "a = 1e" + "9" * 4_000,
    "many keys": "\n".join(f"k{j} = 1" for j in range(20_000)),
    "many tables": "[[t]]\n" * 40_000,
    "quotes": "a = " + '"\\"' * 60_000,
    "a long key": "k" * 200_000 + " = 1",
    "escapes": 'a = "' + "\\u0041" * 30_000 + '"',
    "twins": "title = 'a'\ntitle = 'b'",
    "a time": "title = 12:00:00",
    "a date of year 0": "title = 0000-01-01",
    "half a surrogate pair": 'title = "\\ud800"',
}


@pytest.mark.parametrize("kind", BOMBS)
def test_F188_toml_that_never_ends_is_refused_at_once(tmp_path, kind):
    start = time.process_time()
    refusal("study", put(tmp_path, "study", BOMBS[kind].encode()))
    assert time.process_time() - start < 5.0  # a dotted key of 50,000 parts takes tomllib two minutes


def test_a_note_may_have_dots(tmp_path):
    text = (
        b'note = """See ............................ and v1.2.3.4.5, a.b.c\n' + b". " * 200 + b'"""\n' + STUDY
    )
    assert read_study(put(tmp_path, "study", text)).title == "t"


def test_a_study_s_refusals_name_the_file(tmp_path):
    refusal("study", put(tmp_path, "study", STUDY.replace(b"seed = 0", b"seed = -1")), "seed: is -1", "(in '")


# --- sweep, cache, Yahoo, tables of other libraries ---


@pytest.mark.parametrize(
    "line",
    [
        b'{"block": 0, "rows": [["1", 2], [3, 4]]}',
        b'{"block": 0, "rows": [[true, 2], [3, 4]]}',
        b'{"block": 0, "rows": [[NaN, 2], [3, 4]]}',
        b'{"block": 0, "rows": [[1' + b"0" * 400 + b", 2], [3, 4]]}",
        b'{"block": true, "rows": [[1, 2], [3, 4]]}',
        b'{"block": -1, "rows": [[1, 2], [3, 4]]}',
        b'{"block": 1e0, "rows": [[1, 2], [3, 4]]}',
        b'{"block": 0, "rows": ' + b"[" * 100_000,
        b'{"block": 0, "rows": [[1, 2], [3]]}',
        b'{"block": 0, "rows": 3}',
        b" " * 1_000_000,
        b"\0" * 1_000_000,
    ],
)
def test_F186_lines_of_a_sweep_that_are_none(tmp_path, line):
    head = SWEEP.splitlines(keepends=True)[0]
    whole = sealed(line[1:] + b"\n", head)  # by somebody who can count
    refusal("sweep", put(tmp_path, "sweep", head + whole), "is damaged on line 2")
    refusal("sweep", put(tmp_path, "sweep", head + line + b"\n"), "is damaged on line 2")


def entry(header, body=b"body"):
    content = header + b"\n" + body
    return b"allocator-cache 1 %s\n" % hashlib.sha256(content).hexdigest().encode() + content


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b"[]",
        b"3",
        b'{"fetched": 3, "key": {}, "bytes": 4}',
        b'{"fetched": "0001-01-01T00:00:00", "key": {}, "bytes": 4}',
        b'{"fetched": "2020-01-01T00:00:00+00:00", "key": {"source": "other"}, "bytes": 4}',
        b'{"fetched": "2020-01-01T00:00:00+00:00", "bytes": 5, "key": {"source": "fred", "series": "DGS10"}}',
        b'{"a": ' * 100_000,
        b"9" * 10_000,
        b"\xff",
    ],
)
def test_F194_an_entry_with_a_sound_checksum_and_a_hostile_header(tmp_path, header):
    cache = Cache(tmp_path)
    cache.path(KEY).write_bytes(entry(header))
    with pytest.warns(UserWarning, match="is not used"):
        assert cache.read(KEY) is None


@pytest.mark.parametrize("fetched", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_F194_an_entry_of_the_end_of_time_is_no_fresh_one(tmp_path, fetched):
    downloads = al.Downloads(cache=tmp_path, offline=False, attempts=1, fred_url="http://127.0.0.1:9/none")
    key = {"source": "fred", "series": "DGS10", "url": f"{downloads.fred_url}?id=DGS10", "format": "csv"}
    header = json.dumps({"fetched": fetched, "key": key, "bytes": 4})
    Cache(tmp_path).path(key).write_bytes(entry(header.encode()))
    with pytest.raises(DownloadError):
        al.read_fred(["DGS10"], downloads=downloads)


def frame(closes, index=None):
    index = pd.DatetimeIndex(["2020-01-01", "2020-01-02"]) if index is None else index
    return pd.DataFrame(closes, index)


@pytest.mark.parametrize(
    "answer",
    [
        frame({"Close": ["1", "x"]}),
        frame({"Close": [object(), None]}),
        pd.DataFrame([[1.0, 2.0], [1.0, 2.0]], frame({}).index, ["Close", "Close"]),
        pd.DataFrame([[1.0, 2.0]] * 2, frame({}).index, pd.MultiIndex.from_product([["Close"], ["A", "B"]])),
        frame({"Close": [1.0, 2.0]}, pd.DatetimeIndex(["2020-01-01", pd.NaT])),
        frame({"Close": [math.nan, math.nan]}),
        frame({"Close": pd.to_datetime(["2020-01-01", "2020-01-02"])}),
    ],
    ids=["texts", "objects", "twice", "two levels", "no date", "no close", "dates"],
)
def test_F017_frames_of_yahoo_that_hold_no_closes(answer):
    with pytest.raises(DownloadError, match="Yahoo SPY: answers with"):
        _sessions("Yahoo SPY", answer)


def test_F020_nullable_closes_are_read():
    closes = pd.array([1.0, None], dtype="Float64")
    assert math.isnan(_sessions("Yahoo SPY", frame({"Close": closes})).iloc[1])


DAYS = pa.array([0, 1], pa.date32())


@pytest.mark.parametrize(
    "table",
    [
        pa.Table.from_arrays([DAYS, pa.array([1.0, 2.0]), pa.array([1.0, 2.0])], ["date", "a", "a"]),
        pa.table({"date": DAYS, "a": pa.array([[1.0], [2.0]])}),
        pa.table({"date": DAYS, "a": pa.array([1.0, 2.0]).dictionary_encode()}),
        pa.table({"date": pa.array([2**31 - 1, 0], pa.date32()), "a": [1.0, 2.0]}),
        pa.table({"date": pa.array([2**62, 0], pa.timestamp("s")), "a": [1.0, 2.0]}),
        pa.record_batch({"date": DAYS, "a": [1.0, 2.0]}),
    ],
    ids=["twice", "nested", "dictionary", "year 5 million", "beyond all years", "batch"],
)
def test_F018_tables_of_other_libraries_that_hold_no_prices(table):
    pytest.importorskip("narwhals")
    with pytest.raises(InputError):
        read_frame(table)


def test_a_table_that_raises_when_it_is_asked_is_refused():
    pytest.importorskip("narwhals")

    class Evil:
        def __dataframe__(self, *_, **__):
            raise RuntimeError("boo")

    with pytest.raises(InputError, match="boo"):
        read_frame(Evil())


def test_every_refusal_here_is_one_of_ours():
    assert issubclass(InputError, AllocatorError)
    assert files._MOST_BYTES == 2**28
