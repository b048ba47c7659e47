"""An overlay: hold an asset only while its trend is up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from allocator.engine import Strategy
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from allocator.market.market import column_of
from strategies._amounts import check_span
from strategies._inner import check_inner, inner_weights, or_cash
from strategies._window import check_late

__all__ = ["AboveCash", "AboveMovingAverage", "TrendRule", "TrendFilter"]

_ROUNDING = 1e-12  # growth this little above what it is compared with is a tie


class TrendRule(ABC):
    """When the trend of an asset is up."""

    @abstractmethod
    def is_up(self, past: Market, asset: str) -> bool:
        """Return whether it is, at the close of the past's last date; a tie is not."""


@final
@dataclass(frozen=True)
class AboveMovingAverage(TrendRule):
    """The price, dividends reinvested, is above its mean over the span that ends with it.

    Faber (2007) compares month-end prices with the mean of ten of them, this one included. The span is the
    same time at any frequency: 10 monthly or 210 daily prices. It must hold at least ten.

    Parameters
    ----------
    years
        The span.

    References
    ----------
    Faber (2007), A quantitative approach to tactical asset allocation, Journal of Wealth Management 9(4).
    """

    years: float = 10.0 / 12.0

    def __post_init__(self) -> None:
        check_span("years", self.years)

    def is_up(self, past: Market, asset: str) -> bool:
        """Return whether the last price is above the mean."""
        prices = np.cumprod(1.0 + past.window((asset,), self.years)[:, 0])
        return bool(prices[-1] > prices.mean() * (1.0 + _ROUNDING))


@final
@dataclass(frozen=True)
class AboveCash(TrendRule):
    """The asset has returned more than cash over the span: time-series momentum.

    Parameters
    ----------
    years
        The span; it must hold at least ten returns.

    References
    ----------
    Moskowitz, Ooi, Pedersen (2012), Time series momentum, Journal of Financial Economics 104(2).
    """

    years: float = 1.0

    def __post_init__(self) -> None:
        check_span("years", self.years)

    def is_up(self, past: Market, asset: str) -> bool:
        """Return whether the asset has grown more than cash."""
        returns = past.window((asset,), self.years)[:, 0]
        growth, cash = np.prod(1.0 + returns), np.prod(1.0 + past.cash[-len(returns) :])
        return bool(growth > cash * (1.0 + _ROUNDING))


@final
@dataclass(frozen=True)
class TrendFilter(Strategy):
    """The weights of a strategy, without the assets whose trend is not up.

    Parameters
    ----------
    strategy
        Whose weights are filtered; it may not be short, because the trend of a short position is another.
    trend
        When the trend of an asset is up; a tie is not.
    instead
        Asset that takes the weight of those filtered out, and is not filtered itself; None leaves it in cash.
    late
        About an asset whose history is shorter than the trend: ``"wait"`` until there is more, or
        ``"leave_out"`` the asset like one whose trend is not up, unless there is no other. A delisted asset
        is left out, too, or refused where it would be waited for.
    name
        What tables call it.
    """

    strategy: Strategy
    trend: TrendRule = AboveMovingAverage()
    instead: str | None = None
    late: str = "wait"
    name: str = "Trend filter"

    def __post_init__(self) -> None:
        check_inner("strategy", self.strategy)
        check_late(self.late)
        if not isinstance(self.trend, TrendRule):
            raise InputError("trend", f"{self.trend!r}", fix="pass AboveMovingAverage() or AboveCash()")
        if not isinstance(self.instead, str | None):
            raise InputError("instead", f"{self.instead!r}", fix="name one asset, or None for cash")

    def weights(self, past: Market) -> dict[str, float]:
        """Return the weights that are left."""
        wanted = inner_weights(self.strategy, past)
        short = next((asset for asset, weight in wanted.items() if weight < 0.0), None)
        if short is not None:
            raise InputError(
                "strategy", f"{self.strategy.name!r} is short", asset=short, fix="filter a long-only strategy"
            )
        up = self._up(past, [asset for asset in wanted if asset != self.instead])
        kept = {asset: weight for asset, weight in wanted.items() if asset in up}
        if self.instead is not None and len(kept) < len(wanted):
            kept[self.instead] = sum(weight for asset, weight in wanted.items() if asset not in up)
        return or_cash(kept)

    def _up(self, past: Market, assets: Sequence[str]) -> set[str]:
        """Return the assets whose trend is up, waiting where no trend is known at all."""
        up, lacking = set(), []
        for asset in assets:
            if self.late == "leave_out" and _is_delisted(past, asset):
                continue
            try:
                if self.trend.is_up(past, asset):
                    up.add(asset)
            except InsufficientHistoryError as short:
                if self.late == "wait":
                    raise
                lacking.append(short)
        if lacking and len(lacking) == len(assets):
            raise min(lacking, key=lambda short: short.rows_needed)
        return up


def _is_delisted(past: Market, asset: str) -> bool:
    return bool(past.listed_until[column_of(past, asset)] < len(past.days))
