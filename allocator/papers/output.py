"""A folder of results that is there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from allocator.errors import InputError
from allocator.papers.manifest import MANIFEST, read_manifest

__all__ = ["check_target", "write_folder"]


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something, unless it is what this wrote before and may be replaced.

    Raises
    ------
    InputError
        What holds anything else is never replaced.
    """
    try:
        if not os.path.lexists(out):
            return
        if out.is_symlink() or not out.is_dir():
            raise InputError("out", f"{str(out)!r} is there and no folder", fix="choose another")
        held = {path.name for path in out.iterdir()}
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("out", f"{str(out)!r} cannot be looked at: {error}", fix="choose another") from None
    if not held:
        return
    if not overwrite:
        raise InputError("out", f"{str(out)!r} exists", fix="choose another, or pass --overwrite")
    _refuse_others(out, held)


def _refuse_others(out: Path, held: set[str]) -> None:
    """Refuse to replace a folder that was not written here, or to which something was added."""
    fix = "choose another folder: only what reproduce wrote is replaced"
    if MANIFEST not in held:
        raise InputError("out", f"{str(out)!r} holds no {MANIFEST}", fix=fix)
    others = sorted(held - {MANIFEST, *read_manifest(out / MANIFEST)["files"]})
    if others:
        raise InputError("out", f"{str(out)!r} also holds {others[0]!r}", fix=fix)


def write_folder(out: Path, files: Mapping[str, bytes], overwrite: bool) -> list[Path]:
    """Write files to a folder of their own, which appears under its name when all are on the disk.

    Raises
    ------
    InputError
        What :func:`check_target` refuses, and a disk that is full or closed.
    """
    check_target(out, overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = _beside(out)
        made.mkdir()
        try:
            _write_all(made, files)
            _move(made, out)
        finally:
            shutil.rmtree(made, ignore_errors=True)  # what an interruption left
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        problem = f"cannot write to {str(out)!r}: {getattr(error, 'strerror', None) or error}"
        raise InputError("out", problem, fix="choose another folder") from None
    return [out / name for name in files]


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        with (folder / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _beside(out: Path) -> Path:
    """Return a name that nothing has, on the same disk."""
    return out.parent / f".{out.name}.{secrets.token_hex(8)}"


def _move(made: Path, out: Path) -> None:
    """Give the folder its name; what had it before is put aside first and put back if that fails."""
    if not out.exists():
        made.rename(out)
        return
    aside = _beside(out)
    out.rename(aside)
    try:
        made.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
