"""Where a study ran: versions, code and machine; nothing that names a person, a host or an hour."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from allocator.studies import strategy_modules

__all__ = ["code_digests", "machine", "versions"]

_PACKAGES = (
    *("allocator-backtest", "numpy", "pandas", "scipy", "cvxpy", "matplotlib", "pillow"),
    *("pyarrow", "statsmodels", "empyrical-reloaded"),
)


def versions() -> dict[str, str]:
    """Return the version of Python and of each package that is installed."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Return the operating system, the processor's kind, and NumPy's linear algebra."""
    config: Any = np.show_config(mode="dicts")
    blas = (config or {}).get("Build Dependencies", {}).get("blas", {})
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "byte order": sys.byteorder,
        "blas": " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip(),
    }


def code_digests() -> dict[str, str]:
    """Return a SHA-256 of the source of this library and of each module of strategies."""
    found = {"allocator": _source_digest(Path(__file__).resolve().parents[1])}
    for name, module in strategy_modules().items():
        if module.__file__ is not None:
            found[name] = _source_digest(Path(module.__file__).resolve().parent)
    return found


def _source_digest(folder: Path) -> str:
    made = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda each: each.relative_to(folder).as_posix()):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        made.update(f"{path.relative_to(folder).as_posix()}\n{len(text)}\n".encode() + text)
    return made.hexdigest()
