"""README's code runs and prints what README says, and its commands are the ones that CI runs."""

import pathlib
import re
import subprocess
import sys

import pandas as pd
import pytest

from allocator.__main__ import main

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OWN_STRATEGY = (ROOT / "docs/own_strategy.md").read_text(encoding="utf-8")


def blocks(language, page=README):
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_quickstart_is_five_lines_and_prints_what_readme_shows():
    code, shown = blocks("python")[0], blocks("text")[0]
    assert len([line for line in code.splitlines() if line.strip()]) == 5
    lines = code.strip().splitlines()
    lines[-1] = f"print({lines[-1].split('#')[0].strip()})"
    assert run_python("\n".join(lines)).strip() == shown.strip()


@pytest.mark.parametrize("number", range(1, len(blocks("python"))))
def test_the_other_code_of_readme_runs(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(blocks("python")[number])


def test_the_page_on_own_strategies_runs_and_its_audits_print_what_it_shows():
    (code,), (shown,) = blocks("python", OWN_STRATEGY), blocks("text", OWN_STRATEGY)
    assert run_python(code).startswith(shown)
    strategy = code.split("@dataclass")[1]
    assert len(strategy.strip().splitlines()) < 40


def test_ci_runs_readmes_two_commands():
    for name, needed in {"study": "python -m allocator", "test": "python -m pytest"}.items():
        command = re.search(rf"<!-- command: {name} -->\n```sh\n(.*?)```", README, flags=re.DOTALL)
        assert command, f"README has no command {name}"
        assert needed in command[1]
        assert "-c .ci/constraints.txt" in command[1]
        assert f"readme_command {name}" in (ROOT / ".ci/run").read_text()


def test_the_refusal_that_readme_shows(tmp_path, capsys):
    dates = pd.bdate_range("2008-09-01", "2008-12-31", name="date")
    frame = pd.DataFrame(100.0, dates, ["SPY", "IEF", "GLD", "BIL"])
    frame.loc["2008-10-10", "GLD"] = 0.0
    frame.to_csv(tmp_path / "prices.csv")
    roles = ["--stocks", "SPY", "--bonds", "IEF", "--gold", "GLD", "--cash", "BIL"]
    assert main(["--data", str(tmp_path / "prices.csv"), *roles]) == 2
    assert capsys.readouterr().err.strip() in README


def test_what_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
