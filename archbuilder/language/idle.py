"""What a text declares and never speaks of: a mistake, where nothing else is wrong that may explain it.

What need have no effect, since a base says it, or a file with variants, is told to `idle` instead.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from archbuilder.diagnostics import Reporter, nearest
from archbuilder.language.models import Architecture, BlockDefinition
from archbuilder.language.spoken import names_in_body, names_used, unnamed
from archbuilder.language.table import key_place


def report_unused_blocks(architecture: Architecture, own: Collection[str], reporter: Reporter, idle: Reporter) -> None:
    """Reports the blocks of a spec's own that it does not name."""
    if architecture.table is None or architecture.place is None or not own:
        return
    written = architecture.table["blocks"]
    for name in unnamed(own, architecture.table):
        at = key_place(written, name)
        if at is not None and at.source == architecture.place.source:  # no file's of blocks
            message, help = f"the block `{name}` has no effect: nothing uses it", "use it or remove it"
            (idle if name in written.weak else reporter).error("no-effect", message, at, help=help)


def report_unused_parameters(architecture: Architecture, reporter: Reporter, idle: Reporter) -> None:
    """Reports the parameters of a network that no expression speaks of."""
    written, used = architecture.parameters, names_used(architecture) if architecture.parameters else set()
    weak: frozenset[str] = getattr(written, "weak", frozenset())
    for name in written:
        if name not in used:
            message = f"the parameter `{name}` has no effect: nothing uses `${name}`"
            near = nearest(name, [each for each in written if each != name])
            help = f"did you mean `{near}`?" if near is not None else "use it or remove it"
            is_weak = name in weak or architecture.is_weak("parameters")
            (idle if is_weak else reporter).error("no-effect", message, key_place(written, name), help=help)


def report_unused_in(name: str, definition: BlockDefinition, reporter: Reporter) -> None:
    """Reports what a block declares and does not use."""
    if definition.table is not None and definition.table.broken:
        return
    defaults = [parameter.default for parameter in definition.parameters.values()]
    used = names_in_body(definition, defaults)
    derived = definition.table and definition.table.get("let")
    for value in [each for each in definition.let if each not in used]:
        place = key_place(derived, value) or definition.place
        if value in getattr(derived, "weak", ()):
            del definition.let[value]
        elif place is None or not place.source.shipped:
            message = f"`{value}` has no effect: nothing uses `${value}`"
            reporter.error("no-effect", message, place, help="use it or remove it")
    written = definition.table and definition.table.get("parameters")
    for parameter in [each for each in definition.parameters if each not in used]:
        if _is_inherited(parameter, written):  # what overwrote its only use has made an end of it
            del definition.parameters[parameter]
        elif parameter not in getattr(written, "weak", ()):
            place = key_place(written, parameter) or definition.place
            message = f"the parameter `{parameter}` of `{name}` has no effect: nothing uses `${parameter}`"
            near = nearest(parameter, used - definition.parameters.keys() - definition.let.keys())
            reporter.error(
                "no-effect", message, place, help=f"did you mean `{near}`?" if near else "use it or remove it"
            )


def _is_inherited(parameter: str, written: Any) -> bool:
    """Whether a block has a parameter from the shipped one that it extends."""
    place = key_place(written, parameter)
    return place is not None and place.source.shipped
