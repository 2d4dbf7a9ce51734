"""Blocks over several streams, in a figure as one box for each stream, in the row of its resolution; what a stream is made of
leads there from each stream that it depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from archbuilder.draw.model.figure import Band, Box, Edge, Figure
from archbuilder.draw.model.wiring import channels_of
from archbuilder.graph.graph import INPUT, Graph, Value
from archbuilder.graph.shapes import Shape, in_parts

Parts = frozenset[int]
"""Parts of a graph's input."""


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


def split_streams(figure: Figure, bodies: Mapping[str, Graph]) -> Figure:
    """The figure with each box of several streams as one box for each of them."""
    if not bodies:
        return figure
    made: dict[Graph, list[Parts]] = {}
    made_of = {key: dependencies(body, made) for key, body in bodies.items()}
    boxes: list[Box] = []
    for box in figure.boxes:
        boxes += _boxes(box) if box.id in made_of else [box]
    edges: list[Edge] = []
    taken = Counter(edge.target for edge in figure.edges)
    for edge in figure.edges:
        edges += _edges(edge, made_of, taken[edge.target] > 1)
    return Figure(tuple(boxes), tuple(dict.fromkeys(edges)))


def _boxes(box: Box) -> list[Box]:
    shapes: tuple[Shape, ...] = in_parts(box.gives) if box.gives is not None else ()
    return [
        replace(
            box, id=f"{box.id}.{number}", gives=shape, layers=box.layers if number == 0 else 0,
            bands=(*(box.bands if number == 0 else ()), Band(f"{channels_of(shape)} channels", box.role)),
            name=box.name if number == 0 else "", inside=box.inside if number == 0 else None,
        )
        for number, shape in enumerate(shapes)
    ]  # fmt: skip


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
