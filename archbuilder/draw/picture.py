"""Graph -> Picture: what is to be seen of a network, before any layout.

A picture holds boxes, groups of them and edges. It knows neither DOT nor pixels, so that every way of drawing (DOT, an
interactive page, Mermaid) reads the same one. Its texts are a spec's own words; who writes them somewhere escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from archbuilder.analysis.summary import Depth, Row, Summary, describe, name_of, summarize
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.op import Op
from archbuilder.graph.ops.weighted import Convolution
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens

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
_UNITS: Final = "KMGTPE"


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

    `sign` is the symbol of a box that only combines values ("+"); "" for any other.
    """

    id: str
    role: Role
    bands: tuple[Band, ...] = ()
    count: int = 1
    sign: str = ""
    load: Load | None = None


@dataclass(frozen=True)
class Group:
    """Boxes and further groups inside a frame.

    Where `has_entry`, what goes into the group goes to its header; the group's `id` as an end of an edge means that.
    """

    id: str
    role: Role
    name: str
    members: tuple[Item, ...]
    kind: str = ""
    count: int = 1
    facts: tuple[str, ...] = ()
    has_entry: bool = True


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


def parts_of(items: Iterable[Item]) -> Iterator[Item]:
    """Some items and all that is in them, each group before its members."""
    for item in items:
        yield item
        if isinstance(item, Group):
            yield from parts_of(item.members)


def boxes_of(items: Iterable[Item]) -> Iterator[Box]:
    """Every box of some items, in their groups too."""
    return (part for part in parts_of(items) if isinstance(part, Box))


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
    power = 1
    while power < len(_UNITS) and count >= 999.5 * 1000**power:
        power += 1
    value = count / 1000**power
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {_UNITS[power - 1]}"


def _with_shares(items: tuple[Item, ...]) -> tuple[Item, ...]:
    loads = [box.load for box in boxes_of(items) if box.load is not None]
    parameters = max((load.parameters for load in loads), default=0) or 1
    macs = max((load.macs for load in loads), default=0) or 1

    def shared(item: Item) -> Item:
        if isinstance(item, Group):
            return replace(item, members=tuple(shared(member) for member in item.members))
        load = item.load
        if load is None:
            return item
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
    headers: set[str] = field(default_factory=set)

    # ---- the network --------------------------------------------------------------------------------------------

    def network(self) -> None:
        graph = self.summary.graph
        rows = self.summary.rows("stage" if self.depth == "stage" else "block")
        self.rows = {(min(row.level, 1), row.path): row for row in rows}
        start = self._free("input")
        self.items.append(Box(start, "input", (Band("input", "input"), Band(str(graph.input), "input"))))
        drawing = _Drawing(graph, {INPUT: _Port(start, graph.input)})
        for section in graph.sections or (Section("stages", 0, len(graph.nodes)),):
            drawing.role = _SECTION_ROLES.get(section.name, "other")
            if self.depth == "stage":
                self._stage_boxes(drawing, section)
            elif section.name == "stages":
                self._stages(drawing, section)
            else:
                self._section(drawing, section)

    def _stages(self, drawing: _Drawing, section: Section) -> None:
        """Draws the stages; those of several steps that stand inline as a group, as a section."""
        start = section.start
        for part in drawing.graph.inlined:
            if start <= part.start < section.stop and part.stop - part.start > 1:
                self.items += self._nodes(drawing, range(start, part.start))
                self._section(drawing, part)
                start = part.stop
        self.items += self._nodes(drawing, range(start, section.stop))

    def _section(self, drawing: _Drawing, section: Section) -> None:
        """Draws a section as a group. What it takes from before it enters through its header, if it is one value."""
        key = self._free(section.name)
        outside = drawing.read_from_before(section)
        entered = len(outside) == 1
        before = {value.node: drawing.port(value) for value in outside}
        if entered:
            self.headers.add(key)
            shape = drawing.shape_of(outside[0])
            self.edges.append(Edge(before[outside[0].node].box, key, _shape(shape)))
            drawing.ports[outside[0].node] = _Port(key, shape)
        members = self._nodes(drawing, range(section.start, section.stop))
        drawing.ports.update(before)
        if members:
            facts = _facts(self.rows.get((0, section.name)))
            self.items.append(Group(key, drawing.role, section.name, tuple(members), facts=facts, has_entry=entered))

    # ---- depth "stage" ------------------------------------------------------------------------------------------

    def _stage_boxes(self, drawing: _Drawing, section: Section) -> None:
        numbers = [n for n in range(section.start, section.stop) if drawing.graph.nodes[n].body is not None]
        row = self.rows.get((0, section.name))
        if section.name == "stages":
            inlined: dict[int, tuple[list[int], Box]] = {}
            for part in drawing.graph.inlined:
                if part.start in numbers and part.stop > part.start:
                    row = self.rows.get((0, part.name))
                    lines = _at_most(row.label.split(", ")) if row and row.label else []
                    card = self._card(part.name, [part.name, *lines], row, drawing.role)
                    inlined[part.start] = ([n for n in numbers if part.start <= n < part.stop], card)
            inside = {number for own, _ in inlined.values() for number in own[1:]}
            for number in numbers:
                if number not in inside:
                    alone = [number], self._stage_box(drawing.graph.nodes[number], drawing.role)
                    self._enter(drawing, *(inlined.get(number) or alone))
        elif numbers:
            quiet = [describe(drawing.graph.nodes[number]) for number in numbers]
            lines = _at_most(row.label.split(", ") if row and row.label else quiet)
            self._enter(drawing, numbers, self._card(section.name, [section.name, *lines], row, drawing.role))

    def _enter(self, drawing: _Drawing, numbers: list[int], box: Box) -> None:
        """Puts a box that stands for some nodes of the root into the picture, with the edges to it."""
        self.items.append(box)
        first = drawing.graph.nodes[numbers[0]]
        before = drawing.shape_of(first.inputs[0]) if first.inputs else first.shape
        read: dict[str, list[Value]] = {}
        for number in numbers:
            drawing.ports[number] = _Port(box.id, before)
            for value in map(drawing.graph.source_of, drawing.graph.nodes[number].inputs):
                source = drawing.port(value)
                if source.box != box.id:
                    read.setdefault(source.box, []).append(value)
        for source_box, values in read.items():
            shapes = [drawing.shape_of(value) for value in dict.fromkeys(values)]
            together = Streams(shapes) if all(value.item is not None for value in values) else None
            labels = [_shape(together)] if together is not None else [_shape(shape) for shape in shapes]
            self.edges += [Edge(source_box, box.id, label) for label in labels]

    def _stage_box(self, node: Node, role: Role) -> Box:
        name = _span(node)
        kind = name_of(node.body) if isinstance(node.body, Graph) and node.count == 1 else describe(node)
        row = self.rows.get((0, name))
        return self._card(name, [name, kind, *_widths(row)], row, role, _repeats(node))

    # ---- depths "block" and "layer" -----------------------------------------------------------------------------

    def _nodes(self, drawing: _Drawing, numbers: range) -> list[Item]:
        """Draws some nodes of a graph."""
        items: list[Item] = []
        for number in numbers:
            body = drawing.graph.nodes[number].body
            if isinstance(body, Graph):
                item = self._call(drawing, number, body)
                items += [item] if item else []
            elif body is not None:
                self._layer(drawing, number, body, items)
        return items

    def _layer(self, drawing: _Drawing, number: int, op: Op, items: list[Item]) -> None:
        """Draws a layer: in the last box, where it only follows on that, else in one of its own."""
        node = drawing.graph.nodes[number]
        if op.name == "identity":
            drawing.ports[number] = drawing.port(node.inputs[0])
            return
        band = Band(op.label(), _ROLES.get(op.name, "other"), _channels(op))
        last = items[-1] if items else None
        if op.name in _FOLLOWERS and isinstance(last, Box) and drawing.follows(node, last):
            items[-1] = replace(last, bands=(*last.bands, band))
            drawing.ports[number] = drawing.port(node.inputs[0])
            return
        sign = _SIGNS.get(op.name, "")
        box = Box(self._free(drawing.path(node)), band.role, () if sign else (band,), node.count, sign)
        items.append(box)
        self._join(drawing, number, box.id)

    def _call(self, drawing: _Drawing, number: int, body: Graph) -> Item | None:
        """Draws a call of a graph: as a box, or as a group of what is in it."""
        node, path = drawing.graph.nodes[number], drawing.path(drawing.graph.nodes[number])
        is_stage = drawing.role == "stage" and not drawing.prefix
        if self.depth == "layer" or (is_stage and not body.definition):
            return self._group(drawing, number, body, "stage" if is_stage else "block")
        row = self.rows.get((1, path)) or self.rows.get((0, path))
        words = describe(node).split(", ")
        lines = [f"{_span(node)} · {words[0]}"] if len(words) == 1 else [_span(node), *_at_most(words)]
        lines += _widths(row)
        box = self._card(path, lines, row, drawing.role, node.count)
        self._join(drawing, number, box.id)
        return box

    def _group(self, drawing: _Drawing, number: int, body: Graph, role: Role) -> Item | None:
        node = drawing.graph.nodes[number]
        path = drawing.path(node)
        header = self._free(path)
        self.headers.add(header)
        inner = _Drawing(body, {INPUT: _Port(header, body.input)}, f"{path}.", drawing.role)
        outside, self.edges = self.edges, []
        members = self._nodes(inner, range(len(body.nodes)))
        inside, self.edges = self.edges, outside
        if not members:
            drawing.ports[number] = drawing.port(node.inputs[0])
            return None
        alone = members[0] if len(members) == 1 and role != "stage" else None
        if isinstance(alone, Box):
            # One box needs no frame: what went to the header goes to the box.
            self._join(drawing, number, alone.id)
            return replace(alone, count=alone.count * node.count)
        self._join(drawing, number, header, entering=True)
        drawing.ports[number] = inner.port(body.output)
        self.edges += inside
        row = self.rows.get((0, path)) if role == "stage" else None
        kind = "" if role == "stage" and not body.definition else name_of(body)
        return Group(header, role, _span(node), tuple(members), kind, node.count, _facts(row))

    # ---- boxes and edges ----------------------------------------------------------------------------------------

    def _card(self, path: str, lines: list[str], row: Row | None, role: Role, count: int = 1) -> Box:
        load = Load(row.parameters, row.macs) if row and (row.parameters or row.macs) else None
        return Box(self._free(path), role, tuple(Band(line, role) for line in lines), count, load=load)

    def _join(self, drawing: _Drawing, number: int, target: str, *, entering: bool = False) -> None:
        """Draws the edges to a step. A shape is written where it is new, and where a block is entered."""
        node = drawing.graph.nodes[number]
        for position, value in enumerate(node.inputs):
            source = drawing.port(value)
            shape = drawing.shape_of(value)
            kind = drawing.shortcuts.get((number, position), "main")
            told = entering or self.depth == "block" or shape != source.before
            told = told and kind == "main" and source.box not in self.headers and not isinstance(shape, Held)
            told = told and not (position and shape == drawing.shape_of(node.inputs[0]))  # a sum's operands are alike
            self.edges.append(Edge(source.box, target, _shape(shape) if told else "", kind))
        drawing.ports[number] = _Port(target, drawing.shape_of(node.inputs[0]) if node.inputs else node.shape)

    def _free(self, wanted: str) -> str:
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
    prefix: str = ""
    role: Role = "other"

    def __post_init__(self) -> None:
        self.readers = _readers(self.graph)
        self.shortcuts = dict(_shortcuts(self.graph, self.readers))

    def path(self, node: Node) -> str:
        return f"{self.prefix}{_span(node)}"

    def port(self, value: Value) -> _Port:
        return self.ports[self.graph.source_of(value).node]

    def shape_of(self, value: Value) -> Shape:
        return self.graph.shape_of(value)

    def follows(self, node: Node, box: Box) -> bool:
        """Whether a layer can stand in the box of the one before it: nothing else reads what that one gives."""
        if not node.inputs:
            return False
        value = self.graph.source_of(node.inputs[0])
        return (
            len(node.inputs) == 1
            and not box.sign
            and box.count == node.count == 1
            and value.node != INPUT
            and isinstance(self.graph.nodes[value.node].body, Op)
            and self.ports[value.node].box == box.id
            and self.readers[value.node, value.item] == 1
        )

    def read_from_before(self, section: Section) -> tuple[Value, ...]:
        """The values that a section takes from before it."""
        nodes = self.graph.nodes[section.start : section.stop]
        read = (self.graph.source_of(value) for node in nodes if node.body is not None for value in node.inputs)
        return tuple(dict.fromkeys(value for value in read if value.node < section.start))


def _readers(graph: Graph) -> Counter[tuple[int, int | None]]:
    """How often each value is read, by steps and as the graph's output."""
    values = [value for node in graph.nodes if node.body is not None for value in node.inputs]
    return Counter((value.node, value.item) for value in map(graph.source_of, [*values, graph.output]))


def _shortcuts(graph: Graph, readers: Counter[tuple[int, int | None]]) -> Iterator[tuple[tuple[int, int], EdgeKind]]:
    """The edges, as (reader, position among its inputs), that lie on the way around a sum.

    Such a way leads from a later operand of the sum back to a value on the main path to the first. If it passes nothing,
    it is an identity.
    """
    for number, node in enumerate(graph.nodes):
        if not (isinstance(node.body, Op) and node.body.name == "add"):
            continue
        main = _main_path(graph, node.inputs[0])
        for position, operand in enumerate(node.inputs[1:], 1):
            value, edges = graph.source_of(operand), [(number, position)]
            while value.node != INPUT and readers[value.node, value.item] == 1 and value.item is None:
                if not graph.nodes[value.node].inputs:
                    break
                edges.append((value.node, 0))
                value = graph.source_of(graph.nodes[value.node].inputs[0])
            if value not in main:
                continue
            if value == graph.source_of(node.inputs[0]):
                yield (number, 0), "identity"  # it is the first operand that goes around
            elif len(edges) > 1:
                yield from ((edge, "projection") for edge in edges)
            else:
                yield edges[0], "identity"


def _main_path(graph: Graph, last: Value) -> set[Value]:
    """A value and those from which it comes, back along first inputs."""
    value = graph.source_of(last)
    found = {value}
    while value.node != INPUT and graph.nodes[value.node].inputs:
        value = graph.source_of(graph.nodes[value.node].inputs[0])
        found.add(value)
    return found


# ---- words ------------------------------------------------------------------------------------------------------


def _channels(op: Op) -> str:
    return f"{op.in_channels} → {op.out_channels}" if isinstance(op, Convolution) else ""


def _span(node: Node) -> str:
    """The names of a node's repeats: "1–5"."""
    names = node.shown_names()
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def _repeats(node: Node) -> int:
    """How many blocks a stage has."""
    if isinstance(node.body, Graph) and not node.body.definition and node.body.listed:
        return node.count * sum(inner.count for inner in node.body.nodes if inner.body is not None)
    return node.count


def _shape(shape: Shape) -> str:
    """A shape at an edge; of several streams the first and the last."""
    if isinstance(shape, Streams) and len(shape) > 2:
        return f"{shape[0]} … {shape[-1]}"
    return str(shape)


def _widths(row: Row | None) -> list[str]:
    """The inner and the output width of a block, and its stride; of a block over streams, how many there are."""
    if row is None:
        return []
    before, after = row.input_shape, row.output_shape
    if isinstance(before, Streams) or isinstance(after, Streams):
        counts = [len(shape) if isinstance(shape, Streams) else 1 for shape in (before, after)]
        return [f"{counts[1]} streams" if counts[0] == counts[1] else f"{counts[0]} → {counts[1]} streams"]
    if not (isinstance(before, Map | Tokens) and isinstance(after, Map | Tokens)):
        return []
    narrower = row.inner_width not in (None, after.channels)
    width = f"{row.inner_width} → {after.channels}" if narrower else f"{after.channels} channels"
    down, across = _ratio(before.height, after.height), _ratio(before.width, after.width)
    if (down, across) == (1, 1):
        return [width]
    return [f"{width} · stride {down if down == across else f'{down}×{across}'}"]


def _facts(row: Row | None) -> tuple[str, ...]:
    if row is None:
        return ()
    counts = ((row.parameters, "params"), (row.macs, "MACs"))
    return tuple(f"{abbreviate(count)} {unit}" for count, unit in counts if count)


def _ratio(before: int, after: int) -> int:
    return max(1, round(before / after)) if after else 1


def _at_most(lines: list[str]) -> list[str]:
    if len(lines) <= _MAXIMUM_LINES:
        return lines
    return [*lines[: _MAXIMUM_LINES - 1], f"and {len(lines) - _MAXIMUM_LINES + 1} more"]
