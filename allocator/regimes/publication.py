"""What a rule is told about a figure: its name, and when it was known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.market.market import is_cut, signal_in_hindsight
from allocator.market.prices import float_column, validate_index
from allocator.market.signals import validate_signals
from allocator.regimes._settings import refuse_huge, refuse_no_market

__all__ = ["published", "read_lag", "read_signal"]

_LONGEST_LAG = 3_660  # days, ten years


def published(values: pd.Series[float], publication_lag: int) -> Signal:
    """Return a raw series as a signal: each figure known some days after the period that it describes.

    Revisions are not undone: where a series was revised, its first prints are what was known.

    Parameters
    ----------
    values
        Figures; index: the last date of the period that each describes.
    publication_lag
        Calendar days from that date to the publication, the longest of them: about 15 for US consumer
        prices, 30 for the first print of US growth. 0 where the index holds the dates of publication.

    Raises
    ------
    InputError
        If the lag is no whole number of days from 0, or the values are not finite numbers on
        increasing dates.
    """
    if not isinstance(values, pd.Series):
        raise InputError("values", f"expected a Series with dates, got {type(values).__name__}")
    described = validate_index(values.index, "values")
    if not len(described):
        raise InputError("values", "no figures", fix="pass a Series with a figure a period")
    figures = float_column(values, "values", described)
    _refuse_no_figures(figures, described)
    known = described + read_lag(publication_lag)
    name = "figure" if values.name is None else str(values.name)
    return validate_signals({name: Signal(pd.Series(figures, index=known), described)})[name]


def _refuse_no_figures(figures: Any, described: pd.DatetimeIndex) -> None:
    odd = np.flatnonzero(~np.isfinite(figures))
    if len(odd):
        problem, fix = f"is {figures[odd[0]]}", "drop the periods without a figure: values.dropna()"
        raise InputError("values", problem, date=described[odd[0]], count=len(odd), fix=fix)
    refuse_huge(figures[:, np.newaxis], "values", None, described)


def read_lag(days: int) -> pd.Timedelta:
    """Return a lag of publication, refusing what is no whole number of days from 0 (F148)."""
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or not 0 <= days <= _LONGEST_LAG:
        raise InputError(
            "publication_lag",
            f"{days!r} is no whole number of days from 0 to {_LONGEST_LAG:,}",
            fix="pass the days from the end of a period to the publication of its figure",
        )
    return pd.Timedelta(days=int(days))


def read_signal(
    market: Market, signal: str | Signal, ex_post: bool, argument: str = "signal"
) -> tuple[str, Signal]:
    """Return the name of a signal, and it as it was known on the market's last date; or all, in hindsight.

    Raises
    ------
    InputError
        For a name that the market does not have, and for a raw series, of which nobody knows when it was
        published.
    """
    refuse_no_market(market)
    if isinstance(signal, str):
        if signal not in market.signals:
            known = ", ".join(market.signals) or "none"
            raise InputError(argument, f"this market has no {signal!r}", fix=f"it has: {known}")
        return signal, signal_in_hindsight(market, signal) if ex_post else market.signal(signal)
    if not isinstance(signal, Signal):
        raise InputError(
            argument,
            f"expected the name of a signal or a Signal, got {type(signal).__name__}",
            fix="say when its figures were known: published(series, publication_lag=days)",
        )
    given = getattr(signal.values, "name", None)
    name = "signal" if given is None else str(given)
    checked = validate_signals({name: signal})[name]
    in_hindsight = ex_post and not is_cut(market)
    return name, checked if in_hindsight else checked.known_by(market.index[-1])
