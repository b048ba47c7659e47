"""Statistics by regime: how many periods, the number, how sure, and whether the regimes differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.regimes import show
from allocator.regimes._partition import (
    FEWEST,
    by_label,
    labelled_on,
    refuse_no_series,
    refuse_other_dates,
    refuse_repeated,
    spells_of,
    welch_p_value,
)
from allocator.regimes._settings import number_between, refuse_bootstrap, refuse_no_scale, whole_between
from allocator.regimes.record import UNCLASSIFIED, Regimes
from allocator.statistics import bootstrap_correlation, bootstrap_sharpe, max_drawdown
from allocator.statistics._cash import refuse_annual
from allocator.statistics._returns import ReturnTable, periods_in_year, read_one_series, read_returns

__all__ = ["FEWEST", "ConditionalTable", "conditional_correlation", "conditional_performance"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class ConditionalTable:
    """A statistic by regime.

    Attributes
    ----------
    table
        A row a regime (and series). Its columns are named where it was made.
    statistic
        The name of the column that is estimated.
    regimes
        The labels that were used.
    p_equal
        p-value of the hypothesis that the statistic is the same in all regimes that have an estimate
        and a standard error, ``unclassified`` aside; NaN where fewer than two have. For several
        series, by series.
    conventions
        How the numbers were made, a line each.
    """

    table: pd.DataFrame
    statistic: str
    regimes: Regimes
    p_equal: float | dict[str, float]
    conventions: tuple[str, ...]

    __repr__ = show.conditional_text
    _repr_html_ = show.conditional_html


def conditional_correlation(
    x: pd.Series[float],
    y: pd.Series[float],
    regimes: Regimes | pd.Series[Any],
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    block_length: int | None = None,
    seed: int = 0,
) -> ConditionalTable:
    """Estimate the correlation of two return series in each regime.

    Parameters
    ----------
    x, y
        Simple returns on the same dates.
    regimes
        Labels for these dates; more dates do no harm. A plain Series of labels is taken as given.
    confidence
        Coverage of the intervals.
    n_resamples, block_length, seed
        Of the circular block bootstrap within each regime, whose periods are joined in their order;
        by default the block length is that of :func:`bootstrap_correlation` for the periods of the regime;
        it is at most a third of them.

    Returns
    -------
    ConditionalTable
        Index: the regime. Columns ``n``, ``share`` (of the periods), ``correlation``, ``low``, ``high``
        (block bootstrap), ``fisher_low``, ``fisher_high`` (naive: independent normal pairs),
        ``standard_error`` (of Fisher's z), ``block_length``, ``reason`` (why a number is missing).
        ``p_equal`` is from Welch's test of equal z over the regimes, with the bootstrap variances and one
        degree a block, less one; a line under the table names the regimes that it leaves out. docs/size.md
        has its size and the coverage of the intervals.

    Raises
    ------
    InputError
        If a date has no label, or there is only one regime.
    """
    refuse_bootstrap(confidence, n_resamples, seed)
    for argument, series in (("x", x), ("y", y)):
        refuse_no_series(argument, series)
        refuse_no_scale(read_one_series(series, argument))
    refuse_other_dates(x, y)
    if block_length is not None:
        whole_between("block_length", block_length, 1, len(x), "pass None for one that the data choose")
    labelled = labelled_on(regimes, x.index)
    estimates = {
        label: bootstrap_correlation(
            x[chosen],
            y[chosen],
            confidence=confidence,
            n_resamples=n_resamples,
            block_length=_at_most(block_length, int(chosen.sum()) // 3),
            seed=seed,
        )
        for label, chosen in by_label(labelled)
    }
    table = _frame(estimates, len(x))
    r = np.clip(table["correlation"].to_numpy(), -1.0 + 1e-12, 1.0 - 1e-12)
    names = "–".join(str(s.name) if s.name is not None else k for k, s in (("x", x), ("y", y)))
    conventions = (
        f"{names}: Pearson correlation of simple returns",
        *_bootstrap_lines(confidence, n_resamples, seed),
        *_left_out(table),
    )
    p_equal = welch_p_value(np.arctanh(r), table)
    return ConditionalTable(table[_CORRELATION_COLUMNS], "correlation", labelled, p_equal, conventions)


def conditional_performance(
    returns: pd.DataFrame | pd.Series[float],
    cash: pd.Series[float],
    regimes: Regimes | pd.Series[Any],
    periods_per_year: int,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> ConditionalTable:
    """Estimate Sharpe ratio and drawdown of each series in each regime.

    Parameters
    ----------
    returns
        Simple returns, a column a series.
    cash
        The cash return on the same dates.
    regimes
        Labels for these dates.
    periods_per_year
        To annualise with.
    confidence, n_resamples, seed
        Of the circular block bootstrap of the Sharpe ratio within each regime.

    Returns
    -------
    ConditionalTable
        Index: strategy and regime. Columns ``n``, ``share``, ``mean`` and ``volatility`` of the returns
        over cash, a year, ``sharpe``, ``low``, ``high``, ``max_drawdown`` (the deepest within one
        unbroken spell of the regime), ``spells``, ``standard_error``, ``block_length``, ``reason``.
        ``p_equal`` holds the p-value of equal Sharpe ratios by strategy.

    Raises
    ------
    InputError
        If a date has no label or no cash return, or there is only one regime.
    """
    refuse_bootstrap(confidence, n_resamples, seed)
    frame = returns.to_frame() if isinstance(returns, pd.Series) else returns
    _refuse_other_year(refuse_no_scale(read_returns(frame)), periods_per_year)
    labelled = labelled_on(regimes, frame.index)
    excess = _excess(frame, cash, periods_per_year)
    tables = {}
    for name in frame.columns:
        estimates = {
            label: bootstrap_sharpe(
                excess.loc[chosen, name],
                periods_per_year,
                confidence=confidence,
                n_resamples=n_resamples,
                seed=seed,
            )
            for label, chosen in by_label(labelled)
        }
        spells = [_worst_spell(frame[name].to_numpy(), chosen) for _, chosen in by_label(labelled)]
        tables[str(name)] = _frame(estimates, len(frame)).assign(
            max_drawdown=[depth for depth, _ in spells], spells=[count for _, count in spells]
        )
    conventions = (
        f"Sharpe ratio: returns over cash, annualised by √{periods_per_year}",
        *_bootstrap_lines(confidence, n_resamples, seed),
        "drawdown: the deepest within one unbroken spell of the regime",
    )
    p_equal = {name: welch_p_value(table["sharpe"].to_numpy(), table) for name, table in tables.items()}
    table = pd.concat(tables, names=["strategy"])[_PERFORMANCE_COLUMNS]
    return ConditionalTable(table, "sharpe", labelled, p_equal, (*conventions, *_left_out(table)))


_CORRELATION_COLUMNS = [
    "n",
    "share",
    "correlation",
    "low",
    "high",
    "fisher_low",
    "fisher_high",
    "standard_error",
    "block_length",
    "reason",
]
_PERFORMANCE_COLUMNS = [
    "n",
    "share",
    "mean",
    "volatility",
    "sharpe",
    "low",
    "high",
    "max_drawdown",
    "spells",
    "standard_error",
    "block_length",
    "reason",
]


def _frame(estimates: Mapping[str, Any], n_periods: int) -> pd.DataFrame:
    """Return a row an estimate, with its share of the periods."""
    table = pd.DataFrame([asdict(e) for e in estimates.values()], index=pd.Index(estimates, name="regime"))
    return table.assign(share=table["n"] / n_periods)


def _bootstrap_lines(confidence: float, n_resamples: int, seed: int) -> tuple[str, str]:
    return (
        f"low, high: {confidence:.0%} interval by circular block bootstrap within the regime, "
        f"{n_resamples:,} resamples, seed {seed}",
        f"a regime with fewer than {FEWEST} periods is counted, not estimated",
    )


def _left_out(table: pd.DataFrame) -> tuple[str, ...]:
    """Name the regimes that the test of equality cannot speak of, a line or none."""
    labels = table.index.get_level_values("regime")
    silent = ~(table["standard_error"].to_numpy() > 0.0) & np.asarray(labels != UNCLASSIFIED)
    if not silent.any():
        return ()
    rows = (" ".join(row if isinstance(row, tuple) else (row,)) for row in table.index[silent])
    return (f"the p of equality leaves out, without an error to estimate: {', '.join(rows)}",)


def _at_most(block_length: int | None, most: int) -> int | None:
    """Return a block length that leaves blocks to choose from; what is no length is refused later."""
    return block_length if block_length is None or block_length < 1 else max(min(block_length, most), 1)


def _refuse_other_year(table: ReturnTable, periods_per_year: Any) -> None:
    """Refuse what is no number of periods, or contradicts the dates where they have one spacing (F133)."""
    number_between("periods_per_year", periods_per_year, 0.0, 366.0, "pass 252, 52, 12, 4 or 1")
    try:
        spacing = table.frequency
    except InputError:  # a sample of dates: nothing to hold it against
        return
    if spacing is not None:
        periods_in_year(table, periods_per_year)


def _excess(frame: pd.DataFrame, cash: object, periods_per_year: float) -> pd.DataFrame:
    if not isinstance(cash, pd.Series):
        raise InputError(
            "cash",
            f"expected a Series of returns a period, got {type(cash).__name__}",
            fix="market.cash_returns",
        )
    refuse_repeated("cash", cash.index)
    earned = cash.reindex(frame.index)
    missing = frame.index[earned.isna()]
    if len(missing):
        raise InputError("cash", f"no return for {len(missing)} of {len(frame)} dates", date=missing[0])
    table = read_one_series(earned, "cash")
    refuse_no_scale(table)
    refuse_annual(table.matrix[:, 0], periods_per_year)
    return frame.sub(earned, axis=0)


def _worst_spell(returns: NDArray[np.float64], chosen: NDArray[np.bool_]) -> tuple[float, int]:
    """Return the deepest drawdown within one unbroken run of chosen periods, and the number of runs."""
    spells = spells_of(chosen)
    return min(max_drawdown(returns[begin:end]) for begin, end in spells), len(spells)
