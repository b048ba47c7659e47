"""The manifest of a study: what went in, where it ran, and every number that came out."""

from __future__ import annotations

import hashlib
import json
import numbers
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.errors import InputError
from allocator.papers.data import StudyData
from allocator.papers.environment import code_digests, machine, versions
from allocator.papers.sections import fields_of, naming, parse_json, plain
from allocator.papers.study import Study
from allocator.papers.work import PaperTable
from allocator.untrusted import read_bytes

__all__ = ["MANIFEST", "STUDY", "make_manifest", "manifest_bytes", "read_manifest", "results_of", "sha256"]

MANIFEST, STUDY = "manifest.json", "study.toml"
_FORMAT = "allocator paper manifest"
_VERSION = 1
_MOST_BYTES = 2**24
_LARGEST = sys.float_info.max  # a larger whole number could not be compared with a float
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\Z")
_SECTIONS = {
    "format": str,
    "version": int,
    "study": dict,
    "data": dict,
    "parameters": dict,
    "seed": int,
    "conventions": dict,
    "versions": dict,
    "code": dict,
    "platform": dict,
    "results": dict,
    "files": dict,
}


def make_manifest(
    study: Study, data: StudyData, tables: Sequence[PaperTable], files: Mapping[str, bytes], folder: Path
) -> dict[str, Any]:
    """Return the manifest of a study that was run; the same inputs in the same place give the same bytes."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "study": {"title": study.title, "sha256": study.sha256, "folder": _way(study, folder)},
        "data": {"sha256": data.sha256, "columns": dict(data.columns), **data.span},
        "parameters": dict(study.parameters),
        "seed": study.seed,
        "conventions": {table.name: list(table.notes) for table in tables},
        "versions": versions(),
        "code": code_digests(),
        "platform": machine(),
        "results": results_of(tables),
        "files": {name: sha256(files[name]) for name in sorted(files)},
    }


def _way(study: Study, folder: Path) -> str:
    """Return the way from the manifest to the folder of the data; empty for embedded data."""
    if "history" in study.data:
        return ""
    try:
        return Path(os.path.relpath(study.folder, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return study.folder.as_posix()


def sha256(data: bytes) -> str:
    """Return the digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def results_of(tables: Sequence[PaperTable]) -> dict[str, Any]:
    """Return every number of the tables as JSON has it: dates as texts, NaN as null."""
    return {
        table.name: {
            "columns": [str(name) for name in table.frame.columns],
            "rows": [[_value(cell) for cell in row] for row in table.frame.itertuples(index=False)],
        }
        for table in tables
    }


def _value(cell: Any) -> Any:
    if isinstance(cell, str) or cell is None:
        return cell
    if pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.date().isoformat()
    if isinstance(cell, bool) or type(cell).__name__ in {"bool_", "bool"}:
        return bool(cell)
    if isinstance(cell, numbers.Integral):
        return int(cell)
    number = float(cell)
    return str(number) if number in (float("inf"), float("-inf")) else number


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """Return the manifest as a file."""
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "replace")


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest that a file holds.

    Raises
    ------
    InputError
        If it is none: names the key and the file.
    """
    data = read_bytes(path, "manifest", _MOST_BYTES)
    with naming(path):
        return _manifest(parse_json(data, "manifest"), path)


def _manifest(given: dict[str, Any], path: Path) -> dict[str, Any]:
    if given.get("format") != _FORMAT:
        raise InputError(
            "manifest", f"{str(path)!r} is no manifest of a study", fix="python -m allocator reproduce"
        )
    if given.get("version") != _VERSION:
        problem = f"is of version {given.get('version')!r}, this is version {_VERSION}"
        raise InputError("manifest.version", problem, fix="use the version of the library that wrote it")
    found = fields_of(given, "manifest", _SECTIONS, _SECTIONS)
    for key, kind in _SECTIONS.items():
        if not isinstance(found[key], kind):
            raise InputError(f"manifest.{key}", f"is a {type(found[key]).__name__}")
    _check_texts(found)
    plain(found["parameters"], "manifest.parameters")
    for name, table in found["results"].items():
        _check_table(name, table)
    return found


def _check_texts(found: Mapping[str, Any]) -> None:
    for key in ("versions", "code", "platform", "files"):
        for name, text in found[key].items():
            if not isinstance(text, str):
                raise InputError(f"manifest.{key}.{name}", f"is a {type(text).__name__}, not a text")
    for name in found["files"]:
        if not _FILE.match(name):
            raise InputError("manifest.files", f"{name!r} is no plain file name")
    for key, part in (("study", "folder"), ("study", "sha256"), ("data", "sha256")):
        if not isinstance(found[key].get(part), str):
            raise InputError(f"manifest.{key}.{part}", "is no text")
    columns = found["data"].get("columns")
    if not isinstance(columns, dict) or not all(isinstance(text, str) for text in columns.values()):
        raise InputError("manifest.data.columns", "is no table of texts")


def _is_cell(cell: Any) -> bool:
    is_number = isinstance(cell, int | float)
    return cell is None or isinstance(cell, str) or (is_number and abs(cell) <= _LARGEST)


def _check_table(name: str, table: Any) -> None:
    where = f"manifest.results.{name}"
    fields = fields_of(table, where, ["columns", "rows"], ["columns", "rows"])
    columns, rows = fields["columns"], fields["rows"]
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise InputError(f"{where}.columns", "is no list of names")
    if not isinstance(rows, list):
        raise InputError(f"{where}.rows", "is no list of rows")
    for j, row in enumerate(rows):
        is_row = isinstance(row, list) and len(row) == len(columns)
        if not is_row or not all(map(_is_cell, row)):
            raise InputError(f"{where}.rows[{j}]", f"is no row of {len(columns)} values")
