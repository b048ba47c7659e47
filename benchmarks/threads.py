"""One thread: BLAS and OpenMP read these when they are first imported, so NumPy must not be there yet."""

from __future__ import annotations

import os

__all__ = ["use_one_thread"]

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def use_one_thread() -> None:
    """Ask for one thread in this process and in those it starts."""
    for variable in _VARIABLES:
        os.environ[variable] = "1"
