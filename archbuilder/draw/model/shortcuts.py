"""Which edges of a graph are shortcuts: ways around what a sum adds them to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from archbuilder.analysis.cost import Costs
from archbuilder.draw.model.figure import EdgeKind
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op


def shortcuts_of(graph: Graph, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    """The edges, as (reader, position among its inputs), that lie on the way around a sum.

    Such a way leads from an operand of the sum back to a value on the main path, and nothing else reads what is on it.
    """
    layers: list[int] = []  # on the main path to each node
    for number, node in enumerate(graph.nodes):
        before = node.inputs[0].node if node.inputs else INPUT
        layers.append((layers[before] if before != INPUT else 0) + costs.layers.of_node(node))
        if isinstance(node.body, Op) and node.body.sums:
            yield from _around(graph, number, _main_operand(graph, node, layers), costs)


def _around(graph: Graph, number: int, main: int, costs: Costs) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    inputs = graph.nodes[number].inputs
    for position, operand in enumerate(inputs):
        if position == main:
            continue
        passed: list[Node] = []
        edges = [(number, position)]
        for value in graph.main_path(operand):
            if value.node == INPUT or value.item is not None or graph.readers[value] > 1:
                break
            passed.append(graph.nodes[value.node])
            edges.append((value.node, 0))
        if _leads_to(graph, value, inputs[main]):
            kind = _kind(passed, costs)
            yield from ((edge, kind) for edge in edges)


def _kind(passed: list[Node], costs: Costs) -> EdgeKind:
    """What a shortcut is that passes some nodes."""
    if not passed:
        return "identity"
    return "projection" if any(costs.of_one(node).parameters for node in passed) else "plain"


def _main_operand(graph: Graph, node: Node, layers: list[int]) -> int:
    """Which operand of a sum comes from the main path: the first of those with the most layers.

    Of equals, one that the others go back to goes around them.
    """
    most = [layers[operand.node] if operand.node != INPUT else 0 for operand in node.inputs]
    equals = [number for number, count in enumerate(most) if count == max(most)]
    for number in equals if len(equals) > 1 else ():
        operand = graph.source_of(node.inputs[number])
        if not all(_leads_to(graph, operand, other) for other in node.inputs):
            return number
    return equals[0]


def _leads_to(graph: Graph, value: Value, end: Value) -> bool:
    """Whether a value is on the main path to another one, or that itself."""
    return value in takewhile(lambda each: each.node >= value.node, graph.main_path(end))
