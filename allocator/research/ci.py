"""What a job of continuous integration is told and can show: the variables CI and GITHUB_STEP_SUMMARY."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from allocator.research.show_baseline import markdown_summary

__all__ = ["append_summary", "is_ci"]


def is_ci() -> bool:
    """Return whether this runs in continuous integration, as the variable ``CI`` says."""
    return os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no")


def append_summary(results: Iterable[tuple[str, dict[str, str]]]) -> None:
    """Append baselines as a table to the page that GitHub shows with a job, where there is one.

    A page that cannot be written fails no check.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        with contextlib.suppress(OSError), open(file, "a", encoding="utf-8") as page:
            page.write(markdown_summary(results))
