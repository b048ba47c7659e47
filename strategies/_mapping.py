"""A mapping for a frozen dataclass: copied at the door, read-only, hashable where its values are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, final

__all__ = ["FrozenMapping"]

Value = TypeVar("Value")


@final
class FrozenMapping(Mapping[str, Value]):
    """A read-only copy of a mapping of text, which prints as a dict and equals one."""

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
