"""The pictures of a tear sheet, on one A4 page or each for itself."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import matplotlib
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from allocator.errors import iso_date
from allocator.report.charts import growth_of, plot_drawdown, plot_growth
from allocator.report.charts_correlation import plot_rolling_correlation
from allocator.report.charts_parts import key, legend_above, simulated_mark
from allocator.report.charts_returns import plot_rolling_sharpe, plot_yearly_returns
from allocator.report.charts_weights import draw_weights, fill_keys, fills_of
from allocator.report.style import INK, PALE, SMALL, TEXT, TITLE, dates_below, dress, new_figure, plain, png
from allocator.report.tear_sheet_page import sheet_lines, sheet_names, sheet_rows, sheet_title

if TYPE_CHECKING:
    from allocator.report.tear_sheet import TearSheet

__all__ = ["sheet_figure", "sheet_pictures"]

_A4 = (8.27, 11.69)  # inches
_MOST_ASSETS = 9  # named on the page
_SMALLER = 0.82  # of the usual letters, on the page
_PAGE_DPI, _PICTURE_DPI = 150, 170
_PICTURE = (5.2, 3.3)  # inches: read on a phone without turning it
_LEFT, _WIDE, _NAMED = 0.085, 0.885, 0.665  # of the page; what names its lines at the right is narrower
_GAP = 0.049  # between pictures: dates below, the title above


@final
@dataclass(frozen=True)
class _Panel:
    """A picture: words for who cannot see it, its title on the page, its vertical axis, and what draws it."""

    words: str
    title: str
    y: str
    make: Callable[[Axes], Axes]


def sheet_figure(sheet: TearSheet) -> Figure:
    """Return the sheet as one A4 page."""
    figure = new_figure(_A4[1], _A4[0], layout=None)
    figure.set_dpi(_PAGE_DPI)
    names = plain(sheet_names(sheet), 110)
    size = min(13.0, 13.0 * 62 / len(names))
    figure.text(0.03, 0.982, names, size=size, weight="bold", color=INK, va="top")
    figure.text(0.03, 0.962, plain(sheet_title(sheet), 120), size=SMALL, color=PALE, va="top")
    panels = _panels(sheet)
    heights = (0.150, *([0.083] * (len(panels) - 1)))
    _name_lines(figure, sheet)
    top = 0.905
    for k, (panel, height) in enumerate(zip(panels, heights, strict=True)):
        ax = figure.add_axes((_LEFT, top - height, _NAMED if k == 0 else _WIDE, height))
        _without_words(panel.make(ax), panel.y)
        _without_legend(ax, panel.title)
        top -= height + _GAP
    top -= 0.012  # the legend of the assets
    _weights_row(figure, sheet, top, 0.078)
    for ax in figure.axes:
        _smaller(ax)
    _numbers(figure, sheet, top - 0.078 - 0.032)
    return figure


def sheet_pictures(sheet: TearSheet) -> Iterator[tuple[str, bytes]]:
    """Yield each picture as a PNG of its own, with words for who cannot see it."""
    weights: list[_Panel] = [
        _Panel(f"Stacked areas: the weights of {run.name}.", "", "percent of value", _weights_maker(sheet, k))
        for k, run in enumerate(sheet.study.backtests)
    ]
    for panel in (*_panels(sheet), *weights):
        with matplotlib.rc_context():
            matplotlib.rcdefaults()  # a person's own style would change the bytes
            figure = new_figure(_PICTURE[1], _PICTURE[0])
            figure.set_dpi(_PICTURE_DPI)
            _without_words(panel.make(figure.add_subplot()), panel.y)
            yield panel.words, png(figure)


def _panels(sheet: TearSheet) -> list[_Panel]:
    """Return the pictures above the weights, each with words for who cannot see it."""
    study, names = sheet.study, sheet_names(sheet)
    ends = ", ".join(f"{run.name} {growth_of(run).iloc[-1]:,.2f}" for run in study.backtests)
    falls = ", ".join(f"{name} {fall:.1%}" for name, fall in study.table["max_drawdown"].items())
    first, end = (
        plain(study.backtests[0].name),
        f"Line chart of the value of 1, log scale. At the end: {ends}.",
    )
    begin = f"Value of 1 invested on {iso_date(study.dates[0])}, log scale"
    whole = f"Return of every calendar year (bars: {first}; hatched: part of a year)"
    panels = [
        _Panel(end, begin, "value of 1", lambda ax: plot_growth(study, ax)),
        _Panel(
            f"Drawdowns. The deepest: {falls}.", "Drawdown", "percent", lambda ax: plot_drawdown(study, ax)
        ),
        _Panel(f"Yearly returns of {names}.", whole, "percent", lambda ax: plot_yearly_returns(study, ax)),
    ]
    path, years = sheet.correlation, sheet.years
    if path is not None:
        title = f"Rolling correlation of {plain(path.names[0])} and {plain(path.names[1])}, {path.frequency}"
        words = f"{title}, with its interval."
        panels.append(_Panel(words, title, "correlation", lambda ax: plot_rolling_correlation(path, ax)))
    elif years is not None:
        title = f"Sharpe ratio of the last {years:g} years (band: {first})"
        words = f"{title}: {names}."
        panels.append(_Panel(words, title, "per √year", lambda ax: plot_rolling_sharpe(study, years, ax)))
    return panels


def _without_words(ax: Axes, y: str) -> None:
    """Take away what the foot of the sheet says for all pictures, and what a narrow one has no room for."""
    for text in ax.texts:
        if text.get_gid() == "footer":
            text.set_visible(False)
    ax.set_xlabel("")
    ax.set_ylabel(y, size=TEXT, color=INK)


def _without_legend(ax: Axes, title: str) -> None:
    """Take away the legend, which stands once at the head of the page."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    ax.set_title(title, loc="left", size=TITLE, weight="bold", color=INK, pad=6.0)


def _name_lines(figure: Figure, sheet: TearSheet) -> None:
    """Write once which line is which strategy."""
    keys = [key(k, plain(run.name, 22)) for k, run in enumerate(sheet.study.backtests)]
    _legend_row(figure, keys, 0.931, 2.2)


def _legend_row(figure: Figure, keys: Sequence[tuple[Artist, str]], bottom: float, handle: float) -> None:
    figure.legend(
        [drawn for drawn, _ in keys],
        [f" {text}" if text.startswith("_") else text for _, text in keys],
        loc="lower left",
        bbox_to_anchor=(_LEFT - 0.01, bottom),
        ncols=len(keys),
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        handlelength=handle,
        columnspacing=1.2,
    )


def _smaller(ax: Axes) -> None:
    """Make the letters of a picture fit the page."""
    ax.tick_params(labelsize=TEXT * _SMALLER)
    for text in ax.findobj(Text):
        if isinstance(text, Text):
            text.set_fontsize(float(text.get_fontsize()) * _SMALLER)
    ax.tick_params(labelsize=TEXT * _SMALLER)  # once more, as the labels above were among them


def _weights_maker(sheet: TearSheet, k: int) -> Callable[[Axes], Axes]:
    """Return what draws the weights of one strategy in the colours that they have in all of them."""
    runs = sheet.study.backtests
    fills = fills_of([run.weights for run in runs])

    def make(ax: Axes) -> Axes:
        draw_weights(ax, runs[k].weights, fills)
        dates_below(ax, [runs[k].value])
        title = f"{simulated_mark(sheet.study.market)}Weights of {plain(runs[k].name)}"
        return dress(ax, title, pad=legend_above(ax, fill_keys(fills)), y="percent of value")

    return make


def _weights_row(figure: Figure, sheet: TearSheet, top: float, height: float) -> None:
    """Draw the weights of all strategies side by side, their legend once, at the left."""
    runs = sheet.study.backtests
    fills = fills_of([run.weights for run in runs])
    width = (_WIDE + 0.02) / len(runs)
    low, high = _reach([run.weights for run in runs])
    for k, run in enumerate(runs):
        ax = figure.add_axes((_LEFT + k * width, top - height, width - 0.02, height))
        draw_weights(ax, run.weights, fills)
        dates_below(ax, [run.value])
        dress(
            ax,
            plain(run.name, 90 // len(runs)),
            size=TEXT,
            pad=4.0,
            y="" if k else "weight,\npercent of value",
        )
        ax.set_ylim(low, high)
        ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
        if k:
            ax.tick_params(labelleft=False)
    _legend_row(figure, fill_keys(fills)[:_MOST_ASSETS], top + 0.013, 1.3)


def _reach(weights: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """Return the lowest and the highest sum of weights of all strategies, at least 0 and 1."""
    owed = min(float(frame.clip(upper=0.0).sum(axis=1).min()) for frame in weights)
    held = max(float(frame.clip(lower=0.0).sum(axis=1).max()) for frame in weights)
    return min(owed, 0.0), max(held, 1.0)


def _numbers(figure: Figure, sheet: TearSheet, top: float) -> None:
    """Write the key numbers at the left and the conventions beside them."""
    head, rows = sheet_rows(sheet)
    n = len(head) - 1
    right, line = 0.03 + min(0.16 + 0.125 * n, 0.62), min(0.0105, (top - 0.012) / (len(rows) + 1))
    step = (right - 0.03 - 0.135) / n
    for row, cells in enumerate([[plain(name, int(step * 118)) for name in head], *rows]):
        y, weight = top - row * line, "bold" if row == 0 else "normal"
        figure.text(0.03, y, plain(cells[0], 26), size=6.6, color=INK, va="top")
        for k, cell in enumerate(cells[1:]):
            x = 0.165 + (k + 1) * step
            figure.text(x, y, cell, size=6.6, color=INK, weight=weight, va="top", ha="right")
    _foot(figure, sheet_lines(sheet), right + 0.025, top)


def _foot(figure: Figure, lines: Sequence[str], left: float, top: float) -> None:
    """Write the conventions in the rest of the page, smaller where they are many."""
    for size in (6.0, 5.6, 5.2, 4.8, 4.4, 4.0):
        width = int((0.975 - left) * _A4[0] * 72.0 / (0.58 * size))
        wrapped = [part for line in lines for part in textwrap.wrap(plain(line, 900), width)]
        if len(wrapped) * size * 1.42 <= (top - 0.012) * _A4[1] * 72.0:
            break
    figure.text(left, top, "\n".join(wrapped), size=size, color=PALE, va="top", linespacing=1.2)
