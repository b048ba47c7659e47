"""A folder of results that is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from allocator.disk import beside, clear_abandoned, inside, make_folder, unwritable, write_whole
from allocator.errors import InputError
from allocator.papers.manifest import MANIFEST, read_manifest

__all__ = ["check_target", "write_folder"]

_FIX = "choose another folder"


def check_target(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds something, unless it is what this wrote before and may be replaced.

    Where a writer was killed while it replaced the folder, the old one gets its name back first.

    Raises
    ------
    InputError
        What holds anything else is never replaced.
    """
    _restore(out)
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
    make_folder(out.parent, "out", _FIX)
    check_target(out, overwrite)
    try:
        clear_abandoned(out.parent)
        made = beside(out.parent)
        made.mkdir()
        try:
            for name, data in files.items():
                write_whole(inside(made, name, "out"), data, "out", _FIX)
            _move(made, out)
        finally:
            shutil.rmtree(made, ignore_errors=True)  # what an interruption left
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unwritable(out, error, "out", _FIX) from None
    return [out / name for name in files]


def _aside(out: Path) -> Path:
    """Return where an old folder waits while the new one takes its name: always the same place."""
    return out.parent / f".{out.name}.allocator-aside"


def _restore(out: Path) -> None:
    """Undo what was half done: the new folder has the name, or the old one gets it back."""
    aside = _aside(out)
    with contextlib.suppress(OSError):
        if not aside.is_symlink() and (aside / MANIFEST).is_file():
            if os.path.lexists(out):
                shutil.rmtree(aside)
            else:
                aside.rename(out)


def _move(made: Path, out: Path) -> None:
    """Give the folder its name; what had it before is put aside first and put back if that fails."""
    if not out.exists():
        made.rename(out)
        return
    aside = _aside(out)
    out.rename(aside)
    try:
        made.rename(out)
    except BaseException:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
