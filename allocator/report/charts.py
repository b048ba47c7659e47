"""Pictures of a study: growth, drawdown, weights, and the stock–bond correlation by regime.

The only importer of matplotlib. Figures are built without pyplot: nothing opens a window, nothing is
kept alive, and a notebook shows a figure by itself (``plot_growth(study).figure``). Colours are from
Okabe and Ito (2008); every line also has its own marker and dash, so that grey print can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from allocator.errors import iso_date
from allocator.market import Market
from allocator.regimes.conditional import FEWEST, ConditionalTable
from allocator.regimes.labels import UNCLASSIFIED
from allocator.report.comparison import Comparison
from allocator.report.regime_study import RegimeStudy
from allocator.report.style import (
    INK,
    PALE,
    SMALL,
    TEXT,
    TITLE,
    dates_below,
    dress,
    line_style,
    new_axes,
    new_figure,
    plain,
    png,
)

__all__ = ["plot_drawdown", "plot_growth", "plot_regime_correlation", "plot_weights", "save_charts"]

_AREAS = (
    ("#0072B2", ""),
    ("#E69F00", ""),
    ("#F0E442", ""),
    ("#009E73", "//"),
    ("#56B4E9", ".."),
    ("#D55E00", "\\\\"),
    ("#CC79A7", "xx"),
    ("#333333", ""),
)
_HATCHES = ("", "--", "||")  # added once all are used
_CASH, _CASH_COLOUR = "cash", "#D9D9D9"


def plot_growth(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw what became of 1 in each strategy, after costs, on a log axis.

    Parameters
    ----------
    comparison
        What was run.
    ax
        Where to draw; by default in a figure of its own.
    """
    ax = new_axes(4.5) if ax is None else ax
    values = [backtest.value for backtest in comparison.backtests]
    for k, value in enumerate(values):
        step = max(len(value) // 9, 1)  # the markers of the lines are staggered, so that none hides another
        _draw_line(ax, value, k, range(int(step * (k + 0.5) / len(values)), len(value), step))
    _plain_log_axis(ax, min(v[v > 0.0].min() for v in values), max(v.max() for v in values))
    dates_below(ax, values)
    _label_ends(ax, comparison)
    title = f"{_mark(comparison.market)}Value of 1 invested on {iso_date(values[0].index[0])}, log scale"
    return dress(ax, title, _about(comparison))


def plot_drawdown(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw how far each strategy stood below its highest value so far, the starting wealth included.

    Parameters
    ----------
    comparison
        What was run.
    ax
        Where to draw; by default in a figure of its own.
    """
    ax = new_axes(4.2) if ax is None else ax
    names = []
    for k, backtest in enumerate(comparison.backtests):
        fall = backtest.value / backtest.value.cummax().clip(lower=1.0) - 1.0
        _draw_line(ax, fall, k, _troughs(fall))
        names.append(f"{plain(backtest.name)} {_percent(fall.min())}")
    ax.set_ylim(top=0.0)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    dates_below(ax, [backtest.value for backtest in comparison.backtests])
    above = _legend_above(ax, names)
    every = comparison.market.frequency
    unseen = f"{every} closes: falls between them are not seen" if every.is_calendar else ""
    title = f"{_mark(comparison.market)}Drawdown, and the deepest of each strategy"
    return dress(ax, title, _about(comparison, unseen), pad=above)


def plot_weights(comparison: Comparison) -> Figure:
    """Draw the weights of each strategy over time, a panel a strategy, stacked, cash included.

    What is borrowed or sold short is below zero. An asset has the same colour in every panel.
    """
    backtests = comparison.backtests
    weights = [backtest.weights for backtest in backtests]
    fills = _fills(weights)
    n_columns = min(len(weights), 2 if len(weights) <= 4 else 3)
    n_rows = -(-len(weights) // n_columns)
    figure = new_figure(1.3 + (2.0 if n_rows > 1 else 3.0) * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, backtest, frame in zip(panels, backtests, weights, strict=False):
        _stack(panel, frame, fills)
        dates_below(panel, [backtest.value])
        dress(panel, plain(backtest.name, 66 // n_columns), size=TEXT)
    for empty in panels[len(weights) :]:
        empty.set_visible(False)
    _share_legend(figure, fills)
    title = f"{_mark(comparison.market)}Weights after trading, in percent of value"
    figure.suptitle(title, x=0.01, ha="left", size=TITLE, weight="bold", color=INK)
    owed = (
        "below zero: borrowed or sold short"
        if any((frame < -1e-9).to_numpy().any() for frame in weights)
        else ""
    )
    figure.supxlabel(_about(comparison, owed), x=0.01, ha="left", size=SMALL, color=PALE)
    return figure


def plot_regime_correlation(study: RegimeStudy, ax: Axes | None = None) -> Axes:
    """Draw the stock–bond correlation in each regime with its intervals, grouped by definition.

    Parameters
    ----------
    study
        Its daily and month-end estimates stand side by side where it has both.
    ax
        Where to draw; by default in a figure of its own.
    """
    rows = list(_regime_rows(study))
    both = bool(study.month_end_correlation)
    ax = new_axes(1.5 + (0.31 if both else 0.25) * (len(rows) + 1)) if ax is None else ax
    ax.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    for row in rows:
        _draw_regime(ax, row, both)
    ax.set_xlim(-1.0, 1.0)
    ax.set_ylim(rows[-1].y + 0.7 if rows else 1.0, -0.7)
    ax.xaxis.set_major_locator(FixedLocator([-1.0, -0.5, 0.0, 0.5, 1.0]))
    left = _label_regimes(ax, rows)
    _regime_legend(ax, study.market, both, left)
    title = f"{_mark(study.market)}Stock–bond correlation by regime"
    return dress(ax, title, _about_regimes(study), grid="x", pad=38.0, shift=left)


def save_charts(comparison: Comparison, study: RegimeStudy, folder: Path) -> dict[str, Path]:
    """Write the four pictures to a folder, 1600 px wide; equal inputs give equal bytes.

    Returns
    -------
    dict
        Path by name: ``growth``, ``drawdown``, ``weights``, ``regime_correlation``.
    """
    paths = {}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own style would change the bytes
        figures = {
            "growth": plot_growth(comparison).figure,
            "drawdown": plot_drawdown(comparison).figure,
            "weights": plot_weights(comparison),
            "regime_correlation": plot_regime_correlation(study).figure,
        }
        for name, figure in figures.items():
            paths[name] = Path(folder) / f"{name}.png"
            paths[name].write_bytes(png(figure))
    return paths


def _mark(market: Market) -> str:
    return "SIMULATED data. " if market.simulated else ""


def _about(comparison: Comparison, *notes: str) -> str:
    """Return the line below a picture: data, frequency and window of the returns."""
    window = _window(comparison.market, comparison.dates)
    return "; ".join([f"{window}, after costs", *filter(None, notes)])


def _window(market: Market, dates: pd.Index) -> str:
    return f"{plain(market.name, 50)}, {market.frequency}, {iso_date(dates[0])} to {iso_date(dates[-1])}"


def _about_regimes(study: RegimeStudy) -> str:
    """Return the lines below the regimes: data, window, and how the first table says it was made."""
    if not study.correlation:
        return "no definition of regimes could be estimated: see left_out"
    lines = (plain(line, 120) for line in study.correlation[0].conventions[:2])
    return "\n".join([_window(study.market, study.market.index), *lines])


def _percent(value: float) -> str:
    return f"{value:.1%}".replace("-", "\N{MINUS SIGN}")


def _troughs(fall: pd.Series[float]) -> list[int]:
    """Return the rows of the lowest values in nine spans of time, where a marker can be told from others."""
    spans = np.array_split(np.arange(len(fall)), min(9, len(fall)))
    lowest = [int(span[fall.to_numpy()[span].argmin()]) for span in spans]
    return [row for row in lowest if fall.iloc[row] < 0.0]


def _draw_line(ax: Axes, path: pd.Series[float], k: int, marked: Sequence[int]) -> None:
    """Draw one strategy, with its marker on some rows."""
    colour, dash, marker = line_style(k)
    ax.plot(
        path.index.to_numpy(),
        path.to_numpy(),
        color=colour,
        linestyle=dash,
        linewidth=1.3 if len(path) < 1000 else 1.0,
        marker=marker,
        markersize=5.0,
        markeredgecolor="white",
        markeredgewidth=0.6,
        markevery=list(marked),
        zorder=3.0 - k / 100.0,  # the first strategy, what the others are measured against, on top
    )


def _plain_log_axis(ax: Axes, low: float, high: float) -> None:
    """Make the axis logarithmic with ticks that read 0.5, 1, 2, 5, 10."""
    ax.set_yscale("log")
    low, high = low * 0.95, high * 1.05
    ax.set_ylim(low, high)
    ax.yaxis.set_major_locator(FixedLocator(_plain_ticks(low, high)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _plain_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between the two: 1–2–5–10, 1–10–100 over many decades, even steps over few."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,)):
        ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= 12:
            break
    even = [float(f"{tick:.6g}") for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]
    return ticks if len(ticks) >= 4 else even


def _label_ends(ax: Axes, comparison: Comparison) -> None:
    """Write each strategy's name and last value at the right, moved apart where they would overlap."""
    backtests = comparison.backtests
    low, high = np.log(ax.get_ylim())
    ends = np.array([max(float(b.value.iloc[-1]), np.exp(low)) for b in backtests])
    height = ax.get_window_extent().height / ax.figure.dpi * 72.0
    places = _apart((np.log(ends) - low) / (high - low), 1.35 * TEXT / height)
    for k, (backtest, end, place) in enumerate(zip(backtests, ends, places, strict=True)):
        colour, dash, _ = line_style(k)
        ruin = f", ruined {iso_date(backtest.ruined_on)}" if backtest.ruined_on is not None else ""
        ax.annotate(
            f"{plain(backtest.name, 26)}  {_amount(float(backtest.value.iloc[-1]))}{ruin}",
            xy=(backtest.value.index[-1].to_datetime64(), end),
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            size=TEXT,
            color=INK,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linestyle": dash,
                "linewidth": 1.3,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
        )


def _amount(value: float) -> str:
    return f"{value:,.{0 if value >= 100.0 else 1 if value >= 10.0 else 2}f}"


def _apart(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Return the places in the same order, at least ``gap`` apart, each moved as little as need be."""
    order = np.argsort(places, kind="stable")
    sorted_places = places[order]
    for _ in range(200):
        short = np.maximum(gap - np.diff(sorted_places), 0.0)
        if short.max(initial=0.0) < 1e-6:
            break
        sorted_places[:-1] -= short / 2.0
        sorted_places[1:] += short / 2.0
    moved = np.empty_like(places)
    moved[order] = sorted_places
    return moved


def _legend_above(ax: Axes, names: Sequence[str]) -> float:
    """Put the names between title and axes, in as many columns as fit; return the height in points."""
    n_columns = max(1, min(len(names), 100 // (max(map(len, names)) + 6)))
    n_rows = -(-len(names) // n_columns)
    handles = [_key(k) for k in range(len(names))]
    # A label that begins with an underscore would be left out.
    labels = [f" {name}" if name.startswith("_") else name for name in names]
    ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=-(-len(names) // n_rows),
        frameon=False,
        fontsize=TEXT,
        labelcolor=INK,
        handlelength=2.2,
        columnspacing=1.4,
        borderaxespad=0.2,
    )
    return 12.0 + 1.6 * TEXT * n_rows


def _key(k: int) -> Line2D:
    colour, dash, marker = line_style(k)
    return Line2D(
        [], [], color=colour, linestyle=dash, marker=marker, markersize=5.0, markeredgecolor="white"
    )


_Fills = dict[str, tuple[str, str]]  # colour and hatch by asset


def _fills(weights: Sequence[pd.DataFrame]) -> _Fills:
    """Return a colour and a hatch for every asset that any strategy holds, and for cash."""
    held = [asset for asset in weights[0].columns if any(w[asset].abs().max() > 1e-9 for w in weights)]
    fills = {}
    for k, asset in enumerate(asset for asset in held if asset != _CASH):
        colour, hatch = _AREAS[k % len(_AREAS)]
        fills[asset] = colour, hatch + _HATCHES[k // len(_AREAS) % len(_HATCHES)]
    return fills | ({_CASH: (_CASH_COLOUR, "")} if _CASH in held else {})


def _stack(ax: Axes, weights: pd.DataFrame, fills: _Fills) -> None:
    """Stack what is held upwards from zero and what is owed downwards."""
    dates = weights.index.to_numpy()
    for sign in (1.0, -1.0):
        edge = np.zeros(len(weights))
        for asset, (colour, hatch) in fills.items():
            part = np.maximum(weights[asset].to_numpy() * sign, 0.0) * sign
            if np.abs(part).max() > 1e-9:
                ax.fill_between(
                    dates,
                    edge,
                    edge + part,
                    facecolor=colour,
                    hatch=hatch,
                    edgecolor="white",
                    linewidth=0.15,
                    step="post",  # what is held after a close is held until the next
                )
                edge = edge + part
    for level in (0.0, 1.0):
        ax.axhline(level, color=INK, linewidth=0.8)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.margins(y=0.0)


def _share_legend(figure: Figure, fills: _Fills) -> None:
    """List the assets at the right, in the order of the stack from top to bottom."""
    upwards = list(fills.items())
    handles = [Patch(facecolor=colour, hatch=hatch, edgecolor="white") for _, (colour, hatch) in upwards]
    labels = [f" {plain(asset, 18)}" for asset in fills]
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="outside right upper",
        frameon=False,
        fontsize=TEXT,
        labelcolor=INK,
        handlelength=1.3,
        handleheight=1.3,
    )


@final
@dataclass(frozen=True)
class _RegimeRow:
    """A row of the chart: a heading, or a regime with what was estimated from all periods and month ends."""

    y: float
    label: str
    estimate: dict[str, Any] | None = None
    month_end: dict[str, Any] | None = None


def _regime_rows(study: RegimeStudy) -> Iterator[_RegimeRow]:
    months = {(t.regimes.name, t.regimes.ex_post): _records(t) for t in study.month_end_correlation}
    y = 0.0
    for table in study.correlation:
        known = "ex post" if table.regimes.ex_post else "known at the time"
        yield _RegimeRow(y, f"{plain(table.regimes.name, 34)}, {known}")
        thinned = months.get((table.regimes.name, table.regimes.ex_post), {})
        for regime, estimate in _records(table).items():
            y += 1.0
            yield _RegimeRow(y, plain(regime, 46), estimate, thinned.get(regime))
        y += 1.3


def _records(table: ConditionalTable) -> dict[str, dict[str, Any]]:
    shown = table.table.drop(index=UNCLASSIFIED, errors="ignore")
    rows: list[dict[str, Any]] = shown.to_dict("records")  # type: ignore[assignment]  # keys are columns
    return {str(regime): row for regime, row in zip(shown.index, rows, strict=True)}


_DAILY, _MONTH_END = ("#0072B2", "o"), ("#D55E00", "s")


def _draw_regime(ax: Axes, row: _RegimeRow, both: bool) -> None:
    """Draw the estimates of a row with their intervals, and its counts at the right."""
    if row.estimate is None:
        ax.axhspan(row.y - 0.5, row.y + 0.5, color="#F2F2F2", zorder=0)
        return
    shift = 0.2 if both else 0.0
    _draw_estimate(ax, row.y - shift, row.estimate, *_DAILY, filled=True)
    _write_count(ax, row.y, row.estimate, 34.0)
    if row.month_end is not None:
        _draw_estimate(ax, row.y + shift, row.month_end, *_MONTH_END, filled=False)
        _write_count(ax, row.y, row.month_end, 82.0)


def _draw_estimate(
    ax: Axes, y: float, estimate: dict[str, Any], colour: str, marker: str, *, filled: bool
) -> None:
    if not np.isfinite(estimate["correlation"]):
        n, reason = estimate["n"], estimate["reason"]
        why = "too few" if n < FEWEST else plain(reason, 40)
        ax.text(0.02, y, f"n = {n}: {why}", size=SMALL, va="center", color=colour, style="italic")
        return
    below = y + 0.14
    ax.plot(
        [estimate["fisher_low"], estimate["fisher_high"]], [below, below], color=colour, alpha=0.45, lw=0.9
    )
    ax.plot([estimate["low"], estimate["high"]], [y, y], color=colour, lw=2.6, solid_capstyle="butt")
    face = colour if filled else "white"
    ax.plot(
        [estimate["correlation"]],
        [y],
        marker=marker,
        color=colour,
        markerfacecolor=face,
        markersize=5.5,
        lw=0,
    )


def _write_count(ax: Axes, y: float, estimate: dict[str, Any], offset: float) -> None:
    ax.annotate(
        f"{estimate['n']:,}",
        xy=(1.0, y),
        xycoords=ax.get_yaxis_transform(),
        xytext=(offset, 0.0),
        textcoords="offset points",
        ha="right",
        va="center_baseline",
        size=TEXT,
        color=INK,
    )


def _label_regimes(ax: Axes, rows: Sequence[_RegimeRow]) -> Transform:
    """Write bold headings and regimes from one left edge; return the way from the axes to it."""
    labels = [row.label if row.estimate is None else f"   {row.label}" for row in rows]
    ax.set_yticks([row.y for row in rows], labels, size=TEXT)
    ticks = ax.get_yticklabels()
    for row, tick in zip(rows, ticks, strict=True):
        tick.set_fontweight("bold" if row.estimate is None else "normal")
    widest = max((tick.get_window_extent().width for tick in ticks), default=0.0)
    for tick in ticks:
        tick.set_horizontalalignment("left")
    inches = widest / ax.figure.dpi + 0.1
    ax.tick_params(axis="y", left=False, pad=72.0 * inches)
    return ScaledTranslation(-inches, 0.0, ax.figure.dpi_scale_trans)


def _regime_legend(ax: Axes, market: Market, both: bool, left: Transform) -> None:
    """Say what markers and lines mean, between title and axes, and head the counts."""
    series = [
        (*_DAILY, _DAILY[0], f"{market.frequency} returns"),
        (*_MONTH_END, "white", "month-end returns"),
    ][: 2 if both else 1]
    handles = [
        Line2D([], [], color=c, marker=m, markerfacecolor=face, lw=0, markersize=5.5)
        for c, m, face, _ in series
    ]
    handles += [Line2D([], [], color=INK, lw=2.6), Line2D([], [], color=INK, alpha=0.45, lw=0.9)]
    names = [name for *_, name in series] + ["block-bootstrap interval", "Fisher interval (naive)"]
    ax.legend(
        handles,
        names,
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        bbox_transform=ax.transAxes + left,
        ncols=2,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        borderaxespad=0.2,
    )
    heads = [(34.0, "n"), (82.0, "n months")][: 2 if both else 1]
    for offset, text in heads:
        ax.annotate(
            text,
            xy=(1.0, 1.0),
            xycoords="axes fraction",
            xytext=(offset, 4.0),
            textcoords="offset points",
            ha="right",
            size=SMALL,
            color=PALE,
        )
