"""Pictures of what was held: stacked weights of one strategy, or a panel a strategy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from allocator.engine import Backtest
from allocator.report.charts_parts import (
    footer,
    legend_above,
    refuse_other,
    sample_of,
    simulated_mark,
)
from allocator.report.comparison import Comparison
from allocator.report.style import (
    INK,
    PALE,
    SMALL,
    TEXT,
    TITLE,
    dates_below,
    dress,
    new_axes,
    new_figure,
    plain,
)

__all__ = ["draw_weights", "fill_keys", "fills_of", "plot_holdings", "plot_weights"]

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


def plot_holdings(backtest: Backtest, ax: Axes | None = None) -> Axes:
    """Draw the weights of one strategy over time, stacked, cash included.

    Parameters
    ----------
    backtest
        What was run; of a comparison, one of its ``backtests``.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than a backtest.
    """
    refuse_other(backtest, Backtest, "backtest", "pass study.backtests[0], or draw plot_weights(study)")
    ax = new_axes(3.8) if ax is None else ax
    weights = backtest.weights
    fills = fills_of([weights])
    draw_weights(ax, weights, fills)
    dates_below(ax, [backtest.value])
    words = f"{sample_of(backtest.market, weights.index)}; weights at each close after trading"
    title = f"{simulated_mark(backtest.market)}Weights of {plain(backtest.name)}"
    above = legend_above(ax, fill_keys(fills))
    return dress(ax, title, footer(ax, words, _owed([weights])), pad=above, y="percent of value")


def plot_weights(comparison: Comparison) -> Figure:
    """Draw the weights of each strategy over time, a panel a strategy, stacked, cash included.

    What is borrowed or sold short is below zero. An asset has the same colour in every panel.
    """
    backtests = comparison.backtests
    weights = [backtest.weights for backtest in backtests]
    fills = fills_of(weights)
    n_columns = min(len(weights), 2 if len(weights) <= 4 else 3)
    n_rows = -(-len(weights) // n_columns)
    figure = new_figure(1.3 + (2.0 if n_rows > 1 else 3.0) * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, backtest, frame in zip(panels, backtests, weights, strict=False):
        draw_weights(panel, frame, fills)
        dates_below(panel, [backtest.value])
        dress(panel, plain(backtest.name, 66 // n_columns), size=TEXT)
    for empty in panels[len(weights) :]:
        empty.set_visible(False)
    _share_legend(figure, fills)
    title = f"{simulated_mark(comparison.market)}Weights after trading, in percent of value"
    figure.suptitle(title, x=0.01, ha="left", size=TITLE, weight="bold", color=INK)
    words = [f"{sample_of(comparison.market, comparison.dates)}, after costs", _owed(weights)]
    figure.supxlabel("; ".join(filter(None, words)), x=0.01, ha="left", size=SMALL, color=PALE)
    return figure


def _owed(weights: Sequence[pd.DataFrame]) -> str:
    owes = any((frame < -1e-9).to_numpy().any() for frame in weights)
    return "below zero: borrowed or sold short" if owes else ""


_Fills = dict[str, tuple[str, str]]  # colour and hatch by asset


def fills_of(weights: Sequence[pd.DataFrame]) -> _Fills:
    """Return a colour and a hatch for every asset that any strategy holds, and for cash."""
    held = [asset for asset in weights[0].columns if any(w[asset].abs().max() > 1e-9 for w in weights)]
    fills = {}
    for k, asset in enumerate(asset for asset in held if asset != _CASH):
        colour, hatch = _AREAS[k % len(_AREAS)]
        fills[asset] = colour, hatch + _HATCHES[k // len(_AREAS) % len(_HATCHES)]
    return fills | ({_CASH: (_CASH_COLOUR, "")} if _CASH in held else {})


def draw_weights(ax: Axes, weights: pd.DataFrame, fills: _Fills) -> None:
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


def fill_keys(fills: _Fills) -> list[tuple[Artist, str]]:
    """Return what a legend needs to name the assets."""
    return [
        (Patch(facecolor=colour, hatch=hatch, edgecolor="white"), plain(asset, 18))
        for asset, (colour, hatch) in fills.items()
    ]


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
