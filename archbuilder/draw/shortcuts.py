"""Which edges of a graph are shortcuts: ways around what a sum adds them to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from archbuilder.analysis.cost import Costs
from archbuilder.draw.picture import EdgeKind
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op

Readers: TypeAlias = Counter[tuple[int, int | None]]
"""How often each value is read, by (node, part)."""


def shortcuts_of(graph: Graph, readers: Readers, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    """The edges, as (reader, position among its inputs), that lie on the way around a sum.

    Such a way leads from an operand of the sum back to a value on the main path, and nothing else reads what is on it.
    """
    for number, node in enumerate(graph.nodes):
        if isinstance(node.body, Op) and node.body.sums:
            yield from _around(graph, number, readers, costs)


def _around(graph: Graph, number: int, readers: Readers, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    node = graph.nodes[number]
    main = _main_operand(graph, node, costs)
    path = set(_back(graph, node.inputs[main]))
    for position, operand in enumerate(node.inputs):
        if position == main:
            continue
        value, edges = graph.source_of(operand), [(number, position)]
        while value.node != INPUT and readers[value.node, value.item] == 1 and value.item is None:
            if not graph.nodes[value.node].inputs:
                break
            edges.append((value.node, 0))
            value = graph.source_of(graph.nodes[value.node].inputs[0])
        if value in path:
            kind = _kind([graph.nodes[reader] for reader, _ in edges[1:]], costs)
            yield from ((edge, kind) for edge in edges)


def _kind(passed: list[Node], costs: Costs) -> EdgeKind:
    """What a shortcut is that passes some nodes."""
    if not passed:
        return "identity"
    return "projection" if any(costs.of_one(node).parameters for node in passed) else "plain"


def _main_operand(graph: Graph, node: Node, costs: Costs) -> int:
    """Which operand of a sum comes from the main path: the first of those with the most layers since the ways parted.

    One that is itself where the ways parted goes around all others.
    """
    ways = [_back(graph, operand) for operand in node.inputs]
    common = set(ways[0]).intersection(*ways[1:])
    since = [[value for value in way if value not in common] for way in ways]
    weights = [(sum(_layers(graph.nodes[value.node], costs) for value in way), len(way) > 0) for way in since]
    return weights.index(max(weights))


def _layers(node: Node, costs: Costs) -> int:
    if isinstance(node.body, Graph):
        return node.count * costs.layers(node.body)
    return node.count if node.body is not None and node.body.counts_as_layer else 0


def _back(graph: Graph, last: Value) -> list[Value]:
    """A value and those from which it comes, back along first inputs."""
    value = graph.source_of(last)
    found = [value]
    while value.node != INPUT and graph.nodes[value.node].inputs:
        value = graph.source_of(graph.nodes[value.node].inputs[0])
        found.append(value)
    return found
