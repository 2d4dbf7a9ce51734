"""The scalars of YAML 1.2: `1e-5` is a number, `no` and `off` are texts, `0755` is seven hundred and fifty-five.

Underscores between digits are read as in Python (`25_557_032`).
"""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import Any

_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*\Z", re.ASCII)
_BASED = re.compile(r"0(o[0-7]+|x[0-9a-fA-F]+)\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_MAXIMUM_DIGITS = 300


def resolve_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: for a number of more than 300 digits, or one that is not finite.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > _MAXIMUM_DIGITS and (_FLOAT.match(text) or _BASED.match(text)):
        raise ValueError(f"this number has more than {_MAXIMUM_DIGITS} digits")
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        number = float(text)
        if abs(number) == float("inf"):
            raise ValueError("this number is too large")
        return number
    return text


def plain_value(value: Any) -> Any:
    """A value that Python code gives, with numbers of other libraries (NumPy's) as Python's own, in lists and maps too."""
    if isinstance(value, bool | str) or type(value) in (int, float):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, dict):
        return {key: plain_value(each) for key, each in value.items()}
    return [plain_value(each) for each in value] if isinstance(value, list | tuple) else value
