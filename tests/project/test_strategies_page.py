"""docs/strategies.md: its code runs, its refusal is what is raised, its table is what the command prints."""

import pathlib
import re
import subprocess
import sys

import pytest

import allocator as al
import strategies

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/strategies.md").read_text(encoding="utf-8")


def run_python(*arguments):
    command = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_code_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert "Minimum variance" in run_python("-c", code)


def test_the_refusal_is_the_one_that_is_raised():
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    risky = strategies.Group(("stocks", "gold"), at_most=0.4, name="risky")
    impossible = strategies.MinimumVariance(
        ("stocks", "bonds", "gold"), constraints=(strategies.Bounds(upper=0.5), risky)
    )
    with pytest.raises(al.StrategyError) as refusal:
        al.run_backtest(impossible, al.simulate_market(seed=1))
    assert str(refusal.value) == shown.strip()


def test_the_table_is_what_the_command_prints():
    assert run_python("examples/every_strategy.py").strip() in PAGE


def test_every_strategy_is_on_the_page():
    for name in strategies.__all__:
        kind = getattr(strategies, name)
        if isinstance(kind, type) and issubclass(kind, al.Strategy):
            assert f"`{name}" in PAGE, name
