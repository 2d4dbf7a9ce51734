"""What is computed of a network only when it is asked for: its memory and its receptive fields, as a whole and row by row."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TypeAlias

from archbuilder.analysis.memory import BYTES, Call, Walk
from archbuilder.analysis.receptive import Field, Fields, Ways, behind, field_of, parts_of
from archbuilder.graph.graph import Graph
from archbuilder.graph.shapes import in_parts

Where: TypeAlias = tuple[tuple[Graph, int, int], ...]
"""Some nodes of a network, `graph.nodes[start:stop]`, behind the one that calls their graph, and so on from the network in."""


class Measures:
    """The memory, in bytes, and the receptive fields of a network, for one image. What is not known is None."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._fields = Fields()

    @cached_property
    def unsaid(self) -> tuple[str, ...]:
        """The ops that do not say what they have in memory."""
        every = (
            (op.name, op.memory(tuple(map(graph.shape_of, node.inputs)), node.shape))
            for graph, node, op in self.graph.ops()
        )
        return tuple(dict.fromkeys(name for name, memory in every if memory is None))

    @cached_property
    def inference_memory(self) -> int | None:
        """The most that there is at once, the input among it."""
        if self.unsaid:
            return None
        given = sum(part.elements for part in in_parts(self.graph.input))
        return BYTES * (given + Walk(training=False).network(self.graph).most)

    @cached_property
    def _training(self) -> Call:
        return Walk(training=True).network(self.graph)

    @property
    def training_memory(self) -> int | None:
        """What is kept for the gradient."""
        return None if self.unsaid else BYTES * self._training.kept

    @cached_property
    def receptive_field(self) -> Field:
        """That of what goes into the head, or where there is none of the output."""
        head = next((section for section in self.graph.sections if section.name == "head"), None)
        nodes = self.graph.nodes[head.start : head.stop] if head is not None else ()
        outside = [
            value for node in nodes for value in node.inputs if head and not head.start <= value.node < head.stop
        ]
        found = self._fields.through(self.graph)
        return field_of(ways for value in outside or [self.graph.output] for ways in parts_of(found, value))

    def kept_at(self, where: Where) -> int | None:
        """What some nodes keep for the gradient, with all repeats; what several keep belongs to the first."""
        if self.unsaid:
            return None
        calls: Counter[Call] = Counter({self._training: 1})
        for _, start, _ in where[:-1]:
            inside = Counter[Call]()
            for call, times in calls.items():
                for inner, count in call.steps[start].calls.items():
                    inside[inner] += times * count
            calls = inside
        _, start, stop = where[-1]
        return BYTES * sum(times * step.kept for call, times in calls.items() for step in call.steps[start:stop])

    def field_at(self, where: Where) -> Field:
        """The receptive field of what the last of some nodes gives; in repeats, of the last one."""
        before: tuple[Ways, ...] = self._fields.through(self.graph)[-1]
        for graph, start, _ in where[:-1]:
            node, found = graph.nodes[start], self._fields.through(graph)
            before = tuple(behind(ways, before) for value in node.inputs for ways in parts_of(found, value))
            if node.count > 1 and isinstance(node.body, Graph):
                before = tuple(behind(ways, before) for ways in self._fields.of_graph(node.body, node.count - 1))
        graph, _, stop = where[-1]
        return field_of(behind(ways, before) for ways in self._fields.through(graph)[stop - 1])
