"""Values that have to be computed: `$name`, `$(...)`, and texts with these inside (`conv$i`).

Expressions are parsed by Python's own parser, then walked by us into closures: what is not listed here does not exist, and
nothing is ever evaluated by Python. Every formula is bounded in length and depth, and every number in size.
"""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable
from typing import Any, Final, Self

from archbuilder.diagnostics import shorten
from archbuilder.language.arithmetic import (
    FUNCTIONS,
    FormulaError,
    bounded,
    bounded_parts,
    number_of,
    power,
)
from archbuilder.language.dotted import (
    CONSTANTS,
    SHAPE_WORDS,
    Names,
    UnknownNameError,
    dotted_name,
    element,
    find_dotted,
    marked,
    no_word,
    whole_of,
)
from archbuilder.language.words import ALWAYS_VISIBLE
from archbuilder.parameters import describe

MAXIMUM_LENGTH: Final = 400
MAXIMUM_DEPTH: Final = 40
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


Evaluate = Callable[[Names], Any]


class Formula(str):
    """The text of a value that has to be computed: an expression, or a template such as `conv$i`.

    Raises:
        FormulaError: if the text is not well formed.
    """

    __slots__ = ("_evaluate", "bare", "names")

    names: frozenset[str]
    """The names that it speaks of."""
    bare: str | None
    """The name, where it is nothing but one: `$width`."""
    _evaluate: Evaluate

    def __new__(cls, text: str) -> Self:
        self = super().__new__(cls, text)
        names: set[str] = set()
        self._evaluate = _parse(text, names)
        self.names = frozenset(names)
        self.bare = text[1:] if text[1:] in names else None
        return self

    @classmethod
    def malformed(cls, text: str) -> Self:
        """What stands for a text that is not well formed, which has been reported: it has no value."""
        self = super().__new__(cls, text)
        self._evaluate, self.names, self.bare = _no_value, frozenset(), None
        return self

    def evaluate(self, scope: Names) -> Any:
        """The value, with the names of `scope` known.

        Raises:
            FormulaError: if a name is unknown, or the expression has no value.
        """
        return self._evaluate(scope)

    def value_in(self, scope: Names, otherwise: Any) -> Any:
        """The value, where there is one; else `otherwise`, for callers who ask again to be told the reason."""
        try:
            return self._evaluate(scope)
        except FormulaError:
            return otherwise

    def __reduce__(self) -> tuple[type[Formula], tuple[str]]:
        return Formula, (str(self),)

    def __copy__(self) -> Formula:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Formula:
        return self


class ReportedError(FormulaError):
    """What is wrong with an expression has been reported."""


def _no_value(_scope: Names) -> Any:
    raise ReportedError("malformed")


def is_formula(value: Any) -> bool:
    """Whether a value is a text that has to be computed."""
    return isinstance(value, str) and "$" in value


def _parse(text: str, names: set[str]) -> Evaluate:
    if len(text) > MAXIMUM_LENGTH:
        raise FormulaError(f"this expression has {len(text):,} characters; at most {MAXIMUM_LENGTH} are allowed")
    parts = _split(text)
    if len(parts) == 1 and parts[0][0]:
        return _compile(parts[0][1], names)
    pieces = [_compile(piece, names) if computed else piece for computed, piece in parts]

    def template(scope: Names) -> str:
        return "".join(piece if isinstance(piece, str) else _as_text(piece(scope)) for piece in pieces)

    return template


def _as_text(value: Any) -> str:
    if type(value) is int or isinstance(value, str):
        return str(bounded(value))
    if getattr(value, "is_shape", False):
        raise FormulaError(
            f"a value of {value} cannot be written into a text: put the brackets around all, as in $(x.channels)"
        )
    raise FormulaError(f"only whole numbers and texts can be written into a text, not {describe(value)}")


def _split(text: str) -> list[tuple[bool, str]]:
    """The pieces of a text: (is an expression, its text without the dollar)."""
    parts: list[tuple[bool, str]] = []
    position = 0
    while position < len(text):
        dollar = text.find("$", position)
        if dollar < 0:
            dollar = len(text)
        if dollar > position:
            parts.append((False, text[position:dollar]))
        if dollar == len(text):
            break
        if text[dollar + 1 : dollar + 2] == "(":
            position = _closing(text, dollar + 1) + 1
            parts.append((True, text[dollar + 2 : position - 1]))
            continue
        match = NAME.match(text, dollar + 1)
        if match is None:
            braced = re.match(r"\{\s*(\w+)\s*\}", text[dollar + 1 :])
            instead = f": write `${braced[1]}` instead of `${braced[0]}`" if braced else ""
            raise FormulaError(f"a `$` must be followed by a name or by `(`{instead}")
        parts.append((True, match[0]))
        position = match.end()
    return parts


def ends_of(text: str) -> tuple[str, str] | None:
    """How a text begins and ends that is put together of what is computed and what is not; None if it is one expression.

    Raises:
        FormulaError: if it is malformed.
    """
    (computed, first), *others = _split(text)
    is_last_computed, last = others[-1] if others else (computed, "")
    return ("" if computed else first, "" if is_last_computed else last) if others else None


def _closing(text: str, start: int) -> int:
    depth = 0
    quote = ""
    for position in range(start, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return position
    raise FormulaError("this expression lacks a closing `)`")


# ---- expressions ----------------------------------------------------------------------------------------------------


def _compile(text: str, names: set[str]) -> Evaluate:
    """An expression as a function of its names, which are added to `names`.

    Raises:
        FormulaError: if it is malformed, or has what is not part of the language.
    """
    if NAME.fullmatch(text) and text not in CONSTANTS:
        return _name(text, names)
    try:
        with warnings.catch_warnings():  # what Python thinks of `'\\d'` is of no use to the author of a spec
            warnings.simplefilter("ignore")
            tree = ast.parse(marked(text.strip()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"`{shorten(text)}` is not an expression{_foreign(text)}") from None
    return _walk(tree.body, names, 0)


def compiled(tree: ast.expr) -> Evaluate:
    """A syntax tree as a function of its names.

    Raises:
        FormulaError: if it has what is not part of the language, or is nested too deep.
    """
    return _walk(tree, set(), 0)


def _foreign(text: str) -> str:
    """What to write instead of an operator of another language."""
    for word, ours in (("||", "or"), ("&&", "and"), ("!", "not")):
        if word in text.replace("!=", ""):
            return f": write `{ours}` instead of `{word}`"
    return ": write `==` to compare" if re.search(r"[^=!<>]=[^=]", text) else ""


def _walk(node: ast.AST, names: set[str], depth: int) -> Evaluate:
    if depth > MAXIMUM_DEPTH:
        raise FormulaError(f"this expression is nested more than {MAXIMUM_DEPTH} deep")
    handler = _WALKERS.get(type(node))
    if handler is None:
        raise FormulaError("expressions hold arithmetic, comparisons, lists and `a if c else b`, nothing else")
    return handler(node, names, depth + 1)


def _constant(node: ast.Constant, _names: set[str], _depth: int) -> Evaluate:
    value = node.value
    if not (value is None or isinstance(value, bool | int | float | str)):
        raise FormulaError(f"`{str(value)[:20]}` is not a value of the language")
    bounded(value)
    return lambda _scope: value


def _name_node(node: ast.Name, names: set[str], _depth: int) -> Evaluate:
    if node.id in CONSTANTS:
        value = CONSTANTS[node.id]
        return lambda _scope: value
    return _name(node.id, names)


def _name(name: str, names: set[str]) -> Evaluate:
    names.add(name)
    if "." in name:
        names.add(whole_of(name))
        return lambda scope: find_dotted(scope, name)

    def look_up(scope: Names) -> Any:
        try:
            return scope[name]
        except KeyError:
            raise UnknownNameError(name) from None

    return look_up


_ARITHMETIC: Final[dict[type[ast.AST], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: power,
}


def _binary(node: ast.BinOp, names: set[str], depth: int) -> Evaluate:
    compute = _ARITHMETIC.get(type(node.op))
    if compute is None:
        raise FormulaError("the arithmetic of expressions is + - * / // % and 2 ** n")
    left, right = _walk(node.left, names, depth), _walk(node.right, names, depth)

    def evaluate(scope: Names) -> Any:
        try:
            return bounded(compute(number_of(left(scope)), number_of(right(scope))))
        except ZeroDivisionError:
            raise FormulaError("this divides by zero") from None

    return evaluate


def _unary(node: ast.UnaryOp, names: set[str], depth: int) -> Evaluate:
    operand = _walk(node.operand, names, depth)
    if isinstance(node.op, ast.Not):
        return lambda scope: not operand(scope)
    if isinstance(node.op, ast.USub):
        return lambda scope: -number_of(operand(scope))
    if isinstance(node.op, ast.UAdd):
        return lambda scope: number_of(operand(scope))
    raise FormulaError("`~` is not part of expressions")


def _boolean(node: ast.BoolOp, names: set[str], depth: int) -> Evaluate:
    parts = [_walk(value, names, depth) for value in node.values]
    stop_at = isinstance(node.op, ast.Or)

    def evaluate(scope: Names) -> Any:
        value: Any = None
        for part in parts:
            value = part(scope)
            if bool(value) is stop_at:
                return value
        return value

    return evaluate


def _is_in(left: Any, right: Any) -> bool:
    if not isinstance(right, list | tuple):
        raise FormulaError("`in` needs a list at its right")
    return left in bounded_parts(right)


def _equal(left: Any, right: Any) -> bool:
    return bool(bounded_parts(left) == bounded_parts(right))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(number_of(left), number_of(right))


_COMPARISONS: Final[dict[type[ast.AST], Callable[[Any, Any], bool]]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda left, right: not _equal(left, right),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: _is_in,
    ast.NotIn: lambda left, right: not _is_in(left, right),
}


def _compare(node: ast.Compare, names: set[str], depth: int) -> Evaluate:
    first = _walk(node.left, names, depth)
    pairs = zip(node.ops, node.comparators, strict=True)
    rest = [(_COMPARISONS[type(op)], _walk(value, names, depth)) for op, value in pairs]

    def evaluate(scope: Names) -> bool:
        left = first(scope)
        for compare, part in rest:
            right = part(scope)
            if not compare(left, right):
                return False
            left = right
        return True

    return evaluate


def _choice(node: ast.IfExp, names: set[str], depth: int) -> Evaluate:
    test, yes, no = (_walk(part, names, depth) for part in (node.test, node.body, node.orelse))
    return lambda scope: yes(scope) if test(scope) else no(scope)


def _list(node: ast.List | ast.Tuple, names: set[str], depth: int) -> Evaluate:
    parts = [_walk(part, names, depth) for part in node.elts]
    return lambda scope: bounded_parts([part(scope) for part in parts])


def _index(node: ast.Subscript, names: set[str], depth: int) -> Evaluate:
    whole, position = _walk(node.value, names, depth), _walk(node.slice, names, depth)

    def evaluate(scope: Names) -> Any:
        return element(whole(scope), position(scope))

    return evaluate


def _attribute(node: ast.Attribute, names: set[str], depth: int) -> Evaluate:
    word, dotted, before = node.attr, dotted_name(node), dotted_name(node.value)
    if word not in SHAPE_WORDS:
        if dotted is None or (dotted.partition(".")[0] in ALWAYS_VISIBLE and whole_of(dotted) not in ALWAYS_VISIBLE):
            raise FormulaError(no_word(word))
        return _name(dotted, names)
    whole = _walk(node.value, names, depth) if before is None else _name(before, names)

    def evaluate(scope: Names) -> Any:
        value = whole(scope)
        found = getattr(value, word, None) if getattr(value, "is_shape", False) else None
        if found is None:
            raise FormulaError(f"this value has no .{word}")
        return found

    return evaluate


def _call(node: ast.Call, names: set[str], depth: int) -> Evaluate:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    function = FUNCTIONS.get(name)
    if function is None or node.keywords:
        raise FormulaError(f"the functions of expressions are {', '.join(FUNCTIONS)}")
    parts = [_walk(part, names, depth) for part in node.args]

    def evaluate(scope: Names) -> Any:
        try:
            return bounded(function(*(part(scope) for part in parts)))
        except (TypeError, ValueError, ArithmeticError):
            raise FormulaError(f"`{name}` does not take these values") from None

    return evaluate


_WALKERS: Final[dict[type[ast.AST], Callable[[Any, set[str], int], Evaluate]]] = {
    ast.Constant: _constant,
    ast.Name: _name_node,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Subscript: _index,
    ast.Attribute: _attribute,
    ast.Call: _call,
}
