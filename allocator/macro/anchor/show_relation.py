"""How relations by period show themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from allocator.errors import iso_date
from allocator.macro.anchor._parts import (
    Parts,
    between,
    in_brackets,
    number,
    p_value,
    parts_html,
    parts_text,
    rough,
    with_error,
)
from allocator.statistics.show_regression import p_text

if TYPE_CHECKING:
    from allocator.macro.anchor.comovement import Comovement
    from allocator.macro.anchor.relation import RelationByPeriod

__all__ = [
    "changes",
    "comovement_html",
    "comovement_parts",
    "comovement_text",
    "relation_html",
    "relation_parts",
    "relation_text",
]


def _relation_rows(result: RelationByPeriod, label: str = "") -> list[list[str]]:
    return [
        [
            f"{label}{iso_date(row['begin'])} to {iso_date(row['end'])}",
            f"{row['n']:,}",
            with_error(row["slope"], row["standard_error"], "+.4f", ".4f"),
            p_text(row["p_value"]),
            number(row["correlation"], "+.2f"),
            between(row["correlation_low"], row["correlation_high"], "+.2f"),
            number(row["levels"], "+.2f"),
        ]
        for row in result.table.to_dict("records")
    ]


def _relation_head(result: RelationByPeriod) -> list[str]:
    interval = f"{100 * result.confidence:g} % interval"
    return ["", "n", "slope ± se", "p of 0", "r", interval, "r of levels"]


def _relation_lines(result: RelationByPeriod) -> Iterator[str]:
    unit = f"{result.per:g} of {result.names[1]}" if result.per != 1.0 else "1"
    yield f"slope per {unit}; {result.frequency} changes; {result.method}"
    yield (
        f"r of changes, circular block bootstrap, {result.n_resamples:,} resamples, seed {result.seed}; "
        "r of levels has no error"
    )
    if result.is_averaged:
        first, second = result.autocorrelation
        yield (
            f"changes are autocorrelated ({first:+.2f}, {second:+.2f}) as those of averages are (+0.25): "
            "is one a mean of its period?"
        )


def _equality(result: RelationByPeriod) -> list[str]:
    slopes, both = result.equal_slopes, result.equal_relations
    if slopes is None or both is None:
        return []
    first, second = p_value(slopes.p_value), p_value(both.p_value)
    return [*changes(result), f"equal slopes: {first}, intercepts too: {second} (Wald, separate fits)"]


def changes(result: RelationByPeriod, label: str = "") -> list[str]:
    """Return a line for each period whose slope is compared with that of the first."""
    return [
        f"{label}slope from {iso_date(row['begin'])} less the first: {row['change']:+.4f}"
        f"{in_brackets(row['change_low'], row['change_high'], '+.4f')}, {p_value(row['change_p'])}"
        for row in result.table.to_dict("records")
        if row["change"] == row["change"]
    ]


def _smallest(*results: RelationByPeriod | None) -> list[str]:
    """Return the warning of rough errors for the shortest period that has any."""
    usable = [
        (int(row["n"]), each.method)
        for each in results
        if each is not None
        for row in each.table.to_dict("records")
        if not row["reason"]
    ]
    return rough(*min(usable)) if usable else []


def _reasons(result: RelationByPeriod) -> list[str]:
    rows = result.table.to_dict("records")
    return [f"{iso_date(row['begin'])}: {row['reason']}" for row in rows if row["reason"]]


def relation_parts(result: RelationByPeriod) -> Parts:
    """Return title, table and lines."""
    lines = [*_equality(result), *_relation_lines(result), *_reasons(result), *_smallest(result)]
    title = f"{result.names[0]} on {result.names[1]}, by period"
    return title, _relation_head(result), _relation_rows(result), lines


def relation_text(result: RelationByPeriod) -> str:
    """Return a relation by period as text."""
    return parts_text(relation_parts(result))


def relation_html(result: RelationByPeriod) -> str:
    """Return a relation by period as HTML."""
    return parts_html(relation_parts(result))


def comovement_parts(result: Comovement) -> Parts:
    """Return title, table and lines."""
    relation, monthly = result.relation, result.monthly
    rows = _relation_rows(relation, f"{relation.frequency} " if monthly else "")
    rows += _relation_rows(monthly, "monthly ") if monthly else []
    title = f"{result.names[0]} on {result.names[1]}"
    slow = [] if monthly is None else _reasons(monthly)
    reasons = [*_reasons(relation), *(f"monthly, {each}" for each in slow)]
    lines = [*_comovement_lines(result), *_relation_lines(relation), *reasons, *_smallest(relation, monthly)]
    return title, _relation_head(relation), rows, lines


def _comovement_lines(result: Comovement) -> Iterator[str]:
    named = [(result.relation.frequency, result.relation)]
    named += [("monthly", result.monthly)] if result.monthly else []
    for name, each in named:
        yield from changes(each, f"{name}: " if result.monthly else "")
    tests = [
        f"{name} {p_value(each.equal_slopes.p_value)}"
        for name, each in named
        if each.equal_slopes is not None and len(each.equal_slopes.restrictions) > 1
    ]
    if tests:
        yield f"equal slopes in all periods (Wald, separate fits): {', '.join(tests)}"
    if result.break_test is not None:
        found = result.break_test
        rows = "month ends" if result.monthly else f"{result.relation.frequency} rows"
        yield (
            f"a break at an unknown date, {rows}: {p_value(found.p_value)} of none, largest at "
            f"{iso_date(found.date)} (n={found.n:,}, sup-F, at least {found.shortest:,} on a side)"
        )
    constancy = result.constancy
    if not constancy.reason:
        yield (
            f"one correlation throughout: {p_value(constancy.p_value)}, departs most at "
            f"{iso_date(constancy.date)} ({constancy.before:+.2f} up to then, {constancy.after:+.2f} after; "
            f"n={constancy.n:,}; means and variances taken as constant: a change of volatility rejects, too)"
        )
    yield from _rolling_line(result)
    yield from _regime_line(result)
    yield from result.missing


def _rolling_line(result: Comovement) -> Iterator[str]:
    if result.rolling is not None:
        table = result.rolling.table
        if table["correlation"].isna().all():
            yield "rolling r: no number, in every window a series hardly moves"
            return
        lowest, highest = table["correlation"].idxmin(), table["correlation"].idxmax()
        last = table.iloc[-1]
        yield (
            f"rolling r, {last['n']:,.0f} rows: {table['correlation'].min():+.2f} ({iso_date(lowest)}) to "
            f"{table['correlation'].max():+.2f} ({iso_date(highest)}); {last['correlation']:+.2f} "
            f"at the end{in_brackets(last['low'], last['high'], '+.2f')}"
        )


def _regime_line(result: Comovement) -> Iterator[str]:
    if result.by_regime is not None:
        table = result.by_regime.table
        each = [
            f"{name} {number(row['correlation'], '+.2f')}{in_brackets(row['low'], row['high'], '+.2f')}, "
            f"n={row['n']:,}"
            for name, row in table.iterrows()
        ]
        equal = result.by_regime.p_equal
        yield f"r by regime: {'; '.join(each)}; equal: {p_value(equal) if isinstance(equal, float) else '–'}"


def comovement_text(result: Comovement) -> str:
    """Return how two series move together as text."""
    return parts_text(comovement_parts(result))


def comovement_html(result: Comovement) -> str:
    """Return how two series move together as HTML."""
    return parts_html(comovement_parts(result))
