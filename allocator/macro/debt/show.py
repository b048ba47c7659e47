"""How the records of the debt show themselves."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, printable, text_block, text_table

if TYPE_CHECKING:
    from allocator.macro.debt.assets import AssetsByDebtRegime
    from allocator.macro.debt.classifier import DebtRegimes, DebtRule
    from allocator.macro.debt.contributions import DebtContributions
    from allocator.macro.debt.fan import DebtFan
    from allocator.macro.debt.paths import DebtPath

__all__ = [
    "assets_html",
    "assets_text",
    "contributions_html",
    "contributions_text",
    "fan_html",
    "fan_text",
    "path_html",
    "path_text",
    "reason_text",
    "regimes_html",
    "regimes_text",
    "rule_text",
]

_MOST_ROWS = 40
_Cells = list[list[str]]


def _points(value: float, decimals: int = 2) -> str:
    """Return a fraction of GDP as points, or a rate in percent."""
    return "–" if not np.isfinite(value) else f"{100 * value:+.{decimals}f}"


def _level(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{100 * value:.1f}"


def _p(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.3f}"


def _name(label: Any) -> str:
    return iso_date(label)


def _text(title: str, head: Sequence[str], rows: _Cells, lines: Sequence[str], n_labels: int = 1) -> str:
    return text_block([title, *text_table(head, rows, n_labels), *lines])


def _folded(rows: _Cells) -> _Cells:
    """Return the rows with the middle of a long table left out."""
    if len(rows) <= _MOST_ROWS:
        return rows
    half = _MOST_ROWS // 2
    return [*rows[:half], ["…", *[""] * (len(rows[0]) - 1)], *rows[-half:]]


def _contributions(result: DebtContributions) -> tuple[str, list[str], _Cells, list[str]]:
    exact, linear, measures = result.exact, result.linear, result.measures
    columns = ["change", "interest", "growth", "inflation", "primary_deficit", "stock_flow"]
    rows = [
        [
            _name(label),
            _level(result.accounts["debt"].loc[label]),
            *(_points(exact[column].loc[label]) for column in columns),
            _points(linear["gap"].loc[label], 3),
            _points(measures["stabilising_balance"].loc[label]),
            _points(measures["real_rate"].loc[label]),
            _points(measures["liquidation"].loc[label]),
        ]
        for label in exact.index
    ]
    head = ["period", "debt", *(c.replace("_", " ") for c in columns), "linear gap", "stabilising balance"]
    lines = [
        f"{_name(exact.index[0])} to {_name(exact.index[-1])}, {len(exact)} periods; points of GDP, "
        "real rate in percent a period",
        "the five channels of the exact law add up to the change; stock flow is what the others leave",
        "linear gap: by how much (i - g - π) d misses; stabilising balance: primary, a surplus is positive",
        "liquidation: what a negative real effective rate took off the ratio",
    ]
    return "What moved the debt ratio", [*head, "real rate", "liquidation"], rows, lines


def contributions_text(result: DebtContributions) -> str:
    """Return contributions as text."""
    title, head, rows, lines = _contributions(result)
    return _text(title, head, _folded(rows), lines)


def contributions_html(result: DebtContributions) -> str:
    """Return contributions as HTML."""
    title, head, rows, lines = _contributions(result)
    return html_block(title, html_table(head, rows), lines)


def _path(result: DebtPath) -> tuple[str, list[str], _Cells, list[str]]:
    shown = ["interest", "growth", "inflation", "primary_deficit", "stock_flow"]
    rows = [
        [
            _name(label),
            _level(row["debt"]),
            _level(row["linear"]),
            _points(row["gap"]),
            *(_points(row[c]) for c in shown),
        ]
        for label, row in zip(result.table.index, result.table.to_dict("records"), strict=True)
    ]
    lines = [f"from {_level(result.initial)} % of GDP; points of GDP; debt by the exact law, channels of it"]
    if result.stopped is not None:
        lines.append(f"stopped in {result.stopped}: the ratio passed {result.cap:g} times GDP")
    head = ["year", "debt", "linear", "gap", *(c.replace("_", " ") for c in shown)]
    return "Debt path", head, rows, lines


def path_text(result: DebtPath) -> str:
    """Return a path as text."""
    title, head, rows, lines = _path(result)
    return _text(title, head, _folded(rows), lines)


def path_html(result: DebtPath) -> str:
    """Return a path as HTML."""
    title, head, rows, lines = _path(result)
    return html_block(title, html_table(head, rows), lines)


def _fan(result: DebtFan) -> tuple[str, list[str], _Cells, list[str]]:
    table = result.table
    quantiles = [column for column in table.columns if isinstance(column, float)]
    rows = [
        [
            str(year),
            *(_level(row[q]) for q in quantiles),
            _level(row["mean"]),
            f"{row['higher']:.3f} ± {1.96 * row['simulation_error']:.3f}",
        ]
        for year, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    held = float(table["at_cap"].iloc[-1])
    capped = [f"{held:.2%} of the paths passed {result.cap:g} times GDP and stay there"] if held else []
    lines = [
        f"percent of GDP, from {_level(result.initial)} in {result.start}; {len(result.paths):,} paths, "
        f"seed {result.seed}",
        f"{result.draws}; history {result.sample}; no stock-flow; the error of estimates is not in the fan",
        "higher: share of paths above the start, ± simulation error (95 %)",
        *capped,
    ]
    return (
        "Debt fan",
        ["periods ahead", *(f"{100 * q:g} %" for q in quantiles), "mean", "higher"],
        rows,
        lines,
    )


def fan_text(result: DebtFan) -> str:
    """Return a fan as text."""
    title, head, rows, lines = _fan(result)
    return _text(title, head, _folded(rows), lines)


def fan_html(result: DebtFan) -> str:
    """Return a fan as HTML."""
    title, head, rows, lines = _fan(result)
    return html_block(title, html_table(head, rows), lines)


_MEANS = ("growth", "inflation", "monetization", "tightening")


def rule_text(rule: DebtRule) -> str:
    """Return the thresholds of a rule."""
    return "largest means that counts; " + ", ".join(
        f"{name.replace('_', ' ')} {100 * value:g} %" for name, value in asdict(rule).items()
    )


def reason_text(row: Mapping[Hashable, Any]) -> str:
    """Return why a period has its label, from its row of the table."""
    counted = sorted((-row[m], m) for m in _MEANS if row[f"{m}_counts"])
    pushed = f"{100 * row['pushed_up']:.1f} points up"
    if not counted:
        return f"nothing counts against {pushed}"
    means = ", ".join(f"{m} {-100 * size:.1f}" for size, m in counted)
    if row["label"] == "none":
        return f"{means}: too little against {pushed}"
    return f"{means} points against {pushed}"


def _regimes(result: DebtRegimes) -> tuple[str, list[str], _Cells, list[str]]:
    exact = result.contributions.exact
    columns = ["change", "interest", "growth", "inflation", "primary_deficit", "stock_flow"]
    rows = [
        [
            _name(label),
            row["label"],
            f"{row['confidence']:.2f}",
            *(_points(exact[c].loc[label], 1) for c in columns),
            _points(row["real_rate"], 1),
            _points(row["real_market_rate"], 1),
            row["reason"],
        ]
        for label, row in zip(result.table.index, result.table.to_dict("records"), strict=True)
    ]
    head = ["period", "label", "confidence", *(c.replace("_", " ") for c in columns)]
    counts = result.table["label"].value_counts()
    lines = [
        ", ".join(f"{label} {counts[label]}" for label in (*_MEANS, "none") if label in counts)
        + f" of {len(rows)} periods; ex post: the accounts of the period itself",
        f"rule: {rule_text(result.rule)}",
        *result.proxies,
        "points of GDP and percent; confidence: share of variants of the rule that give the same label",
    ]
    return "How the debt was handled", [*head, "real rate", "real market rate", "why"], rows, lines


def regimes_text(result: DebtRegimes) -> str:
    """Return the labels as text, every period of them."""
    title, head, rows, lines = _regimes(result)
    return _text(title, head, rows, lines, n_labels=2)


def regimes_html(result: DebtRegimes) -> str:
    """Return the labels as HTML."""
    title, head, rows, lines = _regimes(result)
    return html_block(title, html_table(head, rows), lines)


_SIGNS = {1: "+", -1: "-", 0: "about 0"}


def _interval(row: Mapping[Hashable, Any], value: str, low: str, high: str, p: str) -> list[str]:
    return [*(_points(row[name], 1) for name in (value, low, high)), _p(row[p])]


def _asset_tables(result: AssetsByDebtRegime) -> list[tuple[list[str], _Cells]]:
    by_regime = [
        [
            *(row["series"], row["regime"], str(row["n"]), _count(row["effective_n"])),
            *_interval(row, "mean", "low", "high", "p"),
            *_interval(row, "difference", "difference_low", "difference_high", "p_difference"),
            row["reason"],
        ]
        for row in result.table.reset_index().to_dict("records")
    ]
    expected = [
        [
            *(
                f"{row['claim']} {row['regime']}",
                f"{row['series']}: {row['number']}",
                _SIGNS[row["expected"]],
            ),
            str(row["n"]),
            *_interval(row, "value", "low", "high", "p"),
            *(_p(row["p_holm"]), row["verdict"], row["reason"]),
        ]
        for row in result.verdicts.to_dict("records")
    ]
    estimates = ["low", "high", "p"]
    return [
        (
            ["series", "regime", "n", "effective n", "mean", *estimates, "difference", *estimates, "reason"],
            by_regime,
        ),
        (["claim", "number", "expected", "n", "value", *estimates, "p holm", "verdict", "reason"], expected),
    ]


def _count(effective: float) -> str:
    return "–" if not np.isfinite(effective) else f"{effective:.0f}"


def _asset_lines(result: AssetsByDebtRegime) -> tuple[str, list[str]]:
    hindsight = "ex post: not known at the time" if result.regimes.ex_post else "known at the time"
    lines = [f"regimes ({hindsight}): {result.regimes.rule}", "percent a year", *result.conventions]
    return f"Mean returns. {result.regimes.name}", lines


def assets_text(result: AssetsByDebtRegime) -> str:
    """Return means by regime and the verdicts as text."""
    title, lines = _asset_lines(result)
    tables = ["\n".join(text_table(*part, n_labels=2)) for part in _asset_tables(result) if part[1]]
    return "\n".join([printable(title), "\n\n".join(tables), text_block(lines)])


def assets_html(result: AssetsByDebtRegime) -> str:
    """Return means by regime and the verdicts as HTML."""
    title, lines = _asset_lines(result)
    return html_block(title, "".join(html_table(*part) for part in _asset_tables(result) if part[1]), lines)
