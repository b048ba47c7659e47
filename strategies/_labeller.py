"""Which label a strategy acts on: that of the period that begins at the decision, as known then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, final

from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from allocator.regimes import Regimes
from allocator.regimes.labels import UNCLASSIFIED

__all__ = ["Labeller", "chosen"]

Value = TypeVar("Value")


@final
class Labeller:
    """A rule of regimes that prints, and compares, by the name of its function and not by its address.

    Parameters
    ----------
    rule
        A function of the past that returns :class:`allocator.Regimes` or the text of a label.
    """

    def __init__(self, rule: Callable[[Market], Regimes | str]) -> None:
        if not callable(rule):
            raise InputError(
                "rule", f"{rule!r} is no function of the past", fix="pass one such as al.inflation_level"
            )
        self.rule: Callable[[Market], Regimes | str] = rule.rule if isinstance(rule, Labeller) else rule

    def __call__(self, past: Market) -> Regimes | str:
        """Return what the rule says of this past."""
        return self.rule(past)

    def label(self, past: Market) -> str:
        """Return the label of the period that begins on the last date of the past.

        Raises
        ------
        InputError
            If the labels are ex post (F161) or do not say the next one, or it is neither labels nor a text.
        """
        said = self.rule(past)
        if isinstance(said, str):
            return said
        if not isinstance(said, Regimes):
            raise InputError(
                "rule", f"{self} returned {type(said).__name__}", fix="return Regimes or the text of a label"
            )
        if said.ex_post:
            raise InputError(
                "rule",
                f"the labels of {said.name!r} are ex post: {said.rule}",
                fix="trade on labels that are known when their period begins",
            )
        if said.next_label is None:
            raise InputError(
                "rule",
                f"{said.name!r} does not say the label of the period to come",
                fix="use a rule that does, or return the text of a label",
            )
        return said.next_label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Labeller) and _identity(self.rule) == _identity(other.rule)

    def __hash__(self) -> int:
        return hash(_identity(self.rule)[0])

    def __repr__(self) -> str:
        return _text(self.rule)


def chosen(
    rule: Labeller, by_label: Mapping[str, Value], otherwise: Value | None, argument: str, past: Market
) -> Value:
    """Return what is given for the label of the period to come.

    Raises
    ------
    InputError
        If nothing is given for it, nor otherwise.
    InsufficientHistoryError
        If that label is ``unclassified``.
    """
    label = rule.label(past)
    found = by_label.get(label, otherwise)
    if found is not None:
        return found
    problem = f"nothing for the label {label!r}; there is {', '.join(map(repr, by_label))}"
    date, fix = past.index[-1], "add it, say otherwise=..., or start later"
    if label == UNCLASSIFIED:  # where a history begins a rule cannot say yet: wait for it
        raise InsufficientHistoryError(argument, problem, rows_needed=len(past.days) + 1, date=date, fix=fix)
    raise InputError(argument, problem, date=date, fix=fix)


def _identity(rule: Any) -> tuple[Any, ...]:
    """Return what two equal rules share: partials of one function with equal arguments are one rule."""
    if isinstance(rule, partial):
        return (*_identity(rule.func), rule.args, rule.keywords)
    return (rule,)


def _text(rule: Any) -> str:
    """Return the name of a function that can be imported; of others what Python prints, address and all."""
    if isinstance(rule, partial):
        named = (f"{key}={value!r}" for key, value in rule.keywords.items())
        return f"partial({', '.join([_text(rule.func), *map(repr, rule.args), *named])})"
    name = getattr(rule, "__qualname__", "<")
    return repr(rule) if "<" in name or isinstance(rule, type) else f"{rule.__module__}.{name}"
