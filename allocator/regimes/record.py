"""What labels are, and how they are made of a code for each period.

The label at a date belongs to the period that ends there. With ``ex_post=False`` it uses only what
was known when that period began, so the returns of the period have no part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.market import Market, Signal
from allocator.regimes._settings import refuse_no_dates, refuse_no_flag, refuse_no_text

__all__ = ["UNCLASSIFIED", "Codes", "Regimes", "coded_regimes", "present", "signal_regimes", "titled"]

UNCLASSIFIED = "unclassified"
Codes = NDArray[np.int64]  # the number of a label among the names, and one more for unclassified


@final
@dataclass(frozen=True, eq=False, init=False)
class Regimes:
    """Labels on dates.

    Attributes
    ----------
    labels
        One text a date; ``unclassified`` where the rule cannot say.
    name
        What the labels are about.
    rule
        How they were made.
    ex_post
        Whether they use what was not known when their period began. A backtest may not trade on such labels.
    order
        The labels in the order in which tables show them, ``unclassified`` last.
    next_label
        The label of the period that begins on the market's last date, as known then: what a strategy needs.
        None for labels that are ex post, or whose rule cannot say without the date on which that period ends.

    Raises
    ------
    InputError
        If the labels are no Series with dates, the order is no tuple of texts, or a fact is of another kind.
    """

    name: str
    rule: str
    ex_post: bool
    next_label: str | None

    def __init__(
        self,
        labels: pd.Series[str],
        name: str,
        rule: str,
        ex_post: bool,
        order: tuple[str, ...],
        next_label: str | None = None,
    ) -> None:
        _refuse_no_labels(labels, order, next_label)
        refuse_no_text("name", name)
        refuse_no_text("rule", rule)
        refuse_no_flag("ex_post", ex_post)
        facts = {"name": name, "rule": rule, "ex_post": ex_post, "next_label": next_label}
        vars(self).update(facts, labels=labels, order=order)

    # A strategy asks for the next label at every decision: the labels of its whole past are not made for it.
    @cached_property
    def labels(self) -> pd.Series[str]:
        """One text a date."""
        make: Callable[[], pd.Series[str]] = vars(self)["_make"]
        return make()

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The labels in the order in which tables show them."""
        names: tuple[str, ...] = vars(self)["_names"]
        return present(self.labels, names)


def _refuse_no_labels(labels: object, order: object, next_label: object) -> None:
    if not isinstance(labels, pd.Series):
        raise InputError("labels", f"expected a Series of texts with dates, got {type(labels).__name__}")
    refuse_no_dates(labels.index, "labels.index")
    if not isinstance(order, tuple) or not all(isinstance(label, str) for label in order):
        raise InputError("order", f"{order!r} is no tuple of labels", fix="name each label once, in order")
    if next_label is not None:
        refuse_no_text("next_label", next_label, "pass None where there is none")


def signal_regimes(
    market: Market,
    signal: Signal,
    sides: Callable[[NDArray[np.float64]], Codes],
    names: tuple[str, ...],
    name: str,
    rule: str,
    ex_post: bool,
) -> Regimes:
    """Return labels by the side on which the figure of each period is.

    ``sides`` turns figures into numbers of the names, and one more where there is no figure (NaN).
    """
    if ex_post:
        signal.as_described_on(market.index[:0])  # refuses figures that do not say what they describe
        rule = f"{rule}; the figure of the period itself, published after it"
    codes = partial(_sides_of_signal, market, signal, sides, ex_post)
    return coded_regimes(market, codes, names, name, rule, ex_post)


def _sides_of_signal(
    market: Market,
    signal: Signal,
    sides: Callable[[NDArray[np.float64]], Codes],
    ex_post: bool,
    first: int,
    stop: int,
) -> Codes:
    """Return the side of the figure of the period that ends on each row, or known when it began."""
    if ex_post:
        return sides(signal.as_described_on(market.index[first:stop]))
    return sides(signal.as_known_on(market.index[first - 1 : stop - 1]))


def coded_regimes(
    market: Market,
    codes: Callable[[int, int], Codes],
    names: tuple[str, ...],
    name: str,
    rule: str,
    ex_post: bool,
) -> Regimes:
    """Return labels of some names; ``codes(first, stop)`` says which for the periods that end on these rows.

    The labels are made when they are looked at; the next one, of the row after the last, at once.
    """
    n_rows, texts = len(market.days), (*names, UNCLASSIFIED)
    facts = {
        "name": name,
        "rule": rule if ex_post else f"{rule}; known when the period began",
        "ex_post": ex_post,
        "next_label": None if ex_post else texts[int(codes(n_rows, n_rows + 1)[0])],
        "_make": partial(_labels, market, codes, texts, name),
        "_names": names,
    }
    regimes = object.__new__(Regimes)
    vars(regimes).update(facts)
    return regimes


def _labels(
    market: Market, codes: Callable[[int, int], Codes], texts: tuple[str, ...], name: str
) -> pd.Series[str]:
    labels = np.array(texts, dtype=object)[codes(1, len(market.days))]
    return pd.Series(labels, index=market.index[1:], name=name, dtype=object)


def present(labels: pd.Series[str], order: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that occur, in their order, and ``unclassified`` last if it does."""
    found = set(labels)
    return tuple(label for label in (*order, UNCLASSIFIED) if label in found)


def titled(name: str) -> str:
    """Return a name to begin a text with; SPY stays SPY."""
    return name[:1].upper() + name[1:]
