"""The layout holds itself: imports point down, heavy libraries have one door, public names are real."""

import ast
import importlib
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted(p for package in ("allocator", "strategies") for p in (ROOT / package).rglob("*.py"))

# What each part may import of ours; the order is the direction of the arrows in docs/design.md.
LEAVES = {"disk", "errors", "frequency", "progress", "tables", "untrusted"}
MAY_IMPORT = {
    "errors": set(),
    "frequency": {"errors"},
    "tables": set(),
    "disk": {"errors"},
    "progress": set(),
    "untrusted": {"errors"},
    "market": LEAVES,
    "engine": LEAVES | {"market"},
    "statistics": LEAVES,
    "regimes": LEAVES | {"market", "statistics"},
    "macro": LEAVES | {"market", "statistics", "regimes"},
    "sweeps": LEAVES | {"market", "engine", "statistics"},
    "report": LEAVES | {"market", "engine", "statistics", "regimes", "macro"},
    "research": LEAVES | {"market", "engine", "statistics", "regimes", "macro", "sweeps", "report"},
    "studies": {"errors", "engine"},
    "scoreboard": LEAVES | {"market", "engine", "statistics", "regimes", "macro", "report", "studies"},
    "papers": LEAVES
    | {"market", "engine", "statistics", "regimes", "macro", "report", "scoreboard", "studies"},
    "pytest_plugin": {"errors", "engine", "research"},
    "study_command": LEAVES | {"market", "engine", "report", "studies"},
    "__main__": set(),
    "__init__": LEAVES
    | {"market", "engine", "statistics", "sweeps", "regimes", "macro", "report", "research", "scoreboard"}
    | {"papers"},
}
DOORS = {
    "matplotlib": {f"allocator/report/{name}.py" for name in ("charts", "draw", "style")}
    | {
        f"allocator/report/charts_{name}.py"
        for name in (
            "correlation",
            "debt",
            "inference",
            "parts",
            "regimes",
            "returns",
            "sheet",
            "weights",
            "yields",
        )
    },
    "cvxpy": {"strategies/_solvers.py"},
    "empyrical": {"allocator/statistics/empyrical_table.py"},
    "pyarrow": {"allocator/market/files.py"},
    "statsmodels": {"allocator/regimes/markov.py"},
    "tqdm": {"allocator/progress.py"},
    "narwhals": {"allocator/market/frames.py"},
    "yfinance": {"allocator/market/yahoo.py"},
}
AT_MODULE_LEVEL = {"numpy", "pandas"}  # everything else is imported on first use


def imports(path, *, top_level_only=False):
    """Return the absolute names that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:  # `from package import module` imports the module
                full = f"{node.module}.{alias.name}"
                names.append(full if is_module(full) else node.module)
    return names


def is_module(name):
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def part(path):
    relative = path.relative_to(ROOT)
    return relative.parts[1].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    inside = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        root, *rest = name.split(".")
        if inside == "allocator":
            assert root != "strategies", f"{path} imports strategies"
            if root == "allocator" and rest:
                assert rest[0] in MAY_IMPORT[part(path)] | {part(path)}, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_have_one_door(path):
    for name in imports(path):
        root = name.split(".")[0]
        assert str(path.relative_to(ROOT)) in DOORS.get(root, {str(path.relative_to(ROOT))}), (
            f"{path}: {name}"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_numpy_and_pandas_are_imported_with_the_library(path):
    if str(path.relative_to(ROOT)) in DOORS["matplotlib"]:
        return  # imported on first use as a whole
    ours = {"allocator", "strategies"}
    for name in imports(path, top_level_only=True):
        root = name.split(".")[0]
        assert root in AT_MODULE_LEVEL | ours | sys.stdlib_module_names, f"{path} imports {name} at the top"


def test_there_is_no_import_cycle():
    graph = {}
    for path in FILES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = {
            i for i in imports(path, top_level_only=True) if i.split(".")[0] in {"allocator", "strategies"}
        }
    state = {}

    def visit(name, trail):
        assert state.get(name) != "open", f"import cycle: {' -> '.join([*trail, name])}"
        if name in graph and name not in state:
            state[name] = "open"
            for target in graph[name]:
                visit(target, [*trail, name])
            state[name] = "done"

    for name in graph:
        visit(name, [])


def test_public_names_are_sorted_and_real():
    modules = [
        "allocator",
        "strategies",
        *(f"allocator.{p}" for p in sorted(MAY_IMPORT["__init__"] - LEAVES)),
    ]
    for module in map(importlib.import_module, modules):
        assert module.__all__ == sorted(module.__all__), module.__name__
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_public_names_of_allocator_are_what_type_checkers_see():
    tree = ast.parse((ROOT / "allocator/__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(importlib.import_module("allocator").__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'sharp_ratio'"):
        importlib.import_module("allocator").sharp_ratio  # noqa: B018


@pytest.mark.parametrize(
    "name", ["matplotlib", "cvxpy", "empyrical", "scipy", "pyarrow.parquet", "statsmodels", "tqdm"]
)
def test_a_backtest_does_not_import(name):
    code = (
        "import sys, allocator as al; from strategies import SixtyForty, RiskParity;"
        "market = al.load_us_history(); al.run_backtest(RiskParity(), market);"
        "al.compare([SixtyForty()], market);"
        f"sys.exit({name!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def test_every_module_names_what_is_public():
    for path in FILES:
        if path.name not in {"__init__.py"} and not path.name.startswith("_"):
            assert "__all__" in path.read_text(encoding="utf-8"), path


def test_every_public_function_and_class_has_a_docstring():
    for package in ("allocator", "strategies"):
        module = importlib.import_module(package)
        for name in module.__all__:
            assert getattr(module, name).__doc__, name
