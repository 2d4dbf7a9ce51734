"""What a name behind `from` means."""

from __future__ import annotations

import re
from typing import Final

from archbuilder.diagnostics import suggest
from archbuilder.graph.graph import Value
from archbuilder.graph.shapes import Streams
from archbuilder.lower.frame import POISON, Frame

_NUMBER: Final = re.compile("-?[0-9]{1,6}")


def find_values(name: str, frame: Frame) -> list[Value] | None:
    """The values that a name stands for; None if there are none.

    `conv1` is a step's value, `input` the body's own; `parts.0` a part of a value (`parts.-1` the last), or the step of
    that name; `acts.*` all parts, or all steps of these names in order.
    """
    value = value_called(name, frame)
    if value is not None:
        return [value]
    if name == "*":
        return list(frame.values.values()) or None
    whole, dot, part = name.rpartition(".")
    if not dot:
        return None
    if part == "*":
        steps = [found for key, found in frame.values.items() if key.startswith(f"{whole}.")]
        return steps or _parts(whole, frame)
    parts = _parts(whole, frame)
    if parts is None or not _NUMBER.fullmatch(part):
        return None
    if whole != "input" and parts == [value_called(whole, frame)] != [POISON]:
        return None  # a block may be given one value or several, but a step's own value is known to be one
    number = int(part)
    if parts == [POISON]:
        return parts
    return [parts[number]] if -len(parts) <= number < len(parts) else None


def advice_for(name: str, frame: Frame) -> str | None:
    """What to write instead of a name that stands for nothing."""
    whole, _, part = name.rpartition(".")
    parts = _parts(whole, frame) if whole else None
    if parts and parts != [value_called(whole, frame)]:
        return f"`{whole}` has {len(parts)} parts, {whole}.0 to {whole}.{len(parts) - 1}"
    if whole and value_called(whole, frame) is not None:
        return f"`{whole}` is one value; only what `split` gives has parts" if part.isdigit() else f"write `{whole}`"
    return suggest(name, ["input", *frame.values])


def value_called(name: str, frame: Frame) -> Value | None:
    """The value of the step of this name, or the body's own `input`; None if there is no such step."""
    return frame.input if name == "input" else frame.values.get(name)


def _parts(name: str, frame: Frame) -> list[Value] | None:
    value = value_called(name, frame)
    if value is None:
        return None
    if value == POISON:
        return [POISON]
    shape = frame.builder.shape_of(value)
    if not isinstance(shape, Streams):
        return [value]  # one value is a list of one
    return [Value(value.node, number) for number in range(len(shape))]
