"""Labels by the trend of an asset's price."""

from __future__ import annotations

from functools import partial

import numpy as np

from allocator.market import Market
from allocator.regimes._settings import column_named, refuse_no_market, rows_of_window
from allocator.regimes.record import Codes, Regimes, coded_regimes, titled

__all__ = ["price_trend"]

_ROUNDING = 1e-12  # a price this little above its mean is at its mean
_BLOCK = 1024  # windows worked on at once
_NEITHER = 2


def price_trend(market: Market, asset: str = "stocks", years: float | None = None) -> Regimes:
    """Label periods by whether an asset's price, income reinvested, began them above its trailing mean.

    Parameters
    ----------
    market
        With the asset.
    asset
        Its name.
    years
        Span of the mean, which ends with the price itself; by default ten months, and ten prices of
        quarterly or yearly data. A price at its mean is not above it. Periods without a full span, or that
        begin after a delisting, are unclassified.

    Raises
    ------
    InputError
        If there is no such asset, or the span holds fewer than ten prices.

    References
    ----------
    Faber (2007), A quantitative approach to tactical asset allocation, Journal of Wealth Management 9(4).
    """
    refuse_no_market(market)
    span = max(10.0 / 12.0, 10.0 / market.frequency.periods_per_year) if years is None else years
    column, rows = column_named(market, asset, "asset"), rows_of_window(market, span, 1, "years")
    names = (f"{asset} not above its trailing mean", f"{asset} above its trailing mean")
    rule = f"against the mean of {rows} {market.frequency} prices"
    codes = partial(_above, market, column, rows)
    return coded_regimes(market, codes, names, f"{titled(asset)} trend", rule, False)


def _above(market: Market, column: int, rows: int, first: int, stop: int) -> Codes:
    """Return whether the price that began each period was above the mean of ``rows`` prices up to it.

    Each window is summed by itself, so that a market that is cut there says the same, ties included.
    """
    codes = np.full(stop - first, _NEITHER)
    begin = max(int(market.listed_from[column]) + rows, first)
    end = min(int(market.listed_until[column]) + 1, stop)
    for block in range(begin, end, _BLOCK):
        until = min(block + _BLOCK, end)
        levels = market.levels[block - rows : until - 1, column]
        windows = np.lib.stride_tricks.sliding_window_view(levels, rows).copy()
        codes[block - first : until - first] = windows[:, -1] > windows.mean(axis=1) * (1.0 + _ROUNDING)
    return codes
