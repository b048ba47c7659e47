"""Strategy: what to hold, decided from the past that is passed in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import Final

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
    sees_holdings
        Set it to True on a class that needs to know what is held, and answer :meth:`weights_from` too.
    """

    name: str

    @property
    def is_constant(self) -> bool:
        """Whether the answer is always the same; a class may say so with a plain ``is_constant = True``."""
        return False

    @property
    def sees_holdings(self) -> bool:
        """Whether :meth:`weights_from` is to be asked in place of :meth:`weights`."""
        return False

    @abstractmethod
    def weights(self, past: Market) -> Mapping[str, float] | Hold:
        """Return the target weight of each asset, as fractions of the portfolio's value, or ``HOLD``.

        What is missing to one is cash; what is more than one is borrowed. An asset that is not named
        is not held; ``{"cash": 1.0}`` is all cash. ``HOLD`` leaves the portfolio as it has drifted.
        Raise :class:`InsufficientHistoryError` (``past.window`` does) while the past is too short to
        decide.
        """

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Mapping[str, float] | Hold:  # noqa: ARG002
        """Return the target weights, knowing what is held: asked where ``sees_holdings`` is True.

        ``held`` are the weights at the close of the decision, as they have drifted, of the assets that are
        held; empty before the first build. Answer what :meth:`weights` may.
        """
        return self.weights(past)
