"""Writing files: whole or not at all, never over what is somebody else's, never outside of a folder.

A reader sees the old file or the new one and never half of either, whenever a writer is stopped. What a
writer that was killed leaves behind is called ``.allocator-….part``, is read by nobody, and is removed by the
next writer in that folder once it is a day old.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from allocator.errors import InputError

__all__ = [
    "beside",
    "clear_abandoned",
    "inside",
    "make_folder",
    "refuse_others",
    "unwritable",
    "write_whole",
]

_ABANDONED_SECONDS = 86400.0  # a temporary file this old belongs to nobody
_PART = re.compile(r"\.allocator-[0-9a-f]{16}\.part")
_LOOKED_AT = 4096  # bytes at both ends of a file, in which it says who wrote it
_DRIVE = re.compile(r"[A-Za-z]:")


def write_whole(path: Path, content: bytes, argument: str = "path", fix: str = "choose another") -> None:
    """Write a file so that nobody, not even after a crash, sees half of it; an old one stays until then.

    The content goes to a file beside it, to the disk, and then takes the name. Rights follow the umask.

    Parameters
    ----------
    path
        The file, in a folder that is there.
    content
        All of it.
    argument, fix
        What the error says: who named the path, and what to do.

    Raises
    ------
    InputError
        If the disk is full or closed to us, the folder is missing, or the name is that of a folder, a
        symbolic link or a device.
    """
    problem = _no_file(path)
    if problem:
        raise InputError(argument, f"{str(path)!r} is {problem}", fix=fix)
    try:
        clear_abandoned(path.parent)
        _replace(path, content)
    except (OSError, ValueError) as error:
        raise unwritable(path, error, argument, fix) from None


def make_folder(folder: Path, argument: str = "path", fix: str = "choose another") -> None:
    """Make a folder and those above it, where they are not there; InputError says why that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unwritable(folder, error, argument, fix) from None


def unwritable(path: Path, error: Exception, argument: str, fix: str = "choose another") -> InputError:
    """Return the refusal of a path that the system refuses, in its words."""
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return InputError(argument, f"cannot write {str(path)!r}: {why}", fix=fix)


def refuse_others(
    paths: Iterable[Path],
    marks: Iterable[bytes],
    argument: str,
    *,
    overwrite: bool,
    shown_by: Path | None = None,
    fix: str = "choose another name, or overwrite=True (--overwrite)",
) -> None:
    """Refuse to replace files that are there, unless they are ours or the caller says so.

    Parameters
    ----------
    paths
        What is to be written.
    marks
        Bytes, one of which a file of ours has near its beginning or its end.
    argument
        Who named the paths.
    overwrite
        The caller's word that all of them may be replaced.
    shown_by
        A file by whose mark all of them are known; by default each by its own.
    fix
        What to do.

    Raises
    ------
    InputError
        The first file that is there and not ours. An empty one is nobody's.
    """
    known = list(marks)
    for path in () if overwrite else paths:
        if os.path.lexists(path) and not _is_ours(path if shown_by is None else shown_by, path, known):
            problem = f"{str(path)!r} is there and was not written by this library"
            raise InputError(argument, problem, fix=fix)


def inside(root: Path, name: str, argument: str) -> Path:
    """Return the path of a file that is named within a folder.

    Raises
    ------
    InputError
        If the name is absolute, has ``..``, a backslash, NUL or a drive, or leads out by a symbolic link:
        says where it would lead, and the folder.
    """
    if "\0" in str(root):  # as a manifest may name it
        raise InputError(argument, f"{str(root)!r} is no folder", fix="name the folder that holds the data")
    allowed = Path(os.path.realpath(root))
    if not name or "\0" in name or "\\" in name or _DRIVE.match(name):
        problem = f"{name!r} is no name of a file within {str(allowed)!r}"
        raise InputError(argument, problem, fix="write a relative path with '/'")
    resolved = Path(os.path.realpath(allowed / name))  # a circle of links resolves to itself
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or allowed not in resolved.parents:
        problem = f"{name!r} leads to {str(resolved)!r}, outside {str(allowed)!r}"
        raise InputError(argument, problem, fix="name a file inside of it")
    return root / name


def beside(folder: Path) -> Path:
    """Return a name in a folder that nothing has and nobody can guess."""
    return folder / f".allocator-{secrets.token_hex(8)}.part"


def clear_abandoned(folder: Path) -> None:
    """Remove what writers in a folder that were killed have left, once it is a day old."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if _PART.fullmatch(entry.name)]
    for entry in found:
        with contextlib.suppress(OSError):  # another one was faster
            if time.time() - entry.stat(follow_symlinks=False).st_mtime < _ABANDONED_SECONDS:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _no_file(path: Path) -> str:
    """Return what a path is that is there and no regular file; a blank for all others."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(mode):
        return ""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link"}
    return f"{kinds.get(stat.S_IFMT(mode), 'a device or a pipe')}, not a regular file"


def _replace(path: Path, content: bytes) -> None:
    new = beside(path.parent)
    try:
        with new.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError, ValueError):
            new.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Wait until a new name in a folder is on the disk, on systems that can."""
    with contextlib.suppress(OSError):  # Windows opens no folders, some disks do not sync them
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _is_ours(shown_by: Path, path: Path, marks: list[bytes]) -> bool:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        if not path.stat().st_size:
            return True
        with shown_by.open("rb") as file:
            ends = file.read(_LOOKED_AT)
            file.seek(max(shown_by.stat().st_size - _LOOKED_AT, 0))
            ends += file.read(_LOOKED_AT)
    except OSError:
        return False
    return any(mark in ends for mark in marks)
