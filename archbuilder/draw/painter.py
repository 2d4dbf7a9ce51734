"""Graph -> Picture, at one depth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.numbers import abbreviate
from archbuilder.analysis.summary import Depth, Row, Summary, describe, name_of, summarize
from archbuilder.draw.drawing import Drawing, Port
from archbuilder.draw.picture import Band, Box, Edge, Group, Item, Load, Picture, Role, boxes_of
from archbuilder.draw.words import at_most, channels_of, facts_of, repeats_of, shape_label, span, widths_of
from archbuilder.graph.bounds import refuse_too_many, steps_in
from archbuilder.graph.graph import INPUT, Graph, Node, Section, Value
from archbuilder.graph.op import Op
from archbuilder.graph.op import Role as OpRole
from archbuilder.graph.shapes import Held, Streams

_PAINTED: Final[dict[OpRole, Role]] = {
    "convolution": "convolution",
    "linear": "linear",
    "norm": "norm",
    "activation": "activation",
    "pooling": "pool",
}
"""The ops that have a colour of their own."""
_SECTION_ROLES: Final[dict[str, Role]] = {"stem": "stem", "stages": "stage", "neck": "neck", "head": "head"}


def picture_of(graph: Graph, depth: Depth) -> Picture:
    """What is to be seen of a network at one depth."""
    if depth == "layer":
        refuse_too_many(steps_in(graph), "shown")
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


def _with_shares(items: tuple[Item, ...]) -> tuple[Item, ...]:
    loads = [box.load for box in boxes_of(items) if box.load is not None]
    parameters = max((load.parameters for load in loads), default=0) or 1
    macs = max((load.macs or 0 for load in loads), default=0) or 1

    def shared(item: Item) -> Item:
        if isinstance(item, Group):
            return replace(item, members=tuple(shared(member) for member in item.members))
        load = item.load
        if load is None:
            return item
        return replace(
            item, load=Load(load.parameters, load.macs, load.parameters / parameters, (load.macs or 0) / macs)
        )

    return tuple(shared(item) for item in items)


@dataclass
class _Painter:
    summary: Summary
    depth: Depth
    items: list[Item] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    rows: dict[tuple[int, str], Row] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    headers: set[str] = field(default_factory=set)
    costs: Costs = field(default_factory=Costs)

    # ---- the network --------------------------------------------------------------------------------------------

    def network(self) -> None:
        graph = self.summary.graph
        rows = self.summary.rows("stage" if self.depth == "stage" else "block")
        self.rows = {(min(row.level, 1), row.path): row for row in rows}
        start = self._free("input")
        self.items.append(Box(start, "input", (Band("input", "input"), Band(str(graph.input), "input"))))
        drawing = Drawing(graph, {INPUT: Port(start, graph.input)}, self.costs)
        for section in graph.sections or (Section("stages", 0, len(graph.nodes)),):
            drawing.role = _SECTION_ROLES.get(section.name, "other")
            if self.depth == "stage":
                self._stage_boxes(drawing, section)
            elif section.name == "stages":
                self._stages(drawing, section)
            else:
                self._section(drawing, section)

    def _stages(self, drawing: Drawing, section: Section) -> None:
        """Draws the stages; those of several steps that stand inline as a group, as a section."""
        start = section.start
        for part in drawing.graph.pieces(section):
            if part.stop - part.start > 1:
                self.items += self._nodes(drawing, range(start, part.start))
                self._section(drawing, part)
                start = part.stop
        self.items += self._nodes(drawing, range(start, section.stop))

    def _section(self, drawing: Drawing, section: Section) -> None:
        """Draws a section as a group. What it takes from before it enters through its header, if it is one value."""
        key = self._free(section.name)
        outside = drawing.taken_by(section)
        entered = len(outside) == 1
        before = {value.node: drawing.port(value) for value in outside}
        if entered:
            self.headers.add(key)
            shape = drawing.shape_of(outside[0])
            self.edges.append(Edge(before[outside[0].node].box, key, shape_label(shape)))
            drawing.ports[outside[0].node] = Port(key, shape)
        members = self._nodes(drawing, range(section.start, section.stop))
        drawing.ports.update(before)
        if members:
            facts = facts_of(self.rows.get((0, section.name)))
            self.items.append(Group(key, drawing.role, section.name, tuple(members), facts=facts, has_entry=entered))

    # ---- depth "stage" ------------------------------------------------------------------------------------------

    def _stage_boxes(self, drawing: Drawing, section: Section) -> None:
        numbers = [n for n in range(section.start, section.stop) if drawing.graph.nodes[n].body is not None]
        row = self.rows.get((0, section.name))
        if section.name == "stages":
            for piece in drawing.graph.pieces(section):
                own = [number for number in numbers if piece.start <= number < piece.stop]
                if piece.name and piece.start in own:
                    row = self.rows.get((0, piece.name))
                    lines = at_most(row.label.split(", ")) if row and row.label else []
                    self._enter(drawing, own, self._card(piece.name, [piece.name, *lines], row, drawing.role))
                    continue
                for number in own:
                    self._enter(drawing, [number], self._stage_box(drawing.graph.nodes[number], drawing.role))
        elif numbers:
            quiet = [describe(drawing.graph.nodes[number]) for number in numbers]
            lines = at_most(row.label.split(", ") if row and row.label else quiet)
            self._enter(drawing, numbers, self._card(section.name, [section.name, *lines], row, drawing.role))

    def _enter(self, drawing: Drawing, numbers: list[int], box: Box) -> None:
        """Puts a box that stands for some nodes of the root into the picture, with the edges to it."""
        self.items.append(box)
        first = drawing.graph.nodes[numbers[0]]
        before = drawing.shape_of(first.inputs[0]) if first.inputs else first.shape
        read: dict[str, list[Value]] = {}
        for number in numbers:
            drawing.ports[number] = Port(box.id, before)
            for value in map(drawing.graph.source_of, drawing.graph.nodes[number].inputs):
                source = drawing.port(value)
                if source.box != box.id:
                    read.setdefault(source.box, []).append(value)
        for source_box, values in read.items():
            shapes = [drawing.shape_of(value) for value in dict.fromkeys(values)]
            together = Streams(shapes) if all(value.item is not None for value in values) else None
            labels = [shape_label(together)] if together is not None else [shape_label(shape) for shape in shapes]
            self.edges += [Edge(source_box, box.id, label) for label in labels]

    def _stage_box(self, node: Node, role: Role) -> Box:
        name = span(node)
        kind = name_of(node.body) if isinstance(node.body, Graph) and node.count == 1 else describe(node)
        row = self.rows.get((0, name))
        return self._card(name, [name, kind, *widths_of(row)], row, role, repeats_of(node))

    # ---- depths "block" and "layer" -----------------------------------------------------------------------------

    def _nodes(self, drawing: Drawing, numbers: range) -> list[Item]:
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

    def _layer(self, drawing: Drawing, number: int, op: Op, items: list[Item]) -> None:
        """Draws a layer: in the last box, where it only follows on that, else in one of its own."""
        node = drawing.graph.nodes[number]
        if op.role == "identity":
            drawing.ports[number] = drawing.port(node.inputs[0])
            return
        before = drawing.shape_of(node.inputs[0]) if node.inputs else node.shape
        role = "combine" if op.sign else _PAINTED.get(op.role, "other")
        band = Band(op.label(), role, channels_of(op, before, node.shape))
        last = items[-1] if items else None
        if op.follows and isinstance(last, Box) and drawing.follows(node, last):
            items[-1] = replace(last, bands=(*last.bands, band))
            drawing.ports[number] = drawing.port(node.inputs[0])
            return
        box = Box(self._free(drawing.path(node)), role, () if op.sign else (band,), node.count, op.sign)
        items.append(box)
        self._join(drawing, number, box.id)

    def _call(self, drawing: Drawing, number: int, body: Graph) -> Item | None:
        """Draws a call of a graph: as a box, or as a group of what is in it."""
        node, path = drawing.graph.nodes[number], drawing.path(drawing.graph.nodes[number])
        is_stage = drawing.role == "stage" and not drawing.prefix
        if self.depth == "layer" or (is_stage and not body.definition):
            return self._group(drawing, number, body, "stage" if is_stage else "block")
        row = self.rows.get((1, path)) or self.rows.get((0, path))
        words = describe(node).split(", ")
        lines = [f"{span(node)} · {words[0]}"] if len(words) == 1 else [span(node), *at_most(words)]
        lines += widths_of(row)
        box = self._card(path, lines, row, drawing.role, node.count)
        self._join(drawing, number, box.id)
        return box

    def _group(self, drawing: Drawing, number: int, body: Graph, role: Role) -> Item | None:
        node = drawing.graph.nodes[number]
        path = drawing.path(node)
        header = self._free(path)
        self.headers.add(header)
        inner = Drawing(body, {INPUT: Port(header, body.input)}, self.costs, f"{path}.", drawing.role)
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
        return Group(header, role, span(node), tuple(members), kind, node.count, facts_of(row))

    # ---- boxes and edges ----------------------------------------------------------------------------------------

    def _card(self, path: str, lines: list[str], row: Row | None, role: Role, count: int = 1) -> Box:
        load = Load(row.parameters, row.macs) if row and (row.parameters or row.macs != 0) else None
        return Box(self._free(path), role, tuple(Band(line, role) for line in lines), count, load=load)

    def _join(self, drawing: Drawing, number: int, target: str, *, entering: bool = False) -> None:
        """Draws the edges to a step. A shape is written where it is new, and where a block is entered."""
        node = drawing.graph.nodes[number]
        for position, value in enumerate(node.inputs):
            source = drawing.port(value)
            shape = drawing.shape_of(value)
            kind = drawing.shortcuts.get((number, position), "main")
            told = entering or self.depth == "block" or shape != source.before
            told = told and kind == "main" and source.box not in self.headers and not isinstance(shape, Held)
            told = told and not (position and shape == drawing.shape_of(node.inputs[0]))  # a sum's operands are alike
            self.edges.append(Edge(source.box, target, shape_label(shape) if told else "", kind))
        drawing.ports[number] = Port(target, drawing.shape_of(node.inputs[0]) if node.inputs else node.shape)

    def _free(self, wanted: str) -> str:
        """A name that no other box has."""
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted} {number}"
        self.taken.add(name)
        return name
