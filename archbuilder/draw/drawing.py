"""One graph while it is drawn: where its values come from, who reads them, which of its edges are shortcuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archbuilder.analysis.cost import Costs
from archbuilder.draw.picture import Box, Role
from archbuilder.draw.shortcuts import shortcuts_of
from archbuilder.draw.words import span
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape


class Port(NamedTuple):
    """Where a value comes from: the box, and the shape that goes into this box."""

    box: str
    before: Shape


@dataclass
class Drawing:
    """One graph while it is drawn: where its values come from, who reads them, which of its edges are shortcuts."""

    graph: Graph
    ports: dict[int, Port]
    costs: Costs
    prefix: str = ""
    role: Role = "other"

    def __post_init__(self) -> None:
        self.shortcuts = dict(shortcuts_of(self.graph, self.costs))

    def path(self, node: Node) -> str:
        """The path of a step, of the first and the last of its repeats."""
        return f"{self.prefix}{span(node)}"

    def port(self, value: Value) -> Port:
        """Where a value comes from."""
        return self.ports[self.graph.source_of(value).node]

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value."""
        return self.graph.shape_of(value)

    def taken_by(self, section: Section) -> tuple[Value, ...]:
        """The values that the steps of a section take from before it."""
        nodes = self.graph.nodes[section.start : section.stop]
        taken = (self.graph.source_of(value) for node in nodes if node.body is not None for value in node.inputs)
        return tuple(dict.fromkeys(value for value in taken if value.node < section.start))

    def follows(self, node: Node, box: Box) -> bool:
        """Whether a layer can stand in the box of the one before it: nothing else reads what that one gives."""
        if not node.inputs:
            return False
        value = self.graph.source_of(node.inputs[0])
        return (
            len(node.inputs) == 1
            and not box.sign
            and box.count == node.count == 1
            and value.node != INPUT
            and isinstance(self.graph.nodes[value.node].body, Op)
            and self.ports[value.node].box == box.id
            and self.graph.readers[value] == 1
        )
