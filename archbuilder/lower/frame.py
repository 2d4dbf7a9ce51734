"""What is known while a body is lowered: its variables, the values of its steps, and the nodes made so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import INPUT, Node, Origin, Turn, Value, value_of
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.language.models import Step
from archbuilder.lower.defaults import Defaults
from archbuilder.lower.rules import Numbering, Rules

POISON: Final = Value(-2)
"""The value of a step that went wrong. Whatever depends on it stays silent."""


@dataclass(slots=True)
class Builder:
    """The nodes of one graph."""

    input: Shape
    nodes: list[Node] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    loose: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    loops: list[int] = field(default_factory=list)

    def add(self, node: Node) -> Value:
        """Appends a node; its value."""
        self.nodes.append(node)
        return value_of(len(self.nodes) - 1)

    def unlike_others(self, name: str) -> str:
        """A name for a step that stands inline and is no module, so that no key depends on it: one that no child can have."""
        count = self.loose[name] = self.loose.get(name, 0) + 1
        return f"{name}~{count}"

    def claim(self, name: str) -> str | None:
        """Takes a child's name. The name that stands in its way, if one does: a name is a module or a container of some."""
        if name in self.taken or name in self.containers:
            return name if name in self.taken else f"{name}.*"
        if "." in name:
            parts = name.split(".")
            prefixes = [".".join(parts[:count]) for count in range(1, len(parts))]
            if clash := self.taken.intersection(prefixes):
                return min(clash)
            self.containers.update(prefixes)
        self.taken.add(name)
        return None

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value made so far."""
        number, item = value
        shape = self.input if number == INPUT else self.nodes[number].shape
        return shape if item is None or not isinstance(shape, Streams) else shape[item]

    def origin_of(self, value: Value) -> str:
        """The name of the step that a value comes from, for messages."""
        while value.node != INPUT and self.nodes[value.node].body is None:
            value = self.nodes[value.node].inputs[0]
        name = "input" if value.node == INPUT else self.nodes[value.node].name
        return name if value.item is None else f"{name}.{value.item}"


@dataclass(slots=True)
class Frame:
    """A body being lowered.

    `variables` are what an expression in it sees; `values` the steps so far; `current` the value that the next step
    takes; `origins` where a variable's value was written; `used_at` the place in the user's spec that asked for all this,
    and `used_block` the block that is used there;
    `rules` hold for the steps of a network's own sections, `numbering` also for what is inline there.
    """

    builder: Builder
    variables: Mapping[str, Any]
    defaults: Defaults
    input: Value
    used_at: Place | None
    block: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    origins: Mapping[str, Place | None] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    rules: Rules | None = None
    numbering: Numbering | None = None
    inlined: bool = False
    current: Value = POISON
    used_block: str = ""
    turns: tuple[Turn, ...] = ()
    key: str = ""

    def __post_init__(self) -> None:
        self.current = self.input

    @property
    def is_special(self) -> bool:
        """Whether its steps have other names, or are under the network's rules."""
        return bool(self.rules is not None or self.numbering is not None or self.inlined or self.rename)

    def __getitem__(self, name: str) -> Any:
        """What a name means in an expression."""
        found = self.variables.get(name, _ABSENT)
        if found is not _ABSENT:
            return found
        value = self.current if name == "here" else self.values.get(name)
        if value is None:
            raise KeyError(name)
        return UNKNOWN if value == POISON else self.builder.shape_of(value)

    def with_variable(self, name: str, value: Any) -> Frame:
        """This frame with one more variable; the steps are shared."""
        inner = Frame(
            self.builder,
            {**self.variables, name: value},
            self.defaults,
            self.input,
            self.used_at,
            self.block,
            self.values,
            self.origins,
            self.rename,
            self.rules,
            self.numbering,
            self.inlined,
        )
        inner.current, inner.used_block, inner.turns = self.current, self.used_block, self.turns
        return inner

    def visible(self) -> list[str]:
        """The names that an expression can use here."""
        return [*self.variables, "here", *(name for name in self.values if name.isidentifier())]


def origin_of(step: Step, frame: Frame) -> Origin:
    """What a node says of the step that it was made of."""
    inputs = tuple(map(str, step.from_)) if step.from_ is not None else None
    return Origin(frame.key, step.arguments, step.when, inputs, frame.turns, own=not frame.inlined)


_ABSENT: Final = object()


class Unknown:
    """Something that went wrong: the shape of a value, or a parameter."""


UNKNOWN: Final = Unknown()
