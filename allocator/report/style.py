"""The house style of pictures, in one place: sizes, colours, axes, and the bytes of a PNG.

Figures are built without pyplot: nothing opens a window, nothing is kept alive, and a notebook shows a
figure by itself. Colours are from Okabe and Ito (2008); every line also has its own marker and dash, every
area its own hatch, so that grey print can be read. This, ``draw.py`` and the ``charts`` import matplotlib,
and no other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import font_manager, rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Transform
from PIL import Image  # comes with matplotlib
from PIL.PngImagePlugin import PngInfo

from allocator.report.latex import latex_text
from allocator.report.picture import PICTURE_MARK
from allocator.tables import printable

__all__ = [
    "BAND",
    "Dash",
    "INK",
    "LINES",
    "PALE",
    "SMALL",
    "TEXT",
    "TITLE",
    "dates_below",
    "dress",
    "line_style",
    "new_axes",
    "new_figure",
    "pdf",
    "plain",
    "png",
]

_WIDTH, _DPI = 8.0, 200  # inches and dots: 1600 px, with 9-point text still readable at half that size
INK, PALE, BAND = "#222222", "#777777", "#DDDDDD"
SMALL, TEXT, TITLE = 7.5, 9.0, 11.0

# Neighbours differ in lightness as well as in hue.
LINES = (
    ("#000000", "o"),
    ("#E69F00", "s"),
    ("#0072B2", "^"),
    ("#CC79A7", "D"),
    ("#009E73", "v"),
    ("#56B4E9", "P"),
    ("#D55E00", "X"),
)
Dash = Literal["-", "--", ":"]
_DASHES: tuple[Dash, ...] = ("-", "--", ":")  # once all colours are used


class _Picture(Figure):
    """A figure that a notebook shows although pyplot knows nothing of it."""

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Any) -> bytes:
    """Return the picture in 128 colours, a third of the size, without the version of matplotlib in it."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    few = Image.fromarray(pixels).quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    # Pillow takes the middle of each box of colours; the mean of its pixels keeps plain areas true.
    box = np.asarray(few).ravel()
    sums = [np.bincount(box, pixels[..., channel].ravel(), 128) for channel in range(3)]
    means = np.stack(sums, axis=1) / np.maximum(np.bincount(box, minlength=128), 1)[:, None]
    few.putpalette(np.rint(means).astype(np.uint8).tobytes())
    stream = io.BytesIO()
    said = PngInfo()
    said.add_text("Software", PICTURE_MARK.decode())
    few.save(stream, "PNG", dpi=(figure.dpi, figure.dpi), pnginfo=said)
    return stream.getvalue()


def pdf(figure: Any) -> bytes:
    """Return the picture as a PDF, without the hour and the version of matplotlib in it."""
    stream = io.BytesIO()
    unsaid = dict.fromkeys(("CreationDate", "Producer"))
    figure.savefig(stream, format="pdf", metadata={**unsaid, "Creator": PICTURE_MARK.decode()})
    return stream.getvalue()


def new_figure(
    height: float, width: float = _WIDTH, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """Return an empty figure of this height in inches, by default of the usual width."""
    figure = _Picture(figsize=(width, height), dpi=_DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def new_axes(height: float) -> Axes:
    """Return the axes of a figure of its own."""
    return new_figure(height).add_subplot()


def dress(
    ax: Axes,
    title: str,
    footer: str = "",
    *,
    grid: Literal["x", "y"] = "y",
    pad: float = 8.0,
    size: float = TITLE,
    shift: Transform | None = None,
    x: str = "",
    y: str = "",
) -> Axes:
    """Give axes the house style: title at the left, grid across, what is shown in small type below.

    ``x`` and ``y`` say what the axes measure, with the unit; dates need no ``x``.
    """
    above = ax.set_title(title, loc="left", size=size, weight="bold", color=INK, pad=pad)
    below: Text = ax.set_xlabel(footer, loc="left", size=SMALL, color=PALE)
    if x:
        label = ax.set_xlabel(x, loc="center", size=TEXT, color=INK)
        below = ax.annotate(
            footer,
            (0.0, 0.0),
            xycoords=("axes fraction", label),
            xytext=(0.0, -3.0),
            textcoords="offset points",
            va="top",
            size=SMALL,
            color=PALE,
            annotation_clip=False,
        )
        below.set_gid("footer")
    if y:
        ax.set_ylabel(y, size=TEXT, color=INK)
    if shift is not None:
        above.set_transform(above.get_transform() + shift)
        if not x:
            below.set_transform(below.get_transform() + shift)
    ax.tick_params(labelsize=TEXT, labelcolor=INK, color=PALE, length=3.0)
    ax.grid(True, axis=grid, color=BAND, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(PALE)
    return ax


def plain(text: object, longest: int = 30) -> str:
    """Return a person's text fit for a picture: one short line, no mathematics, only glyphs of the font."""
    line = printable(" ".join(str(text).split()))
    if len(line) > longest:  # names often differ at their ends
        line = f"{line[: longest - longest // 2 - 1].rstrip()}…{line[-(longest // 2) :].lstrip()}"
    known = font_manager.get_font(font_manager.findfont(font_manager.FontProperties())).get_charmap()
    shown = "".join(c if ord(c) in known else "?" for c in line)
    # Under a person's own style TeX may set the text, and would do what a name says.
    return latex_text(shown) if rcParams["text.usetex"] else shown.replace("$", r"\$")


def line_style(k: int) -> tuple[str, Dash, str]:
    """Return colour, dash and marker of the k-th line."""
    colour, marker = LINES[k % len(LINES)]
    return colour, _DASHES[k // len(LINES) % len(_DASHES)], marker


def dates_below(ax: Axes, paths: Sequence[pd.Series[float]]) -> None:
    """Label the horizontal axis with few dates, from the first to the last of all paths."""
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_english_dates(locator))
    first, last = min(p.index[0] for p in paths), max(p.index[-1] for p in paths)
    ax.set_xlim(first.to_datetime64(), last.to_datetime64())


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _EnglishDates(ConciseDateFormatter):
    """Months in English in every locale, like all other text: they come as {01} and are spelled out here."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return [_spelled(label) for label in super().format_ticks(values)]  # type: ignore[no-untyped-call]

    def get_offset(self) -> str:
        return _spelled(super().get_offset())  # type: ignore[no-untyped-call]


def _english_dates(locator: AutoDateLocator) -> _EnglishDates:
    dates = _EnglishDates(locator)  # type: ignore[no-untyped-call]
    for formats in (dates.formats, dates.zero_formats, dates.offset_formats):
        formats[:] = [each.replace("%b", "{%m}") for each in formats]
    return dates


def _spelled(label: str) -> str:
    return re.sub(r"\{(\d\d)\}", lambda month: _MONTHS[int(month[1]) - 1], label)
