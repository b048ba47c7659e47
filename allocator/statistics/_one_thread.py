"""Products of matrices that are the same to the bit however many threads a BLAS has.

A BLAS splits a large product among its threads, and a sum that is split rounds elsewhere. Here large products
are cut into parts that every BLAS leaves to one thread, and the parts are added up in order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["gram", "inner", "is_left_to_one_thread", "product"]

FloatArray = NDArray[np.float64]
_CELLS = 8_192  # of a vector or of a matrix times a vector; OpenBLAS splits the shortest of them above 9,216
_MULTIPLICATIONS = 200_000  # of two matrices; OpenBLAS splits them above 262,144
_WIDE = 48  # rows and columns of a part


def inner(left: FloatArray, right: FloatArray) -> float:
    """Return the sum of the products of two vectors, both (n,)."""
    if len(left) <= _CELLS:
        return float(left @ right)
    rows = range(0, len(left), _CELLS)
    return sum(float(left[row : row + _CELLS] @ right[row : row + _CELLS]) for row in rows)


def is_left_to_one_thread(n_rows: int, n: int, n_columns: int) -> bool:
    """Return whether a product of (n_rows, n) and (n, n_columns) is small enough for one thread."""
    most = _CELLS if min(n_rows, n_columns) == 1 else _MULTIPLICATIONS
    return n_rows * n * n_columns <= most


def product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``left @ right`` of a matrix or vector and a matrix or vector, not two vectors."""
    n_columns = right.shape[1] if right.ndim == 2 else 1
    n_rows = left.shape[0] if left.ndim == 2 else 1
    if is_left_to_one_thread(n_rows, len(right), n_columns):
        return np.asarray(left @ right)
    first, second = np.atleast_2d(left), right.reshape(len(right), -1)
    total = np.zeros((n_rows, n_columns))
    for top in range(0, n_rows, _WIDE):
        for side in range(0, n_columns, _WIDE):
            part = total[top : top + _WIDE, side : side + _WIDE]
            _add(part, first[top : top + _WIDE], second[:, side : side + _WIDE])
    shape = (*left.shape[:-1], *right.shape[1:])
    return total.reshape(shape)


def gram(matrix: FloatArray) -> FloatArray:
    """Return the products of the columns, ``matrix.T @ matrix``, symmetric to the bit, (n, n_columns)."""
    n, n_columns = matrix.shape
    if is_left_to_one_thread(n_columns, n, n_columns):
        return np.asarray(matrix.T @ matrix)
    total = np.zeros((n_columns, n_columns))
    for top in range(0, n_columns, _WIDE):
        rows = matrix[:, top : top + _WIDE]
        for side in range(top, n_columns, _WIDE):
            part = total[top : top + _WIDE, side : side + _WIDE]
            _add(part, rows.T, matrix[:, side : side + _WIDE])
            total[side : side + _WIDE, top : top + _WIDE] = part.T
    return total


def _add(total: FloatArray, left: FloatArray, right: FloatArray) -> None:
    """Add ``left @ right`` to a part of the total, some terms of each sum at a time."""
    is_vector = min(total.shape) == 1
    step = max((_CELLS if is_vector else _MULTIPLICATIONS) // total.size, 1)
    for row in range(0, len(right), step):
        total += left[:, row : row + step] @ right[row : row + step]
