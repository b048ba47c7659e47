"""What a sweep runs: a table of fixed weights, or a list of strategies."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import FixedMix, Strategy
from allocator.engine.backtest import first_decision
from allocator.engine.decisions import Mandate, decide
from allocator.errors import InputError, InsufficientHistoryError, StrategyError
from allocator.market import Market
from allocator.market.market import find_column
from allocator.sweeps.refusals import failure_of

__all__ = ["Portfolios", "grid", "plain", "read_portfolios"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Kind = TypeVar("Kind", bound=Strategy)
_MOST_LEVERAGE = 10.0  # of allocator.engine.decisions: a larger sum of weights is percent
_CASH = "cash"
_SEVERAL = (list, range, np.ndarray, pd.Series, pd.Index)


def grid(kind: type[Kind], **parameters: Any) -> list[Kind]:
    """Return a strategy for every combination of parameters, the last one varying fastest.

    A list, range, array or Series is several values; anything else, a tuple too, is one::

        grid(GoldDiversified, gold_weight=[0.0, 0.1, 0.2], growth_weight=[0.5, 0.6])

    Parameters
    ----------
    kind
        The class of the strategy, a dataclass.
    parameters
        By the names of its fields; the class itself checks the values.

    Raises
    ------
    InputError
        If a parameter is not one of the class, has no values, or is refused by the class.
    """
    if not (isinstance(kind, type) and issubclass(kind, Strategy) and is_dataclass(kind)):
        raise InputError("kind", f"{kind!r} is no class of strategies", fix="pass one such as SixtyForty")
    names = [field.name for field in fields(kind) if field.init]
    for name, values in parameters.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"
            raise InputError(name, f"{kind.__name__} has no such parameter", fix=hint)
        if isinstance(values, _SEVERAL) and not len(values):
            raise InputError(name, "no values", fix="give one at least")
    several = [_values(values) for values in parameters.values()]
    return [kind(**dict(zip(parameters, each, strict=True))) for each in itertools.product(*several)]


def _values(values: Any) -> list[Any]:
    if not isinstance(values, _SEVERAL):
        return [values]
    return values.tolist() if isinstance(values, np.ndarray | pd.Series | pd.Index) else list(values)


@dataclass(frozen=True, eq=False)
class Portfolios:
    """What is run.

    Attributes
    ----------
    names
        Shape (n_portfolios,): the index of the table, or the names of the strategies.
    labels
        What differs between them, a row each: weights by asset, or the fields of the strategies.
    weights
        Of the table, shape (n_portfolios, n_assets); None for strategies.
    strategies
        None for a table.
    assets
        The columns of ``weights``.
    """

    names: Sequence[Any]
    labels: pd.DataFrame
    weights: Array | None
    strategies: tuple[Strategy, ...] | None
    assets: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def strategy(self, number: int) -> Strategy:
        """Return one of them as a strategy."""
        if self.strategies is not None:
            return self.strategies[number]
        assert self.weights is not None
        return FixedMix(
            dict(zip(self.assets, self.weights[number].tolist(), strict=True)), str(self.names[number])
        )

    def first_rows(self, market: Market, mandate: Mandate) -> Rows:
        """Return the first row on which each can decide, shape (n_portfolios,)."""
        if self.strategies is not None:
            return np.array([self._first_row(k, market, mandate) for k in range(len(self))])
        assert self.weights is not None
        held = self.weights != 0.0
        if mandate.unlisted == "error":
            return np.asarray(np.where(held, market.listed_from, 0).max(axis=1, initial=0))
        if mandate.unlisted == "cash":
            return np.zeros(len(self), dtype=np.int64)
        listed = np.where(held, market.listed_from, market.listed_from.max())
        return np.asarray(listed.min(axis=1) * held.any(axis=1))

    def _first_row(self, number: int, market: Market, mandate: Mandate) -> int:
        try:
            return first_decision(self.strategy(number), market, mandate)
        except (InputError, StrategyError) as error:
            raise failure_of(number, error).error(self.describe(number)) from error

    def describe(self, number: int) -> str:
        """Return which portfolio this is, for a message."""
        facts = [f"{name}={self.labels[name].iloc[number]}" for name in self.labels.columns]
        return ", ".join([f"portfolio {number}, {self.names[number]!r}", *facts])

    def fixed_weights(self, market: Market, row: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return the weights of those that hold the same from a row on, and which these are.

        Shapes (n_portfolios, n_assets) and (n_portfolios,). The others have assets without a price on
        some row from ``row`` on, or decide anew each time.
        """
        if self.strategies is None:
            assert self.weights is not None
            weights = self.weights
            fixed = np.ones(len(self), dtype=bool)
        else:
            answers = [_constant(each, market, row) for each in self.strategies]
            fixed = np.array([answer is not None for answer in answers])
            nothing = np.zeros(len(market.assets))
            weights = np.array([nothing if answer is None else answer for answer in answers])
        absent = (market.listed_from > row) | (market.listed_until < len(market.index))
        return weights, fixed & ~(weights[:, absent] != 0.0).any(axis=1)


def _constant(strategy: Strategy, market: Market, row: int) -> Array | None:
    """Return the weights of a strategy that needs no past, None for another one."""
    if not strategy.is_constant:
        return None
    try:
        return decide(strategy, market, row, Mandate())[0]
    except (InsufficientHistoryError, StrategyError):
        return None  # said when it runs


def read_portfolios(portfolios: pd.DataFrame | Iterable[Strategy], market: Market) -> Portfolios:
    """Return what is to be run, checked.

    Raises
    ------
    InputError
        Names the row and the asset, or the position in the list.
    """
    if isinstance(portfolios, pd.DataFrame):
        return _from_table(portfolios, market)
    if isinstance(portfolios, Strategy) or not isinstance(portfolios, Iterable):
        problem = f"{portfolios!r} is neither a table of weights nor a list of strategies"
        raise InputError(
            "portfolios", problem, fix="pass a DataFrame, a row a portfolio, or grid(SixtyForty, ...)"
        )
    strategies = tuple(portfolios)
    if not strategies:
        raise InputError("portfolios", "none given", fix="pass a table, a list or grid(SixtyForty, ...)")
    for number, each in enumerate(strategies):
        if not isinstance(each, Strategy) or not isinstance(getattr(each, "name", None), str):
            raise InputError(f"portfolios[{number}]", f"{each!r} is no strategy with a name")
    names = [each.name for each in strategies]
    return Portfolios(names, _differing(strategies), None, strategies, market.assets)


def _from_table(table: pd.DataFrame, market: Market) -> Portfolios:
    if not len(table) or not table.shape[1]:
        raise InputError(
            "portfolios", f"empty, shape {table.shape}", fix="give a row a portfolio, a column an asset"
        )
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError("portfolios", "two columns of this name", asset=twice, fix="rename or drop one")
    assets = [asset for asset in table.columns if asset != _CASH]
    columns = [_column(market, asset) for asset in assets]
    given = _numbers(table)
    if _CASH in table.columns:
        _check_whole(table, given)
    weights = np.zeros((len(table), len(market.assets)))
    weights[:, columns] = given[:, table.columns != _CASH]
    return Portfolios(list(table.index), table.reset_index(drop=True), weights, None, market.assets)


def _column(market: Market, asset: Any) -> int:
    column = find_column(market, asset)
    if column is None:
        near = difflib.get_close_matches(str(asset), market.assets, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the market has {', '.join(market.assets)}"
        raise InputError("portfolios", "not in the market", asset=asset, fix=hint)
    return column


def _numbers(table: pd.DataFrame) -> Array:
    for asset, kind in zip(table.columns, table.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            raise InputError("portfolios", f"{kind} is not numeric", asset=asset, fix="give fractions")
    weights = table.to_numpy(dtype=np.float64, na_value=np.nan)
    for bad, problem, fix in (
        (~np.isfinite(weights), "is {}", "give every weight, 0 for what is not held"),
        (weights < 0.0, "is {:g}, negative", "short positions go through run_backtest(allow_short=True)"),
    ):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            problem = f"row {table.index[row]!r} " + problem.format(weights[row, column])
            raise InputError("portfolios", problem, asset=table.columns[column], fix=fix)
    sums = weights.sum(axis=1)
    if sums.max() > _MOST_LEVERAGE + 1e-9:
        row = int(np.argmax(sums > _MOST_LEVERAGE + 1e-9))
        raise InputError(
            "portfolios", f"row {table.index[row]!r} sums to {sums[row]:g}", fix="pass fractions, not percent"
        )
    return np.asarray(weights)


def _check_whole(table: pd.DataFrame, weights: Array) -> None:
    """Refuse rows that do not sum to one although they say what is cash."""
    off = np.abs(weights.sum(axis=1) - 1.0) > 1e-8
    if off.any():
        row = int(np.argmax(off))
        problem = f"row {table.index[row]!r} sums to {weights[row].sum():g} with its cash"
        raise InputError("portfolios", problem, fix="name no cash, or all that is left")


def _differing(strategies: Sequence[Strategy]) -> pd.DataFrame:
    """Return the fields in which strategies differ, a row each; those of a fixed mix are its assets."""
    given = [_fields(each) for each in strategies]
    names = list(dict.fromkeys(name for each in given for name in each))
    different = [name for name in names if len({each[name] for each in given if name in each}) > 1]
    empty: dict[str, Any] = {}
    if all(isinstance(each, FixedMix) for each in strategies):
        different, empty = names, dict.fromkeys(names, 0.0)
    return pd.DataFrame(
        {name: [each.get(name, empty.get(name, np.nan)) for each in given] for name in different}
    )


def _fields(strategy: Strategy) -> dict[str, Any]:
    if isinstance(strategy, FixedMix):
        return {asset: weight for asset, weight in strategy.mix.items() if asset != _CASH}
    if not is_dataclass(strategy):
        return {}
    names = [field.name for field in fields(strategy) if field.name != "name"]
    return {name: plain(getattr(strategy, name)) for name in names}


def plain(value: Any) -> Any:
    """Return a number or text as it is, and anything else as text."""
    return value if isinstance(value, int | float | str | bool | None) else str(value)
