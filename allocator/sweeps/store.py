"""A file from which an interrupted sweep goes on: JSON Lines, a header and then a line a finished block.

A line is on the disk before the block counts as done, so that what is lost is the blocks under way. A last
line without an end was cut off while it was written, and is dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError

__all__ = ["Writer", "open_store", "read_store"]

Array = NDArray[np.float64]
_FORMAT = "allocator sweep"
_VERSION = 1


def read_store(path: Path, parts: Mapping[str, str], sizes: list[int], n_columns: int) -> dict[int, Array]:
    """Return the finished blocks of a file by number, and cut off what was not finished; none without a file.

    Parameters
    ----------
    path
        The file.
    parts
        Digests of all that went in, by name.
    sizes
        Runs of each block.
    n_columns
        Numbers a run.

    Raises
    ------
    InputError
        If it is no such file, or of another sweep: names what differs.
    """
    if not path.exists():
        if not path.parent.is_dir():
            raise InputError("file", f"there is no directory {path.parent}")
        return {}
    if not path.is_file():
        raise InputError("file", f"{path} is not a regular file", fix="name a file of its own")
    if not path.stat().st_size:
        return {}
    done: dict[int, Array] = {}
    with path.open("rb") as file:
        _check_header(path, file.readline(), parts)
        end = file.tell()
        for number, line in enumerate(file, start=2):
            if not line.endswith(b"\n"):
                break
            block, rows = _block(path, number, line, sizes, n_columns)
            done[block] = rows
            end += len(line)
    if end < path.stat().st_size:
        os.truncate(path, end)
    return done


def _check_header(path: Path, line: bytes, parts: Mapping[str, str]) -> None:
    try:
        header = json.loads(line)
        is_ours = header["format"] == _FORMAT
        version, theirs = header["version"], dict(header["parts"])
    except (ValueError, TypeError, KeyError):
        is_ours = False
    if not is_ours:
        raise InputError("file", f"{path} is no file of a sweep", fix="name another file")
    if version != _VERSION:
        raise InputError(
            "file", f"{path} has format version {version}, not {_VERSION}", fix="name another file"
        )
    different = [name for name in parts if theirs.get(name) != parts[name]]
    if different:
        problem = f"{path} is of another sweep: {', '.join(different)} differ"
        raise InputError("file", problem, fix="name another file, or delete this one to begin anew")


def _block(path: Path, number: int, line: bytes, sizes: list[int], n_columns: int) -> tuple[int, Array]:
    try:
        entry = json.loads(line)
        block, rows = entry["block"], np.array(entry["rows"], dtype=np.float64)  # null becomes NaN
        if rows.shape == (sizes[block], n_columns) and block >= 0:
            return block, rows
    except (ValueError, TypeError, KeyError, IndexError):
        pass
    raise InputError("file", f"{path} is damaged on line {number}", fix="delete the file to begin anew")


class Writer:
    """Appends finished blocks to a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, block: int, rows: Array) -> None:
        """Write a block and wait until it is on the disk."""
        numbers = [[None if value != value else value for value in row] for row in rows.tolist()]
        self._file.write(json.dumps({"block": block, "rows": numbers}).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def open_store(path: Path, parts: Mapping[str, str], n_runs: int) -> Iterator[Writer]:
    """Open a file to add blocks to, with its header in place."""
    if not path.exists() or not path.stat().st_size:
        header: dict[str, Any] = {
            "format": _FORMAT,
            "version": _VERSION,
            "runs": n_runs,
            "parts": dict(parts),
        }
        _write_at_once(path, json.dumps(header).encode() + b"\n")
    with path.open("ab") as file:
        yield Writer(file)


def _write_at_once(path: Path, content: bytes) -> None:
    """Write a file so that nobody, not even after a crash, sees half of it."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
