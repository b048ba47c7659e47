"""How a backtest shows itself: what ran, what it became, and the conventions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_block

if TYPE_CHECKING:
    from allocator.engine.result import Backtest

__all__ = ["backtest_html", "backtest_text", "conventions"]

_COSTS = ("borrow_spread", "short_fees", "commissions", "bid_ask", "fixed", "management_fee")


def _lines(backtest: Backtest) -> list[tuple[str, str]]:
    """Return label and text of each line."""
    value, first, itemised = backtest.value, backtest.targets.iloc[0], backtest.itemised
    held = ", ".join(f"{asset} {weight:.1%}" for asset, weight in first.items() if weight)
    ruin = f", RUINED on {iso_date(backtest.ruined_on)}" if backtest.ruined_on is not None else ""
    start = backtest.initial_value
    costs = {name: -float(itemised[name].sum()) for name in _COSTS}
    paid = ", ".join(f"{name.replace('_', ' ')} {cost:,.4f}" for name, cost in costs.items() if cost)
    reasons = Counter(backtest.events["reason"])
    flows = backtest.flows
    interest = itemised["interest"]
    lines = [
        (
            "period",
            f"{iso_date(value.index[0])} to {iso_date(value.index[-1])}, {len(value) - 1:,} returns{ruin}",
        ),
        (f"growth of {start:g}", f"{value.iloc[-1]:,.4f}"),
        ("first weights", held or "cash"),
        ("events", ", ".join(f"{reason} {n:,}" for reason, n in reasons.items())),
        ("costs", paid or "none"),
        (
            "interest",
            f"earned {interest.clip(lower=0).sum():,.4f}, paid {interest.clip(upper=0).abs().sum():,.4f}",
        ),
    ]
    if len(flows):
        lines.append(("flows", f"in {flows.clip(lower=0).sum():,.4f}, out {-flows.clip(upper=0).sum():,.4f}"))
    return lines


def _title(backtest: Backtest) -> str:
    return f"{'SIMULATED ' if backtest.market.simulated else ''}Backtest: {backtest.name}"


def backtest_text(backtest: Backtest) -> str:
    """Return the record as text."""
    lines = [f"  {label:<14} {text}" for label, text in _lines(backtest)]
    return text_block([_title(backtest), *lines, *backtest.conventions])


def backtest_html(backtest: Backtest) -> str:
    """Return the record as an HTML table with the conventions below."""
    return html_block(
        _title(backtest), html_table(("", backtest.name), _lines(backtest)), backtest.conventions
    )


def conventions(backtest: Backtest) -> tuple[str, ...]:
    """Return how the numbers of a backtest were made, a line each; its notes are apart."""
    market, lag, mandate = backtest.market, backtest.lag, backtest.mandate
    dates = backtest.value.index
    timing = "the same close" if lag == 0 else f"the close {lag} row{'s' if lag > 1 else ''} later"
    shorts = "; short positions pay their fee out of cash" if mandate.allow_short else ""
    lines = [
        f"data: {market.name}{' (SIMULATED)' if market.simulated else ''}, {market.frequency}, "
        f"{iso_date(dates[0])} to {iso_date(dates[-1])}",
        *market.notes,
        f"timing: decided at a close, traded at {timing}; {backtest.rebalancing}; "
        "units held between trades; the last row never trades",
        f"costs: {backtest.costs}, the first build included{shorts}",
        f"assets without a price: {mandate.unlisted}",
    ]
    if mandate.max_leverage is not None:
        lines.append(f"leverage: at most {mandate.max_leverage:g} by decision, and more is scaled down to it")
    if len(backtest.flows):
        lines.append(
            "flows: traded with the trade of their row, else spread over what is held; returns without them"
        )
    return tuple(lines)
