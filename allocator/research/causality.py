"""Proof that a strategy does not see the future: ask it in worlds that differ only after the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.engine import HOLD, OnDates, Rebalancing, Strategy, TargetWeights, run_backtest
from allocator.engine.rebalancing import default_rebalancing
from allocator.errors import InputError, InsufficientHistoryError
from allocator.market import Market
from allocator.market.market import Date, cut
from allocator.research import show
from allocator.research.belongings import Belongings, belongings_of
from allocator.research.memory import Memory
from allocator.research.worlds import FUTURES, Pristine, altered, cut_off

__all__ = ["CausalityAudit", "Finding", "audit_causality"]

Build = Callable[[Market], Strategy]
_CUT = "the market cut there"
_ORDER = "asked in another order, or without its caches: it remembers"
_TWICE = "asked twice: it does not answer alike"
_WROTE = "it wrote into the market that it is shown"
# How numbers lie in memory decides the last digit of a product: a market that is cut lies otherwise, and so
# do the tables that a function makes of a whole market.
_ROUNDING = 1e-9
_EMPTIED_FIRST = 3  # questions that are asked with the caches of functions emptied, whatever it costs
_MOST_REFUSALS = 20  # of those before the first decision that are asked again


@final
@dataclass(frozen=True)
class Finding:
    """A decision that came out differently although nothing up to its date was different.

    Attributes
    ----------
    date
        Of the decision.
    asset
        The first whose weight changed, in the order of the market; None where the kind of the answer did.
    before, after
        Its weight in the real world and in the other; NaN where there is none.
    how
        What was different, or what was done.
    detail
        What the strategy answered, where that was no weight.
    """

    date: pd.Timestamp
    asset: str | None
    before: float
    after: float
    how: str
    detail: str = ""


@final
@dataclass(frozen=True, eq=False, repr=False)
class CausalityAudit:
    """What an audit found; in a test: ``assert audit.passed, audit``.

    Attributes
    ----------
    name
        The strategy.
    market
        What it ran in.
    findings
        One a decision at most, by date.
    n_decisions, n_refusals
        Decisions examined, and refusals to decide yet, which have to be the same, too.
    n_questions
        How often the strategy was asked.
    altered
        What was given another future.
    caveats
        What the audit cannot know.
    conventions
        How it was made, a line each.
    """

    name: str
    market: Market
    findings: tuple[Finding, ...]
    n_decisions: int
    n_refusals: int
    n_questions: int
    altered: tuple[str, ...]
    caveats: tuple[str, ...]
    conventions: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def table(self) -> pd.DataFrame:
        """The findings, a row each."""
        columns = [each.name for each in fields(Finding)]
        return pd.DataFrame([[getattr(f, c) for c in columns] for f in self.findings], columns=columns)

    __repr__ = show.audit_text
    _repr_html_ = show.audit_html


def audit_causality(
    strategy: Strategy | Build,
    market: Market,
    *,
    rebalancing: Rebalancing | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
    max_leverage: float | None = None,
    allow_short: bool = False,
    every: int = 1,
    tolerance: float = 0.0,
    seed: int = 0,
) -> CausalityAudit:
    """Compare every decision of a run with the decisions in worlds that differ only after it.

    The worlds: the market really cut at the decision; the future drawn at random (prices, cash, signals
    published later); the future mirrored; an extreme future with other listings and delistings. Whatever
    dated the strategy can reach (markets, tables, arrays: in its fields, closures, globals, classes, caches)
    is given the other future for the time of the question, and a dataclass is made anew, so that what it
    works out when it is made is worked out again. The strategy is also asked in reverse order and with
    its caches emptied. All is restored afterwards; no other thread may use the market meanwhile.

    Parameters
    ----------
    strategy
        A strategy, or a function that makes one of a market. The function is the way to audit what is
        computed outside of ``weights``: tables of weights, fitted parameters, labels of regimes.
    market
        What the world did.
    rebalancing, lag, start, end, unlisted, max_leverage, allow_short
        As for :func:`allocator.run_backtest`; they say at which closes the strategy decides.
    every
        Examine every so many decisions, and the last; 1 is all of them.
    tolerance
        Largest change of a weight that is none: 0, to the bit. A solver that does not stop at the same digit
        may need 1e-9. Where the market is cut, and where a function makes the strategy, it is at least 1e-9:
        numbers that lie otherwise in memory may be added in another order.
    seed
        Of the random future.

    Returns
    -------
    CausalityAudit
        Text when printed: the first date and asset whose weight changed, and how that was found.

    Raises
    ------
    InputError
        If an argument is refused, and what ``run_backtest`` refuses.
    StrategyError
        If the strategy fails in the real world.
    """
    _check(strategy, market, every, tolerance, seed)
    own = _made(strategy, market)
    build = None if isinstance(strategy, Strategy) else strategy
    found = belongings_of(_roots(own, build), market)
    memory = Memory.of(found.places, found.forgetful)
    allowed = float(tolerance) if build is None else max(float(tolerance), _ROUNDING)
    auditor = _Auditor(own, build, market, found, memory, allowed, int(seed))
    log: list[_Question] = []
    pristine = Pristine.of(market)
    try:
        run = run_backtest(
            _Recorder(own, pristine, log, own.name),
            market,
            rebalancing=rebalancing if rebalancing is not None else _default_rule(own, market),
            lag=lag,
            start=start,
            end=end,
            unlisted=unlisted,
            max_leverage=max_leverage,
            allow_short=allow_short,
        )
        questions = _thinned(log, int(every))
        findings = auditor.examine(questions)
    finally:
        memory.restore()
        pristine.restore()
    n_refusals = sum(question.answer.kind == "refusal" for question in questions)
    failures = tuple(dict.fromkeys(auditor.failures))
    return CausalityAudit(
        own.name,
        market,
        tuple(findings),
        len(questions) - n_refusals,
        n_refusals,
        len(log) + len(auditor.asked),
        tuple(thing.path for thing in found.dated),
        show.caveats(found, build is not None, is_dataclass(own), failures),
        show.audit_conventions(run, int(every), allowed, int(seed)),
    )


def _roots(strategy: Strategy, build: Build | None) -> dict[str, Any]:
    """Return where to begin to look for what the strategy can reach, by name."""
    kind = type(strategy)
    if build is None:
        return {kind.__name__: strategy}
    return {getattr(build, "__qualname__", type(build).__name__): build, kind.__name__: kind}


def _check(strategy: object, market: object, every: object, tolerance: object, seed: object) -> None:
    if not isinstance(strategy, Strategy) and (isinstance(strategy, type) or not callable(strategy)):
        fix = "pass one such as SixtyForty(), or a function of a market that returns one"
        raise InputError("strategy", f"expected a Strategy, got {strategy!r}", fix=fix)
    if not isinstance(market, Market):
        raise InputError("market", f"expected a Market, got {type(market).__name__}")
    if not _is_whole(every, least=1):
        raise InputError("every", f"{every!r} is not a number of decisions", fix="pass 1 or more")
    if not _is_whole(seed, least=0):
        raise InputError("seed", f"{seed!r} is not a whole number from 0 on", fix="pass 0, 1, 2, ...")
    if not isinstance(tolerance, int | float) or not 0.0 <= tolerance <= 1e-3:
        raise InputError("tolerance", f"{tolerance!r}", fix="pass 0 for the same to the bit, or up to 1e-3")


def _is_whole(number: Any, least: int) -> bool:
    is_number = isinstance(number, int | np.integer) and not isinstance(number, bool)
    return bool(is_number and number >= least)


def _made(strategy: Strategy | Build, market: Market) -> Strategy:
    made = strategy if isinstance(strategy, Strategy) else strategy(market)
    if not isinstance(made, Strategy):
        fix = "let the function return a Strategy"
        raise InputError("strategy", f"the function returned {type(made).__name__}", fix=fix)
    if not isinstance(getattr(made, "name", None), str):  # as run_backtest says it
        raise InputError("strategy", f"{made!r} has no name", fix="add a field: name: str = 'my idea'")
    return made


def _default_rule(strategy: Strategy, market: Market) -> Rebalancing:
    if isinstance(strategy, TargetWeights):
        return OnDates.of_sound(strategy.dates)
    return default_rebalancing(market.frequency)


@dataclass(frozen=True)
class _Answer:
    """What a strategy said: ``kind`` is weights, hold, refusal or error."""

    kind: str
    weights: Mapping[str, float] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, eq=False)
class _Question:
    """A decision of the run: its row, what was held where the strategy sees it, and the answer."""

    row: int
    held: Mapping[str, float] | None
    answer: _Answer
    is_intact: bool = True


def _ask(strategy: Strategy, past: Market, held: Mapping[str, float] | None) -> _Answer:
    """Return what a strategy answers, errors too."""
    try:
        answer = strategy.weights(past) if held is None else strategy.weights_from(past, dict(held))
        return _read(answer)
    except InsufficientHistoryError as refusal:
        return _Answer("refusal", detail=f"it refused to decide: {refusal}")
    except Exception as error:
        return _Answer("error", detail=f"it raised {type(error).__name__}: {error}")


def _read(answer: Any) -> _Answer:
    if answer is HOLD:
        return _Answer("hold", detail="it answered HOLD")
    return _Answer("weights", {asset: float(weight) for asset, weight in answer.items()})


@dataclass(frozen=True, eq=False)
class _Recorder(Strategy):
    """Writes down what a strategy is asked and answers, in a run that is otherwise its own."""

    inner: Strategy
    pristine: Pristine
    log: list[_Question]
    name: str

    @property
    def sees_holdings(self) -> bool:
        return self.inner.sees_holdings

    def weights(self, past: Market) -> Any:
        return self._recorded(past, None)

    def weights_from(self, past: Market, held: Mapping[str, float]) -> Any:
        return self._recorded(past, held)

    def _recorded(self, past: Market, held: Mapping[str, float] | None) -> Any:
        row = len(past.days) - 1
        kept = None if held is None else dict(held)
        inner = self.inner
        try:
            answer = inner.weights(past) if held is None else inner.weights_from(past, held)
        except InsufficientHistoryError as refusal:
            self.log.append(_Question(row, kept, _Answer("refusal", detail=str(refusal))))
            raise
        is_intact = self.pristine.is_intact()
        self.pristine.restore()
        if answer is HOLD or isinstance(answer, Mapping | pd.Series):  # the engine refuses anything else
            self.log.append(_Question(row, kept, _read(answer), is_intact))
        return answer


def _thinned(log: list[_Question], every: int) -> list[_Question]:
    """Return every so many decisions and the last, and some of the refusals before them."""
    decided = [question for question in log if question.answer.kind != "refusal"]
    refused = [question for question in log if question.answer.kind == "refusal"]
    kept = np.unique(np.linspace(0, len(refused) - 1, min(len(refused), _MOST_REFUSALS)).astype(int))
    last = [] if (len(decided) - 1) % every == 0 else decided[-1:]
    written = [question for question in decided if not question.is_intact][:1]
    chosen = [*(refused[k] for k in kept), *decided[::every], *last, *written]
    return sorted(dict.fromkeys(chosen), key=lambda question: question.row)


@dataclass(frozen=True, eq=False)
class _Auditor:
    """What the questions need; ``asked`` has a row for each, ``failures`` what could not be built."""

    strategy: Strategy
    build: Build | None
    market: Market
    found: Belongings
    memory: Memory
    tolerance: float
    seed: int
    asked: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def examine(self, questions: list[_Question]) -> list[Finding]:
        """Return what the questions find, by date.

        Emptying the caches of functions may make them work long (a compiled problem of a solver), so this is
        done for a few questions first, and for all only if it makes one of them find something.
        """
        memory = self.memory.with_caches(self._probes(questions))
        thorough = replace(self, memory=memory)
        remembers = thorough._in_reverse(questions)
        if memory.forgetful:
            few = np.unique(np.linspace(0, len(questions) - 1, _EMPTIED_FIRST).astype(int))
            if not any(thorough._examine(questions[k], remembers) for k in few):
                thorough = replace(self, memory=memory.without_functions())
        findings = (thorough._examine(question, remembers) for question in questions)
        return [finding for finding in findings if finding is not None]

    def _probes(self, questions: list[_Question]) -> list[Callable[[], object]]:
        """Return questions that fill a cache differently: the last, the first, and that in another world."""
        first, last = next((q for q in questions if q.answer.kind != "refusal"), questions[0]), questions[-1]

        def elsewhere() -> _Answer:
            with altered(self.found.dated, self.market.index[first.row], "random", self.seed):
                return self._ask_here(first)

        if first is last:
            return [lambda: self._ask_here(last)]
        return [lambda: self._ask_here(last), lambda: self._ask_here(first), elsewhere]

    def _examine(self, question: _Question, remembers: Mapping[int, _Answer]) -> Finding | None:
        if not question.is_intact:
            return self._finding(question, question.answer, _WROTE)
        if question.row in remembers:
            return self._remembering(question, remembers[question.row])
        return self._cut_there(question) or next(self._with_other_futures(question), None)

    def _in_reverse(self, questions: list[_Question]) -> dict[int, _Answer]:
        """Return by row the answers that differ when asked from the last question to the first."""
        self.memory.forget()
        strategy = self._anew(self.market) if self.build is not None else self.strategy
        answers = {q.row: self._answer(strategy, cut(self.market, q.row + 1), q) for q in reversed(questions)}
        return {q.row: answers[q.row] for q in questions if not self._same(q.answer, answers[q.row])}

    def _remembering(self, question: _Question, other: _Answer) -> Finding:
        """Tell apart what depends on what was asked before and what depends on nothing."""
        answers = []
        for _ in range(2):
            self.memory.forget()
            answers.append(self._ask_here(question))
        how = _ORDER if self._same(*answers) else _TWICE
        return self._finding(question, other, how)

    def _cut_there(self, question: _Question) -> Finding | None:
        """Ask with a market that has no memory beyond the decision."""

        def compared(strategy: Build) -> _Answer | None:
            past = cut_off(self.market, question.row + 1)
            answer = self._answer(strategy(past), past, question)
            near = answer.kind == question.answer.kind and (
                _largest_change(question.answer, answer) <= max(self.tolerance, _ROUNDING)
            )
            return None if near else answer

        return self._confirmed(question, compared, _CUT)

    def _with_other_futures(self, question: _Question) -> Iterator[Finding]:
        date = self.market.index[question.row]
        for future, how in FUTURES.items():

            def compared(strategy: Build, future: str = future) -> _Answer | None:
                with altered(self.found.dated, date, future, self.seed):
                    past = cut(self.market, question.row + 1)
                    answer = self._answer(strategy(self.market), past, question)
                return None if self._same(question.answer, answer) else answer

            finding = self._confirmed(question, compared, how)
            if finding is not None:
                yield finding

    def _confirmed(
        self, question: _Question, compared: Callable[[Build], _Answer | None], how: str
    ) -> Finding | None:
        """Return a finding if a strategy that answers alike here answers otherwise there.

        One made anew is asked first: what it works out when it is made is worked out again. If it is not the
        same strategy any more, which shows here, the given one is asked.
        """
        for strategy in (self._anew, lambda _: self.strategy):
            self.memory.forget()
            try:
                answer = compared(strategy)
            except _NotBuiltError as failure:
                self.failures.append(f"{how}: {failure}")
                return None
            if answer is None:
                return None
            self.memory.forget()
            here = self._answer(strategy(self.market), cut(self.market, question.row + 1), question)
            if self._same(question.answer, here):
                return self._finding(question, answer, how)
            if self.build is not None:
                return None
        return None

    def _anew(self, market: Market) -> Strategy:
        """Return the strategy made again."""
        if self.build is None:
            again: Strategy = _remade(self.strategy)
            return again
        try:
            return _made(self.build, market)
        except Exception as error:
            raise _NotBuiltError(f"{type(error).__name__}: {error}") from error

    def _ask_here(self, question: _Question) -> _Answer:
        return self._answer(self.strategy, cut(self.market, question.row + 1), question)

    def _answer(self, strategy: Strategy, past: Market, question: _Question) -> _Answer:
        self.asked.append(question.row)
        return _ask(strategy, past, question.held)

    def _same(self, one: _Answer, other: _Answer) -> bool:
        return one.kind == other.kind and _largest_change(one, other) <= self.tolerance

    def _finding(self, question: _Question, other: _Answer, how: str) -> Finding:
        """Return what changed first."""
        date, before = self.market.index[question.row], question.answer
        for asset in [*self.market.assets, *other.weights] if before.kind == other.kind else []:
            pair = before.weights.get(asset, 0.0), other.weights.get(asset, 0.0)
            if not abs(pair[0] - pair[1]) <= self.tolerance:
                return Finding(date, asset, *pair, how)
        detail = other.detail or before.detail
        return Finding(date, None, np.nan, np.nan, how, detail)


class _NotBuiltError(Exception):
    """The function that makes the strategy failed in another world."""


def _largest_change(one: _Answer, other: _Answer) -> float:
    """Return the largest change of a weight; infinite where one is NaN or the kind of the answer changed."""
    if one.kind != other.kind:
        return np.inf
    pairs = (
        abs(one.weights.get(asset, 0.0) - other.weights.get(asset, 0.0))
        for asset in one.weights.keys() | other.weights.keys()
    )
    return max((gap if gap == gap else np.inf for gap in pairs), default=0.0)


def _remade(thing: Any) -> Any:
    """Return a dataclass made again of its fields, and those within it; what cannot be made is left."""
    if isinstance(thing, tuple | list):
        parts = [_remade(part) for part in thing]
        same = all(new is old for new, old in zip(parts, thing, strict=True))
        return thing if same or type(thing) not in (tuple, list) else type(thing)(parts)
    if not is_dataclass(thing) or isinstance(thing, type | Market):
        return thing
    try:
        inner = {each.name: _remade(getattr(thing, each.name)) for each in fields(thing) if each.init}
        return type(thing)(**inner)
    except Exception:
        return thing
