"""C: what it means for portfolios. The rules are in docs/verdicts.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from allocator.engine import Costs, Quarterly, Rebalancing, Strategy, Yearly, run_backtest
from allocator.engine.planned import FixedMix
from allocator.errors import InputError
from allocator.market import Market
from allocator.regimes import Regimes, conditional_statistic, correlation_sign, regime_contrast
from allocator.report import Additions, additions, compare, compare_sharpe, weight_curve
from allocator.report.picture import Picture
from allocator.scoreboard.estimates import Claimed, contrast_part, missing_part, part_of_row, span_of
from allocator.scoreboard.panels import Panels
from allocator.scoreboard.verdict import Claim, Part
from allocator.statistics import event_study, sharpe_ratio

__all__ = ["EVENTS", "portfolio_claims"]

_COSTS = Costs(trading=0.001)
_SIXTY_FORTY = {"stocks": 0.6, "bonds": 0.4}
_HEADLINE_WEIGHT = 0.2
_WIDER = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
# What joins the global mix, and what makes room for it.
_GLOBAL = {
    "developed": ("stocks", 0.1),
    "emerging": ("stocks", 0.1),
    "gold": ("bonds", 0.1),
    "commodities": ("bonds", 0.05),
}
EVENTS = (
    *("2011-08-05", "2013-06-24", "2019-09-17", "2020-03-18"),
    *("2023-08-01", "2023-10-19", "2025-04-11", "2025-05-16"),
)
_DAYS_AFTER = 63
_SHARPE = "Sharpe ratio per √year"
_TITLES = {
    "C1": "60/40 and risk parity need a negative stock–bond correlation",
    "C2": "More gold raises the Sharpe ratio",
    "C3": "Diversify globally and into alternatives",
    "C4": "After scares of the Treasury market, bonds recover",
}
_BY_SIGN = "Sharpe ratio when negative less when positive"
_BY_SIGN_60, _BY_SIGN_RP = (Claimed(name, _BY_SIGN, "above") for name in ("60/40", "risk parity"))
_WITH_GOLD = Claimed("with gold", "Sharpe ratio, 60/20/20 less 60/40", "above")
_HALF = Claimed("half from stocks", "Sharpe ratio, 50/30/20 less 60/40", "above")
_WITH_WORLD = Claimed("global", "Sharpe ratio, global mix less 60/40", "above")
_RECOVERS = Claimed("recovers", f"return in {_DAYS_AFTER} days less that of placebo dates", "above", unit="%")


def portfolio_claims(panels: Panels, strategies: Sequence[Strategy]) -> list[Claim]:
    """Return C1 to C4; ``strategies`` are 60/40 and risk parity, in this order."""
    return [
        _attempted("C1", _TITLES["C1"], [_BY_SIGN_60, _BY_SIGN_RP], lambda: _fails(panels, strategies)),
        _attempted("C2", _TITLES["C2"], [_WITH_GOLD], lambda: _gold(panels)),
        _attempted("C3", _TITLES["C3"], [_WITH_WORLD], lambda: _global(panels)),
        _attempted("C4", _TITLES["C4"], [_RECOVERS], lambda: _recovers(panels)),
    ]


def _attempted(name: str, title: str, claimed: Sequence[Claimed], make: Callable[[], Claim]) -> Claim:
    """Return a claim, undecided with the reason where the data are too short for its runs or tests."""
    try:
        return make()
    except InputError as refusal:
        return Claim(name, title, tuple(missing_part(each, str(refusal)) for each in claimed))


def _settings(market: Market) -> dict[str, Any]:
    rule: Rebalancing = Quarterly() if market.frequency.name == "monthly" else Yearly()
    return {"rebalancing": rule, "costs": _COSTS}


def _with_gold(market: Market) -> dict[str, Any]:
    """Return the settings of runs with gold, which was tied to the dollar until August 1971."""
    first = "1971-09" if market.frequency.name == "monthly" else "1972"
    return {**_settings(market), "start": first if market.index[0] < pd.Timestamp(first) else None}


# --- C1: 60/40 and risk parity rest on a negative stock–bond correlation ---


def _fails(panels: Panels, strategies: Sequence[Strategy]) -> Claim:
    market = panels.market
    signs = correlation_sign(market, "stocks", "bonds")
    found = [
        _by_sign(*both, market, signs) for both in zip((_BY_SIGN_60, _BY_SIGN_RP), strategies, strict=True)
    ]
    rows = pd.concat([rows for _, rows in found])
    return Claim(
        "C1",
        _TITLES["C1"],
        tuple(part for part, _ in found),
        picture=Picture("intervals", rows, _SHARPE),
        notes=(f"regimes: {signs.rule}",),
    )


def _by_sign(
    claimed: Claimed, strategy: Strategy, market: Market, signs: Regimes
) -> tuple[Part, pd.DataFrame]:
    """Return the difference between the regimes, and the ratio in each for the picture."""
    name = claimed.name
    run = run_backtest(strategy, market, **_settings(market))
    excess = (run.returns - run.cash_returns).rename(name)
    periods = market.frequency.periods_per_year

    def ratio(returns: Any) -> float:
        return float(sharpe_ratio(returns, 0.0, periods_per_year=periods))

    table = conditional_statistic(excess, signs.labels.reindex(excess.index), ratio, name="Sharpe ratio")
    negative, positive = (label for label in signs.order[:2])
    contrast = regime_contrast(table, negative, positive)
    rows = table.table.droplevel(0).loc[[negative, positive], ["Sharpe ratio", "low", "high"]]
    rows = rows.set_axis([f"{name}, after a {word} correlation" for word in ("negative", "positive")])
    part = contrast_part(claimed, contrast, span_of(excess.index), market.frequency.name)
    return part, rows.rename(columns={"Sharpe ratio": "value"})


# --- C2: gold raises the Sharpe ratio ---


def _gold(panels: Panels) -> Claim:
    market = panels.market
    curve = weight_curve(market, _SIXTY_FORTY, "gold", funded_from="bonds", **_with_gold(market))
    halves = {"stocks": 0.5, "bonds": 0.5}
    wider = weight_curve(market, _SIXTY_FORTY, "gold", _WIDER, funded_from=halves, **_with_gold(market))
    drawn = curve.table.loc[curve.table.index > 0, ["difference", "low", "high"]]
    return Claim(
        "C2",
        _TITLES["C2"],
        (_at_headline(_WITH_GOLD, curve, market),),
        beside=(_at_headline(_HALF, wider, market),),
        picture=Picture(
            "curve", drawn.rename(columns={"difference": "value"}), f"{_SHARPE}, less 60/40", "weight of gold"
        ),
        notes=(
            "p is corrected over all weights of the curve (Romano and Wolf); the interval is that of this "
            "weight alone",
        ),
    )


def _at_headline(claimed: Claimed, curve: Additions, market: Market) -> Part:
    return _tested(claimed, curve.table.loc[_HEADLINE_WEIGHT], curve, market, "p_family")


def _tested(claimed: Claimed, row: Any, found: Additions, market: Market, p: str) -> Part:
    dates = found.comparisons[0].backtests[0].returns.index
    names = ("difference", "low", "high", p)
    return part_of_row(claimed, row, names, int(row["n"]), span_of(dates), market.frequency.name)


# --- C3: diversify globally ---


def _global(panels: Panels) -> Claim:
    market = panels.market
    held = [asset for asset in _GLOBAL if asset in market.assets]
    mix = _global_mix(held)
    comparison = compare(
        [FixedMix(_SIXTY_FORTY, "60/40"), FixedMix(mix, "Global mix")], market, **_settings(market)
    )
    row: Any = compare_sharpe(comparison).table.iloc[0]
    dates = comparison.backtests[0].returns.index
    names = ("difference", "low", "high", "p_value")
    alone = _one_by_one(market)
    return Claim(
        "C3",
        _TITLES["C3"],
        (part_of_row(_WITH_WORLD, row, names, int(row["n"]), span_of(dates), market.frequency.name),),
        beside=tuple(_alone(asset, alone, market) for asset in alone.table.index),
        picture=Picture(
            "intervals",
            alone.table[["difference", "low", "high"]].rename(columns={"difference": "value"}),
            f"{_SHARPE}, 10 % of it less 60/40",
        ),
        notes=(
            "mix: " + ", ".join(f"{weight:.0%} {asset}" for asset, weight in mix.items()),
            "one by one: 10 % out of stocks and bonds by their weights, each over its own dates, p by Holm "
            "over the assets; unhedged; Hong Kong, China and copper are prices without dividends or carry",
        ),
    )


def _global_mix(held: Sequence[str]) -> dict[str, float]:
    mix = dict(_SIXTY_FORTY)
    for asset in held:
        giver, weight = _GLOBAL[asset]
        mix[giver] = round(mix[giver] - weight, 10)
        mix[asset] = weight
    return mix


def _one_by_one(market: Market) -> Additions:
    others = [asset for asset in market.assets if asset not in _SIXTY_FORTY]
    shares: Mapping[str, float] = _SIXTY_FORTY
    return additions(market, _SIXTY_FORTY, others, 0.1, funded_from=shares, **_with_gold(market))


def _alone(asset: str, found: Additions, market: Market) -> Part:
    row: Any = found.table.loc[asset]
    claimed = Claimed(asset, "Sharpe ratio, 10 % of it less 60/40", "above")
    names = ("difference", "low", "high", "p_family")
    return part_of_row(
        claimed, row, names, int(row["n"]), f"from {row['begin']:%Y-%m-%d}", market.frequency.name
    )


# --- C4: debt managers respond, and pessimism can be an opportunity ---


def _recovers(panels: Panels) -> Claim:
    table = panels.long_daily
    if table is None:
        return Claim("C4", _TITLES["C4"], (missing_part(_RECOVERS, "no daily Treasury returns"),))
    study = event_study(table["bonds"], EVENTS, after=_DAYS_AFTER, cash=table["cash"])
    numbers = (study.effect, study.low, study.high, study.p_value, study.n)
    response = study.path[["response", "placebo"]] * 100.0
    return Claim(
        "C4",
        _TITLES["C4"],
        (_RECOVERS.part(*numbers, span_of(table.index), "daily"),),
        picture=Picture("lines", response, "cumulative excess return, %", "trading days after the event"),
        notes=(
            f"events: {', '.join(EVENTS)}; a small and chosen sample, some of whose windows overlap",
            repr(study).splitlines()[-1],
        ),
    )
