"""How the inference about Sharpe ratios shows itself: the estimate, its error, and what both rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.tables import html_block, html_lines, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.statistics.annualisation import AutocorrelatedSharpe
    from allocator.statistics.block_calibration import BlockCalibration
    from allocator.statistics.families import FamilyTest
    from allocator.statistics.probabilistic_sharpe import ProbabilisticSharpe
    from allocator.statistics.ratio_difference import SharpeDifference
    from allocator.statistics.ratio_interval import SharpeInterval

__all__ = [
    "autocorrelated_html",
    "autocorrelated_text",
    "calibration_html",
    "calibration_text",
    "difference_html",
    "difference_text",
    "family_html",
    "family_text",
    "interval_html",
    "interval_text",
    "probability_html",
    "probability_text",
]

_MOST_MEMBERS = 30


def _number(value: float, form: str = ".3f") -> str:
    return "–" if np.isnan(value) else f"{value:{form}}"


def _p(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"


def _between(low: float, high: float, confidence: float) -> str:
    return f"{100 * confidence:g} % interval {_number(low, '+.3f')} to {_number(high, '+.3f')}"


def _footer(result: SharpeInterval | SharpeDifference | FamilyTest | ProbabilisticSharpe) -> list[str]:
    """Return what the errors rest on: the method, and how it was resampled."""
    if not result.n_resamples or not result.block_length:
        return [result.method]
    rows = f"{result.block_length} row{'s' if result.block_length > 1 else ''}"
    return [f"{result.method}: blocks of {rows}, {result.n_resamples:,} resamples, seed {result.seed}"]


def _reason(reason: str) -> list[str]:
    return [reason] if reason else []


def _interval_lines(result: SharpeInterval) -> list[str]:
    return [
        f"Sharpe ratio of {result.name}: {_number(result.sharpe)} ± {_number(result.standard_error)} "
        f"{result.unit}",
        f"{_between(result.low, result.high, result.confidence)}; n={result.n:,}, "
        f"{result.periods_per_year:g} periods a year",
        *_footer(result),
        *_reason(result.reason),
    ]


def interval_text(result: SharpeInterval) -> str:
    """Return a Sharpe ratio with its interval as text."""
    return text_block(_interval_lines(result))


def interval_html(result: SharpeInterval) -> str:
    """Return a Sharpe ratio with its interval as HTML."""
    return html_lines(_interval_lines(result))


def _difference_lines(result: SharpeDifference) -> list[str]:
    return [
        f"Sharpe ratio of {result.name_1} less that of {result.name_2}: "
        f"{_number(result.difference, '+.3f')} ± {_number(result.standard_error)} {result.unit} "
        f"({_number(result.sharpe_1)} and {_number(result.sharpe_2)}, "
        f"correlated {_number(result.correlation)})",
        f"{_between(result.low, result.high, result.confidence)}; p = {_p(result.p_value)} "
        f"that they are equal, two-sided; n={result.n:,}, {result.periods_per_year:g} periods a year",
        *_footer(result),
        *_reason(result.reason),
    ]


def difference_text(result: SharpeDifference) -> str:
    """Return a difference of Sharpe ratios as text."""
    return text_block(_difference_lines(result))


def difference_html(result: SharpeDifference) -> str:
    """Return a difference of Sharpe ratios as HTML."""
    return html_lines(_difference_lines(result))


def _autocorrelated_lines(result: AutocorrelatedSharpe) -> list[str]:
    return [
        f"Sharpe ratio of {result.name} under autocorrelation: {_number(result.sharpe)} ± "
        f"{_number(result.standard_error)} per √year, where √{result.periods_per_year:g} gives "
        f"{_number(result.naive)}",
        f"{_between(result.low, result.high, result.confidence)}; factor {_number(result.factor)} of "
        f"{len(result.autocorrelations)} autocorrelations, taken as known (Lo, 2002); n={result.n:,}",
        result.method,
        *_reason(result.reason),
    ]


def autocorrelated_text(result: AutocorrelatedSharpe) -> str:
    """Return a Sharpe ratio under autocorrelation as text."""
    return text_block(_autocorrelated_lines(result))


def autocorrelated_html(result: AutocorrelatedSharpe) -> str:
    """Return a Sharpe ratio under autocorrelation as HTML."""
    return html_lines(_autocorrelated_lines(result))


def _probability_lines(result: ProbabilisticSharpe) -> list[str]:
    moments, is_deflated = result.moments, result.n_trials > 1
    bar = (
        f"the highest expected of {result.n_trials:,} worthless trials (variance {result.trial_variance:.4g})"
        if is_deflated
        else "the benchmark"
    )
    needed, years = result.minimum_track_record, result.minimum_track_record / result.periods_per_year
    plural = "" if needed < 1.5 else "s"
    record = (
        "no track record is long enough below it"
        if np.isinf(needed)
        else f"{100 * result.confidence:g} % needs {_number(needed, ',.0f')} return{plural} "
        f"({_number(years, '.1f')} years)"
    )
    return [
        f"{'Deflated' if is_deflated else 'Probabilistic'} Sharpe ratio of {result.name}: "
        f"{_number(result.probability, '.4f')} that {_number(result.sharpe)} ± "
        f"{_number(result.standard_error)} per √year is above {result.benchmark:.3f}, {bar}",
        f"{record}; n={result.n:,}, skewness {_number(moments.skewness, '.2f')}, "
        f"kurtosis {_number(moments.kurtosis, '.2f')} (3 if normal)",
        f"Bailey and López de Prado ({2014 if is_deflated else 2012}), with the error of the method below",
        *_footer(result),
        *_reason(result.reason),
    ]


def probability_text(result: ProbabilisticSharpe) -> str:
    """Return a probabilistic or deflated Sharpe ratio as text."""
    return text_block(_probability_lines(result))


def probability_html(result: ProbabilisticSharpe) -> str:
    """Return a probabilistic or deflated Sharpe ratio as HTML."""
    return html_lines(_probability_lines(result))


def _calibration_parts(result: BlockCalibration) -> tuple[str, list[str], list[list[str]], list[str]]:
    rows = [[f"{b}", f"{r:.1%}"] for b, r in zip(result.candidates, result.rejected, strict=True)]
    lines = [
        f"nominal {result.nominal:.1%}; {result.n_worlds:,} worlds of n={result.n:,}, {result.n_resamples:,} "
        f"resamples each, seed {result.seed}; VAR(1), residuals in blocks (Ledoit and Wolf, 2008, alg. 3.1)"
    ]
    return f"Block length: {result.block_length}", ["rows in a block", "rejects a truth"], rows, lines


def calibration_text(result: BlockCalibration) -> str:
    """Return a calibration as text."""
    title, head, rows, lines = _calibration_parts(result)
    return text_block([title, *text_table(head, rows), *lines])


def calibration_html(result: BlockCalibration) -> str:
    """Return a calibration as HTML."""
    title, head, rows, lines = _calibration_parts(result)
    return html_block(title, html_table(head, rows), lines)


def _family_parts(result: FamilyTest) -> tuple[str, list[str], list[list[str]], list[str]]:
    head = ["", result.statistic, "difference ± se", "p alone", "p Holm", "p Romano–Wolf"]
    share = result.statistic == "mean return"
    rows = [_member(str(name), row, share) for name, row in result.table.head(_MOST_MEMBERS).iterrows()]
    value = f"{result.benchmark_value:.2%}" if share else f"{result.benchmark_value:.3f}"
    title = f"{result.n_members} against {result.benchmark} ({result.statistic} {value} {result.unit})"
    more = result.n_members - _MOST_MEMBERS
    reasons = [f"{name}: {why}" for name, why in result.table["reason"].items() if why]
    lines = [
        *([f"and {more:,} more in .table"] if more > 0 else []),
        *_family_lines(result, result.draws.shape[1]),
        *reasons,
    ]
    return title, head, rows, lines


def _family_lines(result: FamilyTest, tested: int) -> list[str]:
    if not tested:
        return [f"none can be tested; n={result.n:,}"]
    return [
        f"White's reality check, studentised: p = {_p(result.reality_check_p)} that none of the {tested} "
        "tested is better, one-sided; the others are two-sided",
        "p alone is as if there were no others; those of Holm and of Romano and Wolf (2005) hold for all "
        f"{tested} together; n={result.n:,}",
        *_footer(result),
    ]


def _member(name: str, row: Any, share: bool) -> list[str]:
    form = ".2%" if share else ".3f"
    difference = f"{_number(row['difference'], '+' + form)} ± {_number(row['standard_error'], form)}"
    ps = [_p(row[column]) for column in ("p_value", "p_holm", "p_romano_wolf")]
    return [name, _number(row["value"], form), difference, *ps]


def family_text(result: FamilyTest) -> str:
    """Return a family of tests as text."""
    title, head, rows, lines = _family_parts(result)
    return text_block([title, *text_table(head, rows), *lines])


def family_html(result: FamilyTest) -> str:
    """Return a family of tests as HTML."""
    title, head, rows, lines = _family_parts(result)
    return html_block(title, html_table(head, rows), lines)
