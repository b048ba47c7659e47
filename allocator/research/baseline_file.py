"""The file of a baseline: a record of what a backtest was, as JSON that a person can review."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

from allocator.disk import make_folder, refuse_others, write_whole
from allocator.errors import InputError
from allocator.untrusted import local_path, read_bytes, strict_json

__all__ = ["RESOLUTION", "Baseline", "Data", "Window", "baseline_text", "read_baseline", "replace_text"]

RESOLUTION = 1e-9  # of a row's return in the file
_SCHEMA = "allocator-baseline-1"
_MARK = b'"schema": "allocator-baseline-'  # of any version
_MOST_BYTES = 20_000_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH, _YEAR = re.compile(r"\d{4}-\d\d"), re.compile(r"\d{4}")
_ROWS = re.compile(r"\d\d:-?\d{1,30}(?: \d\d:-?\d{1,30})*")
_HEXES = re.compile(r"[0-9a-f]{8}(?: [0-9a-f]{8})*")
_SHA = re.compile(r"[0-9a-f]{64}")


@final
@dataclass(frozen=True)
class Window:
    """The close of the first build, the last close, and the returns between them."""

    built: str
    last: str
    n_returns: int


@final
@dataclass(frozen=True)
class Data:
    """What the prices, the cash return and the signals were.

    Attributes
    ----------
    name, frequency, first, last, n_rows
        Of the market, warm-up included.
    sha256
        Of dates, levels, cash, listings and signals.
    signals
        SHA-256 of each.
    columns
        The assets, and last ``cash``.
    months
        The beginning of a SHA-256 of each of these columns, a month a line.
    """

    name: str
    frequency: str
    first: str
    last: str
    n_rows: int
    sha256: str
    signals: Mapping[str, str]
    columns: tuple[str, ...]
    months: Mapping[str, str]


@final
@dataclass(frozen=True)
class Baseline:
    """What a backtest was, so far as is needed to say whether, since when and why it moved.

    Attributes
    ----------
    name
        Of the strategy.
    target
        The function that made it, ``module:function``, or None.
    window, metrics, yearly_returns, conventions
        What a person reviews; metrics are fractions, dates as text, None where undefined.
    parameters, parameters_sha256
        Of strategy, rule, costs, lag and mandate.
    versions, code
        Of the packages that matter; the beginning of a SHA-256 of the sources that decide.
    data
        A :class:`Data`.
    assets, weights
        Weights after each event, by date, in the order of ``assets``; the rest is cash.
    returns
        Of each row in units of 1e-9, a month a line, each after its day of the month.
    """

    name: str
    target: str | None
    window: Window
    metrics: Mapping[str, float | str | None]
    yearly_returns: Mapping[str, float]
    conventions: tuple[str, ...]
    parameters_sha256: str
    parameters: Mapping[str, str]
    versions: Mapping[str, str]
    code: Mapping[str, str]
    data: Data
    assets: tuple[str, ...]
    weights: Mapping[str, tuple[float, ...]]
    returns: Mapping[str, str]

    @property
    def row_returns(self) -> dict[str, int]:
        """Returns by date in units of 1e-9."""
        cells = ((month, *cell.split(":")) for month, line in self.returns.items() for cell in line.split())
        return {f"{month}-{day}": int(units) for month, day, units in cells}


def baseline_text(baseline: Baseline) -> str:
    """Return the file of a baseline: the same text for the same record, floats as ``repr`` writes them."""
    return _rendered({"schema": _SCHEMA, **_plain(baseline)}) + "\n"


def _plain(record: Any) -> dict[str, Any]:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {k: _plain(v) if isinstance(v, Window | Data) else v for k, v in values.items()}


def _rendered(value: Any, depth: int = 1) -> str:
    """Return JSON with a line an entry, and numbers of one date on one line."""
    if isinstance(value, Mapping) and value:
        lines = [f"{json.dumps(k, ensure_ascii=False)}: {_rendered(v, depth + 1)}" for k, v in value.items()]
        return _block("{", lines, "}", depth)
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        return _block("[", [json.dumps(each, ensure_ascii=False) for each in value], "]", depth)
    if isinstance(value, float) and math.isinf(value):
        return '"inf"' if value > 0 else '"-inf"'
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _block(opening: str, lines: Sequence[str], closing: str, depth: int) -> str:
    inner = "\n" + " " * depth
    return opening + inner + f",{inner}".join(lines) + "\n" + " " * (depth - 1) + closing


def replace_text(path: Path, text: str, argument: str = "path", *, overwrite: bool = False) -> None:
    """Write a baseline whole or not at all; folders are made, and only a baseline is replaced."""
    content = text.encode("utf-8", "backslashreplace")  # half a character of UTF-16 as JSON writes it
    if len(content) > _MOST_BYTES:
        problem = f"the baseline would have {len(content):,} bytes, at most {_MOST_BYTES:,}"
        raise InputError(argument, problem, fix="check a shorter window or one that trades less often")
    fix = "choose another name, or write_baseline(..., overwrite=True)"
    refuse_others([path], [_MARK], argument, overwrite=overwrite, fix=fix)
    make_folder(path.parent, argument)
    write_whole(path, content, argument)


def read_baseline(path: str | Path) -> Baseline:
    """Return the baseline in a file, trusting nothing in it.

    Raises
    ------
    InputError
        If there is no file, it is too large, no JSON, of another schema, or a value is not what it should be;
        the place is named as a JSON pointer.
    """
    file = local_path(path, "path")
    if not os.path.lexists(file):
        fix = "write it once, look at it and commit it (docs/ci.md)"
        raise InputError("path", f"there is no baseline {str(file)!r}", fix=fix)
    try:
        found = strict_json(read_bytes(file, "path", _MOST_BYTES))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            "path", f"{str(file)!r} {error}", fix="restore the file from version control"
        ) from None
    if not isinstance(found, dict) or found.get("schema") != _SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else None
        problem = f"{str(file)!r}: /schema is {_short(schema)}, this version reads {_SCHEMA!r}"
        raise InputError("path", problem, fix="write the baseline again, or use the version that wrote it")
    try:
        del found["schema"]
        return _baseline(found)
    except _Wrong as wrong:
        problem = f"{str(file)!r}: {wrong}"
        raise InputError("path", problem, fix="restore the file from version control") from None


class _Wrong(Exception):  # noqa: N818 - becomes an InputError
    """What is wrong and where."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_Check = Callable[[str, Any], Any]


def _baseline(found: dict[str, Any]) -> Baseline:
    facts = _record("", found, Baseline, _BASELINE)
    for date, row in facts["weights"].items():
        if len(row) != len(facts["assets"]):
            raise _Wrong(f"/weights/{date} has {len(row)} weights for {len(facts['assets'])} assets")
    if len(facts["metrics"]) == 0 or len(facts["returns"]) == 0:
        raise _Wrong("/metrics or /returns is empty")
    data = facts["data"]
    for month, hashes in data.months.items():
        if len(hashes.split()) != len(data.columns):
            raise _Wrong(f"/data/months/{month} does not have a hash for each of /data/columns")
    made = Baseline(**facts)
    dates = [*made.row_returns]
    if len(dates) != made.window.n_returns or dates != sorted(dates):
        raise _Wrong("/returns are not one a row of the window, in the order of their dates")
    return made


def _record(where: str, found: Any, kind: type, checks: Mapping[str, _Check]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _Wrong(f"{where or '/'} is {_short(found)}, expected an object")
    names = [field.name for field in fields(kind)]
    for key in found:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            raise _Wrong(f"{where}/{_short(key)} is unknown" + (f", is it {near[0]!r}?" if near else ""))
    missing = [name for name in names if name not in found]
    if missing:
        raise _Wrong(f"{where}/{missing[0]} is missing")
    return {name: checks[name](f"{where}/{name}", found[name]) for name in names}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{where} is {_short(value)}, expected text")
    return value


def _matching(pattern: re.Pattern[str]) -> _Check:
    def check(where: str, value: Any) -> str:
        if not pattern.fullmatch(_text(where, value)):
            raise _Wrong(f"{where} is {_short(value)}, which does not have the form it should")
        return str(value)

    return check


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise _Wrong(f"{where} is {_short(value)}, expected a number")
    return value


def _count(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _Wrong(f"{where} is {_short(value)}, expected a count")
    return value


def _metric(where: str, value: Any) -> float | str | None:
    if value is None:
        return None
    if value in ("inf", "-inf"):
        return float(value)
    return str(_DATED(where, value)) if isinstance(value, str) else _number(where, value)


def _target(where: str, value: Any) -> str | None:
    return None if value is None else _text(where, value)


def _all(check: _Check) -> _Check:
    def checked(where: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _Wrong(f"{where} is {_short(value)}, expected a list")
        return tuple(check(f"{where}/{number}", each) for number, each in enumerate(value))

    return checked


def _keyed(check: _Check, key: re.Pattern[str] | None = None) -> _Check:
    def checked(where: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Wrong(f"{where} is {_short(value)}, expected an object")
        for name in value:
            if key is not None and not key.fullmatch(name):
                raise _Wrong(f"{where}/{_short(name)} does not have the form it should")
        return {name: check(f"{where}/{name}", each) for name, each in value.items()}

    return checked


_DATED = _matching(_DATE)
_WINDOW: Mapping[str, _Check] = {"built": _DATED, "last": _DATED, "n_returns": _count}
_DATA: Mapping[str, _Check] = {
    "name": _text,
    "frequency": _text,
    "first": _DATED,
    "last": _DATED,
    "n_rows": _count,
    "sha256": _matching(_SHA),
    "signals": _keyed(_text),
    "columns": _all(_text),
    "months": _keyed(_matching(_HEXES), _MONTH),
}
_BASELINE: Mapping[str, _Check] = {
    "name": _text,
    "target": _target,
    "window": lambda where, value: Window(**_record(where, value, Window, _WINDOW)),
    "metrics": _keyed(_metric),
    "yearly_returns": _keyed(_number, _YEAR),
    "conventions": _all(_text),
    "parameters_sha256": _matching(_SHA),
    "parameters": _keyed(_text),
    "versions": _keyed(_text),
    "code": _keyed(_text),
    "data": lambda where, value: Data(**_record(where, value, Data, _DATA)),
    "assets": _all(_text),
    "weights": _keyed(_all(_number), _DATE),
    "returns": _keyed(_matching(_ROWS), _MONTH),
}
