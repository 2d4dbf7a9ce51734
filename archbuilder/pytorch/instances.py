"""Walks a network's graphs as instances: a graph, with what differs between its uses without touching a shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Construct, Op


@dataclass(frozen=True)
class Instance:
    """A graph together with the rates of the paths that it drops: its own, then those of the blocks in it, in order of
    execution."""

    graph: Graph
    rates: tuple[float, ...]


def root_instance(graph: Graph) -> Instance:
    """The network as an instance: every block that drops its path gets its rate."""
    rates: list[float] = []
    _assign(graph, 0, graph.drop_units, rates)
    return Instance(graph, tuple(rates))


def _assign(graph: Graph, position: int, units: int, rates: list[float]) -> int:
    """Appends the rates of a graph, whose blocks stand from `position` on in the whole network; where the next one stands."""
    own = graph.own_drop_paths
    rates += [op.rate_at(position, units) for op in own.values()]
    position += graph.is_drop_unit
    for node in graph.nodes:
        if isinstance(node.body, Graph) and node.body.drop_units:
            for _ in range(node.count):
                position = _assign(node.body, position, units, rates)
    return position


def calls(instance: Instance) -> Iterator[tuple[Node, list[Instance]]]:
    """The nodes that call a graph, each with the instance of each repeat (one for all where they are the same)."""
    position = len(instance.graph.own_drop_paths)
    for node in instance.graph.nodes:
        if not isinstance(node.body, Graph):
            continue
        paths = node.body.drop_paths if instance.rates else 0
        if paths == 0:
            yield node, [Instance(node.body, ())]
            continue
        repeats = []
        for _ in range(node.count):
            repeats.append(Instance(node.body, instance.rates[position : position + paths]))
            position += paths
        yield node, repeats


def rate_of(instance: Instance, node: Node) -> float:
    """The rate with which a step of the instance drops its path."""
    return instance.rates[list(instance.graph.own_drop_paths).index(node.name)]


def is_chain(graph: Graph) -> bool:
    """Whether a graph is modules one behind the other, so that an `nn.Sequential` computes it."""
    if not (graph.listed or _is_numbered(graph)):
        return False
    before = Value(INPUT)
    for number, node in enumerate(graph.nodes):
        if node.body is None:
            if graph.source_of(Value(number)) != before:
                return False
            continue
        if len(node.inputs) != 1 or graph.source_of(node.inputs[0]) != before or not is_module(node):
            return False
        before = Value(number)
    return graph.source_of(graph.output) == before and any(n.body is not None or n.replaced for n in graph.nodes)


def _is_numbered(graph: Graph) -> bool:
    """Whether the children's names are those that an `nn.Sequential` would give."""
    names = [name for node in graph.nodes if node.body is not None or node.replaced for name in node.all_names()]
    return names == [str(number) for number in range(len(names))]


def is_module(node: Node) -> bool:
    """Whether a node is computed by a module of its own."""
    if isinstance(node.body, Op):
        return isinstance(node.body.emit(), Construct) and not node.body.holds_tensor
    return isinstance(node.body, Graph)
