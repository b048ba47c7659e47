"""What a sound table of prices says that it hardly can mean: notes, never refusals, and nothing is changed.

Each rule is a pure function of what is known on the rows it is given, so that the notes of a past say nothing
of its future. A rule would rather be silent than wrong: it compares a move with what the same asset usually
does, asks whether the other assets did it, too, and leaves alone what real markets do (crashes, bills at a
rate of zero, Saturdays before 1952, Chinese New Year). The thresholds were set by reading each note that real
panels since 1927 give.

Looking costs a few passes over the prices, a group of columns at a time; what is rare is looked at closely.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from allocator.errors import message
from allocator.frequency import Frequency

__all__ = ["Panel", "suspicions", "utc_today"]

_COLUMNS_AT_ONCE = 64
_MOST_NAMED = 8

_STALE_ROWS = 10
_STALE_AROUND = 60  # rows before and after that say how an asset moves when it moves
_STALE_TYPICAL_MOVE = 5e-4  # an asset that moves less when it moves may well stand still: bills at no yield
_STALE_TYPICAL_STEPS = 4.0  # and one that is quoted in steps as coarse as its moves

_JUMP_STEPS = 20.0  # a jump of a few quoted steps says nothing: pennies
_FEWEST_MOVES = 12  # below, nobody knows what an asset usually does
_FAR = 1.4  # a ratio within its inverse and this is not looked at closely
_TICK_UP, _TICK_DOWN = 1.5, 0.5
_TICK_SIZE = 6.0  # in deviations of the asset
_TICK_LEFT = 0.2  # of the jump, that may remain after the next row

# New for old shares, by the factor; 100 is also pence for pounds.
_SPLITS = {1.5: (3, 2), **{float(new): (new, 1) for new in (2, 3, 4, 5, 7, 10, 20, 100)}}
_SPLIT_SIZE = 20.0  # in deviations of the asset
_SPLIT_GAP = (2.0, 0.025)  # how near the factor: deviations of the asset, and at most this
_CRASH = 0.25  # a quarter of the others moved a quarter as far in the same direction: no split
_CALM_ROWS = 10  # before and after; a fifth of the jump on one of them is no calm, and then it is no split
_CALM = 0.2

_LONG_GAP = 10  # calendar days, of a daily table; more than 14 are refused at the door
_GAP_ABOVE_USUAL = 3  # calendars with a long holiday every year have gaps of their own
_FEW_WEEKENDS = 0.2  # of the weeks within half a year, that have this day of the weekend
_HALF_YEAR = 182


@final
@dataclass(frozen=True, eq=False)
class Panel:
    """Prices as a market has them, up to the row that is asked about.

    Attributes
    ----------
    days
        The dates as days since 1970-01-01, shape (n_periods,).
    assets
        Their names.
    levels
        Prices, shape (n_periods, n_assets); what is outside an asset's life is not looked at.
    listed_from, listed_until
        The rows between which each asset has prices, shape (n_assets,).
    frequency
        The row spacing.
    """

    days: NDArray[np.int64]
    assets: Sequence[str]
    levels: NDArray[np.float64]
    listed_from: NDArray[np.int64]
    listed_until: NDArray[np.int64]
    frequency: Frequency

    def life(self, column: int) -> NDArray[np.float64]:
        """Return the prices of one asset's life."""
        return self.levels[self.listed_from[column] : self.listed_until[column], column]


@dataclass(frozen=True)
class _Found:
    """What one asset does on one row, and how to say it."""

    row: int
    column: int
    problem: str


@dataclass(frozen=True, order=True)
class _Jump:
    """A ratio of two prices far beyond what the asset usually does, which is its ``risk``."""

    row: int
    column: int
    ratio: float
    risk: float


def utc_today() -> int:
    """Return the present day as days since 1970-01-01.

    In UTC, so that it does not depend on where the machine stands: every exchange has closed its session of
    a date when that date has ended in UTC.
    """
    return dt.datetime.now(dt.UTC).date().toordinal() - dt.date(1970, 1, 1).toordinal()


def suspicions(panel: Panel, today: int | None) -> tuple[str, ...]:
    """Return a note for each kind of suspicion, with its first asset and date and how often it occurs.

    Parameters
    ----------
    panel
        The prices, as far as they are known.
    today
        The present day as days since 1970-01-01, or None for made-up prices, which have no present.
    """
    stale: list[_Found] = []
    jumps: list[_Jump] = []
    strange = _strange_names(panel)
    for first in range(0, len(panel.assets), _COLUMNS_AT_ONCE):
        _look(panel, first, {each.column for found, _ in strange for each in found}, stale, jumps)
    ticks, splits = _explained(panel, jumps)
    notes = [
        _note(panel, stale, "get the prices, or end the asset's history before if it was not traded"),
        _note(panel, ticks, "compare with another source and correct it"),
        _note(panel, splits, "use prices adjusted for splits"),
        *(_note(panel, found, fix) for found, fix in strange),
        *_weekends(panel),
        *_gaps(panel),
        *_unfinished(panel, today),
    ]
    return tuple(note for note in notes if note)


def _look(panel: Panel, first: int, skipped: set[int], stale: list[_Found], jumps: list[_Jump]) -> None:
    """Add the stale prices and the large jumps of a group of assets."""
    group = panel.levels[:, first : first + _COLUMNS_AT_ONCE]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # only after a delisting
        ratios = np.divide(group[1:], group[:-1], order="F")
    is_far = (ratios > _FAR) | (ratios < 1.0 / _FAR)
    n_equal = np.count_nonzero(ratios == 1.0, axis=0)
    for j in np.flatnonzero(is_far.any(axis=0) | (n_equal >= _STALE_ROWS - 1)):
        column = first + int(j)
        if column in skipped:
            continue
        if panel.frequency.name == "daily" and n_equal[j] >= _STALE_ROWS - 1:
            stale.extend(_stale_runs(panel, column))
        jumps.extend(_jumps(panel, column, ratios[:, j], np.flatnonzero(is_far[:, j]) + 1))


# --- one asset ---


def _stale_runs(panel: Panel, column: int) -> Iterator[_Found]:
    """Yield each run of at least ten equal prices of an asset that otherwise moves."""
    prices = panel.life(column)
    starts = np.concatenate([[0], np.flatnonzero(prices[1:] != prices[:-1]) + 1])
    lengths = np.diff(np.append(starts, len(prices)))
    start, step = int(panel.listed_from[column]), _step(prices)
    for run in np.flatnonzero(lengths >= _STALE_ROWS):
        first, length = int(starts[run]), int(lengths[run])
        changes = _changes_around(prices, first, first + length)
        if len(changes) and np.median(changes) >= max(
            _STALE_TYPICAL_MOVE * prices[first], _STALE_TYPICAL_STEPS * step
        ):
            until = _iso(panel.days[start + first + length - 1])
            problem = f"the same price on {length} rows up to {until}, as if carried forward"
            yield _Found(start + first, column, problem)


def _changes_around(prices: NDArray[np.float64], first: int, stop: int) -> NDArray[np.float64]:
    """Return the size of the changes of a price on the rows around some; of all its life if there is none."""
    near = np.concatenate([prices[max(first - _STALE_AROUND, 0) : first + 1], [np.nan]])
    near = np.concatenate([near, prices[stop - 1 : stop + _STALE_AROUND]])
    for part in (near, prices):
        changes = np.abs(np.diff(part))
        if len(changes := changes[changes > 0.0]):
            return changes
    return np.empty(0)


def _jumps(
    panel: Panel, column: int, ratios: NDArray[np.float64], rows: NDArray[np.int64]
) -> Iterator[_Jump]:
    """Yield the jumps among these rows of an asset's life that are far beyond what it usually does."""
    rows = rows[(rows > panel.listed_from[column]) & (rows < panel.listed_until[column])]
    if not len(rows):
        return
    prices, life = panel.levels[:, column], panel.life(column)
    rows = rows[np.abs(prices[rows] - prices[rows - 1]) >= _JUMP_STEPS * _step(life)]
    risk = _usual_move(life)
    for row in rows[np.abs(np.log(ratios[rows - 1])) > _TICK_SIZE * risk]:  # none if NaN
        yield _Jump(int(row), column, float(ratios[row - 1]), risk)


def _explained(panel: Panel, jumps: list[_Jump]) -> tuple[list[_Found], list[_Found]]:
    """Return the jumps that the next row takes back, and those that look like a split."""
    ticks, splits = [], []
    taken_back: set[tuple[int, int]] = set()
    for jump in sorted(jumps):
        if (jump.row, jump.column) in taken_back:
            continue
        if _is_tick(panel, jump):
            problem = f"moves by {jump.ratio - 1.0:+.0%} and back on the next row, as a bad tick does"
            ticks.append(_Found(jump.row, jump.column, problem))
            taken_back.add((jump.row + 1, jump.column))
        elif split := _split(panel, jump):
            problem = f"is {jump.ratio:.4g} times the price before, as an unadjusted split {split} makes it"
            splits.append(_Found(jump.row, jump.column, problem))
    return ticks, splits


def _step(prices: NDArray[np.float64]) -> float:
    """Return the smallest change of a price, which is at least the step in which it is quoted."""
    changes = np.abs(np.diff(prices))
    return float(changes.min(initial=np.inf, where=changes > 0.0))


def _usual_move(prices: NDArray[np.float64]) -> float:
    """Return the deviation of log returns, by the median absolute one of those that are not 0; NaN if few."""
    moves = np.abs(np.diff(np.log(prices)))
    moves = moves[moves > 0.0]
    return float(np.median(moves) * 1.4826) if len(moves) >= _FEWEST_MOVES else np.nan


def _is_tick(panel: Panel, jump: _Jump) -> bool:
    row = jump.row
    if panel.frequency.name not in ("daily", "weekly") or row + 1 >= panel.listed_until[jump.column]:
        return False
    if _TICK_DOWN < jump.ratio < _TICK_UP:
        return False
    prices = panel.levels[:, jump.column]
    left = abs(np.log(prices[row + 1] / prices[row - 1]))
    return bool(left <= _TICK_LEFT * abs(np.log(jump.ratio)))


def _split(panel: Panel, jump: _Jump) -> str | None:
    """Return the split that a jump looks like, such as ``2 for 1``, or None."""
    size = abs(np.log(jump.ratio))
    gap = min(_SPLIT_GAP[0] * jump.risk, _SPLIT_GAP[1])
    for factor, shares in _SPLITS.items():
        if abs(size - np.log(factor)) <= gap and size > _SPLIT_SIZE * jump.risk:
            new, old = shares if jump.ratio < 1.0 else shares[::-1]
            return f"{new} for {old}" if _is_calm(panel, jump) and _is_alone(panel, jump) else None
    return None


def _is_calm(panel: Panel, jump: _Jump) -> bool:
    """Return whether the asset moved little on the rows around a jump: crashes do not come in a calm."""
    start = max(jump.row - 1 - _CALM_ROWS, int(panel.listed_from[jump.column]))
    stop = min(jump.row + 1 + _CALM_ROWS, int(panel.listed_until[jump.column]))
    moves = np.abs(np.diff(np.log(panel.levels[start:stop, jump.column])))
    moves[jump.row - 1 - start] = 0.0
    return bool(moves.max() < _CALM * abs(np.log(jump.ratio)))


def _is_alone(panel: Panel, jump: _Jump) -> bool:
    """Return whether few of the other assets moved as far in the same direction: a crash is no split."""
    row, size = jump.row, np.log(jump.ratio)
    others = (panel.listed_from < row) & (row < panel.listed_until)
    others[jump.column] = False
    moves = np.log(panel.levels[row, others] / panel.levels[row - 1, others]) * np.sign(size)
    return bool(np.count_nonzero(moves > abs(size) * _CRASH) <= _CRASH * len(moves))


# Names of series that are no assets. What a name alone does not say the levels must: percent a year have few
# decimals and small values, and nothing that grows from 1 begins like them.
_IS_YIELD = (
    r"((DGS|DFII|GS|DTB)\d+(MO|YR)?|\^(IRX|FVX|TNX|TYX)|TB3MS|TB6MS|T\d+YIE|T5YIFR|FEDFUNDS|DFF|SOFR|EFFR|ACM(RN)?Y\d+)(_eom)?",
    "looks like a yield in percent, not like a price",
    "build total returns from yields: al.constant_maturity_returns(yields / 100, maturity=10)",
)
_MAY_BE_YIELD = (r"[A-Z]{2,5}[ _-]?\d+Y|(?!.*high).*\byields?\b.*", *_IS_YIELD[1:])
_IS_CPI = (
    r"CPI(AUCSL|AUCNS|LFESL)?",
    "looks like an index of consumer prices, not like an asset",
    "pass it in signals, dated when it was published: al.read_fred_signals(['CPIAUCNS'])",
)
_LARGEST_YIELD = 25.0


def _strange_names(panel: Panel) -> list[tuple[list[_Found], str]]:
    """Return the series that are named, and have values, like something nobody can hold, with what to do."""
    strange = []
    for (pattern, problem, fix), fits in _STRANGE:
        known = re.compile(pattern, re.IGNORECASE)
        found = [
            _Found(int(panel.listed_from[j]), j, problem)
            for j, asset in enumerate(panel.assets)
            if known.fullmatch(asset.strip()) and len(panel.life(j)) and fits(panel.life(j))
        ]
        if found:
            strange.append((found, fix))
    return strange


def _is_any(_prices: NDArray[np.float64]) -> bool:
    return True


def _is_small(prices: NDArray[np.float64]) -> bool:
    return bool(prices.max() <= _LARGEST_YIELD and prices[0] != 1.0)


def _is_percent(prices: NDArray[np.float64]) -> bool:
    return _is_small(prices) and bool(np.allclose(prices, prices.round(3), rtol=0.0, atol=1e-9))


_STRANGE = ((_IS_YIELD, _is_small), (_MAY_BE_YIELD, _is_percent), (_IS_CPI, _is_any))


# --- all dates ---


def _weekends(panel: Panel) -> Iterator[str]:
    """Yield a note if a daily table has days of weekends where it usually has none."""
    if panel.frequency.name != "daily":
        return
    weekdays = (panel.days + 3) % 7  # 1970-01-01 was a Thursday
    odd = np.sort(np.concatenate([_rare(panel.days, weekdays == weekday) for weekday in (5, 6)]))
    if len(odd):
        name = "Saturday" if weekdays[odd[0]] == 5 else "Sunday"
        yield message(
            "prices",
            f"a {name} in a table of working days",
            date=_date(panel.days[odd[0]]),
            count=len(odd),
            fix="prices[prices.index.day_of_week < 5] drops weekends",
        )


def _rare(days: NDArray[np.int64], is_alike: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows on a day of the week on which few weeks of the half-years before and after have one."""
    rows = np.flatnonzero(is_alike)
    alike = days[rows]
    first, last = np.maximum(alike - _HALF_YEAR, days[0]), np.minimum(alike + _HALF_YEAR, days[-1])
    near = np.searchsorted(alike, last, side="right") - np.searchsorted(alike, first)
    is_rare: NDArray[np.bool_] = near <= _FEW_WEEKENDS * (last - first) / 7.0
    return rows[is_rare]


def _gaps(panel: Panel) -> Iterator[str]:
    """Yield a note if no asset has a price for longer than is usual in a daily table.

    Steps of slower tables may vary by days only, which the door holds them to; a missing week is refused.
    """
    if panel.frequency.name != "daily":
        return
    steps = np.diff(panel.days)
    if steps.max(initial=0) <= _LONG_GAP:
        return
    limit = max(_LONG_GAP, _usual_gap(panel.days, steps) + _GAP_ABOVE_USUAL)
    long = np.flatnonzero(steps > limit)
    if len(long):
        row = int(long[0])
        yield message(
            "prices",
            f"no row for {steps[row]} calendar days after {_iso(panel.days[row])}; "
            f"a daily table seldom has gaps of more than {limit}",
            date=_date(panel.days[row + 1]),
            count=len(long),
            fix="check whether the market was closed",
        )


def _usual_gap(days: NDArray[np.int64], steps: NDArray[np.int64]) -> int:
    """Return the longest step of an ordinary year of this calendar: the lower median over its years."""
    years = (days[1:] - days[0]) // 365
    longest = np.zeros(int(years[-1]) + 1, dtype=np.int64)
    np.maximum.at(longest, years, steps)
    return int(np.sort(longest)[(len(longest) - 1) // 2]) if len(longest) > 1 else 0


def _unfinished(panel: Panel, today: int | None) -> Iterator[str]:
    """Yield a note if the last row is dated today or later."""
    if today is None or panel.days[-1] < today:
        return
    first = int(np.searchsorted(panel.days, today))
    if panel.days[-1] == today:
        problem = "the last row is of today (UTC), and its prices may not be the last of the day"
        yield message("prices", problem, date=_date(today), fix="prices.iloc[:-1] leaves it out")
        return
    first += int(panel.days[first] == today)
    yield message(
        "prices",
        f"dated after today, {_iso(today)} (UTC)",
        date=_date(panel.days[first]),
        count=len(panel.days) - first,
        fix=f"correct the dates, or prices.loc[:'{_iso(today - 1)}'] leaves out what is not over yet",
    )


# --- how it is said ---


def _note(panel: Panel, found: list[_Found], fix: str) -> str:
    """Return one line for all findings of a kind: the first, their number, and the assets."""
    if not found:
        return ""
    first = min(found, key=lambda each: (each.row, each.column))
    return message(
        "prices",
        first.problem + _also(panel, found, first),
        asset=panel.assets[first.column],
        date=_date(panel.days[first.row]),
        count=len(found),
        fix=fix,
    )


def _also(panel: Panel, found: list[_Found], first: _Found) -> str:
    columns = list(dict.fromkeys(each.column for each in found if each.column != first.column))
    if not columns:
        return ""
    names = ", ".join(repr(panel.assets[column]) for column in columns[:_MOST_NAMED])
    more = f" and {len(columns) - _MOST_NAMED:,} more" if len(columns) > _MOST_NAMED else ""
    return f", also {names}{more}"


def _date(day: Any) -> dt.date:
    return dt.date.fromordinal(int(day) + dt.date(1970, 1, 1).toordinal())


def _iso(day: Any) -> str:
    return _date(day).isoformat()
