"""Writers that are killed, run out of disk, or race: what is on the disk is the old file or the new one."""

import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="kills copies of a process, which Windows cannot make"
)

SCRIPT = pathlib.Path(__file__).with_name("killed_writers.py")
WRITERS = ("baseline", "cache", "sheet", "report", "board", "study", "sweep")
SINGLE = ("baseline", "cache", "sheet")  # one file each
BEFORE = ("before the write", "mid-write", "before fsync", "after fsync", "before replace")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What all writers left at all points, from one process that copies itself."""
    words = [sys.executable, str(SCRIPT), str(tmp_path_factory.mktemp("killed"))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(found, writer, kind):
    cases = [each for each in found if each["writer"] == writer and kind in each]
    assert cases, f"nothing was tried of {writer}"
    return cases


@pytest.mark.parametrize("writer", WRITERS)
def test_F198_F200_a_killed_writer_leaves_whole_files_and_the_next_one_clears_up(found, writer):
    for case in of(found, writer, "point"):
        expected = not (writer == "sweep" and "replace" in case["point"])  # it appends: nothing is replaced
        assert case["killed"] == expected, case
        assert case["state"], case
        assert set(case["state"].values()) <= {"old", "new"}, case
        assert case["left"] <= 2, case
        assert case["after"], f"the next writer does not write what it would have written alone: {case}"
        assert case["parts"] == 0, case


@pytest.mark.parametrize("writer", SINGLE)
def test_F200_the_old_file_stays_until_the_new_one_has_its_name(found, writer):
    states = {case["point"]: case["whole"] for case in of(found, writer, "point")}
    assert states == {**dict.fromkeys(BEFORE, "old"), "after replace": "new"}
    left = {case["point"]: case["left"] for case in of(found, writer, "point")}
    assert left == {"before the write": 0, **dict.fromkeys(BEFORE[1:], 1), "after replace": 0}


def test_F200_the_folder_of_a_study_is_one_of_two_as_a_whole(found):
    states = {(case["point"], case["n"]): case["whole"] for case in of(found, "study", "point")}
    assert "mixed" not in states.values()
    assert states[("after rename", 1)] == "old", "put aside, and put back by the next writer"
    assert states[("after rename", 2)] == "new"


@pytest.mark.parametrize("writer", WRITERS)
def test_F199_a_disk_that_is_full_in_the_middle_is_an_error_and_changes_nothing(found, writer):
    (case,) = of(found, writer, "full")
    assert case == {"writer": writer, "full": True, "same": True}


@pytest.mark.parametrize("writer", ["baseline", "cache", "sheet", "report"])
def test_F197_F198_writers_at_once_and_a_reader_between_them(found, writer):
    (case,) = of(found, writer, "race")
    assert case["race"] == [0, 0], "both writers came to their end"
    assert set(case["seen"]) <= {"old", "new"}
    assert case["seen"]
    assert case["parts"] == 0
