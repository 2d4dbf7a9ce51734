"""Cuts a network down: to what some feature maps need, or to its only block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archbuilder.graph.graph import INPUT, Graph, Node, Section, Tap, Value


def cut(graph: Graph, taps: Sequence[Tap]) -> Graph:
    """The network that gives these taps and computes nothing else."""
    kept = sorted(graph.needed_for(tap.value for tap in taps))
    number_of = {old: new for new, old in enumerate(kept)}

    def moved(value: Value) -> Value:
        return value if value.node == INPUT else Value(number_of[value.node], value.item)

    nodes: tuple[Node, ...] = tuple(
        graph.nodes[old]._replace(inputs=tuple(moved(value) for value in graph.nodes[old].inputs)) for old in kept
    )
    returned = tuple(tap._replace(value=moved(tap.value)) for tap in taps)
    sections, inlined = (
        tuple(
            Section(name, sum(old < start for old in kept), sum(old < stop for old in kept))
            for name, start, stop in found
        )
        for found in (graph.sections, graph.inlined)
    )
    children = {node.name.split(".")[0] for node in nodes}
    register = tuple(name for name in graph.register if name.split(".")[0] in children)
    return replace(
        graph, nodes=nodes, output=returned[-1].value, register=register, sections=sections, inlined=inlined, taps=returned,
        outputs=(), steps={}, returned=returned, whole=graph.whole or graph,
    )  # fmt: skip


def alone(graph: Graph) -> Graph:
    """The block of a network that is nothing but one use of a block, as a network of its own."""
    body = graph.nodes[-1].body
    if not isinstance(body, Graph):
        return replace(graph, taps=())
    return replace(body, name=graph.name, sections=(Section("stages", 0, len(body.nodes)),), taps=())
