"""How runs through simulated worlds show themselves."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.macro.scenarios.show import basis_lines
from allocator.tables import html_block, html_table, printable, text_block, text_table

if TYPE_CHECKING:
    from allocator.engine import Backtest
    from allocator.macro import SimulatedWorlds
    from allocator.research.scenario_runs import ScenarioRuns

__all__ = ["conventions", "runs_html", "runs_text"]

_Cells = list[list[str]]
_Table = tuple[list[str], _Cells]
_MEASURES = (("sharpe", 1.0, "+.2f"), ("cagr", 100.0, "+.1f"), ("max_drawdown", 100.0, "+.1f"))


def _number(value: float, scale: float, form: str) -> str:
    return "–" if np.isnan(value) else f"{scale * value:{form}}"


def _mean(row: Mapping[Hashable, Any], measure: str, scale: float, form: str) -> str:
    errors = np.array([row[f"{measure}_error"], row[f"{measure}_years_error"]])
    error = np.nan if np.isnan(errors).all() else float(np.sqrt(np.nansum(errors**2)))
    mean = _number(row[f"{measure}_mean"], scale, form)
    if error == 0.0:  # the same in every path: then ± 0 would be read as certainty
        return mean
    mark = "*" if np.isnan(row[f"{measure}_years_error"]) else ""
    return f"{mean} ± {_number(1.96 * error, scale, form.lstrip('+'))}{mark}"


def _range(row: Mapping[Hashable, Any], measure: str, scale: float, form: str) -> str:
    low, high = (_number(row[f"{measure}_{end}"], scale, form) for end in ("low", "high"))
    return f"{low} to {high}"


def _distributions(runs: ScenarioRuns) -> _Table:
    rows = []
    for (name, strategy), row in zip(runs.table.index, runs.table.to_dict("records"), strict=True):
        cells = [part for m in _MEASURES for part in (_mean(row, *m), _range(row, *m))]
        losses = [_mean(row, loss, 100.0, ".0f") for loss in ("loss", "real_loss")]
        rows.append([name, strategy, *cells, *losses])
    spans = [part for name in ("Sharpe", "CAGR %", "max drawdown %") for part in (name, "5 to 95 %")]
    return ["worlds", "strategy", *spans, "loss %", "real loss %"], rows


def _differences(runs: ScenarioRuns) -> _Table:
    rows = []
    for (name, strategy), row in zip(
        runs.differences.index, runs.differences.to_dict("records"), strict=True
    ):
        cells = []
        for measure, scale, form in _MEASURES:
            cells.append(_mean(row, measure, scale, form))
            cells.append(_number(row[f"{measure}_better"], 100.0, ".0f"))
        rows.append([name, strategy, *cells])
    head = [part for name in ("Sharpe", "CAGR", "drawdown") for part in (name, "better in %")]
    return ["worlds", f"less {runs.first}", *head], rows


def _tables(runs: ScenarioRuns) -> list[_Table]:
    return [_distributions(runs), *([_differences(runs)] if len(runs.differences) else [])]


def _title(runs: ScenarioRuns) -> str:
    return "SIMULATED: strategies in worlds of " + ", ".join(runs.worlds)


def runs_text(runs: ScenarioRuns) -> str:
    """Return the distributions, the differences and the conventions as text."""
    tables = ["\n".join(text_table(*table, n_labels=2)) for table in _tables(runs)]
    lines = text_block([*_remarks(runs), *runs.conventions])
    return "\n".join([printable(_title(runs)), "\n\n".join(tables), lines])


def runs_html(runs: ScenarioRuns) -> str:
    """Return the distributions, the differences and the conventions as HTML."""
    tables = "".join(html_table(*table) for table in _tables(runs))
    return html_block(_title(runs), tables, [*_remarks(runs), *runs.conventions])


def _remarks(runs: ScenarioRuns) -> list[str]:
    """Return who was ruined and whose Sharpe ratio does not exist, in which worlds, and how often."""
    shares: dict[Any, float] = runs.table["ruined"].to_dict()
    missing: dict[Any, float] = runs.table["sharpe_undefined"].to_dict()
    undefined = [
        f"no Sharpe ratio: {strategy} in {name}, {n:.0f} paths of one return over and over, left out"
        for (name, strategy), n in missing.items()
        if n
    ]
    return undefined + [
        f"ruined: {strategy} in {name}, {share:.1%} of the paths; nothing is earned after it"
        for (name, strategy), share in shares.items()
        if share
    ]


def conventions(last: Backtest, worlds: Mapping[str, SimulatedWorlds]) -> tuple[str, ...]:
    """Return how the numbers were made, a line each; ``last`` is any of the runs."""
    lines = [line for name, each in worlds.items() for line in _of_world(name, each)]
    past = last.market.index[0].year, next(iter(worlds.values())).scenario.history.last_year
    return (
        *lines,
        f"past of a strategy: embedded or given history {past[0]}–{past[1]}, then the path; only simulated "
        "years count",
        f"yearly; {last.rebalancing}; costs: {last.costs}, the first build included; "
        f"assets without a price: {last.unlisted}",
        "± 1.96 standard errors of a mean: of the few labelled years (infinitesimal jackknife) and of the "
        "simulation together; none where all paths agree; * of the simulation alone (VAR, draws of your own)",
        "what none of the labelled years has seen is in no number here",
        "Sharpe: of the simulated years of a path, over the simulated cash; loss: paths that end below the "
        "start, real: after inflation",
        "differences are paired by path; a better drawdown is a shallower one",
    )


def _of_world(name: str, worlds: SimulatedWorlds) -> list[str]:
    head = f"{worlds.n_paths:,} paths of {worlds.n_years} years, seed {worlds.seed}; {worlds.draws}"
    return [f"{name}: {head}", *(f"  {line}" for line in basis_lines(worlds.scenario))]
