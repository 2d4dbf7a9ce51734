"""Finds what a block's name means: an op, a shipped block, or one of the spec's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from archbuilder.diagnostics import Reporter, Source
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.lower.usage import names_in_body
from archbuilder.parameters import Parameter
from archbuilder.spec import zoo
from archbuilder.spec.models import Architecture, BlockDefinition
from archbuilder.spec.reader import read_yaml
from archbuilder.spec.table import Table, key_place
from archbuilder.spec.validate import validate_definition

Definition: TypeAlias = BlockDefinition | type[Op]


@cache
def _shipped_tables() -> dict[str, Table]:
    """The shipped blocks as read, by name."""
    tables: dict[str, Table] = {}
    for path in sorted(zoo.BLOCKS.glob("*.yaml")):
        reporter = Reporter()
        table = read_yaml(Source(f"blocks/{path.name}", path.read_text("utf-8"), shipped=True), reporter)
        reporter.raise_if_any()
        tables.update(table["blocks"] if table is not None else {})
    return tables


@cache
def shipped_block(name: str) -> BlockDefinition:
    """A shipped block. Its definition, parsed, is all that is kept from one call to the next.

    Raises:
        SpecError: if the shipped file is wrong.
    """
    reporter = Reporter()
    definition = validate_definition(_shipped_tables()[name], reporter)
    reporter.raise_if_any()
    if definition is None:
        raise TypeError(f"the shipped block {name} is no block")
    return definition


def shipped_names() -> list[str]:
    """The names of the shipped blocks."""
    return sorted(_shipped_tables())


@dataclass
class Library:
    """The blocks that one network can use."""

    own: dict[str, BlockDefinition] = field(default_factory=dict)

    @classmethod
    def of(cls, architecture: Architecture, reporter: Reporter) -> Library:
        """The library of a network; its own blocks may not take a name that is taken."""
        library = cls()
        for name, definition in architecture.blocks.items():
            taken = "an op" if name in OPS else "a shipped block" if name in _shipped_tables() else ""
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
        return shipped_block(name) if name in _shipped_tables() else None

    def names(self) -> list[str]:
        """Every name that can stand behind `block`."""
        return [*OPS, *_shipped_tables(), *self.own]


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
