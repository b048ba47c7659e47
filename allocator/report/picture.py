"""What a picture shows, apart from how it is drawn: tables of numbers and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, final

import pandas as pd

from allocator.errors import InputError

__all__ = ["PICTURE_MARK", "Picture"]

PICTURE_MARK = b"allocator-backtest"  # in the metadata of a PNG or PDF, by which it is known as ours

Kind: TypeAlias = Literal["intervals", "curve", "lines", "scatter"]
_NEEDED = {"intervals": {"value", "low", "high"}, "curve": {"value", "low", "high"}, "scatter": {"x", "y"}}


@final
@dataclass(frozen=True, eq=False)
class Picture:
    """Numbers to be drawn, and what they are.

    Attributes
    ----------
    kind
        ``intervals``: a row an estimate, columns ``value``, ``low``, ``high``, its label as index. ``curve``:
        the same by a number. ``lines``: a column a line, dates or numbers as index. ``scatter``: columns
        ``x``, ``y`` and perhaps ``group``, by which they are coloured and fitted.
    data
        The table.
    y
        What is measured, with its unit.
    x
        The same of the other axis; dates need no name.
    reference
        Where a thin line stands: what the numbers are judged against; None without one.
    marks
        Dates of vertical lines, and what they are.
    """

    kind: Kind
    data: pd.DataFrame
    y: str
    x: str = ""
    reference: float | None = 0.0
    marks: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = _NEEDED.get(self.kind, set()) - set(self.data.columns)
        if missing:
            raise InputError(
                "data", f"has no column {sorted(missing)[0]!r}, which a picture of this kind needs"
            )
