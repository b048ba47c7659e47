"""Picture of the stock–bond correlation by regime."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Transform

from allocator.market import Market
from allocator.regimes.conditional import FEWEST, ConditionalTable
from allocator.regimes.labels import UNCLASSIFIED
from allocator.report.charts_parts import heading, label_rows, sample_of, simulated_mark
from allocator.report.regime_study import RegimeStudy
from allocator.report.style import INK, PALE, SMALL, TEXT, dress, new_axes, plain

__all__ = ["plot_regime_correlation"]


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
    left = label_rows(ax, [(row.y, row.label, row.estimate is None) for row in rows])
    _regime_legend(ax, study.market, both, left)
    title = f"{simulated_mark(study.market)}Stock–bond correlation by regime"
    return dress(ax, title, _about_regimes(study), grid="x", pad=38.0, shift=left)


def _about_regimes(study: RegimeStudy) -> str:
    """Return the lines below the regimes: data, window, and how the first table says it was made."""
    if not study.correlation:
        return "no definition of regimes could be estimated: see left_out"
    lines = (plain(line, 120) for line in study.correlation[0].conventions[:2])
    return "\n".join([sample_of(study.market, study.market.index), *lines])


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
        heading(ax, row.y)
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
