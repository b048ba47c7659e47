"""The mutation tool makes the changes it says, runs them, and its page explains only what there is."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the benchmarks are not installed

from benchmarks.mutants import mutants_of  # noqa: E402
from benchmarks.mutation import TARGETS, explained  # noqa: E402

SOURCE = '''"""A module."""

LIMIT = 3
__all__ = ["f"]


def f(x: int, y: int = 1) -> int:
    """Return something."""
    if x < LIMIT and not y:
        raise ValueError("is 5" + str(x))
    x -= 1
    return max(x, key=abs)
'''


def changes(source: str, tmp_path: Path) -> list[str]:
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    return [f"{m.function}: {m.change}" for m in mutants_of(tmp_path / "module.py", tmp_path)]


def test_every_operator_is_there_and_texts_of_errors_are_left_alone(tmp_path: Path) -> None:
    assert changes(SOURCE, tmp_path) == [
        "LIMIT: 3 → 4",
        "f: if x < LIMIT and (not y) → if False",
        "f: if x < LIMIT and (not y) → if True",
        "f: x < LIMIT and (not y) → x < LIMIT or not y",
        "f: x < LIMIT → x <= LIMIT",
        "f: not y → y",
        "f: x -= 1 → x += 1",
        "f: x -= 1 → nothing",
        "f: 1 → 2",
        "f: max(x, key=abs) → min(x, key=abs)",
        "f: max(x, key=abs) → max(x)",
    ]


def test_a_mutant_is_the_module_with_one_change(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("def f(x):\n    return x + 1\n", encoding="utf-8")
    first, *_ = mutants_of(tmp_path / "module.py", tmp_path)
    assert ast.unparse(first.apply()) == "def f(x):\n    return x - 1"
    assert first.lines == range(2, 3)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_its_modules_and_tests(target: str) -> None:
    for file in (*TARGETS[target].modules, *TARGETS[target].tests):
        assert (ROOT / file).exists(), file


def test_only_mutants_that_there_are_have_been_explained() -> None:
    there = {
        " ".join(str(mutant).split())
        for target in TARGETS.values()
        for module in target.modules
        for mutant in mutants_of(ROOT / module, ROOT)
    }
    assert not explained() - there
