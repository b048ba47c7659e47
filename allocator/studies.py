"""What the command line compares: found by entry point, because ``allocator`` itself knows no strategy."""

from __future__ import annotations

import importlib.metadata
import inspect
import sys
from collections.abc import Iterable
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from allocator.engine import FixedMix, Strategy
from allocator.errors import InputError

__all__ = ["default_study", "strategy_classes", "strategy_modules"]


def default_study(stocks: str, bonds: str, gold: str, also: Iterable[str]) -> list[Strategy]:
    """Ask the installed packages for the strategies to compare: 60/40 first, risk parity second.

    Raises
    ------
    InputError
        If none are installed.
    """
    found = list(importlib.metadata.entry_points(group="allocator.studies", name="default"))
    if not found:
        raise InputError("strategies", "none are installed", fix="pip install allocator-backtest")
    return list(_load(found[0])(stocks=stocks, bonds=bonds, gold=gold, also=tuple(also)))


def strategy_modules() -> dict[str, ModuleType]:
    """Return the installed modules of strategies, the entry points ``allocator.strategies``, by name."""
    found = importlib.metadata.entry_points(group="allocator.strategies")
    modules = {entry.value: _load(entry) for entry in sorted(found, key=lambda entry: entry.value)}
    return {name: module for name, module in modules.items() if isinstance(module, ModuleType)}


def strategy_classes() -> dict[str, type]:
    """Return what a study file may name: the public dataclasses of these modules, and ``FixedMix``.

    Raises
    ------
    InputError
        If no module is installed, or two have different classes of one name.
    """
    modules = strategy_modules()
    if not modules:
        raise InputError("strategies", "none are installed", fix="pip install allocator-backtest")
    classes: dict[str, type] = {"FixedMix": FixedMix}
    for module in modules.values():
        for name in module.__all__:
            offered = getattr(module, name)
            if not _is_concrete(offered):
                continue
            if classes.setdefault(name, offered) is not offered:
                problem = f"{name!r} is in {classes[name].__module__} and in {offered.__module__}"
                raise InputError("strategies", problem, fix="uninstall one of the two")
    return classes


def _is_concrete(offered: object) -> bool:
    return isinstance(offered, type) and is_dataclass(offered) and not inspect.isabstract(offered)


def _load(entry: importlib.metadata.EntryPoint) -> Any:
    # A folder called `strategies` where the person stands would hide ours.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    try:
        return entry.load()
    finally:
        sys.path.pop(0)
