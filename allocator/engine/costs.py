"""What trading and financing cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError

__all__ = ["Costs"]

_LARGEST_RATE = 0.05  # a cost of more than 5 % of the notional is a percent or basis points mistaken


@dataclass(frozen=True)
class Costs:
    """Proportional trading cost and the spread over cash that borrowing costs.

    Parameters
    ----------
    trading
        Cost as a fraction of the traded notional, buys and sells alike: 0.0005 is 5 basis points. One
        number, or a mapping of asset to number that names every asset. Charged exactly
        self-financing: the targets hold after the cost is paid.
    borrow_spread
        Annual rate over cash that negative cash pays.
    """

    trading: float | Mapping[str, float] = 0.0005
    borrow_spread: float = 0.005

    def __post_init__(self) -> None:
        if isinstance(self.trading, Mapping):
            object.__setattr__(self, "trading", dict(self.trading))  # a copy, which no caller changes later
        named = self.trading if isinstance(self.trading, Mapping) else {None: self.trading}
        for asset, rate in named.items():
            _check("trading", rate, asset)
        _check("borrow_spread", self.borrow_spread, None, most=0.5)

    def rates(self, assets: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the trading cost of each asset, shape (n_assets,)."""
        if not isinstance(self.trading, Mapping):
            return np.full(len(assets), float(self.trading))
        missing = [asset for asset in assets if asset not in self.trading]
        if missing:
            raise InputError(
                "costs.trading", "no rate for this asset", asset=missing[0], fix="name every asset"
            )
        return np.array([float(self.trading[asset]) for asset in assets])

    def __str__(self) -> str:
        if isinstance(self.trading, Mapping):
            trading = "by asset, " + ", ".join(f"{a} {r * 1e4:g} bp" for a, r in self.trading.items())
        else:
            trading = f"{self.trading * 1e4:g} bp"
        return f"{trading} of traded notional; borrowing at cash + {self.borrow_spread:.2%}"


def _check(argument: str, rate: object, asset: str | None, most: float = _LARGEST_RATE) -> None:
    is_number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    if not is_number or not np.isfinite(rate):  # type: ignore[call-overload]
        raise InputError(argument, f"is {rate!r}, not a number", asset=asset)
    if rate < 0:  # type: ignore[operator]
        raise InputError(argument, f"is negative, {rate!r}", asset=asset, fix="a cost is 0 or more")
    if rate > most:  # type: ignore[operator]
        raise InputError(
            argument,
            f"{rate!r} is more than {most:.0%}",
            asset=asset,
            fix="pass a fraction: 10 basis points are 0.001",
        )
