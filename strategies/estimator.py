"""An adapter: any scikit-learn style portfolio estimator as a strategy."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._window import check_late, check_window, read_assets, trailing_window
from strategies.covariances import SampleCovariance

__all__ = ["EstimatorStrategy"]

Array = NDArray[np.float64]


@final
@dataclass(frozen=True)
class EstimatorStrategy(Strategy):
    """The weights of an estimator, fitted anew at every decision to the returns of the trailing window.

    Hierarchical clustering, risk measures beyond variance and much else is well kept in skfolio (extra
    ``[skfolio]``), and not rebuilt here. A copy is fitted each time, so that nothing is carried from one
    decision to the next and yours is never changed. What the estimator keeps outside of itself (a file, a
    global) is beyond this: audit the strategy. What is held is not passed on as ``previous_weights``.

    Parameters
    ----------
    estimator
        Anything with ``fit(X)``, X a DataFrame of simple returns, a row a period, a column an asset, which
        sets ``weights_``: numbers, one a column, in their order or by name. An object of scikit-learn's is
        cloned, any other deep-copied.
    assets
        Names of the assets.
    window_years
        Span of the trailing window, the same time at any frequency; by default three years of daily,
        weekly or monthly data, five of quarterly, ten of yearly.
    late
        ``"wait"`` until every asset has a full window, or ``"leave_out"`` those without.
    name
        What tables call it.
    """

    estimator: Any
    assets: tuple[str, ...]
    window_years: float | None = None
    late: str = "wait"
    name: str = "Estimator"

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", read_assets(self.assets, least=1))
        check_window(self.window_years, SampleCovariance())
        check_late(self.late)
        if isinstance(self.estimator, type) or not callable(getattr(self.estimator, "fit", None)):
            raise InputError(
                "estimator", f"{self.estimator!r} has no fit(X)", fix="pass an object such as MeanRisk()"
            )

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights of a fresh copy of the estimator, fitted to the trailing window."""
        window = trailing_window(past, self.assets, self.window_years, SampleCovariance(), self.late)
        dates = past.index[-len(window.returns) :]
        fitted = _fresh(self.estimator)
        fitted.fit(pd.DataFrame(window.returns, index=dates, columns=list(window.assets)))
        weights = _checked(fitted, window.assets)
        return dict(zip(window.assets, weights.tolist(), strict=True))


def _fresh(estimator: Any) -> Any:
    """Return an unfitted copy that shares nothing with the estimator."""
    base = sys.modules.get("sklearn.base")  # loaded already if the estimator is one of its kind
    if base is not None and isinstance(estimator, base.BaseEstimator):
        return base.clone(estimator)
    return copy.deepcopy(estimator)


def _checked(fitted: Any, assets: tuple[str, ...]) -> Array:
    kind = type(fitted).__name__
    if getattr(fitted, "weights_", None) is None:
        raise InputError("estimator", f"{kind} has no weights_ after fit(X)", fix="let fit set weights_")
    weights = _numbers(_in_order(fitted.weights_, assets, kind), kind)
    if weights.shape != (len(assets),):
        raise InputError("estimator", f"{kind}.weights_ has shape {weights.shape} for {len(assets)} assets")
    if not np.isfinite(weights).all():
        raise InputError("estimator", f"{kind}.weights_ has a value that is not finite: {weights}")
    return weights


def _in_order(weights: Any, assets: tuple[str, ...], kind: str) -> Any:
    """Return weights by name in the order of the assets, and others as they are."""
    if not isinstance(weights, Mapping | pd.Series):
        return weights
    names = list(weights.keys())
    if len(names) != len(assets) or set(names) != set(assets):
        raise InputError(
            "estimator",
            f"{kind}.weights_ is of {', '.join(map(repr, names))}, not of {', '.join(map(repr, assets))}",
            fix="name the columns of X, each once, or give an array in their order",
        )
    return [weights[asset] for asset in assets]


def _numbers(weights: Any, kind: str) -> Array:
    """Return an array of numbers, refusing text, even of digits, and what else is none."""
    try:
        array = np.asarray(weights)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iuf":
        raise InputError("estimator", f"{kind}.weights_ is no array of numbers: {weights!r}")
    return array.astype(np.float64)
