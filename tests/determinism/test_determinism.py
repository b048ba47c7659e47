"""One answer, to the byte, whatever the process and its surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))

from surroundings import Surroundings, answered, differing, locales, started

from allocator.statistics._one_thread import gram, inner, product

# A picture takes seconds: the file of the study has one, and the matrix draws the others.
LEFT_TO_THE_MATRIX = {"report_files", "tear_sheet_pdf", "tear_sheet_page"}


def names() -> list[str]:
    import answers

    return [name for name in (*answers.BYTES, *answers.NUMBERS) if name not in LEFT_TO_THE_MATRIX]


def test_F202_F203_threads_hash_seeds_locales_zones_and_folders_change_no_byte():
    foreign = [*locales(), "C.UTF-8", "C.UTF-8"][:2]
    plain = Surroundings()
    others = [
        Surroundings(2, 12345, foreign[0], "Asia/Kathmandu", optimised=True, elsewhere=True),
        Surroundings(4, 1, foreign[1], "Pacific/Apia"),
    ]
    with started([plain, *others], names()) as running:
        (_, first), *rest = [(one, answered(process)) for one, process in running]
    assert len(first["bytes"]) > 60
    assert {str(one): differing(first, found) for one, found in rest} == {str(one): [] for one in others}


def test_F117_threads_and_processes_of_one_run_give_the_bytes_of_a_row():
    with started([Surroundings()], ["--within-one-run"]) as running:
        found = answered(running[0][1])
    assert {"in a row", "spawn", "threads"} <= found.keys()
    assert all(each == found["in a row"] for each in found.values()), found


def test_F202_pictures_spell_months_out_themselves():
    from matplotlib.dates import AutoDateLocator, date2num

    from allocator.report.style import _english_dates

    dates = _english_dates(AutoDateLocator())
    ticks = [date2num(np.datetime64(day)) for day in ("2020-03-01", "2020-07-01", "2020-12-01")]
    assert dates.format_ticks(ticks) == ["Mar", "Jul", "Dec"]
    assert not any("%b" in each for each in (*dates.formats, *dates.zero_formats, *dates.offset_formats))


def test_a_digest_sees_one_bit_a_name_an_order_and_a_date():
    import answers
    import pandas as pd

    dates = pd.date_range("2020-01-01", periods=3)
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, np.nan]}, dates)
    moved = table.copy()
    moved.iloc[1, 0] = np.nextafter(2.0, 3.0)
    others = [
        moved,
        table[["b", "a"]],
        table.rename(columns={"a": "c"}),
        table.shift(1, "D"),
        table["a"],
        {"a": table},
    ]
    assert answers.digest(table) == answers.digest(table.copy())
    assert len({answers.digest(each) for each in (table, *others)}) == 7


def test_numbers_beyond_the_tolerance_and_missing_answers_are_named():
    one = {"bytes": {"x": "1"}, "numbers": {"y": [1.0, float("nan")]}}
    assert differing(one, one) == []
    assert differing(one, {"bytes": {"x": "2"}, "numbers": {"y": [1.0, float("nan")]}}) == ["x"]
    assert differing(one, {"bytes": {"x": "1"}, "numbers": {"y": [1.0 + 2e-12, float("nan")]}}) == ["y"]
    assert differing(one, {"bytes": {"x": "1"}, "numbers": {"y": [1.0]}}) == ["y"]
    assert differing(one, {"bytes": {}, "numbers": {"y": [1.0, float("nan")]}}) == ["x"]


SHAPES = [(1, 1), (300, 3), (9_000, 1), (9_000, 2), (20_000, 1), (700, 70), (130, 129), (20_000, 9)]


@pytest.mark.parametrize("shape", SHAPES)
def test_products_in_parts_are_products(shape):
    x = np.random.default_rng(0).normal(1.0, 1.0, shape)
    y, w = x * 2.0 + 1.0, x[:, 0]
    np.testing.assert_allclose(gram(x), np.einsum("ti,tj->ij", x, x), rtol=1e-11)
    np.testing.assert_array_equal(gram(x), gram(x).T)
    np.testing.assert_allclose(product(x.T, y), np.einsum("ti,tj->ij", x, y), rtol=1e-11)
    np.testing.assert_allclose(product(w, y), np.einsum("t,tj->j", w, y), rtol=1e-11)
    np.testing.assert_allclose(product(x.T, w), np.einsum("ti,t->i", x, w), rtol=1e-11)
    np.testing.assert_allclose(product(y, x[0]), np.einsum("ti,i->t", y, x[0]), rtol=1e-11)
    assert inner(w, w) == pytest.approx(float(np.einsum("t,t->", w, w)), rel=1e-12)


THREADS = """
import hashlib
import numpy as np
from allocator.statistics._one_thread import gram, inner, product
made = hashlib.sha256()
for shape in {shapes}:
    x = np.random.default_rng(0).normal(1.0, 1.0, shape)
    many = np.random.default_rng(1).normal(1.0, 1.0, (len(x), 300)) if len(x) < 9999 else x
    for found in (gram(x), product(x.T, many), product(x[:, 0], x), product(x.T, x[:, 0]), product(x, x[0])):
        made.update(np.ascontiguousarray(found).tobytes())
    made.update(np.float64(inner(x[:, 0], x[:, 0])).tobytes())
print(made.hexdigest())
"""


def test_F203_products_in_parts_are_the_same_on_any_number_of_threads():
    code, said = THREADS.format(shapes=[*SHAPES, (70_000, 9), (229, 271)]), set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        options = {"capture_output": True, "text": True, "check": True, "env": environment}
        said.add(subprocess.run([sys.executable, "-c", code], **options).stdout)
    assert len(said) == 1
