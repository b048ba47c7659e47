"""What the commands ask of their arguments alike."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["positive", "refuse_unwritable"]


def positive(text: str) -> int:
    """Read a whole number, 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number


def refuse_unwritable(file: Path, parser: argparse.ArgumentParser) -> None:
    """Find out before minutes of measuring, not after."""
    try:
        file.open("a", encoding="utf-8").close()
    except OSError as error:
        parser.error(f"--json {file}: {error.strerror}")
