"""Finds what a block's name means: an op, a shipped block, or one of the spec's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from archbuilder.diagnostics import Note, Reporter, note_at, suggest
from archbuilder.graph.op import Op
from archbuilder.graph.table import OPS
from archbuilder.language.blocks import shipped_files, shipped_table
from archbuilder.language.models import Architecture, BlockDefinition, Step, validate_definition
from archbuilder.language.table import key_place
from archbuilder.language.zoo import is_file
from archbuilder.lower.habits import advice_for_block
from archbuilder.lower.usage import names_in_body
from archbuilder.parameters import Parameter
from archbuilder.plugin.registry import REGISTRY, PythonBlock, is_loaded, shown_path

Block: TypeAlias = BlockDefinition | PythonBlock
Definition: TypeAlias = Block | type[Op]


@cache
def shipped_block(name: str) -> BlockDefinition:
    """A shipped block. Its definition, parsed, is all that is kept from one call to the next.

    Raises:
        SpecError: if the shipped file is wrong.
    """
    reporter = Reporter()
    definition = validate_definition(shipped_table(name), reporter)
    reporter.raise_if_any()
    if definition is None:
        raise TypeError(f"the shipped block {name} is no block")
    _KEPT.add(id(definition))
    _keep_steps(definition.body)
    return definition


_KEPT: Final[set[int]] = set()
"""The identities of the shipped definitions that were parsed, and of their steps. They are kept, so these stay theirs."""


def _keep_steps(body: Any) -> None:
    for step in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        _KEPT.add(id(step))
        _keep_steps(step.body)


def is_kept(part: Definition | Step) -> bool:
    """Whether an op, a definition or a step stays from one call to the next, so that what is read off it may, too."""
    return isinstance(part, type) or id(part) in _KEPT


def shipped_names() -> list[str]:
    """The names of the shipped blocks."""
    return sorted(shipped_files())


@dataclass
class Library:
    """The blocks that one network can use."""

    own: dict[str, BlockDefinition] = field(default_factory=dict)
    incomplete: bool = False
    """Whether the network asks for a plugin that is not there, so that a name may be unknown for that reason."""
    idle: Reporter = field(default_factory=Reporter)
    """Is told what its own blocks declare and do not use: a mistake, where nothing else is wrong that may explain it."""

    @classmethod
    def of(cls, architecture: Architecture, reporter: Reporter) -> Library:
        """The library of a network; its own blocks may not take a name that is taken."""
        library = cls(incomplete=not _has_plugins(architecture, reporter))
        for name, definition in architecture.blocks.items():
            taken = "an op" if name in OPS else "a shipped block" if name in shipped_files() else ""
            taken = "defined by a plugin" if name in REGISTRY.entries else taken
            if taken:
                place = key_place(architecture.table and architecture.table.get("blocks"), name) or definition.place
                reporter.error("name-taken", f"`{name}` is {taken} already", place, help="give the block another name")
            else:
                library.own[name] = definition
                _report_unused(name, definition, library.idle)
        return library

    def find(self, name: str) -> Definition | None:
        """The op or block of this name."""
        op = OPS.get(name)
        if op is not None:
            return op
        if name in self.own:
            return self.own[name]
        if name in shipped_files():
            return shipped_block(name)
        return REGISTRY.entries[name].definition if name in REGISTRY.entries else None

    def advice_for(self, name: Any) -> str:
        """What to write instead of a block that there is not."""
        found = advice_for_block(name) or suggest(str(name), self.names())
        listed = found is None or found.startswith("known here")
        return "`archbuilder list --blocks` names the blocks there are" if listed else str(found)

    def notes_on(self, name: str, parameter: str | None = None) -> tuple[Note, ...]:
        """Where a block of the user's own is defined, or declares a parameter."""
        definition = self.find(name)
        if not isinstance(definition, BlockDefinition):
            return ()
        if parameter is None:
            return note_at(f"`{name}` is defined here", definition.place)
        place = key_place(definition.table and definition.table.get("parameters"), parameter)
        return note_at(f"`{parameter}` is declared here", place)

    def names(self) -> list[str]:
        """Every name that can stand behind `block`."""
        return [*OPS, *shipped_files(), *self.own, *REGISTRY.entries]


def _has_plugins(architecture: Architecture, reporter: Reporter) -> bool:
    """Whether the plugins that a network asks for are loaded; that is up to whoever runs this, never to a spec."""
    complete = True
    for number, file in enumerate(architecture.plugins or ()):
        if is_loaded(file):
            continue
        complete = False
        place = architecture.place_inside("plugins", number)
        shown = shown_path(file)
        if not is_file(Path(file)):
            reporter.error(
                "unknown-file", f"there is no plugin {shown}", place, help="write its path as seen from this file"
            )
            continue
        message = f"this spec asks for the plugin {shown}, which has not been allowed to run"
        help = f"it runs Python; if you trust it: --plugin {shown} (in Python: archbuilder.load_plugin)"
        reporter.error("plugin-not-allowed", message, place, help=help)
    for name, entry in REGISTRY.entries.items():
        if name in shipped_files():
            message = f"`{name}` is a shipped block already"
            reporter.error("name-taken", message, entry.place, help="give the block another name")
    return complete


def _report_unused(name: str, definition: BlockDefinition, reporter: Reporter) -> None:
    """A parameter that changes nothing is a mistake of the block's author."""
    if definition.table is not None and definition.table.broken:
        return
    defaults = [parameter.default for parameter in definition.parameters.values()]
    used = names_in_body(definition, defaults)
    derived = definition.table and definition.table.get("let")
    for value in definition.let:
        place = key_place(derived, value) or definition.place
        if value not in used and not (place is not None and place.source.shipped):
            message = f"`{value}` has no effect: nothing uses `${value}`"
            reporter.error("no-effect", message, place, help="use it or remove it")
    written = definition.table and definition.table.get("parameters")
    for parameter in [each for each in definition.parameters if each not in used]:
        if _is_inherited(parameter, written):  # what overwrote its only use has made an end of it
            del definition.parameters[parameter]
        elif parameter not in getattr(written, "weak", ()):
            place = key_place(written, parameter) or definition.place
            message = f"the parameter `{parameter}` of `{name}` has no effect: nothing uses `${parameter}`"
            reporter.error("no-effect", message, place, help="use it or remove it")


def _is_inherited(parameter: str, written: Any) -> bool:
    """Whether a block has a parameter from the shipped one that it extends."""
    place = key_place(written, parameter)
    return place is not None and place.source.shipped


def parameters_of(definition: Definition) -> dict[str, Parameter]:
    """What a block or an op can be told, by name."""
    if isinstance(definition, type):
        return {parameter.name: parameter for parameter in definition.parameters}
    return definition.parameters
