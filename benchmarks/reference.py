"""The slow, obvious answers: plain Python on lists of floats, no NumPy, no code of the library.

A book is kept as a broker would: shares and cash, one close after the other. At the close of the first
row the portfolio is bought from 1.0 of cash; costs are paid out of what is traded, so that the weights
hold on what is left; the last row never trades.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "banded_path",
    "covariance",
    "exponential_covariance",
    "risk_error",
    "scheduled_path",
    "sharpe_and_drawdown",
    "sharpe_difference",
    "sharpe_difference_error",
    "statistics",
    "years_of_rows",
]

Row = Sequence[float]
Wish = Callable[[int, list[float]], Row | None]  # row and drifted weights -> weights to trade to
_ROWS_PER_YEAR = 252
_TAIL = 0.05


def scheduled_path(prices: Sequence[Row], targets: Mapping[int, Row], rate: float) -> list[float]:
    """Return the value at each close of trading to ``targets[row]`` on these rows."""
    return _keep_book(prices, lambda row, _: targets.get(row), rate)


def banded_path(prices: Sequence[Row], target: Row, width: float, rate: float) -> list[float]:
    """Return the value at each close of trading to the target when a weight is beyond ``width`` of it."""

    def wish(row: int, weights: list[float]) -> Row | None:
        if row == 0:
            return target
        away = max(abs(w - t) for w, t in zip(weights, target, strict=True))
        return target if away > width and row < len(prices) - 1 else None

    return _keep_book(prices, wish, rate)


def _keep_book(prices: Sequence[Row], wish: Wish, rate: float) -> list[float]:
    shares, cash, path = [0.0] * len(prices[0]), 1.0, []
    for row, price in enumerate(prices):
        held = [s * p for s, p in zip(shares, price, strict=True)]
        value = cash + sum(held)
        wanted = wish(row, [h / value for h in held])
        if wanted is not None:
            value = _left_after_costs(value, held, wanted, rate)
            shares = [w * value / p for w, p in zip(wanted, price, strict=True)]
            cash = value - sum(w * value for w in wanted)
        path.append(value)
    return path


def _left_after_costs(value: float, held: Row, wanted: Row, rate: float) -> float:
    """Solve left = value - rate * Σ|wanted * left - held|, each pass of which shrinks the error by rate."""
    left, before = value, math.inf
    while abs(left - before) > 4e-16 * value:
        before = left
        left = value - rate * sum(abs(w * left - h) for w, h in zip(wanted, held, strict=True))
    return left


def sharpe_and_drawdown(path: Row, build_is_a_row: bool) -> tuple[float, float]:
    """Return the annualised Sharpe ratio over cash of 0 and the drawdown (negative) of a value path.

    The cost of the build is in the return of the first row after it; or, as vectorbt has it, is a return
    of its own on the row of the build.
    """
    before = [1.0, *path[:-1]] if build_is_a_row else [1.0, *path[1:-1]]
    after = path if build_is_a_row else path[1:]
    returns = [b / a - 1.0 for a, b in zip(before, after, strict=True)]
    return _sharpe(returns), _drawdown(returns)


def statistics(returns: Row, years: float, whole_tail: bool) -> list[float]:
    """Return growth a year, volatility, Sharpe, Sortino, drawdown, Calmar, VaR and ES of simple returns.

    ``years`` is their span. The tail of the expected shortfall is the worst 5 %, its last return counted
    in part; or, as empyrical and vectorbt have it, the first ⌊(n - 1) / 20⌋ + 1 returns.
    """
    wealth = 1.0
    for r in returns:
        wealth *= 1.0 + r
    growth = wealth ** (1.0 / years) - 1.0
    below = math.sqrt(math.fsum(min(r, 0.0) ** 2 for r in returns) / len(returns))
    year = math.sqrt(_ROWS_PER_YEAR)
    depth = _drawdown(returns)
    return [
        growth,
        _deviation(returns) * year,
        _sharpe(returns),
        _mean(returns) / below * year,
        depth,
        growth / -depth,
        -_quantile(sorted(returns)),
        -_mean_of_tail(sorted(returns), whole_tail),
    ]


def years_of_rows(n_periods: int) -> float:
    """Return the span of so many daily rows, 252 a year."""
    return n_periods / _ROWS_PER_YEAR


def risk_error(covariance: Sequence[Row], weights: Row) -> float:
    """Return how far, relatively, the worst risk contribution w_i (Σw)_i is from the mean one."""
    shares = [
        w * math.fsum(c * x for c, x in zip(row, weights, strict=True))
        for w, row in zip(weights, covariance, strict=True)
    ]
    mean = math.fsum(shares) / len(shares)
    return max(abs(share / mean - 1.0) for share in shares)


def covariance(pairs: Sequence[Row]) -> float:
    """Return the sample covariance (ddof 1) of two series, a pair a row."""
    return _weighted_covariance(pairs, [1.0] * len(pairs))


def exponential_covariance(pairs: Sequence[Row], half_life: float) -> float:
    """Return the covariance of two series of which the last pair weighs most, its bias corrected."""
    return _weighted_covariance(pairs, [0.5 ** (age / half_life) for age in reversed(range(len(pairs)))])


def sharpe_difference(pairs: Sequence[Row]) -> float:
    """Return the difference of the Sharpe ratios of two series, a pair a row, of one period."""
    first, second = zip(*pairs, strict=True)
    return _mean(first) / _deviation(first) - _mean(second) / _deviation(second)


def sharpe_difference_error(pairs: Sequence[Row], block_length: float) -> float:
    """Return the deviation that stationary-bootstrap draws of the difference have, but for terms in 1/n.

    That of the mean of the influences of the rows on it (Mertens, 2002), in closed form: Politis and Romano
    (1994), lemma 1.
    """
    first, second = (_influences_on_sharpe(series) for series in zip(*pairs, strict=True))
    values = [a - b for a, b in zip(first, second, strict=True)]
    n, mean = len(values), _mean(values)
    centred = [x - mean for x in values]
    total = math.fsum(x * x for x in centred) / n
    for lag in range(1, n):
        stay, wrap = (1.0 - 1.0 / block_length) ** lag, (1.0 - 1.0 / block_length) ** (n - lag)
        weight = (1.0 - lag / n) * stay + lag / n * wrap
        if weight > 1e-9:  # lags of neither end count for nothing
            total += 2.0 * weight * math.fsum(x * y for x, y in zip(centred, centred[lag:], strict=False)) / n
    return math.sqrt(total / n)


def _influences_on_sharpe(returns: Row) -> list[float]:
    mean, deviation = _mean(returns), _deviation(returns)
    scores = [(x - mean) / deviation for x in returns]
    return [z - mean / deviation / 2.0 * (z * z - 1.0) for z in scores]


def _weighted_covariance(pairs: Sequence[Row], weights: Row) -> float:
    total = math.fsum(weights)
    means = [
        math.fsum(w * x for w, x in zip(weights, column, strict=True)) / total
        for column in zip(*pairs, strict=True)
    ]
    summed = math.fsum(w * (x - means[0]) * (y - means[1]) for w, (x, y) in zip(weights, pairs, strict=True))
    return summed / (total - math.fsum(w * w for w in weights) / total)


def _mean(numbers: Row) -> float:
    return math.fsum(numbers) / len(numbers)


def _deviation(numbers: Row) -> float:
    mean = _mean(numbers)
    return math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1))


def _sharpe(returns: Row) -> float:
    return _mean(returns) / _deviation(returns) * math.sqrt(_ROWS_PER_YEAR)


def _drawdown(returns: Row) -> float:
    wealth = peak = 1.0
    worst = 0.0
    for r in returns:
        wealth *= 1.0 + r
        peak = max(peak, wealth)
        worst = min(worst, wealth / peak - 1.0)
    return worst


def _quantile(ordered: Row) -> float:
    place = _TAIL * (len(ordered) - 1)
    low = math.floor(place)
    return ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])


def _mean_of_tail(ordered: Row, whole_tail: bool) -> float:
    if whole_tail:
        return _mean(ordered[: int((len(ordered) - 1) * _TAIL) + 1])
    size = _TAIL * len(ordered)
    whole = math.floor(size)
    return (math.fsum(ordered[:whole]) + (size - whole) * ordered[whole]) / size
