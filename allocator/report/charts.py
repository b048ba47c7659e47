"""Pictures for a notebook, each a function that returns matplotlib Axes; growth and drawdown live here.

Figures are built without pyplot: nothing opens a window, nothing is kept alive, and a notebook shows a
figure by itself (``plot_growth(study).figure``). What they share is in ``style.py`` and ``charts_parts.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from allocator.engine import Backtest
from allocator.errors import iso_date
from allocator.regimes import Regimes
from allocator.report.charts_correlation import plot_rolling_correlation, regime_lines
from allocator.report.charts_debt import plot_debt_contributions, plot_debt_regimes, plot_fan
from allocator.report.charts_inference import (
    plot_drawdown_distribution,
    plot_event_study,
    plot_scenarios,
    plot_sharpe_differences,
    plot_weight_curve,
)
from allocator.report.charts_parts import (
    footer,
    key,
    legend_above,
    percent_axis,
    runs_of,
    sample_of,
    shade,
    simulated_mark,
)
from allocator.report.charts_regimes import plot_regime_correlation
from allocator.report.charts_returns import plot_rolling_sharpe, plot_yearly_returns
from allocator.report.charts_weights import plot_holdings, plot_weights
from allocator.report.charts_yields import plot_drivers, plot_yield_decomposition
from allocator.report.comparison import Comparison
from allocator.report.regime_study import RegimeStudy
from allocator.report.style import INK, TEXT, dates_below, dress, line_style, new_axes, plain, png

__all__ = [
    "growth_of",
    "plot_debt_contributions",
    "plot_debt_regimes",
    "plot_drawdown",
    "plot_drawdown_distribution",
    "plot_drivers",
    "plot_event_study",
    "plot_fan",
    "plot_growth",
    "plot_holdings",
    "plot_regime_correlation",
    "plot_rolling_correlation",
    "plot_rolling_sharpe",
    "plot_scenarios",
    "plot_sharpe_differences",
    "plot_weight_curve",
    "plot_weights",
    "plot_yearly_returns",
    "plot_yield_decomposition",
    "study_pngs",
]


def plot_growth(
    study: Comparison | Backtest, ax: Axes | None = None, *, regimes: Regimes | None = None
) -> Axes:
    """Draw what became of 1 in each strategy, after costs, on a log axis.

    Parameters
    ----------
    study
        What was run. Money that came and went is left out: it is the growth of what was there from the start.
    ax
        Where to draw; by default in a figure of its own.
    regimes
        Labels to shade the background with.

    Raises
    ------
    InputError
        Something else than a comparison or a backtest, regimes without a label here or with too many.
    """
    runs = runs_of(study)
    ax = new_axes(4.5) if ax is None else ax
    values = [growth_of(run) for run in runs]
    for k, value in enumerate(values):
        step = max(len(value) // 9, 1)  # the markers of the lines are staggered, so that none hides another
        _draw_line(ax, value, k, range(int(step * (k + 0.5) / len(values)), len(value), step))
    _plain_log_axis(ax, min(v[v > 0.0].min() for v in values), max(v.max() for v in values))
    dates_below(ax, values)
    room = _label_ends(ax, runs, values)
    dates = max((value.index for value in values), key=len)
    above = legend_above(ax, shade(ax, regimes, dates[0], dates[-1]))
    title = f"{simulated_mark(runs[0].market)}Value of 1 invested on {iso_date(dates[0])}, log scale"
    words = footer(ax, _about(study, runs), *regime_lines(regimes))
    return dress(ax, title, words, pad=max(above, room), y="value of 1")


def plot_drawdown(
    study: Comparison | Backtest, ax: Axes | None = None, *, regimes: Regimes | None = None
) -> Axes:
    """Draw how far each strategy stood below its highest value so far, the starting wealth included.

    Parameters
    ----------
    study
        What was run.
    ax
        Where to draw; by default in a figure of its own.
    regimes
        Labels to shade the background with.

    Raises
    ------
    InputError
        Something else than a comparison or a backtest, regimes without a label here or with too many.
    """
    runs = runs_of(study)
    ax = new_axes(4.2) if ax is None else ax
    values, keys = [growth_of(run) for run in runs], []
    for k, (run, value) in enumerate(zip(runs, values, strict=True)):
        fall = value / value.cummax().clip(lower=1.0) - 1.0
        _draw_line(ax, fall, k, _troughs(fall))
        keys.append(key(k, f"{plain(run.name)} {_percent(fall.min())}"))
    ax.set_ylim(top=0.0)
    percent_axis(ax)
    dates_below(ax, values)
    dates = max((value.index for value in values), key=len)
    above = legend_above(ax, [*keys, *shade(ax, regimes, dates[0], dates[-1])])
    every = runs[0].market.frequency
    unseen = f"{every} closes: falls between them are not seen" if every.is_calendar else ""
    title = f"{simulated_mark(runs[0].market)}Drawdown, and the deepest of each strategy"
    words = footer(ax, _about(study, runs, unseen), *regime_lines(regimes))
    return dress(ax, title, words, pad=above, y="below the highest value so far, percent")


def growth_of(run: Backtest) -> pd.Series[float]:
    """Return the value of 1 at each close; money paid in or out is no growth."""
    value = run.value / run.initial_value
    if len(run.flows):
        grown = (1.0 + run.returns.to_numpy()).cumprod()
        return pd.Series(np.append(value.iloc[0], grown), index=value.index, name=value.name)
    return value


def study_pngs(comparison: Comparison, study: RegimeStudy) -> dict[str, bytes]:
    """Return the four pictures of a study as PNG, 1600 px wide; equal inputs give equal bytes.

    Returns
    -------
    dict
        By name: ``growth``, ``drawdown``, ``weights``, ``regime_correlation``.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own style would change the bytes
        figures = {
            "growth": plot_growth(comparison).figure,
            "drawdown": plot_drawdown(comparison).figure,
            "weights": plot_weights(comparison),
            "regime_correlation": plot_regime_correlation(study).figure,
        }
        return {name: png(figure) for name, figure in figures.items()}


def _about(study: Comparison | Backtest, runs: Sequence[Backtest], *notes: str) -> str:
    """Return the line below a picture: data, frequency and window of the returns."""
    dates = study.dates if isinstance(study, Comparison) else runs[0].value.index
    return "; ".join([f"{sample_of(runs[0].market, dates)}, after costs", *filter(None, notes)])


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


def _label_ends(ax: Axes, backtests: Sequence[Backtest], values: Sequence[pd.Series[float]]) -> float:
    """Write names and last values at the right, apart; return how far they reach above the axes, points."""
    low, high = np.log(ax.get_ylim())
    lasts = [float(value.iloc[-1]) for value in values]
    ends = np.maximum(lasts, np.exp(low))
    height = ax.get_window_extent().height / ax.figure.dpi * 72.0
    places = _apart((np.log(ends) - low) / (high - low), 1.35 * TEXT / height)
    for k, (backtest, end, place) in enumerate(zip(backtests, ends, places, strict=True)):
        colour, dash, _ = line_style(k)
        ruin = f", ruined {iso_date(backtest.ruined_on)}" if backtest.ruined_on is not None else ""
        ax.annotate(
            f"{plain(backtest.name, 26)}  {_amount(lasts[k])}{ruin}",
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
    return (float(places.max()) - 1.0) * height + 1.2 * TEXT


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
