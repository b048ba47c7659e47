"""How claims and their verdicts show themselves."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.scoreboard.verdict import Claim, Part, Scoreboard

__all__ = [
    "board_lines",
    "claim_html",
    "claim_rows",
    "claim_table",
    "claim_text",
    "lines_of",
    "number",
    "scoreboard_html",
    "scoreboard_text",
]

_WIDTH = 110
_PARTS = ["part", "value", "95 % interval", "claimed", "p", "n", "verdict"]
_CLAIMS = ["claim", "verdict", "parts", "value", "95 % interval", "p", "n", "frequency"]


def number(value: float, unit: str = "") -> str:
    """Return a number with three digits that count, and its unit."""
    if math.isnan(value):
        return "–"
    text = (
        f"{100 * value:+.2f}"
        if unit.startswith("%")
        else f"{value:+.1f}"
        if unit == "bp"
        else f"{value:+.3g}"
    )
    return f"{text} {unit}".rstrip()


def _interval(part: Part) -> str:
    if part.is_missing:
        return "–"
    if part.low == part.high:
        return "arithmetic"
    if math.isinf(part.high):
        return f"at least {number(part.low, part.unit)}"
    low, high = (number(end, part.unit).removesuffix(part.unit).rstrip() for end in (part.low, part.high))
    return f"{low} to {high}"


def _claimed(part: Part) -> str:
    threshold = f"{part.threshold:g}"
    return {
        "above": f"> {threshold}",
        "below": f"< {threshold}",
        "differs": f"≠ {threshold}",
        "within": f"within ±{threshold}",
    }[part.side]


def _p(part: Part) -> str:
    return "–" if math.isnan(part.p) else f"{part.p:.3f}"


def _row(part: Part, verdict: str) -> list[str]:
    value, n = number(part.value, part.unit), f"{part.n:,}"
    label = f"{part.name}: {part.statistic}"
    return [label, value, _interval(part), _claimed(part), _p(part), n, verdict]


def claim_table(claim: Claim) -> tuple[list[str], list[list[str]]]:
    """Return the head and a row a part, what is not judged last."""
    judged = [_row(part, part.verdict) for part in claim.parts]
    return _PARTS, judged + [_row(part, "not judged") for part in claim.beside]


def lines_of(claim: Claim) -> list[str]:
    """Return samples, what is missing, and notes, a line each."""
    samples = dict.fromkeys(f"{part.sample}, {part.frequency}" for part in claim.parts if part.sample)
    missing = [f"{part.name}: {part.reason}" for part in claim.parts if part.reason]
    return [f"sample: {'; '.join(samples)}"] * bool(samples) + missing + list(claim.notes)


def claim_text(claim: Claim) -> str:
    """Return a claim, its parts and its verdict as text."""
    lines = [line for note in lines_of(claim) for line in textwrap.wrap(note, _WIDTH)]
    head = f"{claim.claim} {claim.title}: {claim.verdict}"
    return text_block([head, *text_table(*claim_table(claim)), *lines])


def claim_html(claim: Claim) -> str:
    """Return a claim, its parts and its verdict as HTML."""
    head = f"{claim.claim} {claim.title}: {claim.verdict}"
    return html_block(head, html_table(*claim_table(claim)), lines_of(claim))


def claim_rows(board: Scoreboard) -> tuple[list[str], list[list[str]]]:
    """Return the head and a row a claim: its headline and its verdict."""
    rows = []
    for claim in board.claims:
        head = claim.parts[0]
        value, n = number(head.value, head.unit), f"{head.n:,}"
        numbers = [value, _interval(head), _p(head), n, head.frequency]
        rows.append([f"{claim.claim} {claim.title}", claim.verdict, _tally(claim), *numbers])
    return _CLAIMS, rows


def _tally(claim: Claim) -> str:
    """Return how many parts are supported (+), contradicted (-) and undecided (?)."""
    marks = {"supported": "+", "contradicted": "-", "undecided": "?"}
    return " ".join(marks[part.verdict] for part in claim.parts)


def board_lines(board: Scoreboard) -> list[str]:
    """Return how many verdicts there are of each kind, and what they rest on."""
    verdicts = [claim.verdict for claim in board.claims]
    noun = "claim" if len(verdicts) == 1 else "claims"
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in dict.fromkeys(sorted(verdicts)))
    return [
        f"{len(verdicts)} {noun}: {counts}; the number is that of the first part of each, and "
        "all parts must hold (docs/verdicts.md): + supported, - contradicted, ? undecided",
        "intervals have 95 %; p-values are two-sided (of 'within': the larger of two one-sided ones) and not "
        "corrected for the number of claims",
        *board.data,
    ]


def scoreboard_text(board: Scoreboard) -> str:
    """Return the claims with their verdicts as text."""
    lines = [line for note in board_lines(board) for line in textwrap.wrap(note, _WIDTH)]
    return text_block([*text_table(*claim_rows(board), 2), *lines])


def scoreboard_html(board: Scoreboard) -> str:
    """Return the claims with their verdicts as HTML."""
    return html_block("The article's claims", html_table(*claim_rows(board)), board_lines(board))
