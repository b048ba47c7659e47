"""How scenarios and simulated worlds show themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.tables import html_block, html_table, printable, text_block, text_table

if TYPE_CHECKING:
    from allocator.macro.scenarios.history import ScenarioHistory
    from allocator.macro.scenarios.scenario import DebtScenario
    from allocator.macro.scenarios.worlds import SimulatedWorlds

__all__ = [
    "basis_lines",
    "history_html",
    "history_text",
    "sample_text",
    "scenario_html",
    "scenario_text",
    "source_text",
    "worlds_html",
    "worlds_text",
    "years_text",
]

_MOST_ROWS = 15
_QUANTILES = (0.05, 0.5, 0.95)
_Cells = list[list[str]]
_Part = tuple[str, list[str], _Cells, list[str]]


def years_text(years: Iterable[int]) -> str:
    """Return years as a person writes them: 1946–49, 1951."""
    runs: list[list[int]] = []
    for year in sorted(int(y) for y in years):
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(_run(run[0], run[-1]) for run in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}–{last % 100:02d}" if first // 100 == last // 100 else f"{first}–{last}"


def _rate(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{100 * value:+.2f}"


def _level(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{100 * value:.1f}"


def _name(column: str) -> str:
    return column.replace("_", " ")


def _text(part: _Part) -> str:
    title, head, rows, lines = part
    return text_block([title, *text_table(head, rows), *lines])


def _html(part: _Part) -> str:
    title, head, rows, lines = part
    return html_block(title, html_table(head, rows), lines)


def basis_lines(scenario: DebtScenario) -> list[str]:
    """Return how few years lie behind a scenario, and what to mind in them."""
    history = scenario.history
    years = history.years(scenario.regime).index
    lines = [f"behind it: {len(years)} years labelled {scenario.regime!r} ex post, {years_text(years)}"]
    returns = history.years(scenario.regime)[list(history.assets)]
    lost = ", ".join(f"{asset} {int(n)}" for asset, n in (returns < 0.0).sum().items())
    lines.append(f"years of these {len(years)} with a loss: {lost}")
    official = history.official_gold(scenario.regime)
    if official:
        lines.append(
            f"gold stood at an official price in {official} of them (to 1971): scenario_history(since=1972)"
        )
    war = int((years <= 1945).sum())
    if war:
        lines.append(f"{war} of them lie before the end of the war in 1945: scenario_history(since=1946)")
    return lines


def sample_text(worlds: SimulatedWorlds) -> str:
    """Return which years a fan was drawn from."""
    history = worlds.scenario.history
    years = history.years(worlds.name).index
    labelled = f"SIMULATED {worlds.name}: {len(years)} labelled years, {years_text(years)}"
    if worlds.years is not None:
        return labelled
    n, span = len(history.table), f"{history.first_year}–{history.last_year}"
    return f"{labelled}, as means; draws made by {worlds.draws} (a VAR is fitted to all {n} years, {span})"


def source_text(worlds: SimulatedWorlds) -> str:
    """Return where the series of a simulated market come from."""
    last = worlds.scenario.history.last_year
    return f"history to {last}, then simulated: {sample_text(worlds)}; {worlds.draws}; not data"


def _history(history: ScenarioHistory) -> _Part:
    counts = history.labels.value_counts()
    columns = [name for name in history.columns if name != "dollar"]
    rows = []
    for label in counts.index:
        years = history.table.loc[history.labels == label]
        means = [_rate(years[name].mean()) for name in columns]
        rows.append([label, str(len(years)), *means, years_text(years.index)])
    lines = [
        f"{history.first_year} to {history.last_year}, yearly, {len(history.table)} years; means in percent",
        "growth, inflation and deficit of the fiscal year that ends in the year; labels are ex post",
        "term premium: bond yield at the end of the year less what cash earned in it",
        f"effective rate: closes {history.refinanced:.3f} of its gap to the mean of short rate and yield a "
        f"year (R² {history.refinanced_fit:.2f}, n {len(history.table) - 1})",
    ]
    return "Years by how the debt was handled", ["label", "n", *map(_name, columns), "years"], rows, lines


def _evidence(scenario: DebtScenario) -> tuple[list[str], _Cells]:
    evidence, used = (
        scenario.evidence,
        dict(zip(scenario.history.columns, scenario.mean_year.tolist(), strict=True)),
    )
    rows = [
        [
            _name(name),
            _rate(used[name]),
            *(_rate(row[c]) for c in ("mean", "low", "high")),
            str(int(row["n"])),
        ]
        for name, row in zip(evidence.index, evidence.to_dict("records"), strict=True)
    ]
    return ["a year", "scenario", "labelled years", "low", "high", "n"], rows


def _path(scenario: DebtScenario) -> tuple[list[str], _Cells]:
    path = scenario.path.iloc[:_MOST_ROWS]
    shown = ["short_rate", "real_rate", "bond_yield", "effective_rate", "primary_deficit", "debt", "dollar"]
    shown = ["growth", "inflation", *shown, *path.columns[path.columns.get_loc("bond_return") :]]
    start = {"bond_yield": scenario.bond_yield, "effective_rate": scenario.interest_rate}
    first = [_rate(start[name]) if name in start else "" for name in shown]
    first[shown.index("debt")] = _level(scenario.debt)
    rows = [[str(scenario.history.last_year), *first]]
    for year, row in zip(path.index, path.to_dict("records"), strict=True):
        rows.append([str(year), *(_level(row[c]) if c == "debt" else _rate(row[c]) for c in shown)])
    return ["year", *map(_name, shown)], rows


def _scenario_lines(scenario: DebtScenario) -> list[str]:
    return [
        *basis_lines(scenario),
        "percent, debt in percent of GDP; low to high: 95 % interval of the mean (t, years independent)",
        "every year is the mean year; bond yield = short rate, expected to stay, + premium; real rate by "
        "Fisher; debt by the exact law, no stock-flow",
        "bond return: of a ten-year par bond on this path of yields, so that year 1 carries the repricing; "
        "the bonds above carry the changes of yield of the labelled years",
        f"effective rate: closes {scenario.refinanced:.3f} of its gap to the mean of short rate and yield",
        "a scenario, not a forecast: nothing says that it comes",
    ]


def scenario_text(scenario: DebtScenario) -> str:
    """Return a scenario as text: what it rests on, then its path."""
    tables = ["\n".join(text_table(*part)) for part in (_evidence(scenario), _path(scenario))]
    lines = text_block(_scenario_lines(scenario))
    return "\n".join([printable(f"Scenario: {scenario.regime}"), tables[0], "", tables[1], lines])


def scenario_html(scenario: DebtScenario) -> str:
    """Return a scenario as HTML."""
    tables = "".join(html_table(*part) for part in (_evidence(scenario), _path(scenario)))
    return html_block(f"Scenario: {scenario.regime}", tables, _scenario_lines(scenario))


def _spread(name: str, values: Any, stated: float, *, last: bool) -> list[str]:
    form = _level if name.startswith("debt") else _rate
    part = values[:, -1] if last else values
    part = part[np.isfinite(part)]
    cells = [form(float(q)) for q in np.quantile(part, _QUANTILES)] if part.size else ["–"] * 3
    mean = form(float(part.mean())) if part.size else "–"
    return [name, form(stated), mean, *cells]


def _worlds(worlds: SimulatedWorlds) -> _Part:
    scenario = worlds.scenario
    path = scenario.path
    rows = [
        _spread(_name(name), worlds.series(name), float(path[name].mean()), last=False)
        for name in (
            "growth",
            "inflation",
            "short_rate",
            "real_rate",
            "bond_yield",
            "primary_deficit",
            "dollar",
        )
    ]
    rows += [
        _spread(asset, worlds.returns[..., place], scenario.returns[asset], last=False)
        for place, asset in enumerate(worlds.assets)
    ]
    stated = _stated_end(worlds)
    for name in ("effective_rate", "debt"):
        values, end = worlds.series(name), stated[name]
        rows.append(_spread(f"{_name(name)}, last year", values, end, last=True))
    head = ["series", "scenario", "mean", *(f"{100 * q:g} %" for q in _QUANTILES)]
    return f"SIMULATED worlds: {worlds.name}", head, rows, _worlds_lines(worlds)


def _stated_end(worlds: SimulatedWorlds) -> dict[str, float]:
    """Return where the scenario stands after as many years as the worlds have."""
    last = replace(worlds.scenario, n_years=worlds.n_years).path.iloc[-1]
    return {name: float(last[name]) for name in ("effective_rate", "debt")}


def _worlds_lines(worlds: SimulatedWorlds) -> list[str]:
    first = worlds.scenario.history.last_year + 1
    held = [f"{worlds.n_held} drawn values below -99 % are held there"] if worlds.n_held else []
    return [
        f"{worlds.n_paths:,} paths of {worlds.n_years} years from {first}, yearly, seed {worlds.seed}; "
        f"{worlds.draws}",
        *basis_lines(worlds.scenario),
        "percent, debt in percent of GDP; over all paths and years, the last two rows at the end",
        "nothing here is data or a forecast; the error of so few years is not in the spread",
        *held,
    ]


def history_text(history: ScenarioHistory) -> str:
    """Return the years as text, a row a label."""
    return _text(_history(history))


def history_html(history: ScenarioHistory) -> str:
    """Return the years as HTML."""
    return _html(_history(history))


def worlds_text(worlds: SimulatedWorlds) -> str:
    """Return what was simulated as text, beside the scenario."""
    return _text(_worlds(worlds))


def worlds_html(worlds: SimulatedWorlds) -> str:
    """Return what was simulated as HTML."""
    return _html(_worlds(worlds))
