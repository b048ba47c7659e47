"""A slow, obvious ledger: a broker's book kept by hand, one day after the other.

It shares no code with the engine. It knows shares and money; what the engine says in weights, it finds
out by trading. Prices are lists of floats with None where an asset is not listed.

What happens at a close, in this order: the account grows, what left the exchange is paid out, the manager
takes the fee, a ruined account is closed, the strategy decides, the customer pays in or out, and what is
due is traded. A `Day` keeps what each of these did to the value, with the sign it had on the value.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Row = list[float | None]
HOLD = "hold"
# Shown the rows up to a close, a strategy wants weights, wants no trade, or cannot decide yet.
Decide = Callable[[list[Row]], list[float] | str | None]
DUST = 1e-12  # a trade below this fraction of the value is none


@dataclass(frozen=True)
class Clock:
    """Ask on a calendar: its name, the number of rows of "EveryNRows", the days of "OnDates"."""

    name: str
    n: int = 0
    days: tuple[dt.date, ...] = ()


@dataclass(frozen=True)
class Fence:
    """Ask when a weight has left its band; trade to the "target", the "edge" or "halfway"."""

    widths: list[float]
    relative: bool = False
    to: str = "target"
    on: Clock | None = None


@dataclass(frozen=True)
class Ceiling:
    """Ask when the sum of absolute weights is above a limit."""

    limit: float


@dataclass(frozen=True)
class Terms:
    """What the broker, the lender and the manager charge: fractions, a list by asset where a list."""

    buy: list[float]
    sell: list[float]
    bid_ask: list[float]
    short_fee: list[float]
    fixed: float = 0.0
    first_order: bool = False
    borrow_spread: float = 0.0
    management_fee: float = 0.0


@dataclass(frozen=True)
class Instructions:
    """What is to be done with which money.

    ``nominal_years`` is the length of a row, None if days are counted; ``recovery`` is what is left of the
    last price of each asset when it is delisted; ``flows`` is what the customer pays in (or out) by date.
    """

    dates: list[dt.date]
    prices: list[Row]
    cash: list[float]
    decide: Decide
    rules: list[Clock | Fence | Ceiling]
    lag: int
    terms: Terms
    unlisted: str = "error"
    recovery: list[float] | None = None
    nominal_years: float | None = None
    initial: float = 1.0
    flows: dict[dt.date, float] = field(default_factory=dict)
    max_leverage: float | None = None
    allow_short: bool = False


class Refused(Exception):  # noqa: N818 - it is not the ledger's error
    """What was asked for cannot be done."""


@dataclass
class Day:
    """What happened at a close, in money; costs and fees are negative, as they act on the value."""

    gains: list[float]
    commissions: list[float]
    bid_ask: list[float]
    fixed: list[float]
    short_fees: list[float]
    interest: float = 0.0  # at the cash rate
    borrow_spread: float = 0.0  # what borrowing costs above it
    management_fee: float = 0.0
    flow: float = 0.0
    written_off: float = 0.0  # only on the day of ruin: what others bear (+) or costs swallow (-)
    value: float = 0.0
    weights: list[float] = field(default_factory=list)
    trades: list[float] | None = None  # notional, buys positive
    turnover: float = 0.0
    decided: int | None = None  # the row of the decision that was traded; None if only a flow was

    def costs(self) -> list[float]:
        """Return what trading each asset cost, as positive money."""
        return [-(c + b + f) for c, b, f in zip(self.commissions, self.bid_ask, self.fixed, strict=True)]

    def change(self) -> float:
        """Return the sum of all that acted on the value."""
        by_asset = (self.gains, self.commissions, self.bid_ask, self.fixed, self.short_fees)
        others = (self.interest, self.borrow_spread, self.management_fee, self.flow, self.written_off)
        return sum(sum(items) for items in by_asset) + sum(others)


@dataclass
class Book:
    """What the ledger wrote down, by row of the table; ``capped`` are the rows of decisions scaled down."""

    days: dict[int, Day] = field(default_factory=dict)
    capped: list[int] = field(default_factory=list)
    ruined: int | None = None
    closest_call: float = math.inf  # how near a comparison came to a tie
    highest_leverage: float = 0.0
    shrunk: float = 1.0  # by how much withdrawals and fixed costs magnified what was rounded before

    def compare(self, found: float, limit: float, scale: float = 1.0) -> bool:
        """Return whether something is above a limit, and remember how near it was."""
        self.closest_call = min(self.closest_call, abs(found - limit) / scale)
        return found > limit

    def doubt(self, fractions: Iterable[float]) -> None:
        """Call it a tie if anything is neither plainly traded nor plainly not."""
        if any(1e-14 < fraction < 1e-10 for fraction in fractions):
            self.closest_call = 0.0


@dataclass(frozen=True)
class Order:
    """What was decided at a row, to be traded at another; without a fence it goes all the way."""

    decided: int
    due: int
    wanted: list[float]
    fence: Fence | None


@dataclass
class Account:
    """What is held, what is on order, and the target from which the fences are measured."""

    shares: list[float]
    money: float
    target: list[float] | None = None
    orders: list[Order] = field(default_factory=list)
    is_open: bool = False


def keep_book(task: Instructions) -> Book:
    """Keep the book from the first close at which a decision is possible to the last row."""
    n_assets = len(task.prices[0])
    book, account = Book(), Account([0.0] * n_assets, task.initial)
    _refuse_late_flows(task)
    for row in range(len(task.dates)):
        day = _blank_day(n_assets)
        if not _keep_day(task, book, account, day, row):
            if not book.days:
                raise Refused("the build cannot be paid")
            book.ruined, book.days[row] = row, day
            day.value, day.weights, day.decided = 0.0, [0.0] * n_assets, None
            return book
        if account.is_open:
            day.value = _value(account, task, row)
            day.weights = _weights(account, task, row)
            book.highest_leverage = max(book.highest_leverage, _gross(day.weights))
            book.days[row] = day
    return book


def _blank_day(n_assets: int) -> Day:
    gains, commissions, bid_ask, fixed, short_fees = ([0.0] * n_assets for _ in range(5))
    return Day(gains, commissions, bid_ask, fixed, short_fees)


def _keep_day(task: Instructions, book: Book, account: Account, day: Day, row: int) -> bool:
    """Do all that happens at a close, in its order; False if it ruins the account."""
    if account.is_open:
        _grow(task, account, day, row)
    _delist(task, account, row)
    if account.is_open:
        _charge_management_fee(task, account, day, row)
        value = _value(account, task, row)
        if not book.compare(value, 0.0, scale=book.days[row - 1].value):
            day.written_off = -value
            return False
        book.highest_leverage = max(book.highest_leverage, _gross(_weights(account, task, row)))
    _decide(task, book, account, row)
    return _settle(task, book, account, day, row)


# Prices and values


def _price(task: Instructions, row: int, asset: int) -> float:
    """Return a price; on the first row without one, what is left of the last; 0 where there is none."""
    price = task.prices[row][asset]
    if price is not None:
        return price
    last = task.prices[row - 1][asset] if row else None
    return 0.0 if last is None else last * task.recovery[asset] if task.recovery else last


def _positions(account: Account, task: Instructions, row: int) -> list[float]:
    """Return what is held of each asset in money."""
    return [shares * _price(task, row, j) for j, shares in enumerate(account.shares)]


def _value(account: Account, task: Instructions, row: int) -> float:
    return account.money + sum(_positions(account, task, row))


def _weights(account: Account, task: Instructions, row: int) -> list[float]:
    value = _value(account, task, row)
    return [position / value for position in _positions(account, task, row)]


def _gross(weights: list[float]) -> float:
    return sum(abs(weight) for weight in weights)


def _years(task: Instructions, row: int) -> float:
    if task.nominal_years is not None:
        return task.nominal_years
    return (task.dates[row] - task.dates[row - 1]).days / 365.25


# What happens before any decision


def _grow(task: Instructions, account: Account, day: Day, row: int) -> None:
    """Move the prices, pay interest on yesterday's cash, and pay for what was borrowed to be sold."""
    years, terms = _years(task, row), task.terms
    day.interest = account.money * task.cash[row]
    if account.money < 0.0:
        day.borrow_spread = account.money * ((1.0 + terms.borrow_spread) ** years - 1.0)
    for j, shares in enumerate(account.shares):
        before = _price(task, row - 1, j)
        day.gains[j] = shares * (_price(task, row, j) - before)
        if shares < 0.0:
            day.short_fees[j] = shares * before * ((1.0 + terms.short_fee[j]) ** years - 1.0)
    account.money += day.interest + day.borrow_spread + sum(day.short_fees)


def _delist(task: Instructions, account: Account, row: int) -> None:
    """Exchange what has no price any more for cash, free of cost, and want it no longer."""
    for j in range(len(account.shares)):
        if row == 0 or task.prices[row][j] is not None or task.prices[row - 1][j] is None:
            continue
        account.money += account.shares[j] * _price(task, row, j)
        account.shares[j] = 0.0
        for wanted in [account.target, *(order.wanted for order in account.orders)]:
            if wanted is not None:
                wanted[j] = 0.0


def _charge_management_fee(task: Instructions, account: Account, day: Day, row: int) -> None:
    """Take the same fraction of every holding and of the cash, if there is anything."""
    if _value(account, task, row) <= 0.0:
        return
    kept = (1.0 - task.terms.management_fee) ** _years(task, row)
    day.management_fee = -_value(account, task, row) * (1.0 - kept)
    account.shares = [shares * kept for shares in account.shares]
    account.money *= kept


# Decisions


def _decide(task: Instructions, book: Book, account: Account, row: int) -> None:
    """Write an order, if a rule asks, the strategy wants a trade, and a row to trade on is left."""
    due = row + task.lag
    if due >= len(task.dates) - 1:
        return
    asking = _asking(task, book, account, row)
    first = account.target is None and not account.orders
    if not (asking or first):
        return
    wanted = _wish(task, row, first=first)
    if wanted is None or (wanted == HOLD and not first):
        return
    weights = [0.0] * len(account.shares) if isinstance(wanted, str) else _capped(task, book, wanted, row)
    # A calendar trades to target, whatever the fences say; of two fences the first breached counts.
    fence = asking[0] if asking and all(isinstance(rule, Fence) for rule in asking) else None
    account.orders.append(Order(row, due, weights, fence if isinstance(fence, Fence) else None))


def _wish(task: Instructions, row: int, *, first: bool) -> list[float] | str | None:
    """Return what is wanted after the policy for what has no price; None if it is too early to begin."""
    wish = task.decide(task.prices[: row + 1])
    if wish is None or isinstance(wish, str):
        return wish
    if not task.allow_short and min(wish) < 0.0:
        raise Refused(f"short at row {row}")
    kept = [w if p is not None else 0.0 for w, p in zip(wish, task.prices[row], strict=True)]
    if kept == wish:
        return kept
    if task.unlisted == "cash":
        return kept
    # Long-short books keep what they are: longs stand in for longs, shorts for shorts.
    sides = [_scaled_up(task, row, [w if w * side > 0.0 else 0.0 for w in wish]) for side in (1.0, -1.0)]
    if task.unlisted == "pro_rata" and None not in sides:
        return [sum(weights) for weights in zip(*(side for side in sides if side), strict=True)]
    is_hopeless = task.unlisted == "error" and any(_is_gone(task, row, j) for j, w in enumerate(wish) if w)
    if first and not is_hopeless:
        return None
    raise Refused(f"wants at row {row} what has no price")


def _scaled_up(task: Instructions, row: int, wish: list[float]) -> list[float] | None:
    """Let what has a price take the place of what has none; None if that is yet to be listed."""
    kept = [w if p is not None else 0.0 for w, p in zip(wish, task.prices[row], strict=True)]
    if sum(kept):
        return [weight * sum(wish) / sum(kept) for weight in kept]
    return kept if all(_is_gone(task, row, j) for j, w in enumerate(wish) if w) else None


def _is_gone(task: Instructions, row: int, asset: int) -> bool:
    """Return whether an asset has been delisted by a row."""
    return task.prices[row][asset] is None and any(prices[asset] is not None for prices in task.prices[:row])


def _capped(task: Instructions, book: Book, wanted: list[float], row: int) -> list[float]:
    most, gross = task.max_leverage, _gross(wanted)
    if most is None or not book.compare(gross, most):
        return wanted
    book.capped.append(row)
    return [weight * most / gross for weight in wanted]


def _asking(task: Instructions, book: Book, account: Account, row: int) -> list[Clock | Fence | Ceiling]:
    """Return the rules that ask for a decision; drift does not ask while an order is out."""
    drifts = account.target is not None and not account.orders
    return [
        rule
        for rule in task.rules
        if (isinstance(rule, Clock) and _rings(task, rule, row))
        or (isinstance(rule, Fence) and drifts and _is_outside(task, book, account, rule, row))
        or (isinstance(rule, Ceiling) and drifts and _is_too_high(task, book, account, rule, row))
    ]


def _rings(task: Instructions, clock: Clock, row: int) -> bool:
    today, tomorrow = task.dates[row], task.dates[row + 1]
    answers: dict[str, Callable[[], bool]] = {
        "Daily": lambda: True,
        "Weekly": lambda: today.isocalendar()[:2] != tomorrow.isocalendar()[:2],
        "Monthly": lambda: (today.year, today.month) != (tomorrow.year, tomorrow.month),
        "Quarterly": lambda: (
            (today.year, (today.month - 1) // 3) != (tomorrow.year, (tomorrow.month - 1) // 3)
        ),
        "Yearly": lambda: today.year != tomorrow.year,
        "EveryNRows": lambda: row > 0 and row % clock.n == 0,
        "OnDates": lambda: any(_acts_on(task, day, row) for day in clock.days),
        "BuyAndHold": lambda: False,
    }
    return answers[clock.name]()


def _acts_on(task: Instructions, day: dt.date, row: int) -> bool:
    """Return whether something dated on a day happens at this row: on its date, or the next after it."""
    return day <= task.dates[row] and (row == 0 or day > task.dates[row - 1])


def _is_outside(task: Instructions, book: Book, account: Account, fence: Fence, row: int) -> bool:
    if fence.on is not None and not _rings(task, fence.on, row):
        return False
    weights = _weights(account, task, row)
    outside = [
        book.compare(distance, width)
        for distance, width in _distances(fence, weights, account.target or [])
        if distance or width  # what is neither held nor wanted is exactly where it should be
    ]
    return any(outside)


def _distances(fence: Fence, weights: list[float], target: list[float]) -> list[tuple[float, float]]:
    """Return how far each weight is from its target, and how far it may be."""
    return [
        (abs(weight - goal), width * abs(goal) if fence.relative else width)
        for weight, goal, width in zip(weights, target, fence.widths, strict=True)
    ]


def _is_too_high(task: Instructions, book: Book, account: Account, ceiling: Ceiling, row: int) -> bool:
    return book.compare(_gross(_weights(account, task, row)), ceiling.limit)


# Flows and trades


def _settle(task: Instructions, book: Book, account: Account, day: Day, row: int) -> bool:
    """Take in or pay out the customer's money and trade what is due; False if it cannot be paid."""
    order = account.orders.pop(0) if account.orders and account.orders[0].due == row else None
    if order is not None and not account.is_open:
        _refuse_early_flows(task, row)
    if order is None and not account.is_open:
        return True
    day.flow = sum(money for date, money in task.flows.items() if _acts_on(task, date, row))
    value = _value(account, task, row)
    if day.flow and row == len(task.dates) - 1:
        return _flow_into_cash(book, account, day, value)
    wanted = _destination(task, book, account, order, row)
    if order is not None:
        account.target, account.is_open = order.wanted, True
        day.decided = order.decided if wanted is not None else None
    if wanted is None and day.flow:  # every holding and the cash alike
        wanted = _weights(account, task, row)
    account.money += day.flow
    book.shrunk *= max(1.0, value / (value + day.flow)) if value + day.flow > 0.0 else 1.0
    return wanted is None or _trade(task, book, account, day, row, wanted)


def _refuse_late_flows(task: Instructions) -> None:
    if any(date > task.dates[-1] for date in task.flows):
        raise Refused("a flow after the last row")


def _refuse_early_flows(task: Instructions, built: int) -> None:
    if any(date <= task.dates[built] for date in task.flows):
        raise Refused("a flow before there is a portfolio")


def _flow_into_cash(book: Book, account: Account, day: Day, value: float) -> bool:
    """Let a flow on the last row change the cash only; no more is paid out than there is."""
    account.money += day.flow
    if book.compare(value + day.flow, 0.0, scale=value):
        return True
    day.flow = -value
    return False


def _destination(
    task: Instructions, book: Book, account: Account, order: Order | None, row: int
) -> list[float] | None:
    """Return the weights to trade to, None if nothing is to be traded."""
    if order is None or order.fence is None or order.fence.to == "target":
        return order.wanted if order is not None else None
    fence, weights = order.fence, _weights(account, task, row)
    part = 1.0 if fence.to == "edge" else 0.5
    way = 0.0
    for distance, width in _distances(fence, weights, order.wanted):
        if distance and book.compare(distance, part * width):
            way = max(way, 1.0 - part * width / distance)
    if way == 0.0:
        return None
    return [weight + way * (goal - weight) for weight, goal in zip(weights, order.wanted, strict=True)]


def _trade(task: Instructions, book: Book, account: Account, day: Day, row: int, wanted: list[float]) -> bool:
    """Trade to the weights wanted, which hold after costs; False if the costs cannot be paid."""
    terms, held, value = task.terms, _positions(account, task, row), _value(account, task, row)
    if value <= 0.0 or not book.compare(1.0, _least_cost(terms, value, held, wanted) / value):
        return _close(terms, day, held, value)
    left = _left_after_costs(terms, value, held, wanted)
    if not book.compare(left / value, 0.0):
        return _close(terms, day, held, value)
    day.trades = _trades(terms, value, left, held, wanted)
    if terms.fixed:
        book.shrunk *= value / left
        book.doubt(abs(trade) / value for trade in day.trades)
    charges = _charges(terms, value, day.trades)
    day.commissions, day.bid_ask, day.fixed = ([-c for c in column] for column in charges)
    day.turnover = sum(abs(w - h / value) for w, h in zip(wanted, held, strict=True)) / 2
    bought = [w * left for w in wanted]
    account.shares = [b / _price(task, row, j) if b else 0.0 for j, b in enumerate(bought)]
    account.money = value - sum(bought) - _total(charges)
    return True


def _trades(terms: Terms, value: float, left: float, held: list[float], wanted: list[float]) -> list[float]:
    """Return the notional that is charged: what is bought, or what would be if trading were free."""
    base = value if terms.first_order else left
    return [w * base - h for w, h in zip(wanted, held, strict=True)]


def _charges(terms: Terms, value: float, trades: list[float]) -> list[list[float]]:
    """Return commissions, halves of bid-ask spreads and fixed costs by asset, as positive money."""
    sides = [buy if t > 0.0 else sell for t, buy, sell in zip(trades, terms.buy, terms.sell, strict=True)]
    return [
        [side * abs(t) for side, t in zip(sides, trades, strict=True)],
        [spread / 2.0 * abs(t) for spread, t in zip(terms.bid_ask, trades, strict=True)],
        [terms.fixed if abs(t) > DUST * value else 0.0 for t in trades],
    ]


def _total(charges: list[list[float]]) -> float:
    return sum(sum(column) for column in charges)


def _least_cost(terms: Terms, value: float, held: list[float], wanted: list[float]) -> float:
    """Return what it costs to sell everything and to buy next to nothing of what is new."""
    new = sum(1 for w, h in zip(wanted, held, strict=True) if w and not h)
    return _total(_charges(terms, value, [-h for h in held])) + terms.fixed * new


def _left_after_costs(terms: Terms, value: float, held: list[float], wanted: list[float]) -> float:
    """Return the value after costs: if the weights wanted hold then, found by bisection."""
    at_once = [w * value - h for w, h in zip(wanted, held, strict=True)]
    if terms.first_order:
        return value - _total(_charges(terms, value, at_once))
    if all(abs(t) <= DUST * value for t in at_once):
        return value
    low, high = 0.0, value
    while low < (middle := (low + high) / 2) < high:
        trades = _trades(terms, value, middle, held, wanted)
        if middle + _total(_charges(terms, value, trades)) > value:
            high = middle
        else:
            low = middle
    return middle


def _close(terms: Terms, day: Day, held: list[float], value: float) -> bool:
    """Sell all for a withdrawal that cannot be met and pay out the rest, or write off what is left."""
    before = value - day.flow
    charges = _charges(terms, abs(value), [-h for h in held])
    if day.flow < 0.0 and before > _total(charges):
        day.commissions, day.bid_ask, day.fixed = ([-c for c in column] for column in charges)
        day.trades, day.turnover = [-h for h in held], sum(map(abs, held)) / before / 2
        day.flow = -(before - _total(charges))
    else:
        day.flow = max(day.flow, 0.0)
        day.written_off = -(before + day.flow)
    return False
