"""What a graph costs: parameters, buffers, multiply-accumulates and activations, each block computed once."""

from __future__ import annotations

from typing import Final, NamedTuple

from archbuilder.analysis.layers import Layers
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape


class Cost(NamedTuple):
    """Counts for one image. `parameters` and `buffers` are elements; `macs` those of convolutions, linear layers and
    matrix products; `activations` the elements that these put out. Both are None where an op does not say its MACs."""

    parameters: int = 0
    buffers: int = 0
    macs: int | None = 0
    activations: int | None = 0

    def times(self, count: int, *, training_only: bool = False) -> Cost:
        """The cost of `count` of these; those that only training needs compute nothing in eval mode."""
        works = 0 if training_only else count
        macs, activations = (0 if works == 0 else each and each * works for each in (self.macs, self.activations))
        return Cost(self.parameters * count, self.buffers * count, macs, activations)


_NOTHING: Final = Cost()


class Costs:
    """The costs of a network's graphs and nodes. What is called often, a graph or an op, is counted once."""

    def __init__(self) -> None:
        self.layers = Layers()
        self._known: dict[int, Cost] = {}

    def of_graph(self, graph: Graph) -> Cost:
        """The cost of all nodes of a graph."""
        return self.of_nodes(graph.nodes, graph.training_only)

    def of_nodes(self, nodes: tuple[Node, ...], training_only: frozenset[int] = frozenset()) -> Cost:
        """The cost of some nodes, repeats included. Those with the numbers in `training_only` compute nothing in eval mode."""
        parameters = buffers = macs = activations = 0
        known = True
        for number, node in enumerate(nodes):
            one = self.of_one(node)
            if one is _NOTHING:
                continue
            count = node.count
            of_parameters, of_buffers, of_macs, of_activations = one
            parameters += of_parameters * count
            buffers += of_buffers * count
            if number in training_only:
                continue
            if of_macs is None or of_activations is None:
                known = False
                continue
            macs += of_macs * count
            activations += of_activations * count
        return Cost(parameters, buffers, macs, activations) if known else Cost(parameters, buffers, None, None)

    def of_one(self, node: Node) -> Cost:
        """The cost of a node, of one repeat where it is repeated."""
        body = node.body
        if body is None:
            return _NOTHING
        known = self._known.get(id(body))
        if known is None:  # an op has one output, since it was resolved for one input
            known = self.of_graph(body) if isinstance(body, Graph) else _of_op(body, node.shape)
            self._known[id(body)] = known
        return known


def _of_op(op: Op, output: Shape) -> Cost:
    parameters = buffers = 0
    for tensor in op.state():
        if tensor.trained:
            parameters += tensor.elements
        else:
            buffers += tensor.elements
    macs = op.macs(output)
    if macs is None:
        return Cost(parameters, buffers, None, None)
    if not (macs or parameters or buffers):
        return _NOTHING
    return Cost(parameters, buffers, macs, output.elements if macs else 0)
