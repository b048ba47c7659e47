"""``python -m allocator`` without a command: the default study, on the embedded history or own prices."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.engine import (
    BuyAndHold,
    Costs,
    Daily,
    Monthly,
    Quarterly,
    Rebalancing,
    Weekly,
    Yearly,
)
from allocator.errors import AllocatorError, InputError, UndefinedStatisticWarning
from allocator.market import Market, load_us_history, read_prices
from allocator.market.market import parse_date, signal_in_hindsight, with_signals
from allocator.report import Comparison, RegimeStudy, compare, study_regimes, write_report
from allocator.studies import default_study

__all__ = ["run"]

_RULES: dict[str, Rebalancing] = {
    "daily": Daily(),
    "weekly": Weekly(),
    "monthly": Monthly(),
    "quarterly": Quarterly(),
    "yearly": Yearly(),
    "never": BuyAndHold(),
}
_EMBEDDED_ALSO = ("developed", "emerging")
_Names = tuple[str, str, str, tuple[str, ...]]  # stocks, bonds, gold, and the other assets


def run(arguments: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run the command; return 0, or 2 after one line on the error stream.

    Parameters
    ----------
    arguments
        Of the command line.
    parser
        An empty one, to which the options are added.
    """
    options = _options(parser, arguments)
    try:
        comparison, study = _run(options)
        written = write_report(comparison, study, options.out, overwrite=options.overwrite)
    except AllocatorError as refusal:
        print(f"allocator: {refusal}", file=sys.stderr)
        return 2
    print(f"{comparison!r}\n\n{study!r}")
    print(f"\nwritten to {written[0].parent}: {', '.join(path.name for path in written)}")
    return 0


def _options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    parser.description = (
        "Compare 60/40, risk parity and gold-augmented global diversification, and show how the stock-bond "
        "correlation depends on the regime. Without --data: yearly US history since 1928."
    )
    parser.epilog = "python -m allocator article --help: the sixteen claims of the article, tried on data."
    data = parser.add_argument_group("your own data (one currency, total-return price levels)")
    data.add_argument(
        "--data", metavar="FILE", help="CSV or Parquet: a date column, a column of prices an asset"
    )
    data.add_argument("--stocks", metavar="COL", help="column of the stocks")
    data.add_argument("--bonds", metavar="COL", help="column of the government bonds")
    data.add_argument("--gold", metavar="COL", help="column of gold")
    data.add_argument(
        "--cash", metavar="COL|RATE", help="column of a bill fund's prices, or an annual rate: 0.03"
    )
    data.add_argument("--date-format", metavar="FMT", default="%Y-%m-%d", help="of a CSV file (%%Y-%%m-%%d)")
    data.add_argument("--also", metavar="COL", nargs="+", help="columns of the other global assets")
    study = parser.add_argument_group("study")
    study.add_argument(
        "--start", metavar="DATE", help="first date whose return counts: 2008, 2008-03 or 2008-03-31"
    )
    study.add_argument("--end", metavar="DATE", help="last date")
    study.add_argument(
        "--rebalance", choices=_RULES, help="default: monthly, or the data's own slower frequency"
    )
    study.add_argument(
        "--cost-bps", metavar="BP", type=float, default=5.0, help="basis points of traded notional (5)"
    )
    study.add_argument(
        "--lag", metavar="ROWS", type=int, help="rows from decision to trade (1 on daily data, else 0)"
    )
    study.add_argument("--seed", type=_seed, default=0, help="of the bootstrap (0)")
    study.add_argument(
        "--out", metavar="DIR", default="allocator-report", help="folder to write (allocator-report)"
    )
    study.add_argument("--overwrite", action="store_true", help="replace files in it that are from elsewhere")
    return parser.parse_args(arguments)


def _seed(text: str) -> int:
    if not (text.isdecimal() and len(text) < 100):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from 0 on")
    return int(text)


def _run(options: argparse.Namespace) -> tuple[Comparison, RegimeStudy]:
    costs = _costs(options.cost_bps)
    _refuse_reversed(options.start, options.end)
    market, names = _market(options)
    strategies = default_study(*names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)  # the tables show what is undefined
        comparison = compare(
            strategies,
            market,
            rebalancing=_RULES.get(options.rebalance),
            costs=costs,
            lag=options.lag,
            start=options.start,
            end=options.end,
        )
        return comparison, study_regimes(comparison, names[0], names[1], seed=options.seed)


def _costs(basis_points: float) -> Costs:
    try:
        return Costs(trading=basis_points / 1e4)
    except InputError as refusal:
        problem = f"{basis_points:g} is no cost in basis points, 0 to 500"
        raise InputError("--cost-bps", problem, fix="0.1 % is 10") from refusal


def _refuse_reversed(start: str | None, end: str | None) -> None:
    if start is None or end is None:
        return
    if parse_date(start, "--start") > parse_date(end, "--end", last=True):
        raise InputError("--start", f"{start} is after --end {end}", fix="exchange them")


def _market(options: argparse.Namespace) -> tuple[Market, _Names]:
    """Return the market and the names of stocks, bonds, gold and the other assets in it."""
    if options.data is None:
        return _embedded(options)
    for role in ("stocks", "bonds", "gold", "cash"):
        if getattr(options, role) is None:
            raise InputError(
                f"--{role}", "is missing", fix="with --data, name the columns of stocks, bonds, gold, cash"
            )
    names = (options.stocks, options.bonds, options.gold, tuple(options.also or ()))
    held = [*names[:3], *names[3]]
    twice = next((name for name in held if held.count(name) > 1), None)
    if twice is not None:
        raise InputError("--data", f"column {twice!r} is named for two assets", fix="name each column once")
    rate = _rate(options.cash)
    wanted = list(dict.fromkeys([*held, *([options.cash] if rate is None else [])]))
    prices = _span(read_prices(options.data, wanted, date_format=options.date_format), held, options.end)
    cash = _bill_returns(prices[options.cash]) if rate is None else rate
    try:
        market = Market(prices[held], cash, name=Path(options.data).name)
    except InputError as refusal:
        if "delisted=" not in refusal.fix:
            raise
        where = {"asset": refusal.asset, "date": refusal.date}
        fix = "choose an --end before, or leave the column out"
        raise InputError("--data", refusal.problem, **where, fix=fix) from refusal
    return _with_us_inflation(market), names


def _span(prices: pd.DataFrame, held: Sequence[str], end: str | None) -> pd.DataFrame:
    """Return the rows from the first price of a named column to the end that was asked for.

    A file may be longer than the columns that are named; what is missing in between is refused later.
    """
    last = parse_date(end, "--end", last=True) if end is not None else prices.index.max()
    if len(prices) and prices.index.min() > last:
        raise InputError("--end", f"{end} is before the first row", date=prices.index.min())
    priced = prices[list(held)].notna().any(axis=1).to_numpy()
    rows = np.arange(len(prices)) >= int(priced.argmax())
    return prices[rows & np.asarray(prices.index <= last)]


def _bill_returns(levels: pd.Series[float]) -> pd.Series[float]:
    missing = levels.index[levels.isna()]
    if len(missing):
        raise InputError(
            "--cash",
            f"column {levels.name!r} has no price in {len(missing)} of the {len(levels)} rows of the assets",
            date=missing[0],
            fix="name a column that has, or give an annual rate such as 0.03",
        )
    return levels.pct_change(fill_method=None).iloc[1:]


def _embedded(options: argparse.Namespace) -> tuple[Market, _Names]:
    given = [
        role for role in ("stocks", "bonds", "gold", "cash", "also") if getattr(options, role) is not None
    ]
    if given:
        raise InputError(f"--{given[0]}", "names a column, but there is no --data", fix="add --data FILE")
    return load_us_history(), ("stocks", "bonds", "gold", _EMBEDDED_ALSO)


def _rate(cash: str) -> float | None:
    try:
        return float(cash)
    except ValueError:
        return None


def _with_us_inflation(market: Market) -> Market:
    """Return the market with US inflation from the embedded history, for the macro regimes."""
    inflation = signal_in_hindsight(load_us_history(), "inflation")
    source = "US consumer prices, yearly, from the embedded history, dated when known"
    return with_signals(market, {"inflation": inflation}, {"inflation": source})
