"""The expressions that a spec wrote, as syntax trees: put into other words, made simple, computed, and written as Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from archbuilder.language.arithmetic import FUNCTIONS, FormulaError
from archbuilder.language.formula import compiled

Tree: TypeAlias = ast.expr
Names: TypeAlias = Callable[[str], Tree | None]
"""What a name stands for in other words; None where it cannot be said."""

UNDEFINED: Final = object()
"""The value of an expression that has none."""

IN_CHANNELS: Final = "in_channels"
"""The channels of a class's own input: one number, or one for each of several values."""
BLOCK_CHANNELS: Final = "input_channels"
"""The channels of the input of the block around, in the class of a body without a name."""

_WORDS: Final = {"null": None, "true": True, "false": False}
_IN_MATH: Final = ("floor", "ceil", "log2")


class Unsaid(Exception):
    """An expression speaks of something that has no words where it is needed."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Tree | None:
    """The tree of `$name`, `$(...)` or of a bare expression; None for a text with expressions in it."""
    try:
        return ast.parse(text.removeprefix("$").strip(), mode="eval").body
    except SyntaxError:
        return None


def literal_tree(value: Any) -> Tree | None:
    """A value as a tree, if it is a number, a text, true, false or nothing."""
    return ast.Constant(value) if value is None or type(value) in (bool, int, float, str) else None


def in_other_words(tree: Tree, names: Names, channels: Tree | None) -> Tree:
    """A tree with its names put into other words; `input.channels` becomes `channels`.

    Raises:
        Unsaid: if one of them has no other words.
    """

    def said(found: Tree | None) -> Tree:
        if found is None:
            raise Unsaid
        return found

    def replace(node: Tree) -> Tree | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.args and is_name(node.args[0], "input") and node.func.id == "len":
                return ast.Call(node.func, [_own(channels)], [])
            return ast.Call(node.func, [rebuilt(each, replace) for each in node.args], [])
        if isinstance(node, ast.Attribute):
            whole = node.value
            if node.attr != "channels":
                raise Unsaid
            if isinstance(whole, ast.Subscript) and is_name(whole.value, "input"):
                return ast.Subscript(_own(channels), rebuilt(whole.slice, replace), ast.Load())
            return said(channels if is_name(whole, "input") else None)
        if isinstance(node, ast.Name):
            return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else said(names(node.id))
        return None

    return rebuilt(tree, replace)


def is_name(tree: ast.AST, name: str) -> bool:
    """Whether a tree is that name, and no more."""
    return isinstance(tree, ast.Name) and tree.id == name


def _own(channels: Tree | None) -> Tree:
    """Of several values, only a class's own input has its channels at hand."""
    if isinstance(channels, ast.Name) and channels.id == IN_CHANNELS:
        return channels
    raise Unsaid


def rebuilt(node: Tree, replace: Callable[[Tree], Tree | None]) -> Tree:
    """A tree in which each part is what `replace` gives for it, or itself, with its own parts rebuilt, where that is None."""
    found = replace(node)
    if found is not None:
        return found
    fields = {
        name: (
            rebuilt(value, replace)
            if isinstance(value, ast.expr)
            else [rebuilt(each, replace) if isinstance(each, ast.expr) else each for each in value]
            if isinstance(value, list)
            else value
        )
        for name, value in ast.iter_fields(node)
    }
    return type(node)(**fields)  # type: ignore[arg-type]  # its own fields, rebuilt


def names_in(tree: Tree) -> Iterator[str]:
    """The names that a tree speaks of, those of functions left out."""
    if isinstance(tree, ast.Name):
        yield tree.id
    parts = tree.args if isinstance(tree, ast.Call) else list(ast.iter_child_nodes(tree))
    for part in parts:
        if isinstance(part, ast.expr):
            yield from names_in(part)


def value_of(tree: Tree, scope: Mapping[str, Any]) -> Any:
    """The value of a tree, computed as the language computes its expressions; `UNDEFINED` where it has none."""
    try:
        return compiled(tree)(scope)
    except FormulaError:
        return UNDEFINED


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of one type."""
    return type(left) is type(right) and bool(left == right)


def simplified(tree: Tree, known: Mapping[str, Any]) -> Tree:
    """A tree in which everything that follows from known values is computed."""

    def replace(node: Tree) -> Tree | None:
        if all(name in known for name in names_in(node)):
            found = literal_tree(value_of(node, known))
            if found is not None:
                return found
        if isinstance(node, ast.IfExp):
            test = rebuilt(node.test, replace)
            if isinstance(test, ast.Constant):
                return rebuilt(node.body if test.value else node.orelse, replace)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.List):
            at = rebuilt(node.slice, replace)
            if isinstance(at, ast.Constant) and type(at.value) is int and at.value < len(node.value.elts):
                return rebuilt(node.value.elts[at.value], replace)
        if isinstance(node, ast.BoolOp):
            return _shorter(node, [rebuilt(each, replace) for each in node.values])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.FloorDiv):
            left, right = rebuilt(node.left, replace), rebuilt(node.right, replace)
            if isinstance(right, ast.Constant) and type(right.value) is int and right.value == 1:
                return left
            if isinstance(node.op, ast.Mult) and isinstance(left, ast.Constant) and left.value == 1:
                return right
            return ast.BinOp(left, node.op, right)
        return None

    return rebuilt(tree, replace)


def _shorter(node: ast.BoolOp, values: list[Tree]) -> Tree:
    """`a or false` is `a`, and `a or true` is true; likewise with `and`."""
    stop_at = isinstance(node.op, ast.Or)
    left: list[Tree] = []
    for value in values:
        if not isinstance(value, ast.Constant):
            left.append(value)
        elif bool(value.value) is stop_at:
            left.append(value)
            break
    if not left:
        return values[-1]
    return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def python_text(tree: Tree, rename: Callable[[str], str]) -> str:
    """A tree as Python, with the names that its class has for what the block calls otherwise."""

    def replace(node: Tree) -> Tree | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            arguments = [rebuilt(each, replace) for each in node.args]
            function: Tree = node.func
            if node.func.id in _IN_MATH:
                function = ast.Attribute(ast.Name("math", ast.Load()), node.func.id, ast.Load())
            return ast.Call(function, arguments, [])
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return ast.Name(quoted(node.value), ast.Load())  # written as all texts in the source are
        return ast.Name(rename(node.id), ast.Load()) if isinstance(node, ast.Name) else None

    return ast.unparse(rebuilt(tree, replace))


def quoted(text: str) -> str:
    """A text as a Python literal in double quotes, in ASCII."""
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'


def is_function(name: str) -> bool:
    """Whether a name is that of a function of the language, so that an argument of that name would hide it."""
    return name in FUNCTIONS
