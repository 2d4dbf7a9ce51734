"""How deep a network is: convolutions and linear layers on its longest way, as papers count them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Streams, in_parts

Ways: TypeAlias = Mapping[int, int]
"""The longest ways that lead to a value: by the part of the graph's input where they begin, how many layers are on them."""

_INSIDE: Final = -1
"""Where a way begins that comes from no input, but from a tensor that the graph holds."""


class Layers:
    """Counts layers. A graph that is called often is counted once.

    What joins values, a sum or a concatenation, has the longest of their ways. Of anything else with several inputs, a
    product for example, the first counts: gates and what weighs a value are left out.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Ways, ...]] = {}
        self._graphs: list[Graph] = []  # kept alive, so that no other graph gets their ids

    def of(self, graph: Graph) -> int:
        """The layers of a graph; of one that gives several values, those of the deepest."""
        return max((count for ways in self.through(graph) for count in ways.values()), default=0)

    def of_node(self, node: Node) -> int:
        """How many layers a node counts for, with its repeats."""
        if isinstance(node.body, Graph):
            through = self.through(node.body)
            return max((count for ways in _repeated(through, node.count) for count in ways.values()), default=0)
        return node.count if node.body is not None and node.body.counts_as_layer else 0

    def through(self, graph: Graph) -> tuple[Ways, ...]:
        """The ways through a graph, for each of the values that it gives."""
        known = self._known.get(id(graph))
        if known is None:
            known = self._known[id(graph)] = self._count(graph)
            self._graphs.append(graph)
        return known

    def _count(self, graph: Graph) -> tuple[Ways, ...]:
        starts = range(len(in_parts(graph.input)))
        if graph.layers is not None:
            return (dict.fromkeys(starts, graph.layers),) * len(in_parts(graph.output_shape))
        found: dict[int, tuple[Ways, ...]] = {INPUT: tuple([{start: 0} for start in starts])}

        def parts_of(value: Value) -> tuple[Ways, ...]:
            every, item = found[value.node], value.item
            return every if item is None or len(every) == 1 else (every[item],)

        for number, node in enumerate(graph.nodes):
            body, inputs = node.body, node.inputs
            if body is None or len(inputs) == 1:
                before = parts_of(inputs[0])
            else:
                before = tuple([ways for value in inputs for ways in parts_of(value)])
            found[number] = before if body is None else self._behind(node, body, before)
        return parts_of(graph.output)

    def _behind(self, node: Node, body: Op | Graph, before: tuple[Ways, ...]) -> tuple[Ways, ...]:
        """The ways to each value that a node gives, from those to what goes in."""
        if isinstance(body, Graph):
            return tuple([_joined(ways, before) for ways in _repeated(self.through(body), node.count)])
        given = len(node.shape) if isinstance(node.shape, Streams) else 1
        if body.joins:
            into = (_longest(before),) * given
        elif len(before) == given:  # each by itself
            into = before
        else:
            into = (before[:1] or ({_INSIDE: 0},)) * given
        return tuple([_longer(ways, node.count) for ways in into]) if body.counts_as_layer else into


def _longest(every: Iterable[Ways]) -> Ways:
    found: dict[int, int] = {}
    for ways in every:
        for start, count in ways.items():
            found[start] = max(count, found.get(start, 0))
    return found


def _longer(ways: Ways, more: int) -> Ways:
    return {start: count + more for start, count in ways.items()}


def _joined(ways: Ways, before: tuple[Ways, ...]) -> Ways:
    """Ways behind those that lead to where they begin."""
    found: dict[int, int] = {}
    for start, count in ways.items():
        for first, more in (before[start] if start != _INSIDE else {_INSIDE: 0}).items():
            found[first] = max(count + more, found.get(first, 0))
    return found


def _repeated(through: tuple[Ways, ...], count: int) -> tuple[Ways, ...]:
    """The ways through what is there `count` times, one behind the other: in as many steps as `count` has binary digits."""
    if count == 1:
        return through
    half = _repeated(through, count // 2)
    twice = tuple([_joined(ways, half) for ways in half])
    return tuple([_joined(ways, twice) for ways in through]) if count % 2 else twice
