"""What a Parquet file takes in memory, read from its footer and page headers before anything is unpacked.

The sizes in a hostile file can say anything: a few hundred bytes hold a page that unpacks to two gigabytes, a
dictionary of two billion values, or a schema nested until the stack overflows. Footer and page headers are
Thrift structs in the compact protocol, of which only names and sizes are read here (Apache Parquet format,
``parquet.thrift``: FileMetaData, SchemaElement, RowGroup, ColumnChunk, PageHeader; Thrift compact protocol).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, final

__all__ = ["Footer", "check_pages", "read_footer"]

_DEEPEST = 16
_MOST_COLUMNS = 200_000
_MOST_PAGES = 200_000
_WIDEST = 64  # bytes a value may take: decimals take 32, and as much for what comes with it
_SPARE = 2**16  # bytes that a page without values may take
_MOST_BESIDE = 2**28  # bytes of a column that nobody asked for and that pyarrow reads all the same
_TEXT, _STRUCT = 8, 12  # kinds of the compact protocol; 4 to 6 are whole numbers
_CUT = "its {} is cut short or damaged"


@final
@dataclass(frozen=True)
class Footer:
    """What a footer says: rows, paths of the columns, and of each group of rows how many and its columns.

    pyarrow's own view of a part of a column ends the process on damaged statistics (26.0.1): not asked.
    """

    n_rows: int
    columns: tuple[str, ...]
    groups: tuple[tuple[int, tuple[dict[int, Any], ...]], ...]


def read_footer(content: bytes) -> Footer:
    """Return what the footer says, refusing a schema that is nested deeply or without end.

    Raises
    ------
    ValueError
        Says what, as the rest of a sentence about the file.
    """
    size = int.from_bytes(content[-8:-4], "little")
    if len(content) < 12 or content[:4] != b"PAR1" or content[-4:] != b"PAR1" or size > len(content) - 12:
        raise ValueError("its first or last bytes are not those of such a file")
    footer = _Compact(content[-8 - size : -8])
    columns: tuple[str, ...] = ()
    groups: tuple[tuple[int, tuple[dict[int, Any], ...]], ...] = ()
    n_rows = -1
    try:
        for field, kind in footer.fields():
            if field == 2:
                columns = _schema(footer)
            elif field == 3:
                n_rows = footer.number()
            elif field == 4:
                groups = tuple(_group(footer) for _ in range(footer.list_head()[0]))
            else:
                footer.skip(kind)
    except (IndexError, KeyError):
        raise ValueError(_CUT.format("footer")) from None
    if n_rows < 0 or any(len(group) != len(columns) or rows < 0 for rows, group in groups):
        raise ValueError(_CUT.format("footer"))
    return Footer(n_rows, columns, groups)


def _schema(footer: _Compact) -> tuple[str, ...]:
    n_elements, _ = footer.list_head()
    if n_elements > _MOST_COLUMNS:
        raise ValueError(f"has {n_elements:,} columns, more than {_MOST_COLUMNS:,}")
    columns, path, to_come = (
        [],
        list[str](),
        list[int](),
    )  # of each group that is open: name, children to come
    for _ in range(n_elements):
        while to_come and not to_come[-1]:
            to_come.pop()
            path.pop()
        if to_come:
            to_come[-1] -= 1
        facts = footer.struct({4, 5})
        name, n_children = facts[4].decode("utf-8", "replace"), facts.get(5, 0)
        if n_children > 0:
            path.append(name)
            to_come.append(n_children)
        else:
            columns.append(".".join([*path[1:], name]))
        if len(path) > _DEEPEST:
            raise ValueError(f"has columns nested more than {_DEEPEST} deep")
    return tuple(columns)


def _group(footer: _Compact) -> tuple[int, tuple[dict[int, Any], ...]]:
    """Return the rows of a group, and of its columns ColumnChunk 1, 3 and ColumnMetaData 5, 7, 9, 11."""
    chunks: tuple[dict[int, Any], ...] = ()
    n_rows = -1
    for field, kind in footer.fields():
        if field == 1:
            chunks = tuple(footer.struct({1, 3}, {5, 7, 9, 11}) for _ in range(footer.list_head()[0]))
        elif field == 3:
            n_rows = footer.number()
        else:
            footer.skip(kind)
    return n_rows, chunks


def check_pages(content: bytes, footer: Footer, wanted: Collection[str]) -> None:
    """Refuse columns that would unpack to more than their rows could be.

    Parameters
    ----------
    content, footer
        The file, and what its footer says.
    wanted
        The columns that are to be read.

    Raises
    ------
    ValueError
        Says what, as the rest of a sentence about the file.
    """
    if sum(rows for rows, _ in footer.groups) != footer.n_rows:
        raise ValueError("says of how many rows it is in two ways")
    names, n_pages = set(wanted), 0
    used = [j for j, path in enumerate(footer.columns) if names.intersection(_prefixes(path))]
    for n_rows, chunks in footer.groups:
        for j in used:
            name = footer.columns[j]
            most = _WIDEST * n_rows + _SPARE if name in names else _MOST_BESIDE
            try:
                n_pages += _check_chunk(content, name, n_rows, most, chunks[j])
            except (IndexError, KeyError):
                raise ValueError(_CUT.format(f"column {name!r}")) from None
            if n_pages > _MOST_PAGES:
                raise ValueError(f"has more than {_MOST_PAGES:,} pages")


def _prefixes(path: str) -> list[str]:
    """Return what pyarrow takes for the name of a column: of 'a.b' it is 'a' as well."""
    return list(accumulate(path.split("."), "{}.{}".format))


def _check_chunk(content: bytes, name: str, n_rows: int, most: int, chunk: dict[int, Any]) -> int:
    """Check the pages of one part of a column by their headers; return how many there are."""
    facts = chunk[3]
    if facts[5] != n_rows:
        raise ValueError(f"says that {n_rows:,} rows have {facts[5]:,} values in {name!r}")
    if chunk.get(1):
        raise ValueError(f"says that {name!r} is in another file")
    start, dictionary = facts[9], facts.get(11, 0)
    if 0 < dictionary < start:
        start = dictionary
    end, size, n_pages = start + facts[7], 0, 0
    if not 0 <= start <= end <= len(content):
        raise IndexError
    while start < end:
        header = _Compact(content, start)
        found = header.struct({2, 3, 5, 7, 8}, {1})
        counts = [inner.get(1, 0) for field, inner in found.items() if field in (5, 7, 8)]
        size += found[2]
        n_pages += 1
        if found[2] < 0 or found[3] < 0 or any(not 0 <= n <= n_rows for n in counts):
            raise ValueError(f"has a page of more values than {n_rows:,} rows have, in {name!r}")
        if size > most:
            raise ValueError(f"has pages of {size:,} bytes for {n_rows:,} rows in {name!r}")
        start = header.place + found[3]
    if start > end:
        raise IndexError
    return n_pages


class _Compact:
    """A place in bytes of Thrift's compact protocol; IndexError beyond the end."""

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data, self.place = data, place

    def byte(self) -> int:
        """Return the next byte."""
        self.place += 1
        return self.data[self.place - 1]

    def varint(self) -> int:
        """Return a number of seven bits a byte, at most ten bytes long."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise IndexError

    def number(self) -> int:
        """Return a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield the number and the kind of each field of a struct; the caller takes or skips its value."""
        field = 0
        while head := self.byte():
            last, field = field, field + (head >> 4) if head >> 4 else self.number()
            if field <= last:  # twice: readers differ on which one counts
                raise IndexError
            yield field, head & 0xF

    def list_head(self) -> tuple[int, int]:
        """Return the length of a list and the kind of what it holds."""
        head = self.byte()
        return (self.varint() if head >> 4 == 15 else head >> 4), head & 0xF

    def struct(self, wanted: Collection[int], inner: Collection[int] = ()) -> dict[int, Any]:
        """Return the wanted numbers and texts of a struct, and the wanted structs with their inner ones."""
        found: dict[int, Any] = {}
        for field, kind in self.fields():
            if field in wanted and kind in (4, 5, 6):
                found[field] = self.number()
            elif field in wanted and kind == _TEXT:
                length = self.varint()
                found[field] = self.data[self.place : self.place + length]
                self.place += length
            elif field in wanted and kind == _STRUCT:
                found[field] = self.struct(inner)
            else:
                self.skip(kind)
        return found

    def skip(self, kind: int, depth: int = 0) -> None:
        """Go over a value."""
        if depth > _DEEPEST or self.place > len(self.data):
            raise IndexError
        if kind in (1, 2):  # true, false
            return
        if kind in (4, 5, 6):
            self.varint()
        elif kind in (3, 7):
            self.place += 1 if kind == 3 else 8
        elif kind == _TEXT:
            length = self.varint()
            self.place += length
        elif kind in (9, 10):
            length, each = self.list_head()
            if each in (1, 2):  # in a list, true and false take a byte
                self.place += length
                return
            for _ in range(length):
                self.skip(each, depth + 1)
        elif kind == _STRUCT:
            for _, each in self.fields():
                self.skip(each, depth + 1)
        else:  # maps are in no struct of Parquet
            raise IndexError
