"""Walk-forward: choose parameters on past windows, apply them to the next, and chain the results."""

from __future__ import annotations

import bisect
import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.engine import Backtest, Costs, Hold, OnDates, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import first_decision, mandate_of
from allocator.engine.decisions import Mandate
from allocator.engine.rebalancing import default_rebalancing
from allocator.errors import InputError, InsufficientHistoryError, UndefinedStatisticWarning, iso_date
from allocator.market import Market
from allocator.market.market import Date
from allocator.progress import progress_bar
from allocator.research import show
from allocator.statistics import sharpe_ratio

__all__ = ["WalkForward", "walk_forward"]

Score = Callable[["pd.Series[float]", "pd.Series[float]"], float]
_FEWEST_RETURNS = 10  # of a training window: fewer choose at random


@final
@dataclass(frozen=True, eq=False, repr=False)
class WalkForward:
    """What was chosen when, how it did afterwards, and how much was tried.

    Attributes
    ----------
    choices
        A row a choice, by the date of the decision: ``chosen``, ``in_sample`` (its score on the window
        before), ``out_of_sample`` (the score of the chained run on the window after; NaN where that is
        undefined), ``n_compared``, ``n_undefined``, and the dates of the returns, ``train_from``,
        ``train_to``, ``test_from``, ``test_to``.
    scores
        The score of every candidate at every choice, a column a candidate; NaN where it is undefined.
    backtest
        The one run that hands over to the chosen at each choice, switching costs charged.
    trials
        The run of each candidate over all rows, by name; the windows before a choice are cut from it.
    trial_sharpes
        Annualised Sharpe ratio of each candidate over the dates of ``backtest``, for a correction such as
        that of Bailey and López de Prado (2014).
    score_name
        What was maximised.
    out_of_sample_score
        Of the chained run as a whole.
    conventions
        How it was made, a line each.
    """

    choices: pd.DataFrame
    scores: pd.DataFrame
    backtest: Backtest
    trials: Mapping[str, Backtest]
    trial_sharpes: pd.Series[float]
    score_name: str
    out_of_sample_score: float
    conventions: tuple[str, ...]

    @property
    def n_tried(self) -> int:
        """Configurations that were compared."""
        return len(self.trials)

    @property
    def n_comparisons(self) -> int:
        """Scores that were compared, over all choices."""
        return int(self.choices["n_compared"].sum())

    @property
    def n_undefined(self) -> int:
        """Scores that are undefined and were left out, over all choices."""
        return int(self.choices["n_undefined"].sum())

    @property
    def trial_sharpe_variance(self) -> float:
        """Variance over the trials of their annualised Sharpe ratios (ddof 1); NaN for one trial."""
        return float(self.trial_sharpes.var(ddof=1))

    __repr__ = show.walk_text
    _repr_html_ = show.walk_html


def walk_forward(
    candidates: Mapping[str, Strategy] | Iterable[Strategy],
    market: Market,
    *,
    train_years: float,
    test_years: float,
    expanding: bool = False,
    score: Score = sharpe_ratio,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
    max_leverage: float | None = None,
    allow_short: bool = False,
) -> WalkForward:
    """Choose the best of some strategies on each past window, hold it over the next, and chain the results.

    At the close of a choice the candidate with the best score on the returns up to that close is chosen; the
    first of equals. Its weights trade ``lag`` rows later. The portfolio changes hands only where the choice
    changes, and pays for it. Each candidate is run once: a run is the same up to a row whatever follows, so
    the windows are cut from it. A score that is NaN is left out and counted.

    Parameters
    ----------
    candidates
        Strategies by name, or a list of them such as :func:`allocator.grid` makes; equal names are told
        apart by the parameters that differ.
    market
        What the world did.
    train_years, test_years
        Spans of the windows in years of rows (252 of daily data); the last window may be shorter.
    expanding
        Whether windows begin where the first one did; otherwise all are ``train_years`` long.
    score
        A function of returns per row and cash returns per row, both Series with dates; the largest wins.
    rebalancing, costs, lag, start, end, unlisted, max_leverage, allow_short
        As for :func:`allocator.run_backtest`. ``rebalancing`` is by default monthly, or the data's own
        frequency where that is slower, for all candidates. ``start`` is the first date whose return counts
        for the first choice; by default the first that all candidates allow.

    Raises
    ------
    InputError
        If there is no candidate, two are the same or have the same name as text, a window is too short, or no
        score is defined at a choice.
    InsufficientHistoryError
        If a candidate cannot decide by the first window, or no row is left to apply the first choice to.
    """
    named = _named(candidates)
    if not callable(score):
        fix = "pass one such as sharpe_ratio, without quotes"
        raise InputError("score", f"{score!r} is no function of returns and cash", fix=fix)
    if not isinstance(market, Market):
        raise InputError("market", f"expected a Market, got {type(market).__name__}")
    world = market if end is None else market.until(end)
    train, test = (_rows(world, *each) for each in (("train_years", train_years), ("test_years", test_years)))
    rule = rebalancing if rebalancing is not None else default_rebalancing(world.frequency)

    def run(strategy: Strategy, clock: Rebalancing, first: Date | None) -> Backtest:
        return run_backtest(
            strategy,
            world,
            rebalancing=clock,
            costs=costs,
            lag=lag,
            start=first,
            unlisted=unlisted,
            max_leverage=max_leverage,
            allow_short=allow_short,
        )

    mandate = mandate_of(unlisted, max_leverage, allow_short)
    common = start if start is not None else _common_start(named, world, mandate, run, rule)
    trials = {}
    with progress_bar(len(named), "trial", "walk-forward") as bar:
        for name, strategy in named.items():
            trials[name] = _trial(name, run, strategy, rule, common)
            bar.update()
    begins = len(world.index) - len(next(iter(trials.values())).returns)
    rows = _choice_rows(world, begins, train, test, next(iter(trials.values())).lag)
    windows = [(begins if expanding else row - train + 1, row) for row in rows]
    scores = _scores(trials, world, windows, score)
    chosen = _best(scores)
    chained = _chain(named, chosen, rule, run, world, rows, next(iter(trials.values())).lag)
    return _record(world, trials, windows, scores, chosen, chained, score, expanding)


def _named(candidates: Any) -> dict[str, Strategy]:
    """Return the candidates by name, refusing what is none and what is there twice."""
    if isinstance(candidates, Mapping):
        named = dict(candidates)
    elif isinstance(candidates, Iterable):
        strategies = list(candidates)
        _refuse_others(strategies)
        named = _by_label(strategies)
    else:
        raise InputError(
            "candidates", f"{candidates!r} is no list", fix="pass strategies, by name or as a list"
        )
    counted = Counter(map(str, named))
    twice = next((name for name in named if counted[str(name)] > 1), None)
    if twice is not None:
        alike = " and ".join(repr(name) for name in named if str(name) == str(twice))
        fix = "call them by different names"
        raise InputError("candidates", f"{alike} are the same name as text", fix=fix)
    if not named:
        raise InputError("candidates", "none given", fix="pass strategies, such as grid(...) makes")
    _refuse_others(list(named.values()))
    return {str(name): strategy for name, strategy in named.items()}


def _refuse_others(strategies: Sequence[Any]) -> None:
    for strategy in strategies:
        if not isinstance(strategy, Strategy):
            raise InputError("candidates", f"{strategy!r} is no Strategy", fix="pass instances: SixtyForty()")


def _by_label(strategies: Sequence[Strategy]) -> dict[str, Strategy]:
    """Return strategies by name, and by the parameters that differ where names are equal."""
    counted = Counter(strategy.name for strategy in strategies)
    labels = []
    for strategy in strategies:
        alike = [other for other in strategies if other.name == strategy.name]
        labels.append(_label(strategy, alike) if counted[strategy.name] > 1 else strategy.name)
    twice = next((label for label, count in Counter(labels).items() if count > 1), None)
    if twice is not None:
        raise InputError("candidates", f"two are {twice!r}", fix="leave one out, or give it another name=")
    return dict(zip(labels, strategies, strict=True))


def _label(strategy: Strategy, alike: Sequence[Strategy]) -> str:
    if not is_dataclass(strategy) or any(type(other) is not type(strategy) for other in alike):
        return strategy.name
    facts = [each.name for each in fields(strategy) if each.init and each.repr]
    differing = [fact for fact in facts if len({repr(getattr(other, fact)) for other in alike}) > 1]
    return ", ".join([strategy.name, *(f"{fact}={getattr(strategy, fact)!r}" for fact in differing)])


def _rows(market: Market, argument: str, years: Any) -> int:
    """Return the rows of a window, refusing one that is too short."""
    is_number = isinstance(years, int | float | np.number) and not isinstance(years, bool)
    if not is_number or not 0.0 < years < np.inf:
        raise InputError(argument, f"{years!r} is not a positive span of time")
    rows = market.frequency.rows(float(years))
    fewest = _FEWEST_RETURNS if argument == "train_years" else 1
    if rows < fewest:
        raise InputError(
            argument,
            f"a window of {years:g} years has {rows} {market.frequency} returns, fewer than {fewest}",
            fix=f"ask for {fewest / market.frequency.periods_per_year:.3g} years or more",
        )
    return rows


def _common_start(
    named: Mapping[str, Strategy],
    market: Market,
    mandate: Mandate,
    run: Callable[..., Backtest],
    rule: Rebalancing,
) -> Date:
    """Return the first date whose return counts for all candidates."""
    possible = {}
    for name, strategy in named.items():
        try:
            possible[name] = first_decision(strategy, market, mandate)
        except InsufficientHistoryError as short:
            raise _too_late(name, short) from short
    latest = max(possible, key=lambda name: possible[name])
    first: Date = run(named[latest], rule, None).returns.index[0].date()
    return first


def _trial(
    name: str, run: Callable[..., Backtest], strategy: Strategy, rule: Rebalancing, first: Date
) -> Backtest:
    try:
        trial = run(strategy, rule, first)
    except InsufficientHistoryError as short:
        raise _too_late(name, short) from short
    if trial.ruined_on is not None:
        fix = "leave it out, or set end="
        raise InputError(
            "candidates", "ruined: it has no later returns", asset=name, date=trial.ruined_on, fix=fix
        )
    return trial


def _too_late(name: str, short: InsufficientHistoryError) -> InsufficientHistoryError:
    return InsufficientHistoryError(
        "candidates",
        f"cannot decide by the first window: {short.problem}",
        asset=name,
        date=short.date,
        rows_needed=short.rows_needed,
        fix=short.fix,
    )


def _choice_rows(market: Market, begins: int, train: int, test: int, lag: int) -> list[int]:
    """Return the rows at whose close a choice is made: each needs a return after its trade."""
    n_rows = len(market.index)
    rows = list(range(begins + train - 1, n_rows - 1 - lag, test))
    if not rows:
        raise InsufficientHistoryError(
            "train_years",
            f"the first window of {train} returns from {iso_date(market.index[begins])} leaves none to apply "
            "the choice to",
            date=market.index[-1],
            rows_needed=begins + train + lag + 1,
            fix="ask for a shorter window or give a longer history",
        )
    return rows


def _scores(
    trials: Mapping[str, Backtest], market: Market, windows: Sequence[tuple[int, int]], score: Score
) -> pd.DataFrame:
    """Return the scores, a row a choice, a column a candidate."""
    begins = len(market.index) - len(next(iter(trials.values())).returns)
    table = np.full((len(windows), len(trials)), np.nan)
    for column, (name, trial) in enumerate(trials.items()):
        returns, cash = trial.returns, trial.cash_returns
        for k, (first, last) in enumerate(windows):
            rows = slice(first - begins, last - begins + 1)
            table[k, column] = _score(score, returns.iloc[rows], cash.iloc[rows], name)
    dates = market.index[[last for _, last in windows]]
    return pd.DataFrame(table, index=pd.DatetimeIndex(dates, name="decided"), columns=list(trials))


def _score(score: Score, returns: pd.Series[float], cash: pd.Series[float], name: str) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)  # counted instead
        given = score(returns, cash)
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise InputError("score", f"returned {given!r}, not a number", asset=name) from None
    if np.isinf(value):
        raise InputError(
            "score", f"is {value}", asset=name, date=returns.index[-1], fix="return NaN, or a number"
        )
    return value


def _best(scores: pd.DataFrame) -> list[str]:
    """Return the name of the largest score of each row, the first of equals."""
    empty = scores.index[scores.isna().all(axis=1)]
    if len(empty):
        problem = f"undefined for all {scores.shape[1]} candidates"
        raise InputError("score", problem, date=empty[0], fix="use longer windows or another score")
    return [str(scores.columns[k]) for k in np.nanargmax(scores.to_numpy(), axis=1)]


@final
@dataclass(frozen=True)
class _HandOver(Strategy):
    """Answers with what was chosen last."""

    dates: tuple[pd.Timestamp, ...]
    chosen: tuple[Strategy, ...]
    name: str = "Walk-forward"

    @property
    def sees_holdings(self) -> bool:
        return any(strategy.sees_holdings for strategy in self.chosen)

    def weights(self, past: Market) -> Mapping[str, float] | Hold:
        return self._latest(past).weights(past)

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Mapping[str, float] | Hold:
        strategy = self._latest(past)
        return strategy.weights_from(past, held) if strategy.sees_holdings else strategy.weights(past)

    def _latest(self, past: Market) -> Strategy:
        return self.chosen[max(bisect.bisect_right(self.dates, past.index[-1]) - 1, 0)]


def _chain(
    named: Mapping[str, Strategy],
    chosen: Sequence[str],
    rule: Rebalancing,
    run: Callable[..., Backtest],
    market: Market,
    rows: Sequence[int],
    lag: int,
) -> Backtest:
    """Return the run that hands over: beside the rule it decides where the choice changes."""
    changed = [k for k, name in enumerate(chosen) if k == 0 or name != chosen[k - 1]]
    dates = [market.index[rows[k]] for k in changed]
    strategy = _HandOver(tuple(dates), tuple(named[chosen[k]] for k in changed))
    clock = rule | OnDates(dates[1:]) if len(dates) > 1 else rule
    return run(strategy, clock, market.index[rows[0] + lag + 1].date())


def _record(
    market: Market,
    trials: Mapping[str, Backtest],
    windows: Sequence[tuple[int, int]],
    scores: pd.DataFrame,
    chosen: Sequence[str],
    chained: Backtest,
    score: Score,
    expanding: bool,
) -> WalkForward:
    returns, cash = chained.returns, chained.cash_returns
    begins, lag = len(market.index) - len(returns), chained.lag
    firsts = [last + lag + 1 for _, last in windows]
    lasts = [*(first - 1 for first in firsts[1:]), len(market.index) - 1]
    parts = [slice(a - begins, b - begins + 1) for a, b in zip(firsts, lasts, strict=True)]
    choices = pd.DataFrame(
        {
            "chosen": list(chosen),
            "in_sample": [float(scores[name].iloc[k]) for k, name in enumerate(chosen)],
            "out_of_sample": [_score_after(score, returns.iloc[p], cash.iloc[p]) for p in parts],
            "n_compared": scores.notna().sum(axis=1).to_numpy(),
            "n_undefined": scores.isna().sum(axis=1).to_numpy(),
            "train_from": market.index[[first for first, _ in windows]],
            "train_to": market.index[[last for _, last in windows]],
            "test_from": market.index[firsts],
            "test_to": market.index[lasts],
        },
        index=scores.index,
    )
    periods = float(market.frequency.periods_per_year)
    over = pd.DataFrame({name: trial.returns.loc[returns.index[0] :] for name, trial in trials.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)  # NaN says it
        sharpes = sharpe_ratio(over, cash, periods).rename("sharpe")
    return WalkForward(
        choices,
        scores,
        chained,
        dict(trials),
        sharpes,
        getattr(score, "__name__", repr(score)),
        _score_after(score, returns, cash),
        (*_conventions(windows, expanding, chosen), *chained.conventions),
    )


def _score_after(score: Score, returns: pd.Series[float], cash: pd.Series[float]) -> float:
    """Return the score of an applied choice, NaN for a window too short to have one."""
    try:
        return _score(score, returns, cash, "Walk-forward") if len(returns) > 1 else np.nan
    except InputError:
        return np.nan


def _conventions(
    windows: Sequence[tuple[int, int]], expanding: bool, chosen: Sequence[str]
) -> tuple[str, ...]:
    first, last = windows[0]
    length = f"{last - first + 1:,} returns" + (" and more, all since the first" if expanding else "")
    changes = sum(a != b for a, b in itertools.pairwise(chosen))
    return (
        f"choices: at a close, on {length} up to it, the first of equals; {changes} changes, each traded at "
        "its cost in the one run",
    )
