"""The pytest plugin, as pytest runs it: what fails, what is written, and what a report says."""

import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points

import pytest

import allocator.research.baseline  # noqa: F401 - pytester forgets what is imported first inside it

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytest_plugins = ["pytester"]

STRATEGY = """
from dataclasses import dataclass
import allocator as al

@dataclass(frozen=True)
class Mix(al.Strategy):
    name: str = "Mix"

    def weights(self, past):
        share = 0.6  # plant
        return {"stocks": share, "bonds": 1 - share}

market = al.load_us_history()

def mix():
    return al.run_backtest(Mix(), market, end="2000")
"""
TESTS = """
import strategy_of_mine as mine

def test_mix(backtest_baseline):
    backtest_baseline.check(mine.mix())
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder with a strategy and a test of it, and a pytest with nothing but our plugin."""
    for name in ("CI", "GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    pytester.makepyfile(strategy_of_mine=STRATEGY, test_mine=TESTS)
    pytester.makeini("[pytest]\npythonpath = .\nfilterwarnings = error\n")
    return pytester


def run(project, *options):
    plugins = ("-p", "allocator.pytest_plugin", "-p", "no:cacheprovider")
    return project.runpytest_inprocess(*plugins, *options)


def plant(project, after="0.6 if past.index[-1].year < 1950 else 0.7"):
    file = project.path / "strategy_of_mine.py"
    file.write_text(file.read_text().replace("0.6  # plant", after))


def baselines(project):
    return sorted(path.name for path in (project.path / "baselines").glob("*"))


def test_a_missing_baseline_fails_and_is_not_made(project):
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no baseline *test_mine.test_mix.json*", "*--update-baselines*"])
    assert not (project.path / "baselines").exists()


def test_a_planted_change_is_caught_with_its_date_and_only_updated_when_asked(project):
    run(project, "--update-baselines").assert_outcomes(passed=1)
    assert baselines(project) == ["test_mine.test_mix.json"]
    run(project).assert_outcomes(passed=1)
    file = project.path / "baselines" / "test_mine.test_mix.json"
    before = file.read_bytes()
    plant(project)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "'Mix' MOVED since 1950-12-31 (code): baselines/test_mine.test_mix.json; *",
            "*sharpe * +* %)*1e-09",
            "since 1950-12-31: weight of 'stocks' 0.6 → 0.7",
            "since 1950-12-31: return *",
            "moved: code",
            "  code: the source of the module strategy_of_mine changed",
            "if this is meant: --update-baselines*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert file.read_bytes() == before
    run(project, "--update-baselines").assert_outcomes(passed=1)
    assert file.read_bytes() != before
    run(project).assert_outcomes(passed=1)


def test_ci_updates_nothing_by_accident(project, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = run(project, "--update-baselines")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--update-baselines is refused where CI is set*"])
    assert not (project.path / "baselines").exists()
    run(project, "--update-baselines-in-ci").assert_outcomes(passed=1)
    assert baselines(project) == ["test_mine.test_mix.json"]
    monkeypatch.setenv("CI", "false")
    run(project, "--update-baselines").assert_outcomes(passed=1)


def test_a_test_may_have_several_and_names_that_differ_have_files_that_do(project):
    project.makepyfile(
        test_mine="""
        import pytest
        import strategy_of_mine as mine

        @pytest.mark.parametrize("case", ["60/40", "60_40", "60:40"])
        def test_case(backtest_baseline, case):
            backtest_baseline.check(mine.mix())

        class TestMany:
            def test_two(self, backtest_baseline):
                backtest_baseline.check(mine.mix(), "first")
                backtest_baseline.check(mine.mix(), name="../second")

        def test_twice(backtest_baseline):
            backtest_baseline.check(mine.mix())
            backtest_baseline.check(mine.mix())
        """
    )
    result = run(project, "--update-baselines")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        ["*this test has checked test_mine.test_twice.json before; give each a name=*"]
    )
    files = baselines(project)
    assert len(files) == 6
    assert {"test_mine.TestMany.test_two.first.json", "test_mine.test_case-60_40.json"} <= {*files}
    assert sum(name.startswith("test_mine.test_case-60_40-") for name in files) == 2
    assert not [*project.path.glob("*.json")]


def test_tolerances_and_the_folder_come_from_the_ini_file_and_from_the_test(project):
    run(project, "--update-baselines", "-o", "baseline_folder=kept").assert_outcomes(passed=1)
    assert [path.name for path in (project.path / "kept").iterdir()] == ["test_mine.test_mix.json"]
    plant(project, "0.6 + 1e-7")
    kept = ("-o", "baseline_folder=kept", "-o")
    run(project, *kept, "baseline_tolerances=").assert_outcomes(failed=1)
    run(project, *kept, "baseline_tolerances=default = 1e-3").assert_outcomes(passed=1)
    result = run(project, *kept, "baseline_tolerances=sharp = 1e-3")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no metric 'sharp'; is it 'sharpe'?*"])
    run(project, *kept, "baseline_tolerances=sharpe").stdout.fnmatch_lines(["*write sharpe = 1e-6*"])
    tests = TESTS.replace("mine.mix())", "mine.mix(), tolerances={'default': 1e-3})")
    project.makepyfile(test_mine=tests)
    run(project, *kept, "baseline_tolerances=").assert_outcomes(passed=1)


def test_a_file_that_is_no_baseline_fails_without_a_traceback(project):
    (project.path / "baselines").mkdir()
    (project.path / "baselines" / "test_mine.test_mix.json").write_text('{"schema": NaN}')
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["path: *test_mine.test_mix.json' has NaN, which is no JSON; restore*"])


def test_junit_and_github_are_told(project, monkeypatch):
    page = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    run(project, "--update-baselines")
    plant(project)
    run(project, "--junitxml=junit.xml")
    found = {each.get("name"): each.get("value") for each in ET.parse("junit.xml").iter("property")}
    key = "baseline[test_mine.test_mix]"
    assert found[f"{key}.result"] == "moved"
    assert found[f"{key}.since"] == "1950-12-31"
    assert found[f"{key}.moved"] == "code"
    assert 0.0 < float(found[f"{key}.sharpe"]) < 1.0
    project.mkdir("other").joinpath("test_mine.py").write_text(TESTS)  # its baseline has the same name
    run(project, "--import-mode=importlib")
    written, moved, both = page.read_text().split("### ")[1:]
    assert "Baselines: 2 checked, 2 not as they were" in both
    assert "| test\\_mine.test\\_mix | written |" in written
    assert "1 checked, 1 not as they were" in moved
    assert "| **moved** | 1950-12-31 | code | final\\_value " in moved


def test_workers_write_and_report_to_one_summary(project, monkeypatch):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    page = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    tests = TESTS + TESTS.split("\n\n")[-1].replace("test_mix", "test_again")
    project.makepyfile(test_mine=tests)
    run(project, "-p", "xdist", "-n", "2", "--update-baselines").assert_outcomes(passed=2)
    assert baselines(project) == ["test_mine.test_again.json", "test_mine.test_mix.json"]
    assert page.read_text().startswith("### Baselines: 2 checked, 0 not as they were\n")
    assert page.read_text().count("###") == 1


def test_pytest_finds_the_plugin_and_starts_no_slower_for_it():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"allocator": "allocator.pytest_plugin"}
    code = (
        "import sys, allocator.pytest_plugin;"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'pandas', 'pytest', 'allocator.research')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def commands(page):
    """Return the lines of the first block of commands of a page."""
    return page.read_text(encoding="utf-8").split("```bash\n")[1].split("```")[0].splitlines()


def test_the_example_passes_with_its_own_commands_and_catches_what_it_says(tmp_path):
    """Its README's commands, but for the installation, which is that of these tests."""
    example = ROOT / "examples" / "ci"
    if not example.is_dir():
        pytest.skip("the examples are not in this copy")
    project = shutil.copytree(example, tmp_path / "ci")
    install, *documented = commands(project / "README.md")
    assert install == 'python -m pip install -e ".[test]"'
    is_found = any(each.name == "allocator" for each in entry_points(group="pytest11"))
    plugins = {} if is_found else {"PYTEST_PLUGINS": "allocator.pytest_plugin"}  # installed before it was
    keep = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_STEP_SUMMARY")}

    def run_line(line):
        return subprocess.run(
            [sys.executable, *line.split()[1:]],
            cwd=project,
            env={**keep, **plugins, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert len(documented) == 2
    for line in documented:
        done = run_line(line)
        assert done.returncode == 0, done.stdout + done.stderr
    source = (project / "portfolio.py").read_text()
    (project / "portfolio.py").write_text(source.replace("share / 2", "share / 3"))
    done = run_line(documented[0])
    assert done.returncode == 1
    assert done.stdout.count("code: the source of the module portfolio changed") == 3
    shown = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    # The page was made where the baselines were; elsewhere versions are named beside the code.
    said = done.stdout.replace("versions, code; which of them did it cannot be told", "code")
    said = said.replace("(versions, code)", "(code)")
    for line in shown.splitlines():
        assert line.strip("… ") in said
    workflow = (project / ".github" / "workflows" / "backtests.yml").read_text()
    for line in documented:
        assert line in workflow
