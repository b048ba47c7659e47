"""Parquet files written byte by byte, so that they can lie: Thrift's compact protocol, one page a column."""

import struct as binary

INT32, DOUBLE, DATE, ZSTD = 1, 5, 6, 6


def varint(value):
    """Return a number of seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(value):
    """Return a signed number: zigzag."""
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def texts(value):
    """Return a text with its length before it."""
    return varint(len(value)) + value.encode()


def struct(*fields):
    """Return a struct of (number, kind, bytes), in order; kinds: 5 i32, 6 i64, 8 text, 9 list, 12 struct."""
    out, last = bytearray(), 0
    for field, kind, value in fields:
        out += bytes([(field - last) << 4 | kind]) + value
        last = field
    return bytes(out) + b"\0"


def listed(kind, items):
    """Return a list."""
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
    return head + b"".join(items)


def page(body, n_values, *, unpacked=None, kind=0):
    """Return a page and its header; kind 2 is a dictionary."""
    size = len(body) if unpacked is None else unpacked
    inner = (5 if kind == 0 else 7, 12, struct((1, 5, number(n_values)), (2, 5, number(0)),
             *([(3, 5, number(3)), (4, 5, number(3))] if kind == 0 else [])))  # fmt: skip
    header = struct((1, 5, number(kind)), (2, 5, number(size)), (3, 5, number(len(body))), inner)
    return header + body


def column(kind, name, n_values, place, size, codec, dictionary):
    """Return the facts of a column in the footer."""
    data = place + dictionary
    facts = struct(
        (1, 5, number(kind)),
        (2, 9, listed(5, [number(0)])),
        (3, 9, listed(8, [texts(name)])),
        (4, 5, number(codec)),
        (5, 6, number(n_values)),
        (6, 6, number(size)),
        (7, 6, number(size)),
        (9, 6, number(data)),
        *([(11, 6, number(place))] if dictionary else []),
    )
    return struct((2, 6, number(place)), (3, 12, facts))


def parquet(
    n=3, *, rows=None, group_rows=None, values=None, page_values=None, unpacked=None, codec=0, body=None,
    dictionary=b"", depth=0,
):  # fmt: skip
    """Return a file of the dates ``when`` and the prices ``SPY``; each other argument is a lie about it."""
    days = page(b"".join(binary.pack("<i", 18_262 + j) for j in range(n)), n)
    plain = b"".join(binary.pack("<d", 100.0 + j) for j in range(n)) if body is None else body
    prices = page(plain, n if page_values is None else page_values, unpacked=unpacked)
    content = b"PAR1" + days + dictionary + prices
    n_values = n if values is None else values
    chunks = [
        column(INT32, "when", n, 4, len(days), 0, 0),
        column(
            DOUBLE, "SPY", n_values, 4 + len(days), len(dictionary + prices), codec, len(dictionary)
        ),
    ]  # fmt: skip
    n_group = n if group_rows is None else group_rows
    group = struct((1, 9, listed(12, chunks)), (2, 6, number(99)), (3, 6, number(n_group)))
    nested = [struct((3, 5, number(0)), (4, 8, texts("g")), (5, 5, number(1))) for _ in range(depth)]
    schema = [
        struct((4, 8, texts("schema")), (5, 5, number(2))),
        struct((1, 5, number(INT32)), (3, 5, number(0)), (4, 8, texts("when")), (6, 5, number(DATE))),
        *nested,
        struct((1, 5, number(DOUBLE)), (3, 5, number(0)), (4, 8, texts("SPY"))),
    ]
    footer = struct(
        (1, 5, number(1)),
        (2, 9, listed(12, schema)),
        (3, 6, number(n if rows is None else rows)),
        (4, 9, listed(12, [group])),
    )
    return content + footer + len(footer).to_bytes(4, "little") + b"PAR1"
