"""Files that a stranger may have written: opened only if they are files, and never read beyond a limit.

Every reader of the library gets its bytes here, so that no FIFO, device, address or pickle is opened by any
of them, and every JSON file is held to the same rules.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from allocator.errors import InputError

__all__ = ["local_path", "read_bytes", "reason", "strict_json"]

_PICKLES = "it can run code and is never opened: write it as CSV or Parquet"
_PACKED = "nothing is unpacked on the way: unpack it first"
_NEVER = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".dill", ".npy", ".npz"), _PICKLES),
    **dict.fromkeys((".gz", ".tgz", ".zip", ".bz2", ".xz", ".zst", ".7z"), _PACKED),
    **dict.fromkeys((".yaml", ".yml"), "YAML is not read: write studies in TOML"),
}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:/")  # one letter is a drive of Windows
# Opening does not wait for a writer, nor for a terminal, even if the path changed since it was looked at.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)
_DEEPEST = 20
_MOST_DIGITS = 400  # of a whole number: floats end at 309


def local_path(path: Any, argument: str) -> Path:
    """Return what names a file on this machine; refuse an address, and a kind that is never opened."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        problem = f"expected a path, got {type(path).__name__}"
        raise InputError(argument, problem, fix="pass the name of a file")
    text = os.fspath(path)
    if _ADDRESS.match(text):
        fix = "download it first and name the file"
        raise InputError(argument, f"{text!r} is an address, not a path", fix=fix)
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in _NEVER:
        problem = f"{text!r}: the suffix {suffix!r} is not one that is read"
        raise InputError(argument, problem, fix=_NEVER[suffix])
    return file


def read_bytes(path: Any, argument: str, most: int, *, may_be_empty: bool = False) -> bytes:
    """Return the bytes of a regular file of at most so many; no more are ever read.

    Raises
    ------
    InputError
        Not there, a directory, no regular file, empty, too big, or changed while it was read; names the path.
    """
    file = local_path(path, argument)
    try:
        _check(file, argument, os.stat(file), most, may_be_empty)  # opening a device can itself do something
        with os.fdopen(os.open(file, _FLAGS), "rb") as opened:
            before = os.fstat(opened.fileno())
            _check(file, argument, before, most, may_be_empty)
            found = opened.read(before.st_size + 1)
            after = os.fstat(opened.fileno())
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        problem = f"{str(file)!r} cannot be opened ({reason(error)})"
        raise InputError(argument, problem, fix="check the path and its permissions") from None
    if len(found) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise InputError(argument, f"{str(file)!r} changed while it was read", fix="read it again")
    return found


def _check(file: Path, argument: str, facts: os.stat_result, most: int, may_be_empty: bool) -> None:
    name = repr(str(file))
    if stat.S_ISDIR(facts.st_mode):
        raise InputError(argument, f"{name} is a directory", fix="name the file in it")
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(argument, f"{name} is not a regular file", fix="copy what it holds to a file")
    if not facts.st_size and not may_be_empty:
        raise InputError(argument, f"{name} is empty", fix="check how it was written")
    if facts.st_size > most:
        problem = f"{name} has {facts.st_size:,} bytes, more than {most:,}"
        raise InputError(argument, problem, fix="keep only what is needed, or check what it is")


def reason(error: Exception) -> str:
    """Return the first line of what another library says, without its class."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    line = str(text).splitlines()[0][:200]
    return line[:1].lower() + line[1:]


# --- JSON ---


def strict_json(data: bytes) -> Any:
    """Return what JSON says, refusing what is no JSON or would not be what it seems.

    That is NaN and Infinity, a number beyond the largest float or of more than 400 digits, a key twice in an
    object, and nesting of more than 20. Half a surrogate pair is a text that UTF-8 holds only as an
    escape; it is read as it is.

    Raises
    ------
    ValueError
        Says what and, of what is no JSON, where: the rest of a sentence that begins with the file's name.
    """
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
        _check_depth(found)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"is no UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        conflict = " (it has the marks of a merge conflict)" if b"<<<<<<<" in data else ""
        raise ValueError(f"is no JSON: {error}{conflict}") from None
    return found


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level:
        depth += 1
        inner = (_items(each) for each in level)
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if depth > _DEEPEST:
            raise RecursionError


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twin = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"has the key {_short(twin)} twice")
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"has {text}, which is no JSON")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"has {_short(text)}, which is no finite number")
    return value


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"has a whole number of {len(text):,} digits")
    return int(text)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
