"""Pictures of a government's debt: what moved the ratio, how it was handled, and where it may go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from allocator.macro import DebtContributions, DebtFan, DebtRegimes
from allocator.macro.debt.accounts import period_name
from allocator.macro.debt.classifier import MEANS, NONE
from allocator.macro.debt.contributions import CHANNELS
from allocator.report.charts_parts import (
    band,
    footer,
    legend_above,
    percent_axis,
    refuse_other,
    shade_labels,
)
from allocator.report.style import INK, dates_below, dress, new_axes

__all__ = ["plot_debt_contributions", "plot_debt_regimes", "plot_fan"]

_BARS = {
    "interest": ("#D55E00", ""),
    "growth": ("#56B4E9", "////"),
    "inflation": ("#F0E442", ""),
    "primary_deficit": ("#0072B2", "...."),
    "stock_flow": ("#BBBBBB", "xxxx"),
}
_UNSURE = 0.5
_FAN = "#0072B2"


def plot_debt_contributions(contributions: DebtContributions, ax: Axes | None = None) -> Axes:
    """Draw what moved a debt ratio each period: stacked bars, up and down, and their sum as a line.

    Parameters
    ----------
    contributions
        From :func:`allocator.debt_contributions`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than contributions.
    """
    fix = "pass al.debt_contributions(accounts)"
    refuse_other(contributions, DebtContributions, "contributions", fix)
    ax = new_axes(4.2) if ax is None else ax
    exact = contributions.exact
    x, width = _places(exact.index)
    _stack_bars(ax, x, width, exact)
    ax.plot(
        x,
        exact["change"].to_numpy(),
        color=INK,
        marker="o",
        markersize=3.4,
        markerfacecolor="white",
        markeredgewidth=0.9,
        linewidth=1.0,
        zorder=4.0,
    )
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=3.0)
    percent_axis(ax)
    _label_periods(ax, exact["change"])
    change = Line2D([], [], color=INK, marker="o", markersize=3.4, markerfacecolor="white")
    bars = [(_bar_patch(channel), _said(channel)) for channel in CHANNELS]
    above = legend_above(ax, [*bars, (change, "change of the ratio")])
    words = footer(
        ax,
        f"{_sample(contributions)}; accounting without an estimate, so no interval",
        "the five channels of the exact law add up to the change; stock-flow is what the others leave",
    )
    return dress(ax, "What moved the debt ratio", words, pad=above, y="percent of GDP a period")


def plot_debt_regimes(regimes: DebtRegimes, ax: Axes | None = None) -> Axes:
    """Draw the debt ratio, shaded by the means with which the debt was handled.

    Periods of whose label fewer than half of the variants of the rule are sure have an open marker.

    Parameters
    ----------
    regimes
        From :func:`allocator.debt_regimes`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than the regimes of a debt.
    """
    refuse_other(regimes, DebtRegimes, "regimes", "pass al.debt_regimes(accounts)")
    ax = new_axes(4.0) if ax is None else ax
    debt, table = regimes.contributions.accounts["debt"], regimes.table
    ax.plot(debt.index.to_numpy(), debt.to_numpy(), color=INK, linewidth=1.4, zorder=3.0)
    sure = table["confidence"].to_numpy() >= _UNSURE
    for chosen, face in ((sure, INK), (~sure, "white")):
        part = debt.loc[table.index[chosen]]
        look: dict[str, Any] = {"markerfacecolor": face, "markersize": 4.0, "zorder": 4.0}
        ax.plot(part.index.to_numpy(), part.to_numpy(), "o", color=INK, **look)
    shades = shade_labels(ax, table["label"], (NONE, *MEANS), debt.index[0])
    ax.set_ylim(bottom=0.0)
    percent_axis(ax)
    _label_periods(ax, debt)
    dots = [
        (Line2D([], [], color=INK, marker="o", markersize=4.0, markerfacecolor=face), f"debt, label {how}")
        for how, face in (("sure", INK), ("unsure", "white"))
    ]
    words = footer(ax, *_regime_words(regimes, int(sure.sum())))
    title = "The debt ratio, and how the debt was handled"
    return dress(ax, title, words, pad=legend_above(ax, [*dots, *shades]), y="debt, percent of GDP")


def plot_fan(fan: DebtFan, ax: Axes | None = None) -> Axes:
    """Draw where a debt ratio may go: the median of the drawn paths, the middle half, and nine tenths.

    Parameters
    ----------
    fan
        From :func:`allocator.debt_fan`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than a fan.
    """
    refuse_other(fan, DebtFan, "fan", "pass al.debt_fan(accounts)")
    ax = new_axes(4.0) if ax is None else ax
    table, ahead = fan.table, np.append(0, fan.table.index.to_numpy())
    paths: dict[Any, Any] = {
        q: np.append(fan.initial, table[q].to_numpy()) for q in table.columns if isinstance(q, float)
    }
    for low, high, alpha in ((0.05, 0.95, 0.18), (0.25, 0.75, 0.35)):
        band(ax, ahead, paths[low], paths[high], _FAN, "--" if low < 0.1 else "-", alpha)
    ax.plot(ahead, paths[0.5], color=INK, marker="o", markersize=4.0, linewidth=1.6, zorder=4.0)
    ax.axhline(fan.initial, color=INK, linewidth=0.8, linestyle=":", zorder=1.0)
    percent_axis(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    ax.set_xlim(0.0, float(ahead[-1]))
    keys = [
        (Line2D([], [], color=INK, marker="o", markersize=4.0), "median"),
        (Patch(facecolor=_FAN, alpha=0.5), "25 to 75 % of the paths"),
        (Patch(facecolor=_FAN, alpha=0.18, linestyle="--", edgecolor=_FAN), "5 to 95 %"),
        (Line2D([], [], color=INK, linewidth=0.8, linestyle=":"), f"{fan.initial:.1%} in {fan.start}"),
    ]
    words = footer(ax, *_fan_words(fan))
    above = legend_above(ax, keys)
    title = f"SIMULATED: where the debt ratio may go from {fan.start}"
    return dress(ax, title, words, pad=above, x="periods ahead", y="debt, percent of GDP")


def _bar_patch(channel: str) -> Patch:
    colour, hatch = _BARS[channel]
    return Patch(facecolor=colour, hatch=hatch, edgecolor=INK, linewidth=0.3)


def _said(channel: str) -> str:
    return channel.replace("primary_deficit", "primary deficit").replace("stock_flow", "stock-flow")


def _stack_bars(ax: Axes, x: NDArray[np.float64], width: NDArray[np.float64], exact: pd.DataFrame) -> None:
    """Stack what raised the ratio upwards from zero, and what lowered it downwards."""
    up, down = np.zeros(len(exact)), np.zeros(len(exact))
    for channel in CHANNELS:
        colour, hatch = _BARS[channel]
        size = exact[channel].to_numpy(dtype=np.float64)
        base = np.where(size >= 0.0, up, down)
        look: dict[str, Any] = {"color": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0.2}
        ax.bar(x, size, width, bottom=base, zorder=2.0, label=channel, **look)
        up, down = up + np.maximum(size, 0.0), down + np.minimum(size, 0.0)


def _places(index: pd.Index) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the bars stand and how wide they are: days since 1970, or years as they are numbered."""
    if not isinstance(index, pd.DatetimeIndex):
        return index.to_numpy(dtype=np.float64), np.full(len(index), 0.8)
    days = index.to_numpy().astype("datetime64[D]").astype(np.float64)
    return days, np.full(len(days), 0.8 * float(np.median(np.diff(days))) if len(days) > 1 else 300.0)


def _label_periods(ax: Axes, path: pd.Series[float]) -> None:
    """Label years under the axis, with room for half a bar at either end."""
    x, width = _places(path.index)
    if isinstance(path.index, pd.DatetimeIndex):
        dates_below(ax, [path])
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    ax.set_xlim(x[0] - width[0], x[-1] + width[-1])


def _sample(contributions: DebtContributions) -> str:
    index = contributions.exact.index
    return f"{period_name(index[0])} to {period_name(index[-1])}, {len(index)} periods"


def _regime_words(regimes: DebtRegimes, n_sure: int) -> list[str]:
    rule = "largest means that counts and did its share of the work (al.DebtRule); ex post"
    return [
        f"{_sample(regimes.contributions)}; {rule}",
        *regimes.proxies,
        f"sure: half of the variants of the rule or more give the same label, {n_sure} of "
        f"{len(regimes.table)} periods",
    ]


def _fan_words(fan: DebtFan) -> list[str]:
    held = float(fan.table["at_cap"].iloc[-1])
    last = fan.table.iloc[-1]
    return [
        f"{len(fan.paths):,} paths, seed {fan.seed}; {fan.draws}; history {fan.sample}",
        "no stock-flow; neither the error of the estimates nor another model is in the fan",
        f"above the start after {fan.paths.shape[1]} periods: {last['higher']:.1%} ± "
        f"{1.96 * last['simulation_error']:.1%} of the paths (simulation error, 95 %)",
        f"{held:.2%} of the paths passed {fan.cap:g} times GDP and stay there" if held else "",
    ]
