"""Graph -> Picture: what is to be seen of a network, before any layout.

A picture holds boxes, groups of them and edges. It knows neither DOT nor pixels, so that every way of drawing (DOT, an
interactive page, Mermaid) reads the same one. Its texts are a spec's own words; whoever writes them somewhere escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from archbuilder.analysis.summary import Depth, Row, Summary, name_of, summarize
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.op import Op
from archbuilder.graph.ops.weighted import Convolution
from archbuilder.graph.shapes import Map, Shape

Role = Literal[
    "input", "stem", "stage", "neck", "head", "convolution", "linear", "norm", "activation", "pool", "combine", "block",
    "other",
]  # fmt: skip
"""What a box stands for; it decides the colour."""

EdgeKind = Literal["main", "identity", "projection"]
"""Whether an edge is a shortcut that hands on its value as it is, one that changes it, or neither."""

_ROLES: Final[dict[str, Role]] = {
    "conv": "convolution",
    "linear": "linear",
    "norm": "norm",
    "activation": "activation",
    "max_pool": "pool",
    "avg_pool": "pool",
    "global_pool": "pool",
    "subsample": "pool",
    "add": "combine",
    "multiply": "combine",
}
_SECTION_ROLES: Final[dict[str, Role]] = {"stem": "stem", "stages": "stage", "neck": "neck", "head": "head"}
_SIGNS: Final = {"add": "+", "multiply": "×"}
_FOLLOWERS: Final = ("norm", "activation", "dropout", "drop_path")
_MAXIMUM_LINES: Final = 5


@dataclass(frozen=True)
class Band:
    """One line of a box. In a box of layers each band is a layer."""

    text: str
    role: Role
    detail: str = ""


@dataclass(frozen=True)
class Load:
    """What a box costs, and the shares (0 to 1) of the largest such cost in the picture."""

    parameters: int
    macs: int
    parameter_share: float = 0.0
    mac_share: float = 0.0


@dataclass(frozen=True)
class Box:
    """A step, or a run of layers that follow each other; `count` is how often it is repeated.

    `sign` is the symbol of a box that only combines values ("+"); "" for any other. A box without bands or sign is the
    point where the input of a block forks.
    """

    id: str
    role: Role
    bands: tuple[Band, ...] = ()
    count: int = 1
    sign: str = ""
    load: Load | None = None


@dataclass(frozen=True)
class Group:
    """Boxes and further groups inside a frame."""

    id: str
    role: Role
    name: str
    kind: str
    count: int
    members: tuple[Item, ...]


Item: TypeAlias = Box | Group


@dataclass(frozen=True)
class Edge:
    """A value on its way from one box to another. `label` is its shape, where that is news."""

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = "main"


@dataclass(frozen=True)
class Picture:
    """A network as boxes in the order of execution, groups and edges."""

    name: str
    facts: tuple[str, ...]
    depth: Depth
    items: tuple[Item, ...]
    edges: tuple[Edge, ...]

    def boxes(self) -> Iterator[Box]:
        """Every box, in groups too."""
        return boxes_of(self.items)


def boxes_of(items: tuple[Item, ...]) -> Iterator[Box]:
    """Every box of some items, in their groups too."""
    for item in items:
        if isinstance(item, Box):
            yield item
        else:
            yield from boxes_of(item.members)


def picture_of(graph: Graph, depth: Depth = "stage") -> Picture:
    """What is to be seen of a network at one depth."""
    summary = summarize(graph)
    painter = _Painter(summary, depth)
    painter.network()
    facts = (
        f"{abbreviate(summary.parameters)} parameters",
        f"{abbreviate(summary.macs)} MACs",
        f"{summary.layers} layer{'' if summary.layers == 1 else 's'}",
        f"input {graph.input}",
    )
    edges = tuple(dict.fromkeys(painter.edges))
    return Picture(graph.name or "network", facts, depth, _with_shares(tuple(painter.items)), edges)


def abbreviate(count: int) -> str:
    """A count in three digits: "25.6 M"."""
    if count < 1000:
        return str(count)
    value, unit = float(count), ""
    for unit in ("K", "M", "G", "T"):
        value /= 1000
        if value < 999.5:
            break
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def _with_shares(items: tuple[Item, ...]) -> tuple[Item, ...]:
    loads = [box.load for box in items if isinstance(box, Box) and box.load is not None]
    parameters = max((load.parameters for load in loads), default=0) or 1
    macs = max((load.macs for load in loads), default=0) or 1

    def shared(item: Item) -> Item:
        if isinstance(item, Group) or item.load is None:
            return item
        load = item.load
        return replace(item, load=Load(load.parameters, load.macs, load.parameters / parameters, load.macs / macs))

    return tuple(shared(item) for item in items)


class _Port(NamedTuple):
    """Where a value comes from: the box, and the shape that goes into this box."""

    box: str
    before: Shape


@dataclass
class _Painter:
    summary: Summary
    depth: Depth
    items: list[Item] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    rows: dict[tuple[int, str], Row] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    # ---- the network --------------------------------------------------------------------------------------------

    def network(self) -> None:
        graph = self.summary.graph
        rows = self.summary.rows("stage" if self.depth == "stage" else "block")
        self.rows = {(min(row.level, 1), row.path): row for row in rows}
        name, shape = self._id("input"), graph.input
        self.items.append(Box(name, "input", (Band("input", "input"), Band(str(shape), "input"))))
        drawing = _Drawing(graph, {INPUT: _Port(name, shape)})
        sections = graph.sections or (Section("stages", 0, len(graph.nodes)),)
        for section in sections:
            if self.depth == "stage":
                self._stage_boxes(drawing, section)
            else:
                self._section(drawing, section)

    def _section(self, drawing: _Drawing, section: Section) -> None:
        role = _SECTION_ROLES.get(section.name, "other")
        numbers = range(section.start, section.stop)
        if section.name == "stages":
            self.items += self._nodes(drawing, numbers, "", role)
            return
        members = self._nodes(drawing, numbers, "", role)
        if members:
            id = self._id(f"{section.name} section")
            self.items.append(Group(id, role, section.name, "", 1, tuple(members)))

    # ---- depth "stage" ------------------------------------------------------------------------------------------

    def _stage_boxes(self, drawing: _Drawing, section: Section) -> None:
        role = _SECTION_ROLES.get(section.name, "other")
        numbers = [n for n in range(section.start, section.stop) if drawing.graph.nodes[n].body is not None]
        if section.name == "stages":
            for number in numbers:
                node = drawing.graph.nodes[number]
                box = self._stage_box(node, role)
                self._enter(drawing, [number], box)
        elif numbers:
            row = self.rows.get((0, section.name))
            lines = _at_most(row.label.split(", ") if row and row.label else [])
            bands = (Band(section.name, role), *(Band(line, role) for line in lines))
            load = Load(row.parameters, row.macs) if row else None
            self._enter(drawing, numbers, Box(self._id(section.name), role, bands, load=load))

    def _enter(self, drawing: _Drawing, numbers: list[int], box: Box) -> None:
        """Puts a box that stands for some nodes of the root into the picture, with the edges to it."""
        self.items.append(box)
        before = drawing.shape_of(drawing.graph.nodes[numbers[0]].inputs[0])
        for number in numbers:
            drawing.ports[number] = _Port(box.id, before)
            for value in drawing.graph.nodes[number].inputs:
                source = drawing.port(value)
                if source.box != box.id:
                    self.edges.append(Edge(source.box, box.id, str(drawing.shape_of(value))))

    def _stage_box(self, node: Node, role: Role) -> Box:
        row = self.rows.get((0, node.name)) or self.rows.get((0, _span(node)))
        name = _span(node)
        kind = name_of(node.body) if isinstance(node.body, Graph) else node.body.label() if node.body else ""
        kind += f" ×{node.count}" if node.count > 1 else ""
        bands = [Band(name, role), Band(kind, role)]
        bands += [Band(text, role) for text in (_widths(row) if row else ()) if text]
        load = Load(row.parameters, row.macs) if row else None
        return Box(self._id(name), role, tuple(bands), _repeats(node), load=load)

    # ---- depths "block" and "layer" -----------------------------------------------------------------------------

    def _nodes(self, drawing: _Drawing, numbers: range, prefix: str, role: Role) -> list[Item]:
        """Draws some nodes of a graph."""
        items: list[Item] = []
        for number in numbers:
            node = drawing.graph.nodes[number]
            if isinstance(node.body, Op):
                self._layer(drawing, number, node, node.body, prefix, items)
            elif isinstance(node.body, Graph):
                items.append(self._call(drawing, number, node, node.body, prefix, role))
        return items

    def _layer(
        self, drawing: _Drawing, number: int, node: Node, op: Op, prefix: str, items: list[Item]
    ) -> None:
        role = _ROLES.get(op.name, "other")
        band = Band(_label(op), role, _channels(op))
        last = items[-1] if items else None
        if op.name in _FOLLOWERS and isinstance(last, Box) and drawing.follows(node, last):
            items[-1] = replace(last, bands=(*last.bands, band))
            drawing.ports[number] = drawing.port(node.inputs[0])
            return
        sign = _SIGNS.get(op.name, "")
        box = Box(self._id(f"{prefix}{_span(node)}"), role, () if sign else (band,), node.count, sign)
        items.append(box)
        self._join(drawing, number, node, box.id)
        drawing.ports[number] = _Port(box.id, drawing.graph.shape_of(node.inputs[0]))

    def _call(self, drawing: _Drawing, number: int, node: Node, body: Graph, prefix: str, role: Role) -> Item:
        path = f"{prefix}{_span(node)}"
        is_stage = role == "stage" and not prefix
        if self.depth == "block" and not (is_stage and not body.definition):
            box = self._block_box(node, path, role)
            self._join(drawing, number, node, box.id)
            drawing.ports[number] = _Port(box.id, drawing.graph.shape_of(node.inputs[0]))
            return box
        return self._group(drawing, number, node, body, path, "stage" if is_stage else "block")

    def _block_box(self, node: Node, path: str, role: Role) -> Box:
        row = self.rows.get((1, path)) or self.rows.get((0, path))
        kind = name_of(node.body) if isinstance(node.body, Graph) else ""
        details = [text for text in (_widths(row) if row else ()) if text]
        name = f"{_span(node)} · {kind}" + (f" ×{node.count}" if node.count > 1 else "")
        bands = (Band(name, role), *(Band(text, role) for text in details))
        load = Load(row.parameters, row.macs) if row else None
        return Box(self._id(path), role, bands, node.count, load=load)

    def _group(
        self, drawing: _Drawing, number: int, node: Node, body: Graph, path: str, role: Role
    ) -> Item:
        inner = _Drawing(body, {})
        members: list[Item] = []
        entry: Box | None = None
        if len(node.inputs) == 1 and inner.readers[INPUT, None] > 1:
            # Where several steps read a block's input, it enters the frame once and forks inside.
            entry = Box(self._id(f"{path} input"), "block")
            members.append(entry)
            self._join(drawing, number, node, entry.id)
            inner.ports[INPUT] = _Port(entry.id, body.input)
            inner.forked = True
        else:
            inner.ports[INPUT] = drawing.port(node.inputs[0])
            inner.outer = (drawing, node.inputs[0])
            inner.kind = drawing.kind_of(number, node.inputs[0])
        members += self._nodes(inner, range(len(body.nodes)), f"{path}.", role)
        drawing.ports[number] = inner.port(body.output)
        if len(members) == 1 and isinstance(members[0], Box) and role != "stage":
            return replace(members[0], count=members[0].count * node.count)
        kind = "" if role == "stage" and not body.definition else name_of(body)
        return Group(self._id(f"{path} group"), role, _span(node), kind, node.count, tuple(members))

    # ---- edges --------------------------------------------------------------------------------------------------

    def _join(self, drawing: _Drawing, number: int, node: Node, target: str) -> None:
        for position, value in enumerate(node.inputs):
            source = drawing.port(value)
            kind = drawing.kind_of(number, value, position)
            shape = drawing.shape_of(value)
            fresh = self.depth == "block" or shape != source.before
            self.edges.append(Edge(source.box, target, str(shape) if fresh else "", kind))

    def _id(self, wanted: str) -> str:
        """A name that no other box has."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted} {number}"
        self.taken.add(name)
        return name


@dataclass
class _Drawing:
    """One graph while it is drawn: where its values come from, who reads them, which of its edges are shortcuts."""

    graph: Graph
    ports: dict[int, _Port]
    forked: bool = False
    outer: tuple[_Drawing, Value] | None = None
    kind: EdgeKind = "main"

    def __post_init__(self) -> None:
        self.readers = _readers(self.graph)
        self.shortcuts = dict(_shortcuts(self.graph, self.readers))

    def port(self, value: Value) -> _Port:
        return self.ports[self.graph.source_of(value).node]

    def shape_of(self, value: Value) -> Shape:
        return self.graph.shape_of(value)

    def follows(self, node: Node, box: Box) -> bool:
        """Whether a layer can stand in the box of the one before it: nothing else reads what that one gives."""
        value = self.graph.source_of(node.inputs[0])
        return (
            len(node.inputs) == 1
            and not box.sign
            and bool(box.bands)
            and box.count == node.count == 1
            and value.node != INPUT
            and isinstance(self.graph.nodes[value.node].body, Op)
            and self.ports[value.node].box == box.id
            and self.readers[value.node, value.item] == 1
        )

    def kind_of(self, number: int, value: Value, position: int = 0) -> EdgeKind:
        kind = self.shortcuts.get((number, position))
        if kind is not None:
            return kind
        return self.kind if self.graph.source_of(value).node == INPUT else "main"


def _readers(graph: Graph) -> Counter[tuple[int, int | None]]:
    """How often each value is read, by steps and as the graph's output."""
    values = [value for node in graph.nodes if node.body is not None for value in node.inputs]
    return Counter((value.node, value.item) for value in map(graph.source_of, [*values, graph.output]))


def _shortcuts(
    graph: Graph, readers: Counter[tuple[int, int | None]]
) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    """The edges, as (reader, position among its inputs), that lie on the way around a sum.

    Such a way leads from a later operand of the sum back to a value that others read as well; if it passes nothing, it is
    an identity.
    """
    for number, node in enumerate(graph.nodes):
        if not (isinstance(node.body, Op) and node.body.name == "add"):
            continue
        for position, operand in enumerate(node.inputs[1:], 1):
            value, edges = graph.source_of(operand), [(number, position)]
            while value.node != INPUT and readers[value.node, value.item] == 1 and value.item is None:
                edges.append((value.node, 0))
                value = graph.source_of(graph.nodes[value.node].inputs[0])
            if len(edges) > 1:
                yield from ((edge, "projection") for edge in edges)
            elif value.node == INPUT:
                yield edges[0], "identity"


# ---- words ------------------------------------------------------------------------------------------------------


def _label(op: Op) -> str:
    return op.label()


def _channels(op: Op) -> str:
    return f"{op.in_channels} → {op.out_channels}" if isinstance(op, Convolution) else ""


def _span(node: Node) -> str:
    """The names of a node's repeats: "1–5"."""
    names = node.all_names()
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def _repeats(node: Node) -> int:
    """How many blocks a stage has."""
    if isinstance(node.body, Graph) and not node.body.definition and node.body.listed:
        return node.count * sum(inner.count for inner in node.body.nodes if inner.body is not None)
    return node.count


def _widths(row: Row) -> tuple[str, ...]:
    """The inner and the output width of a block, and its stride."""
    before, after = row.input_shape, row.output_shape
    if not (isinstance(before, Map) and isinstance(after, Map)):
        return ()
    inner = row.inner_width
    width = f"{inner} → {after.channels}" if inner is not None and inner != after.channels else f"{after.channels}"
    strides = tuple(_ratio(*sizes) for sizes in ((before.height, after.height), (before.width, after.width)))
    if strides == (1, 1):
        return (width,)
    stride = f"{strides[0]}" if strides[0] == strides[1] else f"{strides[0]}×{strides[1]}"
    return (f"{width} · stride {stride}",)


def _ratio(before: int, after: int) -> int:
    return max(1, round(before / after)) if after else 1


def _at_most(lines: list[str]) -> list[str]:
    if len(lines) <= _MAXIMUM_LINES:
        return lines
    return [*lines[: _MAXIMUM_LINES - 1], f"and {len(lines) - _MAXIMUM_LINES + 1} more"]
