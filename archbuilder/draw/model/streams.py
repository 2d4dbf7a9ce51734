"""Blocks over several streams, in a figure as one box for each stream, in the row of its resolution; what a stream is made of
leads there from each stream that it depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from archbuilder.analysis.summary import describe
from archbuilder.draw.model.figure import Band, Box, Edge, Figure
from archbuilder.draw.model.wiring import channels_of
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.shapes import Shape, Streams, in_parts

Parts = frozenset[int]
"""Parts of a graph's input."""

_FEW: Final = 3
"""Of more steps than these a stream is not made in a box of its own."""


def dependencies(graph: Graph, made: dict[Graph, list[Parts]]) -> list[Parts]:
    """For each of the values that a graph gives, the parts of its input that it is made of. What was found for graphs that it
    calls is kept in `made`, since one may be called often."""
    if graph not in made:
        made[graph] = _dependencies(graph, made)
    return made[graph]


def _dependencies(graph: Graph, made: dict[Graph, list[Parts]]) -> list[Parts]:
    known: dict[int, list[Parts]] = {INPUT: [frozenset((part,)) for part in range(len(in_parts(graph.input)))]}

    def of(value: Value) -> list[Parts]:
        every = known[value.node]
        return every if value.item is None or len(every) == 1 else [every[value.item]]

    for number, node in enumerate(graph.nodes):
        inputs = [part for value in node.inputs for part in of(value)]
        count = len(in_parts(node.shape))
        if isinstance(node.body, Graph):
            inside = dependencies(node.body, made)
            found = _through(inside, inputs)
            for _ in range(min(node.count, count) - 1):  # further repeats may reach further
                found = _through(inside, found)
            known[number] = found
        elif node.body is None:
            known[number] = of(node.inputs[0])
        elif count == len(inputs) and count > 1:  # it takes values together
            known[number] = inputs
        else:
            known[number] = [frozenset().union(*inputs)] * count
    return of(graph.output)


def _through(inside: list[Parts], given: list[Parts]) -> list[Parts]:
    return [frozenset().union(*(given[min(part, len(given) - 1)] for part in parts)) for parts in inside]


class Part(NamedTuple):
    """A stream that a block hands on or makes of another one: of which, and by which steps, one behind the other."""

    of: int
    steps: tuple[Node, ...]


def parts_of(graph: Graph) -> list[Part] | None:
    """How each stream that a block gives is made of one of those that it takes, if each is so, in a few steps of its own; else
    None."""
    gathered = graph.nodes[graph.output.node] if graph.output.node != INPUT and graph.output.item is None else None
    if gathered is None or not isinstance(gathered.shape, Streams) or isinstance(gathered.body, Graph):
        return None
    found = [_part(graph, value) for value in gathered.inputs]
    steps = [step for part in found if part is not None for step in part.steps]
    if None in found or len(set(steps)) < len(steps) or len(found) != len(gathered.shape):
        return None
    is_whole = len(steps) + 1 == sum(node.body is not None for node in graph.nodes)
    return [part for part in found if part is not None] if is_whole else None


def is_parted(node: Node) -> bool:
    """Whether a step's streams are drawn as what each is made of."""
    return isinstance(node.body, Graph) and node.count == 1 and parts_of(node.body) is not None


def _part(graph: Graph, value: Value) -> Part | None:
    steps: list[Node] = []
    value = graph.source_of(value)
    while value.node != INPUT:
        node = graph.nodes[value.node]
        if len(node.inputs) != 1 or value.item is not None or len(steps) == _FEW:
            return None
        steps.insert(0, node)
        value = graph.source_of(node.inputs[0])
    return Part(value.item or 0, tuple(steps)) if value.item is not None or len(in_parts(graph.input)) == 1 else None


def split_streams(figure: Figure, nodes: Mapping[str, Node]) -> Figure:
    """The figure with each box of several streams as one box for each of them; streams that are handed on as they are have
    none."""
    bodies = {key: node.body for key, node in nodes.items() if isinstance(node.body, Graph)}
    if not bodies:
        return figure
    made: dict[Graph, list[Parts]] = {}
    made_of = {key: dependencies(body, made) for key, body in bodies.items()}
    parts = {key: parts_of(body) if is_parted(nodes[key]) else None for key, body in bodies.items()}
    boxes: list[Box] = []
    for box in figure.boxes:
        boxes += _boxes(box, parts[box.id]) if box.id in made_of else [box]
    edges: list[Edge] = []
    taken = Counter(edge.target for edge in figure.edges)
    for edge in figure.edges:
        edges += _edges(edge, made_of, taken[edge.target] > 1)
    there = {box.id for box in boxes}
    before = {edge.target: edge for edge in edges if edge.target not in there}
    return Figure(tuple(boxes), tuple(dict.fromkeys(_from(edge, before) for edge in edges if edge.target in there)))


def _from(edge: Edge, before: Mapping[str, Edge]) -> Edge:
    """An edge from the last box that changed its value."""
    while edge.source in before:
        edge = edge._replace(source=before[edge.source].source, item=before[edge.source].item)
    return edge


def _boxes(box: Box, parts: list[Part] | None) -> list[Box]:
    shapes: tuple[Shape, ...] = in_parts(box.gives) if box.gives is not None else ()
    found: list[Box] = []
    for number, shape in enumerate(shapes):
        told = box.bands if not found else ()
        if parts is not None:
            if not parts[number].steps:
                continue
            told = tuple(Band(describe(step).removesuffix(" ×1"), box.role) for step in parts[number].steps)
        channels = Band(f"{channels_of(shape)} channels", box.role)
        found.append(replace(
            box, id=f"{box.id}.{number}", gives=shape, layers=box.layers if number == 0 else 0, bands=(*told, channels),
            name=box.name if not found else "", inside=box.inside if not found and parts is None else None,
        ))  # fmt: skip
    return found


def _edges(edge: Edge, made_of: Mapping[str, list[Parts]], several: bool) -> list[Edge]:
    """The edges between parts that an edge between boxes stands for; `several` says whether its target takes several values."""
    sources = made_of.get(edge.source)
    if edge.target not in made_of:
        if sources is None:
            return [edge]
        items = range(len(sources)) if edge.item is None else (edge.item,)
        return [edge._replace(source=f"{edge.source}.{item}", item=None) for item in items]
    found: list[Edge] = []
    for number, parts in enumerate(made_of[edge.target]):
        for part in sorted(parts):
            if several and part != edge.position:  # each of its inputs is another one of them
                continue
            source, item = edge.source, edge.item
            if sources is not None:
                source, item = f"{edge.source}.{part if edge.item is None else edge.item}", None
            kind = "exchange" if number != part else edge.kind
            label = edge.label if sources is None and kind != "exchange" else ""
            found.append(Edge(source, f"{edge.target}.{number}", item, edge.position, label, kind))
    return found
