# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # With and without gold
#
# Did gold raise the Sharpe ratio? By period, with intervals and corrected p-values. As a notebook this runs
# on the embedded yearly history; as a script it takes a file of your own.

# %%
"""Did gold raise the Sharpe ratio? With and without it, by period, with intervals and corrected p-values.

::

    python examples/with_and_without_gold.py
    python examples/with_and_without_gold.py --data funds.csv --stocks SPY --bonds IEF --gold GLD --cash BIL \
        --also EFA EEM
    python examples/with_and_without_gold.py --data panel.csv --returns --stocks EQ --bonds TY --gold AU \
        --cash BILL

A portfolio of 60 % growth assets and 40 % bonds is compared with the same where 20 % of gold are taken from
the bonds (60/20/20), and where they are taken from both (50/30/20). Growth assets are the stocks, and with
--also half the stocks and half the others. Without --data: yearly US history. With --returns the file holds
simple returns in place of prices; --cash is a column or an annual rate.
"""

import argparse
import sys

import allocator as al
from strategies import GoldDiversified

PERIODS = [("1975", "1999"), ("2000", "2021"), ("2022", None)]
START = "1975"  # Americans could not own gold before 31 December 1974


def with_and_without(stocks: str, bonds: str, gold: str, also: tuple[str, ...]) -> list[al.Strategy]:
    """Return the portfolio without gold, and with gold from bonds and from both."""
    without, from_bonds, from_both = {"gold_weight": 0.0}, {}, {"growth_weight": 0.5}
    named = {"without gold": without, "60/20/20 gold": from_bonds, "50/30/20 gold": from_both}
    return [GoldDiversified(stocks, bonds, gold, also, name=name, **rest) for name, rest in named.items()]


def read_market(options: argparse.Namespace) -> al.Market:
    """Return the market of a file."""
    try:
        rate, cash_column = float(options.cash), []
    except ValueError:
        rate, cash_column = 0.0, [options.cash]
    held = [options.stocks, options.bonds, options.gold, *options.also]
    table = al.read_prices(options.data, [*held, *cash_column])
    levels = (1.0 + table).cumprod() if options.returns else table
    cash = levels[options.cash].pct_change(fill_method=None).iloc[1:] if cash_column else rate
    return al.Market(levels[held], cash, name=options.name)


def periods_of(market: al.Market) -> list[tuple[str, str | None]]:
    """Return the periods in which the market has a return."""
    first, last = (str(market.index[row].year) for row in (1, -1))
    return [(begin, end) for begin, end in PERIODS if begin <= last and (end is None or end >= first)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="FILE", help="CSV or Parquet, a column an asset")
    parser.add_argument("--returns", action="store_true", help="the file holds simple returns")
    for role in ("stocks", "bonds", "gold", "cash"):
        parser.add_argument(f"--{role}", default=role, help=f"column of {role}")
    parser.add_argument("--also", nargs="*", default=[], metavar="COL", help="columns of other growth assets")
    parser.add_argument("--name", default="user data", help="of the market")
    options = parser.parse_args([] if "ipykernel" in sys.modules else None)
    if options.data is None:
        market, also = al.load_us_history(), ("developed", "emerging")
    else:
        market, also = read_market(options), tuple(options.also)
    strategies = with_and_without(options.stocks, options.bonds, options.gold, also)
    start = START if market.index[0].year < int(START) else None
    study = al.compare(strategies, market, start=start)
    print(study)
    print()
    print(al.compare_sharpe(study, periods_of(study.market)))


if __name__ == "__main__":
    main()
