"""Which edges of a graph are shortcuts: ways around what a sum adds them to."""

from __future__ import annotations

from collections.abc import Iterator

from archbuilder.analysis.cost import Costs
from archbuilder.draw.model.figure import EdgeKind
from archbuilder.graph.graph import INPUT, Graph, Node
from archbuilder.graph.op import Op


def shortcuts_of(graph: Graph, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    """The edges, as (reader, position among its inputs), that lie on the way around a sum.

    Such a way leads from an operand of the sum back to a value on the main path, and nothing else reads what is on it.
    """
    for number, node in enumerate(graph.nodes):
        if isinstance(node.body, Op) and node.body.sums:
            yield from _around(graph, number, costs)


def _around(graph: Graph, number: int, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    node = graph.nodes[number]
    main = _main_operand(graph, node, costs)
    path = set(graph.main_path(node.inputs[main]))
    for position, operand in enumerate(node.inputs):
        if position == main:
            continue
        passed: list[Node] = []
        edges = [(number, position)]
        for value in graph.main_path(operand):
            if value.node == INPUT or value.item is not None or graph.readers[value] > 1:
                break
            passed.append(graph.nodes[value.node])
            edges.append((value.node, 0))
        if value in path:
            kind = _kind(passed, costs)
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
    ways = [list(graph.main_path(operand)) for operand in node.inputs]
    common = set(ways[0]).intersection(*ways[1:])
    since = [[value for value in way if value not in common] for way in ways]
    weights = [(sum(costs.layers.of_node(graph.nodes[value.node]) for value in way), len(way) > 0) for way in since]
    return weights.index(max(weights))
