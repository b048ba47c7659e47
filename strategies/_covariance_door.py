"""The door for covariances: one, or a stack of them, checked at no more cost than what is done with them.

What is accepted passes one comparison with the transpose and one Cholesky factorisation. Only what fails is
looked at closely, to say what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError

__all__ = ["Covariances", "is_labelled_alike", "read_covariances", "read_matrix"]

Array = NDArray[np.float64]
_ROUNDING = 1e-10  # in a correlation, and in an eigenvalue of one
_BLOCK = 128  # columns compared at once: a block of both triangles stays in the cache
_LARGE = 256  # assets from which single precision pays for its own certificate
_NO_RISK = 1e-28  # of the largest variance: a volatility of 1e-14 of another's is rounding of returns
_SINGLE_RANGE = (1e-25, 1e25)  # variances whose covariances single precision holds


@dataclass(frozen=True, eq=False)
class Covariances:
    """Checked covariances.

    Attributes
    ----------
    stack
        Shape (n_dates, n_assets, n_assets), rows contiguous.
    names
        Of the assets, where a DataFrame came.
    is_single
        Whether one came, and not a stack.
    """

    stack: Array
    names: pd.Index[Any] | None
    is_single: bool

    def called(self, k: int) -> str:
        """Return what the caller would call matrix ``k``."""
        return "covariance" if self.is_single else f"covariance[{k}]"

    def refuse_asset(self, argument: str, position: int, problem: str, fix: str, what: str = "asset") -> None:
        """Raise for an asset: by its name where it has one, by its position where not."""
        raise _asset_error(argument, self.names, position, problem, fix, what)


def read_covariances(covariance: pd.DataFrame | Array) -> Covariances:
    """Return positive semidefinite covariances of assets that all vary.

    Parameters
    ----------
    covariance
        Shape (n_assets, n_assets) or (n_dates, n_assets, n_assets).

    Raises
    ------
    InputError
        Naming the first matrix of a stack that is not square, finite, symmetric or positive semidefinite, has
        an asset without variance or a correlation beyond 1.
    """
    stack, names, is_single = _stacked(covariance)
    found = Covariances(stack, names, is_single)
    variance = stack.diagonal(axis1=1, axis2=2)
    varies = bool(variance.min() > _NO_RISK * variance.max())  # of all: where not, each is looked at
    if not (varies and _is_symmetric(stack) and _is_positive_definite(stack)):
        for k, matrix in enumerate(stack):
            _refuse_unsound(matrix, found.called(k), names)
    return found


def read_matrix(covariance: pd.DataFrame | Array) -> tuple[Array, pd.Index[Any] | None]:
    """Return one symmetric matrix of finite numbers and its names; assets may be without variance."""
    stack, names, is_single = _stacked(covariance)
    if not is_single:
        raise InputError("covariance", f"shape {stack.shape} is not square", fix="pass one matrix")
    matrix, variance = stack[0], stack[0].diagonal()
    _refuse_missing(matrix, "covariance", names)
    if variance.min() < 0.0:
        position = int(np.argmax(variance < 0.0))
        raise _asset_error("covariance", names, position, f"has variance {variance[position]:g}", "")
    scale = np.sqrt(np.where(variance > 0.0, variance, 1.0))
    _refuse_asymmetric(matrix / (scale[:, None] * scale), "covariance")
    return matrix, names


def is_labelled_alike(labels: pd.Index[Any], names: pd.Index[Any]) -> bool:
    """Return whether both are the same names in the same order."""
    return len(labels) == len(names) and bool((labels == names).all())


def _stacked(covariance: pd.DataFrame | Array) -> tuple[Array, pd.Index[Any] | None, bool]:
    try:
        matrix = np.ascontiguousarray(covariance, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("covariance", f"{type(covariance).__name__} is no table of numbers") from None
    shape = matrix.shape
    if len(shape) not in (2, 3) or shape[-1] != shape[-2]:
        raise InputError("covariance", f"shape {shape} is not square")
    if not matrix.size:
        raise InputError("covariance", f"is empty: shape {shape}")
    names = _names(covariance) if isinstance(covariance, pd.DataFrame) else None
    return matrix.reshape(-1, *shape[-2:]), names, len(shape) == 2


def _names(covariance: pd.DataFrame) -> pd.Index[Any]:
    rows, columns = covariance.index, covariance.columns
    if not is_labelled_alike(rows, columns):
        k = int(np.argmax(np.asarray(rows != columns)))
        raise InputError(
            "covariance",
            f"row {k} is {rows[k]!r} and column {k} is {columns[k]!r}",
            fix="give both the same names in the same order",
        )
    if not columns.is_unique:
        raise InputError(
            "covariance", "is there twice", asset=columns[columns.duplicated()][0], fix="rename one"
        )
    return columns


def _is_symmetric(stack: Array) -> bool:
    """Whether each matrix equals its transpose to the last bit; NaN never does."""
    if stack.shape[1] <= _BLOCK:
        return bool(np.count_nonzero(stack == stack.transpose(0, 2, 1)) == stack.size)
    return all(
        bool((stack[:, i : i + _BLOCK, i:] == stack[:, i:, i : i + _BLOCK].transpose(0, 2, 1)).all())
        for i in range(0, stack.shape[1], _BLOCK)
    )


def _is_positive_definite(stack: Array) -> bool:
    """Whether all have a Cholesky factor: a negative eigenvalue of a correlation is then rounding."""
    if stack.shape[1] >= _LARGE and all(map(_is_clearly_positive_definite, stack)):
        return True
    try:
        pivots = np.linalg.cholesky(stack).diagonal(axis1=1, axis2=2)
    except np.linalg.LinAlgError:
        return False
    return bool(np.count_nonzero(np.isfinite(pivots)) == pivots.size)  # NaN and infinity reach a pivot


def _is_clearly_positive_definite(matrix: Array) -> bool:
    """Whether a factor in single precision, half the work, proves it; where not, nothing is said.

    The factor of R - cI, R the correlation, exists in the arithmetic of unit u only if all eigenvalues of
    R are positive, where c bounds the norm of all rounding: n²u and a margin (Rump, 2006, BIT 46, for any
    order of the sums). Cholesky is indifferent to scale, so that the covariance stands for the correlation.
    """
    from scipy.linalg.lapack import spotrf  # not at the top: few assets never need it

    variance = matrix.diagonal()
    if not _SINGLE_RANGE[0] < variance.min() <= variance.max() < _SINGLE_RANGE[1]:
        return False
    lowered = matrix.astype(np.float32)
    lowered.flat[:: len(matrix) + 1] = variance * (1.0 - (len(matrix) + 16) ** 2 * 2.0**-24)
    factor, failed_at = spotrf(lowered.T, lower=1, clean=0, overwrite_a=1)
    return failed_at == 0 and bool(np.isfinite(factor.diagonal()).all())


def _refuse_unsound(matrix: Array, called: str, names: pd.Index[Any] | None) -> None:
    """Say what is wrong with a covariance, if it is more than rounding."""
    _refuse_missing(matrix, called, names)
    variance = matrix.diagonal()
    least = _NO_RISK * float(variance.max())
    if variance.min() <= max(least, 0.0):
        position = int(np.argmax(variance <= max(least, 0.0)))
        rounding = f", which is rounding beside {variance.max():g}" if variance[position] > 0.0 else ""
        problem = f"has variance {variance[position]:g}{rounding}"
        raise _asset_error(called, names, position, problem, "leave it out")
    scale = np.sqrt(variance)
    correlation = matrix / (scale[:, None] * scale)
    _refuse_asymmetric(correlation, called)
    if np.abs(correlation).max() > 1.0 + _ROUNDING:
        raise InputError(
            called, "has a correlation beyond 1", fix="pass a covariance, all from the same rows"
        )
    smallest = float(np.linalg.eigvalsh(correlation)[0]) if not _is_semidefinite(correlation) else 0.0
    if smallest < -_ROUNDING:
        raise InputError(
            called,
            f"has a negative variance: smallest eigenvalue of the correlation {smallest:.1e}",
            fix="estimate all of it from the same rows, or shrink it",
        )


def _is_semidefinite(correlation: Array) -> bool:
    try:
        np.linalg.cholesky(correlation + _ROUNDING * np.eye(len(correlation)))
    except np.linalg.LinAlgError:
        return False
    return True


def _refuse_missing(matrix: Array, called: str, names: pd.Index[Any] | None) -> None:
    if not np.isfinite(matrix).all():
        position = int(np.argmax(~np.isfinite(matrix).all(axis=1)))
        raise _asset_error(called, names, position, "has values that are not finite", "")


def _refuse_asymmetric(correlation: Array, called: str) -> None:
    if np.abs(correlation - correlation.T).max() > _ROUNDING:
        raise InputError(called, "is not symmetric")


def _asset_error(
    argument: str, names: pd.Index[Any] | None, position: int, problem: str, fix: str, what: str = "asset"
) -> InputError:
    if names is None:
        return InputError(argument, f"{what} {position} {problem}", fix=fix)
    return InputError(argument, problem, asset=names[position], fix=fix)
