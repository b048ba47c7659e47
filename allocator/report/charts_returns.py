"""Pictures of a backtest: its years, its rolling Sharpe ratio, and what it held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from allocator.engine import Backtest
from allocator.errors import InputError, InsufficientHistoryError
from allocator.regimes import Regimes
from allocator.report.charts_correlation import regime_lines
from allocator.report.charts_parts import (
    band,
    curve,
    footer,
    key,
    legend_above,
    percent_axis,
    runs_of,
    sample_of,
    shade,
    simulated_mark,
)
from allocator.report.comparison import Comparison
from allocator.report.style import INK, dates_below, dress, line_style, new_axes, plain
from allocator.statistics import sharpe_ratio, sharpe_standard_error

__all__ = ["plot_rolling_sharpe", "plot_yearly_returns", "rolling_sharpe", "yearly_returns"]

_FEWEST = 12  # rows of a window
_NORMAL = 1.959964  # 97.5 % of the standard normal
_BLOCK = 2**21  # numbers at once


def yearly_returns(backtest: Backtest) -> pd.DataFrame:
    """Return the return of each calendar year, after costs, and whether the run covers all of it.

    A year is whole if the row before its first return is in the last eight days of the year before, or the
    run's rows are a year apart, and if it ends in its last eight days.

    Returns
    -------
    pandas.DataFrame
        Indexed by year: ``return``, a fraction, and ``whole``.
    """
    returns = backtest.returns
    dates = pd.DatetimeIndex(backtest.value.index)
    years = dates[1:].year
    table = pd.DataFrame({"return": (1.0 + returns).groupby(years).prod() - 1.0, "whole": True})
    table.index.name = "year"
    first, last = dates[0], dates[-1]
    if not (first.month == 12 and first.day >= 24):
        table.loc[years[0], "whole"] = False
    if not (last.month == 12 and last.day >= 24):
        table.loc[last.year, "whole"] = False
    return table


def plot_yearly_returns(study: Comparison | Backtest, ax: Axes | None = None) -> Axes:
    """Draw the return of every calendar year: bars for the first strategy, markers for the others.

    Parameters
    ----------
    study
        What was run.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than a comparison or a backtest.
    """
    runs = runs_of(study)
    ax = new_axes(3.6) if ax is None else ax
    tables = [yearly_returns(run) for run in runs]
    first = tables[0]
    for chosen, hatch in ((first["whole"], ""), (~first["whole"], "////")):
        part = first.loc[chosen, "return"]
        look: Any = {"hatch": hatch, "edgecolor": INK, "linewidth": 0.4}
        ax.bar(part.index.to_numpy(), part.to_numpy(), 0.8, color="#D0D0D0", zorder=2.0, **look)
    for k, table in enumerate(tables[1:], start=1):
        colour, _, marker = line_style(k)
        values = table["return"].to_numpy()
        size = 4.5 if len(values) < 60 else 3.5
        ax.plot(table.index.to_numpy(), values, marker, color=colour, markersize=size, zorder=3.0)
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=2.5)
    percent_axis(ax)
    ax.set_xlim(first.index[0] - 0.6, first.index[-1] + 0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9))
    words = f"{sample_of(runs[0].market, runs[0].value.index)}, after costs; {len(first)} calendar years"
    above = legend_above(ax, _year_keys(runs, bool(first["whole"].all())))
    title = f"{simulated_mark(runs[0].market)}Return of every calendar year"
    return dress(ax, title, footer(ax, words), pad=above, y="percent a year")


def _year_keys(runs: tuple[Backtest, ...], all_whole: bool) -> list[tuple[Any, str]]:
    keys: list[tuple[Any, str]] = [(Patch(facecolor="#D0D0D0", edgecolor=INK), plain(runs[0].name))]
    for k, run in enumerate(runs[1:], start=1):
        colour, _, marker = line_style(k)
        keys.append((Line2D([], [], color=colour, marker=marker, linestyle="none"), plain(run.name)))
    part = Patch(facecolor="#D0D0D0", edgecolor=INK, hatch="////")
    return keys if all_whole else [*keys, (part, "part of a year")]


def rolling_sharpe(backtest: Backtest, years: float) -> pd.DataFrame:
    """Return the Sharpe ratio of the last ``years`` on each date that has them.

    Returns
    -------
    pandas.DataFrame
        By date: ``sharpe`` and ``standard_error`` (Mertens, 2002), per √year; NaN where nothing varied.

    Raises
    ------
    InputError
        A window of fewer than 12 rows.
    InsufficientHistoryError
        A window longer than the run.
    """
    per_year = backtest.market.frequency.periods_per_year
    window = round(years * per_year) if 0.0 < years < np.inf else 0
    if window < _FEWEST:
        problem = f"{years!r} years hold {window} rows, at least {_FEWEST} are needed"
        raise InputError("years", problem, fix=f"pass {_FEWEST / per_year:.3g} or more")
    excess = (backtest.returns - backtest.cash_returns).to_numpy(dtype=np.float64)
    if window > len(excess):
        problem = f"a window of {window} rows ({years:g} years) for {len(excess)} returns"
        raise InsufficientHistoryError("years", problem, rows_needed=window, fix="take a shorter one")
    return pd.DataFrame(
        _windowed(np.asarray(excess, dtype=np.float64), window, per_year),
        index=backtest.returns.index[window - 1 :],
        columns=["sharpe", "standard_error"],
    )


def _windowed(excess: NDArray[np.float64], window: int, per_year: float) -> NDArray[np.float64]:
    """Return ratio and error of each window, (n_windows, 2), some at a time; NaN where nothing varies."""
    windows = np.lib.stride_tricks.sliding_window_view(excess, window)
    found = np.full((len(windows), 2), np.nan)
    varies = windows.max(axis=1) - windows.min(axis=1) > 1e-12
    rows, step = np.flatnonzero(varies), max(_BLOCK // window, 1)
    for begin in range(0, len(rows), step):
        some = rows[begin : begin + step]
        matrix = np.ascontiguousarray(windows[some].T)
        found[some, 0] = sharpe_ratio(matrix, 0.0, per_year)
        found[some, 1] = sharpe_standard_error(matrix, 0.0, per_year)
    return found


def plot_rolling_sharpe(
    study: Comparison | Backtest, years: float, ax: Axes | None = None, *, regimes: Regimes | None = None
) -> Axes:
    """Draw the Sharpe ratio of the last years by date, the first strategy's with its interval.

    Parameters
    ----------
    study
        What was run.
    years
        Length of the window, at least 12 rows of it.
    ax
        Where to draw; by default in a figure of its own.
    regimes
        Labels to shade the background with.

    Raises
    ------
    InputError
        Something else than a comparison or a backtest, a window of too few rows, labels of other dates.
    InsufficientHistoryError
        A window longer than a run.
    """
    runs = runs_of(study)
    tables = [rolling_sharpe(run, years) for run in runs]
    ax = new_axes(3.8) if ax is None else ax
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    first = tables[0]
    half = _NORMAL * first["standard_error"]
    band(ax, first.index, first["sharpe"] - half, first["sharpe"] + half, line_style(5)[0], alpha=0.3)
    for k, table in enumerate(tables):
        curve(ax, table.index, table["sharpe"], k, len(tables))
    dates_below(ax, [table["sharpe"] for table in tables])
    shades = shade(ax, regimes, first.index[0], first.index[-1])
    above = legend_above(ax, [*(key(k, plain(run.name)) for k, run in enumerate(runs)), *shades])
    window = round(years * runs[0].market.frequency.periods_per_year)
    words = footer(
        ax,
        f"{sample_of(runs[0].market, runs[0].value.index)}, after costs; n={window:,} each",
        f"band: 95 % interval of {plain(runs[0].name)} on each date alone (Mertens, 2002: not normal, no "
        "autocorrelation); the others have one as wide",
        *regime_lines(regimes),
    )
    title = f"{simulated_mark(runs[0].market)}Sharpe ratio of the last {years:g} years"
    return dress(ax, title, words, pad=above, y="Sharpe ratio, per √year")
