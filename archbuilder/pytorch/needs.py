"""What ops need in emitted source beside torch: import lines, and definitions of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from archbuilder.diagnostics import Diagnostic, SpecError
from archbuilder.graph.graph import Graph
from archbuilder.graph.helpers import names_bound
from archbuilder.pytorch.names import RESERVED

OWN_IMPORTS = ("import math",)
"""What the source imports itself, wherever something in it needs that."""


@dataclass
class Needs:
    """Import lines, definitions, and the names that they make known."""

    imports: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)
    """The names of those definitions that are ours."""


def needs_of(graph: Graph) -> Needs:
    """What the ops of a network need.

    Raises:
        SpecError: if they use a name that the source uses itself.
    """
    needs = Needs()
    for _, node, op in graph.ops():
        needs.helpers.update(op.helpers)
        for text in (each.strip() for each in op.needs):
            if text in (*needs.imports, *needs.definitions, *OWN_IMPORTS):
                continue
            bound = names_bound(text)
            if clash := bound & RESERVED:
                message = f"`{op.name}` calls something `{min(clash)}`, which is a name of the emitted source's own"
                raise SpecError([Diagnostic("bad-plugin", message, node.place, "give it another name in the plugin")])
            needs.names |= bound
            (needs.imports if text.startswith(("import ", "from ")) else needs.definitions).append(text)
    return needs
