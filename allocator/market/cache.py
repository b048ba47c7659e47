"""What was downloaded, on disk: each answer whole, under a checksum, written at once or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from allocator.disk import make_folder, write_whole
from allocator.untrusted import read_bytes, strict_json

__all__ = ["Cache", "Entry", "default_directory"]

_SCHEMA = 1  # of an entry; part of its name, so that an entry of another version is not found
_MAGIC = b"allocator-cache"
_MOST_BYTES = 2**28
_FIX = "choose another folder: Downloads(cache=...) or the variable ALLOCATOR_CACHE"


def default_directory() -> Path:
    """Return where downloads are kept: ALLOCATOR_CACHE, else the system's folder for caches."""
    chosen = os.environ.get("ALLOCATOR_CACHE", "")
    if chosen:
        return Path(chosen).expanduser()
    name = "allocator-backtest"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / name
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / name / "Cache"
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (
        given if given.is_absolute() else Path.home() / ".cache"
    ) / name  # a relative one is to be ignored


@final
@dataclass(frozen=True)
class Entry:
    """What was downloaded, and when (UTC)."""

    body: bytes
    fetched: dt.datetime


@final
@dataclass(frozen=True)
class Cache:
    """A folder of downloads; a file each, named after what was asked and a hash of all of it.

    A file is a line with the SHA-256 of all that follows, a line of JSON with the whole key, the time and
    the length, and the answer as it came.
    """

    directory: Path

    def path(self, key: Mapping[str, str]) -> Path:
        """Return the file of a key."""
        whole = hashlib.sha256(_canonical(key)).hexdigest()[:24]
        label = re.sub(r"[^A-Za-z0-9]+", "-", "-".join(list(key.values())[:2]))[:40]
        return self.directory / f"{label}-{whole}.v{_SCHEMA}.entry"

    def read(self, key: Mapping[str, str]) -> Entry | None:
        """Return the entry of a key; None without one, and with a warning where it is damaged."""
        path = self.path(key)
        if not os.path.lexists(path):
            return None
        try:
            _refuse_symlink(path)
            return _unpacked(read_bytes(path, "cache", _MOST_BYTES), key)
        except (OSError, ValueError) as error:
            text = f"the cached {path.name} in {str(path.parent)!r} is not used: {error}"
            warnings.warn(text, UserWarning, stacklevel=2)
            return None

    def write(self, key: Mapping[str, str], body: bytes) -> None:
        """Keep an answer; the last of several writers wins, and a reader sees one of them whole."""
        make_folder(self.directory, "cache", _FIX)
        write_whole(self.path(key), _packed(key, body), "cache", _FIX)


def _refuse_symlink(path: Path) -> None:
    if path.is_symlink():
        raise ValueError("it is a symbolic link, which we never write")


def _canonical(key: Mapping[str, str]) -> bytes:
    return json.dumps({"schema": str(_SCHEMA), **key}, sort_keys=True).encode()


def _packed(key: Mapping[str, str], body: bytes) -> bytes:
    facts = {"key": dict(key), "fetched": dt.datetime.now(dt.UTC).isoformat(), "bytes": len(body)}
    content = json.dumps(facts, sort_keys=True).encode() + b"\n" + body
    return b"%s %d %s\n" % (_MAGIC, _SCHEMA, hashlib.sha256(content).hexdigest().encode()) + content


def _unpacked(content: bytes, key: Mapping[str, str]) -> Entry:
    """Return the entry, or raise ValueError: cut short, changed, or of another key."""
    first, _, rest = content.partition(b"\n")
    expected = b"%s %d %s" % (_MAGIC, _SCHEMA, hashlib.sha256(rest).hexdigest().encode())
    if first != expected:
        raise ValueError("its checksum does not fit what it holds")
    header, _, body = rest.partition(b"\n")
    try:
        facts: Any = strict_json(header)
        fetched = dt.datetime.fromisoformat(facts["fetched"])
        is_asked = facts["key"] == dict(key) and facts["bytes"] == len(body)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("its header is not one of ours") from error
    if not is_asked or fetched.tzinfo is None:
        raise ValueError("it answers another question")
    return Entry(body, fetched)
