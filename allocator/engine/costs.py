"""What trading, financing and management cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from allocator.errors import InputError

__all__ = ["Charges", "Costs", "Rate"]

Rate = float | Mapping[str, float]
_MODELS = ("exact", "first_order")
# A larger rate is percent or basis points mistaken. The bid–ask spread is paid by halves.
_LARGEST = {"bid_ask": 0.1, "borrow_spread": 0.5, "short_fee": 0.5, "management_fee": 0.1}
_LARGEST_TRADING = 0.05
_BY_ASSET = ("trading", "selling", "bid_ask", "short_fee")


@dataclass(frozen=True, eq=False)
class Charges:
    """Costs by asset, each shape (n_assets,), as fractions of the notional; ``fixed`` in money a trade.

    Attributes
    ----------
    buying, selling, half_spread
        Commissions, and half the bid–ask spread.
    fixed
        Money for each asset traded.
    is_exact
        Whether the targets hold after the cost is paid.
    buy, sell
        All that a unit of buying and of selling costs.
    mean, tilt
        Half the sum of these two and half their difference.
    is_symmetric
        Whether buying costs what selling does.
    most
        The highest of these rates.
    """

    buying: NDArray[np.float64]
    selling: NDArray[np.float64]
    half_spread: NDArray[np.float64]
    fixed: float
    is_exact: bool
    buy: NDArray[np.float64] = field(init=False)
    sell: NDArray[np.float64] = field(init=False)
    mean: NDArray[np.float64] = field(init=False)
    tilt: NDArray[np.float64] = field(init=False)
    is_symmetric: bool = field(init=False)
    most: float = field(init=False)

    def __post_init__(self) -> None:
        buy, sell = self.buying + self.half_spread, self.selling + self.half_spread
        facts = {"buy": buy, "sell": sell, "mean": (buy + sell) / 2.0, "tilt": (buy - sell) / 2.0}
        vars(self).update(facts, is_symmetric=not facts["tilt"].any(), most=float(max(buy.max(), sell.max())))


@dataclass(frozen=True)
class Costs:
    """What a portfolio pays, itemised in its record.

    Where a rate may differ by asset, it is one number or a mapping of asset to number that names
    every asset.

    Parameters
    ----------
    trading
        Commission as a fraction of the traded notional: 0.0005 is 5 basis points. Buys and sells
        alike, or buys only where ``selling`` is given.
    borrow_spread
        Annual rate over cash that negative cash pays.
    selling
        Commission of sells, where it is another.
    bid_ask
        Bid–ask spread as a fraction of the mid price. Prices are mid prices: each trade pays half.
    fixed
        Money for each asset traded; set ``initial_value`` of the run to the portfolio's size.
    model
        ``"exact"``: self-financing, the targets hold after all costs are paid. ``"first_order"``: costs
        on the change of weight before they are paid, as R's PerformanceAnalytics and most tools do; it
        overstates by about the square of the cost.
    short_fee
        Annual rate on the value of what is sold short, paid out of cash.
    management_fee
        Annual share of the value, taken from all holdings alike at each close.
    """

    trading: Rate = 0.0005
    borrow_spread: float = 0.005
    selling: Rate | None = None
    bid_ask: Rate = 0.0
    fixed: float = 0.0
    model: str = "exact"
    short_fee: Rate = 0.005
    management_fee: float = 0.0

    def __post_init__(self) -> None:
        for argument in _BY_ASSET:
            rate = getattr(self, argument)
            if isinstance(rate, Mapping):
                object.__setattr__(self, argument, dict(rate))  # a copy, which no caller changes later
            for asset, number in rate.items() if isinstance(rate, Mapping) else [(None, rate)]:
                if argument != "selling" or rate is not None:
                    _check(argument, number, asset, _LARGEST.get(argument, _LARGEST_TRADING))
        for argument in ("borrow_spread", "management_fee"):
            _check(argument, getattr(self, argument), None, _LARGEST[argument])
        _check("fixed", self.fixed, None, np.inf)
        if self.model not in _MODELS:
            raise InputError("model", f"{self.model!r} is none of {', '.join(_MODELS)}")

    def charges(self, assets: tuple[str, ...]) -> Charges:
        """Return the rates of trading in the order of ``assets``."""
        buying = _by_asset("trading", self.trading, assets)
        selling = buying if self.selling is None else _by_asset("selling", self.selling, assets)
        spread = _by_asset("bid_ask", self.bid_ask, assets)
        return Charges(buying, selling, spread / 2.0, float(self.fixed), self.model == "exact")

    def short_fees(self, assets: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the annual short fee of each asset, shape (n_assets,)."""
        return _by_asset("short_fee", self.short_fee, assets)

    def __str__(self) -> str:
        parts = [
            f"{_text(self.trading)} of traded notional"
            if self.selling is None
            else f"{_text(self.trading)} of what is bought, {_text(self.selling)} of what is sold",
            f"bid–ask {_text(self.bid_ask)}" if self.bid_ask != 0.0 else "",
            f"{self.fixed:g} money an asset traded" if self.fixed else "",
            "exactly self-financing" if self.model == "exact" else "first order, on weights before costs",
            f"borrowing at cash + {self.borrow_spread:.2%}",
            f"management fee {self.management_fee:.2%} a year" if self.management_fee else "",
        ]
        return "; ".join(part for part in parts if part)


def _by_asset(argument: str, rate: Rate, assets: tuple[str, ...]) -> NDArray[np.float64]:
    if not isinstance(rate, Mapping):
        return np.full(len(assets), float(rate))
    missing = [asset for asset in assets if asset not in rate]
    if missing:
        raise InputError(
            f"costs.{argument}",
            "no rate for this asset",
            asset=missing[0],
            count=len(missing),
            fix="name every asset",
        )
    return np.array([float(rate[asset]) for asset in assets])


def _text(rate: Rate) -> str:
    if isinstance(rate, Mapping):
        return "by asset (" + ", ".join(f"{asset} {r * 1e4:g} bp" for asset, r in rate.items()) + ")"
    return f"{rate * 1e4:g} bp"


def _check(argument: str, rate: object, asset: str | None, most: float) -> None:
    is_number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    if not is_number or not np.isfinite(rate):  # type: ignore[call-overload]
        raise InputError(argument, f"is {rate!r}, not a number", asset=asset, fix="5 basis points are 0.0005")
    if rate < 0:  # type: ignore[operator]
        raise InputError(argument, f"is negative, {rate!r}", asset=asset, fix="a cost is 0 or more")
    if rate > most:  # type: ignore[operator]
        raise InputError(
            argument,
            f"{rate!r} is more than {most:.0%}",
            asset=asset,
            fix="pass a fraction: 10 basis points are 0.001",
        )
