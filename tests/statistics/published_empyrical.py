"""Answers to the empyrical cases: every parametrised row of empyrical-reloaded's own tests.

Its series are nine days, Saturdays and Sundays among them, taken as trading days of 252 a year: they are
passed as arrays with 252, 52, 12 or 1 periods a year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from published_cases import (
    Answer,
    Ledger,
    document,
    number,
    paths,
    reference_series,
    refused,
    silently,
    undefined,
)

import allocator as al

PERIODS = {"daily": 252.0, "weekly": 52.0, "monthly": 12.0, "yearly": 1.0}
EMPTY, GAP, TARGET = "no observations", "missing first return", "target of one period"
NO_DIVISOR, WINDOWS, CAPTURE = "nothing to divide by", "windows", "capture"
Found = tuple[Any, str]  # what has to be theirs, as they nest it, and the convention that it rests on
Row = dict[str, Any]


@cache
def series() -> dict[str, pd.Series]:
    return reference_series()


def named(text: Any) -> Any:
    """Return what a row calls ``-mixed_returns``, ``2 * noise``, ``negative_returns[1:]`` or ``0.01``."""
    if text.startswith("-"):
        return -named(text[1:])
    if text.startswith("2 * "):
        return 2.0 * named(text[4:])
    if text.endswith("[1:]"):
        return named(text[:-4]).iloc[1:]
    return series()[text] if text in series() else float(text)


def known(returns: pd.Series) -> np.ndarray:
    return returns.dropna().to_numpy()


def gap(*several: Any) -> str:
    return GAP if any(isinstance(one, pd.Series) and one.isna().any() for one in several) else ""


def of_returns(statistic: Callable[..., Any], *arguments: Any) -> Callable[[Row, Any], Found]:
    """Answer with a statistic of the returns that are not missing."""

    def answer(row: Row, _theirs: Any) -> Found:
        returns = named(row["returns"])
        if returns.empty:
            return refused("returns: empty", statistic, returns.to_numpy(), *arguments), EMPTY
        return silently(statistic, known(returns), *arguments), gap(returns)

    return answer


def growth(statistic: Callable[..., Any], row: Row, _theirs: Any) -> Found:
    """Its annual return counts a missing return as a period."""
    returns, periods = named(row["returns"]), PERIODS[row["period"]]
    if returns.empty:
        return refused("returns: empty", statistic, returns.to_numpy(), periods), EMPTY
    return silently(statistic, returns.fillna(0.0).to_numpy(), periods), gap(returns)


def volatility(row: Row, _theirs: Any) -> Found:
    returns = named(row["returns"])
    return al.volatility(known(returns), PERIODS[row["period"]]), gap(returns)


def over(statistic: Callable[..., Any], rate_name: str, row: Row, theirs: Any) -> Found:
    """Answer with a statistic of the returns less a rate of each period, taken off before."""
    returns, rate = named(row["returns"]), named(row[rate_name])
    return _over(statistic, returns, rate, PERIODS[row.get("period", "daily")], theirs)


def _over(statistic: Callable[..., Any], returns: pd.Series, rate: Any, periods: float, theirs: Any) -> Found:
    if returns.empty:
        return refused("returns: empty", statistic, returns.to_numpy(), 0.0, periods), EMPTY
    excess = np.asarray((returns - rate).dropna())
    if np.isinf(number(theirs)):
        return undefined("no period lost|never changes", statistic, excess, 0.0, periods), NO_DIVISOR
    return silently(statistic, excess, 0.0, periods), gap(returns) if np.all(rate == 0.0) else TARGET


def omega(row: Row, theirs: Any) -> Found:
    """Its required return is a rate a year, 10.0 for 1,000 %, on top of a rate of one period."""
    returns, wanted = named(row["returns"]), row["required_return"]
    if wanted <= -1.0:
        return refused("looks like percent", al.omega_ratio, known(returns), wanted, 252), "impossible rate"
    rate = named(row["risk_free"]) + ((1.0 + wanted) ** (1.0 / 252.0) - 1.0)
    return _over(al.omega_ratio, returns, rate, 252, theirs)


def excess_sharpe(row: Row, _theirs: Any) -> Found:
    returns, benchmark = named(row["returns"]), named(row["factor_returns"])
    if returns.empty:
        return refused("returns: empty", al.information_ratio, returns.to_numpy(), np.array([0.1])), EMPTY
    beside = np.broadcast_to(benchmark, len(returns))[returns.notna()]
    return silently(al.information_ratio, known(returns), beside.copy(), 252) / np.sqrt(252), "of one period"


def tail_ratio(row: Row, theirs: Any) -> Found:
    returns = named(row["returns"])
    if len(returns) == 1:
        return undefined("no loss", al.tail_ratio, known(returns)), "a tail that is a gain"
    found, convention = of_returns(al.tail_ratio)(row, theirs)
    return found, convention if convention == EMPTY else "tail ratio"


def stability(row: Row, _theirs: Any) -> Found:
    returns = named(row["returns"])
    if returns.empty:
        return refused("returns: empty", al.empyrical_summary, returns.to_numpy(), 0.0, 252), EMPTY
    return silently(al.empyrical_summary, known(returns), 0.0, 252).loc["Stability"].iloc[0], "stability"


def joined(row: Row) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that both have, by date, without those that one misses."""
    benchmark = named(row.get("benchmark", row.get("factor_returns")))
    both = pd.concat([named(row["returns"]), benchmark], axis=1, join="inner").dropna()
    return both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy()


def compounded_alpha(x: np.ndarray, y: np.ndarray) -> float:
    return float((1.0 + silently(al.jensen_alpha, x, y, 0.0, 252) / 252) ** 252 - 1.0)


def beta(x: np.ndarray, y: np.ndarray) -> float:
    return float(silently(al.beta, x, y, 0.0, 252))


def regression(row: Row, theirs: Any, side: Callable[[np.ndarray], Any] | None = None) -> list[Found]:
    """Alpha and beta, of all rows or of those in which the benchmark rose or fell."""
    x, y = joined(row)
    if not len(x):
        return [(refused("returns: empty", al.beta, x, y, 0.0, 252), EMPTY)] * 2
    rows = np.ones(len(y), bool) if side is None else side(y)
    if not rows.any():
        return [(refused("returns: empty", al.beta, x[rows], y[rows], 0.0, 252), EMPTY)] * 2
    plain = "rows of one side" if side else ""
    return [
        (compounded_alpha(x[rows], y[rows]), "compounded alpha"),
        (beta(x[rows], y[rows]), plain or gap(named(row["returns"]))),
    ]


def total(x: np.ndarray, y: np.ndarray, side: Callable[[np.ndarray], Any]) -> float:
    """Return the annual growth of x in the rows of one side over that of the benchmark."""
    rows = side(y)
    return float(al.cagr(x[rows], 252) / al.cagr(y[rows], 252)) if rows.any() else float("nan")


def captured(sides: list[Callable[[np.ndarray], Any]], x: np.ndarray, y: np.ndarray) -> float:
    parts = [total(x, y, side) for side in sides]
    return parts[0] / parts[1] if len(parts) == 2 else parts[0]


def whole_capture(row: Row, _theirs: Any) -> Found:
    """Missing returns count as periods here, too."""
    returns, benchmark = named(row["returns"]), named(row["factor_returns"])
    if returns.empty:
        return refused("returns: empty", al.cagr, returns.to_numpy(), 252), EMPTY
    parts = [al.cagr(x.fillna(0.0).to_numpy(), 252) for x in (returns, benchmark)]
    return parts[0] / parts[1], CAPTURE


def capture(sides: list[Callable[[np.ndarray], Any]], row: Row, _theirs: Any) -> Found:
    x, y = joined(row)
    if not len(x):
        return refused("returns: empty", al.cagr, x, 252), EMPTY
    return captured(sides, x, y), CAPTURE


def rising(y: np.ndarray) -> Any:
    return y > 0


def falling(y: np.ndarray) -> Any:
    return y < 0


def rolled(statistic: Callable[..., Any], row: Row, theirs: Any) -> list[Found]:
    """Window by window; a missing return is one that its rolling Sharpe ratio leaves out."""
    x = named(row["returns"])
    if x.empty:
        return [(refused("returns: empty", al.max_drawdown, x.to_numpy()), EMPTY)]
    width = row["window"]
    windows = [x.iloc[first : first + width] for first in range(len(x) - width + 1)]
    return [(silently(statistic, known(window)), WINDOWS) for window in windows]


def rolled_beside(statistic: Callable[..., Any], row: Row, theirs: Any) -> list[Found]:
    left, right = named(row["returns"]), named(row.get("benchmark", row.get("factor_returns")))
    if left.empty:
        proof = refused("returns: empty", al.max_drawdown, left.to_numpy())
        return [(proof, EMPTY) for _ in paths(theirs, "")]
    found = []
    for first in range(len(left) - row["window"] + 1):
        both = pd.concat([left, right], axis=1).iloc[first : first + row["window"]].dropna()
        found += [statistic(both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy())]
    return [(value, WINDOWS) for _, value in paths(found, "")]


def alpha_and_beta(x: np.ndarray, y: np.ndarray) -> list[float]:
    return [compounded_alpha(x, y), beta(x, y)]


def cumulative(row: Row, theirs: Any) -> list[Found]:
    """Its first missing return leaves the wealth where it was."""
    returns, start = named(row["returns"]), row["starting_value"]
    if returns.empty:
        return [(refused("returns: empty", al.cumulative_returns, returns.to_numpy()), EMPTY)]
    path = al.cumulative_returns(returns.fillna(0.0).to_numpy())
    path = start * (1.0 + path) if start else path
    convention = gap(returns) or ("starting value" if start else "")
    return [(value, convention) for value in path]


def final(row: Row, theirs: Any) -> Found:
    returns, start = named(row["returns"]), row["starting_value"]
    if returns.empty:
        return refused("returns: empty", al.total_return, returns.to_numpy()), EMPTY
    found = al.total_return(known(returns))
    return start * (1.0 + found) if start else found, gap(returns) or ("starting value" if start else "")


def aggregated(row: Row, theirs: Any) -> list[Found]:
    """Weeks are those of ISO 8601; the first and the last may be parts."""
    returns = named(row["returns"])
    year, week, _ = (part for _, part in returns.index.isocalendar().items())
    months, quarters = returns.index.month, returns.index.quarter
    keys = {"weekly": [year, week], "monthly": [returns.index.year, months]}
    keys |= {"quarterly": [returns.index.year, quarters], "yearly": [returns.index.year]}
    found = returns.groupby(keys[row["convert_to"]]).apply(al.total_return)
    return [(value, "periods of the calendar") for value in found]


def from_prices(row: Row, theirs: Any) -> list[Found]:
    """Prices have one door, the market, whose dates say what a day is."""
    prices = series()[row["prices"]].to_numpy()
    days = pd.bdate_range("2000-01-03", periods=len(prices))
    frame = pd.DataFrame({"asset": prices}, index=days)
    if prices[0] > 0:
        return [(value, "") for value in al.Market(frame, 0.0).returns["asset"]]
    later = al.Market(frame.iloc[1:], 0.0).returns["asset"]
    return [(refused("0", al.Market, frame, 0.0), "prices"), *((value, "prices") for value in later)]


HANDLERS: dict[str, Callable[[Row, Any], Found | list[Found]]] = {
    "aggregate_returns": aggregated,
    "alpha": lambda row, theirs: regression(row, theirs)[0],
    "alpha_beta": regression,
    "annual_ret": partial(growth, al.cagr),
    "annual_volatility": volatility,
    "beta": lambda row, theirs: regression(row, theirs)[1],
    "cagr": partial(growth, al.cagr),
    "calmar": partial(growth, al.calmar_ratio),
    "capture_ratio": whole_capture,
    "cum_returns": cumulative,
    "cum_returns_final": final,
    "down_alpha_beta": partial(regression, side=falling),
    "down_capture": partial(capture, [falling]),
    "downside_risk": partial(over, al.downside_deviation, "required_return"),
    "excess_sharpe": excess_sharpe,
    "max_drawdown": of_returns(al.max_drawdown),
    "omega": omega,
    "roll_alpha_beta": partial(rolled_beside, alpha_and_beta),
    "roll_down_capture": partial(rolled_beside, partial(captured, [falling])),
    "roll_max_drawdown": partial(rolled, al.max_drawdown),
    "roll_sharpe_ratio": partial(rolled, lambda window: al.sharpe_ratio(window, 0.0, 252)),
    "roll_up_capture": partial(rolled_beside, partial(captured, [rising])),
    "sharpe_ratio": partial(over, al.sharpe_ratio, "risk_free"),
    "simple_returns": from_prices,
    "sortino": partial(over, al.sortino_ratio, "required_return"),
    "stability_of_timeseries": stability,
    "tail_ratio": tail_ratio,
    "up_alpha_beta": partial(regression, side=rising),
    "up_capture": partial(capture, [rising]),
    "up_down_capture": partial(capture, [rising, falling]),
}


def answers(name: str) -> Iterator[Answer]:
    case = document(f"empyrical/Z_{name}.json")
    rows = zip(case["inputs"]["rows"], case["expected"]["rows"], strict=True)
    for at, (row, theirs) in enumerate(rows):
        found = HANDLERS[name](row, theirs)
        places = list(paths(theirs, f"expected/rows/{at}"))
        for (leaf, value), (ours, convention) in zip(
            places, found if isinstance(found, list) else [found], strict=True
        ):
            yield Answer(leaf, value, ours, convention, rel=0.0, abs=case["atol"])


INPUTS = ("id", "kind", "title", "inputs/*", "rtol", "atol", "source", "notes")
LEDGERS = [Ledger(f"empyrical/Z_{name}.json", INPUTS, partial(answers, name)) for name in HANDLERS]
