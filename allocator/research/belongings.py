"""What a strategy can reach besides the past that it is given: fields, closures, globals, classes, caches."""

from __future__ import annotations

import collections
import datetime as dt
import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.market import Market
from allocator.research.memory import MISSING, Contents, Place, Slot
from allocator.research.worlds import (
    Dated,
    DatedArray,
    DatedList,
    DatedMapping,
    DatedMarket,
    DatedTable,
    day_of,
)

__all__ = ["Belongings", "belongings_of"]

_ATOMS = (type(None), bool, int, float, complex, str, bytes, np.generic, dt.date, dt.timedelta, pd.Index)
_MOST = 20_000  # things looked at; a strategy that carries more is said to
_LIBRARIES = {"allocator", "numpy", "pandas"}
_FEWEST_ROWS = 12  # an array of fewer rows than this may have that many by chance
_CONSTRUCTORS = ("__init__", "__post_init__", "__new__")


@final
@dataclass(frozen=True, eq=False)
class Belongings:
    """What was found.

    Attributes
    ----------
    dated
        Markets, tables, arrays and dictionaries with dates.
    places
        Where something can be remembered between two questions.
    forgetful
        Functions with a cache of their own (:func:`functools.lru_cache`).
    undated
        Where arrays and tables without dates were found.
    fixed
        Where dated arrays were found that cannot be written to.
    is_complete
        Whether all was looked at.
    """

    dated: tuple[Dated, ...]
    places: tuple[Place, ...]
    forgetful: tuple[Callable[[], None], ...]
    undated: tuple[str, ...]
    fixed: tuple[str, ...]
    is_complete: bool


def belongings_of(roots: dict[str, Any], market: Market) -> Belongings:
    """Return what can be reached from these objects, given by name, and the market itself."""
    walk = _Walk(
        market, {str(getattr(type(root), "__module__", "")).split(".")[0] for root in roots.values()}
    )
    walk.dated.append(DatedMarket("the audited market", market))
    walk.seen[id(market)] = market
    queue = collections.deque((name, root, True) for name, root in roots.items())
    while queue and len(walk.seen) < _MOST:
        path, thing, is_own = queue.popleft()
        if isinstance(thing, _ATOMS) or id(thing) in walk.seen:
            continue
        walk.seen[id(thing)] = thing  # kept, so that no other object gets its id
        queue.extend(walk.visit(path, thing, is_own))
    return Belongings(
        tuple(walk.dated),
        tuple(walk.places),
        tuple(walk.forgetful),
        tuple(walk.undated),
        tuple(walk.fixed),
        is_complete=not queue,
    )


_Found = Iterator[tuple[str, Any, bool]]  # path, thing, and whether it belongs to code of the user


@dataclass(frozen=True, eq=False)
class _Walk:
    """The walk so far."""

    market: Market
    own: set[str]
    seen: dict[int, Any] = field(default_factory=dict)
    dated: list[Dated] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    forgetful: list[Callable[[], None]] = field(default_factory=list)
    undated: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)

    def visit(self, path: str, thing: Any, is_own: bool) -> _Found:
        """Note what a thing is, and yield what it leads to."""
        if isinstance(thing, Market):
            self.dated.append(DatedMarket(path, thing))
        elif isinstance(thing, pd.DataFrame | pd.Series):
            self._table(path, thing)
        elif isinstance(thing, np.ndarray):
            self._array(path, thing, is_own)
        elif isinstance(thing, dict | list | set | collections.deque | tuple | frozenset):
            yield from self._container(path, thing, is_own)
        elif isinstance(thing, type):
            yield from self._class(thing)
        elif isinstance(thing, types.ModuleType):
            return
        elif hasattr(thing, "cache_clear") and hasattr(thing, "__wrapped__"):
            self.forgetful.append(thing.cache_clear)
            yield path, thing.__wrapped__, is_own
        elif isinstance(thing, types.FunctionType):
            yield from self._function(thing)
        else:
            yield from self._object(path, thing)

    def _table(self, path: str, table: Any) -> None:
        has_dates = isinstance(table.index, pd.DatetimeIndex | pd.PeriodIndex)
        if has_dates and not table.index.hasnans:
            self.dated.append(DatedTable(path, table))
        else:
            self.undated.append(path)

    def _array(self, path: str, array: np.ndarray[Any, Any], is_own: bool) -> None:
        if not (is_own and array.ndim and self._is_by_row(array)):
            self.undated.append(path)
        elif _is_memory_of_numpy(array):
            self.dated.append(DatedArray(path, array, self.market))
        else:
            self.fixed.append(path)

    def _is_by_row(self, thing: Any) -> bool:
        """Return whether there is an item for each row of the market, or for each return."""
        n_rows = len(self.market.days)
        return n_rows >= _FEWEST_ROWS and len(thing) in (n_rows - 1, n_rows)

    def _container(self, path: str, thing: Any, is_own: bool) -> _Found:
        if isinstance(thing, dict):
            self.places.append(Contents(path, thing))
            if thing and all(day_of(key) is not None for key in thing):
                self.dated.append(DatedMapping(path, thing))
            yield from ((f"{path}[{key!r}]", value, is_own) for key, value in thing.items())
            return
        if not isinstance(thing, tuple | frozenset):
            self.places.append(Contents(path, thing))
        if is_own and self._is_by_row(thing) and all(type(each) in (int, float) for each in thing):
            if isinstance(thing, list):
                self.dated.append(DatedList(path, thing, self.market))
            else:
                self.fixed.append(path)
            return
        yield from ((f"{path}[{place}]", value, is_own) for place, value in enumerate(thing))

    def _function(self, function: types.FunctionType) -> _Found:
        """Yield what a function's code names: variables around it, globals, defaults."""
        if self._is_foreign(function.__module__):
            return
        name, code = function.__qualname__, function.__code__
        self.places.append(Contents(f"the attributes of {name}", vars(function)))
        yield from ((f"{name}.{key}", value, True) for key, value in vars(function).items())
        names = _names(code)
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            slot = Slot(f"{variable} (around {name})", cell, "cell_contents")
            if variable in names.stored_cells:
                self.places.append(slot)
            value = slot.save()
            if value is not MISSING:
                yield slot.path, value, True
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        yield from ((f"a default of {name}", value, True) for value in defaults)
        for variable in names.stored_globals:
            self.places.append(Slot(f"{variable} (global)", function.__globals__, variable))
        for variable in names.loaded & function.__globals__.keys():
            value = function.__globals__[variable]
            if isinstance(value, types.ModuleType):
                yield from self._module(value, names.loaded)
            else:
                yield f"{variable} (global)", value, True

    def _module(self, module: types.ModuleType, names: set[str]) -> _Found:
        if self._is_foreign(module.__name__):
            return
        for name in names & vars(module).keys():
            yield f"{module.__name__}.{name}", vars(module)[name], True

    def _class(self, kind: type) -> _Found:
        if self._is_foreign(kind.__module__):
            return
        remembered = _remembered(kind)
        for name, value in list(vars(kind).items()):
            if name in remembered and not callable(value) and not hasattr(value, "__get__"):
                self.places.append(Slot(f"{kind.__name__}.{name}", kind, name))
            if not name.startswith("__") or isinstance(value, types.FunctionType):
                yield f"{kind.__name__}.{name}", _unwrapped(value), True
        yield from ((base.__name__, base, True) for base in kind.__bases__)

    def _object(self, path: str, thing: Any) -> _Found:
        """Yield what an object holds; the object of another library is one that code of the user holds."""
        kind = type(thing)
        if isinstance(thing, types.MethodType):
            yield path, thing.__self__, True
            yield path, thing.__func__, True
            return
        if isinstance(thing, functools.partial):
            yield from ((path, part, True) for part in (thing.func, thing.args, thing.keywords))
            return
        if kind.__module__.split(".")[0] in sys.stdlib_module_names and kind is not types.SimpleNamespace:
            return  # a logger leads to all loggers
        is_own = kind is types.SimpleNamespace or not self._is_foreign(kind.__module__)
        if isinstance(getattr(thing, "__dict__", None), dict):
            self._attributes(path, thing)
            yield from ((f"{path}.{name}", value, is_own) for name, value in list(vars(thing).items()))
        for name in _slots(kind):
            if hasattr(thing, name):
                yield f"{path}.{name}", getattr(thing, name), is_own
        yield path, kind, is_own

    def _attributes(self, path: str, thing: Any) -> None:
        """Note the attributes of an object as a place, and those that its methods set as more places."""
        self.places.append(Contents(path, vars(thing), may_clear=False))
        declared = {each.name for each in fields(thing)} if is_dataclass(thing) else set()
        for name in (_remembered(type(thing)) & vars(thing).keys()) - declared:
            self.places.append(Slot(f"{path}.{name}", vars(thing), name))

    def _is_foreign(self, module: str | None) -> bool:
        """Return whether a module is of a library, whose code holds no data of the user."""
        root = (module or "").split(".")[0]
        if root in sys.stdlib_module_names or root in _LIBRARIES:
            return True
        file = str(getattr(sys.modules.get(root), "__file__", None) or "")
        return root not in self.own and ("site-packages" in file or "dist-packages" in file)


@dataclass(frozen=True, eq=False)
class _Names:
    """The names in some code."""

    loaded: set[str] = field(default_factory=set)
    stored_globals: set[str] = field(default_factory=set)
    stored_cells: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)  # stored attributes, and texts such as setattr gets


def _names(code: types.CodeType) -> _Names:
    """Return the names in a function's code and in the functions within it."""
    names = _Names(set(code.co_names))
    kept = {
        "STORE_GLOBAL": names.stored_globals,
        "STORE_DEREF": names.stored_cells,
        "STORE_ATTR": names.texts,
    }
    for step in dis.get_instructions(code):
        if step.opname in kept:
            kept[step.opname].add(str(step.argval))
    for constant in code.co_consts:
        if isinstance(constant, str):
            names.texts.add(constant)
        elif isinstance(constant, types.CodeType):
            inner = _names(constant)
            for each in fields(_Names):
                getattr(names, each.name).update(getattr(inner, each.name))
    return names


def _remembered(kind: type) -> set[str]:
    """Return the attributes that methods of a class may set after its making."""
    names = set()
    for base in kind.__mro__:
        for name, value in vars(base).items():
            plain = _unwrapped(value)
            if isinstance(value, functools.cached_property):
                names.add(name)
            if isinstance(plain, types.FunctionType) and name not in _CONSTRUCTORS:
                names |= _names(plain.__code__).texts
    return names


def _unwrapped(value: Any) -> Any:
    """Return the function within a method of any kind."""
    for name in ("__func__", "fget", "func"):
        inner = getattr(value, name, None)
        if inner is not None and isinstance(
            value, staticmethod | classmethod | property | functools.cached_property
        ):
            return inner
    return value


def _slots(kind: type) -> list[str]:
    slots = (vars(base).get("__slots__", ()) for base in kind.__mro__)
    names = (name for given in slots for name in ((given,) if isinstance(given, str) else given))
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _is_memory_of_numpy(array: np.ndarray[Any, Any]) -> bool:
    """Return whether an array's memory is NumPy's own, neither a file's nor another library's."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return owner.base is None and bool(owner.flags.owndata)
