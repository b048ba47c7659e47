"""Covariance of returns."""

from __future__ import annotations

import pandas as pd

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._returns import FloatArray, Labelled, read_returns

__all__ = ["sample_covariance"]


def sample_covariance(returns: pd.DataFrame | FloatArray) -> Labelled:
    """Return the sample covariance (ddof 1) of one period, in squared fractions, exactly symmetric.

    Parameters
    ----------
    returns
        DataFrame or array of shape (n_periods, n_assets).

    Returns
    -------
    pandas.DataFrame or numpy.ndarray
        Shape (n_assets, n_assets), as the returns came.

    Raises
    ------
    InputError
        One series, or fewer than two periods.
    """
    table = read_returns(returns)
    if table.is_single:
        raise InputError("returns", "one series has no covariance matrix", fix="pass a table of assets")
    if table.n_periods < 2:
        raise InsufficientHistoryError("returns", "1 period, at least 2 are needed", rows_needed=2)
    centred = table.matrix - table.matrix.mean(axis=0)
    matrix = centred.T @ centred / (table.n_periods - 1)
    return matrix if table.is_array else pd.DataFrame(matrix, index=table.columns, columns=table.columns)
