"""How yields, their parts and their drivers show themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.errors import InputError, iso_date
from allocator.frequency import infer_frequency
from allocator.tables import html_block, html_lines, html_table, text_block, text_lines, text_table

if TYPE_CHECKING:
    from allocator.macro.yields.acm import ACMFit
    from allocator.macro.yields.assets import DriverStudy, RisingYields
    from allocator.macro.yields.decomposition import YieldDecomposition
    from allocator.macro.yields.drivers import DriverPath, DriverShares
    from allocator.macro.yields.episodes import EpisodeTable
    from allocator.macro.yields.term_premium import TermPremium

__all__ = [
    "decomposition_html",
    "decomposition_text",
    "episodes_html",
    "episodes_text",
    "fit_html",
    "fit_text",
    "path_html",
    "path_text",
    "premium_html",
    "premium_text",
    "rising_html",
    "rising_text",
    "shares_html",
    "shares_text",
    "study_html",
    "study_text",
]

# A title, the head, the rows, and the lines below.
_Parts = tuple[str, list[str], list[list[str]], list[str]]
_SHOWN_DATES = 6
_SHOWN_YEARS = 12


def _text(parts: _Parts) -> str:
    title, head, rows, lines = parts
    return text_block([title, *text_table(head, rows), *text_lines(lines)])


def _html(parts: _Parts) -> str:
    title, head, rows, lines = parts
    return html_block(title, html_table(head, rows), lines)


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2%}"


def _points(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.1f}"


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.0%}"


def _p(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{value:.3f}" if value >= 0.0005 else "< 0.001"


def _hindsight(ex_post: bool) -> str:
    return "parts estimated in hindsight (ex post)" if ex_post else "parts known at the time"


def _sample(decomposition: YieldDecomposition) -> str:
    dates = decomposition.total.index
    span = f"{iso_date(dates[0])} to {iso_date(dates[-1])}"
    return f"{decomposition.frequency}, {span}, n={len(dates):,}; {_hindsight(decomposition.ex_post)}"


def _some(n: int) -> list[int]:
    return [int(row) for row in np.unique(np.linspace(0, n - 1, _SHOWN_DATES).round())]


def _decomposition_parts(result: YieldDecomposition) -> _Parts:
    names = [str(name) for name in result.parts.columns]
    values = np.column_stack([result.total.to_numpy(), result.parts.to_numpy()])
    shown = _some(len(values))
    rows = [[iso_date(result.total.index[row]), *map(_percent, values[row])] for row in shown]
    lines = [
        f"{len(shown)} of {len(values):,} dates shown; .total and .parts are fractions a year",
        *result.notes,
        _sample(result),
    ]
    title = f"{result.maturity:g}-year yield = {' + '.join(names)}"
    return title, ["", "total", *names], rows, lines


def decomposition_text(result: YieldDecomposition) -> str:
    """Return a decomposition as text."""
    return _text(_decomposition_parts(result))


def decomposition_html(result: YieldDecomposition) -> str:
    """Return a decomposition as HTML."""
    return _html(_decomposition_parts(result))


def _episode_parts(result: EpisodeTable) -> _Parts:
    names = [str(name) for name in result.decomposition.parts.columns]
    sure = result.interval
    head = ["episode", "from", "to", "total", *(column for name in names for column in (name, "share"))]
    head += [] if sure is None else ["interval"]
    rows = []
    for (episode, row), shares in zip(result.table.iterrows(), result.shares.to_numpy(), strict=True):
        cells = [
            cell
            for name, share in zip(names, shares, strict=True)
            for cell in (_points(row[name]), _share(share))
        ]
        if sure is not None:
            low, high = sure.loc[[str(episode)]].to_numpy()[0]
            cells.append(f"{_points(low)} to {_points(high)}")
        rows.append([str(episode), iso_date(row["from"]), iso_date(row["to"]), _points(row["total"]), *cells])
    exact = "exact changes of the series as given: no interval; an error of the split itself is not seen here"
    lines = [
        "basis points; the parts add up to the total. A share is left out (–) where the total is less than a "
        "quarter of the sizes of the parts",
        exact if sure is None else result.interval_note,
        *result.decomposition.notes,
        _sample(result.decomposition),
    ]
    return f"Changes of the {result.decomposition.maturity:g}-year yield", head, rows, lines


def episodes_text(result: EpisodeTable) -> str:
    """Return an episode table as text."""
    return _text(_episode_parts(result))


def episodes_html(result: EpisodeTable) -> str:
    """Return an episode table as HTML."""
    return _html(_episode_parts(result))


def _fit_parts(result: ACMFit) -> _Parts:
    names = [f"factor {k + 1}" for k in range(len(result.price_level))]
    rows = [
        ["λ0", *(f"{value:+.4f}" for value in result.price_level)],
        *(
            [f"λ1, {name}", *(f"{value:+.4f}" for value in row)]
            for name, row in zip(names, result.price_slope, strict=True)
        ),
    ]
    lines = [
        f"largest modulus of the VAR {result.persistence:.4f}; deviation of monthly pricing errors "
        f"{np.sqrt(result.pricing_variance) * 1e4:.3g} bp",
        f"monthly, {iso_date(result.first)} to {iso_date(result.last)}, n={result.n:,}",
        "prices of risk a month, without standard errors",
    ]
    return str(result.model), ["", *names], rows, lines


def fit_text(result: ACMFit) -> str:
    """Return an estimate of the model as text."""
    return _text(_fit_parts(result))


def fit_html(result: ACMFit) -> str:
    """Return an estimate of the model as HTML."""
    return _html(_fit_parts(result))


def _premium_parts(result: TermPremium) -> _Parts:
    years, dates = list(result.premium.columns), result.premium.index
    shown = _some(len(dates))
    head = ["", *(f"{year:g}y" for year in years)]
    rows = [[iso_date(dates[row]), *map(_percent, result.premium.iloc[row])] for row in shown]
    if result.low is not None and result.high is not None:
        ends = zip(result.low.iloc[-1], result.high.iloc[-1], strict=True)
        rows.append(["interval of the last", *(f"{_percent(a)} to {_percent(b)}" for a, b in ends)])
    lines = [
        f"{len(shown)} of {len(dates):,} dates; .premium, .risk_neutral and .fitted are fractions a year",
        *result.notes,
        *result.warnings,
        f"{result.fit.model}",
        f"on {iso_date(result.fit.first)} to {iso_date(result.fit.last)}, n={result.fit.n:,} months",
    ]
    return "Term premium by maturity", head, rows, lines


def premium_text(result: TermPremium) -> str:
    """Return term premia as text."""
    return _text(_premium_parts(result))


def premium_html(result: TermPremium) -> str:
    """Return term premia as HTML."""
    return _html(_premium_parts(result))


def _share_parts(result: DriverShares) -> _Parts:
    head = ["part", "share", f"{100 * result.confidence:g} % interval", "largest in"]
    rows = [
        [str(name), _share(share), f"{_share(low)} to {_share(high)}", _share(wins)]
        for name, (share, low, high, wins) in zip(result.table.index, result.table.to_numpy(), strict=True)
    ]
    lines = [
        *([result.reason] if result.reason else []),
        "share: covariance with the change of the yield over its variance; adds up to 1, may be below 0",
        "interval: percentiles, widened by Student's t of the number of blocks; largest in: share of "
        f"{result.n_resamples:,} circular block-bootstrap resamples; blocks of {result.block_length} rows, "
        f"seed {result.seed}",
        f"changes, n={result.n:,}; {_sample(result.decomposition)}",
    ]
    return f"What moves the {result.decomposition.maturity:g}-year yield", head, rows, lines


def shares_text(result: DriverShares) -> str:
    """Return shares of variance as text."""
    return _text(_share_parts(result))


def shares_html(result: DriverShares) -> str:
    """Return shares of variance as HTML."""
    return _html(_share_parts(result))


def _path_rows(result: DriverPath) -> list[list[str]]:
    """Return a row for the last date of each of the last years."""
    dates = pd.DatetimeIndex(result.shares.index)
    ends = [*np.flatnonzero(np.diff(dates.year)), len(dates) - 1][-_SHOWN_YEARS:]
    names = list(result.shares.columns)
    rows = []
    for row in ends:
        shares, chances = result.shares.iloc[row], result.probability.iloc[row]
        driver = str(result.dominant.iloc[row])
        chance = _share(float(chances[driver])) if driver in names else "–"
        rows.append([iso_date(dates[row]), driver, chance, *(_share(float(shares[name])) for name in names)])
    return rows


def _path_parts(result: DriverPath) -> _Parts:
    names = [str(name) for name in result.shares.columns]
    rows = _path_rows(result)
    switches = int((result.dominant.to_numpy()[1:] != result.dominant.to_numpy()[:-1]).sum())
    block = int(np.ceil(result.window ** (1.0 / 3.0)))
    lines = [
        f"the ends of {len(rows)} years of {len(result.shares):,} dates, all in .shares and .dominant; the "
        f"driver changed {switches} times",
        f"covariance shares over {result.window} rows; a driver stays {result.dwell} rows at least and "
        f"yields to a share larger by {result.margin:g}",
        f"largest in: how often the driver has the largest share in {result.n_resamples:,} circular "
        f"block-bootstrap resamples of the window; blocks of {block} rows, seed {result.seed}",
        _sample(result.decomposition),
    ]
    title = f"Driver of the {result.decomposition.maturity:g}-year yield"
    return title, ["", "driver", "largest in", *names], rows, lines


def path_text(result: DriverPath) -> str:
    """Return a driver over time as text."""
    return _text(_path_parts(result))


def path_html(result: DriverPath) -> str:
    """Return a driver over time as HTML."""
    return _html(_path_parts(result))


def _study_sample(result: DriverStudy) -> str:
    dates = pd.DatetimeIndex(result.means.regimes.labels.index)
    span = f"{iso_date(dates[0])} to {iso_date(dates[-1])}"
    try:
        spacing = infer_frequency(dates, "returns").name
    except InputError:  # some periods were left out, which the statistics by label allow
        spacing = "irregular"
    return f"{spacing} returns, {span}, n={len(dates):,}"


def study_text(result: DriverStudy) -> str:
    """Return assets by driver as text."""
    tables = [result.means, *result.correlations.values()]
    return "\n\n".join([*map(repr, tables), _study_sample(result)])


def study_html(result: DriverStudy) -> str:
    """Return assets by driver as HTML."""
    tables = (result.means, *result.correlations.values())
    return "".join([*(table._repr_html_() for table in tables), html_lines([_study_sample(result)])])


def _rising_parts(result: RisingYields) -> _Parts:
    means, labels = result.means, result.means.regimes.order
    head = [
        "",
        *(f"{label} (n={_count(result, label):,})" for label in labels),
        "difference",
        "interval",
        "p",
    ]
    rows = []
    for name, (difference, low, high, p) in zip(
        result.difference.index, result.difference[["difference", "low", "high", "p"]].to_numpy(), strict=True
    ):
        each = [
            _percent(float(value)) for value in means.table["mean return"].loc[str(name)].loc[list(labels)]
        ]
        rows.append([str(name), *each, _percent(difference), f"{_percent(low)} to {_percent(high)}", _p(p)])
    dates = means.regimes.labels.index
    lines = [
        "mean return of a period; p: equal means, Welch's test with the bootstrap errors; not corrected for "
        f"{len(rows)} rows",
        *means.conventions[1:2],
        f"{iso_date(dates[0])} to {iso_date(dates[-1])}, n={len(dates):,} periods; "
        "the yield of the same period: ex post",
    ]
    return f"Mean returns while {means.regimes.name} rises", head, rows, lines


def _count(result: RisingYields, label: str) -> int:
    return int((result.means.regimes.labels == label).sum())


def rising_text(result: RisingYields) -> str:
    """Return means while yields rise as text."""
    return _text(_rising_parts(result))


def rising_html(result: RisingYields) -> str:
    """Return means while yields rise as HTML."""
    return _html(_rising_parts(result))
