"""What an asset adds to a portfolio: at every weight, or several assets one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np
import pandas as pd

from allocator.engine import Costs, FixedMix, Rebalancing
from allocator.errors import InputError
from allocator.market import Market
from allocator.market.market import Date, parse_date
from allocator.report import show_additions as show
from allocator.report.comparison import Comparison, compare
from allocator.report.sharpe_differences import SharpeComparison, compare_sharpe
from allocator.statistics import StudentizedBootstrap, holm

__all__ = ["Additions", "additions", "weight_curve"]

_BOOTSTRAP = StudentizedBootstrap()
_BASE = "without"
_DUST = 1e-12
_TOO_CLOSE = 1e-6  # of two weights
_PERFORMANCE = ["cagr", "volatility", "sharpe", "sharpe_se", "max_drawdown", "turnover"]
_TESTS = ["difference", "low", "high", "p_value", "p_family"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Additions:
    """Portfolios with something added, beside the one without; prints itself.

    Attributes
    ----------
    table
        A row a portfolio, indexed by what was added (an asset) or its weight (0 is the portfolio without):
        ``begin``, ``n``, ``cagr``, ``volatility``, ``sharpe``, ``sharpe_se``, ``max_drawdown``, ``turnover``,
        the Sharpe ratio of the portfolio ``without``, and of their difference ``difference``, ``low``,
        ``high``, ``p_value`` (as if it were alone) and ``p_family`` (for all rows).
    base
        Weights of the portfolio without.
    title
        What was added to what.
    comparisons
        The backtests: one comparison for a curve, one an asset for assets with windows of their own.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    base: Mapping[str, float]
    title: str
    comparisons: tuple[Comparison, ...]
    conventions: tuple[str, ...]

    __repr__ = show.additions_text
    _repr_html_ = show.additions_html


def weight_curve(
    market: Market,
    base: Mapping[str, float],
    asset: str,
    weights: Sequence[float] = tuple(np.round(np.arange(0.05, 0.41, 0.05), 2).tolist()),
    *,
    funded_from: Mapping[str, float] | str,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    bootstrap: StudentizedBootstrap = _BOOTSTRAP,
) -> Additions:
    """Run a portfolio with more and more of one asset, and test each Sharpe ratio against that without.

    The p-values of the family hold for all weights together (Romano and Wolf, 2005): the best of many weights
    is better than none by chance alone.

    Parameters
    ----------
    market
        With all assets; the window is the one that they share.
    base
        Weights of the portfolio without it, or with some of it; what is missing to one is cash.
    asset
        What is added.
    weights
        What is added to its weight in ``base``, fractions, each once.
    funded_from
        The asset that makes room, or shares of several that add up to one: ``{"stocks": 0.5, "bonds": 0.5}``.
    rebalancing, costs, lag, start, end
        Those of :func:`allocator.run_backtest`.
    bootstrap
        Of the test, joint over all weights.

    Raises
    ------
    InputError
        Weights that are none, come twice, or cannot be funded, and what a run refuses.
    """
    _refuse_kinds(market, base)
    steps = _steps(weights)
    _refuse_unknown(market, [asset], "asset")
    shares = _shares(funded_from, base)
    mixes = [FixedMix(_funded(base, {asset: step}, shares), name=_percent(step)) for step in steps]
    settings = _Settings(rebalancing, costs, lag, start, end, bootstrap)
    comparison, tests = settings.compare(market, base, mixes)
    return Additions(
        table=_table(comparison, tests).set_axis(pd.Index([0.0, *steps], name="weight")),
        base=dict(base),
        title=f"{asset} added to {_said(base)}, funded from {_said(shares)}",
        comparisons=(comparison,),
        conventions=tests.conventions,
    )


def additions(
    market: Market,
    base: Mapping[str, float],
    assets: Iterable[str],
    weight: float = 0.1,
    *,
    funded_from: Mapping[str, float] | str,
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    lag: int | None = None,
    start: Date | None = None,
    end: Date | None = None,
    bootstrap: StudentizedBootstrap = _BOOTSTRAP,
) -> Additions:
    """Add assets one by one, each at the same weight, over the window in which it is there.

    Each asset is compared with the portfolio without it on its own dates, so that rows are not comparable
    with each other where ``begin`` differs. The p-values of the family are Holm's (1979) over the assets.

    Parameters are those of :func:`weight_curve`; ``weight`` is what each asset gets, and an asset listed
    after ``start`` begins when it is listed.

    Raises
    ------
    InputError
        No assets, one that comes twice, a weight that cannot be funded, and what a run refuses.
    """
    _refuse_kinds(market, base)
    step, names = _step(weight, "weight"), _names(assets)
    _refuse_unknown(market, names, "assets")
    shares = _shares(funded_from, base)
    settings = _Settings(rebalancing, costs, lag, None, end, bootstrap)
    found = [
        replace(settings, start=_unless_later(start, market, name)).compare(
            market, base, [FixedMix(_funded(base, {name: step}, shares), name=name)]
        )
        for name in names
    ]
    table = pd.concat([_table(*each).iloc[1:] for each in found])
    table["p_family"] = holm(table["p_value"])
    return Additions(
        table=table.rename_axis("asset"),
        base=dict(base),
        title=f"{step:.0%} of one asset added to {_said(base)}, funded from {_said(shares)}",
        comparisons=tuple(comparison for comparison, _ in found),
        conventions=(
            "each asset over its own window; p family: Holm (1979), over the assets",
            *_shared_lines([comparison.conventions for comparison, _ in found]),
        ),
    )


@dataclass(frozen=True)
class _Settings:
    """What all runs share."""

    rebalancing: Rebalancing | None
    costs: Costs | None
    lag: int | None
    start: Date | None
    end: Date | None
    bootstrap: StudentizedBootstrap

    def compare(
        self, market: Market, base: Mapping[str, float], mixes: Sequence[FixedMix]
    ) -> tuple[Comparison, SharpeComparison]:
        """Run a portfolio and others over the window that all can cover, and test each against the first."""
        comparison = compare(
            [FixedMix(base, name=_BASE), *mixes],
            market,
            rebalancing=self.rebalancing,
            costs=self.costs,
            lag=self.lag,
            start=self.start,
            end=self.end,
        )
        return comparison, compare_sharpe(comparison, bootstrap=self.bootstrap)


def _table(comparison: Comparison, tests: SharpeComparison) -> pd.DataFrame:
    """Return a row a portfolio, indexed by its name, the one without first."""
    performance = comparison.table
    tested = tests.table.droplevel("span")
    return pd.DataFrame(
        {
            "begin": comparison.backtests[0].returns.index[0],
            "n": performance["n"],
            **{name: performance[name] for name in _PERFORMANCE},
            "without": comparison.table["sharpe"].iloc[0],
            **{name: tested[name].reindex(performance.index) for name in _TESTS},
        }
    )


def _steps(weights: Sequence[float]) -> list[float]:
    if isinstance(weights, str) or not isinstance(weights, Iterable):
        raise InputError("weights", f"expected numbers, got {weights!r}", fix="pass fractions, [0.1, 0.2]")
    steps = [_step(weight, "weights") for weight in weights]
    if not steps or len(set(steps)) < len(steps):
        raise InputError("weights", f"{steps} are none, or one comes twice", fix="name each weight once")
    for low, high in pairwise(sorted(steps)):
        if high - low < _TOO_CLOSE:
            raise InputError("weights", f"{low!r} and {high!r} are too close to tell apart", fix="drop one")
    return steps


def _step(weight: object, argument: str) -> float:
    step = _number(weight, argument)
    if not 0.0 < step <= 1.0:
        problem = f"{step:g} is not above 0 and at most 1"
        raise InputError(argument, problem, fix="pass fractions; the portfolio without is always there")
    return step


def _number(value: object, argument: str, asset: object = None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or np.isnan(value):
        raise InputError(
            argument, f"{value!r} is no number", asset=asset, fix="pass a fraction, 0.1 for 10 %"
        )
    return float(value)


def _percent(step: float) -> str:
    """Return a weight as the name of its portfolio: two decimals, or more where it has more."""
    text = f"{step:.2%}"
    return text if abs(float(text[:-1]) - 100.0 * step) < _DUST else f"{100.0 * step:.10g}%"


def _refuse_kinds(market: object, base: object) -> None:
    if not isinstance(market, Market):
        raise InputError(
            "market", f"expected a Market, got {type(market).__name__}", fix="pass al.Market(prices)"
        )
    if not isinstance(base, Mapping):
        problem = f"expected a mapping of weights, got {type(base).__name__}"
        raise InputError("base", problem, fix='pass {"stocks": 0.6, "bonds": 0.4}')
    for name, weight in base.items():
        _number(weight, "base", name)


def _names(assets: Iterable[str]) -> list[str]:
    if not isinstance(assets, Iterable):
        raise InputError("assets", f"expected names, got {assets!r}", fix='pass ["gold"]')
    names = [assets] if isinstance(assets, str) else list(assets)
    for name in names:
        if not isinstance(name, str):
            raise InputError("assets", f"{name!r} is no name of an asset", fix='pass ["gold"]')
    if not names or len(set(names)) < len(names) or _BASE in names:
        problem = f"{names} is empty, names an asset twice, or has {_BASE!r}, which is the portfolio itself"
        raise InputError("assets", problem, fix="name each asset once")
    return names


def _refuse_unknown(market: Market, names: Sequence[str], argument: str) -> None:
    for name in names:
        if name not in market.assets:
            fix = f"the market has {', '.join(market.assets)}"
            raise InputError(argument, "is not in the market", asset=name, fix=fix)


def _unless_later(start: Date | None, market: Market, asset: str) -> Date | None:
    """Return the start, or None for an asset that is listed after it."""
    if start is None:
        return None
    listed = market.index[market.listed_from[market.assets.index(asset)]]
    return start if listed < parse_date(start, "start") else None


def _shares(funded_from: Mapping[str, float] | str, base: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(funded_from, str | Mapping):
        got = "None" if funded_from is None else type(funded_from).__name__
        problem = f"expected an asset or a mapping of shares, got {got}"
        raise InputError("funded_from", problem, fix='pass "bonds", or {"stocks": 0.5, "bonds": 0.5}')
    given = {funded_from: 1.0} if isinstance(funded_from, str) else funded_from
    shares = {name: _number(share, "funded_from", name) for name, share in given.items()}
    if not shares or abs(sum(shares.values()) - 1.0) > 1e-8 or min(shares.values()) < 0.0:
        raise InputError("funded_from", f"shares {shares} do not add up to 1", fix='e.g. {"bonds": 1.0}')
    for name in shares:
        if name not in base:
            raise InputError("funded_from", "is not in base", asset=name, fix=f"base has {', '.join(base)}")
    return shares


def _funded(
    base: Mapping[str, float], added: Mapping[str, float], shares: Mapping[str, float]
) -> dict[str, float]:
    """Return the base with something added that others make room for."""
    total = sum(added.values())
    mix = dict(base)
    for name, share in shares.items():
        mix[name] -= total * share
        if mix[name] < -_DUST:
            problem = f"{base[name]:.2%} of it cannot fund {total * share:.2%}"
            raise InputError("funded_from", problem, asset=name, fix="add less, or fund it from others too")
        mix[name] = max(mix[name], 0.0)
    for name, weight in added.items():
        mix[name] = mix.get(name, 0.0) + weight
    return mix


def _said(mix: Mapping[str, float]) -> str:
    if len(mix) == 1:
        return next(iter(mix))
    return " / ".join(f"{weight:.0%} {name}" for name, weight in mix.items())


def _shared_lines(blocks: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines that all runs say, in their order."""
    first, *others = blocks
    return [line for line in first if all(line in other for other in others)]
