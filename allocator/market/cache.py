"""What was downloaded, on disk: each answer whole, under a checksum, written at once or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import secrets
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from allocator.errors import InputError

__all__ = ["Cache", "Entry", "default_directory", "write_whole"]

_SCHEMA = 1  # of an entry; part of its name, so that an entry of another version is not found
_MAGIC = b"allocator-cache"
_MOST_BYTES = 2**28
_ABANDONED_SECONDS = 86400.0  # a temporary file this old belongs to nobody


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
        try:
            with path.open("rb") as file:
                return _unpacked(file.read(_MOST_BYTES), key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            text = f"the cached {path.name} in {str(path.parent)!r} is not used: {error}"
            warnings.warn(text, UserWarning, stacklevel=2)
            return None

    def write(self, key: Mapping[str, str], body: bytes) -> None:
        """Keep an answer; the last of several writers wins, and a reader sees one of them whole."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            _clear_abandoned(self.directory)
        except OSError as error:
            raise _unwritable(self.directory, error) from None
        write_whole(self.path(key), _packed(key, body), "cache")


def write_whole(path: Path, content: bytes, argument: str) -> None:
    """Write a file so that nobody, not even after a crash, sees half of it.

    Raises
    ------
    InputError
        If it cannot be written, under the name of the argument that says where.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise _unwritable(path, error, argument) from None
    finally:
        beside.unlink(missing_ok=True)  # gone already, unless something or somebody stopped us


def _unwritable(path: Path, error: OSError, argument: str = "cache") -> InputError:
    fixes = {"cache": "choose another folder: Downloads(cache=...) or the variable ALLOCATOR_CACHE"}
    problem = f"cannot write {str(path)!r} ({(error.strerror or str(error)).lower()})"
    return InputError(argument, problem, fix=fixes.get(argument, "choose another folder"))


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
        facts: Any = json.loads(header)
        fetched = dt.datetime.fromisoformat(facts["fetched"])
        is_asked = facts["key"] == dict(key) and facts["bytes"] == len(body)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("its header is not one of ours") from error
    if not is_asked or fetched.tzinfo is None:
        raise ValueError("it answers another question")
    return Entry(body, fetched)


def _clear_abandoned(directory: Path) -> None:
    """Remove temporary files of writers that were killed."""
    for path in directory.glob(".*.entry.*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
        except OSError:
            continue  # another one was faster
