"""How all diagnostics of the anchor show themselves together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from allocator.macro.anchor._parts import Parts, p_value, parts_html, parts_text, reasons, rough
from allocator.macro.anchor.show import (
    ASYMMETRY_HEAD,
    asymmetry_legend,
    asymmetry_row,
    asymmetry_tests,
    capture_cells,
    capture_lines,
    haven_head,
    haven_lines,
    haven_rows,
)
from allocator.macro.anchor.show_relation import comovement_parts, relation_parts
from allocator.tables import html_lines

if TYPE_CHECKING:
    from allocator.macro.anchor.asymmetry import AsymmetricBeta
    from allocator.macro.anchor.capture import CaptureRatios
    from allocator.macro.anchor.diagnostics import AnchorDiagnostics
    from allocator.macro.anchor.safe_haven import SafeHaven

__all__ = [
    "diagnostics_html",
    "diagnostics_text",
]


def _sections(result: AnchorDiagnostics) -> Iterator[tuple[Parts, int]]:
    """Yield title, table and lines of each part that there is."""
    for heading, found in (
        ("A1 gold and bonds", result.gold_bonds),
        ("A1 gold and the real yield", result.gold_real_yield),
    ):
        if found is not None:
            yield _headed(heading, comovement_parts(found)), 1
    yield from _betas(
        "A2 gold where bonds rise and where they fall",
        result.gold_asymmetry,
        asymmetry_tests,
        asymmetry_legend,
    )
    yield from _captures(result.gold_capture)
    if result.dollar is not None:
        yield _headed("A3 the dollar and the yield", comovement_parts(result.dollar)), 1
    if result.dollar_window is not None:
        yield _headed("A3 the dollar near its date", relation_parts(result.dollar_window)), 1
    for found in result.valuation.values():
        yield _headed("A4 prices and the yield", comovement_parts(found)), 1
    yield from _betas(
        "B4 stocks outside the dollar where yields rise and fall",
        result.rotation,
        _rotation_tests,
        _rotation_legend,
    )
    yield from _havens(result.safe_haven)


def _headed(heading: str, parts: Parts) -> Parts:
    title, head, rows, lines = parts
    return f"{heading}: {title}", head, rows, lines


def _rotation_tests(result: AsymmetricBeta) -> str:
    return (
        f"up = down: {p_value(result.equal.p_value)}; up ≤ 0: {p_value(result.up.p_positive)}, "
        f"up ≥ 0: {p_value(result.up.p_negative)}"
    )


def _rotation_legend(result: AsymmetricBeta) -> list[str]:
    return [
        f"brackets: {100 * result.fit.confidence:g} % intervals; alpha is a return a period; a beta of 1: 1 %"
        f" a percentage point of the yield; {result.fit.method}",
        "a small p of up ≤ 0: stocks outside the dollar do better where yields rise",
    ]


def _betas(
    heading: str,
    found: Mapping[str, AsymmetricBeta],
    tests: Callable[[AsymmetricBeta], str],
    legend: Callable[[AsymmetricBeta], list[str]],
) -> Iterator[tuple[Parts, int]]:
    if found:
        first = next(iter(found.values()))
        rows = [asymmetry_row(label, each) for label, each in found.items()]
        smallest = min(each.fit.n for each in found.values())
        lines = [f"{label}: {tests(each)}" for label, each in found.items()]
        lines += [
            *legend(first),
            *reasons(*(each.fit for each in found.values())),
            *rough(smallest, first.fit.method),
        ]
        yield (f"{heading}: {' on '.join(first.names)}", ASYMMETRY_HEAD, rows, lines), 1


def _captures(found: Mapping[str, CaptureRatios]) -> Iterator[tuple[Parts, int]]:
    if found:
        first = next(iter(found.values()))
        rows = [
            [label, str(side), *capture_cells(row)]
            for label, each in found.items()
            for side, row in each.table.iterrows()
        ]
        head = ["", "benchmark", "n", "capture", "same way", "better"]
        title = f"A2 what {first.names[0]} captures of {first.names[1]}"
        yield (title, head, rows, capture_lines(first)), 2


def _havens(found: Mapping[str, SafeHaven]) -> Iterator[tuple[Parts, int]]:
    if found:
        first = next(iter(found.values()))
        rows: list[list[str]] = []
        for label, each in found.items():
            rows += [[label, *([""] * 5)], *([f"  {row[0]}", *row[1:]] for row in haven_rows(each))]
        title = f"{first.asset} as a hedge and a safe haven"
        yield (title, haven_head(first), rows, haven_lines(first)), 1


def _footer(result: AnchorDiagnostics) -> Sequence[str]:
    return [
        *(f"left out: {each}" for each in result.left_out),
        *result.notes,
        "p-values suppose that the dates of periods were chosen before the data were seen",
    ]


def diagnostics_text(result: AnchorDiagnostics) -> str:
    """Return all parts as text."""
    parts = [parts_text(part, labels) for part, labels in _sections(result)]
    title = f"Does anything still follow bonds? {result.title}"
    return "\n\n".join([title, *parts, parts_text(("", [], [], list(_footer(result)))).strip()])


def diagnostics_html(result: AnchorDiagnostics) -> str:
    """Return all parts as HTML."""
    parts = "".join(parts_html(part) for part, _ in _sections(result))
    title = html_lines([f"Does anything still follow bonds? {result.title}"])
    return f"<div><b>{title}</b>{parts}<small>{html_lines(_footer(result))}</small></div>"
