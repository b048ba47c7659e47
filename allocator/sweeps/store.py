"""A file from which an interrupted sweep goes on: JSON Lines, a header and then a line a finished block.

A line is on the disk before the block counts as done, so that what is lost is the blocks under way. A last
line without an end was cut off while it was written, and is dropped. Each line has a digest of itself and of
the header, so that a number that was altered, or a line of another sweep, is no plausible result.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.disk import unwritable, write_whole
from allocator.errors import InputError
from allocator.untrusted import reason, strict_json

__all__ = ["Writer", "open_store", "read_store", "sealed"]

Array = NDArray[np.float64]
_FORMAT = "allocator sweep"
_VERSION = 2
_HEADER_BYTES, _CELL_BYTES = 2**16, 30  # what a line takes at most
_DIGEST = '{"sha256": "%s", '  # how a line begins; the digest is of the header and of what follows
_FIX = "make room or name another file; the blocks that are in it stay"


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
    if not os.path.lexists(path):
        if not path.parent.is_dir():
            problem = f"there is no directory {str(path.parent)!r}"
            raise InputError("file", problem, fix="make it, or name another file")
        return {}
    if not path.is_file():
        raise InputError("file", f"{str(path)!r} is not a regular file", fix="name a file of its own")
    if not path.stat().st_size:
        return {}
    longest = _HEADER_BYTES + _CELL_BYTES * n_columns * max(sizes, default=0)
    done: dict[int, Array] = {}
    try:
        with path.open("rb") as file:
            header = file.readline(_HEADER_BYTES)
            _check_header(path, header, parts)
            end = file.tell()
            for number, line in enumerate(iter(partial(file.readline, longest), b""), start=2):
                if not line.endswith(b"\n") and len(line) < longest:
                    break
                block, rows = _block(path, number, line, header, sizes, n_columns)
                done[block] = rows
                end += len(line)
        if end < path.stat().st_size:
            os.truncate(path, end)
    except OSError as error:
        problem = f"{str(path)!r} cannot be read ({reason(error)})"
        raise InputError("file", problem, fix="check its permissions, or name another file") from None
    return done


def _check_header(path: Path, line: bytes, parts: Mapping[str, str]) -> None:
    try:
        header = strict_json(line)
        is_ours = header["format"] == _FORMAT
        version, theirs = header["version"], dict(header["parts"])
    except (ValueError, TypeError, KeyError, RecursionError):
        is_ours = False
    if not is_ours:
        raise InputError("file", f"{str(path)!r} is no file of a sweep", fix="name another file")
    if version != _VERSION:
        problem = f"{str(path)!r} has format version {version!r}, not {_VERSION}"
        raise InputError("file", problem, fix="name another file")
    different = [name for name in parts if theirs.get(name) != parts[name]]
    if different:
        problem = f"{str(path)!r} is of another sweep: {', '.join(different)} differ"
        raise InputError("file", problem, fix="name another file, or delete this one to begin anew")


def _block(
    path: Path, number: int, line: bytes, header: bytes, sizes: list[int], n_columns: int
) -> tuple[int, Array]:
    try:
        is_whole = line == sealed(line[len(_DIGEST % ("0" * 64)) :], header)
        entry = json.loads(line, parse_constant=_infinite)
        block, cells = entry["block"], entry["rows"]
        are_numbers = all(cell is None or type(cell) in (int, float) for row in cells for cell in row)
        rows = np.array(cells, dtype=np.float64)  # null becomes NaN
        if (
            is_whole
            and are_numbers
            and type(block) is int
            and block >= 0
            and rows.shape == (sizes[block], n_columns)
        ):
            return block, rows
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
        pass
    problem = f"{str(path)!r} is damaged on line {number}"
    raise InputError("file", problem, fix="delete the file to begin anew")


def _infinite(text: str) -> float:
    if text == "NaN":
        raise ValueError  # ours is null
    return float(text)


def sealed(rest: bytes, header: bytes) -> bytes:
    """Return a line that begins with the digest of the rest of it and of the header."""
    return (_DIGEST % hashlib.sha256(header + rest).hexdigest()).encode() + rest


class Writer:
    """Appends finished blocks to a file."""

    def __init__(self, path: Path, file: RawIOBase, header: bytes) -> None:
        self._path, self._file, self._header = path, file, header

    def add(self, block: int, rows: Array) -> None:
        """Write a block and wait until it is on the disk."""
        numbers = [[None if value != value else value for value in row] for row in rows.tolist()]
        rest = json.dumps({"block": block, "rows": numbers})[1:].encode() + b"\n"
        try:
            _write_all(self._file, sealed(rest, self._header))
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self._path, error, "file", _FIX) from None


def _write_all(file: RawIOBase, line: bytes) -> None:
    """Write all of a line: the system may take a part of it at a time."""
    while line:
        line = line[file.write(line) or 0 :]


@contextmanager
def open_store(path: Path, parts: Mapping[str, str], n_runs: int) -> Iterator[Writer]:
    """Open a file to add blocks to, with its header in place."""
    content: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "runs": n_runs,
        "parts": dict(parts),
    }
    header = json.dumps(content).encode() + b"\n"
    if not os.path.exists(path) or not path.stat().st_size:  # of a name too long, pathlib raises
        write_whole(path, header, "file", _FIX)
    try:
        with path.open("rb") as there:
            header = there.readline(_HEADER_BYTES)  # of what is there: keys may be in another order
        file = path.open("ab", buffering=0)  # nothing is left to be written when the file is closed
    except OSError as error:
        raise unwritable(path, error, "file", _FIX) from None
    with file:
        yield Writer(path, file, header)
