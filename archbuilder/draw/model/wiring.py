"""Graph -> figure: how a block, or a part of a network, is wired."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.summary import name_of
from archbuilder.draw.model.figure import Band, Box, Edge, EdgeKind, Figure, Role
from archbuilder.draw.model.rules import by_rule
from archbuilder.draw.model.shortcuts import shortcuts_of
from archbuilder.draw.model.words import span
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.op import Role as OpRole
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, in_parts

_PAINTED: Final[dict[OpRole, Role]] = {
    "convolution": "convolution",
    "linear": "linear",
    "norm": "norm",
    "activation": "activation",
    "pooling": "pool",
    "resampling": "pool",
    "attention": "attention",
}
"""The ops that have a colour of their own."""


Known: TypeAlias = dict[tuple[Graph, int, bool], Figure]
"""The figures of graphs that were made already, by how many levels are opened in them, and whether they are those of any use."""


def figure_of(
    graph: Graph,
    costs: Costs,
    *,
    depth: int = 0,
    any_use: bool = False,
    known: Known | None = None,
    in_full: bool = False,
) -> Figure:
    """How a block is wired: what is in it as boxes, between where values enter and where they leave.

    Args:
        graph: the block.
        costs: what graphs cost, for which those that were counted already are known.
        depth: how many levels of blocks inside are opened.
        any_use: whether only what holds for any use of the block is told: strides that depend on the use are called "s".
        known: what was made already; the same is added.
        in_full: whether each step is a box, or a line of one, by itself, whatever loops and bodies made it.
    """
    known = {} if known is None else known
    key = (graph, depth, any_use)
    if key not in known:
        whole = unfolded(Wiring(graph, costs, depth, any_use, known, in_full))
        known[key] = whole if in_full else by_rule(whole, any_use=any_use)
    return known[key]


def unfolded(wiring: Wiring) -> Figure:
    """How a block is wired, with each turn of its loops."""
    graph = wiring.graph
    wiring.enter(tuple(Value(INPUT, item) for item in _items(graph)))
    for number in range(len(graph.nodes)):
        wiring.add(number)
    wiring.leave("", graph.output)
    return wiring.figure()


def _items(graph: Graph) -> Iterable[int | None]:
    """The parts of a graph's input, where its steps take them one by one; else the input as a whole."""
    taken = {value.item for node in graph.nodes for value in node.inputs if value.node == INPUT}
    taken |= {graph.output.item} if graph.output.node == INPUT else set()
    if isinstance(graph.input, Streams) and taken and None not in taken:
        return range(len(graph.input))
    return (None,)


@dataclass
class Wiring:
    """A figure of a graph, or of a part of it, while it is made. Values have a place where they come from: a box and, of
    several values, which one."""

    graph: Graph
    costs: Costs
    depth: int = 0
    any_use: bool = False
    known: Known = field(default_factory=dict)
    in_full: bool = False
    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    sources: dict[Value, tuple[str, int | None]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.shortcuts = dict(shortcuts_of(self.graph, self.costs))

    def figure(self) -> Figure:
        """The figure as far as it was made."""
        return Figure(tuple(self.boxes), tuple(dict.fromkeys(self.edges)), self.graph)

    # ---- where values come from and go to -----------------------------------------------------------------------

    def enter(self, values: Iterable[Value]) -> None:
        """Makes an end for each value that comes from outside."""
        for value in values:
            name = "input" if value.item is None else f"input.{value.item}"
            end = Box(self.free(name), "input", end=True, gives=self.graph.shape_of(value))
            self.boxes.append(end)
            self.sources[value] = (end.id, None)

    def leave(self, name: str, value: Value, *, in_training: bool = False) -> str:
        """Makes an end for a value that goes outside; what it is called."""
        end = Box(self.free(name or "output"), "input", name, end=True, in_training=in_training)
        self.boxes.append(end)
        self.join(end.id, (value,))
        return end.id

    def source_of(self, value: Value) -> tuple[str, int | None]:
        """The box that a value comes from, and which of its values it is."""
        value = self.graph.source_of(value)
        if value in self.sources:
            return self.sources[value]
        box, item = self.sources[Value(value.node)]
        return box, value.item if item is None else item

    def join(self, target: str, values: Iterable[Value], number: int | None = None) -> None:
        """Draws the edges to a box, which is that of node `number`."""
        for position, value in enumerate(values):
            source, item = self.source_of(value)
            kind: EdgeKind = "main" if number is None else self.shortcuts.get((number, position), "main")
            self.edges.append(Edge(source, target, item, position, kind=kind))

    # ---- boxes --------------------------------------------------------------------------------------------------

    def add(self, number: int) -> None:
        """Adds a node."""
        node = self.graph.nodes[number]
        if node.body is None:
            return
        if isinstance(node.body, Graph):
            self._block(number, node, node.body)
        elif node.body.role == "identity":
            self.sources[Value(number)] = self.source_of(node.inputs[0])
        else:
            self._layer(number, node, node.body)

    def _layer(self, number: int, node: Node, op: Op) -> None:
        """Adds a layer: to the box of the one before, where it only follows on that, else in one of its own."""
        role: Role = "combine" if op.sign else _PAINTED.get(op.role, "other")
        text = _in_any_use(op, node) if self.any_use else op.label()
        band = Band(text, role, self._channels(node, op))
        layers = int(op.counts_as_layer) * node.count
        last = self.boxes[-1] if self.boxes else None
        if last is not None and op.follows and self._follows(number, node, last):
            bands = (*last.bands, band)
            self.boxes[-1] = replace(
                last, bands=bands, layers=last.layers + layers, gives=node.shape, nodes=(*last.nodes, number)
            )
            self.sources[Value(number)] = (last.id, None)
            return
        box = Box(
            self.free(span(node)), role, bands=() if op.sign else (band,), count=node.count, sign=op.sign, layers=layers,
            gives=node.shape, in_training=number in self.graph.training_only,
        )  # fmt: skip
        self.put(number, box)

    def _follows(self, number: int, node: Node, last: Box) -> bool:
        """Whether nothing but a node reads what the last box gives, so that it can stand in it."""
        if len(node.inputs) != 1 or last.sign or last.end or last.name or last.count != 1 or node.count != 1:
            return False
        value = self.graph.source_of(node.inputs[0])
        alike = (number in self.graph.training_only) == last.in_training
        return alike and self.source_of(value) == (last.id, None) and self.graph.readers[value] == 1

    def _block(self, number: int, node: Node, body: Graph) -> None:
        """Adds a block: open, where there is depth left, or where nothing else would show how it is wired."""
        is_open = self.depth > 0 or not _is_told(body)
        any_use = self.any_use and is_open
        inside = figure_of(
            body, self.costs, depth=max(self.depth - 1, 0), any_use=any_use, known=self.known, in_full=self.in_full
        )
        is_plain = is_open and not body.definition and not self.in_full
        layers = _only_layers(inside, node) if is_plain else None
        if layers is not None:
            self.put(number, replace(layers, id=self.free(span(node)), in_training=number in self.graph.training_only))
            return
        kind = name_of(body)
        kind = _COUNT.sub("", kind) if self.any_use and not body.definition else kind
        told = told_of(node, body) if body.definition else ()
        box = Box(
            self.free(span(node)), "block", span(node), tuple(Band(text, "block") for text in (kind, *told)), node.count,
            inside=inside, is_open=is_open, definition=body.definition, layers=self.costs.layers.of_node(node),
            gives=node.shape, in_training=number in self.graph.training_only,
        )  # fmt: skip
        self.put(number, box)

    def put(self, number: int, box: Box) -> None:
        """Adds the box of a node, with the edges to it."""
        origin = self.graph.nodes[number].origin
        box = replace(box, nodes=(number,))
        self.boxes.append(replace(box, step=origin.key, turns=origin.turns) if origin and origin.turns else box)
        self.join(box.id, self.graph.nodes[number].inputs, number)
        self.sources[Value(number)] = (box.id, None)

    def _channels(self, node: Node, op: Op) -> str:
        """The channels that come out of a layer with weights: the name that the block has for them, or the number."""
        if op.role not in ("convolution", "linear"):
            return ""
        written = node.origin.arguments.get("width") if node.origin is not None and node.origin.own else None
        if isinstance(written, str) and written.startswith("$"):
            plain = written.removeprefix("$")
            return plain[1:-1].strip() if plain.startswith("(") else plain
        return "" if self.any_use else channels_of(node.shape)

    def free(self, wanted: str) -> str:
        """A name that no other box has."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted} {number}"
        self.taken.add(name)
        return name


def channels_of(shape: Shape) -> str:
    """The channels of a value."""
    if isinstance(shape, Held):
        return str(shape)
    return " + ".join(str(part.channels) for part in in_parts(shape) if not isinstance(part, Streams))


def size_of(shape: Shape) -> tuple[int, int] | None:
    """The height and width of a map, or of the grid of tokens."""
    return (shape.height, shape.width) if isinstance(shape, Map | Tokens) else None


def told_of(node: Node, body: Graph) -> tuple[str, ...]:
    """What a step says of its block that sets it apart; widths are told by shapes, strides by sizes."""
    arguments = node.origin.arguments if node.origin is not None else {}
    widths = {part.channels for inner in body.nodes for part in in_parts(inner.shape) if isinstance(part, Map | Tokens)}
    facts = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in arguments.items()
        if key not in _PLACING and type(value) in (int, float, str) and value not in widths and "$" not in str(value)
    ]
    return (" · ".join(facts[:3]),) if facts else ()


def _only_layers(inside: Figure, node: Node) -> Box | None:
    """The layers that a step is, one behind the other in one box, if it is nothing else."""
    boxes = [box for box in inside.boxes if not box.end]
    plain = len(boxes) == 1 and len(inside.edges) == 2 and not boxes[0].sign and not boxes[0].name
    return boxes[0] if plain and node.count == boxes[0].count == 1 else None


def _is_told(body: Graph) -> bool:
    """Whether the words for a block say how it is wired: it has a definition, or is one layer, or a row of equal blocks."""
    if body.definition:
        return True
    kinds: set[object] = set()
    nodes = [node for node in body.nodes if node.body is not None]
    for node in nodes:
        inner = node.body
        kinds.add((inner.definition, told_of(node, inner)) if isinstance(inner, Graph) and inner.definition else node)
    return len(nodes) == 1 or (body.listed and len(kinds) == 1)


_PLACING: Final = frozenset(("width", "stride", "inner", "ratio", "dilation"))
"""What is not said of a block's arguments: its shapes and its wiring tell."""
_KERNEL: Final = re.compile(r"(\d+×\d+)(/\d+(×\d+)?)?")
_COUNT: Final = re.compile(r"(?<=[a-z])(, \d+ heads?| \d+(×\d+)*(?=,|$))")


def _in_any_use(op: Op, node: Node) -> str:
    """The words for a layer that hold for any use of its block: with "s" for a stride that depends on the use, without the
    sizes that depend on the input."""
    if op.role in ("linear", "tensor", "attention"):
        return _COUNT.sub("", op.label())
    written = node.origin.arguments if node.origin is not None and node.origin.own else {}
    depends = {key for key in ("kernel", "stride") if str(written.get(key)).startswith("$")}
    kernel, stride = "k×k" if "kernel" in depends else r"\1", "/s" if "stride" in depends else r"\2"
    return _KERNEL.sub(kernel + stride, op.label(), count=1)
