"""Settings that are numbers: what is none is refused here, in one form of words."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from allocator.errors import InputError


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; True and 2.0 are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a real number; text, None and True are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def refuse_no_count(argument: str, value: Any, fix: str = "") -> None:
    """Refuse a number of something that is no whole number."""
    if not is_whole(value):
        raise InputError(argument, f"{value!r} is not a whole number", fix=fix)


def refuse_no_number(argument: str, value: Any, fix: str = "") -> None:
    """Refuse what is no number."""
    if not is_number(value):
        raise InputError(argument, f"{value!r} is not a number", fix=fix)


def refuse_no_seed(seed: Any) -> None:
    """Refuse what seeds no generator the same way twice."""
    if not is_whole(seed) or seed < 0:
        raise InputError("seed", f"{seed!r} is not a whole number, 0 or more", fix="pass 0, say")


def refuse_long_blocks(block_length: Any, n: int, rows: str) -> None:
    """Refuse blocks of which fewer than three fill a sample: resamples are all alike, without width."""
    most = max(n // 3, 1)
    if not is_whole(block_length) or not 1 <= block_length <= most:
        raise InputError(
            "block_length",
            f"{block_length!r} is not between 1 and {most}, a third of the {n} {rows}",
            fix="of longer blocks resamples are nearly the sample, and the interval has no width",
        )
