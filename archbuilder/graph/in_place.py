"""Which activations overwrite what goes into them."""

from __future__ import annotations

from archbuilder.graph.graph import INPUT, Graph, Node
from archbuilder.graph.op import Op


def works_in_place(graph: Graph, node: Node) -> bool:
    """Whether an activation may overwrite its input: nothing else reads that, it is no tap, and it is a tensor of its own."""
    if not (isinstance(node.body, Op) and node.body.in_place):
        return False
    source = graph.source_of(node.inputs[0])
    if source.node == INPUT or source.item is not None or graph.readers[source] != 1:
        return False
    if any(graph.source_of(tap.value) == source for tap in graph.taps):
        return False
    maker = graph.nodes[source.node]
    return isinstance(maker.body, Op) and maker.body.is_fresh(len(maker.inputs))
