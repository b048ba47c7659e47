"""What several charts share: bands, regimes as shading, legends above the data, and the words below."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform

from allocator.engine import Backtest
from allocator.errors import InputError, iso_date
from allocator.market import Market
from allocator.regimes import Regimes
from allocator.regimes.labels import UNCLASSIFIED
from allocator.report.comparison import Comparison
from allocator.report.style import INK, SMALL, TEXT, line_style, plain

__all__ = [
    "band",
    "curve",
    "footer",
    "heading",
    "inches",
    "key",
    "label_rows",
    "legend_above",
    "percent_axis",
    "refuse_other",
    "runs_of",
    "sample_of",
    "shade",
    "shade_labels",
    "simulated_mark",
]

# Told apart by lightness and hatch, and pale enough to read lines upon; the first is the paper.
_SHADES = (
    ("#FFFFFF", ""),
    ("#DADADA", ""),
    ("#FFFFFF", "////"),
    ("#F1F1F1", "...."),
    ("#E6E6E6", "\\\\\\\\"),
    ("#FFFFFF", "xxxx"),
)
_HATCH_INK = "#B4B4B4"
_CHARACTER = 0.53  # width of a letter, in heights


def refuse_other(value: object, kind: type | tuple[type, ...], argument: str, fix: str) -> None:
    """Refuse what is not of the kind that a chart draws."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        names = " or ".join(each.__name__ for each in kinds)
        raise InputError(argument, f"expected a {names}, got {type(value).__name__}", fix=fix)


def runs_of(study: Comparison | Backtest) -> tuple[Backtest, ...]:
    """Return the backtests of a comparison, or the one that was given."""
    refuse_other(study, (Comparison, Backtest), "study", "pass al.compare([...], market)")
    return study.backtests if isinstance(study, Comparison) else (study,)


def sample_of(market: Market, dates: pd.Index) -> str:
    """Return what data a picture shows: name, frequency, first and last date."""
    return f"{plain(market.name, 50)}, {market.frequency}, {iso_date(dates[0])} to {iso_date(dates[-1])}"


def simulated_mark(market: Market) -> str:
    """Return what a title begins with where prices are made up."""
    return "SIMULATED data. " if market.simulated else ""


def inches(ax: Axes) -> float:
    """Return the width of axes before they are laid out."""
    return float(ax.get_position().width * ax.figure.get_window_extent().width / ax.figure.dpi)


def footer(ax: Axes, *lines: str, share: float = 1.0) -> str:
    """Return the lines below a picture, wrapped to its width or a share of it, without mathematics."""
    width = int(1.2 * share * inches(ax) * 72.0 / (_CHARACTER * SMALL))
    wrapped = (textwrap.wrap(plain(line, 600), width) for line in lines if line)
    return "\n".join(part for some in wrapped for part in some)


def percent_axis(ax: Axes, decimals: int | None = None) -> None:
    """Write fractions on the vertical axis as percent."""
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def curve(ax: Axes, x: Any, y: Any, k: int, n: int, **look: Any) -> Line2D:
    """Draw the k-th of n lines with its colour, dash and staggered markers."""
    colour, dash, marker = line_style(k)
    step = max(len(y) // 9, 1)
    drawn: Line2D = ax.plot(
        np.asarray(x),
        np.asarray(y, dtype=np.float64),
        color=colour,
        linestyle=dash,
        marker=marker,
        markersize=5.0,
        markeredgecolor="white",
        markeredgewidth=0.6,
        markevery=(int(step * (k + 0.5) / n), step),
        **{"linewidth": 1.4, "zorder": 4.0 - k / 100.0, **look},
    )[0]
    return drawn


def band(ax: Axes, x: Any, low: Any, high: Any, colour: str, dash: str = "-", alpha: float = 0.22) -> None:
    """Fill an interval, with thin edges by which it is still seen in grey and where two overlap."""
    edges = [np.asarray(each, dtype=np.float64) for each in (low, high)]
    ax.fill_between(
        np.asarray(x), edges[0], edges[1], facecolor=colour, alpha=alpha, linewidth=0.0, zorder=2.0
    )
    for edge in edges:
        ax.plot(np.asarray(x), edge, color=colour, linewidth=0.6, linestyle=dash, zorder=2.5)


def key(k: int, label: str) -> tuple[Artist, str]:
    """Return the k-th line for a legend."""
    colour, dash, marker = line_style(k)
    look: Any = {"marker": marker, "markersize": 5.0, "markeredgecolor": "white"}
    return Line2D([], [], color=colour, linestyle=dash, **look), label


def shade(ax: Axes, regimes: Regimes | None, first: Any, last: Any) -> list[tuple[Artist, str]]:
    """Shade the regimes behind the lines, and return what a legend needs.

    A label belongs to the period that ends on its date, which began on the date before.

    Raises
    ------
    InputError
        If there are no labels between the dates, or more than can be told apart.
    """
    if regimes is None:
        return []
    refuse_other(regimes, Regimes, "regimes", "pass al.inflation_level(market, 0.03)")
    inside = regimes.labels[(regimes.labels.index > first) & (regimes.labels.index <= last)]
    if inside.empty:
        span = f"{iso_date(regimes.labels.index[0])} to {iso_date(regimes.labels.index[-1])}"
        problem = f"{regimes.name!r} has labels from {span}, none after {iso_date(first)} to {iso_date(last)}"
        raise InputError("regimes", problem, fix="make them of the same market")
    return shade_labels(ax, inside, regimes.order, first)


def shade_labels(
    ax: Axes, labels: pd.Series[Any], order: Iterable[str], first: Any
) -> list[tuple[Artist, str]]:
    """Shade spells of labels, each from the date before its first, and return what a legend needs."""
    found = set(labels)
    names = [name for name in order if name in found and name != UNCLASSIFIED]
    if len(names) > len(_SHADES):
        problem = f"{len(names)} labels, a picture tells {len(_SHADES)} apart"
        raise InputError("regimes", problem, fix="join some of them with al.given_labels")
    dates, texts = labels.index, labels.to_numpy(dtype=object)
    begins = np.flatnonzero(np.append(True, texts[1:] != texts[:-1]))
    ends = np.append(begins[1:], len(texts)) - 1
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if texts[begin] in names:
            since = first if begin == 0 else dates[begin - 1]
            _span(ax, since, dates[end], names.index(texts[begin]))
    return [(_shade_patch(k), plain(name, 46)) for k, name in enumerate(names)]


def _span(ax: Axes, begin: Any, end: Any, k: int) -> None:
    colour, hatch = _SHADES[k]
    edges: Any = [e.to_datetime64() if isinstance(e, pd.Timestamp) else e for e in (begin, end)]
    ax.axvspan(*edges, facecolor=colour, hatch=hatch, edgecolor=_HATCH_INK, linewidth=0.0, zorder=0.2)


def label_rows(ax: Axes, rows: Sequence[tuple[float, str, bool]]) -> Transform:
    """Write labels from one left edge, headings bold; return the way there from the axes.

    A row is its place, its label, and whether it is a heading.
    """
    ax.set_yticks(
        [y for y, _, _ in rows], [f"{'' if bold else '   '}{label}" for _, label, bold in rows], size=TEXT
    )
    ticks = ax.get_yticklabels()
    for (_, _, bold), tick in zip(rows, ticks, strict=True):
        tick.set_fontweight("bold" if bold else "normal")
    widest = max((tick.get_window_extent().width for tick in ticks), default=0.0)
    for tick in ticks:
        tick.set_horizontalalignment("left")
    away = widest / ax.figure.dpi + 0.1
    ax.tick_params(axis="y", left=False, pad=72.0 * away)
    return ScaledTranslation(-away, 0.0, ax.figure.dpi_scale_trans)


def heading(ax: Axes, y: float) -> None:
    """Shade the row of a heading."""
    ax.axhspan(y - 0.5, y + 0.5, color="#F2F2F2", zorder=0.0)


def _shade_patch(k: int) -> Patch:
    colour, hatch = _SHADES[k]
    return Patch(facecolor=colour, hatch=hatch, edgecolor="#999999", linewidth=0.6)


def legend_above(
    ax: Axes, entries: Sequence[tuple[Artist, str]], size: float = TEXT, lift: float = 0.0
) -> float:
    """Put a legend between title and axes, where it covers nothing; return the height it takes, in points.

    ``lift`` is what stands between it and the axes, in points.
    """
    if not entries:
        return 8.0 + lift
    longest = max(len(text) for _, text in entries) + 6
    fit = int(1.1 * inches(ax) * 72.0 / (_CHARACTER * size) / longest)
    n_rows = -(-len(entries) // max(1, min(fit, len(entries))))
    ax.legend(
        [handle for handle, _ in entries],
        # A label that begins with an underscore would be left out.
        [f" {text}" if text.startswith("_") else text for _, text in entries],
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        bbox_transform=ax.transAxes + ScaledTranslation(0.0, lift / 72.0, ax.figure.dpi_scale_trans),
        ncols=-(-len(entries) // n_rows),
        frameon=False,
        fontsize=size,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.4,
        borderaxespad=0.2,
    )
    return 12.0 + 1.6 * size * n_rows + lift
