"""The sixteen claims of the article, tried on the embedded history or on a folder of panels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.scoreboard.anchor_claims import anchor_claims
from allocator.scoreboard.debt_claims import debt_claims
from allocator.scoreboard.panels import embedded_panels, folder_panels
from allocator.scoreboard.portfolio_claims import portfolio_claims
from allocator.scoreboard.verdict import Scoreboard
from allocator.scoreboard.yield_claims import yield_claims

__all__ = ["score_article", "write_scoreboard"]


def score_article(strategies: Sequence[Strategy], data: str | Path | None = None) -> Scoreboard:
    """Try the claims of "When US Treasuries no longer act as the pricing anchor" (May 2025).

    The rules by which numbers become verdicts are in docs/verdicts.md.

    Parameters
    ----------
    strategies
        60/40 and risk parity of ``stocks`` and ``bonds``, in this order: C1 is about them.
    data
        A folder as docs/data_folder.md describes it; by default the embedded yearly history, which is too
        coarse for most claims about the time since 2022.

    Raises
    ------
    InputError
        Not two strategies, a folder that is none or lacks columns.
    """
    pair = list(strategies)
    if len(pair) != 2 or not all(isinstance(each, Strategy) for each in pair):
        fix = 'pass [SixtyForty(), RiskParity(("stocks", "bonds"))]'
        raise InputError("strategies", f"{len(pair)} are given, 60/40 and risk parity are needed", fix=fix)
    panels = embedded_panels() if data is None else folder_panels(data)
    claims = [
        *anchor_claims(panels),
        *yield_claims(panels),
        *portfolio_claims(panels, pair),
        *debt_claims(panels),
    ]
    return Scoreboard(tuple(claims), panels.lines)


def write_scoreboard(board: Scoreboard, folder: str | Path) -> list[Path]:
    """Write the claims to a folder, made if need be: ``article.html`` and ``article.json``.

    The page is self-contained, with a picture a claim; files of the same name are replaced.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    from allocator.scoreboard.page import board_page  # not at the top: matplotlib costs half a second

    target = Path(folder)
    page, records = target / "article.html", target / "article.json"
    try:
        target.mkdir(parents=True, exist_ok=True)
        page.write_bytes(board_page(board).encode("utf-8", "replace"))
        records.write_bytes(records_json(board).encode("utf-8", "replace"))
    except OSError as error:
        problem = f"cannot write to {target}: {error.strerror or error}"
        raise InputError("folder", problem, fix="choose another") from None
    return [page, records]


def records_json(board: Scoreboard) -> str:
    """Return the claims as JSON, a list of one object a claim."""
    return json.dumps(board.records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
