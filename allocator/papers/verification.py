"""Run a study again from its manifest and say whether the same numbers come out, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from allocator.errors import InputError
from allocator.papers.data import StudyData
from allocator.papers.environment import code_digests, machine, versions
from allocator.papers.manifest import STUDY, read_manifest, results_of, sha256
from allocator.papers.reproduction import run_study
from allocator.papers.study import Study, read_study
from allocator.tables import html_lines, text_block
from allocator.untrusted import read_bytes

__all__ = ["Verification", "verify"]

IDENTICAL, EQUAL, DIFFERENT = "identical", "equal within tolerance", "different"
_SMALL = 1e-3  # below, differences count as if the numbers were this large
_SHOWN = 10
_MOST_BYTES = 2**28


@final
@dataclass(frozen=True, repr=False)
class Verification:
    """Whether a study gives the numbers of its manifest; prints itself.

    Attributes
    ----------
    verdict
        ``identical`` (every number to the last bit), ``equal within tolerance``, or ``different``.
    differences
        What differs beyond the tolerance, a line each: numbers, files, data, parameters.
    changes
        What is not as it was when the manifest was made, and may be why: data, parameters, versions, code,
        platform, wording of the conventions; a line each, and known also where all numbers are equal.
    n
        Numbers and texts compared.
    largest
        The largest relative difference between two numbers; of numbers below 0.001, relative to 0.001.
    tolerance
        What ``largest`` may be.
    """

    verdict: str
    differences: tuple[str, ...]
    changes: tuple[str, ...]
    n: int
    largest: float
    tolerance: float

    def __repr__(self) -> str:
        return text_block(self._lines)

    def _repr_html_(self) -> str:
        return f"<div>{html_lines(self._lines)}</div>"

    @property
    def _lines(self) -> list[str]:
        scale = f"largest relative difference {self.largest:.1e}, tolerance {self.tolerance:.0e}"
        lines = [f"{self.verdict}: {self.n:,} values compared; {scale}"]
        more = len(self.differences) - _SHOWN
        lines += [f"  {line}" for line in self.differences[:_SHOWN]]
        lines += [f"  and {more:,} more"] if more > 0 else []
        if self.differences and not self.changes:
            return [*lines, "why: nothing that the manifest records has changed"]
        if self.changes:
            lines.append("changed since, and may be why:" if self.differences else "changed since:")
        return [*lines, *(f"  {line}" for line in self.changes)]


def verify(manifest: str | Path, *, tolerance: float = 1e-7, data: str | Path | None = None) -> Verification:
    """Run the study of a manifest again, from the ``study.toml`` beside it, and compare every number.

    Parameters
    ----------
    manifest
        The path of a ``manifest.json`` that :func:`reproduce` wrote.
    tolerance
        Largest relative difference of two numbers that still counts as equal: another processor or version
        of a library rounds another way, and quantiles of SciPy moved by 1e-8 from 1.11 to 1.17.
    data
        The folder in which the files of the data are looked up, and which no name leaves; by default where
        they were, seen from the manifest.

    Raises
    ------
    InputError
        If the manifest or the study is not there or is none, data are not there, or the study names the
        digest of other data; and what a run refuses.
    """
    if not isinstance(manifest, str | Path):
        raise InputError(
            "manifest", f"is a {type(manifest).__name__}", fix="pass the path of a manifest.json"
        )
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not is_number or not 0.0 <= tolerance < 1.0:
        raise InputError("tolerance", f"{tolerance!r} is no relative difference", fix="pass 1e-7")
    path = Path(manifest)
    given = read_manifest(path)
    study = _study(path.parent, given, data)
    work, tables = run_study(study)
    found, n, largest = _compared(given["results"], results_of(tables), tolerance)
    was = _not_as_it_was(given, study, work.data)
    differences = (*found, *_altered(given, path.parent), *was)
    wording = _worded({table.name: list(table.notes) for table in tables}, given["conventions"])
    changes = (*was, *_elsewhere(given), *wording)
    verdict = DIFFERENT if differences else EQUAL if largest > 0.0 else IDENTICAL
    return Verification(verdict, differences, changes, n, largest, float(tolerance))


def _study(folder: Path, given: Mapping[str, Any], data: str | Path | None) -> Study:
    copy = folder / STUDY
    if not copy.is_file():
        fix = "keep the folder together as it was written"
        raise InputError("manifest", f"{str(copy)!r}, which is the study, is not there", fix=fix)
    base = folder / given["study"]["folder"] if data is None else Path(data)
    return replace(read_study(copy), folder=base)


def _compared(
    old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float
) -> tuple[list[str], int, float]:
    """Return what differs, how much was compared, and the largest difference of two numbers."""
    lines, n, largest = [], 0, 0.0
    for name in {**old, **new}:
        if name not in old or name not in new:
            lines.append(f"{name}: the table was {'not there' if name in new else 'there, and is no more'}")
            continue
        shape = _other_shape(old[name], new[name])
        if shape:
            lines.append(f"{name}: {shape}")
            continue
        for place, was, now in _cells(old[name], new[name]):
            n += 1
            gap = _gap(was, now)
            largest = max(largest, gap)
            if gap > tolerance:
                lines.append(f"{name}, {place}: was {was!r}, is {now!r}")
    return lines, n, largest


def _other_shape(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if old["columns"] != new["columns"]:
        moved = sorted(set(old["columns"]) ^ set(new["columns"]))
        return f"other columns: {', '.join(moved) or 'in another order'}"
    rows = len(old["rows"]), len(new["rows"])
    return f"had {rows[0]} rows, has {rows[1]}" if rows[0] != rows[1] else ""


def _cells(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for was, now in zip(old["rows"], new["rows"], strict=True):
        row = " / ".join(cell for cell in now[:3] if isinstance(cell, str) and len(cell) < 60)
        for column, *pair in zip(old["columns"], was, now, strict=True):
            yield f"{row}, {column}" if row else column, *pair


def _gap(was: Any, now: Any) -> float:
    """Return the relative difference of two numbers; infinite for other values that are not the same."""
    both = (was, now)
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in both):
        return float(abs(was - now) / max(abs(was), abs(now), _SMALL))
    return 0.0 if was == now and type(was) is type(now) else float("inf")


def _altered(given: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield what was done to the files beside the manifest."""
    for name, digest in given["files"].items():
        path = folder / name
        try:
            found = sha256(read_bytes(path, name, _MOST_BYTES, may_be_empty=True))
        except InputError:
            yield f"{name}: the file is not there any more"
            continue
        if found != digest:
            yield f"{name}: the file was changed after it was written"


def _not_as_it_was(given: Mapping[str, Any], study: Study, data: StudyData) -> list[str]:
    """Return how data and parameters differ from those of the manifest."""
    lines = [f"parameters: {line}" for line in _changed(given["parameters"], dict(study.parameters), "")]
    if data.sha256 == given["data"]["sha256"]:
        return lines
    old, new = given["data"]["columns"], data.columns
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            how = "new" if name not in old else "gone" if name not in new else "other dates or values"
            lines.append(f"data: {name}: {how}")
    span = [f"{key} was {given['data'].get(key)}, is {now}" for key, now in data.span.items()]
    moved = [line for line in span if not _is_same(line)]
    return [*lines, *(f"data: {line}" for line in moved)]


def _is_same(line: str) -> bool:
    was, now = line.split(" was ", 1)[1].split(", is ", 1)
    return was == now


def _changed(old: Any, new: Any, where: str) -> Iterator[str]:
    """Yield the places at which two plain values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            inner = f"{where}.{key}".strip(".")
            if key not in old or key not in new:
                yield f"{inner} {'is new' if key in new else 'is gone'}"
            else:
                yield from _changed(old[key], new[key], inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for j, pair in enumerate(zip(old, new, strict=True)):
            yield from _changed(*pair, f"{where}[{j}]")
    elif old != new or type(old) is not type(new):
        yield f"{where} was {old!r}, is {new!r}"


def _elsewhere(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield how versions, code and machine differ from those of the manifest."""
    now = {"versions": versions(), "code": code_digests(), "platform": machine()}
    for part, found in now.items():
        for name in {**given[part], **found}:
            was, is_ = given[part].get(name, "not there"), found.get(name, "not there")
            if was != is_:
                yield (
                    f"code: the source of {name} was changed"
                    if part == "code"
                    else (f"{part}: {name} was {was}, is {is_}")
                )


def _worded(now: Mapping[str, list[str]], was: Mapping[str, Any]) -> Iterator[str]:
    for name, lines in now.items():
        old = was.get(name)
        known = old if isinstance(old, list) else []
        new = [line for line in lines if line not in known]
        if new:
            yield f"conventions of {name}: now say {new[0]!r}"
