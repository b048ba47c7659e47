"""A: the anchor loosens. The rules are in docs/verdicts.md."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.frequency import infer_frequency
from allocator.macro import asymmetric_beta
from allocator.regimes import conditional_correlation, regime_contrast
from allocator.report.picture import Picture
from allocator.scoreboard.estimates import (
    FEWEST,
    Claimed,
    contrast_part,
    few,
    missing_part,
    slope_parts,
    span_of,
)
from allocator.scoreboard.panels import Panels
from allocator.scoreboard.verdict import Claim, Part
from allocator.statistics import rolling_correlation

__all__ = ["anchor_claims"]

SINCE = pd.Timestamp("2022-01-01")
_DOLLAR_SINCE = pd.Timestamp("2025-04-01")
_DOLLAR_YEARS = 10
_MARGIN = 0.2
_YEARS_ROLLED = {"monthly": 3.0, "yearly": 15.0}
_BEFORE, _AFTER = "before 2022", "from 2022"


def anchor_claims(panels: Panels) -> list[Claim]:
    """Return A1 to A4."""
    return [_gold_correlation(panels), _gold_beta(panels), _dollar(panels), _valuations(panels)]


# --- A1: the correlation of gold and Treasuries has gone to about zero ---


def _gold_correlation(panels: Panels) -> Claim:
    returns = panels.since_gold_floats(["gold", "bonds"])
    frequency = panels.frequency
    rolled = rolling_correlation(returns["gold"], returns["bonds"], _YEARS_ROLLED[frequency])
    beside = _change_of_correlation("gold and real yield", panels.against_real_yield("gold"), frequency)[:1]
    if panels.daily is not None:
        beside += _change_of_correlation("daily", panels.daily[["gold", "bonds"]], "daily")[:1]
    return Claim(
        "A1",
        "Gold no longer moves with Treasuries",
        tuple(_change_of_correlation("fell", returns, frequency)),
        beside=tuple(beside),
        picture=Picture(
            "lines",
            rolled.table[["correlation"]].rename(columns={"correlation": "gold and bonds"}),
            f"correlation of returns, {_YEARS_ROLLED[frequency]:g} years",
            marks={str(SINCE.date()): "2022"},
        ),
        notes=("changes, not levels: two levels that trend are always correlated",),
    )


def _change_of_correlation(name: str, returns: pd.DataFrame | None, frequency: str) -> list[Part]:
    """Return the fall, the correlation before, and the equivalence to zero after."""
    fell = Claimed(name, "correlation from 2022 less before", "below")
    was = Claimed("was positive", "correlation before 2022", "above")
    zero = Claimed("about zero", "correlation from 2022", "within", _MARGIN)
    if returns is None:
        return [missing_part(claimed, "no such series") for claimed in (fell, was, zero)]
    sample = span_of(returns.index)
    after = returns.index >= SINCE
    counts = (int(after.sum()), int((~after).sum()))
    if min(counts) < FEWEST:
        why = few(min(counts), FEWEST)
        return [missing_part(each, why, min(counts), sample, frequency) for each in (fell, was, zero)]
    labels = pd.Series(np.where(after, _AFTER, _BEFORE), index=returns.index)
    table = conditional_correlation(returns.iloc[:, 0], returns.iloc[:, 1], labels)
    contrast = regime_contrast(table, _AFTER, _BEFORE)
    rows: dict[str, Any] = {label: table.table.loc[label] for label in (_BEFORE, _AFTER)}
    return [
        contrast_part(fell, contrast, sample, frequency),
        _correlation_part(was, rows[_BEFORE], sample, frequency),
        _correlation_part(zero, rows[_AFTER], sample, frequency),
    ]


def _correlation_part(claimed: Claimed, row: Any, sample: str, frequency: str) -> Part:
    from scipy.special import stdtr  # not at the top: importing allocator costs no more than pandas

    r, error = float(row["correlation"]), float(row["standard_error"])
    degrees = max(float(row["n"] / row["block_length"]) - 1.0, 2.0)  # those of the interval
    if claimed.side == "within":  # two one-sided tests: the larger p of not being inside either margin
        p = float(stdtr(degrees, (abs(math.atanh(r)) - math.atanh(claimed.threshold)) / error))
    else:
        p = 2.0 * float(stdtr(degrees, -abs(math.atanh(r)) / error))
    return claimed.part(r, float(row["low"]), float(row["high"]), p, int(row["n"]), sample, frequency)


# --- A2: gold rises with Treasuries but does not fall with them ---


def _gold_beta(panels: Panels) -> Claim:
    returns = panels.since_gold_floats(["gold", "bonds"])
    recent = returns[returns.index >= SINCE]
    daily = panels.daily
    beside = [] if daily is None else _betas(daily[daily.index >= SINCE], "daily")
    beside = [replace(part, name=f"daily, {part.name}") for part in beside]
    return Claim(
        "A2",
        "Gold rises with Treasuries but does not fall with them",
        tuple(_betas(recent, panels.frequency)),
        beside=tuple(beside),
        picture=Picture(
            "scatter",
            pd.DataFrame(
                {
                    "x": 100.0 * recent["bonds"],
                    "y": 100.0 * recent["gold"],
                    "group": np.where(recent["bonds"] > 0, "bonds rise", "bonds fall"),
                }
            ),
            "gold, %",
            "10-year Treasury, %",
        ),
        notes=("one intercept (alpha) and two slopes; a drift of gold is in alpha, not in the slopes",),
    )


def _betas(returns: pd.DataFrame, frequency: str) -> list[Part]:
    """Return the down-beta and the up-beta; the equality of both and alpha are not judged."""
    down = Claimed("does not fall", "beta where Treasuries fall", "below")
    up = Claimed("rises", "beta where Treasuries rise", "above")
    n, sample = len(returns), span_of(returns.index)
    if n < FEWEST:
        return [missing_part(each, few(n, FEWEST), n, sample, frequency) for each in (down, up)]
    try:
        fit = asymmetric_beta(returns["gold"], returns["bonds"])
    except InputError as refusal:
        return [missing_part(each, str(refusal), n, sample, frequency) for each in (down, up)]
    return [
        claimed.part(beta.estimate, beta.low, beta.high, beta.p_value, n, sample, frequency)
        for claimed, beta in ((down, fit.down), (up, fit.up))
    ]


# --- A3: higher yields no longer mean a stronger dollar ---


def _dollar(panels: Panels) -> Claim:
    parts, frame = _dollar_slopes(panels.dollar)
    picture = None
    if frame is not None:
        drawn = pd.DataFrame({"x": 1e4 * frame["yield"], "y": 100.0 * frame["dollar"]})
        drawn["group"] = np.where(frame.index >= _DOLLAR_SINCE, "from April 2025", "before")
        picture = Picture("scatter", drawn, "dollar index, %", "10-year yield, basis points")
    return Claim("A3", "Higher Treasury yields no longer mean a stronger dollar", parts, picture=picture)


def _dollar_slopes(frame: pd.DataFrame | None) -> tuple[tuple[Part, ...], pd.DataFrame | None]:
    fell = Claimed(
        "weaker", "dollar on yield, from April 2025 less ten years before", "below", unit="% per point"
    )
    was = Claimed("was positive", "dollar on yield, ten years before", "above", unit="% per point")
    if frame is None:
        return tuple(missing_part(each, "no dollar index or no yield") for each in (fell, was)), None
    frequency = infer_frequency(pd.DatetimeIndex(frame.index), "dollar").name
    begin = _DOLLAR_SINCE - pd.DateOffset(years=_DOLLAR_YEARS)
    window = frame[frame.index >= begin]
    per_point = window.assign(**{"yield": 100.0 * window["yield"]})
    return tuple(
        slope_parts(fell, was, per_point["dollar"], per_point["yield"], _DOLLAR_SINCE, frequency)
    ), window


# --- A4: high yields no longer hold down valuations ---


def _valuations(panels: Panels) -> Claim:
    loosened = Claimed("loosened", "equities on yield, from 2022 less before", "above", unit="% per point")
    held = Claimed("held down", "equities on yield before 2022", "below", unit="% per point")
    title = "High Treasury yields no longer hold down global equities"
    frame = panels.world_and_yield()
    if frame is None:
        return Claim(
            "A4", title, tuple(missing_part(each, "no equities or no yield") for each in (loosened, held))
        )
    frame = frame.assign(**{"yield": 100.0 * frame["yield"]})
    beside = [
        slope_parts(
            Claimed(f"{name} only", "from 2022 less before", "above", unit="% per point"),
            held,
            frame[name],
            frame["yield"],
            SINCE,
            panels.frequency,
        )[0]
        for name in ("developed", "emerging")
    ]
    drawn = pd.DataFrame({"x": 100.0 * frame["yield"], "y": 100.0 * frame["world"]})
    drawn["group"] = np.where(frame.index >= SINCE, _AFTER, _BEFORE)
    return Claim(
        "A4",
        title,
        tuple(slope_parts(loosened, held, frame["world"], frame["yield"], SINCE, panels.frequency)),
        beside=tuple(beside),
        picture=Picture("scatter", drawn, "equities outside the US, %", "10-year yield, basis points"),
        notes=("equities: developed and emerging, half each, in dollars; prices stand for valuations",),
    )
