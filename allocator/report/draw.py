"""Draws a :class:`allocator.report.picture.Picture` in the house style."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from allocator.report.charts_parts import legend_above
from allocator.report.picture import Picture
from allocator.report.style import (
    BAND,
    INK,
    PALE,
    SMALL,
    TEXT,
    dates_below,
    dress,
    line_style,
    new_axes,
    pdf,
    plain,
    png,
)

__all__ = ["draw", "draw_files", "draw_png"]

_LONGEST = 44
_KINDS: dict[str, Callable[[Any], bytes]] = {"pdf": pdf, "png": png}
_MANY = 300  # points, from which on they are drawn small
_PAGE_DPI = 120  # 960 px: sixteen pictures on a page of half a megabyte


def draw(picture: Picture, title: str, ax: Axes | None = None) -> Axes:
    """Draw a picture.

    Parameters
    ----------
    picture
        What to show.
    title
        One line above it.
    ax
        Where to draw; by default in a figure of its own.
    """
    rows = len(picture.data)
    height = 1.2 + 0.32 * rows if picture.kind == "intervals" else 3.6
    ax = new_axes(height) if ax is None else ax
    makers = {"intervals": _intervals, "curve": _curve, "lines": _lines, "scatter": _scatter}
    grid = makers[picture.kind](ax, picture)
    lift = SMALL + 4.0 if picture.marks else 0.0
    handles, names = ax.get_legend_handles_labels()
    entries = list(zip(handles, names, strict=True)) if len(names) > 1 else []
    dress(ax, plain(title, 90), grid=grid, pad=legend_above(ax, entries, SMALL, lift))
    across = picture.y if picture.kind == "intervals" else picture.x
    ax.set_xlabel(plain(across, 90), loc="center", fontsize=TEXT, color=INK)
    if picture.kind != "intervals":
        ax.set_ylabel(plain(picture.y, 60), fontsize=TEXT, color=INK)
    return ax


def draw_png(picture: Picture, title: str) -> str:
    """Return the picture as the base64 text of a PNG; equal inputs give equal bytes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own style would change the bytes
        figure = draw(picture, title).figure
        figure.set_dpi(_PAGE_DPI)
        return base64.b64encode(png(figure)).decode("ascii")


def draw_files(make: Callable[[], Any], kinds: Iterable[str] = tuple(_KINDS)) -> dict[str, bytes]:
    """Return what is drawn, axes or a figure, as ``pdf`` and ``png``; equal inputs give equal bytes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own style would change the bytes
        matplotlib.rcParams["pdf.fonttype"] = 42  # journals refuse Type 3
        made = make()
        figure = made.figure if isinstance(made, Axes) else made
        return {kind: _KINDS[kind](figure) for kind in kinds}


def _intervals(ax: Axes, picture: Picture) -> Any:
    """Draw a dot and its interval a row, the first on top."""
    data = picture.data
    y = np.arange(len(data))
    _reference(ax.axvline, picture)
    ax.hlines(y, data["low"], data["high"], color=PALE, linewidth=2.0, zorder=2)
    ax.plot(data["value"].to_numpy(), y, "o", color=INK, markersize=5.0, zorder=3)
    ax.set_yticks(y, [plain(label, _LONGEST) for label in data.index])
    ax.set_ylim(len(data) - 0.4, -0.6)
    return "x"


def _curve(ax: Axes, picture: Picture) -> Any:
    """Draw a line with its band."""
    data, x = picture.data, picture.data.index.to_numpy(dtype=np.float64)
    _reference(ax.axhline, picture)
    ax.fill_between(x, data["low"], data["high"], color=BAND, linewidth=0.0, zorder=2)
    ax.plot(x, data["value"], "o-", color=INK, markersize=4.0, linewidth=1.3, zorder=3)
    return "y"


def _lines(ax: Axes, picture: Picture) -> Any:
    """Draw a line a column, named at the top, over dates or numbers."""
    data = picture.data
    is_dated = isinstance(data.index, pd.DatetimeIndex)
    _reference(ax.axhline, picture)
    for k, name in enumerate(data.columns):
        colour, dash, marker = line_style(k)
        step = max(len(data) // 9, 1)
        ax.plot(
            data.index.to_numpy(),
            data[name].to_numpy(),
            color=colour,
            linestyle=dash,
            marker=marker if len(data.columns) > 1 else "",
            markevery=(step * k // max(len(data.columns), 1), step),
            markersize=4.0,
            linewidth=1.3,
            label=plain(name, _LONGEST),
        )
    for date, text in picture.marks.items():
        day: Any = pd.Timestamp(date).to_datetime64()
        ax.axvline(day, color=PALE, linewidth=1.0, linestyle=":")
        ax.annotate(plain(text), (day, 1.005), xycoords=("data", "axes fraction"), fontsize=SMALL)
    if is_dated:
        dates_below(ax, [data[name] for name in data.columns])
    return "y"


def _scatter(ax: Axes, picture: Picture) -> Any:
    """Draw the points of each group with their least-squares line."""
    for k, (name, rows) in enumerate(_groups(picture.data)):
        colour, dash, marker = line_style(k)
        x, y = rows["x"].to_numpy(dtype=np.float64), rows["y"].to_numpy(dtype=np.float64)
        size = 4.0 if len(x) < _MANY else 2.0
        look: dict[str, Any] = {"color": colour, "markersize": size, "alpha": 0.6, "markeredgewidth": 0.0}
        ax.plot(x, y, marker, label=plain(name), **look)
        if len(x) > 2 and np.ptp(x) > 0.0:
            slope, level = np.polyfit(x, y, 1)
            ends = np.array([x.min(), x.max()])
            ax.plot(ends, level + slope * ends, color=colour, linestyle=dash, linewidth=1.6)
    ax.axhline(0.0, color=PALE, linewidth=0.6)
    ax.axvline(0.0, color=PALE, linewidth=0.6)
    return "y"


def _groups(data: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    if "group" not in data:
        yield "", data
        return
    for name in dict.fromkeys(data["group"]):
        yield str(name), data[data["group"] == name]


def _reference(line: Any, picture: Picture) -> None:
    if picture.reference is not None:
        line(picture.reference, color=INK, linewidth=0.8, zorder=1)
