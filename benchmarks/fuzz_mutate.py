"""How a valid file is made wrong: bytes, cells, lines, keys and nesting."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["BYTES", "STRUCTURE", "mutated"]

_CELLS = (
    *("", ".", "NA", "nan", "NaN", "-", "null", "0", "-0.0", "-1", "1e5000", "1e-5000", "5e-324", "infinity"),
    *("-inf", "1_000", "0x10", "１２", "nan(1)", "1,5", "1 000", "$5", "12%", '"', '"a\nb"', "True", "=1+1"),
    *("2020-01-01", "2020-02-30", "0000-00-00", "9999-12-31", "03/04/2020", "2020-W01-1", "20200101", "date"),
    *(
        "\0",
        "\x1b[31m",
        "\ufeff",
        "\u2028",
        "é",
        "x" * 2_000,
        "9" * 400,
        "'",
        "\\",
        "__import__('os')",
        "../x",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        2**31,
        2**53 + 1,
        10**30,
        10**350,
        -(10**350),
        0.5,
        -0.0,
        5e-324,
        1e308,
    ),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "inf", "nan", "1980", "2020-99-99", "2020-02-30"),
    *("0000-00-00", "../../etc/passwd", "/etc", "\ud800", "\x1b[2J\n", "a" * 20_000, [], {}, [[]], [None]),
    *(
        [1, "a"],
        {"": ""},
        {"class": "SixtyForty"},
        {"class": "os.system"},
        {"function": "eras"},
        "stocks",
        "bonds",
    ),
)
_TOKENS = (
    *('"', "'", '"""', "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\n", "#", "nan", "inf", "1e999", "0x"),
    *("true", "1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", '"stocks"', '"1980"', "-1", "0.5", "[[1]]"),
    *("9" * 500, "[" * 50, "a." * 50 + "a = 1", '"\\ud800"', '"\\u001b[31m"', '{ class = "Yearly" }'),
    *(
        '{ class = "RiskParity" }',
        '{ function = "inflation_level", threshold = 0.03 }',
        "[[runs]]",
        "[[tests]]",
    ),
    *(
        'class = "RiskParity"',
        'kind = "leverage"',
        'kind = "weight_curve"',
        'name = "a"',
        "[data]",
        "[window]",
    ),
    *(
        'rebalancing = { class = "Band", width = 0.05 }',
        "costs = { trading = 5 }",
        "[[regimes]]",
        "NaN",
        "null",
    ),
)
Mutator = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutated(draw: random.Random, seeds: Sequence[bytes], structure: Sequence[Mutator]) -> bytes:
    """Return a seed after one to four changes; one in thirty is nothing but random bytes."""
    if draw.random() < 1 / 30:
        return draw.randbytes(draw.randrange(300))
    data = draw.choice(seeds)
    for _ in range(draw.choice((1, 1, 2, 4))):
        data = draw.choice(structure if structure and draw.random() < 0.7 else BYTES)(draw, data, seeds)
    return data


# --- bytes ---


def _place(draw: random.Random, data: bytes) -> int:
    return draw.randrange(len(data) + 1)


def _piece(draw: random.Random, data: bytes) -> bytes:
    start = _place(draw, data)
    return data[start : start + draw.choice((1, 2, 4, 16, 64, 1024))]


def _flip(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _set(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[draw.randrange(len(data))] = draw.choice(
        (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, draw.randrange(256))
    )
    return bytes(changed)


def _cut(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start = _place(draw, data)
    return data[:start] + data[start + draw.choice((1, 2, 8, 100, len(data))) :]


def _insert(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(draw, data)
    new = draw.choice(
        (draw.randbytes(draw.randrange(9)), draw.choice(_CELLS).encode(), b"\xff\xfe", b"\0" * 4)
    )
    return data[:at] + new + data[at:]


def _double(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, piece = _place(draw, data), _piece(draw, data)
    return data[:at] + piece * draw.choice((1, 2, 50)) + data[at:]


def _splice(draw: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = draw.choice(seeds)
    return data[: _place(draw, data)] + other[_place(draw, other) :]


BYTES: tuple[Mutator, ...] = (_flip, _set, _cut, _insert, _double, _splice)


# --- tables of text ---


def _table(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    rows = [line.split(",") for line in data.decode("utf-8", "replace").split("\n")]
    row = draw.choice(rows)
    kind = draw.randrange(6)
    if kind <= 2:
        row[draw.randrange(len(row))] = draw.choice(_CELLS)
    elif kind == 3:
        draw.choice((rows.remove, rows.append))(row)
    elif kind == 4:
        j, k = draw.randrange(len(rows[0])), draw.randrange(len(rows[0]))
        for each in rows:
            if max(j, k) < len(each):
                each[j], each[k] = draw.choice(((each[k], each[j]), (each[j], each[j])))
    else:
        draw.shuffle(rows)
    return draw.choice(("\n", "\n", "\n", "\r\n", "\r")).join(map(",".join, rows)).encode("utf-8", "replace")


def _lines(draw: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    lines = data.decode("utf-8", "replace").split("\n")
    other = draw.choice(seeds).decode("utf-8", "replace").split("\n")
    at, kind = draw.randrange(len(lines)), draw.randrange(4)
    if kind == 0:
        lines.pop(at)
    elif kind == 1:
        lines.insert(at, draw.choice(lines + other))
    elif kind == 2:
        lines.insert(at, draw.choice(_TOKENS))
    else:
        key = lines[at].partition("=")[0]
        lines[at] = f"{key}= {draw.choice((*_TOKENS, draw.choice(other).partition('=')[2]))}"
    return "\n".join(lines).encode("utf-8", "replace")


def _tokens(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(draw, data)
    return data[:at] + draw.choice(_TOKENS).encode() + data[at + draw.choice((0, 0, 1, 5)) :]


# --- JSON ---


def _json(draw: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Change a value, a key or the nesting at a place in a document, or in one line of several."""
    lines = data.split(b"\n")
    whole = _document(data)
    if whole is not None:
        return _altered(draw, whole)
    at = draw.randrange(len(lines))
    found = _document(lines[at])
    return data if found is None else b"\n".join([*lines[:at], _altered(draw, found), *lines[at + 1 :]])


def _document(data: bytes) -> Any:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) and found else None


def _altered(draw: random.Random, whole: Any) -> bytes:
    place = whole
    while True:
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        key = draw.choice(keys)
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or draw.random() < 0.2:
            break
        place = inner
    _alter(draw, place, key)
    return json.dumps(whole, indent=draw.choice((None, None, 1))).encode()


def _alter(draw: random.Random, place: Any, key: Any) -> None:
    kind = draw.randrange(7)
    if kind <= 2:
        place[key] = draw.choice(_VALUES)
    elif kind == 3:
        del place[key]
    elif kind == 4:
        place[key] = [place[key]] if draw.random() < 0.5 else {"a": place[key]}
    elif kind == 5 and isinstance(place, dict):
        place[draw.choice([*place, "x", "", "2020-13-45", "\ud800", key + " "])] = place.pop(key)
    elif isinstance(place, list):
        place.insert(key, draw.choice(_VALUES))
    elif isinstance(place[key], int | float):
        place[key] = place[key] * draw.choice((-1, 2, 1e9, 0))
    else:
        place[key] = str(place[key])[: draw.randrange(20)]


STRUCTURE: dict[str, tuple[Mutator, ...]] = {
    "table": (_table,),
    "toml": (_lines, _lines, _tokens),
    "json": (_json,),
    "bytes": (),
}
