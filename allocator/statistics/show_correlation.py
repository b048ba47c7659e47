"""How the inference about correlations shows itself: the estimate, its interval, and what both rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_lines, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.statistics.constant_correlation import ConstantCorrelationTest
    from allocator.statistics.correlation_path import CorrelationPath
    from allocator.statistics.forbes_rigobon import AdjustedCorrelation
    from allocator.statistics.frequency_correlation import CorrelationByFrequency
    from allocator.statistics.hac_correlation import CorrelationInterval
    from allocator.statistics.level_and_change import LevelCorrelation
    from allocator.statistics.two_factors import TwoFactorCorrelation

__all__ = [
    "adjusted_html",
    "adjusted_text",
    "constancy_html",
    "constancy_text",
    "frequency_html",
    "frequency_text",
    "interval_html",
    "interval_text",
    "levels_html",
    "levels_text",
    "path_html",
    "path_text",
    "two_factor_html",
    "two_factor_text",
]

_SHOWN_DATES = 5


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.3f}"


def _between(low: float, high: float) -> str:
    return "–" if np.isnan(low) or np.isnan(high) else f"{_number(low)} to {_number(high)}"


def _p(value: float) -> str:
    if np.isnan(value):
        return "unknown"
    return "< 0.0001" if value < 1e-4 else f"= {value:.4f}"


def _title(names: tuple[str, str]) -> str:
    return " – ".join(names)


def _reason(reason: str) -> list[str]:
    return [reason] if reason else []


def _interval_lines(result: CorrelationInterval) -> list[str]:
    block = result.bootstrap
    spanned = f", returns over {result.overlap} rows" if result.overlap > 1 else ""
    return [
        f"Correlation of {_title(result.names)}: {_number(result.correlation)}",
        f"{100 * result.confidence:g} % intervals: {_between(result.low, result.high)} (HAC), "
        f"{_between(block.low, block.high)} (block bootstrap), "
        f"{_between(block.fisher_low, block.fisher_high)} (Fisher, naive); n={result.n:,}{spanned}",
        f"{result.method}; blocks of {block.block_length} rows, {block.n_resamples:,} resamples, "
        f"seed {block.seed}",
        *_reason(result.reason),
    ]


def interval_text(result: CorrelationInterval) -> str:
    """Return a correlation with its intervals as text."""
    return text_block(_interval_lines(result))


def interval_html(result: CorrelationInterval) -> str:
    """Return a correlation with its intervals as HTML."""
    return html_lines(_interval_lines(result))


def _path_parts(result: CorrelationPath) -> tuple[str, list[str], list[list[str]], list[str]]:
    table = result.table
    shown = np.unique(np.linspace(0, len(table) - 1, _SHOWN_DATES).round().astype(int))
    rows = [
        [iso_date(date), _number(r), _between(low, high), f"{n:,.0f}"]
        for date, r, low, high, n in zip(
            table.index[shown],
            *(table[name].to_numpy()[shown] for name in ("correlation", "low", "high", "n")),
            strict=True,
        )
    ]
    head = ["", "correlation", f"{100 * result.confidence:g} % interval", "n"]
    lines = [
        f"{len(shown)} of {len(table):,} dates, all in .table; intervals hold for each date on its own",
        f"{result.frequency} returns; {result.method}",
    ]
    return f"Correlation of {_title(result.names)} over time", head, rows, lines


def path_text(result: CorrelationPath) -> str:
    """Return a correlation over time as text."""
    title, head, rows, lines = _path_parts(result)
    return text_block([title, *text_table(head, rows), *lines])


def path_html(result: CorrelationPath) -> str:
    """Return a correlation over time as HTML."""
    title, head, rows, lines = _path_parts(result)
    return html_block(title, html_table(head, rows), lines)


def _frequency_parts(result: CorrelationByFrequency) -> tuple[str, list[str], list[list[str]], list[str]]:
    named = ((result.frequency, result.finer), ("monthly", result.monthly))
    rows = [
        [
            name,
            _number(each.correlation),
            _between(each.low, each.high),
            _between(each.bootstrap.low, each.bootstrap.high),
            f"{each.n:,}",
        ]
        for name, each in named
    ]
    lines = [result.finer.method, *(f"{name}: {each.reason}" for name, each in named if each.reason)]
    head = ["", "correlation", f"{100 * result.finer.confidence:g} % HAC", "block bootstrap", "n"]
    return f"Correlation of {_title(result.finer.names)} by frequency", head, rows, lines


def frequency_text(result: CorrelationByFrequency) -> str:
    """Return correlations side by side as text."""
    title, head, rows, lines = _frequency_parts(result)
    return text_block([title, *text_table(head, rows), *lines])


def frequency_html(result: CorrelationByFrequency) -> str:
    """Return correlations side by side as HTML."""
    title, head, rows, lines = _frequency_parts(result)
    return html_block(title, html_table(head, rows), lines)


def _level_lines(result: LevelCorrelation) -> list[str]:
    first, second = result.persistence
    return [
        f"Correlation of the changes of {_title(result.names)}: {_number(result.changes)}, "
        f"{100 * result.confidence:g} % interval {_between(result.low, result.high)}; n={result.n:,}",
        f"of their levels: {_number(result.levels)}, without an interval: persistent levels (first "
        f"autocorrelations {_number(first)} and {_number(second)}) correlate by chance",
        result.method,
        *_reason(result.reason),
    ]


def levels_text(result: LevelCorrelation) -> str:
    """Return the correlation of levels and of changes as text."""
    return text_block(_level_lines(result))


def levels_html(result: LevelCorrelation) -> str:
    """Return the correlation of levels and of changes as HTML."""
    return html_lines(_level_lines(result))


def _adjusted_lines(result: AdjustedCorrelation) -> list[str]:
    return [
        f"Correlation of {_title(result.names)}: {_number(result.calm)} in {result.n_calm:,} calm rows, "
        f"{_number(result.turbulent)} in {result.n_turbulent:,} turbulent ones, "
        f"{_number(result.adjusted)} adjusted",
        f"{100 * result.confidence:g} % intervals: {_between(result.calm_low, result.calm_high)}, "
        f"{_between(result.turbulent_low, result.turbulent_high)}, "
        f"{_between(result.adjusted_low, result.adjusted_high)}",
        f"the variance of {result.names[0]} is {1.0 + result.delta:.2f} times as large, taken as known; "
        f"a diagnostic: one relation throughout, no common factor, no feedback",
        result.method,
        *_reason(result.reason),
    ]


def adjusted_text(result: AdjustedCorrelation) -> str:
    """Return an adjusted correlation as text."""
    return text_block(_adjusted_lines(result))


def adjusted_html(result: AdjustedCorrelation) -> str:
    """Return an adjusted correlation as HTML."""
    return html_lines(_adjusted_lines(result))


def _two_factor_lines(result: TwoFactorCorrelation) -> list[str]:
    return [
        f"Stock–bond correlation by two factors: {_number(result.correlation)}",
        f"covariance {result.covariance:+.3g} = growth {result.growth:+.3g}, inflation "
        f"{result.inflation:+.3g}, both together {result.interaction:+.3g}, rest {result.residual:+.3g}",
        "of loadings and volatilities as given, without an interval",
    ]


def two_factor_text(result: TwoFactorCorrelation) -> str:
    """Return the parts of a covariance as text."""
    return text_block(_two_factor_lines(result))


def two_factor_html(result: TwoFactorCorrelation) -> str:
    """Return the parts of a covariance as HTML."""
    return html_lines(_two_factor_lines(result))


def _constancy_lines(result: ConstantCorrelationTest) -> list[str]:
    largest = "–" if np.isnan(result.statistic) else f"{result.statistic:.3f}"
    date = "–" if result.date is None else iso_date(result.date)
    return [
        f"Constant correlation of {_title(result.names)}: p {_p(result.p_value)}; "
        f"largest departure {largest} at {date}",
        f"{_number(result.before)} up to then, {_number(result.after)} after; "
        f"{_number(result.correlation)} overall; n={result.n:,}",
        f"{result.method}; means and variances taken as constant",
        *_reason(result.reason),
        *_reason(result.caution),
    ]


def constancy_text(result: ConstantCorrelationTest) -> str:
    """Return a test of constant correlation as text."""
    return text_block(_constancy_lines(result))


def constancy_html(result: ConstantCorrelationTest) -> str:
    """Return a test of constant correlation as HTML."""
    return html_lines(_constancy_lines(result))
