"""Errors travel: a process pool pickles what its workers raise."""

import pickle

import pytest

from allocator.errors import InputError, InsufficientHistoryError, StrategyError

ERRORS = (
    InputError("prices", "is 0.0", asset="GLD", date="2008-10-10", fix="correct it"),
    InsufficientHistoryError("prices", "too short", rows_needed=12),
    StrategyError("60/40", "2020-01-01", "raised ValueError: no"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_an_error_survives_pickling(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
