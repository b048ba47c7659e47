"""Which runs go together: those that share a kernel in blocks, all others one by one in smaller ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine import Costs, Rebalancing
from allocator.engine.rebalancing import BandTrigger, default_rebalancing
from allocator.market import Market
from allocator.sweeps.blocks import Block, Study, Timing
from allocator.sweeps.portfolios import Portfolios

__all__ = ["Plan", "Share", "make_plan"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
_ONE_BY_ONE = (
    16  # a block of a thousand slow runs would keep one worker busy for long, and be lost as a whole
)


@dataclass(frozen=True, eq=False)
class Share:
    """The runs of one block, and the timing of those with fixed weights."""

    runs: Rows
    timing: Timing | None


@dataclass(frozen=True, eq=False)
class Plan:
    """All runs of a sweep: run number = (portfolio × n_rules + rule) × n_costs + costs.

    Attributes
    ----------
    portfolios, study
        What is run and what all runs share.
    weights
        The fixed weights, shape (n_portfolios, n_assets).
    blocks
        What each block does.
    """

    portfolios: Portfolios
    study: Study
    weights: Array
    blocks: Sequence[Share]

    @property
    def n_runs(self) -> int:
        """The number of runs."""
        return int(np.prod(self._shape))

    @property
    def _shape(self) -> tuple[int, int, int]:
        return len(self.portfolios), len(self.study.rules), len(self.study.costs)

    def numbers(self, run: int) -> tuple[int, int, int]:
        """Return the numbers of portfolio, rule and costs of a run."""
        portfolio, rule, costs = np.unravel_index(run, self._shape)
        return int(portfolio), int(rule), int(costs)

    def all_numbers(self) -> tuple[Rows, Rows, Rows]:
        """Return the numbers of portfolio, rule and costs of all runs."""
        portfolio, rule, costs = np.unravel_index(np.arange(self.n_runs), self._shape)
        return portfolio, rule, costs

    def block(self, number: int) -> Block:
        """Return a block with all it needs; blocks are made when their turn comes."""
        share = self.blocks[number]
        which, rules, costs = np.unravel_index(share.runs, self._shape)
        if share.timing is not None:
            return Block(share.runs, rules, costs, share.timing, self.weights[which])
        return Block(share.runs, rules, costs, strategies=[self.portfolios.strategy(int(p)) for p in which])


def make_plan(portfolios: Portfolios, study: Study, block: int) -> Plan:
    """Return the blocks of all runs, in the order of the runs for each timing."""
    weights, fixed = portfolios.fixed_weights(study.market, study.built - study.lag)
    n_costs = len(study.costs)
    each = np.arange(len(portfolios)) * len(study.rules) * n_costs
    timings = [_timing(rule, study.market) for rule in study.rules]
    together: dict[object, tuple[Timing, list[Rows]]] = {}
    alone = []
    for rule, timing in enumerate(timings):
        for number, costs in enumerate(study.costs):
            runs = each + rule * n_costs + number
            if timing is None or costs.fixed:
                alone.append(runs)
                continue
            alone.append(runs[~fixed])
            together.setdefault(_key(timing, costs), (timing, []))[1].append(runs[fixed])
    shares = [share for timing, runs in together.values() for share in _cut(runs, timing, block)]
    return Plan(portfolios, study, weights, [*shares, *_cut(alone, None, min(block, _ONE_BY_ONE))])


def _timing(rule: Rebalancing | None, market: Market) -> Timing | None:
    """Return when a rule trades if the kernels know how: a calendar, a band, or both."""
    chosen = rule if rule is not None else default_rebalancing(market.frequency)
    scheduled = chosen.scheduled(market.index, market.frequency)
    triggers = chosen.triggers(market.assets, market.index, market.frequency)
    if not triggers:
        return Timing(scheduled, None, None)
    band = triggers[0]
    if len(triggers) > 1 or type(band) is not BandTrigger:
        return None
    return Timing(scheduled, (band.to, band.relative), band.tested)


def _key(timing: Timing, costs: Costs) -> object:
    """Return what runs have in common that share a kernel; widths and trading costs are by lane."""
    tested = None if timing.tested is None else timing.tested.tobytes()
    when = (timing.scheduled.tobytes(), timing.band, tested)
    return when, costs.model, float(costs.borrow_spread), float(costs.management_fee)


def _cut(runs: list[Rows], timing: Timing | None, size: int) -> Iterator[Share]:
    ordered = np.sort(np.concatenate(runs)) if runs else np.empty(0, dtype=np.int64)
    for first in range(0, len(ordered), size):
        yield Share(ordered[first : first + size], timing)
