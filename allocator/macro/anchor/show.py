"""How betas, captures and safe havens show themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from allocator.errors import iso_date
from allocator.macro.anchor._parts import (
    Parts,
    between,
    in_brackets,
    number,
    p_value,
    parts_html,
    parts_text,
    reasons,
    rough,
    with_error,
)

if TYPE_CHECKING:
    from allocator.macro.anchor.asymmetry import AsymmetricBeta, ConditionalBetas
    from allocator.macro.anchor.capture import CaptureRatios
    from allocator.macro.anchor.safe_haven import SafeHaven

__all__ = [
    "ASYMMETRY_HEAD",
    "asymmetry_html",
    "asymmetry_legend",
    "asymmetry_row",
    "asymmetry_tests",
    "asymmetry_text",
    "capture_cells",
    "capture_html",
    "capture_lines",
    "capture_text",
    "conditional_html",
    "conditional_text",
    "haven_head",
    "haven_html",
    "haven_lines",
    "haven_rows",
    "haven_text",
]


def asymmetry_row(label: str, result: AsymmetricBeta) -> list[str]:
    """Return a row of the table of betas."""
    cells = [label, f"{result.fit.n:,}"]
    for each, form in ((result.alpha, "+.4f"), (result.up, "+.2f"), (result.down, "+.2f")):
        cells.append(f"{number(each.estimate, form)}{in_brackets(each.low, each.high, form, ', ')}")
    return cells


ASYMMETRY_HEAD = ["", "n", "alpha", "up-beta", "down-beta"]


def asymmetry_tests(result: AsymmetricBeta) -> str:
    """Return the tests of a pair of betas in a line."""
    return (
        f"up = down: {p_value(result.equal.p_value)}; up > 0 and down ≤ 0: "
        f"{p_value(result.p_claim)} of the contrary, {p_value(result.p_against)} of the claim"
    )


def asymmetry_legend(result: AsymmetricBeta) -> list[str]:
    """Return what the columns are."""
    return [
        f"brackets: {100 * result.fit.confidence:g} % intervals; alpha is a return a period; "
        f"{result.fit.method}",
        "a small p of the contrary supports that it rises with the other and does not fall with it "
        "(intersection–union test), a small p of the claim contradicts it (Bonferroni)",
    ]


def _asymmetry_parts(result: AsymmetricBeta) -> Parts:
    alpha = result.alpha.estimate * result.periods_per_year
    a_year = "" if np.isnan(alpha) else f", alpha is {alpha:+.1%} a year"
    lines = [
        asymmetry_tests(result),
        f"n={result.fit.n:,} ({result.n_up:,} rises, {result.n_down:,} falls), "
        f"{iso_date(result.fit.begin)} to {iso_date(result.fit.end)}{a_year}",
        *asymmetry_legend(result),
        *reasons(result.fit),
        *rough(result.fit.n, result.fit.method),
    ]
    title = " on ".join(result.names) + ", where it rises and where it falls"
    return title, ASYMMETRY_HEAD[2:], [asymmetry_row("", result)[2:]], lines


def asymmetry_text(result: AsymmetricBeta) -> str:
    """Return up- and down-beta as text."""
    return parts_text(_asymmetry_parts(result), 0)


def asymmetry_html(result: AsymmetricBeta) -> str:
    """Return up- and down-beta as HTML."""
    return parts_html(_asymmetry_parts(result))


def _conditional_parts(result: ConditionalBetas) -> Parts:
    rows = []
    for label, fit in (("rises (bull)", result.bull), ("falls (bear)", result.bear)):
        beta = fit.table.to_dict("index")["beta"]
        rows.append(
            [
                label,
                f"{fit.n:,}",
                f"{number(fit.coefficients['intercept'], '+.5f')}",
                with_error(beta["estimate"], beta["standard_error"]),
                between(beta["low"], beta["high"]),
            ]
        )
    interval = f"{100 * result.bull.confidence:g} % interval"
    lines = [f"bull over bear: {number(result.timing_ratio)}, which says little where bear is near 0"]
    title = " on ".join(result.names) + ": separate regressions where it rises and where it falls"
    return (
        title,
        ["", "n", "alpha", "beta ± se", interval],
        rows,
        [*lines, result.bull.method, *reasons(result.bull, result.bear)],
    )


def conditional_text(result: ConditionalBetas) -> str:
    """Return bull and bear betas as text."""
    return parts_text(_conditional_parts(result))


def conditional_html(result: ConditionalBetas) -> str:
    """Return bull and bear betas as HTML."""
    return parts_html(_conditional_parts(result))


# capture


def capture_cells(row: Any) -> list[str]:
    """Return a row of the table of captures."""
    return [
        f"{row['n']:,.0f}",
        f"{number(row['capture'])}{in_brackets(row['low'], row['high'])}",
        f"{number(row['number'], '.3f')}",
        f"{number(row['percent'], '.3f')}",
    ]


def _capture_parts(result: CaptureRatios) -> Parts:
    rows = [
        [
            str(side),
            *capture_cells(row),
            number(row["cumulative"], "+.3g")
            + in_brackets(row["cumulative_low"], row["cumulative_high"], "+.3g"),
        ]
        for side, row in result.table.iterrows()
    ]
    head = ["benchmark", "n", "capture", "same way", "better", "cumulative"]
    lines = [
        *capture_lines(result),
        "cumulative: of compounded returns, which depends on the sample's length",
    ]
    lines.append(f"n={result.n:,}; {result.bootstrap}")
    return f"What {result.names[0]} captures of {result.names[1]}", head, rows, lines


def capture_lines(result: CaptureRatios) -> list[str]:
    """Return what the columns are."""
    return [
        "capture: geometric mean return over that of the benchmark; better: share of rows with the higher "
        "return",
        f"brackets: {100 * result.confidence:g} % intervals, percentiles of {result.n_resamples:,} resamples "
        f"in blocks, seed {result.seed}",
        *(
            f"{side}: the benchmark moved on this side in {row['n_usable']:,.0f} of the resamples only"
            for side, row in result.table.iterrows()
            if row["n_usable"] < result.n_resamples
        ),
    ]


def capture_text(result: CaptureRatios) -> str:
    """Return capture ratios as text."""
    return parts_text(_capture_parts(result))


def capture_html(result: CaptureRatios) -> str:
    """Return capture ratios as HTML."""
    return parts_html(_capture_parts(result))


# safe haven


def haven_rows(result: SafeHaven) -> list[list[str]]:
    """Return a row a condition."""
    return [
        [
            f"{row['market']}, {row['condition']}",
            "" if np.isinf(row["threshold"]) else f"{row['threshold']:+.2%}",
            f"{row['n']:,}",
            with_error(row["beta"], row["standard_error"]),
            between(row["low"], row["high"]),
            str(row["verdict"]),
        ]
        for row in result.table.reset_index().to_dict("records")
    ]


def haven_head(result: SafeHaven) -> list[str]:
    """Return the head of the table."""
    return ["", "at most", "n", "beta ± se", f"{100 - 200 * result.significance:g} % interval", "verdict"]


def haven_lines(result: SafeHaven) -> list[str]:
    """Return what the verdicts rest on."""
    return [
        f"n={result.fit.n:,}; strong, no: one-sided at {100 * result.significance:g} %; quantiles of the "
        f"sample itself; {result.fit.method} (the papers: GARCH)",
    ]


def _haven_parts(result: SafeHaven) -> Parts:
    title = f"{result.asset} as a hedge and a safe haven (Baur and Lucey, 2010; Baur and McDermott, 2010)"
    lines = [*haven_lines(result), *reasons(result.fit), *rough(result.fit.n, result.fit.method)]
    return title, haven_head(result), haven_rows(result), lines


def haven_text(result: SafeHaven) -> str:
    """Return hedge and safe-haven betas as text."""
    return parts_text(_haven_parts(result))


def haven_html(result: SafeHaven) -> str:
    """Return hedge and safe-haven betas as HTML."""
    return parts_html(_haven_parts(result))
