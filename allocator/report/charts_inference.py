"""Pictures of estimates and their intervals: Sharpe ratios, weights, events, drawdowns, simulated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from allocator.errors import InputError, iso_date
from allocator.report.additions import Additions
from allocator.report.charts_parts import (
    band,
    footer,
    heading,
    label_rows,
    legend_above,
    percent_axis,
    refuse_other,
)
from allocator.report.sharpe_differences import SharpeComparison
from allocator.report.show_sharpe import p_text
from allocator.report.style import BAND, INK, PALE, SMALL, TEXT, dress, line_style, new_axes, plain
from allocator.statistics import DrawdownDistribution, EventStudy

__all__ = [
    "plot_drawdown_distribution",
    "plot_event_study",
    "plot_scenarios",
    "plot_sharpe_differences",
    "plot_weight_curve",
]

_BAND = "#0072B2"
_LEVEL = 0.05
_SPREAD = "#C4C4C4"
_MEASURES = {
    "sharpe": "Sharpe ratio, per √year",
    "cagr": "growth a year (CAGR), percent",
    "max_drawdown": "maximum drawdown, percent",
}


def plot_weight_curve(additions: Additions, ax: Axes | None = None) -> Axes:
    """Draw by how much the Sharpe ratio changes with the weight of what is added, with its interval.

    Parameters
    ----------
    additions
        From :func:`allocator.weight_curve`: gold, or any other asset, at several weights.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than additions, or of assets instead of weights.
    """
    refuse_other(additions, Additions, "additions", "pass al.weight_curve(...)")
    table = additions.table[additions.table["difference"].notna()]
    if additions.table.index.name != "weight" or table.empty:
        problem = f"by {additions.table.index.name}, or without a difference; a curve is by weight"
        raise InputError("additions", problem, fix="pass al.weight_curve(...)")
    ax = new_axes(4.0) if ax is None else ax
    market = additions.comparisons[0].market
    x = table.index.to_numpy(dtype=np.float64)
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    _draw_interval_curve(ax, x, table)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    mark = "SIMULATED data. " if market.simulated else ""
    row = additions.table.iloc[0]
    sample = f"{plain(market.name, 50)}, {market.frequency}, from {iso_date(row['begin'])}, n={row['n']:,}"
    words = footer(
        ax,
        f"{sample}; Sharpe ratio without: {row['without']:.2f} ± {row['sharpe_se']:.2f} (one standard error)",
        *additions.conventions[:2],
    )
    return dress(
        ax,
        f"{mark}{plain(additions.title[:1].upper() + additions.title[1:], 80)}",
        words,
        pad=legend_above(ax, _p_keys("band: interval of each weight alone")),
        x="weight added, percent of value",
        y="Sharpe ratio less that without, per √year",
    )


def plot_sharpe_differences(comparison: SharpeComparison, ax: Axes | None = None) -> Axes:
    """Draw the difference of each Sharpe ratio from the baseline's by span, with interval, n and p.

    Parameters
    ----------
    comparison
        From :func:`allocator.compare_sharpe`, or ``study.sharpe_differences``.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than differences of Sharpe ratios.
    """
    refuse_other(comparison, SharpeComparison, "comparison", "pass al.compare_sharpe(study)")
    rows = _difference_rows(comparison)
    ax = new_axes(1.9 + 0.26 * len(rows)) if ax is None else ax
    ax.axvline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    for y, (_, row) in enumerate(rows):
        _draw_difference(ax, y, row)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    left = label_rows(ax, [(float(y), label, row is None) for y, (label, row) in enumerate(rows)])
    for offset, text in ((34.0, "n"), (82.0, "p family")):
        _beside(ax, -0.9, offset, text, PALE)
    words = footer(ax, comparison.title, *comparison.conventions[:2], share=0.8)
    above = legend_above(
        ax, _p_keys(f"{100 * comparison.confidence:g} % interval of each alone", is_line=True)
    )
    return dress(
        ax,
        f"Sharpe ratio less that of {plain(comparison.baseline)}",
        words,
        grid="x",
        pad=above,
        shift=left,
        x="difference of Sharpe ratios, per √year",
    )


def plot_event_study(study: EventStudy, ax: Axes | None = None) -> Axes:
    """Draw the mean return around events less that around other dates, with its interval, by day.

    Parameters
    ----------
    study
        From :func:`allocator.event_study`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than an event study.
    """
    refuse_other(study, EventStudy, "study", "pass al.event_study(returns, dates)")
    ax = new_axes(4.0) if ax is None else ax
    path = study.path
    days = path.index.to_numpy()
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    ax.axvline(0.0, color=PALE, linewidth=1.0, linestyle=":", zorder=1.0)
    band(ax, days, path["low"], path["high"], _BAND)
    looks = (
        ("response less placebo", path["response"] - path["placebo"], INK, "-", 1.8),
        ("response", path["response"], line_style(6)[0], "--", 1.1),
        ("placebo", path["placebo"], line_style(4)[0], ":", 1.1),
    )
    for _, values, colour, dash, width in looks:
        ax.plot(days, values.to_numpy(), color=colour, linestyle=dash, linewidth=width, zorder=3.0)
    percent_axis(ax)
    ax.set_xlim(float(days[0]), float(days[-1]))
    entries: list[tuple[Artist, str]] = [(_line(c, d, w), name) for name, _, c, d, w in looks]
    entries.append((Patch(facecolor=_BAND, alpha=0.3), f"{100 * study.confidence:g} % interval"))
    title = f"{plain(study.name)}: mean cumulative return around {study.n} events"
    y = "return from day 0's close, percent"
    words, above = footer(ax, *_event_words(study)), legend_above(ax, entries)
    return dress(ax, title, words, pad=above, x="rows after the event (day 0: the first at or after it)", y=y)


def plot_drawdown_distribution(distribution: DrawdownDistribution, ax: Axes | None = None) -> Axes:
    """Draw how deep the maximum drawdown of resampled histories is, beside the one that was observed.

    Parameters
    ----------
    distribution
        From :func:`allocator.bootstrap_drawdown`.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than a distribution of drawdowns.
    """
    refuse_other(distribution, DrawdownDistribution, "distribution", "pass al.bootstrap_drawdown(returns)")
    ax = new_axes(3.6) if ax is None else ax
    draws = distribution.draws["max_drawdown"].to_numpy(dtype=np.float64)
    row = dict(distribution.table.loc["max_drawdown"])
    share = np.full(len(draws), 1.0 / len(draws))
    ax.hist(draws, bins=40, weights=share, color=BAND, edgecolor=PALE, linewidth=0.5, zorder=2.0)
    lines = (("observed", "-", 2.0), ("median", "--", 1.2), ("low", ":", 1.2), ("high", ":", 1.2))
    for name, dash, width in lines:
        ax.axvline(float(row[name]), color=INK, linestyle=dash, linewidth=width, zorder=3.0)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    percent_axis(ax)
    words = (
        f"observed {row['observed']:.1%}",
        f"median of the paths {row['median']:.1%}",
        f"{100 * distribution.confidence:g} %: {row['low']:.1%} to {row['high']:.1%}",
    )
    keys = [_line(INK, dash, width) for _, dash, width in lines[:3]]
    note = footer(
        ax,
        f"{distribution.horizon:,} periods a path, resampled from n={distribution.n:,}; {len(draws):,} "
        f"paths, seed {distribution.seed}; {distribution.bootstrap}",
        "a few points too narrow where returns answer to another series or have fat tails; compare equal "
        "horizons only",
    )
    above = legend_above(ax, list(zip(keys, words, strict=True)))
    title = "How deep the maximum drawdown could have been"
    return dress(ax, title, note, pad=above, x="maximum drawdown, percent", y="share of the paths, percent")


class _Runs(Protocol):
    """What of :class:`allocator.ScenarioRuns` is drawn; reports may not import it."""

    @property
    def table(self) -> pd.DataFrame:
        """A row a world's name and strategy."""

    @property
    def conventions(self) -> tuple[str, ...]:
        """How the numbers were made."""


def plot_scenarios(runs: _Runs, measure: str = "sharpe", ax: Axes | None = None) -> Axes:
    """Draw how a measure is distributed over simulated worlds: median, mean and nine tenths of the paths.

    Parameters
    ----------
    runs
        From :func:`allocator.run_scenarios`.
    measure
        ``sharpe``, ``cagr`` or ``max_drawdown``.
    ax
        Where to draw; by default in a figure of its own.

    Raises
    ------
    InputError
        Something else than such runs, or another measure.
    """
    if not isinstance(getattr(runs, "table", None), pd.DataFrame) or f"{measure}_median" not in runs.table:
        known = ", ".join(_MEASURES)
        if measure not in _MEASURES:
            raise InputError("measure", f"{measure!r} is none of {known}", fix=f"pass one of {known}")
        raise InputError("runs", f"{type(runs).__name__} has no such table", fix="pass al.run_scenarios(...)")
    rows = _world_rows(runs.table)
    ax = new_axes(1.9 + 0.26 * len(rows)) if ax is None else ax
    ax.axvline(0.0, color=INK, linewidth=0.8, zorder=1.0)
    for y, (_, row) in enumerate(rows):
        _draw_world(ax, y, row, measure)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    left = label_rows(ax, [(float(y), label, row is None) for y, (label, row) in enumerate(rows)])
    if measure != "sharpe":
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    mean = Line2D([], [], color=INK, marker="D", markersize=4.5, markerfacecolor="white", linewidth=1.4)
    keys: list[tuple[Artist, str]] = [
        (Line2D([], [], color=INK, marker="|", markersize=9.0, linestyle="none"), "median"),
        (mean, "mean, 95 % interval of it"),
        (_line(_SPREAD, "-", 7.0), "5 to 95 % of the paths"),
    ]
    n_paths = sorted(set(runs.table["n_paths"].astype(int)))
    counted = " or ".join(f"{n:,}" for n in n_paths)
    words = footer(ax, f"{counted} paths a world; yearly", *_few_years(runs.conventions), share=0.8)
    title, x = "SIMULATED: strategies in worlds by regime", _MEASURES[measure]
    return dress(ax, title, words, grid="x", pad=legend_above(ax, keys), x=x, shift=left)


def _line(colour: str, dash: Any, width: float) -> Line2D:
    return Line2D([], [], color=colour, linestyle=dash, linewidth=width)


def _draw_interval_curve(ax: Axes, x: Any, table: pd.DataFrame) -> None:
    """Draw differences with their band; filled where p of the family is below 5 %."""
    if len(x) > 1:
        band(ax, x, table["low"], table["high"], _BAND)
    else:
        ax.vlines(x, table["low"], table["high"], color=_BAND, linewidth=2.4, zorder=2.0)
    ax.plot(x, table["difference"].to_numpy(), color=INK, linewidth=1.4, zorder=3.0)
    for chosen, face in _by_p(table["p_family"].to_numpy()):
        values = table["difference"].to_numpy()[chosen]
        ax.plot(x[chosen], values, "o", color=INK, markerfacecolor=face, markersize=5.5, zorder=4.0)


def _by_p(p: Any) -> list[tuple[Any, str]]:
    return [(p < _LEVEL, INK), (~(p < _LEVEL), "white")]


def _p_keys(interval: str, *, is_line: bool = False) -> list[tuple[Artist, str]]:
    """Return what open and filled dots mean, and what the interval is."""
    texts = ((INK, "p family below 0.05"), ("white", "0.05 or above"))
    dots: list[tuple[Artist, str]] = [
        (Line2D([], [], color=INK, marker="o", markerfacecolor=face, linestyle="none"), text)
        for face, text in texts
    ]
    drawn: Artist = (
        Line2D([], [], color=PALE, linewidth=2.4) if is_line else Patch(facecolor=_BAND, alpha=0.3)
    )
    return [*dots, (drawn, interval)]


_Labelled = list[tuple[str, dict[Any, Any] | None]]


def _difference_rows(comparison: SharpeComparison) -> _Labelled:
    """Return a heading a span (None) and a row a strategy under it."""
    rows: _Labelled = []
    for span, part in comparison.table.reset_index().groupby("span", sort=False):
        rows.append((plain(span, 40), None))
        rows += [(plain(row["strategy"], 40), row) for row in part.to_dict("records")]
    return rows


def _world_rows(table: pd.DataFrame) -> _Labelled:
    rows: _Labelled = []
    for name, part in table.groupby(level=0, sort=False):
        rows.append((plain(name, 40), None))
        records = zip(part.index.get_level_values(1), part.to_dict("records"), strict=True)
        rows += [(plain(strategy, 40), row) for strategy, row in records]
    return rows


def _draw_difference(ax: Axes, y: float, row: dict[Any, Any] | None) -> None:
    """Draw a difference and its interval, or why there is none, and its n and p at the right."""
    if row is None:
        heading(ax, y)
        return
    if not np.isfinite(row["difference"]) or not np.isfinite(row["low"]):
        ax.text(0.01, y, plain(row["reason"], 60), size=SMALL, va="center", style="italic", color=PALE)
    else:
        ax.plot(
            [row["low"], row["high"]], [y, y], color=PALE, linewidth=2.4, solid_capstyle="butt", zorder=2.0
        )
    if np.isfinite(row["difference"]):
        face = INK if row["p_family"] < _LEVEL else "white"
        ax.plot([row["difference"]], [y], "o", color=INK, markerfacecolor=face, markersize=5.5, zorder=3.0)
    _beside(ax, y, 34.0, f"{row['n']:,}", INK)
    _beside(ax, y, 82.0, p_text(row["p_family"]), INK)


def _draw_world(ax: Axes, y: float, row: dict[Any, Any] | None, measure: str) -> None:
    """Draw median, mean with its interval, and nine tenths of the paths; or shade a heading."""
    if row is None:
        heading(ax, y)
        return
    low, median, high, mean = (row[f"{measure}_{part}"] for part in ("low", "median", "high", "mean"))
    errors = np.array([row[f"{measure}_error"], row[f"{measure}_years_error"]], dtype=np.float64)
    half = 1.96 * float(np.sqrt(np.nansum(errors**2)))
    ax.plot([low, high], [y, y], color=_SPREAD, linewidth=7.0, solid_capstyle="butt", zorder=2.0)
    ax.plot([mean - half, mean + half], [y, y], color=INK, linewidth=1.4, zorder=3.0)
    ax.plot([median], [y], "|", color=INK, markersize=10.0, markeredgewidth=1.8, zorder=4.0)
    ax.plot([mean], [y], "D", color=INK, markerfacecolor="white", markersize=4.5, zorder=5.0)


def _beside(ax: Axes, y: float, offset: float, text: str, colour: str) -> None:
    ax.annotate(
        text,
        xy=(1.0, y),
        xycoords=ax.get_yaxis_transform(),
        xytext=(offset, 0.0),
        textcoords="offset points",
        ha="right",
        va="center_baseline",
        size=TEXT if colour == INK else SMALL,
        color=colour,
        annotation_clip=False,
    )


def _event_words(study: EventStudy) -> list[str]:
    dates = study.events["row"]
    return [
        f"{study.n} events, {iso_date(dates.iloc[0])} to {iso_date(dates.iloc[-1])}; after "
        f"{study.path.index[-1]} rows: {study.effect:+.2%} ({study.low:+.2%} to {study.high:+.2%}), "
        f"p {p_text(study.p_value)}",
        f"interval of the response less the placebo, each day alone: {study.n_resamples:,} draws of "
        f"{study.n} from {study.n_placebo_dates:,} other dates, seed {study.seed}; as if events fell "
        "independently",
    ]


def _few_years(conventions: Sequence[str]) -> list[str]:
    """Return the lines that say what the intervals are, and what they leave out."""
    return [line for line in conventions if line.startswith(("± 1.96", "what none of the labelled years"))]
