"""Walks a network's graphs as instances: a graph, with what differs between its uses without touching a shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archbuilder.graph.answers import Construct
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op


@dataclass(frozen=True)
class Instance:
    """A graph together with the rates of the paths that it drops: its own, then those of the blocks in it, in order of
    execution."""

    graph: Graph
    rates: tuple[float, ...]


def root_instance(graph: Graph, rates: Mapping[str, float]) -> Instance:
    """The network as an instance; `rates` are those of `drop_rates`."""
    return Instance(graph, tuple(rates[path] for path in _drop_paths(graph, "")))


def drop_rates(network: Graph) -> dict[str, float]:
    """How often each module drops its path, by the module's own path: rates grow over the blocks that drop theirs, or would if
    they had a shortcut."""
    found: list[tuple[str, Op, int]] = []
    blocks = -1

    def visit(graph: Graph, prefix: str) -> None:
        nonlocal blocks
        block, begins = 0, _blocks(graph)
        for number, node in enumerate(graph.nodes):
            if number in begins:
                block = blocks = blocks + 1
            for name in node.all_names():
                if isinstance(node.body, Graph):
                    visit(node.body, f"{prefix}{name}.")
                elif isinstance(node.body, Op) and node.body.drops_path:
                    found.append((prefix + name, node.body, block))

    if network.drop_paths:
        visit(network, "")
    return {path: op.rate_at(block, blocks + 1) for path, op, block in found}


def _blocks(graph: Graph) -> set[int]:
    """The nodes with which blocks begin over which drop rates grow. A block or body is one, at the first path that it drops
    itself; of a network each part that stands inline is one, and each step outside of such."""
    found = [
        number
        for number, node in enumerate(graph.nodes)
        if node.missing is not None or (isinstance(node.body, Op) and node.body.drops_path)
    ]
    if graph.definition or not graph.name:
        return {*found[:1]}
    part_of = {number: part.start for part in graph.inlined for number in range(part.start, part.stop)}
    return {*{part_of.get(number, number): number for number in reversed(found)}.values()}


def _drop_paths(graph: Graph, prefix: str) -> Iterator[str]:
    """The paths of the modules that drop theirs, in the order of an instance's rates."""
    own = (node for node in graph.nodes if isinstance(node.body, Op) and node.body.drops_path)
    yield from (prefix + node.all_names()[0] for node in own)
    for node in graph.nodes:
        if isinstance(node.body, Graph) and node.body.drop_paths:
            for name in node.all_names():
                yield from _drop_paths(node.body, f"{prefix}{name}.")


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
