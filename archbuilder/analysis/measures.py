"""What is computed of a network only when it is asked for: its memory and its receptive fields, as a whole and row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import TypeAlias

from archbuilder.analysis.memory import BYTES, Call, Walk
from archbuilder.analysis.receptive import Field, Fields, Ways, behind, field_of, parts_of
from archbuilder.graph.graph import INPUT, Graph
from archbuilder.graph.shapes import in_parts

Where: TypeAlias = tuple[tuple[Graph, int, int], ...]
"""Some nodes of a network, `graph.nodes[start:stop]`, behind the one that calls their graph, and so on from the network in."""


class Measures:
    """The memory, in bytes, and the receptive fields of a network, for one image. What is not known is None."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._fields = Fields()
        self._known_calls: dict[Where, Counter[Call]] = {}
        self._known_ways: dict[Where, tuple[Ways, ...]] = {}

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
        _, start, stop = where[-1]
        calls = self._calls(where[:-1])
        return BYTES * sum(times * step.kept for call, times in calls.items() for step in call.steps[start:stop])

    def field_at(self, where: Where) -> Field:
        """The receptive field of what the last of some nodes gives; in repeats, of the last one."""
        graph, _, stop = where[-1]
        before = self._before(where[:-1])
        return field_of(behind(ways, before) for ways in self._fields.through(graph)[stop - 1])

    def _calls(self, around: Where) -> Mapping[Call, int]:
        """The calls of the graph that the last of these nodes calls, with how often each is made."""
        if not around:
            return {self._training: 1}
        if around not in self._known_calls:
            found = self._known_calls[around] = Counter[Call]()
            for call, times in self._calls(around[:-1]).items():
                for inner, count in call.steps[around[-1][1]].calls.items():
                    found[inner] += times * count
        return self._known_calls[around]

    def _before(self, around: Where) -> tuple[Ways, ...]:
        """The ways to what goes into the graph that the last of these nodes calls; in repeats, into the last one."""
        if not around:
            return self._fields.through(self.graph)[INPUT]
        if around not in self._known_ways:
            graph, number, _ = around[-1]
            node, before, found = graph.nodes[number], self._before(around[:-1]), self._fields.through(graph)
            given = tuple(behind(ways, before) for value in node.inputs for ways in parts_of(found, value))
            if node.count > 1 and isinstance(node.body, Graph):
                given = tuple(behind(ways, given) for ways in self._fields.of_graph(node.body, node.count - 1))
            self._known_ways[around] = given
        return self._known_ways[around]
