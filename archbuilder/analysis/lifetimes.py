"""How long the values of a block live while it is computed.

Python lets go of a value when no name is left for it. In emitted source up to three calls stand in a line; what the line gives
has a name until that name is given to another value, or until the block is done. The steps of a list are done one by one, and
each value is let go of as soon as the next one is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from archbuilder.graph.graph import Graph, Value
from archbuilder.graph.op import Op

_IN_A_LINE: Final = 3
"""How many calls stand in a line at most."""


def lifetimes(graph: Graph, wanted: Iterable[Value]) -> list[int]:
    """By node the last one that is computed while its value is still there. What a graph gives is there to the end."""
    lines = _Lines(graph, wanted)
    for place, number in enumerate(lines.steps):
        lines.take(number, lines.steps[place + 1] if place + 1 < len(lines.steps) else lines.end)
    return lines.until


class _Lines:
    """The lines of a graph's forward pass, as far as they say how long something has a name."""

    def __init__(self, graph: Graph, wanted: Iterable[Value]) -> None:
        self.graph, self.end = graph, len(graph.nodes)
        held = (number for number, node in enumerate(graph.nodes) if node.body is None or _is_held(node.body))
        apart = frozenset(held)
        self.steps = [number for number in range(self.end) if number not in apart]
        self.until = [-1 if number in apart else self.end for number in range(self.end)]
        self.readers: dict[int, list[int]] = {number: [] for number in range(-1, self.end)}
        self.inputs = {
            number: [value for value in graph.nodes[number].inputs if graph.source_of(value).node not in apart]
            for number in self.steps
        }
        for number in self.steps:
            for value in self.inputs[number]:
                self.readers[graph.source_of(value).node] += [number] * (1 if value.item is None else 2)
        for value in wanted:
            self.readers[graph.source_of(value).node].append(self.end)
        self.chained = self._chained()
        self.calls = 0
        self.named: int | None = None
        """The value that has the name which others may take over."""

    def take(self, number: int, follower: int) -> None:
        """Takes the next step, and the one behind it."""
        once = self.readers[number] == [follower]
        if once and self._is_in_list(number, follower):
            self.until[number] = follower
            return
        self.calls += 1
        if once and follower != self.end and self._stays_open(number, follower):
            self.until[number] = follower
            return
        self.calls = 0
        if self._may_be_taken_over(number, follower):
            if self.named is not None:
                self.until[self.named] = number
            self.named = number

    def _chained(self) -> frozenset[str]:
        """The prefixes, as in `features.0`, under which each step but the last is read by the next one alone: they are lists."""
        members: dict[str, list[int]] = {}
        for number in self.steps:
            prefix, dot, _ = self.graph.nodes[number].name.partition(".")
            if dot:
                members.setdefault(prefix, []).append(number)
        return frozenset(
            prefix
            for prefix, numbers in members.items()
            if all(self.readers[before] == [after] for before, after in pairwise(numbers))
        )

    def _is_in_list(self, number: int, follower: int) -> bool:
        if self.graph.listed or follower == self.end:
            return self.graph.listed
        before, after = (self.graph.nodes[each].name.partition(".")[0] for each in (number, follower))
        return before == after and before in self.chained

    def _stays_open(self, number: int, follower: int) -> bool:
        """Whether a value is the argument of the next call in the same line."""
        calls_a_graph = any(isinstance(self.graph.nodes[each].body, Graph) for each in (number, follower))
        return self.calls < _IN_A_LINE and not calls_a_graph and len(self.inputs[follower]) == 1

    def _may_be_taken_over(self, number: int, follower: int) -> bool:
        """Whether a value's name is that of the main values, which the next one of them takes over."""
        readers = self.readers[number]
        if len(readers) > 1 or "." in self.graph.nodes[number].name:
            return False
        if self.named is not None and max(self.readers[self.named], default=number) > number:
            return False
        together = len(self.inputs[readers[0]]) if readers and readers[0] != self.end else 1
        is_call = isinstance(self.graph.nodes[number].body, Graph)
        return together <= 2 and not (is_call and (together > 1 or readers[:1] not in ([], [follower])))


def _is_held(body: Op | Graph) -> bool:
    return isinstance(body, Op) and body.holds_tensor
