"""What every strategy of risk does first: take the returns of the trailing window and estimate from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError, SolverError
from allocator.market import Market
from allocator.market.market import column_of, is_always_listed, window_rows
from strategies._amounts import as_tuple, check_span
from strategies.covariances import CovarianceEstimator

__all__ = [
    "LATE_POLICIES",
    "Window",
    "check_late",
    "check_window",
    "more_to_come",
    "read_assets",
    "trailing_window",
]

Array = NDArray[np.float64]
LATE_POLICIES = ("wait", "leave_out")
# Long enough to estimate a covariance, short enough to follow it: three years where there are
# months or days, ten where there are only years.
_DEFAULT_YEARS = {"daily": 3.0, "weekly": 3.0, "monthly": 3.0, "quarterly": 5.0, "yearly": 10.0}
_FLAT = 1e-12  # returns that vary by less vary by rounding


@dataclass(frozen=True, eq=False)
class Window:
    """The trailing window of a decision.

    Attributes
    ----------
    assets
        Those with a full window; under ``late="leave_out"`` possibly not all that were asked for.
    returns
        Simple returns, shape (n_periods, n_assets).
    covariance
        Of one period, shape (n_assets, n_assets).
    periods_per_year
        Of the returns.
    n_asked
        How many assets were asked for.
    rows_for_more
        Rows after which another asset may have a full window, as far as is known; None if none is to come.
    """

    assets: tuple[str, ...]
    returns: Array
    covariance: Array
    periods_per_year: float
    n_asked: int
    rows_for_more: int | None = None


def trailing_window(
    past: Market,
    assets: Sequence[str],
    years: float | None,
    estimator: CovarianceEstimator,
    late: str = "wait",
) -> Window:
    """Return the returns of the trailing window and their covariance.

    A window has ten returns at least, and twice as many as assets are asked for; a shorter one is refused
    whatever the estimator, so that no sample covariance is singular for want of rows.

    Parameters
    ----------
    past
        The market cut at the decision.
    assets
        Their names.
    years
        Span of the window; by default three years of daily, weekly or monthly data, five of quarterly,
        ten of yearly.
    estimator
        Of the covariance.
    late
        ``"wait"``: until every asset has a full window no decision can be made. ``"leave_out"``: an asset
        without a full window is left out, and so is one that has been delisted; a single one may remain, but
        until one has a full window no decision can be made either.

    Raises
    ------
    InputError
        If the window is too short to say anything, an asset's returns do not vary within it, so that it has
        no risk to measure, an asset has been delisted (``"wait"``) or all have been (``"leave_out"``), or the
        estimator's answer is no finite matrix of the right shape.
    InsufficientHistoryError
        If the history is too short: ``rows_needed`` rows would do, as far as is known by then.
    """
    span = years if years is not None else _DEFAULT_YEARS[past.frequency.name]
    chosen, more = (tuple(assets), None) if late == "wait" else _with_full_window(past, assets, span)
    returns = past.window(chosen, span)
    flat = np.flatnonzero(np.ptp(returns, axis=0) < _FLAT)
    if len(flat):
        raise InputError(
            "prices",
            f"the returns of the last {span:g} years do not vary: no risk to measure",
            asset=chosen[int(flat[0])],
            date=past.index[-1],
            fix="leave the asset out",
        )
    covariance = _checked(estimator.estimate(returns, past.frequency), estimator, len(chosen))
    return Window(chosen, returns, covariance, past.frequency.periods_per_year, len(assets), more)


def _checked(covariance: Array, estimator: CovarianceEstimator, n_assets: int) -> Array:
    matrix = np.asarray(covariance)
    if matrix.shape != (n_assets, n_assets) or not np.isfinite(matrix).all():
        problem = (
            f"answered {matrix.shape}"
            if matrix.shape != (n_assets, n_assets)
            else "answered what is no number"
        )
        raise InputError("covariance", f"{type(estimator).__name__} {problem} for {n_assets} assets")
    return matrix


def _with_full_window(
    past: Market, assets: Sequence[str], years: float
) -> tuple[tuple[str, ...], int | None]:
    """Return the assets that are listed on the last date and have a full window, and when there are more."""
    if is_always_listed(past):
        return tuple(assets), None  # a window of all says best what is wrong, if anything is
    rows, n_rows = window_rows(past.frequency, years, len(assets)), len(past.levels)
    columns = [column_of(past, asset) for asset in assets]
    needed = past.listed_from[columns] + rows + 1  # an asset that is not listed yet will be on the next row
    lives = past.listed_until[columns] >= n_rows
    chosen = tuple(
        asset for asset, is_full in zip(assets, lives & (needed <= n_rows), strict=True) if is_full
    )
    coming = needed[lives & (needed > n_rows)]
    if not chosen and lives.any():
        raise InsufficientHistoryError(
            "prices",
            f"none of the assets has {rows} returns, which a window of {years:g} years needs",
            date=past.index[-1],
            rows_needed=int(coming.min()),
            fix="start later or ask for a shorter window",
        )
    # Where all were delisted, a window of them says so.
    return chosen or tuple(assets), int(coming.min()) if len(coming) else None


@contextmanager
def more_to_come(window: Window, past: Market) -> Iterator[None]:
    """Wait where the assets with a full window leave no portfolio within the limits and more are to come.

    Raises
    ------
    InsufficientHistoryError
        Then, instead of the solver's error. Where assets were left out but none is to come, the solver's
        error says so.
    """
    try:
        yield
    except SolverError as error:
        if error.status != "infeasible" or len(window.assets) == window.n_asked:
            raise
        left = f"only {len(window.assets)} of {window.n_asked} assets have a full window"
        if window.rows_for_more is None:
            raise SolverError(error.problem, error.solver, error.status, f"{error.fix}; {left}") from None
        raise InsufficientHistoryError(
            "constraints",
            f"{left}; {error.fix}",
            date=past.index[-1],
            rows_needed=window.rows_for_more,
            fix="start later, or use late='wait'",
        ) from error


def read_assets(assets: Any, least: int = 2, argument: str = "assets") -> tuple[str, ...]:
    """Return names of assets as a tuple, refusing fewer than ``least`` and one named twice."""
    fix = "name at least two different assets" if least == 2 else "name each asset once"
    names = as_tuple(argument, assets, fix)
    is_text = all(isinstance(name, str) for name in names)
    if not is_text or len(names) < least or len(set(names)) < len(names):
        raise InputError(argument, f"{assets!r}", fix=fix)
    return names


def check_window(years: Any, covariance: Any) -> None:
    """Refuse a span that is none, and what is no estimator, such as its class."""
    if years is not None:
        check_span("window_years", years)
    if not isinstance(covariance, CovarianceEstimator):
        raise InputError("covariance", f"{covariance!r}", fix="pass SampleCovariance(), with parentheses")


def check_late(late: str) -> None:
    """Refuse an unknown policy for late assets."""
    if late not in LATE_POLICIES:
        raise InputError("late", f"{late!r} is none of {', '.join(LATE_POLICIES)}")
