"""What a strategy can reach besides the past that it is given: fields, closures, globals, classes, caches."""

from __future__ import annotations

import array
import collections
import collections.abc
import datetime as dt
import dis
import functools
import gc
import importlib
import importlib.util
import sys
import types
import weakref
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
    days_of,
    is_number,
    row_dates,
)

__all__ = ["Belongings", "belongings_of"]

_ATOMS = (type(None), bool, int, float, complex, str, bytes, np.generic, dt.date, dt.timedelta, pd.Index)
_MOST = 20_000  # things looked at; a strategy that carries more is said to
_LIBRARIES = {"allocator", "numpy", "pandas"}
_FEWEST_ROWS = 12  # an array of fewer rows than this may have that many by chance
_FEWEST_DATES = 3  # a date or two are parameters: a beginning, an end
_LONG = 24  # items; what has more may be data that were made elsewhere
_LONG_TEXT = 200  # characters
_BY_TEXT = {"globals", "vars", "getattr", "__dict__", "modules"}  # what code can reach variables by text with
_LOADERS = {  # by the library that they are of; of pandas all that begin with read_
    "allocator": {"load_us_history", "simulate_market", "simulated_regimes", "read_prices"},
    "numpy": {"load", "loadtxt", "genfromtxt", "fromfile", "memmap"},
    "pandas": {"HDFStore", "ExcelFile"},
}
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
        What has an item for each row of the market and cannot be written to, and where.
    unread
        What is long, or dates, and not understood, and where.
    loaders
        Functions that load or simulate data, and what calls them.
    is_complete
        Whether all was looked at.
    """

    dated: tuple[Dated, ...]
    places: tuple[Place, ...]
    forgetful: tuple[Callable[[], None], ...]
    undated: tuple[str, ...]
    fixed: tuple[str, ...]
    unread: tuple[str, ...]
    loaders: tuple[str, ...]
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
        if id(thing) in walk.seen:
            continue
        if isinstance(thing, _ATOMS):
            if is_own:
                walk.atom(path, thing)
            continue
        walk.seen[id(thing)] = thing  # kept, so that no other object gets its id
        queue.extend(walk.visit(path, thing, is_own))
    return Belongings(
        tuple(walk.dated),
        tuple(walk.places),
        tuple(walk.forgetful),
        tuple(walk.undated),
        tuple(walk.fixed),
        tuple(walk.unread),
        tuple(walk.loaders),
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
    unread: list[str] = field(default_factory=list)
    loaders: list[str] = field(default_factory=list)

    @functools.cached_property
    def row_days(self) -> Any:
        """The day of each row of the market."""
        return row_dates(self.market.index)

    def visit(self, path: str, thing: Any, is_own: bool) -> _Found:
        """Note what a thing is, and yield what it leads to."""
        if isinstance(thing, Market):
            self.dated.append(DatedMarket(path, thing))
        elif _is_loader(thing):
            self._note_loader(path)
        elif isinstance(thing, pd.DataFrame | pd.Series):
            self._table(path, thing, is_own)
        elif isinstance(thing, np.ndarray):
            self._array(path, thing, is_own)
        elif isinstance(thing, dict):
            yield from self._mapping(path, thing, is_own)
        elif isinstance(thing, list | set | collections.deque | tuple | frozenset):
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

    def _table(self, path: str, table: Any, is_own: bool) -> None:
        days = row_dates(table.index)
        across = row_dates(table.columns) if days is None and isinstance(table, pd.DataFrame) else None
        if days is None and across is None and is_own and len(table) and self._is_by_row(table):
            days = self.row_days[: len(table)]
        if days is not None:
            self.dated.append(DatedTable(path, table, days))
        elif across is not None:
            self.dated.append(DatedTable(path, table, across, by_column=True))
        else:
            self.undated.append(path)

    def _array(self, path: str, table: np.ndarray[Any, Any], is_own: bool) -> None:
        by_row = [axis for axis, length in enumerate(table.shape) if self._is_as_long(length)]
        if not (is_own and by_row):
            self.undated.append(path)
        elif _is_memory_of_numpy(table):
            self.dated.append(DatedArray(path, np.moveaxis(table, by_row[0], 0), self.market))
        else:
            self.fixed.append(_said(path, table))

    def _is_by_row(self, thing: Any) -> bool:
        """Return whether there is an item for each row of the market, or for each return."""
        return self._is_as_long(len(thing))

    def _is_as_long(self, length: int) -> bool:
        n_rows = len(self.market.days)
        return n_rows >= _FEWEST_ROWS and length in (n_rows - 1, n_rows)

    def _mapping(self, path: str, mapping: dict[Any, Any], is_own: bool) -> _Found:
        """Note a dictionary by date, by row or by something else, and yield its values."""
        self.places.append(Contents(path, mapping))
        days = days_of(mapping)
        if days is None and is_own and self._is_by_row(mapping) and _are_rows(mapping):
            days = self.row_days[: len(mapping)]
        if days is not None:
            self.dated.append(DatedMapping(path, mapping, days))
        elif is_own and self._is_long(mapping) and any(_is_plain(value) for value in mapping.values()):
            self._note_unread(path, mapping)
        yield from ((f"{path}[{key!r}]", value, is_own) for key, value in list(mapping.items()))

    def _container(self, path: str, thing: Any, is_own: bool) -> _Found:
        if not isinstance(thing, tuple | frozenset):
            self.places.append(Contents(path, thing))
        is_plain = all(self._is_row(each) for each in thing)
        if is_own:
            self._items(path, thing)
        if not (is_plain and self._is_long(thing)):  # many rows of values lead nowhere
            yield from ((f"{path}[{place}]", value, is_own) for place, value in enumerate(thing))

    def _is_row(self, thing: Any) -> bool:
        """Return whether a thing is a value or a short row of values."""
        if isinstance(thing, np.ndarray):
            return not any(map(self._is_as_long, thing.shape))
        return _is_plain(thing) and not (isinstance(thing, tuple | list) and self._is_long(thing))

    def _items(self, path: str, thing: Any) -> None:
        """Note what has an item for each row, dates, or too many items to be parameters."""
        is_sequence = isinstance(thing, list | tuple | collections.deque)
        if is_sequence and self._is_by_row(thing) and not self._are_assets(thing) and days_of(thing) is None:
            if isinstance(thing, tuple):
                self.fixed.append(_said(path, thing))
            else:
                self.dated.append(DatedList(path, thing, self.market))
            return
        are_dates = len(thing) >= _FEWEST_DATES and days_of(thing) is not None
        if are_dates or (self._is_long(thing) and any(self._is_row(each) for each in thing)):
            self._note_unread(path, thing)

    def atom(self, path: str, thing: Any) -> None:
        """Note a text, bytes or labels that may be data."""
        if isinstance(thing, str):
            may_be = self._is_by_row(thing) and " " not in thing
            if may_be or len(thing) > _LONG_TEXT:
                self._note_unread(path, thing)
        elif isinstance(thing, bytes | pd.Index) and self._is_long(thing):
            self._note_unread(path, thing)

    def _is_long(self, thing: Any) -> bool:
        return len(thing) > _LONG or self._is_by_row(thing)

    def _are_assets(self, thing: Any) -> bool:
        names = set(self.market.assets)
        return all(isinstance(each, str) and each in names for each in thing)

    def _note_unread(self, path: str, thing: Any) -> None:
        if isinstance(thing, str | bytes) or not self._are_assets(thing):
            self.unread.append(_said(path, thing))

    def _function(self, function: types.FunctionType) -> _Found:
        """Yield what a function's code names: variables around it, globals, defaults, imports."""
        if self._is_foreign(function.__module__):
            return
        name, code = function.__qualname__, function.__code__
        self.places.append(Contents(f"the attributes of {name}", vars(function)))
        yield from ((f"{name}.{key}", value, True) for key, value in vars(function).items())
        names = _names(code)
        modules = list(self._imported(names, function.__globals__))
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            slot = Slot(f"{variable} (around {name})", cell, "cell_contents")
            if variable in names.stored_cells:
                self.places.append(slot)
            value = slot.save()
            if isinstance(value, types.ModuleType):
                modules.append(value)
            elif value is not MISSING:
                yield slot.path, value, True
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        yield from ((f"a default of {name}", value, True) for value in defaults)
        for variable in names.stored_globals:
            self.places.append(Slot(f"{variable} (global)", function.__globals__, variable))
        by_text = names.texts if names.loaded & _BY_TEXT else set()
        for variable in (names.loaded | by_text) & function.__globals__.keys():
            value = function.__globals__[variable]
            if isinstance(value, types.ModuleType):
                modules.append(value)
            else:
                yield f"{variable} (global)", value, True
        looked_into: set[int] = set()
        for module in modules:
            yield from self._module(module, names.loaded | by_text, name, looked_into)

    def _imported(self, names: _Names, variables: dict[str, Any]) -> Iterator[types.ModuleType]:
        """Yield the modules that the code imports when it runs; those of the user are imported now."""
        for name, level in names.imports:
            try:
                full = importlib.util.resolve_name("." * level + name, variables.get("__package__") or "")
                parts = full.split(".")
                for k in range(1, len(parts) + 1):
                    module = self._loaded_module(".".join(parts[:k]))
                    if module is not None:
                        yield module
            except Exception:  # what cannot be imported is not reached
                continue

    def _loaded_module(self, name: str) -> types.ModuleType | None:
        if name not in sys.modules and not self._is_foreign(name):
            origin = str(getattr(importlib.util.find_spec(name), "origin", None) or "")
            if "-packages" not in origin:
                importlib.import_module(name)
        return sys.modules.get(name)

    def _module(self, module: types.ModuleType, names: set[str], by: str, looked_into: set[int]) -> _Found:
        """Yield what code takes from a module of the user, and note what loads data in a library."""
        if id(module) in looked_into:
            return
        looked_into.add(id(module))
        if self._is_foreign(module.__name__):
            for name in sorted(filter(_may_load, names)):
                if _is_loader(getattr(module, name, None)):
                    self._note_loader(f"{name} of {module.__name__.split('.')[0]} in {by}")
            if module.__name__.split(".")[0] in _LOADERS:  # allocator.market.load_us_history
                inner = (vars(module).get(name) for name in names)
                for each in inner:
                    if isinstance(each, types.ModuleType):
                        yield from self._module(each, names, by, looked_into)
            return
        for name in names & vars(module).keys():
            value = vars(module)[name]
            if isinstance(value, types.ModuleType):
                yield from self._module(value, names, by, looked_into)
            else:
                yield f"{module.__name__}.{name}", value, True

    def _note_loader(self, said: str) -> None:
        if said not in self.loaders:
            self.loaders.append(said)

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
        inner = _inner(thing)
        if inner is not None:
            yield from ((path, part, True) for part in inner)
            return
        if isinstance(thing, array.array | memoryview):
            self._buffer(path, thing)
            return
        if isinstance(thing, pd.api.extensions.ExtensionArray):
            yield from self._extension(path, thing)
            return
        if kind.__module__.split(".")[0] in sys.stdlib_module_names and kind is not types.SimpleNamespace:
            self._of_python(path, thing)  # a logger leads to all loggers
            return
        is_own = kind is types.SimpleNamespace or not self._is_foreign(kind.__module__)
        if isinstance(getattr(thing, "__dict__", None), dict):
            self._attributes(path, thing)
            yield from ((f"{path}.{name}", value, is_own) for name, value in list(vars(thing).items()))
        for name in _slots(kind):
            if hasattr(thing, name):
                yield f"{path}.{name}", getattr(thing, name), is_own
        yield path, kind, is_own

    def _buffer(self, path: str, thing: Any) -> None:
        """Note memory that NumPy can show as an array."""
        shown = np.asarray(thing) if memoryview(thing).contiguous else np.empty(0)
        if shown.ndim and self._is_as_long(len(shown)):
            is_read_only = memoryview(thing).readonly
            if is_read_only:
                self.fixed.append(_said(path, thing))
            else:
                self.dated.append(DatedArray(path, shown, self.market))
        elif len(thing) > _LONG:
            self._note_unread(path, thing)

    def _extension(self, path: str, thing: Any) -> _Found:
        """Yield the array within an array of pandas."""
        within = next((getattr(thing, n) for n in ("_ndarray", "_data") if hasattr(thing, n)), None)
        if isinstance(within, np.ndarray):
            yield path, within, True
        elif self._is_long(thing):
            self._note_unread(path, thing)

    def _of_python(self, path: str, thing: Any) -> None:
        """Note what the standard library holds data in, and what is not looked into."""
        if isinstance(thing, collections.abc.Iterator):
            self.unread.append(f"{path}: {type(thing).__name__}")
        elif isinstance(thing, collections.abc.Sized | bytearray) and not isinstance(thing, range):
            try:
                if self._is_long(thing):
                    self._note_unread(path, thing)
            except Exception:  # its length is not known
                return

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
    imports: set[tuple[str, int]] = field(default_factory=set)  # modules, and from how many levels up


def _names(code: types.CodeType) -> _Names:
    """Return the names in a function's code and in the functions within it."""
    names = _Names(set(code.co_names))
    kept = {
        "STORE_GLOBAL": names.stored_globals,
        "STORE_DEREF": names.stored_cells,
        "STORE_ATTR": names.texts,
    }
    steps = list(dis.get_instructions(code))
    for k, step in enumerate(steps):
        if step.opname in kept:
            kept[step.opname].add(str(step.argval))
        elif step.opname == "IMPORT_NAME":
            names.imports.add((str(step.argval), _levels_up(steps, k)))
    for constant in code.co_consts:
        if isinstance(constant, str):
            names.texts.add(constant)
        elif isinstance(constant, types.CodeType):
            inner = _names(constant)
            for each in fields(_Names):
                getattr(names, each.name).update(getattr(inner, each.name))
    return names


def _levels_up(steps: list[dis.Instruction], k: int) -> int:
    """Return what is loaded before the names that an import takes: how many dots it begins with."""
    level = steps[k - 2].argval if k > 1 else 0
    return level if type(level) is int else 0


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
    """Return the names of slots, private ones as Python writes them into the class."""
    names = []
    for base in kind.__mro__:
        given = vars(base).get("__slots__", ())
        for name in (given,) if isinstance(given, str) else given:
            is_private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{name}" if is_private else name)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _inner(thing: Any) -> tuple[Any, ...] | None:
    """Return what a wrapper of the standard library wraps, None if it is none."""
    if isinstance(thing, collections.UserDict | collections.UserList | collections.UserString):
        return (vars(thing),) if type(thing).__module__ != "collections" else (thing.data,)
    if isinstance(thing, collections.ChainMap):
        return tuple(thing.maps)
    if isinstance(thing, types.MappingProxyType):
        return tuple(gc.get_referents(thing))
    if isinstance(thing, weakref.ref):
        return (thing(),)
    if isinstance(thing, weakref.WeakValueDictionary | weakref.WeakKeyDictionary):
        return tuple(thing.items())
    return None


def _may_load(name: str) -> bool:
    return name.startswith("read_") or any(name in names for names in _LOADERS.values())


def _is_loader(thing: Any) -> bool:
    """Return whether something is a function of a library that loads or simulates data."""
    library = str(getattr(thing, "__module__", "")).split(".")[0]
    name = str(getattr(thing, "__name__", ""))
    return name in _LOADERS.get(library, ()) or (library == "pandas" and name.startswith("read_"))


def _are_rows(keys: Any) -> bool:
    """Return whether keys are the numbers of rows, from 0 or 1 on."""
    first = next(iter(keys))
    return first in (0, 1) and all(is_number(k) and k == first + n for n, k in enumerate(keys))


def _is_plain(thing: Any) -> bool:
    """Return whether a thing is a value or a row of values, which leads nowhere."""
    if isinstance(thing, tuple | list):
        return all(isinstance(each, _ATOMS) for each in thing)
    return isinstance(thing, _ATOMS)


def _said(path: str, thing: Any) -> str:
    return f"{path}: {type(thing).__name__} of {len(thing)}"


def _is_memory_of_numpy(table: np.ndarray[Any, Any]) -> bool:
    """Return whether an array's memory is NumPy's own, neither a file's nor another library's."""
    owner = table
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return owner.base is None and bool(owner.flags.owndata)
