"""From values of a study file to strategies, rules and costs, by name from fixed lists; nothing is evaluated.

A table with ``class`` is an object of that class with the other keys as its parameters, one with
``function`` a rule of regimes with parameters, a list is a tuple, and all else is what it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from allocator import engine, regimes
from allocator.engine import Costs, Rebalancing
from allocator.engine.rebalancing import AnyOf
from allocator.errors import AllocatorError, InputError
from allocator.market import Market
from allocator.papers.sections import fields_of, nearest, text_of
from allocator.regimes import Regimes

__all__ = ["build", "construct", "made_costs", "made_rebalancing", "regime_rule"]

_REBALANCING: Mapping[str, type] = {
    each.__name__: each
    for each in (
        engine.Band,
        engine.BuyAndHold,
        engine.Daily,
        engine.EveryNRows,
        engine.LeverageAbove,
        engine.Monthly,
        engine.OnDates,
        engine.Quarterly,
        engine.Weekly,
        engine.Yearly,
    )
}
_OF_MARKET: Mapping[str, Callable[..., Regimes]] = {
    each.__name__: each
    for each in (
        regimes.correlation_sign,
        regimes.inflation_level,
        regimes.inflation_trend,
        regimes.markov_regimes,
        regimes.price_trend,
        regimes.relative_volatility,
        regimes.signal_level,
        regimes.signal_quantile,
    )
}
_OF_DATES: Mapping[str, Callable[..., Regimes]] = {
    each.__name__: each for each in (regimes.decades, regimes.eras)
}
_MODELS: Mapping[str, type] = {"MarkovModel": regimes.MarkovModel}


def build(value: Any, where: str, classes: Mapping[str, type]) -> Any:
    """Return what a value of a study file stands for.

    Raises
    ------
    InputError
        For a name that is not among the classes or rules, a parameter that they do not have, and what they
        refuse, by its place in the file.
    """
    if isinstance(value, list):
        return tuple(build(item, f"{where}[{j}]", classes) for j, item in enumerate(value))
    if not isinstance(value, dict):
        return value
    if "class" in value:
        name = text_of(value["class"], f"{where}.class")
        if name not in classes:
            raise InputError(f"{where}.class", f"{name!r} is not known", fix=nearest(name, classes))
        return construct(classes[name], _without(value, "class"), where, classes)
    if "function" in value:
        return _rule(value, where, _OF_MARKET)
    return {key: build(item, f"{where}.{key}", classes) for key, item in value.items()}


def construct(kind: type, given: Any, where: str, classes: Mapping[str, type]) -> Any:
    """Return an object of a class whose parameters are the keys of a table."""
    known = inspect.signature(kind).parameters
    needed = [name for name, p in known.items() if p.default is p.empty]
    fields = fields_of(given, where, known, needed)
    parameters = {key: build(item, f"{where}.{key}", classes) for key, item in fields.items()}
    return _called(partial(kind, **parameters), where)


def made_rebalancing(given: Any, where: str) -> Rebalancing | None:
    """Return a rule, any of several, or None for the default."""
    if given is None:
        return None
    made = build(given, where, _REBALANCING)
    rule = _called(partial(AnyOf, made), where) if isinstance(made, tuple) and made else made
    if not isinstance(rule, Rebalancing):
        raise InputError(where, "is no rule", fix='write { class = "Yearly" }, or a list of such')
    return rule


def made_costs(given: Any, where: str) -> Costs:
    """Return costs; those that are not named have their default."""
    costs = construct(Costs, given, where, {})
    assert isinstance(costs, Costs)
    return costs


@final
@dataclass(frozen=True)
class _Rule:
    """A rule of regimes for the dates of a market."""

    rule: Callable[..., Regimes]

    def __call__(self, market: Market) -> Regimes:
        return self.rule(market.index[1:])


def regime_rule(given: Any, where: str) -> Callable[[Market], Regimes]:
    """Return what makes the labels of a market: a function by its name with parameters."""
    named = fields_of(given, where, None, ["function"])["function"]
    if isinstance(named, str) and named in _OF_DATES:
        return _Rule(_rule(given, where, _OF_DATES))
    return _rule(given, where, {**_OF_MARKET, **_OF_DATES})


def _rule(
    value: dict[str, Any], where: str, functions: Mapping[str, Callable[..., Regimes]]
) -> Callable[..., Regimes]:
    name = text_of(value["function"], f"{where}.function")
    if name not in functions:
        raise InputError(f"{where}.function", f"{name!r} is not known", fix=nearest(name, functions))
    _, *known = inspect.signature(functions[name]).parameters
    fields = fields_of(_without(value, "function"), where, known)
    return partial(functions[name], **{key: build(v, f"{where}.{key}", _MODELS) for key, v in fields.items()})


def _called(make: Callable[[], Any], where: str) -> Any:
    """Return what is made, or refuse it by its place in the file."""
    try:
        return make()
    except InputError as refusal:
        facts = {"asset": refusal.asset, "date": refusal.date, "fix": refusal.fix}
        raise InputError(f"{where}.{refusal.argument}", refusal.problem, **facts) from refusal
    except AllocatorError:
        raise
    except Exception as error:  # a value of a type that a class did not look at
        problem = f"cannot be made: {type(error).__name__}: {error}"
        raise InputError(where, problem[:300], fix="check the types of its values") from error


def _without(table: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}
