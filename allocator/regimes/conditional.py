"""Statistics by regime: how many periods, the number, how sure, and whether the regimes differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.regimes import show
from allocator.regimes.labels import UNCLASSIFIED, Regimes
from allocator.statistics import bootstrap_correlation, max_drawdown
from allocator.statistics.sharpe_by_block import bootstrap_sharpe

__all__ = ["ConditionalTable", "conditional_correlation", "conditional_performance"]

FEWEST = 12  # periods: a regime with fewer is counted, not estimated


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
        p-value of the hypothesis that the statistic is the same in all regimes that have an
        estimate; NaN where fewer than two have one. For several series, by series.
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
        the block length is chosen from the data by default (Politis and White, 2004).

    Returns
    -------
    ConditionalTable
        Index: the regime. Columns ``n``, ``share`` (of the periods), ``correlation``, ``low``, ``high``
        (block bootstrap), ``fisher_low``, ``fisher_high`` (naive: independent normal pairs),
        ``standard_error`` (of Fisher's z), ``block_length``, ``reason`` (why a number is missing).
        ``p_equal`` is from a Wald test of equal z over the regimes, with the bootstrap variances.

    Raises
    ------
    InputError
        If a date has no label, or there is only one regime.
    """
    labelled = _labelled(regimes, x.index)
    estimates = {
        label: bootstrap_correlation(
            x[chosen],
            y[chosen],
            confidence=confidence,
            n_resamples=n_resamples,
            block_length=block_length and min(block_length, int(chosen.sum())),
            seed=seed,
        )
        for label, chosen in _by_label(labelled)
    }
    table = _frame(estimates, len(x))
    r = np.clip(table["correlation"].to_numpy(), -1.0 + 1e-12, 1.0 - 1e-12)
    return ConditionalTable(
        table[_CORRELATION_COLUMNS],
        "correlation",
        labelled,
        _wald_p_value(np.arctanh(r), table),
        (f"{x.name}–{y.name}: Pearson correlation of simple returns", *_bootstrap_lines(confidence, n_resamples, seed)),
    )


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
        Index: strategy and regime. Columns ``n``, ``share``, ``mean`` (over cash) and ``volatility``, a
        year, ``sharpe``, ``low``, ``high``, ``max_drawdown`` (the deepest within one unbroken spell of
        the regime), ``spells``, ``standard_error``, ``block_length``, ``reason``. ``p_equal`` holds the
        p-value of equal Sharpe ratios by strategy.

    Raises
    ------
    InputError
        If a date has no label or no cash return, or there is only one regime.
    """
    frame = returns.to_frame() if isinstance(returns, pd.Series) else returns
    labelled = _labelled(regimes, frame.index)
    excess = _excess(frame, cash)
    tables = {}
    for name in frame.columns:
        estimates = {
            label: bootstrap_sharpe(
                excess[name].to_numpy()[chosen],
                periods_per_year,
                confidence=confidence,
                n_resamples=n_resamples,
                seed=seed,
                fewest=FEWEST,
            )
            for label, chosen in _by_label(labelled)
        }
        spells = [_worst_spell(frame[name].to_numpy(), chosen) for _, chosen in _by_label(labelled)]
        tables[str(name)] = _frame(estimates, len(frame)).assign(
            max_drawdown=[depth for depth, _ in spells], spells=[count for _, count in spells]
        )
    return ConditionalTable(
        pd.concat(tables, names=["strategy"])[_PERFORMANCE_COLUMNS],
        "sharpe",
        labelled,
        {name: _wald_p_value(table["sharpe"].to_numpy(), table) for name, table in tables.items()},
        (
            f"Sharpe ratio: returns over cash, annualised by √{periods_per_year}",
            *_bootstrap_lines(confidence, n_resamples, seed),
            "drawdown: the deepest within one unbroken spell of the regime",
        ),
    )


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


def _excess(frame: pd.DataFrame, cash: pd.Series[float]) -> pd.DataFrame:
    missing = frame.index.difference(cash.index)
    if len(missing):
        raise InputError("cash", f"no return for {len(missing)} of {len(frame)} dates", date=missing[0])
    return frame.sub(cash.reindex(frame.index), axis=0)


def _labelled(regimes: Regimes | pd.Series[Any], dates: pd.Index) -> Regimes:
    """Return the regimes with exactly these dates, refusing a date without a label or a single regime."""
    given = regimes if isinstance(regimes, Regimes) else _as_given(regimes)
    missing = dates.difference(given.labels.index)
    if len(missing):
        raise InputError(
            "regimes",
            f"no label for {len(missing)} of {len(dates)} dates",
            date=missing[0],
            fix="label every date; 'unclassified' where the rule cannot say",
        )
    labels = given.labels.reindex(dates)
    present = tuple(label for label in given.order if (labels == label).any())
    if len(present) < 2:
        raise InputError("regimes", f"only one regime in these dates: {present[0]!r}", fix="choose a longer sample")
    return Regimes(labels, given.name, given.rule, given.ex_post, present)


def _as_given(labels: pd.Series[Any]) -> Regimes:
    if not isinstance(labels, pd.Series):
        raise InputError("regimes", f"expected Regimes or a Series of labels, got {type(labels).__name__}")
    if labels.index.has_duplicates:
        raise InputError("regimes", "two labels", date=labels.index[labels.index.duplicated()][0])
    texts = labels.astype(object).where(labels.notna(), UNCLASSIFIED).map(str)
    known = sorted(set(texts) - {UNCLASSIFIED})
    if isinstance(labels.dtype, pd.CategoricalDtype):
        known = [str(label) for label in labels.cat.categories]
    return Regimes(texts, str(labels.name or "regime"), "labels as given", True, (*known, UNCLASSIFIED))


def _by_label(regimes: Regimes) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    labels = regimes.labels.to_numpy()
    for label in regimes.order:
        yield label, np.asarray(labels == label)


def _wald_p_value(estimates: NDArray[np.float64], table: pd.DataFrame) -> float:
    """Return the p-value of one common value: Σ (z - z̄)² / se² is χ² with k - 1 degrees."""
    from scipy.special import chdtrc  # not at the top: importing allocator costs no more than pandas

    errors = table["standard_error"].to_numpy()
    use = np.isfinite(estimates) & (errors > 0.0) & np.asarray(table.index != UNCLASSIFIED)
    if use.sum() < 2:
        return float("nan")
    z, precision = estimates[use], errors[use] ** -2.0
    centre = (z * precision).sum() / precision.sum()
    return float(chdtrc(use.sum() - 1, ((z - centre) ** 2 * precision).sum()))


def _worst_spell(returns: NDArray[np.float64], chosen: NDArray[np.bool_]) -> tuple[float, int]:
    """Return the deepest drawdown within one unbroken run of chosen periods, and the number of runs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    spells = list(zip(edges[::2], edges[1::2], strict=True))
    return min(max_drawdown(returns[begin:end]) for begin, end in spells), len(spells)
