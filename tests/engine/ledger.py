"""A slow, obvious ledger: a broker's book kept by hand, one day after the other.

It shares no code with the engine. It knows shares and money; what the engine says in weights, it finds
out by trading. Prices are lists of floats with None where an asset is not listed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field

Row = list[float | None]
Decide = Callable[[list[Row]], list[float] | None]  # None: cannot decide yet


@dataclass
class Book:
    """What the ledger wrote down, by row of the table."""

    worth: dict[int, float] = field(default_factory=dict)
    weights: dict[int, list[float]] = field(default_factory=dict)
    interest: dict[int, float] = field(default_factory=dict)
    gains: dict[int, float] = field(default_factory=dict)
    decided: dict[int, int] = field(default_factory=dict)  # by row of the trade
    trades: dict[int, list[float]] = field(default_factory=dict)
    costs: dict[int, list[float]] = field(default_factory=dict)
    turnover: dict[int, float] = field(default_factory=dict)
    ruined: int | None = None
    closest_call: float = math.inf  # how near a comparison came to a tie
    highest_leverage: float = 0.0


def keep_book(
    dates: list[dt.date],
    prices: list[Row],
    cash: list[float],
    decide: Decide,
    rule: tuple[str, float],
    lag: int,
    rates: list[float],
    spread: float,
    nominal_years: float | None,
    unlisted: str,
) -> Book:
    """Keep the book from the first close at which a decision is possible to the last row.

    ``rule`` is a name and its number; ``nominal_years`` the length of a row, None if days are counted.
    """
    n_rows, n_assets = len(dates), len(prices[0])
    book = Book()
    shares = [0.0] * n_assets
    money = 1.0
    started = bought = False
    target: list[float] = []
    last_trade = -1
    orders: list[tuple[int, int, list[float]]] = []  # (row of the trade, row of the decision, weights)
    for row in range(n_rows):
        if bought:
            years = nominal_years if nominal_years else (dates[row] - dates[row - 1]).days / 365.25
            rate = cash[row] if money >= 0 else cash[row] + (1.0 + spread) ** years - 1.0
            book.interest[row] = money * rate
            money += book.interest[row]
            before = _worth(shares, prices[row - 1])
            book.gains[row] = _worth(shares, prices[row]) - before
        value = money + _worth(shares, prices[row])
        if bought:
            book.closest_call = min(book.closest_call, abs(value) / book.worth[row - 1])
            if value <= 0.0:
                return _ruin(book, row, n_assets)
        # Decide at this close, if the rule asks and there will be a row to trade on.
        if row + lag < n_rows - 1:
            if not started:
                wish = _wish(decide, prices, row, unlisted)
                asked = wish is not None
            else:
                asked = _asked(book, dates, prices, shares, value, row, rule, target, last_trade, orders)
                wish = _wish(decide, prices, row, unlisted) if asked else None
            if asked:
                assert wish is not None
                started, target = True, wish
                orders.append((row + lag, row, wish))
        # Trade what is due at this close.
        if orders and orders[0][0] == row:
            _, decided, wanted = orders.pop(0)
            held = [s * _price(p) for s, p in zip(shares, prices[row], strict=True)]
            selling_all = sum(c * h for c, h in zip(rates, held, strict=True))
            book.closest_call = min(book.closest_call, abs(selling_all / value - 1.0))
            if selling_all >= value:
                return _ruin(book, row, n_assets)
            left = _left_after_costs(value, held, wanted, rates)
            traded = [w * left - h for w, h in zip(wanted, held, strict=True)]
            paid = [c * abs(t) for c, t in zip(rates, traded, strict=True)]
            shares = [w * left / _price(p) if w else 0.0 for w, p in zip(wanted, prices[row], strict=True)]
            money = value - sum(held) - sum(traded) - sum(paid)
            book.trades[row], book.costs[row], book.decided[row] = traded, paid, decided
            book.turnover[row] = sum(abs(w - h / value) for w, h in zip(wanted, held, strict=True)) / 2
            value, last_trade, bought = money + _worth(shares, prices[row]), row, True
        if bought:
            book.worth[row] = value
            book.weights[row] = [s * _price(p) / value for s, p in zip(shares, prices[row], strict=True)]
            book.highest_leverage = max(book.highest_leverage, sum(book.weights[row]))
    return book


def _price(price: float | None) -> float:
    return 0.0 if price is None else price


def _worth(shares: list[float], prices: Row) -> float:
    return sum(s * _price(p) for s, p in zip(shares, prices, strict=True))


def _ruin(book: Book, row: int, n_assets: int) -> Book:
    book.ruined, book.worth[row], book.weights[row] = row, 0.0, [0.0] * n_assets
    return book


def _wish(decide: Decide, prices: list[Row], row: int, unlisted: str) -> list[float] | None:
    """Return the weights wanted at a close after the policy for what has no price yet."""
    wish = decide(prices[: row + 1])
    if wish is None:
        return None
    have = [p is not None for p in prices[row]]
    kept = [w if h else 0.0 for w, h in zip(wish, have, strict=True)]
    if kept == wish or unlisted == "cash":
        return kept
    if unlisted == "error" or sum(kept) == 0.0:
        return None
    return [k / sum(kept) * sum(wish) for k in kept]


def _asked(
    book: Book,
    dates: list[dt.date],
    prices: list[Row],
    shares: list[float],
    value: float,
    row: int,
    rule: tuple[str, float],
    target: list[float],
    last_trade: int,
    orders: list[tuple[int, int, list[float]]],
) -> bool:
    today, tomorrow = dates[row], dates[row + 1]
    name, number = rule
    if name == "Daily":
        return True
    if name == "Weekly":
        return today.isocalendar()[:2] != tomorrow.isocalendar()[:2]
    if name == "Monthly":
        return today.month != tomorrow.month or today.year != tomorrow.year
    if name == "Quarterly":
        return (today.year, (today.month - 1) // 3) != (tomorrow.year, (tomorrow.month - 1) // 3)
    if name == "Yearly":
        return today.year != tomorrow.year
    if name == "EveryNRows":
        return row % int(number) == 0
    if name == "BuyAndHold":
        return False
    assert name == "Band"
    if orders or row <= last_trade:
        return False
    away = [abs(s * _price(p) / value - t) for s, p, t in zip(shares, prices[row], target, strict=True)]
    book.closest_call = min(book.closest_call, *(abs(a - number) for a in away))
    return max(away) > number


def _left_after_costs(value: float, held: list[float], wanted: list[float], rates: list[float]) -> float:
    """Find by bisection the value that is left when the weights wanted hold after costs are paid."""
    low, high = 0.0, value
    for _ in range(200):
        middle = (low + high) / 2
        cost = sum(c * abs(w * middle - h) for c, w, h in zip(rates, wanted, held, strict=True))
        if middle + cost > value:
            high = middle
        else:
            low = middle
    return (low + high) / 2
