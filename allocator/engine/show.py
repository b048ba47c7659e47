"""How a backtest shows itself: what ran, what it became, and the conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.errors import iso_date
from allocator.tables import html_block, html_table

if TYPE_CHECKING:
    from allocator.engine.result import Backtest

__all__ = ["backtest_html", "backtest_text"]


def _lines(backtest: Backtest) -> list[tuple[str, str]]:
    """Return label and text of each line."""
    value, first = backtest.value, backtest.targets.iloc[0]
    held = ", ".join(f"{asset} {weight:.1%}" for asset, weight in first.items() if weight)
    ruin = f", RUINED on {iso_date(backtest.ruined_on)}" if backtest.ruined_on is not None else ""
    paid = float(backtest.trading_costs.to_numpy().sum())
    interest = backtest.interest
    return [
        (
            "period",
            f"{iso_date(value.index[0])} to {iso_date(value.index[-1])}, {len(value) - 1:,} returns{ruin}",
        ),
        ("growth of 1", f"{value.iloc[-1]:,.4f}"),
        ("first weights", held or "cash"),
        ("trades", f"{len(backtest.turnover)} dates, the first build included"),
        ("trading costs", f"{paid:.4f}"),
        (
            "interest",
            f"earned {interest.clip(lower=0).sum():.4f}, paid {interest.clip(upper=0).abs().sum():.4f}",
        ),
    ]


def _title(backtest: Backtest) -> str:
    return f"{'SIMULATED ' if backtest.market.simulated else ''}Backtest: {backtest.name}"


def backtest_text(backtest: Backtest) -> str:
    """Return the record as text."""
    lines = [f"  {label:<14} {text}" for label, text in _lines(backtest)]
    return "\n".join([_title(backtest), *lines, *backtest.conventions])


def backtest_html(backtest: Backtest) -> str:
    """Return the record as an HTML table with the conventions below."""
    return html_block(
        _title(backtest), html_table(("", backtest.name), _lines(backtest)), backtest.conventions
    )
