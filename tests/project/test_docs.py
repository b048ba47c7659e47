"""The pages: each public name once, links that lead somewhere, code that prints what is shown."""

import collections
import contextlib
import importlib.util
import io
import pathlib
import re
import subprocess
import sys
import types

import pytest

import allocator
import strategies

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BUILT = {"_build", "notebooks"}  # made by the build, not written
PAGES = sorted(page for page in DOCS.rglob("*.md") if not BUILT & set(page.relative_to(DOCS).parts))
BLOCK = r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?"
EXECUTED = [DOCS / "index.md", *sorted(DOCS.glob("howto/*.md")), *sorted(DOCS.glob("explanation/*.md"))]


def said(page):
    return page.read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def run_page(page):
    """Run the blocks of a page one after the other; pair what each prints with what is shown."""
    module = types.ModuleType(f"page_{page.stem}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        for code, shown in re.findall(BLOCK, said(page), flags=re.DOTALL):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, name_of(page), "exec"), module.__dict__)
            yield printed.getvalue().rstrip("\n"), shown.rstrip("\n")
    finally:
        del sys.modules[module.__name__]


def test_every_public_name_is_documented_exactly_once():
    found = collections.Counter()
    for page in sorted(DOCS.glob("api/*.md")):
        for module, names in re.findall(r"```\{public\} (\w+)\n(.*?)```", said(page), flags=re.DOTALL):
            found.update((module, name) for name in names.split())
    public = {(package.__name__, name) for package in (allocator, strategies) for name in package.__all__}
    assert not sorted(public - set(found)), "names without documentation: add them to a page of docs/api"
    assert not sorted(set(found) - public), "documented, but not public"
    assert not [name for name, times in found.items() if times > 1], "documented twice"


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=name_of)
def test_relative_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", said(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"https?:|mailto:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_page_is_in_the_contents():
    listed = set()
    for page in PAGES:
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", said(page), flags=re.DOTALL):
            entries = [line for line in tree.split("\n") if line and not line.startswith(":")]
            listed |= {(page.parent / entry).relative_to(DOCS).as_posix() for entry in entries}
    written = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES} - {"index"}
    assert not written - listed, "pages in no table of contents"
    made = {f"notebooks/{example.stem}" for example in (ROOT / "examples").glob("*.py")}
    there = written | made | {page.stem for page in DOCS.glob("*.py")}
    assert not listed - there, "contents name pages that do not exist"


@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_the_code_of_a_page_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for printed, shown in run_page(page):
        if shown:
            assert printed == shown


def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("tutorial")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(said(DOCS / "tutorial.py"), "docs/tutorial.py", "exec"), module.__dict__)
    assert "prices['gold']" in printed.getvalue(), "the refusal that the tutorial shows"


def test_the_comparison_prints_what_it_shows():
    page = said(DOCS / "comparison.md")
    missing = [name for name in ("bt", "vectorbt", "skfolio") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, of the extra [bench]")
    ((code, shown),) = re.findall(BLOCK, page, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == shown.strip()


def test_the_build_has_no_warnings_and_fetches_nothing(tmp_path):
    needed = ("sphinx", "myst_nb", "furo", "ipykernel", "jupytext")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, of the extra [docs]")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    fetched = r"<(?:(?:script|img|iframe)\b[^>]*\bsrc|link\b[^>]*\bhref)=[\"']?(?:https?:)?//"
    for page in (tmp_path / "html").rglob("*.html"):
        assert not re.search(fetched, said(page)), page.name
    for sheet in (tmp_path / "html").rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", said(sheet)), sheet.name
