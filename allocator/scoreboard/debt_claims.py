"""D: how the debt is handled decides what assets do. The rules are in docs/verdicts.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allocator.macro import assets_by_debt_regime, debt_accounts, debt_regimes
from allocator.market import Market, load_us_debt
from allocator.market.market import signal_in_hindsight
from allocator.report.picture import Picture
from allocator.scoreboard.estimates import Claimed, mean_part, missing_part, part_of_row, span_of
from allocator.scoreboard.panels import Panels
from allocator.scoreboard.verdict import Claim, Part, Side

__all__ = ["debt_claims"]

_TITLES = {
    "D1": "Growth: stocks strong, bonds weak",
    "D2": "Inflation: stocks and gold beat bonds, the real dollar suffers",
    "D3": "Monetization: stocks and bonds strong, dollar weak, inflation later",
    "D4": "Tightening: stocks weak and bonds strong at first",
}
_GOLD_FLOATS, _REAL_DOLLAR, _FIRST_YEAR = 1972, 1974, 1940
_LATER_YEARS = 2


def debt_claims(panels: Panels) -> list[Claim]:
    """Return D1 to D4, from the embedded fiscal years."""
    history = panels.history
    regimes = debt_regimes(debt_accounts(load_us_debt()))
    returns, changes = _returns(history), _changes(history)
    cash = history.cash_returns.reindex(returns.index)
    labels = regimes.hindsight(pd.DatetimeIndex(returns.index))
    found = assets_by_debt_regime(returns, labels, cash, changes=changes)
    series = _Series(returns, changes, labels.labels)
    return [_claim(claim, found.verdicts, series, labels.rule) for claim in _TITLES]


def _returns(history: Market) -> pd.DataFrame:
    returns = history.returns[["stocks", "bonds", "gold"]]
    years = pd.DatetimeIndex(returns.index).year
    return returns.assign(gold=returns["gold"].where(years >= _GOLD_FLOATS))[years >= _FIRST_YEAR]


def _changes(history: Market) -> pd.DataFrame:
    """Return the change of the dollar, the same less US inflation, and inflation in the two years after."""
    inflation, dollar = (_described(history, name) for name in ("inflation", "dollar"))
    nominal = dollar.pct_change(fill_method=None)
    years = pd.DatetimeIndex(nominal.index).year
    later = sum((inflation.shift(-step) for step in range(1, _LATER_YEARS + 1)), start=0.0 * inflation)
    return pd.DataFrame(
        {
            "dollar": nominal,
            "real dollar": ((1.0 + nominal) / (1.0 + inflation) - 1.0).where(years >= _REAL_DOLLAR),
            "later inflation": later / _LATER_YEARS,
        }
    )


def _described(history: Market, name: str) -> pd.Series:
    """Return a signal by the year that it describes."""
    values = signal_in_hindsight(history, name).as_described_on(history.index)
    return pd.Series(values, index=history.index, name=name)


@dataclass(frozen=True)
class _Series:
    """What the means are taken of, and the label of each year."""

    returns: pd.DataFrame
    changes: pd.DataFrame
    labels: pd.Series

    def sample(self, name: str) -> str:
        """Return the first and the last year of a series."""
        column = self.changes[name] if name in self.changes else self.returns[name]
        return span_of(column.reindex(self.labels.index).dropna().index)

    def within(self, name: str, regime: str) -> pd.Series:
        """Return a series, or the difference of two (``stocks less bonds``), in the years of a regime."""
        if " less " in name:
            first, second = name.split(" less ")
            column = self.returns[first] - self.returns[second]
        else:
            column = self.changes[name]
        return column.reindex(self.labels.index)[self.labels == regime]


def _claim(claim: str, verdicts: pd.DataFrame, series: _Series, rule: str) -> Claim:
    rows: list[Any] = verdicts[verdicts["claim"] == claim].to_dict("records")
    parts = [_part(row, series) for row in rows]
    drawn = pd.DataFrame(
        [[100.0 * each for each in (part.value, part.low, part.high)] for part in parts],
        index=[part.name for part in parts],
        columns=["value", "low", "high"],
    )
    both = list(zip(parts, rows, strict=True))
    return Claim(
        claim,
        _TITLES[claim],
        tuple(part for part, row in both if row["expected"] != 0),
        beside=tuple(part for part, row in both if row["expected"] == 0),  # "stable" can only be contradicted
        picture=Picture("intervals", drawn.dropna(), "% a year"),
        notes=(f"regimes: {rule}; ex post",),
    )


def _part(row: Any, series: _Series) -> Part:
    """Return what a row of the verdicts says: a difference as it is, a mean by Student's t."""
    side: Side = "below" if row["expected"] < 0 else "above"
    if row["number"] == "mean":
        claimed = Claimed(row["series"], f"{row['series']} in {row['regime']} years", side, unit="% a year")
        return mean_part(claimed, series.within(row["series"], row["regime"]), "yearly")
    words = f"{row['series']} in {row['regime']} years less other years"
    claimed = Claimed(row["series"], words, side, unit="% a year")
    sample = series.sample(row["series"])
    if math.isnan(row["low"]):
        return missing_part(claimed, row["reason"] or "too few years", int(row["n"]), sample, "yearly")
    return part_of_row(claimed, row, ("value", "low", "high", "p"), int(row["n"]), sample, "yearly")
