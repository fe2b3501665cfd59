"""Reads a function's source for the node names that stand in it. Used by `infer`, which decides when."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbhitl.draw.infer import Routes, callees

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

_PARENT = "__parent__"
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Scope = _Function | ast.ClassDef


def command_routes(function: FunctionType, depth: int) -> Routes:
    """Targets of every `goto=` in the function, and in the functions of its module that it calls."""
    found = _Found()
    for each in _with_callees(function, depth):
        tree = _tree(each.__code__)
        if tree is None:
            found.is_open = True
            continue
        reader = _Reader(each, tree, depth)
        for call in (node for node in _nodes(tree, nested=True) if isinstance(node, ast.Call)):
            _read_command(call, reader, found)
    return found.routes()


def return_routes(function: FunctionType, depth: int) -> Routes:
    """Targets that the function's own `return`s name, or those of the helpers whose results it returns."""
    tree = _tree(function.__code__)
    if tree is None:
        return Routes(is_open=True)
    found = _Found()
    reader = _Reader(function, tree, depth)
    for value in [tree.body] if isinstance(tree, ast.Lambda) else _returned(tree):
        names, is_open = reader.names(value)
        found.targets.update(dict.fromkeys(names))
        found.is_open |= is_open
    return found.routes()


class _Found:
    """Targets while they are being collected."""

    def __init__(self) -> None:
        self.targets: dict[str, None] = {}
        self.parent: dict[str, None] = {}
        self.is_open = False

    def routes(self) -> Routes:
        return Routes(tuple(self.targets), tuple(self.parent), self.is_open)


def _read_command(call: ast.Call, reader: _Reader, found: _Found) -> None:
    """Adds what one call sends on: any call with `goto=`, whatever name Command was imported by."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    goto = keywords.get("goto")
    if goto is None:
        if None in keywords and _last_name(call.func) == "Command":
            found.is_open = True
        return
    names, is_open = reader.names(goto)
    graph = keywords.get("graph")
    if graph is None or (isinstance(graph, ast.Constant) and graph.value is None):
        found.targets.update(dict.fromkeys(names))
        found.is_open |= is_open
    elif _last_name(graph) == "PARENT" or (isinstance(graph, ast.Constant) and graph.value == _PARENT):
        found.parent.update(dict.fromkeys(names))


def _returned(tree: ast.AST) -> Iterator[ast.expr]:
    for node in _nodes(tree, nested=False):
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value


def _nodes(tree: ast.AST, *, nested: bool) -> Iterator[ast.AST]:
    """All nodes of a function in the order of the source; with `nested`, of functions inside it too."""
    for child in ast.iter_child_nodes(tree):
        if nested or not isinstance(child, _Scope):
            yield child
            yield from _nodes(child, nested=nested)


def _with_callees(function: FunctionType, depth: int) -> Iterable[FunctionType]:
    """The function and its helpers, each once."""
    seen = {function: None}
    layer = [function]
    for _ in range(depth):
        layer = [callee for each in layer for callee in callees(each) if callee not in seen]
        seen.update(dict.fromkeys(layer))
    return list(seen)


def _last_name(expr: ast.expr) -> str:
    if isinstance(expr, ast.Attribute):
        return expr.attr
    return expr.id if isinstance(expr, ast.Name) else ""


class _Reader:
    """Resolves expressions of one function to the strings that they can be."""

    def __init__(self, function: FunctionType, tree: ast.AST, depth: int) -> None:
        self._depth = depth
        self._helpers = {callee.__name__: callee for callee in callees(function)} if depth else {}
        self._globals = function.__globals__
        self._closure = _closure(function)
        self._locals = _assignments(tree)
        self._resolving: set[str] = set()

    def names(self, expr: ast.expr) -> tuple[list[str], bool]:
        """The node names that `expr` can be, and whether it can be more than those."""
        names: list[str] = []
        is_open = False
        for leaf in self._leaves(expr):
            if isinstance(leaf, str):
                names.append(leaf)
            else:
                is_open = True
        return names, is_open

    def _leaves(self, expr: ast.expr) -> Iterator[str | None]:  # noqa: PLR0912  # a table, one case a line
        """Each name as a string; None for what can't be told."""
        match expr:
            case ast.Constant(value=str() as value):
                yield value
            case ast.Constant(value=None):
                return
            case (
                ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts)
            ):
                for part in parts:
                    yield from self._leaves(part)
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
                yield from self._leaves(first)
                yield from self._leaves(second)
            case ast.ListComp(elt=inner) | ast.GeneratorExp(elt=inner) | ast.SetComp(elt=inner):
                yield from self._leaves(inner)
            case ast.NamedExpr(value=inner) | ast.Starred(value=inner) | ast.Await(value=inner):
                yield from self._leaves(inner)
            case ast.Subscript(value=ast.Dict(values=values)):
                for part in values:
                    yield from self._leaves(part)
            case ast.Call():
                yield from self._call(expr)
            case ast.Name(id=name):
                yield from self._name(name)
            case ast.Attribute():
                yield _text(self._static(expr))
            case _:
                yield None

    def _call(self, call: ast.Call) -> Iterator[str | None]:
        """`Send("node", arg)` names its node, `list(...)` what it is given, a helper what it returns."""
        name = _last_name(call.func)
        if name == "Send":
            target = (
                call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "node"), None)
            )
            if target is not None:
                yield from self._leaves(target)
        elif name in {"list", "tuple", "set", "sorted"} and len(call.args) == 1:
            yield from self._leaves(call.args[0])
        elif name in self._helpers:
            routes = return_routes(self._helpers[name], self._depth - 1)
            yield from routes.targets
            if routes.is_open:
                yield None
        else:
            yield None

    def _name(self, name: str) -> Iterator[str | None]:
        values = self._locals.get(name)
        if values is not None:
            if name in self._resolving:
                return
            self._resolving.add(name)
            for value in values:
                if value is None:
                    yield None
                else:
                    yield from self._leaves(value)
            self._resolving.discard(name)
        else:
            yield _text(self._outer(name))

    def _outer(self, name: str) -> Any:
        return self._closure[name] if name in self._closure else self._globals.get(name)

    def _static(self, expr: ast.expr) -> Any:
        """The value of `Names.TOOLS` or `module.END`, looked up without running any of the user's code."""
        if isinstance(expr, ast.Name):
            return None if expr.id in self._locals else self._outer(expr.id)
        if not isinstance(expr, ast.Attribute):
            return None
        if expr.attr == "value":  # of an Enum member, which `_text` reads by itself
            return self._static(expr.value)
        owner = self._static(expr.value)
        if isinstance(owner, ModuleType):
            return vars(owner).get(expr.attr)
        if isinstance(owner, type):
            return next((vars(base)[expr.attr] for base in owner.__mro__ if expr.attr in vars(base)), None)
        return None


def _text(value: Any) -> str | None:
    """A string, or the string that an Enum member stands for."""
    inner = vars(value).get("_value_", value) if hasattr(value, "__dict__") else value
    return str.__str__(inner) if isinstance(inner, str) else None


def _closure(function: FunctionType) -> dict[str, Any]:
    values = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:  # not yet assigned: the name is known, its value isn't
            values[name] = None
    return values


def _assignments(tree: ast.AST) -> dict[str, list[ast.expr | None]]:
    """What each local name is set to; None stands for a value that isn't written down (an argument's)."""
    found: dict[str, list[ast.expr | None]] = {}

    def add(target: ast.AST, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            found.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
            for part in ast.walk(target):
                if isinstance(part, ast.Name):
                    found.setdefault(part.id, []).append(None)

    for node in _nodes(tree, nested=False):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    add(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                add(target, value)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                add(target, value)
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                add(target, None)
            case ast.withitem(optional_vars=ast.expr() as target):
                add(target, None)
            case ast.arg(arg=name) | ast.MatchAs(name=str() as name) | ast.ExceptHandler(name=str() as name):
                found.setdefault(name, []).append(None)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"), args=[value]
            ):
                found.setdefault(name, []).append(value)
            case _:
                pass
    return found


@functools.lru_cache(maxsize=512)
def _tree(code: CodeType) -> _Function | None:
    """The syntax tree of a function, or None where its source can't be had (typed at a bare prompt)."""
    try:
        source = textwrap.dedent(inspect.getsource(code))
        module = ast.parse(source)
    except (OSError, TypeError, SyntaxError, IndentationError):
        return _tree_in_file(code)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            return node
    return _lambda_in(module, code, exact=False) or _tree_in_file(code)


def _tree_in_file(code: CodeType) -> _Function | None:
    """A lambda in the middle of a statement has no source of its own: look for it in the whole file."""
    if code.co_name != "<lambda>":
        return None
    try:
        lines, _ = inspect.findsource(code)
        module = ast.parse("".join(lines))
    except (OSError, TypeError, SyntaxError):
        return None
    return _lambda_in(module, code, exact=True)


def _lambda_in(module: ast.AST, code: CodeType, *, exact: bool) -> ast.Lambda | None:
    """The one lambda of a module that `code` was compiled from; None if that can't be told."""
    lambdas = [node for node in ast.walk(module) if isinstance(node, ast.Lambda)]
    if exact:
        lambdas = [node for node in lambdas if node.lineno == code.co_firstlineno]
    if len(lambdas) <= 1:
        return lambdas[0] if lambdas else None
    columns = {(line, column) for line, _, column, _ in code.co_positions()}
    inside = [node for node in lambdas if exact and (node.body.lineno, node.body.col_offset) in columns]
    if not inside:  # Python 3.12 doesn't always note columns
        inside = [node for node in lambdas if _compiles_to(node, code)]
    return inside[0] if len(inside) == 1 else None


def _compiles_to(node: ast.Lambda, code: CodeType) -> bool:
    """Whether a lambda has the same names and constants as `code`."""
    compiled = compile(ast.Expression(node), code.co_filename, "eval").co_consts[0]
    names = {*compiled.co_names, *compiled.co_freevars}
    return compiled.co_consts == code.co_consts and names == {*code.co_names, *code.co_freevars}
