"""The sixteen claims of the article, tried on the embedded history or on a folder of panels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from allocator.disk import make_folder, refuse_others, write_whole
from allocator.engine import Strategy
from allocator.errors import InputError
from allocator.report.html_page import PAGE_MARK
from allocator.scoreboard.anchor_claims import anchor_claims
from allocator.scoreboard.debt_claims import debt_claims
from allocator.scoreboard.panels import embedded_panels, folder_panels
from allocator.scoreboard.portfolio_claims import portfolio_claims
from allocator.scoreboard.verdict import Scoreboard
from allocator.scoreboard.yield_claims import yield_claims

__all__ = ["score_article", "write_records", "write_scoreboard"]


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


def write_scoreboard(board: Scoreboard, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write the claims to a folder, made if need be: ``article.html`` and ``article.json``.

    The page is self-contained, with a picture a claim. Each file is written whole or not at all; what this
    library wrote before is replaced.

    Parameters
    ----------
    board
        From :func:`score_article`.
    folder
        Where to.
    overwrite
        Whether to replace files of these names that are from elsewhere.

    Raises
    ------
    InputError
        Files from elsewhere, or a folder that cannot be written.
    """
    from allocator.scoreboard.page import board_page  # not at the top: matplotlib costs half a second

    target = Path(folder)
    page, records = target / "article.html", target / "article.json"
    refuse_others([page, records], [PAGE_MARK], "folder", overwrite=overwrite, shown_by=page)
    contents = {page: board_page(board), records: records_json(board)}
    make_folder(target, "folder")
    for path, text in contents.items():
        write_whole(path, text.encode("utf-8", "replace"), "folder")
    return [page, records]


def write_records(board: Scoreboard, path: Path, argument: str, *, overwrite: bool = False) -> None:
    """Write the claims as JSON to a file of its own, as :func:`write_scoreboard` does."""
    refuse_others([path], [b'{\n  "claim": "'], argument, overwrite=overwrite)
    write_whole(path, records_json(board).encode("utf-8", "replace"), argument)


def records_json(board: Scoreboard) -> str:
    """Return the claims as JSON, a list of one object a claim."""
    return json.dumps(board.records, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
