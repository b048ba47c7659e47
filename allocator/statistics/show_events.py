"""How an event study shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allocator.errors import iso_date
from allocator.tables import html_block, html_table, text_block, text_table

if TYPE_CHECKING:
    from allocator.statistics.event_study import EventStudy

__all__ = ["event_html", "event_text"]

_HEAD = ["event", "day 0", "return"]


def _rows(study: EventStudy) -> list[list[str]]:
    events: list[Any] = study.events.to_dict("records")
    return [
        [iso_date(event["date"]), iso_date(event["row"]), f"{100 * event['cumulative']:+.2f} %"]
        for event in events
    ]


def _events(study: EventStudy) -> str:
    return f"{study.n} event{'s' if study.n > 1 else ''}"


def _title(study: EventStudy) -> str:
    return f"{study.name} in the {study.path.index[-1]} rows after {_events(study)}"


def _footer(study: EventStudy) -> list[str]:
    last = study.path.iloc[-1]
    return [
        f"mean {100 * last['response']:+.2f} %, of placebo dates {100 * last['placebo']:+.2f} %; effect "
        f"{100 * study.effect:+.2f} % ± {100 * study.standard_error:.2f}, "
        f"{100 * study.confidence:g} % interval {100 * study.low:+.2f} to {100 * study.high:+.2f} %, "
        f"p = {study.p_value:.4f}",
        f"n={study.n}, against {study.n_placebo_dates:,} placebo dates, {study.n_resamples:,} draws, "
        f"seed {study.seed}; returns from the close of day 0, over cash where it was given",
    ]


def event_text(study: EventStudy) -> str:
    """Return an event study as text."""
    return text_block([_title(study), *text_table(_HEAD, _rows(study), 2), *_footer(study)])


def event_html(study: EventStudy) -> str:
    """Return an event study as HTML."""
    return html_block(_title(study), html_table(_HEAD, _rows(study)), _footer(study))
