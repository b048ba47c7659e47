"""Small changes to a module, each of which some test should notice.

What is changed: arithmetic, comparisons, ``and``/``or``/``not``, numbers, True and False, strings, pairs such
as minimum and maximum, keyword arguments (left out), conditions (forced both ways), statements that only
act (left out), and the constants of the module. What is not: what an error says, annotations, defaults,
``assert``, and how an object prints.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant", "mutants_of"]

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_PAIRS = [
    ("minimum", "maximum"),
    ("min", "max"),
    ("any", "all"),
    ("argmin", "argmax"),
    ("floor", "ceil"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("left", "right"),
]
_NAMES = dict(_PAIRS) | {b: a for a, b in _PAIRS}
_WRAPPERS = {"abs", "sqrt", "exp", "log", "sorted", "cumsum", "cumprod"}
_NO_MATTER = {"strict", "dtype"}  # keywords that guard or describe
_SKIPPED = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
_FIELDS_SKIPPED = {"annotation", "returns", "decorator_list", "ctx", "type_comment"}
_PRINTING = {"__repr__", "__str__", "__hash__", "_repr_html_"}


@dataclass(frozen=True, eq=False)
class Place:
    """Where a node stands: in a field of its parent, at a position where that is a list."""

    statement: ast.AST
    parent: ast.AST
    field: str
    position: int | None
    node: ast.AST

    def put(self, new: ast.AST) -> None:
        """Put another node there."""
        ast.copy_location(new, self.node)
        if self.position is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.position] = new


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of a parsed module.

    Attributes
    ----------
    module
        The file, relative to the project.
    function
        Qualified name of the outermost function or method; the name of a constant of the module.
    lines
        The lines of the statement that changes: a test that runs none of them cannot notice.
    change
        What was there and what is there instead.
    tree, place, new
        The parsed module, and which node goes where in it.
    """

    module: str
    function: str
    lines: range
    change: str
    tree: ast.Module
    place: Place
    new: ast.AST

    def apply(self) -> ast.Module:
        """Change the tree for good, and return it: for a process that ends afterwards."""
        self.place.put(self.new)
        return ast.fix_missing_locations(self.tree)

    def __str__(self) -> str:
        return f"{self.module} {self.function}: {self.change}"


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text; the names of equal changes are numbered."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module, found, seen = str(path.relative_to(root)), [], Counter[tuple[str, str]]()
    for function, place in _places(tree):
        for new in _changes(place.node):
            change = _text(place, new)
            seen[function, change] += 1
            if seen[function, change] > 1:
                change += f" ({seen[function, change]})"
            found.append(Mutant(module, function, _lines(place.statement), change, tree, place, new))
    return found


def _places(tree: ast.Module) -> Iterator[tuple[str, Place]]:
    """Yield what may change in functions, methods and constants of the module, with their names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from _inside(node.name, node)
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name not in _PRINTING:
                    yield from _inside(f"{node.name}.{method.name}", method)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield ast.unparse(node.targets[0]), Place(node, node, "value", None, node.value)


def _inside(name: str, function: ast.FunctionDef) -> Iterator[tuple[str, Place]]:
    for k, statement in enumerate(function.body):
        for place in _below(Place(statement, function, "body", k, statement)):
            yield name, place


def _below(place: Place) -> Iterator[Place]:
    """Yield a place and all below it where something may change."""
    node = place.node
    if isinstance(node, _SKIPPED) or _is_docstring(node) or _is_error(node):
        return
    if isinstance(node, ast.keyword) and node.arg in _NO_MATTER:
        return
    yield place
    for field, value in ast.iter_fields(node):
        if field not in _FIELDS_SKIPPED:
            for k, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.arguments):
                    statement = child if isinstance(child, ast.stmt) else place.statement
                    yield from _below(Place(statement, node, field, k, child))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_error(node: ast.AST) -> bool:
    """Return whether a node only makes a message, or tells the type checker something."""
    if not isinstance(node, ast.Call):
        return False
    return _called(node).endswith(("Error", "cast")) or _called(node).startswith(
        ("warn", "refuse", "_refuse")
    )


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    if (isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS) or isinstance(
        node, ast.BoolOp
    ):
        yield _with(node, op=_OPERATORS[type(node.op)]())
    elif (isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant)) or isinstance(
        node, ast.UnaryOp
    ):
        yield node.operand
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            yield _with(node, ops=[*node.ops[:k], _OPERATORS[type(op)](), *node.ops[k + 1 :]])
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _other_calls(node)
    if (
        isinstance(node, ast.AugAssign | ast.Delete)
        or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    ):
        yield ast.Pass()
    elif isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Constant):
        yield _with(node, test=ast.Constant(value=False))
        if not isinstance(node, ast.While):
            yield _with(node, test=ast.Constant(value=True))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy with other fields; what is below is shared."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _other_constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(value=not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value=value + 1)
    elif isinstance(value, str) and value in _NAMES:
        yield ast.Constant(value=_NAMES[value])
    elif isinstance(value, str):
        yield ast.Constant(value=f"XX{value}XX")


def _other_calls(node: ast.Call) -> Iterator[ast.AST]:
    name = _called(node)
    if name in _NAMES and isinstance(node.func, ast.Attribute):
        yield _with(node, func=_with(node.func, attr=_NAMES[name]))
    elif name in _NAMES:
        yield _with(node, func=_with(node.func, id=_NAMES[name]))
    if name in _WRAPPERS and len(node.args) == 1:
        yield node.args[0]
    for k, keyword in enumerate(node.keywords):
        if keyword.arg is not None and keyword.arg not in _NO_MATTER:
            yield _with(node, keywords=[*node.keywords[:k], *node.keywords[k + 1 :]])


def _lines(statement: ast.AST) -> range:
    """Return the lines of a statement, of a compound one those of its head."""
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if isinstance(body, list) else statement.end_lineno
    return range(statement.lineno, max(end, statement.lineno) + 1)


def _text(place: Place, new: ast.AST) -> str:
    """Return a change as text; a bare number or word is shown with what is around it."""
    old, parent = place.node, place.parent
    if isinstance(old, ast.If | ast.While):
        return f"if {ast.unparse(old.test)} → if {ast.unparse(new.test)}"
    if isinstance(old, ast.Constant) and isinstance(parent, ast.expr | ast.keyword | ast.Slice):
        return f"{ast.unparse(old)} → {ast.unparse(new)} in {ast.unparse(_around(place))}"
    if isinstance(new, ast.Pass):
        return f"{ast.unparse(old)} → nothing"
    return f"{ast.unparse(old)} → {ast.unparse(new)}"


def _around(place: Place) -> ast.AST:
    """Return the smallest expression or simple statement around a node that says where it stands."""
    if len(ast.unparse(place.parent)) >= 12 or hasattr(place.statement, "body"):
        return place.parent
    return place.statement
