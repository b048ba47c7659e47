"""Nothing is loaded from elsewhere and nothing runs that a file says: seen at run, and read in the source."""

import ast
import functools
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("allocator", "strategies") for path in (ROOT / package).rglob("*.py"))

# --- at run ---

# An audit hook hears every socket, whoever opens it; that it is heard at all is tried first. The names are
# replaced as well, so that a library that asks for an address fails before it has one.
BLOCKED = """
import socket, sys
heard = []
def hear(event, arguments):
    family = event.partition(".")[0]
    if family in {"socket", "subprocess", "ftplib", "smtplib", "urllib", "webbrowser"} or event in (
        "os.system", "os.exec", "os.posix_spawn", "os.startfile", "pickle.find_class"
    ):
        heard.append(event)
        raise OSError(f"blocked: {event}")
sys.addaudithook(hear)
try:
    socket.create_connection(("127.0.0.1", 9))
except OSError as error:
    assert "blocked" in str(error), error
assert heard, "the hook hears nothing"
heard.clear()
class Socket(socket.socket):
    def __init__(self, *_, **__):
        raise AssertionError("a socket was asked for")
def refuse(*_, **__):
    raise AssertionError("the network was asked for")
socket.socket, socket.create_connection, socket.getaddrinfo = Socket, refuse, refuse
"""
IMPORTS = """
import importlib, pkgutil, allocator, strategies
for package in (allocator, strategies):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""
COMMANDS = """
from allocator.__main__ import main
for words in (["--help"], ["article", "--help"], ["download", "--help"]):
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code == 0
assert main(["--start", "2000", "--out", "report"]) == 0
"""
ARTICLE = """
import allocator as al
from allocator.scoreboard.debt_claims import debt_claims
from allocator.scoreboard.panels import embedded_panels
from allocator.scoreboard.verdict import Scoreboard
panels = embedded_panels()
al.write_scoreboard(Scoreboard(tuple(debt_claims(panels)), panels.lines), "board")
open("little.toml", "w").write('title = "t"\\nseed = 0\\n[data]\\nhistory = "us_history"\\n'
    '[[strategies]]\\nclass = "SixtyForty"\\n')
al.reproduce("little.toml", "out")
assert al.verify("out/manifest.json").verdict == "identical"
"""
READERS = """
import allocator as al
for read in (lambda: al.read_fred(["DGS10"], downloads=al.Downloads("cache", attempts=1)),):
    try:
        read()
        raise SystemExit("something was read")
    except al.DownloadError as refusal:
        assert "DGS10" in str(refusal), refusal
assert heard, "a reader of the network did not ask for it: the test could not fail"
"""
QUIET = "\nassert not heard, heard\n"
QUICKSTART = (ROOT / "examples/quickstart.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(IMPORTS + COMMANDS + QUIET, id="every module and the commands"),
        pytest.param(ARTICLE + QUIET, id="article and paper"),
        pytest.param(QUICKSTART + QUIET + READERS, id="quickstart, and a reader says so"),
    ],
)
def test_nothing_opens_a_socket_or_a_process(script, tmp_path):
    """But for the command that downloads and the readers of FRED and Yahoo, which say so without a net."""
    words = [sys.executable, "-W", "ignore", "-c", BLOCKED + script]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


# --- in the source ---

# What each may import that could reach out, run or unpickle, and why. Nothing else may.
MODULES = {
    "http", "urllib", "ssl", "socket", "ftplib", "smtplib", "requests", "webbrowser", "subprocess",
    "pty", "ctypes", "pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "yaml", "runpy",
    "code", "codeop", "multiprocessing",
}  # fmt: skip
MAY_IMPORT = {
    ("allocator/market/web.py", "http"): "the one place that fetches, for read_fred and the download command",
    ("allocator/market/web.py", "ssl"): "the same: its certificate errors",
    ("allocator/market/web.py", "urllib"): "the same",
    ("allocator/market/fred.py", "urllib"): "writes the address, urlencode",
    ("allocator/research/memory.py", "pickle"): "dumps only: whether two values in memory are the same",
    (
        "allocator/research/worlds.py",
        "pickle",
    ): "loads what it has dumped in the same line: a copy of a market",
}
CALLS = {
    "eval", "exec", "compile", "__import__", "breakpoint", "input", "system", "popen", "startfile",
    "fork", "query", "read_pickle", "to_pickle", "read_csv", "read_table", "read_html", "read_xml",
    "read_excel", "read_json", "read_sql", "read_hdf", "read_feather", "read_orc", "read_clipboard",
    "urlopen", "urlretrieve", "import_module", "load", "loads", "memmap", "fromfile", "genfromtxt",
    "loadtxt", "loadmat", "savez", "unsafe_load", "full_load", "extractall",
}  # fmt: skip
MAY_CALL = {
    ("allocator/__main__.py", "importlib.import_module"): "a module of the fixed table of commands",
    ("allocator/research/check_command.py", "importlib.import_module"): "the function that a person named; "
    "what a file names only with --run-recorded",
    (
        "allocator/research/belongings.py",
        "importlib.import_module",
    ): "a module that the person's own strategy imports in a function",
    ("allocator/research/memory.py", "place.load"): "a place in memory, no file",
    ("allocator/research/worlds.py", "pickle.loads"): "of pickle.dumps in the same line",
    ("allocator/studies.py", "entry.load"): "entry points of installed packages",
    ("allocator/market/datasets.py", "pd.read_csv"): "an open file of the package",
    ("allocator/market/fred.py", "read_table"): "of our own, from files.py: cells are checked one by one",
    ("allocator/market/yahoo.py", "read_table"): "the same",
    ("allocator/papers/sections.py", "tomllib.loads"): "TOML has no code",
    ("allocator/sweeps/store.py", "json.loads"): "JSON has no code",
    ("allocator/untrusted.py", "json.loads"): "JSON has no code",
    ("allocator/papers/environment.py", "platform.system"): "the name of the operating system",
}
WRITES = {
    "write_text", "write_bytes", "savefig", "mkstemp", "NamedTemporaryFile", "mkdtemp", "rename",
    "renames", "unlink", "remove", "rmtree", "mkdir", "makedirs", "symlink", "chmod", "truncate",
    "to_parquet", "to_feather", "copyfile", "move",
}  # fmt: skip
MAY_WRITE = {
    "allocator/disk.py": "the writer",
    "allocator/papers/output.py": "a folder as a whole",
    "allocator/sweeps/store.py": "cuts off a line that was not finished",
    "allocator/report/style.py": "a figure to memory",
}
OF_OTHERS = {"rename", "remove"}  # columns of a frame, the legend of a picture


@functools.cache
def nodes_of(path):
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def found_in(path, kind):
    return [node for node in nodes_of(path) if isinstance(node, kind)]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_F185_F188_F189_no_module_that_runs_unpickles_or_reaches_out_is_imported():
    seen = set()
    for path in SOURCES:
        for node in found_in(path, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
            seen |= {(name_of(path), name.split(".")[0]) for name in names} & {
                (name_of(path), module) for module in MODULES
            }
    assert seen == set(MAY_IMPORT)


def test_F185_F188_F189_no_call_runs_a_text_or_guesses_at_a_file():
    seen = set()
    for path in SOURCES:
        for node in found_in(path, ast.Call):
            if called(node) in CALLS and ast.unparse(node.func) != "re.compile":
                seen.add((name_of(path), ast.unparse(node.func)))
    assert seen == set(MAY_CALL)


def test_F175_no_compression_is_inferred_and_no_pickle_is_allowed():
    for path in SOURCES:
        for node in found_in(path, ast.keyword):
            if node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path
            assert node.arg != "compression" or ast.unparse(node.value) in ("None", "'none'"), path
            assert node.arg != "shell", path
        assert not [
            node for node in found_in(path, ast.Attribute) if ast.unparse(node) in ("np.load", "numpy.load")
        ]


def test_F197_F199_files_are_written_in_one_place():
    for path in SOURCES:
        for node in found_in(path, ast.Call):
            text = ast.unparse(node)
            if called(node) in WRITES - OF_OTHERS:
                assert name_of(path) in MAY_WRITE, f"{name_of(path)}: {text}"
            if called(node) in {"open", "fdopen"} and re.search(r"['\"][rb+]*[wxa][b+]*['\"]", text):
                allowed = {"allocator/disk.py", "allocator/sweeps/store.py", "allocator/research/ci.py"}
                assert name_of(path) in allowed, f"{name_of(path)}: {text}"


def test_no_page_of_the_documentation_loads_from_elsewhere():
    pages = [
        ROOT / "README.md",
        *(path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".html", ".css", ".svg")),
    ]
    pages = [path for path in pages if "_build" not in path.parts]
    assert len(pages) > 10
    tags = "img|script|iframe|link|video|audio|object|embed|source"
    remote = re.compile(
        r"!\[[^]]*\]\(\s*<?(?:https?:)?//"
        rf"|<(?:{tags})\b[^>]*(?:src|href|data)\s*=\s*[\"']?(?:https?:)?//"
        r"|url\(\s*[\"']?(?:https?:)?//|@import",
        re.IGNORECASE,
    )
    for page in [*pages, ROOT / "README.md"]:
        hit = remote.search(page.read_text(encoding="utf-8"))
        assert hit is None, f"{page}: {hit and hit[0]}"
    assert remote.search("![x](https://a.b/c.png)")
    assert remote.search('<script src="https://a.b/c.js">')
