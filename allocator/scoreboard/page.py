"""The page of the claims: one file, nothing loaded from elsewhere, no scripts."""

from __future__ import annotations

from allocator.report.draw import draw_png
from allocator.report.html_page import box, document
from allocator.scoreboard.show import board_lines, claim_rows, claim_table, lines_of
from allocator.scoreboard.verdict import Claim, Scoreboard
from allocator.tables import html_lines, html_table, html_text

__all__ = ["board_page"]

_TITLE = "Do US Treasuries still act as the pricing anchor?"


def board_page(board: Scoreboard) -> str:
    """Return the page: the table of claims, then each with its parts and its picture."""
    top = [
        f"<h1>{_TITLE}</h1>",
        "<p>Sixteen claims of an article of May 2025, each tried on data by rules written before.</p>",
        box(html_table(*claim_rows(board))),
        f'<p class="note">{html_lines(board_lines(board))}</p>',
    ]
    return document(_TITLE, [*top, *map(_claim, board.claims)])


def _claim(claim: Claim) -> str:
    head = f"<h2>{html_text(f'{claim.claim} {claim.title}')}: {claim.verdict}</h2>"
    note = f'<p class="note">{html_lines(lines_of(claim))}</p>'
    return head + box(html_table(*claim_table(claim))) + _figure(claim) + note


def _figure(claim: Claim) -> str:
    if claim.picture is None or not len(claim.picture.data):
        return '<p class="note">no picture: these data do not say anything about it</p>'
    words = html_text(f"{claim.title}: {claim.picture.y}; the numbers are in the table above.")
    image = f'<img alt="{words}" src="data:image/png;base64,{draw_png(claim.picture, claim.title)}">'
    return f"<figure>{box(image)}</figure>"
