"""The names that a text speaks of in its expressions, whether they mean anything or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any, Final

from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula, ends_of
from archbuilder.language.models import Architecture, BlockDefinition, Step
from archbuilder.language.table import texts_in

_WORD: Final = re.compile(r"[\w-]+")
_CHANGING: Final = re.compile(r"\$|\*|-\d")
"""Where a name in `from` stops being that of one step: `b.$i`, `b.*`, `b.-1`."""


def names_used(architecture: Architecture) -> set[str]:
    """The names that the expressions of a network speak of, those inside its own blocks left out."""
    names: set[str] = set()
    expect, scale = architecture.expect, architecture.scale
    _collect([architecture.parameters, architecture.defaults, architecture.features], names)
    _collect(list(architecture.sections().values()), names)
    if scale is not None:
        _collect([part.by for part in (scale.width, scale.depth) if part is not None], names)
    if expect is not None:
        _collect([expect.layers, expect.parameters, expect.macs, expect.output], names)
    return names


def names_said_to_ops_alone(architecture: Architecture, is_op: Callable[[str], bool]) -> frozenset[str]:
    """The parameters of a network that its expressions say to ops, and to nothing else."""
    others: set[str] = set()
    scale = architecture.scale
    _collect([architecture.parameters, architecture.defaults, architecture.features], others)
    if scale is not None:
        _collect([part.by for part in (scale.width, scale.depth) if part is not None], others)
    _collect_beside_ops(list(architecture.sections().values()), is_op, others)
    return frozenset(architecture.parameters.keys() - others)


def _collect_beside_ops(value: Any, is_op: Callable[[str], bool], names: set[str]) -> None:
    if isinstance(value, dict):
        _collect(list(value), names)  # the names of steps
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            _collect_beside_ops(each, is_op, names)
    elif isinstance(value, Step):
        _collect([value.block, value.from_, value.when, value.depth, value.names], names)
        if not (type(value.block) is str and is_op(value.block)):
            _collect(value.arguments, names)
        if value.loop is not None:
            _collect([value.loop.start, value.loop.stop], names)
        _collect_beside_ops(value.body, is_op, names)


def names_in_body(definition: BlockDefinition, defaults: Iterable[Any] = ()) -> set[str]:
    """The names that a block's steps and derived values speak of, and those of some of its defaults."""
    names: set[str] = set()
    _collect([definition.body, definition.layers, definition.return_, definition.let, list(defaults)], names)
    return names


def names_in(default: Any) -> AbstractSet[str]:
    """The names that a parameter's default speaks of: a formula, or what stands in a slot."""
    if type(default) is Formula:
        return default.names
    names: set[str] = set()
    if isinstance(default, dict | list):
        _collect(default, names)
    return names


def unnamed(names: Collection[str], value: Any) -> list[str]:
    """Those of some names that no text in a map or a list speaks of, nor could come to be where it is computed (`my$n`)."""
    words: set[str] = set()
    ends: dict[str, set[str]] = {}
    for text in texts_in(value):
        words.update(_WORD.findall(text) if "$" in text else (text,))
        with suppress(FormulaError):
            first, last = ("$" in text and ends_of(text)) or ("", None)
            if last is not None:
                ends.setdefault(first, set()).add(last)
    return [
        name
        for name in names
        if name not in words
        and not any(name.endswith(tuple(ends[name[:size]])) for size in range(len(name) + 1) if name[:size] in ends)
    ]


def asks_for(steps: Iterable[Step]) -> Callable[[str], bool]:
    """Tells which names of steps some others say in `from`, for what they give or a part of it; or may come to say, where
    that is computed."""
    names: set[str] = set()
    stems: set[str] = set()
    for text in _asked_names(steps):
        stem = _CHANGING.split(text, maxsplit=1)[0]
        names |= {text, text.rpartition(".")[0], stem.rstrip(".")}
        if stem != text:
            stems.add(stem)
    beginnings = tuple(stems)
    return lambda name: name in names or name.startswith(beginnings)


def _asked_names(steps: Iterable[Step]) -> Iterator[str]:
    """What steps say in `from`, and those in loops."""
    for step in steps:
        yield from map(str, step.from_ or ())
        if step.loop is not None and isinstance(step.body, dict):
            yield from _asked_names(step.body.values())


def mentions(step: Step, name: str) -> bool:
    """Whether the values and inner steps of a step speak of a variable. Its `names` do not count: they change no shape."""
    names: set[str] = set()
    _collect([step.arguments, step.body], names)
    return name in names


def _collect(value: Any, names: set[str]) -> None:
    left = [value]
    while left:
        each = left.pop()
        if each is None or isinstance(each, (int, float)):  # most values
            continue
        if type(each) is Formula:
            names |= each.names
        elif isinstance(each, str):
            if "$" in each:
                # What is wrong in it is reported where it is read as what it is: a step's name, in a slot for example.
                with suppress(FormulaError):
                    names |= Formula(each).names
        elif isinstance(each, dict):
            left += each
            left += each.values()
        elif isinstance(each, list):
            left += each
        elif isinstance(each, Step):
            left += (each.block, each.from_, each.when, each.depth, each.names, each.body, each.arguments)
            if each.loop is not None:
                left += (each.loop.start, each.loop.stop)
