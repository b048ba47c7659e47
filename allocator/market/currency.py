"""Prices in the currencies of their markets become prices in one base currency, hedged or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market.cash import validate_cash
from allocator.market.prices import PricePanel, float_column, validate_index, validate_prices

__all__ = ["to_base_currency"]

# Dollars for one unit since 1971, with a margin of a fifth or so on both sides of the extremes in the
# Federal Reserve's H.10 release. Currencies that were redenominated or inflated away are not checked.
_DOLLARS_FOR_ONE: dict[str, tuple[float, float]] = {
    "AUD": (0.38, 1.9),
    "CAD": (0.5, 1.35),
    "CHF": (0.18, 1.8),
    "CNY": (0.09, 0.85),
    "DKK": (0.06, 0.28),
    "EUR": (0.5, 2.0),
    "GBP": (0.8, 3.3),
    "HKD": (0.08, 0.26),
    "INR": (0.007, 0.17),
    "JPY": (0.002, 0.02),
    "KRW": (0.0004, 0.0035),
    "MYR": (0.16, 0.6),
    "NOK": (0.065, 0.27),
    "NZD": (0.3, 1.9),
    "SEK": (0.065, 0.31),
    "SGD": (0.25, 1.1),
    "THB": (0.013, 0.065),
    "TWD": (0.019, 0.053),
    "USD": (1.0, 1.0),
    "ZAR": (0.035, 1.9),
}
# Rates of one day but another hour differ by this much in a crisis; an inverted one differs by far more.
_TRIANGLE_GAP = 0.05
_SMALLEST, _LARGEST = 1e-15, 1e15  # of any rate; beyond, a cross of two could overflow

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class _Quotes:
    """A validated table of rates; NaN where none is given.

    Attributes
    ----------
    dates
        The dates of the table.
    rates
        By (currency, unit): how many of the unit one of the currency costs, shape (n_dates,).
    columns
        By the same pair: the column as the caller named it.
    """

    dates: pd.DatetimeIndex
    rates: Mapping[Pair, NDArray[np.float64]]
    columns: Mapping[Pair, str]


def to_base_currency(
    prices: pd.DataFrame,
    fx: pd.DataFrame,
    base: str,
    *,
    currencies: Mapping[str, str],
    hedged: bool | float | Mapping[str, float] = False,
    cash: Mapping[str, pd.Series[Any] | float] | None = None,
) -> pd.DataFrame:
    """Return total-return levels in one base currency, ready for :class:`Market`.

    Unhedged, a level is the local one times the rate S, the price of one unit of the local currency in the
    base currency. Hedged by a share h, the value at the start of each row's period is sold forward at
    F0 = S0 (1 + r_base) / (1 + r_local), which covered interest parity dictates, and rolled at its end::

        R = (1 + R_local) S1/S0 - 1 + h (F0 - S1)/S0

    What the asset earns within the period is not hedged: foreign cash hedged in full earns r_base plus
    r_local (S1 - F0)/S0. Hedging is free of cost; an asset's first level is the unhedged one.

    Parameters
    ----------
    prices
        Total-return levels, each in its own currency, as :class:`Market` takes them. An asset whose prices
        end early ends early in the result, too; what its holders got is for Market to ask.
    fx
        Rates by date. A column is a pair, ``EURUSD`` or ``EUR/USD``, the price of one EUR in USD; or a bare
        code, ``EUR``, the price of one EUR in the base currency. A rate that is not there is the cross of two
        that share a currency (JPYEUR = JPYUSD / EURUSD, or JPYUSD x USDEUR); the first such pair of columns
        counts. A table quoted in dollars throughout serves a base of euros, also for assets in dollars.
        There is a rate on each date of prices on which one is needed, as none is ever filled; further dates
        do no harm.
    base
        The code of the base currency, ``USD``.
    currencies
        The code of each asset's currency; that of the base leaves the asset unchanged.
    hedged
        The share that is hedged, True for 1: one for all foreign assets, or a mapping by asset, in which
        assets that are not named are not hedged.
    cash
        Needed where something is hedged, by currency, of the base and of each hedged one: returns per row,
        or an annual effective rate, as :class:`Market` takes its cash.

    Returns
    -------
    pd.DataFrame
        Index and columns of ``prices``; NaN where they are.

    Raises
    ------
    InputError
        Names the asset or currency, the first date and what to do: if a currency, a rate or a cash return is
        missing; if a rate is not positive, is the wrong way round by its name (USDJPY for the base USD) or by
        its level (150 for JPYUSD), or contradicts the others by more than 5 %; if a hedge loses everything.

    Notes
    -----
    Campbell, Serfaty-de Medeiros and Viceira (2010), Global Currency Hedging, Journal of Finance 65, 87-121;
    to hedge the value at the start of the period is also MSCI's way (Hedged Indexes Methodology, 2020).
    Rates of another hour than the prices show moves a day early or late: take those at the market's close.
    """
    panel = validate_prices(prices, delisted=_ended(prices))
    listed = np.asarray(prices.notna())
    home = _checked_code(base, "base")
    codes = _currency_of_each(currencies, panel.assets)
    rates = _rates_needed(_read_quotes(fx, home), home, codes, panel, listed)
    shares = _shares_hedged(hedged, codes, home)
    premiums = _forward_premiums(cash, home, codes, shares, panel, listed)
    levels = np.full(listed.shape, np.nan)
    for j, asset in enumerate(panel.assets):
        rows = np.flatnonzero(listed[:, j])
        local, rate = panel.levels[rows, j], rates[codes[asset]][rows]
        levels[rows, j] = local * rate
        if shares[asset]:
            growth = _hedged_growth(local, rate, premiums[codes[asset]][rows], shares[asset])
            _refuse_total_loss(growth, asset, panel.index[rows])
            levels[rows[1:], j] = levels[rows[0], j] * np.cumprod(growth)
    return pd.DataFrame(levels, index=prices.index.copy(), columns=prices.columns.copy())


def _ended(prices: Any) -> dict[str, float]:
    """Return the assets whose prices end before the table does, with a recovery that is of no consequence."""
    if not isinstance(prices, pd.DataFrame):
        return {}  # the door says what is wrong
    return dict.fromkeys(prices.columns[np.asarray(prices.iloc[-1:].isna().all())], 1.0)


def _hedged_growth(
    local: NDArray[np.float64], rate: NDArray[np.float64], premium: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return 1 + R of each period, shape (n_periods - 1,); a row's premium F0/S0 is of the period it ends."""
    moved = rate[1:] / rate[:-1]
    return local[1:] / local[:-1] * moved + share * (premium[1:] - moved)


def _refuse_total_loss(growth: NDArray[np.float64], asset: str, dates: pd.DatetimeIndex) -> None:
    lost = np.flatnonzero(growth <= 0.0)
    if len(lost):
        raise InputError(
            "hedged",
            f"the return of this row would be {growth[lost[0]] - 1.0:.4g}: more is lost on the forward "
            "than the asset is worth",
            asset=asset,
            date=dates[lost[0] + 1],
            fix="hedge a smaller share, or correct the rate or the price",
        )


# --- which currency, which share ---


def _checked_code(code: Any, argument: str, asset: str | None = None) -> str:
    if not isinstance(code, str) or not re.fullmatch("[A-Z]{3}", code):
        problem = f"{code!r} is no currency"
        raise InputError(argument, problem, asset=asset, fix="write its ISO 4217 code: 'USD', 'EUR', 'JPY'")
    return code


def _currency_of_each(currencies: Any, assets: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(currencies, Mapping):
        kind = type(currencies).__name__
        fix = "name the currency of each asset, e.g. {'N225': 'JPY', 'SPY': 'USD'}"
        raise InputError("currencies", f"expected a mapping of asset to code, got {kind}", fix=fix)
    missing = [asset for asset in assets if asset not in currencies]
    if missing:
        others = f" ({len(missing)} such assets)" if len(missing) > 1 else ""
        fix = f"add it: {{{missing[0]!r}: 'USD'}}, with the code that it has"
        raise InputError("currencies", f"no currency is given{others}", asset=missing[0], fix=fix)
    return {asset: _checked_code(currencies[asset], "currencies", asset) for asset in assets}


def _shares_hedged(hedged: Any, codes: Mapping[str, str], home: str) -> dict[str, float]:
    """Return the share of each asset that is hedged; of assets in the base currency, 0."""
    if isinstance(hedged, Mapping):
        _refuse_unknown_assets(hedged, codes)
        shares = {asset: _checked_share(hedged.get(asset, 0.0), asset) for asset in codes}
    else:
        shares = dict.fromkeys(codes, _checked_share(hedged, None))
    return {asset: 0.0 if codes[asset] == home else share for asset, share in shares.items()}


def _refuse_unknown_assets(hedged: Mapping[Any, Any], codes: Mapping[str, str]) -> None:
    for name in hedged:
        if name not in codes:
            of_it = [asset for asset, code in codes.items() if code == name]
            fix = f"name the assets in {name}: {', '.join(of_it)}" if of_it else f"it has: {', '.join(codes)}"
            raise InputError("hedged", "prices have no asset of this name", asset=name, fix=fix)


def _checked_share(share: Any, asset: str | None) -> float:
    if not isinstance(share, bool | np.bool_ | int | float | np.integer | np.floating):
        kind = type(share).__name__
        raise InputError("hedged", f"expected a share, True or False, got {kind}", asset=asset)
    if not 0.0 <= share <= 1.0:
        fix = "pass a fraction: 0.5 hedges half"
        raise InputError("hedged", f"is {share:g}, expected 0 to 1", asset=asset, fix=fix)
    return float(share)


# --- the table of rates ---


def _read_quotes(fx: Any, home: str) -> _Quotes:
    if not isinstance(fx, pd.DataFrame):
        kind = type(fx).__name__
        fix = "a Series: fx.to_frame('JPYUSD')"
        raise InputError("fx", f"expected a DataFrame with dates as index, got {kind}", fix=fix)
    dates = validate_index(fx.index, "fx")
    rates: dict[Pair, NDArray[np.float64]] = {}
    columns: dict[Pair, str] = {}
    for j, column in enumerate(fx.columns):
        pair = _parse_pair(column, home)
        if pair in columns:
            problem = f"{columns[pair]!r} and {column!r} are one rate"
            raise InputError("fx.columns", problem, fix="drop one of them")
        columns[pair] = column
        rates[pair] = float_column(fx.iloc[:, j], "fx", dates, column)
        _refuse_impossible(rates[pair], column, dates)
        _refuse_inverted(rates[pair], pair, column, dates)
    quotes = _Quotes(dates, rates, columns)
    _refuse_contradictions(quotes)
    return quotes


def _parse_pair(column: Any, home: str) -> Pair:
    """Return (currency, unit) of a column's name; of a bare code the unit is the base currency."""
    codes = re.fullmatch("([A-Z]{3})(?:/?([A-Z]{3}))?", column) if isinstance(column, str) else None
    if codes is None:
        fix = f"rename it 'EUR{home}' or 'EUR', the price of one EUR in {home}; drop what is no rate"
        raise InputError("fx.columns", f"{column!r} is neither a pair nor a currency", fix=fix)
    pair = (codes[1], codes[2] or home)
    if pair[0] == pair[1]:
        raise InputError("fx.columns", f"{column!r} is the price of {pair[0]} in itself", fix="drop it")
    return pair


def _refuse_impossible(rates: NDArray[np.float64], column: str, dates: pd.DatetimeIndex) -> None:
    bad = ~np.isnan(rates) & ~((rates >= _SMALLEST) & (rates <= _LARGEST))
    if bad.any():
        row = int(np.argmax(bad))
        problem, count = f"is {rates[row]:g}; a rate is positive and finite", int(bad.sum())
        raise InputError("fx", problem, asset=column, date=dates[row], count=count, fix="correct the source")


def _refuse_inverted(rates: NDArray[np.float64], pair: Pair, column: str, dates: pd.DatetimeIndex) -> None:
    """Refuse rates beyond twice what the pair has been since 1971 whose inverse it has been.

    Twice, because a pair near 1 may yet go where it has never been, where its inverse has.
    """
    if not all(code in _DOLLARS_FOR_ONE for code in pair):
        return
    (low, high), (unit_low, unit_high) = (_DOLLARS_FOR_ONE[code] for code in pair)
    low, high = low / unit_high, high / unit_low
    outside = (rates < low / 2.0) | (rates > high * 2.0)
    bad = outside & (1.0 / rates >= low) & (1.0 / rates <= high)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            "fx",
            f"is {rates[row]:g}, which looks inverted: since 1971 one {pair[0]} has cost {low:.2g} to "
            f"{high:.2g} {pair[1]}",
            asset=column,
            date=dates[row],
            count=int(bad.sum()),
            fix=f"pass 1 / fx[{column!r}]",
        )


def _refuse_contradictions(quotes: _Quotes) -> None:
    """Refuse a table in which two ways from one currency to another differ by more than 5 %.

    Columns are taken in their order as edges of a graph. One that joins two groups of currencies says what
    the one group is worth in the other; one within a group closes a cycle, which must come out even.
    """
    groups: dict[str, tuple[str, NDArray[np.float64]]] = {}  # the first of the group, and the log value in it
    for (code, unit), rates in quotes.rates.items():
        group, worth = groups.setdefault(code, (code, np.zeros(len(rates))))
        other_group, other_worth = groups.setdefault(unit, (unit, np.zeros(len(rates))))
        rate_before, rate = worth - other_worth, np.log(rates)
        if group == other_group:
            _refuse_gap(rate, rate_before, quotes.columns[code, unit], quotes.dates)
        for name, (its_group, its_worth) in groups.items():
            if its_group == other_group != group:
                groups[name] = (group, its_worth + rate_before - rate)


def _refuse_gap(
    rate: NDArray[np.float64], rate_before: NDArray[np.float64], column: str, dates: pd.DatetimeIndex
) -> None:
    bad = np.abs(rate - rate_before) > np.log1p(_TRIANGLE_GAP)
    if bad.any():
        row = int(np.argmax(bad))
        says = f"is {np.exp(rate[row]):.5g}, but the columns before it make it {np.exp(rate_before[row]):.5g}"
        fix = "find the column that is inverted or of another date"
        raise InputError("fx", says, asset=column, date=dates[row], count=int(bad.sum()), fix=fix)


# --- the rate of each currency on each row ---


def _rates_needed(
    quotes: _Quotes, home: str, codes: Mapping[str, str], panel: PricePanel, listed: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Return the rate of each currency on the rows of prices, shape (n_periods,); NaN where not needed."""
    rates = {home: np.ones(len(panel.index))}
    for code in dict.fromkeys(codes.values()):
        if code != home:
            of_it = [codes[asset] == code for asset in panel.assets]
            needed = np.asarray(listed[:, of_it].any(axis=1))
            rates[code] = _aligned(_rate(quotes, code, home), quotes.dates, code, panel.index, needed)
    return rates


def _rate(quotes: _Quotes, code: str, home: str) -> NDArray[np.float64]:
    """Return the price of one unit of a currency in the base, quoted or crossed, shape (n_dates,)."""
    rates = quotes.rates
    if (code, home) in rates:
        return rates[code, home]
    for unit in (unit for quoted, unit in rates if quoted == code):
        if (unit, home) in rates:
            return rates[code, unit] * rates[unit, home]
        if (home, unit) in rates:
            return rates[code, unit] / rates[home, unit]
    # A table quoted in dollars throughout serves a base of euros: the dollar itself is 1 / EURUSD. But a
    # lone USDJPY for the base of dollars is more likely meant as the dollars for a yen, and is refused.
    if (home, code) in rates and sum(unit == code for _, unit in rates) > 1:
        return 1.0 / rates[home, code]
    raise _no_rate(quotes, code, home)


def _no_rate(quotes: _Quotes, code: str, home: str) -> InputError:
    neighbours = {other for pair in quotes.rates if home in pair for other in pair}
    for other, unit in quotes.rates:
        if unit == code and other in neighbours:
            column = quotes.columns[other, unit]
            problem = f"is the wrong way round: {code} for one {other}, not {other} for one {code}"
            fix = f"pass 1 / fx[{column!r}] as '{code}{other}'"
            return InputError("fx", problem, asset=column, fix=fix)
    have = ", ".join(quotes.columns.values()) or "no column"
    fix = f"add '{code}{home}', the price of one {code} in {home}; it has: {have}"
    return InputError("fx", f"no rate of {code} in {home}, nor two that make one", asset=code, fix=fix)


def _aligned(
    rates: NDArray[np.float64],
    dates: pd.DatetimeIndex,
    code: str,
    index: pd.DatetimeIndex,
    needed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the rates on the rows of prices, refusing a needed row that has none."""
    aligned = np.asarray(pd.Series(rates, index=dates).reindex(index), dtype=np.float64)
    for bad, problem in (
        (needed & ~index.isin(dates), "no row on this date of prices"),
        (needed & np.isnan(aligned), "NaN on this date of prices"),
    ):
        if bad.any():
            count = f"{int(bad.sum())} of the {int(needed.sum())} rows that need one have none"
            raise InputError(
                "fx",
                f"{problem}; {count}",
                asset=code,
                date=index[int(np.argmax(bad))],
                fix="get the rates, which are never filled, or keep the rows of prices that have one",
            )
    return aligned


# --- what a forward costs ---


def _forward_premiums(
    cash: Any,
    home: str,
    codes: Mapping[str, str],
    shares: Mapping[str, float],
    panel: PricePanel,
    listed: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Return F0/S0 of the period that ends at each row, by hedged currency, shape (n_periods,)."""
    first_rows: dict[str, int] = {}
    for j, asset in enumerate(panel.assets):
        if shares[asset]:
            first = int(np.argmax(listed[:, j]))
            first_rows[codes[asset]] = min(first, first_rows.get(codes[asset], first))
    if not first_rows:
        return {}
    at_home = 1.0 + _cash_returns(cash, home, panel, min(first_rows.values()))
    return {
        code: at_home / (1.0 + _cash_returns(cash, code, panel, first)) for code, first in first_rows.items()
    }


def _cash_returns(cash: Any, code: str, panel: PricePanel, first: int) -> NDArray[np.float64]:
    """Return the cash return of one currency, shape (n_periods,), 0 up to the first row that is hedged."""
    if not isinstance(cash, Mapping):
        kind = type(cash).__name__
        fix = f"pass what cash earns in each currency, e.g. {{{code!r}: 0.02, ...}}"
        raise InputError("cash", f"a hedge needs a mapping of currency to cash, got {kind}", fix=fix)
    if code not in cash:
        fix = "add it; a forward is priced from the cash returns of both currencies"
        raise InputError("cash", "not given, and needed for the hedge", asset=code, fix=fix)
    first = min(first, len(panel.index) - 2)
    try:
        returns = validate_cash(cash[code], panel.index[first:], panel.days[first:], panel.frequency)
    except InputError as error:
        at = error.date
        raise InputError(
            error.argument, error.problem, asset=code, date=at, count=error.count, fix=error.fix
        ) from None
    return np.concatenate([np.zeros(first), returns])
