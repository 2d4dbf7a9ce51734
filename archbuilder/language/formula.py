"""Values that have to be computed: `$name`, `$(...)`, and texts with these inside (`conv$i`).

Every formula is bounded in length and depth, and every number in size.
"""

from __future__ import annotations

from typing import Any, Final, Self

from archbuilder.language.arithmetic import MAXIMUM_TEXT, FormulaError
from archbuilder.language.expression import NAME, Evaluate, Names, compile_expression
from archbuilder.parameters import describe

MAXIMUM_LENGTH: Final = 400


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


def is_formula(value: Any) -> bool:
    """Whether a value is a text that has to be computed."""
    return isinstance(value, str) and "$" in value


def _parse(text: str, names: set[str]) -> Evaluate:
    if len(text) > MAXIMUM_LENGTH:
        raise FormulaError(f"this expression has {len(text):,} characters; at most {MAXIMUM_LENGTH} are allowed")
    parts = _split(text)
    if len(parts) == 1 and parts[0][0]:
        return compile_expression(parts[0][1], names)
    pieces = [compile_expression(piece, names) if computed else piece for computed, piece in parts]

    def template(scope: Names) -> str:
        return "".join(piece if isinstance(piece, str) else _as_text(piece(scope)) for piece in pieces)

    return template


def _as_text(value: Any) -> str:
    if type(value) is int or (isinstance(value, str) and len(value) <= MAXIMUM_TEXT):
        return str(value)
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
            raise FormulaError("a `$` must be followed by a name or by `(`")
        parts.append((True, match[0]))
        position = match.end()
    return parts


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
