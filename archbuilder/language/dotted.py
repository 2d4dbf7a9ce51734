"""The names of expressions: those of steps may have dots and numbers in them, `stages.0`, which Python's names have not."""

from __future__ import annotations

import ast
import keyword
import re
from typing import Any, Final, Protocol

from archbuilder.language.arithmetic import FormulaError

CONSTANTS: Final = {"null": None, "true": True, "false": False, "None": None, "True": True, "False": False}
"""Words that are no names."""
NO_NAMES: Final = frozenset({*CONSTANTS, *keyword.kwlist})
"""Words that nothing can be called of which expressions are to speak."""

SHAPE_WORDS: Final = ("channels", "height", "width", "tokens")
"""What an expression can ask of a value: `conv1.channels`."""


class Names(Protocol):
    """What the names of an expression stand for: a map, for example. Unknown ones raise `KeyError`."""

    def __getitem__(self, name: str, /) -> Any:
        """What a name stands for."""


class UnknownNameError(FormulaError):
    """An expression names something that is not visible where it is written."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown name `{name}`")
        self.name = name


# ---- in the text ----------------------------------------------------------------------------------------------------

_DOTTED: Final = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])[A-Za-z_]\w*(?:\.(?:\w+|-[0-9]+))+""", re.ASCII)
"""A text in quotes, or a dotted name."""
_MARK: Final = "__"
"""Stands before a number in a dotted name, for Python's parser; no step's name begins so. Another one is a minus."""
_MARKED: Final = re.compile(f"^{_MARK}({_MARK})?(?=[0-9])")
_NUMBER: Final = re.compile("-?[0-9]+")


def marked(text: str) -> str:
    """An expression in which the numbers in dotted names are marked, so that Python's parser takes it."""
    return _DOTTED.sub(lambda m: m[0] if m[0][0] in "'\"" else _mark(m[0]), text)


def _mark(name: str) -> str:
    return re.sub(r"\.(-?)(?=[0-9])", lambda m: f".{_MARK}{_MARK * len(m[1])}", name)


def dotted_name(node: ast.AST) -> str | None:
    """The name that a part of a syntax tree is, which may have dots; None if it is anything else."""
    if isinstance(node, ast.Name):
        return node.id if node.id not in CONSTANTS else None
    if not isinstance(node, ast.Attribute):
        return None
    whole = dotted_name(node.value)
    return whole and f"{whole}.{_MARKED.sub(lambda m: '-' if m[1] else '', node.attr)}"


# ---- what it stands for ---------------------------------------------------------------------------------------------


def whole_of(name: str) -> str:
    """What a dotted name is a part of, if it is one: `parts` of `parts.0`; else the name itself."""
    whole, _, part = name.rpartition(".")
    return name if number_in(part) is None else whole_of(whole)


def number_in(part: str) -> int | None:
    """The number that a part of a dotted name is: 0 in `parts.0`, -1 in `parts.-1`; None if it is a word. No list is so long
    that more than its first digits matter."""
    return int(part[:10]) if _NUMBER.fullmatch(part) else None


def beginnings(name: str) -> set[str]:
    """How the name of a step begins, up to a dot or a number: of what was to be computed in it, no more may be known."""
    parts = name.split(".")[:20]
    wholes = [".".join(parts[:count]) for count in range(len(parts) + 1)]
    return {*wholes[:-1], *(re.split("[0-9]", each, maxsplit=1)[0] for each in wholes), name.rstrip("0123456789")}


def find_dotted(scope: Names, name: str) -> Any:
    """What a dotted name stands for: the step of this name, or a part of the value that is called as what stands before it.

    Raises:
        FormulaError: if it stands for nothing.
    """
    try:
        return scope[name]
    except KeyError:
        whole, _, part = name.rpartition(".")
    try:
        value = find_dotted(scope, whole) if "." in whole else scope[whole]
    except (KeyError, UnknownNameError):
        raise UnknownNameError(name) from None
    number = number_in(part)
    if number is not None:
        return element(value, number)
    raise FormulaError(no_word(part))


def element(values: Any, at: Any) -> Any:
    """An element of a list.

    Raises:
        FormulaError: if there is none.
    """
    if getattr(values, "is_shape", False):
        values = [values]  # one value is a list of one
    if not isinstance(values, list | tuple) or type(at) is not int:
        raise FormulaError("`[...]` takes an element of a list by its number")
    if not -len(values) <= at < len(values):
        raise FormulaError(f"there is no element {at} in a list of {len(values)}")
    return values[at]


def no_word(word: str) -> str:
    """What is wrong with something else that is asked of a value."""
    return f"a value has .{', .'.join(SHAPE_WORDS)}, not .{word[:30]}"
