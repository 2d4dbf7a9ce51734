"""What a classifier is made of: what its head is given, its last layer, and the blocks before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from archbuilder.graph.cut import cut
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Tap, Value
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.shapes import Vector

_CLASSIFYING = ("linear", "convolution")


class Head(NamedTuple):
    """The head of a network that tells classes apart: where its nodes begin, the value that it is given; of its last layer
    the path of its module, the nodes that lead to it, how many channels it takes, and how many classes it tells apart."""

    start: int
    given: Value
    path: str
    way: tuple[int, ...]
    hidden: int
    classes: int


def head_of(graph: Graph) -> Head | None:
    """The head of a network; None where it has none that ends in a vector, or that is given more than one value."""
    found = _head_or_why_not(graph)
    return found if isinstance(found, Head) else None


def why_no_head(graph: Graph) -> str:
    """Why a network tells no classes apart."""
    return str(_head_or_why_not(graph))


def _head_or_why_not(graph: Graph) -> Head | str:
    start = next((section.start for section in graph.sections if section.name == "head"), len(graph.nodes))
    inside = graph.nodes[start:]
    given = {value for node in inside for value in node.inputs if value.node < start}
    if len(given) != 1 or not isinstance(graph.output_shape, Vector):
        return "it has no `head` that is given one value and ends in a vector"
    found = _last_layer(graph)
    if found is None or found[0][0][0] < start:
        return "its `head` has no layer"
    way, layer = found
    path, numbers = ".".join(name for _, name in way), tuple(number for number, _ in way)
    if layer.role not in _CLASSIFYING:
        return f"the last layer of its `head` is `{path}`, which is no linear layer and no convolution"
    classes = getattr(layer, "out_channels", None)
    if classes != graph.output_shape.channels:
        return f"its `head` ends in {graph.output_shape.channels}, and its last layer, `{path}`, gives {classes}"
    return Head(start, given.pop(), path, numbers, layer.in_channels, classes)


def _last_layer(graph: Graph) -> tuple[list[tuple[int, str]], Any] | None:
    """The last op on the main path that stores tensors, and the nodes that lead to it, each by its number and name."""
    for value in graph.main_path():
        body = graph.nodes[value.node].body if value.node != INPUT else None
        name = graph.nodes[value.node].all_names()[-1] if value.node != INPUT else ""
        if isinstance(body, Op) and body.state():
            return [(value.node, name)], body
        inner = _last_layer(body) if isinstance(body, Graph) else None
        if inner is not None:
            return [(value.node, name), *inner[0]], inner[1]
    return None


def body_of(graph: Graph, head: Head) -> Graph:
    """The network up to its head."""
    return replace(cut(graph, [Tap("features", head.given, 1)]), returned=(), taps=())


def head_alone(graph: Graph, head: Head) -> Graph:
    """The head by itself, for what it is given."""

    def moved(value: Value) -> Value:
        return Value(INPUT) if value == head.given else Value(value.node - head.start, value.item)

    nodes = tuple(node._replace(inputs=tuple(map(moved, node.inputs))) for node in graph.nodes[head.start :])
    inlined = tuple(part for part in graph.inlined if part.start >= head.start)
    inlined = tuple(Section(name, start - head.start, stop - head.start) for name, start, stop in inlined)
    names = {node.name.split(".")[0] for node in nodes}
    register = tuple(name for name in graph.register if name.split(".")[0] in names)
    return replace(
        graph, input=graph.shape_of(head.given), nodes=nodes, output=moved(graph.output), register=register, inlined=inlined,
        sections=(Section("head", 0, len(nodes)),), taps=(), outputs=(), steps={}, returned=(),
    )  # fmt: skip


def pools_of(graph: Graph, head: Head) -> set[str]:
    """What the head takes of the pixels: their mean, say."""
    return {getattr(op, "kind", "") for _, _, op in head_alone(graph, head).ops() if op.role == "pooling"}


def with_classes(graph: Graph, head: Head, classes: int) -> Graph:
    """The network for so many classes; for none, with its last layer left out.

    Raises:
        ValueError: if what its last layer gives goes together with other values, which would still be for as many as before.
    """
    try:
        return _changed(graph, head.way, classes)
    except OpError as error:
        message = f"the classes of this network are not those of `{head.path}` alone: what it gives goes into a step with others"
        raise ValueError(message) from error


def _changed(graph: Graph, way: tuple[int, ...], classes: int) -> Graph:
    nodes = list(graph.nodes)
    for number in range(way[0], len(nodes)):
        node = nodes[number]
        shapes = tuple(graph.input if value.node == INPUT else nodes[value.node].shape for value in node.inputs)
        if number == way[0]:
            nodes[number] = _with_layer(node, way[1:], classes, shapes[0])
        elif isinstance(node.body, Op):
            op = node.body.for_inputs(shapes)
            nodes[number] = node._replace(body=op, shape=op.infer(shapes))
        elif node.body is None:
            nodes[number] = node._replace(shape=shapes[0])
    return replace(graph, nodes=tuple(nodes))


def _with_layer(node: Node, way: tuple[int, ...], classes: int, given: Any) -> Node:
    body: Any = node.body
    if isinstance(body, Graph):
        inner = _changed(body, way, classes)
        return node._replace(body=inner, shape=inner.output_shape)
    if not classes:
        return node._replace(body=None, shape=given, replaced=True)
    layer: Any = replace(body, out_channels=classes)
    return node._replace(body=layer, shape=layer.infer((given,)))


# ---- blocks ----------------------------------------------------------------------------------------------------------


def stem_names(graph: Graph) -> list[str]:
    """The names of the modules before the stages."""
    stem = (section for section in graph.sections if section.name == "stem")
    return [name for section in stem for node in graph.nodes[section.start : section.stop] for name in node.all_names()]


def stage_names(graph: Graph, *, blocks: bool) -> Iterator[list[str]]:
    """The names of the modules of each stage, in order; with `blocks` those of each block of one."""
    for section in (each for each in graph.sections if each.name == "stages"):
        for piece in graph.pieces(section):
            nodes = [node for node in graph.nodes[piece.start : piece.stop] if node.body is not None]
            if not blocks:
                yield [name for node in nodes for name in node.all_names()]
                continue
            for node in nodes:
                yield from ([name] for name in _block_names(node))


def _block_names(node: Node) -> Iterator[str]:
    for name in node.all_names():
        if isinstance(node.body, Graph) and not node.body.definition:
            yield from (f"{name}.{inner}" for each in node.body.nodes for inner in each.all_names())
        else:
            yield name


def held_names(graph: Graph, prefix: str = "") -> Iterator[str]:
    """The paths of tensors that blocks hold beside their modules: embeddings, tokens and scales."""
    for node in graph.nodes:
        for name in node.all_names():
            if isinstance(node.body, Graph):
                yield from held_names(node.body, f"{prefix}{name}.")
            elif node.body is not None and node.body.holds_tensor:
                yield f"{prefix}{name}"


def first_layer(graph: Graph) -> str | None:
    """The path of the first layer's module that reads the image."""
    for node in graph.nodes:
        if isinstance(node.body, Op) and node.body.role in _CLASSIFYING and node.body.state():
            return node.all_names()[0]
        inner = first_layer(node.body) if isinstance(node.body, Graph) else None
        if inner is not None:
            return f"{node.all_names()[0]}.{inner}"
    return None
