"""Where the risk of a portfolio comes from, asset by asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.tables import html_block, html_table, text_block, text_table
from strategies._covariance_door import read_matrix

__all__ = ["RiskContributions", "risk_contributions"]

Array = NDArray[np.float64]
_NOTE = (
    "marginal risk: change of the volatility for a unit more of the asset, (Σw)_i / σ; contribution: weight "
    "× marginal risk; volatilities are of one period, unless the covariance was multiplied by those in a year"
)


@final
@dataclass(frozen=True, eq=False, repr=False)
class RiskContributions:
    """The risk of a portfolio by asset.

    Attributes
    ----------
    table
        A row an asset; columns ``weight``, ``marginal_risk``, ``contribution``, which adds up to the
        volatility, and ``share`` of it, which adds up to 1. A share is negative where the asset reduces the
        risk.
    volatility
        Of the portfolio, as a fraction, of one period of the covariance.
    """

    table: pd.DataFrame
    volatility: float

    def __repr__(self) -> str:
        return text_block([self._title, *text_table(*self._cells), _NOTE])

    def _repr_html_(self) -> str:
        return html_block(self._title, html_table(*self._cells), [_NOTE])

    @property
    def _title(self) -> str:
        return f"Risk contributions: {len(self.table)} assets, volatility {self.volatility:.4%}"

    @property
    def _cells(self) -> tuple[list[str], list[list[str]]]:
        head = ["", "weight", "marginal risk", "contribution", "share of risk"]
        total = ["total", f"{self.table['weight'].sum():.2%}", "", f"{self.volatility:.4%}", "100.00%"]
        rows = [
            [str(name), f"{weight:.2%}", f"{marginal:.4%}", f"{contribution:.4%}", f"{share:.2%}"]
            for name, (weight, marginal, contribution, share) in zip(
                self.table.index, self.table.to_numpy().tolist(), strict=True
            )
        ]
        return head, [*rows, total]


def risk_contributions(
    weights: pd.Series[float] | Mapping[str, float] | Sequence[float] | Array,
    covariance: pd.DataFrame | Array,
) -> RiskContributions:
    """Split the volatility σ = √(w'Σw) of a portfolio into contributions w_i (Σw)_i / σ, which add up to it.

    Parameters
    ----------
    weights
        Shape (n_assets,); with names, in any order, where the covariance has names. They need not sum to 1,
        and may be negative.
    covariance
        Shape (n_assets, n_assets), in any unit; an asset without variance, as cash, contributes nothing.

    Raises
    ------
    InputError
        If the two are not of the same assets, something is missing or not symmetric, or the weights have
        no risk, of which there are no parts.

    References
    ----------
    Litterman (1996), Hot spots and hedges, Journal of Portfolio Management 23(5).
    Richard, Roncalli (2019), Constrained Risk Budgeting Portfolios, Table 4.
    """
    matrix, names = read_matrix(covariance)
    held = _read_weights(weights, names, len(matrix))
    covariances = matrix @ held
    variance, noise = float(held @ covariances), float(held**2 @ matrix.diagonal())
    if not variance > 1e-14 * noise:
        raise InputError(
            "weights",
            f"have a variance of {variance:.3g}, of which there are no parts",
            fix="hold something that varies"
            if noise == 0.0
            else "use a covariance that is positive definite",
        )
    volatility = float(np.sqrt(variance))
    marginal = covariances / volatility
    table = pd.DataFrame(
        {
            "weight": held,
            "marginal_risk": marginal,
            "contribution": held * marginal,
            "share": held * covariances / variance,
        },
        index=pd.RangeIndex(len(matrix)) if names is None else names,
    )
    return RiskContributions(table, volatility)


def _read_weights(weights: Any, names: pd.Index[Any] | None, n_assets: int) -> Array:
    labelled = isinstance(weights, Mapping | pd.Series)
    if labelled and names is None:
        raise InputError("weights", "have names and the covariance has none", fix="pass both with names")
    chosen = _by_name(weights, names) if labelled and names is not None else weights
    try:
        held = np.asarray(chosen, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("weights", f"{weights!r} is no row of numbers") from None
    if held.shape != (n_assets,):
        raise InputError("weights", f"shape {held.shape} for {n_assets} assets")
    if not np.isfinite(held).all():
        position = int(np.argmin(np.isfinite(held)))
        raise InputError(
            "weights",
            f"{held[position]:g} is not finite",
            asset=position if names is None else names[position],
        )
    return held


def _by_name(weights: Mapping[str, float] | pd.Series[float], names: pd.Index[Any]) -> list[float]:
    """Return the weights in the order of the covariance."""
    labels = pd.Index(list(weights.keys()))
    if not labels.is_unique:
        raise InputError("weights", "is there twice", asset=labels[labels.duplicated()][0])
    unknown, absent = labels[~labels.isin(names)], names[~names.isin(labels)]
    if len(unknown):
        fix = "leave cash out: it has no risk" if unknown[0] == "cash" else ""
        raise InputError("weights", "is not in the covariance", asset=unknown[0], fix=fix)
    if len(absent):
        raise InputError("weights", "is missing", asset=absent[0], fix="give it weight 0")
    return [weights[name] for name in names]
