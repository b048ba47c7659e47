"""A study as a file describes it: data, strategies, runs, regimes, tests and figures."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from allocator.engine import Costs, Rebalancing, Strategy
from allocator.errors import InputError
from allocator.market import Market
from allocator.papers.analyses import ANALYSES, Analysis
from allocator.papers.data import check_data
from allocator.papers.grammar import build, construct, made_costs, made_rebalancing, regime_rule
from allocator.papers.sections import fields_of, naming, nearest, parse_toml, text_of
from allocator.papers.work import FIGURES, Run
from allocator.regimes import Regimes
from allocator.studies import strategy_classes
from allocator.untrusted import read_bytes

__all__ = ["Study", "read_study"]

_KEYS = (
    *("title", "note", "seed", "data", "window", "strategies", "runs"),
    *("regimes", "tests", "figures"),
)
_MOST_BYTES = 2**18
_MOST_ENTRIES = 50
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}\Z")  # a hyphen parts it from what files add
_DEFAULT_RUN = {"name": "default"}


@final
@dataclass(frozen=True, eq=False)
class Study:
    """What is to be run; all of it is made and checked before anything runs.

    Attributes
    ----------
    title, note, seed
        As the file says.
    data
        The section on the data.
    start, end
        First and last date whose return counts, or None.
    strategies, runs, regimes, analyses, figures
        What the file asks for.
    parameters
        The file as plain values.
    text, sha256
        The bytes of the file and their digest.
    folder
        Where the files of the data are looked up.
    """

    title: str
    note: str
    seed: int
    data: Mapping[str, Any]
    start: str | None
    end: str | None
    strategies: tuple[Strategy, ...]
    runs: tuple[Run, ...]
    regimes: tuple[Callable[[Market], Regimes], ...]
    analyses: tuple[Analysis, ...]
    figures: tuple[str, ...]
    parameters: Mapping[str, Any]
    text: bytes
    sha256: str
    folder: Path


def read_study(path: str | Path) -> Study:
    """Read a study from a TOML file.

    Raises
    ------
    InputError
        If it is no such file: names the key, what may have been meant, and the file.
    """
    if not isinstance(path, str | Path):
        raise InputError("study", f"is a {type(path).__name__}", fix="pass the path of a TOML file")
    text = read_bytes(path, "study", _MOST_BYTES)
    with naming(Path(path)):
        return _study(text, Path(path))


def _study(text: bytes, file: Path) -> Study:
    given = fields_of(parse_toml(text, "study"), "study", _KEYS, ["title", "seed", "data"])
    window = fields_of(given.get("window", {}), "window", ["start", "end"])
    data = check_data(given["data"])
    strategies = _strategies(given.get("strategies", []))
    analyses = _analyses(given.get("tests", []))
    study = Study(
        title=text_of(given["title"], "title"),
        note=text_of(given.get("note", ""), "note"),
        seed=_seed(given["seed"]),
        data=data,
        start=_date(window, "start"),
        end=_date(window, "end"),
        strategies=strategies,
        runs=_runs(given.get("runs", [_DEFAULT_RUN])),
        regimes=tuple(regime_rule(each, f"regimes[{j}]") for j, each in enumerate(_list(given, "regimes"))),
        analyses=analyses,
        figures=_figures(given.get("figures", []), analyses),
        parameters=given,
        text=text,
        sha256=hashlib.sha256(text).hexdigest(),
        folder=file.resolve().parent,
    )
    _refuse_nothing(study)
    return study


def _refuse_nothing(study: Study) -> None:
    if not study.strategies:
        raise InputError("strategies", "there are none", fix='add [[strategies]] with class = "SixtyForty"')
    if "folder" in study.data and any(each.needs_market for each in study.analyses):
        fix = 'only tests of kind = "article" can be made of a folder'
        raise InputError("data.folder", "is no market", fix=fix)


def _list(given: Mapping[str, Any], key: str) -> list[Any]:
    entries = given.get(key, [])
    if not isinstance(entries, list):
        raise InputError(key, f"is a {type(entries).__name__}", fix=f"write [[{key}]]")
    if len(entries) > _MOST_ENTRIES:
        raise InputError(key, f"has {len(entries)} entries, more than {_MOST_ENTRIES}")
    return entries


def _strategies(given: Any) -> tuple[Strategy, ...]:
    classes = strategy_classes()
    made = []
    for j, entry in enumerate(_list({"strategies": given}, "strategies")):
        where = f"strategies[{j}]"
        fields_of(entry, where, None, ["class"])
        strategy = build(entry, where, classes)
        if not isinstance(strategy, Strategy):
            raise InputError(where, f"{entry['class']!r} is no strategy, but a part of one")
        made.append(strategy)
    return tuple(made)


def _runs(given: Any) -> tuple[Run, ...]:
    entries = _list({"runs": given}, "runs")
    runs = tuple(_run(entry, f"runs[{j}]") for j, entry in enumerate(entries))
    if not runs:
        raise InputError("runs", "there are none", fix="leave it out for one run with the default costs")
    _refuse_repeated([run.slug for run in runs], "runs")
    return runs


def _run(given: Any, where: str) -> Run:
    keys = ["name", "rebalancing", "costs", "lag", "unlisted", "max_leverage", "allow_short"]
    fields = fields_of(given, where, keys, ["name"])
    rebalancing: Rebalancing | None = made_rebalancing(
        fields.pop("rebalancing", None), f"{where}.rebalancing"
    )
    costs: Costs = made_costs(fields.pop("costs", {}), f"{where}.costs")
    run = construct(Run, fields, where, {})
    assert isinstance(run, Run)
    return run.under(rebalancing, costs)


def _analyses(given: Any) -> tuple[Analysis, ...]:
    made = []
    for j, entry in enumerate(_list({"tests": given}, "tests")):
        where = f"tests[{j}]"
        fields = fields_of(entry, where, None, ["kind"])
        kind = text_of(fields.pop("kind"), f"{where}.kind")
        if kind not in ANALYSES:
            raise InputError(f"{where}.kind", f"{kind!r} is not known", fix=nearest(kind, ANALYSES))
        analysis = construct(ANALYSES[kind], {"name": kind, **fields}, where, {})
        _check_name(analysis.name, f"{where}.name")
        made.append(analysis)
    _refuse_repeated(["performance", *FIGURES, *(each.name for each in made)], "tests")
    return tuple(made)


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        fix = "use small letters, digits and '_': it is the name of a file"
        raise InputError(where, f"{name!r} is no name", fix=fix)


def _refuse_repeated(names: Sequence[str], where: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(where, f"two are called {twice!r}", fix="give one another name")


def _figures(given: Any, analyses: Sequence[Analysis]) -> tuple[str, ...]:
    drawn = [each.name for each in analyses if each.has_figure]
    names = _list({"figures": given}, "figures")
    for name in names:
        if text_of(name, "figures") not in (*FIGURES, *drawn):
            raise InputError("figures", f"{name!r} is not known", fix=nearest(name, (*FIGURES, *drawn)))
    _refuse_repeated(names, "figures")
    return tuple(names)


def _seed(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 2**32:
        raise InputError("seed", f"is {given!r}", fix="write a whole number from 0 on")
    return given


def _date(window: Mapping[str, Any], key: str) -> str | None:
    return None if key not in window else text_of(window[key], f"window.{key}")
