"""How the pages are built: ``python -m sphinx -W -b html docs docs/_build/html``, offline.

Nothing is fetched while building, and the pages fetch nothing: no intersphinx, no fonts or scripts of others.
"""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import allocator
import strategies

project = "allocator-backtest"
author = "The allocator-backtest founders"
release = allocator.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "conf.py"]
nitpicky = False  # annotations name NumPy's and pandas' classes, whose pages are not here

html_theme = "furo"
html_title = "allocator-backtest"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False

myst_heading_anchors = 4
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # with several names to a line
python_maximum_signature_line_length = 80

# Sphinx reads sources below its own folder only; the examples stay where they are.
_HERE = Path(__file__).resolve().parent
shutil.rmtree(_HERE / "notebooks", ignore_errors=True)
(_HERE / "notebooks").mkdir()
for _example in (_HERE.parent / "examples").glob("*.py"):
    if "format_name: percent" in _example.read_text(encoding="utf-8"):
        shutil.copy2(_example, _HERE / "notebooks")

_PUBLIC = {
    **dict.fromkeys(strategies.__all__, "strategies"),
    **dict.fromkeys(allocator.__all__, "allocator"),
}


# Public values that are neither classes nor functions have no docstring of their own.
_VALUES = {
    "ARTICLE_EXPECTATIONS": "How the article expects assets to do by the way a debt is handled, each an "
    ":class:`Expectation`: what :func:`assets_by_debt_regime` tests by default.",
    "FRED_RELEASES": "The series of FRED whose unit, period and publication lag are known here: a mapping of "
    "the name to its :class:`FredRelease`.",
    "HOLD": "The answer of a strategy that leaves the portfolio as it has drifted; the only :class:`Hold`.",
}


def _prepare(app: Sphinx, page: str, source: list[str]) -> None:
    """Document the names of each block ``{public} allocator``; leave of links out of ``docs`` their text."""
    folder = Path(app.env.doc2path(page)).parent

    def inside(link: re.Match[str]) -> str:
        path = (folder / link[2]).resolve()
        return link[1] if path.exists() and not path.is_relative_to(_HERE) else link[0]

    source[0] = re.sub(r"```\{public\} (\w+)\n(.*?)```", _documented, source[0], flags=re.DOTALL)
    source[0] = re.sub(r"\[([^\]]+)\]\((\.\./[^)#\s]+)\)", inside, source[0])


def _documented(block: re.Match[str]) -> str:
    module, names = block[1], block[2].split()
    lines = [f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", ""]
    lines += [f"   {name}" for name in names if name not in _VALUES]
    for name in names:
        lines += ["", *_entry(name, getattr(importlib.import_module(module), name))]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def _entry(name: str, documented: Any) -> list[str]:
    if name in _VALUES:
        return [f".. py:data:: {name}", "", f"   {_VALUES[name]}"]
    if isinstance(documented, type):
        return [f".. autoclass:: {name}", "   :members:"]
    return [f".. autofunction:: {name}"]


def _find(app: Sphinx, env: Any, node: Any, content: nodes.Element) -> nodes.Element | None:
    """Lead a reference by the place of the definition to where the public name is documented."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in _PUBLIC:
        return None
    target, page = f"{_PUBLIC[name]}.{name}", node["refdoc"]
    return env.domains["py"].resolve_xref(env, page, app.builder, "obj", target, node, content)


def setup(app: Sphinx) -> None:
    """Register the blocks of public names and the references."""
    app.connect("source-read", _prepare)
    app.connect("missing-reference", _find)
