"""A study on one page: growth, drawdown, years, how stocks and bonds move together, weights, key numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from allocator.disk import make_folder, refuse_others, write_whole
from allocator.engine import Backtest
from allocator.errors import InputError, InsufficientHistoryError
from allocator.report import tear_sheet_page as page
from allocator.report.comparison import Comparison, _conventions, _table
from allocator.report.html_page import PAGE_MARK
from allocator.report.picture import PICTURE_MARK
from allocator.statistics import (
    CircularBlockBootstrap,
    CorrelationPath,
    bootstrap_drawdown,
    monthly_returns,
    rolling_correlation,
)

__all__ = ["TearSheet", "tear_sheet"]

_MOST = 5
_PATHS, _RESAMPLES = 500, 2000
_FEWEST = 24  # returns, below which neither growth nor drawdown is resampled
_KINDS = (".html", ".pdf", ".png")


@final
@dataclass(frozen=True, eq=False, repr=False)
class TearSheet:
    """A study on one A4 page; shows itself in a notebook, and is written as HTML, PDF or PNG.

    Attributes
    ----------
    study
        What was run.
    ranges
        A row a strategy, fractions: ``cagr_low``, ``cagr_high``, ``drawdown_low``, ``drawdown_high``, between
        which 95 % of resampled histories lie; NaN for a run that was ruined or is shorter than 24 returns.
    correlation
        The rolling correlation of stocks and bonds, or None where the market lacks one, or rows for a window.
    years
        Length of the rolling windows; None where the study has too few returns for one.
    notes
        What is not on the page and why, and what the ranges rest on, a line each.
    """

    study: Comparison
    ranges: pd.DataFrame
    correlation: CorrelationPath | None
    years: float | None
    notes: tuple[str, ...]

    @property
    def figure(self) -> Any:
        """The page, a matplotlib Figure."""
        from allocator.report.charts_sheet import sheet_figure  # not at the top: matplotlib costs a second

        return sheet_figure(self)

    def write(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the page to a file whole or not at all; equal inputs give equal bytes.

        Parameters
        ----------
        path
            Ends in ``.html`` (one file, nothing loaded from elsewhere, readable on a phone), ``.pdf`` or
            ``.png``. Folders are made. A page that this library wrote is replaced.
        overwrite
            Whether to replace any other file of that name.

        Raises
        ------
        InputError
            Another ending, a file from elsewhere, or one that cannot be written.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind not in _KINDS:
            raise InputError("path", f"{target.name!r} is no {', '.join(_KINDS)}", fix="end it in .html")
        refuse_others([target], (PAGE_MARK, PICTURE_MARK), "path", overwrite=overwrite)
        if kind == ".html":
            data = page.sheet_page(self).encode("utf-8", "replace")
        else:
            from allocator.report.charts_sheet import sheet_figure
            from allocator.report.draw import draw_files

            data = draw_files(lambda: sheet_figure(self), [kind[1:]])[kind[1:]]
        make_folder(target.parent)
        write_whole(target, data)
        return target

    __repr__ = page.sheet_text
    _repr_html_ = page.sheet_html


def tear_sheet(
    study: Comparison | Backtest,
    path: str | Path | None = None,
    *,
    stocks: str = "stocks",
    bonds: str = "bonds",
    years: float | None = None,
    overwrite: bool = False,
) -> TearSheet:
    """Put a study, or one backtest, on one page, with the errors of its key numbers.

    Parameters
    ----------
    study
        From :func:`allocator.compare` (at most five strategies) or :func:`allocator.run_backtest`.
    path
        Where to write it, as :meth:`TearSheet.write`; None writes nothing.
    stocks, bonds
        Assets whose rolling correlation is shown; in a market without them it is the rolling Sharpe ratio.
    years
        Length of the rolling windows: by default 12 of yearly rows, else 3. Daily and weekly returns are
        compounded over months for the correlation.
    overwrite
        Whether to replace a file at ``path`` that this library did not write.

    Raises
    ------
    InputError
        Something else than a study, more than five strategies, a window of too few rows, a file that cannot
        be written.
    """
    comparison = _as_comparison(study)
    if len(comparison.backtests) > _MOST:
        problem = f"{len(comparison.backtests)} strategies, one page holds {_MOST}"
        raise InputError("study", problem, fix="compare fewer, or write_report")
    chosen = (12.0 if comparison.market.frequency.name == "yearly" else 3.0) if years is None else years
    correlation, said = _correlation(comparison, stocks, bonds, chosen)
    n_returns = min(len(run.returns) for run in comparison.backtests)
    enough = n_returns >= round(chosen * comparison.market.frequency.periods_per_year)
    lines = () if correlation is not None else _sharpe_lines(n_returns, chosen, enough=enough)
    notes = (*said, *lines, *_range_lines())
    sheet = TearSheet(comparison, _ranges(comparison), correlation, chosen if enough else None, notes)
    if path is not None:
        sheet.write(path, overwrite=overwrite)
    return sheet


def _as_comparison(study: Comparison | Backtest) -> Comparison:
    if isinstance(study, Comparison):
        return study
    if not isinstance(study, Backtest):
        problem = f"expected a Comparison or a Backtest, got {type(study).__name__}"
        raise InputError("study", problem, fix="pass al.compare([...], market)")
    runs = (study,)
    dates = pd.DatetimeIndex(study.value.index)
    return Comparison(_table(runs), runs, study.market, dates, _conventions(runs))


def _sharpe_lines(n_returns: int, years: float, *, enough: bool) -> tuple[str, ...]:
    """Return what the band of the rolling Sharpe ratio is, or why there is none."""
    if not enough:
        return (f"{n_returns} returns are too few for rolling windows of {years:g} years",)
    band = "95 % interval of the first strategy, each date alone (Mertens, 2002)"
    return (f"rolling Sharpe ratio: band: {band}",)


def _correlation(
    comparison: Comparison, stocks: str, bonds: str, years: float
) -> tuple[CorrelationPath | None, tuple[str, ...]]:
    """Return the rolling correlation up to the end of the study, or why there is none."""
    market = comparison.market
    lacking = [name for name in (stocks, bonds) if name not in market.assets]
    if lacking:
        why = f"this market has no {lacking[0]!r}: name stocks= and bonds= to see their correlation"
        return None, (why,)
    both = market.returns[[stocks, bonds]].loc[: comparison.dates[-1]].dropna()
    try:
        pair = [both[name] for name in (stocks, bonds)]
        if not market.frequency.is_calendar:
            pair = [monthly_returns(each) for each in pair]
        path = rolling_correlation(pair[0], pair[1], years)
    except InsufficientHistoryError as refusal:
        return None, (f"no rolling correlation: {refusal.problem}",)
    line = (
        f"rolling correlation of {stocks} and {bonds}: {path.frequency}, {path.method}; band: "
        f"{100 * path.confidence:g} % interval of each date alone"
    )
    return path, (line,)


def _range_lines() -> tuple[str, ...]:
    return (
        f"range of CAGR: 95 % of {_RESAMPLES:,} circular block-bootstrap resamples of log returns; of the "
        f"drawdown: 95 % of {_PATHS} resampled histories (bootstrap_drawdown); seed 0",
    )


def _ranges(comparison: Comparison) -> pd.DataFrame:
    columns = ["cagr_low", "cagr_high", "drawdown_low", "drawdown_high"]
    rows = [
        _range(run, float(cagr))
        for run, cagr in zip(comparison.backtests, comparison.table["cagr"], strict=True)
    ]
    return pd.DataFrame(rows, index=comparison.table.index, columns=columns)


def _range(run: Backtest, cagr: float) -> list[float]:
    """Return the ranges of one run's growth a year and maximum drawdown."""
    returns = run.returns
    if run.ruined_on is not None or len(returns) < _FEWEST:
        return [np.nan] * 4
    logs = np.log1p(returns.to_numpy(dtype=np.float64))
    bootstrap = CircularBlockBootstrap.fitted(logs)
    means = bootstrap.means(logs[:, np.newaxis], _RESAMPLES, np.random.default_rng(0))[:, 0]
    apart = np.quantile(means, [0.025, 0.975]) - logs.mean()
    growth = (1.0 + cagr) * np.exp(apart * run.market.frequency.periods_per_year) - 1.0
    falls = bootstrap_drawdown(returns, n_resamples=_PATHS).table.loc["max_drawdown", ["low", "high"]]
    return [*growth.tolist(), *falls.to_numpy(dtype=np.float64).tolist()]
