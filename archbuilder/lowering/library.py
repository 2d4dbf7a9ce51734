"""Finds what a block's name means: an op, a shipped block, one of the spec's own, or one that a plugin defines."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from archbuilder.diagnostics import Note, Reporter, note_at, suggest
from archbuilder.graph.table import OPS
from archbuilder.language.blocks import shipped_files, shipped_table
from archbuilder.language.habits import advice_for_block
from archbuilder.language.idle import report_unused_in
from archbuilder.language.models import Architecture, BlockDefinition, validate_definition
from archbuilder.language.networks import is_network
from archbuilder.language.table import key_place
from archbuilder.language.zoo import is_file
from archbuilder.lowering.plans import DefinitionPlan, StepPlan, UsePlan, plan_definition, plan_use
from archbuilder.plugin.registry import REGISTRY, is_loaded, shown_path


@cache
def shipped_block(name: str) -> BlockDefinition:
    """A shipped block. Its definition is kept from one call to the next.

    Raises:
        SpecError: if the shipped file is wrong.
    """
    reporter = Reporter()
    definition = validate_definition(shipped_table(name), reporter)
    reporter.raise_if_any()
    if definition is None:
        raise TypeError(f"the shipped block {name} is no block")
    return definition


@cache
def shipped_plan(name: str) -> DefinitionPlan:
    """The plan of an op or of a shipped block, which is kept as the definition is."""
    return plan_definition(OPS.get(name) or shipped_block(name), shipped=True)


def shipped_names() -> list[str]:
    """The names of the shipped blocks."""
    return sorted(shipped_files())


@dataclass(eq=False)
class Library:
    """The blocks that one network can use.

    `own` are its own. `incomplete` says that it asks for a plugin or a file of blocks that is not there, so that a name may be
    unknown for that reason. `unused` is told what its own blocks declare and do not use: a mistake, where nothing else is
    wrong that may explain it.
    """

    own: dict[str, BlockDefinition] = field(default_factory=dict)
    incomplete: bool = False
    unused: Reporter = field(default_factory=lambda: Reporter(is_aside=True))
    _plans: dict[str, DefinitionPlan] = field(default_factory=dict)
    _uses: dict[tuple[DefinitionPlan, tuple[StepPlan, ...]], UsePlan] = field(default_factory=dict)

    @classmethod
    def of(cls, architecture: Architecture, reporter: Reporter) -> Library:
        """The library of a network; its own blocks may not take a name that is taken."""
        library = cls(incomplete=not _has_plugins(architecture, reporter) or architecture.use is not None)
        for name, definition in architecture.blocks.items():
            taken = "an op" if name in OPS else "a shipped block" if name in shipped_files() else ""
            taken = "defined by a plugin" if name in REGISTRY.entries else taken
            if taken:
                place = key_place(architecture.table and architecture.table.get("blocks"), name) or definition.place
                reporter.error("name-taken", f"`{name}` is {taken} already", place, help="give the block another name")
            else:
                library.own[name] = definition
                report_unused_in(name, definition, library.unused)
        return library

    def is_op(self, name: str) -> bool:
        """Whether an op is called so."""
        plan = self.find(name)
        return plan is not None and plan.op is not None

    def find(self, name: str) -> DefinitionPlan | None:
        """The plan of the op or block of this name."""
        plan = self._plans.get(name)
        if plan is None:
            plan = self._find(name)
            if plan is not None:
                self._plans[name] = plan
        return plan

    def _find(self, name: str) -> DefinitionPlan | None:
        if name in OPS:
            return shipped_plan(name)
        if name in self.own:
            return plan_definition(self.own[name], shipped=False)
        if name in shipped_files():
            return shipped_plan(name)
        return plan_definition(REGISTRY.entries[name].definition, shipped=False) if name in REGISTRY.entries else None

    def use(self, name: str, definition: DefinitionPlan, steps: tuple[StepPlan, ...]) -> UsePlan:
        """The plan of a use: it stays with a shipped step that uses what is shipped, and with this network otherwise."""
        step = steps[0]
        if len(steps) == 1 and step.shipped and definition.shipped:
            known = step.uses.get(definition)
            if known is None:
                known = step.uses[definition] = plan_use(name, definition, steps, self.find)
            return known
        key = (definition, steps)
        known = self._uses.get(key)
        if known is None:
            known = self._uses[key] = plan_use(name, definition, steps, self.find)
        return known

    def advice_for(self, name: Any) -> str:
        """What to write instead of a block that there is not."""
        if isinstance(name, str) and is_network(name):
            return f"`{name}` is a network, which another one can be made of: `extends: {name}` at the top"
        found = advice_for_block(name) or suggest(str(name), self.names())
        listed = found is None or found.startswith("known here")
        return "`archbuilder list --blocks` names the blocks there are" if listed else str(found)

    def notes_on(self, name: str, parameter: str | None = None) -> tuple[Note, ...]:
        """Where a block of the user's own is defined, or declares a parameter."""
        plan = self.find(name)
        if plan is None or not isinstance(plan.definition, BlockDefinition):
            return ()
        if parameter is None:
            return note_at(f"`{name}` is defined here", plan.definition.place)
        place = key_place(plan.definition.table and plan.definition.table.get("parameters"), parameter)
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
    return complete
