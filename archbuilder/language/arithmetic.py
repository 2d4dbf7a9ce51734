"""What expressions compute: numbers of a bounded size, and the functions there are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from archbuilder.parameters import MAXIMUM_INTEGER, describe

MAXIMUM_TEXT: Final = 200


MAXIMUM_PARTS: Final = 1_000
"""Parts of a list with which an expression computes, those inside of inner lists counted as often as they are there."""


class FormulaError(Exception):
    """An expression is malformed or cannot be computed. A bare fact; the caller adds the place."""


def bounded(value: Any) -> Any:
    """`value`, if it is not too large.

    Raises:
        FormulaError: if it is.
    """
    if isinstance(value, (int, float)) and not abs(value) <= MAXIMUM_INTEGER:
        raise FormulaError("a number in this expression is too large")
    if isinstance(value, str) and len(value) > MAXIMUM_TEXT:
        raise FormulaError(f"a text in this expression has more than {MAXIMUM_TEXT} characters")
    return value


def bounded_parts(value: Any) -> Any:
    """`value`, if it is no list of more parts than one can look through quickly. Lists share parts, so small ones may be huge.

    Raises:
        FormulaError: if it is.
    """
    if isinstance(value, (list, tuple, dict)):
        open_parts, count = [value], 0
        while open_parts:
            part = open_parts.pop()
            inner = part.values() if isinstance(part, dict) else part
            count += len(inner)
            if count > MAXIMUM_PARTS:
                raise FormulaError(f"a list in this expression has more than {MAXIMUM_PARTS:,} parts")
            open_parts += [each for each in inner if isinstance(each, (list, tuple, dict))]
    return value


def number_of(value: Any) -> Any:
    """`value`, if it is a number: a whole one stays whole.

    Raises:
        FormulaError: if it is none.
    """
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, bool):
        return int(value)
    if getattr(value, "is_shape", False):
        raise FormulaError(f"arithmetic needs numbers, got a value of {value}: for its channels write .channels")
    raise FormulaError(f"arithmetic needs numbers, got {describe(value)}")


def power(base: float, exponent: float) -> int:
    """A power of two.

    Raises:
        FormulaError: for any other power, which may be too large to write down.
    """
    if base != 2 or not isinstance(exponent, int) or not 0 <= exponent <= 50:
        raise FormulaError("`**` is for powers of two with a whole exponent from 0 to 50")
    return 1 << exponent


def _round(value: Any) -> int:
    number: float = number_of(value)
    return round(number)


def _floor(value: Any) -> int:
    number: float = number_of(value)
    return math.floor(number)


def _ceil(value: Any) -> int:
    number: float = number_of(value)
    return math.ceil(number)


def _log2(value: Any) -> float:
    return math.log2(number_of(value))


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(*values: Any) -> Any:
        several = values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values
        bounded_parts(several)
        return choose(number_of(value) for value in several)

    return extreme


def _round_to(value: Any, divisor: Any, keep: Any = 0.9) -> int:
    """The multiple of `divisor` nearest to `value`, at least `divisor`, never below `keep` of the value."""
    number, step = number_of(value), int(number_of(divisor))
    nearest = max(step, int(number + step / 2) // step * step)
    return nearest + step if nearest < number_of(keep) * number else nearest


def _len(value: Any) -> int:
    if getattr(value, "is_shape", False):
        return 1  # one value is a list of one
    if not isinstance(value, list | tuple):
        raise TypeError
    return len(value)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "len": _len,
    "min": _extreme(min),
    "max": _extreme(max),
    "floor": _floor,
    "ceil": _ceil,
    "round": _round,
    "log2": _log2,
    "round_to": _round_to,
}
