"""The file of a baseline: a record of what a backtest was, as JSON that a person can review."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

from allocator.errors import InputError

__all__ = ["RESOLUTION", "Baseline", "Data", "Window", "baseline_text", "read_baseline", "replace_text"]

RESOLUTION = 1e-9  # of a row's return in the file
_SCHEMA = "allocator-baseline-1"
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


def replace_text(path: Path, text: str, argument: str = "path") -> None:
    """Write a file whole or not at all: beside, to the disk, then in its place; folders are made."""
    if len(text.encode()) > _MOST_BYTES:
        problem = f"the baseline would have {len(text.encode()):,} bytes, at most {_MOST_BYTES:,}"
        raise InputError(argument, problem, fix="check a shorter window or one that trades less often")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, beside = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(beside, 0o644)  # mkstemp's are for the owner alone
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise
    except OSError as error:
        problem = f"cannot write {path}: {error.strerror or error}"
        raise InputError(argument, problem, fix="choose another") from None


def read_baseline(path: str | Path) -> Baseline:
    """Return the baseline in a file, trusting nothing in it.

    Raises
    ------
    InputError
        If there is no file, it is too large, no JSON, of another schema, or a value is not what it should be;
        the place is named as a JSON pointer.
    """
    file = Path(path)
    found = _parsed(_bytes(file), file)
    if not isinstance(found, dict) or found.get("schema") != _SCHEMA:
        schema = found.get("schema") if isinstance(found, dict) else None
        problem = f"{file}: /schema is {_short(schema)}, this version reads {_SCHEMA!r}"
        raise InputError("path", problem, fix="write the baseline again, or use the version that wrote it")
    try:
        del found["schema"]
        return _baseline(found)
    except _Wrong as wrong:
        problem = f"{file}: {wrong}"
        raise InputError("path", problem, fix="restore the file from version control") from None


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST_BYTES:
            problem = f"{file} has {file.stat().st_size:,} bytes; a baseline has at most {_MOST_BYTES:,}"
            raise InputError("path", problem, fix="is it a baseline?")
        return file.read_bytes()
    except FileNotFoundError:
        problem = f"there is no baseline {file}"
        fix = "write it once, look at it and commit it (docs/ci.md)"
        raise InputError("path", problem, fix=fix) from None
    except (OSError, ValueError) as error:
        raise InputError("path", f"cannot read {file}: {error}", fix="check the path") from None


class _Wrong(Exception):  # noqa: N818 - becomes an InputError
    """What is wrong and where."""


def _parsed(content: bytes, file: Path) -> Any:
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        problem = "is nested too deeply"
    except UnicodeDecodeError:
        problem = "is no UTF-8 text"
    except json.JSONDecodeError as error:
        problem = f"is no JSON: {error}"
        if b"<<<<<<<" in content:
            problem += " (it has the marks of a merge conflict)"
    except (_Wrong, ValueError) as error:  # ValueError: an integer of thousands of digits
        problem = str(error)
    raise InputError("path", f"{file} {problem}", fix="restore the file from version control") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise _Wrong(f"has the key {_short(key)} twice")
        made[key] = value
    return made


def _no_constant(text: str) -> Any:
    raise _Wrong(f"has {text}, which is no JSON")


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise _Wrong(f"has {_short(text)}, which is no finite number")
    return value


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
