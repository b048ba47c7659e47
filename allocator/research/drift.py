"""What moved between two records of a backtest: by how much, since which date, and what may have moved it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from allocator.errors import InputError
from allocator.research.baseline_facts import DATED_METRICS, METRICS
from allocator.research.baseline_file import RESOLUTION, Baseline

__all__ = ["GROUPS", "Change", "FirstDate", "causes_of", "changes_of", "first_dates", "validate_tolerances"]

DEFAULT = 1e-9
GROUPS = ("yearly_returns", "weights", "returns")
_FLOOR = 1e-12  # of a metric of about zero
_MOST_NAMED = 4
_SAME_ROWS = "the months that both have whole are the same"


@final
@dataclass(frozen=True)
class Change:
    """A number that is no longer within its tolerance.

    Attributes
    ----------
    name
        Of the metric, or ``return of 2008``.
    was, now
        A fraction, a count, a date or money; None where undefined.
    tolerance
        Relative for a metric, absolute for the return of a year.
    """

    name: str
    was: float | str | None
    now: float | str | None
    tolerance: float


@final
@dataclass(frozen=True)
class FirstDate:
    """The first date on which something differs: what, and on which date, year or month."""

    what: str
    date: str


def validate_tolerances(given: Mapping[str, float] | None, argument: str = "tolerances") -> dict[str, float]:
    """Return the tolerance of every metric and group, refusing names that are none and negative numbers.

    ``default`` is for all that are not named.
    """
    if given is not None and not isinstance(given, Mapping):
        raise InputError(argument, f"{given!r} is no mapping", fix='write {"sharpe": 1e-6}')
    asked, known = dict(given or {}), ("default", *METRICS, *GROUPS)
    for name, number in asked.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            fix = f"is it {near[0]!r}?" if near else f"one of {', '.join(known)}"
            raise InputError(argument, f"there is no metric {name!r}", fix=fix)
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or math.isnan(number) or number < 0:
            problem = f"{number!r} for {name!r} is no tolerance"
            raise InputError(argument, problem, fix="0 or more; inf does not compare")
    default = asked.pop("default", DEFAULT)
    return {name: float(asked.get(name, default)) for name in known[1:]}


def changes_of(was: Baseline, now: Baseline, tolerances: Mapping[str, float]) -> tuple[Change, ...]:
    """Return what is beyond its tolerance: metrics, then years."""
    return (*_metric_changes(was, now, tolerances), *_year_changes(was, now, tolerances["yearly_returns"]))


def _metric_changes(was: Baseline, now: Baseline, tolerances: Mapping[str, float]) -> Iterator[Change]:
    for name, tolerance in ((name, tolerances[name]) for name in METRICS):
        if name not in was.metrics or math.isinf(tolerance):
            continue  # written before there was this metric
        a, b = was.metrics[name], now.metrics[name]
        if not _is_close(a, b, tolerance):
            yield Change(name, a, b, 0.0 if name in DATED_METRICS else tolerance)


def _is_close(a: float | str | None, b: float | str | None, tolerance: float) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float) and not math.isinf(a):
        return abs(b - a) <= tolerance * abs(a) + _FLOOR
    return a == b


def _year_changes(was: Baseline, now: Baseline, tolerance: float) -> Iterator[Change]:
    for year in sorted({*was.yearly_returns, *now.yearly_returns}):
        a, b = was.yearly_returns.get(year), now.yearly_returns.get(year)
        if not math.isinf(tolerance) and (a is None or b is None or abs(a - b) > tolerance + _FLOOR):
            yield Change(f"return of {year}", a, b, tolerance)


# Since when.


def first_dates(was: Baseline, now: Baseline, tolerances: Mapping[str, float]) -> tuple[FirstDate, ...]:
    """Return the first date on which the weights differ and on which the returns do, the earliest first."""
    found = [_first_weights(was, now, tolerances["weights"]), _first_return(was, now, tolerances["returns"])]
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.date))


def _first_weights(was: Baseline, now: Baseline, tolerance: float) -> FirstDate | None:
    if math.isinf(tolerance):
        return None
    for date in sorted({*was.weights, *now.weights}):
        if date not in now.weights:
            return FirstDate("no trade any more", date)
        if date not in was.weights:
            return FirstDate("a trade that was not", date)
        moved = _moved_weight(was, now, date, tolerance)
        if moved is not None:
            return FirstDate(moved, date)
    return None


def _moved_weight(was: Baseline, now: Baseline, date: str, tolerance: float) -> str | None:
    before, after = (dict(zip(each.assets, each.weights[date], strict=True)) for each in (was, now))
    gaps = {asset: after.get(asset, 0.0) - before.get(asset, 0.0) for asset in {**before, **after}}
    asset = max(gaps, key=lambda name: abs(gaps[name]))
    if abs(gaps[asset]) <= tolerance + _FLOOR:
        return None
    return f"weight of {asset!r} {before.get(asset, 0.0):.10g} → {after.get(asset, 0.0):.10g}"


def _first_return(was: Baseline, now: Baseline, tolerance: float) -> FirstDate | None:
    if math.isinf(tolerance):
        return None
    before, after = was.row_returns, now.row_returns
    for date in sorted({*before, *after}):
        if date not in after or date not in before:
            gone = "a row that is no more" if date not in after else "a row that was not"
            return FirstDate(gone, date)
        a, b = before[date], after[date]
        if abs(b - a) > tolerance / RESOLUTION + 1:  # each is rounded by up to half a unit
            return FirstDate(f"return {a * RESOLUTION:.7%} → {b * RESOLUTION:.7%}", date)
    return None


# Why.


def causes_of(was: Baseline, now: Baseline) -> tuple[str, ...]:
    """Return what went in differently, a line each: data, parameters, versions, code; may be empty."""
    return (
        *_data(was, now),
        *_parameters(was, now),
        *_mapping("versions", was.versions, now.versions),
        *_code(was, now),
    )


def _data(was: Baseline, now: Baseline) -> Iterator[str]:
    a, b = was.data, now.data
    if a.sha256 == b.sha256:
        return
    lines, columns = _extent(was, now), _columns(was, now)
    lines += columns or ([_SAME_ROWS] if lines else [])
    gone = sorted(name for name in {*a.signals, *b.signals} if a.signals.get(name) != b.signals.get(name))
    lines += [f"signal {name!r} differs, or ends on another date" for name in gone]
    yield from (f"data: {line}" for line in lines or ["dates of listing or the order of the assets differ"])


def _extent(was: Baseline, now: Baseline) -> list[str]:
    a, b = was.data, now.data
    if (a.first, a.last, a.n_rows) == (b.first, b.last, b.n_rows):
        return []
    return [f"{a.n_rows:,} rows, {a.first} to {a.last} → {b.n_rows:,} rows, {b.first} to {b.last}"]


def _columns(was: Baseline, now: Baseline) -> list[str]:
    """Return which asset differs from which month on, within the months that both have whole."""
    before, after = _hashes(was), _hashes(now)
    lines = [f"{name!r} is {'new' if name in after else 'gone'}" for name in sorted({*before} ^ {*after})]
    shared = [month for month in was.data.months if month in now.data.months and month not in _cut(was, now)]
    found = {
        name: next((month for month in shared if before[name][month] != after[name][month]), None)
        for name in before
        if name in after
    }
    first = sorted((month, name) for name, month in found.items() if month is not None)
    more = f" (and {len(first) - _MOST_NAMED} other columns)" if len(first) > _MOST_NAMED else ""
    named = ", ".join(f"{name!r} in {month}" for month, name in first[:_MOST_NAMED])
    return lines + ([f"levels first differ: {named}{more}"] if first else [])


def _cut(was: Baseline, now: Baseline) -> set[str]:
    """Return the months of which one of the two has only a part."""
    a, b = was.data, now.data
    ends = {min(a.last, b.last)[:7]} if a.last != b.last else set()
    return ends | ({max(a.first, b.first)[:7]} if a.first != b.first else set())


def _hashes(baseline: Baseline) -> dict[str, dict[str, str]]:
    split = {month: line.split() for month, line in baseline.data.months.items()}
    return {
        name: {month: line[j] for month, line in split.items()}
        for j, name in enumerate(baseline.data.columns)
    }


def _parameters(was: Baseline, now: Baseline) -> Iterator[str]:
    yield from _mapping("parameters", was.parameters, now.parameters)
    a, b = was.window, now.window
    if was.data.sha256 == now.data.sha256 and (a.built, a.last) != (b.built, b.last):
        yield f"parameters: the window was {a.built} to {a.last}, is {b.built} to {b.last}"


def _mapping(label: str, was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    lines = [f"{label}: {name} {was.get(name, '(none)')} → {now.get(name, '(none)')}" for name in names]
    more = len(lines) - 2 * _MOST_NAMED
    return lines if more <= 0 else [*lines[: 2 * _MOST_NAMED], f"{label}: and {more} more"]


def _code(was: Baseline, now: Baseline) -> Iterator[str]:
    names = [name for name in {**was.code, **now.code} if was.code.get(name) != now.code.get(name)]
    for name in names:
        what = "the library" if name == "allocator" else f"the module {name}"
        if name in was.code and name in now.code:
            yield f"code: the source of {what} changed"
        else:
            yield f"code: {what} is {'new' if name in now.code else 'no longer used'}"
