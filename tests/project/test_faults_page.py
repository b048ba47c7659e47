"""docs/faults.md: every fault has its line, every line a test that exists, and every test its line."""

import importlib.util
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
FAULTS, _, REASONS = PAGE.partition("## Where the verdict")
ROWS = dict(re.findall(r"^\| (F\d{3}) \| (.*\| (?:refused|defined|said) \|.*)$", FAULTS, flags=re.MULTILINE))


def module(name):
    """Import a module of tests/faults, which is no package."""
    path = ROOT / "tests/faults" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"faults_{name}", path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


CATALOGUE, MAKER = module("catalogue"), module("page")


@pytest.fixture(scope="module")
def tests():
    return MAKER.named_tests()


def test_all_faults_are_in_the_catalogue_and_on_the_page():
    expected = [f"F{number:03}" for number in range(1, 205)]
    assert [fault.id for fault in CATALOGUE.FAULTS] == expected
    assert [each for each in expected if each not in ROWS] == []


def test_each_names_a_test_that_exists(tests):
    for fault in CATALOGUE.FAULTS:
        named = re.findall(r"`([\w/]+\.py::test_\w+)`", ROWS[fault.id])
        assert named, f"{fault.id} names no test: run python tests/faults/page.py"
        assert set(named) <= set(tests.get(fault.id, ())), f"{fault.id} names a test that is not there"


def test_no_test_of_a_fault_is_missing_from_the_page(tests):
    assert sorted(set(tests) - set(ROWS)) == []


def test_verdicts_and_words_are_those_of_the_catalogue():
    for fault in CATALOGUE.FAULTS:
        begins = f"{fault.given} | {MAKER._VERDICTS[fault.verdict]} | {fault.got}"
        assert ROWS[fault.id].startswith(begins), f"{fault.id}: run python tests/faults/page.py"
        assert bool(fault.got) == (fault.verdict != "E"), f"{fault.id}: what does a person get?"
    for identity, (_, why) in CATALOGUE.DIFFERENT.items():
        row = rf"^\| {identity} \| .* \| {re.escape(why)} \|$"
        assert re.search(row, REASONS, flags=re.MULTILINE), identity


def test_each_refusal_shows_its_message():
    for fault in CATALOGUE.FAULTS:
        if fault.verdict == "E":
            got = ROWS[fault.id].split(" | ")[2]
            assert re.match(r"`.+`$", got), f"{fault.id} shows no message: run python tests/faults/page.py"


def test_the_page_names_no_place_of_a_machine():
    assert not re.search(r"/(?:home|root|tmp|Users|var)/", PAGE)
    assert str(ROOT) not in PAGE


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("test_F023_zero_price", ["F023"]),
        ("test_F061_F062_weights", ["F061", "F062"]),
        ("test_F023", ["F023"]),
        ("test_fast_F023", []),
        ("test_F23_x", []),
    ],
)
def test_faults_are_read_from_the_beginning_of_a_name(name, faults):
    assert MAKER.faults_of(name) == faults


def test_messages_lose_what_belongs_to_a_machine():
    scratch = "/scratch/pytest-of-me/pytest-0/popen-gw1/test_x0"
    text = f"file: '{ROOT}/a' and '{scratch}/prices.csv' at 0x7f00aa11bb22 | x `y`"
    assert MAKER._for_the_page(text) == "`file: '…/a' and '…/prices.csv' at 0x… \\| x 'y'`"
