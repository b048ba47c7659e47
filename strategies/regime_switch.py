"""A regime switch: one strategy a regime label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from allocator.engine import Hold, Strategy
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from allocator.regimes import Regimes
from strategies._inner import check_strategy
from strategies._labeller import Labeller, chosen
from strategies._mapping import FrozenMapping

__all__ = ["RegimeSwitch"]


@final
@dataclass(frozen=True)
class RegimeSwitch(Strategy):
    """Hand over the whole portfolio to the strategy of the regime that begins.

    At the close of a decision the rule is asked, with the past alone, for the label of the period that
    begins there. Whatever the strategy of that label answers is done: a HOLD holds, and a strategy that
    looks at what is held is shown the portfolio as it is. It waits until all of them have the history to
    decide, so that none ends the run in its middle.

    Parameters
    ----------
    rule
        A function of the past, such as ``al.inflation_level`` or
        ``functools.partial(al.inflation_level, threshold=0.04)``: it returns :class:`allocator.Regimes`,
        or the text of a label. Labels that are ex post are refused (F161). It is kept under the name of
        its function, so that the fingerprint of a run is the same tomorrow; a lambda has none.
    strategies
        Strategy by label. ``unclassified`` is a label like any other, but without a strategy for it a run
        begins when the rule can say.
    otherwise
        The strategy of all other labels; None refuses one, naming it and the date.
    name
        What tables call it.
    """

    rule: Callable[[Market], Regimes | str]
    strategies: Mapping[str, Strategy]
    otherwise: Strategy | None = None
    name: str = "Regime switch"

    def __post_init__(self) -> None:
        if not isinstance(self.strategies, Mapping) or not self.strategies:
            raise InputError("strategies", f"{self.strategies!r}", fix="pass {label: strategy}")
        for label, strategy in self.strategies.items():
            check_strategy(f"strategies[{label!r}]", strategy)
        if self.otherwise is not None:
            check_strategy("otherwise", self.otherwise)
        object.__setattr__(self, "rule", Labeller(self.rule))
        object.__setattr__(self, "strategies", FrozenMapping(self.strategies))

    @property
    def sees_holdings(self) -> bool:
        """Whether one of the strategies looks at what is held."""
        inner = (*self.strategies.values(), self.otherwise)
        return any(strategy is not None and strategy.sees_holdings for strategy in inner)

    def weights(self, past: Market) -> Mapping[str, float] | Hold:
        """Return what the strategy of the period that begins wants."""
        return self.weights_from(past, {})

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Mapping[str, float] | Hold:
        """Return what the strategy of the period that begins wants, knowing what is held."""
        strategy = chosen(Labeller(self.rule), self.strategies, self.otherwise, "strategies", past)
        _wait_for([each for each in self._others(strategy) if not each.is_constant], past)
        return _asked(strategy, past, held)

    def _others(self, strategy: Strategy) -> list[Strategy]:
        every = (*self.strategies.values(), self.otherwise)
        return [each for each in every if each is not None and each is not strategy]


def _asked(strategy: Strategy, past: Market, held: Mapping[str, float]) -> Mapping[str, float] | Hold:
    return strategy.weights_from(past, held) if strategy.sees_holdings else strategy.weights(past)


def _wait_for(strategies: Sequence[Strategy], past: Market) -> None:
    """Refuse to decide while one that may be asked later lacks the history: a run would end in its middle."""
    for strategy in strategies:
        try:
            _asked(strategy, past, {})
        except InsufficientHistoryError as short:
            raise InsufficientHistoryError(
                "strategies",
                f"{strategy.name!r} cannot decide yet: {short}",
                rows_needed=short.rows_needed,
            ) from short
        except Exception:  # whatever else is wrong with it is said when it is its turn
            continue
