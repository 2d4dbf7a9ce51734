"""Gathers a network's steps into the containers that their names ask for: `features.0`, `features.1` ... become one
`nn.Sequential` where each feeds the next."""

from __future__ import annotations

from dataclasses import replace

from archbuilder.graph.graph import INPUT, Graph, Node, Output, Value
from archbuilder.pytorch.instances import is_module


def gather_chains(graph: Graph) -> Graph:
    """The graph with chains of steps under one prefix as one step, and repeats outside of such as steps of their own."""
    groups = _groups(graph)
    nodes: list[Node] = []
    moved: dict[int, int] = {INPUT: INPUT}

    def at(value: Value) -> Value:
        return Value(moved[value.node], value.item)

    number = 0
    while number < len(graph.nodes):
        members = groups.get(number)
        if members is not None:
            first, last = graph.nodes[members[0]], graph.nodes[members[-1]]
            inputs = tuple(at(value) for value in first.inputs)
            body = _chain(graph, members)
            nodes.append(Node(first.name.partition(".")[0], body, inputs, last.shape, first.place))
            number = members[-1] + 1
        else:
            nodes += _single(graph.nodes[number], tuple(at(value) for value in graph.nodes[number].inputs), len(nodes))
            number += 1
        moved[number - 1] = len(nodes) - 1
    outputs = tuple(Output(output.name, at(output.value), output.always) for output in graph.outputs)
    returned = tuple(tap._replace(value=at(tap.value)) for tap in graph.returned)
    taps = tuple(tap._replace(value=at(tap.value)) for tap in graph.taps if tap.value.node in moved)
    return replace(
        graph, nodes=tuple(nodes), output=at(graph.output), outputs=outputs, returned=returned, taps=taps, sections=()
    )


def _single(node: Node, inputs: tuple[Value, ...], position: int) -> list[Node]:
    """A node, repeats one by one."""
    if node.count == 1:
        return [node._replace(inputs=inputs)]
    nodes = []
    for repeat, name in enumerate(node.all_names()):
        taken = (Value(position + repeat - 1),) if repeat else inputs
        nodes.append(node._replace(name=name, names=(), count=1, inputs=taken))
    return nodes


def _groups(graph: Graph) -> dict[int, list[int]]:
    """The chains: from the number of their first node."""
    by_prefix: dict[str, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        prefix, dot, _ = node.name.partition(".")
        if dot and (node.body is not None or node.replaced):
            by_prefix.setdefault(prefix, []).append(number)
    return {members[0]: members for members in by_prefix.values() if _is_chain(graph, members)}


def _is_chain(graph: Graph, members: list[int]) -> bool:
    if len(members) < 2 or len(graph.nodes[members[0]].inputs) != 1:
        return False
    inside = set(members)
    if any(number not in inside and graph.nodes[number].body is not None for number in range(members[0], members[-1])):
        return False
    for before, number in zip([None, *members], members, strict=False):
        node = graph.nodes[number]
        if not is_module(node) or node.name.count(".") != 1 or len(node.inputs) != 1:
            return False
        if before is not None and (
            graph.source_of(node.inputs[0]) != Value(before) or graph.readers.get(Value(before), 0) != 1
        ):
            return False
    return True


def _chain(graph: Graph, members: list[int]) -> Graph:
    nodes = []
    for position, number in enumerate(members):
        node = graph.nodes[number]
        own = tuple(name.partition(".")[2] for name in node.all_names())
        inputs = (Value(position - 1 if position else INPUT),)
        nodes.append(node._replace(name=own[0], names=own if node.count > 1 else (), inputs=inputs))
    before = graph.shape_of(graph.nodes[members[0]].inputs[0])
    return Graph("", before, tuple(nodes), Value(len(nodes) - 1), listed=True)
