"""Values of a file that a stranger may have written: each is what it should be, or refused by its place."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from allocator.errors import InputError
from allocator.untrusted import strict_json

__all__ = ["fields_of", "naming", "nearest", "parse_json", "parse_toml", "plain", "text_of"]

_LONGEST_TEXT = 10_000
_DEEPEST = 12
_MOST = 10_000  # values in one array or table
# A dotted key of n parts costs tomllib n² steps: hours for a file of 1 MB. Keys of ours have a few parts.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.){0,200}+"|'[^'\n]{0,200}+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_DEEPEST + 4},}}")


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Add the name of the file to what is refused in it."""
    try:
        yield
    except InputError as refusal:
        name = repr(str(file))
        if name in str(refusal):
            raise
        fix = f"{refusal.fix} (in {name})" if refusal.fix else f"mend it in {name}"
        facts = {"asset": refusal.asset, "date": refusal.date, "count": refusal.count, "fix": fix}
        raise InputError(refusal.argument, refusal.problem, **facts) from refusal.__cause__


def parse_toml(data: bytes, argument: str) -> dict[str, Any]:
    """Return the tables of a TOML file as plain values, dates as texts."""
    try:
        text = data.decode("utf-8")
        if _LONG_KEY.search(text):
            _refuse_long_key(argument)
        found = plain(tomllib.loads(text), argument)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or nested without end
        raise InputError(argument, f"is not TOML: {_short(error)}", fix="mend the file") from None
    assert isinstance(found, dict)  # a TOML document is a table
    return found


def _refuse_long_key(argument: str) -> None:
    raise InputError(argument, f"has a key of more than {_DEEPEST} parts", fix="mend the file")


def parse_json(data: bytes, argument: str) -> dict[str, Any]:
    """Return the object of a JSON file."""
    try:
        found = strict_json(data)
    except ValueError as error:
        raise InputError(argument, str(error), fix="mend the file, or write it again") from None
    if not isinstance(found, dict):
        raise InputError(argument, f"holds a {type(found).__name__}, no object", fix="check what it is")
    return found


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
