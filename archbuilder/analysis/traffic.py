"""How many bytes a network's layers read and write, to hold their multiply-accumulates against."""

from __future__ import annotations

from archbuilder.analysis.memory import BYTES
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape, Streams, in_parts


class Traffic:
    """Bytes of all that layers read and write for one image, as 32-bit numbers: inputs, outputs and stored tensors, each layer by
    itself. A graph that is called often is counted once; what needs training alone is left out."""

    def __init__(self) -> None:
        self._known: dict[Graph, int] = {}

    def of_graph(self, graph: Graph) -> int:
        """The bytes of all nodes of a graph."""
        if graph not in self._known:
            numbers = (number for number in range(len(graph.nodes)) if number not in graph.training_only)
            self._known[graph] = sum(self.of_one(graph, number) * graph.nodes[number].count for number in numbers)
        return self._known[graph]

    def of_one(self, graph: Graph, number: int) -> int:
        """The bytes of a node, of one repeat where it is repeated."""
        node = graph.nodes[number]
        if isinstance(node.body, Graph):
            return self.of_graph(node.body)
        return BYTES * _numbers(graph, node, node.body) if node.body is not None else 0


def _numbers(graph: Graph, node: Node, op: Op) -> int:
    given = tuple(map(graph.shape_of, node.inputs))
    memory = op.memory(given, node.shape)
    if (memory is not None and memory.is_view) or op.holds_tensor:
        return 0  # nothing is moved
    return sum(map(_elements, (*given, node.shape))) + sum(tensor.elements for tensor in op.state())


def _elements(shape: Shape) -> int:
    return sum(map(_elements, in_parts(shape))) if isinstance(shape, Streams) else shape.elements
