"""Every strategy of the library on one market: what it did, how sure that is, and whether it sees the future.

    python examples/every_strategy.py
    python examples/every_strategy.py --data funds.csv --stocks SPY --bonds IEF --gold GLD --cash BIL \
        --also EFA EEM --real-estate VNQ --name "US funds"

prints a table for docs/strategies.md. Without --data: yearly US history since 1928. With --returns the file
holds simple returns in place of prices.
"""

import argparse
from functools import partial

import pandas as pd

import allocator as al
import strategies as s


def every_strategy(
    stocks: str, bonds: str, gold: str, also: tuple[str, ...], real_estate: str | None, trend_years: float
) -> list[al.Strategy]:
    """Return one or more of each family."""
    three, sixty_forty = (stocks, bonds, gold), s.SixtyForty(stocks, bonds)
    parity = s.RiskParity(three)
    golden = partial(s.GoldDiversified, stocks, bonds, gold, also)
    rising, falling = "inflation rising", "inflation falling"
    views = s.MeanVariance(
        three,
        {stocks: 0.05, bonds: 0.015, gold: 0.01},
        constraints=(s.Bounds(upper=0.7),),
        name="Mean–variance, fixed views",
    )
    tracking = s.TrackingErrorLimit({stocks: 0.6, bonds: 0.4}, at_most=0.02)
    mixes = [
        sixty_forty,
        s.EqualWeight(three),
        s.PermanentPortfolio(stocks, bonds, gold),
        s.AllWeather(bonds, bonds, stocks, gold, gold),
        golden(),
        golden(gold_weight=0.0, name="Gold-diversified without gold"),
        golden(gold_weight=s.GoldByRisk(0.10), name="Gold at 10 % of the variance"),
        golden(
            gold_weight=s.GoldByRegime(al.inflation_trend, {rising: 0.3, falling: 0.1}, otherwise=0.2),
            name="Gold 30 % while inflation rises, else 10 %",
        ),
    ]
    if real_estate:
        equities = (stocks, *also[:1])
        mixes.append(s.GlobalMarketMix(equities, bonds, real_estate, gold))
    of_risk = [
        s.InverseVolatility(three),
        parity,
        s.RiskParity(three, covariance=s.ExponentialCovariance(), name="Risk parity, exponential"),
        s.RiskParity(three, covariance=s.LedoitWolfCovariance(), name="Risk parity, Ledoit–Wolf"),
        s.RiskParity(three, budget=(0.5, 0.3, 0.2), name="Risk budget 50/30/20"),
        s.RiskParity(three, target_volatility=0.10, name="Risk parity levered to 10 %"),
        s.MinimumVariance(three, constraints=(s.Bounds(upper=0.7),), name="Minimum variance, 70 % at most"),
        s.MaximumDiversification(three),
        s.MeanVariance(three, constraints=(s.TurnoverLimit(0.1),), name="Mean–variance, trailing means"),
        views,
        s.MeanVariance(three, constraints=(tracking,), name="Mean–variance, 2 % from 60/40"),
    ]
    around = [
        s.VolatilityTarget(sixty_forty, 0.10, name="60/40 at 10 % volatility"),
        s.TrendFilter(sixty_forty, s.AboveCash(trend_years), name="60/40 with a trend filter"),
        s.Blend((sixty_forty, parity), (0.5, 0.5), name="Half 60/40, half risk parity"),
        s.RegimeSwitch(
            al.inflation_trend,
            {rising: golden()},
            otherwise=sixty_forty,
            name="Gold mix while inflation rises",
        ),
    ]
    return [*mixes, *of_risk, *around]


def read_market(options: argparse.Namespace) -> al.Market:
    """Return the market of a file, with US inflation as the library knows it."""
    held = [options.stocks, options.bonds, options.gold, *options.also]
    held += [options.real_estate] if options.real_estate else []
    table = al.read_prices(options.data, [*held, options.cash])
    levels = (1.0 + table).cumprod() if options.returns else table
    signals = {"inflation": al.load_us_history().signal("inflation")}
    cash = levels[options.cash].pct_change(fill_method=None).iloc[1:]
    return al.Market(levels[held], cash, signals, name=options.name)


def row(strategy: al.Strategy, facts: pd.Series, market: al.Market) -> str:
    """Return a line of the table."""
    audit = al.audit_causality(strategy, market, unlisted="pro_rata", every=12)
    cells = [
        strategy.name,
        f"{facts.cagr:.1%}",
        f"{facts.volatility:.1%}",
        f"{facts.sharpe:.2f} ± {facts.sharpe_se:.2f}",
        f"{facts.max_drawdown:.1%}",
        f"{facts.turnover:.0%}",
        f"{1e4 * facts.interest_paid:.0f} bp",
        "blind" if audit.passed else "SEES IT",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="CSV or Parquet, a column an asset")
    parser.add_argument("--returns", action="store_true", help="the file holds simple returns")
    for role, column in {"stocks": "stocks", "bonds": "bonds", "gold": "gold", "cash": "cash"}.items():
        parser.add_argument(f"--{role}", default=column, help=f"column of {role}")
    parser.add_argument("--also", nargs="*", default=None, help="columns of other equities")
    parser.add_argument("--real-estate", help="column of real estate")
    parser.add_argument("--name", default="user data", help="of the market")
    options = parser.parse_args()
    if options.data is None:
        market, also, real_estate = al.load_us_history(), ("developed", "emerging"), "reits"
    else:
        options.also = options.also or []
        market, also, real_estate = read_market(options), tuple(options.also), options.real_estate
    trend_years = 10.0 if market.frequency.name == "yearly" else 1.0
    chosen = every_strategy(options.stocks, options.bonds, options.gold, also, real_estate, trend_years)
    study = al.compare(chosen, market, unlisted="pro_rata")
    heads = (
        "strategy",
        "CAGR",
        "volatility",
        "Sharpe ± se",
        "max drawdown",
        "turnover",
        "interest",
        "future",
    )
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for strategy, (_, facts) in zip(chosen, study.table.iterrows(), strict=True):
        print(row(strategy, facts, market))
    print()
    print(*(f"* {line}" for line in study.conventions), sep="\n")


if __name__ == "__main__":
    main()
