"""Values of a file that a stranger may have written: each is what it should be, or refused by its place."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from allocator.errors import InputError

__all__ = ["fields_of", "limited_bytes", "nearest", "parse_json", "parse_toml", "plain", "text_of"]

_LONGEST_TEXT = 10_000
_DEEPEST = 12
_MOST = 10_000  # values in one array or table


def limited_bytes(path: Path, argument: str, most: int) -> bytes:
    """Return the bytes of a regular file of at most so many."""
    try:
        if not path.is_file():
            problem = "is not there" if not path.exists() else "is no regular file"
            raise InputError(argument, f"{str(path)!r} {problem}", fix="check the path")
        with path.open("rb") as file:
            found = file.read(most + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(argument, f"{str(path)!r} cannot be read: {error}", fix="check the path") from None
    if len(found) > most:
        raise InputError(argument, f"{str(path)!r} has more than {most:,} bytes", fix="check what it is")
    return found


def parse_toml(data: bytes, argument: str) -> dict[str, Any]:
    """Return the tables of a TOML file as plain values, dates as texts."""
    try:
        found = plain(tomllib.loads(data.decode("utf-8")), argument)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or nested without end
        raise InputError(argument, f"is not TOML: {_short(error)}", fix="mend the file") from None
    assert isinstance(found, dict)  # a TOML document is a table
    return found


def parse_json(data: bytes, argument: str) -> dict[str, Any]:
    """Return the object of a JSON file."""
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(argument, f"is not JSON: {_short(error)}", fix="mend the file") from None
    if not isinstance(found, dict):
        raise InputError(argument, f"holds a {type(found).__name__}, no object", fix="check what it is")
    return found


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def plain(value: Any, where: str, depth: int = 0) -> Any:
    """Return texts, numbers, lists and tables as they are and dates as ISO texts; refuse the rest."""
    if depth > _DEEPEST:
        raise InputError(where, f"is nested more than {_DEEPEST} deep")
    if isinstance(value, dict | list) and len(value) > _MOST:
        raise InputError(where, f"has {len(value):,} values, more than {_MOST:,}")
    if isinstance(value, dict):
        return {text_of(key, where): plain(item, f"{where}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, f"{where}[{j}]", depth + 1) for j, item in enumerate(value)]
    if isinstance(value, str):
        return text_of(value, where)
    if isinstance(value, bool | int):
        return _int(value, where)
    if isinstance(value, float):
        if value - value != 0.0:
            raise InputError(where, f"is {value}", fix="write a finite number")
        return value
    return _date(value, where)


def _int(value: int, where: str) -> int:
    if abs(value) > 2**53:
        raise InputError(where, "is a whole number beyond 2^53")
    return value


def _date(value: Any, where: str) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else ""
    if len(text) != 10:  # a time of day, or with one
        raise InputError(where, f"{text or value!r} is no date", fix="write 2008-03-31")
    return str(text)


def text_of(value: Any, where: str) -> str:
    """Return a text of reasonable length."""
    if not isinstance(value, str):
        raise InputError(where, f"is a {type(value).__name__}, not a text", fix="write it in quotes")
    if len(value) > _LONGEST_TEXT:
        raise InputError(where, f"has {len(value):,} characters, more than {_LONGEST_TEXT:,}")
    return value


def fields_of(
    given: Any, where: str, known: Iterable[str] | None, needed: Iterable[str] = ()
) -> dict[str, Any]:
    """Return a table whose keys are all known (None: whatever they are) and that has all that is needed."""
    if not isinstance(given, Mapping):
        fix = f"it needs {', '.join(needed)}" if needed else ""
        raise InputError(where, f"is a {type(given).__name__}, not a table", fix=fix)
    names = list(given if known is None else known)
    for key in given:
        if key not in names:
            raise InputError(f"{where}.{key}", "is not known", fix=nearest(key, names))
    for key in needed:
        if key not in given:
            raise InputError(f"{where}.{key}", "is missing", fix="add it")
    return dict(given)


def nearest(key: str, known: Iterable[str]) -> str:
    """Return what may have been meant."""
    names = list(known)
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(key.lower()[:80], list(lowered), n=1)
    return (
        f"did you mean {lowered[close[0]]!r}?" if close else f"known: {', '.join(sorted(names)) or 'nothing'}"
    )
