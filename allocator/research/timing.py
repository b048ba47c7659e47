"""How much a result depends on when the trades are made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine import Backtest, Costs, Rebalancing, Strategy, run_backtest
from allocator.engine.backtest import first_decision, mandate_of
from allocator.errors import InputError, InsufficientHistoryError, iso_date
from allocator.frequency import years_between
from allocator.market import Market
from allocator.market.market import Date
from allocator.research import show
from allocator.statistics import performance_summary
from allocator.statistics.block_length import optimal_block_length
from allocator.statistics.bootstrap import resampled_means

__all__ = ["TimingSensitivity", "timing_sensitivity"]

Array = NDArray[np.float64]
_FEWEST = 12  # returns; fewer say nothing of a difference
_LONGEST_LAG = 250


@final
@dataclass(frozen=True, eq=False, repr=False)
class TimingSensitivity:
    """Results at several lags over one window, and what each changes against the default.

    Attributes
    ----------
    table
        A row a lag, fractions: ``cagr``, ``volatility``, ``sharpe``, ``sharpe_se``, ``max_drawdown``,
        ``turnover`` (one-way a year, without the first build), and against the default lag ``mean_change``
        (of the mean return a year) and ``sharpe_change``, each with a paired standard error,
        ``mean_change_se`` and ``sharpe_change_se``; these are NaN where the returns are too few.
    default_lag
        The lag of :func:`allocator.run_backtest` on these data.
    n
        Returns, the same dates at every lag.
    block_lengths
        Rows in a block of the bootstrap, by lag.
    backtests
        The records, in the order of the table.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    default_lag: int
    n: int
    block_lengths: dict[int, int]
    backtests: tuple[Backtest, ...]
    conventions: tuple[str, ...]

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.backtests[0].name

    @property
    def market(self) -> Market:
        """What it ran in."""
        return self.backtests[0].market

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The dates of the returns."""
        return pd.DatetimeIndex(self.backtests[0].returns.index)

    __repr__ = show.timing_text
    _repr_html_ = show.timing_html


def timing_sensitivity(
    strategy: Strategy,
    market: Market,
    *,
    lags: Iterable[int] = range(6),
    rebalancing: Rebalancing | None = None,
    costs: Costs | None = None,
    start: Date | None = None,
    end: Date | None = None,
    unlisted: str = "error",
    max_leverage: float | None = None,
    allow_short: bool = False,
    n_resamples: int = 2000,
    seed: int = 0,
) -> TimingSensitivity:
    """Run a strategy at several lags between decision and trade, over the same dates.

    A result that falls away when the trade is a row later rests on prices that could hardly be traded at.
    The default lag is always among those that are run. A change has a paired standard error: the returns at
    both lags are resampled together in circular blocks (Politis and Romano, 1992) of the length that is best
    for the mean of their difference (Politis and White, 2004).

    Parameters
    ----------
    strategy, market
        What to hold, and what the world did.
    lags
        Rows between decision and trade.
    rebalancing, costs, start, end, unlisted, max_leverage, allow_short
        As for :func:`allocator.run_backtest`. Without a ``start`` the window begins as early as the longest
        lag allows.
    n_resamples, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If an argument is refused, and what ``run_backtest`` refuses.
    """
    asked = _read_lags(lags)
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int) or n_resamples < 2:
        raise InputError("n_resamples", f"{n_resamples!r} resamples have no spread", fix="pass 1000 or more")

    def run(lag: int | None, first: Date | None) -> Backtest:
        return run_backtest(
            strategy,
            market,
            rebalancing=rebalancing,
            costs=costs,
            lag=lag,
            start=first,
            end=end,
            unlisted=unlisted,
            max_leverage=max_leverage,
            allow_short=allow_short,
        )

    usual = run(None, start)
    chosen = sorted({*asked, usual.lag})
    common = start
    if start is None:
        mandate = mandate_of(unlisted, max_leverage, allow_short)
        row = first_decision(strategy, market, mandate) + chosen[-1] + 1
        _refuse_short(row, chosen[-1], usual.market)
        common = market.index[row].date()
    backtests = tuple(run(lag, common) for lag in chosen)
    _refuse_ruin(backtests)
    base = backtests[chosen.index(usual.lag)]
    changes = [_change(each, base, n_resamples, seed) for each in backtests]
    table = pd.concat([_statistics(each) for each in backtests])
    table.index = pd.Index(chosen, name="lag")
    names = ("mean_change", "mean_change_se", "sharpe_change", "sharpe_change_se")
    table = table.assign(**{name: [change[k] for change in changes] for k, name in enumerate(names)})
    blocks = {lag: int(change[4]) for lag, change in zip(chosen, changes, strict=True)}
    n = len(base.returns)
    return TimingSensitivity(
        table, usual.lag, n, blocks, backtests, _conventions(base, n, blocks, n_resamples, seed)
    )


def _read_lags(lags: Iterable[int]) -> list[int]:
    asked = list(lags) if isinstance(lags, Iterable) and not isinstance(lags, str) else []
    if not asked:
        raise InputError("lags", f"{lags!r}", fix="pass some numbers of rows, such as range(6)")
    for lag in asked:
        whole = isinstance(lag, int | np.integer) and not isinstance(lag, bool)
        if not whole or not 0 <= lag <= _LONGEST_LAG:
            raise InputError("lags", f"{lag!r} is no number of rows from 0 to {_LONGEST_LAG}")
    return [int(lag) for lag in asked]


def _refuse_short(row: int, longest: int, market: Market) -> None:
    if row >= len(market.index):
        raise InsufficientHistoryError(
            "lags",
            f"no return is left at a lag of {longest} rows; the market has {len(market.index)}",
            date=market.index[-1],
            rows_needed=row + 1,
            fix="pass shorter lags",
        )


def _refuse_ruin(backtests: tuple[Backtest, ...]) -> None:
    ruined = next((each for each in backtests if each.ruined_on is not None), None)
    if ruined is not None:
        problem = f"{ruined.name!r} is ruined at lag {ruined.lag}: there is no common window"
        raise InputError("strategy", problem, date=ruined.ruined_on, fix="lower its leverage or set end=")


def _statistics(backtest: Backtest) -> pd.DataFrame:
    periods = backtest.market.frequency.periods_per_year
    began = backtest.value.index[0]
    summary = performance_summary(backtest.returns, backtest.cash_returns, periods, began)
    years = float(years_between(pd.DatetimeIndex(backtest.value.index), backtest.market.frequency).sum())
    columns = ["cagr", "volatility", "sharpe", "sharpe_se", "max_drawdown"]
    return summary.iloc[[0]][columns].assign(turnover=float(backtest.turnover.iloc[1:].sum()) / years)


def _change(backtest: Backtest, base: Backtest, n_resamples: int, seed: int) -> tuple[float, ...]:
    """Return the change of mean and Sharpe ratio a year, each before its standard error, and the block."""
    if backtest is base:
        return 0.0, 0.0, 0.0, 0.0, 0
    cash = base.cash_returns.to_numpy()
    other, usual = (each.returns.to_numpy() - cash for each in (backtest, base))
    periods = float(base.market.frequency.periods_per_year)
    moved = float((other - usual).mean()) * periods
    if len(usual) < _FEWEST:
        return moved, np.nan, _ratio(other, periods) - _ratio(usual, periods), np.nan, 0
    block = _block_length(other - usual)
    columns = np.column_stack([other, other**2, usual, usual**2])
    means = resampled_means(columns, block, n_resamples, np.random.default_rng(seed))
    ratios = [_ratio_of(means[:, k], means[:, k + 1], len(usual), periods) for k in (0, 2)]
    return (
        moved,
        float(np.std(means[:, 0] - means[:, 2], ddof=1)) * periods,
        _ratio(other, periods) - _ratio(usual, periods),
        float(np.nanstd(ratios[0] - ratios[1], ddof=1)),
        block,
    )


def _block_length(difference: Array) -> int:
    try:
        _, circular = optimal_block_length(difference)
    except InputError:  # the lag changes nothing
        return 1
    return int(np.clip(np.ceil(circular), 1, len(difference) // 3))


def _ratio(excess: Array, periods: float) -> float:
    return float(_ratio_of(excess.mean(), (excess**2).mean(), len(excess), periods))


def _ratio_of(mean: Any, square: Any, n: int, periods: float) -> Any:
    """Return annualised Sharpe ratios from means and means of squares; NaN where nothing varies."""
    variance = np.asarray((square - mean**2) * n / max(n - 1, 1))
    return mean / np.sqrt(np.where(variance > 1e-18, variance, np.nan)) * np.sqrt(periods)


def _conventions(
    base: Backtest, n: int, blocks: dict[int, int], n_resamples: int, seed: int
) -> tuple[str, ...]:
    lengths = [length for length in blocks.values() if length]
    span = f"{min(lengths)} to {max(lengths)} rows" if lengths else "none, too few returns"
    return (
        f"default lag on {base.market.frequency} data: {base.lag} row{'s' if base.lag != 1 else ''}; all "
        f"lags over the same n={n:,} returns from {iso_date(base.returns.index[0])}",
        f"changes are paired, ± one standard error (circular block bootstrap, {n_resamples:,} resamples of "
        f"blocks of {span}, seed {seed}); Sharpe ± se of that ratio alone (Mertens, 2002)",
        *base.conventions,
    )
