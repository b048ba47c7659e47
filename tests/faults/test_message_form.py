"""The one form of every message: argument, asset, date, problem, count, fix, and always one line: F193."""

from __future__ import annotations

import datetime as dt
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator as al
from allocator.errors import (
    AllocatorError,
    DownloadError,
    InputError,
    InsufficientHistoryError,
    SolverError,
    StrategyError,
    message,
    plain_line,
)
from allocator.market.market import Market

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "two\nlines",
    "a\r\nb",
    "nul\x00",
    "\u202egnp.exe",
    "\u2028",
    "\ud800",
    "\x7f",
    "\x9b1m",
]
DAYS = pd.bdate_range("2020-01-01", periods=40)


def test_the_parts_in_their_order():
    assert (
        message("prices", "is 0.0", asset="GLD", date=dt.date(2008, 10, 10), count=3, fix="correct it")
        == "prices['GLD'] on 2008-10-10: is 0.0 (first of 3); correct it"
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "prices: no rows"),
        ({"fix": "add some"}, "prices: no rows; add some"),
        ({"count": None}, "prices: no rows"),
        ({"count": 0}, "prices: no rows"),
        ({"count": 1}, "prices: no rows"),
        ({"count": 2}, "prices: no rows (first of 2)"),
        ({"count": 1234567}, "prices: no rows (first of 1,234,567)"),
        ({"asset": 0}, "prices[0]: no rows"),
        ({"asset": ""}, "prices['']: no rows"),
        ({"date": pd.Timestamp("2020-01-02 16:00")}, "prices on 2020-01-02: no rows"),
    ],
)
def test_parts_that_are_not_known_are_left_out(parts, text):
    assert message("prices", "no rows", **parts) == str(InputError("prices", "no rows", **parts)) == text


@pytest.mark.parametrize(
    "error", [InputError("a", "b", count=4), InsufficientHistoryError("a", "b", rows_needed=9, count=4)]
)
def test_errors_keep_their_parts_through_a_pickle(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert again.count == 4
    assert str(again) == str(error) == "a: b (first of 4)"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("part", ["argument", "problem", "asset", "date", "fix"])
def test_F193_control_characters_are_shown_and_not_sent(part, text):
    parts = {"argument": "prices", "problem": "is bad", part: text}
    says = message(**parts)
    assert says.isprintable()
    assert says.encode()  # a lone surrogate cannot be written
    assert repr(text)[1:-1].replace("\\\\", "\\") in says.replace("\\\\", "\\")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "error",
    [
        lambda text: SolverError(text, "clarabel", text, text),
        lambda text: StrategyError(text, "2020-01-01", text),
        lambda text: DownloadError("FRED", text, text),
    ],
)
def test_F193_in_every_kind_of_error(error, text):
    assert str(error(text)).isprintable()
    assert str(error(text * 100_000)).isprintable()
    assert len(str(error(text * 100_000))) <= 1_500


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_F193_any_text_becomes_one_line(problem, asset, fix):
    says = message("prices", problem, asset=asset, fix=fix)
    assert says.isprintable()
    assert len(says.splitlines()) == 1
    if problem.isprintable() and fix.isprintable():
        assert says == f"prices[{asset!r}]: {problem}" + (f"; {fix}" if fix else "")


@given(st.text())
def test_F193_a_line_is_left_as_it_is_or_escaped_once(text):
    line = plain_line(text)
    assert plain_line(line) == line
    assert plain_line(plain_line(text * 500)) == plain_line(text * 500)
    assert (line == text) == text.isprintable()


def test_F193_printable_signs_of_any_alphabet_stay():
    assert (
        message("prices", "– ½Σ|Δw| 株式 é", asset="Überseefonds")
        == "prices['Überseefonds']: – ½Σ|Δw| 株式 é"
    )


@pytest.mark.parametrize("part", ["argument", "problem", "asset", "date", "fix"])
@pytest.mark.parametrize("sign", ["x", "\x00", "\U0001f4a9", "\u202e"])
def test_F193_a_name_of_a_million_letters_floods_no_log(part, sign):
    parts = {"argument": "prices", "problem": "is negative", "fix": "correct it", part: sign * 1_000_000}
    says = message(**parts)
    assert len(says) <= 1_500
    for name, text in {"problem": ": is negative", "fix": "; correct it"}.items():
        if name != part:
            assert text in says  # what is wrong is still said
    assert "characters ...]" in says


def test_F193_a_long_message_is_cut_in_its_middle():
    says = message("prices", "begin " + "x" * 5_000 + " end", fix="go")
    assert re.fullmatch(r"prices: begin x+ \[\.\.\. 4,400 characters \.\.\.\] x+ end; go", says)
    assert message("prices", "x" * 1_490) == "prices: " + "x" * 1_490


# --- what the door of a market says ---


@pytest.mark.parametrize("name", [*HOSTILE[:5], *HOSTILE[7:], "x" * 1_000_000])
def test_F193_a_hostile_name_of_an_asset(name):
    prices = pd.DataFrame({name: np.linspace(1.0, 2.0, 40), "GLD": 1.0}, index=DAYS)
    prices.iloc[5, 0] = -1.0
    with pytest.raises(AllocatorError) as caught:
        Market(prices, 0.0)
    assert str(caught.value).isprintable()
    assert "is -1.0, negative" in str(caught.value)
    assert len(str(caught.value)) <= 1_500
    assert caught.value.asset == name  # a program gets it as it is


def test_F193_a_hostile_name_in_a_note():
    moves = np.random.default_rng(0).normal(0.0, 0.01, 40)
    prices = pd.DataFrame({"\x1b[2J\n": np.exp(np.cumsum(moves)), "GLD": 1.0}, index=DAYS)
    prices.iloc[10:30, 0] = prices.iloc[10, 0]
    note = Market(prices, 0.0).notes[-1]
    assert note.startswith(r"prices['\x1b[2J\n'] on 2020-01-15: the same price on 20 rows")
    assert note.isprintable()


def table(**changes):
    prices = pd.DataFrame(
        {"SPY": np.linspace(300.0, 340.0, 40), "GLD": np.linspace(150.0, 140.0, 40)}, index=DAYS
    )
    for asset, rows in changes.items():
        for row, value in rows.items():
            prices.iloc[row, prices.columns.get_loc(asset)] = value
    return prices


@pytest.mark.parametrize(
    ("prices", "cash", "says"),
    [
        (
            table(GLD={5: 0.0, 9: 0.0}, SPY={7: 0.0}),
            0.0,
            r"prices['GLD'] on 2020-01-08: is 0.0; .* (first of 3); .*",
        ),
        (
            table(GLD={5: np.nan, 9: np.nan}),
            0.0,
            r"prices['GLD'] on 2020-01-08: no price, a hole of 1 row (first of 2); .*",
        ),
        (table(), pd.Series([1e-5, np.nan] * 20, DAYS), r"cash on 2020-01-02: is nan (first of 20); .*"),
        (
            table(),
            pd.Series(1e-5, DAYS[:30]),
            r"cash on 2020-02-12: no return for 10 of .* (first of 10); .*",
        ),
        (
            table().set_axis(DAYS.where(DAYS.day != 7)),
            0.0,
            r"prices.index: row 4 has no date (NaT) (first of 2); .*",
        ),
        (
            table().set_axis(DAYS + pd.Timedelta(9, "h")),
            0.0,
            r"prices.index on 2020-01-01: time .* (first of 40); .*",
        ),
        (
            table().astype({"GLD": str}),
            0.0,
            r"prices['GLD'] on 2020-01-01: '150.0' is str, .* (first of 40); .*",
        ),
        (
            table().iloc[[*range(10), 12, 11, 10, *range(13, 40)]],
            0.0,
            r"prices.index on .*: not sorted: .* (first of 2); .*",
        ),
    ],
)
def test_a_refusal_says_who_when_what_how_often_and_what_to_do(prices, cash, says):
    with pytest.raises(al.InputError) as caught:
        Market(prices, cash)
    pattern = re.sub(r"[()\[\]]", lambda sign: "\\" + sign[0], says)
    assert re.fullmatch(pattern, str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    "signals",
    [
        {"cpi": pd.Series([0.02, np.nan, np.inf], DAYS[:3])},
        {"cpi": al.Signal(pd.Series([0.02, 0.03], DAYS[:2]), DAYS[5:7])},
    ],
)
def test_a_refusal_of_a_signal_counts(signals):
    with pytest.raises(al.InputError, match=r"signals\['cpi'\] on 2020-01-0\d: .* \(first of 2\); "):
        Market(table(), 0.0, signals)
