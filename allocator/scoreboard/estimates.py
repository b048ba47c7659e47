"""From estimates to parts of claims: means, contrasts between regimes, slopes, and why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import iso_date
from allocator.regimes import RegimeContrast
from allocator.scoreboard.verdict import Part, Side
from allocator.statistics import least_squares

__all__ = [
    "COEFFICIENT",
    "FEWEST",
    "FEWEST_YEARS",
    "Claimed",
    "contrast_part",
    "few",
    "mean_part",
    "missing_part",
    "part_of_row",
    "slope_parts",
    "span_of",
]

FEWEST, FEWEST_YEARS = 20, 5
COEFFICIENT = ("estimate", "low", "high", "p_value")
_NAN = float("nan")


@dataclass(frozen=True)
class Claimed:
    """What a part claims: its name, its number in words, the side, and the threshold."""

    name: str
    statistic: str
    side: Side
    threshold: float = 0.0
    unit: str = ""

    def part(
        self, value: float, low: float, high: float, p: float, n: int, sample: str, frequency: str
    ) -> Part:
        """Return the part with its numbers."""
        return Part(
            self.name,
            self.statistic,
            value,
            low,
            high,
            p,
            n,
            self.side,
            self.threshold,
            sample,
            frequency,
            self.unit,
        )


def part_of_row(
    claimed: Claimed, row: Any, names: Sequence[str], n: int, sample: str, frequency: str
) -> Part:
    """Return a part from the value, both ends and the p-value that stand under these names in a row."""
    value, low, high, p = (float(row[name]) for name in names)
    return claimed.part(value, low, high, p, n, sample, frequency)


def missing_part(claimed: Claimed, reason: str, n: int = 0, sample: str = "", frequency: str = "") -> Part:
    """Return a part about which nothing can be said, and why."""
    facts = (claimed.side, claimed.threshold, sample, frequency, claimed.unit, reason)
    return Part(claimed.name, claimed.statistic, _NAN, _NAN, _NAN, _NAN, n, *facts)


def span_of(dates: pd.Index) -> str:
    """Return the first and the last date of a sample."""
    return f"{iso_date(dates[0])} to {iso_date(dates[-1])}" if len(dates) else ""


def contrast_part(claimed: Claimed, contrast: RegimeContrast, sample: str, frequency: str) -> Part:
    """Return a part from the difference of a statistic between two regimes."""
    n = min(contrast.n)
    if contrast.reason or n < FEWEST:
        return missing_part(claimed, contrast.reason or few(n, FEWEST), n, sample, frequency)
    numbers = (contrast.difference, contrast.low, contrast.high, contrast.p_value)
    return claimed.part(*numbers, n, sample, frequency)


def mean_part(claimed: Claimed, values: pd.Series, frequency: str, fewest: int = FEWEST_YEARS) -> Part:
    """Return a part from one mean, by Student's t."""
    known, sample = values.dropna(), span_of(values.dropna().index)
    if len(known) < fewest:
        return missing_part(claimed, few(len(known), fewest), len(known), sample, frequency)
    mean, variance, degrees = _moments(known)
    return _by_t(claimed, mean, variance, degrees, len(known), sample, frequency)


def slope_parts(
    change: Claimed, before: Claimed, y: pd.Series, x: pd.Series, since: pd.Timestamp, frequency: str
) -> list[Part]:
    """Return the change of a slope at a known date, and the slope before it.

    A regression of each period, HAC errors, and Welch's t of the difference: in one regression the errors of
    both would be those of the longer period.
    """
    after, sample = np.asarray(y.index >= since), span_of(y.index)
    counts = [int((~after).sum()), int(after.sum())]
    if min(counts) < FEWEST:
        n = min(counts)
        return [missing_part(each, few(n, FEWEST), n, sample, frequency) for each in (change, before)]
    fits = [least_squares(y[rows], x[rows].rename("slope")) for rows in (~after, after)]
    rows: list[Any] = [fit.table.loc["slope"] for fit in fits]
    moments = [
        (row["estimate"], row["standard_error"] ** 2, fit.degrees)
        for row, fit in zip(rows, fits, strict=True)
    ]
    (slope, v, d), (slope_after, v_after, d_after) = moments
    degrees = (v + v_after) ** 2 / (v**2 / d + v_after**2 / d_after)
    return [
        _by_t(change, slope_after - slope, v + v_after, degrees, min(counts), sample, frequency),
        part_of_row(before, rows[0], COEFFICIENT, counts[0], sample, frequency),
    ]


def few(n: int, fewest: int) -> str:
    """Return why so few observations say nothing."""
    return f"n={n}, at least {fewest} are needed"


def _moments(values: pd.Series) -> tuple[float, float, float]:
    """Return the mean, the variance of the mean, and its degrees of freedom."""
    return float(values.mean()), float(values.var(ddof=1)) / len(values), len(values) - 1.0


def _by_t(
    claimed: Claimed, value: float, variance: float, degrees: float, n: int, sample: str, frequency: str
) -> Part:
    from scipy.special import stdtr, stdtrit  # not at the top: importing allocator costs no more than pandas

    error = float(np.sqrt(variance))
    width = float(stdtrit(degrees, 0.975)) * error
    p = 2.0 * float(stdtr(degrees, -abs(value - claimed.threshold) / error))
    return claimed.part(value, value - width, value + width, p, n, sample, frequency)
