"""Pictures of a yield: its parts, and which of them moves it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from allocator.errors import InputError, iso_date
from allocator.macro import DriverPath, YieldDecomposition
from allocator.regimes import Regimes
from allocator.regimes.labels import UNCLASSIFIED
from allocator.report.charts_correlation import regime_lines
from allocator.report.charts_parts import (
    curve,
    footer,
    key,
    legend_above,
    percent_axis,
    refuse_other,
    shade,
    shade_labels,
)
from allocator.report.style import INK, dates_below, dress, new_axes, plain

__all__ = ["plot_drivers", "plot_yield_decomposition"]


def plot_yield_decomposition(
    decomposition: YieldDecomposition, ax: Axes | None = None, *, regimes: Regimes | None = None
) -> Axes:
    """Draw a yield and the parts that add up to it on every date, percent a year.

    Parameters
    ----------
    decomposition
        From :func:`allocator.decompose_yield`.
    ax
        Where to draw; by default in a figure of its own.
    regimes
        Labels to shade the background with.

    Raises
    ------
    InputError
        Something else than a decomposition, regimes without a label here or with too many.
    """
    refuse_other(decomposition, YieldDecomposition, "decomposition", "pass al.decompose_yield(...)")
    ax = new_axes(4.0) if ax is None else ax
    total, parts = decomposition.total, decomposition.parts
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    curve(ax, total.index, total, 0, len(parts.columns) + 1, linewidth=2.0)
    for k, name in enumerate(parts.columns, start=1):
        curve(ax, total.index, parts[name], k, len(parts.columns) + 1)
    percent_axis(ax)
    dates_below(ax, [total])
    maturity = f"{decomposition.maturity:g}-year yield"
    lines = [key(0, maturity), *(key(k, plain(n)) for k, n in enumerate(parts.columns, start=1))]
    shades = shade(ax, regimes, total.index[0], total.index[-1])
    words = footer(
        ax, _about(decomposition), "parts without intervals", *decomposition.notes, *regime_lines(regimes)
    )
    above = legend_above(ax, [*lines, *shades])
    return dress(ax, f"The {maturity} and its parts", words, pad=above, y="percent a year")


def plot_drivers(path: DriverPath, ax: Axes | None = None) -> Axes:
    """Draw the share of each part in what moves a yield, and shade by the part that dominates.

    Parameters
    ----------
    path
        From :func:`allocator.rolling_drivers`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than a path, or one without any share.
    """
    refuse_other(path, DriverPath, "path", "pass al.rolling_drivers(decomposition, years=3)")
    shares = path.shares
    if not np.isfinite(shares.to_numpy()).any():
        raise InputError("path", "has no share: the yield never changes", fix="draw another yield")
    ax = new_axes(4.0) if ax is None else ax
    for level in (0.0, 1.0):
        ax.axhline(level, color=INK, linewidth=0.8, zorder=1.0)
    for k, name in enumerate(shares.columns):
        curve(ax, shares.index, shares[name], k, len(shares.columns))
    percent_axis(ax)
    dates_below(ax, [shares.iloc[:, 0]])
    lines = [key(k, plain(name)) for k, name in enumerate(shares.columns)]
    order = [str(name) for name in shares.columns]
    shades = [
        (patch, f"{name} dominates")
        for patch, name in shade_labels(ax, path.dominant, order, shares.index[0])
    ]
    title = f"What moves the {path.decomposition.maturity:g}-year yield"
    words = footer(ax, *_driver_lines(path))
    return dress(ax, title, words, pad=legend_above(ax, [*lines, *shades]), y="share of variance, percent")


def _driver_lines(path: DriverPath) -> list[str]:
    """Return sample, definition, rule, and how sure the shading is."""
    sure = [
        chances[driver]
        for driver, chances in zip(path.dominant, path.probability.to_dict("records"), strict=True)
        if driver != UNCLASSIFIED and np.isfinite(chances[driver])
    ]
    return [
        f"{_about(path.decomposition)}; windows of {path.window} rows that end on the date",
        "share: covariance with the change of the yield over its variance; shares add up to 100 %, and one "
        "may be below 0",
        f"shading: the largest share, which another takes over once it is larger by {path.margin:.0%} and "
        f"not before {path.dwell} rows; it is the largest in {np.median(sure):.0%} of {path.n_resamples:,} "
        f"block-bootstrap resamples at the median date, in {np.quantile(sure, 0.1):.0%} at the tenth least "
        f"sure (seed {path.seed})",
    ]


def _about(decomposition: YieldDecomposition) -> str:
    dates = decomposition.total.index
    known = "parts estimated in hindsight (ex post)" if decomposition.ex_post else "parts known at the time"
    span = f"{iso_date(dates[0])} to {iso_date(dates[-1])}"
    return f"{decomposition.frequency}, {span}, n={len(dates):,}; {known}"
