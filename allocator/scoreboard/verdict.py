"""A claim, its parts, and the rule that turns intervals into one of three words (docs/verdicts.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, final

import pandas as pd

from allocator.errors import InputError
from allocator.scoreboard import show
from allocator.statistics import holm

__all__ = ["CONTRADICTED", "SUPPORTED", "UNDECIDED", "Claim", "Part", "Scoreboard"]

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
Side: TypeAlias = Literal["above", "below", "differs", "within"]
_SIDES = ("above", "below", "differs", "within")
_LEVEL = 0.05


@final
@dataclass(frozen=True)
class Part:
    """One number of a claim, and the side of a threshold on which the claim says it is.

    Attributes
    ----------
    name
        Which part of the claim it is.
    statistic
        What the number is, in a few words.
    value, low, high
        The number and its 95 % interval; equal where it is arithmetic without sampling error.
    p
        Two-sided, that the number is at the threshold; for ``within``, that it is at or beyond either margin.
    n
        Observations it rests on; of the smallest sample where several are compared.
    side, threshold
        What is claimed: ``above`` or ``below`` the threshold, ``differs`` from it, ``within`` ± it.
    sample, frequency
        First and last date, and the spacing of the rows.
    unit
        Of value and interval.
    reason
        Empty, or why nothing can be said: the data are not there, or are too few.
    """

    name: str
    statistic: str
    value: float
    low: float
    high: float
    p: float
    n: int
    side: Side
    threshold: float = 0.0
    sample: str = ""
    frequency: str = ""
    unit: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.side not in _SIDES:
            raise InputError("side", f"{self.side!r} is none of {', '.join(_SIDES)}")
        if self.side == "within" and not self.threshold > 0:
            raise InputError("threshold", f"{self.threshold!r} is no margin", fix="pass a positive number")
        if not self.low <= self.high and not self.is_missing:
            raise InputError("low", f"{self.low!r} is above high={self.high!r}")

    @property
    def is_missing(self) -> bool:
        """Whether there is no interval to judge by."""
        return bool(self.reason) or any(map(math.isnan, (self.value, self.low, self.high)))

    @property
    def verdict(self) -> str:
        """``supported``, ``contradicted`` or ``undecided``, of this part alone, by its interval and its p."""
        if self.is_missing or self.p >= _LEVEL:  # NaN where it is arithmetic
            return UNDECIDED
        below, above = self.high < self.threshold, self.low > self.threshold
        if self.side == "within":
            inside = -self.threshold < self.low and self.high < self.threshold
            return (
                SUPPORTED if inside else CONTRADICTED if above or self.high < -self.threshold else UNDECIDED
            )
        if self.side == "differs":
            return SUPPORTED if below or above else UNDECIDED
        claimed, other = (above, below) if self.side == "above" else (below, above)
        return SUPPORTED if claimed else CONTRADICTED if other else UNDECIDED

    @property
    def p_contradiction(self) -> float:
        """The p-value that a contradiction rests on; 1 where the part is not contradicted."""
        if self.verdict != CONTRADICTED:
            return 1.0
        if self.low == self.high:
            return 0.0  # arithmetic
        if self.side != "within":
            return 0.0 if math.isnan(self.p) else self.p
        return _beyond(min(abs(self.low), abs(self.high)), max(abs(self.low), abs(self.high)), self.threshold)


def _beyond(near: float, far: float, margin: float) -> float:
    """Return the two-sided p of being at the margin, from an interval of 95 % that lies beyond it."""
    deviation = (far - near) / (2 * 1.959964)
    return math.erfc(((near + far) / 2 - margin) / deviation / math.sqrt(2))


@final
@dataclass(frozen=True, repr=False)
class Claim:
    """A claim of the article, what the data say of each part, and the verdict; prints itself.

    Attributes
    ----------
    claim
        Its identifier, ``A1`` to ``D4``.
    title
        The claim in a few words.
    parts
        The first is the headline. All must be supported for the claim to be.
    beside
        Numbers shown with it that do not enter the verdict: other frequencies, other definitions.
    picture
        What its picture shows, a column a line or a bar; None where there are no data.
    notes
        What a reader has to know, a line each.
    """

    claim: str
    title: str
    parts: tuple[Part, ...]
    beside: tuple[Part, ...] = ()
    picture: Any = field(default=None, compare=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("parts", f"claim {self.claim!r} has none")

    @property
    def verdict(self) -> str:
        """Supported if all parts are; contradicted if one is, after Holm's correction; else undecided."""
        if all(part.verdict == SUPPORTED for part in self.parts):
            return SUPPORTED
        against = pd.Series([part.p_contradiction for part in self.parts])
        return CONTRADICTED if (holm(against) < _LEVEL).any() else UNDECIDED

    @property
    def record(self) -> dict[str, Any]:
        """The headline as plain values, and all parts, for JSON; NaN is None."""
        head = self.parts[0]
        return {
            "claim": self.claim,
            "title": self.title,
            **_plain(head),
            "verdict": self.verdict,
            "parts": [_part_record(part) for part in self.parts],
            "beside": [_part_record(part) for part in self.beside],
            "notes": list(self.notes),
        }

    __repr__ = show.claim_text
    _repr_html_ = show.claim_html


def _plain(part: Part) -> dict[str, Any]:
    numbers = {"value": part.value, "low": part.low, "high": part.high, "p": part.p}
    return {
        "statistic": part.statistic,
        **{name: float(number) if math.isfinite(number) else None for name, number in numbers.items()},
        "unit": part.unit,
        "n": int(part.n),
        "sample": part.sample,
        "frequency": part.frequency,
    }


def _part_record(part: Part) -> dict[str, Any]:
    claimed = {"side": part.side, "threshold": part.threshold, "reason": part.reason}
    return {"part": part.name, **_plain(part), **claimed, "verdict": part.verdict}


@final
@dataclass(frozen=True, repr=False)
class Scoreboard:
    """All claims with their verdicts; prints itself.

    Attributes
    ----------
    claims
        In the order of the article.
    data
        What they were tried on, a line each.
    """

    claims: tuple[Claim, ...]
    data: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A row a claim: the headline and the verdict."""
        keys = ["title", "statistic", "value", "low", "high", "p", "n", "sample", "frequency", "verdict"]
        rows = [{key: claim.record[key] for key in keys} for claim in self.claims]
        return pd.DataFrame(rows, index=pd.Index([c.claim for c in self.claims], name="claim"))

    @property
    def records(self) -> list[dict[str, Any]]:
        """A plain dictionary a claim, for JSON."""
        return [claim.record for claim in self.claims]

    __repr__ = show.scoreboard_text
    _repr_html_ = show.scoreboard_html
