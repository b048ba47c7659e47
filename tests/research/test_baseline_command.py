"""``python -m allocator check``: its exit codes, and what it imports: only what a person has named."""

import sys
from textwrap import dedent

import pytest

import allocator as al
from allocator.__main__ import main

MODULE = """
    import pathlib

    import allocator as al
    from strategies import SixtyForty

    pathlib.Path("imported").touch()
    SHARE = 0.6
    market = al.load_us_history()


    def one():
        return al.run_backtest(SixtyForty(stock_weight=SHARE), market, end="2000")


    def two():
        return {"one": one(), "half": al.run_backtest(SixtyForty(stock_weight=0.5), market, end="2000")}


    def fails():
        raise ZeroDivisionError("by\\nzero")


    def leaves():
        raise SystemExit(0)


    def table():
        return 3
"""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A folder with a module, as a person has it."""
    for name in ("CI", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mine.py").write_text(dedent(MODULE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("mine", None)


def check(*words):
    try:
        return main(["check", *words])
    except SystemExit as stop:  # argparse
        return stop.code


def refused(capsys, *words):
    assert check(*words) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("allocator: ")
    return printed.err


def plant(project, share):
    source = (project / "mine.py").read_text()
    (project / "mine.py").write_text(source.replace("SHARE = 0.6", f"SHARE = {share}"))
    sys.modules.pop("mine", None)


def test_the_codes_are_0_as_it_was_and_1_moved(project, capsys):
    assert check("one.json", "--run", "mine:one", "--update") == 0
    assert "written: one.json" in capsys.readouterr().out
    assert check("one.json", "--run", "mine:one") == 0
    assert "is as it was" in capsys.readouterr().out
    plant(project, 0.65)
    assert check("one.json", "--run", "mine:one") == 1
    printed = capsys.readouterr()
    assert "parameters: strategy.stock_weight 0.6 → 0.65" in printed.out
    assert "MOVED since 1927-12-31 (parameters)" in printed.out
    assert printed.err == ""
    assert check("one.json", "--run", "mine:one", "--tolerance", "default=inf") == 0


def test_several_baselines_are_checked_by_name_and_a_refusal_hides_none(project, capsys):
    assert check("one.json", "half.json", "--run", "mine:two", "--update") == 0
    capsys.readouterr()
    plant(project, 0.65)
    assert check("one.json", "half.json", "--run", "mine:two") == 1
    printed = capsys.readouterr().out
    assert printed.count("MOVED") == 1
    assert printed.count("is as it was") == 1
    assert check("none.json", "one.json", "--run", "mine:two") == 2
    printed = capsys.readouterr()
    assert "no backtest called 'none'; it has: one, half" in printed.err
    assert "MOVED" in printed.out


def test_a_function_that_only_the_file_names_is_not_imported(project, capsys):
    al.write_baseline(_history(), "one.json", target="mine:one")
    message = refused(capsys, "one.json")
    assert "one of the arguments --run --run-recorded is required" in message
    assert not (project / "imported").exists()
    assert check("one.json", "--run-recorded") == 0
    assert "one.json names mine:one" in capsys.readouterr().out
    assert (project / "imported").exists()


def test_what_a_file_names_must_be_a_function_of_a_module(project, capsys):
    al.write_baseline(_history(), "one.json", target="mine:one")
    text = (project / "one.json").read_text()
    (project / "one.json").write_text(text.replace('"mine:one"', '"os:system(1)"'))
    assert "'os:system(1)' names no function" in refused(capsys, "one.json", "--run-recorded")
    (project / "one.json").write_text(text.replace('"mine:one"', "null"))
    assert "one.json names no function" in refused(capsys, "one.json", "--run-recorded")


def _history():
    from strategies import SixtyForty

    return al.run_backtest(SixtyForty(), al.load_us_history(), end="2000")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--run", "mine"], "'mine' names no function; write module:function"),
        (["--run", "mine:three"], "cannot find mine:three"),
        (["--run", "yours:one"], "cannot find yours:one: No module named 'yours'"),
        (["--run", "mine:fails"], "mine:fails raised ZeroDivisionError: by zero"),
        (["--run", "mine:leaves"], "mine:leaves raised SystemExit"),
        (["--run", "mine:table"], "mine:table returned a int; return a Backtest"),
        (["--run", "mine:one"], "there is no baseline 'one.json'"),
        (["--run", "mine:one", "--tolerance", "sharpe"], "'sharpe'; write sharpe=1e-6"),
        (["--run", "mine:one", "--tolerance", "sharp=1"], "no metric 'sharp'"),
        (["other.json", "--run", "mine:one"], "returned one backtest for 2 baselines"),
        (["--run", "mine:one", "--run-recorded"], "not allowed with argument"),
    ],
)
def test_a_refusal_is_one_line_and_2(capsys, words, message):
    if "other.json" in words:
        assert check("one.json", *words) == 2
        assert message in capsys.readouterr().err
        return
    if "sharp=1" in words:
        al.write_baseline(_history(), "one.json")
    assert message in refused(capsys, "one.json", *words)


def test_nothing_is_updated_in_ci_by_accident(project, capsys, monkeypatch):
    monkeypatch.setenv("CI", "true")
    message = refused(capsys, "one.json", "--run", "mine:one", "--update")
    assert "--update: refused where CI is set" in message
    assert not (project / "one.json").exists()
    assert check("one.json", "--run", "mine:one", "--update-in-ci") == 0
    assert (project / "one.json").exists()


def test_a_summary_is_appended_where_github_wants_one(project, monkeypatch):
    page = project / "summary.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert check("one.json", "--run", "mine:one") == 2
    assert check("one.json", "--run", "mine:one", "--update") == 0
    plant(project, 0.65)
    assert check("one.json", "--run", "mine:one") == 1
    text = page.read_text()
    assert text.startswith("before\n### Baselines: 1 checked, 1 not as they were\n")
    assert "| one | **refused** |" in text
    assert "| one | written |" in text
    assert "| one | **moved** | 1927-12-31 | parameters | " in text
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "no" / "folder"))
    assert check("one.json", "--run", "mine:one") == 1
