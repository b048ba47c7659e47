"""The regimes of a study: how stocks and bonds move together, and what each strategy did, in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, final

import pandas as pd

from allocator.engine import Backtest
from allocator.errors import InputError, iso_date
from allocator.market import Market
from allocator.market.market import column_of
from allocator.market.resample import month_ends
from allocator.regimes import (
    ConditionalTable,
    Regimes,
    conditional_correlation,
    conditional_performance,
    correlation_sign,
    decades,
    eras,
    inflation_level,
    inflation_trend,
)
from allocator.regimes.conditional import FEWEST
from allocator.report.comparison import Comparison
from allocator.report.sharpe_differences import SharpeComparison, sharpe_by_regime
from allocator.report.study_text import study_text
from allocator.statistics import (
    ConstancyBootstrap,
    ConstantCorrelationTest,
    CorrelationInterval,
    StudentizedBootstrap,
    constant_correlation_test,
    correlation_interval,
)
from allocator.tables import html_text

__all__ = ["RegimeStudy", "default_regimes", "regime_frame", "study_regimes"]

_ESTIMATE = ["n", "correlation", "low", "high"]
_KEYS = ["definition", "ex_post", "regime"]
_Tables = tuple[ConditionalTable, ...]
_Reasons = tuple[str, ...]


@final
@dataclass(frozen=True, eq=False, repr=False)
class RegimeStudy:
    """Tables by regime, one a definition of regimes.

    Attributes
    ----------
    correlation
        Stock–bond correlation over the whole market, at the market's own frequency.
    month_end_correlation
        The same from month ends, where the market is daily or weekly; else empty.
    overall, constancy
        The correlation over all dates with HAC, bootstrap and naive intervals, and a test that it is
        constant; of the market's own frequency, and then of month ends where that is daily or weekly.
    performance
        Sharpe ratio and drawdown of the strategies over their common window; not of ruined ones.
    differences
        Sharpe ratios of the others less that of the first strategy, by regime, with p-values for all tests
        of a definition.
    left_out
        Tables that could not be made here, and why.
    market
        What was studied.
    """

    correlation: tuple[ConditionalTable, ...]
    month_end_correlation: tuple[ConditionalTable, ...]
    overall: tuple[CorrelationInterval, ...]
    constancy: tuple[ConstantCorrelationTest, ...]
    performance: tuple[ConditionalTable, ...]
    differences: tuple[SharpeComparison, ...]
    left_out: tuple[str, ...]
    market: Market

    __repr__ = study_text

    def _repr_html_(self) -> str:
        tables: tuple[Any, ...] = (
            *self.overall,
            *self.constancy,
            *self.correlation,
            *self.month_end_correlation,
            *self.performance,
            *self.differences,
        )
        left_out = (f"<p>left out: {html_text(reason)}</p>" for reason in self.left_out)
        return "".join([*(f"<div>{table._repr_html_()}</div>" for table in tables), *left_out])


def default_regimes(market: Market, stocks: str, bonds: str) -> list[Regimes]:
    """Return the regimes that a study of this market looks at.

    Inflation where the market has the signal ``inflation``, as known and as it was; the sign of the
    trailing correlation of the two assets; eras; decades, unless a decade has too few rows.
    """
    return _made(market, stocks, bonds)[0]


def study_regimes(comparison: Comparison, stocks: str, bonds: str, *, seed: int = 0) -> RegimeStudy:
    """Return the correlation of two assets, and how the strategies did, in the default regimes.

    Parameters
    ----------
    comparison
        What was run; the correlation is over its whole market, not only the common window.
    stocks, bonds
        Names of the two assets in the market.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If the market lacks one of the assets.
    """
    market = comparison.market
    regimes, unmade = _made(market, stocks, bonds)
    correlation, uncorrelated = _correlations("correlation", market, stocks, bonds, regimes, seed)
    thinned, unthinned = _thinned(market)
    by_month, unmonthly = _month_end_tables(thinned, stocks, bonds, seed, unmade)
    overall, constancy, unknown = _all_dates([market, *thinned], stocks, bonds, seed)
    performance, unperformed = _performances(comparison, regimes, seed)
    differences, untested = _differences(comparison, regimes, seed)
    left_out = (*unmade, *uncorrelated, *unthinned, *unmonthly, *unknown, *unperformed, *untested)
    return RegimeStudy(correlation, by_month, overall, constancy, performance, differences, left_out, market)


def regime_frame(study: RegimeStudy) -> pd.DataFrame:
    """Return all correlations in one frame for a file: a row a regime, fractions, month ends beside."""
    frame = _flat(study.correlation)
    if study.month_end_correlation:
        months = _flat(study.month_end_correlation)[_ESTIMATE].add_prefix("month_end_")
        every = frame.index.union(months.index, sort=False)
        frame = frame.reindex(every).join(months)
    frame = frame.reset_index()
    first = ["regime", *_ESTIMATE]
    return frame[[*first, *(column for column in frame.columns if column not in first)]]


def _definitions(market: Market, stocks: str, bonds: str) -> Iterator[tuple[str, Callable[[], Regimes]]]:
    """Yield the name of each definition, and what makes its labels or refuses to."""
    yield "Inflation level", lambda: inflation_level(market)
    yield "Inflation trend", lambda: inflation_trend(market)
    yield "Inflation level of the same period", lambda: inflation_level(market, ex_post=True)
    yield "Inflation trend of the same period", lambda: inflation_trend(market, ex_post=True)
    yield "Trailing correlation", lambda: correlation_sign(market, stocks, bonds)
    yield "Era", lambda: _real_eras(market)
    yield "Decade", lambda: _long_decades(market)


def _real_eras(market: Market) -> Regimes:
    if market.simulated:
        raise InputError("regimes", "simulated dates have no history")
    return eras(market.index[1:])


def _long_decades(market: Market) -> Regimes:
    rows = market.frequency.rows(10.0)
    if rows < FEWEST:
        raise InputError("regimes", f"{rows} returns a decade, at least {FEWEST} are needed")
    return decades(market.index[1:])


def _made(market: Market, stocks: str, bonds: str) -> tuple[list[Regimes], _Reasons]:
    """Return the regimes that can be made, and why the others cannot, a line a reason."""
    for asset in (stocks, bonds):
        column_of(market, asset)  # refuses a name that is not there
    made: list[Regimes] = []
    refused: dict[str, list[str]] = {}
    for name, make in _definitions(market, stocks, bonds):
        try:
            made.append(make())
        except InputError as refusal:
            refused.setdefault(refusal.problem, []).append(name)
    return made, tuple(f"{', '.join(names)}: {problem}" for problem, names in refused.items())


def _correlations(
    what: str, market: Market, stocks: str, bonds: str, regimes: Iterable[Regimes], seed: int
) -> tuple[_Tables, _Reasons]:
    returns = market.returns[[stocks, bonds]].dropna()  # only the rows before both are listed
    return _tables(
        what,
        market,
        regimes,
        lambda each: conditional_correlation(returns[stocks], returns[bonds], each, seed=seed),
    )


def _thinned(market: Market) -> tuple[list[Market], _Reasons]:
    """Return the market at its month ends; none of a market that is monthly or slower."""
    if market.frequency.is_calendar:
        return [], ()
    try:
        return [month_ends(market)], ()
    except InputError as refusal:
        return [], (f"month-end correlation: {refusal.problem}",)


def _month_end_tables(
    thinned: Iterable[Market], stocks: str, bonds: str, seed: int, said: _Reasons
) -> tuple[_Tables, _Reasons]:
    """Return the correlations from month ends, where there are any."""
    for market in thinned:
        try:
            regimes, unmade = _made(market, stocks, bonds)
        except InputError as refusal:
            return (), (f"month-end correlation: {refusal.problem}",)
        tables, why = _correlations("month-end correlation", market, stocks, bonds, regimes, seed)
        return tables, (*(f"month ends, {reason}" for reason in unmade if reason not in said), *why)
    return (), ()


def _all_dates(
    markets: Iterable[Market], stocks: str, bonds: str, seed: int
) -> tuple[tuple[CorrelationInterval, ...], tuple[ConstantCorrelationTest, ...], _Reasons]:
    """Return the correlation over all dates at each frequency, and the test that it is constant."""
    intervals, tests, left_out = [], [], []
    for market in markets:
        returns = market.returns[[stocks, bonds]].dropna()
        x, y = returns[stocks], returns[bonds]
        try:
            intervals.append(correlation_interval(x, y, seed=seed))
            tests.append(constant_correlation_test(x, y, ConstancyBootstrap(seed=seed)))
        except InputError as refusal:
            left_out.append(f"correlation over all dates, {market.frequency}: {refusal.problem}")
    return tuple(intervals), tuple(tests), tuple(left_out)


def _differences(
    comparison: Comparison, regimes: Iterable[Regimes], seed: int
) -> tuple[tuple[SharpeComparison, ...], _Reasons]:
    """Return the differences of Sharpe ratios by regime, for each definition that has some."""
    if len(comparison.backtests) < 2:
        return (), ()
    found, left_out = [], []
    for each in regimes:
        try:
            found.append(sharpe_by_regime(comparison, each, StudentizedBootstrap(seed=seed)))
        except InputError as refusal:
            left_out.append(f"differences of Sharpe ratios by {each.name} ({each.rule}): {refusal.problem}")
    return tuple(found), tuple(left_out)


def _performances(comparison: Comparison, regimes: Iterable[Regimes], seed: int) -> tuple[_Tables, _Reasons]:
    alive = [backtest for backtest in comparison.backtests if backtest.ruined_on is None]
    ruined = tuple(_ruin(backtest) for backtest in comparison.backtests if backtest.ruined_on is not None)
    if not alive:
        return (), ruined
    returns = pd.concat([backtest.returns for backtest in alive], axis=1)
    cash, periods = alive[0].cash_returns, comparison.market.frequency.periods_per_year
    tables, why = _tables(
        "performance",
        comparison.market,
        regimes,
        lambda each: conditional_performance(returns, cash, each, periods, seed=seed),
    )
    return tables, (*ruined, *why)


def _ruin(backtest: Backtest) -> str:
    return f"performance of {backtest.name!r}: it was ruined on {iso_date(backtest.ruined_on)}"


def _tables(
    what: str, market: Market, regimes: Iterable[Regimes], make: Callable[[Regimes], ConditionalTable]
) -> tuple[_Tables, _Reasons]:
    """Return a table for each definition that gives one, and why the others do not."""
    mark = " (SIMULATED)" if market.simulated else ""
    tried = list(regimes)
    conventions = (
        f"p-values stand alone: {len(tried)} definitions of regimes were tried, none is corrected for that",
        f"data: {market.name}{mark}, {market.frequency}",
    )
    tables, left_out = [], []
    for each in tried:
        try:
            table = make(each)
        except InputError as refusal:
            left_out.append(f"{what} by {each.name} ({each.rule}): {refusal.problem}")
        else:
            tables.append(replace(table, conventions=(*table.conventions, *conventions)))
    return tuple(tables), tuple(left_out)


def _flat(tables: _Tables) -> pd.DataFrame:
    """Return the rows of all tables, indexed by definition, ``ex_post`` and regime."""
    if not tables:
        return pd.DataFrame(columns=[*_KEYS, *_ESTIMATE, "rule", "p_equal"]).set_index(_KEYS)
    frame = pd.concat([_labelled(result) for result in tables], ignore_index=True)
    return frame.astype({"n": "Int64", "block_length": "Int64"}).set_index(_KEYS)


def _labelled(result: ConditionalTable) -> pd.DataFrame:
    regimes, p_equal = result.regimes, result.p_equal
    assert isinstance(p_equal, float)  # one pair of series, one test
    return result.table.reset_index().assign(
        definition=regimes.name, ex_post=regimes.ex_post, rule=regimes.rule, p_equal=p_equal
    )
