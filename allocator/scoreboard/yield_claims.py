"""B: why the anchor loosens. The rules are in docs/verdicts.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro import (
    DriverPath,
    YieldDecomposition,
    decompose_yield,
    driver_regimes,
    driver_shares,
    episode_table,
    rolling_drivers,
)
from allocator.regimes import conditional_correlation, regime_contrast
from allocator.report.picture import Picture
from allocator.scoreboard.anchor_claims import SINCE
from allocator.scoreboard.estimates import (
    COEFFICIENT,
    FEWEST,
    Claimed,
    contrast_part,
    few,
    mean_part,
    missing_part,
    part_of_row,
    span_of,
)
from allocator.scoreboard.panels import Panels
from allocator.scoreboard.verdict import Claim, Part
from allocator.statistics import least_squares

__all__ = ["yield_claims"]

PREMIUM, RATES = "term premium", "expected rates"
_RISE = ("2025-03", "2025-05")
_RECENT = pd.Timestamp("2022-12-01")  # the change of January 2023 begins with the end of December
_SWITCHES_FROM = pd.Timestamp("1987-01-01")
_WINDOW_YEARS = 3.0
_SURE = 0.95


def yield_claims(panels: Panels) -> list[Claim]:
    """Return B1 to B4."""
    return [_dominates(panels), _switches(panels), _what_moves(panels), _rotation(panels)]


def _decomposed(table: pd.DataFrame) -> YieldDecomposition:
    parts = {RATES: table["expected"]}
    return decompose_yield(table["yield"], parts, 10, ex_post=True, rest=PREMIUM)


# --- B1: the recent rise of yields is term premium ---


def _dominates(panels: Panels) -> Claim:
    table = panels.premium
    recent = table[table.index >= _RECENT]
    share = Claimed("dominates", "share of the premium in yield changes from 2023", "above", 0.5)
    rise = Claimed("the rise", "premium less half the yield, March to May 2025", "above", unit="bp")
    levels = 100.0 * table[["yield", "premium", "expected"]]
    return Claim(
        "B1",
        "The rise of yields is term premium",
        (_share(share, recent, panels.frequency), _episode(rise, table, panels.frequency)),
        picture=Picture(
            "lines",
            levels.set_axis(["10-year yield", PREMIUM, RATES], axis=1),
            "% a year",
            marks={"2023-01-01": "2023"},
        ),
        notes=(
            "premium: Adrian, Crump and Moench (2013), estimated with all data (ex post); the share of the "
            "premium in the variance of changes is its Shapley value; credit risk is not told apart from it",
        ),
    )


def _share(claimed: Claimed, recent: pd.DataFrame, frequency: str) -> Part:
    n, sample = len(recent) - 1, span_of(recent.index[1:])
    if n < FEWEST:
        return missing_part(claimed, few(max(n, 0), FEWEST), max(n, 0), sample, frequency)
    found = driver_shares(_decomposed(recent))
    row: Any = found.table.loc[PREMIUM]
    # With two parts, the premium dominates a resample where its share is above one half.
    rarer = min(float(row["dominant"]), 1.0 - float(row["dominant"]))
    p = min(1.0, 2.0 * (1.0 + rarer * found.n_resamples) / (found.n_resamples + 1.0))
    return claimed.part(float(row["share"]), float(row["low"]), float(row["high"]), p, n, sample, frequency)


def _episode(claimed: Claimed, table: pd.DataFrame, frequency: str) -> Part:
    if frequency != "monthly":
        return missing_part(claimed, "the months of 2025 are not in yearly data", 0, "", frequency)
    try:
        row: Any = episode_table(_decomposed(table), {"rise": _RISE}).table.loc["rise"]
    except InputError as refusal:
        return missing_part(claimed, str(refusal), 0, "", frequency)
    value = float(row[PREMIUM]) - float(row["total"]) / 2.0
    return claimed.part(value, value, value, float("nan"), 2, " to ".join(_RISE), frequency)


# --- B2: the driver keeps switching, and correlations turn with it ---


def _switches(panels: Panels) -> Claim:
    title = "The driver of yields switches, and correlations turn with it"
    turns = Claimed("turns", "stock–yield correlation, expected rates less term premium", "differs")
    often = Claimed("switches", "switches of the driver since 1990, sure on both sides", "above", 1.5)
    table, frequency = panels.premium, panels.frequency
    try:
        path = rolling_drivers(_decomposed(table[table.index >= _SWITCHES_FROM]), _WINDOW_YEARS)
    except InputError as refusal:
        why = f"no driver can be told: {refusal}"
        return Claim("B2", title, tuple(missing_part(each, why, 0, "", frequency) for each in (turns, often)))
    return Claim(
        "B2",
        title,
        (_turns(turns, panels, path), _count(often, path, frequency)),
        picture=Picture("lines", path.shares[[PREMIUM]], "share of the term premium", reference=0.5),
        notes=(
            f"driver: the larger covariance share of the {_WINDOW_YEARS:g} years before, with hysteresis; "
            f"sure: in {_SURE:.0%} of the resamples of the window",
        ),
    )


def _turns(claimed: Claimed, panels: Panels, path: DriverPath) -> Part:
    regimes = driver_regimes(path)
    changes = path.decomposition.total.diff().dropna()
    stocks = panels.market.returns["stocks"]
    dates = changes.index.intersection(stocks.index)
    labels = regimes.labels.reindex(dates)
    known = dates[labels.isin([PREMIUM, RATES])]
    sample = span_of(known)
    if labels[known].nunique() < 2:
        return missing_part(claimed, "one driver dominates throughout", len(known), sample, panels.frequency)
    table = conditional_correlation(stocks[known], changes[known].rename("yield"), labels[known])
    return contrast_part(claimed, regime_contrast(table, RATES, PREMIUM), sample, panels.frequency)


def _count(claimed: Claimed, path: DriverPath, frequency: str) -> Part:
    """Return how often the part that dominates for sure is another one than before."""
    sure = path.probability.max(axis=1) >= _SURE
    leaders = path.probability[sure].idxmax(axis=1)
    switches = float((leaders != leaders.shift()).iloc[1:].sum())
    sample = span_of(path.probability.index)
    # At least so many: that a switch was not sure does not say that there was none.
    n = len(path.probability)
    return claimed.part(switches, switches, float("inf"), float("nan"), n, sample, frequency)


# --- B3: real rates are bad for gold and good for equities; the premium the reverse ---


def _what_moves(panels: Panels) -> Claim:
    parts: list[Part] = []
    for asset, word in (("gold", "gold"), ("stocks", "equities")):
        sides = ("above", "below") if asset == "gold" else ("below", "above")
        claims = [
            Claimed(f"{word}, {part}", f"{word} on {what}", side, unit="% per point")  # type: ignore[arg-type]
            for part, what, side in zip(("premium", "rates"), (PREMIUM, RATES), sides, strict=True)
        ]
        parts += _slopes(claims, panels, asset)
    rows = pd.DataFrame(
        [[part.value, part.low, part.high] for part in parts],
        index=[part.name for part in parts],
        columns=["value", "low", "high"],
    )
    return Claim(
        "B3",
        "Growth in rates lifts equities, premium lifts gold",
        tuple(parts),
        picture=Picture("intervals", 100.0 * rows.dropna(), "% for a percentage point"),
        notes=("one regression an asset: its excess return on the changes of both parts of the yield, HAC",),
    )


def _slopes(claims: list[Claimed], panels: Panels, asset: str) -> list[Part]:
    changes = 100.0 * panels.premium[["premium", "expected"]].diff().dropna()
    returns = panels.since_gold_floats([asset])[asset] - panels.market.cash_returns
    shared = changes.index.intersection(returns.dropna().index)
    n, sample = len(shared), span_of(shared)
    if n < FEWEST:
        return [missing_part(each, few(n, FEWEST), n, sample, panels.frequency) for each in claims]
    fit: Any = least_squares(returns[shared].rename(asset), changes.loc[shared]).table
    return [
        part_of_row(claimed, fit.loc[name], COEFFICIENT, n, sample, panels.frequency)
        for claimed, name in zip(claims, ("premium", "expected"), strict=True)
    ]


# --- B4: when yields rise, liquidity moves between dollar and non-dollar assets ---


def _rotation(panels: Panels) -> Claim:
    moves = Claimed("moves", "non-dollar less US equities where yields rise", "above", unit="% a period")
    eases = Claimed(
        "does not tighten", "non-dollar equities over cash where yields rise", "above", unit="% a period"
    )
    title = "When yields rise, money moves out of the dollar"
    frame = panels.world_and_yield()
    if frame is None:
        return Claim(
            "B4", title, tuple(missing_part(each, "no equities or no yield") for each in (moves, eases))
        )
    market = panels.market
    recent = frame[(frame.index >= SINCE) & (frame["yield"] > 0.0)]
    home = market.returns["stocks"].reindex(recent.index)
    cash = market.cash_returns.reindex(recent.index)
    spread = np.asarray(recent["world"] - home)
    return Claim(
        "B4",
        title,
        (
            mean_part(moves, pd.Series(spread, recent.index), panels.frequency, FEWEST),
            mean_part(eases, recent["world"] - cash, panels.frequency, FEWEST),
        ),
        picture=Picture(
            "lines",
            pd.DataFrame({"non-dollar less US": 100.0 * pd.Series(spread, recent.index).cumsum()}),
            "sum over periods with rising yields, %",
        ),
        notes=("flows and the current account are not in these data: returns stand for them",),
    )
