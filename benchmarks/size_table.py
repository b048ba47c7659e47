"""Size and coverage as tables, with warnings where a method is known to fail, and a verdict on defaults."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.inference import CAVEATS, is_bound, is_default
from benchmarks.processes import CORRELATIONS
from benchmarks.simulation import EVERY, Record

__all__ = ["BANDS", "IN", "MISSED", "UNCLEAR", "heading", "judged", "tables", "verdict", "warnings_of"]

BANDS = {"size": (0.04, 0.06), "coverage": (0.93, 0.97)}
IN, UNCLEAR, MISSED = "", "?", "!"
_NAME = 48  # letters of a method, at least
_ERRORS = 2.0  # simulation errors outside its band at which a method has missed it


def heading(draws: int, sharpe: float) -> str:
    """Return what was simulated, and how to read it."""
    slow = ", ".join(f"{name} in one of {every}" for name, every in EVERY.items())
    return (
        f"{draws:,} draws a process, {slow}; Sharpe ratio {sharpe:g} a year; "
        f"correlation of the pair by turns {CORRELATIONS}\n"
        f"{MISSED} outside the band; {UNCLEAR} outside, by no more than {_ERRORS:g} simulation errors; "
        "names with brackets are not defaults"
    )


def judged(record: Record) -> str:
    """Return whether a record lies in the band of its kind, allowing for the error of the simulation."""
    low, high = BANDS[record.kind]
    if is_bound(record.method):
        low, high = (0.0, high) if record.kind == "size" else (low, 1.0)
    beyond = max(low - record.actual, record.actual - high)
    if not beyond > 0.0:
        return IN
    edge = low if record.actual < low else high
    return UNCLEAR if beyond <= _ERRORS * np.sqrt(edge * (1.0 - edge) / record.draws) else MISSED


def tables(records: Sequence[Record]) -> str:
    """Return a table a kind and number of periods: a row a method, a column a process."""
    keys = dict.fromkeys((r.n, r.kind) for r in sorted(records, key=lambda r: (r.n, r.kind == "coverage")))
    return "\n".join(_table([r for r in records if (r.n, r.kind) == key]) for key in keys)


def _table(records: Sequence[Record]) -> str:
    first, processes = records[0], [*dict.fromkeys(r.process for r in records)]
    low, high = (100.0 * edge for edge in BANDS[first.kind])
    nominal = f"nominal {100.0 * first.nominal:g} %, band {low:g} to {high:g}"
    lines = [f"{first.kind} in %, n = {first.n}, {nominal}"]
    lines.append(f"{'':<{_NAME}}" + "".join(f"{process:>8} " for process in processes))
    by_cell = {(r.method, r.process): r for r in records}
    for method in dict.fromkeys(r.method for r in records):
        cells = (_cell(by_cell[method, process]) for process in processes if (method, process) in by_cell)
        lines.append(f"{method:<{_NAME}}" + "".join(cells))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cell(record: Record) -> str:
    return f"{100.0 * record.actual:>8.1f}{judged(record) or ' '}" if record.draws else f"{'–':>8} "


def warnings_of(records: Sequence[Record]) -> str:
    """Return a line for each method that was tried where it is known to fail; nothing for others."""
    lines = []
    for caveat in CAVEATS:
        found = [r for r in records if r.method == caveat.method and r.process in caveat.processes]
        if found:
            lines.append(f"warning: {caveat.method}: {caveat.why}; {_listed(found)}")
    return "".join(line + "\n" for line in lines)


def _listed(records: Sequence[Record]) -> str:
    """Return the shares by kind and number of periods."""
    parts = []
    for kind, n in dict.fromkeys((r.kind, r.n) for r in records):
        cells = (f"{r.process} {100.0 * r.actual:.1f}" for r in records if (r.kind, r.n) == (kind, n))
        parts.append(f"{kind} in % at n = {n}: {', '.join(cells)}")
    return "; ".join(parts)


def verdict(records: Sequence[Record]) -> str:
    """Return whether the defaults lie in their bands, and each that does not."""
    lines = []
    for kind, (low, high) in BANDS.items():
        tried = [r for r in records if r.kind == kind and is_default(r.method) and r.draws]
        missed = [r for r in tried if judged(r) == MISSED]
        within, unclear = (sum(judged(r) == mark for r in tried) for mark in (IN, UNCLEAR))
        methods = dict.fromkeys(r.method for r in missed)
        if tried:
            lines.append(
                f"defaults, {kind}: {within} of {len(tried)} within {100 * low:g} to {100 * high:g} %, "
                f"{unclear} outside by less than the simulation can tell, {len(missed)} outside"
            )
        lines += [f"  {name}: {_listed([r for r in missed if r.method == name])}" for name in methods]
    return "\n".join(lines)
