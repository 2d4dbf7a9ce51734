"""Remembers, for one lowering, where each value came from. The lowering tells it; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from archbuilder.graph.graph import Graph, Node
from archbuilder.language.formula import Formula
from archbuilder.language.models import Step
from archbuilder.lower.arguments import Resolved
from archbuilder.lower.defaults import Defaults, Setting
from archbuilder.lower.frame import Frame
from archbuilder.lower.rules import Rules
from archbuilder.lower.uses import Target, Written

Source: TypeAlias = Written | Setting | Mapping[str, Any]
"""What gave a parameter its value: the use, a default, or the values that are fixed whatever is said."""


@dataclass(eq=False)
class Use:
    """A use of a block, with what gave each parameter its value (those missing have the definition's default), what the
    other names in its expressions meant where it stands, and the multipliers that held there."""

    resolved: Resolved
    taken: Mapping[str, Source]
    met: Mapping[str, Any]
    rules: Rules | None

    @property
    def target(self) -> Target:
        """What it is a use of."""
        return self.resolved.target


class Scope(NamedTuple):
    """Whose variables a mapping holds: those of a use's body, or of the network (None); `turns` are those of loops.

    It holds the mapping too, so that no other one can come to have its identity.
    """

    variables: Mapping[str, Any]
    use: Use | None
    turns: tuple[str, ...] = ()


class Spot(NamedTuple):
    """The step that a node was made of: its key, the variables and multipliers where it stands, the use of each repeat that
    was lowered, how many repeats there are, which is the node's first, and whether they are children of a child."""

    key: str
    step: Step
    variables: Mapping[str, Any]
    rules: Rules | None
    uses: tuple[Use, ...]
    repeats: int
    first: int
    in_sequence: bool

    def use_of(self, number: int) -> Use | None:
        """The use of a repeat of the node; those after the last one that was lowered are equal to it."""
        return self.uses[min(self.first + number, len(self.uses) - 1)] if self.uses else None


@dataclass(eq=False)
class Trace:
    """What is known of one lowering, by the identity of what it made."""

    defaults: Defaults = field(default_factory=Defaults)
    scopes: dict[int, Scope] = field(default_factory=dict)
    spots: dict[int, Spot] = field(default_factory=dict)
    inline: dict[str, Spot] = field(default_factory=dict)
    """By key: the network's own steps that are no module, since their block's children are the network's."""
    around: dict[int, Use] = field(default_factory=dict)
    """By setting: the use that it is written on, for all inside it."""
    _nodes: list[Node] = field(default_factory=list)
    _callers: dict[int, Use] = field(default_factory=dict)
    _open: dict[tuple[int, int], dict[int, Use]] = field(default_factory=dict)
    _taken: dict[str, Source] = field(default_factory=dict)

    # ---- what the lowering tells --------------------------------------------------------------------------------

    def began(self, frame: Frame) -> None:
        """A network is about to be lowered in this frame."""
        self.defaults = frame.defaults
        self.scopes[id(frame.variables)] = Scope(frame.variables, None)

    def took(self, key: str, source: Source) -> None:
        """A parameter of the use at hand was given what `source` says."""
        self._taken[key] = source

    def fixed(self, values: Mapping[str, Any]) -> None:
        """Parameters of the use at hand were given these values, whatever is said of them."""
        for key in values:
            self.took(key, values)

    def resolved(self, resolved: Resolved, nearer: list[Setting]) -> None:
        """A use was resolved; `nearer` holds inside it."""
        frame = resolved.frame
        use = Use(resolved, self._taken, _names_met(resolved), frame.rules)
        self._taken = {}
        self.scopes[id(resolved.values)] = Scope(resolved.values, use)
        self.around.update((id(setting), use) for setting in nearer)
        key = id(frame.builder), id(resolved.target.uses[0][0])
        self._open.setdefault(key, {})[id(frame)] = use

    def entered(self, variables: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """The body of the use with these values is lowered with these variables."""
        self.scopes[id(variables)] = Scope(variables, self.scopes[id(values)].use)

    def turned(self, inner: Mapping[str, Any], outer: Mapping[str, Any], variable: str) -> None:
        """A loop or a repeat has its own variable beside those around."""
        scope = self.scope_of(outer)
        self.scopes[id(inner)] = Scope(inner, scope.use, (*scope.turns, variable))

    def called(self, graph: Graph, values: Mapping[str, Any]) -> None:
        """The use with these values is a call of a graph, which equal uses share."""
        use = self.scopes[id(values)].use
        if use is not None:
            self._callers.setdefault(id(graph), use)

    def placed(self, key: str, nodes: list[Node], step: Step, frame: Frame) -> None:
        """A step became these nodes, one for each run of equal repeats."""
        uses = tuple(self._open.pop((id(frame.builder), id(step)), {}).values())
        body = nodes[0].body
        in_sequence = step.depth is not None and frame.numbering is None
        runs = body.nodes if in_sequence and isinstance(body, Graph) else nodes
        repeats, first = sum(run.count for run in runs), 0
        for node in nodes:
            self._nodes.append(node)
            self.spots[id(node)] = Spot(key, step, frame.variables, frame.rules, uses, repeats, first, in_sequence)
            first += node.count

    def inlined(self, key: str, step: Step, frame: Frame) -> None:
        """A step of the network became what its block's steps are."""
        uses = tuple(self._open.pop((id(frame.builder), id(step)), {}).values())
        self.inline[key] = Spot(key, step, frame.variables, frame.rules, uses, 1, 0, in_sequence=False)

    # ---- what can be asked --------------------------------------------------------------------------------------

    def scope_of(self, variables: Mapping[str, Any]) -> Scope:
        """Whose variables these are."""
        return self.scopes.get(id(variables)) or Scope(variables, None)

    def first_caller(self, graph: Graph) -> Use | None:
        """The use for which a graph was lowered; later equal uses share it."""
        return self._callers.get(id(graph))


def _names_met(resolved: Resolved) -> dict[str, Any]:
    """What the names in the expressions of a use mean, beside the variables: the shapes of steps."""
    found: dict[str, Any] = {}
    frame = resolved.frame
    values = [written.value for written in resolved.explicit.values()]
    values += [setting.value for setting in resolved.settings.values()]
    for name in formula_names(values):
        if name not in frame.variables:
            with suppress(KeyError):
                found[name] = frame[name]
    return found


def formula_names(value: Any) -> list[str]:
    """The names that the expressions in a value speak of."""
    if isinstance(value, Formula):
        return sorted(value.names, key=str(value).find)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for each in inner for name in formula_names(each)))
