"""How much of a change in yields between two dates was which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.macro.yields import show
from allocator.macro.yields.decomposition import YieldDecomposition, refuse_no_decomposition
from allocator.market.market import Date, parse_date

__all__ = ["EpisodeTable", "Episodes", "episode_rows", "episode_table"]

Episodes: TypeAlias = Mapping[str, tuple[Date, Date]]
# Below this share of the sum of the sizes of the parts, the total is a small rest of large moves that
# cancel, and a part would be several times "the whole".
NEAR_ZERO = 0.25


@final
@dataclass(frozen=True, eq=False, repr=False)
class EpisodeTable:
    """Changes of a yield and of its parts between dates; prints itself.

    Attributes
    ----------
    table
        A row an episode: ``from``, ``to`` (the rows that were used), ``total`` and each part in basis
        points. The parts add up to the total.
    shares
        Each part over the total; NaN where the total is less than a quarter of the sum of the sizes.
    decomposition
        What was looked at.
    interval
        ``low`` and ``high`` of the change of the term premium, in basis points, where the estimate has them;
        with the total given, the other part has the same doubt the other way.
    interval_note
        What the interval is.
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    decomposition: YieldDecomposition
    interval: pd.DataFrame | None = None
    interval_note: str = ""

    __repr__ = show.episodes_text
    _repr_html_ = show.episodes_html


def episode_table(decomposition: YieldDecomposition, episodes: Episodes) -> EpisodeTable:
    """Return how far a yield and its parts went in each episode.

    Parameters
    ----------
    decomposition
        Of :func:`decompose_yield` or of a term premium.
    episodes
        First and last date by name. ``2025-03`` and ``2022`` mean the last row of that month or year, a date
        the last row on or before it: ``{"2022": ("2021-12", "2022-12")}`` is the calendar year.

    Raises
    ------
    InputError
        A date before the first row, one without a row near it, or an episode that does not go forward.
    """
    rows = episode_rows(decomposition, episodes)
    begin, end = (np.array([pair[side] for pair in rows.values()]) for side in (0, 1))
    values = np.column_stack([decomposition.total.to_numpy(), decomposition.parts.to_numpy()])
    changes = (values[end] - values[begin]) * 1e4
    dates, index = decomposition.total.index, pd.Index(rows, name="episode")
    table = pd.DataFrame(changes, index=index, columns=["total", *decomposition.parts.columns])
    table.insert(0, "from", dates[begin])
    table.insert(1, "to", dates[end])
    readable = np.abs(changes[:, 0]) >= NEAR_ZERO * np.abs(changes[:, 1:]).sum(axis=1)
    whole = np.where(readable & (changes[:, 0] != 0.0), changes[:, 0], np.nan)
    shares = pd.DataFrame(changes[:, 1:] / whole[:, np.newaxis], index, decomposition.parts.columns)
    return EpisodeTable(table, shares, decomposition)


def episode_rows(decomposition: YieldDecomposition, episodes: Episodes) -> dict[str, tuple[int, int]]:
    """Return the rows at which each episode begins and ends, or refuse it."""
    refuse_no_decomposition(decomposition)
    if not isinstance(episodes, Mapping) or not episodes:
        fix = "{'2022': ('2021-12', '2022-12')}"
        raise InputError("episodes", "expected first and last date by name", fix=fix)
    return {str(name): _rows(decomposition, str(name), pair) for name, pair in episodes.items()}


def _rows(decomposition: YieldDecomposition, name: str, pair: tuple[Date, Date]) -> tuple[int, int]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError("episodes", f"{pair!r} is no pair of dates", asset=name)
    begin, end = (_row(decomposition, name, date) for date in pair)
    if not begin < end:
        raise InputError("episodes", f"{pair[0]} to {pair[1]} does not go forward", asset=name)
    return begin, end


def _row(decomposition: YieldDecomposition, name: str, date: Date) -> int:
    """Return the last row on or before a date, refusing one further back than a period is long."""
    dates = pd.DatetimeIndex(decomposition.total.index)
    wanted = parse_date(date, "episodes", last=True)
    row = int(dates.searchsorted(wanted, side="right")) - 1
    if row < 0 or (wanted - dates[row]).days > decomposition.frequency.longest_step:
        span = f"{iso_date(dates[0])} to {iso_date(dates[-1])}"
        raise InputError("episodes", f"no row near it; the yields run from {span}", asset=name, date=wanted)
    return row
