"""Every number of the published cases B, C, D, I and empyrical: ours, or a stated convention apart.

``python tests/statistics/test_published_cases.py`` prints the counts that docs/conventions.md has.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from functools import cache
from pathlib import Path

import published_empyrical
import published_performance
import published_regimes
import published_sharpe
import pytest
from published_cases import CASES, REFERENCE, Answer, is_input, leaves

HAS_STATSMODELS = importlib.util.find_spec("statsmodels") is not None
NEEDED = published_regimes.SWITCHING
LEDGERS = {
    ledger.file: ledger
    for module in (published_sharpe, published_performance, published_regimes, published_empyrical)
    for ledger in module.LEDGERS
} | {ledger.file: ledger for ledger in NEEDED}
# Data that other files ask about; they publish no number.
DATA = {
    "B_hfdata6_input.csv",
    "B_ledoitwolf2008_agg_input.csv",
    "B_ledoitwolf2008_hedge_input.csv",
    "C_edhec_input.csv",
    "C_managers_input.csv",
    "C_portfolio_bacon_input.csv",
    "D_baiperron_realint_input.csv",
    "D_hamilton_rgnp_input.csv",
    "D_nile_input.csv",
}
PAGE = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text(encoding="utf-8")
KINDS = ("other words", "on purpose", "simulated", "not offered")

needs_cases = pytest.mark.skipif(
    not (CASES.exists() and REFERENCE.exists()), reason="the published cases are not beside this checkout"
)


@cache
def answers(file: str) -> tuple[Answer, ...]:
    return tuple(LEDGERS[file].answers())


def skip_without_statsmodels(file: str) -> None:
    if file in {ledger.file for ledger in NEEDED} and not HAS_STATSMODELS:
        pytest.skip("the extra [regimes] is not installed")


def documented() -> dict[str, tuple[str, int]]:
    """Return kind and count of each row of the table in docs/conventions.md."""
    section = PAGE.split("## Ours beside the published cases")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split(" | ")] for line in section.splitlines() if " | " in line]
    return {row[0].removeprefix("| "): (row[1], int(row[2].replace(",", ""))) for row in rows[1:]}


@needs_cases
@pytest.mark.parametrize("file", LEDGERS)
def test_every_number_is_an_input_or_answered_once(file):
    skip_without_statsmodels(file)
    found = Counter(answer.leaf for answer in answers(file))
    asked = [leaf for leaf in leaves(file) if not is_input(leaf, LEDGERS[file].inputs)]
    assert not [leaf for leaf, times in found.items() if times > 1]
    assert set(found) == set(asked)


@needs_cases
@pytest.mark.parametrize("file", LEDGERS)
def test_every_number_is_ours_or_a_stated_convention_apart(file):
    skip_without_statsmodels(file)
    wrong = [answer for answer in answers(file) if not answer.is_right]
    assert not wrong, wrong[:5]
    assert {answer.convention for answer in answers(file)} <= {"", *documented()}


@needs_cases
def test_no_case_file_is_passed_over():
    found = {path.name for path in CASES.iterdir() if re.match("[BCDI]_", path.name)}
    found |= {f"empyrical/{path.name}" for path in (CASES / "empyrical").glob("*.json")}
    assert set(LEDGERS) | DATA == found


@needs_cases
def test_the_page_has_the_conventions_and_their_counts():
    if not HAS_STATSMODELS:
        pytest.skip("the extra [regimes] is not installed")
    assert {name: count for name, (_, count) in documented().items()} == counts()
    assert totals() in PAGE


def test_the_page_says_of_each_what_kind_it_is():
    assert documented()
    assert {kind for kind, _ in documented().values()} == set(KINDS)


def test_a_wrong_number_is_found():
    """What the tests above rest on."""
    assert Answer("a", 1.0, 1.0 + 1e-10).is_right
    assert not Answer("a", 1.0, 1.0 + 1e-8).is_right
    assert not Answer("a", "NaN", 0.0).is_right
    assert not Answer("a", 0.0, float("nan")).is_right
    assert Answer("a", "NaN", float("nan")).is_right
    assert not Answer("a", "Inf", 1e16).is_right
    assert not Answer("a", 1.0, True).is_right  # a proof needs a convention
    assert Answer("a", 1.0, True, "no observations").is_right
    assert not Answer("a", 1.0, False, "no observations").is_right


def counts() -> dict[str, int]:
    tally = Counter(answer.convention for file in LEDGERS for answer in answers(file))
    return {convention: count for convention, count in tally.items() if convention}


def totals() -> str:
    everything = sum(len(answers(file)) for file in LEDGERS)
    by_kind = Counter(dict.fromkeys(KINDS, 0))
    for convention, count in counts().items():
        by_kind[documented().get(convention, ("?", 0))[0]] += count
    plain = everything - by_kind.total()
    rest = ", ".join(f"{by_kind[kind]:,} {kind}" for kind in KINDS)
    return f"{everything:,} numbers in {len(LEDGERS)} files: {plain:,} as they stand, {rest}."


if __name__ == "__main__":
    for convention, count in sorted(counts().items()):
        print(f"{count:6,}  {convention}")
    print(totals())
