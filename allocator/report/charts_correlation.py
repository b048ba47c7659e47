"""Picture of a correlation as time goes by, with its interval and the regimes behind it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from allocator.errors import InputError, iso_date
from allocator.regimes import Regimes
from allocator.report.charts_parts import band, curve, footer, key, legend_above, refuse_other, shade
from allocator.report.style import INK, dates_below, dress, line_style, new_axes, plain
from allocator.statistics import CorrelationPath

__all__ = ["plot_rolling_correlation", "regime_lines"]

_MOST = 3


def plot_rolling_correlation(
    paths: CorrelationPath | Sequence[CorrelationPath],
    ax: Axes | None = None,
    *,
    regimes: Regimes | None = None,
) -> Axes:
    """Draw a correlation by date with its pointwise interval; several frequencies stand in one picture.

    Parameters
    ----------
    paths
        From :func:`allocator.rolling_correlation` or :func:`allocator.exponential_correlation`; two or three
        of the same pair, daily and monthly, go as a list.
    ax
        Where to draw; by default in a figure of its own.
    regimes
        Labels to shade the background with.

    Raises
    ------
    InputError
        No path or more than three, paths of different pairs, regimes without a label here or with too many.
    """
    chosen = _read_paths(paths)
    ax = new_axes(4.0) if ax is None else ax
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    entries = []
    for k, path in enumerate(chosen):
        table = path.table
        colour, dash, _ = line_style(_place(k, len(chosen)))
        blue = line_style(2)[0]  # a band under a black line, told from grey shading
        band(ax, table.index, table["low"], table["high"], colour if len(chosen) > 1 else blue, dash)
        curve(ax, table.index, table["correlation"], _place(k, len(chosen)), max(len(chosen), 2))
        entries.append(key(_place(k, len(chosen)), f"{path.frequency} returns"))
    dates = [path.table["correlation"] for path in chosen]
    first, last = min(d.index[0] for d in dates), max(d.index[-1] for d in dates)
    shades = shade(ax, regimes, first, last)
    ax.set_ylim(-1.0, 1.0)
    ax.yaxis.set_major_locator(FixedLocator([-1.0, -0.5, 0.0, 0.5, 1.0]))
    dates_below(ax, dates)
    above = legend_above(ax, [*entries, *shades])
    title = "Rolling correlation of {} and {}".format(*(plain(name) for name in chosen[0].names))
    return dress(
        ax, title, footer(ax, *_lines(chosen, regimes)), pad=above, y="correlation of simple returns"
    )


def _place(k: int, n: int) -> int:
    """Return the style of the k-th path: a single one is black, several are told apart by blue and orange."""
    return k if n == 1 else (2, 6, 0)[k]


def _read_paths(paths: CorrelationPath | Sequence[CorrelationPath]) -> list[CorrelationPath]:
    chosen = [paths] if isinstance(paths, CorrelationPath) or not isinstance(paths, Sequence) else list(paths)
    for path in chosen:
        refuse_other(path, CorrelationPath, "paths", "pass al.rolling_correlation(x, y, years=10)")
    if not 0 < len(chosen) <= _MOST:
        raise InputError("paths", f"{len(chosen)} given, 1 to {_MOST} can be told apart")
    pairs = list(dict.fromkeys(path.names for path in chosen))
    if len(pairs) > 1:
        shown = ", ".join("–".join(pair) for pair in pairs)
        raise InputError("paths", f"of different pairs: {shown}", fix="draw a picture a pair")
    return chosen


def _lines(paths: Sequence[CorrelationPath], regimes: Regimes | None) -> list[str]:
    """Return sample, method and interval of each path, and what the shading is."""
    lines = [
        f"{path.frequency}, ends of windows {iso_date(path.table.index[0])} to "
        f"{iso_date(path.table.index[-1])}, {_counts(path.table['n'])}; {path.method}; "
        f"band: {100 * path.confidence:g} % interval of each date alone"
        for path in paths
    ]
    return [*lines, *regime_lines(regimes)]


def regime_lines(regimes: Regimes | None) -> list[str]:
    """Return what the shading is, and whether it was known at the time."""
    if regimes is None:
        return []
    known = "ex post: not known at the time" if regimes.ex_post else "known at the time"
    return [f"shading: {regimes.name} ({known}): {regimes.rule}"]


def _counts(n: pd.Series[float]) -> str:
    low, high = n.min(), n.max()
    return f"n={low:,.0f} each" if round(low) == round(high) else f"n={low:,.0f} to {high:,.0f}"
