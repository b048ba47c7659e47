"""The cache of downloads: an entry comes back as it was written, or not at all."""

import datetime as dt
import hashlib
import json
import os
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.disk import write_whole
from allocator.errors import InputError
from allocator.market import cache as cache_module
from allocator.market.cache import Cache, default_directory

KEY = {"source": "fred", "series": "DGS10", "url": "https://x/y?id=DGS10", "format": "csv"}
in_one_folder = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@in_one_folder
@given(st.binary(max_size=300))
def test_what_is_written_is_read(tmp_path, body):
    cache = Cache(tmp_path)
    before = dt.datetime.now(dt.UTC)
    cache.write(KEY, body)
    entry = cache.read(KEY)
    assert entry.body == body
    assert before <= entry.fetched <= dt.datetime.now(dt.UTC)


@in_one_folder
@given(st.data())
def test_F194_any_flipped_bit_is_noticed(tmp_path, data):
    cache = Cache(tmp_path)
    cache.write(KEY, b"observation_date,DGS10\n2024-12-31,4.58\n")
    path = cache.path(KEY)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="is not used: its checksum does not fit"):
        assert cache.read(KEY) is None


@in_one_folder
@given(st.data())
def test_F194_any_truncation_is_noticed(tmp_path, data):
    cache = Cache(tmp_path)
    cache.write(KEY, b"observation_date,DGS10\n2024-12-31,4.58\n")
    path = cache.path(KEY)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.warns(UserWarning, match="is not used"):
        assert cache.read(KEY) is None


def test_F195_another_version_is_not_found(tmp_path, monkeypatch):
    Cache(tmp_path).write(KEY, b"old")
    monkeypatch.setattr(cache_module, "_SCHEMA", 2)
    assert Cache(tmp_path).read(KEY) is None


@pytest.mark.parametrize("part", KEY)
def test_F196_every_part_of_the_key_counts(tmp_path, part):
    cache = Cache(tmp_path)
    cache.write(KEY, b"one")
    assert cache.read(KEY | {part: "other"}) is None


def test_F196_an_entry_under_the_name_of_another_is_not_used(tmp_path):
    cache, other = Cache(tmp_path), KEY | {"series": "DGS2"}
    cache.write(KEY, b"one")
    cache.path(KEY).rename(cache.path(other))
    with pytest.warns(UserWarning, match="another question"):
        assert cache.read(other) is None


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}",
        b"not json",
        b"\xff",
        b"[" * 100_000,
        b'{"key": {}, "bytes": 1, "fetched": 3}',
        b'{"key": {}, "bytes": 1, "fetched": "2024-01-01T00:00:00+00:00"}',
        b'{"key": %s, "bytes": 1, "fetched": "2024-01-01"}' % json.dumps(KEY).encode(),
    ],
)
def test_an_entry_made_up_with_a_fitting_checksum_is_not_used(tmp_path, header):
    content = header + b"\nx"
    digest = hashlib.sha256(content).hexdigest().encode()
    cache = Cache(tmp_path)
    cache.path(KEY).write_bytes(b"allocator-cache 1 " + digest + b"\n" + content)
    with pytest.warns(UserWarning, match="is not used"):
        assert cache.read(KEY) is None


def test_F192_a_hostile_name_stays_in_the_folder(tmp_path):
    cache = Cache(tmp_path / "cache")
    key = KEY | {"series": "../../x\0/" + "y" * 300}
    cache.write(key, b"one")
    assert cache.path(key).parent == tmp_path / "cache"
    assert cache.read(key).body == b"one"


def test_F197_F198_readers_of_many_writers_see_one_of_them_whole(tmp_path):
    cache = Cache(tmp_path)
    bodies = [bytes([65 + k]) * 40_000 for k in range(4)]
    cache.write(KEY, bodies[0])
    until = time.monotonic() + 0.5

    def write(body):
        while time.monotonic() < until:
            cache.write(KEY, body)

    writers = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for writer in writers:
        writer.start()
    seen = set()
    while time.monotonic() < until:
        seen.add(cache.read(KEY).body)  # a half-written one would warn, which is an error here
    for writer in writers:
        writer.join()
    assert seen <= set(bodies)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".entry"]


@pytest.mark.parametrize("stop", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_F199_a_write_that_is_stopped_leaves_what_was_there(tmp_path, monkeypatch, stop):
    path = tmp_path / "table.csv"
    write_whole(path, b"old", "out")

    def fail(_):
        raise stop

    monkeypatch.setattr(os, "fsync", fail)
    expected = InputError if isinstance(stop, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match="no space left" if expected is InputError else None):
        write_whole(path, b"new", "out")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_F199_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cache: cannot write '.*file/cache'.*ALLOCATOR_CACHE"):
        Cache(tmp_path / "file" / "cache").write(KEY, b"")


def test_F200_temporary_files_of_the_dead_are_cleared_and_of_the_living_kept(tmp_path):
    cache = Cache(tmp_path)
    dead, living = (tmp_path / f".allocator-{16 * letter}.part" for letter in "ab")
    for path in (dead, living):
        path.write_bytes(b"half")
    os.utime(dead, (0, 0))
    assert cache.read(KEY) is None
    cache.write(KEY, b"whole")
    assert not dead.exists()
    assert living.exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ALLOCATOR_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/allocator-backtest"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/allocator-backtest"),
        ({"HOME": "/h"}, "/h/.cache/allocator-backtest"),
    ],
)
def test_where_the_cache_is(monkeypatch, given, expected):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("ALLOCATOR_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert str(default_directory()) == expected
