"""What a person installs: exactly two packages, typed, with their data, running outside the checkout."""

import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command, cwd, **environment):
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=environment or None,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("allocator_backtest-*.whl")
    return built


def test_the_wheel_has_exactly_the_two_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {n.split("/")[0] for n in names if ".dist-info/" not in n} == {"allocator", "strategies"}
    for needed in ("allocator/py.typed", "strategies/py.typed", "allocator/market/data/us_history.csv"):
        assert needed in names
    assert any(n.endswith("licenses/LICENSE") for n in names)


@pytest.fixture
def command(wheel, tmp_path):
    """Run the main job in ``tmp_path`` with only the wheel's code, away from the checkout."""
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--target", tmp_path / "site")
    run(*pip, wheel, cwd=tmp_path)
    return lambda: run(sys.executable, "-m", "allocator", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))


def test_the_wheel_runs_the_main_job_outside_the_checkout(command, tmp_path):
    assert "60/40" in command()
    assert (tmp_path / "allocator-report/index.html").exists()


def test_a_persons_own_folder_called_strategies_does_not_hide_ours(command, tmp_path):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/__init__.py").write_text("raise RuntimeError('the wrong strategies')\n")
    assert "Risk parity" in command()


def test_nothing_of_this_machine_is_in_the_project():
    files = run("git", "ls-files", cwd=ROOT).split("\n")
    top = {name.split("/")[0] for name in files if name}
    allowed = {"pyproject.toml", "allocator", "strategies", "examples", "tests", "docs", "benchmarks"}
    assert top <= allowed | {"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", ".ci", ".gitignore"}
    constraints = (ROOT / ".ci/constraints.txt").read_text()
    assert "://" not in constraints
    assert "--" not in constraints
