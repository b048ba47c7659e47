"""Where a strategy can remember something between two questions, and how to make it forget."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

__all__ = ["MISSING", "Contents", "Memory", "Place", "Slot"]

Clear = Callable[[], None]
MISSING = object()


class Place(ABC):
    """A place that something can be put into and found in later.

    Attributes
    ----------
    path
        Where it was found.
    """

    path: str

    @abstractmethod
    def save(self) -> Any:
        """Return what is there now."""

    @abstractmethod
    def load(self, saved: Any) -> None:
        """Put back what was there."""

    @abstractmethod
    def ways_to_clear(self) -> tuple[Clear, ...]:
        """Return the ways in which a cache that is here could look empty; none where there is nothing."""

    @abstractmethod
    def is_filled(self) -> bool:
        """Return whether something is there."""


@final
@dataclass(frozen=True, eq=False)
class Contents(Place):
    """A dictionary, list, set or deque; the attributes of an object are not cleared as a whole."""

    path: str
    target: Any
    may_clear: bool = True

    def save(self) -> Any:
        """Return a shallow copy."""
        return dict(self.target) if isinstance(self.target, dict) else list(self.target)

    def load(self, saved: Any) -> None:
        """Put back the items, in their order."""
        self.target.clear()
        if isinstance(self.target, dict | set):
            self.target.update(saved)
        else:
            self.target.extend(saved)

    def ways_to_clear(self) -> tuple[Clear, ...]:
        """Return how to remove all items."""
        return (self.target.clear,) if self.may_clear and self.target else ()

    def is_filled(self) -> bool:
        """Return whether there are items."""
        return bool(self.target)


@final
@dataclass(frozen=True, eq=False)
class Slot(Place):
    """A name: an attribute of an object or class, a global, a variable around a function."""

    path: str
    holder: Any  # a dictionary, a class or a cell
    name: str

    def save(self) -> Any:
        """Return what the name stands for."""
        if isinstance(self.holder, dict):
            return self.holder.get(self.name, MISSING)
        if isinstance(self.holder, type):
            return vars(self.holder).get(self.name, MISSING)
        try:
            return getattr(self.holder, self.name, MISSING)
        except ValueError:  # a variable around a function that has no value now
            return MISSING

    def load(self, saved: Any) -> None:
        """Let the name stand for it again."""
        if self.save() is saved:
            return
        if saved is not MISSING:
            if isinstance(self.holder, dict):
                self.holder[self.name] = saved
            else:
                setattr(self.holder, self.name, saved)
        elif isinstance(self.holder, dict):
            del self.holder[self.name]
        else:
            delattr(self.holder, self.name)

    def ways_to_clear(self) -> tuple[Clear, ...]:
        """Return how to let it stand for None, and for nothing."""
        return (partial(self.load, None), partial(self.load, MISSING)) if self.is_filled() else ()

    def is_filled(self) -> bool:
        """Return whether the name stands for something."""
        value = self.save()
        return value is not None and value is not MISSING


@final
@dataclass(frozen=True, eq=False)
class Memory:
    """All places of a strategy, and what was in them when the audit began.

    Attributes
    ----------
    places, saved
        Where, and what.
    forgetful
        What empties the caches of functions.
    caches
        What empties the other caches, known after :meth:`with_caches`.
    """

    places: tuple[Place, ...]
    saved: tuple[Any, ...]
    forgetful: tuple[Clear, ...]
    caches: tuple[Clear, ...] = ()

    @classmethod
    def of(cls, places: tuple[Place, ...], forgetful: tuple[Clear, ...]) -> Memory:
        """Keep what is in these places."""
        return cls(places, tuple(place.save() for place in places), forgetful)

    def restore(self) -> None:
        """Bring back what was remembered when the audit began; caches of functions are emptied."""
        self._load()
        for clear in self.forgetful:
            clear()

    def forget(self) -> None:
        """Bring back what was there when the audit began, but in no cache."""
        self._load()
        for clear in (*self.forgetful, *self.caches):
            clear()

    def without_functions(self) -> Memory:
        """Return the memory that leaves the caches of functions alone."""
        return replace(self, forgetful=())

    def _load(self) -> None:
        for place, saved in zip(self.places, self.saved, strict=True):
            place.load(saved)

    def with_caches(self, asks: Sequence[Callable[[], object]]) -> Memory:
        """Return the memory that knows its caches: cleared, they are filled again by asking.

        What is filled with the same whatever is asked, in whatever world, holds parameters that the code
        gives a default (``setdefault``, a ``defaultdict``): it is no cache.
        """
        caches = []
        self._load()
        for place in self.places:
            for clear in place.ways_to_clear():
                if self._refill(place, clear, asks[0]) is MISSING:
                    continue
                refills = [self._refill(place, clear, ask) for ask in asks]
                if not _are_defaults([refill for refill in refills if refill is not MISSING]):
                    caches.append(clear)
                break
        return replace(self, caches=tuple(caches))

    def _refill(self, place: Place, clear: Clear, ask: Callable[[], object]) -> Any:
        """Return what a question fills a place with after it was cleared."""
        clear()
        ask()
        content = place.save() if place.is_filled() else MISSING
        self._load()
        return content


def _are_defaults(refills: list[Any]) -> bool:
    """Return whether a place was filled alike by several questions; where by one only, it may be a cache."""
    if len(refills) < 2:
        return False
    try:
        same = {pickle.dumps(_constant(refill)) for refill in refills}
    except Exception:  # what cannot be written down is not known to be alike
        return False
    return len(same) == 1


def _constant(content: Any) -> Any:
    """Return the one value of a dictionary whose values are all the same, else the content."""
    if isinstance(content, dict) and len({pickle.dumps(value) for value in content.values()}) == 1:
        return next(iter(content.values()))
    return content
