"""Strategy: what to hold, decided from the past that is passed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Final

from allocator.market.market import Market

__all__ = ["HOLD", "Hold", "Strategy"]


class Hold(Enum):
    """The answer of a strategy that decides nothing."""

    HOLD = "hold"

    def __repr__(self) -> str:
        return "HOLD"


HOLD: Final = Hold.HOLD


class Strategy(ABC):
    """What to hold: a frozen dataclass of parameters with one method.

    Subclass it with ``@dataclass(frozen=True)``, give it a ``name``, and answer :meth:`weights`. The
    past is all there is to see: the market cut at the date of the decision. Keep no state between
    calls.

    Attributes
    ----------
    name
        What tables call it.
    is_constant
        Set it to True on a class whose answer does not depend on the past: it is then asked once a run.
    """

    name: str
    is_constant: ClassVar[bool] = False

    @abstractmethod
    def weights(self, past: Market) -> Mapping[str, float] | Hold:
        """Return the target weight of each asset, as fractions of the portfolio's value, or ``HOLD``.

        What is missing to one is cash; what is more than one is borrowed. An asset that is not named
        is not held; ``{"cash": 1.0}`` is all cash. ``HOLD`` leaves the portfolio as it has drifted.
        Raise :class:`InsufficientHistoryError` (``past.window`` does) while the past is too short to
        decide.
        """
