"""The rule of docs/verdicts.md: intervals to words, parts to claims."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator as al
from allocator.scoreboard import Claim, Part, Scoreboard
from allocator.scoreboard.page import board_page


def part(low, high, side="above", threshold=0.0, p=0.01, **facts):
    value = (low + high) / 2
    return Part("fell", "a number", value, low, high, p, 40, side, threshold, **facts)


@pytest.mark.parametrize(
    ("low", "high", "side", "threshold", "word"),
    [
        (0.1, 0.5, "above", 0.0, "supported"),
        (-0.5, -0.1, "above", 0.0, "contradicted"),
        (-0.1, 0.5, "above", 0.0, "undecided"),
        (0.6, 0.9, "above", 0.5, "supported"),
        (-0.5, -0.1, "below", 0.0, "supported"),
        (0.1, 0.5, "below", 0.0, "contradicted"),
        (0.0, 0.5, "above", 0.0, "undecided"),
        (0.1, 0.5, "differs", 0.0, "supported"),
        (-0.5, -0.1, "differs", 0.0, "supported"),
        (-0.5, 0.1, "differs", 0.0, "undecided"),
        (-0.1, 0.1, "within", 0.2, "supported"),
        (-0.1, 0.3, "within", 0.2, "undecided"),
        (0.3, 0.5, "within", 0.2, "contradicted"),
        (-0.5, -0.3, "within", 0.2, "contradicted"),
        (math.nan, math.nan, "above", 0.0, "undecided"),
    ],
)
def test_a_part_is_judged_by_its_interval(low, high, side, threshold, word):
    assert part(low, high, side, threshold).verdict == word


def test_an_interval_is_not_enough_where_the_p_is_corrected():
    """C2: the interval is of one weight alone, the p of the family."""
    assert part(0.01, 0.2, p=0.051).verdict == "undecided"
    assert part(0.01, 0.2, p=0.049).verdict == "supported"
    assert part(-0.2, -0.01, p=0.3).verdict == "undecided"


def test_a_lower_bound_supports_and_does_not_contradict():
    assert Part("n", "switches", 2.0, 2.0, math.inf, math.nan, 40, "above", 1.5).verdict == "supported"
    bound = Part("n", "switches", 1.0, 1.0, math.inf, math.nan, 40, "above", 1.5)
    assert bound.verdict == "undecided"
    assert "at least +1" in repr(Claim("B2", "t", (bound,)))
    assert json.loads(json.dumps(Claim("B2", "t", (bound,)).record, allow_nan=False))["high"] is None


def test_names_cannot_become_markup():
    evil = '"><script>alert(1)</script>'
    board = Scoreboard((Claim(evil, evil, (part(0.1, 0.5, reason=evil),), notes=(evil,)),), (evil,))
    assert "<script" not in board_page(board)
    assert "<script" not in board._repr_html_()


def test_a_part_without_data_is_undecided_and_says_why():
    one = part(0.1, 0.5, reason="n=4, at least 20 are needed")
    assert one.verdict == "undecided"
    assert "n=4, at least 20 are needed" in repr(Claim("A1", "t", (one,)))


def test_a_claim_needs_all_its_parts():
    yes, no, open_ = part(0.1, 0.5), part(-0.5, -0.1), part(-0.1, 0.5)
    assert Claim("A1", "t", (yes, yes)).verdict == "supported"
    assert Claim("A1", "t", (yes, open_)).verdict == "undecided"
    assert Claim("A1", "t", (yes, no)).verdict == "contradicted"


def test_a_contradiction_is_corrected_for_the_number_of_parts():
    weak = part(-0.5, -0.001, p=0.04)
    assert Claim("A1", "t", (weak,)).verdict == "contradicted"
    assert Claim("A1", "t", (weak, part(0.1, 0.5))).verdict == "undecided"  # Holm: 2 × .04
    assert Claim("A1", "t", (weak, part(-0.5, -0.1, p=0.001))).verdict == "contradicted"


def test_arithmetic_has_no_sampling_error():
    one = part(-3.0, -3.0, p=math.nan)
    assert Claim("B1", "t", (one, part(0.1, 0.5))).verdict == "contradicted"
    assert "arithmetic" in repr(Claim("B1", "t", (one,)))


def test_what_does_not_enter_the_verdict_is_shown_beside():
    claim = Claim("A1", "t", (part(0.1, 0.5),), beside=(part(-0.5, -0.1),))
    assert claim.verdict == "supported"
    assert "not judged" in repr(claim)


@given(st.floats(-2, 2), st.floats(0.001, 1), st.floats(-1, 1))
def test_the_other_side_gives_the_other_word(middle, width, threshold):
    other = {"supported": "contradicted", "contradicted": "supported", "undecided": "undecided"}
    above = part(middle - width, middle + width, "above", threshold).verdict
    assert part(middle - width, middle + width, "below", threshold).verdict == other[above]


@given(st.floats(0.21, 2), st.floats(0.001, 0.1))
def test_beyond_a_margin_the_p_is_that_of_the_distance_in_errors(middle, width):
    one = part(middle - width, middle + width, "within", 0.2)
    p = one.p_contradiction
    assert (p < 0.0501) == (one.verdict == "contradicted")


def test_records_are_plain_json():
    board = Scoreboard((Claim("A1", "gold", (part(math.nan, math.nan, p=math.nan, reason="no data"),)),))
    (record,) = json.loads(json.dumps(board.records, allow_nan=False))
    keys = {"claim", "title", "statistic", "value", "low", "high", "p", "n", "sample", "frequency", "verdict"}
    assert keys <= set(record)
    assert record["value"] is None
    assert board.table.loc["A1", "verdict"] == "undecided"
    assert "1 claims" not in repr(board)
    assert "<table>" in board._repr_html_()


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"side": "beyond"}, "side"),
        ({"side": "within"}, "no margin"),
        ({"low": 1.0, "high": 0.0}, "above high"),
    ],
)
def test_parts_that_mean_nothing_are_refused(facts, message):
    with pytest.raises(al.InputError, match=message):
        part(**{"low": 0.1, "high": 0.5, **facts})


def test_a_claim_without_parts_is_refused():
    with pytest.raises(al.InputError, match="none"):
        Claim("A1", "t", ())
