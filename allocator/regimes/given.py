"""Labels of one's own, with the date on which each was known."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.market import Market, Signal
from allocator.market.prices import validate_index
from allocator.regimes._settings import refuse_no_flag, refuse_no_market
from allocator.regimes.publication import read_lag
from allocator.regimes.record import UNCLASSIFIED, Codes, Regimes, coded_regimes

__all__ = ["given_labels"]


def given_labels(
    market: Market, labels: pd.Series[str], publication_lag: int, *, ex_post: bool = False
) -> Regimes:
    """Label periods by labels of one's own: the newest that was known when each period began.

    Parameters
    ----------
    market
        Whose periods are labelled; at another frequency than the labels does no harm.
    labels
        Texts; index: the last date of the span that each describes. A missing text is ``unclassified``
        (F152). Categories keep their order in tables, other labels are sorted.
    publication_lag
        Calendar days from that date to the day on which the label was known (F148); 0 where the index holds
        those days. A label dated in hindsight, as the turning points of a business cycle are, was known only
        when it was announced: pass the dates of announcement and 0.
    ex_post
        False: what was known when the period began. True: the label that describes the period, known later.

    Returns
    -------
    Regimes
        Before the first label periods are unclassified; so is the next one, once no label has been known for
        longer than the labels ever were apart.

    Raises
    ------
    InputError
        If labels end before the market does, beyond their longest gap (F147), fewer than two are given, or
        the lag is no number of days.
    """
    refuse_no_market(market)
    refuse_no_flag("ex_post", ex_post)
    texts, names = _read(labels)
    described = pd.DatetimeIndex(texts.index)
    known = described + read_lag(publication_lag)
    numbers = {text: float(code) for code, text in enumerate((*names, UNCLASSIFIED))}
    codes = texts.map(numbers).astype(np.float64)
    signal = Signal(codes.set_axis(known), described)
    longest = (described[1:] - described[:-1]).max()
    if not ex_post:
        _refuse_missing(market.index[:-1], known[-1] + longest, described[-1])
    else:
        _refuse_missing(market.index[1:], described[-1], described[-1])
    title = "Given labels" if labels.name is None else str(labels.name)
    rule = f"labels as given, known {publication_lag} days after their date"
    rule += "; that of the period itself, known after it" if ex_post else ""
    what = partial(_codes, market, signal, known[-1] + longest, len(names), ex_post)
    return coded_regimes(market, what, names, title, rule, ex_post)


def _read(labels: object) -> tuple[pd.Series[str], tuple[str, ...]]:
    """Return the labels as texts, and their names in order, ``unclassified`` aside."""
    if not isinstance(labels, pd.Series):
        raise InputError("labels", f"expected a Series of texts, got {type(labels).__name__}")
    index = validate_index(labels.index, "labels")
    if len(index) < 2:
        raise InputError("labels", f"{len(index)} labels, at least two are needed")
    names = [str(name) for name in labels.astype("category").cat.categories]
    texts = labels.astype(object).where(labels.notna(), UNCLASSIFIED).map(str)
    return texts.set_axis(index), tuple(name for name in names if name != UNCLASSIFIED)


def _refuse_missing(dates: pd.DatetimeIndex, until: pd.Timestamp, last: pd.Timestamp) -> None:
    missing = dates[dates > until]
    if len(missing):
        raise InputError(
            "labels",
            f"the last is of {iso_date(last)}: none for {len(missing)} of {len(dates)} periods",
            date=missing[0],
            fix="give labels to the end of the market, or cut it with market.until(date)",
        )


def _codes(
    market: Market,
    signal: Signal,
    until: pd.Timestamp,
    neither: int,
    ex_post: bool,
    first: int,
    stop: int,
) -> Codes:
    """Return the code of each period, ``neither`` before the first label and once the last is too old."""
    if ex_post:
        return _whole(signal.as_described_on(market.index[first:stop]), neither)
    dates = market.index[first - 1 : stop - 1]
    found = signal.as_known_on(dates)
    return _whole(np.where(np.asarray(dates > until), np.nan, found), neither)


def _whole(codes: NDArray[np.float64], neither: int) -> Codes:
    return np.asarray(np.where(np.isnan(codes), neither, codes), dtype=np.int64)
