"""Asking a strategy: the past it is shown, and the check of what it answers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.planned import TargetWeights
from allocator.engine.rebalancing import Rows
from allocator.engine.strategy import HOLD, Strategy
from allocator.errors import AllocatorError, InsufficientHistoryError, StrategyError, iso_date
from allocator.market.market import Market, cut, find_column, is_always_listed

__all__ = [
    "MOST_LEVERAGE",
    "UNLISTED_POLICIES",
    "Decision",
    "Decisions",
    "Failure",
    "Mandate",
    "NotListedError",
    "decide",
    "decide_all",
]

Array = NDArray[np.float64]
Decision = tuple[Array | None, bool]  # weights, None for HOLD, and whether the mandate capped them
UNLISTED_POLICIES = ("error", "pro_rata", "cash")
MOST_LEVERAGE = 10.0  # a larger sum of weights is percent, not leverage
_ROUNDING = 1e-9  # a solver's negative zero
_CASH = "cash"
_NO_NUMBERS = (str, bytes, bool, np.bool_)  # float() takes them


@dataclass(frozen=True)
class Mandate:
    """What a portfolio may hold.

    Attributes
    ----------
    unlisted
        What to do about an asset without a price: ``"error"``, ``"pro_rata"`` or ``"cash"``.
    allow_short
        Whether weights may be negative.
    max_leverage
        Most that absolute weights may sum to; more is scaled down. None: no limit.
    """

    unlisted: str = "error"
    allow_short: bool = False
    max_leverage: float | None = None


@dataclass(frozen=True, eq=False)
class Failure:
    """A decision that could not be made, and its row: a run that is ruined by then does not care."""

    row: int
    error: AllocatorError


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was decided on some rows.

    Attributes
    ----------
    rows
        Where, shape (n_decisions,).
    targets
        The weights, shape (n_decisions, n_assets).
    capped
        Where the mandate's leverage scaled the weights down, shape (n_decisions,).
    failure
        What the decision after these raised, if it did.
    """

    rows: Rows
    targets: Array
    capped: NDArray[np.bool_]
    failure: Failure | None = None


def decide(
    strategy: Strategy, market: Market, row: int, mandate: Mandate, held: Array | None = None
) -> Decision:
    """Return the decision on the close of ``row``, where these weights are held, shape (n_assets,).

    Raises
    ------
    StrategyError
        If the strategy fails or answers something that the mandate does not allow.
    InsufficientHistoryError
        If it needs more rows, or an asset it wants is not listed and ``unlisted`` is ``"error"``.
    """
    wanted = _wanted(strategy, market, row, mandate, held)
    return (None, False) if wanted is None else _allowed(strategy, wanted, market, row, mandate)


def _wanted(
    strategy: Strategy, market: Market, row: int, mandate: Mandate, held: Array | None
) -> Array | None:
    """Ask the strategy; None is HOLD."""
    past = cut(market, row + 1)  # the one place where time is cut: rows 0 to `row` and no other
    try:
        if strategy.sees_holdings:
            answer = strategy.weights_from(past, _named(market, held))
        else:
            answer = strategy.weights(past)
    except (InsufficientHistoryError, StrategyError):
        raise
    except Exception as error:
        said = str(error) if isinstance(error, AllocatorError) else f"raised {type(error).__name__}: {error}"
        raise StrategyError(strategy.name, past.index[-1], said) from error
    return None if answer is HOLD else _checked(strategy, past, answer, mandate)


def _named(market: Market, held: Array | None) -> dict[str, float]:
    """Return the weights that are held by asset."""
    if held is None:
        return {}
    return {market.assets[column]: float(held[column]) for column in np.flatnonzero(held)}


def _allowed(
    strategy: Strategy, wanted: Array, market: Market, row: int, mandate: Mandate
) -> tuple[Array, bool]:
    """Apply the policy for what has no price, and then the most leverage, saying whether it did."""
    weights = _listed_only(strategy, wanted, market, row, mandate)
    if mandate.max_leverage is None:
        return weights, False
    gross = float(np.abs(weights).sum())
    if gross <= mandate.max_leverage * (1.0 + 1e-12):
        return weights, False
    return weights * (mandate.max_leverage / gross), True


def decide_all(
    strategy: Strategy, market: Market, rows: Rows, mandate: Mandate, opening: Decision
) -> Decisions:
    """Return the decisions on increasing rows, of which the first is made.

    HOLD is left out, or all cash on the first row.
    """
    known = _known(strategy, market, rows, mandate, opening)
    if known is not None:
        return known
    answers, failure = [opening], None
    try:
        answers.extend(decide(strategy, market, int(row), mandate) for row in rows[1:])
    except AllocatorError as error:
        failure = Failure(int(rows[len(answers)]), error)
    kept = [k for k, (target, _) in enumerate(answers) if target is not None or k == 0]
    nothing = np.zeros(len(market.assets))
    return Decisions(
        rows[kept],
        np.array([nothing if answers[k][0] is None else answers[k][0] for k in kept]),
        np.array([answers[k][1] for k in kept], dtype=bool),
        failure,
    )


def _known(
    strategy: Strategy, market: Market, rows: Rows, mandate: Mandate, opening: Decision
) -> Decisions | None:
    """Return the decisions of a strategy that needs no past, if nothing about them depends on the date."""
    target, capped = opening
    if strategy.is_constant and target is not None and _all_listed(market, rows, None):
        return Decisions(rows, np.tile(target, (len(rows), 1)), np.full(len(rows), capped))
    if isinstance(strategy, TargetWeights):
        return _from_table(strategy, market, rows, mandate)
    return None


def _from_table(strategy: TargetWeights, market: Market, rows: Rows, mandate: Mandate) -> Decisions | None:
    """Return the rows of a table; None where a row needs a closer look."""
    columns = [find_column(market, asset) for asset in strategy.assets]
    known = strategy.by_row(rows, market)
    if None in columns or known is None:
        return None
    targets = np.zeros((len(rows), len(market.assets)))
    targets[:, np.array(columns)] = known
    gross = np.abs(targets).sum(axis=1)
    limit = MOST_LEVERAGE if mandate.max_leverage is None else min(mandate.max_leverage, MOST_LEVERAGE)
    plain = gross.max() <= limit and (mandate.allow_short or targets.min() >= 0.0)
    if not plain or not _all_listed(market, rows, targets != 0.0):
        return None
    return Decisions(rows, targets, np.zeros(len(rows), dtype=bool))


def _all_listed(market: Market, rows: Rows, wanted: NDArray[np.bool_] | None) -> bool:
    """Return whether all that is wanted on some rows has a price there; None asks it of all assets."""
    if is_always_listed(market):
        return True
    if market.listed_from.max() <= rows[0] and market.listed_until.min() > rows[-1]:
        return True
    if wanted is None:
        return False
    listed = (market.listed_from <= rows[:, None]) & (rows[:, None] < market.listed_until)
    return bool(listed[np.broadcast_to(wanted, listed.shape)].all())


def _checked(strategy: Strategy, past: Market, answer: Any, mandate: Mandate) -> Array:
    """Return an answer as weights by column, or refuse it naming the date and the asset."""
    if not isinstance(answer, Mapping | pd.Series):
        said = f"weights() returned {type(answer).__name__}; return a mapping of asset to weight"
        raise StrategyError(strategy.name, past.index[-1], said)
    if not len(answer):
        said = "weights() is empty; all cash is {'cash': 1.0}, no change is HOLD"
        raise StrategyError(strategy.name, past.index[-1], said)
    if isinstance(answer, pd.Series) and not answer.index.is_unique:
        twice = answer.index[answer.index.duplicated()][0]
        raise StrategyError(strategy.name, past.index[-1], f"weights() names {twice!r} twice; add them up")
    weights = np.zeros(len(past.assets))
    columns = [find_column(past, asset) for asset in answer.keys()]  # noqa: SIM118 (a Series has values)
    given = list(answer.values() if isinstance(answer, Mapping) else answer)
    try:
        weights[np.array(columns)] = np.fromiter(given, np.float64, len(columns))
    except (IndexError, TypeError, ValueError):
        weights[:] = np.nan
    is_odd = any(issubclass(kind, _NO_NUMBERS) for kind in set(map(type, given)))
    if is_odd or None in columns or not np.abs(weights).sum() < np.inf:
        weights = _one_by_one(strategy, past, answer)
    return _in_bounds(strategy, past, weights, answer, mandate)


def _one_by_one(strategy: Strategy, past: Market, answer: Any) -> Array:
    """Return the weights, or refuse the first that is not an asset's or not a number."""
    weights = np.zeros(len(past.assets))
    for asset, weight in answer.items():
        if asset != _CASH:
            weights[_column(strategy, past, asset)] = _number(strategy, past, asset, weight)
    return weights


def _column(strategy: Strategy, past: Market, asset: Any) -> int:
    column = find_column(past, asset)
    if column is None:
        near = difflib.get_close_matches(str(asset), past.assets, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the market has {', '.join(past.assets)}"
        raise StrategyError(
            strategy.name, past.index[-1], f"weights() names {asset!r}, which is not there{hint}"
        )
    return column


def _number(strategy: Strategy, past: Market, asset: object, weight: Any) -> float:
    try:
        value = float(cast(float, [] if isinstance(weight, _NO_NUMBERS) else weight))
    except (TypeError, ValueError):
        said = f"the weight of {asset!r} is {weight!r}, not a number"
        raise StrategyError(strategy.name, past.index[-1], said) from None
    if not -np.inf < value < np.inf:
        said = f"the weight of {asset!r} is {value}; give a number, 0 for what is not held"
        raise StrategyError(strategy.name, past.index[-1], said)
    return value


def _in_bounds(strategy: Strategy, past: Market, weights: Array, answer: Any, mandate: Mandate) -> Array:
    """Refuse percent, cash that does not add up, and short positions without a mandate."""
    gross = float(np.abs(weights).sum())
    if gross > MOST_LEVERAGE + _ROUNDING:
        said = f"weights sum to {gross:g}; pass fractions, not percent"
        raise StrategyError(strategy.name, past.index[-1], said)
    if _CASH in answer:
        total = float(weights.sum()) + _number(strategy, past, _CASH, answer[_CASH])
        if abs(total - 1.0) > 1e-8:
            said = f"weights with cash sum to {total:g}; name no cash, or all that is left"
            raise StrategyError(strategy.name, past.index[-1], said)
    if mandate.allow_short or weights.min() >= 0.0:
        return weights
    column = int(np.argmin(weights))
    if weights[column] < -_ROUNDING:
        said = f"the weight of {past.assets[column]!r} is {weights[column]:g}; a short needs allow_short=True"
        raise StrategyError(strategy.name, past.index[-1], said)
    return np.maximum(weights, 0.0)


def _listed_only(strategy: Strategy, weights: Array, market: Market, row: int, mandate: Mandate) -> Array:
    """Apply the policy for assets that have no price on the date: not listed yet, or delisted."""
    if is_always_listed(market):
        return weights
    waiting = (market.listed_from > row) & (weights != 0.0)
    gone = (market.listed_until <= row) & (weights != 0.0)
    if not waiting.any() and not gone.any():
        return weights
    if mandate.unlisted == "error":
        _refuse_delisted(strategy, weights, market, row, gone)
        asked = f"the weight asked for is {weights[int(np.argmax(waiting))]:g}"
        raise _not_listed(market, row, waiting, asked, int(market.listed_from[waiting].max()))
    if mandate.unlisted == "cash":
        return np.where(waiting | gone, 0.0, weights)
    longs, shorts = np.maximum(weights, 0.0), np.minimum(weights, 0.0)
    return _scaled_up(longs, market, row, waiting, gone) + _scaled_up(shorts, market, row, waiting, gone)


def _scaled_up(
    weights: Array, market: Market, row: int, waiting: NDArray[np.bool_], gone: NDArray[np.bool_]
) -> Array:
    """Let longs stand in for longs, or shorts for shorts; where all were delisted, cash."""
    kept = np.where(waiting | gone, 0.0, weights)
    if kept.any():
        return np.asarray(kept * (weights.sum() / kept.sum()))
    to_come = waiting & (weights != 0.0)
    if to_come.any():
        first = int(market.listed_from[to_come].min())
        raise _not_listed(market, row, to_come, "none of the assets asked for is", first)
    return kept


def _refuse_delisted(
    strategy: Strategy, weights: Array, market: Market, row: int, gone: NDArray[np.bool_]
) -> None:
    if gone.any():
        first = int(np.argmax(gone))
        date = iso_date(market.index[market.listed_until[first]])
        said = (
            f"the weight of {market.assets[first]!r} is {weights[first]:g}, but it was delisted on {date}; "
            "leave it out from then on, or choose unlisted='pro_rata' or 'cash'"
        )
        raise StrategyError(strategy.name, market.index[row], said)


class NotListedError(InsufficientHistoryError):
    """An asset that is wanted has no price yet; another day the strategy may want others."""


def _not_listed(
    market: Market, row: int, waiting: NDArray[np.bool_], problem: str, listing: int
) -> NotListedError:
    """Return the refusal; only the engine knows the row of the listing to come."""
    return NotListedError(
        "prices",
        f"not listed yet, and {problem}",
        asset=market.assets[int(np.argmax(waiting))],
        date=market.index[row],
        rows_needed=listing + 1,
        fix="start later, or choose unlisted='pro_rata' or 'cash'",
    )
