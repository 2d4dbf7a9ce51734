"""Finds what a block's name means: an op, a shipped block, or one of the spec's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from archbuilder.diagnostics import Reporter
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.lower.usage import names_in_body
from archbuilder.parameters import Parameter
from archbuilder.spec.blocks import shipped_blocks
from archbuilder.spec.models import Architecture, BlockDefinition
from archbuilder.spec.table import key_place
from archbuilder.spec.validate import validate_definition

Definition: TypeAlias = BlockDefinition | type[Op]


@cache
def shipped_block(name: str) -> BlockDefinition:
    """A shipped block. Its definition, parsed, is all that is kept from one call to the next.

    Raises:
        SpecError: if the shipped file is wrong.
    """
    reporter = Reporter()
    definition = validate_definition(shipped_blocks()[name], reporter)
    reporter.raise_if_any()
    if definition is None:
        raise TypeError(f"the shipped block {name} is no block")
    return definition


def shipped_names() -> list[str]:
    """The names of the shipped blocks."""
    return sorted(shipped_blocks())


@dataclass
class Library:
    """The blocks that one network can use."""

    own: dict[str, BlockDefinition] = field(default_factory=dict)

    @classmethod
    def of(cls, architecture: Architecture, reporter: Reporter) -> Library:
        """The library of a network; its own blocks may not take a name that is taken."""
        library = cls()
        for name, definition in architecture.blocks.items():
            taken = "an op" if name in OPS else "a shipped block" if name in shipped_blocks() else ""
            if taken:
                place = key_place(architecture.table and architecture.table.get("blocks"), name) or definition.place
                reporter.error("name-taken", f"`{name}` is {taken} already", place, help="give the block another name")
            else:
                library.own[name] = definition
                _report_unused(name, definition, reporter)
        return library

    def find(self, name: str) -> Definition | None:
        """The op or block of this name."""
        op = OPS.get(name)
        if op is not None:
            return op
        if name in self.own:
            return self.own[name]
        return shipped_block(name) if name in shipped_blocks() else None

    def names(self) -> list[str]:
        """Every name that can stand behind `block`."""
        return [*OPS, *shipped_blocks(), *self.own]


def _report_unused(name: str, definition: BlockDefinition, reporter: Reporter) -> None:
    """A parameter that changes nothing is a mistake of the block's author."""
    if definition.table is not None and definition.table.broken:
        return
    defaults = [parameter.default for parameter in definition.parameters.values()]
    used = names_in_body(definition, defaults)
    for parameter in definition.parameters:
        if parameter not in used:
            place = key_place(definition.table and definition.table.get("parameters"), parameter) or definition.place
            message = f"the parameter `{parameter}` of `{name}` has no effect: nothing uses `${parameter}`"
            reporter.error("no-effect", message, place, help="use it or remove it")


def parameters_of(definition: Definition) -> dict[str, Parameter]:
    """What a block or an op can be told, by name."""
    if isinstance(definition, BlockDefinition):
        return definition.parameters
    return {parameter.name: parameter for parameter in definition.parameters}
