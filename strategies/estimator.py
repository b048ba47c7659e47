"""An adapter: any scikit-learn style portfolio estimator as a strategy."""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.market import Market
from strategies._window import check_assets, check_late, trailing_window
from strategies.covariances import SampleCovariance

__all__ = ["EstimatorStrategy"]


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
        sets ``weights_``, one number a column. An object of scikit-learn's is cloned, any other deep-copied.
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
        check_assets(self.assets, least=1)
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
        weights = _checked(fitted, len(window.assets))
        return dict(zip(window.assets, weights.tolist(), strict=True))


def _fresh(estimator: Any) -> Any:
    """Return an unfitted copy that shares nothing with the estimator."""
    base = sys.modules.get("sklearn.base")  # loaded already if the estimator is one of its kind
    if base is not None and isinstance(estimator, base.BaseEstimator):
        return base.clone(estimator)
    return copy.deepcopy(estimator)


def _checked(fitted: Any, n_assets: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    kind = type(fitted).__name__
    if getattr(fitted, "weights_", None) is None:
        raise InputError("estimator", f"{kind} has no weights_ after fit(X)", fix="let fit set weights_")
    weights = np.asarray(fitted.weights_, dtype=np.float64)
    if weights.shape != (n_assets,):
        raise InputError("estimator", f"{kind}.weights_ has shape {weights.shape} for {n_assets} assets")
    if not np.isfinite(weights).all():
        raise InputError("estimator", f"{kind}.weights_ has a value that is not finite: {weights}")
    return weights
